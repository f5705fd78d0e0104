# ---
# title: What probes read and models use
# question: A probe reads the subject's number from a model. Is the direction that it found the one that the model uses?
# answer: >-
#   Two probes read the number equally well. If the direction of the one fitted on standardised activations is erased,
#   {{ result("probing.verbs_right_scaled", ".0%") }} of the verbs are right; if that of the one fitted on raw activations is,
#   {{ result("probing.verbs_right_raw", ".0%") }} are.
# chapter: Who does it
# level: intermediate
# minutes: 15
# models: [world]
# needs: [14_activations]
# tags: [probing, erasing, causality, representations]
# thumbnail: cloud
# timeout: 300
# ---

# %% tags=["setup"]
import numpy as np
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score
from torch.nn.functional import cosine_similarity, normalize

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods import erase, probe
from llmnotes.model import replace, rerun, trace, untrained
from llmnotes.world import END, IDS, held_out, is_right, word_ids
from llmnotes.world.lexicon import BRACKETS, VERBS

BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
torch.set_grad_enabled(False)
draw = torch.Generator().manual_seed(0)
ROWS = "a row or two of about a hundred may turn with rounding"
note = within(atol=0.05, because=ROWS)
SMALL = "a smooth function of fitted directions: rounding only"
RANKS = "near ties may change places"

# %% [markdown]
# ## A case you can hold: “the cats near the dog ▢”
#
# *World* has read *the cats near the dog*. Does it expect a singular or a plural verb? The last word, *dog*, is singular. But the
# subject, *cats*, is plural, and the subject decides.

# %% tags=["idea"]
world = llmnotes.load("world")
logits = trace(world, f"{END} the cats near the dog", ["logits"])["logits"]
chance = logits[0, -1].softmax(-1)
for number, verbs in (("plural", [*VERBS, "are"]), ("singular", [*VERBS.values(), "is"])):
    print(f"{number:9} {chance[[IDS[verb] for verb in verbs]].sum():.4f}")

# %% [markdown]
# The model is right, and it makes this prediction at the word *dog*. So the vector at *dog* must hold the number of *cats*. A
# linear classifier finds it there at once. Does the model use what the classifier found?
#
# ## A probe is a direction to read along, and there are several
#
# {{ drawing("probe", alt="Two classes of activations with the line that separates them, and the same activations with the probe's direction projected out.") }}
#
# A *probe* is a classifier that is trained on a model's activations. Ours is a logistic regression on the residual stream at one
# word, tested on stories that it has not seen. The probe draws a line (in many dimensions, a plane) between two classes, and the
# vector at right angles to it is the probe's *direction* $w$. Let $d$ be the difference between the mean activations of the two
# classes. There are three usual ways to fit a probe, and they give three directions (the first two exactly so if the probe's
# penalty on weights is strong):
#
# $$
# w_{\text{raw}} \propto d, \qquad w_{\text{standardised}} \propto D^{-2} d, \qquad w_{\text{whitened}} \propto C^{-1} d
# $$
#
# The *raw* probe is fitted on the activations as they are. The *standardised* one is fitted after dividing each dimension by its
# spread; $D$ is the diagonal matrix of these spreads. The third is *linear discriminant analysis*, which uses the whole covariance
# $C$ of the activations. After the last layer all three read the number of the subject without an error.


# %% tags=["idea"]
def three_directions(x, y, groups):  # x: (word, d_model), y: its class
    raw = probe(x, y, groups=groups, standardise=False).directions
    scaled = probe(x, y, groups=groups, standardise=True).directions
    whitened = LinearDiscriminantAnalysis().fit(x, y).coef_
    whitened = torch.tensor(whitened, dtype=torch.float32)
    return {"raw": raw, "standardised": scaled, "whitened": whitened}


# %% [markdown]
# To *erase* a direction, we project it out of every activation, with $\hat w = w / |w|$:
#
# $$
# x \leftarrow x - (x \cdot \hat w)\, \hat w
# $$
#
# After that nothing can be read along $w$. If the model reads along $w$ as well, its verbs must suffer.
#
# ## Your prediction
#
# We fit the probes on 270 sentence beginnings like *the cats near the dog*. In other stories we then erase a direction at the word
# before the verb, after the last layer, and check whether the verb still agrees.

# %%
ask(
    "Both probes, raw and standardised, read the subject's number perfectly. We erase the direction of one of them. "
    "After which do the verbs go wrong?",
    choices={
        "both": "After either: each found where the number is",
        "scaled": "After the standardised probe's: it is the better-made probe",
        "raw": "After the raw probe's only",
        "neither": "After neither: one direction of 128 is too little",
    },
    answer="raw",
    because={
        "both": "A perfect score feels like having found the thing itself. But a line that separates two clouds need not be "
        "perpendicular to the line from one to the other.",
        "scaled": "It is the better reader where dimensions differ in size. A good way to read is not the way in which the classes differ.",
        "raw": "Its direction is the difference of the means, and erasing that brings the two clouds together.",
        "neither": "One direction is enough if it is the right one: the classes differ in their means, and that is one vector.",
    },
    figure="cloud",
    verbs_right_raw="< 0.7",
    verbs_right_scaled="> 0.95",
)
# Before any run; "the probe" is the standardised one, "the middle" is after half of the layers. A first look then settled
# which variables and places to show.
predict(
    "In the middle the last noun's number is read better than the subject's",
    0.6,
    last_minus_subject="> 0",
)
predict(
    "An untrained model lets it be read in more than 95% of places",
    0.7,
    untrained_last="> 0.95",
)
predict(
    "With one random label a noun selectivity falls below 0.05",
    0.75,
    selectivity_by_noun="< 0.05",
)
predict(
    "With its direction erased, a new probe still reads more than 75%",
    0.6,
    read_again_probe="> 0.75",
)
predict(
    "Erasing it breaks the rule less than half as often as LEACE",
    0.6,
    probe_to_leace="< 0.5",
)
predict(
    "In the middle, what is read well is what decides: AUC above 0.8",
    0.35,
    auc_read_middle="> 0.8",
)
predict(
    "In the middle, what matters when erased (LEACE) is what decides: AUC above 0.95",
    0.7,
    auc_leace_middle="> 0.95",
)
predict(
    "Erased in the middle, the subject's number is read at the end in 90% of places",
    0.4,
    read_later_subject="> 0.9",
)
# After the first look, before their experiments. How each is measured was changed once after a first result.
predict(
    "Erasing the mean difference of shuffled labels moves more than 10 times what a random direction does",
    0.8,
    after_a_look=True,
    shuffled_to_random="> 10",
)
predict(
    "Trained, but not untrained, the number of nouns kept from the probe is read above 75%",
    0.7,
    after_a_look=True,
    unheard_only_trained="== 1",
)

