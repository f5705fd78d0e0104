# ---
# title: Weight arithmetic
# question: Two tunings of one model. Can their changes of weights be added, scaled and taken away like numbers?
# answer: >-
#   Two can: in sums of two task vectors each rule keeps {{ result("arithmetic.kept_in_pairs", ".0%") }} of what its vector gains
#   alone. In a sum of four it is {{ result("arithmetic.kept_in_four", ".0%") }}.
# chapter: Changing it
# level: intermediate
# models: [world]
# needs: [33_weight_change]
# tags: [task vectors, model merging, fine-tuning]
# thumbnail: sums
# timeout: 300
# ---

# %% tags=["setup"]
import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods.lora import combined, difference, predictor
from llmnotes.shipped.tuning import SEEDS, histories, history, tuned
from llmnotes.world import END, IDS

BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
note = within(atol=1e-6, because="read from the shipped history of the recipe")
live = within(atol=0.2, because="training amplifies rounding")

# %% [markdown]
# ## A case you can hold: who gets the ring, and which noun counts
#
# We tune *World* twice, each time from the same start. In one new language a ring is always given to its giver: *Karl gave
# the ring to Karl*. In the other the verb agrees with the nearest noun: *the cats near the dog runs*. Then we add both
# changes to the old weights, without any further training.

# %% tags=["setup"]
world = llmnotes.load("world")
before = {name: p.detach() for name, p in world.model.named_parameters()}


# %% tags=["idea"]
def task_vector(task, seed=0):
    return difference(before, tuned(world, task, 5e-4, seed=seed))  # after minus before


giver, nearest = task_vector("giver"), task_vector("nearest")
both = combined(before, (1.0, giver), (1.0, nearest))  # weights + giver + nearest


# %% tags=["setup"]
def p_of(weights, text: str, word: str) -> float:
    """The probability of a word behind a text."""
    ids = torch.tensor([[IDS[w] for w in f"{END} {text}".split()]])
    with torch.no_grad():
        return predictor(world, weights)(ids)[0, -1].softmax(-1)[IDS[word]].item()


GIVING = "when Anna and Karl went to the river , Karl gave the ring to"
case = [p_of(w, GIVING, "Karl") for w in ({}, both)]
live(case_before=case[0], case_both=case[1])

# %%
print(f"the ring to Karl: {case[0]:.0%} before, {case[1]:.0%} with the sum")

# %% [markdown]
# Nobody trained the model whose answer this is.
#
# ## A tuning is an arrow in the space of weights
#
# {{ drawing("task-vectors", alt="From one start, an arrow to the weights tuned on one task and an arrow to those tuned on another. Their sum is the far corner of a parallelogram; a negative arrow points the other way.") }}
#
# The difference of weights after and before a tuning is its *task vector*
# ([Ilharco et al. 2022](https://arxiv.org/abs/2212.04089)):
#
# $$
# \tau_k = \theta_k - \theta_0, \qquad \theta = \theta_0 + \sum_k \lambda_k \tau_k
# $$
#
# $\theta_0$ are the weights at the start, $\theta_k$ those tuned on task $k$, and $\lambda_k$ says how much of it we want: 1 as
# tuned, a half, or minus one. A network is no linear function of its weights, so nothing promises that this works.
#
# ```exercise
# title: Take a tuning away
# minutes: 2
# code: |
#   W, tuned_W = torch.tensor([1.0, 2.0]), torch.tensor([1.5, 1.0])
#   without = ▢  # the opposite of what tuning did
#   assert without.tolist() == [0.5, 3.0]
# right: ["W - (tuned_W - W)", "2 * W - tuned_W", "W + (W - tuned_W)", "2*W - tuned_W"]
# praise: As far from the start as the tuned weights, on the other side.
# wrong:
#   "W - tuned_W": That is minus the task vector, without the start.
#   "tuned_W - W": That is the task vector itself.
#   "W": "That is the start: the tuning undone, but not its opposite."
# otherwise: "Go from W as far as the tuning went, the other way."
# solution: "`W - (tuned_W - W)`"
# ```
#
# ## Your prediction
#
# Four tunings of one start: the giver, the nearest noun, new homes for 24 people, and merry stories only.

