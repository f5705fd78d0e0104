# ---
# title: Sinks and giants
# question: Why do most heads of a real model look at the first token, and what is the giant number that stands there?
# answer: >-
#   One MLP writes a vector about a hundred times as long as others where a token has seen only itself, and
#   {{ result("sinks.sink_heads", "d") }} of 270 heads rest on it; without that vector the loss rises by
#   {{ result("sinks.giant_costs", ".1f") }} nats a token.
# level: intermediate
# minutes: 15
# models: [smollm2]
# needs: [11_residual, 21_heads, smollm2]
# tags: [attention sinks, massive activations, residual stream, attention heads]
# chapter: In the wild
# thumbnail: giants
# timeout: 1200
# ---

# %% tags=["setup"]
import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, note, plots, predict, within
from llmnotes.model import cut_edges, edit, replace, trace

BLUE, ORANGE, *_ = plots.COLOURS
NAME = "smollm2"  # or "gpt2", "EleutherAI/pythia-160m", "Qwen/Qwen2.5-0.5B"
model = llmnotes.load(NAME)
ROUNDING = "an average of smooth functions of fixed weights, summed in another order"
close, near = within(rtol=0.02, because=ROUNDING), within(atol=0.02, because=ROUNDING)

SENTENCES = """Rain fell all night and the river rose above the old stone bridge.
My grandmother keeps her letters in a wooden box under the bed.
Scientists have measured the distance to the moon with a beam of light.
Please close the window before you leave, because it is getting cold.
When the train finally arrived, most of the passengers had gone home.
Bread is made from flour, water, salt and a little yeast.
Nobody in the village could remember such a dry summer as this one.
She opened the door slowly and looked into the dark room behind it.
Computers store numbers as long rows of zeros and ones in memory.
Our teacher asked us to write a short story about a lost key.
If the price of oil goes up again, flying will become more expensive.
Children learn to speak long before they learn to read and write.
Yesterday the council voted to build a new library near the station.
The cat slept on the warm stones while the dog watched the gate.
After the war many families moved from the country to the city.
Some birds fly thousands of miles every year to find food and warmth.
He played the same song on his guitar until the neighbours complained.
Water boils at a lower temperature on the top of a mountain.
Two men stood at the corner and argued loudly about a football match.
In spring the farmers plant potatoes, beans and corn in their fields.
Most of the books on this shelf were written before I was born.
A good map shows not only roads but also hills, rivers and forests.
They walked along the beach until the sun went down behind the islands.
Doctors say that a short walk after dinner helps people sleep better.
Her first novel sold only three hundred copies in its first year.
Because the road was closed, we had to drive around the whole lake.
Every evening the old man fed the ducks in the park with bread.
Light travels faster than sound, so we see the flash before the thunder.
You should always wash your hands before you start to cook a meal.
This machine can cut, fold and print ten thousand pages in an hour.
Last winter the snow was so deep that the school closed for a week.
Many languages have borrowed words from their neighbours over the centuries.
I bought a pair of shoes yesterday, but they are already too small.
On the wall hung a painting of a ship in a heavy storm.
Fresh vegetables lose some of their vitamins when they are cooked too long.
Although he was tired, the driver refused to stop at the next town.
Three of the five judges thought that the young singer should win.
Gold does not rust, and so it has been used for coins and rings.
We waited in front of the theatre for more than half an hour.
Before electric light, people went to bed soon after the sun had set.
Nearly all of the trees in this forest were planted by hand.
Who left the bicycle in the middle of the path to the house?
Trade between the two cities grew quickly when the canal was finished.
It takes about eight minutes for the light of the sun to reach us.
Mary told the children a story about a bear that could talk.
Large companies often buy small ones in order to get their ideas.
Without a word, the waiter took the plates and went back to the kitchen.
Stars are born in clouds of gas and dust that fall together slowly.
You can hear the bells of the church from the other side of town.
Each player gets seven cards, and the youngest player begins the game.
Heavy clouds hung over the valley, but the rain did not come.
An empty bottle floats, while a bottle full of sand sinks at once.
Twice a week a boat brings food and letters to the island.
John wanted to become a pilot, but his eyes were not good enough.
People who live near the airport complain about the noise at night.
Most plants need light, water and some minerals from the soil to grow.
As soon as the music stopped, everybody looked for a chair to sit on.
The museum shows tools and jewels that were found in the old harbour.
Few animals can live in the desert without water for many days.
Tomorrow the weather will be sunny in the north and cloudy in the south.
One of the windows was broken, and there was glass on the floor.
Good tea needs hot water, clean leaves and a few minutes of patience.
At the end of the street there is a shop that repairs old clocks.
Elephants remember the places where they have found water in dry years."""


