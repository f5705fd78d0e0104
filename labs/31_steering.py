# ---
# title: Steering
# question: Does adding a mood vector make a model write in that mood, and what does it cost?
# level: intermediate
# minutes: 15
# models: [world, fairytale]
# needs: [11_residual]
# tags: [steering, activation addition, sparse autoencoders]
# chapter: Changing it
# thumbnail: dose
# timeout: 400
# ---

# %% [markdown]
# Add the right vector to a model's activations while it writes, and what it writes turns happy, or formal, or French
# ([Turner et al. 2023](https://arxiv.org/abs/2308.10248), [Rimsky et al. 2024](https://arxiv.org/abs/2312.06681)). How good is that? For
# natural text nobody knows what the model *should* write when steered. For our model `world` we do: the grammar of its language is
# ours, every story has a hidden mood, and we can compute what comes next if the mood were another.

# %% tags=["setup"]
import random

import numpy as np
import torch
from torch.nn.functional import normalize

import llmnotes
from llmnotes.lab import figure, in_words, plots, predict, within
from llmnotes.methods import difference_of_means, generate, match, steer, train_sae
from llmnotes.model import nll, trace
from llmnotes.world import END, IDS, MOODS, VOCABULARY, held_out, story, word_ids
from llmnotes.world.lexicon import MOOD_ADJECTIVES, MOOD_OF, PEOPLE

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
torch.set_grad_enabled(False)
DRAW = "fixed texts; room for rounding and near ties"
note = within(atol=0.005, because=DRAW)

# %% [markdown]
# ## What you need to know
#
# **The mood.** A story of `world` is merry, gloomy or eerie. A word of mood (*happy*, *sad*, *pale*) has the story's own mood nine times in ten. Nothing
# else depends on it. The model has to infer it from the words of mood so far.
#
# **The vector.** The *residual stream* is the list of numbers that each word carries through the layers. We take its mean after a layer over merry
# stories, minus that over gloomy ones: the *difference of means*. To *steer* is to add it at every word, times a *dose*. At dose 1 the mean
# gloomy word stands where the mean merry word stood.
#
# **The ideal.** We let the model read gloomy stories, steered towards merry, and ask what it expects next. The ideal is the grammar's own
# answer for the same words if the mood were merry. Three numbers: the *merry share* of the probability of all words of mood, where one may come
# (ideal: 90 %); the *distance* to the ideal, as a KL divergence in nats a word, which counts all
# that goes wrong; and the probability of *forbidden* words, those that the grammar does not allow there at all.


# %% tags=["idea"]
def grammar(words, mood):
    """The true distribution behind each word, if the mood were this: (pos, vocab)."""
    rows = torch.zeros(len(words), len(VOCABULARY), dtype=torch.double)
    telling = story(mood)
    for row, word in zip(rows, words, strict=True):
        choice = next(telling) if word == END else telling.send(word)
        for option, p in choice.options.items():
            row[IDS[option]] = p
    return rows


def ids(texts):
    return torch.stack([word_ids(words) for words in texts])


# %% [markdown]
# And the three numbers.

# %%
MERRY = word_ids(word for word, mood in MOOD_OF.items() if mood == "merry")
MOODY = word_ids(MOOD_OF)


def grade(texts, best, skip=0):
    """Merry share, distance to the ideal, forbidden share; behind the first words."""
    best, seen = best[:, skip:], trace(world, ids(texts), ["logits"])["logits"][:, skip:]
    log_p = seen.double().log_softmax(-1)
    p, slot = log_p.exp(), best[..., MOODY].sum(-1) > 0.15  # a word of mood may come
    share = (p[..., MERRY].sum(-1) / p[..., MOODY].sum(-1))[slot].mean()
    apart = -(best * log_p).sum(-1) - torch.special.entr(best).sum(-1)
    return torch.stack([share, apart.mean(), (p * (best == 0)).sum(-1).mean()])


# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     Which dose comes nearest to the ideal: less than 1, 1, or more? And what does better, the best dose or one merry sentence at the start of
#     the story?
#
# Our own guesses, written before any run. *That dose* is the one nearest to the ideal, in the layer where it is nearest. (Two were
# settled after a first look: layer and dose are taken from four draws, with one it would have been layer 0; and the last
# counts ups and downs alike, while by their plain median it would have come true.)

