# ---
# title: More features than dimensions
# question: When does a network pack more features than it has dimensions, in which shapes, and what does that cost?
# level: intermediate
# minutes: 25
# models: []
# needs: [01_xor]
# tags: [superposition, representations, toy models]
# chapter: Inside
# thumbnail: dimensionality
# timeout: 240
# ---

# %% [markdown]
# A language model knows far more things than it has dimensions to write them in. One way out is *superposition*: give
# every *feature* (a thing worth knowing about the input) a direction of its own, let the directions overlap, and rely
# on few features being there at the same time. [Elhage et al. (2022)](https://arxiv.org/abs/2209.10652) made this
# exact in a model so small that one can see through it. We train some two thousand copies of it at once, check their
# main results, and look at what a single run of training makes of them.

# %% tags=["setup"]
import math

import numpy as np
import torch

from llmnotes.lab import figure, in_words, plots, predict, within

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
DECIDED = "runs near a border between shapes may fall the other way"
SAMPLE = "runs on another machine are a new sample: three standard errors"
DRAWS = "an average over random inputs"
note = within(atol=0.05, because=DRAWS)
LEVEL = "on level ground noise decides where a run stops: three standard errors"

# %% [markdown]
# ## What you need to know
#
# **The data.** An input is *n* numbers, one for each feature. A feature is absent (0) or, with a probability called its
# *density*, present, and then a number drawn evenly from 0 to 1. Low density means *sparse*: few features at a time.
#
# **The network.** It has *m* < *n* dimensions in the middle. A matrix *W* (*m* rows, *n* columns) writes the input into
# them, *h* = *Wx*, and the same matrix reads it back: *y* = ReLU(*W*ᵀ*h* + *b*), where ReLU(z) is z, or 0 if z is
# negative, and *b* is a bias for each feature. It should put out its own input. Column *i* of *W* is the *direction* of
# feature *i*. If two directions overlap, one feature is read where only the other was present: *interference*.
#
# **The loss** is the squared error, each feature's part times its *importance* (1, if we do not say otherwise). We
# give it as a share: 1 is what a network that always says 0 loses.
#
# Three lines of arithmetic on tensors are the whole model. The first dimension is the number of networks, so that
# hundreds of them, each with its own density, train as one.


# %% tags=["idea"]
def read_back(W, b, x, bend=torch.relu):
    """W (networks, m, n), b (networks, n), x (networks, rows, n): what they put out."""
    return bend(x @ W.mT @ W + b[:, None])


def draw(density, n, rows, generator):
    """Inputs with one feature present at least: (networks, rows, n), and how each row counts."""
    present = torch.rand(rows, n, generator=generator) < density[:, None, None]
    present |= torch.arange(rows)[:, None] % n == torch.arange(n)
    return torch.rand(rows, n, generator=generator) * present, 1 / present.sum(-1)


# %% [markdown]
# One trick is in there. At density 0.01 nearly all inputs are empty and teach nothing. So we force one feature, each in
# its turn, to be present. An input with *k* features then comes *k* times too often, and counts 1/*k*. The empty input
# is added in the loss with the weight that is due to it. So the loss has the right mean, with far less noise.


# %%
def share_lost(W, b, density, x, counts, importance, bend):
    """The loss of each network; 1 is what one that always says 0 loses."""
    n = W.size(-1)
    error = ((read_back(W, b, x, bend) - x) ** 2 * importance[:, None]).sum(-1)
    when_empty = (bend(b) ** 2 * importance).sum(-1)
    of_empty = (1 - density) ** n / (n * density)
    of_silence = importance.mean(-1) / 3  # a present feature's mean square is 1/3
    return ((error * counts).mean(-1) + of_empty * when_empty) / of_silence


def start(networks, m, n, seed=0):
    return (
        torch.randn(networks, m, n, generator=torch.Generator().manual_seed(seed))
        / m**0.5
        / 2
    )


EVEN = torch.ones(1, 1)  # importance: (networks, n), or the same for all


def lost_by(W, b, density, importance=EVEN, rows=4000):
    """The loss with ReLU on inputs that were not trained on."""
    x, counts = draw(density, W.size(2), rows, torch.Generator().manual_seed(10_000))
    return share_lost(W, b, density, x, counts, importance, torch.relu)


# %% [markdown]
# Training is gradient descent in the form called Adam, which gives each parameter a step size of its own. All networks
# see the same random numbers, cut at their own density.


# %% tags=["idea"]
def train(
    W, density, importance=EVEN, bend=torch.relu, b=None, *, steps=1000, rows=128, lr=0.03
):
    generator = torch.Generator().manual_seed(0)
    W, b = W.clone().requires_grad_(), torch.zeros_like(W[:, 0]) if b is None else b.clone()
    adam = torch.optim.Adam([W, b.requires_grad_()], betas=(0.9, 0.99))
    for step in range(steps):
        adam.param_groups[0]["lr"] = lr * math.cos(math.pi / 2 * step / steps) ** 2
        x, counts = draw(density, W.size(2), rows, generator)
        adam.zero_grad()
        share_lost(W, b, density, x, counts, importance, bend).sum().backward()
        adam.step()
    return W.detach(), b.detach()


# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     Eight features, all of the same importance, two dimensions. How many can a network hold, if only one is present
#     at a time? In which directions would you put them? And if you train it twenty times, how often will it find the
#     best arrangement?
#
# Our own guesses, written before the runs (steps, learning rates and the sets of densities were settled at a first
# look; the probabilities were not touched). A *pair* is two features in opposite directions of one dimension.

# %%
predict(
    "Two features, one dimension: a single run finds the best in over 90 % of cases",
    0.6,
    single_agrees="> 0.9",
)
predict("The best of several runs does in over 95 %", 0.7, best_agrees="> 0.95")
predict("A linear network never makes a pair", 0.9, linear_pairs="== 0")
# %% [markdown]
# And about more dimensions and what packing costs. *Dimensionality* is explained where it comes up.

# %%
predict(
    "With equal importance most linear networks give each dimension to one feature",
    0.1,
    linear_aligned="> 0.5",
)
predict(
    "Five sparse features in two dimensions: a pentagon in most runs",
    0.8,
    pentagons="> 0.5",
)
# %% [markdown]
# And about many features.

# %%
predict(
    "Eight features: most single runs come within 2 % of the best loss seen",
    0.6,
    near_best="> 0.5",
)
predict(
    "Sixty in ten dimensions: at some density most have dimensionality ½",
    0.5,
    most_half="> 0.5",
)
predict(
    "A packed network loses to a dedicated one once 10 features are present",
    0.7,
    crossing="<= 10",
)

# %% [markdown]
# ## Five features, two dimensions
#
# The first picture of the paper: five features of falling importance, at three densities. The control is the same
# network without the ReLU. It is linear, so we expect what *principal component analysis* (PCA) does: keep the
# directions along which the data vary most, weighted by importance, and drop the rest. 20 starts each. We call a
# feature *held* if its direction is longer than ½.

# %%
CASES = {"dense": 1.0, "less": 0.2, "sparse": 0.05, "linear": 0.05}  # name: density
falling = (0.8 ** torch.arange(5.0)).expand(20, 5)


def linear(z):
    return z


five = {}
for name, density in CASES.items():
    bend = linear if name == "linear" else torch.relu
    W, _ = train(start(20, 2, 5), torch.full((20,), density), falling, bend, steps=600)
    five[name] = W, (W.pow(2).sum(1) > 0.25).sum(1)  # held by each run

# %%
note(
    five_dense=five["dense"][1].median(),
    five_less=five["less"][1].median(),
    five_sparse=five["sparse"][1].median(),
    five_linear=five["linear"][1].median(),
)

# %% [markdown]
# One run of each kind, each feature an arrow:

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 4, height=2.3, sharex=True, sharey=True)
titles = ("density 1", "density 0.2", "density 0.05", "control: linear")
for ax, title, (W, held) in zip(axes, titles, five.values(), strict=True):
    usual = int((held == held.median()).nonzero()[0])
    for i, (x, y) in enumerate(W[usual].T.tolist()):
        colour = (BLUE, ORANGE, GREEN, PURPLE, plots.MUTED)[i]
        ax.plot([0, x], [0, y], color=colour, lw=2.5)
        ax.plot([x], [y], "o", ms=5, color=colour)
    ax.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal", xticks=(-1, 0, 1))
    ax.set_title(title, fontsize=10)
figure(
    fig,
    name="five",
    alt="At density 1, and without the ReLU, two features have directions at right angles and three are dots at the "
    "centre. At density 0.2 four features form a cross, at 0.05 five form a pentagon.",
    caption="The directions of five features in two dimensions. Blue is the most important, then orange, green, "
    "purple, grey.",
    data={name: [held.median()] for name, (_, held) in five.items()},
)

# %% [markdown]
# So far it is as in the paper. The median run holds {{ result("superposition.five_dense") }} features when they are
# dense, {{ result("superposition.five_less") }} at density 0.2 and {{ result("superposition.five_sparse") }} at 0.05;
# the linear network holds {{ result("superposition.five_linear") }}, the most important two.
#
# Now give all five the same importance. By the same count, does a linear network still hold two? We use larger
# batches here, so that the noise of the draws does not decide.

# %% tags=["idea"]
sparse = torch.full((20,), 0.05)
calm, _ = train(start(20, 2, 5), sparse, bend=linear, steps=300, rows=1000)
packed, _ = train(start(20, 2, 5), sparse, steps=600)
squares = calm.pow(2).sum(1)  # (runs, 5): squared lengths
aligned = ((squares > 0.8).sum(1) == 2).float()

