"""Predict, then look: a reader answers, and their answers stay in their browser."""

from __future__ import annotations

import json
import re

import pytest
from browsing import Visit
from test_browser import LABS

LAB = f"labs/{LABS[0].stem}/"
KEY = "llmnotes-predictions"


@pytest.fixture
def visit(browser, address: str):
    with Visit(browser, address, LAB) as visit:
        yield visit
        assert not visit.wrong


def waiting(visit: Visit):
    """The predictions that ask, ahead of the gate."""
    return visit.page.locator("form.guess:visible")


def test_the_outcome_waits_for_the_answer(visit: Visit) -> None:
    page = visit.page
    count = waiting(visit).count()
    assert count
    first = page.locator("details.prediction").first
    assert not first.get_by_text("We said").is_visible()
    after = page.locator("h2", has_text=re.compile("predict", re.IGNORECASE)).first.locator("xpath=following::h2[1]")
    assert not after.is_visible()
    for at in range(count):
        form = waiting(visit).first
        form.locator("input").fill(str(5 * at % 100))
        form.get_by_role("button", name="Answer").click()
    assert first.get_by_text("You said 0 %").is_visible()
    assert first.get_by_text("We said").is_visible()
    assert after.is_visible(), "the experiment opens with the last answer"
    page.reload(wait_until="load")
    assert not waiting(visit).count()
    assert first.get_by_text("You said 0 %").is_visible(), "answers stay"
    assert after.is_visible()


def test_just_show_me(visit: Visit) -> None:
    page = visit.page
    page.locator(".gate").get_by_role("button", name="Just show me").click()
    assert not page.locator(".not-yet, form.guess").count()
    assert all(page.locator("details.prediction p").nth(i).is_visible() for i in range(2))
    page.reload(wait_until="load")
    assert not page.locator(".gate, .not-yet, form.guess").count()
    assert json.loads(page.evaluate(f"localStorage.getItem('{KEY}')"))["answers"] == {}, "skipping is no answer"


def test_a_link_to_a_result_opens_the_page(browser, address: str) -> None:
    with Visit(browser, address, LAB) as visit:
        hidden = visit.page.locator(".not-yet[id], .not-yet [id]").first.get_attribute("id")
        visit.page.evaluate("name => { location.hash = name }", hidden)
        visit.page.locator(f"[id='{hidden}']").wait_for(state="visible")
    with Visit(browser, address, f"{LAB}#{hidden}") as visit:
        assert visit.page.locator(f"[id='{hidden}']").is_visible()


def test_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit.page
    waiting(visit).first.locator("input").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("details.prediction").first.get_by_text("You said 65 %").is_visible()
    assert page.evaluate("document.activeElement.matches('form.guess input')"), "the next question has the focus"


def test_without_a_script_everything_is_visible(browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + LAB)
    said = page.get_by_text("We said")
    assert said.count() > 3
    assert all(said.nth(i).is_visible() for i in range(said.count()))
    headings = page.locator("article h2")
    assert all(headings.nth(i).is_visible() for i in range(headings.count()))
    page.goto(address + "your-predictions/")
    assert page.get_by_text("needs JavaScript").is_visible()
    context.close()


def test_the_readers_page_scores_them(browser, address: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with Visit(browser, address, "your-predictions/", width=390) as visit:
        page = visit.page
        assert page.get_by_text("No answer yet").is_visible()
        claim = {"claim": "<b>x</b> < 1", "lab": LABS[0].stem, "title": LABS[0].title}
        answers = {
            "a": claim | {"p": 0.9, "ours": 0.6, "outcome": 1},
            "b": claim | {"p": 0.2, "ours": 0.7, "outcome": 1},
        }
        kept = json.dumps({"answers": answers, "shown": {}})
        page.evaluate("([key, kept]) => localStorage.setItem(key, kept)", [KEY, kept])
        page.reload(wait_until="load")
        score = page.locator(".score").inner_text()
        assert "2 answers" in score
        assert "Your Brier score is 0.325, ours on the same claims 0.125" in score, "(.01 + .64) / 2, (.16 + .09) / 2"
        assert page.locator("td", has_text="<b>x</b> < 1").count() == 2, "claims are text"
        label = page.locator("svg[role=img]").get_attribute("aria-label")
        assert "you 1 at about 90 %, of which 100 % came true" in label
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator("table a").first.get_attribute("href") == f"../{LAB}"
        grave = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
        assert not grave, grave
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Forget my answers").click()
        assert page.get_by_text("No answer yet").is_visible()
        assert json.loads(page.evaluate(f"localStorage.getItem('{KEY}')")) == {"answers": {}, "shown": {}}
        assert not visit.wrong


def test_a_browser_that_remembers_nothing_still_asks_and_shows(browser, address: str) -> None:
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('refused') }})")
    page = context.new_page()
    page.goto(address + LAB, wait_until="load")
    page.locator("form.guess").first.get_by_role("button", name="Answer").click()
    assert page.locator("details.prediction").first.get_by_text("You said 50 %").is_visible()
    context.close()
