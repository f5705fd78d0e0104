"""How long a lab takes: what is counted, and what is not."""

from __future__ import annotations

import pytest

from llmnotes.site.run.labs import Cell, Minutes, reading_time

WORDS = "word " * 180  # a minute


def prose(text: str) -> Cell:
    return Cell("markdown", text, (), 1)


def code(source: str, *tags: str) -> Cell:
    return Cell("code", source, tags, 1)


@pytest.mark.parametrize(
    ("cell", "core"),
    [
        (prose(4 * WORDS), 4),
        (prose(2 * WORDS + "```python\n" + WORDS + "```\n" + 2 * WORDS), 4),
        (prose(3 * WORDS + "\n$$x$$\n" * 3), 4),
        (prose(3 * WORDS + '\n{{ widget("bpe") }}\n'), 4),
        (prose(3 * WORDS + "\n```exercise\ntitle: t\n```\n"), 4),
        (code(f'"""{WORDS * 9}"""', "idea"), 1),
        (code("\n".join("figure(fig)" for _ in range(12))), 4),
        (code(f'ask("{WORDS}", choices={{"a": "{WORDS}"}}, answer="a", because={{}})\n' * 3), 3),
        (code(WORDS.strip().replace(" ", "; ")), 1),  # folded: nothing, and no lab takes less than a minute
        (prose('{{ result("a.b", ".0%") }} ' * 180), 1),
        (prose("[" + WORDS.strip() + "](https://a.example/with-many-words-in-it) ???"), 1),
    ],
)
def test_what_counts(cell: Cell, core: int) -> None:
    assert reading_time([cell]) == Minutes(core, 0)


def test_what_goes_deeper_is_counted_apart() -> None:
    cells = [
        prose(3 * WORDS),
        prose(f"{2 * WORDS}\n## Going deeper\n\n{WORDS}"),
        code("figure(f)", "idea"),
        prose(3 * WORDS),
    ]
    assert reading_time(cells) == Minutes(5, 5)
