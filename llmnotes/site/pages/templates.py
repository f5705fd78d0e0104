"""The templates of pages, which write Markdown, and their filters: for numbers as one reads them, and for text.

Text that comes from elsewhere passes through `text`, `inline`, `fenced` or, in HTML, Jinja's own `e`: nothing that a
lab or an entry says can end its block.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
from jinja2.defaults import DEFAULT_FILTERS
from jinja2.runtime import Macro

from llmnotes.lab.predictions import holds
from llmnotes.lab.records import Record
from llmnotes.site.notebook.quotes import shown
from llmnotes.site.run.compare import near_the_line

FOLDER = Path(__file__).parent / "templates"
_INLINE = (
    re.compile(  # a call, a code span or a formula; a link that would run something; what Markdown or HTML would read
        r"(?P<kept>\{\{.*?\}\}|(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)|"
        r"(?<!\\)\$(?!\s)(?:\\.|[^\\$])+?(?<!\s)\$|\\[{}`$])|"
        r"\]\(\s*(?:javascript|data|vbscript)\s*:|(?P<mark>[{}`$])|[&<]",
        re.IGNORECASE,
    )
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")

_WORDS = {">=": "at least", "<=": "at most", "==": "exactly", ">": "more than", "<": "less than"}


def render(template: str, **context: Any) -> str:
    """Fill a template of this folder."""
    return _environment().get_template(template).render(**context)


def macros(template: str, **context: Any) -> dict[str, Callable[..., str]]:
    """The public macros of a template of this folder as functions, each filled with the context."""
    module = _environment().get_template(template).make_module(context)

    made = {name: one for name, one in vars(module).items() if isinstance(one, Macro)}
    return {name: lambda *some, one=one, **named: one(*some, **named).strip() for name, one in made.items()}


def extend(environment: jinja2.Environment) -> jinja2.Environment:
    """Give an environment the filters and functions of our templates, and their way with lines."""
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters |= {one.__name__: one for one in FILTERS}
    environment.filters["indent"] = DEFAULT_FILTERS["indent"]  # nbconvert has another
    environment.globals["near_the_line"] = near_the_line
    return environment


@functools.cache
def _environment() -> jinja2.Environment:
    return extend(jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), undefined=jinja2.StrictUndefined))


def printable(text: str) -> str:
    """Text without terminal sequences and control characters, which no page can show."""
    return _CONTROL.sub("", _TERMINAL.sub("", text.replace("\r\n", "\n")))


def text(value: object) -> str:
    """Plain text as Markdown shows it: on one line, with nothing in it that Markdown, attributes or HTML would read."""
    line = " ".join(printable(str(value)).split())
    line = re.sub(r"[\\`*_{}\[\]|$#!]", r"\\\g<0>", line).replace("&", "&amp;").replace("<", "&lt;")
    return _no_block(line)


def inline(value: str) -> str:
    """Markdown of one line: emphasis, code, links and formulas stay; HTML becomes text, lone backticks too."""

    def safe(found: re.Match[str]) -> str:
        if found["kept"]:
            return found[0]
        return f"\\{found[0]}" if found["mark"] else escape(found[0]) if len(found[0]) == 1 else "]("

    return _no_block(_INLINE.sub(safe, " ".join(printable(value).split())))


def _no_block(line: str) -> str:
    """A line that begins no list, heading, quotation, definition or block of an extension."""
    line = re.sub(r"^(\d+)\.(?=\s)", r"\1\.", line)
    return re.sub(
        r"^(?:[-+>#:=~!?|]|\*?\[(?=[^\]]*\]:)|[*](?=\s))", lambda found: f"&#{ord(found[0][0])};{found[0][1:]}", line
    )


def codes(claim: str) -> str:
    """A claim as HTML; its code spans become code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(claim, quote=False))


def fenced(value: str, kind: str = "text", classes: str = "") -> str:
    """A block of code or output; the fence is longer than any run of backticks in it."""
    content = printable(value).expandtabs(4)
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", content)), default=0))
    names = " ".join(f".{name}" for name in [kind, *classes.split()])
    return f"{fence}{{ {names} }}\n{content}\n{fence}" if classes else f"{fence}{kind}\n{content}\n{fence}"


def parts(output: str) -> list[tuple[bool, str]]:
    """An output in runs of lines, each with whether it is a text to be read, such as a generated tale."""

    def is_prose(line: str) -> bool:
        words = sum(character.isalpha() or character == " " for character in line)
        return len(line) > 110 and words > 0.9 * len(line) and "  " not in line.strip()  # which columns have

    return [(prose, "\n".join(lines)) for prose, lines in groupby(printable(output).splitlines(), is_prose)]


def rounded(value: float | int | bool) -> str:
    """A value with four digits, as one reads it."""
    return shown(value, ".4g" if isinstance(value, float) else "")


def few_digits(text: str) -> str:
    """An output whose numbers have no more digits than one reads; the run keeps all of them."""
    return re.sub(r"(?<![\w.])-?\d+\.\d{9,}(?:e[-+]?\d+)?", lambda found: f"{float(found[0]):.4g}", text)


def margin(entry: Record) -> str:
    """How far a recorded value may move: `± 0.01`, `± 2% of it`; nothing if it may not."""
    parts = (f"± {entry.atol:g}" if entry.atol else "", f"± {100 * entry.rtol:.3g}% of it" if entry.rtol else "")
    return " and ".join(filter(None, parts))


def label(entry: Record) -> str:
    """A recorded value in a reader's words; its name where a lab gave none."""
    return entry.label or entry.name.replace("_", " ")


def attribute(value: str) -> str:
    """Text for an attribute list of Markdown, which holds no quotes or braces, and none of the characters of HTML."""
    return value.translate(str.maketrans({'"': "'", "{": "(", "}": ")", "&": "and", "<": "under ", ">": "over "}))


def in_words(condition: str) -> str:
    """`> 0.5` as `more than 0.5`."""
    found = re.fullmatch(r"\s*(>=|<=|==|>|<)\s*(.+?)\s*", condition)
    return f"{_WORDS[found[1]]} {found[2]}" if found else condition.strip()


FILTERS = (text, inline, fenced, printable, codes, parts)
FILTERS += (attribute, in_words, label, margin, rounded, few_digits, holds)
