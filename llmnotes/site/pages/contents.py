"""What one build knows of the notebook: its labs with their runs, its entries and terms, and where it is kept."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from statistics import fmean

from mkdocs.structure.files import File
from mkdocs.utils import get_relative_url
from mkdocs.utils.meta import get_data

from llmnotes.site.errors import NotebookError, pick
from llmnotes.site.notebook.entries import STATUSES, Entry, read_entries
from llmnotes.site.notebook.glossary import Term, read_glossary
from llmnotes.site.notebook.quotes import expand, look_up, shown
from llmnotes.site.run.labs import CHAPTERS, Lab
from llmnotes.site.run.replicates import Replicates, other_seeds, read_replicates
from llmnotes.site.run.runner import Report, run_labs
from llmnotes.site.run.store import Project, Run

log = logging.getLogger("mkdocs.plugins.llmnotes")


@dataclass(frozen=True)
class Place:
    """A page, as its source among the pages, and how it leads to others."""

    uri: str
    directory_urls: bool = True  # `labs/01_xor/` for `labs/01_xor.md`, not `labs/01_xor.html`

    def link(self, uri: str) -> str:
        """A link from this page to another source, for Markdown: the site generator checks and translates it."""
        path, mark, anchor = uri.partition("#")
        return ("" if anchor and path == self.uri else get_relative_url(path, self.uri)) + mark + anchor

    def address(self, uri: str) -> str:
        """The same for HTML, which no site generator translates."""
        path, mark, anchor = uri.partition("#")
        here, there = (File(one, "", "", self.directory_urls).url for one in (self.uri, path))
        return get_relative_url(there, here) + mark + anchor


@dataclass(frozen=True)
class Stop:
    """A page on the way that is no lab: its source, title, and what it is about."""

    uri: str
    title: str
    about: str


@dataclass(frozen=True, eq=False)
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
        return {lab.uri: lab for lab in self.labs}

    @cached_property
    def entry_of(self) -> dict[str, Entry]:
        """The entries by the addresses of their pages."""
        return {entry.uri: entry for entry in self.entries}

    @cached_property
    def chapters(self) -> dict[str, list[Lab]]:
        """The labs by their chapters, in order; without chapters that have none yet."""
        return {chapter: [*labs] for chapter, labs in groupby(self.labs, attrgetter("chapter"))}

    @cached_property
    def way(self) -> dict[str, list[Lab | Stop]]:
        """The labs by their chapters, with the other pages that stand among them, in the order in which one meets them.

        Another page names its place in its front matter: `before: 01_xor`, `after: 11_residual`, `after: Start`.
        """
        known = dict.fromkeys([*CHAPTERS, *(lab.stem for lab in self.labs)])
        stops: dict[tuple[str, str], list[Stop]] = defaultdict(list)
        for path in sorted(self.docs.rglob("*.md")):
            text = path.read_text(encoding="utf-8-sig")
            for side, name in re.findall(r"^(before|after): (.+)", text.partition("\n---")[0], re.MULTILINE):
                pick(known, name, f"{path}: {side}", "lab or chapter")
                fields, uri = get_data(text)[1], path.relative_to(self.docs).as_posix()
                stops[side, name].append(Stop(uri, fields.get("title", path.stem), fields.get("description", "")))
        way: dict[str, list[Lab | Stop]] = {}
        for chapter, labs in self.chapters.items():
            inside = [one for lab in labs for one in (*stops["before", lab.stem], lab, *stops["after", lab.stem])]
            way[chapter] = [*stops["before", chapter], *inside, *stops["after", chapter]]
        return way

    def chapter(self, name: str) -> list[Lab | Stop]:
        """The pages of one chapter, in order."""
        return pick({one: [] for one in CHAPTERS} | self.way, name, "chapter", "chapter")

    @property
    def predictions(self) -> list[dict]:
        """Our predictions with their outcomes, in the order of the labs."""
        return [entry for _, run in self.runs.values() if run for entry in run.predictions]

    def scores(self, after_a_look: bool | None = None) -> dict[str, float]:
        """How good our predictions were, or those of one kind, and saying each time the share that came true."""
        some = [one for one in self.predictions if after_a_look in (None, one.get("after_a_look", False))]
        right = sum(one["outcome"] for one in some)
        if not some:
            return {"count": 0}
        brier = fmean((one["p"] - one["outcome"]) ** 2 for one in some)
        share = right / len(some)
        return {"count": len(some), "right": right, "brier": brier, "base": share * (1 - share)}

    def count(self, what: str) -> int:
        """How many labs, predictions, right or wrong ones, or entries of a kind there are."""
        all_, right = len(self.predictions), sum(one["outcome"] for one in self.predictions)
        counts = {"labs": len(self.labs), "predictions": all_, "right": right, "wrong": all_ - right}
        return pick(counts | {kind: len(self.of_kind(kind)) for kind in STATUSES}, what, "count", "thing to count")

    def place(self, uri: str) -> Place:
        """The page of a source."""
        return Place(uri, self.directory_urls)

    def lab(self, key: str) -> Lab:
        """The lab of a key."""
        return pick(self.runs, key, "lab", "lab")[0]

    def figure(self, name: str) -> tuple[Lab, Run, dict]:
        """The figure that `xor.losses` names, with its lab and run."""
        key, _, wanted = name.partition(".")
        lab, run = pick(self.runs, key, "figure of lab", "lab")
        return lab, run, pick(run.figures if run else {}, wanted, f"figure of {lab.stem}", "figure")

    def of_kind(self, kind: str) -> list[Entry]:
        """The entries of a kind, newest first."""
        pick(STATUSES, kind, "entries of", "kind")
        return [entry for entry in self.entries if entry.kind == kind]

    def rests_on(self, entry: Entry) -> list[Lab]:
        """The labs that an entry names, in their order."""
        return [lab for lab in self.labs if lab.stem in entry.labs]

    def plain(self, markdown: str, where: str) -> str:
        """Text for attributes, feeds and lists: bound numbers as numbers, without marks."""
        functions = {"result": lambda name, spec="": shown(look_up(name, self.runs)[2], spec)}
        return re.sub(r"[`*_$]", "", expand(markdown, functions, where))

    def about(self, uri: str) -> str:
        """What an entry's page is about, as plain text; nothing for other pages, which say it themselves."""
        entry = self.entry_of.get(uri)
        return self.plain(entry.claim, uri) if entry else ""

    def colab(self, lab: Lab) -> str:
        """Where Colab opens the lab's notebook; nothing unless the repository is on GitHub."""
        found = re.match(r"https://github\.com/([^/]+/[^/]+?)(?:\.git)?(?:/|$)", self.repository)
        colab = "https://colab.research.google.com/github"
        return f"{colab}/{found[1]}/blob/notebooks/labs/{lab.stem}.ipynb" if found else ""


