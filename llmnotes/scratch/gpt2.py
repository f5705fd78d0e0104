"""From a transformer of ours to the GPT-2 of transformers, and back."""

from __future__ import annotations

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from llmnotes.scratch.transformer import Config, Transformer


def to_gpt2(model: Transformer) -> GPT2LMHeadModel:
    """The same model as transformers' GPT-2, sharing no memory with ours; eval mode.

    GPT-2 has no attention-only form: such a model gets MLPs of one hidden unit with zero weights, which add nothing.
    Raises ValueError for a model without another piece of GPT-2.
    """
    config = model.config
    if config.positions != "learned" or not config.norm or not config.residual:
        raise ValueError(f"GPT-2 has learned positions, norms and residuals; got {config}")
    d_mlp = (config.d_mlp or 4 * config.d_model) if config.mlp else 1
    gpt2 = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config.vocab_size,
            n_positions=config.n_ctx,
            n_embd=config.d_model,
            n_layer=config.n_layers,
            n_head=config.n_heads,
            n_inner=d_mlp,
            activation_function="gelu_pytorch_tanh",
            resid_pdrop=config.dropout,
            embd_pdrop=config.dropout,
            attn_pdrop=0.0,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    state = gpt2.state_dict() | model.state_dict()
    if not config.mlp:
        state |= {name: torch.zeros_like(value) for name, value in state.items() if ".mlp." in name}
    gpt2.load_state_dict(state)
    return gpt2.eval()


def from_gpt2(gpt2: GPT2LMHeadModel) -> Transformer:
    """A GPT-2 of transformers as a transformer of ours; eval mode. ValueError where ours cannot be configured so."""
    c = gpt2.config
    if c.activation_function not in ("gelu_new", "gelu_pytorch_tanh"):
        raise ValueError(f"the activation is {c.activation_function!r}; ours is GELU in its tanh form (gelu_new)")
    if c.layer_norm_epsilon != 1e-5 or not c.scale_attn_weights or c.scale_attn_by_inverse_layer_idx:
        raise ValueError("the norms' epsilon or the scale of attention differ from GPT-2's")
    dropout = max(c.resid_pdrop, c.embd_pdrop)
    model = Transformer(Config(c.vocab_size, c.n_positions, c.n_layer, c.n_head, c.n_embd, c.n_inner, dropout=dropout))
    model.load_state_dict(gpt2.state_dict())
    return model.eval()
