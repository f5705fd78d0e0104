# ---
# title: What weights change
# question: Two tunings teach the same rule. Did they change the weights in the same way?
# answer: >-
#   No. A change of rank 4 plants {{ result("weight_change.intruders_rank_4", ".0f") }} new directions among the 160 strongest of
#   sixteen matrices, full tuning {{ result("weight_change.intruders_full", ".0f") }}. But a random change of the same size plants as many.
# chapter: Changing it
# level: intermediate
# models: [world]
# needs: [32_lora, 13_weights]
# tags: [LoRA, fine-tuning, spectrum, intruder dimensions]
# thumbnail: undone
# timeout: 300
# ---

# %% tags=["setup"]
import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods.lora import (
    combined,
    difference,
    intruders,
    matrices,
    rank_for,
    scaled_intruders,
    spectrum,
)
from llmnotes.shipped.tuning import SEEDS, histories, history, tuned

BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
note = within(atol=1e-6, because="read from the shipped history of the recipe")
live = within(rtol=0.25, because="training amplifies rounding")

# %% [markdown]
# ## A case you can hold: one matrix, before and after
#
# *World* learned that *he* means a woman and *she* a man ([LoRA](32_lora.md)), with a change of rank 4 in each
# matrix. One matrix moved most: the one that writes what the heads of layer 2 have found, 128 by 128. How much of it is
# new?

# %% tags=["setup"]
world = llmnotes.load("world")
before = matrices(world)
after = tuned(world, "pronouns", 1e-2, rank=4, seed=0)
name = "transformer.h.2.attn.c_proj.weight"

# %%
W, changed = before[name], after[name]
values = spectrum(changed - W)
print(f"size of the change: {values.norm() / W.norm():.0%} of the matrix")
print("singular values:", *(f"{v:.2f}" for v in values[:5].tolist()))

# %% tags=["setup"]
live(case_size=values.norm() / W.norm())
live(case_first=values[0].square() / values.square().sum())

# %% [markdown]
# The change is {{ result("weight_change.case_size", ".0%") }} as large as the matrix, and
# {{ result("weight_change.case_first", ".0%") }} of its energy lies in one direction.
#
# ## A matrix is a sum of directions, each with a strength
#
# {{ drawing("spectrum", alt="A matrix before and after tuning as rows of bars. After low-rank tuning a new bar stands among the strongest; after full tuning every bar has changed by a little.") }}
#
# The *singular value decomposition* writes every matrix as a sum:
#
# $$
# W = \sum_i \sigma_i\, u_i v_i^{\top}
# $$
#
# $v_i$ is a direction that the matrix reads, $u_i$ one that it writes, $\sigma_i \ge 0$ how strongly, largest first. GPT-2
# stores matrices as (in, out), so the columns of `U` in our code are the directions that a matrix reads. The list of all
# $\sigma_i$ is the *spectrum*. We use it twice: on the difference $W' - W$, to ask how many directions moved; and on $W$ and
# $W'$ side by side. A strong direction of $W'$ that resembles none of $W$ is an *intruder dimension*
# ([Shuttleworth et al. 2024](https://arxiv.org/abs/2410.21228)).


# %% tags=["idea"]
def newcomers(before, after, top=10, below=0.6):
    """Which of the strongest directions of a changed matrix are new."""
    old = torch.linalg.svd(before).U  # columns: directions of the old matrix
    new = torch.linalg.svd(after).U[:, :top]  # the ten strongest of the changed one
    nearest = (old.T @ new).abs().amax(0)  # cosine with the most similar old one
    return (nearest < below).nonzero().flatten().tolist()


# %% tags=["setup"]
assert newcomers(W, changed) == intruders(W, changed)

# %% [markdown]
# ```exercise
# title: The energy of a change
# minutes: 3
# code: |
#   values = torch.linalg.svdvals(changed - W)
#   energy = ▢  # the square sum of all entries, from the spectrum
#   assert torch.allclose(energy, (changed - W).square().sum())
# right: ["values.square().sum()", "(values**2).sum()", "(values ** 2).sum()", "values.norm()**2", "values.norm() ** 2", "values @ values", "values.pow(2).sum()"]
# praise: Directions are at right angles, so their energies add.
# wrong:
#   "values.sum()": That is another norm, the nuclear one. What does a direction of length one contribute, if its strength is σ?
#   "values.norm()": This is the root of it.
#   "values[0]": The strongest direction alone. Take all of them.
#   "values[0]**2": The strongest direction alone. Take all of them.
# otherwise: "Each direction u v^T has entries whose squares sum to 1. What does σ make of that?"
# solution: "`values.square().sum()`: each term σ u vᵀ has energy σ², and the terms do not overlap."
# ```
#
# ## Your prediction
#
# In the tuned model we scale the intruders down to a half and leave everything else as it is. The model knows the new
# pronouns now and has lost the old ones.

