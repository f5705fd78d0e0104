"""The first build of a checkout has every lab to render: a second process does that while the first does the rest."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from mkdocs.commands.build import _populate_page

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import File, Files


def render_beside(pages: list[File], config: MkDocsConfig, files: Files) -> Callable[[], None]:
    """Render pages in a process of their own, for what it leaves in the memory on disk (see `recall`).

    Whatever goes wrong there goes wrong again, and is told, when the page is rendered here.

    Returns:
        What to call before one of these pages is asked for: it waits until the other process has ended.
    """
    # A fork copies no threads, and might copy a lock that one of them holds.
    if not hasattr(os, "fork") or (os.cpu_count() or 1) < 2 or threading.active_count() > 1:
        return lambda: None
    if child := os.fork():
        waiting = [child]
        return lambda: os.waitpid(waiting.pop(), 0) if waiting else None
    try:
        logging.getLogger("mkdocs").handlers.clear()
        for page in pages:
            _populate_page(page.page, config, files)
    finally:
        os._exit(0)
