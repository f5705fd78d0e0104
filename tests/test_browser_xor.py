"""The XOR trainer, used as a reader would use it, and its arithmetic beside that of llmnotes.scratch.nets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from browsing import OVERFLOW, Visit, accessible

from llmnotes.scratch.nets import Net, flatten, gradients, init, train

PAGE = "play/xor/"
MODULE = "import(new URL('../../assets/xor/main.js', location))"
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
BUTTONS = {"Back", "Step", "Play", "Reset"}


class Trainer:
    """The trainer on an open page."""

    def __init__(self, page):
        self.page = page
        self.part("description:not(:empty)").wait_for()

    def part(self, name: str):
        return self.page.locator(f"#xor-{name}")

    def press(self, name: str, times: int = 1) -> None:
        button = self.page.get_by_role("button", name=name, exact=True)
        for _ in range(times):
            button.click()
        self.drawn()

    def drawn(self) -> None:
        """Until what has happened is on the page."""
        self.page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    def steps(self, number: int) -> None:
        """Many presses of Step at once."""
        self.page.evaluate("n => { while (n--) document.getElementById('xor-step').click() }", number)
        self.drawn()

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_label(label).select_option(option)
        self.drawn()

    @property
    def step(self) -> int:
        return int(self.part("count").inner_text())

    @property
    def text(self) -> str:
        return self.part("description").inner_text()

    def state(self) -> dict:
        return self.page.evaluate(f"{MODULE}.then(main => main.state())")

    def shown(self) -> list[str]:
        """Everything that the page shows of the state."""
        parts = ("network", "marks", "curve", "count", "loss", "description", "forwards", "backwards", "value")
        surface = self.page.evaluate("document.getElementById('xor-surface').toDataURL()")
        return [self.part(name).inner_html() for name in parts] + [surface]

    def column(self, table: str, number: int) -> list[str]:
        cells = self.part(f"{table} td:nth-of-type({number})")
        return [text.strip() for text in cells.all_inner_texts()]

    def wait_for_step(self, number: int) -> None:
        self.page.wait_for_function("n => Number(document.getElementById('xor-count').textContent) >= n", arg=number)


@pytest.fixture
def trainer(browser, address: str) -> Iterator[Trainer]:
    with Visit(browser, address, PAGE) as visit:
        yield Trainer(visit.page)
        assert not visit.wrong


@contextmanager
def special(browser, address: str, **options):
    """A page in a browser with settings of its own."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(address + PAGE, wait_until="load")
    yield page
    context.close()


# The arithmetic


@pytest.mark.parametrize(
    ("task", "hidden", "activation", "rate"),
    [("xor", 2, "tanh", 2), ("xor", 3, "relu", 1), ("and", 4, "identity", 0.3), ("circles", 8, "tanh", 5)],
)
def test_fifty_steps_are_those_of_nets(trainer: Trainer, task: str, hidden: int, activation: str, rate: float) -> None:
    net = init((2, hidden, 1), seed=5, activation=activation)
    exported = {
        "weights": [w.tolist() for w in net.weights],
        "biases": [b.tolist() for b in net.biases],
        "activation": activation,
    }
    settings = {"task": task, "rate": rate}
    trainer.page.evaluate(f"([net, settings]) => {MODULE}.then(main => main.load(net, settings))", [exported, settings])
    trainer.drawn()
    data = trainer.state()["data"]
    x, y = np.array(data["x"]), np.array(data["y"], dtype=float)[:, None]
    if task != "circles":
        assert x.tolist() == X.tolist()
        assert y.ravel().tolist() == {"xor": [0, 1, 1, 0], "and": [0, 0, 0, 1]}[task]
    for step in range(51):
        loss, gradient = gradients(net, x, y)
        here = trainer.state()
        assert here["step"] == step
        assert here["loss"] == pytest.approx(float(loss), abs=1e-6)
        np.testing.assert_allclose(flat(here["gradient"]), flatten(gradient), rtol=0, atol=1e-6)
        np.testing.assert_allclose(flat(here["net"]), flatten(net), rtol=0, atol=1e-6)
        assert trainer.part("loss").inner_text() == f"{loss:.4f}"
        net = train(net, x, y, lr=rate, steps=1).net
        trainer.press("Step")


def flat(net: dict) -> np.ndarray:
    return flatten(Net(tuple(map(np.array, net["weights"])), tuple(map(np.array, net["biases"]))))


def test_a_start_is_glorot_uniform_and_the_same_for_the_same_seed(browser, address: str) -> None:
    starts = []
    for _ in range(2):
        with Visit(browser, address, PAGE) as visit:
            trainer = Trainer(visit.page)
            for _ in range(3):
                trainer.press("Next seed")
            trainer.choose("Noise", "0.2")
            starts.append(trainer.state())
    assert starts[0] == starts[1]
    assert len(starts[0]["data"]["y"]) == 32
    first, second = starts[0]["net"]["weights"]
    assert np.abs(first).max() <= np.sqrt(6 / 4)
    assert np.abs(second).max() <= np.sqrt(6 / 3)
    assert starts[0]["net"]["biases"] == [[0, 0], [0]]


