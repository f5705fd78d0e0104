"""Every place equals what plain PyTorch hooks read, in every architecture."""

import pytest
import torch

from llmnotes.model.architectures import parts, sizes
from llmnotes.model.hooks import PLACES, available, hooked
from llmnotes.model.inputs import batch, pair, token_id
from llmnotes.model.tracing import trace

# Written down a second time on purpose: where transformers keeps each place, read by hooks that know nothing of ours.
BASE = {"gpt2": "transformer.h", "gpt_neo": "transformer.h", "gpt_neox": "gpt_neox.layers", "llama": "model.layers"}
OUTPUTS = {
    "gpt2": {"attn_out": "attn", "mlp_pre": "mlp.c_fc", "mlp_out": "mlp", "resid_post": ""},
    "gpt_neo": {"attn_out": "attn", "mlp_pre": "mlp.c_fc", "mlp_out": "mlp", "resid_post": ""},
    "gpt_neox": {"attn_out": "attention", "mlp_pre": "mlp.dense_h_to_4h", "mlp_out": "mlp", "resid_post": ""},
    "llama": {"attn_out": "self_attn", "mlp_pre": "mlp.gate_proj", "mlp_out": "mlp", "resid_post": ""},
}
INPUTS = {
    "gpt2": {"resid_pre": "", "resid_mid": "ln_2", "z": "attn.c_proj", "mlp_post": "mlp.c_proj"},
    "gpt_neo": {"resid_pre": "", "resid_mid": "ln_2", "z": "attn.attention.out_proj", "mlp_post": "mlp.c_proj"},
    "gpt_neox": {"resid_pre": "", "z": "attention.dense", "mlp_post": "mlp.dense_4h_to_h"},
    "llama": {
        "resid_pre": "",
        "resid_mid": "post_attention_layernorm",
        "z": "self_attn.o_proj",
        "mlp_post": "mlp.down_proj",
    },
}
for kind in ("qwen2", "qwen3", "mistral", "gemma", "stablelm", "smollm3", "olmo", "phi3"):
    BASE[kind], OUTPUTS[kind], INPUTS[kind] = BASE["llama"], OUTPUTS["llama"], INPUTS["llama"]
_ADDED = {
    "attn_out": "post_attention_layernorm",
    "mlp_out": "post_feedforward_layernorm",
}  # what is added comes out here
for kind, mid in (
    ("olmo2", "mlp"),
    ("gemma2", "pre_feedforward_layernorm"),
    ("gemma3_text", "pre_feedforward_layernorm"),
):
    BASE[kind], OUTPUTS[kind] = BASE["llama"], OUTPUTS["llama"] | _ADDED
    INPUTS[kind] = INPUTS["llama"] | {"resid_mid": mid}
BASE["granite"], INPUTS["granite"] = BASE["llama"], INPUTS["llama"]
OUTPUTS["granite"] = OUTPUTS["llama"]
OUTPUTS["phi3"] = OUTPUTS["llama"] | {"mlp_pre": "mlp.gate_up_proj"}  # of which the first half is the gate


def plain_hooks(model, ids):
    kind, seen, handles = model.config.model_type, {}, []
    for layer, block in enumerate(model.get_submodule(BASE[kind])):
        for place, path in OUTPUTS[kind].items():
            module = block.get_submodule(path) if path else block
            keep = lambda m, a, out, key=(place, layer): seen.update({key: out[0] if isinstance(out, tuple) else out})  # noqa: E731
            handles.append(module.register_forward_hook(keep))
        for place, path in INPUTS[kind].items():
            if place == "resid_mid" and getattr(block, "use_parallel_residual", False):
                continue
            module = block.get_submodule(path) if path else block
            keep = lambda m, a, k, key=(place, layer): seen.update({key: a[0] if a else k["hidden_states"]})  # noqa: E731
            handles.append(module.register_forward_pre_hook(keep, with_kwargs=True))
    with torch.no_grad():
        seen["logits", None] = model(ids, use_cache=False).logits
    for handle in handles:
        handle.remove()
    for place, layer in list(seen):
        if kind == "granite" and place in ("attn_out", "mlp_out"):
            seen[place, layer] = seen[place, layer] * model.config.residual_multiplier
        if kind == "phi3" and place == "mlp_pre":
            seen[place, layer] = seen[place, layer][..., : model.config.intermediate_size]
    return seen


