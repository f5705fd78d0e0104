"""The calls that pages may make for what is seen: drawings, cards, the way to the code (see `quotes.expand`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from llmnotes.site.errors import NotebookError, near
from llmnotes.site.pages.bench import still
from llmnotes.site.pages.contents import Contents, Place, lab_uri
from llmnotes.site.pages.drawings import Drawings
from llmnotes.site.pages.home import finding_cards, lab_cards, track_record


def calls(contents: Contents, place: Place) -> dict[str, Callable[..., str]]:
    """What `{{ … }}` may call on one page, beside bound numbers and lists."""
    drawings = Drawings(contents.docs / "assets" / "drawings")
    return {
        "drawing": drawings.show,
        "track_record": lambda: track_record(contents.settled),
        "lab_cards": lambda *keys: lab_cards(contents, place, keys),
        "finding_cards": lambda newest: finding_cards(contents, place, newest),
        "widget": lambda name: widget(contents.docs / "assets" / "widgets", name),
        "bench": lambda preset: bench(preset, drawings),
        "clone": lambda: clone(contents.repository),
        "colab": lambda: colab(contents, place),
    }


def widget(folder: Path, name: str) -> str:
    """A figure that the reader can turn: `name.html` is complete without a script, `name.js` moves it.

    Raises:
        NotebookError: no such widget.
    """
    known = sorted(path.stem for path in folder.glob("*.html"))
    if name not in known:
        raise NotebookError(f"widget({name!r}): no such widget{near(name, known)}; there are {', '.join(known)}")
    return (folder / f"{name}.html").read_text(encoding="utf-8").strip()


def bench(preset: str, drawings: Drawings) -> str:
    """The place of the model in the page; what stands in it shows where there is no script."""
    if preset == "home":
        return still()
    drawn = drawings.show("world", title="World, a model of four layers, and the grammar that it learned")
    return f'<div class="bench" id="bench" data-bench="{preset}">{drawn}</div>'


def clone(repository: str) -> str:
    """How to get the notebook and serve it."""
    if not repository:
        return (
            "```sh\nmake serve   # in a checkout of the notebook\n```\n\nThis copy of the site was built from a folder "
            "without a public address. You are already looking at the files that the command serves.\n"
        )
    folder = repository.rstrip("/").rpartition("/")[2].removesuffix(".git")
    return f"```sh\ngit clone {repository}\ncd {folder} && make serve\n```\n"


def colab(contents: Contents, place: Place) -> str:
    """Where each lab's notebook opens in Colab, or how to get there without a public repository."""
    if not contents.labs:
        return "There is no lab yet."
    first = contents.labs[0]
    if address := contents.colab(first):
        return (
            "Each lab page has the link *Colab* under its title; it opens the lab's notebook there, for instance "
            f"[{first.title}]({address}). Its first cell installs `llmnotes`.\n"
        )
    link = place.link(lab_uri(first))
    return (
        f"Download a lab's notebook from its page, for instance [{first.title}]({link}), and upload it at "
        "<https://colab.research.google.com/>. Its first cell says how to install `llmnotes`.\n"
    )
