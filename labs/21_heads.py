# ---
# title: A zoo of heads
# question: Do the names that we give to attention heads tell what is lost without them?
# level: intermediate
# minutes: 15
# models: [world, fairytale]
# needs: [03_attention]
# tags: [attention heads, ablation, induction, methods]
# chapter: Who does it
# thumbnail: rules
# timeout: 500
# ---

# %% [markdown]
# Attention heads are sorted by where they look: previous-token heads, induction heads, and so on. We score all heads of two models, take
# each one away, and compare. In both we know something of the truth: one head of `fairytale` was written by hand, and the grammar of
# `world` is ours. One head turned out to be an animal for which the zoo has no cage.

# %% tags=["setup"]
from collections import Counter
from copy import deepcopy

import numpy as np
import torch

import llmnotes
from llmnotes.lab import figure, in_words, plots, predict, within
from llmnotes.methods import looking, repeated_tokens
from llmnotes.model import ablate, edit, parts, trace
from llmnotes.scratch import from_gpt2, generate
from llmnotes.world import RULES, read

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
torch.set_grad_enabled(False)
SMOOTH = "means over fixed texts; fairytale's are sampled, and rounding may turn a word"
note = within(atol=0.03, because=SMOOTH)
TIES = "many heads lose next to nothing, and near ties may change places"
ROWS = "a row or two may turn with rounding"

# %% [markdown]
# ## What you need to know
#
# **Scores.** How much of its attention does a head pay, on average, to a kind of place? `llmnotes.methods.heads.looking` knows four. Only tokens
# that have such a place count; *chance* is a head that looks at all it can see alike.
#
# - *previous*: the token before;
# - *first*: the first token of the text, the usual resting place of heads that have nothing to do;
# - *duplicate*: earlier copies of the token that looks;
# - *induction*: the tokens that *followed* such copies: what comes next if the text repeats itself.
#
# **Ablations.** To see what a head is for, replace what it brings: by *zero*; by its *mean* over other texts; or by a *resample*, what it
# brings at a token drawn at random.
#
# **Two truths.** Head 0.0 of `fairytale` (head 0 of layer 0) was *planted*: queries and keys that look one token back were set by hand and
# kept through training. And in the grammar of `world` nothing depends on how many words came before: its rules speak of words.

# %%
world, tale = llmnotes.load("world"), llmnotes.load("fairytale")
told, stories = read(seed=5, n=24, length=129)
rule = np.array([[token.rule for token in story[1:]] for story in stories])
start, draw = torch.zeros(8, 1, dtype=torch.long), torch.Generator().manual_seed(0)
own = generate(from_gpt2(tale.model), start, 127, temperature=1.0, generator=draw)
twice = repeated_tokens(tale, batch=8, length=32, first=0)  # random, then the same again
TEXTS = {"twice": (tale, twice), "own": (tale, own), "world": (world, told[:, :-1])}
TEXTS["world_twice"] = world, repeated_tokens(world, batch=8, length=32, first=0)

# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     Which heads will hurt most when they are gone: those that look at the token before, those that do induction, or those that look at
#     nothing in particular?
#
# Our own guesses, written before any run. *Copying* is the loss at the first sight of random tokens minus the loss when they come again. A
# head is *named* if it pays more than half of its attention to one of the four kinds of place.

# %%
planted_looks = "Fairytale's planted head pays more than 90 % to the token before"
predict(planted_looks, 0.9, planted_lowest="> 0.9")
planted_left = "Without the planted head less than a fifth of copying is left"
predict(planted_left, 0.8, left_planted="< 0.2")
needed = (
    "But for the planted head, copying needs the head with the top induction score most"
)
predict(needed, 0.55, top_is_needed="== 1")
alone = "Without the top induction head of fairytale more than half of copying is left"
predict(alone, 0.6, left_top="> 0.5")
stable = "One head of fairytale has the top induction score in more than 9 of 10 prompts"
predict(stable, 0.6, stable_induction="> 0.9")
both_texts = (
    "The top induction head on random tokens is in the top 3 on the model's own text"
)
predict(both_texts, 0.7, top_rank_own="<= 3")

# %% [markdown]
# And on what is lost in general, over both models but for the first.

