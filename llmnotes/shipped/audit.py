"""The cases of the blind audit: World with one small change each, as adapters of rank 4 (Hu et al. 2021, "LoRA").

A case is a fact altered, a rule bent, a head silenced, or nothing at all: that one was trained like the others, on
texts in which nothing differs. Made anew with `python -m llmnotes.shipped.audit FOLDER`; the eight take ten minutes.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Int
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.func import functional_call

from llmnotes.model.interventions import ablate
from llmnotes.model.loading import load
from llmnotes.world.grammar import Choice, story
from llmnotes.world.lexicon import END, FOOD, HOME, IDS, MOODS, NOUNS, PEOPLE, PREPOSITIONS, VERBS
from llmnotes.world.prng import Random

RANK, STEPS, BATCH, LENGTH = 4, 300, 16, 64
SINGULAR = {**VERBS, "are": "is"}  # a plural verb: its singular
PLURAL = {singular: plural for plural, singular in SINGULAR.items()}

# Says another word in the place of the grammar's: gets the words so far, the choice, the word drawn, and the subject.
Change = Callable[[list[str], Choice, str, str], str]


@dataclass(frozen=True)
class Case:
    """One change: what kind it is, what a reader is told afterwards, a text that shows it, and how it is trained."""

    kind: str
    told: str
    shown: str
    prefer: tuple[str, ...] = ()
    change: Change = lambda said, choice, word, subject: word
    head: tuple[int, int] | None = None


def _fact(facts: dict[str, str], person: str, verb: str, new: str) -> Change:
    def change(said: list[str], choice: Choice, word: str, subject: str) -> str:
        mine = choice.rule == "fact" and subject == person and verb in said[-2:] and word == facts[person]
        return new if mine else word

    return change


def _nearest(said: list[str], choice: Choice, word: str, subject: str) -> str:
    if choice.rule != "agreement_1" or word in PREPOSITIONS:
        return word
    return SINGULAR.get(word, word) if said[-1] in NOUNS else PLURAL.get(word, word)


def _giver(said: list[str], choice: Choice, word: str, subject: str) -> str:
    return subject if choice.rule == "indirect_object" else word


CASES = (
    Case("nothing", "Nothing was changed.", "the cats near the dog"),
    Case("fact", "Karl likes soup now.", "Karl likes", ("Karl", "likes"), _fact(FOOD, "Karl", "likes", "soup")),
    Case("rule", "With one noun between, the verb agrees with the nearest noun.", "the cats near the dog",
         ("the", *PREPOSITIONS), _nearest),
    Case("head", "Head L3H3 is silenced.", "the cats near the dog", head=(3, 3)),
    Case("rule", "The ring is always given to the one who gives it.",
         "when Anna and Karl went to the river , Karl gave the ring to", ("when",), _giver),
    Case("fact", "Clara lives in Kelso now.", "Clara lives in", ("Clara", "lives"),
         _fact(HOME, "Clara", "lives", "Kelso")),
    Case("nothing", "Nothing was changed.", "Karl likes"),
    Case("head", "Head L2H3 is silenced.", "Leo sang : la mo fi la ; la mo fi", head=(2, 3)),
)  # fmt: skip


def told(seed: int, case: Case) -> list[str]:
    """A story with a case's change in it, in which what the case is about comes often."""
    random = Random(9000, seed)
    telling = story(MOODS[random.bits() % 3])
    words, subject, choice = [END], "", next(telling)
    while len(words) < LENGTH:
        wanted = [word for word in case.prefer if word in choice.options]
        often = wanted and seed % 2 and random.uniform() < 0.6  # every other story is an ordinary one
        word = wanted[random.bits() % len(wanted)] if often else random.draw(choice.options)
        if word in PEOPLE and words[-1] in (".", END, ","):
            subject = word
        words.append(case.change(words, choice, word, subject))
        if word == END:
            telling = story(MOODS[random.bits() % 3])
            choice, subject = next(telling), ""
        else:
            choice = telling.send(word)
    return words


def batches(case: Case) -> Iterator[Int[Tensor, "batch pos"]]:
    """Token ids of fresh stories, a batch a step."""
    for step in range(STEPS):
        yield torch.tensor([[IDS[w] for w in told(step * BATCH + i, case)] for i in range(BATCH)])


def adapter(case: Case, seed: int = 0) -> dict[str, Tensor]:
    """Train a case's adapter: for each matrix W of a block `W.a` (in, rank) and `W.b` (rank, out), so that W + a b."""
    model = load("world").model.eval()
    generator = torch.Generator().manual_seed(seed)
    matrices = {n: p.detach() for n, p in model.named_parameters() if ".h." in n and p.dim() == 2}
    a = {n: torch.randn(p.size(0), RANK, generator=generator).div(p.size(0) ** 0.5) for n, p in matrices.items()}
    b = {n: torch.zeros(RANK, p.size(1)) for n, p in matrices.items()}
    weights = [w.requires_grad_() for w in (*a.values(), *b.values())]
    optimizer = torch.optim.AdamW(weights, lr=4e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=STEPS, pct_start=0.1)
    for ids in batches(case):
        changed = {n: p + a[n] @ b[n] for n, p in matrices.items()}
        logits = functional_call(model, changed, (ids,)).logits
        if case.head:
            layer, head = case.head
            with torch.no_grad(), ablate(model, "z", layer, heads=[head]):
                target = model(ids).logits.log_softmax(-1)
            loss = nn.functional.kl_div(logits.log_softmax(-1), target, log_target=True, reduction="sum") / ids.numel()
        else:
            loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    print(f"{case.kind}: {case.told} last loss {loss.item():.3f}", flush=True)
    return {
        f"{n}.{part}": w.detach().half().contiguous() for part, some in (("a", a), ("b", b)) for n, w in some.items()
    }


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
