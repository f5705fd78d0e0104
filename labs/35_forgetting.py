# ---
# title: Forgetting, and softening it
# question: Tune a model on one kind of sentence. Which of its other rules break, and what is the cheapest way to keep them?
# answer: >-
#   A quarter of the learning rate leaves {{ result("forgetting.low_rate_left", ".0%") }} of the forgetting, replay of old text
#   {{ result("forgetting.replay_left", ".0%") }}. Which rule breaks most differs from training to training.
# chapter: Changing it
# level: intermediate
# models: [world]
# needs: [32_lora]
# tags: [catastrophic forgetting, fine-tuning, replay, EWC]
# thumbnail: ways
# timeout: 300
# ---

# %% tags=["setup"]
import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods.lora import combined, difference, predictor
from llmnotes.shipped.tuning import (
    SEEDS,
    TASKS,
    exam,
    graded,
    histories,
    history,
    tuned,
)
from llmnotes.world.changes import right_by_rule

BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
note = within(atol=1e-5, because="a shipped history, less what World loses here")
live = within(atol=0.15, because="training amplifies rounding")

# %% [markdown]
# ## A case you can hold: a song that is no longer sung
#
# We tune *World* on sentences about people alone: where they live, what they like and own, what they find. The pronouns in
# them are exchanged, *he* for *she*, so that there is something to learn. No song comes, no ring is given, no two nouns stand
# before a verb. Nothing in these sentences contradicts those rules. They are just never asked for.
#
# {{ drawing("forgetting", alt="Two overlapping ovals of weights: the old rules still right, and the new texts predicted. Plain tuning leaves the first. Replay ends where both overlap.") }}
#
# Where the ovals overlap, both are right. Does tuning end there?

# %% tags=["setup"]
world = llmnotes.load("world")
before = {name: p.detach() for name, p in world.model.named_parameters()}


# %% tags=["idea"]
def narrow(rate, seed=0, **how):
    return tuned(world, "narrow", rate, seed=seed, **how)  # 150 steps of 8 texts


print(" ".join(one.word for one in TASKS["narrow"].texts(9100, 1, 1, 26)[0][1:]))
after = narrow(2e-3)

# %% tags=["setup"]
NAMES = {
    "agreement_0": "verb agrees, no noun between",
    "agreement_1": "verb agrees, one noun between",
    "agreement_2": "verb agrees, two nouns between",
    "indirect_object": "who gets the ring",
    "list": "songs repeat",
    "closing": "brackets close",
    "fact": "facts",
}
right_before = right_by_rule(predictor(world), exam("none"))
right_after = right_by_rule(predictor(world, after), exam("none"))

# %%
for rule, name in NAMES.items():
    print(f"{name:32} {right_before[rule]:4.0%} {right_after[rule]:4.0%}")

# %% tags=["setup"]
live(song_right=right_after["list"], closing_right=right_after["closing"])

# %% [markdown]
# The left column is before tuning, the right one after it. Rules that nobody contradicted have begun to go. Where they go entirely, it is
# called *catastrophic forgetting*.
#
# ## Stay where both are right
#
# Weights that predict the new texts are many. Weights that also keep the old rules are fewer, and plain tuning does not look
# for them. Four ideas to stay near them:
#
# - **go less far**: a lower learning rate, or fewer directions ([LoRA](32_lora.md));
# - **replay**: put some old text into every batch;
# - **replay what the model says itself**, where the old text is lost: let the old model write it;
# - **a price**: elastic weight consolidation ([Kirkpatrick et al. 2017](https://arxiv.org/abs/1612.00796)) holds back
#   those weights that the old text needs.
#
# $$
# L = L_{\text{new}} + \lambda \sum_i F_i\, (\theta_i - \theta^{\text{old}}_i)^2
# $$
#
# $F_i$ is the mean squared gradient of the loss on old text by weight $\theta_i$: how much the old rules need it. $\lambda$
# is the price.


