"""What pages write as `{{ calls }}`: the macros of templates/calls.md.jinja, and the functions below."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from llmnotes.site.errors import NotebookError, pick
from llmnotes.site.notebook.entries import STATUSES, Entry
from llmnotes.site.notebook.quotes import expand, look_up, shown
from llmnotes.site.pages import figures
from llmnotes.site.pages.contents import Contents, Place
from llmnotes.site.pages.drawings import calibration_plot, dependencies, drawing, picture, still, track_record
from llmnotes.site.pages.exercises import form
from llmnotes.site.pages.templates import macros
from llmnotes.site.run.labs import Lab


def fill(markdown: str, contents: Contents, place: Place, where: str = "", line: int = 1) -> str:
    """A page's Markdown, or a part of it that begins on some line of its source, with its calls replaced."""
    source = where or place.uri
    in_maths = {"result": partial(_in_maths, contents)}
    return expand(markdown, _functions(contents, place), source, line, in_maths)


@lru_cache(maxsize=1)  # a page is filled in many parts, and its drawings are numbered through
def _functions(contents: Contents, place: Place) -> dict[str, Callable[..., str]]:
    assets = contents.docs / "assets"
    settled = [(one["p"], one["outcome"]) for one in contents.predictions]
    written = macros(
        "calls.md.jinja",
        contents=contents,
        place=place,
        statuses=STATUSES,
        fill=fill,
        drawing_of=figures.drawing,
        thumbnail=lambda *names: picture(assets / "thumbs", *names, "xor"),
        calibration_plot=lambda: calibration_plot(settled),
    )
    return written | {
        "result": partial(_bound, contents, place, written.pop("card")),
        "others": partial(_others, contents, place),
        "count": lambda what: str(contents.count(what)),
        "drawing": partial(drawing, assets / "drawings"),
        "widget": partial(_widget, assets / "widgets"),
        "dependencies": lambda: dependencies(contents),
        "track_record": lambda: track_record(settled),
        "bench": still,
        "exercise": form,
        "fields": lambda kind: {"lab": Lab, "entry": Entry}[kind].table(),
    }


def _bound(contents: Contents, place: Place, card: Callable[..., str], name: str, spec: str = "") -> str:
    """A recorded value that opens a card: what it is, how far it may move and why, and the cell that recorded it."""
    key, _, value_name = name.partition(".")
    if key in contents.runs and contents.runs[key][1] is None:  # it needs the hub, and nobody recorded it yet
        return "(not recorded yet)"
    lab, run, value = look_up(name, contents.runs)
    link = place.link(f"{lab.uri}#value-{value_name}")
    day = dt.date.fromisoformat(run.meta["ran"]["date"][:10])
    return f"[{shown(value, spec)}]({link}){{ .bound {card(lab, run.values[value_name], day)} }}"


def _others(contents: Contents, place: Place, which: str, name: str, spec: str = "") -> str:
    """The "least" or "most" that other trainings gave for a value, with a link to where all of them stand."""
    lab, _, _ = look_up(name, contents.runs)
    value_name = name.partition(".")[2]
    known = contents.replicates.get(lab.key)
    if not known or not (values := known.over(value_name)):
        raise NotebookError(
            f"others({name!r}): no other training has it; make them with: llmnotes replicate {lab.stem}"
        )
    value = pick({"least": min, "most": max}, which, f"others({name!r}):", "end of the range")(values)
    return f"[{shown(value, spec)}]({place.link(f'{lab.uri}#value-{value_name}')}){{ .bound }}"


def _in_maths(contents: Contents, name: str, spec: str = "") -> str:
    """A recorded value inside a formula, as TeX writes it."""
    return shown(look_up(name, contents.runs)[2], spec).replace("%", r"\%").replace("\N{MINUS SIGN}", "-")


def _widget(folder: Path, name: str) -> str:
    """A figure that the reader can turn: `name.html` is complete without a script, `name.js` moves it."""
    known = {path.stem: path for path in folder.glob("*.html")}
    return pick(known, name, "widget", "widget").read_text(encoding="utf-8").strip()
