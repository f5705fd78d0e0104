# ---
# title: XOR from scratch
# question: When does a small network learn XOR by gradient descent, and what has happened when it does not?
# level: beginner
# minutes: 30
# models: []
# needs: []
# tags: [backpropagation, training dynamics, loss landscape]
# topic: architecture
# thumbnail: hidden_space
# timeout: 240
# ---

# %% [markdown]
# **When does a small network learn XOR by gradient descent, and what has happened when it does not?**
#
# XOR answers 1 when exactly one of its two inputs is 1. It has four cases in all, so we can train hundreds of networks
# in seconds, look into every one, and check every claim. It is also where the story of deep learning had an early
# stop: a network without a hidden layer cannot compute it
# ([Minsky & Papert 1969](https://doi.org/10.7551/mitpress/11301.001.0001)), and backpropagation became known for
# training networks that can ([Rumelhart, Hinton & Williams 1986](https://doi.org/10.1038/323533a0)).
#
# | first input | second input | XOR |
# | --- | --- | --- |
# | 0 | 0 | 0 |
# | 0 | 1 | 1 |
# | 1 | 0 | 1 |
# | 1 | 1 | 0 |

# %% tags=["setup"]
import sys
from itertools import pairwise
from pathlib import Path

if "__file__" in globals():  # a plain script finds the package beside it, installed or not
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from llmnotes import plots
from llmnotes.lab import figure, predict, record
from llmnotes.nets import (
    Net,
    cross_entropy,
    flatten,
    forward,
    gradients,
    hessian,
    init,
    select,
    sigmoid,
    train,
    unflatten,
)

BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
SEEDS = range(200)
BORDER = "a run that starts near a border between valleys may fall either way: two of 200"

# %% [markdown]
# ## What you need to know
#
# **A unit** adds up its inputs, each times a *weight*, plus a *bias*, and bends the sum: $h = \tanh(w_1 x_1 + w_2 x_2 +
# b)$, a number between −1 and 1. A *hidden layer* is a few such units side by side. The output unit adds those up in
# the same way; its sum, the *logit* $z$, becomes a probability of "1" by the sigmoid $p = 1 / (1 + e^{-z})$.
#
# **The loss** says how surprised the network is by the right answers: $-\ln p$ where the answer is 1, $-\ln(1-p)$ where
# it is 0, averaged over the four cases (cross-entropy, in nats). Remember one value: a network that says "one half"
# to everything has a loss of $\ln 2 \approx 0.69$.
#
# **Gradient descent** moves every weight a little in the direction that lowers the loss: $w \leftarrow w - \eta\,
# \partial L / \partial w$, where $\eta$ is the *learning rate*. All 200 networks below are independent runs of this
# from different random starts, with all four cases in every step.
#
# **Backpropagation** finds all those derivatives in one pass. It is the chain rule, read from the end. For the logit,
# sigmoid and cross-entropy together give the plainest derivative there is: what was said minus what is right,
# $\delta = p - y$. Each weight into the output is blamed with $\delta$ times what it carried. Each hidden unit gets
# its share of the blame back along its weight $v$, times the slope of its bend: $\delta_h = \delta\, v\, (1 - h^2)$. Then the
# same again, one layer down.
#
# Here are the four cases, and one network with two hidden units.

# %%
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])  # (4 cases, 2 inputs)
Y = np.array([[0.0], [1.0], [1.0], [0.0]])  # (4 cases, 1 answer)
CASES = ["00", "01", "10", "11"]

net = init((2, 2, 1), seed=0)
print("weights into the hidden units\n", net.weights[0].round(2))
print(
    "says p =",
    sigmoid(forward(net, X)[-1]).ravel().round(2),
    "for right answers",
    Y.ravel(),
)

# %% [markdown]
# Backpropagation by hand, line by line as in the text above. The last two lines check it: against the general version
# in `llmnotes.nets.gradients`, and against the plain meaning of a derivative, by nudging one weight and looking.

# %%
(W1, W2), (b1, b2) = net.weights, net.biases
h = np.tanh(X @ W1 + b1)  # (4, 2): what the hidden units say in each case
p = sigmoid(h @ W2 + b2)  # (4, 1): the probability of "1"
delta = (p - Y) / len(X)  # (4, 1): what was said minus what is right
d_W2 = h.T @ delta  # (2, 1): each weight carried h, and is blamed by delta
delta_h = (delta @ W2.T) * (1 - h**2)  # (4, 2): the blame sent back, times the slope
d_W1 = X.T @ delta_h  # (2, 2)

loss, by_nets = gradients(net, X, Y)
assert np.allclose(flatten(by_nets)[:4], d_W1.ravel())
nudged = Net((W1 + np.array([[1e-6, 0], [0, 0]]), W2), (b1, b2))
print(
    "by backpropagation",
    d_W1[0, 0],
    " by nudging",
    (cross_entropy(forward(nudged, X)[-1], Y) - loss) / 1e-6,
)

# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     Two hidden units are enough in principle. Of 200 random starts, how many do you think gradient descent brings to
#     a solution? And the rest: will they get there if we wait ten times longer?
#
# We call a run **solved** when its loss is below 0.1 nats; then every one of the four answers is right. Our own
# guesses, written before the runs (learning rate, number of steps and that limit were settled at a first look; the
# probabilities were not touched afterwards):

# %%
predict(
    "A network without a bend stays at ln 2",
    p=0.97,
    resolved_by="linear_loss",
    if_="between 0.692 and 0.694",
)
predict(
    "Two hidden units solve XOR in more than half of the runs",
    p=0.8,
    resolved_by="solved_2",
    if_="> 0.5",
)
predict(
    "Eight hidden units solve it in every run", p=0.6, resolved_by="solved_8", if_="== 1"
)
predict(
    "Eight random, frozen hidden units solve it in nine runs of ten",
    p=0.5,
    resolved_by="frozen_8",
    if_=">= 0.9",
)
predict(
    "Most solutions with two units are OR and AND",
    p=0.7,
    resolved_by="kind_or_and",
    if_="> 0.5",
)

