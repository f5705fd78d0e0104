# ---
# title: Tokens
# question: What does byte-pair encoding learn, and what becomes of the tokens that it learns and then no longer uses?
# level: beginner
# minutes: 15
# models: [fairytale]
# needs: []
# tags: [tokens, embeddings]
# chapter: Start
# thumbnail: scaffolding
# timeout: 240
# ---

# %% [markdown]
# A language model reads a text and says, at each place, how likely each piece of text is to come next. What it
# reads are numbers: *byte-pair encoding* (BPE) decides which pieces get one
# ([Sennrich et al. 2016](https://arxiv.org/abs/1508.07909)): it starts from single bytes and joins the most frequent
# pair of neighbours, again and again. Here we do it by hand, see what it makes of capitals, numbers and spaces, and
# then look at the joins that were only steps on the way to longer ones. Their tokens stay in the vocabulary, and in
# the model. Can we find them by looking at the model alone?

# %% tags=["setup"]
import json
from collections import Counter
from itertools import pairwise

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

import llmnotes
from llmnotes.lab import figure, in_words, plots, predict, within
from llmnotes.model import CHECKPOINTS
from llmnotes.scratch import Config, Tokenizer, Transformer, loss_of, tokenizer
from llmnotes.scratch.tokenizer import CHUNK, LETTERS
from llmnotes.world import VOCABULARY, story_ids, tell

BLUE, ORANGE, *_ = plots.COLOURS
ROUNDING = "rounding only"
note = within(atol=0.02, because=ROUNDING)
WHOLE = "whole numbers of tokens, the same everywhere"
SEEDS = "training amplifies rounding; two seeds differ by less"

# %% [markdown]
# ## What you need to know
#
# **A token** is a piece of text with a number, its *id*. **The vocabulary** lists them: first the 256 bytes, of which
# every text is made (in UTF-8 one to four for each character), then what was learned. **A merge** is a pair of tokens that is joined to a new one. To *encode* a
# text is to replay the merges on it, earliest first. No merge crosses from one word into the next; a space belongs
# to the word behind it, and we write it `·`.
#
# **In the model** each token has an *embedding*, a vector that stands for it when it is read. The model ends with a
# vector for each place, and compares it with the *unembedding* of each token: the better they agree, the likelier
# the token is to come next. In [`fairytale`](../models/fairytale.md), our small model of fairy tales, as in many, both
# are the same matrix (*tied*).
#
# Two texts that fairytale has not read, and a tongue-twister.

# %%
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
TWISTER = "Peter Piper picked a peck of pickled peppers. A peck of pickled peppers Peter Piper picked."

# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     A token that the training text never contains: what is its embedding like at the end? As random as at the start,
#     shrunk to nothing, or something else?
#
# Our own guesses. Those on the embeddings of fairytale were written when we had seen an earlier version of the model,
# the others before any run.

# %%
capital = "A text in capitals takes more than twice the tokens"
predict(capital, 0.85, capitals_ratio="> 2")
half = "The second half of the vocabulary saves less than a tenth of the tokens"
predict(half, 0.6, saved_by_second_half="< 0.1")
space = "A space at the end of a prompt costs the next word more than 2 nats"
predict(space, 0.7, cost_of_space="> 2")
dead = "Of the tokens learned from world's stories, more than 5 % are used no more"
predict(dead, 0.5, dead_share="> 0.05")

# %% [markdown]
# And on embeddings. We call a token *untouched* if the training text never contains it. The *AUC* of a score is the
# chance that it puts an untouched token above another one: ½ is guessing, 1 perfect.

# %%
short = "In fairytale untouched tokens have shorter embeddings than others"
predict(short, 0.15, auc_short="> 0.5")
found = "Untouched tokens of fairytale point where bytes point that no text can hold"
predict(found, 0.85, auc_direction="> 0.95")
tied = "In a tied toy model trained with AdamW untouched tokens are longer than others"
predict(tied, 0.7, toy_tied_length="> 1")
untied = "In an untied toy model their embeddings are shorter"
predict(untied, 0.9, toy_untied_length="< 1")

