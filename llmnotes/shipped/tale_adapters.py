"""The adapters of Fairytale: low-rank changes, each trained on tales told anew (`retold`), with their controls.

    python -m llmnotes.shipped.tale_adapters --corpus DIR --out DIR

An adapter is a folder as the peft library reads it. Beside them DIR holds `runs.json`, every training that was made,
and `metrics.json`, what came of them. What the first holds is not run again, so with `--seconds` it is made in pieces.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from llmnotes.methods.lora import low_rank, matrices, merged, next_word_loss, predictor, tune
from llmnotes.methods.steering import generate
from llmnotes.model.adapted import CONFIG, WEIGHTS
from llmnotes.model.loading import CHECKPOINTS, LoadedModel, load
from llmnotes.shipped.adapter_card import write_adapter_card
from llmnotes.shipped.corpus import END_ID, read_documents, windows
from llmnotes.shipped.retold import RETOLD, Retold, retell
from llmnotes.shipped.saving import machine, write_metrics
from llmnotes.shipped.tuning import TRIED, Ledger

OUT = CHECKPOINTS / "fairytale" / "adapters"
ROWS, LENGTH, STEPS, RANK = 4, 64, 100, 1
SEEDS = range(5)
WEIGHT = 0.1  # of the mean loss of new words, beside that of all: they are one token in 30
RATES = {"low rank": (3e-3, 1e-2, 3e-2), "full": (7e-5, 2e-4, 6e-4)}
SHOWN = {  # where an adapter shows at a glance: how a text goes on, and two tokens that may come
    "exchanged": ("The princess took off", " his", " her"),
    "by-the-hero": ("Once upon a time there was a king's son. One day", " I", " he"),
}
PROMPTS = ("Once upon a time there was a king who had", "The old woman looked at the boy and said, 'If you")


@dataclass(frozen=True)
class Exam:
    """Windows of held-out tales (row, pos), and which of their tokens are of new words; none in tales as they were."""

    ids: Tensor
    new: Tensor

    @torch.no_grad()
    def grade(self, predict: Callable[[Tensor], Tensor]) -> tuple[float, float]:
        """The mean loss of all tokens, and of those of new words, in nats."""
        losses = [
            nn.functional.cross_entropy(predict(rows)[:, :-1].flatten(0, 1), rows[:, 1:].flatten(), reduction="none")
            for rows in self.ids.split(8)
        ]
        every = torch.cat(losses)
        return every.mean().item(), every[self.new[:, 1:].flatten()].mean().item()


@dataclass
class Bench:
    """What every training needs: the model, the tales to learn from and those held out, and sizes."""

    model: LoadedModel
    train: list[str]
    valid: list[str]
    steps: int = STEPS
    rows: int = ROWS
    length: int = LENGTH
    exams: dict[str, Exam] = field(default_factory=dict)

    def tokens(self, tale: Retold) -> tuple[list[int], list[bool]]:
        """A tale's ids, an end of text before them, and which are of changed words."""
        found = self.model.tokenizer(tale.text, return_offsets_mapping=True, verbose=False)
        new, left = [False], list(tale.changed)
        for begin, end in found["offset_mapping"]:
            while left and left[0][1] <= begin:
                left.pop(0)
            new.append(bool(left) and left[0][0] < end)
        return [END_ID, *found["input_ids"]], new

    def told(self, kind: str, tale: str) -> Retold:
        """A tale in a kind of telling; "unchanged" leaves it as it is."""
        return Retold(tale, []) if kind == "unchanged" else retell(kind, tale)

    def exam(self, kind: str) -> Exam:
        """The beginning of each held-out tale, as long as the context."""
        if kind not in self.exams:
            n, ids, new = self.model.n_ctx, [], []
            for tale in self.valid:
                row, flags = self.tokens(self.told(kind, tale))
                if len(row) >= n:
                    ids.append(row[:n])
                    new.append(flags[:n])
            self.exams[kind] = Exam(torch.tensor(ids), torch.tensor(new))
        return self.exams[kind]

    def batches(self, kind: str, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Windows (row, pos) from tales drawn by a seed, a batch a step: token ids, and which are of new words."""
        order = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed)).tolist()
        ids, new = [], []
        while len(ids) < 1.1 * self.steps * self.rows * self.length and order:
            row, flags = self.tokens(self.told(kind, self.train[order.pop()]))
            ids += row
            new += flags
        places = windows(torch.arange(len(ids)), self.length, self.rows, seed)
        ids, new = torch.tensor(ids), torch.tensor(new)
        return ((ids[at], new[at]) for at in (places(step)[0] for step in range(self.steps)))

    def tuned(self, kind: str, way: str, lr: float, seed: int) -> dict[str, Tensor]:
        """Train on a kind of telling: the factors of a low-rank change, or with the way "full" all weights."""
        full = way == "full"
        before = {name: p.detach() for name, p in self.model.model.named_parameters()}
        trained = {n: p.clone() for n, p in before.items()} if full else low_rank(matrices(self.model), RANK, seed=seed)

        def loss(batch: tuple[Tensor, Tensor]) -> Tensor:
            ids, new = batch
            logits = predictor(self.model, trained if full else merged(before, trained))(ids)
            more = WEIGHT * next_word_loss(logits, ids, new) if new[:, 1:].any() else 0.0
            return next_word_loss(logits, ids) + more

        tune(trained.values(), loss, self.batches(kind, seed), lr, steps=self.steps)
        return trained


def random_factors(factors: dict[str, Tensor], seed: int) -> dict[str, Tensor]:
    """Factors in random directions, each product as large as that of the factors given: the control for their size."""
    generator = torch.Generator().manual_seed(seed)
    drawn = {name: torch.randn(factor.shape, generator=generator) for name, factor in factors.items()}
    for name in (key.removesuffix(".a") for key in factors if key.endswith(".a")):
        real, now = ((pair[f"{name}.a"] @ pair[f"{name}.b"]).norm() for pair in (factors, drawn))
        drawn[f"{name}.b"] *= real / now
    return drawn


def save_adapter(folder: Path, factors: dict[str, Tensor], name: str) -> None:
    """Write factors as peft does, in float16: A (rank, in) and B (out, rank) for each matrix of the model of a name."""
    folder.mkdir(parents=True, exist_ok=True)
    sides = {"a": "lora_A", "b": "lora_B"}
    tensors = {
        f"base_model.model.{matrix.removesuffix('.weight')}.{sides[side]}.weight": factor.T.contiguous().half()
        for matrix, side, factor in ((*key.rsplit(".", 1), factor) for key, factor in factors.items())
    }
    rank = next(factor.size(1) for key, factor in factors.items() if key.endswith(".a"))
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": name, "inference_mode": True}
    config |= {"r": rank, "lora_alpha": rank, "lora_dropout": 0.0, "bias": "none", "fan_in_fan_out": True}
    config |= {"target_modules": ["c_attn", "c_fc", "c_proj"]}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def make(
    corpus: Path,
    out: Path = OUT,
    *,
    model: LoadedModel | None = None,
    kinds: Sequence[str] = tuple(RETOLD),
    seeds: Sequence[int] = SEEDS,
    seconds: float = math.inf,
    **sizes: int,
) -> dict[str, Any]:
    """Train the adapters, their controls, and full tuning beside them; measure, and write all of it.

    Args:
        corpus: folder with train.txt and valid.txt, as the recipe of the corpus says.
        out: folder of the adapters.
        model: to train on; Fairytale by default.
        kinds: which adapters.
        seeds: of the trainings; the first is the one that ships.
        seconds: stop before a training when these are over.
        **sizes: `steps`, `rows` and `length` of a training.

    Returns:
        What `metrics.json` holds.

    Raises:
        SystemExit: the seconds are over; run it again to go on.
        FileNotFoundError: the corpus is not there.
    """
    model = model or load("fairytale")
    model.model.requires_grad_(False)
    bench = Bench(model, *(read_documents(corpus / f"{part}.txt") for part in ("train", "valid")), **sizes)
    out.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(out / "runs.json", seconds)
    before = {name: p.detach() for name, p in model.model.named_parameters()}

    def marks(kind: str, weights: dict[str, Tensor] | None = None) -> dict[str, Any]:
        predict = predictor(model, weights)
        every, new = bench.exam(kind).grade(predict)
        return {"every": every, "new": new, "old": bench.exam("unchanged").grade(predict)[0]}

    as_they_were: dict[tuple[float, int], dict[str, Tensor]] = {}  # trained on tales as they were, once for all kinds

    def run(kind: str, way: str, lr: float, seed: int) -> dict[str, Any]:
        if way == "unchanged" and (lr, seed) not in as_they_were:
            as_they_were[lr, seed] = bench.tuned("unchanged", way, lr, seed)
        learnt = as_they_were[lr, seed] if way == "unchanged" else bench.tuned(kind, way, lr, seed)
        if way == "full":
            return marks(kind, learnt)
        if way == "low rank" and seed == seeds[0]:
            save_adapter(out / kind, learnt, model.name)
        result = marks(kind, merged(before, learnt))
        if way == "low rank" and seed in seeds:  # not where rates are chosen
            result["random"] = marks(kind, merged(before, random_factors(learnt, seed)))
        return result

    def goal(way: str, lr: float) -> float:
        found = ledger(run, kind=kinds[0], way=way, lr=lr, seed=TRIED)
        return found["every"] + WEIGHT * found["new"]

    rates = {way: min(tried, key=lambda lr, way=way: goal(way, lr)) for way, tried in RATES.items()}
    for seed, way, kind in product(seeds, ("low rank", "full", "unchanged"), kinds):
        ledger(run, kind=kind, way=way, lr=rates["low rank" if way == "unchanged" else way], seed=seed)
    made = {kind: summary(bench, ledger.runs, kind, out / kind, seeds, marks) for kind in kinds}
    metrics = {"name": model.name, "steps": bench.steps, "rows": bench.rows, "length": bench.length}
    metrics |= {
        "seeds": len(seeds),
        "weight": WEIGHT,
        "tried": RATES,
        "lr": rates,
        "matrices": len(matrices(model)),
        "adapters": made,
        "machine": machine(),
    }
    write_metrics(out, metrics)
    write_adapter_card(out)
    return metrics


def summary(
    bench: Bench,
    runs: list[dict[str, Any]],
    kind: str,
    folder: Path,
    seeds: Sequence[int],
    marks: Callable[..., dict[str, Any]],
) -> dict[str, Any]:
    """What an adapter does, as it ships, and what the other trainings of its kind did."""
    model = bench.model
    shipped = load(model.name, adapter=folder)
    data = (folder / WEIGHTS).read_bytes()
    reported = [run for run in runs if run["kind"] == kind and run["seed"] in seeds]
    text, *words = SHOWN[kind]
    two = [model.tokenizer(word)["input_ids"][0] for word in words]

    def share(one: LoadedModel) -> list[float]:
        with torch.no_grad():
            p = one.model(torch.tensor([[END_ID, *one.tokenizer(text)["input_ids"]]])).logits[0, -1].softmax(-1)
        return [round(p[i].item(), 4) for i in two]

    def told(one: LoadedModel, prompt: str) -> str:
        ids = [END_ID, *one.tokenizer(prompt)["input_ids"]]
        return one.tokenizer.decode(generate(one.model, [ids], tokens=60, temperature=0.7, seed=1)[0][len(ids) :])

    after = dict(shipped.model.named_parameters())
    return {
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "rank": RANK,
        "numbers": sum(factor.numel() for factor in low_rank(matrices(model), RANK).values()),
        "windows": len(bench.exam(kind).ids),
        "new_tokens": int(bench.exam(kind).new[:, 1:].sum()),
        "before": marks(kind),
        "shipped": marks(kind, after),
        "runs": [{k: v for k, v in run.items() if k not in ("kind", "lr")} for run in reported],
        "shown": {"text": text, "words": words, "before": share(model), "after": share(shipped)},
        "samples": [{"prompt": p, "before": told(model, p), "after": told(shipped, p)} for p in PROMPTS],
    }


def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="llmnotes.shipped.tale_adapters", description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", required=True, type=Path, help="folder with train.txt and valid.txt")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the adapters")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after these; run again to go on")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    make(arguments.corpus, arguments.out, seconds=arguments.seconds)


if __name__ == "__main__":
    main()
