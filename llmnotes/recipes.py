"""The recipes of the models that ship with the notebook: data, size, plan, measurement, and what is written to disk.

    python -m llmnotes.recipes fairytale --corpus DIR --out DIR
    python -m llmnotes.recipes world --out DIR

A run that was interrupted goes on where it stopped. The state to resume from lies in DIR/run, the finished checkpoint in
DIR itself.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn

from llmnotes.corpus import read_documents, to_tokens, with_copies
from llmnotes.measure import copy_losses
from llmnotes.tokenizer import Tokenizer, load_tokenizer, train_bpe
from llmnotes.training import Plan, loss_of, train, windows
from llmnotes.transformer import Config, Transformer

FAIRYTALE = Config(vocab_size=4096, n_ctx=256, n_layers=4, n_heads=7, d_model=224)
FAIRYTALE_PLAN = Plan(steps=3600, lr=2.5e-3, warmup=100, final=0.02, betas=(0.9, 0.98), evaluate_every=200)


def train_fairytale(
    out: str | Path,
    corpus: str | Path,
    *,
    config: Config = FAIRYTALE,
    plan: Plan = FAIRYTALE_PLAN,
    batch_size: int = 8,
    copies: float = 0.4,
    progress: bool = True,
) -> None:
    """Train the fairytale model.

    Args:
        out: folder of the finished checkpoint.
        corpus: folder with train.txt and valid.txt.
        config: sizes; the tokenizer is trained to `config.vocab_size`.
        plan: steps and learning rate.
        batch_size: windows a step.
        copies: share of windows in which a random stretch comes twice.
        progress: show a bar.
    """
    out, corpus = Path(out), Path(corpus)
    documents = {split: read_documents(corpus / f"{split}.txt") for split in ("train", "valid")}
    run = out / "run"
    run.mkdir(parents=True, exist_ok=True)
    tokenizer = _fairytale_tokenizer(run, documents["train"], config.vocab_size)
    tokens = {split: to_tokens(texts, tokenizer) for split, texts in documents.items()}
    model = Transformer(config, seed=plan.seed)
    batch = windows(tokens["train"], config.n_ctx, batch_size, plan.seed)
    if copies:
        batch = with_copies(batch, copies, config.vocab_size, plan.seed)
    glimpse = _spread(tokens["valid"], config.n_ctx)
    per_character = len(tokens["valid"]) / sum(map(len, documents["valid"])) / math.log(2)

    def evaluate(model: nn.Module) -> dict[str, float]:
        first, second = (
            copy_losses(model, config.vocab_size, length=min(48, config.n_ctx // 2), rows=16).mean(1).tolist()
        )
        bits = loss_of(model, glimpse).item() * per_character
        return {"valid_bits_per_character": bits, "first_copy": first, "second_copy": second}

    train(model, batch, plan, run, evaluate, progress=progress)


def _fairytale_tokenizer(run: Path, texts: list[str], vocab_size: int) -> Tokenizer:
    if not (run / "tokenizer.json").exists():
        train_bpe(texts, vocab_size).save(run)
    return load_tokenizer(run)


def _spread(tokens: Tensor, n_ctx: int, rows: int = 40) -> tuple[Tensor, Tensor]:
    """Windows spread evenly over a text: enough to watch a run by."""
    count = (len(tokens) - 1) // n_ctx
    starts = torch.arange(0, count, max(1, count // rows)) * n_ctx
    index = starts[:, None] + torch.arange(n_ctx)
    return tokens[index], tokens[index + 1]
