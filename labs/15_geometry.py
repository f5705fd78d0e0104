# ---
# title: The geometry of embeddings
# question: Do words with the same role lie together, and what does it mean when the differences of word pairs are parallel?
# answer: >-
#   Differences from singular to plural have a mean cosine of {{ result("geometry.nouns_parallel", ".2f") }} in *World*, and of
#   {{ result("geometry.nouns_mismatched", ".2f") }} when *cat* is paired with *houses*.
# chapter: Inside
# level: intermediate
# models: [world, fairytale]
# needs: [02_tokens]
# tags: [embeddings, representations]
# thumbnail: parallel
# timeout: 240
# ---

# %% tags=["setup"]
import json
import re
from itertools import chain

import numpy as np
import torch
from sklearn.metrics import silhouette_score

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.model import CHECKPOINTS, trace, untrained
from llmnotes.scratch import from_gpt2, generate, load_tokenizer
from llmnotes.world import lexicon, read, word_ids
from llmnotes.world.lexicon import LEXICON, NOUNS, PEOPLE, VERBS, WOMEN

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
torch.set_grad_enabled(False)
deal = np.random.default_rng(0)
ROUNDING = "a fixed function of the weights: rounding only"
note = within(atol=0.002, because=ROUNDING)
DEAL = "another deal of the shuffles moves it a little"
world, fairytale = llmnotes.load("world"), llmnotes.load("fairytale")
tokens = load_tokenizer(CHECKPOINTS / "fairytale")


def centred(model):
    """All embeddings of a model, less their mean."""
    vectors = model.model.get_input_embeddings().weight.double().numpy()
    return vectors - vectors.mean(0)


of_world, of_tales = centred(world), centred(fairytale)


def at(words):
    """Embeddings of words: of World's, or of Fairytale's where they begin with a space."""
    if words[0].startswith(" "):
        return of_tales[[tokens.ids["Ġ" + word[1:]] for word in words]]
    return of_world[word_ids(words).numpy()]


# %% [markdown]
# ## A case you can hold: king − man + woman
#
# The best-known fact about embeddings is that one can calculate with words: *king* − *man* + *woman* leads to *queen*
# ([Mikolov et al. 2013](https://aclanthology.org/N13-1090/)). We try it in *Fairytale*, and print the five nearest words.


# %% tags=["idea"]
def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


king, man, woman = at([" king", " man", " woman"])
near = unit(of_tales) @ (king - man + woman)
alone = unit(of_tales) @ king
for name, score in (("king - man + woman:", near), ("king alone:", alone)):
    print(name, *(tokens.vocab[i].replace("Ġ", "") for i in np.argsort(-score)[:5]))

# %% [markdown]
# The nearest word is usually one of the three words of the question, so the usual demonstration leaves these out. The second line
# skips the arithmetic and starts from *king* alone. How much of the effect is due to the arithmetic, and how much to the fact that
# similar words lie together?
#
# ## Vectors, angles, groups
#
# {{ drawing("transformer-map", light="embed", alt="The map of the transformer from tokens to the next word; the embedding, where each token becomes a vector, is lit up.") }}
#
# An *embedding* is the vector that stands for a word when the model reads it. In both our models it also serves as the unembedding:
# the same vector decides how likely the word is to come next. The *cosine* compares two directions:
#
# $$
# \cos(u, v) = \frac{u \cdot v}{|u|\, |v|}
# $$
#
# $u$ and $v$ are embeddings. From each we first subtract the mean of all embeddings, since what all words share says
# nothing about any of them. The cosine is 1 for the same direction and 0 for unrelated ones. We also compare *steps*:
# the step from *cat* to *cats* is the difference of their two embeddings.
#
# ```exercise
# title: A step between two words
# minutes: 3
# code: |
#   cat, cats, house, houses = at(["cat", "cats", "house", "houses"])
#   step, other = cats - cat, houses - house
#   parallel = step @ other / ▢
#   assert parallel > 0.5
# right: ["(np.linalg.norm(step) * np.linalg.norm(other))", "np.linalg.norm(step) / np.linalg.norm(other)"]
# praise: "The dot product of the two steps, over both lengths."
# wrong:
#   "np.linalg.norm(step)": "This divides by one of the two lengths only."
#   "(step @ step)": "That is the squared length of one step. Both lengths are needed, each once."
#   "len(step)": "That is the number of dimensions, 128, not a length."
# otherwise: "The formula above divides by the product of both lengths. NumPy's `np.linalg.norm` gives a length."
# solution: "`(np.linalg.norm(step) * np.linalg.norm(other))`"
# ```
#
# ## Your prediction
#
# In *World* we wrote the grammar, so we know what the texts can teach. They say nothing of *cats* that they do not also say of
# *houses*. All nouns are used in the same ways: singulars with singular verbs, plurals with plural verbs.
#
# We take the steps from every singular to its own plural, and ask how parallel they are: the mean cosine between two of
# them. Then we pair the words wrongly: *cat* with *houses*, *dog* with *stones*.

