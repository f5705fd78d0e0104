# ---
# title: Word order without being told
# question: How does a model that reads all words at once know which came first?
# answer: >-
#   From the mask and the first word. Put the same word in front of every text, and even an untrained model tells a probe the
#   place of a word in {{ result("order.written_start", ".0%") }} of the cases.
# level: beginner
# models: []
# needs: [03_attention]
# tags: [attention, positions, probing]
# chapter: Start
# thumbnail: clock
# timeout: 300
# ---

# %% tags=["setup"]
import numpy as np
import torch
import torch.nn.functional as F

from llmnotes.lab import ask, figure, in_words, plots, predict, within
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
# ## A case you can hold: two sentences, the same words
#
# *The dog sees the cat* and *the cat sees the dog* hold the same five words. A *transformer* is a stack of layers. In each layer [heads](03_attention.md) bring every word a weighted mean of the others, and
# an MLP works on each word alone. Both add to the word's vector, which is called its *residual stream*. All words are read at once, and a mean has
# no order. So how could the model tell the two sentences apart?
#
# Usually it is told: a vector that stands for the word's place, its *position*, is added to the word's own. Here we
# leave that out. What is left is the *causal mask*, if there is one: it hides from each word all later words.
#
# {{ drawing("attention-mask", alt="A grid of five words: each row asks, each column is read. The lower triangle with the diagonal is open. Above the staircase the score is minus infinity and the weight 0.") }}
#
# We take small models with random weights, with and without the mask. We give them both sentences, and measure how far apart the two streams are at the full stop.

# %% tags=["setup"]
ANIMALS = ["mouse", "cat", "dog", "pig", "cow", "horse"]
WORDS = [*ANIMALS, "the", "a", "sees", "near", "old", "."]
START, ASK = 12, 13  # 13, 14, 15 ask: which is the lighter, the first, the last?


def encode(text: str) -> torch.Tensor:
    """The token ids of one sentence: (1, pos)."""
    return torch.tensor([[WORDS.index(word) for word in text.split()]])


# %% tags=["setup"]
class Unmasked(Attention):
    """Attention in which every token sees every other."""

    def forward(self, x, cache=None, start=0):
        parts = self.c_attn(x).chunk(3, dim=-1)
        q, k, v = (p.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for p in parts)
        z = F.scaled_dot_product_attention(q, k, v)  # (batch, heads, pos, d_head)
        return self.c_proj(z.transpose(1, 2).flatten(2))


SIZES = {"vocab_size": 16, "n_ctx": 40, "n_layers": 2, "d_model": 32, "d_mlp": 32}


# %% tags=["setup"]
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


# %% tags=["setup"]
table = {}
for kind, mask in (("none", False), ("none", True), ("learned", True)):
    rows = [apart(build(kind, seed, mask)) for seed in SEEDS]
    table[kind, mask] = np.median(rows, axis=0)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.4)
rows = {
    "no mask": ("none", False),
    "mask": ("none", True),
    "mask and\npositions": ("learned", True),
}
for y, key in enumerate(rows.values()):
    for layer, value in enumerate(table[key]):
        same = value < 1e-6
        ax.plot(
            layer,
            y,
            "o",
            ms=9,
            mfc="none" if same else BLUE,
            mec=plots.INK if same else BLUE,
        )
        ax.annotate(
            "same" if same else f"{value:.0e}",
            (layer, y),
            (9, 5),
            textcoords="offset points",
        )
ax.set_yticks(range(3), rows)
ax.set_xticks(range(3), ["start", "1 layer", "2 layers"])
ax.set(
    xlim=(-0.3, 2.8),
    ylim=(2.5, -0.6),
)
figure(
    fig,
    name="two_sentences",
    title="With a mask, the second layer tells the sentences apart",
    alt="Without a mask the two sentences are the same at every height. With a mask they are the same after one layer and differ "
    "after two. With positions they differ after the first layer.",
    caption="How far apart the two sentences are at the full stop, as a share of the stream. Untrained, median of three.",
    data={"apart": np.array([table[key] for key in rows.values()])},
    rtol=0.05,
    because=ROUNDING,
)

