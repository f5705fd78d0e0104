"""The cases of the blind audit: World with one small change each, as adapters of rank 4 (Hu et al. 2021, "LoRA").

A case is a fact altered, a rule bent, a head silenced, or nothing at all: that one was trained like the others, on
texts in which nothing differs. Made anew with `python -m llmnotes.shipped.audit FOLDER`; the eight take ten minutes.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Int
from safetensors.torch import save_file
from torch import Tensor, nn

from llmnotes.methods.lora import low_rank, matrices, merged, next_word_loss, predictor, tune
from llmnotes.model.interventions import ablate
from llmnotes.model.loading import load
from llmnotes.world.changes import Change, facts, giver, ids_of, nearest, spoken, unchanged
from llmnotes.world.grammar import Choice
from llmnotes.world.lexicon import PREPOSITIONS

RANK, STEPS, BATCH, LENGTH = 4, 300, 16, 64


@dataclass(frozen=True)
class Case:
    """One change: what kind it is, what a reader is told afterwards, a text that shows it, and how it is trained."""

    kind: str
    told: str
    shown: str
    prefer: tuple[str, ...] = ()
    change: Change = unchanged
    head: tuple[int, int] | None = None


def _nearest(said: list[str], choice: Choice, word: str, subject: str) -> str:
    return nearest(said, choice, word, subject) if choice.rule == "agreement_1" else word


CASES = (
    Case("nothing", "Nothing was changed.", "the cats near the dog"),
    Case("fact", "Karl likes soup now.", "Karl likes", ("Karl", "likes"), facts({"likes": {"Karl": "soup"}})),
    Case("rule", "With one noun between, the verb agrees with the nearest noun.", "the cats near the dog",
         ("the", *PREPOSITIONS), _nearest),
    Case("head", "Head L3H3 is silenced.", "the cats near the dog", head=(3, 3)),
    Case("rule", "The ring is always given to the one who gives it.",
         "when Anna and Karl went to the river , Karl gave the ring to", ("when",), giver),
    Case("fact", "Clara lives in Kelso now.", "Clara lives in", ("Clara", "lives"),
         facts({"lives": {"Clara": "Kelso"}})),
    Case("nothing", "Nothing was changed.", "Karl likes"),
    Case("head", "Head L2H3 is silenced.", "Leo sang : la mo fi la ; la mo fi", head=(2, 3)),
)  # fmt: skip


def batches(case: Case) -> Iterator[Int[Tensor, "batch pos"]]:
    """Token ids of fresh stories, a batch a step."""
    for step in range(STEPS):
        told = [
            spoken(9000, step * BATCH + i, length=LENGTH, change=case.change, prefer=case.prefer) for i in range(BATCH)
        ]
        yield ids_of(told)


def adapter(case: Case, seed: int = 0) -> dict[str, Tensor]:
    """Train a case's adapter: for each matrix W of a block `W.a` (in, rank) and `W.b` (rank, out), so that W + a b."""
    model = load("world").model.eval()
    weights = matrices(model)
    factors = low_rank(weights, RANK, seed=seed)

    def loss(ids: Tensor) -> Tensor:
        logits = predictor(model, merged(weights, factors))(ids)
        if not case.head:
            return next_word_loss(logits, ids)
        layer, head = case.head
        with torch.no_grad(), ablate(model, "z", layer, heads=[head]):
            target = model(ids).logits.log_softmax(-1)
        return nn.functional.kl_div(logits.log_softmax(-1), target, log_target=True, reduction="sum") / ids.numel()

    losses = tune(factors.values(), loss, batches(case), 4e-3, steps=STEPS)
    print(f"{case.kind}: {case.told} last loss {losses[-1]:.3f}", flush=True)
    return {name: factor.half().contiguous() for name, factor in factors.items()}


def answers() -> str:
    """Write what each case is, a string of base64 for each: nobody who opens the file by chance reads an answer."""
    key = [json.dumps({"shown": case.shown, "told": case.told, "kind": case.kind}) for case in CASES]
    return json.dumps([base64.b64encode(one.encode()).decode() for one in key], indent=1) + "\n"


def make(folder: str | Path) -> None:
    """Train every case and write `1.safetensors` and so on, with `key.json` for what they are."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(CASES, 1):
        save_file(adapter(case, number), folder / f"{number}.safetensors", metadata={"format": "pt"})
    (folder / "key.json").write_text(answers(), encoding="utf-8")


if __name__ == "__main__":
    make(sys.argv[1])
