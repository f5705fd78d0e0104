"""Pages weigh little and lose nothing: figures with fewer bytes, a style sheet without what no page names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from once import ROOT

from llmnotes.site.pages.assets import without_unused
from llmnotes.site.pages.lighter import lighter

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
    assert 'd="m10 180 0-150m10.5 150 0-150m9.5 150 0-150m10 150 0-150"' in lighter(lines)


def test_marks_that_are_equal_become_one_path_with_a_marker_at_each_point() -> None:
    uses = "".join(
        f'<use href="#m" x="{x}" y="{y}" style="fill-opacity: 0.5"/>\n' for x, y in ((3, 1), (1.04, 1), (2, 5))
    )
    found = lighter(f'<svg><defs>\n<path id="m" d="M0 0L1 1z"/>\n</defs>\n{uses}</svg>')
    assert "<use" not in found
    assert re.search(
        r'<marker id="(s\w+)" [^>]*overflow="visible"><g style="fill-opacity: 0.5"><path d="M0 0L1 1z"/>', found
    )
    assert re.search(r'<path d="m(3 1-2 0 1 4|1 1 1 4 1-4|1 1 2 0-1 4)" fill="none"', found)


def test_a_style_sheet_keeps_the_rules_of_what_pages_have() -> None:
    css = (
        "@charset 'UTF-8';/* .gone{} */.kept , .md-tabs:hover{\n  color: red;\n}.md-tabs{color:red}"
        "[dir=rtl] .kept{left:0}[dir=ltr] .kept{right:0}.md-nav__link,.md-nav__title{margin:0}"
        "@media print{.md-footer{color:red}}@media (min-width:60em){.md-top:not(.kept)::after{content:'x'}}"
        "@font-face{font-family:F;src:url(a;b.woff2)}p:is(.a,.b:not(.c,.d)),.md-post{top:1px}"
    )
    assert without_unused(css) == (
        "@charset 'UTF-8';.kept{color: red;}[dir=ltr] .kept{right:0}.md-nav__link{margin:0}"
        "@font-face{font-family:F;src:url(a;b.woff2)}p:is(.a,.b:not(.c,.d)){top:1px}"
    )
