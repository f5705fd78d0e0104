"""Figures of labs as pages take them in: drawn in line, with their data as a table."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from llmnotes.site.pages.numbers import rounded
from llmnotes.site.pages.templates import printable, render
from llmnotes.site.run.store import Run

LAYOUTS = {"wide": ".svg", "narrow": ".narrow.svg"}
ROWS = 24
"""How many rows of an array a table shows; of longer ones every second, third, … row."""


def drawing(run: Run, figure: dict) -> str:
    """A figure in line, once for a page and once for a phone, of which the styles show one.

    Args:
        run: the run that drew it.
        figure: its entry among the run's results.
    """
    drawn = {}
    for layout, suffix in LAYOUTS.items():
        file = run.folder / "figures" / f"{figure['name']}{suffix}"
        if layout == "wide" or file.is_file():  # runs of before have one layout
            svg = printable(" ".join(file.read_text(encoding="utf-8").split("\n")))
            drawn[layout] = svg.replace("<svg ", f'<svg id="{figure["name"]}-{layout}" ', 1)
    drawn = drawn if len(drawn) > 1 else {"": drawn["wide"]}
    return render("drawing.html.jinja", alt=figure["alt"], drawn=drawn).strip()


def lead(run: Run, name: str) -> dict[str, Any] | None:
    """A lab's lead figure for the head of its page: the figure itself stands further down and is drawn once.

    Args:
        run: the lab's run.
        name: of the figure, as the lab's header says.

    Returns:
        The figure with `drawn`, and `waits`: whether it stands behind the question, or settles it, and must not be seen
        before the reader has answered. Nothing where the run has no such figure.
    """
    figure = run.figures.get(name)
    if figure is None:
        return None
    asked = False
    for output in (one for cell in run.cells for one in cell):
        asked = asked or output["kind"] == "question"
        if output["kind"] == "figure" and output["name"] == name:
            break
    drawn = re.sub(
        r'<svg id="([^"]+)"[^>]*?(viewBox="[^"]+").*?</svg>', r'<svg \2><use href="#\1"/></svg>', drawing(run, figure)
    )
    return figure | {"drawn": drawn, "waits": asked}


def tables(run: Run, figure: dict[str, Any]) -> list[dict[str, Any]]:
    """The arrays that a figure shows, each as `name`, `rows` of text and a `note`."""
    return [_table(name, values) for name, values in sorted(run.arrays(figure["name"]).items())]


def _table(name: str, values: np.ndarray) -> dict[str, Any]:
    """An array as rows of text; of a long one some rows, of a wide one its shape alone."""
    array = np.atleast_1d(values)
    if array.ndim > 2 or (array.ndim == 2 and array.shape[1] > 8):
        return {"name": _title(name), "rows": [], "note": " × ".join(map(str, array.shape)) + " numbers"}
    step = max(1, -(-len(array) // ROWS))
    rows = [[rounded(one) for one in np.atleast_1d(row).tolist()] for row in array[::step]]
    note = f"every {_ordinal(step)} of {len(array)} rows" if step > 1 else ""
    return {"name": _title(name), "rows": rows, "note": note}


def _title(name: str) -> str:
    return name.replace("_", " ")


def _ordinal(n: int) -> str:
    return f"{n}{'th' if 10 <= n % 100 <= 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"
