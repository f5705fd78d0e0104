"""What the build writes into pages as Markdown: bound numbers, heads and feet of labs and entries, lists, tables."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.notebook.calibration import calibration_plot
from llmnotes.site.notebook.entries import CONFIDENCE, SINGULAR, STATUSES, Entry
from llmnotes.site.notebook.feed import bibtex
from llmnotes.site.notebook.quotes import expand, look_up, shown
from llmnotes.site.pages.dress import calls
from llmnotes.site.pages.page import drawing, ran_on
from llmnotes.site.run.labs import LEVELS, SMOLLM2, TOPICS, Lab, in_order
from llmnotes.site.run.store import PACKAGE, Run


@dataclass(frozen=True)
class Place:
    """The page that a block stands on: its source among the pages, and how it addresses the page of another source."""

    uri: str
    address: Callable[[str], str]

    def link(self, uri: str) -> str:
        """A link for Markdown, which MkDocs checks."""
        return posixpath.relpath(uri, posixpath.dirname(self.uri) or ".")


@dataclass(frozen=True)
class Blocks:
    """The notebook as the pages need it."""

    root: Path
    runs: Mapping[str, tuple[Lab, Run | None]]  # by the lab's key, in order
    entries: list[Entry]
    repository: str | None

    @property
    def labs(self) -> list[Lab]:
        return [lab for lab, _ in self.runs.values()]

    @property
    def settled(self) -> list[tuple[float, bool]]:
        """Of each of our predictions its probability, and whether it came true."""
        return [(p["p"], p["outcome"]) for _, run in self.runs.values() if run for p in run.predictions]

    def fill(self, markdown: str, at: Place) -> str:
        """A page's Markdown with its `{{ calls }}` replaced.

        Raises:
            NotebookError: an unknown call, lab or value; the message names the page and the line.
        """
        functions = {
            "result": lambda name, spec="": self.result(name, spec, at),
            "figure": lambda name: self.figure(name, at),
            "gallery": lambda topic=None: self.gallery(at, topic),
            "galleries": lambda: self.galleries(at),
            "path": lambda: self.path(at),
            "entries": lambda kind, newest=None: self.entry_list(kind, newest, at),
            "predictions": lambda: self.predictions(at),
            "count": self.count,
            "fields": lambda kind: {"lab": Lab, "entry": Entry}[kind].table(),
        }
        functions |= calls(self, at)
        return expand(markdown, functions, at.uri)

    def plain(self, markdown: str, at: Place) -> str:
        """Text for attributes: bound numbers as numbers, without links."""
        functions = {"result": lambda name, spec="": shown(look_up(name, self.runs)[2], spec)}
        return re.sub(r"[`*_$]", "", expand(markdown, functions, at.uri))

    def result(self, name: str, spec: str, at: Place) -> str:
        key = name.partition(".")[0]
        if key in self.runs and self.runs[key][1] is None:  # it needs the hub, and nobody recorded it yet
            return "(not recorded yet)"
        lab, _, value = look_up(name, self.runs)
        anchor = f"#value-{name.partition('.')[2]}"
        page = f"labs/{lab.stem}.ipynb"
        if at.uri == page:
            return f"[{shown(value, spec)}]({anchor}){{ .bound }}"
        title = f"{name}, recorded by the lab {escape(lab.title)}"
        return f'[{shown(value, spec)}]({at.link(page)}{anchor}){{ .bound title="{title}" }}'

    def lab_head(self, lab: Lab) -> str:
        facts = [lab.level.capitalize(), f"{lab.minutes} minutes", lab.topic.capitalize()]
        if lab.models:
            facts.append("studies " + ", ".join(lab.models))
        before = [other for other in self.labs if other.stem in lab.needs]
        if before:
            links = ", ".join(f"[{other.title}]({other.stem}.ipynb)" for other in before)
            facts.append(f"read {links} first")
        links = [
            f"[Download the script]({lab.stem}/{lab.stem}.py){{ download }}",
            f"[the notebook]({lab.stem}/{lab.stem}.ipynb){{ download }}",
        ]
        if self.repository and (found := re.match(r"https://github\.com/([^/]+/[^/]+)", self.repository)):
            colab = "https://colab.research.google.com/github"
            repository = found[1].removesuffix(".git")
            links.append(f"[open it in Colab]({colab}/{repository}/blob/notebooks/labs/{lab.stem}.ipynb)")
        return (
            f"{lab.question}\n{{ .lab-question }}\n\n{' · '.join(facts)}\n{{ .lab-facts }}\n\n"
            f"{' or '.join([', '.join(links[:-1]), links[-1]])}.\n{{ .lab-files }}\n\n"
        )

    def lab_foot(self, lab: Lab) -> str:
        run = self.runs[lab.key][1]
        if run is None:
            return (
                '\n\n!!! warning "No run is recorded yet"\n    Its model is not here, so it was not executed. '
                f"Run it with `llmnotes record {'--hub ' * lab.needs_hub}{lab.stem}`.\n"
            )
        stale = ""
        if why := run.stale_because(lab, self.root):
            stale = f" Since then, {why}; the outputs above may be out of date."
        return f"\n\n---\n\nThe outputs on this page: {ran_on(run)}.{stale}\n{{ .ran-on }}\n"

    def entry_head(self, entry: Entry) -> str:
        facts = [f"{SINGULAR[entry.kind]}, {entry.status}"]
        if entry.confidence:
            facts.append(f"{entry.confidence} ({CONFIDENCE[entry.confidence]})")
        facts.append(f"{entry.date}" + (f", reviewed {entry.reviewed}" if entry.reviewed != entry.date else ""))
        labs = {lab.stem: lab.title for lab in self.labs}
        facts.append("rests on " + ", ".join(f"[{labs[stem]}](../labs/{stem}.ipynb)" for stem in entry.labs))
        head = f"{entry.claim}\n{{ .entry-claim }}\n\n{' · '.join(facts)}\n{{ .entry-facts }}\n\n"
        return head + self._trail(entry)

    def _trail(self, entry: Entry) -> str:
        """Where we changed our mind: what this entry took the place of, and what took its place."""
        said = [
            f"{other.date}: we changed our mind, and now say [{other.title}]({other.path.name})."
            for other in self.entries
            if other.kind == entry.kind and other.path.stem == entry.superseded_by
        ]
        said += [
            f"Before {entry.date} we said [{other.title}]({other.path.name})."
            for other in self.entries
            if other.kind == entry.kind and other.superseded_by == entry.path.stem
        ]
        return f'!!! warning "Changed our mind"\n    {"  ".join(said)}\n\n' if said else ""

    def entry_foot(self, entry: Entry, site: str) -> str:
        """How to cite an entry, folded."""
        lines = "\n".join(f"    {line}" for line in bibtex(entry, site).splitlines())
        return f'\n\n??? quote "Cite this entry"\n    ```bibtex\n{lines}\n    ```\n'

    def entry_list(self, kind: str, newest: int | None, at: Place) -> str:
        if kind not in STATUSES:
            raise NotebookError(f"entries({kind!r}): no such kind{near(kind, STATUSES)}")
        found = [entry for entry in self.entries if entry.kind == kind]
        if newest:
            return "\n".join(self._entry_line(entry, at) for entry in found[:newest]) + "\n"
        parts = []
        for status in STATUSES[kind]:
            if some := [self._entry_line(entry, at) for entry in found if entry.status == status]:
                parts.append(f"## {status.capitalize()}\n\n" + "\n".join(some))
        return "\n\n".join(parts) or "None yet."

    def _entry_line(self, entry: Entry, at: Place) -> str:
        sure = f" · {entry.confidence}" if entry.confidence else ""
        claim = expand(entry.claim, {"result": lambda name, spec="": self.result(name, spec, at)}, entry.uri)
        topics = " ".join(dict.fromkeys(lab.topic.replace(" ", "-") for lab in self.labs if lab.stem in entry.labs))
        # what the filter above the list reads (docs/assets/filter.js)
        data = f'data-topic="{topics}" data-status="{entry.status}" data-confidence="{entry.confidence or ""}"'
        return (
            f"- **[{entry.title}]({at.link(entry.uri)})**  \n  {claim}  \n"
            f'  <span class="entry-facts" {data}>{entry.date}{sure}</span>'
        )

    def figure(self, name: str, at: Place) -> str:
        """A figure of a lab with its caption and a link to where it was made."""
        key, _, wanted = name.partition(".")
        if key not in self.runs:
            raise NotebookError(f"figure({name!r}): no lab is called {key!r}{near(key, self.runs)}")
        lab, run = self.runs[key]
        figures = {figure["name"]: figure for figure in run.results["figures"]} if run else {}
        if wanted not in figures:
            raise NotebookError(f"figure({name!r}): {lab.stem} has no such figure{near(wanted, figures)}")
        found = figures[wanted]
        link = f'<a href="{at.address(f"labs/{lab.stem}.ipynb")}#figure-{wanted}">{escape(lab.title)}</a>'
        return f'<figure class="lab-figure">{drawing(run, found)}<figcaption>From the lab {link}</figcaption></figure>'

    def galleries(self, at: Place) -> str:
        """A gallery for each topic that has labs."""
        topics = [topic for topic in TOPICS if any(lab.topic == topic for lab in self.labs)]
        return "\n\n".join(f"## {topic.capitalize()}\n\n{self.gallery(at, topic)}" for topic in topics)

    def path(self, at: Place) -> str:
        """The labs in steps: each needs only labs of the steps before it."""
        steps: list[list[Lab]] = []
        step_of: dict[str, int] = {"hub": 0, SMOLLM2: 0}
        for stem in in_order({lab.stem: lab.needs for lab in self.labs}):
            lab = next(lab for lab in self.labs if lab.stem == stem)
            step_of[stem] = 1 + max((step_of[need] for need in lab.needs), default=0)
            steps += [[]] * (step_of[stem] - len(steps))
            steps[step_of[stem] - 1] = [*steps[step_of[stem] - 1], lab]
        titles = {lab.stem: lab.title for lab in self.labs}
        parts = []
        for number, labs in enumerate(steps, 1):
            lines = []
            for lab in sorted(labs, key=lambda lab: lab.stem):
                link = {stem: f"[{titles[stem]}]({at.link(f'labs/{stem}.ipynb')})" for stem in titles}
                facts = [lab.level, lab.topic, f"{lab.minutes} minutes"]
                if after := [link[need] for need in lab.needs if need in titles]:
                    facts.append("after " + ", ".join(after))
                lines.append(
                    f"- **{link[lab.stem]}**  \n  {lab.question}  \n"
                    f'  <span class="entry-facts">{" · ".join(facts)}</span>'
                )
            parts.append(f"## Step {number}\n\n" + "\n".join(lines))
        return "\n\n".join(parts)

    def gallery(self, at: Place, topic: str | None) -> str:
        """Cards of labs: all in their order, or those of a topic, the easier ones first."""
        cards = []
        shown_labs = [(lab, run) for lab, run in self.runs.values() if topic in (None, lab.topic)]
        if topic:
            shown_labs.sort(key=lambda pair: LEVELS.index(pair[0].level))
        for lab, run in shown_labs:
            images = ""
            figures = {figure["name"]: figure for figure in run.results["figures"]} if run else {}
            if run and lab.thumbnail not in figures and not (lab.needs_hub or lab.needs_smollm2):
                raise NotebookError(
                    f"{lab.path}: header: thumbnail is {lab.thumbnail!r}, which is none of its figures"
                    f"{near(lab.thumbnail, figures)}"
                )
            if figure := figures.get(lab.thumbnail):
                size = f'width="{figure["width"]}" height="{figure["height"]}"'
                source = at.address(f"labs/{lab.stem}/{figure['name']}.svg")
                images = f'<img src="{source}" alt="" {size} loading=lazy>'
            facts = [lab.level, f"{lab.minutes} minutes", *lab.models]
            cards.append(
                f'<li><a href="{at.address(f"labs/{lab.stem}.ipynb")}"><span class="card-figure">{images}</span>'
                f"<strong>{lab.number} {escape(lab.title)}</strong>"
                f'<span class="card-question">{escape(lab.question)}</span>'
                f'<span class="card-facts">{escape(" · ".join(facts))}</span></a></li>'
            )
        return f'<ul class="gallery">{"".join(cards)}</ul>'

    def predictions(self, at: Place) -> str:
        rows, pairs = [], []
        for lab, run in self.runs.values():
            for entry in run.predictions if run else ():
                pairs.append((entry["p"], entry["outcome"]))
                value = self.result(f"{lab.key}.{entry['resolved_by']}", "", at)
                claim = entry["claim"].replace("|", r"\|")
                outcome = "came true" if entry["outcome"] else "did not"
                link = f"[{lab.title}]({at.link(f'labs/{lab.stem}.ipynb')})"
                rows.append(f"| {claim} | {entry['p']:.0%} | {outcome} ({value}) | {link} |")
        if not rows:
            return "None yet."
        brier = sum((p - outcome) ** 2 for p, outcome in pairs) / len(pairs)
        table = "\n".join(["| Claim | Probability | Outcome | Lab |", "| --- | --: | --- | --- |", *rows])
        right = sum(outcome for _, outcome in pairs)
        return (
            f"{len(rows)} predictions, of which {right} came true. Their Brier score is {brier:.3f}; "
            f"saying 50 % each time scores 0.250, and lower is better.\n\n{calibration_plot(pairs)}\n\n{table}\n"
        )

    def count(self, what: str) -> str:
        counts = {kind: sum(entry.kind == kind for entry in self.entries) for kind in STATUSES}
        counts["labs"] = len(self.labs)
        outcomes = [entry["outcome"] for _, run in self.runs.values() if run for entry in run.predictions]
        counts |= {"predictions": len(outcomes), "right": sum(outcomes), "wrong": len(outcomes) - sum(outcomes)}
        if what not in counts:
            raise NotebookError(f"count({what!r}): nothing is called so{near(what, counts)}")
        return str(counts[what])


def read_cards() -> dict[str, str]:
    """The cards of the models that ship, as pages below `models/`; links between cards become links between pages."""
    folder = PACKAGE / "checkpoints"

    def page(card: Path) -> str:
        return "-".join(card.resolve().parent.relative_to(folder).parts) + ".md"

    cards = {}
    for card in sorted(folder.rglob("README.md")):
        text = card.read_text(encoding="utf-8")
        linked = re.sub(r"\]\(([^)]*README\.md)\)", lambda found, card=card: f"]({page(card.parent / found[1])})", text)
        cards[f"models/{page(card)}"] = linked
    return cards
