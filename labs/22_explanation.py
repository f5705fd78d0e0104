# ---
# title: Is attention an explanation?
# question: Does the attention that a word gets tell how much it matters for the answer?
# answer: >-
#   No more than for any other word. The weight of a look and its effect on the answer have a rank correlation of {{ result("explanation.rho_odds", ".2f") }}.
#   With the effect on a word drawn at random it is {{ result("explanation.rho_drawn", ".2f") }}.
# chapter: Who does it
# level: intermediate
# minutes: 14
# models: [world]
# needs: [03_attention]
# tags: [attention, causality, methods]
# thumbnail: edge
# timeout: 500
# ---

# %% tags=["setup"]
from itertools import pairwise, product

import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.model import cut_edges, edit, parts, read_out, trace
from llmnotes.patching.propagate import Entry, base_run, propagate
from llmnotes.world import END, IDS, VOCABULARY, held_out, rivals, word_ids
from llmnotes.world.lexicon import NOUNS, listed
from llmnotes.world.names import PLAIN

BLUE, ORANGE, GREEN, *_ = plots.COLOURS
torch.set_grad_enabled(False)
TIES = "ranks of edges that do next to nothing may change places"
FEW = "one or two of ten places may turn"
SMOOTH = "a smooth function of fixed texts"
note = within(atol=0.03, because=SMOOTH)
world = llmnotes.load("world")
blocks = parts(world).blocks

# %% [markdown]
# ## A case you can hold: “… Karl gave the ring to ▢”
#
# *When Anna and Karl went to the river, Karl gave the ring to …* *World* says Anna, and it is right. Pictures of attention are
# often read as explanations of such answers: the model said *Anna* because it looked at *Anna*. Where does the last word look?

# %% tags=["idea"]
CASE = "when Anna and Karl went to the river , Karl gave the ring to"
words = [END, *CASE.split()]
seen = trace(world, " ".join(words), ["pattern", "logits"])
print("answer:", VOCABULARY[seen["logits"][0, -1].argmax()])
looks = seen.stack("pattern")[:, 0, :, -1].sum((0, 1))  # (word,), over 16 heads
for at in looks.argsort(descending=True)[:4]:
    print(f"{looks[at]:5.2f} of 16 heads look at {words[at]!r}")

# %% [markdown]
# Most attention goes to a comma. Does the comma decide who gets the ring? To find out, we need a measure other than looking.
#
# ## An edge is one look, and it can be cut
#
# {{ drawing("one-head", alt="One head: the query of a word meets the keys of the words before it; scores become weights; weighted values are added and written back to the residual stream.") }}
#
# An *edge* is one look of one head: from the word that looks to one word before it, with a weight $a_k$ between 0 and 1. The head
# adds up what it finds at all words $k$:
#
# $$
# \mathrm{head} = \sum_k a_k\, \v{v_k} W_O \qquad \text{without edge } j: \quad \sum_{k \ne j} \frac{a_k}{1 - a_j}\, \v{v_k} W_O
# $$
#
# $\v{v_k}$ is the value at word $k$ and $W_O$ the head's output matrix. To *cut* edge $j$, we set its weight to 0 and rescale the
# other weights so that they sum to 1 again. The *effect* of the cut is how far the answer moves. We measure it in the *log-odds* of
# the right word against its rivals, here of Anna against all other names, in nats.


# %% tags=["idea"]
def measures(logits, word, masks):
    """The loss of the right word, and the log-odds of what is right against its rivals, in nats."""
    right, wrong = (logits[..., mask].logsumexp(-1) for mask in masks)
    return torch.stack([-logits.log_softmax(-1)[..., word], right - wrong])


# %% tags=["setup"]
def cut_each(ids, word, masks, drawn, model=world):
    """Of each edge of the last word: weight, norm, and three effects: (5, layer, head, key)."""
    base, seen = base_run(model, ids[None]), trace(model, ids[None], ["pattern", "v"])
    q, before, found = len(ids) - 1, read_out(base.parts, base.resid[-1][-1]), []
    for layer, block in enumerate(parts(model).blocks):
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


