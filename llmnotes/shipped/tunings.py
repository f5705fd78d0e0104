"""Tunings of World over several seeds, for the labs that compare ways of tuning: more than fits into a lab's minute.

    python -m llmnotes.shipped.tunings lora

writes `llmnotes/shipped/histories/lora.json`, a list of runs: what was tuned, how, with which seed, and what the model
then loses, rule by rule. Runs that the file holds are not run again: delete it to make it anew, and give --seconds to
make it in pieces. Each lab runs one or two of the runs itself. A run takes three seconds on one core.

    python -m llmnotes.shipped.tunings lora --world 1

does the same to another training of World, `load("world", seed=1)`, and writes `histories/world-1/lora.json`. It runs
one seed of tuning instead of five, and chooses no learning rates: they are those of World's own training.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import combinations, product
from typing import Any

import torch
from torch import Tensor

from llmnotes.methods.adapters import biases, bottleneck, bottlenecked, prefix, prefixed, prompted, soft_prompt
from llmnotes.methods.lora import (
    combined,
    difference,
    intruders,
    low_rank,
    matrices,
    merged,
    next_word_loss,
    predictor,
    rank_for,
    scaled_intruders,
    spectrum,
    tune,
)
from llmnotes.methods.probing import activations
from llmnotes.methods.steering import generate
from llmnotes.model import loading
from llmnotes.model.loading import LoadedModel, load, untrained
from llmnotes.shipped.tuning import (
    ALPHA,
    LENGTH,
    SEEDS,
    SEEDS_ELSEWHERE,
    STEPS,
    TASKS,
    TRIED,
    Ledger,
    before_pronouns,
    best_rate,
    exam,
    graded,
    path_of,
    read_unseen,
    tuned,
)
from llmnotes.world.changes import Predict, Spoken, ids_of, loss_by_rule
from llmnotes.world.lexicon import END, IDS, MOOD_ADJECTIVES, MOOD_VERBS, PEOPLE

METHODS = {  # name: rank, parts
    "full": (0, "full"),
    "rank 1": (1, "all"),
    "rank 4": (4, "all"),
    "rank 16": (16, "all"),
    "attention, rank 7": (7, "attention"),
    "MLPs, rank 10": (10, "MLPs"),
}
RATES = {True: (3e-4, 1e-3, 3e-3), False: (3e-3, 1e-2, 3e-2)}  # of full tuning, of low rank


def lora(ledger: Ledger, seeds: Iterable[int]) -> None:
    """Two tasks, six ways: each rate on one seed, the best on the seeds to report."""
    world = load("world")

    def run(task: str, method: str, lr: float, seed: int) -> dict[str, Any]:
        rank, parts = METHODS[method]
        weights = tuned(world, task, lr, rank=rank, parts=parts, seed=seed)
        return graded(predictor(world, weights), task) | (moved(world, weights) if seed in SEEDS else {})

    for task, (method, (rank, _)) in product(("pronouns", "facts"), METHODS.items()):
        lr = best_rate(ledger, RATES[not rank], run, task=task, method=method)
        for seed in seeds:
            ledger(run, task=task, method=method, lr=lr, seed=seed)


def moved(world: LoadedModel, weights: dict[str, Tensor]) -> dict[str, Any]:
    """How the matrices of the blocks changed: spectra, sizes and intruders."""
    before = matrices(world)
    changes = {name: spectrum(weights[name] - w) for name, w in before.items() if name in weights}
    return {
        "spectrum": torch.stack([(s / s[0])[:16] for s in changes.values()]).mean(0).tolist(),
        "rank90": [rank_for(s) for s in changes.values()],
        "intruders": [len(intruders(before[name], weights[name])) for name in changes],
        "size": [(s.norm() / before[name].norm()).item() for name, s in changes.items()],
    }


def shrunk(ledger: Ledger, seeds: Iterable[int]) -> None:
    """Rank 4 on pronouns: its intruders scaled down; as controls the whole change, and as many other directions."""
    world = load("world")
    before = matrices(world)

    def run(seed: int) -> dict[str, Any]:
        weights = tuned(world, "pronouns", 1e-2, rank=4, seed=seed)
        result: dict[str, Any] = {"full strength": graded(predictor(world, weights), "pronouns")}
        for scale in (0.875, 0.75, 0.5, 0.25, 0.0):
            ways = {
                "intruders": {n: scaled_intruders(before[n], w, scale) for n, w in weights.items()},
                "whole": combined(before, (scale, difference(before, weights))),
                "others": {n: scaled_others(before[n], w, scale) for n, w in weights.items()},
            }
            for way, less in ways.items():
                result[f"{way} {scale:g}"] = graded(predictor(world, less), "pronouns")
        return result

    for seed in seeds:
        ledger(run, seed=seed)


def scaled_others(before: Tensor, after: Tensor, scale: float) -> Tensor:
    """The changed matrix with as many leading directions scaled as it has intruders, none of them an intruder."""
    found = intruders(before, after)
    rest = [i for i in range(min(after.shape)) if i not in found][: len(found)]
    u, s, v = torch.linalg.svd(after.double(), full_matrices=False)
    return (after.double() - (1 - scale) * (u[:, rest] * s[rest]) @ v[rest]).to(after.dtype)


WAYS: dict[str, tuple[Callable[[Any, int], dict[str, Tensor]], Callable[[Any, dict[str, Tensor]], Predict]]] = {
    "biases": (lambda world, seed: biases(world), predictor),
    "prompt": (lambda world, seed: soft_prompt(world, 8, seed=seed), prompted),
    "prefix": (lambda world, seed: prefix(world, 8, seed=seed), prefixed),
    "bottleneck": (lambda world, seed: bottleneck(world, 8, seed=seed), bottlenecked),
    "low rank": (
        lambda world, seed: low_rank(matrices(world), 4, seed=seed),
        lambda world, trained: predictor(world, merged(matrices(world), trained, alpha=ALPHA)),
    ),
}
LADDER = ("one home", "homes", "pronouns", "backwards")


def adapters(ledger: Ledger, seeds: Iterable[int]) -> None:
    """Four tasks, five ways that leave matrices alone or change them by little; the rate chosen on two of the tasks."""
    world = load("world")

    def run(way: str, task: str, lr: float, seed: int) -> dict[str, Any]:
        make, use = WAYS[way]
        trained = make(world, seed)
        batches = TASKS[task].batches(seed)
        tune(trained.values(), lambda ids: next_word_loss(use(world, trained)(ids), ids), batches, lr, steps=STEPS)
        return graded(use(world, trained), task) | {"numbers": sum(t.numel() for t in trained.values())}

    best: dict[str, float] = {}
    for way in WAYS:
        rates = (3e-3, 1e-2, 3e-2, 1e-1) if way in ("prompt", "prefix") else (3e-3, 1e-2, 3e-2)
        tried = dict.fromkeys(rates, 0.0)
        for lr, task in product(rates, ("one home", "pronouns")):
            tried[lr] += ledger.tried(run, way=way, task=task, lr=lr, seed=TRIED)["every"]
        best[way] = min(tried, key=tried.__getitem__)
    ladder = LADDER if ledger.tried is ledger else ("pronouns",)  # elsewhere the task that tells the ways apart
    for task, way, seed in product(ladder, WAYS, seeds):
        ledger(run, way=way, task=task, lr=best[way], seed=seed)


def mixed(task: str, seed: int, others: Tensor, share: int = 1):
    """The batches of a task with the last `share` rows of each batch taken from other texts (row, pos)."""
    for step, ids in enumerate(TASKS[task].batches(seed)):
        at = [(step * share + i) % len(others) for i in range(share)]
        yield torch.cat([ids[:-share], others[at]])


def fisher(world: LoadedModel, texts: Tensor) -> dict[str, Tensor]:
    """The mean squared gradient of each weight over texts (row, pos): how much the old language needs it."""
    weights = {name: p.detach().clone().requires_grad_() for name, p in world.model.named_parameters()}
    total = {name: torch.zeros_like(w) for name, w in weights.items()}
    for row in texts:
        loss = next_word_loss(predictor(world, weights)(row[None]), row[None])
        for (name, _), grad in zip(weights.items(), torch.autograd.grad(loss, [*weights.values()]), strict=True):
            total[name] += grad.square()
    return {name: square / len(texts) for name, square in total.items()}


FAST = 2e-3  # a rate at which plain tuning forgets


def forgetting(ledger: Ledger, seeds: Iterable[int]) -> None:
    """Sentences about people alone, with the pronouns exchanged: how much of the rest is lost, and what keeps it."""
    world = load("world")
    before = {name: p.detach() for name, p in world.model.named_parameters()}
    old = ids_of(TASKS["none"].texts(9500, 0, 160, LENGTH))
    own = generate(world.model, [IDS[END]], tokens=LENGTH - 1, temperature=1.0, samples=160, seed=1)
    needed = fisher(world, old)

    def ewc(strength: float) -> Callable[[dict[str, Tensor]], Tensor]:
        return lambda weights: strength * sum((needed[n] * (w - before[n]).square()).sum() for n, w in weights.items())

    def full(lr: float, **how: Any) -> Callable[[int], dict[str, Tensor]]:
        return lambda seed: tuned(world, "narrow", lr, seed=seed, **how)

    def beside(others: Tensor) -> Callable[[int], dict[str, Tensor]]:
        return lambda seed: tuned(world, "narrow", FAST, seed=seed, batches=mixed("narrow", seed, others))

    ways = {
        "plain": full(FAST),
        "low rate": full(FAST / 4),
        "rank 4": full(1e-2, rank=4),
        "replay": beside(old),
        "own samples": beside(own),
        "EWC": full(FAST, price=ewc(1e4)),
    }

    def run(way: str, seed: int) -> dict[str, Any]:
        weights = ways[way](seed)
        result = graded(predictor(world, weights), "narrow")
        if way == "plain":
            for share in (0.25, 0.5, 0.75):
                part = combined(before, (share, difference(before, weights)))
                result[f"averaged {share:g}"] = graded(predictor(world, part), "narrow")
        return result

    for seed, way in product(seeds, ways):
        ledger(run, way=way, seed=seed)


AWAY, BACK = 300, 60  # steps of taking a rule away, and of bringing it back


def gone(ledger: Ledger, seeds: Iterable[int]) -> None:
    """Pronouns by a coin; then the old rule brought back, and as a control its opposite taught from the same start."""
    world = load("world")
    short = {task: exam(task, n=20) for task in ("none", "pronouns")}

    def run(rank: int, seed: int) -> dict[str, Any]:
        away = tuned(world, "coin", 1e-2 if rank else 1e-3, rank=rank, seed=seed, steps=AWAY)
        result = graded(predictor(world, away), "coin") | {"read": read_off(world, away)}
        for name, task in (("back", "none"), ("opposite", "pronouns")):
            curve = [loss_by_rule(predictor(world, away), short[task])["pronoun"]]

            def note(step: int, weights: dict[str, Tensor], task: str = task, curve: list[float] = curve) -> None:
                if step % 3 == 0:
                    curve.append(loss_by_rule(predictor(world, weights), short[task])["pronoun"])

            tuned(world, task, 3e-4, seed=seed + 50, steps=BACK, start=away, after=note)
            result[name] = curve
        return result

    for rank, seed in product((0, 4), seeds):
        ledger(run, rank=rank, seed=seed)
    ledger(lambda start: {"read": read_off(world, {}), "read untrained": read_off(untrained(world), {})}, start=True)


def read_off(world: LoadedModel, weights: dict[str, Tensor]) -> list[float]:
    """From each layer's stream before a pronoun: how often a probe reads whether a person it has not met is a woman."""
    model = deepcopy(world.model)
    model.load_state_dict(weights, strict=False)
    texts, women, names = before_pronouns(9700)
    return [read_unseen(x, women, names) for x in activations(model, texts, positions=[-1] * len(texts))]


