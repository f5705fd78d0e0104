"""A lab and its run as a page in Markdown, and as the notebook that readers download."""

from __future__ import annotations

import ast
import functools
import re
from html.parser import HTMLParser

import nbformat

from llmnotes.site.errors import NotebookError
from llmnotes.site.notebook.entries import SINGULAR
from llmnotes.site.pages.calls import fill
from llmnotes.site.pages.contents import Contents, lab_uri
from llmnotes.site.pages.figures import drawing
from llmnotes.site.pages.templates import FILTERS, FOLDER, front_matter
from llmnotes.site.run.digests import digest
from llmnotes.site.run.labs import FOLDED, Cell, Lab
from llmnotes.site.run.store import Run

OUTPUT = "application/vnd.llmnotes.output+json"  # in the executed notebook: one output as the run stored it


def lab_markdown(contents: Contents, lab: Lab) -> str:
    """The lab's page: front matter, prose, code, outputs, figures, records and predictions.

    Raises:
        NotebookError: an unknown call in the prose; an output of Markdown that would not stay in its place.
    """
    place = contents.place(lab_uri(lab))
    run = contents.runs[lab.key][1]
    stale = run.stale_because(lab, contents.project.root) if run else None
    notebook = executed(lab, run, lambda cell: fill(cell.source, contents, place, str(lab.path), cell.line))
    context = {
        "lab": lab,
        "run": run,
        "stale": stale,
        "place": place,
        "before": [other for other in contents.labs if other.stem in lab.needs],
        "colab": contents.colab(lab),
        "singular": SINGULAR,
    }
    head = front_matter(
        {
            "title": lab.title,
            "description": lab.question,
            "number": lab.number,
            "lab": lab.stem,
            "tags": [*lab.tags, lab.level],
        }
    )
    body, _ = _exporter().from_notebook_node(notebook, resources=context)
    return f"{head}\n{body.strip()}\n"


@functools.cache
def _exporter():
    """mkdocs-jupyter's converter, without executing anything, with our template: it writes Markdown."""
    from mkdocs_jupyter.nbconvert2 import get_nbconvert_app
    from nbconvert import MarkdownExporter

    settings = get_nbconvert_app(execute=False, allow_errors=False).config
    exporter = MarkdownExporter(config=settings, template_file="lab.md.jinja", extra_template_paths=[str(FOLDER)])
    exporter.environment.trim_blocks = exporter.environment.lstrip_blocks = True  # as for our other templates
    exporter.environment.filters |= FILTERS
    return exporter


def executed(lab: Lab, run: Run | None, prose=lambda cell: cell.source) -> nbformat.NotebookNode:
    """The lab's cells with the outputs of a run.

    Args:
        lab: the lab.
        run: its run. Without one the notebook has no outputs; one of other code may have more or fewer cells.
        prose: what stands in a cell of prose.
    """
    cells: list[dict] = []  # plain, because nbformat's constructors check each of hundreds of pieces on its own
    outputs = iter(run.outputs if run else [])
    for position, cell in enumerate(lab.cells):
        new = {"id": f"cell-{position}", "cell_type": cell.kind, "source": cell.source, "metadata": {}}
        if cell.kind == "markdown":
            new["source"] = prose(cell)
        else:
            grouped = _grouped(next(outputs, []), run, lab)
            shown = [{"output_type": "display_data", "metadata": {}, "data": {OUTPUT: output}} for output in grouped]
            new |= {"metadata": _fold(cell), "execution_count": None, "outputs": shown}
        cells.append(new)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel}
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def _fold(cell: Cell) -> dict[str, str]:
    """What of a code cell is folded: everything, its code, or nothing; and what the fold is called."""
    tag = next((tag for tag in cell.tags if tag in FOLDED), None)
    if tag:
        return {"fold": "code" if tag == "drawing" else "all", "kind": tag, "title": FOLDED[tag]}
    if _only_predicts(cell):
        return {"fold": "code", "kind": "drawing", "title": "How they are written down"}
    return {"fold": "nothing"}


