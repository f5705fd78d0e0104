"""Where each architecture keeps its parts: the one file that knows module names.

Everything else in this package works on *places* (`resid_pre`, `z`, `mlp_post`, ...), which mean the same in every
model. To support another architecture, add a `Layout` to `LAYOUTS`: attribute paths and how queries, keys and values
are packed. `parts` then finds every part or says which is missing.

    >>> import torch
    >>> from transformers import GPT2Config, GPT2LMHeadModel
    >>> from llmnotes.model.architectures import parts, sizes
    >>> model = GPT2LMHeadModel(GPT2Config(n_layer=2, n_head=4, n_embd=32, vocab_size=50, n_positions=16))
    >>> sizes(model.config)
    Sizes(n_layers=2, n_heads=4, n_kv_heads=4, d_model=32, d_head=8, vocab_size=50, n_ctx=16)
    >>> block = parts(model).blocks[0]
    >>> block.w_q.shape  # (head, d_model, d_head)
    torch.Size([4, 32, 8])
    >>> block.w_o.shape  # (head, d_head, d_model)
    torch.Size([4, 8, 32])
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

__all__ = [
    "LAYOUTS",
    "Block",
    "Layout",
    "Parts",
    "Sizes",
    "matrix",
    "norm_scale",
    "normalize",
    "parts",
    "sizes",
    "unwrap",
]


@dataclass(frozen=True)
class Layout:
    """Attribute paths of one architecture: of the model first, then of a block.

    `packing` says how the output of the query, key and value projection is laid out: "separate" (three modules),
    "thirds" (one module, all queries, then all keys, then all values) or "by_head" (q, k, v of head 0, then of head 1).
    """

    embeddings: tuple[str, ...]
    blocks: str
    final_norm: str
    norm_attn: str
    attn: str
    qkv: tuple[str, ...]
    packing: str
    attn_proj: str
    norm_mlp: str
    mlp: str
    mlp_in: str
    mlp_proj: str
    mlp_act: str = "mlp.act"
    mlp_gate: str = ""  # a second way in, by which the activation is multiplied (gated MLPs)
    rotary: str = ""
    unembedding: str = "lm_head"


_GPT2 = Layout(
    embeddings=("transformer.wte", "transformer.wpe"),
    blocks="transformer.h",
    final_norm="transformer.ln_f",
    norm_attn="ln_1",
    attn="attn",
    qkv=("attn.c_attn",),
    packing="thirds",
    attn_proj="attn.c_proj",
    norm_mlp="ln_2",
    mlp="mlp",
    mlp_in="mlp.c_fc",
    mlp_proj="mlp.c_proj",
)
_GPT_NEO = Layout(
    embeddings=("transformer.wte", "transformer.wpe"),
    blocks="transformer.h",
    final_norm="transformer.ln_f",
    norm_attn="ln_1",
    attn="attn.attention",
    qkv=("attn.attention.q_proj", "attn.attention.k_proj", "attn.attention.v_proj"),
    packing="separate",
    attn_proj="attn.attention.out_proj",
    norm_mlp="ln_2",
    mlp="mlp",
    mlp_in="mlp.c_fc",
    mlp_proj="mlp.c_proj",
)
_GPT_NEOX = Layout(
    embeddings=("gpt_neox.embed_in",),
    blocks="gpt_neox.layers",
    final_norm="gpt_neox.final_layer_norm",
    norm_attn="input_layernorm",
    attn="attention",
    qkv=("attention.query_key_value",),
    packing="by_head",
    attn_proj="attention.dense",
    norm_mlp="post_attention_layernorm",
    mlp="mlp",
    mlp_in="mlp.dense_h_to_4h",
    mlp_proj="mlp.dense_4h_to_h",
    rotary="gpt_neox.rotary_emb",
)
_LLAMA = Layout(
    embeddings=("model.embed_tokens",),
    blocks="model.layers",
    final_norm="model.norm",
    norm_attn="input_layernorm",
    attn="self_attn",
    qkv=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    packing="separate",
    attn_proj="self_attn.o_proj",
    norm_mlp="post_attention_layernorm",
    mlp="mlp",
    mlp_in="mlp.gate_proj",
    mlp_proj="mlp.down_proj",
    mlp_act="mlp.act_fn",
    mlp_gate="mlp.up_proj",
    rotary="model.rotary_emb",
)
LAYOUTS: dict[str, Layout] = {"gpt2": _GPT2, "gpt_neo": _GPT_NEO, "gpt_neox": _GPT_NEOX, "llama": _LLAMA}


@dataclass(frozen=True)
class Sizes:
    """The sizes that shapes are written in; `n_ctx` is the longest text in tokens."""

    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_model: int
    d_head: int
    vocab_size: int
    n_ctx: int


def sizes(config: Any) -> Sizes:
    """Read a model's sizes from its transformers configuration.

    Args:
        config: a `transformers` configuration, such as `model.config`.

    Returns:
        The sizes. Without grouped-query attention, `n_kv_heads` equals `n_heads`.
    """
    n_heads = config.num_attention_heads
    return Sizes(
        n_layers=config.num_hidden_layers,
        n_heads=n_heads,
        n_kv_heads=getattr(config, "num_key_value_heads", None) or n_heads,
        d_model=config.hidden_size,
        d_head=getattr(config, "head_dim", None) or config.hidden_size // n_heads,
        vocab_size=config.vocab_size,
        n_ctx=config.max_position_embeddings,
    )


@dataclass(frozen=True)
class Block:
    """The modules of one layer, and its weights by head."""

    module: nn.Module
    norm_attn: nn.Module
    attn: nn.Module
    qkv: tuple[nn.Module, ...]
    attn_proj: nn.Module
    norm_mlp: nn.Module
    mlp: nn.Module
    mlp_in: nn.Module
    mlp_proj: nn.Module
    mlp_act: nn.Module
    mlp_gate: nn.Module | None
    packing: str
    sizes: Sizes
    parallel: bool  # attention and MLP both read the block's input, so there is no resid_mid
    scale: float  # what attention scores are multiplied by
    window: int | None  # how many tokens back this layer sees, itself included; None: all

    def heads(self, which: str, packed: Float[Tensor, "... packed"]) -> Float[Tensor, "... head d_head"]:
        """The queries, keys or values (`which` is "q", "k" or "v") in the output of their projection, by head."""
        n, d_head = self.sizes.n_heads, self.sizes.d_head
        if self.packing == "separate":
            return packed.unflatten(-1, (-1, d_head))
        if self.packing == "thirds":
            return packed.unflatten(-1, (3, n, d_head))[..., "qkv".index(which), :, :]
        return packed.unflatten(-1, (n, 3, d_head))[..., "qkv".index(which), :]

    def with_heads(self, which: str, packed: Tensor, new: Float[Tensor, "... head d_head"]) -> Tensor:
        """The output of the projection with its queries, keys or values replaced (the inverse of `heads`)."""
        if self.packing == "separate":
            return new.flatten(-2)
        three = [new if name == which else self.heads(name, packed) for name in "qkv"]
        return torch.stack(three, dim=-3 if self.packing == "thirds" else -2).flatten(-3)

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
    sizes: Sizes
    embeddings: tuple[nn.Module, ...]
    blocks: tuple[Block, ...]
    final_norm: nn.Module
    unembedding: nn.Module
    rotary: nn.Module | None

    @property
    def w_e(self) -> Float[Tensor, "vocab d_model"]:
        """Token embeddings."""
        return self.embeddings[0].weight

    @property
    def w_u(self) -> Float[Tensor, "d_model vocab"]:
        """Unembedding. Often tied to `w_e`: never change it in place."""
        return matrix(self.unembedding)


def unwrap(model: Any) -> tuple[nn.Module, Any]:
    """The transformers model and the tokenizer (or None) of what `llmnotes.load` gives, or of a bare model.

    Args:
        model: an object with `.model` and `.tokenizer`, or a transformers model itself.

    Returns:
        The model and its tokenizer; a bare model has none, so it takes token ids instead of text.

    Raises:
        TypeError: it is neither.
    """
    # A Llama model has a `.model` of its own, so being a module is what tells the two apart.
    if isinstance(model, nn.Module):
        return model, None
    inner = getattr(model, "model", None)
    if not isinstance(inner, nn.Module):
        raise TypeError(f"got {type(model).__name__}; expected what llmnotes.load() returns, or a transformers model")
    return inner, getattr(model, "tokenizer", None)


def parts(model: Any) -> Parts:
    """Find every part of a model.

    Args:
        model: what `llmnotes.load` gives, or a transformers model with its language-modelling head.

    Returns:
        The parts.

    Raises:
        NotImplementedError: the architecture is not in `LAYOUTS`.
        ValueError: a part is not where its layout says.
    """
    model, _ = unwrap(model)
    config = getattr(model, "config", None)
    kind = getattr(config, "model_type", type(model).__name__)
    layout = LAYOUTS.get(kind)
    if layout is None:
        raise NotImplementedError(
            f"no layout for the architecture {kind!r}; known: {', '.join(LAYOUTS)}. "
            f"To add it: llmnotes.model.architectures.LAYOUTS[{kind!r}] = Layout(...), with the paths of its parts "
            "(if it names them as Llama does, LAYOUTS['llama'] itself), and run tests/test_architectures.py on it"
        )

    def find(root: nn.Module, path: str) -> nn.Module:
        try:
            return reduce(getattr, path.split("."), root)
        except AttributeError:
            where = "the model" if root is model else "a block"
            raise ValueError(
                f"{type(model).__name__}: {where} has no {path!r}, where the layout {kind!r} expects a part; "
                "load it with its language-modelling head (AutoModelForCausalLM), or mend the layout in LAYOUTS"
            ) from None

    size = sizes(config)

    def block(module: nn.Module) -> Block:
        attn = find(module, layout.attn)
        return Block(
            module=module,
            norm_attn=find(module, layout.norm_attn),
            attn=attn,
            qkv=tuple(find(module, path) for path in layout.qkv),
            attn_proj=find(module, layout.attn_proj),
            norm_mlp=find(module, layout.norm_mlp),
            mlp=find(module, layout.mlp),
            mlp_in=find(module, layout.mlp_in),
            mlp_proj=find(module, layout.mlp_proj),
            mlp_act=find(module, layout.mlp_act),
            mlp_gate=find(module, layout.mlp_gate) if layout.mlp_gate else None,
            packing=layout.packing,
            sizes=size,
            parallel=getattr(module, "use_parallel_residual", False),
            scale=getattr(attn, "scaling", 1.0),  # GPT-Neo scales nothing
            window=config.window_size if getattr(attn, "attention_type", "") == "local" else None,
        )

    return Parts(
        model=model,
        sizes=size,
        embeddings=tuple(find(model, path) for path in layout.embeddings),
        unembedding=find(model, layout.unembedding),
        blocks=tuple(block(module) for module in find(model, layout.blocks)),
        final_norm=find(model, layout.final_norm),
        rotary=find(model, layout.rotary) if layout.rotary else None,
    )


def matrix(module: nn.Module) -> Float[Tensor, "d_in d_out"]:
    """The weight of a linear module as y = x @ matrix. GPT-2's Conv1D keeps it so; `nn.Linear` keeps the transpose."""
    return module.weight.T if isinstance(module, nn.Linear) else module.weight


def norm_scale(norm: nn.Module, x: Float[Tensor, "... d_model"]) -> Float[Tensor, "... 1"]:
    """What a norm divides by: the standard deviation (LayerNorm) or root mean square (RMSNorm) of its input."""
    if isinstance(norm, nn.LayerNorm):
        return (x.var(-1, unbiased=False, keepdim=True) + norm.eps).sqrt()
    return (x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon).sqrt()


def normalize(
    norm: nn.Module, x: Float[Tensor, "... d_model"], scale: Float[Tensor, "... 1"]
) -> Float[Tensor, "... d_model"]:
    """The norm with a scale of our choosing. With the scale fixed it is linear in x but for the LayerNorm's bias."""
    if isinstance(norm, nn.LayerNorm):
        return (x - x.mean(-1, keepdim=True)) / scale * norm.weight + norm.bias
    return x / scale * norm.weight


def read_out(found: Parts, resid: Float[Tensor, "... d_model"]) -> Float[Tensor, "... vocab"]:
    """The logits of a residual stream after the last block."""
    return found.unembedding(found.final_norm(resid))
