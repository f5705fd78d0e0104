"""What a test run makes once, however many processes share it: new runs of the labs, and the built site.

`make test` runs the labs whose recorded run is stale, and a third of the others, which the commit picks: the same
commit always runs the same labs, other commits run others. With LLMNOTES_LABS=all every lab runs, as in `make labs`;
with LLMNOTES_LABS=none no lab does, unless the site cannot be built without.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from filelock import FileLock

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.labs import Lab, read_lab
from llmnotes.site.run.runner import Outcome, run_labs
from llmnotes.site.run.store import Project, Run

ROOT = Path(__file__).resolve().parents[1]
SITE_URL = "https://someone.example/llmnotes/"  # never asked for anything
NO_PART_OF_A_LAB = ("mkdocs", "jupytext", "nbclient", "click", "rich")


@functools.cache
def real_labs() -> list[Lab]:
    """The labs of the repository, for parametrised tests; a broken one fails in a test of its own."""
    return [lab for path in sorted((ROOT / "labs").glob("[0-9][0-9]_*.py")) if (lab := _readable(path))]


def _readable(path: Path) -> Lab | None:
    try:
        return read_lab(path)
    except Exception:
        return None


@functools.cache
def labs_anew() -> list[Lab]:
    """The labs that this test run executes."""
    labs = [lab for lab in real_labs() if os.environ.get("LLMNOTES_HUB") or "hub" not in lab.needs]
    match os.environ.get("LLMNOTES_LABS", ""):
        case "all":
            return labs
        case "none":
            return []
        case "":
            pass
        case other:
            raise pytest.UsageError(f"LLMNOTES_LABS is {other!r}; expected all or none, or leave it unset")
    chosen = third(labs, commit())
    return [lab for lab in labs if lab in chosen or is_stale(lab)]


def third(labs: Sequence[Lab], number: int) -> list[Lab]:
    """Every third lab, from the first, the second or the third on."""
    return [*labs[number % 3 :: 3]]


def commit() -> int:
    """The commit as a number; 0 outside a checkout."""
    git = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    try:
        return int(subprocess.run(git, capture_output=True, text=True, check=True).stdout, 16)
    except (OSError, subprocess.CalledProcessError):
        return 0


def is_stale(lab: Lab) -> bool:
    """Whether no recorded run speaks for the lab as it stands."""
    try:
        recorded = Project(ROOT).recorded(lab)
        return recorded is None or recorded.stale_because(lab, ROOT) is not None
    except NotebookError:
        return True


def recorded_seconds(lab: Lab) -> float:
    """Processor time of the recorded run; infinite without one."""
    try:
        recorded = Project(ROOT).recorded(lab)
        return recorded.cpu_seconds if recorded else float("inf")
    except NotebookError:
        return float("inf")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own


def once(shared: Path, name: str, make: Callable[[], dict]) -> dict:
    """What `make` gives, made by the first process that asks; the others wait for it."""
    kept = shared / f"{name}.json"
    with FileLock(shared / f"{name}.lock"):
        if not kept.exists():
            kept.write_text(json.dumps(make()))
        return json.loads(kept.read_text())


@pytest.fixture(scope="session")
def without_site(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder which, first on the path, hides what the site is built with: a lab needs none of it."""
    folder = tmp_path_factory.mktemp("without")
    for name in NO_PART_OF_A_LAB:
        (folder / f"{name}.py").write_text(f"raise ImportError('a lab needs no {name}')")
    return str(folder)


@pytest.fixture(scope="session")
def fresh_run(shared: Path, without_site: str) -> Callable[[Lab], Outcome]:
    """Gives a lab's new run, made once, into the repository's own cache, where the site finds it."""

    def execute(lab: Lab) -> dict:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", without_site, prepend=os.pathsep)
            outcome = run_labs(Project(ROOT), [lab], fresh=True, hub=bool(os.environ.get("LLMNOTES_HUB")))[0]
        return {"run": str(outcome.run.folder) if outcome.run else None, "error": outcome.error}

    def run(lab: Lab) -> Outcome:
        made = once(shared, lab.stem, lambda: execute(lab))
        return Outcome(lab, Run(Path(made["run"])) if made["run"] else None, made["error"], fresh=True)

    return run


@pytest.fixture(scope="session")
def site(shared: Path, fresh_run: Callable[[Lab], Outcome]) -> Path:
    """The site, built once with `--strict` as CI builds it, from the labs' new runs."""
    from conftest import mkdocs

    for lab in labs_anew():
        fresh_run(lab)

    def build() -> dict:
        target = shared / "llmnotes"  # as its address says, which the page for lost readers links from
        done = mkdocs(
            ROOT, "build", "--strict", "-d", str(target), GITHUB_REPOSITORY="someone/llmnotes", SITE_URL=SITE_URL
        )
        return {"site": str(target), "said": "" if done.returncode == 0 else done.stdout + done.stderr}

    made = once(shared, "site", build)
    assert not made["said"], made["said"]
    return Path(made["site"])


def in_order(items: list[pytest.Item]) -> None:
    """Order the tests so that no process waits for another.

    First the labs' runs, the longest ahead; then the site, which one process builds while the others are busy with unit
    tests; the browser last, and of its tests the many short ones, so that all processes end together.
    """
    browsers = {item.path for item in items if "browser" in item.fixturenames}

    def rank(item: pytest.Item) -> tuple:
        if item.path in browsers:
            return 3, "test_browser.py::" in item.nodeid and "[" in item.name
        lab = item.callspec.params.get("lab") if hasattr(item, "callspec") else None
        if isinstance(lab, Lab) and "fresh_run" in item.fixturenames and "site" not in item.fixturenames:
            return 0, -recorded_seconds(lab)
        return (1, 0) if item.path.stem == "test_site" else (2, 0)

    items.sort(key=rank)


def goes_with(nodeid: str) -> str:
    """Which tests one process gets together: a file's, which share what its fixtures make.

    Labs and visits of pages are many and alike: of their files, what is about the same lab or page goes together.
    """
    file, _, test = nodeid.partition("::")
    split = Path(file).stem in ("test_labs", "test_browser") and "[" in test
    return f"{file}[{test.partition('[')[2]}" if split else file
