"""Guard against silent error: what we compute ourselves is held to the model's own logits before it is trusted.

The shortcuts of `llmnotes.patching` and the lens recompute parts of a model. Where an architecture differs from its
layout (a norm on queries, a cap on scores), no error would be raised, and every number would be wrong. So each shortcut
is tried once per model on a change that changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from llmnotes.model.blocks import Parts, read_out
from llmnotes.model.tracing import trace

_TRUSTED: WeakKeyDictionary[nn.Module, set] = WeakKeyDictionary()


def once(found: Parts, what: Hashable, both: Callable[[], tuple[Tensor, Tensor]]) -> None:
    """Compare our logits with the model's own, the first time that this is asked of a model without interventions.

    Args:
        what: the shortcut, and all that the answer may depend on.
        both: gives our logits and the model's own, of the same shape.

    Raises:
        NotImplementedError: they differ by more than rounding explains. Where a layout is right, the largest difference
            was below 1e-6 of the logits' spread in float32; where it is wrong, above 0.3.
    """
    dtype = found.w_u.dtype
    key = (what, found.layout, dtype)
    trusted = _TRUSTED.setdefault(found.model, set())
    if key in trusted or active(found) is not None:
        return
    try:
        ours, own = (logits.detach().float() for logits in both())
        off = ((ours - own).abs().max() / own.std().clamp(min=1e-12)).item()
        said = f"differ from its own by {off:.1g} of their spread, where rounding would be under 1e-6"
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        off, said = torch.nan, f"cannot be had ({type(error).__name__}: {str(error)[:80]})"
    if not off < (1e-3 if torch.finfo(dtype).eps < 1e-6 else 0.15):
        raise NotImplementedError(
            f"{type(found.model).__name__} computes something that its layout does not say (an attention that looks"
            f" ahead, norms, caps?): logits that we recompute {said}. trace() and interventions run its own code and"
            " stay right: loop over trace() with replace(), or mend its layout"
        )
    trusted.add(key)


def active(found: Parts) -> str | None:
    """The name of a module that someone has hooked; None if the model is as it was made."""
    for name, module in found.model.named_modules():
        for hook in (*module._forward_hooks.values(), *module._forward_pre_hooks.values()):
            # transformers leaves hooks behind that collect outputs; they change nothing
            if not getattr(getattr(hook, "func", hook), "__module__", "").startswith("transformers."):
                return name or "the model"
    return None


def refuse_interventions(found: Parts) -> None:
    """Raise RuntimeError where a hook or an intervention is active, which our own computation would not see."""
    if (name := active(found)) is not None:
        told = f"a hook or an intervention is active on {name!r}, which this function would leave out"
        raise RuntimeError(f"{told}; leave its `with` block first, or loop over trace() with replace()")


@torch.no_grad()
def check_read_out(found: Parts) -> None:
    """Refuse a model whose logits are not what `read_out` makes of the residual stream, as `once` does."""

    def both() -> tuple[Tensor, Tensor]:
        ids = list(range(min(4, found.sizes.n_ctx, found.sizes.vocab_size)))
        seen = trace(found.model, ids, ["resid_post", "logits"])
        return read_out(found, seen["resid_post", -1]), seen["logits"]

    once(found, "read_out", both)
