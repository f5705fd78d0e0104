"""Merge a low-rank adapter into a model's weights, from a folder as the peft library writes it.

The folder holds `adapter_config.json` and `adapter_model.safetensors`, with A (rank, in) and B (out, rank) for each
matrix that is changed. The matrix W becomes W + (alpha / rank) B A (Hu et al. 2021); the model runs as fast as before.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llmnotes.model.weights import read_json

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_KEY = re.compile(r"(?:base_model\.model\.)?(?P<module>.+)\.lora_(?P<side>[AB])\.weight")
_PLAIN = (
    *("use_dora", "use_qalora", "lora_bias", "modules_to_save"),
    *("rank_pattern", "alpha_pattern", "trainable_token_indices"),
)


def adapters(checkpoint: Path) -> list[str]:
    """The names of the adapters that ship with a checkpoint, in its folder `adapters`."""
    return sorted(path.parent.name for path in (checkpoint / "adapters").glob(f"*/{CONFIG}"))


def find_adapter(name: str, adapter: str | Path, checkpoint: Path | None) -> Path:
    """The folder of an adapter: of one that ships with a model, or anyone's by path.

    Args:
        name: the model.
        adapter: a name of `adapters`, or a folder.
        checkpoint: the model's folder.

    Raises:
        FileNotFoundError: there is none; lists what there is.
    """
    known = adapters(checkpoint) if checkpoint else []
    if str(adapter) in known:
        return checkpoint / "adapters" / str(adapter)
    folder = Path(adapter).expanduser().resolve()
    if (folder / CONFIG).is_file():
        return folder
    ours = f"one of {', '.join(known)}, or " if known else ""
    raise FileNotFoundError(
        f"adapter is {str(adapter)!r}; expected {ours}a folder with {CONFIG} and {WEIGHTS}, as peft's save_pretrained "
        f"writes it{'' if known else f' ({name} ships with no adapters)'}"
    )


@torch.no_grad()
def merge_adapter(model: torch.nn.Module, folder: Path) -> None:
    """Add an adapter's products to the weights of a transformers model, in place.

    Args:
        model: the one that it was trained on, or of the same shapes.
        folder: of the adapter, as `peft` writes it.

    Raises:
        ValueError: it is no plain LoRA (of another kind, with biases, with ranks of their own), is damaged, or is of a
            model with other matrices.
    """
    scale = _scale(folder)
    modules = dict(model.named_modules())
    for module, (a, b) in _factors(folder).items():
        weight = getattr(modules.get(module), "weight", None)
        if weight is None or weight.dim() != 2:
            raise ValueError(f"{folder} changes {module}, which {type(model).__name__} has not; it is of another model")
        change = (b.float() @ a.float()) * scale(a.size(0))  # (out, in)
        if type(modules[module]).__name__ == "Conv1D":  # GPT-2's matrices are (in, out)
            change = change.T
        if change.shape != weight.shape:
            raise ValueError(
                f"{folder} changes {module} by {tuple(change.shape)}, and it is {tuple(weight.shape)}; the adapter is "
                "of a model of another size"
            )
        weight += change.to(weight.dtype)


def _scale(folder: Path) -> Any:
    """The factor of an adapter's products, as a function of the rank."""
    config = read_json(folder / CONFIG)
    special = [key for key in _PLAIN if config.get(key)]
    if config.get("peft_type") != "LORA" or special or config.get("bias", "none") != "none":
        what = ", ".join(special) or f"peft_type {config.get('peft_type')}, bias {config.get('bias', 'none')}"
        raise ValueError(
            f"{folder} is no plain LoRA ({what}); merge it with peft's merge_and_unload and load the result"
        )
    alpha = config.get("lora_alpha")
    if isinstance(alpha, bool) or not isinstance(alpha, (int, float)):
        raise ValueError(f"{folder / CONFIG} says lora_alpha = {alpha!r}; expected a number")
    return lambda rank: alpha / (rank**0.5 if config.get("use_rslora") else rank)


def _factors(folder: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """For each module A (rank, in) and B (out, rank)."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / WEIGHTS
    if not path.is_file():
        raise ValueError(
            f"{folder} has no {WEIGHTS}; a pickle is not read, since opening one runs whatever code is in it"
        )
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged: {error}; fetch it again") from None
    sides: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        found = _KEY.fullmatch(key)
        if not found or tensor.dim() != 2:
            raise ValueError(f"{path} holds {key} {tuple(tensor.shape)}; expected matrices lora_A and lora_B alone")
        sides.setdefault(found["module"], {})[found["side"]] = tensor
    for module, pair in sides.items():
        if len(pair) != 2 or pair["A"].size(0) != pair["B"].size(1):
            shapes = {side: tuple(tensor.shape) for side, tensor in pair.items()}
            raise ValueError(f"{path}: {module} has {shapes}; expected A (rank, in) and B (out, rank)")
    if not sides:
        raise ValueError(f"{path} holds no factors")
    return {module: (pair["A"], pair["B"]) for module, pair in sides.items()}