# %% tags=["setup"]
def groups(rule, word):
    """Which of all words are right, and which are rivals: two masks over the vocabulary."""
    right, *others = rivals(rule, word)
    masks = torch.zeros(2, len(VOCABULARY), dtype=torch.bool)
    masks[0, word_ids(right)] = True
    masks[1, word_ids(set().union(*others))] = True
    return masks


drawn_word = IDS["bridge"]
of_case = cut_each(
    word_ids(words), IDS["Anna"], groups("indirect_object", "Anna"), drawn_word
)
weight_of, _, _, effect_of, control_of = of_case
bright = np.unravel_index((effect_of * (weight_of < 0.7)).argmax(), effect_of.shape)
head_of = bright[:2]

# %% tags=["drawing"]
shown = [weight_of[head_of], effect_of[head_of], control_of[head_of]]
titles = "Weight", "Effect on the answer", "Control: another word"
fig, axes = plots.subplots(1, 3, height=3.9, sharey=True)
for ax, values, title, colour in zip(
    axes, shown, titles, (BLUE, GREEN, ORANGE), strict=True
):
    ax.barh(range(len(words)), values, color=colour, height=0.65)
    ax.barh(bright[2], values[bright[2]], color=colour, height=0.65, ec=plots.INK, lw=1.5)
    ax.text(values[bright[2]], bright[2], f" {values[bright[2]]:.2f}", va="center")
    ax.set(title=title, xlim=(0, 1.35 * values.max()))
    ax.grid(axis="y", visible=False)
axes[0].set_yticks(range(len(words)), [word.replace(END, "(start)") for word in words])
axes[0].invert_yaxis()
axes[0].set_xlabel("share of attention")
for ax in axes[1:]:
    ax.set_xlabel("moves by (nats)")
figure(
    fig,
    name="edge",
    alt="Three bar charts over the words of the sentence for one head. Its weight, the effect of cutting each edge on the answer, and the effect on an unrelated word "
    "have nearly the same shape: the brightest edge moves both most.",
    caption=f"The edges of one head, L{head_of[0]}H{head_of[1]}, from the last word. Outlined: its edge whose cut moves the answer most. Control: the word “bridge”.",
    title="One edge cut: its effect beside its weight",
    data={"case": np.array(shown)},
    rtol=0.05,
    because=SMOOTH,
)
note(
    atol=0.05,
    case_weight=shown[0][bright[2]],
    case_effect=shown[1][bright[2]],
    case_control=shown[2][bright[2]],
)

# %% [markdown]
# Here we cut one edge of one head at a time. Where the weight is large, the effect is large. That looks like an explanation.
#
# ```exercise
# title: Cut one edge
# minutes: 3
# code: |
#   a = a.clone()        # the weights of one head at the last word, which sum to 1
#   a[j] = 0
#   a = a / ▢
# right: ["a.sum()", "sum(a)", "(1 - old)", "a.sum(-1)", "a.sum(0)"]
# praise: "The other weights sum to 1 again, as softmax would have them without word j."
# wrong:
#   "a[j]": "That is 0 now. What do the other weights sum to?"
#   "len(a)": "The number of words is not what the weights sum to."
# otherwise: "The weights must sum to 1 again. What do they sum to now?"
# solution: "`a.sum()`: one minus the weight that was cut."
# ```
#
# ## Your prediction
#
# We take 60 *places*: words of stories that one of six rules decides. At each we cut every edge of the word before it once, in all
# 16 heads. Over these edges, weight and effect on the right answer agree well: their rank correlation is far above one half. As a
# control we measure the effect of the same cuts on **a word drawn at random from the vocabulary**. Nobody would say that attention
# explains such a word.

