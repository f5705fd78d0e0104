# ---
# title: Tokens
# question: What does a language model read, if not letters and not words?
# answer: >-
#   Pieces that were frequent in its training text. A single space at the end of a prompt breaks them, and costs the next word
#   {{ result("tokens.cost_of_space", ".1f") }} nats.
# level: beginner
# models: [fairytale]
# needs: []
# tags: [tokens, embeddings]
# chapter: Start
# thumbnail: compression
# timeout: 240
# ---

# %% tags=["setup"]
from collections import Counter
from itertools import pairwise

import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.model import CHECKPOINTS
from llmnotes.scratch import Tokenizer, tokenizer
from llmnotes.scratch.tokenizer import CHUNK, LETTERS

BLUE, ORANGE, *_ = plots.COLOURS
ROUNDING = "rounding only"
note = within(atol=0.02, because=ROUNDING)
WHOLE = "whole numbers of tokens, the same everywhere"
SEEDS = "training amplifies rounding; two seeds differ by less"

# %% tags=["setup"]
FABLE = """The North Wind and the Sun disputed as to which was the most powerful, and
agreed that he should be declared the victor who could first strip a wayfaring man of
his clothes. The North Wind first tried his power and blew with all his might, but the
keener his blasts, the closer the Traveler wrapped his cloak around him, until at
last, resigning all hope of victory, the Wind called upon the Sun to see what he could
do. The Sun suddenly shone out with all his warmth. The Traveler no sooner felt his
genial rays than he took off one garment after another, and at last, fairly overcome
with heat, undressed and bathed in a stream that lay in his path."""
GERMAN = """In den alten Zeiten, wo das Wünschen noch geholfen hat, lebte ein König,
dessen Töchter waren alle schön; aber die jüngste war so schön, daß die Sonne selber,
die doch so vieles gesehen hat, sich verwunderte, so oft sie ihr ins Gesicht schien."""
FABLE, GERMAN = (text.replace("\n", " ") for text in (FABLE, GERMAN))
LINE = "The better to hear you with, my child. The better to see you with. The better to hug you with."

# %% [markdown]
# ## A case you can hold: one line, merge by merge
#
# A language model reads numbers. So a text must first be cut into pieces, its *tokens*, and each kind of piece gets a number. If
# the pieces were whole words, the list of them would never end. If they were single letters, every text would be long.
# *Byte-pair encoding* (BPE) takes the middle way. It starts from single characters and joins the most frequent pair of
# neighbours, again and again ([Sennrich et al. 2016](https://arxiv.org/abs/1508.07909)).
#
# Here is what the wolf says to Little Red Riding Hood. Move the slider and watch words grow out of letters.
#
# {{ widget("bpe") }}
#
# That is the whole algorithm. In code, counting takes three lines and choosing takes one.


# %% tags=["setup"]
def learn(text, n):
    """The first n merges; of equally frequent pairs, that with the smaller ids is joined."""
    words = Counter(CHUNK.findall(text))  # a word and how often it comes
    pieces = {word: [LETTERS[byte] for byte in word.encode()] for word in words}
    ids, merges = {letter: i for i, letter in enumerate(sorted(LETTERS))}, []
    for _ in range(n):
        count = Counter()
        for word, times in words.items():
            for pair in pairwise(pieces[word]):
                count[pair] += times
        best = max(count, key=lambda p: (count[p], -ids[p[0]], -ids[p[1]]))
        merges.append(best)
        ids.setdefault("".join(best), len(ids))
        for word, old in pieces.items():
            pieces[word] = tokenizer.replace(old, best, "".join(best))
    return merges, "|".join(piece for word in CHUNK.findall(text) for piece in pieces[word])


# %% tags=["idea"]
def most_frequent_pair(words):
    """The pair to join next; words are lists of pieces."""
    count = Counter()
    for pieces in words:
        count.update(pairwise(pieces))  # pairs within a word only
    return count.most_common(1)[0]


letters = [list(word) for word in LINE.split()]
print(most_frequent_pair(letters))

