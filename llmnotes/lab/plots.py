"""How figures look: one palette for the whole notebook, legible in light and dark, safe for colour-blind readers.

Draw with matplotlib as usual, starting from `subplots`. Colours come from `COLOURS` and the two colour maps
`SEQUENTIAL` and `DIVERGING`; each has a twin for dark pages, into which `save` turns the figure.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import matplotlib.text
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

__all__ = ["COLOURS", "DIVERGING", "GRID", "INK", "MUTED", "PAPER", "SEQUENTIAL", "save", "subplots"]

# light, dark: text and the first five colours keep a contrast of at least 4.5 (3 for orange) with their own paper
INK, MUTED, GRID, PAPER = "#1f2430", "#5b6472", "#d9dee5", "#ffffff"
COLOURS = ("#0b62a8", "#c4500a", "#0a7d6c", "#8f3fa8", "#8a6500", "#5b6472")  # blue, orange, green, purple, ochre, grey
DARK = {
    INK: "#dfe3ea",
    MUTED: "#a3acba",
    GRID: "#3a404c",
    PAPER: "#1e2129",
    COLOURS[0]: "#6db4f2",
    COLOURS[1]: "#f59a5b",
    COLOURS[2]: "#45c9b4",
    COLOURS[3]: "#d39be6",
    COLOURS[4]: "#dcb64a",
}


def _colour_map(name: str, *colours: str) -> LinearSegmentedColormap:
    colour_map = LinearSegmentedColormap.from_list(name, colours)
    if name not in mpl.colormaps:
        mpl.colormaps.register(colour_map)
    return colour_map


# The end of a light map is dark and the end of its dark twin is bright, so that ink and paper on top swap with them.
SEQUENTIAL = _colour_map("llmnotes_sequential", PAPER, "#9cc4e4", "#2f7fbd", "#0a3d6b")
DIVERGING = _colour_map("llmnotes_diverging", "#7d3104", "#dd8a55", PAPER, "#6fa9d6", "#084a80")
_TWINS = {
    SEQUENTIAL.name: _colour_map("llmnotes_sequential_dark", DARK[PAPER], "#1d4f7c", "#4f9bd8", "#cfe7fb"),
    DIVERGING.name: _colour_map("llmnotes_diverging_dark", "#ffd3b3", "#c9703a", DARK[PAPER], "#3f83b8", "#c3e2fb"),
}

STYLE: dict[str, Any] = {
    "font.size": 11,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": PAPER,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "figure.facecolor": PAPER,
    "figure.constrained_layout.use": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "image.cmap": SEQUENTIAL.name,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 2,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    # Letters rather than their outlines: a third of the bytes. The layout is made for DejaVu, which is wide.
    "svg.fonttype": "none",
}


def subplots(rows: int = 1, columns: int = 1, *, width: float = 7.2, height: float = 3.2, **kwargs: Any) -> tuple:
    """`matplotlib.pyplot.subplots` in the notebook's style.

    Args:
        rows: rows of axes.
        columns: columns of axes.
        width: of the whole figure in inches; a page's column is 7.2 inches wide, a phone's half of that.
        height: of the whole figure in inches.
        **kwargs: passed on to `matplotlib.pyplot.subplots`.

    Returns:
        The figure and its axes.
    """
    plt.rcParams.update(STYLE)
    return plt.subplots(rows, columns, figsize=(width, height), **kwargs)


def literal_dollars(fig: Figure) -> None:
    """Show dollar signs in words as they are: tokens such as "$$" or "a$b$c" are no formulas, though matplotlib reads
    them as such. Tick labels given as words and free texts are always words; titles, labels and legends are formulas
    where there is TeX between the dollars.
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


def shown_arrays(fig: Figure) -> dict[str, np.ndarray]:
    """The arrays that a figure shows.

    Lines and points come as (n, 2), bars as (n, 4) of x, y, width and height, images as they are drawn.
    """
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
    """Arrays of plain numbers, gaps (masked values) as NaN.

    Raises:
        ValueError: an array cannot be read as numbers.
    """
    arrays = {}
    for name, values in data.items():
        try:
            filled = np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)
        except (TypeError, ValueError) as error:
            raise ValueError(f"figure data {name!r} cannot be read as an array of numbers: {error}") from error
        if filled.size:
            arrays[name] = filled
    return arrays


def save(fig: Figure, stem: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write STEM.svg, STEM.dark.svg and STEM.npz: the figure for light and dark pages, and the arrays it shows.

    The same figure gives the same bytes: no date, and element ids that depend on content alone.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    light = _svg(fig, salt=stem.name)
    mappables = [m for ax in fig.axes for m in (*ax.images, *ax.collections)]
    for mappable in mappables:
        if twin := _TWINS.get(mappable.get_cmap().name):
            mappable.set_cmap(twin)
    dark = _svg(fig, salt=stem.name)
    for of_light, of_dark in DARK.items():
        dark = dark.replace(of_light, of_dark)
    stem.with_name(stem.name + ".svg").write_text(light, encoding="utf-8")
    stem.with_name(stem.name + ".dark.svg").write_text(dark, encoding="utf-8")
    np.savez_compressed(stem.with_name(stem.name + ".npz"), **arrays)


def _svg(fig: Figure, salt: str) -> str:
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none"}):
        fig.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _compact(buffer.getvalue())


def _compact(svg: str) -> str:
    """The same drawing in fewer bytes: points to a hundredth, paths without line breaks, the font named once."""
    svg = re.sub(r"<!--.*?-->|^\s+", "", svg, flags=re.MULTILINE)
    svg = re.sub(r'(?<= d=")[^"]*', lambda path: re.sub(r"\s*([A-Za-z])\s*", r"\1", path[0]).strip(), svg)
    svg = re.sub(r"<[^>]+>", lambda tag: _LONG.sub(_short, tag[0]), svg)  # what is written stays as it is
    svg = re.sub(r"font: (?:(\w+) )?([\d.]+px) [^;\"]*", lambda m: f"{_weight(m[1])}font-size: {m[2]}", svg)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    return svg.replace("</style>", "text{font-family: 'DejaVu Sans', Verdana, sans-serif}</style>", 1)


_LONG = re.compile(r"-?(?<![\d.])\d+\.\d{3,}")


def _short(number: re.Match) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _weight(word: str | None) -> str:
    return "" if word is None else f"font-{'weight' if word.isdigit() or word == 'bold' else 'style'}: {word}; "
