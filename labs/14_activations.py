# ---
# title: Activations
# question: Which neurons fire for what, do they keep to it, and how many can be described by one label?
# level: intermediate
# minutes: 15
# models: [world, fairytale]
# needs: []
# tags: [neurons, MLP, representations]
# chapter: Inside
# thumbnail: described
# timeout: 240
# ---

# %% [markdown]
# Look at the texts for which a neuron fires most strongly, and say what they have in common: this is how most neurons
# that have a name got it. We do so in `fairytale`, and then count in `world`, whose language we wrote, so that
# for each place of a text we can list everything there is to know. How many neurons does one label describe? How many several?
# (A neuron that needs several is called *polysemantic*.) And would a random mixture of neurons do worse?

# %% tags=["setup"]
from collections import Counter

import numpy as np
import torch

import llmnotes
from llmnotes.lab import figure, in_words, plots, predict, within
from llmnotes.model import ablate, trace
from llmnotes.scratch import from_gpt2, generate
from llmnotes.world import VOCABULARY, divergence, read, truth
from llmnotes.world.lexicon import LEXICON, MOOD_OF

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
torch.set_grad_enabled(False)
BORDER = "neurons near the limit may turn"
SAMPLED = "rounding may change a sampled text from some word on"
ROUNDING = "rounding only"
note = within(rtol=0.1, because=ROUNDING)

# %% [markdown]
# ## What you need to know
#
# **A neuron** is a hidden unit of an MLP, the part of each layer that works on every token alone. It compares what has been gathered at
# this token with a pattern of its own; the better they agree, the larger its *activation*, and
# the more of its own vector it adds to what goes on to the next layer. Much below the pattern it is close to 0.
#
# **To describe** a neuron by a label ("is a plural noun") is to claim that it is active where the label holds and nowhere else. The
# F1 score measures both: 1 if the two sets of places are the same, 0 if they have none in common.
#
# Texts for fairytale are sampled from the model itself: 16 beginnings of tales, 256 tokens each.

# %%
fairytale = llmnotes.load("fairytale")
start, draw = torch.zeros(16, 1, dtype=torch.long), torch.Generator().manual_seed(0)
ids = generate(from_gpt2(fairytale.model), start, 255, temperature=1.0, generator=draw)
tales = trace(fairytale, ids, ["mlp_post", "resid_post"])
fired = torch.cat([*tales.stack("mlp_post")], -1)  # (tale, pos, neurons of all layers)
WIDTH = fired.shape[-1] // tales.n_layers
print(fairytale.tokenizer.decode(ids[0, 1:60].tolist()))

# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     world has 512 neurons and a language of 238 words with nine rules. How many neurons will one label describe?
#
# Our own guesses, written before we looked at any activation. The labels for what may come next were added after a first look.

# %%
one = "One label describes more than 30 % of world's neurons"
predict(one, 0.4, one_label="> 0.3")
several = "More neurons of world need two or three labels than one"
predict(several, 0.5, several_to_one="> 1")
shuffled = "With labels shuffled, one describes less than 5 % of world's neurons"
predict(shuffled, 0.8, one_shuffled="< 0.05")
kept = "Of the neurons described on half of the stories, 90 % are so on the rest"
predict(kept, 0.7, kept_world="> 0.9")
first = "The longest residual vector of world stands at the first token"
predict(first, 0.6, first_to_longest="> 0.99")

# %% [markdown]
# And two that were written after that look, before their experiments:

# %%
speech = "fairytale's neuron for *said* answers to 5 of 7 verbs of speech more than to any other verb"
predict(speech, 0.4, speech_above=">= 5")
needed = "Without world's largest neuron its own places cost 0.1 nats more"
predict(needed, 0.5, cost_largest="> 0.1")

# %% [markdown]
# ## What fires a neuron of fairytale
#
# For each neuron we take the 12 places where it is most active in the first eight tales, and the token that is most common there. If the
# neuron keeps to it, its 12 strongest places in the other eight tales hold that token too. Control: the token of another neuron.

