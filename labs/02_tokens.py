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
import json
from collections import Counter
from itertools import pairwise

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.model import CHECKPOINTS
from llmnotes.scratch import Config, Tokenizer, Transformer, loss_of, tokenizer
from llmnotes.scratch.tokenizer import CHUNK, LETTERS
from llmnotes.world import VOCABULARY, story_ids, tell

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
TWISTER = "Peter Piper picked a peck of pickled peppers. A peck of pickled peppers Peter Piper picked."

# %% [markdown]
# ## A case you can hold: one line, merge by merge
#
# A language model reads numbers. So a text must first be cut into pieces, each with a number of its own: its *tokens*. Whole
# words would need an endless list, single letters would make every text long. *Byte-pair encoding* (BPE) takes the middle
# way. It starts from single characters and joins the most frequent pair of neighbours, again and again
# ([Sennrich et al. 2016](https://arxiv.org/abs/1508.07909)).
#
# Here is a tongue-twister. Move the slider and watch words grow out of letters.
#
# {{ widget("bpe") }}
#
# That is the whole algorithm. In code it takes three lines to count and one to choose.


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


letters = [list(word) for word in TWISTER.split()]
print(most_frequent_pair(letters))

# %% tags=["setup"]
merges, encoded = learn(TWISTER, 16)
assert tuple(merges) == tokenizer.train_bpe([TWISTER], 257 + 16).merges, (
    "ours and llmnotes.scratch.tokenizer differ"
)

# %% [markdown]
# The *vocabulary* lists all tokens: first the 256 bytes, of which every text is made, then what was learned. To *encode* a
# text is to replay the merges on it, earliest first. In symbols, with $n(a, b)$ the number of times that $b$ follows $a$
# within a word, each step adds the token
#
# $$
# ab \quad\text{with}\quad (a, b) = \arg\max_{a,\,b}\; n(a, b)
# $$
#
# *Fairytale*, our model of fairy tales, has a vocabulary of 4,096 tokens. Here is one word of it, from letters to a single
# token. The number at each step says which merge it was, of all that were learned.
#
# {{ drawing("bpe-merge", alt="The word mother with its space, in six merges from seven tokens to one.") }}
#
# ```exercise
# title: The next merge
# minutes: 2
# code: |
#   text = "low lower lowest"  # in pieces: l o w · l o w e r · l o w e s t
#   first_merge = ("l", "o")  # of three pairs that come three times, the earliest
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
# ## Frequent text is cheap, and everything else is dear

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
# One word has several tokens, or none of its own, by what stands before it and how it is written. Digits stay alone because
# the tales hold few numbers.
#
# ## Your prediction
#
# Look at the first three lines again. The space belongs to the word *behind* it. Now end a prompt with a space, as one easily
# does: *The North Wind and the ␣*. The next word has lost its own space.

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
        "better": "A lone space does say that a word begins. But in training the space was nearly always part of the word.",
        "worse": "The usual token contains the space. Without it the word must be written in pieces that hardly ever stood there.",
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
predict(
    "Of the tokens learned from World's stories, more than 5% are used no more",
    0.5,
    dead_share="> 0.05",
)
predict(
    "In Fairytale untouched tokens have shorter embeddings than others",
    0.15,
    auc_short="> 0.5",
)
predict(
    "Untouched tokens of Fairytale point where bytes point that no text can hold",
    0.85,
    auc_direction="> 0.95",
)
predict(
    "In a tied toy model trained with AdamW untouched tokens are longer than others",
    0.7,
    toy_tied_length="> 1",
)
predict("In an untied toy model their embeddings are shorter", 0.9, toy_untied_length="< 1")
# Those on embeddings were made after a look at an earlier version of the model.

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
    "control: “… and the|Sun”": joined,
}
for y, value in enumerate(rows.values()):
    (bar,) = ax.barh(
        y, value, height=0.55, color=(plots.INK, BLUE, "none")[y], edgecolor=plots.INK
    )
    bar.set_gid(("choice-same", "choice-worse", "")[y])
    ax.text(value + 0.1, y, f"{value:.1f}", va="center", weight="bold")
ax.set_yticks(range(3), rows)
ax.invert_yaxis()
ax.set(
    xlabel="loss of the next word (nats)",
    xlim=(0, 14),
    title="A space in the wrong place costs as much as none",
)
ax.grid(visible=False)
figure(
    fig,
    name="spaces",
    alt="The median loss of a word is lowest when the space belongs to the word, much higher behind a prompt that ends in a "
    "space, and higher still without any space.",
    caption="Median over some fifty words of a fable. The bar | marks where the prompt ends.",
    data={"losses": np.array([plain, spaced, joined])},
    rtol=0.03,
    because=MEDIAN,
)

