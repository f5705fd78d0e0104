"""What a reader sees first waits for nothing that it does not need."""

from __future__ import annotations

import pytest
from browsing import Visit

LATE = """() => {
  const loaded = performance.getEntriesByType("navigation")[0].domContentLoadedEventStart;
  return Object.fromEntries(performance.getEntriesByType("resource").map((one) => [one.name, one.startTime > loaded]));
}"""
FAMILY = "one => getComputedStyle(one).fontFamily"
WATCH = """addEventListener("DOMContentLoaded", () => {
  window.stoodIn = document.documentElement.classList.contains("first-visit");
  window.family = getComputedStyle(document.querySelector("article p")).fontFamily;
})"""


def test_the_first_visit_stands_before_fonts_and_the_themes_script(browser, address: str) -> None:
    with Visit(browser, address, "glossary/") as visit:
        page = visit.page
        late = page.evaluate(LATE)
        assert [late[url] for url in late if "bundle" in url] == [True]
        fonts = [late[url] for url in late if url.endswith(".woff2")]
        assert len(fonts) >= 4
        assert all(fonts)
        assert page.locator("article p").first.evaluate(FAMILY).startswith('"Source Serif 4"')
        page.add_init_script(WATCH)
        page.reload(wait_until="load")
        assert page.evaluate("[stoodIn, family]")[0] is False, "a later visit has its fonts at once"
        page.add_init_script("localStorage.clear()")
        page.reload(wait_until="load")
        assert page.evaluate("stoodIn")
        assert page.evaluate("family").startswith('"Serif stand-in"')
        page.locator("html.js:not(.first-visit)").wait_for(state="attached")
        assert not visit.wrong


def test_the_stand_in_is_as_wide_as_our_font(browser, address: str) -> None:
    with Visit(browser, address, "goals/") as visit:
        there = """async () => (await document.fonts.load('1em "Serif stand-in"')).map((face) => face.status)"""
        if visit.page.evaluate(there) != ["loaded"]:
            pytest.skip("this system has neither Times New Roman nor Liberation Serif")
        widths = visit.page.evaluate("""() => {
          const line = document.createElement("span");
          line.textContent = "The model reads every word before it, and each of its heads looks at some of them.";
          line.style.whiteSpace = "nowrap";
          document.querySelector("article").append(line);
          const pairs = [["Source Serif 4", "Serif stand-in"], ["Inter", "Sans stand-in"]];
          return pairs.map((pair) => pair.map((family) => {
            line.style.fontFamily = `"${family}"`;
            return line.getBoundingClientRect().width;
          }));
        }""")
        for ours, other in widths:
            assert abs(other / ours - 1) < 0.03


def test_nothing_stays_for_the_next_visit(browser, address: str) -> None:
    """Visits share a profile; what a page stored or loaded is not in it any more."""
    with Visit(browser, address, "goals/") as visit:
        profile = visit.page.context
        visit.page.evaluate("localStorage.setItem('left', '1'); document.cookie = 'left=1; max-age=99'")
    with Visit(browser, address, "goals/") as visit:
        assert visit.page.context == profile
        assert visit.page.evaluate("localStorage.getItem('left')") is None
        assert visit.page.evaluate("document.cookie") == ""
        visit.all_loaded()
        fonts = [size for url, size in visit.loaded().items() if url.endswith(".woff2")]
        assert len(fonts) >= 4
        assert min(fonts) > 1000, "loaded, not taken from the cache"
