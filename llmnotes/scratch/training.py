"""The training loop. A step depends on nothing but its number, the seed and the state before it: so an interrupted run
goes on as if it had not stopped, and two runs on one machine give the same losses."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

Batch = tuple[Int[Tensor, "batch pos"], Int[Tensor, "batch pos"]]  # what is read, and what follows it; -100: not scored


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train. `lr` rises over `warmup` steps, then falls along a cosine to `lr * final`."""

    steps: int
    lr: float = 1e-3
    warmup: int = 100
    final: float = 0.05
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    muon: bool = False  # for the matrices between embedding and unembedding; AdamW trains the rest
    evaluate_every: int = 250
    seed: int = 0

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.lr * (self.final + (1 - self.final) * (1 + math.cos(math.pi * done)) / 2)


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
        model: maps ids (batch, pos) to logits (batch, pos, vocab), as a tensor or in a field `logits`.
        batch: gives the batch of a step, and depends on nothing but the step.
        out: folder of `log.jsonl` and of the state to resume from.
        evaluate: called in eval mode every `plan.evaluate_every` steps and at the end.
        after: called with the number of steps taken, before the first (0) and after each.

    Returns:
        The log, an entry for each evaluation: step, mean loss since the last, rate, what `evaluate` gave, seconds.

    Raises:
        FloatingPointError: the gradient is no longer finite.
    """
    out.mkdir(parents=True, exist_ok=True)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    optimizers = _optimizers(model, plan)
    log = _resume(trained, optimizers, out / "state.safetensors")
    done = int(log[-1]["step"]) if log else 0
    clock, total = time.perf_counter() - (log[-1]["seconds"] if log else 0), torch.zeros(())
    if not done:
        after(model, 0)
    for step in tqdm(range(done, plan.steps), initial=done, total=plan.steps, disable=not progress, mininterval=2):
        torch.manual_seed(plan.seed * 1_000_003 + step)  # for dropout
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = plan.rate(step)
        loss = loss_of(model.train(), batch(step))
        loss.backward()
        norm = nn.utils.clip_grad_norm_(trained.values(), plan.clip)
        if not norm.isfinite():
            raise FloatingPointError(f"step {step}: the gradient's norm is {norm.item()}; try a lr below {plan.lr}")
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        total += loss.detach()
        after(model, step + 1)
        if (step + 1) % plan.evaluate_every == 0 or step + 1 == plan.steps:
            with torch.no_grad():
                measured = evaluate(model.eval())
            log.append(
                {"step": step + 1, "loss": total.item() / (step + 1 - done), "rate": plan.rate(step), **measured}
            )
            log[-1]["seconds"] = round(time.perf_counter() - clock, 1)
            done, total = step + 1, torch.zeros(())
            _save(trained, optimizers, out / "state.safetensors", log)
            (out / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in log))
    return log


def _optimizers(model: nn.Module, plan: Plan) -> list[torch.optim.Optimizer]:
    """AdamW with decay on matrices only; or Muon for the matrices that are no embedding, and AdamW for the rest."""
    embeddings = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    hidden, matrices, vectors = [], [], []
    for p in (p for p in model.parameters() if p.requires_grad):
        (vectors if p.dim() != 2 else hidden if plan.muon and id(p) not in embeddings else matrices).append(p)
    groups = [{"params": matrices, "weight_decay": plan.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, betas=plan.betas, fused=True)
    return [Muon(hidden, weight_decay=plan.weight_decay), adamw] if hidden else [adamw]


def _save(trained: dict[str, nn.Parameter], optimizers: list[torch.optim.Optimizer], path: Path, log: list) -> None:
    """Weights, moments and log in one file and one move, so that no half of a state is ever read."""
    state = {f"model.{name}": p.detach() for name, p in trained.items()}
    names = {p: name for name, p in trained.items()}
    for optimizer in optimizers:
        state |= {f"{key}/{names[p]}": value for p, kept in optimizer.state.items() for key, value in kept.items()}
    save_file(state, path.with_suffix(".new"), metadata={"log": json.dumps(log)})
    path.with_suffix(".new").replace(path)


def _resume(
    trained: dict[str, nn.Parameter], optimizers: list[torch.optim.Optimizer], path: Path
) -> list[dict[str, float]]:
    if not path.exists():
        return []
    names = {p: name for name, p in trained.items()}
    with safe_open(path, "pt") as file, torch.no_grad():
        for name, p in trained.items():
            p.copy_(file.get_tensor(f"model.{name}"))
        for optimizer in optimizers:
            for p in (p for group in optimizer.param_groups for p in group["params"]):
                keys = [key for key in list(file.keys()) if key.endswith(f"/{names[p]}")]
                optimizer.state[p] = {key.split("/")[0]: file.get_tensor(key) for key in keys}
        return json.loads(file.metadata()["log"])


def orthogonalized(x: Float[Tensor, "rows cols"], steps: int = 5) -> Float[Tensor, "rows cols"]:
    """The matrix with its singular vectors kept and its singular values moved to about 1 (between 0.7 and 1.2).

    A polynomial of x that is odd changes the singular values alone: with x = U S V^T, x x^T x is U S^3 V^T. Five times
    3.4445 s - 4.7750 s^3 + 2.0315 s^5 takes every s from 0.002 to 1 to about 1, by products of matrices only
    (Newton-Schulz iteration), which is quicker than a singular value decomposition. A matrix of zeros stays as it is.
    """
    if x.shape[0] > x.shape[1]:
        return orthogonalized(x.T, steps).T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x


class Muon(torch.optim.Optimizer):
    """Gradient descent for matrices that moves all of a matrix's directions at the same speed.

    Where Adam scales each entry of a gradient by itself, Muon takes the gradient (with momentum) as a matrix and
    replaces its singular values by about 1 (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural
    networks"). The size of its step, which lets it share AdamW's learning rate and weight decay, is that of Liu et al.
    (2025), "Muon is Scalable for LLM Training". `torch.optim.Muon` is the same but computes in bfloat16, for which many
    CPUs take seven times as long. Embeddings, unembeddings and vectors (a ValueError here) are for AdamW.
    """

    def __init__(
        self, params: Iterable[nn.Parameter], lr: float = 1e-3, momentum: float = 0.95, weight_decay: float = 0.1
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        for p in (p for group in self.param_groups for p in group["params"]):
            if p.dim() != 2:
                raise ValueError(f"Muon is for matrices, and this parameter has shape {tuple(p.shape)}; use AdamW")

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Move all parameters that have a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                past = self.state[p].setdefault("momentum", torch.zeros_like(p))
                past.lerp_(p.grad, 1 - group["momentum"])
                ahead = p.grad.lerp(past, group["momentum"])  # Nesterov: look where momentum is about to lead
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(orthogonalized(ahead), alpha=-group["lr"] * 0.2 * math.sqrt(max(p.shape)))
