"""The models that the bench runs in the page, among the site's assets."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from llmnotes.site.run.store import PACKAGE

CHECKPOINTS = PACKAGE / "checkpoints"
FILES = ("config.json", "tokenizer.json", "model.safetensors")


def model_files(docs: Path, *, offline: bool) -> Iterator[tuple[str, Path | str]]:
    """World, its checkpoints, adapters and dictionaries, and Fairytale by their addresses, if the notebook has a bench.

    A copy that opens from a folder can fetch nothing, so there each file is a script that carries the bytes.
    """
    if not (docs / "assets" / "bench").is_dir():
        return
    world, fairytale = CHECKPOINTS / "world", CHECKPOINTS / "fairytale"
    paths = [folder / name for folder in (world, fairytale, *sorted(world.glob("step-*"))) for name in FILES]
    for path in (*paths, *sorted(world.glob("audit/*")), *sorted(world.glob("features/*"))):
        inside = path.relative_to(CHECKPOINTS).as_posix()
        if offline:
            data = base64.b64encode(path.read_bytes()).decode()
            script = f"(globalThis.llmnotesFiles ??= {{}})[{json.dumps(inside)}] = {json.dumps(data)};\n"
            yield f"assets/models/{inside}.js", script
        else:
            yield f"assets/models/{inside}", path
