"""What is expected before the result: the reader's one prediction, and our own with their probabilities.

Examples:
    >>> from llmnotes.lab import ask, predict
    >>> predict("Two heads answer both questions more often than not", 0.85, two_heads="> 0.5")
    predicted with 85%: Two heads answer both questions more often than not
    >>> ask(
    ...     "One head, two keys, an MLP behind it. What comes back?",
    ...     choices={"one": "One answer, the other lost", "both": "Both, in the right order"},
    ...     because={"one": "One mean seems to hold one answer.", "both": "The values differ in strength."},
    ...     answer="both",
    ...     figure="readouts",
    ...     mlp_both="> 0.9",
    ... )
    Your prediction: One head, two keys, an MLP behind it. What comes back?
      - One answer, the other lost
      - Both, in the right order
"""

from __future__ import annotations

import numbers
import operator
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from llmnotes.lab import records
from llmnotes.lab.saying import NAME, replayed, say


@dataclass(frozen=True)
class Prediction:
    """A claim with its probability, and the noted value that settles it."""

    claim: str
    p: float
    resolved_by: str
    if_: str
    after_a_look: bool = False


@dataclass(frozen=True)
class Question:
    """The reader's prediction, as a run keeps it among its results: see `ask`."""

    question: str
    choices: list[dict[str, str]]  # each with key, text, picture and because; none if a curve is drawn
    answer: str  # the key of the right choice; with a curve, the array of the figure that holds the true one
    curve: dict | None
    because: str  # with a curve: what the true one shows
    figure: str
    settled: list[dict[str, str]]  # name and if_ of the values that must hold for the answer to be right


_predictions: dict[str, Prediction] = {}


def predict(claim: str, p: float, *, after_a_look: bool = False, **settled: str) -> None:
    """Write a claim down before its experiment, with the probability that it will turn out true.

    Args:
        after_a_look: whether something of the result had been seen before; such predictions are counted apart.
        **settled: the name of the value, noted later in the same lab, that settles it, and when the claim is true: a
            comparison such as `"> 0.5"`, `"<= 3"`, `"== 4"` or `"between 0.2 and 0.4"`.

    Raises:
        TypeError: not exactly one value is named.
        ValueError: the probability or the comparison is malformed, or the value is on record already.
    """
    where = f"predict({claim!r})"
    if not claim.strip():
        raise ValueError("predict: the claim is empty; write one sentence that can turn out true or false")
    if isinstance(p, bool) or not isinstance(p, numbers.Real) or not 0 <= p <= 1:
        raise ValueError(f"{where}: p is {p!r}; expected a probability between 0 and 1")
    if len(settled) != 1:
        raise TypeError(
            f"{where}: it names {len(settled)} values ({', '.join(settled) or 'none'}); expected the one that settles "
            'it, such as solved="> 0.5"'
        )
    _check_settled(where, settled)
    ((name, condition),) = settled.items()
    entry = Prediction(claim.strip(), float(p), name, condition, bool(after_a_look))
    _predictions[entry.claim] = entry
    say("prediction", asdict(entry), f"predicted with {p:.0%}: {entry.claim}")


