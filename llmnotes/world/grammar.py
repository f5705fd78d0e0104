"""A small language whose grammar we wrote: stories in which the truth about every word is known.

The grammar is the function `story`: a program that, at every word, says which words may come and how likely each is
(`Choice`), is told which one was spoken, and goes on from there. `tell` draws the words, so it writes stories; the
oracle feeds it words that are given, so it knows the true distribution of the next one. Nothing is decided before it is
spoken but the mood of the story. Same seed, same stories: random numbers come from `llmnotes.world.prng`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import islice

from llmnotes.world import lexicon as lex
from llmnotes.world.prng import Random


@dataclass(frozen=True)
class Choice:
    """The words that may come next, and what is true of the one that will."""

    options: dict[str, float]  # the probability of each word; they sum to 1
    rule: str = ""  # the rule at work, a key of `RULES`, or "" where only syntax is
    referent: str = ""  # the person that a pronoun at this place stands for


Speech = Generator[Choice, str, str]  # a piece of grammar: offers choices, is told the words, returns the last


def even(words: list[str] | tuple[str, ...], total: float = 1.0) -> dict[str, float]:
    """The same probability for each word."""
    return {word: total / len(words) for word in words}


def only(word: str, rule: str = "", referent: str = "") -> Choice:
    """The one word that may come."""
    return Choice({word: 1.0}, rule, referent)


def coloured(words: dict[str, list[str]], mood: str) -> dict[str, float]:
    """Words of all moods; those of the story's own are eighteen times as likely as those of another."""
    return {word: p for m in lex.MOODS for word, p in even(words[m], 0.9 if m == mood else 0.05).items()}


ADJECTIVES = {mood: Choice(coloured(lex.MOOD_ADJECTIVES, mood), "mood") for mood in lex.MOODS}
FEELINGS = {mood: coloured(lex.MOOD_VERBS, mood) for mood in lex.MOODS}
PLURALS = {*lex.NOUNS.values()}
ANY_NOUN = Choice(even([*lex.NOUNS, *lex.NOUNS.values()]))
HEADS = {
    mood: Choice(
        {
            **even([*lex.NOUNS, *lex.NOUNS.values()], 0.55),
            **even(lex.COLOURS, 0.2),
            **{word: 0.25 * p for word, p in coloured(lex.MOOD_ADJECTIVES, mood).items()},
        },
        "mood",
    )
    for mood in lex.MOODS
}
PRONOUN = {name: "she" if name in lex.WOMEN else "he" for name in lex.PEOPLE}
POSSESSIVE = {name: "her" if name in lex.WOMEN else "his" for name in lex.PEOPLE}
# What a person does, by the first word that says it.
DEEDS = {
    "lives": 0.08,
    "is": 0.08,
    "likes": 0.08,
    "was": 0.14,
    **even(lex.SEEING, 0.11),
    **even(lex.OWNING, 0.09),
    "said": 0.08,
    "sang": 0.16,
}  # the remaining 0.18 are verbs of feeling
DEED = {mood: Choice(DEEDS | {word: 0.18 * p for word, p in FEELINGS[mood].items()}, "mood") for mood in lex.MOODS}


@dataclass
class Scene:
    """What has been said so far, as far as it matters for what comes."""

    mood: str
    cast: list[str] = field(default_factory=list)  # people named, at most three, in order
    subject: str = ""  # whom "he" or "she" would stand for

    def people(self, total: float = 1.0, but: str = "") -> dict[str, float]:
        """Who may be named: someone of the story, or someone new while there are fewer than three."""
        known = [name for name in self.cast if name != but]
        new = (1.0, 0.6, 0.3, 0.0)[len(self.cast)] if known else 1.0
        options = even(known, total * (1 - new)) if new < 1 else {}
        if new:
            options |= even([name for name in lex.PEOPLE if name not in self.cast], total * new)
        return options

    def named(self, name: str) -> str:
        """Note that a person was named."""
        if name not in self.cast:
            self.cast.append(name)
        return name


def story(mood: str) -> Speech:
    """The grammar: a story of a mood, sentence by sentence until the end of the text."""
    scene = Scene(mood)
    while True:
        start = {"the": 0.25, "when": 0.13, lex.END: 0.04} | even(lex.TOWNS, 0.06)
        if scene.subject:
            start |= {PRONOUN[scene.subject]: 0.22} | scene.people(0.30)
        else:
            start |= scene.people(0.52)
        word = yield Choice(start, "pronoun", scene.subject)
        if word == lex.END:
            return word
        if word == "the":
            yield from nouns(scene)
            yield only(".")
        elif word == "when":
            yield from giving(scene)
        elif word in lex.LANDMARK:
            yield only("lies")
            yield only("by")
            yield only("the")
            yield only(lex.LANDMARK[word], "fact")
            yield only(".")
        else:
            if word in PRONOUN:  # a name; "he" and "she" leave the subject as it is
                scene.subject = scene.named(word)
            yield from deed(scene)


def nouns(scene: Scene) -> Speech:
    """After "the": a noun with up to two attractors behind it, and a verb that agrees with the noun.

    the small cats near the dog are happy
    the silent tower shines
    """
    head = yield HEADS[scene.mood]
    if head not in lex.NOUNS and head not in PLURALS:
        head = yield ANY_NOUN
    singular = head in lex.NOUNS
    verbs = even([*(lex.VERBS.values() if singular else lex.VERBS)], 0.5) | {"is" if singular else "are": 0.5}
    for attractors in range(3):
        more = (0.5, 0.4, 0.0)[attractors]
        options = {verb: p * (1 - more) for verb, p in verbs.items()}
        if more:
            options |= even(lex.PREPOSITIONS, more)
        word = yield Choice(options, f"agreement_{attractors}")
        if word in verbs:
            break
        yield only("the")
        yield ANY_NOUN
    if word in ("is", "are"):
        word = yield ADJECTIVES[scene.mood]
    return word