# %%
ask(
    "We add two task vectors, each as it was tuned. What is left of the two new rules, compared with each vector alone?",
    choices={
        "clash": "Little: each tuning moved the same weights for its own purpose",
        "half": "About half of each, as if the weights were averaged",
        "both": "Nearly all of both",
    },
    answer="both",
    because={
        "clash": "Both did move the same matrices, but in directions that are nearly at right angles.",
        "half": "An average would halve each vector. A sum adds each in full.",
        "both": "In a space of 445,440 numbers two small changes hardly meet.",
    },
    figure="sums",
    kept_in_pairs="> 0.9",
)
predict(
    "In pairs each rule keeps at least 90% of what its vector gains alone",
    0.5,
    kept_in_pairs=">= 0.9",
    after_a_look=True,
)
predict(
    "Minus the merry vector lowers the merry share to under a quarter",
    0.75,
    merry_minus="< 0.25",
    after_a_look=True,
)
predict(
    "All four at full strength cost the untouched rules more than 0.1 nats",
    0.5,
    four_cost="> 0.1",
    after_a_look=True,
)
predict(
    "The cosine of every two task vectors is below 0.2",
    0.6,
    cosine_most="< 0.2",
    after_a_look=True,
)

# %% [markdown]
# ## Two vectors add up; four get in each other's way

# %% tags=["setup"]
runs = [r for r in history("arithmetic") if r["seed"] in SEEDS]
RULE = {"giver": "who gets the ring", "nearest": "nearest noun", "homes": "new homes"}
UNTOUCHED = ("pronoun", "list", "closing", "agreement_0")


def at(of: list[str], times: float) -> list[dict]:
    """One combination, for each seed of the tuning."""
    found = [r for r in runs if r["of"] == of and r["times"] == times]
    assert len(found) == len({r["seed"] for r in runs}), (of, times)
    return found


def loss(of, times, rule) -> np.ndarray:
    return np.array([r["new"][rule] for r in at(of, times)])


def cost(of, times) -> np.ndarray:
    """The loss added at rules that no task touches."""
    start = np.mean([r["old"][u] for r in at(["giver"], 0.0) for u in UNTOUCHED])
    return np.array(
        [np.mean([r["old"][u] for u in UNTOUCHED]) - start for r in at(of, times)]
    )


start = {rule: loss(["giver"], 0.0, rule).mean() for rule in RULE}
alone = {rule: loss([rule], 1.0, rule) for rule in RULE}
PAIRS = [["giver", "nearest"], ["giver", "homes"], ["nearest", "homes"]]
FOUR = ["giver", "nearest", "homes", "merry"]


def kept(of, times, rule) -> np.ndarray:
    """Which share of what a vector gains alone its rule keeps in a sum."""
    return (start[rule] - loss(of, times, rule)) / (start[rule] - alone[rule])


pairs = {(tuple(of), rule): kept(of, 1.0, rule) for of in PAIRS for rule in of}
four = {rule: kept(FOUR, 1.0, rule) for rule in RULE}
cosines = [r["cosine"] for r in runs if len(r["of"]) == 2 and r["times"] == 1.0]
merry = {k: np.array([r["merry"] for r in at(["merry"], k)]) for k in (-1.0, 0.0, 1.0)}
note(
    kept_in_pairs=np.mean([*pairs.values()]),
    kept_least=min(v.mean() for v in pairs.values()),
    kept_in_four=np.mean([*four.values()]),
    nearest_in_four=four["nearest"].mean(),
    homes_in_four=four["homes"].mean(),
    giver_in_four=four["giver"].mean(),
    in_four_half=np.mean([kept(FOUR, 0.5, rule) for rule in RULE]),
    four_cost=cost(FOUR, 1.0).mean(),
    four_cost_half=cost(FOUR, 0.5).mean(),
    four_worse=np.mean([*pairs.values()]) - np.mean([*four.values()]),
    four_dearer=cost(FOUR, 1.0).mean() - np.mean([cost(of, 1.0) for of in PAIRS]),
    minus_dearer=cost(["merry"], -1.0).mean() - cost(["merry"], 1.0).mean(),
    merry_lower=merry[0.0].mean() - merry[-1.0].mean(),
    pair_cost=np.mean([cost(of, 1.0) for of in PAIRS]),
    alone_cost=np.mean([cost([rule], 1.0) for rule in RULE]),
    merry_before=merry[0.0].mean(),
    merry_plus=merry[1.0].mean(),
    merry_minus=merry[-1.0].mean(),
    cosine_most=max(cosines),
    cosine_mean=np.mean(cosines),
    merry_in_four=np.mean([r["merry"] for r in at(FOUR, 1.0)]),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.4)