# %% tags=["idea"]
tokens, rest = ids[:, 1:], fired[:, 1:]  # without the beginning, which all tales share


def strongest(part):
    """The tokens at the 12 places where each neuron is most active: (12, neuron)."""
    return tokens[part].flatten()[rest[part].flatten(0, 1).topk(12, dim=0).indices]


early, late = strongest(slice(0, 8)), strongest(slice(8, 16))
favourite = early.mode(0).values
keeps = (late == favourite).float().mean(0)
mixed = favourite[torch.randperm(len(favourite), generator=draw)]

# %%
note(
    atol=0.03,
    because=SAMPLED,
    kept_tales=keeps.mean(),
    kept_by_half=(keeps >= 0.5).float().mean(),
)
note(atol=0.01, because=SAMPLED, kept_control=(late == mixed).float().mean())

# %% [markdown]
# Here are the three strongest contexts of two neurons a layer: the one whose strongest places agree most in the first half, and number 0, which nobody chose.

# %%
agree = (early == favourite).float().mean(0)
for layer in range(tales.n_layers):
    chosen = layer * WIDTH + agree[layer * WIDTH : (layer + 1) * WIDTH].argmax().item()
    for neuron in (chosen, layer * WIDTH):
        spots = [
            divmod(i, 255) for i in rest[..., neuron].flatten().topk(3).indices.tolist()
        ]
        texts = [
            fairytale.tokenizer.decode(ids[a, max(0, i - 3) : i + 2].tolist())
            for a, i in spots
        ]
        print(
            f"L{layer}N{neuron % WIDTH}".ljust(8), " | ".join(repr(t)[1:-1] for t in texts)
        )

# %% [markdown]
# In {{ result("activations.kept_tales", ".0%") }} of the strongest places in the second half stands the token of the first
# half (control: {{ result("activations.kept_control", ".1%") }}), and {{ result("activations.kept_by_half", ".0%") }} of the neurons keep to it in half of
# their places or more. Most do not stand for one token. What the printed neurons 0 stand for, their contexts hardly tell.
#
# ## One neuron, related prompts
#
# We take the neuron that sets ` said` apart best in the sampled tales, and try it on prompts in which other verbs stand in
# the same place. Does it know the word, or what kind of word it is?

# %% tags=["idea"]
said = fairytale.tokenizer.encode(" said")[0]
flat, here = rest.flatten(0, 1), tokens.flatten() == said
neuron = ((flat[here].mean(0) - flat[~here].mean(0)) / flat.std(0)).argmax().item()
SPEECH = ["said", "cried", "asked", "answered", "replied", "told", "called", "whispered"]
OTHERS = ["went", "came", "took", "saw", "ran", "sat", "fell", "gave"]
BEFORE = ("the king", "Then the old woman", "and she", "The wolf")


