"""Running labs: what a run stores, and that each kind of bad lab gets one clear message and harms no other."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import MAIN, TINY, Notebook, clean_environment, kernels_of, make_notebook

from llmnotes.site.run.digests import digest_of
from llmnotes.site.run.runner import Outcome
from llmnotes.site.run.store import PACKAGE, Run

IMPORT = "from llmnotes.lab import ask, figure, in_words, note, predict\n"
BAD = {  # stem: (code, header, what its message must say)
    "02_fails": (
        "def inverse(x):\n    return 1 / x\n\n# %%\na = 1\n\n# %%\na = 1\ninverse(0)\n",
        {},
        ["ZeroDivisionError: division by zero", "in inverse", "02_fails.py"],
    ),
    "03_loops": (
        "a = 1\n\n# %%\nwhile True:\n    pass\n",
        {"timeout": 4},
        ["still running after 4 s", "make it faster or set `timeout:`"],
    ),
    "04_nan": (f"{IMPORT}note(x=float('nan'), atol=1, because='y')", {}, ["x is nan", "finite number"]),
    "05_tensor": (
        f"{IMPORT}import numpy as np\nnote(x=np.ones(3), atol=1, because='y')",
        {},
        ["x is a ndarray of shape (3,)", "such as value.mean()"],
    ),
    "06_twice": (f"{IMPORT}note(x=1)\nnote(x=2)", {}, ["the name 'x' is taken"]),
    "07_outside": ("from pathlib import Path\nPath(r'{root}/escaped.txt').write_text('x')", {}, ["records nothing"]),
    "08_dies": ("import os\n\n# %%\nos._exit(3)", {}, ["the kernel died in the cell that begins here"]),
    "09_exits": ("import sys\nsys.exit(3)", {}, ["SystemExit: 3"]),
    "10_silent": ("print('hello')", {}, ["records nothing; call note(name=value)"]),
    "11_unresolved": (
        f"{IMPORT}predict('It is so', 0.5, y='> 1')\nnote(x=1)",
        {},
        ["'It is so' waits for 'y', which the lab never recorded; it recorded: x"],
    ),
    "12_unseen": (
        f"{IMPORT}note(x=1)",
        {"thumbnail": "nothing"},
        ["thumbnail is 'nothing': no such figure"],
    ),
    "13_no_alt": (
        f"{IMPORT}import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])\n"
        "figure(fig, name='line', alt=' ')",
        {},
        ["figure('line'): alt is ' '"],
    ),
    "14_removes": ("import os\nos.remove(r'{root}/removed.txt')", {}, ["records nothing"]),
    "17_past_python": (
        "import torch\ntorch.save(torch.zeros(2), r'{root}/escaped.pt')",
        {},
        ["records nothing"],
    ),
    "18_by_a_child": (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', \"open(r'{root}/escaped.child', 'w')\"], check=True)",
        {},
        ["records nothing"],
    ),
    "15_interrupts": ("raise KeyboardInterrupt", {}, ["KeyboardInterrupt"]),
    "19_mute": (
        f"{IMPORT}import IPython.display\nnote(x=1)\nIPython.display.publish_display_data = print",
        {},
        ["19_mute.py: its kernel cannot say what it used"],
    ),
    "16_same": ("n = 0\n" + 3 * "\n# %%\nn += 1\nassert n < 2\n", {}, ["AssertionError"]),  # the second of three fails
}
LINE = {"02_fails": 25, "03_loops": 21, "04_nan": 18, "08_dies": 20, "09_exits": 18, "16_same": 25}  # of the script


@pytest.fixture(scope="module")
def bad_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Notebook, dict[str, Outcome], list[tuple[str, str]]]:
    """Every bad lab and one good one, run side by side, and what was reported meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LLMNOTES_CACHE", raising=False)
        notebook = make_notebook(tmp_path_factory.mktemp("bad") / "notebook")
        (notebook.root / "removed.txt").write_text("x")
        labs, told = [notebook.lab("01_good")], []
        for stem, (code, header, _) in BAD.items():
            labs.append(notebook.lab(stem, code.replace("{root}", str(notebook.root)), **header))
        ran = notebook.run(*labs, jobs=4, report=lambda lab, what: told.append((lab.stem, what)))
    return notebook, {outcome.lab.stem: outcome for outcome in ran}, told


OUTSIDE = {"07_outside": "escaped.txt", "14_removes": "removed.txt", "17_past_python": "escaped.pt"}
OUTSIDE |= {"18_by_a_child": "escaped.child"}


