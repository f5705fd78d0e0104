# ---
# title: Where the stuck runs are
# question: Where is an XOR network that is stuck at no saddle and yet never arrives, and is there a way out?
# level: advanced
# minutes: 15
# models: []
# needs: [01_xor]
# tags: [training dynamics, loss landscape]
# chapter: Start
# thumbnail: way_out
# timeout: 240
# ---

# %% [markdown]
# [XOR from scratch](01_xor.md) trained 200 networks with two hidden units on XOR. About six in ten learned it. The
# others stopped at one and the same height, ½ ln 2, and ten times the steps freed none of them. Here we look at the
# place where they are: is it a minimum, how deep is it, and does a way lead out that never goes uphill?

# %% tags=["setup"]
from itertools import pairwise

import numpy as np

from llmnotes.lab import figure, in_words, plots, predict, within
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
    unflatten,
)

BLUE, ORANGE, *_ = plots.COLOURS
BORDER = "a run that starts near a border between valleys may fall either way: two of 200"
KICKED = "a few of the kicked runs may fall the other way"
MEDIAN = "a median over runs, of which two may differ"
ROUNDING = "a fixed point of a fixed function: rounding only"
note = within(rtol=1e-3, because=ROUNDING)

# %% [markdown]
# ## What you need to know
#
# From the first lab: a stuck run holds **half of each solution**. One of its units is OR, the other a *detector* that
# says yes to one case only. Together they *merge* two cases with different answers: both are sent to the same corner,
# where the network can only say "one half". Two cases cost nothing and two cost ln 2 each, so the mean is ½ ln 2 ≈ 0.35.
#
# **Three kinds of ground.** At a *minimum* all derivatives are zero and the ground is curved upwards in every
# direction. At a *saddle* it is level too, but curved downwards in some. In a *valley without end* it is never quite
# level: the loss goes on falling, ever more slowly, towards a bottom at infinity. The *Hessian*, the table of second
# derivatives, shows the curvatures by its eigenvalues.
#
# The first lab found upward curvature in all nine directions, the flattest
# {{ result("xor.smallest_curvature", ".1e") }}, and a loss that comes
# {{ result("xor.above_half_ln2_ratio", ".1f") }} times nearer to ½ ln 2 with ten times the steps.
#
# We train the same 200 networks again, from the same starts, and keep those that are stuck.

# %%
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])  # (4 cases, 2 inputs)
Y = np.array([[0.0], [1.0], [1.0], [0.0]])  # (4 cases, 1 answer)


def descend(net: Net, steps: int, inputs: np.ndarray = X, **more) -> tuple[Net, np.ndarray]:
    """The trained networks, and which of them are solved: a loss below 0.1 nats."""
    runs = train(net, inputs, Y, lr=2, steps=steps, every=steps, **more)
    return runs.net, runs.losses[-1] < 0.1


two, is_solved = descend(init((2, 2, 1), range(200)), steps=2000)
stuck, STUCK = select(two, ~is_solved), np.flatnonzero(~is_solved)
print(len(STUCK), "of 200 runs are stuck")

# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     Add noise to all nine parameters of a stuck run and train it again. How large must the noise be, and does it
#     then do better than a fresh random start? And can there be a path to a solution that never goes uphill, from a
#     place that is curved upwards in all directions?
#
# Our own guesses, written before the runs, together with those of the first lab:

# %%
predict("A random kick of size 1 frees more than half", 0.4, freed_by_kick_1="> 0.5")
predict("From most, a path that never rises leads out", 0.6, downhill_share="> 0.5")
predict("Inputs centred on 0 make two units succeed more often", 0.6, centred_gain="> 0")

# %% [markdown]
# ## A price on large weights
#
# If the bottom of the valley is at infinity, a small price on large weights (*weight decay*) puts it out of reach.
# Then the runs must stop somewhere, and we can ask whether they stop at a true minimum: all derivatives zero, and all
# curvatures positive.

