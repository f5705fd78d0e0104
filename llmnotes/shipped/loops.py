"""The recipe behind the lab on the training loop: one small model, one dial turned at a time, five seeds each.

    python -m llmnotes.shipped.loops --out DIR --part 0     # a tenth of the trainings, a file each
    python -m llmnotes.shipped.loops --out DIR --gather     # all of DIR into loops.json

All read the same stories in the same order; `rows` says how many of the 32 a step offers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from llmnotes.scratch.training import Plan, loss_of
from llmnotes.scratch.transformer import Config, Transformer
from llmnotes.world.lexicon import VOCABULARY
from llmnotes.world.stories import VALID_SEED, read, story_batches

BASE = {"rate": 3e-3, "rows": 8, "warmup": 25, "decay": 0.1, "dropout": 0.0, "clip": 1.0, "stories": 0}
DIALS = {
    "rate": (1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    "rows": (2, 8, 32),
    "warmup": (0, 25, 100),
    "decay": (0.0, 0.1, 1.0),
    "dropout": (0.0, 0.1, 0.3),
    "clip": (0.1, 1.0, 1000.0),
}
FEW = 64  # stories, read again and again, for the dials that are said to help against learning by heart
STEPS, EVERY, CONTEXT, SEEDS = 250, 25, 32, 5
HISTORY = Path(__file__).with_name("loops.json")


def settings() -> Iterator[dict]:
    """Every dial alone; rate with warm-up, and rate with batch size; dropout and decay on few stories."""
    made = [BASE | {dial: value} for dial, values in DIALS.items() for value in values]
    made += [BASE | {"rate": rate, "warmup": warmup} for rate in DIALS["rate"] for warmup in DIALS["warmup"]]
    made += [BASE | {"rate": rate, "rows": rows} for rate in DIALS["rate"] for rows in DIALS["rows"]]
    made += [BASE | {"stories": FEW, "dropout": value} for value in DIALS["dropout"]]
    made += [BASE | {"stories": FEW, "decay": value} for value in DIALS["decay"]]
    yield from {json.dumps(one): one for one in made}.values()


@cache
def held() -> tuple[Tensor, Tensor]:
    """Held-out stories and what follows each word, (story, pos)."""
    ids, _ = read(VALID_SEED, 128, CONTEXT + 1)
    return ids[:, :-1], ids[:, 1:]


@cache
def _rows(seed: int) -> tuple[Tensor, Tensor]:
    """All that a seed may read, in one table: 32 stories a step."""
    batch = story_batches(CONTEXT, max(DIALS["rows"]))
    made = [batch(seed * STEPS + step) for step in range(STEPS)]
    return torch.stack([ids for ids, _ in made]), torch.stack([targets for _, targets in made])


def one(how: dict, seed: int) -> dict:
    """Train one small model; gives the held-out loss along the way and each step's gradient norm."""
    model = Transformer(
        Config(len(VOCABULARY), n_ctx=CONTEXT, n_layers=2, n_heads=4, d_model=32, dropout=how["dropout"]), seed=seed
    )
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=how["decay"], betas=(0.9, 0.98), fused=True)
    plan = Plan(STEPS, how["rate"], how["warmup"], final=0.05)
    ids, targets = _rows(seed)
    losses, curve, clipped = [], [], 0
    torch.manual_seed(seed)  # for dropout
    for step in range(STEPS):
        now = step if not how["stories"] else step % (how["stories"] // how["rows"])
        for group in optimizer.param_groups:
            group["lr"] = plan.rate(step)
        loss = loss_of(model.train(), (ids[now, : how["rows"]], targets[now, : how["rows"]]))
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), how["clip"])
        clipped += bool(norm > how["clip"])
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if (step + 1) % EVERY == 0:
            with torch.no_grad():
                curve.append(round(loss_of(model.eval(), held()).item(), 4))
    return how | {
        "seed": seed,
        "held": curve,
        "read": [round(sum(losses[i : i + EVERY]) / EVERY, 4) for i in range(0, STEPS, EVERY)],
        "clipped": round(clipped / STEPS, 3),
        "largest_rise": round(max(b - a for a, b in pairwise(losses[25:])), 3),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="llmnotes.shipped.loops", description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path, help="folder of the trainings")
    parser.add_argument("--part", type=int, help="which tenth of the trainings")
    parser.add_argument("--gather", action="store_true", help="write loops.json from all trainings in the folder")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    jobs = [(seed, i, how) for seed in range(SEEDS) for i, how in enumerate(settings())]
    if arguments.gather:
        runs = [json.loads((arguments.out / f"{i}-{seed}.json").read_text()) for seed, i, _ in jobs]
        HISTORY.write_text("[\n" + ",\n".join(json.dumps(run) for run in runs) + "\n]\n")
        return
    tenth = -(-len(jobs) // 10)
    for seed, i, how in jobs[arguments.part * tenth : (arguments.part + 1) * tenth]:
        path = arguments.out / f"{i}-{seed}.json"
        if not path.exists():
            path.write_text(json.dumps(one(how, seed)))


if __name__ == "__main__":
    main()
