# ---
# title: A zoo of heads
# question: Heads get names by where they look. Do the names tell what is lost without them?
# answer: >-
#   Not always. *World* loses {{ result("heads.l0h3_mean", ".2f") }} nats a word if a head that looks nowhere in particular is
#   replaced by its mean, and {{ result("heads.l0h3_place", ".4f") }} if by its mean at the same place of other stories. It tells how far
#   the story has come, and no score of looking names it.
# chapter: Who does it
# level: intermediate
# minutes: 15
# models: [world, fairytale]
# needs: [03_attention]
# tags: [attention heads, ablation, induction, methods]
# thumbnail: clock
# timeout: 500
# ---

# %% tags=["setup"]
from collections import Counter
from copy import deepcopy

import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods import looking, repeated_tokens
from llmnotes.model import ablate, edit, parts, trace
from llmnotes.scratch import from_gpt2, generate
from llmnotes.world import RULES, read
from llmnotes.world.names import PLAIN

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
torch.set_grad_enabled(False)
SMOOTH = "means over fixed texts; fairytale's are sampled, and rounding may turn a word"
note = within(atol=0.03, because=SMOOTH)
TIES = "many heads lose next to nothing, and near ties may change places"
ROWS = "a row or two may turn with rounding"
ties = within(atol=0.15, because=TIES)

# %% tags=["setup"]
world, tale = llmnotes.load("world"), llmnotes.load("fairytale")
told, stories = read(seed=5, n=24, length=129)
rule = np.array([[token.rule for token in story[1:]] for story in stories])
start, draw = torch.zeros(8, 1, dtype=torch.long), torch.Generator().manual_seed(0)
own = generate(from_gpt2(tale.model), start, 127, temperature=1.0, generator=draw)
twice = repeated_tokens(tale, batch=8, length=32, first=0)  # random, then the same again
TEXTS = {"twice": (tale, twice), "own": (tale, own), "world": (world, told[:, :-1])}
TEXTS["world_twice"] = world, repeated_tokens(world, batch=8, length=32, first=0)

# %% [markdown]
# ## A case you can hold: a head that was made to look one back
#
# Head L0H0 of *Fairytale* (head 0 of layer 0) was *planted*: we set its queries and keys by hand so that each token looks at the
# one before it, and training left them alone. Where does it look?

# %% tags=["idea"]
text = "Once upon a time there was a king who had three daughters"
pieces = [tale.tokenizer.decode([token]) for token in tale.tokenizer(text)["input_ids"]]
pattern = trace(tale, text, ["pattern"])["pattern", 0][
    0, 0
]  # (token that looks, token seen)
for at in (3, 7, 10):
    seen_most = pattern[at].argmax()
    print(
        f"{pieces[at]!r} looks most at {pieces[seen_most]!r}: {pattern[at, seen_most]:.2f}"
    )

# %% [markdown]
# It does what it was made for. But it gives the token before only about two thirds of its attention. If you had not known, would
# you have called it a previous-token head?
#
# ## A score says where a head looks, an ablation what is lost without it
#
# {{ drawing("one-head", alt="One head: the query of a word meets the keys of the words before it; scores become weights; weighted values are added and written back to the residual stream.") }}
#
# A head at word $q$ pays attention $a_{q k}$ to each word $k$ before it, and the attention sums to 1. Its *score* for a kind of
# word is the attention that it pays to that kind on average:
#
# $$
# \mathrm{score} = \operatorname{mean}_q \sum_{k \in \mathrm{kind}(q)} a_{q k}
# $$
#
# We take four kinds: the *previous* token; the *first* token, where heads rest when they have nothing to do; a *duplicate* of the
# token that looks; and the token that followed such a duplicate, which is what *induction* looks at
# ([Olsson et al. 2022](https://arxiv.org/abs/2209.11895)). *Chance* is the score of a head that spreads its attention evenly.
#
# A score says where a head looks. To see what it is *for*, we take away what it writes, and something must stand in its place. Four
# replacements are in use:
#
# - *zero*;
# - the *mean* of what the head writes, over other texts;
# - a *resample*, what it writes at a token drawn at random;
# - the mean over other texts **at the same place**: for the hundredth word, what the head writes at the hundredth word elsewhere.
#
# The last one keeps what the head says about the position in the text, and takes away everything that it says about words.