# %% [markdown]
# ## Byte-pair encoding, step by step
#
# The whole algorithm: count the pairs of neighbours within words, join the most frequent everywhere, repeat.


# %%
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
for n in (0, 8, 16):
    merges, encoded = learn(TWISTER, n)
    print(n, "merges: ", encoded[:67].replace("Ġ", "·"))
assert tuple(merges) == tokenizer.train_bpe([TWISTER], 257 + 16).merges

# %% [markdown]
# The last line checks it against `llmnotes.scratch.tokenizer`, which is quicker: it counts anew only what a merge has changed.
# Note what a merge does to the two tokens that it is made of: they lose all the places that the new one takes.
#
# ## How much shorter?
#
# The merges of a smaller vocabulary are the first ones of a larger. So we cut fairytale's tokenizer at several
# sizes, and encode the fable, the German tale, and the fable in capitals. The control is the fable with the letters of each
# word shuffled: the same letters, but no words.

# %% tags=["idea"]
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

# %%
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
ax.set(xlabel="size of the vocabulary", ylabel="characters a token", ylim=(0.8, 4.6))
ax.set_xticks([257, 512, 1024, 2048, 4096], ["257", "512", "1024", "2048", "4096"])
ax.minorticks_off()
ax.legend(loc="upper left")
figure(
    fig,
    name="compression",
    alt="For the fable, characters a token grow from 1 to about 4, ever more slowly. German and shuffled letters stay "
    "at 2 or below, and the fable in capitals near 1.",
    caption="Texts that the tokenizer has not learned from. 257: single bytes and the end of a text.",
)

# %% [markdown]
# In the end {{ result("tokens.characters_a_token", ".1f") }} characters of the fable make one token, and the second half
# of the vocabulary has saved {{ result("tokens.saved_by_second_half", ".0%") }} of the tokens. The vocabulary is a memory of what was
# frequent: in capitals the fable costs {{ result("tokens.capitals_ratio", ".1f") }} times as many tokens a character, more than without any
# words (the control, {{ result("tokens.shuffled_ratio", ".1f") }}) or than German
# ({{ result("tokens.german_ratio", ".1f") }}). Much that is strange about tokens follows from this, and from the space that belongs to the word
# behind it:

# %%
for text in [
    "Once",
    " once",
    "once",
    "ONCE",
    " king",
    "King",
    " 1900",
    " electricity",
    "naïve",
]:
    pieces = " ".join(full.vocab[i] for i in full.encode(text))
    print(text.replace(" ", "·").ljust(13), pieces.replace("Ġ", "·"))

# %% [markdown]
# One word has several ids, or none of its own, by what stands before it and how it is written. Digits stay alone because the
# tales hold few numbers; a letter that they do not know falls into its bytes.
#
# The space sets a trap. A prompt that ends in a space has taken away the space of the next word, which then has to
# begin with another token than the usual one. We measure the loss of words of the fable behind both prompts, without and
# with a space at the end. The control has no space at all: it says what the lone space is worth to the model.


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

# %%
note(
    atol=0.05,
    because=MEDIAN,
    unit="nats",
    cost_of_space=spaced - plain,
    cost_of_no_space=joined - plain,
)

# %% [markdown]
# The median loss of a word is {{ result("tokens.cost_of_space", ".1f") }} nats higher behind a space, and
# {{ result("tokens.cost_of_no_space", ".1f") }} with no space at all: a space that stands alone has lost most of its worth to the model.
#
# ## Scaffolding
#
# How many tokens does BPE learn that it then no longer uses? In real text that has no sharp answer. So we ask where it
# has one: the language that we wrote for our model [`world`](../models/world.md) has a few hundred words. We learn from 300
# of its stories until nothing is left to join, and count at each size how many of the learned tokens the same stories still use.

