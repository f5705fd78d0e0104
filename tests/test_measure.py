"""Figures of merit: sliding windows, copies, and Kneser-Ney against its definition."""

from __future__ import annotations

import math

import pytest
import torch

from llmnotes.scratch.ngrams import kneser_ney
from llmnotes.scratch.transformer import Config, Transformer
from llmnotes.shipped.measure import bits_per_character, compressed_bits, copy_losses, token_losses


def small(n_ctx: int = 16) -> Transformer:
    model = Transformer(Config(vocab_size=12, n_ctx=n_ctx, n_layers=1, n_heads=2, d_model=16))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3)) * 0.2)
    return model.eval()


@torch.no_grad()
@pytest.mark.parametrize(("length", "stride"), [(50, 4), (50, 16), (17, 4), (16, 4), (9, 4), (53, 5), (2, 1)])
def test_each_token_is_scored_once_from_real_context(length, stride):
    model = small()
    ids = torch.randint(12, (length,), generator=torch.Generator().manual_seed(0))
    losses = token_losses(model, ids, 16, stride, batch_size=3)
    assert losses.shape == (length - 1,)
    for i in range(1, length):
        # the first window that ends at or behind the token scores it
        start = 0 if i <= 16 else math.ceil((i - 16) / stride) * stride
        window = ids[start:i]
        expected = -model(window[None])[0, -1].log_softmax(-1)[ids[i]]
        torch.testing.assert_close(losses[i - 1], expected, atol=1e-5, rtol=1e-4)
        assert len(window) >= min(i, 16 - stride + 1)


def test_bits_per_character():
    assert bits_per_character(torch.full((10,), math.log(2)), 5) == pytest.approx(2.0)


def test_copies_cost_nothing_to_a_model_that_copies():
    class Copier(torch.nn.Module):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            length = 10
            logits = torch.zeros(*ids.shape, 30)
            for i in range(length - 1, ids.shape[1]):
                logits[torch.arange(len(ids)), i, ids[:, i - length + 1]] = 50.0
            return logits

    first, second = copy_losses(Copier(), 30, length=10, rows=4)
    torch.testing.assert_close(first, torch.full((9,), math.log(30)))
    assert second.max() < 1e-5


def test_copy_losses_tell_the_copies_apart():
    first, second = copy_losses(small(40), 12, length=20, rows=64)
    assert first.shape == second.shape == (19,)


def test_kneser_ney_is_a_distribution_after_any_context():
    generator = torch.Generator().manual_seed(0)
    train = torch.randint(6, (400,), generator=generator).tolist()
    for context in ([1, 2, 3, 4], [5], [], [0, 0, 0, 0, 0, 0], train[:4], [1, 2, 7, 7]):
        total = sum(math.exp(-kneser_ney(train, [*context, token], 8)[-1]) for token in range(8)) if context else 1
        assert total == pytest.approx(1.0, abs=1e-5)


def test_kneser_ney_bigram_by_hand():
    # a b a b a c: bigrams ab 2, ba 2, ac 1; discount 0.5
    train = [0, 1, 0, 1, 0, 2]
    # each token has one kind of left neighbour: b before a, a before b and c
    unigram = (1 - 0.5) / 3 + 0.5 * 3 / 3 * (1 / 3)  # the same for all three
    expected = (2 - 0.5) / 3 + 0.5 * 2 / 3 * unigram
    loss = kneser_ney(train, [0, 1], 3, order=2, discount=0.5)
    assert loss.tolist() == pytest.approx([-math.log(expected)], abs=1e-6)


def test_longer_contexts_help_where_there_is_structure():
    period = [0, 1, 2, 0, 1, 3, 0, 1, 4]
    losses = [kneser_ney(period * 30, period * 30, 6, order).mean().item() for order in (1, 2, 5)]
    assert losses[0] > 1.4
    assert abs(losses[1] - math.log(3) / 3) < 0.1  # only what follows a 1 is open
    assert losses[2] < 0.05


def test_compressors_gain_from_the_training_text():
    train = b"the wolf and the seven young kids " * 40
    bits = compressed_bits(train, b"the seven young kids and the wolf")
    assert bits["xz_after_training_text"] < bits["xz"]
    assert bits["gzip"] > 8  # the header alone outweighs so short a text