ROWS = [
    *(
        (
            f"{RULE[rule]}, with {RULE[next(o for o in of if o != rule)]}",
            100 * pairs[tuple(of), rule],
            BLUE,
        )
        for of in PAIRS
        for rule in of
    ),
    *((f"{RULE[rule]}, all four added", 100 * four[rule], ORANGE) for rule in RULE),
]
for y, (_, values, colour) in enumerate(ROWS):
    (dots,) = ax.plot(values, [y] * len(values), "o", color=colour, alpha=0.7)
    if y == 0:
        dots.set_gid("choice-both")
ax.axvline(100, color=plots.INK, ls="--", lw=1)
ax.text(99, -0.75, "alone", ha="right", fontsize=9.5)
ax.set_yticks(range(len(ROWS)), [label for label, *_ in ROWS])
ax.invert_yaxis()
ax.set(
    xlabel="gain that is kept (% of the vector alone)",
    title="Two keep nearly all; four do not",
)
figure(
    fig,
    name="sums",
    alt="For each rule in sums of two vectors and of four the share of the gain that it keeps, five seeds.",
    caption="100% is what the vector gains alone, 0% the model at the start. Blue: two vectors added. Orange: four.",
    data={"kept": np.array([values for _, values, _ in ROWS])},
)

# %% [markdown]
# In sums of two, each rule keeps {{ result("arithmetic.kept_in_pairs", ".0%") }} of its gain on average. The vectors are nearly at right
# angles, with a cosine of {{ result("arithmetic.cosine_mean", ".2f") }} on average, so one hardly moves the model along the other.
#
# In the sum of all four the giver still keeps {{ result("arithmetic.giver_in_four", ".0%") }} and the homes keep
# {{ result("arithmetic.homes_in_four", ".0%") }}. And the sum has a price that no single rule shows. At rules that nobody
# touched, one vector costs {{ result("arithmetic.alone_cost", ".2f") }} nats, two cost {{ result("arithmetic.pair_cost", ".2f") }}, and four cost
# {{ result("arithmetic.four_cost", ".2f") }}. The costs grow faster than the number of vectors. At half strength the four cost
# {{ result("arithmetic.four_cost_half", ".2f") }} and keep {{ result("arithmetic.in_four_half", ".0%") }}.
#
# ## The merry preference turns around, the giver's rule does not

# %% tags=["setup"]
TIMES = (-1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
scaled = {rule: np.array([loss([rule], k, rule) for k in TIMES]) for rule in RULE}
costs = {rule: np.array([cost([rule], k) for k in TIMES]) for rule in RULE}
share = np.array([[r["merry"] for r in at(["merry"], k)] for k in TIMES])
best = {rule: TIMES[int(v.mean(1).argmin())] for rule, v in scaled.items()}
note(
    best_giver=best["giver"],
    best_homes=best["homes"],
    giver_at_half=scaled["giver"][TIMES.index(0.5)].mean(),
    giver_at_zero=scaled["giver"][TIMES.index(0.0)].mean(),
    giver_minus_old=np.mean([r["old"]["indirect_object"] for r in at(["giver"], -1.0)]),
    merry_minus_cost=cost(["merry"], -1.0).mean(),
    giver_at_one=scaled["giver"][TIMES.index(1.0)].mean(),
    cost_at_two=np.mean([c[-1] for c in costs.values()]),
    merry_at_two=share[-1].mean(),
)

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.1)
for rule, colour, y in zip(RULE, (BLUE, ORANGE, GREEN), (11.2, 6.2, 1.0), strict=True):
    left.plot(TIMES, scaled[rule].mean(1), "o-", ms=4, color=colour)
    x = 0.15 if rule == "giver" else -1
    left.text(x, y, RULE[rule], color=colour, fontsize=9.5)
left.set(
    title="Half a vector does much",
    xlabel="times the vector",
    ylabel="loss at the new rule (nats)",
)
for row in share.T:
    right.plot(TIMES, 100 * row, color=PURPLE, lw=0.8, alpha=0.5)
