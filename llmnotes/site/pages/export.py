"""The whole notebook as plain Markdown with its files, for any site generator that reads an `mkdocs.yml`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from mkdocs.utils.meta import get_data
from mkdocs.utils.yaml import get_yaml_loader

from llmnotes.site.errors import NotebookError
from llmnotes.site.pages.assets import needed
from llmnotes.site.pages.contents import Contents, extend_nav
from llmnotes.site.pages.finishing import KATEX
from llmnotes.site.pages.templates import render
from llmnotes.site.pages.writing import File, page_body, written_files, written_pages

KEPT = ("site_name", "site_description", "site_url", "copyright", "repo_url", "nav")
KEPT += ("markdown_extensions", "validation")
FEATURES = ("navigation.tabs", "navigation.sections", "navigation.indexes", "navigation.footer")


def export(contents: Contents, target: Path) -> None:
    """Write the notebook into an empty or a new folder: `mkdocs.yml`, and below `docs/` its pages and files."""
    if target.exists() and any(target.iterdir()):
        raise NotebookError(f"{target}: is not empty; name a folder that is, or that does not exist yet")
    pages = dict(written_pages(contents))
    for uri, content in _everything(contents, pages):
        path = target / "docs" / uri
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    settings = yaml.safe_dump(_settings(contents, pages), allow_unicode=True, sort_keys=False)
    (target / "mkdocs.yml").write_text(settings, encoding="utf-8")


def _everything(contents: Contents, pages: dict[str, str]) -> Iterator[tuple[str, File]]:
    for path in sorted(path for path in contents.docs.rglob("*") if path.is_file()):
        uri = path.relative_to(contents.docs).as_posix()
        if path.suffix != ".md":
            yield uri, path
            continue
        body, fields = get_data(path.read_text(encoding="utf-8-sig"))
        if claim := contents.about(uri):
            fields |= {"claim": claim, "description": claim}
        yield uri, _page(contents, uri, fields, page_body(contents, uri, body))
    for uri, text in pages.items():
        body, fields = get_data(text)
        yield uri, _page(contents, uri, fields, body)
    yield from written_files(contents)
    yield "assets/katex/katex.min.js", KATEX / "katex.min.js"
    yield "assets/katex/set.js", render("set-formulas.js.jinja")


def _page(contents: Contents, uri: str, fields: dict[str, Any], body: str) -> str:
    """A page with the style sheets and scripts that it needs in its own text, as no theme of ours loads them."""
    styles, modules = needed(body, fields)
    kept = {name: one for name, one in fields.items() if name not in ("styles", "modules", "template")}  # of our theme
    head = f"---\n{yaml.safe_dump(kept, allow_unicode=True, sort_keys=False)}---\n" if kept else ""
    address = contents.place(uri).address
    tags = [f'<link rel="stylesheet" href="{address(file)}">' for file in styles]
    tags += [f'<script type="module" src="{address(file)}"></script>' for file in modules]
    return "\n".join([head, body.strip(), "", *tags, ""])


def _settings(contents: Contents, pages: dict[str, str]) -> dict[str, Any]:
    """The notebook's own settings without our plugin and our theme's changes."""
    with (contents.project.root / "mkdocs.yml").open(encoding="utf-8") as file:
        ours = yaml.load(file, get_yaml_loader())  # as MkDocs reads it, with !ENV
    extend_nav(ours.get("nav"), contents, pages)
    features = [name for name in ours["theme"].get("features", ()) if name != "toc.integrate"]
    return {name: ours[name] for name in KEPT if ours.get(name)} | {
        "theme": ours["theme"] | {"features": [*features, *FEATURES]},
        "plugins": [
            one for one in ours["plugins"] if not {"llmnotes", "offline"} & {*([one] if isinstance(one, str) else one)}
        ],
        "extra_css": [*ours.get("extra_css", ()), "assets/katex/katex.min.css"],
        "extra_javascript": ["assets/katex/katex.min.js", "assets/katex/set.js"],
    }
