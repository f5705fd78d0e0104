"""A small multilayer network in NumPy, with backpropagation written out by hand.

Everything is there to be read: `forward` computes, `gradients` runs the chain rule backwards, `train` takes steps.
Every array may carry one leading axis of *runs*, one independent network each, so that two hundred networks train as
fast as a few: `@` multiplies the last two axes and leaves the first alone.

The names are those of Rumelhart, Hinton & Williams (1986), https://doi.org/10.1038/323533a0, in today's spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Activation:
    """What a hidden unit does with its input z, and the slope of that, written in terms of its output h."""

    value: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


def sigmoid(z: np.ndarray) -> np.ndarray:
    """The logistic function 1 / (1 + exp(-z)) of a logit: a probability, without overflow at either end."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(np.tanh, lambda h: 1.0 - h * h),
    "sigmoid": Activation(sigmoid, lambda h: h * (1.0 - h)),
    "relu": Activation(lambda z: np.maximum(z, 0.0), lambda h: (h > 0.0).astype(np.float64)),
    "identity": Activation(lambda z: z, np.ones_like),
}


@dataclass(frozen=True)
class Net:
    """The parameters of a network, or of many at once: one weight matrix and one bias vector a layer.

    Gradients have the same shape, so they are a `Net` too. The last layer has no activation: it gives logits.
    """

    weights: tuple[Float[np.ndarray, "*runs d_in d_out"], ...]
    biases: tuple[Float[np.ndarray, "*runs d_out"], ...]
    activation: str = "tanh"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units a layer, the input first: (2, 3, 1) has two inputs, three hidden units, one output."""
        return (self.weights[0].shape[-2], *(w.shape[-1] for w in self.weights))

    @property
    def runs(self) -> int | None:
        """How many networks are held, or None where there is no axis of runs."""
        return self.weights[0].shape[0] if self.weights[0].ndim == 3 else None


@dataclass(frozen=True)
class Training:
    """What `train` leaves: the trained network, and its loss in nats at the steps at which it was noted."""

    net: Net
    steps: np.ndarray  # (notes,)
    losses: np.ndarray  # (notes,) or (notes, runs)


def init(sizes: Sequence[int], seed: int | Sequence[int], *, activation: str = "tanh", scale: float = 1.0) -> Net:
    """A fresh network: weights uniform within ±sqrt(6 / (d_in + d_out)), biases zero.

    The range is that of Glorot & Bengio (2010), https://proceedings.mlr.press/v9/glorot10a.html: it keeps the spread
    of activations and of gradients about the same from layer to layer. Sizes are units a layer, the input first. One
    seed gives one network; several give one each on a leading axis of runs, the same as each would alone.

    Raises:
        ValueError: fewer than two layers of units, a size below 1, no seed, or an unknown activation.
    """
    if len(sizes) < 2 or any(int(size) != size or size < 1 for size in sizes):
        raise ValueError(f"sizes is {tuple(sizes)}; expected at least an input and an output size, as in (2, 3, 1)")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; expected one of {', '.join(ACTIVATIONS)}")
    single = isinstance(seed, (int, np.integer))
    rngs = [np.random.default_rng(s) for s in ([seed] if single else seed)]
    if not rngs:
        raise ValueError("seed is empty; give one whole number, or one for each run")
    weights, biases = [], []
    for d_in, d_out in pairwise(sizes):
        limit = scale * np.sqrt(6.0 / (d_in + d_out))
        weights.append(np.stack([rng.uniform(-limit, limit, (d_in, d_out)) for rng in rngs]))
        biases.append(np.zeros((len(rngs), d_out)))
    net = Net(tuple(weights), tuple(biases), activation)
    return select(net, 0) if single else net


def forward(net: Net, x: Float[np.ndarray, "*runs batch d_in"]) -> list[Float[np.ndarray, "*runs batch units"]]:
    """What every layer puts out: first the input itself, then each hidden layer, last the logits."""
    x = np.asarray(x, dtype=np.float64)
    if x.ndim < 2 or x.shape[-1] != net.sizes[0]:
        raise ValueError(f"x has shape {x.shape}; expected (batch, {net.sizes[0]}), an example a row")
    activate = ACTIVATIONS[net.activation].value
    outputs = [x]
    for layer, (w, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        z = outputs[-1] @ w + b[..., None, :]  # (*runs, batch, units)
        outputs.append(z if layer == len(net.weights) - 1 else activate(z))
    return outputs


def cross_entropy(logits: Float[np.ndarray, "*runs batch d_out"], y: Float[np.ndarray, "batch d_out"]) -> np.ndarray:
    """Mean surprise at the right answers, in nats: -ln p where y is 1 and -ln(1 - p) where it is 0, p = sigmoid(logit).

    y may be a probability between. One loss a run comes back; a single number without an axis of runs.
    """
    return (np.logaddexp(0.0, logits) - y * logits).mean(axis=(-2, -1))


def gradients(
    net: Net, x: Float[np.ndarray, "*runs batch d_in"], y: Float[np.ndarray, "batch d_out"]
) -> tuple[np.ndarray, Net]:
    """The loss (one a run) and its derivative by every weight and bias: one pass forwards, one backwards."""
    outputs = forward(net, x)
    _check_answers(net, outputs[-1], y)
    return cross_entropy(outputs[-1], y), backward(net, outputs, y)


def backward(
    net: Net, outputs: list[Float[np.ndarray, "*runs batch units"]], y: Float[np.ndarray, "batch d_out"]
) -> Net:
    """Backpropagation: the loss's derivative by every weight and bias, from what `forward` returned."""
    slope = ACTIVATIONS[net.activation].slope
    n = outputs[-1].shape[-2] * outputs[-1].shape[-1]
    # Cross-entropy and sigmoid together have the plainest derivative there is: what was said minus what is right.
    d_z = (sigmoid(outputs[-1]) - y) / n  # (*runs, batch, d_out): by the logits
    d_weights, d_biases = [], []
    for layer in reversed(range(len(net.weights))):
        h = outputs[layer]  # what this layer was given
        d_weights.append(np.swapaxes(h, -1, -2) @ d_z)  # z = h @ w: each weight carried h, and is blamed by d_z
        d_biases.append(np.einsum("...bu->...u", d_z))  # a bias carries 1 in every example
        if layer:  # the same blame, sent back along the weights and through the bend of the activation
            d_z = (d_z @ np.swapaxes(net.weights[layer], -1, -2)) * slope(h)
    return Net(tuple(d_weights[::-1]), tuple(d_biases[::-1]), net.activation)


