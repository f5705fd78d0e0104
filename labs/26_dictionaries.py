# ---
# title: Sparse autoencoders
# question: Does a dictionary of features find what a model keeps hidden, and how would we know?
# answer: >-
#   Late in *World* it finds {{ result("dictionaries.found_come", ".0%") }} of what may come next, and
#   {{ result("dictionaries.found_history", ".0%") }} of the history that later words depend on.
# level: intermediate
# minutes: 15
# models: [world, fairytale]
# needs: [14_activations, 16_superposition]
# tags: [sparse autoencoders, features, probing, controls]
# chapter: Who does it
# thumbnail: page
# timeout: 400
# ---

# %% tags=["setup"]
from collections import Counter
from contextlib import nullcontext

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods import SAE, splice, train_sae
from llmnotes.model import ablate, trace, untrained
from llmnotes.scratch import from_gpt2, generate
from llmnotes.world import END, VOCABULARY, held_out, is_right, truth, word_ids
from llmnotes.world.lexicon import BRACKETS, LEXICON, MOOD_OF

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
torch.set_grad_enabled(False)
SEED = 0
draw = torch.Generator().manual_seed(SEED)
TRAINED = "training amplifies rounding: about what another seed changes"
note = within(because=TRAINED)
DREW = "other tales, another training"

# %% [markdown]
# ## A case you can hold: one feature, five places
#
# We trained a *sparse autoencoder*, a dictionary of 512 *features*, on the activations of *World*. Here are five places in stories
# where one of these features is most active, each with the words before it. What do they have in common?

# %% tags=["setup"]
world = llmnotes.load("world")
LAYER = world.n_layers - 2  # the last layer but one
PARTS = ((30 + SEED, 250), (40 + SEED, 50), (50 + SEED, 50))
stories, choose, score = ([s[:128] for s in held_out(*part)] for part in PARTS)


def ids(stories):
    return [word_ids(token.word for token in story).tolist() for story in stories]


def stream(stories, model=world, place="resid_post"):
    """What passes at each word but the first and the last: (layer, place, width)."""
    seen = trace(model, ids(stories), [place])
    inner = seen.mask & seen.mask.roll(-1, 1)
    inner[:, [0, -1]] = False
    return seen.stack(place)[:, inner]


x, x_choose, x_score = (stream(s) for s in (stories, choose, score))
seen, *here = x[LAYER], x_choose[LAYER], x_score[LAYER]


def fit(x, n=512, **kind):
    with torch.enable_grad():
        options = {"steps": 300, "batch": 128, "seed": SEED} | (kind or {"k": 8})
        return train_sae(x, n, **options)[0]


topk = fit(seen)
WHERE = [(story, at) for story in score for at in range(1, len(story) - 1)]


def best_places(feature, n, words=4):
    """The words up to the places where a feature is most active, no three of them twice."""
    found = []
    for i in topk.encode(here[1])[:, feature].argsort(descending=True).tolist():
        story, at = WHERE[i]
        some = [token.word for token in story[max(0, at + 1 - words) : at + 1]]
        if some[-3:] not in [other[-3:] for other in found]:
            found.append(some)
        if len(found) == n:
            return found


# %% tags=["setup"]
# The labels that are true at each place; what they are is told below.
SETS = {":": ("song", "first"), ";": ("song", "again"), "when": ("after", "when")}
SETS |= {"“": ("in", "quotes"), "”": ("in", "")}


def history(story):
    """What the words so far have set, after each word."""
    now, opened, before, fresh = {}, [], END, False
    for token in story:
        if token.word in (END, "."):
            now = {k: now[k] for k in ("person", "in") if k in now}
        now |= dict([SETS[token.word]] if token.word in SETS else [])
        if token.pos == "verb":
            now["open subject"] = ""
        if fresh and token.pos == "noun" and token.number:
            now["open subject"], fresh = token.number, False
        fresh |= token.word == "the" and before in (END, ".", "“")
        if token.pos == "name" and before in (END, ".", ","):
            now["person"] = token.gender
        opened = opened[: len(opened) - (token.word in BRACKETS.values())]
        opened = opened + [token.word] * (token.word in BRACKETS)
        now |= {"mood": token.mood, "inside": "".join(opened[-1:])}
        yield {f"{k} {v}" for k, v in now.items() if v}
        before = token.word


KIND = [f"{LEXICON[w].number} {LEXICON[w].pos}".strip() for w in VOCABULARY]


def labels(story):
    """The four groups of labels at each place."""
    after = truth([token.word for token in story[:-1]]).probs
    for token, p, past in list(zip(story, after, history(story), strict=False))[1:]:
        kind = {token.pos, f"{token.number} {token.pos}", f"{token.gender} {token.pos}"}
        kind |= {f" {MOOD_OF[token.word]} word"} if token.word in MOOD_OF else set()
        may = sorted({KIND[i] for i in torch.nonzero(p > 1e-9).flatten().tolist()})
        come = {"then " + " or ".join(may)}
        come |= {"surely " + VOCABULARY[int(p.argmax())]} if p.max() > 0.999 else set()
        yield {token.word}, {k.strip() for k in kind}, come, past


GROUPS = ("word", "kind", "what may come", "history")
tables = [[row for story in half for row in labels(story)] for half in (choose, score)]
counts = [Counter((g, x) for row in t for g in range(4) for x in row[g]) for t in tables]
names = sorted(x for x in counts[0] if min(c[x] for c in counts) >= 20)
group = np.array([g for g, _ in names])
y_choose, y_score = (
    torch.tensor([[float(x in r[g]) for g, x in names] for r in t]) for t in tables
)
past = torch.tensor(group == 3)


def f1(on, y):
    """F1 of columns with columns."""
    return 2 * (on * y).sum(0) / (on.sum(0) + y.sum(0)).clamp(min=1)


def grade(a, b):
    """For each label the F1 of the best column on fresh stories; which column, and its limit."""
    ranked, score = a.sort(0, descending=True).values, []
    for share in 0.004 * 2 ** np.arange(7):
        on = (a > ranked[int(share * len(a))]).float()
        total = (y_choose.sum(0)[:, None] + on.sum(0)).clamp(min=1)
        score.append(2 * y_choose.T @ on / total)
    which = torch.stack(score).amax(0).argmax(1)
    order = a[:, which].argsort(0, descending=True)
    hits = y_choose.gather(0, order).cumsum(0)
    at = (2 * hits / (torch.arange(1, len(a) + 1)[:, None] + y_choose.sum(0))).argmax(0)
    limit = ranked[at, which].clamp(min=ranked[-1].min() + 1e-6)  # zero is not active
    return f1((b[:, which] >= limit).float(), y_score), which, limit


graded = {"TopK": grade(*(topk.encode(v) for v in here))}