# %% tags=["setup"]
def losses(model, ids):
    """The loss of each token but the first, (row, pos)."""
    logits = model.model(ids[:, :-1]).logits
    came = logits.gather(-1, ids[:, 1:, None])[..., 0]
    return logits.exp_().sum(-1).log() - came  # in place: a log_softmax takes longer


# %% tags=["setup"]
def agree(one, two):
    ranks = [np.argsort(np.argsort(np.ravel(values))) for values in (one, two)]
    return np.corrcoef(ranks)[0, 1]


# %% tags=["setup"]
WORLD = [(layer, head) for layer in range(world.n_layers) for head in range(world.n_heads)]
seen, base = trace(world, told[:, :-1], ["z"]), losses(world, told)


# %% tags=["idea"]
def at_same_place(layer, head):  # replaces what a head writes, while the model runs
    z = seen["z", layer][:, :, [head]]  # (story, word, 1, d_head)
    others = (z.sum(0) - z) / (len(z) - 1)  # the mean over the other stories
    return edit(world, "z", layer, lambda old, at: others, heads=[head])


# %% tags=["setup"]
def cost(by, layer, head, model=world, reference=seen):
    """What each token costs more without a head, (story, pos)."""
    if by == "place":
        how = at_same_place(layer, head)
    else:
        how = ablate(model, "z", layer, heads=[head], by=by, reference=reference)
    with how:
        return (losses(model, told) - base).numpy()


BY = ("mean", "zero", "resample", "place")
costs = {by: np.stack([cost(by, *head) for head in WORLD]) for by in BY}
total = {by: rows.mean((1, 2)) for by, rows in costs.items()}
table = np.array([costs["mean"][:, rule == r].mean(1) for r in RULES])  # (rule, head)

# %% [markdown]
# ```exercise
# title: The score by hand
# minutes: 3
# code: |
#   # pattern: (token that looks, token seen) of one head
#   one_back = ▢   # its score for the previous token
# right: ["pattern.diagonal(-1).mean()", "torch.diagonal(pattern, -1).mean()", "pattern.diagonal(offset=-1).mean()", "pattern.diag(-1).mean()", "torch.diag(pattern, -1).mean()"]
# praise: "The first diagonal below the main one: each token's attention to the token before it. The first token has none."
# wrong:
#   "pattern.diagonal().mean()": "That is the attention of each token to itself."
#   "pattern.diagonal(1).mean()": "Above the main diagonal are tokens that come later, and the mask has set those to 0."
# otherwise: "Which diagonal of the pattern holds the attention from token q to token q − 1?"
# solution: "`pattern.diagonal(-1).mean()`"
# ```
#
# ## Your prediction
#
# Head L0H3 of *World* spreads its attention evenly over all words so far, so no score names it. Yet when we replace it by its mean,
# *World* loses more than for any other head but one. So it writes something that other parts need.

# %%
ask(
    "What does a head tell the rest of the model that averages over all words evenly?",
    choices={
        "words": "Which words have occurred: an even average is a bag of words",
        "place": "How far the story has come",
        "nothing": "Nothing: the mean in its place has shocked the model",
    },
    answer="place",
    because={
        "words": "An even average does hold which words came. If that were what is needed, the mean over other stories at the same place, which has "
        "other words, would do harm.",
        "place": "An average over more and more words moves steadily from the first word's value to the mean of all. That is a clock.",
        "nothing": "Then the mean at the same place would shock it as well. It does not.",
    },
    figure="clock",
    l0h3_place="< 0.01",
    even_l0h3="< 0.01",
)
# Before any run. *Copying* is the loss at the first sight of random tokens minus the loss when they come again. A head is
# *named* if it pays more than half of its attention to one of the four kinds of place.
predict(
    "Fairytale's planted head pays more than 90% to the token before",
    0.9,
    planted_lowest="> 0.9",
)
predict(
    "Without the planted head less than a fifth of copying is left",
    0.8,
    left_planted="< 0.2",
)
predict(
    "But for the planted head, copying needs the head with the top induction score most",
    0.55,
    top_is_needed="== 1",
)
predict(
    "Without the top induction head of fairytale more than half of copying is left",
    0.6,
    left_top="> 0.5",
)
predict(
    "One head of fairytale has the top induction score in more than 9 of 10 prompts",
    0.6,
    stable_induction="> 0.9",
)
predict(
    "The top induction head on random tokens is in the top 3 on the model's own text",
    0.7,
    top_rank_own="<= 3",
)
predict(
    "Named heads carry less than half of what the rules of world lose",
    0.6,
    named_share="< 0.5",
)
predict(
    "The more a head looks at the first token, the less it matters: below −0.3 in both",
    0.5,
    first_highest="< -0.3",
)
predict("Zero costs more than the mean for more than 4 of 5 heads", 0.8, zero_above="> 0.8")
predict(
    "Resampling costs more than the mean for more than 9 of 10 heads",
    0.7,
    resample_above="> 0.9",
)
predict(
    "Moving constants brings zero's ranking of heads below a correlation of ½",
    0.6,
    moved_rank="< 0.5",
)

