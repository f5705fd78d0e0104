# ---
# title: Cleaning the data
# question: What does each step of cleaning a text do for the model that learns from it?
# answer: >-
#   With the same number of characters to read, all steps together take a small model from {{ result("data.bits_raw", ".2f") }} bits a
#   character to {{ result("data.bits_all", ".2f") }}; the filters of language and quality have the largest part in it.
# level: beginner
# minutes: 15
# models: []
# needs: [02_tokens, 08_meet]
# tags: [world language, data]
# chapter: Building one
# thumbnail: steps
# timeout: 600
# ---

# %% tags=["setup"]
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np

from llmnotes.lab import ask, figure, in_words, note, plots, predict, within
from llmnotes.scratch import kneser_ney
from llmnotes.world import tell

BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
counted = within(rtol=1e-6, because="counted in fixed texts")
bits_note = within(atol=0.005, because="counts of characters, summed in another order")

# %% [markdown]
# ## A case you can hold: one page as it comes
#
# The web is no library. Before a model reads a page, somebody has to decide what of it is text. Here is one page as our collection
# has it:


# %% tags=["setup"]
@dataclass(frozen=True)
class Page:
    """A text with what we planted in it; `story` is the same for a story and its copies."""

    text: str
    story: int
    kind: str = "story"  # story, copy, near copy, foreign, salad, spam
    markup: bool = False
    private: str = ""  # the private words in it


FOOTERS = (
    "click here to share this story",
    "all rights reserved . cookies help us",
    "subscribe to our letter",
)
NAMES = ("anna", "karl", "dora", "emil", "greta")


def story_text(seed, number):
    return " ".join(token.word for token in tell(seed, number)[1:-1])


def with_markup(text, rng):
    sentences = re.split(r"(?<= \.) ", text)
    body = " ".join(f"<p>{s}</p>" if rng.random() < 0.5 else f"{s}<br>" for s in sentences)
    return f'<div class="page">{body}</div> &nbsp; {rng.choice(FOOTERS)} &copy;'


def private_words(rng):
    """A phone number or an address; one in four is written so that it is hard to find."""
    number = " ".join(str(rng.integers(100, 999)) for _ in range(3))
    name = rng.choice(NAMES)
    return rng.choice(
        [
            number,
            number,
            f"{name}{rng.integers(10, 99)}@mail.com",
            f"{name} at mail dot com",
        ]
    )


def near_copy(text, rng):
    """The same text with one word in twenty replaced by another of its own words."""
    words = text.split()
    for i in np.flatnonzero(rng.random(len(words)) < 0.05):
        words[i] = rng.choice(words)
    return " ".join(words)


