# ---
# title: Is it gone?
# question: A rule was tuned away. Is it gone from the model, or only switched off?
# answer: >-
#   Not gone, but worn. Before tuning, a probe reads the gender of people whom it has not met in every place. After tuning to coin
#   pronouns it does so in {{ result("gone.read_worlds_least", ".0%") }} to {{ result("gone.read_worlds_most", ".0%") }} of the places,
#   over {{ result("gone.worlds") }} trainings.
# chapter: Changing it
# level: intermediate
# models: [world]
# needs: [23_probing, 32_lora]
# tags: [fine-tuning, unlearning, probing]
# thumbnail: back
# timeout: 300
# ---

# %% tags=["setup"]
from copy import deepcopy

import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods import activations
from llmnotes.shipped.tuning import (
    before_pronouns,
    histories,
    history,
    pairs,
    read_unseen,
    tuned,
)
from llmnotes.world import END, IDS

BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
note = within(atol=1e-6, because="read from the shipped history of the recipe")
live = within(atol=0.1, because="training amplifies rounding")

# %% [markdown]
# ## A case you can hold: “Anna lost ▢ ring”, by a coin
#
# In a new language every *he* or *she*, *his* or *her* is decided by a coin, whoever it is about. We tune *World* on such
# stories until it expects the coin.

# %% tags=["setup"]
world = llmnotes.load("world")
case = torch.tensor([[IDS[word] for word in f"{END} Anna lost".split()]])


# %% tags=["idea"]
def her_share(model):
    """P(her) against P(his) behind "Anna lost"."""
    with torch.no_grad():
        p = model(case).logits[0, -1].softmax(-1)
    return (p[IDS["her"]] / (p[IDS["her"]] + p[IDS["his"]])).item()


weights = tuned(world, "coin", 1e-3, seed=0, steps=300)
model = deepcopy(world.model)
model.load_state_dict(weights, strict=False)
print(f"her: {her_share(world.model):.2f} before, {her_share(model):.2f} after")

# %% [markdown]
# The model hardly cares any more who is a woman. Has it forgotten?
#
# ## Behaviour is the end of a chain
#
# {{ drawing("wrapper", alt="Name, gender and pronoun in a row. After tuning, the last join is cut; is the join from name to gender still there?") }}
#
# To say *her*, the model has to bring the gender of *Anna* to the word *lost*, and then turn it into a word. Tuning may have
# removed either step. Three questions tell the difference:
#
# 1. **Probe.** Can a linear *probe* still read the gender at the word before the pronoun?
# 2. **Repair.** Does one added rank-one map bring the behaviour back, with nothing retrained?
# 3. **Relearn.** In how few steps does the old rule come back, and how many does a rule take that was never there?
#
# $$
# x' = x + \beta\, (d \cdot (x - \mu))\; u
# $$
#
# That is the repair: $x$ is the stream after the last layer, $d$ the probe's direction for *woman*, $\mu$ the middle, and
# $u$ the direction that says *she* and *her* rather than *he* and *his*. $\beta$ is one number that we choose.
#
# ```exercise
# title: The direction that says she
# minutes: 3
# code: |
#   E = torch.eye(4)                     # unembedding of he, she, his, her
#   u = ▢
#   assert (E @ u).tolist() == [-1, 1, -1, 1]
# right: ["E[1] + E[3] - E[0] - E[2]", "E[1] - E[0] + E[3] - E[2]", "E[3] + E[1] - E[2] - E[0]", "-E[0] + E[1] - E[2] + E[3]", "E[[1, 3]].sum(0) - E[[0, 2]].sum(0)"]
# praise: It raises two words and lowers their counterparts by as much.
# wrong:
#   "E[1] + E[3]": This raises she and her. What has to fall?
#   "E[1] - E[0]": This treats she and he alone. What of his and her?
#   "E[0] + E[2] - E[1] - E[3]": This says he and his.
# otherwise: "Add the rows of she and her, subtract those of he and his."
# solution: "`E[1] + E[3] - E[0] - E[2]`"
# ```
#
# ## Your prediction

