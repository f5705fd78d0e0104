"""What one build knows of the notebook: its labs with their runs, its entries and terms, and where it is kept."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.notebook.entries import STATUSES, Entry, read_entries
from llmnotes.site.notebook.glossary import Term, read_glossary
from llmnotes.site.notebook.quotes import expand, look_up, shown
from llmnotes.site.pages.spine import Stop, read_stops, way
from llmnotes.site.run.labs import CHAPTERS, Lab
from llmnotes.site.run.replicates import Replicates, other_seeds, read_replicates
from llmnotes.site.run.runner import Report, run_labs
from llmnotes.site.run.store import Project, Run


@dataclass(frozen=True)
class Place:
    """A page, as its source among the pages, and how it leads to others."""

    uri: str
    directory_urls: bool = True  # `labs/01_xor/` for `labs/01_xor.md`, not `labs/01_xor.html`

    def link(self, uri: str) -> str:
        """A link from this page to another source, for Markdown: the site generator checks and translates it."""
        path, mark, anchor = uri.partition("#")
        return posixpath.relpath(path, posixpath.dirname(self.uri) or ".") + mark + anchor

    def address(self, uri: str) -> str:
        """The same for HTML, which no site generator translates."""
        path, mark, anchor = uri.partition("#")
        here = posixpath.dirname(self._built(self.uri)) or "."
        target = self._built(path)
        if not (self.directory_urls and posixpath.basename(target) == "index.html"):
            return posixpath.relpath(target, here) + mark + anchor
        return posixpath.relpath(posixpath.dirname(target) or ".", here) + "/" + mark + anchor

    def _built(self, uri: str) -> str:
        """The file that a source becomes."""
        stem, _, ending = uri.rpartition(".")
        if ending != "md":
            return uri
        if not self.directory_urls or posixpath.basename(stem) == "index":
            return f"{stem}.html"
        return f"{stem}/index.html"


@dataclass(frozen=True)
class Contents:
    """The notebook as its pages need it."""

    project: Project
    docs: Path
    runs: Mapping[str, tuple[Lab, Run | None]]  # by the lab's key, in order
    entries: list[Entry]
    terms: Mapping[str, Term]  # of the glossary, by each of their names
    replicates: Mapping[str, Replicates] = field(default_factory=dict)  # by the lab's key: what other trainings gave
    repository: str = ""  # the address of the public repository
    site_url: str = ""
    directory_urls: bool = True

    @cached_property
    def labs(self) -> list[Lab]:
        return [lab for lab, _ in self.runs.values()]

    @cached_property
    def lab_of(self) -> dict[str, Lab]:
        """The labs by the addresses of their pages."""
        return {lab_uri(lab): lab for lab in self.labs}

    @cached_property
    def entry_of(self) -> dict[str, Entry]:
        """The entries by the addresses of their pages."""
        return {entry.uri: entry for entry in self.entries}

    @cached_property
    def chapters(self) -> dict[str, list[Lab]]:
        """The labs by their chapters, in order; without chapters that have none yet."""
        found = {chapter: [lab for lab in self.labs if lab.chapter == chapter] for chapter in CHAPTERS}
        return {chapter: labs for chapter, labs in found.items() if labs}

    @cached_property
    def way(self) -> dict[str, list[Lab | Stop]]:
        """The labs by their chapters, with the other pages that stand among them."""
        return way(self.chapters, read_stops(self.docs, self.labs))

    @property
    def settled(self) -> list[tuple[float, bool]]:
        """Of each of our predictions its probability, and whether it came true."""
        return [(entry["p"], entry["outcome"]) for _, entry in self.predictions]

    @property
    def predictions(self) -> list[tuple[Lab, dict]]:
        """Our predictions with their outcomes, in the order of the labs."""
        return [(lab, entry) for lab, run in self.runs.values() if run for entry in run.predictions]

    def place(self, uri: str) -> Place:
        """The page of a source."""
        return Place(uri, self.directory_urls)

    def named(self, key: str, call: str) -> tuple[Lab, Run | None]:
        """The lab of a key, with its run.

        Raises:
            NotebookError: no lab has it; the message begins with the call.
        """
        if key not in self.runs:
            raise NotebookError(f"{call}: no lab is called {key!r}{near(key, self.runs)}")
        return self.runs[key]

    def figure(self, name: str, call: str) -> tuple[Lab, dict]:
        """The figure that `xor.losses` names, with its lab.

        Raises:
            NotebookError: no such lab or figure; the message begins with the call.
        """
        key, _, wanted = name.partition(".")
        lab, run = self.named(key, call)
        figures = run.figures if run else {}
        if wanted not in figures:
            raise NotebookError(f"{call}: {lab.stem} has no such figure{near(wanted, figures)}")
        return lab, figures[wanted]

    def plain(self, markdown: str, where: str) -> str:
        """Text for attributes, feeds and lists: bound numbers as numbers, without marks."""
        functions = {"result": lambda name, spec="": shown(look_up(name, self.runs)[2], spec)}
        return re.sub(r"[`*_$]", "", expand(markdown, functions, where))

    def of_kind(self, kind: str, call: str) -> list[Entry]:
        """The entries of a kind, newest first.

        Raises:
            NotebookError: there is no such kind.
        """
        if kind not in STATUSES:
            raise NotebookError(f"{call}: no such kind{near(kind, STATUSES)}")
        return [entry for entry in self.entries if entry.kind == kind]

    def colab(self, lab: Lab) -> str:
        """Where Colab opens the lab's notebook; nothing unless the repository is on GitHub."""
        found = re.match(r"https://github\.com/([^/]+/[^/]+)", self.repository)
        if not found:
            return ""
        name = found[1].removesuffix(".git")
        return f"https://colab.research.google.com/github/{name}/blob/notebooks/labs/{lab.stem}.ipynb"

    def with_run(self, lab: Lab, run: Run | None) -> Contents:
        """The same notebook with one lab as it is now."""
        return replace(self, runs={**self.runs, lab.key: (lab, run)})