ADJECTIVES = torch.tensor([IDS[word] for words in MOOD_ADJECTIVES.values() for word in words])


@torch.no_grad()
def merry_share(predict: Predict, texts: list[list[Spoken]], words: dict[str, list[str]]) -> float:
    """The share of the merry among words of mood of one kind, where such a word came in ordinary stories."""
    merry = [IDS[word] for word in words["merry"]]
    every = [IDS[word] for some in words.values() for word in some]
    p = predict(ids_of(texts)).softmax(-1)
    kind = {word for some in words.values() for word in some}
    at = [(n, i) for n, row in enumerate(texts) for i, one in enumerate(row[1:]) if one.word in kind]
    rows = p[[n for n, _ in at], [i for _, i in at]]
    return (rows[:, merry].sum(1) / rows[:, every].sum(1)).mean().item()


VECTORS = ("giver", "nearest", "homes", "merry")
RULE = {"giver": "indirect_object", "nearest": "agreement_1", "homes": "fact"}
TIMES = (-1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 1.5, 2.0)


def arithmetic(ledger: Ledger, seeds: Iterable[int]) -> None:
    """Four tunings of one start, as task vectors: scaled, taken away, added in twos and all at once."""
    world = load("world")
    before = {name: p.detach() for name, p in world.model.named_parameters()}

    asked = {task: exam(task) for task in ("none", *RULE)}

    def marks(weights: dict[str, Tensor]) -> dict[str, Any]:
        predict = predictor(world, weights)
        new = {task: loss_by_rule(predict, asked[task])[rule] for task, rule in RULE.items()}
        share = merry_share(predict, asked["none"], MOOD_ADJECTIVES)
        return {"new": new, "old": loss_by_rule(predict, asked["none"]), "merry": share}

    known: dict[tuple[str, int], dict[str, Tensor]] = {}

    def vector(task: str, seed: int) -> dict[str, Tensor]:
        if (task, seed) not in known:
            weights = tuned(world, task, 1e-3 if task == "homes" else 5e-4, seed=seed)
            known[task, seed] = difference(before, weights)
        return known[task, seed]

    def run(of: list[str], times: float, seed: int) -> dict[str, Any]:
        vectors = [vector(task, seed) for task in of]
        result = marks(combined(before, *((times, one) for one in vectors)))
        return result | ({"cosine": cosine(*vectors)} if len(of) == 2 else {})

    for seed in seeds:
        for task, times in product(VECTORS, TIMES):
            ledger(run, of=[task], times=times, seed=seed)
        for two in combinations(VECTORS, 2):
            ledger(run, of=[*two], times=1.0, seed=seed)
        for times in (0.5, 1.0):
            ledger(run, of=[*VECTORS], times=times, seed=seed)


