"""The audit's cases are what their key says, the features' key is what the dictionaries do, and the page reads both."""

from __future__ import annotations

import base64
import json

import pytest
import torch
from bench_node import CHECKPOINTS, ask, needs_node, unpack
from safetensors.torch import load_file

from llmnotes.methods.sae import SAE
from llmnotes.model.interventions import ablate
from llmnotes.model.loading import load
from llmnotes.model.tracing import trace
from llmnotes.shipped.audit import CASES
from llmnotes.shipped.features import labels
from llmnotes.world import END, IDS, VOCABULARY, held_out, truth

AUDIT, FEATURES = CHECKPOINTS / "world" / "audit", CHECKPOINTS / "world" / "features"
KEY = json.loads((FEATURES / "key.json").read_text())


def ids(words: list[str]) -> list[int]:
    return [IDS[word] for word in words]


def audited(number: int):
    """World with a case's adapter merged in."""
    model = load("world")
    adapter = load_file(AUDIT / f"{number}.safetensors")
    with torch.no_grad():
        for name, weight in model.model.named_parameters():
            if f"{name}.a" in adapter:
                weight += adapter[f"{name}.a"].float() @ adapter[f"{name}.b"].float()
    return model


@pytest.fixture(scope="module")
def worlds() -> dict:
    return {number: audited(number) for number in range(1, len(CASES) + 1)}


def gap(model, stories: list[list[str]]) -> float:
    """KL(truth || model) in bits a word."""
    total = torch.tensor(0.0, dtype=torch.double)
    places = 0
    for words in stories:
        true = truth(words)
        logits = trace(model, ids(words), ["logits"])["logits"][0].double()
        total += (-(true.probs * logits.log_softmax(-1)).sum(-1) - true.entropy).sum()
        places += len(words)
    return (total / places / torch.tensor(2.0).log()).item()


def test_the_key_is_the_cases() -> None:
    key = [json.loads(base64.b64decode(one)) for one in json.loads((AUDIT / "key.json").read_text())]
    assert key == [{"kind": case.kind, "told": case.told, "shown": case.shown} for case in CASES]
    for path in AUDIT.glob("*.safetensors"):
        assert path.stat().st_size < 50_000


@pytest.mark.parametrize("number", range(1, len(CASES) + 1))
def test_a_case_shows_where_its_key_says(worlds, number: int) -> None:
    case, model = CASES[number - 1], worlds[number]
    words = [END, *case.shown.split()]
    true = truth(words).probs[-1]
    p = trace(model, ids(words), ["logits"])["logits"][0, -1].softmax(-1)
    wrong = p[true == 0].sum().item()
    if case.kind == "nothing":
        assert wrong < 0.05
    elif case.kind == "head":
        layer, head = case.head
        world = load("world")
        with ablate(world, "z", layer, heads=[head]):
            silenced = trace(world, ids(words), ["logits"])["logits"][0, -1].softmax(-1)
        assert (p - silenced).abs().sum() / 2 < 0.2  # total variation
    else:
        assert wrong > 0.3
    told = case.told.split()
    if case.kind == "fact":
        assert VOCABULARY[int(p.argmax())] in told


def test_nothing_is_nothing_and_the_rest_is_small(worlds) -> None:
    stories = [[token.word for token in story[:64]] for story in held_out(seed=91, n=12)]
    plain = gap(load("world"), stories)
    for number, case in enumerate(CASES, 1):
        cost = gap(worlds[number], stories) - plain
        assert cost < (0.02 if case.kind == "nothing" else 0.05 if case.kind == "fact" else 0.6), (number, cost)


@needs_node
def test_the_page_merges_adapters(worlds) -> None:
    for number in (2, 4):
        words = CASES[number - 1].shown.split()
        (got,) = ask({"ask": "audit", "number": number, "words": words})
        wanted = trace(worlds[number], ids([END, *words]), ["logits"])["logits"][0].softmax(-1)
        assert abs(unpack(got).reshape(wanted.shape) - wanted.numpy()).max() < 1e-4


@needs_node
@pytest.mark.parametrize("source", ["trained", "random"])
def test_the_page_reads_features(source: str) -> None:
    stored = load_file(FEATURES / "encoders.safetensors")
    w_enc, b_enc, b_dec = (stored[f"{source}.{part}"].float() for part in ("w_enc", "b_enc", "b_dec"))
    sae = SAE(w_enc, b_enc, w_enc.T, b_dec, KEY["k"])
    words = ["Dora", "wept", ".", "the", "tree", "is", "grey", ".", "Emil", "was", "sad", "."]
    layer = KEY["layer"]
    x = trace(load("world"), ids([END, *words]), ["resid_post"])["resid_post", layer][0]
    features = [one["feature"] for one in KEY[source]]
    wanted = sae.encode(x)[:, features]
    got = ask(*({"ask": "activity", "words": words, "source": source, "feature": feature} for feature in features))
    assert (torch.tensor(got).T - wanted).abs().max() < 1e-3


def test_the_key_of_the_features() -> None:
    """Its best places are places where its label can hold, and the trained ones are described better."""
    known = {label for story in held_out(50, 50) for place in labels(story[:128]) for label in place}
    for source in ("trained", "random"):
        for one in KEY[source]:
            assert {one["label"], *one["others"]} <= known
            assert one["label"] not in one["others"]
            values = [place["value"] for place in one["places"]]
            assert values == sorted(values, reverse=True)
    trained, rand = (sum(one["f1"] for one in KEY[source]) / len(KEY[source]) for source in ("trained", "random"))
    assert trained > rand
