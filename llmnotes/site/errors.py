"""What goes wrong for a reason that its message explains: shown without a traceback, also by MkDocs; exit code 1."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from mkdocs.exceptions import BuildError


class NotebookError(BuildError):
    """A lab, an entry or the store is not as it must be; the message says where, what was expected, and the way out."""


def near(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where something known looks like the name, else `; there are: …`."""
    known = sorted(known)
    if found := difflib.get_close_matches(name, known, n=1, cutoff=0.6):
        return f"; did you mean {found[0]!r}?"
    return f"; there are: {', '.join(known)}" if known else "; there are none yet"


def pick(known: Mapping[str, Any], name: str, where: str, what: str) -> Any:
    """What is known under a name.

    Raises:
        NotebookError: nothing is; the message says where the name stands, of what it should be one, and what is near.
    """
    if name not in known:
        raise NotebookError(f"{where} {name!r}: no such {what}{near(name, known)}")
    return known[name]