# %% [markdown]
# And about the runs that fail. At a *saddle* the loss still falls in some direction; at a *minimum* it rises in all.

# %%
predict(
    "Ten times the steps free more than half of the stuck runs",
    p=0.3,
    resolved_by="freed_by_time",
    if_="> 0.5",
)
predict("Most stuck runs sit at a saddle", p=0.4, resolved_by="saddle_share", if_="> 0.5")
predict(
    "A random kick of size 1 frees more than half",
    p=0.4,
    resolved_by="freed_by_kick_1",
    if_="> 0.5",
)
predict(
    "From most, a path that never rises leads out",
    p=0.6,
    resolved_by="downhill_share",
    if_="> 0.5",
)
predict(
    "Inputs centred on 0 make two units succeed more often",
    p=0.6,
    resolved_by="centred_gain",
    if_="> 0",
)
predict(
    "At learning rate 30, four units fail in most runs",
    p=0.7,
    resolved_by="solved_at_rate_30",
    if_="< 0.5",
)

# %% [markdown]
# ## Without a bend: ln 2 and no further
#
# Take the bend away, and a network of any depth is one linear function. For every linear function, whatever its
# weights, $z(00) + z(11) = z(01) + z(10)$: both sides are twice the bias plus both weights. XOR wants the left side
# negative and the right side positive. So it cannot be. And what does such a network do instead? Its loss is convex,
# and at zero weights every derivative vanishes: so its best answer is "one half" to everything, at ln 2.
#
# We train both kinds: 20 networks with two hidden units, and, as the control, 20 whose hidden units do not bend.

# %%
bent = train(init((2, 2, 1), range(20)), X, Y, lr=2, steps=800, every=16)
linear = train(
    init((2, 2, 1), range(20), activation="identity"), X, Y, lr=2, steps=800, every=16
)
record(
    "linear_loss",
    linear.losses[-1].mean(),
    atol=1e-6,
    because="20 runs at ln 2 to more digits than that",
    unit="nats",
)

# %% [markdown]
# The loss on the way, one line a run.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.4)
ax.plot(bent.steps, bent.losses[:, 1:12], color=BLUE, lw=1, alpha=0.7)
ax.plot(bent.steps, bent.losses[:, 0], color=BLUE, lw=1, label="two tanh units, 12 runs")
ax.plot(linear.steps, linear.losses[:, :3], color=ORANGE, lw=2.5)
ax.plot([], [], color=ORANGE, lw=2.5, label="control: two units without a bend")
for level, name in ((np.log(2), "ln 2"), (np.log(2) / 2, "½ ln 2")):
    ax.text(808, level, name, va="center", color=plots.INK)
ax.set(xlabel="step", ylabel="loss (nats)", xlim=(0, 800), ylim=(0, 0.8))
ax.legend(loc="center right", bbox_to_anchor=(1, 0.66))
figure(
    fig,
    name="losses",
    alt="Without a bend the loss stays at ln 2. With two tanh units it falls to nearly 0 in most runs, and in the "
    "others to half of ln 2, where it stays.",
    caption="Two ends, nothing between: with a bend, a run falls to nearly 0, or to ½ ln 2 and no further.",
)

# %% [markdown]
# The control ends at {{ result("xor.linear_loss", ".4f") }} nats, which is ln 2. The others fall into two groups, and
# the unlucky group ends at one and the same height, to which we come back. One line waits at ln 2 for a long time before it falls:
# that is level ground for these networks too, only not the end.
#
# ## How often it works
#
# Now 200 runs for each number of hidden units. Two controls: hidden units that do not bend, and hidden units that bend
# but keep their random first weights, so that only the output layer learns. The second tells apart two things that a
# hidden layer may give: *some* bent features, or *learned* ones.

# %%
WIDTHS = (2, 3, 4, 8)
solved = {"learned": [], "first layer frozen": [], "no bend": []}
for width in WIDTHS:
    learned = train(init((2, width, 1), SEEDS), X, Y, lr=2, steps=2000, every=2000)
    frozen = train(
        init((2, width, 1), SEEDS), X, Y, lr=2, steps=2000, every=2000, frozen=[0]
    )
    flat = train(
        init((2, width, 1), SEEDS, activation="identity"), X, Y, lr=2, steps=500, every=500
    )
    for runs, of_kind in zip((learned, frozen, flat), solved.values(), strict=True):
        of_kind.append((runs.losses[-1] < 0.1).mean())
    record(f"solved_{width}", solved["learned"][-1], atol=0.01, because=BORDER)
    if width == 2:
        two = learned

# %% [markdown]
# For the frozen layer we also note in how many runs all four answers are at least on the right side. And because 200
# seeds are a sample, we draw 200 others for two units: how far do the two batches lie apart?

# %%
record(
    "frozen_8",
    solved["first layer frozen"][-1],
    atol=0.02,
    because="a smooth loss cut at 0.1: up to four runs lie at the cut",
)
right_side = (np.abs(sigmoid(forward(frozen.net, X)[-1]) - Y) < 0.5).all(axis=(1, 2))
record(
    "frozen_8_right_side",
    right_side.mean(),
    atol=0.01,
    because="up to two runs have an answer near one half",
)
record("linear_solved", max(solved["no bend"]), atol=0)
others = train(init((2, 2, 1), range(200, 400)), X, Y, lr=2, steps=2000, every=2000)
record("solved_2_other_seeds", (others.losses[-1] < 0.1).mean(), atol=0.01, because=BORDER)

