"""Attention of all heads of a model in one picture.

Examples:
    >>> import torch
    >>> fig = attention_maps(torch.eye(3).expand(2, 4, 3, 3))  # every word looks at itself
    >>> len(fig.axes[0].images)
    8
"""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from llmnotes.lab.plots import INK, SEQUENTIAL, WIDTH, subplots

GAP = 0.12  # between maps, as a share of a map


def attention_maps(patterns: ArrayLike, *, width: float = WIDTH) -> Figure:
    """Draw a small map for each head: layers below each other, heads side by side, shaded by the root of the weight.

    Patterns are (layer, head, query, key), such as `seen.stack("pattern")[:, 0]`; the width is in inches.

    Raises:
        ValueError: another shape, or weights that are none: scores from before the softmax, for instance.
    """
    values = torch.as_tensor(patterns).detach().cpu().double().numpy()
    if values.ndim != 4 or values.shape[2] != values.shape[3]:
        raise ValueError(f"patterns has shape {values.shape}; expected (layer, head, query, key) of one text")
    if not (values >= -1e-6).all() or np.abs(values.sum(-1) - 1).max() > 2e-3:
        raise ValueError("patterns has rows that are not weights from 0 to 1 that sum to 1, as a softmax gives them")
    layers, heads = values.shape[:2]
    fig, ax = subplots(width=width, height=width * layers / heads + 0.3)
    step = 1 + GAP
    for layer in range(layers):
        for head in range(heads):
            x, y = head * step, layer * step
            ax.imshow(
                np.sqrt(values[layer, head].clip(0, 1)),
                vmin=0,
                vmax=1,
                cmap=SEQUENTIAL,
                extent=(x, x + 1, y + 1, y),
                interpolation="none",
            )
            ax.plot((x, x, x + 1, x), (y, y + 1, y + 1, y), color=INK, linewidth=0.5)
    ax.set(xlim=(-0.02, heads * step - GAP), ylim=(layers * step - GAP + 0.02, -0.02), aspect="equal")
    ax.set_xticks([head * step + 0.5 for head in range(heads)], [f"H{head}" for head in range(heads)])
    ax.set_yticks([layer * step + 0.5 for layer in range(layers)], [f"L{layer}" for layer in range(layers)])
    ax.tick_params(length=0)
    ax.xaxis.tick_top()
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return fig