# %% [markdown]
# ## Erasing the raw direction breaks the verbs, erasing the standardised one does not


# %% tags=["setup"]
def follow(story):
    """The variables after each word of a story, as the grammar has them; "" where there is none yet."""
    now = dict.fromkeys(("subject", "last", "gender"), "")
    opened, before, fresh = [], END, False
    for token in story:
        if token.pos == "noun" and token.number:
            now["last"] = token.number
            now["subject"], fresh = (token.number if fresh else now["subject"]), False
        fresh |= token.word == "the" and before in (END, ".", "“")
        if token.pos == "name" and before in (END, ".", ","):
            now["gender"] = token.gender
        if token.word in BRACKETS:
            opened.append(token.word)
        elif token.word in BRACKETS.values():
            opened.pop()
        yield now | {"mood": token.mood, "bracket": opened[-1] if opened else ""}
        before = token.word


# %% tags=["setup"]
CELLS = {  # the first variable of each place is the one that decides
    "verb": ("subject", "last", "gender", "mood", "position"),
    "his or her": ("gender", "mood", "position"),
    "adjective": ("mood", "gender", "position"),
    "closing": ("bracket", "gender", "mood", "position"),
}


def place_of(now, coming):
    """Which of our places stands before a word that is coming, if any."""
    if coming.rule in ("agreement_1", "agreement_2"):
        return "verb"
    if coming.word in ("his", "her"):
        return "his or her"
    if coming.rule == "mood" and now.word == "was":
        return "adjective"
    return "closing" if coming.word in BRACKETS.values() else None


# %% tags=["setup"]
stories = [story[:128] for story in held_out(seed=9, n=600)]
rows = {place: [] for place in CELLS}  # (story, position, variables, the word that comes)
for n, story in enumerate(stories):
    for i, (now, coming, has) in enumerate(
        zip(story, story[1:], follow(story), strict=False)
    ):
        if (place := place_of(now, coming)) and len(rows[place]) < 400:
            rows[place].append((n, i, has, coming))

ids = torch.zeros(600, 128, dtype=torch.long)
for n, story in enumerate(stories):
    ids[n, : len(story)] = word_ids(token.word for token in story)
seen = trace(world, ids, ["resid_post"])
fresh = trace(untrained(world), ids, ["resid_post"])
for place, found in rows.items():
    print(f"{place:10} {len(found)} places")


# %% tags=["setup"]
def data(place, variable):
    """Labels, story, row in the traces, and which rows are for erasing; without rows where there is no such variable."""
    story, at = (np.array([row[k] for row in rows[place]]) for k in (0, 1))
    if variable == "position":
        label = np.where(at > np.median(at), "late", "early")
    else:
        label = np.array([row[2][variable] for row in rows[place]])
    has = label != ""
    return label[has], story[has], at[has], story[has] % 3 == 0, np.flatnonzero(has)


def gain(found):
    return (found.accuracy - found.majority) / (1 - found.majority)


# %% tags=["setup"]
def leace(x, label):
    """The map that makes the classes' means equal and changes x least (in whitened units)."""
    one_hot = torch.tensor(label[:, None] == np.unique(label)).float()
    mean, z = x.mean(0), one_hot - one_hot.mean(0)
    size, basis = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    size, basis = size[size > 1e-5 * size.max()], basis[:, size > 1e-5 * size.max()]
    u, s, _ = torch.linalg.svd(
        (basis / size.sqrt()).T @ (x - mean).T @ z, full_matrices=False
    )
    u = u[:, s > 1e-4 * s.max()]  # whitened directions in which the means differ
    take = (basis / size.sqrt()) @ u @ u.T @ (basis * size.sqrt()).T
    return lambda new: new - (new - mean) @ take


def mean_differences(x, label):
    means = torch.stack([x[label == name].mean(0) for name in np.unique(label)])
    return means[1:] - means[0]


def same_size(x, other):
    """x, moved along one random direction as far as `other` was."""
    way = torch.nn.functional.normalize(torch.randn(x.shape[-1], generator=draw), dim=0)
    return x + (other - x).norm(dim=-1, keepdim=True) * way


# %% tags=["setup"]
LAYERS = range(world.n_layers)
middle, final = len(LAYERS) // 2 - 1, len(LAYERS) - 1
WAYS_TO_ERASE = ("raw", "standardised", "whitened", "means", "LEACE", "random")
dice = torch.Generator().manual_seed(1)


def with_stream(x, layer, again, model=world):
    """The log-probabilities at some places if the stream there is x after a layer."""
    with replace(model, "resid_post", layer, x[:, None]):
        return again().log_softmax(-1)


def agrees(log_probs, comes):
    """The share of places at which a rule is kept."""
    both = zip(log_probs.exp(), comes, strict=True)
    return np.mean([is_right(p, word.rule, word.word) for p, word in both])


def erased_at_the_end(model, stream):
    """By place and way: the share that stays right, what a new probe reads, the cosine with the difference of means."""
    found, kept = {}, {}
    for place, (variable, *_) in CELLS.items():
        label, story, at, out, row = data(place, variable)
        comes = [rows[place][r][3] for r in row[out]]
        x, new = (stream[story, at][which] for which in (~out, out))
        apart, mean = mean_differences(x, label[~out]), x.mean(0)
        w = three_directions(x, label[~out], story[~out]) | {"means": apart}
        to = {way: mean + erase(new - mean, direction) for way, direction in w.items()}
        to["LEACE"] = leace(x, label[~out])(new)
        far = (to["LEACE"] - new).norm(dim=-1, keepdim=True)
        to["random"] = new + far * normalize(torch.randn(x.size(1), generator=dice), dim=0)
        again = rerun(model, ids, story[out], at[out])
        for way, edited in to.items():
            read = probe(edited, label[out], groups=story[out]).accuracy
            two = way in w and len(w[way]) == 1  # of two classes there is one direction
            near = cosine_similarity(w[way], apart).abs().item() if two else np.nan
            right = agrees(with_stream(edited, final, again, model), comes)
            found[place, way] = (right, read, near)
        kept[place] = (label[out], new, to, w)
    return found, kept