# %% [markdown]
# The shares side by side.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
for i, (kind, shares) in enumerate(solved.items()):
    places = np.arange(len(WIDTHS)) + 0.27 * (i - 1)
    bars = ax.bar(
        places,
        100 * np.array(shares),
        width=0.25,
        color=(BLUE, GREEN, ORANGE)[i],
        label=kind,
    )
    ax.bar_label(bars, fmt="{:.3g}", color=plots.INK, fontsize=9)
ax.set_xticks(range(len(WIDTHS)), [f"{width} units" for width in WIDTHS])
ax.set(ylabel="runs solved (%)", ylim=(0, 128), yticks=(0, 25, 50, 75, 100))
ax.grid(axis="x", visible=False)
ax.legend(loc="upper left", ncols=3)
figure(
    fig,
    name="solved",
    alt="With learned hidden units the share of solved runs rises with width, from about six in ten with two units to "
    "all with eight. With a frozen first layer few runs are solved, without a bend none.",
    caption="200 runs a bar, 2000 steps at learning rate 2. Solved: a loss below 0.1 nats.",
)

# %% [markdown]
# Two hidden units solve XOR in {{ result("xor.solved_2", ".0%") }} of the runs
# ({{ result("xor.solved_2_other_seeds", ".0%") }} with 200 other seeds: the difference is what chance does to such a
# sample, so read the first number as "about six in ten"). Three: {{ result("xor.solved_3", ".1%") }}. Four:
# {{ result("xor.solved_4", ".1%") }}. Eight: {{ result("xor.solved_8", ".0%") }}.
#
# The frozen control surprised us. Eight random units have all that it takes: three bent features and a bias already
# allow any answers to four cases, almost surely. Yet only {{ result("xor.frozen_8", ".0%") }} of these runs are solved in the same
# number of steps. It is not that they are wrong: in {{ result("xor.frozen_8_right_side", ".0%") }} of them all four answers
# are on the right side. They are slow. Random features separate the four cases a little; learned ones separate them widely.
#
# ## What the hidden units come to represent
#
# A hidden unit splits the plane of inputs by a line. Up to its sign, which the output weight can turn round, only a few splits
# of four cases exist, and we can name them. We ask which two splits each solved run has found, and which each stuck run.

# %%
NAMES = {
    "0111": "OR",
    "0001": "AND",
    "0100": "only 01",
    "0010": "only 10",
    "0011": "first",
    "0101": "second",
}


def split(h: np.ndarray) -> str:
    """The split that a hidden unit makes by its sign; turned round where it says yes to 00."""
    signs = (h > 0) != (h[0] > 0)
    return NAMES.get("".join("01"[int(s)] for s in signs), "none")


says = forward(two.net, X)[1]  # (200 runs, 4 cases, 2 units)
splits = [
    "  +  ".join(sorted(split(says[run, :, unit]) for unit in (0, 1))) for run in SEEDS
]
is_solved = two.losses[-1] < 0.1
for name, mask in (("solved", is_solved), ("stuck", ~is_solved)):
    kinds, counts = np.unique(np.array(splits)[mask], return_counts=True)
    print(f"{name:7}", dict(zip(kinds.tolist(), counts.tolist(), strict=True)))

# %% [markdown]
# We had expected OR and AND, the textbook's way, and record its share, that of the other kind of solution, and that
# of the mixture among the stuck runs.

# %%
kinds = np.array(splits)
mixed = np.isin(kinds, ["OR  +  only 01", "OR  +  only 10"])
record("kind_or_and", (kinds[is_solved] == "AND  +  OR").mean(), atol=0.02, because=BORDER)
record(
    "kind_only",
    (kinds[is_solved] == "only 01  +  only 10").mean(),
    atol=0.02,
    because=BORDER,
)
record("stuck_mixed", mixed[~is_solved].mean(), atol=0.03, because=BORDER)
record("solved_mixed", mixed[is_solved].mean(), atol=0.02, because=BORDER)
examples = [
    int(np.flatnonzero(m)[0])
    for m in (kinds == "only 01  +  only 10", kinds == "AND  +  OR", mixed & ~is_solved)
]

# %% [markdown]
# One run of each kind. Above: the plane of inputs, coloured by what the network says, with the line of each hidden
# unit. Below: the same four cases where the two hidden units put them, with the one straight line left for the output.

# %% tags=["drawing"]
SURFACE = {
    "cmap": plots.DIVERGING,
    "vmin": -0.4,
    "vmax": 1.4,
    "interpolation": "none",
}  # paler than its ends: points lie on it


def draw_inputs(ax, net: Net) -> None:
    """The plane of inputs: the network's answer as colour, and where each hidden unit is zero."""
    side = np.linspace(-0.5, 1.5, 35)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    p = sigmoid(forward(net, grid)[-1]).reshape(35, 35)
    ax.imshow(p, origin="lower", extent=(-0.5, 1.5, -0.5, 1.5), **SURFACE)
    (w1, w2), b = net.weights[0], net.biases[0]
    for unit, style in ((0, "-"), (1, "--")):
        ax.plot(
            side, -(w1[unit] * side + b[unit]) / w2[unit], style, color=plots.INK, lw=1.5
        )
    ax.set(
        xlim=(-0.5, 1.5),
        ylim=(-0.5, 1.5),
        xticks=(0, 1),
        yticks=(0, 1),
        xlabel="first input",
    )