# %% [markdown]
# Behind a space the median loss of a word is {{ result("tokens.cost_of_space", ".1f") }} nats higher. With no space at all, the
# control, it is {{ result("tokens.cost_of_no_space", ".1f") }} nats higher. A space that stands alone has lost most of its worth
# to the model: in training it was nearly always part of the word behind it.
#
# So never end a prompt with a space, and when you compare two prompts, compare their tokens first.
#
# ## The vocabulary is a memory of what was frequent
#
# How much shorter do tokens make a text? The merges of a smaller vocabulary are the first ones of a larger, so we cut
# *Fairytale*'s tokenizer at several sizes. The control is the fable with the letters of each word shuffled: the same letters,
# but no words.

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
ax.set(xlabel="size of the vocabulary", ylabel="characters a token", ylim=(0.8, 4.6))
ax.set_xticks([257, 512, 1024, 2048, 4096], ["257", "512", "1024", "2048", "4096"])
ax.minorticks_off()
ax.set_title("Words become cheap; capitals and other languages do not")
ax.legend(loc="upper left")
figure(
    fig,
    name="compression",
    alt="For the fable, characters a token grow from 1 to about 4, ever more slowly. German and shuffled letters stay "
    "at 2 or below, and the fable in capitals near 1.",
    caption="Texts that the tokenizer has not learned from. 257: single bytes and the end of a text.",
)

# %% [markdown]
# At the full size {{ result("tokens.characters_a_token", ".1f") }} characters of the fable make one token. In capitals the same fable
# costs {{ result("tokens.capitals_ratio", ".1f") }} times as many tokens, more than its shuffled letters do
# ({{ result("tokens.shuffled_ratio", ".1f") }} times).
#
# The later merges help less and less: the second half of the vocabulary saves
# {{ result("tokens.saved_by_second_half", ".0%") }} of the tokens.
#
# ## What surprised us
#
# **A lone space is nearly worthless.** It says that a word begins, which is true. Yet it helps the model hardly more than no
# space at all, because that token rarely stood there.
#
# **Capitals are a foreign language.** The fable in capitals is dearer than German, and dearer than nonsense made of its own
# letters.
#
# ## Try it
#
# **1. One sign, several tokens** (5 minutes). Find a single character that takes *Fairytale* four tokens. Why four?
#
# ??? tip "Hint"
#     UTF-8 writes a character in one to four bytes, and for what the tales do not know the vocabulary has bytes only.

# %% tags=["solution"]
sign = "🙂"
assert len(full.encode(sign)) == 4, f"{sign} takes {len(full.encode(sign))}: try an emoji"
print([full.vocab[i] for i in full.encode(sign)], list(sign.encode()))

# %% [markdown]
# ## You can now
#
# - encode a line by hand, merge by merge;
# - say why capitals, numbers, other languages and a space at the end of a prompt are dear;
# - look at the tokens of two prompts before you compare what a model makes of them.
#
# ## What this does not show
#
# - The price of a space is measured on one fable and one small model.
# - Tokenizers of large models treat digits and spaces with rules of their own. The trap is there all the same.
# - BPE is one way among several; we did not compare it with others.
#
# ## Going deeper
#
# Read this part after [Meet World and Fairytale](08_meet.md): it needs to know what a model is.
#
# ### Scaffolding: tokens that are learned and then no longer used
#
# A merge takes from the two tokens that it joins all the places that the new one gets. How many tokens does BPE learn that it
# then no longer uses? In real text that has no sharp answer. So we ask in *World*'s language, which has a few hundred words. We
# learn from 300 of its stories until no pair is left, and count at each size how many learned tokens the stories still use.

# %% tags=["setup"]
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

# %% tags=["setup"]
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
left.set(title="World", xlabel="merges", ylabel="tokens")
left.legend()
right.semilogy(range(257, 4096), counts[257:] + 0.5, ".", ms=2, rasterized=True)
right.axhline(last, color=ORANGE, lw=1.2, label="the last learned")
right.legend(loc="upper right")
right.set(title="Fairytale", xlabel="id, in order of learning", ylabel="count, plus ½")
figure(
    fig,
    name="scaffolding",
    alt="Left: of the tokens learned from world's stories about half are still in use at the end. Right: the counts of "
    "fairytale's tokens fall along an upper edge with the order of learning; hundreds lie far below it, down to 0.",
    caption="Right: each token stood on the upper edge when it was learned. Later merges have swallowed what lies below.",
)

