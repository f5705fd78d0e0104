"""Text as training data: documents to tokens, and the passages that teach a model to copy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from llmnotes.scratch.tokenizer import END_OF_TEXT, Tokenizer
from llmnotes.scratch.training import Batch

END_ID = 0  # our tokenizers give the end of a text the first id


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


def to_tokens(documents: Iterable[str], tokenizer: Tokenizer) -> Int[Tensor, " n"]:
    """All documents in one row of ids; an end-of-text id stands before each and after the last."""
    ids = [END_ID]
    for document in documents:
        ids += tokenizer.encode(document)
        ids.append(END_ID)
    return torch.tensor(ids)


def windows(tokens: Int[Tensor, " n"], n_ctx: int, batch_size: int, seed: int = 0) -> Callable[[int], Batch]:
    """Batches from a long text: each epoch cuts it into windows at a new offset and deals them in a new order.

    Gives a function from the number of the step to its batch; both tensors are (batch_size, n_ctx).
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


def with_loops(
    batch: Callable[[int], Batch],
    share: float,
    tokens: Int[Tensor, " n"],
    vocab_size: int,
    seed: int = 0,
    lengths: tuple[int, int] = (4, 64),
) -> Callable[[int], Batch]:
    """Replace some windows by a stretch of tokens that comes again and again until the window is full.

    The stretch is, one time in three each, a passage of the text, tokens picked here and there from the text, or tokens
    of which all are equally likely. The first time round is not scored; from then on copying foretells everything.

    Args:
        batch: gives the batch of a step; both its tensors are (rows, n_ctx).
        share: how many of the windows are replaced.
        vocab_size: ids go from 1 to vocab_size - 1 where all are equally likely.
        seed: together with the step it decides stretches and windows.
        lengths: shortest and longest stretch, in tokens; lengths of the same order of magnitude are equally likely.
    """
    low, high = (math.log(length) for length in lengths)

    def looped(step: int) -> Batch:
        inputs, targets = (part.clone() for part in batch(step))
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)

        def draw(end: int, n: int = 1) -> Tensor:
            return torch.randint(end, (n,), generator=generator)

        for row, target in zip(inputs, targets, strict=True):
            if torch.rand((), generator=generator) < share:
                n = round(math.exp(low + (high - low) * torch.rand((), generator=generator).item()))
                place = draw(len(tokens) - n)
                passage, picked = tokens[place : place + n], tokens[draw(len(tokens), n)]
                even = 1 + draw(vocab_size - 1, n)
                stretch = (passage, picked, even)[draw(3)]
                loop = stretch.repeat(len(row) // n + 2)[: len(row) + 1]
                row[:], target[:] = loop[:-1], loop[1:]
                target[: n - 1] = -100
        return inputs, targets

    return looped
