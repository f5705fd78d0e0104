# ---
# title: XOR from scratch
# question: When does a small network learn XOR by gradient descent, and what has happened when it does not?
# level: beginner
# minutes: 20
# models: []
# needs: []
# tags: [backpropagation, training dynamics, loss landscape]
# topic: architecture
# thumbnail: hidden_space
# timeout: 240
# ---

# %% [markdown]
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
import numpy as np

from llmnotes.lab import figure, plots, predict, record
from llmnotes.scratch.nets import (
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
)

BLUE, ORANGE, GREEN, *_ = plots.COLOURS
SEEDS = range(200)
BORDER = "a run that starts near a border between valleys may fall either way: two of 200"
MEDIAN = "a median over runs, of which two may differ"
CHAOS = (
    "past the stable rates rounding grows, so runs are a new sample: three standard errors"
)

# %% [markdown]
# ## What you need to know
#
# **A unit** adds up its inputs, each times a *weight*, plus a *bias*, and bends the sum: *h* = tanh(*w*₁*x*₁ + *w*₂*x*₂
# + *b*), a number between −1 and 1. A *hidden layer* is a few such units side by side. The output unit adds those up
# in the same way; its sum, the *logit* *z*, becomes a probability of "1" by the sigmoid $p = 1 / (1 + e^{-z})$.
#
# **The loss** says how surprised the network is by the right answers: −ln *p* where the answer is 1, −ln(1 − *p*)
# where it is 0, averaged over the four cases (cross-entropy, in nats). Remember one value: a network that says "one
# half" to everything has a loss of ln 2 ≈ 0.69.
#
# **Gradient descent** moves every weight a little in the direction that lowers the loss: *w* ← *w* − η ∂*L*/∂*w*,
# where η is the *learning rate*. All 200 networks below are independent runs of this from different random starts,
# with all four cases in every step.
#
# **Backpropagation** finds all those derivatives in one pass. It is the chain rule, read from the end. For the logit,
# sigmoid and cross-entropy together give the plainest derivative there is: what was said minus what is right,
# δ = *p* − *y*. Each weight into the output is blamed with δ times what it carried. Each hidden unit gets its share of
# the blame back along its weight *v*, times the slope of its bend: $\delta_h = \delta\, v\, (1 - h^2)$. Then the same
# again, one layer down. [XOR, step by step](../play/xor.md) writes both passes out with every number, for a network
# that you train in the page.
#
# Here are the four cases, and one network with two hidden units.

# %%
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])  # (4 cases, 2 inputs)
Y = np.array([[0.0], [1.0], [1.0], [0.0]])  # (4 cases, 1 answer)

net = init((2, 2, 1), seed=0)
print("weights into the hidden units\n", net.weights[0].round(2))
print("says p =", sigmoid(forward(net, X)[-1]).ravel().round(2))
print("should say", Y.ravel())

# %% [markdown]
# Backpropagation by hand, line by line as in the text above. The last lines check it: against the general version in
# `llmnotes.scratch.nets.gradients`, and against the plain meaning of a derivative, by nudging one weight and looking.

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
print("by backpropagation", d_W1[0, 0])
print("by nudging        ", (cross_entropy(forward(nudged, X)[-1], Y) - loss) / 1e-6)

# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     Two hidden units are enough in principle. Of 200 random starts, how many do you think gradient descent brings to
#     a solution? And the rest: will they get there if we wait ten times longer?
#
# We call a run **solved** when its loss is below 0.1 nats; then every one of the four answers is right. Our own
# guesses, written before the runs (learning rate, number of steps and that limit were settled at a first look; the
# probabilities were not touched afterwards). At a *saddle* the loss still falls in some direction; at a *minimum* it
# rises in all.

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
# %% [markdown]
# About what the hidden layer is for, and what it becomes:

# %%
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
# And about the runs that fail, and those with a learning rate that is too large.

# %%
predict(
    "Ten times the steps free more than half of the stuck runs",
    p=0.3,
    resolved_by="freed_by_time",
    if_="> 0.5",
)
predict("Most stuck runs sit at a saddle", p=0.4, resolved_by="saddle_share", if_="> 0.5")
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
# weights, *z*(00) + *z*(11) = *z*(01) + *z*(10): both sides are twice the bias plus both weights. XOR wants the left
# side negative and the right side positive. So it cannot be. And what does such a network do instead? In the two weights
# and the bias of that linear function the loss is convex (one bowl), and where all three are zero every derivative
# vanishes: so its best answer is "one half" to everything, at ln 2.
#
# We train both kinds: 20 networks with two hidden units, and, as the control, 20 whose hidden units do not bend.


