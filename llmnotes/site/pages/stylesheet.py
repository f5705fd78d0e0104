"""One style sheet for the site: Material's two and ours in one file, as a page waits for all."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import material

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

THEIRS = ("main.*.min.css", "palette.*.min.css")


def combine(config: MkDocsConfig) -> tuple[str, str]:
    """Take the project's style sheets out of the configuration; return the address of the whole, and its text.

    The address changes with the text, so that no browser shows an old one.
    """
    folder = Path(material.__file__).parent / "templates" / "assets" / "stylesheets"
    paths = [next(folder.glob(pattern)) for pattern in THEIRS]
    ours = [Path(config.docs_dir, path) for path in config.extra_css]
    config.extra_css = []
    paths += filter(Path.is_file, ours)  # mkdocstrings' is not there yet; the theme names it where it is wanted
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    return f"assets/style.{sha256(text.encode()).hexdigest()[:8]}.css", text