# %% tags=["setup"]
# Our own guesses, written before we looked at any embedding of either model.
clusters = "Words of World cluster by part of speech: a silhouette above 0.1"
predict(clusters, 0.7, world_parts="> 0.1")
gender = "Names of World cluster by gender more than in every shuffle"
predict(gender, 0.9, gender_above_shuffles="> 0")
number = "Nouns of Fairytale cluster by number more than in every shuffle"
predict(number, 0.7, number_above_shuffles="> 0")
rare = "Taking the frequency out raises Fairytale's silhouette by part of speech"
predict(rare, 0.6, gain_without_frequency="> 0")
own = "Of all singulars, a plural of Fairytale is nearest to its own in 3 of 10 cases"
predict(own, 0.5, own_number_tales="> 0.3")
parallel = "Gender pairs of Fairytale are more parallel than 95% of mismatched ones"
predict(parallel, 0.6, gender_rank="> 0.95")
falls = "Which name it is makes up less of the vectors of World from layer to layer"
predict(falls, 0.5, name_share_falls="== 1")
# These three came later, before any run of the section that they are about.
common_part = (
    "Not centred, different words of Fairytale have a cosine above ½ after some layer"
)
predict(common_part, 0.7, tales_common="> 0.5")
same_falls = "The same word of Fairytale has less in common across contexts at every layer"
predict(same_falls, 0.5, tales_least_fall="> 0")
next_wins = "After its last layer the same next word counts for more than the same word"
predict(next_wins, 0.35, tales_next_over_word="> 0")

# %%
ask(
    "The true steps have a mean cosine of about 0.8. What do the wrongly paired ones have?",
    choices={
        "zero": "About 0: the step belongs to the pair, and wrong pairs destroy it",
        "half": "About half: part of the step is common to all, part belongs to the pair",
        "same": "Just as much: the step belongs to the two groups",
    },
    answer="same",
    because={
        "zero": "This is how the picture of parallel arrows is usually read. It would need texts that tie cat to cats.",
        "half": "That is what we find in Fairytale, where real text does tie man to men.",
        "same": "Singulars lie in one cluster and plurals in another. Any arrow from one to the other is parallel to the rest.",
    },
    figure="parallel",
    nouns_parallel="> 0.7",
    nouns_mismatched="> 0.7",
)

# %% tags=["setup"]
KINDS = {
    "noun": "king queen man woman boy girl son daughter house castle tree forest river door garden horse dog bird ring",
    "past": "said went came took gave saw heard found made told asked cried ran sat stood fell began thought knew sent",
    "adjective": "old young little great beautiful poor rich good happy strong wise small large long short cold black red",
    "preposition": "in on at by with from into under over through behind before after upon near between",
    "adverb": "very quite soon then now never always again away once here there quickly still",
}
NUMBER = """man/men woman/women boy/boys girl/girls son/sons daughter/daughters brother/brothers sister/sisters
house/houses tree/trees horse/horses bird/birds eye/eyes hand/hands foot/feet child/children day/days year/years
word/words thing/things stone/stones friend/friends flower/flowers wing/wings apple/apples tear/tears"""
GENDER = """king/queen prince/princess man/woman boy/girl son/daughter brother/sister father/mother husband/wife
he/she his/her himself/herself lord/lady lad/maiden King/Queen Prince/Princess men/women boys/girls sons/daughters"""


# %% tags=["setup"]
def pairs_of(text):
    pairs = [tuple(" " + word for word in pair.split("/")) for pair in text.split()]
    return [pair for pair in pairs if all("Ġ" + word[1:] in tokens.ids for word in pair)]


PAIRS = {
    "nouns of world": list(NOUNS.items()),
    "verbs of world": [(singular, plural) for plural, singular in VERBS.items()],
    "number, fairytale": pairs_of(NUMBER),
    "gender, fairytale": pairs_of(GENDER),
}


# %% tags=["setup"]
def grouped(groups):
    """Words and the number of the group of each."""
    return list(chain(*groups)), np.repeat(range(len(groups)), [len(g) for g in groups])


def by(words, label):
    return list(words), np.unique(
        [str(label(word)) for word in words], return_inverse=True
    )[1]


moods = [word for mood in lexicon.MOODS for word in lexicon.MOOD_ADJECTIVES[mood]]
common = [w for w in LEXICON if sum(LEXICON[w].pos == v.pos for v in LEXICON.values()) > 5]
number, gender = (
    list(map(list, zip(*PAIRS[f"{k}, fairytale"], strict=True)))
    for k in ("number", "gender")
)

# %% tags=["setup"]
GROUPS = {
    "world: part of speech": by(common, lambda word: LEXICON[word].pos),
    "nouns by number": grouped([[*NOUNS], [*NOUNS.values()]]),
    "adjectives by mood": by(moods, lexicon.MOOD_OF.get),
    "names by gender": by(PEOPLE, WOMEN.__contains__),
    "names by home": by(PEOPLE, lexicon.HOME.get),
    "names by job": by(PEOPLE, lexicon.JOB.get),
    "towns by landmark": by(lexicon.TOWNS, lexicon.LANDMARK.get),
    "fairytale: part of speech": grouped(
        [[" " + w for w in k.split()] for k in KINDS.values()]
    ),
    "nouns, number": grouped(number),
    "words, gender": grouped(gender),
}


