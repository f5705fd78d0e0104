"""A GPT-2 transformer from scratch, with switches for the pieces that labs take apart.

The parameter names and shapes are those of `transformers.GPT2LMHeadModel`, so that weights move between the two in
both directions. The architecture is that of Radford et al. (2019), "Language Models are Unsupervised Multitask
Learners"; rotary positions are those of Su et al. (2021), "RoFormer".

In the comments B is the batch, T the new positions, S all positions so far, D = d_model and H the number of heads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

POSITIONS = ("learned", "sinusoidal", "rotary", "none")


@dataclass(frozen=True)
class Config:
    """The sizes of a transformer, and which of its pieces it has."""

    vocab_size: int
    n_ctx: int = 256  # the longest sequence, in tokens
    n_layers: int = 4  # blocks
    n_heads: int = 4  # a block
    d_model: int = 128  # width of the residual stream, a multiple of n_heads
    d_mlp: int | None = None  # width of the MLP's hidden layer; None: 4 x d_model
    positions: str = "learned"  # or "sinusoidal", "rotary", "none"
    norm: bool = True  # layer norms before attention, before the MLP and before the unembedding
    residual: bool = True  # attention and MLP add to their input; else they replace it
    mlp: bool = True  # else the model is attention-only
    # Amplitude of the sinusoids that learned positions start from; at 0 they start at random, as GPT-2's do. From
    # sinusoids a head that looks one token back is a rotation away.
    sinusoidal_start: float = 0.0
    dropout: float = 0.0  # share of the embeddings and of what attention and MLP write, in training

    def __post_init__(self) -> None:
        if self.positions not in POSITIONS:
            raise ValueError(f"positions is {self.positions!r}; expected one of {', '.join(POSITIONS)}")
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model {self.d_model} is not a multiple of n_heads {self.n_heads}")
        if self.positions == "rotary" and (self.d_model // self.n_heads) % 2:
            raise ValueError(f"rotary positions turn pairs: d_head {self.d_model // self.n_heads} must be even")


@dataclass
class Cache:
    """Keys and values of the positions seen so far: per layer two tensors (B, H, S, d_head). Starts empty."""

    layers: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """How many positions are cached."""
        return self.layers[0][0].shape[2] if self.layers else 0

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append new keys and values (B, H, T, d_head) of a layer; gives back all of them (B, H, S, d_head)."""
        if layer in self.layers:
            old_k, old_v = self.layers[layer]
            k, v = torch.cat([old_k, k], dim=2), torch.cat([old_v, v], dim=2)
        self.layers[layer] = (k, v)
        return k, v


class Conv1D(nn.Module):
    """A linear map whose weight is stored as (in, out), as in GPT-2's checkpoints (`nn.Linear` stores (out, in))."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x.view(-1, x.shape[-1]), self.weight).view(*x.shape[:-1], -1)


def attention_pattern(
    q: Float[Tensor, "batch heads new d_head"], k: Float[Tensor, "batch heads all d_head"]
) -> Float[Tensor, "batch heads new all"]:
    """How much each new position attends to each position so far: softmax(q k^T / sqrt(d_head)), 0 for those ahead."""
    T, S = q.shape[2], k.shape[2]
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (B, H, T, S)
    ahead = torch.ones(T, S, dtype=torch.bool, device=q.device).triu(1 + S - T)
    return scores.masked_fill(ahead, -math.inf).softmax(-1)


class Attention(nn.Module):
    """Multi-head causal self-attention: every head moves a linear image of earlier residuals to the present one."""

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        self.layer, self.n_heads, self.rotary = layer, config.n_heads, config.positions == "rotary"
        self.c_attn = Conv1D(config.d_model, 3 * config.d_model)
        self.c_proj = Conv1D(config.d_model, config.d_model)

    def forward(self, x: Tensor, cache: Cache | None = None, start: int = 0) -> Tensor:
        B, T, D = x.shape
        q, k, v = (
            part.view(B, T, self.n_heads, D // self.n_heads).transpose(1, 2)  # (B, H, T, d_head)
            for part in self.c_attn(x).split(D, dim=-1)
        )
        if self.rotary:
            q, k = rotate(q, start), rotate(k, start)
        if cache is not None:
            k, v = cache.extend(self.layer, k, v)
        if k.shape[2] == T:  # the same as attention_pattern(q, k) @ v, fused: no (B, H, T, S) pattern in memory
            z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            z = attention_pattern(q, k) @ v
        return self.c_proj(z.transpose(1, 2).reshape(B, T, D))


class MLP(nn.Module):
    """Two matrices with a GELU between: what a block computes at each position on its own."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        d_mlp = 4 * config.d_model if config.d_mlp is None else config.d_mlp
        self.c_fc = Conv1D(config.d_model, d_mlp)
        self.c_proj = Conv1D(d_mlp, config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    """One layer: attention, then an MLP, each reading the residual stream through a norm and adding to it."""

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        self.residual = config.residual
        self.ln_1 = nn.LayerNorm(config.d_model) if config.norm else nn.Identity()
        self.attn = Attention(config, layer)
        if config.mlp:
            self.ln_2 = nn.LayerNorm(config.d_model) if config.norm else nn.Identity()
        self.mlp = MLP(config) if config.mlp else None
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, cache: Cache | None = None, start: int = 0) -> Tensor:
        a = self.drop(self.attn(self.ln_1(x), cache, start))
        x = x + a if self.residual else a
        if self.mlp is None:
            return x
        m = self.drop(self.mlp(self.ln_2(x)))
        return x + m if self.residual else m