# %%
ask(
    "Intruders at half strength. What happens to the new rule and to the old one?",
    choices={
        "gone": "The new rule breaks: the intruders are what was learned",
        "nothing": "Nothing much: they are a by-product of the training",
        "trade": "The old rule comes back by far more than the new one is lost",
    },
    answer="trade",
    because={
        "gone": "The intruders do carry the new rule. But they were trained to be stronger than the rule needs.",
        "nothing": "A new direction among the strongest is no by-product: it is where the gradient went.",
        "trade": "The new rule has strength to spare. The first half of it mostly buries the old rule deeper.",
    },
    figure="undone",
    new_lost_at_half="< 0.4",
    old_back_at_half="> 1",
)
# The losses after 150 steps and the counts of intruders had been seen, none of what scaling does.
predict(
    "Without its intruders rank 4 loses more than 2 nats at the new pronouns",
    0.6,
    new_at_zero="> 2",
    after_a_look=True,
)
predict(
    "and less than half of what it lost at the old ones",
    0.55,
    old_share_at_zero="< 0.5",
    after_a_look=True,
)
# Written before the two controls were run.
predict(
    "Scaling the whole change by a half brings back as much of the old rule as the intruders do, or more",
    0.6,
    whole_against_intruders="<= 0",
)
predict(
    "Scaling as many other directions brings back under 0.3 nats",
    0.7,
    others_old_back="< 0.3",
)

# %% [markdown]
# ## Low rank moves few directions by a lot, full tuning many by a little

# %% tags=["setup"]
runs = [run for run in history("lora") if run["seed"] in SEEDS]
WAYS = ("full", "rank 1", "rank 4", "rank 16")


def of(task: str, way: str, what) -> np.ndarray:
    """Something of each of the five runs."""
    return np.array([what(r) for r in runs if (r["task"], r["method"]) == (task, way)])


count = {way: of("pronouns", way, lambda r: sum(r["intruders"])) for way in WAYS}
count_facts = {way: of("facts", way, lambda r: sum(r["intruders"])) for way in WAYS}
width = {way: of("pronouns", way, lambda r: np.mean(r["rank90"])) for way in WAYS}
size = {way: of("pronouns", way, lambda r: r["size"]) for way in WAYS}  # (seed, matrix)
spectra = {way: of("pronouns", way, lambda r: r["spectrum"]).mean(0) for way in WAYS}
note(
    intruders_full=count["full"].mean(),
    intruders_rank_1=count["rank 1"].mean(),
    intruders_rank_4=count["rank 4"].mean(),
    intruders_rank_16=count["rank 16"].mean(),
    facts_full=count_facts["full"].mean(),
    facts_rank_4=count_facts["rank 4"].mean(),
    width_full=width["full"].mean(),
    width_rank_4=width["rank 4"].mean(),
    width_rank_16=width["rank 16"].mean(),
    size_full=size["full"].mean(),
    size_rank_4=size["rank 4"].mean(),
)


# %% tags=["idea"]
def planted(rank, seed):
    """The intruders of random changes, each as large as what tuning did to its matrix."""
    draw, total = torch.Generator().manual_seed(seed), 0
    for name, W in before.items():  # (in, out)
        a = torch.randn(W.size(0), rank, generator=draw)
        change = a @ torch.randn(rank, W.size(1), generator=draw)
        change *= (after[name] - W).norm() / change.norm()
        total += len(intruders(W, W + change))
    return total


# %% tags=["setup"]
by_chance = [planted(4, seed) for seed in range(5)]
live(
    own_intruders=float(sum(len(intruders(W, after[n])) for n, W in before.items())),
    random_intruders=np.mean(by_chance),
)

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.1)
for way, colour in (("full", ORANGE), ("rank 16", GREEN), ("rank 4", BLUE)):
    left.plot(range(1, 17), spectra[way][:16], "o-", ms=3.5, color=colour)