# %% tags=["setup"]
merges, encoded = learn(LINE, 16)
assert tuple(merges) == tokenizer.train_bpe([LINE], 257 + 16).merges, (
    "ours and llmnotes.scratch.tokenizer differ"
)

# %% [markdown]
# The *vocabulary* is the list of all tokens: first the 256 possible bytes, so that any text can be written, then the pieces that
# were learned. To *encode* a text, we replay the merges on it, earliest first. In symbols, each step of learning adds the token
#
# $$
# ab \quad\text{with}\quad (a, b) = \arg\max_{a,\,b}\; n(a, b)
# $$
#
# $n(a, b)$ counts how often piece $b$ follows piece $a$ within a word, $\arg\max$ picks the pair with the largest count, and
# $ab$ is the two pieces written as one.
#
# *Fairytale*, our small model of fairy tales, has a vocabulary of 4,096 tokens. Here is one word of it, from letters to a single
# token. The number at each step tells which of all merges it is.
#
# {{ drawing("bpe-merge", alt="The word mother with its space, in six merges from seven tokens to one.") }}
#
# ```exercise
# title: The next merge
# minutes: 2
# code: |
#   text = "low lower lowest"  # in pieces: l o w · l o w e r · l o w e s t
#   first_merge = ("l", "o")  # of the two pairs that come three times, the earlier
#   second_merge = (▢)
# right: ["'lo', 'w'", '"lo", "w"', "lo, w"]
# praise: After the first merge the piece lo is followed by w three times.
# wrong:
#   "'o', 'w'": There is no o left; the first merge took every one of them.
#   "'l', 'o'": That pair is gone. Every l and o are one piece now.
#   "'w', 'e'": That pair comes twice. Another comes three times.
# otherwise: "Write the text again with lo as one piece, and count the pairs."
# solution: "`('lo', 'w')`. Each of the three words now begins with lo and then w."
# ```
#
# ## A frequent word is one token, a rare word is many

# %% tags=["setup"]
fairytale = llmnotes.load("fairytale")
full = tokenizer.load_tokenizer(CHECKPOINTS / "fairytale")
deal = np.random.default_rng(0)
shuffled = " ".join("".join(deal.permutation(list(word))) for word in FABLE.split())
TEXTS = {"the fable": FABLE, "German": GERMAN, "the fable in capitals": FABLE.upper()}
TEXTS["control: letters shuffled"] = shuffled
SIZES = (257, 300, 400, 512, 724, 1024, 1448, 2048, 2896, 4096)
cut = [Tokenizer(full.vocab[:size], full.merges[: size - 257]) for size in SIZES]
curves = [[len(text) / len(t.encode(text)) for t in cut] for text in TEXTS.values()]
fable, german, capitals, letters = np.array(curves)

# %% tags=["idea"]
for text in ["Once", " once", "once", "ONCE", " king", " 1900", " electricity", "naïve"]:
    pieces = [full.vocab[i] for i in full.encode(text)]
    print(text.replace(" ", "·").ljust(13), " ".join(pieces).replace("Ġ", "·"))

# %% [markdown]
# The dot is a space. The same word is a different token with and without the space, and capitals make it another text
# altogether. Words that the tales do not contain fall into pieces, and numbers into digits.
#
# ## Your prediction
#
# Look at the first three lines again: the space is part of the token *after* it. A model gets a text, the *prompt*, and
# gives a probability to each token that could come next. Its *loss* on a word is $-\ln p$ of the probability that it
# gave to the word, in nats: 0 if it was certain, and one nat more each time the probability is divided by 2.7. Now end
# a prompt with a space, as easily happens: *The North Wind and the␣*. The next word has lost its own space.

