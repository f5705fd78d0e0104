"""How fast the study tools are, beside plain PyTorch, TransformerLens and nnsight, on the same weights in one run.

    python benchmarks/compare.py                  # the 4-layer model
    python benchmarks/compare.py --size small     # GPT-2-small's size; takes several minutes

Everything runs on one thread and is measured in processor time, not by the clock, so that other work on the machine
does little to the figures. Each round runs every contender once, in turn; the table gives medians over the rounds, and
medians of the ratios within a round. TransformerLens and nnsight are left out where they are not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel

sys.path.insert(0, str(Path(__file__).parents[1]))

from llmnotes.attribution import attribution_patching
from llmnotes.hooks import hooked
from llmnotes.patching import logit_difference, sweep
from llmnotes.trace import trace

SIZES = {
    "tiny": {"n_layer": 4, "n_head": 8, "n_embd": 256, "vocab_size": 4096, "n_positions": 128},
    "small": {"n_layer": 12, "n_head": 12, "n_embd": 768, "vocab_size": 50257, "n_positions": 128},
}
NAMED = ["resid_pre", "resid_post", "pattern", "z", "mlp_post"]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--size", choices=list(SIZES), default="tiny")
    options.add_argument("--rounds", type=int, default=0)
    options = options.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = GPT2Config(**SIZES[options.size], bos_token_id=0, eos_token_id=0)
    model = GPT2LMHeadModel(config).eval()
    clean = torch.randint(config.vocab_size, (1, 16))
    corrupted = clean.clone()
    corrupted[0, 2] = (clean[0, 2] + 1) % config.vocab_size  # the prompts differ early, which spares us little
    texts = torch.randint(config.vocab_size, (8, 64))
    metric = logit_difference(model, 1, 2)

    contenders = ours(model, clean, corrupted, texts, metric)
    if importlib.util.find_spec("transformer_lens"):
        contenders |= transformer_lens_runs(model, clean, corrupted, texts)
    if importlib.util.find_spec("nnsight"):
        contenders |= nnsight_runs(model, clean, corrupted, texts)
    rounds = options.rounds or (15 if options.size == "tiny" else 3)
    libraries = [name for name in ("torch", "transformers", "transformer-lens", "nnsight") if _installed(name)]
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in libraries))
    print(f"{options.size}: {SIZES[options.size]}, {rounds} rounds, one thread, processor time")
    for task in dict.fromkeys(task for task, _ in contenders):
        measure(task, {name: run for (t, name), run in contenders.items() if t == task}, rounds)


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name.replace("-", "_")) is not None


def measure(task: str, runs: dict, rounds: int) -> None:
    results = {name: run() for name, run in runs.items()}  # also warms up
    wanted = next(iter(results.values()))
    for name, got in results.items():
        if isinstance(wanted, torch.Tensor) and isinstance(got, torch.Tensor):
            torch.testing.assert_close(
                got, wanted, rtol=1e-4, atol=1e-4, msg=lambda m, name=name: f"{task}, {name}: {m}"
            )
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            run()
            times[name].append((time.process_time() - start) * 1e3)
    first = next(iter(runs))
    print(f"\n{task}\n| | ms | times the first row |\n| --- | ---: | ---: |")
    for name, taken in times.items():
        ratio = statistics.median(t / r for t, r in zip(taken, times[first], strict=True))
        print(f"| {name} | {statistics.median(taken):.1f} | {ratio:.2f} |")


def ours(model, clean, corrupted, texts, metric) -> dict:
    """llmnotes, a plain forward pass or loop, and sweeps written out by hand."""
    calls = [(place, layer, lambda v, s: None) for place in NAMED for layer in range(model.config.n_layer)]

    @torch.no_grad()
    def plain() -> None:
        model(texts, use_cache=False)

    @torch.no_grad()
    def with_logits() -> None:
        trace(model, texts, [*NAMED, "logits"])

    @torch.no_grad()
    def only_hooks() -> None:
        with hooked(model, calls, read=True):
            model(texts, use_cache=False)

    def gradient_by_hand() -> None:
        with torch.no_grad():
            model(clean, use_cache=False)
        embedded = model.transformer.wte(corrupted).detach().requires_grad_()
        logits = model(inputs_embeds=embedded, use_cache=False).logits[:, -1]
        torch.autograd.grad(metric(logits)[0], embedded)

    def full_backward() -> None:
        with torch.no_grad():
            model(clean, use_cache=False)
        metric(model(corrupted, use_cache=False).logits[:, -1])[0].backward()
        model.zero_grad()

    return {
        ("trace", "plain forward pass"): plain,
        ("trace", "llmnotes, named places"): lambda: void(trace(model, texts, NAMED)),
        ("trace", "llmnotes, named places and logits"): with_logits,
        ("residual sweep", "llmnotes"): lambda: sweep(model, clean, corrupted, metric).values,
        ("residual sweep", "by hand"): lambda: residual_by_hand(model, clean, corrupted, metric),
        ("residual sweep", "plain loop"): lambda: residual_loop(model, clean, corrupted, metric),
        ("head sweep", "llmnotes"): lambda: sweep(model, clean, corrupted, metric, "z").values,
        ("head sweep", "by hand"): lambda: heads_by_hand(model, clean, corrupted, metric),
        ("head sweep", "plain loop"): lambda: head_loop(model, clean, corrupted, metric),
        ("attribution", "two forward passes, backward to the embedding"): gradient_by_hand,
        ("attribution", "two forward passes, .backward()"): full_backward,
        ("attribution", "llmnotes"): lambda: void(attribution_patching(model, clean, corrupted, metric)),
    }


def void(_: object) -> None:
    """Results that are not compared."""


@torch.no_grad()
def residual_loop(model, clean, corrupted, metric) -> torch.Tensor:
    """One hooked pass for each layer and position."""
    blocks, n = model.transformer.h, clean.size(1)
    kept = [None] * len(blocks)
    handles = [b.register_forward_pre_hook(lambda m, a, i=i: kept.__setitem__(i, a[0])) for i, b in enumerate(blocks)]
    model(clean, use_cache=False)
    for handle in handles:
        handle.remove()
    values = torch.empty(len(blocks), n)
    for layer, block in enumerate(blocks):
        for position in range(n):

            def patch(module, args, layer=layer, position=position):
                x = args[0].clone()
                x[:, position] = kept[layer][:, position]
                return (x, *args[1:])

            handle = block.register_forward_pre_hook(patch)
            values[layer, position] = metric(model(corrupted, use_cache=False).logits[:, -1])[0]
            handle.remove()
    return values


@torch.no_grad()
def head_loop(model, clean, corrupted, metric) -> torch.Tensor:
    """One hooked pass for each head."""
    blocks, heads = model.transformer.h, model.config.n_head
    width = model.config.n_embd // heads
    kept = [None] * len(blocks)
    handles = [
        b.attn.c_proj.register_forward_pre_hook(lambda m, a, i=i: kept.__setitem__(i, a[0]))
        for i, b in enumerate(blocks)
    ]
    model(clean, use_cache=False)
    for handle in handles:
        handle.remove()
    values = torch.empty(len(blocks), heads)
    for layer, block in enumerate(blocks):
        for head in range(heads):
            mine = slice(head * width, (head + 1) * width)

            def patch(module, args, layer=layer, mine=mine):
                z = args[0].clone()
                z[..., mine] = kept[layer][..., mine]
                return (z,)

            handle = block.attn.c_proj.register_forward_pre_hook(patch)
            values[layer, head] = metric(model(corrupted, use_cache=False).logits[:, -1])[0]
            handle.remove()
    return values


def _by_hand_pieces(model, ids):
    """Each block's input and keys and values of one run, with nothing but the model's own modules."""
    core, n = model.transformer, ids.size(1)
    x = core.wte(ids) + core.wpe.weight[:n]
    inputs, keys, values, middles, zs = [], [], [], [], []
    for block in core.h:
        q, k, v = split(block, x)
        z = attend(q, k, v)
        middle = x + block.attn.c_proj(z)
        inputs.append(x)
        keys.append(k)
        values.append(v)
        middles.append(middle)
        zs.append(z)
        x = middle + mlp(block, middle)
    return inputs, keys, values, middles, zs, x


def split(block, x):
    q, k, v = block.attn.c_attn(block.ln_1(x)).split(x.size(-1), dim=-1)
    return (t.unflatten(-1, (block.attn.num_heads, -1)).transpose(1, 2) for t in (q, k, v))


def attend(q, k, v):
    mask = torch.ones(k.size(2), k.size(2), dtype=torch.bool).tril()[-q.size(2) :]
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(-2)


def mlp(block, x):
    return block.mlp.c_proj(torch.nn.functional.gelu(block.mlp.c_fc(block.ln_2(x)), approximate="tanh"))


@torch.no_grad()
def residual_by_hand(model, clean, corrupted, metric) -> torch.Tensor:
    """(1) to (3) written straight down: for each position, all layers advance together from there on."""
    source = _by_hand_pieces(model, clean)[0]
    inputs, keys, values, *_ = _by_hand_pieces(model, corrupted)
    n, layers = clean.size(1), len(model.transformer.h)
    ends = []
    for p in range(n):
        x = inputs[0].new_empty(0, n - p, inputs[0].size(-1))
        for layer, block in enumerate(model.transformer.h):
            entering = inputs[layer][:, p:].clone()
            entering[:, 0] = source[layer][:, p]
            x = torch.cat([x, entering])
            q, k, v = split(block, x)
            k = torch.cat([keys[layer][:, :, :p].expand(len(x), -1, -1, -1), k], dim=2)
            v = torch.cat([values[layer][:, :, :p].expand(len(x), -1, -1, -1), v], dim=2)
            x = x + block.attn.c_proj(attend(q, k, v))
            x = x + mlp(block, x)
        ends.append(x[:, -1])
    logits = model.lm_head(model.transformer.ln_f(torch.stack(ends, dim=1)))  # (layer, position, vocab)
    return metric(logits.flatten(0, 1)).view(layers, n)


@torch.no_grad()
def heads_by_hand(model, clean, corrupted, metric) -> torch.Tensor:
    """Every head's run starts in the middle of its own block; all advance together."""
    source = _by_hand_pieces(model, clean)[4]
    *_, middles, zs, _ = _by_hand_pieces(model, corrupted)
    heads, layers = model.config.n_head, len(model.transformer.h)
    x = middles[0].new_empty(0, *middles[0].shape[1:])
    for layer, block in enumerate(model.transformer.h):
        if len(x):
            x = x + block.attn.c_proj(attend(*split(block, x)))
        change = (source[layer] - zs[layer])[0].unflatten(-1, (heads, -1)).transpose(0, 1)  # (head, pos, d_head)
        entering = middles[layer] + change @ block.attn.c_proj.weight.unflatten(0, (heads, -1))
        x = torch.cat([x, entering])
        x = x + mlp(block, x)
    return metric(model.lm_head(model.transformer.ln_f(x[:, -1]))).view(layers, heads)