# %%
named = "Named heads carry less than half of what the rules of world lose"
predict(named, 0.6, named_share="< 0.5")
resting = (
    "The more a head looks at the first token, the less it matters: below −0.3 in both"
)
predict(resting, 0.5, first_highest="< -0.3")
zero = "Zero costs more than the mean for more than 4 of 5 heads"
predict(zero, 0.8, zero_above="> 0.8")
resample = "Resampling costs more than the mean for more than 9 of 10 heads"
predict(resample, 0.7, resample_above="> 0.9")
constants = "Moving constants brings zero's ranking of heads below a correlation of ½"
predict(constants, 0.6, moved_rank="< 0.5")

# %% [markdown]
# ## The scores
#
# All heads of both models, on text and on random tokens that come twice, the usual test for induction.

# %%
KINDS = ("previous", "first", "duplicate", "induction")
scores = {name: looking(*both) for name, both in TEXTS.items()}
planted = [scores[name]["previous"].values[0, 0].item() for name in ("own", "twice")]
note(planted_lowest=min(planted))
most = trace(tale, own, ["pattern"], layers=[0])["pattern", 0][:, 0, 1:].argmax(-1)
note(
    atol=0.01,
    because=ROWS,
    planted_choice=(most == torch.arange(127)).double().mean(),
)
TOP, SECOND = (head[:2] for head in scores["twice"]["induction"].top(2))
on_own = scores["own"]["induction"].values
note(top_rank_own=(on_own >= on_own[TOP]).sum())
highest = max(scores["world"][kind].values.max().item() for kind in KINDS)
note(atol=0.02, world_highest=highest)
note(
    induction_twice=scores["twice"]["induction"].values.max(),
    induction_world=scores["world"]["induction"].values.max(),
    induction_world_twice=scores["world_twice"]["induction"].values.max(),
)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 3, height=2.9, sharey=True)
titles = "fairytale, random twice", "fairytale, own text", "world, stories"
for ax, text, title in zip(axes, TEXTS, titles, strict=False):
    for x, kind in enumerate(KINDS):
        y = np.sort(scores[text][kind].values.flatten().numpy())
        ax.plot(x + np.linspace(-0.25, 0.25, len(y)), y, "o", ms=4, color=BLUE)
        ax.plot(
            [x - 0.35, x + 0.35],
            [scores[text][kind].chance] * 2,
            color=ORANGE,
            label=None if x else "chance",
        )
    ax.set_title(title, fontsize=10.5)
    ax.set_xticks(range(4), KINDS, rotation=40, ha="right")
for ax, y in zip(axes, planted[::-1], strict=False):
    ax.plot(0.25, y, "o", ms=9, mfc="none", color=plots.INK, label="planted")
axes[0].set(ylabel="share of attention", ylim=(-0.03, 1.0))
axes[1].legend(loc="upper right", fontsize=9.5)
ALT = """In fairytale the planted head stands far above the others as a previous-token head, and on repeated tokens three heads stand far above
chance in induction. In world no head stands much above a quarter in any score."""
figure(fig, name="scores", alt=ALT, caption="Each point a head.", rtol=0.05, because=SMOOTH)

# %% [markdown]
# **The planted head scores {{ result("heads.planted_lowest", ".2f") }}**, not 0.9: a third of its attention goes elsewhere. Yet in
# {{ result("heads.planted_choice", ".0%") }} of the places the token before gets the most. A head that was made to do one thing does not
# score 1, so a score of two thirds is no sign of a second job.
#
# In `world` there is no animal for any cage: the highest of all its scores is {{ result("heads.world_highest", ".2f") }}. On repeated random
# tokens its best induction score is {{ result("heads.induction_world_twice", ".2f") }}, about chance, though it repeats songs without fault.
#
# ## Take them away: fairytale
#
# What is left of copying without each head, and without the two best induction heads together; and the mean loss on its own text.


# %% tags=["idea"]
def losses(model, ids):
    """The loss of each token but the first, (row, pos)."""
    logits = model.model(ids[:, :-1]).logits
    came = logits.gather(-1, ids[:, 1:, None])[..., 0]
    return logits.exp_().sum(-1).log() - came  # in place: a log_softmax takes longer


def copied():
    """Mean loss at first sight minus at second sight, without the first token of either."""
    loss = losses(tale, twice)
    return (loss[:, 1:32].mean() - loss[:, 33:].mean()).item()


def cost_own(by, layer, head):
    with ablate(tale, "z", layer, heads=[head], by=by, reference=seen_own):
        return (losses(tale, own).mean() - loss_own).item()


