"""The seam: sizes, parts, and what an unknown architecture is told."""

import pytest
import torch
from tiny_models import CONFIGS
from transformers import GPT2Model, MistralConfig, MistralForCausalLM, OPTConfig, OPTForCausalLM

from llmnotes.model.architectures import LAYOUTS, parts, sizes, unwrap
from llmnotes.model.blocks import norm_scale, normalize
from llmnotes.model.tracing import trace


def test_sizes_come_from_the_configuration(model):
    size = sizes(model.config)
    assert (size.n_layers, size.n_heads, size.d_model, size.d_head) == (3, 4, 32, 8)
    assert (size.vocab_size, size.n_ctx) == (61, 32)
    assert size.n_kv_heads == (2 if model.config.model_type == "llama" else 4)


def test_norms_taken_apart_are_the_norms(model):
    found, x = parts(model), torch.randn(5, 32)
    for norm in (found.final_norm, found.blocks[1].norm_mlp):
        torch.testing.assert_close(normalize(norm, x, norm_scale(norm, x)), norm(x), rtol=1e-5, atol=1e-6)


def test_an_unknown_architecture_is_told_what_to_add():
    config = OPTConfig(hidden_size=16, num_hidden_layers=1, ffn_dim=16, num_attention_heads=2, vocab_size=9)
    with pytest.raises(NotImplementedError, match=r"'opt'; known: gpt2, gpt_neo, .*LAYOUTS\['opt'\] ="):
        parts(OPTForCausalLM(config))


def test_a_missing_part_is_named():
    with pytest.raises(ValueError, match=r"GPT2Model: the model has no 'transformer.wte'.*AutoModelForCausalLM"):
        parts(GPT2Model(CONFIGS["gpt2"]))


def test_a_layout_added_by_hand_works(monkeypatch, ids):
    monkeypatch.setitem(LAYOUTS, "mistral", LAYOUTS["llama"])
    model = MistralForCausalLM(
        MistralConfig(num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, hidden_size=32, head_dim=8,
                      intermediate_size=32, vocab_size=61, max_position_embeddings=32)
    ).eval()  # fmt: skip
    seen = trace(model, ids)
    with torch.no_grad():
        torch.testing.assert_close(seen["logits"], model(ids).logits, rtol=1e-5, atol=1e-5)


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match="got str; expected what"):
        unwrap("gpt2")
