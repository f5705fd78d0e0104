"""Grade a model of the world's language against the truth: rule by rule, and in nats above the entropy floor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from llmnotes.world import lexicon as lex
from llmnotes.world.grammar import Token
from llmnotes.world.oracle import Truth, divergence, truth

SINGULAR, PLURAL = {*lex.VERBS.values(), "is"}, {*lex.VERBS, "are"}
COUNTERPART = {"he": "she", "she": "he", "his": "her", "her": "his"}
CLOSERS = [*lex.BRACKETS.values(), "”"]


def rivals(rule: str, word: str) -> list[set[str]]:
    """The groups of words that a rule decides between; the right one comes first.

    A model has the rule right where it gives the first group most. Of a verb only the number counts, of a pronoun the
    gender, of a closing bracket its kind, of a word of mood the mood; a fact or a repeated syllable must be the
    likeliest of all words, an indirect object of all names.
    """
    if rule.startswith("agreement"):
        return [SINGULAR, PLURAL] if word in SINGULAR else [PLURAL, SINGULAR]
    if rule == "pronoun":
        return [{word}, {COUNTERPART[word]}]
    if rule == "mood":
        words = _mood_words(word)
        return [set(words[lex.MOOD_OF[word]]), *(set(words[mood]) for mood in lex.MOODS if mood != lex.MOOD_OF[word])]
    among: Iterable[str] = {"closing": CLOSERS, "indirect_object": lex.PEOPLE}.get(rule, lex.VOCABULARY)
    return [{word}, *({other} for other in among if other != word)]


def is_right(probs: Float[Tensor, " vocab"], rule: str, word: str) -> bool:
    """Whether a prediction gives the right group of `rivals` the most probability."""
    groups = rivals(rule, word)
    if all(len(group) == 1 for group in groups):
        mass = probs[[lex.IDS[w] for group in groups for w in group]]
    else:
        mass = torch.stack([probs[[lex.IDS[w] for w in group]].sum() for group in groups])
    return bool(mass[0] > mass[1:].max())


@dataclass(frozen=True)
class Grades:
    """How a model does on stories it has not seen; losses and divergences in nats a token.

    For "mood", right is the mood that the oracle holds to be likeliest; where it has no favourite, none is graded.
    """

    loss: float  # of the words that came
    floor: float  # loss of the oracle on the same words
    entropy: float  # of the true distribution: the floor's expected value
    above_floor: float  # KL(truth || model): the model's expected loss minus the entropy
    accuracy: dict[str, float]  # for each rule, the share of places where the model has it right
    divergence: dict[str, float]  # at the places of each rule
    places: dict[str, int]  # how many of each rule were graded
    oracle_mood: float  # how often the oracle's likeliest mood is that of the word that came


@torch.no_grad()
def grade(model: nn.Module, stories: Iterable[list[Token]], n_ctx: int) -> Grades:
    """Grade a model in eval mode on stories that `tell` gave, each read from its beginning to the context's length."""
    sums: defaultdict[str, float] = defaultdict(float)
    right: defaultdict[str, int] = defaultdict(int)
    places: defaultdict[str, int] = defaultdict(int)
    apart: defaultdict[str, float] = defaultdict(float)
    n = 0
    for story in stories:
        story = story[: n_ctx + 1]
        ids = torch.tensor([lex.IDS[token.word] for token in story])
        true: Truth = truth([token.word for token in story[:-1]])
        out = model(ids[None, :-1])
        logits = getattr(out, "logits", out)[0].double()
        probs, kl = logits.softmax(-1), divergence(logits, true)
        n += len(kl)
        sums["loss"] -= logits.log_softmax(-1).gather(-1, ids[1:, None]).sum().item()
        sums["floor"] -= true.probs.gather(-1, ids[1:, None]).log().sum().item()
        sums["entropy"] += true.entropy.sum().item()
        sums["above_floor"] += kl.sum().item()
        for i, token in enumerate(story[1:]):
            if not token.rule:
                continue
            word = token.word
            if token.rule == "mood":
                favourite = _favourite_mood(true.probs[i], word)
                if favourite is None:  # nothing yet has shown the mood
                    continue
                sums["oracle_mood"] += favourite == lex.MOOD_OF[word]
                word = _mood_words(word)[favourite][0]
            places[token.rule] += 1
            right[token.rule] += is_right(probs[i], token.rule, word)
            apart[token.rule] += kl[i].item()
    found = [rule for rule in lex.RULES if places[rule]]
    return Grades(
        loss=sums["loss"] / n,
        floor=sums["floor"] / n,
        entropy=sums["entropy"] / n,
        above_floor=sums["above_floor"] / n,
        accuracy={rule: right[rule] / places[rule] for rule in found},
        divergence={rule: apart[rule] / places[rule] for rule in found},
        places={rule: places[rule] for rule in found},
        oracle_mood=sums["oracle_mood"] / max(1, places["mood"]),
    )


def _mood_words(word: str) -> dict[str, list[str]]:
    """By mood, the words of the same kind: verbs for a verb, adjectives for an adjective."""
    return lex.MOOD_VERBS if word in lex.MOOD_VERBS[lex.MOOD_OF[word]] else lex.MOOD_ADJECTIVES


def _favourite_mood(probs: Tensor, word: str) -> str | None:
    """The mood whose words a distribution prefers at a place where `word` came; None if two are equally likely."""
    mass = [probs[[lex.IDS[w] for w in _mood_words(word)[mood]]].sum().item() for mood in lex.MOODS]
    first, second = sorted(mass, reverse=True)[:2]
    return lex.MOODS[mass.index(first)] if first - second > 1e-9 else None
