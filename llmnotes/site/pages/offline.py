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
_IMPORT = re.compile(r'^import [^;]*?from "(?P<path>\./[\w./-]+)";\n', re.MULTILINE)


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
    """A module with all that it imports as one script; the names that they export must differ."""
    return f'(() => {{\n"use strict";\n{_with_imports(path.resolve(), set())}}})();\n'


def _with_imports(path: Path, seen: set[Path]) -> str:
    seen.add(path)
    source = path.read_text(encoding="utf-8")
    wanted = [(path.parent / found["path"]).resolve() for found in _IMPORT.finditer(source)]
    before = "".join(_with_imports(one, seen) for one in wanted if one not in seen)
    return before + re.sub(r"^export ", "", _IMPORT.sub("", source), flags=re.MULTILINE)
