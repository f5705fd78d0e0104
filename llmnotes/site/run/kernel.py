"""What the runner does inside the kernel of a lab: it notes reads, refuses writes outside, and tells of errors.

It runs before the first cell and after the last one, and imports nothing heavy, so that a lab that does not load torch
does not pay for it here. What it has to tell goes into a file, whatever the lab did to standard output.
"""

from __future__ import annotations

import importlib.util
import json
import linecache
import os
import sys
import time
import traceback
from pathlib import Path

from llmnotes.site.run.digests import NOT_SOURCES, state_of

PACKAGE = Path(__file__).resolve().parents[2]
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {  # audit events of Python, and which of their arguments name what is changed
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.mkdir": (0,),
    "os.rmdir": (0,),
    "os.symlink": (1,),
    "os.link": (1,),
    "os.truncate": (0,),
    "shutil.rmtree": (0,),
}

_watch: dict = {"active": False, "reads": {}}


class WriteOutsideError(PermissionError):
    """A lab wrote outside its folder of outputs."""


def begin(root: str, may_write: list[str], lab: str, cells: list[tuple[int, str]], report: str) -> None:
    """Start to watch, and make the kernel what a plain script would find: called once, before the first cell.

    Args:
        root: the project; what is read below it is noted as a dependency.
        may_write: the folders below which the lab may write.
        lab: the path of the lab's script.
        cells: the first line and the source of each code cell.
        report: the file to leave word in.
    """
    _watch.update(
        active=True,
        root=os.path.realpath(root),
        may_write=tuple(map(os.path.realpath, may_write)),
        lab=lab,
        cells=[(line, source.strip()) for line, source in cells],
        report=report,
    )
    from IPython import get_ipython

    shell = get_ipython()
    shell.transform_cell = lambda cell: cell  # Python as it stands: `ls` and `x?` are no commands
    # what is no text fails at its line, as in a plain script; the kernel would drop all that it came with
    sys.stdout.echo = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    shell.user_ns["__file__"] = lab
    sys.argv = [lab]
    sys.path[:] = [os.path.dirname(lab), *(path for path in sys.path if path not in ("", os.getcwd()))]
    if seed := os.environ.get("LLMNOTES_SEED"):
        from llmnotes.site.run.replicates import use_training

        use_training(int(seed))
    if seed := os.environ.get("LLMNOTES_NOISE"):
        from llmnotes.site.run.noise import shake

        shake(int(seed))
    _note(str(PACKAGE / "__init__.py"))  # which is loaded already
    sys.addaudithook(_notice)


def end() -> None:
    """Report what the run used: called once, after the last cell."""
    _watch["active"] = False
    versions = {
        name: str(sys.modules[name].__version__)
        for name in ("numpy", "torch", "transformers", "sklearn", "matplotlib")
        if name in sys.modules
    }
    _report(
        reads=_watch["reads"],
        versions={"python": ".".join(map(str, sys.version_info[:3])), **versions},
        peak_mb=_peak_mb(),
        cpu_seconds=round(time.process_time(), 1),
    )


def failure(cell: int) -> None:
    """Report the last error as a plain script would tell it: with the lab's own name and lines, without the shell's.

    Args:
        cell: which code cell failed, from 0; of cells with the same source, it is the one that is meant.
    """
    _watch["active"] = False
    cells = _watch["cells"]
    first_lines = {source: line for line, source in [*cells, cells[cell]]}
    error = sys.last_value
    frames: list[traceback.FrameSummary] = []
    for frame in traceback.extract_tb(error.__traceback__):
        first = first_lines.get("".join(linecache.getlines(frame.filename)).strip())
        if first is not None:
            frames.append(traceback.FrameSummary(_watch["lab"], frame.lineno + first - 1, frame.name, line=frame.line))
        elif frames:
            frames.append(frame)
    told = ["Traceback (most recent call last):\n", *traceback.format_list(frames)]
    _report(error="".join([*told, *traceback.format_exception_only(error)]))


def _report(**entries: object) -> None:
    with open(_watch["report"], "w", encoding="utf-8", errors="replace") as file:
        json.dump(entries, file)


def _notice(event: str, args: tuple) -> None:
    if not _watch["active"]:
        return
    if event == "open":
        path, _, flags = args
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        if isinstance(flags, int) and flags & _WRITES:
            _refuse_outside(path)
        else:
            _note_read(path)
    elif event == "llmnotes.reads":
        _note(os.path.realpath(args[0]))
    elif event in ("os.listdir", "os.scandir"):
        _note_listing(args[0])
    elif event in _CHANGES:
        for index in _CHANGES[event]:
            if isinstance(args[index], (str, bytes, os.PathLike)):
                _refuse_outside(args[index])


def _refuse_outside(path: str | bytes | os.PathLike) -> None:
    real = os.path.realpath(os.fsdecode(path))
    if not real.startswith("/dev/") and "__pycache__" not in real and not _below(real, *_watch["may_write"]):
        raise WriteOutsideError(
            f"the lab tried to write {real}; it may not write outside its folder of outputs; write below the current "
            "folder, or below tempfile.gettempdir()"
        )


def _note_read(path: str | bytes | os.PathLike) -> None:
    real = os.path.realpath(os.fsdecode(path))
    if "__pycache__" in real:
        try:
            real = importlib.util.source_from_cache(real)  # a module that was compiled before
        except ValueError:
            return
    if _is_source(real) and real != _watch["lab"] and os.path.isfile(real):
        _note(real)


def _note_listing(path: object) -> None:
    if _importing() or not isinstance(path, (str, bytes, os.PathLike, type(None))):
        return
    real = os.path.realpath(os.fsdecode(path or "."))
    if _is_source(real) and not _below(real, str(PACKAGE)):  # what the package ships, it names when it loads it
        _note(os.path.join(real, "*"))


def _importing() -> bool:
    """Whether Python itself lists a folder: it looks for modules, or for the metadata of installed packages."""
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib") or f"{os.sep}importlib{os.sep}" in file:
            return True
        frame = frame.f_back
    return False


def _note(path: str) -> None:
    """Note what the lab depends on, with its state when it was first read."""
    if path not in _watch["reads"]:
        _watch["active"] = False  # what follows reads by itself
        try:
            _watch["reads"][path] = state_of(Path(path))
        finally:
            _watch["active"] = True


def _is_source(real: str) -> bool:
    """Whether a path lies in the project or the package, and is neither made there nor the site's own code."""
    for base in (str(PACKAGE), _watch["root"]):
        if _below(real, base):
            inner = real[len(base) :].split(os.sep)
            ours = base == str(PACKAGE) and inner[1:2] == ["site"]
            return not (ours or NOT_SOURCES & set(inner) or _below(real, *_watch["may_write"]))
    return False


def _below(real: str, *folders: str) -> bool:
    return any(real == folder or real.startswith(folder + os.sep) for folder in folders)


def _peak_mb() -> int:
    try:  # the peak of this process alone; getrusage counts what the parent held when it forked
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024)
    except OSError:
        pass
    import resource

    unit = 1024**2 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
