"""Text or token ids in, a checked batch out: padding, masks and positions.

Examples:
    >>> from llmnotes.model import batch, load
    >>> model = load("world")
    >>> two = batch(model, [[7, 8, 9], [5]])
    >>> two.mask
    tensor([[ True,  True,  True],
            [ True, False, False]])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from llmnotes.model.architectures import parts, sizes, unwrap

Inputs = str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]] | Tensor | Mapping[str, Any]


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
        inputs: one text, several texts, one row of ids, several rows of ids, a tensor (pos) or (batch, pos), or what a
            tokenizer returns (ids where its mask is 1).
        padding: "right" or "left": where shorter rows are filled up.

    Raises:
        TypeError: text without a tokenizer, or neither text nor whole numbers.
        ValueError: no text or an empty one, one longer than the context, an id outside the vocabulary, an unknown
            `padding`, or a model that drops activations at random because it is in train mode.
    """
    hf, tokenizer = unwrap(model)
    _refuse_dropout(hf)
    size = sizes(hf)
    if padding not in ("left", "right"):
        raise ValueError(f"padding is {padding!r}; expected 'left' or 'right'")
    rows = _rows(inputs, tokenizer)
    if not rows:
        raise ValueError("got no texts; expected at least one")
    for i, row in enumerate(rows):
        if len(row) == 0:
            raise ValueError(f"text {i} is empty (no tokens): a model needs one token at least to predict from")
        if len(row) > size.n_ctx:
            raise ValueError(f"text {i} has {len(row)} tokens; the model's context holds {size.n_ctx}: cut the text")
        if min(row) < 0 or max(row) >= size.vocab_size:
            bad = next(t for t in row if not 0 <= t < size.vocab_size)
            raise ValueError(f"text {i} holds token id {bad}; the vocabulary has ids 0 to {size.vocab_size - 1}")
    longest = max(len(row) for row in rows)
    # Any id would do: nothing real ever looks at padding. The model's own pad id would make transformers warn.
    fill = 1 if getattr(getattr(hf, "config", None), "pad_token_id", None) == 0 else 0
    device = next(hf.parameters()).device
    if (shortest := min(map(len, rows))) < longest and not parts(hf).causal:
        said = f"the texts have {shortest} to {longest} tokens, and {type(hf).__name__} looks ahead, at padding, too"
        raise ValueError(f"{said}: give it texts of one length")
    tokens = pad_sequence([torch.tensor(row) for row in rows], True, fill, padding).to(device)
    mask = pad_sequence([torch.ones(len(row), dtype=torch.bool) for row in rows], True, False, padding).to(device)
    extra = {}
    if padding == "left" and not mask.all():
        extra = {"attention_mask": mask.long(), "position_ids": (mask.long().cumsum(-1) - 1).clamp(min=0)}
    return Batch(tokens, mask, extra)


def pair(model: Any, clean: Inputs, corrupted: Inputs) -> Batch:
    """Two prompts as one batch, row 0 clean, row 1 corrupted; ValueError unless as many tokens, and different ones."""
    one, other = batch(model, clean), batch(model, corrupted)
    if len(one.tokens) != 1 or len(other.tokens) != 1:
        raise ValueError(f"got {len(one.tokens)} clean, {len(other.tokens)} corrupted prompts: loop over pairs")
    if (n := one.tokens.size(1)) != (m := other.tokens.size(1)):
        raise ValueError(
            f"the clean prompt has {n} tokens, the corrupted one {m}; patching pairs positions: reword one"
        )
    if torch.equal(one.tokens, other.tokens):
        raise ValueError("the clean and the corrupted prompt are the same tokens, so there is nothing to patch")
    return Batch(torch.cat([one.tokens, other.tokens]), torch.cat([one.mask, other.mask]), {})


def token_id(model: Any, token: str | int) -> int:
    """The id of a single token.

    A tokenizer that puts a space before the first word by itself (Llama's and stories260K's) takes "he" and " he" for
    the same token; a piece inside a word is named by its id there.

    Raises:
        TypeError: a text, and the model has no tokenizer; or neither text nor a whole number.
        ValueError: the text is not exactly one token (a leading space often decides), or the id does not exist.
    """
    hf, tokenizer = unwrap(model)
    if isinstance(token, str):
        if tokenizer is None:
            raise TypeError(f"got the token {token!r} and a model without a tokenizer; pass its id")
        ids = _pieces(tokenizer, token)
        if len(ids) == 1:
            return ids[0]
        other = token[1:] if token.startswith(" ") else f" {token}"
        one = len(_pieces(tokenizer, other)) == 1
        advice = f"{other!r} is one" if one else "choose a shorter word, or pass the id of one of these"
        raise ValueError(f"{token!r} is {len(ids)} tokens {words(tokenizer, ids)}; expected one: {advice}")
    ids, n = integers("the token", token), sizes(hf).vocab_size
    if len(ids) != 1 or not 0 <= ids[0] < n:
        raise ValueError(f"token id {token} does not exist; the vocabulary has ids 0 to {n - 1}")
    return ids[0]


