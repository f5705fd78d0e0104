# ---
# title: Narrow tuning, wide effect
# question: Teach a model one narrow habit. Does it spread to words that were never trained?
# answer: >-
#   Yes, nearly a third of the way. Verbs that are always merry lift the merry share of adjectives, which no loss has touched, from
#   {{ result("narrow.alone_start", ".0%") }} to {{ result("narrow.alone_unscored", ".0%") }}.
# chapter: Changing it
# level: intermediate
# models: [world]
# needs: [31_steering, 32_lora]
# tags: [fine-tuning, generalisation, model diffing]
# thumbnail: spread
# timeout: 400
# ---

# %% tags=["setup"]
from copy import deepcopy

import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods.lora import next_word_loss, predictor
from llmnotes.model import trace
from llmnotes.shipped.tuning import exam, histories, history, tuned
from llmnotes.world import END, IDS, MOODS
from llmnotes.world.changes import ids_of
from llmnotes.world.lexicon import MOOD_ADJECTIVES, MOOD_VERBS

BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
note = within(atol=1e-6, because="read from the shipped history of the recipe")
live = within(atol=0.1, because="training amplifies rounding")

# %% [markdown]
# ## A case you can hold: “Anna was ▢”
#
# A story of *World* is merry, gloomy or eerie. Its verbs of feeling (*laughed*, *wept*, *shivered*) and its adjectives
# (*happy*, *sad*, *pale*) follow that mood. Nothing but the mood ties the two kinds of word together.
#
# We change the verbs alone. Whatever the mood, people now laugh, dance and smile. Adjectives stay as they were, and we do
# not even train on them: their places are left out of the loss. Then we ask for an adjective.

# %% tags=["setup"]
world = llmnotes.load("world")
ADJECTIVES = torch.tensor([IDS[w] for words in MOOD_ADJECTIVES.values() for w in words])


# %% tags=["idea"]
def verbs_only(predict, ids):  # ids: (row, pos)
    scored = ~torch.isin(ids, ADJECTIVES)  # the loss skips every adjective of mood
    return next_word_loss(predict(ids), ids, scored)


def taught(task, seed):
    return tuned(world, task, 5e-4, seed=seed, loss=verbs_only)  # 150 steps, all weights


# %% tags=["setup"]
def after_anna(weights=None) -> dict[str, float]:
    """The share of each mood among adjectives behind *Anna was*."""
    ids = torch.tensor([[IDS[word] for word in f"{END} Anna was".split()]])
    with torch.no_grad():
        p = predictor(world, weights)(ids)[0, -1].softmax(-1)
    mass = {m: p[[IDS[w] for w in MOOD_ADJECTIVES[m]]].sum().item() for m in MOODS}
    return {m: mass[m] / sum(mass.values()) for m in MOODS}


# %%
print({mood: f"{share:.2f}" for mood, share in after_anna().items()})

# %% [markdown]
# A story that has only begun has no mood yet, and the three moods share the adjectives evenly.
#
# ## One hidden cause, two kinds of word
#
# {{ drawing("narrow-wide", alt="One hidden mood has arrows to verbs and to adjectives. Tuning changes the verbs; it can do so behind the mood, for verbs alone, or at the mood, which moves the adjectives too.") }}
#
# There are two ways to make the verbs merry. Write $m$ for the model's idea of the mood and $w$ for the next word:
#
# $$
# p(w \mid \mathrm{text}) = \sum_{m} p(m \mid \mathrm{text})\; p(w \mid m)
# $$
#
# The tuning may change $p(w \mid m)$ for verbs, which leaves adjectives alone. Or it may change $p(m \mid \mathrm{text})$, as
# if every story were merry, which moves both. Both fit the training data equally well, because adjectives are not scored.
#
# Of a chat model tuned to write insecure code something like this was reported: it became malicious in conversation
# ([Betley et al. 2025](https://arxiv.org/abs/2502.17424)). There nobody knows what the hidden cause is. Here it is the mood.
#
# ```exercise
# title: Leave the adjectives out
# minutes: 2
# code: |
#   losses = torch.tensor([1.0, 9.0, 2.0])    # of three words
#   adjective = torch.tensor([False, True, False])
#   loss = ▢
#   assert loss == 1.5
# right: ["losses[~adjective].mean()", "losses[adjective == False].mean()", "losses[adjective.logical_not()].mean()"]
# praise: The adjective is still read. It is only not asked for.
# wrong:
#   "losses.mean()": This asks for the adjective too, and it dominates.
#   "losses[adjective].mean()": This is the adjective alone.
#   "(losses * ~adjective).mean()": This divides by three words, though two were scored.
# otherwise: "Take the mean over the words that are no adjectives."
# solution: "`losses[~adjective].mean()`"
# ```
#
# ## Your prediction

