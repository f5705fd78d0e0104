"""How long a lab takes to read, counted from its words, figures and open code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from llmnotes.site.run.labs import Cell

WORDS_A_MINUTE = 180
FIGURE, OPEN_CELL, BENCH = 1 / 3, 1.0, 1.0
"""Minutes for a figure, a drawing or an equation; for an open cell or an exercise; for what the reader moves."""

_NO_WORDS = re.compile(
    r"```.*?```|\$\$.*?\$\$|<[^>]+>|\]\([^)]*\)|^ *\?\?\? .*$|\{\{.*?\}\}(?:\{[^}]*\})?", re.S | re.M
)
_LOOKED_AT = re.compile(r"\{\{ *drawing\(|\$\$.+?\$\$", re.DOTALL)
_MOVED = re.compile(r"\{\{ *(?:widget|bench)\(|data-bench=")
_EXERCISE = re.compile(r"^```exercise", re.MULTILINE)


class Minutes(NamedTuple):
    """Minutes for a lab's lesson, and for what stands under "Going deeper"."""

    core: int
    deeper: int


def reading_time(cells: Iterable[Cell]) -> Minutes:
    """Count the minutes that a lab takes: prose at 180 words a minute, figures, open code, what the reader moves.

    Folded code, solutions and the time for exercises at the end are left out.
    """
    minutes, deeper = [0.0, 0.0], False
    for cell in cells:
        if cell.kind == "code":
            minutes[deeper] += _of_code(cell)
            continue
        core, heading, rest = f"\n{cell.source}".partition("\n## Going deeper")
        minutes[deeper] += _of_prose(core)
        deeper = deeper or bool(heading)
        minutes[deeper] += _of_prose(heading + rest)
    return Minutes(max(1, round(minutes[0])), round(minutes[1]))


def _of_prose(text: str) -> float:
    words = len(re.findall(r"\w[\w’'-]*", _NO_WORDS.sub(" 1 ", text)))
    looked, moved = len(_LOOKED_AT.findall(text)), len(_MOVED.findall(text))
    return words / WORDS_A_MINUTE + FIGURE * looked + BENCH * moved + OPEN_CELL * len(_EXERCISE.findall(text))


def _of_code(cell: Cell) -> float:
    calls = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
    named = [(call.func.id, call) for call in calls if isinstance(call.func, ast.Name)]
    words = sum(len(text.split()) for name, call in named if name == "ask" for text in _read(call))
    looked = sum(name in ("figure", "explore") for name, _ in named)
    return words / WORDS_A_MINUTE + FIGURE * looked + OPEN_CELL * ("idea" in cell.tags)


def _read(ask: ast.Call) -> Iterator[str]:
    """What a reader reads of a question: it, its choices, and why the answer is the answer."""
    values = {keyword.arg: keyword.value for keyword in ask.keywords}
    answer = getattr(values.get("answer"), "value", None)
    yield from (one.value for one in ask.args if isinstance(one, ast.Constant))
    for name in ("choices", "because"):
        if isinstance(table := values.get(name), ast.Dict):
            for key, value in zip(table.keys, table.values, strict=True):
                if isinstance(value, ast.Constant) and (name == "choices" or getattr(key, "value", None) == answer):
                    yield str(value.value)