# %% [markdown]
# ## A case you can hold: “Rain fell all night …”
#
# SmolLM2 is a real language model of 30 layers with 9 heads each. Give it *Rain fell all night and the river rose above the
# old*. After layer 20 the residual stream of *Rain* has length {{ result("sinks.case_first", ",.0f") }}. That of *night* has
# length {{ result("sinks.case_night", ",.0f") }}.
#
# It is not about rain. We wrote 64 sentences with {{ result("sinks.openings", "d") }} different first tokens and cut each to 12
# tokens. In the median the first token's stream is {{ result("sinks.times_longer", ".0f") }} times as long as the others', and
# even the shortest of the 64 has length {{ result("sinks.shortest_giant", ",.0f") }}.

# %% tags=["setup"]
rows = [model.tokenizer(text)["input_ids"] for text in SENTENCES.split("\n")]
if min(map(len, rows)) < 12:
    raise ValueError(
        f"{NAME} cuts a sentence into {min(map(len, rows))} tokens, and 12 are needed"
    )
ids = torch.tensor([row[:12] for row in rows])
PLACES = ["resid_post", "mlp_out", "pattern", "v", "logits"]
seen = trace(model, ids, PLACES)
streams = seen.stack("resid_post")  # (layer, text, token, d_model)
lengths = streams.norm(dim=-1)  # (layer, text, token)
first, rest = (
    lengths[:, :, 0].median(1).values,
    lengths[:, :, 1:].flatten(1).median(1).values,
)
MIDDLE = 2 * model.n_layers // 3  # 20 in SmolLM2
if first[MIDDLE] < 5 * rest[MIDDLE]:
    raise ValueError(
        f"{NAME}: after layer {MIDDLE} the first token's stream is {first[MIDDLE] / rest[MIDDLE]:.1f} times as long as the others', "
        "in the median; a model with a sink has 5 or more, so there is no giant here to study"
    )
GIANT = first[MIDDLE] / 2  # what is at least half as long as a first token is a giant
close(case_first=lengths[MIDDLE, 0, 0], case_night=lengths[MIDDLE, 0, 3])
close(times_longer=first[MIDDLE] / rest[MIDDLE], shortest_giant=lengths[MIDDLE, :, 0].min())
note(openings=len(set(ids[:, 0].tolist())))

# %% [markdown]
# ## One MLP writes the giant, and the last two erase most of it
#
# {{ drawing("residual-stream", alt="The residual stream as a line through the layers, to which attention and MLP of each layer add.") }}
#
# Every layer adds to the stream, and takes nothing away:
#
# $$
# x_L = x_0 + \sum_{l=1}^{L} (a_l + m_l)
# $$
#
# with $x_0$ the embedding of the token, $a_l$ what the attention of layer $l$ adds and $m_l$ what its MLP adds. So a giant is one of
# these terms, and it stays in the sum until a later term is its negative. Which term is it?