# %% [markdown]
# In *World* BPE finds all the words, each in the end one token ({{ result("tokens.pieces_a_word", ".0f") }} piece a word). And
# {{ result("tokens.dead_share", ".0%") }} of the {{ result("tokens.learned_tokens") }} tokens that it learned are used no more: they
# are *scaffolding*.
#
# In real text words share more pieces. Still {{ result("tokens.fallen_share", ".0%") }} of *Fairytale*'s learned tokens are less
# than half as frequent as the last one learned, and {{ result("tokens.learned_and_unused") }} never come at all. These are not
# pieces of rare words. `·wom`, `·daught` and `ueen` were learned early, and then the whole word took everything from them.
#
# ### Untouched tokens can be found from the model alone
#
# Together with the bytes that the tales do not hold, {{ result("tokens.untouched") }} tokens never come in the training text.
# Models behave oddly on such tokens
# ([Rumbelow & Watkins 2023](https://www.lesswrong.com/posts/aPeJE8bSo6rAFoLqg/solidgoldmagikarp-plus-prompt-generation)), and
# [Land & Bartolo 2024](https://arxiv.org/abs/2405.05417) find them by their *embeddings*, the vectors that stand for tokens in
# the model. We try two scores that need no counts: how short the embedding is, and how near its direction is to that of the 13
# bytes that no text in UTF-8 can hold. The control is the direction of 13 random tokens, 200 times.


# %% tags=["setup"]
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

# %% tags=["setup"]
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
# The *AUC* of a score is the chance that it puts an untouched token above another one: ½ is guessing, 1 perfect. Direction
# reaches {{ result("tokens.auc_direction", ".3f") }}. Of the random directions {{ result("tokens.control_as_good", ".0%") }} do as well.
#
# Shortness finds them too, with {{ result("tokens.auc_short", ".3f") }}. We had given that little chance, because in an earlier
# version of this model they were the *longest* of all. Direction found them in both. Their mean cosine with each other is
# {{ result("tokens.alike_untouched", ".2f") }}, which no random start gives. Something has moved them all to one place.
#
# ### What moves a token that never comes
#
# At each position, training pulls the correct token's unembedding towards the model's final vector and pushes every other
# token's away, hardest where the model was most wrongly confident. A token that never comes is only pushed, in the same way as
# all others like it. In a *tied* model the unembedding is also the embedding, so the embedding moves too. AdamW divides each
# push by its usual size, so that even a faint one counts.
#
# To check this we train toys on *World*'s language with 40 tokens added that never come: tied or not, by AdamW or by plain
# gradient descent. Two seeds each.

# %% tags=["setup"]
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


# %% tags=["setup"]
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

# %% tags=["setup"]
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
# Wherever the 40 pass through the softmax they point the same way. The embedding of an untied model, the control, leaves them
# as they were. How long they become depends on tying, on the optimizer, and on more that we do not know
# ([open question](../questions/tokens-what-sets-the-length.md)).
#
# **2. The main axis** (10 minutes). How strongly does the first principal component of all embeddings correlate with the
# logarithm of the count?
#
# ??? tip "Hint"
#     `np.linalg.svd(centred, full_matrices=False)`. The sign of a component means nothing.

# %% tags=["solution"]
axis = np.linalg.svd(centred, full_matrices=False)[2][0]
r = abs(np.corrcoef(centred @ axis, np.log(counts + 1))[0, 1])
assert r > 0.5, f"correlation {r:.2f}: did you take the mean off, and the logarithm?"
print("correlation", round(r, 2))

# %% [markdown]
# What share of a large vocabulary is scaffolding, we do not know. [Lian et al. 2024](https://arxiv.org/abs/2404.17808) gave such
# tokens their name and remove them; so do [Chizhov et al. 2024](https://arxiv.org/abs/2409.04599).
#
# - Finding: [Half of what BPE learns from a closed language is scaffolding](../findings/tokens-scaffolding.md)
# - Finding: [Unused tokens share a direction; their length varies](../findings/tokens-direction-not-length.md)
# - Finding: [A space at the end of a prompt loses most of its worth](../findings/tokens-trailing-space.md)
# - Surprise: [Pieces of frequent words are never read](../surprises/tokens-pieces-of-frequent-words.md)
# - Land & Bartolo (2024), [Fishing for Magikarp](https://arxiv.org/abs/2405.05417)

# %% tags=["setup"]
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