trials, ends = [], None
for seed in range(5):
    model = llmnotes.load("world", seed=seed) if seed else world
    stream = seen if model is world else trace(model, ids, ["resid_post"], layers=[final])
    found, kept = erased_at_the_end(model, stream["resid_post", final])
    trials.append([[found[place, way] for way in WAYS_TO_ERASE] for place in CELLS])
    ends = ends or kept
trials = np.array(trials)  # (seed, place, way, 3)
of_way = {way: trials[:, :, i] for i, way in enumerate(WAYS_TO_ERASE)}

# %% tags=["setup"]
firm = [0, 1, 3]  # all but the mood, which is noisy
note(
    verbs_right_raw=of_way["raw"][0, 0, 0],
    verbs_right_scaled=of_way["standardised"][0, 0, 0],
    verbs_right_whitened=of_way["whitened"][0, 0, 0],
    seeds_right_raw=of_way["raw"][:, firm, 0].mean(),
    seeds_right_raw_most=of_way["raw"][:, firm, 0].max(),
    seeds_right_scaled=of_way["standardised"][:, firm, 0].mean(),
    seeds_right_scaled_least=of_way["standardised"][:, firm, 0].min(),
    seeds_right_whitened_least=of_way["whitened"][:, firm, 0].min(),
    seeds_right_leace=of_way["LEACE"][:, firm, 0].mean(),
    seeds_right_random_least=of_way["random"][:, firm, 0].min(),
    seeds_mood_raw=of_way["raw"][:, 2, 0].mean(),
    seeds_mood_means=of_way["means"][:, 2, 0].mean(),
    seeds_mood_random=of_way["random"][:, 2, 0].mean(),
    seeds_again_scaled=of_way["standardised"][:, firm, 1].mean(),
    seeds_again_raw=of_way["raw"][:, 0, 1].mean(),
)
cosines = {way: of_way[way][:, 0, 2] for way in ("raw", "standardised", "whitened")}
smooth = within(atol=0.05, because=SMALL)
smooth(
    cosine_raw=cosines["raw"].mean(),
    cosine_scaled=cosines["standardised"].mean(),
    cosine_whitened=cosines["whitened"].mean(),
)
note(seeds=len(trials))

# %% tags=["drawing"]
label, new, to, w = ends["verb"]
across = normalize(w["means"])[0]  # along the difference of the means
beside = normalize(erase(w["standardised"], w["means"]))[0]
plane = torch.stack([across, beside], 1)
centre = new.mean(0)
tilt = (normalize(w["standardised"]) @ plane)[0]
PANELS = {
    "": (new, "Both probes read all"),
    "scaled": (to["standardised"], "Standardised erased"),
    "raw": (to["raw"], "Raw erased"),
}
fig, axes = plots.subplots(1, 3, height=3.0, sharey=True, sharex=True)
clouds = {}
for ax, (key, (points, title)) in zip(axes, PANELS.items(), strict=True):
    clouds[key or "whole"] = spots = ((points - centre) @ plane).numpy()
    for name, colour, mark in (("plural", BLUE, "o"), ("singular", ORANGE, "s")):
        of = spots[label == name]
        (dots,) = ax.plot(of[:, 0], of[:, 1], mark, ms=4, color=colour, alpha=0.6)
        if key and name == "plural":
            dots.set_gid(f"choice-{key}")
    ax.set(title=title, xlabel="along d")
    share = {
        "": 1,
        "scaled": of_way["standardised"][0, 0, 0],
        "raw": of_way["raw"][0, 0, 0],
    }
    ax.text(
        0.5,
        0.03,
        f"verbs right: {100 * share[key]:.0f}%",
        transform=ax.transAxes,
        ha="center",
    )
high = np.max([np.abs(spots).max(0) for spots in clouds.values()], axis=0)
line = np.array([-1, 1])[:, None] * np.array([-tilt[1], tilt[0]]) * 2 * high.max()
axes[0].plot(*line.T, color=plots.INK, lw=1.5)
axes[0].set(
    xlim=(-1.25 * high[0], 1.25 * high[0]),
    ylim=(-1.7 * high[1], 1.5 * high[1]),
    ylabel="beside it",
)
for name, colour in (("plural", BLUE), ("singular", ORANGE)):
    x = clouds["whole"][label == name][:, 0].mean()
    axes[0].text(x, 0.4 * high[1], name, color=colour, weight="bold", ha="center")
figure(
    fig,
    name="cloud",
    alt="Three scatter plots of activations before a verb, plural and singular subjects. In the first a line separates two distant clouds. With "
    "the standardised probe's direction erased the clouds are still far apart, and all verbs are right. With the raw probe's direction erased they "
    "lie on each other, and about half of the verbs are right.",
    caption="One dot a place, after the last layer, in stories that no probe was fitted on. d: the difference of the means. Black: the line of the standardised probe. The axes differ in scale.",
    title="Only one of two perfect probes found the difference",
    data=clouds,
    rtol=0.1,
    because=ROWS,
)

