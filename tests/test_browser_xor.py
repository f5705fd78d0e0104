"""The XOR trainer: its arithmetic beside that of llmnotes.scratch.nets, and what its buttons, weights and points do."""

from __future__ import annotations

import numpy as np
import pytest
from xor_page import MODULE, Trainer, flat

from llmnotes.scratch.nets import Net, flatten, gradients, init, train

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
BUTTONS = {"Back", "Step", "Play", "Reset"}


# The arithmetic

# The state and the loss that is shown, before each press of Step; what a press changes is drawn with the next frame
STEPS = """async (number) => {
  const main = await MODULE, seen = [];
  for (; number; number--) {
    seen.push({ ...main.state(), shown: document.getElementById("xor-loss").textContent });
    document.getElementById("xor-step").click();
    await new Promise(requestAnimationFrame);
  }
  return seen;
}""".replace("MODULE", MODULE)


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
    for step, here in enumerate(trainer.page.evaluate(STEPS, 51)):
        loss, gradient = gradients(net, x, y)
        assert here["step"] == step
        assert here["loss"] == pytest.approx(float(loss), abs=1e-6)
        np.testing.assert_allclose(flat(here["gradient"]), flatten(gradient), rtol=0, atol=1e-6)
        np.testing.assert_allclose(flat(here["net"]), flatten(net), rtol=0, atol=1e-6)
        assert here["shown"] == f"{loss:.4f}"
        net = train(net, x, y, lr=rate, steps=1).net


def test_a_start_is_glorot_uniform_and_the_same_for_the_same_seed(trainer: Trainer) -> None:
    starts = []
    for _ in range(2):
        trainer.page.reload()
        trainer = Trainer(trainer.page)
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
    trainer.page.reload()
    trainer = Trainer(trainer.page)
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
    trainer.page.mouse.move(*line)
    trainer.page.mouse.down()
    trainer.drawn()  # the line anew, under the finger
    trainer.page.mouse.up()
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
