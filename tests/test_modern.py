"""Architectures that people study now: every tool equals plain hooks, and what cannot be exact is refused by name."""

from __future__ import annotations

import copy

import pytest
import torch
from test_patching import plain_loop
from test_trace import plain_hooks
from tiny_models import MODERN, build
from transformers import Gemma3TextConfig, GptOssConfig, GptOssForCausalLM

from llmnotes.methods.heads import composition, copying
from llmnotes.methods.lens import direct_logit_attribution, logit_lens
from llmnotes.methods.steering import generate
from llmnotes.model.architectures import LAYOUTS, parts, refused
from llmnotes.model.blocks import norm_scale, normalize, read_out
from llmnotes.model.hooks import available
from llmnotes.model.interventions import ablate, add, replace
from llmnotes.model.tracing import trace
from llmnotes.patching.attribution import attribution_patching
from llmnotes.patching.paths import path_patching
from llmnotes.patching.sweeps import PATCHABLE, logit_difference, sweep


def test_every_place_equals_plain_hooks_to_the_last_bit(modern, ids):
    plain = plain_hooks(modern, ids)
    ours = trace(modern, ids, [p for p in available(modern) if p not in ("q", "k", "v", "pattern")])
    assert set(ours.values) == set(plain)
    for key, value in plain.items():
        seen = ours.values[key].flatten(-2) if key[0] == "z" else ours.values[key]
        assert torch.equal(seen, value), key


def test_places_add_up_and_patterns_are_eager_attentions(modern, ids):
    seen = trace(modern, ids)
    eager = build(_kind(modern), attn_implementation="eager")
    with torch.no_grad():
        wanted = eager(ids, output_attentions=True, use_cache=False).attentions
    close = {"rtol": 1e-4, "atol": 1e-5}
    for layer, block in enumerate(parts(modern).blocks):
        torch.testing.assert_close(seen["pattern", layer], wanted[layer], rtol=1e-5, atol=1e-6)
        after = seen["resid_pre", layer] + seen["attn_out", layer] + seen["mlp_out", layer]
        torch.testing.assert_close(after, seen["resid_post", layer], **close)
        normed = block.norm_attn(seen["resid_pre", layer])
        for which, weight in (("q", block.w_q), ("k", block.w_k), ("v", block.w_v)):
            bias = block.projection(which).bias
            made = torch.einsum("bpd,hde->bphe", normed, weight) + (0 if bias is None else block.heads(which, bias))
            made = made if block.clip is None else made.clamp(-block.clip, block.clip)
            torch.testing.assert_close(made, seen[which, layer], **close)
        out = torch.einsum("bphe,hed->bpd", seen["z", layer], block.w_o)
        out = out if block.attn_proj.bias is None else out + block.attn_proj.bias
        torch.testing.assert_close(block.attn_adds(out), seen["attn_out", layer], **close)
    for norm in (parts(modern).final_norm, block.norm_mlp, block.norm_attn):
        x = torch.randn(5, 32)
        torch.testing.assert_close(normalize(norm, x, norm_scale(norm, x)), norm(x), **close)


