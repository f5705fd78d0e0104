"""Whether what labs record would stand elsewhere: on an older processor, with other threads, under noise of rounding.

Training amplifies the smallest differences. A value whose tolerance is nearly used up here leaves it somewhere else.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.compare import comparisons, differences
from llmnotes.site.run.execute import execute, threads
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.runner import Outcome, Report, may_run, run_side_by_side
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


def stress_labs(project: Project, labs: list[Lab], *, hub: bool, jobs: int | None, report: Report) -> list[Outcome]:
    """Run each lab under every condition and compare it with its recorded run: outcomes hold how they stood it."""

    hub = hub or bool(os.environ.get("LLMNOTES_HUB"))

    async def run_all(lab: Lab) -> Stressed:
        stood, recorded = Stressed(), project.recorded(lab)
        if recorded is None:
            raise NotebookError(f"{lab.stem}: no recorded run; make one with: llmnotes record {lab.stem}")
        patient = lab.model_copy(update={"timeout": SLOWER * lab.timeout})
        for condition, environment in CONDITIONS.items():
            with project.workspace() as work:
                run = await execute(patient, project.root, work, hub, environment)
                stood.faults += [f"{line}, under {condition}" for line in differences(lab, recorded, run)]
                for one in comparisons(recorded, run):
                    stood.used[one.name] = max(stood.used.get(one.name, (-1.0, "")), (one.used, condition))
        return stood

    wanted = [lab for lab in labs if may_run(lab, hub, fetch=True)]
    return run_side_by_side(project, wanted, run_all, jobs, report)