# %%
ask(
    "How well do the weights agree with the effect on a word drawn at random?",
    choices={
        "not": "Not at all: the heads look for the answer, and that word is not it",
        "half": "About half as well: some of the effect is general, some about the answer",
        "same": "Just as well",
    },
    answer="same",
    because={
        "not": "It would be so if heads wrote about the answer alone. A head that brings much moves every logit.",
        "half": "A fair guess if part of each head's output were about the answer. But ranks see size, and size comes from the weight.",
        "same": "Weights span many powers of ten. A cut moves the output by about as much as there was weight, whatever it is about.",
    },
    figure="edges",
    rho_drawn="> 0.8",
)
# Written before any run, with the loss as the measure. After a first look we kept only places with a single deciding word,
# and added the log-odds and the control.
predict(
    "Attention and effect of edges have a rank correlation above 0.3 (median over places)",
    0.6,
    rho_loss="> 0.3",
)
predict(
    "The rank correlation is higher for value-weighted norms than for attention",
    0.75,
    rho_norm_gain="> 0",
)
predict(
    "At least a quarter of the edges with over half of the attention cost under 0.01 nats",
    0.8,
    idle_loss=">= 0.25",
)
predict(
    "Of the edges that cost over 0.1 nats a tenth or more get under 0.05 attention",
    0.4,
    quiet_loss=">= 0.1",
)
predict(
    "The rank correlation is higher in the last layer than in layer 0",
    0.7,
    rho_late_gain="> 0",
)
predict(
    "Summed attention puts the deciding word first in more than half of the places",
    0.45,
    key_attention="> 0.5",
)
predict(
    "Cutting a word from all heads of the last word does so in more than 70%",
    0.5,
    key_cut_here="> 0.7",
)
predict(
    "Value-weighted norms name the deciding word more often than attention",
    0.6,
    key_norm_gain="> 0",
)
predict(
    "That cut of the deciding word makes the answer wrong in most places of under 3 rules",
    0.6,
    rules_broken="< 3",
)

# %% [markdown]
# ## Attention agrees with the effect on any word


# %% tags=["setup"]
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


# %% tags=["setup"]
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

# %% tags=["setup"]
TEXTS = [word_ids(token.word for token in story[:i]) for _, story, i in PLACES]
ANSWERS = [IDS[story[i].word] for _, story, i in PLACES]
MASKS = [groups(rule, story[i].word) for rule, story, i in PLACES]
DRAWN = deal.integers(len(VOCABULARY), size=len(PLACES)).tolist()
EDGES = list(map(cut_each, TEXTS, ANSWERS, MASKS, DRAWN))


# %% tags=["setup"]
def rho(one, two):
    """The rank correlation of two lists."""
    return np.corrcoef([np.argsort(np.argsort(np.ravel(x))) for x in (one, two)])[0, 1]


def over_places(one, two, layers=slice(None), edges=EDGES):
    return np.median([rho(e[one, layers], e[two, layers]) for e in edges])


WEIGHT, NORM, LOSS, ODDS, DRAWN_LOSS = range(5)
measured = {"loss": LOSS, "odds": ODDS, "drawn": DRAWN_LOSS}
rhos = {name: over_places(WEIGHT, row) for name, row in measured.items()}

# %% tags=["setup"]
ties = within(atol=0.03, because=TIES)
ties(rho_loss=rhos["loss"], rho_odds=rhos["odds"], rho_drawn=rhos["drawn"])
ties(
    atol=0.03,
    because="two rank correlations, each of which may move as far",
    rho_norm_gain=over_places(NORM, LOSS) - rhos["loss"],
)
layers = [over_places(WEIGHT, LOSS, [layer]) for layer in range(world.n_layers)]
ties(atol=0.08, rho_late_gain=layers[-1] - layers[0])

# %% tags=["setup"]
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