# %% tags=["setup"]
def silhouette(vectors, labels, n=100):
    """The silhouette, and those of shuffled labels."""
    deals = [labels, *(deal.permutation(labels) for _ in range(n))]
    first, *others = [silhouette_score(vectors, d, metric="cosine") for d in deals]
    return first, np.array(others)


# %% tags=["setup"]
found = {name: silhouette(at(words), labels) for name, (words, labels) in GROUPS.items()}
note(
    world_parts=found["world: part of speech"][0],
    tales_parts=found["fairytale: part of speech"][0],
)
note(
    gender_silhouette=found["names by gender"][0],
    number_silhouette=found["nouns, number"][0],
    home_silhouette=found["names by home"][0],
    job_silhouette=found["names by job"][0],
    landmark_silhouette=found["towns by landmark"][0],
)
above = {name: value - shuffled.max() for name, (value, shuffled) in found.items()}
note(
    atol=0.04,
    because=DEAL,
    gender_above_shuffles=above["names by gender"],
    number_above_shuffles=above["nouns, number"],
    home_above_shuffles=above["names by home"],
    job_above_shuffles=above["names by job"],
    landmark_above_shuffles=above["towns by landmark"],
)

# %% [markdown]
# ## Parallel steps show two groups, not pairs


# %% tags=["idea"]
def parallel(first, second):
    """Mean cosine between the differences of pairs."""
    steps = unit(second - first)
    return (steps @ steps.T)[np.triu_indices(len(steps), 1)].mean()


steps = {}
for name, pairs in PAIRS.items():
    first, second = (at(list(words)) for words in zip(*pairs, strict=True))
    wrong = [parallel(first, deal.permutation(second)) for _ in range(200)]
    nearest = (unit(second) @ unit(first).T).argmax(1)  # to each second word
    own = (nearest == np.arange(len(pairs))).mean()
    steps[name] = parallel(first, second), np.array(wrong), own

# %% tags=["setup"]
nouns, verbs, number_pairs, gender_pairs = steps.values()
note(
    atol=0.003,
    nouns_parallel=nouns[0],
    verbs_parallel=verbs[0],
    number_parallel=number_pairs[0],
    gender_parallel=gender_pairs[0],
)
note(
    atol=0.01,
    because=DEAL,
    nouns_mismatched=nouns[1].mean(),
    verbs_mismatched=verbs[1].mean(),
    number_mismatched=number_pairs[1].mean(),
    gender_mismatched=gender_pairs[1].mean(),
)
true, wrong, own = steps["gender, fairytale"]
note(atol=0.02, because=DEAL, gender_rank=(wrong < true).mean())
TURN = "one or two pairs may turn"
note(
    atol=0.06,
    because=TURN,
    own_gender_tales=own,
    own_number_world=steps["nouns of world"][2],
)
note(atol=0.08, because=TURN, own_number_tales=steps["number, fairytale"][2])

# %% tags=["setup"]
singular, plural = (word_ids(words).numpy() for words in (NOUNS, NOUNS.values()))
runs, order = [], np.random.default_rng(1)
for seed in range(5):
    x = centred(llmnotes.load("world", seed=seed))
    wrong = [parallel(x[singular], x[order.permutation(plural)]) for _ in range(20)]
    own = (unit(x[plural]) @ unit(x[singular]).T).argmax(1) == np.arange(len(plural))
    runs.append((parallel(x[singular], x[plural]), np.mean(wrong), own.mean()))
runs = np.array(runs)  # (training run, true, wrong, own nearest)
note(atol=0.01, because=DEAL, runs_parallel_least=runs[:, 0].min())
note(atol=0.01, because=DEAL, runs_gap_most=(runs[:, 0] - runs[:, 1]).max())
note(atol=0.06, because=TURN, runs_own_most=runs[:, 2].max())

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.1)
shown = ("World: nouns", "World: verbs", "Fairytale: number", "Fairytale: gender")
for i, (true, wrong, own) in enumerate(steps.values()):
    ax.plot([wrong.min(), wrong.max()], [i, i], color=ORANGE, lw=6, alpha=0.5)
    (mark,) = ax.plot(true, i, "o", ms=9, color=BLUE)
    if i == 0:
        mark.set_gid("choice-same")
    ax.text(0, i - 0.28, f"{shown[i]}, partner nearest: {own:.0%}", va="bottom")
ax.text(0.33, 2, "true pairs", color=BLUE, va="center")
ax.text(0.33, 3, "control: paired wrongly", color=ORANGE, va="center")
ax.set(
    xlabel="mean cosine between steps",
    xlim=(-0.02, 1),
    ylim=(3.4, -0.7),
    yticks=(),
    title="In World, wrong pairs are as parallel as true ones",
)
ax.grid(axis="y", visible=False)
figure(
    fig,
    name="parallel",
    alt="Differences of true pairs in World have a mean cosine near 0.8, and wrongly matched pairs exactly as much. In "
    "Fairytale true pairs have about 0.2, and wrongly matched ones half of that or more.",
    caption="Partner nearest: how often the true partner is the nearest word of the other group.",
    data={"true": [true for true, *_ in steps.values()]},
    rtol=0.05,
    because=DEAL,
)

