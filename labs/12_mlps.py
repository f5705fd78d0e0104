# ---
# title: What MLPs compute
# question: Where does a model keep a fact, and can you rewrite one fact without the rest?
# answer: >-
#   One added entry in one MLP gives {{ result("mlps.edit_works", ".0%") }} of the people a new home, even where the facts
#   hardly need that MLP.
# chapter: Inside
# level: intermediate
# models: [world]
# needs: [11_residual]
# tags: [MLP, facts, ablation, model editing]
# thumbnail: who
# timeout: 240
# ---

# %% tags=["setup"]
from collections import defaultdict
from contextlib import ExitStack
from copy import deepcopy
from itertools import pairwise

import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.model import ablate, batch, edit, replace, trace
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
of_edits = within(atol=0.09, because=EDITS)

# %% [markdown]
# ## A case you can hold: Anna lives in Isley
#
# *World* is our small language model, with four layers. In the stories that it has read, 24 people each have a home, a
# job and a favourite food, and ten towns each have a landmark. These 82 facts are the same in every story. Ask the
# model about Anna.

# %% tags=["setup"]
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


# %%
for question in ("Anna lives in", "Anna is a", "Anna likes"):
    print(question, VOCABULARY[likeliest(rows([question]))])

# %% tags=["setup"]
assert VOCABULARY[likeliest(rows(["Anna lives in"]))] == HOME["Anna"]

# %% [markdown]
# All three are right. Now we want Anna to live in Kelso, and to stay a sailor who likes honey. Which numbers in the model do
# we change?
#
# ## A neuron compares with its key and writes its value
#
# {{ drawing("neuron", alt="One neuron: it compares the stream with its key, passes the result through GELU, and adds its value to the stream as strongly as the two agree.") }}
#
# Each word carries a vector through the layers, its *stream*. In every layer attention adds something from earlier
# words. Then the *MLP* reads the stream of this one word and adds the sum of what its 128 *neurons* compute. The
# drawing shows one of them:
#
# $$
# \mathrm{MLP}(x) = \sum_{i} g(\k{k_i} \cdot x + b_i)\, \v{v_i} + c
# $$
#
# $x$ is the stream after a norm, which rescales it. Neuron $i$ compares it with its key $\k{k_i}$ and adds its value
# $\v{v_i}$ as strongly as the two agree. $g$ is GELU, which is nearly 0 below zero. $b_i$ and $c$ are constants.
#
# Imagine a neuron whose key agrees with the stream at *Anna lives in*, and whose value raises *Isley*. It is one entry
# of a table: at this pattern, add that. So an MLP can work as a table in which things are looked up ([Geva et al.
# 2021](https://arxiv.org/abs/2012.14913)). Unlike the keys of an attention head, a neuron's key is fixed.


# %% tags=["idea"]
def mlp(x, layer):  # x: (words, d_model), the stream
    block = model.transformer.h[layer]
    keys = block.mlp.c_fc.weight.T  # (neurons, d_model)
    values = block.mlp.c_proj.weight  # (neurons, d_model)
    agree = block.ln_2(x) @ keys.T + block.mlp.c_fc.bias
    active = block.mlp.act(agree)  # (words, neurons)
    return active @ values + block.mlp.c_proj.bias


# %% tags=["setup"]
seen = trace(world, f"{END} Anna lives in", ["resid_mid", "mlp_out"])
for layer in range(4):
    ours, theirs = mlp(seen["resid_mid", layer][0], layer), seen["mlp_out", layer][0]
    assert torch.allclose(ours, theirs, atol=1e-4), f"layer {layer}: ours differs"

# %% [markdown]
# If the MLP is a table, we can write one more entry into it: at *Anna*, add a vector $\v{d}$ that makes the model say
# *Kelso*. We change $W$, the matrix whose rows are the values. At each word $W$ receives the activations of all
# neurons, 128 numbers. So our entry must respond to the activations at *Anna*. We call them $\k{k}$, without an index.
# The method is ROME ([Meng et al. 2022](https://arxiv.org/abs/2202.05262)):
#
# $$
# W \leftarrow W + \frac{u\, \v{d}^{\top}}{u \cdot \k{k}}, \qquad u = C^{-1} \k{k}
# $$
#
# The new part has *rank one*: all its rows are multiples of $\v{d}$. Activations $\k{k}$ meet $u$, the factor
# $u \cdot \k{k}$ cancels, and exactly $\v{d}$ comes out. Which other words receive some of $\v{d}$ depends on $u$.
# $C$, the *second moment*, is the mean of $\k{k} \k{k}^{\top}$ over other stories; its inverse turns $u$ away from
# what many words have in common. We find $\v{d}$ by 30 steps of gradient descent.

# %% tags=["idea"]
copy = deepcopy(model)


def write(layer, u, k, d):  # u, k: (neurons,), d: (d_model,)
    copy.load_state_dict(model.state_dict())  # a fresh copy
    W = copy.transformer.h[layer].mlp.c_proj.weight
    W += torch.outer(u, d) / (u @ k)  # (neurons, d_model)