# %%
def descend(net: Net, answers=Y, lr=2, steps=2000, every=None, **more):
    """Gradient descent on the four cases; the loss is noted at the start and at the end."""
    return train(net, X, answers, lr=lr, steps=steps, every=every or steps, **more)


bent = descend(init((2, 2, 1), range(20)), steps=800, every=16)
linear = descend(init((2, 2, 1), range(20), activation="identity"), steps=800, every=16)
EXACT = "20 runs at ln 2 to more digits than that"
record("linear_loss", linear.losses[-1].mean(), atol=1e-6, because=EXACT, unit="nats")

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
# the unlucky group ends at one and the same height, to which we come back. One line waits at ln 2 for a long time
# before it falls: that is level ground for these networks too, only not the end.
#
# ## How often it works
#
# Now 200 runs for each number of hidden units. Two controls: hidden units that do not bend, and hidden units that bend
# but keep their random first weights, so that only the output layer learns. The second tells apart two things that a
# hidden layer may give: *some* bent features, or *learned* ones.

# %%
WIDTHS = (2, 3, 4, 8)
solved = {"learned": [], "first layer frozen": [], "no bend": []}
runs_of = {}
for width in WIDTHS:
    sizes = (2, width, 1)
    learned = descend(init(sizes, SEEDS))
    frozen = descend(init(sizes, SEEDS), frozen=[0])
    flat = descend(init(sizes, SEEDS, activation="identity"), steps=500)
    for runs, shares in zip((learned, frozen, flat), solved.values(), strict=True):
        shares.append((runs.losses[-1] < 0.1).mean())
    record(f"solved_{width}", solved["learned"][-1], atol=0.01, because=BORDER)
    runs_of[width] = learned
record("linear_solved", max(solved["no bend"]), atol=0)

# %% [markdown]
# For the frozen layer of eight units we also note in how many runs all four answers are at least on the right side. And
# because 200 seeds are a sample, we draw 200 others for two units: how far do the two batches lie apart?

# %%
CUT = "a smooth loss cut at 0.1: up to four runs lie at the cut"
HALF = "up to two runs have an answer near one half"
right = (np.abs(sigmoid(forward(frozen.net, X)[-1]) - Y) < 0.5).all(axis=(1, 2))
record("frozen_8", solved["first layer frozen"][-1], atol=0.02, because=CUT)
record("frozen_8_right_side", right.mean(), atol=0.01, because=HALF)
others = descend(init((2, 2, 1), range(200, 400))).losses[-1] < 0.1
record("solved_2_other_seeds", others.mean(), atol=0.01, because=BORDER)

# %% [markdown]
# The shares side by side.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
for i, (kind, shares) in enumerate(solved.items()):
    places, colour = np.arange(4) + 0.27 * (i - 1), (BLUE, GREEN, ORANGE)[i]
    bars = ax.bar(places, 100 * np.array(shares), width=0.25, color=colour, label=kind)
    ax.bar_label(bars, fmt="{:.3g}", color=plots.INK, fontsize=9)
ax.set_xticks(range(4), [f"{width} units" for width in WIDTHS])
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
# allow any answers to four cases, almost surely. Yet only {{ result("xor.frozen_8", ".0%") }} of these runs are solved
# in the same number of steps. It is not that they are wrong: in {{ result("xor.frozen_8_right_side", ".0%") }} of them
# all four answers are on the right side. They are slow. Our reading, not measured here: random features separate the four
# cases a little, learned ones widely.
#
# ## What the hidden units come to represent
#
# A hidden unit splits the plane of inputs by a line. Up to its sign, which the output weight can turn round, only a
# few splits of four cases exist, and we can name them. We ask which two splits each solved run has found, and which
# each stuck run.

# %%
NAMES = {"0111": "OR", "0001": "AND", "0100": "only 01", "0010": "only 10"}
NAMES |= {"0011": "first", "0101": "second"}


def split(h: np.ndarray) -> str:
    """The split that a hidden unit makes by its sign; turned round where it says yes to 00."""
    signs = (h > 0) != (h[0] > 0)
    return NAMES.get("".join("01"[int(s)] for s in signs), "none")


