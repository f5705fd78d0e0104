# ---
# title: Word order without being told
# question: What does a transformer know of word order when nothing tells it where a word stands?
# level: beginner
# minutes: 25
# models: []
# needs: [01_xor]
# tags: [attention, positions, probing]
# chapter: Start
# thumbnail: lengths
# timeout: 300
# ---

# %% [markdown]
# *The dog sees the cat* and *the cat sees the dog* hold the same words. A transformer reads all words of a text at
# once: so how does it know which of the two it was given? Usually it is told, by a *position* that is added to every
# word. Here we leave that out and measure what is left.

# %% tags=["setup"]
import numpy as np
import torch
import torch.nn.functional as F

from llmnotes.lab import figure, in_words, plots, predict, within
from llmnotes.methods import probe
from llmnotes.scratch import Attention, Config, Plan, Transformer, train_together

torch.set_num_threads(1)
BLUE, ORANGE, GREEN, PURPLE, _, GREY = plots.COLOURS
SEEDS = range(3)
TRAINED = "median of 3 trainings, which differ from CPU to CPU as from seed to seed"
PROBED = "median of 3 probes with 480 test words: a standard error is 0.02"
note = within(atol=0.05, because=PROBED)
ROUNDING = "untrained models from fixed seeds: rounding only"

# %% [markdown]
# ## What you need to know
#
# **A token** is a piece of text that the model treats as one symbol; here, a word. Each token has an *embedding*, a
# list of numbers that is learned. With it begins the token's *residual stream*: the list that it carries through the
# model, and to which every *layer* adds.
#
# **Attention** is the only part of a layer that looks at other tokens. Out of its stream each token makes a *query*, by
# which it asks, and a *key*, by which it is found: the better the two fit, the larger the *weight*. The token then
# receives the weighted mean of what all tokens offer, their *values*. A mean has no order: shuffle the tokens, and each
# receives what it received before. A layer does this several times side by side: each time is a *head*, with queries,
# keys and values of its own. After attention, an *MLP* (a hidden layer as in the lab on XOR) works on each token alone.
#
# **The causal mask** hides from each token all that come after it. Language models have it so that they can be
# trained to guess the next token. Nobody put it there to tell about order.
#
# **Positions** can be given in several ways. *Learned*: a vector for each place, added to the embedding. *Sinusoidal*:
# the same, but a fixed pattern of waves. *Rotary*: queries and keys are turned by an angle that grows with the place,
# so that their fit depends on the distance ([Su et al. 2021](https://arxiv.org/abs/2104.09864)).
#
# **A probe** is a simple classifier that reads something from the numbers inside a model. That a probe can read it
# does not mean that the model uses it: this lab has a drastic example.
#
# Our language has sixteen tokens: six animals, the lightest first; six other words; a start token; three questions.

# %%
ANIMALS = ["mouse", "cat", "dog", "pig", "cow", "horse"]
WORDS = [*ANIMALS, "the", "a", "sees", "near", "old", "."]
START, ASK = 12, 13  # 13, 14, 15 ask: which is the lighter, the first, the last?


def encode(text: str) -> torch.Tensor:
    """The token ids of one sentence: (1, pos)."""
    return torch.tensor([[WORDS.index(word) for word in text.split()]])


# %% [markdown]
# The models come from `llmnotes.scratch.transformer`: two layers, four heads, a residual stream of 32 numbers. That class
# always has the causal mask, so we write the same attention without it.


# %% tags=["idea"]
class Unmasked(Attention):
    """Attention in which every token sees every other."""

    def forward(self, x, cache=None, start=0):
        parts = self.c_attn(x).chunk(3, dim=-1)
        q, k, v = (p.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for p in parts)
        z = F.scaled_dot_product_attention(q, k, v)  # (batch, heads, pos, d_head)
        return self.c_proj(z.transpose(1, 2).flatten(2))


SIZES = {"vocab_size": 16, "n_ctx": 40, "n_layers": 2, "d_model": 32, "d_mlp": 32}


# %% [markdown]
# For the code all but rotary positions are a table of vectors: learned, or waves, or zero, the last two not trained.
# Words and positions start equally strong; exercise 2 shows why that matters.