# %% [markdown]
# ```exercise
# title: What another word receives
# minutes: 3
# code: |
#   change = torch.outer(u, d) / (u @ k)
#   assert allclose(k @ change, d)
#   # k2: activations at another word
#   share = ▢  # of d that it receives
#   assert allclose(k2 @ change, share * d)
# right: ["(u @ k2) / (u @ k)", "(k2 @ u) / (u @ k)", "(k2 @ u) / (k @ u)", "(u @ k2) / (k @ u)", "u @ k2 / (u @ k)", "k2 @ u / (u @ k)", "k2 @ u / (k @ u)"]
# praise: "This is 0 only if k2 is at right angles to u. So the edit turns u away from keys that are common."
# wrong:
#   "0": "Then the edit would touch no other word. That is so only if k2 is at right angles to u."
#   "1": "That is the share of the word we edit. How strongly does k2 meet u?"
#   "u @ k2": "Nearly. The change is also divided by a number."
#   "k2 @ u": "Nearly. The change is also divided by a number."
#   "(k2 @ k) / (k @ k)": "This is right only if u = k. Which vector does the change compare with?"
#   "k2 @ k": "This is right only if u = k, and the division is missing."
# otherwise: "`k2 @ torch.outer(u, d)` is d times one number. Divide that number as the change is divided."
# solution: "`(u @ k2) / (u @ k)`. `k2 @ torch.outer(u, d)` is `(u @ k2) * d`, and the change divides by `u @ k`."
# ```
#
# ## Your prediction
#
# Our entry responds to the name. It could also respond to *in*, the word from which the answer is predicted: we call it
# the *asking word*. At the name the model has read *Anna* and not yet the question. We edit the first layer there, and
# it works: the model now says that Anna lives in Kelso.

# %%
ask(
    "Anna's home was rewritten at her name. What does the model say about her job and her favourite food?",
    choices={
        "same": "As before: a sailor, and honey. Only the home was written",
        "random": "Something wrong, without a pattern: the edit did damage",
        "someone": "The job and the food of another person",
    },
    answer="someone",
    because={
        "same": "The entry was written for one question alone. But at the name the model does not know yet what will be asked.",
        "random": "An edit that goes too far looks like damage. But the answers that change mostly have a pattern.",
        "someone": "At the name there is nothing to look up but who this is. The new entry makes the name look like another.",
    },
    figure="who",
    name_other_facts="> 0.5",
    becomes_resident="> 0.4",
)

# %%
predict(
    "Without the MLP that matters most, fewer than half of the facts are right",
    0.6,
    worst_mlp="< 0.5",
)
predict("That MLP is in the first layer", 0.4, worst_layer="== 0")
predict("Its loss costs facts more than any other rule", 0.6, rules_hit_harder="== 0")
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
# ## Edited at the name, Anna becomes somebody else

# %% tags=["setup"]
others = [word_ids(token.word for token in story[:128]) for story in held_out(seed=9, n=40)]
reference = trace(world, others, ["mlp_out", "mlp_post", "attn_out"])
BEFORE = ["the old frog waits .", "the boats are lively ."]
asked = {
    kind: rows([f"{before} {name} {how}" for before in BEFORE for name in truth])
    for kind, (how, truth, _) in KINDS.items()
}
answers = {
    kind: word_ids(truth[name] for _ in BEFORE for name in truth)
    for kind, (_, truth, _) in KINDS.items()
}

# The random draws of the whole lab: halves of a layer, later random edits.
generator = torch.Generator().manual_seed(0)
draws = [torch.randperm(128, generator=generator)[:64].tolist() for _ in range(5)]

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


def keys(layer: int, at: int) -> torch.Tensor:
    """The activations at a position when a home is asked for: (24, neurons)."""
    seen = trace(world, taught, ["mlp_post"])["mlp_post", layer][:, at]
    return seen.unflatten(0, (24, 2)).mean(1)


def moment(layer: int) -> torch.Tensor:
    """The second moment of the activations over other stories, with a little on the diagonal."""
    seen = reference["mlp_post", layer][reference.mask]
    square = seen.T @ seen / len(seen)
    return square + 1e-3 * square.diagonal().mean() * torch.eye(len(square))


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

effect, control = np.array(effect), np.array(control)  # (5 places, 4 consequences)
best_at = int(np.lexsort((effect[:, 2] + effect[:, 3], -effect[:, 0]))[0])
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

FACTS_OF = {name: (HOME[name], JOB[name], FOOD[name]) for name in PEOPLE}
hits, chances, exact, cards = [], [], {}, {}
for where, place in (("name", (0, -3)), ("asking word", SITES[best_at])):
    exact[where] = []
    for i, name in enumerate(PEOPLE):
        write(place[0], *(part[i] for part in found[place]))
        now = says(copy)[:3, i].tolist()
        now = tuple(VOCABULARY[word] for word in now)  # home, job, food
        exact[where].append(any(now == FACTS_OF[m] for m in PEOPLE if m != name))
        if name == "Anna":
            cards[where] = now
        if where == "asking word":
            continue
        for word, old, truth, among in zip(
            now[1:], FACTS_OF[name][1:], (JOB, FOOD), (JOBS, FOODS), strict=True
        ):
            of_residents = {truth[m] for m in PEOPLE if HOME[m] == NEW[i]} - {old}
            if word != old:
                hits.append(word in of_residents)
                chances.append(len(of_residents) / (len(among) - 1))
