"""Formulas are set when the site is built: pages need KaTeX's style sheet and fonts, but no script."""

from __future__ import annotations

import functools
import re
from html import unescape
from pathlib import Path

from llmnotes.site.errors import NotebookError

KATEX = Path(__file__).parent / "katex"
_MATHS = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)

# Query, key and value have the hues of the drawings: \\q{q_i}, \\k{k_j}, \\v{v_j} (docs/assets/prose.css)
_TYPESET = r"""
const macros = Object.fromEntries(["q", "k", "v"].map((one) => [`\\${one}`, `\\htmlClass{${one}}{#1}`]));
const typeset = (formula, displayMode) => katex.renderToString(formula, {
  displayMode,
  throwOnError: true,
  macros: { ...macros },
  trust: ({ command }) => command === "\\htmlClass",
  strict: (code) => (code === "htmlExtension" ? "ignore" : "warn"),
});
"""


def render_maths(html: str, where: str) -> str:
    """Set formulas with KaTeX, so that the page needs its style sheet and fonts but no script.

    Raises:
        NotebookError: KaTeX does not understand a formula.
    """

    def replace(found: re.Match) -> str:
        formula = unescape(found[2]).strip()
        display = found[1] == "div"
        try:
            rendered = _katex(formula, display)
        except Exception as error:  # the JavaScript engine's errors have no common class that it exports
            said = re.search(r"KaTeX parse error: ([^\n]*)", str(error))  # what follows is all of KaTeX's source
            why = said[1] if said else type(error).__name__
            raise NotebookError(f"{where}: the formula {formula[:200]!r} is not understood: {why[:200]}") from None
        if display:  # may be wider than a phone: it scrolls by itself, also by keyboard
            return f'<div class="maths" tabindex="0">{rendered}</div>'
        return rendered

    return _MATHS.sub(replace, html)


@functools.lru_cache(maxsize=4096)
def _katex(formula: str, display: bool) -> str:
    return _engine().call("typeset", formula, display)


@functools.cache
def _engine():
    from py_mini_racer import MiniRacer

    engine = MiniRacer()
    engine.eval((KATEX / "katex.min.js").read_text(encoding="utf-8"))
    engine.eval(_TYPESET)
    return engine
