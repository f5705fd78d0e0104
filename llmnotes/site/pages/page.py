"""From a lab and its run to the notebook that mkdocs-jupyter renders, and to the files that readers download."""

from __future__ import annotations

import ast
import functools
from html import escape
from pathlib import Path

import nbformat

from llmnotes.site.run.digests import digest
from llmnotes.site.run.labs import FOLDED, Cell, Lab
from llmnotes.site.run.store import Run

END = "<!-- llmnotes: end of the Markdown -->"  # the template's last line; what mkdocs-jupyter adds comes after it


def page_notebook(lab: Lab, run: Run | None) -> nbformat.NotebookNode:
    """The lab's cells with the outputs of a run, each output as the Markdown that stands on the page.

    Args:
        lab: the lab.
        run: its run; without one the page says so and shows the code alone.
    """
    cells: list[dict] = []  # plain, because nbformat's constructors check each of hundreds of pieces on its own
    outputs = iter(run.outputs if run and run.meta["depends"].get("code") == lab.digest else [])
    for at, cell in enumerate(lab.cells):
        common = {"id": f"cell-{at}", "cell_type": cell.kind, "source": cell.source}
        if cell.kind == "markdown":
            cells.append(common | {"metadata": {}})
            continue
        blocks = _blocks(next(outputs, []), run)
        shown = [{"output_type": "display_data", "metadata": {}, "data": {"text/markdown": block}} for block in blocks]
        cells.append(common | {"metadata": _fold(cell), "execution_count": None, "outputs": shown})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    # the template is part of what mkdocs-jupyter makes of the notebook, and its cache looks at the notebook alone
    metadata = {"kernelspec": kernel, "template": digest(b"".join(path.read_bytes() for path in _template()))}
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def _template() -> list[Path]:
    return sorted(path for path in (Path(__file__).parent / "templates").rglob("*") if path.is_file())


def _fold(cell: Cell) -> dict[str, str]:
    tag = next((tag for tag in cell.tags if tag in FOLDED), None)
    if tag is None:
        return {"fold": "code", "title": 'drawing "How they are written down"'} if _only_predicts(cell) else {}
    return {"fold": "code" if tag == "drawing" else "all", "title": f'{tag} "{FOLDED[tag]}"'}


def _only_predicts(cell: Cell) -> bool:
    """Whether a cell only states predictions, perhaps with names for their claims: its outputs say all of it."""
    body = ast.parse(cell.source).body
    calls = [getattr(getattr(statement, "value", None), "func", None) for statement in body]
    predicts = [isinstance(call, ast.Name) and call.id == "predict" for call in calls]
    names = [isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant) for one in body]
    return any(predicts) and all(one or other for one, other in zip(predicts, names, strict=True))


def _blocks(outputs: list[dict], run: Run | None) -> list[str]:
    blocks: list[str] = []
    values: list[dict] = []
    for out in [*outputs, {"kind": "end"}]:
        if out["kind"] == "record":
            values.append(out)
            continue
        if values:
            items = "".join(_value(*pair) for pair in zip(values, [*values[1:], None], strict=True))
            blocks.append(f'<ul class="recorded" aria-label="Recorded values">{items}</ul>')
            values = []
        if out["kind"] == "text":
            blocks.append(f"````{{ .text .lab-output .no-copy }}\n{out['text']}\n````")
        elif out["kind"] == "markdown":
            blocks.append(out["text"])
        elif out["kind"] == "figure":
            blocks.append(_figure(out, run))
        elif out["kind"] == "prediction":
            blocks.append(_prediction(out, run))
    return blocks


def _value(entry: dict, following: dict | None) -> str:
    """One recorded value; its tolerance and reason stand behind the last of several that share them."""
    value = entry["value"]
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    unit = f" {entry['unit']}" if entry["unit"] else ""
    shared = following and all(entry[key] == following[key] for key in ("atol", "rtol", "because"))
    margins = [f"± {entry['atol']:g}"] if entry["atol"] else []
    margins += [f"± {entry['rtol']:.3g} of it"] if entry["rtol"] else []
    why = (
        f' <span class="why">{" and ".join(margins)}: {escape(entry["because"])}</span>'
        if margins and not shared
        else ""
    )
    return f'<li id="value-{entry["name"]}"><code>{entry["name"]}</code> <b>{shown}</b>{escape(unit)}{why}</li>'