def test_every_place_equals_plain_hooks_to_the_last_bit(model, ids):
    plain = plain_hooks(model, ids)
    ours = trace(model, ids, [p for p in available(model) if p not in ("q", "k", "v", "pattern")])
    assert set(ours.values) == set(plain)
    for key, value in plain.items():
        seen = ours.values[key].flatten(-2) if key[0] == "z" else ours.values[key]
        assert torch.equal(seen, value), key


def test_all_places_by_default_within_rounding_of_the_plain_model(model, ids):
    plain, ours = plain_hooks(model, ids), trace(model, ids)
    size = sizes(model.config)
    assert ours.places == available(model)
    for key, value in plain.items():
        seen = ours.values[key].flatten(-2) if key[0] == "z" else ours.values[key]
        torch.testing.assert_close(seen, value, rtol=1e-5, atol=1e-5)
    assert ours["q", 0].shape == (1, 8, size.n_heads, size.d_head)
    assert ours["k", 0].shape == ours["v", 0].shape == (1, 8, size.n_kv_heads, size.d_head)


def test_patterns_equal_eager_attention(model, ids):
    from tiny_models import build

    kind = model.config.model_type
    eager = build(kind, attn_implementation="eager")
    with torch.no_grad():
        wanted = eager(ids, output_attentions=True, use_cache=False).attentions
    ours = trace(model, ids, ["pattern", "logits"])
    for layer, pattern in enumerate(wanted):
        torch.testing.assert_close(ours["pattern", layer], pattern, rtol=1e-5, atol=1e-6)
    with torch.no_grad():
        if kind != "gpt_neo":  # where the same kernels run, the same bits come out
            assert torch.equal(ours["logits"], eager(ids).logits)


def test_queries_keys_values_make_the_pattern_and_z(gpt2, ids):
    seen = trace(gpt2, ids)
    q, k, v = (seen[p, 1].transpose(1, 2) for p in "qkv")
    scores = (q @ k.transpose(-1, -2) / 8**0.5).masked_fill(~torch.ones(8, 8).tril().bool(), -torch.inf)
    torch.testing.assert_close(scores.softmax(-1), seen["pattern", 1])
    torch.testing.assert_close((scores.softmax(-1) @ v).transpose(1, 2), seen["z", 1])


