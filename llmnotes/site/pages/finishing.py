"""What is done to a page's HTML after MkDocs has rendered it: hovers, search, weight, and what may not be in it."""

from __future__ import annotations

import re


def without_code(html: str) -> str:
    """A page as the search index should see it: prose and headings, which one looks for, without code and output."""
    html = re.sub(r'<details class="mkdocstrings-source">.*?</details>', "", html, flags=re.DOTALL)
    return re.sub(r'<div class="[^"]*\bhighlight">.*?</pre></div>', "", html, flags=re.DOTALL)


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


def unbroken(html: str) -> str:
    """Keep names such as GPT-2 on one line: a browser breaks them behind the hyphen."""
    out, inside = [], 0
    for part in re.split(r"(<[^>]+>)", html):
        if found := re.match(r"<(/?)(code|pre|svg|script|title|textarea)\b", part):
            inside += -1 if found[1] else 1
        elif not inside and not part.startswith("<"):
            part = re.sub(r"(?<![\w/-])GPT-(?:\d|NeoX?|J)\b", r'<span class="nb">\g<0></span>', part)
        out.append(part)
    return "".join(out)


def without_indentation(html: str) -> str:
    """A page without the templates' indentation and empty lines: a tenth of a lab's page, and nothing that is seen."""
    parts = re.split(r"(<(pre|script|textarea|style)\b.*?</\2>)", html, flags=re.DOTALL)
    # split gives text, whole element, its name, text, …
    return "".join(
        re.sub(r"\s*\n\s*", "\n", part) if at % 3 == 0 else part for at, part in enumerate(parts) if at % 3 != 2
    )
