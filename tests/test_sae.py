"""Sparse autoencoders recover features that are known, revive dead ones, and can be spliced into a model."""

import pytest
import torch
from torch.nn.functional import normalize

from llmnotes.methods.probing import activations
from llmnotes.methods.sae import SAE, _along, _largest_of_all, _left_over, _revive, match, splice, train_sae
from llmnotes.model.loss import nll
from llmnotes.model.tracing import trace


@pytest.fixture(scope="module")
def truth():
    """More features than dimensions, few of them active at once: what superposition is."""
    generator = torch.Generator().manual_seed(0)
    directions = normalize(torch.randn(24, 16, generator=generator), dim=-1)
    active = (torch.rand(4000, 24, generator=generator) < 0.06) * (0.5 + torch.rand(4000, 24, generator=generator))
    return active, 3 * active @ directions + 1


WAYS = {"topk": {"k": 2}, "l1": {"l1": 0.3}, "batchtopk": {"batch_k": 2}, "auxk": {"k": 2, "aux": 1 / 32}}


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
def test_it_finds_the_features_that_made_the_data(truth, how):
    active, x = truth
    sae, log = train_sae(x, 48, steps=800, **how)
    found = match(sae.encode(x), active)
    assert (found.correlation > 0.8).float().mean() > 0.75
    assert found.chance < 0.1
    assert len(set(found.feature)) > 18
    assert log.explained[-1] > 0.7
    assert log.loss[-1] < log.loss[0]
    assert sae.explained(x) == pytest.approx(log.explained[-1], abs=0.05)  # the scale of x is put back
    if "k" in how:
        assert (sae.encode(x) > 0).sum(-1).max() <= 2
    if "batch_k" in how:  # the threshold keeps as many as training did, more of the full examples than of the empty
        active_now = (sae.encode(x) > 0).sum(-1).float()
        assert active_now.mean() == pytest.approx(2, abs=0.3)
        assert active_now.max() > 2
    torch.testing.assert_close(sae.w_dec.norm(dim=-1), torch.ones(48))


def test_variance_explained_by_hand():
    one = SAE(torch.tensor([[1.0], [0.0]]), torch.zeros(1), torch.tensor([[1.0, 0.0]]), torch.zeros(2))
    x = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    assert one.explained(x) == pytest.approx(0.1)  # it gives back (1, 0) alone: squares of 10 in all, of 9 left


def test_batch_topk_by_hand():
    features = torch.tensor([[3.0, 2.0, 1.0], [0.5, 0.1, 0.0]])
    assert _largest_of_all(features, 1).tolist() == [[3.0, 2.0, 0.0], [0.0, 0.0, 0.0]]  # two rows, two kept
    sae = SAE(torch.eye(3), torch.zeros(3), torch.eye(3), torch.zeros(3), threshold=1.0)
    assert sae.encode(features).tolist() == [[3.0, 2.0, 0.0], [0.0, 0.0, 0.0]]


def test_the_gradient_along_the_decoder_by_hand():
    rows, gradient = torch.tensor([[1.0, 0.0], [0.6, 0.8]]), torch.tensor([[3.0, 4.0], [1.0, 2.0]])
    across = gradient - _along(gradient, rows)
    torch.testing.assert_close(across, torch.tensor([[0.0, 4.0], [-0.32, 0.24]]))  # 1 * 0.6 + 2 * 0.8 = 2.2
    assert (across * rows).sum(-1).abs().max() < 1e-6


def test_aux_k_by_hand():
    """Three features, the last two dead; of those the stronger alone may help, as d / 2 = 1."""
    w_enc = torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]])
    sae = SAE(w_enc, torch.zeros(3), torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), torch.zeros(2), 1)
    x, dead = torch.tensor([[1.0, 3.0]]), torch.tensor([False, True, True])
    left = torch.tensor([[0.0, 2.0]])
    # dead features are 3 and 0.5 active; the stronger writes (0, 3), of (0, 2) left: (3 - 2) squared
    assert _left_over(sae, x, left, dead).item() == pytest.approx(1.0)


def test_aux_k_trains_the_dead_features_alone():
    weights = [torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]), torch.zeros(3)]
    weights += [torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), torch.zeros(2)]
    for weight in weights:
        weight.requires_grad_()
    dead = torch.tensor([False, True, True])
    _left_over(SAE(*weights, 1), torch.tensor([[1.0, 3.0]]), torch.tensor([[0.0, 2.0]]), dead).backward()
    assert weights[2].grad.tolist() == [[0.0, 0.0], [0.0, 6.0], [0.0, 0.0]]  # 2 * (3 - 2) * 3
    assert weights[1].grad.tolist() == [0.0, 2.0, 0.0]


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
    with pytest.raises(ValueError, match="exactly one"):
        train_sae(x, 8, k=2, batch_k=2)
    with pytest.raises(ValueError, match="batch_k is 0"):
        train_sae(x, 8, batch_k=0)
    with pytest.raises(ValueError, match="k is 9"):
        train_sae(x, 8, k=9)
    with pytest.raises(ValueError, match="finite"):
        train_sae(x * torch.nan, 8, k=1)
    sae, _ = train_sae(x, 8, k=1, steps=1)
    with pytest.raises(ValueError, match="activations are 15 wide; this autoencoder reads 16"):
        sae.encode(x[:, 1:])
    with pytest.raises(ValueError, match="expected \\(example"):
        match(x, x[1:])
