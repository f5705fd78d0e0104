# ---
# title: Steering
# question: Add a mood vector to a model while it reads. What does it bring, what does it cost, and how much is one dose worth?
# answer: >-
#   Dose 1, the whole way from the mean gloomy vector to the mean merry one, brings the merry share of mood words to
#   {{ result("steering.share_at_1", ".0%") }}, and dose {{ result("steering.best_dose") }} to {{ result("steering.share_best", ".0%") }}.
# chapter: Changing it
# level: intermediate
# minutes: 14
# models: [world, fairytale]
# needs: [11_residual]
# tags: [steering, activation addition, sparse autoencoders]
# thumbnail: dose
# timeout: 400
# ---

# %% tags=["setup"]
import random

import numpy as np
import torch
from torch.nn.functional import normalize

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods import difference_of_means, generate, match, steer, train_sae
from llmnotes.model import nll, trace
from llmnotes.world import END, IDS, MOODS, VOCABULARY, held_out, story, word_ids
from llmnotes.world.lexicon import MOOD_ADJECTIVES, MOOD_OF, PEOPLE

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
torch.set_grad_enabled(False)
DRAW = "fixed texts; room for rounding and near ties"
note = within(atol=0.005, because=DRAW)
world = llmnotes.load("world")

# %% [markdown]
# ## A case you can hold: “Karl was sad . Anna was ▢”
#
# Every story of *World*'s language has a hidden mood: merry, gloomy or eerie. Words of mood (*happy*, *sad*, *pale*) have the
# story's own mood nine times in ten, and the mood decides nothing else. After *Karl was sad .* the story is probably gloomy. What
# does *World* expect of Anna?

# %% tags=["idea"]
text = f"{END} Karl was sad . Anna was"
chance = trace(world, text, ["logits"])["logits"][0, -1].softmax(-1)
for mood in MOODS:
    share = chance[word_ids(MOOD_ADJECTIVES[mood])].sum()
    print(f"{mood:7} {share:.2f}")

# %% [markdown]
# It expects mostly gloomy words. Can we make the model merry without changing a word of the text?
#
# ## A vector is added to the stream at every word
#
# {{ drawing("residual-stream", light="resid", alt="Three words as vertical lines to which each layer adds. Steering adds one more vector, the same at each word.") }}
#
# Each word carries a *residual stream* through the layers, a vector to which every layer adds. *Steering* adds one more vector, the
# same at every word ([Turner et al. 2023](https://arxiv.org/abs/2308.10248),
# [Rimsky et al. 2024](https://arxiv.org/abs/2312.06681)):
#
# $$
# x \leftarrow x + \alpha\, v, \qquad v = \bar x_{\text{merry}} - \bar x_{\text{gloomy}}
# $$
#
# $x$ is the stream after a layer, $\bar x$ is its mean over all words of 40 stories of one mood, and $\alpha$ is the *dose*. Dose 1
# moves the mean gloomy vector exactly to the mean merry one.


# %% tags=["setup"]
def tell(seed):
    """Long stories by mood, cut to the context."""
    by_mood = {mood: [] for mood in MOODS}
    for told in held_out(seed=seed, n=300):
        if len(told) > 128:
            by_mood[told[0].mood].append([token.word for token in told[:128]])
    return {mood: ids(texts[:40]) if seed else texts for mood, texts in by_mood.items()}


def ids(texts):
    return torch.stack([word_ids(words) for words in texts])


draws = [tell(seed) for seed in (5, 6, 7, 8)]
known = draws[0]  # 40 stories of each mood

# %% tags=["idea"]
layer, dose = 2, 3
stream = {
    mood: trace(world, known[mood], ["resid_post"])["resid_post", layer] for mood in MOODS
}
v = stream["merry"].mean((0, 1)) - stream["gloomy"].mean((0, 1))  # (d_model,)
with steer(world, v, layer, dose=dose):
    print(generate(world, f"{END} Karl was sad . Anna was", tokens=12)[0])

# %% [markdown]
# ```exercise
# title: Steer by hand
# minutes: 2
# code: |
#   # replace the stream x after a layer
#   with edit(world, "resid_post", layer, lambda x, at: ▢):
#       logits = world.model(ids).logits
# right: ["x + dose * v", "x + v * dose", "dose * v + x", "v * dose + x"]
# praise: "That is all of steering: one addition at every word."
# wrong:
#   "dose * v": "Then the stream is the vector alone, and the text is gone."
#   "x + v": "This is dose 1. Where is the dose?"
#   "x * v": "Steering adds. What does the equation say?"
# otherwise: "The old stream, plus the dose times the vector."
# solution: "`x + dose * v`: the same vector at each word."
# ```
#
# How good is steering? For natural text nobody knows what the model *should* say when steered. Here we do. We wrote the grammar, so
# we can compute the true distribution of the next word *if the mood were merry*. That is the ideal. In it 90% of the probability of
# mood words is on merry ones.


# %% tags=["idea"]
def grammar(words, mood):
    """The true distribution after each word, if the mood were this: (pos, vocab)."""
    rows = torch.zeros(len(words), len(VOCABULARY), dtype=torch.double)
    telling = story(mood)
    for row, word in zip(rows, words, strict=True):
        choice = next(telling) if word == END else telling.send(word)
        for option, p in choice.options.items():
            row[IDS[option]] = p
    return rows


