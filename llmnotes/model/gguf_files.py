"""GGUF, the format of llama.cpp: such a file becomes, once, a folder that transformers loads in seconds.

transformers reads GGUF itself, but slowly, and drops without a word what it does not know. So a file is converted once
and kept; and a tensor, a stretched rotary embedding or a tokenizer that would come out wrong is refused by name.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from platformdirs import user_cache_path

HELD = ("llama", "qwen2")  # held to a second reading in the tests; by llama.cpp's names, so Mistral is a "llama"
FOLDER_VARIABLE = "LLMNOTES_MODELS"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")
# How text is cut before byte-level BPE, by llama.cpp's names: whether each digit stands alone. The others that
# transformers knows have regular expressions of their own, which it sets.
SPLITS_DIGITS = {"default": False, "gpt-2": False, "smollm": True}
READ_BY_TRANSFORMERS = ("qwen2", "llama-bpe", "tekken", "gpt-4o")


def models_folder() -> Path:
    """The folder that keeps fetched and converted models: LLMNOTES_MODELS, else one in the user's cache."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen).expanduser() if chosen else user_cache_path("llmnotes") / "models"


def say(text: str) -> None:
    """Tell the reader what is happening, where the output of a lab is not."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def made_whole(target: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `target` in one step at the end, or disappears when anything fails."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(f".{target.name}-*"):  # of a process that was killed
            if time.time() - left.stat().st_mtime > 3600:
                shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise PermissionError(
            f"{target.parent} cannot be written ({error.strerror}); set {FOLDER_VARIABLE} to a folder that can"
        ) from error
    try:
        yield work
        work.chmod(0o755)
        try:
            work.rename(target)
        except OSError:
            if not (target / "config.json").is_file():  # else another process was quicker, and its folder is as good
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def converted(path: Path) -> Path:
    """The folder that a GGUF file was converted into; converts it at the first call, see `convert`."""
    stat = path.stat()
    mark = hashlib.sha256(f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:10]
    target = models_folder() / "gguf" / f"{path.stem}-{mark}"
    if not target.is_dir():
        with made_whole(target) as work:
            convert(path, work)
        say(f"kept in {target}; delete the folder to be rid of it")
    return target


def convert(path: Path, folder: Path) -> None:
    """Write a GGUF file's model as config.json, model.safetensors (float16) and its tokenizer into a folder.

    Quantised weights are multiplied out; float16 rounds them by at most one part in 2,048. A tokenizer.json beside the
    file is taken in place of its own description.

    Raises:
        ImportError: the package `gguf` is not installed.
        ValueError: the file cannot be read exactly; says what is missing.
    """
    open_gguf = gguf_reader()
    try:
        reader = open_gguf(path)
    except Exception as error:  # struct, index and value errors alike
        raise ValueError(f"{path} cannot be read as a GGUF file: {error}") from error
    _refuse(path, reader)
    say(f"converting {path.name} ({path.stat().st_size / 1e6:.0f} MB) once: about a minute")

    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    config = AutoConfig.for_model(**load_gguf_checkpoint(str(path))["config"])
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(config)
    read = load_gguf_checkpoint(str(path), return_tensors=True, model_to_load=empty, torch_dtype=torch.float16)
    tensors = {name: tensor.contiguous() for name, tensor in read["tensors"].items()}
    if len(tensors) != len(reader.tensors):
        count = f"{path.name} has {len(reader.tensors)} tensors, and transformers knows {len(tensors)} of them"
        raise ValueError(f"{count}; the others would be left out in silence. {_BY_HAND}")
    if too_large := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise ValueError(f"{path.name}: {', '.join(too_large[:3])} hold values that float16 cannot. {_BY_HAND}")
    config.dtype, config.architectures = torch.float16, [type(empty).__name__]
    config.save_pretrained(folder)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    if (path.parent / TOKENIZER_FILES[0]).is_file():
        for file in TOKENIZER_FILES:
            if (path.parent / file).is_file():
                shutil.copy(path.parent / file, folder / file)
    else:
        _tokenizer(path, reader).save_pretrained(folder)


_BY_HAND = "Load the original model's folder (config.json, model.safetensors, tokenizer.json) in its place."


def gguf_reader() -> Any:
    """The class that reads GGUF files, or an ImportError that says what to install."""
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise ImportError("reading GGUF files needs one package more: pip install 'llmnotes[real]'") from error
    return GGUFReader


def _field(reader: Any, name: str) -> Any:
    field = reader.fields.get(name)
    return None if field is None else field.contents()


def _refuse(path: Path, reader: Any) -> None:
    """Raise for what would come out wrong."""
    kind = str(_field(reader, "general.architecture")).replace("-", "_")
    if kind not in HELD:
        raise ValueError(f"{path.name} is of the architecture {kind!r}; read exactly are {', '.join(HELD)}. {_BY_HAND}")
    scaling = sorted(name for name in reader.fields if ".rope.scaling." in name)
    if scaling and _field(reader, f"{kind}.rope.scaling.type") != "none":
        raise ValueError(f"{path.name} stretches its rotary embedding by {', '.join(scaling)}, lost here. {_BY_HAND}")
    model, pre = _field(reader, "tokenizer.ggml.model"), _field(reader, "tokenizer.ggml.pre") or "default"
    known = (*SPLITS_DIGITS, *READ_BY_TRANSFORMERS)
    if (model != "gpt2" or pre not in known) and not (path.parent / TOKENIZER_FILES[0]).is_file():
        raise ValueError(
            f"{path.name} has a tokenizer of kind {model!r} that cuts text as {pre!r}; read exactly are 'gpt2' with "
            f"{', '.join(known)}. Put the model's tokenizer.json beside the file"
        )


def _tokenizer(path: Path, reader: Any) -> Any:
    from tokenizers import pre_tokenizers
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name, local_files_only=True)
    digits = SPLITS_DIGITS.get(_field(reader, "tokenizer.ggml.pre") or "default")
    if digits is not None:
        cuts = [pre_tokenizers.Digits(individual_digits=True)] * digits
        cuts.append(pre_tokenizers.ByteLevel(add_prefix_space=False))
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(cuts)
    return tokenizer
