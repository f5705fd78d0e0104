"""Path patching: how much of one part's effect goes straight to another part.

A *sender* (the embedding, a head, an MLP) writes into the residual stream, a *receiver* (a head's queries, keys or
values, an MLP, the logits) reads from it. Path patching puts into what the receiver reads the difference that the
sender's output makes between two runs, holds everything else, and lets the receiver's new output act on all that
follows (Wang et al. 2022, "Interpretability in the Wild"; here only the direct path counts, not one through MLPs).

Nodes are written "embed", "0.3" (layer 0, head 3), "mlp1"; receivers "2.1.q", "2.1.k", "2.1.v", "2.1" (all three),
"mlp2", "logits".

Examples:
    >>> from llmnotes.model import load
    >>> from llmnotes.patching.sweeps import logit_difference
    >>> from llmnotes.patching.paths import path_patching
    >>> model = load("world")
    >>> metric = logit_difference(model, 7, 8)
    >>> result = path_patching(model, [3, 1, 4], [3, 9, 4], metric, ["embed", "0.2"], ["1.0.v", "mlp1", "logits"])
    >>> result.values.shape  # (sender, receiver)
    torch.Size([2, 3])
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from llmnotes.model.architectures import parts
from llmnotes.model.blocks import Parts, read_out
from llmnotes.model.guard import refuse_interventions
from llmnotes.model.hooks import available, check_layer, check_place
from llmnotes.model.inputs import Inputs, chosen, pair
from llmnotes.model.tracing import trace
from llmnotes.patching.propagate import (
    BASE_PLACES,
    Base,
    Entry,
    attend,
    base_run,
    feed_forward,
    project,
    propagate,
    visible,
)
from llmnotes.patching.sweeps import Metric, checked_metric, patched_row


@dataclass(frozen=True)
class Node:
    """A sender or receiver: `kind` is "embed", "head", "mlp" or "logits"; `reads` is "q", "k", "v" or "qkv"."""

    kind: str
    layer: int = -1
    head: int = -1
    reads: str = ""

    def __str__(self) -> str:
        if self.kind == "head":
            return f"{self.layer}.{self.head}" + ("" if self.reads in ("", "qkv") else f".{self.reads}")
        return f"mlp{self.layer}" if self.kind == "mlp" else self.kind


@dataclass(frozen=True)
class Paths:
    """The metric for each path; NaN where a receiver comes before its sender."""

    values: Float[Tensor, "sender receiver"]
    senders: list[str]
    receivers: list[str]
    unpatched: float
    source: float

    @property
    def restored(self) -> Float[Tensor, "sender receiver"]:
        """How far each path goes from the unpatched metric (0) to that of the run patched in (1)."""
        return (self.values - self.unpatched) / (self.source - self.unpatched)


def upstream(sender: Node, receiver: Node, parallel: bool) -> bool:
    """Whether the receiver reads what the sender writes."""
    if sender.kind == "embed" or receiver.kind == "logits":
        return True
    same_block = sender.layer == receiver.layer and sender.kind == "head" and receiver.kind == "mlp" and not parallel
    return sender.layer < receiver.layer or same_block


@torch.no_grad()
def path_patching(
    model: Any,
    clean: Inputs,
    corrupted: Inputs,
    metric: Metric,
    senders: Sequence[str],
    receivers: Sequence[str],
    *,
    mode: str = "denoising",
    at: int | Sequence[int] | None = -1,
) -> Paths:
    """Patch each direct path from a sender to a receiver, one at a time, and measure.

    The other arguments are those of `llmnotes.patching.sweeps.sweep`.

    Args:
        senders: nodes such as "embed", "0.3", "mlp1".
        receivers: nodes such as "2.1.q", "2.1", "mlp2", "logits". Under grouped-query attention the head of a ".k" or
            ".v" is a key-value head, and "2.1" alone is refused, since its keys and values are not its own. Where one
            norm goes over the queries (keys) of all heads (OLMo 2), a receiver's are those of all heads reading alike.

    Raises:
        ValueError: a node that cannot be read, prompts of different lengths, or a bad metric.
        IndexError: a node in a layer or head that does not exist.
        RuntimeError: an intervention is active.
    """
    found = parts(model)
    refuse_interventions(found)
    row = patched_row(mode)
    sending = [_parse(found, name, "sender") for name in senders]
    reading = [_parse(found, name, "receiver") for name in receivers]
    prompts = pair(model, clean, corrupted)
    where = chosen("position", at, prompts.tokens.size(1))
    both = trace(found.model, prompts.tokens, [p for p in (*BASE_PLACES, "z", "mlp_out") if p in available(found)])
    base = base_run(found, both, row)
    ends = read_out(found, both["resid_post", -1][:, where])
    measure = checked_metric(metric, at)
    unpatched, source = measure(ends)[[row, 1 - row]].tolist()

    first = (prompts.tokens[0] != prompts.tokens[1]).nonzero()[0].item()
    moved = torch.stack([sender_delta(found, both, node, row) for node in sending])  # (sender, pos, d_model)
    values = torch.full((len(sending), len(reading)), torch.nan)
    for column, node in enumerate(reading):
        rows = [i for i, sender in enumerate(sending) if upstream(sender, node, not base.mid)]
        if not rows:
            continue
        layer, mid, resid = _received(base, both, row, node, moved[rows])
        number = torch.arange(len(rows))[:, None].expand(-1, base.length - first)
        position = torch.arange(first, base.length).expand(len(rows), -1)
        entry = Entry(layer, mid, number.flatten(), position.flatten(), resid[:, first:].flatten(0, 1))
        logits, _ = propagate(base, [entry], where)
        values[rows, column] = measure(logits).float().cpu()
    return Paths(values, [str(n) for n in sending], [str(n) for n in reading], unpatched, source)


def sender_delta(found: Parts, both: Any, node: Node, row: int) -> Float[Tensor, "pos d_model"]:
    """What a node's output changes by, from the run `row` to the other one of a pair."""
    if node.kind == "head":
        z = both["z", node.layer][:, :, node.head]
        all_heads, block = both["z", node.layer][row], found.blocks[node.layer]
        return block.attn_change(all_heads, (z[1 - row] - z[row]) @ block.w_o[node.head])
    seen = both["resid_pre", 0] if node.kind == "embed" else both["mlp_out", node.layer]
    return seen[1 - row] - seen[row]


