"""Stories of the language in the form that a model reads them in."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from llmnotes.world.grammar import Token, story_ids, tell

TRAIN_SEED, VALID_SEED, TEST_SEED = 1, 2, 3  # rows of stories


def held_out(seed: int, n: int) -> list[list[Token]]:
    """The first n stories of a seed."""
    return [tell(seed, number) for number in range(n)]


def story_batches(n_ctx: int, batch_size: int, seed: int = TRAIN_SEED) -> Callable[[int], tuple[Tensor, Tensor]]:
    """Batches of fresh stories, each in a row of its own, cut at n_ctx; behind a story's end nothing is scored."""

    def batch(step: int) -> tuple[Tensor, Tensor]:
        rows = torch.full((batch_size, n_ctx + 1), -100)
        for i, row in enumerate(rows):
            ids = story_ids(seed, step * batch_size + i, n_ctx + 1)
            row[: len(ids)] = torch.tensor(ids)
        return rows[:, :-1].clamp(min=0), rows[:, 1:]

    return batch
