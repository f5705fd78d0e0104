# ---
# title: More features than dimensions
# question: When does a network pack more features than it has dimensions, in which shapes, and what does that cost?
# answer: >-
#   With two dimensions for five features, a network keeps {{ result("superposition.five_dense") }} of them if all are always
#   present, and {{ result("superposition.five_sparse") }} if they are rare. With ten features present at a time, packing loses
#   {{ result("superposition.lost_10", ".0%") }} of what saying nothing would.
# chapter: Inside
# level: intermediate
# models: []
# needs: [01_xor]
# tags: [superposition, representations, toy models]
# thumbnail: five
# timeout: 240
# ---

# %% tags=["setup"]
import math

import numpy as np
import torch

from llmnotes.lab import ask, figure, in_words, plots, predict, within

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
DECIDED = "runs near a border between shapes may fall the other way"
SAMPLE = "runs on another machine are a new sample: three standard errors"
DRAWS = "an average over random inputs"
note = within(atol=0.05, because=DRAWS)
LEVEL = "on level ground noise decides where a run stops: three standard errors"

# %% [markdown]
# ## A case you can hold: two features in one number
#
# Two *features*, things worth knowing about an input, have to pass through a single number. The first feature pushes the number up,
# the second pushes it down. On the other side a ReLU reads whatever is above zero as the first feature, and whatever is below zero
# as the second.

# %% tags=["idea"]
W = torch.tensor([[1.0, -1.0]])  # (1 dimension, 2 features)
for x in ([0.8, 0.0], [0.0, 0.6], [0.8, 0.6]):
    h = W @ torch.tensor(x)  # one number
    y = torch.relu(W.T @ h)  # read back
    print(x, "->", round(h.item(), 2), "->", [round(v, 2) for v in y.tolist()])

# %% [markdown]
# When one feature is present at a time, it comes back unharmed. When both are, they cancel each other. So putting two features into
# one dimension is a bet that they seldom occur together. Such packing is called *superposition*. A language model seems to know far
# more things than it has dimensions, so it may make this bet all the time.
#
# ## The smallest network that can pack
#
# {{ drawing("bottleneck", light="hidden", alt="Five features lead by a matrix W to two hidden units, and by the same matrix turned round to five outputs with a ReLU. Beside it the five columns of W as arrows in the plane of the two hidden units. The two hidden units are lit up.") }}
#
# [Elhage et al. (2022)](https://arxiv.org/abs/2209.10652) posed the question in a model small enough to understand completely:
#
# $$
# h = W x, \qquad y = \mathrm{ReLU}(W^{\top} h + b)
# $$
#
# $x$ holds $n$ features, and $h$ has only $m < n$ numbers. The same matrix $W$ writes and reads, and $b$ is a bias for each
# feature. Column $i$ of $W$ is the *direction* of feature $i$. The output $y$ should equal the input. If two directions overlap,
# the network reports some of one feature where only the other was present. That error is called *interference*. The loss is
#
# $$
# L = \sum_i I_i\, (y_i - x_i)^2
# $$
#
# $I_i$ is the *importance* of feature $i$. A feature is present with a certain probability, its *density*, and then has a value
# between 0 and 1. We give losses relative to a network that always answers 0, which loses 1. All networks of an experiment train
# together, as one tensor.


# %% tags=["idea"]
def read_back(W, b, x, bend=torch.relu):
    """W (networks, m, n), b (networks, n), x (networks, rows, n): what they put out."""
    return bend(x @ W.mT @ W + b[:, None])


# %% tags=["setup"]
def draw(density, n, rows, generator):
    """Inputs with one feature present at least: (networks, rows, n), and how each row counts."""
    present = torch.rand(rows, n, generator=generator) < density[:, None, None]
    present |= torch.arange(rows)[:, None] % n == torch.arange(n)
    return torch.rand(rows, n, generator=generator) * present, 1 / present.sum(-1)


