"""Other ways of tuning a model without touching its matrices: bottleneck adapters, prompts, prefixes, biases.

Each is a dictionary of small tensors, trained by `llmnotes.methods.lora.tune`, and a function that runs the model so.

Examples:
    >>> import torch
    >>> from llmnotes.model import load
    >>> from llmnotes.methods.adapters import prompted, soft_prompt
    >>> model = load("world")
    >>> prompted(model, soft_prompt(model, 3))(torch.tensor([[3, 1, 4, 1]])).shape
    torch.Size([1, 4, 238])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from llmnotes.model.architectures import sizes, unwrap
from llmnotes.model.interventions import edit

Predict = Callable[[Tensor], Tensor]  # token ids (row, pos) to logits (row, pos, vocab)


PLACES = ("attn_out", "mlp_out")


def biases(model: Any) -> dict[str, Tensor]:
    """Copy every bias of a model by name, to train nothing else (Ben Zaken et al. 2022, "BitFit").

    `llmnotes.methods.lora.predictor` runs the model with them. Raises ValueError for a model without biases.
    """
    hf, _ = unwrap(model)
    found = {name: p.detach().clone() for name, p in hf.named_parameters() if name.endswith(".bias")}
    if not found:
        raise ValueError(f"{type(hf).__name__} has no biases to tune; many models of today have none")
    return found


def bottleneck(model: Any, width: int, *, seed: int = 0) -> dict[str, Tensor]:
    """Make adapters behind every attention and every MLP: two thin matrices with a GELU between (Houlsby et al. 2019).

    For each place `attn_out.0.down` (d_model, width), random, and `.up` (width, d_model), zeros: nothing changes yet.
    """
    if width < 1:
        raise ValueError(f"bottleneck: width is {width}; expected 1 or more")
    size = sizes(unwrap(model)[0].config)
    generator = torch.Generator().manual_seed(seed)
    made = {}
    for name in (f"{place}.{layer}" for layer in range(size.n_layers) for place in PLACES):
        made[f"{name}.down"] = torch.randn(size.d_model, width, generator=generator) / size.d_model**0.5
        made[f"{name}.up"] = torch.zeros(width, size.d_model)
    return made


def bottlenecked(model: Any, trained: Mapping[str, Tensor]) -> Predict:
    """The model with bottleneck adapters: what attention or an MLP puts out, x, becomes x + GELU(x down) up."""

    def predict(ids: Tensor) -> Tensor:
        with ExitStack() as stack:
            for name in (name.removesuffix(".up") for name in trained if name.endswith(".up")):
                place, layer = name.split(".")
                down, up = trained[f"{name}.down"], trained[f"{name}.up"]

                def change(x: Tensor, _: Tensor, down: Tensor = down, up: Tensor = up) -> Tensor:
                    return x + nn.functional.gelu(x @ down) @ up

                stack.enter_context(edit(model, place, int(layer), change))
            return unwrap(model)[0](ids).logits

    return predict


def soft_prompt(model: Any, length: int, *, seed: int = 0) -> dict[str, Tensor]:
    """Make vectors to stand before a text as if they were words (Lester et al. 2021): those of random words at first.

    They are one tensor, `prompt`, (length, d_model).
    """
    hf, _ = unwrap(model)
    return {"prompt": hf.get_input_embeddings().weight.detach()[_random_words(hf, length, seed)].clone()}


def prompted(model: Any, trained: Mapping[str, Tensor]) -> Predict:
    """The model behind a soft prompt; the text's own positions still count from 0, and the prompt's are all 0."""
    hf, _ = unwrap(model)

    def predict(ids: Tensor) -> Tensor:
        rows, n = len(ids), len(trained["prompt"])
        embeds = torch.cat([trained["prompt"].expand(rows, -1, -1), hf.get_input_embeddings()(ids)], 1)
        positions = torch.cat([torch.zeros(n, dtype=torch.long), torch.arange(ids.size(1))])
        mask = torch.ones(rows, embeds.size(1), dtype=torch.long)  # else positions that begin anew part the text in two
        return hf(inputs_embeds=embeds, position_ids=positions[None], attention_mask=mask).logits[:, n:]

    return predict


def prefix(model: Any, length: int, *, seed: int = 0) -> dict[str, Tensor]:
    """Make keys and values for every layer to look at besides the text's own (Li & Liang 2021).

    For each layer `k.0` and `v.0`, (kv heads, length, d_head): those of a random text, to start with.
    """
    hf, _ = unwrap(model)
    with torch.no_grad():
        cache = hf(_random_words(hf, length, seed)[None], use_cache=True).past_key_values
    made = {}
    for layer, one in enumerate(cache.layers):
        made |= {f"k.{layer}": one.keys[0].clone(), f"v.{layer}": one.values[0].clone()}
    return made


def prefixed(model: Any, trained: Mapping[str, Tensor]) -> Predict:
    """The model with a prefix; the text's own positions still count from 0."""
    from transformers import DynamicCache

    hf, _ = unwrap(model)

    def predict(ids: Tensor) -> Tensor:
        rows, length = len(ids), trained["k.0"].size(1)
        cache = DynamicCache()
        for layer in range(sizes(hf.config).n_layers):
            k, v = (trained[f"{which}.{layer}"].expand(rows, -1, -1, -1) for which in "kv")
            cache.update(k, v, layer)
        mask = torch.ones(rows, length + ids.size(1), dtype=torch.long)
        positions = torch.arange(ids.size(1))[None]
        return hf(ids, past_key_values=cache, position_ids=positions, attention_mask=mask).logits

    return predict


def _random_words(hf: Any, length: int, seed: int) -> Tensor:
    if length < 1:
        raise ValueError(f"length is {length}; expected 1 or more")
    return torch.randint(hf.config.vocab_size, (length,), generator=torch.Generator().manual_seed(seed))
