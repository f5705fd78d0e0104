"""The site's style sheet without what no page and no script names: most of what Material brings along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

_NESTED = ("@media", "@supports", "@container", "@layer")


def address(text: str) -> str:
    """Where a style sheet of the site lies: the name changes with the text, so that no browser shows an old one."""
    return f"assets/style.{sha256(text.encode()).hexdigest()[:8]}.css"


def strip(site: Path, style: str) -> None:
    """Leave out of a built site's style sheet what no page and no script names: three quarters of it.

    Args:
        site: the folder of the built site.
        style: the address of the style sheet, as `combine` gave it. It changes with what is left, in all pages.
    """
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    scripts = [path for path in site.rglob("*.js") if "models" not in path.parts]  # of a copy for a folder: numbers
    code = "\n".join(path.read_text(encoding="utf-8") for path in scripts)
    code += "".join(
        script for html in pages.values() for script in re.findall(r"<script[^>]*>(.*?)</script>", html, re.S)
    )
    code = re.sub(r"^\s*//.*| // .*", "", code, flags=re.MULTILINE)
    said = re.findall(r""""[^"\n]*"|'[^'\n]*'|`[^`]*`""", code)
    # what a script may set or seek: one word alone, several with a dot or a hyphen, a list of words after class
    used = {name for one in said for name in re.findall(r"[\w-]+", one) if "-" in name or len(one) < 60}
    for html in pages.values():
        used.update(name for names in re.findall(r'\b(?:class|id)="?([^">]*)', html) for name in names.split())
    text = re.sub(r"/\*.*?\*/", "", (site / style).read_text(encoding="utf-8"), flags=re.DOTALL)
    text = "".join(_kept(text, used))
    others = (path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    asked = {
        name for one in (text, code, *others, *pages.values()) for name in re.findall(r"""[("'`](--[\w-]+)""", one)
    }
    value = r"""(?:url\("[^"]*"\)|[^;}])*"""
    text = re.sub(rf"(?<=[{{;])(--[\w-]+):{value};?", lambda one: one[0] if one[1] in asked else "", text)
    (site / style).unlink()
    (site / address(text)).write_text(text, encoding="utf-8")
    for path, html in pages.items():
        path.write_text(html.replace(style, address(text)), encoding="utf-8")


def _kept(css: str, used: set[str]) -> Iterator[str]:
    """The rules whose selectors may match something, without the space between them."""
    for head, body in _rules(css):
        if not body:
            yield f"{head};"
        elif head.startswith(_NESTED):
            if inner := "".join(_kept(body, used)):
                yield f"{head}{{{inner}}}"
        else:
            selectors = [head] if head.startswith("@") else [one for one in _split(head) if _may_match(one, used)]
            if selectors:
                yield f"{','.join(selectors)}{{{_tight(body)}}}"


def _rules(css: str) -> Iterator[tuple[str, str]]:
    """Each rule as what stands before its braces and what stands in them."""
    start = depth = opened = 0
    for found in re.finditer(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|url\([^)"']*\)|[{};]""", css):
        if found[0] == "{":
            opened = found.start() if depth == 0 else opened
            depth += 1
        elif found[0] == "}":
            depth -= 1
            if depth == 0:
                yield " ".join(css[start:opened].split()), css[opened + 1 : found.start()]
                start = found.end()
        elif found[0] == ";" and depth == 0:
            yield css[start : found.start()].strip(), ""
            start = found.end()


def _split(selectors: str) -> list[str]:
    return [one.strip() for one in re.findall(r"(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^]]*\]|[^,([])+", selectors)]


def _may_match(selector: str, used: set[str]) -> bool:
    if re.search(r"\[dir=.?rtl", selector):
        return False
    bare = re.sub(r"\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^]]*\]", "", selector)  # what :is and :not name is no condition
    return all(name.replace("\\", "") in used for name in re.findall(r"[.#]((?:[\w-]|\\.)+)", bare))


def _tight(body: str) -> str:
    """Declarations without the space around them."""
    return re.sub(r"\s*([;:])\s+", r"\1", " ".join(body.split())).rstrip("; ")