def read_contents(
    project: Project,
    docs: Path,
    *,
    fresh: bool = False,
    show_stale: bool = False,
    report: Report = lambda lab, state: None,
    **address: str | bool,
) -> Contents:
    """Read the notebook, and give each lab a run.

    Args:
        project: the notebook's folder.
        docs: the folder of its pages.
        fresh: run every lab, whatever is stored.
        show_stale: take a recorded run that is older than the lab's code as it is; the page says so.
        report: told of each lab's progress.
        **address: `repository`, `site_url` and `directory_urls` of the contents.

    Raises:
        NotebookError: what is wrong with a lab, an entry or the glossary.
    """
    labs = project.labs()
    entries = read_entries(docs, {lab.stem for lab in labs}, several={lab.stem for lab in labs if other_seeds(lab)})
    replicates = {lab.key: found for lab in labs if (found := read_replicates(lab))}
    stale = {lab.key: run for lab in labs if show_stale and (run := _stale_run(project, lab))}
    outcomes = run_labs(project, [lab for lab in labs if lab.key not in stale], fresh=fresh, report=report)
    if failed := [outcome for outcome in outcomes if outcome.error]:
        raise NotebookError("\n\n".join(f"{one.lab.stem} failed\n{one.error}" for one in failed))
    runs = stale | {outcome.lab.key: outcome.run for outcome in outcomes}
    for entry in entries:
        _check_seeds(entry, runs, replicates)
    return Contents(
        project=project,
        docs=docs,
        runs={lab.key: (lab, runs[lab.key]) for lab in labs},
        entries=entries,
        replicates=replicates,
        terms=read_glossary(docs / "glossary.md"),
        **address,
    )


def _check_seeds(entry: Entry, runs: Mapping[str, Run | None], replicates: Mapping[str, Replicates]) -> None:
    """Refuse an entry that says of more or fewer trainings that it holds than it does."""
    conditions: dict[str, dict[str, str]] = {}
    for full, condition in entry.holds.items():
        key, _, name = full.partition(".")
        if not (run := runs.get(key)) or name not in run.values:
            raise NotebookError(f"{entry.path}: holds names {full!r}, which no lab records")
        conditions.setdefault(key, {})[name] = condition
    if len(conditions) > 1:
        raise NotebookError(f"{entry.path}: holds names values of {', '.join(conditions)}; expected those of one lab")
    for key, wanted in conditions.items():
        try:
            held, of = replicates.get(key, Replicates(code="", values={})).count(runs[key], wanted)
        except ValueError as error:
            raise NotebookError(f"{entry.path}: holds: {error}") from None
        if entry.seeds != f"{held} of {of}":
            raise NotebookError(f"{entry.path}: seeds is {entry.seeds!r}; by what it counts it is '{held} of {of}'")


def _stale_run(project: Project, lab: Lab) -> Run | None:
    """The recorded run of a lab, if no stored run speaks for the lab as it is now."""
    return None if project.valid_run(lab) else project.recorded(lab)


def lab_uri(lab: Lab) -> str:
    """The source of a lab's page."""
    return f"labs/{lab.stem}.md"


def uri_of(one: Lab | Stop) -> str:
    """The source of a page on the way."""
    return one.uri if isinstance(one, Stop) else lab_uri(one)
