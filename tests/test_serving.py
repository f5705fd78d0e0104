"""`mkdocs serve` on a tiny notebook: what an edit makes again; how soon, `benchmarks/site.py` tells."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Notebook, clean_environment


@pytest.fixture
def served(recorded: Notebook, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The tiny notebook served: its address, and the file that the server writes what it does to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log.txt"
    command = [sys.executable, "-m", "mkdocs", "serve", "-a", f"127.0.0.1:{port}"]
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=recorded.root, env=clean_environment(), stdout=out, stderr=out)
    address = f"http://127.0.0.1:{port}/"
    try:
        wait_for(lambda: page_at(address), "Home", seconds=60)
        yield address, log
    finally:
        server.terminate()
        server.wait(20)


def page_at(address: str) -> str:
    try:
        return urllib.request.urlopen(address, timeout=5).read().decode()
    except OSError:
        return ""


def wait_for(read: Callable[[], str], text: str, seconds: float) -> None:
    """Wait until what is read holds the text."""
    began = time.monotonic()
    while text not in (last := read()):
        assert time.monotonic() - began < seconds, f"no {text!r} after {seconds} s: {last[-2000:]}"
        time.sleep(0.05)


def test_an_edit_of_prose_is_on_the_page_without_a_run(served: tuple[str, Path], recorded: Notebook) -> None:
    address, log = served
    page, lab = recorded.root / "docs" / "findings" / "index.md", recorded.root / "labs" / "01_tiny.py"
    page.write_text(page.read_text() + "\nFreshly written.\n")
    wait_for(lambda: page_at(f"{address}findings/"), "Freshly written", 20)
    lab.write_text(lab.read_text() + "\n# %% [markdown]\n# An afterthought.\n")
    wait_for(lambda: page_at(f"{address}labs/01_tiny/"), "An afterthought", 20)
    wait_for(log.read_text, "Only prose changed: 01_tiny.py", 5)
    assert "lab 01_tiny runs" not in log.read_text()


def test_any_other_edit_builds_everything(served: tuple[str, Path], recorded: Notebook) -> None:
    address, log = served
    page, lab = recorded.root / "docs" / "findings" / "index.md", recorded.root / "labs" / "01_tiny.py"
    page.write_text(page.read_text().replace("# Findings", "# What we found"))
    wait_for(lambda: page_at(f"{address}labs/01_tiny/"), "What we found", 20)  # the next page, as that one says
    lab.write_text(lab.read_text() + "\n# %%\nprint('one more cell')\n")
    wait_for(log.read_text, "lab 01_tiny done", 60)
    page.write_text(page.read_text() + '\n{{ result("tiny.shore") }}\n')
    wait_for(log.read_text, "value of 01_tiny 'shore': no such", 20)
    page.write_text("# What we found\n\nMended.\n")
    wait_for(lambda: page_at(f"{address}findings/"), "Mended", 20)


def test_after_a_failed_build_the_next_is_whole(served: tuple[str, Path], recorded: Notebook) -> None:
    """A title changes together with a quote that fails; mending the quote alone brings the whole site back."""
    address, log = served
    page = recorded.root / "docs" / "findings" / "index.md"
    page.write_text('# What we found\n\n{{ result("tiny.shore") }}\n')
    wait_for(log.read_text, "value of 01_tiny 'shore': no such", 40)
    other = recorded.root / "docs" / "labs" / "index.md"
    other.write_text("# Labs\n\nChanged while the build was failing.\n")
    page.write_text("# What we found\n\nMended.\n")
    wait_for(lambda: page_at(f"{address}findings/"), "Mended", 40)
    wait_for(lambda: page_at(f"{address}labs/01_tiny/"), "What we found", 40)
    wait_for(lambda: page_at(address), "Home", 5)
    wait_for(lambda: page_at(f"{address}labs/"), "Changed while", 40)
    # what an editor leaves for a moment makes nothing again; Markdown that is no page does not break the rebuild
    reloads = log.read_text().count("Reloading browsers")
    (recorded.root / "labs" / "notes.md").write_text("Notes.\n")
    # MkDocs does not say twice that it took as many hundredths of a second, so its builds cannot be counted by that
    wait_for(lambda: str(log.read_text().count("Reloading browsers")), str(reloads + 1), 40)
    (recorded.root / "docs" / "findings" / ".index.md.swp").write_text("x")
    page.write_text("# What we found\n\nMended again.\n")
    wait_for(lambda: page_at(f"{address}findings/"), "Mended again", 40)
    wait_for(log.read_text, "Only prose changed: index.md", 5)