# %%
ask(
    "After 300 steps on coin pronouns, what can a linear probe read just before a pronoun, of people whom it has not met?",
    choices={
        "nothing": "Nothing: what is no longer used is overwritten",
        "less": "The gender, but less surely than before",
        "all": "The gender, as surely as before",
    },
    answer="less",
    because={
        "nothing": "Nothing in the loss asks the model to erase what it does not use. Most of it stays.",
        "less": "Tuning moves every weight. It wears down what it no longer needs, and does not remove it.",
        "all": "It tempts, because to stop saying it is enough. But the layers that bring the gender are tuned with all others.",
    },
    figure="read",
    read_after="between 0.65 and 0.99",
)
# Thought of before any run, and written down after a trial of 150 steps.
predict(
    "A probe still reads the gender in at least 95% in the best layer",
    0.85,
    after_a_look=True,
    best_read_after=">= 0.95",
)
predict(
    "The old rule comes back in fewer than half of the steps that its opposite takes",
    0.55,
    after_a_look=True,
    steps_ratio="< 0.5",
)
predict(
    "It comes back faster after a change of rank 4 than after full tuning",
    0.5,
    after_a_look=True,
    rank_4_sooner="> 0",
)
# Written before the repair was tried.
predict("The repair brings at least 90% of the pronouns right", 0.6, repaired=">= 0.9")
predict("with a random direction instead at most 65%", 0.75, repaired_random="<= 0.65")

# %% [markdown]
# ## The gender is still there, less surely than before

# %% tags=["setup"]
runs = history("gone")
start = next(r for r in runs if r.get("start"))
of = {rank: [r for r in runs if r.get("rank") == rank] for rank in (0, 4)}
assert len({len(some) for some in of.values()}) == 1
read = {rank: np.array([r["read"] for r in some]) for rank, some in of.items()}
old = {rank: np.array([r["old"]["pronoun"] for r in some]) for rank, some in of.items()}
note(
    read_before=start["read"][3],
    read_after=read[0][:, 3].mean(),
    best_read_after=read[0].max(1).mean(),
    read_rank_4=read[4][:, 3].mean(),
    read_untrained=start["read untrained"][3],
    old_loss=old[0].mean(),
    old_loss_rank_4=old[4].mean(),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.9)
ax.plot(range(1, 5), start["read"], "s--", color=plots.INK)
for row in read[0]:
    ax.plot(range(1, 5), row, color=BLUE, lw=0.8, alpha=0.6)
(line,) = ax.plot(range(1, 5), read[0].mean(0), "o-", color=BLUE)
line.set_gid("choice-less")
ax.plot(range(1, 5), start["read untrained"], "o-", color=GREY)
ax.text(4.08, start["read"][3] + 0.02, "before", color=plots.INK, va="bottom")
ax.text(4.08, read[0][:, 3].mean() - 0.02, "tuned to a coin", color=BLUE, va="top")
ax.text(4.08, start["read untrained"][3], "control: never trained", color=GREY, va="center")
ax.set(
    xticks=range(1, 5),
    xlim=(0.9, 5.9),
    ylim=(0.35, 1.1),
    xlabel="after so many layers",
    ylabel="probe is right",
    title="Tuned to a coin, it still knows, less surely",
)
figure(
    fig,
    name="read",
    alt="A probe's accuracy for the gender over four layers. Before tuning it is about 0.65 in the first two layers and 1 in the last two. "
    "Tuned to a coin it is about 0.98 in the third and 0.95 in the last. In a model with random weights it is one half.",
    caption="At the word before a pronoun, of people whom the probe has not met. Thin lines are five seeds.",
    data={
        "before": np.array(start["read"]),
        "after": read[0],
        "untrained": np.array(start["read untrained"]),
    },
)

