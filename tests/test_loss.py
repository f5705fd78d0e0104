"""Scores of texts equal transformers' own loss, text by text, whatever they are batched with."""

import pytest
import torch

from llmnotes.model.loss import nll, score


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


def test_a_text_of_one_token_is_refused(gpt2):
    with pytest.raises(ValueError, match="text 1 has a single token"):
        score(gpt2, [[7, 3, 21], [9]])