# %% [markdown]
# ## A head that looks nowhere in particular is a clock

# %% tags=["setup"]
even = torch.ones(128, 128).tril() / torch.arange(1, 129)[:, None]
evened = {}
for layer in (0, 2):
    with edit(world, "pattern", layer, lambda old, at: even, heads=[3]):
        evened[layer] = (losses(world, told) - base).mean()
note(rtol=0.04, atol=0.003, even_l0h3=evened[0], even_l2h3=evened[2])
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
fig, axes = plots.subplots(1, 2, height=3.0, sharey=True)
INSTEAD = {
    "resample": "a random\nword's output",
    "mean": "its mean",
    "place": "its mean at the\nsame place",
}
clock_bars = {}
for ax, layer, of, title in zip(
    axes, (0, 2), (l0h3, l2h3), ("L0H3, looks evenly", "Control: L2H3"), strict=True
):
    clock_bars[f"L{layer}H3"] = values = [*(of[by] for by in INSTEAD), float(evened[layer])]
    bars = ax.barh(range(4), values, color=BLUE if layer == 0 else plots.MUTED, height=0.6)
    for y, value in enumerate(values):
        ax.text(
            value + 0.04,
            y,
            f"{value:.2f}" if value > 0.005 else f"{value:.4f}",
            va="center",
        )
    if layer == 0:
        bars[2].set_gid("choice-place")
        bars[1].set_gid("choice-words")
    ax.set(title=title, xlim=(0, 3), xlabel="loss gained (nats a word)")
    ax.grid(axis="y", visible=False)
axes[0].set_yticks(range(4), [*INSTEAD.values(), "itself, looking\nexactly evenly"])
axes[0].invert_yaxis()
figure(
    fig,
    name="clock",
    alt="Costs of two heads by what stands in their place. L0H3 costs more than two nats by a random word's output, a third of a nat by its mean, and nothing by its "
    "mean at the same place or with exactly even attention. L2H3, the control, costs half a nat or more by all four.",
    caption="24 stories. What stands in place of the head's output, or of its attention.",
    title="Told the time, World does not miss L0H3",
    data={key: np.array(values) for key, values in clock_bars.items()},
    rtol=0.03,
    because=SMOOTH,
)

# %% [markdown]
# By its mean, L0H3 costs {{ result("heads.l0h3_mean", ".2f") }} nats a word. By its mean *at the same place* of other stories
# it costs {{ result("heads.l0h3_place", ".4f") }}. So *World* needs nothing that it says about words. It needs to be told how
# far the story has come, although no rule of the grammar asks for that. The control is another head, L2H3. Replaced by its
# mean at the same place, it still costs {{ result("heads.l2h3_place", ".2f") }}.
#
# The clock does not need to choose where it looks. If we force its attention to be exactly even, *World* loses
# {{ result("heads.even_l0h3", ".4f") }} nats. That is why no score of *where a head looks* can find it: it works because it looks
# everywhere equally.
#
# ## Most trainings have a clock, not all