# %% tags=["setup"]
written = seen.stack("mlp_out")[
    :, :, 0
]  # (layer, text, d_model): what each MLP adds to the first token
sizes = written.norm(dim=-1).median(1).values
author = int(sizes[: MIDDLE + 1].argmax())  # the MLP that writes it: 11 in SmolLM2
giant = streams[MIDDLE][:, 0]  # (text, d_model)
energy = giant.pow(2) / giant.pow(2).sum(-1, keepdim=True)
dimension = int(energy.mean(0).argmax())
erased = -(
    written[author + 1 :, :, dimension].sum(0) / written[author, :, dimension]
).median()
note(author=author, dimension=dimension)
close(written_length=sizes[author], first_end=first[-1], rest_end=rest[-1])
near(one_dimension=energy[:, dimension].mean(), erased=erased)
firsts = torch.nn.functional.normalize(giant, dim=-1)
near(alike=(firsts @ firsts.T).min())

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=3.2)
ax.semilogy(
    range(model.n_layers), first, color=ORANGE, marker="o", ms=3, label="first token"
)
ax.semilogy(range(model.n_layers), rest, color=BLUE, label="all others")
ax.semilogy(
    range(model.n_layers),
    lengths[:, :, 1:].flatten(1).max(1).values,
    color=BLUE,
    ls=":",
    lw=1.4,
    label="longest other",
)
ax.set(xlabel="after layer", ylabel="length of the stream")
plots.label_lines(ax)
figure(
    fig,
    name="giants",
    title=f"From layer {author} on the first token's vector is about a hundred times as long as others",
    alt="Length of the residual stream by layer on a logarithmic scale. In SmolLM2 the first token jumps to over 20,000 in layer 11 and "
    "falls in layers 28 and 29. All other tokens stay between 40 and 1,100.",
    caption="Medians over 64 sentences; dotted, the longest vector at any other token.",
    rtol=0.02,
    because=ROUNDING,
)

# %% [markdown]
# MLP {{ result("sinks.author", "d") }} writes a vector of length {{ result("sinks.written_length", ",.0f") }} at the first token,
# and {{ result("sinks.one_dimension", ".1%") }} of its energy is one number, dimension {{ result("sinks.dimension", "d") }}.
# It is the same vector in every text: the two that differ most have a cosine of {{ result("sinks.alike", ".4f") }}. So it cannot say
# anything about the text.
#
# Later MLPs take {{ result("sinks.erased", ".0%") }} of that number away again, nearly all in the last two layers. What remains is what
# the unembedding reads.
#
# ## Most heads rest on it

# %%
looks = seen.stack("pattern")[:, :, :, 1:, 0].mean(
    (1, 3)
)  # (layer, head): attention of later tokens to the first
chance = (1 / torch.arange(2, 13)).mean()
note(sink_heads=int((looks > 0.5).sum()), because="two heads stand near one half", atol=4)
near(
    chance=chance,
    before=looks[max(author - 1, 0) : author + 1].mean(),
    after=looks[author + 1 :].mean(),
)
values = (
    seen.stack("v").norm(dim=-1).mean(1)
)  # (layer, token, key-value head): how much there is to hand over
ratio = (values[author + 1 :, 0] / values[author + 1 :, 1:].mean(1)).median()

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=3.0)
for layer in range(model.n_layers):
    ax.plot([layer] * model.n_heads, 100 * looks[layer], "o", color=BLUE, ms=3, alpha=0.5)
ax.plot(
    range(model.n_layers),
    100 * looks.mean(1),
    color=ORANGE,
    label=f"mean of {model.n_heads} heads",
)
ax.plot(
    [0, model.n_layers - 1],
    [100 * chance] * 2,
    color=plots.MUTED,
    ls="--",
    lw=1,
    label="evenly spread",
)
ax.set(xlabel="layer", ylabel="attention to the first token (%)", ylim=(0, 100))
plots.label_lines(ax)
figure(
    fig,
    name="looks",
    title=f"From layer {author + 1} on most heads look at the first token",
    alt="Attention to the first token, a dot a head. In SmolLM2 the mean is over 60% in layers 3 to 8, falls to a tenth in layers 10 and 11, "
    "where the first token has lost its mark, and stays between 50% and 90% from layer 12 on.",
    caption="Mean over 64 sentences and all later tokens. Dashed: attention spread evenly over all tokens so far.",
    rtol=0.03,
    because=ROUNDING,
)

