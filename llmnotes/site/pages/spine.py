"""The way through the notebook: labs in their chapters, the pages that stand between them, and the navigation."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.utils.meta import get_data

from llmnotes.site.errors import pick
from llmnotes.site.notebook.entries import STATUSES
from llmnotes.site.run.labs import CHAPTERS, Lab

if TYPE_CHECKING:
    from llmnotes.site.pages.contents import Contents


@dataclass(frozen=True)
class Stop:
    """A page on the way that is no lab: its source, title, and what it is about."""

    uri: str
    title: str
    about: str


def way(chapters: Mapping[str, list[Lab]], docs: Path) -> dict[str, list[Lab | Stop]]:
    """Labs and other pages by their chapters, in the order in which a reader meets them.

    Another page names its place in its front matter: `before: 01_xor`, `after: 11_residual`, `after: Start`.
    """
    known = dict.fromkeys([*CHAPTERS, *(lab.stem for labs in chapters.values() for lab in labs)])
    stops: dict[tuple[str, str], list[Stop]] = defaultdict(list)
    for path in sorted(docs.rglob("*.md")):
        text = path.read_text(encoding="utf-8-sig")
        if not re.match(r"---\n(?s:.*?)^(before|after):", text, re.MULTILINE):
            continue  # most pages: reading YAML takes longer
        fields = get_data(text)[1]
        for side in ("before", "after"):
            if name := fields.get(side):
                pick(known, name, f"{path}: {side}", "lab or chapter")
                uri = path.relative_to(docs).as_posix()
                stops[side, name].append(Stop(uri, fields.get("title", path.stem), fields.get("description", "")))

    def around(name: str, inside: list) -> list:
        return [*stops["before", name], *inside, *stops["after", name]]

    return {
        name: around(name, [one for lab in labs for one in around(lab.stem, [lab])]) for name, labs in chapters.items()
    }


def extend(nav: list | None, contents: Contents, pages: Iterable[str]) -> None:
    """Put labs and stops in their chapters, models and entries behind their index pages, where `nav` lists these."""
    behind = {"models": [page for page in pages if page.startswith("models/")]}
    behind["labs"] = [{name: [one.uri for one in some]} for name, some in contents.way.items()]
    behind |= {kind: [entry.uri for entry in contents.of_kind(kind)] for kind in STATUSES}
    for some in [*_lists(nav or [])]:
        for folder, items in behind.items():
            if f"{folder}/index.md" in some:
                some.extend(item for item in items if item not in some)


def _lists(nav: list) -> Iterator[list]:
    """The sections of a navigation, however deep."""
    for one in nav:
        for value in one.values() if isinstance(one, dict) else ():
            if isinstance(value, list):
                yield value
                yield from _lists(value)