# %% tags=["setup"]
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
# ```exercise
# title: What the hidden layer hears
# minutes: 3
# code: |
#   # three features in one dimension, with directions 1, -1 and 0.5
#   W = torch.tensor([[1.0, -1.0, 0.5]])
#   x = torch.tensor([0.0, 0.0, 1.0])  # only the third is present
#   first = torch.relu(W.T @ (W @ x))[0].item()  # what is read as the first
#   assert first == ▢
# right: ["0.5", ".5", "1/2", "1 / 2"]
# praise: "The third is heard as half a first feature: interference."
# wrong:
#   "0": "The first is absent, but its direction overlaps with that of the third."
#   "0.0": "The first is absent, but its direction overlaps with that of the third."
#   "1": "The hidden number is 0.5 times 1. What does the first read from it?"
#   "0.25": "That is what the third reads of itself: 0.5 times 0.5."
# otherwise: "First `W @ x`, one number. Then that number times the first direction."
# solution: "`W @ x` is 0.5, and the first direction reads 1 times 0.5."
# ```
#
# ## Your prediction
#
# Now we take five features and two dimensions, and train 20 networks from random starts. The first feature is the most important,
# and each further one counts 0.8 times as much as the one before. We train at density 1 (all five are always present), at 0.2 and
# at 0.05.

# %%
ask(
    "Features become rare: density 0.05. How many of the five does the network keep in its two dimensions?",
    choices={
        "two": "The two most important, at right angles: one a dimension",
        "four": "Four, as a cross: two opposite ones a dimension",
        "five": "All five, as a pentagon",
    },
    answer="five",
    because={
        "two": "This is what a linear network does, and what ours does when features are always present.",
        "four": "Opposite features do not disturb each other. It is what happens at density 0.2.",
        "five": "At density 0.05 features seldom meet, so a little interference costs less than to leave one out.",
    },
    figure="five",
    five_sparse="== 5",
    five_less="== 4",
)
predict(
    "Two features, one dimension: a single run finds the best in over 90% of cases",
    0.6,
    single_agrees="> 0.9",
)
predict("The best of several runs does in over 95%", 0.7, best_agrees="> 0.95")
predict("A linear network never makes a pair", 0.9, linear_pairs="== 0")
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
predict(
    "Eight features: most single runs come within 2% of the best loss seen",
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
# ## As features get rarer, pairs form, and then a pentagon

# %% tags=["setup"]
CASES = {"dense": 1.0, "less": 0.2, "sparse": 0.05, "linear": 0.05}  # name: density
falling = (0.8 ** torch.arange(5.0)).expand(20, 5)


def linear(z):
    return z


five = {}
for name, density in CASES.items():
    bend = linear if name == "linear" else torch.relu
    W, _ = train(start(20, 2, 5), torch.full((20,), density), falling, bend, steps=600)
    five[name] = W, (W.pow(2).sum(1) > 0.25).sum(1)  # held by each run

# %% tags=["setup"]
note(
    five_dense=five["dense"][1].median(),
    five_less=five["less"][1].median(),
    five_sparse=five["sparse"][1].median(),
    five_linear=five["linear"][1].median(),
)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 4, height=2.4, sharex=True, sharey=True)
titles = ("density 1", "density 0.2", "density 0.05", "control: linear")
for ax, title, key, (W, held) in zip(
    axes, titles, ("two", "four", "five", ""), five.values(), strict=True
):
    usual = int((held == held.median()).nonzero()[0])
    for i, (x, y) in enumerate(W[usual].T.tolist()):
        colour = (BLUE, ORANGE, GREEN, PURPLE, plots.MUTED)[i]
        ax.plot([0, x], [0, y], color=colour, lw=2.5)
        (dot,) = ax.plot([x], [y], "o", ms=6, color=colour)
        if key and i == 0:
            dot.set_gid(f"choice-{key}")
    ax.text(-1.3, -1.3, f"holds {int(held.median())}", va="bottom")
    ax.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal", xticks=(-1, 0, 1))
    ax.set_title(title, fontsize=10)
