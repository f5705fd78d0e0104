# ---
# title: Where the stuck runs are
# question: Can a stuck XOR network reach a solution without ever going uphill?
# answer: >-
#   Of the stuck runs {{ result("stuck.downhill_share", ".0%") }} can be led to a solution without ever going uphill, although
#   the loss curves upwards in every direction around each of them.
# chapter: Start
# level: advanced
# models: []
# needs: [01_xor]
# tags: [training dynamics, loss landscape]
# thumbnail: way_out
# timeout: 240
# ---

# %% tags=["setup"]
from itertools import pairwise

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
    unflatten,
)

BLUE, ORANGE, *_ = plots.COLOURS
BORDER = "a run that starts near a border between valleys may fall either way: two of 200"
KICKED = "a few of the kicked runs may fall the other way"
MEDIAN = "a median over runs, of which two may differ"
ROUNDING = "a fixed point of a fixed function: rounding only"
note = within(rtol=1e-3, because=ROUNDING)

# %% [markdown]
# ## A case you can hold: one run that says “one half”
#
# [XOR from scratch](01_xor.md) trained 200 networks with two hidden units. About six in ten learned XOR. The others stopped at the
# same loss, and ten times as many steps freed none of them. Here is the first of them, with its answers to the four cases.

# %% tags=["setup"]
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])  # (4 cases, 2 inputs)
Y = np.array([[0.0], [1.0], [1.0], [0.0]])  # (4 cases, 1 answer)


# %% tags=["idea"]
def descend(net: Net, steps: int, inputs: np.ndarray = X, **more) -> tuple[Net, np.ndarray]:
    """The trained networks, and which of them are solved: a loss below 0.1 nats."""
    runs = train(net, inputs, Y, lr=2, steps=steps, every=steps, **more)
    return runs.net, runs.losses[-1] < 0.1


two, is_solved = descend(init((2, 2, 1), range(200)), steps=2000)
stuck, STUCK = select(two, ~is_solved), np.flatnonzero(~is_solved)
one = sigmoid(forward(select(stuck, 0), X)[-1])[:, 0]
for (a, b), truth, says in zip(X.astype(int), Y[:, 0], one, strict=True):
    print(f"{a} XOR {b} = {truth:.0f}, the run says {says:.2f}")

# %% [markdown]
# Two answers are right. The other two cases have different true answers, yet the network answers one half to both: it has *merged*
# them. Each merged case costs $\ln 2$, so the mean over the four cases is $\frac{1}{2} \ln 2$, about 0.35 nats. Every stuck run
# looks like this.
#
# ## Three places where training can seem to stop
#
# {{ drawing("xor-network", light="planes", alt="Two inputs lead to two hidden units and these to one output. Below the hidden units, lit up: each draws one straight line through the plane of inputs.") }}
#
# $$
# L = -\frac{1}{4} \sum_{x} \bigl[\, y_x \ln p_x + (1 - y_x) \ln (1 - p_x) \,\bigr]
# $$
#
# $p_x$ is the probability of 1 that the network gives to case $x$, and $y_x$ is the true answer. $L$ depends on nine numbers, six
# weights and three biases. Picture it as the height of a landscape over them. Where can training seem to stop?
#
# - At a *minimum* all slopes are zero and the loss curves upwards in every direction.
# - At a *saddle* all slopes are zero too, but the loss curves downwards in some direction.
# - In a *valley without end* the slope never quite reaches zero: the loss keeps falling, ever more slowly, towards a bottom at
#   infinity.
#
# The curvatures are the eigenvalues of the *Hessian*, the matrix of second derivatives.
#
# The first lab measured these curvatures at the stuck runs: all nine are positive, so no run is at a saddle. But the
# loss is still creeping towards $\frac{1}{2} \ln 2$, and ten times the steps bring it
# {{ result("xor.above_half_ln2_ratio", ".1f") }} times nearer. So a stuck run is in a valley without end. Does that
# valley have walls?
#
# ```exercise
# title: What merging costs
# minutes: 2
# code: |
#   # a network that merges three cases, and says 1/3 to each of them: 01 (true 1), 11 and 00 (true 0)
#   p = 1 / 3
#   loss = (-np.log(p) - 2 * np.log(▢)) / 4
#   assert abs(loss - 0.4774) < 1e-3
# right: ["1 - p", "1-p", "(1 - p)", "2 / 3", "2/3"]
# praise: "Two of the three are 0, and the network gives 0 a probability of 1 - p."
# wrong:
#   "p": "p is the probability of 1. What does the network give to 0?"
#   "1": "That would cost nothing: the network would be sure and right."
# otherwise: "p is the probability that the answer is 1. Two of these cases have the answer 0."
# solution: "`1 - p`, the probability of the answer 0."
# ```
#
# ## Your prediction

