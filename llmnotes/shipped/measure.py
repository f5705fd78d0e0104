"""Figures of merit of a language model: bits per character, copying of random tokens, and what simpler models reach."""

from __future__ import annotations

import gzip
import lzma
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from llmnotes.model.architectures import logits_of


@torch.no_grad()
def token_losses(
    model: nn.Module, ids: Int[Tensor, " n"], n_ctx: int, stride: int | None = None, batch_size: int = 16
) -> Float[Tensor, " n_minus_1"]:
    """The loss of every token of a long text but the first, in nats, each predicted from real context before it.

    A window of `n_ctx` tokens moves over the text in steps of `stride`; of each window only the tokens that no earlier
    window has scored count. So every token past the first window has at least `n_ctx - stride` tokens of context.

    Args:
        model: maps ids (batch, pos) to logits, as tensor or in a field `logits`.
        n_ctx: tokens that the model reads at once.
        stride: how far the window moves; half of `n_ctx` if None.
        batch_size: windows at a time.
    """
    stride = stride or max(1, n_ctx // 2)
    losses = torch.full((len(ids) - 1,), math.nan)
    starts = list(range(0, max(1, len(ids) - 1 - n_ctx + stride), stride))
    full = [s for s in starts if s + n_ctx < len(ids)]
    groups = [full[i : i + batch_size] for i in range(0, len(full), batch_size)]
    groups += [[s] for s in starts if s + n_ctx >= len(ids)]
    for group in groups:
        rows = torch.stack([ids[s : s + n_ctx + 1] for s in group])  # (batch, pos + 1)
        log_probs = logits_of(model(rows[:, :-1])).float().log_softmax(-1)
        row_losses = -log_probs.gather(-1, rows[:, 1:, None]).squeeze(-1)
        for start, row in zip(group, row_losses, strict=True):
            seen = n_ctx - stride if start else 0
            losses[start + seen : start + len(row)] = row[seen:]
    return losses


def bits_per_character(losses: Float[Tensor, " n"], characters: int) -> float:
    """Total loss of a text (nats a token) in bits, divided by its characters: comparable across tokenizers."""
    return losses.double().sum().item() / math.log(2) / characters


@torch.no_grad()
def copy_losses(
    model: nn.Module, vocab_size: int, length: int = 48, rows: int = 32, seed: int = 0, first_id: int = 1
) -> Float[Tensor, "2 length_minus_1"]:
    """Loss on random tokens at first sight and when the same stretch comes again: the test for induction.

    Olsson et al. (2022), "In-context Learning and Induction Heads".

    Args:
        vocab_size: tokens are drawn evenly from `first_id` to `vocab_size - 1`.
        length: tokens in the stretch; the model reads twice as many.
        first_id: leaves out special tokens with lower ids.

    Returns:
        Mean loss in nats at place 1, 2, ... of the stretch (place 0 has nothing of the stretch before it), first copy
        and second copy.
    """
    generator = torch.Generator().manual_seed(seed)
    stretch = torch.randint(first_id, vocab_size, (rows, length), generator=generator)
    twice = torch.cat([stretch, stretch], dim=1)
    log_probs = logits_of(model(twice[:, :-1])).float().log_softmax(-1)
    losses = -log_probs.gather(-1, twice[:, 1:, None]).squeeze(-1).mean(0)  # place i holds the loss of token i + 1
    return torch.stack([losses[: length - 1], losses[length:]])


def compressed_bits(train: bytes, text: bytes) -> dict[str, float]:
    """Bits a byte that gzip and xz need for a text, alone and (xz) after having read the training text."""
    n = len(text) / 8
    xz = {"preset": 9 | lzma.PRESET_EXTREME}
    # gzip looks back 32 KB only, so the training text does not help it; xz is given a window that holds everything.
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 1 << 26}]
    both, first = (len(lzma.compress(t, filters=filters)) for t in (train + text, train))
    return {
        "gzip": len(gzip.compress(text, 9, mtime=0)) / n,
        "xz": len(lzma.compress(text, **xz)) / n,
        "xz_after_training_text": (both - first) / n,
    }
