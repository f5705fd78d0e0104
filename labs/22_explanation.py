# ---
# title: Is attention an explanation?
# question: Does the attention that a word gets tell how much it matters for the answer?
# level: intermediate
# minutes: 15
# models: [world]
# needs: [03_attention]
# tags: [attention, causality, methods]
# chapter: Who does it
# thumbnail: waypoint
# timeout: 500
# ---

# %% [markdown]
# Pictures of attention are read as explanations: the model said *Leo* because it looked at *Leo*. In `world` we wrote the grammar, so we know
# which word decides an answer. We compare three things for tens of thousands of pairs of words: how much attention is paid, what happens
# when just this look is cut, and what the grammar says.

# %% tags=["setup"]
from itertools import pairwise, product

import numpy as np
import torch

import llmnotes
from llmnotes.lab import figure, in_words, plots, predict, within
from llmnotes.model import cut_edges, edit, parts, read_out, trace
from llmnotes.patching.propagate import Entry, base_run, propagate
from llmnotes.world import IDS, VOCABULARY, held_out, rivals, word_ids
from llmnotes.world.lexicon import NOUNS, listed

BLUE, ORANGE, GREEN, *_ = plots.COLOURS
torch.set_grad_enabled(False)
TIES = "ranks of edges that do next to nothing may change places"
FEW = "one or two of ten places may turn"
SMOOTH = "a smooth function of fixed texts"
note = within(atol=0.03, because=SMOOTH)

# %% [markdown]
# ## What you need to know
#
# **An edge** is one look of one head: from the word that looks to a word before it, with a weight between 0 and 1. We take the edges of the
# last word before an answer, in all 16 heads.
#
# **To cut an edge** is to set its weight to 0 and let the head's other weights sum to 1 again. Its *effect* is the change of the answer,
# up or down, and there are two ways to measure that. The *loss* of the right word asks what the model says in the end. The *log-odds* of what
# is right against its rivals (the right number of the verb against the wrong one, *he* against *she*, the right name against all other
# words) also move when the model stays as good as sure. `llmnotes.model.interventions.cut_edges` cuts edges; we cut each of them once with
# `llmnotes.patching.propagate`.
#
# **Value-weighted norms** ([Kobayashi et al. 2020](https://arxiv.org/abs/2004.10102)): a head may look hard at a word of which it brings
# nothing. So take the length of what it brings from there, weight times value times output matrix.
#
# **The answer key.** For six rules the grammar names the word that decides. We take ten places of each, only such where no other
# word can give the answer away: attractors have the other number, songs are in their second verse, the person or town was named once.


# %%
def deciding(story, i):
    """Where the word stands that decides word i, if it is the only one that can."""
    rule, words = story[i].rule, [token.word for token in story[:i]]
    if rule in ("agreement_1", "agreement_2"):  # each attractor adds three words
        head, *others = range(i - 1 - 3 * int(rule[-1]), i, 3)
        number = words[head] in NOUNS
        return head if all((words[j] in NOUNS) != number for j in others) else None
    if rule == "list":
        first, second = [j for j, word in enumerate(words) if word in ":;"][-2:]
        return first + i - second if words[first] == ":" else None
    if rule == "indirect_object":
        return i - 1 - words[::-1].index(story[i].word)
    if rule == "fact" and words[-1] == "the":
        return i - 4 if words.count(words[i - 4]) == 1 else None
    if rule not in ("fact", "pronoun"):
        return None
    who = story[i].referent or next(t.referent for t in story[i::-1] if t.referent)
    told = [j for j in range(i) if story[j].referent == who]  # names and pronouns
    return told[0] if len(told) == 1 else None


# %%
RULES = ("agreement_1", "agreement_2", "pronoun", "fact", "list", "indirect_object")
found, deal = {rule: [] for rule in RULES}, np.random.default_rng(0)
for story in held_out(seed=5, n=600):
    for rule in RULES:
        at = [i for i in range(20, min(len(story), 70)) if story[i].rule == rule]
        at = [i for i in at if deciding(story, i) is not None]
        if at and len(found[rule]) < 10:
            found[rule].append((story, int(deal.choice(at))))