two = runs_of[2]
says = forward(two.net, X)[1]  # (200 runs, 4 cases, 2 units)
kinds = np.array([" + ".join(sorted((split(h[:, 0]), split(h[:, 1])))) for h in says])
is_solved = two.losses[-1] < 0.1
for name, mask in (("solved", is_solved), ("stuck", ~is_solved)):
    found, counts = np.unique(kinds[mask], return_counts=True)
    print(name, dict(zip(found.tolist(), counts.tolist(), strict=True)))

# %% [markdown]
# We had expected OR and AND, the textbook's way, and record its share, that of the other kind of solution, and that
# of the mixture among the stuck runs.

# %%
or_and, detectors = kinds == "AND + OR", kinds == "only 01 + only 10"
mixed = np.isin(kinds, ["OR + only 01", "OR + only 10"])
record("kind_or_and", or_and[is_solved].mean(), atol=0.02, because=BORDER)
record("kind_only", detectors[is_solved].mean(), atol=0.02, because=BORDER)
record("stuck_mixed", mixed[~is_solved].mean(), atol=0.03, because=BORDER)
record("solved_mixed", mixed[is_solved].mean(), atol=0.02, because=BORDER)

# %% [markdown]
# One run of each kind. Above: the plane of inputs, coloured by what the network says, with the line of each hidden
# unit. Below: the same four cases where the two hidden units put them, with the one straight line left for the output.


# %% tags=["drawing"]
def draw(ax, low: float, high: float, answer, points: np.ndarray, ticks: tuple) -> None:
    """A plane coloured by the network's answer, with the four cases on it."""
    side = np.linspace(low, high, 35)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    colours = {"cmap": plots.DIVERGING, "vmin": -0.4, "vmax": 1.4, "interpolation": "none"}
    extent = (low, high, low, high)
    ax.imshow(answer(grid).reshape(35, 35), origin="lower", extent=extent, **colours)
    ax.set(xlim=(low, high), ylim=(low, high), xticks=ticks, yticks=ticks)
    ax.grid(visible=False)
    names = {}
    for case, point, y in zip(("00", "01", "10", "11"), points, Y.ravel(), strict=True):
        face, size = (plots.INK, 110) if y else (plots.PAPER, 45)
        ax.scatter(*point, s=size, c=face, edgecolors=plots.INK, linewidths=1.5, zorder=3)
        names.setdefault(tuple(point.round(1)), []).append(case)
    box = {"facecolor": plots.PAPER, "edgecolor": "none", "alpha": 0.7, "pad": 1}
    text = {"textcoords": "offset points", "ha": "center", "fontsize": 9, "bbox": box}
    for at, cases in names.items():
        ax.annotate(", ".join(cases), at, (0, -19 if at[1] > 0.5 else 11), **text)


fig, axes = plots.subplots(2, 3, height=5.4)
titles = ("solved, two detectors", "solved, OR and AND", "stuck")
for (above, below), title, of_kind in zip(
    axes.T, titles, (detectors, or_and, mixed & ~is_solved), strict=True
):
    one = select(two.net, int(np.flatnonzero(of_kind)[0]))
    (W1, W2), (b1, b2) = one.weights, one.biases
    draw(above, -0.5, 1.5, lambda x, one=one: sigmoid(forward(one, x)[-1]), X, (0, 1))
    draw(
        below,
        -1.3,
        1.3,
        lambda h, W2=W2, b2=b2: sigmoid(h @ W2 + b2),
        forward(one, X)[1],
        (-1, 0, 1),
    )
    ends = np.array([-0.5, 1.5])
    for unit, style in ((0, "-"), (1, "--")):
        line = -(W1[0, unit] * ends + b1[unit]) / W1[1, unit]
        above.plot(ends, line, style, color=plots.INK, lw=1.5)
    above.set(title=title, xlabel="first input")
    below.set(xlabel="hidden unit 1")
axes[0, 0].set_ylabel("second input")
axes[1, 0].set_ylabel("hidden unit 2")
figure(
    fig,
    name="hidden_space",
    alt="In both solved runs the two hidden units bring the two cases with answer 1 to where one straight line cuts "
    "them off. In the stuck run two cases with different answers land on the same point, so no line can part them.",
    caption="Filled: the right answer is 1. Blue: the network says 1; orange: it says 0; neither: it does not know.",
)

