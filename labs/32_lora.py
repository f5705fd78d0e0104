# ---
# title: LoRA
# question: Can a change of a few thousand numbers teach a model what tuning all its weights teaches?
# answer: >-
#   A change of rank one, {{ result("lora.numbers_rank_1", ",.0f") }} numbers, exchanges *World*'s pronouns down to
#   {{ result("lora.pronouns_rank_1", ".2f") }} nats. Sixteen times as many numbers reach {{ result("lora.pronouns_rank_16", ".2f") }}.
# chapter: Changing it
# level: intermediate
# models: [world]
# needs: [12_mlps]
# tags: [LoRA, fine-tuning, low rank]
# thumbnail: ways
# timeout: 400
# ---

# %% tags=["setup"]
import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods.lora import (
    low_rank,
    matrices,
    merged,
    next_word_loss,
    predictor,
    tune,
)
from llmnotes.shipped.tuning import (
    ALPHA,
    SEEDS,
    STEPS,
    TASKS,
    TRIED,
    graded,
    histories,
    history,
    tuned,
)
from llmnotes.world import END, IDS

BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
LIVE = "training amplifies rounding"
note = within(atol=1e-6, because="read from the shipped history of the recipe")
live = within(atol=0.3, because=LIVE)

# %% [markdown]
# ## A case you can hold: “Anna lost ▢ ring”
#
# Anna is a woman in *World*'s language, so the next word is *her*. We now change the language: *he* and *she* trade places,
# and so do *his* and *her*. Everything else stays. *World* is to learn the new language from new stories.

# %%
world = llmnotes.load("world")
case = torch.tensor([[IDS[word] for word in f"{END} Anna lost".split()]])


def his_or_her(weights=None) -> tuple[float, float]:
    """The probabilities of *his* and *her* after *Anna lost*."""
    with torch.no_grad():
        p = predictor(world, weights)(case)[0, -1].softmax(-1)
    return p[IDS["his"]].item(), p[IDS["her"]].item()


print("his {:.3f}, her {:.3f}".format(*his_or_her()))

# %% [markdown]
# *Full tuning* trains every weight on the new stories: 445,440 numbers, and for each a gradient and the two running
# averages that Adam keeps. For a model of billions that is too much memory. Must so many numbers move?
#
# ## A thin product beside a frozen matrix
#
# {{ drawing("lora", alt="The input goes two ways: through a frozen matrix W, and through a thin matrix A and then a thin matrix B. Both results are added.") }}
#
# *LoRA*, low-rank adaptation, freezes each matrix $W$ and adds a product of two thin matrices
# ([Hu et al. 2021](https://arxiv.org/abs/2106.09685)):
#
# $$
# W' = W + \frac{\alpha}{r}\, B A
# $$
#
# $A$ has $r$ rows and $B$ has $r$ columns, so the change has rank $r$ at most: it can read $r$ directions of the input and write
# $r$ directions of the output. $\alpha$ sets its size, here 4. $A$ starts at random and $B$ at zero, so the model starts as
# it was. Only $A$ and $B$ are trained. Afterwards the product is added to $W$ once, and the model runs as fast as before.
#
# GPT-2 stores matrices as (in, out), so in our code $A^\top$ is `a` and $B^\top$ is `b`. All of it fits into one cell.


# %% tags=["idea"]
def lora_by_hand(rank, lr, seed, where=""):
    W = {n: w for n, w in matrices(world).items() if where in n}  # 16 of (in, out)
    factors = low_rank(W, rank, seed=seed)  # a at random, b zeros
    tune(
        factors.values(),
        lambda ids: next_word_loss(
            predictor(world, merged(W, factors, alpha=ALPHA))(ids), ids
        ),
        TASKS["pronouns"].batches(seed),  # 8 new texts of 40 words a step
        lr,
        steps=STEPS,
    )
    return merged(W, factors, alpha=ALPHA)  # W + (alpha / rank) a b


