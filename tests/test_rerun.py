"""The model once more at single places."""

from __future__ import annotations

import pytest
import torch

import llmnotes
from llmnotes.model import ablate, edit, replace, rerun, trace

ROWS, POSITIONS = [0, 1, 1, 0], [3, 4, 1, 0]


@pytest.fixture
def two(ids, other_ids):
    """Two texts of five tokens."""
    return torch.cat([ids, other_ids])[:, :5]


def test_with_nothing_changed_it_gives_the_models_own_logits(model, two) -> None:
    own = trace(model, two, ["logits"])["logits"]
    assert torch.allclose(rerun(model, two, ROWS, POSITIONS)(), own[ROWS, POSITIONS], atol=1e-4)


@pytest.mark.parametrize("place", ["attn_out", "mlp_out", "z", "resid_pre"])
def test_a_part_is_changed_at_the_place_alone(model, two, place: str) -> None:
    """As when that part is changed at that position of a text that ends there."""
    again = rerun(model, two, ROWS, POSITIONS)
    with ablate(model, place, 1):
        changed = again()
    for row, position, logits in zip(ROWS, POSITIONS, changed, strict=True):
        with replace(model, place, 1, 0.0, positions=position):
            expected = trace(model, two[row, : position + 1], ["logits"])["logits"][0, -1]
        assert torch.allclose(logits, expected, atol=1e-4)


def test_another_places_value_is_one_line(model, two) -> None:
    again = rerun(model, two, [0, 1], [4, 4])
    wrote = trace(model, two, ["mlp_out"])["mlp_out", 0][[1, 0], 4]
    with edit(model, "mlp_out", 0, lambda out, at: out.flip(0)):
        swapped = again()
    with edit(model, "mlp_out", 0, lambda out, at: wrote[:, None]):
        assert torch.allclose(again(), swapped, atol=1e-5)


def test_it_reads_other_places_as_changed(model, two) -> None:
    again = rerun(model, two, [0, 1], [4, 2])
    own = trace(model, two, ["resid_post"])["resid_post", 1][[0, 1], [4, 2]]
    assert torch.allclose(again("resid_post", 1), own, atol=1e-4)
    with replace(model, "resid_post", 0, own[:, None]):
        assert torch.allclose(again("resid_post", 0), own, atol=1e-5)


def test_on_world_it_is_exact() -> None:
    world = llmnotes.load("world")
    texts = torch.randint(200, (3, 40), generator=torch.Generator().manual_seed(0))
    again = rerun(world, texts, [0, 0, 2], [39, 5, 17])
    own = trace(world, texts, ["logits"])["logits"][[0, 0, 2], [39, 5, 17]]
    assert torch.allclose(again(), own, atol=1e-3)


@pytest.mark.parametrize(
    ("rows", "positions", "said"),
    [
        ([0], [1, 2], r"rows are \(1,\), positions \(2,\)"),
        ([], [], "expected one of each a place"),
        ([9], [1], "rows 9 to 9 and positions 1 to 1; the texts are"),
        ([0], [-1], "positions -1 to -1"),
    ],
)
def test_places_that_do_not_fit_are_refused(gpt2, ids, rows, positions, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rerun(gpt2, ids, rows, positions)


def test_several_places_come_from_one_run(model, two) -> None:
    again = rerun(model, two, ROWS, POSITIONS)
    with ablate(model, "z", 1, heads=[0]):
        z, logits = again([("z", 2), ("logits", None)])
        assert torch.equal(z, again("z", 2))
        assert torch.equal(logits, again())
