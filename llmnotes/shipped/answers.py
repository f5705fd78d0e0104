"""The recipe behind the lab on fine-tuning: World learns to answer questions about a tale, three ways, five seeds.

    python -m llmnotes.shipped.answers --out DIR --seed 0   # the trainings of a seed, a file each
    python -m llmnotes.shipped.answers --out DIR --gather   # all of DIR into answers.json

A question is `[ Anna saw ]` behind a tale. Its answer is the noun that Anna, or the pronoun that stands for her, saw.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

import llmnotes
from llmnotes.scratch.gpt2 import from_gpt2
from llmnotes.scratch.training import loss_of
from llmnotes.scratch.transformer import Transformer
from llmnotes.world.grammar import Token, tell
from llmnotes.world.lexicon import IDS, OWNING, SEEING
from llmnotes.world.oracle import divergence, truth
from llmnotes.world.stories import TEST_SEED

STEPS, ROWS, EVERY, SEEDS, RATE, LONGEST = 150, 8, 50, 5, 1e-3, 64
WAYS = ("answers", "all", "few")  # loss on answers; loss on every word; loss on answers of 48 examples, again and again
FEW = 48
KEPT_OUT = ("Klara", "Leo")  # nobody asks about them in training
HISTORY = Path(__file__).with_name("answers.json")


@dataclass(frozen=True)
class Example:
    """A tale as words, a question behind it, and the answer."""

    tale: tuple[str, ...]
    name: str
    verb: str
    answer: str
    by_pronoun: bool  # the tale says he or she, not the name

    @property
    def words(self) -> list[str]:
        """All that the model reads: tale, question, answer."""
        return [*self.tale, "[", self.name, self.verb, "]", self.answer]


def example(tokens: list[Token], seed: int) -> Example | None:
    """An example from a story: one of the things that somebody saw or owned, said once; None if there is none."""
    end = max((i for i, token in enumerate(tokens[:LONGEST]) if token.word == "."), default=0) + 1
    tokens, found = tokens[:end], {}
    for i, token in enumerate(tokens[:-2]):
        if token.word in (*SEEING, *OWNING):
            found.setdefault((tokens[i - 1].referent, token.word), []).append((tokens[i + 2].word, tokens[i - 1].pos))
    once = sorted((*who, *what[0]) for who, what in found.items() if len(what) == 1)
    if not once:
        return None
    name, verb, answer, pos = random.Random(seed).choice(once)
    return Example(tuple(token.word for token in tokens), name, verb, answer, pos == "pronoun")


@cache
def examples(n: int, first: int, row: int = 1, kept_out: bool = False) -> tuple[Example, ...]:
    """The first n examples from story `first` of a row of stories on.

    Args:
        n: how many.
        first: the story to begin with.
        row: which stories: 1 for training, `TEST_SEED` for measuring.
        kept_out: only questions about the people that training leaves out; otherwise only about the others.
    """
    made: list[Example] = []
    while len(made) < n:
        one = example(tell(row, first), first)
        first += 1
        if one and (one.name in KEPT_OUT) == kept_out:
            made.append(one)
    return tuple(made)


def batch_of(some: Sequence[Example], answers_only: bool) -> tuple[Tensor, Tensor]:
    """What is read and what follows each word, (example, pos); -100 where nothing is scored."""
    rows = torch.full((len(some), LONGEST + 5), -100)
    for row, one in zip(rows, some, strict=True):
        row[: len(one.words)] = torch.tensor([IDS[word] for word in one.words])
    targets = rows[:, 1:].clone()
    if answers_only:
        last = torch.tensor([len(one.words) - 2 for one in some])
        targets[torch.arange(targets.shape[1]) != last[:, None]] = -100
    return rows[:, :-1].clamp(min=0), targets


@torch.no_grad()
def answered(model: nn.Module, some: Sequence[Example]) -> list[bool]:
    """For each example, whether the likeliest word behind the question is the answer."""
    ids, targets = batch_of(some, answers_only=True)
    said = model(ids).argmax(-1)
    return [bool((s == t)[t != -100].all()) for s, t in zip(said, targets, strict=True)]


@cache
def _stories(n: int = 40) -> list[tuple[Tensor, object]]:
    told = [[token.word for token in tell(TEST_SEED, 5000 + i)][:LONGEST] for i in range(n)]
    return [(torch.tensor([[IDS[word] for word in words]]), truth(words)) for words in told]


@torch.no_grad()
def apart(model: nn.Module) -> float:
    """How far the model is from the grammar in plain stories, in nats a word: what it has kept of the base."""
    return torch.cat([divergence(model(ids)[0], true) for ids, true in _stories()]).mean().item()


def base() -> Transformer:
    """World, to be trained on."""
    return from_gpt2(llmnotes.load("world").model)


def one(way: str, seed: int, steps: int = STEPS) -> dict:
    """Fine-tune once; gives answers right and distance from the grammar along the way."""
    model, test = base(), examples(150, 0, TEST_SEED)
    others = examples(60, 0, TEST_SEED, kept_out=True)
    pool = examples(FEW if way == "few" else steps * ROWS, 20_000 + 10_000 * seed)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.0, betas=(0.9, 0.98), fused=True)
    log = {"step": [], "right": [], "apart": []}
    for step in range(steps + 1):
        if step % EVERY == 0:
            model.eval()
            log["step"].append(step)
            log["right"].append(round(sum(answered(model, test)) / len(test), 4))
            log["apart"].append(round(apart(model), 4))
        if step == steps:
            break
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 10) * (1 - step / steps)
        some = [pool[(step * ROWS + i) % len(pool)] for i in range(ROWS)]
        loss_of(model.train(), batch_of(some, answers_only=way != "all")).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    model.eval()
    right = answered(model, test)
    by = [[r for r, e in zip(right, test, strict=True) if e.by_pronoun == pronoun] for pronoun in (False, True)]
    bare = [Example(("<|endoftext|>",), e.name, e.verb, e.answer, False) for e in test]
    return {
        "way": way,
        "seed": seed,
        **log,
        "read": round(sum(answered(model, pool[:150])) / len(pool[:150]), 4),
        "kept_out": round(sum(answered(model, others)) / len(others), 4),
        "by_name": round(sum(by[0]) / len(by[0]), 4),
        "by_pronoun": round(sum(by[1]) / len(by[1]), 4),
        "without_tale": round(sum(answered(model, bare)) / len(bare), 4),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="llmnotes.shipped.answers", description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path, help="folder of the trainings")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--gather", action="store_true", help="write answers.json from all trainings in the folder")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.gather:
        paths = [arguments.out / f"{way}-{seed}.json" for way in WAYS for seed in range(SEEDS)]
        runs = [json.loads(path.read_text()) for path in paths]
        HISTORY.write_text("[\n" + ",\n".join(json.dumps(run) for run in runs) + "\n]\n")
        return
    for way in WAYS:
        path = arguments.out / f"{way}-{arguments.seed}.json"
        if not path.exists():
            path.write_text(json.dumps(one(way, arguments.seed)))


if __name__ == "__main__":
    main()
