"""What the tests share: tiny notebooks that run in seconds, and what `once` and `browsing` make for all of them."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as many processes as cores: one thread each

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from browsing import BROWSER_SKIP, address, browser  # noqa: F401  fixtures
from once import (  # noqa: F401  fixtures
    ROOT,
    SITE_URL,
    fresh_run,
    goes_with,
    in_order,
    labs_anew,
    real_labs,
    shared,
    site,
    without_site,
)
from tiny_models import (  # noqa: F401  fixtures
    _models_stay_as_they_were,
    gpt2,
    ids,
    model,
    modern,
    neox,
    other_ids,
)
from xor_page import trainer, xor  # noqa: F401  fixtures

from llmnotes.site.run.labs import Lab, read_lab
from llmnotes.site.run.runner import Outcome, run_labs
from llmnotes.site.run.store import Project

HEADER = {
    "title": "A tiny lab",
    "question": "What is the answer?",
    "level": "beginner",
    "minutes": 1,
    "chapter": "Start",
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
MAIN = "from llmnotes.site.cli import main; main(prog_name='llmnotes')"


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
    left_out = {"LLMNOTES_CACHE", "LLMNOTES_HUB", "LLMNOTES_RUN", "GITHUB_REPOSITORY", "SITE_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return kept | {
        "COLUMNS": "300",
        "NO_MKDOCS_2_WARNING": "1",
        "PYTHONPATH": str((package or ROOT / "llmnotes").parent),
    }


def mkdocs(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    if root == ROOT and "LLMNOTES_CACHE" in os.environ:
        environment.setdefault("LLMNOTES_CACHE", os.environ["LLMNOTES_CACHE"])
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
    (root / "docs" / "index.md").write_text("# Home\n\n{{ labs() }}\n")
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


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("force_regen", False) or config.getoption("regen_all", False):
        raise pytest.UsageError(
            "recorded runs are the snapshots, and `llmnotes record LAB` is the only way to change them "
            "(in a checkout also: make record LAB=01)"
        )


def pytest_report_header() -> str:
    return f"labs that run anew: {', '.join(lab.stem for lab in labs_anew()) or 'none'} (LLMNOTES_LABS=all: every one)"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """As `--dist loadgroup` would have it, whose groups get lost with pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return goes_with(nodeid)

    return Together(config, log)


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
