"""Executing labs: a kernel and one torch thread each, a time limit, and as many at once as there are cores."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

import llmnotes
from llmnotes.lab.predictions import holds
from llmnotes.lab.saying import MIME
from llmnotes.model import smollm2
from llmnotes.site.errors import NotebookError
from llmnotes.site.run.digests import digest, digest_of_file
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.store import FORMAT, PACKAGE, Project, Run, dependency_name, digest_of

INSIDE = "_llmnotes_inside"
"""The runner's name in the kernel, which no lab uses for something of its own."""


@dataclass(frozen=True)
class Outcome:
    """What became of one lab: its run, or why there is none."""

    lab: Lab
    run: Run | None = None
    error: str | None = None
    seconds: float = 0.0
    fresh: bool = False  # whether it was executed now


Report = Callable[[Lab, str], None]  # called with "waits", "runs", "done", "stored" or "failed"


def run_labs(
    project: Project,
    labs: Iterable[Lab],
    *,
    fresh: bool = False,
    hub: bool | None = None,
    fetch: bool | None = None,
    jobs: int | None = None,
    report: Report = lambda lab, state: None,
) -> list[Outcome]:
    """Give each lab a valid run: a stored one where there is one, else a new one.

    Args:
        project: where the runs are stored.
        labs: which labs.
        fresh: run them whatever is stored.
        hub: run labs that download a model; by default only if `LLMNOTES_HUB` is set. Without it, such a lab's
            outcome is its recorded run, valid or not, or nothing.
        fetch: fetch SmolLM2 if a lab that needs it is to run and it is not here; by default as `fresh`. Without it,
            such a lab's outcome is its recorded run, valid or not, or nothing: no page waits for a download.
        jobs: how many at once; by default one for each core.
        report: told of each lab's progress.

    Returns:
        One outcome for each lab, in order. A lab that fails does not keep the others from running.
    """
    labs = list(labs)
    hub = bool(os.environ.get("LLMNOTES_HUB")) if hub is None else hub
    fetch = fresh if fetch is None else fetch
    outcomes: dict[str, Outcome] = {}
    waiting = []
    for lab in labs:
        if lab.needs_hub and not hub:
            outcomes[lab.stem] = Outcome(lab, run=project.recorded(lab))
            report(lab, "stored")
            continue
        try:
            stored = None if fresh else project.valid_run(lab)
        except NotebookError as error:
            outcomes[lab.stem] = Outcome(lab, error=str(error))
            report(lab, "failed")
            continue
        if not stored and lab.needs_smollm2 and not smollm2.is_here():
            if not fetch:
                outcomes[lab.stem] = Outcome(lab, run=project.recorded(lab))
            else:
                try:
                    smollm2.get()
                except (ConnectionError, ImportError, PermissionError) as error:
                    outcomes[lab.stem] = Outcome(lab, error=f"{lab.path}: {error}")
        if lab.stem in outcomes:
            report(lab, "failed" if outcomes[lab.stem].error else "stored")
        elif stored:
            outcomes[lab.stem] = Outcome(lab, run=stored)
            report(lab, "stored")
        else:
            waiting.append(lab)
            report(lab, "waits")

    async def everything() -> list[Outcome]:
        cores = asyncio.Semaphore(jobs or _cores())

        async def one(lab: Lab) -> Outcome:
            async with cores:
                report(lab, "runs")
                began = time.monotonic()
                try:
                    run = await _execute(project, lab, hub)
                except Exception as error:  # whatever it is, it keeps no other lab from running
                    report(lab, "failed")
                    said = str(error) if isinstance(error, NotebookError) else traceback.format_exc().rstrip()
                    return Outcome(lab, error=said, seconds=time.monotonic() - began, fresh=True)
                report(lab, "done")
                return Outcome(lab, run=run, seconds=time.monotonic() - began, fresh=True)

        return await asyncio.gather(*(one(lab) for lab in waiting))

    if waiting:
        outcomes |= {outcome.lab.stem: outcome for outcome in asyncio.run(everything())}
    return [outcomes[lab.stem] for lab in labs]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Kernel(AsyncKernelManager):
    """A kernel of this very interpreter, whatever kernels the user has registered."""

    @property
    def kernel_spec(self) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.enabled=False"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