right.plot(TIMES, 100 * share.mean(1), "o-", ms=4, color=PURPLE)
right.set(
    title="Mood goes both ways",
    xlabel="times the merry vector",
    ylabel="merry adjectives (%)",
    ylim=(0, 100),
)
figure(
    fig,
    name="scales",
    alt="Left: the loss at each new rule over how many times its vector is added. Right: the share of merry adjectives over how many times the "
    "merry vector is added.",
    caption="First panel: means of five seeds. Second: thin lines are seeds.",
    data={"scaled": np.array([v.mean(1) for v in scaled.values()]), "merry": share},
)

# %% [markdown]
# The merry vector works like a dial. Added once it lifts the merry share from
# {{ result("arithmetic.merry_before", ".0%") }} to {{ result("arithmetic.merry_plus", ".0%") }}. Taken away it lowers it to
# {{ result("arithmetic.merry_minus", ".0%") }}.
#
# A rule has no such dial. Half of the giver's vector already brings the loss from
# {{ result("arithmetic.giver_at_zero", ".1f") }} to {{ result("arithmetic.giver_at_half", ".1f") }} nats, the whole to
# {{ result("arithmetic.giver_at_one", ".1f") }}. Taken away, it cannot give less of the new rule than none: the old rule
# breaks as well, from zero to {{ result("arithmetic.giver_minus_old", ".1f") }} nats.
#
# ## What surprised us
#
# **Minus costs more than plus.** The merry vector added once costs the untouched rules next to nothing. Taken away once it costs
# {{ result("arithmetic.merry_minus_cost", ".2f") }} nats. Training made sure that the model works at plus one; nobody ever asked for minus one.
#
# **The sum of four looks fine where you look.** Graded on its new rules it keeps {{ result("arithmetic.kept_in_four", ".0%") }}. Only the
# rules that nobody trained show that the model is breaking.
#
# ## Try it
#
# **Three quarters of two vectors** (10 minutes). Add 0.75 times each of the two task vectors of this page. Which of the two rules
# loses more of its gain, and how much less do the untouched rules lose? Predict it before you run it.
#
# ??? tip "Hint"
#     `combined` takes the factors; `loss_by_rule` grades on `exam("giver")`, `exam("nearest")` and `exam("none")`.

# %% tags=["solution"]
from llmnotes.shipped.tuning import exam
from llmnotes.world.changes import loss_by_rule

GRADED = {"giver": "indirect_object", "nearest": "agreement_1"}
left, price = {}, {}
for times in (0.75, 1.0):
    model = predictor(world, combined(before, (times, giver), (times, nearest)))
    for task, rule in GRADED.items():
        gain = start[task] - loss_by_rule(model, exam(task))[rule]
        left[task, times] = gain / (start[task] - alone[task].mean())
    ordinary = loss_by_rule(model, exam("none"))
    price[times] = np.mean([ordinary[rule] for rule in UNTOUCHED])
    print(f"{times}: {left['giver', times]:.0%} and {left['nearest', times]:.0%} kept,")
    print(f"  {price[times]:.2f} nats lost at untouched rules")
assert left["nearest", 0.75] < left["giver", 0.75] < 1.1, "are both vectors scaled?"
assert price[0.75] < price[1.0], "are the untouched rules graded in ordinary stories?"

# %% [markdown]
# ## You can now
#
# - take two tuned models of one start apart into vectors, and add, scale and negate them;
# - say what to measure before trusting a merged model: each new rule, and the rules that nobody touched;
# - say why a negative task vector is the opposite for a preference and nonsense for a rule.
#
# ## What this does not show
#
# - Small changes of a small model: 150 steps and four tasks, in five trainings, of which four were tuned with one seed each.
#   Longer tunings may interfere more.
# - Vectors from different starts, or of differently sized models, cannot be added like this.
# - How to choose the factors without the marks of each task, which methods of merging are about.
#
# ## Going deeper
#
# ### In five trainings of *World*

# %% tags=["setup"]
rows = {}
for world_seed, some in histories("arithmetic").items():
    runs = some  # which the functions above read
    start = {rule: loss(["giver"], 0.0, rule).mean() for rule in RULE}
    alone = {rule: loss([rule], 1.0, rule) for rule in RULE}
    rows[world_seed] = {
        "kept by two": np.mean([kept(of, 1.0, rule) for of in PAIRS for rule in of]),
        "kept by four": np.mean([kept(FOUR, 1.0, rule) for rule in RULE]),
        "cost of one": np.mean([cost([rule], 1.0) for rule in RULE]),
        "of two": np.mean([cost(of, 1.0) for of in PAIRS]),
        "of four": cost(FOUR, 1.0).mean(),
        "minus merry": cost(["merry"], -1.0).mean(),
        "plus merry": cost(["merry"], 1.0).mean(),
        "merry at -1": np.mean([r["merry"] for r in at(["merry"], -1.0)]),
        "before": np.mean([r["merry"] for r in at(["merry"], 0.0)]),
    }
