# ---
# title: Taking out the plumbing
# question: Residual connections and norms seem to compute nothing. What breaks when a transformer loses them?
# answer: >-
#   Without residual connections all words of a text have nearly the same vector before training begins (mean cosine
#   {{ result("plumbing.alike_quiet", ".2f") }} after four layers), and the model learns word frequencies and nothing else.
# chapter: Start
# level: intermediate
# models: []
# needs: [05_transformer]
# tags: [residual stream, training dynamics, attention]
# thumbnail: alike
# timeout: 900
# ---

# %% tags=["setup"]
import math

import numpy as np
import torch
import torch.nn.functional as F

from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.scratch import Attention, Config, Plan, Transformer, loss_of
from llmnotes.world import END, VOCABULARY, story_batches

torch.set_num_threads(1)
torch.set_grad_enabled(False)
torch.set_flush_denormal(True)  # numbers too small for the processor to be quick with
BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
SHORT = "one short training: differs from CPU to CPU, little beside the differences"
UNTRAINED = "untrained: rounding only"
note = within(atol=0.15, because=SHORT)
untrained = within(rtol=0.05, because=UNTRAINED)

STEPS = 70
DATA, HELD = story_batches(32, 12), story_batches(32, 128, seed=2)(0)
BATCHES = [DATA(step) for step in range(STEPS)]


def build(n_layers, residual=True, norm=True, seed=0):
    sizes = {"n_ctx": 32, "n_layers": n_layers, "d_model": 32, "d_mlp": 64}
    config = Config(len(VOCABULARY), **sizes, residual=residual, norm=norm)
    return Transformer(config, seed=seed)


# %% [markdown]
# ## A case you can hold: “the big horses are cheerful”
#
# Here is the beginning of a story in the language that we wrote for our model [*World*](../models/world.md). A small transformer reads it. It has four
# layers and 32 numbers for each word, its weights are random, and it has not learned anything yet.
#
# Can the words still be told apart after four layers? We compare the *residual streams* of every two words by their
# *cosine*: 1 if they point the same way, 0 if they have nothing in common.


# %% tags=["idea"]
def streams_of(model, ids):  # ids: (text, pos)
    """The stream after the embedding and after each layer."""
    parts = model.transformer
    x = parts["wte"](ids) + parts["wpe"].weight
    streams = [x]  # (text, pos, d_model)
    for layer in parts["h"]:
        x = layer(x)
        streams.append(x)
    return streams


def cosines(x):  # (text, pos, d_model) -> (text, pos, pos)
    unit = F.normalize(x, dim=-1)  # every stream has length 1
    return unit @ unit.transpose(1, 2)


# %% tags=["setup"]
story = HELD[0][1:2]
words = [VOCABULARY[int(i)].replace(END, "end") for i in story[0]][:10]
with_additions = [cosines(x)[0, :10, :10] for x in streams_of(build(4), story)]

# %% tags=["drawing"]


def heat(ax, values, title):
    ax.imshow(values, cmap=plots.DIVERGING, vmin=-1, vmax=1)
    ax.set_title(title)
    ax.set_xticks(range(10), words, rotation=90)
    ax.set_yticks(range(10), words)
    ax.grid(visible=False)


fig, axes = plots.subplots(1, 2, height=3.4)
heat(axes[0], with_additions[0], "The embeddings")
heat(axes[1], with_additions[4], "After four layers")
figure(
    fig,
    name="case",
    alt="Two heat maps of cosines between ten words. Both have a dark diagonal and pale cells elsewhere, but for repeated words.",
    caption="Dark blue: cosine 1, the same direction. Each word matches itself, and in part its repetition. The ordinary model, untrained.",
    data={"start": with_additions[0], "end": with_additions[4]},
    rtol=0.02,
    because=UNTRAINED,
)

