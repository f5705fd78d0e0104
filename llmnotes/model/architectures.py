"""Where each architecture keeps its parts: the one file that knows module names.

Everything else in this package works on *places* (`resid_pre`, `z`, `mlp_post`, ...), which mean the same in every
model. To support another architecture, add a `Layout` to `LAYOUTS`: attribute paths and how queries, keys and values
are packed. `parts` then finds every part or says which is missing. For a module of one's own, see `describe`.

A block writes x + attn(norm(x)), then the same with its MLP. Norms on queries and keys (Qwen3, OLMo 2, Gemma 3) or on
what is written (OLMo 2, Gemma 2 and 3), factors and caps (Granite, Gemma 2), windows (Mistral, Gemma 2 and 3) and
layers without rotary positions (SmolLM3) stand in `Block`, too.

Examples:
    >>> from transformers import GPT2Config, GPT2LMHeadModel
    >>> from llmnotes.model.architectures import parts, sizes
    >>> model = GPT2LMHeadModel(GPT2Config(n_layer=2, n_head=4, n_embd=32, vocab_size=50, n_positions=16))
    >>> sizes(model.config)
    Sizes(n_layers=2, n_heads=4, n_kv_heads=4, d_model=32, d_head=8, vocab_size=50, n_ctx=16)
    >>> block = parts(model).blocks[0]
    >>> block.w_q.shape  # (head, d_model, d_head)
    torch.Size([4, 32, 8])
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import reduce
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from llmnotes.model.blocks import Block, Nothing, Parts


@dataclass(frozen=True)
class Layout:
    """Attribute paths of one architecture: of the model first, then of a block.

    `packing` says how the output of the query, key and value projection is laid out: "separate" (three modules),
    "thirds" (one module, all queries, then all keys, then all values) or "by_head" (q, k, v of head 0, then of head 1).
    """

    embeddings: tuple[str, ...]
    blocks: str
    final_norm: str
    attn: str
    qkv: tuple[str, ...]
    packing: str
    attn_proj: str
    norm_attn: str = ""  # "": none, the block's input goes in as it is
    norm_mlp: str = ""
    mlp: str = ""  # "": no MLP at all
    mlp_in: str = ""
    mlp_proj: str = ""
    mlp_act: str = "mlp.act"
    mlp_gate: str = ""  # a second way in, by which the activation is multiplied (gated MLPs); may share its module
    post_attn: str = ""  # a norm on what attention writes
    post_mlp: str = ""
    q_norm: str = ""  # a norm on queries, before they turn
    k_norm: str = ""
    rotary: str = ""  # gives cosines and sines for positions; pairs are (i, i + d_rotary/2)
    scale: float | None = None  # what attention scores are multiplied by; None: attn.scaling, or d_head**-0.5
    pattern: str = ""  # of a module of one's own: the part whose output is the pattern
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
_GPT_NEO = replace(
    _GPT2,
    scale=1.0,
    attn="attn.attention",
    qkv=("attn.attention.q_proj", "attn.attention.k_proj", "attn.attention.v_proj"),
    packing="separate",
    attn_proj="attn.attention.out_proj",
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
_QK_NORMS = {"q_norm": "self_attn.q_norm", "k_norm": "self_attn.k_norm"}
_POST_NORMS = {"post_attn": "post_attention_layernorm", "post_mlp": "post_feedforward_layernorm"}
_GEMMA2 = replace(_LLAMA, norm_mlp="pre_feedforward_layernorm", **_POST_NORMS)
LAYOUTS: dict[str, Layout] = {
    "gpt2": _GPT2,
    "gpt_neo": _GPT_NEO,
    "gpt_neox": _GPT_NEOX,
    **dict.fromkeys(("llama", "qwen2", "mistral", "gemma", "smollm3", "olmo", "granite"), _LLAMA),
    "qwen3": replace(_LLAMA, **_QK_NORMS),
    "stablelm": replace(_LLAMA, q_norm="self_attn.q_layernorm", k_norm="self_attn.k_layernorm"),
    "olmo2": replace(_LLAMA, norm_attn="", norm_mlp="", **_POST_NORMS, **_QK_NORMS),
    "phi3": replace(
        _LLAMA,
        qkv=("self_attn.qkv_proj",),
        packing="thirds",
        mlp_in="mlp.gate_up_proj",
        mlp_gate="mlp.gate_up_proj",
        mlp_act="mlp.activation_fn",
    ),
    "gemma2": _GEMMA2,
    "gemma3_text": replace(_GEMMA2, **_QK_NORMS),
}
_OWN: WeakKeyDictionary[nn.Module, tuple[Layout, Sizes, bool]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Sizes:
    """The sizes that shapes are written in."""

    n_layers: int  # blocks
    n_heads: int  # a block
    n_kv_heads: int  # fewer than heads under grouped-query attention, else as many
    d_model: int  # width of the residual stream
    d_head: int
    vocab_size: int  # tokens
    n_ctx: int  # longest text in tokens


def sizes(model: Any) -> Sizes:
    """Read a model's sizes from its transformers configuration, or from how it was described."""
    if isinstance(model, nn.Module) and model in _OWN:
        return _OWN[model][1]
    config = getattr(model, "config", model)
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


