"""Attention that a reader can walk through: a figure for print, and its numbers for the page's explorer.

>>> import torch
>>> from llmnotes.lab.explore import attention
>>> patterns = torch.eye(3).expand(2, 4, 3, 3)  # (layer, head, query, key): every token looks at itself
>>> attention(["once", " upon", " a"], patterns, name="looks", alt="Every token looks at itself.")
figure looks: 691 × 413, 1 arrays
attention looks: 8 heads, 3 tokens, 72 bytes
"""

from __future__ import annotations

import base64
import json
import math
import os
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from llmnotes.lab.figures import figure
from llmnotes.lab.plots import SEQUENTIAL, subplots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

__all__ = ["attention"]

LIMIT = 30_000  # characters of weights: a third of what a lab's whole page may weigh
DRAWN = 8  # heads in the figure


def attention(
    tokens: Sequence[str],
    patterns: ArrayLike,
    *,
    name: str,
    alt: str,
    caption: str = "",
    heads: Sequence[tuple[int, int]] | None = None,
    start: tuple[int, int, int] | None = None,
    rtol: float | None = None,
    because: str | None = None,
) -> None:
    """Put the attention of some heads on one text on the page, as a figure and for the reader's own exploring.

    The figure shows up to eight heads. On screen an explorer takes its place (`docs/assets/attention.js`): tokens and
    heads are chosen with mouse, finger or arrow keys. Weights reach it as whole per cents, and so does their mean over
    heads. In a script or a notebook of your own, only the figure is made.

    Args:
        tokens: the text, a string for each place.
        patterns: (layer, head, query, key), such as `seen.stack("pattern")[:, 0]`. Rows sum to one, and no token looks
            at a later one.
        name: of the figure, as in `llmnotes.lab.figures.figure`.
        alt: what the figure shows, the message first.
        caption: one or two sentences, under figure and explorer.
        heads: pairs (layer, head): only these; by default all.
        start: (layer, head, query): what the explorer shows first. By default, the head and the query with the most
            weight on one token between the first and its own.
        rtol: how far a weight may move, as a share of their range; see `llmnotes.lab.figures.figure`.
        because: why that far.

    Raises:
        TypeError: a token is not a string.
        ValueError: shapes that do not fit, rows that are no causal attention, an unknown head, or more than a page can
            carry.
    """
    where = f"attention({name!r})"
    tokens = list(tokens)
    values = _checked(where, tokens, _array(patterns))
    pairs = _chosen(where, heads, values.shape[:2])
    values = np.stack([values[pair] for pair in pairs])  # (head, query, key)
    packed = _packed(where, values)
    sharp = _sharpness(values)  # (head, query)
    at = _start(where, start, pairs, sharp)

    order = np.argsort(-sharp.mean(1), kind="stable").tolist()
    order.remove(at[0])
    drawn = sorted([at[0], *order][:DRAWN])  # the first one shown is in the figure, too
    if len(drawn) < len(pairs):
        caption += (
            f" The figure shows the {len(drawn)} of {len(pairs)} heads that look most sharply past the first token."
        )
    fig = _multiples([_word(token)[:10] for token in tokens], values[drawn], [pairs[i] for i in drawn])
    figure(fig, name=name, alt=alt, caption=caption, data={"patterns": values}, rtol=rtol, because=because)

    line = f"attention {name}: {len(pairs)} heads, {len(tokens)} tokens, {len(packed)} bytes"
    if "LLMNOTES_RUN" in os.environ:
        from IPython.display import publish_display_data

        publish_display_data({"text/markdown": _element(name, tokens, pairs, packed, at), "text/plain": line})
    else:
        print(line)


def _checked(where: str, tokens: list[str], values: np.ndarray) -> np.ndarray:
    """Attention as an array of (layer, head, query, key), or an error that says what it is instead."""
    for i, token in enumerate(tokens):
        if not isinstance(token, str):
            raise TypeError(
                f"{where}: tokens[{i}] is {token!r} ({type(token).__name__}); expected text: decode ids first"
            )
    if values.ndim != 4 or not values.size:
        raise ValueError(
            f"{where}: patterns has shape {values.shape}; expected (layer, head, query, key) of one text, such as "
            "seen.stack('pattern')[:, 0]"
        )
    n = len(tokens)
    if values.shape[2:] != (n, n):
        raise ValueError(
            f"{where}: patterns has shape {values.shape} for {n} tokens; expected (layer, head, {n}, {n}): a token for "
            "each place"
        )

    def at(wrong: np.ndarray) -> tuple[str, tuple[int, ...]]:
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        return f"{where}: head {first[0]}.{first[1]}, query {first[2]}", first

    if (wrong := ~(values >= -1e-6)).any():  # NaN is not, either
        place, first = at(wrong)
        raise ValueError(
            f"{place}: a weight is {values[first]:g}; expected 0 to 1: are these scores from before the softmax?"
        )
    sums = values.sum(-1)
    if (wrong := np.abs(sums - 1) > 2e-3).any():
        place, first = at(wrong)
        raise ValueError(
            f"{place}: the weights sum to {sums[first]:.4g}; expected 1: are these scores from before the softmax, or "
            "is a part of the text cut off?"
        )
    later = np.triu(np.ones((n, n), bool), 1)
    if (wrong := (values > 1e-3) & later).any():
        place, first = at(wrong)
        raise ValueError(
            f"{place}: {values[first]:.3g} of the weight is on a later token, {first[3]}; expected none: the explorer "
            "shows models that read from left to right"
        )
    return values