@pytest.mark.parametrize("stem", BAD)
def test_a_bad_lab_gets_one_clear_message(bad_run, stem: str) -> None:
    notebook, outcomes, told = bad_run
    if stem in OUTSIDE:
        (what,) = (what for of, what in told if of == stem and what.startswith("while it ran"))
        assert "files outside its folder changed: " in what
        assert OUTSIDE[stem] in what, "by Python, a library or another program"
    outcome = outcomes[stem]
    assert outcome.run is None
    assert outcome.error
    for part in BAD[stem][2]:
        assert part in outcome.error
    assert "ipykernel" not in outcome.error, "the shell's own frames are not the reader's business"
    if stem in LINE:
        where = f"{notebook.root}/labs/{stem}.py"
        assert f'"{where}", line {LINE[stem]}' in outcome.error or f"{where}:{LINE[stem]}:" in outcome.error


def test_bad_labs_harm_no_other_and_leave_nothing_behind(bad_run) -> None:
    notebook, outcomes, _ = bad_run
    assert outcomes["01_good"].error is None
    outcomes["01_good"].run.check()
    assert {path.name for path in (notebook.root / ".cache" / "runs").iterdir()} == {"01_good"}
    assert not list((notebook.root / ".cache").glob("tmp-*"))
    assert not kernels_of(notebook.root)


def test_every_line_number_is_the_scripts_own(notebook: Notebook) -> None:
    lab = notebook.lab(
        "01_lines", 'a = 1\n\n\n# %% [markdown]\n# Prose.\n\n# %% tags=["setup"]\n\n\nb = 2\n\n# %%\na = 1\n'
    )
    lines = lab.path.read_text().splitlines()
    for cell in lab.code:  # blank lines at a cell's head belong to it
        source = cell.source.splitlines()
        assert lines[cell.line - 1 :][: len(source)] == source
    assert len({cell.line for cell in lab.code}) == 3


def test_a_run_stores_what_it_must(recorded: Notebook) -> None:
    run = recorded.project.recorded(recorded.project.labs()[0])
    run.check()
    value = run.values["share"]
    assert (value.value, value.atol, value.rtol, value.because) == (0.25, 0.01, 0.0, "a hundred draws")
    assert run.values["answer"].value == 42
    assert (run.values["answer"].label, value.label) == ("The answer", "")
    assert run.predictions[0]["outcome"] is True
    assert [out["kind"] for cell in run.cells for out in cell] == [
        "prediction",
        "record",
        "record",
        "labels",
        "text",
        "figure",
    ]
    assert run.arrays("line")["axes0_line0"].tolist() == [[0, 0.25], [1, 0.5], [2, 0.75]]
    ran = run.meta["ran"]
    assert ran["cpu_seconds"] > 0
    assert 20 < ran["peak_mb"] < 4000
    assert ran["cpu"]
    assert ran["versions"]["python"] == platform.python_version()
    assert {"numpy", "matplotlib"} <= set(ran["versions"])
    assert "torch" not in ran["versions"], "the lab did not load it"
    assert set(run.meta["depends"]) == {
        "code",
        "llmnotes/__init__.py",
        "llmnotes/lab/__init__.py",
        *(
            f"llmnotes/lab/{name}.py"
            for name in ("figures", "narrow", "plots", "predictions", "records", "saying", "svg")
        ),
    }
    assert run.meta["depends"]["llmnotes/lab/records.py"] == digest_of(PACKAGE / "lab" / "records.py")
    assert set(run.meta["files"]) == {
        "results.json",
        *(f"figures/line{suffix}" for suffix in (".svg", ".narrow.svg", ".npz")),
    }


ASK = (
    "ask('What is it?', choices={'low': 'Less', 'high': 'More'}, answer='high', "
    "because={'low': 'It looks small.', 'high': 'It is.'}, figure='line', answer_is='> 40')\n"
)


def test_a_question_to_the_reader_is_kept_and_must_be_borne_out(notebook: Notebook) -> None:
    asked = IMPORT + ASK + TINY.replace("answer=42", "answer=42, answer_is=42")
    run = notebook.run(notebook.lab("01_asks", asked))[0].run
    (question,) = run.questions
    assert [choice["key"] for choice in question["choices"]] == ["low", "high"]
    assert question["settled"] == [{"name": "answer_is", "if_": "> 40"}]
    for wrong, said in (
        (asked.replace("answer_is=42", "answer_is=39"), "the answer to 'What is it?' needs answer_is > 40: it is 39"),
        (asked.replace(", answer_is=42", ""), "waits for 'answer_is', which the lab never recorded"),
        (asked.replace("figure='line'", "figure='curve'"), "the figure 'curve', which the lab never drew"),
    ):
        assert said in notebook.run(notebook.lab("01_asks", wrong))[0].error


