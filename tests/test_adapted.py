"""Adapters merged into a model: the numbers that peft gives, and errors that say what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import CONFIGS
from transformers import AutoModelForCausalLM

import llmnotes
from llmnotes.model.adapted import CONFIG, WEIGHTS
from llmnotes.model.loading import adapters, load

KEY = "base_model.model.transformer.h.1.mlp.c_fc.lora_{}.weight"
IDS = torch.tensor([[1, 5, 9, 2, 60, 7]])


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return saved("gpt2", tmp_path / "base")


def saved(kind: str, folder: Path) -> Path:
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(CONFIGS[kind]).save_pretrained(folder)
    return folder


def adapter(folder: Path, tensors: dict[str, torch.Tensor] | None = None, **config) -> Path:
    """An adapter of rank 2 on one matrix of the tiny GPT-2, by hand."""
    folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(1)
    a, b = (torch.randn(shape, generator=generator) for shape in ((2, 32), (128, 2)))
    save_file(tensors or {KEY.format("A"): a, KEY.format("B"): b}, folder / WEIGHTS)
    settings = {"peft_type": "LORA", "lora_alpha": 6, "r": 2, "bias": "none"} | config
    (folder / CONFIG).write_text(json.dumps(settings))
    return folder


@pytest.mark.parametrize(("config", "scale"), [({}, 3), ({"use_rslora": True}, 6 / 2**0.5)])
def test_the_product_is_added_by_hand(base, tmp_path, config, scale):
    folder = adapter(tmp_path / "a", **config)
    a, b = (load_file(folder / WEIGHTS)[KEY.format(side)] for side in "AB")
    before, after = (dict(load(base, adapter=one).model.named_parameters()) for one in (None, folder))
    changed = "transformer.h.1.mlp.c_fc.weight"
    torch.testing.assert_close(after[changed], before[changed] + scale * (b @ a).T)
    assert [name for name in before if not torch.equal(before[name], after[name])] == [changed]
    assert load(base, adapter=folder, dtype="bfloat16").model.dtype == torch.bfloat16


@pytest.mark.parametrize(("kind", "targets"), [("gpt2", ["c_attn", "c_proj", "c_fc"]), ("llama", "all-linear")])
def test_an_adapter_that_peft_wrote_gives_its_numbers(kind, targets, tmp_path):
    peft = pytest.importorskip("peft")
    base = saved(kind, tmp_path / "base")
    model = AutoModelForCausalLM.from_pretrained(base)
    config = peft.LoraConfig(r=3, lora_alpha=5, target_modules=targets, fan_in_fan_out=kind == "gpt2")
    theirs = peft.get_peft_model(model, config).eval()
    with torch.no_grad():
        for name, weight in theirs.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.1)
        theirs.save_pretrained(tmp_path / "adapter")
        ours = load(base, adapter=tmp_path / "adapter").model
        torch.testing.assert_close(ours(IDS).logits, theirs(IDS).logits, atol=1e-5, rtol=1e-5)
        assert not torch.allclose(ours(IDS).logits, load(base).model(IDS).logits, atol=1e-2)


@pytest.mark.parametrize(
    ("tensors", "config", "message"),
    [
        (None, {"peft_type": "IA3"}, "no plain LoRA .*IA3.*merge_and_unload"),
        (None, {"use_dora": True}, "no plain LoRA .use_dora"),
        (None, {"bias": "all"}, "bias all"),
        (None, {"lora_alpha": None}, "lora_alpha = None; expected a number"),
        ({KEY.format("A"): torch.ones(2, 32)}, {}, "expected A .rank, in. and B"),
        ({KEY.format("A"): torch.ones(2, 32), KEY.format("B"): torch.ones(128, 3)}, {}, r"'B': \(128, 3\)"),
        ({KEY.format("A"): torch.ones(2, 64), KEY.format("B"): torch.ones(128, 2)}, {}, "a model of another size"),
        ({KEY.replace("h.1", "h.9").format(side): torch.ones(2, 2) for side in "AB"}, {}, "of another model"),
        ({KEY.replace("mlp.c_fc", "ln_1").format(side): torch.ones(2, 2) for side in "AB"}, {}, "of another model"),
        ({"transformer.wte.lora_embedding_A": torch.ones(2, 2)}, {}, "holds transformer.wte.lora_embedding_A"),
        ({KEY.format(side): torch.full((2, 2), torch.nan) for side in "AB"}, {}, "another size"),
    ],
)
def test_what_cannot_be_merged_is_refused(base, tmp_path, tensors, config, message):
    with pytest.raises(ValueError, match=message):
        load(base, adapter=adapter(tmp_path / "a", tensors, **config))


def test_a_damaged_adapter_is_refused(base, tmp_path):
    folder = adapter(tmp_path / "a")
    (folder / WEIGHTS).write_bytes(b"nothing")
    with pytest.raises(ValueError, match="is damaged"):
        load(base, adapter=folder)
    (folder / WEIGHTS).unlink()
    with pytest.raises(ValueError, match="a pickle is not read"):
        load(base, adapter=folder)
    nan = {KEY.format("A"): torch.full((2, 32), torch.nan), KEY.format("B"): torch.ones(128, 2)}
    with pytest.raises(ValueError, match="holds NaN"):
        load(base, adapter=adapter(tmp_path / "b", nan))


def test_an_adapter_that_is_not_here_is_named(base, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"adapter is 'nowhere'; expected a folder .*ships with no adapters"):
        load(base, adapter="nowhere")
    with pytest.raises(FileNotFoundError, match="no model 'gpt2'"):
        adapters("gpt2")
    assert adapters("world") == []
    with pytest.raises(ValueError, match=r"adapter; load its base model, and name it with load\(.*adapter="):
        load(adapter(tmp_path / "a"))
    assert "with" in llmnotes.load(base, adapter=tmp_path / "a").name