# %% [markdown]
# In the ordinary model they can. Four layers have changed little. Each word points in a direction of its own, and only
# the two *the* are somewhat similar.
#
# ```exercise
# title: Leave out the diagonal
# minutes: 2
# code: |
#   n = len(x)  # words
#   table = cosines(x[None])[0]  # (n, n): every word with every word
#   alike = (table.sum() - ▢) / (n * (n - 1))  # the mean cosine of two different words
#   assert abs(alike - mean_over_pairs(x)) < 1e-6
# right: ["n", "len(x)", "n * 1", "table.trace()", "table.diagonal().sum()", "table.diag().sum()", "torch.trace(table)"]
# praise: Each of the n words matches itself with a cosine of 1, and that says nothing.
# wrong:
#   "1": One word matches itself with 1. How many words are there?
#   "0": Then each word's match with itself counts as well, and even unrelated words look somewhat similar.
#   "n * n": The table has that many entries. How many of them compare a word with itself?
#   "table.diagonal()": These are the right entries, but all of them have to be subtracted from the sum.
# otherwise: "Which entries compare a word with itself, and what do they add up to?"
# solution: "`n`. The diagonal holds n ones. Without them 0 means that different words have nothing in common."
# ```
#
# ## The plumbing of a block
#
# {{ drawing("transformer-map", light=("resid", "norm"), alt="The map of the transformer with the residual stream and the norms lit up.") }}
#
# In an ordinary block each part $f$ (attention, then the MLP) reads the stream $x$ through a *layer norm* and adds its result.
# We build two mutilated blocks:
#
# $$
# \begin{aligned}
# x &\leftarrow x + f(\mathrm{LN}\,x) && \text{ordinary} \\
# x &\leftarrow f(\mathrm{LN}\,x) && \text{no addition} \\
# x &\leftarrow x + f(x) && \text{no norm}
# \end{aligned}
# $$
#
# $\mathrm{LN}$ scales the stream to mean 0 and variance 1. Neither the addition nor the norm looks at another word, and the
# addition has no weights at all.
#
# ## Your prediction

# %%
ask(
    "We take the additions out of all four layers and train nothing. What becomes of the words of the story?",
    choices={
        "apart": "They stay as different as their embeddings are",
        "noise": "They become noise: as different as random vectors",
        "alike": "They collapse: nearly one vector for all words",
    },
    answer="alike",
    because={
        "apart": "Attention reads the embeddings, and in the ordinary model they stay apart. But there the addition keeps them.",
        "noise": "The weights are random, but they are the same random weights at every word, and attention mixes the words.",
        "alike": "An untrained head averages all words so far. Without the addition the average is all that is left.",
    },
    figure="alike",
    alike_quiet="> 0.9",
)
predict(
    "Without residuals but with norms, layer 1 gets at least 1% of layer 24's gradient",
    0.5,
    first_to_last_no_residual=">= 0.01",
)
predict(
    "Without residuals, 24 layers gain less than half of what the full model gains",
    0.85,
    gain_no_residual_24="< 0.5",
)
predict(
    "Without norms, 24 layers come within 0.1 nats of the full model",
    0.35,
    worse_no_norm_24="< 0.1",
)
predict(
    "Two layers without residuals come within 0.2 nats of the full model",
    0.4,
    worse_no_residual_2="< 0.2",
)

# %% [markdown]
# ## Without the additions all words become one


# %% tags=["setup"]
class SelfFirst(Attention):
    """Attention with a fixed bonus for a token's own place."""

    def forward(self, x, cache=None, start=0):
        parts = self.c_attn(x).chunk(3, dim=-1)
        q, k, v = (p.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for p in parts)
        n = x.shape[1]
        bonus = torch.full((n, n), -math.inf).triu(1) + 8 * torch.eye(n)
        z = F.scaled_dot_product_attention(q, k, v, attn_mask=bonus)
        return self.c_proj(z.transpose(1, 2).flatten(2))


def without(kind, seed, n_layers=4):
    """A model without residual connections: quiet or loud, with self-first heads or not."""
    model = build(n_layers, residual=False, seed=seed)
    for part in model.transformer["h"]:
        for p in part.parameters():
            if p.dim() == 2 and "loud" in kind:
                p.mul_(len(p) ** -0.5 / p.std())
        part.attn.__class__ = SelfFirst if "self" in kind else Attention
    return model


def alikeness(x):
    """The mean cosine of two different places of a text."""
    return float((cosines(x).sum((1, 2)) - 32).mean() / (32 * 31))