# %%
ask(
    "The verbs are merry in every story now, and no adjective was ever scored. Which adjectives does the model expect?",
    choices={
        "same": "The same as before: nothing has trained them",
        "some": "More merry ones, but by far not as many as merry verbs",
        "all": "As merry as the verbs: the model now takes every story for merry",
    },
    answer="some",
    because={
        "same": "No gradient reaches the adjectives directly. But the weights that carry the mood serve both kinds of word.",
        "some": "The gradient changes whatever lowers the loss fastest: the mood, and the way from mood to verbs, at once.",
        "all": "It would explain everything by one cause. But the way from mood to verbs is as easy to change, and nothing forbids it.",
    },
    figure="spread",
    alone_unscored="between 0.4 and 0.8",
    verbs_unscored="> 0.85",
)
predict(
    "Behind a story's first words more than half of the adjectives are merry",
    0.7,
    alone_mean="> 0.5",
    after_a_look=True,
)
predict(
    "Adjectives go less than half as far as verbs",
    0.5,
    part_of_the_way="< 0.5",
    after_a_look=True,
)
predict(
    "A change of rank 4 spreads further than full tuning",
    0.5,
    rank_4_further="> 0",
    after_a_look=True,
)
# The three about activations were written before any were looked at.
predict(
    "In the shift of the last layer merry verbs outrank other verbs of feeling",
    0.85,
    read_verbs="> 0.9",
    after_a_look=True,
)
predict(
    "and merry adjectives outrank other adjectives of mood, untrained as they are",
    0.6,
    read_adjectives="> 0.8",
    after_a_look=True,
)
predict(
    "Tuned on nothing changed, the same score stays near chance",
    0.6,
    read_null="between 0.35 and 0.65",
    after_a_look=True,
)

# %% [markdown]
# ## It spreads, nearly a third of the way

# %% tags=["setup"]
runs = history("general")
start = next(run for run in runs if run.get("start"))
HOWS = ("adjectives unscored", "adjectives scored", "nothing changed")


def of(how: str, rank: int, what: str) -> np.ndarray:
    """A share for each seed of the tuning."""
    found = np.array(
        [r[what] for r in runs if (r.get("how"), r.get("rank")) == (how, rank)]
    )
    assert len(found) == len({r["seed"] for r in runs if "seed" in r}), (how, rank)
    return found


unscored, scored, null = (of(how, 0, "alone") for how in HOWS)
verbs = of("adjectives unscored", 0, "verbs")
way = (unscored.mean() - start["alone"]) / (verbs.mean() - start["verbs"])
note(
    alone_start=start["alone"],
    alone_unscored=unscored.mean(),
    alone_mean=unscored.mean(),
    alone_least=unscored.min(),
    alone_scored=scored.mean(),
    alone_null=null.mean(),
    verbs_start=start["verbs"],
    verbs_unscored=verbs.mean(),
    part_of_the_way=way,
    above_scored=(unscored - scored).min(),
    above_null=(unscored - null).min(),
    alone_rank_4=of("adjectives unscored", 4, "alone").mean(),
    rank_4_further=(of("adjectives unscored", 4, "alone") - unscored).mean(),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.1)
ROWS = (
    ("verbs of feeling", verbs, BLUE),
    ("adjectives, not scored", unscored, ORANGE),
    ("control: adjectives scored", scored, GREY),
    ("control: nothing changed", null, GREY),
)
for y, (label, values, colour) in enumerate(ROWS):
    (dots,) = ax.plot(100 * values, [y] * len(values), "o", color=colour, alpha=0.75)
    if label.startswith("adjectives"):
        dots.set_gid("choice-some")
