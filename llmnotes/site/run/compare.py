"""Whether a fresh run still says what the recorded one says: value by value, each with its own tolerance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

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
    if found := differences(lab, recorded, outcome.run):
        return found
    recorded.check()
    if why := recorded.stale_because(lab, project.root):
        return [f"{lab.stem}: the recorded run is stale: {why}; llmnotes record {lab.stem}"]
    return []


def differences(lab: Lab, recorded: Run, fresh: Run) -> list[str]:
    """Every way in which a fresh run leaves the recorded one, a line each; an empty list if it holds."""
    found = []
    for name in sorted(recorded.values.keys() | fresh.values.keys()):
        before, now = recorded.values.get(name), fresh.values.get(name)
        if before is None or now is None:
            found.append(f"{lab.stem}: {name}: {'not recorded before' if before is None else 'no longer recorded'}")
            continue
        allowed = margin(now, before.value)
        if beyond(now.value, before.value, allowed):
            reason = f" ({now.because})" if now.because else " (exact)"
            found.append(
                f"{lab.stem}: {name}: recorded {before.value!r}, now {now.value!r}, tolerance {allowed:.3g}{reason}"
            )
    figures_before = {figure["name"]: figure for figure in recorded.results["figures"]}
    figures_now = {figure["name"]: figure for figure in fresh.results["figures"]}
    for name in sorted(figures_before.keys() | figures_now.keys()):
        if name not in figures_before or name not in figures_now:
            found.append(f"{lab.stem}: figure {name}: {'is new' if name in figures_now else 'is gone'}")
            continue
        found += _figure_differences(lab, figures_now[name], recorded.arrays(name), fresh.arrays(name))
    claims_before = [(p["claim"], p["p"], p["if_"]) for p in recorded.results["predictions"]]
    claims_now = [(p["claim"], p["p"], p["if_"]) for p in fresh.results["predictions"]]
    if claims_before != claims_now:
        found.append(f"{lab.stem}: its predictions changed")
    outcomes = {prediction["claim"]: prediction["outcome"] for prediction in recorded.predictions}
    for now in fresh.predictions:
        if (before := outcomes.get(now["claim"], now["outcome"])) != now["outcome"]:
            found.append(f"{lab.stem}: prediction {now['claim']!r}: was {before}, is now {now['outcome']}")
    return found


def _figure_differences(lab: Lab, figure: dict, before: dict[str, np.ndarray], now: dict[str, np.ndarray]) -> list[str]:
    found = []
    margins = figure_margins(figure, before)
    for name in sorted(before.keys() | now.keys()):
        where = f"{lab.stem}: figure {figure['name']}: {name}"
        if name not in before or name not in now:
            found.append(f"{where}: {'is new' if name in now else 'is gone'}")
            continue
        if before[name].shape != now[name].shape:
            found.append(f"{where}: recorded with shape {before[name].shape}, now {now[name].shape}")
            continue
        left = beyond(now[name], before[name], margins[name])
        if left.any():
            worst = np.unravel_index(left.argmax(), left.shape)
            found.append(
                f"{where}: recorded {before[name][worst]!s}, now {now[name][worst]!s} at {tuple(map(int, worst))}, "
                f"tolerance {margins[name]:.3g} ({figure['because']})"
            )
    return found