def train(
    net: Net,
    x: Float[np.ndarray, "*runs batch d_in"],
    y: Float[np.ndarray, "batch d_out"],
    *,
    lr: float,
    steps: int,
    every: int = 1,
    frozen: Sequence[int] = (),
    decay: float = 0.0,
) -> Training:
    """Plain gradient descent on all examples at once: every step moves each parameter against its derivative.

    Args:
        every: note the loss each so many steps; the last step is always noted.
        frozen: layers that keep their weights and biases, counted from 0.
        decay: adds decay / 2 times the sum of all squared parameters to what is descended (not to the loss noted).

    Raises:
        ValueError: shapes that do not fit, a learning rate that is not positive, fewer than one step, or a frozen
            layer that does not exist.
    """
    if not lr > 0:
        raise ValueError(f"lr is {lr!r}; expected a positive number")
    if steps < 1 or every < 1:
        raise ValueError(f"steps is {steps!r} and every is {every!r}; expected 1 or more of both")
    if bad := [layer for layer in frozen if layer not in range(len(net.weights))]:
        raise ValueError(f"frozen names layer {bad[0]!r}; this network has layers 0 to {len(net.weights) - 1}")
    moving = [layer for layer in range(len(net.weights)) if layer not in frozen]
    noted_at, losses = [], []
    _check_answers(net, forward(net, x)[-1], y)
    for step in range(steps):
        outputs = forward(net, x)
        if step % every == 0:
            noted_at.append(step)
            losses.append(cross_entropy(outputs[-1], y))
        d = backward(net, outputs, y)
        weights, biases = list(net.weights), list(net.biases)
        for layer in moving:
            weights[layer] = weights[layer] - lr * (d.weights[layer] + decay * weights[layer])
            biases[layer] = biases[layer] - lr * (d.biases[layer] + decay * biases[layer])
        net = replace(net, weights=tuple(weights), biases=tuple(biases))
    noted_at.append(steps)
    losses.append(cross_entropy(forward(net, x)[-1], y))
    return Training(net, np.array(noted_at), np.array(losses))


def select(net: Net, runs: int | Sequence[int] | np.ndarray) -> Net:
    """Some of the networks of a batch, by number or by mask; a single number drops the axis of runs."""
    if net.runs is None:
        raise ValueError("this network has no axis of runs; it is one network already")
    return replace(net, weights=tuple(w[runs] for w in net.weights), biases=tuple(b[runs] for b in net.biases))


def flatten(net: Net) -> Float[np.ndarray, "*runs parameters"]:
    """All parameters of a network in one row: layer by layer, the weights row by row, then the biases."""
    parts = []
    for w, b in zip(net.weights, net.biases, strict=True):
        parts += [w.reshape(*w.shape[:-2], -1), b]
    return np.concatenate(parts, axis=-1)


def unflatten(row: Float[np.ndarray, "*runs parameters"], like: Net) -> Net:
    """The inverse of `flatten`, in the layers of another network of as many parameters."""
    row = np.asarray(row, dtype=np.float64)
    sizes = like.sizes
    expected = sum((d_in + 1) * d_out for d_in, d_out in pairwise(sizes))
    if row.shape[-1] != expected:
        raise ValueError(f"the row has {row.shape[-1]} parameters; a network of sizes {sizes} has {expected}")
    weights, biases, at = [], [], 0
    for d_in, d_out in pairwise(sizes):
        weights.append(row[..., at : at + d_in * d_out].reshape(*row.shape[:-1], d_in, d_out))
        biases.append(row[..., at + d_in * d_out : at + (d_in + 1) * d_out])
        at += (d_in + 1) * d_out
    return replace(like, weights=tuple(weights), biases=tuple(biases))


def hessian(
    net: Net, x: Float[np.ndarray, "*runs batch d_in"], y: Float[np.ndarray, "batch d_out"], *, width: float = 1e-5
) -> Float[np.ndarray, "*runs parameters parameters"]:
    """The second derivatives of the loss, by central differences of `width` (the error is of the order of its square).

    Its eigenvalues tell the kinds of flat points apart: all positive at a minimum, some negative at a saddle.
    """
    row = flatten(net)
    columns = []
    for i in range(row.shape[-1]):
        move = np.zeros(row.shape[-1])
        move[i] = width
        after, before = (flatten(gradients(unflatten(row + sign * move, net), x, y)[1]) for sign in (1, -1))
        columns.append((after - before) / (2 * width))
    full = np.stack(columns, axis=-1)
    return 0.5 * (full + np.swapaxes(full, -1, -2))  # it is symmetric: rounding is not


def _check_answers(net: Net, logits: np.ndarray, y: np.ndarray) -> None:
    if np.shape(y) != logits.shape[-2:]:
        raise ValueError(f"y has shape {np.shape(y)}; expected {logits.shape[-2:]}: (examples, outputs)")
