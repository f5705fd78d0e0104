"""Half precision: every tool is as near to float32 as the model itself is in that precision."""

from __future__ import annotations

import copy

import pytest
import torch
from test_loading import save_tiny
from test_patching import plain_loop
from tiny_models import CONFIGS, MODERN, build

from llmnotes.methods.heads import composition, copying, looking
from llmnotes.methods.lens import direct_logit_attribution, logit_lens
from llmnotes.methods.probing import activations, erase, probe
from llmnotes.methods.sae import train_sae
from llmnotes.methods.steering import difference_of_means, generate, steer
from llmnotes.model.architectures import parts
from llmnotes.model.hooks import available
from llmnotes.model.interventions import ablate, add, cut_edges, edit, freeze
from llmnotes.model.loading import load, untrained
from llmnotes.model.loss import nll
from llmnotes.model.tracing import trace
from llmnotes.patching.attribution import attribution_patching
from llmnotes.patching.paths import path_patching
from llmnotes.patching.sweeps import logit_difference, sweep

HALF = [torch.bfloat16, torch.float16]


@pytest.fixture(scope="module", params=[*CONFIGS, *MODERN])
def twins(request):
    """A model in float32 and the same in both kinds of half precision; the weights are equal, rounded alike."""
    full = build(request.param).bfloat16().float()
    return full, [copy.deepcopy(full).to(dtype) for dtype in HALF]


def close(half, full, spread):
    """Within what three digits carry through a few layers, as a share of what the values range over."""
    assert half.isfinite().all()
    assert (half - full).abs().max() < 0.1 * spread, f"{(half - full).abs().max() / spread:.3f} of the spread"


def test_sweeps_paths_and_attribution(twins, ids, other_ids):
    full, halves = twins
    metric = logit_difference(full, 4, 9)
    spread = full(ids).logits.std().item()
    for place, axes in (("resid_pre", ("layer", "position")), ("z", ("layer", "head")), ("pattern", ("layer", "head"))):
        wanted = sweep(full, ids, other_ids, metric, place, each=axes)
        for half in halves:
            got = sweep(half, ids, other_ids, metric, place, each=axes)
            assert got.values.dtype == torch.float32
            slow = plain_loop(half, other_ids, ids, metric, place, axes)
            # The shortcut may be as far from float32 as the model itself is in this precision, and no further.
            ours, own = ((values - wanted.values).pow(2).mean().sqrt() for values in (got.values, slow))
            assert ours < 1.5 * own + 0.002 * spread
            assert own < 0.1 * spread
    nodes = ["embed", "0.2", "mlp0"], ["1.0.q", "mlp1", "logits"]
    wanted = path_patching(full, ids, other_ids, metric, *nodes)
    slopes = attribution_patching(full, ids, other_ids, metric, ["z", "mlp_out"])
    for half in halves:
        close(path_patching(half, ids, other_ids, metric, *nodes).values, wanted.values, spread)
        for place, value in attribution_patching(half, ids, other_ids, metric, ["z", "mlp_out"]).items():
            close(value.float(), slopes[place], 2 * slopes[place].abs().max())


def test_lens_shares_loss_and_scores(twins, ids):
    full, halves = twins
    lens, shares = logit_lens(full, ids), direct_logit_attribution(full, ids, 4, 9)
    seen = looking(full, ids)["previous"].values
    for half in halves:
        got = logit_lens(half, ids)
        assert got.dtype == torch.float32
        close(got, lens, lens.std().item() * 3)
        close(direct_logit_attribution(half, ids, 4, 9).values, shares.values, shares.values.abs().max().item())
        assert nll(half, ids) == pytest.approx(nll(full, ids), abs=0.05)
        close(looking(half, ids)["previous"].values, seen, 1.0)
        assert copying(half).values.isfinite().all()
        assert composition(half, "q").values[0, :, 1].isfinite().all()


def test_interventions_and_generation(twins, ids):
    for half in twins[1]:
        before = trace(half, ids, ["logits"])["logits"]
        reference = trace(half, [ids[0].tolist(), [1, 2, 3]], [p for p in available(half) if p != "logits"])
        with (
            ablate(half, "z", 0, by="mean", reference=reference, heads=1),
            ablate(half, "mlp_out", 1, by="resample", reference=reference),
            add(half, "resid_post", 1, torch.ones(32)),
            cut_edges(half, 1, heads=0, edges=[(4, 1), (7, 0)]),
            freeze(half, trace(half, ids, ["pattern"]), "pattern", [2]),
        ):
            changed = trace(half, ids, ["logits"])["logits"]
            assert generate(half, ids, tokens=3).shape == (1, 11)
        assert changed.dtype == half.dtype
        assert changed.isfinite().all()
        assert not torch.equal(changed, before)
        assert torch.equal(trace(half, ids, ["logits"])["logits"], before)
        assert next(untrained(half).parameters()).dtype == half.dtype


@pytest.mark.parametrize("dtype", HALF)
def test_probes_erasure_dictionaries_and_steering(gpt2, dtype):
    half = copy.deepcopy(gpt2).to(dtype)
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(61, (60, 6), generator=generator)
    rows[:, 3] = torch.where(torch.arange(60) % 2 == 0, 5, 7)
    labels = (torch.arange(60) % 2).repeat_interleave(1)
    x = activations(half, rows, positions=[3] * 60)[1]
    assert x.dtype == dtype
    found = probe(x, labels)
    assert found.accuracy > 0.9
    erased = erase(x, found.directions)
    assert erased.dtype == dtype
    assert (erased.float() @ found.directions.T).abs().max() < 0.02 * x.float().norm(dim=-1).max()
    with edit(half, "resid_post", 1, lambda value, at: erase(value, found.directions)):
        assert trace(half, rows[:2], ["logits"])["logits"].dtype == dtype
    sae, log = train_sae(activations(half, rows)[1], 64, k=4, steps=100)
    assert sae.w_dec.dtype == torch.float32
    assert log.explained[-1] > 0.3
    vector = difference_of_means(half, rows[labels == 0], rows[labels == 1], 1)
    assert vector.dtype == torch.float32
    assert vector.isfinite().all()
    with steer(half, vector, 1):
        assert generate(half, rows[0], tokens=2).shape == (1, 8)


@pytest.mark.parametrize("dtype", [*HALF, "bfloat16", "float16", "float32"])
def test_a_model_is_loaded_in_the_precision_asked_for(tmp_path, dtype):
    folder = save_tiny("llama", tmp_path)  # stored as float16
    wanted = getattr(torch, dtype) if isinstance(dtype, str) else dtype
    assert {p.dtype for p in load(folder, dtype=dtype).model.parameters()} == {wanted}
    assert load("stories260K", dtype=dtype).model.dtype == wanted
    with pytest.raises(ValueError, match="dtype is 'int8'; expected one of float32, bfloat16"):
        load(folder, dtype="int8")


def test_the_guard_notices_in_half_precision_too(monkeypatch, ids, other_ids):
    from llmnotes.model.architectures import LAYOUTS

    model = build("qwen3").bfloat16()
    monkeypatch.setitem(LAYOUTS, "qwen3", LAYOUTS["llama"])
    with pytest.raises(NotImplementedError, match="does not say"):
        sweep(model, ids, other_ids, logit_difference(model, 4, 9))
    assert parts(model).blocks[0].q_norm is not model.model.layers[0].self_attn.q_norm