lost = [cosines(x)[0, :10, :10] for x in streams_of(without("quiet", 0), story)]
texts = HELD[0][:16]
by_layer = {
    name: [alikeness(x) for x in streams_of(model, texts)]
    for name, model in (
        ("with additions", build(8)),
        ("without", without("quiet", 0, 8)),
        ("without, own word first", without("quiet_self", 0, 8)),
    )
}
untrained(
    atol=0.005,
    alike_start=by_layer["without"][0],
    alike_full_8=by_layer["with additions"][8],
    alike_two_layers=by_layer["without"][2],
    alike_8=by_layer["without"][8],
)

# %% tags=["drawing"]
fig, axes = plots.subplots(2, 2, height=6.4)
for ax, values, title, gid in (
    (axes[0, 0], with_additions[1], "Ordinary, one layer", ""),
    (axes[0, 1], with_additions[4], "Ordinary, four layers", "choice-apart"),
    (axes[1, 0], lost[1], "No additions, one layer", ""),
    (axes[1, 1], lost[4], "No additions, four layers", "choice-alike"),
):
    heat(ax, values, title)
    ax.images[0].set_gid(gid)
figure(
    fig,
    name="alike",
    title="Without additions, four layers make all words one",
    alt="Four heat maps of cosines between ten words. With additions only the diagonal and repeated words are dark, after one layer "
    "and after four. Without additions large parts are dark after one layer, and nearly everything after four.",
    caption="Dark blue: cosine 1. The upper row, the ordinary model, is the control. Nothing is trained.",
    data={"ordinary": with_additions[4], "one": lost[1], "four": lost[4]},
    rtol=0.02,
    because=UNTRAINED,
)

# %% [markdown]
# An untrained head gives nearly the same weight to every word so far, so word $i$ receives the average of the first $i$ words.
# The averages of neighbours differ by one word in $i$. The next layer averages the averages. With the addition each word
# also keeps itself, and at GPT-2's small start what a part adds is small beside it. Without the addition, the average is all
# that is left.
#
# Over 16 texts, two words have a mean cosine of {{ result("plumbing.alike_two_layers", ".2f") }} after two layers. In the
# ordinary model the mean is {{ result("plumbing.alike_full_8", ".2f") }} even after eight.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.9)
styles = (plots.INK, "D--"), (ORANGE, "o-"), (BLUE, "s-")
for values, (colour, style) in zip(by_layer.values(), styles, strict=True):
    ax.plot(range(9), values, style, color=colour, ms=5)
ax.text(1.7, 0.72, "without additions", color=ORANGE)
ax.text(1.2, 0.1, "without, own word first", color=BLUE)
ax.text(1.2, -0.1, "control: with additions", color=plots.INK)
ax.set(
    xlabel="layer",
    ylabel="mean cosine of two words",
    ylim=(-0.15, 1.15),
)
figure(
    fig,
    name="by_layer",
    title="Two layers are enough to lose the words",
    alt="The mean cosine of two words over eight layers. Without additions it rises steeply within two layers and on to 1. With "
    "additions it stays near 0, and so it does without additions where heads look at their own word first.",
    caption="16 texts, one start, nothing trained. Own word first: heads with a fixed bonus for their own word.",
    data={
        name.replace(" ", "_").replace(",", ""): values for name, values in by_layer.items()
    },
    rtol=0.02,
    because=UNTRAINED,
)

# %% [markdown]
# [Dong et al. (2021)](https://arxiv.org/abs/2103.03404) prove that attention alone draws all tokens towards one vector, faster with every layer.
#
# ## A model that cannot tell its words apart learns word frequencies and nothing else
#
# Does it matter for training? We train four layers without additions for 70 steps in four ways. *Quiet* starts as GPT-2 does,
# *loud* with weights so large that each part writes numbers of about size one. And in each of the two, heads either look where
# they like or get a fixed bonus for their own word. The bonus gives the words back to themselves, without any addition.


# %% tags=["idea"]
def own_word_first(scores):  # (head, pos, pos)
    n = scores.size(-1)
    later = torch.full((n, n), -math.inf).triu(1)
    bonus = 8 * torch.eye(n)  # for a word's own place
    return (scores + later + bonus).softmax(-1)


# %% tags=["setup"]
def norm_of(block):
    return math.sqrt(sum(float(p.grad.norm()) ** 2 for p in block.parameters()))


