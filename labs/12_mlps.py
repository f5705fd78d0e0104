# ---
# title: What MLPs compute
# question: Where do the MLPs of world keep its facts, and can one fact be changed without the rest?
# level: intermediate
# minutes: 25
# models: [world]
# needs: []
# tags: [MLP, facts, ablation, model editing]
# chapter: Inside
# thumbnail: edits
# timeout: 240
# ---

# %% [markdown]
# A language model knows that Anna lives in one town and Karl in another. Where? The usual answer is: in the *MLPs*, and
# there at the person's name ([Meng et al. 2022](https://arxiv.org/abs/2202.05262)). Here we ask a model whose facts
# we know all of, since we wrote them. We take MLPs away, layer by layer and word by word; we look at single neurons;
# and we change one fact by a small edit of one matrix, and look at what else has changed.

# %% tags=["setup"]
from collections import defaultdict
from copy import deepcopy
from itertools import combinations, pairwise

import numpy as np
import torch

import llmnotes
from llmnotes.lab import figure, in_words, plots, predict, within
from llmnotes.model import ablate, batch, edit, trace
from llmnotes.world import END, VOCABULARY, held_out, is_right, word_ids
from llmnotes.world.grammar import PRONOUN
from llmnotes.world.lexicon import (
    FOOD,
    FOODS,
    HOME,
    JOB,
    JOBS,
    LANDMARK,
    LANDMARKS,
    PEOPLE,
    TOWNS,
)

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
FLIPS = "a few answers near a tie"
note = within(atol=0.03, because=FLIPS)
EDITS = "two of 24 edits may fall the other way"

# %% [markdown]
# ## What you need to know
#
# **world** is a small GPT-2 (4 layers, 4 heads, 445 thousand parameters) trained on stories from a grammar of ours,
# one token a word. Among its rules are *facts* that hold in every story: each of 24 people has a home, a job and a
# favourite food ("Anna lives in …", "Anna is a …", "Anna likes …"), and each of 10 towns a landmark ("Dale lies by
# the …"). It gets every one right.
#
# **The residual stream** is the vector that each word carries from layer to layer. In each layer *attention* adds what
# it has fetched from other words, and then the *MLP* adds what it makes of the word's own vector. Only attention moves
# anything between words.
#
# **Keys and values.** An MLP has hidden units, its *neurons*: 128 a layer here. Neuron *i* compares the stream *x*
# with its key *k*ᵢ and adds its value *v*ᵢ as strongly as the two agree: the sum of all *g*(*k*ᵢ · *x* + *b*ᵢ) *v*ᵢ, where
# *g* is nearly 0 below zero. So an MLP can work as a table to look things up in
# ([Geva et al. 2021](https://arxiv.org/abs/2012.14913)).
#
# **Mean ablation** takes a part away: what it adds is replaced by its average over other texts.
#
# We call the last word of the prompt, from which the answer is predicted, the *asking word* ("in", "a", "likes",
# "the"), and the person or town the *name*.

# %%
world = llmnotes.load("world")
model = world.model.requires_grad_(False)
KINDS = {  # kind of fact: how it is asked, the truth, all possible answers
    "home": ("lives in", HOME, TOWNS),
    "job": ("is a", JOB, JOBS),
    "food": ("likes", FOOD, FOODS),
    "landmark": ("lies by the", LANDMARK, LANDMARKS),
}


def rows(texts: list[str]) -> torch.Tensor:
    """Token ids (text, pos) of texts with equally many words, each behind the start of a story."""
    return torch.stack([word_ids(f"{END} {text}") for text in texts])


def likeliest(ids: torch.Tensor, model=model) -> torch.Tensor:
    """The likeliest next word's id for each row."""
    with torch.no_grad():
        return model(ids).logits[:, -1].argmax(-1)


assert VOCABULARY[likeliest(rows(["Anna lives in"]))] == HOME["Anna"]

# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     Four layers have an MLP each. How many of the 82 facts survive if you take away one MLP? Does an MLP work on a
#     fact at the name, or at the asking word? And if you rewrite where Anna lives, does the model still know what she
#     likes?
#
# Our own guesses, with probabilities written before the first run and not touched since. How many stories are graded,
# which neurons are tried, how edits are searched for, and that they count at their best place was settled after first
# looks. On taking MLPs away:

# %%
predict(
    "Without the MLP that matters most, fewer than half of the facts are right",
    0.6,
    worst_mlp="< 0.5",
)
predict("That MLP is in the first layer", 0.4, worst_layer="== 0")
predict("Its loss costs facts more than any other rule", 0.6, rules_hit_harder="== 0")
# %% [markdown]
# On attention, on where the work is done, and on neurons:

# %%
predict(
    "Attention's worst layer costs more facts than the MLPs' worst",
    0.5,
    attention_against_mlp="< 0",
)
predict(
    "All MLPs at the asking word matter more than all MLPs at the name",
    0.6,
    name_against_asking="> 0",
)
predict("Some single neuron breaks more than half of the facts", 0.15, one_neuron="> 0.5")

# %% [markdown]
# And on edits, at the place where they work best:

# %%
predict("An edit works in nine of ten", 0.85, edit_works="> 0.9")
predict("“She lives in” follows", 0.6, edit_pronoun="> 0.5")
predict(
    "The person's other facts stay: fewer than a tenth change",
    0.5,
    edit_other_facts="< 0.1",
)
predict("Others keep their homes", 0.7, edit_others="< 0.05")
predict("A random edit does nothing", 0.8, edit_random="< 0.05")

# %% [markdown]
# ## One layer at a time
#
# First, in stories that the model has not seen, which rules does each MLP serve? We sort the places where a rule
# decides the next word by rule, facts by kind, and ask at how many of them the model is still right.

# %%
stories = [story[:128] for story in held_out(seed=8, n=80)]
ids = [word_ids(token.word for token in story) for story in stories]
ASKED = {"in": "home", "a": "job", "likes": "food", "the": "landmark"}
RULE = {"agreement_0": "agreement", "agreement_1": "agreement", "agreement_2": "agreement"}
decided = defaultdict(list)  # rule: places as (story, position before the word, its truth)
for number, story in enumerate(stories):
    for i, (before, token) in enumerate(pairwise(story)):
        if token.rule and token.rule != "mood":
            rule = ASKED[before.word] if token.rule == "fact" else token.rule
            rule = RULE.get(rule, rule)
            if len(decided[rule]) < 150:
                decided[rule].append((number, i, token))


def graded(model) -> dict[str, list[bool]]:
    """At each place, by rule: is the model right?"""
    probs = trace(model, ids, ["logits"])["logits"].softmax(-1)
    return {
        r: [is_right(probs[n, i], t.rule, t.word) for n, i, t in decided[r]]
        for r in decided
    }


# %% [markdown]
# Then each MLP is ablated by its mean over other stories, each layer's attention in the same way, and all four of a
# kind together. A second model is the control: `world/attention-only` has learned the same language without any MLP.

# %%
others = [word_ids(token.word for token in story[:128]) for story in held_out(seed=9, n=40)]
reference = trace(world, others, ["mlp_out", "mlp_post", "attn_out"])
right = {"nothing removed": graded(world)}
for place, name in (("mlp_out", "MLP"), ("attn_out", "attention")):
    for layers in (0, 1, 2, 3, None):
        with ablate(world, place, layers, by="mean", reference=reference):
            which = f"{name} {layers}" if layers is not None else f"every {name}"
            right[which] = graded(world)
right["a model without MLPs"] = graded(llmnotes.load("world/attention-only"))


def facts(of: dict[str, list[bool]]) -> float:
    """The share of all facts that is right."""
    return np.mean([yes for kind in KINDS for yes in of[kind]])


# %% [markdown]
# We record what is left of the facts, and how many other rules the worst ablation hits harder.

# %%
mlps = [facts(right[f"MLP {layer}"]) for layer in range(4)]
worst = right[f"MLP {int(np.argmin(mlps))}"]
harder = [r for r in worst if r not in KINDS and np.mean(worst[r]) < facts(worst)]
attention = min(facts(right[f"attention {layer}"]) for layer in range(4))
rest = [np.mean(right["MLP 3"][r]) for r in worst if r not in KINDS]
note(
    atol=0.02,
    worst_mlp=min(mlps),
    last_mlp=mlps[3],
    middle_mlps=min(mlps[1:3]),
    every_mlp=facts(right["every MLP"]),
    no_mlps=facts(right["a model without MLPs"]),
    last_mlp_rest=min(rest),
)
note(attention_against_mlp=attention - min(mlps))
note(worst_layer=np.argmin(mlps), rules_hit_harder=len(harder))

# %% [markdown]
# All of it as a table: the share of places that are right.

