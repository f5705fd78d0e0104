"""Most builds leave most pages as they were: what MkDocs made of them is kept between builds."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc

from llmnotes.site.run.digests import digest

RENDERERS = ("jupytext", "markdown", "mkdocs", "pymdown-extensions", "pygments")


class Recall:
    """Pages rendered before, by all that their HTML depends on.

    A page that was rendered with a warning is not kept, so the warning comes again with each build.

    Args:
        folder: where they are kept. It is only ever a shortcut: what cannot be read or written is rendered anew.
        settings: what all pages depend on beside their own text, such as the site's configuration.
    """

    def __init__(self, folder: Path, settings: bytes):
        self.folder = folder
        code = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
        self.settings = settings + code + "".join(map(version, RENDERERS)).encode()
        self.used: set[Path] = set()

    def render(
        self, page: Page, config: MkDocsConfig, files: Files, finish: Callable[[str], str] = lambda html: html
    ) -> str:
        """Give a page its content, contents table, title and anchors from its Markdown, as `Page.render` does.

        Args:
            page: with its `markdown` set.
            config: of the site.
            files: of the site; which there are decides where links lead.
            finish: what is done to the HTML afterwards.

        Returns:
            The finished HTML.
        """
        uris = "\n".join(sorted(file.src_uri for file in files))
        key = digest("\0".join([page.file.src_uri, page.markdown, uris]).encode() + self.settings)
        path = self.folder / f"{key}.json"
        self.used.add(path)
        if (known := _read(path)) and all(files.get_file_from_path(uri) for uri in known["links"]):
            page.content, page.toc = known["html"], get_toc(known["toc"])
            page._title_from_render = known["title"]
            page.present_anchor_ids = set(known["anchors"])
            page.links_to_anchors = {files.get_file_from_path(uri): to for uri, to in known["links"].items()}
            return page.content
        with _Warnings() as warnings:
            Page.render(page, config, files)
            page.content = finish(page.content)
        if not warnings.count:
            links = {file.src_uri: to for file, to in (page.links_to_anchors or {}).items()}
            anchors = sorted(page.present_anchor_ids or ())
            made = {"html": page.content, "toc": _tokens(page.toc), "title": page._title_from_render}
            _write(path, made | {"anchors": anchors, "links": links})
        return page.content

    def value(self, source: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, as JSON holds it, which depends on `source` and the settings alone."""
        path = self.folder / f"{digest(source.encode() + self.settings)}.json"
        self.used.add(path)
        if known := _read(path):
            return known["value"]
        value = make()
        _write(path, {"value": value})
        return value

    def forget(self) -> None:
        """Drop what this build did not use."""
        for path in set(self.folder.glob("*.json")) - self.used:
            path.unlink(missing_ok=True)


def drop_unreadable(folder: Path) -> None:
    """Remove half-written files from a folder of JSON files, on which mkdocs-jupyter would stumble."""
    for path in folder.glob("*.json"):
        if _read(path) is None:
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


def _tokens(links: Any) -> list[dict]:
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
        path.parent.mkdir(exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(entry), encoding="utf-8")
        new.replace(path)
    except OSError:
        pass