# %%
stories = [" ".join(token.word for token in tell(1, i)[1:-1]) for i in range(300)]
learned = tokenizer.train_bpe(stories, 4096)  # it stops long before: no pair is left
chunks = Counter(chunk for story in stories for chunk in CHUNK.findall(story))
sizes = [*range(0, len(learned.merges), 20), len(learned.merges)]
in_use = []
for size in sizes:
    smaller = Tokenizer(learned.vocab[: 257 + size], learned.merges[:size])
    in_use.append(len({i for chunk in chunks for i in smaller.encode(chunk) if i > 256}))
note(
    atol=0,
    pieces_a_word=np.mean([len(learned.encode(chunk)) for chunk in chunks]),
    dead_share=1 - in_use[-1] / len(learned.merges),
)
note(learned_tokens=len(learned.merges))

# %% [markdown]
# For fairytale, the count of each token in its training text ships with the model. A token was most frequent
# when it was learned, for later merges only take from it; and BPE learns in the order of these counts. So the last tokens
# learned show how frequent a pair had to be, and what lies far below them would not be learned at the end.

# %%
counts = np.array(json.loads((CHECKPOINTS / "fairytale" / "counts.json").read_text()))
last = np.median(counts[-20:])
note(
    count_of_last=int(last),
    learned_and_unused=(counts[257:] == 0).sum(),
    count_daught=counts[full.ids["Ġdaught"]],
)
note(atol=0, fallen_share=(counts[257:] < last / 2).mean())
unused = [full.vocab[i] for i in range(257, 4096) if counts[i] == 0]
print("never in the text:", " ".join(unused[:7]).replace("Ġ", "·"))
print("                  ", " ".join(unused[7:]).replace("Ġ", "·"))

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3)
left.plot(sizes, sizes, "--", color=plots.MUTED, lw=1.5, label="learned")
left.plot(sizes, in_use, color=BLUE, label="still in use")
left.set(title="world", xlabel="merges", ylabel="tokens")
left.legend()
right.semilogy(range(257, 4096), counts[257:] + 0.5, ".", ms=2, rasterized=True)
right.axhline(last, color=ORANGE, lw=1.2, label="the last learned")
right.legend(loc="upper right")
right.set(title="fairytale", xlabel="id, in order of learning", ylabel="count, plus ½")
figure(
    fig,
    name="scaffolding",
    alt="Left: of the tokens learned from world's stories about half are still in use at the end. Right: the counts of "
    "fairytale's tokens fall along an upper edge with the order of learning; hundreds lie far below it, down to 0.",
    caption="Right: each token stood on the upper edge when it was learned. Later merges have swallowed what lies below.",
)

# %% [markdown]
# In world BPE finds all the words, each in the end one token ({{ result("tokens.pieces_a_word", ".0f") }} piece a word).
# And {{ result("tokens.dead_share", ".0%") }} of the {{ result("tokens.learned_tokens") }} tokens that it learned are used no more: they
# are **scaffolding**. In real text words share more pieces. Still {{ result("tokens.fallen_share", ".0%") }} of fairytale's learned tokens are less
# than half as frequent as the last one learned ({{ result("tokens.count_of_last") }} times), and {{ result("tokens.learned_and_unused") }} never
# come at all. These are not pieces of rare words: each was at least as frequent as the last one when it was learned. `·wom`,
# `·daught` and `ueen` were learned first among them, and then the whole word took everything from them.
#
# ## Found from the embeddings alone
#
# Together with the bytes that the tales do not hold, {{ result("tokens.untouched") }} tokens have a count of 0. Models behave oddly on such
# tokens ([Rumbelow & Watkins 2023](https://www.lesswrong.com/posts/aPeJE8bSo6rAFoLqg/solidgoldmagikarp-plus-prompt-generation)), and
# [Land & Bartolo 2024](https://arxiv.org/abs/2405.05417) find them by their embeddings. We try two scores that need no counts: how *short* the
# embedding is, and how near its *direction* is to that of the 13 bytes that no text in UTF-8 can hold, with the mean of all
# embeddings taken off first. The control: the direction of 13 random tokens, 200 times.


# %% tags=["idea"]
def nearness(seed):
    """Cosine of each centred embedding with the mean of some of them."""
    mean = centred[seed].mean(0)
    return centred @ mean / np.linalg.norm(centred, axis=1) / np.linalg.norm(mean)


