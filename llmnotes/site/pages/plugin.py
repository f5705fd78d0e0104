"""The MkDocs plugin: runs the labs, and hands MkDocs the notebook's pages and files (see `writing.py`)."""

from __future__ import annotations

import logging
import os
import re
from functools import partial
from html import escape, unescape
from pathlib import Path
from types import SimpleNamespace

from jinja2 import Environment
from mkdocs.config import config_options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

from llmnotes.site.pages import finishing
from llmnotes.site.pages.assets import SHIM, PageFields, combine, is_offline, needed, scripts
from llmnotes.site.pages.cache import BuildCache
from llmnotes.site.pages.code_links import names_used, tidy_code, used_in
from llmnotes.site.pages.contents import extend_nav, read_contents
from llmnotes.site.pages.serving import Rebuild, check_port
from llmnotes.site.pages.social import cards
from llmnotes.site.pages.writing import llms_txt, page_body, written_files, written_pages
from llmnotes.site.run.execute import commit_of
from llmnotes.site.run.store import Project

log = logging.getLogger("mkdocs.plugins.llmnotes")


class PluginConfig(Config):
    """Options in mkdocs.yml."""

    stale = config_options.Choice(("run", "show"), default="run")
    """What becomes of a lab whose recorded run is older than its code: it runs, or its page says so with a warning."""


