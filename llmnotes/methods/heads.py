"""What attention heads do: where they look, what they copy, how they build on each other; each with its chance level.

Examples:
    >>> from llmnotes.model import load
    >>> from llmnotes.methods.heads import composition, copying, looking, repeated_tokens
    >>> model = load("world")
    >>> scores = looking(model, repeated_tokens(model, batch=4, length=16))
    >>> scores["induction"].values.shape, round(scores["induction"].chance, 3)  # (layer, head)
    (torch.Size([4, 4]), 0.046)
    >>> copying(model).values.shape
    torch.Size([4, 4])
    >>> composition(model, "v").values.shape  # (layer, head, later layer, later head)
    torch.Size([4, 4, 4, 4])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from tqdm import tqdm

from llmnotes.model.architectures import parts
from llmnotes.model.blocks import Block, centers, gain
from llmnotes.model.inputs import Inputs
from llmnotes.model.tracing import trace


@dataclass(frozen=True)
class Scores:
    """A score for each head, and what a head that does nothing in particular would get."""

    name: str
    values: Float[Tensor, "layer head *other"]
    chance: float
    null: Float[Tensor, "draw layer head"] | None = None  # scores under a null hypothesis, where one was drawn

    @property
    def bound(self) -> float:
        """How far from chance 19 of 20 scores of the null stay, over all draws and heads; ValueError without a null."""
        if self.null is None:
            raise ValueError(f"{self.name} has no null; only copying draws one, compare others with chance")
        return (self.null - self.chance).abs().quantile(0.95).item()

    def top(self, n: int = 5) -> list[tuple[int, int, float]]:
        """The n heads that score highest, as (layer, head, score); of scores by layer and head."""
        order = self.values.flatten().argsort(descending=True)[:n].tolist()
        heads = self.values.size(1)
        return [(i // heads, i % heads, self.values.flatten()[i].item()) for i in order]


def repeated_tokens(
    model: Any, *, batch: int = 8, length: int = 32, seed: int = 0, first: int | None = None
) -> Int[Tensor, "batch pos"]:
    """Random tokens, then the same again: whoever predicts the second half has to look the answer up in the first.

    `length` counts one half; `first` is a token to begin each row with. Raises ValueError where the context is shorter.
    """
    size = parts(model).sizes
    total = 2 * length + (first is not None)
    if total > size.n_ctx:
        most = size.n_ctx // 2 - 1
        raise ValueError(f"2 x {length} tokens make {total}, the context is {size.n_ctx}: use length={most}")
    half = torch.randint(size.vocab_size, (batch, length), generator=torch.Generator().manual_seed(seed))
    start = torch.full((batch, 0 if first is None else 1), first or 0)
    return torch.cat([start, half, half], dim=1)


@torch.no_grad()
def looking(model: Any, inputs: Inputs, *, padding: str = "right") -> dict[str, Scores]:
    """How much attention each head pays, on average, to a kind of place.

    - "previous": the token before;
    - "first": the first token (where heads look that have nothing to do);
    - "duplicate": earlier copies of the same token;
    - "induction": the tokens that followed those copies (Olsson et al. 2022, "In-context Learning");
    - "entropy": how spread out the attention is, in nats.

    Only queries that have such a place to look at count. Use `repeated_tokens` for "duplicate" and "induction": in
    ordinary text, what followed a word is also likely to follow it by itself.

    Scores are (layer, head); chance is a head that looks at all it can see alike. A kind of place that the inputs never
    offer is left out.
    """
    seen = trace(model, inputs, ["pattern"], padding=padding)
    patterns = seen.stack("pattern").float()  # (layer, batch, head, query, key)
    n = seen.tokens.size(1)
    query, key = torch.arange(n, device=patterns.device)[:, None], torch.arange(n, device=patterns.device)
    real = seen.mask[:, :, None] & seen.mask[:, None, :] & (key <= query)  # (batch, query, key)
    same = (seen.tokens[:, :, None] == seen.tokens[:, None, :]) & (key < query)
    after_same = torch.zeros_like(same)
    after_same[:, :, 1:] = same[:, :, :-1]  # the key before this one is a copy of the query
    start = seen.mask.int().argmax(-1)[:, None, None]
    kinds = {
        "previous": (key == query - 1).expand_as(real),
        "first": (key == start) & (query > start),
        "duplicate": same,
        "induction": after_same & (key < query),
    }
    uniform = real / real.sum(-1, keepdim=True).clamp(min=1)
    scores = {}
    for name, places in kinds.items():
        places = places & real
        queries = places.any(-1)  # (batch, query)
        if queries.any():
            paid = (patterns * places[:, None]).sum(-1)  # (layer, batch, head, query)
            values = _mean_over(paid, queries)
            chance = (uniform * places).sum(-1)[queries].mean().item()
            scores[name] = Scores(name, values.cpu(), chance)
    entropy = -(patterns * patterns.clamp(min=1e-30).log() * real[:, None]).sum(-1)
    chance = real.sum(-1).clamp(min=1).log()[seen.mask].mean().item()
    scores["entropy"] = Scores("entropy", _mean_over(entropy, seen.mask).cpu(), chance)
    return scores


@torch.no_grad()
def copying(model: Any, *, draws: int = 20, seed: int = 0, centred: bool = True) -> Scores:
    """Say by the sign of its OV circuit whether a head, when it looks at a token, makes the same token likelier.

    The circuit from the token looked at to the logits, w_e @ w_v @ w_o @ w_u, is (vocab, vocab), but its eigenvalues
    other than 0 are those of a d_head x d_head matrix. The score is their sum over the sum of their sizes: 1 if every
    direction is copied, -1 if every direction is suppressed (Elhage et al. 2021, "A Mathematical Framework").

    Embeddings and unembeddings are taken less their means over tokens, and the gains of the head's norm and of the
    final norm apply; not so without `centred`, as the score was first defined. Later layers' heads, which never see a
    bare embedding, are given one, too. Scores are (layer, head); those under `draws` permutations of the tokens that
    come out against those that go in are their `null` (draw, layer, head).
    """
    if draws < 1:
        raise ValueError(f"draws is {draws}; expected at least 1, for the chance level")
    found = parts(model)
    w_e, w_u = found.w_e.float(), (found.w_u.float().T * gain(found.final_norm)).T
    if centred:
        w_e, w_u = w_e - w_e.mean(0), w_u - w_u.mean(1, keepdim=True)
        w_u = w_u - w_u.mean(0) if centers(found.final_norm) else w_u
    generator = torch.Generator().manual_seed(seed)
    n = len(w_e)
    orders = [torch.arange(n), *(torch.randperm(n, generator=generator) for _ in range(draws))]
    out_in = torch.stack([w_u @ w_e[order] for order in orders])[:, None].double()  # (order, 1, d_model, d_model)
    rows = []
    for block in found.blocks:
        w_v, w_o = _ov(block)
        if centred:
            w_v = (w_v.transpose(1, 2) * gain(block.norm_attn)).transpose(1, 2)
            w_v = w_v - w_v.mean(1, keepdim=True) if centers(block.norm_attn) else w_v
        values = torch.linalg.eigvals(w_o @ out_in @ w_v)  # (order, head, d_head)
        rows.append(values.sum(-1).real / values.abs().sum(-1))
    scores = torch.stack(rows, 1).float().cpu()  # (order, layer, head)
    return Scores("copying", scores[0], scores[1:].mean().item(), scores[1:])


@torch.no_grad()
def composition(model: Any, kind: str, *, draws: int = 20, seed: int = 0) -> Scores:
    """How much of what an earlier head writes a later head can read, by weights alone (Elhage et al. 2021).

    The score is |A B| / (|A| |B|) in Frobenius norms, A being the earlier head's w_v @ w_o and B what the later head
    does with what it reads: w_q @ w_k^T for "q", its transpose for "k", w_v @ w_o for "v". Norms are left out.

    Scores are (layer, head, later layer, later head), NaN where the second head is not in a later layer. `draws` pairs
    of random heads of the same sizes make the chance level.
    """
    if kind not in ("q", "k", "v"):
        raise ValueError(f"kind is {kind!r}; expected 'q', 'k' or 'v'")
    size = parts(model).sizes
    blocks = parts(model).blocks
    wrote = [_reduced(*_ov(block))[0] for block in blocks]  # (head, d_head, d_model) as large as the w_v @ w_o
    read = [_reduced(*(_ov(block) if kind == "v" else _qk(block, kind)))[1] for block in blocks]
    shape = (size.n_layers, size.n_heads)
    values = torch.full((*shape, *shape), torch.nan)
    for one in tqdm(range(size.n_layers - 1), desc=f"{kind}-composition", delay=2, leave=False):
        later = torch.stack(read[one + 1 :])  # (later layer, head, d_model, d_head)
        values[one, :, one + 1 :] = _overlap(wrote[one], later.flatten(0, 1)).unflatten(1, (-1, size.n_heads)).cpu()
    generator = torch.Generator().manual_seed(seed)
    shapes = [(draws, size.d_model, size.d_head), (draws, size.d_head, size.d_model)] * 2
    random = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    chance = _overlap(_reduced(*random[:2])[0], _reduced(*random[2:])[1]).diagonal().mean().item()
    return Scores(f"{kind}-composition", values, chance)


def _mean_over(values: Float[Tensor, "layer batch head query"], queries: Bool[Tensor, "batch query"]) -> Tensor:
    chosen = queries[:, None].to(values.dtype)
    return (values * chosen).sum((1, 3)) / queries.sum()


def _ov(block: Block) -> tuple[Tensor, Tensor]:
    return block.w_v.double().repeat_interleave(_group(block), dim=0), block.w_o.double()


def _qk(block: Block, kind: str) -> tuple[Tensor, Tensor]:
    q, k = block.w_q.double(), block.w_k.double().repeat_interleave(_group(block), dim=0)
    return (q, k.transpose(1, 2)) if kind == "q" else (k, q.transpose(1, 2))


def _group(block: Block) -> int:
    return block.sizes.n_heads // block.sizes.n_kv_heads


def _reduced(
    into: Float[Tensor, "head d_model d_head"], out: Float[Tensor, "head d_head d_model"]
) -> tuple[Float[Tensor, "head d_head d_model"], Float[Tensor, "head d_model d_head"]]:
    """A matrix M = into @ out with its input (output) side turned and cut to d_head, which keeps |M B| (|A M|).

    With into = Q R, |into @ out @ B| is |R @ out @ B|, since Q has orthonormal columns; likewise for the output side.
    """
    left, right = torch.linalg.qr(into).R, torch.linalg.qr(out.transpose(1, 2)).R
    return (left @ out).float(), (into @ right.transpose(1, 2)).float()


def _overlap(
    wrote: Float[Tensor, "head d_head d_model"], read: Float[Tensor, "later d_model d_head"]
) -> Float[Tensor, "head later"]:
    """|A B| / (|A| |B|) in Frobenius norms, by one matrix product of all pairs."""
    d_head = wrote.size(1)
    both = wrote.flatten(0, 1) @ read.transpose(0, 1).flatten(1)  # (head d_head, later d_head)
    joint = both.pow_(2).unflatten(0, (-1, d_head)).sum(1).unflatten(1, (-1, d_head)).sum(-1).sqrt()
    return joint / (wrote.flatten(1).norm(dim=1)[:, None] * read.flatten(1).norm(dim=1))
