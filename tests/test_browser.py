"""The site in a real browser, narrow and wide, light and dark."""

from __future__ import annotations

import pytest
from browsing import Visit, accessible, sound
from conftest import ROOT, real_labs

from llmnotes.site.run.labs import Lab

LABS = real_labs()
ENTRY = next(path.stem for path in sorted((ROOT / "docs" / "findings").glob("*.md")) if path.stem != "index")
TEMPLATES = {  # one page of each
    "home": "",
    "lab": f"labs/{LABS[0].stem}/",
    "labs": "labs/",
    "entries": "findings/",
    "entry": f"findings/{ENTRY}/",
    "predictions": "predictions/",
    "answers": "your-predictions/",
    "play": "play/xor/",
    "glossary": "glossary/",
    "api": "api/lab/",
    "prose": "contributing/",
    "lost": "404.html",
}
VIEWS = [(390, "light"), (390, "dark"), (1440, "light"), (1440, "dark")]
each_lab = pytest.mark.parametrize("lab", LABS, ids=[lab.stem for lab in LABS])


@pytest.mark.parametrize("path", TEMPLATES.values(), ids=TEMPLATES)
def test_a_page_is_sound(browser, address: str, path: str) -> None:
    """One page of each template, in every view; to those who cannot see or point, in a narrow and in a wide one."""
    with Visit(browser, address, path, *VIEWS[0]) as visit:
        visit.scroll_through()
        for width, scheme in VIEWS:
            visit.look(width, scheme)
            sound(visit, width, scheme)
            if (width, scheme) in (VIEWS[0], VIEWS[-1]):
                accessible(visit)


@each_lab
def test_a_lab_page_is_sound(browser, address: str, lab: Lab) -> None:
    """Small (gzipped), its figures drawn for their width, its cells copied as they are."""
    with Visit(browser, address, f"labs/{lab.stem}/", *VIEWS[0]) as visit:
        visit.open_all()
        for width, scheme in (VIEWS[0], VIEWS[-1]):
            visit.look(width, scheme)
            shown, other = (visit.page.locator(f".lab-drawing.{layout}:visible") for layout in layouts_at(width))
            assert shown.count() or not (ROOT / "labs" / "recorded" / lab.stem).is_dir()
            assert not other.count()
            sound(visit, width, scheme)
        copied(visit, lab)
        loaded = visit.loaded()
        largest = sorted(loaded.items(), key=lambda item: -item[1])[:6]
        assert sum(loaded.values()) < 350_000, f"{sum(loaded.values())}: {largest}"
        assert any("bundle" in url for url in loaded), "what comes last was there"


def layouts_at(width: int) -> tuple[str, str]:
    """Which layout of a figure shows at a width, and which does not."""
    return ("narrow", "wide") if width < 560 else ("wide", "narrow")


def copied(visit: Visit, lab: Lab) -> None:
    """The copy button of the first cell that stands open copies exactly that cell."""
    blocks = visit.page.locator(".lab-code")
    buttons = visit.page.locator(".lab-code button.md-clipboard, .lab-code .md-code__button")
    assert buttons.count() >= blocks.count() > 5
    block = visit.page.locator(".lab-code:visible").first
    block.hover()
    block.locator("button").first.click()
    visit.page.locator(".md-dialog--active", has_text="Copied").wait_for()
    copy = visit.page.evaluate("navigator.clipboard.readText()").rstrip("\n")
    assert copy in [cell.source for cell in lab.code]
    assert copy == block.locator("code").text_content().rstrip("\n"), "another cell than the one shown"


ASKED = {
    "attention": "glossary/?h=attention#attention|labs/03_attention/",
    "induction head": "glossary/?h=induction+head#induction-head",
    "how do I run a lab": "run-it/",
    "LoRA": "glossary/?h=lora#lora|labs/32_",
    "GPT-2": "glossary/?h=2+gpt#gpt-2",
    "install": "run-it/",
}
"""What readers ask for, and the page that answers."""


class Search:
    """The search of an open page."""

    def __init__(self, visit: Visit):
        self.page = visit.page
        self.field = self.page.locator("input[name=query]").first
        self.field.click()

    def ask(self, words: str) -> None:
        """Type a question, and wait until its answer stands there: the one before it is taken away first."""
        matches = self.page.locator(".md-search-result__meta", has_text="matching document")
        self.field.fill("")
        self.field.press("End")  # the search listens to keys
        matches.wait_for(state="detached")
        self.field.fill(words)
        self.field.press("End")
        matches.wait_for(timeout=30_000)
        self.page.wait_for_function(RESULTS_STAND)


# No result comes or goes for a tenth of a second: Material draws those that fit in, then more
RESULTS_STAND = """() => new Promise(done => {
  const list = document.querySelector(".md-search-result__list");
  let timer = setTimeout(done, 100, true);
  new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(done, 100, true); })
    .observe(list, { childList: true, subtree: true });
})"""


def test_search_answers_among_the_first_two(browser, address: str) -> None:
    with Visit(browser, address, "labs/") as visit:
        search = Search(visit)
        found = {}
        for words in ASKED:
            search.ask(words)
            items = visit.page.locator(".md-search-result__item")
            found[words] = items.evaluate_all(
                "items => items.slice(0, 2).map(one => [...one.querySelectorAll('a')].map(link => link.href).join(' '))"
            )
        for words, answers in ASKED.items():
            assert any(one in item for one in answers.split("|") for item in found[words]), (words, found[words])
        assert visit.page.locator(".md-search-result .kind", has_text="How to").count()
        assert not visit.wrong


def test_search_finds_every_lab(browser, address: str) -> None:
    with Visit(browser, address, "") as visit:
        search = Search(visit)
        results = visit.page.locator(".md-search-result__link")
        missed = {}
        for lab in LABS:
            search.ask(lab.title)
            found = results.evaluate_all("links => links.map(link => link.href)")
            if not any(f"labs/{lab.stem}/" in one for one in found):
                missed[lab.title] = found
        assert not missed
        assert not visit.wrong