# %% tags=["drawing"]
SHOWN = [*KINDS, "agreement", "indirect_object", "pronoun", "list", "closing"]
table = np.array([[100 * np.mean(of[rule]) for rule in SHOWN] for of in right.values()])
fig, ax = plots.subplots(height=4.6)
ax.imshow(table, cmap=plots.SEQUENTIAL, vmin=0, vmax=125, aspect="auto")
for (i, j), share in np.ndenumerate(table):
    ink = plots.PAPER if share > 62 else plots.INK
    ax.text(j, i, f"{share:.0f}", ha="center", va="center", fontsize=9.5, color=ink)
ax.axvline(3.5, color=plots.PAPER, lw=4)
SHORT = {"indirect_object": "indirect\nobject", "agreement": "agree-\nment"}
labels = [SHORT.get(rule, rule) for rule in SHOWN]
ax.set_xticks(range(len(SHOWN)), labels, fontsize=9)
ax.set_yticks(range(len(right)), list(right))
ax.set(xlabel="facts (left) and other rules (right)")
ax.grid(visible=False)
figure(
    fig,
    name="rules",
    alt="Table of the share of places that are right, by what was removed and by rule. Without the MLP of layer 0 every "
    "rule suffers. Without those of layers 1 and 2 hardly any does. Without that of layer 3 facts suffer and little "
    "else. Without all MLPs no fact is right. A model that never had MLPs gets most facts right.",
    caption="Places that are right (%), in 80 unseen stories.",
    rtol=0.05,
    because=FLIPS,
)

# %% [markdown]
# No single MLP holds the facts. The costliest is that of the first layer: without it
# {{ result("mlps.worst_mlp", ".0%") }} of them are right. But {{ result("mlps.rules_hit_harder") }} other rules suffer even
# more, so it serves nearly everything. The last one is the one *for facts*: without it
# {{ result("mlps.last_mlp", ".0%") }} of the facts are right and at least {{ result("mlps.last_mlp_rest", ".0%") }} of
# every other rule. Without a middle one, at least {{ result("mlps.middle_mlps", ".0%") }} are. Without all four,
# {{ result("mlps.every_mlp", ".0%") }}.
#
# Does that show that facts *need* MLPs? No: the model that never had any knows
# {{ result("mlps.no_mlps", ".0%") }} of them. Its attention heads hold them, as [lab 13](13_weights.md) reads from the
# weights. That world looks facts up in MLPs is its own choice.
#
# ## At the name or at the asking word?
#
# An MLP works at every word. We ask all 82 facts behind two short sentences each and ablate at one position only: the
# name, the asking word, or, as the control, the full stop before the name.

# %%
BEFORE = ["the old frog waits .", "the boats are lively ."]
asked = {
    kind: rows([f"{before} {name} {how}" for before in BEFORE for name in truth])
    for kind, (how, truth, _) in KINDS.items()
}
answers = {
    kind: word_ids(truth[name] for _ in BEFORE for name in truth)
    for kind, (_, truth, _) in KINDS.items()
}

# %% [markdown]
# We ablate each layer's MLP alone, and all four together.


# %% tags=["idea"]
POSITIONS = ("name", "asking word", "full stop")


def known(place: str, layers, where: str) -> float:
    """The share of the facts that is right after ablation at one position of each prompt."""
    hits = []
    for kind, (how, *_) in KINDS.items():
        name = -1 - len(how.split())
        at = dict(zip(POSITIONS, (name, -1, name - 1), strict=True))[where]
        with ablate(world, place, layers, by="mean", reference=reference, positions=at):
            hits += (likeliest(asked[kind]) == answers[kind]).tolist()
    return np.mean(hits)


LAYERS = (0, 1, 2, 3, None)
left = {where: [known("mlp_out", i, where) for i in LAYERS] for where in POSITIONS}
both = known("mlp_out", [0, 3], "asking word")
fetched = known("attn_out", None, "asking word")

# %% [markdown]
# The numbers, and the share of facts that is left.

# %%
gap = left["name"][-1] - left["asking word"][-1]
note(
    at_name=left["name"][-1],
    at_stop=left["full stop"][-1],
    one_at_asking=min(left["asking word"][:4]),
    first_and_last=both,
    attention_at_asking=fetched,
)
note(atol=0.02, at_asking=left["asking word"][-1])
note(atol=0.04, name_against_asking=gap)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.0)
for i, (where, colour) in enumerate(zip(POSITIONS, (BLUE, ORANGE, GREEN), strict=True)):
    label = f"{'control: the' if where == 'full stop' else 'the'} {where}"
    spots = np.arange(5) + 0.27 * (i - 1)
    bars = ax.bar(spots, 100 * np.array(left[where]), width=0.25, color=colour, label=label)
    ax.bar_label(bars, fmt="{:.0f}", color=plots.INK, fontsize=9)