CHANGED = "of about 37 answers that changed, three may differ"
note(atol=0.1, because=CHANGED, becomes_resident=np.mean(hits))
note(atol=0.03, because=CHANGED, becomes_resident_chance=np.mean(chances))
of_edits(exactly_another=np.mean(exact["name"]))
of_edits(exactly_another_asking=np.mean(exact["asking word"]))
twin = [name for name in PEOPLE if FACTS_OF[name][1:] == cards["name"][1:]]
note(anna_has_anothers_facts=bool(twin))

# %% tags=["drawing"]
fig, (card, bars) = plots.subplots(1, 2, height=2.5)
twin_name = twin[0] if twin else "nobody"
columns = {
    "Anna\nbefore": FACTS_OF["Anna"],
    "edit at\nthe name": cards["name"],
    f"{twin_name}\n ": FACTS_OF.get(twin_name, ("", "", "")),
}
for x, (title, words) in enumerate(columns.items()):
    card.text(x, 0, title, ha="center", va="center", weight="bold", fontsize=10)
    for y, word in enumerate(words, start=1):
        moved = word != FACTS_OF["Anna"][y - 1]
        ink = plots.INK if x == 2 else ORANGE if moved else BLUE
        weight = "bold" if moved and x == 1 else None
        card.text(x, y, word, ha="center", va="center", color=ink, weight=weight)
for y, what in enumerate(("home", "job", "food"), start=1):
    card.text(-0.95, y, what, ha="center", va="center", color=plots.MUTED)
card.set(xlim=(-1.3, 2.5), ylim=(3.5, -0.6), title=f"Anna has {twin_name}'s job and food")
card.axis("off")
changed = effect[0, 2]
parts_of = {
    "same": (1 - changed, BLUE, "unchanged"),
    "someone": (changed * np.mean(hits), ORANGE, "a resident's"),
    "random": (changed * (1 - np.mean(hits)), plots.MUTED, "other"),
}
start = 0
for key, (share, colour, label) in parts_of.items():
    (bar,) = bars.barh(0, 100 * share, left=start, color=colour, height=0.5)
    bar.set_gid(f"choice-{key}")
    bars.text(
        start + 50 * share, 0.4, f"{label}\n{100 * share:.0f}%", ha="center", va="top"
    )
    start += 100 * share
bars.barh(1.6, 100 * (1 - effect[best_at, 2]), color=BLUE, height=0.5)
bars.text(
    50, 2.0, f"unchanged {100 * (1 - effect[best_at, 2]):.0f}%", ha="center", va="top"
)
bars.text(0, -0.35, "edited at the name", weight="bold", va="bottom")
bars.text(0, 1.25, "control: at the asking word", weight="bold", va="bottom")
bars.set(xlim=(0, 100), ylim=(2.6, -0.9), title="The same for all 24 people")
bars.axis("off")
figure(
    fig,
    name="who",
    alt="After the edit at her name, Anna has a new home, and the job and the food of another person. Over all 24 people 23% of jobs "
    "and foods are unchanged, 48% are those of a resident of the new town, 29% something else. Edited at the asking word all "
    "are unchanged.",
    caption="First panel: orange is new; the edit should have changed the home alone. Second: 48 jobs and foods; orange is what a resident of the new town does or eats.",
    data={
        "name": np.array([share for share, *_ in parts_of.values()]),
        "asking": effect[best_at],
    },
    rtol=0.2,
    because=EDITS,
)

# %% [markdown]
# Anna now has another person's job and food, and she is no exception. For {{ result("mlps.exactly_another", ".0%") }}
# of the 24 people all three answers are now exactly those of somebody else. If we edit at the asking word instead, the
# control, it is {{ result("mlps.exactly_another_asking", ".0%") }}: one person who, with only the home changed, happens
# to match another.
#
# Of the jobs and foods that changed, orange and grey in the bar, {{ result("mlps.becomes_resident", ".0%") }} are true
# of a resident of the new town. Chance would give {{ result("mlps.becomes_resident_chance", ".0%") }}. So the edit did
# not teach the model where a person lives. It taught the model that this is somebody who lives there. (Nobody lives in
# Kelso, so Anna took the facts of somebody from elsewhere.)
#
# ## Edited at the asking word, one fact changes and no other

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=2.9, sharey=True)
where = {-3: "name", -1: "asking word"}
labels = [f"{where[at]}, layer {layer}" for layer, at in SITES]
for ax, column, title, colour in zip(
    axes,
    (0, 2),
    ("The edit works nearly everywhere", "At the name, other facts change"),
    (BLUE, ORANGE),
    strict=True,
):
    ax.barh(range(5), 100 * effect[:, column], color=colour, height=0.55)
    ax.plot(100 * control[:, column], range(5), "|", ms=14, mew=2.5, color=plots.INK)
    for y, share in enumerate(effect[:, column]):
        ax.text(100 * share + 3, y, f"{100 * share:.0f}", va="center")
    ax.set(title=title, xlim=(0, 118), xticks=(0, 50, 100))
    ax.grid(axis="y", visible=False)