# %% tags=["setup"]
in_trainings = []  # of other seeds, at every third place
for seed in range(1, 5):
    model = llmnotes.load("world", seed=seed)
    some = zip(TEXTS[::3], ANSWERS[::3], MASKS[::3], DRAWN[::3], strict=True)
    edges = [cut_each(*place, model) for place in some]
    in_trainings.append(
        [over_places(WEIGHT, row, edges=edges) for row in (ODDS, DRAWN_LOSS)]
    )
in_trainings = np.array(in_trainings)
ties(
    seeds_odds_lowest=min(in_trainings[:, 0].min(), rhos["odds"]),
    seeds_odds_highest=max(in_trainings[:, 0].max(), rhos["odds"]),
    seeds_drawn_lowest=min(in_trainings[:, 1].min(), rhos["drawn"]),
    seeds_drawn_highest=max(in_trainings[:, 1].max(), rhos["drawn"]),
)
note(seeds=1 + len(in_trainings))

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=3.1, sharey=True)
ends = 10.0 ** np.arange(-4, 0.01, 0.5)
middle = np.sqrt(ends[1:] * ends[:-1])
titles = (
    (odds, BLUE, "On the answer"),
    (drawn, ORANGE, "Control: drawn word"),
)
for ax, (values, colour, title) in zip(axes, titles, strict=True):
    bins = [values[(weight > a) & (weight <= b)] for a, b in pairwise(ends)]
    spread = [np.quantile(of, (0.1, 0.5, 0.9)).clip(1e-7) for of in bins]
    low, mid, high = np.transpose(spread)
    ax.fill_between(middle, low, high, color=colour, alpha=0.25, lw=0)
    ax.loglog(middle, mid, "o-", color=colour, ms=4)
    ax.set(xlabel="attention weight", ylim=(1e-7, 10), xticks=[1e-3, 1e-1])
    ax.set(title=title)
axes[0].set_ylabel("effect of the cut (nats)")
ALT = """The effect of a cut grows with the weight cut, over several powers of ten: the log-odds of the answer as straight as the loss of a word
drawn at random."""
figure(
    fig,
    name="edges",
    alt=ALT,
    caption="Median and the middle 80% of the edges with about that weight. 60 places, both axes logarithmic.",
    title="The effect follows the weight, whatever the word",
    rtol=0.05,
    because=TIES,
)

# %% [markdown]
# Over {{ result("explanation.edges") }} edges, weight and effect on the right answer have a rank correlation of
# {{ result("explanation.rho_odds", ".2f") }} (median over places). With the effect on a word drawn at random it is
# {{ result("explanation.rho_drawn", ".2f") }}. Where a head looks hard, a cut moves much of the output, whatever the output is
# about. The agreement is arithmetic, not an explanation.
#
# *World* was trained {{ result("explanation.seeds") }} times from different seeds. The correlation with the answer lies between
# {{ result("explanation.seeds_odds_lowest", ".2f") }} and {{ result("explanation.seeds_odds_highest", ".2f") }} in all of them, the
# one with the drawn word between {{ result("explanation.seeds_drawn_lowest", ".2f") }} and
# {{ result("explanation.seeds_drawn_highest", ".2f") }}.
#
# ## How many bright edges do nothing? That depends on the measure
#
# Do strong looks ever do nothing? We call an edge *bright* if it has more than half of its head's attention. There are two usual
# measures of what its cut does. The *loss* of the right word asks what the model says in the end. The *log-odds* also move when the
# model stays as good as sure.

