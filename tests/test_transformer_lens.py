"""A second opinion: GPT-2's numbers as TransformerLens computes them, where it is installed (it is no dependency)."""

import pytest
import torch

pytest.importorskip("transformer_lens")


def test_gpt2_places_and_sweeps_equal_transformer_lens(gpt2, ids, other_ids):
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
    from compare import boot
    from transformer_lens import patching
    from transformer_lens.model_bridge import TransformerBridge

    from llmnotes.model.tracing import trace
    from llmnotes.patching.sweeps import logit_difference, sweep

    bridge = boot(TransformerBridge, gpt2)
    with torch.no_grad():
        logits, cache = bridge.run_with_cache(ids)
    seen = trace(gpt2, ids)
    torch.testing.assert_close(seen["logits"], logits, rtol=1e-4, atol=1e-4)
    names = {
        "resid_pre": "hook_resid_pre", "resid_post": "hook_resid_post", "attn_out": "hook_attn_out",
        "mlp_out": "hook_mlp_out", "pattern": "attn.hook_pattern", "z": "attn.hook_z", "mlp_post": "mlp.hook_post",
    }  # fmt: skip
    for place, name in names.items():
        theirs = cache[f"blocks.1.{name}"]
        torch.testing.assert_close(seen[place, 1], theirs.view(seen[place, 1].shape), rtol=1e-4, atol=1e-4)
    metric = logit_difference(gpt2, 4, 9)
    with torch.no_grad():
        theirs = patching.get_act_patch_resid_pre(bridge, other_ids, cache, lambda x: x[0, -1, 4] - x[0, -1, 9])
    torch.testing.assert_close(sweep(gpt2, ids, other_ids, metric).values, theirs, rtol=1e-4, atol=1e-4)
