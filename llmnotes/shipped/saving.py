"""From a transformer of ours to a folder that `from_pretrained` reads with nothing of ours installed."""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer as LibraryTokenizer
from transformers import PreTrainedTokenizerFast

from llmnotes.scratch.gpt2 import to_gpt2
from llmnotes.scratch.tokenizer import END_OF_TEXT
from llmnotes.scratch.transformer import Transformer


def save_checkpoint(
    model: Transformer, tokenizer: LibraryTokenizer, folder: str | Path, matrices: torch.dtype = torch.float16
) -> str:
    """Write weights, configuration and tokenizer as `save_pretrained` does.

    Args:
        tokenizer: in the `tokenizers` library's form.
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
