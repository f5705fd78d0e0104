"""Typed entries: each field that is not as it must be is named, with what it held and what is allowed."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path
from xml.etree import ElementTree

import pytest

from llmnotes.site.errors import NotebookError
from llmnotes.site.notebook.entries import CONFIDENCE, STATUSES, read_entries
from llmnotes.site.pages.writing import atom, bibtex

TODAY = dt.date(2026, 6, 1)
FIELDS = {
    "title": "Two units are enough",
    "claim": '\'{{ result("xor.solved", ".0%") }} of the runs find a solution.\'',
    "date": "2026-05-01",
    "status": "standing",
    "confidence": "likely",
    "control": "untrained networks",
    "labs": "[01_xor]",
    "reviewed": "2026-05-01",
}


def write(docs: Path, kind: str = "findings", name: str = "one.md", body: str = "Why we think so.", **fields) -> Path:
    merged = {key: value for key, value in (FIELDS | fields).items() if value is not None}
    path = docs / kind / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("---\n" + "".join(f"{key}: {value}\n" for key, value in merged.items()) + f"---\n\n{body}\n")
    return path


def test_an_entry_as_it_must_be(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, name="two.md", date="2026-05-03", title="Newer", tags="[a]")
    write(tmp_path, "questions", status="in progress", confidence=None, control=None, claim="Is it?")
    (tmp_path / "findings" / "index.md").write_text("no entry")
    entries = read_entries(tmp_path, {"01_xor"}, TODAY)
    assert [entry.title for entry in entries] == ["Newer", *2 * ["Two units are enough"]]
    assert {entry.kind for entry in entries} == {"findings", "questions"}
    assert entries[0].uri == "findings/two.md"
    assert entries[0].labs == ("01_xor",)


def test_an_entry_may_be_superseded_by_a_later_one(tmp_path: Path) -> None:
    write(tmp_path, status="superseded", superseded_by="two")
    write(tmp_path, name="two.md", date="2026-05-03")
    assert [entry.superseded_by for entry in read_entries(tmp_path, {"01_xor"}, TODAY)] == [None, "two"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": "superseded"}, "superseded_by is None; expected the name of the entry that says what we think now"),
        ({"superseded_by": "two"}, "superseded_by is 'two'; expected the name of the entry"),
        ({"status": "superseded", "superseded_by": "one"}, "superseded_by names 'one', which is no other entry"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"titel": "x"}, "unknown field 'titel'; did you mean 'title'?"),
        ({"title": None}, "title is missing; expected a short text"),
        ({"claim": None}, "claim is missing"),
        ({"date": None}, "date is missing"),
        ({"status": None}, "status is missing"),
        ({"confidence": None}, "confidence is None; expected for findings alone, one of certain"),
        ({"control": None}, "control is None; expected for findings alone: what a part was replaced with"),
        ({"labs": None}, "labs is missing"),
        ({"reviewed": None}, "reviewed is missing"),
        ({"title": "''"}, "title is ''; expected a short text"),
        ({"claim": "[]"}, "claim is []; expected one sentence"),
        ({"date": "soon"}, "date is 'soon'; expected the day of the entry, such as 2026-01-31"),
        ({"date": "2026-06-02"}, "expected a day that is not in the future (the latest on earth is 2026-06-01)"),
        ({"reviewed": "2026-06-02"}, "reviewed is 2026-06-02; expected a day that is not in the future"),
        ({"date": "2026-05-01 12:00:00"}, "expected the day of the entry, such as"),
        ({"status": "open"}, "status is 'open'; expected one of standing, superseded, retracted"),
        ({"confidence": "sure"}, "confidence is 'sure'; expected for findings alone, one of certain (99 to 100%)"),
        ({"labs": "01_xor"}, "labs is '01_xor'; expected a list of the labs"),
        ({"labs": "[]"}, "labs is (); expected a list of the labs that it rests on, at least one"),
        ({"labs": "[01_xr]"}, "labs names '01_xr', which does not exist; did you mean '01_xor'?"),
        ({"tags": "[1]"}, "tags is [1]; expected a list of names"),
        ({"claim": '"a bell \\a"'}, "claim is 'a bell \\x07'; expected one sentence"),
        ({"labs": "[*x]"}, "not valid YAML: it refers to an alias"),
        ({"claim": "It is so."}, "a finding without a bound result"),
        ({"claim": 'It is `{{ result("xor.solved") }}`.'}, "a finding without a bound result"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, fields: dict, said: str) -> None:
    path = write(tmp_path, **fields)
    with pytest.raises(NotebookError) as caught:
        read_entries(tmp_path, {"01_xor"}, TODAY)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("No front matter.", "no front matter"),
        ("---\n: [\n---\n", "not valid YAML"),
        ("---\nwords\n---\n", "holds 'words'"),
    ],
)
def test_front_matter_that_cannot_be_read(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path)
    path.write_text(text)
    with pytest.raises(NotebookError, match=said):
        read_entries(tmp_path, {"01_xor"}, TODAY)


def test_a_byte_order_mark_and_another_time_zone_are_no_faults(tmp_path: Path) -> None:
    latest = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=14)).date()  # on Kiritimati, where days begin
    path = write(tmp_path, date=latest, reviewed=latest)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_entries(tmp_path, {"01_xor"})[0].date == latest
    write(tmp_path, date=latest + dt.timedelta(days=1))
    with pytest.raises(NotebookError, match="not in the future"):
        read_entries(tmp_path, {"01_xor"})


def test_an_old_review_only_warns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, date="2025-01-01", reviewed="2025-05-30")
    with caplog.at_level(logging.WARNING, logger="llmnotes.entries"):
        assert len(read_entries(tmp_path, {"01_xor"}, TODAY)) == 1
    assert caplog.messages == [f"{path}: reviewed on 2025-05-30, more than a year ago; is it still true?"]
    caplog.clear()
    write(tmp_path, date="2025-01-01", reviewed="2025-06-01")
    read_entries(tmp_path, {"01_xor"}, TODAY)
    assert not caplog.messages


@pytest.mark.parametrize("kind", STATUSES)
def test_every_kind_has_its_own_words(tmp_path: Path, kind: str) -> None:
    for status in STATUSES[kind]:
        confidence = "certain" if kind == "findings" else None
        write(tmp_path, kind, "later.md", status=STATUSES[kind][0], confidence=confidence, date="2026-01-01")
        later = "later" if status == "superseded" else None
        write(tmp_path, kind, status=status, confidence=confidence, superseded_by=later)
        assert read_entries(tmp_path, {"01_xor"}, TODAY)[0].status == status
    if kind != "findings":
        write(tmp_path, kind, status=STATUSES[kind][0])
        with pytest.raises(NotebookError, match="confidence is 'likely'; expected for findings alone"):
            read_entries(tmp_path, {"01_xor"}, TODAY)


def test_the_scale_covers_every_probability() -> None:
    assert list(CONFIDENCE) == ["certain", "highly likely", "likely", "possible", "speculative"]


def test_the_feed_names_every_entry_and_its_page(tmp_path: Path) -> None:
    write(tmp_path, reviewed="2026-05-20")
    write(tmp_path, "questions", status="open", confidence=None, claim="Is it < 1 & why?")
    entries = read_entries(tmp_path, {"01_xor"}, TODAY)
    feed = ElementTree.fromstring(atom(entries, "https://example.org/notes/", lambda entry: entry.claim))
    space = {"a": "http://www.w3.org/2005/Atom"}
    assert feed.findtext("a:updated", namespaces=space) == "2026-05-20T00:00:00Z"
    items = {item.find("a:link", space).get("href"): item for item in feed.findall("a:entry", space)}
    assert set(items) == {f"https://example.org/notes/{kind}/one/" for kind in ("findings", "questions")}
    question = items["https://example.org/notes/questions/one/"]
    assert question.findtext("a:summary", namespaces=space) == "Is it < 1 & why?"
    assert question.findtext("a:title", namespaces=space).startswith("Open question: ")
    ids = [element.text for element in feed.iter("{http://www.w3.org/2005/Atom}id")]
    assert len(set(ids)) == len(ids) == 3
    again = atom(entries, "https://example.org/notes/", lambda entry: entry.claim)
    assert ElementTree.fromstring(again).findtext("a:id", namespaces=space) == ids[0]


def test_an_entry_can_be_cited(tmp_path: Path) -> None:
    write(tmp_path, name="two-units.md")
    (entry,) = read_entries(tmp_path, {"01_xor"}, TODAY)
    cited = bibtex(entry, "https://example.org/")
    assert cited.startswith("@misc{llmnotes_two_units,")
    assert "title = {{Two units are enough}}" in cited
    assert "year = {2026}" in cited
    assert "url = {https://example.org/findings/two-units/}" in cited
    assert cited.count("{") == cited.count("}")
    assert "url" not in bibtex(entry, "")