# %%
ask(
    "We end a prompt with a space. What happens to the model's loss on the next word, compared with the same prompt without it?",
    choices={
        "same": "Nothing: the text is the same, letter by letter",
        "better": "It falls a little: the model knows that a new word begins",
        "worse": "It rises a lot: the usual token can no longer come",
    },
    answer="worse",
    because={
        "same": "The text is the same, but the tokens are not, and tokens are all that the model reads.",
        "better": "A lone space does tell that a word begins. But in training the space was nearly always part of the word.",
        "worse": "The usual token contains the space. Without it the model must write the word in pieces that hardly ever came after a space.",
    },
    figure="spaces",
    cost_of_space="> 2",
)
predict("A text in capitals takes more than twice the tokens", 0.85, capitals_ratio="> 2")
predict(
    "The second half of the vocabulary saves less than a tenth of the tokens",
    0.6,
    saved_by_second_half="< 0.1",
)
predict(
    "A space at the end of a prompt costs the next word more than 2 nats",
    0.7,
    cost_of_space="> 2",
)

# %% [markdown]
# ## A space at the end of a prompt breaks the next word


# %% tags=["idea"]
@torch.no_grad()
def word_loss(before, word):
    """Loss of a word in nats, its tokens encoded apart from those before it."""
    head, tail = full.encode(before), full.encode(word)
    scores = fairytale.model(torch.tensor([head + tail])).logits[0].log_softmax(-1)
    rows = torch.arange(len(head) - 1, len(head) + len(tail) - 1)
    return -scores[rows, tail].sum().item()


words = FABLE.split()
ends = [(" ".join(words[:i]), words[i]) for i in range(10, len(words), 2)]
losses = [(word_loss(a, " " + w), word_loss(a + " ", w), word_loss(a, w)) for a, w in ends]
plain, spaced, joined = np.median(losses, axis=0)
MEDIAN = "a median over some fifty words; rounding only"

# %% tags=["setup"]
note(
    atol=0.05,
    because=MEDIAN,
    unit="nats",
    cost_of_space=spaced - plain,
    cost_of_no_space=joined - plain,
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.2)
rows = {
    "“… and the| Sun”": plain,
    "“… and the |Sun”": spaced,
    "control:\n“… and the|Sun”": joined,
}
for y, value in enumerate(rows.values()):
    (bar,) = ax.barh(
        y, value, height=0.55, color=(plots.INK, BLUE, "none")[y], edgecolor=plots.INK
    )
    bar.set_gid(("choice-same", "choice-worse", "")[y])
    ax.text(value + 0.1, y, f"{value:.1f}", va="center", weight="bold")
ax.set_yticks(range(3), rows)
ax.invert_yaxis()
ax.set(xlabel="loss of the next word (nats)", xlim=(0, 22))
ax.grid(visible=False)
figure(
    fig,
    name="spaces",
    title="A space in the wrong place costs nearly as much as none",
    alt="The median loss of a word is lowest when the space belongs to the word, much higher behind a prompt that ends in a "
    "space, and higher still without any space.",
    caption="Median over some fifty words of a fable. The bar | marks where the prompt ends.",
    data={"losses": np.array([plain, spaced, joined])},
    rtol=0.03,
    because=MEDIAN,
)

# %% [markdown]
# After a lone space the median loss of a word is {{ result("tokens.cost_of_space", ".1f") }} nats higher. In the control the prompt
# and the word have no space between them at all, and the loss is {{ result("tokens.cost_of_no_space", ".1f") }} nats higher. So the lone
# space hardly helps: in training the space was nearly always part of the next word's token.
#
# Never end a prompt with a space. And when you compare two prompts, compare their tokens first.
#
# ## The vocabulary is a memory of what was frequent
#
# How much shorter do tokens make a text? A small vocabulary has the first merges of a large one, so we cut
# *Fairytale*'s tokenizer off at several sizes and encode a fable that it has not learned from. In the control the letters of each
# word are shuffled: the same letters, but no words.

# %% tags=["setup"]
note(
    rtol=1e-6,
    because=WHOLE,
    characters_a_token=fable[-1],
    german_ratio=fable[-1] / german[-1],
    capitals_ratio=fable[-1] / capitals[-1],
    shuffled_ratio=fable[-1] / letters[-1],
)
note(atol=1e-6, because=WHOLE, saved_by_second_half=1 - fable[7] / fable[9])

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
for name, values, style in zip(TEXTS, curves, ("o-", "o-", "o-", "--"), strict=True):
    ax.semilogx(SIZES, values, style, ms=4, label=name)
