"""Low-rank changes: hand-worked values, the same numbers as peft, and what a spectrum says."""

from copy import deepcopy

import pytest
import torch

from llmnotes.methods.adapters import (
    biases,
    bottleneck,
    bottlenecked,
    prefix,
    prefixed,
    prompted,
    soft_prompt,
)
from llmnotes.methods.lora import (
    combined,
    difference,
    intruders,
    low_rank,
    matrices,
    merged,
    next_word_loss,
    predictor,
    rank_for,
    scaled_intruders,
    spectrum,
    tune,
)


def filled(factors):
    """Factors as if trained: b is no longer zero."""
    generator = torch.Generator().manual_seed(7)
    return {n: torch.randn(f.shape, generator=generator) / 10 if n.endswith(".b") else f for n, f in factors.items()}


def test_a_product_by_hand():
    W = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])  # (in 3, out 2)
    factors = {"W.a": torch.tensor([[1.0], [0.0], [2.0]]), "W.b": torch.tensor([[3.0, -1.0]])}
    expected = torch.tensor([[4.0, -1.0], [0.0, 1.0], [8.0, 0.0]])
    assert torch.equal(merged({"W": W}, factors)["W"], expected)
    half = merged({"W": W}, factors, alpha=0.5)["W"]  # alpha / rank is a half
    assert torch.equal(half, W + (expected - W) / 2)


def test_factors_start_without_a_change_and_count_as_they_should(gpt2, ids):
    weights = matrices(gpt2)
    factors = low_rank(weights, 4)
    with torch.no_grad():
        assert torch.equal(predictor(gpt2, merged(weights, factors))(ids), gpt2(ids).logits)
    assert sum(f.numel() for f in factors.values()) == sum(4 * (w.size(0) + w.size(1)) for w in weights.values())
    assert set(matrices(gpt2, ["attn"])) | set(matrices(gpt2, ["mlp"])) == set(weights)
    assert not torch.equal(low_rank(weights, 4, seed=1)[f"{next(iter(weights))}.a"], next(iter(factors.values())))


@pytest.mark.parametrize(("rank", "alpha"), [(1, 1.0), (4, 8.0)])
def test_the_same_numbers_as_peft(gpt2, ids, rank, alpha):
    """peft keeps A (rank, in) and B (out, rank) and scales by alpha / rank: our a and b, transposed."""
    peft = pytest.importorskip("peft")
    factors = filled(low_rank(matrices(gpt2), rank))
    with torch.no_grad():
        ours = predictor(gpt2, merged(matrices(gpt2), factors, alpha=alpha))(ids)
    config = peft.LoraConfig(
        r=rank, lora_alpha=alpha, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True, lora_dropout=0.0
    )
    theirs = peft.get_peft_model(deepcopy(gpt2), config).eval()
    with torch.no_grad():
        for name, module in theirs.base_model.model.named_modules():
            if hasattr(module, "lora_A"):
                module.lora_A["default"].weight.copy_(factors[f"{name}.weight.a"].T)
                module.lora_B["default"].weight.copy_(factors[f"{name}.weight.b"].T)
        torch.testing.assert_close(theirs(ids).logits, ours, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(theirs.merge_and_unload()(ids).logits, ours, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(ours, gpt2(ids).logits, atol=1e-3)


def test_a_spectrum_and_its_rank_by_hand():
    values = spectrum(torch.diag(torch.tensor([3.0, 0.0, 4.0])))
    torch.testing.assert_close(values, torch.tensor([4.0, 3.0, 0.0]).double())
    assert rank_for(values, 0.64) == 1  # 16 of 25
    assert rank_for(values, 0.9) == 2
    factors = filled(low_rank({"W": torch.zeros(9, 7)}, 3))
    assert (spectrum(merged({"W": torch.zeros(9, 7)}, factors)["W"]) > 1e-6).sum() == 3


def test_an_intruder_is_a_direction_that_was_not_there():
    before = torch.diag(torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0, 0.0, 0.0, 0.0]))
    new = torch.ones(8) / 8**0.5  # cosine 0.35 with each old direction
    after = before + 50 * torch.outer(new, new)
    assert intruders(before, after, top=1) == [0]
    assert intruders(before, 2 * before, top=5) == []
    torch.testing.assert_close(scaled_intruders(before, after, 1.0, top=1), after, rtol=1e-4, atol=1e-4)
    assert spectrum(scaled_intruders(before, after, 0.0, top=1))[0] < 6


