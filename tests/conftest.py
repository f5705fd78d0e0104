"""What the tests share: tiny notebooks that run in seconds, one new run of every real lab, and one built site."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tiny_models import (  # noqa: F401  fixtures
    _models_stay_as_they_were,
    gpt2,
    ids,
    model,
    modern,
    neox,
    other_ids,
)

from llmnotes.site.run.labs import Lab, read_lab
from llmnotes.site.run.runner import Outcome, run_labs
from llmnotes.site.run.store import Project

ROOT = Path(__file__).resolve().parents[1]

HEADER = {
    "title": "A tiny lab",
    "question": "What is the answer?",
    "level": "beginner",
    "minutes": 1,
    "topic": "architecture",
    "models": "[]",
    "needs": "[]",
    "tags": "[tiny]",
    "thumbnail": "line",
}
TINY = """\
from llmnotes.lab import figure, in_words, note, predict

predict("The answer is more than 40", 0.8, answer="> 40")

# %%
import matplotlib.pyplot as plt

note(answer=42)
note(share=0.25, atol=0.01, because="a hundred draws")
in_words(answer="The answer")
print("said in passing")
fig, ax = plt.subplots(figsize=(4, 2))
ax.plot([0, 1, 2], [0.25, 0.5, 0.75])
figure(fig, name="line", alt="A line that rises.", caption="It rises.")
"""
MKDOCS = """\
site_name: tiny
theme: {name: material, font: false}
nav: [index.md, {Labs: [labs/index.md]}, {Findings: [findings/index.md]}]
plugins: [llmnotes, search]
markdown_extensions:
  [abbr, admonition, attr_list, md_in_html, tables, pymdownx.details, pymdownx.highlight, pymdownx.superfences,
   {pymdownx.arithmatex: {generic: true}}]
validation: {links: {not_found: warn, anchors: warn}}
"""
SITE_URL = "https://someone.example/llmnotes/"  # never asked for anything
MAIN = "from llmnotes.site.run.cli import main; main(prog_name='llmnotes')"


@dataclass(frozen=True)
class Notebook:
    """A small notebook of its own in a temporary folder."""

    root: Path

    @property
    def project(self) -> Project:
        return Project(self.root)

    def lab(self, stem: str, code: str = TINY, prose: str = "Some prose.", **header: object) -> Lab:
        """Write a lab and read it; a header key set to None is left out."""
        fields = {name: value for name, value in (HEADER | header).items() if value is not None}
        return read_lab(self.write(stem, code, prose, **fields))

    def write(self, stem: str, code: str = TINY, prose: str = "Some prose.", **header: object) -> Path:
        """Write a lab as it is, right or wrong."""
        lines = [f"# {name}: {value}" for name, value in (header or HEADER).items()]
        path = self.root / "labs" / f"{stem}.py"
        path.write_text("\n".join(["# ---", *lines, "# ---", "", f"# %% [markdown]\n# {prose}\n\n# %%\n{code}"]))
        return path

    def run(self, *labs: Lab, **options) -> list[Outcome]:
        return run_labs(self.project, labs or self.project.labs(), **options)

    def llmnotes(self, *arguments: str, package: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
        """The command line in a process of its own, with the installed package or another copy of it."""
        return subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            cwd=self.root,
            env=clean_environment(package) | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def mkdocs(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return mkdocs(self.root, *arguments, **environment)


def clean_environment(package: Path | None = None) -> dict[str, str]:
    """The environment without what would lead a child elsewhere."""
    left_out = {"LLMNOTES_CACHE", "LLMNOTES_FRESH", "LLMNOTES_HUB", "LLMNOTES_RUN", "GITHUB_REPOSITORY", "SITE_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return kept | {
        "COLUMNS": "300",
        "NO_MKDOCS_2_WARNING": "1",
        "PYTHONPATH": str((package or ROOT / "llmnotes").parent),
    }


def mkdocs(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", *arguments],
        cwd=root,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def make_notebook(root: Path) -> Notebook:
    for folder in ("labs", "docs/labs", "docs/findings"):
        (root / folder).mkdir(parents=True)
    (root / "mkdocs.yml").write_text(MKDOCS)
    (root / "docs" / "index.md").write_text("# Home\n\n{{ gallery() }}\n")
    (root / "docs" / "labs" / "index.md").write_text("# Labs\n")
    (root / "docs" / "findings" / "index.md").write_text('# Findings\n\n{{ entries("findings") }}\n')
    return Notebook(root)


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """An empty notebook, whose runs stay in it."""
    monkeypatch.delenv("LLMNOTES_CACHE", raising=False)
    monkeypatch.delenv("LLMNOTES_HUB", raising=False)
    return make_notebook(tmp_path / "notebook")


@pytest.fixture(scope="session")
def _recorded_once(tmp_path_factory: pytest.TempPathFactory) -> Notebook:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LLMNOTES_CACHE", raising=False)
        made = make_notebook(tmp_path_factory.mktemp("recorded") / "notebook")
        outcome = made.run(made.lab("01_tiny"))[0]
        assert outcome.error is None, outcome.error
        made.project.keep(outcome.lab, outcome.run)
        shutil.rmtree(made.project.cache)
    return made


@pytest.fixture
def recorded(_recorded_once: Notebook, notebook: Notebook) -> Notebook:
    """A notebook with one lab, `01_tiny`, and its recorded run; made without running anything again."""
    shutil.copytree(_recorded_once.root, notebook.root, dirs_exist_ok=True)
    return notebook


@pytest.fixture(scope="session")
def fresh_runs() -> dict[str, Outcome]:
    """Every lab of the repository run once from nothing, into the repository's own cache, where the site finds it."""
    project = Project(ROOT)
    return {outcome.lab.stem: outcome for outcome in run_labs(project, project.labs(), fresh=True)}


