"""The build cache: what a page became is kept between builds, by all that it was made of.

It is only ever a shortcut: what cannot be read or written is made anew.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc
from mkdocs.utils import CountHandler

from llmnotes.site.run.digests import digest

RENDERERS = ("markdown", "mkdocs", "mkdocs-autorefs", "pymdown-extensions", "pygments")


class BuildCache:
    """Pages rendered before, in a folder, by their text and by what all pages depend on, such as the configuration."""

    def __init__(self, folder: Path, settings: bytes):
        self.folder = folder
        code = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
        self.settings = settings + code + "".join(map(version, RENDERERS)).encode()
        self.used: set[Path] = set()
        self.uris = ""

    def render(self, page: Page, config: MkDocsConfig, files: Files, finish: Callable[[str], str]) -> None:
        """Give a page its content, contents table, title and anchors from its Markdown, as `Page.render` does.

        What is done to its HTML afterwards (`finish`) is kept with it. A page that was rendered with a warning is not
        kept, so that the warning comes again with each build.
        """
        self.uris = self.uris or "\n".join(sorted(file.src_uri for file in files))  # these decide where links lead
        key = digest("\0".join([page.file.src_uri, page.markdown, self.uris]).encode() + self.settings)
        path = self.folder / f"{key}.json"
        self.used.add(path)
        with suppress(OSError, ValueError):
            kept = json.loads(path.read_text(encoding="utf-8"))
            page.content, page.toc, page._title_from_render = kept["html"], get_toc(kept["toc"]), kept["title"]
            page.present_anchor_ids = set(kept["anchors"])
            page.links_to_anchors = {files.get_file_from_path(uri): to for uri, to in kept["links"].items()}
            return
        warnings = CountHandler(level=logging.WARNING)
        logging.getLogger("mkdocs").addHandler(warnings)
        try:
            Page.render(page, config, files)
        finally:
            logging.getLogger("mkdocs").removeHandler(warnings)
        page.content = finish(page.content)
        if not warnings.get_counts():
            made = {"html": page.content, "toc": _tokens(page.toc), "title": page._title_from_render}
            made["anchors"] = sorted(page.present_anchor_ids or ())
            made["links"] = {file.src_uri: to for file, to in (page.links_to_anchors or {}).items()}
            with suppress(OSError):
                self.folder.mkdir(parents=True, exist_ok=True)
                new = path.with_suffix(".new")
                new.write_text(json.dumps(made), encoding="utf-8")
                new.replace(path)

    def forget(self) -> None:
        """Drop what this build did not use."""
        for path in set(self.folder.glob("*.json")) - self.used:
            path.unlink(missing_ok=True)


def _tokens(links) -> list[dict]:
    """A table of contents in the form that `get_toc` reads."""
    return [{"name": one.title, "id": one.id, "level": one.level, "children": _tokens(one.children)} for one in links]