# %% [markdown]
# Every solved run has found one of exactly two kinds. In {{ result("xor.kind_only", ".0%") }} of them the units are two
# *detectors*, one for each case with answer 1. In {{ result("xor.kind_or_and", ".0%") }} they are OR and AND, which we
# had expected to be the usual way.
#
# And the stuck runs: {{ result("xor.stuck_mixed", ".0%") }} of them have one unit that is OR and one that is a
# detector, which no solved run has ({{ result("xor.solved_mixed", ".0%") }}). A stuck run holds **half of the one
# solution and half of the other**. Each half is right in its own company. Together they send two cases with different
# answers to the same corner, and there the network can only say "one half".
#
# That explains the height. Two cases are certain and cost nothing; the two that are merged cost ln 2 each; the mean of
# the four is ½ ln 2.
#
# ## What failure looks like
#
# Folklore says "a local minimum". We look at the stuck runs: do they come free with ten times the steps? How does the
# loss approach its end? And is the ground curved upwards there in every direction? The *Hessian*, the table of all
# second derivatives, tells: its eigenvalues are the curvatures along its own axes, one for each of the nine parameters.
# One below zero would be a way down, and the place a saddle. All 200 runs go on, the solved ones as the control.

# %%
later = descend(two.net, steps=18_000, every=2000)
above = later.losses[:, ~is_solved] - np.log(2) / 2  # (notes, stuck runs)
ratio = np.median(above[0] / above[-1])
control = np.median(later.losses[0, is_solved] / later.losses[-1, is_solved])
curvature = np.linalg.eigvalsh(hessian(select(later.net, ~is_solved), X, Y))  # rising
record("stuck_runs", (~is_solved).mean(), atol=0.01, because=BORDER)
record("freed_by_time", (later.losses[-1, ~is_solved] < 0.1).mean(), atol=0)
record("saddle_share", (curvature[:, 0] < 0).mean(), atol=0)
record("smallest_curvature", np.median(curvature[:, 0]), rtol=0.05, because=MEDIAN)
record("above_half_ln2_ratio", ratio, rtol=0.05, because=MEDIAN)
record("above_zero_ratio", control, rtol=0.05, because=MEDIAN)

# %% [markdown]
# How far each group still is from where it is going: ½ ln 2 for the stuck runs, 0 for the solved ones.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
steps = 2000 + later.steps
distances = (
    (above, BLUE, "stuck"),
    (later.losses[:, is_solved], ORANGE, "control: solved"),
)
for distance, colour, label in distances:
    ax.loglog(
        steps, np.median(distance, axis=1), color=colour, marker="o", ms=4, label=label
    )
guide = np.median(above[0]) * 2000 / steps
ax.loglog(steps, guide, color=plots.INK, lw=1, ls="--", label="falling as 1 / steps")
ax.set(xlabel="steps", ylabel="loss above its end (nats)")
ax.set_xticks([2000, 5000, 20_000], ["2000", "5000", "20 000"])
ax.minorticks_off()
ax.legend()
figure(
    fig,
    name="never_arrives",
    alt="The loss of stuck runs comes nearer to half of ln 2 as one over the number of steps, without end. The loss of "
    "solved runs comes nearer to 0 in the same way.",
    caption="Medians over the runs with two hidden units.",
)

# %% [markdown]
# None comes free ({{ result("xor.freed_by_time", ".0%") }}), and none sits at a saddle
# ({{ result("xor.saddle_share", ".0%") }}): the ground is curved upwards in all nine directions, in the flattest by
# {{ result("xor.smallest_curvature", ".1e") }}. But it is not a minimum either, for the run never arrives. With ten
# times the steps the distance to ½ ln 2 shrinks by a factor of {{ result("xor.above_half_ln2_ratio", ".1f") }}, as one
# over the number of steps. We read that as a valley with its bottom at infinity, to which growing weights lead. The
# solved runs do the same on their way to 0 (a factor of {{ result("xor.above_zero_ratio", ".1f") }}): a network that can
# be surer by growing its weights never stops. What marks a failure is the height, not that the run never arrives.
#
# Is there a way out of that valley? [The second lab on XOR](21_stuck.md) kicks the stuck runs, holds them with
# weight decay, and walks them out.
#
# ## Too large a learning rate
#
# A network with four hidden units, at learning rates from small to far too large; the control is AND, an easy task
# that needs no hidden layer. If AND breaks as well, the trouble is not XOR.

