"""Run a model and keep what passes through the places asked for.

Examples:
    >>> from llmnotes.model import load, trace
    >>> model = load("world")
    >>> seen = trace(model, [3, 1, 4, 1, 5], ["resid_post", "pattern"])
    >>> seen["pattern", 1].shape
    torch.Size([1, 4, 5, 5])
    >>> seen.stack("resid_post").shape  # (layer, batch, pos, d_model)
    torch.Size([4, 1, 5, 128])
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from llmnotes.model.architectures import parts, run, unwrap
from llmnotes.model.hooks import PLACES, available, check_place, hooked
from llmnotes.model.inputs import Inputs, batch, chosen, integers, words


@dataclass(frozen=True)
class Trace:
    """What one run left: `seen["z", 3]` is a place of one layer, `seen["logits"]` the output.

    `mask` is False at padding, where values mean nothing. The shapes of places are listed in `llmnotes.model.hooks`.
    """

    tokens: Int[Tensor, "batch pos"]
    mask: Bool[Tensor, "batch pos"]
    values: dict[tuple[str, int | None], Tensor] = field(repr=False)
    n_layers: int
    tokenizer: Any = field(default=None, repr=False)

    @property
    def places(self) -> tuple[str, ...]:
        """The places that were kept, in the order in which a block passes them."""
        kept = {place for place, _ in self.values}
        return tuple(place for place in PLACES if place in kept)

    def __getitem__(self, key: str | tuple[str, int]) -> Tensor:
        place, layer = (key, None) if isinstance(key, str) else (key[0], integers("the layer", key[1])[0])
        if layer is not None and layer < 0:
            layer += self.n_layers
        if (place, layer) not in self.values:
            layers = sorted(at for p, at in self.values if p == place and at is not None)
            has = f"{place!r} at layers {layers}: ask for trace[{place!r}, layer]" if layers else f"{self.places}"
            raise KeyError(f"the trace holds no {key!r}; it holds {has}")
        return self.values[place, layer]

    def stack(self, place: str) -> Float[Tensor, "layer ..."]:
        """One place of all the layers that were kept, as one new tensor; KeyError for a place that was not."""
        kept = [self.values[place, layer] for layer in range(self.n_layers) if (place, layer) in self.values]
        if not kept:
            raise KeyError(f"the trace holds no layers of {place!r}; it holds {self.places}")
        return torch.stack(kept)

    def words(self, row: int = 0) -> list[str]:
        """The real tokens of one row as text, or their ids as text where there is no tokenizer."""
        return words(self.tokenizer, self.tokens[row][self.mask[row]].tolist())


class _Enough(Exception):  # noqa: N818  (not an error: it ends a run whose last wanted place is behind it)
    pass


def trace(
    model: Any,
    inputs: Inputs,
    places: Iterable[str] | None = None,
    *,
    layers: int | Iterable[int] | None = None,
    grad: bool = False,
    padding: str = "right",
    keep_on: str | torch.device | None = None,
    rows: int | None = None,
) -> Trace:
    """Run the model once and keep the places asked for, exactly as the model computed them.

    The model's own code does the work, so values are its own to the last bit. If `pattern` is among the places,
    attention takes the eager path, which differs from the fused kernels by rounding alone (under 1e-5). Nothing is
    computed behind the last place asked for, so leaving out `logits` saves the unembedding. Tensors are not copied:
    do not change them in place.

    Args:
        places: names from `llmnotes.model.hooks.PLACES`; all that the architecture has, if not given.
        layers: which layer or layers to keep, negative ones from the end; all, if not given.
        grad: keep the graph, so that `torch.autograd.grad(metric, trace[...])` works.
        keep_on: a device to move the kept values, the tokens and the mask to, such as "cpu" to spare a GPU's memory.
        rows: how many texts run at once, all if not given; interventions that hold values of a whole batch need all.

    Raises:
        ValueError: a place that the model has not; an empty or too long text (see `llmnotes.model.inputs.batch`).
        IndexError: a layer that the model has not.
    """
    found, (hf, tokenizer) = parts(model), unwrap(model)
    wanted = available(found) if places is None else [places] if isinstance(places, str) else list(places)
    for place in wanted:
        check_place(found, place)
    at = sorted(set(chosen("layer", layers, found.sizes.n_layers)))
    given = batch(model, inputs, padding=padding)
    order = sorted(
        {(found.sizes.n_layers if p == "logits" else layer, PLACES.index(p)) for p in wanted for layer in at}
    )
    keys = [(PLACES[i], None if PLACES[i] == "logits" else layer) for layer, i in order]
    if not keys:
        raise ValueError(f"nothing to keep: places {wanted}, layers {list(at)}; name one of each at least")
    values: dict[tuple[str, int | None], Tensor] = {}

    def keeper(key: tuple[str, int | None]):
        def keep(value: Tensor, start: int) -> Tensor | None:
            if grad and not value.requires_grad:  # a model whose parameters are frozen
                value = value.detach().requires_grad_()
            values[key] = value if keep_on is None else value.to(keep_on)
            if key == keys[-1] and key[0] != "logits":
                raise _Enough
            return value if grad else None  # handing it back puts a view, such as z by head, on the gradient's path

        return keep

    calls = [(place, layer, keeper((place, layer))) for place, layer in keys]
    n, done = len(given.tokens), []
    with torch.set_grad_enabled(grad), hooked(found, calls, read=True):
        for start in range(0, n, rows or n):
            some = slice(start, start + (rows or n))
            with suppress(_Enough):
                run(hf, given.tokens[some], **{name: value[some] for name, value in given.extra.items()})
            done.append(dict(values))
    if len(done) > 1:
        values = {key: torch.cat([part.pop(key) for part in done]) for key in list(values)}
    tokens, mask = (given.tokens, given.mask) if keep_on is None else (given.tokens.to(keep_on), given.mask.to(keep_on))
    return Trace(tokens, mask, values, found.sizes.n_layers, tokenizer)
