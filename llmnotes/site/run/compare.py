"""Whether a fresh run still says what the recorded one says: value by value, each with its own tolerance.

And whether it would elsewhere: on an older processor, with other threads, under noise of rounding. Training amplifies
the smallest differences, and a value whose tolerance is nearly used up here leaves it on another machine.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator

import numpy as np

from llmnotes.lab.predictions import holds
from llmnotes.site.errors import NotebookError
from llmnotes.site.run.execute import execute, threads
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.runner import Outcome, Report, may_run, run_side_by_side
from llmnotes.site.run.store import DamagedRunError, Project, Run

OLD = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}
OLD |= {"OPENBLAS_CORETYPE": "NEHALEM"} if platform.machine() in ("x86_64", "AMD64") else {}
CONDITIONS = {"an older processor": (OLD, ""), "two threads": (threads(2), "")}  # an environment, code to begin with
CONDITIONS |= {f"noise {n}": ({}, f"import llmnotes.site.run.noise as noise; noise.shake({n})") for n in (1, 2, 3)}
SLOWER = 5  # an older processor may take so many times as long


def comparisons(recorded: Run, fresh: Run) -> Iterator[tuple[str, float, str]]:
    """Compare every value of two runs and every array of their figures.

    Yields:
        Its name; the share of its tolerance that is used, where more than 1 is a fault, and infinity one of what must
        be exact, is missing on one side, or of another shape or kind; and what differs, in words.
    """
    before, after = _numbers(recorded), _numbers(fresh)
    for name in [*before, *(name for name in after if name not in before)]:
        if name not in before or name not in after:
            yield name, np.inf, f"is {'gone' if name in before else 'new'}"
            continue
        (old, size, *_), (new, _, rtol, atol, because) = before[name], after[name]
        if old.shape != new.shape:
            yield name, np.inf, f"recorded with shape {old.shape}, now {new.shape}"
            continue
        with np.errstate(invalid="ignore"):
            apart = np.nan_to_num(np.abs(new.astype(float) - old), nan=np.inf, posinf=np.inf)
        apart = np.where((old == new) | (np.isnan(old) & np.isnan(new)), 0.0, apart)
        if (old.dtype == bool) != (new.dtype == bool):
            apart = np.full(old.shape, np.inf)
        if not (most := float(apart.max(initial=0.0))):
            yield name, 0.0, ""
            continue
        allowed = atol + rtol * size
        worst = tuple(map(int, np.argwhere(apart == most)[0]))
        told = f"recorded {old[worst]!s}, now {new[worst]!s}{f' at {worst}' if worst else ''}"
        yield name, most / allowed if allowed else np.inf, f"{told}, tolerance {allowed:.3g} ({because or 'exact'})"


def _numbers(run: Run) -> dict[str, tuple[np.ndarray, float, float, float, str]]:
    """The values of a run, then its figures' arrays: each with its size, of which `rtol` is a share, and how far it may
    move on another machine: rtol, atol, and why."""
    said = {}
    for name, one in sorted(run.values.items()):
        said[name] = np.asarray(one.value), abs(one.value), one.rtol, one.atol, one.because
    for name, figure in sorted(run.figures.items()):
        for array, numbers in sorted(run.arrays(name).items()):
            known = numbers[np.isfinite(numbers)]  # whose size is its range, or that of its numbers if it is flat
            size = float(np.ptp(known) or np.abs(known).max() or 1.0) if known.size else 1.0
            said[f"figure {name}: {array}"] = numbers, size, figure["rtol"], 0.0, figure["because"]
    return said


def differences(lab: Lab, recorded: Run, fresh: Run) -> list[str]:
    """Every way in which a fresh run leaves the recorded one, a line each; an empty list if it holds."""
    said = [f"{name}: {what}" for name, used, what in comparisons(recorded, fresh) if used > 1]
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
    allowed = entry.atol + entry.rtol * abs(entry.value)
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

    What each value or array of a figure used of its tolerance is reported, unless it came out the same.

    Returns:
        Outcomes, each with what left its tolerance or turned a prediction, a line each.
    """

    async def run_all(lab: Lab) -> list[str]:
        recorded = project.recorded(lab)
        if recorded is None:
            raise NotebookError(f"{lab.stem}: no recorded run; llmnotes record {lab.stem} makes one")
        patient = lab.model_copy(update={"timeout": SLOWER * lab.timeout})
        faults = []
        for condition, beginning in CONDITIONS.items():
            with project.workspace() as work:
                try:
                    run = await execute(patient, project.root, work, hub, *beginning)
                except NotebookError as error:  # the other conditions still tell what they find
                    faults.append(f"{lab.stem}: it fails under {condition}: {error}")
                    continue
                faults += [f"{line}, under {condition}" for line in differences(lab, recorded, run)]
                for name, used, _ in comparisons(recorded, run):
                    if used:
                        report(lab, f"{name}: {used:.0%} of its tolerance, under {condition}")
        return faults

    return run_side_by_side(project, [lab for lab in labs if may_run(lab, hub, True)], run_all, jobs, report)