def transformer_lens_runs(model, clean, corrupted, texts) -> dict:
    """TransformerLens on the same model object's weights."""
    from transformer_lens import patching
    from transformer_lens.model_bridge import TransformerBridge

    bridge = boot(TransformerBridge, model)

    def metric(logits: torch.Tensor) -> torch.Tensor:
        return logits[0, -1, 1] - logits[0, -1, 2]

    hooks = ("hook_resid_pre", "hook_resid_post", "attn.hook_pattern", "attn.hook_z", "mlp.hook_post")

    @torch.no_grad()
    def named() -> None:
        bridge.run_with_cache(texts, names_filter=lambda name: name.endswith(hooks))

    @torch.no_grad()
    def everything() -> None:
        bridge.run_with_cache(texts)

    def patched(function):
        @torch.no_grad()
        def run():
            _, cache = bridge.run_with_cache(clean)
            return function(bridge, corrupted, cache, metric)

        return run

    _, cache = bridge.run_with_cache(texts, names_filter=lambda name: name.endswith(hooks))
    print("TransformerLens keeps", len(cache), "tensors under these names")
    return {
        ("trace", "TransformerLens, named places"): named,
        ("trace", "TransformerLens, everything"): everything,
        ("residual sweep", "TransformerLens"): patched(patching.get_act_patch_resid_pre),
        ("head sweep", "TransformerLens"): patched(patching.get_act_patch_attn_head_out_all_pos),
    }


