"""Follow many changes of the residual stream to the logits at once, computing only what they can reach.

A patched run equals the unpatched *base* run below the patched layer and before the patched position. So a patch is a
change that enters the residual stream at one layer and, causally, touches only the positions from there on. For many
patches (*rows*) at once we therefore

1. batch: all rows go through a block together, as one long list of tokens, since norms, projections and MLPs act on
   each token alone;
2. let each row start at the layer where it enters, so that the layers below are those of the base run, computed once;
3. carry only the tokens at and after the change. Attention still needs keys and values of the earlier positions: they
   are the base run's, shared by all rows;
4. compute the last block's output and the logits only at the positions where someone reads them.

All of this is exact: it leaves out nothing but what is known. On the way in, a token that has not changed yet needs no
new query, key or value either.

Examples:
    >>> import torch
    >>> from llmnotes.model import load
    >>> from llmnotes.patching.propagate import Entry, base_run, propagate
    >>> model = load("world")
    >>> base = base_run(model, torch.tensor([[3, 1, 4, 1, 5]]))
    >>> row, position = torch.tensor([0, 1]), torch.tensor([2, 3])  # two runs, changed at positions 2 and 3
    >>> logits, tokens = propagate(base, [Entry(3, False, row, position, torch.zeros(2, 128))], at=[4])
    >>> logits.shape, tokens  # (row, at, vocab); a single token of each run had to pass the last block
    (torch.Size([2, 1, 238]), 2)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import gelu, scaled_dot_product_attention

from llmnotes.model.architectures import parts
from llmnotes.model.blocks import Block, Parts, matrix, read_out
from llmnotes.model.guard import once, refuse_interventions
from llmnotes.model.tracing import Trace, trace
from llmnotes.patching.plan import Entry, Step, plan


@dataclass(frozen=True)
class Base:
    """The run that every row shares: its residual stream, and its queries, keys and values as attention uses them."""

    parts: Parts
    resid: list[Float[Tensor, "pos d_model"]]  # before each block, and after the last
    mid: list[Float[Tensor, "pos d_model"]]  # empty if blocks are parallel
    q: list[Float[Tensor, "pos head d_head"]]
    k: list[Float[Tensor, "pos kv_head d_head"]]
    v: list[Float[Tensor, "pos kv_head d_head"]]
    rotation: list[tuple[Float[Tensor, "pos d_rotary"], Float[Tensor, "pos d_rotary"]] | None]  # for each block

    @property
    def length(self) -> int:
        """The number of tokens."""
        return self.resid[0].size(0)


BASE_PLACES = ("resid_pre", "resid_mid", "resid_post", "q", "k", "v")


def base_run(model: Any, run: Any, row: int = 0) -> Base:
    """What rows share with a run, given as token ids or as a trace that holds `BASE_PLACES` in all layers.

    Raises:
        RuntimeError: an intervention is active, which the shortcuts taken here would not see.
        NotImplementedError: the model computes something that its layout does not say (`llmnotes.model.guard`).
    """
    found = model if isinstance(model, Parts) else parts(model)
    refuse_interventions(found)
    if not found.causal:
        said = f"{type(found.model).__name__} looks ahead (it is bidirectional), and propagate rests on"
        raise NotImplementedError(f"{said} changes reaching later positions alone: loop over trace() with replace()")
    parallel = found.blocks[0].parallel
    places = [p for p in BASE_PLACES if p != "resid_mid" or not parallel]
    seen = trace(found.model, run, places) if not isinstance(run, Trace) else run
    layers = range(found.sizes.n_layers)
    resid = [seen["resid_pre", i][row] for i in layers] + [seen["resid_post", -1][row]]
    turns = found.rotations(resid[0])
    turned = {
        which: [
            rotate(block.before_turning(which, seen[which, i][row]), turns[i]) for i, block in enumerate(found.blocks)
        ]
        for which in "qk"
    }
    base = Base(
        parts=found,
        resid=resid,
        mid=[] if parallel else [seen["resid_mid", i][row] for i in layers],
        **turned,
        v=[seen["v", i][row] for i in layers],
        rotation=turns,
    )
    windows = {block.window for block in found.blocks if block.window is not None and block.window < base.length}
    once(found, ("propagate", *sorted(windows)), lambda: _unchanged(base, seen.tokens[[row]]))
    return base


def _unchanged(base: Base, tokens: Int[Tensor, "1 pos"]) -> tuple[Tensor, Tensor]:
    """Our logits and the model's own for a patch that changes nothing, from the start and from the middle of a text."""
    half = base.length // 2
    position = torch.arange(base.length)
    row = torch.cat([torch.zeros_like(position), torch.ones_like(position[half:])])
    position = torch.cat([position, position[half:]])
    at = range(half, base.length)
    logits, _ = propagate(base, [Entry(0, False, row, position, base.resid[0][position.to(tokens.device)])], at)
    own = trace(base.parts.model, tokens, ["logits"])["logits"][:, half:]
    return logits, own.expand_as(logits)