# %% tags=["setup"]
def of_training(model):
    """Each head's cost by the mean, by resampling and by the mean at the same place; scores; the songs' top head."""
    seen, base = trace(model, told[:, :-1], ["z"]), losses(model, told)
    found, songs = [], []
    for layer, head in WORLD:
        row = []
        for by in ("mean", "resample"):
            with ablate(model, "z", layer, heads=[head], by=by, reference=seen):
                more = (losses(model, told) - base).numpy()
            row.append(more.mean())
            if by == "mean":
                songs.append(more[rule == "list"].mean())
        z = seen["z", layer][:, :, [head]]
        others = (z.sum(0) - z) / (len(z) - 1)
        if layer == 0:  # where clocks are
            with edit(model, "z", 0, lambda old, at, others=others: others, heads=[head]):
                row.append((losses(model, told) - base).mean().item())
        found.append(row + [np.nan] * (3 - len(row)))
    looks = looking(model, told[:, :-1])
    return np.array(found), looks, int(np.argmax(songs))


KINDS = ("previous", "first", "duplicate", "induction")
trainings = [
    of_training(llmnotes.load("world", seed=seed) if seed else world) for seed in range(5)
]
listened = [
    int(np.argmax(found[:4, 1])) for found, *_ in trainings
]  # of layer 0, by resampling
clocks = np.array(
    [found[at, [0, 2]] for (found, *_), at in zip(trainings, listened, strict=True)]
)
note(
    trainings=len(trainings),
    clocks=(clocks[:, 1] < 0.1 * clocks[:, 0]).sum(),
    songs_by_top=sum(
        looks["induction"].values.flatten().argmax().item() == top
        for _, looks, top in trainings
    ),
    clock_most_missed=sum(
        found[:, 0].argmax() == at and place < 0.1 * mean
        for (found, *_), at, (mean, place) in zip(trainings, listened, clocks, strict=True)
    ),
)
note(
    atol=0.02,
    unit="nats",
    partly_place=clocks[:, 1].max(),
    partly_mean=clocks[clocks[:, 1].argmax(), 0],
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.7)
for y, (mean, place) in enumerate(clocks):
    ax.plot([place, mean], [y, y], color=plots.GRID, lw=3)
    ax.plot(mean, y, "o", ms=8, color=ORANGE)
    ax.plot(max(place, 0), y, "s", ms=8, color=BLUE)
ax.text(clocks[0, 0], -0.42, "its mean", color=ORANGE, ha="center")
ax.text(0.004, -0.42, "at the same place", color=BLUE)
ax.set_yticks(range(5), [f"seed {n}, L0H{at}" for n, at in enumerate(listened)])
ax.set(xlim=(-0.01, 0.4), ylim=(4.5, -0.8), xlabel="loss gained (nats a word)")
ax.grid(axis="y", visible=False)
figure(
    fig,
    name="trainings",
    alt="Five trainings. In three the head of the first layer costs next to nothing when replaced by its mean at the same place; in two it still costs a third or "
    "more of what it costs by its mean.",
    caption="In each training the head of the first layer that costs most when resampled. Orange: replaced by its mean. Blue: by its mean at the same place.",
    title="In three trainings it is a clock, in two only partly",
    data={"clocks": clocks},
    rtol=0.05,
    because=SMOOTH,
)

# %% [markdown]
# *World* was trained {{ result("heads.trainings") }} times from different seeds. In each training we take the head of layer 0 that
# costs most when resampled. In {{ result("heads.clocks") }} of them this head is a clock: its mean at the same place costs less
# than a tenth of what its mean over all places costs.
#
# In the other two the head is only partly a clock. The worst still costs {{ result("heads.partly_place", ".2f") }} nats at the same
# place, of {{ result("heads.partly_mean", ".2f") }} by the mean. So training often makes a clock, but need not.
#
# ## Copying needs two heads, and each hides the other
#
# When random tokens come a second time, *Fairytale* predicts them {{ result("heads.gain_whole", ".1f") }} nats better: it *copies*.
# What is left of this gain without a head?

# %% tags=["setup"]
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


# %% tags=["setup"]
def copied():
    """Mean loss at first sight minus at second sight, without the first token of either."""
    loss = losses(tale, twice)
    return (loss[:, 1:32].mean() - loss[:, 33:].mean()).item()


def cost_own(by, layer, head):
    with ablate(tale, "z", layer, heads=[head], by=by, reference=seen_own):
        return (losses(tale, own).mean() - loss_own).item()


# %% tags=["setup"]
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