axes[0].set_yticks(range(5), labels)
axes[0].invert_yaxis()
axes[0].set_xlabel("new town is said (%)")
axes[1].set_xlabel("job or food changes (%)")
figure(
    fig,
    name="edits",
    alt="Edits work for about 96% of the people at the name and at the asking word, a little fewer in the last layer. The person's "
    "job and food change after an edit at the name, and never after one at the asking word. Random edits do next to nothing.",
    caption="Homes of 24 people, one edit each on a fresh copy. Black ticks, the control: a random direction as large, for 8 people.",
    data={"effect": effect, "control": control},
    rtol=0.14,
    because=EDITS,
)

# %% [markdown]
# At the asking word the best layer's edit works for {{ result("mlps.edit_works", ".0%") }} of the people, and no job or
# food changes. The pronoun follows, too: after *Anna painted the dog . she lives in* the model names the new town in
# {{ result("mlps.edit_pronoun", ".0%") }} of the cases. At the asking word the stream holds both who is meant and what
# is asked. So the entry can respond to this one question.
#
# At the name the edit works as often. So where is the fact kept: at the name, at the asking word, or at both?
#
# ## Attention brings most facts, and MLPs say which kind of word must come
#
# To find out, we silence the MLPs at the asking word and ask for all 82 facts, each after two opening sentences. To
# silence an MLP we replace what it adds by something that does not know the answer. But by what? Take the *in* of *Anna
# lives in*. The obvious choice is the mean of what the MLP adds at all words of other stories. A fairer choice is the
# mean of what it adds at this *in* after the 23 other names. That mean still knows the *question*, but no longer the
# *person*.


# %% tags=["idea"]
def over_others(seen):  # (2 sentences x people, 1, d_model)
    seen = seen.unflatten(0, (2, -1))
    total = seen.sum(1, keepdim=True)  # leave each person out
    return ((total - seen) / (seen.size(1) - 1)).flatten(0, 1)


def from_another(seen, shift=1):  # the next person's instead
    seen = seen.unflatten(0, (2, -1))
    return seen.roll(shift, 1).flatten(0, 1)


# %% tags=["setup"]
whole = {kind: trace(world, asked[kind], ["mlp_out", "attn_out"]) for kind in KINDS}
group = {kind: word_ids(replies) for kind, (*_, replies) in KINDS.items()}


def over_who_differ(seen, kind):
    """The stricter mean: over those people alone whose answer is another."""
    truth = answers[kind].unflatten(0, (2, -1))[0]
    differ = (truth[:, None] != truth).float()  # (person, person)
    weights = differ / differ.sum(1, keepdim=True)
    seen = seen.unflatten(0, (2, -1))
    return torch.einsum("pq,sqwd->spwd", weights, seen).flatten(0, 1)


HOW = {  # what stands there instead: of what the part writes now, the kind of fact, and (place, layer)
    "all words": lambda now, kind, at: reference[at][reference.mask].mean(0),
    "others": lambda now, kind, at: over_others(now),
    "who differ": lambda now, kind, at: over_who_differ(now, kind),
    "itself": lambda now, kind, at: now,
}
for shift in range(1, 10):
    HOW[shift] = lambda now, kind, at, shift=shift: from_another(now, shift)


def replaced(how, place="mlp_out", at=("asking",), layers=range(4)) -> dict:
    """Logits by kind of fact when parts are replaced at some words: (2 sentences x people, vocabulary)."""
    logits = {}
    for kind, (asks, *_) in KINDS.items():
        spots = {"name": -1 - len(asks.split()), "asking": -1}
        with ExitStack() as stack, torch.no_grad():
            for word in at:
                for layer in layers:
                    now = whole[kind][place, layer][:, [spots[word]]]
                    new = HOW[how](now, kind, (place, layer))
                    edit_here = replace(world, place, layer, new, positions=spots[word])
                    stack.enter_context(edit_here)
            logits[kind] = model(asked[kind]).logits[:, -1]
    return logits


def shares(logits: dict, kinds=tuple(KINDS)) -> np.ndarray:
    """Of the facts: right, of the right kind, right among the words of its kind."""
    each = []
    for kind in kinds:
        said, choices, truth = logits[kind].argmax(-1), group[kind], answers[kind]
        among = choices[logits[kind][:, choices].argmax(-1)]
        each.append(torch.stack([said == truth, torch.isin(said, choices), among == truth]))
    return torch.cat(each, 1).double().mean(1).numpy()


def margin(logits: dict) -> float:
    """The right answer's logit less that of the next best of its kind; the median over facts."""
    each = []
    for kind, rows_ in logits.items():
        right_one = group[kind] == answers[kind][:, None]
        of_kind = rows_[:, group[kind]]
        rest = of_kind.masked_fill(right_one, -torch.inf).max(1).values
        each.append(of_kind[right_one] - rest)
    return torch.cat(each).median().item()


by_words, by_others = replaced("all words"), replaced("others")
donors, own, theirs = [], [], []
for shift in range(1, 10):
    logits = replaced(shift)
    donors.append(shares(logits))
    for kind in KINDS:
        said, truth = logits[kind].argmax(-1), answers[kind]
        donor = from_another(truth, shift)
        own.append((said == truth)[donor != truth])
        theirs.append((said == donor)[donor != truth])
