"""Reading labs: one percent-format script each, its header checked and its cells with their line numbers."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jupytext
import yaml

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.run.digests import digest_of_cells

LEVELS = ("beginner", "intermediate", "advanced")
TOPICS = ("architecture", "representations", "interpretability", "adaptation")
FOLDED = {"setup": "Set-up", "solution": "Solution", "drawing": "How the figure is drawn"}  # cell tags and titles
STEM = re.compile(r"(?P<number>\d\d)_(?P<key>[a-z][a-z0-9_]*)")


@dataclass(frozen=True)
class Cell:
    """A cell of a lab: its kind, source, tags, and the line of the script on which its source begins (from 1)."""

    kind: str  # "markdown" or "code"
    source: str
    tags: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Lab:
    """One lab as its script says it is."""

    path: Path
    title: str
    question: str
    level: str
    minutes: int
    topic: str
    models: tuple[str, ...]
    needs: tuple[str, ...]
    tags: tuple[str, ...]
    thumbnail: str
    timeout: float
    cells: tuple[Cell, ...] = field(repr=False)

    @property
    def stem(self) -> str:
        """`01_xor`: the name of the script, of its recorded run and of its page."""
        return self.path.stem

    @property
    def key(self) -> str:
        """`xor`: the stem without its number, by which pages quote its results."""
        return self.stem.partition("_")[2] if STEM.fullmatch(self.stem) else self.stem

    @property
    def number(self) -> str:
        """`01`, or nothing for a script outside the notebook that has no number."""
        found = STEM.fullmatch(self.stem)
        return found["number"] if found else ""

    @property
    def needs_hub(self) -> bool:
        """Whether it downloads a model: then it runs only where that is asked for."""
        return "hub" in self.needs

    @cached_property
    def code(self) -> tuple[Cell, ...]:
        """The code cells, in order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @cached_property
    def digest(self) -> str:
        """Of what is executed, and of nothing else: prose and comments may change without a new run."""
        return digest_of_cells(cell.source for cell in self.code)

    def line_of(self, cell: int, line: int = 1) -> int:
        """The line of the script on which a line of a code cell stands; both counted from 1, the cell from 0."""
        return self.code[cell].line + line - 1


Remember = Callable[[str, Callable[[], Any]], Any]  # what the second makes of the first, as JSON holds it, perhaps kept


def afresh(source: str, make: Callable[[], Any]) -> Any:
    """A memory that keeps nothing."""
    return make()