PLACES = [(rule, *place) for rule in RULES for place in found[rule]]
KEY = np.array([deciding(story, i) for _, story, i in PLACES])
print(len(PLACES), "places, after", np.mean([i for *_, i in PLACES]), "words on average")

# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     *When Anna and Karl went to the river, Karl gave the ring to …* Which word will get most attention here, summed over all heads? And
#     if you cut one word out of all attention, which will change the answer most?
#
# Our own guesses, written before any run, with the loss as the measure. After a first look we kept only places with a single deciding word,
# and added the log-odds and the control.

# %%
ranks = (
    "Attention and effect of edges have a rank correlation above 0.3 (median over places)"
)
predict(ranks, 0.6, rho_loss="> 0.3")
better = "The rank correlation is higher for value-weighted norms than for attention"
predict(better, 0.75, rho_norm_gain="> 0")
idle = (
    "At least a quarter of the edges with over half of the attention cost under 0.01 nats"
)
predict(idle, 0.8, idle_loss=">= 0.25")
quiet = "Of the edges that cost over 0.1 nats a tenth or more get under 0.05 attention"
predict(quiet, 0.4, quiet_loss=">= 0.1")
late = "The rank correlation is higher in the last layer than in layer 0"
predict(late, 0.7, rho_late_gain="> 0")

# %% [markdown]
# And on the answer key, word by word, averaged over the six rules.

# %%
names = "Summed attention puts the deciding word first in more than half of the places"
predict(names, 0.45, key_attention="> 0.5")
cut_names = "Cutting a word from all heads of the last word does so in more than 70 %"
predict(cut_names, 0.5, key_cut_here="> 0.7")
norm_names = "Value-weighted norms name the deciding word more often than attention"
predict(norm_names, 0.6, key_norm_gain="> 0")
few = "That cut of the deciding word makes the answer wrong in most places of under 3 rules"
predict(few, 0.6, rules_broken="< 3")

# %% [markdown]
# ## Every edge cut once
#
# For each place, layer, head and earlier word: the weight, the norm, and the effect on the right answer. The control is the effect of
# the same cut **on a word drawn at random** from the vocabulary. Nobody would say that attention explains that.

# %% tags=["idea"]
world = llmnotes.load("world")
blocks = parts(world).blocks


def groups(rule, word):
    """Which of all words are right, and which are rivals: two masks over the vocabulary."""
    right, *others = rivals(rule, word)
    masks = torch.zeros(2, len(VOCABULARY), dtype=torch.bool)
    masks[0, word_ids(right)] = True
    masks[1, word_ids(set().union(*others))] = True
    return masks


def measures(logits, word, masks):
    """The loss of the right word, and the log-odds of what is right against its rivals, in nats."""
    right, wrong = (logits[..., mask].logsumexp(-1) for mask in masks)
    return torch.stack([-logits.log_softmax(-1)[..., word], right - wrong])


# %%
def cut_each(ids, word, masks, drawn):
    """Of each edge of the last word: weight, norm, and three effects: (5, layer, head, key)."""
    base, seen = base_run(world, ids[None]), trace(world, ids[None], ["pattern", "v"])
    q, before, found = len(ids) - 1, read_out(base.parts, base.resid[-1][-1]), []
    for layer, block in enumerate(blocks):
        weight = seen["pattern", layer][0, :, q, :, None]  # (head, key, 1)
        brings = weight * torch.einsum("khd,hdm->hkm", seen["v", layer][0], block.w_o)
        all_of_it = brings.sum(1, keepdim=True)
        change = (all_of_it - brings) / (1 - weight).clamp(min=1e-6) - all_of_it
        stream = (base.mid[layer][q] + change).flatten(0, 1)
        row, at = torch.arange(len(stream)), torch.full((len(stream),), q)
        logits = propagate(base, [Entry(layer, True, row, at, stream)], at=[q])[0][:, 0]
        effects = measures(logits, word, masks) - measures(before, word, masks)[:, None]
        other = (logits.log_softmax(-1) - before.log_softmax(-1))[:, drawn]
        three = torch.stack([*effects, other]).abs().unflatten(1, weight.shape[:2])
        found.append(torch.stack([weight[..., 0], brings.norm(dim=-1), *three]))
    return torch.stack(found, dim=1).numpy()