# %% tags=["drawing"]
heads = list(product(range(4), range(4)))
counts = [sum((e[WEIGHT][head] > 0.5).sum() for e in EDGES) for head in heads]
idle = [
    sum(((e[WEIGHT] > 0.5) & (e[LOSS] < 0.01))[head].sum() for e in EDGES) for head in heads
]
labels = ["L{}H{}".format(*head) for head in heads]
idle_odds = [
    sum(((e[WEIGHT] > 0.5) & (e[ODDS] < 0.01))[head].sum() for e in EDGES) for head in heads
]
fig, axes = plots.subplots(1, 2, height=2.9, sharey=True)
for ax, some, title in zip(
    axes, (idle, idle_odds), ("By the loss", "By the log-odds"), strict=True
):
    ax.bar(labels, counts, color=BLUE, label="moves by 0.01 nats or more")
    ax.bar(labels, some, color=plots.MUTED, label="moves by less")
    ax.set(title=title)
    ax.tick_params(axis="x", rotation=90, labelsize=9.5)
ax = axes[0]
ax.set(ylabel="bright edges")
fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
figure(
    fig,
    name="heads",
    alt="Most bright edges belong to heads of the last two layers. By the loss more than half of them do nothing in most heads; by the log-odds "
    "nearly all of them do something.",
    caption="Edges with more than half of a head's attention, 60 places. The same cuts in both panels.",
    title="The same cuts: most do nothing, or nearly all do something",
    data={"counts": np.array([counts, idle, idle_odds])},
    rtol=0.03,
    because=SMOOTH,
)

# %% [markdown]
# Of {{ result("explanation.big") }} bright edges {{ result("explanation.idle_loss", ".0%") }} move the loss by less than 0.01 nats,
# but only {{ result("explanation.idle_odds", ".0%") }} move the log-odds by less than that. The model is sure of its answer, and
# most single cuts leave it sure. With one measure you can claim that attention mostly does nothing, with the other the opposite
# ([dead end](../dead-ends/explanation-idle-edges.md)).
#
# A single cut has a second flaw. Other heads may hold the same, or later ones make up for the one that is cut
# ([self-repair](https://arxiv.org/abs/2307.15771), McGrath et al. 2023). So two edges that back each other up both look idle.
#
# ## The word with most attention need not be the one that decides
#
# We wrote *World*'s grammar, so for six rules we know which word decides. We keep places where no other word can give the
# answer away. Then we let five guides rank the words:
#
# - the attention that a word gets, summed over heads;
# - the length of what the heads bring from it (*norms*);
# - the summed effects of its single edges;
# - a cut of the word **from the last word**, in all heads at once;
# - a cut of the word **everywhere**, from all heads of all later words, so that nothing it says can leave it.
#
# Which guide puts the deciding word first?


# %% tags=["setup"]
def cut_words(ids, word, masks, model=world):
    """The harm in both measures when a word is cut, here or everywhere: (2, 2, word)."""
    n, rows = len(ids), torch.arange(len(ids) - 1)
    here, everywhere = (torch.ones(n - 1, 1, n, n) for _ in range(2))
    here[rows, 0, -1, rows] = 0
    everywhere[rows, 0, :, rows] = 0
    everywhere[:, :, range(n), range(n)] = 1  # a word still sees itself
    before, found = measures(model.model(ids[None]).logits[0, -1], word, masks), []
    for keep in (here, everywhere):

        def without(rows, at, keep=keep):
            return rows * keep / (rows * keep).sum(-1, keepdim=True)

        with edit(model, "pattern", None, without):
            logits = model.model(ids.expand(n - 1, -1)).logits[:, -1]
        loss, odds = measures(logits, word, masks) - before[:, None]
        found.append(torch.stack([loss, -odds]))  # above 0: the cut does harm
    return torch.stack(found).numpy(), before[1].item()


# %% tags=["setup"]
WORDS, BEFORE = zip(*map(cut_words, TEXTS, ANSWERS, MASKS), strict=True)
sums = [edges.sum((1, 2))[:, :-1] for edges in EDGES]  # (measure, word)
rows = {"attention": WEIGHT, "norm": NORM, "edges": ODDS}
guides = {name: [of[row] for of in sums] for name, row in rows.items()}
guides["cut_here"] = [cuts[0, 0] for cuts in WORDS]
guides["everywhere"] = [cuts[1, 1] for cuts in WORDS]

