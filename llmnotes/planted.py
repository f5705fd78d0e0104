"""A head that looks one token back, planted into a transformer before its training and kept as it is.

Learned positions start as noise, and from noise a previous-token head takes long to form: a model of fairy tales had
none after seven million tokens, and without one nothing can come of induction. The planted head is head 0 of layer 0.
The first d_head dimensions of the residual stream are left to positions alone, as pairs of a sine and a cosine, each
pair with a speed of its own (Vaswani et al. 2017, "Attention Is All You Need"). Keys are those dimensions; queries are
the same, turned back by one step. So query and key agree best where the key's position is the one before. What the
head copies, and what later layers make of it, is learned.
"""

from __future__ import annotations

import torch

from llmnotes.transformer import Transformer

AMPLITUDE = 0.15  # of the sines; tokens' embeddings start at 0.02 and end at about 0.1
SHARPNESS = 4.0  # of queries and keys: nearly all attention goes one back, also when embeddings have grown


@torch.no_grad()
def plant_previous_token_head(model: Transformer) -> None:
    """Set the head's weights, and the dimensions that it reads; called after each step of training, it keeps them.

    Args:
        model: a transformer with learned positions; changed in place.

    Raises:
        ValueError: it has other positions, or an odd d_head.
    """
    config = model.config
    width = config.d_model // config.n_heads
    if config.positions != "learned" or width % 2:
        raise ValueError(
            f"positions are {config.positions!r} and d_head is {width}; expected 'learned' and an even number"
        )
    speed = 3.0 * 0.01 ** torch.linspace(0, 1, width // 2)  # radians a position, from 3 to 0.03
    angle = torch.arange(config.n_ctx)[:, None] * speed
    tokens, positions = model.transformer["wte"].weight, model.transformer["wpe"].weight
    tokens[:, :width] = 0
    positions[:, :width] = AMPLITUDE * torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)
    turn = torch.zeros(width, width)  # (sin a, cos a) @ turn = (sin(a - speed), cos(a - speed))
    even, odd = torch.arange(0, width, 2), torch.arange(1, width, 2)
    turn[even, even] = turn[odd, odd] = speed.cos()
    turn[odd, even], turn[even, odd] = -speed.sin(), speed.sin()
    attention = model.transformer["h"][0].attn.c_attn
    for begin, part in ((0, turn), (config.d_model, torch.eye(width))):  # queries, keys
        attention.weight[:, begin : begin + width] = 0
        attention.weight[:width, begin : begin + width] = SHARPNESS * part
        attention.bias[begin : begin + width] = 0
