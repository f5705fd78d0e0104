"""`{{ result("xor.solved", ".0%") }}` in Markdown: calls that are replaced when a page is built.

Only calls of known functions with constant arguments are understood; code blocks and code spans are left alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.store import Run

_PARTS = re.compile(
    r"""
    ^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,}) .*? ^[ \t]*(?P=fence)[ \t]*$   # a fenced block
    | (?P<ticks>`+)(?!`) .+? (?<!`)(?P=ticks)(?!`)                           # a code span
    | \{\{ (?P<call>.*?) \}\}
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


def expand(markdown: str, functions: Mapping[str, Callable[..., str]], where: str, first_line: int = 1) -> str:
    """Replace each `{{ call }}` outside code by what the function of that name returns.

    Raises:
        NotebookError: an unknown function, or a call that is not understood; the message begins with `where`.
    """

    def replace(match: re.Match) -> str:
        if match["call"] is None:
            return match[0]
        line = first_line + markdown.count("\n", 0, match.start())
        try:
            call = ast.parse(match["call"].strip(), mode="eval").body
            assert isinstance(call, ast.Call)
            assert isinstance(call.func, ast.Name)
            arguments = [ast.literal_eval(argument) for argument in call.args]
            named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
        except (AssertionError, SyntaxError, ValueError) as error:
            raise NotebookError(
                f"{where}:{line}: {match[0]!r} is not understood; "
                'expected a call such as {{ result("xor.solved", ".0%") }}'
            ) from error
        if call.func.id not in functions:
            raise NotebookError(f"{where}:{line}: unknown function {call.func.id!r}{near(call.func.id, functions)}")
        try:
            return functions[call.func.id](*arguments, **named)
        except NotebookError as error:
            raise NotebookError(f"{where}:{line}: {error}") from error
        except TypeError as error:
            raise NotebookError(f"{where}:{line}: {match[0]!r}: {error}") from error

    return _PARTS.sub(replace, markdown)


def calls(markdown: str, name: str) -> int:
    """How often a function is called outside code."""
    return sum(1 for match in _PARTS.finditer(markdown) if (match["call"] or "").strip().startswith(f"{name}("))


def look_up(name: str, runs: Mapping[str, tuple[Lab, Run | None]]) -> tuple[Lab, Run, float | int | bool]:
    """The recorded value that `xor.solved` names, with its lab and run.

    Args:
        name: the lab's key and the value's name, with a dot between.
        runs: each lab with its run, by key.

    Raises:
        NotebookError: no such lab, no such value, or the lab has no run.
    """
    key, _, value = name.partition(".")
    if not value:
        raise NotebookError(f"result({name!r}): expected 'lab.value', such as 'xor.solved'")
    if key not in runs:
        raise NotebookError(f"result({name!r}): no lab is called {key!r}{near(key, runs)}")
    lab, run = runs[key]
    if run is None:
        raise NotebookError(f"result({name!r}): {lab.stem} has no run to quote from")
    if value not in run.values:
        raise NotebookError(f"result({name!r}): {lab.stem} records no {value!r}{near(value, run.values)}")
    return lab, run, run.values[value].value


def shown(value: float | int | bool, spec: str = "") -> str:
    """A value as text, by a format specification as in `format()`.

    Raises:
        NotebookError: the specification is not one for numbers.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    try:
        text = format(value, spec or (".3g" if isinstance(value, float) else "d"))
    except ValueError as error:
        raise NotebookError(f"the format {spec!r} is not understood: {error}") from error
    return text.replace("-", "\N{MINUS SIGN}", 1) if text.startswith("-") else text
