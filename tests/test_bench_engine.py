"""The engine in the page computes what `trace`, the interventions, the lens, `sweep` and generation compute here."""

from __future__ import annotations

import base64
import re
from contextlib import ExitStack, nullcontext

import numpy as np
import pytest
import torch
from bench_node import ASSETS, CHECKPOINTS, ask, needs_node, unpack

from llmnotes.methods.lens import logit_lens
from llmnotes.model.architectures import parts, unwrap
from llmnotes.model.hooks import PLACES
from llmnotes.model.interventions import ablate, add, cut_edges, freeze, replace
from llmnotes.model.loading import load
from llmnotes.model.tracing import trace
from llmnotes.patching.sweeps import logit_difference, sweep

pytestmark = needs_node
TEXTS = {
    "world": ["the cats near the dog", "when Anna and Karl went to the river , Karl gave the ring to"],
    "fairytale": ["Once upon a time there was a king", "The wolf said: \"Let me in, it's cold"],
}
PATHS = {"world": "world", "fairytale": "fairytale", "step 1000": "world/step-1000"}
ATOL = 1e-4


@pytest.fixture(scope="module")
def models() -> dict:
    return {name: load(name) for name in TEXTS}


def ids_of(model, text: str) -> list[int]:
    return [0, *unwrap(model)[1].encode(text)]


def others(model, name: str) -> list[list[int]]:
    return [ids_of(model, text) for text in TEXTS[name]]


def direction(width: int) -> list[float]:
    return (torch.randn(width, generator=torch.Generator().manual_seed(3)) * 2).tolist()


