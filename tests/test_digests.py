"""What counts as a change of code, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmnotes.site.run.digests import digest_of, digest_of_cells

CODE = '''\
"""What the module is for."""
import math


class Net:
    """A docstring."""

    size: int = 3
    """How large it is."""

    def area(self, r):
        """Another."""
        return f"{math.pi * r**2:.2f}"
'''


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("A docstring.", "Other words."), True),
        (('    """How large it is."""\n', ""), True),
        (('"""What the module is for."""\n', ""), True),
        (("import math\n", "import math  # for pi\n\n\n"), True),
        (("\n", "\r\n"), True),
        (("r**2", "(r ** 2)"), True),
        (('"""What', '\ufeff"""What'), True),
        (("size: int = 3", "size: int = 4"), False),
        (("size: int = 3", "size: int = 3.0"), False),
        ((":.2f", ":.3f"), False),
        (("self, r", "self, /, r"), False),
        (("        return", "        return None  #"), False),
    ],
)
def test_of_code_what_it_does_counts(tmp_path: Path, change: tuple[str, str], same: bool) -> None:
    for name, text in (("before.py", CODE), ("after.py", CODE.replace(*change)), ("before.txt", CODE)):
        (tmp_path / name).write_bytes(text.encode())
    assert (digest_of(tmp_path / "before.py") == digest_of(tmp_path / "after.py")) == same
    assert digest_of(tmp_path / "before.txt") != digest_of(tmp_path / "before.py")


def test_of_everything_else_the_bytes_count(tmp_path: Path) -> None:
    for name in ("weights.safetensors", "broken.py"):
        path = tmp_path / name
        path.write_bytes(b"a = = 1\n")
        before = digest_of(path)
        path.write_bytes(b"a = = 1 \n")
        assert digest_of(path) != before


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (["a = 1", "a"], ["a = 1  # one", "\n(a)\n"], True),
        (["a = 1", "a"], ["a = 1\na"], False),
        (["a"], ["a;"], False),  # IPython shows the value of the first alone
        (["a;"], ["a ; # quiet"], True),
        (["a"], ["a  # not quiet;"], True),
        (["'shown'"], ["'also shown'"], False),
        (["'not shown'\na"], ["'nor this'\na"], True),
        (["def f():\n    'A docstring.'\n    return 1"], ["def f():\n    return 1"], True),
        ([""], ["# nothing"], True),
    ],
)
def test_of_a_lab_what_its_cells_do_counts(before: list[str], after: list[str], same: bool) -> None:
    assert (digest_of_cells(before) == digest_of_cells(after)) == same


def test_the_same_on_every_version_of_python(tmp_path: Path) -> None:
    """Recorded on one version, a run speaks on the others."""
    path = tmp_path / "code.py"
    path.write_text(CODE)
    assert digest_of(path) == "b32d5c5b882864ff56f0111ddc572b67"
