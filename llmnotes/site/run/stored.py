"""A stored run: what one execution of a lab left, as a folder.

    results.json   what each code cell put out, in order: text, recorded values, predictions, figures
    figures/       the drawings of each figure, and NAME.npz (the arrays that it shows)
    run.json       when and on what it ran, what it depended on, and a digest of every other file

Everything but run.json is the same byte for byte when the same lab runs again on the same machine.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
from pydantic import BaseModel

import llmnotes
from llmnotes.lab.predictions import holds
from llmnotes.lab.records import Record
from llmnotes.site.errors import NotebookError
from llmnotes.site.run.digests import digest_of
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.outputs import KINDS, check_results

FORMAT = 2  # of a stored run; one of another format is damaged for us
PACKAGE = Path(llmnotes.__file__).resolve().parent


class DamagedRunError(NotebookError):
    """A stored run is not what was once written."""


class _Ran(BaseModel):
    date: str
    cpu_seconds: float
    peak_mb: int
    cpu: str
    system: str
    versions: dict[str, str]
    commit: str


class _Meta(BaseModel):
    format: Literal[FORMAT]
    lab: str
    ran: _Ran
    depends: dict[str, str]
    files: dict[str, str]


@dataclass(frozen=True)
class Run:
    """One stored run of a lab."""

    folder: Path

    def _damaged(self, what: object) -> NoReturn:
        way_out = f"restore it from git, or make it again with: llmnotes record {self.folder.name}"
        raise DamagedRunError(f"{self.folder}: damaged: {what}; {way_out}")

    def _read(self, name: str, check: Callable[[Any], object]) -> dict[str, Any]:
        """A file of it as it is, if it holds what it must."""
        try:
            content = json.loads((self.folder / name).read_text(encoding="utf-8"))
            check(content)
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            self._damaged(f"{name}: {error}")
        return content

    @cached_property
    def meta(self) -> dict[str, Any]:
        """run.json: `format`, `lab`, `ran` (when and on what), `depends` and `files` (path to digest)."""
        return self._read("run.json", _Meta.model_validate)

    @cached_property
    def cells(self) -> list[list[dict]]:
        """What each code cell put out: `{"kind": "text" | "record" | "prediction" | "figure" | …, …}`."""
        return self._read("results.json", check_results)["cells"]

    def _all(self, kind: str) -> list[dict]:
        said = [out for cell in self.cells for out in cell if out["kind"] == kind]
        return [{name: one for name, one in out.items() if name != "kind"} for out in said]

    @cached_property
    def values(self) -> dict[str, Record]:
        """The recorded values by name."""
        labels = {name: text for entry in self._all("labels") for name, text in entry.items()}
        entries = [entry | {"label": labels.get(entry["name"], "")} for entry in self._all("record")]
        return {entry["name"]: KINDS["record"].validate_python(entry) for entry in entries}

    @cached_property
    def predictions(self) -> list[dict]:
        """The predictions with their `value` and `outcome`, which follow from the recorded values."""
        settled = [(entry, self.values[entry["resolved_by"]].value) for entry in self._all("prediction")]
        return [entry | {"value": value, "outcome": holds(value, entry["if_"])} for entry, value in settled]

    @cached_property
    def questions(self) -> list[dict]:
        """The questions to the reader."""
        return self._all("question")

    @cached_property
    def figures(self) -> dict[str, dict]:
        """The figures by name."""
        return {entry["name"]: entry for entry in self._all("figure")}

    @property
    def cpu_seconds(self) -> float:
        """Processor time of its one thread."""
        return self.meta["ran"]["cpu_seconds"]

    def arrays(self, figure: str) -> dict[str, np.ndarray]:
        """The arrays that a figure shows."""
        try:
            with np.load(self.folder / "figures" / f"{figure}.npz", allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            self._damaged(f"figures/{figure}.npz: {error}")

    def digests(self) -> dict[str, str]:
        """The digest of each of its files as it is now, but of run.json."""
        paths = {path.relative_to(self.folder).as_posix(): path for path in sorted(self.folder.rglob("*"))}
        return {name: digest_of(path) for name, path in paths.items() if name != "run.json" and not path.is_dir()}

    def check(self) -> None:
        """Compare every file with the digest that was taken when it was written, and read all of them.

        Raises:
            DamagedRunError: a file is missing, was changed, does not belong here, or holds what no run holds.
        """
        if wrong := {name for name, _ in self.digests().items() ^ self.meta["files"].items()}:
            self._damaged(f"{min(wrong)} is not what the run wrote, gone, or none of its files")
        _ = self.cells

    def stale_because(self, lab: Lab, root: Path) -> str | None:
        """Why this run no longer speaks for the lab; None if it still does."""
        depends = self.meta["depends"]
        if not {"code", "llmnotes/__init__.py"} <= depends.keys():
            return "it names no code that it depends on"
        for name, before in depends.items():
            if before != (lab.digest if name == "code" else digest_of(dependency_path(name, root))):
                return "the lab's code changed" if name == "code" else f"{name} changed"
        return None


def dependency_name(path: Path, root: Path) -> str:
    """How a run names a file it depended on: below the package, the project, or elsewhere."""
    for base, prefix in ((PACKAGE, "llmnotes/"), (root.resolve(), "")):
        if path.is_relative_to(base):
            return prefix + path.relative_to(base).as_posix()
    return path.as_posix()


def dependency_path(name: str, root: Path) -> Path:
    """Where a file of that name lies here."""
    first, _, rest = name.partition("/")
    return PACKAGE / rest if first == "llmnotes" else root / name