# %% [markdown]
# With the standardised probe's direction erased, {{ result("probing.verbs_right_scaled", ".0%") }} of the verbs are right.
# With the raw probe's erased, {{ result("probing.verbs_right_raw", ".0%") }} are, no more than by guessing. The picture shows
# why. The two clouds are far apart, and the standardised probe cuts between them at a slant. It gives little weight to
# dimensions in which activations vary much, and the two clouds differ most in such dimensions. So a good direction to read
# along need not be the direction in which the classes differ.
#
# The cosine with the difference of the means is {{ result("probing.cosine_raw", ".2f") }} for the raw probe and
# {{ result("probing.cosine_scaled", ".2f") }} for the standardised one (whitened: {{ result("probing.cosine_whitened", ".2f") }}).
# If someone reports “we erased the probe's direction and nothing changed”, the reason may be how the probe was scaled.
#
# ```exercise
# title: Erase in the units of the probe
# minutes: 4
# code: |
#   z = (x - mean) / spread  # the units in which the probe was fitted
#   w = direction * spread   # its direction in these units
#   z = z - (z @ w)[:, None] * w / (w @ w)
#   x = mean + ▢
# right: ["z * spread", "spread * z"]
# praise: "Projected out in its own units, the standardised direction takes the difference of the means away, and breaks many verbs."
# wrong:
#   "z": "Then x stays in standardised units. How does one get back?"
#   "z / spread": "Dividing made z. What undoes it?"
# otherwise: "What undoes the division by the spread?"
# solution: "`z * spread`. A projection depends on the units in which it is made."
# ```
#
# ## It holds for three rules, in five trainings
#
# Is this true of verbs only? In *World* one hidden variable decides each of four kinds of words: a verb after other nouns (the
# *number* of the subject), *his* or *her* (the *gender* of the person spoken of), an adjective (the *mood* of the story), and a
# closing *bracket* (the kind of bracket opened last). We erase each variable in each of {{ result("probing.seeds") }} trainings of
# *World*.
#
# The strongest erasure is LEACE ([Belrose et al. 2023](https://arxiv.org/abs/2306.03819)). Of all affine maps after which the
# class means are equal, it moves the activations least on average. The control is a random change as large as LEACE's.

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 4, height=3.3, sharey=True)
NAMED = {"raw": "raw", "standardised": "stand-\nardised", "whitened": "whit-\nened"}
NAMED |= {"means": "means", "LEACE": "LEACE", "random": "control:\nrandom"}
for ax, place, index in zip(axes, CELLS, range(4), strict=True):
    for y, way in enumerate(WAYS_TO_ERASE):
        share = 100 * of_way[way][:, index, 0]
        colour = (
            GREY
            if way == "random"
            else BLUE
            if way in ("standardised", "whitened")
            else ORANGE
        )
        ax.plot(
            share,
            y + np.linspace(-0.2, 0.2, len(share)),
            "o",
            ms=5,
            color=colour,
            alpha=0.8,
        )
    ax.set(title=place, xlim=(0, 106), xticks=(0, 50, 100), xlabel="right (%)")
axes[0].set_yticks(range(6), NAMED.values())
axes[0].invert_yaxis()
figure(
    fig,
    name="directions",
    alt="Four panels, one for each rule, with one dot for each of five trainings. Erasing the raw direction, the means or by LEACE breaks verbs, his or her, "
    "and brackets; erasing the standardised or whitened direction or a random one leaves them. For adjectives only the means and LEACE break the rule.",
    caption="One dot for each training. Each row: what was erased after the last layer. The random change is as large as LEACE's.",
    title="Raw, means and LEACE break rules; scaled probes do not",
    data={"right": trials[..., 0]},
    rtol=0.15,
    because=ROWS,
)

# %% [markdown]
# For verbs, pronouns and brackets, {{ result("probing.seeds_right_raw", ".0%") }} of the answers are right on average after erasing
# the raw direction, about as many as after LEACE. After erasing the standardised direction at least
# {{ result("probing.seeds_right_scaled_least", ".0%") }} are right in each rule and training, about as many as with the random
# control.
#
# The mood is the exception. Its words are noisy, no line separates the moods, and the raw probe fits the noise. Erasing its
# direction leaves the rule where the control leaves it ({{ result("probing.seeds_mood_raw", ".0%") }} right, control
# {{ result("probing.seeds_mood_random", ".0%") }}). Erasing the plain difference of the means breaks this rule, too
# ({{ result("probing.seeds_mood_means", ".0%") }} right). If you need the direction in which classes differ, compute the difference
# of the means and do not take it from a probe.
#
# ## What can be read is not what decides
#
# At the same words we now read variables that do *not* decide what comes: the number of the *last* noun before the verb, the
# gender, the mood, and the *position* (earlier or later than the median). A score of 0 means no better than always naming the most
# frequent class, and 1 means no errors.

# %% tags=["setup"]
read, shuffled, directions = {}, {}, {}
for place, variables in CELLS.items():
    for variable in variables:
        label, story, at, out, _ = data(place, variable)
        x = seen.stack("resid_post")[:, story, at]  # (layer, row, d_model)
        found = [probe(layer[~out], label[~out], groups=story[~out]) for layer in x]
        read[place, variable] = [gain(p) for p in found]
        shuffled[place, variable] = [p.shuffled - p.majority for p in found]
        directions[place, variable] = [p.directions for p in found]

# %% tags=["drawing"]
COLOUR = {"subject": BLUE, "last": ORANGE, "gender": GREEN, "mood": PURPLE}
COLOUR |= {"position": OCHRE, "bracket": BLUE}
fig, axes = plots.subplots(1, 4, height=3.1, sharey=True)
for ax, (place, variables) in zip(axes, CELLS.items(), strict=True):
    for variable in variables:
        thick = {"lw": 3.5} if variable == variables[0] else {"lw": 1.3, "ls": "--"}
        ax.plot(
            LAYERS, read[place, variable], color=COLOUR[variable], label=variable, **thick
        )
    off = np.array([shuffled[place, v] for v in variables])
    ax.fill_between(LAYERS, off.min(0), off.max(0), color=GREY, alpha=0.25, lw=0)
    ax.set(title=place, xlabel="after layer", xticks=LAYERS, ylim=(-0.4, 1.05))
    ax.legend(
        fontsize=9, loc="lower right", labelspacing=0.1, handlelength=1.2, borderpad=0
    )
axes[0].set(ylabel="read, above most frequent class")
figure(
    fig,
    name="read",
    alt="Four panels, one for each kind of place. The variable that decides is read best only in later layers, before "
    "the verb only after the last. Position and the last noun's number are read well, the mood in part, and decide nothing.",
    title="What decides is read late; what does not is read early",
    caption="Thick: the variable that decides what comes. Dashed: others. Grey: the control, shuffled labels (range).",
    rtol=0.1,
    because=ROWS,
)

# %% tags=["setup"]
subject, last = read["verb", "subject"], read["verb", "last"]
note(atol=0.15, last_minus_subject=last[middle] - subject[middle])
note(
    atol=0.12,
    subject_middle=subject[middle],
    mood_at_closing=read["closing", "mood"][middle],
)
note(
    subject_final=subject[final],
    last_final=last[final],
)

# %% [markdown]
# At the word before the verb the number of the last noun is read perfectly at every layer, since it belongs to the word itself. It
# decides nothing. The subject's number, which decides, reaches a score of {{ result("probing.subject_middle", ".2f") }} in the
# middle of the model and {{ result("probing.subject_final", ".2f") }} only after the last layer.
#
# ## Only nouns that the probe has not met tell training from no training
#
# How can a probe read a number from a word? It might know the nouns by heart. We compare three controls, in the trained
# model and in an untrained one. *Shuffled labels* show what a probe can learn from nothing.
# [Hewitt and Liang (2019)](https://arxiv.org/abs/1909.03368) give each *noun* one random label: a probe can learn these by heart.
# The strictest test keeps whole nouns out of the training data.