def ask(
    question: str,
    *,
    figure: str,
    because: Mapping[str, str] | str,
    choices: Mapping[str, str] | None = None,
    answer: str = "",
    pictures: Mapping[str, str] | None = None,
    curve: Mapping[str, tuple[str, float, float]] | None = None,
    **settled: str,
) -> None:
    """Ask the reader for one prediction, just above the figure that settles it.

    The page shows the choices, then the figure with the reader's choice marked in it and why it was tempting. Nothing
    that answers it is shown before. In a plain script the question and its choices are printed, not the answer.

    A choice is marked in the figure wherever a part of the drawing carries its key: `line.set_gid("choice-both")`.
    Texts may hold Markdown and `{{ result("lab.value", ".0%") }}`.

    Args:
        figure: the name of the figure that settles it, drawn later in the lab.
        because: for each choice why it is right or why it tempts; with a curve, what the true one shows.
        choices: two to four, by short keys, each a sentence.
        answer: the key of the right choice; with a curve, the name of the figure's array that holds it, (n, 2).
        pictures: drawings in `docs/assets/drawings/` that stand for choices, by key.
        curve: instead of choices, the axes on which the reader draws: `{"x": ("training step", 0, 1600), "y": …}`.
        **settled: values noted later, and what they must be for the answer to be right: `mlp_both="> 0.9"`. A run in
            which they are not fails.

    Raises:
        ValueError: choices, reasons, pictures or axes that do not fit each other; a malformed comparison; or a value
            that is on record already.
    """
    where = f"ask({question!r})"
    if not question.strip().endswith("?"):
        raise ValueError(f"{where}: expected a question, with a question mark at its end")
    for what, name in (("figure", figure), *(("a choice's key", key) for key in choices or ())):
        if not NAME.fullmatch(name):
            raise ValueError(f"{where}: {what} is {name!r}; expected lower-case words joined by underscores")
    if (choices is None) == (curve is None):
        raise ValueError(f"{where}: expected choices=… or curve=…, one of the two")
    _check_settled(where, settled)
    kept = [{"name": name, "if_": condition} for name, condition in settled.items()]
    if curve is not None:
        axes, offered = _axes(where, curve), []
        if not isinstance(because, str) or not because.strip() or not answer:
            raise ValueError(f"{where}: a curve needs answer='the array that holds it' and because='what it shows'")
        lines, because = [f"draw {axes['y']['label']} over {axes['x']['label']}"], because.strip()
    else:
        axes, offered = None, _choices(where, choices, answer, because, pictures or {})
        lines, because = [choice["text"] for choice in offered], ""
    entry = Question(question.strip(), offered, answer, axes, because, figure, kept)
    say("question", asdict(entry), "\n  - ".join([f"Your prediction: {entry.question}", *lines]))


def holds(value: float, condition: str) -> bool:
    """Whether a value meets a comparison written as text: `"> 0.5"`, `"== 4"`, `"between 0.2 and 0.4"` (inclusive)."""
    number = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    if found := re.fullmatch(rf"\s*(>=|<=|==|>|<)\s*{number}\s*", condition):
        compare = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq}
        return compare[found[1]](value, float(found[2]))
    if found := re.fullmatch(rf"\s*between\s+{number}\s+and\s+{number}\s*", condition):
        return float(found[1]) <= value <= float(found[2])
    raise ValueError(f"the condition is {condition!r}; expected '> 0.5', '>=', '<', '<=', '==' or 'between 1 and 2'")


def _check_settled(where: str, settled: Mapping[str, str]) -> None:
    for name, condition in settled.items():
        if not isinstance(condition, str):
            raise ValueError(f'{where}: {name} is {condition!r}; expected a comparison as text, such as {name}="> 0.5"')
        holds(0.0, condition)
        if name in records._records and not replayed():
            raise ValueError(f"{where}: {name!r} is on record already; predict before the experiment")


def _choices(
    where: str, choices: Mapping[str, str], answer: str, because: Mapping[str, str] | str, pictures: Mapping[str, str]
) -> list[dict[str, str]]:
    if not 2 <= len(choices) <= 4:
        raise ValueError(f"{where}: {len(choices)} choices; expected two to four")
    if answer not in choices:
        raise ValueError(f"{where}: answer is {answer!r}; expected one of the choices: {', '.join(choices)}")
    if isinstance(because, str) or set(because) != set(choices):
        raise ValueError(f"{where}: because is {because!r}; expected a reason for each choice: {', '.join(choices)}")
    if unknown := set(pictures) - set(choices):
        raise ValueError(f"{where}: pictures for {sorted(unknown)}; the choices are {', '.join(choices)}")
    for key in choices:
        if not choices[key].strip() or not because[key].strip():
            raise ValueError(f"{where}: the choice {key!r} lacks its text or its reason")
    return [
        {
            "key": key,
            "text": " ".join(text.split()),
            "picture": pictures.get(key, ""),
            "because": " ".join(because[key].split()),
        }
        for key, text in choices.items()
    ]


def _axes(where: str, curve: Mapping[str, tuple[str, float, float]]) -> dict[str, dict]:
    if set(curve) != {"x", "y"}:
        raise ValueError(f"{where}: curve has {sorted(curve)}; expected x and y, each as (label, from, to)")
    axes = {}
    for axis, (text, low, high) in curve.items():
        if not text.strip() or not low < high:
            raise ValueError(f"{where}: curve: {axis} is {(text, low, high)!r}; expected (label, from, to), from < to")
        axes[axis] = {"label": text, "from": low, "to": high}
    return axes
