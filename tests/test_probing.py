"""Probes read what is there, their controls stay at chance, and erasing takes it away."""

import pytest
import torch

from llmnotes.methods.probing import activations, erase, probe
from llmnotes.model.loading import untrained
from llmnotes.model.tracing import trace


@pytest.fixture(scope="module")
def told():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (600,), generator=generator)
    return torch.randn(600, 12, generator=generator) + 3 * torch.eye(12)[labels], labels


def test_a_probe_reads_what_is_there_and_its_controls_do_not(told):
    x, labels = told
    result = probe(x, labels)
    assert result.accuracy > 0.9
    assert result.majority == pytest.approx(1 / 3, abs=0.05)
    assert result.shuffled == pytest.approx(1 / 3, abs=0.12)
    assert result.directions.shape == (3, 12)
    torch.testing.assert_close(result.directions.norm(dim=1), torch.ones(3))
    assert (result.n_train, result.n_test) == (420, 180)


def test_scaling_decides_the_direction():
    # Two classes whose means differ by d, in dimensions of unequal spread.
    generator = torch.Generator().manual_seed(3)
    labels = torch.arange(4000) % 2
    d, spread = torch.tensor([1.0, 1.0, 1.0]), torch.tensor([0.5, 2.0, 8.0])
    x = torch.randn(4000, 3, generator=generator) * spread + labels[:, None] * d
    apart, spread = x[labels == 1].mean(0) - x[labels == 0].mean(0), x.std(0)
    for standardise, expected in ((False, apart), (True, apart / spread**2)):
        found = probe(x, labels, strength=1e-4, standardise=standardise).directions[0]
        assert torch.cosine_similarity(found, expected, dim=0) > 0.98, (standardise, found)
    assert torch.cosine_similarity(apart, apart / spread**2, dim=0) < 0.8


def test_groups_are_never_split():
    # Each group has a mark of its own that tells its label: without groups the probe wins by knowing the group again.
    generator = torch.Generator().manual_seed(1)
    groups = torch.arange(40).repeat_interleave(10)
    labels = torch.randint(2, (40,), generator=generator)[groups]
    x = torch.eye(40)[groups] + 0.01 * torch.randn(400, 40, generator=generator)
    assert probe(x, labels, strength=100).accuracy > 0.95
    assert probe(x, labels, groups=groups, strength=100).accuracy < 0.75


def test_erasing_the_directions_leaves_nothing_linear(told):
    x, labels = told
    x, y = x[labels < 2] + 0.01, labels[labels < 2]
    directions = torch.tensor([[1.0, 1.0], [1.0, -2.0]]) @ torch.eye(12)[:2]  # of the plane that holds both classes
    erased = erase(x, directions)
    assert probe(erased, y).accuracy < 0.62
    assert (erased @ directions.T).abs().max() < 1e-4
    torch.testing.assert_close(erase(erased, directions), erased)
    # Vectors that say the same twice span one dimension only.
    assert torch.linalg.matrix_rank(x - erase(x, torch.stack([directions[0], 2 * directions[0]]))) == 1


def test_activations_are_rows_of_real_tokens(gpt2):
    rows = [[7, 3, 21, 60], [9, 11]]
    table = activations(gpt2, rows)
    assert table.shape == (3, 6, 32)
    torch.testing.assert_close(table[1, 4:], trace(gpt2, rows[1])["resid_post", 1][0], rtol=1e-5, atol=1e-5)
    last = activations(gpt2, rows, "z", positions=[-1, -1])
    assert last.shape == (3, 2, 32)
    torch.testing.assert_close(last[2, 1], trace(gpt2, rows[1])["z", 2][0, 1].flatten(), rtol=1e-5, atol=1e-5)
    with pytest.raises(IndexError, match="position 2 of text 1, which has 2 tokens"):
        activations(gpt2, rows, positions=[0, 2])


def test_layers_and_the_untrained_baseline(gpt2):
    ids = torch.randint(61, (60, 4), generator=torch.Generator().manual_seed(2))
    labels = (ids > 30).flatten()  # the token itself: plain at every layer of any model
    by_layer = [probe(x, labels) for x in activations(gpt2, ids)]
    assert len(by_layer) == 3
    fresh = untrained(gpt2, seed=1)
    assert type(fresh) is type(gpt2)
    assert not torch.equal(fresh.lm_head.weight, gpt2.lm_head.weight)
    assert torch.equal(untrained(gpt2, seed=1).lm_head.weight, fresh.lm_head.weight)
    assert all(p.accuracy > p.majority for p in (probe(x, labels) for x in activations(fresh, ids)))


def test_what_a_probe_refuses(told):
    x, labels = told
    with pytest.raises(ValueError, match="expected \\(example, d\\) and \\(example,\\)"):
        probe(x, labels[:-1])
    with pytest.raises(ValueError, match="need two of each"):
        probe(x, torch.zeros(600))
    with pytest.raises(ValueError, match="NaN"):
        probe(x.clone().fill_(torch.nan), labels)
    with pytest.raises(ValueError, match="directions are 5 wide, activations 12"):
        erase(x, torch.zeros(5))


def test_activations_of_some_layers_are_those_of_all(model):
    rows = [[7, 3, 21], [9, 11, 2, 4]]
    whole = activations(model, rows, "z")
    assert torch.equal(activations(model, rows, "z", layers=[2, 0]), whole[[0, 2]])
    torch.testing.assert_close(activations(model, rows, "z", layers=-1, rows=1)[0], whole[2], rtol=1e-5, atol=1e-5)
    assert activations(model, rows, layers=[1], positions=[-1, 0]).shape == (1, 2, 32)
