"""Whether a fresh run still says what the recorded one says: value by value, each with its own tolerance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from llmnotes.lab.predictions import holds
from llmnotes.lab.records import Record
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.runner import Outcome
from llmnotes.site.run.store import Project, Run


def margin(entry: Record, recorded: float) -> float:
    """How far a value may lie from the recorded one: `atol + rtol · |recorded|`, as in `numpy.isclose`."""
    return entry.atol + entry.rtol * abs(recorded)


def beyond(now: ArrayLike, before: ArrayLike, allowed: float) -> np.ndarray:
    """How far numbers lie beyond what is allowed around the recorded ones: 0 within it, infinite for a gap on one side.

    This is the one comparison of numbers; commands and tests ask it alone.
    """
    now, before = np.asarray(now, dtype=float), np.asarray(before, dtype=float)
    same = (now == before) | (np.isnan(now) & np.isnan(before))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(now - before))
    apart = np.where(np.isnan(apart), np.inf, apart)
    return np.where(apart <= allowed, 0.0, apart - allowed)


def figure_margins(figure: dict, recorded: dict[str, np.ndarray]) -> dict[str, float]:
    """How far the arrays of a figure may move: its `rtol` as a share of each array's range (or size, if it is flat)."""
    margins = {}
    for name, array in recorded.items():
        finite = array[np.isfinite(array)]
        spread = float(np.ptp(finite)) if finite.size else 0.0
        margins[name] = figure["rtol"] * (spread or float(np.abs(finite).max(initial=0.0)) or 1.0)
    return margins


def against_recorded(project: Project, outcome: Outcome) -> list[str]:
    """What is wrong between a fresh run and the recorded one: differences, else damage, else staleness; a line each.

    A lab that was not run (it needs the hub) is asked for nothing.

    Raises:
        DamagedRunError: the recorded run cannot be read.
    """
    lab, recorded = outcome.lab, project.recorded(outcome.lab)
    if not outcome.fresh:
        return []
    if recorded is None:
        return [f"{lab.stem}: no recorded run; make one with: llmnotes record {lab.stem}"]
    if changed := differences(lab, recorded, outcome.run):
        return changed
    recorded.check()
    if why := recorded.stale_because(lab, project.root):
        return [f"{lab.stem}: the recorded run is stale: {why}; llmnotes record {lab.stem}"]
    return []


def differences(lab: Lab, recorded: Run, fresh: Run) -> list[str]:
    """Every way in which a fresh run leaves the recorded one, a line each; an empty list if it holds."""
    said = []
    for name in sorted(recorded.values.keys() | fresh.values.keys()):
        before, now = recorded.values.get(name), fresh.values.get(name)
        if before is None or now is None:
            said.append(f"{lab.stem}: {name}: {'not recorded before' if before is None else 'no longer recorded'}")
            continue
        allowed = margin(now, before.value)
        if isinstance(now.value, bool) != isinstance(before.value, bool) or beyond(now.value, before.value, allowed):
            reason = f" ({now.because})" if now.because else " (exact)"
            said.append(
                f"{lab.stem}: {name}: recorded {before.value!r}, now {now.value!r}, tolerance {allowed:.3g}{reason}"
            )
    for name in sorted(recorded.figures.keys() | fresh.figures.keys()):
        if name not in recorded.figures or name not in fresh.figures:
            said.append(f"{lab.stem}: figure {name}: {'is new' if name in fresh.figures else 'is gone'}")
            continue
        said += _figure_differences(lab, fresh.figures[name], recorded.arrays(name), fresh.arrays(name))
    claims_before = [(p["claim"], p["p"], p["if_"]) for p in recorded.predictions]
    claims_now = [(p["claim"], p["p"], p["if_"]) for p in fresh.predictions]
    if claims_before != claims_now:
        said.append(f"{lab.stem}: its predictions changed")
    outcomes = {prediction["claim"]: prediction["outcome"] for prediction in recorded.predictions}
    for now in fresh.predictions:
        before = outcomes.get(now["claim"], now["outcome"])
        if before != now["outcome"] and not near_the_line(recorded, now):
            said.append(f"{lab.stem}: prediction {now['claim']!r}: was {before}, is now {now['outcome']}")
    return said


def near_the_line(run: Run, prediction: dict) -> bool:
    """Whether the value that settles a prediction may come out on either side of its line, within its tolerance."""
    entry = run.values[prediction["resolved_by"]]
    allowed = margin(entry, entry.value)
    around = (entry.value + share * allowed for share in (-1, -0.5, 0, 0.5, 1))
    return len({holds(value, prediction["if_"]) for value in around}) > 1


def _figure_differences(lab: Lab, figure: dict, before: dict[str, np.ndarray], now: dict[str, np.ndarray]) -> list[str]:
    said = []
    margins = figure_margins(figure, before)
    for name in sorted(before.keys() | now.keys()):
        where = f"{lab.stem}: figure {figure['name']}: {name}"
        if name not in before or name not in now:
            said.append(f"{where}: {'is new' if name in now else 'is gone'}")
            continue
        if before[name].shape != now[name].shape:
            said.append(f"{where}: recorded with shape {before[name].shape}, now {now[name].shape}")
            continue
        left = beyond(now[name], before[name], margins[name])
        if left.any():
            worst = np.unravel_index(left.argmax(), left.shape)
            said.append(
                f"{where}: recorded {before[name][worst]!s}, now {now[name][worst]!s} at {tuple(map(int, worst))}, "
                f"tolerance {margins[name]:.3g} ({figure['because']})"
            )
    return said


def tolerance_used(recorded: Run, fresh: Run) -> dict[str, float]:
    """What share of its tolerance each value and figure uses: infinite where one that must be exact is not."""

    def share(now: ArrayLike, before: ArrayLike, allowed: float) -> float:
        apart = float(beyond(now, before, 0.0).max(initial=0.0))
        return apart / allowed if allowed else (np.inf if apart else 0.0)

    used = {}
    for name in recorded.values.keys() & fresh.values.keys():
        before, now = recorded.values[name], fresh.values[name]
        used[name] = share(now.value, before.value, margin(now, before.value))
    for name in recorded.figures.keys() & fresh.figures.keys():
        before, now = recorded.arrays(name), fresh.arrays(name)
        for array, allowed in figure_margins(fresh.figures[name], before).items():
            if array in now and now[array].shape == before[array].shape:
                used[f"figure {name}: {array}"] = share(now[array], before[array], allowed)
    return used