table = {
    "nothing replaced": shares(replaced("itself")),
    "mean over all words": shares(by_words),
    "mean over other people": shares(by_others),
    "another person's MLPs": np.mean(donors, axis=0),
    "mean over other people, at the name too": shares(
        replaced("others", at=("name", "asking"))
    ),
    "attention instead: mean over other people": shares(replaced("others", "attn_out")),
}
assert table["nothing replaced"][0] == 1
note(
    atol=0.02,
    asking_words_kind=table["mean over all words"][1],
    asking_others_kind=table["mean over other people"][1],
)
note(
    asking_words_among=table["mean over all words"][2],
    asking_others=table["mean over other people"][0],
    asking_differ=shares(replaced("who differ"))[0],
    asking_others_home=shares(by_others, ["home"])[0],
    asking_others_job=shares(by_others, ["job"])[0],
    last_mlp_others=shares(replaced("others", layers=[3]))[0],
    name_others=shares(replaced("others", at=("name",)))[0],
    both_words_others=table["mean over other people, at the name too"][0],
    both_words_differ=shares(replaced("who differ", at=("name", "asking")))[0],
    attention_others=table["attention instead: mean over other people"][0],
    another_persons=table["another person's MLPs"][0],
    another_follows=torch.cat(theirs).double().mean(),
    another_stays=torch.cat(own).double().mean(),
)
of_logits = within(rtol=0.05, because="a median of logits")
of_logits(
    unit="logits", margin_whole=margin(replaced("itself")), margin_others=margin(by_others)
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=4.3)
for y, (label, (right_share, kind_share, _)) in enumerate(table.items()):
    wide = 100 * np.array([right_share, kind_share - right_share, 1 - kind_share])
    starts = np.cumsum([0, *wide[:2]])
    for start, share, colour in zip(starts, wide, (BLUE, ORANGE, plots.MUTED), strict=True):
        ax.barh(y, share, left=start, color=colour, height=0.45)
        if share > 8:
            number = f"{share:.0f}"
            ax.text(
                start + share / 2, y, number, ha="center", va="center", color=plots.PAPER
            )
    ax.text(0, y - 0.3, label, va="bottom")
ax.text(0, -0.85, "right", color=BLUE, weight="bold")
ax.text(40, -0.85, "wrong, same kind", color=ORANGE, weight="bold", ha="center")
ax.text(100, -0.85, "other word", color=plots.MUTED, weight="bold", ha="right")
ax.set(
    xlim=(0, 100),
    ylim=(len(table) - 0.6, -1.2),
    xlabel="answers to 82 facts (%)",
    yticks=(),
)
ax.set_title("The replacement decides what you find")
ax.grid(visible=False)
figure(
    fig,
    name="replaced",
    alt="Stacked bars. With the mean over all words in place of the MLPs at the asking word no answer is right and none is of the right kind. "
    "With the mean over other people 85% are right. With another person's MLPs a quarter are right and the others are of the right kind. "
    "With the mean over other people at the name as well 48% are right. With attention replaced by its mean over other people 20% are right.",
    caption="All four MLPs at the asking word, unless the label says otherwise. The last row, the control, is what a model says that does not know the person.",
    data={"table": np.array(list(table.values()))},
    rtol=0.1,
    because=FLIPS,
)

# %% [markdown]
# The two means lead to opposite conclusions. With the mean over all words, {{ result("mlps.at_asking", ".0%") }} of the
# facts are right, as if the MLPs had held them all. But asked for a town, this model does not even answer with a town.
# Let only the towns compete, or only the jobs, and {{ result("mlps.asking_words_among", ".0%") }} are right. So this
# mean takes away which *kind* of word must come, and leaves the fact.
#
# With the mean over other people, {{ result("mlps.asking_others", ".0%") }} of the facts are right, although the MLPs
# now know nothing of the person. So attention brings most facts to the asking word. Put the same mean in place of
# attention, and the model no longer knows the person: {{ result("mlps.attention_others", ".0%") }} are right. It had to
# be so, since only attention moves anything between words.
#
# ## The MLPs make a fact louder, and can overrule it
#
# What do the MLPs do about Anna, then? First, they amplify. The whole model puts the right answer
# {{ result("mlps.margin_whole", ".1f") }} logits above the next best of its kind. Without what the MLPs know about the
# person, it is {{ result("mlps.margin_others", ".1f") }}. (Each logit more makes an answer about 2.7 times as likely.)
#
# Second, they can overrule. Put another person's MLPs at the asking word, and leave attention alone. Where the two
# people's answers differ, the model follows the MLPs in {{ result("mlps.another_follows", ".0%") }} of the cases, and
# attention in {{ result("mlps.another_stays", ".0%") }}. That is why an edit of an MLP works at a word where most facts
# do not need the MLP. The edit does not find the stored fact. It drowns it out.
#
# We tried to break the first finding, that attention brings most facts. Some of the other people share the answer, so
# their mean still contains it. With the mean over people who have another answer,
# {{ result("mlps.asking_differ", ".0%") }} are right, and in unseen stories {{ result("mlps.stories_differ", ".0%") }}.
# That is most facts, but no longer nearly all. Most jobs and foods survive, most homes and landmarks do not.

