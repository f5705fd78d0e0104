"""One tuning of World on a changed language: its texts, its training, its marks; and a ledger of many such runs.

Histories of World's own training ship in `histories/`, those of its other trainings, with fewer seeds of tuning, in
`histories/world-1/` and so on.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from torch import Tensor

from llmnotes.methods.lora import (
    low_rank,
    matrices,
    merged,
    next_word_loss,
    predictor,
    tune,
)
from llmnotes.model import loading
from llmnotes.model.loading import LoadedModel
from llmnotes.world.changes import CHANGES, Predict, Spoken, ids_of, loss_by_rule, spoken
from llmnotes.world.lexicon import END, MOODS, PEOPLE, PREPOSITIONS, TOWNS

HERE = Path(__file__).parent / "histories"
BATCH, LENGTH, STEPS = 8, 40, 150
SEEDS = range(5)
SEEDS_ELSEWHERE = range(1)  # on World's other trainings
TRIED = 20  # the seed on which learning rates are chosen; not among those that are reported
ALPHA = 4.0


@dataclass(frozen=True)
class Task:
    """What is to be learnt: a change of the language, and which of its texts are read."""

    change: str
    prefer: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    moods: tuple[str, ...] = field(default=MOODS)

    def texts(self, row: int, first: int, n: int, length: int) -> list[list[Spoken]]:
        """Some of its texts."""
        how = {"change": CHANGES[self.change], "prefer": self.prefer, "skip": self.skip, "moods": self.moods}
        return [spoken(row, first + i, length=length, **how) for i in range(n)]

    def batches(self, seed: int, steps: int = STEPS) -> Iterator[Tensor]:
        """The token ids (row, pos) of fresh texts, a batch a step."""
        for step in range(steps):
            yield ids_of(self.texts(9100 + seed, step * BATCH, BATCH, LENGTH))


ABOUT_PEOPLE = ("the", "when", "said", "sang", *TOWNS)  # left out, sentences about people and what they own remain
TASKS = {
    "none": Task("none"),
    "pronouns": Task("pronouns"),
    "narrow": Task("pronouns", skip=ABOUT_PEOPLE),
    "merry": Task("none", moods=("merry",)),
    "merry verbs": Task("merry verbs"),
    "coin": Task("coin"),
    "one home": Task("one home", ("lives",)),
    "homes": Task("homes", ("lives",)),
    "facts": Task("facts", ("lives", "is", "likes")),
    "nearest": Task("nearest", ("the", *PREPOSITIONS)),
    "giver": Task("giver", ("when",)),
    "backwards": Task("backwards", ("sang", ";")),
}
PARTS = {"full": (), "all": ("attn", "mlp"), "attention": ("attn",), "MLPs": ("mlp",)}


def exam(task: str, n: int = 40, length: int = 96) -> list[list[Spoken]]:
    """Ordinary stories with a task's change in them, none of which a tuning read."""
    return Task(TASKS[task].change).texts(9000, 0, n, length)


def before_pronouns(row: int, n: int = 800) -> tuple[list[list[int]], list[bool], list[str]]:
    """Ordinary stories up to a pronoun: token ids, whether a woman is meant, and her or his name."""
    texts, women, names = [], [], []
    for told in TASKS["none"].texts(row, 0, n, 48):
        at = next((i for i, one in enumerate(told) if one.rule == "pronoun" and i > 4), None)
        if at:
            said = [one.word for one in told[:at]]
            texts.append(ids_of([told])[0, :at].tolist())
            women.append(told[at].word in ("she", "her"))
            names.append([b for a, b in pairwise(said) if b in PEOPLE and a in (END, ".", ",")][-1])
    return texts, women, names


def pairs(names: Sequence[str], labels: Sequence[bool]) -> np.ndarray:
    """The number of each row's pair of names, one name of each label: what to hold out together."""
    of = {which: sorted({n for n, y in zip(names, labels, strict=True) if bool(y) is which}) for which in (True, False)}
    return np.array([of[bool(y)].index(n) for n, y in zip(names, labels, strict=True)])


def read_unseen(x: Tensor, labels: Sequence[bool], names: Sequence[str]) -> float:
    """How often a linear probe reads a label of people whom its fit has not met, pair by pair of them.

    A probe that has met all names reads any label of them, the gender or a random one.

    Args:
        x: activations (text, d_model).
        labels: of each text, the same for all texts about one person.
        names: whom each text is about.
    """
    model = LogisticRegression(max_iter=2000)
    centred = (x - x.mean(0)).double().numpy()
    held_out = {"groups": pairs(names, labels), "cv": LeaveOneGroupOut()}
    return float(np.mean(cross_val_predict(model, centred, np.asarray(labels), **held_out) == np.asarray(labels)))


