"""Where pages stand in the navigation, and where the notebook is kept."""

from __future__ import annotations

import os
from collections.abc import Iterable

from mkdocs.config.defaults import MkDocsConfig

from llmnotes.site.notebook.entries import STATUSES
from llmnotes.site.pages.contents import Contents, uri_of


def extend(nav: list | None, contents: Contents, pages: Iterable[str]) -> None:
    """Put labs and other pages in their chapters, models and entries behind their index pages, where these are listed.

    Args:
        nav: as in mkdocs.yml; it is changed.
        contents: gives the labs and entries in their order.
        pages: all that was written.
    """
    groups = {
        "labs": [{name: [uri_of(one) for one in some]} for name, some in contents.way.items()],
        "models": [p for p in pages if p.startswith("models/")],
    }
    groups |= {kind: [entry.uri for entry in contents.entries if entry.kind == kind] for kind in STATUSES}
    for folder, items in groups.items():
        _put_behind(nav, f"{folder}/index.md", items)


def _put_behind(nav: list | None, index: str, items: list[str | dict]) -> None:
    for one in nav or []:
        for value in one.values() if isinstance(one, dict) else ():
            if isinstance(value, list):
                if index in value:
                    value.extend(item for item in items if item not in value)
                _put_behind(value, index, items)


def repository_of(config: MkDocsConfig) -> tuple[str | None, str | None]:
    """The address and the name of the repository: from the environment in CI, from mkdocs.yml otherwise."""
    if name := os.environ.get("GITHUB_REPOSITORY"):
        return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}", name
    return (config.repo_url or "").rstrip("/") or None, config.repo_name