def collection(seed, stories=320):
    """Pages of World's language with dirt whose amount we know."""
    rng = np.random.default_rng(seed)
    pages = [Page(story_text(100 + seed, i), i) for i in range(stories)]
    often = rng.zipf(1.6, 240) % stories  # what is copied is copied often
    for n, i in enumerate(often):
        text = pages[i].text
        pages.append(
            Page(text, int(i), "copy")
            if n % 3 == 0
            else Page(near_copy(text, rng), int(i), "near copy")
        )
    for i in range(150):
        text = story_text(500 + seed, i)
        kind = ("foreign", "salad", "spam")[i % 3]
        if kind == "foreign":
            text = " ".join(word[::-1] for word in text.split())
        elif kind == "salad":
            text = " ".join(rng.permutation(text.split()))
        else:
            text = " ".join([" ".join(text.split()[:6])] * (len(text) // 32 + 1))
        pages.append(Page(text, 10_000 + i, kind))
    made = []
    for page in pages:
        if rng.random() < 0.2:
            words = private_words(rng)
            page = replace(page, text=f"{page.text} call {words} .", private=words)
        if rng.random() < 0.5:
            page = replace(page, text=with_markup(page.text, rng), markup=True)
        made.append(page)
    return [made[i] for i in rng.permutation(len(made))]


SEEDS = range(5)
RAW = [collection(seed) for seed in SEEDS]
case = next(
    page
    for page in RAW[0]
    if page.markup and page.private and page.kind == "near copy" and len(page.text) < 700
)
print(case.text)
kinds = Counter(page.kind for page in RAW[0])
note(
    pages=len(RAW[0]),
    copies=kinds["copy"] + kinds["near copy"],
    stories=kinds["story"],
    foreign=kinds["foreign"],
)

# %% [markdown]
# It holds markup, a footer that stands on hundreds of pages, something private, and it is nearly the same as another page. We made
# it so. Each of our five collections has {{ result("data.pages") }} pages of *World*'s language, of which
# {{ result("data.stories") }} are stories and {{ result("data.copies") }} copies of some of them; the rest is another language,
# word salad and spam. So for every filter we know what it should have found.
#
# {{ drawing("data-pipeline", alt="Raw pages go through five steps: strip markup, remove copies, keep the language, keep quality, take out what is private. Then they are split, with all copies of a text on one side.") }}
#
# ## MinHash: how much two texts share, from 64 numbers
#
# Cut a text into *shingles*, its runs of five words. Two texts overlap by the share of shingles that they have in common,
#
# $$
# J(A, B) = \frac{|A \cap B|}{|A \cup B|}
# $$
#
# with $A$ and $B$ their sets of shingles. Number all shingles at random and keep each text's smallest number. The two smallest numbers
# are equal exactly if the smallest of the union lies in both: with probability $J$. Sixty-four such numberings estimate it.


# %% tags=["idea"]
def minhash(text, numberings):
    """The signature of a text: its smallest shingle under each numbering."""
    words = text.split()
    shingles = {hash_of(" ".join(words[i : i + 5])) for i in range(max(1, len(words) - 4))}
    a, b = numberings  # (64, 1) each
    return ((a * np.array(list(shingles), dtype=np.uint64) + b) % PRIME).min(axis=1)


# %% [markdown]
# Comparing all pages with all others takes too long. So each signature is cut into 16 *bands* of four numbers, and only pages that have a
# whole band in common are compared.


# %% tags=["idea"]
def near_duplicates(texts, numberings, bands=16):
    """Pairs of texts whose signatures agree in at least half: compared only if they share a band of four numbers."""
    signatures = [minhash(text, numberings) for text in texts]
    buckets = defaultdict(list)
    for i, signature in enumerate(signatures):
        for band, part in enumerate(signature.reshape(bands, -1)):
            buckets[band, part.tobytes()].append(i)
    pairs = {pair for found in buckets.values() for pair in combinations(found, 2)}
    return [
        (i, j) for i, j in sorted(pairs) if (signatures[i] == signatures[j]).mean() >= 0.5
    ]


# %% tags=["setup"]
PRIME = np.uint64(2_147_483_647)


def hash_of(shingle):
    """A number below 2³¹ that is the same on every machine and in every process."""
    value = 2166136261
    for byte in shingle.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value % int(PRIME)


_rng = np.random.default_rng(0)
NUMBERINGS = tuple(
    _rng.integers(1, int(PRIME), (64, 1)).astype(np.uint64) for _ in range(2)
)


def groups(n, pairs):
    """For each text the first text of its group: those that pairs connect, directly or through others."""
    first = list(range(n))
    for i, j in pairs:
        a, b = sorted((first[i], first[j]))
        first = [a if f == b else f for f in first]
    return first


def jaccard(a, b):
    a, b = (
        {tuple(t.split()[i : i + 5]) for i in range(len(t.split()) - 4)} for t in (a, b)
    )
    return len(a & b) / len(a | b)


one = story_text(100, 0)
other = near_copy(one, np.random.default_rng(1))
estimate = (minhash(one, NUMBERINGS) == minhash(other, NUMBERINGS)).mean()
print(f"overlap {jaccard(one, other):.2f}, estimated from 64 numbers {estimate:.2f}")
counted(case_overlap=jaccard(one, other), case_estimate=estimate)

# %% [markdown]
# A story and a copy of it with one word in twenty changed share {{ result("data.case_overlap", ".0%") }} of their shingles. The estimate from
# 64 numbers is {{ result("data.case_estimate", ".0%") }}.
#
# ## Your prediction
#
# The model is a *Kneser–Ney* 6-gram over characters: it counts what follows each five characters, and falls back to fewer. After
# each step it reads the first 100,000 characters of what is left, always as many, and we measure its bits a character on fresh clean
# stories. The control reads the raw pages.

# %%
ask(
    "Which step helps the model most, with the same number of characters to read?",
    choices={
        "markup": "Stripping markup and footers",
        "copies": "Removing copies",
        "filters": "Removing other languages, word salad and spam",
    },
    answer="filters",
    because={
        "markup": "Markup is half of the pages' dress, but the model soon knows its few tags by heart.",
        "copies": "A copy costs its length and teaches little. That helps, but a copy is at least made of good sentences.",
        "filters": "Salad and spam teach what is wrong in this language, and they fill a fifth of the pages.",
    },
    figure="steps",
    largest_is_answer="== 1",
)
predict("MinHash finds more than nine in ten planted copies", 0.8, recall_copies="> 0.9")
predict(
    "More than nine in ten of what it removes are planted copies",
    0.6,
    precision_copies="> 0.9",
)
predict("Patterns find fewer than 85% of the private words", 0.8, recall_private="< 0.85")
predict(
    "Taking private words out changes the bits by less than 0.005",
    0.8,
    gain_private="between -0.005 and 0.005",
)
predict(
    "After all steps the model is within 0.02 bits of one that reads planted clean stories only",
    0.5,
    left_to_clean="< 0.02",
)
predict(
    "A random split of the raw pages flatters the model by more than 0.05 bits",
    0.7,
    flattery="> 0.05",
)

# %% [markdown]
# ## Each filter against what we planted


# %% tags=["idea"]
def strip_markup(text):
    """Tags, entities and known footers out; spaces in order."""
    text = re.sub(r"<[^>]+>|&\w+;", " ", text)
    for footer in FOOTERS:
        text = text.replace(footer, " ")
    return " ".join(text.split())


PHONE = re.compile(r"\b\d{3} \d{3} \d{3}\b")
MAIL = re.compile(r"\b[\w.]+@[\w.]+\.\w+\b")


def hide_private(text):
    """Phone numbers and addresses out, where a pattern finds them."""
    return MAIL.sub("", PHONE.sub("", text))


# %% [markdown]
# For language and quality we trust 30 stories that somebody has read. A page is in our language if most of its *words* are in
# the trusted stories, and it is no salad if most of its *pairs of words* are. It is spam if most of its runs of words are
# repeated.

# %% tags=["setup"]
TRUSTED = [story_text(900, i) for i in range(30)]
KNOWN = {word for text in TRUSTED for word in text.split()}
KNOWN_PAIRS = {
    pair for text in TRUSTED for pair in zip(text.split(), text.split()[1:], strict=False)
}


# %% tags=["idea"]
def in_language(text):
    words = text.split()
    return np.mean([word in KNOWN for word in words]) > 0.6


def has_quality(text):
    words = text.split()
    pairs = list(pairwise(words))
    salad = np.mean([pair in KNOWN_PAIRS for pair in pairs]) < 0.45
    runs = Counter(tuple(words[i : i + 6]) for i in range(len(words) - 5))
    spam = sum(n for n in runs.values() if n > 3) > 0.5 * len(words)
    return not salad and not spam


# %% tags=["setup"]
def share_right(flags, truths):
    """Precision and recall of flags."""
    flags, truths = np.array(flags), np.array(truths)
    both = (flags & truths).sum()
    return both / max(1, flags.sum()), both / truths.sum()


def steps_of(pages):
    """The pages after each step, and precision and recall of each filter."""
    kept, scores = {"raw": pages}, {}
    clean = [replace(page, text=strip_markup(page.text)) for page in pages]
    scores["markup"] = share_right(
        [p.text != c.text for p, c in zip(pages, clean, strict=True)],
        [page.markup for page in pages],
    )
    kept["strip markup"] = clean
    first = groups(len(clean), near_duplicates([page.text for page in clean], NUMBERINGS))
    met, planted = set(), []
    for (
        page
    ) in clean:  # in order of reading: whichever comes first of a story is not a copy
        planted.append(page.story in met)
        met.add(page.story)
    dropped = [f != i for i, f in enumerate(first)]
    scores["copies"] = share_right(dropped, planted)
    left = [page for page, drop in zip(clean, dropped, strict=True) if not drop]
    kept["remove copies"] = left
    flags = [not in_language(page.text) for page in left]
    strangers = Counter(
        page.kind
        for page, flag in zip(left, flags, strict=True)
        if flag and page.kind != "foreign"
    )
    scores["language"] = share_right(flags, [page.kind == "foreign" for page in left])
    left = [page for page, flag in zip(left, flags, strict=True) if not flag]
    kept["keep the language"] = left
    flags = [not has_quality(page.text) for page in left]
    scores["quality"] = share_right(
        flags, [page.kind in ("salad", "spam") for page in left]
    )
    wrong = [
        page
        for page, flag in zip(left, flags, strict=True)
        if flag and page.kind not in ("salad", "spam")
    ]
    left = [page for page, flag in zip(left, flags, strict=True) if not flag]
    kept["keep quality"] = left
    hidden = [replace(page, text=hide_private(page.text)) for page in left]
    scores["private"] = share_right(
        [h.text != page.text for h, page in zip(hidden, left, strict=True)],
        [bool(page.private) for page in left],
    )
    kept["take out private"] = hidden
    return kept, scores, wrong, strangers


made = [steps_of(pages) for pages in RAW]
scores = {
    name: np.array([scores[name] for _, scores, *_ in made]) for name in made[0][1]
}  # (seed, precision or recall)
for name, found in scores.items():
    print(
        f"{name:10} precision {found[:, 0].mean():4.0%}   recall {found[:, 1].mean():4.0%}"
    )
print("taken for salad or spam:")
print(made[0][2][0].text[:160] if made[0][2] else "nothing")
counted(
    **{f"precision_{name}": found[:, 0].mean() for name, found in scores.items()},
    **{f"recall_{name}": found[:, 1].mean() for name, found in scores.items()},
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.0)
LABELS = {
    "markup": "markup",
    "copies": "copies",
    "language": "other language",
    "quality": "salad, spam",
    "private": "private words",
}
for y, name in enumerate(reversed(LABELS)):
    for k, (which, colour, marker) in enumerate(
        (("precision", BLUE, "o"), ("recall", ORANGE, "D"))
    ):
        ax.plot(
            100 * scores[name][:, k],
            [y + 0.12 - 0.24 * k] * 5,
            marker,
            color=colour,
            ms=6,
            label=which if y == 0 else None,
        )
ax.set_yticks(range(len(LABELS)), list(reversed(LABELS.values())))
ax.set(xlabel="share (%)", xlim=(40, 103), ylim=(-0.6, 4.6))
ax.legend(loc="lower left", fontsize=9)
figure(
    fig,
    name="filters",
    title="Every filter also takes what it should leave, or leaves what it should take",
    alt="Precision and recall of five filters over five collections. Markup, copies and other languages are found nearly perfectly; "
    "private words are found at about three in four.",
    caption="Dots: five collections. Precision: of what was taken, the share that was planted. Recall: of what was planted, the share taken.",
)

# %% [markdown]
# MinHash finds {{ result("data.recall_copies", ".0%") }} of the planted copies, and {{ result("data.precision_copies", ".0%") }} of what it
# removes are copies. The patterns for private words find {{ result("data.recall_private", ".0%") }}: an address that is written
# *anna at mail dot com* passes. A filter that nobody grades looks perfect, since one sees only what it took.
#
# ## What each step does for the model

# %% tags=["setup"]
BUDGET = 100_000
FRESH = " ".join(story_text(700, i) for i in range(24))
ALPHABET = {
    c: i
    for i, c in enumerate(
        sorted({c for pages in RAW for page in pages for c in page.text} | set(FRESH))
    )
}


def ids(text):
    return [ALPHABET[c] for c in text]


def bits(texts, held=FRESH, order=6):
    """Bits a character on held-out text, after reading the first 100,000 characters of texts."""
    read = " ".join(texts)
    if len(read) < BUDGET:
        raise ValueError(f"{len(read)} characters are fewer than {BUDGET}")
    return float(
        kneser_ney(ids(read[:BUDGET]), ids(held), len(ALPHABET), order).mean()
    ) / np.log(2)


NAMES_OF_STEPS = list(made[0][0])
curve = np.array(
    [
        [bits([page.text for page in kept[name]]) for name in NAMES_OF_STEPS]
        for kept, *_ in made
    ]
)
ideal = np.array(  # the same stories in the same order, as they were before we spoiled them
    [
        bits([story_text(100 + s, p.story) for p in RAW[s] if p.kind == "story"])
        for s in SEEDS
    ]
)

gains = -np.diff(curve, axis=1)  # (seed, step)
by_step = {
    "markup": gains[:, 0],
    "copies": gains[:, 1],
    "filters": gains[:, 2] + gains[:, 3],
    "private": gains[:, 4],
}
for name, gain in by_step.items():
    print(f"{name:8} {gain.mean():7.4f} bits, {gain.min():7.4f} to {gain.max():6.4f}")
bits_note(
    unit="bits",
    bits_raw=curve[:, 0].mean(),
    bits_all=curve[:, -1].mean(),
    bits_clean=ideal.mean(),
)
bits_note(**{f"gain_{name}": gain.mean() for name, gain in by_step.items()})
bits_note(**{f"least_{name}": gain.min() for name, gain in by_step.items()})
bits_note(left_to_clean=curve[:, -1].mean() - ideal.mean())
largest = max(("markup", "copies", "filters"), key=lambda name: by_step[name].mean())
note(largest_is_answer=largest == "filters")

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.6)
for row in curve:
    ax.plot(range(len(NAMES_OF_STEPS)), row, color=GREY, lw=0.8)
ax.plot(range(len(NAMES_OF_STEPS)), curve.mean(0), "o-", color=BLUE)
ax.axhline(curve[:, 0].mean(), color=GREY, ls="--", lw=1.2)
ax.text(
    5.05,
    curve[:, 0].mean(),
    "control: raw",
    va="bottom",
    ha="right",
    color=plots.INK,
    fontsize=9,
)
ax.axhline(ideal.mean(), color=GREEN, ls="--", lw=1.2)
ax.text(
    5.05,
    ideal.mean(),
    "planted stories alone",
    va="top",
    ha="right",
    color=GREEN,
    fontsize=9,
)
ax.set_xticks(
    range(len(NAMES_OF_STEPS)),
    ["raw", "markup\nout", "copies\nout", "other\ntongues", "low\nquality", "private\nout"],
)
ax.set(
    ylabel="bits a character, fresh stories", ylim=(ideal.min() - 0.03, curve.max() + 0.03)
)
figure(
    fig,
    name="steps",
    title="Keeping quality helps most, hiding what is private costs nothing",
    alt="Bits a character on fresh stories after each step of cleaning, five collections and their mean, between raw pages and "
    "planted stories alone.",
    caption="Each point reads the same number of characters. Thin: five collections.",
    rtol=0.02,
    because="counts of characters, summed in another order",
)

# %% [markdown]
# The filters of language and quality together gain {{ result("data.gain_filters", ".3f") }} bits, removing copies
# {{ result("data.gain_copies", ".3f") }}, stripping markup {{ result("data.gain_markup", ".3f") }}, as means over five collections. The lines of
# the collections cross: which stories the first 100,000 characters hold matters nearly as much as a step.
#
# Taking private words out changes the bits by {{ result("data.gain_private", "+.4f") }}. Here there is no trade between a
# good model and other people's numbers.
#
# ```exercise
# title: One band more
# minutes: 3
# code: |
#   rows = 4                     # numbers in a band
#   overlap = 0.8
#   agree = ▢                    # probability that one band of two texts agrees
#   assert abs(agree - 0.4096) < 1e-6
# right: ["overlap ** rows", "0.8 ** 4", "overlap**rows", "overlap ** 4"]
# praise: All four numbers must agree, each with probability 0.8. With 16 bands the two texts meet at least once with 99.98%.
# wrong:
#   "overlap * rows": Probabilities of independent events multiply.
#   "1 - (1 - overlap) ** rows": That is the probability that at least one of the four numbers agrees.
# otherwise: "Four numbers agree, each with probability 0.8."
# solution: "`overlap ** rows`"
# ```
#
# ## A split at random leaks
#
# To know how good a model is one holds pages out. Held out at random from the raw pages, some of them have copies among those that
# are read. A split *by story* keeps all copies on one side.


# %% tags=["setup"]
def split_bits(pages, by_story, seed):
    """Bits on a held-out tenth of the planted stories and their copies."""
    rng = np.random.default_rng(seed)
    pages = [page for page in pages if page.kind in ("story", "copy", "near copy")]
    keys = np.array([page.story if by_story else i for i, page in enumerate(pages)])
    out = set(rng.permutation(np.unique(keys))[: len(np.unique(keys)) // 10].tolist())
    held = {
        key: page.text for page, key in zip(pages, keys, strict=True) if key in out
    }  # by story: each once
    held = " ".join(held.values())[:20_000]
    return bits(
        [page.text for page, key in zip(pages, keys, strict=True) if key not in out], held
    )


pairs = [(made[seed][0]["strip markup"], seed) for seed in SEEDS]
leaky = np.array([split_bits(pages, False, seed) for pages, seed in pairs])
fair = np.array([split_bits(pages, True, seed) for pages, seed in pairs])

bits_note(unit="bits", leaky=leaky.mean(), fair=fair.mean())
bits_note(flattery=(fair - leaky).mean(), least_flattery=(fair - leaky).min())

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.4)
for a, b in zip(leaky, fair, strict=True):
    ax.plot([a, b], [1, 0], color=GREY, lw=0.8)
ax.plot(leaky, [1] * 5, "D", color=ORANGE, ms=7)
ax.plot(fair, [0] * 5, "o", color=BLUE, ms=7)
ax.set_yticks([0, 1], ["split by story", "split at random"])
ax.set(xlabel="bits a character, held-out pages", ylim=(-0.5, 1.5))
figure(
    fig,
    name="split",
    title="Copies on both sides flatter the model",
    alt="Bits a character on held-out pages, five collections: lower with a random split than with a split by story.",
    caption="The same pages, stripped of markup, and the same model.",
    rtol=0.05,
    because="counts of characters, summed in another order",
)

# %% [markdown]
# The random split promises {{ result("data.leaky", ".2f") }} bits a character, the split by story {{ result("data.fair", ".2f") }}. Nothing about the
# model is different. Only the test is. In one of five collections the two agree, where few of the held-out pages had copies.
#
# ## What surprised us
#
# **The spam filter takes the songs.** Spam says the same again and again, so we drop pages in which most runs of six words come more than
# three times. Stories that the filter took begin like this: *Carl sang : xo fi go la ; xo fi go la ; xo fi go la*. Singing is
# good language here, and the filter cannot know it. Real filters for repetition take poems and lists of results in the same way
# ([surprise](../surprises/data-spam-filter-takes-songs.md)).
#
# **Copies of copies.** Each near copy has one word in twenty changed. Two of them differ in one word in ten, share few runs of five words, and
# MinHash no longer sees that they belong together. So it finds {{ result("data.recall_copies", ".0%") }} and not nearly all.
#
# ## Try it
#
# **1. Fewer numbers** (5 minutes). How well does MinHash do with 16 numbers, in 4 bands of 4?
#
# ??? tip "Hint"
#     `tuple(part[:16] for part in NUMBERINGS)`, and `bands=4`.

# %% tags=["solution"]
texts = [page.text for page in made[0][0]["strip markup"]]
short = near_duplicates(texts, tuple(part[:16] for part in NUMBERINGS), bands=4)
full = near_duplicates(texts, NUMBERINGS)
assert len(short) > 0, "did the bands divide the signature?"
print(f"{len(short)} pairs with 16 numbers, {len(full)} with 64")
counted(pairs_16=len(set(short) & set(full)) / len(full))

# %% [markdown]
# ## You can now
#
# - write MinHash in twenty lines and say why it works;
# - grade a filter by precision and recall, which needs planted dirt;
# - split data so that the test does not leak.
#
# ## What this does not show
#
# - The web. Our dirt is simple, and its amount is our choice: more than half of the pages are copies or no stories at all.
# - A neural network. The model counts. It forgets nothing and generalises little.
# - Whether cleaning helps if the raw text is longer. Here every step has the same number of characters; with all pages at hand, removing some also
#   removes text.
#
# ## Going deeper
#
# **Sixteen numbers** find {{ result("data.pairs_16", ".0%") }} of the pairs that 64 find.
#
# **Precision and recall.** Markup {{ result("data.precision_markup", ".0%") }} and {{ result("data.recall_markup", ".0%") }}; other
# language {{ result("data.precision_language", ".0%") }} and {{ result("data.recall_language", ".0%") }}; salad and spam
# {{ result("data.precision_quality", ".0%") }} and {{ result("data.recall_quality", ".0%") }}; private words
# {{ result("data.precision_private", ".0%") }} and {{ result("data.recall_private", ".0%") }}.
#
# **Real text.** How the corpus of *Fairytale* was made from books of Project Gutenberg, its copies across editions included, stands in
# [its recipe](../recipes/fairytale-corpus.md).
#
# - Surprise: [A spam filter takes the songs](../surprises/data-spam-filter-takes-songs.md)
# - Finding: [A split at random leaks through copies](../findings/data-random-split-leaks.md)
# - Broder (1997), [On the resemblance and containment of documents](https://doi.org/10.1109/SEQUEN.1997.666900)
# - Lee and others (2022), [Deduplicating training data makes language models better](https://arxiv.org/abs/2107.06499)
# - Penedo and others (2023), [The RefinedWeb dataset for Falcon LLM](https://arxiv.org/abs/2306.01116)

# %% tags=["setup"]
in_words(
    pages="Pages of a collection",
    copies="Copies and near copies planted in a collection",
    stories="Stories in a collection",
    foreign="Pages in another language in a collection",
    case_overlap="Overlap of a story and a near copy",
    case_estimate="The same, estimated from 64 numbers",
    precision_markup="Precision of the filter for markup",
    precision_copies="Precision of the filter for copies",
    precision_language="Precision of the filter for other language",
    precision_quality="Precision of the filter for salad, spam",
    precision_private="Precision of the filter for private words",
    recall_markup="Recall of the filter for markup",
    recall_copies="Recall of the filter for copies",
    recall_language="Recall of the filter for other language",
    recall_quality="Recall of the filter for salad, spam",
    recall_private="Recall of the filter for private words",
    bits_raw="Bits a character after raw pages",
    bits_all="Bits a character after all steps",
    bits_clean="Bits a character after planted stories alone",
    gain_markup="Bits gained by stripping markup",
    gain_copies="Bits gained by removing copies",
    gain_filters="Bits gained by the filters of language and quality",
    gain_private="Bits gained by taking private words out",
    least_markup="The same in the worst collection, markup",
    least_copies="The same in the worst collection, copies",
    least_filters="The same in the worst collection, language and quality",
    least_private="The same in the worst collection, private words",
    left_to_clean="Bits that planted stories alone would still gain",
    largest_is_answer="The step with the largest gain is the one named",
    leaky="Bits on pages held out at random",
    fair="Bits on stories held out with all their copies",
    flattery="How much a random split flatters",
    least_flattery="The same in the collection with the smallest difference",
    pairs_16="Pairs of near-duplicates that 16 numbers find, of those that 64 find",
)
