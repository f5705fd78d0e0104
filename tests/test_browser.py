"""The site in a real browser, narrow and wide, light and dark."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import BROWSER_SKIP, real_labs

from llmnotes.site.run.labs import Lab

LABS = real_labs()
OTHERS = ("labs/", "findings/", "predictions/", "your-predictions/", "play/xor/", "glossary/", "api/lab/")
PAGES = ["", f"labs/{LABS[0].stem}/", *OTHERS]
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
each_lab = pytest.mark.parametrize("lab", LABS, ids=[lab.stem for lab in LABS])


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """A Chromium or Chrome of the system, else Playwright's own; closed whatever happens."""
    from playwright.sync_api import Error, sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        except Error as error:
            if path:
                raise
            pytest.skip(f"{BROWSER_SKIP}: {str(error).splitlines()[0]}")
        try:
            yield opened
        finally:
            opened.close()


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Of the site, which lies in a folder of its host, as it does on GitHub Pages."""
    handler = functools.partial(Quiet, directory=str(site.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{site.name}/"
        server.shutdown()


class Visit:
    """One page open in the browser, with what went wrong on it and how much it loaded."""

    def __init__(self, browser, address: str, path: str, width: int = 1440, scheme: str = "light"):
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.finished: list = []
        self.address = address
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", self._request)
        self.page.on("requestfinished", lambda request: self.finished.append(request))
        self.page.on("requestfailed", lambda request: self.wrong.append(f"failed: {request.url}"))
        self.page.goto(address + path, wait_until="load")  # with its scripts, which the idle network alone is not
        self.page.wait_for_load_state("networkidle")
        # what is still fading in has another contrast than what stands there in the end
        self.page.add_style_tag(content="*, ::before, ::after { transition: none !important }")

    def _console(self, message) -> None:
        if message.type == "error":
            self.wrong.append(f"console: {message.text}")

    def _request(self, request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"request to another host: {request.url}")

    def loaded(self) -> dict[str, int]:
        """Bytes by address; asked for here, because a handler of Playwright's must not call back into it."""
        return {request.url: request.sizes()["responseBodySize"] for request in self.finished}

    def open_all(self) -> None:
        """Let a lab show what it would show after the reader's predictions."""
        gate = self.page.locator(".gate button")
        if gate.count():
            gate.click()

    def scroll_through(self) -> None:
        """Come by everything that loads late."""
        self.open_all()
        height = self.page.evaluate("document.documentElement.scrollHeight")
        for at in range(0, height, 700):
            self.page.evaluate(f"window.scrollTo(0, {at})")
            self.page.wait_for_timeout(20)
        self.page.evaluate("window.scrollTo(0, 0)")
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(100)

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *exception) -> None:
        self.context.close()


OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > wide + 1)
    .slice(0, 5).map(e => e.tagName + '.' + e.className);
}"""


VIEWS = [(path, width, scheme) for path in PAGES for width in (390, 1440) for scheme in ("light", "dark")]


@pytest.mark.parametrize(
    ("path", "width", "scheme"), VIEWS, ids=[f"{p.strip('/').replace('/', '-') or 'home'}-{w}-{s}" for p, w, s in VIEWS]
)
def test_a_page_is_sound(browser, address: str, path: str, width: int, scheme: str) -> None:
    with Visit(browser, address, path, width, scheme) as visit:
        visit.scroll_through()
        sound(visit, width, scheme)


def sound(visit: Visit, width: int, scheme: str) -> None:
    """Nothing went wrong, nothing sticks out, nothing lacks a description, and axe-core has no grave complaint."""
    from axe_playwright_python.sync_playwright import Axe

    assert not visit.wrong
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, visit.page.evaluate(OVERFLOW)
    without = visit.page.evaluate("[...document.images].filter(i => !i.hasAttribute('alt')).map(i => i.src)")
    assert not without
    shown = visit.page.evaluate("document.body.getAttribute('data-md-color-scheme')")
    assert shown == ("slate" if scheme == "dark" else "default")
    found = Axe().run(visit.page).response["violations"]
    grave = [
        f"{one['impact']}: {one['id']}: {one['help']}: {node['target']}: {node.get('failureSummary', '')}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]
    assert not grave, "\n".join(grave)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1440, "dark")])
@each_lab
def test_a_lab_page_is_sound(browser, address: str, lab: Lab, width: int, scheme: str) -> None:
    """What holds for every page, and what a lab page is: small with all it loads, its figures drawn for its width."""
    with Visit(browser, address, f"labs/{lab.stem}/", width, scheme) as visit:
        visit.scroll_through()
        loaded = visit.loaded()
        largest = sorted(loaded.items(), key=lambda item: -item[1])[:6]
        assert sum(loaded.values()) < 600_000, f"{sum(loaded.values())}: {largest}"
        assert len(loaded) > 5
        shown, other = (visit.page.locator(f".lab-drawing.{layout}") for layout in layouts_at(width))
        assert any(shown.nth(i).is_visible() for i in range(shown.count()))
        assert not any(other.nth(i).is_visible() for i in range(other.count()))
        sound(visit, width, scheme)
        if width > 1000:
            copied(visit, lab)


def layouts_at(width: int) -> tuple[str, str]:
    """Which layout of a figure shows at a width, and which does not."""
    return ("narrow", "wide") if width < 560 else ("wide", "narrow")


def copied(visit: Visit, lab: Lab) -> None:
    """The copy button copies exactly the cell."""
    buttons = visit.page.locator(
        ".lab-code .md-clipboard, .lab-code [data-clipboard-target], .lab-code .md-code__button"
    )
    assert buttons.count() >= len(lab.code)
    plain = next(i for i, cell in enumerate(lab.code) if not cell.tags)
    block = visit.page.locator(".lab-code").nth(plain)
    block.scroll_into_view_if_needed()
    block.hover()
    block.locator("button").first.click()
    visit.page.wait_for_timeout(200)
    assert visit.page.evaluate("navigator.clipboard.readText()").rstrip("\n") == lab.code[plain].source


def test_search_finds_every_lab(browser, address: str) -> None:
    with Visit(browser, address, "") as visit:
        field = visit.page.locator("input[name=query]").first
        field.click()
        results = visit.page.locator(".md-search-result__link")
        missed = {}
        for lab in LABS:
            field.fill("")
            field.type(lab.title)
            results.first.wait_for(timeout=10_000)
            visit.page.wait_for_timeout(700)
            found = results.evaluate_all("links => links.map(link => link.href)")
            if not any(f"labs/{lab.stem}/" in one for one in found):
                missed[lab.title] = found
        assert not missed
        assert not visit.wrong
