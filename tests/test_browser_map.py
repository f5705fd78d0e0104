"""The map of the machine beside the text of lab 05: it follows the passage, and gives way where there is no room."""

from __future__ import annotations

import pytest
from browsing import Visit, accessible

PAGE = "labs/05_transformer/"


def lit(visit: Visit, part: str) -> list[str]:
    """What is lit on the map once the passage on a part has come to the top third of the window."""
    visit.page.evaluate(
        """part => {
            const mark = document.querySelector(`[data-here^="${part}"]`);
            window.scrollTo(0, mark.getBoundingClientRect().top + scrollY - innerHeight / 3);
        }""",
        part,
    )
    visit.page.wait_for_timeout(150)
    return visit.page.evaluate("[...document.querySelectorAll('.here-map .on')].map(group => group.dataset.part)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_map_follows_the_text(browser, address: str, scheme: str) -> None:
    with Visit(browser, address, PAGE, 1440, scheme) as visit:
        visit.open_all()
        aside = visit.page.locator(".here-map")
        assert not aside.is_visible()
        assert lit(visit, "norm") == ["norm"]
        assert aside.is_visible()
        assert aside.inner_text().strip() == "the norms"
        assert lit(visit, "attention") == ["attention"]
        assert set(lit(visit, "block")) == {"block", "attention", "norm", "mlp", "resid"}
        box = aside.bounding_box()
        assert box["x"] + box["width"] <= 1440
        text = visit.page.locator(".idea").first.bounding_box()
        assert box["x"] >= text["x"] + text["width"], "beside the text, not over it"
        accessible(visit, ".md-content")
        visit.page.evaluate("window.scrollTo(0, 0)")
        visit.page.wait_for_timeout(150)
        assert not aside.is_visible()
        assert not visit.wrong


def test_a_phone_has_no_room_for_it(browser, address: str) -> None:
    with Visit(browser, address, PAGE, 390) as visit:
        visit.open_all()
        lit(visit, "norm")
        assert not visit.page.locator(".here-map").is_visible()
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
