"""Push a model in a direction while it writes, and measure what that does.

Examples:
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

from contextlib import AbstractContextManager
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from llmnotes.methods.giants import giants, say_giants
from llmnotes.model.architectures import described, logits_of, run, sizes, unwrap
from llmnotes.model.inputs import Inputs, batch, integers
from llmnotes.model.interventions import add
from llmnotes.model.tracing import trace


@torch.no_grad()
def difference_of_means(
    model: Any,
    towards: Inputs,
    away: Inputs,
    layer: int,
    *,
    place: str = "resid_post",
    last_only: bool = False,
    keep_giants: bool = False,
) -> Float[Tensor, " d_model"]:
    """The vector from the mean activation of some texts to that of others (Turner et al. 2023; Rimsky et al. 2024).

    It is as long as the means are apart: a dose of 1 moves from one to the other.

    Args:
        towards: texts that have what the vector shall bring.
        away: texts that have not, and are alike otherwise.
        last_only: use each text's last token instead of all its tokens.
        keep_giants: count giant vectors, too (`llmnotes.methods.giants`), which are else left out with a warning.
    """
    sides = []
    for texts in (towards, away):
        seen = trace(model, texts, [place], layers=[layer])
        value = seen[place, layer]
        sides.append(value[range(len(value)), seen.mask.sum(-1) - 1] if last_only else value[seen.mask])
    large = giants(torch.cat(sides)).split([len(side) for side in sides])
    if not keep_giants and not any(side.all() for side in large):
        say_giants(torch.cat(large), "left out of the means; keep_giants=True counts them")
        sides = [side[~those] for side, those in zip(sides, large, strict=True)]
    return sides[0].float().mean(0) - sides[1].float().mean(0)


def steer(
    model: Any,
    vector: Float[Tensor, " d_model"],
    layer: int,
    *,
    dose: float = 1.0,
    place: str = "resid_post",
    **part: Any,
) -> AbstractContextManager[None]:
    """Add `dose * vector` at a layer while the body runs.

    The vector comes from `difference_of_means`, or is a probe's direction, an SAE's decoder, an unembedding row. It is
    added at every position, generated ones too, unless `positions` are given as for `llmnotes.model.edit`.
    """
    return add(model, place, layer, dose * vector, **part)


@torch.no_grad()
def generate(
    model: Any, prompt: Inputs, *, tokens: int = 30, temperature: float = 0.0, samples: int = 1, seed: int = 0
) -> list[str] | Int[Tensor, "sample pos"]:
    """Continue a prompt, with the cache and under whatever interventions are active.

    The model's own generation settings (a repetition penalty, top-p) have no say: each token is the likeliest, or, with
    a temperature by which logits are divided, drawn on the CPU with this seed. A text ends at any of the model's
    end-of-text tokens. Texts come back with the prompt; without a tokenizer ids, filled up behind an end.

    Raises:
        ValueError: more than one prompt, a negative temperature, or more tokens than the context holds.
    """
    hf, tokenizer = unwrap(model)
    start = batch(model, prompt).tokens
    if len(start) != 1:
        raise ValueError(f"got {len(start)} prompts; expected one: loop over them")
    room = sizes(hf).n_ctx - start.size(1)
    if tokens > room:
        raise ValueError(f"the prompt of {start.size(1)} tokens leaves room for {room}; tokens is {tokens}")
    if not temperature >= 0:
        raise ValueError(f"temperature is {temperature}; expected 0 or more")
    ends, pad = _end_tokens(hf)
    generator = torch.Generator().manual_seed(seed)
    ids, new, cache = start.expand(samples, -1), start.expand(samples, -1), None
    ended = torch.zeros(samples, dtype=torch.bool)
    for _ in range(tokens):
        if described(hf):  # a module of one's own, which takes ids alone
            out = run(hf, ids)
        else:
            out = run(hf, new, past_key_values=cache, use_cache=True)
            cache = out.past_key_values
        logits = logits_of(out)[:, -1].float().cpu()
        if temperature == 0:
            drawn = logits.argmax(-1)
        else:
            drawn = torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator)[:, 0]
        drawn[ended] = pad
        ended |= torch.isin(drawn, ends)
        new = drawn[:, None].to(ids.device)
        ids = torch.cat([ids, new], dim=1)
        if ended.all():
            break
    return ids if tokenizer is None else [tokenizer.decode(row, skip_special_tokens=True) for row in ids]


def _end_tokens(hf: Any) -> tuple[Int[Tensor, " end"], int]:
    """The tokens at which a text ends, of which there may be none or several, and what to write behind one."""
    holders = getattr(hf, "generation_config", None), getattr(hf, "config", None)
    named = (getattr(holder, "eos_token_id", None) for holder in holders)
    ends = integers("eos_token_id", next((some for some in named if some is not None), []))
    pad = getattr(holders[1], "pad_token_id", None)
    return torch.tensor(ends, dtype=torch.long), pad if pad is not None else ends[0] if ends else 0
