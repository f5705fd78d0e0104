"""The drawings of the machine: hand-made SVG that a page takes in, with the part lit up that the page is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from itertools import count
from pathlib import Path

from llmnotes.site.errors import NotebookError, near

_STYLE = re.compile(r"\s*<style>.*?</style>", re.DOTALL)
_PART = re.compile(r'<g\b[^>]*\bdata-part="([^"]+)"')


class Drawings:
    """The drawings of a folder, for the pages of one site.

    A drawing is a file `name.svg`; `name.narrow.svg` beside it is shown where there is less room. A part is a group
    with `data-part`. The style that all files share is in the site's style sheet (docs/assets/drawing.css).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._copies = count(1)

    def show(
        self, name: str, light: str | Sequence[str] = (), *, alt: str = "", title: str = "", caption: str = ""
    ) -> str:
        """Give a drawing as a figure in HTML.

        Args:
            name: of its file, such as `one-head`.
            light: the part to light up, or several; all else is dimmed.
            alt: what it shows here, for those who do not see it; by default what the file says of itself.
            title: a heading over the figure: the finding.
            caption: a sentence under it.

        Raises:
            NotebookError: no such drawing or part.
        """
        known = sorted(path.stem for path in self.folder.glob("*.svg") if ".narrow" not in path.name)
        if name not in known:
            raise NotebookError(
                f"drawing({name!r}): no such drawing{near(name, known)}; there are {', '.join(known) or 'none'}"
            )
        lit = [light] if isinstance(light, str) else list(light)
        parts = _parts(_read(self.folder / f"{name}.svg"))
        for part in lit:
            if part not in parts:
                raise NotebookError(
                    f"drawing({name!r}, light={part!r}): no such part{near(part, parts)}; its parts are "
                    f"{', '.join(sorted(parts))}"
                )
        copy = next(self._copies)
        narrow = self.folder / f"{name}.narrow.svg"
        wide = _shown(_read(self.folder / f"{name}.svg"), lit, alt, f"d{copy}", "wide" if narrow.is_file() else "")
        both = wide + (_shown(_read(narrow), lit, alt, f"d{copy}n", "narrow") if narrow.is_file() else "")
        head = f'<span class="t">{escape(title, quote=False)}</span>' if title else ""
        foot = f"<figcaption>{escape(caption, quote=False)}</figcaption>" if caption else ""
        full = " full" if narrow.is_file() else ""
        return f'<figure class="machine{full}">{head}{both}{foot}</figure>'

    def choice(self, name: str) -> str:
        """Give a drawing that stands for a choice of the reader's, beside its words.

        Raises:
            NotebookError: no such drawing.
        """
        return picture(self.folder, name).replace("<svg", '<svg aria-hidden="true"', 1)


@lru_cache(maxsize=64)
def _read(path: Path) -> str:
    text = _STYLE.sub("", path.read_text(encoding="utf-8"))
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    return re.sub(r">\s*\n\s*<", "><", text).strip()


def _parts(svg: str) -> set[str]:
    return set(_PART.findall(svg))


def _shown(svg: str, lit: Sequence[str], alt: str, mark: str, size: str) -> str:
    """One file as it stands on a page: parts lit, ids of its own, its description replaced."""
    svg = svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1)
    if size:
        svg = svg.replace('class="drawing"', f'class="drawing {size}"', 1)
    for part in lit:
        svg = re.sub(rf'(<g\b[^>]*\bdata-part="{re.escape(part)}")', r'\1 class="on"', svg)
    if alt:
        svg = re.sub(r"(<desc[^>]*>).*?</desc>", lambda found: f"{found[1]}{escape(alt)}</desc>", svg, flags=re.DOTALL)
    svg = re.sub(r'(<g\b[^>]*?) id="[^"]*"', r"\1", svg)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{mark}-\1"', svg)
    return re.sub(
        r'aria-labelledby="([^"]+)"',
        lambda found: f'aria-labelledby="{" ".join(f"{mark}-{one}" for one in found[1].split())}"',
        svg,
    )


def picture(folder: Path, *names: str) -> str:
    """A thumbnail without text: the first of these files that exists, as SVG to stand in a page.

    Raises:
        NotebookError: the folder has none of them. A notebook without such a folder has no pictures.
    """
    if not folder.is_dir():
        return ""
    for name in names:
        if (path := folder / f"{name}.svg").is_file():
            return _read(path).replace(' xmlns="http://www.w3.org/2000/svg"', "", 1)
    raise NotebookError(f"{folder}: has no picture {' or '.join(f'{name}.svg' for name in names)}; draw one")