# %%
TALE = [(layer, head) for layer in range(tale.n_layers) for head in range(tale.n_heads)]
seen_own, seen_twice = trace(tale, own, ["z", "pattern"]), trace(tale, twice, ["z"])
loss_own, intact, left = losses(tale, own).mean(), copied(), {}
tale_cost = {
    by: np.array([cost_own(by, *h) for h in TALE]) for by in ("mean", "zero", "resample")
}
pairs = {"both": [TOP, SECOND], "control": [(1, 1), (1, 2)]}  # all four in layer 1
for name, heads in [*((head, [head]) for head in TALE), *pairs.items()]:
    (layer,), columns = {layer for layer, _ in heads}, [head for _, head in heads]
    with ablate(tale, "z", layer, heads=columns, by="mean", reference=seen_twice):
        left[name] = copied() / intact

# %%
note(
    atol=0.05,
    left_planted=left[0, 0],
    left_top=left[TOP],
    left_second=left[SECOND],
    left_both=left["both"],
    left_control=left["control"],
)
note(top_is_needed=sorted(TALE, key=left.get)[:2] == [(0, 0), TOP])

# %% [markdown]
# Here the zoo is right. Without the planted head {{ result("heads.left_planted", ".0%") }} of copying is left. Of all others the head with the
# highest induction score ({{ result("heads.induction_twice", ".2f") }}) is missed most, but not by much: {{ result("heads.left_top", ".0%") }} is
# left without it, and {{ result("heads.left_second", ".0%") }} without the second. **Without both it is
# {{ result("heads.left_both", ".0%") }}** (without two others of their layer {{ result("heads.left_control", ".0%") }}). Each stands in for the
# other, so a table of single ablations shows neither.
#
# ## Take them away: world
#
# Now `world`, by rule ([lab 17](17_formation.md) explains the nine). After a first look at three ablations we added a fourth: *place*, the
# mean over the other stories **at the same place** of the text. It keeps what a head says about where in the text we are, and takes away all
# that it says about words.

# %% tags=["idea"]
WORLD = [(layer, head) for layer in range(world.n_layers) for head in range(world.n_heads)]
seen, base = trace(world, told[:, :-1], ["z"]), losses(world, told)


def place(layer, head):
    z = seen["z", layer][:, :, [head]]
    mean = (z.sum(0) - z) / (len(z) - 1)
    return edit(world, "z", layer, lambda old, at: mean, heads=[head])


def cost(by, layer, head, model=world, reference=seen):
    """What each token costs more without a head, (story, pos)."""
    how = {"heads": [head], "by": by, "reference": reference}
    with place(layer, head) if by == "place" else ablate(model, "z", layer, **how):
        return (losses(model, told) - base).numpy()


# %%
BY = ("mean", "zero", "resample", "place")
costs = {by: np.stack([cost(by, *head) for head in WORLD]) for by in BY}
total = {by: rows.mean((1, 2)) for by, rows in costs.items()}
table = np.array([costs["mean"][:, rule == r].mean(1) for r in RULES])  # (rule, head)

# %% tags=["drawing"]
labels = ["L{}H{}".format(*head) for head in WORLD]
fig, ax = plots.subplots(height=3.2)
image = ax.imshow(table, aspect="auto", vmin=0, vmax=2)
ax.grid(visible=False)
ax.set_xticks(range(16), labels, rotation=60, fontsize=9.5)
ax.set_yticks(range(9), [r.replace("_", " ") for r in RULES])
ax.set_title("world: what each rule loses without each head")
fig.colorbar(image, ax=ax, label="nats a word", extend="max")
ALT = """Lists lose most without L2H3, agreement without L3H3, pronouns without L2H2, mood without L0H2; without L0H3 agreement and lists lose as
well, and other rules a little."""
CAPTION = "Mean ablation, 24 stories; more than 2 nats is drawn as 2."
figure(fig, name="rules", alt=ALT, caption=CAPTION, rtol=0.03, because=SMOOTH)

# %% [markdown]
# The losses have a clear order. Do the scores see it? The bar to clear: the best of four scores in 95 % of random orders.


# %%
def agree(one, two):
    ranks = [np.argsort(np.argsort(np.ravel(values))) for values in (one, two)]
    return np.corrcoef(ranks)[0, 1]


