"""The dictionary of the feature browser, with an answer key: trained as lab Dictionaries trains its main one.

Sixteen features are drawn from those that are active at twenty places or more, from the trained dictionary and from a
random one alike. For each we keep the places where it is most active and the true label that describes it best, chosen
on one half of fresh stories and scored by F1 on the other. Made anew with `python -m llmnotes.shipped.features FOLDER`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import normalize

from llmnotes.methods.sae import SAE, train_sae
from llmnotes.model.loading import load
from llmnotes.model.tracing import trace
from llmnotes.world import IDS, VOCABULARY, held_out, truth
from llmnotes.world.grammar import Token
from llmnotes.world.lexicon import BRACKETS, LEXICON, MOOD_OF

LAYER, FEATURES, ACTIVE, SHOWN, PLACES, SEED = 2, 512, 8, 16, 6, 0
SHARES = [0.004 * 2**i for i in range(7)]  # how often a feature may count as active, when limits are tried


def kind(word: str) -> str:
    """What a word is, with its article: "a plural noun"."""
    about = LEXICON[word]
    if about.pos == "end":
        return "the end of the text"
    if about.pos == "punctuation":
        return "a sign"
    name = " ".join(filter(None, (about.gender, about.number if about.pos in ("noun", "verb") else "", about.pos)))
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def labels(story: list[Token]) -> Iterator[set[str]]:
    """What is true at each place of a story but the last: the word, its kind, what comes next, what is open."""
    after = truth([token.word for token in story[:-1]]).probs
    opened: list[str] = []
    song = False
    for token, p in zip(story, after, strict=False):
        song = (song or token.word == ":") and token.word != "."
        opened = opened[: len(opened) - (token.word in BRACKETS.values())] + [token.word] * (token.word in BRACKETS)
        may = sorted({kind(VOCABULARY[i]) for i in torch.nonzero(p > 1e-9).flatten().tolist()})
        found = {f"the word “{token.word}”", f"the word is {kind(token.word)}", f"the story is {token.mood}"}
        if token.word in MOOD_OF:
            found.add(f"the word is {MOOD_OF[token.word]}")
        if p.max() > 0.999:
            found.add(f"“{VOCABULARY[int(p.argmax())]}” must come next")
        elif len(may) <= 3:
            found.add(f"next comes {' or '.join(may)}")
        if opened:
            found.add(f"inside “{opened[-1]}”")
        if song:
            found.add("inside a song")
        yield found


def activations(stories: list[list[Token]]) -> Float[Tensor, "place d_model"]:
    """The residual stream at each place of stories but each one's last, one story after another."""
    model = load("world")
    rows = [trace(model, [IDS[t.word] for t in story], ["resid_post"], layers=[LAYER]) for story in stories]
    return torch.cat([seen["resid_post", LAYER][0, :-1] for seen in rows])


def random_dictionary(x: Float[Tensor, "place d_model"]) -> SAE:
    """One that is not trained: it reads along random directions."""
    w = normalize(torch.randn(FEATURES, x.size(1), generator=torch.Generator().manual_seed(SEED)), dim=1)
    return SAE(w.T.contiguous(), torch.zeros(FEATURES), w, x.mean(0), ACTIVE)


def f1(on: Float[Tensor, " place"], y: Float[Tensor, "place label"]) -> Float[Tensor, " label"]:
    return 2 * (on[:, None] * y).sum(0) / (on.sum() + y.sum(0)).clamp(min=1)


def describe(sae: SAE, choose: list[list[Token]], score: list[list[Token]]) -> list[dict]:
    """Sixteen features with their best places and their best label."""
    truths = [[label for story in half for label in labels(story)] for half in (choose, score)]
    names = sorted({name for half in truths for place in half for name in place})
    tables = [torch.tensor([[float(name in place) for name in names] for place in half]) for half in truths]
    common = torch.stack([table.sum(0) for table in tables]).amin(0) >= 20
    one, two = (sae.encode(activations(half)) for half in (choose, score))
    alive = torch.nonzero((one > 0).sum(0) >= 20).flatten()
    drawn = alive[torch.randperm(len(alive), generator=torch.Generator().manual_seed(SEED))[:SHOWN]]
    where = [(story, at) for story in score for at in range(len(story) - 1)]
    found = []
    for feature in drawn.tolist():
        ranked = one[:, feature].sort(descending=True).values
        limits = [max(ranked[int(share * len(ranked))].item(), 1e-6) for share in SHARES]
        grades = torch.stack([f1((one[:, feature] >= limit).float(), tables[0]) for limit in limits])
        grades[:, ~common] = 0
        limit, best = divmod(int(grades.argmax()), len(names))
        score_ = f1((two[:, feature] >= limits[limit]).float(), tables[1])[best].item()
        order = two[:, feature].argsort(descending=True).tolist()
        places = []
        for i in order:  # not twice the same words
            story, at = where[i]
            words = [token.word for token in story[max(0, at - 7) : at + 1]]
            if words[-3:] not in [place["words"][-3:] for place in places]:
                places.append({"words": words, "value": round(two[i, feature].item(), 2)})
            if len(places) == PLACES:
                break
        second = [names[j] for j in grades.amax(0).argsort(descending=True).tolist() if j != best][:12]
        about = {"feature": feature, "label": names[best], "f1": round(score_, 3)}
        found.append(about | {"places": places, "others": second})
    return found


def make(folder: str | Path) -> None:
    """Train the dictionary, and write both dictionaries' encoders and the answer key."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    stories, choose, score = ([s[:128] for s in held_out(seed, n)] for seed, n in ((30, 250), (40, 50), (50, 50)))
    x = activations(stories)
    trained, _ = train_sae(x, FEATURES, k=ACTIVE, steps=300, batch=128, seed=SEED)
    key, tensors = {"layer": LAYER, "k": ACTIVE}, {}
    for name, sae in (("trained", trained), ("random", random_dictionary(x))):
        stored = (w.detach().half().float() for w in (sae.w_enc, sae.b_enc, sae.w_dec, sae.b_dec))
        half = SAE(*stored, sae.k)
        tensors |= {f"{name}.{part}": getattr(half, part).half() for part in ("w_enc", "b_enc", "b_dec")}
        key[name] = describe(half, choose, score)
        print(name, [(one["label"], one["f1"]) for one in key[name]], flush=True)
    tensors = {name: w.contiguous() for name, w in tensors.items()}
    save_file(tensors, folder / "encoders.safetensors", metadata={"format": "pt"})
    (folder / "key.json").write_text(json.dumps(key, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(sys.argv[1])
