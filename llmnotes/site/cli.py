"""The command line: `llmnotes list | run | record | check | replicate | new | export | get | train`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, ProgressColumn, Task
from rich.table import Table
from rich.text import Text

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.compare import against_recorded, differences, stress_labs
from llmnotes.site.run.labs import SMOLLM2, STEM, Lab
from llmnotes.site.run.replicates import replicate_labs
from llmnotes.site.run.runner import Outcome, Report, run_labs
from llmnotes.site.run.store import Project

SKELETON = Path(__file__).with_name("skeleton.py.txt")
console = Console(highlight=False, soft_wrap=True)


class _Group(click.Group):
    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("stopped; what was stored before is untouched", err=True)
            ctx.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="llmnotes")
def main() -> None:
    """Run and record the labs of the notebook.

    LABS are named by number (7 or 07), by name (xor), by both (01_xor), or by the path of a script.
    """


LABS = click.argument("labs", nargs=-1)
ONE_OR_MORE = click.argument("labs", nargs=-1, required=True)
HUB = click.option("--hub", is_flag=True, help="Also labs that download models.")
JOBS = click.option("-j", "--jobs", type=click.IntRange(min=1), help="How many at once; by default one for each core.")


@main.command("list")
def list_() -> None:
    """The labs, and what state their runs are in."""
    project = Project.around(Path.cwd())
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for column in ("lab", "title", "minutes", "level", "run"):
        wide = {"ratio": 1, "min_width": 16} if column == "title" else {}
        table.add_column(column, no_wrap=True, overflow="ellipsis", **wide)
    labs, broken = project.pick(())
    for lab in labs:
        table.add_row(lab.stem, escape(lab.title), str(lab.reading.core), lab.level, _state(project, lab))
    for stem in broken:
        table.add_row(stem, "", "", "", "[red]cannot be read[/]")
    console.print(table)
    if broken:
        raise NotebookError("\n".join(map(str, broken.values())))


def _state(project: Project, lab: Lab) -> str:
    recorded = project.recorded(lab)
    if not recorded:
        return "not recorded"
    try:
        why = recorded.stale_because(lab, project.root) or recorded.check()
    except NotebookError:
        return "[red]damaged[/]"
    return f"recorded run is stale: {why}" if why else f"recorded, {recorded.cpu_seconds:g} s"


@main.command()
@LABS
@click.option("--fresh", is_flag=True, help="Run again whatever is stored.")
@HUB
@JOBS
def run(labs: tuple[str, ...], **options: Any) -> None:
    """Run LABS (all by default) unless a stored run still speaks for them."""
    with _runs(labs, fetch=True, **options):
        pass


@main.command()
@ONE_OR_MORE
@HUB
@JOBS
def record(labs: tuple[str, ...], **options: Any) -> None:
    """Run LABS anew and make what comes out their recorded runs: the snapshots that everything is checked against."""
    with _runs(labs, fresh=True, **options) as (project, outcomes, _):
        for lab, now in [(outcome.lab, outcome.run) for outcome in outcomes if outcome.fresh]:
            before = project.recorded(lab)
            try:
                changes = differences(lab, before, now) if before else []
            except NotebookError as error:
                changes = [str(error)]
            for line in changes:
                click.echo(f"  {line}")
            changed = project.keep(lab, now)
            click.echo(f"{lab.stem}: {'recorded' if changed else 'same as recorded, nothing written'}")


@main.command()
@LABS
@HUB
@JOBS
@click.option("--stress", is_flag=True, help="On an imitated older processor, with other threads, under small noise.")
def check(labs: tuple[str, ...], stress: bool, **options: Any) -> None:
    """Run LABS (all by default) anew and compare every value with the recorded run."""
    if stress:
        return _stress(labs, **options)
    with _runs(labs, fresh=True, **options) as (project, outcomes, faults):
        for outcome in outcomes:
            faults += against_recorded(project, outcome)
    click.echo("every value agrees with its recorded one")


def _stress(labs: tuple[str, ...], **options: Any) -> None:
    table = Table("lab", "value", "tolerance used", "most under", box=None, pad_edge=False, header_style="bold")
    with _runs(labs, stress_labs, **options) as (_, outcomes, faults):
        for lab, (used, left) in [(outcome.lab, outcome.run) for outcome in outcomes]:
            for name, (share, condition) in sorted(used.items(), key=lambda one: -one[1][0]):
                table.add_row(lab.stem, name, f"{share:.0%}" if share < 100 else "far more", condition if share else "")
            faults += left
        console.print(table)
    click.echo("every value stays within its tolerance, and no prediction turns")


@main.command()
@ONE_OR_MORE
@JOBS
def replicate(labs: tuple[str, ...], jobs: int | None) -> None:
    """Run LABS with every other training of their models, and keep in labs/replicates/ what they record."""
    with _runs(labs, replicate_labs, jobs=jobs) as (_, outcomes, _):
        for stem, found in [(outcome.lab.stem, outcome.run) for outcome in outcomes]:
            for seed, why in found.failed.items():
                click.echo(f"{stem}: not with seed {seed}: {why}")
            click.echo(f"{stem}: {len(found.values)} other trainings recorded")


@main.command()
@click.argument("name")
def new(name: str) -> None:
    """Write the skeleton of a lab called NAME under the next free number, run it and record it: it passes as it is."""
    project = Project.around(Path.cwd())
    folder = project.root / "labs"
    if not folder.is_dir():
        raise NotebookError(f"{project.root}: no notebook here (no labs/ folder with a mkdocs.yml beside it)")
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
    try:
        with _runs((str(path),), fresh=True) as (_, outcomes, _):
            for outcome in outcomes:
                project.keep(outcome.lab, outcome.run)
    except BaseException:
        path.unlink()
        raise
    click.echo(f"wrote labs/{path.name} and recorded its first run; edit it, then: llmnotes run {name}")


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


@contextmanager
def _runs(
    names: tuple[str, ...], run: Callable[..., list[Outcome]] = run_labs, **options: Any
) -> Iterator[tuple[Project, list[Outcome], list[str]]]:
    """Run labs with a display of their progress, and print what went wrong with each.

    Gives the outcomes that are good, and a list for their faults; what failed, and faults, end in an error.
    """
    project = Project.around(Path(names[0]) if names and names[0].endswith(".py") else Path.cwd())
    labs, broken = project.pick(names)
    if not labs and not broken:
        raise NotebookError(f"{project.root / 'labs'}: there are no labs")
    with _progress(labs) as report:
        outcomes = run(project, labs, report=report, **options)
    errors = {stem: str(error) for stem, error in broken.items()}
    errors |= {outcome.lab.stem: outcome.error for outcome in outcomes if outcome.error}
    for stem, error in errors.items():
        click.echo(f"{click.style(f'{stem} failed', 'red', bold=True)}\n{error}\n", err=True)
    for outcome in outcomes:
        if outcome.changed:
            some = ", ".join(outcome.changed[:5])
            click.echo(f"{outcome.lab.stem}: while it ran, files outside its folder changed: {some}", err=True)
        if outcome.lab.needs_hub and not outcome.fresh and not outcome.error:
            click.echo(f"{outcome.lab.stem}: downloads models, so it was not run; allow it with --hub")
    faults: list[str] = []
    yield project, [outcome for outcome in outcomes if not outcome.error], faults
    for line in faults:
        click.echo(line)
    if errors:
        raise NotebookError(f"{len(errors)} failed: {', '.join(errors)}")
    if faults:
        raise NotebookError(f"{len(faults)} difference(s) from the recorded runs")


class _Seconds(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.elapsed is None else f"{task.elapsed:6.1f} s")


@contextmanager
def _progress(labs: list[Lab]) -> Iterator[Report]:
    """A live table of states and seconds on a terminal, a line for each change elsewhere."""
    colours = {"runs": "cyan", "done": "green", "failed": "red", "stored": "dim", "waits": "dim"}
    columns = ("{task.description}", "[{task.fields[colour]}]{task.fields[state]}", _Seconds())
    live = console.is_terminal
    with Progress(*columns, console=console, refresh_per_second=8, disable=not live) as progress:
        tasks = {lab.stem: progress.add_task(lab.stem, start=False, state="waits", colour="dim") for lab in labs}

        def report(lab: Lab, state: str) -> None:
            task = progress.tasks[tasks[lab.stem]]
            if state == "runs":
                progress.start_task(task.id)
            elif task.started:
                progress.stop_task(task.id)
            progress.update(task.id, state=state, colour=colours[state])
            if not live and state != "waits":
                seconds = f" after {task.elapsed:.1f} s" if state != "runs" and task.started else ""
                click.echo(f"{lab.stem}  {'has a valid stored run' if state == 'stored' else state}{seconds}")

        yield report