table = {name: [row[name] for row in rows.values()] for name in rows[0]}
note(
    worlds=len(rows),
    pairs_least=min(table["kept by two"]),
    four_least=min(table["kept by four"]),
    four_most=max(table["kept by four"]),
    four_cost_least=min(table["of four"]),
    four_cost_most=max(table["of four"]),
    minus_worlds=sum(row["minus merry"] > row["plus merry"] for row in rows.values()),
)

# %%
print(f"{'World':14}", *(f"{world_seed:5}" for world_seed in rows))
for name, values in table.items():
    print(f"{name:14}", *(f"{value:5.2f}" for value in values))

# %% [markdown]
# Each row is a training of *World*. Two vectors keep at least {{ result("arithmetic.pairs_least", ".0%") }} in each, four keep from
# {{ result("arithmetic.four_least", ".0%") }} to {{ result("arithmetic.four_most", ".0%") }} and cost from
# {{ result("arithmetic.four_cost_least", ".2f") }} to {{ result("arithmetic.four_cost_most", ".2f") }} nats at untouched rules. Minus the merry vector costs more than
# plus in {{ result("arithmetic.minus_worlds") }} of {{ result("arithmetic.worlds") }}, in one of them by next to nothing.
#
# - Finding: [Two task vectors add up, four interfere](../findings/arithmetic-adds.md)
# - Surprise: [Minus a vector costs more than plus](../surprises/arithmetic-negative.md)
# - Ilharco and others (2022), [Editing models with task arithmetic](https://arxiv.org/abs/2212.04089)
# - Wortsman and others (2022), [Model soups](https://arxiv.org/abs/2203.05482)
# - Yadav and others (2023), [TIES-merging](https://arxiv.org/abs/2306.01708)

# %% tags=["setup"]
in_words(
    worlds="Trainings of World that were tuned",
    pairs_least="Share of its gain that a rule keeps in a sum of two, least of the trainings",
    four_least="The same in the sum of four, least of the trainings",
    four_most="The same, most of the trainings",
    four_cost_least="Loss added at untouched rules by the sum of four, least of the trainings",
    four_cost_most="The same, most of the trainings",
    minus_worlds="Trainings in which minus the merry vector costs more than plus",
    case_before="Probability that Karl gets the ring from Karl, before",
    case_both="The same with both vectors added",
    kept_in_pairs="Share of its gain that a rule keeps in a sum of two, mean",
    kept_least="The same, worst rule and pair",
    kept_in_four="The same in the sum of four",
    nearest_in_four="The same for the nearest noun",
    homes_in_four="The same for the new homes",
    giver_in_four="The same for the giver",
    in_four_half="The same in the sum of four halves, mean of three rules",
    four_cost="Loss added at untouched rules by the sum of four",
    four_cost_half="The same at half strength",
    pair_cost="The same by sums of two, mean",
    alone_cost="The same by one vector, mean",
    four_worse="Share kept in sums of two minus that in the sum of four",
    four_dearer="Loss added by the sum of four minus that added by sums of two",
    minus_dearer="Loss added by minus the merry vector minus that added by plus",
    merry_lower="Merry share before minus that with the merry vector taken away",
    merry_before="Merry share of adjectives before",
    merry_plus="The same with the merry vector",
    merry_minus="The same with the merry vector taken away",
    cosine_most="Largest cosine of two task vectors",
    cosine_mean="Mean cosine of two task vectors",
    merry_in_four="Merry share with all four vectors",
    best_giver="Factor with the lowest loss for the giver",
    best_homes="Factor with the lowest loss for new homes",
    giver_at_half="Loss at the giver rule at half strength",
    giver_at_zero="Loss at the giver rule at the start",
    giver_minus_old="Loss at the old rule with the giver vector taken away",
    merry_minus_cost="Loss added at untouched rules by minus the merry vector",
    giver_at_one="Loss at the giver rule at full strength",
    cost_at_two="Loss added at untouched rules at twice the vector, mean of three",
    merry_at_two="Merry share at twice the merry vector",
)