# %%
ranked_labels = graded["TopK"][0].argsort(descending=True).tolist()
feature_of = dict(enumerate(graded["TopK"][1].tolist()))  # the best for each label
varied = {}  # features whose five places have different words, with their label
for label in (i for i in ranked_labels if group[i] == 2):
    if len({some[-1] for some in best_places(feature_of[label], 5)}) >= 4:
        varied.setdefault(feature_of[label], label)
for some in best_places(next(iter(varied)), 5):
    print("…", *some)

# %% [markdown]
# In a model of real text nobody knows the answer. The language of *World* is ours: for every word of a story we know what is true
# there. So this dictionary has an answer key.
#
# ## A vector as a sum of few directions
#
# {{ drawing("dictionary", alt="An activation of twelve numbers is written as the sum of three of 36 directions, each with a strength, and a small error.") }}
#
# A model may pack more features than dimensions into one vector ([superposition](16_superposition.md)). A dictionary tries to
# unpack them. It rewrites a vector as
#
# $$
# \v{x} \approx b + \sum_{i} f_i\, \v{d_i}
# $$
#
# $$
# f = \mathrm{TopK}\big(\mathrm{ReLU}(E (\v{x} - b) + c)\big)
# $$
#
# $f_i$ says how active feature $i$ is, and $\v{d_i}$ is its direction, a row of the *decoder*. $E$ and $c$ are the *encoder*, $b$
# is a constant. **TopK** keeps the 8 most active of 512 features at each word
# ([Gao et al. 2024](https://arxiv.org/abs/2406.04093)). **L1** puts a price on activity instead
# ([Bricken et al. 2023](https://transformer-circuits.pub/2023/monosemantic-features/index.html)). **BatchTopK** keeps 8 on average
# ([Bussmann et al. 2024](https://arxiv.org/abs/2412.06410)). All three are trained to reconstruct $\v{x}$.


# %% tags=["idea"]
def encode(x):  # (word, d_model)
    active = ((x - topk.b_dec) @ topk.w_enc + topk.b_enc).relu()  # (word, feature)
    largest = active.topk(8)
    return torch.zeros_like(active).scatter(1, largest.indices, largest.values)


def decode(f):  # (word, feature)
    return topk.b_dec + f @ topk.w_dec


left = here[1] - decode(encode(here[1]))  # on fresh stories
spread = here[1] - here[1].mean(0)
print(f"variance explained: {1 - (left**2).sum() / (spread**2).sum():.0%}")

# %% [markdown]
# ```exercise
# title: The price of one feature
# minutes: 3
# code: |
#   f = encode(here[1][:1])          # one word's features, 8 of them active
#   i = f[0].argmax()                # the strongest
#   without = decode(f) - ▢
#   f[0, i] = 0
#   assert torch.allclose(without, decode(f), atol=1e-4)
# right: ["f[0, i] * topk.w_dec[i]", "topk.w_dec[i] * f[0, i]", "f[:, i] * topk.w_dec[i]", "f[0].max() * topk.w_dec[i]"]
# praise: "A feature adds its direction as strongly as it is active, and nothing else."
# wrong:
#   "topk.w_dec[i]": "That is the direction at strength one. How active is the feature?"
#   "f[0, i]": "That is a number. Along which direction does it add?"
#   "f[0, i] * topk.w_enc[:, i]": "The encoder reads. Which matrix writes?"
# otherwise: "`decode` adds up `f[i] * w_dec[i]`. What does feature i add?"
# solution: "`f[0, i] * topk.w_dec[i]`: its activity times its row of the decoder."
# ```
#
# ## Your prediction
#
# For each word of a story we know labels of four groups:
#
# - the **word** itself;
# - its **kind** (plural noun, female name …);
# - **what may come** next by the grammar;
# - the **history**: what earlier words have set and later ones need, such as the mood, an open bracket, or a subject whose verb has
#   not come yet.
#
# A label counts as *found* if some feature is active where the label holds, with an [F1 score](14_activations.md) of 0.8 on fresh
# stories: 1 would mean exactly there and nowhere else.
#
# The dictionary reads the residual stream after the last layer but one. To predict well, the model needs all four groups.

# %%
ask(
    "Late in the model, for which labels will the dictionary have features of their own?",
    choices={
        "word": "The words: each is a clear, frequent thing",
        "come": "What may come next",
        "history": "The history: that is what the model must keep in mind",
        "even": "All four about equally: the model needs them all",
    },
    answer="come",
    because={
        "word": "After the first layer they are found. Late in the model the word at hand has done its work.",
        "come": "A dictionary gives back vectors, and late in a model most of a vector is the prediction.",
        "history": "It is there, and a small network can read it. But it moves the vector little, so it is cheaper to split than to keep.",
        "even": "Being needed and filling the vector are two things. The dictionary is trained on the second.",
    },
    figure="found",
    found_come="> 0.5",
    found_history="< 0.3",
)
predict("Of the words, more than 4 in 5 have a feature", 0.6, found_word="> 0.8")
predict("Half of the history has a feature", 0.25, found_history=">= 0.5")
predict("For most of the history features beat neurons", 0.7, beats_neurons="> 0.5")
predict("For most of history they beat principal axes", 0.65, beats_pca="> 0.5")
predict("For 3 in 4 of it they beat random dictionaries", 0.75, beats_random="> 0.75")
predict("For history a probe is ahead by 0.2 of F1", 0.7, probe_ahead="> 0.2")
predict("An untrained model has as many words found", 0.6, untrained_words_more=">= 0")
predict("A larger dictionary lowers the F1 of history", 0.6, larger_minus_smaller="< 0")
predict("Equally sparse, TopK finds more than L1", 0.6, topk_minus_l1="> 0")
predict("The dictionary recovers 95% of the loss", 0.8, recovered="> 0.95")
predict("With it, some rule of World falls below 80%", 0.6, worst_rule="< 0.8")
predict("1 in 10 words is a hole in its kind's feature", 0.5, holes="> 0.1")
few = "Fewer than half of an autoencoder's features in Fairytale can be named"
predict(few, 0.6, named_sae="< 0.5")
chance = "A random dictionary has at least a third as many features that can be named"
predict(chance, 0.4, random_to_sae="> 0.333")
untaught = "An autoencoder on an untrained Fairytale has more features that can be named"
predict(untaught, 0.5, untrained_to_sae="> 1")
top = "As a description of all that its feature answers to, a name has a median F1 below ½"
predict(top, 0.6, name_f1_rounded="< 0.5")

# %% [markdown]
# ## A dictionary's page, with its answer key