# %%
random, firsts, best, bars = np.random.default_rng(0), [], {}, {}
for text, lost in (("world", total["mean"]), ("own", tale_cost["mean"])):
    rhos = [agree(scores[text][kind].values, lost) for kind in KINDS]
    by_chance = [
        [agree(random.permutation(len(lost)), lost) for _ in KINDS] for _ in range(500)
    ]
    bars[text] = np.quantile(np.abs(by_chance).max(1), 0.95)
    best[text] = np.abs(rhos).max()
    firsts.append(rhos[KINDS.index("first")])

# %%
ties = within(atol=0.15, because=TIES)
ties(rho_best_world=best["world"], rho_best_own=best["own"], first_highest=max(firsts))
note(
    atol=0.05,
    because="500 random orders",
    rho_bar_world=bars["world"],
    rho_bar_own=bars["own"],
)
top = scores["world"]["induction"].top(1)[0][:2]
note(list_needs_top=WORLD[table[list(RULES).index("list")].argmax()] == top)
looks = torch.stack([scores["world"][kind].values.flatten() for kind in KINDS])
named, lost = looks.max(0).values.numpy() > 0.5, table.clip(min=0)
share = lost[:, named].sum() / lost.sum()
note(atol=0.02, named_share=share)

# %% [markdown]
# They do not. In `world` the best of the four has a rank correlation of {{ result("heads.rho_best_world", ".2f") }} with what is lost (bar:
# {{ result("heads.rho_bar_world", ".2f") }}), in `fairytale` {{ result("heads.rho_best_own", ".2f") }} ({{ result("heads.rho_bar_own", ".2f") }}).
# None of world's 16 heads is *named*, so named heads carry {{ result("heads.named_share", ".0%") }} of the losses: that prediction came
# true in an empty way. One score finds its animal: the head that lists need most has the highest induction score on stories
# ({{ result("heads.induction_world", ".2f") }}).
#
# ## Four ablations, four answers
#
# What is lost depends on what is put in the head's place, and zero has a flaw that can be shown exactly. The weights of a head sum to 1, so a
# constant may be added to all its values if its effect is taken off behind the head: **the model stays the same, but zero now means something
# else.** We add to each head a random constant as long as the head's typical output, in three versions.


# %%
def moved(seed):
    """World with a constant moved through each head: the same function, other biases."""
    model, g = deepcopy(world), torch.Generator().manual_seed(seed)
    for layer, head in WORLD:
        z, attn = seen["z", layer][:, :, head], model.model.transformer.h[layer].attn
        c = torch.randn(world.d_head, generator=g)
        c *= z.norm(dim=-1).square().mean().sqrt() / c.norm()
        at = 2 * world.d_model + head * world.d_head
        attn.c_attn.bias[at : at + world.d_head] += c
        attn.c_proj.bias -= c @ parts(world).blocks[layer].w_o[head]
    return model


versions = [moved(seed) for seed in range(3)]
zero_moved = np.array(
    [[cost("zero", *h, model).mean() for h in WORLD] for model in versions]
)
again = trace(versions[0], told[:, :-1], ["z", "logits"])
assert torch.allclose(again["logits"], world.model(told[:, :-1]).logits, atol=2e-3)

# %%
every_total = {by: np.concatenate([tale_cost[by], total[by]]) for by in tale_cost}
ties(
    atol=0.07,
    zero_above=(every_total["zero"] > every_total["mean"]).mean(),
    resample_above=(every_total["resample"] > every_total["mean"]).mean(),
)
rank = np.median([agree(row, total["zero"]) for row in zero_moved])
ties(atol=0.08, moved_rank=rank)
factor = (zero_moved / total["zero"])[:, total["mean"] > 0.01]
note(rtol=0.1, moved_zero=max(factor.max(), 1 / factor.min()))
by_mean = cost("mean", 0, 3, versions[0], again).mean() / total["mean"][3]
note(atol=1e-3, because="rounding only", moved_mean=by_mean)
l0h0, l0h3, l2h3 = ({by: total[by][i] for by in BY} for i in (0, 3, 11))
note(
    atol=0.003,
    rtol=0.04,
    unit="nats",
    l0h0_mean=l0h0["mean"],
    l0h0_resample=l0h0["resample"],
    l0h0_place=l0h0["place"],
    l0h3_mean=l0h3["mean"],
    l0h3_resample=l0h3["resample"],
    l0h3_place=l0h3["place"],
    l2h3_mean=l2h3["mean"],
    l2h3_resample=l2h3["resample"],
    l2h3_place=l2h3["place"],
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.1)
for by, mark, colour in zip(BY, "os^D", (BLUE, ORANGE, PURPLE, GREEN), strict=True):
    ax.plot(labels, total[by].clip(0), mark, ms=6, color=colour, label=by)