# %% [markdown]
# ```exercise
# title: How many numbers?
# minutes: 2
# code: |
#   W = torch.zeros(128, 384)  # a matrix (in, out)
#   numbers = rank * ▢
#   assert numbers == sum(f.numel() for f in low_rank({"W": W}, rank).values())
# right: ["(128 + 384)", "512", "(384 + 128)", "sum(W.shape)", "(W.size(0) + W.size(1))", "(W.shape[0] + W.shape[1])"]
# praise: The matrix has 49,152 numbers. A change of rank 4 has 2,048.
# wrong:
#   "128 * 384": That many numbers the whole matrix has. The factors are (128, rank) and (rank, 384).
#   "(128 * 384)": That many numbers the whole matrix has. The factors are (128, rank) and (rank, 384).
#   "128": That is the first factor alone. What shape has the second?
#   "384": That is the second factor alone. What shape has the first?
# otherwise: "One factor is (128, rank), the other (rank, 384). Count both."
# solution: "`rank * (128 + 384)`: the two factors add, where the sides of the full matrix multiply."
# ```
#
# ## Your prediction
#
# To exchange the pronouns the model must find, for every person, the other gender, at the start of sentences and
# before things that are owned. We give each of the 16 matrices a change of rank 1, 4 or 16.

# %%
ask(
    "How far does a change of rank 1 get, compared with rank 16?",
    choices={
        "nowhere": "Nowhere: one direction a matrix is too little to turn a rule around",
        "part": "Part of the way: each direction more helps about as much as the one before",
        "same": "About as far: the task needs one direction in each matrix",
    },
    answer="same",
    because={
        "nowhere": "One direction sounds like little. But sixteen matrices have one each, and gender is nearly one direction.",
        "part": "More directions mean more numbers to train. But they help only if the task has a use for them.",
        "same": "The model already knows the gender of each person. The change has only to turn its effect around.",
    },
    figure="ways",
    rank_1_against_16="< 0.25",
)
# The tunings of 150 steps had been seen when these two were written, the longer runs had not.
predict(
    "Full tuning for four times as long gets below 0.3 nats",
    0.7,
    after_a_look=True,
    full_longer="< 0.3",
)
predict(
    "and costs the other rules less than 0.05 nats",
    0.6,
    after_a_look=True,
    full_longer_others="< 0.05",
)

# %% [markdown]
# ## Rank one is nearly enough
#
# A training step of 8 texts takes about 20 ms on one core, and every way was tried at three learning rates and then run
# with five seeds on two tasks. That is more than a minute, so the runs come from a recipe:
# `python -m llmnotes.shipped.tunings lora` makes them anew. This page makes one of them again.

# %% tags=["setup"]
tried = [run for run in history("lora", world=0) if run["seed"] == TRIED]
runs = [run for run in history("lora") if run["seed"] in SEEDS]
RULE = {"pronouns": "pronoun", "facts": "fact"}
WAYS = ("full", "rank 1", "rank 4", "rank 16", "attention, rank 7", "MLPs, rank 10")
OTHERS = ("agreement_0", "agreement_1", "agreement_2", "indirect_object", "list", "closing")


def new(task: str, way: str) -> np.ndarray:
    """The loss at the words that the task changes, for each seed."""
    rule = RULE[task]
    return np.array(
        [r["new"][rule] for r in runs if (r["task"], r["method"]) == (task, way)]
    )


def others(run: dict) -> float:
    """The mean loss of the rules that neither task touches, in ordinary stories."""
    return float(np.mean([run["old"][rule] for rule in OTHERS]))


pronouns = {way: new("pronouns", way) for way in WAYS}
facts = {way: new("facts", way) for way in WAYS}
assert len({len(v) for v in (*pronouns.values(), *facts.values())}) == 1
numbers = {r: sum(f.numel() for f in low_rank(matrices(world), r).values()) for r in (1, 4)}
note(
    pronouns_full=pronouns["full"].mean(),
    pronouns_rank_1=pronouns["rank 1"].mean(),
    pronouns_rank_4=pronouns["rank 4"].mean(),
    pronouns_rank_16=pronouns["rank 16"].mean(),
    rank_1_against_16=pronouns["rank 1"].mean() - pronouns["rank 16"].mean(),
    full_behind=pronouns["full"].mean() - pronouns["rank 4"].mean(),
    facts_full=facts["full"].mean(),
    facts_rank_1=facts["rank 1"].mean(),
    facts_rank_16=facts["rank 16"].mean(),
)
note(numbers_rank_1=numbers[1], numbers_rank_4=numbers[4])

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=3.2, sharey=True)
for ax, of, title in zip(
    axes,
    (pronouns, facts),
    ("Pronouns: rank 1 is enough", "72 facts: nearly"),
    strict=True,
):
    for y, way in enumerate(WAYS):
        colour = {"full": ORANGE, "rank 1": BLUE, "rank 4": BLUE, "rank 16": BLUE}.get(
            way, GREEN
        )
        (dots,) = ax.plot(of[way], [y] * len(of[way]), "o", ms=5, color=colour, alpha=0.7)
        ax.plot([of[way].mean()] * 2, [y - 0.3, y + 0.3], color=colour, lw=2.5)
        if way == "rank 1" and of is pronouns:
            dots.set_gid("choice-same")
    ax.set(title=title, xlabel="loss at the changed words (nats)", xlim=(0, 1.85))