# The buttons


def test_nothing_moves_by_itself_and_a_step_leads_where_the_table_says(trainer: Trainer) -> None:
    trainer.page.wait_for_timeout(500)
    assert trainer.step == 0
    promised = [cell.split("→")[1].strip() for cell in trainer.column("backwards", 3)]
    assert len(promised) == 9
    trainer.press("Step")
    assert trainer.step == 1
    assert [cell.split("→")[0].strip() for cell in trainer.column("backwards", 3)] == promised
    state = trainer.state()
    assert state["losses"][1] == state["loss"] < state["losses"][0]
    assert f"{state['loss']:.4f}" == trainer.part("loss").inner_text() == trainer.column("forwards", 2)[-1]


def test_play_and_pause(trainer: Trainer) -> None:
    trainer.press("Play")
    trainer.wait_for_step(10)
    trainer.press("Pause")
    paused = trainer.step
    trainer.page.wait_for_timeout(300)
    assert trainer.step == paused == trainer.state()["step"]
    assert f"Step {paused}:" in trainer.text
    trainer.press("Play")
    trainer.wait_for_step(paused + 1)
    trainer.press("Back")  # stops, too
    stopped = trainer.step
    trainer.page.wait_for_timeout(300)
    assert trainer.step == stopped
    assert set(trainer.page.locator(".xor-bar button").all_inner_texts()) == BUTTONS


def test_back_and_reset_return_to_exactly_the_former_states(trainer: Trainer) -> None:
    seen, shown = [], []
    for _ in range(5):
        seen.append(trainer.state())
        shown.append(trainer.shown())
        trainer.press("Step")
    for state, page in zip(seen[::-1], shown[::-1], strict=True):
        trainer.press("Back")
        assert trainer.state() == state
        assert trainer.shown() == page
    assert trainer.part("back").get_attribute("aria-disabled") == "true"
    trainer.part("back").click(force=True)
    assert trainer.state() == seen[0]
    trainer.steps(30)
    trainer.press("Reset")
    assert trainer.state() == seen[0]
    assert trainer.shown() == shown[0]


def test_a_run_ends_where_numbers_do(trainer: Trainer) -> None:
    trainer.choose("Nonlinearity", "ReLU")
    trainer.choose("Hidden units", "8")
    trainer.choose("Learning rate", "30")
    trainer.steps(10_100)
    assert trainer.step <= 10_000
    assert np.isfinite(trainer.state()["loss"])
    assert "the run ends here" in trainer.text.lower()
    assert trainer.part("play").get_attribute("aria-disabled") == "true"
    trainer.press("Back")
    assert "ends here" not in trainer.text


# The settings


def test_data_sets_and_hidden_units_change(trainer: Trainer) -> None:
    trainer.press("Step", times=3)
    trainer.choose("Data set", "AND")
    assert trainer.step == 0
    assert trainer.state()["data"]["y"] == [0, 0, 0, 1]
    trainer.choose("Hidden units", "5")
    assert trainer.page.locator("#xor-backwards th[scope=rowgroup]").count() == 6
    assert trainer.page.locator("#xor-network line.hit").count() == 15
    trainer.choose("Data set", "Circles")
    assert trainer.page.locator("#xor-point option").count() == 32
    trainer.choose("Hidden units", "8")
    trainer.steps(300)
    assert "32 of 32 points" in trainer.text
    trainer.choose("Data set", "XOR")
    trainer.choose("Noise", "0.1")
    assert trainer.page.locator("#xor-marks :is(.one, .zero)").count() == 32


def test_the_point_shown_can_be_chosen_or_clicked(trainer: Trainer) -> None:
    trainer.choose("Point shown", "11, answer 0")
    p = trainer.column("forwards", 2)[-3]
    assert trainer.column("forwards", 1)[-2] == f"−ln (1 − {p}), for the answer is 0"
    box = trainer.part("plane").bounding_box()
    trainer.part("plane").click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.3})
    trainer.drawn()
    assert trainer.part("point").input_value() == "1"
    assert trainer.state()["data"]["names"][trainer.state()["shown"]] == "01"


def test_the_learning_rate_changes_the_run_that_is_there(trainer: Trainer) -> None:
    trainer.press("Step", times=2)
    before = trainer.column("backwards", 3)
    trainer.choose("Learning rate", "0.03")
    after = trainer.column("backwards", 3)
    assert trainer.step == 2
    assert [cell.split("→")[0] for cell in before] == [cell.split("→")[0] for cell in after]
    assert before != after


def test_a_seed_can_be_typed(trainer: Trainer) -> None:
    first = trainer.state()["net"]
    for typed, taken in (("12", "12"), ("-3", "0"), ("", "0"), ("7", "7")):
        trainer.page.get_by_label("Seed", exact=True).fill(typed)
        trainer.page.get_by_label("Seed", exact=True).press("Enter")
        trainer.drawn()
        assert trainer.part("seed").input_value() == taken
    assert trainer.state()["net"] == first


