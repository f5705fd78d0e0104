"""Steering moves the model by the dose, also while it writes, and costs what the loss says."""

import pytest
import torch

from llmnotes.methods.steering import difference_of_means, generate, steer
from llmnotes.model.loss import nll
from llmnotes.model.tracing import trace


def test_the_vector_is_the_difference_of_means(model):
    towards, away = [[3, 1, 4], [1, 5]], [[2, 7, 1, 8]]
    vector = difference_of_means(model, towards, away, 1)
    one = torch.cat([trace(model, row)["resid_post", 1][0] for row in towards]).mean(0)
    torch.testing.assert_close(vector, one - trace(model, away[0])["resid_post", 1][0].mean(0), rtol=1e-4, atol=1e-5)
    last = difference_of_means(model, towards, away, 1, last_only=True)
    one = torch.stack([trace(model, row)["resid_post", 1][0, -1] for row in towards]).mean(0)
    torch.testing.assert_close(last, one - trace(model, away[0])["resid_post", 1][0, -1], rtol=1e-4, atol=1e-5)


def test_an_unembedding_row_steers_towards_its_token(gpt2, ids):
    direction = gpt2.lm_head.weight[17].detach()
    with steer(gpt2, direction, 2, dose=100.0):
        written = generate(gpt2, ids, tokens=5)
    assert written[0, 8:].tolist() == [17] * 5
    assert generate(gpt2, ids, tokens=5)[0, 8:].tolist() != [17] * 5


def test_generation_is_repeatable_and_leaves_the_random_state_alone(gpt2, ids):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one = generate(gpt2, ids, tokens=6, temperature=1.0, samples=3, seed=2)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(generate(gpt2, ids, tokens=6, temperature=1.0, samples=3, seed=2), one)
    assert len({tuple(row) for row in one.tolist()}) > 1


def test_loss_is_that_of_the_model(model):
    rows = [[7, 3, 21, 60], [9, 11]]
    with torch.no_grad():
        total = sum(model(torch.tensor([r]), labels=torch.tensor([r])).loss.item() * (len(r) - 1) for r in rows)
    assert nll(model, rows) == pytest.approx(total / 4, rel=1e-5)


def test_what_steering_refuses(gpt2, ids):
    with pytest.raises(ValueError, match="is 31 wide; expected 32"), steer(gpt2, torch.zeros(31), 0):
        pass
    with pytest.raises(ValueError, match="leaves room for 24; tokens is 25"):
        generate(gpt2, ids, tokens=25)
    with pytest.raises(ValueError, match="got 2 prompts"):
        generate(gpt2, ids.expand(2, -1))
    with pytest.raises(ValueError, match="single token"):
        nll(gpt2, [3])