# %% tags=["setup"]
label, story, at, *_ = data("verb", "last")
noun = ids[story, at].numpy()
lemma = np.array(
    [stories[n][i].word.removesuffix("s") for n, i in zip(story, at, strict=True)]
)
coin = np.random.default_rng(0).permutation(np.arange(len(IDS)) % 2)[noun]
scores = {}
for name, run in (("trained", seen), ("untrained", fresh)):
    x = run.stack("resid_post")[:, story, at]
    number, by_noun = ([probe(h, y, groups=story) for h in x] for y in (label, coin))
    kept = [probe(h, label, groups=lemma, seed=s).accuracy for s, h in enumerate(x)]
    of = [[p.accuracy for p in number], [p.accuracy for p in by_noun], kept]
    scores[name] = [*of, [p.shuffled for p in number]]

# %% tags=["setup"]
real, by_noun, kept, by_place = np.array(scores["trained"]).mean(1)
note(atol=0.08, selectivity_by_place=real - by_place)
note(atol=0.04, selectivity_by_noun=real - by_noun)
real_u, by_noun_u, kept_u, _ = np.array(scores["untrained"]).mean(1)
note(atol=0.03, untrained_last=real_u)
note(
    unheard_trained=kept,
    untrained_by_noun=by_noun_u,
    unheard_only_trained=kept > 0.75 > kept_u,
)
note(atol=0.1, unheard_untrained=kept_u)

# %% tags=["drawing"]
tests = {
    "its number": (real, real_u),
    "a random label\nfor each noun": (by_noun, by_noun_u),
    "number of nouns\nnot met before": (kept, kept_u),
}
fig, ax = plots.subplots(height=2.7)
for y, (trained, fresh_one) in enumerate(tests.values()):
    ax.plot([100 * trained, 100 * fresh_one], [y, y], color=plots.GRID, lw=3)
    ax.plot(100 * trained, y, "o", ms=9, color=BLUE)
    ax.plot(100 * fresh_one, y, "s", ms=8, color=ORANGE)
ax.text(100 * kept, 1.72, "trained", color=BLUE, ha="center")
ax.text(100 * kept_u, 1.72, "untrained", color=ORANGE, ha="center")
ax.axvline(50, color=plots.MUTED, lw=1, ls=":")
ax.text(51, -0.35, "chance", color=plots.MUTED)
ax.set_yticks(range(3), tests)
ax.set(xlim=(30, 104), ylim=(2.5, -0.6), xlabel="read by a probe (% of places)")
ax.grid(axis="y", visible=False)
figure(
    fig,
    name="controls",
    alt="A probe reads the last noun's number in nearly all places from the trained and from the untrained model. A random label for each noun is learned "
    "in most places from the untrained and in fewer from the trained one. The number of nouns that the probe has not met is read from the trained model only.",
    caption="Means over layers. What is read: the last noun before the verb.",
    title="An untrained model lets the number be read, too",
    data={"tests": np.array(list(tests.values()))},
    rtol=0.1,
    because=ROWS,
)

# %% [markdown]
# Even from an untrained model the number is read in {{ result("probing.untrained_last", ".0%") }} of the sentences. Each noun has
# its own random vector there, and the probe learns the nouns by heart. For nouns that the probe has not met the share is
# {{ result("probing.unheard_untrained", ".0%") }}, and {{ result("probing.unheard_trained", ".0%") }} in the trained model. So
# training made one direction for number, which all nouns share.
#
# *Selectivity* is a probe's accuracy minus its accuracy on a control task. Here it is
# {{ result("probing.selectivity_by_place", ".2f") }} if labels are shuffled among all sentences and
# {{ result("probing.selectivity_by_noun", ".2f") }} with Hewitt and Liang's labels. A selectivity means little unless you name the
# control.
#
# ## Erased early, the variable comes back
#
# So far we erased after the last layer. Now we erase at an earlier layer, at the word before the one to predict, and let the rest
# of the model run on.

# %% tags=["setup"]
WAYS = {"probe": BLUE, "means": ORANGE, "LEACE": GREEN, "random": GREY, "shuffled": PURPLE}
shuffle = np.random.default_rng(1).permutation


def edits(x, y, new, w):
    """The new activations after each erasure that was fitted on x with labels y; w is the probe's."""
    mean, mixed = x.mean(0), shuffle(y)
    to = {"probe": mean + erase(new - mean, w)}
    to["means"] = mean + erase(new - mean, mean_differences(x, y))
    to["LEACE"] = leace(x, y)(new)
    to["random"] = same_size(new, to["LEACE"])
    to["shuffled"] = mean + erase(new - mean, mean_differences(x, mixed))
    to["random as large"] = same_size(new, to["shuffled"])
    to["LEACE shuffled"] = leace(x, mixed)(new)
    return to


# %% tags=["setup"]
moved, right, erased = {}, {}, {}
for cell in read:
    label, story, at, out, row = data(*cell)
    there, comes = (story[out], at[out]), [rows[cell[0]][r][3] for r in row[out]]
    again = rerun(world, ids, *there)
    before = again().log_softmax(-1)
    for layer in LAYERS:
        h, new = (seen["resid_post", layer][story, at][w] for w in (~out, out))
        to = edits(h, label[~out], new, directions[cell][layer])
        for way, edited in to.items():
            after, key = with_stream(edited, layer, again), (*cell, layer, way)
            erased[key] = edited
            moved[key] = float((before.exp() * (before - after)).sum(-1).mean())
            if cell in [(place, v[0]) for place, v in CELLS.items()]:
                right[key] = agrees(after, comes)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 4, height=3.2, sharey=True)
for ax, (place, (variable, *_)) in zip(axes, CELLS.items(), strict=True):
    for way, colour in WAYS.items():
        values = [100 * right[place, variable, layer, way] for layer in LAYERS]
        ax.plot(LAYERS, values, color=colour, marker="o", ms=4, label=way)
    ax.set(
        title=f"{place}:\n{variable}", xlabel="after layer", xticks=LAYERS, ylim=(20, 104)
    )
axes[0].set(ylabel="rule right after erasing (%)")
axes[0].legend(fontsize=9, loc="lower left", labelspacing=0.1)
figure(
    fig,
    name="erased",
    alt="Rule by rule: erasing the standardised probe's direction changes nothing at any layer, like the random control. LEACE and the mean "
    "difference bring each rule down to near chance, but at early layers only for brackets.",
    title="Early, even LEACE breaks brackets only",
    caption="Places of stories that neither probe nor erasure was fitted on. Controls: random (as large as LEACE), shuffled labels.",
    rtol=0.1,
    because=ROWS,
)