def kinds(model, name: str, ids: list[int]) -> dict[str, tuple[list[dict], list]]:
    """Each kind of edit: as data for the page, and as contexts here."""
    sizes = parts(model).sizes
    last, head = sizes.n_layers - 1, sizes.n_heads - 1
    texts = others(model, name)
    source = texts[1]
    swapped = [ids[0], *(source + source)[1 : len(ids)]]
    wide, narrow = direction(sizes.d_model), direction(sizes.d_model // sizes.n_heads)
    reference, other, same = trace(model, texts), trace(model, source), trace(model, swapped)
    two, four = [1, 3], [2, 4]
    four_of_other = {"ids": source, "positions": four}
    return {
        "nothing": ([], []),
        "a head off": (
            [{"op": "zero", "place": "z", "layer": last, "heads": [head]}],
            [ablate(model, "z", last, heads=[head])],
        ),
        "an MLP off everywhere, by layers from the end": (
            [{"op": "zero", "place": "mlp_out", "layer": [0, -1], "positions": [-1]}],
            [ablate(model, "mlp_out", [0, last], positions=[-1])],
        ),
        "neurons off": (
            [{"op": "zero", "place": "mlp_post", "layer": 1, "neurons": [5, 17], "positions": two}],
            [ablate(model, "mlp_post", 1, neurons=[5, 17], positions=two)],
        ),
        "heads' mean": (
            [{"op": "mean", "place": "z", "layer": 1, "heads": [0, 2], "texts": texts}],
            [ablate(model, "z", 1, by="mean", reference=reference, heads=[0, 2])],
        ),
        "an MLP's mean": (
            [{"op": "mean", "place": "mlp_out", "layer": 1, "texts": texts}],
            [ablate(model, "mlp_out", 1, by="mean", reference=reference)],
        ),
        "the stream of another run": (
            [{"op": "replace", "place": "resid_pre", "layer": 1, "positions": two, "from": four_of_other}],
            [replace(model, "resid_pre", 1, other["resid_pre", 1][:, four], positions=two)],
        ),
        "amid a block": (
            [{"op": "replace", "place": "resid_mid", "layer": 0, "positions": two, "from": four_of_other}],
            [replace(model, "resid_mid", 0, other["resid_mid", 0][:, four], positions=two)],
        ),
        "keys and values of another run": (
            [{"op": "replace", "place": p, "layer": 1, "heads": [1], "from": {"ids": swapped}} for p in ("k", "v")],
            [freeze(model, same, p, 1, heads=[1]) for p in ("k", "v")],
        ),
        "the pattern of another run": (
            [{"op": "replace", "place": "pattern", "layer": None, "from": {"ids": swapped}}],
            [freeze(model, same)],
        ),
        "a vector added from a position on": (
            [{"op": "add", "place": "resid_post", "layer": 1, "vector": wide, "dose": 1.5, "positions": {"from": 2}}],
            [add(model, "resid_post", 1, 1.5 * torch.tensor(wide), positions=slice(2, None))],
        ),
        "a vector added to a head's queries": (
            [{"op": "add", "place": "q", "layer": 0, "heads": [1], "vector": narrow}],
            [add(model, "q", 0, torch.tensor(narrow), heads=[1])],
        ),
        "edges cut": (
            [{"op": "cut", "layer": [0, 1], "heads": [0, 3], "edges": [[3, 1], [3, 0], [4, 4]]}],
            [cut_edges(model, [0, 1], heads=[0, 3], edges=[(3, 1), (3, 0), (4, 4)])],
        ),
        "edges cut, rows left short": (
            [{"op": "cut", "layer": 1, "edges": [[4, 0]], "renormalize": False}],
            [cut_edges(model, 1, edges=[(4, 0)], renormalize=False)],
        ),
        "a neuron's input and a logit set": (
            [{"op": "replace", "place": "mlp_pre", "layer": 0, "neurons": [3], "value": 4},
             {"op": "replace", "place": "logits", "neurons": [7], "value": -2, "positions": [1]}],
            [replace(model, "mlp_pre", 0, 4.0, neurons=[3]),
             replace(model, "logits", None, -2.0, neurons=[7], positions=[1])],
        ),
        "three edits at once": (
            [{"op": "zero", "place": "z", "layer": 0, "heads": [0]},
             {"op": "zero", "place": "attn_out", "layer": 1, "positions": [2]},
             {"op": "add", "place": "resid_mid", "layer": 1, "vector": wide, "dose": -0.5, "positions": [-1]}],
            [ablate(model, "z", 0, heads=[0]), ablate(model, "attn_out", 1, positions=[2]),
             add(model, "resid_mid", 1, -0.5 * torch.tensor(wide), positions=[-1])],
        ),
    }  # fmt: skip


def compare(model, ids: list[int], contexts: list, answer: dict) -> None:
    assert "error" not in answer, answer
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        seen = trace(model, ids)
    assert len(answer) == len(seen.values)
    for (place, layer), value in seen.values.items():
        got = unpack(answer[place if layer is None else f"{place} {layer}"])
        wrong = np.abs(got - value[0].flatten().numpy()).max()
        assert wrong < ATOL, f"{place} {layer} is off by {wrong}"


@pytest.mark.parametrize("name", TEXTS)
def test_every_place_with_every_kind_of_edit(models, name: str) -> None:
    model = models[name]
    ids = ids_of(model, TEXTS[name][0])
    found = kinds(model, name, ids)
    requests = [{"ask": "run", "name": name, "ids": ids, "keep": PLACES, "edits": edits} for edits, _ in found.values()]
    plain, *_ = answers = ask(*requests, requests[-1] | {"simd": False})
    for (kind, (_, contexts)), answer in zip(found.items(), answers, strict=False):
        compare(model, ids, contexts, answer)
        changed = any(answer[place] != plain[place] for place in plain)
        assert changed == (kind != "nothing"), f"{kind} changes nothing"
    with_simd, without = (unpack(answer["logits"]) for answer in answers[-2:])
    assert np.abs(with_simd - without).max() < ATOL


@pytest.mark.parametrize("name", PATHS)
def test_more_texts_and_float8(models, name: str) -> None:
    model = models.get(name) or load(CHECKPOINTS / PATHS[name])
    texts = [ids_of(model, text) for text in TEXTS.get(name, TEXTS["world"])]
    texts.append(
        [i % parts(model).sizes.vocab_size for i in range(7, 7 + parts(model).sizes.n_ctx)]
    )  # as long as it reads
    answers = ask(*({"ask": "run", "name": PATHS[name], "ids": ids, "keep": PLACES, "edits": []} for ids in texts))
    for ids, answer in zip(texts, answers, strict=True):
        compare(model, ids, [], answer)


@pytest.mark.parametrize("name", TEXTS)
def test_with_and_without_a_cache(models, name: str) -> None:
    model = models[name]
    ids = ids_of(model, TEXTS[name][1])
    sizes = parts(model).sizes
    edits = [
        {"op": "add", "place": "resid_post", "layer": 1, "vector": direction(sizes.d_model), "positions": {"from": 3}},
        {"op": "cut", "layer": 0, "heads": [1], "edges": [[7, 2], [4, 1]]},
        {"op": "zero", "place": "z", "layer": 1, "heads": [0]},
    ]
    contexts = [
        add(model, "resid_post", 1, torch.tensor(direction(sizes.d_model)), positions=slice(3, None)),
        cut_edges(model, 0, heads=[1], edges=[(7, 2), (4, 1)]),
        ablate(model, "z", 1, heads=[0]),
    ]
    answers = ask(*({"ask": "run", "name": name, "ids": ids, "edits": edits, "split": at} for at in (1, 5)))
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        wanted = trace(model, ids, ["logits"])["logits"][0].numpy()
    for answer in answers:
        assert np.abs(unpack(answer["logits"]).reshape(wanted.shape) - wanted).max() < ATOL


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("changed", [False, True])
def test_generation_token_by_token(models, name: str, changed: bool) -> None:
    model = models[name]
    hf, _ = unwrap(model)
    ids = ids_of(model, TEXTS[name][0])
    vector = direction(parts(model).sizes.d_model)
    edits = [{"op": "add", "place": "resid_post", "layer": 1, "vector": vector}] if changed else []
    request = {"ask": "generate", "name": name, "ids": ids, "options": {"count": 40, "temperature": 0, "edits": edits}}
    (got,) = ask(request)
    wanted = list(ids)
    with add(model, "resid_post", 1, torch.tensor(vector)) if changed else nullcontext(), torch.no_grad():
        for _ in range(40):
            wanted.append(int(hf(torch.tensor([wanted])).logits[0, -1].argmax()))
    assert got == wanted[len(ids) :]


@pytest.mark.parametrize("name", TEXTS)
def test_the_lens(models, name: str) -> None:
    ids = ids_of(models[name], TEXTS[name][0])
    (got,) = ask({"ask": "lens", "name": name, "ids": ids})
    wanted = logit_lens(models[name], ids)[:, 0]
    assert len(got) == len(wanted)
    for step, answer in zip(wanted, got, strict=True):
        assert np.abs(unpack(answer).reshape(step.shape) - step.numpy()).max() < ATOL


@pytest.mark.parametrize("place", ["resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out"])
@pytest.mark.parametrize("name", TEXTS)
def test_the_sweep(models, name: str, place: str) -> None:
    model = models[name]
    pairs = {"world": ("cats", "cat", "are", "is"), "fairytale": (" king", " queen", " he", " she")}
    one, other, yes, no = pairs[name]
    text = TEXTS[name][0]
    clean, corrupted = ids_of(model, text), ids_of(model, text.replace(one, other))
    assert len(clean) == len(corrupted)
    tokens = [unwrap(model)[1].encode(word)[0] for word in (yes, no)]
    request = {"ask": "sweep", "name": name, "clean": clean, "corrupted": corrupted, "tokens": tokens, "place": place}
    (got,) = ask(request)
    wanted = sweep(model, clean, corrupted, logit_difference(model, *tokens), place, each=("layer", "position"))
    assert np.abs(unpack(got["values"]).reshape(wanted.values.shape) - wanted.values.numpy()).max() < ATOL
    assert abs(got["unpatched"] - wanted.unpatched) < ATOL
    assert abs(got["source"] - wanted.source) < ATOL


def test_cut_offs() -> None:
    logits = [1.0, 3.0, 2.0, 0.0]
    greedy, hot, top, nucleus = ask(
        *({"ask": "choices", "logits": logits, "options": options}
          for options in ({"temperature": 0}, {"temperature": 2}, {"topK": 2}, {"topP": 0.7}))
    )  # fmt: skip
    p = torch.tensor(logits).softmax(0)
    assert greedy == [{"id": 1, "p": 1}]
    halved = (torch.tensor(logits) / 2).softmax(0)
    assert [one["id"] for one in hot] == [1, 2, 0, 3]
    assert [one["p"] for one in hot] == pytest.approx(halved[[1, 2, 0, 3]].tolist(), abs=1e-6)
    assert [one["p"] for one in top] == pytest.approx((p[[1, 2]] / p[[1, 2]].sum()).tolist(), abs=1e-6)
    assert [one["id"] for one in nucleus] == [1, 2]  # 0.64 alone is not enough, 0.88 is


def test_bad_input_is_explained() -> None:
    run = {"ask": "run", "name": "world", "keep": ["logits"], "edits": []}
    unpaired = {"op": "replace", "place": "z", "layer": 0, "positions": [0, 1], "from": {"ids": [0], "positions": [0]}}
    wrong = {
        "expected 0 to 237": run | {"ids": [0, 238]},
        "reads 128": run | {"ids": [0] * 129},
        "empty text": run | {"ids": []},
        "layer 4 of 4": run | {"ids": [0, 1], "edits": [{"op": "zero", "place": "z", "layer": 4}]},
        "head 4 of 4": run | {"ids": [0, 1], "edits": [{"op": "zero", "place": "z", "layer": 0, "heads": [4]}]},
        "position 2 of 2": run | {"ids": [0, 1], "edits": [{"op": "zero", "place": "z", "layer": 0, "positions": [2]}]},
        "no place": run | {"ids": [0, 1], "edits": [{"op": "zero", "place": "resid", "layer": 0}]},
        "op is": run | {"ids": [0, 1], "edits": [{"op": "drop", "place": "z", "layer": 0}]},
        "has no heads": run | {"ids": [0], "edits": [{"op": "zero", "place": "attn_out", "layer": 0, "heads": [0]}]},
        "nothing looks ahead": run | {"ids": [0, 1], "edits": [{"op": "cut", "layer": 0, "edges": [[0, 1]]}]},
        "2 wide": run | {"ids": [0], "edits": [{"op": "add", "place": "z", "layer": 0, "vector": [1, 2]}]},
        "2 positions are paired with 1": run | {"ids": [0, 1], "edits": [unpaired]},
        "cut off": {"ask": "cut", "name": "world", "bytes": 1000},
        "ends after the file": {"ask": "cut", "name": "world", "bytes": 100_000},
    }  # fmt: skip
    for message, answer in zip(wrong, ask(*wrong.values()), strict=True):
        assert message in answer["error"], answer


def test_the_kernel_is_its_source() -> None:
    wasmtime = pytest.importorskip("wasmtime", reason="wasmtime assembles the kernel's source")
    assembled = bytes(wasmtime.wat2wasm((ASSETS / "kernel.wat").read_text()))
    carried = re.search(r"const BYTES =\s*((?:\"[\w+/=]+\"[ +\n]*)+);", (ASSETS / "kernel.js").read_text())[1]
    carried = base64.b64decode("".join(re.findall(r"\"([^\"]+)\"", carried)))
    assert carried == without_names(assembled)
    assert len(carried) < 400


def without_names(wasm: bytes) -> bytes:
    """A module without its custom sections, where the assembler keeps the names of variables."""
    kept, at = wasm[:8], 8
    while at < len(wasm):
        end, size, shift = at + 1, 0, 0
        while True:
            size |= (wasm[end] & 127) << shift
            shift, end = shift + 7, end + 1
            if wasm[end - 1] < 128:
                break
        if wasm[at]:
            kept += wasm[at : end + size]
        at = end + size
    return kept


@pytest.mark.parametrize("name", TEXTS)
def test_tokenizers(models, name: str) -> None:
    _, tokenizer = unwrap(models[name])
    texts = [*TEXTS[name], "<|endoftext|> " + TEXTS[name][0]]
    if name == "fairytale":
        texts += [
            "",
            "  two  spaces\n\nand lines \t",
            "naïve — “quotes” don't 123 €5",
            "日本 🦊x",
            " <|endoftext|>a<|endoftext|>",
        ]
    (got,) = ask({"ask": "encode", "name": name, "texts": texts})
    for text, (ids, back) in zip(texts, got, strict=True):
        assert ids == tokenizer.encode(text)
        assert back == tokenizer.decode(ids)
