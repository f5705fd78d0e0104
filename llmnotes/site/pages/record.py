"""Our registered predictions as sentences: what we expected, with which probability, and what happened."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from llmnotes.lab.predictions import holds
from llmnotes.site.pages.numbers import entry_of, rounded
from llmnotes.site.run.compare import near_the_line
from llmnotes.site.run.replicates import Replicates
from llmnotes.site.run.store import Run

_WORDS = {">=": "at least", "<=": "at most", "==": "exactly", ">": "more than", "<": "less than"}


def record(run: Run, page: str = "", others: Replicates | None = None) -> list[dict[str, Any]]:
    """Each prediction of a run as a row of its table: `claim`, `said`, `outcome` and `verdict`, as HTML.

    Args:
        run: the lab's run.
        page: the address of the lab's page from where the table stands.
        others: what the lab gave on other trainings of its models.
    """
    return [
        {
            "claim": _inline(one["claim"]),
            "said": f"{one['p']:.0%}" + (", after a first look" if one.get("after_a_look") else ""),
            "outcome": one["outcome"],
            "verdict": verdict(run, one, page) + _elsewhere(one, others),
        }
        for one in run.predictions
    ]


def verdict(run: Run, settled: dict[str, Any], page: str = "") -> str:
    """What became of a prediction, as a sentence: the value that settled it, and what the claim needed."""
    entry = entry_of(run, settled["resolved_by"])
    link = f'<a href="{page}#value-{escape(entry["name"])}">{escape(entry["label"])}</a>'
    came = "It came true" if settled["outcome"] else "It did not come true"
    line = " That is near the line: on another machine it may come out otherwise." * near_the_line(run, settled)
    return f"{came}: {link} was {rounded(settled['value'])}; the claim needed {in_words(settled['if_'])}.{line}"


def _elsewhere(settled: dict[str, Any], others: Replicates | None) -> str:
    """In how many of the other trainings it came true."""
    if not others or not (values := others.over(settled["resolved_by"])):
        return ""
    came = sum(holds(value, settled["if_"]) for value in values)
    return f" In {len(values)} other trainings of the model it came true {came} times."


def in_words(condition: str) -> str:
    """`> 0.5` as `more than 0.5`."""
    found = re.fullmatch(r"\s*(>=|<=|==|>|<)\s*(.+?)\s*", condition)
    return f"{_WORDS[found[1]]} {found[2]}" if found else condition.strip()


def _inline(claim: str) -> str:
    """A claim as HTML; its code spans become code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(claim, quote=False))
