"""Where heads look, used as a reader would use it, its numbers checked; and the benches that stand inside labs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browsing import Visit, accessible, sound
from conftest import real_labs
from playwright.sync_api import expect

from llmnotes.model import trace
from llmnotes.model.loading import load

BENCHES = [lab.stem for lab in real_labs() if "data-bench=" in lab.path.read_text()]
PAGE = f"labs/{next(lab for lab in real_labs() if lab.key == 'attention').stem}/"
SONG = "Karl likes cake . he sang : la mo fi ; la mo fi ."
LA = 12  # in the second verse; the next syllable stands at 9 in the first


class Heads:
    """A bench of heads on an open page."""

    def __init__(self, visit: Visit, name: str = "bench-heads"):
        self.visit, self.page = visit, visit.page
        visit.open_all()
        self.place = self.page.locator(f"#{name}")
        self.load()
        self.words = self.place.locator(".bench-text-line button")
        self.maps = self.place.locator(".bench-maps button")
        self.words.first.wait_for(timeout=30_000)

    def load(self) -> None:
        button = self.place.locator(".bench-loading button")
        if button.count():
            button.click()

    @property
    def says(self) -> str:
        return self.place.locator(".bench-say").inner_text()

    def word(self, at: int) -> None:
        self.words.nth(at).click()

    def head(self, layer: int, head: int) -> None:
        self.place.get_by_role("radio", name=f"Layer {layer}, head {head}").click()

    def shares(self) -> list[str]:
        return self.words.evaluate_all("all => all.map(one => one.lastChild.textContent)")

    def chosen(self, of: str) -> int:
        checked = self.place.locator(f".bench-{of} button").evaluate_all("all => all.map(one => one.ariaChecked)")
        assert checked.count("true") == 1
        return checked.index("true")

    def focused(self) -> str:
        return self.page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent")


@pytest.fixture(scope="module")
def lab(browser, address: str) -> Iterator[Visit]:
    """One visit of the lab, for all tests that begin with choosing."""
    with Visit(browser, address, PAGE, own=True) as visit:
        yield visit
        assert not visit.wrong


@pytest.fixture
def heads(lab: Visit) -> Heads:
    opened = Heads(lab)
    undo = opened.place.get_by_role("button", name=re.compile("^Undo"))
    while undo.count():
        undo.first.click()
        opened.page.wait_for_timeout(200)
    opened.head(0, 0)
    opened.word(LA)
    return opened


def percent(p: float) -> str:
    return ">99%" if p > 0.995 else "" if p < 0.005 else f"{round(100 * p)}%"


def near(shown: list[str], weights: list[float]) -> bool:
    """Each is the weight in per cent; at a tie of rounding, either."""
    ways = [{percent(q) for q in (p - 1e-4, p, p + 1e-4)} | ({"100%"} if p > 1 - 1e-4 else set()) for p in weights]
    return len(shown) == len(ways) and all(one in some for one, some in zip(shown, ways, strict=True))


def test_every_share_is_worlds(heads: Heads) -> None:
    pattern = trace(load("world"), f"<|endoftext|> {SONG}", ["pattern"]).stack("pattern")[:, 0]
    for layer in range(4):
        for head in (0, 3):
            heads.head(layer, head)
            for at in (0, 2, LA, 15):
                heads.word(at)
                shown = heads.shares()
                assert near(shown[: at + 1], pattern[layer, head, at, : at + 1].tolist())
                assert not any(shown[at + 1 :]), "nothing looks ahead"


def test_the_head_that_sings_is_found(heads: Heads) -> None:
    found = []
    for code in (heads.maps.nth(i) for i in range(16)):
        code.click()
        if "That is the word that must come next" in heads.says:
            found.append(code.get_attribute("aria-label"))
    assert "Layer 2, head 3" in found
    assert len(found) < 4, "the game has few answers"
    heads.head(2, 3)
    assert "L2H3 looks at “mo”." in heads.says
    assert "World says mo." in heads.says
    assert heads.place.locator(".bench-arcs path").count() >= 2


def test_the_large_map_answers_the_mouse(heads: Heads) -> None:
    heads.head(2, 3)
    box = heads.place.locator(".bench-map-box")
    box.scroll_into_view_if_needed()
    size = box.bounding_box()["width"] / 16
    box.hover(position={"x": 1.5 * size, "y": 2.5 * size})
    assert re.search("likes → Karl: >99%", heads.place.locator(".bench-map p").inner_text())
    box.click(position={"x": 1.5 * size, "y": 2.5 * size})
    assert heads.chosen("text-line") == 2
    assert "L2H3 looks at “Karl”." in heads.says


def test_keyboard_alone(heads: Heads) -> None:
    press = heads.page.keyboard.press
    heads.words.nth(LA).focus()
    press("ArrowRight")
    assert heads.focused() == "mo, word 13"
    assert heads.chosen("text-line") == 13
    press("ArrowDown")  # through the heads, and the focus stays
    press("ArrowDown")
    assert (heads.chosen("maps"), heads.focused()) == (2, "mo, word 13")
    press("Home")
    press("ArrowLeft")
    assert heads.focused() == "start, word 0"
    press("End")
    press("ArrowRight")
    assert heads.focused() == "., word 15"
    assert heads.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    heads.maps.nth(2).focus()
    for key, expected in (("ArrowDown", 6), ("ArrowRight", 7), ("ArrowUp", 3), ("ArrowUp", 3), ("ArrowLeft", 2)):
        press(key)
        assert heads.chosen("maps") == expected
    stops = heads.place.locator("[role=radio][tabindex='0']").count()
    assert stops == 2, "each group is one stop"
    heads.place.get_by_role("button", name="Switch L0H2 off").focus()
    press("Enter")
    heads.place.get_by_role("button", name="Switch L0H2 on").wait_for()
    assert heads.focused() == "Switch L0H2 on"


def test_a_head_that_is_off_is_said_and_undone(heads: Heads) -> None:
    heads.head(3, 2)
    heads.place.get_by_role("button", name="Switch L3H2 off").click()
    heads.place.get_by_role("radio", name="Layer 3, head 2, switched off").wait_for()
    assert "L3H2 would give" in heads.says
    assert heads.place.locator(".bench-arcs .bench-off-arc").count()
    heads.place.get_by_role("button", name="Undo: Head L3H2 off").click()
    heads.place.get_by_role("button", name="Switch L3H2 off").wait_for()
    assert "L3H2 gives" in heads.says


def test_another_text_must_be_grammatical(heads: Heads) -> None:
    heads.place.get_by_label("Add a word").fill("the the")
    heads.page.keyboard.press("Enter")
    heads.place.get_by_text("“the” cannot stand after").wait_for()
    assert heads.words.count() == 16
    heads.place.get_by_label("Add a word").fill("the cat")
    heads.page.keyboard.press("Enter")
    heads.place.get_by_text("The verb agrees with cat.").wait_for()
    assert heads.words.count() == 18
    for _ in range(2):
        heads.place.get_by_role("button", name="Remove the last word").click()
    heads.words.nth(16).wait_for(state="detached")
    assert f"text={SONG.split()[0]}+likes" in heads.page.url


def test_the_first_bench_has_one_head(lab: Visit) -> None:
    one = Heads(lab, "bench-one-head")
    one.word(2)
    assert one.maps.count() == 0
    assert "L2H3 looks at “Karl”." in one.says
    one.place.get_by_role("button", name="Switch L2H3 off").click()
    one.place.get_by_text("✓ Right fact.").wait_for()  # as the lab says
    one.place.get_by_role("button", name="Switch L2H3 on").click()
    one.place.get_by_role("button", name="Switch L2H3 off").wait_for()


def test_an_address_is_a_state(browser, address: str) -> None:
    with Visit(browser, address, "play/heads/#bench-heads?text=the+cats+near+the+dog&at=2&head=L3H3&off=L3H3") as visit:
        heads = Heads(visit)
        assert (heads.chosen("text-line"), heads.chosen("maps")) == (2, 15)
        assert heads.place.get_by_role("radio", name="Layer 3, head 3, switched off").count()
        visit.page.get_by_role("link", name="a song").click()  # the page's own links lead to states
        heads.place.get_by_text("L2H3 looks at").first.wait_for()
        assert heads.words.count() == 11
        assert not visit.wrong


def test_fairytale_on_request(browser, address: str) -> None:
    with Visit(browser, address, "play/heads/") as visit:
        heads = Heads(visit)
        visit.all_loaded()
        assert not [url for url in visit.loaded() if "fairytale" in url]
        heads.place.get_by_label("The model").select_option("fairytale")
        heads.maps.nth(29).wait_for(timeout=30_000)
        heads.place.get_by_label("A text for Fairytale").fill("The king had a son, and the king")
        heads.page.keyboard.press("Enter")
        expect(heads.words).to_have_count(10)
        heads.head(4, 5)
        model = load("fairytale")
        seen = trace(model, "<|endoftext|>The king had a son, and the king", ["pattern"])
        assert heads.words.count() == seen["pattern", 4].size(-1)
        assert near(heads.shares(), seen["pattern", 4][0, 5, -1].tolist())
        before = heads.says
        heads.place.get_by_label("A text for Fairytale").fill("half a sentence")
        heads.place.get_by_role("button", name="Switch L4H5 off").click()
        heads.place.get_by_text("Without L4H5 it says").wait_for()
        assert before != heads.says
        assert heads.place.get_by_label("A text for Fairytale").input_value() == "half a sentence"  # it stays
        assert heads.place.get_by_role("button", name=re.compile("^Other kind")).count() == 0
        heads.place.get_by_label("The model").select_option("world")
        heads.place.get_by_text("runs in this page").wait_for()
        heads.maps.nth(16).wait_for(state="detached")
        assert not visit.wrong


def test_by_touch_on_a_phone(browser, address: str) -> None:
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{address}play/heads/", wait_until="load")
    page.locator(".bench-maps").scroll_into_view_if_needed()
    page.get_by_role("radio", name="Layer 1, head 0").tap()
    page.get_by_role("radio", name="Karl, word 1").tap()
    page.get_by_text("From Karl, L1H0 gives").wait_for()
    page.get_by_role("button", name="Switch L1H0 off").tap()
    page.get_by_role("button", name="Switch L1H0 on").wait_for()
    small = page.locator(".bench button").evaluate_all(
        "all => all.filter(one => one.offsetParent).map(one => [one.textContent, one.getBoundingClientRect()])"
        ".filter(([, box]) => box.height < 44 || box.width < 44).map(([text]) => text)"
    )
    assert not small, "every target is a finger wide"
    context.close()


@pytest.mark.parametrize("name", ["bench-heads", "bench-one-head"])
def test_the_figure_stands_without_script_and_in_print(browser, address: str, lab: Visit, name: str) -> None:
    figure = "#figure-patterns" if name == "bench-heads" else "#figure-case"
    Heads(lab, name)
    assert lab.page.locator(figure).is_visible() == (name != "bench-heads")  # which stands in its place
    lab.page.emulate_media(media="print")
    assert lab.page.locator(figure).is_visible()
    lab.page.emulate_media(media="screen")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + PAGE)
    assert page.locator(f"{figure} svg").first.is_visible()
    assert page.locator(f"#{name}, [data-bench=heads]").first.is_visible()
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (390, "light"), (1440, "dark")])
def test_it_is_sound_while_in_use(lab: Visit, width: int, scheme: str) -> None:
    lab.look(width, scheme)
    heads = Heads(lab)
    heads.head(2, 3)
    heads.word(LA)
    Heads(lab, "bench-one-head")
    sound(lab, width, scheme)
    accessible(lab, "#bench-heads")
    accessible(lab, "#bench-one-head")
    lab.look(1440, "light")


@pytest.mark.parametrize("stem", BENCHES)
def test_a_bench_in_a_lab_wakes_by_keyboard(browser, address: str, stem: str) -> None:
    with Visit(browser, address, f"labs/{stem}/", 390, "dark") as visit:
        visit.open_all()
        page = visit.page
        visit.all_loaded()
        assert not [url for url in visit.loaded() if "safetensors" in url], "the reader may have come for the text"
        page.locator(".bench-loading button").first.focus()
        page.keyboard.press("Enter")
        page.locator(".bench-on .bench-hd").first.wait_for(timeout=30_000)
        page.wait_for_function("document.activeElement.closest('.bench-on')")  # the focus is not lost
        said = page.locator(".bench-on .bench-say").first
        said.filter(has_text=re.compile("[a-z]{3}")).wait_for(timeout=30_000)
        sound(visit, 390, "dark")
