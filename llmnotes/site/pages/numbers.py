"""Recorded numbers as readers see them: a name in plain words, a rounded value, how far it may move and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from llmnotes.site.run.labs import Lab
from llmnotes.site.run.store import Run


def rounded(value: float | int | bool) -> str:
    """A value with four digits, as one reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = f"{value:.4g}"
        return text.replace("-", "\N{MINUS SIGN}", 1) if text.startswith("-") else text
    return str(value)


def margin(entry: dict[str, Any]) -> str:
    """How far a recorded value may move: `± 0.01`, `± 2% of it`; nothing if it may not."""
    parts = [f"± {entry['atol']:g}"] if entry["atol"] else []
    parts += [f"± {100 * entry['rtol']:.3g}% of it"] if entry["rtol"] else []
    return " and ".join(parts)


def entry_of(run: Run, name: str) -> dict[str, Any]:
    """A recorded value with all that was said of it; its label is its name where a lab gave none."""
    entry = asdict(run.values[name])
    return entry | {"label": entry["label"] or name.replace("_", " ")}


def card(lab: Lab, run: Run, name: str) -> str:
    """What the card of a number in the text shows (docs/assets/page.js), as an attribute list of Markdown."""
    entry = entry_of(run, name)
    unit = f" {entry['unit']}" if entry["unit"] else ""
    facts = {
        "label": entry["label"],
        "value": rounded(entry["value"]) + unit,
        "within": margin(entry),
        "why": entry["because"] if margin(entry) else "",
        "lab": f"{lab.number} {lab.title}",
        "ran": day(run),
    }
    return "".join(f' data-{name}="{_attribute(value)}"' for name, value in facts.items() if value)


def day(run: Run) -> str:
    """When a run was made: `22 Nov 2026`, kept on one line."""
    date = dt.date.fromisoformat(run.meta["ran"]["date"][:10])
    return f"{date.day}\N{NO-BREAK SPACE}{date:%b}\N{NO-BREAK SPACE}{date.year}"


def _attribute(value: str) -> str:
    """Text that an attribute list keeps whole: without its own quotes, braces and the characters of HTML."""
    for mark, other in (('"', "'"), ("{", "("), ("}", ")"), ("&", "and"), ("<", "under "), (">", "over ")):
        value = value.replace(mark, other)
    return " ".join(value.split(" "))