def propagate(base: Base, entries: Sequence[Entry], at: Sequence[int]) -> tuple[Float[Tensor, "row at vocab"], int]:
    """Follow changes to the logits; gives these, and how many tokens passed a block (twice if they passed two).

    Rows are numbered from 0; numbering them in the order of their layers saves memory.
    """
    found, blocks = base.parts, base.parts.blocks
    way = plan(entries, at, len(blocks), base.length, base.resid[0].device)
    x = base.resid[0].new_empty(0, found.sizes.d_model)  # the residual stream of every token that is carried
    for layer, (block, step) in enumerate(zip(blocks, way.steps, strict=False)):
        here = step.index
        x = torch.cat([x, *(entry.value for entry in step.before)]) if step.before else x
        if step.attends:
            q, k, v = project(block, x, base.rotation[layer], here["position"])
            x = torch.cat([x, base.resid[layer][here["later"]]])
            q = torch.cat([q, base.q[layer][here["later"]]])
            if "keep" in here:
                x, q = x[here["keep"]], q[here["keep"]]
            added = block.attn_adds(block.attn_proj(_attend(block, q, k, v, step, base.k[layer], base.v[layer])))
            if block.parallel and block.mlp is not None:
                added = added + feed_forward(block, block.norm_mlp(x))
            x = x + added
        for i, entry in enumerate(step.mids):
            x = torch.cat([x, entry.value[here[f"mid{i}"]]])
        if not block.parallel and len(x):
            x = x + feed_forward(block, block.norm_mlp(x))
    x = torch.cat([x, *(entry.value for entry in way.steps[-1].before)])
    final = base.resid[-1][list(at)].expand(way.n_rows, -1, -1).clone()  # (row, at, d_model)
    for i, (row, token) in enumerate(way.reads):
        final[row, i] = x[token]
    return read_out(found, final), sum(step.n_tokens for step in way.steps)


def row_bytes(found: Parts, length: int, start: int, n_at: int) -> int:
    """An upper estimate of the memory that one row needs, from its first changed position on."""
    size = found.sizes
    d_mlp = matrix(found.blocks[0].mlp_proj).size(0) if found.blocks[0].mlp_proj is not None else 4 * size.d_model
    carried = (length - start) * (8 * size.d_model + 3 * d_mlp)
    attention = length * (4 * size.n_heads * size.d_head + size.n_heads * length)
    return 4 * (carried + attention + n_at * (2 * size.vocab_size + size.d_model))


def feed_forward(block: Block, x: Float[Tensor, "token d_model"]) -> Float[Tensor, "token d_model"]:
    """What the MLP adds to the residual stream, given its normed input."""
    # GPT-2's own form of GELU in one fused step: as good as equal, and much faster
    if type(block.mlp_act).__name__ == "NewGELUActivation" and block.mlp_gate is None:
        out = block.mlp_proj(gelu(block.mlp_in(x), approximate="tanh"))
    else:
        out = block.mlp(x)
    return block.post_mlp(out) * block.writes if block.writes != 1 else block.post_mlp(out)


