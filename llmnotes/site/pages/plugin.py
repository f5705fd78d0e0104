"""The MkDocs plugin: runs the labs, and hands MkDocs the notebook's pages and files (see `writing.py`)."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html import escape, unescape
from pathlib import Path

from jinja2 import Environment
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
from llmnotes.site.notebook.entries import SINGULAR
from llmnotes.site.pages import finishing
from llmnotes.site.pages.cache import Aliases, BuildCache
from llmnotes.site.pages.code_links import names_used, tidy_code, used_in
from llmnotes.site.pages.contents import lab_uri, read_contents
from llmnotes.site.pages.findable import boost, commit_of, llms_txt, part_index
from llmnotes.site.pages.front import check_front, needed
from llmnotes.site.pages.maths import KATEX, render_maths
from llmnotes.site.pages.navigation import extend, repository_of
from llmnotes.site.pages.offline import add_scripts, is_offline, prepare
from llmnotes.site.pages.serving import Built, Rebuild, check_port
from llmnotes.site.pages.stylesheet import combine
from llmnotes.site.pages.writing import description, page_body, written_files, written_pages
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.store import PACKAGE, Project

log = logging.getLogger("mkdocs.plugins.llmnotes")
HERE = Path(__file__).parent


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

    stale = config_options.Choice(("run", "show"), default="run")
    """What becomes of a lab whose recorded run is older than its code: it runs, or its page says so with a warning."""


class LlmnotesPlugin(BasePlugin[PluginConfig]):
    """Labs, entries and bound numbers for MkDocs."""

    def on_startup(self, *, command: str, dirty: bool) -> None:
        self.serving = command == "serve"
        self.first = True
        self.temporary = Path(tempfile.mkdtemp(prefix="llmnotes-site-"))

    def on_shutdown(self) -> None:
        shutil.rmtree(self.temporary, ignore_errors=True)

    # First stage: plain Markdown and files

    @event_priority(100)
    @explained()
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        if self.serving and self.first:
            check_port(*config.dev_addr)
        self.first = False
        if is_offline(config):
            prepare(config)
        config.repo_url, config.repo_name = repository_of(config)
        config.edit_uri = "edit/main/docs/" if config.repo_url else None
        project = Project(Path(config.config_file_path).parent)
        self.contents = read_contents(
            project,
            Path(config.docs_dir),
            fresh=self.config.fresh,
            show_stale=self.config.stale == "show",
            report=lambda lab, state: log.info("lab %s %s", lab.stem, state) if state in ("runs", "done") else None,
            repository=config.repo_url or "",
            site_url=config.site_url or "",
            directory_urls=config.use_directory_urls,
        )
        folder = _writable(project.cache / "site") or self.temporary
        settings = Path(config.config_file_path).read_bytes() + bytes([config.use_directory_urls])
        self.cache = BuildCache(folder / "pages", settings)
        self.cards_folder = folder / "cards"
        config.theme.dirs.insert(0, str(HERE / "theme"))
        config.extra["commit"] = commit_of(project.root)
        config.extra["labs"] = {lab.key: [lab.stem, lab.title] for lab in self.contents.labs}
        return config

    @event_priority(100)
    @explained()
    def on_files(self, files: Files, config: MkDocsConfig) -> Files:
        pages = dict(written_pages(self.contents))
        for uri, content in (pages | dict(written_files(self.contents, offline=is_offline(config)))).items():
            files.append(_file(config, uri, content))
        extend(config.nav, self.contents, pages)
        listed = llms_txt(self.contents, config.site_name, config.site_description or "")
        files.append(File.generated(config, "llms.txt", content=listed))
        # cards are found by their whole address or not at all, and nobody asks a preview for them
        if config.site_url and not self.serving:
            from llmnotes.site.pages.social import add_cards

            add_cards(files, config, self.cards_folder, self._cards(config))
        config.extra["style"], style = combine(config)
        files.append(File.generated(config, config.extra["style"], content=style))
        if is_offline(config):
            add_scripts(files, config)
        for path in (KATEX / "katex.min.css", *(KATEX / "fonts").glob("*.woff2")):
            files.append(_file(config, f"assets/katex/{path.relative_to(KATEX).as_posix()}", path))
        return files

    def _cards(self, config: MkDocsConfig) -> dict[str, tuple[str, str, str]]:
        cards = {"index.md": (config.site_name, config.site_description or "", "Home")}
        cards |= {lab_uri(lab): (lab.title, lab.question, f"Lab {lab.number}") for lab in self.contents.labs}
        entries = self.contents.entries
        return cards | {
            one.uri: (one.title, description(self.contents, one.uri), SINGULAR[one.kind]) for one in entries
        }

    # Second stage: what MkDocs and its theme do with them

    def on_nav(self, nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
        self.nav = nav
        return nav

    def on_env(self, env: Environment, config: MkDocsConfig, files: Files) -> Environment:
        self.built = Built(config, files, self.nav, env)
        return env

    @event_priority(100)
    @explained()
    def on_page_markdown(self, markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
        uri = page.file.src_uri
        if lab := self.contents.lab_of.get(uri):
            page.edit_url = f"{config.repo_url}/edit/main/labs/{lab.path.name}" if config.repo_url else None
        elif page.file.generated_by is None:
            if uri not in self.contents.entry_of:
                check_front(page.meta, uri, self.contents.docs)
            markdown = page_body(self.contents, uri, markdown, _first_line(page, markdown))
        page.meta.setdefault("search", {"boost": boost(uri)})
        page.meta.setdefault("description", description(self.contents, uri) or None)
        for field, quote in (("title", False), ("description", True)):  # Material writes them into pages as they are
            if page.meta.get(field):  # while serving, a page comes by again
                page.meta[field] = escape(unescape(str(page.meta[field])), quote=quote)
        page.render = partial(self._render, page)
        return markdown

    @explained()
    def _render(self, page: Page, config: MkDocsConfig, files: Files) -> None:
        """In place of the page's own `render`, which it calls unless the cache holds the page as it is."""
        finish = partial(self._finished, page.file.src_uri)
        if not page.file.src_uri.startswith("api/"):
            self.cache.render(page, config, files, finish)
            return
        sources = b"".join(path.read_bytes() for path in sorted(PACKAGE.rglob("*.py")) if "site" not in path.parts)
        for anchor, names in self.cache.render(page, config, files, finish, sources, partial(_aliases, config)).items():
            for name in (anchor, *names):
                config.plugins["autorefs"].register_anchor(page, name, anchor, primary=name == anchor)

    def _finished(self, uri: str, html: str) -> str:
        """What is done to a page once, and kept with it."""
        if lab := self.contents.lab_of.get(uri):
            html = tidy_code(html, names_used(lab))
        html = render_maths(html, uri)
        finishing.check_page(html, uri)
        return html if uri.startswith("api/") else finishing.unbroken(finishing.first_hovers(html))

    @event_priority(100)
    @explained()
    def on_page_content(self, html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
        uri = page.file.src_uri
        page.meta["styles"], page.meta["modules"] = needed(html, page.meta, offline=is_offline(config))
        if 'class="katex' in html:
            style = get_relative_url("assets/katex/katex.min.css", page.url)
            html = f'<link rel="stylesheet" href="{style}">\n{html}'
        if uri.startswith("api/"):
            address = self.contents.place(uri).address
            labs = self.contents.labs
            return used_in(html, [(lab, set(names_used(lab).values()), address(lab_uri(lab))) for lab in labs])
        return html

    # the search plugin reads each page between these two, and most of its time would go into code

    @event_priority(100)
    def _show_prose(self, context: dict, *, page: Page, config: MkDocsConfig, nav: Navigation) -> dict:
        self.whole = page.content
        reference = page.file.src_uri.startswith("api/")
        page.content = (finishing.names_alone if reference else finishing.without_code)(page.content)
        return context

    @event_priority(-100)
    def _show_all(self, context: dict, *, page: Page, config: MkDocsConfig, nav: Navigation) -> dict:
        page.content = self.whole
        return context

    on_page_context = CombinedEvent(_show_prose, _show_all)

    @event_priority(-100)
    @explained()
    def on_post_page(self, output: str, *, page: Page, config: MkDocsConfig) -> str:
        output = self._with_policy(output, config)
        # links to the API carry their heading as a tooltip and classes for nothing: a fifth of a lab's page
        output = re.sub(r'<a class="autorefs autorefs-internal"(?: title="[^"]*")?', "<a", output)
        return re.sub(r'<span title="llmnotes[^"]*">([^<]*)</span>', r"\1", output)  # names without a page

    def on_post_template(self, output: str, *, template_name: str, config: MkDocsConfig) -> str:
        return self._with_policy(output, config) if template_name.endswith(".html") else output

    def _with_policy(self, output: str, config: MkDocsConfig) -> str:
        # Material's search is a dialog without a name
        search = 'data-md-component="search" role="dialog"'
        output = finishing.without_indentation(output.replace(search, f'{search} aria-label="Search"'))
        if self.serving or is_offline(config):  # MkDocs' server puts a script in; a folder has no origin
            return output
        return finishing.with_policy(output)

    @event_priority(-50)  # after the search has written its index
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        self.cache.forget()
        if not is_offline(config):
            part_index(Path(config.site_dir))

    def on_serve(self, server, *, config: MkDocsConfig, builder):
        root = self.contents.project.root
        for folder in ("labs", "llmnotes"):
            if (root / folder).is_dir():
                server.watch(str(root / folder))
        server.builder = Rebuild(whole=builder, built=lambda: self.built, plugin=self)
        return server

    def take(self, lab: Lab) -> None:
        """Take a lab whose prose alone has changed."""
        _, run = self.contents.runs[lab.key]
        self.contents = self.contents.with_run(lab, run)


def _file(config: MkDocsConfig, uri: str, content: str | bytes | Path) -> File:
    if isinstance(content, Path):
        return File.generated(config, uri, abs_src_path=str(content))
    return File.generated(config, uri, content=content)


def _writable(folder: Path) -> Path | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _first_line(page: Page, markdown: str) -> int:
    """The line of a page's source on which its text begins, behind the front matter."""
    head, found, _ = page.file.content_string.replace("\r\n", "\n").partition(markdown)
    return 1 + head.count("\n") if found and markdown else 1


def _aliases(config: MkDocsConfig, html: str) -> Aliases:
    """The other names of what an API page documents, as mkdocstrings knows them."""
    handler = config.plugins["mkdocstrings"].get_handler("python")
    anchors = re.findall(r'id="(llmnotes[\w.]*)"', html)
    return {anchor: [name for name in handler.get_aliases(anchor) if name != anchor] for anchor in anchors}
