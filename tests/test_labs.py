"""The labs of the notebook, run again from nothing and compared with their recorded runs, value by value.

Which ones run is said in `once`; every lab's recorded run must be whole.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, Notebook, clean_environment, labs_anew, pytest_configure, real_labs
from once import goes_with, recorded_seconds, third

from llmnotes.site.run.compare import against_recorded, comparisons, differences
from llmnotes.site.run.labs import Lab, find_labs
from llmnotes.site.run.runner import Outcome
from llmnotes.site.run.store import Project, Run

LABS = real_labs()
each_lab = pytest.mark.parametrize("lab", LABS, ids=[lab.stem for lab in LABS])
each_lab_anew = pytest.mark.parametrize("lab", labs_anew(), ids=[lab.stem for lab in labs_anew()])
Fresh = Callable[[Lab], Outcome]


def check_agreement(lab: Lab, recorded: Run, fresh: Run, num_regression, folder: Path, *, figures: bool) -> None:
    """Compare the values, or the arrays that figures show, by the numbers that `llmnotes check` goes by.

    pytest-regressions is given how far each is beyond its tolerance, as a share of it, not the values: it compares a
    column of whole numbers exactly, whatever its tolerance, and could differ from the command.
    """
    found = {
        name: [max(0.0, used - 1)]
        for name, used, _ in comparisons(recorded, fresh)
        if name.startswith("figure ") is figures
    }
    expected = folder / f"{lab.stem}.csv"
    pd.DataFrame({name: [0] for name in found}).to_csv(expected)
    try:
        num_regression.check(found, fullpath=expected, default_tolerance={"atol": 0.0, "rtol": 0.0})
    except AssertionError as error:
        pytest.fail("\n".join([*differences(lab, recorded, fresh), "", str(error)]), pytrace=False)


def test_no_lab_is_broken() -> None:
    labs, broken = find_labs(ROOT / "labs")
    assert not broken, "\n".join(map(str, broken.values()))
    assert labs, "a notebook without labs"


def test_every_third_lab_and_in_three_commits_every_lab() -> None:
    chosen = [third(LABS, number) for number in (5, 6, 7)]
    assert sorted(lab.stem for part in chosen for lab in part) == [lab.stem for lab in LABS]
    assert {len(part) for part in chosen} <= {len(LABS) // 3, len(LABS) // 3 + 1}
    assert {lab.stem for lab in third(LABS, int("0" * 39 + "5", 16))} == {lab.stem for lab in chosen[0]}


def test_what_is_about_one_lab_goes_to_one_process() -> None:
    runs, values = (goes_with(f"tests/test_labs.py::test_{name}[01_xor]") for name in ("a_lab_runs", "values_agree"))
    assert runs == values == "tests/test_labs.py[01_xor]"
    assert goes_with("tests/test_labs.py::test_values_agree[02_tokens]") != runs
    assert goes_with("tests/test_store.py::test_damage[x]") == goes_with("tests/test_store.py::test_y")


@each_lab_anew
def test_a_lab_runs_from_nothing(lab: Lab, fresh_run: Fresh) -> None:
    """With nothing at hand that the site is built with."""
    outcome = fresh_run(lab)
    assert outcome.error is None, outcome.error
    assert outcome.run.meta["depends"]["code"] == lab.digest


def recorded_of(lab: Lab) -> Run:
    recorded = Project(ROOT).recorded(lab)
    if recorded is None and "hub" in lab.needs:
        pytest.skip("not recorded: it needs a model from the hub")
    assert recorded, f"{lab.stem}: no recorded run; make one with: llmnotes record {lab.stem}"
    return recorded


def both(lab: Lab, fresh_run: Fresh) -> tuple[Run, Run]:
    outcome = fresh_run(lab)
    assert outcome.run, outcome.error
    return recorded_of(lab), outcome.run


@each_lab_anew
def test_values_agree_with_the_recorded_ones(lab: Lab, fresh_run: Fresh, num_regression, tmp_path: Path) -> None:
    check_agreement(lab, *both(lab, fresh_run), num_regression, tmp_path, figures=False)


@each_lab_anew
def test_figures_agree_with_the_recorded_ones(lab: Lab, fresh_run: Fresh, num_regression, tmp_path: Path) -> None:
    recorded, fresh = both(lab, fresh_run)
    assert fresh.figures, "a lab shows its result in a figure"
    check_agreement(lab, recorded, fresh, num_regression, tmp_path, figures=True)


@each_lab_anew
def test_nothing_else_differs(lab: Lab, fresh_run: Fresh) -> None:
    """Names that came or went, predictions and their outcomes, damage, staleness."""
    both(lab, fresh_run)
    found = against_recorded(Project(ROOT), fresh_run(lab))
    assert not found, "\n".join(found)


@each_lab
def test_the_recorded_run_is_whole(lab: Lab) -> None:
    recorded_of(lab).check()


@each_lab
def test_a_lab_takes_at_most_a_minute(lab: Lab) -> None:
    recorded = Project(ROOT).recorded(lab)
    if recorded is None:
        pytest.skip("not recorded")
    assert recorded.cpu_seconds <= (120 if "smollm2" in lab.needs else 60), (
        "a model of more than 50 M parameters may take two"
    )


@each_lab
def test_a_lab_imports_nothing_of_the_site(lab: Lab) -> None:
    nodes = [*ast.walk(ast.parse("\n".join(cell.source for cell in lab.code)))]
    used = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    used |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert not {name for name in used if re.match(r"(llmnotes\.site|IPython|mkdocs|jupytext|nbclient)\b", name)}


SCRIPTS = labs_anew() if os.environ.get("LLMNOTES_SCRIPTS") == "all" else sorted(LABS, key=recorded_seconds)[:1]


@pytest.mark.parametrize("lab", SCRIPTS, ids=lambda lab: lab.stem)
def test_a_lab_is_a_plain_script_too(lab: Lab, without_site: str, tmp_path: Path) -> None:
    """From any folder, without a screen, with no site installed; the quickest, and each week all of them.

    That labs need no site, each run proves. What a run cannot show is that of a script alone: it ends well, and it
    prints a line for each value.
    """
    environment = clean_environment() | {"OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([without_site, environment["PYTHONPATH"]])
    for name in ("MPLBACKEND", "DISPLAY", "WAYLAND_DISPLAY"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, str(lab.path)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in recorded_of(lab).values:
        assert re.search(rf"^{name} = ", done.stdout, re.MULTILINE), f"one quiet line for {name}"


def notes(tree: ast.Module, names: set[str]) -> list[ast.Expr]:
    """The statements that note values: calls of `note`, and of what `within` gave."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    return [node for node in found if isinstance(node.value.func, ast.Name) and node.value.func.id in names]