# %% tags=["setup"]
DECIDES = [(place, variables[0]) for place, variables in CELLS.items()]
read_again = {way: [] for way in ("probe", "means", "LEACE")}
for cell in DECIDES:
    label, story, at, out, _ = data(*cell)
    for way, scores in read_again.items():
        scores.append(
            probe(erased[*cell, final, way], label[out], groups=story[out]).accuracy
        )
note(
    atol=0.1,
    read_again_probe=np.median(read_again["probe"]),
    read_again_means=np.median(read_again["means"]),
    read_again_leace=np.median(read_again["LEACE"]),
)

# %% tags=["setup"]
later = {}
for cell in DECIDES[:2]:
    label, story, at, out, _ = data(*cell)
    again = rerun(world, ids, story[out], at[out])
    with replace(world, "resid_post", middle, erased[*cell, middle, "LEACE"][:, None]):
        end = again("resid_post", final)
    later[cell[1]] = probe(end, label[out], groups=story[out]).accuracy

# %% tags=["setup"]
of_subject, of_gender = DECIDES[:2]
note(
    read_later_subject=later["subject"],
    right_subject_middle=right[*of_subject, middle, "LEACE"],
    read_later_gender=later["gender"],
    right_gender_middle=right[*of_gender, middle, "LEACE"],
)
note(
    atol=0.12,
    read_subject_middle=read[of_subject][middle],
    read_gender_middle=read[of_gender][middle],
)

# %% tags=["setup"]
all_four = {way: np.mean([right[*cell, final, way] for cell in DECIDES]) for way in WAYS}
note(
    right_probe=all_four["probe"],
    right_means=all_four["means"],
    right_leace=all_four["LEACE"],
    right_random=all_four["random"],
    right_shuffled=all_four["shuffled"],
)
wrong = {way: np.mean([1 - right[*c, final, way] for c in DECIDES]) for way in WAYS}
unedited = np.mean([1 - right[*c, final, "random"] for c in DECIDES])
ratio = (wrong["probe"] - unedited) / (wrong["LEACE"] - unedited)
note(atol=0.06, probe_to_leace=ratio)
label, story, at, out, _ = data("verb", "subject")
x, w = seen["resid_post", final][story, at][~out], directions["verb", "subject"][final]
apart = mean_differences(x, label[~out])
angle = cosine_similarity(w, apart).abs()
note(atol=0.05, because=SMALL, cosine_probe_means=angle)

# %% [markdown]
# In the middle of the model gender is read with a score of {{ result("probing.read_gender_middle", ".2f") }}. After erasing it
# there by LEACE, {{ result("probing.right_gender_middle", ".0%") }} of the pronouns are still right, and after the last layer a
# probe reads the gender in {{ result("probing.read_later_gender", ".0%") }} of the sentences. It came back from earlier words,
# which we left alone, or from what a linear erasure leaves.
#
# If a variable can be erased at a word without harm, the model may still use it. All that this shows is that this copy, at this
# layer, is not needed. Models that make up for what was taken away are a known trap of such tests, called *self-repair*
# ([McGrath et al. 2023](https://arxiv.org/abs/2307.15771) call it the Hydra effect).
#
# ## What surprised us
#
# **We had published half of it.** This page used to say that “the probe's direction can go”: erase it, and nothing happens. The
# numbers were correct, and the probe was standardised. A reader fitted one on raw activations and erased its direction, and the
# rules broke ([the finding as it stood](../findings/probing-direction-can-go.md)).
#
# **Repeating it does not help.** *INLP* fits a probe, erases its direction, fits the next one, and so on
# ([Ravfogel et al. 2020](https://arxiv.org/abs/2004.07667)). With standardised probes, {{ result("probing.inlp_rounds") }} rounds
# leave {{ result("probing.inlp_right", ".0%") }} of the verbs right. Each round removes one more direction that is good to read
# along and holds little of the difference.
#
# **We expected LEACE in the middle to tell what decides.** We gave it seven chances in ten. But what decides arrives only later, or
# comes back ([dead end](../dead-ends/probing-erase-where-read.md)).
#
# ## Try it
#
# **1. Read along one direction, move along another** (10 minutes). Read along the standardised probe's direction $w$, but move
# along the difference of the means $d$. How far must you move until nothing is left along $w$?
#
# ??? tip "Hint"
#     After moving by $c\,d$ the reading has changed by $c\,(d \cdot w)$. It should become that of the mean.

# %% tags=["solution"]
label, story, at, out, row = data("verb", "subject")
there, comes = (story[out], at[out]), [rows["verb"][r][3] for r in row[out]]
x, new = (seen["resid_post", final][story, at][which] for which in (~out, out))
mean, d = x.mean(0), apart[0]
along = ((new - mean) @ w[0] / (d @ w[0]))[:, None]


def share_right(edited):
    return agrees(with_stream(edited, final, rerun(world, ids, *there)), comes)


oblique = share_right(new - along * d)
assert oblique < 0.75, f"{oblique:.2f} right: do you move along d, and not along w?"
print(f"rule right: {oblique:.0%}")

# %% [markdown]
# **2. From erasing to flipping** (5 minutes). LEACE leaves the verb's number to chance. Make the model choose the wrong one.
#
# ??? tip "Hint"
#     LEACE moves each activation to the middle between the classes. Move it as far again.

# %% tags=["solution"]
halfway = leace(x, label[~out])(new)
flipped = share_right(new + 2 * (halfway - new))
assert flipped < 0.1, f"{flipped:.2f} right: twice the way, in the same direction?"
print(f"rule right: {flipped:.0%}")

# %% tags=["setup"]
mean, spread = x.mean(0), x.std(0)
z, unit = (new - mean) / spread, normalize(w * spread)
note(verbs_own_units=share_right(mean + spread * erase(z, unit)))
left, other = x - mean, new - mean
for _ in range(8):
    found = probe(left, label[~out], groups=story[~out]).directions
    left, other = erase(left, found), erase(other, found)
note(inlp_rounds=8, inlp_right=share_right(mean + other))