# %% [markdown]
# In *World* the steps from singular to plural have a mean cosine of {{ result("geometry.nouns_parallel", ".2f") }}, and wrongly
# paired words have {{ result("geometry.nouns_mismatched", ".2f") }}. The texts give the model no reason to connect *cat* with
# *cats*, and it does not: {{ result("geometry.own_number_world", ".0%") }} of the plurals have their own singular nearest. In none
# of five training runs are the true steps more than {{ result("geometry.runs_gap_most", ".3f") }} more parallel than the wrong
# ones.
#
# So the steps are parallel because singulars form one group and plurals another. Every arrow from one group to the other points the
# same way.
#
# In *Fairytale* the pairs matter, too. For pairs such as *king* and *queen* the cosine is
# {{ result("geometry.gender_parallel", ".2f") }}, and {{ result("geometry.gender_mismatched", ".2f") }} of it remains with wrong
# pairs: that part belongs to the groups. The rest belongs to the pairs, and in {{ result("geometry.own_gender_tales", ".0%") }} of
# them the true partner is the nearest word of the other group.
#
# Does the arithmetic work, then? For every two pairs that differ in gender we look for the word nearest to first −
# second + third, as in *king* − *man* + *woman*. If the three words are left out,
# {{ result("geometry.hits_arithmetic", ".0%") }} of the searches end at the right word. But with no arithmetic at all,
# the word nearest to *king* alone is right in {{ result("geometry.hits_no_arithmetic", ".0%") }}. So most of the effect
# is that similar words lie together.
#
# And if no word is left out, {{ result("geometry.hits_nothing_left_out", ".0%") }} of the searches are right.

# %% tags=["setup"]
hits, units = (
    {"arithmetic": [], "no_arithmetic": [], "nothing_left_out": []},
    unit(of_tales),
)
first, second = ([tokens.ids["Ġ" + w[1:]] for w in words] for words in gender)
for a, b in zip(first, second, strict=True):
    for c, d in zip(first, second, strict=True):
        if len({a, b, c, d}) < 4:
            continue
        score, plain = (
            units @ (of_tales[a] - of_tales[c] + of_tales[d]),
            units @ of_tales[a],
        )
        hits["nothing_left_out"].append(score.argmax() == b)
        score[[a, c, d]] = plain[[a, c, d]] = -np.inf
        hits["arithmetic"].append(score.argmax() == b)
        hits["no_arithmetic"].append(plain.argmax() == b)
note(
    atol=0.02,
    because="near ties may turn",
    hits_arithmetic=np.mean(hits["arithmetic"]),
    hits_no_arithmetic=np.mean(hits["no_arithmetic"]),
    hits_nothing_left_out=np.mean(hits["nothing_left_out"]),
)

# %% [markdown]
# ## Words with the same role lie together
#
# How clear is a group? The *silhouette* of a grouping compares a vector's distance to its own group with its distance to the
# nearest other group: 1 is a perfect separation, 0 none. In the control we shuffle the labels of the same vectors, 100 times.

# %% tags=["setup"]
counts = np.array(json.loads((CHECKPOINTS / "fairytale" / "counts.json").read_text()))
x = np.log(counts + 1) - np.log(counts + 1).mean()
rest = of_tales - np.outer(x, x @ of_tales) / (x @ x)
words, labels = GROUPS["fairytale: part of speech"]
without = silhouette(rest[[tokens.ids["Ġ" + word[1:]] for word in words]], labels, n=0)[0]
gain = without - found["fairytale: part of speech"][0]
note(gain_without_frequency=gain)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=4.1)
for i, (value, shuffled) in enumerate(found.values()):
    ax.plot([shuffled.min(), shuffled.max()], [i, i], color=ORANGE, lw=4, alpha=0.6)
    ax.plot(value, i, "o", color=BLUE)
ax.axvline(0, color=plots.MUTED, lw=1)
ax.axhline(6.5, color=plots.GRID, lw=1)
ax.text(0.3, 4, "true", color=BLUE, va="center")
ax.text(0.3, 5, "control: shuffled", color=ORANGE, va="center")
ax.text(0.3, 7, "Fairytale", va="center")
ax.text(0.3, 3, "World", va="center")
short = (
    "speech",
    "number",
    "mood",
    "gender",
    "home",
    "job",
    "landmark",
    "speech",
    "number",
    "gender",
)
ax.set_yticks(range(len(found)), short)
ax.invert_yaxis()
ax.set(xlabel="silhouette", xlim=(-0.3, 1), title="Roles group, most facts do not")
figure(
    fig,
    name="silhouettes",
    alt="Number of nouns and mood of adjectives in World have silhouettes near 0.8 and 0.9. Parts of speech, gender "
    "and a town's landmark, and all groups of Fairytale, are between 0.05 and 0.25, above all shuffles. Names by home are not.",
    caption="Above the line World: words by part of speech, nouns by number, adjectives by mood, names by gender, home and job, towns by "
    "landmark. Below it Fairytale.",
    because=DEAL,
    rtol=0.05,
)

