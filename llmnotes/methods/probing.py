"""What a linear classifier can read from activations, set against what it could read anyway.

A probe that does well shows that the information is there, not that the model uses it. And a flexible probe does well
on anything, so every score comes with its controls: the majority class, the same probe on shuffled labels, and the same
probe on an untrained model. To test use, erase what the probe found and look at the output.

**What scaling does to a direction.** Let d be the difference of two class means. A logistic regression under a strong
penalty points along d in the units in which it is fitted. On activations as they are, its direction is d. On
standardised ones (each dimension divided by its spread s) it is d / s**2 in the old units, and where activations are
whitened (linear discriminant analysis) it is C**-1 d, with their covariance C. All three read well, and can be nearly
orthogonal to each other. Projected out of the activations as they are, only d takes the difference of the means away.
So erase in the units in which the probe was fitted, or use LEACE (Belrose et al. 2023).

Examples:
    >>> import torch
    >>> from llmnotes.methods.probing import erase, probe
    >>> generator = torch.Generator().manual_seed(0)
    >>> labels = torch.arange(200) % 2
    >>> told = torch.randn(200, 8, generator=generator) + 3 * labels[:, None] * torch.eye(8)[0]
    >>> result = probe(told, labels)
    >>> result.accuracy > 0.85, result.majority, result.shuffled < 0.7
    (True, 0.5, True)
    >>> probe(erase(told, result.directions), labels).accuracy < 0.7
    True
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from torch import Tensor

from llmnotes.methods.giants import giants, say_giants
from llmnotes.model.inputs import Inputs
from llmnotes.model.tracing import trace


@dataclass(frozen=True)
class Probe:
    """A probe's accuracy on held-out data beside its controls, and the directions it reads.

    Accuracy less `shuffled` is not the selectivity of Hewitt and Liang (2019, "Designing and Interpreting Probes with
    Control Tasks"), whose control gives each word *type* one random label: fit a second probe on such labels for that.
    """

    accuracy: float
    majority: float  # always naming the most frequent class
    shuffled: float  # the same probe, trained and scored on labels shuffled among the examples
    directions: Float[Tensor, "class d"]  # unit vectors; one for two classes
    classes: list[Any]
    n_train: int
    n_test: int


def probe(
    x: Float[Tensor, "example d"],
    labels: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    test_share: float = 0.3,
    strength: float = 1.0,
    standardise: bool = True,
    seed: int = 0,
) -> Probe:
    """Fit a logistic regression and score it on examples that it has not seen.

    Args:
        x: activations, one row an example. Giant vectors among them are a warning (`llmnotes.methods.giants`).
        groups: which text (say) each row comes from; a group is never split between training and test data.
        strength: scikit-learn's C, the inverse of the penalty.
        standardise: divide each dimension by its own spread before the fit; if not, all by the same number. See above.

    Returns:
        The probe. Its directions are in the units of x: weights w that were fitted on x / s point along w / s.

    Raises:
        ValueError: x is no table, labels of another length, fewer than two classes, NaN, or a split that leaves a
            class out of the training data or one class in the test data. Fewer classes there are a warning.
    """
    x = torch.as_tensor(x).detach().double().cpu().numpy()
    y = np.asarray(torch.as_tensor(labels).cpu() if isinstance(labels, torch.Tensor) else labels)
    if x.ndim != 2 or y.shape != (len(x),):
        raise ValueError(f"x has shape {x.shape} and labels {y.shape}; expected (example, d) and (example,)")
    if not np.isfinite(x).all():
        raise ValueError("x holds NaN or infinite values; look at the activations before probing them")
    say_giants(giants(torch.from_numpy(x)), "they decide the scale of that dimension; leave their rows out (`giants`)")
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2 or counts.min() < 2:
        raise ValueError(f"classes {classes.tolist()[:9]} have {counts.tolist()[:9]} examples; need two of each")
    train, test = _split(y, None if groups is None else np.asarray(groups), test_share, seed)
    if missing := np.setdiff1d(classes, y[train]).tolist():
        raise ValueError(f"the training data lacks classes {missing}; change seed or groups")
    if missing := np.setdiff1d(classes, y[test]).tolist():
        told = f"the test data, {len(test)} rows, lacks classes {missing}: groups decide what is held out"
        if len(classes) - len(missing) < 2:
            raise ValueError(f"{told}, and an accuracy on one class says nothing; change seed, test_share or groups")
        warnings.warn(f"{told}; the accuracy speaks of the other classes alone", stacklevel=2)
    center, scale = x[train].mean(0), x[train].std(0)
    if not standardise:
        scale = np.full_like(scale, np.sqrt((scale**2).mean()))
    # What is left of an erased direction is rounding; scaled up to one it could be read again.
    scale[scale < 1e-5 * scale.max()] = np.inf
    scaled = (x - center) / scale
    fitted = _fit(scaled[train], y[train], strength)
    mixed = np.random.default_rng(seed).permutation(y)
    names, often = np.unique(y[train], return_counts=True)
    weights = fitted.coef_ / scale
    return Probe(
        accuracy=fitted.score(scaled[test], y[test]),
        majority=float((y[test] == names[often.argmax()]).mean()),
        shuffled=_fit(scaled[train], mixed[train], strength).score(scaled[test], mixed[test]),
        directions=torch.tensor(weights / np.linalg.norm(weights, axis=1, keepdims=True), dtype=torch.float32),
        classes=classes.tolist(),
        n_train=len(train),
        n_test=len(test),
    )


def activations(
    model: Any,
    inputs: Inputs,
    place: str = "resid_post",
    *,
    positions: Sequence[int] | None = None,
    layers: int | Sequence[int] | None = None,
    rows: int | None = None,
) -> Float[Tensor, "layer example d"]:
    """Activations as probes read them: rows of all the real tokens, or of one position of each text.

    Args:
        place: where; heads are put side by side.
        positions: for each text the position to read; without, every token is a row, text after text.

    Raises:
        ValueError: not one position for each text.
        IndexError: a position at which a text has no token.
    """
    seen = trace(model, inputs, [place], layers=layers, rows=rows)
    stacked = seen.stack(place).flatten(3)  # (layer, batch, pos, d)
    if positions is None:
        return stacked[:, seen.mask]
    if len(positions) != len(seen.tokens):
        raise ValueError(f"got {len(positions)} positions for {len(seen.tokens)} texts; expected one for each")
    lengths = seen.mask.sum(-1).tolist()
    for text, (position, length) in enumerate(zip(positions, lengths, strict=True)):
        if not -length <= position < length:
            raise IndexError(f"position {position} of text {text}, which has {length} tokens")
    at = [p % n for p, n in zip(positions, lengths, strict=True)]
    return stacked[:, range(len(at)), at]


def erase(x: Float[Tensor, "*batch d"], directions: Float[Tensor, "k d"]) -> Float[Tensor, "*batch d"]:
    """Project directions out of activations, so that nothing linear can be read along them.

    What lies in other directions stays, and with it what a new probe may read. To probe and erase in turn until nothing
    is read is INLP (Ravfogel et al. 2020, "Null It Out"). While the model runs:
    `edit(model, "resid_post", 3, lambda x, at: erase(x, directions))`.

    Directions are one vector (d) or several (k, d), of any length, not necessarily orthogonal. Raises ValueError where
    they have another width than the activations.
    """
    directions = torch.atleast_2d(directions).to(x.device, torch.promote_types(x.dtype, torch.float32))
    if directions.size(-1) != x.size(-1):
        raise ValueError(f"directions are {directions.size(-1)} wide, activations {x.size(-1)}; expected the same")
    # The right singular vectors of directions that count are an orthonormal basis of what they span.
    _, size, basis = torch.linalg.svd(directions, full_matrices=False)
    basis = basis[size > 1e-6 * size.max()]
    return (x - (x.to(basis) @ basis.T) @ basis).to(x.dtype)


def _fit(x: np.ndarray, y: np.ndarray, strength: float) -> Any:
    return LogisticRegression(C=strength, max_iter=1000).fit(x, y)


def _split(y: np.ndarray, groups: np.ndarray | None, test_share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    if groups is None:
        return train_test_split(np.arange(len(y)), test_size=test_share, random_state=seed, stratify=y)
    if groups.shape != y.shape:
        raise ValueError(f"got {groups.shape} groups for {y.shape} labels; expected one for each row")
    _, test = train_test_split(np.unique(groups), test_size=test_share, random_state=seed)
    held_out = np.isin(groups, test)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