# %% tags=["setup"]
note(
    atol=0.05,
    left_planted=left[0, 0],
    left_top=left[TOP],
    left_second=left[SECOND],
    left_both=left["both"],
    left_control=left["control"],
)
note(atol=0.1, unit="nats", gain_whole=intact)
note(top_is_needed=sorted(TALE, key=left.get)[:2] == [(0, 0), TOP])

# %% tags=["drawing"]
rows = {
    "planted head 0.0": left[0, 0],
    f"top induction head {TOP[0]}.{TOP[1]}": left[TOP],
    f"second induction head {SECOND[0]}.{SECOND[1]}": left[SECOND],
    "both induction heads": left["both"],
    "control: two others of their layer": left["control"],
}
fig, ax = plots.subplots(height=2.8)
for y, (name, share) in enumerate(rows.items()):
    colour = plots.MUTED if "control" in name else ORANGE if share < 0.5 else BLUE
    ax.barh(y, 100 * share, color=colour, height=0.5)
    ax.text(100 * share + 1.5, y, f"{100 * share:.0f}%", va="center")
    ax.text(0, y - 0.32, name, va="bottom")
ax.set(xlim=(0, 112), ylim=(4.5, -0.75), yticks=(), xlabel="copying left (%)")
ax.grid(visible=False)
figure(
    fig,
    name="copying",
    alt="Without the planted head 5% of copying is left; without the top induction head 87%, without the second 92%, without both 12%; without two other heads 99%.",
    caption="Fairytale, random tokens that come twice. Heads replaced by their mean.",
    title="One induction head can go, two cannot",
    data={"left": np.array(list(rows.values()))},
    rtol=0.05,
    because=SMOOTH,
)

# %% [markdown]
# Here names and losses agree. Without the planted head {{ result("heads.left_planted", ".0%") }} of copying is left. Of all other
# heads, the one with the highest induction score is missed most. But it is not missed much: {{ result("heads.left_top", ".0%") }}
# of copying is left without it.
#
# But without it *and* the head with the second highest score only {{ result("heads.left_both", ".0%") }} is left, while two other
# heads together cost next to nothing.
#
# Each of the two is enough. Both are in layer 1 and work side by side, so neither can notice that the other is gone: they are
# redundant. In large models another thing is seen as well, called *self-repair* or the *Hydra effect*: take a head away, and
# *later* parts change what they write and make up for it ([McGrath et al. 2023](https://arxiv.org/abs/2307.15771)). In either
# case a table of single ablations shows no head that is needed.
#
# ## The cost of zero depends on constants that do not matter
#
# A head's attention weights sum to 1. So we may add a constant to all its values, if we subtract the constant's effect after the
# head. **The model computes the same, but a head set to zero now means something else.** We add to each head of *World* a random
# constant as long as the head's typical output.


# %% tags=["idea"]
def moved(seed):  # the same function, other biases
    model, g = deepcopy(world), torch.Generator().manual_seed(seed)
    for layer, head in WORLD:
        z, attn = seen["z", layer][:, :, head], model.model.transformer.h[layer].attn
        c = torch.randn(world.d_head, generator=g)
        c *= z.norm(dim=-1).square().mean().sqrt() / c.norm()
        at = 2 * world.d_model + head * world.d_head
        attn.c_attn.bias[at : at + world.d_head] += c
        attn.c_proj.bias -= c @ parts(world).blocks[layer].w_o[head]
    return model


# %% tags=["setup"]
versions = [moved(seed) for seed in range(3)]
zero_moved = np.array(
    [[cost("zero", *h, model).mean() for h in WORLD] for model in versions]
)
again = trace(versions[0], told[:, :-1], ["z", "logits"])
assert torch.allclose(again["logits"], world.model(told[:, :-1]).logits, atol=2e-3)

# %% tags=["setup"]
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
labels = ["L{}H{}".format(*head) for head in WORLD]
named_by = {by: labels[total[by].argmax()] for by in BY}
note(most_missed_differ=len(set(named_by.values())))

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.9)
for by, mark, colour in zip(BY, "os^D", (BLUE, ORANGE, PURPLE, GREEN), strict=True):
    ax.plot(labels, total[by].clip(0), mark, ms=6, color=colour, label=by)
for k, rows in enumerate(zero_moved):
    text = None if k else "control: zero, constants moved"
    ax.plot(labels, rows.clip(0), "_", ms=11, color=ORANGE, label=text)