@pytest.fixture(scope="session")
def plain_scripts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """Every lab that is asked for as a plain script in a folder without a site, one after the other in the background.

    Gives for each lab's stem a future of its finished process.
    """
    blocked, elsewhere = tmp_path_factory.mktemp("without"), tmp_path_factory.mktemp("elsewhere")
    for name in ("mkdocs", "jupytext", "nbclient", "click", "rich"):
        (blocked / f"{name}.py").write_text("raise ImportError('a plain script needs no site')")
    environment = clean_environment() | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONPATH": str(blocked)}
    running: set[subprocess.Popen] = set()

    def run(path: Path) -> subprocess.CompletedProcess:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen([sys.executable, str(path)], cwd=elsewhere, env=environment, **pipes) as process:
            running.add(process)
            out, err = process.communicate()
            running.discard(process)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    asked = [item.callspec.params["lab"] for item in request.session.items if "plain_scripts" in item.fixturenames]
    with ThreadPoolExecutor(1) as pool:
        hub = bool(os.environ.get("LLMNOTES_HUB"))
        yield {lab.stem: pool.submit(run, lab.path) for lab in asked if hub or not lab.needs_hub}
        pool.shutdown(wait=False, cancel_futures=True)
        for process in [*running]:
            process.kill()


@pytest.fixture(scope="session")
def built(fresh_runs: dict[str, Outcome], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The site, built with `--strict` from nothing and at once again, and the processor time of the second build."""
    target = tmp_path_factory.mktemp("site")
    for _ in range(2):
        done, seconds = build_site(target)
        assert done.returncode == 0, done.stdout + done.stderr
    return target, seconds


@pytest.fixture(scope="session")
def site(built: tuple[Path, float], request: pytest.FixtureRequest) -> Path:
    """The built site."""
    if any("plain_scripts" in item.fixturenames for item in request.session.items):
        request.getfixturevalue("plain_scripts")  # they begin now, beside the tests that wait for a browser
    return built[0]


def build_site(target: Path) -> tuple[subprocess.CompletedProcess, float]:
    """Build the repository's site as CI does; also gives the processor time that it took, in seconds."""
    before = os.times()
    environment = {"GITHUB_REPOSITORY": "someone/llmnotes", "SITE_URL": SITE_URL}
    if "LLMNOTES_CACHE" in os.environ:
        environment["LLMNOTES_CACHE"] = os.environ["LLMNOTES_CACHE"]
    built = mkdocs(ROOT, "build", "--strict", "-d", str(target), **environment)
    after = os.times()
    seconds = after.children_user - before.children_user + after.children_system - before.children_system
    return built, seconds


def real_labs() -> list[Lab]:
    """The labs of the repository, for parametrised tests; a broken one fails in a test of its own."""
    return [lab for path in sorted((ROOT / "labs").glob("[0-9][0-9]_*.py")) if (lab := _readable(path))]


def _readable(path: Path) -> Lab | None:
    try:
        return read_lab(path)
    except Exception:
        return None


BROWSER_SKIP = "no browser found"


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("force_regen", False) or config.getoption("regen_all", False):
        raise pytest.UsageError(
            "recorded runs are the snapshots, and `llmnotes record LAB` is the only way to change them "
            "(in a checkout also: make record LAB=01)"
        )


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter) -> None:
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if BROWSER_SKIP in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} browser tests were SKIPPED: {BROWSER_SKIP}. Install chromium, or let Playwright fetch its "
            "own with: playwright install chromium",
            yellow=True,
            bold=True,
        )


def kernels_of(root: Path) -> list[int]:
    """Processes that work below a folder: a run's kernel has the run's folder as its own."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd").startswith(str(root)):
                found.append(int(process.name))
        except OSError:
            continue
    return found
