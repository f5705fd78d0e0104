# ---
# title: Decoding
# question: A language model gives probabilities. How should the text be chosen from them?
# answer: >-
#   Not by always taking the likeliest word: even from a perfect model,
#   {{ result("decoding.less_likely_grammar", ".0%") }} of the stories written that way are *less* likely than the real ones that
#   begin like them.
# level: intermediate
# minutes: 15
# models: [world]
# needs: [07_training, 08_meet]
# tags: [sampling, world language]
# chapter: Building one
# thumbnail: typical
# timeout: 600
# ---

# %% tags=["setup"]
import heapq
import math

import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, note, plots, predict, within
from llmnotes.scratch import Cache, from_gpt2
from llmnotes.world import IDS, MOODS, VOCABULARY, held_out, is_right, truth, word_ids
from llmnotes.world.grammar import story as grammar

torch.set_num_threads(1)
BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
world = from_gpt2(
    llmnotes.load("world").model
)  # ours from scratch: it keeps keys and values
END, WORDS, LENGTH = 0, len(VOCABULARY), 64
close = within(rtol=0.01, because="fixed weights, sums in another order")
drawn_note = within(
    atol=0.06,
    because="160 sampled stories: one draw at a near tie changes all that follows",
)

# %% [markdown]
# ## A case you can hold: the likeliest story of all
#
# *World*'s language has a grammar that we wrote, so we need no model to ask: of all its stories, which one is the likeliest? We
# search. Of all beginnings we always take up the likeliest one, add every word that may follow, and stop when the likeliest
# text in hand is a whole story. No other story can then be likelier, since every word can only lower a probability.
#
# {{ drawing("decoding-tree", alt="A tree of beginnings. From the start four words lead on: the with 0.25, when with 0.13, Anna with 0.02 and the end with 0.04. The path through the is multiplied by the probability of every further word and falls far below 0.04, while the end is a whole story already.") }}


# %% tags=["idea"]
def likeliest_story(next_word):
    """The likeliest whole story, its probability, and how many beginnings the search took up."""
    queue, taken = [(0.0, (END,))], 0  # minus log probability, the words so far
    while True:
        cost, words = heapq.heappop(queue)
        if len(words) > 1 and words[-1] == END:
            return words, math.exp(-cost), taken
        taken += 1
        p = next_word(words)
        for word in np.flatnonzero(p > 1e-9):
            heapq.heappush(queue, (cost - math.log(p[word]), (*words, int(word))))


# %% tags=["setup"]
class Teller:
    """The grammar as a model: the true probabilities of the next word, word after word."""

    def __init__(self, ids=(END,)):
        self.stories = [grammar(mood) for mood in MOODS]
        self.offers = [next(story) for story in self.stories]
        self.weights = np.full(len(MOODS), 1 / len(MOODS))
        for i in ids[1:]:
            self.hear(int(i))

    def probs(self):
        p = np.zeros(WORDS)
        for weight, offer in zip(self.weights, self.offers, strict=True):
            for word, share in offer.options.items():
                p[IDS[word]] += weight * share
        return p

    def hear(self, i):
        word = VOCABULARY[i]
        self.weights = self.weights * [offer.options.get(word, 0) for offer in self.offers]
        self.weights /= self.weights.sum()
        if i != END:
            self.offers = [story.send(word) for story in self.stories]


def by_grammar(ids):
    return Teller(ids).probs()


@torch.no_grad()
def by_world(ids):
    return world(torch.tensor([ids]))[0, -1].softmax(-1).numpy()


for who, next_word in (("the grammar", by_grammar), ("World", by_world)):
    words, p, taken = likeliest_story(next_word)
    print(f"{who}: {' '.join(VOCABULARY[i] for i in words)}")
    print(f"  probability {p:.1%}, {taken} beginnings taken up")
    if next_word is by_grammar:
        note(empty_words=len(words) - 2, taken=taken)
    close(**{f"empty_{'grammar' if next_word is by_grammar else 'model'}": p})

# %% [markdown]
# The likeliest story has {{ result("decoding.empty_words") }} words. It begins and ends at once, with probability
# {{ result("decoding.empty_grammar", ".2f") }}, and every other story is rarer than that. *World*, which learned from stories alone,
# agrees. Nobody would call that a good story. So "find the likeliest text" cannot be what we want from a
# *decoder*, the rule that chooses words from probabilities.
#
# A story's probability is a product,
#
# $$
# p(w_1 \dots w_n) = \prod_{t=1}^{n} p(w_t \mid w_1 \dots w_{t-1})
# $$
#
# with $w_t$ the word at position $t$ and $n$ the number of words, the end counted. *Greedy* decoding takes the largest factor each time.
# *Beam search* keeps the $k$ best products so far. *Sampling* draws each word with its probability.
#
# ## Your prediction
#
# Take the best model that can be: the grammar itself. Every probability is exactly true. Give it the first sentence of a story, forbid
# it to end, and always take the likeliest word until there are 64. Compare with the real story that began with the same sentence.