ax.set_xticks(range(5), [*(f"layer {i}" for i in range(4)), "all layers"])
ax.set(ylabel="facts still right (%)", xlabel="MLP ablated at one word", ylim=(0, 130))
ax.set_yticks([0, 25, 50, 75, 100])
ax.grid(axis="x", visible=False)
ax.legend(loc="upper left", ncols=3)
figure(
    fig,
    name="where",
    alt="Without any MLP at the name nearly all facts are still right. Without any MLP at the asking word none is. Each "
    "single layer at the asking word costs a part of the facts.",
    caption="82 facts behind two sentences. Each bar: one position of the prompt is ablated, all others are whole.",
    rtol=0.04,
    because=FLIPS,
)

# %% [markdown]
# Take away **every** MLP at the name, and {{ result("mlps.at_name", ".0%") }} of the facts are still right. Take them
# away at the asking word, and {{ result("mlps.at_asking", ".0%") }} are. So, for nearly all facts, the name needs to say no more than who it
# is, which is in its embedding; attention carries that to the asking word (without attention there,
# {{ result("mlps.attention_at_asking", ".0%") }}); and the MLPs look it up there, where they know both who and what.
#
# They share that work. One MLP less at the asking word leaves at least {{ result("mlps.one_at_asking", ".0%") }}; the
# first and the last less leave {{ result("mlps.first_and_last", ".0%") }}. An ablation of single layers alone would
# have said: there is no place for facts.
#
# ## Neurons as keys and values
#
# The last layer's MLP writes straight to the output, so each of its values can be read: which of the 36 answers does
# it push up most? And its key: for which facts is the neuron most active? Here are the neurons that speak for the
# right answer in most facts.

# %%
texts = [f"{name} {how}" for how, truth, _ in KINDS.values() for name in truth]
truths = [truth[name] for _, truth, _ in KINDS.values() for name in truth]
N = {kind: len(truth) for kind, (_, truth, _) in KINDS.items()}


def at_asking(kind: str) -> torch.Tensor:
    """What the last layer's neurons put out at the asking word: (fact, neuron)."""
    return trace(world, asked[kind][: N[kind]], ["mlp_post"])["mlp_post", 3][:, -1]


active = torch.cat([at_asking(kind) for kind in KINDS])  # (82 facts, 128 neurons)
mean = torch.stack([reference["mlp_post", i][reference.mask].mean(0) for i in range(4)])

# %% [markdown]
# Its value is a row of the MLP's output matrix, and the unembedding says what it does to each answer.

# %%
replies = [*TOWNS, *JOBS, *FOODS, *LANDMARKS]
unembed = model.lm_head.weight[word_ids(replies)] * model.transformer.ln_f.weight
values = (
    model.transformer.h[3].mlp.c_proj.weight @ (unembed - unembed.mean(0)).T
)  # (128, 36)
of_truth = values[:, [replies.index(word) for word in truths]].T  # (82, 128)
loudest = ((active - mean[3]) * of_truth).argmax(1)  # for each fact
for neuron in loudest.bincount().argsort(descending=True)[:4].tolist():
    keys = [texts[i] for i in active[:, neuron].topk(3).indices.tolist()]
    says = [replies[i] for i in values[neuron].topk(3).indices.tolist()]
    print(f"neuron {neuron} hears {', '.join(keys)}; says {', '.join(says)}")

# %% [markdown]
# Does a fact depend on its loudest neuron? We remove each of these neurons alone from all prompts, then all of them
# together, then the half of the layer that speaks most for the right answers. The control is a random half (the median
# of five draws).


# %% tags=["idea"]
def kept(neurons: list[int]) -> float:
    """The share of facts that is right without some neurons of the last layer."""
    hits = []
    for kind in KINDS:
        with ablate(world, "mlp_post", 3, by="mean", reference=reference, neurons=neurons):
            hits += (likeliest(asked[kind]) == answers[kind]).tolist()
    return np.mean(hits)


loud = loudest.unique().tolist()
strong = ((active - mean[3]) * of_truth).clamp(min=0).sum(0).argsort(descending=True)
generator = torch.Generator().manual_seed(0)
draws = [torch.randperm(128, generator=generator)[:64].tolist() for _ in range(5)]

