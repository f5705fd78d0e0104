"""Text or token ids in, a checked batch out: padding, masks and positions.

>>> import torch
>>> from transformers import GPT2Config, GPT2LMHeadModel
>>> from llmnotes.model.inputs import batch
>>> model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=50, n_positions=16))
>>> two = batch(model, [[7, 8, 9], [5]])
>>> two.mask
tensor([[ True,  True,  True],
        [ True, False, False]])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from llmnotes.model.architectures import sizes, unwrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Int
    from torch import Tensor

    Inputs = str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]] | Tensor

__all__ = ["Batch", "batch", "pair", "token_id"]


@dataclass(frozen=True)
class Batch:
    """Token ids of equal length, which of them are real, and what else the model must be told."""

    tokens: Int[Tensor, "batch pos"]
    mask: Bool[Tensor, "batch pos"]
    extra: dict[str, Tensor]  # attention mask and positions, where the model would get them wrong by itself


def batch(model: Any, inputs: Inputs, *, padding: str = "right") -> Batch:
    """Turn a text, a list of texts or token ids into a batch, on the model's device.

    Text is tokenized as the tokenizer does by default; nothing is added to that. Padding on the right needs no mask:
    a causal model never looks to the right. Padding on the left needs a mask, and positions that start at the text.

    Args:
        model: what `llmnotes.load` gives; with a bare transformers model, `inputs` must be token ids.
        inputs: one text, several texts, one row of ids, several rows of ids, or a tensor (pos) or (batch, pos).
        padding: "right" or "left": where shorter rows are filled up.

    Returns:
        The batch; `mask` is False at padding.

    Raises:
        TypeError: text without a tokenizer, or neither text nor whole numbers.
        ValueError: no text or an empty one, one longer than the context, an id outside the vocabulary, or an unknown
            `padding`.
    """
    hf, tokenizer = unwrap(model)
    size = sizes(hf.config)
    if padding not in ("left", "right"):
        raise ValueError(f"padding is {padding!r}; expected 'left' or 'right'")
    rows = _rows(inputs, tokenizer)
    if not rows:
        raise ValueError("got no texts; expected at least one")
    for i, row in enumerate(rows):
        if len(row) == 0:
            raise ValueError(f"text {i} is empty (no tokens): a model needs one token at least to predict from")
        if len(row) > size.n_ctx:
            raise ValueError(
                f"text {i} has {len(row)} tokens; the model's context holds {size.n_ctx}. Cut it to ids[:{size.n_ctx}]"
            )
        if min(row) < 0 or max(row) >= size.vocab_size:
            bad = next(t for t in row if not 0 <= t < size.vocab_size)
            raise ValueError(f"text {i} holds token id {bad}; the vocabulary has ids 0 to {size.vocab_size - 1}")
    longest = max(len(row) for row in rows)
    # Any id would do: nothing real ever looks at padding. The model's own pad id would make transformers warn.
    fill = 1 if getattr(hf.config, "pad_token_id", None) == 0 else 0
    device = next(hf.parameters()).device
    tokens = torch.full((len(rows), longest), fill)
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for i, row in enumerate(rows):
        where = slice(0, len(row)) if padding == "right" else slice(longest - len(row), None)
        tokens[i, where], mask[i, where] = torch.tensor(row), True
    tokens, mask = tokens.to(device), mask.to(device)
    extra = {}
    if padding == "left" and not mask.all():
        extra = {"attention_mask": mask.long(), "position_ids": (mask.long().cumsum(-1) - 1).clamp(min=0)}
    return Batch(tokens, mask, extra)


def pair(model: Any, clean: Inputs, corrupted: Inputs) -> Batch:
    """Two prompts of the same number of tokens as one batch: row 0 is clean, row 1 corrupted.

    Raises:
        ValueError: either is more than one prompt, or their lengths in tokens differ, or they are the same.
    """
    one, other = batch(model, clean), batch(model, corrupted)
    if len(one.tokens) != 1 or len(other.tokens) != 1:
        raise ValueError(
            f"got {len(one.tokens)} clean and {len(other.tokens)} corrupted prompts; expected one of each:"
            " loop over pairs"
        )
    if one.tokens.size(1) != other.tokens.size(1):
        raise ValueError(
            f"the clean prompt has {one.tokens.size(1)} tokens, the corrupted one {other.tokens.size(1)}; patching"
            " pairs positions, so both need the same number: reword one, or pass ids of equal length"
        )
    if torch.equal(one.tokens, other.tokens):
        raise ValueError("the clean and the corrupted prompt are the same tokens, so there is nothing to patch")
    return Batch(torch.cat([one.tokens, other.tokens]), torch.cat([one.mask, other.mask]), {})


def token_id(model: Any, token: str | int) -> int:
    """The id of a single token.

    Raises:
        TypeError: a text, and the model has no tokenizer.
        ValueError: the text is not exactly one token (a leading space often decides), or the id does not exist.
    """
    hf, tokenizer = unwrap(model)
    if isinstance(token, str):
        if tokenizer is None:
            raise TypeError(f"got the token {token!r} and a model without a tokenizer; pass its id")
        ids = tokenizer.encode(token, add_special_tokens=False)
        if len(ids) != 1:
            pieces = [tokenizer.decode([i]) for i in ids]
            raise ValueError(f"{token!r} is {len(ids)} tokens {pieces}; expected one. Many words need a leading space")
        return ids[0]
    n = sizes(hf.config).vocab_size
    if not 0 <= int(token) < n:
        raise ValueError(f"token id {token} does not exist; the vocabulary has ids 0 to {n - 1}")
    return int(token)


def _rows(inputs: Any, tokenizer: Any) -> list[list[int]]:
    if isinstance(inputs, str):
        inputs = [inputs]
    if hasattr(inputs, "tolist"):
        inputs = inputs.tolist()
    inputs = [x.tolist() if hasattr(x, "tolist") else x for x in inputs]
    if inputs and all(isinstance(x, str) for x in inputs):
        if tokenizer is None:
            raise TypeError("got text and a model without a tokenizer; pass token ids, or what llmnotes.load() returns")
        return [tokenizer(text)["input_ids"] if text else [] for text in inputs]
    if inputs and all(isinstance(x, int) for x in inputs):
        inputs = [inputs]
    if not all(isinstance(row, (list, tuple)) and all(isinstance(x, int) for x in row) for row in inputs):
        raise TypeError(f"got {str(inputs)[:80]}; expected text, a list of texts, or whole numbers as token ids")
    return [list(row) for row in inputs]