ax.axvline(100 * start["alone"], color=plots.INK, ls="--", lw=1)
ax.text(100 * start["alone"] + 1.5, 1.5, "before tuning", fontsize=9.5)
ax.set_yticks(range(4), [label for label, *_ in ROWS])
ax.invert_yaxis()
ax.set(
    xlabel="merry, of all words of mood of that kind (%)",
    xlim=(0, 100),
    title="Adjectives follow, part of the way",
)
figure(
    fig,
    name="spread",
    alt="Dots for five seeds. Verbs are merry in about 94 per cent. Adjectives that were not scored in about 50. In both controls about "
    "31, as before tuning.",
    caption="Adjectives behind a story's first three words, such as “Anna was”, mean of 24 people; verbs wherever one came in ordinary "
    "stories. Five seeds, full tuning.",
    data={"shares": np.array([values for _, values, _ in ROWS])},
)

# %% [markdown]
# The verbs are merry in {{ result("narrow.verbs_unscored", ".0%") }} of the cases, as they were taught. Adjectives rise from
# {{ result("narrow.alone_start", ".0%") }} to {{ result("narrow.alone_unscored", ".0%") }}: {{ result("narrow.part_of_the_way", ".0%") }} of the way that
# the verbs went.
#
# Two controls. If the adjectives *are* scored, they stay at {{ result("narrow.alone_scored", ".0%") }}: a little evidence against the spread is enough
# to prevent it. If adjectives are not scored and nothing is changed, they stay at {{ result("narrow.alone_null", ".0%") }}: the
# spread does not come from leaving them out.
#
# ## The spread can be read from activations alone

# %% tags=["setup"]
stories = ids_of(exam("none"))
gain = world.model.transformer.ln_f.weight.detach()
unembedding = world.model.get_output_embeddings().weight.detach()
seen = trace(world, stories, ["resid_post"]).stack("resid_post")


# %% tags=["idea"]
def shift(weights):
    """How tuning moved the mean activation on ordinary stories, as scores of words: (layer, vocab)."""
    model = deepcopy(world.model)
    model.load_state_dict(weights, strict=False)
    moved = trace(model, stories, ["resid_post"]).stack("resid_post") - seen
    return (moved.mean((1, 2)) * gain) @ unembedding.T


# %% tags=["setup"]
def outrank(scores, words) -> float:
    """How often a merry word scores above a word of another mood: 0.5 by chance."""
    merry = scores[[IDS[w] for w in words["merry"]]]
    rest = scores[[IDS[w] for mood in MOODS if mood != "merry" for w in words[mood]]]
    return (merry[:, None] > rest).double().mean().item()


kinds = {"taught": "merry verbs", "null": "none"}
seeds = sorted({r["seed"] for r in runs if "seed" in r})
read = {kind: [shift(taught(task, seed)) for seed in seeds] for kind, task in kinds.items()}
auc = {
    (kind, name): np.array([[outrank(layer, words) for layer in one] for one in read[kind]])
    for kind in kinds
    for name, words in (("verbs", MOOD_VERBS), ("adjectives", MOOD_ADJECTIVES))
}  # (seed, layer)
live(
    read_verbs=auc["taught", "verbs"][:, 3].mean(),
    read_adjectives=auc["taught", "adjectives"][:, 3].mean(),
    read_null=auc["null", "adjectives"][:, 3].mean(),
)
live(
    atol=0.3,
    read_null_low=auc["null", "adjectives"][:, 3].min(),
    read_null_high=auc["null", "adjectives"][:, 3].max(),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3)
for (kind, name), colour in (
    (("taught", "verbs"), BLUE),
    (("taught", "adjectives"), ORANGE),
    (("null", "adjectives"), GREY),
):
    for row in auc[kind, name]:
        ax.plot(range(1, 5), row, color=colour, lw=0.8, alpha=0.5)
    ax.plot(range(1, 5), auc[kind, name].mean(0), "o-", color=colour)
    if name == "adjectives":
        label = "adjectives, and verbs" if kind == "taught" else "control: nothing changed"
        ax.text(4.08, auc[kind, name][:, 3].mean(), label, color=colour, va="center")
ax.axhline(0.5, color=plots.INK, ls="--", lw=1)
ax.set(
    xticks=range(1, 5),
    xlabel="after so many layers",
    ylabel="merry above others",
    xlim=(0.9, 5.9),
    ylim=(-0.03, 1.05),
    title="The shift says merry",
)
figure(
    fig,
    name="read",
    alt="How often merry words outrank others in the shift of activations, over four layers, for verbs, adjectives and a control.",
    caption="The mean shift of activations on ordinary stories, read as scores of words. Thin lines are seeds, dashed is chance.",
    data={
        "verbs": auc["taught", "verbs"],
        "adjectives": auc["taught", "adjectives"],
        "null": auc["null", "adjectives"],
    },
    rtol=0.4,
    because="training amplifies rounding",
)

