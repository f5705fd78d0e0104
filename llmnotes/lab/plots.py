"""How figures look: one palette for the whole notebook, legible in light and dark, safe for colour-blind readers.

Draw with matplotlib as usual, starting from `subplots`. Colours come from `COLOURS`, `SEQUENTIAL` and `DIVERGING`;
`llmnotes.lab.svg` writes them by the names that the page's styles know for light and dark. `label_lines` puts a line's
label at its end, instead of in a legend.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import matplotlib.text
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

# What each colour is called in the page's styles, which know it for light and dark; these are the light ones. Text and
# the first five keep a contrast of at least 4.5 (3 for orange) with the paper.
INK, MUTED, GRID, PAPER = "#1b1f24", "#5c636d", "#dfdbd1", "#fcfbf8"
COLOURS = ("#0b62a8", "#c4500a", "#0a7d6c", "#8f3fa8", "#8a6500", MUTED)  # blue, orange, green, purple, ochre, grey
VARIABLES = {
    INK: "--ink",
    MUTED: "--grey",
    GRID: "--rule",
    PAPER: "--paper",
    **dict(zip(COLOURS, ("--blue", "--orange", "--green", "--purple", "--ochre", "--grey"), strict=True)),
}


def _colour_map(name: str, *colours: tuple[str, float]) -> LinearSegmentedColormap:
    colour_map = LinearSegmentedColormap.from_list(name, [to_rgba(*colour) for colour in colours])
    if name not in mpl.colormaps:
        mpl.colormaps.register(colour_map)
    return colour_map


# Nothing is transparent rather than white, so that one picture lies on light and on dark paper.
SEQUENTIAL = _colour_map("llmnotes_sequential", ("#2f7fbd", 0), ("#2f7fbd", 1))
DIVERGING = _colour_map("llmnotes_diverging", ("#d0661c", 1), ("#d0661c", 0), ("#2f7fbd", 0), ("#2f7fbd", 1))

WIDTH, NARROW = 6.1, 3.65  # inches: a page's column, and a phone's

STYLE: dict[str, Any] = {
    "font.size": 10,  # 13 pixels
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "image.cmap": SEQUENTIAL.name,
    "image.interpolation": "none",
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 2,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    # Letters rather than their outlines: a third of the bytes. The layout is made for DejaVu, which is wide.
    "svg.fonttype": "none",
}


def subplots(rows: int = 1, columns: int = 1, *, width: float = WIDTH, height: float = 3.2, **kwargs: Any) -> tuple:
    """`matplotlib.pyplot.subplots` in the notebook's style; width (by default a page's column) and height in inches."""
    plt.rcParams.update(STYLE)
    return plt.subplots(rows, columns, figsize=(width, height), **kwargs)


def literal_dollars(fig: Figure) -> None:
    """Show dollar signs in words as they are: matplotlib would read tokens such as "a$b$c" as formulas.

    Tick labels and free texts are always words; titles, labels and legends are formulas where TeX is between dollars.
    """
    given = ("FixedFormatter", "FuncFormatter", "StrCategoryFormatter")
    words = {text for ax in fig.axes for text in ax.texts}
    for ax in fig.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if type(axis.get_major_formatter()).__name__ in given:
                words |= {label for tick in axis.get_major_ticks() for label in (tick.label1, tick.label2)}
                words |= set(axis.get_ticklabels())
    for text in words:
        text.set_parse_math(False)
    for text in fig.findobj(mpl.text.Text):
        if "$" in text.get_text() and text not in words and not re.search(r"\$[^$]*[\\^_{][^$]*\$", text.get_text()):
            text.set_parse_math(False)


def label_lines(ax: Axes) -> None:
    """Write each labelled line's label at its right end, in its colour; labels that would touch move apart.

    The lines must be drawn and the limits of the axes set.
    """
    lines = [line for line in ax.lines if not line.get_label().startswith("_") and len(line.get_xdata())]
    if not lines:
        return
    ends = np.array([ax.transData.transform((line.get_xdata()[-1], line.get_ydata()[-1]))[1] for line in lines])
    line_height = 1.25 * mpl.rcParams["legend.fontsize"] * ax.figure.dpi / 72
    places = _apart(ends, line_height)
    for line, end, place in zip(lines, ends, places, strict=True):
        ax.annotate(
            line.get_label(),
            (line.get_xdata()[-1], line.get_ydata()[-1]),
            xytext=(6, (place - end) * 72 / ax.figure.dpi),
            textcoords="offset points",
            va="center",
            color=line.get_color(),
            fontsize=mpl.rcParams["legend.fontsize"],
            annotation_clip=False,
        )


def _apart(places: np.ndarray, least: float) -> np.ndarray:
    """The places, moved so that neighbours are at least so far apart: as little as can be, in their order."""
    from sklearn.isotonic import isotonic_regression  # takes a second to load, and few figures have labels at lines

    order, steps, moved = np.argsort(places, kind="stable"), least * np.arange(len(places)), np.empty(len(places))
    moved[order] = isotonic_regression(places[order] - steps) + steps
    return moved


def shown_arrays(fig: Figure) -> dict[str, np.ndarray]:
    """The arrays that a figure shows: lines and points (n, 2), bars (n, 4) as x, y, width, height, images as drawn."""
    found: dict[str, np.ndarray] = {}
    for i, ax in enumerate(fig.axes):
        if getattr(ax, "_colorbar", None) is not None:
            continue
        bars = [
            (*bar.get_xy(), bar.get_width(), bar.get_height())
            for c in ax.containers
            for bar in c
            if hasattr(bar, "get_xy")
        ]
        parts: list[tuple[str, Any]] = [("bars", bars)] if bars else []
        parts += [(f"line{j}", line.get_xydata()) for j, line in enumerate(ax.lines)]
        parts += [(f"image{j}", image.get_array()) for j, image in enumerate(ax.images)]
        for j, collection in enumerate(ax.collections):
            if collection.get_array() is not None:
                parts.append((f"values{j}", collection.get_array()))
            if len(collection.get_offsets()) > 1:
                parts.append((f"points{j}", collection.get_offsets()))
        found |= {f"axes{i}_{label}": values for label, values in parts}
    return checked_arrays(found)


def checked_arrays(data: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    """Arrays of plain numbers, gaps (masked values) as NaN; ValueError for what cannot be read as numbers."""
    arrays = {}
    for name, values in data.items():
        try:
            filled = np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)
        except (TypeError, ValueError) as error:
            raise ValueError(f"figure data {name!r} cannot be read as an array of numbers: {error}") from error
        if filled.size:
            arrays[name] = filled
    return arrays
