"""The command line: `llmnotes list | run | record | check | replicate | new | export | get | train`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.compare import against_recorded, stress_labs
from llmnotes.site.run.labs import SMOLLM2, STEM, Lab
from llmnotes.site.run.replicates import replicate_labs
from llmnotes.site.run.runner import Outcome, run_labs
from llmnotes.site.run.store import Project

SKELETON = Path(__file__).with_name("skeleton.py.txt")
console = Console(highlight=False, soft_wrap=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="llmnotes")
def main() -> None:
    """Run and record the labs of the notebook.

    LABS are named by number (7 or 07), by name (xor), by both (01_xor), or by the path of a script.
    """


LABS = click.argument("labs", nargs=-1)
ONE_OR_MORE = click.argument("labs", nargs=-1, required=True)
HUB = click.option("--hub", is_flag=True, envvar="LLMNOTES_HUB", help="Also labs that download models.")
JOBS = click.option("-j", "--jobs", type=click.IntRange(min=1), help="How many at once; by default one for each core.")


@main.command("list")
def list_() -> None:
    """The labs with their minutes, and what state their runs are in."""
    project = Project.around(Path.cwd())
    labs, broken = project.pick(())
    for lab in labs:
        about = f"{lab.stem:<17} {lab.title:<44} {lab.reading.core:>2} min  {lab.level:<12}"
        click.echo(f"{about}  {_state(project, lab)}")
    if broken:
        raise NotebookError("\n".join(map(str, broken.values())))


def _state(project: Project, lab: Lab) -> str:
    if not (recorded := project.recorded(lab)):
        return "not recorded"
    try:
        why = recorded.stale_because(lab, project.root) or recorded.check()
    except NotebookError:
        return click.style("damaged", "red")
    return f"recorded run is stale: {why}" if why else f"recorded, {recorded.cpu_seconds:g} s"


@main.command()
@LABS
@click.option("--fresh", is_flag=True, help="Run again whatever is stored.")
@HUB
@JOBS
def run(labs: tuple[str, ...], **options: Any) -> None:
    """Run LABS (all by default) unless a stored run still speaks for them."""
    _run(labs, run_labs, **options)


@main.command()
@ONE_OR_MORE
@HUB
@JOBS
def record(labs: tuple[str, ...], **options: Any) -> None:
    """Run LABS anew and make what comes out their recorded runs: the snapshots that everything is checked against."""
    _run(labs, run_labs, _keep, fresh=True, **options)


def _keep(project: Project, outcome: Outcome) -> None:
    if outcome.fresh:
        for line in against_recorded(project, outcome):
            click.echo(f"  {line}")
        changed = project.keep(outcome.lab, outcome.run)
        click.echo(f"{outcome.lab.stem}: {'recorded' if changed else 'same as recorded, nothing written'}")


@main.command()
@LABS
@HUB
@JOBS
@click.option("--stress", is_flag=True, help="On an imitated older processor, with other threads, under small noise.")
def check(labs: tuple[str, ...], stress: bool, **options: Any) -> None:
    """Run LABS (all by default) anew and compare every value with the recorded run."""
    if stress:
        _run(labs, stress_labs, lambda _, outcome: outcome.run, **options)
        click.echo("every value stays within its tolerance, and no prediction turns")
    else:
        _run(labs, run_labs, against_recorded, fresh=True, **options)
        click.echo("every value agrees with its recorded one")


@main.command()
@ONE_OR_MORE
@JOBS
def replicate(labs: tuple[str, ...], **options: Any) -> None:
    """Run LABS with every other training of their models, and keep in labs/replicates/ what they record."""
    _run(labs, replicate_labs, **options)


@main.command()
@click.argument("name")
def new(name: str) -> None:
    """Write the skeleton of a lab called NAME under the next free number, run it and record it: it passes as it is."""
    folder = Project.around(Path.cwd()).root / "labs"
    stems = [path.stem for path in folder.glob("[0-9][0-9]_*.py")]
    stem = f"{max((int(stem[:2]) for stem in stems), default=0) + 1:02d}_{name}"
    if not STEM.fullmatch(stem):
        raise NotebookError(f"the name is {name!r}; expected lower-case words joined by underscores: residual_stream")
    if name in {stem[3:] for stem in stems}:
        raise NotebookError(f"there is a lab called {name!r} already; choose another name")
    path = folder / f"{stem}.py"
    skeleton = SKELETON.read_text(encoding="utf-8").replace("TITLE", name.replace("_", " ").capitalize())
    try:
        path.write_text(skeleton.replace("NAME", name), encoding="utf-8")
    except OSError as error:
        raise NotebookError(f"{path}: cannot be written ({error.strerror})") from error
    click.echo(f"wrote labs/{path.name}; edit it, then: llmnotes run {name}")
    record.callback((str(path),))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--stale", type=click.Choice(("run", "show")), default="run", help="Older runs: run anew, or show them.")
def export(folder: Path, stale: str) -> None:
    """Write the notebook into FOLDER as plain Markdown, figures and notebooks, for any site generator."""
    from llmnotes.site.pages.contents import read_contents  # what it imports takes a while
    from llmnotes.site.pages.export import export as write

    project = Project.around(Path.cwd())
    contents = read_contents(project, project.root / "docs", show_stale=stale == "show")
    write(contents, folder)
    click.echo(f"wrote {folder}; build it with: mkdocs build -f {folder / 'mkdocs.yml'}")


@main.command()
@click.argument("model", type=click.Choice([SMOLLM2]))
def get(model: str) -> None:
    """Fetch MODEL once: smollm2, a real model of 135 M parameters (93 MB to download, 270 MB kept)."""
    from llmnotes.model import smollm2  # imports torch

    try:
        click.echo(smollm2.get())
    except (ConnectionError, ImportError, PermissionError) as error:
        raise NotebookError(str(error)) from error


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def train(arguments: tuple[str, ...]) -> None:
    """Make a shipped model again: train world|fairytale --out FOLDER (--help says more)."""
    from llmnotes.shipped.recipes import main as recipes

    recipes(arguments)


def _run(
    names: tuple[str, ...],
    run: Callable[..., list[Outcome]],
    then: Callable[[Project, Outcome], list[str] | None] = lambda project, outcome: None,
    **options: Any,
) -> None:
    """Run labs with a display of their progress, then do what is to be done with each that is good.

    Raises:
        NotebookError: labs failed, or `then` gave faults; each was printed.
    """
    project = Project.around(Path(names[0]) if names and names[0].endswith(".py") else Path.cwd())
    labs, broken = project.pick(names)
    if not labs and not broken:
        raise NotebookError(f"{project.root / 'labs'}: there are no labs")
    shown = {"console": console, "transient": True, "disable": not console.is_terminal}
    with Progress("{task.description}", TimeElapsedColumn(), **shown) as progress:
        outcomes = run(project, labs, report=partial(_report, progress), **options)
    errors = {stem: str(error) for stem, error in broken.items()}
    errors |= {outcome.lab.stem: outcome.error for outcome in outcomes if outcome.error}
    for stem, error in errors.items():
        click.echo(f"{click.style(f'{stem} failed', 'red', bold=True)}\n{error}\n", err=True)
    faults = [line for outcome in outcomes if not outcome.error for line in then(project, outcome) or ()]
    for line in faults:
        click.echo(line)
    if errors:
        raise NotebookError(f"{len(errors)} failed: {', '.join(errors)}")
    if faults:
        raise NotebookError(f"{len(faults)} difference(s) from the recorded runs")


def _report(progress: Progress, lab: Lab, state: str) -> None:
    """Show the labs that run with their seconds, on a terminal; and a line for what else is said of one, anywhere."""
    if state == "runs":
        progress.add_task(lab.stem, total=None)
        return
    for task in [task for task in progress.tasks if task.description == lab.stem and state in ("done", "failed")]:
        state += f" after {task.elapsed:.1f} s"
        progress.remove_task(task.id)
    console.print(f"{lab.stem}  {state}", markup=False)