@pytest.mark.parametrize("place", PATCHABLE)
def test_sweeps_equal_a_plain_loop(modern, ids, other_ids, place):
    if place not in available(modern):
        pytest.skip("a parallel block has no resid_mid")
    metric, positions = logit_difference(modern, 4, 9), [1, 2, 5, 7]
    for axes in (("layer", "position"), ("layer", "head"))[: 2 if place in ("z", "v", "pattern") else 1]:
        some = {"positions": positions} if "position" in axes else {}
        fast = sweep(modern, ids, other_ids, metric, place, each=axes, **some)
        slow = plain_loop(modern, other_ids, ids, metric, place, axes, **some)
        torch.testing.assert_close(fast.values, slow, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("receiver", ["1.0.q", "1.1.k", "1.0.v", "mlp1", "logits"])
def test_paths_equal_hooks(modern, ids, other_ids, receiver):
    """The receiver alone reads a stream to which the change of the sender's output was added."""
    metric, found = logit_difference(modern, 4, 9), parts(modern)
    senders = ["embed", "0.2", "mlp0"]
    fast = path_patching(modern, ids, other_ids, metric, senders, [receiver])
    source, base = trace(modern, ids), trace(modern, other_ids)
    with replace(modern, "z", 0, source["z", 0][:, :, [2]], heads=[2]):
        head = trace(modern, other_ids, ["attn_out"])["attn_out", 0] - base["attn_out", 0]
    moved = {"embed": source["resid_pre", 0] - base["resid_pre", 0], "0.2": head,
             "mlp0": source["mlp_out", 0] - base["mlp_out", 0]}  # fmt: skip
    for sender, value in zip(senders, fast.values[:, 0], strict=True):
        delta = moved[sender]
        if receiver == "logits":
            logits = read_out(found, base["resid_post", -1] + delta)
        elif receiver == "mlp1":
            block = found.blocks[1]
            read = (base["resid_pre", 1] if block.parallel else base["resid_mid", 1]) + delta
            new = block.mlp(block.norm_mlp(read))
            new = block.post_mlp(new) * getattr(modern.config, "residual_multiplier", 1)
            with replace(modern, "mlp_out", 1, new):
                logits = trace(modern, other_ids, ["logits"])["logits"]
        else:
            _, head_number, which = receiver.split(".")
            # OLMo 2's norm goes over all heads: what one head reads is seen behind it
            block, head_number = parts(modern).blocks[1], int(head_number)
            behind = modern.config.model_type == "olmo2" and which != "v"
            module = getattr(block.attn, f"{which}_norm") if behind else block.projection(which)
            with add(modern, "resid_pre", 1, delta):
                new = _output(modern, module, other_ids)

            def put(m, a, out, new=new, block=block, which=which, number=head_number):
                mixed = block.heads(which, out).clone()
                mixed[:, :, number] = block.heads(which, new)[:, :, number]
                return block.with_heads(which, out, mixed)

            handle = module.register_forward_hook(put)
            logits = trace(modern, other_ids, ["logits"])["logits"]
            handle.remove()
        torch.testing.assert_close(value, metric(logits[:, -1])[0].detach(), rtol=1e-5, atol=2e-5)


def test_the_lens_ends_at_the_model_and_shares_sum_to_the_logit(modern, ids):
    with torch.no_grad():
        own = modern(ids).logits
    torch.testing.assert_close(logit_lens(modern, ids)[-1], own.log_softmax(-1), rtol=1e-5, atol=1e-5)
    for by in ("head", "component", "layer"):
        shares = direct_logit_attribution(modern, ids, 4, 9, by=by)  # checks its own sum
        cap = getattr(modern.config, "final_logit_softcapping", None)
        logit = own[0, -1] if cap is None else (own[0, -1] / cap).atanh() * cap
        assert shares.values.sum().item() == pytest.approx((logit[4] - logit[9]).item(), abs=2e-4)


def test_attribution_is_the_slope_of_a_small_patch(modern, ids, other_ids):
    metric = logit_difference(modern, 4, 9)
    estimate = attribution_patching(modern, ids, other_ids, metric, ["z", "mlp_out", "attn_out"])
    source, base = trace(modern, ids), trace(modern, other_ids)
    for place in ("z", "mlp_out", "attn_out"):
        change, ends = source[place, 1] - base[place, 1], []
        for sign in (1, -1):
            part = {"heads": [1]} if place == "z" else {}
            value = base[place, 1] + sign * 1e-3 * change
            value = value[:, :, [1]][:, [5]] if place == "z" else value[:, [5]]
            with replace(modern, place, 1, value, positions=[5], **part):
                ends.append(metric(trace(modern, other_ids, ["logits"])["logits"][:, -1]).item())
        slope = (ends[0] - ends[1]) / 2e-3
        ours = estimate[place][1, 5, 1] if place == "z" else estimate[place][1, 5]
        assert ours.item() == pytest.approx(slope, abs=3e-3, rel=0.02)


def test_interventions_and_generation_with_the_cache(modern, ids):
    ours = generate(modern, ids, tokens=8)
    theirs = modern.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False, pad_token_id=0
    )
    assert torch.equal(ours[:, : theirs.size(1)], theirs)
    with ablate(modern, "attn_out", 1), ablate(modern, "pattern", 2, heads=0):
        written, row = generate(modern, ids, tokens=6), ids
        for _ in range(6):
            row = torch.cat([row, modern(row).logits[:, -1:].argmax(-1)], dim=1)
    assert torch.equal(written, row[:, : written.size(1)])
    if "resid_mid" in available(modern):
        seen = trace(modern, ids, ["resid_mid"])["resid_mid", 1]
        with replace(modern, "resid_mid", 1, seen + 1):
            changed = trace(modern, ids, ["resid_mid", "resid_post"])
        torch.testing.assert_close(changed["resid_mid", 1], seen + 1, rtol=1e-5, atol=1e-5)


def test_padded_batches_equal_runs_one_by_one(modern):
    rows = [[7, 3, 21, 60, 3, 21, 5, 44], [9, 11, 2], [50, 8, 8, 8, 1]]
    for padding in ("left", "right"):
        together = trace(modern, rows, ["resid_post", "logits"], padding=padding)
        for i, row in enumerate(rows):
            alone = trace(modern, row, ["resid_post", "logits"])
            for key, value in alone.values.items():
                torch.testing.assert_close(together.values[key][i][together.mask[i]], value[0], rtol=1e-4, atol=1e-5)


def test_scores_of_weights_are_finite(modern):
    assert copying(modern).values.isfinite().all()
    assert composition(modern, "v").values[0, :, 1].isfinite().all()


# ---------------------------------------------------------------------------------------------------- the guard


