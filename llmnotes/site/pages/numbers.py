"""Recorded numbers as readers see them: a name in plain words, a rounded value, how far it may move and why."""

from __future__ import annotations

import datetime as dt
import re

from llmnotes.lab.records import Record
from llmnotes.site.notebook.quotes import shown
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.store import Run

_WORDS = {">=": "at least", "<=": "at most", "==": "exactly", ">": "more than", "<": "less than"}


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


def in_words(condition: str) -> str:
    """`> 0.5` as `more than 0.5`."""
    found = re.fullmatch(r"\s*(>=|<=|==|>|<)\s*(.+?)\s*", condition)
    return f"{_WORDS[found[1]]} {found[2]}" if found else condition.strip()


def card(lab: Lab, run: Run, name: str) -> str:
    """What the card of a number in the text shows (docs/assets/page.js), as an attribute list of Markdown."""
    entry = run.values[name]
    within = margin(entry)
    day = dt.date.fromisoformat(run.meta["ran"]["date"][:10])
    facts = {
        "label": label(entry),
        "value": rounded(entry.value) + (f" {entry.unit}" if entry.unit else ""),
        "within": within,
        "why": entry.because if within else "",
        "lab": f"{lab.number} {lab.title}",
        "ran": f"{day.day} {day:%b} {day.year}".replace(" ", "\N{NO-BREAK SPACE}"),
    }
    return "".join(f' data-{name}="{_attribute(value)}"' for name, value in facts.items() if value)


def _attribute(value: str) -> str:
    """Text that an attribute list keeps whole: without its own quotes, braces and the characters of HTML."""
    return value.translate(str.maketrans({'"': "'", "{": "(", "}": ")", "&": "and", "<": "under ", ">": "over "}))
