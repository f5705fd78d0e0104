"""What pages write as `{{ calls }}`, replaced when a page is written: bound numbers, lists, figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import fmean

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.notebook.calibration import calibration_plot
from llmnotes.site.notebook.entries import STATUSES, Entry
from llmnotes.site.notebook.quotes import expand, look_up, shown
from llmnotes.site.pages.contents import Contents, Place, lab_uri
from llmnotes.site.pages.dress import calls as dress_calls
from llmnotes.site.pages.exercises import expand_exercises
from llmnotes.site.pages.figures import drawing
from llmnotes.site.pages.templates import render, text
from llmnotes.site.run.labs import LEVELS, TOPICS, Lab, in_order

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
    return expand(expand_exercises(markdown, source, line), _functions(contents, place), source, line)


def _functions(contents: Contents, place: Place) -> Mapping[str, Callable[..., str]]:
    return {
        **dress_calls(contents, place),
        "result": lambda name, spec="": bound(contents, place, name, spec),
        "figure": lambda name: figure(contents, place, name),
        "gallery": lambda topic=None: gallery(contents, place, topic),
        "galleries": lambda: galleries(contents, place),
        "path": lambda: path(contents, place),
        "entries": lambda kind, newest=None: entries(contents, place, kind, newest),
        "predictions": lambda: predictions(contents, place),
        "count": lambda what: count(contents, what),
        "fields": lambda kind: {"lab": Lab, "entry": Entry}[kind].table(),
    }


def bound(contents: Contents, place: Place, name: str, spec: str = "") -> str:
    """A recorded value that leads to the cell which recorded it."""
    key, _, value_name = name.partition(".")
    if key in contents.runs and contents.runs[key][1] is None:  # it needs the hub, and nobody recorded it yet
        return NOT_RECORDED
    lab, _, value = look_up(name, contents.runs)
    here = place.uri == lab_uri(lab)
    link = ("" if here else place.link(lab_uri(lab))) + f"#value-{value_name}"
    title = "" if here else f' title="{name}, recorded by lab {text(lab.number)}"'
    return f"[{shown(value, spec)}]({link}){{ .bound{title} }}"


def figure(contents: Contents, place: Place, name: str) -> str:
    """A figure of a lab with a link to where it was made."""
    lab, entry = contents.figure(name, f"figure({name!r})")
    drawn = drawing(contents.runs[lab.key][1], entry)
    return render("figure.md.jinja", lab=lab, figure=entry, drawn=drawn, place=place, uri=lab_uri(lab)).strip()


def gallery(contents: Contents, place: Place, topic: str | None = None) -> str:
    """Cards of labs: all in their order, or those of a topic, the easier ones first."""
    labs = [lab for lab in contents.labs if topic in (None, lab.topic)]
    if topic:
        labs.sort(key=lambda lab: LEVELS.index(lab.level))
    cards = [(lab, _thumbnail(contents, lab)) for lab in labs]
    return render("gallery.md.jinja", cards=cards, place=place, lab_uri=lab_uri).strip()


def _thumbnail(contents: Contents, lab: Lab) -> dict | None:
    run = contents.runs[lab.key][1]
    figures = {figure["name"]: figure for figure in run.results["figures"]} if run else {}
    if run and lab.thumbnail not in figures and not (lab.needs_hub or lab.needs_smollm2):
        raise NotebookError(
            f"{lab.path}: header: thumbnail is {lab.thumbnail!r}, which is none of its figures"
            f"{near(lab.thumbnail, figures)}"
        )
    return figures.get(lab.thumbnail)


def galleries(contents: Contents, place: Place) -> str:
    """A gallery for each topic that has labs."""
    topics = [topic for topic in TOPICS if any(lab.topic == topic for lab in contents.labs)]
    return "\n\n".join(f"## {topic.capitalize()}\n\n{gallery(contents, place, topic)}" for topic in topics)


def path(contents: Contents, place: Place) -> str:
    """The labs in steps: each needs only labs of the steps before it."""
    by_stem = {lab.stem: lab for lab in contents.labs}
    step_of: dict[str, int] = {}
    for stem in in_order({lab.stem: lab.needs for lab in contents.labs}):
        step_of[stem] = 1 + max((step_of[need] for need in by_stem[stem].needs if need in by_stem), default=0)
    last = max(step_of.values(), default=0)
    steps = [[lab for lab in contents.labs if step_of[lab.stem] == step] for step in range(1, last + 1)]
    return render("path.md.jinja", steps=steps, by_stem=by_stem, place=place, lab_uri=lab_uri).strip()


def entries(contents: Contents, place: Place, kind: str, newest: int | None = None) -> str:
    """The entries of a kind, by their status; or the newest ones."""
    found = contents.of_kind(kind, f"entries({kind!r})")
    groups = {status: [entry for entry in found if entry.status == status] for status in STATUSES[kind]}
    if newest:
        groups = {"": found[:newest]}

    def claim(entry: Entry) -> str:
        functions = {"result": lambda name, spec="": bound(contents, place, name, spec)}
        return expand(entry.claim, functions, entry.uri)

    def topics(entry: Entry) -> str:
        names = [lab.topic.replace(" ", "-") for lab in contents.labs if lab.stem in entry.labs]
        return " ".join(dict.fromkeys(names))

    return render("entries.md.jinja", groups=groups, claim=claim, topics=topics, place=place).strip() or "None yet."


def predictions(contents: Contents, place: Place) -> str:
    """All our predictions, their score, and how often claims came true that we held for so and so likely."""
    rows = [(lab, one, bound(contents, place, f"{lab.key}.{one['resolved_by']}")) for lab, one in contents.predictions]
    if not rows:
        return "None yet."
    pairs = [(one["p"], one["outcome"]) for _, one, _ in rows]
    brier = fmean((p - outcome) ** 2 for p, outcome in pairs)
    right = sum(outcome for _, outcome in pairs)
    plot = calibration_plot(pairs)
    return render(
        "predictions.md.jinja", rows=rows, brier=brier, right=right, plot=plot, place=place, lab_uri=lab_uri
    ).strip()


def count(contents: Contents, what: str) -> str:
    """How many labs, entries of a kind or predictions there are."""
    outcomes = [entry["outcome"] for _, entry in contents.predictions]
    counts = {kind: sum(entry.kind == kind for entry in contents.entries) for kind in STATUSES}
    counts |= {"labs": len(contents.labs), "predictions": len(outcomes)}
    counts |= {"right": sum(outcomes), "wrong": len(outcomes) - sum(outcomes)}
    if what not in counts:
        raise NotebookError(f"count({what!r}): nothing is called so{near(what, counts)}")
    return str(counts[what])
