"""A model taken apart: the modules of each block, its weights by head, and its norms in two steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor, nn

if TYPE_CHECKING:
    from llmnotes.model.architectures import Layout, Sizes


class Nothing(nn.Identity):
    """Stands for a norm that a layout does not name: the model never calls it, so it must not be hooked."""


@dataclass(frozen=True)
class Block:
    """The modules of one layer, and its weights by head."""

    module: nn.Module
    norm_attn: nn.Module  # `Nothing` where there is none, as for all norms
    attn: nn.Module
    qkv: tuple[nn.Module, ...]
    attn_proj: nn.Module
    norm_mlp: nn.Module
    mlp: nn.Module | None
    mlp_in: nn.Module | None
    mlp_proj: nn.Module | None
    mlp_act: nn.Module | None
    mlp_gate: nn.Module | None
    post_attn: nn.Module
    post_mlp: nn.Module
    q_norm: nn.Module
    k_norm: nn.Module
    pattern: nn.Module | None
    packing: str
    sizes: Sizes
    parallel: bool  # attention and MLP both read the block's input (or there is no MLP), so there is no resid_mid
    scale: float  # what attention scores are multiplied by
    softcap: float | None  # scores s become cap * tanh(s / cap)
    window: int | None  # how many tokens back this layer sees, itself included; None: all
    clip: float | None  # queries, keys and values are cut to this size (OLMo)
    writes: float  # what attention and MLP are multiplied by before they are added (Granite)
    rotates: bool
    layer_type: str | None

    def heads(self, which: str, packed: Float[Tensor, "... packed"]) -> Float[Tensor, "... head d_head"]:
        """The queries, keys or values (`which` is "q", "k" or "v") in the output of their projection, by head."""
        size = self.sizes
        if self.packing == "separate":
            return packed.unflatten(-1, (-1, size.d_head))
        if self.packing == "thirds":
            counts = [size.n_heads, size.n_kv_heads, size.n_kv_heads]
            return packed.unflatten(-1, (-1, size.d_head)).split(counts, dim=-2)["qkv".index(which)]
        return packed.unflatten(-1, (size.n_heads, 3, size.d_head))[..., "qkv".index(which), :]

    def with_heads(self, which: str, packed: Tensor, new: Float[Tensor, "... head d_head"]) -> Tensor:
        """The output of the projection with its queries, keys or values replaced (the inverse of `heads`)."""
        if self.packing == "separate":
            return new.flatten(-2)
        three = [new if name == which else self.heads(name, packed) for name in "qkv"]
        if self.packing == "thirds":
            return torch.cat(three, dim=-2).flatten(-2)
        return torch.stack(three, dim=-2).flatten(-3)

    def before_turning(self, which: str, x: Float[Tensor, "token head d_head"]) -> Float[Tensor, "token head d_head"]:
        """Queries or keys after their norm, which goes over a head (Qwen3) or over all of them together (OLMo 2)."""
        norm = self.q_norm if which == "q" else self.k_norm
        weight = getattr(norm, "weight", None)
        together = weight is not None and weight.numel() == x.size(-2) * x.size(-1) != x.size(-1)
        return norm(x.flatten(-2)).view_as(x) if together else norm(x)

    def attn_adds(self, out: Float[Tensor, "... d_model"]) -> Float[Tensor, "... d_model"]:
        """What attention adds to the residual stream, given the output of `attn_proj`."""
        return self.post_attn(out) * self.writes if self.writes != 1 else self.post_attn(out)

    def attn_change(
        self, z: Float[Tensor, "pos head d_head"], change: Float[Tensor, "... pos d_model"]
    ) -> Float[Tensor, "... pos d_model"]:
        """What attention adds more if the output of `attn_proj` changes; `z` is what it was made of."""
        if isinstance(self.post_attn, nn.Identity):
            return change * self.writes if self.writes != 1 else change
        out = self.attn_proj(z.flatten(-2))
        return self.attn_adds(out + change) - self.attn_adds(out)

    def projection(self, which: str) -> nn.Module:
        """The module whose output holds the queries, keys or values."""
        return self.qkv["qkv".index(which)] if self.packing == "separate" else self.qkv[0]

    def _weight(self, which: str) -> Tensor:
        return self.heads(which, matrix(self.projection(which))).movedim(-2, 0)

    @property
    def w_q(self) -> Float[Tensor, "head d_model d_head"]:
        """Query weights."""
        return self._weight("q")

    @property
    def w_k(self) -> Float[Tensor, "kv_head d_model d_head"]:
        """Key weights; under grouped-query attention one for each key-value head."""
        return self._weight("k")

    @property
    def w_v(self) -> Float[Tensor, "kv_head d_model d_head"]:
        """Value weights; under grouped-query attention one for each key-value head."""
        return self._weight("v")

    @property
    def w_o(self) -> Float[Tensor, "head d_head d_model"]:
        """Output weights: attn_out is the sum over heads of z @ w_o, plus the bias of `attn_proj`."""
        return matrix(self.attn_proj).unflatten(0, (self.sizes.n_heads, self.sizes.d_head))


@dataclass(frozen=True)
class Parts:
    """A model taken apart. Nothing is copied: these are the model's own modules."""

    model: nn.Module
    layout: Layout
    causal: bool  # no position looks ahead
    sizes: Sizes
    embeddings: tuple[nn.Module, ...]
    blocks: tuple[Block, ...]
    final_norm: nn.Module
    unembedding: nn.Module
    rotary: nn.Module | None
    logit_scale: float  # what logits are divided by (Granite)
    logit_cap: float | None  # logits l become cap * tanh(l / cap) (Gemma 2)

    @property
    def w_e(self) -> Float[Tensor, "vocab d_model"]:
        """Token embeddings."""
        return self.embeddings[0].weight

    @property
    def w_u(self) -> Float[Tensor, "d_model vocab"]:
        """Unembedding. Often tied to `w_e`: never change it in place."""
        return matrix(self.unembedding)

    def rotations(self, x: Float[Tensor, "pos d_model"]) -> list[tuple[Tensor, Tensor] | None]:
        """For each block the cosines and sines (pos, d_rotary) by which queries and keys turn; None where none do."""
        if self.rotary is None:
            return [None] * len(self.blocks)
        positions = torch.arange(x.size(0), device=x.device)[None]
        by_type = hasattr(self.rotary, "layer_types")  # Gemma 3 turns local layers by other angles than global ones
        kinds = {block.layer_type if by_type else None for block in self.blocks}
        turns = {kind: self.rotary(x[None], positions, *([kind] if by_type else [])) for kind in kinds}
        turns = {kind: (cos[0], sin[0]) for kind, (cos, sin) in turns.items()}
        return [turns[b.layer_type if by_type else None] if b.rotates else None for b in self.blocks]