# %%
ask(
    "All nine curvatures at a stuck run point upwards. Is there a path from there to a solution that never goes uphill?",
    choices={
        "wall": "No: the run is in a basin with walls all round",
        "jump": "Only with a leap: a large enough kick jumps over the wall",
        "path": "Yes, from nearly all of them",
    },
    answer="path",
    because={
        "wall": "Curvature at one point says how the ground bends there. Where the ground is not level, it says nothing of walls further off.",
        "jump": "Kicks help a little, but less than a fresh start. There is no wall to jump over.",
        "path": "Further down the valley the units saturate, and then one can be turned at no cost.",
    },
    figure="way_out",
    downhill_share="> 0.9",
)
predict("A random kick of size 1 frees more than half", 0.4, freed_by_kick_1="> 0.5")
predict("From most, a path that never rises leads out", 0.6, downhill_share="> 0.5")
predict("Inputs centred on 0 make two units succeed more often", 0.6, centred_gain="> 0")

# %% [markdown]
# ## A way out exists, and it never goes uphill
#
# A stuck run holds half of each solution: one unit is OR, the other a *detector* that answers yes to one case only. Such a run has
# some freedom left. The OR unit must separate 00 from the merged pair. It need not separate 00 from the case that the detector
# picks out, if the detector has twice the output weight.
#
# So we build a path in three moves. First we make all weights larger, which leads down the valley, and give the detector twice the
# output weight. Now both units are saturated: their tanh stays at −1 or 1 under small changes. Then we turn the OR unit, which
# costs almost nothing, until it has become the missing detector.


# %% tags=["setup"]
def build(w: list, b: list, v: list, c: float) -> Net:
    """Two hidden units: their weights in rows, their biases; output weights, output bias."""
    weights = np.array(w, float).T, np.array(v, float)[:, None]
    return Net(weights, (np.array(b, float), np.array([c], float)))


def renamed(net: Net) -> Net:
    """The same network under other names: inputs swapped, units turned round or swapped."""
    v = net.weights[1][:, 0]
    turned = np.where(v < 0, -1.0, 1.0)
    w, b, v = net.weights[0].T * turned[:, None], net.biases[0] * turned, v * turned
    if abs(sigmoid(forward(net, X)[-1])[2, 0] - 0.5) < 0.2:  # the merged pair holds 10
        w = w[:, ::-1]
    order = np.argsort(-w[:, 1])
    return build(w[order], b[order], v[order], net.biases[1][0])


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


# %% tags=["setup"]
starts = [renamed(select(stuck, i)) for i in range(len(STUCK))]
ways = np.array([losses_along([start, *WAY]) for start in starts])  # (stuck runs, points)
straight = np.array([losses_along([start, WAY[-1]]) for start in starts])
climb = (ways - np.minimum.accumulate(ways, axis=1)).max(axis=1)  # above the lowest so far
rise = np.median(straight.max(axis=1) - straight[:, 0])
note(atol=0, downhill_share=(climb < 1e-4).mean())
note(end_of_path=ways[:, -1].max() < 1e-6)
note(rtol=0.02, because=MEDIAN, unit="nats", straight_rise=rise)
steepest = flatten(gradients(WAY[0], X, Y)[1])
slope = np.linalg.norm(steepest)
turn = flatten(WAY[1]) - flatten(WAY[0])
downhill = -steepest @ turn / np.linalg.norm(turn) / slope
note(atol=1e-3, turn_downhill=downhill)
note(slope_at_turn=slope)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
for line, colour, label, gid, at in (
    (ways[0, ::25], BLUE, "our path", "choice-path", (1.1, 0.2)),
    (
        straight[0, ::10],
        ORANGE,
        "control: straight to the same end",
        "choice-wall",
        (0.6, 14),
    ),
):
    (drawn,) = ax.plot(np.linspace(0, 4, len(line)), line, color=colour)
    drawn.set_gid(gid)
    ax.text(*at, label, color=colour)
