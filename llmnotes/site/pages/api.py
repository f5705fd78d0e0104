"""API pages depend on source code alone, so each is rendered once for every state of its module."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from mkdocstrings import BaseHandler

from llmnotes.site.run.digests import digest
from llmnotes.site.run.store import PACKAGE


@dataclass
class _Rendered:
    html: str
    headings: list[str] | None = None  # as XML
    aliases: dict[str, list[str]] = field(default_factory=dict)


class Memory:
    """What mkdocstrings rendered, by the state of what it came from; kept in a file between builds.

    Args:
        file: where it is kept. It is only ever a shortcut: if it cannot be read or written, pages are rendered anew.
        settings: what else the pages depend on, such as the site's configuration.
    """

    def __init__(self, file: Path, settings: bytes):
        self.file = file
        self.settings = settings + "".join(map(version, ("mkdocstrings", "mkdocstrings-python", "griffelib"))).encode()
        self.used: dict[str, _Rendered] = {}
        try:
            stored = json.loads(file.read_text(encoding="utf-8"))
            self.known = {key: _Rendered(**entry) for key, entry in stored.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self.known = {}

    def key(self, identifier: str) -> str:
        """The identifier with the state of its module, or of the whole package if it names no module."""
        module = PACKAGE.parent / (identifier.replace(".", "/") + ".py")
        paths = [module] if module.is_file() else sorted(PACKAGE.rglob("*.py"))
        return f"{identifier} {digest(self.settings + b''.join(path.read_bytes() for path in paths))}"

    def save(self) -> None:
        """Keep what this build used, and nothing older."""
        try:
            new = self.file.with_suffix(".new")
            new.write_text(json.dumps({key: asdict(entry) for key, entry in self.used.items()}), encoding="utf-8")
            new.replace(self.file)
        except OSError:
            pass


def remember(handler: BaseHandler, memory: Memory) -> None:
    """Let a handler of mkdocstrings take what it rendered before from memory.

    It stands between the handler and the Markdown extension that calls collect, render, get_headings and get_aliases,
    in this order, for each `:::` block.
    """
    collect, render, headings, aliases = handler.collect, handler.render, handler.get_headings, handler.get_aliases
    now: dict[str, Any] = {}

    def collect_or_recall(identifier: str, options: Any) -> Any:
        now["key"] = memory.key(identifier)
        if entry := memory.known.get(now["key"]):
            memory.used[now["key"]] = entry
            return None
        return collect(identifier, options)

    def render_or_recall(data: Any, options: Any, locale: str | None = None) -> str:
        if now["key"] not in memory.used:
            entry = _Rendered(render(data, options, locale=locale))
            memory.known[now["key"]] = memory.used[now["key"]] = entry
        return memory.used[now["key"]].html

    def recalled_headings() -> list[ElementTree.Element]:
        entry = memory.used[now["key"]]
        if entry.headings is None:
            entry.headings = [ElementTree.tostring(heading, encoding="unicode") for heading in headings()]
        return [ElementTree.fromstring(heading) for heading in entry.headings]

    def recalled_aliases(identifier: str) -> tuple[str, ...]:
        known = memory.used[now["key"]].aliases if "key" in now else {}
        if identifier not in known:
            known[identifier] = list(aliases(identifier))
        return tuple(known[identifier])

    handler.collect, handler.render = collect_or_recall, render_or_recall
    handler.get_headings, handler.get_aliases = recalled_headings, recalled_aliases
