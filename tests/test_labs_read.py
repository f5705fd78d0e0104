"""Reading labs: headers and scripts that are not as they must be."""

from __future__ import annotations

import pytest
from conftest import TINY, Notebook

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.labs import find_labs, read_lab


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"tag": "[x]"}, "unknown key 'tag'; did you mean 'tags'?"),
        ({"question": None}, "'question' is missing; expected one sentence that ends in a question mark"),
        ({"thumbnail": None}, "'thumbnail' is missing"),
        ({"question": "It is so."}, "question is 'It is so.'; expected one sentence that ends in a question mark"),
        ({"level": "expert"}, "level is 'expert'; expected one of beginner, intermediate, advanced"),
        ({"minutes": 0}, "minutes is 0; expected a whole number"),
        ({"minutes": "true"}, "minutes is True"),
        ({"minutes": "soon"}, "minutes is 'soon'"),
        ({"topic": "magic"}, "topic is 'magic'; expected one of architecture"),
        ({"models": "gpt2"}, "models is 'gpt2'; expected a list of model names"),
        ({"tags": "[1]"}, "tags is [1]; expected a list of words"),
        ({"title": "''"}, "title is ''; expected a short text"),
        ({"timeout": -1}, "timeout is -1; expected seconds, more than 0"),
        ({"title": "a: b: c"}, "header: not valid YAML"),
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
    notebook.write("03_good")
    notebook.write("04_needs", title="t", question="q?", level="beginner", minutes=1, topic="architecture", models=[],
                   needs="[02_god]", tags=[], thumbnail="x")  # fmt: skip
    notebook.write("05_Upper")
    labs, broken = find_labs(notebook.root / "labs")
    assert [lab.stem for lab in labs] == ["02_good"]
    assert {stem: str(error).partition(": ")[2].partition(":")[0] for stem, error in broken.items()}.keys() == {
        "01_broken",
        "03_good",
        "04_needs",
        "05_Upper",
    }
    assert "the name 'good' is taken by 02_good.py" in str(broken["03_good"])
    assert "needs names '02_god', which is no lab; did you mean '02_good'?" in str(broken["04_needs"])
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
    labs, broken = notebook.project.pick(("07_residual_steam", "missing.py", "1"))
    assert not labs
    assert "did you mean 'residual_stream'?" in str(broken["07_residual_steam"])
    assert "no such file" in str(broken["missing.py"])
    assert "not valid Python" in str(broken["01_broken"])


def test_only_what_is_executed_counts_for_the_digest(notebook: Notebook) -> None:
    before = notebook.lab("01_tiny").digest
    assert notebook.lab("01_tiny", prose="Quite other prose.", title="Another title", minutes=9).digest == before
    assert notebook.lab("01_tiny", TINY.replace("42", "43")).digest != before
    assert notebook.lab("01_tiny", TINY + "\n# %%\na = 1\n").digest != before


def test_headers_become_fields(notebook: Notebook) -> None:
    lab = notebook.lab("07_residual_stream", needs="[hub]", models="[gpt2]", timeout=7.5)
    assert (lab.number, lab.key, lab.needs_hub, lab.models, lab.timeout) == (
        "07",
        "residual_stream",
        True,
        ("gpt2",),
        7.5,
    )
    assert notebook.lab("08_default").timeout == 120
