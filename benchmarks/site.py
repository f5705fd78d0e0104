"""How soon the site follows: a kernel's start, a whole build, a build without a change, an edit on its page.

    python benchmarks/site.py

It depends on the machine and on what else that does, so it is run by hand and no test asks for it.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from conftest import Notebook, clean_environment, make_notebook, mkdocs  # noqa: E402


def timed(do: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of processor time with that of children."""
    clock, before = time.monotonic(), os.times()
    do()
    after = os.times()
    return time.monotonic() - clock, sum(after[:4]) - sum(before[:4])


def say(what: str, clock: float, processor: float | None = None) -> None:
    print(f"| {what} | {clock:.1f} | {'' if processor is None else f'{processor:.1f}'} |", flush=True)


def imported() -> None:
    code = "import time; began = time.process_time(); import llmnotes; print(time.process_time() - began)"
    took = [float(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT)) for _ in range(5)]
    print(f"| `import llmnotes` | | {statistics.median(took):.3f} |")


def kernel(notebook: Notebook) -> None:
    lab = notebook.lab("01_tiny")
    say("a lab that does next to nothing: its kernel, a figure, the stored run", *timed(lambda: run(notebook, lab)))
    notebook.project.keep(lab, notebook.project.valid_run(lab))


def run(notebook: Notebook, lab) -> None:
    outcome = notebook.run(lab)[0]
    if outcome.error:
        raise SystemExit(outcome.error)


def builds(folder: Path) -> None:
    def build() -> None:
        done = mkdocs(ROOT, "build", "-q", "-d", str(folder / "site"), LLMNOTES_CACHE=str(folder / "cache"))
        if done.returncode:
            raise SystemExit(done.stderr)

    runs = Path(os.environ.get("LLMNOTES_CACHE") or ROOT / ".cache") / "runs"
    if runs.is_dir():
        shutil.copytree(runs, folder / "cache" / "runs")
    say("the whole site, nothing remembered (stale labs run first)", *timed(build))
    say("the whole site again, without a change", *timed(build))


def edits(notebook: Notebook) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mkdocs", "serve", "-q", "--livereload", "-a", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, cwd=notebook.root, env=clean_environment())

    def read(path: str) -> str:
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5).read().decode()
        except OSError:
            return ""

    def wait(path: str, text: str) -> None:
        deadline = time.monotonic() + 60
        while text not in read(path):
            if time.monotonic() > deadline:
                raise SystemExit(f"no {text!r} on /{path} within a minute")
            time.sleep(0.02)

    page, lab = notebook.root / "docs" / "findings" / "index.md", notebook.root / "labs" / "01_tiny.py"
    try:
        say("`mkdocs serve` of a tiny notebook, until it answers", timed(lambda: wait("", "Home"))[0])
        page.write_text(page.read_text() + "\nFreshly written.\n")
        say("a sentence of a page, until it is on the page", timed(lambda: wait("findings/", "Freshly written"))[0])
        lab.write_text(lab.read_text() + "\n# %% [markdown]\n# An afterthought.\n")
        say("a sentence of a lab, until it is on the page", timed(lambda: wait("labs/01_tiny/", "An afterthought"))[0])
    finally:
        server.terminate()
        server.wait(20)


def main() -> None:
    print("| | seconds | processor seconds |\n| --- | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        notebook = make_notebook(Path(folder) / "notebook")
        imported()
        kernel(notebook)
        edits(notebook)
        builds(Path(folder))


if __name__ == "__main__":
    main()