async def _execute(project: Project, lab: Lab, hub: bool) -> Run:
    with project.workspace() as work:
        folder, scratch = work / "run", work / "scratch"
        for path in (folder / "figures", scratch):
            path.mkdir(parents=True)
        package_before = {path: digest_of_file(path) for path in PACKAGE.rglob("*.py")}
        began, started = datetime.now(UTC), time.monotonic()
        outputs, used = await _run_kernel(project, lab, folder, scratch, hub)
        seconds = time.monotonic() - started
        (folder / "outputs.json").write_text(_json(outputs), encoding="utf-8")
        (folder / "results.json").write_text(_json(_results(lab, outputs)), encoding="utf-8")
        depends = {"code": lab.digest}
        for path in sorted(map(Path, used["read"])):
            name = dependency_name(path, project.root)
            depends[name] = package_before.get(path) or digest_of(name, project.root)
        meta = {
            "format": FORMAT,
            "lab": lab.stem,
            "ran": {
                "date": began.strftime("%Y-%m-%dT%H:%MZ"),
                "seconds": round(seconds, 1),
                "cpu_seconds": used["cpu_seconds"],  # of the one thread: a busy machine does not count
                "peak_mb": used["peak_mb"],
                "cpu": _cpu(),
                "system": f"{platform.system()} {platform.machine()}",
                "versions": used["versions"] | {"llmnotes": llmnotes.__version__},
                "commit": _commit(project.root),
            },
            "depends": depends,
            "files": {p.relative_to(folder).as_posix(): digest(p.read_bytes()) for p in _files(folder)},
        }
        (folder / "run.json").write_text(_json(meta), encoding="utf-8")
        return project.publish(lab, folder)


async def _run_kernel(
    project: Project, lab: Lab, folder: Path, scratch: Path, hub: bool
) -> tuple[list[list[dict]], dict]:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.source) for cell in lab.code])
    sockets = Path(
        tempfile.mkdtemp(prefix="llmnotes-")
    )  # a short path: those of sockets are limited to about 100 bytes
    kernel = _Kernel(connection_file=str(sockets / "kernel.json"))
    if os.name == "posix":
        kernel.transport = "ipc"  # no ports, so that no two runners meet on one
    client = NotebookClient(notebook, km=kernel, timeout=None, record_timing=False, coalesce_streams=True)
    at = {"cell": 0}

    async def work() -> dict:
        await client.async_start_new_kernel(cwd=str(folder), env=_environment(folder, scratch, hub))
        await client.async_start_new_kernel_client()
        await _hidden(client, _begin(project, lab, folder, scratch))
        for i, cell in enumerate(notebook.cells):
            at["cell"] = i
            await client.async_execute_cell(cell, i)
        return json.loads(await _hidden(client, f"{INSIDE}.end()"))

    task = asyncio.ensure_future(work())
    try:
        await asyncio.wait({task}, timeout=lab.timeout)
        where = f"{lab.path}:{lab.line_of(at['cell'])}"
        if not task.done():
            raise NotebookError(
                f"{where}: still running after {lab.timeout:g} s, the lab's time limit, in the cell that begins here; "
                "make it faster or set `timeout:` (seconds) in its header"
            )
        try:
            used = task.result()
        except CellExecutionError:
            text = await asyncio.wait_for(_hidden(client, f"{INSIDE}.failure({at['cell']})"), timeout=10)
            raise NotebookError(text.rstrip()) from None
        except DeadKernelError:
            raise NotebookError(
                f"{where}: the kernel died in the cell that begins here; most often it ran out of memory"
            ) from None
    finally:
        task.cancel()
        with contextlib.suppress(Exception):
            if client.kc:
                client.kc.stop_channels()
            await kernel.shutdown_kernel(now=True)
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
        shutil.rmtree(sockets, ignore_errors=True)
    return [_outputs(lab, i, cell) for i, cell in enumerate(notebook.cells)], used


def _begin(project: Project, lab: Lab, folder: Path, scratch: Path) -> str:
    cells = [(cell.line, cell.source) for cell in lab.code]
    may_write = [str(folder), str(scratch), *_caches(lab.needs_hub)]
    arguments = f"{str(project.root)!r}, {may_write!r}, {str(lab.path)!r}, {cells!r}"
    imports = f"import sys; sys.path.append({str(PACKAGE.parent)!r})\nimport llmnotes.site.run.inside as {INSIDE}"
    return f"{imports}\n{INSIDE}.begin({arguments})"


def _caches(hub: bool) -> list[str]:
    """Where libraries keep what they may write from within a lab: fonts of matplotlib, models of the hub."""
    import matplotlib

    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    if hub:
        home.mkdir(parents=True, exist_ok=True)  # inside, only what lies below an allowed folder can be made
    return [matplotlib.get_cachedir(), matplotlib.get_configdir(), str(home)]


