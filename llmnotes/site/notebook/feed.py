"""The notebook's entries for feed readers (Atom, RFC 4287) and for reference lists (BibTeX)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from urllib.parse import urljoin
from xml.etree import ElementTree

from llmnotes.site.notebook.entries import SINGULAR, Entry

ATOM = "http://www.w3.org/2005/Atom"


def page_of(entry: Entry) -> str:
    """The address of an entry's page below the site's."""
    return entry.uri.removesuffix(".md") + "/"


def atom(entries: Iterable[Entry], site: str, plain: Callable[[Entry], str]) -> bytes:
    """A feed of all entries, newest first.

    Args:
        entries: the entries in that order.
        site: the site's address; if it is empty, links are relative to the feed.
        plain: gives an entry's claim as plain text.
    """
    ElementTree.register_namespace("", ATOM)
    entries = list(entries)

    def add(parent: ElementTree.Element, name: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
        element = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
        element.text = text
        return element

    feed = ElementTree.Element(f"{{{ATOM}}}feed")
    add(feed, "title", "llmnotes: findings, dead ends, surprises and open questions")
    add(feed, "id", uuid.uuid5(uuid.NAMESPACE_URL, site or "llmnotes").urn)
    add(feed, "updated", f"{max((entry.reviewed for entry in entries), default='1970-01-01')}T00:00:00Z")
    add(feed, "link", rel="self", href=urljoin(site, "feed.xml"))
    add(feed, "link", rel="alternate", href=site or ".")
    add(add(feed, "author"), "name", "llmnotes contributors")
    for entry in entries:
        item = add(feed, "entry")
        add(item, "title", f"{SINGULAR[entry.kind]}: {entry.title}")
        add(item, "id", uuid.uuid5(uuid.NAMESPACE_URL, (site or "llmnotes/") + entry.uri).urn)
        add(item, "published", f"{entry.date}T00:00:00Z")
        add(item, "updated", f"{entry.reviewed}T00:00:00Z")
        add(item, "link", rel="alternate", href=urljoin(site, page_of(entry)))
        add(item, "category", term=entry.kind)
        add(item, "summary", plain(entry))
    return ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)


def bibtex(entry: Entry, site: str) -> str:
    """An entry for a reference list."""
    key = re.sub(r"\W+", "_", entry.path.stem)
    lines = [
        f"@misc{{llmnotes_{key},",
        f"  title = {{{{{_bibtex(entry.title)}}}}},",
        "  author = {{llmnotes contributors}},",
        f"  year = {{{entry.date.year}}},",
        f"  note = {{{SINGULAR[entry.kind]}, {entry.status}, {entry.date}, reviewed {entry.reviewed}}},",
    ]
    if site:
        lines.append(f"  url = {{{urljoin(site, page_of(entry))}}},")
    return "\n".join([*lines, "}"])


def _bibtex(text: str) -> str:
    """Text inside braces: with its own braces and signs as letters."""
    return re.sub(r"[{}%$#&_]", r"\\\g<0>", text.replace("\\", "/"))