ax.axhline(np.log(2) / 2, color=plots.MUTED, lw=1, ls=":")
ax.set_xticks(range(5), ["stuck", "louder", "half turned", "turned", "solved"])
ax.set(ylabel="loss (nats)", xlabel="along the path", yscale="log", ylim=(0.05, 30))
ax.set_title("The path stays level, then falls; the straight line climbs")
figure(
    fig,
    name="way_out",
    alt="Along our path the loss is nearly flat at half of ln 2 for two pieces, then falls to 0, and never rises. "
    "Along the straight line to the same solution it first rises like a wall.",
    caption="One of the stuck runs. On its first two pieces our path falls by less than the line is thick; at the end both "
    "fall out of the picture.",
    rtol=0.01,
    because=ROUNDING,
)

# %% [markdown]
# From {{ result("stuck.downhill_share", ".0%") }} of the stuck runs the path leads to a solution and never rises (by
# more than 0.0001 nats above its lowest point so far). The control is the straight line to the same solution. It climbs
# by {{ result("stuck.straight_rise", ".2f") }} nats (median), many times the $\frac{1}{2} \ln 2$ at which it starts. So
# a stuck run is not in a walled basin, although the loss curves upwards in every direction around it.
#
# Why does gradient descent not take this path? It follows the steepest descent, and that leads along the valley, towards infinity.
# Where our path turns off, the slope is only {{ result("stuck.slope_at_turn", ".0e") }} nats per unit of weight, and of that slope
# a share of {{ result("stuck.turn_downhill", ".3f") }} points along the turn. To gradient descent the turn is level ground.
#
# ## With weight decay the stuck runs do rest at a minimum
#
# A bottom at infinity needs infinite weights. *Weight decay*, a small price on large weights, puts it out of reach:
#
# $$
# L + \frac{\lambda}{2}\, |\theta|^2
# $$
#
# $\theta$ are the nine weights and biases, and $\lambda$ is 0.003. We train the stuck runs further with this price, and three steps
# of Newton's method find the exact point where each comes to rest. Are all slopes zero there, and all curvatures positive?

# %% tags=["setup"]
DECAY = 0.003
held, got_out = descend(stuck, steps=3000, decay=DECAY)


