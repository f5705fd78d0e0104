"""The built site: what its pages hold and what they load."""

from __future__ import annotations

import ast
import functools
import gzip
import json
import re
import shutil
import socket
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from conftest import ROOT, SITE_URL, Notebook, real_labs

from llmnotes.site.notebook.entries import read_entries
from llmnotes.site.pages.assets import UNUSED
from llmnotes.site.pages.code_links import names_used
from llmnotes.site.pages.lab_page import download
from llmnotes.site.run.labs import Lab
from llmnotes.site.run.store import Project

LABS = real_labs()
each_lab = pytest.mark.parametrize("lab", LABS, ids=[lab.stem for lab in LABS])


class Elements(HTMLParser):
    """All elements of a page with their attributes."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@functools.cache
def elements(path: Path) -> Elements:
    """All elements of a page of the site, which several tests look at."""
    return Elements(path.read_text(encoding="utf-8"))


def path_of(site: Path, lab: Lab) -> Path:
    return site / "labs" / lab.stem / "index.html"


def page_of(site: Path, lab: Lab) -> str:
    return path_of(site, lab).read_text(encoding="utf-8")


def prose_of(lab: Lab) -> str:
    return "\n".join(cell.source for cell in lab.cells if cell.kind == "markdown")


def article(html: str) -> str:
    return html.partition("<article")[2].partition("</article>")[0]


@each_lab
def test_a_lab_page_is_small(site: Path, lab: Lab) -> None:
    assert len(gzip.compress(page_of(site, lab).encode())) < 60_000


@each_lab
def test_a_lab_page_is_described_by_its_question(site: Path, lab: Lab) -> None:
    said = [meta["content"] for meta in elements(path_of(site, lab)).of("meta") if meta.get("name") == "description"]
    assert said == [lab.question]


@each_lab
def test_downloads(site: Path, lab: Lab) -> None:
    folder = site / "labs" / lab.stem
    hrefs = {a.get("href") for a in elements(path_of(site, lab)).of("a")}
    for suffix in (".py", ".ipynb"):
        assert any(href and (folder / href).resolve() == (folder / f"{lab.stem}{suffix}") for href in hrefs), suffix
    assert (folder / f"{lab.stem}.py").read_text(encoding="utf-8").strip() == lab.path.read_text(
        encoding="utf-8"
    ).strip()
    notebook = nbformat.read(folder / f"{lab.stem}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert "git+https://github.com/someone/llmnotes" in code[0]
    assert code[1:] == [cell.source for cell in lab.code]
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_a_downloaded_notebook_runs(recorded: Notebook, tmp_path: Path) -> None:
    from nbclient import NotebookClient

    notebook = nbformat.reads(download(recorded.project.labs()[0], ""), as_version=4)
    kernel = {"resources": {"metadata": {"path": str(tmp_path)}}, "timeout": 60, "kernel_name": "python3"}
    NotebookClient(notebook, **kernel).execute()
    printed = "".join(out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", []))
    assert "answer = 42" in printed
    images = [out for cell in notebook.cells for out in cell.get("outputs", []) if "image/png" in out.get("data", {})]
    assert len(images) == 1, "a reader's notebook shows the figure"


def test_a_notebook_is_made_the_same_each_time(recorded: Notebook) -> None:
    lab = recorded.project.labs()[0]
    assert download(lab, "") == download(lab, "")
    assert "pip install -e ." in download(lab, "")


@pytest.fixture(scope="module")
def found(site: Path) -> list[dict[str, str]]:
    """What the search can find: parts of pages, each with its title, text and location."""
    return json.loads((site / "search" / "documents.json").read_text(encoding="utf-8"))["docs"]


def test_search_finds_headings_but_not_the_data_of_figures(found: list[dict[str, str]]) -> None:
    assert any("does not show" in part["title"] for part in found)
    for part in found:  # long rows of digits break the search's own index
        assert "The data of this figure" not in part["title"] + part["text"], part["location"]


@each_lab
def test_search_finds_prose_but_not_code(found: list[dict[str, str]], lab: Lab) -> None:
    texts = [part["text"] for part in found if part["location"].startswith(f"labs/{lab.stem}/")]
    assert lab.title in [part["title"] for part in found]
    everything = re.sub(r"<[^>]+>", "", " ".join(texts))
    exercises = "".join(cell.source for cell in lab.cells if "```exercise" in cell.source)
    assert lab.question in everything
    assert not re.search(r"Code, \d+ lines?", everything), "the summary of a fold"
    lines = {line.strip() for cell in lab.code for line in cell.source.splitlines() if len(line.strip()) > 30}
    assert lines
    for line in lines:
        assert line not in everything or line in exercises or line in re.sub(r"[`*]", "", prose_of(lab))
    assert len(everything) < 60_000


def test_a_page_taken_from_the_cache_is_the_same(recorded: Notebook) -> None:
    """From the cache, from a damaged one, and after a change to the other pages, to which it links."""
    page = recorded.root / "site" / "labs" / "01_tiny" / "index.html"
    (recorded.root / "docs" / "index.md").write_text("# Home\n\n[its value](labs/01_tiny.md#value-share)\n")
    assert build(recorded).returncode == 0
    first = page.read_text()
    kept = [*(recorded.root / ".cache" / "site" / "pages").glob("*.json")]
    assert len(kept) == 4
    assert build(recorded).returncode == 0
    assert page.read_text() == first
    for path in kept:
        path.write_text(path.read_text()[:40])
    assert build(recorded).returncode == 0
    assert page.read_text() == first
    (recorded.root / "docs" / "index.md").write_text("# Home\n\n[no value](labs/01_tiny.md#value-none)\n")
    assert "value-none" in build(recorded).stderr


def test_a_warning_about_a_lab_comes_with_each_build(recorded: Notebook) -> None:
    path = recorded.root / "labs" / "01_tiny.py"
    path.write_text(path.read_text().replace("Some prose.", "[A page](../none.md) that is not there."))
    for _ in range(2):
        built = build(recorded)
        assert built.returncode != 0
        assert "none.md" in built.stderr


def test_no_page_has_what_the_style_sheet_leaves_out(site: Path) -> None:
    for path in site.rglob("*.html"):
        for _, attributes in elements(path).found:
            for name in (attributes.get("class") or "").split():
                assert not UNUSED.search(f".{name}"), f"{path.relative_to(site)}: {name}"


def test_no_page_asks_another_host(site: Path) -> None:
    for path in site.rglob("*.html"):
        for tag, attributes in elements(path).found:
            loads = [attributes.get("src"), attributes.get("srcset")]
            if tag == "link" and attributes.get("rel") not in ("canonical", "edit"):
                loads.append(attributes.get("href"))
            for url in filter(None, loads):
                assert not urlsplit(url).netloc, f"{path.relative_to(site)}: <{tag}> loads {url}"
    for path in site.rglob("*.css"):
        for url in re.findall(r"url\(['\"]?((?:https?:)?//[^)'\"]+)", path.read_text(encoding="utf-8")):
            pytest.fail(f"{path.relative_to(site)}: loads {url}")


def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    ids: dict[Path, set[str]] = {}
    for path in site.rglob("*.html"):
        if path.name == "404.html":
            continue
        for attributes in Elements(article(path.read_text(encoding="utf-8"))).of("a"):
            url = urlsplit(attributes.get("href") or "")
            if url.scheme or url.netloc:
                continue
            target = (path.parent / url.path).resolve() if url.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path.relative_to(site)}: {attributes['href']}"
            if url.fragment and target.suffix == ".html" and not url.fragment.startswith("bench-"):  # a bench's state
                if target not in ids:
                    found = elements(target).found
                    ids[target] = {a.get("id") for _, a in found} | {a.get("name") for _, a in found}
                assert url.fragment in ids[target], f"{path.relative_to(site)}: {attributes['href']}"


@each_lab
def test_code_leads_to_the_api_and_back(site: Path, lab: Lab) -> None:
    html = article(page_of(site, lab))
    blocks = re.findall(r"<div[^>]*lab-code[^>]*>.*?</div>", html, re.DOTALL)
    linked = set(re.findall(r'href="\.\./\.\./api/[^"#]*#(llmnotes[\w.]+)"', "".join(blocks)))
    named = {name.split(".")[-1] for name in names_used(lab).values()}  # by their rooms; links lead to their modules
    assert "llmnotes.lab.figures.figure" in linked
    assert {name.split(".")[-1] for name in linked} <= named
    api = (site / "api" / "lab" / "index.html").read_text(encoding="utf-8")
    back = rf'class="used-in">Used in [^\n]*<a href="\.\./\.\./labs/{lab.stem}/"'
    assert re.search(rf'id="llmnotes\.lab\.figures\.figure".*?{back}', api, re.DOTALL)


def test_examples_of_docstrings_are_code(site: Path) -> None:
    source = re.compile(r'<details class="mkdocstrings-source">.*?</details>', re.DOTALL)
    html = "".join(source.sub("", path.read_text(encoding="utf-8")) for path in (site / "api").rglob("*.html"))
    assert html.count('class="doc-section-title">Examples:') > 20
    assert html.count("&gt;&gt;&gt;") == html.count('<span class="gp">&gt;&gt;&gt;')
    assert "<code>Examples:" not in html, "an example that is indented"


@each_lab
def test_figures_stand_in_the_page_for_desk_and_phone(site: Path, lab: Lab) -> None:
    html = article(page_of(site, lab))
    drawings = [a for a in Elements(html).of("div") if "lab-drawing" in a.get("class", "")]
    run = Project(ROOT).valid_run(lab)
    if run is None and "hub" in lab.needs:
        pytest.skip("not recorded: it needs a model from the hub")
    layouts = [f"lab-drawing {layout}" for layout in ("wide", "narrow")]
    classes = [a["class"] for a in drawings]
    assert set(classes) == set(layouts)
    assert len(classes) >= 2 * len(run.figures)
    assert all(a["role"] == "img" and len(a["aria-label"]) > 20 for a in drawings)
    assert not Elements(html).of("img"), "nothing that does not follow the scheme"


@each_lab
def test_a_page_says_what_it_ran_on(site: Path, lab: Lab) -> None:
    run = Project(ROOT).valid_run(lab)
    if run is None and "hub" in lab.needs:
        pytest.skip("not recorded: it needs a model from the hub")
    ran = run.meta["ran"]
    foot = re.search(r'<details class="big ran-on"[^>]*>(.*?)</details>', page_of(site, lab), re.DOTALL)[1]
    for part in (ran["date"][:10], f"{run.cpu_seconds:g} seconds", f"{ran['peak_mb']} MB", ran["versions"]["python"]):
        assert part in foot
    assert "out of date" not in foot


@each_lab
def test_edit_and_colab_links(site: Path, lab: Lab) -> None:
    hrefs = {a.get("href") for a in elements(path_of(site, lab)).of("a")}
    assert f"https://github.com/someone/llmnotes/edit/main/labs/{lab.stem}.py" in hrefs
    colab = f"https://colab.research.google.com/github/someone/llmnotes/blob/notebooks/labs/{lab.stem}.ipynb"
    assert colab in hrefs


@each_lab
def test_maths_admonitions_hovers_and_contents(site: Path, lab: Lab) -> None:
    html = page_of(site, lab)
    body = article(html)
    prose = "\n".join(cell.source for cell in lab.cells if cell.kind == "markdown")
    if "$" in prose:
        assert 'class="katex"' in body
        assert "arithmatex" not in body, "a formula that nobody set"
        assert "katex.min.css" in html
    assert 'id="our-record"' in body or "hub" in lab.needs
    assert '<details class="solution"' in body
    assert "<abbr title=" in body
    assert "{{" not in re.sub(r"<pre.*?</pre>|<code.*?</code>", "", body, flags=re.DOTALL)
    contents = {a.get("href") for a in elements(path_of(site, lab)).of("a") if (a.get("class") or "") == "md-nav__link"}
    assert any("does-not-show" in (href or "") or "going-deeper" in (href or "") for href in contents)


def test_every_page_has_a_card_for_links_to_it(site: Path) -> None:
    cards = set()
    for path in sorted(site.rglob("index.html")):
        heads = {meta.get("property"): meta.get("content") for meta in elements(path).of("meta")}
        assert heads["og:title"], path
        assert len(heads["og:description"]) > 20, path
        assert heads["og:url"] == SITE_URL + path.relative_to(site).as_posix().removesuffix("index.html")
        image = site / heads["og:image"].removeprefix(SITE_URL)
        assert image.read_bytes().startswith(b"\x89PNG"), path
        cards.add(image)
    assert len(cards) == 1 + len(LABS) + len(read_entries(ROOT / "docs", {lab.stem for lab in LABS}))


def test_every_entry_and_its_labs_link_to_each_other(site: Path) -> None:
    for entry in read_entries(ROOT / "docs", {lab.stem for lab in LABS}):
        own = site / entry.kind / entry.path.stem
        page = (own / "index.html").read_text(encoding="utf-8")
        for stem in entry.labs:
            assert f'href="../../labs/{stem}/"' in page, f"{entry.uri} does not link to {stem}"
            lab = (site / "labs" / stem / "index.html").read_text(encoding="utf-8")
            assert f'href="../../{entry.kind}/{entry.path.stem}/"' in lab, f"{stem} does not link to {entry.uri}"


def test_glossary_terms_link_to_a_lab(site: Path) -> None:
    html = (site / "glossary" / "index.html").read_text(encoding="utf-8")
    found = dict(re.findall(r'<h3 id="([\w-]+)">.*?Shown in <a href="\.\./labs/(\w+)/">', html, re.DOTALL))
    assert found["backpropagation"] == "01_xor"
    assert found["superposition"] == "16_superposition"
    assert len(found) > 50


def test_no_page_holds_an_unexpanded_call(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = re.sub(r"<(pre|code|script)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"\{\{ *\w+\(", text), path


# What the plugin says when something is wrong, on a tiny notebook


def build(notebook: Notebook, **environment: str):
    return notebook.mkdocs("build", "--strict", **environment)


FAULTS = {
    "unknown result": (
        "docs/index.md",
        '{{ result("tiny.shore") }}',
        "index.md:1: result('tiny.shore'): value of 01_tiny 'shore': no such",
    ),
    "unknown kind": ("docs/index.md", '{{ entries("finding") }}', "no such kind; did you mean 'findings'?"),
    "bad maths": ("docs/index.md", r"$\frac{1$", "is not understood"),
    "broken link": ("docs/index.md", "[x](labs/02_none.md)", "02_none.md"),
    "broken anchor": ("docs/index.md", "[x](labs/01_tiny.md#value-none)", "value-none"),
    "bad entry": ("docs/findings/one.md", "---\ntitle: x\n---\n", "findings/one.md: claim is missing"),
    "empty term": ("docs/glossary.md", "### word\n\n### other\n\nMeaning.\n", "'word' has no meaning"),
    "broken lab": ("labs/02_bad.py", "a = = 1", "02_bad.py:1: not valid Python"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_the_build_and_is_named(recorded: Notebook, fault: str) -> None:
    name, content, said = FAULTS[fault]
    (recorded.root / name).write_text(content)
    built = build(recorded)
    assert built.returncode != 0
    assert said in built.stdout + built.stderr
    assert "Traceback" not in built.stderr


def test_no_free_port_is_said(recorded: Notebook) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        served = recorded.mkdocs("serve", "-a", f"127.0.0.1:{port}")
    assert served.returncode != 0
    assert f"127.0.0.1:{port} cannot be served on" in served.stderr
    assert f"make serve PORT={port + 1}" in served.stderr
    assert "Traceback" not in served.stderr


def test_a_tiny_site(recorded: Notebook) -> None:
    """Bound numbers, hovers, a lab that nobody ran yet, the gallery and an entry, without the repository's address."""
    recorded.lab("02_hub", prose='It gives {{ result("hub.answer") }}.', needs="[hub]", title="Downloads")
    (recorded.root / "docs" / "index.md").write_text(
        'At home {{ result("tiny.share", ".0%") }} of a gradient, `{{ result("x.y") }}`.\n\n{{ labs() }}\n'
    )
    (recorded.root / "docs" / "glossary.md").write_text("### gradient\nAlso: gradients\n\nThe slope.\n")
    (recorded.root / "docs" / "findings" / "one.md").write_text(
        "---\ntitle: One\nclaim: 'It is {{ result(\"tiny.answer\") }}.'\ndate: 2026-01-01\nstatus: standing\n"
        "confidence: likely\ncontrol: the same untrained\nlabs: [01_tiny]\nreviewed: 2026-01-01\n---\n\nBecause.\n"
    )
    built = build(recorded)
    assert built.returncode == 0, built.stdout + built.stderr
    home = (recorded.root / "site" / "index.html").read_text()
    assert re.search(r'<a class="bound" data-[^>]*href="labs/01_tiny/#value-share"[^>]*>25%</a>', home)
    assert '<abbr title="The slope.">gradient</abbr>' in home
    assert '<code>{{ result("x.y") }}</code>' in home.replace("&quot;", '"')
    assert '<a href="labs/01_tiny/">' in home
    hub = (recorded.root / "site" / "labs" / "02_hub" / "index.html").read_text()
    assert "No run is recorded yet" in hub
    assert "It gives (not recorded yet)." in hub
    index = (recorded.root / "site" / "findings" / "index.html").read_text()
    assert re.search(r">Standing<.*One.*It is <a[^>]*>42</a>.*likely", index, re.DOTALL)
    entry = (recorded.root / "site" / "findings" / "one" / "index.html").read_text()
    assert "likely (70 to 90%)" in entry
    lab = (recorded.root / "site" / "labs" / "01_tiny" / "index.html").read_text()
    assert "It came true" in lab
    assert "colab.research" not in lab
    assert "edit/main" not in lab


