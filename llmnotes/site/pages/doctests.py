"""Examples in docstrings, which begin with `>>>`, as blocks of code: to Markdown they are quotations in quotations."""

from __future__ import annotations

import re

from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor

_FENCED_OR_EXAMPLE = re.compile(r"^ *(```|~~~)(?s:.*?)^ *\1|^>>> .*(?:\n.*\S.*)*", re.MULTILINE)


class DoctestExtension(Extension, Preprocessor):
    """For `markdown_extensions` in mkdocs.yml: fences each run of lines from `>>> ` to the next empty one."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  the name that Markdown calls
        md.preprocessors.register(self, "doctests", 40)  # before fences are taken out

    def run(self, lines: list[str]) -> list[str]:
        def fence(found: re.Match) -> str:
            return found[0] if found[1] else f"\n```python\n{found[0]}\n```"

        return _FENCED_OR_EXAMPLE.sub(fence, "\n".join(lines)).split("\n")