def visible(block: Block, length: int, device: Any = None) -> Bool[Tensor, "query key"]:
    """Which keys a query may see: itself and the past, as far back as a local layer's window."""
    seen = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    return seen if block.window is None else seen.triu(1 - block.window)


def rotate(x: Float[Tensor, "token head d_head"], rotation: Any) -> Float[Tensor, "token head d_head"]:
    """Rotary position embedding (Su et al. 2021) of queries or keys; the first d_rotary entries of each head turn."""
    if rotation is None:
        return x
    cos, sin = (r[:, None] for r in rotation)
    turning, rest = x[..., : cos.size(-1)], x[..., cos.size(-1) :]
    one, two = turning.chunk(2, dim=-1)
    turned = turning * cos + torch.cat([-two, one], dim=-1) * sin
    return torch.cat([turned.to(x.dtype), rest], dim=-1)


def project(block: Block, x: Tensor, rotation: Any, position: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of loose tokens, each (token, head, d_head)."""
    normed = block.norm_attn(x)
    packed = [module(normed) for module in block.qkv]
    if block.clip is not None:
        packed = [x.clamp(-block.clip, block.clip) for x in packed]
    q, k, v = (block.heads(which, packed[i % len(packed)]) for i, which in enumerate("qkv"))
    q, k = block.before_turning("q", q), block.before_turning("k", k)
    if rotation is not None:
        here = rotation[0][position], rotation[1][position]
        q, k = rotate(q, here), rotate(k, here)
    return q, k, v


def _attend(
    block: Block,
    q: Float[Tensor, "token head d_head"],
    k: Float[Tensor, "changed kv_head d_head"],
    v: Float[Tensor, "changed kv_head d_head"],
    step: Step,
    base_k: Float[Tensor, "pos kv_head d_head"],
    base_v: Float[Tensor, "pos kv_head d_head"],
) -> Float[Tensor, "token head_d_head"]:
    """Attention of loose queries: lay each row's keys over the base run's, attend as a batch, pick the answers."""
    length, n_rows, asked, where = len(base_k), step.n_rows, step.index["asked"], step.index["where"]
    keys, values = (
        base.expand(n_rows, -1, -1, -1)
        .flatten(0, 1)
        .index_copy(0, step.index["into"], new)
        .unflatten(0, (n_rows, length))
        for base, new in ((base_k, k), (base_v, v))
    )
    # Only the positions at which anyone asks: from the first changed one on, or those wanted of the last block.
    queries = q.new_zeros(n_rows * len(asked), *q.shape[1:]).index_copy_(0, where, q).unflatten(0, (n_rows, -1))
    seen = visible(block, length, q.device)[asked]
    out = attend(block, queries.transpose(1, 2), keys.transpose(1, 2), values.transpose(1, 2), seen)
    return out.transpose(1, 2).flatten(0, 1)[where].flatten(-2)


def attend(
    block: Block,
    q: Float[Tensor, "row head query d_head"],
    k: Float[Tensor, "row kv_head key d_head"],
    v: Float[Tensor, "row kv_head key d_head"],
    seen: Bool[Tensor, "query key"],
) -> Float[Tensor, "row head query d_head"]:
    """Attention as this block does it; `seen` says which keys a query may see."""
    if block.softcap is None:
        grouped = q.size(1) != k.size(1)
        return scaled_dot_product_attention(q, k, v, attn_mask=seen, scale=block.scale, enable_gqa=grouped)
    k, v = (x.repeat_interleave(q.size(1) // x.size(1), dim=1) for x in (k, v))
    scores = (q @ k.transpose(-1, -2) * (block.scale / block.softcap)).tanh() * block.softcap
    return scores.masked_fill(~seen, -torch.inf).softmax(-1, dtype=torch.float32).to(v.dtype) @ v