# %%
predict("In some layer dose 1 brings the merry share above ½", 0.7, share_at_1="> 0.5")
predict("The best layer to steer in is 1 or 2, from 0", 0.6, best_layer="between 1 and 2")
predict("That dose halves the distance to the ideal", 0.55, closed="> 0.5")
predict("Random vectors leave the merry share below 10 %", 0.85, random_share="< 0.1")
predict("At dose 4 forbidden words get more than 5 %", 0.5, forbidden_at_4="> 0.05")
predict("One merry sentence comes nearer than any dose", 0.4, sentence_lead="> 0")
predict("An SAE feature brings half of the vector's share", 0.4, sae_gain="> 0.5")
predict("At that dose 9 in 10 next words are allowed", 0.6, allowed="> 0.9")
predict("fairytale: odds of joy double for 0.1 nats", 0.5, tale_odds="> 2")
predict("fairytale: random changes them by under a fifth", 0.6, tale_random="< 1.2")

# %% [markdown]
# ## Dose and response
#
# 40 stories of each mood make the vectors of a layer, and we draw such stories four times. Ten other gloomy stories are steered. The
# control is a random vector of the same length (median of three).

# %%
world = llmnotes.load("world")


def tell(seed):
    """Long stories by mood, cut to the context."""
    by_mood = {mood: [] for mood in MOODS}
    for told in held_out(seed=seed, n=300):
        if len(told) > 128:
            by_mood[told[0].mood].append([token.word for token in told[:128]])
    return {mood: ids(texts[:40]) if seed else texts for mood, texts in by_mood.items()}


TEXTS, DOSES = tell(0)["gloomy"][:10], (0, 1, 2, 3, 4, 6)
IDEAL = torch.stack([grammar(words, "merry") for words in TEXTS])
draws = [tell(seed) for seed in (5, 6, 7, 8)]


def curve(vector, layer):
    rows = []
    for dose in DOSES:
        with steer(world, vector, layer, dose=dose):
            rows.append(grade(TEXTS, IDEAL))
    return torch.stack(rows)  # (dose, 3)


# %% [markdown]
# The dose and layer that are best on average over the four draws. What follows uses the vectors of the first draw.

# %%
layers, known = range(world.n_layers), draws[0]
vectors = [
    [difference_of_means(world, some["merry"], some["gloomy"], i) for i in layers]
    for some in draws
]
curves = torch.stack(
    [torch.stack([curve(v, i) for i, v in enumerate(of)]) for of in vectors]
)
share, apart, forbidden = curves.mean(0).unbind(-1)  # each (layer, dose)
layer, at = divmod(apart.argmin().item(), len(DOSES))
vector = vectors[0][layer]
random_ones = torch.randn(3, world.d_model, generator=torch.Generator().manual_seed(0))
noise = [curve(v, layer) for v in normalize(random_ones) * vector.norm()]
noise = torch.stack(noise).median(0).values


# %% [markdown]
# What to keep of it; the range over the draws too.


