"""The front matter of plain pages, and what a page loads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from llmnotes.site.run.fields import Fields, Names, Text

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
