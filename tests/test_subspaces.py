"""Interchange changes a subspace and nothing else, and the search finds the directions that carry an answer."""

import random

import pytest
import torch

import llmnotes
from llmnotes.model.interventions import replace
from llmnotes.model.tracing import trace
from llmnotes.patching.subspaces import interchange, learn_subspace
from llmnotes.world import END, word_ids
from llmnotes.world.lexicon import PEOPLE


def test_interchange_by_hand(gpt2):
    """Own (4, 3, ...) and the source's (0, 5, ...): along (0.6, 0.8) they differ by -2.4 + 1.6 = -0.8."""
    own, source = torch.zeros(1, 5, 32), torch.zeros(1, 1, 32)
    own[..., :2], source[..., :2] = torch.tensor([4.0, 3.0]), torch.tensor([0.0, 5.0])
    basis = torch.zeros(32, 1)
    basis[:2, 0] = torch.tensor([0.6, 0.8])
    with replace(gpt2, "resid_pre", 1, own), interchange(gpt2, "resid_pre", 1, source, basis, positions=[2]):
        seen = trace(gpt2, [[3, 1, 4, 1, 5]], ["resid_pre"])["resid_pre", 1]
    torch.testing.assert_close(seen[0, 2, :3], torch.tensor([4 - 0.48, 3 - 0.64, 0.0]))
    torch.testing.assert_close(seen[0, 1], own[0, 1])


def test_all_directions_are_a_plain_patch(gpt2, ids, other_ids):
    source = trace(gpt2, other_ids, ["resid_pre"])["resid_pre", 1][:, [3]]
    with interchange(gpt2, "resid_pre", 1, source, torch.eye(32), positions=[3]), torch.no_grad():
        ours = gpt2(ids).logits
    with replace(gpt2, "resid_pre", 1, source, positions=[3]), torch.no_grad():
        torch.testing.assert_close(ours, gpt2(ids).logits, rtol=1e-4, atol=1e-5)


def tell(n, seed):
    """Prompts that differ in one of two names, and the new answer."""
    deal, rows = random.Random(seed), []
    for _ in range(n):
        right, subject, new = deal.sample(PEOPLE, 3)
        both = (
            f"{END} when {one} and {subject} went to the river , {subject} gave the ring to" for one in (right, new)
        )
        rows.append((*map(word_ids, both), word_ids(new)))
    base, source, answers = (torch.stack(column) for column in zip(*rows, strict=True))
    return base, source, answers.flatten()


def test_it_finds_what_the_comma_carries_where_random_directions_find_nothing():
    world = llmnotes.load("world")
    before = [parameter.clone() for parameter in world.model.parameters()]
    learned = learn_subspace(world, *tell(192, 0), 24, layer=2, position=9, steps=60)
    assert all(map(torch.equal, before, world.model.parameters()))
    assert all(parameter.grad is None for parameter in world.model.parameters())
    chance = torch.linalg.qr(torch.randn(128, 24, generator=torch.Generator().manual_seed(0))).Q
    base, source, answers = tell(60, 1)
    given = trace(world, source, ["resid_pre"])["resid_pre", 2][:, [9]]
    share = {}
    for name, basis in (("learned", learned), ("random", chance)):
        with interchange(world, "resid_pre", 2, given, basis, positions=[9]), torch.no_grad():
            share[name] = (world.model(base).logits[:, -1].argmax(-1) == answers).float().mean().item()
    assert share["learned"] > 0.9
    assert share["random"] < 0.1


def test_what_it_refuses(gpt2, ids, other_ids):
    with (
        pytest.raises(ValueError, match="off orthonormal by 3"),
        interchange(gpt2, "resid_pre", 1, torch.zeros(1, 1, 32), 2 * torch.eye(32), positions=[0]),
    ):
        pass
    with pytest.raises(ValueError, match="n is 33; expected 1 to 32"):
        learn_subspace(gpt2, ids, other_ids, torch.tensor([1]), 33, layer=1, position=2)
    with pytest.raises(ValueError, match="2 answers; expected as many of each"):
        learn_subspace(gpt2, ids, other_ids, torch.tensor([1, 2]), 3, layer=1, position=2)