# %%
ask(
    "A perfect model, and the likeliest word each time. Is the whole text likelier than the real story?",
    choices={
        "likelier": "Yes: each factor of the product is as large as it can be",
        "equal": "About equal: a perfect model's likeliest text looks like its language",
        "less": "No: it is nearly always less likely",
    },
    answer="less",
    because={
        "likelier": "Each factor is the largest *at its place*. But the places differ: the choice decides which places come.",
        "equal": "It looks like nothing in the language: nearly all of its sentences are copies of the first.",
        "less": "Greedy decoding never takes the rare word behind which all is certain. Singing is rare; a song that has begun is sure.",
    },
    figure="typical",
    less_likely_grammar="> 0.9",
)
predict(
    "Of stories drawn from World at temperature 1, at least 85% are as surprising as real ones",
    0.75,
    typical_draw=">= 0.85",
)
predict("At temperature ½ fewer than half are", 0.7, typical_cold="< 0.5")
predict("With top-p 0.9 more than 80% are", 0.4, typical_top_p="> 0.8")
predict(
    "Beam search of width 4 has fewer grammatical sentences than sampling",
    0.5,
    beam_minus_draw="< 0",
)
predict(
    "To forbid any three words to come again leaves fewer than half of the song syllables right",
    0.9,
    list_no_repeat="< 0.5",
)
predict(
    "A repetition penalty of 1.2 halves what greedy decoding repeats",
    0.6,
    penalty_repeats="< 0.5",
)

# %% [markdown]
# ## Greedy decoding finds less likely texts, whoever speaks
#
# We take the first sentences of {{ result("decoding.openings") }} unseen stories, in five batches, and let every
# decoder go on to 64 words. The probabilities come from one of two speakers, the grammar or *World*. To compare texts
# we ask *World* how surprising each is: its mean loss a word. The less surprising a text, the likelier it is.


# %% tags=["setup"]
def openings_of(seed, n=160, length=5):
    """Stories of 64 words whose first sentence ends at word 5, each with another opening."""
    kept = {}
    for story in held_out(seed, 2600):
        words = [token.word for token in story[:LENGTH]]
        if (
            len(words) == LENGTH and words[1:length].index(".") == length - 2
            if "." in words[1:length]
            else False
        ):
            kept.setdefault(tuple(words[:length]), words)
        if len(kept) == n:
            break
    return torch.stack([word_ids(words) for words in kept.values()])


real = openings_of(3)
other_real = openings_of(4)  # they say where real stories lie
begun = real[:, :5]
note(openings=len(real))


# %% tags=["idea"]
def choose(probs, temperature=1.0, top_k=None, top_p=None, min_p=None):
    """The probabilities that are drawn from, (..., vocab), after the end of the story is forbidden."""
    p = probs.clone()
    p[..., END] = 0
    p = p ** (1 / temperature) / (p ** (1 / temperature)).sum(-1, keepdim=True)
    if top_k:
        p = p * (p >= p.topk(top_k).values[..., -1:])
    if top_p:
        ordered, order = p.sort(descending=True)
        kept = (ordered.cumsum(-1) - ordered < top_p).to(p)
        p = p * torch.zeros_like(p).scatter(-1, order, kept)
    if min_p:
        p = p * (p >= min_p * p.max(-1, keepdim=True).values)
    return p / p.sum(-1, keepdim=True)


# %% tags=["setup"]
@torch.no_grad()
def write(rows, change=None, greedy=False, speaker=None, **how):
    """Go on to 64 words, from World or from the grammar."""
    generator, cache = torch.Generator().manual_seed(0), Cache()
    tellers = [Teller(row.tolist()) for row in rows] if speaker else None
    new = rows
    while rows.shape[1] < LENGTH:
        if tellers:
            probs = torch.tensor(np.array([teller.probs() for teller in tellers]))
        else:
            logits = world(new, cache)[:, -1].double()
            probs = (change(logits, rows) if change else logits).softmax(-1)
        probs = choose(probs, **how)
        new = (
            probs.argmax(-1, keepdim=True)
            if greedy
            else torch.multinomial(probs, 1, generator=generator)
        )
        if (
            greedy and tellers
        ):  # many words are equally likely: take the first in the vocabulary
            new = probs.round(decimals=9).argmax(-1, keepdim=True)
        for teller, i in zip(tellers or [], new[:, 0].tolist(), strict=False):
            teller.hear(i)
        rows = torch.cat([rows, new], dim=1)
    return rows


