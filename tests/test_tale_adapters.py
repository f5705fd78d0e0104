"""Fairytale's adapters: the rules that tell tales anew, the recipe in miniature, and what ships."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from bench_node import ask, needs_node
from safetensors.torch import load_file

import llmnotes
from llmnotes.methods.lora import predictor
from llmnotes.model.adapted import CONFIG, WEIGHTS
from llmnotes.model.loading import CHECKPOINTS, adapters, load
from llmnotes.shipped.retold import RETOLD, retell
from llmnotes.shipped.tale_adapters import END_ID, OUT, SHOWN, Bench, make, random_factors

METRICS = json.loads((OUT / "metrics.json").read_text(encoding="utf-8"))
TALE = "There was a king, who had {} sons. 'Have you seen him?' said the wolf, and he ate {} of them. He took her shoe."


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("exchanged", "She gave him his cap; the cap was his.", "He gave her her cap; the cap was hers."),
        ("exchanged", "HE told her to go, and she's gone. They wept.", "SHE told him to go, and he's gone. They wept."),
        ("by-the-hero", 'He was sad. "He is mad," she said of him.', 'I was sad. "He is mad," she said of me.'),
        ("by-the-hero", "She saw her ring; she knew it was hers.", "I saw my ring; I knew it was mine."),
        ("by-the-hero", "'Come,' said the boys' mother, and he came.", "'Come,' said the boys' mother, and I came."),
    ],
)  # fmt: skip
def test_a_tale_is_told_anew(kind, old, new):
    told = retell(kind, old)
    assert told.text == new
    assert all(told.text[a:b] not in ("", " ") and told.text[a - 1 : a] in ("", " ", '"', "'") for a, b in told.changed)


def test_marks_are_at_the_new_words():
    told = retell("exchanged", "He saw a wolf. His brother saw her.")
    assert [told.text[a:b] for a, b in told.changed] == ["She", "Her", "him"]
    assert retell("exchanged", "No one.") == ("No one.", [])
    with pytest.raises(ValueError, match="kind is 'rhymed'; expected one of by-the-hero, exchanged"):
        retell("rhymed", "")


def test_tokens_of_new_words_are_marked():
    bench = Bench(load("fairytale"), [], [])
    ids, new = bench.tokens(retell("exchanged", "If he will, himself, take her horse,"))
    decode = bench.model.tokenizer.decode
    assert decode([i for i, one in zip(ids, new, strict=True) if one]).split() == ["she", "herself", "his"]
    assert ids[0] == END_ID
    assert not new[0]


def test_random_factors_are_as_large():
    generator = torch.Generator().manual_seed(3)
    real = {"W.a": torch.randn(6, 2, generator=generator), "W.b": torch.randn(2, 5, generator=generator)}
    drawn = random_factors(real, 0)
    one, other = (factors["W.a"] @ factors["W.b"] for factors in (real, drawn))
    torch.testing.assert_close(one.norm(), other.norm())
    assert abs(torch.cosine_similarity(one.flatten(), other.flatten(), dim=0)) < 0.7


def test_the_recipe_in_miniature(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for split, numbers in (("train", range(40)), ("valid", range(40, 44))):
        tales = (" ".join([TALE.format(i, i // 2)] * 10) for i in numbers)
        (corpus / f"{split}.txt").write_text("\n\n<|endoftext|>\n\n".join(tales), encoding="utf-8")
    sizes = {"kinds": ("by-the-hero",), "seeds": (0,), "steps": 3, "rows": 2, "length": 32}
    out = tmp_path / "out"
    with pytest.raises(SystemExit, match=r"0 runs so far, none of .*run it again to go on"):
        make(corpus, out, seconds=-1, **sizes)
    made = make(corpus, out, **sizes)
    one = made["adapters"]["by-the-hero"]
    assert one["shipped"]["new"] < one["before"]["new"]
    assert {run["way"] for run in one["runs"]} == {"low rank", "full", "unchanged"}
    assert json.loads((out / "metrics.json").read_text()) == json.loads(json.dumps(made))
    assert one["sha256"] in (out / "README.md").read_text()
    assert load("fairytale", adapter=out / "by-the-hero").name.startswith("fairytale with ")
    before = (out / "runs.json").read_text()
    assert make(corpus, out, **sizes)["adapters"] == made["adapters"]  # nothing is left to train
    assert (out / "runs.json").read_text() == before


# ---------------------------------------------------------------------------------------------------- what ships


def test_the_adapters_that_ship_are_small_and_those_of_the_card():
    assert sorted(METRICS["adapters"]) == adapters("fairytale")
    assert set(METRICS["adapters"]) <= set(RETOLD)
    card = (OUT / "README.md").read_text(encoding="utf-8")
    for kind, one in METRICS["adapters"].items():
        data = (OUT / kind / WEIGHTS).read_bytes()
        assert len(data) == one["bytes"] < 50_000
        assert hashlib.sha256(data).hexdigest() == one["sha256"]
        assert one["sha256"] in card
        tensors = load_file(OUT / kind / WEIGHTS)
        assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
        assert sum(tensor.numel() for tensor in tensors.values()) == one["numbers"]


@pytest.mark.parametrize("kind", METRICS["adapters"])
def test_an_adapter_is_the_product_by_hand_and_does_what_was_measured(kind):
    base, adapted = load("fairytale"), llmnotes.load("fairytale", adapter=kind)
    tensors = load_file(OUT / kind / WEIGHTS)
    after = dict(adapted.model.named_parameters())
    key = "transformer.h.{}.mlp.c_proj"
    for layer in range(base.n_layers):
        a, b = (tensors[f"base_model.model.{key.format(layer)}.lora_{side}.weight"].float() for side in "AB")
        before = dict(base.model.named_parameters())[f"{key.format(layer)}.weight"]
        torch.testing.assert_close(after[f"{key.format(layer)}.weight"], before + (b @ a).T)
    text, *words = SHOWN[kind]
    ids = torch.tensor([[END_ID, *base.tokenizer(text)["input_ids"]]])
    new, old = (base.tokenizer(word)["input_ids"][0] for word in words)
    for model, when in ((base, "before"), (adapted, "after")):
        with torch.no_grad():
            p = model.model(ids).logits[0, -1].softmax(-1)
        assert [p[new].item(), p[old].item()] == pytest.approx(METRICS["adapters"][kind]["shown"][when], abs=2e-3)
    tale = retell(kind, HELD_OUT)
    bench = Bench(base, [], [])
    row, flags = bench.tokens(tale)
    ids, flags = torch.tensor([row]), torch.tensor(flags[1:])
    losses = [
        torch.nn.functional.cross_entropy(predict(ids)[0, :-1], ids[0, 1:], reduction="none")[flags].mean().item()
        for predict in (predictor(base), predictor(adapted))
    ]
    marks = METRICS["adapters"][kind]
    gain = marks["before"]["new"] - marks["shipped"]["new"]
    assert losses[0] - losses[1] == pytest.approx(gain, abs=0.75 * gain)  # on a tale of our own, not a held-out one


HELD_OUT = (
    "There was once a fisherman's son who would not stay at home. 'If you go,' said his mother, 'you will not find "
    "your way.' But he took his stick and went, and she gave him a loaf. When he had gone a mile he met an old woman. "
    "'Are you hungry?' he said to her. 'I will give you half of my loaf if you can tell me where the giant lives.' She "
    "took her half and told him. He thanked her and went to the castle. 'What do you want?' said the giant to him. 'I "
    "want your daughter,' he answered, 'and you shall give her to me.' Then the giant laughed, and he struck him."
)


def test_peft_opens_what_ships():
    peft = pytest.importorskip("peft")
    kind = adapters("fairytale")[0]
    theirs = peft.PeftModel.from_pretrained(load("fairytale").model, OUT / kind).eval()
    ids = load("fairytale").ids("Once upon a time")
    with torch.no_grad():
        torch.testing.assert_close(
            theirs(ids).logits, load("fairytale", adapter=kind).model(ids).logits, atol=1e-4, rtol=1e-4
        )


def test_a_name_that_is_not_known_is_answered_with_those_that_are():
    with pytest.raises(
        FileNotFoundError, match=f"adapter is 'pirate'; expected one of {', '.join(adapters('fairytale'))}, or a folder"
    ):
        load("fairytale", adapter="pirate")


@needs_node
def test_the_page_merges_them_too():
    kind = adapters("fairytale")[0]
    adapted = load("fairytale", adapter=kind)
    ids = [END_ID, *adapted.tokenizer("Once upon a time there was a")["input_ids"]]
    (got,) = ask({"ask": "adapted", "adapter": kind, "ids": ids, "count": 5})
    with torch.no_grad():
        wanted = adapted.model(torch.tensor([ids])).logits[0, -1].softmax(-1)
    assert [one["p"] for one in got] == pytest.approx([wanted[one["id"]].item() for one in got], abs=1e-4)


def test_a_folder_holds_what_it_needs():
    for kind in adapters("fairytale"):
        assert {path.name for path in (CHECKPOINTS / "fairytale" / "adapters" / kind).iterdir()} == {CONFIG, WEIGHTS}