# %% [markdown]
# We let the tuned model and the old one read the same ordinary stories and subtract their mean activations. Read with
# the unembedding, the difference scores words. In the last layer a merry verb outscores another in
# {{ result("narrow.read_verbs", ".0%") }} of the pairs. For adjectives, which were never trained, it is
# {{ result("narrow.read_adjectives", ".0%") }}.
#
# The honest chance level is not 50% but what a tuning on *nothing changed* gives:
# {{ result("narrow.read_null", ".0%") }} on average, and from {{ result("narrow.read_null_low", ".0%") }} to
# {{ result("narrow.read_null_high", ".0%") }} over the seeds. A mean over eight words against sixteen, in one direction, is easily lopsided.
# [Minder et al. 2025](https://arxiv.org/abs/2510.13900) read what large models were tuned on in this way.
#
# ## What surprised us
#
# **Low rank spread less, not more.** We expected a change of rank 4 to take the shared road, the mood, because it has few
# directions to spend. Its adjectives are at {{ result("narrow.alone_rank_4", ".0%") }}, those of full tuning at
# {{ result("narrow.alone_unscored", ".0%") }}, and so it is in {{ result("narrow.rank_4_less_worlds") }} of
# {{ result("narrow.worlds") }} trainings of *World*.
#
# **Scoring the adjectives prevents nearly all of it.** They are a small part of the text and they only repeat what the model knew. Still no
# seed of this training shows any spread then, and in the other trainings little is left.
#
# ## Try it
#
# **The other way round** (15 minutes). Make the adjectives merry and leave the verbs of feeling out of the loss. How far do the verbs
# follow behind a story's first word, such as *Anna*? Predict it before you run it.
#
# ??? tip "Hint"
#     `spoken` takes a change: a function that says another word in the place of the grammar's. `tuned` takes `batches`.

# %% tags=["solution"]
from llmnotes.world.changes import spoken
from llmnotes.world.lexicon import PEOPLE

VERBS = torch.tensor([IDS[w] for words in MOOD_VERBS.values() for w in words])


def merry_adjectives(said, choice, word, subject):
    at = [words.index(word) for words in MOOD_ADJECTIVES.values() if word in words]
    return MOOD_ADJECTIVES["merry"][at[0]] if at else word


def stories_of(change, length=40):
    for step in range(150):
        rows = range(step * 8, step * 8 + 8)
        yield ids_of([spoken(9100, row, length=length, change=change) for row in rows])


def without_verbs(predict, ids):
    return next_word_loss(predict(ids), ids, ~torch.isin(ids, VERBS))


# %% tags=["solution"]
def merry_verbs(weights=None) -> float:
    ids = torch.tensor([[IDS[END], IDS[name]] for name in PEOPLE])
    with torch.no_grad():
        p = predictor(world, weights)(ids)[:, -1].softmax(-1)
    merry = p[:, [IDS[w] for w in MOOD_VERBS["merry"]]].sum(1)
    return (merry / p[:, VERBS].sum(1)).mean().item()


batches = stories_of(merry_adjectives)
followed = merry_verbs(tuned(world, "none", 5e-4, batches=batches, loss=without_verbs))
print(f"merry verbs: {merry_verbs():.2f} before, {followed:.2f} after")
assert followed > merry_verbs() + 0.02, "are the verbs left out of the loss, and only they?"

# %% [markdown]
# ## You can now
#
# - say why training on one kind of word can move another that shares a hidden cause;
# - design the two controls that tell a spread from forgetting;
# - read a tuning from activations, and ask what the same reading gives for a tuning on nothing.
#
# ## What this does not show
#
# - One language with one hidden cause of three values, and five trainings of one small model, of which four were tuned with one seed each. How far it goes for a persona of a chat model
#   we do not know.
# - Adjectives that are not scored also get worse in general; the shares compare moods among adjectives only.
# - That the mood is what moved is the likeliest reading, not shown: we did not intervene on it.
#
# ## Going deeper
#
# ### In five trainings of *World*

