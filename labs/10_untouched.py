# ---
# title: Tokens that training never touched
# question: What becomes of a token that never comes in the training text?
# answer: >-
#   All such tokens end in one direction. It finds them from the model's weights alone, with an AUC of
#   {{ result("untouched.auc_direction", ".3f") }}, where 1 is perfect.
# level: intermediate
# models: [fairytale]
# needs: [02_tokens, 07_training, 08_meet]
# tags: [tokens, embeddings, training dynamics]
# chapter: Start
# thumbnail: found
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
SEEDS = "training amplifies rounding; two seeds differ by less"
deal = np.random.default_rng(0)

# %% tags=["setup"]
fairytale = llmnotes.load("fairytale")
full = tokenizer.load_tokenizer(CHECKPOINTS / "fairytale")
counts = np.array(json.loads((CHECKPOINTS / "fairytale" / "counts.json").read_text()))
last = np.median(counts[-20:])
note(
    count_of_last=int(last),
    learned_and_unused=(counts[257:] == 0).sum(),
    count_daught=counts[full.ids["Ġdaught"]],
    untouched=(counts == 0).sum(),
)
note(atol=0, fallen_share=(counts[257:] < last / 2).mean())

# %% [markdown]
# ## A case you can hold: “·daught”
#
# *Fairytale* has a token for the beginning of *daughter*. It was trained on two million words of tales, which are full of
# daughters. How often did it meet this token? The dot is the space that belongs to the word.

# %% tags=["idea"]
for piece, word in [("Ġdaught", "Ġdaughter"), ("Ġwom", "Ġwoman"), ("ueen", "Ġqueen")]:
    part, whole = (
        full.ids[piece],
        full.ids[word],
    )  # a token's number is its order of learning
    print(f"{piece.replace('Ġ', '·'):8} token {part:4}: {counts[part]} times")
    print(f"{word.replace('Ġ', '·'):8} token {whole:4}: {counts[whole]} times")

# %% [markdown]
# Never. *Byte-pair encoding* ([Tokens](02_tokens.md)) joins pairs of pieces, the most frequent first. It learned ·daught
# early, on its way to the frequent word. A few merges later it joined ·daught with *er*, and the whole word took every place from
# its piece. The piece keeps its row in the model's tables all the same.
#
# {{ drawing("bpe-merge", alt="The word mother with its space, in six merges from seven tokens to one. Merge 201 made the token other from ot and her; merge 488 swallows it in this word.") }}
#
# The word ·mother grows the same way: each merge makes a token, and the next one takes this place from it.
#
# ## Half of what BPE learns from a closed language is scaffolding
#
# How many tokens are learned and then no longer used? In natural text that has no sharp answer, since new words keep coming. So we ask in
# *World*'s language, which has a few hundred words. We learn merges from 300 of its stories until no pair is left, and count
# at each size how many of the learned tokens the same stories still use.

# %%
predict(
    "Of the tokens learned from World's stories, more than 5% are used no more",
    0.5,
    dead_share="> 0.05",
)

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

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3)
left.plot(sizes, sizes, "--", color=plots.MUTED, lw=1.5)
left.plot(sizes, in_use, color=BLUE)
left.text(250, 330, "learned", rotation=38, color=plots.INK)
left.text(sizes[-1], in_use[-1] - 62, "still in use", ha="right", color=plots.INK)
left.set(title="World: half are dropped again", xlabel="merges", ylabel="tokens")
shown = np.arange(257, 4096, 8)  # every eighth token
right.semilogy(shown, counts[shown] + 0.5, ".", ms=3, color=BLUE)
right.axhline(last, color=ORANGE, lw=1.5)
right.text(300, last / 2.2, "count of the last learned", color=plots.INK, fontsize=9)
right.set(
    title="Fairytale: hundreds fell", xlabel="order of learning", ylabel="count, plus ½"
)
right.minorticks_off()
figure(
    fig,
    name="scaffolding",
    alt="Left: of the tokens learned from World's stories about half are still in use at the end. Right: the counts of "
    "Fairytale's tokens follow an upper edge that falls with the order of learning; many lie far below it, down to 0.",
    caption="Second panel: every eighth token. Each was on the upper edge when it was learned; later merges took its places.",
)

