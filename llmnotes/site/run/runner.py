"""Running labs: as many at once as there are cores, unless a stored run still speaks for them."""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.digests import NOT_SOURCES
from llmnotes.site.run.execute import execute
from llmnotes.site.run.labs import SMOLLM2, Lab
from llmnotes.site.run.store import Project
from llmnotes.site.run.stored import Run


@dataclass(frozen=True)
class Outcome:
    """What became of one lab: its run, or why there is none."""

    lab: Lab
    run: Any = None  # a `Run`, unless the lab ran to be stressed or replicated
    error: str | None = None
    fresh: bool = False  # whether it was executed now


Report = Callable[[Lab, str], None]  # told that a lab "runs", and then in words what became of it


def run_labs(
    project: Project,
    labs: Collection[Lab],
    *,
    fresh: bool = False,
    hub: bool = False,
    fetch: bool = True,
    jobs: int | None = None,
    report: Report = lambda lab, state: None,
) -> list[Outcome]:
    """Give each lab a valid run: a stored one where there is one, else a new one.

    A lab whose model is not here and may not be had keeps its recorded run, stale or not, or has none: no page waits
    for a download. A lab that fails does not keep the others from running.

    Args:
        fresh: run them whatever is stored.
        hub: run labs that download a model.
        fetch: fetch SmolLM2 if a lab needs it.
        jobs: how many at once; by default one for each core.
    """
    outcomes: dict[str, Outcome] = {}
    for lab in labs:
        try:
            stored = None if fresh else project.valid_run(lab)
            if not stored and may_run(lab, hub, fetch):
                continue
            report(lab, "has a valid stored run" if stored else "was not run: its model is not here (see --hub)")
            if not stored and (stored := project.recorded(lab)):
                stored.check()
            outcomes[lab.stem] = Outcome(lab, run=stored)
        except NotebookError as error:
            outcomes[lab.stem] = Outcome(lab, error=str(error))

    async def run_one(lab: Lab) -> Run:
        with project.workspace() as work:
            return project.publish(lab, (await execute(lab, project.root, work, hub)).folder)

    waiting = [lab for lab in labs if lab.stem not in outcomes]
    outcomes |= {outcome.lab.stem: outcome for outcome in run_side_by_side(project, waiting, run_one, jobs, report)}
    return [outcomes[lab.stem] for lab in labs]


def may_run(lab: Lab, hub: bool, fetch: bool) -> bool:
    """Whether a lab can run here: the model that it needs is here, or may be fetched when it runs."""
    if SMOLLM2 in lab.needs and not fetch:
        from llmnotes.model import smollm2  # imports torch

        return smollm2.is_here()
    return hub or "hub" not in lab.needs


def run_side_by_side(project: Project, labs: list[Lab], run_one: Callable, jobs: int | None, report: Report):
    """Await `run_one` of each lab, some at once; what fails becomes an outcome with its error."""

    async def one(lab: Lab, free: asyncio.Semaphore) -> Outcome:
        async with free:
            report(lab, "runs")
            before, run, error = _files(project.root), None, None
            try:
                run = await run_one(lab)
            except (NotebookError, OSError, ImportError) as failure:  # a full disk, a model that cannot be fetched
                error = str(failure)
            except Exception:  # whatever it is, it keeps no other lab from running
                error = traceback.format_exc().rstrip()
            report(lab, "failed" if error else "done")
            if changed := sorted({path for path, _ in before.items() ^ _files(project.root).items()}):
                report(lab, f"while it ran, files outside its folder changed: {', '.join(changed[:5])}")
            return Outcome(lab, run=run, error=error, fresh=True)

    async def everything() -> list[Outcome]:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        free = asyncio.Semaphore(jobs or cores)
        return await asyncio.gather(*(one(lab, free) for lab in labs))

    return asyncio.run(everything())


def _files(root: Path) -> dict[str, tuple[int, int]]:
    """The project's files, with what changes when they are written."""
    files = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_SOURCES and not name.startswith(".")]
        for path in (os.path.join(folder, name) for name in names):
            with suppress(OSError):
                files[os.path.relpath(path, root)] = (os.lstat(path).st_mtime_ns, os.lstat(path).st_size)
    return files
