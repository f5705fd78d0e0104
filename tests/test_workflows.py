"""The workflows of the repository: valid, and calling only what the Makefile has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def schema_check(path: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_three_are_there() -> None:
    assert [path.stem for path in WORKFLOWS] == ["deploy", "test", "weekly"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_valid(path: Path) -> None:
    done = schema_check(path)
    assert done.returncode == 0, done.stdout


def test_the_schema_finds_faults(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text(WORKFLOWS[1].read_text().replace("runs-on:", "run-on:"))
    assert schema_check(bad).returncode != 0


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_calls_targets_that_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = set(re.findall(r"\bmake ([a-z]+)", path.read_text()))
    assert called
    assert called <= targets


def test_what_each_is_for() -> None:
    test, deploy, weekly = (
        yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())
        for name in ("test", "deploy", "weekly")
    )
    assert test["jobs"]["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    uses = [step.get("uses", "") for job in deploy["jobs"].values() for step in job["steps"]]
    assert any(use.startswith("actions/deploy-pages@") for use in uses)
    assert deploy[True]["push"]["branches"] == ["main"]  # YAML reads `on` as true
    assert "schedule" in weekly[True]
    assert weekly["jobs"]["hub"]["env"]["LLMNOTES_HUB"] == "1"
    assert "ubuntu-24.04-arm" in weekly["jobs"]["stress"]["strategy"]["matrix"]["machine"]
    for workflow in (test, deploy, weekly):
        assert workflow["permissions"] == {"contents": "read"}, "more only where a job needs it"


def test_every_job_ends_in_time() -> None:
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            if any("make" in step.get("run", "") for step in job["steps"]):
                assert job["timeout-minutes"] <= 120, f"{path.name}: {name}"
