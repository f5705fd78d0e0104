"""The command line: `llmnotes list | run | record | check | replicate | new | export | get | train`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, ProgressColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.compare import against_recorded, differences
from llmnotes.site.run.labs import SMOLLM2, STEM, Lab
from llmnotes.site.run.replicates import read_replicates, replicate_labs
from llmnotes.site.run.runner import Outcome, Report, run_labs
from llmnotes.site.run.store import Project
from llmnotes.site.run.stress import Stressed, stress_labs

SKELETON = Path(__file__).with_name("skeleton.py.txt")
console = Console(highlight=False, soft_wrap=True)
stderr = Console(highlight=False, soft_wrap=True, stderr=True)


class _Group(click.Group):
    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except NotebookError as error:
            stderr.print(f"[bold red]error:[/] {escape(str(error))}")
            sys.exit(1)
        except KeyboardInterrupt:
            stderr.print("stopped; what was stored before is untouched")
            sys.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="llmnotes")
def main() -> None:
    """Run and record the labs of the notebook.

    LABS are named by number (7 or 07), by name (xor), by both (01_xor), or by the path of a script.
    """


LABS = click.argument("labs", nargs=-1)
ONE_OR_MORE = click.argument("labs", nargs=-1, required=True)
HUB = click.option("--hub", is_flag=True, default=None, help="Also labs that download models.")
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
    if not recorded.is_whole():
        return "[red]damaged[/]"
    why = recorded.stale_because(lab, project.root)
    return f"recorded run is stale: {why}" if why else f"recorded, {recorded.cpu_seconds:g} s"


@main.command()
@LABS
@click.option("--fresh", is_flag=True, help="Run again whatever is stored.")
@HUB
@JOBS
def run(labs: tuple[str, ...], fresh: bool, hub: bool | None, jobs: int | None) -> None:
    """Run LABS (all by default) unless a stored run still speaks for them."""
    _end(_run(labs, fresh=fresh, hub=hub, fetch=True, jobs=jobs).failed)


@main.command()
@ONE_OR_MORE
@HUB
@JOBS
def record(labs: tuple[str, ...], hub: bool | None, jobs: int | None) -> None:
    """Run LABS anew and make what comes out their recorded runs: the snapshots that everything is checked against."""
    ran = _run(labs, fresh=True, hub=hub, jobs=jobs)
    for outcome in filter(lambda one: one.fresh, ran.outcomes):
        before = ran.project.recorded(outcome.lab)
        try:
            changes = differences(outcome.lab, before, outcome.run) if before else []
        except NotebookError as error:
            changes = [str(error)]
        for line in changes:
            console.print(f"  {escape(line)}")
        changed = ran.project.keep(outcome.lab, outcome.run)
        console.print(f"{outcome.lab.stem}: {'recorded' if changed else 'same as recorded, nothing written'}")
    _end(ran.failed)


@main.command()
@LABS
@HUB
@JOBS
@click.option("--stress", is_flag=True, help="On an imitated older processor, with other threads, under small noise.")
def check(labs: tuple[str, ...], hub: bool | None, jobs: int | None, stress: bool) -> None:
    """Run LABS (all by default) anew and compare every value with the recorded run."""
    if stress:
        return _stress(labs, hub=hub, jobs=jobs)
    ran, faults = _run(labs, fresh=True, hub=hub, jobs=jobs), []
    for outcome in ran.outcomes:
        try:
            faults += against_recorded(ran.project, outcome)
        except NotebookError as error:
            faults.append(f"{outcome.lab.stem}: {error}")
    _end(ran.failed, faults, "every value agrees with its recorded one")


def _stress(labs: tuple[str, ...], **options: Any) -> None:
    stood: dict[str, Stressed] = {}

    def run(*arguments: Any, **options: Any) -> list[Outcome]:
        outcomes, found = stress_labs(*arguments, **options)
        stood.update(found)
        return outcomes

    ran = _run(labs, run, **options)
    table = Table("lab", "value", "tolerance used", "most under", box=None, pad_edge=False, header_style="bold")
    for stem, lab in stood.items():
        for name, (share, condition) in sorted(lab.used.items(), key=lambda one: -one[1][0]):
            table.add_row(stem, name, f"{share:.0%}" if share < 100 else "far more", condition if share else "")
    console.print(table)
    faults = [line for lab in stood.values() for line in lab.faults]
    _end(ran.failed, faults, "every value stays within its tolerance, and no prediction turns")


@main.command()
@ONE_OR_MORE
@JOBS
def replicate(labs: tuple[str, ...], jobs: int | None) -> None:
    """Run LABS with every other training of their models, and keep in labs/replicates/ what they record."""
    ran = _run(labs, replicate_labs, jobs=jobs)
    for outcome in ran.outcomes:
        found = read_replicates(outcome.lab)
        for seed, why in found.failed.items():
            console.print(f"{outcome.lab.stem}: not with seed {seed}: {escape(why)}")
        console.print(f"{outcome.lab.stem}: {len(found.values)} other trainings recorded")
    _end(ran.failed)


@main.command()
@click.argument("name")
def new(name: str) -> None:
    """Write the skeleton of a lab called NAME under the next free number, run it and record it: it passes as it is."""
    project = Project.around(Path.cwd())
    if not project.labs_folder.is_dir():
        raise NotebookError(f"{project.root}: no notebook here (no labs/ folder with a mkdocs.yml beside it)")
    stems = [path.stem for path in project.labs_folder.glob("[0-9][0-9]_*.py")]
    stem = f"{max((int(stem[:2]) for stem in stems), default=0) + 1:02d}_{name}"
    if not STEM.fullmatch(stem):
        raise NotebookError(f"the name is {name!r}; expected lower-case words joined by underscores: residual_stream")
    if name in {stem[3:] for stem in stems}:
        raise NotebookError(f"there is a lab called {name!r} already; choose another name")
    path = project.labs_folder / f"{stem}.py"
    skeleton = SKELETON.read_text(encoding="utf-8").replace("TITLE", name.replace("_", " ").capitalize())
    try:
        path.write_text(skeleton.replace("NAME", name), encoding="utf-8")
    except OSError as error:
        raise NotebookError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        ran = _run((str(path),), fresh=True)
        _end(ran.failed)
        project.keep(ran.outcomes[0].lab, ran.outcomes[0].run)
    except BaseException:
        path.unlink()
        raise
    console.print(f"wrote labs/{path.name} and recorded its first run; edit it, then: llmnotes run {name}")


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
    console.print(f"wrote {folder}; build it with: mkdocs build -f {folder / 'mkdocs.yml'}")


@main.command()
@click.argument("model", type=click.Choice([SMOLLM2]))
def get(model: str) -> None:
    """Fetch MODEL once: smollm2, a real model of 135 M parameters (93 MB to download, 270 MB kept)."""
    from llmnotes.model import smollm2  # imports torch

    try:
        console.print(smollm2.get())
    except (ConnectionError, ImportError, PermissionError) as error:
        raise NotebookError(str(error)) from error


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def train(arguments: tuple[str, ...]) -> None:
    """Make a shipped model again: train world|fairytale --out FOLDER (--help says more)."""
    from llmnotes.shipped.recipes import main as recipes

    recipes(arguments)


class _Ran(NamedTuple):
    project: Project
    outcomes: list[Outcome]  # of the labs that did not fail
    failed: list[str]


def _run(names: tuple[str, ...], run: Callable[..., list[Outcome]] = run_labs, **options: Any) -> _Ran:
    """Run labs with a display of their progress, and print what went wrong with each."""
    project = Project.around(Path(names[0]) if names and names[0].endswith(".py") else Path.cwd())
    labs, broken = project.pick(names)
    if not labs and not broken:
        raise NotebookError(f"{project.labs_folder}: there are no labs")
    with _progress(labs) as report:
        outcomes = run(project, labs, report=report, **options)
    errors = {stem: str(error) for stem, error in broken.items()}
    errors |= {outcome.lab.stem: outcome.error for outcome in outcomes if outcome.error}
    for stem, error in errors.items():
        stderr.print(f"[bold red]{stem} failed[/]\n{escape(error)}\n")
    for outcome in outcomes:
        if outcome.changed:
            some = escape(", ".join(outcome.changed[:5]))
            stderr.print(f"{outcome.lab.stem}: while it ran, files outside its folder changed: {some}")
        if outcome.lab.needs_hub and not outcome.fresh and not outcome.error:
            console.print(f"{outcome.lab.stem}: downloads models, so it was not run; allow it with --hub")
    return _Ran(project, [outcome for outcome in outcomes if not outcome.error], list(errors))


def _end(failed: list[str], faults: Sequence[str] = (), good: str = "") -> None:
    for line in faults:
        console.print(escape(line))
    if failed:
        raise NotebookError(f"{len(failed)} failed: {', '.join(failed)}")
    if faults:
        raise NotebookError(f"{len(faults)} difference(s) from the recorded runs")
    if good:
        console.print(good)


class _Seconds(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.elapsed is None else f"{task.elapsed:6.1f} s")


@contextmanager
def _progress(labs: list[Lab]) -> Iterator[Report]:
    """A live table of states and seconds on a terminal, a line for each change elsewhere."""
    colours = {"runs": "cyan", "done": "green", "failed": "red", "stored": "dim", "waits": "dim"}
    state_column = TextColumn("[{task.fields[colour]}]{task.fields[state]}")
    columns = (TextColumn("{task.description}"), state_column, _Seconds())
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
                console.print(f"{lab.stem}  {'has a valid stored run' if state == 'stored' else state}{seconds}")

        yield report
