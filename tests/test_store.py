"""Stored runs: which one serves, what damage is noticed, and what a store that cannot be written says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import MAIN, Notebook, clean_environment

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.store import KEPT, DamagedRunError, Project, Run


def recorded_run(notebook: Notebook) -> tuple[Lab, Run]:
    lab = notebook.project.labs()[0]
    return lab, notebook.project.recorded(lab)


DAMAGE = {  # file: (its content instead, what is said)
    "run.json": ('{"format": 1', "run.json"),
    "results.json": ("", "results.json is not what the run wrote"),
    "outputs.json": ("[]", "outputs.json is not what the run wrote"),
    "figures/line.svg": ("<svg/>", "figures/line.svg is not what the run wrote"),
    "figures/line.npz": (None, "figures/line.npz is missing"),
    "figures/extra.svg": ("<svg/>", "figures/extra.svg does not belong to it"),
}


@pytest.mark.parametrize("place", ["recorded", "cache"])
@pytest.mark.parametrize("file", DAMAGE)
def test_damage_is_noticed_and_named(recorded: Notebook, place: str, file: str) -> None:
    lab, run = recorded_run(recorded)
    if place == "cache":
        folder = recorded.project.cache / "runs" / "01_tiny" / "abc"
        shutil.copytree(run.folder, folder)
    else:
        folder = run.folder
    content, said = DAMAGE[file]
    (folder / file).unlink() if content is None else (folder / file).write_text(content)
    outcome = recorded.run(lab)[0]
    assert outcome.run is None
    assert f"{folder}: damaged: {said}" in outcome.error
    way_out = "llmnotes record 01_tiny" if place == "recorded" else "llmnotes run --fresh 01_tiny"
    assert way_out in outcome.error


def test_the_way_out_of_damage_in_the_cache_works(recorded: Notebook) -> None:
    lab, run = recorded_run(recorded)
    damaged = recorded.project.cache / "runs" / "01_tiny" / "abc"
    shutil.copytree(run.folder, damaged)
    (damaged / "results.json").write_text("")
    lab = recorded.lab("02_other")
    outcomes = {outcome.lab.stem: outcome for outcome in recorded.run(fresh=False)}
    assert "damaged" in outcomes["01_tiny"].error
    assert outcomes["02_other"].error is None, "another lab's run is not harmed"
    tiny = recorded.project.pick(("tiny",))[0][0]
    assert recorded.run(tiny, fresh=True)[0].error is None
    assert not damaged.exists(), "it would be found again as soon as the new run is stale"
    assert recorded.run(tiny)[0].fresh is False
    assert recorded.project.valid_run(lab)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("figures/line.npz", b"PK\x03\x04 cut short"),
        ("figures/line.npz", b""),
        ("results.json", b'{"values": [{"name": "x"}], "predictions": [], "figures": []}'),
        ("results.json", b"[]"),
        ("run.json", b"null"),
        ("run.json", b"\xff"),
    ],
)
def test_reading_damage_is_an_error_of_ours(recorded: Notebook, file: str, content: bytes) -> None:
    _, run = recorded_run(recorded)
    (run.folder / file).write_bytes(content)
    with pytest.raises(DamagedRunError, match="damaged"):
        _ = (run.meta, run.values, run.arrays("line"))


def test_a_run_of_another_format_is_run_again(recorded: Notebook) -> None:
    lab, run = recorded_run(recorded)
    meta = json.loads((run.folder / "run.json").read_text())
    (run.folder / "run.json").write_text(json.dumps(meta | {"format": 0}))
    assert "another version" in Run(run.folder).stale_because(lab, recorded.root)
    assert recorded.project.valid_run(lab) is None


def test_staleness_names_what_changed(recorded: Notebook) -> None:
    _, run = recorded_run(recorded)
    changed = recorded.lab("01_tiny", "record = 1\n")
    assert run.stale_because(changed, recorded.root) == "the lab's code changed"
    meta = json.loads((run.folder / "run.json").read_text())
    meta["depends"]["llmnotes/lab/records.py"] = "0" * 32
    (run.folder / "run.json").write_text(json.dumps(meta))
    lab = recorded.project.labs()[0]
    assert Run(run.folder).stale_because(recorded.lab("01_tiny"), recorded.root) == "llmnotes/lab/records.py changed"
    assert lab.stem == "01_tiny"


def test_the_cache_keeps_the_newest_runs(recorded: Notebook) -> None:
    lab, run = recorded_run(recorded)
    folders = []
    for i in range(KEPT + 2):
        with recorded.project.workspace() as work:
            shutil.copytree(run.folder, work / "run")
            (work / "run" / "run.json").touch()
            folders.append(recorded.project.publish(lab, work / "run").folder)
        assert len(list((recorded.project.cache / "runs" / "01_tiny").iterdir())) == min(i + 1, KEPT)
    assert [folder.exists() for folder in folders] == [False, False] + [True] * KEPT


def test_keep_replaces_only_what_differs(recorded: Notebook) -> None:
    lab, run = recorded_run(recorded)
    copy = recorded.root / "copy"
    shutil.copytree(run.folder, copy)
    assert recorded.project.keep(lab, Run(copy)) is False
    (run.folder / "results.json").write_text("{}")
    assert recorded.project.keep(lab, Run(copy)) is True
    Run(run.folder).check()
    assert [path.name for path in run.folder.parent.iterdir()] == ["01_tiny"], "no half-written folder stays"


def test_a_store_that_cannot_be_written_says_so(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = notebook.root / "file"
    blocked.write_text("")
    monkeypatch.setenv("LLMNOTES_CACHE", str(blocked / "cache"))
    outcome = notebook.run(notebook.lab("01_tiny"))[0]
    assert outcome.error.startswith(f"{blocked / 'cache'}: cannot be written")
    assert "set LLMNOTES_CACHE to a folder that can" in outcome.error


def read_only(command: list[str]) -> list[str]:
    """The command without the power of root to write where it may not."""
    if subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() != "0":
        return command
    if not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and there is no setpriv to drop that")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]


@pytest.fixture
def read_only_checkout(recorded: Notebook):
    folders = [recorded.root, *(path for path in recorded.root.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield recorded
    for folder in folders:
        folder.chmod(0o755)


def test_a_read_only_checkout(read_only_checkout: Notebook, tmp_path: Path) -> None:
    def llmnotes(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            read_only([sys.executable, "-c", MAIN, *arguments]),
            cwd=read_only_checkout.root,
            env=clean_environment() | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    done = llmnotes("run")
    assert done.returncode == 0, done.stderr
    assert "has a valid stored run" in done.stdout
    done = llmnotes("record", "01")
    assert done.returncode == 1
    assert f"{read_only_checkout.root}/.cache: cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    done = llmnotes("new", "thing")
    assert done.returncode == 1
    assert "02_thing.py: cannot be written" in done.stderr
    done = llmnotes("run", "--fresh", LLMNOTES_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    (read_only_checkout.root / "labs" / "recorded" / "01_tiny" / "results.json").write_text("{}")
    done = llmnotes("record", "01", LLMNOTES_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 1
    assert "labs/recorded: cannot be written" in done.stderr


def test_the_notebook_is_found_from_within(recorded: Notebook) -> None:
    for start in (recorded.root, recorded.root / "labs", recorded.root / "docs" / "labs" / "index.md"):
        assert Project.around(start).root == recorded.root
    assert Project.around(recorded.root.parent).root == recorded.root.parent


def test_a_lock_that_is_held_is_said(recorded: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    import filelock

    lab, _ = recorded_run(recorded)
    recorded.project.cache.mkdir()

    class Impatient(filelock.FileLock):
        def __init__(self, path, timeout):
            super().__init__(path, timeout=0.1, is_singleton=False)

    with filelock.FileLock(recorded.project.cache / "lock"):
        monkeypatch.setattr("llmnotes.site.run.store.filelock.FileLock", Impatient)
        with pytest.raises(NotebookError, match="held by another runner"):
            recorded.project.valid_run(lab)
