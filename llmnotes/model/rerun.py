"""Run a model once more at single places of many texts, with everything before them as it was.

With an intervention around it this says what one part decides *there*: what it writes at the answering word is changed,
and nothing at the words before, whose keys and values are kept. It costs one token a place instead of the whole text.

Examples:
    >>> import torch
    >>> from llmnotes.model import edit, load, rerun
    >>> model = load("world")
    >>> again = rerun(model, torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]]), rows=[0, 1, 1], positions=[4, 2, 4])
    >>> with edit(model, "mlp_out", 1, lambda out, at: out.mean(0, keepdim=True)):  # its mean over the three places
    ...     again().shape
    torch.Size([3, 238])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from llmnotes.model.architectures import parts
from llmnotes.model.hooks import hooked
from llmnotes.model.inputs import Inputs, batch


def rerun(model: Any, inputs: Inputs, rows: Sequence[int], positions: Sequence[int]) -> Callable[..., Any]:
    """Prepare to run the model again at one position of each of some rows; a row may come more than once.

    To edits around the call each place is a text of one token: what they get is (place, 1, [heads,] width).

    Rows and positions name a place each in texts of one length. Returned is a function that runs the model there, with
    whatever intervention is active when it is called. It gives the logits, (place, vocab), or what passes through
    another place, such as `again("resid_post", 3)`, or a list: `again([("z", 3), ("mlp_out", 3)])`.

    Raises:
        ValueError: rows and positions that do not fit each other or the texts, texts of unequal length, or a model that
            does not give its own logits again this way.
    """
    run, found = batch(model, inputs), parts(model)
    hf, n, at = found.model, torch.as_tensor(rows), torch.as_tensor(positions)
    if not run.mask.all():
        raise ValueError("rerun: the texts differ in length; give them cut to one length")
    if n.ndim != 1 or n.shape != at.shape or not len(n):
        raise ValueError(f"rerun: rows are {tuple(n.shape)}, positions {tuple(at.shape)}; expected one of each a place")
    if n.min() < 0 or n.max() >= len(run.tokens) or at.min() < 0 or at.max() >= run.tokens.size(1):
        given = f"rows {n.min()} to {n.max()} and positions {at.min()} to {at.max()}"
        raise ValueError(f"rerun: {given}; the texts are {tuple(run.tokens.shape)}")
    before = int(at.max())
    used, n = n.unique(return_inverse=True)
    tokens = run.tokens[used.to(run.tokens.device), : before + 1]
    n, at = n.to(tokens.device), at.to(tokens.device)
    with torch.no_grad():
        full = hf(tokens, use_cache=True)
    # What came before a place, moved to end just before it: windows of local attention count columns from there.
    columns = torch.arange(before, device=n.device) - (before - at[:, None])
    came = columns.clamp(min=0)[:, None, :, None]
    kept = [
        [pad(x[n].take_along_dim(came, dim=2), (0, 0, 0, 1)) for x in (layer.keys, layer.values)]
        for layer in full.past_key_values.layers
    ]
    mask = pad((columns >= 0).long(), (0, 1), value=1)

    def again(place: str | Sequence[tuple[str, int | None]] = "logits", layer: int | None = None) -> Any:
        cache, values = _cache(kept), {}
        wanted = [(place, layer)] if isinstance(place, str) else list(place)
        keep = [(*key, lambda x, start, key=key: values.update({key: x[:, -1]})) for key in wanted]
        with hooked(found, keep, read=True):
            hf(tokens[n, at][:, None], past_key_values=cache, attention_mask=mask, position_ids=at[:, None])
        return values[place, layer] if isinstance(place, str) else [values[key] for key in wanted]

    with torch.no_grad():
        gap = (again() - full.logits[n, at]).abs().max().item()
    if not gap < 1e-2:
        raise ValueError(f"rerun: with nothing changed, {type(hf).__name__} gives logits that differ by {gap:.3g}")
    return again


def _cache(kept: list[list[Tensor]]) -> Any:
    """A cache with one free column at its end for the place's own keys and values: to grow one takes longer."""
    from transformers.cache_utils import DynamicCache, DynamicLayer

    class Kept(DynamicLayer):
        def __init__(self, room: list[Tensor]) -> None:
            super().__init__()
            self.room, self.is_initialized = room, True
            self.dtype, self.device = room[0].dtype, room[0].device
            self.keys, self.values = (x[:, :, :-1] for x in room)

        def update(self, keys: Tensor, values: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
            if keys.requires_grad or values.requires_grad:
                return torch.cat([self.keys, keys], dim=2), torch.cat([self.values, values], dim=2)
            for room, new in zip(self.room, (keys, values), strict=True):
                room[:, :, -1:] = new
            return self.room[0], self.room[1]

    cache = DynamicCache()
    cache.layers = [Kept(room) for room in kept]
    cache.llmnotes_start = 0  # to edits each place is a text of one token
    return cache
