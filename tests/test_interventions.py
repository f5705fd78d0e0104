"""Interventions do what they say, compose, reach generation, and leave the model bit-identical."""

import pytest
import torch

from llmnotes.model.architectures import parts
from llmnotes.model.hooks import available, hooked
from llmnotes.model.interventions import ablate, add, cut_edges, edit, freeze, replace
from llmnotes.model.loading import load
from llmnotes.model.rerun import rerun
from llmnotes.model.tracing import trace


def logits(model, ids):
    with torch.no_grad():
        return model(ids, use_cache=False).logits


def test_ablating_heads_equals_removing_their_output_weights(model, ids):
    from copy import deepcopy

    surgery = deepcopy(model)
    with torch.no_grad():
        parts(surgery).blocks[1].w_o[[0, 2]] = 0
    with ablate(model, "z", 1, heads=[0, 2]):
        torch.testing.assert_close(logits(model, ids), logits(surgery, ids), rtol=1e-5, atol=1e-5)


def test_ablating_neurons_equals_removing_their_output_weights(model, ids):
    from copy import deepcopy

    from llmnotes.model.blocks import matrix

    surgery = deepcopy(model)
    with torch.no_grad():
        matrix(parts(surgery).blocks[2].mlp_proj)[[5, 40]] = 0
    with ablate(model, "mlp_post", 2, neurons=[5, 40]):
        torch.testing.assert_close(logits(model, ids), logits(surgery, ids), rtol=1e-5, atol=1e-5)


def test_replacing_every_place_with_another_run_gives_that_run(model, ids, other_ids):
    other = trace(model, other_ids)
    for place in available(model):
        layer = None if place == "logits" else 1
        with replace(model, place, layer, other.values[place, layer]):
            seen = trace(model, ids)
        torch.testing.assert_close(seen.values[place, layer], other.values[place, layer], rtol=1e-5, atol=1e-5)
        if place in ("resid_pre", "resid_post"):  # each alone decides all that follows
            torch.testing.assert_close(seen["logits"], other["logits"], rtol=1e-4, atol=1e-5)


def test_replacing_resid_mid_decides_all_that_follows(gpt2, ids, other_ids):
    other = trace(gpt2, other_ids)
    with replace(gpt2, "resid_mid", 1, other["resid_mid", 1]), ablate(gpt2, "attn_out", 1):
        torch.testing.assert_close(logits(gpt2, ids), other["logits"], rtol=1e-5, atol=1e-5)


def test_a_position_of_a_place_is_the_only_one_that_changes(model, ids):
    before = trace(model, ids)
    with add(model, "resid_post", 0, torch.ones(32), positions=[2, -1]):
        after = trace(model, ids)
    difference = (after["resid_post", 0] - before["resid_post", 0])[0]
    torch.testing.assert_close(difference[[2, 7]], torch.ones(2, 32), rtol=1e-5, atol=1e-5)
    assert difference[[0, 1, 3, 4, 5, 6]].abs().max() < 1e-6


def test_mean_and_resample_come_from_the_reference(gpt2, ids):
    reference = trace(gpt2, [[1, 2, 3], [4, 5]], ["z"])
    real = reference["z", 1][reference.mask]  # five tokens
    with ablate(gpt2, "z", 1, by="mean", reference=reference, heads=[3], positions=[0, 4]):
        seen = trace(gpt2, ids, ["z"])
    torch.testing.assert_close(seen["z", 1][0, [0, 4], 3], real.mean(0)[3].expand(2, -1))
    with ablate(gpt2, "z", 1, by="resample", reference=reference, heads=[3], seed=1):
        drawn = trace(gpt2, ids, ["z"])["z", 1][0, :, 3]
    distance = (drawn[:, None] - real[None, :, 3]).abs().amax(-1)
    assert (distance.min(1).values == 0).all()
    assert len(distance.argmin(1).unique()) > 1


