"""The MkDocs plugin: runs the labs, puts them and the entries on the site, and binds every quoted number to its run."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from html import escape, unescape
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache
from mkdocs.config import config_options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from llmnotes.site.errors import NotebookError
from llmnotes.site.notebook.entries import SINGULAR, STATUSES, Entry, read_entries
from llmnotes.site.notebook.feed import atom
from llmnotes.site.notebook.glossary import read_glossary, with_labs
from llmnotes.site.pages import html as rendered
from llmnotes.site.pages.api import Memory, remember
from llmnotes.site.pages.bench import add_models
from llmnotes.site.pages.beside import render_beside
from llmnotes.site.pages.blocks import Blocks, Place, read_cards
from llmnotes.site.pages.offline import add_scripts, is_offline, prepare
from llmnotes.site.pages.page import END, download, page_notebook
from llmnotes.site.pages.recall import Recall, drop_unreadable
from llmnotes.site.pages.serving import Built, Rebuild
from llmnotes.site.pages.stylesheet import combine
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.runner import run_labs
from llmnotes.site.run.store import Project, Run

log = logging.getLogger("mkdocs.plugins.llmnotes")


@contextmanager
def explained() -> Iterator[None]:
    """What explains itself ends the build with its message, without a traceback."""
    try:
        yield
    except NotebookError as error:
        raise PluginError(str(error)) from error


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

    def on_shutdown(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)

    @event_priority(100)
    @explained()
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        if self.serving and self.first:
            _check_port(*config.dev_addr)
        self.first = False
        self.project = Project(Path(config.config_file_path).parent)
        if is_offline(config):
            prepare(config)
        # compiling the theme's templates and rendering API pages is most of a build, so what comes out is kept
        self.made = _writable(self.project.cache / "site") or self.scratch
        (self.made / "templates").mkdir(exist_ok=True)
        settings = Path(config.config_file_path).read_bytes() + bytes([config.use_directory_urls])
        self.recall = Recall(self.made / "pages", settings)
        self.labs = self.project.labs()
        self.runs = self._run()
        self.entries = read_entries(Path(config.docs_dir), {lab.stem for lab in self.labs})
        self.terms = read_glossary(Path(config.docs_dir) / "glossary.md")
        self.templates = FileSystemBytecodeCache(str(self.made / "templates"))
        _set_repository(config)
        self.blocks = Blocks(self.project.root, self.runs, self.entries, config.repo_url)
        has_models = (Path(config.docs_dir) / "models" / "index.md").is_file()
        self.cards = read_cards() if has_models else {}
        _extend_nav(config.nav, "models/index.md", list(self.cards))
        _extend_nav(config.nav, "labs/index.md", [f"labs/{lab.stem}.ipynb" for lab in self.labs])
        for kind in STATUSES:
            _extend_nav(config.nav, f"{kind}/index.md", [entry.uri for entry in self.entries if entry.kind == kind])
        config.theme.dirs.insert(0, str(Path(__file__).parent / "theme"))
        import mkdocs_jupyter.config

        mkdocs_jupyter.config.settings.templates_dir = str(Path(__file__).parent / "templates")
        if jupyter := config.plugins.get("mkdocs-jupyter"):
            jupyter.config["cache_dir"] = str(self.made / "notebooks")
            drop_unreadable(self.made / "notebooks")
        self.uses = [(lab, self._names(lab)) for lab in self.labs]
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
            self.memory = Memory(self.made / "api.json", Path(config.config_file_path).read_bytes())
            remember(handler, self.memory)
        pages = self.scratch / "pages"
        for lab, run in self.runs.values():
            self._write_page(lab, run)
            files.append(File(f"labs/{lab.stem}.ipynb", str(pages), config.site_dir, config.use_directory_urls))
            for figure in (run.folder / "figures").glob("*.svg") if run else ():
                uri = f"labs/{lab.stem}/{figure.name}"
                files.append(File.generated(config, uri, abs_src_path=str(figure)))
            files.append(File.generated(config, f"labs/{lab.stem}/{lab.stem}.py", content=lab.script))
            key = f"{lab.stem} {config.repo_url} {lab.script}"
            notebook = self.recall.value(key, lambda lab=lab: download(lab, config.repo_url))
            files.append(File.generated(config, f"labs/{lab.stem}/{lab.stem}.ipynb", content=notebook))
        for uri, card in self.cards.items():
            files.append(File.generated(config, uri, content=card))
        # cards are found by their whole address or not at all, and nobody asks a preview for them
        if config.site_url and not self.serving:
            from llmnotes.site.pages.social import add_cards

            add_cards(files, config, self.made / "cards", self._cards(config))
        config.extra["style"], style = combine(config)
        files.append(File.generated(config, config.extra["style"], content=style))
        feed = atom(self.entries, config.site_url or "", self._plain_claim)
        files.append(File.generated(config, "feed.xml", content=feed))
        if is_offline(config):
            add_scripts(files, config)
        add_models(files, config, offline=is_offline(config))
        for path in (rendered.KATEX / "katex.min.css", *(rendered.KATEX / "fonts").glob("*.woff2")):
            uri = f"assets/katex/{path.relative_to(rendered.KATEX).as_posix()}"
            files.append(File.generated(config, uri, abs_src_path=str(path)))
        return files

    def on_nav(self, nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
        self.nav = nav
        labs = [files.get_file_from_path(f"labs/{lab.stem}.ipynb") for lab in self.labs]
        remembered = len(list((self.made / "notebooks").glob("*.json")))
        self.wait: Callable[[], object] = lambda: None
        if len(labs) - remembered > 3:
            self.wait = render_beside(labs, config, files)
        return nav

    @event_priority(100)
    def on_pre_page(self, page: Page, config: MkDocsConfig, files: Files) -> Page:
        if self._lab_of(page):
            self.wait()
        return page

    def on_env(self, env: Environment, config: MkDocsConfig, files: Files) -> Environment:
        env.bytecode_cache = self.templates
        self.built = Built(config, files, self.nav, env)
        return env

    @event_priority(100)
    @explained()
    def on_page_markdown(self, markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
        if lab := self._lab_of(page):
            page.meta = {"title": lab.title, "description": lab.question, "tags": [*lab.tags, lab.level]}
            page.edit_url = _edit_url(config, f"labs/{lab.path.name}")
            _escape_description(page)
            return ""
        if entry := self._entry_of(page):
            page.meta["description"] = self.blocks.plain(entry.claim, self._place(page, files))
            markdown = self.blocks.entry_head(entry) + markdown + self.blocks.entry_foot(entry, config.site_url or "")
        _escape_description(page)
        if page.file.src_uri == "glossary.md":
            source = "\0".join([markdown, *(cell.source for lab in self.labs for cell in lab.cells)])
            plain = markdown
            markdown = self.recall.value(source, lambda: with_labs(plain, self.labs))
        if not page.file.src_uri.startswith("api/"):  # those are remembered by what they document
            page.render = partial(self.recall.render, page)
        return self._with_glossary(self.blocks.fill(markdown, self._place(page, files)), page)

    @event_priority(100)
    @explained()
    def on_page_content(self, html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
        if lab := self._lab_of(page):
            body = self.blocks.lab_head(lab) + unescape(html.partition(END)[0]) + self.blocks.lab_foot(lab)
            page.markdown = self._with_glossary(self.blocks.fill(body, self._place(page, files)), page)
            html = self.recall.render(
                page, config, files, lambda html: rendered.tidy_code(html, rendered.names_used(lab))
            )
        elif page.file.src_uri.startswith("api/"):
            address = self._place(page, files).address
            users = [(user, names, address(f"labs/{user.stem}.ipynb")) for user, names in self.uses]
            html = rendered.used_in(html, users)
        html, maths = rendered.render_maths(html, page.file.src_uri)
        if maths:
            style = get_relative_url("assets/katex/katex.min.css", page.url)
            html = f'<link rel="stylesheet" href="{style}">\n{html}'
        return html if page.file.src_uri.startswith("api/") else rendered.first_hovers(html)

    # the search plugin reads each page between these two, and most of its time would go into code

    @event_priority(100)
    def _show_prose(self, context: dict, *, page: Page, config: MkDocsConfig, nav: Navigation) -> dict:
        self.whole = page.content
        reference = page.file.src_uri.startswith("api/")
        page.content = (rendered.names_alone if reference else rendered.without_code)(page.content)
        return context

    @event_priority(-100)
    def _show_all(self, context: dict, *, page: Page, config: MkDocsConfig, nav: Navigation) -> dict:
        page.content = self.whole
        return context

    on_page_context = CombinedEvent(_show_prose, _show_all)

    @event_priority(-100)
    def on_post_page(self, output: str, *, page: Page, config: MkDocsConfig) -> str:
        # Material's search is a dialog without a name
        search = 'data-md-component="search" role="dialog"'
        output = output.replace(search, f'{search} aria-label="Search"')
        output = rendered.without_indentation(output)
        # links to the API carry their heading as a tooltip and classes for nothing: a fifth of a lab's page
        output = re.sub(r'<a class="autorefs autorefs-internal"(?: title="[^"]*")?', "<a", output)
        return re.sub(r'<span title="llmnotes[^"]*">([^<]*)</span>', r"\1", output)  # names without a page

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        if "mkdocstrings" in config.plugins:
            self.memory.save()
        self.recall.forget()

    def on_serve(self, server, *, config: MkDocsConfig, builder):
        for folder in ("labs", "llmnotes"):
            if (self.project.root / folder).is_dir():
                server.watch(str(self.project.root / folder))
        server.builder = Rebuild(
            whole=builder,
            built=lambda: self.built,
            labs=lambda: {lab.path: lab for lab in self.labs},
            put=self._put,
        )
        return server

    # What pages are made of

    def _cards(self, config: MkDocsConfig) -> dict[str, tuple[str, str, str]]:
        cards = {"index.md": (config.site_name, config.site_description or "", "Home")}
        cards |= {f"labs/{lab.stem}.ipynb": (lab.title, lab.question, "Lab") for lab in self.labs}
        return cards | {one.uri: (one.title, self._plain_claim(one), SINGULAR[one.kind]) for one in self.entries}

    def _write_page(self, lab: Lab, run: Run | None) -> None:
        page = self.scratch / "pages" / "labs" / f"{lab.stem}.ipynb"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(json.dumps(page_notebook(lab, run)), encoding="utf-8")  # not checked piece by piece

    def _names(self, lab: Lab) -> set[str]:
        return set(self.recall.value(f"names {lab.digest}", lambda: sorted(rendered.names_used(lab).values())))

    def _put(self, lab: Lab) -> None:
        """Take a lab whose prose alone has changed."""
        _, run = self.runs[lab.key]
        self.labs = [lab if old.path == lab.path else old for old in self.labs]
        self.runs[lab.key] = (lab, run)
        self._write_page(lab, run)

    def _lab_of(self, page: Page) -> Lab | None:
        uri = page.file.src_uri
        return next((lab for lab in self.labs if uri == f"labs/{lab.stem}.ipynb"), None)

    def _entry_of(self, page: Page) -> Entry | None:
        return next((entry for entry in self.entries if entry.uri == page.file.src_uri), None)

    def _place(self, page: Page, files: Files) -> Place:
        return Place(page.file.src_uri, lambda uri: get_relative_url(files.get_file_from_path(uri).url, page.url))

    def _plain_claim(self, entry: Entry) -> str:
        return self.blocks.plain(entry.claim, Place(entry.uri, lambda uri: uri))

    def _with_glossary(self, markdown: str, page: Page) -> str:
        if page.file.src_uri == "glossary.md" or page.file.src_uri.startswith("api/"):  # reference, not running text
            return markdown
        met = {term: meaning for term, meaning in self.terms.items() if term in markdown}
        return markdown + "\n\n" + "\n".join(f"*[{term}]: {meaning}" for term, meaning in met.items()) + "\n"


def _writable(folder: Path) -> Path | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


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


def _escape_description(page: Page) -> None:
    """Material writes it into an attribute as it is, and a quotation mark would end it there."""
    if description := page.meta.get("description"):
        page.meta["description"] = escape(unescape(description))  # while serving, a page comes by more than once


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