# %% [markdown]
# We steer the model towards merry while it reads gloomy stories, and measure three things:
#
# - the *merry share*: how much of the probability of mood words is on merry ones;
# - the *distance* to the ideal, a KL divergence in nats a word, which counts everything that goes wrong;
# - the probability of *forbidden* words, which the grammar does not allow there at all.
#
# ## Your prediction

# %%
ask(
    "At dose 1 we add the whole way from the mean gloomy word to the mean merry word. What do words of mood do in a gloomy story?",
    choices={
        "most": "Most of them turn merry: the stream is now that of a merry story",
        "half": "Half of them: the story pulls one way, the vector the other",
        "few": "A third of them or so: the vector counts like one merry sentence in a gloomy story",
        "none": "None: the text is gloomy, and the model reads the text",
    },
    answer="few",
    because={
        "most": "Moving one mean onto another sounds like the whole way. But a mean over words is mostly made of words that know little of the mood yet.",
        "half": "The two do pull against each other, and a long story has many words that pull.",
        "few": "The vector acts like one more piece of evidence, and the story is full of evidence for the other mood.",
        "none": "The model has no access to the mood but its own stream, and that is what we change.",
    },
    figure="dose",
    share_at_1="< 0.4",
    wanted_at_1="< 0.4",
)
# Written before any run. "That dose" is the nearest to the ideal, in the layer where it is nearest. Two were settled after
# a first look: layer and dose are averages (with one draw it would have been layer 0; the average is now over six pairs of
# moods too), and the last counts ups and downs of the odds (by their plain median it would have come true).
predict("In some layer dose 1 brings the merry share above ½", 0.7, share_at_1="> 0.5")
predict("The best layer to steer in is 1 or 2, from 0", 0.6, best_layer="between 1 and 2")
predict("That dose halves the distance to the ideal", 0.55, closed="> 0.5")
predict("Random vectors leave the merry share below 10%", 0.85, random_share="< 0.1")
predict("At dose 4 forbidden words get more than 5%", 0.5, forbidden_at_4="> 0.05")
predict("One merry sentence comes nearer than any dose", 0.4, sentence_lead="> 0")
predict("An SAE feature brings half of the vector's share", 0.4, sae_gain="> 0.5")
predict("At that dose 9 in 10 next words are allowed", 0.6, allowed="> 0.9")
predict("fairytale: odds of joy double for 0.1 nats", 0.5, tale_odds="> 2")
predict("fairytale: random changes them by under a fifth", 0.6, tale_random="< 1.2")

# %% [markdown]
# ## Dose 1 is weak, dose 3 comes nearest, dose 6 breaks the story

# %% tags=["setup"]
WORDS_OF = {m: word_ids(word for word, of in MOOD_OF.items() if of == m) for m in MOODS}
MOODY, DOSES = word_ids(MOOD_OF), (0, 1, 2, 3, 4, 6)
PAIRS = [(away, to) for away in MOODS for to in MOODS if away != to]
PAIRS.sort(key=lambda pair: pair != ("gloomy", "merry"))  # the one of the text comes first
STORIES = {mood: texts[:10] for mood, texts in tell(0).items()}
TEXTS = STORIES["gloomy"]
IDEALS = {
    (away, to): torch.stack([grammar(words, to) for words in STORIES[away]])
    for away, to in PAIRS
}
IDEAL = IDEALS["gloomy", "merry"]


def grade(texts, best, skip=0, to="merry", model=world):
    """Share of the wanted mood, distance to the ideal, forbidden share; behind the first words."""
    best, seen = best[:, skip:], trace(model, ids(texts), ["logits"])["logits"][:, skip:]
    log_p = seen.double().log_softmax(-1)
    p, slot = log_p.exp(), best[..., MOODY].sum(-1) > 0.15  # a word of mood may come
    share = (p[..., WORDS_OF[to]].sum(-1) / p[..., MOODY].sum(-1))[slot].mean()
    apart = -(best * log_p).sum(-1) - torch.special.entr(best).sum(-1)
    return torch.stack([share, apart.mean(), (p * (best == 0)).sum(-1).mean()])


def curve(vector, layer, pair=("gloomy", "merry"), model=world, doses=DOSES):
    rows = []
    for dose in doses:
        with steer(model, vector, layer, dose=dose):
            rows.append(grade(STORIES[pair[0]], IDEALS[pair], to=pair[1], model=model))
    return torch.stack(rows)  # (dose, 3)


def curves_of(model, some, pairs, doses=DOSES):
    """What each layer and dose does, the vectors from some stories: (pair, layer, dose, 3)."""
    layers = range(model.n_layers)
    mean = {
        mood: trace(model, some[mood], ["resid_post"]).stack("resid_post").mean((1, 2))
        for mood in MOODS
    }
    return torch.stack(
        [
            torch.stack(
                [
                    curve(mean[to][i] - mean[away][i], i, (away, to), model, doses)
                    for i in layers
                ]
            )
            for away, to in pairs
        ]
    )