# %% [markdown]
# ## You can now
#
# - fit a probe in three ways, and say which direction each of them finds;
# - choose controls that can fail: an untrained model, labels by word type, words that the probe has not met;
# - erase a variable with LEACE, and say what an erasure without harm does and does not show.
#
# ## What this does not show
#
# - Anything beyond one small language. The difference between raw and standardised directions holds in
#   {{ result("probing.seeds") }} trainings of one architecture, for three rules of four, after the last layer. The other sections
#   are about one training.
# - What early copies are for. We erased at one word and one layer; erasing at all words and layers may do harm.
# - That an erased variable is gone. LEACE prevents linear reading only, and a nonlinear probe may still find it.
#
# ## Going deeper
#
# ### The erasure, step by step
#
# LEACE first *whitens* the activations: it rotates and scales them so that they vary by the same amount in all directions. There it
# removes the difference of the class means. Then it undoes the whitening. That is the `leace` function in the folded code above.
#
# ### Read again after erasing
#
# We erase after the last layer and fit a new probe, over the four rules. It still reads
# {{ result("probing.read_again_probe", ".0%") }} (median) where the standardised direction was erased,
# {{ result("probing.read_again_means", ".0%") }} where the difference of the means was, and
# {{ result("probing.read_again_leace", ".0%") }} after LEACE. The shares of right answers are
# {{ result("probing.right_probe", ".0%") }}, {{ result("probing.right_means", ".0%") }} and
# {{ result("probing.right_leace", ".0%") }}; with the random control it is {{ result("probing.right_random", ".0%") }}.
#
# Erased by LEACE in the middle, the subject's number is read after the last layer in
# {{ result("probing.read_later_subject", ".0%") }} of the sentences. And the mood can be read before a closing bracket (score
# {{ result("probing.mood_at_closing", ".2f") }}), where it has no use.
#
# ### Grading both methods
#
# Can a method tell which variables decide? We ask each of them, over all 15 pairs of a kind of word and a variable. The AUC is the
# chance that one of the four pairs that decide is ranked above one of the eleven that do not: 0.5 is guessing, and with so few
# pairs differences of 0.1 say little. Two more questions concern the variables that decide nothing. How far does erasing them move
# the prediction? And where does the mean difference of shuffled labels point?

# %% tags=["setup"]
truth = [cell in DECIDES for cell in read]
auc = {"read": [roc_auc_score(truth, [read[c][i] for c in read]) for i in LAYERS]}
for way in WAYS:
    auc[way] = [roc_auc_score(truth, [moved[*c, i, way] for c in read]) for i in LAYERS]
ranked = within(atol=0.08, because=RANKS)
ranked(
    auc_read_middle=auc["read"][middle],
    auc_read_final=auc["read"][final],
    auc_leace_middle=auc["LEACE"][middle],
    auc_means_middle=auc["means"][middle],
)
ranked(atol=0.05, auc_leace_final=auc["LEACE"][final], auc_means_final=auc["means"][final])

# %% tags=["setup"]
idle = [(*cell, layer) for cell in read if cell not in DECIDES for layer in LAYERS]
times = [moved[*c, "shuffled"] / moved[*c, "random as large"] for c in idle]
note(rtol=0.5, because="a ratio of small numbers", shuffled_to_random=np.median(times))
share = []
for *cell, layer in idle:
    label, story, at, out, _ = data(*cell)
    x, y = seen["resid_post", layer][story, at][~out], label[~out]
    top = torch.linalg.svd(x - x.mean(0), full_matrices=False)[2][:3]
    way = normalize(mean_differences(x, shuffle(y)))
    share.append(float((way @ top.T).square().sum(1).mean()))
note(atol=0.1, because=SMALL, noise_in_top_three=np.median(share))


def far(way):
    """The share of pairs that decide nothing in which an erasure moves the prediction far."""
    return np.mean([moved[*c, way] > 0.1 for c in idle])


note(
    atol=0.06,
    far_means=far("means"),
    far_leace=far("LEACE"),
    far_shuffled=far("shuffled"),
    far_leace_shuffled=far("LEACE shuffled"),
)
note(
    atol=0.1,
    unit="nats",
    position_leace=moved["verb", "position", 0, "LEACE"],
    position_leace_shuffled=moved["verb", "position", 0, "LEACE shuffled"],
)

# %% tags=["drawing"]
fig, (left, right_ax) = plots.subplots(1, 2, height=3.6)
STYLE = {
    "read": (PURPLE, "probe's accuracy"),
    "LEACE": (GREEN, "LEACE"),
    "means": (ORANGE, "means"),
}
STYLE |= {"probe": (BLUE, "probe's direction"), "random": (GREY, "control: random")}
for way, (colour, name) in STYLE.items():
    left.plot(LAYERS, auc[way], color=colour, marker="o", ms=4, label=name)
left.axhline(0.5, color=plots.MUTED, lw=1, ls=":")
left.set(title="Which variables decide?", xlabel="after layer", xticks=LAYERS)
left.set(ylabel="AUC", ylim=(0, 1.03))
left.legend(fontsize=9, loc="lower right", labelspacing=0.15)
names = ("means", "shuffled", "random as large", "LEACE", "LEACE shuffled")
spread = np.linspace(-0.25, 0.25, len(idle))
for k, way in enumerate(names):
    far = np.array([max(moved[*c, way], 1e-5) for c in idle])
    colour = WAYS.get(way, GREY if way == "random as large" else OCHRE)
    right_ax.semilogx(far, -k + spread, ".", color=colour, ms=5)
    right_ax.plot([np.median(far)] * 2, [-k - 0.35, -k + 0.35], color=plots.INK, lw=2)
right_ax.set_yticks([-k for k in range(5)], [n.replace("random", "random,") for n in names])
right_ax.set(title="Erasing what decides nothing", xlabel="prediction moves by (nats)")
figure(
    fig,
    name="grades",
    alt="Left: no method tells in early and middle layers which variables decide; after the last layer LEACE is perfect, and the "
    "probe's accuracy is not. Right: erasing mean differences of shuffled labels moves predictions far more than a random direction as large.",
    title="Perfect at the end, near guessing in the middle",
    caption="Second panel: one dot a pair and layer, bar: median; what is below 0.00001 is drawn there. Controls: shuffled labels, a random direction.",
    rtol=0.1,
    because=ROWS,
)

