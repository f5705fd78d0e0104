"""Figures of labs in fewer bytes and elements than matplotlib writes, looking the same."""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import groupby

_RUN = re.compile(
    r'(<use href="#([^"]+)") x="[^"]+" y="[^"]+" style="([^"]*)"/>\s*(?:\1 x="[^"]+" y="[^"]+" style="\3"/>\s*){2,}'
)
_RULE = r'clip-path="[^"]*" style="fill: none; stroke: var\(--rule\)[^"]*"'
_OF_AXIS = rf'<path d="[^"]*" {_RULE}/>\s*|<text [^>]*>[^<]*</text>\s*|<use [^>]*stroke: var\(--grey\)[^>]*>\s*'


def lighter(svg: str) -> str:
    """A drawing without empty groups; lines in steps of tenths; equal marks and grid lines as one path.

    A path of marks has a marker at each of its points, so that marks which lie on each other are as dark as they were.
    """
    svg = re.sub(r'(?:<path d="[^"]*" style="fill: none"|<g)/>\s*', "", svg)
    svg = re.sub(r'(?<=data-axes="\[)(\{.*?\}),\{[^"]*\}(?=\]")', r"\1", svg)  # a curve is drawn on the first alone
    svg = re.sub(r"(var\(--[a-z]+), #[0-9a-f]{6}\)", r"\1)", svg)  # the page has all of these
    svg = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", svg)
    svg = re.sub(r"<text [^>]*>", lambda tag: re.sub(r"\d+\.\d\d", lambda n: f"{float(n[0]):.1f}", tag[0]), svg)
    shapes = dict(re.findall(r'<path id="([^"]+)" ([^>]*/>)', svg))
    svg = _ungrouped(re.sub(r"<defs>\s*(?:<path id=[^>]*/>\s*)+</defs>\s*", "", svg))
    svg = re.sub(f"(?:{_OF_AXIS}){{4,}}", _in_order, svg)
    svg = re.sub(rf'" ({_RULE})/>\s*<path d="(?=[^"]*" \1/>)', "", svg)
    svg = re.sub(r'(?<= d=")(?:M[-\d. L]{6,})+(?=z?")', lambda path: _steps(path[0]), svg)
    svg = _RUN.sub(lambda run: _marks(run, shapes[run[2]]), svg)
    used = [f'<path id="{name}" {shape}' for name, shape in shapes.items() if f'href="#{name}"' in svg]
    svg = svg.replace("\n", f"<defs>{''.join(used)}</defs>\n", 1) if used else svg
    svg = re.sub(r'<path((?: id="[^"]*")?) d="M0 ([\d.]+)(?:C[-\d. ]+){8}z"', r'<circle\1 r="\2"', svg)
    salt = "s" + sha256(svg.encode()).hexdigest()[:4]  # of another figure on the page the names differ
    short = {name: f"{salt}{n}" for n, name in enumerate(dict.fromkeys(re.findall(r' id="([^"]+)"', svg)))}
    return re.sub(r'( id="|href="#|url\(#)([^")]+)', lambda at: at[1] + short.get(at[2], at[2]), svg)


def _ungrouped(svg: str) -> str:
    """The drawing without groups that have no attributes."""
    kept: list[bool] = []

    def tag(found: re.Match[str]) -> str:
        if not found[1]:
            kept.append(bool(found[2]))
        return found[0] if (kept.pop() if found[1] else kept[-1]) else ""

    return re.sub(r"<(/?)g(\s[^>]*)?>\s*", tag, svg)


def _in_order(axis: re.Match[str]) -> str:
    """An axis with all of a kind behind each other, which differ in place and text; what is written has one style."""

    def kind(element: str) -> str:
        return re.sub(r' (?:d|x|y|transform)="[^"]*"|(?<!/)>.*', "", element.strip(), flags=re.DOTALL)

    parts = []
    for same, some in groupby(sorted(re.findall(_OF_AXIS, axis[0]), key=kind), key=kind):
        together, style = "".join(some), same.removeprefix("<text")
        parts.append(together if style == same else f"<g{style}>{together.replace(style, '')}</g>\n")
    return "".join(parts)


def _marks(run: re.Match[str], shape: str) -> str:
    """Equal marks in order: which of them lies above is not to be seen."""
    places = sorted((float(x), float(y)) for x, y in re.findall(r' x="([^"]+)" y="([^"]+)"', run[0]))
    points = _steps("M" + "L".join(f"{x} {y}" for x, y in places))
    marker = f"{run[2]}-{run.start()}"
    return (
        f'<marker id="{marker}" markerUnits="userSpaceOnUse" overflow="visible"><g style="{run[3]}"><path {shape}</g>'
        f'</marker><path d="{points}" fill="none" style="marker: url(#{marker})"/>\n'
    )


def _steps(path: str) -> str:
    """A path through points, each as its distance from the one before, in tenths."""
    found = re.findall(r"([ML])(-?[\d.]+) (-?[\d.]+)", path)
    points = [(0, 0), *((round(10 * float(x)), round(10 * float(y))) for _, x, y in found)]
    text = ""
    for (letter, *_), (a, b), (x, y) in zip(found, points, points[1:], strict=False):
        text += f"{'m' if letter == 'M' else ' '}{(x - a) / 10:g} {(y - b) / 10:g}"
    return re.sub(r" (?=-)", "", re.sub(r"(?<![\d.])0\.", ".", text))
