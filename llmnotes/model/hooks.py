"""Named places inside a model, and the one function that reads or changes them while it runs.

A place means the same in every architecture (batch and position first, except `pattern`):

| place | shape | what it is |
| --- | --- | --- |
| `resid_pre`, `resid_mid`, `resid_post` | batch pos d_model | the residual stream before, inside and after a block |
| `q`, `k`, `v` | batch pos head d_head | queries, keys (both before any norm and rotation) and values |
| `pattern` | batch head query key | attention after the softmax |
| `z` | batch pos head d_head | values mixed by the pattern, before the output projection |
| `attn_out`, `mlp_out` | batch pos d_model | what attention and MLP add to the residual stream |
| `mlp_pre`, `mlp_post` | batch pos d_mlp | neurons before the activation; what the MLP's output projection reads |
| `logits` | batch pos vocab | the model's output (its layer is None) |

Examples:
    >>> import torch
    >>> from llmnotes.model import load
    >>> from llmnotes.model.hooks import hooked
    >>> model = load("world")
    >>> def show(value, start):
    ...     print(tuple(value.shape), "from position", start)
    >>> with hooked(model, [("pattern", 1, show), ("mlp_post", 0, show)]):
    ...     _ = model.model(torch.tensor([[3, 1, 4, 1, 5]]))
    (1, 5, 128) from position 0
    (1, 4, 5, 5) from position 0
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from llmnotes.model.architectures import described, parts
from llmnotes.model.blocks import Block, Nothing, Parts
from llmnotes.model.inputs import chosen

PLACES = (
    *("resid_pre", "q", "k", "v", "pattern", "z", "attn_out", "resid_mid"),
    *("mlp_pre", "mlp_post", "mlp_out", "resid_post", "logits"),
)

# Takes a place's value and the position of its first column (0, or the length of the cache while generating);
# returns the value to go on with, or None to leave it. It must not change the value in place.
Call = Callable[[Tensor, int], Tensor | None]


def available(model: Any) -> tuple[str, ...]:
    """The places that a model has; one whose blocks are parallel (GPT-NeoX) has no `resid_mid`, for example."""
    found = model if isinstance(model, Parts) else parts(model)
    return tuple(place for place in PLACES if _lacks(found, place) is None)


def _lacks(found: Parts, place: str) -> str | None:
    block = found.blocks[0]
    if place not in PLACES:
        return ""
    if (place == "resid_mid" or place.startswith("mlp")) and block.mlp is None:
        return ": it has no MLPs"
    if place == "resid_mid" and block.parallel:
        return ": its blocks add attention and MLP in parallel"
    if place in ("mlp_pre", "mlp_post") and (block.mlp_in if place == "mlp_pre" else block.mlp_proj) is None:
        return ": its layout does not name that part of the MLP"
    if place == "pattern" and block.pattern is None and described(found.model):
        return ": its layout names no module that gives the pattern"
    return None


def check_place(model: Parts, place: str) -> None:
    """Raise ValueError for a place that there is not in this architecture; the message lists those that there are."""
    if (why := _lacks(model, place)) is not None:
        name, there = type(model.model).__name__, ", ".join(available(model))
        raise ValueError(f"{name} has no place {place!r}{why}; it has {there}")


def check_layer(model: Parts, layer: int) -> int:
    """A layer's number, counted from the end if it is negative; IndexError where the model has no such layer."""
    return chosen("layer", layer, model.sizes.n_layers)[0]


@contextmanager
def hooked(model: Any, calls: Iterable[tuple[str, int | None, Call]], *, read: bool = False) -> Iterator[None]:
    """Call functions at places while the model runs, and take everything off again afterwards, errors or not.

    Calls at one place run in the order in which they were attached, and each sees what those before it returned.
    The model's own code runs as it is; only for `pattern` does attention go through `_attention`, transformers' eager
    attention with a stop in it, because faster kernels never form the pattern.

    Args:
        calls: triples of place, layer (None for `logits`) and function `(value, start) -> new value or None`.
        read: the functions only look: `resid_mid` is then the model's own tensor instead of a sum made again.

    Raises ValueError for a place, IndexError for a layer that the model has not.
    """
    found = model if isinstance(model, Parts) else parts(model)
    checked = []
    for place, layer, call in calls:
        check_place(found, place)
        checked.append((place, None if place == "logits" else check_layer(found, layer), call))
    start = 0

    def note_start(module: nn.Module, args: tuple, kwargs: dict) -> None:
        nonlocal start
        cache = next((x for x in (*args, *kwargs.values()) if hasattr(x, "get_seq_length")), None)
        start = 0 if cache is None else int(getattr(cache, "llmnotes_start", cache.get_seq_length()))

    with ExitStack() as stack:
        stack.callback(found.model.register_forward_pre_hook(note_start, with_kwargs=True).remove)
        for place, layer, call in checked:
            bound = partial(lambda call, value: call(value, start), call)
            if place == "pattern":
                stack.enter_context(_pattern_call(found, found.blocks[layer], bound))
            elif place == "resid_mid" and not read:
                stack.enter_context(_resid_mid_call(found, layer, bound))
            else:
                site = _site(found, layer, place)
                stack.enter_context(_call(site, partial(_through, site, bound)))
        yield