# %% tags=["drawing"]
unclear = [i for i in ranked_labels if group[i] == 3][-3]
chosen = [*((label, BLUE) for label in list(varied.values())[:2]), (unclear, ORANGE)]
fig, ax = plots.subplots(height=4.6)
y = 0
for label, colour in chosen:
    feature, value = graded["TopK"][1][label].item(), graded["TopK"][0][label].item()
    ax.text(0, y, f"feature {feature}", weight="bold")
    ax.text(1, y, f"F1 {value:.2f}", weight="bold", ha="right", color=colour)
    for line, some in enumerate(best_places(feature, 3), start=1):
        ax.text(0.04, y + line, "… " + " ".join(some[:-1]), color=plots.MUTED, va="center")
        ax.text(1, y + line, some[-1], ha="right", weight="bold", va="center")
    ax.text(0, y + 4, f"key: {names[label][1]}", color=colour, va="center")
    ax.axhline(y + 4.6, color=plots.MUTED, lw=0.6)
    y += 5.4
ax.set(
    ylim=(y - 0.6, -0.9),
    xlim=(-0.02, 1.02),
    title="Two features that mean one thing, one that does not",
)
ax.axis("off")
figure(
    fig,
    name="page",
    alt="Three features, each with the words before three of its strongest places and the label that describes it best. Two labels of what may come "
    "fit with an F1 near 1. The best label of the history for a feature fits badly.",
    caption="The word at the right is where the feature is active. The key is the true label that fits best, its F1 from fresh stories.",
    data={"f1": graded["TopK"][0][[label for label, _ in chosen]]},
    rtol=0.4,
    because=TRAINED,
)

# %% [markdown]
# The first feature is the one that you met above. Now name some yourself. Choose a label from the texts where a feature is most
# active, then read the true one. Then do the same with the random dictionary.
#
# <div class="bench" id="bench-features" data-bench="features" data-search-exclude markdown>
#
# The feature browser runs in the page and needs JavaScript. The figure below grades every dictionary.
#
# </div>
#
# ## It finds what may come, and not what came before

# %% tags=["setup"]
new, *fresh = (stream(s, untrained(world))[LAYER] for s in (stories, choose, score))


def given(x, n, kind):
    """A dictionary that is not trained: it reads along the directions that it writes."""
    center, noise = x.mean(0), torch.randn(n, x.size(1), generator=draw)
    drawn = x[torch.randperm(len(x), generator=draw)[:n]] - center
    w = normalize(noise if kind == "random" else drawn, dim=1)
    return SAE(w.T, torch.zeros(n), w, center, 8)


saes = {"TopK": topk, "TopK, 128": fit(seen, 128), "L1": fit(seen, l1=4.0)}
saes |= {"BatchTopK": fit(seen, batch_k=8), "AuxK": fit(seen, k=8, aux=1 / 32, every=50)}
saes |= {kind: given(seen, 512, kind) for kind in ("examples", "random")}


def least_squares(x, new):
    """One linear reading for each label, fitted on the first half: values on both halves."""
    one, two = (torch.cat([v, torch.ones(len(v), 1)], 1).double() for v in (x, new))
    ridge = 1e-3 * len(one) * torch.eye(one.size(1))
    w = torch.linalg.solve(one.T @ one + ridge, one.T @ y_choose.double())
    return (one @ w).float(), (two @ w).float()


PAST = [names[i][1] for i in np.flatnonzero(group == 3)]


def network(steps=400):
    """What a network with one hidden layer reads of the history, taught on the dictionary's own stories."""
    rows = [row for story in stories for row in list(history(story))[1:-1]]
    y = torch.tensor([[float(name in row) for name in PAST] for row in rows])
    center, size = seen.mean(0), seen.std(0)
    generator = torch.Generator().manual_seed(SEED)
    w = [torch.randn(128, 128, generator=generator) / 12, torch.zeros(128)]
    w += [torch.zeros(128, len(PAST)), torch.zeros(len(PAST))]
    for part in w:
        part.requires_grad_()

    def say(x):
        return ((x - center) / size @ w[0] + w[1]).relu() @ w[2] + w[3]

    adam = torch.optim.Adam(w, lr=3e-3, weight_decay=1e-4)
    for _ in range(steps):
        some = torch.randint(len(y), (512,), generator=generator)
        with torch.enable_grad():
            loss = binary_cross_entropy_with_logits(say(seen[some]), y[some])
        adam.zero_grad()
        loss.backward()
        adam.step()
    return [say(v) for v in here]


first, other = fit(x[0]), fit(new)
turn = torch.linalg.svd(seen - seen.mean(0), full_matrices=False)[2].T
turn = torch.cat([turn, -turn], 1)
neurons = [stream(s, place="mlp_post")[: LAYER + 1] for s in (choose, score)]
columns = {"probe": least_squares(*here)}
columns |= {name: [sae.encode(v) for v in here] for name, sae in saes.items()}
columns["first layer"] = [first.encode(v[0]) for v in (x_choose, x_score)]
columns["neurons"] = [torch.cat([*v], 1) for v in neurons]
columns["principal"] = [(v - seen.mean(0)) @ turn for v in here]
columns["untrained"] = [other.encode(v) for v in fresh]
graded |= {name: grade(*both) for name, both in columns.items()}
best = {name: value[0] for name, value in graded.items()}
read = [torch.zeros(len(v), len(names)) - 99 for v in here]
for whole, some in zip(read, network(), strict=True):
    whole[:, past] = some
by_network = grade(*read)[0][past]


# %% tags=["setup"]
def share_found(f):
    """By group, the share of labels with an F1 of 0.8 or more."""
    return [(f[group == g] >= 0.8).float().mean().item() for g in range(4)]


found = {name: share_found(f1s) for name, f1s in best.items()}
topk, below, neuron = (found[who] for who in ("TopK", "first layer", "neurons"))
note(
    atol=0.12,
    found_word=topk[0],
    found_come=topk[2],
    found_history=topk[3],
    first_word=below[0],
    first_come=below[2],
    random_come=found["random"][2],
)
note(
    atol=0.06,
    neurons_word=neuron[0],
    neurons_come=neuron[2],
    untrained_word=found["untrained"][0],
    probe_history=found["probe"][3],
)
f = best["TopK"]
wins = {who: (f > best[who])[past].float().mean() for who in best}
note(
    atol=0.21,
    beats_neurons=wins["neurons"],
    beats_pca=wins["principal"],
    beats_random=wins["random"],
)
median = {name: value[past].median().item() for name, value in best.items()}
note(atol=0.1, probe_ahead=median["probe"] - median["TopK"])
note(atol=0.06, larger_minus_smaller=median["TopK"] - median["TopK, 128"])
note(atol=0.15, untrained_words_more=found["untrained"][0] - topk[0])
l1_found = (best["L1"] >= 0.8).float().mean()
note(atol=0.1, topk_minus_l1=(f >= 0.8).float().mean() - l1_found)
note(atol=0.05, dead=1 - (columns["TopK"][1] > 0).any(0).float().mean())
note(atol=1.5, active_l1=(columns["L1"][1] > 0).float().sum(1).mean())
note(
    network_history=(by_network >= 0.8).float().mean(),
    network_median=by_network.median(),
    probe_median=median["probe"],
    feature_median=median["TopK"],
    atol=0.08,
)
of_all = {name: (value >= 0.8).float().mean() for name, value in best.items()}
note(
    atol=0.08,
    batch_minus_topk=of_all["BatchTopK"] - of_all["TopK"],
    aux_minus_topk=of_all["AuxK"] - of_all["TopK"],
)
note(atol=0.05, dead_aux=1 - (columns["AuxK"][1] > 0).any(0).float().mean())
again = []
for n in (1, 2, 3, 4):
    model = llmnotes.load("world", seed=n)
    some = [stream(s, model)[LAYER] for s in (stories[:120], choose, score)]
    again.append(share_found(grade(*(fit(some[0]).encode(v) for v in some[1:]))[0]))