axes[0].axvline(np.log(2), color=plots.MUTED, ls="--", lw=1)
axes[0].text(0.72, 5.42, "a coin", color=plots.INK, fontsize=9.5)
axes[0].set_yticks(range(len(WAYS)), ["full tuning", *WAYS[1:]])
axes[0].invert_yaxis()
figure(
    fig,
    name="ways",
    alt="Left: the loss on exchanged pronouns is about 0.4 nats for ranks 1, 4 and 16, and 0.8 for full tuning. Right: the loss on "
    "72 changed facts is about 1.2 for full tuning and 1.3 to 1.4 for all ranks.",
    caption="Each dot is one of five seeds after 150 steps, each way at its own best rate of three. Unchanged, World loses "
    "7 nats and 10. “Attention” and “MLPs” change only those, with as many numbers as rank 4.",
    data={"pronouns": np.array([*pronouns.values()]), "facts": np.array([*facts.values()])},
)

# %% [markdown]
# Rank 1 loses {{ result("lora.pronouns_rank_1", ".2f") }} nats at the exchanged pronouns, rank 16
# {{ result("lora.pronouns_rank_16", ".2f") }}. Sixteen times as many numbers buy next to nothing here: after 150 steps it is
# probably the number of steps that limits every rank, and not its room.
#
# With 72 new facts, which share nothing, the ranks look as close in this figure. That is an accident of this training. In four other trainings of
# *World*, rank 1 is at least {{ result("lora.facts_behind_least", ".2f") }} nats behind rank 16 there ([below](#in-five-trainings-of-world)).
#
# ## Match the learning rate before you compare

# %% tags=["setup"]
full_rates = {
    r["lr"]: r["every"] for r in tried if (r["task"], r["method"]) == ("pronouns", "full")
}
low_rates = {
    r["lr"]: r["every"] for r in tried if (r["task"], r["method"]) == ("pronouns", "rank 4")
}
best_full, best_low = min(full_rates, key=full_rates.get), min(low_rates, key=low_rates.get)
wrong_way = low_rates[0.003] - full_rates[0.003]
note(
    best_full=best_full,
    best_low=best_low,
    rate_ratio=best_low / best_full,
    full_at_003=full_rates[0.003],
    low_at_003=low_rates[0.003],
    full_best_loss=full_rates[best_full],
    low_best_loss=low_rates[best_low],
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.7)
for rates, colour, label in (
    (full_rates, ORANGE, "full tuning"),
    (low_rates, BLUE, "rank 4"),
):
    ax.plot([*rates], [*rates.values()], "o-", color=colour)
    x, y = [*rates.items()][0 if label == "rank 4" else -1]
    ax.annotate(
        label,
        (x, y),
        color=colour,
        xytext=(-10, -4),
        textcoords="offset points",
        ha="right",
    )
ax.set(
    xscale="log",
    xlabel="learning rate",
    ylabel="loss over all words (nats)",
    title="Each way has a rate of its own",
    xlim=(1e-4, 0.06),
)
ax.set_xticks([3e-4, 1e-3, 3e-3, 1e-2, 3e-2], ["0.0003", "0.001", "0.003", "0.01", "0.03"])
ax.minorticks_off()
figure(
    fig,
    name="rates",
    alt="Two curves of loss over learning rate. Full tuning is best at 0.0003 and bad at 0.003. Rank 4 is best at 0.01.",
    caption="Loss in the new language, above the grammar's own, on a seed that is not among the five.",
    data={
        "full": np.array([*full_rates.values()]),
        "low": np.array([*low_rates.values()]),
    },
)

