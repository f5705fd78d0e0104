"""What is checked of a stranger's files before transformers opens them, and of the weights afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

INDEX = "model.safetensors.index.json"
_LAYERS = ("n_layer", "num_layers", "num_hidden_layers")
_WIDTHS = ("n_embd", "hidden_size", "vocab_size", "intermediate_size", "n_inner")


def read_json(path: Path) -> dict[str, Any]:
    """Read a file that must hold a JSON object; raise ValueError if it is damaged, or holds something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}; fetch it again") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds {str(content)[:40]!r}; expected a JSON object")
    return content


def check_files(name: str, folder: Path, config: dict[str, Any]) -> None:
    """Raise ValueError for weights that are pickled, elsewhere, damaged, or fewer than the configuration says."""
    elsewhere = [key for key in ("transformers_weights",) if key in config]
    elsewhere += [file.name for file in folder.glob("adapter_config.json")]
    if elsewhere:
        raise ValueError(f"{name}: {elsewhere[0]} in {folder} names weights of another place; merge them into this one")
    shapes: dict[str, list[int]] = {}
    for path in _weight_files(name, folder):
        shapes |= _shapes(path)
    largest = max((size for shape in shapes.values() for size in shape), default=0)
    for part in (config, config.get("text_config")):
        for key in (*_LAYERS, *_WIDTHS) if isinstance(part, dict) else ():
            most = len(shapes) if key in _LAYERS else largest
            if isinstance(part.get(key), int) and part[key] > most:
                raise ValueError(
                    f"{name}: {folder / 'config.json'} says {key} = {part[key]}, and its weights are {len(shapes)} "
                    f"tensors of at most {largest} rows or columns; the two do not belong together"
                )


def check_finite(name: str, model: torch.nn.Module) -> None:
    """Raise ValueError for a model with NaN or infinite weights: all computed with them would be silently wrong."""
    for key, weights in model.named_parameters():
        # One NaN or infinity makes the sum no number, and a sum is ten times as fast; it may also overflow by itself.
        if not torch.isfinite(weights.detach().sum()) and not torch.isfinite(weights).all():
            raise ValueError(f"{name}: {key} holds NaN or infinite weights; its file is damaged, or training diverged")


def _weight_files(name: str, folder: Path) -> list[Path]:
    if (folder / "model.safetensors").is_file() or not (folder / INDEX).is_file():
        return sorted(folder.glob("*.safetensors"))
    parts = read_json(folder / INDEX).get("weight_map")
    files = sorted(set(map(str, parts.values()))) if isinstance(parts, dict) else []
    if not files:
        raise ValueError(f"{folder / INDEX} names no file of weights; fetch it again")
    for file in files:
        if Path(file).name != file or not file.endswith(".safetensors"):
            raise ValueError(
                f"{name}: {folder / INDEX} names {file!r}; expected safetensors files of this folder alone"
            )
        if not (folder / file).is_file():
            raise ValueError(f"{name}: {folder / file} is missing, which {INDEX} names; fetch it again")
    return [folder / file for file in files]


def _shapes(path: Path) -> dict[str, list[int]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as weights:
            return {key: weights.get_slice(key).get_shape() for key in weights.keys()}  # noqa: SIM118  no mapping
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged: {error}; fetch it again") from None
