"""The models that the bench runs in the page, and what home shows of World before it is loaded."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from llmnotes.site.pages.templates import render
from llmnotes.site.run.store import PACKAGE

CHECKPOINTS = PACKAGE / "checkpoints"
FIRST_LOOK = PACKAGE / "shipped" / "first-look.json"
"""Two looks into World, as `llmnotes.shipped.first_look` computes them."""
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


def still() -> str:
    """Home's bench in HTML, complete before its engine is there; the engine takes over at the reader's first touch."""
    found = json.loads(FIRST_LOOK.read_text(encoding="utf-8"))
    for one in found["looks"]:
        one["scale"] = max(0.5, *(max(row["said"], row["real"]) for row in one["words"]))
    words = found["text"].split()
    head = found["looks"][1]["off"]
    return render("bench.html.jinja", **found, subject=words[1], nearest=words[-1], head=head).replace("\n", "")
