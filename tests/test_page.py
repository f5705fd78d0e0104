"""From a lab to the notebook of its page: what is folded away."""

from __future__ import annotations

import pytest
from conftest import Notebook

from llmnotes.site.pages.lab_page import executed

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
def test_cells_that_only_predict_are_folded(notebook: Notebook, code: str, folded: bool) -> None:
    page = executed(notebook.lab("01_tiny", code), None)
    (cell,) = [cell for cell in page.cells if cell.cell_type == "code"]
    assert cell.source == code
    assert (cell.metadata["fold"] == "code") is folded