# %% [markdown]
# In the end each of *World*'s words is one token ({{ result("untouched.pieces_a_word", ".0f") }} piece a word), and
# {{ result("untouched.dead_share", ".0%") }} of the {{ result("untouched.learned_tokens") }} tokens that BPE learned are no longer used. They
# are *scaffolding*.
#
# Words of natural text share more pieces. Still, {{ result("untouched.fallen_share", ".0%") }} of *Fairytale*'s learned tokens are less
# than half as frequent as the last one learned, and {{ result("untouched.learned_and_unused") }} never come at all.
#
# ## Training pushes every token that does not come
#
# {{ drawing("transformer-map", light="unembed", alt="The map of the transformer with the unembedding lit up, the table with one vector for each token that turns the final vector into scores.") }}
#
# A token that never comes is never read. But at every position it competes in the softmax, with its row $u_w$ of the
# unembedding. One step of gradient descent moves that row by
#
# $$
# -\frac{\partial L}{\partial u_w} = \big(\mathbf{1}[\,w \text{ comes next}\,] - p_w\big)\, x
# $$
#
# $x$ is the model's final vector at this position, $p_w$ the probability that it gives to token $w$, and the bracket is 1 for
# the token that comes and 0 for all others. So training pulls the correct token's row towards $x$ and pushes every other
# token's row away, hardest where the model was most wrongly confident. In *Fairytale* the unembedding is *tied*: it is
# the embedding table used a second time, so embeddings move as well.
#
# ```exercise
# title: The push on one row
# minutes: 2
# code: |
#   # p: (vocabulary,), x: (d_model,); token w does not come next
#   step = ▢ * x  # what gradient descent adds to row w, at rate 1
# right: ["-p[w]", "(0 - p[w])", "0 - p[w]", "-1 * p[w]"]
# praise: The bracket is 0, so the row moves away from x, in proportion to its probability.
# wrong:
#   "p[w]": That moves the row towards x and makes the wrong token likelier.
#   "1 - p[w]": That is the pull on the token that does come next.
#   "-p": This is the push on every row at once. Which row is meant?
# otherwise: "Put 0 for the bracket in the equation."
# solution: "`-p[w]`. A token that never comes has no other term, at no position of the text."
# ```
#
# ## Your prediction
#
# Together with bytes that the tales do not hold, {{ result("untouched.untouched") }} of *Fairytale*'s 4,096 tokens never come in
# its training text.

# %%
ask(
    "Where are the embeddings of these tokens after training?",
    choices={
        "start": "Where they began, each in a random direction: nothing ever read them",
        "zero": "Near zero in every direction: weight decay has shrunk them",
        "together": "In one direction, all of them",
    },
    answer="together",
    because={
        "start": "Nothing read them, but at every position the softmax pushed them.",
        "zero": "They are shorter here, but far from zero. In an earlier model, trained in nearly the same way, they were the longest of all.",
        "together": "At every position all of them are pushed along the same vector, and never pulled.",
    },
    figure="found",
    auc_direction="> 0.95",
)
predict(
    "In Fairytale untouched tokens have shorter embeddings than others",
    0.15,
    auc_short="> 0.5",
    after_a_look=True,
)
predict(
    "Untouched tokens of Fairytale point where bytes point that no text can hold",
    0.85,
    auc_direction="> 0.95",
    after_a_look=True,
)
predict(
    "In a tied toy model trained with AdamW untouched tokens are longer than others",
    0.7,
    toy_tied_length="> 1",
    after_a_look=True,
)
predict(
    "In an untied toy model their embeddings are shorter",
    0.9,
    toy_untied_length="< 1",
    after_a_look=True,
)
# Those on embeddings were made after a look at an earlier version of Fairytale.

# %% [markdown]
# ## Untouched tokens point the same way
#
# To find such tokens without any counts we need one direction to compare with. Thirteen bytes can never occur in a text in
# UTF-8, so their tokens are certainly untouched. We take the mean of their embeddings and ask how near each other token's
# embedding points to it ([Land & Bartolo 2024](https://arxiv.org/abs/2405.05417)).


# %% tags=["idea"]
vectors = fairytale.model.get_input_embeddings().weight.detach().double().numpy()
centred = vectors - vectors.mean(0)  # (4096 tokens, 192)


def nearness(seed):
    """Cosine of each token's embedding with the mean embedding of some tokens."""
    mean = centred[seed].mean(0)
    return centred @ mean / np.linalg.norm(centred, axis=1) / np.linalg.norm(mean)


impossible = [full.ids[LETTERS[byte]] for byte in (192, 193, *range(245, 256))]
near = nearness(impossible)  # (4096,)


# %% tags=["setup"]
def auc(score):
    return roc_auc_score(untouched[others], score[others])