# %%
note(
    loud_neurons=len(loud),
    all_loud=kept(loud),
    random_half=np.median([kept(d) for d in draws]),
    whole_layer=kept(list(range(128))),
)
note(atol=0.02, one_neuron=1 - min(kept([neuron]) for neuron in loud))
note(atol=0.04, strong_half=kept(strong[:64].tolist()))

# %% [markdown]
# For the 82 facts {{ result("mlps.loud_neurons") }} neurons are the loudest. The worst of them, removed alone, breaks
# {{ result("mlps.one_neuron", ".0%") }} of the facts, and we had not expected the next number: without **all** of them
# {{ result("mlps.all_loud", ".0%") }} are right. Without the strongest half of the layer it is
# {{ result("mlps.strong_half", ".0%") }}, without a random half {{ result("mlps.random_half", ".0%") }}, without the whole layer
# {{ result("mlps.whole_layer", ".0%") }}. One can read keys and values off single neurons, and it makes a fine table; but no row of
# it is where a fact is. Each is spread over many neurons, and over layers as well.
#
# ## Changing one fact
#
# Can we rewrite where one person lives? If an MLP's output matrix *W* is a table, with the neurons' activations *k* as
# the key, a change of rank one adds one entry ([Meng et al. 2022](https://arxiv.org/abs/2202.05262), the method ROME):
#
# 1. the key *k*: the activations at the chosen word, averaged over two sentences before it;
# 2. the value: a vector *d* that makes the model say the new town when it is added to the MLP's output there, found by
#    gradient descent in 30 steps;
# 3. the edit: *W* ← *W* + *u* *d*ᵀ / (*u* · *k*) with *u* = *C*⁻¹ *k*. It adds exactly *d* for the key *k*, and,
#    since *C* is the second moment of all activations (the mean of *k* *k*ᵀ), as little as possible for the others.
#
# Step 2, for all 24 people at once (each in rows of its own). The sentences used here are not those of the tests.

# %%
LEARN = ["the dog runs .", "the crows sleep ."]
NEW = [TOWNS[(TOWNS.index(HOME[n]) + 1 + i % 9) % 10] for i, n in enumerate(PEOPLE)]
NEW_IDS = word_ids(NEW)
taught = rows([f"{before} {name} lives in" for name in PEOPLE for before in LEARN])
wanted = NEW_IDS.repeat_interleave(2)[:, None]


def search(layer: int, at: int, price: float = 3e-3) -> torch.Tensor:
    """What to add to the MLP's output at a position to change each home: (24, d_model)."""
    d = torch.zeros(24, world.d_model, requires_grad=True)
    adam = torch.optim.Adam([d], lr=0.4)
    for _ in range(30):
        more = d.repeat_interleave(2, 0)[:, None]
        with edit(
            world, "mlp_out", layer, lambda old, _, more=more: old + more, positions=at
        ):
            says = model(taught).logits[:, -1].log_softmax(-1)
        loss = -says.gather(1, wanted).sum() / 2 + price * (d**2).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return d.detach()


# %% [markdown]
# Steps 1 and 3, on a copy of the model that is made fresh for every edit.


# %% tags=["idea"]
def keys(layer: int, at: int) -> torch.Tensor:
    """The activations at a position when a home is asked for: (24, neurons)."""
    seen = trace(world, taught, ["mlp_post"])["mlp_post", layer][:, at]
    return seen.unflatten(0, (24, 2)).mean(1)


def moment(layer: int) -> torch.Tensor:
    """The second moment of the activations over other stories, with a little on the diagonal."""
    seen = reference["mlp_post", layer][reference.mask]
    square = seen.T @ seen / len(seen)
    return square + 1e-3 * square.diagonal().mean() * torch.eye(len(square))


copy = deepcopy(model)


def write(layer: int, u: torch.Tensor, k: torch.Tensor, d: torch.Tensor) -> None:
    """Make the copy fresh again and put one entry more into the table of a layer."""
    copy.load_state_dict(model.state_dict())
    copy.transformer.h[layer].mlp.c_proj.weight += torch.outer(u, d) / (u @ k)


# %% [markdown]
# What we measure after an edit: whether the new town comes; whether it also comes where the person is only a pronoun
# ("Anna painted the dog . she lives in"); how many of the person's other facts have changed; how many homes of others
# have.

