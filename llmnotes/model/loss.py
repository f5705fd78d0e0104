"""The loss of a model on texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from llmnotes.model.tracing import trace

if TYPE_CHECKING:
    from llmnotes.model.inputs import Inputs


@torch.no_grad()
def nll(model: Any, inputs: Inputs) -> float:
    """The model's loss on texts in nats per token.

    Args:
        model: what `llmnotes.load` gives, or a transformers model.
        inputs: texts of two tokens or more.

    Raises:
        ValueError: no token has one before it to be predicted from.
    """
    seen = trace(model, inputs, ["logits"])
    counted = seen.mask[:, 1:]
    if not counted.any():
        raise ValueError("every text has a single token; the loss needs a token to predict from another")
    log_p = seen["logits"][:, :-1].float().log_softmax(-1).gather(-1, seen.tokens[:, 1:, None])[..., 0]
    return -log_p[counted].mean().item()
