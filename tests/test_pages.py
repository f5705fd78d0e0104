"""Pages of text that make promises: examples that run, and an order of the labs."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import HEADER, ROOT, Notebook

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.labs import find_labs, in_order

EXAMPLES = re.findall(r"```python\n(.*?)\n```", (ROOT / "docs" / "readiness.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.splitlines()[-1][:30] for example in EXAMPLES])
def test_an_example_of_the_checklist_gives_what_it_says(example: str) -> None:
    *before, last = example.splitlines()
    assert len(before) == 1
    expression, said = last.rsplit("  # ", 1)
    names = {"np": np}
    if before[0].startswith("with "):
        exec(f"{before[0]}\n    result = {expression.strip()}", names)
    else:
        exec(f"{before[0]}\nresult = {expression}", names)
    if "numbers each" not in said:
        assert names["result"] == ast.literal_eval(said)


def test_there_are_examples():
    assert len(EXAMPLES) >= 15


def test_labs_come_behind_those_that_they_need():
    needs = {"03": ["01", "02"], "02": ["01", "hub"], "01": []}
    assert in_order(needs) == ["01", "02", "03"]
    with pytest.raises(graphlib.CycleError):
        in_order(needs | {"01": ["03"]})


def test_a_circle_of_needs_is_an_error_that_names_it(notebook: Notebook) -> None:
    notebook.write("01_one", **header("[02_two]"))
    notebook.write("02_two", **header("[01_one]"))
    notebook.write("03_three", **header("[]"))
    labs, broken = find_labs(notebook.root / "labs")
    assert [lab.stem for lab in labs] == ["03_three"]
    assert set(broken) == {"01_one", "02_two"}
    assert isinstance(broken["01_one"], NotebookError)
    assert re.search(r"needs go in a circle: 0\d_\w+ needs 0\d_\w+ needs 0\d_\w+", str(broken["01_one"]))


def header(needs: str) -> dict:
    return HEADER | {"needs": needs}


TOUR = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")


def test_the_tour_prints_what_its_page_shows() -> None:
    """Words must agree; shares may move by two points, since another CPU rounds otherwise."""
    blocks = re.findall(r"```python\n(.*?)```", TOUR, re.DOTALL)
    assert sum(len([line for line in block.splitlines() if line.strip()]) for block in blocks) <= 50
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = "".join(re.findall(r"```text\n(.*?)```", TOUR, re.DOTALL))
    number = r"\d+(?:\.\d+)?(?=%| |\))"
    assert re.sub(number, "#", done.stdout) == re.sub(number, "#", shown)
    for printed, said in zip(re.findall(r"(\d+)%", done.stdout), re.findall(r"(\d+)%", shown), strict=True):
        assert abs(int(printed) - int(said)) <= 2
