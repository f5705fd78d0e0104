"""The tales told anew by rules over words: by the hero, or with pronouns exchanged.

Examples:
    >>> retell("exchanged", "The king loved her, and her brother went with him.").text
    'The king loved him, and his brother went with her.'
    >>> retell("by-the-hero", "He took his axe. 'He is a fool,' said the wolf to him.").text
    "I took my axe. 'He is a fool,' said the wolf to me."
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple


def _words(text: str) -> list[str]:
    return text.split()


OTHER = {"he": "she", "she": "he", "him": "her", "himself": "herself", "herself": "himself", "hers": "his"}
# What comes more often after "him" than after "his" in the training tales, of words that come eight times: behind "her"
# they show which of the two is meant. Put in for "him" and "his" and taken back so, 94% of the words come out right.
AFTER_HIM = _words(
    "a about across after again alive all alone along also an and another any anything as at away back be because "
    "before better but by come coming dead dearly do down every everything exactly farewell fast for forth free "
    "from go have he heartily her here his how if in into it just kindly know lay like lying many more much my no "
    "not nothing now of off on once one or out over pass quite she so some something still straight such take "
    "than that the there they this through till to too under until up upon very was welcome well were what when "
    "where whether which who why with without"
)
MINE = {"he": "I", "him": "me", "his": "my", "himself": "myself", "she": "I", "her": "me", "herself": "myself"}
MINE |= {
    "hers": "mine",
    "he's": "I'm",
    "he'll": "I'll",
    "he'd": "I'd",
    "she's": "I'm",
    "she'll": "I'll",
    "she'd": "I'd",
}
WITH_I = {"is": "am", "has": "have", "does": "do", "isn't": "am not", "hasn't": "haven't", "doesn't": "don't"}
WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")
SPEECH = re.compile(r""""[^"\n]*"|(?<![\w.,!?])'(?=\w)[^\n]*?[.,!?;:-]'(?!\w)""")


class Retold(NamedTuple):
    """A tale told anew, and where in it the new words are: (begin, end) in characters."""

    text: str
    changed: list[tuple[int, int]]


Rule = Callable[[Sequence[str], Sequence[str], int], str | None]


def _exchanged(words: Sequence[str], gaps: Sequence[str], i: int) -> str | None:
    word, _, tail = words[i].partition("'")
    alone = gaps[i + 1] != " "  # nothing follows but a mark, so that no noun can be meant
    if word == "her":
        return "him" if alone or words[i + 1] in AFTER_HIM else "his"
    if word == "his":
        return "hers" if alone else "her"
    return OTHER[word] + ("'" + tail if tail else "") if word in OTHER else None


def _by(hero: tuple[str, ...]) -> Rule:
    def rule(words: Sequence[str], gaps: Sequence[str], i: int) -> str | None:
        word = words[i]
        if word.partition("'")[0] in hero and word in MINE:
            owns = word == "her" and gaps[i + 1] == " " and words[i + 1] not in AFTER_HIM
            return "mine" if word == "his" and gaps[i + 1] != " " else "my" if owns else MINE[word]
        return WITH_I.get(word) if i and words[i - 1] == hero[0] and gaps[i] == " " else None

    return rule


def _retold(text: str, rule: Rule, spared: re.Pattern[str] | None = None) -> Retold:
    found = list(WORD.finditer(text))
    words = [one[0].lower() for one in found] + [""]
    ends = [0, *(one.end() for one in found)]
    gaps = [text[end : one.start()] for end, one in zip(ends, found, strict=False)] + [text[ends[-1] :]]
    kept = {at for one in spared.finditer(text) for at in range(*one.span())} if spared else set()
    pieces, changed, at = [], [], 0
    for i, one in enumerate(found):
        new = None if one.start() in kept else rule(words, gaps, i)
        pieces.append(gaps[i])
        at += len(gaps[i])
        if new is not None and one[0].isupper() and len(one[0]) > 1:
            new = new.upper()
        elif new is not None and one[0][0].isupper():
            new = new[0].upper() + new[1:]
        said = one[0] if new is None else new
        if said != one[0]:
            changed.append((at, at + len(said)))
        pieces.append(said)
        at += len(said)
    return Retold("".join([*pieces, gaps[-1]]), changed)


def _told_by_the_hero(text: str) -> Retold:
    """He or she is I, whichever of them the tale speaks of more often; what people say aloud stays as it is."""
    men, women = (len(re.findall(rf"\b{word}\b", text, re.I)) for word in ("he", "she"))
    return _retold(
        text, _by(("he", "him", "his", "himself") if men >= women else ("she", "her", "hers", "herself")), SPEECH
    )


RETOLD: dict[str, Callable[[str], Retold]] = {
    "by-the-hero": _told_by_the_hero,
    "exchanged": lambda text: _retold(text, _exchanged),
}


def retell(kind: str, text: str) -> Retold:
    """Tell a tale anew.

    Raises:
        ValueError: a kind that is not in RETOLD.
    """
    if kind not in RETOLD:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(RETOLD)}")
    return RETOLD[kind](text)
