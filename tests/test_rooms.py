"""The package's rooms: which may import which, and what each offers."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import llmnotes

PACKAGE = Path(llmnotes.__file__).parent
ROOMS = {  # each room, and the rooms that it stands on
    "lab": set(),
    "model": set(),
    "scratch": set(),
    "world": set(),
    "methods": {"model"},
    "patching": {"model"},
    "shipped": {"model", "methods", "scratch", "world"},
    "site": {"lab", "model", "methods", "patching", "scratch", "world", "shipped"},
}
FLOORS = {"run": set(), "notebook": {"run"}, "pages": {"run", "notebook"}}  # inside the site


def imported(path: Path) -> set[str]:
    """The modules of llmnotes that a file imports anywhere in it, for type checking too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("llmnotes"):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.startswith("llmnotes.")}
    return names


def arrows(folder: Path, package: str, known: dict[str, set[str]]) -> list[str]:
    """Imports from one folder into another that the plan does not have."""
    wrong = []
    for room, allowed in known.items():
        for path in sorted((folder / room).rglob("*.py")):
            for name in imported(path):
                parts = name.removeprefix(package + ".").split(".")
                if name.startswith(package + ".") and parts[0] in known and parts[0] not in allowed | {room}:
                    wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    return wrong


def test_arrows_between_the_rooms_run_one_way() -> None:
    assert not arrows(PACKAGE, "llmnotes", ROOMS)


def test_arrows_inside_the_site_run_one_way() -> None:
    assert not arrows(PACKAGE / "site", "llmnotes.site", FLOORS)


def test_an_arrow_that_runs_back_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("test_rooms.PACKAGE", tmp_path)
    for room in ("lab", "model"):
        (tmp_path / room).mkdir()
    (tmp_path / "lab" / "records.py").write_text("def f():\n    from llmnotes.model.loading import load\n")
    (tmp_path / "model" / "loading.py").write_text("from llmnotes.model import hooks\n")
    assert arrows(tmp_path, "llmnotes", ROOMS) == ["lab/records.py imports llmnotes.model.loading.load"]


def test_every_module_is_in_a_room() -> None:
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py"}
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {*ROOMS, "checkpoints"}


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in ("site", "shipped")])
def test_a_room_offers_what_it_says(room: str) -> None:
    assert importlib.import_module(f"llmnotes.{room}").__doc__
    offered = imported(PACKAGE / room / "__init__.py")
    assert offered
    assert all(name.startswith(f"llmnotes.{room}.") for name in offered)
