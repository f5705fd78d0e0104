"""Stored runs: which one serves, what damage is noticed, and what a store that cannot be written says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import MAIN, Notebook, clean_environment

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.compare import differences
from llmnotes.site.run.digests import digest
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.store import KEPT, Project
from llmnotes.site.run.stored import PACKAGE, DamagedRunError, Run, dependency_name, dependency_path


def recorded_run(notebook: Notebook) -> tuple[Lab, Run]:
    lab = notebook.project.labs()[0]
    return lab, notebook.project.recorded(lab)


DAMAGE = {  # file: (its content instead, what is said)
    "run.json": ('{"format": 1', "run.json"),
    "results.json": ("", "results.json is not what the run wrote"),
    "figures/line.svg": ("<svg/>", "figures/line.svg is not what the run wrote"),
    "figures/line.npz": (None, "figures/line.npz is not what the run wrote, gone"),
    "figures/extra.svg": ("<svg/>", "figures/extra.svg is not what the run wrote, gone, or none of its files"),
}


def damage(folder: Path, file: str) -> None:
    content, _ = DAMAGE[file]
    (folder / file).unlink() if content is None else (folder / file).write_text(content)


@pytest.mark.parametrize("file", DAMAGE)
def test_damage_is_noticed_and_named(recorded: Notebook, file: str) -> None:
    lab, run = recorded_run(recorded)
    damage(run.folder, file)
    (outcome,) = recorded.run(lab)
    assert outcome.run is None
    assert f"{run.folder}: damaged: {DAMAGE[file][1]}" in outcome.error
    assert "llmnotes record 01_tiny" in outcome.error


@pytest.mark.parametrize("file", DAMAGE)
def test_a_damaged_run_in_the_cache_is_none(recorded: Notebook, file: str) -> None:
    lab, run = recorded_run(recorded)
    older, newer = (recorded.project.cache / "runs" / "01_tiny" / name for name in ("1", "2"))
    shutil.copytree(run.folder, older)
    shutil.copytree(run.folder, newer)
    damage(newer, file)
    assert recorded.project.valid_run(lab).folder == older
    damage(older, file)
    assert recorded.project.valid_run(lab).folder == run.folder
    shutil.rmtree(run.folder)
    assert recorded.project.valid_run(lab) is None, "it runs again"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("figures/line.npz", b"PK\x03\x04 cut short"),
        ("figures/line.npz", b""),
        ("results.json", b'{"cells": [[{"kind": "record", "name": "x"}]]}'),
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


def test_a_run_of_another_format_is_none(recorded: Notebook) -> None:
    lab, run = recorded_run(recorded)
    meta = json.loads((run.folder / "run.json").read_text())
    (run.folder / "run.json").write_text(json.dumps(meta | {"format": 0}))
    shutil.copytree(run.folder, recorded.project.cache / "runs" / "01_tiny" / "1")
    with pytest.raises(DamagedRunError, match="format"):
        recorded.project.valid_run(lab)
    shutil.rmtree(run.folder)
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
    assert "set LLMNOTES_CACHE to a folder of your own" in outcome.error


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


def by_hand(run: Run, change: tuple[str, str]) -> Run:
    """A run whose results were changed by hand, with their digest made anew."""
    path = run.folder / "results.json"
    assert change[0] in path.read_text()
    path.write_text(path.read_text().replace(*change))
    meta = json.loads((run.folder / "run.json").read_text())
    meta["files"]["results.json"] = digest(path.read_bytes())
    (run.folder / "run.json").write_text(json.dumps(meta))
    return Run(run.folder)


@pytest.mark.parametrize(
    ("results", "said"),
    [
        (('"value": 0.25', '"value": NaN'), "finite"),
        (('"value": 0.25', '"value": 1e999'), "finite"),
        (('"value": 0.25', '"value": "0.25"'), "results.json"),
        (('"atol": 0.01', '"atol": Infinity'), "finite"),
        (('"atol": 0.01', '"atol": -1'), "tolerances of 0 or more"),
        (('"rtol": 0.001', '"rtol": 1e999'), "finite"),
        (('"name": "share"', '"name": "../share"'), "expected lower-case words"),
        (('"name": "answer"', '"name": "other"'), "waits for 'answer', which the lab never recorded"),
        (('"if_": "> 40"', '"if_": "about 40"'), "about 40"),
        (('"kind": "figure"', '"kind": "drawing"'), "drawing"),
        (('"cells"', '"cell"'), "results.json"),
    ],
)
def test_what_no_run_holds_is_damage_whatever_the_digests_say(
    recorded: Notebook, results: tuple[str, str], said: str
) -> None:
    lab, run = recorded_run(recorded)
    run = by_hand(run, results)
    with pytest.raises(DamagedRunError, match="damaged") as caught:
        run.check()
    assert said in str(caught.value)
    with pytest.raises(DamagedRunError):
        recorded.project.valid_run(lab)


def test_a_run_that_depends_on_nothing_speaks_for_nothing(recorded: Notebook) -> None:
    lab, run = recorded_run(recorded)
    content = json.loads((run.folder / "run.json").read_text())
    for depends in ({}, {"code": lab.digest}, {"llmnotes/lab/records.py": "x"}, [], None):
        (run.folder / "run.json").write_text(json.dumps(content | {"depends": depends}))
        if depends is None or isinstance(depends, list):
            with pytest.raises(DamagedRunError, match="damaged"):
                recorded.project.valid_run(lab)
        else:
            assert recorded.project.valid_run(lab) is None
            assert "names no code" in recorded.project.recorded(lab).stale_because(lab, recorded.root)


def test_fields_that_we_do_not_know_go_through(recorded: Notebook) -> None:
    _, run = recorded_run(recorded)
    run = by_hand(run, ('"value": 0.25', '"value": 0.25, "colour": "red"'))
    run.check()
    assert run.values["share"].value == 0.25
    assert '"colour": "red"' in (run.folder / "results.json").read_text()


def test_a_truth_value_is_no_number(recorded: Notebook, tmp_path: Path) -> None:
    lab, run = recorded_run(recorded)
    shutil.copytree(run.folder, tmp_path / "before")
    now = by_hand(run, ('"value": 42', '"value": true'))
    by_hand(Run(tmp_path / "before"), ('"value": 42', '"value": 1'))
    assert any("answer: recorded 1, now True" in line for line in differences(lab, Run(tmp_path / "before"), now))


def test_the_recorded_run_of_a_lab_that_needs_the_hub_is_checked_too(recorded: Notebook) -> None:
    lab, run = recorded_run(recorded)
    lab = recorded.lab("01_tiny", needs="[hub]")
    assert recorded.run(lab)[0].run.values["share"].value == 0.25
    (run.folder / "results.json").write_text((run.folder / "results.json").read_text().replace("0.25", "0.26"))
    (outcome,) = recorded.run(lab)
    assert outcome.run is None
    assert "results.json is not what the run wrote" in outcome.error


def test_runs_dated_in_the_future_do_not_push_out_the_new_one(recorded: Notebook) -> None:
    lab, run = recorded_run(recorded)
    home = recorded.project.cache / "runs" / "01_tiny"
    for i in range(KEPT + 1):
        future = home / f"{9 * 10**18 + i}"
        shutil.copytree(run.folder, future)
        os.utime(future / "run.json", (4e9, 4e9))
    with recorded.project.workspace() as work:
        shutil.copytree(run.folder, work / "run")
        published = recorded.project.publish(lab, work / "run")
    published.check()
    assert len(list(home.iterdir())) == KEPT


def test_a_runner_in_another_container_keeps_its_workspace(recorded: Notebook) -> None:
    """Which is known by its age: its process has no number that means anything here."""
    holds = "from llmnotes.site.run.store import Project; import pathlib, sys\n"
    holds += "with Project(pathlib.Path('.')).workspace() as work:\n    print(work, flush=True)\n    sys.stdin.read()\n"
    environment = clean_environment()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", holds], cwd=recorded.root, env=environment, **pipes) as other:
        theirs = Path(other.stdout.readline().strip())
        (recorded.project.cache / "tmp-left").mkdir()
        os.utime(recorded.project.cache / "tmp-left", (0, 0))
        with recorded.project.workspace() as ours:
            assert ours.is_dir()
            assert theirs.is_dir()
            assert not (recorded.project.cache / "tmp-left").exists(), "nobody works there any more"
        other.communicate("")
    assert [path.name for path in recorded.project.cache.glob("tmp-*")] == []


def test_a_cache_that_others_may_write_is_refused(recorded: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, _ = recorded_run(recorded)
    with recorded.project.workspace():
        assert recorded.project.cache.stat().st_mode & 0o777 == 0o700
    cache = recorded.project.cache
    cache.chmod(0o777)
    with pytest.raises(NotebookError, match=r"others may write to it.*set LLMNOTES_CACHE to a folder of your own"):
        recorded.project.valid_run(lab)
    cache.chmod(0o700)
    monkeypatch.setattr("os.getuid", lambda: 12345)
    with pytest.raises(NotebookError, match="others may write to it"):
        recorded.project.valid_run(lab)
    with pytest.raises(NotebookError, match="others may write to it"), recorded.project.workspace():
        pass


def test_a_read_only_cache_still_serves(recorded: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, run = recorded_run(recorded)
    shutil.copytree(run.folder, recorded.project.cache / "runs" / "01_tiny" / "abc")
    shutil.rmtree(run.folder)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    assert recorded.project.valid_run(lab).values["share"].value == 0.25
    with pytest.raises(NotebookError, match="cannot be written"), recorded.project.workspace():
        pass


def test_a_disk_that_fills_up_leaves_the_recorded_run(recorded: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, run = recorded_run(recorded)
    other = recorded.root / "other"
    shutil.copytree(run.folder, other)
    by_hand(Run(other), ('"value": 42', '"value": 43'))

    def full(*_: object, **__: object) -> None:
        raise shutil.Error([("a", "b", "[Errno 28] No space left on device")])

    monkeypatch.setattr("shutil.copytree", full)
    with pytest.raises(NotebookError, match=r"cannot be written.*No space left"):
        recorded.project.keep(lab, Run(other))
    run.check()
    assert [path.name for path in run.folder.parent.iterdir()] == ["01_tiny"]


def test_of_two_labs_with_one_number_none_is_taken_in_silence(recorded: Notebook) -> None:
    recorded.write("01_zebra")
    labs, wrong = recorded.project.pick(("01",))
    assert [lab.stem for lab in labs] == ["01_tiny"]
    assert "its number or its name is taken by 01_tiny.py" in str(wrong["01_zebra"])


def test_dependencies_have_names_that_mean_the_same_elsewhere(recorded: Notebook) -> None:
    elsewhere = Path(pytest.__file__)
    for path in (elsewhere, PACKAGE / "lab" / "records.py", recorded.root / "labs" / "01_tiny.py"):
        name = dependency_name(path, recorded.root)
        assert Path(name).is_absolute() is (path == elsewhere)
        assert dependency_path(name, recorded.root) == path
