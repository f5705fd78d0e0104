"""Pages weigh little and lose nothing: figures with fewer bytes, a style sheet without what no page names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from once import ROOT

from llmnotes.site.pages.lighter import lighter
from llmnotes.site.pages.stylesheet import strip

FIGURES = sorted((ROOT / "labs" / "recorded").glob("*/figures/*.svg"))


def marks(svg: str) -> int:
    """How many marks and ticks stand on a figure, drawn one by one or along a path."""
    along = 0
    for d in re.findall(r'<path d="([^"]*)"[^>]*marker: url', svg):
        along += len(re.findall(r"-?[\d.]+", d)) // 2
    ticks = sum(d.count("l") for d in re.findall(r'<path d="([^"]*)" style="fill: var\(--grey\)', svg))
    return len(re.findall(r"<use ", svg)) + along + ticks


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_lighter_figure_keeps_its_words_and_marks(path: Path) -> None:
    before = path.read_text(encoding="utf-8")
    after = lighter(before)
    assert len(after) < len(before)
    assert sorted(re.findall(r">([^<>\n]+)</t", after)) == sorted(re.findall(r">([^<>\n]+)</t", before))
    assert re.findall(r'data-choice="\w+"', after) == re.findall(r'data-choice="\w+"', before)
    assert marks(after) == marks(before)
    assert after.count("<g") == after.count("</g>")


def test_grid_lines_that_become_one_path_stay_lines() -> None:
    rule = 'style="fill: none; stroke: var(--rule, #dfdbd1); stroke-width: 0.8; stroke-linecap: square"/>'
    lines = "".join(f'<g>\n<path d="M{x} 180L{x} 30" clip-path="url(#a)" {rule}\n</g>\n' for x in (10, 20.5, 30, 40))
    assert 'd="M10 180l0-150M20.5 180l0-150M30 180l0-150M40 180l0-150"' in lighter(lines)


def test_marks_that_are_equal_become_one_path_with_a_marker_at_each_point() -> None:
    uses = "".join(
        f'<use href="#m" x="{x}" y="{y}" style="fill-opacity: 0.5"/>\n' for x, y in ((3, 1), (1.04, 1), (2, 5))
    )
    found = lighter(f'<svg><defs>\n<path id="m" d="M0 0L1 1z"/>\n</defs>\n{uses}</svg>')
    assert "<use" not in found
    assert re.search(
        r'<marker id="(s\w+)" [^>]*overflow="visible"><path d="M0 0L1 1z" style="fill-opacity: 0.5"/>', found
    )
    assert re.search(r'<path d="m(3 1-2 0 1 4|1 1 1 4 1-4|1 1 2 0-1 4)" fill="none"', found)


def test_the_style_sheet_of_a_site_holds_what_its_pages_and_scripts_name(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "style.1.css").write_text(
        "@charset 'UTF-8';/* .gone{} */.kept , .gone:hover{ color : red }.gone{color:red}"
        "[dir=rtl] .kept{left:0}[dir=ltr] .kept{right:0}"
        "@media print{.gone{color:red}}@media (min-width:60em){.kept:not(.gone)::after{content:'} .x{'}}"
        "@font-face{font-family:F;src:url(a;b.woff2)}.kept{mask:url(\"a;')'}b\")}.by-script>a{margin:0}#there{top:0}p:is(.a,.b){top:1px}"
    )
    (tmp_path / "assets" / "page.js").write_text('x.classList.add("by-script")')
    (tmp_path / "index.html").write_text('<link href="assets/style.1.css"><p class="kept" id=there>.gone</p>')
    strip(tmp_path, "assets/style.1.css")
    (found,) = (tmp_path / "assets").glob("style.*.css")
    assert found.name in (tmp_path / "index.html").read_text()
    assert found.read_text() == (
        "@charset 'UTF-8';.kept{color:red}[dir=ltr] .kept{right:0}"
        "@media (min-width:60em){.kept:not(.gone)::after{content:'} .x{'}}"
        "@font-face{font-family:F;src:url(a;b.woff2)}.kept{mask:url(\"a;')'}b\")}.by-script>a{margin:0}#there{top:0}p:is(.a,.b){top:1px}"
    )