# %%
def build(positions: str, seed: int, mask: bool = True) -> Transformer:
    """An untrained model; `mask=False` lets every token see all others."""
    rotary, waves = positions == "rotary", 0.02 * (positions == "sinusoidal")
    kind = "rotary" if rotary else "learned"
    model = Transformer(Config(**SIZES, positions=kind, sinusoidal_start=waves), seed)
    model.transformer["wte"].weight.data *= 5
    if not rotary:
        model.transformer["wpe"].weight.data *= 0 if positions == "none" else 5
        model.transformer["wpe"].weight.requires_grad_(positions == "learned")
    for block in model.transformer["h"]:
        block.attn.__class__ = type(block.attn) if mask else Unmasked
    return model.eval()


# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     A model with a causal mask and no positions at all reads *the dog sees the cat .* and *the cat sees the dog .*
#     Is what it holds at the final full stop the same for both? With one layer? With two?
#
# While we chose the sizes we saw how well the models answer, so about that we have no guesses to show. The ones below
# were written before the first probe was fitted, and before the runs that they speak of.

# %%
predict(
    "Untrained, a probe after layer 2 names over half of eight places",
    0.6,
    place_start="> 0.5",
)
predict("Without a start token it names over 20 points fewer", 0.6, place_lost="> 0.2")
predict(
    "Without a causal mask it is at chance", 0.97, place_no_mask="between 0.095 and 0.155"
)

# %% [markdown]
# And about trained models:

# %%
predict(
    "Training makes the place easier to read, by over 10 points", 0.55, place_gained="> 0.1"
)
predict(
    "Trained without positions and start token, models name the first animal",
    0.85,
    first_8_none="> 0.9",
)

# %% [markdown]
# ## Two sentences
#
# We give both sentences to untrained models and compare the residual stream at the full stop, which stands at the same
# place in both. Zero means: whatever is built on top, the model cannot tell them apart there.


# %% tags=["idea"]
def streams(model: Transformer, ids: torch.Tensor) -> list[torch.Tensor]:
    """The residual stream before the first layer and after each: (batch, pos, d_model)."""
    x = model.transformer["wte"](ids)
    if "wpe" in model.transformer:
        x = x + model.transformer["wpe"].weight[: ids.shape[1]]
    found = [x]
    for block in model.transformer["h"]:
        found.append(block(found[-1]))
    return found


@torch.no_grad()
def apart(model: Transformer) -> list[float]:
    """How far apart the two sentences are at the full stop, as a share of the stream."""
    one, two = encode("the dog sees the cat ."), encode("the cat sees the dog .")
    pairs = zip(streams(model, one), streams(model, two), strict=True)
    return [float((a - b)[0, -1].norm() / a[0, -1].norm()) for a, b in pairs]


# %% [markdown]
# Three kinds of model, the median over three seeds: before the first layer, after it, and after the second.

# %%
table = {}
for kind, mask in (("none", False), ("none", True), ("learned", True)):
    rows = [apart(build(kind, seed, mask)) for seed in SEEDS]
    row = table[kind, mask] = np.median(rows, axis=0)
    name = f"positions {kind}, {'causal mask' if mask else 'no mask'}"
    print(f"{name:32}" + "".join(f"{0 if x < 1e-6 else x:10.1e}" for x in row))
note(
    no_mask_tells=bool(table["none", False].max() > 1e-6),
    one_layer_tells=bool(table["none", True][1] > 1e-6),
)
note(rtol=0.02, because=ROUNDING, two_layers_apart=table["none", True][2])

# %% [markdown]
# Without a mask the two sentences stay the same, layer after layer: a mean has no order. So far the textbook. With the
# mask, **one layer cannot tell them apart either**: the full stop comes last, sees everything, and takes a mean over
# it. Only the second layer can (the two are apart by {{ result("order.two_layers_apart", ".1e") }} of the stream, a
# small start that training can enlarge). For inside the sentence, *cat* has seen *dog* in the one and not in the other.
# The mask makes the first layer write, at each word, *which words came before it*, and the second layer can read that.
#
# ## The start token is a clock
#
# To have order is one thing, to know one's place another: am I the third word or the fifth? We ask a probe. The
# texts are eight random words, so that nothing but the model can give the place away. We read at two points: what the
# first attention *writes*, and the residual stream after the second layer.


# %% tags=["idea"]
@torch.no_grad()
def reads(model: Transformer, ids: torch.Tensor, start: bool) -> dict[str, torch.Tensor]:
    """What the first attention writes, and the stream after layer 2, without the start."""
    x, *later = streams(model, with_start(ids, start))
    block = model.transformer["h"][0]
    found = {"written": block.attn(block.ln_1(x)), "layer 2": later[1]}
    return {name: value[:, int(start) :] for name, value in found.items()}


