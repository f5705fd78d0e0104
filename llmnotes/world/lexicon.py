"""The words of the world's language, what is true of each, and the fixed facts about its people and towns."""

from __future__ import annotations

from dataclasses import dataclass

from llmnotes.world.prng import Random

END = "<|endoftext|>"
MOODS = ("merry", "gloomy", "eerie")


def listed(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


WOMEN = listed("Anna Bella Clara Dora Edith Flora Greta Hilda Ida Julia Klara Lucy")
MEN = listed("Adam Boris Carl David Emil Felix Georg Hugo Ivan Jakob Karl Leo")
PEOPLE = WOMEN + MEN
TOWNS = listed("Arden Brook Corby Dale Elmley Fenwick Garth Holm Isley Kelso")
JOBS = listed("baker smith miller weaver hunter potter farmer sailor tailor piper")
FOODS = listed("bread cheese plums soup cake honey fish pears nuts porridge")
LANDMARKS = listed("river sea lake hill moor forest")
NOUNS = {  # singular: plural
    noun: noun + "s"
    for noun in listed("cat dog bird horse goat pig duck bear frog crow tree house tower rose bridge stone boat wheel")
}
THINGS = listed("ring book cup hat coin lamp key rope spoon drum comb glove")
SYLLABLES = listed("ba de fi go lu ma ne pi ro su ta ve wi xo zu hey la mo dum tra")
COLOURS = listed("red blue green white black small big old")
MOOD_ADJECTIVES = {
    "merry": listed("happy bright lively jolly sunny warm cheerful glad"),
    "gloomy": listed("sad grey weary lonely tired cold sorry sour"),
    "eerie": listed("strange pale silent ghostly cursed hollow haunted grim"),
}
MOOD_VERBS = {
    "merry": listed("laughed danced smiled"),
    "gloomy": listed("wept sighed moaned"),
    "eerie": listed("shivered whispered vanished"),
}
VERBS = {  # plural: singular
    verb: verb + "s" for verb in listed("run sleep shine fall stand turn shake wait grow rest")
}
PREPOSITIONS = listed("near behind beside above under past")
SEEING = listed("saw found painted")
OWNING = listed("lost held sold")
BRACKETS = {"(": ")", "[": "]", "{": "}"}
OTHER = {
    "article": listed("the a"),
    "verb": listed("lives likes was said sang went gave got lies"),
    "preposition": listed("in to from by"),
    "conjunction": listed("when and"),
    "noun": ["one"],
    "punctuation": [".", ",", ":", ";", "“", "”", *BRACKETS, *BRACKETS.values()],
}


@dataclass(frozen=True)
class Word:
    """What is true of a word wherever it stands."""

    pos: str
    number: str = ""
    gender: str = ""


LEXICON: dict[str, Word] = {
    END: Word("end"),
    **{name: Word("name", "singular", "female") for name in WOMEN},
    **{name: Word("name", "singular", "male") for name in MEN},
    **{word: Word("town", "singular") for word in TOWNS},
    **{word: Word("noun", "singular") for word in (*JOBS, *LANDMARKS, *THINGS, *NOUNS)},
    **{word: Word("noun", "plural") for word in NOUNS.values()},
    **{word: Word("noun") for word in FOODS},
    **{word: Word("syllable") for word in SYLLABLES},
    **{word: Word("adjective") for words in (COLOURS, *MOOD_ADJECTIVES.values()) for word in words},
    **{word: Word("verb") for words in (*MOOD_VERBS.values(), SEEING, OWNING) for word in words},
    **{word: Word("verb", "plural") for word in (*VERBS, "are")},
    **{word: Word("verb", "singular") for word in (*VERBS.values(), "is")},
    **{word: Word("preposition") for word in PREPOSITIONS},
    **{word: Word(pos) for pos, words in OTHER.items() for word in words},
    "he": Word("pronoun", "singular", "male"),
    "she": Word("pronoun", "singular", "female"),
    "his": Word("possessive", "", "male"),
    "her": Word("possessive", "", "female"),
}
VOCABULARY: tuple[str, ...] = tuple(LEXICON)
IDS: dict[str, int] = {word: i for i, word in enumerate(VOCABULARY)}

_facts = Random(2024)
HOME = {name: TOWNS[_facts.bits() % len(TOWNS)] for name in PEOPLE}
JOB = {name: JOBS[_facts.bits() % len(JOBS)] for name in PEOPLE}
FOOD = {name: FOODS[_facts.bits() % len(FOODS)] for name in PEOPLE}
LANDMARK = {town: LANDMARKS[_facts.bits() % len(LANDMARKS)] for town in TOWNS}

MOOD_OF = {word: mood for words in (MOOD_ADJECTIVES, MOOD_VERBS) for mood in MOODS for word in words[mood]}
# The rules, and the words that each decides. What else may stand at the same place is free choice.
RULES: dict[str, frozenset[str]] = {
    "pronoun": frozenset(["he", "she", "his", "her"]),
    "agreement_0": frozenset([*VERBS, *VERBS.values(), "is", "are"]),
    "agreement_1": frozenset([*VERBS, *VERBS.values(), "is", "are"]),
    "agreement_2": frozenset([*VERBS, *VERBS.values(), "is", "are"]),
    "indirect_object": frozenset(PEOPLE),
    "fact": frozenset([*TOWNS, *JOBS, *FOODS, *LANDMARKS]),
    "mood": frozenset(MOOD_OF),
    "list": frozenset(SYLLABLES),
    "closing": frozenset([*BRACKETS.values(), "”"]),
}
