"""What other people hand to the tools: a tokenizer's output, NumPy numbers, models in train mode, odd tokens."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from test_loading import save_tiny
from tiny_models import build
from transformers import BatchEncoding, GenerationConfig, GPT2ForSequenceClassification

import llmnotes
from llmnotes.lab import plots
from llmnotes.lab.svg import save
from llmnotes.methods.lens import logit_lens
from llmnotes.methods.probing import probe
from llmnotes.methods.steering import difference_of_means, generate
from llmnotes.model.inputs import batch, token_id, words
from llmnotes.model.interventions import ablate, cut_edges
from llmnotes.model.loading import load, untrained
from llmnotes.model.loss import nll
from llmnotes.model.tracing import trace
from llmnotes.patching.sweeps import logit_difference, sweep


@pytest.fixture(scope="module")
def stories():
    return llmnotes.load("stories260K")


@pytest.fixture(scope="module")
def world():
    return llmnotes.load("world")


# ------------------------------------------------------------------------------------------------------- inputs


@pytest.mark.parametrize("tensors", [None, "pt", "np"])
def test_a_tokenizers_output_is_its_text(stories, tensors):
    text = "Once upon a time"
    told = stories.tokenizer(text, return_tensors=tensors)
    assert trace(stories, told, ["logits"]).tokens.tolist() == stories.ids(text).tolist()
    assert nll(stories, told) == nll(stories, text)
    assert torch.equal(logit_lens(stories, told), logit_lens(stories, text))


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_tokenizers_padding_is_left_out(gpt2, side):
    rows, pad = [[7, 3, 21], [9, 11, 2, 5, 44]], [0, 0]
    short = {"left": [pad + rows[0], [0, 0, 1, 1, 1]], "right": [rows[0] + pad, [1, 1, 1, 0, 0]]}[side]
    told = BatchEncoding({"input_ids": torch.tensor([short[0], rows[1]]), "attention_mask": [short[1], [1] * 5]})
    assert torch.equal(batch(gpt2, told).mask, batch(gpt2, rows).mask)
    assert nll(gpt2, told) == nll(gpt2, rows)
    one, two = ({"input_ids": told["input_ids"][[i]], "attention_mask": [told["attention_mask"][i]]} for i in (0, 1))
    assert torch.equal(difference_of_means(gpt2, one, two, 1), difference_of_means(gpt2, [rows[0]], [rows[1]], 1))
    assert torch.equal(generate(gpt2, one, tokens=3), generate(gpt2, rows[0], tokens=3))


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"text": "Once"}, TypeError, r"a mapping with \['text'\]"),
        ({"input_ids": [[1, 2, 3]], "attention_mask": [[1, 0, 1]]}, ValueError, "has gaps"),
        ({"input_ids": [[1, 2, 3]], "attention_mask": [[1, 1]]}, ValueError, "other sizes"),
        (b"Once", TypeError, "expected text"),
        ({1, 2, 3}, TypeError, "expected text"),
        (7, TypeError, "expected text"),
        ([True, False], TypeError, "whole numbers"),
        ([1.0, 2.0], TypeError, "whole numbers"),
        ([[1, 2], 3], TypeError, "whole numbers"),
        (torch.tensor([0.5]), TypeError, "whole numbers"),
    ],
)
def test_what_is_no_text_is_refused(gpt2, wrong, error, said):
    for tool in (trace, nll, logit_lens):
        with pytest.raises(error, match=said):
            tool(gpt2, wrong)


def test_numbers_of_numpy_and_torch_count_as_whole_numbers(gpt2, ids, other_ids):
    def logits():
        with torch.no_grad():
            return gpt2(ids).logits

    with ablate(gpt2, "z", 1, heads=2, positions=3), cut_edges(gpt2, 0, heads=1, edges=[(4, 1)]):
        wanted = logits()
    for one in (np.int64, np.uint8, torch.tensor):
        with (
            ablate(gpt2, "z", one(1), heads=one(2), positions=[one(3)]),
            cut_edges(gpt2, one(0), heads=one(1), edges=np.array([(4, 1)])),
        ):
            assert torch.equal(logits(), wanted)
        seen = trace(gpt2, [one(7), one(3)], ["z"], layers=one(2))
        assert torch.equal(seen["z", one(2)], trace(gpt2, [7, 3], ["z"])["z", 2])
        assert token_id(gpt2, one(5)) == 5
        metric = logit_difference(gpt2, one(4), one(9))
        some = {"layers": [one(1)], "positions": np.array([5]), "at": one(6)}
        plain = {"layers": [1], "positions": [5], "at": 6}
        assert torch.equal(
            sweep(gpt2, ids, other_ids, metric, **some).values, sweep(gpt2, ids, other_ids, metric, **plain).values
        )
    for wrong in (1.0, "1", True, np.bool_(True), [0, 1.5]):
        with pytest.raises(TypeError, match="expected a whole number"), ablate(gpt2, "z", wrong):
            logits()


def test_a_mask_lies_where_the_values_lie(gpt2):
    seen = trace(gpt2, [[7, 3, 21], [9]], ["z", "resid_post"], keep_on="meta")
    assert {seen.mask.device.type, seen.tokens.device.type, seen["z", 0].device.type} == {"meta"}


# --------------------------------------------------------------------------------------------------- train mode


def test_a_model_that_drops_activations_at_random_is_refused(ids, other_ids):
    model = build("gpt2")  # GPT-2's own configuration drops a tenth
    model.train()
    metric = logit_difference(model, 4, 9)
    for tool in (
        lambda: nll(model, ids),
        lambda: trace(model, ids),
        lambda: generate(model, ids, tokens=2),
        lambda: sweep(model, ids, other_ids, metric),
    ):
        with pytest.raises(ValueError, match=r"'transformer.drop' is in train mode.*model.eval\(\)"):
            tool()
    model.eval()
    model.transformer.h[1].mlp.dropout.train()  # a part that was put in later is in train mode by itself
    with pytest.raises(ValueError, match=r"'transformer.h.1.mlp.dropout' is in train mode"):
        nll(model, ids)
    model.eval()
    assert nll(model, ids) == nll(model, ids)


def test_attentions_own_dropout_counts_and_no_dropout_is_no_fault(ids):
    model = build("llama").train()
    assert nll(model, ids) == nll(model, ids)
    model.model.layers[1].self_attn.attention_dropout = 0.1
    with pytest.raises(ValueError, match=r"'model.layers.1.self_attn' is in train mode"):
        nll(model, ids)


# --------------------------------------------------------------------------------------------------- generation


def test_a_models_own_generation_settings_have_no_say(gpt2, ids):
    model = copy.deepcopy(gpt2)
    wanted = generate(gpt2, ids, tokens=12), generate(gpt2, ids, tokens=12, temperature=1.0, samples=3, seed=1)
    model.generation_config = GenerationConfig(
        repetition_penalty=9.0, do_sample=True, top_p=0.1, top_k=1, no_repeat_ngram_size=1, eos_token_id=0
    )
    assert torch.equal(generate(model, ids, tokens=12), wanted[0])
    assert torch.equal(generate(model, ids, tokens=12, temperature=1.0, samples=3, seed=1), wanted[1])
    row = ids
    for _ in range(12):
        with torch.no_grad():
            row = torch.cat([row, gpt2(row).logits[:, -1:].argmax(-1)], dim=1)
    assert torch.equal(wanted[0], row)
    with pytest.raises(ValueError, match="temperature is -1"):
        generate(gpt2, ids, tokens=2, temperature=-1)


def test_generation_equals_transformers_own(model, ids):
    ours = generate(model, ids, tokens=10)
    theirs = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=10, do_sample=False, pad_token_id=0
    )
    assert torch.equal(ours, theirs)
    torch.manual_seed(3)
    drawn = model.generate(
        ids.expand(4, -1), attention_mask=torch.ones(4, 8), max_new_tokens=10, do_sample=True, top_k=0, pad_token_id=0
    )
    assert torch.equal(generate(model, ids, tokens=10, temperature=1.0, samples=4, seed=3), drawn)


@pytest.mark.parametrize("ends", [[60, 17], 17, None])
def test_a_text_ends_at_any_of_several_tokens(gpt2, ids, ends):
    model = copy.deepcopy(gpt2)
    model.config.eos_token_id = model.generation_config.eos_token_id = ends
    rows = generate(model, ids, tokens=16, temperature=3.0, samples=8, seed=0)[:, 8:]
    stop = [] if ends is None else np.atleast_1d(ends).tolist()
    behind = 0
    for row in rows.tolist():
        first = next((i for i, token in enumerate(row) if token in stop), len(row))
        behind += len(row) - first - 1 if first < len(row) else 0
        assert set(row[first + 1 :]) <= {stop[0] if stop else 0}
    assert behind > 0 or not stop


# ------------------------------------------------------------------------------------------------------ loading


def test_another_kind_of_model_is_refused_by_name(tmp_path):
    folder = save_tiny("gpt2", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["GPT2ForSequenceClassification"]}))
    with pytest.raises(ValueError, match="saved as GPT2ForSequenceClassification, which is no language model"):
        load(folder)
    kind = type(build("gpt2").config)(n_layer=1, n_head=2, n_embd=8, vocab_size=240, n_positions=8, num_labels=3)
    GPT2ForSequenceClassification(kind).save_pretrained(tmp_path / "two")
    config = json.loads((tmp_path / "two/config.json").read_text())
    del config["architectures"]
    (tmp_path / "two/config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"no place for: score\.weight"):
        load(tmp_path / "two")


def test_a_loaded_model_prints_in_a_line(world):
    assert "\n" not in repr(world)
    assert len(repr(world)) < 200
    assert "name='world'" in repr(world)


def test_a_random_twin_reseeds_nothing(gpt2, monkeypatch):
    called = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", called.append)
    torch.manual_seed(5)
    expected = torch.rand(1)
    called.clear()
    torch.manual_seed(5)
    called.clear()
    one, two = untrained(gpt2, seed=1), untrained(gpt2, seed=1)
    generate(gpt2, [3, 1], tokens=2, temperature=1.0)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(one.lm_head.weight, two.lm_head.weight)
    assert not called


# ------------------------------------------------------------------------------------------------------- tokens


def test_tokens_keep_their_leading_space(stories):
    text = "Once upon a time, there was a little girl named Lily."
    seen = trace(stories, text, ["logits"])
    assert "".join(seen.words()).removeprefix("<s>") == f" {text}"
    metric = logit_difference(stories, "he", "she")
    result = sweep(stories, "Once there was a boy", "Once there was a girl", metric, layers=[0])
    assert " there" in result.words
    assert " boy" not in result.words


def test_a_leading_space_is_asked_for_only_where_it_helps(stories, world):
    assert token_id(stories, "he") == token_id(stories, " he")
    assert words(stories.tokenizer, [token_id(stories, " he")]) == [" he"]
    with pytest.raises(ValueError, match="expected one: choose a shorter word") as caught:
        token_id(stories, " elephant")
    assert "leading space" not in str(caught.value)
    fairytale = llmnotes.load("fairytale")
    with pytest.raises(ValueError, match=r"'princess' is 3 tokens .*: ' princess' is one"):
        token_id(fairytale, "princess")
    assert token_id(world, "cats") == world.tokenizer.convert_tokens_to_ids("cats")


@pytest.mark.parametrize("token", ["$$", "a$b$c", "$", "$x$", "cost $5_ and $6_", "\\$", "$\\frac{$"])
def test_tokens_with_dollars_are_drawn_as_they_are(token, tmp_path):
    fig, (one, two) = plots.subplots(1, 2)
    one.imshow(np.eye(2))
    one.set_xticks([0, 1], [token, "b"])
    two.bar([token, "b"], [1, 2])
    two.text(0, 1, token)
    fig.suptitle("Weights $W_{OV}$ stay a formula")
    plots.literal_dollars(fig)
    save(fig, tmp_path / "figure", plots.shown_arrays(fig))
    svg = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    assert svg.count(f">{token}<") >= 3
    assert "W_{OV}" not in svg


def test_log_axes_keep_their_powers(tmp_path):
    fig, ax = plots.subplots()
    ax.loglog([1, 10, 1000], [1, 10, 1000])
    plots.literal_dollars(fig)
    save(fig, tmp_path / "figure", plots.shown_arrays(fig))
    assert "mathdefault" not in (tmp_path / "figure.svg").read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------------------------- probes


def test_a_split_that_holds_out_one_class_is_refused():
    generator = torch.Generator().manual_seed(0)
    x, labels = torch.randn(60, 4, generator=generator), torch.arange(60) // 15 % 2
    groups = torch.arange(60) // 15  # every text has one label
    with pytest.raises(ValueError, match=r"lacks classes \[\d\].*one class says nothing"):
        probe(x, labels, groups=groups, test_share=0.25)
    three = torch.where(torch.arange(60) < 6, 2, torch.arange(60) % 2)  # text 0 alone has the third class
    with pytest.warns(UserWarning, match=r"lacks classes \[2\]"):
        probe(x, three, groups=groups, seed=next(s for s in range(9) if _holds_out(groups, s) != 0))


def _holds_out(groups, seed):
    from sklearn.model_selection import train_test_split

    return int(train_test_split(np.unique(groups), test_size=0.3, random_state=seed)[1].min())