# %% [markdown]
# In both models words lie together by part of speech. The silhouette is {{ result("geometry.world_parts", ".2f") }} in
# *World* and {{ result("geometry.tales_parts", ".2f") }} in *Fairytale*, and no shuffle reaches either.
#
# Some facts show as well. Towns with the same landmark lie together, with a silhouette of
# {{ result("geometry.landmark_silhouette", ".2f") }}. People with the same home, at
# {{ result("geometry.home_silhouette", ".2f") }}, do not, although the model knows their homes equally well. A town has
# one fact to hold and a name has three. Perhaps that is why; we have not tested it.
#
# ## From layer to layer the word gives way to its role
#
# An embedding is where a word starts. Each layer then adds what the context tells about it. What is left of the word at
# the end? We take nouns and names wherever they occur in 100 stories. At each layer we ask what share of the variance
# of their vectors is explained by three things. First, by which **word** it is. Second, by its **role** in the
# sentence. A noun is the subject, an object, or an attractor, which stands between subject and verb. A name is the
# subject, the giver or the receiver. Third, by its **position** in the story, in four quarters.

# %% tags=["setup"]
ids, stories = read(seed=7, n=100, length=128)
seen = trace(world, ids, ["resid_pre", "resid_post"])
layers = [seen["resid_pre", 0], *seen.stack("resid_post")]  # each (story, pos, d_model)

# %% tags=["setup"]
BEFORE = {
    "when": "first",
    "and": "second",
    ",": "giver",
    "to": "receiver",
    "from": "receiver",
}
OF_NOUNS = dict.fromkeys(lexicon.PREPOSITIONS, "attractor")
OF_NOUNS |= dict.fromkeys(lexicon.SEEING, "object")
START = dict.fromkeys((".", lexicon.END, "“"))


def role(before, word):
    """What a noun or name does, by the two words before it; None if it is neither."""
    if word in PEOPLE:
        return (BEFORE | dict.fromkeys(START, "subject")).get(before[-1])
    if before[-1] == "the" and (word in NOUNS or word in NOUNS.values()):
        return (OF_NOUNS | dict.fromkeys(START, "head")).get(before[-2])
    return None


# %% tags=["idea"]
def explained(values, labels):
    """The share of the variance that lies between groups."""
    values = values - values.mean(0)
    of_group = [values[labels == g].mean(0) ** 2 * (labels == g).sum() for g in set(labels)]
    return np.sum(of_group) / (values**2).sum()


# %% tags=["setup"]
texts = [[token.word for token in story] for story in stories]
every = [(n, i, role(t[:i], t[i])) for n, t in enumerate(texts) for i in range(2, 128)]
shares, spots = {}, {}
for kind, among in (("nouns", {*NOUNS, *NOUNS.values()}), ("names", {*PEOPLE})):
    n, i, roles = zip(
        *(e for e in every if e[2] and texts[e[0]][e[1]] in among), strict=True
    )
    which = np.array([texts[a][b] for a, b in zip(n, i, strict=True)])
    spots[kind] = list(n), list(i), which
    labels = {"word": which, "role": np.array(roles), "place": np.array(i) // 32}
    labels["control: shuffled"] = deal.permutation(which)
    values = [layer[list(n), list(i)].double().numpy() for layer in layers]
    shares[kind] = {k: [explained(v, label) for v in values] for k, label in labels.items()}

names, nouns = shares["names"], shares["nouns"]
note(
    atol=0.01,
    name_at_start=names["word"][0],
    role_of_names_at_end=names["role"][-1],
    place_of_nouns_first=nouns["place"][1],
)
note(
    atol=0.005,
    name_at_end=names["word"][-1],
    place_of_nouns_last=nouns["place"][-1],
)
note(atol=0.015, because=DEAL, name_control=names["control: shuffled"][-1])
note(name_share_falls=(np.diff(names["word"]) < 0).all())

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=3, sharey=True)
for ax, (kind, of_kind) in zip(axes, shares.items(), strict=True):
    for (name, values), colour in zip(
        of_kind.items(), (BLUE, ORANGE, GREEN, BLUE), strict=True
    ):
        style = ":" if name.startswith("control") else "o-"
        ax.plot(100 * np.array(values), style, color=colour, ms=4, label=name)
    ax.set(title=kind.capitalize(), xlabel="after layer")
    ax.set_xticks(range(len(layers)), ["embed", *range(len(layers) - 1)])
axes[0].set(ylabel="variance explained (%)", ylim=(-3, 135), yticks=range(0, 101, 20))
axes[0].legend(loc="upper right", ncols=2, fontsize=9.5)
figure(
    fig,
    name="contexts",
    alt="After layer 0 the place in the story explains most of the variance of nouns, and almost none at the end. For "
    "names the word explains most at the start and nearly nothing at the end, where the role explains nearly all.",
    caption="Residual stream of World at nouns and names; first point: embedding and position.",
    title="At the end, the role explains what the word did at the start",
    rtol=0.02,
    because=DEAL,
)