every = np.array([found["TopK"], *again])  # (training, group)
note(atol=0.1, come_least=every[:, 2].min(), history_most=every[:, 3].max())
note(trainings=len(every))

# %% tags=["drawing"]
ROWS = {"TopK": "TopK", "BatchTopK": "BatchTopK", "AuxK": "TopK with AuxK", "L1": "L1"}
ROWS |= {"first layer": "TopK, after the first layer", "probe": "linear probes"}
ROWS |= {"neurons": "neurons", "principal": "principal directions"}
ROWS |= {"examples": "control: examples", "random": "control: random"}
ROWS |= {"untrained": "control: untrained model"}
grid = 100 * np.array([found[name] for name in ROWS])
fig, ax = plots.subplots(height=4.4)
ax.imshow(grid, cmap=plots.SEQUENTIAL, vmin=0, vmax=125, aspect="auto")
for (i, j), share in np.ndenumerate(grid):
    ink = plots.PAPER if share > 62 else plots.INK
    key = {0: "word", 2: "come", 3: "history"}.get(j, "even")
    ax.text(j, i, f"{share:.0f}", ha="center", va="center", color=ink).set_gid(
        f"choice-{key}" if i == 0 else ""
    )
sizes = np.bincount(group)
short = ("word", "kind", "next", "history")
ax.set_xticks(range(4), [f"{n}\n({k})" for n, k in zip(short, sizes, strict=True)])
ax.set_yticks(range(len(ROWS)), ROWS.values())
ax.grid(visible=False)
ax.set_title("Late features stand for what may come")
figure(
    fig,
    name="found",
    alt="After the last layer but one TopK finds most of what may come, and few of the words, kinds and history. After the first layer it finds most words and kinds. On an untrained model it finds nearly all words and little else. No row finds much of the history.",
    caption="Labels found (%), with the number of labels below. Examples: vectors drawn from the stories; random: random directions. Neither is trained.",
    data={"found": grid / 100},
    rtol=0.15,
    because=TRAINED,
)

# %% [markdown]
# Of the labels of what may come, {{ result("dictionaries.found_come", ".0%") }} have a feature of their own (in a dictionary of
# random directions {{ result("dictionaries.random_come", ".0%") }}). At this depth the stream has turned from the word just read to
# the words that may follow. In five trainings of *World* the dictionary finds at least
# {{ result("dictionaries.come_least", ".0%") }} of these labels, and at most {{ result("dictionaries.history_most", ".0%") }} of
# the history.
#
# Yet the history is there. A small network, trained on the same stories as the dictionary, finds
# {{ result("dictionaries.network_history", ".0%") }} of it. For the median label of the history it has an F1 of
# {{ result("dictionaries.network_median", ".2f") }}, where the best feature has {{ result("dictionaries.feature_median", ".2f") }}.
#
# The last row is a warning. On an *untrained* model {{ result("dictionaries.untrained_word", ".0%") }} of the words are found, far
# more than on the trained one. The stream of such a model is just the word and its position. So clear features do not show that
# anything was learned ([Heap et al. 2025](https://arxiv.org/abs/2501.17727) saw something similar in large models).
#
# ## A hidden variable need not have a feature


# %% tags=["idea"]
def joined(which, dictionary="TopK", most=8):
    """F1 on fresh stories of the best features for a label, joined by "or"."""
    a, b = ((v > 0).float() for v in columns[dictionary])
    either, fresh = torch.zeros(len(a)), torch.zeros(len(b))
    for _ in range(most):
        together = a.maximum(either[:, None])
        i = f1(together, y_choose[:, which, None]).argmax()
        either, fresh = together[:, i], fresh.maximum(b[:, i])
    return f1(fresh[:, None], y_score[:, which, None]).item()


# %% tags=["setup"]
when = names.index((3, "after when"))
counts_ = (1, 2, 4, 8)
split = {
    d: [joined(when, d, most=n) for n in counts_] for d in ("TopK", "BatchTopK", "random")
}
note(atol=0.05, when_probe=best["probe"][when])
note(atol=0.12, when_one=best["TopK"][when])
note(atol=0.12, when_eight=split["TopK"][-1], when_random=split["random"][-1])
eight = np.median([joined(i) for i in np.flatnonzero(past)])
note(atol=0.08, one_history=median["TopK"], eight_history=eight)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3)
for name, colour in (("TopK", BLUE), ("BatchTopK", GREEN), ("random", plots.MUTED)):
    ax.plot(counts_, split[name], "o-", color=colour)
labels_at = {"TopK": 0.0, "BatchTopK": -0.03, "random": -0.06}
for name, colour in (("TopK", BLUE), ("BatchTopK", GREEN), ("random", plots.MUTED)):
    told_as = "control:\nrandom" if name == "random" else name
    ax.text(8.2, split[name][-1] + labels_at[name], told_as, color=colour, va="center")
ax.axhline(best["probe"][when], color=plots.INK, ls="--", lw=1)
ax.text(1, best["probe"][when] + 0.02, "linear probe", color=plots.INK)
ax.set(xlabel="features joined by “or”", ylabel="F1", ylim=(0, 1.12), xlim=(0.7, 10.2))
ax.set_xticks(counts_)
ax.set_title("“After when” needs eight features")
figure(
    fig,
    name="split",
    alt="The best single feature tells the places after when with an F1 of about 0.4. Joined, eight features come near the probe. Random directions "
    "joined rise as well, but stay below.",
    caption="Whether a sentence began with “when”. Features are joined one by one on one half of the stories and scored on the other.",
    data={name: np.array(values) for name, values in split.items()},
    rtol=0.3,
    because=TRAINED,
)

# %% [markdown]
# Take the label *after when*: the sentence began with “when”. It is in the stream, and a linear probe reads it with an F1 of
# {{ result("dictionaries.when_probe", ".2f") }}. The best feature reaches {{ result("dictionaries.when_one", ".2f") }}; eight
# features, joined by “or”, reach {{ result("dictionaries.when_eight", ".2f") }}. So in this training the variable is split over
# several features, probably by the steps of the sentence.
#
# But joining alone also helps a control: eight random directions reach {{ result("dictionaries.when_random", ".2f") }}. And the
# split depends on the training. In two of four others eight joined features do no better than eight random directions. What all
# five share is that no single feature reaches an F1 of one half, though a probe reads the variable nearly without error.
#
# ## Recovered loss flatters, because its floor is worse than guessing
#
# How good is a dictionary? The usual test puts its vectors back into the model and asks which share of the loss is *recovered*: 0%
# is a floor, 100% is the model as it was. But which floor? Usually zero in the place of the vector. We also take two others: the
# mean vector, and a model that knows only how frequent each word is.

