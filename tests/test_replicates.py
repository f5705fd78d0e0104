"""Whether what is said of one training holds of the others: `llmnotes replicate`, and the field `seeds` of entries."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import TINY, Notebook
from test_entries import write

from llmnotes.site.errors import NotebookError
from llmnotes.site.notebook.entries import read_entries
from llmnotes.site.pages.calls import _others
from llmnotes.site.run.replicates import Replicates, other_seeds, read_replicates, replicate_labs

TODAY = dt.date(2026, 6, 1)
CODE = f"""{TINY}
from llmnotes import load
from llmnotes.lab import ask, within

predict("It is small", 0.6, first="< 100")
ask("The first?", choices={{"yes": "It is.", "no": "No."}}, answer="yes", because="", figure="line", one="== 1")
note = within(atol=1e-3, because="stored in 16 bits")
note(
    first=float(load("world/attention-only").model.transformer.wte.weight[5, 3]),
    named=float(load("world/attention-only", seed=1).model.transformer.wte.weight[5, 3]),
)
only = load("world/attention-only", seed=0).model.transformer.wte.weight[5, 3]
note(one=int(load("world/attention-only").model.transformer.wte.weight[5, 3] == only))

# %% tags=["solution"]
note(tried=1.0)
assert load("world/attention-only").model.transformer.wte.weight[5, 3] == only
"""


def test_a_lab_runs_with_the_other_trainings_of_its_models(notebook: Notebook) -> None:
    lab = notebook.lab("01_tiny", CODE, models=["world/attention-only"])
    assert other_seeds(lab) == [1, 2]
    project = notebook.project
    kept = lab.path.parent / "replicates" / f"{lab.stem}.json"
    kept.parent.mkdir()
    kept.write_text(Replicates(code=lab.digest, values={9: {"first": 0.5}}).model_dump_json(), encoding="utf-8")
    (outcome,) = replicate_labs(project, [lab], jobs=1, report=lambda lab, state: None)
    assert not outcome.error
    found = read_replicates(lab)
    assert sorted(found.values) == [1, 2, 9], "what a training gave that is not here stays"
    first, second, gone = sorted(found.over("first"), key=lambda value: value == 0.5)
    assert gone == 0.5
    assert first != second
    assert found.over("named") == [first, first], "a seed that is named stays"
    assert found.over("tried") == [1.0, 1.0], "a solution records, though what it asserts holds of one training only"


def test_replicates_of_other_code_are_shown_with_a_warning(notebook: Notebook) -> None:
    """So that a lab can be edited while the site is served; a strict build fails."""
    path = notebook.lab("01_tiny").path
    kept = path.parent / "replicates" / "01_tiny.json"
    kept.parent.mkdir()
    kept.write_text(Replicates(code="of yesterday", values={1: {"first": 0.5}}).model_dump_json(), encoding="utf-8")
    lax, strict = notebook.mkdocs("build"), notebook.mkdocs("build", "--strict")
    assert lax.returncode == 0, lax.stderr
    assert strict.returncode == 1
    assert (
        "replicates are of other code than the lab's; make them again with: llmnotes replicate 01_tiny" in strict.stderr
    )


class OneRun:
    """A recorded run with one value."""

    def __init__(self, value: float):
        self.values = {"kept": type("Record", (), {"value": value})()}


def test_trainings_are_counted() -> None:
    found = Replicates(code="", values={1: {"kept": 0.4}, 2: {"kept": 0.7}, 3: {}}, failed={4: "no such head"})
    assert found.count(OneRun(0.6), {"kept": "> 0.5"}) == (2, 5)
    assert found.count(OneRun(0.3), {"kept": "> 0.5"}) == (1, 5)
    assert found.over("kept") == [0.4, 0.7]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "seeds is None; expected for findings about a model that ships with several trainings"),
        ({"seeds": "most"}, "seeds is 'most'; expected"),
        ({"seeds": "0 of 5"}, "seeds is '0 of 5'; expected"),
        ({"seeds": "6 of 5"}, "seeds is '6 of 5'; expected"),
        ({"seeds": "1 of 1", "confidence": "highly likely"}, "expected at most 'likely' with one training"),
    ],
)
def test_a_finding_says_over_how_many_trainings_it_holds(tmp_path: Path, fields: dict, said: str) -> None:
    write(tmp_path, **fields)
    with pytest.raises(NotebookError, match=said):
        read_entries(tmp_path, {"01_xor"}, TODAY, several={"01_xor"})


def test_a_finding_about_other_models_says_nothing_of_trainings(tmp_path: Path) -> None:
    write(tmp_path)
    assert read_entries(tmp_path, {"01_xor"}, TODAY, several={"02_other"})[0].seeds is None


def test_a_page_quotes_the_ends_of_what_other_trainings_gave() -> None:
    lab = SimpleNamespace(key="tiny", stem="01_tiny", uri="labs/01_tiny.md")
    found = Replicates(code="", values={1: {"kept": 0.4}, 2: {"kept": 0.75}, 3: {}})
    contents = SimpleNamespace(runs={"tiny": (lab, OneRun(0.9))}, replicates={"tiny": found})
    place = SimpleNamespace(uri="findings/one.md", link=lambda uri: f"../{uri}")
    assert _others(contents, place, "least", "tiny.kept", ".0%").startswith("[40%](../labs/01_tiny.md#value-kept)")
    assert _others(contents, place, "most", "tiny.kept", ".0%").startswith("[75%]"), "the recorded run is none of them"
    with pytest.raises(NotebookError, match="no such end of the range"):
        _others(contents, place, "mean", "tiny.kept")
    with pytest.raises(NotebookError, match="make them with: llmnotes replicate 01_tiny"):
        _others(SimpleNamespace(runs=contents.runs, replicates={}), place, "least", "tiny.kept")