@torch.enable_grad()
def learn(model):
    """The gradient's norm in each layer at the first step; the held-out loss at the end."""
    plan = Plan(STEPS, lr=5e-3, warmup=STEPS // 10)
    optimizer = torch.optim.AdamW(model.parameters(), betas=plan.betas, fused=True)
    for step, batch in enumerate(BATCHES):
        optimizer.param_groups[0]["lr"] = plan.rate(step)
        loss_of(model, batch).backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
        if step == 0:
            first = [
                norm_of(block) * norm.clamp(min=1).item()
                for block in model.transformer["h"]
            ]
        optimizer.step()
        optimizer.zero_grad()
    return np.array(first), loss_of(model, HELD).item()


ratio, alike, end = {}, {}, {}
MAKE = {
    kind: lambda seed, kind=kind: without(kind, seed)
    for kind in ("quiet", "quiet_self", "loud", "loud_self")
} | {"full": lambda seed: build(4, seed=seed)}
for kind, make in MAKE.items():
    models = [make(seed) for seed in range(2)]
    alike[kind] = np.mean([alikeness(streams_of(model, texts)[-1]) for model in models])
    found = [learn(model) for model in models]
    ratio[kind] = np.mean([first[0] / first[-1] for first, _ in found])
    end[kind] = np.mean([loss for _, loss in found])

frequent = torch.bincount(
    torch.cat([b[1][b[1] >= 0] for b in BATCHES]), minlength=len(VOCABULARY)
)
scored = HELD[1][HELD[1] >= 0]
words_only = -float(((frequent + 1) / (frequent + 1).sum()).log()[scored].mean())
note(atol=1e-3, because="counted", unit="nats", words_only=words_only)
untrained(
    ratio_quiet=ratio["quiet"],
    ratio_quiet_self=ratio["quiet_self"],
    ratio_loud=ratio["loud"],
    ratio_loud_self=ratio["loud_self"],
)
untrained(
    atol=0.005,
    alike_quiet=alike["quiet"],
    alike_quiet_self=alike["quiet_self"],
    alike_loud=alike["loud"],
    alike_loud_self=alike["loud_self"],
    alike_full=alike["full"],
)
two_trainings = within(because="mean of two short trainings")
two_trainings(atol=0.05, unit="nats", end_quiet=end["quiet"], end_loud=end["loud"])
two_trainings(
    atol=0.3,
    unit="nats",
    end_quiet_self=end["quiet_self"],
    end_loud_self=end["loud_self"],
    end_full=end["full"],
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
SHOWN = {
    "quiet": ("quiet", ORANGE, "o", (-10, -14), "right"),
    "loud": ("loud", ORANGE, "s", (4, -16), "center"),
    "quiet_self": ("quiet, own word first", BLUE, "o", (10, -4), "left"),
    "loud_self": ("loud, own word first", BLUE, "s", (10, -4), "left"),
    "full": ("control: with additions", plots.INK, "D", (10, -4), "left"),
}
for kind, (text, colour, marker, offset, side) in SHOWN.items():
    ax.plot(alike[kind], end[kind], marker, color=colour, ms=9)
    ax.annotate(
        text,
        (alike[kind], end[kind]),
        offset,
        textcoords="offset points",
        color=colour,
        ha=side,
    )
ax.axhline(words_only, color=plots.INK, ls="--", lw=1)
ax.text(-0.07, words_only + 0.04, "word frequencies alone", va="bottom")
ax.set(
    xlabel="mean cosine of two words before training",
    ylabel="loss after training (nats)",
    xlim=(-0.1, 1.12),
    ylim=(3.5, 4.95),
)
figure(
    fig,
    name="rescue",
    title="If words share one vector, the loss stays at word frequencies",
    alt="Five kinds of four-layer models by the mean cosine of their words before training and by their loss after it. The two with "
    "cosines near 1 end at the loss of word frequencies. The two whose heads look at their own word first end lower, and so "
    "does the control with additions.",
    caption="Four layers, 70 steps, means of two starts. Orange and blue have no additions.",
    data={"alike": [alike[kind] for kind in SHOWN], "end": [end[kind] for kind in SHOWN]},
    rtol=0.2,
    because="means of two short trainings",
)

# %% [markdown]
# If all words have nearly the same vector, the loss ends at that of a model which knows only how frequent each word is:
# {{ result("plumbing.words_only", ".2f") }} nats, quiet or loud. Give the words back to themselves, and the same network
# begins to learn: the loud one reaches {{ result("plumbing.end_loud_self", ".2f") }} nats.
#
# The gradient is not to blame. In all four it reaches the first layer, which gets at least
# {{ result("plumbing.ratio_quiet_self", ".0%") }} of what the last one gets. So residual connections carry **each word's identity forwards**, and with four layers the lack of that is what kept the
# loss at word frequencies.
#
# ## In a deep network the gradient vanishes as well
#
# The textbook says that residual connections are there for the gradient. Let the network grow to 8 and 24 layers, without
# additions or without norms, and watch the gradient at the first step and the loss after 70.

# %% tags=["setup"]
KINDS = {"full": {}, "no residual": {"residual": False}, "no norm": {"norm": False}}
runs = {
    (kind, n): [
        learn(build(n, **how, seed=seed))
        for seed in range(3 if n == 2 or (n == 24 and not how) else 1)
    ]
    for n in (2, 8, 24)
    for kind, how in KINDS.items()
}
ends = {key: np.array([loss for _, loss in found]) for key, found in runs.items()}
middle = {key: np.median(found) for key, found in ends.items()}
start = loss_of(build(24), HELD).item()
gains = (start - middle["no residual", 24]) / (start - ends["full", 24])  # one a start
gradients = runs["no residual", 24][0][0]
shallow = np.median([first[0] / first[-1] for first, _ in runs["no residual", 2]])
note(
    unit="nats",
    full_24=middle["full", 24],
    full_24_best=ends["full", 24].min(),
    full_24_worst=ends["full", 24].max(),
)
note(atol=0.03, unit="nats", no_residual_24=middle["no residual", 24])
note(atol=1e-3, first_to_last_no_residual=gradients[0] / gradients[-1])
note(rtol=0.05, first_to_last_no_residual_2=shallow)
lengths = [x.norm(dim=-1).mean() for x in streams_of(without("quiet", 0, 24), texts)]
untrained(stream_left=lengths[-1] / lengths[0])
note(atol=0.08, gain_no_residual_24=np.median(gains))
note(atol=0.03, gain_first_start=gains[0])
note(
    atol=0.25,
    unit="nats",
    worse_no_residual_2=middle["no residual", 2] - middle["full", 2],
    worse_no_norm_2=middle["no norm", 2] - middle["full", 2],
    worse_no_norm_24=middle["no norm", 24] - middle["full", 24],
)

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.4)
CALLED = {"full": "control: full", "no residual": "no additions", "no norm": "no norms"}
for kind, colour, marker in zip(KINDS, (plots.INK, ORANGE, BLUE), "osD", strict=True):
    first = np.maximum(runs[kind, 24][0][0], 1e-16)
    left.semilogy(range(1, 25), first, color=colour, marker=marker, ms=3.5)
    right.plot(range(3), [middle[kind, n] for n in (2, 8, 24)], color=colour, lw=1.2)
    for at, n in enumerate((2, 8, 24)):
        right.plot([at] * len(ends[kind, n]), ends[kind, n], marker, color=colour, ms=6)
left.text(1, 30, CALLED["full"], color=plots.INK)
left.text(11, 1e-12, CALLED["no residual"], color=ORANGE)
left.text(3, 3e-6, CALLED["no norm"], color=BLUE)
right.axhline(words_only, color=plots.INK, ls="--", lw=1)
right.text(2.3, words_only + 0.08, "word frequencies alone", ha="right")
left.set(xlabel="layer (of 24)", ylabel="norm of the gradient", title="First step")
left.set(ylim=(1e-17, 1e3))
right.set_xticks(range(3), (2, 8, 24))
right.set(xlabel="layers", ylabel="loss (nats)", title="After 70 steps")
right.set(ylim=(2.7, 5.1), xlim=(-0.3, 2.4))
figure(
    fig,
    name="without",
    title="Without additions the gradient vanishes, and the loss does not fall",
    alt="Without residual connections the gradient falls by many orders of magnitude from the last layer to the first, "
    "and the loss stays at that of word frequencies at every depth. Without norms gradients are even but small, and the "
    "losses are those of word frequencies or little below. The losses of the full model lie below all others, at 2 and 24 "
    "layers far apart from start to start.",
    caption="First panel: size of the gradient by layer, before training, one start. Second: held-out loss, a mark for each start, "
    "lines through medians. Colours and marks are the same.",
    data={kind.replace(" ", "_"): [middle[kind, n] for n in (2, 8, 24)] for kind in KINDS},
    rtol=0.3,
    because=SHORT,
)

# %% [markdown]
# With 24 layers the textbook is right: without additions the first layer gets
# {{ result("plumbing.first_to_last_no_residual", ".0e") }} of the last one's gradient. The stream vanishes, too: {{ result("plumbing.stream_left", ".0e") }} of its
# length is left. Each layer writes less than it reads, and once the stream's variance is far below the norm's $\varepsilon$, the
# norm no longer makes up for it.
#
# But already *two* layers end
# {{ result("plumbing.worse_no_residual_2", ".2f") }} nats above the full model, and there nothing vanishes: the first layer gets
# more gradient than the last.
#
# So there are two reasons for residual connections, and the words need them in shallower networks than the gradient does.
#
# ## Norms make small numbers large
#
# Without norms the gradients are even, and still the model learns next to nothing: two layers end
# {{ result("plumbing.worse_no_norm_2", ".2f") }} nats above the full model. Nothing vanishes or explodes. We suspected the start:
# GPT-2's embeddings begin at a size of 0.02, fifty times smaller than what a norm makes of them.
#
# The test takes eight layers without norms and multiplies the embeddings by ten at the start.

# %% tags=["setup"]
louder = build(8, norm=False)
for table in ("wte", "wpe"):
    louder.transformer[table].weight.mul_(10)
note(atol=0.05, unit="nats", no_norm_8=middle["no norm", 8])
note(atol=0.25, unit="nats", no_norm_8_louder=learn(louder)[1])

# %% [markdown]
# The loss goes from {{ result("plumbing.no_norm_8", ".2f") }} to {{ result("plumbing.no_norm_8_louder", ".2f") }} nats, in one run
# each. It seems that most of what norms do in these first steps is to make small numbers large.
#
# ## What surprised us
#
# **An even gradient was not enough.** We had given two layers without additions two chances in five to come close to the full
# model. They learned word frequencies and nothing else ([surprise](../surprises/transformer-even-gradient.md)).
#
# **We lost every bet.** All four of our predictions on this page failed. They stand in our record at the end.
#
# **One start is no result.** The full model of 24 layers ends between {{ result("plumbing.full_24_best", ".2f") }} and
# {{ result("plumbing.full_24_worst", ".2f") }} nats over three starts. By the first start alone we would have won one
# of those bets. By the median of three we lost it.
#
# ## Try it
#
# **1. Attention without weights** (10 minutes). Leave out everything but the average: start from 32 random vectors and let each
# place take the mean of all places so far, four times. How similar do they become? Then keep each place and *add* the mean, once
# at full strength and once at a tenth. Predict before you run it which of the three keeps the words apart.
#
# ??? tip "Hint"
#     The average is a matrix: `torch.ones(32, 32).tril()`, each row divided by its sum.

# %% tags=["solution"]
average = torch.ones(32, 32).tril()
average = average / average.sum(1, keepdim=True)


def four_times(keep, strength):
    """Mean cosine after four rounds of keeping so much of each word and adding so much mean."""
    x = torch.randn(16, 32, 32, generator=torch.Generator().manual_seed(0))
    for _ in range(4):
        x = keep * x + strength * average @ x
    return alikeness(x)


replaced, added, quietly = four_times(0, 1), four_times(1, 1), four_times(1, 0.1)
assert replaced > 0.9, f"{replaced}: do the rows of the average sum to 1?"
assert quietly < 0.1 < added, f"{quietly}, {added}: is the mean added to what was there?"
print(f"replaced {replaced:.2f}, added {added:.2f}, a tenth added {quietly:.2f}")

# %% [markdown]
# An addition alone does not keep words apart. It does so as long as what is added is small, which is how GPT-2 starts.
#
# ## You can now
#
# - measure whether a network still tells its words apart;
# - name two jobs of a residual connection, and tell which one a shallow network misses first;
# - test a suspicion about the start of training by changing the start alone.
#
# ## What this does not show
#
# - We trained for 70 steps at one rate. Longer training, other rates and careful starts can train deep networks without
#   residual connections ([He et al. 2023](https://arxiv.org/abs/2302.10322)).
# - Four layers had two starts, 8 layers and the mutilated 24 one each. How fast the models with the bonus learn differed
#   between starts.
# - At the start additions keep words apart because parts write little. A trained model's parts write more.
#
# ## Going deeper
#
# **The numbers of the four.** The bonus changes the cosine between words far more than it changes the gradient.
#
# | four layers, no additions | first layer's gradient ÷ last | mean cosine | loss (nats) |
# | --- | --- | --- | --- |
# | quiet | {{ result("plumbing.ratio_quiet", ".2f") }} | {{ result("plumbing.alike_quiet", ".2f") }} | {{ result("plumbing.end_quiet", ".2f") }} |
# | loud | {{ result("plumbing.ratio_loud", ".2f") }} | {{ result("plumbing.alike_loud", ".2f") }} | {{ result("plumbing.end_loud", ".2f") }} |
# | quiet, own word first | {{ result("plumbing.ratio_quiet_self", ".2f") }} | {{ result("plumbing.alike_quiet_self", ".2f") }} | {{ result("plumbing.end_quiet_self", ".2f") }} |
# | loud, own word first | {{ result("plumbing.ratio_loud_self", ".2f") }} | {{ result("plumbing.alike_loud_self", ".2f") }} | {{ result("plumbing.end_loud_self", ".2f") }} |
# | control: with additions | | {{ result("plumbing.alike_full", ".2f") }} | {{ result("plumbing.end_full", ".2f") }} |
#
# - Before this: [A transformer from scratch](05_transformer.md)
# - Finding: [Residual connections keep the tokens apart](../findings/transformer-residuals-keep-tokens-apart.md)
# - Surprise: [Without residuals an even gradient is not enough](../surprises/transformer-even-gradient.md)
# - Dong et al. (2021), [Attention is not all you need](https://arxiv.org/abs/2103.03404)
# - He et al. (2023), [Deep transformers without shortcuts](https://arxiv.org/abs/2302.10322)

# %% tags=["setup"]
in_words(
    alike_start="Mean cosine of two words, embeddings",
    alike_full_8="Mean cosine of two words after eight layers with residual connections",
    alike_two_layers="Mean cosine of two words after two layers without residual connections",
    alike_8="Mean cosine of two words after eight layers without residual connections",
    stream_left="Length of the stream after 24 layers without residual connections, against the embedding",
    words_only="Loss from word frequencies alone",
    full_24="Loss of the full model, 24 layers, median of three starts",
    full_24_best="The same, best start",
    full_24_worst="The same, worst start",
    no_residual_24="Loss without residual connections, 24 layers",
    first_to_last_no_residual="Gradient of layer 1 as a share of layer 24's, without residual connections",
    first_to_last_no_residual_2="Gradient of layer 1 against layer 2's, two layers without residual connections",
    gain_no_residual_24="Gain without residual connections, as a share of the full model's, 24 layers",
    gain_first_start="The same, first start only",
    worse_no_residual_2="Added loss without residual connections, two layers",
    worse_no_norm_2="Added loss without norms, two layers",
    worse_no_norm_24="Added loss without norms, 24 layers",
    no_norm_8="Loss without norms, eight layers",
    no_norm_8_louder="The same with embeddings that start ten times larger",
    ratio_quiet="First layer's gradient against the last's: quiet",
    alike_quiet="Mean cosine of two words after four layers: quiet",
    end_quiet="Loss after training: quiet",
    ratio_quiet_self="First layer's gradient against the last's: quiet, own word first",
    alike_quiet_self="Mean cosine of two words after four layers: quiet, own word first",
    end_quiet_self="Loss after training: quiet, own word first",
    ratio_loud="First layer's gradient against the last's: loud",
    alike_loud="Mean cosine of two words after four layers: loud",
    end_loud="Loss after training: loud",
    ratio_loud_self="First layer's gradient against the last's: loud, own word first",
    alike_loud_self="Mean cosine of two words after four layers: loud, own word first",
    end_loud_self="Loss after training: loud, own word first",
    alike_full="Mean cosine of two words after four layers with residual connections",
    end_full="Loss after training: four layers with residual connections",
)
