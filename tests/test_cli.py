"""The command line: what each command prints, and how it ends."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from conftest import MAIN, TINY, Notebook, clean_environment

from llmnotes.site import cli


@pytest.fixture
def llmnotes(monkeypatch: pytest.MonkeyPatch):
    """The command line within this process: quicker than one of its own."""

    def call(notebook: Notebook, *arguments: str):
        monkeypatch.chdir(notebook.root)
        runner = CliRunner()
        with runner.isolation() as streams:
            monkeypatch.setattr(
                cli, "console", cli.Console(file=sys.stdout, soft_wrap=True, highlight=False, width=300)
            )
            code = 0
            try:
                cli.main(list(arguments), prog_name="llmnotes")
            except SystemExit as end:
                code = end.code or 0
            sys.stdout.flush()
            sys.stderr.flush()
            return code, streams[0].getvalue().decode(), streams[1].getvalue().decode()

    return call


def test_list(recorded: Notebook, llmnotes) -> None:
    recorded.lab("02_new", title="Another one")
    code, out, _ = llmnotes(recorded, "list")
    assert code == 0
    assert re.search(r"01_tiny +A tiny lab +1 min +beginner +recorded, [\d.]+ s", out)
    assert re.search(r"02_new +Another one +1 min +beginner +not recorded", out)
    recorded.lab("01_tiny", "a = 1")
    recorded.write("03_broken", "a = = 1")
    code, out, err = llmnotes(recorded, "list")
    assert code == 1
    assert "recorded run is stale: the lab's code changed" in out
    assert "03_broken.py:17: not valid Python" in err
    (recorded.root / "labs/recorded/01_tiny/run.json").write_text("{")
    assert "damaged" in llmnotes(recorded, "list")[1]


def test_a_failure_ends_with_1_and_names_the_lab(recorded: Notebook) -> None:
    """As a user meets it: in a process of its own, with a syntax error and a failing cell beside a good lab."""
    recorded.write("02_syntax", "a = = 1")
    recorded.lab("03_fails", "a = 1\n\n# %%\nraise ValueError('so it goes')")
    done = recorded.llmnotes("run")
    assert done.returncode == 1
    assert "01_tiny  has a valid stored run" in done.stdout
    assert re.search(r"03_fails  failed after \d+\.\d s", done.stdout)
    assert 'labs/03_fails.py", line 20, in <module>' in done.stderr
    assert "ValueError: so it goes" in done.stderr
    assert "02_syntax.py:17: not valid Python: invalid syntax" in done.stderr
    assert "Error: 2 failed: 02_syntax, 03_fails" in done.stderr


def test_one_lab_runs_beside_a_broken_one(recorded: Notebook, llmnotes) -> None:
    recorded.write("02_syntax", "a = = 1")
    code, out, _ = llmnotes(recorded, "run", "tiny")
    assert (code, out) == (0, "01_tiny  has a valid stored run\n")


def test_an_unknown_lab(recorded: Notebook, llmnotes) -> None:
    code, _, err = llmnotes(recorded, "run", "tyny")
    assert code == 1
    assert "no lab is called 'tyny'; did you mean 'tiny'?" in " ".join(err.split())


def test_no_labs(notebook: Notebook, llmnotes) -> None:
    code, _, err = llmnotes(notebook, "run")
    assert code == 1
    assert "there are no labs" in err


def test_record_and_check(recorded: Notebook, llmnotes) -> None:
    """Record twice leaves no diff; a value changed by hand is named with lab, both numbers, tolerance and reason."""
    folder = recorded.root / "labs" / "recorded" / "01_tiny"

    def content() -> dict[str, tuple[bytes, int]]:
        return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}

    before = content()
    code, out, _ = llmnotes(recorded, "record", "01")
    assert code == 0
    assert "01_tiny: same as recorded, nothing written" in out
    assert content() == before
    results = folder / "results.json"
    results.write_text(
        results.read_text().replace('"value": 0.25', '"value": 0.29').replace('"value": 42', '"value": 41')
    )
    code, out, err = llmnotes(recorded, "check")
    assert code == 1
    assert "01_tiny: share: recorded 0.29, now 0.25, tolerance 0.01 (a hundred draws)" in out
    assert "01_tiny: answer: recorded 41, now 42, tolerance 0 (exact)" in out
    assert "2 difference(s) from the recorded runs" in err
    results.write_text(
        results.read_text().replace('"value": 0.29', '"value": 0.255').replace('"value": 41', '"value": 42')
    )
    code, out, err = llmnotes(recorded, "check")
    assert code == 1, "a change within the tolerance is a change by hand all the same"
    assert "results.json is not what the run wrote" in out
    code, out, _ = llmnotes(recorded, "record", "01")
    assert code == 0
    assert "01_tiny: recorded" in out
    assert content()["results.json"][0] == before["results.json"][0]


def test_check_says_what_is_not_recorded_or_stale(recorded: Notebook, llmnotes) -> None:
    recorded.lab("01_tiny", TINY.replace("said in passing", "said"))
    recorded.lab("02_new")
    (recorded.root / "labs/recorded/03_cut").mkdir()
    recorded.lab("03_cut")
    code, out, _ = llmnotes(recorded, "check")
    assert code == 1
    assert "01_tiny: the recorded run is stale: the lab's code changed; llmnotes record 01_tiny" in out
    assert "02_new: no recorded run; llmnotes record 02_new makes one" in out
    assert "03_cut: " in out
    assert "damaged: results.json" in out


def test_new_writes_a_lab_that_passes(notebook: Notebook, llmnotes) -> None:
    notebook.write("04_broken", "a = = 1")
    code, out, err = llmnotes(notebook, "new", "coins")
    assert code == 0, err
    assert "wrote labs/05_coins.py; edit it, then: llmnotes run coins" in out
    assert "05_coins: recorded" in out
    labs, _ = notebook.project.pick(("coins",))
    run = notebook.project.valid_run(labs[0])
    run.check()
    assert run.predictions[0]["outcome"] is True
    plain = subprocess.run(
        [sys.executable, labs[0].path], cwd="/", env=clean_environment() | {"MPLBACKEND": "agg"}, capture_output=True
    )
    assert plain.returncode == 0, plain.stderr
    assert b"rare = " in plain.stdout
    code, _, err = llmnotes(notebook, "new", "coins")
    assert code == 1
    assert "there is a lab called 'coins' already" in err
    code, _, err = llmnotes(notebook, "new", "Coins!")
    assert code == 1
    assert "the name is 'Coins!'; expected lower-case words" in err


def test_a_terminal_gets_a_live_display(recorded: Notebook) -> None:
    recorded.lab("02_slow", f"import time\ntime.sleep(1.2)\n\n# %%\n{TINY}")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "run"],
        cwd=recorded.root,
        env=clean_environment() | {"TERM": "xterm-256color", "COLUMNS": "100"},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert {"0:00:00", "0:00:01"} <= set(re.findall(r"02_slow +([\d:]+)", text)), "its time moves while the lab runs"
    assert re.search(r"02_slow +done after +[\d.]+ s", text)
    assert re.search(r"01_tiny +has a valid stored run", text)


def test_help_names_every_command(recorded: Notebook, llmnotes) -> None:
    code, out, _ = llmnotes(recorded, "--help")
    assert code == 0
    for command in ("list", "run", "record", "check", "new"):
        assert re.search(rf"^  {command} ", out, re.MULTILINE)