# %% tags=["idea"]
def beam(rows, width):
    """The best of `width` continuations that are carried along together, for each opening."""
    n, cache = len(rows), Cache()
    rows = new = rows.repeat_interleave(width, 0)
    scores = torch.tensor([0.0] + [-math.inf] * (width - 1)).repeat(n, 1)  # log p so far
    while rows.shape[1] < LENGTH:
        log_probs = world(new, cache)[:, -1].log_softmax(-1)
        log_probs[:, END] = -math.inf
        scores, best = (scores.reshape(-1, 1) + log_probs).view(n, -1).topk(width)
        parents = (best // WORDS + width * torch.arange(n)[:, None]).flatten()
        cache.layers = {i: (k[parents], v[parents]) for i, (k, v) in cache.layers.items()}
        new = (best % WORDS).view(-1, 1)
        rows = torch.cat([rows[parents], new], dim=1)
    return rows.view(n, width, -1)[:, 0]


# %% tags=["setup"]
@torch.no_grad()
def surprise(rows):
    """World's mean loss a word behind the opening, in nats, for each story."""
    log_probs = world(rows[:, :-1]).log_softmax(-1)
    return -log_probs.gather(-1, rows[:, 1:, None])[:, 4:, 0].mean(-1)


def sentences(words):
    """The whole sentences behind the opening."""
    text, found = words[5:], []
    while "." in text:
        found.append(tuple(text[: text.index(".")]))
        text = text[text.index(".") + 1 :]
    return found


def judge(rows):
    """By story: surprise, share of sentences said before in it, grammatical sentences, all sentences judged."""
    out = []
    for row in rows.tolist():
        words = [VOCABULARY[i] for i in row]
        said = sentences(words)
        again = sum(sentence in said[:i] for i, sentence in enumerate(said)) / max(
            1, len(said)
        )
        until, wrong = len(words), 0
        try:
            truth(words)
        except ValueError as error:
            until, wrong = int(str(error).split()[1]), 1
        right = words[5:until].count(".")
        out.append((again, right, right + wrong))
    return np.column_stack([surprise(rows).numpy(), np.array(out)])


METHODS = {
    "sampling": {},
    "temperature ½": {"temperature": 0.5},
    "top-k 5": {"top_k": 5},
    "top-p 0.9": {"top_p": 0.9},
    "min-p 0.1": {"min_p": 0.1},
    "greedy": {"greedy": True},
}
texts = {("World", name): write(begun, **how) for name, how in METHODS.items()}
with torch.no_grad():
    texts["World", "beam 4"] = beam(begun, 4)
for name in ("sampling", "top-p 0.9", "greedy"):
    texts["the grammar", name] = write(begun, speaker="grammar", **METHODS[name])
texts["real", "stories"] = real
judged = {key: judge(rows) for key, rows in texts.items()}


def exact(rows):
    """The grammar's own mean surprise a word behind the opening, in nats: nothing is estimated."""
    out = []
    for row in rows:
        probs = truth([VOCABULARY[i] for i in row[:-1].tolist()]).probs
        out.append(-probs.gather(-1, row[1:, None])[4:].log().mean().item())
    return np.array(out)


exact_real, exact_greedy = exact(real), exact(texts["the grammar", "greedy"])
low, high = np.quantile(surprise(other_real).numpy(), [0.025, 0.975])


# %% tags=["setup"]
def typical(key):
    """The share of stories in the band of real ones."""
    return ((judged[key][:, 0] >= low) & (judged[key][:, 0] <= high)).mean()


def five(values):
    """The five batches' means."""
    return values.reshape(5, -1).mean(1)


def good(key):
    """The share of grammatical sentences, up to each story's first mistake."""
    return judged[key][:, 2].sum() / judged[key][:, 3].sum()


print(f"{'':13} nats typical repeats grammatical")
for key, found in judged.items():
    who, how = key
    if how == "sampling":
        print(who)
    name = "real stories" if who == "real" else how
    nats, repeats = found[:, :2].mean(0)
    print(f"{name:13} {nats:4.2f} {typical(key):7.0%} {repeats:7.0%} {good(key):11.0%}")
for key in (("real", "stories"), ("World", "sampling"), ("the grammar", "greedy")):
    print(
        " ".join(key) + ":", " ".join(VOCABULARY[i] for i in texts[key][0, 1:30].tolist())
    )

# %% tags=["setup"]
close(
    unit="nats",
    band_low=low,
    band_high=high,
    surprise_real=judged["real", "stories"][:, 0].mean(),
)
close(
    unit="nats",
    exact_real=exact_real.mean(),
    exact_greedy=exact_greedy.mean(),
)
close(atol=0.01, less_likely_grammar=(exact_greedy > exact_real).mean())
drawn_note(
    less_likely=(judged["World", "greedy"][:, 0] > judged["real", "stories"][:, 0]).mean()
)
drawn_note(
    unit="nats",
    surprise_greedy=judged["World", "greedy"][:, 0].mean(),
    surprise_draw=judged["World", "sampling"][:, 0].mean(),
    surprise_beam=judged["World", "beam 4"][:, 0].mean(),
)
drawn_note(
    repeats_grammar_greedy=judged["the grammar", "greedy"][:, 1].mean(),
    repeats_greedy=judged["World", "greedy"][:, 1].mean(),
    repeats_beam=judged["World", "beam 4"][:, 1].mean(),
    repeats_draw=judged["World", "sampling"][:, 1].mean(),
    repeats_real=judged["real", "stories"][:, 1].mean(),
    typical_real=typical(("real", "stories")),
    typical_draw=typical(("World", "sampling")),
    typical_cold=typical(("World", "temperature ½")),
    typical_top_p=typical(("World", "top-p 0.9")),
    typical_top_k=typical(("World", "top-k 5")),
    typical_min_p=typical(("World", "min-p 0.1")),
    typical_greedy=typical(("World", "greedy")),
    typical_beam=typical(("World", "beam 4")),
    typical_grammar_greedy=typical(("the grammar", "greedy")),
    good_draw=good(("World", "sampling")),
    good_greedy=good(("World", "greedy")),
    good_beam=good(("World", "beam 4")),
    beam_minus_draw=good(("World", "beam 4")) - good(("World", "sampling")),
)
worst_draw = five(
    (
        (judged["World", "sampling"][:, 0] >= low)
        & (judged["World", "sampling"][:, 0] <= high)
    ).astype(float)
).min()
best_cold = five(
    (
        (judged["World", "temperature ½"][:, 0] >= low)
        & (judged["World", "temperature ½"][:, 0] <= high)
    ).astype(float)
).max()
drawn_note(atol=0.12, worst_batch_draw=worst_draw, best_batch_cold=best_cold)

# %% tags=["drawing"]
order = [
    ("real", "stories"),
    ("World", "sampling"),
    ("World", "min-p 0.1"),
    ("World", "top-p 0.9"),
    ("World", "top-k 5"),
    ("World", "temperature ½"),
    ("World", "beam 4"),
    ("World", "greedy"),
    ("the grammar", "sampling"),
    ("the grammar", "top-p 0.9"),
    ("the grammar", "greedy"),
]
fig, ax = plots.subplots(height=4.6)
ax.axvspan(low, high, color=GREY, alpha=0.15, lw=0)
for y, key in enumerate(reversed(order)):
    colour = {"World": BLUE, "the grammar": ORANGE, "real": plots.INK}[key[0]]
    shown = judged[key][:60, 0]
    ax.plot(shown, y + 0.24 * np.cos(2.4 * np.arange(len(shown))), ".", color=colour, ms=4)
    ax.plot([judged[key][:, 0].mean()], [y], "|", color=plots.INK, ms=18, mew=2)
ax.set_yticks(
    range(len(order)),
    ["real stories" if k[0] == "real" else f"{k[0]}, {k[1]}" for k in reversed(order)],
)
ax.set(xlabel="surprise of a story (nats a word)", xlim=(0, 2.3))
ax.grid(axis="y", visible=False)
figure(
    fig,
    name="typical",
    title="Likely words make unlikely stories",
    alt="Each dot is a story, placed by its mean surprise a word. Real stories and sampled ones spread from 0.8 to 1.8 nats, whatever "
    "the temperature or the cut. Greedy stories lie to the right of nearly all of them, near 2 nats, whether World speaks or the "
    "grammar itself; those of beam search lie between.",
    caption="Grey: where 95% of other real stories lie, the control. Bars: means of 160 stories; 60 of them are drawn as dots.",
    rtol=0.12,
    because="sampled stories: one draw at a near tie changes all that follows",
)

# %% [markdown]
# In the grammar's own, exact probabilities, its greedy stories have a surprise of {{ result("decoding.exact_greedy", ".2f") }} nats a word
# and the real ones {{ result("decoding.exact_real", ".2f") }}. How can that be? The likeliest first word of a sentence is *the*, then comes
# some noun among dozens, so each such sentence costs much. Real stories also say *sang* or *when*, which is rare, and behind it many
# words are certain. Greedy decoding cannot pay now for what comes later.
#
# It also repeats itself. Of the perfect model's greedy sentences {{ result("decoding.repeats_grammar_greedy", ".0%") }} stood in the
# same story before; of those in real stories {{ result("decoding.repeats_real", ".0%") }} did. No better model can mend that, since this
# one is exact. The loop is the decoder's fault.
#
# In the table *typical* is the share of stories in the grey band, *repeats* that of sentences said before in their story, and
# *grammatical* that of correct sentences up to the first mistake. The stories below the table
# all continue the same opening words.
#
# Sampling makes stories like the real ones: {{ result("decoding.typical_draw", ".0%") }} lie in the grey band, and of real
# ones {{ result("decoding.typical_real", ".0%") }}. How colder text avoids what a weak model does not know is told in
# [Training a small language model](07_training.md).
#
# Choose each word yourself among the bars, then let *Fairytale* always take the likeliest:
#
# <div class="bench" id="bench-write" data-bench="write" data-search-exclude markdown>
#
# The model needs JavaScript to run in the page. In the figure above each blue dot is a story that *World* wrote.
#
# </div>
#
# ## A wider beam finds the likelier story, and it is empty
#
# Now the end is allowed again. Beam search carries $k$ beginnings along and stops when a whole story is likelier than each of them.
# The wider the beam, the better it searches.


# %% tags=["setup"]
def beam_to_the_end(opening, width, length=40):
    """Beam search in which stories may end; gives the words behind the opening, the end not counted."""
    live, done = [(0.0, tuple(opening))], [(-math.inf, ())]
    while live and live[0][0] > done[0][0] and len(live[0][1]) < length:
        with torch.no_grad():
            log_probs = world(torch.tensor([ids for _, ids in live]))[:, -1].log_softmax(-1)
        scores, best = (
            (torch.tensor([score for score, _ in live])[:, None] + log_probs)
            .flatten()
            .topk(width)
        )
        found = [
            (s, (*live[b // WORDS][1], b % WORDS))
            for s, b in zip(scores.tolist(), best.tolist(), strict=True)
        ]
        done = sorted([*done, *(f for f in found if f[1][-1] == END)], reverse=True)
        live = [f for f in found if f[1][-1] != END]
    best = max(done[0], live[0]) if live else done[0]
    return len(best[1]) - len(opening) - (best[1][-1] == END)


WIDTHS = (1, 2, 3, 4, 5, 6, 8, 16)
CASES = [row.tolist() for row in begun[:20]]
lengths = np.array([[beam_to_the_end(case, width) for case in CASES] for width in WIDTHS])


note(
    empty_by_4=int((lengths[WIDTHS.index(4)] == 0).sum()),
    empty_by_8=int((lengths[WIDTHS.index(8)] == 0).sum()),
    beam_cases=len(CASES),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.9)
for i in range(len(CASES)):
    ax.plot(WIDTHS, lengths[:, i], "-", color=GREY, lw=0.8)
ax.plot(WIDTHS, lengths.mean(1), "o-", color=BLUE, label="mean")
ax.set_xscale("log", base=2)
ax.set_xticks([1, 2, 4, 8, 16], ["1 (greedy)", "2", "4", "8", "16"])
ax.set(xlabel="width of the beam", ylabel="words behind the opening", ylim=(-1, 37))
figure(
    fig,
    name="widths",
    title="The better the search, the shorter the story",
    alt="Words that beam search adds, by the width of the beam, for twenty openings: with narrow beams the limit of 35 words, "
    "with wide ones none.",
    caption="Twenty openings (thin) and their mean. Greedy and narrow beams run into the limit of 35 words.",
)

# %% [markdown]
# With a beam of 4, {{ result("decoding.empty_by_4") }} of {{ result("decoding.beam_cases") }} stories end at once. With 8 it is
# {{ result("decoding.empty_by_8") }}. Narrow beams write text only because they *miss* what they search for. The same was found in
# machine translation, where the likeliest translation of many sentences is the empty one ([Stahlberg & Byrne
# 2019](https://arxiv.org/abs/1908.10090)).
#
# ```exercise
# title: A score that does not punish length
# minutes: 3
# code: |
#   total = sum(log_probs)      # of the words of one story
#   score = ▢                   # so that 10 and 40 words compare
#   assert abs(score - log_probs.mean()) < 1e-6
# right: ["total / len(log_probs)", "sum(log_probs) / len(log_probs)", "log_probs.mean()", "total/len(log_probs)"]
# praise: The mean log probability no longer falls with length. It has a favourite of its own, as "Going deeper" shows.
# wrong:
#   "total * len(log_probs)": That punishes length twice.
#   "total - len(log_probs)": That lowers every score by one nat a word.
# otherwise: "Divide the sum of the log probabilities by the number of words."
# solution: "`total / len(log_probs)`"
# ```
#
# ## A penalty stops the loop; a ban breaks the songs
#
# There are two common cures. A *repetition penalty* $\theta$ divides the positive logits of all words in the text so
# far by $\theta$, and multiplies the negative ones by it. *No repeated 3-gram* forbids any word that would repeat three
# words in a row. *World* is a hard test for both: its songs repeat, by the grammar.


# %% tags=["idea"]
def penalty(theta):
    def change(logits, rows):  # (story, vocab), (story, pos)
        said = torch.zeros_like(logits, dtype=torch.bool).scatter(1, rows, True)
        return torch.where(
            said, torch.where(logits > 0, logits / theta, logits * theta), logits
        )

    return change


def no_repeat(n):
    def change(logits, rows):
        for logit, row in zip(logits, rows.tolist(), strict=True):
            for i in range(len(row) - n + 1):
                if row[i : i + n - 1] == row[len(row) - n + 1 :]:
                    logit[row[i + n - 1]] = -math.inf
        return logits

    return change


# %% tags=["setup"]
CURES = {
    "none": None,
    "penalty 1.2": penalty(1.2),
    "penalty 2": penalty(2.0),
    "no repeated 3-gram": no_repeat(3),
}
cured = {name: judge(write(begun, change, greedy=True)) for name, change in CURES.items()}

stories = [story[: LENGTH + 1] for story in held_out(3, 120) if len(story) > LENGTH][:80]
ids = torch.stack([word_ids(token.word for token in story) for story in stories])
with torch.no_grad():
    plain = world(ids[:, :-1]).double()
LIST = [
    (i, t) for i, s in enumerate(stories) for t in range(LENGTH) if s[t + 1].rule == "list"
]


def lists_right(change):
    """In real songs, the share of repeated syllables that the decoder still puts first."""
    right = 0
    for i, t in LIST:
        logits = plain[i : i + 1, t].clone()
        logits = change(logits, ids[i : i + 1, : t + 1]) if change else logits
        right += is_right(logits[0].softmax(-1), "list", stories[i][t + 1].word)
    return right / len(LIST)


lists = {name: lists_right(change) for name, change in CURES.items()}
again = {name: found[:, 1].mean() for name, found in cured.items()}
right = {name: found[:, 2].sum() / found[:, 3].sum() for name, found in cured.items()}

close(list_penalty=lists["penalty 1.2"], list_penalty_2=lists["penalty 2"])
close(atol=0.02, list_no_repeat=lists["no repeated 3-gram"])
drawn_note(
    again_penalty=again["penalty 1.2"],
    good_penalty=right["penalty 1.2"],
    good_penalty_2=right["penalty 2"],
    again_no_repeat=again["no repeated 3-gram"],
    good_no_repeat=right["no repeated 3-gram"],
    penalty_repeats=again["penalty 1.2"] / again["none"],
)
note(list_places=len(LIST))

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.0)
for k, (label, values, colour) in enumerate(
    (
        ("sentences said before", again, ORANGE),
        ("sentences grammatical", right, BLUE),
        ("syllables of real songs right", lists, GREEN),
    )
):
    bars = ax.bar(
        np.arange(4) + 0.27 * (k - 1),
        [100 * v for v in values.values()],
        0.25,
        color=colour,
        label=label,
    )
    ax.bar_label(bars, fmt="{:.0f}", fontsize=9, color=plots.INK)
ax.set_xticks(
    range(4), ["control:\nno cure", "penalty 1.2", "penalty 2", "no repeated\n3-gram"]
)
ax.set(ylabel="share (%)", ylim=(0, 118))
ax.grid(axis="x", visible=False)
fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
figure(
    fig,
    name="cures",
    title="A ban on repeating forbids what the language asks for",
    alt="For greedy decoding without cure, with penalties 1.2 and 2, and with no repeated 3-gram: sentences said before, "
    "grammatical sentences, and syllables of real songs that are right.",
    caption="Greedy decoding by World from 160 openings; the syllables are judged in 80 real stories.",
    rtol=0.06,
    because="near ties in greedy decoding",
)

# %% [markdown]
# A penalty of 1.2 leaves {{ result("decoding.again_penalty", ".0%") }} of the sentences repeated, and
# {{ result("decoding.good_penalty", ".0%") }} are grammatical. The ban stops every loop and gets only
# {{ result("decoding.list_no_repeat", ".0%") }} of the syllables in real songs right.
#
# ## A fixed number of words fits no place
#
# How many words *may* come? After *lives in* one. At the start of a sentence dozens. A fixed $k$ does not know that. *Top-p* keeps
# the likeliest words until they have a share $p$; *min-p* keeps words with at least that share of the likeliest one's probability.

# %% tags=["setup"]
true = torch.stack([truth([VOCABULARY[i] for i in row[:-1].tolist()]).probs for row in ids])
may_come = (true > 0).sum(-1)
GROUPS = ((1, 1), (2, 12), (13, 30), (31, 60), (61, WORDS))
CUTS = {
    "top-k 5": {"top_k": 5},
    "top-k 20": {"top_k": 20},
    "top-p 0.9": {"top_p": 0.9},
    "min-p 0.1": {"min_p": 0.1},
}


def lost(speaker, **how):
    """By group of places: the share of the true distribution that the cut makes impossible."""
    with torch.no_grad():
        p = speaker(ids[:, :-1]).softmax(-1).double()
    kept = choose(p, **how) > 0
    kept[..., END] = p[..., END] > 0  # here the end may come
    missing = (true * ~kept).sum(-1)
    return [missing[(may_come >= a) & (may_come <= b)].mean().item() for a, b in GROUPS]


losses = {name: lost(world, **how) for name, how in CUTS.items()}
early = from_gpt2(llmnotes.load("world/step-1000").model)
mistakes = {}
for name, speaker in (("World", world), ("step 1,000", early)):
    with torch.no_grad():
        p = speaker(ids[:, :-1]).softmax(-1).double()
    illegal = (p * (true == 0)).sum(-1)
    mistakes[name] = illegal.mean().item(), (1 - illegal).log().sum(-1).exp().mean().item()
    for cut_name, how in CUTS.items():
        q = choose(p, **how)
        mistakes[name, cut_name] = (q * (true == 0)).sum(-1).mean().item()
whole = np.mean([right_ == all_ for _, _, right_, all_ in judged["World", "sampling"]])
close(
    rtol=0.05,
    lost_k5=losses["top-k 5"][3],
    lost_p9=losses["top-p 0.9"][3],
    lost_min_p=losses["min-p 0.1"][3],
)
close(
    rtol=0.05,
    illegal=mistakes["World"][0],
    illegal_early=mistakes["step 1,000"][0],
    legal_whole=mistakes["World"][1],
)
close(
    rtol=0.05,
    legal_whole_early=mistakes["step 1,000"][1],
    illegal_early_p9=mistakes["step 1,000", "top-p 0.9"],
    illegal_early_k20=mistakes["step 1,000", "top-k 20"],
)
drawn_note(legal_drawn=whole)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
for (name, values), colour, marker in zip(
    losses.items(), (ORANGE, OCHRE, BLUE, GREEN), "osD^", strict=True
):
    ax.plot(
        range(len(GROUPS)),
        [100 * v for v in values],
        marker + "-",
        color=colour,
        label=name,
    )
ax.set_xticks(range(len(GROUPS)), ["1", "2–12", "13–30", "31–60", "61+"])
ax.set(
    xlabel="words that may come",
    ylabel="true probability cut off (%)",
    xlim=(-0.2, 5.1),
    ylim=(-3, 100),
)
plots.label_lines(ax)
figure(
    fig,
    name="cuts",
    title="A fixed number of words is too small where many may come",
    alt="True probability that a cut makes impossible, by how many words may come: top-k 5 loses more the more words may come, "
    "top-p and min-p lose a tenth or less nearly everywhere.",
    caption="World in 80 real stories. Where one word may come no cut loses anything: that is the control.",
    rtol=0.03,
    because="fixed weights, near ties at the cut",
)

# %% [markdown]
# Where 31 to 60 words may come, top-k 5 makes {{ result("decoding.lost_k5", ".0%") }} of the true probability impossible and top-p
# 0.9 {{ result("decoding.lost_p9", ".0%") }}.
#
# Why cut at all? Mistakes add up. If a word is wrong with probability $\varepsilon_t$, a whole story is right with probability
# $\prod_t (1-\varepsilon_t)$. *World* errs at {{ result("decoding.illegal", ".2%") }} of the words, so
# {{ result("decoding.legal_whole", ".0%") }} of its stories of 64 words should be free of mistakes. Of those that it sampled {{ result("decoding.legal_drawn", ".0%") }} were.
#
# ## What surprised us
#
# **The penalty left the songs alone.** We were sure that it would break them. At 1.2 it leaves
# {{ result("decoding.list_penalty", ".0%") }} of the syllables right, because there the model is so sure that no penalty of this size
# reaches the next word. A less certain model would pay.
#
# **The greedy stories lay on the wrong side.** We had drawn the figure in our heads with greedy decoding far on the left: dull text, low
# surprise. It lies on the right ([surprise](../surprises/decoding-greedy-less-likely.md)).
#
# **Half the temperature changed little.** We were fairly sure that temperature ½ would leave the band. It stays:
# {{ result("decoding.typical_cold", ".0%") }} are in it. *World* is so close to the grammar, and so many of the grammar's choices are among
# equals, that halving the temperature moves few of them ([dead end](../dead-ends/decoding-band-for-cold-text.md)).
#
# ## Try it
#
# **1. Typical sampling** (10 minutes). Keep the words whose own surprise is nearest to the entropy of the distribution, until
# they have nine tenths of the probability. Do the stories lie in the band?
#
# ??? tip "Hint"
#     Sort by `(-p.log() - entropy).abs()` instead of by probability, then go on as in top-p.

# %% tags=["solution"]


def typical_change(logits, rows):
    """Locally typical sampling (Meister and others, 2022)."""
    logits = logits.clone()
    logits[:, END] = -math.inf
    log_p = logits.log_softmax(-1)
    entropy = torch.special.entr(log_p.exp()).sum(-1, keepdim=True)
    order = (-log_p - entropy).abs().nan_to_num(posinf=1e9).argsort(-1)
    p = log_p.exp().gather(-1, order)
    keep = torch.zeros_like(p).scatter(-1, order, (p.cumsum(-1) - p < 0.9).to(p))
    return torch.where(keep > 0, logits, -math.inf)


found = surprise(write(begun, typical_change))
inside = ((found >= low) & (found <= high)).float().mean().item()
assert 0 <= inside <= 1
print(f"{inside:.0%} of the stories lie in the band")
drawn_note(typical_typical=inside)

# %% [markdown]
# ## You can now
#
# - say why the likeliest story is empty, and why the likeliest words make an unlikely one;
# - tell a fault of the decoder from a fault of the model;
# - choose between top-k, top-p and min-p by how many words may come.
#
# ## What this does not show
#
# - Other models than *World* and its grammar. In five other trainings it has the same empty story and the same loops.
#   Each decoder wrote 160 stories in five batches; the sampled ones from one generator.
# - A question with one right answer is another task: there the likeliest words may be what you want.
# - Whether readers prefer typical text. We measured surprise, repetition and grammar.
#
# ## Going deeper
#
# **Five batches.** In the worst of five batches {{ result("decoding.worst_batch_draw", ".0%") }} of the sampled stories are in the band;
# in the best at temperature ½ {{ result("decoding.best_batch_cold", ".0%") }}.
#
# **Beam search without an end.** Forbidden to end, a beam of 4 repeats {{ result("decoding.repeats_beam", ".0%") }} of its
# sentences and has {{ result("decoding.good_beam", ".0%") }} of them grammatical, against
# {{ result("decoding.good_draw", ".0%") }} in sampling. It goes where the model is sure, and *World* is sure of some mistakes:
# *when Anna and Anna*. How sure depends on the training: of five others the worst has {{ others("least", "decoding.good_beam", ".0%") }} of them grammatical and
# the best {{ others("most", "decoding.good_beam", ".0%") }}.
#
# **Mean log probability.** Divide by the length, and the empty story is no longer the best. In this language the best is then
# an endless song: each repetition costs $-\ln 0.6 \approx 0.5$ nats once, however many syllables it has.
#
# **An earlier *World*.** At step 1,000 it errs at {{ result("decoding.illegal_early", ".1%") }} of the words, and
# {{ result("decoding.legal_whole_early", ".0%") }} of its stories should be right. Top-p 0.9 brings the mistakes to
# {{ result("decoding.illegal_early_p9", ".1%") }}, top-k 20 to {{ result("decoding.illegal_early_k20", ".1%") }}.
#
# **World's own greedy stories** are less likely than the real ones in {{ result("decoding.less_likely", ".0%") }} of the cases, and
# {{ result("decoding.repeats_greedy", ".0%") }} of their sentences are repeated.
#
# **Typical sampling.** {{ result("decoding.typical_typical", ".0%") }} of its stories lie in the band.
#
# - Finding: [A perfect model loops when it is decoded greedily](../findings/decoding-perfect-model-loops.md)
# - Finding: [A wider beam ends at once](../findings/decoding-wider-beam-empty.md)
# - Surprise: [Greedy stories are less likely than real ones](../surprises/decoding-greedy-less-likely.md)
# - Dead end: [A band of surprise to catch cold text](../dead-ends/decoding-band-for-cold-text.md)
# - Surprise: [A repetition penalty leaves the songs alone](../surprises/decoding-penalty-keeps-songs.md)
# - Holtzman and others (2020), [The curious case of neural text degeneration](https://arxiv.org/abs/1904.09751)
# - Stahlberg & Byrne (2019), [On NMT search errors and model errors](https://arxiv.org/abs/1908.10090)
# - Meister and others (2022), [Locally typical sampling](https://arxiv.org/abs/2202.00666)
# - Nguyen and others (2024), [Min-p sampling](https://arxiv.org/abs/2407.01082)
# - Keskar and others (2019), [CTRL](https://arxiv.org/abs/1909.05858): the repetition penalty

# %% tags=["setup"]
in_words(
    exact_real="Surprise of real stories a word, by the grammar",
    exact_greedy="Surprise of the grammar's greedy stories a word, by the grammar",
    less_likely_grammar="The grammar's greedy stories that are less likely than the real ones",
    less_likely="World's greedy stories that are less likely than the real ones",
    empty_words="Words of the likeliest story",
    taken="Beginnings that the search took up before it was certain",
    empty_grammar="Probability of the empty story in the language",
    empty_model="Probability that World gives it",
    openings="Openings that every decoder continues",
    band_low="Lower end of the band of real stories' surprise",
    band_high="Upper end of the band",
    surprise_real="Surprise of real stories a word",
    surprise_greedy="Surprise of greedy stories a word",
    surprise_draw="Surprise of sampled stories a word",
    surprise_beam="Surprise of a beam of 4's stories a word",
    repeats_grammar_greedy="Sentences said before, the grammar decoded greedily",
    repeats_greedy="Sentences said before, World decoded greedily",
    repeats_beam="Sentences said before, World with a beam of 4",
    repeats_draw="Sentences said before, World sampled",
    repeats_real="Sentences said before, real stories",
    typical_real="Real stories in the band",
    typical_draw="Sampled stories in the band",
    typical_cold="Stories in the band at temperature ½",
    typical_top_p="Stories in the band with top-p 0.9",
    typical_top_k="Stories in the band with top-k 5",
    typical_min_p="Stories in the band with min-p 0.1",
    typical_greedy="Greedy stories in the band",
    typical_beam="Stories of a beam of 4 in the band",
    typical_grammar_greedy="Greedy stories of the grammar in the band",
    typical_typical="Stories in the band with typical sampling",
    good_draw="Grammatical sentences, sampled",
    good_greedy="Grammatical sentences, greedy",
    good_beam="Grammatical sentences, a beam of 4",
    beam_minus_draw="Grammatical sentences, beam minus sampling",
    worst_batch_draw="Sampled stories in the band, worst of five batches",
    best_batch_cold="Stories in the band at temperature ½, best of five batches",
    empty_by_4="Stories that a beam of 4 ends at once",
    empty_by_8="Stories that a beam of 8 ends at once",
    beam_cases="Openings in that test",
    list_penalty="Song syllables right under a penalty of 1.2",
    list_penalty_2="Song syllables right under a penalty of 2",
    list_no_repeat="Song syllables right with no repeated 3-gram",
    list_places="Song syllables judged",
    again_penalty="Sentences said before, greedy with a penalty of 1.2",
    good_penalty="Grammatical sentences, greedy with a penalty of 1.2",
    good_penalty_2="Grammatical sentences, greedy with a penalty of 2",
    again_no_repeat="Sentences said before, greedy with no repeated 3-gram",
    good_no_repeat="Grammatical sentences, greedy with no repeated 3-gram",
    penalty_repeats="What a penalty of 1.2 leaves of the repetition, as a share",
    lost_k5="True probability cut off by top-k 5 where 31 to 60 words may come",
    lost_p9="The same with top-p 0.9",
    lost_min_p="The same with min-p 0.1",
    illegal="World's probability on words that may not come",
    illegal_early="The same at step 1,000",
    legal_whole="Stories of 64 words that should be free of mistakes",
    legal_whole_early="The same at step 1,000",
    illegal_early_p9="Probability on words that may not come at step 1,000 with top-p 0.9",
    illegal_early_k20="The same with top-k 20",
    legal_drawn="Sampled stories free of mistakes",
)
