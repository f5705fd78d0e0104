"""The calls that pages may make for what is seen: drawings, cards, the way to the code (see `quotes.expand`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from llmnotes.site.pages.drawings import Drawings
from llmnotes.site.pages.home import finding_cards, lab_cards, track_record

if TYPE_CHECKING:
    from llmnotes.site.pages.blocks import Blocks, Place


def calls(blocks: Blocks, at: Place) -> dict[str, Callable[..., str]]:
    """What `{{ … }}` may call on one page, beside bound numbers and lists."""
    drawings = Drawings(blocks.root / "docs" / "assets" / "drawings")
    return {
        "drawing": drawings.show,
        "track_record": lambda: track_record(blocks.settled),
        "lab_cards": lambda *keys: lab_cards(blocks, at, keys),
        "finding_cards": lambda newest: finding_cards(blocks, at, newest),
        "bench": lambda preset: bench(preset, drawings),
        "clone": lambda: clone(blocks.repository),
        "colab": lambda: colab(blocks, at),
    }


def bench(preset: str, drawings: Drawings) -> str:
    """The place of the model in the page; what stands in it shows where there is no script."""
    still = drawings.show("world", title="World, a model of four layers, and the grammar that it learned")
    return f'<div class="bench" id="bench" data-preset="{preset}">{still}</div>'


def clone(repository: str | None) -> str:
    """How to get the notebook and serve it."""
    if not repository:
        return (
            "```sh\nmake serve   # in a checkout of the notebook\n```\n\nThis copy of the site was built from a folder "
            "without a public address. You are already looking at the files that the command serves.\n"
        )
    folder = repository.rstrip("/").rpartition("/")[2].removesuffix(".git")
    return f"```sh\ngit clone {repository}\ncd {folder} && make serve\n```\n"


def colab(blocks: Blocks, at: Place) -> str:
    """Where each lab's notebook opens in Colab, or how to get there without a public repository."""
    first = blocks.labs[0] if blocks.labs else None
    if first is None:
        return "There is no lab yet."
    if address := colab_address(blocks.repository, first.stem):
        return (
            "Each lab page has the link *Colab* under its title; it opens the lab's notebook there, for instance "
            f"[{first.title}]({address}). Its first cell installs `llmnotes`.\n"
        )
    link = at.link(f"labs/{first.stem}.ipynb")
    return (
        f"Download a lab's notebook from its page, for instance [{first.title}]({link}), and upload it at "
        "<https://colab.research.google.com/>. Its first cell says how to install `llmnotes`.\n"
    )


def colab_address(repository: str | None, stem: str) -> str | None:
    """The address at which Colab opens a lab's notebook; None unless the repository is on GitHub."""
    found = re.match(r"https://github\.com/([^/]+/[^/]+)", repository or "")
    if not found:
        return None
    place = found[1].removesuffix(".git")
    return f"https://colab.research.google.com/github/{place}/blob/notebooks/labs/{stem}.ipynb"
