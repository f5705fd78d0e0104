"""Examples in docstrings, which begin with `>>>`, as blocks of code: to Markdown they are quotations in quotations."""

from __future__ import annotations

from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor


class Doctests(Preprocessor):
    """Fences each run of lines from one that begins with `>>> ` to the next empty one."""

    def run(self, lines: list[str]) -> list[str]:
        out: list[str] = []
        fenced = inside = False
        for line in lines:
            if line.lstrip().startswith(("```", "~~~")):
                fenced = not fenced
            if line.startswith(">>> ") and not (fenced or inside):
                out += ["", "```python"]
                inside = True
            elif inside and not line.strip():
                out.append("```")
                inside = False
            out.append(line)
        return [*out, "```"] if inside else out


class DoctestExtension(Extension):
    """For `markdown_extensions` in mkdocs.yml."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  the name that Markdown calls
        md.preprocessors.register(Doctests(md), "doctests", 40)  # before fences are taken out


def makeExtension(**settings: object) -> DoctestExtension:  # noqa: N802
    return DoctestExtension(**settings)
