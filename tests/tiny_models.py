"""Tiny models with random weights, one of each architecture, large enough in their weights to tell right from wrong."""

import warnings

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma3TextConfig,
    GemmaConfig,
    GPT2Config,
    GPTNeoConfig,
    GPTNeoXConfig,
    GraniteConfig,
    LlamaConfig,
    MistralConfig,
    Olmo2Config,
    OlmoConfig,
    Phi3Config,
    Qwen2Config,
    Qwen3Config,
    SmolLM3Config,
    StableLmConfig,
)

torch.set_num_threads(1)

CONFIGS = {
    "gpt2": GPT2Config(
        n_layer=3, n_head=4, n_embd=32, vocab_size=61, n_positions=32, bos_token_id=0, eos_token_id=0
    ),
    "gpt_neo": GPTNeoConfig(
        num_layers=3, num_heads=4, hidden_size=32, vocab_size=61, max_position_embeddings=32, window_size=3,
        attention_types=[[["global", "local", "global"], 1]], bos_token_id=0, eos_token_id=0,
    ),
    "gpt_neox": GPTNeoXConfig(
        num_hidden_layers=3, num_attention_heads=4, hidden_size=32, intermediate_size=64, vocab_size=61,
        max_position_embeddings=32, bos_token_id=0, eos_token_id=0,
    ),
    "llama": LlamaConfig(
        num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, hidden_size=32, intermediate_size=48,
        vocab_size=61, max_position_embeddings=32, bos_token_id=0, eos_token_id=0,
    ),
}  # fmt: skip
COMMON = {
    "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 32, "pad_token_id": 0,
    "intermediate_size": 48, "vocab_size": 61, "max_position_embeddings": 32, "bos_token_id": 0, "eos_token_id": 0,
}  # fmt: skip
MIXED = {"sliding_window": 3, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}
# Everything by which these differ is switched on: windows shorter than the text, layers of two kinds, caps that bend.
MODERN = {
    "qwen2": Qwen2Config(**COMMON, use_sliding_window=True, **MIXED),
    "qwen3": Qwen3Config(**COMMON, head_dim=10, attention_bias=True),
    "mistral": MistralConfig(**COMMON, head_dim=8, sliding_window=3),
    "gemma": GemmaConfig(**COMMON, head_dim=10),
    "stablelm": StableLmConfig(**COMMON, use_qkv_bias=True, qk_layernorm=True),
    "stablelm-parallel": StableLmConfig(**COMMON, use_parallel_residual=True),
    "smollm3": SmolLM3Config(**COMMON, no_rope_layers=[1, 0, 1]),
    "olmo": OlmoConfig(**COMMON, clip_qkv=1.0),
    "olmo2": Olmo2Config(**COMMON),
    "phi3": Phi3Config(**COMMON, sliding_window=4),
    "granite": GraniteConfig(
        **COMMON, embedding_multiplier=3.0, residual_multiplier=0.3, attention_multiplier=0.2, logits_scaling=2.0
    ),
    "gemma2": Gemma2Config(
        **COMMON,
        head_dim=10,
        query_pre_attn_scalar=12,
        attn_logit_softcapping=1.5,
        final_logit_softcapping=2.0,
        **MIXED,
    ),
    "gemma3_text": Gemma3TextConfig(**COMMON, head_dim=10, query_pre_attn_scalar=12, **MIXED),
}


def build(kind: str, **kwargs):
    torch.manual_seed(sum(map(ord, kind)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = AutoModelForCausalLM.from_config((CONFIGS | MODERN)[kind], **kwargs).eval()
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            norm = parameter.ndim == 1 and name.endswith("weight")
            parameter.copy_(1 + 0.2 * noise if norm else 0.25 * noise)
    return model


@pytest.fixture(scope="session", params=list(CONFIGS))
def model(request):
    return build(request.param)


@pytest.fixture(scope="session", params=list(MODERN))
def modern(request):
    return build(request.param)


@pytest.fixture(scope="session")
def gpt2():
    return build("gpt2")


@pytest.fixture(scope="session")
def neox():
    return build("gpt_neox")


@pytest.fixture(autouse=True)
def _models_stay_as_they_were(request):
    """Whatever a test does, no hook, attribute or changed weight may stay behind on the shared models."""
    yield
    for name in ("model", "modern", "gpt2", "neox"):
        if name in request.fixturenames:
            found = request.getfixturevalue(name)
            assert found.config._attn_implementation != "llmnotes"
            for module in found.modules():
                assert not module._forward_hooks, module
                assert not module._forward_pre_hooks, module
                assert not {"_llmnotes_pattern", "_llmnotes_attention", "_attn"} & module.__dict__.keys()


@pytest.fixture(scope="session")
def ids():
    return torch.tensor([[7, 3, 21, 60, 3, 21, 5, 44]])


@pytest.fixture(scope="session")
def other_ids():
    return torch.tensor([[7, 3, 9, 60, 3, 9, 17, 44]])
