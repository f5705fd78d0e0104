"""Sweeps equal a plain loop of hooked passes, and touch no more tokens than they must."""

import itertools

import pytest
import torch

from llmnotes.model.architectures import parts, sizes
from llmnotes.model.hooks import available
from llmnotes.model.interventions import add, replace
from llmnotes.model.tracing import trace
from llmnotes.patching.sweeps import PATCHABLE, logit_difference, sweep


def plain_loop(model, base, source, metric, place, axes, at=-1, positions=None):
    """One hooked pass for each patch: slow, and beyond doubt."""
    size, seen = sizes(model.config), trace(model, source)
    n_heads = size.n_kv_heads if place == "v" else size.n_heads
    ranges = {"layer": range(size.n_layers), "head": range(n_heads), "position": positions or range(base.size(1))}
    values = torch.empty([len(ranges[a]) for a in axes])
    for cell in itertools.product(*(range(len(ranges[a])) for a in axes)):
        patch = [ranges[a][i] for a, i in zip(axes, cell, strict=True)]
        named = dict(zip(axes, patch, strict=True))
        part = {f"{axis}s": [named[axis]] for axis in ("head", "position") if axis in named}
        value = seen[place, named["layer"]]
        if "head" in named:
            value = value[:, [named["head"]]] if place == "pattern" else value[:, :, [named["head"]]]
        if "position" in named:
            value = value[:, :, [named["position"]]] if place == "pattern" else value[:, [named["position"]]]
        with torch.no_grad(), replace(model, place, named["layer"], value, **part):
            logits = model(base, use_cache=False).logits
        values[cell] = metric(logits[:, at])[0]
    return values


def all_sweeps():
    for place in PATCHABLE:
        yield place, ("layer", "position")
        yield place, ("layer",)
        if place in ("z", "v", "pattern"):
            yield place, ("layer", "head")
            yield place, ("layer", "head", "position")


