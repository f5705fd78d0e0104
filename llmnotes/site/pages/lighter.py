"""Figures of labs in fewer bytes and elements than matplotlib writes, looking the same."""

from __future__ import annotations

import re
from hashlib import sha256

_USE = r'<use href="#{}" x="[^"]+" y="[^"]+" style="{}"/>\s*'
_RUN = re.compile(
    _USE.format('(?P<name>[^"]+)', '(?P<style>[^"]*)') + "(?:" + _USE.format("(?P=name)", "(?P=style)") + "){2,}"
)
_LINE_AND_MARKS = re.compile(
    r'(<path d="([^"]*)" (clip-path="[^"]*") style="[^"]*)("/>)\s*((?:<defs>.*?</defs>\s*)?)<g \3>\s*'
    r'(<marker [^>]*>.*?</marker>)<path d="\2" fill="none" style="(marker: [^"]*)"/>\s*</g>\s*'
)
_TEXT = r"<text [^>]*>[^<]*</text>\s*"
_GRID = r'<path d="m[^"]*" clip-path="[^"]*" style="fill: none; stroke: var\(--rule\)[^"]*"/>\s*'
_TICK = r'<defs>\s*<path id="[^"]*" d="M0 0L[-\d.]+ [-\d.]+"[^>]*/>\s*</defs>\s*'


def lighter(svg: str) -> str:
    """A drawing without empty groups; lines in steps of tenths; equal marks, ticks and grid lines as one path.

    A path of marks has a marker at each of its points, so that marks which lie on each other are as dark as they were.
    """
    svg = re.sub(r'(?:<path d="[^"]*" style="fill: none"|<g)/>\s*', "", svg)
    svg = re.sub(r'(?<=data-axes="\[)(\{.*?\}),\{[^"]*\}(?=\]")', r"\1", svg)  # a curve is drawn on the first alone
    svg = re.sub(r"(var\(--[a-z]+), #[0-9a-f]{6}\)", r"\1)", svg)  # the page has all of these
    svg = re.sub(r" stroke-dashoffset: 0;| text-anchor: start;", "", svg)
    svg = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", svg)
    svg = re.sub(r"<text [^>]*>", lambda tag: re.sub(r"\d+\.\d\d", lambda n: f"{float(n[0]):.1f}", tag[0]), svg)
    svg = re.sub(r'(?<=<path d=")M[-\d. L]+(?=z?")', lambda path: _steps(_points(path[0])), _ungrouped(svg))
    shapes = {
        name: (d, own) for name, d, own in re.findall(r'<path id="([^"]+)" d="([^"]*)"(?: style="([^"]*)")?/>', svg)
    }
    svg = _RUN.sub(lambda run: _marks(run, *shapes[run["name"]]), svg)
    ticks = "|".join(name for name, (d, _) in shapes.items() if re.fullmatch(r"M0 0L[-\d.]+ [-\d.]+", d)) or "(?!)"
    line = "|".join([_GRID, _TEXT, _TICK, _USE.format(f"(?:{ticks})", '[^"]*')])
    svg = re.sub(_LINE_AND_MARKS, r"\5\6\1; \7\4\n", svg)
    svg = re.sub(f"(?:{line}){{4,}}", lambda axis: _axis(axis[0], shapes), svg)
    svg = re.sub(r'(?<= d=")M[-\d. L]{40,}(?=z?")', lambda path: _steps(_points(path[0])), svg)  # areas
    svg = re.sub(r'<path((?: id="[^"]*")?) d="M0 ([\d.]+)(?:C[-\d. ]+){8}z"', r'<circle\1 r="\2"', svg)
    used = set(re.findall(r'href="#([^"]+)"', svg))
    svg = re.sub(r'<defs>\s*<\w+ id="([^"]+)"[^>]*/>\s*</defs>\s*', lambda d: d[0] if d[1] in used else "", svg)
    salt = "s" + sha256(svg.encode()).hexdigest()[:4]  # of another figure on the page the names differ
    short = {name: f"{salt}{n}" for n, name in enumerate(dict.fromkeys(re.findall(r' id="([^"]+)"', svg)))}
    return re.sub(r'( id="|href="#|url\(#)([^")]+)', lambda at: at[1] + short.get(at[2], at[2]), svg)