# %% [markdown]
# Which name it is explains {{ result("geometry.name_at_start", ".0%") }} of the variance at the start and
# {{ result("geometry.name_at_end", ".0%") }} at the end, hardly more than shuffled names do. By then the role explains
# {{ result("geometry.role_of_names_at_end", ".0%") }}. The last layer's vectors describe what comes next, no longer what was read.
#
# In between, something else is largest. After layer 0 the *position* explains {{ result("geometry.place_of_nouns_first", ".0%") }}
# of the variance of nouns, and {{ result("geometry.place_of_nouns_last", ".1%") }} at the end. If you compare a word's vectors in
# two contexts by their cosine in a middle layer, you compare above all their positions.
#
# ## What surprised us
#
# **Wrong pairs changed nothing.** We had taken parallel arrows for a relation between the words of a pair. By themselves they are
# no evidence of one.
#
# **The position in the story fills the middle of the model and leaves hardly a trace at the end**
# ([surprise](../surprises/geometry-place-in-the-middle.md)).
#
# ## Try it
#
# **1. Interchangeable?** (5 minutes). Print the five nearest neighbours of *cat*, *she* and *red* in World. Which of them can you
# explain from the grammar?
#
# ??? tip "Hint"
#     `unit(of_world) @ unit(at(["cat"]))[0]`, and `np.argsort` of its negative.

# %% tags=["solution"]
for word in ("cat", "she", "red"):
    nearest = np.argsort(-unit(of_world) @ unit(at([word]))[0])[1:6]
    print(word, [list(LEXICON)[i] for i in nearest])
assert list(LEXICON)[nearest[0]] in lexicon.COLOURS, "did you skip the word itself?"

# %% [markdown]
# **2. Without the position** (10 minutes). Subtract from the vectors their mean at each of the 128 positions, and
# compute the share of *which name* again. After which layer does it fall below one half?
#
# ??? tip "Hint"
#     `layer - layer.mean(0)` subtracts the mean of each position over all stories. `spots["names"]` holds the stories, the places
#     and the names.

# %% tags=["solution"]
n, i, which = spots["names"]
clean = [(layer - layer.mean(0))[n, i].double().numpy() for layer in layers]
kept = [explained(values, which) for values in clean]
assert kept[1] > names["word"][1], "without the place, the name should explain more"
print("which name, without the place:", np.round(kept, 2))

# %% [markdown]
# ## You can now
#
# - test whether parallel differences belong to pairs or to groups: pair them wrongly;
# - measure a group by its silhouette, against shuffled labels;
# - say how much of a vector is due to the word, its role and its position, layer by layer.
#
# ## What this does not show
#
# - That the model *uses* this geometry. A silhouette describes; only an intervention would show use.
# - Anything beyond two models with tied embeddings. The figures show one training of *World* and one of *Fairytale*. In five
#   trainings of *World* the steps, the fading word and the role at the end are the same.
# - Shares of variance weigh directions by their size, not by what the model makes of them.
#
# ## Going deeper
#
# ### Frequency is not what groups words
#
# In *Fairytale* frequency lies along the main axis of the embeddings, as the exercise in
# [Tokens that training never touched](10_untouched.md) shows. Do parts of speech lie together only because they are about as
# frequent? We subtract from each embedding what the logarithm of its token's count predicts. The silhouette changes by only
# {{ result("geometry.gain_without_frequency", "+.3f") }}.
#
# ### Two more groups
#
# Names of people with the same job show a trace: their silhouette is {{ result("geometry.job_silhouette", ".2f") }}, yet above all
# shuffles by {{ result("geometry.job_above_shuffles", ".2f") }}.
#
# Number in *Fairytale* behaves like gender: true pairs have a mean cosine of {{ result("geometry.number_parallel", ".2f") }}, wrong
# pairs {{ result("geometry.number_mismatched", ".2f") }}, and the true partner is the nearest in
# {{ result("geometry.own_number_tales", ".0%") }}.
#
# ### In a model of real text the word stays
#
# For the texts of *Fairytale* we know no roles. But any two positions in them share the word or not, and share the
# *next* word or not. So we compare pairs of positions in 24 tales that the model wrote. We use words of one token that
# occur at least ten times, and ten positions of each. The two positions are in different texts and share the word, the
# next word, the quarter of the text, or nothing. We take the cosine of their vectors layer by layer, after subtracting
# the mean over all positions. There are two controls: untrained models on the same texts, and the model's own most
# likely next word in place of the sampled one.

# %% tags=["setup"]
start, draw = torch.zeros(24, 1, dtype=torch.long), torch.Generator().manual_seed(0)
told = generate(from_gpt2(fairytale.model), start, 255, temperature=1.0, generator=draw)
told = told.numpy()
begins, goes_on = (
    np.array([bool(re.match(what, token)) for token in tokens.vocab])
    for what in ("Ġ[A-Za-z]", "[A-Za-z]")
)
whole = begins[told[:, :-1]] & ~goes_on[told[:, 1:]]


def ten_each(ids, whole):
    """Ten places of each word that has as many, so that no word counts for more: stories, places."""
    n, i = np.nonzero(whole)
    word = ids[n, i]
    often = [w for w in np.unique(word) if (word == w).sum() >= 10]
    chosen = [deal.choice(np.flatnonzero(word == w), 10, replace=False) for w in often]
    return n[np.concatenate(chosen)], i[np.concatenate(chosen)]


# %% tags=["setup"]
def mean_of(cosines, mask, label):
    """The mean over pairs; each word (next word, quarter) that they share weighs the same."""
    weights = mask / np.bincount(label, mask.sum(1))[label].clip(1)[:, None]
    return (cosines * weights).sum() / weights.sum()


