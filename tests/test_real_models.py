"""The study tools on the models that ship: text in, the same numbers out."""

from __future__ import annotations

import pytest
import torch
from test_patching import plain_loop
from test_trace import plain_hooks

import llmnotes
from llmnotes.methods.lens import direct_logit_attribution, logit_lens
from llmnotes.model.hooks import available
from llmnotes.model.inputs import token_id
from llmnotes.model.interventions import ablate, add, cut_edges, freeze, replace
from llmnotes.model.tracing import trace
from llmnotes.patching.attribution import attribution_patching
from llmnotes.patching.sweeps import logit_difference, sweep

torch.set_num_threads(1)

GIVING = "<|endoftext|> when {} and Karl went to the river , Karl gave the ring to"
RULER, CHILD = "Once upon a time there was a {0}, and the {0}", "Once upon a time, there was a {0}. The {0}"
PAIRS = {  # a pair of prompts of equal length, and two answers
    "world": (GIVING.format("Anna"), GIVING.format("Ida"), "Anna", "Ida"),
    "world/attention-only": (GIVING.format("Anna"), GIVING.format("Ida"), "Anna", "Ida"),
    "fairytale": (RULER.format("king"), RULER.format("queen"), " he", " she"),
    "stories260K": (CHILD.format("boy"), CHILD.format("girl"), "he", "she"),
}


@pytest.fixture(scope="module", params=PAIRS)
def real(request):
    return llmnotes.load(request.param)


@pytest.fixture(scope="module")
def prompts(real):
    return PAIRS[real.name]


def test_a_text_traces_to_what_plain_hooks_read(real, prompts):
    ids = real.tokenizer(prompts[0], return_tensors="pt").input_ids
    plain = plain_hooks(real.model, ids)
    ours = trace(real, prompts[0], [p for p in available(real) if p not in ("q", "k", "v", "pattern")])
    for key, value in plain.items():
        if key in ours.values:
            seen = ours.values[key].flatten(-2) if key[0] == "z" else ours.values[key]
            assert torch.equal(seen, value), key
    assert torch.equal(ours["logits"], plain["logits", None])
    assert len(ours.values) > 8 * real.n_layers


def test_texts_of_unequal_length_equal_runs_one_by_one(real, prompts):
    texts = [prompts[0], " ".join(prompts[1].split()[:6])]
    together = trace(real, texts, ["resid_post", "logits"])
    for row, text in enumerate(texts):
        alone = trace(real, text, ["resid_post", "logits"])
        n = alone["logits"].shape[1]
        for layer in range(real.n_layers):
            found = together["resid_post", layer][row][together.mask[row].bool()]
            torch.testing.assert_close(found, alone["resid_post", layer][0, :n], rtol=1e-4, atol=1e-4)


def test_sweeps_equal_a_plain_loop(real, prompts):
    clean, corrupted, *answers = prompts
    metric = logit_difference(real, *answers)
    ids = [real.tokenizer(text, return_tensors="pt").input_ids for text in (clean, corrupted)]
    for place, axes in (("resid_pre", ("layer", "position")), ("z", ("layer", "head")), ("attn_out", ("layer",))):
        fast = sweep(real, clean, corrupted, metric, place, each=axes)
        slow = plain_loop(real.model, ids[1], ids[0], metric, place, axes)
        torch.testing.assert_close(fast.values, slow, rtol=1e-4, atol=1e-4)


def test_shares_sum_to_the_logit_difference(real, prompts):
    clean, _, answer, other = prompts
    a, b = (token_id(real, token) for token in (answer, other))
    logits = trace(real, clean, ["logits"])["logits"][0, -1]
    for by in ("component", "layer", "head"):
        shares = direct_logit_attribution(real, clean, answer, other, by=by)
        torch.testing.assert_close(shares.values.sum(), logits[a] - logits[b], rtol=1e-4, atol=1e-4)


def test_the_lens_ends_at_the_prediction(real, prompts):
    own = trace(real, prompts[0], ["logits"])["logits"][0, -1].log_softmax(-1)
    torch.testing.assert_close(logit_lens(real, prompts[0], positions=[-1])[-1, 0, 0], own, rtol=1e-4, atol=1e-4)


def test_attribution_patching_is_exact_where_the_rest_is_linear(real, prompts):
    """The metric reads raw logits under a frozen norm's slope: one node's estimate is change times gradient."""
    clean, corrupted, *answers = prompts
    metric = logit_difference(real, *answers)
    estimate = attribution_patching(real, clean, corrupted, metric, ["resid_post", "z"])
    ids = [real.tokenizer(text, return_tensors="pt").input_ids for text in (clean, corrupted)]
    source = trace(real, ids[0], ["resid_post"])["resid_post", 0]
    base = trace(real, ids[1], ["resid_post"])["resid_post", 0]
    small = 1e-3  # a patch of a thousandth of the difference: its effect is the slope
    for position in (1, ids[0].shape[1] - 2):
        moved = []
        for sign in (1, -1):
            value = base[:, [position]] + sign * small * (source - base)[:, [position]]
            with replace(real, "resid_post", 0, value, positions=[position]):
                moved.append(metric(real.model(ids[1]).logits[:, -1]).item())
        slope = (moved[0] - moved[1]) / (2 * small)
        assert estimate["resid_post"][0, position].item() == pytest.approx(slope, abs=0.02 + 0.05 * abs(slope))


def test_what_was_done_is_undone(real, prompts):
    before = trace(real, prompts[0], ["logits"])["logits"]
    with (
        ablate(real, "z", 0, heads=0),
        add(real, "resid_post", 1, torch.ones(real.d_model)),
        cut_edges(real, 1, edges=[(3, 1)]),
        freeze(real, trace(real, prompts[0], ["pattern"]), "pattern", [1]),
    ):
        assert not torch.equal(trace(real, prompts[0], ["logits"])["logits"], before)
    assert torch.equal(trace(real, prompts[0], ["logits"])["logits"], before)