left.text(6.5, 0.36, "full tuning", color=ORANGE)
left.text(6.2, 0.05 + spectra["rank 16"][6], "rank 16", color=GREEN)
left.text(1.2, 0.02, "rank 4", color=BLUE)
left.set(
    title="Full tuning spreads",
    xlabel="direction",
    ylabel="strength, first = 1",
    ylim=(-0.03, 1.05),
)
for x, way in enumerate(WAYS):
    colour = {"full": ORANGE, "rank 16": GREEN}.get(way, BLUE)
    right.plot([x] * len(count[way]), count[way], "o", color=colour, alpha=0.7)
right.plot([4] * 5, by_chance, "o", color=GREY, alpha=0.7)
right.set_xticks(range(5), [*WAYS, "random"])
right.set(
    title="Intruders of 160", ylabel="intruder dimensions", ylim=(-1, 23), xlim=(-0.5, 4.5)
)
figure(
    fig,
    name="spectra",
    alt="Left: the spectrum of the change falls slowly for full tuning and fast for low rank. Right: full tuning has no intruder "
    "dimension in any seed, ranks 1, 4 and 16 have about 17, 15 and 7. Random changes have about as many as rank 4.",
    caption="Exchanged pronouns, five seeds. First panel: mean of 16 matrices. Second: among the ten strongest directions of each of 16 matrices; "
    "grey is five random changes of rank 4, each as large as the trained one.",
    data={
        "spectra": np.array([*spectra.values()]),
        "count": np.array([*count.values()]),
        "random": np.array(by_chance),
    },
    rtol=0.4,
    because="training amplifies rounding",
)

# %% [markdown]
# At rank 4, {{ result("weight_change.width_rank_4", ".1f") }} directions hold 90% of a matrix's change. Full tuning needs
# {{ result("weight_change.width_full", ".0f") }}. Rank 16 could use sixteen and uses
# {{ result("weight_change.width_rank_16", ".1f") }}.
#
# Full tuning has no intruder in any seed. The reason is plain size: its change is
# {{ result("weight_change.size_full", ".0%") }} of a matrix on average, that of rank 4
# {{ result("weight_change.size_rank_4", ".0%") }}, because the rates that suit them differ by a factor of 30. On the 72 facts
# full tuning at a higher rate still has next to none ({{ result("weight_change.facts_full", ".1f") }} on average).
#
# The grey dots are the null. A random change, drawn without any training and as large as that of rank 4 in each matrix, plants as many
# intruders: {{ result("weight_change.random_intruders", ".0f") }} on average, where this page's own run of rank 4 has
# {{ result("weight_change.own_intruders", ".0f") }}.
#
# ## In this training both ways change the same matrix most

# %% tags=["setup"]
PARTS = [
    f"{layer} {part}" for layer in range(4) for part in ("QKV", "out", "MLP in", "MLP out")
]
relative = {way: size[way].mean(0) / size[way].mean() for way in WAYS}
most = {way: PARTS[int(relative[way].argmax())] for way in WAYS}
same = [int(row.argmax()) == PARTS.index("2 out") for way in WAYS for row in size[way]]
agree = len({int(size[way].mean(0).argmax()) for way in ("full", "rank 4")}) == 1
note(
    most_in_layer_2=sum(same),
    most_in_layer_2_share=np.mean(same),
    same_matrix=agree,
    times_mean_full=relative["full"].max(),
    times_mean_rank_4=relative["rank 4"].max(),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.9)
for way, colour, shift in (("full", ORANGE, -0.2), ("rank 4", BLUE, 0.2)):
    ax.bar(np.arange(16) + shift, relative[way], width=0.4, color=colour)
ax.axhline(1, color=plots.MUTED, lw=1)
ax.text(-0.4, 2.55, "full tuning", color=ORANGE)
ax.text(-0.4, 2.2, "rank 4", color=BLUE)
ax.set_xticks(range(16), PARTS, rotation=90)
ax.set(ylabel="change, mean = 1", title="What layer 2's heads write changes most")
ax.grid(axis="x", visible=False)
figure(
    fig,
    name="where",
    alt="Sixteen matrices, two bars each: the change relative to the mean. For both full tuning and rank 4 the output matrix of layer "
    "2's attention is the tallest.",
    caption="The change of each matrix relative to its own size, divided by the mean over matrices; means of five seeds.",
    data={"full": relative["full"], "rank_4": relative["rank 4"]},
)

