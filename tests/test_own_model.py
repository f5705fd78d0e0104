"""Modules that nobody here wrote: the page runs and equals plain hooks; our own transformer; what is refused."""

from __future__ import annotations

import re
from dataclasses import replace as changed
from pathlib import Path

import pytest
import torch
from torch import nn

from llmnotes.methods.heads import looking
from llmnotes.methods.lens import direct_logit_attribution, logit_lens
from llmnotes.methods.steering import generate
from llmnotes.model.architectures import LAYOUTS, Sizes, describe, parts
from llmnotes.model.blocks import norm_scale, normalize
from llmnotes.model.hooks import available
from llmnotes.model.inputs import batch
from llmnotes.model.interventions import ablate
from llmnotes.model.loading import untrained
from llmnotes.model.loss import nll
from llmnotes.model.tracing import trace
from llmnotes.patching.attribution import attribution_patching
from llmnotes.patching.paths import path_patching
from llmnotes.patching.sweeps import logit_difference, sweep
from llmnotes.scratch.transformer import Config, Transformer

PAGE = Path(__file__).parents[1] / "docs" / "own-model.md"
CLEAN, CORRUPTED = torch.tensor([[3, 1, 4, 1, 5]]), torch.tensor([[3, 1, 9, 1, 5]])


@pytest.fixture(scope="module")
def page():
    names: dict = {}
    exec("\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)), names)
    return names


def louder(model, seed=1):
    """Weights large enough to tell right from wrong."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + 0.2 * noise if parameter.ndim == 1 and name.endswith("weight") else 0.3 * noise)
    return model.eval()


def holds(model):
    """Sweeps equal a plain loop, the lens ends at the model, shares sum to the logit."""
    metric = logit_difference(model, 7, 8)
    for place, axes in (("resid_pre", ("layer", "position")), ("z", ("layer", "head")), ("attn_out", ("layer",))):
        fast = sweep(model, CLEAN, CORRUPTED, metric, place, each=axes)
        assert fast.values.std() > 0.01
        size, seen = parts(model).sizes, trace(model, CLEAN)
        assert size.n_layers == 2
        slow = plain_loop_of_own(model, metric, place, axes, seen)
        torch.testing.assert_close(fast.values, slow, rtol=1e-5, atol=2e-5)
    with torch.no_grad():
        own = model(CLEAN)
    torch.testing.assert_close(logit_lens(model, CLEAN)[-1], own.log_softmax(-1), rtol=1e-5, atol=1e-5)
    for by in ("head", "component", "layer"):
        shares = direct_logit_attribution(model, CLEAN, 7, 8, by=by)
        assert shares.values.sum().item() == pytest.approx((own[0, -1, 7] - own[0, -1, 8]).item(), abs=1e-4)
    everything = path_patching(model, CLEAN, CORRUPTED, metric, ["embed"], ["logits"])
    assert everything.values.isfinite().all()
    assert attribution_patching(model, CLEAN, CORRUPTED, metric)["z"].shape == (2, 5, size.n_heads)


def plain_loop_of_own(model, metric, place, axes, seen):
    from llmnotes.model.interventions import replace

    size = parts(model).sizes
    values = torch.empty([{"layer": 2, "head": size.n_heads, "position": 5}[a] for a in axes])
    for cell in torch.cartesian_prod(*(torch.arange(n) for n in values.shape)).reshape(-1, len(axes)).tolist():
        layer, part, value = cell[0], {}, seen[place, cell[0]]
        if "head" in axes:
            part, value = {"heads": [cell[1]]}, value[:, :, [cell[1]]]
        if "position" in axes:
            part, value = {"positions": [cell[1]]}, value[:, [cell[1]]]
        with torch.no_grad(), replace(model, place, layer, value, **part):
            values[tuple(cell)] = metric(model(CORRUPTED)[:, -1])[0]
    return values


def test_the_page_runs_and_its_model_is_studied_exactly(page):
    mine = louder(page["mine"])
    holds(mine)
    seen = trace(mine, CLEAN)
    assert seen.places == available(mine)
    assert set(seen.places) >= {"q", "pattern", "mlp_pre", "resid_mid", "logits"}
    with ablate(mine, "pattern", 0, heads=1):
        assert not torch.equal(trace(mine, CLEAN, ["logits"])["logits"], seen["logits"])
    rows = [[3, 1, 4, 1, 5], [2, 7]]
    together, alone = trace(mine, rows, ["logits"])["logits"], trace(mine, rows[1], ["logits"])["logits"]
    torch.testing.assert_close(together[1, :2], alone[0], rtol=1e-5, atol=1e-5)
    assert looking(mine, rows)["previous"].values.shape == (2, 4)
    assert nll(mine, rows) > 0
    written, row = generate(mine, [3, 1], tokens=4), torch.tensor([[3, 1]])
    for _ in range(4):
        row = torch.cat([row, mine(row)[:, -1:].argmax(-1)], dim=1)
    assert torch.equal(written, row)


@pytest.mark.parametrize("options", [{}, {"positions": "sinusoidal"}, {"norm": False}, {"mlp": False}])
def test_our_own_transformer_is_studied_exactly(options):
    model = Transformer(Config(vocab_size=50, n_ctx=16, n_layers=2, n_heads=4, d_model=32, **options))
    layout = LAYOUTS["gpt2"]
    if options.get("positions"):
        layout = changed(layout, embeddings=("transformer.wte",))
    describe(louder(model), layout)
    holds(model)
    assert "pattern" not in available(model)
    assert ("mlp_out" in available(model)) == options.get("mlp", True)
    assert parts(untrained(model)).sizes == parts(model).sizes
    with pytest.raises(ValueError, match="no place 'pattern': its layout names no module"):
        trace(model, CLEAN, ["pattern"])
    if not options.get("mlp", True):
        with pytest.raises(ValueError, match="it has no MLPs"):
            path_patching(model, CLEAN, CORRUPTED, logit_difference(model, 7, 8), ["mlp0"], ["logits"])


def test_norms_that_are_none_divide_by_one():
    x = torch.randn(3, 8)
    assert torch.equal(normalize(nn.Identity(), x, norm_scale(nn.Identity(), x)), x)
    own = nn.RMSNorm(8)
    torch.testing.assert_close(normalize(own, x, norm_scale(own, x)), own(x))
    plain = nn.LayerNorm(8, elementwise_affine=False)
    torch.testing.assert_close(normalize(plain, x, norm_scale(plain, x)), plain(x))


def test_what_the_layout_does_not_say_is_refused():
    """Rotary positions of our own transformer stand in no layout: a sweep would be wrong, so there is none."""
    model = Transformer(Config(vocab_size=50, n_ctx=16, n_layers=2, n_heads=4, d_model=32, positions="rotary"))
    describe(louder(model), changed(LAYOUTS["gpt2"], embeddings=("transformer.wte",)))
    metric = logit_difference(model, 7, 8)
    with pytest.raises(NotImplementedError, match="Transformer computes something that its layout does not say"):
        sweep(model, CLEAN, CORRUPTED, metric)
    with torch.no_grad():
        assert torch.equal(trace(model, CLEAN)["logits"], model(CLEAN))


def test_a_model_that_looks_ahead_is_traced_and_not_swept(page):
    class Both(page["Attention"]):
        def forward(self, x):
            q, k, v = (f(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for f in (self.to_q, self.to_k, self.to_v))
            z = self.weights((q @ k.transpose(-1, -2) / q.size(-1) ** 0.5).softmax(-1)) @ v
            return self.out(z.transpose(1, 2).flatten(-2))

    model = louder(page["Mine"]())
    for layer in model.layers:
        layer.attention.__class__ = Both
    describe(model, page["layout"], Sizes(2, 4, 4, 32, 8, 50, 16))
    with torch.no_grad():
        assert torch.equal(trace(model, CLEAN)["logits"], model(CLEAN))
    metric = logit_difference(model, 7, 8)
    for tool in (
        lambda: sweep(model, CLEAN, CORRUPTED, metric),
        lambda: path_patching(model, CLEAN, CORRUPTED, metric, ["embed"], ["logits"]),
    ):
        with pytest.raises(NotImplementedError, match="looks ahead"):
            tool()
    with pytest.raises(ValueError, match="texts have 2 to 5 tokens, and Mine looks ahead"):
        batch(model, [[3, 1, 4, 1, 5], [2, 7]])


def test_a_description_that_does_not_fit_is_refused(page):
    model, size = page["Mine"]().eval(), Sizes(2, 4, 4, 32, 8, 50, 16)
    with pytest.raises(ValueError, match="a block has no 'norm7'"):
        describe(model, changed(page["layout"], norm_attn="norm7"), size)
    with pytest.raises(ValueError, match=r"gave \(1, 8, 50\); expected logits"):
        describe(model, page["layout"], changed(size, vocab_size=60))
    with pytest.raises(NotImplementedError, match=r"'Mine'.*describe\(model, layout, sizes\)"):
        trace(model, CLEAN)
    describe(model, page["layout"], size)
    with pytest.raises(ValueError, match="takes token ids alone: pad on the right"):
        trace(model, [[1, 2, 3], [4]], padding="left")
    assert model.training is False
