"""API pages depend on source code alone: while the site is served, each is rendered once for every state of it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from mkdocstrings import BaseHandler

from llmnotes.site.labs import digest
from llmnotes.site.store import PACKAGE


@dataclass
class _Rendered:
    html: str
    headings: list[Element] | None = None
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)


Memory = dict[tuple[str, str], _Rendered]  # (state of the sources, identifier) to what was rendered


def remember(handler: BaseHandler, memory: Memory) -> None:
    """Let a handler of mkdocstrings take what it rendered before from memory, while no source of the package changed.

    It stands between the handler and the Markdown extension that calls collect, render, get_headings and get_aliases,
    in this order, for each `:::` block.
    """
    state = digest("".join(digest(path.read_bytes()) for path in sorted(PACKAGE.rglob("*.py"))).encode())
    for old in [key for key in memory if key[0] != state]:
        del memory[old]
    collect, render, headings, aliases = handler.collect, handler.render, handler.get_headings, handler.get_aliases
    now: dict[str, Any] = {}

    def collect_or_recall(identifier: str, options: Any) -> Any:
        now["key"] = (state, identifier)
        return None if now["key"] in memory else collect(identifier, options)

    def render_or_recall(data: Any, options: Any, locale: str | None = None) -> str:
        if now["key"] not in memory:
            memory[now["key"]] = _Rendered(render(data, options, locale=locale))
        return memory[now["key"]].html

    def recalled_headings() -> list[Element]:
        entry = memory[now["key"]]
        if entry.headings is None:
            entry.headings = list(headings())
        return copy.deepcopy(entry.headings)

    def recalled_aliases(identifier: str) -> tuple[str, ...]:
        known = memory[now["key"]].aliases if "key" in now else {}
        if identifier not in known:
            known[identifier] = aliases(identifier)
        return known[identifier]

    handler.collect, handler.render = collect_or_recall, render_or_recall
    handler.get_headings, handler.get_aliases = recalled_headings, recalled_aliases