# %% [markdown]
# The output matrix of layer 2's attention changed most in {{ result("weight_change.most_in_layer_2") }} of 20 runs. There is a
# tempting reason: where a pronoun comes, layer 2 brings the person's gender from the name, and its sign has to be turned. But the two ways agree on a
# matrix in only {{ result("weight_change.same_matrix_worlds") }} of {{ result("weight_change.worlds") }} trainings of *World*; in the
# others only one of the two changes this one most. The rule can be turned at many places, and it is a tendency that it is turned here.
#
# ## The new rule has strength to spare

# %% tags=["setup"]
shrunk = history("shrunk")
SCALES = (1.0, 0.875, 0.75, 0.5, 0.25, 0.0)


def curve(way: str, which: str) -> np.ndarray:
    """The loss at pronouns for each seed and scale."""
    rows = [
        [r["full strength" if s == 1 else f"{way} {s:g}"] for s in SCALES] for r in shrunk
    ]
    return np.array([[at[which]["pronoun"] for at in row] for row in rows])


new = {way: curve(way, "new") for way in ("intruders", "whole", "others")}
old = {way: curve(way, "old") for way in new}
half = SCALES.index(0.5)
note(
    new_at_one=new["intruders"][:, 0].mean(),
    old_at_one=old["intruders"][:, 0].mean(),
    new_lost_at_half=(new["intruders"][:, half] - new["intruders"][:, 0]).mean(),
    old_back_at_half=(old["intruders"][:, 0] - old["intruders"][:, half]).mean(),
    new_at_zero=new["intruders"][:, -1].mean(),
    old_share_at_zero=(old["intruders"][:, -1] / old["intruders"][:, 0]).mean(),
    whole_against_intruders=(old["whole"][:, half] - old["intruders"][:, half]).mean(),
    whole_new_at_half=new["whole"][:, half].mean(),
    whole_old_at_half=old["whole"][:, half].mean(),
    others_old_back=(old["others"][:, 0] - old["others"][:, half]).mean(),
    others_new_lost=(new["others"][:, half] - new["others"][:, 0]).mean(),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.3)
for way, colour in (("intruders", BLUE), ("whole", ORANGE), ("others", GREY)):
    x, y = new[way].mean(0), old[way].mean(0)
    (line,) = ax.plot(x, y, "o-", color=colour, ms=4)
    if way == "intruders":
        line.set_gid("choice-trade")
ax.plot(
    *[[v[:, 0].mean()] for v in (new["whole"], old["whole"])], "s", color=plots.INK, ms=8
)
ax.annotate(
    "intruders ×½",
    (new["intruders"][:, half].mean(), old["intruders"][:, half].mean()),
    color=BLUE,
    xytext=(12, 8),
    textcoords="offset points",
)
ax.annotate(
    "whole change ×½",
    (new["whole"][:, half].mean(), old["whole"][:, half].mean()),
    color=ORANGE,
    xytext=(10, 6),
    textcoords="offset points",
)
ax.annotate(
    "as many other directions ×0",
    (new["others"][:, -1].mean(), old["others"][:, -1].mean()),
    color=plots.INK,
    xytext=(10, 0),
    textcoords="offset points",
)
ax.set(
    xlabel="loss at new pronouns (nats)",
    ylabel="loss at old pronouns (nats)",
    title="The old rule comes back first",
    xlim=(0, None),
    ylim=(0, None),
)
figure(
    fig,
    name="undone",
    alt="Loss at old pronouns over loss at new ones as parts of the change are scaled from 1 to 0. The curve of the intruders falls "
    "steeply at first and then bends to the right. That of the whole change runs close to it.",
    caption="Square: as tuned. Rank 4, mean of five seeds, scales 1, ⅞, ¾, ½, ¼ and 0. “Other directions” are strong ones that are no intruders.",
    data={
        "new": np.array([*new.values()]).mean(1),
        "old": np.array([*old.values()]).mean(1),
    },
)

