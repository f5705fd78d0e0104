"""Labs and machines as nobody here has them: what they do is kept, cut, refused or told, and never silently wrong."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import TINY, Notebook, make_notebook

from llmnotes.site.run.execute import commit_of
from llmnotes.site.run.outputs import LONGEST, clean, shortened
from llmnotes.site.run.runner import Outcome

CELL = "\n# %%\n"
REST = TINY.partition("\n")[0] + CELL + TINY.partition("# %%\n")[2]
STRANGE = {  # stem: code before what every lab does
    "01_comments": "# !touch {root}/made_by_a_comment\n# %time\na = 1"
    + CELL
    + "# cat"
    + CELL
    + "pwd = 3"
    + CELL
    + "pwd",
    "02_long_line": "print(list(range(40_000)))" + CELL + "print('x' * 1_000_000, end='')",
    "03_long_message": "assert False, 'x' * 1_000_000",
    "04_control": (
        "print('\\x1b[31mred\\x1b[0m \\x1b]8;;https://x.example\\x07link\\x1b]8;;\\x07 nul\\0 \\x9b end')\n"
        "for i in range(5):\n    print(f'step {i}', end='\\r')\nprint()\n"
    ),
    "05_as_a_script": (
        "import sys, pathlib, beside\n"
        "assert pathlib.Path(__file__).name == '05_as_a_script.py' and sys.argv == [__file__]\n"
        "assert beside.ANSWER == 42 and 'started' not in globals() and sys.flags.optimize == 0\n"
        "import matplotlib\nassert matplotlib.rcParams['lines.linewidth'] == 1.5\n"
    ),
    "06_talks_elsewhere": (
        "import io, sys, threading, time\n"
        "def talk():\n    while True:\n        print('still here')\n        time.sleep(0.01)\n"
        "threading.Thread(target=talk, daemon=True).start()\n"
    ),
    "07_replaces_stdout": "import io, sys\nsys.stdout = io.StringIO()\n",
    "08_leaves_things": (
        "import os, pathlib\npathlib.Path('model.pt').write_bytes(bytes(3_000_000))\n"
        "pathlib.Path('inner').mkdir()\nos.symlink('../../somewhere', 'inner/link')\n"
        "drawn = pathlib.Path(os.environ['LLMNOTES_RUN']) / 'figures'\n"
        "(drawn / 'other.svg').write_text('<svg/>')\nos.symlink('{root}/mkdocs.yml', drawn / 'line.more.svg')\n"
    ),
    "09_removes_a_tree": "import shutil\nshutil.rmtree('{root}/docs')\n",
    "10_lists": "import os\nassert os.listdir('{root}/data') == ['a.txt']\n",
    "11_changes": (
        "import subprocess, sys\nopen('{root}/numbers.txt').read()\n"
        "subprocess.run([sys.executable, '-c', \"open('{root}/numbers.txt', 'a').write('2')\"], check=True)\n"
    ),
    "13_prints_no_text": "print('a\\ud800b')\n",
    "12_draws_control": "import matplotlib.pyplot as plt\nplt.rcParams['svg.fonttype'] = 'none'\n",
}
AS_DRAWN = {
    "12_draws_control": (("figsize=(4, 2))", "figsize=(4, 2))\nax.set_title('a\\x1b[1mbell')"), ("rises.", "ri\\0ses."))
}


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> tuple[Notebook, dict[str, Outcome], float, list]:
    """All of them, run once side by side, in the environment of somebody who has set many things."""
    told = []
    with pytest.MonkeyPatch.context() as patch:
        notebook = make_notebook(tmp_path_factory.mktemp("strange") / "notebook")
        (notebook.root / "data").mkdir()
        for name, text in (("data/a.txt", "1"), ("numbers.txt", "1"), ("labs/beside.py", "ANSWER = 42\n")):
            (notebook.root / name).write_text(text)
        startup, matplotlibrc = notebook.root / "startup.py", notebook.root / "matplotlibrc"
        startup.write_text("started = True\n")
        matplotlibrc.write_text("lines.linewidth: 9\n")
        patch.delenv("LLMNOTES_CACHE", raising=False)
        for name, value in {"PYTHONSTARTUP": startup, "PYTHONOPTIMIZE": "1", "MATPLOTLIBRC": matplotlibrc}.items():
            patch.setenv(name, str(value))
        labs = []
        for stem, code in STRANGE.items():
            rest = REST
            for change in AS_DRAWN.get(stem, ()):
                rest = rest.replace(*change)
            labs.append(notebook.lab(stem, code.replace("{root}", str(notebook.root)) + CELL + rest))
        began = time.monotonic()
        ran = notebook.run(*labs, jobs=4, report=lambda lab, what: told.append((lab.stem, what)))
        seconds = time.monotonic() - began
    return notebook, {outcome.lab.stem: outcome for outcome in ran}, seconds, told


def texts(outcome: Outcome) -> list[str]:
    assert outcome.error is None, outcome.error
    return [out["text"] for cell in outcome.run.cells for out in cell if out["kind"] == "text"]


def test_comments_are_not_run_and_python_is_python(strange) -> None:
    notebook, outcomes, *_ = strange
    assert texts(outcomes["01_comments"]) == ["3", "said in passing"], "`pwd` is the lab's own name, not a command"
    assert not (notebook.root / "made_by_a_comment").exists()


def test_one_long_line_is_cut_at_once(strange) -> None:
    _, outcomes, seconds, _ = strange
    long, longer, _ = texts(outcomes["02_long_line"])
    assert long.startswith("[0, 1, 2")
    assert long.endswith("… (cut here: 268,891 characters in all)")
    assert len(longer) < LONGEST + 100
    assert len(outcomes["03_long_message"].error) < 5000
    assert "AssertionError: xxx" in outcomes["03_long_message"].error
    assert seconds < 100, "the line of 1 MB alone took nbclient's regular expressions minutes"


def test_control_characters_stay_off_the_page(strange) -> None:
    _, outcomes, *_ = strange
    assert texts(outcomes["04_control"])[0] == "red link nul  end\nstep 4"
    run = outcomes["12_draws_control"].run
    assert run.figures["line"]["alt"] == "A line that rises."
    for path in (run.folder / "figures").glob("*.svg"):
        ElementTree.parse(path)  # XML knows no such characters


def test_what_is_no_text_fails_at_its_line(strange) -> None:
    _, outcomes, *_ = strange
    assert "UnicodeEncodeError" in outcomes["13_prints_no_text"].error
    assert "13_prints_no_text.py" in outcomes["13_prints_no_text"].error


def test_a_lab_finds_what_a_script_finds(strange) -> None:
    notebook, outcomes, *_ = strange
    assert outcomes["05_as_a_script"].error is None, outcomes["05_as_a_script"].error
    lab = outcomes["05_as_a_script"].lab
    assert "labs/beside.py" in outcomes["05_as_a_script"].run.meta["depends"]
    (notebook.root / "labs" / "beside.py").write_text("ANSWER = 42  # the same code\n")
    assert outcomes[lab.stem].run.stale_because(lab, notebook.root) is None
    (notebook.root / "labs" / "beside.py").write_text("ANSWER = 43\n")
    assert notebook.project.valid_run(lab) is None


@pytest.mark.parametrize("stem", ["06_talks_elsewhere", "07_replaces_stdout"])
def test_what_a_lab_does_to_standard_output_is_its_own_affair(strange, stem: str) -> None:
    _, outcomes, *_ = strange
    assert outcomes[stem].error is None, outcomes[stem].error
    assert outcomes[stem].run.values["answer"].value == 42


def test_what_a_lab_leaves_is_not_kept(strange) -> None:
    _, outcomes, *_ = strange
    assert outcomes["08_leaves_things"].error is None, outcomes["08_leaves_things"].error
    names = {path.name for path in outcomes["08_leaves_things"].run.folder.rglob("*")}
    assert names == {name.name for name in outcomes["01_comments"].run.folder.rglob("*")}


def test_what_a_lab_writes_elsewhere_is_told_afterwards(strange) -> None:
    _, outcomes, _, told = strange
    assert outcomes["09_removes_a_tree"].error is None
    assert any(stem == "09_removes_a_tree" and "docs/index.md" in what for stem, what in told)


def test_a_listed_folder_is_a_dependency(strange) -> None:
    notebook, outcomes, *_ = strange
    lab = outcomes["10_lists"].lab
    assert outcomes["10_lists"].run.meta["depends"]["data/*"]
    assert outcomes[lab.stem].run.stale_because(lab, notebook.root) is None
    (notebook.root / "data" / "b.txt").write_text("")
    assert notebook.project.valid_run(lab) is None
    (notebook.root / "data" / "b.txt").unlink()


def test_a_file_that_changes_during_a_run_makes_no_run(strange) -> None:
    notebook, outcomes, *_ = strange
    assert f"{notebook.root}/numbers.txt changed while the lab ran; run it again" in outcomes["11_changes"].error


def test_text_is_cleaned_and_cut_in_linear_time() -> None:
    for text in ("x" * 3_000_000, "\x1b]" * 1_000_000, "\x1b[" * 1_000_000, "\r" * 3_000_000, "a\r" * 1_000_000):
        began = time.monotonic()
        assert len(shortened(text)) < LONGEST + 100
        assert time.monotonic() - began < 5
    assert clean({"a\0": ["b\x07", 1]}) == {"a": ["b", 1]}
    assert shortened("10%\r20%\r30%\r\ndone\n") == "30%\ndone\n"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_commit_is_the_notebooks_own(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    outer = notebook.root.parent
    git(outer, "init", "-q")
    (outer / "other.txt").write_text("x")
    git(outer, "add", "other.txt")
    git(outer, "commit", "-qm", "x")
    assert commit_of(notebook.root) == "", "a copy inside another repository"
    git(outer, "add", "notebook")
    git(outer, "commit", "-qm", "y")
    head = git(outer, "rev-parse", "--short=10", "HEAD")
    assert commit_of(notebook.root) == head
    (notebook.root / "mkdocs.yml").write_text("changed")
    assert commit_of(notebook.root) == head + "+"
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # as in a hook of git
    assert commit_of(notebook.root) == head + "+"
    monkeypatch.setenv("PATH", "/nowhere")
    assert commit_of(notebook.root) == "", "without git"


def test_a_full_disk_is_one_line(recorded: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    async def execute(*_: object) -> None:
        raise OSError(28, "No space left on device", "figures/line.svg")

    monkeypatch.setattr("llmnotes.site.run.runner.execute", execute)
    (outcome,) = recorded.run(fresh=True)
    assert outcome.error == "[Errno 28] No space left on device: 'figures/line.svg'"
