"""A lab's figures: put on the page with words for those who do not see them, and checked by the arrays they show."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from llmnotes.lab.saying import check_name, in_notebook, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


# A lab's figure is drawn about a thousand pixels wide: what moves less than this share of its range cannot be seen.
FIGURE_TOLERANCE = 1e-3

_figures: set[str] = set()


def figure(
    fig: Figure,
    *,
    name: str,
    alt: str,
    title: str = "",
    caption: str = "",
    data: Mapping[str, ArrayLike] | None = None,
    rtol: float | None = None,
    because: str | None = None,
) -> None:
    """Put a matplotlib figure on the page, for desk and phone, light and dark, with the arrays that it shows beside it.

    A figure is checked by its arrays and not by its pixels. They are read from lines, points, bars and images; give
    `data` where something else carries the message.

    Args:
        name: lower-case words joined by underscores, unique within the lab.
        alt: what the figure shows, for those who do not see it: the message first. It cannot be left out.
        title: the finding as one short sentence, above the figure.
        caption: one or two sentences under the figure.
        data: arrays by name, instead of those found in the figure.
        rtol: how far a point may move, as a share of its array's range; by default what cannot be seen (0.001).
        because: why further than that.

    Raises:
        ValueError: no alt text, no data to check the figure by, a name taken or malformed, an `rtol` without a reason.
    """
    check_name("figure", name, _figures)
    where = f"figure({name!r})"
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"{where}: alt is {alt!r}; say in a sentence what the figure shows to those who do not see it")
    if rtol is not None and not (because and because.strip()):
        raise ValueError(f"{where}: a tolerance needs its reason; add because='…'")

    import matplotlib.pyplot as plt

    from llmnotes.lab import plots, svg

    plots.literal_dollars(fig)
    arrays = plots.shown_arrays(fig) if data is None else plots.checked_arrays(data)
    if not arrays:
        raise ValueError(f"{where}: found no lines, points, bars or images to check it by; pass data={{'name': array}}")
    _figures.add(name)
    width, height = (round(float(inches) * 96) for inches in fig.get_size_inches())  # CSS pixels: 96 to the inch
    entry = {
        "name": name,
        "alt": " ".join(alt.split()),
        "title": " ".join(title.split()),
        "caption": " ".join(caption.split()),
        "width": width,
        "height": height,
        "rtol": FIGURE_TOLERANCE if rtol is None else float(rtol),
        "because": because or "less than a pixel of the drawn figure",
        "arrays": sorted(arrays),
    }
    if folder := os.environ.get("LLMNOTES_RUN"):
        svg.save(fig, Path(folder) / "figures" / name, arrays)
    elif in_notebook():
        from IPython.display import display

        display(fig)
    plt.close(fig)
    say("figure", entry, f"figure {name}: {width} × {height}, {len(arrays)} arrays")