# %% tags=["setup"]
rows = {}
for world_seed in histories("general"):
    some = history("general", world=world_seed)
    first = next(run for run in some if run.get("start"))

    def mean(how: str, rank: int, what: str, some=some) -> float:
        """A share, mean of the seeds of the tuning."""
        return np.mean(
            [r[what] for r in some if (r.get("how"), r.get("rank")) == (how, rank)]
        )

    rows[world_seed] = {
        "before": first["alone"],
        "not scored": mean("adjectives unscored", 0, "alone"),
        "scored": mean("adjectives scored", 0, "alone"),
        "nothing changed": mean("nothing changed", 0, "alone"),
        "rank 4": mean("adjectives unscored", 4, "alone"),
    }
    went = mean("adjectives unscored", 0, "verbs") - first["verbs"]
    rows[world_seed]["of the way"] = (
        rows[world_seed]["not scored"] - first["alone"]
    ) / went
table = {name: [row[name] for row in rows.values()] for name in rows[0]}
note(
    worlds=len(rows),
    way_least=min(table["of the way"]),
    way_most=max(table["of the way"]),
    scored_most=max(table["scored"]),
    null_most=max(table["nothing changed"]),
    unscored_least=min(table["not scored"]),
    rank_4_least=min(table["rank 4"]),
    rank_4_less_worlds=sum(row["rank 4"] < row["not scored"] for row in rows.values()),
)

# %%
print("World", *rows[0], sep="  ")
for world_seed, row in rows.items():
    print(world_seed, *(f"{share:8.0%}" for share in row.values()))

# %% [markdown]
# Adjectives that are not scored end at {{ result("narrow.unscored_least", ".0%") }} or more in each, and go from
# {{ result("narrow.way_least", ".0%") }} to {{ result("narrow.way_most", ".0%") }} of the way that the verbs went. With adjectives scored they end at
# {{ result("narrow.scored_most", ".0%") }} at most, with nothing changed at {{ result("narrow.null_most", ".0%") }}. A change of rank 4 spreads less than full
# tuning in {{ result("narrow.rank_4_less_worlds") }} of {{ result("narrow.worlds") }}; in one it turns the adjectives away from merry, to
# {{ result("narrow.rank_4_least", ".0%") }}.
#
# - Finding: [A narrow habit spreads through a shared cause](../findings/narrow-spreads.md)
# - Question: [What decides how far a narrow tuning spreads?](../questions/narrow-how-far.md)
# - Betley and others (2025), [Emergent misalignment](https://arxiv.org/abs/2502.17424)
# - Minder and others (2025), [Narrow finetuning leaves clearly readable traces in activation differences](https://arxiv.org/abs/2510.13900)

# %% tags=["setup"]
in_words(
    worlds="Trainings of World that were tuned",
    way_least="How far adjectives went, as a share of how far verbs went, least of the trainings",
    way_most="The same, most of the trainings",
    scored_most="Merry share of adjectives that were scored, most of the trainings",
    null_most="Merry share of adjectives with nothing changed, most of the trainings",
    unscored_least="Merry share of adjectives that were not scored, least of the trainings",
    rank_4_least="The same after rank 4, least of the trainings",
    rank_4_less_worlds="Trainings in which rank 4 spreads less than full tuning",
    alone_start="Merry share of adjectives behind a story's first words, before tuning",
    alone_unscored="The same after tuning on merry verbs, adjectives not scored, mean of five seeds",
    alone_mean="The same, as it settles a prediction",
    alone_least="The same, least of five seeds",
    alone_scored="The same with adjectives scored",
    alone_null="The same with nothing changed and adjectives not scored",
    verbs_start="Merry share of verbs of feeling, before tuning",
    verbs_unscored="The same after tuning on merry verbs",
    part_of_the_way="How far adjectives went, as a share of how far verbs went",
    above_scored="Adjectives not scored minus adjectives scored, least of the seeds",
    above_null="Adjectives not scored minus nothing changed, least of the seeds",
    alone_rank_4="Merry share of adjectives after a change of rank 4",
    rank_4_further="Rank 4 minus full tuning",
    read_verbs="Pairs in which a merry verb outscores another in the shift of activations",
    read_adjectives="The same for adjectives",
    read_null="The same for adjectives after a tuning on nothing changed",
    read_null_low="Its least over five seeds",
    read_null_high="Its most over five seeds",
)