for k, rows in enumerate(zero_moved):
    text = None if k else "control: zero, constants moved"
    ax.plot(labels, rows.clip(0), "_", ms=11, color=ORANGE, label=text)
ax.set_yscale("symlog", linthresh=0.01)
ax.set_yticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
ax.set(ylabel="loss gained (nats a word)", ylim=(-0.001, 30), title="world")
ax.tick_params(axis="x", rotation=60, labelsize=9.5)
ax.legend(loc="upper right", fontsize=9, ncols=3)
ALT = """Resampling costs most for nearly every head. L0H3 costs more than two nats by resampling, a third of a nat by the mean, and nothing when
replaced by its mean at the same place. Moving constants moves zero's cost of a head up or down."""
CAPTION = "Linear below 0.01, logarithmic above. The three models with moved constants compute what world computes."
figure(fig, name="ablations", alt=ALT, caption=CAPTION, rtol=0.03, because=SMOOTH)

# %% [markdown]
# With constants moved, the cost of a head by zero changes by a factor of up to {{ result("heads.moved_zero", ".0f") }} (heads that cost 0.01 nats
# or more by the mean); by the mean that of L0H3 changes by a factor of {{ result("heads.moved_mean", ".3f") }}, not at all. So what zero says
# of a head rests on a choice that training had no reason to make. The *order* of the heads hardly changes, though (rank correlation
# {{ result("heads.moved_rank", ".2f") }}); we had expected more.
#
# L0H0 costs {{ result("heads.l0h0_mean", ".2f") }} nats by the mean and {{ result("heads.l0h0_resample", ".1f") }} when resampled. The mean asks whether
# the model can do *without* what a head says, resampling whether it *listens*. A head can be listened to and not be needed.
#
# ## The animal without a cage
#
# L0H3 matters most of all by zero and by resampling, and by the mean ({{ result("heads.l0h3_mean", ".2f") }} nats) only L2H3 matters more
# ({{ result("heads.l2h3_mean", ".2f") }}). But replaced by its mean at the same *place* it costs {{ result("heads.l0h3_place", ".4f") }} nats (L2H3:
# {{ result("heads.l2h3_place", ".2f") }}). It says nothing about any word. It is a **clock**, and no rule of the grammar asks for one.
#
# What is it for? We make it wrong by up to ten words: for all words of a story alike, or for each word by itself. And we put an even average
# over all words in place of its attention; as a control, in place of that of L2H3.

# %%
face = seen["z", 0][:, :, 3].mean(0)  # (place, d_head)
dice, later = torch.Generator().manual_seed(0), np.arange(128) >= 20  # set no clock below 0
songs = later & (rule == "list")


def wrong_clock(*shape):
    """What each token costs more when each clock is wrong by up to ten places."""
    off = torch.arange(128) + torch.randint(-10, 11, shape, generator=dice)
    wrong = face[off.clamp(0, 127)][:, :, None]
    with edit(world, "z", 0, lambda old, at, wrong=wrong: wrong, heads=[3]):
        return (losses(world, told) - base).numpy()


# %%
together, apart = wrong_clock(24, 1), wrong_clock(24, 128)
few_draws = within(atol=0.1, because="few draws")
few_draws(clock_together=together[:, later].mean(), clock_apart=apart[:, later].mean())
few_draws(
    atol=0.5,
    clock_together_songs=together[songs].mean(),
    clock_apart_songs=apart[songs].mean(),
)
even = torch.ones(128, 128).tril() / torch.arange(1, 129)[:, None]
evened = {}
for layer in (0, 2):
    with edit(world, "pattern", layer, lambda old, at: even, heads=[3]):
        evened[layer] = (losses(world, told) - base).mean()
note(rtol=0.04, atol=0.003, even_l0h3=evened[0], even_l2h3=evened[2])

