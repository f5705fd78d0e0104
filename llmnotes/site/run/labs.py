"""Reading labs: one percent-format script each, its header checked, its cells with their lines, its minutes counted."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, get_args

import jupytext
from pydantic import Field

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.run.digests import digest_of_cells
from llmnotes.site.run.fields import Fields, Names, Text

Level = Literal["beginner", "intermediate", "advanced"]
Chapter = Literal["Start", "Inside", "Who does it", "Changing it", "In the wild", "Building one"]  # in their order
LEVELS, CHAPTERS = get_args(Level), get_args(Chapter)
SMOLLM2 = "smollm2"  # llmnotes.model.smollm2 by its name: importing it takes torch, which pages do without
FOLDED = {"setup": "Set-up", "solution": "Solution", "drawing": "How the figure is drawn"}  # cell tags and titles
STEM = re.compile(r"\d\d_[a-z][a-z0-9_]*")
# Comments stay comments: jupytext would read `# !ls` and `# %time` as commands of IPython.
FORMAT = {"extension": ".py", "format_name": "percent", "comment_magics": False}

_NO_WORDS = re.compile(
    r"```.*?```|\$\$.*?\$\$|<[^>]+>|\]\([^)]*\)|^ *\?\?\? .*$|\{\{.*?\}\}(?:\{[^}]*\})?", re.S | re.M
)
_LOOKED_AT = re.compile(r"\{\{ *drawing\(|\$\$.+?\$\$|^ *(?:figure|explore)\(", re.S | re.M)  # a third of a minute
_WORKED_ON = re.compile(r"\{\{ *(?:widget|bench)\(|data-bench=|^```(?:exercise|idea)|^ask\(", re.M)  # a minute


@dataclass(frozen=True)
class Cell:
    """A cell of a lab: its kind, source, tags, and the line of the script on which its source begins (from 1)."""

    kind: Literal["markdown", "code"]
    source: str
    tags: tuple[str, ...]
    line: int


class Minutes(NamedTuple):
    """Minutes for a lab's lesson, and for what stands under "Going deeper"."""

    core: int
    deeper: int


class Lab(Fields):
    """One lab as its script says it is: the fields of its header, its path and its cells."""

    title: Text = Field(description="a short text")
    question: Annotated[Text, Field(pattern=r"\?$")] = Field(description="one sentence that ends in a question mark")
    level: Level = Field(description=f"one of {', '.join(LEVELS)}")
    minutes: int | None = Field(
        None,
        gt=0,
        description="a whole number of minutes to read it, 1 or more; counted from the lab if it is left out",
    )
    answer: str = Field("", description="one sentence with its one number, which may quote a result; may be left out")
    chapter: Chapter = Field(
        description=f"one of {', '.join(CHAPTERS)}; a lab may need only labs that stand before it in that order"
    )
    models: Names = Field(description="a list of model names, [] for none")
    needs: Names = Field(
        description="a list of labs to read before it (01_xor), and `smollm2` if it studies that model, "
        "`hub` if it downloads another; [] for none"
    )
    tags: Names = Field(description="a list of words")
    thumbnail: Text = Field(description="the name of one of its figures")
    timeout: float = Field(120, gt=0, allow_inf_nan=False, description="seconds, more than 0; 120 if it is left out")

    path: Path
    script: str = Field(repr=False)
    cells: tuple[Cell, ...] = Field(repr=False)

    @property
    def stem(self) -> str:
        """`01_xor`: the name of the script, of its recorded run and of its page."""
        return self.path.stem

    @property
    def key(self) -> str:
        """`xor`: the stem without its number, by which pages quote its results."""
        return self.stem.removeprefix(f"{self.number}_")

    @property
    def number(self) -> str:
        """`01`, or nothing for a script outside the notebook that has no number."""
        return self.stem[:2] if STEM.fullmatch(self.stem) else ""

    @property
    def uri(self) -> str:
        """The source of its page."""
        return f"labs/{self.stem}.md"

    @cached_property
    def reading(self) -> Minutes:
        """How many minutes its lesson takes, and what stands under "Going deeper"."""
        counted = reading_time(self.cells)
        return counted._replace(core=self.minutes or counted.core)

    @property
    def code(self) -> tuple[Cell, ...]:
        """The code cells, in order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @cached_property
    def digest(self) -> str:
        """Of what is executed, and of nothing else: prose and comments may change without a new run."""
        return digest_of_cells(cell.source for cell in self.code)


def read_lab(path: Path) -> Lab:
    """Read one lab and check it.

    Raises:
        NotebookError: it cannot be read, its header is not as it must be, or its code is not valid Python.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a byte-order mark
    except (OSError, UnicodeDecodeError) as error:
        raise NotebookError(f"{path}: cannot be read: {error}") from error
    return _parse(path.resolve(), text)