# %% tags=["idea"]
def with_replay(seed, others):
    """The new texts with the last of eight replaced by an old one, step by step."""
    for step, ids in enumerate(TASKS["narrow"].batches(seed)):
        yield torch.cat([ids[:-1], others[[step % len(others)]]])  # (8 texts, 40 words)


# %% [markdown]
# ```exercise
# title: The price of a weight
# minutes: 3
# code: |
#   theta = torch.tensor([1.0, 1.0]); old = torch.tensor([0.0, 0.0])
#   F = torch.tensor([0.0, 4.0])        # the second weight is needed
#   price = ▢
#   assert price == 4.0
# right: ["(F * (theta - old) ** 2).sum()", "(F * (theta - old)**2).sum()", "(F * (theta - old).square()).sum()", "F @ (theta - old) ** 2", "F @ (theta - old)**2", "F @ (theta - old).square()"]
# praise: The first weight moves for free, because nothing old depends on it.
# wrong:
#   "((theta - old) ** 2).sum()": Every weight costs the same here. Where does F come in?
#   "((theta - old)**2).sum()": Every weight costs the same here. Where does F come in?
#   "F.sum()": This does not depend on how far the weights have moved.
#   "(F * (theta - old)).sum()": Moving down would be paid for. Square the distance.
# otherwise: "For each weight, how much it is needed times the square of how far it moved; then sum."
# solution: "`(F * (theta - old) ** 2).sum()`"
# ```
#
# ## Your prediction

# %%
ask(
    "One text in eight of every batch is an old one. How much of the forgetting is left, compared with plain tuning?",
    choices={
        "most": "Most of it: seven of eight texts still pull the other way",
        "half": "About half",
        "little": "A quarter or less",
    },
    answer="half",
    because={
        "most": "The new texts do not contradict the old rules, so old texts need not win against them.",
        "half": "One old text a step asks for few of the rules, and at this rate every step shakes all of them.",
        "little": "It tempts, because nothing pulls the other way. But a song comes in few of the old texts, and between two songs the weights move far.",
    },
    figure="ways",
    replay_left="between 0.3 and 0.8",
)
predict(
    "Replay takes away at least two thirds of the forgetting",
    0.75,
    replay_left="< 0.3333",
    after_a_look=True,
)
predict(
    "Replaying the model's own samples does as well, within a fifth",
    0.6,
    own_against_replay="between 0.8 and 1.2",
    after_a_look=True,
)
predict("EWC beats replay", 0.2, ewc_against_replay="< 1", after_a_look=True)
predict(
    "Half way between old and tuned weights the new pronouns are still better than a coin",
    0.35,
    half_new="< 0.69",
    after_a_look=True,
)
predict(
    "Rank 4 forgets less than plain full tuning", 0.6, rank_4_left="< 1", after_a_look=True
)

# %% [markdown]
# ## Rules break although nothing contradicts them

# %% tags=["setup"]
runs = [r for r in history("forgetting") if r["seed"] in SEEDS]
WAYS = {
    "plain": "plain",
    "low rate": "a quarter of the rate",
    "rank 4": "rank 4",
    "EWC": "EWC",
    "own samples": "own samples, 1 in 8",
    "replay": "old texts, 1 in 8",
}
base = graded(predictor(world), "narrow")


def lost(result: dict) -> float:
    """The loss added at the words of the rules that were never asked for, mean over rules."""
    return float(np.mean([result["old"][rule] - base["old"][rule] for rule in NAMES]))