def giving(scene: Scene) -> Speech:
    """After "when": two people, one of whom gives to or gets from the other; the last name is the other's.

    when Anna and Karl went to the river , Karl gave the ring to Anna .
    """
    first = scene.named((yield Choice(scene.people())))
    yield only("and")
    second = scene.named((yield Choice(scene.people(but=first))))
    yield only("went")
    yield only("to")
    yield only("the")
    yield Choice(even(lex.LANDMARKS))
    yield only(",")
    scene.subject = yield Choice({first: 0.5, second: 0.5})
    verb = yield Choice({"gave": 0.5, "got": 0.5})
    yield only("the")
    yield Choice(even(lex.THINGS))
    yield only("to" if verb == "gave" else "from")
    yield only(second if scene.subject == first else first, "indirect_object")
    return (yield only("."))


def deed(scene: Scene) -> Speech:
    """After a name or pronoun: what that person is like or does."""
    verb = yield DEED[scene.mood]
    if verb == "lives":
        yield only("in")
        yield only(lex.HOME[scene.subject], "fact")
    elif verb == "is":
        yield only("a")
        yield only(lex.JOB[scene.subject], "fact")
    elif verb == "likes":
        yield only(lex.FOOD[scene.subject], "fact")
    elif verb == "was":
        yield ADJECTIVES[scene.mood]
    elif verb in lex.SEEING:
        yield only("the")
        yield ANY_NOUN
        word = yield Choice({".": 0.5} | even([*lex.BRACKETS], 0.5))
        if word == ".":
            return word
        yield from aside(scene, word)
    elif verb in lex.OWNING:
        yield only(POSSESSIVE[scene.subject], "pronoun", scene.subject)
        yield Choice(even(lex.THINGS))
    elif verb == "said":
        yield only("“")
        yield only("the")
        yield from nouns(scene)
        yield only("”", "closing")
    elif verb == "sang":
        return (yield from song())
    return (yield only("."))


def aside(scene: Scene, opened: str, depth: int = 1) -> Speech:
    """After an opening bracket: a remark, perhaps with another inside; the innermost bracket closes first.

    ( a happy one [ a red one ] )
    """
    yield only("a")
    yield ADJECTIVES[scene.mood]
    yield only("one")
    close = lex.BRACKETS[opened]
    more = 0.4 if depth < 3 else 0.0
    word = yield Choice({close: 1 - more} | (even([*lex.BRACKETS], more) if more else {}), "closing")
    if word == close:
        return word
    yield from aside(scene, word, depth + 1)
    return (yield only(close, "closing"))


def song() -> Speech:
    """After "sang": at least three syllables, then the same again, once or more often.

    : la mo fi la ; la mo fi la ; la mo fi la .
    """
    yield only(":")
    sung: list[str] = []
    while True:
        stop = 0.0 if len(sung) < 3 else 0.3
        word = yield Choice(({";": stop} if stop else {}) | even(lex.SYLLABLES, 1 - stop))
        if word == ";":
            break
        sung.append(word)
    while word == ";":
        for syllable in sung:
            yield only(syllable, "list")
        word = yield Choice({";": 0.6, ".": 0.4})
    return word


@dataclass(frozen=True)
class Token:
    """A spoken word with its truth."""

    word: str
    pos: str  # part of speech
    number: str  # "singular", "plural" or ""
    gender: str  # "female", "male" or ""
    referent: str  # the person that a name or pronoun stands for, or ""
    mood: str  # the hidden mood of its story
    rule: str  # the rule that decided the word, or ""
    p: float  # its true probability given the words before it and the mood


def speak(random: Random, mood: str) -> Iterator[tuple[str, Choice]]:
    """Draw a story of a mood: each word with the choice that it was drawn from, the end of the text last."""
    telling = story(mood)
    choice = next(telling)
    while True:
        word = random.draw(choice.options)
        yield word, choice
        try:
            choice = telling.send(word)
        except StopIteration:
            return


def tell(seed: int, number: int = 0) -> list[Token]:
    """Story `number` of a seed's row of stories, with the truth of every word. It begins and ends with `END`."""
    random = Random(seed, number)
    mood = random.draw(even(lex.MOODS))
    tokens = [Token(lex.END, "end", "", "", "", mood, "", 1.0)]
    for word, choice in speak(random, mood):
        about = lex.LEXICON[word]
        rule = choice.rule if choice.rule and word in lex.RULES[choice.rule] else ""
        referent = word if about.pos == "name" else choice.referent if about.pos in ("pronoun", "possessive") else ""
        tokens.append(Token(word, about.pos, about.number, about.gender, referent, mood, rule, choice.options[word]))
    return tokens


def story_ids(seed: int, number: int = 0, limit: int | None = None) -> list[int]:
    """The ids of the first `limit` words of `tell(seed, number)`, without their truth: quick, for training."""
    random = Random(seed, number)
    mood = random.draw(even(lex.MOODS))
    spoken = islice(speak(random, mood), None if limit is None else limit - 1)
    return [lex.IDS[lex.END], *(lex.IDS[word] for word, _ in spoken)]
