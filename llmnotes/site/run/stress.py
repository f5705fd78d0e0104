"""Whether what labs record would stand elsewhere: on an older processor, with other threads, under noise of rounding.

Training amplifies the smallest differences. A value whose tolerance is nearly used up here leaves it somewhere else.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass, field

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.compare import comparisons, differences
from llmnotes.site.run.execute import execute, threads
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.runner import Outcome, Report, hub_is_allowed, may_run, run_side_by_side
from llmnotes.site.run.store import Project

OLD = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}
OLD |= {"OPENBLAS_CORETYPE": "NEHALEM"} if platform.machine() in ("x86_64", "AMD64") else {}
CONDITIONS = {"an older processor": OLD, "two threads": threads(2)}
CONDITIONS |= {f"noise {seed}": {"LLMNOTES_NOISE": str(seed)} for seed in (1, 2, 3)}
SLOWER = 5  # an older processor may take so many times as long


@dataclass
class Stressed:
    """How one lab stood it."""

    used: dict[str, tuple[float, str]] = field(default_factory=dict)
    """By value or array of a figure the largest share of its tolerance that was used, and under which condition."""
    faults: list[str] = field(default_factory=list)
    """What left its tolerance, changed although it must be exact, or turned a prediction."""


def stress_labs(
    project: Project, labs: list[Lab], *, hub: bool | None, jobs: int | None, report: Report
) -> tuple[list[Outcome], dict[str, Stressed]]:
    """Run each lab under every condition and compare it with its recorded run; nothing is stored.

    Returns:
        The outcomes, and by the labs' stems how they stood it.
    """
    hub = hub_is_allowed(hub)
    stood = {lab.stem: Stressed() for lab in labs}

    async def run_all(lab: Lab) -> None:
        recorded = project.recorded(lab)
        if recorded is None:
            raise NotebookError(f"{lab.stem}: no recorded run; make one with: llmnotes record {lab.stem}")
        patient = lab.model_copy(update={"timeout": SLOWER * lab.timeout})
        for condition, environment in CONDITIONS.items():
            with project.workspace() as work:
                run = await execute(patient, project.root, work, hub, environment)
                stood[lab.stem].faults += [f"{line}, under {condition}" for line in differences(lab, recorded, run)]
                for one in comparisons(recorded, run):
                    worst = stood[lab.stem].used.get(one.name, (-1.0, ""))
                    stood[lab.stem].used[one.name] = max(worst, (one.used, condition))

    wanted = [lab for lab in labs if may_run(lab, hub, fetch=True)]
    return run_side_by_side(project, wanted, run_all, jobs, report), stood