def words(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Each token as the text that it stands for, its leading space included; ids as text without a tokenizer."""
    return [str(i) if tokenizer is None else _word(tokenizer, i) for i in ids]


def _word(tokenizer: Any, i: int) -> str:
    text, piece = tokenizer.decode([i]), tokenizer.convert_ids_to_tokens(i)
    # SentencePiece writes a word's space as "▁", and its decoder drops that of the first token.
    return f" {text}" if isinstance(piece, str) and piece.startswith("▁") and not text.startswith(" ") else text


def _pieces(tokenizer: Any, text: str) -> list[int]:
    ids = tokenizer.encode(text, add_special_tokens=False)
    if len(ids) != 1 and text.startswith(" "):  # where the tokenizer adds a space itself, ours is one too many
        bare = tokenizer.encode(text[1:], add_special_tokens=False)
        if len(bare) == 1 and _word(tokenizer, bare[0]) == text:
            return bare
    return ids


def integers(what: str, some: Any) -> list[int]:
    """One whole number or several, of Python, NumPy or torch, as a list; TypeError for truth values and for 2.0."""
    if hasattr(some, "tolist"):
        some = some.tolist()
    several = list(some) if hasattr(some, "__iter__") and not isinstance(some, (str, bytes, Mapping)) else [some]
    try:
        if any(isinstance(i, bool) or type(i).__name__ == "bool_" for i in several):
            raise TypeError
        return [index(i) for i in several]
    except TypeError:
        raise TypeError(f"{what} is {some!r}; expected a whole number, or several") from None


def chosen(what: str, some: Any, n: int) -> list[int]:
    """Which of n things are meant: one or several, negative ones from the end, None for all; else an IndexError."""
    numbers = list(range(n)) if some is None else integers(what, some)
    for i in numbers:
        if not -n <= i < n:
            raise IndexError(f"{what} {i} of {n}; expected 0 to {n - 1}, or {-n} to -1 from the end")
    return [i % n for i in numbers]


def _refuse_dropout(hf: nn.Module) -> None:
    """A model in train mode gives another result at each call, if it has dropout."""
    for name, module in hf.named_modules():
        of_its_own = isinstance(module, nn.modules.dropout._DropoutNd)
        rate = module.p if of_its_own else getattr(module, "attention_dropout", 0)
        if module.training and isinstance(rate, (int, float)) and rate > 0:
            where = name or "the model"
            raise ValueError(f"{where!r} is in train mode and drops activations at random: call model.eval() first")


def _rows(inputs: Any, tokenizer: Any) -> list[list[int]]:
    if isinstance(inputs, Mapping):
        return _tokenized(inputs)
    if isinstance(inputs, str):
        inputs = [inputs]
    if hasattr(inputs, "tolist"):
        inputs = inputs.tolist()
    wrong = TypeError(f"got {str(inputs)[:80]}; expected text, a list of texts, or whole numbers as token ids")
    if isinstance(inputs, (bytes, set, frozenset)) or not hasattr(inputs, "__iter__"):
        raise wrong
    inputs = [x.tolist() if hasattr(x, "tolist") else x for x in inputs]
    if inputs and all(isinstance(x, str) for x in inputs):
        if tokenizer is None:
            raise TypeError("got text and a model without a tokenizer; pass token ids, or what llmnotes.load() returns")
        return [tokenizer(text)["input_ids"] if text else [] for text in inputs]
    if inputs and not any(isinstance(x, (list, tuple)) for x in inputs):
        inputs = [inputs]
    if not all(isinstance(row, (list, tuple)) for row in inputs):
        raise wrong
    try:
        return [integers("token ids", row) for row in inputs]
    except TypeError:
        raise wrong from None


def _tokenized(output: Mapping[str, Any]) -> list[list[int]]:
    """The rows of a tokenizer's output, without what its mask marks as padding."""
    if "input_ids" not in output:
        raise TypeError(f"got a mapping with {sorted(map(str, output))[:5]}; expected a tokenizer's output, or texts")
    rows = _rows(output["input_ids"], None)
    if (mask := output.get("attention_mask")) is None:
        return rows
    real = _rows(mask, None)
    if [len(row) for row in real] != [len(row) for row in rows]:
        raise ValueError("the tokenizer's attention_mask has other sizes than its input_ids")
    for i, row in enumerate(real):
        if 0 in row and "0" in "".join(map(str, row)).strip("0"):
            raise ValueError(f"the attention_mask of text {i} has gaps; it may only mark padding before or after it")
    return [[t for t, m in zip(row, keep, strict=True) if m] for row, keep in zip(rows, real, strict=True)]
