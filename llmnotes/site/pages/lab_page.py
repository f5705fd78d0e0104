"""A lab and its run as a page in Markdown, and as the notebook that readers download."""

from __future__ import annotations

import ast
import functools
import re
from itertools import groupby
from operator import itemgetter
from typing import Any

import nbformat

from llmnotes.site.errors import NotebookError
from llmnotes.site.pages.calls import fill
from llmnotes.site.pages.contents import Contents
from llmnotes.site.pages.drawings import picture
from llmnotes.site.pages.figures import curve, drawing, lead, tables
from llmnotes.site.pages.templates import inline, render
from llmnotes.site.run.digests import digest
from llmnotes.site.run.labs import FOLDED, Cell, Lab
from llmnotes.site.run.store import Run

IDEA = "idea"
"""The tag of a code cell that carries the idea: it stands open."""
IDEA_LINES, MOST_IDEAS = 15, 5
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def lab_markdown(contents: Contents, lab: Lab) -> str:
    """The lab's page: front matter, prose, code, outputs, figures, records and predictions."""
    check_ideas(lab)
    run = contents.runs[lab.key][1]
    filled = functools.partial(fill, contents=contents, place=contents.place(lab.uri), where=str(lab.path))
    cells, setup = _without_setup(shown_cells(lab, run, lambda cell: filled(cell.source, line=cell.line)))
    page = {
        "lab": lab,
        "run": run,
        "cells": cells,
        "stale": run.stale_because(lab, contents.project.root) if run else None,
        "place": contents.place(lab.uri),
        "asks": bool(run and run.questions),
        "answer": filled(inline(lab.answer)),
        "filled": filled,
        "lead": lead(run, lab.thumbnail) if run else None,
        "setup": setup,
        "others": contents.replicates.get(lab.key),
        "picture": functools.partial(picture, contents.docs / "assets" / "drawings"),
        "contents": contents,
        "drawing": functools.partial(drawing, run),
        "tables": functools.partial(tables, run),
        "curve": functools.partial(curve, run),
        "answers_to": lambda question: f"{lab.key}-{digest(question.encode())[:8]}",  # where a reader's answer is kept
    }
    return render("lab.md.jinja", page=page).strip() + "\n"


def shown_cells(lab: Lab, run: Run | None, prose=lambda cell: cell.source) -> list[dict[str, Any]]:
    """The lab's cells, of prose what `prose` makes of them, with the outputs of a run in groups of one kind.

    Without a run there are no outputs; one of other code may have more or fewer cells.
    """
    outputs = iter(run.cells if run else [])
    cells: list[dict[str, Any]] = []
    for cell in lab.cells:
        if cell.kind == "markdown":
            cells.append({"kind": cell.kind, "source": prose(cell)})
            continue
        said = [one for one in next(outputs, []) if one["kind"] != "labels"]
        groups = [(kind, [*some]) for kind, some in groupby(said, itemgetter("kind"))]
        asks = any(kind == "question" for kind, _ in groups)
        cells.append({"kind": cell.kind, "source": cell.source, "outputs": groups, "asks": asks} | _fold(cell))
    return cells


def _fold(cell: Cell) -> dict[str, str | int]:
    """What of a code cell is folded: nothing where it carries the idea, its code elsewhere, all of it in a solution."""
    tag = next((tag for tag in cell.tags if tag in FOLDED), "")
    comment = re.match(r"# (.{3,70})$", cell.source.strip().partition("\n")[0])
    title = "what we predict" if _only_predicts(cell) else FOLDED.get(tag, comment[1] if comment else "")
    fold = "nothing" if IDEA in cell.tags else "all" if tag == "solution" else "code"
    return {"fold": fold, "title": title, "lines": len(cell.source.strip().splitlines())}


def _without_setup(cells: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
    """The cells without the imports and constants before the first heading, and these, for the end of the page."""
    first = next((i for i, cell in enumerate(cells) if re.search(r"^#+ ", cell["source"], re.MULTILINE)), 0)
    quiet = [cell for cell in cells[:first] if cell.get("fold") == "code" and not cell["outputs"]]
    kept = [cell for cell in cells if not any(cell is one for one in quiet)]
    return kept, "\n\n".join(cell["source"].strip() for cell in quiet)


def check_ideas(lab: Lab) -> None:
    """Refuse more open code than a reader takes in."""
    ideas = [cell for cell in lab.code if IDEA in cell.tags]
    if len(ideas) > MOST_IDEAS:
        raise NotebookError(f"{lab.path}: {len(ideas)} cells are tagged {IDEA!r}; expected at most {MOST_IDEAS}")
    for cell in ideas:
        lines = sum(bool(line.strip(" )](}{[,")) for line in cell.source.splitlines())  # as one reads: no lone brackets
        if lines > IDEA_LINES:
            raise NotebookError(
                f"{lab.path}:{cell.line}: a cell tagged {IDEA!r} has {lines} lines; expected at most {IDEA_LINES}: "
                "move what is not the idea into a cell of its own"
            )


def _only_predicts(cell: Cell) -> bool:
    """Whether a cell only states predictions, perhaps with names for their claims: its outputs say all of it."""
    calls = names = 0
    body = ast.parse(cell.source).body
    for one in body:
        calls += isinstance(one, ast.Expr) and ast.unparse(one).startswith("predict(")
        names += isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant)
    return calls > 0 and calls + names == len(body)


@functools.lru_cache(maxsize=64)
def download(lab: Lab, repository: str) -> str:
    """The lab as a notebook without outputs, with a first cell that installs `llmnotes`, if it is known from where."""
    install = f'%pip install -q "llmnotes @ git+{repository}"'
    if not repository:
        install = "# Install llmnotes first, in a checkout of the notebook: pip install -e ."
    title = Cell("markdown", f"# {lab.title}\n\n{lab.question}", (), 1)
    cells = []
    for position, cell in enumerate([title, Cell("code", install, (), 1), *lab.cells]):
        metadata = {"tags": list(cell.tags)} if cell.tags else {}
        new = {"id": f"cell-{position}", "cell_type": cell.kind, "metadata": metadata, "source": cell.source}
        cells.append(new | ({"execution_count": None, "outputs": []} if cell.kind == "code" else {}))
    notebook = {"cells": cells, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5}
    return nbformat.writes(nbformat.from_dict(notebook)) + "\n"