@pytest.mark.parametrize("kind", ["qwen3", "olmo2", "gemma2", "gemma3_text", "phi3"])
def test_a_wrong_layout_is_noticed_before_any_number(kind, ids, other_ids, monkeypatch):
    """As our own hint once advised: "if it names its parts as Llama does, LAYOUTS['llama'] itself"."""
    model = build(kind)
    right, metric = sweep(model, ids, other_ids, logit_difference(model, 4, 9)).values, logit_difference(model, 4, 9)
    monkeypatch.setitem(LAYOUTS, kind, LAYOUTS["llama"])
    with pytest.raises((NotImplementedError, ValueError), match=r"does not say|a block has no"):
        sweep(model, ids, other_ids, metric)
    with pytest.raises((NotImplementedError, ValueError)):
        path_patching(model, ids, other_ids, metric, ["embed"], ["mlp1"])
    monkeypatch.undo()
    assert torch.equal(sweep(model, ids, other_ids, metric).values, right)


def test_a_window_that_binds_only_in_longer_texts_is_checked_there(ids, other_ids):
    model = build("mistral")
    metric = logit_difference(model, 4, 9)
    sweep(model, ids[:, :3], other_ids[:, :3], metric)
    model.config.sliding_window = 100  # now our code believes in no window, and the model's masks are made anew, too
    sweep(model, ids[:, :3], other_ids[:, :3], metric)
    wide = copy.deepcopy(model)
    wide.config.sliding_window = 3
    fast = sweep(wide, ids, other_ids, metric, "z").values
    assert not torch.allclose(fast, sweep(model, ids, other_ids, metric, "z").values)
    torch.testing.assert_close(
        fast, plain_loop(wide, other_ids, ids, metric, "z", ("layer", "head")), rtol=1e-5, atol=1e-5
    )


def test_a_lens_that_does_not_end_at_the_model_is_refused(ids, monkeypatch):
    model = build("gemma2")
    monkeypatch.setattr(type(model.config), "logits_scaling", 3.0, raising=False)
    with pytest.raises(NotImplementedError, match="differ from its own by"):
        logit_lens(model, ids)


def test_the_guard_runs_once_and_never_under_an_intervention(ids, other_ids):
    model = build("llama")
    calls = []
    handle = model.register_forward_pre_hook(lambda *a: calls.append(1))
    handle.remove()
    with ablate(model, "z", 0, positions=[6]):
        logit_lens(model, ids)  # a text of four tokens, which the check would run, has no position 6
    first = _forwards(model, lambda: sweep(model, ids, other_ids, logit_difference(model, 4, 9)))
    assert first == _forwards(model, lambda: sweep(model, ids, other_ids, logit_difference(model, 4, 9))) + 1


def _forwards(model, call):
    counted, forward = 0, model.forward

    def counting(*args, **kwargs):
        nonlocal counted
        counted += 1
        return forward(*args, **kwargs)

    model.forward = counting
    try:
        call()
    finally:
        del model.forward
    return counted


def test_attention_that_the_pattern_code_does_not_know_is_refused(ids, monkeypatch):
    config = GptOssConfig(
        num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, hidden_size=32, head_dim=8, vocab_size=61,
        intermediate_size=16, num_local_experts=2, num_experts_per_tok=1, max_position_embeddings=32,
    )  # fmt: skip
    model = GptOssForCausalLM(config).eval()
    with pytest.raises(NotImplementedError, match="no layout for the architecture 'gpt_oss'"):
        trace(model, ids)
    from dataclasses import replace as changed

    sinks = changed(LAYOUTS["llama"], mlp_in="", mlp_proj="", mlp_act="", mlp_gate="")
    monkeypatch.setitem(LAYOUTS, "gpt_oss", sinks)
    with pytest.raises(NotImplementedError, match="computes its pattern with s_aux"):
        trace(model, ids, ["pattern"])
    assert "mlp_post" not in available(model)
    with torch.no_grad():
        assert torch.equal(trace(model, ids, ["z", "logits"])["logits"], model(ids).logits)
    with pytest.raises(NotImplementedError, match="its layout does not say"):
        sweep(model, ids, torch.tensor([[7, 3, 9, 60, 3, 9, 17, 44]]), logit_difference(model, 4, 9))


def test_what_cannot_be_exact_is_refused_at_load():
    assert all(refused(config.to_dict()) is None for config in MODERN.values())
    looks_ahead = Gemma3TextConfig(num_hidden_layers=2, use_bidirectional_attention=True)
    assert "looks ahead (bidirectional)" in refused(looks_ahead.to_dict())
    for kind in ("gemma3", "mamba", "qwen3_moe", None):
        assert f"the architecture {kind!r} is not known; known are gpt2, gpt_neo" in refused({"model_type": kind})


def _output(model, module, ids):
    seen = []
    handle = module.register_forward_hook(lambda m, a, out: seen.append(out.detach().clone()))
    trace(model, ids, ["resid_post"])
    handle.remove()
    return seen[0]


def _kind(model):
    parallel = getattr(model.config, "use_parallel_residual", False)
    return model.config.model_type + ("-parallel" if parallel else "")
