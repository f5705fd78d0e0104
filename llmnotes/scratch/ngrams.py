"""A language model that counts: Kneser-Ney smoothed n-grams, what a transformer has to beat."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def kneser_ney(
    train: Sequence[int], text: Sequence[int], vocab_size: int, order: int = 5, discount: float | None = None
) -> Float[Tensor, " n_minus_1"]:
    """The loss in nats of each token of a text but the first under an n-gram model with Kneser-Ney smoothing.

    Interpolated, with one discount for each order, n1 / (n1 + 2 n2), estimated from the training text: Kneser and Ney
    (1995), in the form of Chen and Goodman (1999). The lowest order interpolates with the uniform distribution. The
    longest n-gram has `order` tokens.
    """
    train, text = list(train), list(text)
    # Highest order: how often an n-gram occurs. Lower orders: in how many different left contexts it occurs.
    counts: list[Counter] = [Counter() for _ in range(order + 1)]
    counts[order] = Counter(zip(*(train[i:] for i in range(order)), strict=False))
    for n in range(order - 1, 0, -1):
        counts[n] = Counter(gram[1:] for gram in counts[n + 1])
        start = tuple(train[:n])
        counts[n][start] += start not in counts[n]  # the very first n-gram has nothing to its left
    totals: list[defaultdict] = [defaultdict(int) for _ in range(order + 1)]
    kinds: list[defaultdict] = [defaultdict(int) for _ in range(order + 1)]
    discounts = [0.0] * (order + 1)
    for n in range(1, order + 1):
        for gram, c in counts[n].items():
            totals[n][gram[:-1]] += c
            kinds[n][gram[:-1]] += 1
        of_counts = Counter(counts[n].values())
        once, twice = of_counts[1], of_counts[2]
        discounts[n] = discount if discount is not None else (once / (once + 2 * twice) if once else 0.5)

    def probability(context: tuple[int, ...], token: int) -> float:
        p = 1 / vocab_size
        for n in range(1, min(order, len(context) + 1) + 1):
            before = context[len(context) - n + 1 :]
            total = totals[n].get(before)
            if not total:
                break
            d = discounts[n]
            p = max(counts[n].get((*before, token), 0) - d, 0) / total + d * kinds[n][before] / total * p
        return p

    return torch.tensor(
        [-math.log(probability(tuple(text[max(0, i - order + 1) : i]), text[i])) for i in range(1, len(text))]
    )
