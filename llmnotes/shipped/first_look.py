"""What the page shows of World before World is there: two looks at one sentence, which the build writes into home."""

from __future__ import annotations

import json
import math
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from llmnotes.methods.lens import logit_lens
from llmnotes.model.architectures import parts
from llmnotes.model.interventions import ablate
from llmnotes.model.loading import load
from llmnotes.world import END, VOCABULARY, truth

TEXT, HEAD = "the cats near the dog", "L3H3"
FIRST_LOOK = Path(__file__).with_name("first-look.json")


def first_look() -> dict[str, Any]:
    """Compute what home's bench shows before its engine is there: World as it is, and without the head that decides.

    Returns:
        What `first-look.json` beside this module holds; `python -m llmnotes.shipped.first_look` writes it.
    """
    model = load("world")
    sizes = parts(model).sizes
    tokens = [END, *TEXT.split()]
    real = truth(tokens).probs[-1]

    def look(off: str) -> dict[str, Any]:
        layer, head = re.fullmatch(r"L(\d)H(\d)", off or HEAD).groups()
        with ablate(model, "z", int(layer), heads=[int(head)]) if off else nullcontext():
            steps = logit_lens(model, " ".join(tokens))[:, 0, -1].double()  # (step, vocabulary): log-probabilities
        said = steps[-1].exp()
        order = sorted(range(len(VOCABULARY)), key=lambda i: (-max(said[i], real[i]), i))[:5]
        words = [
            {"word": VOCABULARY[i], "said": round(said[i].item(), 5), "real": round(real[i].item(), 5)} for i in order
        ]
        best = [{"word": VOCABULARY[int(row.argmax())], "p": round(row.exp().max().item(), 5)} for row in steps]
        surprise = torch.where(real > 0, real * (real.log() - steps[-1]), 0).sum().item()
        return {"off": off, "gap": round(surprise / math.log(2), 5), "words": words, "lens": best}

    return {"text": TEXT, "layers": sizes.n_layers, "heads": sizes.n_heads, "looks": [look(""), look(HEAD)]}


if __name__ == "__main__":
    FIRST_LOOK.write_text(json.dumps(first_look(), indent=1) + "\n", encoding="utf-8")
