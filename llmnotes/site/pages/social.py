"""The picture that other sites show beside a link to a page: its title and its question, drawn at build, offline."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any

from llmnotes.site.notebook.entries import SINGULAR
from llmnotes.site.pages.contents import Contents

SIZE = (1200, 630)  # what the Open Graph protocol's readers expect
WIDTH = 1000  # of a line; behind it there is room for an ellipsis
PAPER, INK, MUTED = "#16324f", "#ffffff", "#b9cbe0"


def cards(contents: Contents, name: str, about: str) -> dict[str, bytes]:
    """By its address the card of home (the notebook's name and what it is about), of each lab and of each entry."""
    words = {"index.md": (name, about, "Home")}
    words |= {lab.uri: (lab.title, lab.question, f"Lab {lab.number}") for lab in contents.labs}
    words |= {one.uri: (one.title, contents.about(one.uri), SINGULAR[one.kind]) for one in contents.entries}
    return {f"assets/cards/{uri.removesuffix('.md')}.png": _card(*some) for uri, some in words.items()}


def _card(title: str, line: str, kind: str) -> bytes:
    """A card as a PNG, its title cut after three lines, what the page is about where the card ends."""
    from PIL import Image, ImageDraw  # only when there is something to draw

    card = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(card)
    draw.rectangle((0, 0, 16, SIZE[1]), fill="#6db4f2")
    draw.text((80, 70), f"llmnotes · {kind}", font=_font(30), fill=MUTED)
    below = 140
    for text, font, fill, gap, end in ((title, _font(64, "-Bold"), INK, 80, 380), (line, _font(34), MUTED, 48, 600)):
        lines, most = [""], (end - below) // gap
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            lines = [*lines[:-1], longer] if font.getlength(longer) <= WIDTH else [*lines, word]
        if len(lines) > most:
            lines = [*lines[: most - 1], f"{lines[most - 1]} …"]
        for at, one in enumerate(lines):
            draw.text((80, below + at * gap), one, font=font, fill=fill)
        below += 30 + gap * len(lines)
    png = io.BytesIO()
    card.quantize(16).save(png, format="PNG")
    return png.getvalue()


@functools.cache
def _font(size: int, weight: str = "") -> Any:
    """DejaVu Sans, which comes with matplotlib."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", f"DejaVuSans{weight}.ttf")), size)