length = np.linalg.norm(vectors, axis=1)
others, untouched = np.setdiff1d(np.arange(4096), impossible), counts == 0
found = others[np.argsort(-near[others])[: untouched[others].sum()]]
by_chance = np.array([auc(nearness(deal.choice(others, 13))) for _ in range(200)])
together = {}
for name, rows in (
    ("untouched", np.flatnonzero(untouched)),
    ("others", deal.choice(4096, 177)),
):
    unit = vectors[rows] / length[rows, None]
    together[name] = (unit @ unit.T)[np.triu_indices(len(rows), 1)].mean()
note(alike_untouched=together["untouched"], alike_others=together["others"])
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
edges = np.array([1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, counts.max() + 1])
which = [np.flatnonzero((counts >= low) & (counts < high)) for low, high in pairwise(edges)]
middle = np.array([np.exp(np.log(counts[some]).mean()) for some in which])
fig, axes = plots.subplots(1, 2, height=2.9, sharex=True)
for ax, values in zip(axes, (near, length), strict=True):
    low, half, high = np.array(
        [np.quantile(values[some], (0.1, 0.5, 0.9)) for some in which]
    ).T
    ax.fill_between(middle, low, high, color=BLUE, alpha=0.25, lw=0)
    ax.semilogx(middle, half, color=BLUE)
    x = 0.25 * np.exp(deal.uniform(-0.35, 0.35, untouched.sum()))
    ax.plot(x, values[untouched], ".", ms=3, color=ORANGE)
    ax.set_xticks([0.25, 1, 100, 10_000], ["never", "1", "100", "10 000"])
    ax.minorticks_off()
    ax.set(xlabel="count in the training text")
axes[0].set(title="Direction tells them apart", ylabel="cosine with impossible bytes")
axes[1].set(title="Here length does so, too", ylabel="length of the embedding")
axes[0].lines[-1].set_gid("choice-together")
axes[0].text(400, 0.62, "other tokens", color=plots.INK)
axes[0].text(0.6, near[untouched].max() + 0.03, "untouched", color=plots.INK)
axes[0].set_ylim(top=1.15)
figure(
    fig,
    name="found",
    alt="The cosine with impossible bytes falls steadily with the count of a token, from about 0.8 for tokens that never come to "
    "below 0 for the most frequent. The length rises with the count, from about 0.7 to 1.",
    caption="Orange: each token that never comes. Blue: the median of all others and the range of eight in ten.",
    data={"near": near[untouched], "length": length[untouched]},
    rtol=0.02,
    because=ROUNDING,
)

# %% [markdown]
# The *AUC* of a score is the chance that it ranks an untouched token above another one: one half is guessing, 1 is perfect. Direction
# reaches {{ result("untouched.auc_direction", ".3f") }}. As a control we took the mean of 13 random tokens instead, 200 times:
# {{ result("untouched.control_as_good", ".0%") }} of these directions do as well.
#
# The untouched tokens have a mean cosine of {{ result("untouched.alike_untouched", ".2f") }} with each other, as many random other
# tokens {{ result("untouched.alike_others", ".2f") }}. At a random start both are about 0. So something has moved the
# untouched tokens in one direction.
#
# ## Only tokens that pass through the softmax are moved
#
# Is it the push of the equation? We train toys on *World*'s language with 40 extra tokens that never come. If the push moves
# them, they must gather in every table that the softmax uses. The control is the embedding of an *untied* model: there
# the softmax uses another table, so the 40 should stay where they began. Two seeds each.

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
    cosine = (mine @ mine.T)[~torch.eye(40, dtype=torch.bool)].mean()
    return (size[-40:].median() / size[:-40].median()).item(), cosine.item()


untied = [toy(seed, tied=False) for seed in (0, 1)]
runs = {
    "tied": [compare(toy(seed)[0]) for seed in (0, 1)],
    "sgd": [compare(toy(seed, adamw=False)[0]) for seed in (0, 1)],
    "untied": [compare(pair[0]) for pair in untied],
    "unembedding": [compare(pair[1]) for pair in untied],
}

# %% tags=["setup"]
lengths, cosines = (
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
    toy_tied_alike=cosines["tied"],
    toy_sgd_alike=cosines["sgd"],
    toy_untied_alike=cosines["untied"],
    toy_unembedding_alike=cosines["unembedding"],
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.3)
NAMES = {
    "unembedding": "untied:\nunembedding",
    "tied": "tied, AdamW",
    "sgd": "tied, plain\ngradient descent",
    "untied": "control, untied:\nembedding",
}
for y, name in enumerate(NAMES):
    inside = name != "untied"
    ax.barh(
        y, cosines[name], height=0.55, color=BLUE if inside else "none", edgecolor=plots.INK
    )
    ax.text(
        max(cosines[name], 0) + 0.02,
        y,
        f"{abs(cosines[name]):.2f}",
        va="center",
        weight="bold",
    )