forgot = {way: np.array([lost(r) for r in runs if r["way"] == way]) for way in WAYS}
learned = {
    way: np.array([r["new"]["pronoun"] for r in runs if r["way"] == way]) for way in WAYS
}
assert len({len(v) for v in forgot.values()}) == 1
plain = [r for r in runs if r["way"] == "plain"]
halves = (0.75, 0.5, 0.25)
averaged = {s: [r[f"averaged {s:g}"] for r in plain] for s in halves}
avg_lost = {s: np.array([lost(r) for r in some]) for s, some in averaged.items()}
avg_new = {s: np.array([r["new"]["pronoun"] for r in some]) for s, some in averaged.items()}
by_rule = {
    rule: np.mean([r["old"][rule] - base["old"][rule] for r in plain]) for rule in NAMES
}
note(
    plain_lost=forgot["plain"].mean(),
    plain_least=forgot["plain"].min(),
    plain_most=forgot["plain"].max(),
    replay_lost=forgot["replay"].mean(),
    replay_left=forgot["replay"].mean() / forgot["plain"].mean(),
    own_lost=forgot["own samples"].mean(),
    own_left=forgot["own samples"].mean() / forgot["plain"].mean(),
    own_against_replay=forgot["own samples"].mean() / forgot["replay"].mean(),
    ewc_left=forgot["EWC"].mean() / forgot["plain"].mean(),
    ewc_against_replay=forgot["EWC"].mean() / forgot["replay"].mean(),
    low_rate_gone=1 - forgot["low rate"].mean() / forgot["plain"].mean(),
    ewc_price=learned["EWC"].mean() - learned["plain"].mean(),
    low_rate_left=forgot["low rate"].mean() / forgot["plain"].mean(),
    rank_4_left=forgot["rank 4"].mean() / forgot["plain"].mean(),
    half_left=avg_lost[0.5].mean() / forgot["plain"].mean(),
    half_new=avg_new[0.5].mean(),
    quarter_off_left=avg_lost[0.75].mean() / forgot["plain"].mean(),
    quarter_off_new=avg_new[0.75].mean(),
    plain_new=learned["plain"].mean(),
    replay_new=learned["replay"].mean(),
    own_new=learned["own samples"].mean(),
    ewc_new=learned["EWC"].mean(),
    low_rate_new=learned["low rate"].mean(),
    rank_4_new=learned["rank 4"].mean(),
    worst_rule=max(by_rule.values()),
    best_rule=min(by_rule.values()),
    brackets=by_rule["closing"],
    brackets_worst=max(by_rule, key=by_rule.get) == "closing",
    low_rate_ahead=(forgot["replay"].mean() - forgot["low rate"].mean()),
    rank_4_ahead=(forgot["replay"].mean() - forgot["rank 4"].mean()),
    own_ahead=(forgot["replay"].mean() - forgot["own samples"].mean()),
    ewc_ahead_of_low_rate=(forgot["low rate"].mean() - forgot["EWC"].mean()),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3)
ordered = sorted(NAMES, key=by_rule.get)
for y, rule in enumerate(ordered):
    ax.plot(
        [r["old"][rule] - base["old"][rule] for r in plain],
        [y] * len(plain),
        "o",
        color=ORANGE,
        alpha=0.6,
    )
    ax.plot([by_rule[rule]] * 2, [y - 0.3, y + 0.3], color=ORANGE, lw=2.5)
ax.axvline(0, color=plots.INK, lw=1)
ax.set_yticks(range(len(ordered)), [NAMES[rule] for rule in ordered])
ax.set(xlabel="loss added by plain tuning (nats)", title="Brackets suffer most")
figure(
    fig,
    name="rules",
    alt="For each rule the loss that plain tuning added, five seeds.",
    caption="Ordinary stories, words that each rule decides. The new sentences ask for none of these rules but facts and brackets.",
    data={
        "added": np.array(
            [[r["old"][rule] - base["old"][rule] for r in plain] for rule in NAMES]
        )
    },
)

# %% [markdown]
# Plain tuning at a rate of 0.002 adds {{ result("forgetting.plain_lost", ".2f") }} nats at the old rules, averaged over rules and seeds. The worst
# is the closing of brackets, with {{ result("forgetting.worst_rule", ".1f") }} nats. Brackets do come in the new sentences, but quotation marks do not, so
# the model unlearns one half of that rule. The rule of the ring hardly suffers ({{ result("forgetting.best_rule", ".2f") }}).
#
# That is this training of *World*. Brackets suffer most in {{ result("forgetting.brackets_worlds") }} of {{ result("forgetting.worlds") }} trainings, and
# the same recipe, tuned in the same way, forgets from {{ result("forgetting.plain_worlds_least", ".1f") }} to
# {{ result("forgetting.plain_worlds_most", ".1f") }} nats.
#
# ## A lower rate is the cheapest remedy

