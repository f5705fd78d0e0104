"""Prose: a small list of words that say nothing or promise too much, doubled words, and one spelling on all pages.

Spelling mistakes are codespell's work. This is what it cannot know: the notebook's own habits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

from llmnotes.site.run.labs import read_lab

INSTEAD = {
    r"utili[sz]\w+": "use",
    r"leverag(?:e|es|ed|ing)": "use",
    r"delv(?:e|es|ed|ing)": "look",
    r"in order to": "to",
    r"due to the fact that": "because",
    r"(?:it is|it's) (?:important|worth) (?:to note|noting)(?: that)?": "say it",
    r"we will see|as we shall see": "say it",
    r"let us|let's": "say what is done",
    r"obviously|clearly|of course|needless to say": "show it, or leave it out",
    r"simply|basically|essentially|really|actually": "leave it out",
    r"powerful|seamless\w*|cutting-edge|state-of-the-art|game-chang\w+|groundbreaking": "say what it does",
    r"amazing\w*|exciting\w*|fascinating\w*|incredibl\w+|magic\w*": "say what happened",
    r"behavior\w*|color\w*|favorite\w*|center(?:ed|s|ing)?|neighbor\w*|gray\w*": "British spelling",
    r"(?:generali|normali|visuali|initiali|recogni|memori|summari|speciali|analy)z\w+": "British spelling, with s",
    "[\U0001f300-\U0001faff☀-✒✔✖-➿]": "no emoji",
}
WORDS = re.compile("|".join(rf"(?P<w{i}>(?<![\w.`])(?:{one})(?!\w))" for i, one in enumerate(INSTEAD)), re.IGNORECASE)
DOUBLED = re.compile(r"\b([A-Za-z])([a-z]*) (?i:\1)\2\b")  # "XOR is not (OR and AND)" is none
LEFT_OUT = re.compile(
    r"^---\n.*?^---$|^ *(```+).*?^ *\1`*$|`[^`\n]+`|\$[^$\n]+\$|\{\{.*?\}\}|\[[^]]*\]\(http[^)]*\)|\]\([^)]*\)"
    r"|<[^>\n]+>|\"[^\"\n]{1,200}\"|(?<!\*)\*(?![\s*])[^*\n]+\*(?!\*)",
    re.DOTALL | re.MULTILINE,
)
"""Front matter, code, maths, bound numbers, addresses, titles elsewhere, tags, and what is quoted or only mentioned."""


def prose() -> Iterator[tuple[Path, int, str]]:
    """Every page and every Markdown cell, with the line of the file on which it begins."""
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        if path.parent.name != "api":
            yield path, 1, path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "labs").glob("*.py")):
        for cell in read_lab(path).cells:
            if cell.kind == "markdown":
                yield path, cell.line, cell.source


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Line and what is wrong there."""
    for found in re.finditer(r"</?su[bp]\b", re.sub(r"`[^`\n]+`", "", text)):
        yield found.string.count("\n", 0, found.start()) + 1, f"{found[0]}>: write it as a formula, $x_i$"
    # what is left out keeps its lines, and is no word that could be doubled
    text = LEFT_OUT.sub(lambda found: "§" + "\n" * found[0].count("\n"), text)
    for found in WORDS.finditer(text):
        instead = [*INSTEAD.values()][int(found.lastgroup[1:])]
        yield text.count("\n", 0, found.start()) + 1, f"{found[0]!r}: {instead}"
    for found in DOUBLED.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, f"{found[0]!r}: twice"


def test_pages_keep_to_the_words_of_the_notebook() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line + at - 1}: {fault}"
        for path, line, text in prose()
        for at, fault in faults(text)
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One.\nWe utilize it.", [(2, "'utilize': use")]),
        ("The the cat.", [(1, "'The the': twice")]),
        ("```\nsimply\n```\nOf course.", [(4, "'Of course': show it, or leave it out")]),
        ('The `color` of `plots.color` and [this](a/color.md), quoted: "really".', []),
        ("Its behavior.", [(1, "'behavior': British spelling")]),
        ("We had 5 `a` `a` here.", []),
        (
            "`<sub>`\nx<sub>i</sub>",
            [(2, "<sub>: write it as a formula, $x_i$"), (2, "</sub>: write it as a formula, $x_i$")],
        ),
    ],
)
def test_what_counts_as_a_fault(text: str, expected: list) -> None:
    assert list(faults(text)) == expected
