"""The ledger of tunings: a run is made once, survives an interruption, and the shipped ones have all their seeds."""

import json
from collections import Counter

import pytest
import torch

from llmnotes.methods.lora import predictor
from llmnotes.model import loading
from llmnotes.model.loading import load, seeds
from llmnotes.shipped.tuning import (
    HERE,
    SEEDS,
    SEEDS_ELSEWHERE,
    TASKS,
    TRIED,
    Ledger,
    best_rate,
    exam,
    graded,
    history,
    tuned,
)
from llmnotes.world.lexicon import IDS


def test_a_run_is_made_once_and_kept(tmp_path):
    made = []

    def run(lr, seed):
        made.append((lr, seed))
        return {"every": abs(lr - 0.3) + 1 / 3, "by": {"a": [2 / 3]}}

    ledger = Ledger(tmp_path / "some.json")
    assert best_rate(ledger, (0.1, 0.3, 1.0), run) == 0.3
    assert made == [(0.1, TRIED), (0.3, TRIED), (1.0, TRIED)]
    again = Ledger(tmp_path / "some.json", seconds=-1)
    assert again(run, lr=0.3, seed=TRIED) == {"lr": 0.3, "seed": TRIED, "every": 0.3333, "by": {"a": [0.6667]}}
    with pytest.raises(SystemExit, match="3 runs so far"):
        again(run, lr=0.2, seed=0)
    assert len(made) == 3


def test_a_tuning_learns_its_task_and_leaves_the_model_as_it_was():
    world = load("world")
    before = {name: p.detach().clone() for name, p in world.model.named_parameters()}
    start = graded(predictor(world), "pronouns")
    weights = tuned(world, "pronouns", 1e-2, rank=1, steps=25)
    assert graded(predictor(world, weights), "pronouns")["new"]["pronoun"] < start["new"]["pronoun"] - 4
    assert all(torch.equal(p, before[name]) for name, p in world.model.named_parameters())
    assert all(torch.linalg.matrix_rank(w - before[name], atol=1e-4) <= 1 for name, w in weights.items())


def test_no_text_of_an_exam_is_read_in_training():
    read = {tuple(row.tolist()) for ids in TASKS["none"].batches(0, 20) for row in ids[:, :20]}
    asked = {tuple(one.word for one in row[:20]) for row in exam("none")}
    assert len(read) > 150
    assert len(asked) == 40
    assert not read & {tuple(IDS[word] for word in row) for row in asked}


def test_rates_are_looked_up_in_the_ledger_of_the_own_training(tmp_path):
    own = Ledger(tmp_path / "own.json")
    best_rate(own, (0.1, 0.3), lambda lr, seed: {"every": lr})
    elsewhere = Ledger(tmp_path / "elsewhere.json", tried=Ledger(tmp_path / "own.json", seconds=-1))
    assert best_rate(elsewhere, (0.1, 0.3), lambda lr, seed: {"every": -lr}) == 0.1
    assert not elsewhere.runs
    with pytest.raises(SystemExit, match=r"own.json: 2 runs so far, none of {'lr': 1.0"):
        best_rate(elsewhere, (1.0,), lambda lr, seed: {"every": 0.0})


def test_a_history_is_of_the_training_that_load_opens(monkeypatch, tmp_path):
    monkeypatch.setattr("llmnotes.shipped.tuning.HERE", tmp_path)
    (tmp_path / "world-2").mkdir()
    (tmp_path / "some.json").write_text('["own"]')
    (tmp_path / "world-2/some.json").write_text('["other"]')
    assert history("some") == history("some", world=0) == ["own"]
    for seed, expected in ((2, ["other"]), (99, ["own"])):  # there is no World of seed 99, and load opens its own
        monkeypatch.setattr(loading, "SEED", seed)
        assert history("some") == expected
    monkeypatch.setattr(loading, "SEED", 3)
    with pytest.raises(FileNotFoundError, match=r"'some' of World's seed 3.*there are: none.*tunings some --world 3"):
        history("some")


def compared(runs, seeds):
    """How many of some seeds each setting was run with, learning rate included."""
    count = Counter()
    for run in runs:
        if run.get("seed") in seeds:
            key = {k: v for k, v in run.items() if k in ("task", "method", "way", "how", "rank", "of", "times", "lr")}
            count[json.dumps(key, sort_keys=True)] += 1
    return count


@pytest.mark.parametrize("path", sorted(HERE.glob("*.json")), ids=lambda path: path.stem)
def test_every_comparison_that_ships_has_all_its_seeds(path):
    assert set(compared(history(path.stem), SEEDS).values()) == {len(SEEDS)}


@pytest.mark.parametrize(
    "path", sorted(HERE.glob("world-*/*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_other_trainings_have_the_same_comparisons_at_the_same_rates(path):
    world = int(path.parent.name.removeprefix("world-"))
    found = compared(history(path.stem, world=world), SEEDS_ELSEWHERE)
    assert world in seeds("world")
    assert set(found.values()) == {len(SEEDS_ELSEWHERE)}
    own = compared(history(path.stem), SEEDS)
    asked = {key for key in own if path.stem != "adapters" or '"pronouns"' in key}
    assert found.keys() == asked
