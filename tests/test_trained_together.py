"""Models trained side by side."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from llmnotes.scratch import Config, Plan, Transformer, train_together

SIZES = {"vocab_size": 6, "n_ctx": 8, "n_layers": 1, "n_heads": 2, "d_model": 16, "d_mlp": 16}


def texts(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(6, (2 * 8, 5), generator=torch.Generator().manual_seed(step))
    return ids, ids[:, 0]


def test_it_trains_each_as_if_it_were_alone() -> None:
    plan = Plan(5, lr=1e-2, warmup=1)
    together = train_together([Transformer(Config(**SIZES), seed) for seed in (0, 1)], texts, plan)
    alone = Transformer(Config(**SIZES), 1)
    adam = torch.optim.Adam(alone.parameters(), betas=plan.betas)
    for step in range(plan.steps):
        adam.param_groups[0]["lr"] = plan.rate(step)
        ids, right = (half[8:] for half in texts(step))
        F.cross_entropy(alone(ids)[:, -1], right).backward()
        adam.step()
        adam.zero_grad()
    for mine, other in zip(together[1].parameters(), alone.parameters(), strict=True):
        assert torch.allclose(mine, other, atol=1e-4)


def test_what_needs_no_gradient_stays() -> None:
    models = [Transformer(Config(**SIZES), seed) for seed in (0, 1)]
    models[0].transformer["wpe"].weight.requires_grad_(False)
    before = [model.transformer["wpe"].weight.detach().clone() for model in models]
    train_together(models, texts, Plan(3, lr=1e-2, warmup=1))
    assert torch.equal(models[0].transformer["wpe"].weight, before[0])
    assert not torch.equal(models[1].transformer["wpe"].weight, before[1])