def draw_hidden(ax, net: Net) -> None:
    """The plane of hidden units: the network's answer as colour."""
    side = np.linspace(-1.3, 1.3, 35)
    h = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    p = sigmoid(h @ net.weights[1] + net.biases[1]).reshape(35, 35)
    ax.imshow(p, origin="lower", extent=(-1.3, 1.3, -1.3, 1.3), **SURFACE)
    ax.set(
        xlim=(-1.3, 1.3),
        ylim=(-1.3, 1.3),
        xticks=(-1, 0, 1),
        yticks=(-1, 0, 1),
        xlabel="hidden unit 1",
    )


# %% [markdown]
# The colours stay paler than the map allows, since points lie on them. Then the cases on top: a filled point where the right answer is 1, an empty one where it is 0.

# %% tags=["drawing"]
BOX = {"facecolor": plots.PAPER, "edgecolor": "none", "alpha": 0.7, "pad": 1}
fig, axes = plots.subplots(2, 3, height=5.4)
for column, (run, title) in enumerate(
    zip(examples, ("solved, two detectors", "solved, OR and AND", "stuck"), strict=True)
):
    one = select(two.net, run)
    draw_inputs(axes[0, column], one)
    draw_hidden(axes[1, column], one)
    axes[0, column].set_title(title)
    for ax, points in ((axes[0, column], X), (axes[1, column], forward(one, X)[1])):
        ax.grid(visible=False)
        face = [plots.INK if y else plots.PAPER for y in Y.ravel()]
        ax.scatter(
            *points.T,
            s=[110 if y else 45 for y in Y.ravel()],
            c=face,
            edgecolors=plots.INK,
            linewidths=1.5,
            zorder=3,
        )
        groups = {}
        for case, point in zip(CASES, points, strict=True):
            groups.setdefault(tuple(point.round(1)), []).append(case)
        for (x, y), names in groups.items():
            ax.annotate(
                ", ".join(names),
                (x, y),
                (0, -19 if y > 0.5 else 11),
                textcoords="offset points",
                ha="center",
                fontsize=9,
                bbox=BOX,
            )
axes[0, 0].set_ylabel("second input")
axes[1, 0].set_ylabel("hidden unit 2")
figure(
    fig,
    name="hidden_space",
    alt="In both solved runs the two hidden units bring the two cases with answer 1 to where one straight line cuts "
    "them off. In the stuck run two cases with different answers land on the same point, so no line can part them.",
    caption="Filled: the right answer is 1. Blue: the network says 1; orange: it says 0; pale: it does not know.",
)

# %% [markdown]
# Every solved run has found one of exactly two kinds. In {{ result("xor.kind_only", ".0%") }} of them the units are two
# *detectors*, one for each case with answer 1. In {{ result("xor.kind_or_and", ".0%") }} they are OR and AND, which we
# had expected to be the usual way.
#
# And the stuck runs: {{ result("xor.stuck_mixed", ".0%") }} of them have one unit that is OR and one that is a detector, which
# no solved run has ({{ result("xor.solved_mixed", ".0%") }}). A stuck run holds **half of the one solution and half of
# the other**. Each half is right in its own company. Together they send two cases with different answers to the same
# corner, and there the network can only say "one half".
#
# That explains the height. Two cases are certain and cost nothing; two are told apart by nothing and cost $\ln 2$ each; the mean of
# the four is $\tfrac12 \ln 2$.
#
# ## What failure looks like
#
# Folklore says "a local minimum". We look at the stuck runs: do they come free with ten times the steps? How does the
# loss approach its end? And is the ground curved upwards there in every direction? The *Hessian*, the table of all second
# derivatives, tells by its eigenvalues: one below zero would be a way down, and the place a saddle.

# %%
stuck = select(two.net, ~is_solved)
STUCK = np.flatnonzero(~is_solved)
later = train(stuck, X, Y, lr=2, steps=18_000, every=2000)
record("stuck_runs", len(STUCK) / 200, atol=0.01, because=BORDER)
record("freed_by_time", (later.losses[-1] < 0.1).mean(), atol=0)
curvature = np.linalg.eigvalsh(
    hessian(later.net, X, Y)
)  # (stuck runs, 9 parameters), rising
record("saddle_share", (curvature[:, 0] < 0).mean(), atol=0)
record(
    "smallest_curvature",
    np.median(curvature[:, 0]),
    rtol=0.05,
    because="a median over runs, of which two may differ",
)
above = later.losses - np.log(2) / 2  # (notes, stuck runs)
record(
    "above_half_ln2_ratio",
    np.median(above[0] / above[-1]),
    rtol=0.05,
    because="a median over runs, of which two may differ",
)

# %% [markdown]
# None comes free ({{ result("xor.freed_by_time", ".0%") }}), and none sits at a saddle ({{ result("xor.saddle_share", ".0%") }}): the ground is curved upwards in all nine directions, in the flattest by
# {{ result("xor.smallest_curvature", ".1e") }}. But it is not a minimum either, for the run never arrives. With ten times
# the steps the distance to ½ ln 2 shrinks by a factor of {{ result("xor.above_half_ln2_ratio", ".1f") }}, and it goes on so: the
# weights grow for ever, and the valley has its bottom at infinity.
#
# A trick makes that sure. Charge a small price for large weights (*weight decay*), and infinity is out of reach. Then
# the runs must stop somewhere, and we can ask whether they stop at a true minimum: all derivatives zero, and all curvatures
# positive.

# %%
DECAY = 0.003
held = train(stuck, X, Y, lr=2, steps=3000, every=3000, decay=DECAY).net
slope = np.linalg.norm(flatten(gradients(held, X, Y)[1]) + DECAY * flatten(held), axis=1)
lowest = np.linalg.eigvalsh(hessian(held, X, Y) + DECAY * np.eye(9))[:, 0]
record("true_minimum_share", ((slope < 1e-10) & (lowest > 1e-6)).mean(), atol=0)
price = cross_entropy(forward(held, X)[-1], Y) + DECAY / 2 * (flatten(held) ** 2).sum(
    axis=1
)
record("distinct_minima", len(np.unique(price.round(6))))