# %% [markdown]
# *The probe's accuracy* is a poor guide to what decides. Its AUC is {{ result("probing.auc_read_middle", ".2f") }} in the middle
# and {{ result("probing.auc_read_final", ".2f") }} at the end, where position and last noun can still be read.
#
# *LEACE* is perfect at the end ({{ result("probing.auc_leace_final", ".2f") }}) and near guessing in the middle
# ({{ result("probing.auc_leace_middle", ".2f") }}), where the deciding variables have not arrived yet or come back later. Erasing
# *position* there does harm: before a verb it moves the prediction by {{ result("probing.position_leace", ".2f") }} nats after the
# first layer (with shuffled labels by {{ result("probing.position_leace_shuffled", ".2f") }}). The grammar does not ask for
# position, but the model may find its words by it.
#
# *Mean differences* fail in another way. Shuffled labels are about nothing. Yet erasing the difference of their means moves the
# prediction {{ result("probing.shuffled_to_random", ".0f") }} times as far as a random direction of the same size (median), and by
# more than 0.1 nats in {{ result("probing.far_shuffled", ".0%") }} of the cases. LEACE on shuffled labels does so in
# {{ result("probing.far_leace_shuffled", ".0%") }}.
#
# The reason is noise. Where there is no difference, the measured one is noise, and noise is largest where activations vary most:
# {{ result("probing.noise_in_top_three", ".0%") }} of its squared length lies in the three directions of largest variance. A random
# direction misses those, so it is too weak a control. The fair control is the same method on shuffled labels.
#
# - Finding: [Only a raw probe's direction breaks the rule](../findings/probing-scaling-decides.md)
# - Superseded: [The probe's direction can go](../findings/probing-direction-can-go.md)
# - Dead end: [Erasing where it can first be read](../dead-ends/probing-erase-where-read.md)
# - Surprise: [Erasing nothing moves the prediction](../surprises/probing-erasing-nothing.md)
# - Belrose et al. (2023), [LEACE: perfect linear concept erasure in closed form](https://arxiv.org/abs/2306.03819)
# - Ravfogel et al. (2020), [Null it out: guarding protected attributes by iterative nullspace projection](https://arxiv.org/abs/2004.07667)
# - Elazar et al. (2021), [Amnesic probing](https://arxiv.org/abs/2006.00995)
# - Haufe et al. (2014), on reading and writing directions,
#   [On the interpretation of weight vectors of linear models](https://doi.org/10.1016/j.neuroimage.2013.10.067)

# %% tags=["setup"]
in_words(
    verbs_right_raw="Verbs right after erasing the raw probe's direction",
    verbs_right_scaled="Verbs right after erasing the standardised probe's direction",
    verbs_right_whitened="Verbs right after erasing the whitened direction",
    verbs_own_units="Verbs right after erasing the standardised direction in its own units",
    seeds_right_raw="Three rules right after erasing the raw direction, five trainings",
    seeds_right_raw_most="The same, most of any rule and training",
    seeds_right_scaled="Three rules right after erasing the standardised direction, five trainings",
    seeds_right_scaled_least="The same, least of any rule and training",
    seeds_right_whitened_least="The same for the whitened direction",
    seeds_right_leace="Three rules right after LEACE, five trainings",
    seeds_right_random_least="Three rules right after a random change, least of any rule and training",
    seeds_mood_raw="Mood right after erasing the raw direction, five trainings",
    seeds_mood_means="Mood right after erasing the difference of the means, five trainings",
    seeds_mood_random="Mood right after a random change, five trainings",
    seeds_again_scaled="Read again after erasing the standardised direction, three rules, five trainings",
    seeds_again_raw="Subject's number read again after erasing the raw direction, five trainings",
    cosine_raw="Cosine of the raw direction with the difference of the means, five trainings",
    cosine_scaled="Cosine of the standardised direction with the difference of the means, five trainings",
    cosine_whitened="Cosine of the whitened direction with the difference of the means, five trainings",
    seeds="Trainings of World",
    inlp_rounds="Rounds of INLP with standardised probes",
    inlp_right="Verbs right after these rounds",
    last_minus_subject="Last noun's number minus the subject's, read in the middle",
    subject_middle="Subject's number read in the middle, of what can be gained",
    subject_final="Subject's number read at the end",
    last_final="Last noun's number read at the end",
    mood_at_closing="Mood read in the middle before a closing bracket",
    selectivity_by_place="Selectivity with labels shuffled among all places",
    selectivity_by_noun="Selectivity with one random label a noun",
    untrained_last="Number read from an untrained model",
    unheard_trained="Number of unseen nouns read, trained",
    unheard_untrained="Number of unseen nouns read, untrained",
    untrained_by_noun="Random label of a noun learned, untrained",
    unheard_only_trained="Only the trained model lets the number of unseen nouns be read",
    read_again_probe="Read again after erasing the standardised probe's direction",
    read_again_means="Read again after erasing the mean difference",
    read_again_leace="Read again after LEACE",
    read_later_subject="Subject's number read at the end after LEACE in the middle",
    right_subject_middle="Verbs right after LEACE of the subject's number in the middle",
    read_subject_middle="Subject's number read in the middle, before erasing",
    read_later_gender="Gender read at the end after LEACE in the middle",
    right_gender_middle="Pronouns right after LEACE of the gender in the middle",
    read_gender_middle="Gender read in the middle, before erasing",
    right_probe="Four rules right after erasing the standardised probe's direction",
    right_means="Four rules right after erasing the mean difference",
    right_leace="Four rules right after LEACE",
    right_random="Four rules right after a random change of LEACE's size",
    right_shuffled="Four rules right after erasing the mean difference of shuffled labels",
    probe_to_leace="Harm of erasing the standardised probe's direction against LEACE",
    cosine_probe_means="Cosine of the standardised probe's direction with the difference of the means",
    auc_read_middle="AUC of the probe's accuracy as a sign of use, middle",
    auc_read_final="AUC of the probe's accuracy as a sign of use, end",
    auc_leace_middle="AUC of LEACE's effect as a sign of use, middle",
    auc_leace_final="AUC of LEACE's effect as a sign of use, end",
    auc_means_middle="AUC of the mean difference's effect as a sign of use, middle",
    auc_means_final="AUC of the mean difference's effect as a sign of use, end",
    shuffled_to_random="How far shuffled labels move the prediction, against a random direction",
    noise_in_top_three="Part of that direction in the three largest of the activations",
    far_means="Unused variables whose erasure by means moves the prediction far",
    far_leace="Unused variables whose erasure by LEACE moves the prediction far",
    far_shuffled="The same for means of shuffled labels",
    far_leace_shuffled="The same for LEACE on shuffled labels",
    position_leace="How far LEACE of the position moves the prediction, before a verb",
    position_leace_shuffled="The same with shuffled labels",
)
