# ---
# title: XOR from scratch
# question: Why do so many small networks stop halfway through learning XOR?
# answer: >-
#   Of 200 networks with two hidden units, {{ result("xor.stuck_runs", ".0%") }} stop at half of ln 2. Each of them has
#   learned half of one solution and half of another.
# level: beginner
# models: []
# needs: []
# tags: [backpropagation, training dynamics, loss landscape]
# chapter: Start
# thumbnail: hidden_space
# timeout: 240
# ---

# %% tags=["setup"]
import numpy as np

from llmnotes.lab import ask, figure, in_words, plots, predict, within
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
# ## A case you can hold: one network, four answers
#
# XOR asks one question of two inputs: is exactly one of them 1? There are four cases, so we can look at all of them.
#
# | first input | second input | answer |
# | :-: | :-: | :-: |
# | 0 | 0 | 0 |
# | 0 | 1 | **1** |
# | 1 | 0 | **1** |
# | 1 | 1 | 0 |
#
# Here is a network with random weights. It has not learned anything yet, and its answers show it.

# %% tags=["idea"]
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])  # (4 cases, 2 inputs)
Y = np.array([[0.0], [1.0], [1.0], [0.0]])  # (4 cases, 1 answer)

net = init((2, 2, 1), seed=0)  # two inputs, two hidden units, one output
p = sigmoid(forward(net, X)[-1])  # (4 cases, 1): the probability of "1"
for case, one, right in zip(X.astype(int), p.ravel(), Y.ravel(), strict=True):
    print(f"{case[0]} {case[1]}: probability of 1: {one:.0%}, right answer: {right:.0f}")

# %% [markdown]
# You can train this network by hand, one step at a time, in [XOR, step by step](../play/xor.md). Do that first if you
# have never seen a network learn. Then come back: this lab trains 200 of them.
#
# ## Two lines, then one
#
# {{ drawing("xor-network", alt="Two inputs lead to two hidden units, and these to one output. Each hidden unit draws one straight line through the plane of inputs; the output draws one through the plane of the hidden units.") }}
#
# Each hidden unit adds up its inputs, each times a weight, plus a bias. It passes the sum through tanh, which squeezes
# it between −1 and 1. The output unit adds up the hidden units in the same way, and the sigmoid $\sigma$ turns its sum
# into a probability:
#
# $$
# \begin{aligned}
# h &= \tanh(x W_1 + b_1) \\
# p &= \sigma(h W_2 + b_2) \\
# L &= -\tfrac14 \textstyle\sum_{\text{cases}} \big( y \ln p + (1 - y) \ln (1 - p) \big)
# \end{aligned}
# $$
#
# $x$ holds the two inputs, $h$ the two hidden units, $p$ the probability of “1” and $y$ the right answer. $W_1$ and $W_2$ are
# the weights, $b_1$ and $b_2$ the biases: nine numbers in all. The loss $L$ is the mean of $-\ln$ of the probability that the right
# answer got, in *nats*. It is 0 if every answer is certain and right. Remember one value: a network that answers “one half”
# to everything has a loss of $\ln 2 \approx 0.69$.
#
# A hidden unit is 0 along a straight line in the plane of inputs, positive on one side and negative on the other. Write
# 01 for the case in which the first input is 0 and the second is 1. No single line separates 01 and 10 from 00 and 11.
# Two lines can, if the output then combines them.
#
# ## Backpropagation is the chain rule, read from the end
#
# Training is *gradient descent*: each step moves every weight a little against the derivative of the loss. The
# *learning rate* sets how far. At the output the derivative of this loss is short: the network's answer minus the right
# answer. The chain rule gives all the others, layer by layer, back to the inputs.

# %% tags=["idea"]
(W1, W2), (b1, b2) = net.weights, net.biases
h = np.tanh(X @ W1 + b1)  # (4, 2): the hidden units in each case
p = sigmoid(h @ W2 + b2)  # (4, 1)
delta = (p - Y) / len(X)  # (4, 1): the answer minus the right answer
d_W2 = h.T @ delta  # (2, 1): the input of this weight was h
delta_h = (delta @ W2.T) * (1 - h**2)  # (4, 2): sent back along W2, times the slope of tanh
d_W1 = X.T @ delta_h  # (2, 2)

