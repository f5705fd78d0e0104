"""Push a model in a direction while it writes, and measure what that does.

>>> import torch
>>> from transformers import GPT2Config, GPT2LMHeadModel
>>> from llmnotes.methods.steering import difference_of_means, generate, steer
>>> model = GPT2LMHeadModel(
...     GPT2Config(n_layer=2, n_head=4, n_embd=32, vocab_size=50, n_positions=16, bos_token_id=0, eos_token_id=0)
... ).eval()
>>> vector = difference_of_means(model, [[3, 1, 4], [1, 5, 9]], [[2, 7, 1], [8, 2, 8]], layer=0)
>>> with steer(model, vector, layer=0, dose=5.0):
...     generate(model, [3, 1], tokens=4).shape
torch.Size([1, 6])
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from llmnotes.model.architectures import unwrap
from llmnotes.model.inputs import batch
from llmnotes.model.interventions import add
from llmnotes.model.loss import nll
from llmnotes.model.tracing import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jaxtyping import Float, Int
    from torch import Tensor

    from llmnotes.model.inputs import Inputs

__all__ = ["Dose", "difference_of_means", "dose_response", "generate", "steer"]


@torch.no_grad()
def difference_of_means(
    model: Any, towards: Inputs, away: Inputs, layer: int, *, place: str = "resid_post", last_only: bool = False
) -> Float[Tensor, " d_model"]:
    """The vector from the mean activation of some texts to that of others (Turner et al. 2023; Rimsky et al. 2024).

    Args:
        model: what `llmnotes.load` gives, or a transformers model.
        towards: texts that have what the vector shall bring.
        away: texts that have not, and are alike otherwise.
        layer: where.
        place: a place of width d_model.
        last_only: use each text's last token instead of all its tokens.

    Returns:
        The vector, as long as the means are apart: a dose of 1 moves from one to the other.
    """
    means = []
    for texts in (towards, away):
        seen = trace(model, texts, [place], layers=[layer])
        value = seen[place, layer]
        if last_only:
            means.append(value[range(len(value)), seen.mask.sum(-1) - 1].mean(0))
        else:
            means.append(value[seen.mask].mean(0))
    return means[0] - means[1]


@contextmanager
def steer(
    model: Any,
    vector: Float[Tensor, " d_model"],
    layer: int,
    *,
    dose: float = 1.0,
    place: str = "resid_post",
    **part: Any,
) -> Iterator[None]:
    """Add `dose * vector` at a layer while the body runs.

    Args:
        model: what `llmnotes.load` gives, or a transformers model.
        vector: from `difference_of_means`, a probe's direction, an SAE's decoder, an unembedding row.
        layer: where.
        dose: how much; negative pushes the other way.
        place: a place as wide as the vector.
        **part: `positions`, as in `llmnotes.model.edit`; every position, generated ones too, if not given.

    Raises:
        ValueError: a vector of the wrong size.
    """
    with add(model, place, layer, dose * vector, **part):
        yield


@torch.no_grad()
def generate(
    model: Any, prompt: Inputs, *, tokens: int = 30, temperature: float = 0.0, samples: int = 1, seed: int = 0
) -> list[str] | Int[Tensor, "sample pos"]:
    """Continue a prompt, with the cache and under whatever interventions are active.

    Args:
        model: what `llmnotes.load` gives, or a transformers model.
        prompt: one text, or one row of ids.
        tokens: how many tokens to add, unless the model ends the text earlier.
        temperature: 0 takes the likeliest token each time.
        samples: how many continuations.
        seed: of the sampling; the global random state stays as it was.

    Returns:
        Texts that begin with the prompt; token ids from a model without a tokenizer.

    Raises:
        ValueError: more than one prompt, or prompt and continuation do not fit into the context.
    """
    hf, tokenizer = unwrap(model)
    start = batch(model, prompt).tokens
    if len(start) != 1:
        raise ValueError(f"got {len(start)} prompts; expected one: loop over them")
    room = hf.config.max_position_embeddings - start.size(1)
    if tokens > room:
        raise ValueError(f"the prompt of {start.size(1)} tokens leaves room for {room}; tokens is {tokens}")
    sampling = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature > 0 else {"do_sample": False}
    pad = getattr(hf.config, "pad_token_id", None)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ids = hf.generate(
            start.expand(samples, -1),
            attention_mask=torch.ones_like(start).expand(samples, -1),
            max_new_tokens=tokens,
            pad_token_id=getattr(hf.config, "eos_token_id", 0) if pad is None else pad,
            **sampling,
        )
    return ids if tokenizer is None else [tokenizer.decode(row, skip_special_tokens=True) for row in ids]


@dataclass(frozen=True)
class Dose:
    """What one dose did: the mean score of its continuations, the loss on other text, and the continuations."""

    dose: float
    score: float
    loss: float
    outputs: list


def dose_response(
    model: Any,
    vector: Float[Tensor, " d_model"],
    layer: int,
    prompt: Inputs,
    score: Callable[[Any], float],
    doses: Sequence[float],
    *,
    other_text: Inputs,
    samples: int = 4,
    tokens: int = 20,
    temperature: float = 0.8,
    seed: int = 0,
) -> list[Dose]:
    """Steer by each dose, and weigh what is gained against what is lost.

    Put 0 among the doses, and run it again with a random vector of the same length: that is the control.

    Args:
        model: what `llmnotes.load` gives, or a transformers model.
        vector: what to add.
        layer: where.
        prompt: what to continue.
        score: gives a number for a continuation (a text, or token ids without a tokenizer).
        doses: how much to add.
        other_text: ordinary text; the loss on it says how much the dose spoils.
        samples: continuations for each dose.
        tokens: their length.
        temperature: of the sampling.
        seed: of the sampling, the same for each dose.

    Returns:
        One `Dose` for each.
    """
    results = []
    for dose in doses:
        with steer(model, vector, layer, dose=dose):
            outputs = list(generate(model, prompt, tokens=tokens, temperature=temperature, samples=samples, seed=seed))
            loss = nll(model, other_text)
        scores = [float(score(output)) for output in outputs]
        results.append(Dose(dose, sum(scores) / len(scores), loss, outputs))
    return results
