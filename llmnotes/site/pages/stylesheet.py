"""The site's style sheet without what no page and no script names: most of what Material brings along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import regex

_NESTED = ("@media", "@supports", "@container", "@layer")
_BRACKETS = r"\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^]]*\]"
_TEXT = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|url\([^)"']*\)|[^{};"']"""
_INSIDE = rf"(?:{_TEXT}|;|(?P<braces>\{{(?:{_TEXT}|;|(?&braces))*+\}}))*+"
_RULE = regex.compile(rf"(?P<head>(?:{_TEXT})*+)(?:;|\{{(?P<body>{_INSIDE})\}})", regex.DOTALL)


def address(text: str) -> str:
    """Where a style sheet of the site lies: the name changes with the text, so that no browser shows an old one."""
    return f"assets/style.{sha256(text.encode()).hexdigest()[:8]}.css"


def strip(site: Path, style: str) -> None:
    """Leave out of a built site's style sheet, at the address `style`, what no page and no script names: most of it.

    The address changes with what is left, in all pages.
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
    for rule in _RULE.finditer(css):
        head, body = " ".join(rule["head"].split()), rule["body"]
        if body is None:
            yield f"{head};"
        elif head.startswith(_NESTED):
            if inner := "".join(_kept(body, used)):
                yield f"{head}{{{inner}}}"
        else:
            selectors = (one.strip() for one in re.findall(rf"(?:{_BRACKETS}|[^,([])+", head))
            if kept := [head] if head.startswith("@") else [one for one in selectors if _may_match(one, used)]:
                tight = re.sub(r"\s*([;:])\s+", r"\1", " ".join(body.split())).rstrip("; ")
                yield f"{','.join(kept)}{{{tight}}}"


def _may_match(selector: str, used: set[str]) -> bool:
    bare = re.sub(_BRACKETS, "", selector)  # what :is and :not name is no condition
    named = (name.replace("\\", "") in used for name in re.findall(r"[.#]((?:[\w-]|\\.)+)", bare))
    return not re.search(r"\[dir=.?rtl", selector) and all(named)