@dataclass(frozen=True)
class _Site:
    """Where a place is: what a module takes in or gives out, and how to see it in the place's shape."""

    module: nn.Module
    side: str
    get: Callable[[Tensor], Tensor] | None = None
    put: Callable[[Tensor, Tensor], Tensor] | None = None


def _site(found: Parts, layer: int | None, place: str) -> _Site:
    if place == "logits":  # of the model, since some cap or scale what the unembedding gives
        return _Site(found.model, "out")
    block = found.blocks[layer]
    if place in ("q", "k", "v"):

        def by_head(x: Tensor) -> Tensor:
            return block.heads(place, x if block.clip is None else x.clamp(-block.clip, block.clip))

        return _Site(block.projection(place), "out", by_head, partial(block.with_heads, place))
    if place == "z":
        shape = (block.sizes.n_heads, block.sizes.d_head)
        return _Site(block.attn_proj, "in", lambda x: x.unflatten(-1, shape), lambda _, new: new.flatten(-2))
    if place == "mlp_pre" and block.mlp_gate is block.mlp_in:  # Phi-3: one module, the gate's neurons first
        return _Site(
            block.mlp_in, "out", lambda x: x.chunk(2, -1)[0], lambda x, new: torch.cat([new, x.chunk(2, -1)[1]], -1)
        )
    if place in ("attn_out", "mlp_out"):
        module, norm = (block.attn, block.post_attn) if place == "attn_out" else (block.mlp, block.post_mlp)
        module = module if isinstance(norm, Nothing) else norm
        if block.writes == 1:
            return _Site(module, "out")
        return _Site(module, "out", lambda x: x * block.writes, lambda _, new: new / block.writes)
    module, side = {
        "resid_pre": (block.module, "in"),
        "resid_mid": (_first(block.norm_mlp, block.mlp), "in"),
        "mlp_pre": (block.mlp_in, "out"),
        "mlp_post": (block.mlp_proj, "in"),
        "resid_post": (block.module, "out"),
    }[place]
    return _Site(module, side)


def _first(norm: nn.Module, then: nn.Module) -> nn.Module:
    """The module that reads the residual stream: the norm, or what comes next where the layout names none."""
    return then if isinstance(norm, Nothing) else norm


def _through(site: _Site, call: Callable[[Tensor], Tensor | None], tensor: Tensor) -> Tensor | None:
    value = site.get(tensor) if site.get else tensor
    new = call(value)
    if new is None:
        return None
    if new.shape != value.shape:
        raise ValueError(f"an intervention returned shape {tuple(new.shape)}; expected {tuple(value.shape)}, as it got")
    return site.put(tensor, new) if site.put else new


