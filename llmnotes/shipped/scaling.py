"""The recipe behind the lab on scale: one model of World's language in seven widths, five seeds each.

    python -m llmnotes.shipped.scaling --out DIR --width 8 --seed 0     # one training, one file
    python -m llmnotes.shipped.scaling --out DIR --gather               # all of DIR into scaling.json

All read the same stories in the same order for the same number of steps, so that only the size differs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from llmnotes.scratch.training import Plan, train
from llmnotes.scratch.transformer import Config, Transformer
from llmnotes.world.grading import grade
from llmnotes.world.lexicon import VOCABULARY
from llmnotes.world.oracle import truth
from llmnotes.world.stories import TEST_SEED, VALID_SEED, held_out, read, story_batches

WIDTHS = (8, 12, 16, 24, 32, 48)  # the law is fitted to these
LARGEST = 96  # and foretells this one
SEEDS = 5
CONTEXT, ROWS, STEPS = 64, 16, 600
PLAN = Plan(STEPS, lr=6e-3, warmup=20, weight_decay=0.01, muon=True, evaluate_every=50)
HISTORY = Path(__file__).with_name("scaling.json")


def sizes(width: int) -> Config:
    """The shape of a width: two layers, four heads, an MLP four times as wide."""
    return Config(len(VOCABULARY), n_ctx=CONTEXT, n_layers=2, n_heads=4, d_model=width)


def parameters(width: int) -> int:
    """Parameters of a width without its embeddings."""
    model = Transformer(sizes(width))
    return sum(p.numel() for name, p in model.named_parameters() if "wte" not in name and "wpe" not in name)


@cache
def held(stories: int = 96) -> tuple[Tensor, Tensor, float]:
    """Held-out stories, (story, pos), their true distributions, (story, pos, vocab), and the floor in nats."""
    ids, _ = read(VALID_SEED, stories, CONTEXT + 1)
    true = [truth([VOCABULARY[i] for i in row[:-1].tolist()]) for row in ids]
    floor = torch.cat([t.entropy for t in true]).mean().item()
    return ids[:, :-1], torch.stack([t.probs for t in true]).float(), floor


def one(width: int, seed: int) -> dict:
    """Train one model; gives its true loss along the way, in nats, and which rules it has at the end."""
    ids, probs, floor = held()

    def evaluate(model: torch.nn.Module) -> dict[str, float]:
        return {"held": -(probs * model(ids).log_softmax(-1)).sum(-1).mean().item()}

    begun, model = time.perf_counter(), Transformer(sizes(width), seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        log = train(model, _stories(seed), PLAN, Path(folder), evaluate, progress=False)
    rules = grade(model.eval(), held_out(TEST_SEED, 60), CONTEXT).accuracy
    return {
        "width": width,
        "seed": seed,
        "parameters": parameters(width),
        "floor": floor,
        "steps": [int(entry["step"]) for entry in log],
        "held": [round(entry["held"], 5) for entry in log],
        "rules": {rule: round(share, 4) for rule, share in rules.items()},
        "seconds": round(time.perf_counter() - begun, 1),
    }


def _stories(seed: int):
    """Batches of a seed: no two seeds read the same story."""
    batch = story_batches(CONTEXT, ROWS)
    return lambda step: batch(seed * STEPS + step)


def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="llmnotes.shipped.scaling", description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path, help="folder of the trainings")
    parser.add_argument("--width", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--gather", action="store_true", help="write scaling.json from all trainings in the folder")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    if arguments.gather:
        runs = [json.loads(path.read_text()) for path in arguments.out.glob("*.json")]
        runs.sort(key=lambda run: (run["width"], run["seed"]))
        HISTORY.write_text("[\n" + ",\n".join(json.dumps(run) for run in runs) + "\n]\n")
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / f"{arguments.width}-{arguments.seed}.json"
    if not path.exists():
        path.write_text(json.dumps(one(arguments.width, arguments.seed)))


if __name__ == "__main__":
    main()
