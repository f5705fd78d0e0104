"""How likely a model finds texts: its loss, the score of each text, and minimal pairs.

Examples:
    >>> from llmnotes.model import load, minimal_pairs, nll, score
    >>> model = load("world")
    >>> scores = score(model, [[3, 1, 4], [1, 5, 9, 2, 6]])
    >>> scores.tokens.tolist()  # the first token has none before it to be predicted from
    [2, 4]
    >>> bool(abs(scores.sum.sum() / 6 + nll(model, [[3, 1, 4], [1, 5, 9, 2, 6]])) < 1e-5)
    True
    >>> minimal_pairs(model, [([3, 1, 4], [3, 1, 5]), ([2, 7], [2, 8])]).accuracy in (0.0, 0.5, 1.0)
    True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from llmnotes.model.architectures import unwrap
from llmnotes.model.inputs import Inputs, batch, token_id
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


def score(model: Any, inputs: Inputs, *, first: str | int | bool | None = None, rows: int | None = 32) -> Score:
    """The log-probability that a model gives to each text.

    Args:
        first: a token to put before each text, so that the text's own first token is scored, too; True for the model's
            beginning-of-text token. None scores from each text's second token on.
        rows: how many texts run at once, the longest together; None for all of them.

    Raises:
        ValueError: a text without a token to score; `first=True` for a model without such a token, or whose tokenizer
            has put it there already; and what `batch` raises.
    """
    given = batch(model, inputs)
    texts = [row[keep].tolist() for row, keep in zip(given.tokens, given.mask, strict=True)]
    if first is not None and first is not False:
        start = _beginning(model) if first is True else token_id(model, first)
        if first is True and all(text[0] == start for text in texts):
            raise ValueError(f"the tokenizer begins every text with token {start} already; leave first=True out")
        texts = [[start, *text] for text in texts]
    if short := [i for i, text in enumerate(texts) if len(text) < 2]:
        raise ValueError(f"text {short[0]} has a single token and none to predict it from; first=True puts one there")
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


@dataclass(frozen=True)
class MinimalPairs:
    """The scores of sentences that a speaker accepts and of their twins that no one does."""

    good: Score
    bad: Score

    @property
    def margin(self) -> Float[Tensor, " pair"]:
        """By how many nats the good sentence is likelier as a whole."""
        return self.good.sum - self.bad.sum

    @property
    def accuracy(self) -> float:
        """The share of pairs whose good sentence is likelier as a whole (chance is 0.5), as BLiMP counts."""
        return (self.margin > 0).float().mean().item()

    @property
    def accuracy_per_token(self) -> float:
        """The same by nats per token, which turns verdicts where the two are cut into different numbers of tokens."""
        return (self.good.mean > self.bad.mean).float().mean().item()


def minimal_pairs(
    model: Any, pairs: Iterable[tuple | Mapping[str, Any]], *, first: str | int | bool | None = None, rows: int = 32
) -> MinimalPairs:
    """Score pairs of sentences that differ in one thing (Warstadt et al. 2020, "BLiMP").

    Args:
        pairs: pairs (good, bad) of texts or token ids, or BLiMP's own rows with `sentence_good` and `sentence_bad`.
        first: as for `score`. Without it, pairs that differ in their first token are scored by what follows alone.

    Raises:
        ValueError: no pairs, or one that is no pair; and what `score` raises.
    """
    two = [(p["sentence_good"], p["sentence_bad"]) if isinstance(p, Mapping) else tuple(p) for p in pairs]
    if not two or any(len(pair) != 2 for pair in two):
        raise ValueError(f"got {next((p for p in two if len(p) != 2), 'no pairs')!r}; expected pairs (good, bad)")
    good, bad = zip(*two, strict=True)
    return MinimalPairs(*(score(model, list(side), first=first, rows=rows) for side in (good, bad)))


@torch.no_grad()
def _sums(model: Any, inputs: Inputs) -> tuple[Float[Tensor, " text"], Int[Tensor, " text"]]:
    seen = trace(model, inputs, ["logits"])
    counted = seen.mask[:, 1:]
    logits = seen["logits"][:, :-1]
    said = logits.gather(-1, seen.tokens[:, 1:, None])[..., 0].float()
    # one text after another, since the logarithms of a whole batch would take as much memory again
    log_p = said - torch.stack([row.float().logsumexp(-1) for row in logits])
    return (log_p * counted).sum(-1), counted.sum(-1)


def _beginning(model: Any) -> int:
    hf, tokenizer = unwrap(model)
    for holder in (tokenizer, getattr(hf, "config", None)):
        if (token := getattr(holder, "bos_token_id", None)) is not None:
            return token
    raise ValueError("the model names no beginning-of-text token; pass the token itself as first=")
