"""Figures of labs as pages take them in."""

from __future__ import annotations

from llmnotes.site.pages.templates import render
from llmnotes.site.run.store import Run

LAYOUTS = {"wide": ".svg", "narrow": ".narrow.svg"}


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
            drawn[layout] = " ".join(file.read_text(encoding="utf-8").split("\n"))
    drawn = drawn if len(drawn) > 1 else {"": drawn["wide"]}
    return render("drawing.html.jinja", alt=figure["alt"], drawn=drawn).strip()
