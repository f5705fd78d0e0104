"""The picture that other sites show beside a link to a page: its title and its question, drawn at build, offline."""

from __future__ import annotations

import functools
import textwrap
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from llmnotes.site.run.digests import digest

SIZE = (1200, 630)  # what the Open Graph protocol's readers expect
PAPER, INK, MUTED = "#16324f", "#ffffff", "#b9cbe0"


def add_cards(files: Files, config: MkDocsConfig, folder: Path, pages: dict[str, tuple[str, str, str]]) -> None:
    """Add a card for each page to the site's files.

    Args:
        files: of the site.
        config: of the site.
        folder: where cards are kept between builds.
        pages: by the source of the page its title, its line and its kind.
    """
    for uri, words in pages.items():
        drawn = social_card(*words, folder / f"{digest(repr(words).encode())}.png")
        files.append(File.generated(config, address(uri), abs_src_path=str(drawn)))


def address(uri: str) -> str:
    """Where the card of a page stands on the site."""
    return f"assets/cards/{uri.rpartition('.')[0]}.png"


def social_card(title: str, line: str, kind: str, path: Path) -> Path:
    """Draw a card as a PNG; one that is there already is left as it is.

    Args:
        title: of the page, in large letters.
        line: what the page is about; cut after five lines.
        kind: what sort of page it is.
        path: where to write it.
    """
    if path.is_file():
        return path
    from PIL import Image, ImageDraw  # only when there is something to draw

    card = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(card)
    draw.rectangle((0, 0, 16, SIZE[1]), fill="#6db4f2")
    draw.text((80, 70), f"llmnotes · {kind}", font=_font(30), fill=MUTED)
    below = 140
    for text, font, fill, width, most, gap in (
        (title, _font(64, bold=True), INK, 26, 3, 80),
        (line, _font(34), MUTED, 54, 5, 48),
    ):
        lines = textwrap.wrap(text, width)
        if len(lines) > most:
            lines = [*lines[: most - 1], lines[most - 1] + " …"]
        for one in lines:
            draw.text((80, below), one, font=font, fill=fill)
            below += gap
        below += 30
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    card.quantize(16).save(new, format="PNG", optimize=True)
    new.replace(path)
    return path


@functools.cache
def _font(size: int, bold: bool = False) -> Any:
    """DejaVu Sans, which comes with matplotlib."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
