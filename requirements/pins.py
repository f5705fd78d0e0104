"""Make the lists of pinned packages anew: `make pins`, after a change of the dependencies in pyproject.toml.

Every list holds exact versions with the digests of all their files, for all systems and Pythons that the project
supports; versions stay as they are unless `--upgrade` is given. torch has lists of its own: the CPU builds, which come
from another index, and the builds of the registry; and so have the CUDA packages, which only the latter need.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CUDA = re.compile(r"(nvidia-|cuda-|triton)")
HEAD = "# made by requirements/pins.py; do not edit\n"


def compiled(name: str, *arguments: str) -> dict[str, str]:
    """What uv pins, by package: the requirement with its digests."""
    kept = [f"--constraint={path}" for path in sorted(HERE.glob("*.txt")) if path.stem != "torch-cpu"]
    command = ["uv", "pip", "compile", "--universal", "--generate-hashes", "--no-annotate", "--no-header", "--quiet"]
    command += ["--python-version", "3.11.5", *arguments, *([] if "--upgrade" in sys.argv else kept)]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr}")
    found = re.split(r"^(?=[A-Za-z0-9])", done.stdout, flags=re.MULTILINE)
    return {re.match(r"[\w.-]+", text)[0]: text for text in found if text.strip()}


def write(name: str, packages: dict[str, str]) -> None:
    (HERE / f"{name}.txt").write_text(HEAD + "".join(packages.values()), encoding="utf-8")


def main() -> None:
    extras = {"site": ["site", "real", "build"], "test": ["site", "real", "build", "test"]}
    made = {
        name: compiled(name, "pyproject.toml", *(f"--extra={extra}" for extra in wanted))
        for name, wanted in extras.items()
    }
    made["site"] = {name: made["test"][name] for name in made["site"]}  # a part of it, to the last marker
    made["audit"] = compiled("audit", "requirements/audit.in")
    torch = made["test"]["torch"]
    version = re.search(r"torch==([\d.]+)", torch)[1]
    if f"torch=={version}+cpu " not in (HERE / "torch-cpu.txt").read_text(encoding="utf-8"):
        raise SystemExit(f"torch is {version} now: write the digests of its CPU builds into requirements/torch-cpu.txt")
    write("torch", {"torch": torch})
    write("cuda", {name: text for name, text in made["test"].items() if CUDA.match(name)})
    for name, packages in made.items():
        write(name, {key: text for key, text in packages.items() if key != "torch" and not CUDA.match(key)})


if __name__ == "__main__":
    main()
