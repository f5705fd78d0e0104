# ---
# title: A zoo of heads
# question: Do the names that we give to attention heads tell what is lost without them?
# level: intermediate
# minutes: 15
# models: [world, fairytale]
# needs: [04_attention]
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
from itertools import product

import numpy as np
import torch

import llmnotes
from llmnotes.lab import figure, plots, predict, record
from llmnotes.methods import looking, repeated_tokens
from llmnotes.model import ablate, edit, parts, trace
from llmnotes.scratch import from_gpt2, generate
from llmnotes.world import IDS, RULES, held_out

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
torch.set_grad_enabled(False)
SMOOTH = "means over fixed texts; fairytale's are sampled, and rounding may turn a word"
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
stories = [story[:129] for story in held_out(seed=5, n=150) if len(story) > 128][:24]
told = torch.tensor([[IDS[token.word] for token in story] for story in stories])
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
predict(planted_looks, p=0.9, resolved_by="planted_lowest", if_="> 0.9")
planted_left = "Without the planted head less than a fifth of copying is left"
predict(planted_left, p=0.8, resolved_by="left_planted", if_="< 0.2")
needed = (
    "But for the planted head, copying needs the head with the top induction score most"
)
predict(needed, p=0.55, resolved_by="top_is_needed", if_="== 1")
alone = "Without the top induction head of fairytale more than half of copying is left"
predict(alone, p=0.6, resolved_by="left_top", if_="> 0.5")
stable = "One head of fairytale has the top induction score in more than 9 of 10 prompts"
predict(stable, p=0.6, resolved_by="stable_induction", if_="> 0.9")
both_texts = (
    "The top induction head on random tokens is in the top 3 on the model's own text"
)
predict(both_texts, p=0.7, resolved_by="top_rank_own", if_="<= 3")

# %% [markdown]
# And on what is lost in general, over both models but for the first.

# %%
named = "Named heads carry less than half of what the rules of world lose"
predict(named, p=0.6, resolved_by="named_share", if_="< 0.5")
resting = (
    "The more a head looks at the first token, the less it matters: below −0.3 in both"
)
predict(resting, p=0.5, resolved_by="first_highest", if_="< -0.3")
zero = "Zero costs more than the mean for more than 4 of 5 heads"
predict(zero, p=0.8, resolved_by="zero_above", if_="> 0.8")
resample = "Resampling costs more than the mean for more than 9 of 10 heads"
predict(resample, p=0.7, resolved_by="resample_above", if_="> 0.9")
constants = "Moving constants brings zero's ranking of heads below a correlation of ½"
predict(constants, p=0.6, resolved_by="moved_rank", if_="< 0.5")

# %% [markdown]
# ## The scores
#
# All heads of both models, on text and on random tokens that come twice, the usual test for induction.

# %%
KINDS = ("previous", "first", "duplicate", "induction")
scores = {name: looking(*both) for name, both in TEXTS.items()}
planted = [scores[name]["previous"].values[0, 0].item() for name in ("own", "twice")]
record("planted_lowest", min(planted), atol=0.03, because=SMOOTH)
most = trace(tale, own, ["pattern"], layers=[0])["pattern", 0][:, 0, 1:].argmax(-1)
record(
    "planted_choice",
    (most == torch.arange(127)).double().mean().item(),
    atol=0.01,
    because=ROWS,
)
TOP, SECOND = (head[:2] for head in scores["twice"]["induction"].top(2))
on_own = scores["own"]["induction"].values
record("top_rank_own", (on_own >= on_own[TOP]).sum().item())
highest = max(scores["world"][kind].values.max().item() for kind in KINDS)
record("world_highest", highest, atol=0.02, because=SMOOTH)
for text in ("twice", "world", "world_twice"):
    best = scores[text]["induction"].values.max().item()
    record(f"induction_{text}", best, atol=0.03, because=SMOOTH)

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


# %%
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
names = {"planted": (0, 0), "top": TOP, "second": SECOND}
names |= {name: name for name in pairs}
for name, heads in names.items():
    record(f"left_{name}", left[heads], atol=0.05, because=SMOOTH)
record("top_is_needed", sorted(TALE, key=left.get)[:2] == [(0, 0), TOP])

# %% [markdown]
# Here the zoo is right. Without the planted head {{ result("heads.left_planted", ".0%") }} of copying is left. Of all others the head with the
# highest induction score ({{ result("heads.induction_twice", ".2f") }}) is missed most, but not by much: {{ result("heads.left_top", ".0%") }} is
# left without it, and {{ result("heads.left_second", ".0%") }} without the second. **Without both it is
# {{ result("heads.left_both", ".0%") }}** (without two others of their layer {{ result("heads.left_control", ".0%") }}). Each stands in for the
# other, so a table of single ablations shows neither.
#
# ## Take them away: world
#
# Now `world`, by rule ([lab 13](13_formation.md) explains the nine). After a first look at three ablations we added a fourth: *place*, the
# mean over the other stories **at the same place** of the text. It keeps what a head says about where in the text we are, and takes away all
# that it says about words.

# %%
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
random, firsts = np.random.default_rng(0), []
for text, lost in (("world", total["mean"]), ("own", tale_cost["mean"])):
    rhos = [agree(scores[text][kind].values, lost) for kind in KINDS]
    by_chance = [
        [agree(random.permutation(len(lost)), lost) for _ in KINDS] for _ in range(500)
    ]
    bar = np.quantile(np.abs(by_chance).max(1), 0.95)
    record(f"rho_best_{text}", np.abs(rhos).max(), atol=0.15, because=TIES)
    record(f"rho_bar_{text}", bar, atol=0.05, because="500 random orders")
    firsts.append(rhos[KINDS.index("first")])
