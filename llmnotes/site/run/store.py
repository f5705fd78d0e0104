"""Runs on disk: what one execution of a lab left, written whole or not at all, used only while it is valid.

A run is a folder:

    results.json   the recorded values, predictions and figures
    outputs.json   what each code cell put out, in order
    figures/       NAME.svg, NAME.narrow.svg (for a phone) and NAME.npz (the arrays that the figure shows)
    run.json       when and on what it ran, what it depended on, and a digest of every other file

The local cache holds the newest runs of each lab, the repository the recorded one. Everything but run.json is the same
byte for byte when the same lab runs again on the same machine.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import filelock
import numpy as np

import llmnotes
from llmnotes.lab.predictions import holds
from llmnotes.lab.records import Record
from llmnotes.site.errors import NotebookError, near
from llmnotes.site.run.digests import digest, digest_of_file
from llmnotes.site.run.labs import Lab, find_labs, read_lab

FORMAT = 1  # of a stored run; a run of another format is run again
KEPT = 4  # runs kept in the cache for each lab: going back to an earlier state finds its run
PACKAGE = Path(llmnotes.__file__).resolve().parent


class DamagedRunError(NotebookError):
    """A stored run is not what was once written."""


@dataclass(frozen=True)
class Run:
    """One stored run of a lab."""

    folder: Path

    def _read(self, name: str):
        try:
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DamagedRunError(f"{self.folder}: damaged: {name}: {error}; {self._way_out}") from error

    @property
    def _way_out(self) -> str:
        stem = self.folder.name if self.folder.parent.name == "recorded" else self.folder.parent.name
        if self.folder.parent.name == "recorded":
            return f"restore it from git, or make it again with: llmnotes record {stem}"
        return f"delete that folder, or replace it with: llmnotes run --fresh {stem}"

    @cached_property
    def meta(self) -> dict:
        """run.json: `format`, `lab`, `ran` (when and on what), `depends` and `files` (path to digest)."""
        meta = self._read("run.json")
        if not isinstance(meta, dict) or not {"format", "lab", "ran", "depends", "files"} <= set(meta):
            raise DamagedRunError(f"{self.folder}: damaged: run.json lacks fields; {self._way_out}")
        return meta

    @cached_property
    def results(self) -> dict:
        """results.json: `values`, `predictions`, `questions` and `figures`, each a list."""
        results = self._read("results.json")
        if not isinstance(results, dict) or not {"values", "predictions", "figures"} <= set(results):
            raise DamagedRunError(f"{self.folder}: damaged: results.json lacks fields; {self._way_out}")
        return results

    @cached_property
    def values(self) -> dict[str, Record]:
        """The recorded values by name."""
        try:
            return {entry["name"]: Record(**entry) for entry in self.results["values"]}
        except (KeyError, TypeError) as error:
            raise DamagedRunError(f"{self.folder}: damaged: results.json: {error!r}; {self._way_out}") from error

    @cached_property
    def predictions(self) -> list[dict]:
        """The predictions with their `value` and `outcome`, which follow from the recorded values."""
        found = []
        for entry in self.results["predictions"]:
            value = self.values[entry["resolved_by"]].value
            found.append(entry | {"value": value, "outcome": holds(value, entry["if_"])})
        return found

    @cached_property
    def outputs(self) -> list[list[dict]]:
        """What each code cell put out: `{"kind": "text" | "record" | "prediction" | "figure" | "markdown", …}`."""
        return self._read("outputs.json")

    @property
    def cpu_seconds(self) -> float:
        """Processor time of its one thread; runs from before this was measured give the time on the clock."""
        ran = self.meta["ran"]
        return ran.get("cpu_seconds", ran["seconds"])

    def arrays(self, figure: str) -> dict[str, np.ndarray]:
        """The arrays that a figure shows."""
        try:
            with np.load(self.folder / "figures" / f"{figure}.npz", allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise DamagedRunError(f"{self.folder}: damaged: figures/{figure}.npz: {error}; {self._way_out}") from error

    def check(self) -> None:
        """Compare every file with the digest that was taken when it was written.

        Raises:
            DamagedRunError: a file is missing, was changed or does not belong here.
        """
        found = {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}
        for name in sorted(found ^ {*self.meta["files"], "run.json"}):
            what = "is missing" if name in self.meta["files"] else "does not belong to it"
            raise DamagedRunError(f"{self.folder}: damaged: {name} {what}; {self._way_out}")
        for name, expected in self.meta["files"].items():
            try:
                actual = digest((self.folder / name).read_bytes())
            except OSError as error:
                raise DamagedRunError(f"{self.folder}: damaged: {name}: {error}; {self._way_out}") from error
            if actual != expected:
                raise DamagedRunError(f"{self.folder}: damaged: {name} is not what the run wrote; {self._way_out}")

    def stale_because(self, lab: Lab, root: Path) -> str | None:
        """Why this run no longer speaks for the lab; None if it still does."""
        if self.meta["format"] != FORMAT:
            return "it was written by another version of the runner"
        for name, expected in self.meta["depends"].items():
            if name == "code":
                if lab.digest != expected:
                    return "the lab's code changed"
            elif digest_of(name, root) != expected:
                return f"{name} changed"
        return None


def _is_damaged(folder: Path) -> bool:
    try:
        Run(folder).check()
    except DamagedRunError:
        return True
    return False


def dependency_name(path: Path, root: Path) -> str:
    """How a run names a file it depended on: below the package or the project, wherever those lie."""
    for base, prefix in ((PACKAGE, "llmnotes/"), (root.resolve(), "")):
        if path.is_relative_to(base):
            return prefix + path.relative_to(base).as_posix()
    return path.as_posix()


def _aliases(stem: str) -> set[str]:
    number, _, key = stem.partition("_")
    return {stem, key, number, number.lstrip("0")}


def _lab_at(path: Path) -> Lab:
    if not path.is_file():
        raise NotebookError(f"{path}: no such file")
    return read_lab(path)


def digest_of(name: str, root: Path) -> str:
    """The digest of a dependency as it is now: of a file, or of all files of a folder; of nothing if it is gone."""
    path = PACKAGE.parent / name if name.startswith("llmnotes/") else root / name
    if path.is_dir():
        parts = (
            f"{p.relative_to(path).as_posix()} {digest_of_file(p)}" for p in sorted(path.rglob("*")) if p.is_file()
        )
        return digest("\n".join(parts).encode())
    return digest_of_file(path) if path.is_file() else "gone"


@dataclass(frozen=True)
class Project:
    """The folder that labs, entries and runs belong to."""

    root: Path

    @classmethod
    def around(cls, start: Path) -> Project:
        """The notebook that a path lies in: the nearest folder above with `mkdocs.yml` and `labs/`, else the folder."""
        start = start.resolve()
        for folder in (start, *start.parents):
            if (folder / "mkdocs.yml").is_file() and (folder / "labs").is_dir():
                return cls(folder)
        return cls(start if start.is_dir() else start.parent)

    @property
    def labs_folder(self) -> Path:
        return self.root / "labs"

    @property
    def cache(self) -> Path:
        """The local store; `LLMNOTES_CACHE` puts it elsewhere."""
        return Path(os.environ.get("LLMNOTES_CACHE") or self.root / ".cache").resolve()

    def labs(self) -> list[Lab]:
        """All labs of the notebook.

        Raises:
            NotebookError: what is wrong with those that are not as they must be.
        """
        labs, broken = find_labs(self.labs_folder)
        if broken:
            raise NotebookError("\n".join(map(str, broken.values())))
        return labs

    def pick(self, names: tuple[str, ...]) -> tuple[list[Lab], dict[str, NotebookError]]:
        """Labs by number, key, stem or path; all of them for no names.

        Returns:
            The labs that can run, and by their stems what is wrong with those asked for that cannot.

        """
        labs, broken = find_labs(self.labs_folder)
        if not names:
            return labs, broken
        known = {alias: lab for lab in labs for alias in _aliases(lab.stem)}
        unreadable = {alias: stem for stem in broken for alias in _aliases(stem)}
        picked: dict[str, Lab] = {}
        wrong: dict[str, NotebookError] = {}
        for name in names:
            try:
                if name.endswith(".py"):
                    lab = _lab_at(Path(name))
                    picked[lab.stem] = lab
                elif name in known:
                    picked[known[name].stem] = known[name]
                elif name in unreadable:
                    wrong[unreadable[name]] = broken[unreadable[name]]
                else:
                    keys = {lab.key for lab in labs} | {stem[3:] for stem in broken}
                    raise NotebookError(f"no lab is called {name!r}{near(name, keys)}")
            except NotebookError as error:
                wrong[name] = error
        return list(picked.values()), wrong

    def recorded(self, lab: Lab) -> Run | None:
        """The run in the repository, whether or not it is still valid."""
        folder = lab.path.parent / "recorded" / lab.stem
        return Run(folder) if (folder / "run.json").is_file() or folder.is_dir() else None

    def valid_run(self, lab: Lab) -> Run | None:
        """The stored run that still speaks for the lab: from the cache, else the recorded one.

        Raises:
            DamagedRunError: a stored run is not what was once written.
        """
        with self._locked():
            cached = sorted(self._runs(lab).glob("*/run.json"), key=lambda p: p.stat().st_mtime_ns, reverse=True)
            runs = [Run(path.parent) for path in cached]
        if recorded := self.recorded(lab):
            runs.append(recorded)
        for run in runs:
            if run.stale_because(lab, self.root) is None:
                run.check()
                return run
        return None

    def _runs(self, lab: Lab) -> Path:
        return self.cache / "runs" / lab.stem

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self.cache.is_dir():
            yield  # nothing stored, so nothing to protect
            return
        try:
            lock = filelock.FileLock(self.cache / "lock", timeout=60)
            with lock:
                yield
        except filelock.Timeout as error:
            raise NotebookError(
                f"{self.cache}: held by another runner for a minute; end it, or delete {lock.lock_file}"
            ) from error
        except PermissionError:
            yield  # a store that we may only read

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A new folder in the store in which a run is put together; gone at the end, whatever happens.

        Raises:
            NotebookError: nothing can be written there.
        """
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            self._sweep()
            folder = Path(tempfile.mkdtemp(prefix=f"tmp-{os.getpid()}-", dir=self.cache))
        except OSError as error:
            raise NotebookError(
                f"{self.cache}: cannot be written ({error.strerror}); "
                "set LLMNOTES_CACHE to a folder that can, such as LLMNOTES_CACHE=/tmp/llmnotes"
            ) from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what runners left that were killed."""
        for folder in self.cache.glob("tmp-*-*"):
            try:
                os.kill(int(folder.name.split("-")[1]), 0)
            except (ProcessLookupError, ValueError):
                shutil.rmtree(folder, ignore_errors=True)
            except PermissionError:
                pass

    def publish(self, lab: Lab, folder: Path) -> Run:
        """Move a finished run into the cache in one step, and let the oldest ones go."""
        home = self._runs(lab)
        home.mkdir(parents=True, exist_ok=True)
        with self._locked():
            target = Path(tempfile.mkdtemp(dir=home))
            target.rmdir()
            folder.rename(target)
            runs = sorted(
                home.iterdir(), key=lambda p: (p / "run.json").stat().st_mtime_ns if (p / "run.json").exists() else 0
            )
            for old in runs:
                if old in runs[:-KEPT] or (old != target and _is_damaged(old)):
                    shutil.rmtree(old, ignore_errors=True)
        return Run(target)

    def forget(self, lab: Lab) -> None:
        """Drop the lab's runs from the cache."""
        with self._locked():
            shutil.rmtree(self._runs(lab), ignore_errors=True)

    def keep(self, lab: Lab, run: Run) -> bool:
        """Make a run the recorded one; False if that changes nothing, and then nothing is written.

        Raises:
            NotebookError: nothing can be written there.
        """
        target = lab.path.parent / "recorded" / lab.stem
        try:
            old = Run(target)
            old.check()
            if (old.meta["files"], old.meta["depends"], old.meta["format"]) == (
                run.meta["files"],
                run.meta["depends"],
                run.meta["format"],
            ):
                return False
        except DamagedRunError:
            pass
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            new = Path(tempfile.mkdtemp(prefix=f".{lab.stem}-", dir=target.parent))
        except OSError as error:
            raise NotebookError(f"{target.parent}: cannot be written ({error.strerror})") from error
        try:
            shutil.copytree(run.folder, new, dirs_exist_ok=True)
            new.chmod(0o755)
            gone = new.with_name(new.name + "-old")
            if target.exists():
                target.rename(gone)
            new.rename(target)
            shutil.rmtree(gone, ignore_errors=True)
        finally:
            shutil.rmtree(new, ignore_errors=True)
        return True