def auc(score):
    return roc_auc_score(untouched[others], score[others])


vectors = fairytale.model.get_input_embeddings().weight.detach().double().numpy()
centred, length = vectors - vectors.mean(0), np.linalg.norm(vectors, axis=1)
impossible = [full.ids[LETTERS[byte]] for byte in (192, 193, *range(245, 256))]
others, untouched = np.setdiff1d(np.arange(4096), impossible), counts == 0
near = nearness(impossible)
found = others[np.argsort(-near[others])[: untouched[others].sum()]]
by_chance = np.array([auc(nearness(deal.choice(others, 13))) for _ in range(200)])

# %%
note(untouched=untouched.sum())
alike = {}
for name, rows in (
    ("untouched", np.flatnonzero(untouched)),
    ("others", deal.choice(4096, 177)),
):
    unit = vectors[rows] / length[rows, None]
    alike[name] = (unit @ unit.T)[np.triu_indices(len(rows), 1)].mean()
note(alike_untouched=alike["untouched"], alike_others=alike["others"])
note(
    atol=0.005,
    auc_short=auc(-length),
    auc_direction=auc(near),
)
note(atol=0.01, control_as_good=np.mean(by_chance >= auc(near)))
note(
    control_95=np.quantile(by_chance, 0.95),
    found_untouched=untouched[found].mean(),
    found_to_20=(counts[found] <= 20).mean(),
)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=2.9, sharex=True)
for ax, values in zip(axes, (near, length), strict=True):
    for of, colour in ((~untouched, BLUE), (untouched, ORANGE)):
        x = counts[of] + 0.5
        ax.semilogx(x, values[of], ".", ms=2.5, color=colour, rasterized=True)
    ax.set(xlabel="count in the text, plus ½")
axes[0].set(title="Direction", ylabel="cosine with impossible bytes")
axes[1].set(title="Length", ylabel="length of the embedding")
figure(
    fig,
    name="found",
    alt="The cosine with impossible bytes falls steadily with the count of a token, from about 0.8 at count 0 to "
    "below 0 for the most frequent. The length rises with the count, from about 0.7 at count 0 to 1, with much scatter.",
    caption="Each point is a token; orange: count 0.",
)

# %% [markdown]
# Direction finds them (AUC {{ result("tokens.auc_direction", ".3f") }}). Of the tokens nearest to the impossible bytes, as many as there are
# untouched ones, {{ result("tokens.found_untouched", ".0%") }} have a count of 0 and {{ result("tokens.found_to_20", ".0%") }} one of
# at most 20, in a text of 2.7 million tokens. Of the random directions {{ result("tokens.control_as_good", ".0%") }} do as well, but one in twenty
# gets beyond {{ result("tokens.control_95", ".2f") }}: frequency goes with the main axis of the embeddings (exercise 2), so many directions
# say something about it.
#
# Shortness finds them too (AUC {{ result("tokens.auc_short", ".3f") }}). We had given that little chance, because in an earlier version of this
# model, trained on the same text by other means, they were the *longest* of all. There direction found them as well. So length and direction are not
# two signs of the same thing. And "untouched" is not the word: their mean cosine with each other is
# {{ result("tokens.alike_untouched", ".2f") }} (any tokens: {{ result("tokens.alike_others", ".2f") }}), which no random start gives. Something has moved them all into one
# place.
#
# ## What moves a token that never comes
#
# At every place of the text, the unembedding of the token that comes is pulled towards the vector with which the model ends there, and that of each other
# token is pushed *away* from it, the more the likelier the model thought it. A token that never comes feels only pushes, the same as all
# others like it. In a tied model its embedding is moved by that. And AdamW divides each push by its usual size, so
# that even a faint one counts; plain gradient descent (SGD) does not.
#
# To check this we train toys on the language of world with 40 tokens added that never come: tied or not, by AdamW or SGD.

# %%
LONG = (row for i in range(4000) if len(row := story_ids(1, i, 33)) == 33)
BATCHES = torch.tensor([next(LONG) for _ in range(2400)]).view(300, 8, 33)


