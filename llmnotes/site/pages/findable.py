"""What makes pages findable: their weight in the search, a list of them for language models, the commit they show."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from urllib.parse import urljoin

from llmnotes.site.notebook.entries import SINGULAR
from llmnotes.site.pages.contents import Contents, lab_uri

BOOST = {"glossary.md": 12.0, "run-it.md": 6.0, "path.md": 2.0, "tour.md": 2.0, "tags.md": 0.1}
FOLDERS = {"labs": 4.0, "play": 2.0, "models": 2.0, "api": 0.5}


def boost(uri: str) -> float:
    """How much a page counts in the search: labs, the glossary and how to run things come first."""
    return BOOST.get(uri, FOLDERS.get(uri.partition("/")[0], 1.0))


def part_index(site: Path) -> None:
    """Leave the index that every page fetches without its documents, which search-worker.js fetches when needed."""
    path = site / "search" / "search_index.json"
    if not path.is_file():
        return
    index = json.loads(path.read_text(encoding="utf-8"))
    path.with_name("documents.json").write_text(json.dumps({"docs": index.pop("docs")}), encoding="utf-8")
    path.write_text(json.dumps(index | {"docs": []}), encoding="utf-8")


def llms_txt(contents: Contents, name: str, summary: str) -> str:
    """The pages in the order of the spine, each with what it is about (llmstxt.org).

    Args:
        contents: gives labs and entries.
        name: of the notebook.
        summary: what it is, in a sentence or two.
    """

    def line(uri: str, title: str, about: str) -> str:
        return f"- [{title}]({urljoin(contents.site_url, contents.place('index.md').address(uri))}): {about}"

    parts = [f"# {name}", f"> {summary}"]
    start = [("path.md", "The path", "every lab in order"), ("run-it.md", "Run it", "clone, run a lab, copy a cell")]
    start += [("glossary.md", "Glossary", "the terms"), ("predictions.md", "Our predictions", "each with its verdict")]
    parts.append("\n".join(["## Start", "", *(line(*one) for one in start if (contents.docs / one[0]).is_file())]))
    for chapter, labs in contents.chapters.items():
        rows = [line(lab_uri(lab), f"{lab.number} {lab.title}", lab.question) for lab in labs]
        parts.append("\n".join([f"## Labs: {chapter}", "", *rows]))
    for kind, singular in SINGULAR.items():
        entries = [one for one in contents.entries if one.kind == kind]
        rows = [line(one.uri, one.title, contents.plain(one.claim, one.uri)) for one in entries]
        if rows:
            parts.append("\n".join([f"## {singular}: {len(rows)} entries", "", *rows]))
    return "\n\n".join(parts) + "\n"


def commit_of(root: Path) -> str:
    """The commit that a checkout is at, for reports of mistakes; nothing outside a checkout."""
    if found := os.environ.get("GITHUB_SHA"):
        return found[:12]
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip()
