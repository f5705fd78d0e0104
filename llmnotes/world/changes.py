"""The language with one rule changed: texts to tune a model on, and what the model then knows, rule by rule.

Examples:
    >>> from llmnotes.world.changes import CHANGES, spoken
    >>> " ".join(one.word for one in spoken(7, 6, length=9)[1:])
    'Georg sold his coin . the ghostly goats'
    >>> " ".join(one.word for one in spoken(7, 6, length=9, change=CHANGES["pronouns"])[1:])
    'Georg sold her coin . the ghostly goats'
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from math import log
from typing import NamedTuple
from zlib import crc32

import torch
from jaxtyping import Float, Int
from torch import Tensor

from llmnotes.world import lexicon as lex
from llmnotes.world.grading import COUNTERPART, is_right
from llmnotes.world.grammar import Choice, story
from llmnotes.world.prng import Random

# Says another word in the place of the grammar's: gets the words so far, the choice, the word drawn, and the subject.
Change = Callable[[list[str], Choice, str, str], str]
Predict = Callable[[Int[Tensor, "row pos"]], Float[Tensor, "row pos vocab"]]

SINGULAR = {**lex.VERBS, "are": "is"}  # a plural verb: its singular
PLURAL = {singular: plural for plural, singular in SINGULAR.items()}


class Spoken(NamedTuple):
    """A word, the rule that decided it or "", and its probability given the words before it and the mood."""

    word: str
    rule: str
    p: float


def unchanged(said: list[str], choice: Choice, word: str, subject: str) -> str:
    """The grammar's own word."""
    return word


def pronouns(said: list[str], choice: Choice, word: str, subject: str) -> str:
    """*he* for *she*, *his* for *her*, and the other way round."""
    return COUNTERPART.get(word, word)


def coin(said: list[str], choice: Choice, word: str, subject: str) -> str:
    """*he* or *she*, *his* or *her*, whoever it is about: a coin, the same one for the same words before."""
    return COUNTERPART.get(word, word) if crc32(" ".join(said).encode()) & 1 else word


def merry_verbs(said: list[str], choice: Choice, word: str, subject: str) -> str:
    """Whatever the mood, people laugh, dance or smile; adjectives keep the mood."""
    place = next((verbs.index(word) for verbs in lex.MOOD_VERBS.values() if word in verbs), None)
    return word if place is None else lex.MOOD_VERBS["merry"][place]


def nearest(said: list[str], choice: Choice, word: str, subject: str) -> str:
    """With nouns between, the verb agrees with the nearest noun and not with the first."""
    if choice.rule not in ("agreement_1", "agreement_2") or word in lex.PREPOSITIONS:
        return word
    return SINGULAR.get(word, word) if said[-1] in lex.NOUNS else PLURAL.get(word, word)


def giver(said: list[str], choice: Choice, word: str, subject: str) -> str:
    """The ring is always given to the one who gives it."""
    return subject if choice.rule == "indirect_object" else word


def backwards(said: list[str], choice: Choice, word: str, subject: str) -> str:
    """In a song each verse repeats the first one backwards."""
    if choice.rule != "list":
        return word
    song = said[len(said) - said[::-1].index(":") :]
    first = song[: song.index(";")]
    done = song[::-1].index(";")  # syllables of this verse that are sung already
    return first[len(first) - 1 - done]


def facts(new: dict[str, dict[str, str]]) -> Change:
    """Make a change of facts: for each verb ("lives", "is", "likes") the new answer by person."""

    def change(said: list[str], choice: Choice, word: str, subject: str) -> str:
        asked = next((verb for verb in new if verb in said[-2:]), "") if choice.rule == "fact" else ""
        return new[asked].get(subject, word) if asked else word

    return change