figure(
    fig,
    name="five",
    alt="At density 1, and without the ReLU, two features have directions at right angles and three are dots at the "
    "centre. At density 0.2 four features form a cross, at 0.05 five form a pentagon.",
    caption="The directions of five features in two dimensions, one run of 20. Blue is the most important, then orange, "
    "green, purple, grey.",
    title="Rarer features: two, then a cross, then a pentagon",
    data={name: [held.median()] for name, (_, held) in five.items()},
)

# %% [markdown]
# We say that a network *holds* a feature if the feature's direction is longer than ½. The median of 20 runs holds
# {{ result("superposition.five_dense") }} features at density 1, {{ result("superposition.five_less") }} at 0.2 and
# {{ result("superposition.five_sparse") }} at 0.05.
#
# The control is the same network without the ReLU. It is linear, and does what principal component analysis does: it holds the
# {{ result("superposition.five_linear") }} most important features, however rare features are. So packing needs the
# nonlinearity.
#
# ## A pair pays below a border that can be worked out by hand
#
# When exactly does packing pay? Take the case from above: two features of density $p$ in one dimension, with importances 1 and
# $r \le 1$. If the network leaves the second feature out, it pays that feature's variance at every input. If it makes a pair, only
# inputs with both features cost anything. Worked out, the pair is better when
#
# $$
# p < \frac{4r}{2 + 5r}
# $$
#
# For two equally important features the border is at a density of 4/7. Does training find it? We train six networks at each of 121
# combinations of density and importance.

# %% tags=["setup"]
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


# %% tags=["setup"]
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

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 3, height=2.9, sharex=True, sharey=True)
curve = np.linspace(-1, 1, 201)
least = 10 ** -np.abs(curve)
shown = (best, kinds[: SIDE**2], kind_of(without)[: SIDE**2])
xs, ys = ratio.log10(), grid[0].log10().repeat_interleave(SIDE)
looks = ((0, "v", ORANGE), (1, "^", GREEN), (2, "s", BLUE))
for ax, held, title in zip(
    axes, shown, ("best of 6 runs", "one run", "control: linear"), strict=True
):
    for kind, mark, colour in looks:
        ax.plot(xs[held == kind], ys[held == kind], mark, ms=4.5, color=colour, mew=0)
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
    caption="Blue squares: a pair. Orange, tip down: the first feature alone; green, tip up: the second alone. Dashed: the "
    "border worked out by hand.",
    title="The best of six runs keeps to the border, a single run does not",
    data={"best": best.view(SIDE, SIDE) == 2},
    rtol=1.0,
    because="places near the border; the recorded shares are the check",
)

# %% [markdown]
# The best of six runs agrees with the formula at {{ result("superposition.best_agrees", ".0%") }} of the combinations, a single run
# at {{ result("superposition.single_agrees", ".0%") }}. Why does a single run miss the pair? We split the runs by the signs of
# their two initial weights.

# %% tags=["setup"]
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
# Of the runs that start with opposite signs {{ result("superposition.pair_from_opposite", ".0%") }} make the pair where it is
# better. Of those that start with equal signs, {{ result("superposition.pair_from_same", ".0%") }} do. Is the sign the cause? We
# took runs that had missed the pair, pushed the weaker weight a little across zero, and trained on.
#
# After this push {{ result("superposition.pushed_across", ".0%") }} became pairs. After the control, an equally large push away
# from zero, {{ result("superposition.pushed_along", ".0%") }} did. So the sign of the start is a cause.
#
# ## Sixty features in ten dimensions: exactly two a dimension, then more
#
# In two dimensions we can look at the arrows. In ten we need a number for each feature, its *dimensionality*: the share of a
# dimension that the feature has to itself.
#
# $$
# D_i = \frac{|W_i|^2}{\sum_j (\hat{W}_i \cdot W_j)^2}
# $$
#
# $W_i$ is the direction of feature $i$ and $\hat{W}_i$ the same with length 1. A feature alone in its dimension has 1. Each feature
# of a pair has ½, of a triangle ⅔, of a tetrahedron ¾, of a pentagon ⅖. The paper finds all of these shapes.