# %% [markdown]
# Wrong for all words alike, the clock costs {{ result("heads.clock_together", ".3f") }} nats a word (in songs
# {{ result("heads.clock_together_songs", ".2f") }}). Wrong for each by itself it costs {{ result("heads.clock_apart", ".2f") }} (in songs
# {{ result("heads.clock_apart_songs", ".1f") }}). So nobody reads what time it is; what counts is that **the clocks of different words agree**.
# That fits songs, where the word wanted stands one verse back. It may be how the head that sings finds its place without any
# previous-token head, which [lab 17](17_formation.md) could not say.
#
# The clock needs no attention: with an even average in its place the model loses {{ result("heads.even_l0h3", ".4f") }} nats (L2H3:
# {{ result("heads.even_l2h3", ".2f") }}). An average over more and more places moves steadily on. A score of *where a head looks* cannot see a head that
# works because it looks nowhere in particular.
#
# ## Is a name stable?
#
# For each prompt by itself: which head has the highest score? We count the prompts in which it is the most frequent one.

# %%
tops = {
    "induction": [*own, *twice],
    "previous": own,
    "duplicate": own,
    "world": told[:, :-1],
}
stable = {}
for name, prompts in tops.items():
    model, kind = (world, "induction") if name == "world" else (tale, name)
    heads = [looking(model, row[None])[kind].top(1)[0][:2] for row in prompts]
    usual = TOP if name == "induction" else Counter(heads).most_common(1)[0][0]
    stable[name] = heads.count(usual) / len(heads)
note(
    atol=0.13,
    because=ROWS,
    stable_induction=stable["induction"],
    stable_previous=stable["previous"],
    stable_duplicate=stable["duplicate"],
    stable_world=stable["world"],
)

# %% [markdown]
# Strong names are stable: the planted head tops {{ result("heads.stable_previous", ".0%") }} of the prompts, the best induction head
# {{ result("heads.stable_induction", ".0%") }}, own texts and random rows together. Where all heads are near chance the top is a lottery:
# *duplicate* in fairytale {{ result("heads.stable_duplicate", ".0%") }}, *induction* in world {{ result("heads.stable_world", ".0%") }}.
# Whether names hold in a model that is not ours, [A stranger's heads](27_stranger.md) asks.
#
# ## What surprised us
#
# - The head that the model misses nearly most says nothing about any word, in a language where places do not matter.
# - A head made by hand to look one token back scores two thirds.
# - Zero ablation depends on constants that the model's function does not depend on, and ranks heads well all the same.
#
# ## Try it yourself
#
# **1. One head, two names** (beginner, 10 minutes). On fairytale's own text the top induction head also has the highest *first* score. Split
# its attention to the first token: tokens that are new in the text, and tokens that came before.
#
# ??? tip "Hint"
#     `seen_own["pattern", layer][:, head, 1:, 0]` is what each later token pays to the first.

# %% tags=["solution"]
came = torch.tensor([[t in row[:i] for i, t in enumerate(row)] for row in own.tolist()])[
    :, 1:
]
resting = seen_own["pattern", TOP[0]][:, TOP[1], 1:, 0]
note(atol=0.05, rests_new=resting[~came].mean(), rests_again=resting[came].mean())
assert scores["own"]["first"].top(1)[0][:2] == TOP, "another head rests there"
assert resting[~came].mean() > 2 * resting[came].mean(), "new tokens have nothing to copy"

# %% [markdown]
# New tokens pay the first one {{ result("heads.rests_new", ".0%") }}, those that came before {{ result("heads.rests_again", ".0%") }}: it rests when
# there is nothing to copy. A name holds for a head *and a text*.
#
# **2. Clocks in fairytale** (intermediate, 10 minutes). Which head of layer 1 costs most when resampled, and what does it cost when replaced
# by what it brings in *another text at the same place*?
#
# ??? tip "Hint"
#     `seen_own["z", 1].roll(1, 0)` is another text at the same place.

# %% tags=["solution"]
by_resample = tale_cost["resample"][tale.n_heads : 2 * tale.n_heads]
head = int(by_resample.argmax())
z = seen_own["z", 1][:, :-1, [head]].roll(1, 0)
with edit(tale, "z", 1, lambda old, at: z, heads=[head]):
    here = (losses(tale, own).mean() - loss_own).item()
assert here < by_resample[head] / 3, f"{here:.3f} of {by_resample[head]:.3f}: no clock"
print(f"1.{head}: resampled {by_resample[head]:.3f}, from the same place {here:.3f}")