# %%
probes = [*asked["home"][:24], *asked["job"][:24], *asked["food"][:24]]
pronouns = [f"{name} painted the dog . {PRONOUN[name]} lives in" for name in PEOPLE]
probes = batch(world, [row.tolist() for row in [*probes, *rows(pronouns)]])
end = probes.mask.sum(1) - 1


def says(model) -> torch.Tensor:
    """Its answers: (home, job, food, home of a pronoun; 24 people)."""
    with torch.no_grad():
        return model(probes.tokens).logits[range(96), end].argmax(-1).view(4, 24)


BEFORE_EDIT = says(model)
assert (BEFORE_EDIT[0] == BEFORE_EDIT[3]).all()


def consequences(i: int) -> list[float]:
    """Works, pronoun follows, other facts of the person changed, homes of others changed."""
    now = says(copy)
    moved = (now != BEFORE_EDIT).float()
    others = (moved[0].sum() - moved[0, i]).item() / 23
    works = (now[[0, 3], i] == NEW_IDS[i]).float().tolist()
    return [*works, moved[1:3, i].mean().item(), others]


# %% [markdown]
# Five places: the name in the first layer, and the asking word in all four. The control has the same key and the same size, but a random direction *d*.

# %%
SITES = [(0, -3), (0, -1), (1, -1), (2, -1), (3, -1)]  # layer, position
found, effect, control = {}, [], []
noise = torch.randn(24, world.d_model, generator=generator)
noise = noise / noise.norm(dim=1, keepdim=True)


def after(layer: int, u, k, d, people) -> np.ndarray:
    """The mean consequences of an edit for each of some people."""
    each = []
    for i in people:
        write(layer, u[i], k[i], d[i])
        each.append(consequences(i))
    return np.mean(each, axis=0)


for layer, at in SITES:
    d, k = search(layer, at), keys(layer, at)
    u = torch.linalg.solve(moment(layer), k.T).T
    found[layer, at] = (u, k, d)
    effect.append(after(layer, u, k, d, range(24)))
    sized = noise * d.norm(dim=1, keepdim=True)
    control.append(after(layer, u, k, sized, range(0, 24, 3)))

# %% [markdown]
# The best place is the one where most edits work, with the fewest side effects among equals.

# %%
effect, control = np.array(effect), np.array(control)  # (5 places, 4 consequences)
best_at = int(np.lexsort((effect[:, 2] + effect[:, 3], -effect[:, 0]))[0])
of_edits = within(atol=0.09, because=EDITS)
of_edits(
    edit_pronoun=effect[best_at, 1],
    name_works=effect[0, 0],
    name_random_other_facts=control[0, 2],
)
of_edits(
    atol=0.05,
    edit_works=effect[best_at, 0],
    edit_other_facts=effect[best_at, 2],
    asking_other_facts=effect[1:, 2].max(),
)
of_edits(atol=0.01, edit_others=effect[best_at, 3])
of_edits(atol=0.0, edit_random=control[:, 0].max())
of_edits(atol=0.1, name_other_facts=effect[0, 2])

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.4)
WHAT = {"the edit works": BLUE, "the pronoun follows": GREEN}
WHAT |= {"the person's other facts change": ORANGE, "others' homes change": PURPLE}
for j, (what, colour) in enumerate(WHAT.items()):
    spots = np.arange(5) + 0.2 * (j - 1.5)
    ax.bar(spots, 100 * effect[:, j], width=0.19, color=colour, label=what)
    (dash,) = ax.plot(spots, 100 * control[:, j], "_", ms=9, mew=2.5, color=plots.INK)
dash.set_label("control: a random direction")
where = {-3: "name", -1: "asking"}
ax.set_xticks(range(5), [f"{where[at]}\nlayer {layer}" for layer, at in SITES])
ax.plot([0.5, 0.5], [0, 105], color=plots.MUTED, ls=":")
ax.set(ylabel="share (%)", ylim=(-3, 155), yticks=(0, 25, 50, 75, 100))
ax.grid(axis="x", visible=False)
ax.legend(loc="upper left", ncols=2)
figure(
    fig,
    name="edits",
    alt="Edits at the asking word nearly always work and the person's other facts stay. Edits at the name work as "
    "often, but most of the person's other facts change with them. Random edits change "
    "next to nothing.",
    caption="Homes of 24 people, one edit each on a fresh copy; the control for 8 of them.",
    data={"effect": effect, "control": control},
    rtol=0.14,
    because=EDITS,
)

