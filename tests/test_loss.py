"""Scores of texts equal transformers' own loss, text by text, whatever they are batched with."""

import pytest
import torch

import llmnotes
from llmnotes.model.interventions import replace
from llmnotes.model.loss import minimal_pairs, nll, score


def own(model, row):
    with torch.no_grad():
        return -model(torch.tensor([row]), labels=torch.tensor([row])).loss.item() * (len(row) - 1)


@pytest.mark.parametrize("rows", [1, 2, 32, None])
def test_scores_are_those_of_each_text_alone(model, rows):
    texts = [[7, 3, 21, 60], [9, 11], [50, 8, 8, 8, 1, 3, 2]]
    found = score(model, texts, rows=rows)
    assert found.tokens.tolist() == [3, 1, 6]
    for i, text in enumerate(texts):
        assert found.sum[i].item() == pytest.approx(own(model, text), rel=1e-5)
        assert found.mean[i].item() == pytest.approx(own(model, text) / (len(text) - 1), rel=1e-5)
    assert -found.sum.sum().item() / 10 == pytest.approx(nll(model, texts), rel=1e-5)


def test_a_first_token_lets_the_first_be_scored(gpt2):
    texts = [[7, 3, 21], [9]]
    found = score(gpt2, texts, first=5)
    assert found.tokens.tolist() == [3, 1]
    for i, text in enumerate(texts):
        assert found.sum[i].item() == pytest.approx(own(gpt2, [5, *text]), rel=1e-5)
    assert torch.equal(score(gpt2, texts, first=True).sum, score(gpt2, texts, first=0).sum)  # bos_token_id is 0
    with pytest.raises(ValueError, match=r"text 1 has a single token.*first=True"):
        score(gpt2, texts)


def test_a_first_token_is_not_put_there_twice():
    stories = llmnotes.load("stories260K")
    with pytest.raises(ValueError, match="begins every text with token 1 already"):
        score(stories, ["Once upon a time", "There was a dog"], first=True)
    plain = score(stories, ["Once upon a time", "There was a dog"])
    assert plain.tokens.tolist() == [stories.ids(t).shape[1] - 1 for t in ("Once upon a time", "There was a dog")]


def test_minimal_pairs_tell_agreement():
    """World's grammar makes verbs agree: the model prefers the right verb, and a random twin has no idea."""
    world = llmnotes.load("world")
    start = "<|endoftext|> "
    pairs = [
        (f"{start}the {noun}s {many} happy .", f"{start}the {noun}s {one} happy .")
        for noun in ("cat", "dog", "king")
        for many, one in (("are", "is"),)
        if all(word in world.tokenizer.get_vocab() for word in (f"{noun}s", many, one))
    ]
    assert pairs
    found = minimal_pairs(world, pairs)
    assert found.accuracy == found.accuracy_per_token == 1
    assert (found.margin > 1).all()
    rows = [{"sentence_good": good, "sentence_bad": bad, "field": "syntax"} for good, bad in pairs]
    assert torch.equal(minimal_pairs(world, rows).margin, found.margin)
    flipped = minimal_pairs(world, [(bad, good) for good, bad in pairs])
    assert flipped.accuracy == 0


def test_sums_and_means_may_disagree(gpt2):
    with replace(gpt2, "logits", None, 0.0):  # every token is as likely as any other
        found = minimal_pairs(gpt2, [([3, 1], [3, 1, 4]), ([3, 1, 4], [3, 1])])
    assert found.accuracy == 0.5
    assert found.margin[0].item() == pytest.approx(-found.margin[1].item(), rel=1e-5)
    assert found.good.mean[0].item() == pytest.approx(found.bad.mean[0].item(), rel=1e-5)


@pytest.mark.parametrize("pairs", [[], [("one",)], [([1, 2], [1, 3], [1, 4])]])
def test_what_is_no_pair_is_refused(gpt2, pairs):
    with pytest.raises(ValueError, match=r"expected pairs \(good, bad\)"):
        minimal_pairs(gpt2, pairs)
