"""What pages load, which their front matter may say; in a copy to open from a folder, scripts that work there.

Material's offline plugin links pages as files and puts the search index into a script. Two things are left to do:
browsers load no modules from a folder, and the shim that lets its search work there comes from another host.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import material
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from pydantic import AfterValidator, Field, ValidationInfo

from llmnotes.site.run.fields import Fields, Names, Text

THEIRS = Path(material.__file__).parent / "templates" / "assets" / "stylesheets"
SHIM = Path(__file__).parent / "iframe-worker" / "shim.js"
UNUSED = re.compile(  # in selectors of Material: other scripts' direction, and parts of it that our pages do not have
    r"\[dir=.?rtl|\.(?:critic|emojione|gemoji|key-|tabbed-|task-list|twemoji|"
    r"md-(?:author|banner|consent|copyright|draft|feedback|footer|input|logo|meta|nav(?!__link)|pagination|path|pin|post|"
    r"profile|progress|search__suggest|select|sidebar--(?:post|secondary)|social|source|status|tabs|top(?![a-z])))"
)
_COMMA = re.compile(r",(?![^()]*(?:\([^()]*\)[^()]*)*\))")  # between selectors, not in brackets
_IMPORT = re.compile(r'^import (?P<names>\{[^}]*\}) from "(?P<path>\./[\w./-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?P<what>(?:const|let|class|(?:async )?function\*?) )(?P<name>\w+)", re.MULTILINE)

NEEDED = {  # what a page loads where this stands in it
    'class="predict"': ("assets/predict.js",),
    'class="exercise"': ("assets/widgets/exercise.js",),
    "machine full one-head": ("assets/widgets/one-head.js",),
    "machine full bpe": ("assets/widgets/bpe.js",),
    "machine full bugs": ("assets/widgets/bugs.js",),
    "machine full training-loop": ("assets/widgets/loop.js",),
    "data-here=": ("assets/widgets/here.js",),
    "data-bench=": ("assets/bench/bench.css", "assets/bench/main.js"),
}


def _are_here(names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    docs: Path = info.context["docs"]
    for name in names:
        if not (docs / name).is_file() or not (docs / name).resolve().is_relative_to(docs.resolve()):
            raise ValueError(f"{info.field_name} names {name!r}; expected a file below {docs.name}/")
    return names


Assets = Annotated[Names, AfterValidator(_are_here)]


class PageFields(Fields):
    """What the head of a page may say."""

    title: Text | None = Field(None, description="a short text")
    description: Text | None = Field(None, description="what the page is about, in one sentence")
    tags: Names = Field((), description="a list of words")
    hide: Annotated[tuple[Literal["navigation", "toc", "footer"], ...], Field(strict=False)] = Field(
        (), description="a list of navigation, toc and footer"
    )
    styles: Assets = Field((), description="a list of style sheets below docs/")
    modules: Assets = Field((), description="a list of ES modules below docs/")
    before: Text | None = Field(None, description="the lab or the chapter that this page stands before on the way")
    after: Text | None = Field(None, description="the lab or the chapter that this page stands after on the way")
    template: Literal["home.html"] | None = Field(None, description="home.html, for home alone")


def needed(page: str, fields: dict[str, Any], *, offline: bool = False) -> tuple[list[str], list[str]]:
    """The style sheets and the modules that a page loads: those in its front matter, and those of what stands in it.

    A copy that opens from a folder (`offline`) has another script for the bench.
    """
    files = [*(fields.get("styles") or ()), *(fields.get("modules") or ())]
    files += [file for mark, names in NEEDED.items() if mark in page for file in names]
    files = [file.replace("bench/main.js", "bench/folder.js") if offline else file for file in dict.fromkeys(files)]
    return [file for file in files if file.endswith(".css")], [file for file in files if not file.endswith(".css")]


def is_offline(config: MkDocsConfig) -> bool:
    """Whether the build is to be opened from a folder."""
    plugin = config.plugins.get("material/offline")
    return bool(plugin and plugin.config.enabled)


def scripts(files: Files) -> dict[str, str | Path]:
    """A plain script for every module of the site, in its place; generated ones, such as a model's, are plain."""
    modules = [file for file in files if file.src_uri.startswith("assets/") and file.src_uri.endswith(".js")]
    plain = {file.src_uri: as_script(Path(file.abs_src_path)) for file in modules if file.abs_src_path}
    return plain | {f"assets/iframe-worker/{SHIM.name}": SHIM}


def as_script(path: Path) -> str:
    """A module with all that it imports as one script, each module a function whose result is its exports.

    Modules that import each other have no order in which they could run, and none do.
    """
    modules: dict[Path, str] = {}

    def add(path: Path) -> str:
        """Add a module behind all that it imports; return the name of its exports."""
        if path not in modules:
            body = _IMPORT.sub(lambda found: imported(path, found), path.read_text(encoding="utf-8"))
            exported = ", ".join(found["name"] for found in _EXPORT.finditer(body))
            body = _EXPORT.sub(r"\g<what>\g<name>", body)
            modules[path] = f"const module_{len(modules)} = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();\n"
        return f"module_{[*modules].index(path)}"

    def imported(path: Path, found: re.Match[str]) -> str:
        names = re.sub(r"\s+as\s+", ": ", found["names"])
        return f"const {names} = {add((path.parent / found['path']).resolve())};\n"

    add(path.resolve())
    return '(() => {\n"use strict";\n' + "".join(modules.values()) + "})();\n"


def combine(config: MkDocsConfig) -> tuple[str, str]:
    """Take the project's style sheets out of the configuration; return the address of the whole, and its text.

    The address changes with the text, so that no browser shows an old one.
    """
    paths = [next(THEIRS.glob(f"{name}.*.min.css")) for name in ("main", "palette")]
    # mkdocstrings' is not there yet; the theme names it where it is wanted
    paths += filter(Path.is_file, (Path(config.docs_dir, path) for path in config.extra_css))
    config.extra_css = []
    text = without_unused("\n".join(path.read_text(encoding="utf-8") for path in paths))
    return f"assets/style.{sha256(text.encode()).hexdigest()[:8]}.css", text


def without_unused(css: str) -> str:
    """A style sheet without comments, indentation, and rules that are all for what no page has: a third of its weight.

    Braces in it stand around rules alone, not in texts.
    """

    def used(rule: re.Match[str]) -> str:
        kept = [one.strip() for one in _COMMA.split(rule["selectors"]) if not UNUSED.search(one)]
        return f"{','.join(kept)}{{{rule['body'].strip()}}}" if kept else ""

    css = re.sub(r"/\*.*?\*/|^\s+", "", css, flags=re.DOTALL | re.MULTILINE)
    css = re.sub(r"(?P<selectors>[^{};]+)\{(?P<body>[^{}]*)\}", used, css)
    return re.sub(r"@(?:media|supports|container)[^{};]*\{\s*\}", "", css)
