"""Read the residual stream in the model's own vocabulary: the logit lens and direct logit attribution.

Both rest on one fact: the logits are a final norm and a matrix away from a sum, to which every part of the model added
its share.

Examples:
    >>> from llmnotes.model import load
    >>> from llmnotes.methods.lens import direct_logit_attribution, logit_lens
    >>> model = load("world")
    >>> logit_lens(model, [3, 1, 4, 1, 5]).shape  # (embedding and 4 layers, batch, pos, vocab)
    torch.Size([5, 1, 5, 238])
    >>> shares = direct_logit_attribution(model, [3, 1, 4, 1, 5], 7, 8, by="layer")
    >>> shares.names
    ['embed', 'layer 0', 'layer 1', 'layer 2', 'layer 3', 'bias']
    >>> bool(abs(shares.values.sum() - shares.total) < 1e-5)
    True
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from llmnotes.model.architectures import parts
from llmnotes.model.blocks import norm_scale, normalize, read_out
from llmnotes.model.guard import check_read_out
from llmnotes.model.hooks import available
from llmnotes.model.inputs import Inputs, chosen, token_id
from llmnotes.model.tracing import trace


@torch.no_grad()
def logit_lens(
    model: Any,
    inputs: Inputs,
    *,
    positions: int | list[int] | None = None,
    tokens: list[str | int] | None = None,
    padding: str = "right",
) -> Float[Tensor, "step batch pos vocab"]:
    """What the model would predict if it stopped after each layer: the logit lens (nostalgebraist 2020).

    Early layers do not write in the vocabulary's basis, so what the lens shows there says little.

    Args:
        tokens: only these tokens, in this order; without, the whole vocabulary, megabytes a position where it is large.

    Returns:
        Log-probabilities in nats, first of the embedding, then after each layer; the last are the model's own.

    Raises:
        IndexError: a position that does not exist.
        ValueError: a text that is not one token.
        NotImplementedError: the lens does not end at the model's own logits (`llmnotes.model.guard`).
    """
    some = None if tokens is None else [token_id(model, token) for token in tokens]
    steps = _steps(model, inputs, positions, padding)
    return torch.stack([log_p if some is None else log_p[..., some].clone() for log_p in steps])


@torch.no_grad()
def lens_guesses(
    model: Any, inputs: Inputs, k: int = 1, *, positions: int | list[int] | None = None, padding: str = "right"
) -> tuple[Float[Tensor, "step batch pos k"], Int[Tensor, "step batch pos k"]]:
    """The lens's k likeliest tokens at each step: their log-probabilities in nats, and their ids.

    Arguments and errors as for `logit_lens`.
    """
    found = [log_p.topk(k) for log_p in _steps(model, inputs, positions, padding)]
    return torch.stack([step.values for step in found]), torch.stack([step.indices for step in found])


def _steps(model: Any, inputs: Inputs, positions: Any, padding: str) -> Iterator[Float[Tensor, "batch pos vocab"]]:
    found = parts(model)
    check_read_out(found)
    seen = trace(model, inputs, ["resid_pre", "resid_post"], padding=padding)
    at = chosen("position", positions, seen.tokens.size(1))
    for step in (seen["resid_pre", 0], *(seen["resid_post", layer] for layer in range(found.sizes.n_layers))):
        yield read_out(found, step[:, at]).float().log_softmax(-1)


@dataclass(frozen=True)
class Shares:
    """What each part added to a logit (difference); `values` add up to `total`, the model's own."""

    names: list[str]
    values: Float[Tensor, " part"]
    total: float

    def __getitem__(self, name: str) -> float:
        return self.values[self.names.index(name)].item()


