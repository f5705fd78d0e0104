"""A copy of the site to open from a folder, without a server: `OFFLINE=true mkdocs build`, or `make offline`.

Material's offline plugin links pages as files and puts the search index into a script. Two things are left to do:
browsers load no modules from a folder, and the shim that lets its search work there comes from another host.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

SHIM = Path(__file__).parent / "iframe-worker" / "shim.js"
_IMPORT = re.compile(r'^import (?P<names>\{[^}]*\}) from "(?P<path>\./[\w./-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?P<what>(?:const|let|class|(?:async )?function\*?) )(?P<name>\w+)", re.MULTILINE)


def is_offline(config: MkDocsConfig) -> bool:
    """Whether the build is to be opened from a folder."""
    plugin = config.plugins.get("material/offline")
    return bool(plugin and plugin.config.enabled)


def prepare(config: MkDocsConfig) -> None:
    """Name our own copy of the shim, so that Material's plugin does not name one on another host."""
    config.use_directory_urls = False
    config.extra["polyfills"] = [f"assets/iframe-worker/{SHIM.name}"]


def add_scripts(files: Files, config: MkDocsConfig) -> None:
    """Put a plain script in the place of every module of the site; generated ones, such as a model's, are plain."""
    for file in [*files]:
        if file.abs_src_path and file.src_uri.startswith("assets/") and file.src_uri.endswith(".js"):
            files.remove(file)
            files.append(File.generated(config, file.src_uri, content=as_script(Path(file.abs_src_path))))
    files.append(File.generated(config, f"assets/iframe-worker/{SHIM.name}", abs_src_path=str(SHIM)))


def as_script(path: Path) -> str:
    """A module with all that it imports as one script, each module a function of its own that returns its exports."""
    modules: dict[Path, str] = {}
    last = _add(path.resolve(), modules)
    return '(() => {\n"use strict";\n' + "".join(modules.values()) + f"{last}();\n}})();\n"


def _add(path: Path, modules: dict[Path, str]) -> str:
    """Add the function of a module, and of all that it imports.

    Returns:
        The function's name. It runs its module when it is first called, and returns what the module exports.
    """
    if path in modules:
        return f"module_{[*modules].index(path)}"
    name = f"module_{len(modules)}"
    modules[path] = ""  # so that modules that import each other come to an end
    source = path.read_text(encoding="utf-8")

    def imported(found: re.Match[str]) -> str:
        names = re.sub(r"\s+as\s+", ": ", found["names"])
        return f"const {names} = {_add((path.parent / found['path']).resolve(), modules)}();\n"

    body = _IMPORT.sub(imported, source)
    exported = ", ".join(found["name"] for found in _EXPORT.finditer(body))
    body = _EXPORT.sub(r"\g<what>\g<name>", body)
    modules[path] = (
        f"const {name} = (() => {{\nlet made;\nreturn () => (made ??= run());\n"
        f"function run() {{\n{body}\nreturn {{ {exported} }};\n}}\n}})();\n"
    )
    return name