# %% tags=["setup"]
fresh_ids, losses, right = ids(score), {}, {}


def put_back(name, change):
    """The loss, and the share of places that are right by rule, with a change of the stream."""
    with change:
        log_p = trace(world, fresh_ids, ["logits"])["logits"].log_softmax(-1)
    loss, hits = [], {}
    for p, row, story in zip(log_p, fresh_ids, score, strict=True):
        loss += (-p[range(len(row) - 1), row[1:]]).tolist()
        for i, t in enumerate(story[1:]):
            if t.rule and t.rule != "mood":
                good = is_right(p[i].exp(), t.rule, t.word)
                hits.setdefault(t.rule.split("_")[0], []).append(good)
    losses[name], right[name] = np.mean(loss), {r: np.mean(h) for r, h in hits.items()}
    worst = min(hits, key=lambda rule: np.mean(hits[rule]))
    print(f"{name:10} worst rule: {worst}, {np.mean(hits[worst]):4.0%} right")


reference = trace(world, fresh_ids, ["resid_post"])
put_back("as it is", nullcontext())
put_back("zero", ablate(world, "resid_post", LAYER))
put_back("mean", ablate(world, "resid_post", LAYER, by="mean", reference=reference))
for name, sae in saes.items():
    put_back(name, splice(world, sae, LAYER))

plain, zero, mean = losses["as it is"], losses["zero"], losses["mean"]


often = Counter(i for row in ids(stories) for i in row[1:])
said = [i for row in fresh_ids for i in row[1:]]
frequent = np.mean([-np.log((often[i] + 1) / often.total()) for i in said])


def recovered(name, floor):
    return (floor - losses[name]) / (floor - plain)


explained = {name: sae.explained(here[1]) for name, sae in saes.items()}
note(atol=0.01, recovered=recovered("TopK", zero), lost=losses["TopK"] - plain)
note(atol=0.03, recovered_random=recovered("random", zero))
note(atol=0.01, recovered_mean=recovered("TopK", mean))
note(atol=0.05, recovered_random_mean=recovered("random", mean))
note(
    atol=0.05,
    recovered_words=recovered("TopK", frequent),
    recovered_random_words=recovered("random", frequent),
)
note(atol=0.01, zero=zero, mean_loss=mean, even=np.log(len(VOCABULARY)), frequent=frequent)
note(
    atol=0.02,
    explained=explained["TopK"],
    explained_batch=explained["BatchTopK"],
    explained_random=explained["random"],
    explained_l1=explained["L1"],
)
note(atol=0.08, worst_rule=min(right["TopK"].values()))
note(
    atol=0.15,
    facts_topk=right["TopK"]["fact"],
    facts_smaller=right["TopK, 128"]["fact"],
    facts_random=right["random"]["fact"],
)

# %% tags=["drawing"]
SHOWN = {"TopK": "TopK", "BatchTopK": "BatchTopK", "TopK, 128": "TopK, 128", "L1": "L1"}
SHOWN |= {"examples": "control: examples", "random": "control: random"}
measures = {
    "recovered from zero": [recovered(name, zero) for name in SHOWN],
    "from the mean": [recovered(name, mean) for name in SHOWN],
    "from word frequencies": [recovered(name, frequent) for name in SHOWN],
    "variance explained": [explained[name] for name in SHOWN],
    "facts right": [right[name]["fact"] for name in SHOWN],
}
table = 100 * np.array(list(measures.values())).T
fig, ax = plots.subplots(height=3.9)
ax.imshow(table, cmap=plots.SEQUENTIAL, vmin=0, vmax=125, aspect="auto")
for (i, j), share in np.ndenumerate(table):
    ink = plots.PAPER if share > 62 else plots.INK
    ax.text(
        j, i, f"{share:.0f}" if share > -0.5 else "< 0", ha="center", va="center", color=ink
    )
ax.set_xticks(range(5), measures, rotation=90)
ax.set_yticks(range(len(SHOWN)), SHOWN.values())
ax.grid(visible=False)
ax.set_title("By the usual score random directions do well")
figure(
    fig,
    name="recovered",
    alt="By loss recovered from zero or from the mean every dictionary does well, random directions included. From word frequencies the controls lose ground. "
    "Variance explained and facts right tell the dictionaries apart.",
    caption="Dictionaries put back into World after the last layer but one, on 50 fresh stories (%).",
    data={"table": table.clip(min=0) / 100},
    rtol=0.2,
    because=TRAINED,
)

# %% [markdown]
# TopK recovers {{ result("dictionaries.recovered", ".1%") }} of the loss with hardly a feature for the history. A *random*
# dictionary recovers {{ result("dictionaries.recovered_random", ".0%") }}. The reason is the floor. With zero in place of the
# vector the loss is {{ result("dictionaries.zero", ".1f") }} nats, while guessing evenly costs
# {{ result("dictionaries.even", ".1f") }}. Against so bad a model nearly anything recovers nearly everything.
#
# We had expected the mean vector to be a fairer floor. It, too, costs more than guessing evenly
# ({{ result("dictionaries.mean_loss", ".1f") }} nats), and random directions recover
# {{ result("dictionaries.recovered_random_mean", ".0%") }} from there. The norms that follow scale any vector up to full size, so
# the model is sure of something wrong.
#
# Word frequencies are a fairer floor ({{ result("dictionaries.frequent", ".1f") }} nats). From there random directions recover
# {{ result("dictionaries.recovered_random_words", ".0%") }} and TopK {{ result("dictionaries.recovered_words", ".1%") }}.
#
# Single rules are the sharpest test. With random directions in place {{ result("dictionaries.facts_random", ".0%") }} of the facts
# are right, with TopK {{ result("dictionaries.facts_topk", ".0%") }}.
#
# ## In real text, count distinct names, and against examples
#
# *Fairytale* has no answer key. Here one looks at the texts where a feature is strongest and names it. Our rule was fixed before we
# looked. A feature **can be named** if 16 of its 20 strongest tokens in one set of unseen tales share a property, and 16 of 20 in a
# second set share the same one. The properties are the token itself, the one before, the one that comes next, or one of a dozen
# groups of tokens such as *pronoun*. We train 256 features on {{ result("dictionaries.tale_vectors", ",") }} vectors.