# %% [markdown]
# ## What this does not show
#
# - Two models, one training run each. That large models have clocks does not follow; that scores of looking cannot see one does.
# - A model trained by somebody else, and the score of what heads write, are missing; [A stranger's heads](27_stranger.md) has both.
# - The clock is described by what is lost when it is wrong. Which heads read it, and how, we did not trace.
# - Single heads and one pair. In `world`, too, groups may stand in for each other.
# - *Nothing lost* holds for these texts, and fairytale's are its own: a head may matter for what they do not contain.
#
# ## Links
#
# - Before this: [How rules form](17_formation.md), [Weights alone](13_weights.md)
# - Finding: [The head that world misses most is a clock](../findings/heads-clock.md)
# - Finding: [Zero ablation depends on constants that the model does not](../findings/heads-zero-depends-on-constants.md)
# - Surprise: [A head made to do one thing scores two thirds](../surprises/heads-planted-score.md)
# - Dead end: [Ranking heads by where they look](../dead-ends/heads-ranking-by-looking.md)
# - Question: [Who reads the clock?](../questions/heads-who-reads-the-clock.md)
# - Olsson et al. (2022), [In-context learning and induction heads](https://arxiv.org/abs/2209.11895)
# - Chan et al. (2022), [Causal scrubbing](https://www.alignmentforum.org/posts/JvZhhzycHu2Yd57RN/causal-scrubbing-a-method-for-rigorously-testing)
# - Voita et al. (2019), [Analyzing multi-head self-attention](https://arxiv.org/abs/1905.09418)

# %% tags=["labels"]
in_words(
    planted_lowest="Fairytale: attention of the planted head to the token before",
    planted_choice="Fairytale: places where it attends most to the token before",
    top_rank_own="Fairytale: rank of the top induction head on its own text",
    world_highest="World: highest of all scores",
    induction_twice="Fairytale: best induction score on repeated random tokens",
    induction_world="World: best induction score on stories",
    induction_world_twice="World: best induction score on repeated random tokens",
    left_planted="Copying left without the planted head",
    left_top="Copying left without the top induction head",
    left_second="Copying left without the second induction head",
    left_both="Copying left without both",
    left_control="Copying left without two other heads of that layer",
    top_is_needed="Copying needs the planted head most, then the top induction head",
    rho_best_world="World: best rank correlation of a score with what is lost",
    rho_bar_world="World: what one random order in twenty exceeds",
    rho_best_own="Fairytale: best rank correlation of a score with what is lost",
    rho_bar_own="Fairytale: what one random order in twenty exceeds",
    first_highest="Rank correlation of attention to the first token with what is lost, larger of both models",
    list_needs_top="World: songs need the head with the highest induction score",
    named_share="World: losses carried by named heads",
    zero_above="Heads for which zero costs more than the mean",
    resample_above="Heads for which resampling costs more than the mean",
    moved_rank="Rank correlation of zero's costs with a constant moved",
    moved_zero="Largest factor by which moving a constant changes a head's cost by zero",
    moved_mean="The same by the mean, L0H3",
    l0h0_mean="Cost of L0H0, replaced by its mean",
    l0h0_resample="Cost of L0H0, resampled",
    l0h0_place="Cost of L0H0, replaced by its mean at that position",
    l0h3_mean="Cost of L0H3, replaced by its mean",
    l0h3_resample="Cost of L0H3, resampled",
    l0h3_place="Cost of L0H3, replaced by its mean at that position",
    l2h3_mean="Cost of L2H3, replaced by its mean",
    l2h3_resample="Cost of L2H3, resampled",
    l2h3_place="Cost of L2H3, replaced by its mean at that position",
    clock_together="Cost of a clock that is wrong for all words alike, in nats",
    clock_together_songs="The same in songs",
    clock_apart="Cost of a clock that is wrong for each word by itself, in nats",
    clock_apart_songs="The same in songs",
    even_l0h3="Cost of an even pattern in L0H3, in nats",
    even_l2h3="Cost of an even pattern in L2H3, in nats",
    stable_induction="Prompts on which the same head has the top induction score",
    stable_previous="Prompts on which the same head has the top previous-token score",
    stable_duplicate="Prompts on which the same head has the top duplicate score",
    stable_world="World: prompts on which the same head has the top induction score",
    rests_new="Attention of the top induction head to the first token, new tokens",
    rests_again="The same, tokens that came before",
)