# %%
note(atol=0.34, because=LEVEL, linear_aligned=aligned.mean())
note(atol=0.5, because=LEVEL, linear_held=(squares > 0.25).sum(1).float().mean())
note(
    linear_squares=calm.pow(2).sum((1, 2)).mean(),
    packed_squares=packed.pow(2).sum((1, 2)).mean(),
)

# %% [markdown]
# It does not. A linear network "holds" {{ result("superposition.linear_held", ".1f") }} of the five, on average, and
# only {{ result("superposition.linear_aligned", ".0%") }} of the runs give each dimension to one feature. To a linear network with equal importances
# any two directions in the space of features are as good as any others: PCA has a tie. So it keeps an arbitrary mixture, in which
# most features have a long direction and all interfere. **Long directions and interference are no sign of
# packing.** The sum of all squared lengths is one: for the linear network it is
# {{ result("superposition.linear_squares", ".2f") }}, the number of its dimensions, wherever it stops; with ReLU it is
# {{ result("superposition.packed_squares", ".2f") }}.
#
# ## Two features, one dimension: the border
#
# *When* does packing pay? The smallest case can be worked out by hand. Two features of importance 1 and *r* ≤ 1, one
# dimension, density *p*. Leave the second out, with the best constant for it, and it costs its variance,
# *r*(*p*/3 − *p*²/4). Make a pair, *W* = (1, −1) and no bias, and nothing is lost while one is present; if both are, each is
# read as max(0, own − other), an error of the smaller of the two, with mean square 1/6. That costs (1 + *r*)*p*²/6.
# So the pair is better when
#
# $$p < \frac{4r}{2 + 5r}$$
#
# which for equal importance is 4/7. We train 6 starts at each of 121 places and compare.

# %%
STARTS, SIDE = 6, 11
grid = torch.logspace(-2, 0, SIDE), torch.logspace(-1, 1, SIDE)
density, ratio = (t.flatten() for t in torch.meshgrid(*grid, indexing="ij"))
r = torch.minimum(ratio, 1 / ratio)
rule = torch.where(density < 4 * r / (2 + 5 * r), 2, (ratio > 1).int())


def kind_of(W):
    """0: holds the first feature; 1: the second; 2: both, in opposite directions; -1: else."""
    first, second = (W[:, 0].abs() > 0.5).unbind(1)
    alone = torch.where(first & ~second, 0, torch.where(second & ~first, 1, -1))
    return torch.where(first & second & (W[:, 0].prod(1) < 0), 2, alone)


# %% [markdown]
# The same from the same starts without ReLU is the control.

# %%
p, importance = density.repeat(STARTS), torch.stack([torch.ones_like(ratio), ratio], 1)
importance, begin = importance.repeat(STARTS, 1), start(STARTS * SIDE**2, 1, 2)
W, b = train(begin, p, importance, steps=400, rows=64)
without, _ = train(begin, p, importance, linear, steps=400, rows=64)
kinds, losses = kind_of(W), lost_by(W, b, p, importance).view(STARTS, -1)
best = kinds.view(STARTS, -1).gather(0, losses.argmin(0, keepdim=True))[0]
pairs = (kind_of(without) == 2).float()
note(atol=0.03, because=DECIDED, best_agrees=(best == rule).float().mean())
agrees = (kinds == rule.repeat(STARTS)).float()
note(atol=0.04, because=SAMPLE, single_agrees=agrees.mean())
note(atol=0.014, because=LEVEL, linear_pairs=pairs.mean())

# %% [markdown]
# On the left what the best of the 6 holds, in the middle what the first run holds, on the right the control.

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 3, height=2.9, sharex=True, sharey=True)
curve = np.linspace(-1, 1, 201)
least = 10 ** -np.abs(curve)
shown = (best, kinds[: SIDE**2], kind_of(without)[: SIDE**2])
for ax, held, title in zip(
    axes, shown, ("best of 6 runs", "one run", "control: linear"), strict=True
):
    colour = torch.tensor([-0.55, 0.55, 1.0, 0.0])[held.long()].view(SIDE, SIDE)
    ends = {"extent": (-1, 1, -2, 0), "aspect": "auto", "origin": "lower"}
    ax.imshow(colour, cmap=plots.DIVERGING, vmin=-1, vmax=1, interpolation="none", **ends)
    ax.plot(curve, np.log10(4 * least / (2 + 5 * least)), color=plots.INK, lw=1.5, ls="--")
    ax.set(xlabel="importance of the second")
    ax.set_title(title, fontsize=10)
    ax.set_xticks((-1, 0, 1), ("0.1", "1", "10"))
    ax.set_yticks((-2, -1, 0), ("0.01", "0.1", "1"))
    ax.grid(visible=False)
axes[0].set(ylabel="density")
figure(
    fig,
    name="border",
    alt="Below the dashed border the best of six runs makes a pair nearly everywhere; above it, it holds the more "
    "important feature. A single run misses the pair at many places, without order. The linear network makes no pair "
    "but where both are equally important.",
    caption="Strong blue: a pair. Orange: the first feature alone; weak blue: the second alone. Dashed: the border "
    "worked out by hand.",
    data={"best": best.view(SIDE, SIDE) == 2},
    rtol=1.0,
    because="places near the border; the recorded shares are the check",
)