layers = range(world.n_layers)
first = [
    curves_of(world, some, PAIRS[:1] if n > 1 else PAIRS) for n, some in enumerate(draws)
]
curves = torch.stack([of[0] for of in first])  # of gloomy to merry: (draw, layer, dose, 3)
of_pairs = torch.stack(first[:2]).mean(0)  # (pair, layer, dose, 3), two draws
shortened = 1 - of_pairs[..., 1] / of_pairs[:, :1, :1, 1]  # of the distance to the ideal
layer, at = divmod(shortened.mean(0).argmax().item(), len(DOSES))
vector = difference_of_means(world, known["merry"], known["gloomy"], layer)
share, apart, forbidden = curves.mean(0).unbind(-1)  # each (layer, dose)
random_ones = torch.randn(3, world.d_model, generator=torch.Generator().manual_seed(0))
noise = [curve(way, layer) for way in normalize(random_ones) * vector.norm()]
noise = torch.stack(noise).median(0).values

# %% tags=["setup"]
note(best_layer=layer, best_dose=DOSES[at])
note(
    atol=0.02,
    share_at_0=share[0, 0],
    share_at_1=share[:, 1].max(),
    share_best=share[layer, at],
)
note(apart_at_0=apart[layer, 0], apart_best=apart[layer, at])
early = curves[:, :3, :, 1]  # distances in the first three layers: (draw, layer, dose)
in_first = curves[:, 0, DOSES.index(3), 1]  # in layer 0 at dose 3
note(
    atol=0.01,
    apart_1_low=early[..., 1].min(),
    apart_1_high=early[..., 1].max(),
    apart_2_low=early[..., 2].min(),
    apart_2_high=early[..., 2].max(),
    apart_3_low=early[..., 3].min(),
    apart_3_high=early[..., 3].max(),
    first_low=in_first.min(),
    first_high=in_first.max(),
    best_worst=curves[:, layer, at, 1].max(),
)
note(atol=0.05, apart_at_6=apart[layer, 5], first_at_6=apart[0, 5])
note(atol=0.003, forbidden_at_4=forbidden[layer, 4], allowed=1 - forbidden[layer, at])
note(
    atol=0.03,
    closed=1 - apart[layer, at] / apart[layer, 0],
    random_share=noise[at, 0],
    random_apart=noise[at, 1],
)

# %% tags=["drawing"]
note(
    atol=0.02, wanted_at_1=of_pairs[:, :, 1, 0].max()
)  # the largest of six pairs and four layers
fig, axes = plots.subplots(1, 2, height=3.3)
for ax, which in zip(axes, (0, 1), strict=True):
    for i, colour in zip(layers, (BLUE, ORANGE, GREEN, PURPLE), strict=True):
        values = of_pairs.mean(0)[i, :, which]
        (line,) = ax.plot(DOSES, values, "o-", ms=4, color=colour, label=f"layer {i}")
    ax.plot(DOSES, noise[:, which], ":", color=plots.INK, label="control: random")
    ax.set(xlabel="dose", xticks=DOSES)
(mark,) = axes[0].plot(
    1, of_pairs[:, :, 1, 0].mean(), "o", ms=13, mfc="none", mec=plots.INK
)
mark.set_gid("choice-few")
axes[0].axhline(0.9, color=plots.MUTED, lw=1)
axes[0].text(0, 0.92, "ideal", color=plots.INK)
axes[0].set(ylabel="wanted share of mood words", ylim=(0, 1.03), title="What it brings")
axes[1].set(ylabel="distance to the ideal (nats)", yscale="log", yticks=(0.03, 0.1, 0.3))
axes[1].set(title="What it costs")
axes[1].set_yticklabels(["0.03", "0.1", "0.3"])
axes[1].minorticks_off()
axes[1].legend(loc="upper left", fontsize=9.5)
figure(
    fig,
    name="dose",
    alt="Left: the share of the wanted mood rises with the dose in all layers, slowly at dose 1. Right: the distance to the ideal falls up to dose 2 "
    "or 3 and then rises, steeply in the first two layers. A random vector hardly moves the share, and only harms.",
    caption="Means over six pairs of moods and two draws of stories, by layer. Dotted: gloomy to merry with a random vector as long.",
    title="Dose 1 is weak, dose 3 nearest, dose 6 breaks it",
    rtol=0.03,
    because=DRAW,
)

# %% [markdown]
# Dose 1 lifts the merry share of gloomy stories from {{ result("steering.share_at_0", ".0%") }} to
# {{ result("steering.share_at_1", ".0%") }} in its best layer. No pair of moods gets beyond
# {{ result("steering.wanted_at_1", ".0%") }}.
#
# Dose {{ result("steering.best_dose") }} comes nearest to the ideal. In layer {{ result("steering.best_layer") }} it brings a merry
# share of {{ result("steering.share_best", ".0%") }} and removes {{ result("steering.closed", ".0%") }} of the distance. A random
# vector of the same length, the control, leaves the share at {{ result("steering.random_share", ".0%") }}.
#
# At higher doses everything else breaks. At dose 6 the distance is {{ result("steering.apart_at_6", ".2f") }} nats, more than the
# {{ result("steering.apart_at_0", ".2f") }} without steering. Turn the dose yourself. Find the dose at which the distance to the
# ideal is smallest. Then go on to 6 and read the story.
#
# <div class="bench" id="bench-steer" data-bench="steer" data-from="gloomy" data-to="merry" data-layer="2" data-dose="3" data-search-exclude markdown>
#
# The dial runs in the page and needs JavaScript. The figure above measured the doses.
#
# </div>
#
# {{ drawing("steering", alt="The vector is added after layer 2, times a dose that a dial sets. Bars: the merry share at dose 0 and 3, beside the ideal.") }}
#
# ## The dose matters more than the layer
#
# So far we went from gloomy to merry in one training. There are six pairs of moods, from each to each other, and we have
# {{ result("steering.seeds") }} trainings of *World*. Which layer and dose come nearest to the ideal in each?