@pytest.mark.parametrize(("place", "axes"), list(all_sweeps()), ids=lambda x: x if isinstance(x, str) else "-".join(x))
def test_sweeps_equal_a_plain_loop(model, ids, other_ids, place, axes):
    if place not in available(model):
        pytest.skip("a parallel block has no resid_mid")
    metric = logit_difference(model, 4, 9)
    # before the prompts differ, where they do, and behind
    some = {"positions": [1, 2, 5, 7]} if "position" in axes else {}
    for mode, base, source in (("denoising", other_ids, ids), ("noising", ids, other_ids)):
        if mode == "noising" and axes != ("layer",):
            continue
        fast = sweep(model, ids, other_ids, metric, place, each=axes, mode=mode, **some)
        slow = plain_loop(model, base, source, metric, place, axes, **some)
        assert fast.axes == axes
        torch.testing.assert_close(fast.values, slow, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("at", [4, [5, 7], None])
def test_a_metric_may_look_anywhere(model, ids, other_ids, at):
    rows = slice(None) if at is None else at

    def metric(logits):  # (batch, vocab) or (batch, at, vocab)
        return logits[..., 4] if logits.ndim == 2 else logits[..., 4].pow(2).mean(-1)

    fast = sweep(model, ids, other_ids, metric, at=at)
    slow = plain_loop(model, other_ids, ids, metric, "resid_pre", ("layer", "position"), rows)
    torch.testing.assert_close(fast.values, slow, rtol=1e-5, atol=2e-5)


def test_a_part_of_a_sweep_and_a_split_sweep_are_the_same(model, ids, other_ids, capsys):
    metric = logit_difference(model, 4, 9)
    whole = sweep(model, ids, other_ids, metric, "z", each=("layer", "head", "position"))
    part = sweep(
        model, ids, other_ids, metric, "z", each=("layer", "head", "position"),
        layers=[-1, 1], heads=[3, 0], positions=[2, -1],
    )  # fmt: skip
    torch.testing.assert_close(part.values, whole.values[[2, 1]][:, [3, 0]][:, :, [2, 7]], rtol=1e-5, atol=1e-5)
    assert part.index == {"layer": [2, 1], "head": [3, 0], "position": [2, 7]}
    split = sweep(model, ids, other_ids, metric, "z", each=("layer", "head", "position"), budget_mb=0.2)
    torch.testing.assert_close(split.values, whole.values, rtol=1e-5, atol=1e-5)
    assert split.block_tokens == whole.block_tokens
    assert "parts, to stay under 0.2 MB" in capsys.readouterr().err


def counting_tokens(model, run):
    """How many tokens pass the MLPs' output projections: what a block costs, counted by plain hooks."""
    counted = 0

    def count(module, args):
        nonlocal counted
        counted += args[0].numel() // args[0].size(-1)

    count.__module__ = "transformers.counting"  # a sweep refuses hooks, but for those of transformers
    handles = [b.mlp_proj.register_forward_pre_hook(count) for b in parts(model).blocks]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return counted


def test_a_residual_sweep_processes_only_tokens_that_a_change_can_reach(model, ids, other_ids):
    length, layers = ids.size(1), 3
    differ = [2, 5, 6]
    # Both unpatched runs; then for each layer and position the blocks from there on, the last for the final token only.
    wanted = 2 * length * layers
    for layer, position in itertools.product(range(layers), range(differ[0], length)):
        if layer == 0 and position not in differ:
            continue  # the same embedding: nothing to patch
        wanted += (length - position) * (layers - 1 - layer) + 1
    results = []
    metric = logit_difference(model, 4, 9)
    counted = counting_tokens(model, lambda: results.append(sweep(model, ids, other_ids, metric)))
    assert results[0].block_tokens == wanted
    assert counted == wanted
    plain = layers * length * layers * length
    assert wanted < plain / 2.5


def test_a_head_sweep_starts_at_the_head(gpt2, ids, other_ids):
    length, layers, heads = ids.size(1), 3, 4
    result = sweep(gpt2, ids, other_ids, logit_difference(gpt2, 4, 9), "z")
    # Every head of layer l changes positions 2 to 7; the MLP of its own layer is the first to see it.
    wanted = 2 * length * layers + heads * sum((length - 2) * (layers - layer - 1) + 1 for layer in range(layers))
    # In the last block, tokens enter after its attention; those that nobody reads must not pass its MLP either.
    assert result.block_tokens == wanted


def test_what_a_sweep_refuses_before_it_runs(gpt2, neox, ids, other_ids):
    metric = logit_difference(gpt2, 4, 9)
    bad = [
        (ValueError, "clean prompt has 8 tokens, the corrupted one 7", {"corrupted": other_ids[:, 1:]}),
        (ValueError, "cannot sweep 'mlp_post'", {"place": "mlp_post"}),
        (ValueError, "mode is 'denoise'", {"mode": "denoise"}),
        (ValueError, "each is .*'head'.* for 'resid_pre'", {"each": ("layer", "head")}),
        (ValueError, "positions are given, .* add 'position' to each", {"place": "z", "positions": [2]}),
        (ValueError, "heads are given", {"place": "z", "each": ("layer",), "heads": [1]}),
        (IndexError, "layer 3 of 3", {"layers": [3]}),
        (IndexError, "head 4 of 4", {"place": "z", "heads": [4]}),
        (IndexError, "position 8 of 8", {"positions": [8]}),
        (IndexError, "position 9 of 8", {"at": 9}),
        (ValueError, r"returned \(\) for logits \(2, 61\)", {"metric": lambda logits: logits.mean()}),
        (ValueError, r"returned \(2, 61\)", {"metric": lambda logits: logits}),
        (ValueError, "finite", {"metric": lambda logits: logits[:, 0] * torch.nan}),
        (ValueError, "one run needs 0 MB and budget_mb is 0.001", {"budget_mb": 0.001}),
    ]
    for error, words, change in bad:
        with pytest.raises(error, match=words):
            sweep(**({"model": gpt2, "clean": ids, "corrupted": other_ids, "metric": metric} | change))
    with pytest.raises(ValueError, match="cannot sweep 'resid_mid' in GPTNeoXForCausalLM"):
        sweep(neox, ids, other_ids, metric, "resid_mid")
    with add(gpt2, "resid_post", 0, 1.0), pytest.raises(RuntimeError, match="a hook or an intervention is active"):
        sweep(gpt2, ids, other_ids, metric)


def test_the_plan_is_made_on_the_cpu_and_sent_once(gpt2, ids, other_ids, monkeypatch):
    """On a GPU every count that is read back makes it stop: the plan is sent in one piece, and nothing comes back."""
    from llmnotes.patching import plan as module

    sent = []
    send = module._send
    monkeypatch.setattr(module, "_send", lambda tensors, device: sent.append(len(tensors)) or send(tensors, device))
    asked = []
    for name in ("unique", "nonzero"):
        own = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda self, *a, own=own, **k: asked.append(self) or own(self, *a, **k))
    sweep(gpt2, ids, other_ids, logit_difference(gpt2, 4, 9))
    assert len(sent) <= 2  # the guard, once, and the sweep
    assert all(not tensor.is_floating_point() for tensor in asked)
