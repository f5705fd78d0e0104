"""What pages write as `{{ calls }}`, replaced when a page is written: bound numbers, lists, figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import fmean

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.notebook.entries import STATUSES, Entry
from llmnotes.site.notebook.quotes import expand, look_up, shown
from llmnotes.site.pages.calibration import calibration_plot
from llmnotes.site.pages.contents import Contents, Place, lab_uri, uri_of
from llmnotes.site.pages.dress import calls as dress_calls
from llmnotes.site.pages.exercises import expand_exercises
from llmnotes.site.pages.figures import drawing
from llmnotes.site.pages.home import lab_cards
from llmnotes.site.pages.numbers import card
from llmnotes.site.pages.record import record
from llmnotes.site.pages.spine import dependencies
from llmnotes.site.pages.templates import inline, render, text
from llmnotes.site.run.labs import CHAPTERS, Lab

NOT_RECORDED = "(not recorded yet)"


def fill(markdown: str, contents: Contents, place: Place, where: str = "", line: int = 1) -> str:
    """A page's Markdown with its calls replaced.

    Args:
        markdown: the page, or a part of it.
        contents: what the calls speak of.
        place: the page that the calls stand on.
        where: the source as errors name it; by default the page's.
        line: of the source on which the Markdown begins.

    Raises:
        NotebookError: an unknown call, lab or value; the message names the source and the line.
    """
    source = where or place.uri
    in_maths = {"result": lambda name, spec="": _in_maths(contents, name, spec)}
    return expand(expand_exercises(markdown, source, line), _functions(contents, place), source, line, in_maths)


def _functions(contents: Contents, place: Place) -> Mapping[str, Callable[..., str]]:
    return {
        **dress_calls(contents, place),
        "result": lambda name, spec="": bound(contents, place, name, spec),
        "figure": lambda name: figure(contents, place, name),
        "labs": lambda: lab_chapters(contents, place),
        "path": lambda: path(contents, place),
        "chapter": lambda name: chapter(contents, place, name),
        "dependencies": lambda: dependencies(contents),
        "entries": lambda kind, newest=None: entries(contents, place, kind, newest),
        "predictions": lambda: predictions(contents, place),
        "count": lambda what: count(contents, what),
        "fields": lambda kind: {"lab": Lab, "entry": Entry}[kind].table(),
    }


def bound(contents: Contents, place: Place, name: str, spec: str = "") -> str:
    """A recorded value that opens a card: what it is, how far it may move and why, and the cell that recorded it."""
    key, _, value_name = name.partition(".")
    if key in contents.runs and contents.runs[key][1] is None:  # it needs the hub, and nobody recorded it yet
        return NOT_RECORDED
    lab, run, value = look_up(name, contents.runs)
    link = ("" if place.uri == lab_uri(lab) else place.link(lab_uri(lab))) + f"#value-{value_name}"
    return f"[{shown(value, spec)}]({link}){{ .bound{card(lab, run, value_name)} }}"


def _in_maths(contents: Contents, name: str, spec: str = "") -> str:
    """A recorded value inside a formula, as TeX writes it."""
    return shown(look_up(name, contents.runs)[2], spec).replace("%", r"\%").replace("\N{MINUS SIGN}", "-")


def figure(contents: Contents, place: Place, name: str) -> str:
    """A figure of a lab with a link to where it was made."""
    lab, entry = contents.figure(name, f"figure({name!r})")
    drawn = drawing(contents.runs[lab.key][1], entry)
    return render("figure.md.jinja", lab=lab, figure=entry, drawn=drawn, place=place, uri=lab_uri(lab)).strip()


def lab_chapters(contents: Contents, place: Place) -> str:
    """The labs as cards, in their chapters."""
    parts = [
        f"## {chapter}\n\n{lab_cards(contents, place, [lab.key for lab in labs])}"
        for chapter, labs in contents.chapters.items()
    ]
    return "\n\n".join(parts)


def path(contents: Contents, place: Place) -> str:
    """The labs in their chapters and order, with the pages that stand among them."""
    return render("path.md.jinja", way=contents.way, place=place, uri_of=uri_of).strip()


def chapter(contents: Contents, place: Place, name: str) -> str:
    """The pages of one chapter as links, in order.

    Raises:
        NotebookError: there is no such chapter.
    """
    if name not in CHAPTERS:
        raise NotebookError(f"chapter({name!r}): no such chapter{near(name, CHAPTERS)}")
    links = [
        f"[{(one.number + ' ' if isinstance(one, Lab) else '') + text(one.title)}]({place.link(uri_of(one))})"
        for one in contents.way.get(name, [])
    ]
    return ", ".join(links) or "no lab yet"


def entries(contents: Contents, place: Place, kind: str, newest: int | None = None) -> str:
    """The entries of a kind, by their status; or the newest ones."""
    found = contents.of_kind(kind, f"entries({kind!r})")
    groups = {status: [entry for entry in found if entry.status == status] for status in STATUSES[kind]}
    if newest:
        groups = {"": found[:newest]}

    def claim(entry: Entry) -> str:
        functions = {"result": lambda name, spec="": bound(contents, place, name, spec)}
        return expand(inline(entry.claim), functions, entry.uri)

    def chapters(entry: Entry) -> str:
        return "\n".join(dict.fromkeys(lab.chapter for lab in contents.labs if lab.stem in entry.labs))

    return render("entries.md.jinja", groups=groups, claim=claim, chapters=chapters, place=place).strip() or "None yet."


def predictions(contents: Contents, place: Place) -> str:
    """All our predictions, lab by lab, their score, and how often claims came true by how likely we held them."""
    pairs = contents.settled
    if not pairs:
        return "None yet."
    blind, looked = (
        [(one["p"], one["outcome"]) for _, one in contents.predictions if one.get("after_a_look", False) is which]
        for which in (False, True)
    )
    return render(
        "predictions.md.jinja",
        labs=[
            (lab, run, record(run, place.address(lab_uri(lab)), contents.replicates.get(lab.key)))
            for lab, run in contents.runs.values()
            if run and run.predictions
        ],
        groups=[_score(one) for one in ((pairs, blind, looked) if blind and looked else (pairs,))],
        plot=calibration_plot(pairs),
        place=place,
        lab_uri=lab_uri,
    ).strip()


def _score(pairs: list[tuple[float, bool]]) -> dict[str, float]:
    """How good some predictions were, and what saying the share that came true each time would score."""
    share = fmean(outcome for _, outcome in pairs)
    brier = fmean((p - outcome) ** 2 for p, outcome in pairs)
    right = sum(outcome for _, outcome in pairs)
    return {"count": len(pairs), "right": right, "brier": brier, "base": share * (1 - share)}


def count(contents: Contents, what: str) -> str:
    """How many labs, entries of a kind or predictions there are."""
    outcomes = [entry["outcome"] for _, entry in contents.predictions]
    counts = {kind: sum(entry.kind == kind for entry in contents.entries) for kind in STATUSES}
    counts |= {"labs": len(contents.labs), "predictions": len(outcomes)}
    counts |= {"right": sum(outcomes), "wrong": len(outcomes) - sum(outcomes)}
    if what not in counts:
        raise NotebookError(f"count({what!r}): nothing is called so{near(what, counts)}")
    return str(counts[what])
