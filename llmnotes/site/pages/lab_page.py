"""A lab and its run as a page in Markdown, and as the notebook that readers download."""

from __future__ import annotations

import functools
import re
from itertools import groupby
from operator import itemgetter

import nbformat

from llmnotes.site.pages.calls import fill
from llmnotes.site.pages.contents import Contents
from llmnotes.site.pages.drawings import picture
from llmnotes.site.pages.figures import curve, drawing, lead, tables
from llmnotes.site.pages.templates import FOLDER, extend, inline
from llmnotes.site.run.digests import digest
from llmnotes.site.run.labs import FOLDED, Cell, Lab
from llmnotes.site.run.store import Run

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
GROUP = "application/vnd.llmnotes.group+json"  # in the executed notebook: outputs of one kind, as the run stored them


def lab_markdown(contents: Contents, lab: Lab) -> str:
    """The lab's page: front matter, prose, code, outputs, figures, records and predictions."""
    place = contents.place(lab.uri)
    run = contents.runs[lab.key][1]

    def filled(markdown: str, line: int = 1) -> str:
        return fill(markdown, contents, place, str(lab.path), line)

    notebook = executed(lab, run, lambda cell: filled(cell.source, cell.line))
    notebook.cells, setup = _without_setup(notebook.cells)
    page = {
        "lab": lab,
        "run": run,
        "stale": run.stale_because(lab, contents.project.root) if run else None,
        "place": place,
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
    # behind a function, because nbconvert copies whatever else it is given
    body, _ = _exporter().from_notebook_node(notebook, resources={"page": lambda: page})
    return f"{body.strip()}\n"


@functools.cache
def _exporter():
    """mkdocs-jupyter's converter, without executing anything, with our template: it writes Markdown."""
    from mkdocs_jupyter.nbconvert2 import get_nbconvert_app
    from nbconvert import MarkdownExporter

    settings = get_nbconvert_app(execute=False, allow_errors=False).config
    exporter = MarkdownExporter(config=settings, template_file="lab.md.jinja", extra_template_paths=[str(FOLDER)])
    extend(exporter.environment)
    return exporter


def executed(lab: Lab, run: Run | None, prose=lambda cell: cell.source) -> nbformat.NotebookNode:
    """The lab's cells, of prose what `prose` makes of them, with the outputs of a run.

    Without a run there are no outputs; one of other code may have more or fewer cells.
    """
    cells = []
    outputs = iter(run.cells if run else [])
    for cell in lab.cells:
        if cell.kind == "markdown":
            cells.append((cell.kind, prose(cell), {}, []))
            continue
        said = [one for one in next(outputs, []) if one["kind"] != "labels"]
        groups = [{GROUP: {"kind": kind, "all": [*some]}} for kind, some in groupby(said, itemgetter("kind"))]
        shown = [{"output_type": "display_data", "metadata": {}, "data": data} for data in groups]
        cells.append((cell.kind, cell.source, _fold(cell, {one["kind"] for one in said}), shown))
    return _notebook(cells)


def _notebook(cells: list[tuple[str, str, dict, list]]) -> nbformat.NotebookNode:
    """Cells by kind, source, metadata and outputs; plain, as nbformat's constructors check each of hundreds alone."""
    made = []
    for position, (kind, source, metadata, outputs) in enumerate(cells):
        new = {"id": f"cell-{position}", "cell_type": kind, "source": source, "metadata": metadata}
        made.append(new | ({"execution_count": None, "outputs": outputs} if kind == "code" else {}))
    return nbformat.from_dict({"cells": made, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5})


def _fold(cell: Cell, kinds: set[str]) -> dict[str, str | int | bool]:
    """What of a code cell is folded, by its tags and the kinds of its outputs.

    Nothing where it carries the idea, its code elsewhere, all of it in a solution.
    """
    tag = next((tag for tag in cell.tags if tag in FOLDED), "")
    comment = re.match(r"# (.{3,70})$", cell.source.strip().partition("\n")[0])
    title = "what we predict" if kinds == {"prediction"} else FOLDED.get(tag, comment[1] if comment else "")
    fold = "nothing" if "idea" in cell.tags else "all" if tag == "solution" else "code"
    return {"fold": fold, "title": title, "lines": len(cell.source.strip().splitlines()), "asks": "question" in kinds}


def _without_setup(cells: list) -> tuple[list, str]:
    """The cells without the imports and constants before the first heading, and these, for the end of the page."""
    first = next((i for i, cell in enumerate(cells) if re.search(r"^#+ ", cell.source, re.MULTILINE)), 0)
    quiet = [cell for cell in cells[:first] if cell.metadata.get("fold") == "code" and not cell.outputs]
    return [cell for cell in cells if cell not in quiet], "\n\n".join(cell.source.strip() for cell in quiet)


def download(lab: Lab, repository: str) -> str:
    """The lab as a notebook without outputs, with a first cell that installs `llmnotes`, if it is known from where."""
    install = f'%pip install -q "llmnotes @ git+{repository}"'
    if not repository:
        install = "# Install llmnotes first, in a checkout of the notebook: pip install -e ."
    first = [("markdown", f"# {lab.title}\n\n{lab.question}", {}, []), ("code", install, {}, [])]
    cells = [(cell.kind, cell.source, {"tags": list(cell.tags)} if cell.tags else {}, []) for cell in lab.cells]
    return nbformat.writes(_notebook(first + cells)) + "\n"