def toy(seed, tied=True, adamw=True):
    """Embedding and unembedding of a small model after 300 steps."""
    size = len(VOCABULARY) + 40
    net = Transformer(Config(size, n_ctx=32, n_layers=1, n_heads=2, d_model=32), seed)
    if not tied:
        net.lm_head.weight = torch.nn.Parameter(net.lm_head.weight.detach().clone())
    by = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
    if adamw:
        by = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.1)
    for batch in BATCHES:
        loss_of(net, (batch[:, :-1], batch[:, 1:])).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        by.step()
        net.zero_grad()
    return net.transformer["wte"].weight.detach(), net.lm_head.weight.detach()


# %% [markdown]
# How long are the 40, measured by the median of the other tokens, and how alike are their directions? Two seeds each.


# %%
def compare(matrix):
    """Median length of the 40 against the others', and their mean cosine with each other."""
    size, mine = matrix.norm(dim=1), matrix[-40:] / matrix[-40:].norm(dim=1, keepdim=True)
    alike = (mine @ mine.T)[~torch.eye(40, dtype=torch.bool)].mean()
    return (size[-40:].median() / size[:-40].median()).item(), alike.item()


untied = [toy(seed, tied=False) for seed in (0, 1)]
runs = {
    "tied": [compare(toy(seed)[0]) for seed in (0, 1)],
    "sgd": [compare(toy(seed, adamw=False)[0]) for seed in (0, 1)],
    "untied": [compare(pair[0]) for pair in untied],
    "unembedding": [compare(pair[1]) for pair in untied],
}

# %%
lengths, alike = (
    {name: np.mean(values, 0)[i] for name, values in runs.items()} for i in (0, 1)
)
note(
    rtol=0.15,
    because=SEEDS,
    toy_tied_length=lengths["tied"],
    toy_sgd_length=lengths["sgd"],
    toy_untied_length=lengths["untied"],
    toy_unembedding_length=lengths["unembedding"],
)
note(
    atol=0.05,
    because=SEEDS,
    toy_tied_alike=alike["tied"],
    toy_sgd_alike=alike["sgd"],
    toy_untied_alike=alike["untied"],
    toy_unembedding_alike=alike["unembedding"],
)

# %% [markdown]
# | what | length against others | mean cosine among them |
# | --- | ---: | ---: |
# | tied, AdamW | {{ result("tokens.toy_tied_length", ".2f") }} | {{ result("tokens.toy_tied_alike", ".2f") }} |
# | tied, SGD | {{ result("tokens.toy_sgd_length", ".2f") }} | {{ result("tokens.toy_sgd_alike", ".2f") }} |
# | untied, AdamW: unembedding | {{ result("tokens.toy_unembedding_length", ".2f") }} | {{ result("tokens.toy_unembedding_alike", ".2f") }} |
# | untied, AdamW: embedding (control) | {{ result("tokens.toy_untied_length", ".2f") }} | about 0 |
#
# Wherever the 40 pass through the softmax they point the same way. The control, the embedding of an untied model, is the
# only matrix that leaves them about as they were: short, and in any direction. How long they become depends on
# tying, on the optimizer, and on more that we do not know: the toys do not say why fairytale's are short.
# **Where the softmax reaches them, direction tells which tokens a model did not see; length depends on how it was trained.**
#
# ## What surprised us
#
# - Half of what BPE learns from a closed language is scaffolding. That it is more than 5 % we gave one chance in two.
# - The learned tokens that the model never read in a text are pieces of *frequent* words.
# - "Look for short embeddings" works in this model, and would have found the opposite in its earlier version.
#
# ## Try it yourself
#
# **1. One sign, several tokens** (beginner, 5 minutes). Find a single character that takes fairytale four tokens. Why four?
#
# ??? tip "Hint"
#     UTF-8 writes a character in one to four bytes, and for what the tales do not know the vocabulary has bytes only.

# %% tags=["solution"]
sign = "🙂"
assert len(full.encode(sign)) == 4, f"{sign} takes {len(full.encode(sign))}: try an emoji"
print([full.vocab[i] for i in full.encode(sign)], list(sign.encode()))

