"""Typed entries: findings, dead ends, surprises and questions, one Markdown file each, with checked front matter."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import yaml

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.notebook.quotes import calls

log = logging.getLogger("llmnotes.entries")  # not below `mkdocs`: its warnings do not fail a strict build

STATUSES = {
    "findings": ("standing", "superseded", "retracted"),
    "dead-ends": ("abandoned", "revived"),
    "surprises": ("unexplained", "explained"),
    "questions": ("open", "in progress", "answered"),
}
SINGULAR = {"findings": "Finding", "dead-ends": "Dead end", "surprises": "Surprise", "questions": "Open question"}
CONFIDENCE = {  # how likely we hold it to be that the claim is true
    "certain": "99 to 100 %",
    "highly likely": "90 to 99 %",
    "likely": "70 to 90 %",
    "possible": "40 to 70 %",
    "speculative": "below 40 %",
}
REQUIRED = ("title", "claim", "date", "status", "labs", "reviewed")
YEAR = dt.timedelta(days=365)


@dataclass(frozen=True)
class Entry:
    """One entry: what it says, since when, how sure we are, and the labs that it rests on."""

    kind: str
    path: Path
    title: str
    claim: str
    date: dt.date
    status: str
    confidence: str | None
    labs: tuple[str, ...]
    reviewed: dt.date
    tags: tuple[str, ...]
    superseded_by: str | None = None
    """The file's name, without .md, of the entry of the same kind that says what we think now."""

    @property
    def uri(self) -> str:
        return f"{self.kind}/{self.path.name}"


def read_entries(docs: Path, labs: Collection[str], today: dt.date | None = None) -> list[Entry]:
    """All entries below the folder of pages, newest first.

    Args:
        docs: the folder that holds `findings/`, `dead-ends/`, `surprises/` and `questions/`.
        labs: the stems of the labs that exist.
        today: the day on which dates are judged.

    Raises:
        NotebookError: an entry is not as it must be: its file, the field, what it held and what is allowed.
    """
    today = today or dt.date.today()
    entries = [
        _read(kind, path, labs, today)
        for kind in STATUSES
        for path in sorted((docs / kind).glob("*.md"))
        if path.name != "index.md"
    ]
    known = {(entry.kind, entry.path.stem) for entry in entries}
    for entry in entries:
        later = entry.superseded_by
        if later and ((entry.kind, later) not in known or later == entry.path.stem):
            names = [stem for kind, stem in known if kind == entry.kind and stem != entry.path.stem]
            raise NotebookError(
                f"{entry.path}: superseded_by names {later!r}, which is no other entry{near(later, names)}"
            )
    return sorted(entries, key=lambda entry: (entry.date, entry.title), reverse=True)


def split(text: str) -> tuple[dict, str]:
    """Front matter and body of a page.

    Raises:
        ValueError: there is no front matter, or it is not valid YAML.
    """
    if not text.startswith("---\n") or "\n---" not in text[4:]:
        raise ValueError("no front matter; expected a YAML block between two lines ---")
    head, _, body = text[4:].partition("\n---")
    try:
        fields = yaml.safe_load(head)
    except yaml.YAMLError as error:
        raise ValueError(f"the front matter is not valid YAML: {error}") from error
    if not isinstance(fields, dict):
        raise ValueError(f"the front matter holds {fields!r}; expected lines `key: value`")
    return fields, body.lstrip("-")


def _read(kind: str, path: Path, labs: Collection[str], today: dt.date) -> Entry:
    try:
        fields, body = split(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotebookError(f"{path}: {error}") from error

    def wrong(field: str, expected: str) -> NotebookError:
        return NotebookError(f"{path}: {field} is {fields.get(field)!r}; expected {expected}")

    required = (*REQUIRED, "confidence") if kind == "findings" else REQUIRED
    allowed = {*required, "tags", "superseded_by"}
    for field in fields:
        if field not in allowed:
            raise NotebookError(f"{path}: unknown field {field!r}{near(str(field), allowed)}")
    for field in required:
        if field not in fields:
            raise NotebookError(f"{path}: {field!r} is missing; a {SINGULAR[kind].lower()} has {', '.join(required)}")
    for field in ("title", "claim"):
        if not isinstance(fields[field], str) or not fields[field].strip():
            raise wrong(field, "a short text" if field == "title" else "one sentence")
    for field in ("date", "reviewed"):
        if not isinstance(fields[field], dt.date) or isinstance(fields[field], dt.datetime):
            raise wrong(field, "a day such as 2026-01-31")
        if fields[field] > today:
            raise wrong(field, f"a day that is not in the future (today is {today})")
    if fields["status"] not in STATUSES[kind]:
        raise wrong("status", f"one of {', '.join(STATUSES[kind])}")
    if kind == "findings" and fields["confidence"] not in CONFIDENCE:
        raise wrong("confidence", "one of " + ", ".join(f"{word} ({chance})" for word, chance in CONFIDENCE.items()))
    later = fields.get("superseded_by")
    if (fields["status"] == "superseded") != isinstance(later, str):
        raise wrong(
            "superseded_by", "the name of the entry that says what we think now, if and only if it is superseded"
        )
    for field in ("labs", "tags"):
        value = fields.get(field, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise wrong(field, "a list of names")
    if not fields["labs"]:
        raise wrong("labs", "at least one lab that it rests on")
    for stem in fields["labs"]:
        if stem not in labs:
            raise NotebookError(f"{path}: labs names {stem!r}, which does not exist{near(stem, labs)}")
    if kind == "findings" and not calls(fields["claim"] + body, "result"):
        raise NotebookError(
            f'{path}: a finding without a bound result; quote at least one, as in {{{{ result("xor.solved", ".0%") }}}}'
        )
    if today - fields["reviewed"] > YEAR:
        log.warning("%s: reviewed on %s, more than a year ago; is it still true?", path, fields["reviewed"])
    return Entry(
        kind=kind,
        path=path,
        title=fields["title"].strip(),
        claim=" ".join(fields["claim"].split()),
        date=fields["date"],
        status=fields["status"],
        confidence=fields.get("confidence"),
        labs=tuple(fields["labs"]),
        reviewed=fields["reviewed"],
        tags=tuple(fields.get("tags", [])),
        superseded_by=later,
    )
