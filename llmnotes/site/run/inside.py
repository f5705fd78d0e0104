"""What the runner puts inside the kernel of a lab: the guard on writes, the notes of reads, and tracebacks.

It runs before the first cell and after the last one, and imports nothing heavy, so that a lab that does not load torch
does not pay for it here.
"""

from __future__ import annotations

import json
import linecache
import os
import sys
import time
import traceback
from pathlib import Path

from llmnotes.site.run.landlock import writes_only_below

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {
    "os.remove": 1,
    "os.rename": 2,
    "os.mkdir": 1,
    "os.rmdir": 1,
    "os.symlink": 2,
    "os.link": 2,
    "os.truncate": 1,
}

_BELOW = "may not write outside its folder of outputs; write below the current folder, or below tempfile.gettempdir()"
# What a refusal by the system itself looks like; torch.save says that a file "cannot be opened".
_REFUSED = ("Permission denied", "os error 13", "cannot be opened", "exit status", "CalledProcessError")

_state: dict = {"active": False, "read": set()}


class WriteOutsideError(PermissionError):
    """A lab wrote outside its folder of outputs."""


def begin(root: str, may_write: list[str], lab: str, cells: list[tuple[int, str]]) -> None:
    """Start to watch: called once by the runner before the first cell.

    Args:
        root: the project; what is read below it is noted as a dependency.
        may_write: the folders below which the lab may write.
        lab: the path of the lab's script, for tracebacks.
        cells: the first line and the source of each code cell.
    """
    _state.update(
        active=True,
        root=os.path.realpath(root),
        may_write=tuple(os.path.realpath(folder) for folder in may_write),
        lab=lab,
        cells=[(line, source.strip()) for line, source in cells],
    )
    writes_only_below([*_state["may_write"], "/dev"])
    sys.addaudithook(_watch)


def end() -> None:
    """Print what the run used, as one line of JSON: called once by the runner after the last cell."""
    _state["active"] = False
    package = Path(__file__).resolve().parents[2]
    modules = {
        os.path.realpath(module.__file__)
        for name, module in list(sys.modules.items())
        if name.split(".")[0] == "llmnotes" and name.split(".")[1:2] != ["site"] and getattr(module, "__file__", None)
    }
    versions = {
        name: str(sys.modules[name].__version__)
        for name in ("numpy", "torch", "transformers", "sklearn", "matplotlib")
        if name in sys.modules
    }
    used = {
        "read": sorted(modules | _state["read"]),
        "package": str(package),
        "versions": {"python": ".".join(map(str, sys.version_info[:3])), **versions},
        "peak_mb": _peak_mb(),
        "cpu_seconds": round(time.process_time(), 1),
    }
    print(json.dumps(used))


def failure(cell: int) -> None:
    """Print the last error as a plain script would: with the lab's own name and lines, without the shell's frames.

    Args:
        cell: which code cell failed, from 0; of cells with the same source, it is the one that is meant.
    """
    _state["active"] = False
    cells = _state["cells"]
    first_lines = {source: line for line, source in [*cells, cells[cell]]}
    error = sys.last_value
    frames = []
    for frame in traceback.extract_tb(error.__traceback__):
        first = first_lines.get("".join(linecache.getlines(frame.filename)).strip())
        if first is not None:
            frames.append(traceback.FrameSummary(_state["lab"], frame.lineno + first - 1, frame.name, line=frame.line))
        elif frames:
            frames.append(frame)
    print("Traceback (most recent call last):")
    print("".join(traceback.format_list(frames)), end="")
    message = "".join(traceback.format_exception_only(error))
    print(message, end="")
    if not isinstance(error, WriteOutsideError) and any(sign in message for sign in _REFUSED):
        print(f"If that was a write: the lab {_BELOW}")


def _watch(event: str, args: tuple) -> None:
    if not _state["active"]:
        return
    if event == "open":
        path, _, flags = args
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        if isinstance(flags, int) and flags & _WRITES:
            _check(path)
        else:
            _note(path)
    elif event == "llmnotes.reads":
        _state["read"].add(os.path.realpath(args[0]))
    elif event in _CHANGES:
        for path in args[: _CHANGES[event]]:
            _check(path)


def _check(path: str | bytes | os.PathLike) -> None:
    real = os.path.realpath(os.fsdecode(path))
    if real.startswith("/dev/") or "__pycache__" in real:
        return
    if not any(real == folder or real.startswith(folder + os.sep) for folder in _state["may_write"]):
        raise WriteOutsideError(f"the lab tried to write {real}; it {_BELOW}")


def _note(path: str | bytes | os.PathLike) -> None:
    real = os.path.realpath(os.fsdecode(path))
    if not real.startswith(_state["root"] + os.sep) or not os.path.isfile(real):
        return
    inner = real[len(_state["root"]) :].split(os.sep)
    made = {".cache", ".venv", ".git", "__pycache__", "site-packages", "site"}
    if not made & set(inner) and real != _state["lab"]:
        _state["read"].add(real)


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
