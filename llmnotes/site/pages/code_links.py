"""Between the code of labs and the API pages: names in code lead to what documents them, and back."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable

from llmnotes.site.run.labs import Lab


def names_used(lab: Lab) -> dict[str, str]:
    """What a lab uses of the package: dotted text as it stands in the code, to the full name (`plots.save` → …)."""
    return _names_in(lab.script)


@functools.lru_cache(maxsize=256)
def _names_in(script: str) -> dict[str, str]:
    tree = ast.parse(script)
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
    # not behind a dot, where it is a name of something else (plt.figure), nor before an equals sign (figure="…")
    pattern = re.compile(
        rf'(?<!<span class="o">\.</span>)(?:{"|".join(f"({span})" for span in spans) or "(?!)"})'
        r'(?!<span class="o">=</span>)'
    )
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