# %% tags=["idea"]
def dimensionality(W):  # (networks, m, n)
    overlaps = (W.mT @ W).pow(2).sum(-1)  # with all features, itself included
    return W.pow(2).sum(1) ** 2 / overlaps  # (networks, n)


# %% tags=["setup"]
LEVELS = torch.tensor([1, 0.8, 0.65, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.02])
density = LEVELS.repeat(2)
slow = {"lr": 0.02, "rows": 120}
W, b = train(start(24, 10, 60), density, **slow)
without, _ = train(start(12, 10, 60), LEVELS, bend=linear, **slow | {"steps": 300})
D, D_linear = dimensionality(W), dimensionality(without)
held = (W.pow(2).sum(1) > 0.25).sum(1).view(2, -1).float().mean(0)

BETWEEN = torch.arange(0.525, 0.8, 0.025)  # the paper's other shapes would be here
W_between, _ = train(start(11, 10, 60, seed=1), BETWEEN, **slow)
D_between = dimensionality(W_between)


def most_near(value, D=D, starts=2):
    """The share of features whose dimensionality is near a value, at the density with most."""
    return ((D - value).abs() < 0.03).float().mean(1).view(starts, -1).mean(0).max()


decided = within(atol=0.02, because=DECIDED)
decided(
    most_half=most_near(1 / 2),
    most_two_thirds=most_near(2 / 3),
    most_three_quarters=most_near(3 / 4),
    between_two_thirds=most_near(2 / 3, D_between, 1),
    between_three_quarters=most_near(3 / 4, D_between, 1),
)
decided(atol=0, held_50=held[3], held_30=held[5])
decided(atol=4, held_10=held[9], held_02=held[11])
note(sum_of_dimensionality=D.sum(1).mean())

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.6)
columns = sorted(
    [
        *zip(LEVELS.tolist(), D[:12], strict=True),
        *zip(BETWEEN.tolist(), D_between, strict=True),
    ],
    key=lambda column: -column[0],
)
dots = []  # column, dimensionality, how many features
for i, (_, row) in enumerate(columns):
    at, count = (row / 0.025).round().unique(return_counts=True)
    dots += [(i, 0.025 * y, n) for y, n in zip(at.tolist(), count.tolist(), strict=True)]
for few, many, size in ((1, 2, 2), (3, 9, 4), (10, 60, 8)):
    xs, ys = zip(*[(x, y) for x, y, n in dots if few <= n <= many], strict=True)
    ax.plot(xs, ys, "o", ms=size, color=BLUE, mew=0)
levels = [level for level, _ in columns]
for level, row in zip(LEVELS.tolist(), D_linear, strict=True):
    spread = [row.min(), row.max()]
    ax.plot([levels.index(level) + 0.4] * 2, spread, color=ORANGE, lw=1.5, alpha=0.5)
shapes = {"pair ½": 1 / 2, "triangle ⅔": 2 / 3, "tetrahedron ¾": 3 / 4, "pentagon ⅖": 2 / 5}
for name, value in shapes.items():
    ax.axhline(value, color=plots.MUTED, lw=0.8, ls=":", zorder=0)
    ax.text(23.2, value, name, va="center", fontsize=9.5)
ax.text(13.2, 0.55, "ReLU", color=BLUE)
ax.text(0, 0.8, "control: linear, its range", color=ORANGE)
shown = [levels.index(level) for level in LEVELS[[0, 2, 3, 5, 11]].tolist()]
ax.set_xticks(shown, [f"{levels[i]:.2g}" for i in shown])
ax.set(
    xlabel="density: features get rarer to the right",
    ylabel="dimensionality",
    ylim=(-0.03, 0.9),
    xlim=(-0.8, 28),
    title="At densities 0.5 to 0.3 every feature has ½ or nothing",
)
ax.grid(visible=False)
figure(
    fig,
    name="dimensionality",
    alt="Dense networks, and linear ones at any density, spread their features from 0 to a half and a little more. Between "
    "0.8 and 0.55 some features lie above one half, none on a line of their own at two thirds or three quarters. From "
    "density 0.5 to 0.3 every feature sits at exactly one half or at 0. Below, the upper group falls smoothly to one sixth "
    "and takes in the rest.",
    caption="60 features of one network a column; larger dots are 3, and 10, features or more. Eleven densities between 0.5 and 0.8 were added.",
    data={"median": D.sort(1).values[:, 40:].median(1).values},
    rtol=0.3,
    because=SAMPLE,
)