def _ungrouped(svg: str) -> str:
    """The drawing without groups that have no attributes."""
    parts, kept, end = [], [], 0
    for tag in re.finditer(r"<(/?)g(\s[^>]*)?>\s*", svg):
        parts.append(svg[end : tag.start()])
        end = tag.end()
        if not tag[1]:
            kept.append(bool(tag[2]))
        if kept[-1] if not tag[1] else kept.pop():
            parts.append(tag[0])
    return "".join([*parts, svg[end:]])


def _marks(run: re.Match, shape: str, own: str) -> str:
    """Equal marks, in the order that is written shortest: which of them lies above is not to be seen."""
    places = _points(" ".join(f"{x} {y}" for x, y in re.findall(r' x="([^"]+)" y="([^"]+)"', run[0])))
    points = min((_steps(sorted(places, key=key)) for key in (None, lambda at: at[::-1])), key=len)
    marker = f"{run['name']}-{run.start()}"
    style = "; ".join(dict.fromkeys(filter(None, f"{run['style']}; {own}".split("; "))))
    return (
        f'<marker id="{marker}" markerUnits="userSpaceOnUse" overflow="visible"><path d="{shape}" style="{style}"/>'
        f'</marker><path d="{points}" fill="none" style="marker: url(#{marker})"/>\n'
    )


def _axis(axis: str, shapes: dict[str, tuple[str, str]]) -> str:
    """An axis: its grid, its ticks, and then what is written at them."""
    lines: dict[str, list[str]] = {}
    for d, how in re.findall(r'<path d="(m[^"]*)" (clip-path="[^"]*" style="[^"]*")/>', axis):
        lines.setdefault(how, []).append(re.sub(r"^m(-?[\d.]+ ?-?[\d.]+) ?", r"M\1l", d))
    for name, x, y, style in re.findall(r'<use href="#([^"]+)" x="([^"]+)" y="([^"]+)" style="([^"]*)"/>', axis):
        tick = shapes[name][0].removeprefix("M0 0L")
        lines.setdefault(f'style="{style}"', []).append(f"{_steps(_points(f'{x} {y}')).replace('m', 'M')}l{tick}")
    drawn = "".join(f'<path d="{"".join(ds)}" {how}/>\n' for how, ds in lines.items())
    return drawn + _texts(re.findall(_TEXT, axis))


def _texts(texts: list[str]) -> str:
    """What is written, with the style of its neighbours said once."""
    styles: dict[str, list[str]] = {}
    for one in texts:
        before, style, after = re.match(r'(<text[^>]*?)((?: style="[^"]*")?)((?: [^>]*)?>.*)', one, re.DOTALL).groups()
        styles.setdefault(style, []).append(before + after)
    return "".join(f"<g{style}>{''.join(ones)}</g>\n" for style, ones in styles.items())


def _points(text: str) -> list[tuple[int, int]]:
    """Coordinates in tenths."""
    tenths = [round(10 * float(number)) for number in re.findall(r"-?[\d.]+", text)]
    return list(zip(tenths[::2], tenths[1::2], strict=True))


def _steps(points: list[tuple[int, int]]) -> str:
    """A path through points, each as its distance from the one before."""
    before = [(0, 0), *points]
    steps = [(x - a, y - b) for (x, y), (a, b) in zip(points, before, strict=False)]
    text = " ".join(f"{x / 10:g} {y / 10:g}" for x, y in steps)
    return "m" + re.sub(r" (?=-)", "", re.sub(r"(?<![\d.])0\.", ".", text))
