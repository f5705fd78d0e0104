"""From a lab to the notebook of its page: what is folded away."""

from __future__ import annotations

import pytest
from conftest import Notebook

from llmnotes.site.errors import NotebookError
from llmnotes.site.pages.lab_page import check_ideas, executed
from llmnotes.site.pages.templates import few_digits, is_prose
from llmnotes.site.run.labs import read_lab

PREDICTION = 'predict("It is so", 0.5, share="> 0.5")'


@pytest.mark.parametrize(
    ("code", "folded"),
    [
        (PREDICTION, True),
        (f'claim = "It is so"\n{PREDICTION}\n{PREDICTION}', True),
        (f"{PREDICTION}\nprint(1)", False),
        (f"share = 1 + 1\n{PREDICTION}", False),
        ('claim = "It is so"', False),
    ],
)
def test_a_fold_says_that_a_cell_only_predicts(notebook: Notebook, code: str, folded: bool) -> None:
    page = executed(notebook.lab("01_tiny", code), None)
    (cell,) = [cell for cell in page.cells if cell.cell_type == "code"]
    assert cell.source == code
    assert cell.metadata["fold"] == "code"
    assert (cell.metadata["title"] == "what we predict") is folded


def test_the_idea_stands_open_and_is_short(notebook: Notebook) -> None:
    path = notebook.write("01_tiny", "x = 1")
    path.write_text(path.read_text() + '\n\n# %% tags=["idea"]\ny = 2\n')
    page = executed(read_lab(path), None)
    assert [cell.metadata["fold"] for cell in page.cells if cell.cell_type == "code"] == ["code", "nothing"]
    path.write_text(path.read_text() + "y = 2\n" * 15)
    with pytest.raises(NotebookError, match=r"01_tiny.py:\d+: a cell tagged 'idea' has 16 lines; expected at most 15"):
        check_ideas(read_lab(path))


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        ("Once upon a time " + "there was a king who had three daughters, " * 4, True),
        ("0.123 0.456 0.789 " * 12, False),
        ("short", False),
        ("", False),
    ],
)
def test_a_tale_is_told_from_a_table(text: str, prose: bool) -> None:
    assert is_prose(text) is prose


def test_numbers_in_outputs_have_no_more_digits_than_one_reads() -> None:
    assert (
        few_digits("loss 1.1920928955078125e-07, 0.25 of v1.234567890123") == "loss 1.192e-07, 0.25 of v1.234567890123"
    )
    assert few_digits("-0.33333333333333 and 2026-11-22") == "-0.3333 and 2026-11-22"
