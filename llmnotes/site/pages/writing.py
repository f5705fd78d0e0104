"""Every page and file of the notebook, by its address: what any site generator builds from (see `export.py`)."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urljoin

from llmnotes.site.notebook.entries import CONFIDENCE, SINGULAR, Entry
from llmnotes.site.notebook.glossary import with_labs
from llmnotes.site.pages.calls import fill
from llmnotes.site.pages.contents import Contents
from llmnotes.site.pages.finishing import KATEX
from llmnotes.site.pages.lab_page import download, lab_markdown
from llmnotes.site.pages.templates import inline, render
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.store import PACKAGE, Run

CHECKPOINTS = PACKAGE / "checkpoints"
File = str | bytes | Path
"""What a file holds, or where it lies."""


def written_pages(contents: Contents) -> Iterator[tuple[str, str]]:
    """The pages that have no source of their own below docs/, with their Markdown: labs, and the models' cards."""
    for lab in contents.labs:
        yield lab.uri, lab_page(contents, lab)
    if (contents.docs / "models" / "index.md").is_file():
        for uri, card in read_cards().items():
            yield uri, page_body(contents, uri, card)


def lab_page(contents: Contents, lab: Lab) -> str:
    """A lab's page, with the meanings of the terms it speaks of."""
    return with_terms(contents, lab.uri, lab_markdown(contents, lab))


def page_body(contents: Contents, uri: str, markdown: str, line: int = 1) -> str:
    """A page below docs/ as plain Markdown: its calls replaced, an entry's head and foot, the terms it speaks of.

    The Markdown is without its front matter, and begins on some line of its source.
    """
    if uri == "glossary.md":
        markdown = with_labs(markdown, contents.labs)
    body = fill(markdown, contents, contents.place(uri), line=line)
    if uri == "glossary.md" or uri.startswith("api/"):  # reference, not running text
        return body
    if entry := contents.entry_of.get(uri):
        body = _entry(contents, entry, body)
    return with_terms(contents, uri, body)


def _entry(contents: Contents, entry: Entry, body: str) -> str:
    place = contents.place(entry.uri)
    claim, cited = fill(inline(entry.claim), contents, place), bibtex(entry, contents.site_url)
    names = {"kind": SINGULAR[entry.kind], "chance": CONFIDENCE.get(entry.confidence or "")}
    context = {"contents": contents, "place": place, "entry": entry, "claim": claim, "body": body.strip()}
    return render("entry.md.jinja", citation=cited, **context, **names)


def with_terms(contents: Contents, uri: str, markdown: str) -> str:
    """A page's Markdown with the meanings of the glossary's terms in it, which pages show beside the words."""
    words = re.sub(r"<svg\b.*?</svg>", "", markdown, flags=re.DOTALL)  # most of a lab's page, and no running text
    met = {name: one.meaning for name, one in contents.terms.items() if name in words and one.is_meant(uri)}
    return f"{markdown.rstrip()}\n\n" + "".join(f"*[{name}]: {meaning}\n" for name, meaning in met.items())


def written_files(contents: Contents, *, offline: bool = False) -> Iterator[tuple[str, File]]:
    """The files that pages lead to: of each lab figures, script, notebook and results; the feed; models to play with.

    In a copy that opens from a folder (`offline`) pages can fetch nothing: there a script carries each model.
    """
    for lab, run in contents.runs.values():
        yield from _lab_files(lab, run, contents.repository)
    yield "feed.xml", atom(contents.entries, contents.site_url, lambda entry: contents.about(entry.uri))
    for path in _models() if (contents.docs / "assets" / "bench").is_dir() else ():
        inside = path.relative_to(CHECKPOINTS).as_posix()
        if offline:
            data = base64.b64encode(path.read_bytes()).decode()
            script = f"(globalThis.llmnotesFiles ??= {{}})[{json.dumps(inside)}] = {json.dumps(data)};\n"
            yield f"assets/models/{inside}.js", script
        else:
            yield f"assets/models/{inside}", path
    for path in (KATEX / "katex.min.css", *(KATEX / "fonts").glob("*.woff2")):
        yield f"assets/katex/{path.relative_to(KATEX).as_posix()}", path


