"""Between the code of labs and the API pages: names in code lead to what documents them, and back."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable

from llmnotes.site.run.labs import Lab
from llmnotes.site.run.store import PACKAGE


@functools.lru_cache(maxsize=256)
def names_used(lab: Lab) -> dict[str, str]:
    """What a lab uses of the package: dotted text as it stands in the code, to the full name (`plots.save` → …)."""
    nodes = [*ast.walk(ast.parse(lab.script))]
    known: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            known |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            known |= {one.asname or one.name.partition(".")[0]: one.name if one.asname else "" for one in node.names}
    ours = {name: full or name for name, full in known.items() if (full or name).split(".")[0] == "llmnotes"}
    texts = {ast.unparse(node) for node in nodes if isinstance(node, ast.Name | ast.Attribute)}
    dotted = [text.partition(".") for text in texts if re.fullmatch(r"[\w.]+", text)]
    full = {first + dot + rest: ours[first] + dot + rest for first, dot, rest in dotted if first in ours}
    return {text: _homes().get(name, name) for text, name in full.items()}


@functools.cache
def _homes() -> dict[str, str]:
    """Where the names that the rooms offer are defined (`llmnotes.lab.figure` → `llmnotes.lab.figures.figure`)."""
    homes = {}
    for path in PACKAGE.glob("*/__init__.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for one in node.names if isinstance(node, ast.ImportFrom) else ():
                homes[f"llmnotes.{path.parent.name}.{one.asname or one.name}"] = f"{node.module}.{one.name}"
    return homes


def tidy_code(html: str, names: dict[str, str]) -> str:
    """Link the package's names (see `names_used`) in a lab's code cells to their API entries, where they have one.

    Pygments wraps every name, operator and space in a span. Those that Material draws in the colour of plain code are
    most of a lab page's weight, and go.
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
        return _COLOURLESS.sub(r"\1", pattern.sub(link, found[0]))

    return re.sub(r'<div class="[^"]*lab-code[^"]*highlight">.*?</div>', block, html, flags=re.DOTALL)


_COLOURLESS = re.compile(r'<span class="(?:n|nn|ne|w|p|o|bp|fm|vm|mi|mf|si|sa)">([^<]*)</span>')


def used_in(html: str, labs: Iterable[tuple[Lab, str]]) -> str:
    """On an API page, name under each function the labs that use it, each with the link to it from this page."""
    users: dict[str, list[str]] = {}
    for lab, url in labs:
        for name in {*names_used(lab).values()}:
            users.setdefault(name, []).append(f'<a href="{url}">{lab.title}</a>')

    def add(found: re.Match) -> str:
        some = users.get(found["name"])
        return found[0] + (f'<p class="used-in">Used in {", ".join(some)}</p>' if some else "")

    heading = r'<h\d id="(?P<name>llmnotes[\w.]*)" class="doc doc-heading">.*?</h\d>'
    return re.sub(rf"{heading}(?:\s*<div class=\"doc doc-contents[^\"]*\">)?", add, html, flags=re.DOTALL)