# %% [markdown]
# With the price all of them ({{ result("xor.true_minimum_share", ".0%") }}) come to rest at a true minimum. It is
# the same one up to swaps of units, signs and inputs: the number of different heights is {{ result("xor.distinct_minima") }}.
#
# How deep in the valley are they? We kick every stuck run: add noise to all nine parameters, train again, and count who gets
# out. The kick's size is the standard deviation of the noise.

# %%
KICKS = (0.3, 1, 2, 4, 8)
noise = np.stack(
    [np.random.default_rng(1000 + run).normal(size=9) for run in STUCK]
)  # the same for a run in any batch
freed = []
for size in KICKS:
    kicked = unflatten(flatten(stuck) + size * noise, stuck)
    freed.append(
        (train(kicked, X, Y, lr=2, steps=1000, every=1000).losses[-1] < 0.1).mean()
    )
record(
    "freed_by_kick_1",
    freed[KICKS.index(1)],
    atol=0.03,
    because="two of the kicked runs may fall the other way",
)
record(
    "freed_at_best",
    max(freed),
    atol=0.05,
    because="a few of the kicked runs may fall the other way",
)
fresh = solved["learned"][0]

# %% [markdown]
# Both on one page: the slow approach on the left, the kicks on the right, with a fresh random start as the baseline.

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.2)
steps = 2000 + later.steps
left.loglog(
    steps,
    np.median(above, axis=1),
    color=BLUE,
    marker="o",
    ms=4,
    label="stuck runs (median)",
)
left.loglog(
    steps,
    np.median(above[0]) * 2000 / steps,
    color=plots.INK,
    lw=1,
    ls="--",
    label="falling as 1 / steps",
)
left.set(
    title="It never arrives",
    xlabel="steps",
    ylabel="loss above ½ ln 2 (nats)",
    ylim=(1e-5, 1e-3),
)
left.set_xticks([2000, 5000, 20_000], ["2000", "5000", "20 000"])
left.minorticks_off()
left.legend()
right.semilogx(
    KICKS, 100 * np.array(freed), color=BLUE, marker="o", label="stuck runs, kicked"
)
right.axhline(100 * fresh, color=ORANGE, ls="--", lw=1.5, label="baseline: a fresh start")
right.set(
    title="A kick seldom helps",
    xlabel="size of the kick",
    ylabel="solved afterwards (%)",
    ylim=(-3, 100),
)
right.set_xticks(KICKS, KICKS)
right.minorticks_off()
right.legend(loc="upper left")
figure(
    fig,
    name="stuck",
    alt="Left: the loss of stuck runs comes nearer to half of ln 2 as one over the number of steps. Right: kicks up to "
    "size 1 free no run, larger ones a minority, always fewer than a fresh random start solves.",
    caption="Runs with two hidden units that were stuck after 2000 steps.",
)

# %% [markdown]
# A kick of size 1 on every parameter frees {{ result("xor.freed_by_kick_1", ".0%") }} of them. The best size frees
# {{ result("xor.freed_at_best", ".0%") }}, far fewer than a fresh start. A likely reason, not tested here: a kick leaves the
# large weights large.
#
# ## A way out that gradient descent does not take
#
# So is it a basin with walls all round? Sprinkhuizen-Kuyper & Boers (1999) say no for a close relative of our network (sigmoid units, squared error): from every finite point a path leads to a solution along which the error only
# falls. We look for one here. The idea: the OR unit must separate 00 from the merged pair, but it need not
# separate 00 from the fourth case, if the detector shouts twice as loud. So make all weights larger (down the valley), let the detector
# shout, and turn the OR unit at leisure while everything is saturated, until it has become the missing detector.
#
# First we rename things so that all stuck runs look alike: the merged cases are 01 and 11, the OR unit comes first.


# %%
def build(w: list, b: list, v: list, c: float) -> Net:
    """Two hidden units: their weights in rows, their biases; output weights, output bias."""
    return Net(
        (np.array(w, float).T, np.array(v, float)[:, None]),
        (np.array(b, float), np.array([c], float)),
    )


def alike(net: Net) -> Net:
    """The same network under other names: inputs swapped, units turned round or swapped."""
    w, b, v, c = (
        net.weights[0].T.copy(),
        net.biases[0].copy(),
        net.weights[1][:, 0].copy(),
        net.biases[1][0],
    )
    turned = np.where(
        v < 0, -1.0, 1.0
    )  # tanh(-z) = -tanh(z): both weights turn, and nothing changes
    w, b, v = w * turned[:, None], b * turned, v * turned
    if (
        abs(sigmoid(forward(net, X)[-1])[2, 0] - 0.5) < 0.2
    ):  # the merged pair holds 10: XOR does not mind a swap
        w = w[:, ::-1]
    order = np.argsort(-w[:, 1])
    return build(w[order], b[order], v[order], c)


# %% [markdown]
# The path has four straight pieces: down the valley, with the detector twice as loud; the first unit turned until it looks at the
# second input only; turned further, until it is "only 01"; and made as loud as the other. As the control we take the straight line from the stuck run to the same end.

# %%
K, V = 8, 20  # how steep the hidden units, how loud their outputs: large, to saturate
WAY = [
    build([[K, 2 * K], [2 * K, -2 * K]], [-K, -K], [V, 2 * V], V),  # louder
    build([[0, 2 * K], [2 * K, -2 * K]], [-K, -K], [V, 2 * V], V),  # half turned
    build([[-1.5 * K, 2 * K], [2 * K, -2 * K]], [-K, -K], [V, 2 * V], V),  # turned
    build([[-1.5 * K, 2 * K], [2 * K, -2 * K]], [-K, -K], [2 * V, 2 * V], 2 * V),  # solved
]