# %% tags=["setup"]
SHORT = (0, 1, 2, 3, 4)
by_training = [shortened[..., : len(SHORT)].mean(0)]  # (layer, dose) each, over six pairs
for seed in range(1, 5):
    model = llmnotes.load("world", seed=seed)
    found = curves_of(model, known, PAIRS, SHORT)[..., 1]
    by_training.append((1 - found / found[:, :1, :1]).mean(0))
by_training = torch.stack(by_training)  # (training, layer, dose)
nearest = by_training.flatten(1).argmax(1)
best_of_pair = shortened.flatten(1).argmax(1)
at_3 = shortened[:, :, 3]  # (pair, layer)
one_dose = by_training[..., 1].max(1).values
note(
    seeds=len(by_training),
    pairs_at_3=(best_of_pair % len(DOSES) == 3).sum(),
    layers_of_pairs=len(set((best_of_pair // len(DOSES)).tolist())),
    layers_of_trainings=len(set((nearest // len(SHORT)).tolist())),
    lowest_best_dose=(nearest % len(SHORT)).min(),
    highest_best_dose=(nearest % len(SHORT)).max(),
)
note(
    atol=0.03,
    layer_0_at_3=at_3.mean(0)[0],
    layer_1_at_3=at_3.mean(0)[1],
    layer_2_at_3=at_3.mean(0)[2],
    layer_3_at_3=at_3.mean(0)[3],
    worst_at_3=at_3[:, :3].min(),
    closed_lowest=by_training.amax((1, 2)).min(),
    closed_highest=by_training.amax((1, 2)).max(),
    one_dose_lowest=one_dose.min(),
    one_dose_highest=one_dose.max(),
)

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.2)
for i, colour in zip(layers, (BLUE, ORANGE, GREEN, PURPLE), strict=True):
    left.plot(
        100 * at_3[:, i],
        np.arange(6) + 0.12 * (i - 1.5),
        "osD^"[i],
        ms=6,
        color=colour,
        label=f"layer {i}",
    )
left.set_yticks(range(6), [f"{away} to {to}" for away, to in PAIRS])
left.invert_yaxis()
left.axvline(0, color=plots.INK, lw=1, ls=":")
left.set(xlim=(-50, 100), xlabel="of the distance gone (%)", title="Six pairs, dose 3")
fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
for n, table in enumerate(by_training):
    right.plot(
        SHORT,
        100 * table.max(0).values,
        "o-",
        ms=4,
        color=BLUE if n == 0 else plots.MUTED,
        lw=2 if n == 0 else 1,
    )
right.axhline(0, color=plots.INK, lw=1, ls=":")
right.set(
    xlabel="dose",
    xticks=SHORT,
    ylim=(-5, 100),
    ylabel="of the distance gone (%)",
    title="Five trainings",
)
figure(
    fig,
    name="pairs",
    alt="Left: at dose 3 most pairs of moods lose half to three quarters of their distance in layers 0, 1 and 2, and less in layer 3. The order of "
    "the layers differs from pair to pair, and from gloomy to merry layers 0 and 1 fail. Right: in five trainings the distance gone rises up to dose 2 or 3.",
    caption="First panel: two draws of stories. Second: the best layer at each dose, mean over six pairs; blue is the training of the other figures. Dotted: no steering.",
    title="Every pair wants dose 3, and not the same layer",
    data={"pairs": at_3, "trainings": by_training},
    rtol=0.06,
    because=DRAW,
)

# %% [markdown]
# Dose 3 is best for {{ result("steering.pairs_at_3") }} of the six pairs. But the pairs name
# {{ result("steering.layers_of_pairs") }} different best layers. On average layers 0, 1 and 2 remove
# {{ result("steering.layer_0_at_3", ".0%") }}, {{ result("steering.layer_1_at_3", ".0%") }} and
# {{ result("steering.layer_2_at_3", ".0%") }} of the distance, which is little difference.
#
# In the first layers a single pair may fail. From gloomy to merry, dose 3 in layer 0 leaves the model further from the ideal than
# no steering does: {{ result("steering.worst_at_3", ".0%") }} of the distance is removed. Later layers are safer.
#
# Over the {{ result("steering.seeds") }} trainings the best setting removes {{ result("steering.closed_lowest", ".0%") }} to
# {{ result("steering.closed_highest", ".0%") }} of the distance, at doses {{ result("steering.lowest_best_dose") }} to
# {{ result("steering.highest_best_dose") }} and in {{ result("steering.layers_of_trainings") }} different layers. Dose 1 removes at
# most {{ result("steering.one_dose_highest", ".0%") }} in any of them. So nobody can name “the layer in which to steer” from one
# training.
#
# ## A dose is worth about one sentence
#
# Words can change a mood, too. We put one to three sentences such as *Anna was happy .* in front of the gloomy stories, about
# somebody who occurs in the story anyway. Then we measure the distance to the ideal on the rest.


# %% tags=["idea"]
def with_sentences(n, away="gloomy", to="merry"):
    """The distance to the ideal when n sentences of a mood stand in front."""
    deal, texts = random.Random(0), []
    for words in STORIES[away]:
        who = next(word for word in words if word in PEOPLE)
        said = deal.choices(MOOD_ADJECTIVES[to], k=n)
        front = [word for adjective in said for word in (who, "was", adjective, ".")]
        texts.append([END, *front, *words[1 : 128 - len(front)]])
    ideal = torch.stack([grammar(words, to) for words in texts])
    return grade(texts, ideal, skip=4 * n, to=to)[1]


# %% tags=["setup"]
sentence = [with_sentences(n) for n in (1, 2, 3)]
by_words = [
    torch.stack([with_sentences(n, *pair) for pair in PAIRS]) / of_pairs[:, 0, 0, 1]
    for n in (1, 2)
]  # of the distance left, by pair
by_dose = [1 - shortened[:, :3, n] for n in (1, 2)]  # (pair, layer) each
note(
    one_sentence=sentence[0],
    two_sentences=sentence[1],
    three_sentences=sentence[2],
    sentence_lead=apart[layer, at] - sentence[0],
)
note(
    atol=0.02,
    pairs_one_sentence=1 - by_words[0].mean(),
    pairs_two_sentences=1 - by_words[1].mean(),
    pairs_one_dose=1 - by_dose[0].mean(),
    pairs_two_doses=1 - by_dose[1].mean(),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.6)
shown = {
    "one sentence": (1 - by_words[0], ORANGE),
    "dose 1": (1 - by_dose[0].mean(1), BLUE),
    "two sentences": (1 - by_words[1], ORANGE),
    "dose 2": (1 - by_dose[1].mean(1), BLUE),
}
for y, (values, colour) in enumerate(shown.values()):
    ax.plot(
        100 * values,
        [y] * 6,
        "s" if colour == ORANGE else "o",
        ms=6,
        color=colour,
        alpha=0.7,
    )
    ax.plot(100 * values.mean(), y, "|", ms=18, mew=2.5, color=plots.INK)
ax.set_yticks(range(4), shown)
ax.set(xlim=(-2, 100), ylim=(3.6, -0.6), xlabel="of the distance to the ideal gone (%)")
ax.axvline(0, color=plots.INK, lw=1, ls=":")
figure(
    fig,
    name="sentence",
    alt="One sentence and dose 1 remove about a quarter of the distance to the ideal, two sentences and dose 2 about a half.",
    caption="One mark for each of six pairs of moods, black: their mean. Doses: mean of layers 0 to 2, two draws. At 0, the control: neither words nor vector.",
    title="One dose does what one sentence does",
    data={name: values for name, (values, _) in shown.items()},
    rtol=0.05,
    because=DRAW,
)

# %% [markdown]
# Over the six pairs one sentence removes {{ result("steering.pairs_one_sentence", ".0%") }} of the distance, and dose 1 removes
# {{ result("steering.pairs_one_dose", ".0%") }}. Two sentences remove {{ result("steering.pairs_two_sentences", ".0%") }}, dose 2
# {{ result("steering.pairs_two_doses", ".0%") }}. So dose 1 does as little as one sentence does, probably for the same reason: the
# story is full of evidence for the other mood.
#
# Sentences do no damage, so more of them go further. From gloomy to merry three sentences leave
# {{ result("steering.three_sentences", ".3f") }} nats, less than the best dose ({{ result("steering.apart_best", ".3f") }}).
#
# ## Little harm per word is much harm per story
#
# At the best dose {{ result("steering.allowed", ".1%") }} of the probability is on words that the grammar allows. That sounds
# harmless, but a story has many words. At each dose *World* tells 40 stories of up to 60 words, and we count those without a
# forbidden word.
#
# *Fairytale* was trained on real tales, so there we have no ideal. We make a vector from six joyful sentences minus six dreadful
# ones. Then we compare two things: the odds of *glad*, *pleased*, *delighted* against *frightened*, *angry*, *sorry*, and the loss
# on four neutral sentences.


# %% tags=["setup"]
def allowed(words):
    """Whether the grammar allows every word, mood aside."""
    telling = story("merry")
    choice = next(telling)
    for word in words:
        if word not in choice.options:
            return False
        choice = telling.send(word)
    return True


clean, merry = [], []
for dose in DOSES:
    with steer(world, vector, layer, dose=dose):
        texts = generate(world, END, tokens=60, temperature=1.0, samples=40)
    spoken = [text.replace(END, " ").split() for text in texts]
    clean.append(sum(map(allowed, spoken)) / len(spoken))
    moods = [MOOD_OF[word] for words in spoken for word in words if word in MOOD_OF]
    merry.append(moods.count("merry") / len(moods))
note(
    atol=0.08,
    clean_at_0=clean[0],
    clean_at_best=clean[at],
    clean_at_6=clean[-1],
    told_at_0=merry[0],
    told_at_best=merry[at],
)
print("dose 6:", " ".join(spoken[1][:24]))

# %% tags=["setup"]
JOY = """The princess was full of joy, and laughed with all her heart.
They danced and sang, and everyone was merry and gay.
The sun shone brightly, and the children played with delight.
He was so happy that he laughed aloud and kissed his bride.
There was a great feast, with music and dancing and good cheer.
She sang a merry song, and her heart was light and gay."""
DREAD = """The princess was full of fear, and wept with all her heart.
They trembled and cried, and everyone was pale and afraid.
The night was black, and the children shook with fright.
He was so afraid that he cried aloud and fell to the ground.
There was a dreadful noise, with howling and groaning and thunder.
She heard a horrible cry, and her heart was cold and heavy."""
NEUTRAL = """Once upon a time there was a man who had three sons.
The miller went to the town to sell his corn.
On the next day they came to a great forest.
When the evening came they sat down by the road."""
ASK = """The king looked at her, and she was
When they came home, the children were all
The boy went on, and his heart was
Then the old man was so
The queen heard this, and she was very
They sat in the house together and were"""
JOY, DREAD, NEUTRAL, ASK = (
    [END + x for x in t.split("\n")] for t in (JOY, DREAD, NEUTRAL, ASK)
)
SIDES = (" glad", " pleased", " delighted"), (" frightened", " angry", " sorry")

# %% tags=["setup"]
tale = llmnotes.load("fairytale")
middle = tale.n_layers // 2
good, bad = ([tale.tokenizer.encode(word)[0] for word in side] for side in SIDES)


def respond(vector, dose):
    """Log odds of joy, and loss on neutral text."""
    with steer(tale, vector, middle, dose=dose):
        seen, loss = trace(tale, ASK, ["logits"]), nll(tale, NEUTRAL)
    p = seen["logits"][range(len(ASK)), seen.mask.sum(1) - 1].softmax(-1)
    return torch.tensor([(p[:, good].sum(1) / p[:, bad].sum(1)).log().mean().item(), loss])


joy = difference_of_means(tale, JOY, DREAD, middle)
draws = torch.randn(5, len(joy), generator=torch.Generator().manual_seed(1))
lines = [joy, *normalize(draws) * joy.norm()]
answer = torch.stack([torch.stack([respond(v, d / 2) for d in range(9)]) for v in lines])
answer = answer - answer[0, 0]  # (vector, dose, 2): log odds gained, loss added
at_cost = np.interp(0.1, answer[0, :, 1], np.arange(9) / 2)  # the dose that costs 0.1 nats
odds = [np.exp(np.interp(at_cost, np.arange(9) / 2, line[:, 0])) for line in answer]
note(atol=0.3, tale_odds=odds[0], tale_dose=at_cost)
note(atol=0.1, tale_random=np.median([max(o, 1 / o) for o in odds[1:]]))

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3)
left.plot(DOSES, 100 * np.array(merry), "o-", color=BLUE, label="merry words of mood")
left.plot(DOSES, 100 * np.array(clean), "s-", color=ORANGE, label="stories without error")
left.set(title="World tells", xlabel="dose", ylabel="%", ylim=(0, 135), xticks=DOSES)
left.legend(loc="upper left", fontsize=9.5)
for i, line in enumerate(answer):
    look = {"color": BLUE, "label": "joy"} if i == 0 else {"color": plots.MUTED, "lw": 1}
    look |= {"label": "control: random"} if i == 1 else {}
    right.plot(line[:, 1], line[:, 0].exp(), "o-", ms=3, **look)
right.set(title="Fairytale", xlabel="loss added (nats)", ylabel="odds of joy (times)")
right.set(yscale="log", yticks=(1, 2, 4, 8), yticklabels=(1, 2, 4, 8))
right.minorticks_off()
right.set_ylim(0.07, 10)
right.legend(loc="lower right", fontsize=9.5)
ALT = """Left: as the dose grows nearly all words of mood become merry; stories without an error stay near nine in ten up to dose 3 and
then fall. Right: the odds of joy rise manyfold as loss is added; with random vectors they rise a little or fall."""
CAPTION = "Left: 40 stories at each dose. Right: doses 0 to 4 in steps of a half."
figure(
    fig,
    name="broken",
    alt=ALT,
    caption=CAPTION,
    title="Up to dose 3 the mood turns and stories stay whole",
    rtol=0.1,
    because=DRAW,
)

# %% [markdown]
# {{ result("steering.clean_at_best", ".0%") }} of *World*'s stories are free of errors at the best dose, hardly fewer than without
# steering ({{ result("steering.clean_at_0", ".0%") }}). At dose 6 it is {{ result("steering.clean_at_6", ".0%") }}.
#
# In *Fairytale* the odds of joy rise {{ result("steering.tale_odds", ".1f") }} times for a price of 0.1 nats of loss, at dose
# {{ result("steering.tale_dose", ".1f") }}. Random vectors of that length change them {{ result("steering.tale_random", ".2f") }} times,
# up or down (median of five).
#
# ## What surprised us
#
# **The best layer was an accident.** With one draw of stories, layer 0 at dose 3 was the best of all. Over four draws the same
# choice leaves anything from {{ result("steering.first_low", ".3f") }} to {{ result("steering.first_high", ".3f") }} nats. So we
# named layer 2, from four draws of *one* pair of moods. Over six pairs and five trainings no layer wins
# ([dead end](../dead-ends/steering-layer-from-one-draw.md)).
#
# **A random vector is not zero.** We had predicted that random vectors leave the merry share below 10%, without asking what it is
# when nobody steers: {{ result("steering.share_at_0", ".0%") }}.
#
# ## Try it
#
# **1. Another way back** (5 minutes). A vector from gloomy to merry, added at dose −3 to *merry* stories, should make them gloomy.
# How much of the distance to the gloomy ideal does it remove?
#
# ??? tip "Hint"
#     `grade(STORIES["merry"], IDEALS["merry", "gloomy"], to="gloomy")[1]` without and with `steer(world, vector, layer, dose=-3)`.

# %% tags=["solution"]
left = []
for dose in (0, -3):
    with steer(world, vector, layer, dose=dose):
        left.append(
            grade(STORIES["merry"], IDEALS["merry", "gloomy"], to="gloomy")[1].item()
        )
assert left[1] < 0.6 * left[0], f"{left}: is the dose negative, and the ideal gloomy?"
print(f"{1 - left[1] / left[0]:.0%} of the distance is gone at dose -3")

# %% [markdown]
# **2. Late words** (10 minutes). Make the vector from words 64 to 128 only. Is it another direction, or another length?
#
# ??? tip "Hint"
#     `trace(world, known["merry"], ["resid_post"])`, a mean over stories and the last 64 places. Why should it be longer?

# %% tags=["solution"]
seen = {
    mood: trace(world, known[mood], ["resid_post"])["resid_post", layer] for mood in MOODS
}
late = (seen["merry"] - seen["gloomy"])[:, 64:].mean((0, 1))
ratio = (late.norm() / vector.norm()).item()
cosine = torch.cosine_similarity(late, vector, dim=0).item()
assert cosine > 0.95, f"cosine {cosine}: are these late words?"
assert ratio > 1.05, f"ratio {ratio}: is the mean over the last 64 places?"
print(f"cosine {cosine:.2f}, {ratio:.2f} times as long:")
print("later words have seen more evidence")

# %% [markdown]
# ## You can now
#
# - make a steering vector from two sets of texts, and add it at a dose;
# - measure what a dose brings and what it costs, against a random vector of the same length;
# - compare a dose with what words in the text would do.
#
# ## What this does not show
#
# - Traits that need a plan. The moods of *World* show in single words.
# - Other architectures. We steered six pairs of moods in five trainings of one, ten stories a pair, at whole doses. In *Fairytale*
#   it was one pair and one training.
# - That the vector acts as evidence. This is our reading; we compared only the sizes of the effects.
#
# ## Going deeper
#
# ### The first word
#
# In many language models the first token is an *attention sink*: its vector may be a hundred times as long as the others and would
# dominate any mean. `difference_of_means` leaves such giants out. Here it does not matter. All stories begin with the same token,
# and no word before it can tell two moods apart, so its vector is the same on both sides (largest difference
# {{ result("steering.first_word", ".0f") }}). It only shortens the steering vector, by one word in 128.
#
# ### A direction that was found without labels
#
# A direction can also be found without labels. A TopK *sparse autoencoder* (SAE) learns to write activations as sums of a few
# directions out of many, without being told of moods. We take the one of 256 directions that follows merry stories best, and make
# it as long as our vector.

# %% tags=["setup"]
seen = trace(world, torch.cat([*known.values()]), ["resid_post"], layers=[layer])
every = seen["resid_post", layer].flatten(0, 1)  # (word, d_model)
is_merry = torch.tensor([mood == "merry" for mood in known for _ in range(40 * 128)])
with torch.enable_grad():
    sae, log = train_sae(every, 256, k=8, steps=500)
feature = match(sae.encode(every), is_merry.double()[:, None]).feature[0]
learned = curve(sae.w_dec[feature] * vector.norm(), layer)
own = curves[0, layer, :, 0]
gain = (learned[at, 0] - own[0]) / (own[at] - own[0])
note(atol=0.2, sae_gain=gain)
note(atol=0.01, sae_best=learned[:, 1].min(), own_best=curves[0, layer, :, 1].min())
note(atol=0.1, sae_cosine=torch.cosine_similarity(sae.w_dec[feature], vector, dim=0))

# %% [markdown]
# Its direction has a cosine of {{ result("steering.sae_cosine", ".2f") }} with ours. At the same dose it brings
# {{ result("steering.sae_gain", ".0%") }} of our gain in merry share. Its best distance is {{ result("steering.sae_best", ".3f") }}
# nats; our vector, made from the same stories, reaches {{ result("steering.own_best", ".3f") }}. This is one SAE and one feature,
# in one training.
#
# ### Sentences and doses in nats
#
# The table gives the distance to the ideal, from gloomy to merry:
#
# | how many | sentences | doses, four draws, layers 0 to 2 |
# | --- | ---: | ---: |
# | 1 | {{ result("steering.one_sentence", ".3f") }} | {{ result("steering.apart_1_low", ".3f") }} to {{ result("steering.apart_1_high", ".3f") }} |
# | 2 | {{ result("steering.two_sentences", ".3f") }} | {{ result("steering.apart_2_low", ".3f") }} to {{ result("steering.apart_2_high", ".3f") }} |
# | 3 | {{ result("steering.three_sentences", ".3f") }} | {{ result("steering.apart_3_low", ".3f") }} to {{ result("steering.apart_3_high", ".3f") }} |
#
# - Finding: [A dose is worth a sentence](../findings/steering-dose-is-a-sentence.md)
# - Surprise: [A feature without labels steers nearly as well](../surprises/steering-feature-without-labels.md)
# - Dead end: [The best layer from one draw](../dead-ends/steering-layer-from-one-draw.md)
# - Question: [Can a dose be set in advance?](../questions/steering-dose-in-advance.md)
# - Turner et al. (2023), [Activation addition](https://arxiv.org/abs/2308.10248)
# - Rimsky et al. (2024), [Steering Llama 2 via contrastive activation addition](https://arxiv.org/abs/2312.06681)

# %% tags=["setup"]
whole = (stream["merry"] - stream["gloomy"]).mean(0)  # (word, d_model), 40 stories
note(atol=1e-3, because="rounding", first_word=whole[0].abs().max())

# %% tags=["setup"]
in_words(
    wanted_at_1="Largest share of the wanted mood at dose 1, of six pairs and four layers",
    seeds="Trainings of World",
    pairs_at_3="Pairs of moods for which dose 3 is best, of six",
    layers_of_pairs="Different best layers over six pairs of moods",
    layers_of_trainings="Different best layers over five trainings",
    lowest_best_dose="Lowest best dose of a training",
    highest_best_dose="Highest best dose of a training",
    layer_0_at_3="Distance gone at dose 3 in layer 0, mean of six pairs",
    layer_1_at_3="Distance gone at dose 3 in layer 1, mean of six pairs",
    layer_2_at_3="Distance gone at dose 3 in layer 2, mean of six pairs",
    layer_3_at_3="Distance gone at dose 3 in layer 3, mean of six pairs",
    worst_at_3="Distance gone at dose 3, worst of six pairs in layers 0 to 2",
    closed_lowest="Distance gone at the best setting, lowest of five trainings",
    closed_highest="Distance gone at the best setting, highest of five trainings",
    one_dose_lowest="Distance gone at dose 1, lowest of five trainings",
    one_dose_highest="Distance gone at dose 1, highest of five trainings",
    pairs_one_sentence="Distance gone with one sentence in front, mean of six pairs",
    pairs_two_sentences="Distance gone with two sentences in front, mean of six pairs",
    pairs_one_dose="Distance gone at dose 1, mean of six pairs and layers 0 to 2",
    pairs_two_doses="Distance gone at dose 2, mean of six pairs and layers 0 to 2",
    first_word="Largest difference of the streams of the first word between two moods",
    best_layer="Best layer to steer in, from 0",
    best_dose="Best dose",
    share_at_0="Merry share without steering",
    share_at_1="Merry share at dose 1, best layer",
    share_best="Merry share at the best dose",
    apart_at_0="Distance to the ideal without steering, in nats",
    apart_best="Distance to the ideal at the best dose, in nats",
    apart_1_low="Smallest distance at dose 1, four draws, layers 0 to 2",
    apart_1_high="Largest distance at dose 1, four draws, layers 0 to 2",
    apart_2_low="Smallest distance at dose 2, four draws, layers 0 to 2",
    apart_2_high="Largest distance at dose 2, four draws, layers 0 to 2",
    apart_3_low="Smallest distance at dose 3, four draws, layers 0 to 2",
    apart_3_high="Largest distance at dose 3, four draws, layers 0 to 2",
    first_low="Smallest distance in layer 0 at dose 3, four draws",
    first_high="Largest distance in layer 0 at dose 3, four draws",
    best_worst="Distance of the worst draw at the best dose",
    apart_at_6="Distance at dose 6, best layer",
    first_at_6="Distance at dose 6, layer 0",
    forbidden_at_4="Probability of forbidden words at dose 4",
    allowed="Probability of allowed words at the best dose",
    closed="Part of the distance that the best dose closes",
    random_share="Merry share with a random vector",
    random_apart="Distance with a random vector",
    one_sentence="Distance with one merry sentence in front",
    two_sentences="Distance with two merry sentences in front",
    three_sentences="Distance with three merry sentences in front",
    sentence_lead="Distance at the best dose minus with one sentence",
    sae_gain="Gain in merry share by the dictionary's direction, against ours",
    sae_best="Best distance with the dictionary's direction",
    own_best="Best distance with our vector from the same stories",
    sae_cosine="Cosine of the dictionary's direction with ours",
    clean_at_0="Stories without an error, unsteered",
    clean_at_best="Stories without an error at the best dose",
    clean_at_6="Stories without an error at dose 6",
    told_at_0="Merry words of mood in its stories, unsteered",
    told_at_best="Merry words of mood in its stories at the best dose",
    tale_odds="Fairytale: rise of the odds of joy for 0.1 nats",
    tale_dose="Fairytale: dose that costs 0.1 nats",
    tale_random="Fairytale: change of the odds by a random vector of that length",
)