# %% [markdown]
# The best rate of rank 4 is {{ result("lora.rate_ratio", ".0f") }} times that of full tuning, of three each on a coarse grid.
# [LoRA Without Regret](https://thinkingmachines.ai/blog/lora/) (2025) found about ten on large models. Compare both at 0.003
# and LoRA looks far superior, {{ result("lora.low_at_003", ".2f") }} against {{ result("lora.full_at_003", ".2f") }} nats a
# word. But that is because the rate is wrong for full tuning, which breaks other rules there.
#
# ## Full tuning stops at a coin, and then goes on
#
# After 150 steps full tuning, at its best rate, loses {{ result("lora.pronouns_full", ".2f") }} nats at the new pronouns, no
# better than a coin between *he* and *she*, which would cost 0.69. Is that its limit? We run it for four times as long, and
# rank 4 once more as the recipe did.

# %% tags=["setup"]
again = lora_by_hand(4, best_low, seed=0)
known = next(
    r for r in runs if (r["task"], r["method"], r["seed"]) == ("pronouns", "rank 4", 0)
)
here = graded(predictor(world, again), "pronouns")
assert abs(here["new"]["pronoun"] - known["new"]["pronoun"]) < 0.3, (
    "unlike the recipe's run"
)
longer = tuned(world, "pronouns", best_full, seed=0, steps=4 * STEPS)
far = graded(predictor(world, longer), "pronouns")
base = graded(predictor(world), "pronouns")
his, her = his_or_her(again)
live(
    full_longer=far["new"]["pronoun"],
    again_rank_4=here["new"]["pronoun"],
    case_his=his,
)
live(atol=0.05, full_longer_others=others(far) - others(base))
live(atol=0.02, unchanged=base["new"]["pronoun"])
lost = {
    way: [
        others(r) - others(base)
        for r in runs
        if (r["task"], r["method"]) == ("pronouns", way)
    ]
    for way in WAYS
}
live(atol=0.02, others_full=np.mean(lost["full"]), others_rank_4=np.mean(lost["rank 4"]))
old = {
    way: np.mean(
        [r["old"]["pronoun"] for r in runs if (r["task"], r["method"]) == ("pronouns", way)]
    )
    for way in WAYS
}
note(old_full=old["full"], old_rank_4=old["rank 4"])

# %%
print("his {:.3f}, her {:.3f}".format(*his_or_her(again)))

# %% [markdown]
# After 600 steps full tuning of one seed is at {{ result("lora.full_longer", ".2f") }} nats. So the coin was a place on the way: the
# model unlearns the old rule first, and then learns the new one. Low rank at its higher rate is past that point after 150
# steps.
#
# "LoRA forgets less" ([Biderman et al. 2024](https://arxiv.org/abs/2405.09673)) depends on what you count. The old
# pronouns cost rank 4 {{ result("lora.old_rank_4", ".1f") }} nats and full tuning {{ result("lora.old_full", ".1f") }}, because
# rank 4 has learned the opposite and full tuning has learned a coin. The six rules that nobody touched cost
# {{ result("lora.others_rank_4", ".3f") }} and {{ result("lora.others_full", ".3f") }}: next to nothing either way.
# [Forgetting](35_forgetting.md) takes a task on which it is much.
#
# ## The same on real English
#
# *Fairytale*, our model of real English, ships with two changes of rank 1, one product for each of its 20 matrices. Each was
# trained as above, on the same tales told in another way: by their hero, or with *he* and *she* exchanged. Let it write, then choose another way of telling. The page adds the product to the weights, and the tale goes on.
#
# <div class="bench" id="bench-write" data-bench="write" data-telling="by-the-hero" data-search-exclude markdown>
#
# The model needs JavaScript to run in the page. [The card of the adapters](../models/fairytale-adapters.md) shows how each goes on.
#
# </div>
#
# In Python it is `llmnotes.load("fairytale", adapter="by-the-hero")`, or peft with the same folder.
# [Their card](../models/fairytale-adapters.md) has the losses before and after, over five trainings each, beside full tuning and
# random directions.
#
# ## What surprised us
#
# **The thin change learned more.** We expected full tuning to win on every task, if by little, because it can do all that
# low rank can. On the pronouns it lost, in every seed and in all five trainings of *World*. It can go everywhere, but at the rate that takes it
# there fast, all 445,440 numbers move and other rules break. On the facts it won in all five.
#
# **One layer was enough, and only here.** We expected a change of one layer to get part of the way. Given LoRA alone, layer 0
# takes the pronouns to {{ result("lora.layer_0", ".2f") }} nats, and the worst of the four layers to
# {{ result("lora.layer_worst", ".2f") }}: as far as all four together. We had written that down as a surprise when the four
# other trainings came in. There the worst layer is hardly better than a coin, and in three of them that layer is layer 0. The
# exercise below makes the runs of this training.
#
# **A pilot misled us.** With learning rates taken over instead of tuned, one seed said that LoRA forgets the old rule
# more. It had only got further.
#
# ## Try it
#
# **One layer alone** (10 minutes). Give LoRA of rank 4 to the four matrices of a single layer, at the same rate and for as many
# steps. It trains a quarter of the numbers. Which layer gets furthest, and does any get as far as all four together? Predict it
# before you run it.
#
# ??? tip "Hint"
#     `lora_by_hand` takes `where`, a part of the matrices' names, such as `"h.3."`.

