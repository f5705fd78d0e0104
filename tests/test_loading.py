"""Loading: one answer for every kind of model, and errors that say at once what to do."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, GPT2Config, GPTNeoConfig, GPTNeoXConfig, LlamaConfig

import llmnotes
from llmnotes.model.loading import CHECKPOINTS, FOLDER_VARIABLE, load, seeds, shipped
from llmnotes.scratch.gpt2 import from_gpt2
from llmnotes.scratch.transformer import Config, Transformer, generate
from llmnotes.shipped.llama2c import HEADER, halves, read_llama2c
from llmnotes.shipped.recipes import world_tokenizer
from llmnotes.shipped.saving import save_checkpoint

STORIES260K = "stories260K"
SIZES = {"vocab_size": 240, "bos_token_id": 0, "eos_token_id": 0}
CONFIGS = {
    "gpt2": GPT2Config(n_layer=2, n_head=4, n_embd=32, n_positions=24, **SIZES),
    "gpt_neo": GPTNeoConfig(
        num_layers=2,
        num_heads=4,
        hidden_size=32,
        max_position_embeddings=24,
        attention_types=[[["global", "local"], 1]],
        **SIZES,
    ),
    "gpt_neox": GPTNeoXConfig(
        num_hidden_layers=2,
        num_attention_heads=4,
        hidden_size=32,
        intermediate_size=64,
        max_position_embeddings=24,
        **SIZES,
    ),
    "llama": LlamaConfig(
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        hidden_size=32,
        intermediate_size=64,
        max_position_embeddings=24,
        **SIZES,
    ),
}
# What llama2.c prints for stories260K at temperature 0 (its own test, 200 steps).
PUBLISHED = (
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a "
    "big, red ball. She wanted to play with it, but it was too high.\nLily's mom said, \"Lily, let's go to the park.\" "
    "Lily was sad and didn't know what to do. She said, \"I want to play with your ball, but I can't find it.\"\nLily "
    "was sad and didn't know what to do. She said, \"I'm sorry, Lily. I didn't know what to do.\"\nLily didn't want to "
    "help her mom, so she"
)


@pytest.fixture
def offline(monkeypatch):
    """No hub, and no models folder but what a test sets."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)


def save_tiny(kind: str, folder: Path) -> Path:
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(CONFIGS[kind]).half().save_pretrained(folder)
    world_tokenizer().save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_architecture_comes_as_the_same_thing(kind, tmp_path, offline):
    loaded = load(save_tiny(kind, tmp_path))
    assert (loaded.n_layers, loaded.n_heads, loaded.d_model, loaded.d_head) == (2, 4, 32, 8)
    assert (loaded.n_kv_heads, loaded.vocab_size, loaded.n_ctx) == (2 if kind == "llama" else 4, 240, 24)
    assert not loaded.model.training
    assert {p.dtype for p in loaded.model.parameters()} == {torch.float32}
    ids = loaded.ids("the cats are happy .")
    assert ids.shape == (1, 5)
    assert loaded.model(ids).logits.shape == (1, 5, 240)
    assert loaded.tokenizer.decode(ids[0]) == "the cats are happy ."


def test_a_local_folder_is_noted_as_a_dependency(tmp_path, offline):
    folder = save_tiny("gpt2", tmp_path)
    heard = []
    sys.addaudithook(lambda event, args: heard.append(args) if event == "llmnotes.reads" else None)
    load(folder)
    assert (str(folder),) in heard


def test_the_folder_variable_is_searched(tmp_path, offline, monkeypatch):
    save_tiny("gpt2", tmp_path / "someone" / "tiny")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert load("someone/tiny").name == "someone/tiny"
    with pytest.raises(ConnectionError, match=str(tmp_path / "absent")):
        load("absent")


def test_a_text_longer_than_the_context_is_an_error_with_both_lengths(tmp_path, offline):
    loaded = load(save_tiny("gpt2", tmp_path))
    assert loaded.ids("the " * 24).shape == (1, 24)
    with pytest.raises(ValueError, match=r"25 tokens .* holds 24"):
        loaded.ids("the " * 25)


def test_a_model_that_is_not_at_hand_says_so_at_once(offline):
    begun = time.perf_counter()
    with pytest.raises(ConnectionError) as caught:
        load("EleutherAI/pythia-71m")
    assert time.perf_counter() - begun < 5
    message = str(caught.value)
    for part in (
        "'EleutherAI/pythia-71m'",
        "'EleutherAI/pythia-70m'",
        FOLDER_VARIABLE,
        "Hugging Face cache",
        "Fetch it",
    ):
        assert part in message


