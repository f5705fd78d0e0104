"""The build cache: what a page became is kept between builds, by all that it was made of.

It is only ever a shortcut: what cannot be read or written is made anew.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc

from llmnotes.site.run.digests import digest

RENDERERS = ("markdown", "mkdocs", "mkdocs-autorefs", "mkdocstrings-python", "pymdown-extensions", "pygments")
Aliases = Mapping[str, list[str]]  # of an anchor on an API page, the other names of what it documents


class BuildCache:
    """Pages rendered before.

    A page that was rendered with a warning is not kept, so the warning comes again with each build.

    Args:
        folder: where they are kept.
        settings: what all pages depend on beside their own text, such as the site's configuration.
    """

    def __init__(self, folder: Path, settings: bytes):
        self.folder = folder
        code = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
        self.settings = settings + code + "".join(map(version, RENDERERS)).encode()
        self.used: set[Path] = set()

    def render(
        self,
        page: Page,
        config: MkDocsConfig,
        files: Files,
        finish: Callable[[str], str],
        depends: bytes = b"",
        aliases: Callable[[str], Aliases] = lambda html: {},
    ) -> Aliases:
        """Give a page its content, contents table, title and anchors from its Markdown, as `Page.render` does.

        Args:
            page: with its `markdown` set.
            config: of the site.
            files: of the site; which there are decides where links lead.
            finish: what is done to its HTML afterwards, and kept with it.
            depends: what this page depends on beside its Markdown.
            aliases: finds the other names of what the rendered page documents.

        Returns:
            Those names.
        """
        uris = "\n".join(sorted(file.src_uri for file in files))
        key = digest("\0".join([page.file.src_uri, page.markdown, uris]).encode() + depends + self.settings)
        path = self.folder / f"{key}.json"
        self.used.add(path)
        if (kept := _read(path)) and all(files.get_file_from_path(uri) for uri in kept["links"]):
            page.content, page.toc = kept["html"], get_toc(kept["toc"])
            page._title_from_render = kept["title"]
            page.present_anchor_ids = set(kept["anchors"])
            page.links_to_anchors = {files.get_file_from_path(uri): to for uri, to in kept["links"].items()}
            return kept["aliases"]
        with _Warnings() as warnings:
            Page.render(page, config, files)
        names = aliases(page.content)
        page.content = finish(page.content)
        if not warnings.count:
            links = {file.src_uri: to for file, to in (page.links_to_anchors or {}).items()}
            anchors = sorted(page.present_anchor_ids or ())
            made = {"html": page.content, "toc": _tokens(page.toc), "title": page._title_from_render}
            _write(path, made | {"anchors": anchors, "links": links, "aliases": names})
        return names

    def forget(self) -> None:
        """Drop what this build did not use."""
        for path in set(self.folder.glob("*.json")) - self.used:
            path.unlink(missing_ok=True)


class _Warnings(logging.Handler):
    """Counts what MkDocs complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1

    def __enter__(self) -> _Warnings:
        logging.getLogger("mkdocs").addHandler(self)
        return self

    def __exit__(self, *exception: object) -> None:
        logging.getLogger("mkdocs").removeHandler(self)


def _tokens(links) -> list[dict]:
    """A table of contents in the form that `get_toc` reads."""
    return [
        {"name": link.title, "id": link.id, "level": link.level, "children": _tokens(link.children)} for link in links
    ]


def _read(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(path: Path, entry: dict) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(entry), encoding="utf-8")
        new.replace(path)
    except OSError:
        pass