# %% tags=["setup"]
loss, by_nets = gradients(net, X, Y)
assert np.allclose(flatten(by_nets)[:4], d_W1.ravel()), (
    "by hand and in llmnotes.scratch.nets: not the same"
)
nudged = Net((W1 + np.array([[1e-6, 0], [0, 0]]), W2), (b1, b2))
by_nudging = (cross_entropy(forward(nudged, X)[-1], Y) - loss) / 1e-6
assert abs(by_nudging - d_W1[0, 0]) < 1e-5, (
    "a derivative is what the loss does when one weight is nudged"
)

# %% [markdown]
# Is it right? Nudge one weight by a millionth and see how much the loss changes. The two derivatives agree.
#
# ```exercise
# title: Other hidden units
# minutes: 3
# code: |
#   h = sigmoid(X @ W1 + b1)  # the hidden units use the sigmoid instead of tanh
#   delta = (sigmoid(h @ W2 + b2) - Y) / 4
#   delta_h = (delta @ W2.T) * (▢)
#   assert np.allclose(X.T @ delta_h, nudge_every_weight(W1))
# right: ["h * (1 - h)", "(1 - h) * h", "h - h**2", "h - h * h", "h - h ** 2", "h - np.square(h)"]
# praise: That is the slope of the sigmoid, written with its own output.
# wrong:
#   "1 - h**2": That is the slope of tanh. The hidden units now use the sigmoid.
#   "1 - h * h": That is the slope of tanh. The hidden units now use the sigmoid.
#   "h": The chain rule wants the slope of the sigmoid at this point, not its value.
#   "1 - h": Close. Where h is nearly 0 the sigmoid is flat, and so is its slope.
#   "1": This would be right if the units had no nonlinearity.
# otherwise: "The gradient differs from the nudged one. What is the derivative of the sigmoid, in terms of its output h?"
# solution: "`h * (1 - h)`. With σ(s) = 1 / (1 + exp(−s)), the derivative is σ(s) (1 − σ(s)). It is largest at h = ½ and nearly 0 at both ends."
# ```
#
# ## Your prediction
#
# We train 200 of these networks from different random starts, with all four cases in every step, for 2000 steps.

# %%
ask(
    "Two hidden units are enough in principle. Where does the loss of 200 such networks end?",
    choices={
        "all": "All of them near 0: there are only four cases",
        "spread": "Some near 0, the others stuck at many different heights",
        "two": "Some near 0, all others stuck at one and the same height",
    },
    answer="two",
    because={
        "all": "Enough in principle is not enough for gradient descent. More than a third of the networks never get there.",
        "spread": "Random starts suggest many ways to fail. For this network we found exactly one.",
        "two": "Every failed network has the same defect, so all have the same loss. A later section shows which defect.",
    },
    figure="losses",
    stuck_mixed="== 1",
)

# %%
predict(
    "A network without a nonlinearity stays at ln 2",
    0.97,
    linear_loss="between 0.692 and 0.694",
)
predict("Two hidden units solve XOR in more than half of the runs", 0.8, solved_2="> 0.5")
predict("Eight hidden units solve it in every run", 0.6, solved_8="== 1")
predict(
    "Eight random, frozen hidden units solve it in nine runs of ten", 0.5, frozen_8=">= 0.9"
)
predict("Most solutions with two units are OR and AND", 0.7, kind_or_and="> 0.5")
predict(
    "Ten times the steps free more than half of the stuck runs", 0.3, freed_by_time="> 0.5"
)
predict("Most stuck runs sit at a saddle", 0.4, saddle_share="> 0.5")
predict("At learning rate 30, four units fail in most runs", 0.7, solved_at_rate_30="< 0.5")

# %% [markdown]
# ## A run ends at 0, or at half of ln 2


# %% tags=["idea"]
def descend(net, answers=Y, lr=2, steps=2000, every=None, **more):
    """Gradient descent on the four cases; `net` may hold many runs side by side."""
    return train(net, X, answers, lr=lr, steps=steps, every=every or steps, **more)


nonlinear = descend(init((2, 2, 1), range(20)), steps=800, every=16)
linear = descend(init((2, 2, 1), range(20), activation="identity"), steps=800, every=16)