# %%
DECAY = 0.003
held, got_out = descend(stuck, steps=3000, decay=DECAY)
slope = np.linalg.norm(flatten(gradients(held, X, Y)[1]) + DECAY * flatten(held), axis=1)
lowest = np.linalg.eigvalsh(hessian(held, X, Y) + DECAY * np.eye(9))[:, 0]
note(
    atol=0,
    true_minimum_share=((slope < 1e-10) & (lowest > 1e-6)).mean(),
    stuck_with_decay=(~got_out).mean(),
)

# %% [markdown]
# How high do they lie, loss and price together? The control: the solved runs, trained on with the same price.

# %%
control, _ = descend(select(two, is_solved), steps=3000, decay=DECAY)


def height(net: Net) -> np.ndarray:
    """Loss and price of every network."""
    squares = (flatten(net) ** 2).sum(axis=1)
    return cross_entropy(forward(net, X)[-1], Y) + DECAY / 2 * squares


note(distinct_minima=len(np.unique(height(held).round(6))))
note(unit="nats", height_stuck=height(held).min())
note(rtol=1e-2, unit="nats", height_solved=height(control).max())

# %% [markdown]
# With the price all of them ({{ result("stuck.true_minimum_share", ".0%") }}) come to rest at a true minimum, and
# {{ result("stuck.stuck_with_decay", ".0%") }} are still stuck: no loss falls below 0.1 nats. All end at one height (different
# heights: {{ result("stuck.distinct_minima") }}), so we take it to be the same one up to swaps of units, signs and inputs. It
# is not the lowest: with the price it lies at {{ result("stuck.height_stuck", ".2f") }} nats, the solved runs at
# {{ result("stuck.height_solved", ".2f") }} or below. So "local minimum" is right with this weight decay, and wrong without.
#
# ## Kicks
#
# How deep in the valley are they? We add noise to all nine parameters of every stuck run, train again, and count who
# gets out. The kick's size is the standard deviation of the noise. The baseline is a fresh random start.

# %%
KICKS = (0.3, 1, 2, 4, 8)
noise = np.stack([np.random.default_rng(1000 + run).normal(size=9) for run in STUCK])
freed = []
for size in KICKS:
    kicked = unflatten(flatten(stuck) + size * noise, stuck)
    freed.append(descend(kicked, steps=1000)[1].mean())
note(atol=0.03, because=KICKED, freed_by_kick_1=freed[KICKS.index(1)])
note(atol=0.05, because=KICKED, freed_at_best=max(freed))
fresh = is_solved.mean()

# %% [markdown]
# The share that gets out, by the size of the kick.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
ax.semilogx(
    KICKS, 100 * np.array(freed), color=BLUE, marker="o", label="stuck runs, kicked"
)
ax.axhline(100 * fresh, color=ORANGE, ls="--", lw=1.5, label="baseline: a fresh start")
ax.set(xlabel="size of the kick", ylabel="solved afterwards (%)", ylim=(-3, 100))
ax.set_xticks(KICKS, KICKS)
ax.minorticks_off()
ax.legend(loc="upper left")
figure(
    fig,
    name="kicks",
    alt="Kicks up to size 1 free no run, larger ones a minority, always fewer than a fresh random start solves.",
    caption="A kick seldom helps. Runs with two hidden units that were stuck after 2000 steps.",
)

# %% [markdown]
# A kick of size 1 on every parameter frees {{ result("stuck.freed_by_kick_1", ".0%") }} of them. The best size frees
# {{ result("stuck.freed_at_best", ".0%") }}, far fewer than a fresh start ({{ result("xor.solved_2", ".0%") }}). A
# likely reason, not tested here: a kick leaves the large weights large.
#
# ## A way out that gradient descent does not take
#
# So is it a basin with walls all round? Sprinkhuizen-Kuyper & Boers (1999) say no for a close relative of our network
# (sigmoid units, squared error): from every finite point a path leads to a solution along which the error only falls.
# We look for one here. The idea: the OR unit must separate 00 from the merged pair, but it need not separate 00 from
# the fourth case, the one that the detector picks out, if the detector shouts twice as loud (has twice the output
# weight). So make all weights larger (down the valley), let the detector shout, and turn the OR unit while everything is
# saturated (units near −1 or 1 hardly move), until it has become the missing detector.
#
# First we rename things so that all stuck runs look alike: the merged cases are 01 and 11, the OR unit comes first.
# Since tanh(−z) = −tanh(z), a unit can be turned round, and XOR does not mind a swap of its inputs.