def describe(model: nn.Module, layout: Layout, size: Sizes | None = None) -> nn.Module:
    """Say where a module of one's own keeps its parts, so that every tool takes it as it takes a transformers model.

    It is called with token ids (batch, pos) alone and gives logits (batch, pos, vocab), or an object with `.logits`. It
    runs here on a few tokens, to see whether its attention looks ahead: then rows of unequal length, sweeps and paths
    are refused.

    Args:
        layout: paths of its parts. `LAYOUTS["gpt2"]` with `dataclasses.replace` is often the shortest way.
        size: its sizes; by default read from `model.config`, which names them as `Sizes` does.

    Raises:
        ValueError: a part is not where the layout says, or the output has another shape than logits.
    """
    if size is None:
        given = {field.name: getattr(model.config, field.name, None) for field in fields(Sizes)}
        given["n_kv_heads"] = given["n_kv_heads"] or given["n_heads"]
        given["d_head"] = given["d_head"] or given["d_model"] // given["n_heads"]
        size = Sizes(**given)
    _OWN[model] = (layout, size, True)
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        parts(model)
        ids = torch.arange(min(8, size.n_ctx, size.vocab_size), device=next(model.parameters()).device)[None]
        with torch.no_grad():
            one, other = (logits_of(model(tokens)) for tokens in (ids, ids.clone().index_fill_(1, ids[0, -1:], 0)))
        if one.shape != (*ids.shape, size.vocab_size):
            raise ValueError(f"{type(model).__name__} gave {tuple(one.shape)}; expected logits (batch, pos, vocab)")
        _OWN[model] = (layout, size, torch.allclose(one[:, :-1], other[:, :-1], rtol=1e-3, atol=1e-4))
    except BaseException:
        del _OWN[model]
        raise
    finally:
        for module, mode in modes.items():
            module.training = mode
    return model


def described(model: nn.Module) -> tuple[Layout, Sizes] | None:
    """What `describe` was told of a module; None for a transformers model."""
    return _OWN[model][:2] if model in _OWN else None


def logits_of(output: Any) -> Tensor:
    """The logits in what a model returns."""
    return output if isinstance(output, torch.Tensor) else output.logits


def run(model: nn.Module, tokens: Any, **extra: Any) -> Any:
    """Call a model on token ids, without a cache unless `extra` says otherwise; a described module takes ids alone."""
    if model not in _OWN:
        return model(tokens, **{"use_cache": False} | extra)
    if extra:
        raise ValueError(f"{type(model).__name__} is a module of your own and takes token ids alone: pad on the right")
    return model(tokens)


def refused(config: dict[str, Any]) -> str | None:
    """Why a configuration cannot be studied exactly, as a sentence; None where it can."""
    if (kind := config.get("model_type")) not in LAYOUTS:
        return f"the architecture {kind!r} is not known; known are {', '.join(LAYOUTS)}, and others by a new `Layout`"
    if config.get("use_bidirectional_attention") or config.get("is_causal") is False:
        return "its attention looks ahead (bidirectional), and every tool here rests on attention that does not"
    if config.get("add_cross_attention") or config.get("is_encoder_decoder"):
        return "it attends to another model's output (cross-attention), which has no place here"
    return None


def unwrap(model: Any) -> tuple[nn.Module, Any]:
    """The transformers model and the tokenizer of what `llmnotes.load` gives, or of a bare model, which has None."""
    # A Llama model has a `.model` of its own, so being a module is what tells the two apart.
    if isinstance(model, nn.Module):
        return model, None
    inner = getattr(model, "model", None)
    if not isinstance(inner, nn.Module):
        raise TypeError(f"got {type(model).__name__}; expected what llmnotes.load() returns, or a transformers model")
    return inner, getattr(model, "tokenizer", None)


