"""How World's rules formed in other training runs: their grades along the way, since only their last weights ship.

A run is World's own recipe with another seed, stopped at step 1500. At each of World's checkpoints it is graded by
rule, and on the two stand-ins of the lab on formation: verbs behind an attractor of the other number, and pronouns
where a vote of the names so far is wrong. `python -m llmnotes.shipped.formation FOLDER 1 2` makes `formation.json`
anew; a run takes five minutes.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path

import torch
from torch import nn

from llmnotes.model.architectures import logits_of
from llmnotes.model.loading import CHECKPOINTS
from llmnotes.scratch.training import train
from llmnotes.scratch.transformer import Transformer
from llmnotes.shipped.recipes import WORLD, WORLD_BATCH, WORLD_PLAN, WORLD_STEPS
from llmnotes.world.grading import grade, is_right
from llmnotes.world.grammar import Token
from llmnotes.world.lexicon import END, NOUNS, VERBS
from llmnotes.world.stories import TEST_SEED, held_out, read, story_batches, word_ids

LAST = 1500
FILE = CHECKPOINTS / "world" / "formation.json"
FORMS = word_ids([*VERBS.values(), "is"]), word_ids([*VERBS, "are"])  # singular, plural


class _EnoughError(Exception):
    pass


def vote(story: list[Token], i: int) -> int:
    """Count how many more names of word i's gender than of the other stand before it in a story."""
    genders = [token.gender for token in story[:i] if token.pos == "name"]
    return sum(1 if gender == story[i].gender else -1 for gender in genders)


@torch.no_grad()
def measure(model: nn.Module, *, graded: int = 150, searched: int = 600) -> dict[str, float]:
    """Grade a World model by rule and on the lab's two stand-ins.

    Args:
        model: maps ids (batch, pos) to logits, as a tensor or in a field `logits`; eval mode.
        graded: stories graded by rule.
        searched: stories among which pronouns are looked for.

    Returns:
        The share of places right by rule; for "attracted" of "the … near the …" with nouns of unlike number; for
        "vote_right" and "vote_wrong" of pronouns.
    """
    shares = dict(grade(model, held_out(TEST_SEED, graded), WORLD.n_ctx).accuracy)
    unlike = [(a, b) for a, b in product([*NOUNS, *NOUNS.values()], repeat=2) if (a in NOUNS) != (b in NOUNS)]
    prompts = torch.stack([word_ids(f"{END} the {a} near the {b}") for a, b in unlike])
    probs = logits_of(model(prompts))[:, -1].softmax(-1)
    singular = torch.tensor([a in NOUNS for a, _ in unlike])
    says_singular = probs[:, FORMS[0]].sum(-1) > probs[:, FORMS[1]].sum(-1)
    shares["attracted"] = (says_singular == singular).double().mean().item()
    ids, stories = read(TEST_SEED, searched, WORLD.n_ctx + 1)
    places = [(n, i) for n, s in enumerate(stories) for i, t in enumerate(s) if t.rule == "pronoun"]
    right: dict[bool, list[bool]] = {True: [], False: []}
    for n, row in enumerate(logits_of(model(ids[:, :-1])).softmax(-1)):
        for i in (i for m, i in places if m == n):
            if votes := vote(stories[n], i):
                right[votes > 0].append(is_right(row[i - 1], "pronoun", stories[n][i].word))
    return shares | {
        "vote_right": sum(right[True]) / len(right[True]),
        "vote_wrong": sum(right[False]) / len(right[False]),
        "vote_wrong_places": float(len(right[False])),
    }


def follow(seed: int, out: Path) -> list[dict[str, float]]:
    """Train World with another seed up to step 1500, and grade it at each of World's checkpoints up to there."""
    rows, steps = [], [step for step in WORLD_STEPS if step <= LAST]

    def after(model: nn.Module, done: int) -> None:
        if done in steps:
            rows.append({"step": float(done), **measure(model.eval())})
            (out / "rows.json").write_text(json.dumps(rows))
        if done >= LAST:
            raise _EnoughError

    batch = story_batches(WORLD.n_ctx, WORLD_BATCH, 10 + seed)
    with suppress(_EnoughError):
        train(Transformer(WORLD, seed=seed), batch, replace(WORLD_PLAN, seed=seed), out, after=after)
    return rows


if __name__ == "__main__":
    folder, *seeds = sys.argv[1:]
    made = {seed: follow(int(seed), Path(folder) / seed) for seed in seeds}
    FILE.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