def test_cut_edges_equal_masking_before_the_softmax(model, ids):
    plain = trace(model, ids, ["pattern"])["pattern", 1]
    with cut_edges(model, 1, heads=[2], edges=[(4, 3), (7, 6)]):
        cut = trace(model, ids, ["pattern"])["pattern", 1]
    wanted = plain.clone()
    wanted[0, 2, 4, 3] = wanted[0, 2, 7, 6] = 0
    wanted = wanted / wanted.sum(-1, keepdim=True)
    torch.testing.assert_close(cut, wanted, rtol=1e-5, atol=1e-6)
    with cut_edges(model, 1, heads=[2], edges=[(4, 3)], renormalize=False):
        cut = trace(model, ids, ["pattern"])["pattern", 1]
    assert cut[0, 2, 4].sum() == pytest.approx(1 - plain[0, 2, 4, 3].item(), abs=1e-5)


def test_z_ablation_holds_whatever_is_attached_to_the_pattern_afterwards(gpt2, ids):
    reference = trace(gpt2, [[9, 8, 7, 6, 5, 4, 3, 2]], ["pattern"])
    with ablate(gpt2, "z", 1, heads=0), freeze(gpt2, reference, "pattern", 1):
        seen = trace(gpt2, ids, ["z", "pattern"])
    assert seen["z", 1][:, :, 0].abs().max() == 0
    torch.testing.assert_close(seen["pattern", 1], reference["pattern", 1])


def test_freezing_patterns(model, ids, other_ids):
    reference = trace(model, other_ids)
    with freeze(model, reference):
        torch.testing.assert_close(logits(model, other_ids), reference["logits"], rtol=1e-4, atol=1e-4)
        for layer in range(3):
            torch.testing.assert_close(trace(model, ids)["pattern", layer], reference["pattern", layer])


def test_interventions_reach_generation_with_the_cache(model, ids):
    def generate(use_cache):
        with torch.no_grad():
            return model.generate(
                ids, max_new_tokens=8, min_new_tokens=8, do_sample=False, use_cache=use_cache, pad_token_id=0
            )

    plain = generate(True)
    direction = torch.randn(32, generator=torch.Generator().manual_seed(5)) * 10
    reference = trace(model, ids, ["pattern"])
    contexts = [
        lambda: add(model, "resid_post", 1, direction),
        lambda: add(model, "resid_post", 1, direction, positions=slice(9, 12)),
        lambda: add(model, "resid_post", 0, direction, positions=[2, -1]),
        lambda: ablate(model, "z", [0, 1, 2], heads=[0, 1]),
        lambda: cut_edges(model, None, edges=[(q, k) for q in range(9, 16) for k in (3, 4, 7)]),
        lambda: freeze(model, reference),
    ]
    changed = 0
    for context in contexts:
        with context():
            with_cache = generate(True)
            # Without a cache the whole text is run again at each step, and -1 is then another position: fix it.
            if context is contexts[2]:
                with (
                    add(model, "resid_post", 0, -direction, positions=[-1]),
                    add(model, "resid_post", 0, direction, positions=[7]),
                ):
                    without = generate(False)
            elif context is contexts[5]:
                without = with_cache  # a frozen pattern covers the prompt alone
            else:
                without = generate(False)
        assert torch.equal(with_cache, without)
        changed += not torch.equal(with_cache, plain)
    assert changed >= 4
    assert torch.equal(generate(True), plain)


def test_an_intervention_undoes_itself_when_the_body_raises(model, ids):
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    before, implementation = logits(model, ids), model.config._attn_implementation
    reference = trace(model, ids)

    middle = "resid_mid" if "resid_mid" in available(model) else "attn_out"

    def broken():
        with ablate(model, "z", 0), cut_edges(model, 1, edges=[(2, 1)]), add(model, middle, 1, 1.0):
            with freeze(model, reference, "pattern", 2):
                logits(model, ids)
                raise KeyError("the body")

    with pytest.raises(KeyError, match="the body"):
        broken()
    assert torch.equal(logits(model, ids), before)
    assert model.config._attn_implementation == implementation
    for name, value in model.state_dict().items():
        assert torch.equal(value, weights[name])