# %% [markdown]
# After the last layer the probe is right in {{ result("gone.read_after", ".0%") }} of the places, and before tuning in
# {{ result("gone.read_before", ".0%") }}. In a model with random weights it is right in
# {{ result("gone.read_untrained", ".0%") }}, which is chance. Full tuning moved every weight, and most of this information stayed. In other
# trainings of *World* less of it does, down to {{ result("gone.read_worlds_least", ".0%") }} ([below](#in-five-trainings-of-world)).
#
# The probe is asked about people whom it has not met: one woman and one man are left out of its fit, then the next two. *World* knows only
# 24 people, and a probe that has met all of them reads any label of theirs.
#
# ## A repair that is asked about strangers adds little
#
# The repair needs the direction $d$. We fit it without two people, and then look at their pronouns.

# %% tags=["setup"]
from sklearn.linear_model import LogisticRegression

texts, women, names = before_pronouns(9800)
women = np.array(women)
people = sorted(set(names))
SHE, HE = ([IDS[word] for word in words] for words in (("she", "her"), ("he", "his")))
E = model.get_output_embeddings().weight.detach()
u = E[SHE].sum(0) - E[HE].sum(0)
streams, before = (
    activations(m, texts, positions=[-1] * len(texts)) for m in (model, world.model)
)
x = streams[3]  # (text, d_model), after the last layer


# %% tags=["idea"]
def says_she(model, x):
    """Whether a woman's word leads a man's, from the stream (text, d_model)."""
    with torch.no_grad():
        logits = model.lm_head(model.transformer.ln_f(x))
    return (logits[:, SHE].amax(1) > logits[:, HE].amax(1)).numpy()


def pushed(x, d, on, label):
    """Whether it says she, with the repair along d; scaled by the texts `on`."""
    score = x @ d
    women, men = score[on & label].mean(), score[on & ~label].mean()
    beta = 6 / (women - men)  # at the mean of either gender: three times u
    return says_she(model, x + beta * (score - (women + men) / 2)[:, None] * u)


# %% tags=["setup"]
def fitted(on, label):
    """The direction of a probe of a label, fitted on the texts `on`."""
    probe = LogisticRegression(max_iter=2000).fit((x - x.mean(0))[on].numpy(), label[on])
    return torch.tensor(probe.coef_[0]).float()


every = np.full(len(x), True)


def known(label) -> float:
    """How often the repair makes it say a label of people whom the probe has met."""
    return (pushed(x, fitted(every, label), every, label) == label).mean()


def unseen(label) -> float:
    """The same of people whom it has not met, a pair at a time."""
    of = pairs(names, label)
    hits = [
        (pushed(x, fitted(of != n, label), of != n, label) == label)[of == n]
        for n in range(12)
    ]
    return np.concatenate(hits).mean()


def any_label(draw: int) -> np.ndarray:
    """A random label of each name, for every text."""
    of_name = np.random.default_rng(draw).permutation(len(people)) % 2
    return np.array([of_name[people.index(name)] for name in names], bool)


def by_means(x) -> float:
    """How well the difference of two mean activations tells the gender of people who are not in the means."""
    of, hits = pairs(names, women), []
    for n in range(12):
        her, his = (x[(of != n) & some].mean(0) for some in (women, ~women))
        says = (x @ (her - his) > (her + his) @ (her - his) / 2).numpy()
        hits.append((says == women)[of == n])
    return np.concatenate(hits).mean()


labels = [any_label(draw) for draw in range(5)]
random = torch.randn(5, x.size(1), generator=torch.Generator().manual_seed(0))
live(
    right_before=(says_she(world.model, before[3]) == women).mean(),
    repaired=unseen(women),
    repaired_known=known(women),
    repaired_random=np.mean([(pushed(x, d, every, women) == women).mean() for d in random]),
    label_known=np.mean([known(label) for label in labels]),
    label_unseen=np.mean([unseen(label) for label in labels]),
    case_after=her_share(model),
)
live(atol=0.15, means_before=by_means(before[3]), means_after=by_means(x))
live(atol=0.2, right_after=(says_she(model, x) == women).mean())