def _chosen(where: str, heads: Sequence[tuple[int, int]] | None, shape: tuple[int, int]) -> list[tuple[int, int]]:
    there = [(layer, head) for layer in range(shape[0]) for head in range(shape[1])]
    if heads is None:
        return there
    chosen = [tuple(pair) for pair in heads]
    if unknown := [pair for pair in chosen if pair not in there]:
        raise ValueError(f"{where}: heads holds {unknown[0]}; expected pairs (layer, head) from (0, 0) to {there[-1]}")
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"{where}: heads is {chosen}; expected at least one pair (layer, head), none of them twice")
    return sorted(chosen)


def _start(where: str, start: tuple[int, int, int] | None, pairs: list, sharp: np.ndarray) -> tuple[int, int]:
    """Which of the chosen heads and which query the explorer shows first."""
    if start is None:
        head = int(sharp.mean(1).argmax())
        return head, int(sharp[head].argmax())
    *pair, query = start
    if tuple(pair) not in pairs or not 0 <= query < sharp.shape[1]:
        raise ValueError(
            f"{where}: start is {tuple(start)}; expected (layer, head, query) with one of the {len(pairs)} heads shown "
            f"and a query from 0 to {sharp.shape[1] - 1}"
        )
    return pairs.index(tuple(pair)), query


def _packed(where: str, values: np.ndarray) -> str:
    """Whole per cents on and below the diagonal, a byte each: row by row, head by head, and the mean of all last."""
    heads, n = values.shape[:2]
    size = 4 * math.ceil((heads + 1) * n * (n + 1) // 2 / 3)
    if size > LIMIT:
        fits = next((m for m in range(n, 0, -1) if 4 * math.ceil((heads + 1) * m * (m + 1) // 2 / 3) <= LIMIT), 0)
        some = max(0, LIMIT * 3 // 4 // (n * (n + 1) // 2) - 1)
        ways = [f"a text of {fits} tokens"] if fits else []
        ways += [f"{some} of the heads (heads=[(layer, head), …])"] if some else []
        raise ValueError(
            f"{where}: {heads} heads on {n} tokens make {size:,} characters, and a page can carry {LIMIT:,}: take at "
            f"most {' or '.join(ways)}"
        )
    rows, columns = np.tril_indices(n)
    lower = np.concatenate([values, values.mean(0, keepdims=True)])[:, rows, columns]
    return base64.b64encode(np.rint(100 * lower.clip(0, 1)).astype(np.uint8).tobytes()).decode()


def _sharpness(values: np.ndarray) -> np.ndarray:
    """The most weight that a query puts on one token behind the first and before itself: (head, query)."""
    between = np.tril(np.ones(values.shape[1:]), -1)
    between[:, 0] = 0
    return (values * between).max(-1)


def _element(name: str, tokens: list[str], pairs: list, packed: str, at: tuple[int, int]) -> str:
    """What the script finds: an empty element behind the figure; Markdown and search leave attributes alone."""
    data = {
        "figure": name,
        "tokens": json.dumps(tokens, ensure_ascii=False, separators=(",", ":")),
        "heads": " ".join(f"{layer}.{head}" for layer, head in pairs),
        "start": f"{at[0]} {at[1]}",
        "weights": packed,
    }
    attributes = "".join(f' data-{key}="{_inert(value)}"' for key, value in data.items())
    return f'<div class="attention-explorer" hidden{attributes}></div>'


def _inert(text: str) -> str:
    """Text for an attribute in which neither Markdown nor the pages' `{{ calls }}` find anything to do."""
    return "".join(f"&#{ord(c)};" if c in "{}[]*_`\\$^~:|!#" else escape(c) for c in text)


def _multiples(words: list[str], values: np.ndarray, pairs: list[tuple[int, int]]) -> Figure:
    """A small map for each head, layers below each other where they fit; words as large as text in a caption."""
    by_layer = [sum(layer == one for one, _ in pairs) for layer in sorted({layer for layer, _ in pairs})]
    columns = by_layer[0] if len(set(by_layer)) == 1 and by_layer[0] <= 4 else min(4, len(pairs))
    columns = min(4, len(pairs)) if columns == 1 else columns  # one head a layer: side by side
    rows = math.ceil(len(pairs) / columns)
    side = min(2.6, 5.6 / columns)  # of a map, in inches
    width = min(7.2, columns * side + 1.8)
    fig, axes = subplots(rows, columns, width=width, height=rows * (side + 0.3) + 0.9, squeeze=False)
    step = math.ceil(len(words) * 0.15 / side)  # 9 points and a gap for each word that is shown
    upper = np.triu(np.ones(values.shape[1:], bool), 1)
    ticks = range(0, len(words), step)
    flat = all(len(words[i]) <= 1 for i in ticks)
    for i, ax in enumerate(axes.flat):
        if i >= len(pairs):
            ax.set_axis_off()
            continue
        shown = np.ma.masked_array(values[i], upper)
        image = ax.imshow(shown, vmin=0, vmax=1, cmap=SEQUENTIAL, interpolation="none")
        ax.grid(False)
        ax.set_title("head {}.{}".format(*pairs[i]), fontsize=10)
        ax.set_xticks(ticks, [words[j] for j in ticks] if i + columns >= len(pairs) else [], rotation=0 if flat else 90)
        ax.set_yticks(ticks, [words[j] for j in ticks] if i % columns == 0 else [])
        ax.tick_params(labelsize=9, bottom=False, left=False)
    fig.supylabel("the token that looks", fontsize=10)
    fig.supxlabel("the token looked at", fontsize=10)
    fig.colorbar(image, ax=axes, label="attention", shrink=min(1.0, 1.5 / rows), aspect=24)
    return fig


def _array(values: Any) -> np.ndarray:
    return (
        values.detach().cpu().float().numpy() if isinstance(values, torch.Tensor) else np.asarray(values, dtype=float)
    )


def _word(token: str) -> str:
    return token.replace("\n", "⏎").replace(" ", "·") or "∅"
