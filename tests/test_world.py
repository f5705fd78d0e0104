"""The language and its oracle: the same stories everywhere, rules that hold, probabilities that are exact."""

from __future__ import annotations

import hashlib
import math
from collections import Counter

import pytest
import torch

from llmnotes.world.grammar import even, story, story_ids, tell
from llmnotes.world.lexicon import (
    BRACKETS,
    COLOURS,
    END,
    FOOD,
    HOME,
    IDS,
    JOB,
    LANDMARK,
    LEXICON,
    MOOD_OF,
    MOODS,
    NOUNS,
    PEOPLE,
    PREPOSITIONS,
    RULES,
    SYLLABLES,
    VERBS,
    VOCABULARY,
    WOMEN,
)
from llmnotes.world.oracle import divergence, truth
from llmnotes.world.prng import Random
from llmnotes.world.stories import held_out, read, word_ids

STORIES = [tell(7, number) for number in range(60)]


def words(tokens: list) -> list[str]:
    return [token.word for token in tokens]


def log_probability(text: list[str], mood: str) -> float:
    """What the grammar gives a text (behind END) if the mood is known."""
    telling, p = story(mood), 0.0
    choice = next(telling)
    for i, word in enumerate(text):
        p += math.log(choice.options[word])
        try:
            choice = telling.send(word)
        except StopIteration:
            assert i == len(text) - 1
    return p


# ---------------------------------------------------------------------------------------------------- stories