@functools.lru_cache(maxsize=256)  # jupytext takes a while, and while a site is served most labs stay as they are
def _parse(path: Path, text: str) -> Lab:
    try:
        compile(text, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line, shown = getattr(error, "lineno", 1), (getattr(error, "text", "") or "").strip()
        raise NotebookError(f"{path}:{line}: not valid Python: {getattr(error, 'msg', error)}\n    {shown}") from error
    cells = jupytext.reads(text, fmt=FORMAT).cells
    if not cells or cells[0].cell_type != "raw":
        raise NotebookError(f"{path}:1: no header; a lab begins with a commented YAML block between two lines `# ---`")
    header = cells[0].source.strip().strip("-")
    return Lab.check(header, f"{path}: header", path=path, script=text, cells=_cells(cells[1:], text))


def find_labs(folder: Path) -> tuple[list[Lab], dict[str, NotebookError]]:
    """All labs of a folder, in the order of their chapters, and in each of their numbers.

    Returns:
        The labs, and by their stems what is wrong with the others: they cannot be read, are misnamed, share a number or
        a key with one before them, or need a lab that does not exist or stands behind them.
    """
    labs: list[Lab] = []
    broken: dict[str, NotebookError] = {}
    cells = re.compile(r"\A# ---|^# ?%%", re.MULTILINE)  # which a module that stands beside the labs has not
    for path in sorted(folder.glob("*.py")):
        if not (path.stem[0].isdigit() or cells.search(path.read_text(encoding="utf-8-sig", errors="replace"))):
            continue
        try:
            if not STEM.fullmatch(path.stem):
                raise NotebookError(
                    f"{path}: named {path.stem!r}; expected two digits and lower-case words: 07_residual_stream"
                )
            lab = read_lab(path)
            if taken := [other.path.name for other in labs if lab.number == other.number or lab.key == other.key]:
                raise NotebookError(f"{path}: its number or its name is taken by {taken[0]}; give it another")
            labs.append(lab)
        except NotebookError as error:
            broken[path.stem] = error
    labs.sort(key=lambda lab: (CHAPTERS.index(lab.chapter), lab.stem))
    before = {"hub", SMOLLM2, *broken}
    for lab in labs:
        for need in [one for one in lab.needs if one not in before]:
            why = f"is no lab that stands before it, in the order of chapters and numbers{near(need, before)}"
            broken[lab.stem] = NotebookError(f"{lab.path}: header: needs names {need!r}, which {why}")
        before.add(lab.stem)
    return [lab for lab in labs if lab.stem not in broken], broken


def _cells(cells: list, text: str) -> tuple[Cell, ...]:
    """The cells with their first lines, by reading the script from top to bottom as jupytext did."""
    text, result, at = re.sub(r"\n#%%", "\n# %%", f"\n{text}\n"), [], 0
    for cell in cells:
        kind = "code" if cell.cell_type == "code" else "markdown"
        sought = f"\n{cell.source}\n" if kind == "code" and cell.source else "\n# %%"  # before the cell's first line
        at = max(at, text.find(sought, at))
        line = text.count("\n", 0, at + 1) + (sought == "\n# %%")
        result.append(Cell(kind, cell.source, tuple(cell.metadata.get("tags", ())), line))
        at += len(sought) - 1
    return tuple(result)


def reading_time(cells: Iterable[Cell]) -> Minutes:
    """Count the minutes that a lab takes: prose at 180 words a minute, figures, open code, what the reader moves.

    Folded code, solutions and the time for exercises at the end are left out.
    """
    text = "\n".join(cell.source if cell.kind == "markdown" else _as_fence(cell) for cell in cells)
    core, _, deeper = text.partition("\n## Going deeper")
    return Minutes(max(1, round(_minutes(core))), round(_minutes(deeper)))


def _minutes(text: str) -> float:
    words = len(re.findall(r"\w[\w’'-]*", _NO_WORDS.sub(" 1 ", text)))
    return words / 180 + len(_LOOKED_AT.findall(text)) / 3 + len(_WORKED_ON.findall(text))


def _as_fence(cell: Cell) -> str:
    return f"```{' '.join(cell.tags)}\n{cell.source.replace('```', '')}\n```"
