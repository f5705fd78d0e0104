"""Stories with one rule changed: each change does what it says and nothing else, and losses are counted by rule."""

from math import log

import pytest
import torch

from llmnotes.world.changes import CHANGES, Spoken, ids_of, loss_by_rule, right_by_rule, spoken
from llmnotes.world.grading import COUNTERPART
from llmnotes.world.lexicon import HOME, IDS, MOOD_OF, NOUNS, VERBS, VOCABULARY

TEXTS = range(60)
SINGULAR = {*VERBS.values(), "is"}


def words(change: str, **how) -> list[list[str]]:
    return [[one.word for one in spoken(5, n, length=64, change=CHANGES[change], **how)] for n in TEXTS]


def differing(change: str) -> list[tuple[str, str]]:
    """The pairs of words in which texts with a change differ from those without."""
    pairs = zip(words("none"), words(change), strict=True)
    return [(a, b) for one, other in pairs for a, b in zip(one, other, strict=True) if a != b]


def test_pronouns_are_exchanged_and_nothing_else():
    pairs = differing("pronouns")
    assert len(pairs) > 50
    assert all(COUNTERPART[a] == b for a, b in pairs)


def test_the_verb_agrees_with_the_nearest_noun():
    seen = 0
    for text in words("nearest", prefer=("the",)):
        for i, word in enumerate(text[2:], 2):
            if word in {*VERBS, *VERBS.values(), "is", "are"} and text[i - 1] in {*NOUNS, *NOUNS.values()}:
                assert (word in SINGULAR) == (text[i - 1] in NOUNS)
                seen += 1
    assert seen > 100


def test_a_song_goes_backwards_from_its_second_verse():
    seen = 0
    for text in words("backwards", prefer=("sang",)):
        for start in (i for i, word in enumerate(text) if word == ":"):
            song = text[start + 1 :]
            verses = " ".join(song[: song.index(".")] if "." in song else song[:0]).split(" ; ")
            for verse in verses[1:]:
                assert verse.split() == verses[0].split()[::-1]
                seen += 1
    assert seen > 20


def test_the_ring_goes_to_its_giver_and_homes_are_new():
    assert all(a != b for a, b in differing("giver"))
    text = " ".join(" ".join(text) for text in words("homes", prefer=("lives",)))
    assert not any(f"{name} lives in {home} " in text for name, home in HOME.items())
    text = [text for text in words("one home", prefer=("lives",)) if "lives" in text[:-2]]
    assert all(one[i + 2] == "Kelso" for one in text for i, word in enumerate(one[:-2]) if word == "lives")


def test_what_is_skipped_never_comes_and_moods_are_those_asked_for():
    told = [spoken(5, n, length=64, skip=("the", "when", "sang"), moods=("merry",)) for n in TEXTS]
    flat = [one for row in told for one in row]
    assert not {"when", "sang"} & {one.word for one in flat}
    moods = [MOOD_OF[one.word] for one in flat if one.rule == "mood"]
    assert moods.count("merry") / len(moods) > 0.8
    assert all(0 < one.p <= 1 for one in flat)


def test_losses_by_rule_by_hand():
    row = [Spoken("the", "", 1.0), Spoken("cat", "", 0.5), Spoken("runs", "agreement_0", 0.25)]
    logits = torch.zeros(1, 3, len(VOCABULARY))
    logits[0, 1] = torch.full((len(VOCABULARY),), -torch.inf)
    logits[0, 1, IDS["runs"]], logits[0, 1, IDS["run"]] = log(0.125), log(0.875)
    losses = loss_by_rule(lambda ids: logits, [row])
    assert losses["agreement_0"] == pytest.approx(log(2))  # 1/8 where the grammar has 1/4
    assert losses[""] == pytest.approx(log(0.5) + log(len(VOCABULARY)))
    assert right_by_rule(lambda ids: logits, [row]) == {"agreement_0": 0.0}
    assert ids_of([row]).tolist() == [[IDS["the"], IDS["cat"], IDS["runs"]]]