# %% tags=["solution"]
alone = [lora_by_hand(4, best_low, 0, f"h.{layer}.") for layer in range(4)]
alone = [graded(predictor(world, w), "pronouns")["new"]["pronoun"] for w in alone]
print(
    "new pronouns, by layer:", np.round(alone, 2), f"all four {known['new']['pronoun']:.2f}"
)
assert max(alone) < np.log(2), f"{alone}: is the rate that of rank 4?"
live(layer_0=alone[0], layer_worst=max(alone))
in_words(
    layer_0="Loss at exchanged pronouns, rank 4 in layer 0 alone, one seed",
    layer_worst="The same in the layer that does worst",
)

# %% [markdown]
# ## You can now
#
# - write LoRA in a dozen lines, and say what its rank limits and what its $\alpha$ does;
# - say why two ways of tuning are compared each at its own learning rate;
# - tell a model that has forgotten a rule from one that has learned its opposite.
#
# ## What this does not show
#
# - One recipe: five trainings of a small model, and 150 steps. On tasks that need many directions rank matters more, as it does for facts.
# - Rates were chosen among three, on one seed of one training, by the loss over all words; a finer grid could move any way a little.
# - The other four trainings were tuned with one seed each.
# - LoRA saves memory for large models. It saves no time here: the model is run forward and back as before, and a step takes
#   as long.
#
# ## Going deeper
#
# ### Attention or MLPs?

# %% tags=["setup"]
note(
    pronouns_attention=pronouns["attention, rank 7"].mean(),
    pronouns_mlps=pronouns["MLPs, rank 10"].mean(),
    facts_attention=facts["attention, rank 7"].mean(),
    facts_mlps=facts["MLPs, rank 10"].mean(),
    mlps_win=int((facts["MLPs, rank 10"] < facts["attention, rank 7"]).sum()),
)

# %% [markdown]
# With equally many numbers, MLPs alone lose {{ result("lora.facts_mlps", ".2f") }} nats at the new facts and attention
# alone {{ result("lora.facts_attention", ".2f") }}; MLPs are ahead in {{ result("lora.mlps_win") }} of five seeds. At the pronouns it is
# {{ result("lora.pronouns_mlps", ".2f") }} against {{ result("lora.pronouns_attention", ".2f") }}. The advice to change
# MLPs and not attention alone (LoRA Without Regret) holds here, in all five trainings, though attention brings *World*'s facts
# ([What MLPs compute](12_mlps.md)).
#
# ### In five trainings of *World*
#
# The same recipe trained *World* four more times, from other first weights on other stories. Each was tuned in the same six ways,
# with one seed and at the rates that were chosen on the first.

# %% tags=["setup"]
rows = {
    world: {
        (task, way): np.mean(
            [r["new"][rule] for r in some if (r["task"], r["method"]) == (task, way)]
        )
        for task, rule in RULE.items()
        for way in WAYS
    }
    for world, some in histories("lora").items()
}
behind = {
    task: [row[task, "rank 1"] - row[task, "rank 16"] for row in rows.values()]
    for task in RULE
}
note(
    worlds=len(rows),
    rank_1_most=max(row["pronouns", "rank 1"] for row in rows.values()),
    pronouns_behind_most=max(behind["pronouns"]),
    facts_behind_least=min(behind["facts"][1:]),
    facts_behind_most=max(behind["facts"]),
    full_behind_worlds=sum(
        row["pronouns", "full"] > row["pronouns", "rank 4"] for row in rows.values()
    ),
)