ax.set_yscale("symlog", linthresh=0.01)
ax.set_yticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
ax.set(ylabel="loss gained (nats a word)", ylim=(-0.001, 4), title="World")
ax.tick_params(axis="x", rotation=90, labelsize=9.5)
fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
ALT = """Resampling costs most for nearly every head. L0H3 costs more than two nats by resampling, a third of a nat by the mean, and nothing when
replaced by its mean at the same place. Moving constants moves zero's cost of a head up or down."""
CAPTION = "Linear below 0.01, logarithmic above. The three models with moved constants compute what World computes."
figure(
    fig,
    name="ablations",
    alt=ALT,
    caption=CAPTION,
    title="What stands there decides what a head costs",
    rtol=0.03,
    because=SMOOTH,
)

# %% [markdown]
# The model's outputs are unchanged, yet the cost of setting a head to zero changes by a factor of up to
# {{ result("heads.moved_zero", ".0f") }}. The cost of the mean does not change: for L0H3 the factor is
# {{ result("heads.moved_mean", ".3f") }}. The *order* of the heads by zero hardly changes, though (rank correlation
# {{ result("heads.moved_rank", ".2f") }}); we had expected more.
#
# Replacements also ask different questions. L0H0 costs {{ result("heads.l0h0_mean", ".2f") }} nats by the mean and
# {{ result("heads.l0h0_resample", ".1f") }} when resampled. The mean asks whether the model can do *without* what a head says.
# Resampling asks whether the model *listens* to it: a false message does harm. A model may listen to a head that it does not need.
# So “which head does the model miss most?” has no answer until you say what you put in the head's place.
#
# ## In most trainings no score of looking predicts what is lost

# %% tags=["setup"]
random, firsts, best, bars = np.random.default_rng(0), [], {}, {}
for text, lost in (("world", total["mean"]), ("own", tale_cost["mean"])):
    rhos = [agree(scores[text][kind].values, lost) for kind in KINDS]
    by_chance = [
        [agree(random.permutation(len(lost)), lost) for _ in KINDS] for _ in range(500)
    ]
    bars[text] = np.quantile(np.abs(by_chance).max(1), 0.95)
    best[text] = np.abs(rhos).max()
    firsts.append(rhos[KINDS.index("first")])

# %% tags=["setup"]
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

# %% tags=["setup"]
best_of_four = [
    max(abs(agree(looks[kind].values, found[:, 0])) for kind in KINDS)
    for found, looks, _ in trainings
]
ties(rho_best_most=max(best_of_four), rho_best_least=min(best_of_four))
note(trainings_above_bar=(np.array(best_of_four) > bars["world"]).sum())

# %% tags=["drawing"]
fig, ax = plots.subplots(height=4.2)
image = ax.imshow(table, aspect="auto", vmin=0, vmax=2)
ax.grid(visible=False)
ax.set_xticks(range(16), labels, rotation=90, fontsize=9.5)
ax.set_yticks(range(9), [PLAIN[r].replace(", ", ",\n") for r in RULES])
fig.colorbar(image, ax=ax, label="nats a word", extend="max")
ALT = """Lists lose most without L2H3, agreement without L3H3, pronouns without L2H2, mood without L0H2; without L0H3 agreement and lists lose as
well, and other rules a little."""
CAPTION = "Mean ablation, 24 stories; more than 2 nats is drawn as 2."
figure(
    fig,
    name="rules",
    alt=ALT,
    caption=CAPTION,
    title="What each rule of World loses without each head",
    rtol=0.03,
    because=SMOOTH,
)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 3, height=2.9, sharey=True)
titles = "Fairytale, random", "Fairytale, own", "World, stories"
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
    ax.set(title=title)
    ax.set_xticks(range(4), KINDS, rotation=40, ha="right")
for ax, y in zip(axes, planted[::-1], strict=False):
    ax.plot(0.25, y, "o", ms=9, mfc="none", color=plots.INK, label="planted")
axes[0].set(ylabel="share of attention", ylim=(-0.03, 1.0))
axes[1].legend(loc="upper right", fontsize=9.5)
ALT = """In fairytale the planted head stands far above the others as a previous-token head, and on repeated tokens three heads stand far above
chance in induction. In world no head stands much above a quarter in any score."""
figure(
    fig,
    name="scores",
    alt=ALT,
    caption="Each point is a head.",
    title="World has no head that a score would name",
    rtol=0.05,
    because=SMOOTH,
)