# %% [markdown]
# {{ result("sinks.sink_heads", "d") }} of 270 heads give the first token more than half of their attention. Spread evenly
# it would get {{ result("sinks.chance", ".0%") }}. Just before the giant is written, in layers 10 and 11, it gets
# {{ result("sinks.before", ".0%") }}; after it, {{ result("sinks.after", ".0%") }}. Softmax weights must sum to one, so
# a head with nothing to say needs a place to look at that hands over little
# ([Xiao et al. 2023](https://arxiv.org/abs/2309.17453)).
#
# ## Your prediction
#
# How does MLP 11 know which token is the first? SmolLM2 adds no position to its tokens: rotary embeddings only turn
# queries and keys, so heads see distances.

# %% tags=["setup"]
predict(
    "Set dimension 507 alone to what others have there, and the loss rises by over a nat",
    0.7,
    dimension_costs="> 1",
)
predict(
    "Values at the first token are under a third as long as others, in the median head",
    0.7,
    value_ratio="< 0.33",
)
predict(
    "With first tokens in, the mean vector points along the giant (cosine over 0.99)",
    0.9,
    mean_is_giant="> 0.99",
)
predict(
    "Repeat one word twelve times, and all twelve are giants", 0.9, repeated_giants="== 12"
)
ask(
    "How does the model know that a token is the first?",
    choices={
        "position": "Its position is written into it",
        "word": "Words that open a sentence look special",
        "alone": "It has seen nothing but itself",
    },
    answer="alone",
    because={
        "position": "GPT-2 has such vectors. Here nothing is added, and only distances enter the scores.",
        "word": "All 64 openings share a capital letter, so it tempts. A word from the middle does as well.",
        "alone": "Attention over one token returns that token. Make any token see only itself, and it becomes a giant.",
    },
    figure="alone",
    alone_giants="> 0.9",
    repeated_giants="== 12",
)

# %% [markdown]
# ## A token that sees only itself becomes a giant
#
# We cut what token 5 may look at: in layers 0 to 11 it attends to itself alone. Nothing else changes. The control cuts the same
# token off from four of the five tokens before it, and leaves it the first.

# %% tags=["idea"]
WORD = 5  # a token from the middle of each sentence


def after_cut(hidden, place="resid_post"):
    """What a place holds when token 5 may not look at some tokens, up to the layer that writes the giant."""
    with cut_edges(model, range(author + 1), edges=[(WORD, j) for j in hidden]):
        return trace(model, ids, [place])


# %% tags=["setup"]
cut = {
    "untouched": seen,
    "sees itself and the first": after_cut(range(1, WORD)),
    "sees itself alone": after_cut(range(WORD)),
}
size_5 = {
    name: run["resid_post", MIDDLE][:, WORD].norm(dim=-1) for name, run in cut.items()
}
alone = size_5["sees itself alone"]
near(
    alone_giants=(alone > GIANT).float().mean(),
    control_giants=(size_5["sees itself and the first"] > GIANT).float().mean(),
)
close(alone_length=alone.median())
repeated = {}
for word in (" house", " the", " seven"):
    same = torch.tensor([[model.tokenizer(word)["input_ids"][-1]] * 12])
    repeated[word] = trace(model, same, ["resid_post"])["resid_post", MIDDLE][0].norm(
        dim=-1
    )
note(repeated_giants=min(int((length > GIANT).sum()) for length in repeated.values()))

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=2.6)
shift = torch.linspace(-0.25, 0.25, len(ids))
for y, (name, length) in enumerate(reversed(size_5.items())):
    ax.semilogx(
        length, y + shift, "o", ms=3, alpha=0.6, color=ORANGE if "alone" in name else BLUE
    )
ax.axvline(float(first[MIDDLE]), color=plots.MUTED, ls="--", lw=1)
ax.text(
    float(first[MIDDLE]) * 0.9,
    len(size_5) - 0.6,
    "first token",
    ha="right",
    color=plots.MUTED,
)
ax.set_yticks(range(len(size_5)), [f"token 5 {name}" for name in reversed(size_5)])
ax.set(xlabel=f"length of its stream after layer {MIDDLE}", ylim=(-0.6, len(size_5) - 0.3))
figure(
    fig,
    name="alone",
    title="Any token that sees only itself becomes a giant",
    alt="Length of token 5's stream, a dot a sentence. In SmolLM2, untouched, and when it sees itself and the first token, it is a few hundred. When "
    "it sees itself alone it is over 20,000 in every sentence, as long as the first token's.",
    caption="64 sentences. Dashed: the first token's median length.",
    data={name.replace(" ", "_"): length for name, length in size_5.items()},
    rtol=0.05,
    because=ROUNDING,
)