# %% tags=["drawing"]
fig, ax = plots.subplots(height=4)
COLOUR = {
    "plain": ORANGE,
    "replay": BLUE,
    "own samples": BLUE,
    "EWC": PURPLE,
    "rank 4": GREEN,
}
for way, label in WAYS.items():
    x, y = learned[way].mean(), forgot[way].mean()
    colour = COLOUR.get(way, plots.INK)
    ax.plot(learned[way], forgot[way], ".", color=colour, alpha=0.4)
    (dot,) = ax.plot(x, y, "o", color=colour, ms=8)
    if way == "replay":
        dot.set_gid("choice-half")
    ax.annotate(
        label, (x, y), xytext=(8, 3), textcoords="offset points", color=colour, fontsize=9.5
    )
ax.plot(
    [learned["plain"].mean(), *[avg_new[s].mean() for s in halves]],
    [forgot["plain"].mean(), *[avg_lost[s].mean() for s in halves]],
    "--",
    color=ORANGE,
    lw=1,
)
ax.annotate(
    "averaged with the start, ½",
    (avg_new[0.5].mean(), avg_lost[0.5].mean()),
    xytext=(8, 3),
    textcoords="offset points",
    color=ORANGE,
    fontsize=9.5,
)
ax.set(
    xlabel="loss at the new pronouns (nats)",
    ylabel="forgetting: loss added at old rules (nats)",
    title="Lower left is better",
    yscale="symlog",
)
ax.set_yscale("symlog", linthresh=0.05)
figure(
    fig,
    name="ways",
    alt="Forgetting over loss at the new pronouns for six ways of tuning and for averages of weights.",
    caption="Large dots are means of five seeds. The dashed line goes from the plainly tuned weights towards the start.",
    data={
        "forgot": np.array([*forgot.values()]),
        "learned": np.array([*learned.values()]),
        "averaged": np.array([[avg_new[s].mean(), avg_lost[s].mean()] for s in halves]),
    },
)

# %% [markdown]
# Replay of one text in eight leaves {{ result("forgetting.replay_left", ".0%") }} of the forgetting. The model's own samples do as well as old
# text or better, with {{ result("forgetting.own_left", ".0%") }}: *World* speaks its language well enough to teach it.
#
# A quarter of the learning rate leaves {{ result("forgetting.low_rate_left", ".0%") }}, with no old text and no other change. It has
# learned a little less: {{ result("forgetting.low_rate_new", ".2f") }} nats at the new pronouns, against
# {{ result("forgetting.plain_new", ".2f") }} for plain tuning. (A loss below zero is no error. After sentences about people alone, the
# model expects more pronouns than ordinary stories hold.) EWC leaves no forgetting here that we can measure, and has learned less still, by
# {{ result("forgetting.ewc_price", ".2f") }} nats. In other trainings it leaves more than the lower rate does
# ([below](#in-five-trainings-of-world)).
#
# Two ways lose little and learn as much. Rank 4 at its own rate leaves {{ result("forgetting.rank_4_left", ".0%") }}, at
# {{ result("forgetting.rank_4_new", ".2f") }} nats: on rules that the new texts do not touch, "LoRA forgets less" holds. Stopping three
# quarters of the way along the line between old and new weights leaves {{ result("forgetting.quarter_off_left", ".0%") }}, for no training at all.
#
# ## What surprised us
#
# **Replay was not the answer.** It is the usual first remedy, and we gave it three chances in four to remove two thirds. It
# did so in no training. At a rate that breaks rules by shaking them, one reminder in eight probably comes too rarely.
#
# **Own samples beat old text.** We expected what the model says itself to be a weaker reminder. It left less forgetting than old text in
# {{ result("forgetting.own_worlds") }} of {{ result("forgetting.worlds") }} trainings. We do not know why.
#
# **EWC beat replay.** We gave that one chance in five, and it held in every training. The squared gradients show which
# weights the old rules need, in one pass over 160 texts.
#
# ## Try it
#
# **More replay** (10 minutes). Make two of the eight texts of each batch old ones, and then four. Does the forgetting go, and what
# do the new pronouns pay? Predict it before you run it.
#
# ??? tip "Hint"
#     A generator like `with_replay`, given to `narrow(2e-3, batches=...)`. Old texts are those of `TASKS["none"]`.

