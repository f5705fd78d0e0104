"""Reading labs: headers and scripts that are not as they must be."""

from __future__ import annotations

import json
import re
import time
from itertools import pairwise

import pytest
from conftest import ROOT, TINY, Notebook

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.labs import Lab, find_labs, read_lab


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"tag": "[x]"}, "unknown field 'tag'; did you mean 'tags'?"),
        ({"question": None}, "question is missing; expected one sentence that ends in a question mark"),
        ({"thumbnail": None}, "thumbnail is missing"),
        ({"question": "It is so."}, "question is 'It is so.'; expected one sentence that ends in a question mark"),
        ({"level": "expert"}, "level is 'expert'; expected one of beginner, intermediate, advanced"),
        ({"minutes": 0}, "minutes is 0; expected a whole number"),
        ({"minutes": "true"}, "minutes is True"),
        ({"minutes": "soon"}, "minutes is 'soon'"),
        ({"chapter": "Magic"}, "chapter is 'Magic'; expected one of Start, Inside"),
        ({"models": "gpt2"}, "models is 'gpt2'; expected a list of model names"),
        ({"tags": "[1]"}, "tags is [1]; expected a list of words"),
        ({"title": "''"}, "title is ''; expected a short text"),
        ({"timeout": -1}, "timeout is -1; expected seconds, more than 0"),
        ({"timeout": ".inf"}, "timeout is inf; expected seconds"),
        ({"timeout": "true"}, "timeout is True; expected seconds"),
        ({"title": "a: b: c"}, "header: not valid YAML"),
        ({"title": '"a bell \\a"'}, "title is 'a bell \\x07'; expected a short text"),
        ({"tags": "&x [*x]"}, "header: not valid YAML: it refers to an alias"),
        ({"title": "x\n# title: y"}, "header: not valid YAML: 'title' is there twice"),
        ({"tags": "[" * 2000}, "header: not valid YAML"),
        ({"title": 2026, "tags": "2026-02-31"}, "header: not valid YAML: day is out of range"),
    ],
)
def test_a_header_names_its_fault(notebook: Notebook, header: dict, said: str) -> None:
    with pytest.raises(NotebookError) as caught:
        notebook.lab("01_bad", **header)
    assert said in str(caught.value)
    assert str(notebook.root / "labs" / "01_bad.py") in str(caught.value)


@pytest.mark.parametrize(
    ("code", "line", "said"),
    [("a = = 1", 17, "invalid syntax"), ("a = 1\n\n# %%\nreturn a", 20, "'return' outside function")],
)
def test_a_syntax_error_names_its_line(notebook: Notebook, code: str, line: int, said: str) -> None:
    with pytest.raises(NotebookError) as caught:
        notebook.lab("01_bad", code)
    assert f"01_bad.py:{line}: not valid Python: {said}" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"), [(b"print(1)\n", "no header"), (b"\xff\xfe", "cannot be read"), (b"", "no header")]
)
def test_what_is_no_lab_is_refused(notebook: Notebook, content: bytes, said: str) -> None:
    path = notebook.root / "labs" / "01_bad.py"
    path.write_bytes(content)
    with pytest.raises(NotebookError, match=said):
        read_lab(path)


def test_one_broken_lab_leaves_the_others(notebook: Notebook) -> None:
    notebook.write("01_broken", "a = = 1")
    notebook.write("02_good")
    notebook.write("03_again")
    notebook.write("04_needs", title="t", question="q?", level="beginner", minutes=1, chapter="Start", models=[],
                   needs="[02_god]", tags=[], thumbnail="x")  # fmt: skip
    notebook.write("05_Upper")
    notebook.write("02_again")
    notebook.write("7_c")
    notebook.write("02-e")
    notebook.write("notalab")
    (notebook.root / "labs" / "beside.py").write_text("def helper():\n    return 1\n")  # a module, which labs import
    labs, broken = find_labs(notebook.root / "labs")
    assert [lab.stem for lab in labs] == ["02_again"]
    assert {stem: str(error).partition(": ")[2].partition(":")[0] for stem, error in broken.items()}.keys() == {
        "01_broken",
        "03_again",
        "04_needs",
        "05_Upper",
        "02_good",
        "7_c",
        "02-e",
        "notalab",
    }
    for stem in ("02_good", "03_again"):
        assert "its number or its name is taken by 02_again.py" in str(broken[stem])
    for stem in ("7_c", "02-e", "notalab"):
        assert f"named {stem!r}; expected two digits and lower-case words" in str(broken[stem])
    assert "needs names '02_god', which is no lab that stands before it" in str(broken["04_needs"])
    assert "did you mean '02_good'?" in str(broken["04_needs"])
    assert "expected two digits and lower-case words" in str(broken["05_Upper"])
    with pytest.raises(NotebookError) as caught:
        notebook.project.labs()
    assert "01_broken.py:17" in str(caught.value)
    assert "05_Upper" in str(caught.value)


