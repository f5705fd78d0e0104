"""Executing one lab: a kernel of its own, a time limit, and a folder in which its run is put together."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from llmnotes.site.errors import NotebookError, pick
from llmnotes.site.run.digests import changed_at, digest_of
from llmnotes.site.run.kernel import USED
from llmnotes.site.run.labs import SMOLLM2, Lab
from llmnotes.site.run.outputs import LONGEST, check_results, clean, outputs_of, shortened
from llmnotes.site.run.stored import FORMAT, PACKAGE, Run, dependency_name

WATCH = "_llmnotes_watch"  # what the runner is called in the kernel: a lab may use any other name


async def execute(
    lab: Lab, root: Path, work: Path, hub: bool, environment: Mapping[str, str] | None = None, first: str = ""
) -> Run:
    """Execute a lab in the empty folder `work`, and leave the run in `work/run`.

    What it reads below `root`, the project, is a dependency. With `hub` it may download models. `first` is code that is
    executed before it.

    Raises:
        NotebookError: the lab failed, said something that no run holds, or took too long.
    """
    if SMOLLM2 in lab.needs:
        from llmnotes.model import smollm2  # imports torch

        smollm2.get()
    folder, drawn = work / "run", work / "drawn" / "figures"
    for path in (folder / "figures", drawn, work / "scratch"):
        path.mkdir(parents=True)
    began, started = datetime.now(UTC), (work / "scratch").stat().st_ctime_ns
    cells, used = await _run_kernel(lab, root, work, first, _environment(work, hub) | (environment or {}))
    try:
        check_results({"cells": cells})
    except ValueError as error:
        raise NotebookError(f"{lab.path}: {error}") from None
    names = {out["name"]: out for cell in cells for out in cell if out["kind"] == "figure"}
    pick(names, lab.thumbnail, f"{lab.path}: header: thumbnail is", "figure of the lab")
    for path in sorted(drawn.iterdir()):  # what else a lab leaves is not kept
        if path.name.partition(".")[0] in names and path.suffix in (".svg", ".npz") and not path.is_symlink():
            content = path.read_bytes()
            kept = clean(content.decode()).encode() if path.suffix == ".svg" else content
            (folder / "figures" / path.name).write_bytes(kept)
    _write(folder / "results.json", {"cells": cells})
    depends = {"code": lab.digest}
    for path in map(Path, used.pop("reads")):
        depends[dependency_name(path, root)] = digest_of(path)
        if changed_at(path) > started:
            raise NotebookError(f"{lab.path}: {path} changed while the lab ran; run it again")
    ran = used | {
        "date": began.strftime("%Y-%m-%dT%H:%MZ"),
        "cpu": _cpu(),
        "system": f"{platform.system()} {platform.machine()}",
        "commit": commit_of(root),
    }
    run = Run(folder)
    meta = {"format": FORMAT, "lab": lab.stem, "ran": ran, "depends": depends, "files": run.digests()}
    _write(folder / "run.json", meta)
    return run


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


class _Client(NotebookClient):
    """nbclient, which would keep all that a cell prints, and takes a minute to join it where a line is long."""

    def output(self, outs: list, msg: dict, display_id: str | None, cell_index: int) -> object:
        content = msg["content"]
        if msg["msg_type"] == "stream" and sum(len(out.get("text", "")) for out in outs) > 20 * LONGEST:
            return None
        if msg["msg_type"] == "stream" and outs and outs[-1].get("name") == content["name"]:
            outs[-1].text += content["text"]
            return None
        return super().output(outs, msg, display_id, cell_index)


async def _run_kernel(
    lab: Lab, root: Path, work: Path, first: str, environment: Mapping[str, str]
) -> tuple[list[list[dict]], dict]:
    """What each code cell put out, and what the run used."""
    imports = f"import sys; sys.path.append({str(PACKAGE.parent)!r})\nimport llmnotes.site.run.kernel as {WATCH}"
    begin = f"{imports}\n{WATCH}.begin{(str(root), str(lab.path))!r}\n{first}"
    # each cell on its own lines of the script, so that Python's errors name them
    sources = [begin, *("\n" * (cell.line - 1) + cell.source for cell in lab.code), f"{WATCH}.end()"]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    sockets = Path(tempfile.mkdtemp(prefix="llmnotes-"))  # a short path: those of sockets may have about 100 bytes
    this = KernelSpecManager(kernel_dirs=[])  # this very interpreter, whatever kernels the user has registered
    kernel = AsyncKernelManager(kernel_spec_manager=this, connection_file=str(sockets / "kernel.json"))
    if os.name == "posix":
        kernel.transport = "ipc"  # no ports, so that no two runners meet on one
    notebook = nbformat.v4.new_notebook(cells=[*cells])
    client = _Client(notebook, km=kernel, timeout=None, record_timing=False, coalesce_streams=False)
    at, limit = 0, asyncio.timeout(lab.timeout)
    try:
        async with limit:
            await client.async_start_new_kernel(cwd=str(work / "scratch"), env=dict(environment))
            await client.async_start_new_kernel_client()
            for at, cell in enumerate(cells):
                await client.async_execute_cell(cell, at)
        for used in (out.data[USED] for out in cells[-1].outputs if USED in out.get("data", {})):
            return [outputs_of(cell) for cell in cells[1:-1]], used
        raise NotebookError(f"{lab.path}: its kernel cannot say what it used; leave IPython's display as it is")
    except CellExecutionError as error:
        said = ["\n".join(out.traceback) for out in cells[at].outputs if out.output_type == "error"]
        raise NotebookError(shortened("\n".join(said).rstrip() or str(error), 4000)) from None
    except (DeadKernelError, TimeoutError):  # nbclient takes it for a death if it is cancelled
        if asyncio.current_task().cancelling():
            raise asyncio.CancelledError from None
        why = "the kernel died in the cell that begins here; most often it ran out of memory"
        if limit.expired():
            why = f"still running after {lab.timeout:g} s, the lab's time limit, in the cell that begins here; "
            why += "make it faster or set `timeout:` (seconds) in its header"
        line = [1, *(cell.line for cell in lab.code)][min(at, len(lab.code))]
        raise NotebookError(f"{lab.path}:{line}: {why}") from None
    finally:
        with contextlib.suppress(Exception):
            if client.kc:
                client.kc.stop_channels()
            await kernel.shutdown_kernel(now=True)
        shutil.rmtree(sockets, ignore_errors=True)


def _environment(work: Path, hub: bool) -> dict[str, str]:
    """This process's environment without what would make a lab another one for some users."""
    import matplotlib

    theirs = {"PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE"}  # start-up files, optimisation and the like are not wanted
    kept = {name: value for name, value in os.environ.items() if name in theirs or not name.startswith("PYTHON")}
    ours = {
        "LLMNOTES_RUN": str(work / "drawn"),
        "TMPDIR": str(work / "scratch"),
        "IPYTHONDIR": str(work / "ipython"),
        "MPLBACKEND": "agg",
        "MATPLOTLIBRC": str(Path(matplotlib.get_data_path()) / "matplotlibrc"),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    return kept | threads(1) | ours | ({} if hub else {"HF_HUB_OFFLINE": "1"})


def threads(number: int) -> dict[str, str]:
    """The environment in which numerical libraries start so many threads."""
    return {f"{name}_NUM_THREADS": str(number) for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB_MAXIMUM")}


def _cpu() -> str:
    with contextlib.suppress(OSError, TypeError):
        known = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        return re.search(r"^model name\s*: (.+)$", known, re.MULTILINE)[1].strip()
    return platform.processor() or platform.machine()


def commit_of(root: Path) -> str:
    """The commit that a checkout is at, `+` behind it if the working tree differs; nothing outside a checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    git = ["git", "-C", str(root)]
    options = {"env": environment, "stderr": subprocess.DEVNULL, "text": True}
    try:  # a copy inside another repository has no commit of its own
        subprocess.check_output([*git, "ls-files", "--error-unmatch", "mkdocs.yml"], **options)
        described = [*git, "describe", "--always", "--exclude=*", "--abbrev=10", "--dirty=+"]
        return subprocess.check_output(described, **options).strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
