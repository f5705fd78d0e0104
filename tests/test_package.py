"""The package as a whole: quick to import, in two layers, and whole in a wheel."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, TINY, clean_environment, make_notebook

SOURCES = sorted((ROOT / "llmnotes").rglob("*.py"))


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, llmnotes\n"
        "heavy = {'torch', 'transformers', 'numpy', 'matplotlib', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if "site" not in path.relative_to(ROOT / "llmnotes").parts], ids=lambda p: p.stem
)
def test_what_labs_call_never_imports_the_site(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            assert not f"{name}.".startswith("llmnotes.site."), f"{path}:{node.lineno}: imports {name}"


def test_nothing_unpickles_or_trusts_code_from_elsewhere() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not {"pickle", "joblib", "dill"} & {alias.name.split(".")[0] for alias in node.names}, path
            if isinstance(node, ast.keyword) and node.arg in ("trust_remote_code", "allow_pickle"):
                assert isinstance(node.value, ast.Constant), path
                assert node.value.value is False, path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    isolated = [] if importlib.util.find_spec("hatchling") is None else ["--no-isolation"]
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", *isolated, "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def test_a_wheel_holds_what_the_package_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "llmnotes"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    assert {
        "llmnotes/lab/records.py",
        "llmnotes/site/pages/templates/lab.md.jinja",
        "llmnotes/site/pages/theme/main.html",
        "llmnotes/site/pages/katex/katex.min.js",
        "llmnotes/site/pages/iframe-worker/shim.js",
        "llmnotes/site/pages/katex/fonts/KaTeX_Main-Regular.woff2",
    } <= names
    assert set(tracked) <= names
    assert not [name for name in names if name.startswith(("tests/", "labs/", "docs/"))]


def test_a_wheel_runs_a_lab_without_a_checkout(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(target), str(wheel)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lab = make_notebook(tmp_path / "notebook")
    path = lab.write("01_tiny", f"import llmnotes\nprint(llmnotes.__file__)\n\n# %%\n{TINY}")
    alone = tmp_path / "alone"
    alone.mkdir()
    path.rename(alone / "01_tiny.py")
    environment = clean_environment(target / "llmnotes") | {"MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", "from llmnotes.site.cli import main; main()", "run", "01_tiny.py"],
        cwd=alone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run = next((alone / ".cache" / "runs" / "01_tiny").iterdir())
    assert str(target) in (run / "results.json").read_text()
    plain = subprocess.run(
        [sys.executable, "01_tiny.py"], cwd=alone, env=environment, capture_output=True, text=True, check=False
    )
    assert plain.returncode == 0, plain.stderr
    assert "answer = 42" in plain.stdout