def test_labs_are_picked_by_any_of_their_names(notebook: Notebook) -> None:
    notebook.write("01_broken", "a = = 1")
    lab = notebook.lab("07_residual_stream")
    for name in ("7", "07", "residual_stream", "07_residual_stream", str(lab.path)):
        labs, broken = notebook.project.pick((name,))
        assert [found.path for found in labs] == [lab.path]
        assert not broken
    labs, broken = notebook.project.pick(("7", "1"))
    assert labs == [lab]
    assert "not valid Python" in str(broken["01_broken"])
    for name, said in (("07_residual_steam", "did you mean 'residual_stream'?"), ("missing.py", "No such file")):
        with pytest.raises(NotebookError, match=re.escape(said)):
            notebook.project.pick((name,))


def test_only_what_is_executed_counts_for_the_digest(notebook: Notebook) -> None:
    before = notebook.lab("01_tiny").digest
    assert notebook.lab("01_tiny", prose="Quite other prose.", title="Another title", minutes=9).digest == before
    assert notebook.lab("01_tiny", TINY.replace("42", "43")).digest != before
    assert notebook.lab("01_tiny", TINY + "\n# %%\na = 1\n").digest != before


def test_headers_become_fields(notebook: Notebook) -> None:
    lab = notebook.lab("07_residual_stream", needs="[hub]", models="[gpt2]", timeout=7.5)
    assert (lab.number, lab.key, "hub" in lab.needs, lab.models, lab.timeout) == (
        "07",
        "residual_stream",
        True,
        ("gpt2",),
        7.5,
    )
    assert notebook.lab("08_default").timeout == 120


def test_comments_stay_comments(notebook: Notebook) -> None:
    """Jupytext reads them as commands of IPython, and would have them run."""
    commands = "# !touch made_by_a_comment\n# %time\n# %%bash\n# cat"
    lab = notebook.lab("01_comments", f"{commands}\n\n# %%\n# ls\na = 1\n")
    assert [cell.source for cell in lab.code] == [commands, "# ls\na = 1"]
    assert [cell.kind for cell in lab.cells] == ["markdown", "code", "code"]


def test_a_byte_order_mark_changes_nothing(notebook: Notebook) -> None:
    before = notebook.lab("01_tiny")
    before.path.write_bytes(b"\xef\xbb\xbf" + before.path.read_bytes().replace(b"\n", b"\r\n"))
    after = read_lab(before.path)
    assert after == before
    assert after.digest == before.digest


def test_a_small_file_that_stands_for_gigabytes_is_refused_at_once(notebook: Notebook) -> None:
    bomb = "[&a [x, x, x, x, x, x, x, x, x]" + "".join(
        f", &{name} [{', '.join(9 * [f'*{before}'])}]" for before, name in pairwise("abcdefghij")
    )
    began = time.monotonic()
    with pytest.raises(NotebookError, match="refers to an alias"):
        notebook.lab("01_bomb", tags=bomb + "]")
    assert time.monotonic() - began < 5


def test_the_fields_are_their_own_documentation() -> None:
    table = Lab.table()
    assert (
        "| `minutes` | a whole number of minutes to read it, 1 or more; counted from the lab if it is left out |"
        in table
    )
    assert "`path`" not in table, "a header does not state it"


# Python's and torch's ways to write values, nested lists, dictionaries of numbers, digits that mean nothing
RAW = re.compile(r"\bnp\.|\btensor\(|\barray\(|\[[(\[]|\{[^{}]*:[^{}]*\d[^{}]*\}|\d\.\d{7,}")
LEFT = {"38_narrow": "three moods and their shares to two decimals, keyed by the words that its text speaks of"}


@pytest.mark.parametrize(
    "run", sorted((ROOT / "labs" / "recorded").glob("*/results.json")), ids=lambda run: run.parent.name
)
def test_a_lab_prints_for_readers(run) -> None:
    cells = json.loads(run.read_text())["cells"]
    texts = [output["text"] for cell in cells for output in cell if output["kind"] == "text"]
    raw = [text for text in texts if RAW.search(text)]
    if run.parent.name in LEFT:
        assert raw, f"{run.parent.name} prints no raw values any more: take it out of LEFT"
    else:
        assert not raw, f"printed as Python writes it; say it in words or a short table, or leave it out: {raw}"