class LlmnotesPlugin(BasePlugin[PluginConfig]):
    """Labs, entries and bound numbers for MkDocs."""

    def on_startup(self, *, command: str, dirty: bool) -> None:
        self.serving = command == "serve"

    # First stage: plain Markdown and files

    @event_priority(100)
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        if self.serving:
            check_port(*config.dev_addr)
        if is_offline(config):  # Material's plugin would name a shim on another host
            config.use_directory_urls = False
            config.extra["polyfills"] = [f"assets/iframe-worker/{SHIM.name}"]
        if name := os.environ.get("GITHUB_REPOSITORY"):  # in CI
            config.repo_url = f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}"
        config.repo_url = (config.repo_url or "").rstrip("/") or None
        config.edit_uri = "edit/main/docs/" if config.repo_url else None
        project = Project(Path(config.config_file_path).parent)
        self.contents = read_contents(
            project,
            Path(config.docs_dir),
            show_stale=self.config.stale == "show",
            report=lambda lab, state: log.info("lab %s %s", lab.stem, state) if "stored" not in state else None,
            repository=config.repo_url or "",
            site_url=config.site_url or "",
            directory_urls=config.use_directory_urls,
        )
        settings = Path(config.config_file_path).read_bytes() + bytes([config.use_directory_urls])
        self.cache = BuildCache(project.cache / "site" / "pages", settings)
        config.theme.dirs.insert(0, str(Path(__file__).with_name("theme")))
        config.extra["commit"] = commit_of(project.root)
        config.extra["labs"] = {lab.key: [lab.stem, lab.title] for lab in self.contents.labs}
        return config

    @event_priority(100)
    def on_files(self, files: Files, config: MkDocsConfig) -> Files:
        offline, about = is_offline(config), config.site_description or ""
        pages = dict(written_pages(self.contents))
        extend_nav(config.nav, self.contents, pages)
        written = pages | dict(written_files(self.contents, offline=offline))
        written["llms.txt"] = llms_txt(self.contents, config.site_name, about)
        config.extra["style"], style = combine(config)
        written[config.extra["style"]] = style
        # cards are found by their whole address or not at all, and nobody asks a preview for them
        if config.site_url and not self.serving:
            written |= cards(self.contents, config.site_name, about)
        if offline:
            written |= scripts(files)
        for uri, content in written.items():
            if old := files.get_file_from_path(uri):
                files.remove(old)
            held = {"abs_src_path": str(content)} if isinstance(content, Path) else {"content": content}
            files.append(File.generated(config, uri, **held))
        return files

    # Second stage: what MkDocs and its theme do with them

    def on_nav(self, nav: Navigation, config: MkDocsConfig, files: Files) -> None:
        self.nav = nav

    def on_env(self, env: Environment, config: MkDocsConfig, files: Files) -> None:
        env.trim_blocks = env.lstrip_blocks = True
        self.built = SimpleNamespace(config=config, files=files, nav=self.nav, env=env)  # to make a page of it again

    @event_priority(100)
    def on_page_markdown(self, markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
        uri = page.file.src_uri
        if lab := self.contents.lab_of.get(uri):
            page.edit_url = f"{config.repo_url}/edit/main/labs/{lab.path.name}" if config.repo_url else None
        elif page.file.generated_by is None:
            if uri not in self.contents.entry_of:
                PageFields.check(page.meta, uri, {"docs": self.contents.docs})
            before = page.file.content_string.count("\n") - markdown.count("\n")  # lines of front matter
            markdown = page_body(self.contents, uri, markdown, 1 + before)
        page.meta.setdefault("search", {"boost": finishing.boost(uri)})
        page.meta.setdefault("description", self.contents.about(uri) or None)
        for field, quote in (("title", False), ("description", True)):  # Material writes them into pages as they are
            if page.meta.get(field):  # while serving, a page comes by again
                page.meta[field] = escape(unescape(str(page.meta[field])), quote=quote)
        if not uri.startswith("api/"):  # of which mkdocstrings notes more than the page
            page.render = partial(self.cache.render, page, finish=partial(self._finished, uri))
        return markdown

    def _finished(self, uri: str, html: str) -> str:
        """What is done to a page once, and kept with it."""
        if lab := self.contents.lab_of.get(uri):
            html = tidy_code(html, names_used(lab))
        html = finishing.tidy_text(finishing.render_maths(html, uri))
        finishing.check_page(html, uri)
        return html

    @event_priority(100)
    def on_page_content(self, html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
        uri = page.file.src_uri
        address = self.contents.place(uri).address
        if uri.startswith("api/"):
            html = used_in(self._finished(uri, html), [(lab, address(lab.uri)) for lab in self.contents.labs])
        page.meta["styles"], page.meta["modules"] = needed(html, page.meta, offline=is_offline(config))
        if 'class="katex' in html:  # before the first formula: a browser paints what follows a style sheet after it
            at = html.rindex("<", 0, html.index('class="katex'))
            html = f'{html[:at]}<link rel="stylesheet" href="{address("assets/katex/katex.min.css")}">{html[at:]}'
        return html

    # the search plugin reads each page between these two, and most of its time would go into code and figures

    @event_priority(100)
    def _show_prose(self, context: dict, *, page: Page, config: MkDocsConfig, nav: Navigation) -> None:
        self.whole = page.content
        page.content = finishing.prose(page.content, names_alone=page.file.src_uri.startswith("api/"))

    @event_priority(-100)
    def _show_all(self, context: dict, *, page: Page, config: MkDocsConfig, nav: Navigation) -> None:
        page.content = self.whole

    on_page_context = CombinedEvent(_show_prose, _show_all)

    def on_post_page(self, output: str, *, page: Page, config: MkDocsConfig) -> str:
        # links to the API carry classes for nothing, and names without a page their whole name
        output = output.replace(' class="autorefs autorefs-internal"', "")
        output = re.sub(r'<span title="llmnotes[^"]*">([^<]*)</span>', r"\1", output)
        return self.on_post_template(output, template_name="page.html", config=config)

    @event_priority(-100)
    def on_post_template(self, output: str, *, template_name: str, config: MkDocsConfig) -> str:
        if not template_name.endswith(".html"):
            return output
        # MkDocs' server puts a script in; a folder has no origin
        return output if self.serving or is_offline(config) else finishing.with_policy(output)

    @event_priority(-50)  # after the search has written its index
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        self.cache.forget()
        if not is_offline(config):
            finishing.part_index(Path(config.site_dir))

    def on_serve(self, server, *, config: MkDocsConfig, builder) -> None:
        for folder in ("labs", "llmnotes"):
            if (self.contents.project.root / folder).is_dir():
                server.watch(str(self.contents.project.root / folder))
        server.builder = Rebuild(builder, self)