def test_a_second_run_gives_the_same_bytes(recorded: Notebook) -> None:
    lab = recorded.project.labs()[0]
    before = recorded.project.recorded(lab)
    after = recorded.run(lab, fresh=True)[0].run
    assert after.meta["files"] == before.meta["files"]
    assert after.meta["depends"] == before.meta["depends"]
    assert not recorded.project.keep(lab, after), "a run that changes nothing leaves no diff"


def test_a_lab_may_use_any_name(notebook: Notebook) -> None:
    code = IMPORT + "inside = begin = end = project = 3\n\n# %%\n" + TINY.partition("# %%\n")[2]
    assert notebook.run(notebook.lab("01_names", code))[0].error is None


def test_one_thread_and_a_place_of_its_own(notebook: Notebook) -> None:
    code = IMPORT + (
        "import os, tempfile, pathlib\n"
        "note(threads=int(os.environ['OMP_NUM_THREADS']))\n"
        "pathlib.Path('note.txt').write_text('x')\n"
        "note(here=int(pathlib.Path('note.txt').resolve().is_relative_to(tempfile.gettempdir())))\n"
        "with tempfile.TemporaryFile() as f:\n    f.write(b'x')\n"
        "note(offline=int(os.environ['HF_HUB_OFFLINE']))\n\n# %%\n"
    )
    run = notebook.run(notebook.lab("01_place", code + TINY.partition("# %%\n")[2]))[0]
    assert run.error is None
    assert {name: value.value for name, value in run.run.values.items()} == {
        "threads": 1,
        "here": 1,
        "offline": 1,
        "answer": 42,
        "share": 0.25,
    }


def test_what_a_lab_reads_is_a_dependency(notebook: Notebook) -> None:
    data = notebook.root / "numbers.txt"
    data.write_text("1")
    folder = notebook.root / "weights"
    folder.mkdir()
    (folder / "a.bin").write_text("a")
    lab = notebook.lab(
        "01_reads",
        f"from llmnotes.lab import depends_on\nopen(r'{data}').read()\ndepends_on(r'{folder}')\n\n# %%\n{TINY}",
    )
    assert notebook.run(lab)[0].error is None
    assert notebook.project.valid_run(lab)
    data.write_text("2")
    assert notebook.project.valid_run(lab) is None
    data.write_text("1")
    assert notebook.project.valid_run(lab), "an older run serves again"
    (folder / "a.bin").write_text("b")
    assert notebook.project.valid_run(lab) is None


