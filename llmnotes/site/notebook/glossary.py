"""The glossary: terms for hovers on all pages, and for each term the lab that shows it best."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.labs import Lab

_TERM = re.compile(r"^### (.+?)\s*$\n+((?:.|\n)*?)(?=^#|\Z)", re.MULTILINE)
_LIST = re.compile(r"^(Also|Only in|Not in): (.+?)\.?\n", re.MULTILINE)


@dataclass(frozen=True)
class Term:
    """A term: its names, its meaning, and, where it has another sense elsewhere, on which pages it is meant.

    Pages are named by keys of labs, with which the names of entries begin as well.
    """

    names: tuple[str, ...]
    meaning: str
    only_in: tuple[str, ...]
    not_in: tuple[str, ...]

    def is_meant(self, uri: str) -> bool:
        """Whether it has the glossary's sense on a page."""
        return any(page in uri for page in self.only_in or ("",)) and not any(page in uri for page in self.not_in)


def read_glossary(path: Path) -> dict[str, Term]:
    """Terms by each of their names, from headings `### term` with a paragraph under each.

    Before it may stand `Also: other, forms`, `Only in: dictionaries, superposition` and `Not in: mlps`, a line each.

    Raises:
        NotebookError: a term has no meaning.
    """
    if not path.is_file():
        return {}
    terms = {}
    for term in map(_term, _TERM.finditer(path.read_text(encoding="utf-8-sig"))):
        if not term.meaning:
            raise NotebookError(f"{path}: {term.names[0]!r} has no meaning; write a paragraph under its heading")
        for name in term.names:
            terms[name] = terms[name[0].upper() + name[1:]] = term
    return terms


def _term(found: re.Match) -> Term:
    lists = {which: tuple(one.strip() for one in names.split(",")) for which, names in _LIST.findall(found[2])}
    paragraph = " ".join(_LIST.sub("", found[2]).strip().partition("\n\n")[0].split())
    meaning = re.sub(r"\[([^\]]+)\]\([^)]*\)|[`*$\\]", lambda m: m[1] or "", paragraph).replace('"', "'")
    names = (found[1].split("{")[0].strip(), *lists.get("Also", ()))
    return Term(names, meaning, lists.get("Only in", ()), lists.get("Not in", ()))


def with_labs(markdown: str, labs: Iterable[Lab]) -> str:
    """The glossary's page with a link under each term to the lab whose text speaks of it most, or the earliest such."""
    prose = [(lab, " ".join(cell.source for cell in lab.cells if cell.kind == "markdown").lower()) for lab in labs]

    def linked(found: re.Match) -> str:
        names = sorted((re.escape(name.lower()) for name in _term(found).names), key=len, reverse=True)
        pattern = re.compile(rf"(?<!\w)(?:{'|'.join(names)})(?!\w)")
        count, lab = max(((len(pattern.findall(text)), lab) for lab, text in prose), key=lambda pair: pair[0])
        shown = f"\n\nShown in [{lab.title}](labs/{lab.stem}.md).\n{{ .entry-facts }}\n\n"
        return found[0].rstrip() + shown if count else found[0]

    markdown = _TERM.sub(linked, markdown) if prose else markdown
    return re.sub(r"^(?:Only|Not) in: .+\n", "", markdown, flags=re.MULTILINE)
