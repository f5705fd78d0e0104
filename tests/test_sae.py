"""Sparse autoencoders recover features that are known, revive dead ones, and can be spliced into a model."""

import pytest
import torch
from torch.nn.functional import normalize

from llmnotes.methods.probing import activations
from llmnotes.methods.sae import SAE, _revive, match, splice, train_sae
from llmnotes.model.loss import nll
from llmnotes.model.tracing import trace


@pytest.fixture(scope="module")
def truth():
    """More features than dimensions, few of them active at once: what superposition is."""
    generator = torch.Generator().manual_seed(0)
    directions = normalize(torch.randn(24, 16, generator=generator), dim=-1)
    active = (torch.rand(4000, 24, generator=generator) < 0.06) * (0.5 + torch.rand(4000, 24, generator=generator))
    return active, 3 * active @ directions + 1


@pytest.mark.parametrize("how", [{"k": 2}, {"l1": 0.3}], ids=["topk", "l1"])
def test_it_finds_the_features_that_made_the_data(truth, how):
    active, x = truth
    sae, log = train_sae(x, 48, steps=800, **how)
    found = match(sae.encode(x), active)
    assert (found.correlation > 0.8).float().mean() > 0.75
    assert found.chance < 0.1
    assert len(set(found.feature)) > 18
    assert log.explained[-1] > 0.7
    assert log.loss[-1] < log.loss[0]
    error = (sae.decode(sae.encode(x)) - x).pow(2).sum() / (x - x.mean(0)).pow(2).sum()
    assert 1 - error.item() == pytest.approx(log.explained[-1], abs=0.05)  # the scale of x is put back
    if "k" in how:
        assert (sae.encode(x) > 0).sum(-1).max() <= 2
    torch.testing.assert_close(sae.w_dec.norm(dim=-1), torch.ones(48))


def test_dead_features_are_revived(truth):
    _, x = truth
    x = x - x.mean(0)
    generator = torch.Generator().manual_seed(0)
    w_dec = normalize(torch.randn(32, 16, generator=generator), dim=-1)
    dead = torch.arange(32) < 12
    weights = [w_dec.T.clone(), torch.where(dead, -100.0, 0.0), w_dec, torch.zeros(16)]
    for weight in weights:
        weight.requires_grad_()
    sae = SAE(*weights)
    optimizer = torch.optim.Adam(weights)
    (sae.decode(sae.encode(x)) - x).pow(2).sum().backward()
    optimizer.step()
    kept = [weight.detach().clone() for weight in weights]
    assert not (sae.encode(x) > 0).any(0)[dead].any()
    _revive(sae, optimizer, dead, x, generator)
    active = (sae.encode(x) > 0).float().mean(0)
    assert (active[dead] > 0).all()
    torch.testing.assert_close(sae.w_dec[dead].norm(dim=-1), torch.ones(12))
    assert optimizer.state[sae.w_dec]["exp_avg"][dead].abs().max() == 0
    assert torch.equal(sae.w_dec[~dead], kept[2][~dead])
    assert torch.equal(sae.w_enc[:, ~dead], kept[0][:, ~dead])


def test_splicing(gpt2):
    ids = torch.randint(61, (8, 16), generator=torch.Generator().manual_seed(1))
    exact = SAE(
        torch.cat([torch.eye(32), -torch.eye(32)], 1),
        torch.zeros(64),
        torch.cat([torch.eye(32), -torch.eye(32)]),
        torch.zeros(32),
    )
    whole = nll(gpt2, ids)
    with splice(gpt2, exact, 1):
        assert nll(gpt2, ids) == pytest.approx(whole, abs=1e-4)
    sae, _ = train_sae(activations(gpt2, ids)[1], 64, k=4, steps=100)
    with splice(gpt2, sae, 1):
        assert nll(gpt2, ids) != pytest.approx(whole, abs=1e-4)
        seen = trace(gpt2, ids, ["resid_post"])["resid_post", 1]
    plain = trace(gpt2, ids, ["resid_post"])["resid_post", 1]
    torch.testing.assert_close(seen, sae.decode(sae.encode(plain)))


def test_what_it_refuses(truth):
    _, x = truth
    with pytest.raises(ValueError, match="exactly one"):
        train_sae(x, 8)
    with pytest.raises(ValueError, match="k is 9"):
        train_sae(x, 8, k=9)
    with pytest.raises(ValueError, match="finite"):
        train_sae(x * torch.nan, 8, k=1)
    sae, _ = train_sae(x, 8, k=1, steps=1)
    with pytest.raises(ValueError, match="activations are 15 wide; this autoencoder reads 16"):
        sae.encode(x[:, 1:])
    with pytest.raises(ValueError, match="expected \\(example"):
        match(x, x[1:])