@torch.no_grad()
def direct_logit_attribution(
    model: Any,
    inputs: Inputs,
    token: str | int,
    other: str | int | None = None,
    *,
    position: int = -1,
    by: str = "head",
) -> Shares:
    """Split a logit, or a logit difference, into what each part of the model wrote towards it directly.

    The final norm divides by a number that depends on all parts together; it is taken as it was in this run, which
    makes the rest linear (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"). What a part does by
    way of later parts counts as theirs. Computed in float64 and checked against the model's own logits (before the cap
    that Gemma 2 puts on them, which is not linear).

    Args:
        inputs: one text, or one row of token ids.
        other: subtract this token's logit.
        by: "head" (each head, each attention's bias, each MLP), "component" (each attention, each MLP) or "layer".

    Returns:
        The shares: the embedding's, the parts' in order, and "bias", which comes from the final norm and unembedding.

    Raises:
        ValueError: more than one text, an unknown `by`, or text that is not one token.
        IndexError: a position that does not exist.
        RuntimeError: the shares do not sum to the logit: an intervention changes the residual stream between parts.
    """
    if by not in ("head", "component", "layer"):
        raise ValueError(f"by is {by!r}; expected 'head', 'component' or 'layer'")
    found = parts(model)
    target = token_id(model, token)
    minus = None if other is None else token_id(model, other)
    places = ("resid_pre", "z", "attn_out", "mlp_out", "resid_post", "logits")
    seen = trace(model, inputs, [place for place in places if place in available(found)])
    if len(seen.tokens) != 1:
        raise ValueError(f"got {len(seen.tokens)} texts; expected one: loop over them")
    (at,) = chosen("position", position, seen.tokens.size(1))

    direction = found.w_u[:, target].double()
    if minus is not None:
        direction = direction - found.w_u[:, minus].double()
    direction = direction / found.logit_scale
    norm = found.final_norm
    scale = norm_scale(norm, seen["resid_post", -1][0, at].double())

    def share(part: Float[Tensor, "... d_model"]) -> Float[Tensor, "*shape"]:
        gain = normalize(norm, part.double(), scale) - normalize(norm, torch.zeros_like(part.double()), scale)
        return gain @ direction

    written = [("embed", "embed", seen["resid_pre", 0][0, at])]
    for i, block in enumerate(found.blocks):
        if by == "head":
            heads = torch.einsum("he,hed->hd", seen["z", i][0, at].double(), block.w_o.double())
            if not isinstance(post := block.post_attn, torch.nn.Identity):  # its scale, too, as it was in this run
                size = norm_scale(post, block.attn_proj(seen["z", i][0, at].flatten()).double())
                heads = normalize(post, heads, size) - normalize(post, torch.zeros_like(heads), size)
            heads = heads * block.writes
            written += [(f"head {i}.{h}", f"layer {i}", heads[h]) for h in range(len(heads))]
            written.append((f"attn bias {i}", f"layer {i}", seen["attn_out", i][0, at].double() - heads.sum(0)))
        else:
            written.append((f"attn {i}", f"layer {i}", seen["attn_out", i][0, at]))
        if block.mlp is not None:
            written.append((f"mlp {i}", f"layer {i}", seen["mlp_out", i][0, at]))
    names = [layer if by == "layer" else name for name, layer, _ in written]
    shares = share(torch.stack([part.double() for _, _, part in written]))
    offset = normalize(norm, torch.zeros_like(direction), scale) @ direction
    bias = getattr(found.unembedding, "bias", None)
    if bias is not None:
        offset = offset + (bias[target].double() - (0 if minus is None else bias[minus].double())) / found.logit_scale
    unique = list(dict.fromkeys(names))
    values = torch.stack([shares[[i for i, n in enumerate(names) if n == name]].sum() for name in unique] + [offset])
    logits = seen["logits"][0, at]
    if found.logit_cap is not None:  # a cap is not linear: what it caps is split
        logits = read_out(replace(found, logit_cap=None), seen["resid_post", -1][0, at])
    total = (logits[target].double() - (0 if minus is None else logits[minus].double())).item()
    rounding = max(1e-5, 2 * torch.finfo(logits.dtype).eps)
    if abs(values.sum().item() - total) > rounding * max(1.0, values.abs().sum().item()):
        said = f"the shares sum to {values.sum().item():.6f}, the logit is {total:.6f}: something changes the stream"
        raise RuntimeError(f"{said} between parts. Leave interventions at resid_pre, resid_mid and resid_post first")
    return Shares([*unique, "bias"], values.float().cpu(), total)