# %% [markdown]
# Without a mask the sentences stay the same, layer after layer. With the mask, one layer cannot tell them apart either, because the full
# stop sees the whole sentence and takes a mean over it. The second layer can. In one sentence *cat* has seen *dog*, in the other it has not, so the first
# layer wrote something different there.
#
# The mask was not invented for this. It lets a language model be trained to guess the next word at every word of a text
# at once.
#
# ## How positions are usually given
#
# *Learned* positions add one learned vector for each place. *Sinusoidal* positions add a fixed pattern of waves. *Rotary* positions turn
# queries and keys like the hands of a clock, by an angle that grows with the place
# ([Su et al. 2021](https://arxiv.org/abs/2104.09864)).
#
# {{ drawing("rotary", alt="Two clock faces. In the first the hands of query and key point to places 5 and 3, in the second to places 9 and 7. The angle between them is the same in both.") }}
#
# For a query at place $m$ and a key at place $n$ the score then depends on the distance alone:
#
# $$
# \q{q_m} \cdot \k{k_n} = (R^{m} \q{q}) \cdot (R^{n} \k{k}) = \q{q} \cdot R^{\,n-m}\, \k{k}
# $$
#
# $R$ turns each pair of numbers by a fixed angle, and $R^m$ turns it $m$ times. Turning both hands by the same angle leaves the
# angle between them as it was.
#
# ```exercise
# title: Turn both hands
# minutes: 2
# code: |
#   # rotary positions: the query is at place 9 and the key at place 7
#   score(9, 7) == score(5, ▢)
# right: ["3"]
# praise: The key is two places behind the query in both cases, and only the distance counts.
# wrong:
#   "7": That would be two places ahead of the query. A causal mask hides it.
#   "5": That is distance 0.
#   "2": That is distance 3.
# otherwise: "How far is the key behind the query on the left? Put it as far behind on the right."
# solution: "`3`. The distance is 2 in both."
# ```
#
# ## Your prediction
#
# Now take all positions away and ask a harder question. Does a word know its *place*, third or fifth? A *probe*, a linear
# classifier, tries to read the place from what the first layer's attention adds. The words are random, so they cannot give
# it away. In one set of texts we put one fixed *start token* in front.

# %%
ask(
    "An untrained model with a mask and no positions. What lets a probe name the place of a word?",
    choices={
        "mask": "The mask alone: each word sees as many words as stand before it",
        "start": "The start token: a word's share of it shrinks from place to place",
        "nothing": "Nothing: a model that has learned nothing tells nothing",
    },
    answer="start",
    because={
        "mask": "It is often said, and it tempts. But a mean over three random words looks much like a mean over five.",
        "start": "An untrained word attends evenly, so at place t it receives 1 / (t + 1) of the start token: a clock.",
        "nothing": "Even random weights pass on how much of the one familiar token arrives.",
    },
    figure="clock",
    written_mask="< 0.3",
    written_start="> 0.7",
)
predict(
    "Untrained, a probe after layer 2 names over half of eight places",
    0.6,
    place_start="> 0.5",
)
predict("Without a start token it names over 20 points fewer", 0.6, place_lost="> 0.2")
predict(
    "Without a causal mask it is at chance", 0.97, place_no_mask="between 0.095 and 0.155"
)
predict(
    "Training makes the place easier to read, by over 10 points", 0.55, place_gained="> 0.1"
)
predict(
    "Trained without positions and start token, models name the first animal",
    0.85,
    first_8_none="> 0.9",
)

# %% tags=["setup"]
note(
    no_mask_tells=bool(table["none", False].max() > 1e-6),
    one_layer_tells=bool(table["none", True][1] > 1e-6),
)
note(rtol=0.02, because=ROUNDING, two_layers_apart=table["none", True][2])

# %% [markdown]
# ## The start token is a clock


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


# %% tags=["setup"]
def place(models: list, start: bool, point: str) -> float:
    """How often a probe at a point names the place of a word among eight."""
    found = []
    for seed, model in enumerate(models):
        x = reads(model, random_words(seed), start)[point]  # (200, 8, d_model)
        texts = np.repeat(np.arange(200), 8)  # no text is split between training and test
        found.append(probe(x.flatten(0, 1), np.tile(np.arange(8), 200), groups=texts))
    return float(np.median([p.accuracy for p in found]))