# %%
def build(w: list, b: list, v: list, c: float) -> Net:
    """Two hidden units: their weights in rows, their biases; output weights, output bias."""
    weights = np.array(w, float).T, np.array(v, float)[:, None]
    return Net(weights, (np.array(b, float), np.array([c], float)))


def alike(net: Net) -> Net:
    """The same network under other names: inputs swapped, units turned round or swapped."""
    v = net.weights[1][:, 0]
    turned = np.where(v < 0, -1.0, 1.0)
    w, b, v = net.weights[0].T * turned[:, None], net.biases[0] * turned, v * turned
    if abs(sigmoid(forward(net, X)[-1])[2, 0] - 0.5) < 0.2:  # the merged pair holds 10
        w = w[:, ::-1]
    order = np.argsort(-w[:, 1])
    return build(w[order], b[order], v[order], net.biases[1][0])


# %% [markdown]
# The path has four straight pieces: down the valley, with the detector twice as loud; the first unit turned until it
# looks at the second input only; turned further, until it is "only 01"; and made as loud as the other. As the control
# we take the straight line from the stuck run to the same end.

# %% tags=["idea"]
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
# We walk it from every stuck run and look for any step upwards. Where the path turns off from the valley, we also
# measure the slope: all of it, and the part that points along the turn.

# %%
starts = [alike(select(stuck, i)) for i in range(len(STUCK))]
ways = np.array([losses_along([start, *WAY]) for start in starts])  # (stuck runs, points)
straight = np.array([losses_along([start, WAY[-1]]) for start in starts])
rise = np.median(straight.max(axis=1) - straight[:, 0])
note(atol=0, downhill_share=(np.diff(ways, axis=1).max(axis=1) < 1e-12).mean())
note(end_of_path=ways[:, -1].max() < 1e-6)
note(rtol=0.02, because=MEDIAN, unit="nats", straight_rise=rise)
steepest = flatten(gradients(WAY[0], X, Y)[1])
slope = np.linalg.norm(steepest)
turn = flatten(WAY[1]) - flatten(WAY[0])
downhill = -steepest @ turn / np.linalg.norm(turn) / slope
note(atol=1e-3, turn_downhill=downhill)
note(slope_at_turn=slope)

# %% [markdown]
# The loss along the way, with the control.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
for line, colour, label in (
    (ways[0, ::25], BLUE, "our path (one of the stuck runs)"),
    (straight[0, ::10], ORANGE, "control: the straight line"),
):
    ax.plot(np.linspace(0, 4, len(line)), line, color=colour, label=label)
ax.axhline(np.log(2) / 2, color=plots.MUTED, lw=1, ls=":")
ax.set_xticks(range(5), ["stuck", "louder", "half turned", "turned", "solved"])
ax.set(ylabel="loss (nats)", xlabel="along the path", yscale="log", ylim=(0.05, 30))
ax.legend(loc="upper left")
figure(
    fig,
    name="way_out",
    alt="Along our path the loss is nearly flat at half of ln 2 for two pieces, then falls to 0, and never rises. "
    "Along the straight line to the same solution it first rises like a wall.",
    caption="The path never rises. On its first two pieces it falls by less than the line is thick; at the end both "
    "fall out of the picture.",
)