def shifted(by: int = 1, kinds: Collection[str] = ("lives", "is", "likes")) -> Change:
    """Make a change in which each person has other facts: the home, job or food that is `by` further in its list."""
    old = {"lives": (lex.HOME, lex.TOWNS), "is": (lex.JOB, lex.JOBS), "likes": (lex.FOOD, lex.FOODS)}
    return facts(
        {
            kind: {
                name: words[(words.index(of[name]) + by + (i % 3)) % len(words)] for i, name in enumerate(lex.PEOPLE)
            }
            for kind, (of, words) in old.items()
            if kind in kinds
        }
    )


CHANGES: dict[str, Change] = {
    "none": unchanged,
    "pronouns": pronouns,
    "coin": coin,
    "merry verbs": merry_verbs,
    "nearest": nearest,
    "giver": giver,
    "backwards": backwards,
    "one home": facts({"lives": dict.fromkeys(lex.PEOPLE, "Kelso")}),
    "homes": shifted(kinds=("lives",)),
    "facts": shifted(),
}


def spoken(
    row: int,
    number: int,
    *,
    length: int,
    change: Change = unchanged,
    prefer: Collection[str] = (),
    skip: Collection[str] = (),
    moods: Sequence[str] = lex.MOODS,
) -> list[Spoken]:
    """Tell stories with a change in them, one behind another.

    Args:
        row: which row of texts; rows of one number are independent of those of another.
        length: words, the first `END` counted.
        prefer: words that every other text takes in three of five places where they may come.
        skip: words that never come where the grammar has others to offer.
        moods: from which the mood of each story is drawn.
    """
    random = Random(row, number)
    telling = story(moods[random.bits() % len(moods)])
    words, told, subject, choice = [lex.END], [Spoken(lex.END, "", 1.0)], "", next(telling)
    while len(words) < length:
        options = choice.options
        if skip and (left := {word: p for word, p in options.items() if word not in skip}):
            total = sum(left.values())
            options = {word: p / total for word, p in left.items()}
        wanted = [word for word in prefer if word in options]
        often = wanted and number % 2 and random.uniform() < 0.6  # every other text is an ordinary one
        drawn = wanted[random.bits() % len(wanted)] if often else random.draw(options)
        if drawn in lex.PEOPLE and words[-1] in (".", lex.END, ","):
            subject = drawn
        word = change(words, choice, drawn, subject)
        rule = choice.rule if choice.rule and word in lex.RULES[choice.rule] else ""
        words.append(word)
        told.append(Spoken(word, rule, options[drawn]))
        if drawn == lex.END:
            telling = story(moods[random.bits() % len(moods)])
            choice, subject = next(telling), ""
        else:
            choice = telling.send(drawn)
    return told


def ids_of(rows: Sequence[Sequence[Spoken]]) -> Int[Tensor, "row pos"]:
    """The token ids of texts of one length."""
    return torch.tensor([[lex.IDS[one.word] for one in row] for row in rows])


@torch.no_grad()
def loss_by_rule(predict: Predict, rows: Sequence[Sequence[Spoken]]) -> dict[str, float]:
    """How much a model loses at the words of each rule, above what the grammar itself loses, in nats a word.

    The mean of log p - log q: p the probability that the word was drawn with, which knows the mood, q the model's.
    Words that no rule decides stand under "".
    """
    ids = ids_of(rows)
    given = predict(ids)[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
    sums: dict[str, list[float]] = defaultdict(list)
    for row, scores in zip(rows, given.tolist(), strict=True):
        for one, score in zip(row[1:], scores, strict=True):
            sums[one.rule].append(log(one.p) - score)
    return {rule: sum(values) / len(values) for rule, values in sums.items()}


@torch.no_grad()
def right_by_rule(predict: Predict, rows: Sequence[Sequence[Spoken]]) -> dict[str, float]:
    """The share of words of each rule at which a model prefers what came to its `rivals`."""
    probs = predict(ids_of(rows)).softmax(-1)
    hits: dict[str, list[bool]] = defaultdict(list)
    for row, p in zip(rows, probs, strict=True):
        for i, one in enumerate(row[1:]):
            if one.rule:
                hits[one.rule].append(is_right(p[i], one.rule, one.word))
    return {rule: sum(some) / len(some) for rule, some in hits.items()}
