"""What is done to a page's HTML after MkDocs has rendered it: formulas, hovers, search, weight, and what is refused."""

from __future__ import annotations

import atexit
import base64
import functools
import hashlib
import json
import re
from collections import Counter
from html import unescape
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from llmnotes.site.errors import NotebookError
from llmnotes.site.pages.templates import FOLDER

NUMBERS = re.compile(r"\b\d[\d.,:]{2,}\w*|\b(?=\w*\d)\w{16,}\b")
KATEX = Path(__file__).parent / "katex"
BOOST = {"glossary.md": 12.0, "run-it.md": 6.0, "path.md": 2.0, "tour.md": 2.0, "tags.md": 0.1}
BOOST |= {"labs/": 4.0, "play/": 2.0, "models/": 2.0, "api/": 0.5}
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'"
POLICY += "; style-src 'self' 'unsafe-inline'"  # formulas and drawings carry their measures
POLICY += "; img-src 'self' data:"  # the theme's own icons
_MATHS = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
_NO_PROSE = re.compile(
    r'<details class="(?:code|mkdocstrings-source)">.*?</details>|<svg\b.*?</svg>|'
    r'<div class="[^"]*\bhighlight">.*?</pre></div>',
    re.DOTALL,
)
_HOVER = re.compile(r'<(button|h\d|a|code|pre|summary|figcaption)\b.*?</\1>|<abbr (title=".*?)>(.*?)</abbr>', re.DOTALL)
_BROKEN = re.compile(
    r"<(?:code|pre|svg|script|title|textarea)\b.*?</(?:code|pre|svg|script|title|textarea)>|<[^>]+>|"
    r"(?<![\w/-])(?P<name>GPT-(?:\d|NeoX?|J)\b)|(?<=\d)(?P<gap>[ \u00a0\u202f])(?=%)",
    re.DOTALL,
)


def prose(html: str, *, names_alone: bool = False) -> str:
    """A page as the search index should see it: prose and headings, which one looks for, without code and figures.

    Of an API page each name with its first sentence: every page loads the index.
    """
    html = _NO_PROSE.sub("", html)
    if names_alone:
        parts = re.findall(r"<h\d[^>]*>.*?</h\d>|<p>.*?</p>", html, re.DOTALL)
        html = "\n".join(part for before, part in pairwise(["", *parts]) if "<h" in (part[:2], before[:2]))
    return html


def tidy_text(html: str) -> str:
    """Give a glossary term its hover at its first use in running text alone, and keep what a browser would break.

    Names such as GPT-2 stay on one line, which it breaks behind the hyphen, and 94% has no space. Headings, links and
    code have no hovers.
    """
    seen: set[str] = set()

    def hover(found: re.Match[str]) -> str:
        if found[1]:
            return re.sub("</?abbr[^>]*>", "", found[0])
        again = found[2] in seen
        seen.add(found[2])
        return found[3] if again else found[0]

    def kept(found: re.Match[str]) -> str:
        return f'<span class="nb">{found[0]}</span>' if found["name"] else "" if found["gap"] else found[0]

    return _BROKEN.sub(kept, _HOVER.sub(hover, html))


def check_page(html: str, where: str) -> None:
    """Refuse a page that would load something from another host, run a script from a link, or hold an anchor twice."""
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
    policy = f"{POLICY}; script-src {scripts}"
    mark = '<meta charset="utf-8">'
    return html.replace(mark, f'{mark}\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1)


def render_maths(html: str, where: str) -> str:
    """Set formulas with KaTeX."""

    def replace(found: re.Match) -> str:
        formula, display = unescape(found[2]).strip(), found[1] == "div"
        rendered = _katex(formula, display)
        if wrong := re.search(r'"katex-error" title="ParseError: KaTeX parse error: ([^"]*)', rendered):
            raise NotebookError(f"{where}: the formula {formula[:200]!r} is not understood: {unescape(wrong[1])[:200]}")
        # one that is displayed may be wider than a phone: it scrolls by itself, also by keyboard
        return f'<div class="maths" tabindex="0">{rendered}</div>' if display else rendered

    return _MATHS.sub(replace, html)


@functools.lru_cache(maxsize=4096)
def _katex(formula: str, display: bool) -> str:
    return _engine().call("typeset", formula, display)


@functools.cache
def _engine():
    from py_mini_racer import MiniRacer

    engine = MiniRacer()
    atexit.register(engine.close)  # left to the interpreter's end, its thread may wait for ever
    engine.eval((KATEX / "katex.min.js").read_text(encoding="utf-8"))
    engine.eval((FOLDER / "typeset.js").read_text(encoding="utf-8"))
    return engine


def boost(uri: str) -> float:
    """How much a page counts in the search: labs, the glossary and how to run things come first."""
    return next((weight for start, weight in BOOST.items() if uri.startswith(start)), 1.0)


def part_index(site: Path) -> None:
    """Leave the index that every page fetches without its documents, which search-worker.js fetches when needed.

    Numbers and checksums stay out: lunr takes nodes of its tree for one another if their letters are digits, and then
    finds nothing for whole initials.
    """
    path = site / "search" / "search_index.json"
    if not path.is_file():
        return
    index = json.loads(path.read_text(encoding="utf-8"))
    docs = [one | {"text": NUMBERS.sub(" ", one["text"])} for one in index.pop("docs")]
    path.with_name("documents.json").write_text(json.dumps({"docs": docs}), encoding="utf-8")
    path.write_text(json.dumps(index | {"docs": []}), encoding="utf-8")
