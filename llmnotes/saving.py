"""From a transformer of ours to a folder that `from_pretrained` reads with nothing of ours installed, and back."""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer as LibraryTokenizer
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from llmnotes.tokenizer import END_OF_TEXT
from llmnotes.transformer import Config, Transformer


def to_gpt2(model: Transformer) -> GPT2LMHeadModel:
    """The same model as transformers' GPT-2, sharing no memory with ours; eval mode.

    GPT-2 has no attention-only form: such a model gets MLPs of one hidden unit with zero weights, which add nothing.

    Raises:
        ValueError: the model has a piece switched off or changed that GPT-2 cannot do without.
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
    """A GPT-2 of transformers as a transformer of ours; eval mode.

    Raises:
        ValueError: its configuration has something that ours does not (another activation, say).
    """
    c = gpt2.config
    if c.activation_function not in ("gelu_new", "gelu_pytorch_tanh"):
        raise ValueError(f"the activation is {c.activation_function!r}; ours is GELU in its tanh form (gelu_new)")
    if c.layer_norm_epsilon != 1e-5 or not c.scale_attn_weights or c.scale_attn_by_inverse_layer_idx:
        raise ValueError("the norms' epsilon or the scale of attention differ from GPT-2's")
    dropout = max(c.resid_pdrop, c.embd_pdrop)
    model = Transformer(Config(c.vocab_size, c.n_positions, c.n_layer, c.n_head, c.n_embd, c.n_inner, dropout=dropout))
    model.load_state_dict(gpt2.state_dict())
    return model.eval()


def save_checkpoint(
    model: Transformer, tokenizer: LibraryTokenizer, folder: str | Path, matrices: torch.dtype = torch.float16
) -> str:
    """Write weights, configuration and tokenizer as `save_pretrained` does.

    Args:
        model: the transformer.
        tokenizer: in the `tokenizers` library's form.
        folder: where to; made if missing.
        matrices: how matrices are stored; vectors (biases and norms) are float16. With `torch.float8_e4m3fn` the file
            is half as large and still in the usual format.

    Returns:
        The SHA-256 of the weights' file.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    gpt2 = to_gpt2(model).half()
    gpt2.generation_config.pad_token_id = 0
    state = {name: value.to(matrices) if value.dim() > 1 else value for name, value in gpt2.state_dict().items()}
    del state["lm_head.weight"]  # tied to the embedding, which transformers knows from the configuration
    gpt2.config.save_pretrained(folder)
    gpt2.generation_config.save_pretrained(folder)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        model_max_length=model.config.n_ctx,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def machine() -> dict[str, Any]:
    """What a recipe ran on: processor, threads and versions."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        cpu = names[0] if names else cpu
    return {
        "cpu": cpu,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
    }


def write_metrics(folder: str | Path, metrics: dict[str, Any]) -> None:
    """Write `metrics.json`, from which the model card quotes."""
    text = json.dumps(metrics, indent=1, ensure_ascii=False)
    Path(folder, "metrics.json").write_text(text + "\n", encoding="utf-8")
