"""What counts as a change: of code what it does, of everything else its bytes.

Comments, docstrings, blank lines, line endings and a byte-order mark change nothing. `ast.dump` would do, but Python
versions print the same tree differently, and a run recorded on one must speak on the other.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def digest(content: bytes) -> str:
    """SHA-256, the first 32 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:32]


def digest_of_cells(sources: Iterable[str]) -> str:
    """The digest of code cells, in order: what each does, and what it shows of its last line.

    Raises:
        SyntaxError: one is not valid Python.
    """
    return digest("\n# %%\n".join(_cell(source) for source in sources).encode())


def _cell(source: str) -> str:
    tree = ast.parse(source)
    if not tree.body:
        return ""
    last = tree.body[-1]
    rest = source.encode().splitlines()[last.end_lineno - 1][last.end_col_offset :]  # positions are counted in bytes
    quiet = rest.lstrip().startswith(b";")  # IPython then does not show the value
    shown = isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant)  # also where it is a text by itself
    return _shape(tree) + (f" shows {last.value.value!r}" if shown else "") + (" quietly" if quiet else "")


def _shape(node: object) -> str:
    """A syntax tree as text, without positions and without texts that stand by themselves (docstrings)."""
    if isinstance(node, ast.AST):
        said = [type(node).__name__]
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                value = [one for one in value if not _is_text_alone(one)]
            # what is empty differs between versions of Python, and where a name stands says whether it is stored
            if (value is None and name != "value") or value == [] or name in ("ctx", "kind", "type_comment"):
                continue
            said.append(f"{name}={_shape(value)}")
        return f"({' '.join(said)})"
    if isinstance(node, list):
        return f"[{' '.join(map(_shape, node))}]"
    return f"{type(node).__name__} {node!r}"


def _is_text_alone(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


# Names of folders in which nothing lies that somebody wrote for a lab to read
NOT_SOURCES = {".cache", ".venv", ".git", "__pycache__", "site-packages", "site"}


def digest_of(path: Path) -> str:
    """The digest of a Python file's code, of any other file's bytes, or of a folder; "gone" of nothing.

    Of a folder its own files count, but for its card, README.md; of `folder/*` the names in it.
    """
    if path.name == "*":
        names = set(os.listdir(path.parent)) - NOT_SOURCES if path.parent.is_dir() else ()
        return digest("\n".join(sorted(names)).encode())
    if path.is_dir():
        files = sorted(file for file in path.glob("*") if file.is_file() and file.name != "README.md")
        return digest("\n".join(f"{file.name} {digest_of(file)}" for file in files).encode())
    if not path.is_file():
        return "gone"
    state = path.stat()
    return _digest_of_file(path, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


@functools.lru_cache(maxsize=4096)  # most labs depend on the same files of the package and on the same models
def _digest_of_file(path: Path, *_: int) -> str:
    content = path.read_bytes()
    if path.suffix == ".py":
        with suppress(SyntaxError, ValueError, RecursionError):
            content = _shape(ast.parse(content)).encode()
    return digest(content)


def changed_at(path: Path) -> int:
    """When what `digest_of` looks at last changed, in nanoseconds by the clock of its file system."""
    paths = [path.parent] if path.name == "*" else [path, *path.glob("*")]
    return max(one.stat().st_ctime_ns for one in paths)