# %% [markdown]
# From density 0.5 to 0.3 the networks hold {{ result("superposition.held_30", ".0f") }} of the 60 features, two for each dimension,
# and drop the other 40 entirely. In rarer data the number climbs, to {{ result("superposition.held_10", ".0f") }} at density 0.1
# and all {{ result("superposition.held_02", ".0f") }} at 0.02. The linear control shows nothing of the kind: its features lie
# anywhere between 0 and a little above ½.
#
# Why does it stop at 20 first? In $m$ dimensions at most $2m$ directions exist with no positive overlap between any two, and the
# ReLU cuts off everything negative. Up to there packing is free. One more feature, and some feature shows up in another's place.
#
# The paper also finds triangles and tetrahedra, at densities between 0.5 and 0.8. We trained eleven more networks there. At most
# {{ result("superposition.between_two_thirds", ".0%") }} of a network's features come near ⅔, and at most
# {{ result("superposition.between_three_quarters", ".0%") }} near ¾: single features, and no shapes. This does not contradict the
# paper, since its networks are larger: 30 dimensions and 400 features.
#
# ## Packing is a bet that few features come together
#
# What happens when the bet is lost? We give three of these networks inputs with exactly $k$ features. The control is a *dedicated*
# network: it keeps ten features exactly and answers the fifty others with the best constant for this $k$.

# %% tags=["setup"]
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

# %% tags=["setup"]
worse = lost[:, 11] > dedicated
note(crossing=ks[worse][0])
note(atol=0, dedicated_1=dedicated[0])
note(atol=0.08, lost_1=lost[0, 11], lost_10=lost[9, 11])
note(atol=0.04, lost_10_less_packed=lost[9, 9])
note(absent_10=absent[9, 11])

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
at = {"0.3": (3.4, 1.9), "0.1": (21, 0.8), "0.02": (17, 1.5)}
for (name, i), colour in zip(NETWORKS.items(), (GREEN, PURPLE, BLUE), strict=True):
    ax.plot(ks, lost[:, i], color=colour)
    ax.text(*at[name], f"holds {held[i]:.0f}", color=colour)
ax.plot(ks, dedicated, color=ORANGE, ls="--")
ax.text(9, 0.38, "control: dedicated", color=ORANGE)
ax.axhline(1, color=plots.MUTED, lw=1, ls=":")
ax.text(30, 1.04, "says 0", ha="right")
ax.set(
    xlabel="features present at once",
    ylabel="share lost",
    ylim=(0, 2.2),
    xlim=(0.5, 30.5),
    title="The more packed, the worse with many features",
)
figure(
    fig,
    name="cost",
    alt="The network that packs all sixty features loses least while one or two are present, crosses the dedicated "
    "network at six, and from eight on is worse than always saying 0. The one trained at 0.1 starts higher, stays level, "
    "and crosses only at about fourteen. The one trained at 0.3 is worst for one feature and best for many.",
    caption="Sixty features in ten dimensions. Networks trained at density 0.3, 0.1 and 0.02, by how many features they hold. 1000 inputs for each point.",
    rtol=0.03,
    because=DRAWS,
)