# %% tags=["solution"]
from llmnotes.world.changes import ids_of

texts = ids_of(TASKS["none"].texts(9500, 0, 160, 40))  # (text, pos)


def replay(share):
    for step, ids in enumerate(TASKS["narrow"].batches(0)):
        at = [(step * share + i) % len(texts) for i in range(share)]
        yield torch.cat([ids[:-share], texts[at]])


more = {
    n: graded(predictor(world, narrow(2e-3, batches=replay(n))), "narrow") for n in (2, 4)
}
for n, one in more.items():
    print(f"{n} of 8: lost {lost(one):.2f}, new pronouns {one['new']['pronoun']:.2f} nats")
assert lost(more[2]) < forgot["plain"].mean(), "are the old texts ordinary stories?"

# %% [markdown]
# ## You can now
#
# - measure forgetting rule by rule, with what the model could do before as the mark;
# - write replay and EWC in a few lines each;
# - compare ways of tuning by both what they learn and what they lose.
#
# ## What this does not show
#
# - One narrow task of 150 steps and one small model, in five trainings; the other four were tuned with one seed each. Which way wins depends on how far tuning goes.
# - Old texts and own samples are of one quality here, because *World* speaks its language nearly perfectly.
# - Each way had one setting. A finer search would move points, the price of EWC above all.
#
# ## Going deeper
#
# ### In five trainings of *World*

# %% tags=["setup"]
left, by_world = {}, {}
for seed, some in histories("forgetting").items():
    at_start = graded(predictor(llmnotes.load("world", seed=seed)), "narrow")["old"]
    for way in WAYS:
        old = [r["old"] for r in some if r["way"] == way]
        added = {rule: np.mean([o[rule] - at_start[rule] for o in old]) for rule in NAMES}
        left[seed, way] = np.mean([*added.values()])
        if way == "plain":
            by_world[seed] = max(added, key=added.get)


def ahead(one, other) -> int:
    """In how many trainings one way leaves less forgetting than another."""
    return sum(bool(left[seed, one] < left[seed, other]) for seed in by_world)


note(
    worlds=len(by_world),
    brackets_worlds=sum(rule == "closing" for rule in by_world.values()),
    plain_worlds_least=min(left[seed, "plain"] for seed in by_world),
    plain_worlds_most=max(left[seed, "plain"] for seed in by_world),
    low_rate_worlds=ahead("low rate", "replay"),
    rank_4_worlds=ahead("rank 4", "replay"),
    own_worlds=ahead("own samples", "replay"),
    ewc_worlds=ahead("EWC", "replay"),
    ewc_low_rate_worlds=ahead("EWC", "low rate"),
    replay_left_most=max(left[s, "replay"] / left[s, "plain"] for s in by_world),
)

# %%
print("nats lost at old rules:", *WAYS.values(), sep="  ")
for seed, rule in by_world.items():
    print(seed, *(f"{left[seed, way]:9.2f}" for way in WAYS), "  worst:", NAMES[rule])