# %% tags=["drawing"]
KINDS_SHOWN = {"home": "homes", "job": "jobs", "food": "foods", "landmark": "landmarks"}
strict = replaced("who differ")
by_kind = np.array(
    [[shares(logits, [kind])[0] for kind in KINDS] for logits in (by_others, strict)]
)
fig, ax = plots.subplots(height=2.3)
for x, (high, low) in enumerate(100 * by_kind.T):
    ax.plot([low, high], [x, x], color=plots.MUTED, lw=1.5)
    ax.plot(high, x, "o", color=BLUE, ms=9)
    ax.plot(low, x, "s", color=ORANGE, ms=8)
ax.text(100 * by_kind[0, 0], -0.35, "over other people", color=BLUE, ha="center")
ax.text(100 * by_kind[1, 0], 0.6, "whose answer differs", color=ORANGE, ha="center")
ax.set_yticks(range(4), KINDS_SHOWN.values())
ax.set(
    xlim=(0, 104),
    ylim=(3.5, -0.95),
    xlabel="facts right (%)",
)
ax.set_title("Jobs and foods stay; homes need MLPs")
ax.grid(axis="y", visible=False)
figure(
    fig,
    name="by_kind",
    alt="By the mean over other people nearly all jobs and foods are right, 70% of landmarks and 62% of homes. By the mean over people with "
    "another answer 94% of jobs and foods, but only 27% of homes and 10% of landmarks.",
    caption="The same replacement, two means. Where the two marks are far apart, people who share the answer had helped.",
    data={"by_kind": by_kind},
    rtol=0.1,
    because=FLIPS,
)

# %% [markdown]
# The second attempt broke more. Silence the MLPs at the name alone, with the mean over other people, and
# {{ result("mlps.name_others", ".0%") }} of the facts are right. Silence them at both words, and
# {{ result("mlps.both_words_others", ".0%") }} are, as the fifth bar above shows. The two words back each other up.
#
# So attention brings most facts *from a name that an MLP has already worked on*. If no MLP knows the person, it brings fewer than half,
# and some of these are guesses.
#
# ## A neuron can be read, and no neuron is a fact
#
# Is each neuron the entry of one fact? The last layer's MLP writes directly to the output, so we can read its neurons:
# which answers does the value push up, and for which facts is the neuron most active? For every fact one neuron is the
# *loudest*: it pushes hardest for the right answer. Here are the four that are loudest most often.

# %% tags=["setup"]
texts = [f"{name} {how}" for how, truth, _ in KINDS.values() for name in truth]
truths = [truth[name] for _, truth, _ in KINDS.values() for name in truth]
N = {kind: len(truth) for kind, (_, truth, _) in KINDS.items()}


def at_asking(kind: str) -> torch.Tensor:
    """What the last layer's neurons put out at the asking word: (fact, neuron)."""
    return trace(world, asked[kind][: N[kind]], ["mlp_post"])["mlp_post", 3][:, -1]


active = torch.cat([at_asking(kind) for kind in KINDS])  # (82 facts, 128 neurons)
mean = torch.stack([reference["mlp_post", i][reference.mask].mean(0) for i in range(4)])

replies = [*TOWNS, *JOBS, *FOODS, *LANDMARKS]
unembed = model.lm_head.weight[word_ids(replies)] * model.transformer.ln_f.weight
values = (
    model.transformer.h[3].mlp.c_proj.weight @ (unembed - unembed.mean(0)).T
)  # (128, 36)
of_truth = values[:, [replies.index(word) for word in truths]].T  # (82, 128)
loudest = ((active - mean[3]) * of_truth).argmax(1)  # for each fact

# %% tags=["idea"]
for neuron in loudest.bincount().argsort(descending=True)[:4]:
    hears = active[:, neuron].topk(3).indices  # three facts of 82
    pushes = values[neuron].topk(3).indices  # three answers of 36
    hears = ", ".join(texts[i] for i in hears.tolist())
    pushes = ", ".join(replies[i] for i in pushes.tolist())
    print(f"neuron {neuron}, key and value:")
    print(f"  {hears}")
    print(f"  {pushes}")


# %% tags=["setup"]
def kept(neurons: list[int]) -> float:
    """The share of facts that is right without some neurons of the last layer."""
    hits = []
    for kind in KINDS:
        with ablate(world, "mlp_post", 3, by="mean", reference=reference, neurons=neurons):
            hits += (likeliest(asked[kind]) == answers[kind]).tolist()
    return np.mean(hits)


loud = loudest.unique().tolist()
strong = ((active - mean[3]) * of_truth).clamp(min=0).sum(0).argsort(descending=True)

note(
    loud_neurons=len(loud),
    all_loud=kept(loud),
    random_half=np.median([kept(d) for d in draws]),
    whole_layer=kept(list(range(128))),
)
note(atol=0.02, one_neuron=1 - min(kept([neuron]) for neuron in loud))
note(atol=0.04, strong_half=kept(strong[:64].tolist()))