# %% tags=["setup"]
within(atol=1e-6, because="20 runs at ln 2 to more digits than that")(
    unit="nats", linear_loss=linear.losses[-1].mean()
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.4)
ax.plot(nonlinear.steps, nonlinear.losses[:, :12], color=BLUE, lw=1.2, alpha=0.8)
ax.plot(linear.steps, linear.losses[:, :3], color=ORANGE, lw=2.5, ls="--")
ax.text(410, np.log(2) + 0.025, "control: two units without tanh", color=plots.INK)
ax.text(560, np.log(2) / 2 + 0.025, "stuck", color=plots.INK)
ax.text(560, 0.035, "solved", color=plots.INK)
for level, name in ((np.log(2), "ln 2"), (np.log(2) / 2, "½ ln 2")):
    ax.text(808, level, name, va="center", color=plots.INK)
ax.set(
    xlabel="step",
    ylabel="loss (nats)",
    xlim=(0, 800),
    ylim=(0, 0.8),
    title="Two ends, nothing between",
)
figure(
    fig,
    name="losses",
    alt="Without tanh the loss stays at ln 2. With two tanh units it falls to nearly 0 in most runs, and in the others to "
    "half of ln 2, where it stays.",
    caption="Each thin line is one of twelve networks with two tanh units.",
)

# %% [markdown]
# The control shows why the nonlinearity matters. Without tanh a network of any depth is one linear function. For every
# linear function $z$, whatever its weights, $z(00) + z(11) = z(01) + z(10)$. XOR wants the left side negative and the right
# side positive. So the best such a network can do is to answer “one half”, at ln 2.
#
# With tanh, the runs fall into two groups. Some solve the task: their loss is below 0.1 nats and all four answers are
# right. All others stop at one height, half of ln 2. Of 200 runs, {{ result("xor.solved_2", ".0%") }} solve it.
# That share is itself uncertain: 200 other starts give {{ result("xor.solved_2_other_seeds", ".0%") }}.
#
# ## A stuck network is half of each solution
#
# What happens at half of ln 2? We look into every network and name each hidden unit by the cases that its line separates:
# *OR* if 00 is alone on one side, *AND* if 11 is, *a detector* if 01 or 10 is.

# %% tags=["setup"]
NAMES = {
    "0111": "OR",
    "0001": "AND",
    "0100": "only 01",
    "0010": "only 10",
    "0011": "first",
    "0101": "second",
}


def split(h: np.ndarray) -> str:
    """The cases that a hidden unit separates by its sign; turned round where it says yes to 00."""
    signs = (h > 0) != (h[0] > 0)
    return NAMES.get("".join("01"[int(s)] for s in signs), "none")


two = descend(init((2, 2, 1), SEEDS))
says = forward(two.net, X)[1]  # (200 runs, 4 cases, 2 units)
kinds = np.array([" + ".join(sorted((split(h[:, 0]), split(h[:, 1])))) for h in says])
is_solved = two.losses[-1] < 0.1
or_and, detectors = kinds == "AND + OR", kinds == "only 01 + only 10"
mixed = np.isin(kinds, ["OR + only 01", "OR + only 10"])
border = within(atol=0.02, because=BORDER)
border(kind_or_and=or_and[is_solved].mean(), kind_only=detectors[is_solved].mean())
border(solved_mixed=mixed[is_solved].mean(), stuck_runs=(~is_solved).mean())
border(atol=0.03, stuck_mixed=mixed[~is_solved].mean())


# %% tags=["drawing"]
def draw(ax, low: float, high: float, answer, points: np.ndarray, ticks: tuple) -> None:
    """A plane coloured by the network's answer, with the four cases on it."""
    side = np.linspace(low, high, 20)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    colours = {"cmap": plots.DIVERGING, "vmin": -0.4, "vmax": 1.4, "interpolation": "none"}
    extent = (low, high, low, high)
    ax.imshow(answer(grid).reshape(20, 20), origin="lower", extent=extent, **colours)
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
    caption="Above: the plane of inputs and the line of each hidden unit. Below: the same four cases where the hidden units "
    "put them. Filled: the right answer is 1. Blue: the network says 1; orange: it says 0.",
)