def by_shared(model, ids, after, whole):
    """Mean cosine of pairs by what they share, after each layer: centred, and not."""
    n, i = ten_each(ids, whole)
    shared = {"word": ids[n, i], "next word": after[n, i], "quarter": 4 * i // ids.shape[1]}
    equal = {name: label[:, None] == label for name, label in shared.items()}
    none = (n[:, None] != n) & ~equal["word"] & ~equal["next word"]
    mask = {"word": equal["word"] & ~equal["next word"] & (n[:, None] != n)}
    mask |= {"next word": equal["next word"] & ~equal["word"] & (n[:, None] != n)}
    mask |= {"quarter": none & equal["quarter"], "nothing": none & ~equal["quarter"]}
    seen, found = trace(model, torch.tensor(ids), ["resid_pre", "resid_post"]), []
    for x in (seen["resid_pre", 0], *seen.stack("resid_post")):
        x = x[n, i].double().numpy()
        for u in (unit(x - x.mean(0)), unit(x)):
            found += [mean_of(u @ u.T, m, shared.get(k, 0 * n)) for k, m in mask.items()]
    found = np.reshape(found, (-1, 2, 4))  # (step, centred or not, what they share)
    return [dict(zip(mask, found[:, c].T, strict=True)) for c in (0, 1)]


inside = np.arange(127) > np.zeros((100, 1))  # all places of the stories but the first
texts_of = {"fairytale": (fairytale, told, told[:, 1:], whole)}
texts_of["world"] = world, ids.numpy(), ids.numpy()[:, 1:], inside
pairs = {name: by_shared(*text) for name, text in texts_of.items()}
controls = {name: by_shared(untrained(m), *text) for name, (m, *text) in texts_of.items()}
likeliest = trace(fairytale, torch.tensor(told), ["logits"])["logits"].argmax(-1).numpy()
of_likeliest = by_shared(fairytale, told, likeliest, whole)[0]["next word"]

# %% tags=["setup"]
SAMPLED = "rounding may change a sampled text from some word on, and so all tales"
(tales, raw), (grammar, _) = pairs.values()
note(
    atol=0.04,
    because=SAMPLED,
    tales_common=raw["nothing"].max(),
    tales_least_fall=-np.diff(tales["word"]).max(),
    tales_next_over_word=(tales["next word"] - tales["word"])[-1],
    tales_raw_start=raw["word"][0],
    tales_raw_peak=raw["word"].max(),
    tales_quarter_peak=tales["quarter"].max(),
    tales_quarter_end=tales["quarter"][-1],
    tales_word_start=tales["word"][0],
    tales_word_layer2=tales["word"][3],
    tales_word_end=tales["word"][-1],
    tales_next_end=tales["next word"][-1],
    tales_likeliest_end=of_likeliest[-1],
    world_word_start=grammar["word"][0],
    world_word_end=grammar["word"][-1],
    world_next_end=grammar["next word"][-1],
    untrained_word_end=controls["fairytale"][0]["word"][-1],
)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=3.5, sharey=True)
for ax, (name, (found, _)) in zip(axes, pairs.items(), strict=True):
    for (what, values), colour in zip(
        found.items(), (BLUE, ORANGE, GREEN, plots.MUTED), strict=True
    ):
        ax.plot(values, "o-", color=colour, ms=4, label=what)
    ax.plot(controls[name][0]["word"], ":", color=BLUE, label="control: word, untrained")
    ax.set(title=name.capitalize(), xlabel="after layer")
    ax.set_xticks(range(len(values)), ["embed", *range(len(values) - 1)])
axes[0].set(ylabel="mean cosine, centred", ylim=(-0.25, 1.05))
handles = axes[0].get_legend_handles_labels()
fig.legend(*handles, loc="outside lower center", ncols=2, title="pairs share")
figure(
    fig,
    name="pairs",
    alt="In Fairytale pairs with the same word stay far above all others, also after the last layer. In World pairs before "
    "the same next word overtake them after layer 1 and end near 0.8. Pairs in the same quarter of the text rise within both and fall "
    "again. Dotted: the same word in an untrained model, which falls evenly and ends below Fairytale and above World.",
    caption="Pairs of places in different texts, by what they share. Dotted: the control.",
    title="In Fairytale the word stays, in World it gives way",
    rtol=0.03,
    because=SAMPLED,
)

