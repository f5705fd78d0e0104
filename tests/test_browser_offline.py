"""The copy of the site that opens from a folder: no server, no network, and everything on it still works."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from browsing import Visit
from conftest import ROOT, mkdocs


def wrong(visit: Visit) -> list[str]:
    """What went wrong, but for the sitemap: the theme asks for it, and a browser reads no file that a page asks for.

    Each such request is said three times, once without its address.
    """
    asked = sum(one.startswith("failed: ") and "/sitemap.xml: " in one for one in visit.wrong)
    nameless = [one for one in visit.wrong if one == "console: Failed to load resource: net::ERR_FAILED"]
    others = [one for one in visit.wrong if "/sitemap.xml" not in one and one not in nameless]
    return others + nameless[asked:]


PART = {
    "labs": ["01_xor.py", "03_attention.py", "25_circuit.py"],
    "docs": ["your-predictions.md", "glossary.md", "labs/index.md", "play/xor.md", "findings/index.md"],
    "docs/findings": ["attention-square-root.md", "circuit-head-where-needed.md"],
}
"""Of the notebook, enough for each kind of page and script; CI builds the whole copy (`make offline`)."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a part of the notebook, built for a folder with the notebook's own settings."""
    part, target = tmp_path_factory.mktemp("part"), tmp_path_factory.mktemp("offline")
    for path in [Path("mkdocs.yml"), *(Path(below, name) for below, names in PART.items() for name in names)]:
        (part / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, part / path)
    for lab in PART["labs"]:
        run = Path("labs/recorded", Path(lab).stem)
        shutil.copytree(ROOT / run, part / run)
    shutil.copytree(ROOT / "docs/assets", part / "docs/assets")
    (part / "docs/index.md").write_text("# Home\n\n{{ labs() }}\n")
    done = mkdocs(part, "build", "-d", str(target), OFFLINE="true", LLMNOTES_CACHE=str(part / ".cache"))
    assert done.returncode == 0, done.stdout + done.stderr
    return f"{target.as_uri()}/"


def test_pages_lead_to_pages(browser, folder: str) -> None:
    with Visit(browser, folder, "index.html") as visit:
        page = visit.page
        page.locator(".labs a").first.click()
        page.wait_for_load_state("load")
        assert page.url.startswith(folder + "labs/")
        assert page.url.endswith(".html")
        visit.scroll_through()
        assert page.locator("article .lab-drawing svg:visible").count() > 1
        widths = page.locator("article img").evaluate_all("all => all.map((one) => one.naturalWidth)")
        assert all(widths)
        assert not wrong(visit)


def test_search_finds_without_a_server(browser, folder: str) -> None:
    with Visit(browser, folder, "index.html") as visit:
        visit.page.locator("input[name=query]").first.click()
        visit.page.locator("input[name=query]").first.type("previous-token head")
        found = visit.page.locator(".md-search-result__link").first
        found.wait_for(timeout=20_000)
        assert ".html" in found.get_attribute("href")
        assert not wrong(visit)


def test_scripts_run_without_a_server(browser, folder: str) -> None:
    with Visit(browser, folder, "play/xor.html") as visit:
        visit.page.get_by_role("button", name="Step", exact=True).click()
        visit.page.wait_for_function("document.getElementById('xor-count').textContent === '1'")  # drawn with a frame
        assert not wrong(visit)
    with Visit(browser, folder, "labs/03_attention.html") as visit:
        visit.open_all()
        visit.page.locator("#bench-one-head .bench-loading button").click()
        visit.page.locator("#bench-one-head").get_by_text("L2H3 looks at “Karl”.").wait_for(timeout=30_000)
        visit.page.locator("a.bound").first.click()
        assert visit.page.locator("#card").is_visible()
        visit.page.goto(folder + "your-predictions.html")
        assert not wrong(visit)
    with Visit(browser, folder, "findings/index.html") as visit:
        visit.page.get_by_label("Chapter").select_option(index=1)
        shown, of = visit.page.locator(".filters output").inner_text().split(" of ")
        assert 0 < int(shown) < int(of)
        assert not wrong(visit)