def with_start(ids: torch.Tensor, start: bool) -> torch.Tensor:
    """The texts, with the start token in front if `start`."""
    return torch.cat([torch.full((len(ids), 1), START), ids], dim=1) if start else ids


def random_words(seed: int) -> torch.Tensor:
    return torch.randint(START, (200, 8), generator=torch.Generator().manual_seed(seed))


# %% [markdown]
# The probe names a word's place among eight, in texts that it has not seen. We take the median over three models, of
# three kinds: without a mask, with it, and with mask and start token.


# %%
def place(models: list, start: bool, point: str) -> float:
    """How often a probe at a point names the place of a word among eight."""
    found = []
    for seed, model in enumerate(models):
        x = reads(model, random_words(seed), start)[point]  # (200, 8, d_model)
        texts = np.repeat(np.arange(200), 8)  # no text is split between training and test
        found.append(probe(x.flatten(0, 1), np.tile(np.arange(8), 200), groups=texts))
    return float(np.median([p.accuracy for p in found]))


# %%
free, masked = ([build("none", seed, mask) for seed in SEEDS] for mask in (False, True))
CASES = {"no mask": (free, False), "mask": (masked, False)}
CASES["mask and start"] = (masked, True)
written = {case: place(*which, "written") for case, which in CASES.items()}
stream = {case: place(*which, "layer 2") for case, which in CASES.items()}
lost = stream["mask and start"] - stream["mask"]
note(
    place_start=stream["mask and start"],
    written_mask=written["mask"],
)
note(atol=0.07, place_lost=lost)
note(atol=0.03, place_no_mask=stream["no mask"])
note(atol=0.06, written_start=written["mask and start"])

# %% [markdown]
# The mask alone gives the probe almost nothing: {{ result("order.written_mask", ".0%") }} right, where guessing gets
# one in eight. We had expected more, since it is often said that the mask gives the position away
# ([Haviv et al. 2022](https://arxiv.org/abs/2203.16634)). With a start token
# the same probe is right in {{ result("order.written_start", ".0%") }}, in a model that has learned nothing. The
# **start token is a clock**: it is the same in every text, an untrained token spreads its attention evenly, so the
# word at place *t* receives a share of 1 / (*t* + 1) from it. What it brings is one direction, and its strength tells
# the place. (In the residual stream after two layers, where we had placed our bets, the clock is drowned by which word
# it is: {{ result("order.place_start", ".0%") }}.) So much for what could be read. Can a model live on this?
#
# ## Three questions
#
# Each sentence holds two different animals somewhere among other words, and ends with one of three questions. *Which
# is the lighter animal?* needs no order: a bag of words (which there are, not where) is enough. *Which animal came
# first?* needs before and after. *What was the last word?* needs the exact place. All three are asked of the same kind
# of sentence, and one model learns to answer all three.


# %%
def sentences(n: int, count: int, generator: torch.Generator) -> tuple:
    """Sentences of n words and a question; the right answers; which question it was."""
    words = torch.randint(len(ANIMALS), START, (count, n), generator=generator)
    places = torch.rand(count, n, generator=generator).argsort(1)[:, :2]
    pair = torch.rand(count, len(ANIMALS), generator=generator).argsort(1)[:, :2]
    words.scatter_(1, places, pair)
    first = pair.gather(1, places.argmin(1, keepdim=True))[:, 0]
    answers = torch.stack([pair.min(1).values, first, words[:, -1]], dim=1)
    asked = torch.randint(3, (count, 1), generator=generator)
    return torch.cat([words, ASK + asked], 1), answers.gather(1, asked)[:, 0], asked[:, 0]


# %% [markdown]
# Training: 250 steps, on sentences of two to eight words. The models of one call are trained side by side, their
# weights stacked, which takes less time than one by one.


# %% tags=["idea"]
def train(models: list, start: bool = False, steps: int = 250) -> list:
    """Train models side by side, each on sentences of its own; gives them back."""
    generator = torch.Generator().manual_seed(0)

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        n = int(torch.randint(2, 9, (), generator=generator))
        ids, right, _ = sentences(n, 32 * len(models), generator)
        return with_start(ids, start), right

    return train_together(models, batch, Plan(steps, lr=1e-2, warmup=20))


# %% [markdown]
# Five kinds, three seeds each.

# %%
kinds = ("none", "learned", "sinusoidal")
side_by_side = train([build(kind, seed) for kind in kinds for seed in SEEDS])
trained = {kind: side_by_side[3 * i : 3 * i + 3] for i, kind in enumerate(kinds)}
trained["rotary"] = train([build("rotary", seed) for seed in SEEDS])
trained["start"] = train([build("none", seed) for seed in SEEDS], start=True)

