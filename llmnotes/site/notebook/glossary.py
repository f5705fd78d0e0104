"""The glossary: terms for hovers on all pages, and for each term the lab that shows it best."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.labs import Lab

_SCOPE = re.compile(r"^(Only|Not) in: (.+?)\.?\n", re.MULTILINE)
_TERM = re.compile(r"^### (.+?)\s*$\n+((?:.|\n)*?)(?=^#|\Z)", re.MULTILINE)


def read_glossary(path: Path) -> dict[str, str]:
    """Terms and their meanings from headings `### term`, and under each `Also: other, forms` and a paragraph."""
    if not path.is_file():
        return {}
    terms: dict[str, str] = {}
    for found in _TERM.finditer(path.read_text(encoding="utf-8-sig")):
        paragraphs = [" ".join(p.split()) for p in _SCOPE.sub("", found[2]).split("\n\n") if p.strip()]
        names = [found[1].split("{")[0].strip()]
        if paragraphs and paragraphs[0].startswith("Also: "):
            names += [name.strip() for name in paragraphs.pop(0).removeprefix("Also: ").rstrip(".").split(",")]
        if not paragraphs:
            raise NotebookError(f"{path}: the term {names[0]!r} has no meaning; write a paragraph under its heading")
        meaning = re.sub(r"\[([^\]]+)\]\([^)]*\)|[`*$\\]", lambda m: m[1] or "", paragraphs[0]).replace('"', "'")
        for name in names:
            terms[name] = terms[name[0].upper() + name[1:]] = meaning
    return terms


def read_scopes(path: Path) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """Where terms with another sense elsewhere are meant: a line `Only in: dictionaries, superposition` or `Not in: …`.

    Returns:
        For each name of such a term whether the pages named are the only ones, and their names: keys of labs, with
        which the names of entries begin as well.
    """
    scopes = {}
    for found in _TERM.finditer(path.read_text(encoding="utf-8-sig")) if path.is_file() else ():
        if scope := _SCOPE.search(found[2]):
            names = [found[1].split("{")[0].strip()]
            if also := re.match(r"Also: (.+?)\.?$", found[2].strip(), re.MULTILINE):
                names += [name.strip() for name in also[1].split(",")]
            pages = tuple(page.strip() for page in scope[2].split(","))
            for name in names:
                scopes[name] = scopes[name[0].upper() + name[1:]] = (scope[1] == "Only", pages)
    return scopes


def is_meant(scopes: dict[str, tuple[bool, tuple[str, ...]]], term: str, uri: str) -> bool:
    """Whether a term has the glossary's sense on a page."""
    if term not in scopes:
        return True
    only, pages = scopes[term]
    return any(page in uri for page in pages) is only


def with_labs(markdown: str, labs: Iterable[Lab]) -> str:
    """The glossary's page with a link under each term to the lab whose text speaks of it most.

    Args:
        markdown: the page.
        labs: in order; of two that say a term equally often, the earlier one is linked.
    """
    prose = [(lab, " ".join(cell.source for cell in lab.cells if cell.kind == "markdown").lower()) for lab in labs]

    def add(found: re.Match) -> str:
        names = [found[1].split("{")[0].strip()]
        if also := re.match(r"Also: (.+?)\.?$", found[2].strip(), re.MULTILINE):
            names += also[1].split(",")
        names = sorted((re.escape(name.strip().lower()) for name in names), key=len, reverse=True)
        pattern = re.compile(rf"(?<!\w)(?:{'|'.join(names)})(?!\w)")
        count, lab = max(((len(pattern.findall(text)), lab) for lab, text in prose), key=lambda pair: pair[0])
        if not count:
            return found[0]
        return f"{found[0].rstrip()}\n\nShown in [{lab.title}](labs/{lab.stem}.md).\n{{ .entry-facts }}\n\n"

    markdown = _SCOPE.sub("", markdown)
    return _TERM.sub(add, markdown) if prose else markdown
