"""How fast the study tools are, beside plain PyTorch, TransformerLens and nnsight, on the same weights in one run.

    python benchmarks/compare.py                        # the 4-layer model, GPT-2's architecture
    python benchmarks/compare.py --architecture llama   # another one: gpt_neo, gpt_neox, llama (grouped queries)
    python benchmarks/compare.py --size small           # GPT-2-small's size; takes a quarter of an hour

Everything runs on one thread and is measured in processor time, not by the clock, so that other work on the machine
does little to the figures. Each round runs every contender once, in turn; the table gives medians over the rounds, and
medians of the ratios within a round. TransformerLens and nnsight are left out where they are not installed, and for
architectures other than GPT-2.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from copy import deepcopy
from functools import reduce
from importlib.metadata import version
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM as Auto
from transformers import DynamicCache, GPT2Config, GPTNeoConfig, GPTNeoXConfig, LlamaConfig

sys.path.insert(0, str(Path(__file__).parents[1]))

from llmnotes.model.hooks import hooked
from llmnotes.model.tracing import trace
from llmnotes.patching.attribution import attribution_patching
from llmnotes.patching.sweeps import logit_difference, sweep

SIZES = {"tiny": (4, 8, 256, 4096), "small": (12, 12, 768, 50257)}  # layers, heads, width, vocabulary
NAMED = ["resid_pre", "resid_post", "pattern", "z", "mlp_post"]
# Where the versions by hand find things: blocks, the way out of the heads, the MLP and the norm before it, final norm.
PATHS = {
    "gpt2": ("transformer.h", "attn.c_proj", "mlp", "ln_2", "transformer.ln_f"),
    "gpt_neo": ("transformer.h", "attn.attention.out_proj", "mlp", "ln_2", "transformer.ln_f"),
    "gpt_neox": ("gpt_neox.layers", "attention.dense", "mlp", "post_attention_layernorm", "gpt_neox.final_layer_norm"),
    "llama": ("model.layers", "self_attn.o_proj", "mlp", "post_attention_layernorm", "model.norm"),
}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--size", choices=list(SIZES), default="tiny")
    options.add_argument("--architecture", choices=list(PATHS), default="gpt2")
    options.add_argument("--rounds", type=int, default=0)
    options = options.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = Auto.from_config(configuration(options.architecture, *SIZES[options.size])).eval()
    vocabulary = model.config.vocab_size
    clean = torch.randint(vocabulary, (1, 16))
    corrupted = clean.clone()
    corrupted[0, 2] = (clean[0, 2] + 1) % vocabulary  # the prompts differ early, which spares us little
    texts = torch.randint(vocabulary, (8, 64))
    metric = logit_difference(model, 1, 2)

    contenders = ours(model, clean, corrupted, texts, metric)
    libraries = ["torch", "transformers"]
    for library, runs in {"transformer_lens": transformer_lens_runs, "nnsight": nnsight_runs}.items():
        if options.architecture == "gpt2" and importlib.util.find_spec(library):
            contenders |= runs(model, clean, corrupted, texts)
            libraries.append(library)
    rounds = options.rounds or (15 if options.size == "tiny" else 3)
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in libraries))
    sizes = "{} layers, {} heads, width {}, vocabulary {}".format(*SIZES[options.size])
    print(f"{options.architecture}, {sizes}; {rounds} rounds, one thread, processor time")
    for task in dict.fromkeys(task for task, _ in contenders):
        measure(task, {name: run for (t, name), run in contenders.items() if t == task}, rounds)
    measure(
        "import",
        {name: lambda name=name: imported(name) for name in ("llmnotes.model.tracing", *libraries)},
        3,
        taken=True,
    )


def configuration(architecture: str, layers: int, heads: int, width: int, vocabulary: int):
    common = {"vocab_size": vocabulary, "bos_token_id": 0, "eos_token_id": 0}
    modern = {"num_hidden_layers": layers, "num_attention_heads": heads, "hidden_size": width}
    modern |= {"intermediate_size": 4 * width, "max_position_embeddings": 128, **common}
    if architecture == "gpt2":
        return GPT2Config(n_layer=layers, n_head=heads, n_embd=width, n_positions=128, **common)
    if architecture == "gpt_neo":
        kinds = [[["global", "local"], layers // 2]]
        neo = {"num_layers": layers, "num_heads": heads, "hidden_size": width, "max_position_embeddings": 128}
        return GPTNeoConfig(attention_types=kinds, **neo, **common)
    if architecture == "gpt_neox":
        return GPTNeoXConfig(**modern)
    return LlamaConfig(num_key_value_heads=heads // 2, **modern)


def imported(name: str) -> float:
    """Processor time that a new Python takes to import a library, in ms, less what a bare one takes."""
    taken = []
    for code in ("pass", f"import {name}"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return (taken[1] - taken[0]) * 1e3


def measure(task: str, runs: dict, rounds: int, taken: bool = False) -> None:
    """Run all in turn and print their table; `taken`: a run returns the milliseconds that it took."""
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
            result = run()
            times[name].append(result if taken else (time.process_time() - start) * 1e3)
    first = next(iter(runs))
    print(f"\n{task}\n| | ms | times the first row |\n| --- | ---: | ---: |")
    for name, row in times.items():
        ratio = statistics.median(t / r for t, r in zip(row, times[first], strict=True))
        print(f"| {name} | {statistics.median(row):.1f} | {ratio:.2f} |", flush=True)


class ByHand:
    """What the plain loops and the sweeps by hand need of a model: its own modules, found by name."""

    def __init__(self, model) -> None:
        self.kind = model.config.model_type
        blocks, proj, mlp, norm, final = PATHS[self.kind]
        self.model, self.blocks, self.final = model, follow(model, blocks), follow(model, final)
        self.projs = [follow(block, proj) for block in self.blocks]
        self.mlps = [follow(block, mlp) for block in self.blocks]
        self.norms = [follow(block, norm) for block in self.blocks]
        self.rotary = getattr(model.base_model, "rotary_emb", None)
        self.parallel = self.kind == "gpt_neox"  # attention and MLP read the same
        self.heads = model.config.num_attention_heads

    def kept(self, modules, ids) -> list[torch.Tensor]:
        """What enters each of some modules, in one run."""
        found = [None] * len(modules)
        handles = [
            module.register_forward_pre_hook(lambda m, a, i=i: found.__setitem__(i, a[0]))
            for i, module in enumerate(modules)
        ]
        self.model(ids, use_cache=False)
        for handle in handles:
            handle.remove()
        return found

    def block(self, layer: int, x: torch.Tensor, past: DynamicCache | None = None, start: int = 0) -> torch.Tensor:
        """One block on positions `start` and later; `past` holds the keys and values of those before."""
        n = x.size(1)
        mask = torch.zeros(1, 1, n, start + n).masked_fill_(~torch.ones(n, start + n).tril(start).bool(), -1e30)
        cache = "layer_past" if self.kind in ("gpt_neo", "gpt_neox") else "past_key_values"
        given = {"attention_mask": mask, cache: past, "use_cache": past is not None}
        if self.rotary is not None:
            given["position_embeddings"] = self.rotary(x, torch.arange(start, start + n)[None])
        out = self.blocks[layer](x, **given)
        return out[0] if isinstance(out, tuple) else out

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        return self.model.get_output_embeddings()(self.final(x))


def follow(module, path: str):
    return reduce(getattr, path.split("."), module)


def ours(model, clean, corrupted, texts, metric) -> dict:
    """llmnotes, a plain forward pass or loop, and sweeps written out by hand."""
    hand = ByHand(deepcopy(model))
    for mlp in hand.mlps:
        if hand.kind in ("gpt2", "gpt_neo"):  # the same function in one fused step, as one would by hand
            mlp.act = torch.nn.GELU(approximate="tanh")
    calls = [(place, layer, lambda v, s: None) for place in NAMED for layer in range(model.config.num_hidden_layers)]

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
        embedded = model.get_input_embeddings()(corrupted).detach().requires_grad_()
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
        ("residual sweep", "by hand"): lambda: residual_by_hand(hand, clean, corrupted, metric),
        ("residual sweep", "plain loop"): lambda: residual_loop(model, clean, corrupted, metric),
        ("head sweep", "llmnotes"): lambda: sweep(model, clean, corrupted, metric, "z").values,
        ("head sweep", "by hand"): lambda: heads_by_hand(hand, clean, corrupted, metric),
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
    hand, n = ByHand(model), clean.size(1)
    source = hand.kept(hand.blocks, clean)
    values = torch.empty(len(hand.blocks), n)
    for layer, block in enumerate(hand.blocks):
        for position in range(n):

            def patch(module, args, layer=layer, position=position):
                x = args[0].clone()
                x[:, position] = source[layer][:, position]
                return (x, *args[1:])

            handle = block.register_forward_pre_hook(patch)
            values[layer, position] = metric(model(corrupted, use_cache=False).logits[:, -1])[0]
            handle.remove()
    return values


@torch.no_grad()
def head_loop(model, clean, corrupted, metric) -> torch.Tensor:
    """One hooked pass for each head."""
    hand = ByHand(model)
    source = hand.kept(hand.projs, clean)
    values = torch.empty(len(hand.blocks), hand.heads)
    width = source[0].size(-1) // hand.heads
    for layer, proj in enumerate(hand.projs):
        for head in range(hand.heads):
            mine = slice(head * width, (head + 1) * width)

            def patch(module, args, layer=layer, mine=mine):
                z = args[0].clone()
                z[..., mine] = source[layer][..., mine]
                return (z,)

            handle = proj.register_forward_pre_hook(patch)
            values[layer, head] = metric(model(corrupted, use_cache=False).logits[:, -1])[0]
            handle.remove()
    return values


@torch.no_grad()
def residual_by_hand(hand, clean, corrupted, metric) -> torch.Tensor:
    """(1) to (3) written straight down: for each position, all layers advance together from there on."""
    n = clean.size(1)
    source, inputs = (hand.kept(hand.blocks, ids) for ids in (clean, corrupted))
    full = hand.model(corrupted, use_cache=True).past_key_values
    ends = []
    for p in range(n):
        past = DynamicCache()
        x = inputs[0].new_empty(0, n - p, inputs[0].size(-1))
        for layer in range(len(hand.blocks)):
            entering = inputs[layer][:, p:].clone()
            entering[:, 0] = source[layer][:, p]
            x = torch.cat([x, entering])
            earlier = (full.layers[layer].keys, full.layers[layer].values)
            past.update(*(t[:, :, :p].expand(len(x), -1, -1, -1) for t in earlier), layer)
            x = hand.block(layer, x, past, p)
        ends.append(x[:, -1])
    return metric(hand.logits(torch.stack(ends, dim=1)).flatten(0, 1)).view(-1, n)  # (layer, position)


@torch.no_grad()
def heads_by_hand(hand, clean, corrupted, metric) -> torch.Tensor:
    """Every head's run starts behind the attention of its own block; all advance together."""
    source, zs = (hand.kept(hand.projs, ids) for ids in (clean, corrupted))
    # A head adds to the stream before the MLP, or to what leaves the block where attention and MLP run side by side.
    after = hand.blocks[1:] if hand.parallel else hand.norms
    base = hand.kept([*after, hand.final] if hand.parallel else after, corrupted)
    x = base[0].new_empty(0, *base[0].shape[1:])
    for layer, proj in enumerate(hand.projs):
        if len(x):
            x = hand.block(layer, x)
        change = (source[layer] - zs[layer])[0].unflatten(-1, (hand.heads, -1)).transpose(0, 1)  # (head, pos, d_head)
        w_o = proj.weight if hand.kind == "gpt2" else proj.weight.T
        entering = base[layer] + change @ w_o.unflatten(0, (hand.heads, -1))
        if not hand.parallel:
            entering = entering + hand.mlps[layer](hand.norms[layer](entering))
        x = torch.cat([x, entering])
    return metric(hand.logits(x[:, -1])).view(-1, hand.heads)


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

    @torch.no_grad()
    def residual_batched() -> torch.Tensor:
        """All positions of a layer in one trace, a row each."""
        source, rows, values = [], torch.arange(n), []
        with wrapped.trace(clean, use_cache=False):
            for block in wrapped.transformer.h:
                source.append(block.input.save())
        for layer in range(layers):
            with wrapped.trace(corrupted.expand(n, -1), use_cache=False):
                wrapped.transformer.h[layer].input[rows, rows] = source[layer][0]
                logits = wrapped.lm_head.output[:, -1].save()
            values.append(logits[:, 1] - logits[:, 2])
        return torch.stack(values)

    @torch.no_grad()
    def by_head_batched() -> torch.Tensor:
        """All heads of a layer in one trace, a row each."""
        source, values = [], []
        mine = torch.eye(heads, dtype=torch.bool).repeat_interleave(width, dim=1)[:, None]  # (row, 1, d_model)
        with wrapped.trace(clean, use_cache=False):
            for block in wrapped.transformer.h:
                source.append(block.attn.c_proj.input.save())
        for layer in range(layers):
            with wrapped.trace(corrupted.expand(heads, -1), use_cache=False):
                z = wrapped.transformer.h[layer].attn.c_proj.input
                wrapped.transformer.h[layer].attn.c_proj.input = torch.where(mine, source[layer], z)
                logits = wrapped.lm_head.output[:, -1].save()
            values.append(logits[:, 1] - logits[:, 2])
        return torch.stack(values)

    return {
        ("trace", "nnsight, named places but for patterns"): named,
        ("residual sweep", "nnsight, batched"): residual_batched,
        ("residual sweep", "nnsight, loop"): residual,
        ("head sweep", "nnsight, batched"): by_head_batched,
        ("head sweep", "nnsight, loop"): by_head,
    }


if __name__ == "__main__":
    main()