# %% [markdown]
# The best of 6 runs is what the formula says at {{ result("superposition.best_agrees", ".0%") }} of the places, the
# rest lies along the border. But a **single run agrees at only {{ result("superposition.single_agrees", ".0%") }}**: it misses
# the pair at all densities, mostly where both features matter about equally and the pair is far better. (The linear
# network makes "pairs" too, in {{ result("superposition.linear_pairs", ".1%") }} of the runs, all with equal importance:
# one of its arbitrary mixtures looks like a pair.)
#
# Why does a run miss it? The two weights start with a sign each. We split by whether the signs are the same. Then an
# intervention on runs that missed: push the weaker weight a little (0.2) to the other side of zero, and train on.
# The control is the same push to its own side.

# %%
wants, same = (rule == 2).repeat(STARTS), begin.prod(-1)[:, 0] > 0
made = (kinds == 2).float()
of_sample = within(atol=0.1, because=SAMPLE)
of_sample(
    pair_from_opposite=made[wants & ~same].mean(), pair_from_same=made[wants & same].mean()
)
missed = wants & same & (kinds != 2)
weak, strong_side = W[missed].abs() < 0.5, W[missed].sum(-1, keepdim=True).sign()
sideways = torch.where(weak, W[missed] * strong_side, 0).sum(-1)  # of the weaker weight
of_sample(atol=0.15, missed_same_side=(sideways > 0.05).float().mean())


def pairs_after_push(side):
    """The share of runs that make the pair once their weaker weight is pushed to a side."""
    pushed = torch.where(weak, side * 0.2 * strong_side, W[missed])
    how = {"importance": importance[missed], "b": b[missed], "steps": 300, "rows": 64}
    ends, _ = train(pushed, p[missed], **how)
    return (kind_of(ends) == 2).float().mean()


of_sample(atol=0.12, pushed_across=pairs_after_push(-1), pushed_along=pairs_after_push(1))

# %% [markdown]
# From opposite signs {{ result("superposition.pair_from_opposite", ".0%") }} of the runs make the pair where it is
# better, from the same sign {{ result("superposition.pair_from_same", ".0%") }}. Pushed across zero,
# {{ result("superposition.pushed_across", ".0%") }} of those that missed become pairs; pushed along,
# {{ result("superposition.pushed_along", ".0%") }}. So the signs of the start are a cause.
#
# We had thought that the weaker weight dies at zero. It does so only in some runs. In
# {{ result("superposition.missed_same_side", ".0%") }} of those that missed it keeps a short weight (over 0.05) on its own
# side: the two features share a direction, the weaker one a little heard. Our reading: that is better than nothing, and
# the way from there to a pair leads through zero, where it is not heard at all.
#
# ## Eight features, two dimensions: the shapes
#
# Now *n* = 8, all of equal importance, 24 starts at each of six densities. On five sparse features the paper finds a
# pentagon; so do we, in {{ result("superposition.pentagons", ".0%") }} of the runs (all directions held, 72° ± 5° apart).


# %% tags=["idea"]
def gaps_of(W):
    """Angles between neighbouring directions, in degrees; NaN where fewer are held."""
    angles = torch.atan2(W[:, 1], W[:, 0]).masked_fill(W.pow(2).sum(1) < 0.25, torch.nan)
    angles = angles.sort().values
    first = angles[:, :1] + 2 * math.pi
    following = torch.cat([angles[:, 1:], first], 1)
    return torch.where(following.isnan(), first, following).sub(angles).rad2deg()


regular = ((gaps_of(packed) - 72).abs() < 5).all(1)

# %%
note(atol=0.15, because=SAMPLE, pentagons=regular.float().mean())

# %%
RUNS, DENSITIES = 24, torch.tensor([0.5, 0.2, 0.1, 0.05, 0.02, 0.005])
density = DENSITIES.repeat_interleave(RUNS)
W, b = train(start(len(density), 2, 8), density, steps=800)
losses = lost_by(W, b, density).view(-1, RUNS)  # (densities, runs)
held_8 = (W.pow(2).sum(1) > 0.25).sum(1).view(-1, RUNS)
best_holds = held_8.gather(1, losses.argmin(1, keepdim=True))[:, 0]
note(best_holds_0=best_holds[0], best_holds_1=best_holds[1], best_holds_3=best_holds[3])

# %% [markdown]
# How often a single run comes near the best of its density, what the best pentagon and the best run lose at the lowest
# density, and how often two features have the same direction:

# %%
near = losses < 1.02 * losses.min(1, keepdim=True).values
note(atol=0.1, because=SAMPLE, near_best=near.float().mean())
pentagon = losses[-1][held_8[-1] == 5].min()
note(
    rtol=0.02,
    loss_pentagon=pentagon,
    loss_best=losses[-1].min(),
)
merged = (gaps_of(W) < 10).any(1).view(-1, RUNS).float()
note(atol=0.3, because=SAMPLE, merged_sparsest=merged[-1].mean())
note(atol=0.03, because=DECIDED, merged_dense=merged[:4].mean())

# %% [markdown]
# Each disc is a number of runs that hold so many features; the ring marks where the best run is.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
for i, (row, lost) in enumerate(zip(held_8, losses, strict=True)):
    found, counts = row.unique(return_counts=True)
    ax.scatter([i] * len(found), found, s=12 * counts, color=BLUE)
    for n, count in zip(found.tolist(), counts.tolist(), strict=True):
        ax.text(i + 0.2, n - 0.12, count, color=plots.INK, fontsize=10)
    ax.scatter([i], [row[lost.argmin()]], s=420, facecolors="none", edgecolors=ORANGE, lw=2)
ax.scatter([], [], s=150, facecolors="none", edgecolors=ORANGE, lw=2, label="the best run")
ax.axhline(
    2,
    color=plots.MUTED,
    ls="--",
    lw=1.5,
    label="control: what a linear network can tell apart",
)
ax.set_xticks(range(6), [f"{100 * d:.3g}" for d in DENSITIES.tolist()])
ax.set(xlabel="density (%)", ylabel="features held", ylim=(1.4, 9.8), xlim=(-0.5, 5.6))
ax.legend(loc="upper left", ncols=2)
figure(
    fig,
    name="shapes",
    alt="As density falls from 0.5 to 0.005 the best run holds four, five, five, six and more features. Most single "
    "runs hold five at densities 0.2 to 0.02, also where six is better.",
    caption="24 runs at each density, eight features in two dimensions. The numbers count runs.",
    data={"median": held_8.float().median(1).values},
    rtol=0.6,
    because=SAMPLE,
)

# %% [markdown]
# At density 0.5 the best run holds {{ result("superposition.best_holds_0") }}, at 0.2
# {{ result("superposition.best_holds_1") }}, at 0.05 {{ result("superposition.best_holds_3") }}: a cross, a pentagon, a
# hexagon. But only {{ result("superposition.near_best", ".0%") }} of single runs come within 2 % of the best of their
# density. The pentagon is where training likes to stop, also where a hexagon is better.
#
# At the lowest density something else turns up. In {{ result("superposition.merged_sparsest", ".0%") }} of the runs two
# features have **the same direction** (less than 10° apart); from density 0.5 to 0.05 that happens in
# {{ result("superposition.merged_dense", ".0%") }}. The network cannot tell such a couple apart at all. It reads both
# when one is present, each cut down by a large negative bias. Our reading, not tested: at this density a wrong echo now
# and then costs less than to leave a feature out. These are none of the regular shapes, and among them is the best run
# that we have (loss {{ result("superposition.loss_best", ".3f") }}; the best pentagon {{ result("superposition.loss_pentagon", ".3f") }}).
#
# ## Sixty features, ten dimensions
#
# In two dimensions one can look. In ten we need a number for each feature. Its *dimensionality* is
# *D*ᵢ = |*W*ᵢ|² / Σⱼ (*Ŵ*ᵢ · *W*ⱼ)², its squared length, divided by all that is written along its direction (*Ŵ*ᵢ has
# length 1). Alone in a dimension it is 1, in a pair ½, in a triangle ⅔, in a tetrahedron ¾, in a
# pentagon ⅖. The paper finds all of these. Two starts at each of 12 densities, and the linear control.

# %%
LEVELS = torch.tensor([1, 0.8, 0.65, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.02])
density = LEVELS.repeat(2)
slow = {"lr": 0.02, "rows": 120}
W, b = train(start(24, 10, 60), density, **slow)
without, _ = train(start(12, 10, 60), LEVELS, bend=linear, **slow | {"steps": 300})


def dimensionality(W):
    return W.pow(2).sum(1) ** 2 / (W.mT @ W).pow(2).sum(-1)  # (networks, n)


D, D_linear = dimensionality(W), dimensionality(without)
held = (W.pow(2).sum(1) > 0.25).sum(1).view(2, -1).float().mean(0)


def most_near(value):
    """The share of features whose dimensionality is near a value, at the density with most."""
    return ((D - value).abs() < 0.03).float().mean(1).view(2, -1).mean(0).max()


# %%
decided = within(atol=0.02, because=DECIDED)
decided(
    most_half=most_near(1 / 2),
    most_two_thirds=most_near(2 / 3),
    most_three_quarters=most_near(3 / 4),
)
decided(atol=0, held_50=held[3], held_30=held[5])
decided(atol=4, held_10=held[9], held_02=held[11])
note(sum_of_dimensionality=D.sum(1).mean())