def _received(
    base: Base, both: Any, row: int, node: Node, moved: Float[Tensor, "sender pos d_model"]
) -> tuple[int, bool, Float[Tensor, "sender pos d_model"]]:
    """Where the receiver's new output enters the residual stream, and what the stream then is."""
    if node.kind == "logits":
        return len(base.parts.blocks), False, base.resid[-1] + moved
    block = base.parts.blocks[node.layer]
    if node.kind == "mlp":
        read = (base.mid or base.resid)[node.layer] + moved
        delta = feed_forward(block, block.norm_mlp(read)) - both["mlp_out", node.layer][row]
        return node.layer + 1, False, base.resid[node.layer + 1] + delta
    delta = _head_delta(base, both["z", node.layer][row], node, base.resid[node.layer] + moved)
    if base.mid:
        return node.layer, True, base.mid[node.layer] + delta
    return node.layer + 1, False, base.resid[node.layer + 1] + delta


def _head_delta(
    base: Base, base_z: Float[Tensor, "pos head d_head"], node: Node, read: Float[Tensor, "sender pos d_model"]
) -> Float[Tensor, "sender pos d_model"]:
    """What a head writes when its queries, keys or values read another residual stream, less what it wrote."""
    layer, block = node.layer, base.parts.blocks[node.layer]
    n, length, _ = read.shape
    position = torch.arange(length, device=read.device).repeat(n)
    new = dict(zip("qkv", project(block, read.flatten(0, 1), base.rotation[layer], position), strict=True))
    group = base.parts.sizes.n_heads // base.parts.sizes.n_kv_heads
    heads = [node.head] if node.reads in ("q", "qkv") else list(range(node.head * group, (node.head + 1) * group))
    used = {}
    for which, old in (("q", base.q[layer]), ("k", base.k[layer]), ("v", base.v[layer])):
        value = new[which].unflatten(0, (n, length)) if which in node.reads else old.expand(n, -1, -1, -1)
        mine = heads if which == "q" else [head // group for head in heads]
        used[which] = value[:, :, mine].transpose(1, 2)  # (sender, head, pos, d_head)
    change = attend(block, *used.values(), visible(block, length, read.device)) - base_z[:, heads].transpose(0, 1)
    return block.attn_change(base_z, (change @ block.w_o[heads]).sum(1))


def _parse(found: Parts, name: str, role: str) -> Node:
    size = found.sizes
    if (match := re.fullmatch(r"mlp(\d+)", name)) is not None:
        check_place(found, "mlp_out")
        return Node("mlp", check_layer(found, int(match[1])))
    if name == ("embed" if role == "sender" else "logits"):
        return Node(name)
    match = re.fullmatch(r"(\d+)\.(\d+)(?:\.([qkv]))?", name)
    if match is None or (role == "sender" and match[3]):
        allowed = "'embed', '0.3', 'mlp1'" if role == "sender" else "'2.1.q', '2.1', 'mlp2', 'logits'"
        raise ValueError(f"{name!r} is no {role}; expected names such as {allowed}")
    layer, head, reads = check_layer(found, int(match[1])), int(match[2]), match[3] or "qkv"
    n_heads = size.n_kv_heads if reads in ("k", "v") else size.n_heads
    if head >= n_heads:
        raise IndexError(f"{name!r}: head {head} of {n_heads}; expected 0 to {n_heads - 1}")
    if role == "receiver" and reads == "qkv" and size.n_kv_heads != size.n_heads:
        raise ValueError(f"{name!r}: keys and values are shared between heads here; name {name}.q, or a key-value head")
    return Node("head", layer, head, "" if role == "sender" else reads)