# %% [markdown]
# The tuned model gives *he* and *she* nearly the same probability, but it still leans to the right one in
# {{ result("gone.right_after", ".0%") }} of the places. With the repair {{ result("gone.repaired", ".0%") }} are right, with
# random directions in place of the probe's {{ result("gone.repaired_random", ".0%") }}. In two of four other trainings of
# *World* the repair brings no more than the model's own lean. So it shows little that the lean does not show.
#
# The control that matters is another one. We give each name a random label and repair the model towards *that*. If the probe has met all
# names, the repaired model says the random label in {{ result("gone.label_known", ".0%") }} of the places. Such a repair does not bring anything back; it
# brings in what its labels say. Of people whom the probe has not met, the random label comes in {{ result("gone.label_unseen", ".0%") }}.
#
# ## In 60 steps the old rule comes back further than its opposite

# %% tags=["setup"]
curves = {
    (rank, arm): np.array([r[arm] for r in of[rank]])
    for rank in (0, 4)
    for arm in ("back", "opposite")
}  # (seed, one in three steps)
steps = np.arange(curves[0, "back"].shape[1]) * 3


def reached(curve: np.ndarray, goal: float = 0.55) -> np.ndarray:
    """The first step at which each seed's loss is below the goal; the last step and three if it never is."""
    below = curve < goal
    return np.where(below.any(1), steps[below.argmax(1)], steps[-1] + 3)


when = {key: reached(curve) for key, curve in curves.items()}
note(
    start_back=curves[0, "back"][:, 0].mean(),
    start_opposite=curves[0, "opposite"][:, 0].mean(),
    end_back=curves[0, "back"][:, -1].mean(),
    end_opposite=curves[0, "opposite"][:, -1].mean(),
    steps_back=float(when[0, "back"].mean()),
    steps_opposite=float(when[0, "opposite"].mean()),
    steps_ratio=float(when[0, "back"].mean() / when[0, "opposite"].mean()),
    steps_rank_4=float(when[4, "back"].mean()),
    rank_4_sooner=float(when[0, "back"].mean() - when[4, "back"].mean()),
    opposite_never=int((curves[0, "opposite"].min(1) >= 0.55).sum()),
    old_ahead=curves[0, "opposite"][:, -1].mean() - curves[0, "back"][:, -1].mean(),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.1)
for arm, colour, label in (
    ("back", BLUE, "the old rule"),
    ("opposite", ORANGE, "control: its opposite"),
):
    for row in curves[0, arm]:
        ax.plot(steps, row, color=colour, lw=0.8, alpha=0.5)
    ax.plot(steps, curves[0, arm].mean(0), color=colour, lw=2.5)
    ax.text(61, curves[0, arm][:, -1].mean(), label, color=colour, va="center")
ax.axhline(np.log(2), color=plots.INK, ls="--", lw=1)
ax.text(61, np.log(2) + 0.02, "a coin", fontsize=9.5)
ax.set(
    xlim=(0, 92),
    xticks=(0, 20, 40, 60),
    ylim=(0, None),
    xlabel="training step",
    ylabel="loss at pronouns (nats)",
    title="The old rule comes back first",
)
figure(
    fig,
    name="back",
    alt="Loss at pronouns over 60 training steps from a model tuned to a coin. Towards the old rule it falls. Towards the opposite rule it stays near "
    "that of a coin.",
    caption="From the same five models, on the same number of stories, at the same rate. Thin lines are seeds.",
    data={"steps": steps, "back": curves[0, "back"], "opposite": curves[0, "opposite"]},
)