def losses_along(stops: list[Net], points: int = 1000) -> np.ndarray:
    """The loss at evenly spaced points of every straight piece from stop to stop."""
    rows = [np.linspace(flatten(a), flatten(b), points) for a, b in pairwise(stops)]
    return cross_entropy(forward(unflatten(np.concatenate(rows), stops[0]), X)[-1], Y)


# %% [markdown]
# We walk it from every stuck run and look for any step upwards.

# %%
starts = [alike(select(stuck, i)) for i in range(len(STUCK))]
ways = np.array([losses_along([start, *WAY]) for start in starts])  # (stuck runs, points)
straight = np.array([losses_along([start, WAY[-1]]) for start in starts])
record("downhill_share", (np.diff(ways, axis=1).max(axis=1) < 1e-12).mean(), atol=0)
record("end_of_path", ways[:, -1].max() < 1e-6)
record(
    "straight_rise",
    np.median(straight.max(axis=1) - straight[:, 0]),
    rtol=0.02,
    because="a median over runs, of which two may differ",
    unit="nats",
)
steepest = flatten(gradients(WAY[0], X, Y)[1])
flattest = np.linalg.norm(steepest)
turn = flatten(WAY[1]) - flatten(WAY[0])
record(
    "turn_downhill",
    -steepest @ turn / np.linalg.norm(turn) / flattest,
    atol=1e-3,
    because="a fixed point of a fixed function: rounding only",
)
record(
    "slope_at_turn",
    flattest,
    rtol=1e-3,
    because="a fixed point of a fixed function: rounding only",
)

# %% [markdown]
# The loss along the way, with the control.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
along = np.linspace(0, 4, ways.shape[1])[::25]
ax.plot(along, ways[0, ::25], color=BLUE, label="our path (one of the stuck runs)")
ax.plot(
    np.linspace(0, 4, straight.shape[1])[::10],
    straight[0, ::10],
    color=ORANGE,
    label="control: the straight line",
)
ax.axhline(np.log(2) / 2, color=plots.MUTED, lw=1, ls=":")
ax.set_xticks(range(5), ["stuck", "louder", "half turned", "turned", "solved"])
ax.set(ylabel="loss (nats)", xlabel="along the path", yscale="log", ylim=(0.05, 30))
ax.legend(loc="upper left")
figure(
    fig,
    name="way_out",
    alt="Along our path the loss is nearly flat at half of ln 2 for two pieces, then falls to 0, and never rises. "
    "Along the straight line to the same solution it first rises like a wall.",
    caption="The path never rises. On its first two pieces it falls by less than the line is thick; at the end both fall out of the picture.",
)

# %% [markdown]
# From {{ result("xor.downhill_share", ".0%") }} of the stuck runs the path leads to a solution and never rises (by more than rounding, $10^{-12}$), while the straight line
# to the same place climbs {{ result("xor.straight_rise", ".2f") }} nats. So these are no walled basins, in spite of the
# curvature upwards at every place where a run was found. The way out exists, and it does not go uphill. Gradient descent does not take it,
# since it goes down the steepest way, and that leads further along the valley, to infinity. Where our path turns off, the whole slope
# is {{ result("xor.slope_at_turn", ".0e") }} nats per unit, and the part of it that points along the turn is
# {{ result("xor.turn_downhill", ".3f") }} of that: level ground, as far as gradient descent can tell.
#
# ## Which two cases merge
#
# In the stuck runs above, something else is odd. We count which two cases are merged; and, as the control, again with the same
# inputs shifted so that they are centred on 0 (−½ and ½ instead of 0 and 1).


# %%
def merged_pairs(runs, inputs: np.ndarray) -> np.ndarray:
    """How often the stuck runs merge each edge of the square: 00-01, 00-10, 01-11, 10-11."""
    lost = select(runs.net, runs.losses[-1] > 0.1)
    unsure = (
        np.abs(sigmoid(forward(lost, inputs)[-1])[..., 0] - 0.5) < 0.3
    )  # (stuck runs, 4 cases)
    return np.array(
        [(unsure[:, a] & unsure[:, b]).sum() for a, b in ((0, 1), (0, 2), (1, 3), (2, 3))]
    )


centred = train(init((2, 2, 1), SEEDS), X - 0.5, Y, lr=2, steps=2000, every=2000)
pairs, pairs_centred = merged_pairs(two, X), merged_pairs(centred, X - 0.5)
record("far_corner", pairs[2:].sum() / pairs.sum(), atol=0.03, because=BORDER)
record(
    "far_corner_centred",
    pairs_centred[2:].sum() / pairs_centred.sum(),
    atol=0.05,
    because=BORDER,
)
record("solved_2_centred", (centred.losses[-1] < 0.1).mean(), atol=0.01, because=BORDER)
record("centred_gain", (centred.losses[-1] < 0.1).mean() - fresh, atol=0.02, because=BORDER)

# %% [markdown]
# The four pairs, for both ways to write the inputs.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
for i, (counts, label) in enumerate(
    ((pairs, "inputs 0 and 1"), (pairs_centred, "control: inputs −½ and ½"))
):
    bars = ax.bar(
        np.arange(4) + 0.36 * (i - 0.5),
        counts,
        width=0.34,
        color=(BLUE, ORANGE)[i],
        label=label,
    )
    ax.bar_label(bars, color=plots.INK, fontsize=9)