# %% [markdown]
# From {{ result("stuck.downhill_share", ".0%") }} of the stuck runs the path leads to a solution and never rises (by
# more than rounding, 10⁻¹²), while the straight line to the same place climbs a median of
# {{ result("stuck.straight_rise", ".2f") }} nats. So these are no walled basins, in spite of the curvature upwards at
# every place where a run was found. The way out exists, and it does not go uphill. Gradient descent does not take it,
# since it goes down the steepest way, and that leads further along the valley, to infinity. Where our path turns off,
# the whole slope is {{ result("stuck.slope_at_turn", ".0e") }} nats per unit, and the part of it that points along
# the turn is {{ result("stuck.turn_downhill", ".3f") }} of that: level ground, as far as gradient descent can tell.
#
# ## Which two cases merge
#
# In the stuck runs, something else is odd. We count which two cases are merged; and, as the control, again with the
# same inputs shifted so that they are centred on 0 (−½ and ½ instead of 0 and 1).

# %%
EDGES = (
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 3),
)  # pairs of neighbours; the last two hold the case 11


def merged_pairs(net: Net, inputs: np.ndarray) -> np.ndarray:
    """How many of the stuck networks merge each edge of the square."""
    unsure = (
        np.abs(sigmoid(forward(net, inputs)[-1])[..., 0] - 0.5) < 0.3
    )  # (runs, 4 cases)
    return np.array([(unsure[:, a] & unsure[:, b]).sum() for a, b in EDGES])


centred, ok = descend(init((2, 2, 1), range(200)), steps=2000, inputs=X - 0.5)
pairs, pairs_centred = merged_pairs(stuck, X), merged_pairs(select(centred, ~ok), X - 0.5)
far, far_centred = (p[2:].sum() / p.sum() for p in (pairs, pairs_centred))
note(atol=0.03, because=BORDER, far_corner=far)
note(atol=0.05, because=BORDER, far_corner_centred=far_centred)
note(atol=0.01, because=BORDER, solved_2_centred=ok.mean())
note(atol=0.02, because=BORDER, centred_gain=ok.mean() - fresh)

# %% [markdown]
# The four pairs, for both ways to write the inputs.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
for shift, counts, colour, label in (
    (-0.18, pairs, BLUE, "inputs 0 and 1"),
    (0.18, pairs_centred, ORANGE, "control: inputs −½ and ½"),
):
    bars = ax.bar(np.arange(4) + shift, counts, width=0.34, color=colour, label=label)
    ax.bar_label(bars, color=plots.INK, fontsize=9)
ax.set_xticks(range(4), ["00 with 01", "00 with 10", "01 with 11", "10 with 11"])
ax.set(ylabel="stuck runs", xlabel="the two cases that are merged", ylim=(0, 50))
ax.grid(axis="x", visible=False)
ax.legend(loc="upper left")
figure(
    fig,
    name="merged",
    alt="With inputs 0 and 1 the case 11 is in every merged pair and 00 in none. With centred inputs all four pairs "
    "are about as frequent, and fewer runs are stuck.",
    caption="Stuck runs of 200 with two hidden units, by the pair that they merge.",
)

# %% [markdown]
# With inputs 0 and 1, {{ result("stuck.far_corner", ".0%") }} of the merged pairs hold the case 11. XOR does not care
# which corner is which, so the cause must be how we write the inputs. Centred, it is
# {{ result("stuck.far_corner_centred", ".0%") }}, and the share of solved runs goes from
# {{ result("xor.solved_2", ".0%") }} to {{ result("stuck.solved_2_centred", ".0%") }} (200 other starts, not centred:
# {{ result("xor.solved_2_other_seeds", ".0%") }}). With a bias of zero, every unit starts out saying 0 to the case 00, and
# on average its largest sums belong to the case 11, furthest from the origin: there it saturates first, and a saturated
# unit tells nothing apart. That is our reading; the control shows only that the position of the inputs is the cause.
#
# ## What surprised us
#
# - *Local minimum* is wrong here in an unexpected way. It is no saddle, it is no minimum, and it has a way out
#   downhill all the same.
# - A kicked run is worse off than a fresh start. That a kick of size 1 frees more than half we gave two chances in five.
# - XOR treats its four corners alike; training does not. We found this in the counts and had predicted nothing of it.
#
# ## Try it yourself
#
# **1. Why twice as loud?** (advanced, 10 minutes). On our path the detector shouts twice as loud as the OR unit.
# Walk the same path with both equally loud. What is the highest loss on it, and which cases are lost there?
#
# ??? tip "Hint"
#     With output weights (V, V) the output bias must be 0, or the merged pair is no longer at "one half". At "half
#     turned" write down what both units say to each of the four cases, and add up.