# %%
TEXTS = [word_ids(token.word for token in story[:i]) for _, story, i in PLACES]
ANSWERS = [IDS[story[i].word] for _, story, i in PLACES]
MASKS = [groups(rule, story[i].word) for rule, story, i in PLACES]
DRAWN = deal.integers(len(VOCABULARY), size=len(PLACES)).tolist()
EDGES = list(map(cut_each, TEXTS, ANSWERS, MASKS, DRAWN))

# %% [markdown]
# The rank correlations, within each place, and the two kinds of disagreement.


# %% tags=["idea"]
def rho(one, two):
    """The rank correlation of two lists."""
    return np.corrcoef([np.argsort(np.argsort(np.ravel(x))) for x in (one, two)])[0, 1]


def over_places(one, two, layers=slice(None)):
    return np.median([rho(e[one, layers], e[two, layers]) for e in EDGES])


WEIGHT, NORM, LOSS, ODDS, DRAWN_LOSS = range(5)
measured = {"loss": LOSS, "odds": ODDS, "drawn": DRAWN_LOSS}
rhos = {name: over_places(WEIGHT, row) for name, row in measured.items()}

# %%
ties = within(atol=0.03, because=TIES)
ties(rho_loss=rhos["loss"], rho_odds=rhos["odds"], rho_drawn=rhos["drawn"])
ties(atol=0.005, rho_norm_gain=over_places(NORM, LOSS) - rhos["loss"])
layers = [over_places(WEIGHT, LOSS, [layer]) for layer in range(world.n_layers)]
ties(atol=0.08, rho_late_gain=layers[-1] - layers[0])

