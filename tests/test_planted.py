"""The planted previous-token head: what it attends to, also beside tokens that have grown, and that it stays."""

from __future__ import annotations

import pytest
import torch

from llmnotes.scratch.training import Plan, train
from llmnotes.scratch.transformer import Config, Transformer, attention_pattern
from llmnotes.shipped.recipes import plant_previous_token_head

CONFIG = Config(vocab_size=50, n_ctx=200, n_layers=2, n_heads=4, d_model=128)


def to_previous(model: Transformer) -> torch.Tensor:
    """Attention of each position to the one before, per layer and head; the mean over 198 positions."""
    ids = torch.randint(50, (2, 199), generator=torch.Generator().manual_seed(0))
    layers = []
    x = model.transformer["wte"](ids) + model.transformer["wpe"].weight[:199]
    for block in model.transformer["h"]:
        attn = block.attn
        q, k, _ = (
            part.view(2, 199, attn.n_heads, -1).transpose(1, 2) for part in attn.c_attn(block.ln_1(x)).split(128, -1)
        )
        layers.append(attention_pattern(q, k).diagonal(-1, 2, 3)[..., 1:].mean((0, 2)))
        x = block(x)
    return torch.stack(layers)


@torch.no_grad()
def test_one_head_looks_one_back_and_the_others_do_not():
    model = Transformer(CONFIG)
    assert to_previous(model).max() < 0.1
    plant_previous_token_head(model)
    seen = to_previous(model)
    assert seen[0, 0] > 0.999
    assert seen.flatten()[1:].max() < 0.3
    model.transformer["wte"].weight.mul_(5)  # as after a training
    assert to_previous(model)[0, 0] > 0.95


def test_it_outlasts_training(tmp_path):
    model = Transformer(CONFIG)
    ids = torch.randint(50, (4, 33), generator=torch.Generator().manual_seed(1))
    plan = Plan(steps=30, lr=1e-2, warmup=5, muon=True)
    train(
        model,
        lambda step: (ids[:, :-1], ids[:, 1:]),
        plan,
        tmp_path,
        after=lambda model, done: plant_previous_token_head(model),
        progress=False,
    )
    with torch.no_grad():
        assert to_previous(model)[0, 0] > 0.95


def test_it_needs_learned_positions():
    with pytest.raises(ValueError, match="'rotary'"):
        plant_previous_token_head(Transformer(Config(vocab_size=9, positions="rotary")))
