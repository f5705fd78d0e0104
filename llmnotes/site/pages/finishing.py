"""What is done to a page's HTML after MkDocs has rendered it: hovers, search, weight, and what may not be in it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html import unescape
from urllib.parse import urlsplit

from llmnotes.site.errors import NotebookError


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
    """Keep names such as GPT-2 on one line, which a browser breaks behind the hyphen, and 94% without a space."""
    out, inside = [], 0
    for part in re.split(r"(<[^>]+>)", html):
        if found := re.match(r"<(/?)(code|pre|svg|script|title|textarea)\b", part):
            inside += -1 if found[1] else 1
        elif not inside and not part.startswith("<"):
            part = re.sub(r"(?<![\w/-])GPT-(?:\d|NeoX?|J)\b", r'<span class="nb">\g<0></span>', part)
            part = re.sub(r"(?:(?<=\d)|^)[ \u00a0\u202f]%", "%", part)
        out.append(part)
    return "".join(out)


def without_indentation(html: str) -> str:
    """A page without the templates' indentation and empty lines: a tenth of a lab's page, and nothing that is seen."""
    parts = re.split(r"(<(pre|script|textarea|style)\b.*?</\2>)", html, flags=re.DOTALL)
    # split gives text, whole element, its name, text, …
    return "".join(
        re.sub(r"\s*\n\s*", "\n", part) if at % 3 == 0 else part for at, part in enumerate(parts) if at % 3 != 2
    )


def check_page(html: str, where: str) -> None:
    """Refuse a page that would load something from another host, run a script from a link, or hold an anchor twice.

    Raises:
        NotebookError: what the page holds.
    """
    html = re.sub(r"<svg\b.*?</svg>", "", html, flags=re.DOTALL)
    for tag, attributes in re.findall(r"<(script|img|link|iframe|source|video|audio|object|embed|a)\b([^>]*)>", html):
        for url in re.findall(r"""\b(?:src|srcset|data|href)\s*=\s*["']?\s*([^"'\s>]+)""", attributes):
            url = re.sub(r"[\x00-\x20]", "", unescape(url))
            scheme = urlsplit(url).scheme.lower()
            if tag != "a" and (urlsplit(url).netloc or (scheme == "data" and tag != "img")):
                raise NotebookError(
                    f"{where}: <{tag}> loads {url}; pages load nothing from another host: put it below docs/"
                )
            if scheme in ("javascript", "vbscript") or (tag == "a" and scheme == "data"):
                raise NotebookError(f"{where}: a link holds a script: {url[:60]}")
    anchors = Counter(re.findall(r'<\w+\b[^>]*?\sid="([^"]+)"', html))
    for anchor in (anchor for anchor, count in anchors.items() if count > 1):
        raise NotebookError(
            f"{where}: the anchor #{anchor} is there twice; a heading has the name of something else on the page, "
            "such as a recorded value: word it otherwise"
        )


def with_policy(html: str) -> str:
    """A whole page with a policy: the browser loads nothing from elsewhere, and runs no script but the build's."""
    inline = re.findall(r"<script(?![^>]*\b(?:src|type=\"application/json)\b)[^>]*>(.*?)</script>", html, re.DOTALL)
    digests = dict.fromkeys(base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline)
    scripts = " ".join(["'self'", "'wasm-unsafe-eval'", *(f"'sha256-{one}'" for one in digests)])
    rules = {
        "default-src": "'self'",
        "script-src": scripts,
        "style-src": "'self' 'unsafe-inline'",  # formulas and drawings carry their measures
        "img-src": "'self' data:",  # the theme's own icons
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }
    policy = "; ".join(f"{name} {value}" for name, value in rules.items())
    mark = '<meta charset="utf-8">'
    return html.replace(mark, f'{mark}\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1)