# %% [markdown]
# Which heads matter, and do the scores of looking tell? In *World* the best of the four scores has a rank correlation of
# {{ result("heads.rho_best_world", ".2f") }} with the loss. To count, it would have to beat the best of four random orders in 95%
# of draws, which takes {{ result("heads.rho_bar_world", ".2f") }}. In *Fairytale* the best score misses its bar as well
# ({{ result("heads.rho_best_own", ".2f") }}, and {{ result("heads.rho_bar_own", ".2f") }} is needed).
#
# None of *World*'s 16 heads pays more than {{ result("heads.world_highest", ".2f") }} of its attention to any of the four kinds.
# One score still finds its head: the head that songs need most has the highest induction score on stories.
#
# Over {{ result("heads.trainings") }} trainings the picture is mixed, and less clear than we once claimed. The best score reaches
# {{ result("heads.rho_best_least", ".2f") }} in one training and {{ result("heads.rho_best_most", ".2f") }} in another. It clears
# the bar in {{ result("heads.trainings_above_bar") }} of them. In {{ result("heads.songs_by_top") }} trainings the head that songs
# need most has the highest induction score.
#
# ## What surprised us
#
# **A head made to do one thing scores two thirds.** The planted head has {{ result("heads.planted_lowest", ".2f") }}, although in
# {{ result("heads.planted_choice", ".0%") }} of the cases the token before gets the most attention
# ([surprise](../surprises/heads-planted-score.md)). A score well below 1 is no sign of a second job.
#
# **Our own page contradicted itself.** It said that *the head that World misses most* is a clock. That holds for zero and for
# resampling. By the mean, which the same page called the fairer measure, another head is missed more
# ([the finding as it stood](../findings/heads-clock.md)). And two of {{ result("heads.trainings") }} trainings made no full clock.
#
# ## Try it
#
# **1. One head, two names** (10 minutes). On *Fairytale*'s own text the top induction head also has the highest *first* score.
# Split its attention to the first token by the token that looks: is it new in the text, or did it occur before?
#
# ??? tip "Hint"
#     `seen_own["pattern", layer][:, head, 1:, 0]` is the attention that each later token pays to the first.

# %% tags=["solution"]
came = torch.tensor([[t in row[:i] for i, t in enumerate(row)] for row in own.tolist()])[
    :, 1:
]
resting = seen_own["pattern", TOP[0]][:, TOP[1], 1:, 0]
note(atol=0.05, rests_new=resting[~came].mean(), rests_again=resting[came].mean())
assert scores["own"]["first"].top(1)[0][:2] == TOP, "another head rests there"
assert resting[~came].mean() > 2 * resting[came].mean(), "new tokens have nothing to copy"

# %% [markdown]
# New tokens pay the first one {{ result("heads.rests_new", ".0%") }} of their attention, repeated ones
# {{ result("heads.rests_again", ".0%") }}. The head rests when there is nothing to copy. So a name holds for a head *on a text*.
#
# **2. Clocks in Fairytale** (10 minutes). Which head of layer 1 costs most when resampled, and what does it cost when replaced
# by what it writes in *another text at the same place*?
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
# ## You can now
#
# - compute a score of looking with its chance level, and say what it misses;
# - choose what to put in a head's place, and say which question that choice asks;
# - look for a second head that does the same work as the first.
#
# ## What this does not show
#
# - That large models have clocks. We looked at *World* in {{ result("heads.trainings") }} trainings and at *Fairytale* in one. The
#   point about scores of looking does not depend on the model.
# - Which heads read the clock, and how. We know only what is lost when it is wrong.
# - What larger groups of heads do: we ablated single heads and few pairs. And a head that costs nothing here may matter for other
#   texts.
#
# ## Going deeper
#
# ### What the clock is for
#
# We set the clock wrong by up to ten words: by the same amount for all words of a story, or by another amount for each word.

# %% tags=["setup"]
face = seen["z", 0][:, :, 3].mean(0)  # (place, d_head)
dice, later = torch.Generator().manual_seed(0), np.arange(128) >= 20  # set no clock below 0
songs = later & (rule == "list")


