"""Sparse autoencoders: rewrite activations as sums of few directions out of many, which one can then look at singly.

x is approximated by b_dec + f @ w_dec, where f = relu((x - b_dec) @ w_enc + b_enc) is mostly zero: by a penalty on its
size (L1: Bricken et al. 2023, "Towards Monosemanticity"), by keeping the k largest of each example (TopK: Gao et al.
2024, "Scaling and evaluating sparse autoencoders"), or the k per example that are the largest of a whole batch
(BatchTopK: Bussmann et al. 2024), so that a full vector may have more features than an empty one.

`splice` puts a reconstruction back into its model. The share of the loss that it wins back needs a floor: zero is
usual, the mean often called fairer, and either can cost more than guessing evenly, so that nearly anything recovers
nearly all. Give the variance explained beside it, or a loss that means something.

Examples:
    >>> import torch
    >>> from llmnotes.methods.sae import match, train_sae
    >>> generator = torch.Generator().manual_seed(0)
    >>> truth = torch.nn.functional.normalize(torch.randn(8, 16, generator=generator), dim=-1)  # 8 known features
    >>> active = (torch.rand(2000, 8, generator=generator) < 0.15).float()
    >>> sae, log = train_sae(active @ truth, n_features=16, k=3, steps=400)
    >>> log.explained[-1] > 0.9, log.alive[-1] > 0.5
    (True, True)
    >>> bool((match(sae.encode(active @ truth), active).correlation > 0.9).float().mean() > 0.7)
    True
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from llmnotes.methods.giants import giants, say_giants
from llmnotes.model.interventions import edit


@dataclass(frozen=True)
class SAE:
    """A trained autoencoder. TopK keeps the `k` largest features, BatchTopK those above `threshold`, L1 has neither."""

    w_enc: Float[Tensor, "d feature"]
    b_enc: Float[Tensor, " feature"]
    w_dec: Float[Tensor, "feature d"]  # rows of length one
    b_dec: Float[Tensor, " d"]
    k: int | None = None
    threshold: float | None = None  # in the units of x

    def encode(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch feature"]:
        """How active each feature is; ValueError for activations of another width than those of the training."""
        if x.size(-1) != len(self.b_dec):
            raise ValueError(f"activations are {x.size(-1)} wide; this autoencoder reads {len(self.b_dec)}")
        features = ((x - self.b_dec) @ self.w_enc + self.b_enc).relu()
        if self.threshold is not None:
            return features * (features > self.threshold)
        return features if self.k is None else _largest(features, self.k)

    def decode(self, features: Float[Tensor, "*batch feature"]) -> Float[Tensor, "*batch d"]:
        """The activations that these features stand for."""
        return features @ self.w_dec + self.b_dec

    def explained(self, x: Float[Tensor, "example d"]) -> float:
        """The share of the variance that the reconstruction explains; best of activations new to the autoencoder."""
        return 1 - ((self.decode(self.encode(x)) - x).pow(2).sum() / (x - x.mean(0)).pow(2).sum()).item()


def _largest(features: Tensor, k: int) -> Tensor:
    """Only the k largest of each row."""
    top = features.topk(k, dim=-1)
    return torch.zeros_like(features).scatter(-1, top.indices, top.values)


def _largest_of_all(features: Tensor, k: int) -> Tensor:
    """Only the k times so many rows that are the largest of the whole table."""
    return _largest(features.flatten(), k * len(features)).view_as(features)


@dataclass(frozen=True)
class Log:
    """How training went, one entry every `every` steps."""

    every: int
    loss: list[float]
    explained: list[float]  # share of the variance that the reconstruction explains
    active: list[float]  # mean number of active features (L0)
    alive: list[float]  # share of features active at least once since the last entry


def train_sae(
    x: Float[Tensor, "example d"],
    n_features: int,
    *,
    k: int | None = None,
    batch_k: int | None = None,
    l1: float | None = None,
    aux: float | None = None,
    steps: int = 2000,
    batch: int = 256,
    lr: float = 3e-3,
    every: int = 100,
    seed: int = 0,
    keep_giants: bool = False,
) -> tuple[SAE, Log]:
    """Train an autoencoder on activations.

    Features that were not active for `every` steps are dead. Each is set anew to the direction of an example that is
    reconstructed badly, with a small encoder, as in Bricken et al.; the last quarter of the steps is left to settle.
    Or, with `aux`, the dead features learn what the others leave (AuxK, Gao et al.). The decoder's rows have length
    one, and the part of their gradient that points along them is removed before each step.

    Args:
        k: TopK: how many may be active at once.
        batch_k: or BatchTopK: how many may be active on average. Trained, it keeps the features above a threshold: the
            mean over the last fifth of the steps of the smallest feature that was kept.
        l1: or the weight of the L1 penalty, a few tenths as a start: activations are scaled to mean length sqrt(d).
        aux: the weight of the error with which the d / 2 strongest dead features reconstruct what the others leave;
            1/32 in Gao et al. None revives dead features instead.
        lr: learning rate, falling to zero over the last fifth.
        keep_giants: train on giant vectors, too (`llmnotes.methods.giants`), which are else left out with a warning.

    Returns:
        The autoencoder, in the scale of x, and the log.

    Raises:
        ValueError: not exactly one of k, batch_k and l1, k out of range, x no table, or values that are not finite.
    """
    if (k, batch_k, l1).count(None) != 2:
        raise ValueError(f"got k={k}, batch_k={batch_k} and l1={l1}; expected exactly one of them")
    for name, many in (("k", k), ("batch_k", batch_k)):
        if many is not None and not 0 < many <= n_features:
            raise ValueError(f"{name} is {many}; expected 1 to n_features = {n_features}")
    if x.ndim != 2 or not x.isfinite().all():
        raise ValueError(f"x has shape {tuple(x.shape)}; expected (example, d), all values finite")
    x, d = x.detach().float(), x.size(1)
    if not keep_giants and (large := giants(x)).any():
        say_giants(large, "left out of the training; keep_giants=True trains on them")
        x = x[~large]
    center = x.mean(0)
    scale = (x - center).norm(dim=-1).mean().item() / d**0.5 or 1.0
    x = (x - center) / scale
    generator = torch.Generator().manual_seed(seed)
    w_dec = normalize(torch.randn(n_features, d, generator=generator), dim=-1).to(x.device)
    weights = [w_dec.T.clone(), x.new_zeros(n_features), w_dec, x.new_zeros(d)]
    for weight in weights:
        weight.requires_grad_()
    sae = SAE(*weights, k)
    optimizer = torch.optim.Adam(weights, lr=lr, betas=(0.9, 0.999))
    variance = x.pow(2).sum(-1).mean().item()
    log, seen, since = Log(every, [], [], [], []), torch.zeros(n_features, dtype=torch.bool, device=x.device), []
    idle = torch.zeros(n_features, dtype=torch.long, device=x.device)  # steps since a feature was active
    smallest = []  # BatchTopK: the smallest feature kept
    for step in range(1, steps + 1):
        rows = x[torch.randint(len(x), (batch,), generator=generator).to(x.device)]
        for group in optimizer.param_groups:
            group["lr"] = lr * min(1.0, (steps - step + 1) / max(1, steps // 5))
        features = sae.encode(rows)
        if batch_k is not None:
            features = _largest_of_all(features, batch_k)
        left = rows - sae.decode(features)
        error = left.pow(2).sum(-1)
        loss = error.mean() + (0 if l1 is None else l1 * features.abs().sum(-1).mean())
        if aux is not None and (dead := idle >= every).any():
            loss = loss + aux * _left_over(sae, rows, left.detach(), dead)
        optimizer.zero_grad()
        loss.backward()
        sae.w_dec.grad -= _along(sae.w_dec.grad, sae.w_dec.detach())
        optimizer.step()
        with torch.no_grad():
            sae.w_dec.copy_(normalize(sae.w_dec, dim=-1))  # else the penalty is dodged by small f and large w_dec
            seen |= (now := (features > 0).any(0))
            idle = (idle + 1).masked_fill(now, 0)
            if batch_k is not None and step > 0.8 * steps and now.any():
                smallest.append(features[features > 0].min().item())
            since.append((loss.item(), error.mean().item(), (features > 0).float().sum(-1).mean().item()))
            if step % every == 0:
                mean_loss, mean_error, mean_active = (sum(values) / every for values in zip(*since, strict=True))
                log.loss.append(mean_loss)
                log.explained.append(1 - mean_error / variance)
                log.active.append(mean_active)
                log.alive.append(seen.float().mean().item())
                if aux is None and step <= 0.75 * steps:
                    _revive(SAE(*weights, k or batch_k), optimizer, ~seen, x, generator)
                seen.zero_()
                since.clear()
    w_enc, b_enc, w_dec, b_dec = (weight.detach() for weight in weights)
    # Back to the scale of the activations: encoding (x - center) / scale and multiplying the features by scale.
    threshold = scale * sum(smallest) / len(smallest) if smallest else None
    return SAE(w_enc, b_enc * scale, w_dec, center + b_dec * scale, k, threshold), log


def _along(gradient: Tensor, rows: Tensor) -> Tensor:
    """The part of a gradient that points along rows of length one: it would change their length alone."""
    return (gradient * rows).sum(-1, keepdim=True) * rows


def _left_over(sae: SAE, x: Tensor, left: Tensor, dead: Tensor) -> Tensor:
    """How badly the d / 2 strongest dead features alone reconstruct what the others leave of each example."""
    features = ((x - sae.b_dec) @ sae.w_enc[:, dead] + sae.b_enc[dead]).relu()
    features = _largest(features, min(features.size(1), max(1, x.size(1) // 2)))
    return (features @ sae.w_dec[dead] - left).pow(2).sum(-1).mean()


@torch.no_grad()
def _revive(sae: SAE, optimizer: Any, dead: Tensor, x: Tensor, generator: torch.Generator) -> None:
    pool = x[torch.randperm(len(x), generator=generator)[:2048].to(x.device)]
    dead = dead.nonzero()[: len(pool), 0]  # each gets an example of its own; more of them wait for the next time
    if len(dead) == 0:
        return
    error = pool - sae.decode(sae.encode(pool))
    chosen = torch.multinomial(error.pow(2).sum(-1).pow(2).cpu() + 1e-12, len(dead), generator=generator)
    directions = normalize(error[chosen.to(x.device)], dim=-1)
    others = torch.ones_like(sae.b_enc, dtype=torch.bool).index_fill_(0, dead, False)
    alive = sae.w_enc[:, others].norm(dim=0).mean() if others.any() else torch.tensor(1.0)
    sae.w_dec[dead] = directions
    sae.w_enc[:, dead] = directions.T * alive * 0.2  # at full strength, TopK would choose the newcomers everywhere
    sae.b_enc[dead] = 0.0
    for weight, where in ((sae.w_enc, (slice(None), dead)), (sae.b_enc, dead), (sae.w_dec, dead)):
        for moment in ("exp_avg", "exp_avg_sq"):
            optimizer.state[weight][moment][where] = 0.0


@dataclass(frozen=True)
class Match:
    """For each known label the feature that follows it best."""

    feature: list[int]
    correlation: Float[Tensor, " label"]
    chance: float  # the best correlation that any feature has with a label shuffled among the examples, on average


def match(
    features: Float[Tensor, "example feature"], labels: Float[Tensor, "example label"], *, seed: int = 0
) -> Match:
    """Which feature stands for which label of a known truth (0 or 1, or a quantity), by correlation over examples."""
    if len(features) != len(labels) or labels.ndim != 2:
        both = tuple(features.shape), tuple(labels.shape)
        raise ValueError(f"features and labels are {both}; expected (example, ...) twice")

    def standard(table: Tensor) -> Tensor:
        centered = table.detach().double() - table.detach().double().mean(0)
        return centered / centered.norm(dim=0).clamp(min=1e-12)

    best = (standard(labels).T @ standard(features)).max(dim=1)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    control = (standard(labels[order]).T @ standard(features)).amax(1).mean().item()
    return Match(best.indices.tolist(), best.values.float(), control)


def splice(model: Any, sae: SAE, layer: int, *, place: str = "resid_post") -> AbstractContextManager[None]:
    """Let the model go on with the autoencoder's reconstruction instead of its own activations."""
    return edit(model, place, layer, lambda x, at: sae.decode(sae.encode(x)))