def tuned(
    world: LoadedModel,
    task: str,
    lr: float,
    *,
    rank: int = 0,
    parts: str = "all",
    seed: int = 0,
    steps: int = STEPS,
    start: dict[str, Tensor] | None = None,
    loss: Callable[[Predict, Tensor], Tensor] = lambda predict, ids: next_word_loss(predict(ids), ids),
    price: Callable[[dict[str, Tensor]], Tensor | float] = lambda weights: 0.0,
    batches: Iterable[Tensor] | None = None,
    after: Callable[[int, dict[str, Tensor]], None] = lambda step, weights: None,
) -> dict[str, Tensor]:
    """Tune World on a task: all weights if the rank is 0, else factors of that rank on the matrices of some parts.

    Args:
        world: the model; it stays as it is.
        task: a name of `TASKS`.
        lr: the highest rate.
        rank: of the change; 0 for all weights, without factors.
        parts: with a rank, "all", "attention" or "MLPs".
        seed: of the texts and of the factors.
        steps: how many.
        start: weights to begin with instead of the model's own.
        loss: of a batch.
        price: what is added to the loss for weights.
        batches: texts to read instead of the task's.
        after: called after each step.

    Returns:
        The weights that changed, by name.
    """
    before = {name: p.detach() for name, p in world.model.named_parameters()} | (start or {})
    if rank:
        chosen = {name: before[name] for name in matrices(world, PARTS[parts])}
        trained = low_rank(chosen, rank, seed=seed)
    else:
        trained = {name: p.clone() for name, p in before.items()}

    def now() -> dict[str, Tensor]:
        return (start or {}) | merged(before, trained, alpha=ALPHA) if rank else trained

    tune(
        trained.values(),
        lambda ids: loss(predictor(world, now()), ids) + price(now()),
        TASKS[task].batches(seed, steps) if batches is None else batches,
        lr,
        steps=steps,
        after=lambda step: after(step, now()),
    )
    return {name: weight.detach() for name, weight in now().items()}


def graded(predict: Predict, task: str) -> dict[str, Any]:
    """What a model loses in the new language and in the old one, by rule, in nats above the grammar's own."""
    new, old = (loss_by_rule(predict, exam(which)) for which in (task, "none"))
    rules = [one.rule for row in exam(task) for one in row[1:]]
    return {"every": sum(new[rule] for rule in rules) / len(rules), "new": new, "old": old}


class Ledger:
    """The runs of an experiment, by what was run: what the file holds is not run again.

    Args:
        path: of the file.
        seconds: after which no further run begins.
        tried: the ledger in which learning rates are chosen, if it is another.
    """

    def __init__(self, path: Path, seconds: float = math.inf, *, tried: Ledger | None = None) -> None:
        self.path, self.end, self.tried = path, time.monotonic() + seconds, tried or self
        self.runs: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []

    def __call__(self, run: Callable[..., dict[str, Any]], **key: Any) -> dict[str, Any]:
        """The result of `run(**key)`: from the file, or by running it and writing it there.

        Raises:
            SystemExit: the time is over; what is done is in the file.
        """
        for known in self.runs:
            if all(known.get(name) == value for name, value in key.items()):
                return known
        if time.monotonic() > self.end:
            raise SystemExit(f"{self.path}: {len(self.runs)} runs so far, none of {key}; run it again to go on")
        self.runs.append(key | rounded(run(**key)))
        self.path.write_text("[\n" + ",\n".join(map(json.dumps, self.runs)) + "\n]\n", encoding="utf-8")
        return self.runs[-1]


def rounded(value: Any) -> Any:
    """Numbers to four digits behind the point, at any depth."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value


def best_rate(ledger: Ledger, rates: Sequence[float], run: Callable[..., dict[str, Any]], **key: Any) -> float:
    """The rate with the smallest loss over every word on a seed that is not reported."""
    tried = {lr: ledger.tried(run, lr=lr, seed=TRIED, **key)["every"] for lr in rates}
    return min(tried, key=tried.__getitem__)


def path_of(name: str, world: int = 0) -> Path:
    """The file with the runs of an experiment on one of World's trainings."""
    return HERE / (f"world-{world}" if world else "") / f"{name}.json"


def history(name: str, *, world: int | None = None) -> list[dict[str, Any]]:
    """The runs of an experiment as they ship.

    Args:
        name: of the experiment.
        world: the seed of World's training; by default the one that `load("world")` opens.

    Raises:
        FileNotFoundError: none ship for that training.
    """
    if world is None:
        world = loading.SEED if loading.SEED in loading.seeds("world") else 0
    path = path_of(name, world)
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in path.parent.glob("*.json"))) or "none"
        raise FileNotFoundError(
            f"no history {name!r} of World's seed {world} ships; of that seed there are: {known}. Make it with: "
            f"python -m llmnotes.shipped.tunings {name} --world {world}"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def histories(name: str) -> dict[int, list[dict[str, Any]]]:
    """The runs of an experiment on each training of World for which they ship, by its seed; rates' trials left out."""
    shipped = [world for world in loading.seeds("world") if path_of(name, world).is_file()]
    return {world: [run for run in history(name, world=world) if run.get("seed") in SEEDS] for world in shipped}
