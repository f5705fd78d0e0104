"""How likely a model finds texts: its loss, and the score of each text.

>>> import torch
>>> from transformers import GPT2Config, GPT2LMHeadModel
>>> from llmnotes.model.loss import nll, score
>>> model = GPT2LMHeadModel(GPT2Config(n_layer=2, n_head=4, n_embd=32, vocab_size=50, n_positions=16)).eval()
>>> scores = score(model, [[3, 1, 4], [1, 5, 9, 2, 6]])
>>> scores.tokens.tolist()  # the first token has none before it to be predicted from
[2, 4]
>>> bool(abs(scores.sum.sum() / 6 + nll(model, [[3, 1, 4], [1, 5, 9, 2, 6]])) < 1e-5)
True
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from llmnotes.model.inputs import Inputs, batch
from llmnotes.model.tracing import trace


@dataclass(frozen=True)
class Score:
    """The log-probability of each text in nats, and over how many tokens; a longer text has a lower sum."""

    sum: Float[Tensor, " text"]
    tokens: Int[Tensor, " text"]

    @property
    def mean(self) -> Float[Tensor, " text"]:
        """Nats per token, which hides what differs between two texts cut into different numbers of tokens."""
        return self.sum / self.tokens


def score(model: Any, inputs: Inputs, *, rows: int | None = 32) -> Score:
    """The log-probability that a model gives to each text, from its second token on.

    Args:
        rows: how many texts run at once, the longest together; None for all of them.

    Raises:
        ValueError: a text without a token to score, and what `batch` raises.
    """
    given = batch(model, inputs)
    texts = [row[keep].tolist() for row, keep in zip(given.tokens, given.mask, strict=True)]
    if short := [i for i, text in enumerate(texts) if len(text) < 2]:
        raise ValueError(f"text {short[0]} has a single token and none to predict it from")
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i])) if rows else range(len(texts))
    sums = torch.zeros(len(texts))
    for start in range(0, len(texts), rows or len(texts)):
        some = [*order[start : start + (rows or len(texts))]]
        sums[some] = _sums(model, [texts[i] for i in some])[0].cpu()
    return Score(sums, torch.tensor([len(text) - 1 for text in texts]))


def nll(model: Any, inputs: Inputs) -> float:
    """The model's loss on texts in nats per token, all in one batch; ValueError where each has a single token."""
    sums, counted = _sums(model, inputs)
    if not counted.any():
        raise ValueError("every text has a single token; the loss needs a token to predict from another")
    return -(sums.sum() / counted.sum()).item()


@torch.no_grad()
def _sums(model: Any, inputs: Inputs) -> tuple[Float[Tensor, " text"], Int[Tensor, " text"]]:
    seen = trace(model, inputs, ["logits"])
    counted = seen.mask[:, 1:]
    logits = seen["logits"][:, :-1]
    said = logits.gather(-1, seen.tokens[:, 1:, None])[..., 0].float()
    # one text after another, since the logarithms of a whole batch would take as much memory again
    log_p = said - torch.stack([row.float().logsumexp(-1) for row in logits])
    return (log_p * counted).sum(-1), counted.sum(-1)