# %% tags=["setup"]
tops = {name: np.array([guide.argmax() for guide in of]) for name, of in guides.items()}
first = {name: (top == KEY).astype(float) for name, top in tops.items()}
first["chance"] = np.array([1 / (len(ids) - 1) for ids in TEXTS])
by_rule = {name: hits.reshape(len(RULES), -1).mean(1) for name, hits in first.items()}

# %% tags=["setup"]
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

# %% tags=["setup"]
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
    "attention": "attention",
    "norm": "norms",
    "edges": "single edges",
}
names |= {
    "cut_here": "cut from\nthe last word",
    "everywhere": "cut\neverywhere",
}
names |= {"chance": "control:\nany word"}
table = np.array([by_rule[name] for name in names])
fig, ax = plots.subplots(height=4.8)
ax.imshow(table, aspect="auto", vmin=0, vmax=1.6)
ax.grid(visible=False)
ax.set_yticks(range(len(names)), names.values())
ax.set_xticks(range(6), [PLAIN[rule] for rule in RULES], rotation=90)
for (row, column), value in np.ndenumerate(table):
    ax.text(column, row, f"{100 * value:.0f}", ha="center", va="center")
ALT = """Attention puts the deciding word first in most places for agreement over one noun, pronouns and facts, in half for lists, and never for
agreement over two nouns and the indirect object. Only a cut everywhere finds the indirect object."""
figure(
    fig,
    name="key",
    alt=ALT,
    caption="Share of places (%) at which the deciding word comes first. Ten places a rule. Attention, norms and single edges (log-odds) are summed over heads; cuts by loss from the last word, by log-odds everywhere.",
    title="No guide finds the deciding word under every rule",
    rtol=0.07,
    because=FEW,
)

# %% [markdown]
# Attention puts the deciding word first in {{ result("explanation.key_attention", ".0%") }} of the places, where a word at random
# would come first in {{ result("explanation.key_chance", ".0%") }}. For facts attention is right in
# {{ result("explanation.fact_attention", ".0%") }}. For agreement over two nouns it is right in
# {{ result("explanation.agreement_2_attention", ".0%") }}: there two prepositions get more.
#
# The cut from the last word does no better than attention ({{ result("explanation.key_cut_here", ".0%") }}), and even the cut
# *everywhere* puts the deciding word first in only {{ result("explanation.key_everywhere", ".0%") }}. Each guide fails under some
# rule.
#
# ## The answer is read from a comma
#
# Back to the ring, where attention failed. All ten sentences of this rule have the same form, so we can average them word by word.

# %% tags=["setup"]
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

# %% tags=["setup"]
for_trainings = []  # attention to the comma, log-odds lost at comma and name when cut here, at the name everywhere
for seed in range(1, 5):
    model, found = llmnotes.load("world", seed=seed), []
    for k in range(50, 60):
        start = len(TEXTS[k]) - 14
        at = start + comma
        pattern = trace(model, TEXTS[k][None], ["pattern"]).stack("pattern")[:, 0, :, -1]
        (cut, everywhere_cut), _ = cut_words(TEXTS[k], ANSWERS[k], MASKS[k], model)
        found.append(
            [pattern[..., at].sum(), cut[1, at], cut[1, KEY[k]], everywhere_cut[1, KEY[k]]]
        )
    for_trainings.append(np.mean(found, axis=0))
ours = [looks[comma], here[comma], here[name], everywhere[name]]
for_trainings = np.array([ours, *for_trainings])
note(
    atol=0.3,
    seeds_comma_attention_least=for_trainings[:, 0].min(),
    seeds_comma_attention_most=for_trainings[:, 0].max(),
    seeds_comma_here_least=for_trainings[:, 1].min(),
    seeds_name_here_most=for_trainings[:, 2].max(),
    seeds_name_everywhere_least=for_trainings[:, 3].min(),
)
note(seeds_comma_first=(for_trainings[:, 1] > for_trainings[:, 2]).sum())