def response(verb):
    """The neuron's activation at the verb, in four prompts."""
    at = {"places": ["mlp_post"], "layers": [neuron // WIDTH]}
    runs = [trace(fairytale, f"{before} {verb}", **at) for before in BEFORE]
    return [run["mlp_post", neuron // WIDTH][0, -1, neuron % WIDTH].item() for run in runs]


responses = {verb: np.array(response(verb)) for verb in SPEECH + OTHERS}
highest = max(responses[verb].mean() for verb in OTHERS)
above = sum(responses[verb].mean() > highest for verb in SPEECH[1:])

# %%
note(atol=1, because=SAMPLED, speech_above=above)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
for i, (verb, values) in enumerate(responses.items()):
    colour = BLUE if verb in SPEECH else ORANGE
    ax.bar(i, values.mean(), color=colour, alpha=0.5)
    ax.plot([i] * len(values), values, ".", color=colour)
ax.set_xticks(range(len(responses)), responses, rotation=40, ha="right")
ax.set(ylabel="activation", title=f"Layer {neuron // WIDTH}, neuron {neuron % WIDTH}")
figure(
    fig,
    name="verbs",
    alt="A bar for each verb: the neuron that is most active at said, at seven other verbs of speech and at eight other "
    "verbs, which are the control.",
    caption="Mean and each of four prompts. Blue: verbs of speech; orange: the control, other verbs.",
    rtol=0.05,
    because=SAMPLED,
)

# %% [markdown]
# {{ result("activations.speech_above") }} of the seven other verbs of speech move it more than the strongest of the controls: in
# these four prompts it answers to a kind of word more than to one word.
#
# ## Counting in world
#
# Now all neurons, and labels for everything that the grammar knows. First what the word **is**: itself, part of speech, number, gender, mood, the mood
# of its story, and whether it stands near the beginning. Then what **may come** next: which kinds of words, whether one word only, and which rule
# decides.

# %%
world = llmnotes.load("world")
ids_told, stories = read(seed=8, n=100, length=129)
true = [truth([token.word for token in story[:-1]]) for story in stories]
kinds = [f"{LEXICON[w].number} {LEXICON[w].pos}".strip() for w in VOCABULARY]


def labels_is(token, place):
    kind = f"{token.number} {token.pos}", f"{token.gender} {token.pos}", token.pos
    about = token.word, token.number, token.gender, MOOD_OF.get(token.word, ""), *kind
    early = [f"among the first {n}" for n in (8, 16, 32, 64) if place < n]
    return {"is " + a.strip() for a in about if a} | {f"in a {token.mood} story", *early}


def labels_come(token, probs):
    may = sorted({kinds[i] for i in torch.nonzero(probs > 1e-9).flatten().tolist()})
    out = {"then " + " or ".join(may), f"then came {token.pos}"} | {
        f"may come {kind}" for kind in may
    }
    if probs.max() > 0.999:
        out |= {"then surely " + VOCABULARY[int(probs.argmax())], "surely one word"}
    return out | ({"rule " + token.rule} if token.rule else set())


# %% [markdown]
# A neuron is *active* where it is above half of its (nearly) largest value. On the first 50 stories we choose the label with the best F1,
# and then, greedily, a second and a third that may hold instead. On the other 50 we say whether the description is good: an F1 of at least 0.8.


# %%
def table(*describe):
    """For each place (row) and label (column) whether it holds; rare labels are left out."""
    rows = [
        set().union(*(d(n, i) for d in describe)) for n in range(100) for i in range(128)
    ]
    count = Counter(label for row in rows for label in row)
    names = sorted(label for label in count if count[label] >= 20)
    return names, torch.tensor([[float(label in row) for label in names] for row in rows])


def word_is(n, i):
    return labels_is(stories[n][i], i)


def may_come(n, i):
    return labels_come(stories[n][i + 1], true[n].probs[i])


names_is, holds_is = table(word_is)
names, holds = table(word_is, may_come)
print(len(names_is), "labels of what is,", len(names) - len(names_is), "of what may come")


# %% tags=["idea"]
def active(values, share):
    """Where each neuron is above a share of its (nearly) largest value."""
    return (
        values > share * values.kthvalue(int(0.999 * len(values)), dim=0).values
    ).float()


def overlap(one, other):
    """F1 of each column with the same column."""
    return 2 * (one * other).sum(0) / (one.sum(0) + other.sum(0)).clamp(min=1)


# %%
def described(values, holds, most=3, share=0.5):
    """F1 of the best 1, 2, ... labels on the second half; of one on the first; the labels."""
    (a, b), (la, lb) = (x.split(len(x) // 2) for x in (active(values, share), holds))
    on_a, on_b = torch.zeros_like(a), torch.zeros_like(b)
    found, chosen, fitted = [], [], None
    for n in range(most):
        score = 2 * la.T @ a / (la.sum(0)[:, None] + a.sum(0)).clamp(min=1)
        if n:  # each label added to those chosen before
            pairs = zip(on_a.T, a.T, strict=True)
            tried = ((la.maximum(old[:, None]), fires) for old, fires in pairs)
            score = torch.stack([2 * t.T @ f / (t.sum(0) + f.sum()) for t, f in tried], 1)
        chosen.append(score.argmax(0))
        on_a, on_b = on_a.maximum(la[:, chosen[-1]]), on_b.maximum(lb[:, chosen[-1]])
        fitted = overlap(on_a, a) if fitted is None else fitted
        found.append(overlap(on_b, b))
    return torch.stack(found), fitted, torch.stack(chosen)


# %% [markdown]
# Two controls: the labels shuffled among the places; and directions that are no neurons, made by turning the activations of each layer by a random
# rotation. If neurons are the natural units, the rotated ones should be worse.

# %%
words = ids_told[:, :-1]
run = trace(world, words, ["mlp_post", "resid_post", "logits"])
layers = [layer.flatten(0, 1) for layer in run.stack("mlp_post")]  # each (place, 128)
values, spin = (
    torch.cat(layers, 1),
    torch.linalg.qr(torch.randn(128, 128, generator=draw))[0],
)
f1, fitted, chosen = described(values, holds)
f1_is, *_ = described(values, holds_is, most=1)
f1_shuffled, *_ = described(
    values, holds[torch.randperm(len(holds), generator=draw)], most=1
)
f1_rotated, *_ = described(torch.cat([layer @ spin for layer in layers], 1), holds, most=1)
f1_lower, *_ = described(values, holds, most=1, share=0.25)

# %%
GOOD = 0.8
one, several = f1[0] >= GOOD, (f1.max(0).values >= GOOD) & (f1[0] < GOOD)
share = {"one_label": one, "one_of_what_is": f1_is[0] >= GOOD, "several_labels": several}
share |= {"one_shuffled": f1_shuffled[0] >= GOOD, "one_rotated": f1_rotated[0] >= GOOD}
share |= {"one_at_a_quarter": f1_lower[0] >= GOOD}
near_limit = within(atol=0.015, because=BORDER)
near_limit(
    one_label=one.float().mean(),
    one_of_what_is=share["one_of_what_is"].float().mean(),
    several_labels=several.float().mean(),
    one_shuffled=share["one_shuffled"].float().mean(),
    one_rotated=share["one_rotated"].float().mean(),
    one_at_a_quarter=share["one_at_a_quarter"].float().mean(),
)
near_limit(atol=0.12, several_to_one=several.sum() / one.sum())
near_limit(atol=0.06, kept_world=one[fitted >= GOOD].float().mean())
by_layer = {name: 100 * which.view(4, 128).float().mean(1) for name, which in share.items()}
middle = [float(by_layer[name][1:3].mean()) for name in ("one_label", "one_rotated")]
near_limit(rtol=0.25, middle_to_rotated=middle[0] / middle[1])
near_limit(
    atol=2,
    unit="%",
    one_label_last=by_layer["one_label"][-1],
    one_of_what_is_last=by_layer["one_of_what_is"][-1],
    one_rotated_last=by_layer["one_rotated"][-1],
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3)
bars = {
    "one_of_what_is": (BLUE, 0.45, "one: what the word is"),
    "one_label": (BLUE, 1.0, "one: or what may come"),
    "several_labels": (GREEN, 1.0, "two or three"),
    "one_rotated": (ORANGE, 1.0, "control: rotated, one"),
    "one_shuffled": (PURPLE, 1.0, "control: shuffled, one"),
}
for k, (name, (colour, alpha, label)) in enumerate(bars.items()):
    x = np.arange(4) + 0.16 * (k - 2)
    ax.bar(x, by_layer[name], 0.15, color=colour, alpha=alpha, label=label)
ax.set_xticks(range(4), [f"layer {i}" for i in range(4)])
ax.set(ylabel="neurons described (%)", ylim=(0, 34))
ax.legend(ncols=2, loc="upper center", fontsize=9.5)
figure(
    fig,
    name="described",
    alt="In each layer at most about a fifth of the neurons is described by one label. Labels of what the word is describe "
    "18 percent in layer 0 and about 1 in the last; labels of what may come help there. Rotated activations are nearly as good.",
    caption="128 neurons a layer; described: F1 of at least 0.8 on stories that the labels were not chosen on.",
    rtol=0.1,
    because=BORDER,
)

# %% [markdown]
# One label describes {{ result("activations.one_label", ".0%") }} of the neurons, and two or three another
# {{ result("activations.several_labels", ".0%") }}. Shuffled labels describe {{ result("activations.one_shuffled", ".0%") }}, and what is described on one half stays so on
# the other ({{ result("activations.kept_world", ".0%") }}): these labels are no accidents. With a lower bar for "active", a quarter of the largest value, it is
# {{ result("activations.one_at_a_quarter", ".0%") }}.
#
# But the rest, more than three quarters, we cannot describe with up to three labels, although nothing in this language is hidden from us. And the other control is sobering: of random
# mixtures of neurons one label describes {{ result("activations.one_rotated", ".0%") }}. In the middle
# layers neurons have {{ result("activations.middle_to_rotated", ".1f") }} times as many names as mixtures, in the last layer no more ({{ result("activations.one_label_last", ".0f") }} and
# {{ result("activations.one_rotated_last", ".0f") }} %). To have a name is not much of a property of neurons here.
#
# What the label speaks of changes with depth. By what the word *is* we would describe {{ result("activations.one_of_what_is_last", ".0f") }} % of the last
# layer's neurons; with what *may come*, {{ result("activations.one_label_last", ".0f") }} %. Who looks only at the words at which a
# neuron of the last layer fires, looks at the wrong side of it.
#
# ## Very large activations
#
# In some models a few activations are hundreds of times larger than the rest, most of them at the first token
# ([Sun et al. 2024](https://arxiv.org/abs/2402.17762)). Where are the largest in ours? We list the largest neurons of world with their labels.

# %%
largest = values.max(0).values
order = largest.argsort(descending=True)
note(atol=0.5, largest=largest[order[0]])
note(atol=0.05, typical_largest=largest.median())
note(of_16_in_last_layer=(order[:16] >= 3 * 128).sum())
lengths = run["resid_post", -1].norm(dim=-1)  # (story, pos)
note(atol=0.01, first_to_longest=lengths[:, 0].mean() / lengths.max())
tale_lengths = tales["resid_post", -1].norm(dim=-1)
in_tales = tale_lengths[:, 0].mean() / tale_lengths.max()
note(atol=0.1, because=SAMPLED, first_to_longest_tales=in_tales)
for j in order[:8].tolist():
    about = " / ".join(names[k] for k in dict.fromkeys(chosen[:2, j].tolist()))
    print(
        f"L{j // 128}N{j % 128}".ljust(8), f"{largest[j]:5.1f}  F1 {f1[1, j]:.2f}  {about}"
    )

# %% [markdown]
# Do they do anything? We take the mean of a neuron over all stories in place of its activation, and measure the divergence from the true distribution at the
# places where it was active, and elsewhere. The control: seven neurons of the last layer that are not among the 16 largest.

# %%
before = torch.stack(list(map(divergence, run["logits"], true))).flatten()


def lost(*neurons):
    """Nats lost at each place without some neurons of the last layer."""
    some = [j - 384 for j in neurons]
    with ablate(world, "mlp_post", 3, by="mean", reference=run, neurons=some):
        logits = trace(world, words, ["logits"])["logits"]
    return torch.stack(list(map(divergence, logits, true))).flatten() - before


def cost(j):
    """Nats lost without a neuron where it is active, and elsewhere."""
    fires, nats = values[:, j] > largest[j] / 2, lost(j)
    return nats[fires].mean().item(), nats[~fires].mean().item()


top = [j for j in order[:16].tolist() if j >= 384]
usual = [j for j in range(384, 512) if j not in top][::16]
costs = np.array([cost(j) for j in top[:8]]), np.array([cost(j) for j in usual])
note(rtol=0.05, unit="nats", cost_largest=costs[0][0, 0])
note(unit="nats", cost_of_8=np.median(costs[0][:, 0]))
note(atol=0.005, unit="nats", cost_elsewhere=np.median(costs[0][:, 1]))
note(atol=0.01, unit="nats", cost_control=np.median(costs[1][:, 0]))

# %% [markdown]
# Several of the largest have the same label. What do the songs cost without all that say "then punctuation or syllable", and without each alone?

# %%
SONG = "then punctuation or syllable"
sung = holds[:, names.index(SONG)] > 0
team = [j for j in top if names[chosen[0, j]] == SONG]
alone = sum(lost(j)[sung].mean().item() for j in team)
together = lost(*team)[sung].mean().item()
note(team=len(team))
note(
    unit="nats",
    team_alone=alone,
    team_together=together,
)

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=2.9)
for layer, colour in enumerate((BLUE, ORANGE, GREEN, PURPLE)):
    sizes = largest[128 * layer : 128 * layer + 128].sort(descending=True).values
    left.semilogy(range(1, 129), sizes, color=colour, label=f"layer {layer}")
left.set(xlabel="neuron, by rank in its layer", ylabel="largest activation")
left.legend(fontsize=9)
for values_of, colour, label in (
    (costs[0], BLUE, "the 8 largest"),
    (costs[1], ORANGE, "control"),
):
    here, elsewhere = values_of.T
    right.plot(here, 1000 * elsewhere, "o", color=colour, label=label)
right.axhline(0, color=plots.MUTED, lw=1)
right.set(xlabel="nats lost where active", ylabel="lost elsewhere (nats / 1000)")
right.legend(fontsize=9)
figure(
    fig,
    name="large",
    alt="Left: in the last layer of world a few neurons reach activations of 20 to 50, and most stay below 10, as all do in "
    "the layers before. Right: what is lost without one of the largest neurons, where it is active and elsewhere.",
    rtol=0.05,
    because=ROUNDING,
)

# %% [markdown]
# The largest reaches {{ result("activations.largest", ".0f") }}, where the median neuron reaches {{ result("activations.typical_largest", ".1f") }}, and
# {{ result("activations.of_16_in_last_layer") }} of the 16 largest are in the last layer. They do not sit at the first token: its vector is
# {{ result("activations.first_to_longest", ".0%") }} as long as the longest one (in fairytale {{ result("activations.first_to_longest_tales", ".0%") }}).
# All eight in the list have a label of what may come: the largest is on at places of a song where a syllable or a
# punctuation mark may come.
#
# And size is not importance. Without the largest neuron its own places cost {{ result("activations.cost_largest", ".3f") }} nats more; for the eight
# largest the median is {{ result("activations.cost_of_8", ".3f") }}, elsewhere {{ result("activations.cost_elsewhere", ".4f") }}, and for the controls
# {{ result("activations.cost_control", ".4f") }} at their own places. They matter mostly where they are active, but they stand in for each other: the {{ result("activations.team") }} of the songs cost {{ result("activations.team_together", ".2f") }} nats together, and
# {{ result("activations.team_alone", ".2f") }} if one adds up what each costs alone.
#
# ## What surprised us
#
# - With full knowledge of the language most neurons stay without a description, and random mixtures have nearly as many.
# - Neurons of the last layer hardly ever stand for a word, and for what may come next often.
# - The largest activation by far belongs to a neuron that the model can do without.
#
# ## Try it yourself
#
# **1. A lower bar** (beginner, 5 minutes). We call a description good from an F1 of 0.8. How many neurons does one label describe from
# 0.6, and how many rotated ones?
#
# ??? tip "Hint"
#     `f1[0]` and `f1_rotated[0]` hold the scores.

# %% tags=["solution"]
at_06 = [float((scores[0] >= 0.6).float().mean()) for scores in (f1, f1_rotated)]
assert at_06[0] > share["one_label"].float().mean(), "a lower bar lets more pass"
print("neurons and rotated at 0.6:", np.round(at_06, 2))

# %% [markdown]
# **2. Another rotation** (intermediate, 10 minutes). Is the rotated control an accident of one rotation? Try two more.
#
# ??? tip "Hint"
#     The Q of a QR decomposition of a random matrix is a random rotation. `most=1` is quick.

# %% tags=["solution"]
again = []
for _ in range(2):
    spin = torch.linalg.qr(torch.randn(128, 128, generator=draw))[0]
    f1_again, *_ = described(
        torch.cat([layer @ spin for layer in layers], 1), holds, most=1
    )
    again.append(float((f1_again[0] >= GOOD).float().mean()))
assert max(again) < 0.2, f"{again}: did you rotate each layer by itself?"
print("rotated, one label:", np.round(again, 2))

# %% [markdown]
# ## What this does not show
#
# - That the other neurons mean nothing. Our labels are sets of places; a neuron may follow a degree, a combination of labels,
#   or a direction that it shares with others ([superposition](16_superposition.md)).
# - Anything on large models: there, many neurons have clear descriptions, and the first token does draw very large activations.
# - Contexts of fairytale are sampled from itself, 4096 tokens of them. Rare triggers are missed.
# - Rotation mixes a few large neurons into every direction, which makes them alike; another mixture may be a fairer control.
#
# ## Links
#
# - Finding: [Few neurons have a label, and random mixtures nearly as many](../findings/activations-few-labels.md)
# - Finding: [The last layer's neurons speak of what may come](../findings/activations-what-may-come.md)
# - Surprise: [The largest activation can go](../surprises/activations-largest-can-go.md)
# - Sun et al. (2024), [Massive Activations in Large Language Models](https://arxiv.org/abs/2402.17762)
# - Gurnee et al. (2023), [Finding Neurons in a Haystack](https://arxiv.org/abs/2305.01610)

# %% tags=["labels"]
in_words(
    kept_tales="Strongest places in the second half with the first half's token",
    kept_control="The same for tokens of other neurons, the control",
    kept_by_half="Neurons that keep to their token at half of their places",
    speech_above='Verbs of speech that excite the neuron for "said" more than any other verb, of 7',
    one_label="Neurons described by one label",
    one_of_what_is="Neurons described by one label of what the word is",
    several_labels="Neurons that need two or three labels",
    one_shuffled="Neurons described by one label, labels shuffled",
    one_rotated="Random mixtures of neurons described by one label",
    one_at_a_quarter="Neurons described by one label, counted active from a quarter of the largest value",
    several_to_one="Neurons that need several labels, against those that need one",
    kept_world="Neurons described on half of the stories that are so on the rest",
    middle_to_rotated="Neurons with a name against mixtures with one, middle layers",
    one_label_last="Neurons with a name in the last layer",
    one_of_what_is_last="Neurons named by what the word is, last layer",
    one_rotated_last="Mixtures with a name, last layer",
    largest="Largest activation of any neuron",
    typical_largest="Largest activation of the median neuron",
    of_16_in_last_layer="Of the 16 largest neurons, those in the last layer",
    first_to_longest="Length of the first token's vector against the longest, World",
    first_to_longest_tales="Length of the first token's vector against the longest, Fairytale",
    cost_largest="Loss without the largest neuron, at its own places",
    cost_of_8="Loss without one of the eight largest, at its own places, median",
    cost_elsewhere="The same elsewhere",
    cost_control="Loss without a usual neuron, at its own places, median",
    team="Neurons that share the songs",
    team_alone="Loss in songs without each of them, added up",
    team_together="Loss in songs without all of them together",
)