# %% tags=["setup"]
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

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=2.9)
t = np.arange(1, 9)
left.bar(t, 1 / (t + 1), color=BLUE, width=0.7)
left.set(
    title="What a word receives of the start token",
    xlabel="place of the word",
    ylabel="share, attending evenly",
)
bars = (written["no mask"], written["mask"], written["mask and start"])
drawn = right.bar(
    range(3),
    [100 * value for value in bars],
    0.6,
    color=("none", GREY, BLUE),
    edgecolor=plots.INK,
)
drawn[1].set_gid("choice-mask")
drawn[2].set_gid("choice-start")
right.bar_label(drawn, fmt="{:.0f}%", color=plots.INK)
right.axhline(12.5, color=plots.INK, ls=":", lw=1.2)
right.set_xticks(range(3), ["control:\nno mask", "mask", "mask and\nstart token"])
right.set(
    title="The probe names the place", ylabel="places right (%)", ylim=(0, 105), yticks=()
)
right.grid(visible=False)
figure(
    fig,
    name="clock",
    alt="Left: the share of the start token falls from one half at the first word to one ninth at the eighth. Right: without a mask "
    "the probe is at chance, with the mask slightly above, with mask and start token right more than eight times in ten.",
    caption="Untrained models without positions. Second panel: medians of three models; dotted, chance: one place in eight.",
    data={"share": 1 / (t + 1), "probe": np.array(bars)},
    rtol=0.1,
    because=PROBED,
)

# %% [markdown]
# The mask alone gives the probe almost nothing: {{ result("order.written_mask", ".0%") }} right, where chance is one in eight.
# With a start token it is right in {{ result("order.written_start", ".0%") }}, in a model that has learned nothing.
#
# The start token is the same in every text. An untrained word spreads its attention evenly, so at place $t$ it receives
# $1/(t+1)$ of it. What arrives is always the same direction, and its strength tells the place.
#
# ## The mask is enough for “first”, not for “last”
#
# Reading is not using. Can a model live on this? We train models of five kinds to answer three questions about sentences with
# two animals. *Which is the lighter animal?* needs no order: a bag of words is enough. *Which came first?* needs before and
# after. *What was the last word?* needs the exact place.


# %% tags=["setup"]
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


# %% tags=["setup"]
def train(models: list, start: bool = False, steps: int = 250) -> list:
    """Train models side by side, each on sentences of its own; gives them back."""
    generator = torch.Generator().manual_seed(0)

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        n = int(torch.randint(2, 9, (), generator=generator))
        ids, right, _ = sentences(n, 32 * len(models), generator)
        return with_start(ids, start), right

    return train_together(models, batch, Plan(steps, lr=1e-2, warmup=20))


# %% tags=["setup"]
kinds = ("none", "learned", "sinusoidal")
side_by_side = train([build(kind, seed) for kind in kinds for seed in SEEDS])
trained = {kind: side_by_side[3 * i : 3 * i + 3] for i, kind in enumerate(kinds)}
trained["rotary"] = train([build("rotary", seed) for seed in SEEDS])
trained["start"] = train([build("none", seed) for seed in SEEDS], start=True)

# %% tags=["setup"]
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


# %% tags=["setup"]
def best_guess(n: int) -> float:
    """How often the most frequent word of a sentence is its last."""
    ids, _, _ = sentences(n, 4000, torch.Generator().manual_seed(n))
    return float(F.one_hot(ids[:, :-1]).sum(1).max(1).values.float().mean()) / n


bag = np.array([[1, 0.5, best_guess(n)] for n in LENGTHS])
note(atol=0.001, because="fixed sentences, counted", last_8_bag=best_guess(8))

# %% tags=["setup"]
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
# Without positions the mask is enough for *first*. At eight words {{ result("order.first_8_none", ".0%") }} are right, where a
# bag of words allows a coin flip. It is not enough for *last*: {{ result("order.last_8_none", ".0%") }}, no better than naming
# the word that occurs most often. So these models learn from the mask what came before what, but not how far apart.
#
# Beyond the trained length each kind loses something else. At sixteen words learned positions fall to
# {{ result("order.first_16_learned", ".0%") }} for the first animal, because later places than the eighth were never trained. Rotary
# positions still find the last word, which is always one step back.
#
# ## What can be read need not be used
#
# Back to the probe. Has training built a better clock?