# %% [markdown]
# With one feature present the network that packs all sixty loses {{ result("superposition.lost_1", ".0%") }} of what always
# answering 0 would lose, and the dedicated one {{ result("superposition.dedicated_1", ".0%") }}. From
# {{ result("superposition.crossing") }} features on the dedicated one is better.
#
# With ten features present the packed network loses {{ result("superposition.lost_10", ".0%") }}: it would do better to answer 0.
# {{ result("superposition.absent_10", ".0%") }} of its error is on features that are not there.
#
# ## What surprised us
#
# **Two features in one direction.** At the lowest density {{ result("superposition.merged_sparsest", ".0%") }} of the networks with
# eight features in two dimensions give two of them the same direction, so that nothing can tell these two apart. The best network
# that we have is among them ([surprise](../surprises/superposition-shared-direction.md)).
#
# **A linear network looked packed.** We took the number of long directions for the number of packed features. With equal
# importances a linear network in two dimensions has {{ result("superposition.linear_held", ".1f") }} of five, and packs nothing: it
# keeps an arbitrary mixture ([dead end](../dead-ends/superposition-counting-directions.md)).
#
# ## Try it
#
# **1. At the border** (5 minutes). Write down the weights of the pair, and of the network that drops the second feature. Show with
# `lost_by` that both lose the same at density 4/7.
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
# **2. A hexagon by hand** (10 minutes). Place six of eight features on a regular hexagon and leave two out, at density 0.005. Find
# a length and a bias with which this network beats the best pentagon that training found (`losses` and `held_8`, under “Going
# deeper”).
#
# ??? tip "Hint"
#     A feature's neighbours on the hexagon show up at half its size. With squared length *s*, a bias of −*s*/2 silences them
#     entirely, but takes as much off the feature itself. Try *s* from 1 to 2 and biases from 0 to −1, all at once. A feature left
#     out loses 1.

# %% tags=["setup"]
RUNS, DENSITIES = 24, torch.tensor([0.5, 0.2, 0.1, 0.05, 0.02, 0.005])
density_8 = DENSITIES.repeat_interleave(RUNS)
W_8, b_8 = train(start(len(density_8), 2, 8), density_8, steps=800)
losses = lost_by(W_8, b_8, density_8).view(-1, RUNS)  # (densities, runs)
held_8 = (W_8.pow(2).sum(1) > 0.25).sum(1).view(-1, RUNS)
best_holds = held_8.gather(1, losses.argmin(1, keepdim=True))[:, 0]
note(best_holds_0=best_holds[0], best_holds_1=best_holds[1], best_holds_3=best_holds[3])

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
# ## You can now
#
# - say when packing two features into one dimension pays, and work out the border by hand;
# - read a feature's dimensionality, and explain why two features per dimension are free;
# - name what superposition costs, and when.
#
# ## What this does not show
#
# - The features here are given, independent and equally dense. Whether a language model has such features is another question.
# - Our networks are smaller than the paper's, and “best” means the best of the 6 or 24 runs that we had.
# - One optimizer, one kind of start, one range of learning rates. Shares of runs depend on all three.
#
# ## Going deeper
#
# ### Equal importance: a linear network keeps an arbitrary mixture

# %% tags=["setup"]
sparse = torch.full((20,), 0.05)
calm, _ = train(start(20, 2, 5), sparse, bend=linear, steps=300, rows=1000)
packed, _ = train(start(20, 2, 5), sparse, steps=600)
squares = calm.pow(2).sum(1)  # (runs, 5): squared lengths
aligned = ((squares > 0.8).sum(1) == 2).float()

# %% tags=["setup"]
note(atol=0.34, because=LEVEL, linear_aligned=aligned.mean())
note(atol=0.5, because=LEVEL, linear_held=(squares > 0.25).sum(1).float().mean())
note(
    linear_squares=calm.pow(2).sum((1, 2)).mean(),
    packed_squares=packed.pow(2).sum((1, 2)).mean(),
)

