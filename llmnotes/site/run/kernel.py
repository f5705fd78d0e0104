"""What the runner does inside the kernel of a lab: it notes reads, refuses writes outside, and tells of errors.

It runs before the first cell and after the last one, and imports nothing heavy, so that a lab that does not load torch
does not pay for it here. What it has to tell goes into a file, whatever the lab did to standard output.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

from llmnotes.site.run.digests import NOT_SOURCES, state_of

PACKAGE = Path(__file__).resolve().parents[2]
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Audit events of Python, and which of their arguments name what is changed
_CHANGES = dict.fromkeys(("os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree"), (0,))
_CHANGES |= {"os.rename": (0, 1), "os.symlink": (1,), "os.link": (1,)}

_watch: dict = {"active": False, "reads": {}}


def begin(root: str, may_write: list[str], lab: str, report: str) -> None:
    """Start to watch, and make the kernel what a plain script would find: called once, before the first cell.

    What is read below `root`, the project, is a dependency; `report` is the file to leave word in.
    """
    _watch.update(
        root=os.path.realpath(root), may_write=tuple(map(os.path.realpath, may_write)), lab=lab, report=report
    )
    from IPython import get_ipython

    shell = get_ipython()
    shell.transform_cell = lambda cell: cell  # Python as it stands: `ls` and `x?` are no commands
    shell.compile.cache = lambda *_, **__: lab  # errors name the script, whose lines the cells keep
    # what is no text fails at its line, as in a plain script; the kernel would drop all that it came with
    sys.stdout.echo = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    shell.user_ns["__file__"] = lab
    sys.argv = [lab]
    sys.path[:] = [os.path.dirname(lab), *(path for path in sys.path if path not in ("", os.getcwd()))]
    if seed := os.environ.get("LLMNOTES_SEED"):  # which training `load` opens where no seed is named
        from llmnotes.model import loading

        loading.SEED = int(seed)
    if seed := os.environ.get("LLMNOTES_NOISE"):
        from llmnotes.site.run.noise import shake

        shake(int(seed))
    _note(str(PACKAGE / "__init__.py"))  # which is loaded already
    sys.addaudithook(_notice)


def end() -> None:
    """Report what the run used: called once, after the last cell."""
    _watch["active"] = False
    libraries = ("numpy", "torch", "transformers", "sklearn", "matplotlib", "llmnotes")
    versions = {name: str(sys.modules[name].__version__) for name in libraries if name in sys.modules}
    _report(
        reads=_watch["reads"],
        versions={"python": ".".join(map(str, sys.version_info[:3])), **versions},
        peak_mb=_peak_mb(),
        cpu_seconds=round(time.process_time(), 1),  # of the one thread: a busy machine does not count
    )


def failure() -> None:
    """Report the last error as a plain script would tell it: without the shell's own frames."""
    _watch["active"] = False
    error, frame = sys.last_value, sys.last_value.__traceback__
    while frame and frame.tb_frame.f_code.co_filename != _watch["lab"]:
        frame = frame.tb_next
    _report(error="".join(traceback.format_exception(error.with_traceback(frame), chain=False)))


def _report(**entries: object) -> None:
    with open(_watch["report"], "w", encoding="utf-8", errors="replace") as file:
        json.dump(entries, file)


def _notice(event: str, args: tuple) -> None:
    if not _watch["active"]:
        return
    if event == "open" and isinstance(args[2], int) and args[2] & _WRITES:
        _refuse_outside(_real(args[0]))
    elif event == "open":
        real = _real(args[0])
        if "__pycache__" in real:  # a module that was compiled before
            with suppress(ValueError):
                real = importlib.util.source_from_cache(real)
        if _is_source(real) and real != _watch["lab"] and os.path.isfile(real):
            _note(real)
    elif event == "llmnotes.reads":
        _note(_real(args[0]))
    elif event in ("os.listdir", "os.scandir"):
        real = _real(args[0] or ".")
        # what the package ships, it names when it loads it
        if _is_source(real) and not _below(real, str(PACKAGE)) and not _importing():
            _note(os.path.join(real, "*"))
    for index in _CHANGES.get(event, ()):
        _refuse_outside(_real(args[index]))


def _real(path: object) -> str:
    """Where a path leads; nothing for an open file's number."""
    return os.path.realpath(os.fsdecode(path)) if isinstance(path, (str, bytes, os.PathLike)) else ""


def _refuse_outside(real: str) -> None:
    if real and not real.startswith("/dev/") and "__pycache__" not in real and not _below(real, *_watch["may_write"]):
        raise PermissionError(
            f"the lab tried to write {real}; it may not write outside its folder of outputs; write below the current "
            "folder, or below tempfile.gettempdir()"
        )


def _importing() -> bool:
    """Whether Python itself lists a folder: it looks for modules, or for the metadata of installed packages."""
    files = (frame.f_code.co_filename for frame, _ in traceback.walk_stack(sys._getframe(2)))
    return any(file.startswith("<frozen importlib") or f"{os.sep}importlib{os.sep}" in file for file in files)


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
            return not (NOT_SOURCES & set(inner) or _below(real, *_watch["may_write"]))
    return False


def _below(real: str, *folders: str) -> bool:
    return any(real == folder or real.startswith(folder + os.sep) for folder in folders)


def _peak_mb() -> int:
    with suppress(OSError, TypeError):  # the peak of this process alone; getrusage counts what the parent held
        return int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) // 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024**2 if sys.platform == "darwin" else 1024)