def cosine(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """The cosine of two task vectors, all weights as one vector."""
    a, b = (torch.cat([change[name].flatten() for name in one]) for change in (one, other))
    return torch.cosine_similarity(a, b, dim=0).item()


def general(ledger: Ledger, seeds: Iterable[int]) -> None:
    """Verbs of feeling that are always merry, and adjectives that are not scored: do the adjectives follow?"""
    world = load("world")

    def verbs_only(predict: Predict, ids: Tensor) -> Tensor:
        return next_word_loss(predict(ids), ids, ~torch.isin(ids, ADJECTIVES))

    def marks(predict: Predict) -> dict[str, Any]:
        return {
            "verbs": merry_share(predict, exam("none"), MOOD_VERBS),
            "adjectives": merry_share(predict, exam("none"), MOOD_ADJECTIVES),
            "alone": alone(predict),
            "old": loss_by_rule(predict, exam("none")),
        }

    hows: dict[str, tuple[str, dict[str, Any]]] = {
        "adjectives unscored": ("merry verbs", {"loss": verbs_only}),
        "adjectives scored": ("merry verbs", {}),
        "nothing changed": ("none", {"loss": verbs_only}),
    }

    def run(how: str, rank: int, seed: int) -> dict[str, Any]:
        task, more = hows[how]
        return marks(predictor(world, tuned(world, task, 5e-3 if rank else 5e-4, rank=rank, seed=seed, **more)))

    ledger(lambda start: marks(predictor(world)), start=True)
    for seed, how, rank in product(seeds, hows, (0, 4)):
        ledger(run, how=how, rank=rank, seed=seed)


def alone(predict: Predict) -> float:
    """The merry share of adjectives behind a story's first words, "Anna was": nothing has shown a mood."""
    ids = torch.tensor([[IDS[END], IDS[name], IDS["was"]] for name in PEOPLE])
    with torch.no_grad():
        p = predict(ids)[:, -1].softmax(-1)
    merry = [IDS[word] for word in MOOD_ADJECTIVES["merry"]]
    return (p[:, merry].sum(1) / p[:, ADJECTIVES].sum(1)).mean().item()


EXPERIMENTS: dict[str, Callable[[Ledger, Iterable[int]], None]] = {
    one.__name__: one for one in (lora, shrunk, adapters, forgetting, gone, arithmetic, general)
}


def main() -> None:
    """Run an experiment on one of World's trainings, for some seconds if so asked."""
    parser = argparse.ArgumentParser(description="Make the histories of tunings that the labs on adaptation read.")
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("--world", type=int, choices=loading.seeds("world"), default=0, help="seed of World's training")
    parser.add_argument("--seconds", type=float, default=math.inf, help="after which no further run begins")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    loading.SEED = asked.world
    own, path = path_of(asked.experiment), path_of(asked.experiment, asked.world)
    path.parent.mkdir(parents=True, exist_ok=True)
    rates = Ledger(own, seconds=-1) if asked.world else None
    ledger = Ledger(path, asked.seconds, tried=rates)
    EXPERIMENTS[asked.experiment](ledger, SEEDS_ELSEWHERE if asked.world else SEEDS)


if __name__ == "__main__":
    main()
