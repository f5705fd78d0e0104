"""What is done to a page's HTML after MkDocs has rendered it: maths, links from code to the API, search, hovers."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable
from html import unescape
from pathlib import Path

from llmnotes.site.errors import NotebookError
from llmnotes.site.run.labs import Lab

KATEX = Path(__file__).parent / "katex"
_MATHS = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def render_maths(html: str, where: str) -> tuple[str, bool]:
    """Set formulas with KaTeX, so that the page needs its style sheet and fonts but no script.

    Returns:
        The HTML, and whether it holds a formula.

    Raises:
        NotebookError: KaTeX does not understand a formula.
    """

    def replace(found: re.Match) -> str:
        formula = unescape(found[2]).strip()
        display = found[1] == "div"
        try:
            rendered = _katex(formula, display)
        except Exception as error:  # the JavaScript engine's errors have no common class that it exports
            raise NotebookError(f"{where}: the formula {formula!r} is not understood: {error}") from error
        if display:  # may be wider than a phone: it scrolls by itself, also by keyboard
            return f'<div class="maths" tabindex="0">{rendered}</div>'
        return rendered

    html, count = _MATHS.subn(replace, html)
    return html, bool(count)


@functools.lru_cache(maxsize=4096)
def _katex(formula: str, display: bool) -> str:
    return _engine().call("katex.renderToString", formula, {"displayMode": display, "throwOnError": True})


@functools.cache
def _engine():
    from py_mini_racer import MiniRacer

    engine = MiniRacer()
    engine.eval((KATEX / "katex.min.js").read_text(encoding="utf-8"))
    return engine


@functools.lru_cache(maxsize=256)
def names_used(lab: Lab) -> dict[str, str]:
    """What a lab uses of the package: dotted text as it stands in the code, to the full name (`plots.save` → …)."""
    tree = ast.parse(lab.script)
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "llmnotes":
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            known |= {
                alias.asname or "llmnotes": alias.name if alias.asname else "llmnotes"
                for alias in node.names
                if alias.name.split(".")[0] == "llmnotes"
            }
    found = {}
    for node in ast.walk(tree):
        text = _dotted(node)
        first, dot, rest = text.partition(".")
        if first in known:
            found[text] = known[first] + dot + rest
    return found


def _dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or of attributes of a name; nothing of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def tidy_code(html: str, names: dict[str, str]) -> str:
    """Link the package's names in a lab's code cells to their API entries, and drop what colours nothing.

    Pygments wraps every name, operator and space in a span. Those that Material draws in the colour of plain code are
    most of a lab page's weight.

    Args:
        html: the page.
        names: from `names_used`. A name without an API entry stays as it is.
    """
    spans = {
        r'<span class="o">\.</span>'.join(rf'<span class="n[a-z]*">{part}</span>' for part in text.split(".")): full
        for text, full in sorted(names.items(), key=lambda item: -len(item[0]))
    }
    pattern = re.compile("|".join(f"({span})" for span in spans)) if spans else re.compile("(?!)")
    targets = list(spans.values())

    def link(found: re.Match) -> str:
        return f'<autoref identifier="{targets[found.lastindex - 1]}" optional>{found[0]}</autoref>'

    def block(found: re.Match) -> str:
        code = _COLOURLESS.sub(r"\1", pattern.sub(link, found[0]))
        code = _SPLIT.sub(r'<span class="\1">\2\3', code)
        return code.replace("&quot;", '"').replace("&#39;", "'")  # needed in attributes, not in text

    return re.sub(r'<div class="[^"]*lab-code[^"]*highlight">.*?</div>', block, html, flags=re.DOTALL)


_COLOURLESS = re.compile(r'<span class="(?:n|nn|ne|w|p|o|bp|fm|vm|mi|mf|si|sa)">([^<]*)</span>')
_SPLIT = re.compile(r'<span class="([a-z0-9]+)">([^<]*)</span>(\s*)<span class="\1">')  # two spans that could be one


def without_code(html: str) -> str:
    """A page as the search index should see it: prose and headings, which one looks for, without code and output."""
    html = re.sub(r'<details class="mkdocstrings-source">.*?</details>', "", html, flags=re.DOTALL)
    return re.sub(r'<div class="[^"]*\bhighlight">.*?</pre></div>', "", html, flags=re.DOTALL)


def without_indentation(html: str) -> str:
    """A page without the templates' indentation and empty lines: a tenth of a lab's page, and nothing that is seen."""
    parts = re.split(r"(<(pre|script|textarea|style)\b.*?</\2>)", html, flags=re.DOTALL)
    # split gives text, whole element, its name, text, …
    return "".join(
        re.sub(r"\s*\n\s*", "\n", part) if at % 3 == 0 else part for at, part in enumerate(parts) if at % 3 != 2
    )


def names_alone(html: str) -> str:
    """An API page as the search index should see it: each name with its first sentence; every page loads the index."""
    parts = re.findall(r"<h\d[^>]*>.*?</h\d>|<p>.*?</p>", without_code(html), re.DOTALL)
    kept = [part for i, part in enumerate(parts) if part.startswith("<h") or (i and parts[i - 1].startswith("<h"))]
    return "\n".join(kept)


def first_hovers(html: str) -> str:
    """Keep the hover of a glossary term at its first use in running text, and none in headings, links and code."""
    seen: set[str] = set()
    closed_to = {"h1", "h2", "h3", "h4", "h5", "h6", "a", "code", "pre", "summary", "figcaption"}
    depth = 0
    out: list[str] = []
    dropping = False
    for part in re.split(r"(<[^>]+>)", html):
        if found := re.match(r"<(/?)(\w+)", part):
            name = found[2].lower()
            if name in closed_to and not part.endswith("/>"):
                depth += -1 if found[1] else 1
            if name == "abbr":
                if found[1]:
                    if dropping:
                        dropping = False
                        continue
                elif depth or part in seen:
                    dropping = True
                    continue
                else:
                    seen.add(part)
        out.append(part)
    return "".join(out)


def used_in(html: str, labs: Iterable[tuple[Lab, set[str], str]]) -> str:
    """On an API page, name under each function the labs that use it.

    Args:
        html: the page.
        labs: each lab, the full names it uses, and the link to it from this page.
    """
    labs = list(labs)

    def add(found: re.Match) -> str:
        users = [f'<a href="{url}">{lab.title}</a>' for lab, names, url in labs if found["name"] in names]
        return found[0] + (f'<p class="used-in">Used in {", ".join(users)}</p>' if users else "")

    heading = r'<h\d id="(?P<name>llmnotes[\w.]*)" class="doc doc-heading">.*?</h\d>'
    return re.sub(rf"{heading}(?:\s*<div class=\"doc doc-contents[^\"]*\">)?", add, html, flags=re.DOTALL)