def noters(lab: Lab) -> set[str]:
    """The names under which a lab notes values, and under which it asks the reader."""
    made = [node for cell in lab.code for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assign)]
    made = [node for node in made if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "within"]
    return {"note", "ask", "predict"} | {target.id for node in made for target in node.targets}


@each_lab
def test_cells_are_small_enough_to_read(lab: Lab) -> None:
    """Bookkeeping apart, and what is folded for good."""
    for cell in lab.code:
        if {"setup", "drawing", "labels"} & set(cell.tags):
            continue
        said = {
            line
            for node in notes(ast.parse(cell.source), noters(lab))
            for line in range(node.lineno, node.end_lineno + 1)
        }
        lines = [line for n, line in enumerate(cell.source.splitlines(), 1) if line.strip() and n not in said]
        assert len(lines) <= 20, f"{lab.path}:{cell.line}: a cell of {len(lines)} lines; split it"
        if "idea" in cell.tags:
            assert not said, f"{lab.path}:{cell.line}: bookkeeping where the idea is"
            read = [line for line in lines if line.strip(" )](}{[,")]  # as one reads: no lone brackets
            assert len(read) <= 15, f"{lab.path}:{cell.line}: an idea of {len(read)} lines; move what is not the idea"


@each_lab
def test_a_lab_has_its_parts(lab: Lab) -> None:
    """What DESIGN asks of each lab, as far as a machine can tell."""
    prose = [line for cell in lab.cells if cell.kind == "markdown" for line in cell.source.splitlines()]
    headings = [line.lstrip("# ").lower() for line in prose if line.startswith("#")]
    for part in ("predict", "try it", "does not show"):
        assert any(part in heading for heading in headings), f"{lab.stem}: no heading with {part!r}; it has {headings}"
    exercise = any("solution" in cell.tags for cell in lab.code) or any("```exercise" in line for line in prose)
    assert exercise, f"{lab.stem}: no exercise that is tested"
    assert 1 <= sum("idea" in cell.tags for cell in lab.code) <= 5, f"{lab.stem}: one to five cells carry the idea"


