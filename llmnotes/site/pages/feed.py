"""The notebook's entries for feed readers (Atom, RFC 4287) and for reference lists (BibTeX)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from urllib.parse import urljoin

from llmnotes.site.notebook.entries import SINGULAR, Entry
from llmnotes.site.pages.templates import render


def page_of(entry: Entry) -> str:
    """The address of an entry's page below the site's."""
    return entry.uri.removesuffix(".md") + "/"


def atom(entries: Iterable[Entry], site: str, plain: Callable[[Entry], str]) -> bytes:
    """A feed of entries, whose claims `plain` gives as plain text; links are relative if the site has no address."""
    return render(
        "feed.xml.jinja",
        entries=list(entries),
        site=site,
        plain=plain,
        singular=SINGULAR,
        page_of=page_of,
        urljoin=urljoin,
        urn=lambda address: uuid.uuid5(uuid.NAMESPACE_URL, address).urn,
    ).encode()


def bibtex(entry: Entry, site: str) -> str:
    """An entry for a reference list; braces and signs in its title stand as letters."""
    title = re.sub(r"[{}%$#&_]", r"\\\g<0>", entry.title.replace("\\", "/"))
    fields = {
        "title": f"{{{title}}}",
        "author": "{llmnotes contributors}",
        "year": str(entry.date.year),
        "note": f"{SINGULAR[entry.kind]}, {entry.status}, {entry.date}, reviewed {entry.reviewed}",
    }
    if site:
        fields["url"] = urljoin(site, page_of(entry))
    key = re.sub(r"\W+", "_", entry.path.stem)
    lines = [f"  {name} = {{{text}}}," for name, text in fields.items()]
    return "\n".join([f"@misc{{llmnotes_{key},", *lines, "}"])
