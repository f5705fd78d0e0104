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
from llmnotes.site.pages.drawings import Drawings
from llmnotes.site.pages.figures import drawing, lead, tables
from llmnotes.site.pages.numbers import margin, rounded
from llmnotes.site.pages.record import record
from llmnotes.site.pages.templates import FILTERS, FOLDER, front_matter, inline
from llmnotes.site.run.digests import digest
from llmnotes.site.run.labs import FOLDED, Cell, Lab
from llmnotes.site.run.store import Run

IDEA = "idea"
"""The tag of a code cell that carries the idea: it stands open."""
IDEA_LINES, MOST_IDEAS = 15, 5
OUTPUT = "application/vnd.llmnotes.output+json"  # in the executed notebook: one output as the run stored it


def lab_markdown(contents: Contents, lab: Lab) -> str:
    """The lab's page: front matter, prose, code, outputs, figures, records and predictions.

    Raises:
        NotebookError: an unknown call in the prose; an output of Markdown that would not stay in its place.
    """
    place = contents.place(lab_uri(lab))
    run = contents.runs[lab.key][1]
    stale = run.stale_because(lab, contents.project.root) if run else None

    def filled(markdown: str, line: int = 1) -> str:
        return fill(markdown, contents, place, str(lab.path), line)

    notebook = executed(lab, run, lambda cell: filled(cell.source, cell.line))
    check_ideas(lab)
    notebook.cells, setup = _without_setup(notebook.cells)
    asks = bool(run and run.questions)
    others = contents.replicates.get(lab.key)
    context = {
        "lab": lab,
        "run": run,
        "stale": stale,
        "place": place,
        "asks": asks,
        "answer": _veiled(filled(inline(lab.answer))) if asks else filled(inline(lab.answer)),
        "filled": filled,
        "lead": lead(run, lab.thumbnail) if run else None,
        "setup": setup,
        "record": record(run, others=others) if run else [],
        "elsewhere": lambda name: ", ".join(map(rounded, others.over(name))) if others else "",
        "picture": lambda name: Drawings(contents.docs / "assets" / "drawings").choice(name),
        "before": [other for other in contents.labs if other.stem in lab.needs],
        "colab": contents.colab(lab),
        "singular": SINGULAR,
    }
    head = front_matter(
        {
            "title": lab.title,
            "description": lab.question,
            "number": lab.number,
            "chapter": lab.chapter,
            "minutes": lab.reading.core,
            "deeper": lab.reading.deeper,
            "level": lab.level,
            "models": [*lab.models],
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
    outputs = iter(run.cells if run else [])
    for position, cell in enumerate(lab.cells):
        new = {"id": f"cell-{position}", "cell_type": cell.kind, "source": cell.source, "metadata": {}}
        if cell.kind == "markdown":
            new["source"] = prose(cell)
        else:
            grouped = _grouped(next(outputs, []), run, lab)
            shown = [{"output_type": "display_data", "metadata": {}, "data": {OUTPUT: output}} for output in grouped]
            new |= {
                "metadata": _fold(cell) | {"asks": any(output["kind"] == "question" for output in grouped)},
                "execution_count": None,
                "outputs": shown,
            }
        cells.append(new)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel}
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def _fold(cell: Cell) -> dict[str, str | int]:
    """What of a code cell is folded: nothing where it carries the idea, its code elsewhere, all of it in a solution."""
    lines = len(cell.source.strip().splitlines())
    if IDEA in cell.tags:
        return {"fold": "nothing", "lines": lines}
    tag = next((tag for tag in cell.tags if tag in FOLDED), None)
    if tag == "solution":
        return {"fold": "all", "title": FOLDED[tag], "lines": lines}
    comment = re.match(r"# (.{3,70})$", cell.source.strip().partition("\n")[0])
    title = "what we predict" if _only_predicts(cell) else FOLDED.get(tag or "", comment[1] if comment else "")
    return {"fold": "code", "title": title, "lines": lines}


def _without_setup(cells: list) -> tuple[list, str]:
    """The cells without the imports and constants before the first heading, and these: they stand at the page's end."""
    first = next((i for i, cell in enumerate(cells) if re.search(r"^#+ ", cell.source, re.MULTILINE)), 0)
    quiet = [i for i, cell in enumerate(cells[:first]) if cell.metadata.get("fold") == "code" and not cell.outputs]
    kept = [cell for i, cell in enumerate(cells) if i not in quiet]
    return kept, "\n\n".join(cells[i].source.strip() for i in quiet)


def check_ideas(lab: Lab) -> None:
    """Refuse more open code than a reader takes in.

    Raises:
        NotebookError: a cell that carries the idea is too long, or there are too many.
    """
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


def _veiled(answer: str) -> str:
    """An answer whose numbers wait for the reader's prediction."""
    return re.sub(
        r"\[[^\]]*\]\([^)]*\)\{ \.bound[^}]*\}", lambda found: f'<span class="veil">{found[0]}</span>', answer
    )


def _only_predicts(cell: Cell) -> bool:
    """Whether a cell only states predictions, perhaps with names for their claims: its outputs say all of it."""
    body = ast.parse(cell.source).body
    calls = [getattr(getattr(statement, "value", None), "func", None) for statement in body]
    predicts = [isinstance(call, ast.Name) and call.id == "predict" for call in calls]
    names = [isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant) for one in body]
    return any(predicts) and all(one or other for one, other in zip(predicts, names, strict=True))