# %% tags=["setup"]
after = {"mask": place(trained["none"], False, "written")}
after["mask and start"] = place(trained["start"], True, "written")
gain = place(trained["start"], True, "layer 2") - stream["mask and start"]
by_training(atol=0.07, place_gained=gain)
by_training(atol=0.08, written_start_trained=after["mask and start"])

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
ax.set(
    ylabel="probe names the place (%)", ylim=(0, 105), title="Training takes the clock away"
)
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
# After training, the probe reads {{ result("order.written_start_trained", ".0%") }} of the places, in models that name the first animal nearly
# always. A model that can answer nothing tells the probe more than a model that answers right. *Readable* and *used* are two things.
#
# We have a guess, which we did not test. In an untrained model the share of the start token is the same in every text. A trained
# model looks where the words tell it to, so the share differs from text to text, and it no longer tells the place.
#
# ## What surprised us
#
# **The mask tells less than expected.** It is often said that the mask gives the position away
# ([Haviv et al. 2022](https://arxiv.org/abs/2203.16634)). In our untrained models it tells which word came first, from the second layer on. The place comes from the start token.
#
# **Positions can hurt.** At 32 words models with rotary positions often miss even the lighter animal
# ({{ result("order.lighter_32_rotary", ".0%") }} right), a question in which order does not matter. Models without positions answer it.
#
# **What failed: loud waves.** Our first sinusoidal models learned nothing. Exercise 2 asks you why.
#
# ## Try it
#
# **1. The same word again and again** (10 minutes). Give a masked model without positions *old old old* and
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
# **2. Loud waves** (10 minutes). In the usual formula the waves of sinusoids run from −1 to 1, and GPT-2 starts its
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
# The loud models are right in {{ result("order.lighter_8_loud", ".0%") }}, ours in {{ result("order.lighter_8_even", ".0%") }}.
# Beside waves of size one, words of size 0.02 are a whisper.
#
# ## You can now
#
# - explain why attention alone cannot see order, and how the mask lets two layers see it;
# - explain rotary positions with two hands of a clock;
# - distinguish what a probe can read from what a model uses.
#
# ## What this does not show
#
# - Two layers, 32 numbers, 250 steps. Longer runs of ours were still getting better at the last word.
# - Sixteen tokens. With many more words than dimensions the start token has no direction to itself, and the clock should blur.
# - The probes are linear. A freer probe reads more: the *length* of what attention writes falls with the place
#   ([Chi et al. 2023](https://arxiv.org/abs/2305.13571)), and a linear probe is blind to lengths.
#
# ## Going deeper
#
# **In the residual stream the clock is drowned.** After two layers, where we had placed our predictions, the probe names
# {{ result("order.place_start", ".0%") }} of the places. Most of the stream there is about which word it is.
#
# **No start token is needed for *first*.** With one, trained models name the first animal in
# {{ result("order.first_8_start", ".0%") }} of the cases.
#
# **What fails beyond the trained length depends on details.** With sentences of up to six words in training, or with two heads
# instead of four, rotary models failed at other points, and earlier.
#
# - Finding: [The mask gives order, the start token gives place](../findings/order-mask-order-start-place.md)
# - Finding: [After training on order a probe reads less of the place](../findings/order-training-takes-the-clock.md)
# - Surprise: [Rotary positions lose a question that needs no order](../surprises/order-rotary-loses-the-bag.md)
# - Dead end: [Sinusoids at full size](../dead-ends/order-loud-sinusoids.md)
# - Question: [Can a model without positions learn the exact place?](../questions/order-place-from-the-mask.md)
# - Kazemnejad et al. (2023), [The impact of positional encoding on length generalization in transformers](https://arxiv.org/abs/2305.19466)
# - Ruoss et al. (2023), [Randomized positional encodings boost length generalization of transformers](https://arxiv.org/abs/2305.16843)

# %% tags=["setup"]
in_words(
    no_mask_tells="Without a mask the two sentences are told apart",
    one_layer_tells="With a mask, one layer tells them apart",
    two_layers_apart="Distance of the two sentences after two layers, as a share of the stream",
    place_start="Places named after layer 2, untrained, with a start token",
    place_lost="Places lost there without a start token",
    place_no_mask="Places named after layer 2, untrained, without a mask",
    written_start="Places named from what attention writes, untrained, with a start token",
    written_mask="Places named from what attention writes, untrained, with the mask alone",
    last_8_bag="Last of 8 words, by naming the most frequent one",
    first_8_none="First animal of 8 words right, no positions",
    first_8_start="First animal of 8 words right, no positions but a start token",
    last_8_none="Last of 8 words right, no positions",
    first_16_none="First animal of 16 words right, no positions",
    first_16_learned="First animal of 16 words right, learned positions",
    last_8_learned="Last of 8 words right, learned positions",
    last_16_rotary="Last of 16 words right, rotary positions",
    lighter_32_rotary="Lighter animal of 32 words right, rotary positions",
    lighter_32_none="Lighter animal of 32 words right, no positions",
    place_gained="Change by training of the places named after layer 2",
    written_start_trained="Places named from what attention writes, trained, with a start token",
    lighter_8_loud="Lighter animal of 8 words right, waves much larger than words",
    lighter_8_even="Lighter animal of 8 words right, waves as large as words",
)