# %% [markdown]
# **2. The main axis** (intermediate, 10 minutes). How strongly does the first principal component of all embeddings correlate
# with the logarithm of the count?
#
# ??? tip "Hint"
#     `np.linalg.svd(centred, full_matrices=False)`. The sign of a component means nothing.

# %% tags=["solution"]
axis = np.linalg.svd(centred, full_matrices=False)[2][0]
r = abs(np.corrcoef(centred @ axis, np.log(counts + 1))[0, 1])
assert r > 0.5, f"correlation {r:.2f}: did you take the mean off, and the logarithm?"
print("correlation", round(r, 2))

# %% [markdown]
# ## What this does not show
#
# - What share of a large vocabulary is scaffolding. [Lian et al. 2024](https://arxiv.org/abs/2404.17808) gave such tokens
#   their name and remove them; so do [Chizhov et al. 2024](https://arxiv.org/abs/2409.04599).
# - That the push moved fairytale's tokens is shown in toys; in fairytale we only see where they lie. Nor are they quite untouched there: a
#   small part of its training was loops of tokens drawn evenly from the vocabulary.
# - How long unused tokens become. In the toys it changes as training goes on
#   ([open](../questions/tokens-what-sets-the-length.md)).
# - The price of a space is measured on one fable.
#
# ## Links
#
# - Finding: [Half of what BPE learns from a closed language is scaffolding](../findings/tokens-scaffolding.md)
# - Finding: [Unused tokens share a direction; their length varies](../findings/tokens-direction-not-length.md)
# - Finding: [A space at the end of a prompt loses most of its worth](../findings/tokens-trailing-space.md)
# - Surprise: [Pieces of frequent words are never read](../surprises/tokens-pieces-of-frequent-words.md)
# - Land & Bartolo (2024), [Fishing for Magikarp](https://arxiv.org/abs/2405.05417)

# %% tags=["labels"]
in_words(
    characters_a_token="Characters a token, the fable",
    saved_by_second_half="Tokens saved by the second half of the vocabulary",
    german_ratio="Tokens a character in German, against the fable",
    capitals_ratio="Tokens a character in capitals, against the fable",
    shuffled_ratio="Tokens a character with shuffled letters, against the fable",
    cost_of_space="Added loss of a word behind a space at the prompt's end",
    cost_of_no_space="Added loss of a word without any space",
    pieces_a_word="Tokens a word, BPE learned on stories of World",
    learned_tokens="Tokens that BPE learned from stories of World",
    dead_share="Of these, tokens that are no longer used",
    count_of_last="How often the last tokens that Fairytale learned occur",
    fallen_share="Learned tokens of Fairytale that occur less than half as often as the last",
    learned_and_unused="Learned tokens of Fairytale that never occur",
    count_daught='How often the token "daught" occurs',
    untouched="Tokens of Fairytale that never occur in the training text",
    alike_untouched="Mean cosine between embeddings of tokens that never occur",
    alike_others="Mean cosine between embeddings of any tokens",
    auc_short="AUC of a short embedding as a sign of a token that never occurs",
    auc_direction="AUC of the direction of impossible bytes as such a sign",
    control_as_good="Random directions that do as well",
    control_95="AUC that one random direction in twenty exceeds",
    found_untouched="Tokens nearest to the impossible bytes that never occur",
    found_to_20="Tokens nearest to the impossible bytes that occur at most 20 times",
    toy_tied_length="Length of unused embeddings against others: tied, AdamW",
    toy_tied_alike="Cosine among unused embeddings: tied, AdamW",
    toy_sgd_length="Length of unused embeddings against others: tied, SGD",
    toy_sgd_alike="Cosine among unused embeddings: tied, SGD",
    toy_untied_length="Length of unused embeddings against others: untied, AdamW",
    toy_untied_alike="Cosine among unused embeddings: untied, AdamW",
    toy_unembedding_length="Length of unused unembeddings against others: untied, AdamW",
    toy_unembedding_alike="Cosine among unused unembeddings: untied, AdamW",
)