# %% [markdown]
# By the count of long directions a linear network with five equal features holds {{ result("superposition.linear_held", ".1f") }}
# on average, and {{ result("superposition.linear_aligned", ".0%") }} of the runs give each dimension to one feature. To a linear
# network any two directions in the space of features are as good as any others. So neither long directions nor interference are a
# sign of packing. The sum of all squared lengths is one. It is {{ result("superposition.linear_squares", ".2f") }} for the linear
# network, the number of its dimensions, and {{ result("superposition.packed_squares", ".2f") }} with ReLU. On the map of densities
# and importances {{ result("superposition.linear_pairs", ".1%") }} of the linear runs make “pairs” as well: such mixtures, all at
# equal importance.
#
# ### Runs that miss a pair
#
# We had thought that the weaker weight shrinks to zero. But in {{ result("superposition.missed_same_side", ".0%") }} of the runs
# that missed the pair it keeps a short weight (over 0.05) on its own side, and the two features share a direction. Our reading:
# sharing is better than nothing, and the way from there to a pair leads through zero, where the feature is lost entirely.
#
# ### Eight features, two dimensions: the shapes
#
# Here all features are equally important, with 24 starts at each of six densities. For five sparse features the paper finds a
# pentagon. So do we, in {{ result("superposition.pentagons", ".0%") }} of the runs (all directions held, 72° ± 5° apart).


# %% tags=["setup"]
def gaps_of(W):
    """Angles between neighbouring directions, in degrees; NaN where fewer are held."""
    angles = torch.atan2(W[:, 1], W[:, 0]).masked_fill(W.pow(2).sum(1) < 0.25, torch.nan)
    angles = angles.sort().values
    first = angles[:, :1] + 2 * math.pi
    following = torch.cat([angles[:, 1:], first], 1)
    return torch.where(following.isnan(), first, following).sub(angles).rad2deg()


regular = ((gaps_of(packed) - 72).abs() < 5).all(1)
note(atol=0.15, because=SAMPLE, pentagons=regular.float().mean())
near = losses < 1.02 * losses.min(1, keepdim=True).values
note(atol=0.1, because=SAMPLE, near_best=near.float().mean())
pentagon = losses[-1][held_8[-1] == 5].min()
note(rtol=0.02, loss_pentagon=pentagon, loss_best=losses[-1].min())
merged = (gaps_of(W_8) < 10).any(1).view(-1, RUNS).float()
note(atol=0.3, because=SAMPLE, merged_sparsest=merged[-1].mean())
note(atol=0.03, because=DECIDED, merged_dense=merged[:4].mean())

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
for i, (row, lost_by_run) in enumerate(zip(held_8, losses, strict=True)):
    values, counts = row.unique(return_counts=True)
    for n, count in zip(values.tolist(), counts.tolist(), strict=True):
        size = 4 if count < 5 else 8 if count < 15 else 13
        ax.plot(i, n, "o", ms=size, color=BLUE, mew=0)
        ax.text(i + 0.2, n - 0.12, count)
    ax.plot(i, row[lost_by_run.argmin()], "o", ms=20, mfc="none", mec=ORANGE, mew=2)
ax.axhline(2, color=plots.MUTED, ls="--", lw=1.5)
ax.text(-0.4, 2.15, "control: what a linear network can tell apart")
ax.text(-0.4, 8.3, "ringed: the best run", color=ORANGE)
ax.set_xticks(range(6), [f"{100 * d:.3g}" for d in DENSITIES.tolist()])
ax.set(
    xlabel="density (%)",
    ylabel="features held",
    ylim=(1.4, 8.9),
    xlim=(-0.5, 5.6),
    title="Most runs stop at the pentagon",
)
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
# At density 0.5 the best run holds {{ result("superposition.best_holds_0") }}, at 0.2 {{ result("superposition.best_holds_1") }},
# at 0.05 {{ result("superposition.best_holds_3") }}: a cross, a pentagon, a hexagon. But only
# {{ result("superposition.near_best", ".0%") }} of single runs come within 2% of the best of their density. Training tends to stop
# at the pentagon, even where a hexagon is better.
#
# At density 0.005 two features have the same direction (less than 10° apart) in
# {{ result("superposition.merged_sparsest", ".0%") }} of the runs; from 0.5 to 0.05 in
# {{ result("superposition.merged_dense", ".0%") }}. When one of the two is present the network reports both, each reduced by a
# large negative bias. The best run that we have is one of these, with a loss of {{ result("superposition.loss_best", ".3f") }}; the
# best pentagon has {{ result("superposition.loss_pentagon", ".3f") }}.
#
# ### Past two features a dimension: overlap and bias

