"""A lab to begin from: it runs, records, predicts and draws, so that only its content is missing."""

from __future__ import annotations

from pathlib import Path

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.labs import STEM
from llmnotes.site.run.store import Project

SKELETON = Path(__file__).with_name("skeleton.py.txt")


def new_lab(project: Project, name: str) -> Path:
    """Write the skeleton under the next free number, and return its path.

    Raises:
        NotebookError: the name is malformed or taken, there is no notebook here, or nothing can be written.
    """
    if not project.labs_folder.is_dir():
        raise NotebookError(f"{project.root}: no notebook here (no labs/ folder with a mkdocs.yml beside it)")
    stems = [path.stem for path in project.labs_folder.glob("[0-9][0-9]_*.py")]
    stem = f"{max((int(stem[:2]) for stem in stems), default=0) + 1:02d}_{name}"
    if not STEM.fullmatch(stem):
        raise NotebookError(f"the name is {name!r}; expected lower-case words joined by underscores: residual_stream")
    if name in {stem[3:] for stem in stems}:
        raise NotebookError(f"there is a lab called {name!r} already; choose another name")
    path = project.labs_folder / f"{stem}.py"
    lab = SKELETON.read_text(encoding="utf-8").replace("TITLE", name.replace("_", " ").capitalize())
    try:
        path.write_text(lab.replace("NAME", name), encoding="utf-8")
    except OSError as error:
        raise NotebookError(f"{path}: cannot be written ({error.strerror})") from error
    return path
