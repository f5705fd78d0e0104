"""The XOR trainer for everyone: a state as an address, the suggestions, keys, fingers, screens, and without scripts."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from browsing import Visit, accessible, sound
from xor_page import PAGE, Trainer, flat, special

# The address


def test_a_state_is_an_address(browser, address: str, trainer: Trainer) -> None:
    trainer.page.evaluate("history.replaceState(null, '', location.pathname)")
    trainer.page.reload()
    trainer = Trainer(trainer.page)

    def same(expected: dict, text: str) -> None:
        with Visit(browser, address, f"{PAGE}#xor?{text}") as visit:
            there = Trainer(visit.page)
            there.drawn()
            state = there.state()
            np.testing.assert_allclose(flat(state["net"]), flat(expected["net"]), rtol=1e-4, atol=1e-5)
            assert state["loss"] == pytest.approx(expected["loss"], abs=1e-4)
            assert state["data"]["x"] == expected["data"]["x"]
            assert (state["shown"], state["task"], state["rate"]) == (
                expected["shown"],
                expected["task"],
                expected["rate"],
            )
            assert not visit.wrong

    def at_rest() -> str:
        trainer.drawn()
        trainer.page.wait_for_timeout(600)
        return trainer.page.evaluate("location.hash").removeprefix("#xor?")

    trainer.page.wait_for_timeout(600)
    assert trainer.page.evaluate("location.hash") == "", "nothing was touched"
    trainer.choose("Data set", "AND")
    trainer.choose("Hidden units", "3")
    trainer.choose("Learning rate", "0.3")
    trainer.steps(40)
    trainer.choose("Point shown", "10, answer 0")
    plain = at_rest()
    assert "step=40" in plain
    assert "net=" not in plain
    same(trainer.state(), plain)
    trainer.part("weight").select_option("w.0.1.2")
    trainer.part("dial").fill("-3.5")
    trainer.part("handle").press("Shift+ArrowUp")
    edited = at_rest()
    assert "net=" in edited
    assert "moved=" in edited
    same(trainer.state(), edited)
    trainer.press("Copy a link to this state")
    assert trainer.page.evaluate("navigator.clipboard.readText()").endswith(f"#xor?{edited}")


def test_an_address_that_asks_for_what_there_is_not_says_so(trainer: Trainer) -> None:
    page = trainer.page
    for text in ("task=nand", "seed=-1", "net=1_2", "hidden=40", "moved=9_0_0", "walk=3"):
        page.evaluate("text => { location.hash = text }", f"xor?{text}&rate=3")
        page.wait_for_function(
            "said => document.getElementById('xor-status').textContent.startsWith(said)",
            arg=f"This address asks for {text}, which does not exist here.",
        )
        assert trainer.state()["rate"] == 3


# The suggestions


@pytest.mark.parametrize(
    ("button", "steps", "expected"),
    [
        ("Set up a run that gets stuck", 2000, "half of each solution"),
        ("Set up four units", 2000, "solved"),
        ("Set up no nonlinearity", 1000, "about ln 2"),
        ("Set up rate 30", 500, "more than answering one half to everything"),
    ],
)
def test_a_suggestion_shows_what_it_says(trainer: Trainer, button: str, steps: int, expected: str) -> None:
    trainer.choose("Data set", "Circles")
    trainer.press(button)
    assert trainer.step == 0
    assert trainer.page.evaluate("document.activeElement.id") == "xor-play"
    assert trainer.part("network").bounding_box()["y"] < 300
    assert trainer.part("play").bounding_box()["y"] < 800
    trainer.steps(steps)
    assert expected in trainer.text
    if steps == 2000:
        assert (trainer.state()["loss"] < 0.1) == (expected == "solved")


# For everyone


# Of each element, its beginning, width and height
BOXES = """all => all.map((one) => {
  const { width, height } = one.getBoundingClientRect();
  return [one.outerHTML.slice(0, 60), width, height];
})"""


def note(trainer: Trainer, name: str) -> str:
    """From now on, note each text that a part of the page takes; the expression that gives the list comes back."""
    trainer.page.evaluate(
        """name => {
            const element = document.getElementById(`xor-${name}`), noted = (window[`noted_${name}`] = []);
            new MutationObserver(() => noted.push(element.textContent)).observe(element, { childList: true });
        }""",
        name,
    )
    return f"window.noted_{name}"


def test_keyboard_alone(trainer: Trainer) -> None:
    trainer.page.reload()  # Tab begins at the top
    trainer = Trainer(trainer.page)
    keys = trainer.page.keyboard

    def press(key: str) -> None:
        keys.press(key)
        trainer.drawn()

    def reach(name: str) -> None:
        for _ in range(60):
            if trainer.page.evaluate("document.activeElement.id") == f"xor-{name}":
                break
            keys.press("Tab")
        assert trainer.page.evaluate("document.activeElement.id") == f"xor-{name}"
        assert "solid 3px" in trainer.page.evaluate("getComputedStyle(document.activeElement).outline")

    reach("step")
    press("Enter")
    press("Space")
    assert trainer.step == 2
    reach("play")
    press("Enter")
    trainer.wait_for_step(8)
    press("Enter")
    paused = trainer.step
    trainer.page.wait_for_timeout(200)
    assert trainer.step == paused
    press("Shift+Tab")
    press("Shift+Tab")
    reach("back")
    press("Enter")
    assert trainer.step == paused - 1
    reach("reset")
    press("Space")
    assert trainer.step == 0
    reach("weight")
    press("ArrowDown")
    assert trainer.part("weight").input_value() == "w.0.0.0"
    reach("dial")
    before = trainer.state()["net"]["weights"][0][0][0]
    press("ArrowRight")
    assert trainer.state()["net"]["weights"][0][0][0] == pytest.approx(before + 0.01, abs=0.006)
    reach("handle")
    for _ in range(3):
        press("ArrowRight")
    press("Shift+ArrowDown")
    assert trainer.state()["data"]["x"][1] == pytest.approx([0.15, 0.75])
    assert "0.15, 0.75" in trainer.part("handle").get_attribute("aria-label")
    for name, value in (("task", "and"), ("noise", "0.1"), ("hidden", "3"), ("activation", "relu"), ("rate", "3")):
        reach(name)
        press("ArrowDown")
        assert trainer.part(name).input_value() == value
    reach("seed")
    press("ArrowUp")
    press("Tab")
    assert trainer.state()["net"]["activation"] == "relu"
    assert trainer.part("seed").input_value() == "8"


def test_the_description_follows_and_is_said_aloud_only_at_rest(trainer: Trainer) -> None:
    assert trainer.text.startswith("Step 0: the loss is ")
    trainer.page.wait_for_timeout(600)
    assert trainer.part("status").text_content() == trainer.text
    trainer.press("Step")
    assert trainer.text.startswith("Step 1: the loss is ")
    trainer.page.wait_for_timeout(600)
    assert trainer.part("status").text_content() == trainer.text
    said = note(trainer, "status")
    trainer.press("Play")
    trainer.page.wait_for_timeout(1500)
    assert not trainer.page.evaluate(said)
    assert int(trainer.text.split(":")[0].removeprefix("Step ")) > 1
    trainer.press("Pause")
    trainer.page.wait_for_timeout(600)
    assert trainer.page.evaluate(said) == [trainer.text]
    assert trainer.part("status").text_content() == trainer.text
    trainer.press("Reset")
    trainer.steps(37)  # passes ½ ln 2 on its way down, and does not stay
    assert trainer.state()["loss"] == pytest.approx(np.log(2) / 2, abs=0.02)
    assert "stuck" not in trainer.text
    says = trainer.text
    trainer.choose("Point shown", "00, answer 0")
    assert trainer.text == says  # it is about all points


def test_a_finger_drags_a_point_and_scrolls_elsewhere(browser, address: str) -> None:
    with special(browser, address, has_touch=True, viewport={"width": 390, "height": 844}) as page:
        trainer = Trainer(page)
        trainer.part("plane").scroll_into_view_if_needed()
        stopped = page.evaluate(
            """() => {
                const plane = document.getElementById('xor-plane'), box = plane.getBoundingClientRect();
                const point = document.querySelector('#xor-marks circle.one').getBoundingClientRect();
                const touch = (x, y) => {
                    const at = new Touch({ identifier: 1, target: plane, clientX: x, clientY: y });
                    const event = new TouchEvent('touchstart', { touches: [at], cancelable: true, bubbles: true });
                    plane.dispatchEvent(event);
                    return event.defaultPrevented;
                };
                return [touch(point.x + 5, point.y + 5), touch(box.x + box.width / 2, box.y + box.height / 2)];
            }"""
        )
        assert stopped == [True, False]


def test_reduced_motion_makes_few_large_jumps(browser, address: str) -> None:
    with special(browser, address, reduced_motion="reduce") as page:
        trainer = Trainer(page)
        counted = note(trainer, "count")
        trainer.press("Play")
        trainer.press("Pause")
        trainer.press("Play")  # only one of the two is under way
        trainer.wait_for_step(120)
        trainer.press("Pause")
        steps = [step for step in map(int, page.evaluate(counted)) if step]
        assert sorted(set(steps)) == list(range(60, steps[-1] + 1, 60))
        assert steps[-1] <= 240


def test_it_is_sound_while_in_use(browser, address: str) -> None:
    with Visit(browser, address, PAGE) as visit:
        trainer = Trainer(visit.page)
        for width, scheme in product((320, 390, 1440), ("light", "dark")):
            visit.look(width, scheme)
            for task, noise, hidden, rate in (("XOR", "none", "2", "2"), ("Circles", "0.3", "8", "30")):
                trainer.choose("Data set", task)
                trainer.choose("Noise", noise)
                trainer.choose("Hidden units", hidden)
                trainer.choose("Learning rate", rate)
                trainer.steps(40)
                sound(visit, width, scheme)
            if (width, scheme) in ((390, "light"), (1440, "dark")):
                accessible(visit)
            boxes = visit.page.locator("#xor :is(button, select, input), .xor-try").evaluate_all(BOXES)
            assert boxes
            assert not [one for one, *size in boxes if min(size) < 40], "every target is a finger wide"


def test_the_pictures_follow_the_scheme(trainer: Trainer) -> None:
    trainer.steps(50)
    light = trainer.shown()[-1]
    trainer.page.emulate_media(color_scheme="dark")
    other = "light => document.getElementById('xor-surface').toDataURL() !== light"
    trainer.page.wait_for_function(other, arg=light)
    trainer.page.emulate_media(color_scheme="light")


def test_without_scripts_it_leads_to_the_lab(browser, address: str) -> None:
    with special(browser, address, java_script_enabled=False) as page:
        assert page.locator("noscript p").first.is_visible()
        assert not page.locator("#xor").is_visible()
        link = page.locator("noscript a").first.get_attribute("href")
        assert page.request.get(address + PAGE + link).ok


def test_it_is_small_and_on_its_own_page_alone(site: Path) -> None:
    scripts = list((site / "assets" / "xor").glob("*.js"))
    assert len(scripts) == 4
    assert sum(path.stat().st_size for path in scripts) < 40_000
    loads = 'src="../../assets/xor/main.js"></script>'
    using = [path for path in site.rglob("*.html") if loads in path.read_text(encoding="utf-8")]
    assert using == [site / PAGE / "index.html"]