def test_contexts_may_end_in_any_order(gpt2, ids):
    before = logits(gpt2, ids)
    one, two = cut_edges(gpt2, 0, edges=[(3, 1)]), cut_edges(gpt2, 1, edges=[(3, 1)])
    one.__enter__()
    two.__enter__()
    one.__exit__(None, None, None)
    assert trace(gpt2, ids, ["pattern"])["pattern", 1][0, :, 3, 1].abs().max() == 0
    two.__exit__(None, None, None)
    assert torch.equal(logits(gpt2, ids), before)


def test_calls_at_one_place_run_in_the_order_of_attachment(gpt2, ids):
    with replace(gpt2, "resid_post", 1, 1.0), add(gpt2, "resid_post", 1, 2.0):
        assert (trace(gpt2, ids, ["resid_post"])["resid_post", 1] == 3).all()
    with add(gpt2, "resid_post", 1, 2.0), replace(gpt2, "resid_post", 1, 1.0):
        assert (trace(gpt2, ids, ["resid_post"])["resid_post", 1] == 1).all()


def test_what_is_refused_before_anything_runs(gpt2, ids):
    cases = [
        (IndexError, "layer 5 of 3", lambda: ablate(gpt2, "z", 5)),
        (IndexError, "head 4 of 4", lambda: ablate(gpt2, "z", 0, heads=[4])),
        (IndexError, "neuron 128 of 128", lambda: ablate(gpt2, "mlp_post", 0, neurons=[128])),
        (ValueError, "'mlp_out' has no heads", lambda: ablate(gpt2, "mlp_out", 0, heads=[0])),
        (ValueError, "choose heads instead", lambda: ablate(gpt2, "z", 0, neurons=[0])),
        (ValueError, "is 31 wide; expected 32", lambda: add(gpt2, "resid_post", 0, torch.zeros(31))),
        (ValueError, "2 dimensions", lambda: add(gpt2, "resid_post", 0, torch.zeros(8, 32))),
        (ValueError, "by is 'average'", lambda: ablate(gpt2, "z", 0, by="average")),
        (ValueError, "needs reference=trace", lambda: ablate(gpt2, "z", 0, by="mean")),
        (ValueError, "nothing looks ahead", lambda: cut_edges(gpt2, 0, edges=[(1, 2)])),
        (ValueError, "every edge of query 0", lambda: cut_edges(gpt2, 0, edges=[(0, 0)])),
        (KeyError, "holds no", lambda: freeze(gpt2, trace(gpt2, ids, ["z"]), "pattern")),
    ]
    for error, words, make in cases:
        with pytest.raises(error, match=words):
            with make():
                pass


def test_what_only_a_run_can_show(gpt2, ids):
    with ablate(gpt2, "z", 0, positions=[8]), pytest.raises(IndexError, match="position 8 of 8"):
        logits(gpt2, ids)
    short = trace(gpt2, ids[:, :5], ["resid_post", "pattern"])
    with freeze(gpt2, short, "resid_post"), pytest.raises(ValueError, match="covers 5 positions; the run has 8"):
        logits(gpt2, ids)
    with edit(gpt2, "z", 0, lambda part, at: torch.zeros(3, 3)), pytest.raises(ValueError, match="returned shape"):
        logits(gpt2, ids)
    with hooked(gpt2, [("z", 0, lambda v, s: v[0])]), pytest.raises(ValueError, match="an intervention returned shape"):
        logits(gpt2, ids)


def test_an_edit_that_met_no_position_says_so():
    world = load("world")
    run = rerun(world, torch.randint(1, 200, (1, 6)), rows=[0], positions=[4])
    with (
        pytest.raises(ValueError, match="chose none of any text that was run"),
        replace(world, "mlp_out", 1, 0.0, positions=slice(3, None)),
    ):
        run()
    with (
        pytest.raises(ValueError, match="covers 6 positions; the run has 1"),
        replace(world, "mlp_out", 1, torch.zeros(1, 6, 128)),
    ):
        run()
    with replace(world, "mlp_out", 1, 0.0, positions=slice(3, None)):
        pass  # nothing was run
