"""Pages of text that make promises: examples that run, and an order of the labs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import HEADER, ROOT, Notebook

from llmnotes.site.run.labs import find_labs

EXAMPLES = re.findall(r"```python\n(.*?)\n```", (ROOT / "docs" / "readiness.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.splitlines()[-2][:30] for example in EXAMPLES])
def test_an_example_of_the_checklist_gives_what_it_says(example: str) -> None:
    *before, expression, said = example.splitlines()
    names = {"np": np, "torch": torch}
    inside = " " * (len(expression) - len(expression.lstrip()))
    exec("\n".join([*before, f"{inside}result = {expression.strip()}"]), names)
    assert names["result"] == ast.literal_eval(said.removeprefix("# "))


def test_there_are_examples():
    assert len(EXAMPLES) >= 15


def test_a_lab_may_need_only_what_stands_before_it(notebook: Notebook) -> None:
    notebook.write("01_later", **header("[]", chapter="Inside"))
    notebook.write("02_first", **header("[]"))
    notebook.write("03_second", **header("[02_first]"))
    notebook.write("04_wrong", **header("[01_later]"))
    notebook.write("05_itself", **header("[05_itself]"))
    labs, broken = find_labs(notebook.root / "labs")
    assert [lab.stem for lab in labs] == ["02_first", "03_second", "01_later"]
    assert set(broken) == {"04_wrong", "05_itself"}
    assert "needs names '01_later', which is no lab that stands before it" in str(broken["04_wrong"])


def header(needs: str, **more: str) -> dict:
    return HEADER | {"needs": needs} | more


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
