"""Whether what labs record would stand elsewhere: on an older processor, with other threads, under noise of rounding.

Training amplifies the smallest differences. A value whose tolerance is nearly used up here leaves it somewhere else.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass, field

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.compare import differences, tolerance_used
from llmnotes.site.run.execute import execute
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.runner import Outcome, may_run, run_side_by_side
from llmnotes.site.run.store import Project

OLD = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}
OLD |= {"OPENBLAS_CORETYPE": "NEHALEM"} if platform.machine() in ("x86_64", "AMD64") else {}
CONDITIONS = {
    "an older processor": OLD,
    "two threads": {f"{name}_NUM_THREADS": "2" for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB_MAXIMUM")},
    **{f"noise {seed}": {"LLMNOTES_NOISE": str(seed)} for seed in (1, 2, 3)},
}
SLOWER = 5  # an older processor may take so many times as long


@dataclass
class Stressed:
    """How one lab stood it."""

    used: dict[str, tuple[float, str]] = field(default_factory=dict)
    """By value or array of a figure the largest share of its tolerance that was used, and under which condition."""
    faults: list[str] = field(default_factory=list)
    """What left its tolerance, changed although it must be exact, or turned a prediction."""


def stress_labs(
    project: Project, labs: list[Lab], *, hub: bool, jobs: int | None, report: Callable[[Lab, str], None]
) -> tuple[list[Outcome], dict[str, Stressed]]:
    """Run each lab under every condition and compare it with its recorded run; nothing is stored.

    Returns:
        The outcomes, and by the labs' stems how they stood it.
    """
    stood = {lab.stem: Stressed() for lab in labs}

    async def run_all(lab: Lab) -> None:
        recorded = project.recorded(lab)
        if recorded is None:
            raise NotebookError(f"{lab.stem}: no recorded run; make one with: llmnotes record {lab.stem}")
        patient = lab.model_copy(update={"timeout": SLOWER * lab.timeout})
        for condition, environment in CONDITIONS.items():
            with project.workspace() as work:
                run = await execute(patient, project.root, work, hub, environment)
                lines = differences(lab, recorded, run)
                stood[lab.stem].faults += [f"{line}, under {condition}" for line in lines]
                for name, share in tolerance_used(recorded, run).items():
                    worst = stood[lab.stem].used.get(name, (-1.0, ""))
                    stood[lab.stem].used[name] = max(worst, (share, condition))

    wanted = [lab for lab in labs if may_run(lab, hub, fetch=True)]
    return run_side_by_side(project, wanted, run_all, jobs, report), stood
