"""Attribution is the gradient it claims to be, edges sum to nodes, and path patching equals a loop of hooked passes."""

from contextlib import ExitStack

import pytest
import torch
from tiny_models import build

from llmnotes.model.architectures import parts
from llmnotes.model.hooks import available, hooked
from llmnotes.model.interventions import add, replace
from llmnotes.model.tracing import trace
from llmnotes.patching.attribution import attribution_patching
from llmnotes.patching.paths import _parse, path_patching, upstream
from llmnotes.patching.sweeps import sweep


def metric(logits):
    return logits[..., 4] - logits[..., 9]


def test_scores_equal_finite_differences_along_the_change(model, ids, other_ids):
    places = [p for p in available(model) if p != "logits"]
    scores = attribution_patching(model, ids, other_ids, metric, places)
    clean, base = trace(model, ids), trace(model, other_ids)
    for place in places:
        change = clean[place, 1] - base[place, 1]
        ends = []
        for step in (1e-3, -1e-3):
            call = (place, 1, lambda value, start, step=step, change=change: value + step * change)
            calls = [call] if place == "pattern" else [("pattern", 0, lambda v, s: None), call]
            with torch.no_grad(), hooked(model, calls):
                ends.append(metric(model(other_ids).logits[:, -1]).item())
        slope = (ends[0] - ends[1]) / 2e-3
        assert scores[place][1].sum().item() == pytest.approx(slope, rel=0.03, abs=0.02), place


def test_shapes_by_place_and_where_the_runs_are_the_same(model, ids, other_ids):
    scores = attribution_patching(model, ids, other_ids, metric, ["resid_pre", "z", "v", "mlp_post", "pattern"])
    kv = 2 if model.config.model_type == "llama" else 4
    d_mlp = scores["mlp_post"].size(-1)
    shapes = {"resid_pre": (3, 8), "z": (3, 8, 4), "v": (3, 8, kv), "mlp_post": (3, 8, d_mlp), "pattern": (3, 4, 8, 8)}
    assert {place: tuple(value.shape) for place, value in scores.items()} == shapes
    assert scores["resid_pre"][:, :2].abs().max() < 1e-5  # the prompts first differ at position 2


def test_it_agrees_with_a_sweep_where_the_change_is_small(gpt2, ids):
    model = build("gpt2")
    with torch.no_grad():  # make two tokens nearly the same, so that first order is nearly exact
        model.transformer.wte.weight[9] = model.transformer.wte.weight[21] + 1e-3 * torch.randn(32)
    corrupted = ids.clone()
    corrupted[0, 2] = 9
    estimate = attribution_patching(model, ids, corrupted, metric, ["z", "resid_pre"])
    patched = sweep(model, ids, corrupted, metric, "z")
    change = patched.values - patched.unpatched
    torch.testing.assert_close(estimate["z"].sum(1), change, rtol=0.05, atol=1e-4)


def test_integrated_gradients_add_up_to_the_change(model, ids, other_ids):
    """Sundararajan et al.'s completeness, which one gradient does not have."""
    base, source = (metric(model(tokens).logits[:, -1]).item() for tokens in (other_ids, ids))
    for mode, whole in (("denoising", source - base), ("noising", base - source)):
        for steps, close in ((None, 0.0), (64, 2e-3)):
            scores = attribution_patching(model, ids, other_ids, metric, ["resid_pre"], mode=mode, steps=steps)
            off = abs(scores["resid_pre"][0].sum().item() - whole)
            assert off > 3e-3 * abs(whole) if steps is None else off < close * max(1, abs(whole)), (mode, steps)


def test_integrated_gradients_equal_a_loop(gpt2, ids, other_ids):
    places = ["z", "mlp_post", "attn_out"]
    found = attribution_patching(gpt2, ids, other_ids, metric, places, steps=3)
    clean, base = trace(gpt2, ids), trace(gpt2, other_ids)
    wanted = dict.fromkeys(places, 0)
    for share in (1 / 6, 3 / 6, 5 / 6):
        mixed = base["resid_pre", 0] + share * (clean["resid_pre", 0] - base["resid_pre", 0])
        with replace(gpt2, "resid_pre", 0, mixed):
            run = trace(gpt2, other_ids, [*places, "logits"], grad=True)
        for place in places:
            slope = torch.autograd.grad(metric(run["logits"][:, -1])[0], run[place, 1], retain_graph=True)[0]
            wanted[place] = wanted[place] + slope[0] / 3 * (clean[place, 1] - base[place, 1])[0]
    for place in places:
        product = wanted[place] if place == "mlp_post" else wanted[place].sum(-1)
        torch.testing.assert_close(found[place][1], product, rtol=1e-3, atol=1e-5)