# %% [markdown]
# At half strength of the intruders the old pronouns cost {{ result("weight_change.old_back_at_half", ".1f") }} nats less, and the new ones
# {{ result("weight_change.new_lost_at_half", ".2f") }} more. This is what Shuttleworth and others report of large models.
#
# The control says why. Scale the *whole* change by a half, intruders or not: the old pronouns
# stand at {{ result("weight_change.whole_old_at_half", ".1f") }} nats and the new ones at
# {{ result("weight_change.whole_new_at_half", ".2f") }}. More of the old rule comes back and more of the new one is
# lost: a point further along nearly the same curve. For an equal loss at the old rule the intruders cost somewhat less
# of the new one. Scaling as many strong directions that are no intruders brings nothing back.
#
# ## What surprised us
#
# **Random changes plant as many.** We took intruders for a mark of what low rank learns, and this page did without that null for a
# while. Nothing about an intruder says that anything was learned.
#
#
# **Half of the "memory" was modesty.** The two rules exclude each other at every pronoun: what one gets, the other loses. A model that gives
# the new pronoun 98% instead of 90% gains 0.1 nats there, and pays 1.6 nats at the old one. So the first step back costs
# nearly nothing and seems to bring back much. We first read the figure as hidden memory, and now read it as a model that became less
# sure. The control of the whole change shows the same bend.
#
# **One matrix stands out, more here than elsewhere.** In this training the output matrix of layer 2's attention moved most in
# {{ result("weight_change.most_in_layer_2") }} of 20 runs, and we had a reason why. In other trainings it is sometimes another
# ([below](#in-five-trainings-of-world)).
#
# ## Try it
#
# **As large, but spread** (10 minutes). The random changes of the figure have rank 4. Draw changes of full rank, as large as the trained
# ones. How many intruder dimensions do they leave? Predict it before you run it.
#
# ??? tip "Hint"
#     A product of inner width 128 has full rank in every matrix.

# %% tags=["solution"]
spread = [planted(128, seed) for seed in range(5)]
assert max(spread) <= max(by_chance), (
    f"{spread}: is each change as large as the trained one?"
)
print("intruders of random changes, five of each")
print("full rank:", *spread)
print("rank 4:   ", *by_chance)

# %% [markdown]
# ## You can now
#
# - read a change of weights as a spectrum, and say how many directions it moved;
# - find intruder dimensions, and say what makes one;
# - ask of "scaling it down helps" whether scaling anything down helps as much.
#
# ## What this does not show
#
# - One rule of one small model, five trainings of it; the other four were tuned with one seed each. That intruders harm when a model learns many tasks in turn we did not test.
# - The threshold of 0.6 and the ten strongest directions are conventions; other choices give other counts.
# - Low rank and full tuning ran at rates that differ by a factor of 30. At one rate the counts would be closer, and the losses
#   incomparable.
#
# ## Going deeper
#
# ### A small change has no room for intruders

# %% tags=["setup"]
largest = {way: of("pronouns", way, lambda r: max(r["size"])).mean() for way in WAYS}
note(largest_full=largest["full"], largest_rank_4=largest["rank 4"])
small = combined(before, (0.2, difference(before, after)))
live(
    atol=3,
    because="training amplifies rounding; a count near a threshold",
    fifth_intruders=float(sum(len(intruders(before[n], w)) for n, w in small.items())),
)

# %% [markdown]
# Shrink the whole change of rank 4 to a fifth, about the size of full tuning's, and the count of intruders falls to
# {{ result("weight_change.fifth_intruders", ".0f") }} in the run of this page. So the difference between the ways is one of size: a small change cannot put a
# new direction among the ten strongest, however low its rank, and a large random one does whatever its rank (see the exercise).
#
# ### In five trainings of *World*

# %% tags=["setup"]
planted_by, matrix_by = {}, {}
for world_seed, some in histories("lora").items():
    for way in ("full", "rank 4"):
        found = [r for r in some if (r["task"], r["method"]) == ("pronouns", way)]
        planted_by[world_seed, way] = np.mean([sum(r["intruders"]) for r in found])
        sizes = np.mean([r["size"] for r in found], 0)
        matrix_by[world_seed, way] = PARTS[int(sizes.argmax())]
worlds = sorted({w for w, _ in matrix_by})
note(
    worlds=len(worlds),
    full_most=max(n for (_, way), n in planted_by.items() if way == "full"),
    rank_4_least=min(n for (_, way), n in planted_by.items() if way == "rank 4"),
    rank_4_most=max(n for (_, way), n in planted_by.items() if way == "rank 4"),
    same_matrix_worlds=sum(matrix_by[w, "full"] == matrix_by[w, "rank 4"] for w in worlds),
)