ax.set_yticks(range(4), NAMES.values())
ax.invert_yaxis()
ax.set(xlabel="mean cosine among the 40", xlim=(0, 1.25))
ax.grid(visible=False)
figure(
    fig,
    name="toys",
    title="Untouched tokens gather wherever the softmax reaches them",
    alt="Among the 40 tokens the mean cosine is high in the unembedding of the untied model and in both tied ones, and about 0 "
    "in the embedding of the untied model.",
    caption="Toys of one layer after 300 steps. Means of two seeds. AdamW unless the label says otherwise.",
    data={"cosines": np.array([cosines[name] for name in NAMES])},
    rtol=0.1,
    because=SEEDS,
)

# %% [markdown]
# It is. Wherever the softmax uses a table, the 40 tokens of that table point in one direction. The control stays as it was.
#
# ## What surprised us
#
# **The pieces of the most frequent words never come.** We expected the tokens with the fewest counts to be pieces of
# rare words and names, learned last. They are pieces of *woman*, *daughter* and *queen*, learned early
# ([surprise](../surprises/tokens-pieces-of-frequent-words.md)).
#
# **Length changed sides.** We had given short embeddings little chance as a sign of untouched tokens, because in an
# earlier version of *Fairytale* these were the *longest* of all. Here shortness finds them with an AUC of
# {{ result("untouched.auc_short", ".3f") }}. Direction found them in both models. In the toys the 40 tokens are
# {{ result("untouched.toy_tied_length", ".1f") }} times as long as others with AdamW and
# {{ result("untouched.toy_sgd_length", ".1f") }} times with plain gradient descent. What sets the length is an
# [open question](../questions/tokens-what-sets-the-length.md).
#
# ## Try it
#
# **The main axis** (10 minutes). How strongly does the first principal component of all embeddings correlate with the
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
# ## You can now
#
# - explain why a piece of a frequent word can be a token that never comes;
# - write down what one step of training does to the row of a token that is not the answer;
# - find tokens that training hardly touched in a model whose training text you do not have.
#
# ## What this does not show
#
# - *Fairytale* is one model. What share of a large vocabulary is scaffolding, we have not measured.
# - The toys have one size and two seeds each. They show that the push gathers the tokens, not how far it does so in a large model.
# - That a model behaves oddly on such tokens is known from elsewhere
#   ([Rumbelow & Watkins 2023](https://www.lesswrong.com/posts/aPeJE8bSo6rAFoLqg/solidgoldmagikarp-plus-prompt-generation)); we did not test it.
#
# ## Going deeper
#
# **All numbers of the toys.** AdamW divides each push by its usual size, so that even a faint push counts.
#
# | what | length against others | mean cosine among them |
# | --- | ---: | ---: |
# | tied, AdamW | {{ result("untouched.toy_tied_length", ".2f") }} | {{ result("untouched.toy_tied_alike", ".2f") }} |
# | tied, plain gradient descent | {{ result("untouched.toy_sgd_length", ".2f") }} | {{ result("untouched.toy_sgd_alike", ".2f") }} |
# | untied, AdamW: unembedding | {{ result("untouched.toy_unembedding_length", ".2f") }} | {{ result("untouched.toy_unembedding_alike", ".2f") }} |
# | untied, AdamW: embedding (control) | {{ result("untouched.toy_untied_length", ".2f") }} | {{ result("untouched.toy_untied_alike", ".2f") }} |
#
# **Scaffolding can be removed.** [Lian et al. 2024](https://arxiv.org/abs/2404.17808) gave such tokens their name and remove them;
# so do [Chizhov et al. 2024](https://arxiv.org/abs/2409.04599).
#
# - Finding: [Half of what BPE learns from a closed language is scaffolding](../findings/tokens-scaffolding.md)
# - Finding: [Unused tokens share a direction; their length varies](../findings/tokens-direction-not-length.md)
# - Surprise: [Pieces of frequent words are never read](../surprises/tokens-pieces-of-frequent-words.md)
# - Question: [What sets the length of unused tokens?](../questions/tokens-what-sets-the-length.md)
# - Land & Bartolo (2024), [Fishing for Magikarp](https://arxiv.org/abs/2405.05417)

# %% tags=["setup"]
in_words(
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