def test_random_numbers_are_those_of_splitmix64():
    random = Random()
    assert [random.bits() for _ in range(3)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert all(0 <= Random(5, i).uniform() < 1 for i in range(1000))


def test_the_same_seed_tells_the_same_stories_everywhere():
    ids = [story_ids(9, number) for number in range(50)]
    # sha256 of the ids as first told; another value means that every trained model now speaks another language
    assert hashlib.sha256(repr(ids).encode()).hexdigest() == (
        "133dc3d29bad8ac9b56f38f28ab019909f448c56058bd1bc5a6f862bec24aec2"
    )
    assert len({tuple(story) for story in ids if len(story) > 2}) == sum(len(story) > 2 for story in ids) > 40


def test_ids_and_tokens_tell_the_same_story():
    assert story_ids(7, 3) == [IDS[word] for word in words(STORIES[3])]
    assert story_ids(7, 3, limit=20) == story_ids(7, 3)[:20]


def test_no_word_is_listed_twice():
    assert len(VOCABULARY) == 238
    listed = [*PEOPLE, *HOME.values()]
    assert set(listed) <= set(VOCABULARY)
    nouns = [word for word, about in LEXICON.items() if about.pos == "noun" and about.number == "plural"]
    assert sorted(nouns) == sorted(NOUNS.values())


def test_every_token_has_its_truth():
    for tokens in STORIES:
        assert tokens[0].word == tokens[-1].word == END
        assert len({token.mood for token in tokens}) == 1
        for token in tokens:
            assert (token.pos, token.number, token.gender) == tuple(vars(LEXICON[token.word]).values())
            assert 0 < token.p <= 1
            if token.rule:
                assert token.word in RULES[token.rule]
            if token.word in ("he", "his"):
                assert token.referent not in WOMEN
            if token.word in ("she", "her"):
                assert token.referent in WOMEN


def sentences(tokens: list) -> list[list]:
    found: list[list] = [[]]
    for token in tokens[1:-1]:
        found[-1].append(token)
        if token.word == ".":
            found.append([])
    return [sentence for sentence in found if sentence]


def test_verbs_agree_with_the_first_noun_across_attractors():
    counts: Counter[int] = Counter()
    for tokens in STORIES:
        for sentence in sentences(tokens):
            if sentence[0].word != "the":
                continue
            nouns = [token for token in sentence if token.word in NOUNS or token.word in NOUNS.values()]
            verb = next(token for token in sentence if token.rule.startswith("agreement"))
            assert verb.number == nouns[0].number
            attractors = sum(token.word in PREPOSITIONS for token in sentence)
            assert verb.rule == f"agreement_{attractors}"
            counts[attractors] += 1
    assert min(counts[0], counts[1], counts[2]) > 20


def test_the_indirect_object_is_the_name_not_yet_repeated():
    seen = 0
    for tokens in STORIES:
        for sentence in sentences(tokens):
            if sentence[0].word == "when":
                first, second, giver, other = [token.word for token in sentence if token.word in PEOPLE]
                assert {giver, other} == {first, second}
                assert sentence[-2].rule == "indirect_object"
                seen += 1
    assert seen > 20


def test_facts_are_always_the_same():
    tables = {"lives": HOME, "is": JOB, "likes": FOOD, "lies": LANDMARK}
    seen: Counter[str] = Counter()
    for tokens in STORIES:
        subject = ""
        for sentence in sentences(tokens):
            names = [token.referent for token in sentence if token.pos in ("name", "pronoun")]
            if sentence[0].word == "when":
                subject = names[2]
            elif names:
                subject = names[0]
            fact = next((token for token in sentence if token.rule == "fact"), None)
            if fact:
                verb = sentence[1].word
                about = sentence[0].word if verb == "lies" else subject
                assert tables[verb][about] == fact.word
                seen[verb] += 1
    assert set(seen) == set(tables)


def test_lists_are_sung_again_as_they_were():
    times = []
    for tokens in STORIES:
        for sentence in sentences(tokens):
            rounds = [[]]
            for token in sentence:
                if token.word in SYLLABLES:
                    rounds[-1].append(token)
                elif token.word == ";":
                    rounds.append([])
            if rounds[0] and sentence[-1].word == ".":  # not cut off by the story's end
                assert len(rounds[0]) >= 3
                assert {token.rule for token in rounds[0]} == {""}
                for again in rounds[1:]:
                    assert words(again) == words(rounds[0])
                    assert {token.rule for token in again} == {"list"}
                times.append(len(rounds))
    assert len(times) > 20
    assert min(times) == 2
    assert max(times) > 3


def test_brackets_and_quotes_close_innermost_first():
    closed = 0
    for tokens in STORIES:
        stack = []
        for token in tokens:
            if token.word in BRACKETS:
                stack.append(BRACKETS[token.word])
            elif token.word == "“":
                stack.append("”")
            elif token.word in RULES["closing"]:
                assert stack.pop() == token.word
                assert token.rule == "closing"
                closed += 1
        assert not stack
    assert closed > 50


def test_mood_colours_the_words():
    counts = Counter(
        MOOD_OF[token.word] == token.mood for tokens in STORIES for token in tokens if token.rule == "mood"
    )
    n = counts.total()
    assert n > 400
    assert abs(counts[True] / n - 0.9) < 4 * math.sqrt(0.9 * 0.1 / n)
    assert {tokens[0].mood for tokens in STORIES} == set(MOODS)
    assert all("mood" not in token.rule for tokens in STORIES for token in tokens if token.word in COLOURS)


# ---------------------------------------------------------------------------------------------------- the oracle


def test_true_distributions_sum_to_one():
    for tokens in STORIES[:20]:
        true = truth(words(tokens)[:-1])
        torch.testing.assert_close(true.probs.sum(-1), torch.ones(len(tokens) - 1, dtype=torch.float64))
        torch.testing.assert_close(true.moods.sum(-1), torch.ones(len(tokens) - 1, dtype=torch.float64))


def test_the_oracles_loss_is_the_generators_own_probability():
    for tokens in STORIES:
        text = words(tokens)
        true = truth(text[:-1])
        log_p = true.probs[torch.arange(len(text) - 1), [IDS[word] for word in text[1:]]].log().sum().item()
        by_mood = torch.tensor([log_probability(text[1:], mood) for mood in MOODS], dtype=torch.float64)
        assert log_p == pytest.approx((by_mood.logsumexp(0) - math.log(len(MOODS))).item(), abs=1e-9)
        told = sum(math.log(token.p) for token in tokens)
        assert told == pytest.approx(by_mood[MOODS.index(tokens[0].mood)].item(), abs=1e-9)


def test_the_moods_posterior_is_bayes_rule():
    text = words(STORIES[4])[:60]
    by_mood = torch.tensor([log_probability(text[1:], mood) for mood in MOODS], dtype=torch.float64)
    torch.testing.assert_close(truth(text).moods[-1], by_mood.softmax(0))
    torch.testing.assert_close(truth([END]).moods[0], torch.full((3,), 1 / 3, dtype=torch.float64))


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "the",
        "the cats",
        "Anna was",
        "Anna was happy . she",
        "Anna was happy . she was glad . Anna",
        "the cats are grim . the dog near the boats",
        "Karl saw the tree ( a warm one [ a happy one",
        "when Leo and Ida went to the sea , Ida gave the ring to Leo .",
        "Emil sang : ba la mo",
        "Emil sang : ba la ba ; ba la",
    ],
)
def test_the_oracle_agrees_with_sampling(prefix):
    """Draw a mood, make the grammar say the prefix, draw the next word; weigh it by how likely the prefix was."""
    text = prefix.split()
    random, n = Random(11), 6000
    weights: Counter[str] = Counter()
    squares: Counter[str] = Counter()
    total = 0.0
    for _ in range(n):
        mood = random.draw(even(MOODS))
        telling, weight = story(mood), 1.0
        choice = next(telling)
        for word in text:
            weight *= choice.options[word]
            choice = telling.send(word)
        word = random.draw(choice.options)
        weights[word] += weight
        squares[word] += weight * weight
        total += weight
    true = truth([END, *text]).probs[-1]
    biggest = max(squares.values()) ** 0.5
    for word, i in IDS.items():
        error = 5 * (math.sqrt(squares[word]) + biggest / 50) / total + 2 / n
        assert abs(weights[word] / total - true[i].item()) < error, word