# %% [markdown]
# At the asking word, which is where the ablations found the look-up, an edit in the best layer works for
# {{ result("mlps.edit_works", ".0%") }} of the people (the layer was chosen by that number,
# but three of the four are close), and the pronoun follows ({{ result("mlps.edit_pronoun", ".0%") }}): it seems to be
# looked up with much the same key. Nothing else of that person has changed
# ({{ result("mlps.asking_other_facts", ".0%") }} at most in any layer), nor do others move house.
#
# But at the **name**, where all MLPs could be taken away almost without harm, an edit in layer 0 works too, in
# {{ result("mlps.name_works", ".0%") }}. So that an edit works at a place does not show that the fact is kept there;
# [Hase et al. 2023](https://arxiv.org/abs/2301.04213) found in GPT-J
# that where ablations locate a fact hardly tells where an edit works. What tells
# the two places apart is the side effects: an edit at the name changes
# {{ result("mlps.name_other_facts", ".0%") }} of the person's other facts as well. Little of that is mere size: a random
# vector as long changes {{ result("mlps.name_random_other_facts", ".0%") }} of them.
#
# ## Who is Anna now?
#
# What does an edit at the name do, then? One guess: it does not rewrite one fact, but makes the model take the person for
# somebody else, who does live in the new town. Then the facts that changed should now be those of a resident of that
# town. The chance to compare with: of the nine wrong answers, the share that are true of a resident.

# %%
u, k, d = found[0, -3]
hits, chances = [], []
for i, town in enumerate(NEW):
    write(0, u[i], k[i], d[i])
    now = says(copy)
    for row, (truth, among) in ((1, (JOB, JOBS)), (2, (FOOD, FOODS))):
        old = truth[PEOPLE[i]]
        of_residents = {truth[name] for name in PEOPLE if HOME[name] == town} - {old}
        if VOCABULARY[now[row, i]] != old:
            hits.append(VOCABULARY[now[row, i]] in of_residents)
            chances.append(len(of_residents) / (len(among) - 1))
CHANGED = "of about 37 answers that changed, three may differ"
note(atol=0.1, because=CHANGED, becomes_resident=np.mean(hits))
note(atol=0.03, because=CHANGED, becomes_resident_chance=np.mean(chances))

# %% [markdown]
# And the grammar? We compare the edited models with the whole one on stories that have nothing to do with the edit:
# the divergence of their predictions, in nats a word.

# %%
sample = torch.stack([story for story in others if len(story) == 128][:6])
with torch.no_grad():
    whole = model(sample).logits.log_softmax(-1)


def apart(place) -> float:
    """How far edits at a place move the predictions for unrelated stories, in nats a word."""
    each = []
    for i in range(0, 24, 2):
        write(place[0], *(part[i] for part in found[place]))
        with torch.no_grad():
            now = copy(sample).logits.log_softmax(-1)
        each.append((whole.exp() * (whole - now)).sum(-1).mean().item())
    return np.mean(each)


of_edits(
    rtol=0.3, unit="nats", apart_name=apart((0, -3)), apart_asking=apart(SITES[best_at])
)

# %% [markdown]
# Of the answers that changed, {{ result("mlps.becomes_resident", ".0%") }} are those of a resident of the new town, where
# chance would give {{ result("mlps.becomes_resident_chance", ".0%") }}. So, for the larger part, the model was not taught where Anna lives.
# It now takes Anna, more or less, for somebody else. On unrelated stories the edit at the name costs
# {{ result("mlps.apart_name", ".3f") }} nats a word, the one at the asking word {{ result("mlps.apart_asking", ".4f") }}.
#
# ## What surprised us
#
# - MLPs at the name do nearly nothing for facts. In the larger models of the literature the subject is where they
#   matter.
# - The edit works all the same where the fact is not, and it gives itself away only by what it does to the *other*
#   facts. We had predicted side effects as a coin toss; they are a matter of place.
# - Without any MLP a model with two layers learns nearly all the facts.
# - The neurons that speak loudest for the facts can be removed together, and nothing is lost.
# - We were wrong about the worst MLP, which leaves more than half, if barely, and about its being one for facts: the
#   first layer's serves everything. We thought attention's worst layer as likely to cost more as not; it costs less.
#
# ## Try it yourself
#
# **1. The worst pair** (beginner, 5 minutes). Which two layers' MLPs, removed together at the asking word, cost the
# most facts? And which pair the fewest?
#
# ??? tip "Hint"
#     `known("mlp_out", [0, 1], "asking word")` for all six pairs.