# %%
flat = np.concatenate([edges.reshape(5, -1) for edges in EDGES], axis=1)
weight, norm, loss, odds, drawn = flat
big = weight > 0.5
note(edges=len(weight))
note(atol=2, because="weights near one half", big=big.sum())
note(
    idle_loss=(loss[big] < 0.01).mean(),
    quiet_loss=(weight[loss > 0.1] < 0.05).mean(),
    idle_odds=(odds[big] < 0.01).mean(),
    quiet_odds=(weight[odds > 0.1] < 0.05).mean(),
)
of_clock = np.concatenate([np.arange(e[0].size) // e.shape[3] == 3 for e in EDGES])  # L0H3
quiet = (odds > 0.1) & (weight < 0.05)
note(quiet_of_clock=of_clock[quiet].mean())
bright = weight > 0.1
ties(
    bright_weight=rho(weight[bright], odds[bright]),
    bright_norm=rho(norm[bright], odds[bright]),
    bright_drawn=rho(weight[bright], drawn[bright]),
)

# %% [markdown]
# The clearest cases of either kind: the brightest edges without a loss, and the largest moves of the log-odds by dim ones.

# %%
place_of = np.repeat(np.arange(len(EDGES)), [e[0].size for e in EDGES])
index_of = np.concatenate([np.arange(e[0].size) for e in EDGES])
bright_idle, dim_felt = weight * (loss < 0.01), odds * (weight < 0.05)
for i in (*np.argsort(-bright_idle)[:3], *np.argsort(-dim_felt)[:3]):
    rule, story, _ = PLACES[k := place_of[i]]
    layer, head, key = np.unravel_index(index_of[i], EDGES[k].shape[1:])
    look = f"L{layer}H{head} at {story[key].word!r} ({rule})"
    print(f"{look:40} weight {weight[i]:.2f} loss {loss[i]:.3f} log-odds {odds[i]:.2f}")

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 3, height=2.9, sharey=True)
ends = 10.0 ** np.arange(-4, 0.01, 0.5)
middle = np.sqrt(ends[1:] * ends[:-1])
titles = (
    (odds, BLUE, "Log-odds"),
    (loss, GREEN, "Loss"),
    (drawn, ORANGE, "Control: drawn word"),
)
for ax, (values, colour, title) in zip(axes, titles, strict=True):
    bins = [values[(weight > a) & (weight <= b)] for a, b in pairwise(ends)]
    spread = [np.quantile(of, (0.1, 0.5, 0.9)).clip(1e-7) for of in bins]
    low, mid, high = np.transpose(spread)
    ax.fill_between(middle, low, high, color=colour, alpha=0.25, lw=0)
    ax.loglog(middle, mid, "o-", color=colour, ms=4)
    ax.set(xlabel="attention weight", ylim=(1e-7, 10), xticks=[1e-3, 1e-1])
    ax.set_title(title, fontsize=11)
axes[0].set_ylabel("effect of the cut (nats)")
ALT = """The effect of a cut grows with the weight cut, over several powers of ten: the log-odds of the answer as straight as the loss of a word
drawn at random. The loss of the answer is far smaller and spreads over many powers of ten."""
CAPTION = "Median and the middle 80 % of the edges with about that weight."
figure(fig, name="edges", alt=ALT, caption=CAPTION, rtol=0.05, because=TIES)

# %% [markdown]
# Attention and effect agree: the rank correlation is {{ result("explanation.rho_loss", ".2f") }} by the loss and
# {{ result("explanation.rho_odds", ".2f") }} by the log-odds. That would be good news, but **with a word drawn at random it is
# {{ result("explanation.rho_drawn", ".2f") }}**. Who looks hard can move much, wherever it goes: the agreement is arithmetic and no
# explanation. Norms add {{ result("explanation.rho_norm_gain", ".3f") }} to the first number; the last layer has
# {{ result("explanation.rho_late_gain", ".2f") }} more than layer 0. Among edges with more than a tenth of the attention it is {{ result("explanation.bright_weight", ".2f") }} (drawn word:
# {{ result("explanation.bright_drawn", ".2f") }}). There norms are the better guide ({{ result("explanation.bright_norm", ".2f") }}), and one backward pass is better than both: its slope
# along each cut has {{ result("explanation.guide_slope", ".2f") }} (exercise 2; attention by the same count
# {{ result("explanation.guide_attention", ".2f") }}).
#
# And how many bright edges do nothing? Of {{ result("explanation.big") }} with more than half of a head's attention
# {{ result("explanation.idle_loss", ".0%") }} cost less than 0.01 nats of loss, but only {{ result("explanation.idle_odds", ".0%") }} move the
# log-odds by less than that. The model is sure, and most single cuts leave it sure. **The answer depends on the measure**; who
# reports only one of them can claim either.
#
# The reverse, an effect of more than 0.1 nats without attention (under 0.05), does not occur in loss
# ({{ result("explanation.quiet_loss", ".0%") }}). In log-odds it is {{ result("explanation.quiet_odds", ".0%") }} of all such effects, and
# {{ result("explanation.quiet_of_clock", ".0%") }} of these come from one head, L0H3, which looks at all words alike.
# [Lab 21](21_heads.md) found that it works as a clock.
#
# Head by head: the bright edges, and how many of them cost nothing.

# %% tags=["drawing"]
heads = list(product(range(4), range(4)))
counts = [sum((e[WEIGHT][head] > 0.5).sum() for e in EDGES) for head in heads]
idle = [
    sum(((e[WEIGHT] > 0.5) & (e[LOSS] < 0.01))[head].sum() for e in EDGES) for head in heads
]
labels = ["L{}H{}".format(*head) for head in heads]
fig, ax = plots.subplots(height=2.6)
ax.bar(labels, counts, color=BLUE, label="cost at least 0.01 nats of loss")
ax.bar(labels, idle, color=plots.MUTED, label="cost less")
ax.set(ylabel="edges with weight\nabove one half")
ax.tick_params(axis="x", rotation=60, labelsize=9.5)
ax.legend(loc="upper left", fontsize=9.5)
ALT = """Most bright edges belong to heads of the last two layers. In most heads more than half of them cost nothing; in L3H3 and L2H3 less
than half."""
CAPTION = "All 60 places."
figure(fig, name="heads", alt=ALT, caption=CAPTION, rtol=0.03, because=SMOOTH)

# %% [markdown]
# ## The answer key
#
# Now word by word. Which earlier word comes first by summed attention, by summed norms, or by summed effects of single edges? And two
# larger cuts: a word cut from **all heads of the last word** at once; and **everywhere**, from all heads of all later words, so that what it says cannot
# leave its place.


# %%
def cut_words(ids, word, masks):
    """The harm in both measures when a word is cut, here or everywhere: (2, 2, word)."""
    n, rows = len(ids), torch.arange(len(ids) - 1)
    here, everywhere = (torch.ones(n - 1, 1, n, n) for _ in range(2))
    here[rows, 0, -1, rows] = 0
    everywhere[rows, 0, :, rows] = 0
    everywhere[:, :, range(n), range(n)] = 1  # a word still sees itself
    before, found = measures(world.model(ids[None]).logits[0, -1], word, masks), []
    for keep in (here, everywhere):

        def without(rows, at, keep=keep):
            return rows * keep / (rows * keep).sum(-1, keepdim=True)

        with edit(world, "pattern", None, without):
            logits = world.model(ids.expand(n - 1, -1)).logits[:, -1]
        loss, odds = measures(logits, word, masks) - before[:, None]
        found.append(torch.stack([loss, -odds]))  # above 0: the cut does harm
    return torch.stack(found).numpy(), before[1].item()


# %%
WORDS, BEFORE = zip(*map(cut_words, TEXTS, ANSWERS, MASKS), strict=True)
sums = [edges.sum((1, 2))[:, :-1] for edges in EDGES]  # (measure, word)
rows = {"attention": WEIGHT, "norm": NORM, "edges": ODDS}
guides = {name: [of[row] for of in sums] for name, row in rows.items()}
guides["cut_here"] = [cuts[0, 0] for cuts in WORDS]
guides["everywhere"] = [cuts[1, 1] for cuts in WORDS]

# %%
tops = {name: np.array([guide.argmax() for guide in of]) for name, of in guides.items()}
first = {name: (top == KEY).astype(float) for name, top in tops.items()}
first["chance"] = np.array([1 / (len(ids) - 1) for ids in TEXTS])
by_rule = {name: hits.reshape(len(RULES), -1).mean(1) for name, hits in first.items()}

# %%
right_first = {name: hits.mean() for name, hits in first.items()}
few = within(atol=0.034, because=FEW)
few(
    key_attention=right_first["attention"],
    key_norm=right_first["norm"],
    key_edges=right_first["edges"],
    key_cut_here=right_first["cut_here"],
    key_everywhere=right_first["everywhere"],
    key_chance=right_first["chance"],
)
gain = first["norm"].mean() - first["attention"].mean()
note(atol=0.005, because="one place is 0.017", key_norm_gain=gain)

# %% [markdown]
# And in how many rules does the answer become wrong when the deciding word is cut from the last one? Then some numbers by rule.

# %%
marks = zip(WORDS, KEY, BEFORE, strict=True)
wrong = np.array([cuts[0, 1][key] > before for cuts, key, before in marks])
note(rules_broken=(wrong.reshape(len(RULES), -1).mean(1) > 0.5).sum())
attention, cut_here, everywhere = (
    dict(zip(RULES, by_rule[name], strict=True))
    for name in ("attention", "cut_here", "everywhere")
)
few(
    atol=0.1,
    fact_attention=attention["fact"],
    fact_cut_here=cut_here["fact"],
    fact_everywhere=everywhere["fact"],
    agreement_2_attention=attention["agreement_2"],
    agreement_2_cut_here=cut_here["agreement_2"],
    agreement_2_everywhere=everywhere["agreement_2"],
    indirect_object_attention=attention["indirect_object"],
    indirect_object_cut_here=cut_here["indirect_object"],
    indirect_object_everywhere=everywhere["indirect_object"],
)

# %% tags=["drawing"]
names = {
    "attention": "attention, summed",
    "norm": "norms, summed",
    "edges": "single edges, summed (log-odds)",
}
names |= {
    "cut_here": "word cut from the last word (loss)",
    "everywhere": "word cut everywhere (log-odds)",
}
names |= {"chance": "control: any word"}
table = np.array([by_rule[name] for name in names])
fig, ax = plots.subplots(height=2.9)
ax.imshow(table, aspect="auto", vmin=0, vmax=1.6)
ax.grid(visible=False)
ax.set_yticks(range(len(names)), names.values())
ax.set_xticks(range(6), [rule.replace("_", "\n") for rule in RULES], fontsize=9.5)
for (row, column), value in np.ndenumerate(table):
    ax.text(column, row, f"{100 * value:.0f}", ha="center", va="center")
ax.set_title("The deciding word comes first (% of places)", loc="right")
ALT = """Attention puts the deciding word first in most places for agreement over one noun, pronouns and facts, in half for lists, and never for
agreement over two nouns and the indirect object. Only a cut everywhere finds the indirect object."""
figure(fig, name="key", alt=ALT, caption="Ten places a rule.", rtol=0.07, because=FEW)

# %% [markdown]
# The truth is a hard exam. Attention puts the deciding word first in {{ result("explanation.key_attention", ".0%") }} of the places, norms in
# {{ result("explanation.key_norm", ".0%") }}, one place more; the word cut from the last word in {{ result("explanation.key_cut_here", ".0%") }}
# (chance {{ result("explanation.key_chance", ".0%") }}). For facts attention is right in {{ result("explanation.fact_attention", ".0%") }}; for
# agreement over two nouns in {{ result("explanation.agreement_2_attention", ".0%") }}, though the cut finds it in
# {{ result("explanation.agreement_2_cut_here", ".0%") }}: what gets most attention are the two prepositions. No method wins everywhere. Even cutting
# a word *everywhere*, which leaves nothing of it but itself, puts it first in {{ result("explanation.key_everywhere", ".0%") }}. And the cut
# from the last word makes most answers wrong in {{ result("explanation.rules_broken") }} of the six rules.
#
# ## The comma that holds the answer
#
# For the indirect object attention is right in {{ result("explanation.indirect_object_attention", ".0%") }} of the places, and so is the cut from
# the last word ({{ result("explanation.indirect_object_cut_here", ".0%") }}); cut everywhere, the name comes first in
# {{ result("explanation.indirect_object_everywhere", ".0%") }}. All these sentences have the same form, so we can average them word by word.

# %%
FORM = listed("when NAME and NAME went to the PLACE , GIVER gave|got the THING")
rows = []
for k in range(50, 60):
    start = len(TEXTS[k]) - 14  # the last of 14 words is "to" or "from"
    order = np.arange(start, start + 13)
    if KEY[k] == start + 3:  # the other name comes first: let the two change places
        order[[1, 3]] = order[[3, 1]]
    harm = [WORDS[k][place, 1][order] for place in (0, 1)]
    rows.append([sums[k][WEIGHT][order], *harm])
looks, here, everywhere = np.mean(rows, axis=0)
comma, name = 8, 1  # where they stand in the form
note(atol=0.2, unit="of 16 heads", comma_attention=looks[comma], name_attention=looks[name])
note(atol=0.15, unit="nats", comma_here=here[comma], name_here=here[name])
note(
    rtol=0.1,
    unit="nats",
    comma_everywhere=everywhere[comma],
    name_everywhere=everywhere[name],
)

# %% tags=["drawing"]
FORM[1], FORM[3] = "ANSWER", "other"
fig, axes = plots.subplots(1, 3, height=3.3, sharey=True)
titles = "Attention, summed", "Cut from the last word", "Cut everywhere"
for ax, values, title, colour in zip(
    axes, (looks, here, everywhere), titles, (BLUE, GREEN, ORANGE), strict=True
):
    ax.barh(range(13), values, color=colour)
    ax.set_title(title, fontsize=10.5)
    ax.axvline(0, color=plots.MUTED, lw=1)
axes[0].set_yticks(range(13), FORM)
axes[0].invert_yaxis()
axes[0].set_xlabel("of 16 heads")
for ax in axes[1:]:
    ax.set_xlabel("log-odds lost (nats)")
ALT = """The comma gets most attention, the name that is the answer hardly any. Cut from the last word alone, the comma costs most, the giver's
name next, and all else nothing. Cut everywhere, the name that is the answer costs most and the comma next."""
CAPTION = "Ten sentences: when Anna and Karl went to the river, Karl gave the ring to … The names are swapped where the other comes first."
figure(fig, name="waypoint", alt=ALT, caption=CAPTION, rtol=0.03, because=SMOOTH)

# %% [markdown]
# **The comma** gets {{ result("explanation.comma_attention", ".1f") }} of 16 heads' attention, the name that is the answer
# {{ result("explanation.name_attention", ".1f") }}. And the last word does need the comma: cut from there it costs
# {{ result("explanation.comma_here", ".1f") }} nats of log-odds, the name {{ result("explanation.name_here", ".2f") }}. But cut everywhere the name
# costs {{ result("explanation.name_everywhere", ".1f") }}. The names have been carried to the comma and are read from there, with the giver's to tell which it is not.
# So attention is right about the last hop, and the last hop is no explanation: nobody gives a ring to a comma.
#
# ## What surprised us
#
# - Attention tells as much about a word drawn at random as about the answer.
# - Most bright edges "do nothing", or nearly all do something: the same cuts, two usual measures.
# - Who gets the ring is read off a comma.
#
# ## Try it yourself
#
# **1. One edge by hand** (beginner, 5 minutes). Take the first place with a fact. Cut the edge from the last word to the deciding one in
# L2H3 with `cut_edges`, and compare with `EDGES`.
#
# ??? tip "Hint"
#     `measures(logits, ANSWERS[k], MASKS[k])` before and after. The effects in `EDGES` have no sign.

# %% tags=["solution"]
k = RULES.index("fact") * 10
ids, edge = TEXTS[k][None], (len(TEXTS[k]) - 1, int(KEY[k]))
before = measures(world.model(ids).logits[0, -1], ANSWERS[k], MASKS[k])
with cut_edges(world, 2, heads=[3], edges=[edge]):
    after = measures(world.model(ids).logits[0, -1], ANSWERS[k], MASKS[k])
mine, stored = (
    (after - before).abs(),
    torch.tensor(EDGES[k][LOSS : ODDS + 1, 2, 3, edge[1]]),
)
assert torch.allclose(mine, stored, atol=1e-3), (
    f"{mine} and {stored}: the same edge, layer and head?"
)

# %% [markdown]
# **2. A fairer guide** (advanced, 15 minutes). The slope of the log-odds along each edge's `change` costs one backward pass for all edges. Does it
# rank the bright edges (weight above 0.1) of one place better than attention?
#
# ??? tip "Hint"
#     `trace(..., ["attn_out", "logits"], grad=True)` and `torch.autograd.grad`; `change` is computed as in `cut_each`.

# %% tags=["solution"]
scores = {"slope": [], "attention": []}
w_o = torch.stack([block.w_o for block in blocks])  # (layer, head, d_head, d_model)
for k in range(0, 60, 4):
    ids, edges = TEXTS[k][None], EDGES[k]
    with torch.enable_grad():
        seen = trace(world, ids, ["attn_out", "pattern", "v", "logits"], grad=True)
        value = measures(seen["logits"][0, -1], ANSWERS[k], MASKS[k])[1]
        slopes = torch.autograd.grad(value, [seen["attn_out", at] for at in range(4)])
    slopes = torch.stack([slope[0, -1] for slope in slopes])  # (layer, d_model)
    weight = seen.stack("pattern")[:, 0, :, -1, :, None]  # (layer, head, key, 1)
    brings = weight * torch.einsum("lkhd,lhdm->lhkm", seen.stack("v")[:, 0], w_o)
    total = brings.sum(2, keepdim=True)
    change = (total - brings) / (1 - weight).clamp(min=1e-6) - total
    slope = torch.einsum("lhkm,lm->lhk", change, slopes).detach().abs().numpy()
    some = edges[WEIGHT] > 0.1
    for name, guide in (("slope", slope), ("attention", edges[WEIGHT])):
        scores[name].append(rho(guide[some], edges[ODDS][some]))
slope, attention = (np.median(values) for values in scores.values())
ties(atol=0.05, guide_slope=slope, guide_attention=attention)
assert slope > attention, scores

# %% [markdown]
# ## What this does not show
#
# - One model of one language, sixty places. Sixty others gave much the same; a large model with many ways around need not.
# - The key is the grammar's, not the model's: a model may rightly read a number from *near*, if *near* has it from *cats*.
# - Edges are cut one at a time. Two that stand in for each other both look idle.
# - We looked at the last word only. Attention *rollout* and attribution through all layers try to mend that; we did not test them.
#
# ## Links
#
# - Before this: [A zoo of heads](21_heads.md)
# - Finding: [Attention agrees with the effect on any word](../findings/explanation-any-word.md)
# - Surprise: [The comma that holds the answer](../surprises/explanation-comma.md)
# - Dead end: [Counting bright edges that do nothing](../dead-ends/explanation-idle-edges.md)
# - Jain & Wallace (2019), [Attention is not explanation](https://arxiv.org/abs/1902.10186)
# - Wiegreffe & Pinter (2019), [Attention is not not explanation](https://arxiv.org/abs/1908.04626)
# - Kobayashi et al. (2020), [Attention is not only a weight](https://arxiv.org/abs/2004.10102)

# %% tags=["labels"]
in_words(
    rho_loss="Rank correlation of attention with what a cut edge does to the loss",
    rho_odds="Rank correlation of attention with what a cut edge does to the log-odds",
    rho_drawn="Rank correlation of attention with the effect on a word drawn at random",
    rho_norm_gain="Gain in rank correlation by value-weighted norms",
    rho_late_gain="Rank correlation in the last layer minus in the first",
    edges="Edges cut",
    big="Edges with more than half of a head's attention",
    idle_loss="Of these, edges that cost less than 0.01 nats of loss",
    quiet_loss="Edges that cost over 0.1 nats of loss with under 0.05 attention",
    idle_odds="Of the big edges, those that move the log-odds by less than 0.01",
    quiet_odds="Edges that move the log-odds by over 0.1 with under 0.05 attention",
    quiet_of_clock="Of these, edges of one head, L0H3",
    bright_weight="Rank correlation among edges with over a tenth of the attention",
    bright_norm="The same for value-weighted norms",
    bright_drawn="The same for attention and a word drawn at random",
    key_attention="Deciding word put first by summed attention",
    key_norm="Deciding word put first by summed norms",
    key_edges="Deciding word put first by single edges, summed",
    key_cut_here="Deciding word put first by a cut from the last word",
    key_everywhere="Deciding word put first by a cut everywhere",
    key_chance="Deciding word put first by chance",
    key_norm_gain="Gain by norms over attention",
    rules_broken="Rules for which the cut makes most answers wrong, of six",
    fact_attention="Facts: deciding word first by attention",
    fact_cut_here="Facts: deciding word first by a cut from the last word",
    fact_everywhere="Facts: deciding word first by a cut everywhere",
    agreement_2_attention="Verb agrees, two nouns between: deciding word first by attention",
    agreement_2_cut_here="Verb agrees, two nouns between: by a cut from the last word",
    agreement_2_everywhere="Verb agrees, two nouns between: by a cut everywhere",
    indirect_object_attention="Indirect object: deciding word first by attention",
    indirect_object_cut_here="Indirect object: by a cut from the last word",
    indirect_object_everywhere="Indirect object: by a cut everywhere",
    comma_attention="Attention to the comma",
    comma_here="Log-odds lost when the comma is cut from the last word",
    comma_everywhere="Log-odds lost when the comma is cut everywhere",
    name_attention="Attention to the name that is the answer",
    name_here="Log-odds lost when the name is cut from the last word",
    name_everywhere="Log-odds lost when the name is cut everywhere",
    guide_slope="Rank correlation of the slope along each cut with its effect",
    guide_attention="The same for attention",
)