# %%
note(best_layer=layer, best_dose=DOSES[at])
note(
    atol=0.02,
    share_at_0=share[0, 0],
    share_at_1=share[:, 1].max(),
    share_best=share[layer, at],
)
note(apart_at_0=apart[layer, 0], apart_best=apart[layer, at])
early = curves[:, :3, :, 1]  # distances in the first three layers: (draw, layer, dose)
first = curves[:, 0, DOSES.index(3), 1]  # in layer 0 at dose 3
note(
    atol=0.01,
    apart_1_low=early[..., 1].min(),
    apart_1_high=early[..., 1].max(),
    apart_2_low=early[..., 2].min(),
    apart_2_high=early[..., 2].max(),
    apart_3_low=early[..., 3].min(),
    apart_3_high=early[..., 3].max(),
    first_low=first.min(),
    first_high=first.max(),
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
fig, axes = plots.subplots(1, 2, height=3.3)
for ax, which in zip(axes, (0, 1), strict=True):
    for i, colour in zip(layers, (BLUE, ORANGE, GREEN, PURPLE), strict=True):
        ax.plot(
            DOSES, curves.mean(0)[i, :, which], "o-", ms=4, color=colour, label=f"layer {i}"
        )
    ax.plot(DOSES, noise[:, which], ":", color=plots.INK, label="control: random")
    ax.set(xlabel="dose", xticks=DOSES)
axes[0].axhline(0.9, color=plots.MUTED, lw=1)
axes[0].text(0, 0.92, "ideal", color=plots.INK)
axes[0].set(ylabel="merry share of mood words", ylim=(0, 1.03))
axes[1].set(ylabel="distance to the ideal (nats)", yscale="log", yticks=(0.03, 0.1, 0.3))
axes[1].set_yticklabels(["0.03", "0.1", "0.3"])
axes[1].minorticks_off()
axes[1].legend(loc="upper left", fontsize=9.5)
ALT = """Left: the merry share rises with the dose in all layers, slowly at dose 1. Right: the distance to the ideal falls up to dose 2
or 3 and then rises, steeply in the first two layers. A random vector hardly moves the share, and only harms."""
CAPTION = "Gloomy stories steered towards merry, by layer: means of four draws."
figure(fig, name="dose", alt=ALT, caption=CAPTION, rtol=0.02, because=DRAW)

# %% [markdown]
# Steering works, and **the natural dose is not the one to take**. Dose 1, from mean to mean, lifts the merry share from
# {{ result("steering.share_at_0", ".0%") }} to {{ result("steering.share_at_1", ".0%") }} at most. Nearest to the ideal is dose
# {{ result("steering.best_dose") }} in layer {{ result("steering.best_layer") }}: a share of {{ result("steering.share_best", ".0%") }}, and
# {{ result("steering.closed", ".0%") }} of the distance is gone (a random vector there: {{ result("steering.random_share", ".0%") }}, and
# none of it). Beyond that the rest breaks, in the first layers soonest: at dose 6 the distance is {{ result("steering.apart_at_6", ".2f") }}
# nats there, {{ result("steering.first_at_6", ".2f") }} in layer 0, from {{ result("steering.apart_at_0", ".2f") }} without steering.
#
# A warning from our own first look: with one draw of stories, and twenty others steered, layer 0 at dose 3 was the best of all. Over our
# four draws the same choice gives anything from {{ result("steering.first_low", ".3f") }} to {{ result("steering.first_high", ".3f") }}
# nats; in layer {{ result("steering.best_layer") }} the worst draw is at {{ result("steering.best_worst", ".3f") }}. A vector from 40
# stories carries what else they happened to hold.
#
# Turn the dose yourself. Find the dose at which the distance to the ideal is smallest, then go on to 6 and read the story.
#
# <div class="bench" id="bench-steer" data-bench="steer" data-search-exclude markdown>
#
# The dial runs in the page and needs JavaScript. The figure above measured the doses.
#
# </div>
#
# ## What a dose is worth
#
# A mood can also be changed by words. We put one to three sentences such as *Anna was happy .* in front of the gloomy stories, about somebody who
# is in the story anyway, and grade the rest. And a third way to find a direction: a TopK *sparse autoencoder* (SAE), which learns
# to write activations as sums of a few directions out of many without being told of moods. We take the one of 256 that
# follows merry stories best.


# %% tags=["idea"]
def with_merry(sentences):
    """The distance when merry sentences stand in front."""
    deal, texts = random.Random(0), []
    for words in TEXTS:
        who = next(word for word in words if word in PEOPLE)
        merry = deal.choices(MOOD_ADJECTIVES["merry"], k=sentences)
        front = [word for adjective in merry for word in (who, "was", adjective, ".")]
        texts.append([END, *front, *words[1 : 128 - len(front)]])
    ideal = torch.stack([grammar(words, "merry") for words in texts])
    return grade(texts, ideal, skip=4 * sentences)[1]


sentence = [with_merry(n) for n in (1, 2, 3)]

# %%
note(
    one_sentence=sentence[0],
    two_sentences=sentence[1],
    three_sentences=sentence[2],
    sentence_lead=apart[layer, at] - sentence[0],
)

# %% [markdown]
# The autoencoder, in the layer where steering is best, and its feature, made as long as our vector.

# %%
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
# | how many | sentences | doses, four draws, layers 0 to 2 |
# | --- | ---: | ---: |
# | 1 | {{ result("steering.one_sentence", ".3f") }} | {{ result("steering.apart_1_low", ".3f") }} to {{ result("steering.apart_1_high", ".3f") }} |
# | 2 | {{ result("steering.two_sentences", ".3f") }} | {{ result("steering.apart_2_low", ".3f") }} to {{ result("steering.apart_2_high", ".3f") }} |
# | 3 | {{ result("steering.three_sentences", ".3f") }} | {{ result("steering.apart_3_low", ".3f") }} to {{ result("steering.apart_3_high", ".3f") }} |
#
# Distance to the ideal, in nats. **A dose is worth about one sentence**, or a little more, for one and two. So dose 1 does little for the
# same reason as one sentence: the story is full of evidence for the other mood. Three sentences come nearer to the ideal than any
# dose does on average.
#
# The SAE's direction (cosine with ours {{ result("steering.sae_cosine", ".2f") }}), made as long as ours, brings
# {{ result("steering.sae_gain", ".0%") }} of our gain in merry share at the same dose, though it was never told of moods. Its best
# distance is {{ result("steering.sae_best", ".3f") }}, that of ours from the same stories {{ result("steering.own_best", ".3f") }}.
#
# ## Where it breaks
#
# At the best dose {{ result("steering.allowed", ".1%") }} of the probability is on allowed words ({{ result("steering.forbidden_at_4", ".1%") }}
# forbidden at dose 4). But a story has many words. The model tells 40 stories of up to 60 words at each dose; we count those
# without any forbidden word.


# %%
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

# %% [markdown]
# ## Real tales
#
# In `fairytale` there is no ideal; this is how steering is mostly judged. The vector: six joyful sentences minus six dreadful ones, in the middle layer. The
# response: the odds of *glad*, *pleased*, *delighted* against *frightened*, *angry*, *sorry*, none of which is in the
# sentences, after six beginnings. The cost: the loss on four neutral sentences.

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

# %%
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
left.set(title="world tells", xlabel="dose", ylabel="%", ylim=(0, 135), xticks=DOSES)
left.legend(loc="upper left", fontsize=9.5)
for i, line in enumerate(answer):
    look = {"color": BLUE, "label": "joy"} if i == 0 else {"color": plots.MUTED, "lw": 1}
    look |= {"label": "control: random"} if i == 1 else {}
    right.plot(line[:, 1], line[:, 0].exp(), "o-", ms=3, **look)
right.set(title="fairytale", xlabel="loss added (nats)", ylabel="odds of joy (times)")
right.set(yscale="log", yticks=(1, 2, 4, 8), yticklabels=(1, 2, 4, 8))
right.minorticks_off()
right.set_ylim(0.07, 10)
right.legend(loc="lower right", fontsize=9.5)
ALT = """Left: as the dose grows nearly all words of mood become merry; stories without an error stay near nine in ten up to dose 3 and
then fall. Right: the odds of joy rise manyfold as loss is added; with random vectors they rise a little or fall."""
CAPTION = "Left: 40 stories at each dose. Right: doses 0 to 4 in steps of a half."
figure(fig, name="broken", alt=ALT, caption=CAPTION, rtol=0.1, because=DRAW)

# %% [markdown]
# In `world` {{ result("steering.clean_at_best", ".0%") }} of the stories are without error at the best dose, hardly fewer than unsteered
# ({{ result("steering.clean_at_0", ".0%") }}), and {{ result("steering.told_at_best", ".0%") }} of their words of mood are merry. At dose 6
# {{ result("steering.clean_at_6", ".0%") }} are without error. In `fairytale` the odds of joy rise {{ result("steering.tale_odds", ".1f") }} times for 0.1 nats, at dose
# {{ result("steering.tale_dose", ".1f") }}; random vectors of that length change them {{ result("steering.tale_random", ".2f") }} times, up or down (median of
# five).
#
# ## What surprised us
#
# - Dose 1 is weak. "As far as the means are apart" sounds like enough, and is worth one sentence.
# - Which layer is best hung on the draw of stories. One draw named the first, four name another.
# - A feature that was found without labels steers nearly as well as the difference of means.
# - We had said that random vectors leave the merry share below 10 %, and had not asked what it is without steering.
#
# ## Try it yourself
#
# **1. Another mood** (beginner, 5 minutes). Steer the gloomy stories towards eerie. How much of the distance to the eerie ideal can go?
#
# ??? tip "Hint"
#     A vector from `known["eerie"]`, an ideal from `grammar(words, "eerie")`, and the second number of `grade`.

# %% tags=["solution"]
eerie = torch.stack([grammar(words, "eerie") for words in TEXTS])
eerily = difference_of_means(world, known["eerie"], known["gloomy"], layer)
left = []
for dose in (0, 3):
    with steer(world, eerily, layer, dose=dose):
        left.append(grade(TEXTS, eerie)[1].item())
assert left[1] < 0.6 * left[0], f"{left}: is the ideal that of the eerie mood?"
print(f"{1 - left[1] / left[0]:.0%} of the distance is gone at dose 3")

# %% [markdown]
# **2. Late words** (intermediate, 10 minutes). Make the vector from words 64 to 128 only. Is it another direction, or another length?
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
print(
    f"cosine {cosine:.2f}, {ratio:.2f} times as long: later words have seen more evidence"
)

# %% [markdown]
# ## What this does not show
#
# - One model of each language; ten steered stories, four draws, doses at whole numbers.
# - A mood of `world` shows in single words. Traits that need a plan may behave otherwise.
# - "A dose is a sentence" was seen in one language, for one and two, and not in the last layer.
# - One SAE, one feature. Other sizes or losses may do less harm.
#
# ## Links
#
# - Findings: [A dose is worth a sentence](../findings/steering-dose-is-a-sentence.md)
# - Surprise: [A feature without labels steers nearly as well](../surprises/steering-feature-without-labels.md)
# - Dead end: [The best layer from one draw](../dead-ends/steering-layer-from-one-draw.md)
# - Question: [Can a dose be set in advance?](../questions/steering-dose-in-advance.md)
# - [Turner et al. (2023)](https://arxiv.org/abs/2308.10248), "Activation Addition"; [Rimsky et al. (2024)](https://arxiv.org/abs/2312.06681),
#   "Steering Llama 2 via Contrastive Activation Addition"

# %% tags=["labels"]
in_words(
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
