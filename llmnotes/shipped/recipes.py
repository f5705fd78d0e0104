"""The recipes of the models that ship with the notebook: data, size, plan, measurement, and what is written to disk.

    python -m llmnotes.shipped.recipes fairytale --corpus DIR --out DIR
    python -m llmnotes.shipped.recipes world --out DIR

A run that was interrupted goes on where it stopped. The state to resume from lies in DIR/run, the finished checkpoint
in DIR itself.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer as LibraryTokenizer
from tokenizers import models, pre_tokenizers
from torch import Tensor, nn

from llmnotes.scratch.gpt2 import from_gpt2
from llmnotes.scratch.ngrams import kneser_ney
from llmnotes.scratch.tokenizer import END_OF_TEXT, load_tokenizer, train_bpe
from llmnotes.scratch.training import Batch, Plan, loss_of, train
from llmnotes.scratch.transformer import Config, Transformer, generate
from llmnotes.shipped.cards import write_cards
from llmnotes.shipped.corpus import read_documents, to_tokens, windows, with_loops
from llmnotes.shipped.measure import bits_per_character, compressed_bits, copy_losses, token_losses
from llmnotes.shipped.saving import machine, save_checkpoint, write_metrics
from llmnotes.world.grading import grade
from llmnotes.world.lexicon import END, IDS, VOCABULARY
from llmnotes.world.oracle import truth
from llmnotes.world.stories import TEST_SEED, TRAIN_SEED, VALID_SEED, held_out, story_batches

FAIRYTALE = Config(vocab_size=4096, n_ctx=256, n_layers=5, n_heads=6, d_model=192)
FAIRYTALE_PLAN = Plan(steps=5400, lr=2.5e-3, warmup=100, final=0.02, muon=True, evaluate_every=200)
FAIRYTALE_BATCH = 8
FAIRYTALE_LOOPS = ((0, 0.3), (800, 0.06))  # from which step on, which share of the windows are loops

WORLD = Config(vocab_size=len(VOCABULARY), n_ctx=128, n_layers=4, n_heads=4, d_model=128, d_mlp=128)
WORLD_ATTENTION = Config(vocab_size=len(VOCABULARY), n_ctx=128, n_layers=2, n_heads=4, d_model=128, mlp=False)
WORLD_PLAN = Plan(steps=5500, lr=3e-3, warmup=200, final=0.01, weight_decay=0.01, muon=True, evaluate_every=250)
WORLD_ATTENTION_PLAN = replace(WORLD_PLAN, steps=2500)
WORLD_BATCH = 16
REPLICATE_STORIES = 10  # a replicate's stories are those of this seed plus its own
WORLD_STEPS = (0, 60, 125, 250, 500, 750, 1000, 1500, 2500)  # checkpoints along the way

AMPLITUDE = 0.15  # of the sines; tokens' embeddings start at 0.02 and end at about 0.1
SHARPNESS = 4.0  # of queries and keys: nearly all attention goes one back, also when embeddings have grown

PROMPTS = ("Once upon a time there was a", "The old woman said to the", "'Ah!' cried the King,")


def train_fairytale(
    out: str | Path,
    corpus: str | Path,
    *,
    config: Config = FAIRYTALE,
    plan: Plan = FAIRYTALE_PLAN,
    batch_size: int = FAIRYTALE_BATCH,
    loops: Sequence[tuple[int, float]] = FAIRYTALE_LOOPS,
    progress: bool = True,
) -> dict[str, Any]:
    """Make the fairytale model: tokenizer, weights, measurements, model card; gives what `metrics.json` then holds.

    Args:
        corpus: folder with train.txt and valid.txt, documents parted by a line `<|endoftext|>`.
        loops: phases of training: the first step of each, and the share of its windows that repeat one stretch of
            tokens, so that the model learns to copy.

    Raises:
        FileNotFoundError: the corpus is not there.
        ValueError: it is too short for one batch.
    """
    out, corpus = Path(out), Path(corpus)
    documents = {split: read_documents(corpus / f"{split}.txt") for split in ("train", "valid")}
    run = out / "run"
    run.mkdir(parents=True, exist_ok=True)
    if not (run / "tokenizer.json").exists():
        train_bpe(documents["train"], config.vocab_size).save(run)
    tokenizer = load_tokenizer(run)
    tokens = {split: to_tokens(texts, tokenizer) for split, texts in documents.items()}
    model = Transformer(config, seed=plan.seed)
    length = min(48, config.n_ctx // 2)
    text = windows(tokens["train"], config.n_ctx, batch_size, plan.seed)
    phases = [
        (begin, with_loops(text, share, tokens["train"], config.vocab_size, lengths=(4, config.n_ctx // 4)))
        for begin, share in loops
    ]
    glimpse = _spread(tokens["valid"], config.n_ctx)
    characters = sum(map(len, documents["valid"]))

    def batch(step: int) -> Batch:
        return next((phase for begin, phase in reversed(phases) if step >= begin), text)(step)

    def evaluate(model: nn.Module) -> dict[str, float]:
        first, second = copy_losses(model, config.vocab_size, length, rows=16).mean(1).tolist()
        bits = loss_of(model, glimpse).item() * len(tokens["valid"]) / characters / math.log(2)
        return {"valid_bits_per_character": bits, "first_copy": first, "second_copy": second}

    def keep_planted(model: nn.Module, done: int) -> None:
        plant_previous_token_head(model)

    log = train(model, batch, plan, run, evaluate, keep_planted, progress)
    checksum = save_checkpoint(model, LibraryTokenizer.from_file(str(run / "tokenizer.json")), out)
    model = _shipped(out)  # measured as it ships: weights rounded to float16

    write_counts(out, tokens["train"], config.vocab_size)
    valid = tokens["valid"]
    first, second = copy_losses(model, config.vocab_size, length)
    losses = token_losses(model, valid, config.n_ctx, config.n_ctx // 4)
    metrics = {
        "name": "fairytale",
        **_about(model, plan, log, checksum),
        "batch_size": batch_size,
        "loops": [list(phase) for phase in loops],
        "train_characters": sum(map(len, documents["train"])),
        "train_tokens": len(tokens["train"]),
        "epochs": plan.steps * batch_size * config.n_ctx / len(tokens["train"]),
        "valid_documents": len(documents["valid"]),
        "valid_characters": characters,
        "valid_tokens": len(valid),
        "bits_per_character": bits_per_character(losses, characters),
        **_baselines(run, documents, tokens, config.vocab_size),
        "copy_length": length,
        "first_copy_nats": first.mean().item(),
        "second_copy_nats": second.mean().item(),
        "first_copy_by_place": [round(x, 3) for x in first.tolist()],
        "second_copy_by_place": [round(x, 3) for x in second.tolist()],
        "samples": _samples(model, tokenizer),
    }
    write_metrics(out, metrics)
    write_cards(out)
    return metrics


def train_world(
    out: str | Path,
    *,
    config: Config = WORLD,
    attention_config: Config | None = WORLD_ATTENTION,
    plan: Plan = WORLD_PLAN,
    attention_plan: Plan = WORLD_ATTENTION_PLAN,
    batch_size: int = WORLD_BATCH,
    steps_kept: Sequence[int] = WORLD_STEPS,
    test_stories: int = 400,
    seed: int = 0,
    progress: bool = True,
) -> dict[str, Any]:
    """Make the world models: the larger one with checkpoints along its training, and the attention-only one.

    With a seed it makes the same two from other first weights and on other stories, in `seed-N` and
    `attention-only/seed-N`, without checkpoints along the way. Returns what it measured, as in `metrics.json`.

    Args:
        out: folder of the finished checkpoint; the others lie below it, in `step-N` and `attention-only`.
        attention_config: sizes of the smaller one; None: leave it out.
        steps_kept: the larger model is kept as it stood after these numbers of steps.
    """
    out = Path(out)
    stories = held_out(TEST_SEED, test_stories)
    tokenizer = world_tokenizer()
    metrics: dict[str, Any] = {}
    for name, sizes, how, keep in (
        ("world", config, plan, steps_kept),
        ("world/attention-only", attention_config, attention_plan, ()),
    ):
        if sizes is None:
            continue
        data_seed = TRAIN_SEED
        if seed:
            name, how, keep, data_seed = f"{name}/seed-{seed}", replace(how, seed=seed), (), REPLICATE_STORIES + seed
        folder = out / Path(name).relative_to("world")
        run = folder / "run"
        model = Transformer(sizes, seed=how.seed)
        batch = story_batches(sizes.n_ctx, batch_size, data_seed)
        log = train(model, batch, how, run, _above_floor(sizes), _keeper(run, keep), progress)
        checksum = save_checkpoint(model, tokenizer, folder)
        made = {"name": name, **_about(model, how, log, checksum), "batch_size": batch_size, "stories": test_stories}
        made |= {"data_seed": data_seed} if seed else {}
        made |= asdict(grade(_shipped(folder), stories, sizes.n_ctx))
        if keep:
            made["steps"] = _ship_steps(out, run, sizes, keep, stories[: max(1, test_stories // 4)])
        write_metrics(folder, made)
        metrics[name] = made
    write_cards(out)
    return metrics


@torch.no_grad()
def plant_previous_token_head(model: Transformer) -> None:
    """Set the weights of a head that looks one token back; called after each step of training, it keeps them.

    Learned positions start as noise, and from noise a previous-token head takes long to form: a model of fairy tales
    had none after seven million tokens, and without one nothing can come of induction. The planted head is head 0 of
    layer 0. The first d_head dimensions of the residual stream are left to positions alone, as pairs of a sine and a
    cosine, each pair with a speed of its own (Vaswani et al. 2017, "Attention Is All You Need"). Keys are those
    dimensions; queries are the same, turned back by one step. So query and key agree best where the key's position is
    the one before. What the head copies, and what later layers make of it, is learned.

    Raises ValueError for other positions than learned ones, and for an odd d_head.
    """
    config = model.config
    width = config.d_model // config.n_heads
    if config.positions != "learned" or width % 2:
        raise ValueError(
            f"positions are {config.positions!r} and d_head is {width}; expected 'learned' and an even number"
        )
    speed = 3.0 * 0.01 ** torch.linspace(0, 1, width // 2)  # radians a position, from 3 to 0.03
    angle = torch.arange(config.n_ctx)[:, None] * speed
    tokens, positions = model.transformer["wte"].weight, model.transformer["wpe"].weight
    tokens[:, :width] = 0
    positions[:, :width] = AMPLITUDE * torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)
    turn = torch.zeros(width, width)  # (sin a, cos a) @ turn = (sin(a - speed), cos(a - speed))
    even, odd = torch.arange(0, width, 2), torch.arange(1, width, 2)
    turn[even, even] = turn[odd, odd] = speed.cos()
    turn[odd, even], turn[even, odd] = -speed.sin(), speed.sin()
    attention = model.transformer["h"][0].attn.c_attn
    for begin, part in ((0, turn), (config.d_model, torch.eye(width))):  # queries, keys
        attention.weight[:, begin : begin + width] = 0
        attention.weight[:width, begin : begin + width] = SHARPNESS * part
        attention.bias[begin : begin + width] = 0


def write_counts(folder: str | Path, tokens: Tensor, vocab_size: int) -> None:
    """Write `counts.json`: how often each token stands in the training text, a list in the order of ids.

    It tells of the text, not of training: the end of a text counts once between two documents, a text read in several
    epochs counts once, and the loops that training adds, a third of which draw all tokens evenly, are not in it. So a
    count of 0 means a token that training met in loops alone.
    """
    counts = torch.bincount(tokens, minlength=vocab_size).tolist()
    Path(folder, "counts.json").write_text(json.dumps(counts) + "\n", encoding="utf-8")


def world_tokenizer() -> LibraryTokenizer:
    """One token a word, words parted by spaces. A word that the language does not have is an error."""
    tokenizer = LibraryTokenizer(models.WordLevel(IDS))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens([END])
    return tokenizer


def _above_floor(config: Config, rows: int = 48) -> Callable[[nn.Module], dict[str, float]]:
    """Held-out loss while training, against the true distribution: no noise from which words happened to come."""
    inputs, targets = story_batches(config.n_ctx, rows, VALID_SEED)(0)
    probs = torch.zeros((*inputs.shape, config.vocab_size))
    floor, n = 0.0, int((targets != -100).sum())
    for i, row in enumerate(inputs):
        true = truth([VOCABULARY[j] for j in row[: int((targets[i] != -100).sum())].tolist()])
        probs[i, : len(true.probs)] = true.probs.float()
        floor += true.entropy.sum().item() / n

    def evaluate(model: nn.Module) -> dict[str, float]:
        loss = -(probs * model(inputs).log_softmax(-1)).sum().item() / n
        return {"valid_loss": loss, "above_floor": loss - floor}

    return evaluate


def _keeper(run: Path, steps: Sequence[int]) -> Callable[[nn.Module, int], None]:
    def after(model: nn.Module, done: int) -> None:
        if done in steps:
            run.mkdir(parents=True, exist_ok=True)
            weights = {name: p.detach().clone() for name, p in model.named_parameters()}
            save_file(weights, run / f"step-{done}.safetensors")

    return after


def _ship_steps(out: Path, run: Path, config: Config, steps: Sequence[int], stories: list) -> list[dict[str, Any]]:
    """Write the checkpoints along the way, their matrices in 8 bits, and grade them as they ship."""
    graded = []
    for step in steps:
        model = Transformer(config)
        model.load_state_dict(load_file(run / f"step-{step}.safetensors"), strict=False)  # lm_head is tied: not stored
        folder = out / f"step-{step}"
        save_checkpoint(model, world_tokenizer(), folder, matrices=torch.float8_e4m3fn)
        exact, stored = grade(model.eval(), stories, config.n_ctx), grade(_shipped(folder), stories, config.n_ctx)
        made = {"step": step, "above_floor": stored.above_floor, "above_floor_before_rounding": exact.above_floor}
        graded.append(made | {"accuracy": stored.accuracy})
    return graded


def _about(model: Transformer, plan: Plan, log: list[dict[str, float]], checksum: str) -> dict[str, Any]:
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "config": asdict(model.config),
        "plan": asdict(plan),
        "machine": machine(),
        "minutes": log[-1]["seconds"] / 60,
        "made": time.strftime("%Y-%m"),
        "curve": [{key: float(f"{value:.5g}") for key, value in entry.items()} for entry in log],
        "sha256": checksum,
    }


def _shipped(folder: Path) -> Transformer:
    from transformers import GPT2LMHeadModel

    return from_gpt2(GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32))


def _baselines(
    run: Path, documents: dict[str, list[str]], tokens: dict[str, Tensor], vocab_size: int
) -> dict[str, Any]:
    """What simpler predictors reach on the held-out text; they take minutes, so they are kept in the run's folder."""
    path = run / "baselines.json"
    if not path.exists():
        ngram = kneser_ney(tokens["train"].tolist(), tokens["valid"].tolist(), vocab_size)
        texts = {split: "\n\n".join(parts).encode() for split, parts in documents.items()}
        found = {
            "bits_per_character_5gram": bits_per_character(ngram, sum(map(len, documents["valid"]))),
            "bits_per_byte": compressed_bits(texts["train"], texts["valid"]),
        }
        path.write_text(json.dumps(found), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def _samples(model: Transformer, tokenizer: Any) -> list[dict[str, str]]:
    """A continuation of each prompt at temperature 0.8, the first that a fixed seed gives."""
    samples = []
    for i, prompt in enumerate(PROMPTS):
        ids = torch.tensor([tokenizer.encode(END_OF_TEXT + prompt)])
        new = min(150, model.config.n_ctx - ids.shape[1])
        out = generate(model, ids, new, temperature=0.8, generator=torch.Generator().manual_seed(i))
        text = tokenizer.decode(out[0, ids.shape[1] :].tolist()).split(END_OF_TEXT)[0]
        samples.append({"prompt": prompt, "continuation": text})
    return samples


def _spread(tokens: Tensor, n_ctx: int, rows: int = 40) -> Batch:
    """Windows spread evenly over a text: enough to watch a run by."""
    count = (len(tokens) - 1) // n_ctx
    starts = torch.arange(0, count, max(1, count // rows)) * n_ctx
    index = starts[:, None] + torch.arange(n_ctx)
    return tokens[index], tokens[index + 1]


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: which model, from what, to where."""
    parser = argparse.ArgumentParser(prog="llmnotes train", description="Make the shipped models again.")
    parser.add_argument("model", choices=("world", "fairytale"))
    parser.add_argument("--out", required=True, help="folder of the finished checkpoint")
    parser.add_argument("--corpus", help="fairytale: folder with train.txt and valid.txt")
    parser.add_argument("--seed", type=int, default=0, help="world: a replicate, from other weights on other stories")
    parser.add_argument("--threads", type=int, default=1, help="threads that torch uses (1, as the shipped models)")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    if arguments.model == "world":
        train_world(arguments.out, seed=arguments.seed)
        return
    if not arguments.corpus:
        parser.error("fairytale needs --corpus; docs/recipes/fairytale-corpus.md says how to make it")
    train_fairytale(arguments.out, arguments.corpus)


if __name__ == "__main__":
    main()
