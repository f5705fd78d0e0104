"""From a lab to the notebook of its page: what is folded away."""

from __future__ import annotations

from conftest import Notebook

from llmnotes.site.pages.lab_page import executed
from llmnotes.site.pages.templates import few_digits, parts
from llmnotes.site.run.labs import read_lab


def test_what_is_folded_and_what_the_fold_is_called(notebook: Notebook, recorded: Notebook) -> None:
    (lab,) = recorded.project.labs()
    page = executed(lab, recorded.project.recorded(lab))
    predicts, other = (cell.metadata for cell in page.cells if cell.cell_type == "code")
    assert (predicts["fold"], predicts["title"]) == ("code", "what we predict")
    assert (other["fold"], other["title"]) == ("code", "")
    path = notebook.write("01_tiny", "# Why\nx = 1")
    path.write_text(path.read_text() + '\n\n# %% tags=["idea"]\ny = 2\n')
    folds = [cell.metadata for cell in executed(read_lab(path), None).cells if cell.cell_type == "code"]
    assert [(one["fold"], one["title"]) for one in folds] == [("code", "Why"), ("nothing", "")]


def test_a_tale_is_told_from_a_table() -> None:
    tale = "Once upon a time " + "there was a king who had three daughters, " * 4
    table = "World sampling   likely   often   seldom\nthe grammar itself" + "   likely" * 14
    assert parts(tale) == [(True, tale)]
    assert parts(f"{table}\n{tale}\n{tale}\nshort") == [(False, table), (True, f"{tale}\n{tale}"), (False, "short")]
    assert parts("0.123 0.456 0.789 " * 12) == [(False, "0.123 0.456 0.789 " * 12)]
    assert parts("") == []


def test_numbers_in_outputs_have_no_more_digits_than_one_reads() -> None:
    assert (
        few_digits("loss 1.1920928955078125e-07, 0.25 of v1.234567890123") == "loss 1.192e-07, 0.25 of v1.234567890123"
    )
    assert few_digits("-0.33333333333333 and 2026-11-22") == "-0.3333 and 2026-11-22"
