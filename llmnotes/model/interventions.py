"""Change a model while it runs: ablate, replace, add, cut attention edges, freeze.

Each is a context manager. They nest in any order, work while generating (with the cache), and undo themselves whether
the body ends or raises.

Examples:
    >>> import torch
    >>> from llmnotes.model import ablate, cut_edges, load
    >>> model = load("world")
    >>> ids = torch.tensor([[3, 1, 4, 1, 5]])
    >>> before = model.model(ids).logits
    >>> with ablate(model, "z", 1, heads=[0, 2]), cut_edges(model, 0, heads=3, edges=[(4, 1)]):
    ...     bool(torch.equal(model.model(ids).logits, before))
    False
    >>> bool(torch.equal(model.model(ids).logits, before))
    True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

from llmnotes.model.architectures import parts
from llmnotes.model.blocks import Parts, matrix
from llmnotes.model.hooks import check_place, hooked
from llmnotes.model.inputs import chosen, integers
from llmnotes.model.tracing import Trace

Some = int | Iterable[int] | None


BY_HEAD = ("q", "k", "v", "z", "pattern")


@contextmanager
def edit(
    model: Any,
    place: str,
    layers: Some,
    change: Callable[[Tensor, Tensor], Tensor],
    *,
    positions: Some | slice = None,
    heads: Some = None,
    neurons: Some = None,
) -> Iterator[None]:
    """Pass a part of a place through a function; every other intervention here is built on this one.

    Args:
        place: a name from `llmnotes.model.hooks.PLACES`.
        layers: one layer or several; None means all (and is the only choice for `logits`).
        change: gets the chosen part, (batch, positions, [heads,] width) or, for `pattern`, (batch, heads, queries,
            keys), and its positions; returns what to put there, of that shape or broadcasting to it.
        positions: which positions (queries, for `pattern`), negative ones from the end of the prompt; a slice without
            an end reaches on into text that is being generated.
        heads: which heads, for `q`, `k`, `v`, `z` and `pattern`; under grouped-query attention `k` and `v` have fewer.
        neurons: which entries of the last dimension, for the places without heads.

    Raises:
        ValueError: no such place, or heads (neurons) for a place without; on leaving, if the model ran and no text had
            a position that was chosen.
        IndexError: a layer, head or neuron that does not exist; a position too, once the model runs.
    """
    found = parts(model)
    check_place(found, place)
    if heads is not None and place not in BY_HEAD:
        raise ValueError(f"{place!r} has no heads; they can be chosen in {BY_HEAD}")
    if neurons is not None and place in BY_HEAD:
        raise ValueError(f"neurons are entries of the last dimension and {place!r} goes by head; choose heads instead")
    n_heads = found.sizes.n_kv_heads if place in ("k", "v") else found.sizes.n_heads
    units = chosen("head", heads, n_heads) if place in BY_HEAD else chosen("neuron", neurons, _width(found, place))
    units = torch.tensor(units)
    at = _layers(found, place, layers)

    seen: list[bool] = []  # for each time that the place was passed, whether the edit chose something there

    def call(value: Tensor, start: int) -> Tensor | None:
        n = value.size(2 if place == "pattern" else 1)
        columns = _columns(positions, start, n)
        seen.append(bool(columns))
        if not columns:
            return None
        rows, some = torch.tensor(columns, device=value.device), units.to(value.device)
        # Two index arrays that broadcast against each other pick out a grid and keep the dimensions where they are.
        where = (slice(None), some[:, None], rows) if place == "pattern" else (slice(None), rows[:, None], some)
        part = value[where]
        new = torch.as_tensor(change(part, rows + start), dtype=value.dtype, device=value.device)
        try:
            new = new.expand(part.shape)
        except RuntimeError:
            given, wanted = tuple(new.shape), tuple(part.shape)
            raise ValueError(f"an edit of {place!r} returned shape {given}; expected {wanted}, or to fit it") from None
        out = value.clone()
        out[where] = new
        return out

    with hooked(found, [(place, layer, call) for layer in at]):
        yield
    if seen and not any(seen):
        said = f"an edit of {place!r} at positions {positions} chose none of any text that was run"
        raise ValueError(f"{said}, and changed nothing; in `rerun` each place is a text of one token")


def replace(model: Any, place: str, layers: Some, value: Tensor | float, **part: Any) -> AbstractContextManager[None]:
    """Put a value where the model computes another.

    The value is a number, a vector as wide as the place, or a tensor with all its dimensions, such as `trace["z", 3]`
    (over the positions chosen; over the whole prompt if none are); `part` is `positions`, `heads`, `neurons` of `edit`.

    Raises:
        ValueError: a value of the wrong size, and what `edit` raises.
    """
    return edit(model, place, layers, _value(parts(model), place, value, part), **part)


def add(model: Any, place: str, layers: Some, value: Tensor | float, **part: Any) -> AbstractContextManager[None]:
    """Add a value to what the model computes. Arguments and errors as for `replace`."""
    put = _value(parts(model), place, value, part)
    return edit(model, place, layers, lambda old, at: old + put(old, at), **part)


@contextmanager
def ablate(
    model: Any,
    place: str,
    layers: Some,
    *,
    by: str = "zero",
    reference: Trace | None = None,
    seed: int = 0,
    **part: Any,
) -> Iterator[None]:
    """Take a part of the model away: a head (`z`), neurons (`mlp_post`), a whole component (`attn_out`), a position.

    Args:
        by: "zero"; "mean", the average over the reference's tokens; "resample", for each token the value at a random
            token of the reference. Zero is far from anything the model is used to, so the other two are fairer
            (Chan et al. 2022, "Causal scrubbing").
        reference: a trace of other texts that holds the place; needed for "mean" and "resample".

    Raises:
        ValueError: an unknown `by`, or a reference that is missing; and what `edit` raises.
        KeyError: the reference does not hold the place.
    """
    if by not in ("zero", "mean", "resample"):
        raise ValueError(f"by is {by!r}; expected 'zero', 'mean' or 'resample'")
    if by == "zero":
        with replace(model, place, layers, 0.0, **part):
            yield
        return
    if not isinstance(reference, Trace):
        raise ValueError(f"by={by!r} needs reference=trace(model, other_texts, [{place!r}]); got {reference!r}")
    if place == "pattern":
        raise ValueError("a pattern's rows differ in length, so it has no mean; freeze() it, or ablate 'z'")
    found = parts(model)
    generator = torch.Generator().manual_seed(seed)
    with ExitStack() as stack:
        for layer in _layers(found, place, layers):
            seen = reference[place if layer is None else (place, layer)][reference.mask]  # (token, [head,] width)
            seen = _choose(seen, found, place, part)

            def change(old: Tensor, _: Tensor, seen: Tensor = seen) -> Tensor:
                if by == "mean":
                    return seen.float().mean(0)
                draw = torch.randint(len(seen), old.shape[:2], generator=generator).to(seen.device)
                return seen[draw]

            stack.enter_context(edit(found.model, place, layer, change, **part))
        yield


@contextmanager
def cut_edges(
    model: Any, layers: Some, *, heads: Some = None, edges: Iterable[tuple[int, int]], renormalize: bool = True
) -> Iterator[None]:
    """Keep a head from looking from one position at another.

    Args:
        edges: pairs (query position, key position); the query looks, the key is looked at. Counted from 0.
        renormalize: let the rest of the row sum to one again, as if the score had been masked before the softmax.

    Raises:
        ValueError: an edge that points ahead, or an only edge cut (position 0 to itself) with `renormalize`.
    """
    edges = [tuple(integers("an edge", edge)) for edge in edges]
    for query, key in edges:
        if not 0 <= key <= query:
            raise ValueError(f"edge ({query}, {key}): expected 0 <= key <= query; nothing looks ahead")
    for query in {q for q, _ in edges}:
        if renormalize and {k for q, k in edges if q == query} >= set(range(query + 1)):
            raise ValueError(f"every edge of query {query} is cut, so its row cannot sum to one; use renormalize=False")

    def change(rows: Tensor, at: Tensor) -> Tensor:  # (batch, heads, queries, keys)
        rows = rows.float()
        keep = torch.ones(rows.shape[-2:], device=rows.device)
        for i, position in enumerate(at.tolist()):
            for query, key in edges:
                if query == position:
                    keep[i, key] = 0
        rest = rows * keep
        # Rows without a cut edge stay as they are to the last bit.
        total = torch.where((keep == 0).any(-1, keepdim=True), rest.sum(-1, keepdim=True), 1.0)
        return rest / total.clamp(min=torch.finfo(rows.dtype).tiny) if renormalize else rest

    # A slice, because an edge may belong to text that is still to be generated.
    with edit(model, "pattern", layers, change, heads=heads, positions=slice(0, None)):
        yield


@contextmanager
def freeze(model: Any, reference: Trace, place: str = "pattern", layers: Some = None, **part: Any) -> Iterator[None]:
    """Hold a place at the values of another run of the same shape; `pattern` keeps each head looking where it looked.

    Raises:
        KeyError: the reference does not hold the place.
        ValueError: the reference has other sizes than the run.
    """
    found = parts(model)
    with ExitStack() as stack:
        for layer in _layers(found, place, layers):
            value = _choose(reference[place if layer is None else (place, layer)], found, place, part)
            stack.enter_context(replace(found.model, place, layer, value, **part))
        yield


def _layers(found: Parts, place: str, layers: Some) -> Iterable[int | None]:
    if place == "logits":
        return [None]
    return range(found.sizes.n_layers) if layers is None else integers("layers", layers)


def _value(found: Parts, place: str, value: Any, part: dict[str, Any]) -> Callable[[Tensor, Tensor], Tensor]:
    """Check a value's size before anything runs; give a function that finds what belongs to the positions at hand."""
    check_place(found, place)
    value = torch.as_tensor(value).detach()
    full = 4 if place in BY_HEAD else 3
    width = len(chosen("neuron", part.get("neurons"), _width(found, place))) if full == 3 else _width(found, place)
    if value.ndim not in (0, 1, full) and not (place in BY_HEAD and value.ndim == 2):
        raise ValueError(f"a value for {place!r} has {value.ndim} dimensions; expected a number, a vector or {full}")
    if value.ndim and place != "pattern" and value.size(-1) not in (1, width):
        raise ValueError(f"a value for {place!r} is {value.size(-1)} wide; expected {width}")
    positions = part.get("positions")
    if value.ndim < full:
        return lambda old, at: value
    dim = 2 if place == "pattern" else 1

    def put(old: Tensor, at: Tensor) -> Tensor:
        if positions is not None and not isinstance(positions, slice):
            return value  # one entry for each position that was named
        if int(at[0]) >= value.size(dim):
            return old  # the value covers the prompt; this is text generated after it
        if value.size(dim) not in (1, old.size(dim)):
            raise ValueError(f"a value for {place!r} covers {value.size(dim)} positions; the run has {old.size(dim)}")
        return value

    return put