def parts(model: Any) -> Parts:
    """Find every part of a model.

    Raises:
        NotImplementedError: the architecture is not in `LAYOUTS`.
        ValueError: a part is not where its layout says.
    """
    model, _ = unwrap(model)
    config = getattr(model, "config", None)
    kind = getattr(config, "model_type", type(model).__name__)
    if (layout := _OWN[model][0] if model in _OWN else LAYOUTS.get(kind)) is None:
        raise NotImplementedError(
            f"no layout for the architecture {kind!r}; known: {', '.join(LAYOUTS)}. To add it: LAYOUTS[{kind!r}] = "
            "Layout(...), with the paths of its parts; for a module of your own: describe(model, layout, sizes)"
        )

    def find(root: nn.Module, path: str) -> nn.Module:
        try:
            return reduce(getattr, path.split("."), root)
        except AttributeError:
            where = "the model" if root is model else "a block"
            raise ValueError(
                f"{type(model).__name__}: {where} has no {path!r}, where the layout {kind!r} expects a part; load it "
                "with its head (AutoModelForCausalLM), or mend its layout"
            ) from None

    size, nothing = sizes(model), Nothing()

    def block(module: nn.Module) -> Block:
        def part(path: str, missing: nn.Module | None = None) -> nn.Module | None:
            return find(module, path) if path else missing

        attn, mlp = find(module, layout.attn), part(layout.mlp)
        parallel = mlp is None or getattr(module, "use_parallel_residual", False)
        norm_attn = part(layout.norm_attn, nothing)
        # StableLM's parallel blocks have one norm for both, and no norms on queries and keys unless configured
        shared = parallel and getattr(module, layout.norm_mlp, None) is None
        on_queries = getattr(attn, "qk_layernorm", True)
        scale = getattr(attn, "scaling", size.d_head**-0.5) if layout.scale is None else layout.scale
        return Block(
            module=module,
            norm_attn=norm_attn,
            attn=attn,
            qkv=tuple(find(module, path) for path in layout.qkv),
            attn_proj=find(module, layout.attn_proj),
            norm_mlp=norm_attn if shared else part(layout.norm_mlp, nothing),
            mlp=mlp,
            mlp_in=None if mlp is None else part(layout.mlp_in),
            mlp_proj=None if mlp is None else part(layout.mlp_proj),
            mlp_act=None if mlp is None else getattr(mlp, layout.mlp_act.removeprefix("mlp."), None),
            mlp_gate=None if mlp is None else part(layout.mlp_gate),
            post_attn=part(layout.post_attn, nothing),
            post_mlp=part(layout.post_mlp, nothing),
            q_norm=part(layout.q_norm if on_queries else "", nothing),
            k_norm=part(layout.k_norm if on_queries else "", nothing),
            pattern=part(layout.pattern),
            packing=layout.packing,
            sizes=size,
            parallel=parallel,
            scale=scale,
            softcap=getattr(attn, "attn_logit_softcapping", None),
            window=_window(attn, config),
            clip=getattr(config, "clip_qkv", None),
            writes=getattr(module, "residual_multiplier", 1.0),
            rotates=bool(layout.rotary) and bool(getattr(attn, "use_rope", True)),
            layer_type=getattr(attn, "layer_type", None),
        )

    return Parts(
        model=model,
        layout=layout,
        causal=model not in _OWN or _OWN[model][2],
        sizes=size,
        embeddings=tuple(find(model, path) for path in layout.embeddings),
        unembedding=find(model, layout.unembedding),
        blocks=tuple(block(module) for module in find(model, layout.blocks)),
        final_norm=find(model, layout.final_norm) if layout.final_norm else nothing,
        rotary=find(model, layout.rotary) if layout.rotary else None,
        logit_scale=getattr(config, "logits_scaling", 1.0),
        logit_cap=getattr(config, "final_logit_softcapping", None),
    )


def _window(attn: nn.Module, config: Any) -> int | None:
    if hasattr(attn, "attention_type"):  # GPT-Neo
        return config.window_size if attn.attention_type == "local" else None
    if hasattr(attn, "sliding_window"):  # layer by layer
        return attn.sliding_window
    return getattr(config, "sliding_window", None)  # Mistral, Phi-3: every layer
