"""Text as training data: documents to tokens, and the passages that teach a model to copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import torch
from jaxtyping import Int
from torch import Tensor

from llmnotes.tokenizer import END_OF_TEXT
from llmnotes.training import Batch

END_ID = 0  # our tokenizers give the end of a text the first id


class Encoder(Protocol):
    """What turns text into ids."""

    def encode(self, text: str) -> list[int]: ...


def read_documents(path: str | Path) -> list[str]:
    """The documents of a file in which a line `<|endoftext|>` parts them, without the space around.

    Raises:
        FileNotFoundError: there is no such file; the message says how to get the fairy tales.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"no corpus at {path}; docs/recipes/fairytale-corpus.md says how to make it from books of Project Gutenberg"
        )
    parts = (part.strip() for part in path.read_text(encoding="utf-8").split(END_OF_TEXT))
    return [part for part in parts if part]


def to_tokens(documents: Iterable[str], tokenizer: Encoder) -> Int[Tensor, " n"]:
    """All documents in one row of ids; an end-of-text id stands before each and after the last."""
    ids = [END_ID]
    for document in documents:
        ids += tokenizer.encode(document)
        ids.append(END_ID)
    return torch.tensor(ids)


def windows(tokens: Int[Tensor, " n"], n_ctx: int, batch_size: int, seed: int = 0) -> Callable[[int], Batch]:
    """Batches from a long text: each epoch cuts it into windows at a new offset and deals them in a new order.

    Returns:
        A function from the number of the step to its batch; both tensors are (batch_size, n_ctx).

    Raises:
        ValueError: the text is too short for one batch.
    """
    per_epoch = (len(tokens) - 1 - n_ctx) // n_ctx // batch_size  # whole batches that fit behind any offset
    if per_epoch < 1:
        raise ValueError(f"{len(tokens)} tokens are too few for a batch of {batch_size} windows of {n_ctx}")

    def batch(step: int) -> Batch:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step // per_epoch)
        offset = torch.randint(n_ctx, (1,), generator=generator)
        order = torch.randperm(per_epoch * batch_size, generator=generator).view(per_epoch, batch_size)
        index = offset + order[step % per_epoch][:, None] * n_ctx + torch.arange(n_ctx)  # (batch, pos)
        return tokens[index], tokens[index + 1]

    return batch


def with_copies(
    batch: Callable[[int], Batch], share: float, vocab_size: int, seed: int = 0, lengths: tuple[int, int] = (8, 48)
) -> Callable[[int], Batch]:
    """Put a stretch of random tokens at two places of some windows; the second time can be foretold by copying alone.

    Nothing can be learned from the first place, so its targets are ignored (-100); the text around both stays.

    Args:
        batch: gives the batch of a step; both its tensors are (rows, n_ctx).
        share: how many of the windows get such a stretch.
        vocab_size: random tokens have ids from 1 to vocab_size - 1, all equally likely.
        seed: of stretches and places; together with the step it decides them.
        lengths: shortest and longest stretch, in tokens.

    Raises:
        ValueError: two of the longest stretches do not fit into a window.
    """

    def copied(step: int) -> Batch:
        inputs, targets = batch(step)
        rows = torch.cat([inputs, targets[:, -1:]], dim=1)  # (rows, n_ctx + 1)
        first = torch.zeros_like(rows, dtype=torch.bool)
        if 2 * lengths[1] > rows.shape[1]:
            raise ValueError(f"two stretches of {lengths[1]} tokens do not fit into a window of {rows.shape[1]}")
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)

        def draw(low: int, high: int) -> int:
            return int(torch.randint(low, high + 1, (), generator=generator))

        for row, is_first in zip(rows, first, strict=True):
            if torch.rand((), generator=generator) < share:
                n = draw(*lengths)
                stretch = torch.randint(1, vocab_size, (n,), generator=generator)
                i = draw(0, len(row) - 2 * n)
                j = draw(i + n, len(row) - n)
                row[i : i + n] = row[j : j + n] = stretch
                is_first[i : i + n] = True
        return rows[:, :-1], rows[:, 1:].masked_fill(first[:, 1:], -100)

    return copied


def with_loops(
    batch: Callable[[int], Batch], share: float, vocab_size: int, seed: int = 0, lengths: tuple[int, int] = (8, 64)
) -> Callable[[int], Batch]:
    """Replace some windows by a stretch of random tokens that comes again and again until the window is full.

    As in `with_copies`, the first time is not scored; but here nearly the whole window can be foretold by copying.

    Args:
        batch: gives the batch of a step; both its tensors are (rows, n_ctx).
        share: how many of the windows are replaced.
        vocab_size: random tokens have ids from 1 to vocab_size - 1, all equally likely.
        seed: together with the step it decides stretches and windows.
        lengths: shortest and longest stretch, in tokens.
    """

    def looped(step: int) -> Batch:
        inputs, targets = (part.clone() for part in batch(step))
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        for row, target in zip(inputs, targets, strict=True):
            if torch.rand((), generator=generator) < share:
                n = int(torch.randint(lengths[0], lengths[1] + 1, (), generator=generator))
                stretch = torch.randint(1, vocab_size, (n,), generator=generator)
                loop = stretch.repeat(len(row) // n + 2)[: len(row) + 1]
                row[:], target[:] = loop[:-1], loop[1:]
                target[:n] = -100
        return inputs, targets

    return looped