def _choose(value: Tensor, found: Parts, place: str, part: dict[str, Any]) -> Tensor:
    """The part of a trace's value that an edit of these heads, neurons and positions would get."""
    if place == "pattern":
        value = value if part.get("heads") is None else value[:, chosen("head", part["heads"], found.sizes.n_heads)]
        return value if part.get("positions") is None else value[:, :, _columns(part["positions"], 0, value.size(2))]
    if part.get("heads") is not None:
        value = value[..., chosen("head", part["heads"], value.size(-2)), :]
    if part.get("neurons") is not None:
        value = value[..., chosen("neuron", part["neurons"], value.size(-1))]
    if part.get("positions") is None or value.ndim < (4 if place in BY_HEAD else 3):  # means and draws have no batch
        return value
    return value[:, _columns(part["positions"], 0, value.size(1))]


def _width(found: Parts, place: str) -> int:
    if place == "logits":
        return found.sizes.vocab_size
    if place in BY_HEAD:
        return found.sizes.d_head
    return matrix(found.blocks[0].mlp_proj).size(0) if place in ("mlp_pre", "mlp_post") else found.sizes.d_model


def _columns(positions: Some | slice, start: int, n: int) -> list[int]:
    """Which columns of a value that covers the positions start to start + n are meant."""
    if positions is None:
        return list(range(n))
    if isinstance(positions, slice):
        if start == 0:
            return list(range(n))[positions]
        first, last = positions.start or 0, positions.stop
        return [i for i in range(n) if start + i >= first >= 0 and (last is None or start + i < last)]
    if start > 0:  # negative positions count from the end of the prompt, which is behind us
        return [p - start for p in integers("position", positions) if start <= p < start + n]
    return chosen("position", positions, n)
