"""The way through: pages among the labs, and the drawing of what builds on what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import ROOT, Notebook

from llmnotes.site.errors import NotebookError
from llmnotes.site.pages.calls import fill
from llmnotes.site.pages.contents import Contents, extend_nav, read_contents
from llmnotes.site.pages.drawings import dependencies


def contents_of(notebook: Notebook) -> Contents:
    return read_contents(notebook.project, notebook.root / "docs", show_stale=True)


def page(notebook: Notebook, name: str, where: str) -> None:
    (notebook.root / "docs" / name).write_text(f"---\ntitle: {name}\ndescription: About {name}.\n{where}\n---\nText.\n")


def test_pages_stand_where_their_front_matter_says_in_navigation_and_path(recorded: Notebook) -> None:
    recorded.lab("02_more", needs="[hub]", title="More")
    page(recorded, "first.md", "before: Start")
    page(recorded, "between.md", "after: 01_tiny")
    page(recorded, "early.md", "before: 01_tiny")
    page(recorded, "last.md", "after: Start")
    contents = contents_of(recorded)
    order = ["first.md", "early.md", "labs/01_tiny.md", "between.md", "labs/02_more.md", "last.md"]
    assert [one.uri for one in contents.way["Start"]] == order
    nav = [{"Labs": ["labs/index.md"]}]
    extend_nav(nav, contents, [])
    assert nav == [{"Labs": ["labs/index.md", {"Start": order}]}]
    shown = fill("{{ path() }}", contents, contents.place("path.md"))
    assert re.findall(r"\]\(([^)]+)\)", shown) == order
    assert "About between.md." in shown
    assert re.findall(r"\]\(([^)]+)\)", fill('{{ chapter("Start") }}', contents, contents.place("a.md"))) == order
    assert fill('{{ chapter("Inside") }}', contents, contents.place("a.md")) == "no lab yet"
    with pytest.raises(NotebookError, match="no such chapter; did you mean 'Start'"):
        fill('{{ chapter("Stort") }}', contents, contents.place("a.md"))


def test_a_page_that_names_no_lab_is_refused(recorded: Notebook) -> None:
    page(recorded, "lost.md", "after: 01_tin")
    with pytest.raises(
        NotebookError, match=r"lost\.md: after '01_tin': no such lab or chapter; did you mean '01_tiny'"
    ):
        _ = contents_of(recorded).way


def test_the_drawing_leaves_out_what_another_need_has(recorded: Notebook) -> None:
    recorded.lab("02_b", needs="[hub, 01_tiny]")
    recorded.lab("03_c", needs="[hub, 02_b, 01_tiny]", chapter="Inside")
    drawn = dependencies(contents_of(recorded))
    assert drawn.count("<path") == 2
    assert drawn.count("<circle") == 3
    assert "03 builds on 02, 01" in drawn
    assert re.findall(r'"chapter"[^>]*>([^<]+)', drawn) == ["Start", "Inside"]


def test_the_notebooks_own_way_begins_with_nine_numbers() -> None:
    front = {path: path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")}
    placed = {path.relative_to(ROOT / "docs").as_posix(): found[1] for path, text in front.items()
              if (found := re.match(r"---\n(?:(?!---).*\n)*?(?:before|after): (\w+)\n", text))}  # fmt: skip
    assert placed["play/xor.md"] == "01_xor"
    assert placed["tour.md"] == "11_residual"
    assert placed["quiz.md"] == "12_mlps"
    assert Path(ROOT / "labs" / "11_residual.py").is_file()
