"""The grammar in the page is llmnotes' grammar: words, facts, and the true next word after any prefix."""

from __future__ import annotations

import json

import numpy as np
from bench_node import CHECKPOINTS, ask, needs_node, unpack

from llmnotes.world.grammar import story, tell
from llmnotes.world.lexicon import END, FOOD, HOME, JOB, LANDMARK, MOODS, RULES, VOCABULARY
from llmnotes.world.oracle import truth

pytestmark = needs_node
PREFIXES = 2000


def choices(words: list[str]) -> list:
    """What the grammar offers after each prefix, in a mood: its rule does not depend on which."""
    telling, found = story(MOODS[0]), []
    for word in words:
        if word == END:
            telling = story(MOODS[0])
            found.append(next(telling))
        else:
            found.append(telling.send(word))
    return found


def test_the_truth_after_2000_prefixes() -> None:
    stories, n = [], 0
    while n < PREFIXES:
        words = [token.word for token in tell(77, len(stories))][:-1]
        if len(stories) % 5 == 0:  # two stories in one text
            words += [token.word for token in tell(78, len(stories))][:-1]
        stories.append(words)
        n += len(words)
    met = set()
    for words, answer in zip(stories, ask(*({"ask": "truth", "words": words} for words in stories)), strict=True):
        assert "error" not in answer, answer
        wanted = truth(words)
        assert (
            np.abs(np.stack([unpack(one["probs"], np.float64) for one in answer]) - wanted.probs.numpy()).max() < 1e-9
        )
        assert np.abs(np.array([one["moods"] for one in answer]) - wanted.moods.numpy()).max() < 1e-9
        for one, choice in zip(answer, choices(words), strict=True):
            decides = choice.rule if choice.rule and RULES[choice.rule] & {*choice.options} else ""
            assert (one["rule"], one["referent"]) == (decides, choice.referent)
            met.add(decides)
    assert met == {*RULES, ""}


def test_words_and_facts() -> None:
    ((got),) = ask({"ask": "lexicon"})
    assert got["facts"] == [HOME, JOB, FOOD, LANDMARK]
    assert tuple(got["words"]) == VOCABULARY
    vocab = json.loads((CHECKPOINTS / "world" / "tokenizer.json").read_text())["model"]["vocab"]
    assert {word: i for i, word in enumerate(got["words"])} == vocab


def test_a_word_that_cannot_come_is_explained() -> None:
    unknown, wrong, start, bare = ask(
        *({"ask": "truth", "words": words}
          for words in ([END, "the", "wug"], [END, "the", "cats", "is"], [END, "lives"], ["the"]))
    )  # fmt: skip
    assert "no word “wug”" in unknown["error"]
    assert "“is” cannot stand after “the cats”. Try are" in wrong["error"]
    assert "at the beginning" in start["error"]
    assert "expected <|endoftext|>" in bare["error"]