def test_only_what_changed_runs_again(recorded: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reuse rules, with a copy of the package that may be edited."""
    package = tmp_path / "copy" / "llmnotes"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "checkpoints", "katex"))
    monkeypatch.setattr("llmnotes.site.run.stored.PACKAGE", package)
    monkeypatch.setattr("llmnotes.site.run.execute.PACKAGE", package)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    recorded.lab("02_other", f"{IMPORT}note(alone=1)\n\n# %%\n{TINY}")

    def ran() -> set[str]:
        outcomes = recorded.run()
        assert not [outcome.error for outcome in outcomes if outcome.error]
        return {outcome.lab.stem for outcome in outcomes if outcome.fresh}

    assert ran() == {"02_other"}, "the recorded run of 01 serves"
    assert ran() == set()
    path = recorded.root / "labs" / "01_tiny.py"
    path.write_text(path.read_text().replace("Some prose.", "Other prose."))
    assert ran() == set(), "prose is not code"
    path.write_text(path.read_text().replace("said in passing", "said"))
    assert ran() == {"01_tiny"}
    (package / "unused.py").write_text("x = 1\n")
    (package / "site" / "pages" / "plugin.py").write_text(
        (package / "site" / "pages" / "plugin.py").read_text() + "\n# edited\n"
    )
    assert ran() == set(), "no lab loads these"
    plots = package / "lab" / "plots.py"
    text = plots.read_text().replace('"""', '"""Now with other words. ', 1) + "\n# edited\n"
    plots.write_bytes(text.replace("\n", "\r\n").encode())
    assert ran() == set(), "comments, docstrings and line endings are not code"
    plots.write_text(text + "\nx = 1\n")
    assert ran() == {"01_tiny", "02_other"}


def test_ctrl_c_leaves_no_child_and_a_whole_store(recorded: Notebook) -> None:
    recorded.lab("02_waits", "import time\ntime.sleep(60)")
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "run", "--fresh"],
        cwd=recorded.root,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # where our parent ignores Ctrl-C (`make test &`, nohup), a child would, too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 150
    while not list((recorded.project.cache / "runs").glob("01_tiny/*/run.json")):
        assert time.monotonic() < deadline, "the first lab did not finish"
        assert process.poll() is None
        time.sleep(0.1)
    while len(kernels_of(recorded.root)) < 2:  # the runner and the kernel of the lab that waits
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Aborted!" in stderr
    assert "Traceback" not in stderr
    assert not kernels_of(recorded.root)
    assert not list(recorded.project.cache.glob("tmp-*"))
    lab = recorded.project.pick(("tiny",))[0][0]
    assert recorded.project.valid_run(lab)
    recorded.project.valid_run(lab).check()


def test_a_killed_runner_leaves_nothing_that_stays(recorded: Notebook) -> None:
    recorded.lab("02_waits", "import time\ntime.sleep(60)")
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "run", "02"],
        cwd=recorded.root,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 150
    while len(kernels_of(recorded.root)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.kill()
    process.wait()
    while kernels_of(recorded.root):
        assert time.monotonic() < deadline, "the kernel outlives its runner"
        time.sleep(0.2)
    (left,) = recorded.project.cache.glob("tmp-*")
    os.utime(left, (0, 0))
    with recorded.project.workspace() as work:
        assert [*recorded.project.cache.glob("tmp-*")] == [work], "a later runner sweeps up"


def test_two_runners_at_once_on_one_store(recorded: Notebook) -> None:
    command = [sys.executable, "-c", MAIN, "run", "--fresh"]
    both = [
        subprocess.Popen(command, cwd=recorded.root, env=clean_environment(), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    runs = [Run(path) for path in (recorded.project.cache / "runs" / "01_tiny").iterdir()]
    assert len(runs) == 2
    for run in runs:
        run.check()
    assert runs[0].meta["files"] == runs[1].meta["files"]
    assert not list(recorded.project.cache.glob("tmp-*"))


def test_a_lab_on_smollm2_runs_where_the_model_is(notebook: Notebook, monkeypatch, tmp_path: Path) -> None:
    lab = notebook.lab("01_real", needs="[smollm2]")
    monkeypatch.setenv("LLMNOTES_MODELS", str(tmp_path))
    outcome = notebook.run(lab, fetch=False)[0]
    assert (outcome.run, outcome.error, outcome.fresh) == (None, None, False), "a build fetches nothing"

    def unreachable() -> None:
        raise ConnectionError("no way there")

    with monkeypatch.context() as patch:
        patch.setattr("llmnotes.model.smollm2.get", unreachable)
        assert notebook.run(lab)[0].error == "no way there"
    (tmp_path / "smollm2").mkdir()
    (tmp_path / "smollm2" / "config.json").write_text("{}")
    assert notebook.run(lab, fetch=False)[0].fresh


def test_a_lab_that_needs_the_hub_waits_to_be_asked(notebook: Notebook) -> None:
    lab = notebook.lab("01_hub", needs="[hub]")
    outcome = notebook.run(lab)[0]
    assert outcome.run is None
    assert outcome.error is None
    outcome = notebook.run(lab, hub=True)[0]
    assert outcome.run.values["answer"].value == 42


def test_progress_is_reported(recorded: Notebook) -> None:
    said = []
    recorded.run(report=lambda lab, state: said.append((lab.stem, state)))
    assert said == [("01_tiny", "has a valid stored run")]
    said.clear()
    recorded.run(fresh=True, report=lambda lab, state: said.append((lab.stem, state)))
    assert said == [("01_tiny", "runs"), ("01_tiny", "done")]


def test_json_on_disk_is_plain(recorded: Notebook) -> None:
    text = (recorded.root / "labs" / "recorded" / "01_tiny" / "results.json").read_text()
    assert text.endswith("}\n")
    said = [out for cell in json.loads(text)["cells"] for out in cell]
    assert [out["value"] for out in said if out["kind"] == "record"] == [42, 0.25]
    assert str(recorded.root) not in text
    assert os.sep + "root" not in text
