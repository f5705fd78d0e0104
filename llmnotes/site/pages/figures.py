"""Figures of labs as pages take them in: drawn in line, with their data as a table."""

from __future__ import annotations

import re
from itertools import chain, takewhile
from typing import Any

import numpy as np

from llmnotes.site.pages.lighter import lighter
from llmnotes.site.pages.templates import printable, render, rounded
from llmnotes.site.run.store import Run

ROWS = 24
"""How many rows of an array a table shows; of longer ones every second, third, … row."""


def drawing(run: Run, figure: dict[str, Any]) -> str:
    """A figure in line, once for a page and once for a phone, of which the styles show one."""
    drawn = {}
    for layout, suffix in (("wide", ".svg"), ("narrow", ".narrow.svg")):
        svg = printable(lighter((run.folder / "figures" / f"{figure['name']}{suffix}").read_text(encoding="utf-8")))
        drawn[layout] = svg.replace("\n", " ").replace("<svg ", f'<svg id="{figure["name"]}-{layout}" ', 1)
    return render("drawing.html.jinja", alt=figure["alt"], drawn=drawn).strip()


def lead(run: Run, name: str) -> dict[str, Any] | None:
    """A lab's lead figure for the head of its page: the figure itself stands further down and is drawn once.

    It `waits` for the reader's answer if it stands behind the question. Nothing where the run has no such figure.
    """
    if not (figure := run.figures.get(name)):
        return None
    before = takewhile(lambda one: (one["kind"], one.get("name")) != ("figure", name), chain.from_iterable(run.cells))
    drawn = re.sub(
        r'<svg id="([^"]+)"[^>]*?(viewBox="[^"]+").*?</svg>', r'<svg \2><use href="#\1"/></svg>', drawing(run, figure)
    )
    return figure | {"drawn": drawn, "waits": any(one["kind"] == "question" for one in before)}


def tables(run: Run, figure: dict[str, Any]) -> list[dict[str, Any]]:
    """The arrays that a figure shows as `name`, `rows` of text and a `note`; of a wide one its shape alone."""
    found = []
    for name, values in sorted(run.arrays(figure["name"]).items()):
        array, rows, note = np.atleast_1d(values), [], ""
        if array.ndim > 2 or (array.ndim == 2 and array.shape[1] > 8):
            note = " × ".join(map(str, array.shape)) + " numbers"
        else:
            step = -(-len(array) // ROWS) or 1
            rows = [[rounded(one) for one in np.atleast_1d(row).tolist()] for row in array[::step]]
            note = f"{len(rows)} of {len(array)} rows, evenly spaced" if step > 1 else ""
        found.append({"name": name.replace("_", " "), "rows": rows, "note": note})
    return found


def curve(run: Run, question: dict[str, Any]) -> dict[str, Any]:
    """The curve of a question that is answered by drawing one, with at most 60 of its points."""
    points = run.arrays(question["figure"])[question["answer"]]
    return question["curve"] | {"points": points[:: max(1, len(points) // 60)].tolist()}