# %% tags=["solution"]
first = (K, 0, -1.5 * K)  # the first weight of the unit that is turned
equal = [build([[w, 2 * K], [2 * K, -2 * K]], [-K, -K], [V, V], 0) for w in first]
highest = losses_along([starts[0], *equal, WAY[-1]]).max()
assert abs(highest - 0.75 * np.log(2)) < 1e-3, (
    f"the highest loss is {highest:.3f}: are three of the four cases at one half there?"
)
print(
    "the path climbs to", highest.round(4), "nats: 3/4 of ln 2, with 01, 10 and 11 all lost"
)

# %% [markdown]
# **2. Move the corner** (intermediate, 5 minutes). Write the inputs as −1 and 0 instead of 0 and 1. Which case is
# now in every merged pair? Say it before you run it.
#
# ??? tip "Hint"
#     Which corner is now furthest from the origin?

# %% tags=["solution"]
moved, ok = descend(init((2, 2, 1), range(200)), steps=2000, inputs=X - 1)
by_edge = merged_pairs(select(moved, ~ok), X - 1)
assert by_edge[:2].sum() > 0.9 * by_edge.sum(), (
    f"{by_edge}: is it 00 that is furthest away?"
)
print("stuck runs that merge 00-01, 00-10, 01-11, 10-11:", by_edge)

# %% [markdown]
# ## What this does not show
#
# - One path was built by hand for one kind of failure, and checked at many points along it, not proved.
# - "True minimum" was shown with one strength of weight decay, for the runs we had. We have not searched for others.
# - Kicks were noise of one kind, the same size on every parameter, and one kick each.
# - The valley at ½ ln 2 belongs to tanh and cross-entropy with two units, and says little of failures in large networks.
# - Full batches and plain gradient descent only. Momentum, Adam or the noise of small batches may find the way out.
#
# ## Links
#
# - Before this: [XOR from scratch](01_xor.md)
# - Finding: [A stuck run is in a valley without end, not in a basin](../findings/xor-valley-without-end.md)
# - Surprise: [The corner furthest from the origin is always merged](../surprises/xor-far-corner.md)
# - Question: [Can the start tell which runs will be stuck?](../questions/xor-fate-from-start.md)
# - Sprinkhuizen-Kuyper & Boers (1999), "The local minima of the error surface of the 2-2-1 XOR network", Annals of
#   Mathematics and Artificial Intelligence 25, from page 107

# %% tags=["labels"]
in_words(
    true_minimum_share="Stuck runs that rest at a true minimum with weight decay",
    stuck_with_decay="Runs still stuck with weight decay",
    distinct_minima="Different heights of these minima",
    height_stuck="Height of the stuck runs, with the price of their weights",
    height_solved="Height of the solved runs, with the price, at most",
    freed_by_kick_1="Stuck runs freed by a kick of size 1",
    freed_at_best="Stuck runs freed by the best kick",
    downhill_share="Stuck runs from which a path that never rises leads out",
    end_of_path="All these paths end solved",
    straight_rise="Climb of the straight line to the same end, median",
    turn_downhill="Part of the slope that points along the turn",
    slope_at_turn="Slope where the path turns off, in nats per unit",
    far_corner="Merged pairs that hold the case 11, inputs 0 and 1",
    far_corner_centred="Merged pairs that hold the case 11, inputs centred",
    solved_2_centred="Runs that solve XOR with centred inputs",
    centred_gain="Gain by centred inputs",
)
