"""Plan which tokens of many patched runs pass which block, before any of it is computed.

All numbers of rows and positions are worked out here on the CPU and sent to the model's device in one piece. A GPU
would otherwise have to stop several times a block to tell how many tokens there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Entry:
    """Changed tokens that enter the residual stream together; a row's changed positions are one unbroken stretch.

    They enter before block `layer` (n_layers: after the last one), or, if `mid`, between its attention and its MLP.
    Rows and positions are best on the CPU, values on the model's device.
    """

    layer: int
    mid: bool
    row: Int[Tensor, " token"]
    position: Int[Tensor, " token"]
    value: Float[Tensor, "token d_model"]


@dataclass
class Step:
    """What passes one block: tokens of all rows as one long list, and where each of them lies.

    `index` holds, if anything attends: `position` (of the tokens carried so far), `later` (positions of the tokens that
    attention now reaches, which join the list), `into` (where carried keys and values lie among rows times positions),
    `keep` (who goes on from here: in the last block those that someone reads), `asked` (at which positions anyone asks)
    and `where` (each query among rows times `asked`); and for each entry amid the block, `mid0` and so on: its tokens.
    """

    before: list[Entry] = field(default_factory=list)
    mids: list[Entry] = field(default_factory=list)
    attends: bool = False
    n_rows: int = 0
    n_tokens: int = 0
    index: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A step for each block and one after the last; `reads` says for each position read which tokens are which rows."""

    steps: list[Step]
    reads: list[tuple[Int[Tensor, " token"], Int[Tensor, " token"]]]
    n_rows: int


def plan(entries: Sequence[Entry], at: Sequence[int], n_layers: int, length: int, device: Any) -> Plan:
    """Follow the rows and positions of changes through the blocks, to the positions whose logits are wanted."""
    places = [(entry.row.cpu(), entry.position.cpu()) for entry in entries]
    wanted = torch.zeros(length, dtype=torch.bool)
    wanted[list(at)] = True
    row = position = torch.empty(0, dtype=torch.long)
    entered: list[tuple[Tensor, Tensor]] = []  # since the last attention: their later positions are not carried yet
    steps = []
    for layer in range(n_layers + 1):
        step, last = Step(), layer == n_layers - 1
        for entry, (its_row, its_position) in zip(entries, places, strict=True):
            if entry.layer == layer and not entry.mid:
                step.before.append(entry)
                row, position = torch.cat([row, its_row]), torch.cat([position, its_position])
                entered.append((its_row, its_position))
        step.attends = len(row) > 0 and layer < n_layers
        if step.attends:
            step.n_rows = 1 + int(row.max())
            step.index |= {"position": position, "into": row * length + position}
            later_row, step.index["later"] = _later(entered, length)
            entered = []
            row, position = torch.cat([row, later_row]), torch.cat([position, step.index["later"]])
            if last:
                step.index["keep"] = keep = wanted[position].nonzero()[:, 0]
                row, position = row[keep], position[keep]
            step.index["asked"], column = position.unique(return_inverse=True)
            step.index["where"] = row * len(step.index["asked"]) + column
        for entry, (its_row, its_position) in zip(entries, places, strict=True):
            if entry.layer == layer and entry.mid:
                keep = wanted[its_position].nonzero()[:, 0] if last else torch.arange(len(its_row))
                step.index[f"mid{len(step.mids)}"] = keep
                step.mids.append(entry)
                row, position = torch.cat([row, its_row[keep]]), torch.cat([position, its_position[keep]])
                entered.append((its_row[keep], its_position[keep]))
        step.n_tokens = len(row) if layer < n_layers else 0
        steps.append(step)
    reads = [(position == p % length).nonzero()[:, 0] for p in at]
    sent = iter(
        _send([t for step in steps for t in step.index.values()] + [t for r in reads for t in (row[r], r)], device)
    )
    for step in steps:
        step.index = {name: next(sent) for name in step.index}
    n_rows = 1 + max(int(its_row.max()) for its_row, _ in places)
    return Plan(steps, [(next(sent), next(sent)) for _ in reads], n_rows)


def _send(tensors: list[Tensor], device: torch.device) -> Sequence[Tensor]:
    """Whole numbers in one transfer, which is not waited for."""
    return torch.cat(tensors).to(device, non_blocking=True).split([len(t) for t in tensors])


def _later(entered: list[tuple[Tensor, Tensor]], length: int) -> tuple[Tensor, Tensor]:
    """The (row, position) pairs behind the changed stretches: attention is about to carry the change to them."""
    rows, positions = [torch.empty(0, dtype=torch.long)], [torch.empty(0, dtype=torch.long)]
    for its_row, its_position in entered:
        if len(its_row):
            end = torch.full((1 + int(its_row.max()),), length)
            end[its_row] = -1
            end.scatter_reduce_(0, its_row, its_position, "amax")
            row, position = (torch.arange(length) > end[:, None]).nonzero(as_tuple=True)
            rows.append(row)
            positions.append(position)
    return torch.cat(rows), torch.cat(positions)
