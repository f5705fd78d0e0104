"""Change a model's weights by products of thin matrices (Hu et al. 2021, "LoRA"), and look at how weights changed.

A matrix W (in, out), as GPT-2 stores it, becomes W + (alpha / rank) a b, with a (in, rank) and b (rank, out). Only a
and b are trained. b starts at zero, so the model starts as it was. What is trained is a plain dictionary of tensors,
and so is a set of changed weights, with which `predictor` runs the model.

Examples:
    >>> import torch
    >>> from llmnotes.methods.lora import low_rank, merged, spectrum
    >>> W = {"W": torch.zeros(6, 5)}
    >>> factors = low_rank(W, rank=2)
    >>> factors["W.b"] += 1.0
    >>> spectrum(merged(W, factors)["W"]).gt(1e-5).sum().item()  # b has two equal rows: rank 1
    1
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from llmnotes.model.architectures import unwrap

Weights = Mapping[str, Tensor]


def matrices(model: Any, parts: Iterable[str] = ("attn", "mlp")) -> dict[str, Tensor]:
    """Take the matrices of a GPT-2's blocks, or of its attention or MLPs alone, by name, each (in, out).

    Raises ValueError for a model that is no GPT-2.
    """
    hf, _ = unwrap(model)
    found = {
        name: p.detach()
        for name, p in hf.named_parameters()
        if p.dim() == 2 and any(f".{part}." in name for part in parts)
    }
    if not found or not any(".c_proj." in name for name in found):
        raise ValueError(f"{type(hf).__name__} has no matrices as GPT-2 names them, in {sorted(parts)}; it has others")
    return found


def low_rank(weights: Weights, rank: int, *, seed: int = 0) -> dict[str, Tensor]:
    """Make the factors of a change of some rank, which changes nothing yet.

    For each matrix `name.a` (in, rank), normal with deviation 1 / sqrt(in), and `name.b` (rank, out), zeros. Raises
    ValueError for a rank below 1 or above what a matrix has.
    """
    for name, w in weights.items():
        if not 1 <= rank <= min(w.shape):
            raise ValueError(f"rank is {rank}; {name} is {tuple(w.shape)}, so expected 1 to {min(w.shape)}")
    generator = torch.Generator().manual_seed(seed)
    a = {f"{n}.a": torch.randn(w.size(0), rank, generator=generator) / w.size(0) ** 0.5 for n, w in weights.items()}
    return a | {f"{n}.b": torch.zeros(rank, w.size(1)) for n, w in weights.items()}


def merged(weights: Weights, factors: Weights, *, alpha: float | None = None) -> dict[str, Tensor]:
    """The weights with a low-rank change added: W + (alpha / rank) a b for each matrix that has factors.

    By default alpha is the rank, so that the change is a b. Raises KeyError for factors of a matrix that is not there.
    """
    names = [name.removesuffix(".a") for name in factors if name.endswith(".a")]
    changed = {}
    for name in names:
        a, b = factors[f"{name}.a"], factors[f"{name}.b"]
        changed[name] = weights[name] + (1.0 if alpha is None else alpha / a.size(1)) * (a @ b)
    return changed


def predictor(model: Any, changed: Weights | None = None) -> Callable[[Tensor], Tensor]:
    """The model as a function from token ids (row, pos) to logits (row, pos, vocab), with some weights changed."""
    hf, _ = unwrap(model)
    return lambda ids: functional_call(hf, dict(changed or {}), (ids,)).logits


def next_word_loss(logits: Float[Tensor, "row pos vocab"], ids: Tensor, scored: Tensor | None = None) -> Tensor:
    """Mean cross-entropy of the next token in nats; where `scored` (row, pos) is given, of those tokens alone."""
    losses = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    return losses.mean() if scored is None else losses[scored[:, 1:].flatten()].mean()


def tune(
    trained: Iterable[Tensor],
    loss: Callable[[Any], Tensor],
    batches: Iterable[Any],
    lr: float,
    *,
    steps: int,
    after: Callable[[int], None] = lambda step: None,
) -> list[float]:
    """Train tensors in place with AdamW, no weight decay; the rate rises for a tenth of the steps and falls to zero.

    `lr` is the highest rate, `after` is called with the number of steps taken. Returns the loss of every step; raises
    FloatingPointError where it is no longer finite.
    """
    trained = [tensor.requires_grad_() for tensor in trained]
    optimizer = torch.optim.AdamW(trained, lr=lr, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps, pct_start=0.1)
    losses = []
    with torch.enable_grad():
        for step, batch in zip(range(steps), batches, strict=False):
            value = loss(batch)
            if not value.isfinite():
                raise FloatingPointError(f"step {step}: the loss is {value.item()}; try a rate below {lr}")
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            losses.append(value.item())
            after(step + 1)
    for tensor in trained:
        tensor.requires_grad_(False).grad = None
    return losses


def difference(before: Weights, after: Weights) -> dict[str, Tensor]:
    """What a tuning added to each weight: a *task vector* (Ilharco et al. 2022)."""
    return {name: after[name] - before[name] for name in after}


def combined(before: Weights, *changes: tuple[float, Weights]) -> dict[str, Tensor]:
    """The weights plus a weighted sum of task vectors; a negative weight takes one away (Ilharco et al. 2022)."""
    names = {name for _, change in changes for name in change}
    return {n: before[n] + sum(scale * change[n] for scale, change in changes if n in change) for n in sorted(names)}


def spectrum(change: Float[Tensor, "rows cols"]) -> Float[Tensor, " n"]:
    """The singular values of a matrix, the largest first."""
    return torch.linalg.svdvals(change.detach().double())


def rank_for(values: Float[Tensor, " n"], share: float = 0.9) -> int:
    """How many of a matrix's largest singular values hold a share of the sum of all squares."""
    energy = values.double().square().cumsum(0)
    return int((energy < share * energy[-1]).sum()) + 1


def intruders(
    before: Float[Tensor, "rows cols"], after: Float[Tensor, "rows cols"], *, top: int = 10, below: float = 0.6
) -> list[int]:
    """Find intruder dimensions: leading singular vectors of the changed matrix that are new (Shuttleworth et al. 2024).

    Of the `top` left singular vectors of `after` these are those whose cosine with every one of `before`, sign aside,
    is smaller than `below`; returned are their places, the largest singular value first.
    """
    old, new = (torch.linalg.svd(w.detach().double(), full_matrices=False).U for w in (before, after))
    nearest = (old.T @ new[:, :top]).abs().amax(0)
    return (nearest < below).nonzero().flatten().tolist()


def scaled_intruders(
    before: Float[Tensor, "rows cols"], after: Float[Tensor, "rows cols"], scale: float, **which: Any
) -> Float[Tensor, "rows cols"]:
    """The changed matrix with its intruders' singular values scaled: at 1 as it is, at 0 without them."""
    found = intruders(before, after, **which)
    u, s, v = torch.linalg.svd(after.detach().double(), full_matrices=False)
    less = (u[:, found] * s[found]) @ v[found]
    return (after.double() - (1 - scale) * less).to(after.dtype)
