"""The lens ends at the model's own prediction, and shares sum to the logit."""

import pytest
import torch

from llmnotes.methods.lens import direct_logit_attribution, lens_guesses, logit_lens
from llmnotes.model.architectures import parts
from llmnotes.model.blocks import norm_scale, normalize
from llmnotes.model.interventions import ablate, add, freeze
from llmnotes.model.tracing import trace


def test_the_lens_ends_at_the_models_own_prediction(model, ids):
    lens = logit_lens(model, ids)
    assert lens.shape == (4, 1, 8, 61)
    with torch.no_grad():
        torch.testing.assert_close(lens[-1], model(ids).logits.log_softmax(-1), rtol=1e-5, atol=1e-5)
    some = logit_lens(model, ids, positions=[-1, 2])
    torch.testing.assert_close(some, lens[:, :, [7, 2]], rtol=1e-5, atol=1e-5)
    with pytest.raises(IndexError, match="position 8 of 8"):
        logit_lens(model, ids, positions=[8])


@pytest.mark.parametrize("by", ["head", "component", "layer"])
@pytest.mark.parametrize("other", [9, None])
def test_shares_sum_to_the_logit_difference(model, ids, by, other):
    shares = direct_logit_attribution(model, ids, 4, other, by=by, position=5)
    with torch.no_grad():
        logits = model(ids).logits[0, 5]
    wanted = logits[4] - (0 if other is None else logits[other])
    assert shares.total == pytest.approx(wanted.item(), abs=1e-5)
    assert shares.values.sum().item() == pytest.approx(wanted.item(), abs=1e-4)
    assert len(shares.names) == {"head": 1 + 3 * 6 + 1, "component": 1 + 3 * 2 + 1, "layer": 5}[by]


def test_a_share_is_what_the_logit_loses_without_the_part_under_a_frozen_norm(gpt2, ids):
    seen = trace(gpt2, ids)
    shares = direct_logit_attribution(gpt2, ids, 4, 9, by="head")
    # The last layer's head 2 reaches the logits directly and through the last MLP; hold that one.
    with freeze(gpt2, seen, "mlp_out", 2), ablate(gpt2, "z", 2, heads=2):
        after = trace(gpt2, ids, ["resid_post"])["resid_post", 2]
    found = parts(gpt2)
    frozen = normalize(found.final_norm, after, norm_scale(found.final_norm, seen["resid_post", 2]))
    without = (frozen @ found.w_u)[0, -1]
    lost = (seen["logits"][0, -1, 4] - seen["logits"][0, -1, 9]) - (without[4] - without[9])
    assert shares["head 2.2"] == pytest.approx(lost.item(), abs=1e-4)


def test_what_the_lens_refuses(gpt2, ids):
    with pytest.raises(ValueError, match="by is 'neuron'"):
        direct_logit_attribution(gpt2, ids, 4, by="neuron")
    with pytest.raises(ValueError, match="got 2 texts"):
        direct_logit_attribution(gpt2, ids.expand(2, -1), 4)
    with pytest.raises(ValueError, match="token id 61"):
        direct_logit_attribution(gpt2, ids, 61)
    with add(gpt2, "resid_post", 1, torch.arange(32.0)), pytest.raises(RuntimeError, match="Leave interventions"):
        direct_logit_attribution(gpt2, ids, 4)


def test_the_lens_of_some_tokens_and_its_guesses_are_those_of_the_whole(model, ids):
    whole = logit_lens(model, ids)
    some = logit_lens(model, ids, positions=[-1, 2], tokens=[9, 4])
    torch.testing.assert_close(some, whole[:, :, [7, 2]][..., [9, 4]], rtol=1e-5, atol=1e-5)
    log_p, guesses = lens_guesses(model, ids, 3, positions=5)
    assert log_p.shape == guesses.shape == (4, 1, 1, 3)
    torch.testing.assert_close(whole[:, :, [5]].topk(3).values, log_p, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(whole[:, :, [5]].gather(-1, guesses), log_p, rtol=1e-5, atol=1e-5)
