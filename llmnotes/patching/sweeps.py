"""Activation patching: put a part of one run into another and see what the output does.

Two prompts of equal length, *clean* and *corrupted*, differ in a word that changes the answer. *Denoising* runs the
corrupted prompt with one activation from the clean run: what restores the answer is enough for it. *Noising* is the
reverse: what breaks the answer is needed (Heimersheim and Nanda 2024, "How to use and interpret activation patching").
A sweep does this for every part of a kind, fast and exactly (see `llmnotes.patching.propagate`).

Examples:
    >>> import torch
    >>> from llmnotes.model import load
    >>> from llmnotes.patching.sweeps import logit_difference, sweep
    >>> model = load("world")
    >>> metric = logit_difference(model, 7, 8)
    >>> result = sweep(model, [3, 1, 4, 1, 5], [3, 1, 9, 1, 5], metric)
    >>> result.axes, result.values.shape
    (('layer', 'position'), torch.Size([4, 5]))
    >>> bool(torch.isclose(result.restored[0, 2], torch.tensor(1.0), atol=1e-3))  # where they differ
    True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import one_hot
from tqdm import tqdm

from llmnotes.model.architectures import parts, unwrap
from llmnotes.model.blocks import read_out
from llmnotes.model.guard import refuse_interventions
from llmnotes.model.hooks import available
from llmnotes.model.inputs import Inputs, chosen, pair, token_id, words
from llmnotes.model.tracing import Trace, trace
from llmnotes.patching.propagate import BASE_PLACES, Base, Entry, base_run, propagate, row_bytes

Metric = Callable[[Float[Tensor, "batch vocab"]], Float[Tensor, " batch"]]


BY_HEAD = ("z", "v", "pattern")
PATCHABLE = ("resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out", *BY_HEAD)


@dataclass(frozen=True)
class Sweep:
    """The metric for every patched run: `values` has one dimension for each of `axes`, numbered as in `index`."""

    values: Float[Tensor, "*shape"]
    axes: tuple[str, ...]
    index: dict[str, list[int]]
    unpatched: float
    source: float
    mode: str
    words: list[str]  # the tokens of the run that was patched
    block_tokens: int  # how many tokens passed a block, all runs together: what the sweep cost

    @property
    def restored(self) -> Float[Tensor, "*shape"]:
        """How far each patch goes from the unpatched metric (0) to that of the run patched in (1)."""
        return (self.values - self.unpatched) / (self.source - self.unpatched)


def logit_difference(model: Any, token: str | int, other: str | int) -> Metric:
    """The metric `logit of token - logit of other`; ValueError for a text that is not exactly one token."""
    one, two = token_id(model, token), token_id(model, other)
    return lambda logits: logits[..., one] - logits[..., two]


@torch.no_grad()
def sweep(
    model: Any,
    clean: Inputs,
    corrupted: Inputs,
    metric: Metric,
    place: str = "resid_pre",
    *,
    each: Sequence[str] | None = None,
    mode: str = "denoising",
    layers: Iterable[int] | None = None,
    positions: Iterable[int] | None = None,
    heads: Iterable[int] | None = None,
    at: int | Sequence[int] | None = -1,
    budget_mb: float = 512,
    progress: bool = True,
) -> Sweep:
    """Patch every part of a kind, each in a run of its own, and measure: as a plain loop would, within 1e-5.

    Args:
        metric: takes logits (batch, vocab) at position `at`, and gives one number for each run (batch).
        place: one of `resid_pre`, `resid_mid`, `resid_post`, `attn_out`, `mlp_out`, `z`, `v`, `pattern`.
        each: what gets a run of its own: ("layer", "position"), the default for places without heads; ("layer",
            "head"), the default for the others; ("layer", "head", "position") or ("layer",). What is not named is
            patched as a whole. A position of `v` is that of the token looked at, one of `pattern` that which looks.
        mode: "denoising" patches clean activations into the corrupted run, "noising" the reverse.
        heads: which heads; `v` has one for each key-value head.
        at: where the metric looks: a position; several (it then gets (batch, at, vocab)); None for all positions.
        budget_mb: memory for the runs in megabytes; a larger sweep is split, and says so on its progress bar.

    Raises:
        ValueError: prompts of different lengths, a place or axis that cannot be swept, heads or positions chosen that
            `each` does not name, a metric of the wrong shape or NaN, or a budget too small for one run.
        IndexError: a layer, head or position that does not exist.
        RuntimeError: an intervention is active.
    """
    found = parts(model)
    refuse_interventions(found)
    if place not in PATCHABLE or place not in available(found):
        can = [p for p in PATCHABLE if p in available(found)]
        raise ValueError(f"cannot sweep {place!r} in {type(found.model).__name__}; expected one of {can}")
    base_row = patched_row(mode)
    axes = tuple(each) if each is not None else ("layer", "head" if place in BY_HEAD else "position")
    allowed = [("layer",), ("layer", "position")]
    allowed += [("layer", "head"), ("layer", "head", "position")] if place in BY_HEAD else []
    if axes not in allowed:
        raise ValueError(f"each is {axes} for {place!r}; expected one of {allowed}")
    for axis, some in (("head", heads), ("position", positions)):
        if some is not None and axis not in axes:
            raise ValueError(
                f"{axis}s are given, and each is {axes}, which patches all {axis}s together; add {axis!r} to each"
            )
    prompts = pair(model, clean, corrupted)
    length = prompts.tokens.size(1)
    n_heads = found.sizes.n_kv_heads if place == "v" else found.sizes.n_heads
    index = {
        "layer": chosen("layer", layers, found.sizes.n_layers),
        "head": chosen("head", heads, n_heads),
        "position": chosen("position", positions, length),
    }
    where = chosen("position", at, length)

    needed = {*BASE_PLACES, place} | ({"pattern"} if place == "v" else set()) | ({"z"} if place in BY_HEAD else set())
    both = trace(found.model, prompts.tokens, [p for p in available(found) if p in needed])
    base = base_run(found, both, base_row)
    ends = read_out(found, both["resid_post", -1][:, where])  # (clean and corrupted, at, vocab)
    measure = checked_metric(metric, at)
    unpatched, source = measure(ends)[[base_row, 1 - base_row]].tolist()

    # Before the first token that differs the runs are the same, and behind the last logit read nothing matters.
    differ = (prompts.tokens[0] != prompts.tokens[1]).nonzero()[:, 0].tolist()
    first, last = differ[0], max(where)
    grid = list(product(*(index[axis] for axis in axes)))
    alive = []
    for number, patch in enumerate(grid):
        position = patch[-1] if axes[-1] == "position" else first
        same = position < first or (
            place == "resid_pre" and patch[0] == 0 and "position" in axes and position not in differ
        )
        if position <= last and not same:
            alive.append((number, patch, position))
    values = torch.full((len(grid),), unpatched, device=base.resid[0].device)
    n_tokens = 2 * length * found.sizes.n_layers
    for chunk in _split(alive, lambda item: row_bytes(found, length, item[2], len(where)), budget_mb, progress):
        entries = _entries(base, both, base_row, place, first, [patch for _, patch, _ in chunk], axes)
        logits, used = propagate(base, entries, where)
        values[[number for number, _, _ in chunk]] = measure(logits)
        n_tokens += used
    _, tokenizer = unwrap(model)
    read = words(tokenizer, prompts.tokens[base_row].tolist())
    index = {axis: index[axis] for axis in axes}
    values = values.view([len(some) for some in index.values()]).cpu()
    return Sweep(values, axes, index, unpatched, source, mode, read, n_tokens)


def _entries(
    base: Base, both: Trace, row: int, place: str, first: int, patches: list[tuple[int, ...]], axes: tuple[str, ...]
) -> list[Entry]:
    """Patches of the run `row` as changes of the residual stream, where every place writes in the end.

    One row for each patch, in the order given; patches of one layer must follow each other. `first` is the first
    position at which the two runs differ.
    """
    entries, done, every = [], 0, torch.arange(base.length)
    for layer in dict.fromkeys(patch[0] for patch in patches):
        mine = [patch[1:] for patch in patches if patch[0] == layer]
        by = dict(zip(axes[1:], zip(*mine, strict=True), strict=True))
        # Changed tokens as a grid of row and position; by default every position from the first difference on.
        changed = (every >= first).expand(len(mine), -1)
        if "position" in by:  # whoever looks at a patched value is changed
            named = torch.tensor(by["position"])[:, None]
            changed = every >= named if place == "v" else every == named
        rows, at = changed.nonzero(as_tuple=True)
        old, new = both[place, layer][row], both[place, layer][1 - row]
        if place.startswith("resid"):
            entry = layer + (place == "resid_post"), place == "resid_mid", rows + done, at, new[at]
        else:
            change = _heads_write(base, both, row, place, layer, by)[rows, at] if place in BY_HEAD else (new - old)[at]
            mid = place != "mlp_out" and bool(base.mid)
            stream = base.mid[layer] if mid else base.resid[layer + 1]
            entry = layer + (not mid), mid, rows + done, at, stream[at] + change
        entries.append(Entry(*entry))
        done += len(mine)
    return entries


def _heads_write(
    base: Base, both: Trace, row: int, place: str, layer: int, by: dict[str, tuple[int, ...]]
) -> Float[Tensor, "row pos d_model"]:
    """What attention adds more where z, v or the pattern is patched: `by` names a head, a position or both a row."""
    block, seen = base.parts.blocks[layer], {p: both[p, layer] for p in BY_HEAD if (p, layer) in both.values}
    change = seen[place][1 - row] - seen[place][row]
    n = len(next(iter(by.values()), [0]))
    heads = change.new_ones(n, change.size(-3 if place == "pattern" else -2))  # (row, head): which is patched where
    if "head" in by:
        heads = one_hot(torch.tensor(by["head"]), heads.size(1)).to(heads)
    group = base.parts.sizes.n_heads // base.parts.sizes.n_kv_heads
    if place == "pattern":
        change = change @ seen["v"][row].repeat_interleave(group, 1).transpose(0, 1)  # (head, query, d_head)
    else:
        change = change.transpose(0, 1)  # (head, pos, d_head)
    if place == "v":
        change, heads = change.repeat_interleave(group, 0), heads.repeat_interleave(group, 1)
        if "position" in by:  # a value patched at one position reaches each query by as much as the query looks there
            at = list(by["position"])
            moved, look = (change @ block.w_o)[:, at], seen["pattern"][row][:, :, at]
            return block.attn_change(seen["z"][row], torch.einsum("rh,hqr,hrd->rqd", heads, look, moved))
        change = seen["pattern"][row] @ change
    return block.attn_change(seen["z"][row], torch.einsum("rh,hpd->rpd", heads, change @ block.w_o))


def patched_row(mode: str) -> int:
    """Which row of a pair (clean, corrupted) is patched; ValueError for an unknown mode."""
    if mode not in ("denoising", "noising"):
        raise ValueError(f"mode is {mode!r}; expected 'denoising' or 'noising'")
    return 1 if mode == "denoising" else 0


def checked_metric(metric: Metric, at: Any) -> Callable[[Tensor], Tensor]:
    """The metric on (row, at, vocab) in float32, its result checked."""
    single = (at is not None and not hasattr(at, "__iter__")) or getattr(at, "ndim", 1) == 0  # one position

    def measure(logits: Tensor) -> Tensor:
        logits = logits.float()  # the last digits of half precision are where differences of logits lie
        got = metric(logits[:, 0] if single else logits)
        if not isinstance(got, Tensor) or got.shape != (len(logits),):
            shape = tuple(got.shape) if isinstance(got, Tensor) else got
            given = tuple(logits[:, 0].shape if single else logits.shape)
            raise ValueError(f"the metric returned {shape} for logits {given}; expected one number for each run")
        if not got.isfinite().all():
            raise ValueError(f"the metric returned {got.tolist()[:4]}: every value must be a finite number")
        return got.float()

    return measure


def _split(items: list, cost: Callable[[Any], int], budget_mb: float, progress: bool) -> Iterable[list]:
    """Parts of the work that stay under the budget, each as large as it allows."""
    budget, parts_, size = budget_mb * 1e6, [[]], 0
    for item in items:
        needs = cost(item)
        if needs > budget:
            raise ValueError(f"one run needs {needs / 1e6:.0f} MB and budget_mb is {budget_mb}; raise it")
        if size + needs > budget:
            parts_.append([])
            size = 0
        parts_[-1].append(item)
        size += needs
    parts_ = [part for part in parts_ if part]
    label = f"{len(items)} runs in {len(parts_)} parts, to stay under {budget_mb:g} MB"
    return tqdm(parts_, desc=label, disable=not progress or len(parts_) < 2)