def _grouped(outputs: list[dict], run: Run | None, lab: Lab) -> list[dict]:
    """A cell's outputs, with values that were recorded one after the other in one, and predictions with their ends."""
    labels = {name: value.label for name, value in run.values.items()} if run else {}
    grouped: list[dict] = []
    for output in outputs:
        if output["kind"] == "record":
            if not grouped or grouped[-1]["kind"] != "records":
                grouped.append({"kind": "records", "values": []})
            values = grouped[-1]["values"]
            within = {"within": margin(output), "shown": rounded(output["value"]), "label": labels.get(output["name"])}
            same = values and all(values[-1][key] == output[key] for key in ("atol", "rtol", "because"))
            values.append(output | within | {"same": bool(same)})
        elif output["kind"] == "prediction":  # the reader meets ours at the end of the page
            if not grouped or grouped[-1]["kind"] != "predictions":
                grouped.append({"kind": "predictions", "count": 0})
            grouped[-1]["count"] += 1
        elif output["kind"] == "question":
            key = f"{lab.key}-{digest(output['question'].encode())[:8]}"  # by which the reader's answer is kept
            grouped.append(output | {"key": key, "points": _points(output, run)})
        elif output["kind"] == "figure" and run:
            grouped.append(output | {"drawn": drawing(run, output), "tables": tables(run, output)})
        elif output["kind"] == "labels":
            continue
        elif output["kind"] == "text":
            grouped.append(output | {"prose": is_prose(output["text"]), "text": shortened(output["text"])})
        else:
            if output["kind"] == "markdown":
                _stays_in_place(output["text"], lab)
            grouped.append(output)
    return grouped


def _points(question: dict, run: Run | None) -> list[list[float]]:
    """The true curve of a question that is answered by drawing one: at most 60 of its points."""
    if not question["curve"] or run is None:
        return []
    points = run.arrays(question["figure"])[question["answer"]]
    return points[:: max(1, len(points) // 60)].tolist()


def is_prose(text: str) -> bool:
    """Whether an output is a text to be read, such as a generated tale, and no table of numbers."""
    longest = max(text.splitlines(), key=len, default="")
    letters = sum(character.isalpha() or character == " " for character in longest)
    return len(longest) > 120 and letters > 0.9 * len(longest)


def shortened(text: str) -> str:
    """An output whose numbers have no more digits than one reads; the run keeps all of them."""
    return re.sub(r"(?<![\w.])-?\d+\.\d{9,}(?:e[-+]?\d+)?", lambda found: f"{float(found[0]):.4g}", text)


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
