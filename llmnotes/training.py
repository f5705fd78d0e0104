"""The training loop: AdamW, warm-up and cosine, clipping, evaluation, and runs that stop and go on as if they had not.

A step depends on nothing but its number, the seed and the state before it: batches and dropout are drawn anew from
(seed, step). So a run that was interrupted continues exactly, and two runs on one machine give the same losses.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

Batch = tuple[
    Int[Tensor, "batch pos"], Int[Tensor, "batch pos"]
]  # what the model reads, and what follows; -100: ignored


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train. `lr` rises over `warmup` steps, then falls along a cosine to `lr * final`."""

    steps: int
    lr: float = 1e-3
    warmup: int = 100
    final: float = 0.05
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    clip: float = 1.0
    evaluate_every: int = 250
    seed: int = 0

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.lr * (self.final + (1 - self.final) * (1 + math.cos(math.pi * done)) / 2)


def windows(tokens: Int[Tensor, " n"], n_ctx: int, batch_size: int, seed: int = 0) -> Callable[[int], Batch]:
    """Batches from a long text: each epoch cuts it into windows at a new offset and deals them in a new order.

    Returns:
        A function from the number of the step to its batch; both tensors are (batch_size, n_ctx).

    Raises:
        ValueError: the text is too short for one batch.
    """
    per_epoch = (len(tokens) - 1 - n_ctx) // n_ctx // batch_size  # whole batches that fit behind any offset
    if per_epoch < 1:
        raise ValueError(f"{len(tokens)} tokens are too few for a batch of {batch_size} windows of {n_ctx}")

    def batch(step: int) -> Batch:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step // per_epoch)
        offset = torch.randint(n_ctx, (1,), generator=generator)
        order = torch.randperm(per_epoch * batch_size, generator=generator).view(per_epoch, batch_size)
        index = offset + order[step % per_epoch][:, None] * n_ctx + torch.arange(n_ctx)  # (batch, pos)
        return tokens[index], tokens[index + 1]

    return batch


def loss_of(model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
    """Mean cross-entropy of the next token, in nats."""
    logits = model(batch[0])
    return F.cross_entropy(getattr(logits, "logits", logits).flatten(0, 1).float(), batch[1].flatten())


def train(
    model: nn.Module,
    batch: Callable[[int], Batch],
    plan: Plan,
    out: Path,
    evaluate: Callable[[nn.Module], dict[str, float]] = lambda model: {},
    after: Callable[[nn.Module, int], None] = lambda model, steps: None,
    progress: bool = True,
) -> list[dict[str, float]]:
    """Train a model in place; continue where an earlier run in the same folder stopped.

    Args:
        model: maps ids (batch, pos) to logits (batch, pos, vocab).
        batch: gives the batch of a step.
        plan: length, learning rate and the rest.
        out: folder for `log.jsonl` and the state to resume from.
        evaluate: called with the model in eval mode every `plan.evaluate_every` steps and at the end.
        after: called with the number of steps taken, before the first (0) and after each.
        progress: show a bar.

    Returns:
        The log: one entry for each evaluation with step, loss (mean over the steps since the last), rate, seconds.
    """
    out.mkdir(parents=True, exist_ok=True)
    matrices = [p for p in model.parameters() if p.requires_grad and p.dim() >= 2]
    others = [p for p in model.parameters() if p.requires_grad and p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": plan.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=plan.lr, betas=plan.betas, fused=True)
    log = _resume(model, optimizer, out / "state.safetensors", out / "log.jsonl")
    begun, started = (int(log[-1]["step"]), log[-1]["seconds"]) if log else (0, 0.0)
    clock, recent = time.perf_counter() - started, torch.zeros(())
    if not begun:
        after(model, 0)
    for step in tqdm(range(begun, plan.steps), initial=begun, total=plan.steps, disable=not progress, mininterval=2):
        torch.manual_seed(plan.seed * 1_000_003 + step)  # dropout
        for group in optimizer.param_groups:
            group["lr"] = plan.rate(step)
        model.train()
        loss = loss_of(model, batch(step))
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
        if not torch.isfinite(norm):
            raise FloatingPointError(f"step {step}: the gradient is {norm.item()}; try a smaller lr than {plan.lr}")
        optimizer.step()
        optimizer.zero_grad()
        recent += loss.detach()
        taken = step + 1
        after(model, taken)
        if taken % plan.evaluate_every == 0 or taken == plan.steps:
            mean, recent = recent.item() / (taken - (int(log[-1]["step"]) if log else 0)), torch.zeros(())
            with torch.no_grad():
                measured = evaluate(model.eval())
            log.append({"step": taken, "loss": mean, "rate": plan.rate(step), **measured})
            log[-1]["seconds"] = round(time.perf_counter() - clock, 1)
            _save(model, optimizer, out / "state.safetensors", out / "log.jsonl", log)
    return log


def _save(model: nn.Module, optimizer: torch.optim.Optimizer, path: Path, log_path: Path, log: list) -> None:
    """Write weights and both moments as safetensors (no pickles), in one move, so that no half file is ever read."""
    state = {f"model.{name}": p.detach().contiguous() for name, p in model.named_parameters()}
    for name, p in model.named_parameters():
        state |= {f"{key}.{name}": value for key, value in optimizer.state.get(p, {}).items()}
    new = path.with_suffix(".new")
    save_file(state, new, metadata={"log": json.dumps(log)})
    new.replace(path)
    log_path.write_text("".join(json.dumps(entry) + "\n" for entry in log))


def _resume(model: nn.Module, optimizer: torch.optim.Optimizer, path: Path, log_path: Path) -> list[dict[str, float]]:
    if not path.exists():
        return []
    from safetensors import safe_open

    state = load_file(path)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(state[f"model.{name}"])
            if f"step.{name}" in state:
                optimizer.state[p] = {key: state[f"{key}.{name}"] for key in ("step", "exp_avg", "exp_avg_sq")}
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["log"])