def test_weights_by_head_make_the_places(model, ids):
    seen = trace(model, ids)
    for layer, block in enumerate(parts(model).blocks):
        normed = block.norm_attn(seen["resid_pre", layer])
        for which, weight in (("q", block.w_q), ("k", block.w_k), ("v", block.w_v)):
            module = block.projection(which)
            bias = 0 if module.bias is None else block.heads(which, module.bias)
            made = torch.einsum("bpd,hde->bphe", normed, weight) + bias
            torch.testing.assert_close(made, seen[which, layer], rtol=1e-4, atol=1e-5)
        out = torch.einsum("bphe,hed->bpd", seen["z", layer], block.w_o)
        out = out if block.attn_proj.bias is None else out + block.attn_proj.bias
        torch.testing.assert_close(out, seen["attn_out", layer], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("padding", ["left", "right"])
def test_padded_batches_equal_runs_one_by_one(model, padding):
    rows = [[7, 3, 21, 60, 3, 21, 5, 44], [9, 11, 2], [50, 8, 8, 8, 1]]
    together = trace(model, rows, padding=padding)
    for i, row in enumerate(rows):
        alone = trace(model, row)
        for key, value in alone.values.items():
            seen = together.values[key][i]
            if key[0] == "pattern":
                seen = seen[:, together.mask[i]][:, :, together.mask[i]]
            else:
                seen = seen[together.mask[i]]
            torch.testing.assert_close(seen, value[0], rtol=1e-4, atol=1e-5, msg=lambda m, key=key: f"{key}: {m}")


def test_gradients_reach_every_place(model, ids):
    seen = trace(model, ids, grad=True)
    keys = list(seen.values)
    gradients = torch.autograd.grad(seen["logits"][0, -1, 5], [seen.values[k] for k in keys])
    # By finite differences, through our own hooks: the gradient is that of the value as the model goes on to use it.
    direction = torch.Generator().manual_seed(0)
    for key, gradient in zip(keys, gradients, strict=True):
        step = torch.randn(gradient.shape, generator=direction) * 1e-3
        ends = []
        for sign in (1, -1):
            change = [(*key, lambda value, start, step=sign * step: value + step)]
            calls = change if key[0] == "pattern" else [("pattern", 0, lambda v, s: None), *change]
            with torch.no_grad(), hooked(model, calls):
                ends.append(model(ids).logits[0, -1, 5].item())
        assert (ends[0] - ends[1]) / 2 == pytest.approx((gradient * step).sum().item(), abs=3e-5, rel=0.03), key


def test_nothing_is_computed_behind_the_last_place(gpt2, ids):
    ran = []
    handles = [gpt2.lm_head.register_forward_hook(lambda *a: ran.append("unembedding"))]
    handles += [b.mlp.register_forward_hook(lambda *a: ran.append("mlp")) for b in gpt2.transformer.h]
    trace(gpt2, ids, ["pattern"], layers=[0, 1])
    assert ran == ["mlp"]  # the first block's; the second ends at its pattern
    ran.clear()
    trace(gpt2, ids, ["resid_post"])
    assert ran == ["mlp"] * 3
    for handle in handles:
        handle.remove()


def test_traces_share_memory_with_the_run(gpt2, ids):
    seen = trace(gpt2, ids, ["resid_pre", "resid_post"])
    assert seen["resid_post", 0].data_ptr() == seen["resid_pre", 1].data_ptr()


def test_keeping_some_layers_and_a_string_for_a_place(gpt2, ids):
    seen = trace(gpt2, ids, "z", layers=[-1, 0])
    assert sorted(layer for _, layer in seen.values) == [0, 2]
    assert torch.equal(seen["z", -1], seen["z", 2])
    with pytest.raises(KeyError, match=r"holds no \('z', 1\); it holds 'z' at layers \[0, 2\]"):
        seen["z", 1]


@pytest.mark.parametrize(
    ("inputs", "error", "words"),
    [
        ([], ValueError, "at least one"),
        ([[]], ValueError, "empty"),
        ([[1] * 33], ValueError, "33 tokens; the model's context holds 32"),
        ([[1, 61]], ValueError, "token id 61; the vocabulary has ids 0 to 60"),
        ("once upon a time", TypeError, "without a tokenizer"),
        ([1.5], TypeError, "whole numbers"),
    ],
)
def test_bad_inputs_are_refused(gpt2, inputs, error, words):
    with pytest.raises(error, match=words):
        trace(gpt2, inputs)


def test_bad_places_and_layers_are_refused_before_the_model_runs(gpt2, neox, ids):
    gpt2.register_forward_pre_hook(lambda *a: pytest.fail("the model ran"))
    with pytest.raises(ValueError, match=r"no place 'resid_middle'; it has resid_pre, q, k"):
        trace(gpt2, ids, ["resid_middle"])
    with pytest.raises(IndexError, match=r"layer 3 of 3; expected 0 to 2"):
        trace(gpt2, ids, ["z"], layers=[3])
    with pytest.raises(ValueError, match="no place 'resid_mid': its blocks add attention and MLP in parallel"):
        trace(neox, ids, ["resid_mid"])
    gpt2._forward_pre_hooks.clear()
    assert "resid_mid" in PLACES
    assert "resid_mid" not in available(neox)


def test_pairs_and_single_tokens_are_checked(gpt2):
    with pytest.raises(ValueError, match="clean prompt has 3 tokens, the corrupted one 2"):
        pair(gpt2, [1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="nothing to patch"):
        pair(gpt2, [1, 2], [1, 2])
    with pytest.raises(ValueError, match="loop over pairs"):
        pair(gpt2, [[1, 2], [3, 4]], [1, 2])
    with pytest.raises(ValueError, match="token id 99"):
        token_id(gpt2, 99)
    with pytest.raises(ValueError, match="padding is 'middle'"):
        batch(gpt2, [1], padding="middle")


@pytest.mark.parametrize("padding", ["left", "right"])
def test_a_trace_in_batches_is_the_trace(model, padding):
    rows = [[7, 3, 21, 60], [9, 11, 2], [50, 8], [1, 2, 3, 4], [5]]
    whole = trace(model, rows, ["z", "pattern", "resid_post"], layers=[0, 2], padding=padding)
    parted = trace(model, rows, ["z", "pattern", "resid_post"], layers=[0, 2], padding=padding, rows=2)
    assert torch.equal(whole.tokens, parted.tokens)
    for key, value in whole.values.items():
        torch.testing.assert_close(parted.values[key], value, rtol=1e-5, atol=1e-5)