class Transformer(nn.Module):
    """A GPT-2 language model. Loads the state dict of any `GPT2LMHeadModel` of the same sizes.

    Initial weights are normal with deviation 0.02, and 0.02 / sqrt(2 n_layers) for the matrices that write to the
    residual stream, as in GPT-2.
    """

    def __init__(self, config: Config, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        parts: dict[str, nn.Module] = {"wte": nn.Embedding(config.vocab_size, config.d_model)}
        if config.positions == "learned":
            parts["wpe"] = nn.Embedding(config.n_ctx, config.d_model)
        parts["h"] = nn.ModuleList([Block(config, layer) for layer in range(config.n_layers)])
        parts["ln_f"] = nn.LayerNorm(config.d_model) if config.norm else nn.Identity()
        self.transformer = nn.ModuleDict(parts)
        self.drop = nn.Dropout(config.dropout)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.lm_head.weight = self.transformer["wte"].weight  # tied: one matrix embeds and unembeds

        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                writes = name.endswith("c_proj.weight")
                std = 0.02 / math.sqrt(2 * config.n_layers if writes else 1)
                nn.init.normal_(parameter, std=std, generator=generator)
        if config.positions == "learned" and config.sinusoidal_start:
            with torch.no_grad():
                self.transformer["wpe"].weight.copy_(config.sinusoidal_start * sinusoids(config.n_ctx, config.d_model))

    def forward(
        self, ids: Int[Tensor, "batch pos"], cache: Cache | None = None
    ) -> Float[Tensor, "batch pos vocab_size"]:
        """The next-token logits at every position of ids, which a cache (extended in place) does not hold yet."""
        start = 0 if cache is None else cache.length
        total = start + ids.shape[1]
        if total > self.config.n_ctx:
            raise ValueError(f"the text has {total} tokens and the context holds {self.config.n_ctx}; shorten it")
        x = self.transformer["wte"](ids)  # (B, T, D)
        if self.config.positions == "learned":
            x = x + self.transformer["wpe"].weight[start:total]
        elif self.config.positions == "sinusoidal":
            x = x + sinusoids(total, self.config.d_model)[start:].to(x)
        x = self.drop(x)
        for block in self.transformer["h"]:
            x = block(x, cache, start)
        return self.lm_head(self.transformer["ln_f"](x))


def rotate(x: Float[Tensor, "batch heads pos d_head"], start: int = 0) -> Float[Tensor, "batch heads pos d_head"]:
    """Turn each pair of dimensions (i, i + d_head/2) by an angle that grows with the position, from `start` (RoPE)."""
    half = x.shape[-1] // 2
    speed = 10_000.0 ** (-torch.arange(half, device=x.device) / half)  # radians a position
    angle = torch.arange(start, start + x.shape[2], device=x.device)[:, None] * speed  # (T, d_head/2)
    cos, sin = angle.cos(), angle.sin()
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def sinusoids(n: int, d_model: int) -> Float[Tensor, "pos d_model"]:
    """The fixed position vectors of Vaswani et al. (2017): sines in even dimensions, cosines in odd ones."""
    speed = 10_000.0 ** (-torch.arange(0, d_model, 2) / d_model)
    angle = torch.arange(n)[:, None] * speed  # (n, d_model/2)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :d_model]


@torch.no_grad()
def generate(
    model: Transformer,
    ids: Int[Tensor, "batch pos"],
    n_new: int,
    *,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    use_cache: bool = True,
) -> Int[Tensor, "batch longer"]:
    """Continue a sequence token by token.

    Temperature 0 takes the likeliest token each time, 1 samples from the model's own distribution. The cache changes
    time, not text. Raises ValueError where prompt and continuation do not fit into the context.
    """
    if ids.shape[1] + n_new > model.config.n_ctx:
        total = f"{ids.shape[1]} prompt tokens and {n_new} new ones make {ids.shape[1] + n_new}"
        raise ValueError(f"{total}; the context holds {model.config.n_ctx}: ask for fewer, or shorten the prompt")
    cache = Cache() if use_cache else None
    for _ in range(n_new):
        seen = 0 if cache is None else cache.length
        logits = model(ids[:, seen:], cache)[:, -1]  # (B, vocab_size)
        if temperature:
            new = torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator)
        else:
            new = logits.argmax(-1, keepdim=True)
        ids = torch.cat([ids, new], dim=1)
    return ids
