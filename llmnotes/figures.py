"""The pictures that labs draw, in the notebook's style; each function returns a matplotlib figure.

>>> import torch
>>> from llmnotes.figures import attention, tokens_html
>>> fig = attention(torch.eye(3), ["a", "b", "c"])
>>> len(fig.axes)  # the map and its colour bar
2
>>> print(tokens_html(["once", " upon"], [0.0, 1.5], label="surprise", unit="nats")[:45])
<figure class="tokens" role="group" aria-labe
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from llmnotes.plots import COLOURS, DIVERGING, INK, MUTED, SEQUENTIAL, subplots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from llmnotes.heads import Scores
    from llmnotes.lens import Shares
    from llmnotes.patching import Sweep

__all__ = ["attention", "embeddings", "head_scores", "lens_table", "losses", "patching_map", "shares", "tokens_html"]


def _array(values: Any) -> np.ndarray:
    return (
        values.detach().cpu().float().numpy() if isinstance(values, torch.Tensor) else np.asarray(values, dtype=float)
    )


def _word(token: str) -> str:
    return token.replace("\n", "⏎").replace(" ", "·") or "∅"


def _map(
    values: np.ndarray, *, rows: Sequence, columns: Sequence, axes: tuple[str, str], label: str, signed: bool
) -> Figure:
    """A table of numbers as colours: centred at zero if they have a sign."""
    width = min(7.2, 2.2 + 0.42 * values.shape[1])
    fig, ax = subplots(width=width, height=min(7.0, 1.5 + 0.36 * values.shape[0]))
    most = float(np.nanmax(np.abs(values))) or 1.0
    limits = (
        {"vmin": -most, "vmax": most, "cmap": DIVERGING} if signed else {"vmin": 0, "vmax": most, "cmap": SEQUENTIAL}
    )
    image = ax.imshow(values, aspect="auto", **limits)
    ax.grid(False)
    ax.set_yticks(range(len(rows)), rows)
    upright = all(len(str(c)) <= 3 for c in columns)
    ax.set_xticks(range(len(columns)), columns, rotation=0 if upright else 60, ha="center" if upright else "right")
    ax.set_ylabel(axes[0])
    ax.set_xlabel(axes[1])
    fig.colorbar(image, ax=ax, label=label)
    return fig


def attention(pattern: ArrayLike, words: Sequence[str], *, title: str = "") -> Figure:
    """One head's attention: each row is a token that looks, each column one that is looked at.

    Args:
        pattern: (query, key), such as `seen["pattern", 3][0, 2]`.
        words: the tokens.
        title: what the figure says.

    Raises:
        ValueError: not one word for each row and column.
    """
    values = _array(pattern)
    if values.shape != (len(words), len(words)):
        raise ValueError(
            f"the pattern has shape {values.shape} for {len(words)} words; expected one head: (query, key)"
        )
    shown = [_word(w) for w in words]
    axes = ("the token that looks", "the token looked at")
    fig = _map(values, rows=shown, columns=shown, axes=axes, label="attention", signed=False)
    fig.axes[0].set_title(title)
    return fig


def lens_table(log_probs: ArrayLike, words: Sequence[str], decode: Any, *, title: str = "") -> Figure:
    """The likeliest next token after each layer, coloured by its probability.

    Args:
        log_probs: (step, pos, vocab), from `logit_lens(...)[:, 0]`.
        words: the tokens read.
        decode: turns an id into text, such as `lambda i: model.tokenizer.decode([i])`.
        title: what the figure says.

    Raises:
        ValueError: not one word for each position.
    """
    values = _array(log_probs)
    if values.ndim != 3 or values.shape[1] != len(words):
        raise ValueError(
            f"log_probs has shape {values.shape} for {len(words)} words; expected (step, pos, vocab) of one text"
        )
    best, chance = values.argmax(-1), np.exp(values.max(-1))
    steps = ["embedding", *(f"layer {i}" for i in range(len(values) - 1))]
    axes = ("prediction after", "the token read")
    fig = _map(chance, rows=steps, columns=[_word(w) for w in words], axes=axes, label="probability", signed=False)
    fig.set_size_inches(min(11, 2.4 + 0.75 * len(words)), 1.6 + 0.36 * len(values))
    most = chance.max()
    for step in range(len(values)):
        for position in range(len(words)):
            ink = "#ffffff" if chance[step, position] > 0.55 * most else INK
            text = _word(decode(int(best[step, position])))[:9]
            fig.axes[0].text(position, step, text, ha="center", va="center", fontsize=8, color=ink)
    fig.axes[0].set_title(title)
    return fig


def patching_map(sweep: Sweep, *, title: str = "") -> Figure:
    """How far each patch restores the metric: 0 is the run that was patched, 1 the run patched in.

    Args:
        sweep: by layer and position, or by layer and head.
        title: what the figure says.

    Raises:
        ValueError: a sweep with other axes.
    """
    if len(sweep.axes) != 2:
        raise ValueError(f"the sweep has axes {sweep.axes}; a map needs two: choose one position or head first")
    across = sweep.index[sweep.axes[1]]
    by_position = sweep.axes[1] == "position"
    columns = [_word(sweep.words[i]) for i in across] if by_position else across
    axes = ("layer", "token" if by_position else "head")
    values = _array(sweep.restored)
    fig = _map(values, rows=sweep.index["layer"], columns=columns, axes=axes, label="restored", signed=True)
    fig.axes[0].set_title(title)
    return fig


def head_scores(scores: Scores, *, title: str = "") -> Figure:
    """A score for each head, with its chance level on the colour bar.

    Args:
        scores: by layer and head, from `llmnotes.heads`.
        title: what the figure says.
    """
    values = _array(scores.values)
    signed = bool((values < 0).any())
    layers, heads = range(values.shape[0]), range(values.shape[1])
    fig = _map(values, rows=layers, columns=heads, axes=("layer", "head"), label=scores.name, signed=signed)
    fig.axes[0].set_title(title)
    bar = fig.axes[1]
    bar.axhline(scores.chance, color=COLOURS[1], linewidth=2)
    bar.set_ylabel(f"{scores.name} (line: chance, {scores.chance:.2g})")
    return fig


def shares(shares: Shares, *, n: int = 12, title: str = "") -> Figure:
    """The parts that wrote most towards a logit, or against it.

    Args:
        shares: from `llmnotes.lens.direct_logit_attribution`.
        n: how many parts; the rest is one bar.
        title: what the figure says.
    """
    values = _array(shares.values)
    order = np.argsort(-np.abs(values))[:n]
    names, sizes = [shares.names[i] for i in order], values[order]
    rest = values.sum() - sizes.sum()
    if len(values) > n:
        names, sizes = [*names, f"{len(values) - n} others"], np.append(sizes, rest)
    fig, ax = subplots(height=1.2 + 0.27 * len(names))
    ax.barh(range(len(names)), sizes, color=[COLOURS[0] if s >= 0 else COLOURS[1] for s in sizes])
    ax.axvline(0, color=MUTED, linewidth=1)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlabel(f"logits added (all parts: {shares.total:.2f})")
    ax.set_title(title)
    return fig


def losses(
    curves: Mapping[str, ArrayLike], *, steps: ArrayLike | None = None, floor: float | None = None, title: str = ""
) -> Figure:
    """Loss over training, with the lowest that can be reached if it is known.

    Args:
        curves: losses in nats per token, by name.
        steps: at which step each was measured; 0, 1, 2, ... if not given.
        floor: the entropy that no model can beat.
        title: what the figure says.
    """
    fig, ax = subplots()
    for name, values in curves.items():
        y = _array(values)
        ax.plot(np.arange(len(y)) if steps is None else _array(steps), y, label=name)
    if floor is not None:
        ax.axhline(floor, color=MUTED, linestyle="--", label=f"floor {floor:.2f}")
    ax.set_xlabel("step")
    ax.set_ylabel("loss (nats per token)")
    ax.set_title(title)
    ax.legend()
    return fig


def embeddings(
    vectors: ArrayLike, words: Sequence[str], *, groups: Sequence[str] | None = None, title: str = ""
) -> Figure:
    """Vectors on the plane that shows most of their variance (PCA), with its share on the axes.

    Args:
        vectors: (word, d).
        words: a label for each.
        groups: a group for each, shown by colour and in the legend.
        title: what the figure says.

    Raises:
        ValueError: not one label (and group) for each vector.
    """
    x = _array(vectors)
    if x.ndim != 2 or len(x) != len(words) or (groups is not None and len(groups) != len(words)):
        raise ValueError(
            f"vectors have shape {x.shape} for {len(words)} words; expected (word, d), a group for each if any"
        )
    centered = x - x.mean(0)
    u, size, _ = np.linalg.svd(centered, full_matrices=False)
    flat, share = u[:, :2] * size[:2], size**2 / (size**2).sum()
    fig, ax = subplots(height=4.5)
    kinds = list(dict.fromkeys(groups)) if groups is not None else [None]
    for i, kind in enumerate(kinds):
        mine = [j for j in range(len(words)) if kind is None or groups[j] == kind]
        ax.scatter(flat[mine, 0], flat[mine, 1], color=COLOURS[i % len(COLOURS)], label=kind)
    for (left, up), word in zip(flat, words, strict=True):
        ax.annotate(_word(word), (left, up), xytext=(4, 3), textcoords="offset points", fontsize=9)
    ax.set_xlabel(f"first component ({share[0]:.0%} of the variance)")
    ax.set_ylabel(f"second component ({share[1]:.0%})")
    ax.set_title(title)
    if groups is not None:
        ax.legend()
    return fig


def tokens_html(words: Sequence[str], values: ArrayLike, *, label: str, unit: str = "") -> str:
    """A text whose tokens are coloured by a value, as HTML that needs no colour to be read.

    Each token names its value to a screen reader and on hovering; the strongest are underlined as well, so that nothing
    rests on colour alone. Colours are transparent, and so do for light and dark pages.

    Args:
        words: the tokens.
        values: one each; negative ones are orange, the others blue.
        label: what the value is.
        unit: its unit.

    Raises:
        ValueError: not one value for each word.
    """
    numbers = _array(values)
    if numbers.shape != (len(words),):
        raise ValueError(f"got {numbers.shape} values for {len(words)} words; expected one each")
    most = float(np.abs(numbers).max(initial=0)) or 1.0
    marks = []
    for word, value in zip(words, numbers, strict=True):
        strength = abs(value) / most
        colour = "11, 98, 168" if value >= 0 else "196, 80, 10"
        style = f"background: rgba({colour}, {0.6 * strength:.2f});"
        style += " text-decoration: underline;" if strength > 0.66 else ""
        said = f"{value:.2f} {unit}".strip()
        shown = escape(word).replace("\n", "⏎<br>")
        marks.append(
            f'<span style="{style}" title="{escape(label)} {said}">{shown}<span style="position: absolute; width: 1px; '
            f'height: 1px; overflow: hidden; clip-path: inset(50%);"> ({said}) </span></span>'
        )
    caption = f"{escape(label)}{f' in {escape(unit)}' if unit else ''}, from {numbers.min():.2f} to {numbers.max():.2f}"
    body = f'<p style="line-height: 1.9; white-space: pre-wrap;">{"".join(marks)}</p>'
    return (
        f'<figure class="tokens" role="group" aria-label="{caption}">{body}<figcaption>{caption}</figcaption></figure>'
    )