def wrong_clock(*shape):
    """What each token costs more when each clock is wrong by up to ten places."""
    off = torch.arange(128) + torch.randint(-10, 11, shape, generator=dice)
    wrong = face[off.clamp(0, 127)][:, :, None]
    with edit(world, "z", 0, lambda old, at, wrong=wrong: wrong, heads=[3]):
        return (losses(world, told) - base).numpy()


# %% tags=["setup"]
together, apart = wrong_clock(24, 1), wrong_clock(24, 128)
few_draws = within(atol=0.1, because="few draws")
few_draws(clock_together=together[:, later].mean(), clock_apart=apart[:, later].mean())
few_draws(
    atol=0.5,
    clock_together_songs=together[songs].mean(),
    clock_apart_songs=apart[songs].mean(),
)

# %% [markdown]
# Wrong by the same amount everywhere, the clock costs {{ result("heads.clock_together", ".3f") }} nats a word (in songs
# {{ result("heads.clock_together_songs", ".2f") }}). Wrong by another amount at each word, it costs
# {{ result("heads.clock_apart", ".2f") }} (in songs {{ result("heads.clock_apart_songs", ".1f") }}). So hardly any part reads
# what time it is. What counts is that *the clocks of different words agree*. That fits songs, where the word to repeat was
# sung one verse earlier. It may be how the head that repeats songs finds its position without a previous-token head, which
# [How rules form](17_formation.md) could not explain.
#
# ### Is a name stable?
#
# We look at each prompt alone: which head has the highest score? Then we count in how many prompts the most frequent winner wins.

# %% tags=["setup"]
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
# Strong names are stable. The planted head has the highest score in {{ result("heads.stable_previous", ".0%") }} of the prompts,
# the best induction head in {{ result("heads.stable_induction", ".0%") }}, over the model's own texts and random rows together.
# Where all heads are near chance, the winner is a matter of luck: {{ result("heads.stable_duplicate", ".0%") }} for *duplicate* in
# *Fairytale*, {{ result("heads.stable_world", ".0%") }} for *induction* in *World*. On repeated random tokens *World*'s best
# induction score is {{ result("heads.induction_world_twice", ".2f") }}, about chance, although it repeats songs without fault.
# [A stranger's heads](27_stranger.md) asks whether names hold in a model that is not ours.
#
# - Finding: [A head of layer 0 is often a clock](../findings/heads-clock-often.md)
# - Superseded: [The head that World misses most is a clock](../findings/heads-clock.md)
# - Finding: [Zero ablation depends on constants that the model does not](../findings/heads-zero-depends-on-constants.md)
# - Surprise: [A head made to do one thing scores two thirds](../surprises/heads-planted-score.md)
# - Dead end: [Ranking heads by where they look](../dead-ends/heads-ranking-by-looking.md)
# - Question: [Who reads the clock?](../questions/heads-who-reads-the-clock.md)
# - Olsson et al. (2022), [In-context learning and induction heads](https://arxiv.org/abs/2209.11895)
# - Chan et al. (2022), [Causal scrubbing](https://www.alignmentforum.org/posts/JvZhhzycHu2Yd57RN/causal-scrubbing-a-method-for-rigorously-testing)
# - McGrath et al. (2023), [The Hydra effect: emergent self-repair in language model computations](https://arxiv.org/abs/2307.15771)
# - Voita et al. (2019), [Analyzing multi-head self-attention](https://arxiv.org/abs/1905.09418)

# %% tags=["setup"]
in_words(
    trainings="Trainings of World",
    clocks="Trainings in which the head of the first layer that is listened to most is a clock",
    clock_most_missed="Trainings in which a clock is the head missed most by the mean",
    songs_by_top="Trainings in which songs need the head with the highest induction score",
    partly_place="Cost by the mean at the same place of the head that is least of a clock, in nats",
    partly_mean="Its cost by the mean, in nats",
    gain_whole="Fairytale: gain when random tokens come again, in nats",
    most_missed_differ="Different heads missed most, by four ablations",
    rho_best_most="Best rank correlation of a score with what is lost, most of five trainings",
    rho_best_least="The same, least of five trainings",
    trainings_above_bar="Trainings in which it exceeds what one random order in twenty does",
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
