"""Whether a fresh run still says what the recorded one says: value by value, each with its own tolerance.

And whether it would elsewhere: on an older processor, with other threads, under noise of rounding. Training amplifies
the smallest differences, and a value whose tolerance is nearly used up here leaves it on another machine.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmnotes.lab.predictions import holds
from llmnotes.lab.records import Record
from llmnotes.site.errors import NotebookError
from llmnotes.site.run.execute import execute, threads
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.runner import Outcome, Report, may_run, run_side_by_side
from llmnotes.site.run.store import DamagedRunError, Project, Run

OLD = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}
OLD |= {"OPENBLAS_CORETYPE": "NEHALEM"} if platform.machine() in ("x86_64", "AMD64") else {}
CONDITIONS = {"an older processor": OLD, "two threads": threads(2)}
CONDITIONS |= {f"noise {seed}": {"LLMNOTES_NOISE": str(seed)} for seed in (1, 2, 3)}
SLOWER = 5  # an older processor may take so many times as long


@dataclass(frozen=True)
class Comparison:
    """A value, or an array that a figure shows, in the recorded and in a fresh run; None where one lacks it."""

    name: str
    before: Any
    now: Any
    allowed: float = 0.0
    because: str = ""

    @cached_property
    def apart(self) -> np.ndarray:
        """How far each number lies from the recorded one: infinite for a gap on one side, or another shape or kind."""
        if self.before is None or self.now is None:
            return np.array(np.inf)
        before, now = np.asarray(self.before), np.asarray(self.now)
        if before.shape != now.shape or (before.dtype == bool) != (now.dtype == bool):
            return np.full(before.shape, np.inf)
        before, now = before.astype(float), now.astype(float)
        with np.errstate(invalid="ignore"):
            apart = np.where((now == before) | (np.isnan(now) & np.isnan(before)), 0.0, np.abs(now - before))
        return np.where(np.isnan(apart), np.inf, apart)

    @property
    def used(self) -> float:
        """The share of the tolerance that is used: more than 1 is a fault, infinity one of what must be exact."""
        apart = float(self.apart.max(initial=0.0))
        return apart / self.allowed if self.allowed else (np.inf if apart else 0.0)

    @property
    def fault(self) -> str:
        """What is wrong, in a line; nothing if all lies within what is allowed."""
        if self.used <= 1:
            return ""
        if self.before is None or self.now is None:
            return f"{self.name}: {'is new' if self.before is None else 'is gone'}"
        before, now = np.asarray(self.before), np.asarray(self.now)
        if before.shape != now.shape:
            return f"{self.name}: recorded with shape {before.shape}, now {now.shape}"
        worst = tuple(map(int, np.unravel_index(self.apart.argmax(), before.shape)))
        return (
            f"{self.name}: recorded {before[worst]!s}, now {now[worst]!s}{f' at {worst}' if worst else ''}, "
            f"tolerance {self.allowed:.3g} ({self.because or 'exact'})"
        )


def comparisons(recorded: Run, fresh: Run) -> Iterator[Comparison]:
    """Every value of two runs, then every array of their figures, with what it may move and why."""
    for name in sorted(recorded.values.keys() | fresh.values.keys()):
        before, now = recorded.values.get(name), fresh.values.get(name)
        if before and now:
            yield Comparison(name, before.value, now.value, margin(now, before.value), now.because)
        else:
            yield Comparison(name, before, now)
    for name in sorted(recorded.figures.keys() | fresh.figures.keys()):
        figure = fresh.figures.get(name)
        if not figure or name not in recorded.figures:
            yield Comparison(f"figure {name}", recorded.figures.get(name), figure)
            continue
        before, now = recorded.arrays(name), fresh.arrays(name)
        for array in sorted(before.keys() | now.keys()):
            known = np.asarray(before.get(array, 0.0))
            known = known[np.isfinite(known)]
            # a figure's `rtol` is a share of an array's range, or of its size if it is flat
            size = np.ptp(known) or np.abs(known).max() or 1.0 if known.size else 1.0
            allowed = figure["rtol"] * float(size)
            yield Comparison(f"figure {name}: {array}", before.get(array), now.get(array), allowed, figure["because"])


def margin(entry: Record, recorded: float) -> float:
    """How far a value may lie from the recorded one: `atol + rtol · |recorded|`, as in `numpy.isclose`."""
    return entry.atol + entry.rtol * abs(recorded)


def differences(lab: Lab, recorded: Run, fresh: Run) -> list[str]:
    """Every way in which a fresh run leaves the recorded one, a line each; an empty list if it holds."""
    said = [one.fault for one in comparisons(recorded, fresh) if one.fault]
    claims = [[(one["claim"], one["p"], one["if_"]) for one in run.predictions] for run in (recorded, fresh)]
    if claims[0] != claims[1]:
        said.append("its predictions changed")
    outcomes = {one["claim"]: one["outcome"] for one in recorded.predictions}
    for now in fresh.predictions:
        before = outcomes.get(now["claim"], now["outcome"])
        if before != now["outcome"] and not near_the_line(recorded, now):
            said.append(f"prediction {now['claim']!r}: was {before}, is now {now['outcome']}")
    return [f"{lab.stem}: {line}" for line in said]


def near_the_line(run: Run, prediction: dict) -> bool:
    """Whether the value that settles a prediction may come out on either side of its line, within its tolerance."""
    entry = run.values[prediction["resolved_by"]]
    allowed = margin(entry, entry.value)
    around = (entry.value + share * allowed for share in (-1, -0.5, 0, 0.5, 1))
    return len({holds(value, prediction["if_"]) for value in around}) > 1


def against_recorded(project: Project, outcome: Outcome) -> list[str]:
    """What is wrong between a fresh run and the recorded one: differences, else damage, else staleness; a line each.

    A lab that was not run (it needs the hub) is asked for nothing.
    """
    lab, recorded = outcome.lab, project.recorded(outcome.lab)
    if not outcome.fresh:
        return []
    if recorded is None:
        return [f"{lab.stem}: no recorded run; llmnotes record {lab.stem} makes one"]
    try:
        if changed := differences(lab, recorded, outcome.run):
            return changed
        recorded.check()
        why = recorded.stale_because(lab, project.root)
    except DamagedRunError as error:
        return [f"{lab.stem}: {error}"]
    return [f"{lab.stem}: the recorded run is stale: {why}; llmnotes record {lab.stem}"] if why else []


def stress_labs(project: Project, labs: list[Lab], *, hub: bool, jobs: int | None, report: Report) -> list[Outcome]:
    """Run each lab under every condition and compare it with its recorded run; nothing is stored.

    Returns:
        Outcomes, each with, by value or array of a figure, the largest share of its tolerance that was used and under
        which condition; and with what left its tolerance or turned a prediction.
    """

    async def run_all(lab: Lab) -> tuple[dict[str, tuple[float, str]], list[str]]:
        recorded = project.recorded(lab)
        if recorded is None:
            raise NotebookError(f"{lab.stem}: no recorded run; make one with: llmnotes record {lab.stem}")
        patient = lab.model_copy(update={"timeout": SLOWER * lab.timeout})
        used, faults = {}, []
        for condition, environment in CONDITIONS.items():
            with project.workspace() as work:
                try:
                    run = await execute(patient, project.root, work, hub, environment)
                except NotebookError as error:  # the other conditions still tell what they find
                    faults.append(f"{lab.stem}: it fails under {condition}: {error}")
                    continue
                faults += [f"{line}, under {condition}" for line in differences(lab, recorded, run)]
                for one in comparisons(recorded, run):
                    used[one.name] = max(used.get(one.name, (-1.0, "")), (one.used, condition))
        return used, faults

    wanted = [lab for lab in labs if may_run(lab, hub, fetch=True)]
    return run_side_by_side(project, wanted, run_all, jobs, report)