# %% [markdown]
# Call a token a giant if its stream is at least half as long as a first token's. Token 5 becomes one in {{ result("sinks.alone_giants", ".0%") }} of the 64 sentences, of length
# {{ result("sinks.alone_length", ",.0f") }}. If it sees the first token too, in {{ result("sinks.control_giants", ".0%") }}.
#
# A second test needs no intervention. Repeat one word twelve times. Every token then attends to copies of itself, gets back
# itself, and cannot know that it is not the first: {{ result("sinks.repeated_giants", "d") }} of 12 are giants.
#
# ## Without the giant the model breaks; without looking at it, less
#
# We replace what MLP 11 writes at the first token by what it writes at other tokens, on average. Controls: the same
# replacement at token 5, and the same of MLP 5 at the first token.


# %% tags=["idea"]
def loss(run):
    """Nats a token; the second token, of which the model knows only one word, is left out."""
    log_p = run["logits"][:, 1:-1].log_softmax(-1)
    return -log_p.gather(-1, ids[:, 2:, None]).mean()


def ordinary(layer, token):
    """Let an MLP write at one token what it writes at others, on average."""
    usual = seen["mlp_out", layer][:, 1:].mean((0, 1)).expand(len(ids), 1, -1)
    return replace(model, "mlp_out", layer, usual, positions=[token])


# %% tags=["setup"]
plain = loss(seen)
EARLY = author // 2 if author else 1  # another MLP, for the control: 5 in SmolLM2


def flatten_one(stream, _):
    new = stream.clone()
    new[..., dimension] = streams[author][:, 1:, dimension].mean()
    return new


changes = {
    "no giant": ordinary(author, 0),
    f"dimension {dimension} alone made ordinary": edit(
        model, "resid_post", author, flatten_one, positions=[0]
    ),
    "nobody looks at the first token": cut_edges(
        model, None, edges=[(i, 0) for i in range(1, 12)]
    ),
    "nobody looks at token 3": cut_edges(model, None, edges=[(i, 3) for i in range(4, 12)]),
    f"control: MLP {author} at token 5": ordinary(author, WORD),
    f"control: MLP {EARLY} at the first token": ordinary(EARLY, 0),
}
costs, left = {}, {}
for name, change in changes.items():
    with change:
        run = trace(model, ids, ["pattern", "logits"])
    costs[name] = loss(run) - plain
    left[name] = int((run.stack("pattern")[:, :, :, 1:, 0].mean((1, 3)) > 0.5).sum())
giant_costs, dimension_costs, blind_costs, blind_3_costs, control_token, control_mlp = (
    costs.values()
)
near(
    giant_costs=giant_costs,
    dimension_costs=dimension_costs,
    blind_costs=blind_costs,
    blind_3_costs=blind_3_costs,
    unit="nats",
)
near(control_token=control_token, control_mlp=control_mlp, unit="nats")
near(plain_loss=plain, unit="nats")
note(sinks_without=left["no giant"], because="some heads stand near one half", atol=4)
near(value_ratio=ratio)

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=2.9)
for y, (name, cost) in enumerate(reversed(costs.items())):
    ax.barh(
        y,
        float(cost),
        height=0.6,
        color=plots.GRID if "control" in name or "token 3" in name else ORANGE,
    )
    ax.text(max(float(cost), 0) + 0.05, y, f"{float(cost):+.2f}", va="center")
ax.set_yticks(range(len(costs)), list(reversed(costs)))
ax.set(
    xlabel="rise of the loss (nats a token)",
    xlim=(-0.1, 1.2 * max(float(c) for c in costs.values())),
)
ax.grid(visible=False)
figure(
    fig,
    name="costs",
    title="The giant itself is needed more than the look at it",
    alt="Rise of the loss. In SmolLM2, without the giant several nats; with its one dimension made ordinary even more; if nobody may look at "
    "the first token under a nat; the controls next to nothing.",
    caption="64 sentences of 12 tokens, means over tokens 3 to 12. Grey: controls.",
    data={"cost": np.array([float(cost) for cost in costs.values()])},
    rtol=0.03,
    because=ROUNDING,
)

