"""The page of the XOR trainer, for its two files of tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from browsing import Visit

from llmnotes.scratch.nets import Net, flatten

PAGE = "play/xor/"
MODULE = "import(new URL('../../assets/xor/main.js', location))"


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

    def as_at_first(self) -> None:
        """Bring back what stands there on arrival, without loading the page again."""
        self.page.evaluate("history.replaceState(null, '', location.pathname)")
        self.page.evaluate("new Promise(done => { onhashchange = done; location.hash = '#xor?' })")
        self.part("weight").select_option("")
        self.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        self.drawn()


@pytest.fixture(scope="module")
def xor(browser, address: str) -> Iterator[Visit]:
    with Visit(browser, address, PAGE, own=True) as visit:
        yield visit


@pytest.fixture
def trainer(xor: Visit) -> Iterator[Trainer]:
    trainer = Trainer(xor.page)
    trainer.as_at_first()
    yield trainer
    assert not xor.wrong


@contextmanager
def special(browser, address: str, **options):
    """A page in a browser with settings of its own."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(address + PAGE, wait_until="load")
    yield page
    context.close()


def flat(net: dict) -> np.ndarray:
    return flatten(Net(tuple(map(np.array, net["weights"])), tuple(map(np.array, net["biases"]))))