# %% [markdown]
# Every feature of every network:

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.4)
jitter = np.linspace(-0.14, 0.14, 60)
for values, colour, shift in ((D, BLUE, -0.2), (D_linear, ORANGE, 0.2)):
    for i, row in enumerate(values.sort(1).values):
        ax.plot(i % 12 + shift + jitter, row, ".", ms=3, color=colour, rasterized=True)
for colour, label in ((BLUE, "with ReLU"), (ORANGE, "control: linear")):
    ax.plot([], [], "o", color=colour, label=label)
shapes = {"pair ½": 1 / 2, "triangle ⅔": 2 / 3, "tetrahedron ¾": 3 / 4, "pentagon ⅖": 2 / 5}
for name, value in shapes.items():
    ax.plot([-0.6, 11.5], [value, value], color=plots.MUTED, lw=0.8, ls=":", zorder=0)
    ax.text(11.6, value, name, color=plots.INK, fontsize=9, va="center")
ax.set_xticks(range(12), [f"{d:.2g}" for d in LEVELS.tolist()])
ax.set(
    xlabel="density",
    ylabel="dimensionality of a feature",
    ylim=(-0.03, 0.9),
    xlim=(-0.6, 13.4),
)
ax.grid(axis="x", visible=False)
ax.legend(loc="upper left", ncols=2)
figure(
    fig,
    name="dimensionality",
    alt="Dense networks, and linear ones at any density, spread their features from 0 to a half and a little more. From "
    "density 0.5 to 0.3 every feature sits at exactly one half or at 0. Below, the upper group falls smoothly to one "
    "sixth and takes in the rest. Nothing sits at two thirds or three quarters.",
    caption="Each dot is a feature; those of a network are sorted. Two starts with ReLU, one without.",
    data={"median": D.sort(1).values[:, 40:].median(1).values},
    rtol=0.3,
    because=SAMPLE,
)

# %% [markdown]
# From density 0.5 (where they hold {{ result("superposition.held_50", ".0f") }}) to 0.3
# ({{ result("superposition.held_30", ".0f") }}) the networks keep two features for each dimension, at a dimensionality
# of ½, and drop the other 40 entirely. After that the number climbs: {{ result("superposition.held_10", ".0f") }} at 0.1, {{ result("superposition.held_02", ".0f") }} at 0.02, where all
# are in. The dimensionalities of a network's features add up to
# {{ result("superposition.sum_of_dimensionality", ".2f") }} on average: the ten dimensions are used up, and only shared
# out differently.
#
# Why does it wait at 20? Two directions may have an overlap below zero for free, since the ReLU cuts that off, and
# in *m* dimensions at most 2*m* directions have no overlap above zero between any two. Whoever wants one more must accept
# that a feature is heard in another's place, and raise a threshold against it, which is what the bias is for. We look
# at both.

# %%
held_by = W.pow(2).sum(1) > 0.25
unit = torch.nn.functional.normalize(W, dim=1)
overlap = (unit.mT @ unit).masked_fill(torch.eye(60, dtype=torch.bool), -1)
overlap = overlap.masked_fill(~(held_by[:, :, None] & held_by[:, None]), -1).amax((1, 2))
bias = torch.where(held_by, b, 0).sum(1) / held_by.sum(1)
at_30, at_10 = [5, 17], [9, 21]  # the networks of these densities
note(atol=0.07, overlap_30=overlap[at_30].mean(), overlap_10=overlap[at_10].mean())
note(atol=0.03, bias_30=bias[at_30].mean(), bias_10=bias[at_10].mean())

# %% [markdown]
# At density 0.3 the largest overlap between any two held features is {{ result("superposition.overlap_30", ".2f") }}
# and their mean bias {{ result("superposition.bias_30", ".2f") }}. At 0.1 it is
# {{ result("superposition.overlap_10", ".2f") }}, and the bias {{ result("superposition.bias_10", ".2f") }}.
#
# ## What it costs
#
# Packing is a bet that few features come together. We take three of these networks and give them inputs with exactly
# *k* features. The control is a *dedicated* network: ten features kept exactly, for the fifty others the best
# constant for this *k* (which is generous: it would have to be told *k*).

# %%
NETWORKS = {"0.3": 5, "0.1": 9, "0.02": 11}  # trained at this density: its number
ks, generator = np.arange(1, 31), torch.Generator().manual_seed(7)
dedicated = (1 - 10 / 60) * (1 - 3 * ks / (4 * 60))
lost, absent = [], []
for k in ks:
    present = torch.rand(1000, 60, generator=generator).argsort(-1) < k
    x = torch.rand(1000, 60, generator=generator) * present
    error = (read_back(W[:12], b[:12], x) - x) ** 2  # (networks, inputs, features)
    lost.append((error.sum((1, 2)) / (x**2).sum()).tolist())
    absent.append(((error * ~present).sum((1, 2)) / error.sum((1, 2))).tolist())
lost, absent = np.array(lost), np.array(absent)  # (k, networks)