# %% [markdown]
# Without the giant the loss rises by {{ result("sinks.giant_costs", ".2f") }} nats, from
# {{ result("sinks.plain_loss", ".2f") }}. The controls move it by {{ result("sinks.control_token", "+.2f") }} and
# {{ result("sinks.control_mlp", "+.2f") }}.
#
# One number is enough to do the damage. Making dimension {{ result("sinks.dimension", "d") }} ordinary costs
# {{ result("sinks.dimension_costs", ".2f") }}, more than removing the whole vector. Probably what is left of it comes through
# louder: each norm divides by the length of the vector, and the loudest number no longer holds the others down.
#
# If nobody may look at the first token, it costs {{ result("sinks.blind_costs", ".2f") }}. That is not much more than hiding
# another token: token 3 costs {{ result("sinks.blind_3_costs", ".2f") }}. So heads can do without a sink. What harms them
# more is a first token that no longer looks like one: {{ result("sinks.sinks_without", "d") }} heads still rest on it, and
# the others spread over words.
#
# What a resting head takes along is small: at the first token values have {{ result("sinks.value_ratio", ".2f") }} of the
# length that they have elsewhere, in the median head.
#
# ## What it does to means, norms and components

# %%
cloud = streams[MIDDLE].flatten(0, 1)  # (text x token, d_model)
others = streams[MIDDLE][:, 1:].flatten(0, 1)
direction = firsts.mean(0)


def leading(vectors):
    """Share of the variance along the first principal component."""
    spread = torch.linalg.svdvals(vectors - vectors.mean(0)).pow(2)
    return spread[0] / spread.sum()


near(mean_is_giant=torch.cosine_similarity(cloud.mean(0), direction, dim=0))
near(mean_without=torch.cosine_similarity(others.mean(0), direction, dim=0))
near(first_component=leading(cloud), first_component_without=leading(others))

# %% [markdown]
# Leave the first tokens in, one in twelve, and the mean vector of a text is the giant (cosine
# {{ result("sinks.mean_is_giant", ".3f") }}). The first principal component then holds
# {{ result("sinks.first_component", ".1%") }} of the variance, without them {{ result("sinks.first_component_without", ".1%") }}.
# The other tokens' own mean points the same way as well, if less (cosine {{ result("sinks.mean_without", ".2f") }}): all
# streams carry some of it.
#
# A difference of means, a norm, a dictionary trained on such vectors describes the giant first. Leave first tokens out.
#
# ## What surprised us
#
# **It forgets and marks again.** Heads rest on the first token in layers 3 to 8 as well, on a smaller vector of length
# {{ result("sinks.early_length", ".0f") }}. MLPs 8 and 9 wipe it out, for two layers nobody looks, and MLP 11 writes the giant.
# We do not know what the two layers in between are for.

# %% tags=["setup"]
close(early_length=first[EARLY])

# %% [markdown]
# ## Try it
#
# ```exercise
# title: Leave the sinks out
# minutes: 2
# code: |
#   stream = trace(model, texts, ["resid_post"])["resid_post", 20]  # (text, token, 576)
#   mean = stream[▢].mean((0, 1))
#   assert mean.norm() < 1000
# right: [":, 1:", ":, 1:, :", ":,1:"]
# praise: The mean is now about words.
# wrong:
#   "1:": This leaves out the first text. Which axis are the tokens?
#   ":, 0": These are the giants alone.
#   ":": Still all tokens, the giants among them.
# otherwise: "The norm is still in the thousands: a first token is among them."
# solution: "`stream[:, 1:].mean((0, 1))` starts at the second token of each text."
# ```
#
# **A giant of your own** (10 minutes). Make token 5 a giant as above. Do later heads rest on it? An intervention that checks itself.
#
# ??? tip "Hint"
#     `after_cut(range(WORD), "pattern")`; then the attention of tokens 6 to 11 to token 5, from layer 12 on.

