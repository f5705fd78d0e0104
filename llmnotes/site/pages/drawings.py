"""Drawings: those of the machine, made by hand, with a part lit up; and what the notebook draws of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape, unescape
from itertools import groupby
from pathlib import Path
from statistics import fmean

from llmnotes.site.errors import NotebookError, pick
from llmnotes.site.pages.contents import Contents
from llmnotes.site.pages.templates import render
from llmnotes.site.run.store import PACKAGE


def drawing(folder: Path, name: str, light: str | Sequence[str] = (), *, alt: str = "") -> str:
    """Give a drawing of a folder as a figure in HTML, with one or several parts lit up and all else dimmed.

    A drawing is a file `name.svg`; `name.narrow.svg` beside it is shown where there is less room. A part is a group
    with `data-part`. The style that all files share is in the site's style sheet (docs/assets/drawing.css). `alt` says
    what it shows here to those who do not see it, by default what the file says of itself.
    """
    known = {path.stem: path for path in sorted(folder.glob("*.svg")) if ".narrow" not in path.name}
    wide = pick(known, name, "drawing", "drawing")
    lit = [light] if isinstance(light, str) else list(light)
    parts = dict.fromkeys(re.findall(r'data-part="([^"]+)"', _read(wide)))
    for part in lit:
        pick(parts, part, f"drawing {name!r}, light", "part")
    narrow = wide.with_suffix(".narrow.svg")
    if not narrow.is_file():
        return f'<figure class="machine">{_shown(wide, lit, alt)}</figure>'
    both = _shown(wide, lit, alt, " wide") + _shown(narrow, lit, alt, " narrow")
    return f'<figure class="machine full">{both}</figure>'


@lru_cache(maxsize=256)
def _read(path: Path) -> str:
    """A file without its style, comments, lines of its own, and the ids that a second copy would have as well."""
    text = re.sub(r"\s*<style>.*?</style>|<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r' id="[^"]*"| xmlns="[^"]*"', "", text)
    return re.sub(r">\s*\n\s*<", "><", text).strip()


def _shown(path: Path, lit: Sequence[str], alt: str, size: str = "") -> str:
    """One file as it stands on a page: parts lit, its title and description as its label."""
    svg = _read(path).replace('class="drawing"', f'class="drawing{size}"', 1)
    for part in lit:
        svg = svg.replace(f'data-part="{part}"', f'data-part="{part}" class="on"')
    said = re.search(r"<title>(.*?)</title>\s*<desc>(.*?)</desc>", svg, re.DOTALL)
    label = escape(f"{unescape(said[1])}. {alt or unescape(said[2])}")
    return re.sub('aria-labelledby="[^"]*"', lambda _: f'aria-label="{label}"', svg.replace(said[0], "", 1), count=1)


def picture(folder: Path, *names: str) -> str:
    """A drawing without text, as SVG to stand in a page: the first of these files that exists."""
    if not folder.is_dir():  # a notebook without pictures
        return ""
    for name in names:
        if (path := folder / f"{name}.svg").is_file():
            return _read(path)
    raise NotebookError(f"{folder}: has no picture {' or '.join(f'{name}.svg' for name in names)}; draw one")


def dependencies(contents: Contents) -> str:
    """What builds on what, as a drawing: a row a chapter, a circle a lab, a line from each lab to what it needs.

    A need that another need already has is left out. Labs come from their headers, so that a new one is drawn at once.
    """
    labs = {lab.stem: lab for lab in contents.labs}
    needs = {stem: [need for need in lab.needs if need in labs] for stem, lab in labs.items()}
    above: dict[str, set[str]] = {}  # all that a lab builds on: each lab stands behind its needs
    for stem, some in needs.items():
        above[stem] = {*some}.union(*(above[need] for need in some))
    direct = {
        stem: [one for one in some if not any(one in above[need] for need in some)] for stem, some in needs.items()
    }
    return render("needs.html.jinja", chapters=contents.chapters, labs=labs, needs=needs, direct=direct)


def track_record(pairs: Iterable[tuple[float, bool]]) -> str:
    """Predictions, each its probability and whether it came true, as marks above a line (true) and below (not true).

    Each tenth of the scale is a column; under it stand its mean probability and the share that came true.
    """
    columns = [
        {"said": fmean(p for p, _ in some), "true": sum(true for _, true in some), "all": len(some)}
        for some in _parts(pairs, 10)
    ]
    return render("track.html.jinja", columns=columns)


def _parts(pairs: Iterable[tuple[float, bool]], n: int) -> list[list[tuple[float, bool]]]:
    """Predictions by the n-th of the scale in which their probability lies, without parts that hold none."""
    return [[*some] for _, some in groupby(sorted(pairs), lambda one: min(n - 1, int(n * one[0])))]


def calibration_plot(pairs: Iterable[tuple[float, bool]]) -> str:
    """Predictions as `track_record` takes them: the share that came true against what we said, in fifths of the scale.

    Each bar is the 95% interval of Wilson (1927, Journal of the American Statistical Association 22).
    """
    from scipy.stats import binomtest  # for this alone

    marks, words = [], []
    for some in _parts(pairs, 5):
        p, n, right = fmean(p for p, _ in some), len(some), sum(outcome for _, outcome in some)
        interval = binomtest(right, n).proportion_ci(method="wilson")
        marks.append((p, right / n, interval.low, interval.high, 3 + n**0.5))
        words.append(f"of {n} held for about {p:.0%} likely, {right / n:.0%} came true")
    return render("calibration.html.jinja", marks=marks, words=words).replace("\n", "")


def still() -> str:
    """Home's bench in HTML, complete before its engine is there; the engine takes over at the reader's first touch."""
    looks = json.loads((PACKAGE / "shipped" / "first-look.json").read_text(encoding="utf-8"))  # by shipped.first_look
    return render("bench.html.jinja", **looks).replace("\n", "")
