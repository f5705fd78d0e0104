"""`llmnotes check --stress`: what leaves its tolerance on another machine is named, with the condition."""

from __future__ import annotations

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from conftest import TINY, Notebook, clean_environment

from llmnotes.lab.records import Record
from llmnotes.site import cli
from llmnotes.site.errors import NotebookError
from llmnotes.site.run import compare
from llmnotes.site.run.compare import near_the_line

TRAINS = """\
import os
import torch

def trained(start, steps):
    weights = torch.nn.Parameter(start.clone())
    weights.grad = torch.zeros(1000)
    for _ in range(steps):
        torch.optim.SGD([weights], lr=0.1).step()
    return weights.detach()

once = trained(torch.ones(1000), 3)
moved = float((once - 1).abs().max())
predict("It stays where it is", 0.9, still="== 1")

# %%
note(moved=moved, far=moved, atol=1e-5, because="rounding")
note(close=moved, atol=1e-9, because="no reason at all")
note(goes_on=torch.equal(once, trained(trained(torch.ones(1000), 1), 2)))
note(still=moved == 0, threads=int(os.environ["OMP_NUM_THREADS"]))
note(old=os.environ.get("ATEN_CPU_CAPABILITY") == "default")

# %%
"""


@pytest.fixture
def stressed(notebook: Notebook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """Calls the command for labs that were recorded, under as few conditions as show all of it."""
    monkeypatch.chdir(notebook.root)
    all_conditions = compare.CONDITIONS

    def call(code: str, *few: str) -> tuple[str, str]:
        monkeypatch.setattr(compare, "CONDITIONS", {name: all_conditions[name] for name in few})
        lab = notebook.lab("01_tiny", TINY.partition("\n")[0] + "\n" + code + TINY.partition("\n")[2])
        (outcome,) = notebook.run(lab)
        assert outcome.error is None, outcome.error
        notebook.project.keep(lab, outcome.run)
        capsys.readouterr()
        try:
            cli.check.callback((), hub=False, jobs=None, stress=True)
        except NotebookError as error:
            return capsys.readouterr().out, str(error)
        return capsys.readouterr().out, ""

    return call


def test_what_leaves_its_tolerance_is_named_with_its_condition(stressed) -> None:
    out, error = stressed(TRAINS, "an older processor", "two threads", "noise 1")
    assert re.search(r"01_tiny  moved: \d+% of its tolerance, under noise 1\n", out), "how much each value used"
    assert "01_tiny  share" not in out, "it came out the same"
    assert re.search(r"01_tiny: close: recorded 0\.0, now \d.*e-06, tolerance 1e-09 .*, under noise 1", out)
    assert "01_tiny: still: recorded True, now False, tolerance 0 (exact), under noise 1" in out
    assert "01_tiny: threads: recorded 1, now 2, tolerance 0 (exact), under two threads" in out
    assert "01_tiny: old: recorded False, now True, tolerance 0 (exact), under an older processor" in out
    assert "01_tiny: prediction 'It stays where it is': was True, is now False, under noise 1" in out
    assert "share: recorded" not in out
    assert "goes_on: recorded" not in out, "a training that goes on after a break is the same training"
    assert error == "5 difference(s) from the recorded runs"


def test_what_stands_it_passes_and_nothing_is_stored(stressed, notebook: Notebook) -> None:
    out, error = stressed("", "two threads")
    assert error == ""
    assert "every value stays within its tolerance, and no prediction turns" in out
    assert len(list((notebook.root / ".cache" / "runs" / "01_tiny").iterdir())) == 1


def test_a_lab_that_fails_under_one_condition_still_tells_of_the_others(stressed) -> None:
    code = (
        "import os\nassert not os.environ.get('ATEN_CPU_CAPABILITY'), 'an old one'\n\n# %%\n"
        "note(threads=int(os.environ['OMP_NUM_THREADS']))\n\n# %%\n"
    )
    out, error = stressed(code, "an older processor", "two threads")
    assert re.search(r"01_tiny: it fails under an older processor: (.|\n)*AssertionError: an old one", out)
    assert "01_tiny: threads: recorded 1, now 2, tolerance 0 (exact), under two threads" in out
    assert error.endswith("difference(s) from the recorded runs")


NOISE = """\
import sys, torch
from llmnotes.site.run.noise import SIZE, shake
from llmnotes import load
from llmnotes.scratch import nets
import numpy as np

plain = load("world").model.state_dict()
xor = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
before = nets.train(nets.init((2, 3, 1), 0), *xor, lr=1.0, steps=20).losses
drawn = torch.manual_seed(0), torch.randn(5)
shake(1)
torch.manual_seed(0)
assert torch.equal(torch.randn(5), drawn[1]), "the lab's own random numbers stay"
first, second = (load("world").model.state_dict() for _ in range(2))
for name, weights in plain.items():
    assert torch.equal(first[name], second[name]), "the same model twice"
    assert torch.allclose(first[name], weights, rtol=10 * SIZE, atol=0), name
assert any(not torch.equal(first[name], plain[name]) for name in plain)
after = nets.train(nets.init((2, 3, 1), 0), *xor, lr=1.0, steps=20).losses
assert 0 < np.abs(after - before).max() < 1e-3
print("held")
"""


def test_noise_is_small_and_the_same_for_the_same_weights() -> None:
    done = subprocess.run([sys.executable, "-c", NOISE], env=clean_environment(), capture_output=True, text=True)
    assert done.stdout == "held\n", done.stderr


@pytest.mark.parametrize(
    ("value", "atol", "condition", "near"),
    [
        (1.97, 0.1, "> 2", True),
        (1.5, 0.1, "> 2", False),
        (2.05, 0.1, ">= 2", True),
        (0.4, 0.1, "between 0.35 and 0.65", True),
        (0.5, 0.1, "between 0.35 and 0.65", False),
        (4, 0.0, "== 4", False),
    ],
)
def test_a_prediction_is_near_its_line_if_the_tolerance_reaches_it(
    value: float, atol: float, condition: str, near: bool
) -> None:
    run = SimpleNamespace(values={"x": Record(name="x", value=value, atol=atol, rtol=0.0, because="", unit="")})
    assert near_the_line(run, {"resolved_by": "x", "if_": condition}) is near