# %% [markdown]
# How often each kind is right, the median over its three seeds, in sentences of up to 32 words: four times the longest
# that it was trained on.

# %%
LENGTHS = (2, 8, 16, 32)
LIGHTER, FIRST, LAST = range(3)


@torch.no_grad()
def score(model: Transformer, n: int, start: bool = False) -> list[float]:
    """The share of right answers to each question, for sentences of n words."""
    ids, right, asked = sentences(n, 300, torch.Generator().manual_seed(n))
    hit = (model(with_start(ids, start))[:, -1].argmax(-1) == right).float()
    return [float(hit[asked == q].mean()) for q in range(3)]


scores = {}  # by kind and length: three questions
for kind, models in trained.items():
    for n in LENGTHS:
        found = [score(model, n, kind == "start") for model in models]
        scores[kind, n] = np.median(found, axis=0)

# %% [markdown]
# What could a model score that sees a bag of words, at best? For the lighter animal everything, for the first animal
# one half. For the last word it would name the word that occurs most often.


# %%
def best_guess(n: int) -> float:
    """How often the most frequent word of a sentence is its last."""
    ids, _, _ = sentences(n, 4000, torch.Generator().manual_seed(n))
    return float(F.one_hot(ids[:, :-1]).sum(1).max(1).values.float().mean()) / n


bag = np.array([[1, 0.5, best_guess(n)] for n in LENGTHS])
note(atol=0.001, because="fixed sentences, counted", last_8_bag=best_guess(8))

# %% [markdown]
# The numbers that the text below quotes.

# %%
by_training = within(atol=0.05, because=TRAINED)
by_training(
    last_8_learned=scores["learned", 8][LAST],
    last_16_rotary=scores["rotary", 16][LAST],
    lighter_32_none=scores["none", 32][LIGHTER],
)
by_training(atol=0.04, first_8_none=scores["none", 8][FIRST])
by_training(atol=0.08, first_8_start=scores["start", 8][FIRST])
by_training(atol=0.06, first_16_none=scores["none", 16][FIRST])
by_training(
    atol=0.12,
    last_8_none=scores["none", 8][LAST],
    first_16_learned=scores["learned", 16][FIRST],
)
by_training(atol=0.2, lighter_32_rotary=scores["rotary", 32][LIGHTER])

# %% [markdown]
# All of them in one picture.

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 3, height=3.9, sharey=True)
LINES = {"none": (BLUE, "o"), "learned": (ORANGE, "s")}
LINES |= {"sinusoidal": (GREEN, "^"), "rotary": (PURPLE, "D")}
titles = ("Lighter animal", "First animal", "Last word")
curves = {kind: np.array([scores[kind, n] for n in LENGTHS]) for kind in LINES}
for question, (ax, title) in enumerate(zip(axes, titles, strict=True)):
    ax.axvspan(1.7, 8, color=plots.GRID, alpha=0.5, lw=0)
    for kind, (colour, marker) in LINES.items():
        label = "no positions" if kind == "none" else kind
        values = 100 * curves[kind][:, question]
        ax.plot(LENGTHS, values, color=colour, marker=marker, ms=4.5, label=label)
    ax.plot(
        LENGTHS,
        100 * bag[:, question],
        "--",
        color=GREY,
        lw=1.5,
        label="control: best bag of words",
    )
    ax.set_xscale("log", base=2)
    ax.set_xticks(LENGTHS, LENGTHS)
    ax.set(title=title, xlabel="words", xlim=(1.7, 38), ylim=(0, 104))
axes[0].set_ylabel("right answers (%)")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
figure(
    fig,
    name="lengths",
    alt="Every kind names the lighter animal, only rotary positions fail at it in long sentences. The first animal is "
    "named by all up to eight words; beyond, no positions stay near 100 percent and learned and sinusoidal positions "
    "fall to the coin flip that a bag of words allows. The last word is named with learned and rotary positions, and "
    "beyond the trained length with rotary alone; without positions it is no better than a guess from a bag of words.",
    caption="Median of three seeds. Shaded: the lengths in training.",
    data=curves,
    rtol=0.25,
    because=TRAINED,
)

