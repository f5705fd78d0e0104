"""note, label, figure, predict and ask, as a plain script calls them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from llmnotes.lab import ask, figure, figures, holds, in_words, note, predict, predictions, records, within
from llmnotes.lab.records import Record

rounding = within(rtol=0.01, because="rounding")


@pytest.fixture(autouse=True)
def plain_script(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LLMNOTES_RUN", raising=False)
    monkeypatch.setattr(records, "_records", {})
    monkeypatch.setattr(records, "_labels", {})
    monkeypatch.setattr(predictions, "_predictions", {})
    monkeypatch.setattr(figures, "_figures", set())
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
        (np.array(0.5), 0.5, "x = 0.5\n"),
        (torch.tensor(0.5), 0.5, "x = 0.5\n"),
        (torch.tensor([0.5]), 0.5, "x = 0.5\n"),
        (torch.tensor(4), 4, "x = 4\n"),
        (torch.tensor(True), True, "x = True\n"),
        (torch.ones(2).std(), 0.0, "x = 0\n"),
    ],
)
def test_numbers_of_every_kind(value, kept, printed: str, capsys: pytest.CaptureFixture) -> None:
    rounding(x=value)
    assert records._records["x"].value == kept
    assert type(records._records["x"].value) is type(kept)
    assert capsys.readouterr().out == printed, "one quiet line"


def test_many_values_share_a_tolerance(capsys: pytest.CaptureFixture) -> None:
    rounding(loss=0.6931471805, best=0.5, unit="nats")
    assert records._records["loss"] == Record("loss", 0.6931471805, 0.01, 0.0, "rounding", "nats")
    assert records._records["best"].because == "rounding"
    assert capsys.readouterr().out == "loss = 0.693147 nats\nbest = 0.5 nats\n"


def test_a_call_may_have_its_own_tolerance_and_reason() -> None:
    rounding(atol=0.1, far=2.0)
    assert records._records["far"] == Record("far", 2.0, 0.0, 0.1, "rounding", "")
    rounding(rtol=0.5, because="ten seeds", further=2.0)
    assert records._records["further"] == Record("further", 2.0, 0.5, 0.0, "ten seeds", "")


@pytest.mark.parametrize("value", [3, True, torch.tensor(3)])
def test_whole_numbers_are_exact_unless_the_call_gives_a_tolerance(value) -> None:
    rounding(exact=value)
    assert records._records["exact"] == Record("exact", int(value), 0.0, 0.0, "", "")
    rounding(rtol=0.2, near=value)
    assert (records._records["near"].rtol, records._records["near"].because) == (0.2, "rounding")
    note(alone=value)
    assert records._records["alone"].atol == 0


@pytest.mark.parametrize(
    ("value", "options", "error", "said"),
    [
        (float("nan"), {}, ValueError, "x is nan; expected a finite number"),
        (torch.tensor(float("inf")), {}, ValueError, "x is inf"),
        (torch.zeros(2), {}, TypeError, "x is a Tensor of shape (2,); expected one number, such as value.mean()"),
        (np.zeros((2, 3)), {}, TypeError, "x is a ndarray of shape (2, 3)"),
        ("3", {}, TypeError, "x is '3' (str)"),
        (1j, {}, TypeError, "expected one number"),
        (None, {}, TypeError, "x is None"),
        (0.5, {"because": " ", "atol": 0.1}, ValueError, "a tolerance needs its reason"),
        (0.5, {"rtol": -1}, ValueError, "rtol is -1; expected a number, 0 or larger"),
        (0.5, {"rtol": True}, ValueError, "rtol is True"),
    ],
)
def test_a_bad_value_is_refused(value, options, error, said: str) -> None:
    with pytest.raises(error) as caught:
        rounding(x=value, **options)
    assert said in str(caught.value)
    assert not records._records


def test_a_float_needs_a_tolerance_and_a_tolerance_its_reason() -> None:
    with pytest.raises(ValueError, match=r"x = 0\.5 is a float without a tolerance.*note = within"):
        note(x=0.5)
    with pytest.raises(ValueError, match="a tolerance needs its reason"):
        note(x=0.5, atol=0.1)
    with pytest.raises(ValueError, match="because is empty"):
        within(because=" ")
    with pytest.raises(ValueError, match="within: rtol is -1"):
        within(rtol=-1, because="y")
    with pytest.raises(ValueError, match=r"got no value; name each by a keyword"):
        rounding()
    with pytest.raises(ValueError, match="the name is 'X'; expected lower-case words joined by underscores"):
        note(X=1)


def test_a_name_comes_once() -> None:
    note(x=1)
    with pytest.raises(ValueError, match="the name 'x' is taken"):
        note(x=2)
    figure(a_plot(), name="x", alt="A line.")
    with pytest.raises(ValueError, match="the name 'x' is taken"):
        figure(a_plot(), name="x", alt="A line.")


def test_words_come_after_the_values(capsys: pytest.CaptureFixture) -> None:
    note(x=1, y=2)
    capsys.readouterr()
    in_words(x="Runs that\n solve XOR")
    assert records._labels == {"x": "Runs that solve XOR"}
    assert capsys.readouterr().out == "", "nothing that a script need say"
    for bad, said in (
        ({"z": "Zed"}, "nothing is noted as 'z'"),
        ({"x": "Again"}, "has its label"),
        ({"y": " "}, "' '"),
    ):
        with pytest.raises(ValueError, match="in_words: ") as caught:
            in_words(**bad)
        assert said in str(caught.value)


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
        figure(a_plot(), name="x", **options)
    assert said in str(caught.value)


def test_alt_cannot_be_left_out() -> None:
    with pytest.raises(TypeError, match="alt"):
        figure(a_plot(), name="x")


def test_a_figure_is_closed_and_said(capsys: pytest.CaptureFixture) -> None:
    fig = a_plot()
    figure(fig, name="x", alt="A line.")
    assert not plt.fignum_exists(fig.number)
    assert capsys.readouterr().out == "figure x: 614 × 461, 1 arrays\n"


def test_a_prediction_is_one_call(capsys: pytest.CaptureFixture) -> None:
    predict("It is so", 0.85, x="> 1")
    assert predictions._predictions["It is so"] == predictions.Prediction("It is so", 0.85, "x", "> 1")
    assert capsys.readouterr().out == "predicted with 85%: It is so\n"


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"p": 1.2}, ValueError, "p is 1.2; expected a probability between 0 and 1"),
        ({"p": True}, ValueError, "p is True"),
        ({"x": "more"}, ValueError, "the condition is 'more'"),
        ({"x": "> 1; import os"}, ValueError, "the condition is"),
        ({"x": 0.5}, ValueError, "x is 0.5; expected a comparison as text"),
        ({"claim": " "}, ValueError, "the claim is empty"),
        ({"y": "> 1"}, TypeError, "it names 2 values (x, y); expected the one that settles it"),
    ],
)
def test_a_bad_prediction_is_refused(options: dict, error, said: str) -> None:
    right = {"claim": "It is so", "p": 0.5, "x": "> 1"}
    with pytest.raises(error) as caught:
        predict(**(right | options))
    assert said in str(caught.value)
    with pytest.raises(TypeError, match=r"it names 0 values \(none\)"):
        predict("It is so", 0.5)


def test_predictions_come_before_the_experiment() -> None:
    note(x=1)
    with pytest.raises(ValueError, match="on record already; predict before"):
        predict("It is so", 0.5, x="> 1")


CHOICES = {"one": "One answer", "both": "Both answers"}
RIGHT = {
    "question": "What comes back?",
    "choices": CHOICES,
    "answer": "both",
    "because": {"one": "A mean seems to hold one.", "both": "They differ in strength."},
    "figure": "readouts",
    "x": "> 0.9",
}


def test_a_question_shows_its_choices_and_not_its_answer(capsys: pytest.CaptureFixture) -> None:
    ask(**RIGHT)
    assert capsys.readouterr().out == "Your prediction: What comes back?\n  - One answer\n  - Both answers\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"question": "What comes back"}, "expected a question"),
        ({"choices": {"one": "One answer"}}, "1 choices; expected two to four"),
        ({"answer": "two"}, "answer is 'two'; expected one of the choices: one, both"),
        ({"because": {"both": "So."}}, "expected a reason for each choice"),
        ({"because": "So."}, "expected a reason for each choice"),
        ({"because": {"one": " ", "both": "So."}}, "the choice 'one' lacks its text or its reason"),
        ({"pictures": {"two": "a.svg"}}, "pictures for ['two']"),
        ({"figure": "Read outs"}, "figure is 'Read outs'"),
        ({"choices": None}, "choices=… or curve=…"),
        ({"curve": {"x": ("step", 0, 1), "y": ("loss", 0, 7)}}, "choices=… or curve=…"),
        ({"x": "large"}, "the condition is 'large'"),
    ],
)
def test_a_bad_question_is_refused(options: dict, said: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        ask(**(RIGHT | options))
    assert said in str(caught.value)


def test_a_curve_to_draw(capsys: pytest.CaptureFixture) -> None:
    axes = {"x": ("training step", 0, 1600), "y": ("loss (nats)", 0, 7)}
    ask("How does it fall?", curve=axes, answer="axes0_line0", because="It falls at once.", figure="losses")
    assert capsys.readouterr().out.endswith("\n  - draw loss (nats) over training step\n")
    for wrong, said in ((axes | {"x": ("step", 1, 0)}, "from < to"), ({"x": axes["x"]}, "expected x and y")):
        with pytest.raises(ValueError, match="curve") as caught:
            ask("How does it fall?", curve=wrong, answer="axes0_line0", because="It falls.", figure="losses")
        assert said in str(caught.value)
    with pytest.raises(ValueError, match="a curve needs answer"):
        ask("How does it fall?", curve=axes, because="It falls at once.", figure="losses")


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
    assert holds(value, condition) is outcome
