"""Exercises with a blank: written as YAML, shown as a form, and refused where they are not understood."""

from __future__ import annotations

import pytest

from llmnotes.site.errors import NotebookError
from llmnotes.site.notebook.quotes import expand
from llmnotes.site.pages.exercises import form

GOOD = """\
Prose.

```exercise
title: Look at the first word
minutes: 2
code: |
  scores[▢] = 50
  assert weights[:, 0].min() > 0.99
right: [":, 0"]
praise: Right.
wrong:
  "0": This sets "the first row" <b>.
otherwise: Rows look, columns are looked at.
solution: The first column.
```

More prose.
"""


def test_an_exercise_becomes_a_form() -> None:
    page = expand(GOOD, {"exercise": form}, "labs/01_tiny.py")
    assert page.startswith("Prose.\n\n<form")
    assert page.rstrip().endswith("More prose.")
    assert "exercise\n" not in page
    assert "&gt; 0.99" in page
    assert "<b>." not in page, "what an answer says is data, not HTML"
    assert '??? solution "A solution"' in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("title: Look", "tittle: Look"), "tittle"),
        (("scores[▢]", "scores[0]"), "expected the code, with one ▢ to fill"),
        (("scores[▢]", "scores[▢, ▢]"), "expected the code, with one ▢ to fill"),
        (("minutes: 2", "minutes: 0"), "minutes"),
        (('right: [":, 0"]', "right: [\n"), "this exercise is not understood"),
    ],
)
def test_a_bad_exercise_names_its_line(change: tuple[str, str], said: str) -> None:
    with pytest.raises(NotebookError, match=r"labs/01_tiny\.py:12: this exercise is not understood") as caught:
        expand(GOOD.replace(*change), {"exercise": form}, "labs/01_tiny.py", 10)
    assert said in str(caught.value)
