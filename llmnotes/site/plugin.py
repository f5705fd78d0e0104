"""The MkDocs plugin: runs the labs, puts them and the entries on the site, and binds every quoted number to its run."""

from __future__ import annotations

import logging
import os
import posixpath
import re
import shutil
import socket
import tempfile
from html import escape
from pathlib import Path

import nbformat
from jinja2 import Environment, FileSystemBytecodeCache
from mkdocs.config import config_options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from llmnotes.site import html as rendered
from llmnotes.site.api import Memory, remember
from llmnotes.site.entries import CONFIDENCE, SINGULAR, STATUSES, Entry, read_entries
from llmnotes.site.errors import NotebookError, near
from llmnotes.site.labs import Lab
from llmnotes.site.page import END, download, page_notebook, ran_on
from llmnotes.site.quotes import expand, look_up, shown
from llmnotes.site.runner import run_labs
from llmnotes.site.store import Project, Run

log = logging.getLogger("mkdocs.plugins.llmnotes")


class PluginConfig(Config):
    """Options in mkdocs.yml."""

    fresh = config_options.Type(bool, default=False)
    """Run every lab, whatever is stored."""


class LlmnotesPlugin(BasePlugin[PluginConfig]):
    """Labs, entries and bound numbers for MkDocs."""

    def on_startup(self, *, command: str, dirty: bool) -> None:
        self.serving = command == "serve"
        self.first = True
        self.scratch = Path(tempfile.mkdtemp(prefix="llmnotes-site-"))
        (self.scratch / "templates").mkdir()
        self.api_memory: Memory = {}
        # compiling the theme's templates is half of a rebuild, so it is done once
        self.templates = FileSystemBytecodeCache(str(self.scratch / "templates"))

    def on_shutdown(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)

    @event_priority(100)
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        if self.serving and self.first:
            _check_port(*config.dev_addr)
        root = Path(config.config_file_path).parent
        try:
            self.project = Project(root)
            self.labs = self.project.labs()
            self.runs = self._run()
            self.entries = read_entries(Path(config.docs_dir), {lab.stem for lab in self.labs})
            self.terms = _glossary(Path(config.docs_dir) / "glossary.md")
        except NotebookError as error:
            raise PluginError(str(error)) from error
        self.first = False
        _set_repository(config)
        _extend_nav(config.nav, "labs/index.md", [f"labs/{lab.stem}.ipynb" for lab in self.labs])
        for kind in STATUSES:
            _extend_nav(config.nav, f"{kind}/index.md", [entry.uri for entry in self.entries if entry.kind == kind])
        import mkdocs_jupyter.config

        mkdocs_jupyter.config.settings.templates_dir = str(Path(__file__).parent / "templates")
        return config

    def _run(self) -> dict[str, tuple[Lab, Run | None]]:
        def report(lab: Lab, state: str) -> None:
            if state in ("runs", "done"):
                log.info("lab %s %s", lab.stem, state)

        outcomes = run_labs(self.project, self.labs, fresh=self.config.fresh, report=report)
        if failed := [outcome for outcome in outcomes if outcome.error]:
            raise NotebookError("\n\n".join(f"{o.lab.stem} failed\n{o.error}" for o in failed))
        return {outcome.lab.key: (outcome.lab, outcome.run) for outcome in outcomes}

    @event_priority(100)
    def on_files(self, files: Files, config: MkDocsConfig) -> Files:
        if "mkdocstrings" in config.plugins:
            handler = config.plugins["mkdocstrings"].get_handler("python")
            handler.env.bytecode_cache = self.templates
            if self.serving:
                remember(handler, self.api_memory)
        pages = self.scratch / "pages"
        for lab, run in self.runs.values():
            page = pages / "labs" / f"{lab.stem}.ipynb"
            page.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(page_notebook(lab, run, lab.stem), page)
            files.append(File(f"labs/{lab.stem}.ipynb", str(pages), config.site_dir, config.use_directory_urls))
            for figure in (run.folder / "figures").glob("*.svg") if run else ():
                uri = f"labs/{lab.stem}/{figure.name}"
                files.append(File.generated(config, uri, abs_src_path=str(figure)))
            source = lab.path.read_text(encoding="utf-8")
            files.append(File.generated(config, f"labs/{lab.stem}/{lab.stem}.py", content=source))
            notebook = download(lab, config.repo_url)
            files.append(File.generated(config, f"labs/{lab.stem}/{lab.stem}.ipynb", content=notebook))
        for path in (rendered.KATEX / "katex.min.css", *(rendered.KATEX / "fonts").glob("*.woff2")):
            uri = f"assets/katex/{path.relative_to(rendered.KATEX).as_posix()}"
            files.append(File.generated(config, uri, abs_src_path=str(path)))
        return files

    def on_env(self, env: Environment, config: MkDocsConfig, files: Files) -> Environment:
        env.bytecode_cache = self.templates
        return env

    @event_priority(100)
    def on_page_markdown(self, markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
        if lab := self._lab_of(page):
            page.meta = {"title": lab.title, "description": lab.question, "tags": [*lab.tags, lab.level]}
            page.edit_url = _edit_url(config, f"labs/{lab.path.name}")
            return ""
        if entry := self._entry_of(page):
            page.meta["description"] = self._plain(entry.claim, page)
            markdown = self._entry_head(entry) + markdown
        return self._with_glossary(self._expand(markdown, page, files), page)

    @event_priority(100)
    def on_page_content(self, html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
        if lab := self._lab_of(page):
            body = html.partition(END)[0]
            page.markdown = self._with_glossary(
                self._expand(self._lab_head(lab, config) + body + self._lab_foot(lab), page, files), page
            )
            Page.render(page, config, files)
            html = rendered.tidy_code(page.content, rendered.names_used(lab))
        elif page.file.src_uri.startswith("api/"):
            users = [
                (user, set(rendered.names_used(user).values()), _url(files, f"labs/{user.stem}.ipynb", page))
                for user in self.labs
            ]
            html = rendered.used_in(html, users)
        try:
            html, maths = rendered.render_maths(html, page.file.src_uri)
        except NotebookError as error:
            raise PluginError(str(error)) from error
        if maths:
            style = get_relative_url("assets/katex/katex.min.css", page.url)
            html = f'<link rel="stylesheet" href="{style}">\n{html}'
        return rendered.first_hovers(rendered.hide_code_from_search(html))

    @event_priority(-100)
    def on_post_page(self, output: str, *, page: Page, config: MkDocsConfig) -> str:
        # links to the API carry their heading's markup as a tooltip: a fifth of a lab's page that says nothing new
        return re.sub(r'(<a class="autorefs autorefs-internal") title="&lt;[^"]*"', r"\1", output)

    def on_serve(self, server, *, config: MkDocsConfig, builder):
        for folder in ("labs", "llmnotes"):
            if (self.project.root / folder).is_dir():
                server.watch(str(self.project.root / folder))
        return server

    # What pages are made of

    def _lab_of(self, page: Page) -> Lab | None:
        uri = page.file.src_uri
        return next((lab for lab in self.labs if uri == f"labs/{lab.stem}.ipynb"), None)

    def _entry_of(self, page: Page) -> Entry | None:
        return next((entry for entry in self.entries if entry.uri == page.file.src_uri), None)

    def _expand(self, markdown: str, page: Page, files: Files) -> str:
        functions = {
            "result": lambda name, spec="": self._result(name, spec, page),
            "gallery": lambda topic=None: self._gallery(page, files, topic),
            "entries": lambda kind, newest=None: self._entry_list(kind, newest, page),
            "predictions": lambda: self._predictions(page),
            "count": self._count,
        }
        try:
            return expand(markdown, functions, page.file.src_uri)
        except NotebookError as error:
            raise PluginError(str(error)) from error

    def _plain(self, markdown: str, page: Page) -> str:
        """Text for attributes: bound numbers as numbers, without links."""
        try:
            text = expand(
                markdown, {"result": lambda name, spec="": shown(look_up(name, self.runs)[2], spec)}, page.file.src_uri
            )
        except NotebookError as error:
            raise PluginError(str(error)) from error
        return re.sub(r"[`*_$]", "", text)

    def _result(self, name: str, spec: str, page: Page) -> str:
        key = name.partition(".")[0]
        if key in self.runs and self.runs[key][1] is None:  # it needs the hub, and nobody recorded it yet
            return "(not recorded yet)"
        lab, _, value = look_up(name, self.runs)
        anchor = f"#value-{name.partition('.')[2]}"
        link = anchor if self._lab_of(page) is lab else _relative(f"labs/{lab.stem}.ipynb", page) + anchor
        return f'[{shown(value, spec)}]({link}){{ .bound title="{name}, recorded by the lab {escape(lab.title)}" }}'

    def _lab_head(self, lab: Lab, config: MkDocsConfig) -> str:
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
        if config.repo_url and (found := re.match(r"https://github\.com/([^/]+/[^/]+)", config.repo_url)):
            colab = "https://colab.research.google.com/github"
            repository = found[1].removesuffix(".git")
            links.append(f"[open it in Colab]({colab}/{repository}/blob/notebooks/labs/{lab.stem}.ipynb)")
        return (
            f"{lab.question}\n{{ .lab-question }}\n\n{' · '.join(facts)}\n{{ .lab-facts }}\n\n"
            f"{' or '.join([', '.join(links[:-1]), links[-1]])}.\n{{ .lab-files }}\n\n"
        )

    def _lab_foot(self, lab: Lab) -> str:
        run = self.runs[lab.key][1]
        if run is None:
            return (
                '\n\n!!! warning "No run is recorded yet"\n    This lab downloads models, so it was not executed here. '
                f"Run it with `llmnotes record --hub {lab.stem}`.\n"
            )
        stale = ""
        if why := run.stale_because(lab, self.project.root):
            stale = f" Since then, {why}; the outputs above may be out of date."
        return f"\n\n---\n\nThe outputs on this page: {ran_on(run)}.{stale}\n{{ .ran-on }}\n"

    def _entry_head(self, entry: Entry) -> str:
        facts = [f"{SINGULAR[entry.kind]}, {entry.status}"]
        if entry.confidence:
            facts.append(f"{entry.confidence} ({CONFIDENCE[entry.confidence]})")
        facts.append(f"{entry.date}" + (f", reviewed {entry.reviewed}" if entry.reviewed != entry.date else ""))
        labs = {lab.stem: lab.title for lab in self.labs}
        facts.append("rests on " + ", ".join(f"[{labs[stem]}](../labs/{stem}.ipynb)" for stem in entry.labs))
        return f"{entry.claim}\n{{ .entry-claim }}\n\n{' · '.join(facts)}\n{{ .entry-facts }}\n\n"

    def _entry_list(self, kind: str, newest: int | None, page: Page) -> str:
        if kind not in STATUSES:
            raise NotebookError(f"entries({kind!r}): no such kind{near(kind, STATUSES)}")
        found = [entry for entry in self.entries if entry.kind == kind]
        if newest:
            return "\n".join(self._entry_line(entry, page) for entry in found[:newest]) + "\n"
        parts = []
        for status in STATUSES[kind]:
            if some := [self._entry_line(entry, page) for entry in found if entry.status == status]:
                parts.append(f"## {status.capitalize()}\n\n" + "\n".join(some))
        return "\n\n".join(parts) or "None yet."

    def _entry_line(self, entry: Entry, page: Page) -> str:
        sure = f" · {entry.confidence}" if entry.confidence else ""
        claim = expand(entry.claim, {"result": lambda name, spec="": self._result(name, spec, page)}, entry.uri)
        return (
            f"- **[{entry.title}]({_relative(entry.uri, page)})**  \n  {claim}  \n"
            f'  <span class="entry-facts">{entry.date}{sure}</span>'
        )

    def _gallery(self, page: Page, files: Files, topic: str | None) -> str:
        cards = []
        for lab, run in self.runs.values():
            if topic and lab.topic != topic:
                continue
            images = ""
            figures = {figure["name"]: figure for figure in run.results["figures"]} if run else {}
            if run and lab.thumbnail not in figures and not lab.needs_hub:
                raise NotebookError(
                    f"{lab.path}: header: thumbnail is {lab.thumbnail!r}, which is none of its figures"
                    f"{near(lab.thumbnail, figures)}"
                )
            if figure := figures.get(lab.thumbnail):
                images = "".join(
                    f'<img src="{_url(files, f"labs/{lab.stem}/{lab.thumbnail}{suffix}", page)}#only-{mode}" alt="" '
                    f'width="{figure["width"]}" height="{figure["height"]}" loading="lazy">'
                    for suffix, mode in ((".svg", "light"), (".dark.svg", "dark"))
                )
            facts = [lab.level, f"{lab.minutes} minutes", *lab.models]
            cards.append(
                f'<li><a href="{_url(files, f"labs/{lab.stem}.ipynb", page)}"><span class="card-figure">{images}</span>'
                f"<strong>{lab.number} {escape(lab.title)}</strong>"
                f'<span class="card-question">{escape(lab.question)}</span>'
                f'<span class="card-facts">{escape(" · ".join(facts))}</span></a></li>'
            )
        return f'<ul class="gallery">{"".join(cards)}</ul>'

    def _predictions(self, page: Page) -> str:
        rows, scores = [], []
        for lab, run in self.runs.values():
            for entry in run.predictions if run else ():
                scores.append((entry["p"] - entry["outcome"]) ** 2)
                value = self._result(f"{lab.key}.{entry['resolved_by']}", "", page)
                claim = entry["claim"].replace("|", r"\|")
                outcome = "came true" if entry["outcome"] else "did not"
                link = f"[{lab.title}]({_relative(f'labs/{lab.stem}.ipynb', page)})"
                rows.append(f"| {claim} | {entry['p']:.0%} | {outcome} ({value}) | {link} |")
        if not rows:
            return "None yet."
        brier = sum(scores) / len(scores)
        table = "\n".join(["| Claim | Probability | Outcome | Lab |", "| --- | --: | --- | --- |", *rows])
        return (
            f"{len(rows)} predictions, Brier score {brier:.3f}. "
            f"Saying 50 % each time scores 0.250; lower is better.\n\n{table}\n"
        )

    def _count(self, what: str) -> str:
        counts = {kind: sum(entry.kind == kind for entry in self.entries) for kind in STATUSES}
        counts["labs"] = len(self.labs)
        if what not in counts:
            raise NotebookError(f"count({what!r}): nothing is called so{near(what, counts)}")
        return str(counts[what])

    def _with_glossary(self, markdown: str, page: Page) -> str:
        if page.file.src_uri == "glossary.md":
            return markdown
        return markdown + "\n\n" + "\n".join(f"*[{term}]: {meaning}" for term, meaning in self.terms.items()) + "\n"


def _glossary(path: Path) -> dict[str, str]:
    """Terms and their meanings from headings `### term`, and under each `Also: other, forms` and a paragraph."""
    if not path.is_file():
        return {}
    terms: dict[str, str] = {}
    for found in re.finditer(r"^### (.+?)\s*$\n+((?:.|\n)*?)(?=^#|\Z)", path.read_text(encoding="utf-8"), re.MULTILINE):
        paragraphs = [" ".join(p.split()) for p in found[2].split("\n\n") if p.strip()]
        names = [found[1].split("{")[0].strip()]
        if paragraphs and paragraphs[0].startswith("Also: "):
            names += [name.strip() for name in paragraphs.pop(0).removeprefix("Also: ").rstrip(".").split(",")]
        if not paragraphs:
            raise NotebookError(f"{path}: the term {names[0]!r} has no meaning; write a paragraph under its heading")
        meaning = re.sub(r"\[([^\]]+)\]\([^)]*\)|[`*$\\]", lambda m: m[1] or "", paragraphs[0]).replace('"', "'")
        for name in names:
            terms[name] = terms[name[0].upper() + name[1:]] = meaning
    return terms


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PluginError(
                f"{host}:{port} cannot be served on ({error.strerror}); choose another port: "
                f"make serve PORT={port + 1}, or mkdocs serve -a {host}:{port + 1}"
            ) from error


def _set_repository(config: MkDocsConfig) -> None:
    """Where the notebook is kept: from the environment in CI, from mkdocs.yml otherwise."""
    if repository := os.environ.get("GITHUB_REPOSITORY"):
        config.repo_url = f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}"
        config.repo_name = repository
    if config.repo_url:
        config.edit_uri = "edit/main/docs/"


def _edit_url(config: MkDocsConfig, path: str) -> str | None:
    return f"{config.repo_url.rstrip('/')}/edit/main/{path}" if config.repo_url else None


def _extend_nav(nav: list | None, index: str, uris: list[str]) -> None:
    """Put pages behind an index page wherever the navigation names it in a list."""
    for item in nav or []:
        for value in item.values() if isinstance(item, dict) else ():
            if isinstance(value, list):
                if index in value:
                    value.extend(uri for uri in uris if uri not in value)
                _extend_nav(value, index, uris)


def _relative(uri: str, page: Page) -> str:
    return posixpath.relpath(uri, posixpath.dirname(page.file.src_uri) or ".")


def _url(files: Files, uri: str, page: Page) -> str:
    return get_relative_url(files.get_file_from_path(uri).url, page.url)