ax.set_xticks(range(4), ["00 with 01", "00 with 10", "01 with 11", "10 with 11"])
ax.set(ylabel="stuck runs", xlabel="the two cases that are merged", ylim=(0, 50))
ax.grid(axis="x", visible=False)
ax.legend(loc="upper left")
figure(
    fig,
    name="merged",
    alt="With inputs 0 and 1 the case 11 is in every merged pair and 00 in none. With centred inputs all four pairs are about "
    "as frequent, and fewer runs are stuck.",
    caption="Stuck runs of 200 with two hidden units, by the pair that they merge.",
)

# %% [markdown]
# With inputs 0 and 1, {{ result("xor.far_corner", ".0%") }} of the merged pairs hold the case 11. XOR does not care which corner is
# which, so the cause must be how we write the inputs. Centred, it is {{ result("xor.far_corner_centred", ".0%") }}, and the share
# of solved runs goes from {{ result("xor.solved_2", ".0%") }} to {{ result("xor.solved_2_centred", ".0%") }}. With a bias of zero, every unit
# starts out saying 0 to the case 00, and its largest sums to the case 11, furthest from the origin: there
# it saturates first, and a saturated unit tells nothing apart. That is our reading; the control shows only that the position of
# the inputs is the cause.
#
# ## Too large a learning rate
#
# The same network with four units, at learning rates from small to far too large; the control is AND, an easy task that needs
# no hidden layer. If AND breaks as well, the trouble is not XOR.

# %%
RATES = (0.03, 0.3, 1, 3, 5, 7, 10, 30)
AND = np.array([[0.0], [0.0], [0.0], [1.0]])
start = init((2, 4, 1), SEEDS)
at_rate = {rate: train(start, X, Y, lr=rate, steps=500, every=500) for rate in RATES}
shares = [(runs.losses[-1] < 0.1).mean() for runs in at_rate.values()]
shares_and = [
    (train(start, X, AND, lr=rate, steps=500, every=500).losses[-1] < 0.1).mean()
    for rate in RATES
]
CHAOS = (
    "past the stable rates rounding grows, so runs are a new sample: three standard errors"
)
record("solved_at_rate_1", shares[RATES.index(1)], atol=0.01, because=BORDER)
record("solved_at_rate_5", shares[RATES.index(5)], atol=0.05, because=CHAOS)
record("solved_at_rate_30", shares[-1], atol=0.05, because=CHAOS)
record("and_at_rate_30", shares_and[-1], atol=0.05, because=CHAOS)
record(
    "loss_at_rate_30",
    np.median(at_rate[30].losses[-1]),
    rtol=0.3,
    because=CHAOS,
    unit="nats",
)

# %% [markdown]
# A rule of thumb gives the limit: on ground with curvature $\lambda$, steps overshoot and grow when $\eta > 2/\lambda$. We
# measure the largest curvature at the start, and how many hidden units of the broken runs say the same in all four cases.

# %%
limit = np.median(2 / np.linalg.eigvalsh(hessian(start, X, Y))[:, -1])
record(
    "rate_limit_at_start",
    limit,
    rtol=1e-3,
    because="fixed starts, smooth function: rounding only",
)
h30 = forward(at_rate[30].net, X)[1]  # (200 runs, 4 cases, 4 units)
dead = (np.abs(h30) > 0.99).all(axis=1) & (np.sign(h30) == np.sign(h30[:, :1])).all(axis=1)
record("dead_units_at_rate_30", dead.mean(), atol=0.05, because=CHAOS)
yes = forward(at_rate[30].net, X)[-1] > 0  # (200 runs, 4 cases, 1 output)
next_step = train(at_rate[30].net, X, Y, lr=30, steps=1).net
swings = (yes != (forward(next_step, X)[-1] > 0)) & (yes == yes[:, :1])
record("swinging_at_rate_30", swings.all(axis=(1, 2)).mean(), atol=0.06, because=CHAOS)

# %% [markdown]
# On the left the share solved, on the right the loss of one run at three rates.

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.2)
left.semilogx(RATES, 100 * np.array(shares), color=BLUE, marker="o", label="XOR")
left.semilogx(
    RATES,
    100 * np.array(shares_and),
    color=ORANGE,
    marker="s",
    ls="--",
    label="control: AND",
)
left.axvline(limit, color=plots.MUTED, ls=":")
left.text(
    limit * 0.9, 12, "2 / curvature\nat the start", ha="right", color=plots.INK, fontsize=9
)
left.set(
    title="Four hidden units",
    xlabel="learning rate",
    ylabel="solved in 500 steps (%)",
    ylim=(-3, 125),
    yticks=(0, 25, 50, 75, 100),
)
left.legend(loc="upper left", ncols=2)
for rate, colour in ((1, BLUE), (5, GREEN), (30, ORANGE)):
    one_run = train(select(start, 0), X, Y, lr=rate, steps=80)
    right.semilogy(
        one_run.steps, one_run.losses, color=colour, lw=1.5, label=f"rate {rate}"
    )
right.set(title="One run", xlabel="step", ylabel="loss (nats)")
right.legend()
figure(
    fig,
    name="rates",
    alt="The share of solved runs is near 100 percent up to a learning rate of about 5 and falls to nothing by 30, for "
    "XOR and for AND alike. At rate 30 the loss jumps up and stays far above its start.",
    caption="200 runs a point. Small rates need more than 500 steps.",
    data={"xor": shares, "and": shares_and},
    rtol=0.1,
    because=CHAOS,
)

