"""The workflows of the repository: valid, and calling only what the Makefile has."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
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
    uses = [step.get("uses", "") for job in deploy["jobs"].values() for step in job.get("steps", [])]
    assert any(use.startswith("actions/deploy-pages@") for use in uses)
    assert deploy[True]["push"]["branches"] == ["main"]  # YAML reads `on` as true
    assert deploy["jobs"]["tests"]["uses"] == "./.github/workflows/test.yml"
    assert deploy["jobs"]["build"]["needs"] == "tests", "nothing is published that does not pass"
    assert all("needs" in job for name, job in deploy["jobs"].items() if name != "tests")
    assert "workflow_call" in test[True]
    assert "push" in test[True]
    for job in (test["jobs"]["labs"], test["jobs"]["older-cpu"], weekly["jobs"]["older-cpu"]):
        assert job["steps"][-1]["run"] == "make labs", "every lab anew"
    assert "ubuntu-24.04-arm" in weekly["jobs"]["stress"]["strategy"]["matrix"]["machine"]
    assert weekly["jobs"]["audit"]["steps"][-1]["run"] == "make audit"
    assert "schedule" in weekly[True]
    assert weekly["jobs"]["hub"]["env"]["LLMNOTES_HUB"] == "1"
    assert "ubuntu-24.04-arm" in weekly["jobs"]["stress"]["strategy"]["matrix"]["machine"]
    for workflow in (test, deploy, weekly):
        assert workflow["permissions"] == {"contents": "read"}, "more only where a job needs it"


def test_every_job_ends_in_time() -> None:
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            if any("make" in step.get("run", "") for step in job.get("steps", [])):
                assert job["timeout-minutes"] <= 120, f"{path.name}: {name}"


def test_actions_are_pinned_by_commit() -> None:
    """A tag can be moved to other code; a commit cannot."""
    used = [use for path in WORKFLOWS for use in re.findall(r"uses: (\S+@.*)", path.read_text())]
    assert used
    for use in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use


PINS = ROOT / "requirements"


def pinned(name: str) -> dict[str, str]:
    """The packages of a list, each with its version and all of its digests."""
    found = {}
    for text in re.split(r"^(?=[a-zA-Z0-9])", (PINS / f"{name}.txt").read_text(), flags=re.MULTILINE)[1:]:
        entry = re.match(r"([\w.-]+)==(\S+)", text)
        assert entry, text
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", text), f"{name}.txt: {entry[1]} without a digest"
        found[canonical(entry[1])] = text
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_all_that_is_installed_is_pinned_with_its_digest() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {"site": ("site", "real", "build"), "test": ("site", "real", "build", "test")}
    for name, extras in wanted.items():
        packages = pinned(name) | pinned("torch")
        needed = project["dependencies"] + [one for extra in extras for one in project["optional-dependencies"][extra]]
        missing = {canonical(re.match(r"[\w.-]+", one)[0]) for one in needed} - packages.keys()
        assert not missing, f"requirements/{name}.txt lacks {missing}; make pins"
    site, test = pinned("site"), pinned("test")
    assert {name: test[name] for name in site} == site
    assert pinned("audit")
    assert pinned("cuda")


def test_torchs_cpu_builds_are_listed() -> None:
    """For each Python and machine one, of the version that is pinned."""
    (_, text), *others = pinned("torch-cpu").items()
    assert not others
    assert text.startswith(pinned("torch")["torch"].split()[0] + "+cpu ")
    assert len(set(re.findall(r"sha256:([0-9a-f]{64})", text))) == 6