# %% tags=["solution"]
second = (
    after_cut(range(WORD), "pattern")
    .stack("pattern")[author + 1 :, :, :, WORD + 1 :, WORD]
    .mean()
)
usual = seen.stack("pattern")[author + 1 :, :, :, WORD + 1 :, WORD].mean()
if alone.median() > GIANT:  # token 5 became a giant
    assert second > 3 * usual, (
        f"{second:.2f} against {usual:.2f}: did the cut reach layer {author}?"
    )
near(second_sink=second, usual_attention=usual)

# %% [markdown]
# They do: token 5 gets {{ result("sinks.second_sink", ".0%") }} of the attention, where it got
# {{ result("sinks.usual_attention", ".0%") }}. Heads do not look for the first token. They look for a giant.
#
# ## You can now
#
# - recognise an attention sink and a massive activation, and say which part writes it;
# - explain how a model that adds no positions knows what comes first;
# - keep first tokens out of your means, norms, probes and dictionaries.
#
# ## What this does not show
#
# - One model, on short sentences; other models have their giants elsewhere, or none.
# - That sinks are a way to do nothing is a reading of small values, not a proof.
# - We did not train the model without sinks, so we cannot say what it would have learned in their place.
#
# ## Going deeper
#
# Massive activations are known from models of many sizes ([Sun et al. 2024](https://arxiv.org/abs/2402.17762)), also as biases
# that attention needs. Some models now give every head a sink of its own, a number in the softmax, so that no token has to serve.
#
# Change `NAME` at the top, and the same code asks another model: it looks for that model's own giant, its MLP and its dimension, and
# stops where there is none. Our predictions are about SmolLM2.
#
# - Finding: [A token that sees only itself becomes the sink](../findings/sinks-alone.md)
# - Xiao et al. (2023), [Efficient streaming language models with attention sinks](https://arxiv.org/abs/2309.17453)
# - Sun et al. (2024), [Massive Activations in Large Language Models](https://arxiv.org/abs/2402.17762)
# - Gu et al. (2024), [When Attention Sink Emerges in Language Models](https://arxiv.org/abs/2410.10781)

# %% tags=["setup"]
in_words(
    case_first="Length of the stream of Rain after layer 20",
    case_night="Length of the stream of night",
    times_longer="First token's length over the others', medians after layer 20",
    shortest_giant="Shortest first token of 64, after layer 20",
    openings="Different first tokens",
    author="Layer whose MLP writes the giant",
    dimension="Its dimension",
    written_length="Length of what this MLP writes at the first token",
    first_end="Length of the first token's stream at the end",
    rest_end="Length of the others' at the end",
    one_dimension="Share of the giant's energy in one dimension",
    erased="Share of that number that later MLPs take away",
    alike="Least cosine between two giants",
    sink_heads="Heads that give the first token more than half of their attention",
    chance="Attention to the first token if spread evenly",
    before="Attention to the first token in the two layers before the giant",
    after="The same after it",
    alone_giants="Token 5 sees itself alone: share of sentences in which it is a giant",
    control_giants="Control: it sees itself and the first token",
    alone_length="Its length then, median",
    repeated_giants="Giants among twelve copies of a word, least of three words",
    plain_loss="Loss without a change",
    giant_costs="Rise without the giant",
    dimension_costs="Rise with one dimension made ordinary",
    blind_costs="Rise if nobody looks at the first token",
    blind_3_costs="Rise if nobody looks at token 3",
    control_token="Control: the same MLP at token 5",
    control_mlp="Control: MLP 5 at the first token",
    sinks_without="Heads that rest on the first token without the giant",
    value_ratio="Length of values at the first token over that elsewhere, median head",
    mean_is_giant="Cosine of the mean vector with the giant, first tokens included",
    mean_without="The same without them",
    first_component="Variance along the first component, first tokens included",
    first_component_without="The same without them",
    early_length="Length of the first token after layer 5",
    second_sink="Attention to token 5 when it sees itself alone",
    usual_attention="Attention to token 5 otherwise",
)
