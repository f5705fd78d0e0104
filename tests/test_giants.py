"""A first token that is a sink: methods leave its vector out or warn, and ordinary models are as they were."""

import warnings

import pytest
import torch

import llmnotes
from llmnotes.methods.giants import giants
from llmnotes.methods.probing import activations, probe
from llmnotes.methods.sae import SAE, _revive, train_sae
from llmnotes.methods.steering import difference_of_means
from llmnotes.model.interventions import edit
from llmnotes.model.tracing import trace


def sparse(n=2000, d=24, features=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    truth = torch.nn.functional.normalize(torch.randn(features, d, generator=generator), dim=-1)
    return (torch.rand(n, features, generator=generator) < 0.1).float() @ truth + 0.01


def test_giants_are_long_and_lie_in_one_dimension():
    x = torch.randn(100, 32, generator=torch.Generator().manual_seed(0))
    assert not giants(x).any()
    x[3, 5] = 500
    x[4] *= 50  # long, and in no dimension above others
    x[5, 7] = 12  # mostly in one dimension, and no longer than others
    assert giants(x).nonzero().flatten().tolist() == [3]
    assert giants(x.view(10, 10, 32)).shape == (10, 10)
    assert giants(x.bfloat16()).nonzero().flatten().tolist() == [3]
    assert not giants(torch.zeros(9, 32)).any()
    assert not giants(torch.tensor([[0.1], [100.0]])).any()  # a single dimension holds everything


@pytest.mark.parametrize("name", ["world", "fairytale", "stories260K"])
def test_our_models_have_none(name):
    model = llmnotes.load(name)
    text = "<|endoftext|> the cats are happy ." if name == "world" else "Once upon a time there was a king."
    seen = trace(model, text, ["resid_post", "mlp_out"])
    assert not any(giants(value).any() for value in seen.values.values())


def as_sink(gpt2):
    """The model with a giant in dimension 5 of the first token, as SmolLM2 writes one."""

    def write(value, at):
        return torch.where((at == 0)[None, :, None] & (torch.arange(32) == 5), 500.0, value)

    return edit(gpt2, "resid_post", 1, write)


def test_the_difference_of_means_leaves_sinks_out(gpt2):
    one, other = [[3, 1, 4, 1, 5], [9, 2, 6, 5]], [[8, 9, 7], [2, 3, 8]]
    tail = [[trace(gpt2, row)["resid_post", 1][0, 1:] for row in rows] for rows in (one, other)]
    wanted = torch.cat(tail[0]).mean(0) - torch.cat(tail[1]).mean(0)
    with as_sink(gpt2):
        with pytest.warns(UserWarning, match=r"4 of 15 vectors .*left out of the means"):
            vector = difference_of_means(gpt2, one, other, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            kept = difference_of_means(gpt2, one, other, 1, keep_giants=True)
            last = difference_of_means(gpt2, one, other, 1, last_only=True)
    torch.testing.assert_close(vector, wanted, rtol=1e-4, atol=1e-5)
    assert kept[5].abs() > 10 * vector[5].abs()
    assert last.norm() < 50


def test_probes_warn_of_sinks(gpt2):
    rows = torch.randint(61, (40, 6), generator=torch.Generator().manual_seed(0))
    with as_sink(gpt2):
        x = activations(gpt2, rows)[1]
    with pytest.warns(UserWarning, match=r"40 of 240 vectors .*leave their rows out"):
        probe(x, torch.arange(240) % 2)


def test_dictionaries_leave_sinks_out():
    x = sparse()
    with_sinks = x.clone()
    with_sinks[::20, 3] = 3000.0
    plain, _ = train_sae(x[giants(with_sinks).logical_not()], 48, k=4, steps=300)
    with pytest.warns(UserWarning, match=r"100 of 2000 vectors .*left out of the training"):
        sae, log = train_sae(with_sinks, 48, k=4, steps=300)
    assert torch.equal(sae.w_dec, plain.w_dec)
    _, spoilt = train_sae(with_sinks, 48, k=4, steps=300, keep_giants=True)
    assert log.explained[-1] > 0.8
    ordinary = x[giants(with_sinks).logical_not()]
    error = lambda s: (s.decode(s.encode(ordinary)) - ordinary).pow(2).sum(-1).mean()  # noqa: E731
    assert error(sae) < 0.5 * error(train_sae(with_sinks, 48, k=4, steps=300, keep_giants=True)[0])
    assert spoilt.explained[-1] > 0.9  # its own number does not tell: it explains the giants


def revived(k, n_dead):
    generator = torch.Generator().manual_seed(0)
    x = sparse(seed=1)
    w_dec = torch.nn.functional.normalize(torch.randn(64, 24, generator=generator), dim=-1)
    weights = [w_dec.T.clone(), torch.zeros(64), w_dec, torch.zeros(24)]
    for weight in weights:
        weight.requires_grad_()
    sae, optimizer = SAE(*weights, k), torch.optim.Adam(weights)
    (sae.decode(sae.encode(x[:256])) - x[:256]).pow(2).mean().backward()
    optimizer.step()
    dead = torch.arange(64) < n_dead
    with torch.no_grad():
        before = (sae.decode(sae.encode(x)) - x).pow(2).sum(-1).mean().item()
        _revive(sae, optimizer, dead, x, generator)
        after = (sae.decode(sae.encode(x)) - x).pow(2).sum(-1).mean().item()
    return sae, dead, before, after


@pytest.mark.parametrize("k", [None, 4])
def test_revived_features_come_back_small_and_each_with_its_own_example(k):
    sae, dead, before, after = revived(k, 40)
    lengths = sae.w_enc.detach().norm(dim=0)
    torch.testing.assert_close(lengths[dead], torch.full((40,), 0.2) * lengths[~dead].mean(), rtol=1e-4, atol=1e-5)
    alike = sae.w_dec.detach()[dead] @ sae.w_dec.detach()[dead].T - torch.eye(40)
    assert alike.max() < 0.999  # no two of them are the same example
    assert after < 2 * before  # at full strength TopK's error grew many times over


def test_more_dead_features_than_examples_wait_for_the_next_time():
    x = sparse(n=30)
    _, log = train_sae(x, 128, k=2, steps=200, batch=16, every=50)
    assert all(torch.isfinite(torch.tensor(log.loss)))
