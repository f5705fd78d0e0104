"""While the site is served: when only prose was edited, the pages that hold it are made again, and no others."""

from __future__ import annotations

import functools
import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.commands.build import _build_page, _populate_page
from mkdocs.structure.files import File, Files, InclusionLevel

from llmnotes.site.errors import NotebookError
from llmnotes.site.pages.writing import lab_page
from llmnotes.site.run.labs import read_lab

if TYPE_CHECKING:
    from llmnotes.site.pages.plugin import LlmnotesPlugin

log = logging.getLogger("mkdocs.plugins.llmnotes")


class Rebuild:
    """The server's builder: a whole build, unless the only change is to the prose of pages.

    Other pages know of a page its title, its front matter and, of a lab, its code. As long as those stay, nothing but
    the page itself can have changed. Search learns of the new words with the next whole build.
    """

    def __init__(self, whole: Callable[[], None], plugin: LlmnotesPlugin) -> None:
        self.whole, self.plugin = whole, plugin
        self.broken = False
        self.seen = self._look()

    def __call__(self) -> None:
        """Build what changed since the last build that was whole and right."""
        begin = time.perf_counter()
        before, self.seen = self.seen, self._look()
        changed = [path for path in self.seen | before if self.seen.get(path) != before.get(path)]
        files = [self._prose_of(path, before) for path in changed]
        whole = self.broken or not changed or None in files
        self.broken = True  # until it has come to its end: what failed may have left half a site
        if whole:
            self.whole()
        else:
            for file in files:
                self._make(file)
            names, seconds = ", ".join(path.name for path in changed), time.perf_counter() - begin
            log.info("Only prose changed: %s made again in %.2f seconds", names, seconds)
        self.broken = False

    def _look(self) -> dict[Path, tuple[str, int]]:
        """The state of all that is watched: of Markdown what other pages show of it, and of each file its age."""
        config, seen = self.plugin.built.config, {}
        settings = Path(config.config_file_path)
        folders = (Path(config.docs_dir), settings.parent / "labs", settings.parent / "llmnotes")
        for path in (settings, *(path for folder in folders for path in folder.rglob("*"))):
            with suppress(OSError):  # gone since it was listed
                if path.is_file() and not _is_passing(path):
                    seen[path] = (_head(path) if path.suffix == ".md" else "", path.stat().st_mtime_ns)
        return seen

    def _prose_of(self, path: Path, before: dict[Path, tuple[str, int]]) -> File | None:
        """The page that a changed file is the prose of; None if more than prose changed."""
        contents, files = self.plugin.contents, self.plugin.built.files
        if path not in before or path not in self.seen:
            return None
        if path.suffix == ".md" and path.is_relative_to(contents.docs) and path.name != "glossary.md":
            same = before[path][0] == self.seen[path][0]
            return files.get_file_from_path(path.relative_to(contents.docs).as_posix()) if same else None
        if old := next((lab for lab in contents.labs if lab.path == path), None):
            with suppress(NotebookError):  # the whole build says what is wrong
                new = read_lab(path)
                prose = {"cells": new.cells, "script": new.script}
                if new.digest == old.digest and new == old.model_copy(update=prose):
                    runs = {**contents.runs, new.key: (new, contents.runs[new.key][1])}
                    self.plugin.contents = replace(contents, runs=runs)
                    file = files.get_file_from_path(new.uri)
                    file.content_string = lab_page(self.plugin.contents, new)
                    return file
        return None

    def _make(self, file: File) -> None:
        built = self.plugin.built
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
    return path.name.startswith((".", "#")) or path.name.endswith(("~", ".swp", ".tmp", ".new", ".pyc"))


@functools.cache  # later builds find our own server there
def check_port(host: str, port: int) -> None:
    """Raise an error that says what to do unless an address is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise NotebookError(
            f"{host}:{port} cannot be served on ({error.strerror}); choose another port: "
            f"make serve PORT={port + 1}, or mkdocs serve -a {host}:{port + 1}"
        ) from error