def ground(net: Net) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (runs, 9) and curvatures (runs, 9, 9) of loss and price."""
    slopes = flatten(gradients(net, X, Y)[1]) + DECAY * flatten(net)
    return slopes, hessian(net, X, Y) + DECAY * np.eye(9)


for _ in range(3):  # Newton's method: to the point of rest, within rounding
    slopes, curved = ground(held)
    step = np.linalg.solve(curved, slopes[..., None])[..., 0]
    held = unflatten(flatten(held) - step, held)
slopes, curved = ground(held)
level = np.linalg.norm(slopes, axis=1) < 1e-9
lowest = np.linalg.eigvalsh(curved)[:, 0]
control, _ = descend(select(two, is_solved), steps=3000, decay=DECAY)


def height(net: Net) -> np.ndarray:
    """Loss and price of every network."""
    squares = (flatten(net) ** 2).sum(axis=1)
    return cross_entropy(forward(net, X)[-1], Y) + DECAY / 2 * squares


note(
    atol=0,
    true_minimum_share=(level & (lowest > 1e-4)).mean(),
    stuck_with_decay=(~got_out).mean(),
)
note(distinct_minima=len(np.unique(height(held).round(5))))
note(unit="nats", height_stuck=height(held).min())
note(rtol=1e-2, unit="nats", height_solved=height(control).max())

# %% [markdown]
# Yes: {{ result("stuck.true_minimum_share", ".0%") }} of them rest at a true minimum, and
# {{ result("stuck.stuck_with_decay", ".0%") }} are still stuck. Rounded to five digits, they have
# {{ result("stuck.distinct_minima") }} height, so we take them to be one minimum, up to swaps of units, signs and inputs.
#
# That minimum lies at {{ result("stuck.height_stuck", ".2f") }} nats, loss plus price. The control, solved runs trained
# on with the same price, ends at {{ result("stuck.height_solved", ".2f") }} or below. So *local minimum* is the right
# name with this weight decay, and the wrong one without.
#
# ## A kick is worse than a fresh start
#
# Perhaps a push helps. We add noise to all nine parameters of every stuck run, five times each, train again, and count how many get
# out.

# %% tags=["idea"]
KICKS = (0.3, 1, 2, 4, 8)
draws = [np.random.default_rng(1000 + run).normal(size=(5, 9)) for run in STUCK]
noise = np.concatenate(draws)  # (stuck runs x 5, 9)
five_each = np.repeat(flatten(stuck), 5, axis=0)
freed = []
for size in KICKS:
    kicked = unflatten(five_each + size * noise, stuck)
    freed.append(descend(kicked, steps=1000)[1].mean())

# %% tags=["setup"]
note(atol=0.03, because=KICKED, freed_by_kick_1=freed[KICKS.index(1)])
note(atol=0.05, because=KICKED, freed_at_best=max(freed))
fresh = is_solved.mean()

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
ax.semilogx(KICKS, 100 * np.array(freed), color=BLUE, marker="o")
ax.axhline(100 * fresh, color=ORANGE, ls="--", lw=1.5)
ax.text(0.31, 100 * fresh + 3, "control: a fresh start", color=ORANGE)
ax.text(0.6, 14, "stuck runs, kicked", color=BLUE)
ax.set(xlabel="size of the kick", ylabel="solved afterwards (%)", ylim=(-3, 100))
ax.set_xticks(KICKS, KICKS)
ax.minorticks_off()
ax.set_title("No kick is as good as starting afresh")
figure(
    fig,
    name="kicks",
    alt="Kicks up to size 1 free hardly a run, larger ones a minority, always fewer than a fresh random start solves.",
    caption="Runs with two hidden units that were stuck after 2000 steps, five kicks each.",
    rtol=0.05,
    because=KICKED,
)

# %% [markdown]
# A kick of size 1 (the noise's standard deviation) frees {{ result("stuck.freed_by_kick_1", ".0%") }} of them. The best size frees
# {{ result("stuck.freed_at_best", ".0%") }}, far fewer than the {{ result("xor.solved_2", ".0%") }} that a fresh start solves. One
# possible reason, which we did not test: a kick leaves the large weights large.
#
# ## Two cases merge, and one of them is always 11

# %% tags=["setup"]
# Pairs of neighbours on the square; the last two hold the case 11.
EDGES = ((0, 1), (0, 2), (1, 3), (2, 3))


def merged_pairs(net: Net, inputs: np.ndarray) -> np.ndarray:
    """How many of the stuck networks merge each edge of the square."""
    says = sigmoid(forward(net, inputs)[-1])[..., 0]  # (runs, 4 cases)
    unsure = np.abs(says - 0.5) < 0.3
    return np.array([(unsure[:, a] & unsure[:, b]).sum() for a, b in EDGES])


centred, ok = descend(init((2, 2, 1), range(200)), steps=2000, inputs=X - 0.5)
pairs, pairs_centred = merged_pairs(stuck, X), merged_pairs(select(centred, ~ok), X - 0.5)
far, far_centred = (p[2:].sum() / p.sum() for p in (pairs, pairs_centred))
note(atol=0.03, because=BORDER, far_corner=far)
note(atol=0.05, because=BORDER, far_corner_centred=far_centred)
note(atol=0.01, because=BORDER, solved_2_centred=ok.mean())
note(atol=0.02, because=BORDER, centred_gain=ok.mean() - fresh)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
for shift, counts, colour, label in (
    (-0.18, pairs, BLUE, "inputs 0 and 1"),
    (0.18, pairs_centred, ORANGE, "control: inputs −½ and ½"),
):
    bars = ax.bar(np.arange(4) + shift, counts, width=0.34, color=colour)
    ax.bar_label(bars, color=plots.INK, fontsize=9.5)
    ax.text(-0.4, 46 + 15 * shift, label, color=colour)
ax.set_xticks(range(4), ["00 with 01", "00 with 10", "01 with 11", "10 with 11"])
ax.set(ylabel="stuck runs", xlabel="the two cases that are merged", ylim=(0, 52))
ax.set_title("The corner furthest from the origin is always merged")
ax.grid(axis="x", visible=False)
figure(
    fig,
    name="merged",
    alt="With inputs 0 and 1 the case 11 is in every merged pair and 00 in none. With centred inputs all four pairs "
    "are about as frequent, and fewer runs are stuck.",
    caption="Stuck runs of 200 with two hidden units, by the pair that they merge.",
    rtol=0.1,
    because=BORDER,
)

# %% [markdown]
# {{ result("stuck.far_corner", ".0%") }} of the merged pairs contain the case 11. XOR itself treats the four corners equally, so
# the cause must be how we write the inputs. In the control the inputs are centred on 0. Then only
# {{ result("stuck.far_corner_centred", ".0%") }} of the pairs contain 11, about the half that symmetry predicts, and more runs are
# solved ({{ result("stuck.solved_2_centred", ".0%") }}).
#
# The control shows that the position of the inputs is the cause. How it acts is our guess: biases start at zero, so the case
# furthest from the origin gets the largest sums. Units saturate there first, and a saturated unit cannot tell two cases apart.
#
# ## What surprised us
#
# **No saddle, no minimum, and a way out that never climbs.** *Local minimum* is the usual name for such runs. Without weight decay
# it is wrong twice: the slope is nowhere zero, and there are no walls.
#
# **A kicked run is worse off than a fresh one.** We had given two chances in five that a kick of size 1 frees more than
# half of the runs. It frees {{ result("stuck.freed_by_kick_1", ".0%") }}.
#
# ## Try it
#
# **1. Why twice as loud?** (10 minutes). On our path the detector has twice the output weight of the OR unit. Walk the same path
# with equal output weights. What is the highest loss on it, and which cases does the network get wrong there?
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
print(f"the path climbs to {highest:.2f} nats: 3/4 of ln 2,")
print("with 01, 10 and 11 all lost")

# %% [markdown]
# **2. Move the corner** (5 minutes). Write the inputs as −1 and 0 instead of 0 and 1. Which case is now in every merged pair?
# Predict it before you run it.
#
# ??? tip "Hint"
#     Which corner is now furthest from the origin?

# %% tags=["solution"]
moved, ok = descend(init((2, 2, 1), range(200)), steps=2000, inputs=X - 1)
by_edge = merged_pairs(select(moved, ~ok), X - 1)
assert by_edge[:2].sum() > 0.9 * by_edge.sum(), (
    f"{by_edge}: is it 00 that is furthest away?"
)
for pair, runs in zip(("00, 01", "00, 10", "01, 11", "10, 11"), by_edge, strict=True):
    print(f"cases {pair} merged: {runs:3.0f} stuck runs")

# %% [markdown]
# ## You can now
#
# - tell a minimum, a saddle and a valley without end apart, by slopes and curvatures;
# - explain why upward curvature does not mean walls;
# - build a path through a loss landscape by hand, and check it against the straight line.
#
# ## What this does not show
#
# - One path was built by hand for one kind of failure, and checked at many points along it, not proved.
# - “True minimum” was shown with one strength of weight decay, for the runs we had. Kicks were noise of one kind, and a kicked run
#   had 1000 steps where a fresh one had 2000.
# - Full batches and plain gradient descent only. Momentum, Adam or the noise of small batches may find the way out.
#
# ## Going deeper
#
# Sprinkhuizen-Kuyper & Boers (1999) prove for a close relative of our network (sigmoid units, squared error) that from every finite
# point a path leads to a solution along which the error only falls. So we knew what to look for. To walk the path from every stuck
# run, we first rename units and inputs so that all runs look the same: the merged cases are 01 and 11, and the OR unit comes first.
# That changes nothing: since $\tanh(-z) = -\tanh(z)$, the signs of a unit's weights can be flipped, and XOR does not change if its
# inputs are swapped.
#
# How much of the gain by centring is chance? Two hundred other starts, not centred, solve
# {{ result("xor.solved_2_other_seeds", ".0%") }}, so two samples of 200 can differ by several points. Centring gains
# {{ result("stuck.centred_gain", ".0%") }}, about twice as much: likely an effect, of uncertain size.
#
# - Before this: [XOR from scratch](01_xor.md)
# - Finding: [A stuck run is in a valley without end, not in a basin](../findings/xor-valley-without-end.md)
# - Surprise: [The corner furthest from the origin is always merged](../surprises/xor-far-corner.md)
# - Question: [Can the start tell which runs will be stuck?](../questions/xor-fate-from-start.md)
# - Sprinkhuizen-Kuyper & Boers (1999), "The local minima of the error surface of the 2-2-1 XOR network", Annals of
#   Mathematics and Artificial Intelligence 25, from page 107

# %% tags=["setup"]
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