ax.set(xlabel="size of the vocabulary", ylabel="characters a token", ylim=(0.4, 4.6))
ax.set_xticks([257, 512, 1024, 2048, 4096], ["257", "512", "1024", "2048", "4096"])
ax.minorticks_off()
ax.set_title("Words become cheap; capitals and other languages do not")
for x, y, name in (
    (1000, 3.25, "the fable"),
    (4096, 2.12, "German"),
    (4096, 1.02, "capitals"),
    (4096, 0.55, "dashed, control: letters shuffled"),
):
    ax.text(x, y, name, ha="right", color=plots.INK, fontsize=9)
figure(
    fig,
    name="compression",
    alt="For the fable, characters a token grow from 1 to about 4, ever more slowly. German and shuffled letters stay "
    "at 2 or below, and the fable in capitals near 1.",
    caption="Texts that the tokenizer has not learned from. 257: single bytes and the end of a text.",
)

# %% [markdown]
# With all merges a token covers {{ result("tokens.characters_a_token", ".1f") }} characters of the fable. In capitals the same fable
# takes {{ result("tokens.capitals_ratio", ".1f") }} times as many tokens.
#
# Later merges help less and less. The second half of the vocabulary saves
# {{ result("tokens.saved_by_second_half", ".0%") }} of the tokens.
#
# ## What surprised us
#
# **A lone space is nearly worthless.** It does tell the model that a word begins. Yet the model predicts the word
# hardly better than with no space at all.
#
# **Capitals are a foreign language.** The fable in capitals takes more tokens than German does
# ({{ result("tokens.german_ratio", ".1f") }} times as many as the fable), and more than nonsense made of its own letters
# ({{ result("tokens.shuffled_ratio", ".1f") }} times).
#
# ## Try it
#
# **1. One character, several tokens** (5 minutes). Find a single character that takes *Fairytale* four tokens. Why
# four?
#
# ??? tip "Hint"
#     UTF-8 writes a character in one to four bytes. A character that the tales do not contain is left as bytes.

# %% tags=["solution"]
sign = "🙂"
assert len(full.encode(sign)) == 4, f"{sign} takes {len(full.encode(sign))}: try an emoji"
print([full.vocab[i] for i in full.encode(sign)], list(sign.encode()))

# %% [markdown]
# ## You can now
#
# - encode a line by hand, merge by merge;
# - explain why capitals, numbers, other languages and a space at the end of a prompt cost many tokens or a high loss;
# - look at the tokens of two prompts before you compare what a model makes of them.
#
# ## What this does not show
#
# - The price of a space is measured on one fable and one small model.
# - Tokenizers of large models have rules of their own for digits and spaces. We did not test whether they have the same trap.
# - BPE is one way among several; we did not compare it with others.
#
# ## Going deeper
#
# **Tokens that never come.** BPE learns pieces on its way to a frequent word, and then the word takes all their places.
# What does training do to such a piece? [Tokens that training never touched](10_untouched.md) takes that up, once we
# have trained a model.
#
# **Ways that do without a fixed list of pieces.** Models can read bytes, or groups of bytes that a small network forms
# ([Pagnoni et al. 2024](https://arxiv.org/abs/2412.09871)). Then rare words are no dearer than frequent ones, but every
# text is long.
#
# - Finding: [A space at the end of a prompt loses most of its worth](../findings/tokens-trailing-space.md)
# - Sennrich, Haddow & Birch (2016), [Neural machine translation of rare words with subword units](https://arxiv.org/abs/1508.07909)

# %% tags=["setup"]
in_words(
    characters_a_token="Characters a token, the fable",
    saved_by_second_half="Tokens saved by the second half of the vocabulary",
    german_ratio="Tokens a character in German, against the fable",
    capitals_ratio="Tokens a character in capitals, against the fable",
    shuffled_ratio="Tokens a character with shuffled letters, against the fable",
    cost_of_space="Added loss of a word behind a space at the prompt's end",
    cost_of_no_space="Added loss of a word without any space",
)