# %% tags=["setup"]
LISTS = {
    "article": "a an the A An The",
    "pronoun": "I you he she it we they me him her us them thee thou He She It They We You",
    "possessive": "my your his its our their thy His My",
    "preposition": "of to in on at by with from into for upon over under through out up down",
    "conjunction": "and but or that when if as so for And But When So As If",
    "be, have, do": "is was were are be been had have has did do am",
    "modal": "will would shall should can could must may might",
    "speech": "said cried asked answered replied told called",
    "question": "who what where which how why whom What Who How Why",
    "negation": "not no never nothing",
    "stop": ". ! ? ; :",
}
tales = llmnotes.load("fairytale")
text = [tales.tokenizer.decode([i]) for i in range(tales.tokenizer.vocab_size)]
listed = {n: [t.strip() in words.split() for t in text] for n, words in LISTS.items()}
quotes = [any(c in "'\"“”‘’" for c in t) and not any(map(str.isalpha, t)) for t in text]
listed |= {"quotation mark": quotes, "part of a word": [t[:1].islower() for t in text]}
listed["capital"] = [t.strip()[:1].isupper() for t in text]
TRAIN, TEST = 180, 36
start = torch.zeros(TRAIN + 2 * TEST, 1, dtype=torch.long)
teller = from_gpt2(tales.model)
told = torch.cat(
    [
        generate(teller, some, 119, temperature=1.0, generator=draw)
        for some in start.split(84)
    ]
)
HALVES = slice(TRAIN, TRAIN + TEST), slice(TRAIN + TEST, None)
SHOWN = {"": told[:, 1:-1], "after ": told[:, :-2], "before ": told[:, 2:]}


def tale_stream(model, place="resid_post"):
    middle = tales.n_layers // 2
    return trace(model, told, [place], layers=[middle], rows=64)[place, middle][:, 1:-1]


# %% tags=["setup"]
def properties():
    """Name and, for each set of tales, where it holds, of every property."""
    for name, yes in listed.items():
        yield name, [torch.tensor(yes)[SHOWN[""][h]].flatten() for h in HALVES]
    for what, source in SHOWN.items():
        for token in source[HALVES[0]].unique().tolist():
            yield what + repr(text[token]), [(source[h] == token).flatten() for h in HALVES]


KNOWN = [(n, h) for n, h in properties() if min(x.sum() for x in h) >= 16]
HOLDS = [torch.stack([h[k] for _, h in KNOWN], 1).float() for k in (0, 1)]


def name_all(values):
    """By feature of (tale, place, feature): the property that names it, the rarest if several do."""
    tops = [values[h].flatten(0, 1).topk(20, dim=0) for h in HALVES]
    often = torch.minimum(*(t.values[-1] for t in tops)) > 0
    share = torch.minimum(*(h[t.indices].mean(0) for h, t in zip(HOLDS, tops, strict=True)))
    value, which = ((share >= 0.8) / HOLDS[0].sum(0)).max(1)
    yes = torch.nonzero((value > 0) & often).flatten().tolist()
    return {i: which[i].item() for i in yes}


# %% tags=["setup"]
v, v_new = tale_stream(tales), tale_stream(untrained(tales))
flat, flat_new = (a[:TRAIN].flatten(0, 1) for a in (v, v_new))
unseen = v[TRAIN:].flatten(0, 1)
books = {"autoencoder": fit(flat, 256, k=8, steps=600)}
books |= {kind: given(flat, 256, kind) for kind in ("examples", "random")}
books["a seventh of the vectors"] = fit(v[:24].flatten(0, 1), 256)
values = {who: sae.encode(v) for who, sae in books.items()}
values["neurons"] = tale_stream(tales, "mlp_post")
values["untrained model"] = fit(flat_new, 256, k=8, steps=600).encode(v_new)
mixed = torch.randperm(v.size(1), generator=draw)
values["shuffled"] = values["autoencoder"][:, mixed]
named = {who: name_all(a) for who, a in values.items()}
part = {who: len(named[who]) / a.size(-1) for who, a in values.items()}
different = {who: len(set(named[who].values())) for who in values}
active = (values["autoencoder"][HALVES[1]].flatten(0, 1) > 0).float()
fits = [f1(active[:, i], HOLDS[1][:, p]).item() for i, p in named["autoencoder"].items()]

# %% tags=["setup"]
on_tales = within(because=DREW)
note(tale_vectors=len(flat))
on_tales(atol=0.06, named_sae=part["autoencoder"], named_examples=part["examples"])
on_tales(atol=0.02, named_neurons=part["neurons"], named_shuffled=part["shuffled"])
on_tales(atol=5, names_sae=different["autoencoder"], names_examples=different["examples"])
on_tales(atol=0.06, named_few=part["a seventh of the vectors"])
on_tales(atol=5, names_few=different["a seventh of the vectors"])
on_tales(atol=0.1, random_to_sae=part["random"] / part["autoencoder"])
on_tales(atol=0.25, untrained_to_sae=part["untrained model"] / part["autoencoder"])
on_tales(
    atol=0.02,
    explained_sae=books["autoencoder"].explained(unseen),
    explained_examples=books["examples"].explained(unseen),
)
on_tales(atol=0.12, name_f1=np.median(fits))
note(atol=0, name_f1_rounded=round(np.median(fits), 1))

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=2.9, sharey=True)
bars = ["autoencoder", "a seventh of the vectors", "examples", "neurons"]
bars += ["untrained model", "random", "shuffled"]
colours = [BLUE, BLUE, ORANGE, GREEN, PURPLE, plots.MUTED, plots.MUTED]
for ax, counted in zip(axes, ({n: 100 * part[n] for n in bars}, different), strict=True):
    ax.barh(bars, [counted[n] for n in bars], color=colours)
    for y, n in enumerate(bars):
        ax.text(counted[n] + 0.4, y, f"{counted[n]:.0f}", va="center")
    ax.grid(axis="y", visible=False)
axes[0].set(xlabel="named (%)", xlim=(0, 62))
axes[1].set(xlabel="distinct names", xlim=(0, 50))
axes[0].invert_yaxis()
axes[0].set_title("Named features")
axes[1].set_title("Distinct names")
figure(
    fig,
    name="named",
    title="Untrained examples get more names, and fewer distinct ones",
    alt="Share of features that can be named, and number of distinct names, for the autoencoder, the same trained on a seventh of the vectors, a dictionary "
    "of examples, neurons, an untrained model, random directions and shuffled places. Of neurons, random directions and shuffled places hardly any can be named.",
    caption="Fairytale, 256 features: at least 16 of 20 strongest places share a property, in both sets of unseen tales.",
    data={
        "named": np.array([part[n] for n in bars]),
        "names": np.array([different[n] for n in bars]),
    },
    rtol=0.3,
    because=DREW,
)