class _Calls:
    """The calls at one side of one module: a single torch hook, so that their order is ours to keep."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, Callable]] = []

    def run(self, tensor: Tensor) -> Tensor:
        for _, call in sorted(self.calls, key=lambda item: item[0]):
            new = call(tensor)
            tensor = tensor if new is None else new
        return tensor

    def on_input(self, module: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        if args:
            return (self.run(args[0]), *args[1:]), kwargs
        return args, kwargs | {"hidden_states": self.run(kwargs["hidden_states"])}  # Llama's attention

    def on_output(self, module: nn.Module, args: tuple, output: Any) -> Any:
        if isinstance(output, tuple):
            return (self.run(output[0]), *output[1:])
        if isinstance(output, Tensor):
            return self.run(output)
        output.logits = self.run(output.logits)  # the whole model's
        return output


@contextmanager
def _call(site: _Site, call: Callable, stage: int = 0) -> Iterator[None]:
    """Attach a call; later stages run after earlier ones, whatever the order in which they were attached."""
    into = site.side == "in"
    hooks = site.module._forward_pre_hooks if into else site.module._forward_hooks
    ours = next((h.__self__ for h in hooks.values() if isinstance(getattr(h, "__self__", None), _Calls)), None)
    if ours is None:
        ours = _Calls()
        if into:
            ours.handle = site.module.register_forward_pre_hook(ours.on_input, with_kwargs=True)
        else:
            ours.handle = site.module.register_forward_hook(ours.on_output)
    item = (stage, call)
    ours.calls.append(item)
    try:
        yield
    finally:
        ours.calls.remove(item)
        if not ours.calls:
            ours.handle.remove()


@contextmanager
def _resid_mid_call(found: Parts, layer: int, call: Callable) -> Iterator[None]:
    """Change resid_mid by way of attn_out, since the block adds `resid_pre + attn_out` out of our reach."""
    block, site, resid_pre = found.blocks[layer], _site(found, layer, "attn_out"), None

    def keep(tensor: Tensor) -> None:
        nonlocal resid_pre
        resid_pre = tensor

    def change(attn_out: Tensor) -> Tensor | None:
        new = call(resid_pre + attn_out)
        return None if new is None else new - resid_pre

    # The first norm reads resid_pre as changed by every other call; stage 1 comes after every call at attn_out.
    first = _Site(_first(block.norm_attn, block.attn), "in")
    with _call(first, keep), _call(site, partial(_through, site, change), stage=1):
        yield


# What transformers hands to every attention, and what changes no pattern: windows are in the mask already.
HARMLESS = (
    *("cache_position", "is_causal", "output_attentions", "output_hidden_states", "output_router_logits"),
    *("position_ids", "sliding_window", "use_cache"),
)


def _attention(
    module: nn.Module,
    query: Tensor,  # (batch, head, query, d_head)
    key: Tensor,  # (batch, kv_head, key, d_head)
    value: Tensor,
    attention_mask: Tensor | None,  # 0 where a query may look, hugely negative elsewhere
    scaling: float | None = None,
    dropout: float = 0.0,
    softcap: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    if unknown := sorted(name for name, given in kwargs.items() if given is not None and name not in HARMLESS):
        said = f"{type(module).__name__} computes its pattern with {', '.join(unknown)}, which is not known here"
        raise NotImplementedError(f"{said}; trace the places other than 'pattern'")
    groups = query.size(1) // key.size(1)
    key, value = (x.repeat_interleave(groups, dim=1) if groups > 1 else x for x in (key, value))
    # In place, which saves two tensors of this size and changes no bit; autograd needs neither of the values lost.
    scores = (query @ key.transpose(-1, -2)).mul_(query.size(-1) ** -0.5 if scaling is None else scaling)
    if softcap is not None:
        scores = (scores / softcap).tanh() * softcap
    if attention_mask is not None:
        scores = scores.add_(attention_mask) if softcap is None else scores + attention_mask
    pattern = scores.softmax(-1, dtype=torch.float32).to(value.dtype)
    pattern = nn.functional.dropout(pattern, dropout, module.training)
    if calls := module.__dict__.get("_llmnotes_pattern"):
        pattern = calls.run(pattern)
    return (pattern @ value).transpose(1, 2).contiguous(), pattern


def _gpt_neo_attention(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any = None):
    """GPT-Neo knows no attention interface: this stands in for its method `_attn`, local window included."""
    n, length = query.size(-2), key.size(-2)
    seen = module.bias[:, :, length - n : length, :length]
    window = torch.where(seen, 0.0, torch.finfo(torch.float32).min)
    mask = window if attention_mask is None else torch.where(seen, attention_mask, window)
    out, pattern = _attention(module, query.float(), key.float(), value, mask, scaling=1.0)
    return out.transpose(1, 2), pattern


@contextmanager
def _pattern_call(found: Parts, block: Block, call: Callable) -> Iterator[None]:
    if block.pattern is not None:
        with _call(_Site(block.pattern, "out"), call):
            yield
        return
    attn, model = block.attn, found.model
    item = (0, call)
    neo = hasattr(attn, "_attn")
    if "_llmnotes_pattern" not in attn.__dict__:
        attn.__dict__["_llmnotes_pattern"] = _Calls()
        if neo:
            attn.__dict__["_attn"] = partial(_gpt_neo_attention, attn)
    if not neo and model.config._attn_implementation != "llmnotes":
        from transformers import AttentionInterface  # loaded by now, since the model is of its making
        from transformers.masking_utils import AttentionMaskInterface, eager_mask

        AttentionInterface.register("llmnotes", _attention)
        AttentionMaskInterface.register("llmnotes", eager_mask)
        model.__dict__["_llmnotes_attention"] = model.config._attn_implementation
        model.config._attn_implementation = "llmnotes"
    calls = attn.__dict__["_llmnotes_pattern"].calls
    calls.append(item)
    try:
        yield
    finally:
        calls.remove(item)
        if not calls:
            for name in ("_llmnotes_pattern", "_attn"):
                attn.__dict__.pop(name, None)
        # The implementation belongs to the whole model: the last pattern call to leave any layer puts it back.
        if not neo and not any("_llmnotes_pattern" in b.attn.__dict__ for b in found.blocks):
            model.config._attn_implementation = model.__dict__.pop("_llmnotes_attention")
