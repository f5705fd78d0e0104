"""A figure as SVG for the page: colours by the names that its styles know, and a second layout for phones.

The page sets the drawing in line, so that it follows light and dark. A part of the drawing with the id `choice-both`
(`line.set_gid("choice-both")`) becomes the mark of that choice of `llmnotes.lab.ask`: `<g data-choice="both">`. The
root's `data-axes` holds for each axes its box in the drawing's units, `[left, top, right, bottom]`, the values at its
ends, and which of x and y are logarithmic.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from llmnotes.lab.narrow import make_narrow, wrap_titles
from llmnotes.lab.plots import VARIABLES, WIDTH

SMALLEST = 9  # points: 12 pixels as shown, since both layouts are shown at their own width


def save(fig: Figure, stem: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write STEM.svg, STEM.narrow.svg and STEM.npz: the figure for a page and for a phone, and the arrays it shows.

    The same figure gives the same bytes: no date, and element ids that depend on content alone.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    for text in fig.findobj(Text):
        text.set_fontsize(max(text.get_fontsize(), SMALLEST))
    if fig.get_figwidth() > WIDTH:
        fig.set_figwidth(WIDTH)
    fig.draw_without_rendering()
    wrap_titles(fig)
    stem.with_name(f"{stem.name}.svg").write_text(_svg(fig, stem.name), encoding="utf-8")
    make_narrow(fig)
    stem.with_name(f"{stem.name}.narrow.svg").write_text(_svg(fig, f"{stem.name}-narrow"), encoding="utf-8")
    np.savez_compressed(stem.with_name(f"{stem.name}.npz"), **arrays)


def _svg(fig: Figure, salt: str) -> str:
    buffer = io.StringIO()
    fig.draw_without_rendering()  # a layout that was changed settles with the second drawing
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none"}):
        fig.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _for_the_page(buffer.getvalue(), _axes(fig))


def _axes(fig: Figure) -> list[dict]:
    """Where the axes lie in the drawing, for a script that draws on them."""
    height = fig.get_figheight() * 72
    found = []
    for ax in fig.axes:
        if hasattr(ax, "_colorbar"):
            continue
        box = ax.get_window_extent()
        left, bottom, right, top = (float(edge) * 72 / fig.dpi for edge in (box.x0, box.y0, box.x1, box.y1))
        found.append(
            {
                "box": [round(edge, 1) for edge in (left, height - top, right, height - bottom)],
                "x": [float(f"{end:.6g}") for end in ax.get_xlim()],
                "y": [float(f"{end:.6g}") for end in ax.get_ylim()],
                "log": "".join(name for name, axis in (("x", ax.xaxis), ("y", ax.yaxis)) if axis.get_scale() == "log"),
            }
        )
    return found


def _for_the_page(svg: str, axes: list[dict]) -> str:
    """The drawing in few bytes, its colours by name, without what would leak into a page or clash there."""
    svg = re.sub(r"^.*?<svg ", "<svg ", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<defs>\s*<style.*?</defs>|^\s+", "", svg, flags=re.M | re.S)
    svg = re.sub(r'(?<= d=")[^"]*', lambda path: re.sub(r"\s*([A-Za-z])\s*", r"\1", path[0]).strip(), svg)
    svg = re.sub(r"<[^>]+>", lambda tag: _LONG.sub(_short, tag[0]), svg)  # what is written stays as it is
    svg = re.sub(r"font: (?:(\w+) )?([\d.]+px) [^;\"]*", lambda m: f"{_weight(m[1])}font-size: {m[2]}", svg)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(
        r"(?<=: )#[0-9a-f]{6}", lambda m: f"var({VARIABLES[m[0]]}, {m[0]})" if m[0] in VARIABLES else m[0], svg
    )
    svg = re.sub(r' id="choice-(\w+)"', r' data-choice="\1"', svg)
    used = set(re.findall(r"(?:url\(|href=\")#([^)\"]+)", svg))
    svg = re.sub(r' id="([^"]*)"', lambda m: m[0] if m[1] in used else "", svg)
    svg = svg.replace("xlink:href", "href").replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    box = re.search(r'viewBox="([^"]*)"', svg)[1]
    root = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" stroke-linejoin="round" stroke-linecap="butt" '
        "font-family=\"Inter, system-ui, 'DejaVu Sans', sans-serif\" "
        f'data-axes="{escape(json.dumps(axes, separators=(",", ":")))}">'
    )
    return re.sub(r"^<svg [^>]*>", lambda _: root, svg).replace("\n\n", "\n")


_LONG = re.compile(r"-?(?<![\d.])\d+\.\d{3,}")


def _short(number: re.Match) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _weight(word: str | None) -> str:
    return "" if word is None else f"font-{'weight' if word.isdigit() or word == 'bold' else 'style'}: {word}; "