# %% [markdown]
# Of the trained features {{ result("dictionaries.named_sae", ".0%") }} can be named, and of random directions and shuffled tokens
# hardly any. So the usual controls are passed. But there is a stricter control, a dictionary of *examples*: vectors drawn from the
# tales, with no training at all. Of those {{ result("dictionaries.named_examples", ".0%") }} can be named. An example is strongest
# at similar vectors, and these are mostly at the same token.
#
# Frequent tokens give many examples the same name, though. The trained features have {{ result("dictionaries.names_sae") }}
# distinct names, the examples {{ result("dictionaries.names_examples") }}. And only one of the two works as a dictionary: the
# autoencoder explains {{ result("dictionaries.explained_sae", ".0%") }} of the variance of unseen tales, while the examples explain
# less than the mean vector would. So count distinct names, and report the variance explained beside them.
#
# ## What surprised us
#
# **Words are found best where nothing was learned.** We had expected words to be the easy part of the trained model.
#
# **Nothing broke.** We gave six chances in ten that some rule would fall below 80% with the dictionary in place. None does here.
# (Of four other trainings one loses most answers of one rule.) The dictionary keeps what it has no feature for: the history can be
# read from all its features together (exercise 1).
#
# **Our first count of names measured our sample.** It used 2,832 vectors for 256 features, looked for names in twelve tales a set,
# and found as many distinct names among the examples as among the features. We now train on seven times as many vectors and look at
# 36 tales a set. Of these two changes the second matters more: with as little training as before, but 36 tales a set,
# {{ result("dictionaries.named_few", ".0%") }} can be named, nearly as many as now.
#
# ## Try it
#
# **1. Is it lost?** (10 minutes). Fit the probe on the dictionary's features instead of the stream. Is the history still there?
#
# ??? tip "Hint"
#     `least_squares` takes any two tables: give it `columns["TopK"]`.

# %% tags=["solution"]
through = grade(*least_squares(*columns["TopK"]))[0][past].median().item()
assert through > median["TopK"] + 0.1, f"{through:.2f}: did you take both halves?"
print(f"median F1 of the history: {through:.2f}")

# %% [markdown]
# **2. Another place's vector** (5 minutes). In place of the vector put, at each word, the vector of a random other word
# (`by="resample"`). Is that a better floor than zero? Guess first.
#
# ??? tip "Hint"
#     `ablate(world, "resid_post", LAYER, by="resample", reference=reference)` inside `put_back`.

# %% tags=["solution"]
put_back("resample", ablate(world, "resid_post", LAYER, by="resample", reference=reference))
assert losses["resample"] > zero, (
    f"{losses['resample']:.1f}: are they other words' vectors?"
)
print(f"{losses['resample']:.1f} nats: sure of another place's word")

# %% [markdown]
# ## You can now
#
# - put a dictionary's vectors back into a model, and say what the model loses, against a floor that means something;
# - grade features against known labels, with a random dictionary, examples and an untrained model beside them;
# - explain why a clear feature is no sign that the model learned anything.
#
# ## What this does not show
#
# - What large dictionaries find. Ours were trained for seconds. In first looks, ten times longer training and four times as many
#   features found more words, but no more of the history.
# - That a feature without a label means nothing. It may stand for something real that our grammar has no name for. The names in
#   *Fairytale* are mechanical.
# - How *World* is in general. The figures are of one training. In four others a random dictionary recovers at least
#   {{ others("least", "dictionaries.recovered_random", ".0%") }} of the loss, and TopK loses up to {{ others("most", "dictionaries.lost", ".1f") }} nats.
# - What the model does with a feature. We only read features; nothing here was steered.
#
# ## Going deeper
#
# ### TopK, L1, BatchTopK, AuxK
#
# Some features are *dead*: {{ result("dictionaries.dead", ".0%") }} of TopK's are never active on fresh stories. By default, dead
# features are reset to badly reconstructed examples. **AuxK** instead trains them on what the others leave over; here
# {{ result("dictionaries.dead_aux", ".0%") }} stay dead, and the share of labels found differs by
# {{ result("dictionaries.aux_minus_topk", "+.2f") }}. (In a first look at five times as many steps AuxK kept more features alive.)
#
# BatchTopK explains {{ result("dictionaries.explained_batch", ".1%") }} of the variance of fresh stories, TopK
# {{ result("dictionaries.explained", ".1%") }}, and L1 {{ result("dictionaries.explained_l1", ".0%") }} with
# {{ result("dictionaries.active_l1", ".1f") }} active features. We tuned none of them. In the share of labels found TopK is ahead
# of L1 by {{ result("dictionaries.topk_minus_l1", ".2f") }}, and BatchTopK differs from TopK by
# {{ result("dictionaries.batch_minus_topk", "+.2f") }}.
#
# ### The history against neurons and probes
#
# For most labels of the history a single neuron is as good or better: the feature wins in
# {{ result("dictionaries.beats_neurons", ".0%") }}. It wins against a random dictionary in
# {{ result("dictionaries.beats_random", ".0%") }}, so this usual control is passed and says little. Against principal directions it
# wins in {{ result("dictionaries.beats_pca", ".0%") }}. Linear probes find {{ result("dictionaries.probe_history", ".0%") }} of the
# history and are ahead by {{ result("dictionaries.probe_ahead", ".2f") }} of F1 (median). Our first page called them a ceiling.
# With a median F1 of {{ result("dictionaries.probe_median", ".2f") }}, below the small network's, they are none.
#
# After the first layer the dictionary finds {{ result("dictionaries.first_word", ".0%") }} of the words and
# {{ result("dictionaries.first_come", ".0%") }} of what may come. After the last layer but one it finds
# {{ result("dictionaries.found_word", ".0%") }} of the words. Neurons find {{ result("dictionaries.neurons_word", ".0%") }} of the
# words and {{ result("dictionaries.neurons_come", ".0%") }} of what may come.
#
# Joining eight features lifts the median F1 of the history from {{ result("dictionaries.one_history", ".2f") }} to
# {{ result("dictionaries.eight_history", ".2f") }}. Larger dictionaries are said to split features more. From 128 features to 512
# the best F1 moves by {{ result("dictionaries.larger_minus_smaller", "+.2f") }} (median), but with one of three seeds it rose.
#
# ### Absorption
#
# In *absorption* ([Chanin et al. 2024](https://arxiv.org/abs/2409.14507)) the feature for a kind of word is silent at one word of
# that kind, because the word has a feature of its own. We take each kind with a feature (F1 of at least ½) and each of its words
# that occurs ten times or more. If the feature is active at fewer than a fifth of the word's occurrences, we call the word a
# *hole*.

# %% tags=["setup"]
spoken = np.array([next(iter(row[0])) for row in tables[1]])
share_of_holes, own_features = {}, {}
for who in ("TopK", "first layer"):
    value, which, limit = graded[who]
    own = {names[i][1] for i in np.flatnonzero(group == 0) if value[i] >= 0.8}
    n, holes = 0, []
    for i in np.flatnonzero((group == 1) & (value.numpy() >= 0.5)):
        active = columns[who][1][:, which[i]] >= limit[i]
        is_kind = y_score[:, i].numpy() > 0
        for word in (w for w, often in Counter(spoken[is_kind]).items() if often >= 10):
            n += 1
            if active[is_kind & (spoken == word)].float().mean() < 0.2:
                holes.append(word)
    share_of_holes[who] = len(holes) / n
    own_features[who] = np.mean([w in own for w in holes])
