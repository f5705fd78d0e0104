"""What the tests of the bench share: its engine, run by node and asked as in a page."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import playwright
import pytest

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "docs" / "assets" / "bench"
CHECKPOINTS = next((ROOT / "llmnotes").rglob("world/model.safetensors")).parents[1]
NODE = shutil.which("node") or shutil.which(Path(playwright.__file__).with_name("driver") / "node")  # Playwright's own
needs_node = pytest.mark.skipif(NODE is None, reason="the bench's engine is run by node, which is not here")


def ask(*requests: dict) -> list:
    """The engine's answers to some requests (see bench_driver.mjs)."""
    driver = Path(__file__).with_name("bench_driver.mjs")
    command = [NODE, str(driver), ASSETS.as_uri(), str(CHECKPOINTS)]
    done = subprocess.run(command, input=json.dumps(requests), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def unpack(text: str, kind: type = np.float32) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=kind)
