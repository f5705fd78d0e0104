"""How a lab's words reach its run: one quiet line in a plain script, and an entry of data when the runner listens."""

from __future__ import annotations

import os
import re
from collections.abc import Container
from typing import Any

MIME = "application/vnd.llmnotes.{}+json"  # how a run's notebook carries what was said
NAME = re.compile(r"[a-z][a-z0-9_]*")


def say(kind: str, entry: dict[str, Any], line: str) -> None:
    """Leave an entry in the run, or print the line where there is none."""
    if "LLMNOTES_RUN" in os.environ:
        from IPython.display import publish_display_data

        publish_display_data({MIME.format(kind): entry, "text/plain": line})
    elif line:
        print(line)


def check_name(kind: str, name: str, taken: Container[str]) -> None:
    """Raise ValueError for a malformed name, and for one that is taken."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"{kind}: the name is {name!r}; expected lower-case words joined by underscores")
    if name in taken and not replayed():
        raise ValueError(f"{kind}: the name {name!r} is taken; each {kind} of a lab needs a name of its own")


def replayed() -> bool:
    """In a notebook of one's own a cell may be run again; in a script or a run of ours, a name comes once."""
    return "LLMNOTES_RUN" not in os.environ and in_notebook()


def in_notebook() -> bool:
    """Whether a Jupyter kernel executes this."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None