@each_lab
def test_every_value_has_a_label_in_plain_words(lab: Lab) -> None:
    """The lab's last cell says what each value is, so that a search for a name finds it."""
    said = {
        keyword.arg: ast.literal_eval(keyword.value)
        for cell in lab.code
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "in_words"
        for keyword in node.keywords
    }
    names = set(recorded_of(lab).values)
    assert set(said) == names, f"{lab.stem}: without a label: {names - set(said)}; no value: {set(said) - names}"
    assert not [text for text in said.values() if "_" in text], f"{lab.stem}: a label with a name of code"


@each_lab
def test_no_result_is_typed_by_hand(lab: Lab) -> None:
    """A recorded value of three or more digits that stands in prose is a number that can go stale: quote it."""
    recorded = Project(ROOT).recorded(lab)
    if recorded is None:
        pytest.skip("not recorded")
    pages = {lab.path: "\n".join(cell.source for cell in lab.cells if cell.kind == "markdown")} | pages_of_text()
    for entry in recorded.values.values():
        if isinstance(entry.value, bool) or float(entry.value).is_integer():
            continue
        for text in {f"{entry.value:.3g}", f"{entry.value:.4g}", f"{entry.value:.1%}"}:
            if len(re.sub(r"\D", "", text).lstrip("0")) < 3:
                continue
            for path, prose in pages.items():
                assert text not in prose or not re.search(rf"(?<![\d.]){re.escape(text)}(?!\d)", prose), (
                    f"{path}: holds {text}, which {lab.key}.{entry.name} recorded; quote it with result(…)"
                )


