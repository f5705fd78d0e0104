"""record, figure and predict, as a plain script calls them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from llmnotes.lab import records as lab


@pytest.fixture(autouse=True)
def plain_script(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LLMNOTES_RUN", raising=False)
    for name, empty in (("_records", {}), ("_predictions", {}), ("_figures", set())):
        monkeypatch.setattr(lab, name, empty)
    yield
    plt.close("all")


def a_plot():
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    return fig


@pytest.mark.parametrize(
    ("value", "kept", "printed"),
    [
        (3, 3, "x = 3\n"),
        (True, True, "x = True\n"),
        (np.int64(3), 3, "x = 3\n"),
        (np.bool_(False), False, "x = False\n"),
        (np.float32(0.5), 0.5, "x = 0.5\n"),
    ],
)
def test_numbers_of_every_kind(value, kept, printed: str, capsys: pytest.CaptureFixture) -> None:
    lab.record("x", value, atol=0.1, because="y")
    assert lab._records["x"].value == kept
    assert type(lab._records["x"].value) is type(kept)
    assert capsys.readouterr().out == printed, "one quiet line"


def test_a_record_keeps_its_tolerance(capsys: pytest.CaptureFixture) -> None:
    lab.record("loss", 0.6931471805, rtol=1e-3, because="rounding", unit="nats")
    assert lab._records["loss"] == lab.Record("loss", 0.6931471805, 1e-3, 0.0, "rounding", "nats")
    assert capsys.readouterr().out == "loss = 0.693147 nats\n"


@pytest.mark.parametrize(
    ("name", "value", "options", "error", "said"),
    [
        ("x", float("nan"), {"atol": 1, "because": "y"}, ValueError, "record('x') got nan"),
        ("x", float("inf"), {"atol": 1, "because": "y"}, ValueError, "record('x') got inf"),
        ("x", torch.zeros(2), {}, TypeError, "got a Tensor of shape (2,); expected one number, such as value.item()"),
        ("x", torch.tensor(1.0), {}, TypeError, "got a Tensor of shape ()"),
        ("x", np.zeros((2, 3)), {}, TypeError, "got a ndarray of shape (2, 3)"),
        ("x", "3", {}, TypeError, "got '3' (str)"),
        ("x", 1j, {}, TypeError, "expected one number"),
        ("x", None, {}, TypeError, "got None"),
        ("x", 0.5, {}, ValueError, "0.5 is a float without a tolerance"),
        ("x", 0.5, {"atol": 0.1}, ValueError, "a tolerance needs its reason"),
        ("x", 0.5, {"atol": 0.1, "because": " "}, ValueError, "a tolerance needs its reason"),
        ("x", 0.5, {"rtol": -1, "because": "y"}, ValueError, "rtol is -1; expected a number, 0 or larger"),
        ("X y", 1, {}, ValueError, "the name is 'X y'; expected lower-case words joined by underscores"),
        ("", 1, {}, ValueError, "the name is ''"),
    ],
)
def test_a_bad_record_is_refused(name, value, options, error, said: str) -> None:
    with pytest.raises(error) as caught:
        lab.record(name, value, **options)
    assert said in str(caught.value)
    assert not lab._records


def test_a_name_comes_once() -> None:
    lab.record("x", 1)
    with pytest.raises(ValueError, match="this name is taken"):
        lab.record("x", 2)
    lab.figure(a_plot(), name="x", alt="A line.")
    with pytest.raises(ValueError, match="this name is taken"):
        lab.figure(a_plot(), name="x", alt="A line.")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"alt": ""}, "alt is ''"),
        ({"alt": "  "}, "alt is '  '"),
        ({"alt": None}, "alt is None"),
        ({"alt": "x", "rtol": 0.1}, "a tolerance needs its reason"),
        ({"alt": "x", "data": {}}, "found no lines, points, bars or images"),
        ({"alt": "x", "data": {"a": ["b"]}}, "figure data 'a' cannot be read as an array of numbers"),
    ],
)
def test_a_bad_figure_is_refused(options: dict, said: str) -> None:
    with pytest.raises(ValueError, match="figure") as caught:
        lab.figure(a_plot(), name="x", **options)
    assert said in str(caught.value)


def test_alt_cannot_be_left_out() -> None:
    with pytest.raises(TypeError, match="alt"):
        lab.figure(a_plot(), name="x")


def test_a_figure_is_closed_and_said(capsys: pytest.CaptureFixture) -> None:
    fig = a_plot()
    lab.figure(fig, name="x", alt="A line.")
    assert not plt.fignum_exists(fig.number)
    assert capsys.readouterr().out == "figure x: 614 × 461, 1 arrays\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"p": 1.2}, "p is 1.2; expected a probability between 0 and 1"),
        ({"p": True}, "p is True"),
        ({"if_": "more"}, "the condition is 'more'"),
        ({"if_": "> 1; import os"}, "the condition is"),
        ({"claim": " "}, "the claim is empty"),
    ],
)
def test_a_bad_prediction_is_refused(options: dict, said: str) -> None:
    right = {"claim": "It is so", "p": 0.5, "resolved_by": "x", "if_": "> 1"}
    with pytest.raises(ValueError, match=r"\w") as caught:
        lab.predict(**(right | options))
    assert said in str(caught.value)


def test_predictions_come_before_the_experiment() -> None:
    lab.record("x", 1)
    with pytest.raises(ValueError, match="on record already; predict before"):
        lab.predict("It is so", p=0.5, resolved_by="x", if_="> 1")


@pytest.mark.parametrize(
    ("value", "condition", "outcome"),
    [
        (0.5, "> 0.5", False),
        (0.5, ">= 0.5", True),
        (0.4, "< .5", True),
        (2, "<= 1", False),
        (4, "== 4", True),
        (True, "== 1", True),
        (-1e-3, "> -2e-3", True),
        (0.2, "between 0.2 and 0.4", True),
        (0.41, "between 0.2 and 0.4", False),
    ],
)
def test_conditions(value: float, condition: str, outcome: bool) -> None:
    assert lab.holds(value, condition) is outcome