def read_contents(
    project: Project,
    docs: Path,
    *,
    show_stale: bool = False,
    report: Report = lambda lab, state: None,
    **address: str | bool,
) -> Contents:
    """Read the notebook, and give each lab a run: one that is stored and speaks for it, or a new one.

    With `show_stale` a recorded run that is older than the lab's code is taken as it is, and the page says so. `report`
    is told of each lab's progress; `address` is `repository`, `site_url` and `directory_urls` of the contents.
    """
    labs = project.labs()
    entries = read_entries(docs, {lab.stem for lab in labs}, several={lab.stem for lab in labs if other_seeds(lab)})
    replicates = {lab.key: found for lab in labs if (found := read_replicates(lab))}
    for lab in labs:
        if lab.key in replicates and replicates[lab.key].code != lab.digest:  # it does not keep a lab from being edited
            again = f"make them again with: llmnotes replicate {lab.stem}"
            log.warning("%s: its replicates are of other code than the lab's; %s", lab.path, again)
    shown = [lab for lab in labs if show_stale and not project.valid_run(lab)]
    stale = {lab.key: run for lab in shown if (run := project.recorded(lab))}
    outcomes = run_labs(project, [lab for lab in labs if lab.key not in stale], fetch=False, report=report)
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
    keys = {full.partition(".")[0] for full in entry.holds}
    if len(keys) > 1:
        raise NotebookError(f"{entry.path}: holds names values of {', '.join(sorted(keys))}; expected those of one lab")
    for key in keys:
        wanted = {full.partition(".")[2]: condition for full, condition in entry.holds.items()}
        for name in wanted:
            if not (run := runs.get(key)) or name not in run.values:
                raise NotebookError(f"{entry.path}: holds names {f'{key}.{name}'!r}, which no lab records")
        try:
            held, of = replicates.get(key, Replicates(code="", values={})).count(runs[key], wanted)
        except ValueError as error:
            raise NotebookError(f"{entry.path}: holds: {error}") from None
        if entry.seeds != f"{held} of {of}":
            raise NotebookError(f"{entry.path}: seeds is {entry.seeds!r}; by what it counts it is '{held} of {of}'")


def extend_nav(nav: list | None, contents: Contents, pages: Iterable[str]) -> None:
    """Put labs and stops in their chapters, models and entries behind their index pages, where `nav` lists these."""
    behind = {"models/index.md": [page for page in pages if page.startswith("models/")]}
    behind["labs/index.md"] = [{name: [one.uri for one in some]} for name, some in contents.way.items()]
    behind |= {f"{kind}/index.md": [entry.uri for entry in contents.of_kind(kind)] for kind in STATUSES}

    def extend(items: list) -> None:
        for one in [*items]:
            if isinstance(one, str):
                items.extend(page for page in behind.get(one, ()) if page not in items)
            elif isinstance(one, dict):
                for some in filter(lambda value: isinstance(value, list), one.values()):
                    extend(some)

    extend(nav or [])