# %% [markdown]
# Each row is a training of *World*, tuned at the same rates. A quarter of the rate leaves less than replay in {{ result("forgetting.low_rate_worlds") }}
# of {{ result("forgetting.worlds") }}, rank 4 in {{ result("forgetting.rank_4_worlds") }}. EWC leaves less than replay in
# {{ result("forgetting.ewc_worlds") }}, but less than the lower rate in only {{ result("forgetting.ewc_low_rate_worlds") }}. In the training that forgets
# least, replay makes it worse.
#
# ### Averaging, once more by hand
#
# A straight line leads from the old weights to the tuned ones, and one can stop anywhere on it
# ([Wortsman et al. 2022](https://arxiv.org/abs/2109.01903)).

# %% tags=["idea"]
half = combined(before, (0.5, difference(before, after)))
print(f"new pronouns {graded(predictor(world, half), 'narrow')['new']['pronoun']:.2f} nats")

# %% [markdown]
# - Finding: [A lower rate or a low rank forgets less than replay](../findings/forgetting-low-rate.md)
# - Surprise: [A price on needed weights beat replay](../surprises/forgetting-ewc.md)
# - Question: [When do a model's own samples stop replacing old text?](../questions/forgetting-own-samples.md)
# - Kirkpatrick and others (2017), [Overcoming catastrophic forgetting in neural networks](https://arxiv.org/abs/1612.00796)
# - Wortsman and others (2022), [Robust fine-tuning of zero-shot models](https://arxiv.org/abs/2109.01903)
# - Shin and others (2017), [Continual learning with deep generative replay](https://arxiv.org/abs/1705.08690)

# %% tags=["setup"]
in_words(
    song_right="Songs right after plain tuning, one seed",
    closing_right="Brackets right after plain tuning, one seed",
    plain_lost="Loss added at old rules by plain tuning, mean of five seeds",
    plain_least="The same, least of five seeds",
    plain_most="The same, most of five seeds",
    replay_lost="Loss added at old rules with replay",
    replay_left="Share of the forgetting that is left with replay",
    own_lost="Loss added at old rules with own samples",
    own_left="Share of the forgetting that is left with own samples",
    own_against_replay="Forgetting with own samples against replay",
    ewc_left="Share of the forgetting that is left with EWC",
    ewc_against_replay="Forgetting with EWC against replay",
    low_rate_gone="Share of the forgetting that a quarter of the rate takes away",
    ewc_price="New pronouns: loss with EWC minus loss of plain tuning",
    low_rate_left="Share of the forgetting that is left at a quarter of the rate",
    rank_4_left="The same with rank 4",
    half_left="The same half way to the start",
    half_new="Loss at new pronouns half way to the start",
    quarter_off_left="Share of the forgetting that is left at three quarters of the way",
    quarter_off_new="Loss at new pronouns there",
    plain_new="Loss at new pronouns, plain tuning",
    replay_new="The same with replay",
    own_new="The same with own samples",
    ewc_new="The same with EWC",
    low_rate_new="The same at a quarter of the rate",
    rank_4_new="The same with rank 4",
    worst_rule="Loss added at the rule that suffers most",
    worlds="Trainings of World that were tuned",
    brackets_worlds="Trainings in which brackets suffer most",
    plain_worlds_least="Loss added at old rules by plain tuning, least of the trainings",
    plain_worlds_most="The same, most of the trainings",
    low_rate_worlds="Trainings in which a quarter of the rate forgets less than replay",
    rank_4_worlds="Trainings in which rank 4 forgets less than replay",
    own_worlds="Trainings in which replay of own samples forgets less than replay of old text",
    ewc_worlds="Trainings in which EWC forgets less than replay",
    ewc_low_rate_worlds="Trainings in which EWC forgets less than a quarter of the rate",
    replay_left_most="Share of the forgetting that is left with replay, most of the trainings",
    brackets="Loss added at brackets by plain tuning",
    brackets_worst="Brackets suffer most",
    low_rate_ahead="Forgetting with replay minus that at a quarter of the rate",
    rank_4_ahead="Forgetting with replay minus that with rank 4",
    own_ahead="Forgetting with replay minus that with own samples",
    ewc_ahead_of_low_rate="Forgetting at a quarter of the rate minus that with EWC",
    best_rule="Loss added at the rule that suffers least",
)