def _environment(folder: Path, scratch: Path, hub: bool) -> dict[str, str]:
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB_MAXIMUM")}
    environment = os.environ | threads
    environment |= {
        "LLMNOTES_RUN": str(folder),
        "TMPDIR": str(scratch),
        "IPYTHONDIR": str(scratch / "ipython"),  # nobody's start-up files
        "MPLBACKEND": "agg",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    if not hub:
        environment["HF_HUB_OFFLINE"] = "1"
    return environment


async def _hidden(client: NotebookClient, code: str) -> str:
    """Execute code that is not the lab's, and return what it printed."""
    cell = nbformat.v4.new_code_cell(code)
    client.nb.cells.append(cell)
    try:
        await client.async_execute_cell(cell, len(client.nb.cells) - 1)
    finally:
        client.nb.cells.remove(cell)
    return "".join(out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stdout")


def _outputs(lab: Lab, index: int, cell: nbformat.NotebookNode) -> list[dict]:
    """The outputs of one cell as a run stores them; what goes to stderr (progress bars, warnings) is not kept."""
    found: list[dict] = []
    kinds = {MIME.format(kind): kind for kind in ("record", "labels", "prediction", "question", "figure")}
    for out in cell.outputs:
        if out.output_type == "stream":
            if out.name == "stdout" and out.text.strip():
                found.append({"kind": "text", "text": out.text.rstrip("\n")})
            continue
        data = out.get("data", {})
        if mime := next((mime for mime in kinds if mime in data), None):
            found.append({"kind": kinds[mime], **data[mime]})
        elif "text/markdown" in data:
            found.append({"kind": "markdown", "text": data["text/markdown"]})
        elif "text/plain" in data:
            found.append({"kind": "text", "text": data["text/plain"]})
    return found


def _results(lab: Lab, outputs: list[list[dict]]) -> dict:
    said: dict[str, list[dict]] = {"record": [], "labels": [], "prediction": [], "question": [], "figure": []}
    for out in (out for cell in outputs for out in cell):
        if out["kind"] in said:
            said[out["kind"]].append({name: value for name, value in out.items() if name != "kind"})
    names = {entry["name"] for entry in said["record"]}
    for entry in said["prediction"]:
        if entry["resolved_by"] not in names:
            raise NotebookError(
                f"{lab.path}: the prediction {entry['claim']!r} waits for {entry['resolved_by']!r}, "
                f"which the lab never recorded; it recorded: {', '.join(sorted(names)) or 'nothing'}"
            )
    if not names:
        raise NotebookError(f"{lab.path}: records nothing; call note(name=value) for each number it stands for")
    figures = {entry["name"] for entry in said["figure"]}
    if lab.thumbnail not in figures:
        raise NotebookError(
            f"{lab.path}: header: thumbnail is {lab.thumbnail!r}; expected one of its figures: "
            f"{', '.join(sorted(figures)) or 'it has none'}"
        )
    labels = {name: text for entry in said["labels"] for name, text in entry.items()}
    values = [entry | {"label": labels.get(entry["name"], "")} for entry in said["record"]]
    for entry in said["question"]:
        _check_question(lab, entry, {value["name"]: value["value"] for value in values}, said["figure"])
    return {
        "lab": lab.stem,
        "values": values,
        "predictions": said["prediction"],
        "questions": said["question"],
        "figures": said["figure"],
    }


def _check_question(lab: Lab, entry: dict, values: dict, figures: list[dict]) -> None:
    """Refuse a question to the reader whose answer this run does not bear out, or whose figure it never drew."""
    where = f"{lab.path}: the question {entry['question']!r}"
    figure = next((figure for figure in figures if figure["name"] == entry["figure"]), None)
    if figure is None:
        raise NotebookError(f"{where} is settled by the figure {entry['figure']!r}, which the lab never drew")
    if entry["curve"] and entry["answer"] not in figure["arrays"]:
        raise NotebookError(
            f"{where}: the figure {entry['figure']!r} has no array {entry['answer']!r}; it has "
            f"{', '.join(figure['arrays'])}"
        )
    for one in entry["settled"]:
        name, condition = one["name"], one["if_"]
        if name not in values:
            raise NotebookError(f"{where} waits for {name!r}, which the lab never recorded")
        if not holds(values[name], condition):
            raise NotebookError(
                f"{where}: the answer {entry['answer']!r} needs {name} {condition}, and it is {values[name]!r}"
            )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _commit(root: Path) -> str:
    """The commit that the run stood on, `+` behind it if the working tree differed; nothing outside a checkout."""
    git = ["git", "-C", str(root)]
    found = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=False)
    if found.returncode:
        return ""
    changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=False)
    return found.stdout.strip() + ("+" if changed.stdout.strip() else "")
