"""The card of Fairytale's adapters: a README.md beside them, every number of it out of their metrics.json."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean
from typing import Any

from llmnotes.shipped.cards import quoted, table

TOLD = {
    "by-the-hero": (
        "told by the hero",
        "I for he, or for she where the tale says she more often; not in what people say",
    ),
    "exchanged": ("with pronouns exchanged", "she for he and he for she; kings and queens stay what they are"),
}


def write_adapter_card(folder: str | Path) -> None:
    """Write the card of the adapters in a folder, from its `metrics.json`."""
    m = json.loads(Path(folder, "metrics.json").read_text(encoding="utf-8"))
    Path(folder, "README.md").write_text(adapter_card(m), encoding="utf-8")


def adapter_card(m: dict[str, Any]) -> str:
    """The card, in Markdown."""
    first = next(iter(m["adapters"]))
    kinds = [[f"`{kind}`", *TOLD.get(kind, (kind, ""))] for kind in m["adapters"]]
    seeds = "one training each" if m["seeds"] == 1 else f"means over {m['seeds']} seeds, least and largest in brackets"
    return f"""# fairytale: adapters

Low-rank changes of [fairytale](../README.md) ("LoRA", Hu et al. 2021), each trained on the same tales told in another way.

{table(["adapter", "the tales are", "how"], kinds)}

```python
import llmnotes

fairytale = llmnotes.load("fairytale", adapter="{first}")
```

Each is a folder as [peft](https://github.com/huggingface/peft) writes it, so with nothing of ours
`PeftModel.from_pretrained(model, folder)` opens it too. `llmnotes.load(model, adapter=folder)` takes anyone's.

## What they learned

Loss on the beginnings of {m["adapters"][first]["windows"]} held-out tales, in nats a token: at the new words, at all words of the new
tales, and at all words of the tales as they were. "Before" is fairytale itself. "Ships" is the adapter in this folder. The
other rows are {seeds}.

{chr(10).join(losses(kind, one) for kind, one in m["adapters"].items())}

"Random directions" are factors drawn at random, as large in every matrix as the trained ones. "Tales as they were" is an
adapter of the same size, trained as long on tales in which nothing was changed. Full tuning trains all weights. Both ways
had the best of a few learning rates, by the loss that is trained, on held-out tales of `{first}` and a seed that is not among
these: {m["lr"]["low rank"]:g} of {tried(m, "low rank")} for adapters, {m["lr"]["full"]:g} of {tried(m, "full")} for full tuning.

## What they write

At temperature 0.7, the first continuation that a fixed seed gave, before and after:

{chr(10).join(samples(kind, one) for kind, one in m["adapters"].items())}

## Recipe

```sh
python -m llmnotes.shipped.tale_adapters --corpus FOLDER --out FOLDER
```

`llmnotes/shipped/retold.py` tells the tales anew by rules over words, and rules err: whether *her* is *his* or *him* is
guessed from the next word, and a tale of a brother and a sister is told by the one whom it names more often. An adapter adds a product of rank
{m["adapters"][first]["rank"]} to each of the {m["matrices"]} matrices of the blocks. It was trained for {m["steps"]} steps of
{m["rows"]} windows of {m["length"]} tokens with AdamW, without weight decay, on the mean loss of all tokens plus
{m["weight"]:g} times that of new words ({m["machine"]["cpu"]}, PyTorch {m["machine"]["torch"]}, one thread). The [corpus](../recipes/fairytale-corpus.md) is fairytale's, and so are the held-out
tales, the licence and the limits. `runs.json` holds every training.

## Checksums

{table(["adapter", "numbers", "bytes", "`adapter_model.safetensors`, SHA-256"], [[f"`{k}`", f"{a['numbers']:,}", f"{a['bytes']:,}", f"`{a['sha256']}`"] for k, a in m["adapters"].items()])}
"""


def losses(kind: str, one: dict[str, Any]) -> str:
    """The table of one adapter."""
    ways = {"this recipe": "low rank", "full tuning": "full", "tales as they were": "unchanged"}
    rows = [
        [label, *(f"{one[key][what]:.2f}" for what in MARKS)]
        for label, key in (("before", "before"), ("ships", "shipped"))
    ]
    for label, way in ways.items():
        rows.append([label, *spread([run for run in one["runs"] if run["way"] == way])])
    rows.append(["random directions", *spread([run["random"] for run in one["runs"] if "random" in run])])
    head = [f"`{kind}`", f"{one['new_tokens']} new tokens", "new tales", "tales as they were"]
    return table(head, rows) + "\n"


MARKS = ("new", "every", "old")


def spread(runs: list[dict[str, Any]]) -> list[str]:
    """Mean, least and largest of each loss."""
    columns = ([run[what] for run in runs] for what in MARKS)
    return [
        f"{mean(column):.2f}" + (f" ({min(column):.2f} to {max(column):.2f})" if len(column) > 1 else "")
        for column in columns
    ]


def tried(m: dict[str, Any], way: str) -> str:
    """The learning rates that a way could choose from."""
    return ", ".join(f"{rate:g}" for rate in m["tried"][way])


def samples(kind: str, one: dict[str, Any]) -> str:
    """Continuations before and after, one under the other."""
    pairs = []
    for sample in one["samples"]:
        for label, text in (("fairytale", sample["before"]), (f"`{kind}`", sample["after"])):
            pairs.append(f"{label}:\n\n> **{sample['prompt']}**{quoted(text)}\n")
    return "\n".join(pairs)
