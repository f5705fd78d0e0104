"""Interchange along a subspace: put in what another run has along some directions, and keep the rest.

Where a whole activation carries the answer, one can ask in how many of its directions it lies. Learn them
(*distributed alignment search*, Geiger et al. 2023, "Finding Alignments Between Interpretable Causal Variables and
Distributed Neural Representations"), and test them on other prompts: with enough directions they fit their own.

Examples:
    >>> import torch
    >>> from llmnotes.model import load, trace
    >>> from llmnotes.patching.subspaces import interchange
    >>> model = load("world")
    >>> source = trace(model, [[3, 1, 9, 1, 5]], ["resid_pre"])["resid_pre", 1][:, [2]]
    >>> with interchange(model, "resid_pre", 1, source, torch.eye(128)[:, :8], positions=[2]):
    ...     changed = trace(model, [[3, 1, 4, 1, 5]], ["resid_pre"])["resid_pre", 1][:, [2]]
    >>> torch.allclose(changed[..., :8], source[..., :8], atol=1e-5)
    True
    >>> torch.allclose(changed[..., 8:], source[..., 8:])
    False
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from llmnotes.model.architectures import unwrap
from llmnotes.model.interventions import edit
from llmnotes.model.tracing import trace


def interchange(
    model: Any,
    place: str,
    layer: int,
    source: Float[Tensor, "batch pos d"],
    basis: Float[Tensor, "d n"],
    *,
    positions: list[int],
) -> AbstractContextManager[None]:
    """Let activations have another run's coordinates in a subspace, and their own in all other directions.

    `source` is what the other run has at these positions; the columns of `basis` span the subspace and are orthonormal,
    else a ValueError. All of the unit matrix is a plain patch.
    """
    square = basis.detach().T @ basis.detach()
    if (off := (square - torch.eye(len(square), device=square.device)).abs().max().item()) > 1e-3:
        raise ValueError(f"the basis is off orthonormal by {off:.2g}; give torch.linalg.qr(basis).Q")
    return edit(model, place, layer, lambda own, at: own + (source - own) @ basis @ basis.T, positions=positions)


def learn_subspace(
    model: Any,
    base: Int[Tensor, "example pos"],
    source: Int[Tensor, "example pos"],
    answers: Int[Tensor, " example"],
    n: int,
    *,
    layer: int,
    position: int,
    place: str = "resid_pre",
    steps: int = 100,
    batch: int = 48,
    lr: float = 0.03,
    seed: int = 0,
) -> Float[Tensor, "d n"]:
    """Find the directions whose interchange makes the model give the answer that the source's run calls for.

    `base` are prompts of one length, `source` for each the prompt whose activation is put in, `answers` the token that
    should then come last. Returns an orthonormal basis.

    Raises:
        ValueError: more directions than dimensions, or prompts and answers that do not fit each other.
    """
    if not len(base) == len(source) == len(answers):
        counts = f"{len(base)} prompts, {len(source)} sources, {len(answers)} answers"
        raise ValueError(f"{counts}; expected as many of each")
    given = trace(model, source, [place], layers=[layer])[place, layer][:, [position]].detach()
    if not 0 < n <= given.size(-1):
        raise ValueError(f"n is {n}; expected 1 to {given.size(-1)}, the width of {place}")
    generator, hf = torch.Generator().manual_seed(seed), unwrap(model)[0]
    start = torch.randn(given.size(-1), n, generator=generator).to(given.device)
    with torch.enable_grad():
        directions = start.requires_grad_()
        optimizer = torch.optim.Adam([directions], lr=lr)
        for _ in range(steps):
            some = torch.randperm(len(base), generator=generator)[:batch]
            basis = torch.linalg.qr(directions).Q
            with interchange(model, place, layer, given[some], basis, positions=[position]):
                loss = cross_entropy(hf(base[some]).logits[:, -1].float(), answers[some])
            directions.grad = torch.autograd.grad(loss, directions)[0]
            optimizer.step()
    return torch.linalg.qr(directions.detach()).Q
