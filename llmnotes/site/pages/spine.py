"""The way through the notebook: labs in their chapters, pages that stand between them, and what builds on what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.utils.meta import get_data

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.run.labs import CHAPTERS, Lab

if TYPE_CHECKING:
    from llmnotes.site.pages.contents import Contents


@dataclass(frozen=True)
class Stop:
    """A page on the way that is no lab: its source, title, and what it is about."""

    uri: str
    title: str
    about: str


def read_stops(docs: Path, labs: Iterable[Lab]) -> dict[str, tuple[list[Stop], list[Stop]]]:
    """The pages whose front matter names a place on the way: `before: 01_xor`, `after: 11_residual`, `after: Start`.

    Args:
        docs: the folder of the pages.
        labs: all labs.

    Returns:
        By the stem of a lab or the name of a chapter, what stands before it and what stands after it.

    Raises:
        NotebookError: a page names neither a lab nor a chapter.
    """
    known = {lab.stem for lab in labs} | set(CHAPTERS)
    found: dict[str, tuple[list[Stop], list[Stop]]] = {}
    for path in sorted(docs.rglob("*.md")):
        fields = _front(path)
        for side, name in ((0, fields.get("before")), (1, fields.get("after"))):
            if not name:
                continue
            uri = path.relative_to(docs).as_posix()
            if name not in known:
                raise NotebookError(f"{path}: names {name!r}, which is neither a lab nor a chapter{near(name, known)}")
            stop = Stop(uri, str(fields.get("title", path.stem)), str(fields.get("description", "")))
            found.setdefault(name, ([], []))[side].append(stop)
    return found


def _front(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8-sig")
    if not text.startswith("---"):
        return {}
    head = text.partition("\n---")[0]
    return get_data(text)[1] if "\nbefore:" in head or "\nafter:" in head else {}


def way(chapters: Mapping[str, list[Lab]], stops: Mapping[str, tuple[list[Stop], list[Stop]]]) -> dict[str, list]:
    """Labs and other pages by their chapters, in the order in which a reader meets them.

    Args:
        chapters: the labs by their chapters.
        stops: see `read_stops`.
    """
    return {
        chapter: [
            *stops.get(chapter, ([], []))[0],
            *(one for lab in labs for one in _around(lab, stops.get(lab.stem, ([], [])))),
            *stops.get(chapter, ([], []))[1],
        ]
        for chapter, labs in chapters.items()
    }


def _around(lab: Lab, stops: tuple[list[Stop], list[Stop]]) -> list:
    return [*stops[0], lab, *stops[1]]


SPACING, RISE, RADIUS = 34, 74, 13  # pixels between labs of a chapter, between chapters, and of a lab's circle


def dependencies(contents: Contents) -> str:
    """What builds on what, as a drawing: a row a chapter, a circle a lab, a line from each lab to what it needs.

    A need that another need already has is left out. Labs come from their headers, so that a new one is drawn at once.
    """
    by_stem = {lab.stem: lab for lab in contents.labs}
    needs = {stem: [need for need in lab.needs if need in by_stem] for stem, lab in by_stem.items()}
    rows = list(contents.chapters.values())
    at = {
        lab.stem: (RADIUS + 4 + SPACING * column, 44 + RISE * row)
        for row, labs in enumerate(rows)
        for column, lab in enumerate(labs)
    }
    lines = [_line(at[need], at[stem]) for stem in by_stem for need in _direct(stem, needs)]
    circles = [
        f'<g><title>{escape(lab.number + " " + lab.title)}</title><circle cx="{x}" cy="{y}" r="{RADIUS}"/>'
        f'<text x="{x}" y="{y + 4.5}">{lab.number}</text></g>'
        for lab in contents.labs
        for x, y in [at[lab.stem]]
    ]
    names = [
        f'<text class="chapter" x="4" y="{19 + RISE * row}">{escape(chapter)}</text>'
        for row, chapter in enumerate(contents.chapters)
    ]
    words = [
        f"{lab.number} builds on {', '.join(by_stem[need].number for need in needs[lab.stem])}"
        for lab in contents.labs
        if needs[lab.stem]
    ]
    width = 2 * (RADIUS + 4) + SPACING * (max(map(len, rows), default=1) - 1)
    return (
        f'<figure class="needs"><svg viewBox="0 0 {width} {RISE * len(rows)}" style="max-width:{1.3 * width:.0f}px" '
        f'role="img" aria-label="Which labs build on which. {escape("; ".join(words))}.">'
        f"{''.join(lines)}{''.join(names)}{''.join(circles)}</svg></figure>"
    )


def _direct(stem: str, needs: Mapping[str, list[str]]) -> list[str]:
    """The needs of a lab that none of its other needs has."""
    return [one for one in needs[stem] if not any(one in _all(other, needs) for other in needs[stem] if other != one)]


def _all(stem: str, needs: Mapping[str, list[str]]) -> set[str]:
    return {found for need in needs[stem] for found in (need, *_all(need, needs))}


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    (a, b), (c, d) = start, end
    if b == d:  # in one row: beside each other straight, else under the row
        low = b + RADIUS + 6 + min(18, (c - a) / 9)
        return (
            f'<path d="M{a} {b}H{c}"/>' if c - a <= SPACING else f'<path d="M{a} {b}Q{(a + c) / 2:g} {low:g} {c} {d}"/>'
        )
    middle = (b + d) / 2
    return f'<path d="M{a} {b}C{a} {middle:g} {c} {middle:g} {c} {d}"/>'