@functools.cache
def pages_of_text() -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*/*.md"))}


# The mechanism itself, on a tiny notebook


def changed_by_hand(notebook: Notebook, change: tuple[str, str]) -> tuple[Lab, Run, Run]:
    lab = notebook.project.labs()[0]
    recorded = notebook.project.recorded(lab)
    fresh = Run(notebook.root / "fresh")
    shutil.copytree(recorded.folder, fresh.folder)
    results = recorded.folder / "results.json"
    assert change[0] in results.read_text()
    results.write_text(results.read_text().replace(*change))
    return lab, Run(recorded.folder), fresh


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"value": 0.25', '"value": 0.3'), "01_tiny: share: recorded 0.3, now 0.25, tolerance 0.01 (a hundred draws)"),
        (('"value": 42', '"value": 43'), "01_tiny: answer: recorded 43, now 42, tolerance 0 (exact)"),
        (('"name": "share"', '"name": "part"'), "01_tiny: part: is gone\n01_tiny: share: is new"),
    ],
)
def test_a_value_that_differs_is_named(
    recorded: Notebook, num_regression, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    lab, before, fresh = changed_by_hand(recorded, change)
    with pytest.raises(pytest.fail.Exception) as caught:
        check_agreement(lab, before, fresh, num_regression, tmp_path, figures=False)
    assert said in str(caught.value)


def test_a_value_within_its_tolerance_passes(recorded: Notebook, num_regression, tmp_path: Path) -> None:
    lab, before, fresh = changed_by_hand(recorded, ('"value": 0.25', '"value": 0.2599'))
    check_agreement(lab, before, fresh, num_regression, tmp_path, figures=False)
    (said,) = against_recorded(recorded.project, Outcome(lab, run=fresh, fresh=True))
    assert "results.json is not what the run wrote" in said


@pytest.mark.parametrize(
    ("now", "passes"),
    [("29", True), ("28", True), ("28.0", True), ("9", True), ("49", True), ("8", False), ("50", False)],
)
def test_a_whole_number_has_its_tolerance_too(
    recorded: Notebook, num_regression, tmp_path: Path, now: str, passes: bool
) -> None:
    """Recorded is 29, which may move by 20: the tests and `llmnotes check` agree on what that means."""
    path = recorded.root / "labs" / "recorded" / "01_tiny" / "results.json"
    text = path.read_text().replace('"atol": 0.01', '"atol": 20.0')
    path.write_text(text.replace('"value": 0.25', f'"value": {now}'))
    lab, before, fresh = changed_by_hand(recorded, (f'"value": {now}', '"value": 29'))
    assert (before.values["share"].value, fresh.values["share"].value) == (29, float(now))
    assert (not differences(lab, before, fresh)) == passes
    said = f"share: recorded 29, now {now}, tolerance 20"
    with nullcontext() if passes else pytest.raises(pytest.fail.Exception, match=said):
        check_agreement(lab, before, fresh, num_regression, tmp_path, figures=False)


@pytest.mark.parametrize(
    ("shift", "passes"), [(0.0, True), (0.0004, True), (0.0006, False), (np.nan, False)]
)  # the line rises from 0.25 to 0.75 over x from 0 to 2: a range of 2, of which a thousandth may move
def test_a_figure_is_checked_by_its_data(
    recorded: Notebook, num_regression, tmp_path: Path, shift: float, passes: bool
) -> None:
    lab = recorded.project.labs()[0]
    before = recorded.project.recorded(lab)
    fresh = Run(tmp_path / "fresh")
    shutil.copytree(before.folder, fresh.folder)
    arrays = before.arrays("line")
    arrays["axes0_line0"][1, 1] += shift * 4
    np.savez_compressed(fresh.folder / "figures" / "line.npz", **arrays)
    said = f"figure line: axes0_line0: recorded 0.5, now {arrays['axes0_line0'][1, 1]} at (1, 1), tolerance 0.002"
    assert [said in line for line in differences(lab, before, fresh)] == ([] if passes else [True])
    with nullcontext() if passes else pytest.raises(pytest.fail.Exception, match=re.escape(said)):
        check_agreement(lab, before, fresh, num_regression, tmp_path, figures=True)


def test_figures_and_predictions_that_changed_are_named(recorded: Notebook) -> None:
    lab, before, fresh = changed_by_hand(recorded, ('"name": "line"', '"name": "curve"'))
    (before.folder / "figures" / "line.npz").rename(before.folder / "figures" / "curve.npz")
    names = {"01_tiny: figure curve: axes0_line0: is gone", "01_tiny: figure line: axes0_line0: is new"}
    assert names <= set(differences(lab, before, fresh))
    results = fresh.folder / "results.json"
    results.write_text(results.read_text().replace('"value": 42', '"value": 39').replace('"p": 0.8', '"p": 0.9'))
    found = differences(lab, before, Run(fresh.folder))
    assert "01_tiny: its predictions changed" in found
    assert "01_tiny: prediction 'The answer is more than 40': was True, is now False" in found


def test_arrays_of_another_shape_or_name_are_named(recorded: Notebook, tmp_path: Path) -> None:
    lab = recorded.project.labs()[0]
    before = recorded.project.recorded(lab)
    fresh = Run(tmp_path / "fresh")
    shutil.copytree(before.folder, fresh.folder)
    np.savez_compressed(fresh.folder / "figures" / "line.npz", axes0_line0=np.zeros((2, 2)), more=np.zeros(1))
    assert differences(lab, before, fresh) == [
        "01_tiny: figure line: axes0_line0: recorded with shape (3, 2), now (2, 2)",
        "01_tiny: figure line: more: is new",
    ]


@pytest.mark.parametrize("option", ["force_regen", "regen_all"])
def test_recorded_runs_change_by_llmnotes_record_alone(option: str) -> None:
    asked = SimpleNamespace(getoption=lambda name, default=False: name == option)
    with pytest.raises(pytest.UsageError, match="`llmnotes record LAB` is the only way"):
        pytest_configure(asked)


def test_no_recorded_run_is_left_without_its_lab() -> None:
    folder = ROOT / "labs" / "recorded"
    stems = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    assert stems <= {lab.stem for lab in LABS}