# %% [markdown]
# Every solved network has found one of exactly two solutions. In {{ result("xor.kind_only", ".0%") }} of them the units are
# two detectors, one for each case with answer 1. In the others they are OR and AND, the textbook's solution: XOR is “OR,
# but not AND”.
#
# And the stuck ones? In {{ result("xor.stuck_mixed", ".0%") }} of them one unit is OR and the other a detector, which no
# solved network has. **One unit belongs to the first solution, the other to the second.** Each would work
# with its own partner. Together they map two cases with different answers to the same point, and no output unit can
# separate what lies on one point.
#
# That explains the height. Two cases are certain and cost nothing. The two merged cases get “one half” and cost ln 2 each.
# The mean over four is half of ln 2.
#
# ## More units leave fewer networks stuck
#
# Now we train 200 runs at each width. Two controls tell us what the hidden layer contributes: units without tanh, and
# tanh units whose first weights stay random, so that only the output learns.

# %% tags=["setup"]
WIDTHS = (2, 3, 4, 8)
solved = {"learned": [], "first layer frozen": [], "no tanh": []}
for width in WIDTHS:
    sizes = (2, width, 1)
    learned = two if width == 2 else descend(init(sizes, SEEDS))
    frozen = descend(init(sizes, SEEDS), frozen=[0])
    flat = descend(init(sizes, SEEDS, activation="identity"), steps=500)
    for runs, shares in zip((learned, frozen, flat), solved.values(), strict=True):
        shares.append((runs.losses[-1] < 0.1).mean())