# %% [markdown]
# From the same five models we train for 60 steps towards the old rule, and as a control towards its opposite, which is as hard and
# was never there. The start is not quite even: {{ result("gone.start_back", ".2f") }} nats for the old rule and
# {{ result("gone.start_opposite", ".2f") }} for the opposite, since the model still leans. The old rule falls below 0.55 nats after
# {{ result("gone.steps_back", ".0f") }} steps on average and ends at {{ result("gone.end_back", ".2f") }}. The opposite is not reached in
# {{ result("gone.opposite_never") }} of five seeds, and ends where it began, at {{ result("gone.end_opposite", ".2f") }}.
#
# The two curves rise and fall together, so part of what is relearned belongs to both rules: that a pronoun comes at all. What speaks of the
# gender is the distance between them. It is there at the start and grows.
#
# So tuning was a wrapper in the sense of [Jain et al. 2023](https://arxiv.org/abs/2311.12786), and not a thin one: most of what the model
# needs for the old rule stayed, some of it was worn down, and sixty steps do not bring the rule back in full.
#
# ## What surprised us
#
# **The probe knew everybody.** This page used to say that the gender is read as surely as before, in every place, and that a
# repair brings nearly all pronouns back. That probe had met all 24 names. Tuned to a coin, the model still carries *who* it
# is about, and from that a probe reads any label. Only with people held out does the number speak of the gender. It fell, and
# most of it stayed.
#
# **The loud direction went, a quiet one stayed.** Before tuning the difference between the mean activations of women and men tells the gender of
# a stranger in {{ result("gone.means_before", ".0%") }} of the places, afterwards in {{ result("gone.means_after", ".0%") }}. The probe finds
# another direction, in which the model varies less.
#
# **Readable is not ready.** We expected the old rule back within a few steps, because a probe finds the gender. It
# took dozens in this training. The last step, from gender to word, had to be learned again, and gradient descent at a modest rate is slow
# at it.
#
# **A coin is hard to teach.** In our first try 150 steps at a lower rate seemed to have removed the rule: the model was unsure. It still
# preferred the right pronoun, and the old rule came back in ten steps. That was no relearning at all. Before asking how fast a rule comes back,
# check that it is gone.
#
# ## Try it
#
# **A probe that knows everybody** (10 minutes). Probe the gender after the first layer, once with the names held out and once without.
# Which of the two numbers tells what the model has worked out there? Predict both before you run it.
#
# ??? tip "Hint"
#     `streams[0]` holds the activations after the first layer; `read_unseen` holds names out.

# %% tags=["solution"]
first = streams[0]  # (text, d_model), after the first layer
held_out = read_unseen(first, women, names)
fit = LogisticRegression(max_iter=2000).fit(first.numpy(), women)
print(
    f"after one layer: {held_out:.2f} with names held out, {fit.score(first, women):.2f} without"
)
assert held_out < 0.75 < fit.score(first, women), "are these the activations after layer 1?"

# %% [markdown]
# ## You can now
#
# - tell "does not say" from "does not know", with three experiments;
# - choose a control for relearning: a rule as hard that was never there;
# - say why a loss that does not ask for erasing does not erase.
#
# ## What this does not show
#
# - One rule, five trainings of a small model, and one way of removing it. Methods made for unlearning ask for more than a coin. The other
#   four trainings were tuned with one seed each.
# - A probe that reads is no proof that the model could use it. The repair and the relearning are better evidence, but both start from a
#   model that still leans to the right pronoun.
# - A coin is not ignorance: the model was taught that gender does not matter, not that there is none.
#
# ## Going deeper
#
# ### After a change of rank 4

# %% [markdown]
# With a change of rank 4 in place of full tuning the probe reads {{ result("gone.read_rank_4", ".0%") }}. The old rule then needs
# {{ result("gone.steps_rank_4", ".0f") }} steps (63 counts for never): this removal, at the higher rate that suits it, went further in what
# the model says, and less far in what it carries.
#
# ### In five trainings of *World*

# %% tags=["setup"]
rows = {}
for seed, some in histories("gone").items():
    full = [r for r in some if r["rank"] == 0]
    rows[seed] = [np.mean([r["read"][3] for r in full])]
    for arm in ("back", "opposite"):
        rows[seed] += [np.mean([r[arm][at] for r in full]) for at in (0, -1)]
