"""Giant activations: the few vectors that are many times longer than all others, almost all of it in one dimension.

Many models write one at the first token, where heads look that have nothing to do (Xiao et al. 2023, "Efficient
Streaming Language Models with Attention Sinks"; Sun et al. 2024, "Massive Activations in Large Language Models"). It
decides a mean, a variance or a dictionary by itself, so the methods here leave such vectors out or warn.

Examples:
    >>> import torch
    >>> x = torch.randn(50, 16, generator=torch.Generator().manual_seed(0))
    >>> x[0, 7] = 400
    >>> giants(x).nonzero()
    tensor([[0]])
"""

from __future__ import annotations

import warnings

import torch
from jaxtyping import Bool, Float
from torch import Tensor

TIMES, SHARE, FEWEST = 5, 0.5, 8


def giants(x: Float[Tensor, "*batch d"]) -> Bool[Tensor, "*batch"]:
    """Which of one layer's activations are over five times as long as their lower quartile and mostly one dimension."""
    if x.size(-1) < FEWEST or x.numel() == 0:  # in a few dimensions one of them always holds most
        return x.new_zeros(x.shape[:-1], dtype=torch.bool)
    squares = x.detach().float().pow(2)
    length = squares.sum(-1).sqrt()
    usual = length.flatten().sort().values[(length.numel() - 1) // 4]
    return (length > TIMES * usual) & (usual > 0) & (squares.amax(-1) > SHARE * length.pow(2))


def say_giants(found: Bool[Tensor, "*batch"], done: str, stacklevel: int = 3) -> None:
    """Warn that some vectors are giants, and say what was done about it."""
    if (n := int(found.sum())) > 0:
        warnings.warn(
            f"{n} of {found.numel()} vectors are over {TIMES} times as long as others and lie mostly in one dimension"
            f" (an attention sink, as a rule the first token): {done}",
            stacklevel=stacklevel,
        )
