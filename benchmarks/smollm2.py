"""How long the study tools take on a real model, SmolLM2 (135 M parameters, 30 layers of 9 heads), on one thread.

    python benchmarks/smollm2.py            # five rounds, each tool in turn; medians
    python benchmarks/smollm2.py --rounds 3

Measured in processor time, as in `compare.py`; the clock agrees where nothing else runs.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

import llmnotes
from llmnotes.methods import composition
from llmnotes.model import PLACES, trace
from llmnotes.patching import logit_difference, sweep

TEXT = "When Mary and John went to the store, {} gave a drink to"  # 14 tokens
LOAD = "import llmnotes; llmnotes.load('smollm2')"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    rounds = options.parse_args().rounds
    torch.set_num_threads(1)
    model = llmnotes.load("smollm2")
    clean, corrupted = TEXT.format("John"), TEXT.format("Mary")
    ids = model.ids(clean)
    metric = logit_difference(model, " Mary", " John")

    @torch.no_grad()
    def plain() -> None:
        model.model(ids, use_cache=False)

    tools = {
        "plain pass": plain,
        "trace, all places": lambda: trace(model, ids, list(PLACES)),
        "residual sweep": lambda: sweep(model, clean, corrupted, metric, progress=False),
        "head sweep": lambda: sweep(model, clean, corrupted, metric, "z", progress=False),
        "composition, one kind": lambda: composition(model, "k"),
    }
    times: dict[str, list[float]] = {name: [] for name in tools}
    for name in tools:
        tools[name]()  # warms up
    for _ in range(rounds):
        for name, run in tools.items():
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    times["load, in a new Python"] = [loaded() for _ in range(rounds)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in kB
    print(f"Python {platform.python_version()}, torch {version('torch')}, transformers {version('transformers')}")
    print(
        f"{ids.size(1)} tokens, {rounds} rounds, one thread, processor time, at most {peak / 1e6:.1f} GB of memory\n\n"
        "| | s | plain passes |\n| --- | ---: | ---: |"
    )
    for name, row in times.items():
        ratio = statistics.median(t / p for t, p in zip(row, times["plain pass"], strict=True))
        print(f"| {name} | {statistics.median(row):.2f} | {ratio:.2f} |")


def loaded() -> float:
    """Processor time, in s, of a new Python that opens the model and ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", LOAD], check=True, cwd=Path(__file__).parents[1])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