# %% tags=["solution"]
pairs = {p: known("mlp_out", p, "asking word") for p in combinations(range(4), 2)}
assert min(pairs, key=pairs.get) == (0, 3), (
    f"{pairs}: the first and the last, not the middle"
)
print({p: round(float(share), 2) for p, share in pairs.items()})

# %% [markdown]
# **2. Without the second moment** (intermediate, 10 minutes). Use *u* = *k* instead of *C*⁻¹ *k* for the edit at the
# name in layer 0. Which of the four consequences changes most, and why?
#
# ??? tip "Hint"
#     How alike are the keys of two names? An entry for *k* adds (*u* · *k*′) / (*u* · *k*) of *d* for a key *k*′.

# %% tags=["solution"]
u, k, d = found[0, -3]
plain = after(0, k, k, d, range(0, 24, 3))
assert plain[3] > 5 * effect[0, 3], f"{plain}: do many homes of others change?"
print("works, pronoun, other facts, others' homes:", plain.round(2))

# %% [markdown]
# ## What this does not show
#
# - One model of 445 thousand parameters with 82 facts. Large models have more facts than they could keep at every
#   asking word, and names of several tokens that must be put together first; there MLPs at the name may well matter.
# - Mean ablation shows what the rest of *this* model can do without a part, not what the part would suffice for.
# - Neurons were looked at in the last layer only, and only by what they write straight to the output.
# - The search for the value was settled after trying three settings. Larger vectors made edits at the asking word, in
#   the first two layers, change some other facts too; smaller ones made most edits in the last layer fail. At the name
#   most other facts changed with all three.
# - Only homes were edited, one sentence form each; "knows" means that the likeliest next word is right.
#
# ## Links
#
# - Finding: [world looks its facts up at the asking word](../findings/mlps-facts-at-the-asking-word.md)
# - Finding: [An edit at the name changes who, not where](../findings/mlps-edit-at-the-name.md)
# - Surprise: [A model without MLPs knows the facts](../surprises/mlps-facts-without-mlps.md)
# - Dead end: [One neuron a fact](../dead-ends/mlps-one-neuron-a-fact.md)
# - Meng, Bau, Andonian & Belinkov (2022), [Locating and editing factual associations in GPT](https://arxiv.org/abs/2202.05262)
# - Geva, Schuster, Berant & Levy (2021), [Transformer feed-forward layers are key-value memories](https://arxiv.org/abs/2012.14913)
# - Hase, Bansal, Kim & Ghandeharioun (2023), [Does localization inform editing?](https://arxiv.org/abs/2301.04213)

# %% tags=["labels"]
in_words(
    worst_mlp="Facts right without the MLP that matters most",
    last_mlp="Facts right without the last MLP",
    middle_mlps="Facts right without the worse of the middle MLPs",
    attention_against_mlp="Facts right without the worst attention, minus without the worst MLP",
    every_mlp="Facts right without any MLP",
    no_mlps="Facts right in a model that never had MLPs",
    last_mlp_rest="Least right of any other rule without the last MLP",
    worst_layer="Layer of the MLP that matters most, from 0",
    rules_hit_harder="Other rules that suffer more from its loss",
    at_name="Facts right without all MLPs at the name",
    at_asking="Facts right without all MLPs at the asking word",
    at_stop="Facts right without all MLPs at the full stop before",
    name_against_asking="Difference between the two positions",
    one_at_asking="Facts right without any one MLP at the asking word, worst case",
    first_and_last="Facts right without the first and the last MLP there",
    attention_at_asking="Facts right without attention at the asking word",
    loud_neurons="Neurons that are loudest for some fact",
    one_neuron="Facts broken by the worst single neuron",
    all_loud="Facts right without all loud neurons",
    strong_half="Facts right without the strongest half of the last layer",
    random_half="Facts right without a random half of it",
    whole_layer="Facts right without the whole last layer of neurons",
    edit_works="Edits that work, best layer at the asking word",
    edit_pronoun="Edits that the pronoun follows",
    edit_other_facts="Other facts of the person that change",
    edit_others="Homes of others that change",
    edit_random="Random edits that work",
    asking_other_facts="Other facts changed by edits at the asking word, at most",
    name_works="Edits that work at the name",
    name_other_facts="Other facts changed by edits at the name",
    name_random_other_facts="Other facts changed by random edits at the name",
    becomes_resident="Changed answers that are those of a resident of the new town",
    becomes_resident_chance="The same by chance",
    apart_name="How far edits at the name move other predictions",
    apart_asking="How far edits at the asking word move other predictions",
)