# %%
RATES = (0.03, 0.3, 1, 3, 5, 7, 10, 30)
AND = np.array([[0.0], [0.0], [0.0], [1.0]])
start = init((2, 4, 1), SEEDS)
at_rate = {rate: descend(start, lr=rate, steps=500) for rate in RATES}
with_and = [descend(start, AND, lr=rate, steps=500).losses[-1] for rate in RATES]
shares = [(runs.losses[-1] < 0.1).mean() for runs in at_rate.values()]
shares_and = [(losses < 0.1).mean() for losses in with_and]
broken, loss_30 = at_rate[30].net, np.median(at_rate[30].losses[-1])
record("solved_at_rate_1", shares[RATES.index(1)], atol=0.01, because=BORDER)
record("solved_at_rate_5", shares[RATES.index(5)], atol=0.05, because=CHAOS)
record("solved_at_rate_30", shares[-1], atol=0.05, because=CHAOS)
record("and_at_rate_30", shares_and[-1], atol=0.05, because=CHAOS)
record("loss_at_rate_30", loss_30, rtol=0.3, because=CHAOS, unit="nats")

# %% [markdown]
# A rule of thumb gives the limit: on ground with curvature λ, steps overshoot and grow when η > 2/λ. We measure the
# largest curvature at the start, how many hidden units of the broken runs say the same in all four cases, and in how
# many broken runs the next step turns all four answers round.

# %%
limit = np.median(2 / np.linalg.eigvalsh(hessian(start, X, Y))[:, -1])
ROUNDING = "fixed starts, smooth function: rounding only"
record("rate_limit_at_start", limit, rtol=1e-3, because=ROUNDING)
h, z = forward(broken, X)[1:]  # (200 runs, 4 cases, 4 units), (200 runs, 4 cases, 1)
dead = (np.abs(h) > 0.99).all(axis=1) & (np.sign(h) == np.sign(h[:, :1])).all(axis=1)
record("dead_units_at_rate_30", dead.mean(), atol=0.05, because=CHAOS)
yes, yes_next = z > 0, forward(descend(broken, lr=30, steps=1).net, X)[-1] > 0
swings = ((yes != yes_next) & (yes == yes[:, :1])).all(axis=(1, 2))
record("swinging_at_rate_30", swings.mean(), atol=0.06, because=CHAOS)

# %% [markdown]
# On the left the share solved, on the right the loss of one run at three rates.

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.2)
left.semilogx(RATES, 100 * np.array(shares), color=BLUE, marker="o", label="XOR")
left.semilogx(RATES, 100 * np.array(shares_and), "s--", color=ORANGE, label="control: AND")
left.axvline(limit, color=plots.MUTED, ls=":")
note = "2 / curvature\nat the start"
left.text(limit * 0.9, 12, note, ha="right", color=plots.INK, fontsize=9)
left.set(
    title="Four hidden units", xlabel="learning rate", ylabel="solved in 500 steps (%)"
)
left.set(ylim=(-3, 125), yticks=(0, 25, 50, 75, 100))
left.legend(loc="upper left", ncols=2)
for rate, colour in ((1, BLUE), (5, GREEN), (30, ORANGE)):
    one = descend(select(start, 0), lr=rate, steps=80, every=1)
    right.semilogy(one.steps, one.losses, color=colour, lw=1.5, label=f"rate {rate}")
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
# {{ result("xor.and_at_rate_30", ".0%") }}; the median loss is {{ result("xor.loss_at_rate_30", ".0f") }} nats, many
# times ln 2. It is not a fast descent that overshoots a little. The steps throw the weights so far that
# {{ result("xor.dead_units_at_rate_30", ".0%") }} of the hidden units say the same to all four cases, with no slope
# left to learn by. And in {{ result("xor.swinging_at_rate_30", ".0%") }} of the runs the next step turns one answer to
# all four cases into the opposite answer to all four: the output swings between yes and no.
#
# The rule of thumb gives {{ result("xor.rate_limit_at_start", ".1f") }}. Yet at 5 still
# {{ result("xor.solved_at_rate_5", ".1%") }} of the runs are solved. A likely reason, not measured here: steps that
# overshoot at first can carry a network to flatter ground, where the rule allows more, as is seen in larger networks
# ([Lewkowycz et al. 2020](https://arxiv.org/abs/2003.02218), [Cohen et al. 2021](https://arxiv.org/abs/2103.00065)).
#
# ## What surprised us
#
# - The stuck runs are half of each solution. We had expected many ways to fail, and found one.
# - *Local minimum* is not the word for where they are. It is no saddle, and it is no minimum.
# - A frozen layer of eight random units, enough in principle, is far too slow. We gave that one chance in two.
# - OR and AND, the solution in every textbook, is the rarer one.
#
# ## Try it yourself
#
# **1. Solve it by hand** (beginner, 5 minutes). Choose the weights of two hidden units yourself, so that the loss is
# below 0.01.
#
# ??? tip "Hint"
#     Use OR and AND. OR is positive when *x*₁ + *x*₂ is above ½, AND when it is above 1½. XOR is "OR, but not AND".
#     Multiply by a large number to be sure.

