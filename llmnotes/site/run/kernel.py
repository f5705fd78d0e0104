"""What the runner does inside the kernel of a lab: it notes what the lab reads, and tells of errors as a script would.

It runs before the first cell and after the last one, and imports nothing heavy, so that a lab that does not load torch
does not pay for it here. What it has to tell goes the way of what labs record, whatever they did to standard output.
"""

from __future__ import annotations

import os
import re
import sys
import time
import traceback
from contextlib import suppress
from functools import partial
from pathlib import Path

from llmnotes.site.run.digests import NOT_SOURCES

PACKAGE = str(Path(__file__).resolve().parents[2])
USED = "application/vnd.llmnotes.used+json"  # what the run used

_reads = {f"{PACKAGE}{os.sep}__init__.py"}  # which is loaded already


def begin(root: str, lab: str) -> None:
    """Start to watch, and make the kernel what a plain script would find: called once, before the first cell.

    What is read below `root`, the project, is a dependency, but for what the lab made in the run's own folder.
    """
    from IPython import get_ipython

    shell = get_ipython()
    shell.transform_cell = lambda cell: cell  # Python as it stands: `ls` and `x?` are no commands
    shell.compile.cache = lambda *_, **__: lab  # errors name the script, whose lines the cells keep
    shell.showtraceback = partial(_show_error, shell, lab)
    # what is no text fails at its line, as in a plain script; the kernel would drop all that it came with
    sys.stdout.echo = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    shell.user_ns["__file__"] = lab
    sys.argv = [lab]
    sys.path[:] = [os.path.dirname(lab), *(path for path in sys.path if path not in ("", os.getcwd()))]
    own = os.path.dirname(os.path.realpath(os.getcwd()))
    sys.addaudithook(partial(_notice, os.path.realpath(root), own, lab))


def end() -> None:
    """Tell what the run used: called once, after the last cell."""
    from IPython.display import publish_display_data

    libraries = ("numpy", "torch", "transformers", "sklearn", "matplotlib", "llmnotes")
    versions = {name: str(sys.modules[name].__version__) for name in libraries if name in sys.modules}
    used = {
        "reads": sorted(_reads),
        "versions": {"python": ".".join(map(str, sys.version_info[:3])), **versions},
        "peak_mb": _peak_mb(),
        "cpu_seconds": round(time.process_time(), 1),  # of the one thread: a busy machine does not count
    }
    publish_display_data({USED: used})


def _show_error(shell: object, lab: str, *_: object, **__: object) -> None:
    """Show the error that is being handled without the shell's own frames."""
    kind, error, frame = sys.exc_info()
    while frame and frame.tb_frame.f_code.co_filename != lab:
        frame = frame.tb_next
    text = "".join(traceback.format_exception(error.with_traceback(frame), chain=False))
    shell._showtraceback(kind, "", [text.encode(errors="replace").decode()])


def _notice(root: str, own: str, lab: str, event: str, args: tuple) -> None:
    if event not in ("open", "os.listdir", "os.scandir", "llmnotes.reads") or isinstance(args[0], int):
        return
    real = os.path.realpath(os.fsdecode(args[0] or "."))
    by_python = "importlib" in sys._getframe(1).f_code.co_filename  # which lists folders to find modules
    if _below(real, own):
        return
    if event == "llmnotes.reads":
        _reads.add(real)
    elif event == "open":
        real = re.sub(r"__pycache__.(\w+)\.[^/\\]+\.pyc$", r"\1.py", real)  # a module that was compiled before
        if _is_source(real, PACKAGE, root) and real != lab and not args[2] & os.O_WRONLY and os.path.isfile(real):
            _reads.add(real)
    elif _is_source(real, root) and not _below(real, PACKAGE) and not by_python:  # which names what it loads
        _reads.add(os.path.join(real, "*"))


def _is_source(real: str, *bases: str) -> bool:
    """Whether a path lies in the project or the package, and is neither made there nor the site's own code."""
    base = next((base for base in bases if _below(real, base)), None)
    return base is not None and not NOT_SOURCES & set(real[len(base) :].split(os.sep))


def _below(real: str, folder: str) -> bool:
    return real == folder or real.startswith(folder + os.sep)


def _peak_mb() -> int:
    with suppress(OSError, TypeError):  # the peak of this process alone; getrusage counts what the parent held
        return int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) // 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024**2 if sys.platform == "darwin" else 1024)
