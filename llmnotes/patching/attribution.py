"""Attribution patching: estimate every patch at once from a gradient.

To first order, patching an activation changes the metric by (source - base) . gradient. Two forward passes and one
backward pass thus stand in for thousands of patched runs (Nanda 2023, "Attribution Patching"). It is an estimate: check
what matters with `llmnotes.patching.sweeps.sweep`.

    >>> import torch
    >>> from transformers import GPT2Config, GPT2LMHeadModel
    >>> from llmnotes.patching.attribution import attribution_patching
    >>> from llmnotes.patching.sweeps import logit_difference
    >>> model = GPT2LMHeadModel(GPT2Config(n_layer=2, n_head=4, n_embd=32, vocab_size=50, n_positions=16)).eval()
    >>> metric = logit_difference(model, 7, 8)
    >>> scores = attribution_patching(model, [3, 1, 4, 1, 5], [3, 1, 9, 1, 5], metric)
    >>> scores["z"].shape  # (layer, pos, head)
    torch.Size([2, 5, 4])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from llmnotes.model.architectures import parts, read_out
from llmnotes.model.guard import check_read_out
from llmnotes.model.hooks import available, check_place
from llmnotes.model.inputs import pair
from llmnotes.model.tracing import Trace, trace
from llmnotes.patching.sweeps import checked_metric, positions_read, single

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float
    from torch import Tensor

    from llmnotes.model.architectures import Parts
    from llmnotes.model.inputs import Inputs
    from llmnotes.patching.sweeps import Metric

__all__ = ["attribution_patching"]

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
) -> dict[str, Float[Tensor, "layer pos *unit"]]:
    """Estimate what patching each node would change, for all nodes from two forward passes and one backward pass.

    Args:
        model: what `llmnotes.load` gives, or a transformers model (then prompts are token ids).
        clean: a prompt.
        corrupted: another of the same number of tokens.
        metric: as for `llmnotes.patching.sweeps.sweep`, and differentiable.
        places: which places; by default those of `NODES` that the model has. Vectors count as one node, so residual
            streams and outputs give (layer, pos), `q`, `k`, `v` and `z` (layer, pos, head); `mlp_pre` and `mlp_post`
            give (layer, pos, neuron), and `pattern` (layer, head, query, key).
        mode: "denoising" patches clean activations into the corrupted run, "noising" the reverse.
        at: where the metric looks, as for `sweep`.

    Returns:
        For each place, the estimated change of the metric.

    Raises:
        ValueError: prompts of different lengths, a place that the architecture has not, a bad metric or mode.
    """
    found = parts(model)
    places = [p for p in NODES if p in available(found)] if places is None else places
    for place in places:
        check_place(found, place)
        if place == "logits":
            raise ValueError("the logits are what the metric reads; name a place before them")
    base, source, score = _two_runs(model, found, clean, corrupted, metric, places, mode, at)
    keys = [key for key in base.values if key[0] in places]
    gradients = torch.autograd.grad(score, [base.values[key] for key in keys], allow_unused=True)
    scores: dict[str, list[Tensor]] = {place: [] for place in places}
    for (place, layer), gradient in zip(keys, gradients, strict=True):
        change = (source[place, layer] - base[place, layer])[0].detach()
        # a place of which nothing goes on (the last queries of a model that is read earlier) has no gradient
        product = torch.zeros_like(change) if gradient is None else change * gradient[0]
        scores[place].append(product.sum(-1) if place in SUMMED else product)
    return {place: torch.stack(rows) for place, rows in scores.items()}


def _two_runs(
    model: Any,
    found: Parts,
    clean: Inputs,
    corrupted: Inputs,
    metric: Metric,
    places: Sequence[str],
    mode: str,
    at: Any,
) -> tuple[Trace, Trace, Tensor]:
    """The run to be patched with its graph, the run to patch from without, and the metric of the first."""
    if mode not in ("denoising", "noising"):
        raise ValueError(f"mode is {mode!r}; expected 'denoising' or 'noising'")
    check_read_out(found)
    prompts = pair(model, clean, corrupted)
    where = positions_read(at, prompts.tokens.size(1))
    row = 1 if mode == "denoising" else 0
    source = trace(found.model, prompts.tokens[[1 - row]], places)
    base = trace(found.model, prompts.tokens[[row]], [*places, "resid_post"], grad=True)
    with torch.enable_grad():
        logits = read_out(found, base["resid_post", -1][:, where])
        score = checked_metric(metric, single(at))(logits)[0]
    return base, source, score