def test_short_prefixes_by_rejection():
    """Count what follows a prefix among freely told stories: nothing is weighed, so nothing can be weighed wrongly."""
    follow: dict[str, Counter] = {"": Counter(), "the": Counter(), "when": Counter()}
    for number in range(6000):
        ids = story_ids(23, number, limit=3)
        first, second = VOCABULARY[ids[1]], VOCABULARY[ids[2]] if len(ids) > 2 else ""
        follow[""][first] += 1
        if first in follow:
            follow[first][second] += 1
    for prefix, counts in follow.items():
        true, n = truth([END, *prefix.split()]).probs[-1], counts.total()
        for word, i in IDS.items():
            p = true[i].item()
            assert abs(counts[word] / n - p) <= 5 * math.sqrt(p * (1 - p) / n) + 1e-9, (prefix, word)


def test_the_floor_is_the_expected_loss():
    losses, entropies = [], []
    for tokens in STORIES:
        text = words(tokens)[:129]
        true = truth(text[:-1])
        losses.append(-true.probs[torch.arange(len(text) - 1), [IDS[word] for word in text[1:]]].log())
        entropies.append(true.entropy)
    difference = torch.cat(losses) - torch.cat(entropies)
    assert abs(difference.mean()) < 4 * difference.std() / math.sqrt(len(difference))


def test_divergence_is_zero_for_the_truth_and_positive_otherwise():
    true = truth(words(STORIES[2])[:40])
    torch.testing.assert_close(
        divergence(true.probs.clamp(min=1e-300).log(), true), torch.zeros(40, dtype=torch.float64), atol=1e-9, rtol=0
    )
    assert (divergence(torch.zeros(40, len(VOCABULARY)), true) > 1).all()


def test_a_new_story_forgets_the_old_one():
    text = words(STORIES[1])
    both = truth([*text[:-1], *words(STORIES[2])[:30]])
    torch.testing.assert_close(both.probs[len(text) - 1 :], truth(words(STORIES[2])[:30]).probs)


def test_the_oracle_refuses_what_the_language_cannot_say():
    with pytest.raises(ValueError, match=r"begins with \['Anna'\]"):
        truth(["Anna", "was"])
    with pytest.raises(ValueError, match=r"word 1 is 'Ana'.*Anna"):
        truth([END, "Ana"])
    with pytest.raises(ValueError, match=r"word 3 is 'are'; after .* allows"):
        truth([END, "the", "cat", "are"])


def test_verbs_of_both_numbers_are_different_words():
    assert not set(VERBS) & set(VERBS.values())


def test_stories_are_read_in_one_length() -> None:
    ids, stories = read(seed=5, n=6, length=100)
    assert ids.shape == (6, 100)
    assert [[IDS[token.word] for token in story] for story in stories] == ids.tolist()
    long = [story[:100] for story in held_out(5, 60) if len(story) >= 100]
    assert stories == long[:6], "the first that are long enough"
    for wrong in ({"n": 0, "length": 8}, {"n": 2, "length": 0}):
        with pytest.raises(ValueError, match="expected 1 or more of both"):
            read(seed=5, **wrong)
    with pytest.raises(ValueError, match=r"0 of the first 120 stories have 100000 tokens"):
        read(seed=5, n=1, length=100_000)


def test_words_become_ids() -> None:
    assert word_ids("the cats").tolist() == word_ids(["the", "cats"]).tolist() == [IDS["the"], IDS["cats"]]
    with pytest.raises(KeyError, match="zebra"):
        word_ids("the zebra")