# %% [markdown]
# The output looks like a list of facts. It is not one. We silence all {{ result("mlps.loud_neurons") }} neurons that
# are loudest for some fact, at every word, and {{ result("mlps.all_loud", ".0%") }} of the facts are still right. Each
# fact is spread over many neurons ([dead end](../dead-ends/mlps-one-neuron-a-fact.md)).
#
# ## What surprised us
#
# **We had published the opposite.** This page used to say that *World* looks its facts up in the MLPs of the asking
# word, because none is right without them. The number was correct, but the mean had removed the question as well ([the
# finding as it stood](../findings/mlps-facts-at-the-asking-word.md)).
#
# **An edit works where hardly any fact needs the MLP.** At the name nearly all facts survive without the MLPs, and an
# edit there works in {{ result("mlps.name_works", ".0%") }} of the cases. [Hase et al.
# (2023)](https://arxiv.org/abs/2301.04213) found the same in GPT-J: where an ablation, as silencing is called, locates
# a fact says little about where an edit works.
#
# ## Try it
#
# **1. Which layer overrules?** (5 minutes). Put another person's MLP at the asking word in one layer alone. Which layer costs the most facts? Predict it before you run it.
#
# ??? tip "Hint"
#     `shares(replaced(1, layers=[0]))[0]` is the share of facts right with the next person's MLP in layer 0.

# %% tags=["solution"]
alone = [shares(replaced(1, layers=[layer]))[0] for layer in range(4)]
assert np.argmin(alone) == 3, f"{alone}: is one layer replaced, at the asking word?"
for layer, share in enumerate(alone):
    print(f"another's MLP in layer {layer}: {share:4.0%} of facts right")

# %% [markdown]
# **2. Without the second moment** (10 minutes). Use $u = k$ instead of $C^{-1} k$ for the edit at the name in layer 0.
# Four things can follow from the edit: it works, the pronoun follows, the person's other facts change, other people's
# homes change. Which of the four changes most, and why?
#
# ??? tip "Hint"
#     `u, k, d = found[0, -3]` are the edits at the name, and `after(0, u, k, d, range(24))` measures the four. How
#     similar are the activations at two names? An entry for $k$ adds $(u \cdot k') / (u \cdot k)$ of $d$ at $k'$.

# %% tags=["solution"]
u, k, d = found[0, -3]
plain = after(0, k, k, d, range(0, 24, 3))
assert plain[3] > 5 * effect[0, 3], f"{plain}: do many homes of others change?"
what = "the edit works", "the pronoun follows", "other facts change", "others' homes change"
for name, share in zip(what, plain, strict=True):
    print(f"{name:20} {share:4.0%}")

# %% [markdown]
# ## You can now
#
# - read an MLP as keys and values, and write one more entry into it by a rank-one edit;
# - choose what to replace a part with, and name what that replacement takes away;
# - find out whether an edit changed a fact or a person, by asking for everything else.
#
# ## What this does not show
#
# - Anything but one kind of model. We show one training of it, with 445 thousand parameters, 82 facts and names of one
#   token. Large models must first put a name together from several tokens; there MLPs at the name may well matter more.
# - What an MLP could do on its own. A mean shows what the rest of *this* model can do without it, and a mean over few
#   people still contains some of their answers.
# - Edits of anything but homes, asked for in one form of sentence. We chose the number of search steps after trying
#   three settings; at the name most other facts changed with all three.
#
# ## Going deeper
#
# ### One layer at a time, over all rules
#
# Which rules does each MLP serve? We sort the places where a rule decides the next word, in 80 unseen stories, and replace one
# layer at every word by its mean over all words of other stories. The control is a model that has learned the same
# language without any MLP, *World, attention only*.

# %% tags=["setup"]
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

# %% tags=["drawing"]
SHOWN = [*KINDS, "agreement", "indirect_object", "pronoun", "list", "closing"]
by_rule = np.array([[100 * np.mean(of[rule]) for rule in SHOWN] for of in right.values()])
fig, ax = plots.subplots(height=4.6)
ax.imshow(by_rule, cmap=plots.SEQUENTIAL, vmin=0, vmax=125, aspect="auto")
for (i, j), share in np.ndenumerate(by_rule):
    ink = plots.PAPER if share > 62 else plots.INK
    ax.text(j, i, f"{share:.0f}", ha="center", va="center", fontsize=9.5, color=ink)
ax.axvline(3.5, color=plots.PAPER, lw=4)
SHORT = {"indirect_object": "indirect object"}
labels = [SHORT.get(rule, rule) for rule in SHOWN]
ax.set_xticks(range(len(SHOWN)), labels, rotation=90)
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
# Read the figure row by row. Without the first MLP {{ result("mlps.worst_mlp", ".0%") }} of the facts are right, the
# fewest for any one layer. But {{ result("mlps.rules_hit_harder") }} other rules suffer even more: this MLP serves
# nearly everything.
#
# The last MLP seems to serve facts alone. Without it {{ result("mlps.last_mlp", ".0%") }} of them are right, and at
# least {{ result("mlps.last_mlp_rest", ".0%") }} of every other rule. But this mean, too, removes the kind of the
# answer. By the mean over other people at the asking word, {{ result("mlps.last_mlp_others", ".0%") }} of the facts
# stay.
#
# Without all four MLPs no fact is right. Yet the model that never had an MLP knows {{ result("mlps.no_mlps", ".0%") }}
# ([surprise](../surprises/mlps-facts-without-mlps.md)). Its attention heads hold them, as [Weights
# alone](13_weights.md) reads off the weights.
#
# ### The same in stories
#
# We take every fact in these stories and replace the MLPs at its asking word by the mean over places of the same kind
# with another answer.