def _only_predicts(cell: Cell) -> bool:
    """Whether a cell only states predictions, perhaps with names for their claims: its outputs say all of it."""
    body = ast.parse(cell.source).body
    calls = [getattr(getattr(statement, "value", None), "func", None) for statement in body]
    predicts = [isinstance(call, ast.Name) and call.id == "predict" for call in calls]
    names = [isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant) for one in body]
    return any(predicts) and all(one or other for one, other in zip(predicts, names, strict=True))


def _grouped(outputs: list[dict], run: Run | None, lab: Lab) -> list[dict]:
    """A cell's outputs, with values that were recorded one after the other in one, and predictions with their ends."""
    settled = {entry["claim"]: entry for entry in run.predictions} if run else {}
    grouped: list[dict] = []
    for output in outputs:
        if output["kind"] == "record":
            if not grouped or grouped[-1]["kind"] != "records":
                grouped.append({"kind": "records", "values": []})
            values = grouped[-1]["values"]
            if values and all(values[-1][key] == output[key] for key in ("atol", "rtol", "because")):
                values[-1] |= {"shared": True}  # its tolerance stands behind the last of those that share it
            values.append(output | {"shared": False})
        elif output["kind"] == "prediction":
            key = digest(output["claim"].encode())[:8]  # by which the reader's own answer is kept
            grouped.append(output | {"key": key, "settled": settled.get(output["claim"])})
        elif output["kind"] == "figure":
            grouped.append(output | {"drawn": drawing(run, output)})
        elif output["kind"] != "labels":  # those stand at the values
            if output["kind"] == "markdown":
                _stays_in_place(output["text"], lab)
            grouped.append(output)
    return grouped


class _Tags(HTMLParser):
    """Which elements are left open or closed too often, and which would run."""

    VOID = frozenset({"br", "hr", "img", "input", "path", "circle", "line", "rect"})

    def __init__(self, markdown: str):
        super().__init__()
        self.open: list[str] = []
        self.wrong = ""
        self.feed(markdown)
        self.close()
        self.wrong = self.wrong or (f"<{self.open[-1]}> is not closed" if self.open else "")

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "iframe", "object", "embed", "link", "meta", "base"):
            self.wrong = f"<{tag}> is not allowed"
        if any(name.startswith("on") or "javascript:" in (value or "").lower() for name, value in attributes):
            self.wrong = f"<{tag}> holds a script"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong = f"</{tag}> closes nothing"


def _stays_in_place(markdown: str, lab: Lab) -> None:
    fence = re.findall(r"^\s*(?:`{3,}|~{3,})", markdown, re.MULTILINE)
    if wrong := _Tags(markdown).wrong or ("a fence is not closed" if len(fence) % 2 else ""):
        raise NotebookError(
            f"{lab.path}: an output of Markdown would not stay in its place on the page: {wrong}; it begins "
            f"{markdown[:60]!r}"
        )


@functools.lru_cache(maxsize=64)
def download(lab: Lab, repository: str) -> str:
    """The lab as a notebook without outputs, with a first cell that installs `llmnotes`.

    Args:
        lab: the lab.
        repository: the address that the package is installed from; without it the cell says what to do.
    """
    install = f'%pip install -q "llmnotes @ git+{repository}"'
    if not repository:
        install = "# Install llmnotes first, in a checkout of the notebook: pip install -e ."
    cells = [
        nbformat.v4.new_markdown_cell(f"# {lab.title}\n\n{lab.question}"),
        nbformat.v4.new_code_cell(install),
    ]
    for cell in lab.cells:
        new = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
        cells.append(new(cell.source, metadata={"tags": list(cell.tags)} if cell.tags else {}))
    notebook = nbformat.v4.new_notebook(cells=cells)
    for position, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{position}"  # nbformat draws them at random
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.writes(notebook) + "\n"