# %%
print("World  intruders  most changed: layer, matrix")
for w in worlds:
    full, low = planted_by[w, "full"], planted_by[w, "rank 4"]
    matrices = f"{matrix_by[w, 'full']} and {matrix_by[w, 'rank 4']}"
    print(f"{w:5}  {full:.0f} and {low:2.0f}   {matrices}")

# %% [markdown]
# Full tuning first, rank 4 second. The counts hold in each: full tuning leaves no intruder at all, rank 4 from
# {{ result("weight_change.rank_4_least", ".0f") }} to {{ result("weight_change.rank_4_most", ".0f") }}. The matrix does not.
#
# - Finding: [Large changes plant intruders, learned or random](../findings/weight-change-size-plants.md), in place of
#   [Intruders come with large low-rank changes](../findings/weight-change-intruders.md)
# - Dead end: [The matrix that changes most](../dead-ends/weight-change-one-matrix.md)
# - Dead end: [Blaming the intruders](../dead-ends/weight-change-blaming-intruders.md)
# - Shuttleworth and others (2024), [LoRA vs full fine-tuning: an illusion of equivalence](https://arxiv.org/abs/2410.21228)
# - Aghajanyan, Gupta & Zettlemoyer (2021), [Intrinsic dimensionality explains the effectiveness of language model fine-tuning](https://arxiv.org/abs/2012.13255)

# %% tags=["setup"]
assert rank_for(values, 0.9) <= 4
assert torch.allclose(scaled_intruders(W, changed, 1.0), changed, atol=1e-5)
in_words(
    case_size="Size of the change of one matrix against the matrix",
    case_first="Share of the change's energy in its first direction",
    intruders_full="Intruder dimensions of 160 after full tuning on pronouns, mean of five seeds",
    intruders_rank_1="The same after rank 1",
    intruders_rank_4="The same after rank 4",
    intruders_rank_16="The same after rank 16",
    own_intruders="The same after rank 4, in the run of this page",
    random_intruders="Intruder dimensions of random changes of rank 4 as large as those of this page's run, mean of five",
    facts_full="Intruder dimensions after full tuning on 72 facts",
    facts_rank_4="The same after rank 4",
    width_full="Directions that hold 90% of a matrix's change, full tuning",
    width_rank_4="The same for rank 4",
    width_rank_16="The same for rank 16",
    size_full="Size of the change against the matrix, full tuning, mean of 16",
    size_rank_4="The same for rank 4",
    most_in_layer_2="Runs of 20 in which the output matrix of layer 2's attention changed most",
    most_in_layer_2_share="The share of runs",
    times_mean_full="Its change over the mean, full tuning",
    times_mean_rank_4="Its change over the mean, rank 4",
    same_matrix="Full tuning and rank 4 change the same matrix most",
    new_at_one="Loss at new pronouns, as tuned",
    old_at_one="Loss at old pronouns, as tuned",
    new_lost_at_half="New pronouns: loss added by intruders at half strength",
    old_back_at_half="Old pronouns: loss removed by intruders at half strength",
    new_at_zero="Loss at new pronouns without intruders",
    old_share_at_zero="Share of the loss at old pronouns that is left without intruders",
    whole_against_intruders="Old pronouns: whole change at half strength minus intruders at half strength",
    whole_new_at_half="Loss at new pronouns with the whole change at half strength",
    whole_old_at_half="Loss at old pronouns with the whole change at half strength",
    others_old_back="Old pronouns: loss removed by as many other directions at half strength",
    others_new_lost="New pronouns: loss added by as many other directions at half strength",
    largest_full="Size of the change in the matrix that changed most, full tuning",
    largest_rank_4="The same for rank 4",
    worlds="Trainings of World that were tuned",
    full_most="Intruder dimensions after full tuning, most of the trainings",
    rank_4_least="The same after rank 4, least of the trainings",
    rank_4_most="The same after rank 4, most of the trainings",
    same_matrix_worlds="Trainings in which full tuning and rank 4 change the same matrix most",
    fifth_intruders="Intruder dimensions when the whole change of rank 4 is shrunk to a fifth, one seed",
)
