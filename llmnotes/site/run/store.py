"""Where runs are kept: the newest of each lab in the local cache, the recorded one in the repository.

A run is written whole or not at all, and used only while it is valid.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.run.labs import Lab, find_labs, read_lab
from llmnotes.site.run.stored import PACKAGE, DamagedRunError, Run

__all__ = ["PACKAGE", "DamagedRunError", "Project", "Run"]

KEPT = 4  # runs kept in the cache for each lab: going back to an earlier state finds its run
LEFT = 24 * 3600  # seconds after which nobody works in a workspace any more
OWN = "set LLMNOTES_CACHE to a folder of your own, such as LLMNOTES_CACHE=~/.cache/llmnotes"


def _is_called(stem: str, name: str) -> bool:
    number, _, key = stem.partition("_")
    return name in (stem, key, number, number.lstrip("0"))


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
    def cache(self) -> Path:
        """The local store; `LLMNOTES_CACHE` puts it elsewhere.

        Raises:
            NotebookError: somebody else can put there what our pages would show.
        """
        cache = Path(os.environ.get("LLMNOTES_CACHE") or self.root / ".cache").expanduser().resolve()
        if cache.is_dir() and hasattr(os, "getuid"):
            state = cache.stat()
            if state.st_uid != os.getuid() or state.st_mode & 0o002:
                raise NotebookError(f"{cache}: others may write to it, so its runs cannot be trusted; {OWN}")
        return cache

    def labs(self) -> list[Lab]:
        """All labs of the notebook.

        Raises:
            NotebookError: what is wrong with those that are not as they must be.
        """
        labs, broken = find_labs(self.root / "labs")
        if broken:
            raise NotebookError("\n".join(map(str, broken.values())))
        return labs

    def pick(self, names: tuple[str, ...]) -> tuple[list[Lab], dict[str, NotebookError]]:
        """Labs by number, key, stem or path; all of them for no names.

        Returns:
            The labs that can run, and by their stems what is wrong with those asked for that cannot.

        Raises:
            NotebookError: no lab has that name, or the script at that path is none.
        """
        labs, broken = find_labs(self.root / "labs")
        if not names:
            return labs, broken
        known = {lab.stem: lab for lab in labs} | broken
        picked: dict[str, Lab | NotebookError] = {}
        for name in names:
            if name.endswith(".py"):
                picked[Path(name).stem] = read_lab(Path(name))
            elif found := {stem: one for stem, one in known.items() if _is_called(stem, name)}:
                picked |= found
            else:
                keys = [stem.partition("_")[2] or stem for stem in known]
                raise NotebookError(f"no lab is called {name!r}{near(name, keys)}")
        labs = [one for one in picked.values() if isinstance(one, Lab)]
        return labs, {stem: one for stem, one in picked.items() if isinstance(one, NotebookError)}

    def recorded(self, lab: Lab) -> Run | None:
        """The run in the repository, whether or not it is still valid."""
        folder = lab.path.parent / "recorded" / lab.stem
        return Run(folder) if folder.is_dir() else None

    def valid_run(self, lab: Lab) -> Run | None:
        """The stored run that still speaks for the lab: from the cache, where a damaged one is none, or the recorded.

        Raises:
            DamagedRunError: the recorded run is not what was once written.
        """
        cached = [Run(path) for path in sorted((self.cache / "runs" / lab.stem).glob("*"), reverse=True)]
        for run in (*cached, self.recorded(lab)):
            with suppress(DamagedRunError if run in cached else ()):
                if run and run.stale_because(lab, self.root) is None:
                    run.check()
                    return run
        return None

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A new folder in the store in which a run is put together; gone at the end, whatever happens.

        Raises:
            NotebookError: nothing can be written there.
        """
        try:
            self.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in self.cache.glob("tmp-*"):  # by runners that were killed
                with suppress(FileNotFoundError):
                    if time.time() - left.stat().st_mtime > LEFT:
                        shutil.rmtree(left, ignore_errors=True)
            work = tempfile.TemporaryDirectory(prefix="tmp-", dir=self.cache, ignore_cleanup_errors=True)
        except OSError as error:
            raise NotebookError(f"{self.cache}: cannot be written ({error.strerror}); {OWN}") from error
        with work as folder:
            yield Path(folder)

    def publish(self, lab: Lab, folder: Path) -> Run:
        """Move a finished run from its workspace into the cache in one step, and let the oldest ones go."""
        home = self.cache / "runs" / lab.stem
        home.mkdir(parents=True, exist_ok=True)
        run = Run(folder.rename(home / str(time.time_ns())))  # so that names say which is newer
        for other in sorted(set(home.iterdir()) - {run.folder}, reverse=True)[KEPT - 1 :]:
            shutil.rmtree(other, ignore_errors=True)
        return run

    def keep(self, lab: Lab, run: Run) -> bool:
        """Make a run the recorded one; False if that changes nothing, and then nothing is written.

        Raises:
            NotebookError: nothing can be written there.
        """
        target = lab.path.parent / "recorded" / lab.stem
        with suppress(DamagedRunError):
            old = Run(target)
            old.check()
            if old.meta | {"ran": None} == run.meta | {"ran": None}:
                return False
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".", dir=target.parent, ignore_cleanup_errors=True) as made:
                new = shutil.copytree(run.folder, Path(made, "new"))
                shutil.rmtree(target, ignore_errors=True)
                new.rename(target)
        except OSError as error:  # shutil's own collects several, and has no text of the system's
            raise NotebookError(f"{target.parent}: cannot be written ({error.strerror or error})") from error
        return True