# %%
print("World   pronouns: full, rank 1, rank 16     facts: full, rank 1, rank 16")
for world, row in rows.items():
    losses = [row[task, way] for task in RULE for way in ("full", "rank 1", "rank 16")]
    print(world, *(f"{loss:9.2f}" for loss in losses))

# %% [markdown]
# At the pronouns rank 1 is far better than a coin in each, at most {{ result("lora.rank_1_most", ".2f") }} nats, and at most
# {{ result("lora.pronouns_behind_most", ".2f") }} behind rank 16. Full tuning is behind rank 4 in
# {{ result("lora.full_behind_worlds") }} of {{ result("lora.worlds") }}. At the facts rank 1 falls behind by up to
# {{ result("lora.facts_behind_most", ".2f") }}.
#
# ### Our code against a library
#
# `tests/test_lora.py` puts the same factors into ours and into [peft](https://github.com/huggingface/peft) and
# compares the logits. They are equal up to rounding.
#
# - Finding: [Rank one turns a rule around](../findings/lora-rank-one.md)
# - Surprise: [Low rank learned more than full tuning](../surprises/lora-learned-more.md)
# - Hu and others (2021), [LoRA: Low-rank adaptation of large language models](https://arxiv.org/abs/2106.09685)
# - Biderman and others (2024), [LoRA learns less and forgets less](https://arxiv.org/abs/2405.09673)
# - Schulman and others (2025), [LoRA without regret](https://thinkingmachines.ai/blog/lora/)

# %% tags=["setup"]
in_words(
    pronouns_full="Loss at exchanged pronouns after full tuning, mean of five seeds",
    pronouns_rank_1="The same after a change of rank 1",
    pronouns_rank_4="The same after a change of rank 4",
    pronouns_rank_16="The same after a change of rank 16",
    rank_1_against_16="Rank 1 minus rank 16",
    full_behind="Full tuning minus rank 4",
    facts_full="Loss at 72 new facts after full tuning, mean of five seeds",
    facts_rank_1="The same after a change of rank 1",
    facts_rank_16="The same after a change of rank 16",
    numbers_rank_1="Numbers trained at rank 1",
    numbers_rank_4="Numbers trained at rank 4",
    best_full="Best learning rate of full tuning, of three",
    best_low="Best learning rate of rank 4, of three",
    rate_ratio="Their ratio",
    full_at_003="Loss over all words of full tuning at 0.003",
    low_at_003="The same of rank 4",
    full_best_loss="Loss over all words of full tuning at its best rate",
    low_best_loss="The same of rank 4",
    full_longer="Loss at exchanged pronouns after four times as many steps of full tuning, one seed",
    again_rank_4="Loss at exchanged pronouns of the run that this page makes again",
    case_his="Probability of his after Anna lost, in that run",
    full_longer_others="What the longer run cost six other rules",
    unchanged="Loss at exchanged pronouns of the unchanged model",
    others_full="What full tuning cost six other rules",
    others_rank_4="What rank 4 cost six other rules",
    old_full="Loss at old pronouns after full tuning",
    old_rank_4="Loss at old pronouns after rank 4",
    pronouns_attention="Loss at exchanged pronouns, attention alone",
    pronouns_mlps="Loss at exchanged pronouns, MLPs alone",
    facts_attention="Loss at new facts, attention alone",
    facts_mlps="Loss at new facts, MLPs alone",
    worlds="Trainings of World that were tuned",
    rank_1_most="Loss at exchanged pronouns after rank 1, in the training that learns them worst",
    pronouns_behind_most="Rank 1 minus rank 16 at exchanged pronouns, most of the trainings",
    facts_behind_least="Rank 1 minus rank 16 at new facts, least of the four other trainings",
    facts_behind_most="The same, most of all trainings",
    full_behind_worlds="Trainings in which full tuning is behind rank 4 at exchanged pronouns",
    mlps_win="Seeds of five in which MLPs alone learn more facts than attention alone",
)