# %% [markdown]
# In *World* positions before the same next word end at {{ result("geometry.world_next_end", ".2f") }}, far above positions with the
# same word ({{ result("geometry.world_word_end", ".2f") }}): what was read gives way to what comes next.
#
# In *Fairytale* the word stays. Positions with the same word fall from {{ result("geometry.tales_word_start", ".2f") }} to
# {{ result("geometry.tales_word_layer2", ".2f") }} after layer 2, and no further. This is how the pairs end:
#
# | what the two positions share | mean cosine at the end |
# | --- | ---: |
# | the word | {{ result("geometry.tales_word_end", ".2f") }} |
# | control: the word, in an untrained model | {{ result("geometry.untrained_word_end", ".2f") }} |
# | the next word | {{ result("geometry.tales_next_end", ".2f") }} |
# | the next word that the model itself holds most likely | {{ result("geometry.tales_likeliest_end", ".2f") }} |
# | the quarter of the text | {{ result("geometry.tales_quarter_end", ".2f") }} |
#
# One possible reason: in real text very many words may follow, and the word just read narrows them down. But much of this
# needs no training, as the untrained model shows. In the middle layers the quarter counts for more: there it reaches
# {{ result("geometry.tales_quarter_peak", ".2f") }}.
#
# Centring matters here. Without it the same word seems to gain, from {{ result("geometry.tales_raw_start", ".2f") }} to
# {{ result("geometry.tales_raw_peak", ".2f") }} at most, because all positions come to share a direction: pairs that share
# nothing reach {{ result("geometry.tales_common", ".2f") }}.
#
# We do not know whether the same word falls at *every* layer. The smallest fall ({{ result("geometry.tales_least_fall", ".3f") }},
# at the last layer) changed its sign among three samples of tales. And *Fairytale* read only its own tales here, in which the
# frequent words are mostly small ones (*the*, *he*, *said*).
#
# - Before this: [Tokens](02_tokens.md)
# - Finding: [Parallel differences show groups, not pairs](../findings/geometry-groups-not-pairs.md)
# - Finding: [From the word to its role](../findings/geometry-word-to-role.md)
# - Finding: [In a model of real text the word stays](../findings/geometry-word-stays.md)
# - Surprise: [The place fills the middle of the model](../surprises/geometry-place-in-the-middle.md)
# - Mikolov, Yih & Zweig (2013), [Linguistic Regularities in Continuous Space Word Representations](https://aclanthology.org/N13-1090/)
# - Linzen (2016), [Issues in evaluating semantic spaces using word analogies](https://arxiv.org/abs/1606.07736)
# - Ethayarajh (2019), [How Contextual are Contextualized Word Representations?](https://arxiv.org/abs/1909.00512)

# %% tags=["setup"]
in_words(
    world_parts="World: silhouette of words by part of speech",
    tales_parts="Fairytale: silhouette of words by part of speech",
    gender_silhouette="World: silhouette of names by gender",
    gender_above_shuffles="How far that is above every shuffle",
    number_silhouette="Fairytale: silhouette of nouns by number",
    number_above_shuffles="How far that is above every shuffle",
    home_silhouette="World: silhouette of names by home",
    home_above_shuffles="How far that is above every shuffle",
    job_silhouette="World: silhouette of names by job",
    job_above_shuffles="How far that is above every shuffle",
    landmark_silhouette="World: silhouette of towns by landmark",
    landmark_above_shuffles="How far that is above every shuffle",
    gain_without_frequency="Fairytale: gain by part of speech with the frequency taken out",
    nouns_parallel="World: cosine between singular-to-plural steps, nouns",
    nouns_mismatched="The same with wrong pairs",
    verbs_parallel="World: cosine between singular-to-plural steps, verbs",
    verbs_mismatched="The same with wrong pairs",
    number_parallel="Fairytale: cosine between singular-to-plural steps",
    number_mismatched="The same with wrong pairs",
    gender_parallel="Fairytale: cosine between gender steps",
    gender_mismatched="The same with wrong pairs",
    gender_rank="Mismatched gender pairs that are less parallel",
    own_gender_tales="Fairytale: words nearest to their own partner, gender",
    own_number_tales="Fairytale: plurals nearest to their own singular",
    own_number_world="World: plurals nearest to their own singular",
    runs_parallel_least="World: cosine between singular-to-plural steps, the lowest of five training runs",
    runs_gap_most="True steps more parallel than wrong ones by, the most of five training runs",
    runs_own_most="Plurals nearest to their own singular, the most of five training runs",
    hits_arithmetic="Analogies solved with arithmetic",
    hits_no_arithmetic="Analogies solved without arithmetic",
    hits_nothing_left_out="Analogies solved with arithmetic, no word left out",
    name_at_start="Variance of names explained by which name it is, at the start",
    name_at_end="The same at the end",
    name_control="The same at the end with shuffled names",
    name_share_falls="That share falls at every layer",
    role_of_names_at_end="Variance of names explained by their role, at the end",
    place_of_nouns_first="Variance of nouns explained by their position, after the first layer",
    place_of_nouns_last="The same at the end",
    tales_common="Fairytale: largest cosine between words that share nothing, not centred",
    tales_least_fall="Fairytale: smallest fall of the same word's cosine in a layer",
    tales_next_over_word="Fairytale: same next word minus same word, at the end",
    tales_raw_start="Fairytale: same word at the start, not centred",
    tales_raw_peak="Fairytale: same word at most, not centred",
    tales_quarter_peak="Fairytale: other words in the same quarter, at most",
    tales_quarter_end="Fairytale: other words in the same quarter, at the end",
    tales_word_layer2="Fairytale: same word after layer 2",
    tales_likeliest_end="Fairytale: same likeliest next word, at the end",
    tales_word_start="Fairytale: same word at the start",
    tales_word_end="Fairytale: same word at the end",
    tales_next_end="Fairytale: same next word at the end",
    world_word_start="World: same word at the start",
    world_word_end="World: same word at the end",
    world_next_end="World: same next word at the end",
    untrained_word_end="Untrained Fairytale: same word at the end",
)