two_units, three_units, four_units, eight_units = solved["learned"]
border(
    atol=0.01,
    solved_2=two_units,
    solved_3=three_units,
    solved_4=four_units,
    solved_8=eight_units,
)
others = descend(init((2, 2, 1), range(200, 400))).losses[-1] < 0.1
border(atol=0.01, solved_2_other_seeds=others.mean())
within(atol=0, because="exact")(linear_solved=max(solved["no tanh"]))
right = (np.abs(sigmoid(forward(frozen.net, X)[-1]) - Y) < 0.5).all(axis=(1, 2))
within(atol=0.02, because="a smooth loss cut at 0.1: up to four runs lie at the cut")(
    frozen_8=solved["first layer frozen"][-1]
)
within(atol=0.01, because="up to two runs have an answer near one half")(
    frozen_8_right_side=right.mean()
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
for i, (kind, shares) in enumerate(solved.items()):
    places, colour = np.arange(4) + 0.27 * (i - 1), (BLUE, GREEN, ORANGE)[i]
    bars = ax.bar(places, 100 * np.array(shares), width=0.25, color=colour, label=kind)
    ax.bar_label(bars, fmt="{:.0f}%", color=plots.INK, fontsize=9)
ax.set_xticks(range(4), [f"{width} units" for width in WIDTHS])
ax.set(ylabel="runs solved (%)", ylim=(0, 165), yticks=(0, 25, 50, 75, 100))
ax.set_title("Width helps, but only where the first layer learns")
ax.grid(axis="x", visible=False)
ax.legend(loc="upper left", ncols=3)
figure(
    fig,
    name="solved",
    alt="With learned hidden units the share of solved runs rises with width, from about six in ten with two units to "
    "all with eight. With a frozen first layer few runs are solved, without tanh none.",
    caption="200 runs a bar, 2000 steps at learning rate 2. Solved: a loss below 0.1 nats.",
)

# %% [markdown]
# With eight learned units every run is solved. With eight random, frozen ones only
# {{ result("xor.frozen_8", ".0%") }} are. The frozen networks are slow rather than wrong. In
# {{ result("xor.frozen_8_right_side", ".0%") }} of them all four answers are on the right side of one half, but
# random features separate the four cases only a little, so the output weights have to grow for a long time.
#
# ## What surprised us
#
# **We expected many ways to fail and found one.** We sorted the stuck networks by what their units separate and prepared a
# table for the result. It had a single row.
#
# **The textbook's solution is the rarer one.** We gave 70% to OR and AND being the most common. Two detectors are.
#
# **What failed: random features.** Eight random units can express any answer to four cases, so we gave even odds that
# training the output alone would do. It solved {{ result("xor.frozen_8", ".0%") }} of the runs
# ([dead end](../dead-ends/xor-random-features.md)).
#
# ## Try it
#
# **1. Solve it by hand** (5 minutes). Choose the weights of two hidden units yourself, so that the loss is below 0.01.
#
# ??? tip "Hint"
#     Use OR and AND. OR is positive when *x*₁ + *x*₂ is above ½, AND when it is above 1½. XOR is “OR, but not AND”.
#     Multiply by a large number to be sure.

# %% tags=["solution"]
weights = np.array([[10, 10], [10, 10]]), np.array([[10], [-10]])
by_hand = Net(weights, (np.array([-5, -15]), np.array([-10])))
loss = cross_entropy(forward(by_hand, X)[-1], Y)
assert loss < 0.01, f"the loss is {loss:.3f}: thresholds at ½ and 1½? is AND subtracted?"
print(f"loss by hand: {loss:.5f}")

# %% [markdown]
# **2. The heights of failure** (10 minutes). Swap tanh for ReLU, with four hidden units. Now runs end at four different
# heights, 0 among them. Which, and why these?
#
# ??? tip "Hint"
#     A ReLU unit is 0 everywhere on one side of its line. Which cases can become indistinguishable? The best
#     answer to a group that cannot be told apart is its share of ones.

# %% tags=["solution"]
relu = descend(init((2, 4, 1), SEEDS, activation="relu"), lr=1).losses[-1]
third = -(np.log(1 / 3) + 2 * np.log(2 / 3)) / 4  # one of three is the odd one out
heights = {"all apart": 0, "two merged": np.log(2) / 2}
heights |= {"three merged": third, "all merged": np.log(2)}
counts = {name: int((np.abs(relu - at) < 0.02).sum()) for name, at in heights.items()}
total = sum(counts.values())
assert total >= 195, f"only {total} of 200 runs end at one of the heights: train longer"
for name, count in counts.items():
    print(f"{name:12} {count:4} runs")

# %% [markdown]
# **3. Three bits** (15 minutes). Parity of three bits is 1 when an odd number of them is 1: XOR twice. What is the smallest
# number of hidden units with which some run of 100 solves it? Does it matter whether inputs are 0 and 1, or −1 and 1?
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
print("solved with two hidden units")
for name, solved in share.items():
    print(f"inputs {name:8} {solved:4.0%} of the runs")

# %% [markdown]
# ## You can now
#
# - write forward pass and backpropagation of a small network in eight lines, and check a gradient by nudging;
# - explain why a network needs a nonlinearity, and what its hidden units do to the plane;
# - interpret a loss that stops: at half of ln 2, ask which two cases the network has merged.
#
# ## What this does not show
#
# - All four cases are trained on, so nothing here is about generalising to new inputs.
# - Plain gradient descent on full batches. The noise of small batches, momentum or Adam may free stuck runs.
# - One kind of start (Glorot uniform, biases zero). How often runs are stuck may depend on it. With eight units none was.
#
# ## Going deeper
#
# ### A stuck run is not at a local minimum
#
# Such ends are often called local minima. Are these? The *Hessian*, the table of all second derivatives, can tell. Its
# eigenvalues are the curvatures along its own axes, one for each of the nine parameters. A negative one would be a way
# down, and the point a saddle. We continue all 200 runs for ten times the steps, with the solved ones as the control.

# %% tags=["setup"]
later = descend(two.net, steps=18_000, every=2000)
above = later.losses[:, ~is_solved] - np.log(2) / 2  # (notes, stuck runs)
control = np.median(later.losses[0, is_solved] / later.losses[-1, is_solved])
curvature = np.linalg.eigvalsh(hessian(select(later.net, ~is_solved), X, Y))  # rising
within(atol=0, because="exact")(
    freed_by_time=(later.losses[-1, ~is_solved] < 0.1).mean(),
    saddle_share=(curvature[:, 0] < 0).mean(),
)
within(rtol=0.05, because=MEDIAN)(
    smallest_curvature=np.median(curvature[:, 0]),
    above_half_ln2_ratio=np.median(above[0] / above[-1]),
    above_zero_ratio=control,
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
steps = 2000 + later.steps
for distance, colour, style, text in (
    (above, BLUE, "o-", "stuck: above ½ ln 2"),
    (later.losses[:, is_solved], ORANGE, "s--", "control, solved: above 0"),
):
    median = np.median(distance, axis=1)
    ax.loglog(steps, median, style, color=colour, ms=4)
    ax.annotate(
        text, (steps[4], median[4]), (6, 6), textcoords="offset points", color=plots.INK
    )
ax.loglog(steps, np.median(above[0]) * 2000 / steps, color=plots.INK, lw=1, ls=":")
ax.set(
    xlabel="steps", ylabel="loss above its end (nats)", title="Neither group ever arrives"
)
ax.set_xticks([2000, 5000, 20_000], ["2000", "5000", "20 000"])
ax.minorticks_off()
figure(
    fig,
    name="never_arrives",
    alt="The loss of stuck runs comes nearer to half of ln 2 as one over the number of steps, without end. The loss of "
    "solved runs comes nearer to 0 in the same way.",
    caption="Medians over the runs with two hidden units. Dotted: falling as one over the number of steps.",
)

# %% [markdown]
# No stuck run solves the task after all ({{ result("xor.freed_by_time", ".0%") }}), and none is at a saddle. The loss
# curves upwards in all nine directions, though in the flattest only barely, with a curvature of
# {{ result("xor.smallest_curvature", ".1e") }}.
#
# It is not a minimum either, because the run never arrives: with ten times the steps its distance to half of ln 2
# shrinks by a factor of {{ result("xor.above_half_ln2_ratio", ".1f") }}. We read that as a valley whose bottom is at
# infinity, which the weights approach as they grow. Solved runs do the same on their way to 0. What marks a failure is
# the height, not that the run never arrives. [Where the stuck runs are](09_stuck.md) kicks them, holds them with weight
# decay, and asks whether there is a way out.
#
# ### Too large a learning rate
#
# We train networks with four hidden units at learning rates from small to far too large. The control is AND, an easy
# task that needs no hidden layer: if AND breaks as well, the trouble is not XOR.

# %% tags=["setup"]
RATES = (0.03, 0.3, 1, 3, 5, 7, 10, 30)
AND = np.array([[0.0], [0.0], [0.0], [1.0]])
start = init((2, 4, 1), SEEDS)
at_rate = {rate: descend(start, lr=rate, steps=500) for rate in RATES}
with_and = [descend(start, AND, lr=rate, steps=500).losses[-1] for rate in RATES]
shares = [(runs.losses[-1] < 0.1).mean() for runs in at_rate.values()]
shares_and = [(losses < 0.1).mean() for losses in with_and]
broken, loss_30 = at_rate[30].net, np.median(at_rate[30].losses[-1])
border(atol=0.01, solved_at_rate_1=shares[RATES.index(1)])
chaos = within(atol=0.05, because=CHAOS)
chaos(
    solved_at_rate_5=shares[RATES.index(5)],
    solved_at_rate_30=shares[-1],
    and_at_rate_30=shares_and[-1],
)
within(rtol=0.3, because=CHAOS)(unit="nats", loss_at_rate_30=loss_30)

limit = np.median(2 / np.linalg.eigvalsh(hessian(start, X, Y))[:, -1])
within(rtol=1e-3, because="fixed starts, smooth function: rounding only")(
    rate_limit_at_start=limit
)
h, z = forward(broken, X)[1:]  # (200 runs, 4 cases, 4 units), (200 runs, 4 cases, 1)
dead = (np.abs(h) > 0.99).all(axis=1) & (np.sign(h) == np.sign(h[:, :1])).all(axis=1)
yes, yes_next = z > 0, forward(descend(broken, lr=30, steps=1).net, X)[-1] > 0
swings = ((yes != yes_next) & (yes == yes[:, :1])).all(axis=(1, 2))
chaos(dead_units_at_rate_30=dead.mean())
chaos(atol=0.06, swinging_at_rate_30=swings.mean())

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.2)
left.semilogx(RATES, 100 * np.array(shares), color=BLUE, marker="o", label="XOR")
left.semilogx(RATES, 100 * np.array(shares_and), "s--", color=ORANGE, label="control: AND")
left.axvline(limit, color=plots.MUTED, ls=":")
rule = "2 / curvature\nat the start"
left.text(limit * 0.9, 12, rule, ha="right", color=plots.INK, fontsize=9)
left.set(
    title="Four hidden units", xlabel="learning rate", ylabel="solved in 500 steps (%)"
)
left.set(ylim=(-3, 125), yticks=(0, 25, 50, 75, 100))
left.legend(loc="upper left", ncols=2)
left.minorticks_off()
for rate, colour in ((1, BLUE), (5, GREEN), (30, ORANGE)):
    one = descend(select(start, 0), lr=rate, steps=80, every=1)
    right.semilogy(one.steps, one.losses, color=colour, lw=1.5, label=f"rate {rate}")
right.set(title="One run", xlabel="step", ylabel="loss (nats)")
right.minorticks_off()
right.legend()
figure(
    fig,
    name="rates",
    alt="The share of solved runs is near 100 percent up to a learning rate of about 5 and falls to nothing by 30, for "
    "XOR and for AND. At rate 30 the loss jumps up and stays far above its start.",
    caption="200 runs a point. Small rates need more than 500 steps.",
    data={"xor": shares, "and": shares_and},
    rtol=0.1,
    because=CHAOS,
)

# %% [markdown]
# At learning rate 30 no run solves XOR, and {{ result("xor.and_at_rate_30", ".0%") }} solve the easy AND. The median
# loss is {{ result("xor.loss_at_rate_30", ".0f") }} nats, many times ln 2.
#
# The steps are so long that {{ result("xor.dead_units_at_rate_30", ".0%") }} of the hidden units end up with one value for all four cases and
# no slope left to learn by. In {{ result("xor.swinging_at_rate_30", ".0%") }} of the runs the next step turns one answer to all four
# cases into the opposite answer to all four.
#
# A rule of thumb gives the limit: where the loss has curvature $\lambda$, steps grow if the rate is above $2/\lambda$. That
# is {{ result("xor.rate_limit_at_start", ".1f") }} here, yet at rate 5 {{ result("xor.solved_at_rate_5", ".0%") }} of the
# runs are solved. A likely reason, not measured here: steps that overshoot at first can carry a network to flatter ground
# ([Lewkowycz et al. 2020](https://arxiv.org/abs/2003.02218), [Cohen et al. 2021](https://arxiv.org/abs/2103.00065)).
#
# - After this: [Where the stuck runs are](09_stuck.md)
# - Finding: [Stuck XOR networks are half of each solution](../findings/xor-stuck-is-half-of-each.md)
# - Finding: [A stuck run is in a valley without end, not in a basin](../findings/xor-valley-without-end.md)
# - Dead end: [Random features instead of learned ones](../dead-ends/xor-random-features.md)
# - Question: [Can the start tell which runs will be stuck?](../questions/xor-fate-from-start.md)
# - Minsky & Papert (1969), [Perceptrons](https://doi.org/10.7551/mitpress/11301.001.0001)
# - Rumelhart, Hinton & Williams (1986),
#   [Learning representations by back-propagating errors](https://doi.org/10.1038/323533a0)
# - Glorot & Bengio (2010),
#   [Understanding the difficulty of training deep feedforward neural networks](https://proceedings.mlr.press/v9/glorot10a.html)

# %% tags=["setup"]
in_words(
    linear_loss="Loss of the network without tanh",
    solved_2="Runs solved with two hidden units",
    solved_2_other_seeds="The same with 200 other starts",
    solved_3="Runs solved with three",
    solved_4="Runs solved with four",
    solved_8="Runs solved with eight",
    linear_solved="Runs solved without tanh, at any width",
    frozen_8="Runs solved with eight random, frozen units",
    frozen_8_right_side="Of these, all four answers on the right side of one half",
    kind_or_and="Solved runs whose units are OR and AND",
    kind_only="Solved runs whose units are two detectors",
    stuck_mixed="Stuck runs with one unit of each solution",
    solved_mixed="Solved runs with one unit of each solution",
    stuck_runs="Runs that are stuck",
    freed_by_time="Stuck runs that ten times the steps set free",
    saddle_share="Stuck runs at a saddle",
    smallest_curvature="Smallest curvature at a stuck run, median",
    above_half_ln2_ratio="How far stuck runs come nearer to half of ln 2 in ten times the steps",
    above_zero_ratio="How far solved runs come nearer to 0 in ten times the steps",
    solved_at_rate_1="Runs solved at learning rate 1",
    solved_at_rate_5="Runs solved at learning rate 5",
    solved_at_rate_30="Runs solved at learning rate 30",
    and_at_rate_30="Runs of AND solved at learning rate 30",
    loss_at_rate_30="Median loss at learning rate 30",
    rate_limit_at_start="Largest stable learning rate by the curvature at the start",
    dead_units_at_rate_30="Hidden units with one value for all four cases, at rate 30",
    swinging_at_rate_30="Runs whose next step turns all answers round, at rate 30",
)
