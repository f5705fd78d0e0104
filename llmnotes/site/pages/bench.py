"""The models that the bench runs in the page, among the site's assets."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from llmnotes.model.loading import CHECKPOINTS

FILES = ("config.json", "tokenizer.json", "model.safetensors")


def add_models(files: Files, config: MkDocsConfig, *, offline: bool) -> None:
    """Put World, its checkpoints, adapters and dictionaries, and Fairytale into `assets/models`, if there is a bench.

    A copy that opens from a folder can fetch nothing, so there each file is a script that carries the bytes.
    """
    if not Path(config.docs_dir, "assets", "bench").is_dir():
        return
    world, fairytale = CHECKPOINTS / "world", CHECKPOINTS / "fairytale"
    paths = [folder / name for folder in (world, fairytale, *sorted(world.glob("step-*"))) for name in FILES]
    for path in (*paths, *sorted(world.glob("audit/*")), *sorted(world.glob("features/*"))):
        inside = path.relative_to(CHECKPOINTS).as_posix()
        uri = f"assets/models/{inside}"
        if offline:
            data = base64.b64encode(path.read_bytes()).decode()
            script = f"(globalThis.llmnotesFiles ??= {{}})[{json.dumps(inside)}] = {json.dumps(data)};\n"
            files.append(File.generated(config, f"{uri}.js", content=script))
        else:
            files.append(File.generated(config, uri, abs_src_path=str(path)))
