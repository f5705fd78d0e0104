"""`{{ result("xor.solved", ".0%") }}` in Markdown: calls that are replaced when a page is built.

Only calls of known functions with constant arguments are understood; code blocks and code spans are left alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping

from jinja2 import UndefinedError

from llmnotes.site.errors import NotebookError, near, pick
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.store import Run

_PARTS = re.compile(
    r"""
    ^```exercise\n(?P<exercise>.*?)^```[ \t]*$                                        # pages/exercises.py
    | ^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,}) .*? ^[ \t]*(?P=fence)[ \t]*$            # a fenced block
    | (?<![\\`])(?P<ticks>`+)(?!`) (?:(?!\n[ \t]*\n).)+? (?<!`)(?P=ticks)(?!`)     # a code span, in one paragraph
    | (?P<maths> \$\$ (?:(?!\n[ \t]*\n).)+? \$\$
               | (?<![\\$])\$(?![\s$]) (?:\\.|(?!\n[ \t]*\n)[^\\$])+? (?<!\s)\$ )
    | \{\{ (?P<call>.*?) \}\}
    | (?P<open>\{\{)
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
_IN_MATHS = re.compile(r"\{\{(?P<call>\s*\w+\(.*?\)\s*)\}\}", re.DOTALL)  # TeX has double braces of its own
Functions = Mapping[str, Callable[..., str]]


def expand(
    markdown: str, functions: Functions, where: str, first_line: int = 1, in_maths: Functions | None = None
) -> str:
    """Replace each `{{ call }}` outside code by what the function of that name returns, and so a block ```exercise.

    Messages name the source `where` and its line. Inside formulas, where no link can stand, functions are `in_maths`.

    Raises:
        NotebookError: an unknown function, a call that is not understood, or braces that are not closed.
    """

    def replaced(part: re.Match) -> str:
        at = f"{where}:{first_line + markdown.count(chr(10), 0, part.start())}"
        if part["open"]:
            raise NotebookError(f"{at}: '{{{{' is not closed; a call ends in '}}}}', and code stands in backticks")
        try:
            if part["exercise"] is not None:
                return functions["exercise"](part["exercise"])
            if part["call"] is not None:
                return _called(part, functions)
            known = functions if in_maths is None else in_maths
            return _IN_MATHS.sub(lambda one: _called(one, known), part[0]) if part["maths"] else part[0]
        except NotebookError as error:
            raise NotebookError(f"{at}: {error}") from error

    return _PARTS.sub(replaced, markdown)


def _called(match: re.Match, functions: Functions) -> str:
    try:
        call = ast.parse(match["call"].strip(), mode="eval").body
        name = call.func.id
        arguments = [ast.literal_eval(argument) for argument in call.args]
        named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (AttributeError, SyntaxError, ValueError) as error:  # no call, of no name, or with no constants
        raise NotebookError(
            f'{match[0]!r} is not understood; expected a call such as {{{{ result("xor.solved", ".0%") }}}}'
        ) from error
    if name not in functions:
        raise NotebookError(f"unknown function {name!r}{near(name, functions)}")
    try:
        return functions[name](*arguments, **named)
    except (TypeError, UndefinedError) as error:  # an argument too many or too few
        raise NotebookError(f"{match[0]!r}: {error}") from error


def calls(markdown: str, name: str) -> int:
    """How often a function is called outside code."""
    return sum(1 for match in _PARTS.finditer(markdown) if (match["call"] or "").strip().startswith(f"{name}("))


def look_up(name: str, runs: Mapping[str, tuple[Lab, Run | None]]) -> tuple[Lab, Run, float | int | bool]:
    """The recorded value that `xor.solved` names, with its lab and run.

    Raises:
        NotebookError: no such lab, no such value, or the lab has no run.
    """
    key, _, value = name.partition(".")
    if not value:
        raise NotebookError(f"result({name!r}): expected 'lab.value', such as 'xor.solved'")
    lab, run = pick(runs, key, f"result({name!r}): lab", "lab")
    if run is None:
        raise NotebookError(f"result({name!r}): {lab.stem} has no run to quote from")
    return lab, run, pick(run.values, value, f"result({name!r}): value of {lab.stem}", "value").value


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