# %% tags=["drawing"]
FORM[1], FORM[3] = "ANSWER", "other"
fig, axes = plots.subplots(1, 3, height=3.3, sharey=True)
titles = "Attention, summed", "Cut from the last word", "Cut everywhere"
for ax, values, title, colour in zip(
    axes, (looks, here, everywhere), titles, (BLUE, GREEN, ORANGE), strict=True
):
    ax.barh(range(13), values, color=colour)
    ax.set(title=title)
    ax.axvline(0, color=plots.MUTED, lw=1)
axes[0].set_yticks(range(13), FORM)
axes[0].invert_yaxis()
axes[0].set_xlabel("of 16 heads")
for ax in axes[1:]:
    ax.set_xlabel("log-odds lost (nats)")
ALT = """The comma gets most attention, the name that is the answer hardly any. Cut from the last word alone, the comma costs most, the giver's
name next, and all else nothing. Cut everywhere, the name that is the answer costs most and the comma next."""
CAPTION = "Ten sentences: when Anna and Karl went to the river, Karl gave the ring to … The names are swapped where the other comes first."
figure(
    fig,
    name="waypoint",
    alt=ALT,
    caption=CAPTION,
    title="The last word needs the comma, the comma needs the name",
    rtol=0.03,
    because=SMOOTH,
)