def test_an_entry_tells_where_we_changed_our_mind(recorded: Notebook) -> None:
    quoted = "'It is {{ result(\"tiny.answer\") }}.'"
    head = f"reviewed: 2026-02-01\nlabs: [01_tiny]\nconfidence: likely\ncontrol: the same untrained\nclaim: {quoted}\n"
    for day, name, more in ((1, "old", "status: superseded\nsuperseded_by: new"), (2, "new", "status: standing")):
        text = f"---\ntitle: The {name} view\ndate: 2026-01-0{day}\n{head}{more}\n---\n\nBecause.\n"
        (recorded.root / "docs" / "findings" / f"{name}.md").write_text(text)
    (recorded.root / "docs" / "index.md").write_text('{{ figure("tiny.line") }}\n\n{{ count("right") }} right\n')
    built = build(recorded)
    assert built.returncode == 0, built.stdout + built.stderr
    pages = recorded.root / "site" / "findings"
    assert 'changed our mind, and now say <a href="../new/">The new view' in (pages / "old" / "index.html").read_text()
    assert 'Before 2026-01-02 we said <a href="../old/">The old view' in (pages / "new" / "index.html").read_text()
    home = (recorded.root / "site" / "index.html").read_text()
    assert '<div class="lab-drawing wide" role="img" aria-label="A line that rises."><svg ' in home
    assert '<a href="labs/01_tiny/#figure-line">' in home
    assert "1 right" in home
    (recorded.root / "docs" / "index.md").write_text('{{ figure("tiny.lime") }}\n')
    assert "no such figure; did you mean 'line'?" in build(recorded).stderr


def test_prose_is_rendered_without_a_run(recorded: Notebook) -> None:
    path = recorded.root / "labs" / "01_tiny.py"
    path.write_text(path.read_text().replace("Some prose.", "Prose of today."))
    assert build(recorded).returncode == 0
    assert "Prose of today." in (recorded.root / "site" / "labs" / "01_tiny" / "index.html").read_text()
    assert not (recorded.root / ".cache" / "runs").exists(), "nothing ran"
    shutil.rmtree(recorded.root / "site")


def test_every_module_says_what_it_is_for() -> None:
    for path in (ROOT / "llmnotes" / "site").rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_the_groups_of_our_predictions_stand_in_a_table(site: Path) -> None:
    html = (site / "predictions" / "index.html").read_text(encoding="utf-8")
    assert "<td>written before anything was run</td>" in html
    assert "<td>written after a first look</td>" in html