def test_two_forward_passes_and_one_backward_pass(gpt2, ids, other_ids):
    passes = []
    handle = gpt2.transformer.h[1].mlp.c_proj.register_forward_hook(lambda m, a, out: passes.append(out.requires_grad))
    attribution_patching(gpt2, ids, other_ids, metric)
    handle.remove()
    assert passes == [False, True]
    assert all(parameter.grad is None for parameter in gpt2.parameters())


def test_frozen_parameters_change_nothing(ids, other_ids):
    model = build("llama")
    wanted = attribution_patching(model, ids, other_ids, metric)
    model.requires_grad_(False)
    for place, value in attribution_patching(model, ids, other_ids, metric).items():
        torch.testing.assert_close(value, wanted[place])


def slow_path(model, base_ids, source_ids, sender, receiver):
    """The definition, with hooks: what the receiver reads is changed in one run, what it then writes in another."""
    base, source = trace(model, base_ids), trace(model, source_ids)
    if sender == "embed":
        delta = source["resid_pre", 0] - base["resid_pre", 0]
    elif sender.startswith("mlp"):
        delta = source["mlp_out", int(sender[3:])] - base["mlp_out", int(sender[3:])]
    else:
        layer, head = map(int, sender.split("."))
        with replace(model, "z", layer, source["z", layer][:, :, [head]], heads=[head]):
            changed = trace(model, base_ids, ["attn_out"], layers=[layer])
        delta = changed["attn_out", layer] - base["attn_out", layer]
    if receiver == "logits":
        with add(model, "resid_post", -1, delta), torch.no_grad():
            return metric(model(base_ids).logits[:, -1]).item()
    if receiver.startswith("mlp"):
        layer = int(receiver[3:])
        before = "resid_mid" if "resid_mid" in available(model) else "resid_pre"
        with add(model, before, layer, delta):
            new = trace(model, base_ids, ["mlp_out"], layers=[layer])["mlp_out", layer]
        with replace(model, "mlp_out", layer, new), torch.no_grad():
            return metric(model(base_ids).logits[:, -1]).item()
    layer, head, reads = receiver.split(".") if receiver.count(".") == 2 else (*receiver.split("."), "qkv")
    layer, head = int(layer), int(head)
    with add(model, "resid_pre", layer, delta):
        new = trace(model, base_ids, list(reads), layers=[layer])
    with ExitStack() as stack, torch.no_grad():
        for which in reads:
            value = new[which, layer][:, :, [head]]
            stack.enter_context(replace(model, which, layer, value, heads=[head]))
        return metric(model(base_ids).logits[:, -1]).item()


def test_path_patching_equals_its_definition(model, ids, other_ids):
    senders = ["embed", "0.1", "mlp0", "1.3"]
    receivers = ["1.0.q", "2.1.k", "1.1.v", "mlp1", "mlp2", "logits"]
    receivers += [] if model.config.model_type == "llama" else ["2.2"]
    found = parts(model)
    for mode, base, source in (("denoising", other_ids, ids), ("noising", ids, other_ids)):
        result = path_patching(model, ids, other_ids, metric, senders, receivers, mode=mode)
        parallel = "resid_mid" not in available(model)
        for i, sender in enumerate(senders):
            for j, receiver in enumerate(receivers):
                if upstream(_parse(found, sender, "sender"), _parse(found, receiver, "receiver"), parallel):
                    wanted = slow_path(model, base, source, sender, receiver)
                    assert result.values[i, j].item() == pytest.approx(wanted, abs=1e-5, rel=1e-5), (sender, receiver)
                else:
                    assert result.values[i, j].isnan()


def test_what_path_patching_refuses(gpt2, ids, other_ids):
    for error, words, sender, receiver in [
        (ValueError, "'3-1' is no sender", "3-1", "mlp1"),
        (ValueError, "'logits' is no sender", "logits", "mlp1"),
        (ValueError, "'embed' is no receiver", "embed", "embed"),
        (IndexError, "head 4 of 4", "0.4", "mlp1"),
        (IndexError, "layer 7 of 3", "embed", "mlp7"),
    ]:
        with pytest.raises(error, match=words):
            path_patching(gpt2, ids, other_ids, metric, [sender], [receiver])
    llama = build("llama")
    with pytest.raises(ValueError, match="shared between heads here"):
        path_patching(llama, ids, other_ids, metric, ["embed"], ["1.2"])
    with pytest.raises(ValueError, match="the metric returned"):
        attribution_patching(gpt2, ids, other_ids, lambda logits: logits)
    with pytest.raises(ValueError, match="steps is 0"):
        attribution_patching(gpt2, ids, other_ids, metric, steps=0)