# %% [markdown]
# At learning rate 30 {{ result("xor.solved_at_rate_30", ".0%") }} of the runs are solved, and of the easy AND
# {{ result("xor.and_at_rate_30", ".0%") }}; the median loss is {{ result("xor.loss_at_rate_30", ".0f") }} nats, many times ln 2. It is not a
# fast descent that overshoots a little. The steps throw the weights so far that
# {{ result("xor.dead_units_at_rate_30", ".0%") }} of the hidden units say the same to all four cases, with no slope left to
# learn by. And in {{ result("xor.swinging_at_rate_30", ".0%") }} of the runs the next step turns one answer to all four cases into
# the opposite answer to all four: the output swings between yes and no for ever.
#
# The rule of thumb gives {{ result("xor.rate_limit_at_start", ".1f") }}. Yet at 5 still
# {{ result("xor.solved_at_rate_5", ".0%") }} of the runs are solved. Steps that overshoot at first can carry a network to flatter
# ground, where the rule allows more. Larger networks are seen to do the same
# ([Lewkowycz et al. 2020](https://arxiv.org/abs/2003.02218), [Cohen et al. 2021](https://arxiv.org/abs/2103.00065)).
#
# ## What surprised us
#
# - The stuck runs are half of each solution. We had expected many ways to fail, and found one.
# - The word *local minimum* is wrong here in an unexpected way. It is no saddle, it is no minimum, and it has a way out downhill all the same.
# - A frozen layer of eight random units, enough in principle, is far too slow. We gave that one chance in two.
# - OR and AND, the solution in every textbook, is the rarer one.
#
# ## Try it yourself
#
# **1. Solve it by hand** (beginner, 5 minutes). Choose the weights of two hidden units yourself, so that the loss is below 0.01.
#
# ??? tip "Hint"
#     Use OR and AND. OR is positive when $x_1 + x_2$ is above ½, AND when it is above 1½. XOR is "OR, but not AND".
#     Multiply by a large number to be sure.

# %% tags=["solution"]
by_hand = build([[10, 10], [10, 10]], [-5, -15], [10, -10], -10)
loss_by_hand = cross_entropy(forward(by_hand, X)[-1], Y)
assert loss_by_hand < 0.01, (
    f"the loss is {loss_by_hand:.3f}: are the thresholds at ½ and 1½, and is AND subtracted?"
)
print("loss by hand", loss_by_hand)

# %% [markdown]
# **2. The heights of failure** (intermediate, 10 minutes). Swap tanh for ReLU, with four hidden units. Now runs stop at four
# different heights. Which, and why these?
#
# ??? tip "Hint"
#     A ReLU unit that is off says 0 to everything below its line. Which cases can become indistinguishable? The best
#     answer to a group that cannot be told apart is its share of ones.

# %% tags=["solution"]
relu = train(
    init((2, 4, 1), SEEDS, activation="relu"), X, Y, lr=1, steps=2000, every=2000
).losses[-1]
third = -(np.log(1 / 3) + 2 * np.log(2 / 3)) / 4  # one of three is the odd one out
heights = {
    "all apart": 0.0,
    "two merged": np.log(2) / 2,
    "three merged": third,
    "all merged": np.log(2),
}
counts = {
    name: int((np.abs(relu - height) < 0.02).sum()) for name, height in heights.items()
}
assert sum(counts.values()) >= 195, (
    f"only {sum(counts.values())} of 200 runs end at one of the heights: train longer"
)
print(counts)

# %% [markdown]
# **3. Three bits** (advanced, 15 minutes). Parity of three bits is 1 when an odd number of them is 1: XOR twice. What is the smallest
# number of hidden units with which some run of 100 solves it? Does it matter whether inputs are 0 and 1, or −1 and 1?
#
# ??? tip "Hint"
#     A threshold unit needs three. But tanh is not a threshold: it has a straight middle, and an output can use it.
#     Halve the learning rate: at the one used above we found no run that got there.

# %% tags=["solution"]
bits = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], dtype=float)
odd = bits.sum(axis=1, keepdims=True) % 2
found = {}
for name, inputs in (("0 and 1", bits), ("-1 and 1", 2 * bits - 1)):
    runs = train(init((3, 2, 1), range(100)), inputs, odd, lr=1, steps=3000, every=3000)
    found[name] = float((runs.losses[-1] < 0.1).mean())
assert found["0 and 1"] > 0.2, f"{found}: two hidden units should be enough for some runs"
print("share of runs solved with two hidden units:", found)

# %% [markdown]
# ## What this does not show
#
# - Four cases, all of them trained on: nothing here is about generalising to new inputs.
# - Full batches and plain gradient descent. The noise of small batches, momentum or Adam may free runs that are stuck here.
# - One kind of start (Glorot uniform, biases zero) and one loss. How often runs are stuck depends on both.
# - The valley at ½ ln 2 belongs to tanh and cross-entropy with two units. That failures of large networks look like this does not follow:
#   with eight units we saw none at all.
# - "True minimum" was shown with weight decay, for the runs we had. We have not searched for other minima.
#
# ## Links
#
# - Finding: [Stuck XOR networks are half of each solution](../findings/xor-stuck-is-half-of-each.md)
# - Finding: [A stuck run is in a valley without end, not in a basin](../findings/xor-valley-without-end.md)
# - Dead end: [Random features instead of learned ones](../dead-ends/xor-random-features.md)
# - Surprise: [The corner furthest from the origin is always merged](../surprises/xor-far-corner.md)
# - Question: [Can the start tell which runs will be stuck?](../questions/xor-fate-from-start.md)
# - Rumelhart, Hinton & Williams (1986), [Learning representations by back-propagating errors](https://doi.org/10.1038/323533a0)
# - Minsky & Papert (1969), [Perceptrons](https://doi.org/10.7551/mitpress/11301.001.0001)
# - Glorot & Bengio (2010), [Understanding the difficulty of training deep feedforward neural networks](https://proceedings.mlr.press/v9/glorot10a.html)
# - Sprinkhuizen-Kuyper & Boers (1999), "The local minima of the error surface of the 2-2-1 XOR network", Annals of Mathematics and Artificial Intelligence 25, from page 107