def matrix(module: nn.Module) -> Float[Tensor, "d_in d_out"]:
    """The weight of a linear module as y = x @ matrix. GPT-2's Conv1D keeps it so; `nn.Linear` keeps the transpose."""
    return module.weight.T if isinstance(module, nn.Linear) else module.weight


def gain(norm: nn.Module) -> Tensor | float:
    """What a norm multiplies each dimension by after dividing; Gemma's stores it less one."""
    weight = getattr(norm, "weight", None)
    return 1.0 if weight is None else 1 + weight if type(norm).__name__.startswith("Gemma") else weight


def centers(norm: nn.Module) -> bool:
    """Whether a norm takes out the mean over dimensions: LayerNorms do, RMSNorms do not."""
    return isinstance(norm, nn.LayerNorm) or type(norm).__name__.endswith("LayerNorm")


def norm_scale(norm: nn.Module, x: Float[Tensor, "... d_model"]) -> Float[Tensor, "... 1"]:
    """What a norm divides by: the standard deviation (LayerNorm), the root mean square (RMSNorm), or 1 (none)."""
    if isinstance(norm, nn.Identity):
        return torch.ones_like(x[..., :1])
    eps = getattr(norm, "variance_epsilon", getattr(norm, "eps", 1e-5))  # OLMo's norm keeps its 1e-5 to itself
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    spread = x.var(-1, unbiased=False, keepdim=True) if centers(norm) else x.pow(2).mean(-1, keepdim=True)
    return (spread + eps).sqrt()


def normalize(
    norm: nn.Module, x: Float[Tensor, "... d_model"], scale: Float[Tensor, "... 1"]
) -> Float[Tensor, "... d_model"]:
    """The norm with a scale of our choosing. With the scale fixed it is linear in x but for the LayerNorm's bias."""
    out = (x - x.mean(-1, keepdim=True) if centers(norm) else x) / scale * gain(norm)
    bias = getattr(norm, "bias", None)
    return out if bias is None else out + bias


def read_out(found: Parts, resid: Float[Tensor, "... d_model"]) -> Float[Tensor, "... vocab"]:
    """The logits of a residual stream after the last block."""
    logits = found.unembedding(found.final_norm(resid))
    logits = logits / found.logit_scale if found.logit_scale != 1 else logits
    return logits if found.logit_cap is None else (logits / found.logit_cap).tanh() * found.logit_cap