# %% tags=["setup"]
held_by = W.pow(2).sum(1) > 0.25
unit = torch.nn.functional.normalize(W, dim=1)
overlap = (unit.mT @ unit).masked_fill(torch.eye(60, dtype=torch.bool), -1)
overlap = overlap.masked_fill(~(held_by[:, :, None] & held_by[:, None]), -1).amax((1, 2))
bias = torch.where(held_by, b, 0).sum(1) / held_by.sum(1)
at_30, at_10 = [5, 17], [9, 21]  # the networks of these densities
note(atol=0.07, overlap_30=overlap[at_30].mean(), overlap_10=overlap[at_10].mean())
note(atol=0.03, bias_30=bias[at_30].mean(), bias_10=bias[at_10].mean())

# %% [markdown]
# | network trained at density | largest overlap of two held features | mean bias |
# | ---: | ---: | ---: |
# | 0.3 | {{ result("superposition.overlap_30", ".2f") }} | {{ result("superposition.bias_30", ".2f") }} |
# | 0.1 | {{ result("superposition.overlap_10", ".2f") }} | {{ result("superposition.bias_10", ".2f") }} |
#
# Once directions overlap, a negative bias is the threshold that keeps interference out. The network trained at density 0.1
# holds fewer features than the one trained at 0.02, and with ten features present it loses only
# {{ result("superposition.lost_10_less_packed", ".0%") }}. In every network the ten dimensions are used up: the dimensionalities of
# its features add up to {{ result("superposition.sum_of_dimensionality", ".2f") }}.
#
# ### The paper and our runs
#
# | the paper (2022) | here |
# | --- | --- |
# | without ReLU as PCA: the most important *m* features | yes with falling importance; with equal importance an arbitrary mixture |
# | dense features are not packed; sparse ones are: pairs, then a pentagon | yes |
# | two features, one dimension: sharp borders between three phases | yes for the best of 6; a single run agrees at {{ result("superposition.single_agrees", ".0%") }} |
# | many dimensions: a plateau at ½ | yes, and exactly two features a dimension |
# | many dimensions: also triangles (⅔), tetrahedra (¾), pentagons (⅖) | at most {{ result("superposition.most_two_thirds", ".1%") }} of the features near ⅔ and {{ result("superposition.most_three_quarters", ".0%") }} near ¾ at twelve densities; eleven more between 0.5 and 0.8 do not change that |
#
# We may miss the last line because of our sizes (10 dimensions and 60 features; the paper has 30 and 400), or because our training
# has less noise and ends at a learning rate of zero. We have not separated the two. We had given even odds that *most* features of
# some network would have ½. That cannot be: ten dimensions have room for 20 halves, and 20 of 60 are
# {{ result("superposition.most_half", ".0%") }}.
#
# Training uses one trick. At density 0.01 nearly all inputs are empty and teach nothing. So we force one feature, each in its turn,
# to be present. An input with *k* features then comes *k* times too often, so it counts 1/*k*, and the loss keeps the right mean.
#
# - Findings: [Two features a dimension, then more](../findings/superposition-two-a-dimension.md),
#   [The signs of the start help decide whether a pair is found](../findings/superposition-sign-of-start.md)
# - Dead end: [Counting long directions](../dead-ends/superposition-counting-directions.md)
# - Surprise: [Two features in one direction](../surprises/superposition-shared-direction.md)
# - Question: [Why does training stop at the pentagon?](../questions/superposition-why-pentagon.md)
# - [Elhage et al. (2022)](https://arxiv.org/abs/2209.10652), "Toy Models of Superposition"
# - [Chen et al. (2023)](https://arxiv.org/abs/2310.06301), "Dynamical versus Bayesian Phase Transitions in a Toy Model
#   of Superposition": which polygons training passes through, in the limit of one feature at a time

# %% tags=["setup"]
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
    between_two_thirds="Features with dimensionality near 2/3, densities 0.525 to 0.775, at most",
    between_three_quarters="Features with dimensionality near 3/4, densities 0.525 to 0.775, at most",
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