def read_lab(path: Path, remember: Remember = afresh) -> Lab:
    """Read one lab and check it.

    Args:
        path: the script.
        remember: gives what its cells are from memory, which takes jupytext a while to say.

    Raises:
        NotebookError: it cannot be read, its header is not as it must be, or its code is not valid Python.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotebookError(f"{path}: cannot be read: {error}") from error
    return _parse(path.resolve(), text, remember)


def _parse(path: Path, text: str, remember: Remember) -> Lab:
    try:
        compile(text, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line, shown = getattr(error, "lineno", 1), (getattr(error, "text", "") or "").strip()
        raise NotebookError(f"{path}:{line}: not valid Python: {getattr(error, 'msg', error)}\n    {shown}") from error
    cells = remember(f"cells {text}", lambda: _read_cells(text))
    if not cells or cells[0][0] != "raw":
        raise NotebookError(f"{path}:1: no header; a lab begins with a commented YAML block between two lines `# ---`")
    header = _header(path, cells[0][1].strip().strip("-"))
    return Lab(path=path, cells=_cells(cells[1:], text), **header)


def _read_cells(text: str) -> list[list]:
    """Of each cell its type, source and tags."""
    cells = jupytext.reads(text, fmt="py:percent").cells
    return [[cell.cell_type, cell.source, list(cell.metadata.get("tags", ()))] for cell in cells]


def find_labs(folder: Path, remember: Remember = afresh) -> tuple[list[Lab], dict[str, NotebookError]]:
    """All labs of a folder in the order of their numbers.

    Returns:
        The labs, and by their stems what is wrong with the others: they cannot be read, share a key with one before
        them, or need a lab that does not exist.
    """
    labs: dict[str, Lab] = {}
    broken: dict[str, NotebookError] = {}
    paths = sorted(folder.glob("[0-9][0-9]_*.py"))
    stems = {path.stem for path in paths}
    for path in paths:
        try:
            lab = read_lab(path, remember)
            if not STEM.fullmatch(lab.stem):
                raise NotebookError(
                    f"{path}: named {lab.stem!r}; expected two digits and lower-case words: 07_residual_stream"
                )
            if lab.key in labs:
                raise NotebookError(
                    f"{path}: the name {lab.key!r} is taken by {labs[lab.key].path.name}; pages quote labs by it"
                )
            for need in lab.needs:
                if need not in stems | {"hub"}:
                    raise NotebookError(f"{path}: header: needs names {need!r}, which is no lab{near(need, stems)}")
        except NotebookError as error:
            broken[path.stem] = error
        else:
            labs[lab.key] = lab
    try:
        in_order({lab.stem: lab.needs for lab in labs.values()})
    except graphlib.CycleError as error:
        circle = error.args[1]
        for lab in [lab for lab in labs.values() if lab.stem in circle]:
            broken[lab.stem] = NotebookError(
                f"{lab.path}: header: needs go in a circle: {' needs '.join(circle[::-1])}"
            )
            del labs[lab.key]
    return list(labs.values()), broken


def in_order(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """The labs, each behind those that it needs.

    Raises:
        graphlib.CycleError: there is no such order.
    """
    return [stem for stem in graphlib.TopologicalSorter(needs).static_order() if stem in needs]


_FIELDS = {  # name: (what it must hold, how that is said)
    "title": (str, "a short text"),
    "question": (str, "one sentence that ends in a question mark"),
    "level": (LEVELS, f"one of {', '.join(LEVELS)}"),
    "minutes": (int, "a whole number of minutes to read it, 1 or more"),
    "topic": (TOPICS, f"one of {', '.join(TOPICS)}"),
    "models": (list, "a list of model names, [] for none"),
    "needs": (list, "a list of labs to read before it (01_xor), and `hub` if it downloads a model; [] for none"),
    "tags": (list, "a list of words"),
    "thumbnail": (str, "the name of one of its figures"),
    "timeout": ((int, float), "seconds, more than 0"),
}
_DEFAULTS = {"timeout": 120.0}


def _header(path: Path, text: str) -> dict:
    try:
        header = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise NotebookError(f"{path}: header: not valid YAML: {error}") from error
    if not isinstance(header, dict):
        raise NotebookError(f"{path}: header: holds {header!r}; expected lines `key: value`")
    for name in header:
        if name not in _FIELDS:
            raise NotebookError(f"{path}: header: unknown key {name!r}{near(str(name), _FIELDS)}")
    for name, (kind, expected) in _FIELDS.items():
        if name not in header:
            if name in _DEFAULTS:
                header[name] = _DEFAULTS[name]
                continue
            raise NotebookError(f"{path}: header: {name!r} is missing; expected {expected}")
        value = header[name]
        allowed = kind if isinstance(kind, tuple) and isinstance(kind[0], str) else None
        right = value in allowed if allowed else isinstance(value, kind) and not isinstance(value, bool)
        if kind is str:
            right = right and bool(value.strip())
        elif kind is list:
            right = right and all(isinstance(item, str) for item in value)
        elif not allowed:
            right = right and value > 0
        if name == "question":
            right = right and value.rstrip().endswith("?")
        if not right:
            raise NotebookError(f"{path}: header: {name} is {value!r}; expected {expected}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in header.items()}


def _cells(cells: list[list], text: str) -> tuple[Cell, ...]:
    """The cells with their first lines, found by reading the script from top to bottom as jupytext did."""
    lines = text.splitlines()
    result, at = [], 0  # how many lines are behind us
    for kind, whole, tags in cells:
        source = whole.splitlines()
        if kind == "code" and source:
            starts = range(at, len(lines) - len(source) + 1)
            at = next((i for i in starts if lines[i : i + len(source)] == source), at)
        else:
            marks = (i for i in range(at, len(lines)) if re.match(r"# ?%%", lines[i]))
            at = next(marks, at) + 1
        kind = "code" if kind == "code" else "markdown"
        result.append(Cell(kind, whole, tuple(tags), at + 1))
        if kind == "code":
            at += len(source)
    return tuple(result)
