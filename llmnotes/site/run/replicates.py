"""What a lab records on the other trainings of the models that it loads by name: `llmnotes replicate`.

A finding about one training of World may be an accident of that training. The lab runs once more for each other seed,
unchanged but for what `load("world")` opens; what comes out stands in `labs/replicates/NN_name.json`.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from llmnotes.lab.predictions import holds
from llmnotes.site.errors import NotebookError
from llmnotes.site.run.execute import execute
from llmnotes.site.run.labs import Cell, Lab
from llmnotes.site.run.runner import Outcome, Report, run_side_by_side
from llmnotes.site.run.store import Project
from llmnotes.site.run.stored import PACKAGE, Run

SEED = "from llmnotes.model import loading; loading.SEED = {}"  # which training `load` opens where no seed is named


class Replicates(BaseModel):
    """A lab's values on other trainings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str  # digest of the lab's code that ran
    values: dict[int, dict[str, float | bool]]  # by seed: the recorded values
    failed: dict[int, str] = {}  # by seed: why the lab did not get through

    def over(self, name: str) -> list[float | bool]:
        """A value in each of the other trainings in which the lab recorded it."""
        return [values[name] for values in self.values.values() if name in values]

    def count(self, run: Run, conditions: Mapping[str, str]) -> tuple[int, int]:
        """In how many trainings all of some conditions hold, the recorded one included, and in how many it was asked.

        A training in which the lab failed or did not record a value counts as one in which it does not hold.
        """
        asked = [{name: entry.value for name, entry in run.values.items()}, *self.values.values()]
        held = [all(name in one and holds(one[name], needed) for name, needed in conditions.items()) for one in asked]
        return sum(held), len(asked) + len(self.failed)


def other_seeds(lab: Lab) -> list[int]:
    """The seeds beside 0 with which one of the lab's models ships."""
    folders = [path for model in lab.models for path in (PACKAGE / "checkpoints" / model).glob("seed-*")]
    return sorted({int(path.name.removeprefix("seed-")) for path in folders})


def read_replicates(lab: Lab) -> Replicates | None:
    """What `llmnotes replicate` found for a lab, or None; `code` tells whether for its code as it is now.

    Raises:
        NotebookError: the file is damaged.
    """
    path = _path(lab)
    if not path.is_file():
        return None
    try:
        return Replicates.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        again = f"restore it from git, or make it again with: llmnotes replicate {lab.stem}"
        raise NotebookError(f"{path}: damaged: {error}; {again}") from None


def replicate_labs(project: Project, labs: list[Lab], *, jobs: int | None, report: Report) -> list[Outcome]:
    """Run each lab with every other training of its models, and store what it records: outcomes hold the `Replicates`.

    What a training gave that is not here (one made by `llmnotes train world --seed 5`, say) stays while the lab's code
    is the same.
    """

    async def run_all(lab: Lab) -> Replicates:
        seeds, found = other_seeds(lab), Replicates(code=lab.digest, values={})
        with suppress(NotebookError):  # it is damaged, and made anew
            if (before := read_replicates(lab)) and before.code == lab.digest:
                found.values.update({seed: of for seed, of in before.values.items() if seed not in seeds})
        other = lab.model_copy(update={"cells": tuple(map(_of_any_model, lab.code))})
        for seed in seeds:
            with project.workspace() as work:
                try:
                    run = await execute(other, project.root, work, False, first=SEED.format(seed))
                    found.values[seed] = {name: entry.value for name, entry in sorted(run.values.items())}
                except NotebookError as error:
                    found.failed[seed] = str(error).splitlines()[-1][:200]
                    report(lab, f"not with seed {seed}: {found.failed[seed]}")
        if not found.values:
            why = next(iter(found.failed.values()), "its models ship with one")
            raise NotebookError(f"{lab.path}: it gets through with no other training: {why}")
        _path(lab).parent.mkdir(exist_ok=True)
        _path(lab).write_text(json.dumps(vars(found), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        report(lab, f"{len(found.values)} other trainings recorded")
        return found

    return run_side_by_side(project, labs, run_all, jobs, report)


def _of_any_model(cell: Cell) -> Cell:
    """A code cell without what holds of one model: answers to the reader's question, and what is asserted."""
    tree = ast.parse(cell.source)
    tree.body = [one for one in tree.body if not ast.unparse(one).startswith(("assert ", "ask("))]
    return replace(cell, source=ast.unparse(tree))


def _path(lab: Lab) -> Path:
    return lab.path.parent / "replicates" / f"{lab.stem}.json"