# A weight, a point


def middle(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_weight_that_is_pressed_shows_and_changes(trainer: Trainer) -> None:
    net = trainer.state()["net"]
    line = trainer.page.locator('#xor-network line.hit[data-at="w.1.1.0"]')
    trainer.page.mouse.click(*middle(line))
    trainer.drawn()
    assert trainer.part("weight").input_value() == "w.1.1.0"
    value = net["weights"][1][1][0]
    shown = f"{value:+.2f}".replace("-", "−")
    assert trainer.part("value").inner_text() == shown
    assert trainer.page.locator("#xor-network text.chosen").text_content() == shown
    trainer.part("dial").fill("4")
    trainer.drawn()
    after = trainer.state()
    assert after["net"]["weights"][1][1][0] == 4
    assert (after["net"]["weights"][0], after["net"]["biases"]) == (net["weights"][0], net["biases"])
    assert after["loss"] == after["losses"][-1] == pytest.approx(loss_of(after))
    trainer.page.mouse.click(*middle(trainer.page.locator('#xor-network [data-at="b.0.0"]')))
    trainer.drawn()
    assert trainer.part("weight").input_value() == "b.0.0"
    trainer.press("Step")
    trainer.press("Back")
    assert trainer.state()["net"] == after["net"]
    trainer.press("Reset")
    assert trainer.state()["net"] == net


def loss_of(state: dict) -> float:
    net = Net(*(tuple(map(np.array, state["net"][name])) for name in ("weights", "biases")))
    x, y = np.array(state["data"]["x"]), np.array(state["data"]["y"], dtype=float)[:, None]
    return float(gradients(net, x, y)[0])


def test_a_weight_can_be_pressed_while_the_run_plays(trainer: Trainer) -> None:
    line = middle(trainer.page.locator('#xor-network line.hit[data-at="w.0.0.0"]'))
    trainer.press("Play")
    trainer.wait_for_step(5)
    trainer.page.mouse.click(*line)
    trainer.drawn()
    assert trainer.part("weight").input_value() == "w.0.0.0"


def test_a_point_can_be_dragged(trainer: Trainer) -> None:
    trainer.steps(20)
    net = trainer.state()["net"]
    x, y = middle(trainer.page.locator("#xor-marks circle.zero").nth(1))
    width = trainer.part("plane").bounding_box()["width"]
    trainer.page.mouse.move(x, y)
    trainer.page.mouse.down()
    trainer.page.mouse.move(x - 0.2 * width, y + 5, steps=4)
    trainer.page.mouse.up()
    trainer.page.mouse.move(x, y)
    trainer.drawn()
    state = trainer.state()
    assert state["shown"] == 3
    assert 0.4 < state["data"]["x"][3][0] < 0.8
    assert state["data"]["x"][:3] == X[:3].tolist()
    assert state["net"] == net
    assert state["loss"] == pytest.approx(loss_of(state))
    assert "of 4 points are on the right side" in trainer.text
    trainer.press("Reset")
    assert trainer.state()["data"]["x"] == X.tolist()


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


# The address


def test_a_state_is_an_address(browser, address: str, trainer: Trainer) -> None:
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


@pytest.mark.parametrize("text", ["task=nand", "seed=-1", "net=1_2", "hidden=40", "moved=9_0_0", "walk=3"])
def test_an_address_that_asks_for_what_there_is_not_says_so(browser, address: str, text: str) -> None:
    with Visit(browser, address, f"{PAGE}#xor?{text}&rate=3") as visit:
        trainer = Trainer(visit.page)
        assert trainer.state()["rate"] == 3
        visit.page.wait_for_timeout(600)
        assert f"This address asks for {text}" in trainer.part("status").text_content()
        assert not visit.wrong


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1440])
def test_it_is_sound_while_in_use(browser, address: str, width: int, scheme: str) -> None:
    with Visit(browser, address, PAGE, width, scheme) as visit:
        trainer = Trainer(visit.page)
        for task, noise, hidden, rate in (("XOR", "none", "2", "2"), ("Circles", "0.3", "8", "30")):
            trainer.choose("Data set", task)
            trainer.choose("Noise", noise)
            trainer.choose("Hidden units", hidden)
            trainer.choose("Learning rate", rate)
            trainer.steps(40)
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, visit.page.evaluate(OVERFLOW)
        if (width, scheme) in ((390, "light"), (1440, "dark")):
            accessible(visit)
        for target in visit.page.locator("#xor :is(button, select, input), .xor-try").all():
            box = target.bounding_box()
            assert min(box["width"], box["height"]) >= 40, target.evaluate("e => e.outerHTML.slice(0, 60)")
        assert not visit.wrong


def test_the_pictures_follow_the_scheme(browser, address: str) -> None:
    with Visit(browser, address, PAGE) as visit:
        trainer = Trainer(visit.page)
        trainer.steps(50)
        light = trainer.shown()[-1]
        visit.page.emulate_media(color_scheme="dark")
        visit.page.wait_for_function("light => document.getElementById('xor-surface').toDataURL() !== light", arg=light)


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