# %%
worse = lost[:, 11] > dedicated
note(crossing=ks[worse][0])
note(atol=0, dedicated_1=dedicated[0])
note(atol=0.08, lost_1=lost[0, 11], lost_10=lost[9, 11])
note(atol=0.04, lost_10_less_packed=lost[9, 9])
note(absent_10=absent[9, 11])

# %% [markdown]
# The share lost, by how many features are present:

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
for (name, i), colour in zip(NETWORKS.items(), (GREEN, PURPLE, BLUE), strict=True):
    ax.plot(ks, lost[:, i], color=colour, label=f"trained at density {name}")
ax.plot(ks, dedicated, color=ORANGE, ls="--", label="control: ten dedicated dimensions")
ax.axhline(1, color=plots.MUTED, lw=1, ls=":")
ax.text(30, 1.03, "always saying 0", ha="right", color=plots.INK, fontsize=9)
ax.set(xlabel="features present", ylabel="share lost", ylim=(0, 2.2), xlim=(0.5, 30.5))
ax.legend(loc="upper right", ncols=2)
figure(
    fig,
    name="cost",
    alt="The network that packs all sixty features loses least while one or two are present, crosses the dedicated "
    "network at six, and from eight on is worse than always saying 0. The one trained at 0.1 starts higher, stays level, "
    "and crosses only at about fourteen. The one trained at 0.3 is worst for one feature and best for many.",
    caption="Sixty features in ten dimensions. 1000 inputs for each point.",
    rtol=0.03,
    because=DRAWS,
)

# %% [markdown]
# With one feature present the network trained at 0.02 loses {{ result("superposition.lost_1", ".0%") }}, the dedicated
# one {{ result("superposition.dedicated_1", ".0%") }}. From {{ result("superposition.crossing") }} features on, the
# dedicated one is better. With ten, the packed network loses {{ result("superposition.lost_10", ".0%") }}: **worse than
# saying nothing**, and {{ result("superposition.absent_10", ".0%") }} of its error is on features that are not there.
# The one trained at density 0.1 holds fewer and loses {{ result("superposition.lost_10_less_packed", ".0%") }}.
#
# ## The paper and our runs
#
# | the paper (2022) | here |
# | --- | --- |
# | without ReLU as PCA: the most important *m* features | yes with falling importance; with equal importance an arbitrary mixture, in which {{ result("superposition.linear_held", ".1f") }} of 5 look held |
# | dense features are not packed; sparse ones are: pairs, then a pentagon | yes |
# | two features, one dimension: sharp borders between three phases | yes for the best of 6 ({{ result("superposition.best_agrees", ".0%") }}); a single run agrees at {{ result("superposition.single_agrees", ".0%") }} |
# | many dimensions: a plateau at ½ | yes, and exactly two features a dimension |
# | many dimensions: also triangles (⅔), tetrahedra (¾), pentagons (⅖) | at most {{ result("superposition.most_two_thirds", ".1%") }} of the features near ⅔ at any density, {{ result("superposition.most_three_quarters", ".0%") }} near ¾ |
#
# The last line may be our sizes (10 dimensions, 60 features; the paper has 30 and 400) or our training, which has less noise and
# ends at a learning rate of zero. We have not separated the two.
#
# ## What surprised us
#
# - A linear network with equal importances looks packed by the count of long directions. We had given aligned ones
#   one chance in ten, but had not thought of what it does to the count.
# - Half of the runs that start with the same signs miss a pair that is better. We had expected 90 % agreement.
# - Two features in one direction, at the lowest density, in what are the best networks we have.
# - We had expected most features of some network to sit at ½. Arithmetic would have told: 20 halves
#   use up ten dimensions, and 20 of 60 are {{ result("superposition.most_half", ".0%") }}.
#
# ## Try it yourself
#
# **1. At the border** (beginner, 5 minutes). Write the pair and the network that drops the second feature by hand, and
# show with `lost_by` that at density 4/7 they lose the same.
#
# ??? tip "Hint"
#     *W* has the shape (networks, 1, 2): do both at once. The best constant for the dropped feature is its mean, *p*/2.

# %% tags=["solution"]
at_border = torch.full((2,), 4 / 7)
by_hand = torch.tensor([[[1.0, -1.0]], [[1.0, 0.0]]])
pair, dropped = lost_by(by_hand, torch.tensor([[0, 0], [0, 2 / 7]]), at_border, rows=40_000)
assert abs(pair / dropped - 1) < 0.03, f"{pair:.3f}, {dropped:.3f}: is the second bias p/2?"
print(f"the pair loses {pair:.3f}, the other {dropped:.3f}")

# %% [markdown]
# **2. A hexagon by hand** (intermediate, 10 minutes). Six of eight features on a regular hexagon, two left out, at
# density 0.005. Find a length and a bias with which it beats the best pentagon that training found.
#
# ??? tip "Hint"
#     A neighbour is heard at half size. With squared length *s*, a bias of −*s*/2 silences it entirely, but cuts as
#     much off the feature itself. Try *s* from 1 to 2 and biases from 0 to −1, all at once. A feature left out loses 1.

