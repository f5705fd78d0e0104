"""Muon: gradient descent for matrices that moves all of a matrix's directions at the same speed.

Where Adam scales each entry of a gradient by itself, Muon takes the gradient (with momentum) as a matrix and replaces
its singular values by about 1, so that directions with small gradients learn as fast as those with large ones. The
method is Jordan et al. (2024), "Muon: An optimizer for hidden layers in neural networks"; the size of its step, which
lets it share AdamW's learning rate and weight decay, that of Liu et al. (2025), "Muon is Scalable for LLM Training".

`torch.optim.Muon` is the same but computes in bfloat16, which CPUs without units for it take seven times as long for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn


def orthogonalized(x: Float[Tensor, "rows cols"], steps: int = 5) -> Float[Tensor, "rows cols"]:
    """The matrix with its singular vectors kept and its singular values moved to about 1 (between 0.7 and 1.2).

    A polynomial of x that is odd changes the singular values alone: with x = U S V^T, x x^T x is U S^3 V^T. Five times
    3.4445 s - 4.7750 s^3 + 2.0315 s^5 takes every s from 0.002 to 1 to about 1, by products of matrices only
    (Newton-Schulz iteration), which is quicker than a singular value decomposition.

    Args:
        x: any matrix; one of zeros stays as it is.
        steps: how often the polynomial is applied.
    """
    if x.shape[0] > x.shape[1]:
        return orthogonalized(x.T, steps).T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x


class Muon(torch.optim.Optimizer):
    """The optimizer, for the matrices between embedding and unembedding; AdamW is for the rest.

    Args:
        params: matrices, or groups of them.
        lr: learning rate; steps have the size that AdamW's would have on average at the same rate.
        momentum: how much of the past gradients each step keeps.
        weight_decay: share of the weights lost each step, times `lr`.

    Raises:
        ValueError: a parameter is not a matrix.
    """

    def __init__(
        self, params: Iterable[nn.Parameter], lr: float = 1e-3, momentum: float = 0.95, weight_decay: float = 0.1
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        for p in (p for group in self.param_groups for p in group["params"]):
            if p.dim() != 2:
                raise ValueError(f"Muon is for matrices, and this parameter has shape {tuple(p.shape)}; use AdamW")

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Move all parameters that have a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                past = self.state[p].setdefault("momentum", torch.zeros_like(p))
                past.lerp_(p.grad, 1 - group["momentum"])
                ahead = p.grad.lerp(past, group["momentum"])  # Nesterov: look where momentum is about to lead
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(orthogonalized(ahead), alpha=-group["lr"] * 0.2 * math.sqrt(max(p.shape)))