def test_task_vectors_add_and_take_away():
    before = {"W": torch.tensor([1.0, 2.0]), "v": torch.tensor([5.0])}
    after = {"W": torch.tensor([2.0, 0.0])}
    change = difference(before, after)
    assert change["W"].tolist() == [1.0, -2.0]
    assert combined(before, (-1.0, change))["W"].tolist() == [0.0, 4.0]
    assert combined(before, (1.0, change), (0.5, {"v": torch.tensor([2.0])}))["v"].tolist() == [6.0]


def test_tuning_lowers_the_loss_and_says_when_it_breaks(gpt2, ids):
    weights = matrices(gpt2)
    factors = low_rank(weights, 2)
    losses = tune(
        factors.values(), lambda batch: next_word_loss(predictor(gpt2, merged(weights, factors))(batch), batch),
        [ids] * 30, 1e-2, steps=30,
    )  # fmt: skip
    assert losses[-1] < losses[0] - 0.2
    assert not any(f.requires_grad for f in factors.values())
    with pytest.raises(FloatingPointError, match="step 0: the loss is nan"):
        tune([torch.zeros(1)], lambda _: torch.tensor(float("nan"), requires_grad=True), [0], 0.1, steps=1)


def test_what_is_refused(gpt2):
    with pytest.raises(ValueError, match="rank is 0"):
        low_rank(matrices(gpt2), 0)
    with pytest.raises(ValueError, match="expected 1 to 32"):
        low_rank({"W": torch.zeros(32, 64)}, 33)
    with pytest.raises(ValueError, match="has no matrices as GPT-2 names them"):
        matrices(gpt2, ["experts"])
    with pytest.raises(ValueError, match="width is 0"):
        bottleneck(gpt2, 0)
    with pytest.raises(ValueError, match="length is 0"):
        prefix(gpt2, 0)


def test_bottlenecks_start_without_a_change_and_then_do_what_they_say(gpt2, ids):
    trained = bottleneck(gpt2, 3)
    with torch.no_grad():
        torch.testing.assert_close(bottlenecked(gpt2, trained)(ids), gpt2(ids).logits)
        trained["mlp_out.0.up"] += 0.1
        assert not torch.allclose(bottlenecked(gpt2, trained)(ids), gpt2(ids).logits)


def test_biases_are_all_the_biases(gpt2):
    assert set(biases(gpt2)) == {name for name, _ in gpt2.named_parameters() if name.endswith("bias")}


def test_a_prompt_of_real_words_is_that_text_but_for_its_positions(gpt2, ids):
    trained = soft_prompt(gpt2, 2)
    with torch.no_grad():
        seen = prompted(gpt2, trained)(ids)
        alone = gpt2(ids).logits
        assert seen.shape == alone.shape
        assert not torch.allclose(seen, alone, atol=1e-3)  # the prompt is looked at
        trained["prompt"] = trained["prompt"].roll(1, -1)
        assert not torch.allclose(prompted(gpt2, trained)(ids), seen, atol=1e-3)


def test_a_prefix_is_a_text_before_the_text(gpt2, ids):
    """Keys and values of a real text, as the library's own cache holds them, with the positions of the text kept."""
    trained = prefix(gpt2, 3, seed=1)
    words = torch.randint(gpt2.config.vocab_size, (3,), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        seen = prefixed(gpt2, trained)(ids)
        cache = gpt2(words[None], use_cache=True).past_key_values
        expected = gpt2(ids, past_key_values=cache, position_ids=torch.arange(ids.size(1))[None]).logits
        torch.testing.assert_close(seen, expected, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(seen, gpt2(ids).logits, atol=1e-3)
