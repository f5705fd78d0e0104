"""What home shows of World before World is there is what World says."""

from __future__ import annotations

import json

import pytest

from llmnotes.shipped.first_look import FIRST_LOOK, first_look
from llmnotes.site.pages.drawings import still


def test_the_stored_look_is_what_world_says() -> None:
    stored, found = json.loads(FIRST_LOOK.read_text()), first_look()
    for one, other in zip(stored["looks"], found["looks"], strict=True):
        for rows in ("words", "lens"):
            assert [row.pop("word") for row in one[rows]] == [row.pop("word") for row in other[rows]]
            assert one.pop(rows) == [pytest.approx(row, abs=1e-4) for row in other.pop(rows)]
        assert one.pop("gap") == pytest.approx(other.pop("gap"), abs=1e-4)
    assert stored == found  # the text, the head, the sizes


def test_the_bench_of_home_says_it() -> None:
    html = still()
    assert html.count('class="bench-track"') == 10  # five words, twice
    assert html.count("Layer 3, MLP") == 2
    assert '<p class="bench-sentence">the cats near the dog <u>are</u></p>' in html
    assert "\n" not in html  # or Markdown would end it