# %% [markdown]
# **Without positions, the mask is enough for *first*.** At eight words {{ result("order.first_8_none", ".0%") }} are
# right, where order-blindness allows a coin flip. No start token is needed for it: with one it is
# {{ result("order.first_8_start", ".0%") }}. **It is not enough for *last*** in these few steps:
# {{ result("order.last_8_none", ".0%") }}, while naming the most frequent word gets
# {{ result("order.last_8_bag", ".0%") }}. So what these models get from the mask is before and after, not how far.
#
# **Beyond the trained length each kind loses something else.** At sixteen words the model that was told nothing still
# names the first animal ({{ result("order.first_16_none", ".0%") }}); with learned positions it is
# {{ result("order.first_16_learned", ".0%") }}, for the places behind the eighth were never trained. Rotary
# positions still find the last word, which is always one step back
# ({{ result("order.last_16_rotary", ".0%") }}). But at 32 words they often miss even the lighter animal
# ({{ result("order.lighter_32_rotary", ".0%") }} right), a question that **needs no order at all**, and that
# the model without positions answers ({{ result("order.lighter_32_none", ".0%") }}). Here, being told more than one needs
# has its price.
#
# ## What the trained models hold
#
# Now back to the probe. Has training built a better clock?

# %%
after = {"mask": place(trained["none"], False, "written")}
after["mask and start"] = place(trained["start"], True, "written")
gain = place(trained["start"], True, "layer 2") - stream["mask and start"]
by_training(atol=0.07, place_gained=gain)
by_training(atol=0.08, written_start_trained=after["mask and start"])

# %% [markdown]
# The probe on what the first attention writes, before and after training.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3)
for i, (name, bars, colour) in enumerate(
    (("untrained", written, BLUE), ("trained", after, ORANGE))
):
    places = np.arange(3)[i:] + 0.4 * i - 0.2
    values = [100 * value for value in bars.values()]
    drawn = ax.bar(places, values, 0.38, color=colour, label=name)
    ax.bar_label(drawn, fmt="{:.0f}", color=plots.INK, fontsize=9)
ax.axhline(12.5, color=plots.INK, ls=":", lw=1.2, label="chance")
ax.set_xticks(range(3), ["control: no mask", "mask", "mask and start token"])
ax.set(ylabel="probe names the place (%)", ylim=(0, 105))
ax.grid(axis="x", visible=False)
ax.legend(loc="upper left")
figure(
    fig,
    name="probes",
    alt="The probe for the place is near chance without a start token. With it, it is right more than eight times in "
    "ten in the untrained model and about one time in four in the trained one.",
    caption="Models without positions: medians of three seeds.",
    rtol=0.1,
    because=TRAINED,
)

# %% [markdown]
# The untrained model with a start token lets the probe name the place in
# {{ result("order.written_start", ".0%") }}. After training, {{ result("order.written_start_trained", ".0%") }} are
# left, in models that name the first animal in {{ result("order.first_8_start", ".0%") }} of all cases. So this is the
# drastic example: the model that can answer nothing offers the probe more than the one that answers right. *Readable*
# and *used* are two things. Our reading, which we have not tested: the untrained share of the start token is the same
# in every text. A model that has learned *where to look* gives it more or less, as the words demand, and so the clock
# runs differently in every text.
#
# ## What surprised us, and what failed
#
# - We had expected the mask to tell more of the place. It tells who came before whom, and that from the second layer on.
#   In an untrained model the place comes from the start token.
# - Training took away what the probes could read. We had given the opposite a little more than one chance in two.
# - With rotary positions a question without any order in it was often missed beyond the trained length.
#
# And a failure: our first sinusoidal models learned nothing. Exercise 2 asks you why.
#
# ## Try it yourself
#
# **1. The same word again and again** (beginner, 10 minutes). Give a masked model without positions *old old old* and
# then *old* seven times. What is different at the last word after two layers? After any number of layers? And with a
# start token?
#
# ??? tip "Hint"
#     What is the mean of three equal values? Of seven? And of one value that is different and seven that are equal?

# %% tags=["solution"]
model = build("none", seed=0)
short, long = encode("old old old"), encode("old old old old old old old")
for start in (False, True):
    a, b = (reads(model, ids, start)["layer 2"][0, -1] for ids in (short, long))
    away = float((a - b).norm() / a.norm())
    assert (away > 1e-4) == start, (
        f"{away:.1e}: is the start token in front where it should be?"
    )
    print("with" if start else "without", f"start token: {away:.1e} apart")
print("without it no depth can count: every value that enters a mean is the same")