record("first_highest", max(firsts), atol=0.15, because=TIES)
top = scores["world"]["induction"].top(1)[0][:2]
record("list_needs_top", WORLD[table[list(RULES).index("list")].argmax()] == top)
looks = torch.stack([scores["world"][kind].values.flatten() for kind in KINDS])
named, lost = looks.max(0).values.numpy() > 0.5, table.clip(min=0)
share = lost[:, named].sum() / lost.sum()
record("named_share", share, atol=0.02, because=SMOOTH)

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
for by in ("zero", "resample"):
    more = [tale_cost[by] > tale_cost["mean"], total[by] > total["mean"]]
    record(f"{by}_above", np.concatenate(more).mean(), atol=0.07, because=TIES)
rank = np.median([agree(row, total["zero"]) for row in zero_moved])
record("moved_rank", rank, atol=0.08, because=TIES)
factor = (zero_moved / total["zero"])[:, total["mean"] > 0.01]
record("moved_zero", max(factor.max(), 1 / factor.min()), rtol=0.1, because=SMOOTH)
by_mean = cost("mean", 0, 3, versions[0], again).mean() / total["mean"][3]
record("moved_mean", by_mean, atol=1e-3, because="rounding only")
for i, by in product((0, 3, 11), ("mean", "resample", "place")):
    how = {"atol": 0.003, "rtol": 0.04, "because": SMOOTH, "unit": "nats"}
    record(f"{labels[i].lower()}_{by}", total[by][i], **how)

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
for name, shape in (("together", (24, 1)), ("apart", (24, 128))):
    off = torch.arange(128) + torch.randint(-10, 11, shape, generator=dice)
    wrong = face[off.clamp(0, 127)][:, :, None]
    with edit(world, "z", 0, lambda old, at, wrong=wrong: wrong, heads=[3]):
        more = (losses(world, told) - base).numpy()
    record(f"clock_{name}", more[:, later].mean(), atol=0.1, because="few draws")
    record(f"clock_{name}_songs", more[songs].mean(), atol=0.5, because="few draws")
even = torch.ones(128, 128).tril() / torch.arange(1, 129)[:, None]
for layer in (0, 2):
    with edit(world, "pattern", layer, lambda old, at: even, heads=[3]):
        value = (losses(world, told) - base).mean().item()
    record(f"even_l{layer}h3", value, atol=0.003, rtol=0.04, because=SMOOTH)

# %% [markdown]
# Wrong for all words alike, the clock costs {{ result("heads.clock_together", ".3f") }} nats a word (in songs
# {{ result("heads.clock_together_songs", ".2f") }}). Wrong for each by itself it costs {{ result("heads.clock_apart", ".2f") }} (in songs
# {{ result("heads.clock_apart_songs", ".1f") }}). So nobody reads what time it is; what counts is that **the clocks of different words agree**.
# That fits songs, where the word wanted stands one verse back. It may be how the head that sings finds its place without any
# previous-token head, which [lab 13](13_formation.md) could not say.
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
for name, prompts in tops.items():
    model, kind = (world, "induction") if name == "world" else (tale, name)
    heads = [looking(model, row[None])[kind].top(1)[0][:2] for row in prompts]
    usual = TOP if name == "induction" else Counter(heads).most_common(1)[0][0]
    record(f"stable_{name}", heads.count(usual) / len(heads), atol=0.13, because=ROWS)

# %% [markdown]
# Strong names are stable: the planted head tops {{ result("heads.stable_previous", ".0%") }} of the prompts, the best induction head
# {{ result("heads.stable_induction", ".0%") }}, own texts and random rows together. Where all heads are near chance the top is a lottery:
# *duplicate* in fairytale {{ result("heads.stable_duplicate", ".0%") }}, *induction* in world {{ result("heads.stable_world", ".0%") }}.
# Whether names hold in a model that is not ours, [A stranger's heads](22_stranger.md) asks.
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
for name, some in (("new", ~came), ("again", came)):
    record(f"rests_{name}", resting[some].mean().item(), atol=0.05, because=SMOOTH)
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
# - A model trained by somebody else, and the score of what heads write, are missing; [A stranger's heads](22_stranger.md) has both.
# - The clock is described by what is lost when it is wrong. Which heads read it, and how, we did not trace.
# - Single heads and one pair. In `world`, too, groups may stand in for each other.
# - *Nothing lost* holds for these texts, and fairytale's are its own: a head may matter for what they do not contain.
#
# ## Links
#
# - Before this: [How rules form](13_formation.md), [Weights alone](09_weights.md)
# - Finding: [The head that world misses most is a clock](../findings/heads-clock.md)
# - Finding: [Zero ablation depends on constants that the model does not](../findings/heads-zero-depends-on-constants.md)
# - Surprise: [A head made to do one thing scores two thirds](../surprises/heads-planted-score.md)
# - Dead end: [Ranking heads by where they look](../dead-ends/heads-ranking-by-looking.md)
# - Question: [Who reads the clock?](../questions/heads-who-reads-the-clock.md)
# - Olsson et al. (2022), [In-context learning and induction heads](https://arxiv.org/abs/2209.11895)
# - Chan et al. (2022), [Causal scrubbing](https://www.alignmentforum.org/posts/JvZhhzycHu2Yd57RN/causal-scrubbing-a-method-for-rigorously-testing)
# - Voita et al. (2019), [Analyzing multi-head self-attention](https://arxiv.org/abs/1905.09418)
