"""While the site is served: when only prose was edited, the pages that hold it are made again, and no others."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment
from mkdocs.commands.build import _build_page, _populate_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation

from llmnotes.site.errors import NotebookError
from llmnotes.site.pages.contents import lab_uri
from llmnotes.site.pages.writing import lab_page
from llmnotes.site.run.labs import read_lab

if TYPE_CHECKING:
    from llmnotes.site.pages.plugin import LlmnotesPlugin

log = logging.getLogger("mkdocs.plugins.llmnotes")


@dataclass
class Built:
    """What the last whole build left: enough to make a page of it again."""

    config: MkDocsConfig
    files: Files
    nav: Navigation
    env: Environment


class Rebuild:
    """The server's builder: a whole build, unless the only change is to the prose of pages.

    Other pages know of a page its title, its front matter and, of a lab, its code. As long as those stay, nothing but
    the page itself can have changed. Search learns of the new words with the next whole build.

    Args:
        whole: builds everything.
        built: gives what the last whole build left.
        plugin: knows the notebook as that build knew it.
    """

    def __init__(self, whole: Callable[[], None], built: Callable[[], Built], plugin: LlmnotesPlugin) -> None:
        self.whole, self.built, self.plugin = whole, built, plugin
        self.broken = False
        self._look()

    def __call__(self) -> None:
        """Build what changed since the last build that was whole and right."""
        begin = time.perf_counter()
        before, heads = self.seen, self.heads
        self._look()
        changed = [path for path in self.seen | before if self.seen.get(path) != before.get(path)]
        pages = [self._page(path, heads) for path in changed]
        if self.broken or not changed or None in pages:
            self.broken = True  # until it has come to its end: what failed may have left half a site
            self.whole()
            self.broken = False
            return
        self.broken = True
        for file in pages:
            self._make(file)
        self.broken = False
        log.info(
            "Only prose changed: %s made again in %.2f seconds",
            ", ".join(path.name for path in changed),
            time.perf_counter() - begin,
        )

    def _look(self) -> None:
        """Note the state of everything that is watched."""
        self.seen = dict(self._states())
        self.heads = {path: _head(path) for path in self.seen if path.suffix == ".md"}

    def _states(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        config = self.built().config
        root = Path(config.config_file_path).parent
        folders = (Path(config.docs_dir), root / "labs", root / "llmnotes")
        for path in (Path(config.config_file_path), *(path for folder in folders for path in folder.rglob("*"))):
            with suppress(OSError):  # gone since it was listed
                if path.is_file() and not _is_passing(path):
                    state = path.stat()
                    yield path, (state.st_mtime_ns, state.st_size)

    def _page(self, path: Path, heads: dict[Path, str]) -> File | None:
        """The page that a changed file is the prose of; None if more than prose changed."""
        built = self.built()
        docs = Path(built.config.docs_dir)
        if path in heads and path.is_relative_to(docs):
            same = heads[path] == self.heads.get(path) and path.name != "glossary.md"
            return built.files.get_file_from_path(path.relative_to(docs).as_posix()) if same else None
        old = next((lab for lab in self.plugin.contents.labs if lab.path == path), None)
        if old and path.exists():
            try:
                new = read_lab(path)
            except NotebookError:
                return None  # the whole build says what is wrong
            if new.digest == old.digest and new.model_copy(update={"cells": old.cells, "script": old.script}) == old:
                self.plugin.take(new)
                file = built.files.get_file_from_path(lab_uri(new))
                file.content_string = lab_page(self.plugin.contents, new)
                return file
        return None

    def _make(self, file: File) -> None:
        built = self.built()
        _populate_page(file.page, built.config, built.files)
        if "autorefs" in built.config.plugins:
            built.config.plugins["autorefs"].on_env(built.env, config=built.config, files=Files([file]))
        pages = built.files.documentation_pages(inclusion=InclusionLevel.is_in_serve)
        _build_page(file.page, built.config, pages, built.nav, built.env)


def _head(path: Path) -> str:
    """What other pages show of a Markdown page: its front matter and its first heading."""
    text = path.read_text(encoding="utf-8", errors="replace")
    front, _, body = text.partition("\n---") if text.startswith("---") else ("", "", text)
    return front + next((line for line in body.splitlines() if line.startswith("# ")), "")


def _is_passing(path: Path) -> bool:
    """Whether a file is an editor's or an interpreter's own: swap files, backups, compiled code."""
    name = path.name
    return "__pycache__" in path.parts or name.startswith((".", "#")) or name.endswith(("~", ".swp", ".tmp", ".new"))


def check_port(host: str, port: int) -> None:
    """Raise an error that says what to do unless an address is free."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NotebookError(
                f"{host}:{port} cannot be served on ({error.strerror}); choose another port: "
                f"make serve PORT={port + 1}, or mkdocs serve -a {host}:{port + 1}"
            ) from error