def _models() -> Iterator[Path]:
    """World, its checkpoints, adapters and dictionaries, and Fairytale with its adapters."""
    world = CHECKPOINTS / "world"
    for folder in (world, CHECKPOINTS / "fairytale", *sorted(world.glob("step-*"))):
        yield from (folder / name for name in ("config.json", "tokenizer.json", "model.safetensors"))
    yield from sorted(world.glob("audit/*"))
    yield from sorted(world.glob("features/*"))
    yield from sorted((CHECKPOINTS / "fairytale").glob("adapters/*/*.safetensors"))


def _lab_files(lab: Lab, run: Run | None, repository: str) -> Iterator[tuple[str, File]]:
    folder = f"labs/{lab.stem}"
    yield f"{folder}/{lab.stem}.py", lab.script
    yield f"{folder}/{lab.stem}.ipynb", download(lab, repository)
    if run:
        results = {"lab": lab.stem, "title": lab.title, "question": lab.question, "ran": run.meta["ran"]}
        results |= {"values": [asdict(value) for value in run.values.values()], "predictions": run.predictions}
        results |= {"questions": run.questions, "figures": list(run.figures.values())}
        yield f"{folder}/results.json", json.dumps(results, indent=1, ensure_ascii=False)
        for figure in sorted((run.folder / "figures").glob("*.svg")):
            yield f"{folder}/{figure.name}", figure


def _page_of(entry: Entry) -> str:
    """The address of an entry's page below the site's."""
    return entry.uri.removesuffix(".md") + "/"


def atom(entries: Iterable[Entry], site: str, plain: Callable[[Entry], str]) -> bytes:
    """A feed of entries, whose claims `plain` gives as plain text; links are relative if the site has no address."""
    return render(
        "feed.xml.jinja",
        entries=list(entries),
        site=site,
        plain=plain,
        singular=SINGULAR,
        page_of=_page_of,
        urljoin=urljoin,
        urn=lambda address: uuid.uuid5(uuid.NAMESPACE_URL, address).urn,
    ).encode()


def bibtex(entry: Entry, site: str) -> str:
    """An entry for a reference list; braces and signs in its title stand as letters."""
    title = re.sub(r"[{}%$#&_]", r"\\\g<0>", entry.title.replace("\\", "/"))
    key = re.sub(r"\W+", "_", entry.path.stem)
    fields = [f"title = {{{{{title}}}}}", "author = {{llmnotes contributors}}", f"year = {{{entry.date.year}}}"]
    fields += [f"note = {{{SINGULAR[entry.kind]}, {entry.status}, {entry.date}, reviewed {entry.reviewed}}}"]
    fields += [f"url = {{{urljoin(site, _page_of(entry))}}}"] if site else []
    return f"@misc{{llmnotes_{key},\n  " + ",\n  ".join(fields) + ",\n}"


def llms_txt(contents: Contents, name: str, summary: str) -> str:
    """The pages in the order of the spine, each with what it is about (llmstxt.org)."""
    home = contents.place("index.md")
    context = {"contents": contents, "name": name, "summary": summary, "singular": SINGULAR}
    return render("llms.txt.jinja", url=lambda uri: urljoin(contents.site_url, home.address(uri)), **context)


def read_cards() -> dict[str, str]:
    """The cards of the models that ship, as pages below `models/`; links between cards become links between pages."""

    def page(card: Path) -> str:
        return "-".join(card.resolve().parent.relative_to(CHECKPOINTS).parts) + ".md"

    cards = {}
    for card in sorted(CHECKPOINTS.rglob("README.md")):
        text = card.read_text(encoding="utf-8")
        linked = re.sub(r"\]\(([^)]*README\.md)\)", lambda found, card=card: f"]({page(card.parent / found[1])})", text)
        cards[f"models/{page(card)}"] = linked
    return cards
