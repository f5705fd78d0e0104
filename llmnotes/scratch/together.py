"""Train several small models of one shape side by side, in little more time than one.

Their weights are stacked, and `vmap` runs all models in one pass: on a small model most time goes into starting
operations, not into arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from llmnotes.scratch.training import Plan
from llmnotes.scratch.transformer import Transformer


def train_together(
    models: Sequence[Transformer], batch: Callable[[int], tuple[Tensor, Tensor]], plan: Plan
) -> Sequence[Transformer]:
    """Train models side by side to give one answer at the end of a text, each on texts of its own, with Adam.

    Parameters that do not require gradients stay as they are. `batch` gives for a step the texts, (model · text, pos),
    and the token that answers each, (model · text,).
    """
    named = [dict(model.named_parameters()) for model in models]
    weights = {name: torch.stack([of[name].detach() for of in named]).requires_grad_() for name in named[0]}
    fixed = {name: [i for i, of in enumerate(named) if not of[name].requires_grad] for name in weights}
    optimizer = torch.optim.Adam(weights.values(), betas=plan.betas, fused=True)

    def answer(of_one: dict[str, Tensor], ids: Tensor) -> Tensor:
        return functional_call(models[0], of_one, (ids,), tie_weights=True)[:, -1]

    for step in range(plan.steps):
        optimizer.param_groups[0]["lr"] = plan.rate(step)
        ids, right = batch(step)
        with sdpa_kernel(SDPBackend.MATH):  # the fused kernel cannot be stacked
            logits = vmap(answer)(weights, ids.unflatten(0, (len(models), -1)))
            (len(models) * F.cross_entropy(logits.flatten(0, 1), right)).backward()
        for name, some in fixed.items():
            weights[name].grad[some] = 0
        optimizer.step()
        optimizer.zero_grad()
    for i, model in enumerate(models):
        model.load_state_dict({name: w[i] for name, w in weights.items()}, strict=False)
    return models
