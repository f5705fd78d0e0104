"""A browser for the tests, the site's address, and one visit of a page with all that went wrong on it."""

from __future__ import annotations

import functools
import gzip
import http.server
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

BROWSER_SKIP = "no browser found"
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-background-networking"),
    *("--disable-gpu", "--disable-software-rasterizer"),
    "--font-render-hinting=none",  # the one without windows would make letters whole pixels wide
]

PACKED = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".xml"}
"""What the usual hosts send compressed."""


@functools.lru_cache(maxsize=64)
def packed(path: Path, written: int) -> bytes:
    """A file, compressed once for as long as it stays as it was written; visits ask for the same ones again."""
    return gzip.compress(path.read_bytes(), 6)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() and self.path.partition("?")[0].endswith("/") else path
        if path.suffix not in PACKED or not path.is_file():
            return super().do_GET()
        body = packed(path, path.stat().st_mtime_ns)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None


@pytest.fixture(scope="module")  # while it is open, no other event loop can run in this process
def browser() -> Iterator:
    """Of the system, the one without windows first: it takes half the processor time; else Playwright's own."""
    from playwright.sync_api import Error, sync_playwright

    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        except Error as error:
            if path:
                raise
            pytest.skip(f"{BROWSER_SKIP}: {str(error).splitlines()[0]}")
        new_context(opened)  # the first is the one that visits share
        try:
            yield opened
        finally:
            opened.close()


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Of the site, which lies in a folder of its host, as it does on GitHub Pages."""
    handler = functools.partial(Quiet, directory=str(site.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{site.name}/"
        server.shutdown()


class Visit:
    """One page open in the browser, with what went wrong on it and how much it loaded.

    Visits that follow each other share a profile, which a new process of the browser for each would make dear; nothing
    that a page keeps or loads stays for the next. A visit that others outlast or that loads no site has one of its own.
    """

    def __init__(
        self, browser, address: str, path: str, width: int = 1440, scheme: str = "light", *, own: bool = False
    ):
        origin = re.match(r"https?://[^/]+", address)
        self.context = None if own or not origin else idle_context(browser)
        self.owned = None if self.context else new_context(browser)
        self.page = (self.context or self.owned).new_page()
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme)
        if origin:
            wire = self.page.context.new_cdp_session(self.page)
            wire.send("Storage.clearDataForOrigin", {"origin": origin[0], "storageTypes": "all"})
            wire.send("Network.enable")
            wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self.wrong: list[str] = []
        self.finished: list = []
        self.address = address
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", self._request)
        self.page.on("requestfinished", lambda request: self.finished.append(request))
        self.page.on("requestfailed", self._failed)
        self.page.goto(address + path, wait_until="load")  # with its modules
        # Material's script and our fonts, which wait for the first sight
        self.page.locator("html.js:not(.first-visit)").wait_for(state="attached")
        # what is still fading in has another contrast than what stands there in the end
        self.page.add_style_tag(content="*, ::before, ::after { transition: none !important }")

    def _console(self, message) -> None:
        if message.type == "error":
            self.wrong.append(f"console: {message.text}")

    def _failed(self, request) -> None:
        if request.failure != "net::ERR_ABORTED":  # as when a reader goes on before all of a page is there
            self.wrong.append(f"failed: {request.url}: {request.failure}")

    def _request(self, request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"request to another host: {request.url}")

    def loaded(self) -> dict[str, int]:
        """Bytes by address; asked for here, because a handler of Playwright's must not call back into it."""
        return {request.url: request.sizes()["responseBodySize"] for request in self.finished}

    def look(self, width: int, scheme: str) -> None:
        """Change the width of the window and the scheme that the reader prefers."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme)
        self.page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    def all_loaded(self) -> None:
        """Wait until half a second has gone by in which nothing was loaded."""
        self.page.wait_for_load_state("networkidle")

    def open_all(self) -> None:
        """Let a lab show what it would show after the reader's predictions."""
        gate = self.page.get_by_role("button", name="Just show me")
        if gate.count():
            gate.click()

    def scroll_through(self) -> None:
        """Come by everything that loads late."""
        self.open_all()
        self.page.evaluate(SCROLL)
        self.all_loaded()

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *exception) -> None:
        (self.owned or self.page).close()


def new_context(browser):
    return browser.new_context(permissions=["clipboard-read", "clipboard-write"])


def idle_context(browser):
    """The profile that visits share; none while one of them is under way in it."""
    return None if browser.contexts[0].pages else browser.contexts[0]


SCROLL = """async () => {
  const drawn = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  for (let top = 0; top < document.documentElement.scrollHeight; top += 800) {
    window.scrollTo({ top, behavior: "instant" });
    await drawn();
  }
  window.scrollTo({ top: 0, behavior: "instant" });
}"""
OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > wide + 1)
    .slice(0, 5).map(e => e.tagName + '.' + e.className);
}"""


def sound(visit: Visit, width: int, scheme: str) -> None:
    """Nothing went wrong, nothing sticks out, no picture lacks a description, and the scheme is the reader's."""
    assert not visit.wrong
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, visit.page.evaluate(OVERFLOW)
    without = visit.page.evaluate("[...document.images].filter(i => !i.hasAttribute('alt')).map(i => i.src)")
    assert not without
    shown = visit.page.evaluate("document.body.getAttribute('data-md-color-scheme')")
    assert shown == ("slate" if scheme == "dark" else "default")


def accessible(visit: Visit, part: str | None = None) -> None:
    """axe-core has no grave complaint about the page, or about a part of it."""
    from axe_playwright_python.sync_playwright import Axe

    grave = [
        f"{one['impact']}: {one['id']}: {one['help']}: {node['target']}: {node.get('failureSummary', '')}"
        for one in Axe().run(visit.page, context=part).response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]
    assert not grave, "\n".join(grave)
