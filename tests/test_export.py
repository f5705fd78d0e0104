"""The notebook as plain Markdown, which site generators build that know nothing of it."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
import yaml
from conftest import Notebook, clean_environment

HOME = 'At home {{ result("tiny.share", ".0%") }} of a gradient.\n\n{{ labs() }}\n\n{{ predictions() }}\n'
FINDING = (
    "---\ntitle: One\nclaim: 'It is {{ result(\"tiny.answer\") }}.'\ndate: 2026-01-01\nstatus: standing\n"
    "confidence: likely\ncontrol: the same untrained\nlabs: [01_tiny]\nreviewed: 2026-01-01\n---\n\nBecause $x < 1$.\n"
)


@pytest.fixture
def exported(recorded: Notebook, tmp_path: Path) -> Path:
    docs = recorded.root / "docs"
    (docs / "index.md").write_text(HOME)
    (docs / "glossary.md").write_text("### gradient\nAlso: gradients\n\nThe slope.\n")
    (docs / "findings" / "one.md").write_text(FINDING)
    done = recorded.llmnotes("export", str(tmp_path / "plain"))
    assert done.returncode == 0, done.stderr
    return tmp_path / "plain"


def test_what_is_exported_holds_no_call_and_no_plugin_of_ours(exported: Path) -> None:
    assert "llmnotes" not in (exported / "mkdocs.yml").read_text()
    pages = {path.relative_to(exported / "docs").as_posix(): path for path in (exported / "docs").rglob("*.md")}
    assert {"index.md", "labs/01_tiny.md", "labs/index.md", "findings/one.md", "glossary.md"} <= set(pages)
    for path in pages.values():
        assert not re.search(r"\{\{ *\w+\(", path.read_text()), path
    lab = pages["labs/01_tiny.md"].read_text()
    assert yaml.safe_load(lab.split("---")[1])["title"] == "A tiny lab"
    assert "```{ .python .lab-code }\n    import matplotlib.pyplot as plt" in lab
    assert "```{ .text .lab-output .no-copy }\nsaid in passing\n```" in lab
    for file in ("01_tiny.py", "01_tiny.ipynb", "results.json", "line.svg"):
        assert (exported / "docs" / "labs" / "01_tiny" / file).is_file()


@pytest.mark.parametrize("generator", ["mkdocs", "zensical"])
def test_others_build_what_is_exported(exported: Path, generator: str) -> None:
    if not importlib.util.find_spec(generator):
        pytest.skip(f"{generator} is not installed; it is among the packages of the extra `test`")
    strict = ["--strict"] if generator == "mkdocs" else []
    done = subprocess.run(
        [sys.executable, "-m", generator, "build", *strict],
        cwd=exported,
        env=clean_environment() | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    site = exported / "site"
    home = (site / "index.html").read_text()
    assert re.search(r'<a class="bound"[^>]* href="labs/01_tiny/#value-share"[^>]*>25%</a>', home)
    assert '<abbr title="The slope.">gradient</abbr>' in home
    lab = (site / "labs" / "01_tiny" / "index.html").read_text()
    assert 'id="value-share"' in lab
    assert "<svg" in lab
    assert "said in passing" in lab
    assert "The answer is more than 40" in lab
    entry = unescape((site / "findings" / "one" / "index.html").read_text())
    assert r"\(x < 1\)" in entry
    assert "Cite this entry" in entry


def test_a_folder_that_holds_something_is_left_alone(recorded: Notebook, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    done = recorded.llmnotes("export", str(tmp_path))
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert (tmp_path / "kept.txt").read_text() == "mine"