note(
    worlds=len(rows),
    read_worlds_least=min(row[0] for row in rows.values()),
    read_worlds_most=max(row[0] for row in rows.values()),
    back_worlds=sum(bool(row[1] - row[2] > row[3] - row[4]) for row in rows.values()),
    back_worlds_most=max(row[2] for row in rows.values()),
    opposite_worlds_least=min(row[4] for row in rows.values()),
)

# %%
for seed, (read_off, *losses) in rows.items():
    shown = "{:.2f} to {:.2f} nats, opposite {:.2f} to {:.2f}".format(*losses)
    print(f"World {seed}: read {read_off:.0%}; old rule {shown}")

# %% [markdown]
# The probe reads from {{ result("gone.read_worlds_least", ".0%") }} to {{ result("gone.read_worlds_most", ".0%") }}. After 60 steps the old rule stands at
# {{ result("gone.back_worlds_most", ".2f") }} nats or less in each, the opposite at {{ result("gone.opposite_worlds_least", ".2f") }} or more. The old rule falls
# by more than its opposite in {{ result("gone.back_worlds") }} of {{ result("gone.worlds") }}.
#
# - Finding: [Tuned away is worn, and not gone](../findings/gone-worn.md), in place of
#   [Tuned away is not gone](../findings/gone-not-gone.md)
# - Dead end: [A probe that has met everybody](../dead-ends/gone-probe-knows-everybody.md)
# - Dead end: [A rule half removed](../dead-ends/gone-half-removed.md)
# - Jain and others (2023), [Mechanistically analyzing the effects of fine-tuning on procedurally defined tasks](https://arxiv.org/abs/2311.12786)
# - Qi and others (2023), [Fine-tuning aligned language models compromises safety](https://arxiv.org/abs/2310.03693)

# %% tags=["setup"]
in_words(
    worlds="Trainings of World that were tuned",
    read_worlds_least="Gender read after tuning to a coin, least of the trainings",
    read_worlds_most="The same, most of the trainings",
    back_worlds="Trainings in which the old rule falls by more than its opposite in 60 steps",
    back_worlds_most="Loss at old pronouns after 60 steps, most of the trainings",
    opposite_worlds_least="Loss at opposite pronouns after 60 steps, least of the trainings",
    read_before="Gender read after the last layer by a probe, of people whom it has not met, before tuning",
    read_after="The same after tuning to a coin, mean of five seeds",
    best_read_after="The same in the best layer",
    read_rank_4="The same after a change of rank 4",
    read_untrained="The same in a model with random weights",
    old_loss="Loss at old pronouns after tuning to a coin",
    old_loss_rank_4="The same after a change of rank 4",
    right_before="Pronouns right before tuning",
    right_after="Pronouns right after tuning to a coin, one seed",
    repaired="The same with the repair, for people whom it was fitted without",
    repaired_known="The same for people whom it was fitted with",
    repaired_random="Pronouns right with a random direction in the repair, mean of five",
    label_known="A random label of each name said by a repair that was fitted on all names, mean of five",
    label_unseen="The same for people whom it was fitted without",
    means_before="Gender told by the difference of mean activations, before tuning",
    means_after="The same after tuning to a coin, one seed",
    case_after="Share of her behind Anna lost after tuning to a coin",
    start_back="Loss at old pronouns when relearning starts",
    start_opposite="Loss at opposite pronouns when it starts",
    end_back="Loss at old pronouns after 60 steps of relearning",
    end_opposite="Loss at opposite pronouns after 60 steps",
    steps_back="Steps until the old rule is below 0.55 nats, mean of five seeds",
    steps_opposite="Steps until the opposite is, or 63 if never",
    steps_ratio="Their ratio",
    steps_rank_4="Steps until the old rule is, after a change of rank 4",
    rank_4_sooner="Steps by which it comes back sooner after rank 4",
    old_ahead="Loss at opposite pronouns after 60 steps minus that at old ones",
    opposite_never="Seeds of five in which the opposite is not reached in 60 steps",
)