# %% tags=["solution"]
turn, spread = torch.arange(6) * math.pi / 3, torch.linspace(0, 1, 21)
hexagon = torch.stack([turn.cos(), turn.sin()])  # (2, 6)
s, bias = (t.flatten() for t in torch.meshgrid(1 + spread, -spread, indexing="ij"))
lengths, biases = s.sqrt()[:, None, None], bias[:, None].expand(-1, 6)
six = lost_by(hexagon * lengths, biases, torch.full_like(s, 0.005), rows=600)
all_eight, best_at = (6 * six.min() + 2) / 8, six.argmin()
pentagon = losses[-1][held_8[-1] == 5].min()
assert all_eight < pentagon, f"it loses {all_eight:.3f}: is the bias near -0.5?"
print(f"s = {s[best_at]:.2f}, bias {bias[best_at]:.2f}: it loses {all_eight:.3f}")

# %% [markdown]
# ## What this does not show
#
# - Features here are independent, of equal density, and given. Whether a language model has such features, and which,
#   is another matter; this model only says what would follow.
# - "The best" is the best of the runs that we had: 6, or 24. There may be better arrangements, most likely at the lowest
#   density.
# - One optimizer, one kind of start, one range of learning rates. Shares of runs depend on all three.
# - The cost was measured on exactly *k* features at random. Features that exclude each other may cost less,
#   those that come together more.
#
# ## Links
#
# - Findings: [Two features a dimension, then more](../findings/superposition-two-a-dimension.md),
#   [The signs of the start decide whether a pair is found](../findings/superposition-sign-of-start.md)
# - Dead end: [Counting long directions](../dead-ends/superposition-counting-directions.md)
# - Surprise: [Two features in one direction](../surprises/superposition-shared-direction.md)
# - Question: [Why does training stop at the pentagon?](../questions/superposition-why-pentagon.md)
# - [Elhage et al. (2022)](https://arxiv.org/abs/2209.10652), "Toy Models of Superposition"
# - [Chen et al. (2023)](https://arxiv.org/abs/2310.06301), "Dynamical versus Bayesian Phase Transitions in a Toy Model
#   of Superposition": which polygons training passes through, in the limit of one feature at a time

# %% tags=["labels"]
in_words(
    five_dense="Features held in two dimensions, dense",
    five_less="Features held in two dimensions, density 0.2",
    five_sparse="Features held in two dimensions, density 0.05",
    five_linear="Features held by the linear network",
    linear_aligned="Linear networks that give each dimension to one feature",
    linear_held="Features held by the linear network at equal importance, mean",
    linear_squares="Sum of squared lengths, linear",
    packed_squares="Sum of squared lengths, with ReLU",
    best_agrees="Places where the best of six runs is what the formula says",
    single_agrees="Single runs that are what the formula says",
    linear_pairs="Linear networks that make a pair",
    pair_from_opposite="Runs that make the pair where it is better, from opposite signs",
    pair_from_same="Runs that make the pair where it is better, from the same sign",
    missed_same_side="Runs that miss it with the weaker weight still on its own side",
    pushed_across="Missed runs that become pairs when pushed across zero",
    pushed_along="Missed runs that become pairs when pushed to their own side",
    pentagons="Runs that end as a regular pentagon",
    best_holds_0="Features held by the best run at density 0.5",
    best_holds_1="Features held by the best run at density 0.2",
    best_holds_3="Features held by the best run at density 0.05",
    near_best="Single runs within 2% of the best loss seen",
    loss_pentagon="Loss of the best pentagon, sparsest",
    loss_best="Loss of the best run, sparsest",
    merged_sparsest="Runs in which two features share a direction, sparsest",
    merged_dense="The same at densities from 0.5 to 0.05",
    most_half="Features with dimensionality near 1/2, at most",
    most_two_thirds="Features with dimensionality near 2/3, at most",
    most_three_quarters="Features with dimensionality near 3/4, at most",
    held_50="Features held in ten dimensions at density 0.5",
    held_30="Features held in ten dimensions at density 0.3",
    held_10="Features held in ten dimensions at density 0.1",
    held_02="Features held in ten dimensions at density 0.02",
    sum_of_dimensionality="Sum of the dimensionalities of a network",
    overlap_30="Largest overlap of two held features at density 0.3",
    bias_30="Mean bias of held features at density 0.3",
    overlap_10="Largest overlap of two held features at density 0.1",
    bias_10="Mean bias of held features at density 0.1",
    crossing="Features present from which the dedicated network is better",
    dedicated_1="Loss of the dedicated network, one feature present",
    lost_1="Loss of the packed network, one feature present",
    lost_10="Loss of the packed network, ten features present",
    lost_10_less_packed="The same for a less packed network",
    absent_10="Part of that error on features that are absent",
)