# %% tags=["setup"]
told = [
    (kind, [token.word for token in stories[n][: i + 1]], token.word)
    for kind in KINDS
    for n, i, token in decided[kind]
]
wrote = []
for _, words, _ in told:
    here = trace(world, word_ids(words)[None], ["mlp_out"])
    wrote.append(torch.stack([here["mlp_out", layer][0, -1] for layer in range(4)]))
kept_in_stories = []
for kind, words, truth in told:
    like = [
        w for w, (k_, _, t) in zip(wrote, told, strict=True) if k_ == kind and t != truth
    ]
    mean_like = torch.stack(like).mean(0)  # (layer, d_model)
    with ExitStack() as stack:
        for layer in range(4):
            put = replace(world, "mlp_out", layer, mean_like[layer], positions=-1)
            stack.enter_context(put)
        said = likeliest(word_ids(words)[None])
    kept_in_stories.append(VOCABULARY[said] == truth)
note(stories_differ=np.mean(kept_in_stories), stories_facts=len(told))

# %% [markdown]
# Of {{ result("mlps.stories_facts") }} facts {{ result("mlps.stories_differ", ".0%") }} are right, fewer than behind
# our two fixed sentences.
#
# ### By layer, at the name and at the asking word
#
# Here is the measurement that misled us, in full. We replace the MLPs by the mean over all words, at one word of each
# prompt. The control is the full stop before the name.

# %% tags=["setup"]
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
fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
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
# Removing any one MLP at the asking word leaves at least {{ result("mlps.one_at_asking", ".0%") }} of the facts right.
# Removing the first and the last together leaves {{ result("mlps.first_and_last", ".0%") }}. The MLPs share the work of
# choosing the kind of word.
#
# ### How far an edit reaches
#
# How far, in nats a word, does an edit move the predictions for unrelated stories? Zero would mean not at all.

# %% tags=["setup"]
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
# The edit at the name moves them by {{ result("mlps.apart_name", ".3f") }}, the one at the asking word by
# {{ result("mlps.apart_asking", ".4f") }}.
#
# Does the edit at the name do damage because it is large? A random vector just as large changes only
# {{ result("mlps.name_random_other_facts", ".0%") }} of the person's other facts. So it does damage by its direction.
#
# - After this: [Ten questions](../quiz.md) on the labs so far
# - Finding: [Attention brings most facts, MLPs say their kind](../findings/mlps-attention-brings-facts.md)
# - Finding: [An edit at the name changes who, not where](../findings/mlps-edit-at-the-name.md)
# - Superseded: [World looks its facts up at the asking word](../findings/mlps-facts-at-the-asking-word.md)
# - Surprise: [A model without MLPs knows the facts](../surprises/mlps-facts-without-mlps.md)
# - Dead end: [One neuron a fact](../dead-ends/mlps-one-neuron-a-fact.md)
# - Meng, Bau, Andonian & Belinkov (2022), [Locating and editing factual associations in GPT](https://arxiv.org/abs/2202.05262)
# - Geva, Schuster, Berant & Levy (2021), [Transformer feed-forward layers are key-value memories](https://arxiv.org/abs/2012.14913)
# - Hase, Bansal, Kim & Ghandeharioun (2023), [Does localization inform editing?](https://arxiv.org/abs/2301.04213)

# %% tags=["setup"]
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
    exactly_another="People whose three answers after an edit at the name are exactly another's",
    exactly_another_asking="The same after an edit at the asking word",
    anna_has_anothers_facts="Anna's job and food after her edit are both those of one other person",
    asking_words_kind="Answers of the right kind without MLPs at the asking word, mean over all words",
    asking_words_among="Right among the words of its kind, mean over all words",
    asking_others="Facts right without MLPs at the asking word, mean over other people",
    asking_others_kind="Answers of the right kind, mean over other people",
    asking_differ="Facts right, mean over people whose answer differs",
    asking_others_home="Homes right, mean over other people",
    asking_others_job="Jobs right, mean over other people",
    last_mlp_others="Facts right without the last MLP at the asking word, mean over other people",
    name_others="Facts right without MLPs at the name, mean over other people",
    both_words_others="Facts right without MLPs at both words, mean over other people",
    both_words_differ="The same, mean over people whose answer differs",
    attention_others="Facts right without attention at the asking word, mean over other people",
    another_persons="Facts right with another person's MLPs at the asking word",
    another_follows="Answers that follow the other person's MLPs, where the two differ",
    another_stays="Answers that stay the person's own there",
    margin_whole="Logits between the right answer and the next of its kind, median",
    margin_others="The same without MLPs at the asking word, mean over other people",
    stories_differ="Facts right in stories, mean over places with another answer",
    stories_facts="Facts in those stories",
)
