"""Typed entries: findings, dead ends, surprises and questions, one Markdown file each, with checked front matter."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationInfo, model_validator

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.notebook.quotes import calls
from llmnotes.site.run.fields import Fields, Names, Text

log = logging.getLogger("llmnotes.entries")  # not below `mkdocs`: its warnings do not fail a strict build

STATUSES = {
    "findings": ("standing", "superseded", "retracted"),
    "dead-ends": ("abandoned", "revived"),
    "surprises": ("unexplained", "explained"),
    "questions": ("open", "in progress", "answered"),
}
SINGULAR = {"findings": "Finding", "dead-ends": "Dead end", "surprises": "Surprise", "questions": "Open question"}
CONFIDENCE = {  # how likely we hold it to be that the claim is true
    "certain": "99 to 100%",
    "highly likely": "90 to 99%",
    "likely": "70 to 90%",
    "possible": "40 to 70%",
    "speculative": "below 40%",
}


class Entry(Fields):
    """One entry: what it says, since when, how sure we are, and the labs that it rests on."""

    kind: str
    path: Path
    title: Text = Field(description="a short text")
    claim: Text = Field(description="one sentence, which may quote a result")
    date: dt.date = Field(description="the day of the entry, such as 2026-01-31")
    status: str = Field(
        description="; ".join(f"for {kind} one of {', '.join(words)}" for kind, words in STATUSES.items())
    )
    confidence: str | None = Field(
        None,
        description="for findings alone, one of " + ", ".join(f"{word} ({odds})" for word, odds in CONFIDENCE.items()),
    )
    labs: Names = Field(description="a list of the labs that it rests on, at least one")
    reviewed: dt.date = Field(
        description="the day on which somebody last asked whether it is still true, such as 2026-01-31"
    )
    tags: Names = Field((), description="a list of names; may be left out")
    control: Text | None = Field(
        None,
        description="for findings alone: what a part was replaced with, or the case in which nothing can be there",
    )
    seeds: str | None = Field(
        None,
        description="for findings about a model that ships with several trainings: over how many of them it holds, "
        "such as 4 of 5; with 1 of 1 it is at most likely",
    )
    holds: dict[str, str] = Field(
        {}, description='what is counted for `seeds`: recorded values with their conditions, such as mlps.kept: "> 0.5"'
    )
    superseded_by: str | None = Field(
        None, description="the name of the entry that says what we think now, if and only if it is superseded"
    )

    @property
    def uri(self) -> str:
        return f"{self.kind}/{self.path.name}"

    @model_validator(mode="after")
    def _is_whole(self, info: ValidationInfo) -> Entry:
        finding, sure = self.kind == "findings", self.confidence
        stands = finding and self.status == "standing"
        several = stands and {*self.labs} & {*info.context["several"]}
        counted = re.fullmatch(r"(\d+) of (\d+)", self.seeds or "")
        today = info.context["today"]
        not_later = f"a day that is not in the future (the latest on earth is {today})"
        for name, right, expected in (
            ("date", self.date <= today, not_later),
            ("reviewed", self.reviewed <= today, not_later),
            ("status", self.status in STATUSES[self.kind], f"one of {', '.join(STATUSES[self.kind])}"),
            ("confidence", sure in CONFIDENCE if finding else sure is None, None),
            ("labs", self.labs, None),
            ("superseded_by", (self.status == "superseded") == bool(self.superseded_by), None),
            ("seeds", 0 < int(counted[1]) <= int(counted[2]) if counted else not (several or self.seeds), None),
            ("confidence", self.seeds != "1 of 1" or sure in [*CONFIDENCE][2:], "at most 'likely' with one training"),
            ("holds", self.seeds or not self.holds, "nothing without `seeds`, for which it is counted"),
            ("control", self.control or not stands, None),
        ):
            if not right:
                value, expected = getattr(self, name), expected or Entry.model_fields[name].description
                raise ValueError(
                    f"{name} is {value if isinstance(value, dt.date) else repr(value)}; expected {expected}"
                )
        for stem in self.labs:
            if stem not in info.context["labs"]:
                raise ValueError(f"labs names {stem!r}, which does not exist{near(stem, info.context['labs'])}")
        return self


def read_entries(
    docs: Path, labs: Collection[str], today: dt.date | None = None, several: Collection[str] = ()
) -> list[Entry]:
    """All entries below the folder of pages, newest first.

    Args:
        docs: the folder of pages.
        labs: the stems of the labs that exist.
        today: the day on which dates are judged; by default the day where it is latest on earth.
        several: the stems of the labs whose models ship with several trainings.

    Raises:
        NotebookError: an entry is not as it must be: its file, the field, what it held and what is allowed.
    """
    context = {"labs": labs, "several": several}
    context["today"] = today or (dt.datetime.now(dt.UTC) + dt.timedelta(hours=14)).date()
    paths = [path for kind in STATUSES for path in sorted((docs / kind).glob("*.md")) if path.name != "index.md"]
    entries = [_read(path, context) for path in paths]
    for entry in entries:
        later = entry.superseded_by
        others = {one.path.stem for one in entries if one.kind == entry.kind and one is not entry}
        if later and later not in others:
            raise NotebookError(
                f"{entry.path}: superseded_by names {later!r}, which is no other entry{near(later, others)}"
            )
    return sorted(entries, key=lambda entry: (entry.date, entry.title), reverse=True)


def _read(path: Path, context: dict[str, Any]) -> Entry:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise NotebookError(f"{path}: {error}") from error
    head, end, body = text.removeprefix("---\n").partition("\n---")
    if not text.startswith("---\n") or not end:
        raise NotebookError(f"{path}: no front matter; expected a YAML block between two lines ---")
    entry = Entry.check(head, str(path), context, kind=path.parent.name, path=path)
    if entry.kind == "findings" and not calls(entry.claim + body, "result"):
        raise NotebookError(
            f'{path}: a finding without a bound result; quote at least one, as in {{{{ result("xor.solved", ".0%") }}}}'
        )
    if context["today"] - entry.reviewed > dt.timedelta(days=365):
        log.warning("%s: reviewed on %s, more than a year ago; is it still true?", path, entry.reviewed)
    return entry