note(atol=0.12, holes=share_of_holes["TopK"], holes_first=share_of_holes["first layer"])
note(atol=0.2, holes_own=own_features["TopK"], holes_first_own=own_features["first layer"])

# %% [markdown]
# {{ result("dictionaries.holes", ".0%") }} of these words are holes, and {{ result("dictionaries.holes_first", ".0%") }} after the
# first layer. But of the holes only {{ result("dictionaries.holes_own", ".0%") }} and
# {{ result("dictionaries.holes_first_own", ".0%") }} have a feature of their own. So most holes are not absorption: the feature
# stands for a part of the kind that has no name in our grammar.
#
# ### Rules with a dictionary in place
#
# With TopK in place {{ result("dictionaries.worst_rule", ".0%") }} of the answers are right under the worst rule, and the model
# loses {{ result("dictionaries.lost", ".3f") }} nats. With only 128 features {{ result("dictionaries.facts_smaller", ".0%") }} of
# the facts are right. Random directions explain {{ result("dictionaries.explained_random", ".0%") }} of the variance.
#
# ### Names of Fairytale's features
#
# The lines show where three features with a name, and the first two features of all, are strongest: two tokens of context, and the
# token itself.

# %% tags=["setup"]
known = named["autoencoder"]
for i in [*list(known)[3::7][:3], 0, 1]:
    places = values["autoencoder"][HALVES[1]][..., i].flatten().topk(4).indices.tolist()
    print((KNOWN[known[i]][0] if i in known else "no name").ljust(14), end="")
    for tale, at in (divmod(place, v.size(1)) for place in places):
        row = told[HALVES[1]][tale, max(0, at - 1) : at + 2].tolist()
        print(" |", repr(tales.tokenizer.decode(row)), end="")
    print()

# %% [markdown]
# A name holds at the strongest places only. As a description of *all* places at which its feature is active, a name has a median F1
# of {{ result("dictionaries.name_f1", ".2f") }}. We settle that prediction by the value to one decimal, so that chance does not
# decide.
#
# - Finding: [A dictionary shows what may come, not what came before](../findings/dictionaries-what-may-come.md)
# - Finding: [A random dictionary recovers most of the loss](../findings/dictionaries-loss-recovered.md)
# - Dead end: [Counting features that can be named](../dead-ends/dictionaries-counting-names.md)
# - Surprise: [Words are found best in an untrained model](../surprises/dictionaries-untrained-words.md)
# - Question: [Which training finds the history?](../questions/dictionaries-find-history.md)
# - Karvonen et al. (2024), with board games as ground truth, [Measuring progress in dictionary learning](https://arxiv.org/abs/2408.00113)

# %% tags=["setup"]
in_words(
    found_word="Words that have a feature",
    found_come="Labels of what may come that have a feature",
    found_history="Labels of the history that have a feature",
    first_word="Words that have a feature, after the first layer",
    first_come="Labels of what may come that have a feature, after the first layer",
    neurons_word="Words that have a neuron",
    neurons_come="Labels of what may come that have a neuron",
    untrained_word="Words that have a feature, untrained model",
    probe_history="Labels of the history that a probe finds",
    random_come="Labels of what may come with a random direction",
    beats_neurons="History labels for which the feature beats neurons",
    beats_pca="History labels for which the feature beats principal axes",
    beats_random="History labels for which the feature beats random dictionaries",
    probe_ahead="Lead of the probe in F1, history",
    larger_minus_smaller="F1 of 512 features minus that of 128, history",
    untrained_words_more="Words found in an untrained model minus in the trained one",
    topk_minus_l1="Labels found by TopK minus by L1",
    dead="Features that are never active",
    active_l1="Active features a word, L1",
    when_probe='"after when": F1 of the probe',
    when_one='"after when": F1 of the best feature',
    when_eight='"after when": F1 of eight features joined',
    when_random='"after when": F1 of eight random features joined',
    one_history="Median F1 of one feature, history",
    eight_history="Median F1 of eight features joined, history",
    holes="Words that are a hole in their kind's feature",
    holes_own="Of these, words with a feature of their own",
    holes_first="The same holes after the first layer",
    holes_first_own="Of these, words with a feature of their own",
    recovered="Loss recovered by the dictionary",
    lost="Loss added by the dictionary, in nats",
    recovered_random="Loss recovered by a random dictionary",
    zero="Loss with zero in that place, in nats",
    even="Loss of guessing evenly, in nats",
    worst_rule="Worst rule with the dictionary put in",
    facts_smaller="Facts right with 128 features put in",
    facts_random="Facts right with a random dictionary put in",
    named_sae="Features of Fairytale that can be named",
    named_examples="The same for a dictionary of examples",
    named_neurons="The same for neurons",
    named_shuffled="The same with features shuffled over places",
    names_sae="Different names among the features",
    names_examples="Different names among the examples",
    random_to_sae="Named features of a random dictionary against the trained one",
    untrained_to_sae="Named features of an untrained model against the trained one",
    name_f1="Median F1 of a name over all places of its feature",
    name_f1_rounded="That F1, rounded",
    come_least="Labels of what may come that have a feature, least of five trainings",
    history_most="Labels of the history that have a feature, most of five trainings",
    trainings="Trainings of World whose dictionaries were graded",
    network_history="Labels of the history that a small network reads",
    network_median="Median F1 of the small network, history",
    probe_median="Median F1 of least squares, history",
    feature_median="Median F1 of the best feature, history",
    explained="Variance explained by TopK, fresh stories",
    explained_batch="Variance explained by BatchTopK, fresh stories",
    explained_random="Variance explained by the random dictionary, fresh stories",
    explained_l1="Variance explained by L1, fresh stories",
    dead_aux="Features that are never active, with AuxK",
    batch_minus_topk="Labels found by BatchTopK minus by TopK",
    aux_minus_topk="Labels found by TopK with AuxK minus by TopK",
    mean_loss="Loss with the mean in that place, in nats",
    recovered_mean="Loss recovered by the dictionary, against the mean",
    recovered_random_mean="Loss recovered by a random dictionary, against the mean",
    frequent="Loss of knowing only how frequent words are, in nats",
    recovered_words="Loss recovered by the dictionary, against word frequencies",
    recovered_random_words="Loss recovered by a random dictionary, against word frequencies",
    facts_topk="Facts right with the dictionary put in",
    tale_vectors="Vectors of Fairytale that the dictionary was trained on",
    explained_sae="Fairytale: variance explained by the autoencoder, unseen tales",
    explained_examples="Fairytale: variance explained by the examples, unseen tales",
    named_few="Features of Fairytale that can be named, trained on a seventh of the vectors",
    names_few="Different names among these features",
)
