"""Attribution patching: estimate every patch at once from a gradient.

To first order, patching an activation changes the metric by (source - base) . gradient. Two forward passes and one
backward pass thus stand in for thousands of patched runs (Nanda 2023, "Attribution Patching"). Where the model is
saturated the gradient at the base says little, and the estimate is too small. *Integrated gradients* (Sundararajan et
al. 2017; for patching EAP-IG, Hanna et al. 2024, "Have Faith in Faithfulness") average the gradient over inputs on the
straight line from base to source. Either is an estimate: check what matters with `llmnotes.patching.sweeps.sweep`.

Examples:
    >>> from llmnotes.model import load
    >>> from llmnotes.patching.attribution import attribution_patching
    >>> from llmnotes.patching.sweeps import logit_difference
    >>> model = load("world")
    >>> metric = logit_difference(model, 7, 8)
    >>> scores = attribution_patching(model, [3, 1, 4, 1, 5], [3, 1, 9, 1, 5], metric)
    >>> scores["z"].shape  # (layer, pos, head)
    torch.Size([4, 5, 4])
    >>> scores = attribution_patching(model, [3, 1, 4, 1, 5], [3, 1, 9, 1, 5], metric, ["resid_pre"], steps=20)
    >>> scores["resid_pre"].shape  # (layer, pos): those of layer 0 add up to the difference between the two runs
    torch.Size([4, 5])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from llmnotes.model.architectures import parts
from llmnotes.model.blocks import read_out
from llmnotes.model.guard import check_read_out
from llmnotes.model.hooks import available, check_place
from llmnotes.model.inputs import Inputs, chosen, pair
from llmnotes.model.interventions import replace
from llmnotes.model.tracing import trace
from llmnotes.patching.sweeps import Metric, checked_metric, patched_row

NODES = ("resid_pre", "attn_out", "z", "mlp_post", "mlp_out")
# Places whose last dimension is one node; of the others each entry (a neuron, an attention weight) is a node.
SUMMED = ("resid_pre", "resid_mid", "resid_post", "q", "k", "v", "z", "attn_out", "mlp_out")


def attribution_patching(
    model: Any,
    clean: Inputs,
    corrupted: Inputs,
    metric: Metric,
    places: Sequence[str] | None = None,
    *,
    mode: str = "denoising",
    at: int | Sequence[int] | None = -1,
    steps: int | None = None,
) -> dict[str, Float[Tensor, "layer pos *unit"]]:
    """Estimate what patching each node would change, for all nodes from two forward passes and one backward pass.

    The arguments are those of `llmnotes.patching.sweeps.sweep`; the metric must be differentiable.

    Args:
        places: by default those of `NODES` that the model has. Vectors count as one node, so residual streams and
            outputs give (layer, pos), `q`, `k`, `v` and `z` (layer, pos, head); `mlp_pre` and `mlp_post` give (layer,
            pos, neuron), and `pattern` (layer, head, query, key).
        steps: integrated gradients: the gradient is the mean over so many inputs between the two (the midpoints of
            equal parts of the line between their embeddings), run as one batch. The estimates of `resid_pre` in layer
            0 then add up to the whole change of the metric. None takes the gradient of the run to be patched alone.

    Raises:
        ValueError: prompts of different lengths, a place that the architecture has not, a bad metric, mode or `steps`.
    """
    found = parts(model)
    places = [p for p in NODES if p in available(found)] if places is None else places
    for place in places:
        check_place(found, place)
        if place == "logits":
            raise ValueError("the logits are what the metric reads; name a place before them")
    row = patched_row(mode)
    if steps is not None and steps < 1:
        raise ValueError(f"steps is {steps}; expected 1 or more, or None for the gradient of one run")
    check_read_out(found)
    tokens = pair(model, clean, corrupted).tokens
    base_tokens, source_tokens = tokens[[row]], tokens[[1 - row]]
    source = trace(found.model, source_tokens, {*places, "resid_pre"} if steps else places)
    if steps is None:
        base = runs = trace(found.model, base_tokens, [*places, "resid_post"], grad=True)
    else:
        base = trace(found.model, base_tokens, {*places, "resid_pre"})
        line = _between(base["resid_pre", 0], source["resid_pre", 0], steps)
        with replace(found.model, "resid_pre", 0, line):
            runs = trace(found.model, base_tokens.expand(steps, -1), [*places, "resid_post"], grad=True)
    with torch.enable_grad():
        logits = read_out(found, runs["resid_post", -1][:, chosen("position", at, tokens.size(1))])
        score = checked_metric(metric, at)(logits).sum()
    keys = [key for key in runs.values if key[0] in places]
    gradients = torch.autograd.grad(score, [runs.values[key] for key in keys], allow_unused=True)
    scores: dict[str, list[Tensor]] = {place: [] for place in places}
    for key, gradient in zip(keys, gradients, strict=True):
        place, change = key[0], (source[key] - base[key])[0].detach()
        # a place of which nothing goes on (the last queries of a model that is read earlier) has no gradient
        product = torch.zeros_like(change) if gradient is None else change * gradient.mean(0)
        scores[place].append(product.sum(-1) if place in SUMMED else product)
    return {place: torch.stack(rows) for place, rows in scores.items()}


def _between(base: Tensor, source: Tensor, steps: int) -> Tensor:
    """The midpoints of equal parts of the straight line from one input to the other: (steps, pos, d_model)."""
    share = (torch.arange(steps, device=base.device, dtype=base.dtype) + 0.5) / steps
    return base + share[:, None, None] * (source - base)