def _figure(entry: dict, run: Run | None) -> str:
    title = f'\n<p class="t" markdown="span">{entry["title"]}</p>' if entry.get("title") else ""
    caption = f'\n<figcaption markdown="span">{entry["caption"]}</figcaption>' if entry["caption"] else ""
    drawn = drawing(run, entry) if run else ""
    return f'<figure markdown="1" class="lab-figure" id="figure-{entry["name"]}">{title}\n{drawn}{caption}\n</figure>'


def drawing(run: Run, entry: dict) -> str:
    """A figure in line, once for a page and once for a phone, of which the styles show one.

    Args:
        run: the run that drew it.
        entry: the figure among the run's results.
    """
    alt = escape(entry["alt"])
    drawn = []
    for layout, suffix in (("wide", ".svg"), ("narrow", ".narrow.svg")):
        svg = (run.folder / "figures" / f"{entry['name']}{suffix}").read_text(encoding="utf-8").replace("\n", " ")
        drawn.append(f'<div class="lab-drawing {layout}" role="img" aria-label="{alt}">{svg}</div>')
    return "\n".join(drawn)


def _prediction(entry: dict, run: Run | None) -> str:
    settled = next((p for p in run.predictions if p["claim"] == entry["claim"]), None) if run else None
    head = f'<summary markdown="span">{escape(entry["claim"], quote=False)}</summary>'
    said = f"We said {entry['p']:.0%}."
    if not settled:
        return f'<details class="prediction" open markdown="1">\n{head}\n\n{said} Not settled yet.\n\n</details>'
    value = settled["value"]
    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    outcome = "It came true" if settled["outcome"] else "It did not come true"
    # what the script needs to ask the reader first, and to keep both scores (docs/assets/predict.js)
    data = (
        f'data-key="{digest(entry["claim"].encode())[:8]}" data-p="{entry["p"]}" data-outcome="{settled["outcome"]:d}"'
    )
    return (
        f'<details class="prediction" open markdown="1" {data}>\n{head}\n\n'
        f"{said} {outcome}: [`{settled['resolved_by']}` is {shown}](#value-{settled['resolved_by']}), "
        f"and the claim needs `{settled['if_']}`.\n\n</details>"
    )


def ran_on(run: Run) -> str:
    """What a run ran on, in one line."""
    ran = run.meta["ran"]
    versions = ", ".join(f"{name} {version}" for name, version in ran["versions"].items() if name != "llmnotes")
    parts = [
        ran["date"][:10],
        f"{run.cpu_seconds:g} s of processor time",
        f"{ran['peak_mb']} MB at the peak",
        f"one thread of {ran['cpu']}",
        versions,
    ]
    if ran["commit"]:
        parts.append(f"commit {ran['commit'].rstrip('+')}" + (" with changes" if ran["commit"].endswith("+") else ""))
    return "; ".join(parts)


@functools.lru_cache(maxsize=64)
def download(lab: Lab, repository: str | None) -> str:
    """The lab as a notebook without outputs, with a first cell that installs `llmnotes`.

    Args:
        lab: the lab.
        repository: the address that the package is installed from; without it the cell says what to do.
    """
    if repository:
        install = f'%pip install -q "llmnotes @ git+{repository}"'
    else:
        install = "# Install llmnotes first, in a checkout of the notebook: pip install -e ."
    first = [
        nbformat.v4.new_markdown_cell(f"# {lab.title}\n\n{lab.question}", id="title"),
        nbformat.v4.new_code_cell(install, id="install"),
    ]
    for cell in lab.cells:
        new = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
        first.append(new(cell.source, metadata={"tags": list(cell.tags)} if cell.tags else {}))
    notebook = nbformat.v4.new_notebook(cells=first)
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{i}"  # nbformat draws them at random
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.writes(notebook) + "\n"