def boot(bridge_class, model):
    """A bridge around a model in hand; the tokenizer is only there because the library asks for one."""
    from copy import deepcopy

    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    vocabulary = {f"t{i}": i for i in range(model.config.vocab_size)}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="t0"))
    with tempfile.TemporaryDirectory() as folder:  # it reads the tokenizer again from where it came from
        PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="t0", eos_token="t0", pad_token="t0").save_pretrained(
            folder
        )
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        return bridge_class.boot_transformers("gpt2", hf_model=deepcopy(model), tokenizer=tokenizer, device="cpu")


def nnsight_runs(model, clean, corrupted, texts) -> dict:
    """nnsight around the same model: saves for traces, one trace for each patched run."""
    from nnsight import NNsight

    wrapped = NNsight(model)
    layers, n, heads = model.config.n_layer, clean.size(1), model.config.n_head
    width = model.config.n_embd // heads

    @torch.no_grad()
    def named() -> None:
        kept = []
        with wrapped.trace(texts, use_cache=False):
            for block in wrapped.transformer.h:
                kept.append(block.input.save())
                kept.append(block.attn.c_proj.input.save())
                kept.append(block.mlp.c_proj.input.save())
                kept.append(block.output.save())

    @torch.no_grad()
    def residual() -> torch.Tensor:
        source = []
        with wrapped.trace(clean, use_cache=False):
            for block in wrapped.transformer.h:
                source.append(block.input.save())
        values = torch.empty(layers, n)
        for layer in range(layers):
            for position in range(n):
                with wrapped.trace(corrupted, use_cache=False):
                    wrapped.transformer.h[layer].input[:, position] = source[layer][:, position]
                    logits = wrapped.lm_head.output[:, -1].save()
                values[layer, position] = logits[0, 1] - logits[0, 2]
        return values

    @torch.no_grad()
    def by_head() -> torch.Tensor:
        source = []
        with wrapped.trace(clean, use_cache=False):
            for block in wrapped.transformer.h:
                source.append(block.attn.c_proj.input.save())
        values = torch.empty(layers, heads)
        for layer in range(layers):
            for head in range(heads):
                mine = slice(head * width, (head + 1) * width)
                with wrapped.trace(corrupted, use_cache=False):
                    wrapped.transformer.h[layer].attn.c_proj.input[..., mine] = source[layer][..., mine]
                    logits = wrapped.lm_head.output[:, -1].save()
                values[layer, head] = logits[0, 1] - logits[0, 2]
        return values

    return {
        ("trace", "nnsight, named places but for patterns"): named,
        ("residual sweep", "nnsight, loop"): residual,
        ("head sweep", "nnsight, loop"): by_head,
    }


if __name__ == "__main__":
    main()