# %% tags=["solution"]
weights = np.array([[10, 10], [10, 10]]), np.array([[10], [-10]])
by_hand = Net(weights, (np.array([-5, -15]), np.array([-10])))
loss = cross_entropy(forward(by_hand, X)[-1], Y)
assert loss < 0.01, f"the loss is {loss:.3f}: thresholds at ½ and 1½? is AND subtracted?"
print("loss by hand", loss)

# %% [markdown]
# **2. The heights of failure** (intermediate, 10 minutes). Swap tanh for ReLU, with four hidden units. Now runs end
# at four different heights, 0 among them. Which, and why these?
#
# ??? tip "Hint"
#     A ReLU unit that is off says 0 to everything below its line. Which cases can become indistinguishable? The best
#     answer to a group that cannot be told apart is its share of ones.

# %% tags=["solution"]
relu = descend(init((2, 4, 1), SEEDS, activation="relu"), lr=1).losses[-1]
third = -(np.log(1 / 3) + 2 * np.log(2 / 3)) / 4  # one of three is the odd one out
heights = {"all apart": 0, "two merged": np.log(2) / 2}
heights |= {"three merged": third, "all merged": np.log(2)}
counts = {name: int((np.abs(relu - at) < 0.02).sum()) for name, at in heights.items()}
total = sum(counts.values())
assert total >= 195, f"only {total} of 200 runs end at one of the heights: train longer"
print(counts)

# %% [markdown]
# **3. Three bits** (advanced, 15 minutes). Parity of three bits is 1 when an odd number of them is 1: XOR twice. What
# is the smallest number of hidden units with which some run of 100 solves it? Does it matter whether inputs are 0 and
# 1, or −1 and 1?
#
# ??? tip "Hint"
#     A threshold unit needs three. But tanh is not a threshold: it has a straight middle, and an output can use it.
#     Halve the learning rate: at the one used above we found no run that got there.

# %% tags=["solution"]
bits = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
odd = bits.sum(axis=1, keepdims=True) % 2
share = {}
for name, inputs in (("0 and 1", bits), ("-1 and 1", 2 * bits - 1)):
    runs = train(init((3, 2, 1), range(100)), inputs, odd, lr=1, steps=3000, every=3000)
    share[name] = float((runs.losses[-1] < 0.1).mean())
assert share["0 and 1"] > 0.2, f"{share}: two hidden units should be enough for some runs"
print("share of runs solved with two hidden units:", share)

# %% [markdown]
# ## What this does not show
#
# - Four cases, all of them trained on: nothing here is about generalising to new inputs.
# - Full batches and plain gradient descent. The noise of small batches, momentum or Adam may free runs that are stuck.
# - One kind of start (Glorot uniform, biases zero) and one loss. How often runs are stuck may depend on both.
# - The valley at ½ ln 2 belongs to tanh and cross-entropy with two units. That failures of large networks look like
#   this does not follow: with eight units we saw none at all.
#
# ## Links
#
# - After this: [Where the stuck runs are](21_stuck.md)
# - Finding: [Stuck XOR networks are half of each solution](../findings/xor-stuck-is-half-of-each.md)
# - Finding: [A stuck run is in a valley without end, not in a basin](../findings/xor-valley-without-end.md)
# - Dead end: [Random features instead of learned ones](../dead-ends/xor-random-features.md)
# - Question: [Can the start tell which runs will be stuck?](../questions/xor-fate-from-start.md)
# - Rumelhart, Hinton & Williams (1986),
#   [Learning representations by back-propagating errors](https://doi.org/10.1038/323533a0)
# - Minsky & Papert (1969), [Perceptrons](https://doi.org/10.7551/mitpress/11301.001.0001)
# - Glorot & Bengio (2010),
#   [Understanding the difficulty of training deep feedforward neural networks](https://proceedings.mlr.press/v9/glorot10a.html)
