"""Drawings and the record of predictions as pictures: what pages call to be seen."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from llmnotes.site.errors import NotebookError
from llmnotes.site.pages.drawings import drawing, track_record

DRAWINGS = Path(__file__).parent.parent / "docs" / "assets" / "drawings"
SHARED = dict(
    re.findall(
        r"\.drawing(?: \.(\w+))?\{[^}]*?font:(?:italic )?([\d.]+)px", (DRAWINGS.parent / "drawing.css").read_text()
    )
)
"""The size of a drawing's text, and of what has a class of its own."""
NAMES = sorted(path.stem for path in DRAWINGS.glob("*.svg") if ".narrow" not in path.name)


@pytest.mark.parametrize("path", sorted(DRAWINGS.glob("*.svg")), ids=lambda path: path.name)
def test_a_drawing_says_what_it_shows_and_its_words_can_be_read_on_a_phone(path: Path) -> None:
    root = ElementTree.parse(path).getroot()
    space = {"": "http://www.w3.org/2000/svg"}
    assert root.find("title", space).text.strip()
    assert len(root.find("desc", space).text.split()) > 8
    width = float(root.get("viewBox").split()[2])
    alone = path.with_name(f"{path.stem}.narrow.svg").is_file()
    if not alone:  # shown at 358 px of a phone, in the style that all drawings share and not in the file's own
        own = re.search(r"font-size:\s*([\d.]+)px", root.get("style", ""))
        sizes = [float(own[1]) if own else float(SHARED[""])]
        used = {name for one in root.iter() for name in one.get("class", "").split()}
        sizes += [float(SHARED[name]) for name in used & SHARED.keys()]
        assert min(sizes) * min(1, 358 / width) >= 11.9


@pytest.mark.parametrize("name", NAMES)
def test_each_part_can_be_lit(name: str) -> None:
    for part in re.findall(r'data-part="([^"]+)"', (DRAWINGS / f"{name}.svg").read_text()):
        assert re.search(rf'<g\b[^>]*data-part="{part}" class="on"', drawing(DRAWINGS, name, part))


def test_a_drawing_is_named_by_its_label_and_two_copies_share_no_id() -> None:
    shown = drawing(DRAWINGS, "one-head")
    assert 'aria-label="One attention head, at one word. Columns: Anna,' in shown
    assert not re.search(r"\bid=|aria-labelledby|<title", shown)


def test_a_description_of_ones_own_replaces_that_of_the_file() -> None:
    shown = drawing(DRAWINGS, "patch", alt="Karl's name <moves>")
    assert shown.count('Karl&#x27;s name &lt;moves&gt;"') == 2  # wide and narrow


def test_unknown_drawings_and_parts_name_those_that_exist() -> None:
    with pytest.raises(NotebookError, match="'one-hed': no such drawing; did you mean 'one-head'"):
        drawing(DRAWINGS, "one-hed")
    with pytest.raises(NotebookError, match="'one-head', light 'score': no such part; did you mean 'scores'"):
        drawing(DRAWINGS, "one-head", light="score")
    with pytest.raises(NotebookError, match=r"there are: .*one-head.*transformer-map"):
        drawing(DRAWINGS, "xyz")


def test_every_prediction_is_a_mark_on_its_side_of_the_line() -> None:
    pairs = [(0.65, True)] * 7 + [(0.62, False)] * 3 + [(0.91, True)] * 2
    drawn = track_record(pairs)
    circles = re.findall(r'<circle class="yes" cx="([\d.]+)" cy="([\d.]+)"', drawn)
    assert len(circles) == 9
    assert len(set(circles)) == 9
    assert drawn.count("m0-4.4") == 3
    assert "of 10 held for 64% likely, 70% came true; of 2 held for 91% likely, 100% came true" in drawn