# %% [markdown]
# The comma gets the attention of {{ result("explanation.comma_attention", ".1f") }} of 16 heads, the name that is the answer that
# of {{ result("explanation.name_attention", ".1f") }}. Cut from the last word, the comma costs
# {{ result("explanation.comma_here", ".1f") }} nats of log-odds, and the name costs nothing
# ({{ result("explanation.name_here", ".2f") }}). Cut everywhere, the name costs {{ result("explanation.name_everywhere", ".1f") }}.
#
# So both names were carried to the comma, and the last word reads them there. Attention is right about the last step of the way.
# But the last step is no explanation: nobody gives a ring to a comma.
#
# Is this one training's habit? Over {{ result("explanation.seeds") }} trainings the comma costs more than the name in
# {{ result("explanation.seeds_comma_first") }}. It gets the attention of
# {{ result("explanation.seeds_comma_attention_least", ".1f") }} to {{ result("explanation.seeds_comma_attention_most", ".1f") }}
# heads. Cut from the last word it costs at least {{ result("explanation.seeds_comma_here_least", ".1f") }} nats; the name costs at
# most {{ result("explanation.seeds_name_here_most", ".1f") }}.
#
# ## What surprised us
#
# **The control was as good as the result.** We had predicted a rank correlation above 0.3, found almost 0.9, and were ready to
# write it down. Only then did we ask what it is for a word that has nothing to do with the text.
#
# **Two measures, two papers.** “Most bright edges do nothing” and “nearly all bright edges do something” are both true of the same cuts.
#
# ## Try it
#
# **1. One edge by hand** (5 minutes). Take the first place with a fact. Cut the edge from the last word to the deciding one in L2H3
# with `cut_edges`, and compare with `EDGES`.
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
# **2. A fairer guide** (15 minutes). The slope of the log-odds along each edge's `change` costs one backward pass for all edges.
# Does it rank the edges of one place (weight above 0.1) better than attention does?
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
# ## You can now
#
# - cut an edge of attention, and say in which measure its effect is given;
# - test an agreement between attention and effect against the same agreement for an unrelated word;
# - distinguish the last step of an answer's way from the word that decides it.
#
# ## What this does not show
#
# - Anything beyond one small language and one architecture. The correlations and the comma were measured over
#   {{ result("explanation.seeds") }} trainings, the other sections in one. A large model has more ways around a cut.
# - That the model reads the word which the grammar names. It may rightly read the number from *near*, if *near* has it from *cats*.
# - Other methods. We cut edges of the last word, one at a time. Attention *rollout* and attribution through all layers try to
#   follow longer ways; we did not test them.
#
# ## Going deeper
#
# ### Among bright edges, norms and slopes are better guides
#
# Ranks over all edges are dominated by those that get next to no attention. Among edges with more than a tenth of it, weight and
# effect have a rank correlation of {{ result("explanation.bright_weight", ".2f") }} (drawn word:
# {{ result("explanation.bright_drawn", ".2f") }}). The length of what the head brings from a word, weight times value times output
# matrix ([Kobayashi et al. 2020](https://arxiv.org/abs/2004.10102)), reaches {{ result("explanation.bright_norm", ".2f") }}. The
# slope of the log-odds along each cut reaches {{ result("explanation.guide_slope", ".2f") }} (exercise 2, where attention has
# {{ result("explanation.guide_attention", ".2f") }}).
#
# By the loss, weight and effect have a rank correlation of {{ result("explanation.rho_loss", ".2f") }} over all edges. Norms
# change it by {{ result("explanation.rho_norm_gain", ".3f") }}, which is next to nothing. In the last layer it is higher than
# in the first by {{ result("explanation.rho_late_gain", ".2f") }}.
#
# ### Effects without attention
#
# Can an edge with little attention matter? In the loss, edges with a weight under 0.05 make up
# {{ result("explanation.quiet_loss", ".0%") }} of all effects above 0.1 nats. In the log-odds they make up
# {{ result("explanation.quiet_odds", ".0%") }}, and {{ result("explanation.quiet_of_clock", ".0%") }} of these come from one head,
# L0H3, which looks at all words evenly. [A zoo of heads](21_heads.md) finds that it works as a clock.
#
# ### Cut from the last word
#
# Cut from the last word in all heads, the deciding word makes most answers wrong under {{ result("explanation.rules_broken") }} of
# the six rules. For the indirect object this cut puts the name first in {{ result("explanation.indirect_object_cut_here", ".0%") }}
# of the places; the cut everywhere does so in {{ result("explanation.indirect_object_everywhere", ".0%") }}. Summed norms name the
# deciding word in {{ result("explanation.key_norm", ".0%") }} of all places.
#
# - Finding: [Attention agrees with the effect on any word](../findings/explanation-any-word.md)
# - Surprise: [The comma that holds the answer](../surprises/explanation-comma.md)
# - Dead end: [Counting bright edges that do nothing](../dead-ends/explanation-idle-edges.md)
# - Jain & Wallace (2019), [Attention is not explanation](https://arxiv.org/abs/1902.10186)
# - Wiegreffe & Pinter (2019), [Attention is not not explanation](https://arxiv.org/abs/1908.04626)
# - Kobayashi et al. (2020), [Attention is not only a weight](https://arxiv.org/abs/2004.10102)

# %% tags=["setup"]
in_words(
    case_weight="Weight of the outlined edge of the case",
    case_effect="How far that cut moves the log-odds of the answer, in nats",
    case_control="How far it moves an unrelated word, in nats",
    seeds="Trainings of World",
    seeds_odds_lowest="Rank correlation of attention with the effect on the answer, lowest of five trainings",
    seeds_odds_highest="The same, highest of five trainings",
    seeds_drawn_lowest="Rank correlation with the effect on a drawn word, lowest of five trainings",
    seeds_drawn_highest="The same, highest of five trainings",
    seeds_comma_attention_least="Attention to the comma, least of five trainings",
    seeds_comma_attention_most="Attention to the comma, most of five trainings",
    seeds_comma_here_least="Log-odds lost when the comma is cut from the last word, least of five trainings",
    seeds_name_here_most="Log-odds lost when the name is cut from the last word, most of five trainings",
    seeds_name_everywhere_least="Log-odds lost when the name is cut everywhere, least of five trainings",
    seeds_comma_first="Trainings in which the comma costs more than the name, cut from the last word",
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