def test_no_retries_where_the_hub_cannot_be_reached(monkeypatch):
    """A fresh interpreter, so that the endpoint is read anew; nothing listens on that port."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    code = (
        "import time, transformers.modeling_utils\nfrom llmnotes.model.loading import load\n"
        "for name in ('someone/absent', 'gpt2'):\n"
        "    begun = time.perf_counter()\n    try:\n        load(name)\n    except ConnectionError as error:\n"
        "        assert time.perf_counter() - begun < 20, 'retried'\n        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("reached") == 2
    assert "127.0.0.1:9" in done.stdout


@pytest.mark.parametrize(
    ("typed", "meant"), [("gpt", "gpt2"), ("pythia-70", "EleutherAI/pythia-70m"), ("stories260k", STORIES260K)]
)
def test_unknown_names_suggest_near_ones(typed, meant, offline):
    with pytest.raises(ConnectionError, match=f"Did you mean.*'{meant}'"):
        load(typed)


def test_paths_are_not_asked_of_the_hub(offline):
    with pytest.raises(FileNotFoundError, match="no/such/folder"):
        load("no/such/folder")
    with pytest.raises(FileNotFoundError):
        load("./absent")


def test_pickles_are_refused_with_the_reason(tmp_path, offline):
    folder = save_tiny("gpt2", tmp_path)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"pickle only \(pytorch_model.bin\).*runs whatever code"):
        load(folder)


def test_code_of_its_own_is_refused(tmp_path, offline):
    folder = save_tiny("gpt2", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "modeling.Trap"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "modeling.py").write_text("raise SystemExit('ran')")
    with pytest.raises(ValueError, match=r"code of its own .*modeling.Trap"):
        load(folder)


def test_unknown_architectures_and_incomplete_folders_are_refused(tmp_path, offline):
    folder = save_tiny("gpt2", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "mamba"}))
    with pytest.raises(ValueError, match=r"'mamba'.*gpt2, gpt_neo"):
        load(folder)
    (folder / "config.json").write_text(json.dumps(config | {"n_layer": 3}))
    with pytest.raises(ValueError, match=r"lack .*h\.2\."):
        load(folder)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="no weights"):
        load(folder)
    (folder / "config.json").unlink()
    with pytest.raises(ValueError, match=r"no config\.json"):
        load(folder)


def test_a_folder_without_a_tokenizer_takes_ids_only(tmp_path, offline):
    folder = save_tiny("gpt2", tmp_path)
    for file in folder.glob("tokenizer*"):
        file.unlink()
    loaded = load(folder)
    assert loaded.tokenizer is None
    with pytest.raises(ValueError, match="without a tokenizer"):
        loaded.ids("the cats")


# ---------------------------------------------------------------------------------------------------- llama2.c


def test_stories260k_is_the_file_that_its_author_published():
    """Its weights, written back in llama2.c's format, have the checksum of the author's, which tables follow."""
    folder = CHECKPOINTS / STORIES260K
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest() in card
    state = load_file(folder / "model.safetensors")

    def layers(name: str, heads: int = 0) -> torch.Tensor:
        each = [state[f"model.layers.{i}.{name}.weight"] for i in range(5)]
        each = [w.view(heads, 2, -1, 64).transpose(1, 2).reshape(w.shape) for w in each] if heads else each
        return torch.stack(each)

    written = [
        state["model.embed_tokens.weight"],
        layers("input_layernorm"),
        *(layers(f"self_attn.{name}_proj", heads) for name, heads in (("q", 8), ("k", 4), ("v", 0), ("o", 0))),
        layers("post_attention_layernorm"),
        *(layers(f"mlp.{name}_proj") for name in ("gate", "down", "up")),
        state["model.norm.weight"],
    ]
    raw = HEADER.pack(64, 172, 5, 8, 4, 512, 512) + b"".join(part.numpy().tobytes() for part in written)
    assert hashlib.sha256(raw).hexdigest() in card


def test_stories260k_writes_what_llama2c_publishes(offline):
    loaded = load(STORIES260K)
    assert (loaded.n_layers, loaded.n_heads, loaded.n_kv_heads, loaded.d_model, loaded.n_ctx) == (5, 8, 4, 64, 512)
    start = torch.tensor([[loaded.tokenizer.bos_token_id]])
    ids = loaded.model.generate(start, max_new_tokens=200, do_sample=False, pad_token_id=0)
    assert loaded.tokenizer.decode(ids[0], skip_special_tokens=True) == PUBLISHED


def test_stories260k_reads_text_as_it_writes_it(offline):
    loaded = load(STORIES260K)
    ids = loaded.ids(PUBLISHED)
    assert ids[0, 0] == 1
    with torch.no_grad():
        best = loaded.model(ids).logits[0, :-1].argmax(-1)
    assert (best == ids[0, 1:]).float().mean() > 0.99  # its own greedy text, cut into the same tokens
    for text in ("Once upon a time", "é 😀 <s>", "two  spaces\nand a line"):
        assert loaded.tokenizer.decode(loaded.ids(text)[0], skip_special_tokens=True) == text.replace("<s>", "")


def test_stories260k_has_the_loss_that_llama2c_publishes():
    """1.297 nats a token on TinyStories. The text does not ship: put it where the variable says."""
    text = Path(os.environ.get(FOLDER_VARIABLE, "")) / "TinyStoriesV2-GPT4-valid.txt"
    if not text.is_file():
        pytest.skip(f"no {text.name} (on the hub under roneneldan/TinyStories) in the folder of {FOLDER_VARIABLE}")
    with text.open(encoding="utf-8") as opened:
        stories = opened.read(1_000_000).split("<|endoftext|>")[:-1][:300]
    loaded = load(STORIES260K)
    model, tokenizer = loaded.model, loaded.tokenizer

    def loss() -> tuple[float, float]:
        """Mean over tokens, and its standard error, since the tokens of a story are no separate draws."""
        sums, counts = [], []
        for story in filter(None, map(str.strip, stories)):
            ids = tokenizer(story, return_tensors="pt").input_ids[:, :512]
            with torch.no_grad():
                sums.append(model(ids, labels=ids).loss.item() * (ids.shape[1] - 1))
            counts.append(ids.shape[1] - 1)
        sums, counts = torch.tensor(sums), torch.tensor(counts)
        mean = sums.sum() / counts.sum()
        return mean.item(), ((sums - mean * counts).std() * len(sums) ** 0.5 / counts.sum()).item()

    def is_published(mean: float, error: float) -> bool:
        return abs(mean - 1.297) < 0.02 + 3 * error  # 0.02: their validation text is another part of the data

    mean, error = loss()
    assert error < 0.15, "five stories are enough"
    assert is_published(mean, error), f"{mean:.3f}, standard error {error:.3f}, over {len(stories)} stories"
    for layer in model.model.layers:  # as if the rows of queries and keys had been left as they stand in the file
        for weight, heads in ((layer.self_attn.q_proj.weight, 8), (layer.self_attn.k_proj.weight, 4)):
            weight.data = weight.data.view(heads, 2, 4, 64).transpose(1, 2).reshape(weight.shape)
    assert not is_published(*loss())


def test_a_cut_file_is_refused(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(HEADER.pack(64, 172, 5, 8, 4, 512, 512) + bytes(1000))
    with pytest.raises(ValueError, match=r"1028 bytes.*cut off"):
        read_llama2c(path)
    path.write_bytes(b"no model")
    with pytest.raises(ValueError, match="8 bytes"):
        read_llama2c(path)


def test_rows_change_places_from_neighbours_to_halves():
    rows = torch.arange(8.0)[:, None]
    assert halves(rows, 1)[:, 0].tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    assert halves(rows, 2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


# ---------------------------------------------------------------------------------------------------- what ships


@pytest.mark.parametrize("name", [name for name in shipped() if name != STORIES260K])
def test_what_ships_is_loaded_by_name_and_agrees_with_our_transformer(name, offline):
    loaded = llmnotes.load(name)
    ours = from_gpt2(loaded.model)
    ids = torch.randint(1, loaded.vocab_size, (2, loaded.n_ctx), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(ours(ids), loaded.model(ids).logits, atol=1e-5, rtol=1e-5)
    prompt = ids[:1, :4]
    assert torch.equal(generate(ours, prompt, 20), generate(ours, prompt, 20, use_cache=False))


def test_what_ships_is_small():
    def megabytes(folder: Path) -> float:
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6

    assert {"fairytale", "world"} <= set(shipped())
    assert megabytes(CHECKPOINTS / "fairytale") < 12
    assert megabytes(CHECKPOINTS / "world") < 12  # 13 checkpoints, 3 of attention alone, audit cases, dictionaries


def test_a_replicate_is_loaded_by_its_seed(offline):
    assert seeds("world") == [0, 1, 2, 3, 4]
    assert seeds("world/attention-only") == [0, 1, 2]
    assert seeds("fairytale") == [0]
    first, second = (llmnotes.load("world", seed=seed).model.transformer.wte.weight for seed in (0, 1))
    assert torch.equal(first, llmnotes.load("world").model.transformer.wte.weight)
    assert not torch.allclose(first, second, atol=0.1)
    assert llmnotes.load("world", seed=2).name == "world/seed-2"


@pytest.mark.parametrize(
    ("name", "seed"), [("world", 9), ("world", -1), ("world", True), ("fairytale", 1), ("gpt2", 1)]
)
def test_a_seed_that_is_not_here_is_refused(name, seed, offline):
    with pytest.raises(ValueError, match=rf"seed is {seed}; {name} is here with 0"):
        llmnotes.load(name, seed=seed)


def test_the_trainings_of_a_strangers_model_are_not_ours():
    with pytest.raises(FileNotFoundError, match="no model 'gpt2'"):
        seeds("gpt2")


def test_checksums_of_what_ships_are_those_of_the_cards(offline):
    for metrics in CHECKPOINTS.rglob("metrics.json"):
        if metrics.parent.name == "adapters":  # several files, which have a test of their own
            continue
        checksum = json.loads(metrics.read_text())["sha256"]
        assert hashlib.sha256((metrics.parent / "model.safetensors").read_bytes()).hexdigest() == checksum
        replicate = metrics.parent.name.startswith("seed-")  # it stands with its beginning on its model's card
        card = (metrics.parent.parent if replicate else metrics.parent) / "README.md"
        assert (checksum[:12] if replicate else checksum) in card.read_text()


def test_eight_bit_matrices_load_as_the_rest(tmp_path, offline):
    model = Transformer(Config(vocab_size=240, n_ctx=16, n_layers=1, n_heads=2, d_model=16))
    save_checkpoint(model, world_tokenizer(), tmp_path, matrices=torch.float8_e4m3fn)
    loaded = load(tmp_path)
    stored = dict(loaded.model.named_parameters())["transformer.h.0.attn.c_attn.weight"]
    torch.testing.assert_close(stored, model.transformer["h"][0].attn.c_attn.weight, rtol=0.07, atol=2e-3)


def saved(tmp_path: Path, **config) -> Path:
    """A small GPT-2 as a folder, with some of its configuration changed by hand."""
    folder = tmp_path / "strange"
    AutoModelForCausalLM.from_config(CONFIGS["gpt2"]).save_pretrained(folder)
    stored = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(stored | config))
    return folder


@pytest.mark.parametrize(
    "file", ["pytorch_model.bin", "../other.safetensors", "/etc/x.safetensors", "gone.safetensors"]
)
def test_an_index_names_safetensors_of_its_own_folder_alone(file, tmp_path, offline):
    folder = saved(tmp_path)
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"wte.weight": file}}))
    with pytest.raises(ValueError, match=f"names|{file}") as caught:
        load(folder)
    assert "model.safetensors.index.json" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("model.safetensors", b"\x10\x00\x00\x00", "model.safetensors is damaged"),
        ("config.json", b"{", "config.json is damaged"),
        ("config.json", b"[]", "expected a JSON object"),
        ("model.safetensors.index.json", b"{}", "names no file of weights"),
        ("tokenizer.json", b"{", "the tokenizer in"),
        ("adapter_config.json", b"{}", "names weights of another place"),
    ],
)
def test_damage_names_its_file(file, content, said, tmp_path, offline):
    folder = saved(tmp_path)
    if "index" in file:
        (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    (folder / file).write_bytes(content)
    with pytest.raises(ValueError, match=said):
        load(folder)


@pytest.mark.parametrize(
    "config",
    [{"n_layer": 1_000_000}, {"vocab_size": 10**12}, {"n_inner": 10**9}, {"transformers_weights": "../x.safetensors"}],
)
def test_a_configuration_that_its_weights_do_not_bear_out_ends_at_once(config, tmp_path, offline):
    began = time.monotonic()
    with pytest.raises(ValueError, match=next(iter(config))):
        load(saved(tmp_path, **config))
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(value, tmp_path, offline):
    model = AutoModelForCausalLM.from_config(CONFIGS["llama"])
    model.model.layers[1].mlp.up_proj.weight.data[0, 0] = value
    model.save_pretrained(tmp_path / "strange")
    with pytest.raises(ValueError, match=r"layers\.1\.mlp\.up_proj\.weight holds NaN or infinite"):
        load(tmp_path / "strange")
