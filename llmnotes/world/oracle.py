"""The best possible predictor of the world's language: the true distribution of the next word, exactly.

The grammar decides nothing before it is spoken but the mood. So the oracle follows the grammar along the given words
once for each mood, and weighs what each offers next by how likely that mood is after all words so far (Bayes' rule).
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from llmnotes.world.grammar import story
from llmnotes.world.lexicon import END, IDS, MOODS, VOCABULARY


@dataclass(frozen=True)
class Truth:
    """What is true at each position of a text."""

    probs: Float[Tensor, "pos vocab"]  # of the next word
    moods: Float[Tensor, "pos mood"]  # of each of `MOODS`, given the words up to and with this position

    @property
    def entropy(self) -> Float[Tensor, " pos"]:
        """Entropy of the next word in nats: the expected loss that no predictor can go below."""
        return torch.special.entr(self.probs).sum(-1)


def truth(words: Sequence[str]) -> Truth:
    """The true distribution of the next word after every prefix of a text, which begins with `END` as each story does.

    Row i of each tensor (float64) speaks of the word after words[: i + 1], as the logits of a model do.

    Raises:
        ValueError: the text does not begin with `END`, a word is not in the vocabulary, or the grammar does not allow
            it where it stands.
    """
    words = list(words)
    if not words or words[0] != END:
        raise ValueError(f"the text begins with {words[:1]}; expected {END!r}, with which every story begins")
    probs = np.zeros((len(words), len(VOCABULARY)))
    moods = np.zeros((len(words), len(MOODS)))
    for i, word in enumerate(words):
        if word not in IDS:
            near = difflib.get_close_matches(word, VOCABULARY, n=3)
            raise ValueError(f"word {i} is {word!r}, which the language does not have; near it has {near}")
        if i and not probs[i - 1, IDS[word]]:
            could = [VOCABULARY[j] for j in np.flatnonzero(probs[i - 1])[:8]]
            said = " ".join(words[max(0, i - 6) : i])
            raise ValueError(f"word {i} is {word!r}; after {said!r} the grammar allows {', '.join(could)} and no other")
        if word == END:
            tellings = [story(mood) for mood in MOODS]
            offers = [next(telling) for telling in tellings]
            weights = np.full(len(MOODS), 1 / len(MOODS))
        else:
            weights = weights * [offer.options[word] for offer in offers]
            weights = weights / weights.sum()
            offers = [telling.send(word) for telling in tellings]
        moods[i] = weights
        for weight, offer in zip(weights, offers, strict=True):
            for option, p in offer.options.items():
                probs[i, IDS[option]] += weight * p
    return Truth(torch.from_numpy(probs), torch.from_numpy(moods))


def divergence(logits: Float[Tensor, "pos vocab"], true: Truth) -> Float[Tensor, " pos"]:
    """KL(truth || model) at each position, in nats; its mean over fresh text is the loss above the entropy floor."""
    log_probs = logits.double().log_softmax(-1)
    return -(true.probs * log_probs).sum(-1) - true.entropy