# %% [markdown]
# **2. Loud waves** (intermediate, 10 minutes). Sinusoids are usually printed with waves from −1 to 1, and GPT-2 starts its
# word embeddings with numbers around 0.02. Train models that have both for 60 steps, and ours, in which words and waves
# start equally strong. How often do they name the lighter animal, which needs no position at all? Why?
#
# ??? tip "Hint"
#     Make the table `wpe` ten times larger and `wte` five times smaller. Every layer begins by scaling its input to size
#     one: what is left of the words? The [first transformer](https://arxiv.org/abs/1706.03762) multiplied its embeddings
#     by √*d_model* before it added the waves.

# %% tags=["solution"]
loud, even = ([build("sinusoidal", seed) for seed in SEEDS] for _ in range(2))
for model in loud:
    model.transformer["wpe"].weight.data *= 10  # waves from −1 to 1
    model.transformer["wte"].weight.data /= 5  # words as GPT-2 starts them
train(loud + even, steps=60)
right_loud, right_even = (
    np.median([score(model, 8)[LIGHTER] for model in models]) for models in (loud, even)
)
assert right_even > 0.7 > right_loud, "are the waves still fixed while training?"
by_training(atol=0.12, lighter_8_loud=right_loud, lighter_8_even=right_even)

# %% [markdown]
# The loud models are right in {{ result("order.lighter_8_loud", ".0%") }}, ours in
# {{ result("order.lighter_8_even", ".0%") }}. Beside waves of size one, words of size 0.02 are a whisper.
#
# ## What this does not show
#
# - Two layers, 32 numbers, 250 steps. That the last word is not found without positions holds for these steps; longer
#   runs of ours were still getting better. Language models without positions have been trained to good effect
#   ([Haviv et al. 2022](https://arxiv.org/abs/2203.16634)).
# - Sixteen tokens. With many more words than dimensions the start token would have no direction to itself, and the clock
#   should blur. We have not tried it.
# - What fails beyond the trained length depends on details. With sentences of up to six words in training, or with two
#   heads instead of four, rotary models failed at other points, and earlier.
# - The probes are linear and lightly regularised: large weights cost (`strength=1`). A freer probe reads more: without a
#   start token the *length* of what attention writes falls with the place
#   ([Chi et al. 2023](https://arxiv.org/abs/2305.13571)), and a linear probe is blind to lengths.
#
# ## Links
#
# - Before this: [XOR from scratch](01_xor.md)
# - Finding: [The mask gives order, the start token gives place](../findings/order-mask-order-start-place.md)
# - Finding: [After training on order a probe reads less of the place](../findings/order-training-takes-the-clock.md)
# - Surprise: [Rotary positions lose a question that needs no order](../surprises/order-rotary-loses-the-bag.md)
# - Dead end: [Sinusoids at full size](../dead-ends/order-loud-sinusoids.md)
# - Question: [Can a model without positions learn the exact place?](../questions/order-place-from-the-mask.md)
# - Kazemnejad et al. (2023), [The impact of positional encoding on length generalization in
#   transformers](https://arxiv.org/abs/2305.19466)
# - Ruoss et al. (2023), [Randomized positional encodings boost length generalization of
#   transformers](https://arxiv.org/abs/2305.16843)

# %% tags=["labels"]
in_words(
    no_mask_tells="Without a mask the two sentences are told apart",
    one_layer_tells="With a mask, one layer tells them apart",
    two_layers_apart="Distance of the two sentences after two layers, as a share of the stream",
    place_start="Places named after layer 2, untrained, with a start token",
    place_lost="Places lost there without a start token",
    place_no_mask="Places named after layer 2, untrained, without a mask",
    written_start="Places named from what attention writes, untrained, with a start token",
    written_mask="Places named from what attention writes, untrained, with the mask alone",
    last_8_bag="Last of 8 animals, by naming the most frequent one",
    first_8_none="First of 8 animals right, no positions",
    first_8_start="First of 8 animals right, no positions but a start token",
    last_8_none="Last of 8 animals right, no positions",
    first_16_none="First of 16 animals right, no positions",
    first_16_learned="First of 16 animals right, learned positions",
    last_8_learned="Last of 8 animals right, learned positions",
    last_16_rotary="Last of 16 animals right, rotary positions",
    lighter_32_rotary="Lighter of 32 animals right, rotary positions",
    lighter_32_none="Lighter of 32 animals right, no positions",
    place_gained="Change by training of the places named after layer 2",
    written_start_trained="Places named from what attention writes, trained, with a start token",
    lighter_8_loud="Lighter of 8 animals right, waves much larger than words",
    lighter_8_even="Lighter of 8 animals right, waves as large as words",
)
