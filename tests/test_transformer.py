"""Our transformer against transformers' GPT-2; the cache changes nothing, switches do what they say."""

from __future__ import annotations

import itertools

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from llmnotes.scratch.gpt2 import from_gpt2, to_gpt2
from llmnotes.scratch.transformer import (
    POSITIONS,
    Cache,
    Config,
    Transformer,
    attention_pattern,
    generate,
    rotate,
    sinusoids,
)


def shaken(model: torch.nn.Module, seed: int = 0, std: float = 0.05) -> torch.nn.Module:
    """All parameters moved away from their initial values, biases and norms too."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * std)
    return model.eval()


def ids(vocab_size: int, rows: int, length: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(vocab_size, (rows, length), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_logits_equal_gpt2_small_at_full_size():
    torch.manual_seed(0)
    gpt2 = GPT2LMHeadModel(GPT2Config()).eval()  # 124 million random weights
    ours = from_gpt2(gpt2)
    tokens = ids(50257, 1, 48)
    difference = (ours(tokens) - gpt2(tokens).logits).abs().max().item()
    assert difference < 1e-5


@torch.no_grad()
def test_logits_equal_gpt2_with_every_parameter_shaken():
    gpt2 = shaken(GPT2LMHeadModel(GPT2Config(vocab_size=101, n_positions=32, n_embd=48, n_layer=3, n_head=4)))
    tokens = ids(101, 2, 32)
    torch.testing.assert_close(from_gpt2(gpt2)(tokens), gpt2(tokens).logits, atol=1e-5, rtol=1e-5)


def test_state_dicts_have_the_same_names_and_shapes():
    ours = Transformer(Config(vocab_size=101, n_ctx=32, n_layers=3, n_heads=4, d_model=48)).state_dict()
    theirs = GPT2LMHeadModel(GPT2Config(vocab_size=101, n_positions=32, n_embd=48, n_layer=3, n_head=4)).state_dict()
    assert {name: value.shape for name, value in ours.items()} == {name: value.shape for name, value in theirs.items()}


@torch.no_grad()
@pytest.mark.parametrize("mlp", [True, False])
def test_to_gpt2_and_back(mlp):
    ours = shaken(Transformer(Config(vocab_size=50, n_ctx=16, n_layers=2, n_heads=2, d_model=16, mlp=mlp)))
    tokens = ids(50, 2, 16)
    gpt2 = to_gpt2(ours)
    torch.testing.assert_close(gpt2(tokens).logits, ours(tokens), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(from_gpt2(gpt2)(tokens), ours(tokens), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("positions", "norm", "residual", "mlp"),
    list(itertools.product(POSITIONS, [True, False], [True, False], [True, False])),
)
def test_the_cache_changes_nothing_for_any_switches(positions, norm, residual, mlp):
    config = Config(50, 24, 2, 2, 16, positions=positions, norm=norm, residual=residual, mlp=mlp)
    model = shaken(Transformer(config), std=0.3)
    prompt = ids(50, 3, 5)
    with torch.no_grad():
        cache = Cache()
        pieces = torch.cat([model(prompt[:, :3], cache), model(prompt[:, 3:], cache)], dim=1)
        torch.testing.assert_close(pieces, model(prompt), atol=1e-5, rtol=1e-4)
    assert torch.equal(generate(model, prompt, 15), generate(model, prompt, 15, use_cache=False))


def test_greedy_generation_equals_transformers():
    gpt2 = shaken(GPT2LMHeadModel(GPT2Config(vocab_size=101, n_positions=64, n_embd=48, n_layer=3, n_head=4)), std=0.2)
    prompt = ids(101, 1, 6)
    theirs = gpt2.generate(prompt, max_new_tokens=40, do_sample=False, eos_token_id=None, pad_token_id=0)
    assert torch.equal(generate(from_gpt2(gpt2), prompt, 40), theirs)


def test_fused_attention_equals_the_pattern():
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 3, 10, 8, generator=generator) for _ in range(3))
    pattern = attention_pattern(q, k)
    torch.testing.assert_close(pattern.sum(-1), torch.ones(2, 3, 10))
    assert pattern.triu(1).abs().max() == 0
    fused = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(pattern @ v, fused, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_no_position_sees_what_follows():
    model = shaken(Transformer(Config(50, 16, 2, 2, 16)), std=0.3)
    one = ids(50, 1, 12)
    other = one.clone()
    other[0, 8:] = (other[0, 8:] + 1) % 50
    torch.testing.assert_close(model(one)[:, :8], model(other)[:, :8])
    assert not torch.allclose(model(one)[:, 8:], model(other)[:, 8:])


@torch.no_grad()
def test_without_positions_the_order_of_earlier_tokens_is_unseen_by_one_layer():
    swapped = torch.tensor([[3, 1, 2, 4]])
    tokens = torch.tensor([[1, 2, 3, 4]])
    for positions in POSITIONS:
        model = shaken(Transformer(Config(50, 16, 1, 2, 16, positions=positions)), std=0.3)
        same = torch.allclose(model(tokens)[:, -1], model(swapped)[:, -1], atol=1e-5)
        assert same == (positions == "none")


def test_rotation_keeps_lengths_and_depends_on_the_distance_only():
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(1, 1, 1, 8, generator=generator).expand(1, 1, 20, 8) for _ in range(2))
    torch.testing.assert_close(rotate(q).norm(dim=-1), q.norm(dim=-1))
    scores = (rotate(q) @ rotate(k).transpose(-2, -1))[0, 0]
    torch.testing.assert_close(scores[5, 2], scores[15, 12])
    torch.testing.assert_close(rotate(q[:, :, 4:], start=4), rotate(q)[:, :, 4:])
    assert (scores[5, 2] - scores[5, 3]).abs() > 1e-3


def test_sinusoids_follow_the_formula():
    table = sinusoids(10, 6)
    assert table.shape == (10, 6)
    torch.testing.assert_close(table[3, 2], torch.tensor(3 / 10_000 ** (2 / 6)).sin())
    torch.testing.assert_close(table[3, 3], torch.tensor(3 / 10_000 ** (2 / 6)).cos())


def test_switches_remove_their_parameters():
    full = sum(p.numel() for p in Transformer(Config(50, 16, 2, 2, 16)).parameters())
    for switch in ({"mlp": False}, {"norm": False}, {"positions": "rotary"}):
        assert sum(p.numel() for p in Transformer(Config(50, 16, 2, 2, 16, **switch)).parameters()) < full


def test_same_seed_same_weights():
    one, same, other = (Transformer(Config(50, 16, 2, 2, 16), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one.lm_head.weight, same.lm_head.weight)
    assert not torch.equal(one.lm_head.weight, other.lm_head.weight)


def test_sampling_needs_only_its_generator():
    model = shaken(Transformer(Config(50, 32, 1, 2, 16)), std=0.3)
    draws = [
        generate(model, ids(50, 2, 3), 20, temperature=1.0, generator=torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_errors_name_values_and_the_way_out():
    with pytest.raises(ValueError, match=r"'alibi'.*learned, sinusoidal, rotary, none"):
        Config(50, positions="alibi")
    with pytest.raises(ValueError, match=r"d_model 30 .* n_heads 4"):
        Config(50, d_model=30, n_heads=4)
    with pytest.raises(ValueError, match="must be even"):
        Config(50, d_model=12, n_heads=4, positions="rotary")
    model = Transformer(Config(50, 8, 1, 1, 8))
    with pytest.raises(ValueError, match=r"9 tokens .* holds 8"):
        model(ids(50, 1, 9))
    with pytest.raises(ValueError, match="5 prompt tokens and 4 new ones make 9"):
        generate(model, ids(50, 1, 5), 4)
    with pytest.raises(ValueError, match="learned positions"):
        to_gpt2(Transformer(Config(50, 8, 1, 1, 8, positions="rotary")))
    with pytest.raises(ValueError, match="'relu'"):
        from_gpt2(GPT2LMHeadModel(GPT2Config(vocab_size=9, n_embd=8, n_layer=1, n_head=1, activation_function="relu")))
