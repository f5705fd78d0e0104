# ---
# title: Does it know what is true?
# question: Is there a direction in a real model that tells true statements from false ones, whatever they are about?
# answer: >-
#   A direction that tells true from false about cities gets {{ result("truth.on_not", ".0%") }} of negated statements right.
# level: intermediate
# models: [smollm2]
# needs: [23_probing, 31_steering, 41_sinks, smollm2]
# tags: [probing, truth, difference of means, steering, erasure]
# chapter: In the wild
# thumbnail: topics
# timeout: 1200
# ---

# %% tags=["setup"]
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, note, plots, predict, within
from llmnotes.methods import activations, erase, probe
from llmnotes.model import add, batch, edit, score, token_id

BLUE, ORANGE, GREEN, PURPLE, OCHRE, *_ = plots.COLOURS
torch.set_grad_enabled(False)  # nothing is trained here but probes
NAME = "smollm2"  # or "gpt2", "EleutherAI/pythia-160m", "Qwen/Qwen2.5-0.5B": nothing below is SmolLM2's own
model = llmnotes.load(NAME)
DRAW = "near ties between statements, sums in another order"
near, close = within(atol=0.05, because=DRAW), within(rtol=0.05, atol=0.05, because=DRAW)

CITIES = """Paris France, Tokyo Japan, Berlin Germany, Madrid Spain, Rome Italy, Moscow Russia, Cairo Egypt, Delhi India,
Beijing China, Toronto Canada, Sydney Australia, Athens Greece, Lisbon Portugal, Oslo Norway, Stockholm Sweden, Helsinki Finland,
Dublin Ireland, Vienna Austria, Warsaw Poland, Budapest Hungary, Seoul Korea, Bangkok Thailand, Jakarta Indonesia,
Manila Philippines, Nairobi Kenya, Lagos Nigeria, Lima Peru, Santiago Chile, Havana Cuba, Kiev Ukraine, Istanbul Turkey, Tehran Iran"""
ANIMALS = """salmon fish, eagle bird, ant insect, snake reptile, trout fish, sparrow bird, bee insect, lizard reptile, shark fish,
owl bird, beetle insect, turtle reptile, tuna fish, robin bird, moth insect, crocodile reptile, cod fish, duck bird, wasp insect,
gecko reptile, carp fish, hawk bird, butterfly insect, iguana reptile, herring fish, parrot bird, fly insect, alligator reptile,
eel fish, pigeon bird, mosquito insect, cobra reptile"""
SIZES = """elephant mouse, whale shrimp, house shoe, mountain hill, ocean pond, horse cat, car bicycle, tree flower, city village,
lion rabbit, ship boat, planet stone, bear fox, truck coin, castle tent, cow bee, river puddle, forest garden, tower chair,
giraffe frog, plane bird, country town, lake bathtub, church box, camel ant, bus spoon, bridge ladder, tiger squirrel, shark crab,
continent island, desk pencil, moon ball"""
OPPOSITES = """hot cold, big small, up down, black white, good bad, fast slow, high low, rich poor, young old, happy sad, light dark,
wet dry, hard soft, open closed, strong weak, full empty, early late, thick thin, loud quiet, clean dirty, left right, first last,
true false, long short, love hate, war peace, day night, win lose, buy sell, begin end, near far, deep shallow"""


def listed(text):
    return [pair.split() for pair in text.replace("\n", " ").split(",")]


def shifted(pairs, by):
    """The second words of the pairs, each moved to another first word: every word as often as before."""
    second = [two for _, two in pairs]
    return [
        (one, two) for (one, _), two in zip(pairs, second[by:] + second[:by], strict=True)
    ]


def both(pairs, wrong, sentence):
    """Statements about pairs that belong together, and about pairs that do not."""
    return [[sentence.format(*pair) for pair in some] for some in (pairs, wrong)]


cities, animals, sizes, opposites = (
    listed(text) for text in (CITIES, ANIMALS, SIZES, OPPOSITES)
)
swapped = [(small, large) for large, small in sizes]
TOPICS = {
    "cities": both(cities, shifted(cities, 5), "The city of {} is in {}."),
    "animals": both(animals, shifted(animals, 1), "The {} is a kind of {}."),
    "sizes": both(sizes, swapped, "The {} is larger than the {}."),
    "opposites": both(opposites, shifted(opposites, 7), "The opposite of {} is {}."),
    "cities, not": both(shifted(cities, 5), cities, "The city of {} is not in {}."),
}
N = len(cities)
TRUE = torch.arange(2 * N) < N  # of each topic: N true statements, then N false ones
DEALT = torch.randperm(N, generator=torch.Generator().manual_seed(0))
ABOUT = DEALT.repeat(2)  # the number of the pair that a statement is about, dealt at random
TEXTS = {topic: [*true, *false] for topic, (true, false) in TOPICS.items()}

# %% [markdown]
# ## A case you can hold: “The city of Paris is in Japan.”
#
# Two statements: *The city of Paris is in France.* and *The city of Paris is in Japan.* SmolLM2 finds the first likelier, by
# {{ result("truth.case_margin", ".1f") }} nats. That is no proof that it knows which is true. Likely text is what it was trained to
# write; most of what is written about Paris happens to be true.
#
# We wrote {{ result("truth.n_statements", "d") }} statements in five topics, half of them true. In each topic every word stands in as many
# true statements as false ones: *France* once behind Paris and once behind another city; *an elephant is larger than a mouse* and the
# reverse. So no word gives an answer away, only how words are put together.

# %% tags=["setup"]
likely = {topic: score(model, texts).sum for topic, texts in TEXTS.items()}
margin = {topic: (sums[:N] > sums[N:]).float().mean() for topic, sums in likely.items()}
note(n_statements=sum(len(texts) for texts in TEXTS.values()), n_topic=2 * N)
close(
    case_margin=likely["cities"][0]
    - score(model, ["The city of Paris is in Japan."]).sum[0],
    atol=0.3,
    unit="nats",
)
near(**{f"likelier_{topic.replace(', ', '_')}": value for topic, value in margin.items()})
read = {
    topic: activations(model, texts, positions=[-1] * 2 * N)
    for topic, texts in TEXTS.items()
}  # (layer, statement, d_model)

# %% [markdown]
# ## Two means, and the line between them
#
# {{ drawing("probe", alt="Activations of two classes as two clouds of points, and the direction that separates them.") }}
#
# $$ d = \frac{1}{N} \sum_{s \,\text{true}} x_s - \frac{1}{N} \sum_{s \,\text{false}} x_s, \qquad \text{“true” if } (x - \bar x) \cdot d > 0 $$
#
# $x_s$ is the residual stream at the full stop that ends statement $s$, where the whole statement has been read, and $\bar x$ its mean over
# the topic's statements. The direction $d$ comes from one topic. Tested on the same topic, the pairs that it is tested on are held out.


# %% tags=["idea"]
def direction(x, true):
    """The difference of means: (d_model)."""
    return x[true].mean(0) - x[~true].mean(0)


def accuracy(d, x, true):
    """How often the side of the mean on which a statement lies is the right one."""
    return (((x - x.mean(0)) @ d > 0) == true).float().mean()


def held_out(x, about, folds=8):
    """Accuracy on pairs whose statements the direction has not seen."""
    test = [about % folds == fold for fold in range(folds)]
    return torch.stack(
        [accuracy(direction(x[~t], TRUE[~t]), x[t], TRUE[t]) for t in test]
    ).mean()


# %% [markdown]
# ## Your prediction
#
# The direction is made from statements about cities, and on held-out cities it is right in {{ result("truth.within_cities", ".0%") }}. We
# turn to *The city of Paris is not in Japan.*, which is true, and to *The city of Paris is not in France.*, which is false, and so on for
# all {{ result("truth.n_topic", "d") }}.

# %% tags=["setup"]
predict(
    "With pairs held out at random the direction for animals is right in over 70%",
    0.6,
    within_animals="> 0.7",
)
predict(
    "Erasing the direction takes over a quarter of the model's margin between true and false cities",
    0.6,
    erased_share="> 0.25",
)
predict(
    "A probe fitted on cities and their negations together is right in over 90% of held-out ones",
    0.6,
    joint="> 0.9",
)
predict(
    "Twice the direction at the full stop moves True over False by more than six random directions do",
    0.5,
    steer_beats="== 6",
)
ask(
    "What does the direction that was made from cities say of the negated statements?",
    choices={
        "right": "Right, nearly always: it reads truth",
        "chance": "It guesses: it has never seen a negation",
        "wrong": "Wrong, nearly always: it reads what belongs together",
    },
    answer="wrong",
    because={
        "right": "That is what a truth direction would do, and the word tempts.",
        "chance": "A fair guess for a new kind of sentence. But the same words in the same order come before the full stop.",
        "wrong": "It answers whether Paris and Japan go together, and takes no notice of the *not*.",
    },
    figure="topics",
    on_not="< 0.2",
)

# %% [markdown]
# ## It turns round with a “not”, and carries over little better than by luck

# %% tags=["setup"]
LAYERS = range(model.n_layers)
IN_ORDER = torch.arange(N).repeat(2)
within_topic = {
    t: torch.stack([held_out(x[layer], ABOUT) for layer in LAYERS]) for t, x in read.items()
}
LAYER = int(within_topic["cities"].argmax())  # chosen on cities alone
if within_topic["cities"][LAYER] < 0.75:
    raise ValueError(
        f"{NAME}: the best layer's direction is right in {within_topic['cities'][LAYER]:.0%} of held-out cities, where guessing "
        "gives 50%: it reads nothing about them that could carry over, so there is no direction here to test"
    )
EARLY = model.n_layers // 6  # 5 in SmolLM2
chosen = {topic: x[LAYER] for topic, x in read.items()}
names = list(TOPICS)


def table(layer):
    """Accuracy, trained on a row's topic and tested on a column's; held out on the diagonal."""
    made = {topic: direction(read[topic][layer], TRUE) for topic in names}
    rows = [
        [
            within_topic[a][layer] if a == b else accuracy(made[a], read[b][layer], TRUE)
            for b in names
        ]
        for a in names
    ]
    return torch.tensor([[float(value) for value in row] for row in rows])


matrix = table(LAYER)
draw = torch.Generator().manual_seed(0)


def mixed():
    """Mean accuracy on the three other topics of a direction from labels shuffled among the statements about cities."""
    d = direction(chosen["cities"], TRUE[torch.randperm(2 * N, generator=draw)])
    return torch.stack([accuracy(d, chosen[topic], TRUE) for topic in names[1:4]]).mean()


null = torch.stack([mixed() for _ in range(500)])
transfer, on_not = matrix[0, 1:4].mean(), matrix[0, 4]
note(layer=LAYER)
near(
    within_cities=matrix[0, 0],
    within_animals=matrix[1, 1],
    within_sizes=matrix[2, 2],
    within_opposites=matrix[3, 3],
    within_not=matrix[4, 4],
)
near(
    on_animals=matrix[0, 1],
    on_sizes=matrix[0, 2],
    on_opposites=matrix[0, 3],
    on_not=on_not,
    transfer=transfer,
)
near(
    null_as_good=(null >= transfer).float().mean(), null_high=null.quantile(0.95), atol=0.06
)
near(
    early_animals=within_topic["animals"][EARLY],
    early_in_order=held_out(read["animals"][EARLY], IN_ORDER),
    atol=0.08,
)

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=4.2)
image = ax.imshow(100 * matrix - 50, cmap=plots.DIVERGING, vmin=-50, vmax=50, aspect="auto")
for i in range(5):
    for j in range(5):
        ax.text(
            j,
            i,
            f"{100 * float(matrix[i, j]):.0f}",
            ha="center",
            va="center",
            gid="choice-wrong" if (i, j) == (0, 4) else None,
        )
ax.set_xticks(range(5), names)
ax.set_yticks(range(5), names)
ax.set(xlabel="tested on", ylabel="made from")
ax.grid(visible=False)
figure(
    fig,
    name="topics",
    title="From cities to negated cities it turns round",
    alt="Accuracy of directions made from each of five topics and tested on each. In SmolLM2, on the diagonal three of five are at 90% or more. Cities to "
    "animals is high, to sizes at chance, to opposites between; cities to negated cities is zero, and the reverse as well.",
    caption="Per cent right; 50 is guessing, and on the diagonal pairs are held out. Blue: over 50. Orange: under 50.",
    data={"accuracy": matrix},
    rtol=0.08,
    because=DRAW,
)

# %% [markdown]
# Of {{ result("truth.n_topic", "d") }} negated statements it gets {{ result("truth.on_not", ".0%") }} right. A direction that is wrong every time
# has read something perfectly well: whether the city and the country belong together.
#
# On other topics it is right in {{ result("truth.on_animals", ".0%") }} (animals), {{ result("truth.on_opposites", ".0%") }} (opposites) and
# {{ result("truth.on_sizes", ".0%") }} (sizes). Is that much? Activations have few strong directions, so a wrong one can do well by luck. We
# made 500 directions from the same statements with labels shuffled; {{ result("truth.null_as_good", ".0%") }} of them reach as high a mean
# over the three. So we cannot say that the direction carries over to other topics.
#
# The model shares the confusion. It finds the true one of two statements likelier in {{ result("truth.likelier_cities", ".0%") }} of the cities
# and {{ result("truth.likelier_animals", ".0%") }} of the animals, but in {{ result("truth.likelier_cities_not", ".0%") }} of the negated ones and
# {{ result("truth.likelier_sizes", ".0%") }} of the sizes.
#
# ```exercise
# title: Hold out pairs, not statements
# minutes: 3
# code: |
#   # 32 pairs; statement i and statement 32 + i are about the same pair
#   about = torch.arange(32).repeat(▢)
#   test = about % 8 == 0
#   assert test.sum() == 8 and torch.equal(test[:32], test[32:])
# right: ["2"]
# praise: A pair's true and false statements are on the same side now, so nothing is known of it.
# wrong:
#   "1": There are 64 statements, and this gives 32 numbers.
#   "32": That is a number for each pair of pairs.
#   "64": There are 64 statements in all. How many for each pair?
# otherwise: "How many statements are there about each pair?"
# solution: "`torch.arange(32).repeat(2)`: the list of pairs, twice."
# ```
#
# ## It arises in one layer, and it is not how likely the text is

# %% tags=["setup"]
others = torch.stack(
    [
        torch.stack(
            [
                accuracy(direction(read["cities"][layer], TRUE), read[topic][layer], TRUE)
                for topic in names[1:]
            ]
        )
        for layer in LAYERS
    ]
)  # (layer, topic)
cuts = {
    t: max(((sums > cut) == TRUE).float().mean() for cut in sums)
    for t, sums in likely.items()
}
d = direction(chosen["cities"], TRUE)
side = (chosen["cities"] - chosen["cities"].mean(0)) @ d
twice = [f"{text} {text}" for text in TEXTS["cities"]]
again = activations(model, twice, positions=[-1] * 2 * N, layers=[LAYER])[0]
surprise = score(model, twice).sum - likely["cities"]  # of the second time alone
near(
    cut_cities=cuts["cities"],
    cut_animals=cuts["animals"],
    cut_sizes=cuts["sizes"],
    cut_opposites=cuts["opposites"],
)
near(
    likelihood_correlation=torch.corrcoef(torch.stack([side, likely["cities"]]))[0, 1],
    second_time=accuracy(d, again, TRUE),
)
near(second_cut=max(((surprise > cut) == TRUE).float().mean() for cut in surprise))
close(
    gap_first=likely["cities"][:N].mean() - likely["cities"][N:].mean(),
    gap_second=surprise[:N].mean() - surprise[N:].mean(),
    unit="nats",
)
near(layer_before=within_topic["cities"][max(LAYER - 2, 0)])

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=3.4)
ax.plot(
    LAYERS,
    100 * within_topic["cities"],
    color=BLUE,
    marker="o",
    ms=3,
    label="held-out cities",
)
ax.plot(LAYERS, 100 * others[:, :3].mean(1), color=ORANGE, label="three other topics")
ax.plot(LAYERS, 100 * others[:, 3], color=PURPLE, ls="--", label="negated cities")
ax.axhline(50, color=plots.MUTED, lw=1)
ax.axhspan(
    100 - 100 * float(null.quantile(0.95)),
    100 * float(null.quantile(0.95)),
    color=plots.GRID,
    zorder=0,
)
ax.set(xlabel="layer", ylabel="right (%)", ylim=(-4, 104))
plots.label_lines(ax)
figure(
    fig,
    name="layers",
    title="From chance to all in two layers",
    alt="Accuracy by layer of the direction made from cities. In SmolLM2, on held-out cities it is under 70% up to layer 9 and 100% from layer 11 on. On "
    "three other topics it stays around 60 to 70%. On negated cities it falls to zero in the same two layers.",
    caption="The grey band holds 95% of directions from shuffled labels, on three other topics in the chosen layer.",
    rtol=0.08,
    because=DRAW,
)

# %% [markdown]
# After layer {{ result("truth.layer", "d") }} all held-out cities are right, two layers earlier {{ result("truth.layer_before", ".0%") }}.
#
# Could one do without a probe? A mere threshold on the likelihood of the text is right in
# {{ result("truth.cut_cities", ".0%") }} of the cities, and the two measures correlate at
# {{ result("truth.likelihood_correlation", ".2f") }}. So we separate them. We say each statement twice. The second time true
# and false ones are equally likely: the gap of {{ result("truth.gap_first", ".1f") }} nats falls to
# {{ result("truth.gap_second", ".1f") }}. At the second full stop the direction is still right in
# {{ result("truth.second_time", ".0%") }}.
#
# ## Another probe finds another direction, equally blind

# %% tags=["setup"]
fitted = {
    how: probe(chosen["cities"], TRUE, groups=ABOUT, standardise=how)
    for how in (True, False)
}
lines = {how: one.directions[0] for how, one in fitted.items()}
near(
    probe_standard=fitted[True].accuracy,
    probe_raw=fitted[False].accuracy,
    probe_shuffled=fitted[False].shuffled,
)
near(
    cosine_standard=torch.cosine_similarity(lines[True], d, dim=0),
    cosine_raw=torch.cosine_similarity(lines[False], d, dim=0),
    not_standard=accuracy(lines[True], chosen["cities, not"], TRUE),
    not_raw=accuracy(lines[False], chosen["cities, not"], TRUE),
    transfer_standard=torch.stack(
        [accuracy(lines[True], chosen[t], TRUE) for t in names[1:4]]
    ).mean(),
    transfer_raw=torch.stack(
        [accuracy(lines[False], chosen[t], TRUE) for t in names[1:4]]
    ).mean(),
)
together = torch.cat(
    [chosen[topic] - chosen[topic].mean(0) for topic in ("cities", "cities, not")]
)
joint = probe(together, TRUE.repeat(2), groups=ABOUT.repeat(2), standardise=False)
late = [
    torch.cat([read[t][layer] - read[t][layer].mean(0) for t in ("cities", "cities, not")])
    for layer in LAYERS
]
best = [
    probe(x, TRUE.repeat(2), groups=ABOUT.repeat(2), standardise=False).accuracy
    for x in late[LAYER:]
]
near(
    joint=joint.accuracy,
    joint_best=max(best),
    joint_others=torch.stack(
        [accuracy(joint.directions[0], chosen[t], TRUE) for t in names[1:4]]
    ).mean(),
)

# %% [markdown]
# A logistic regression has its own idea of a direction: standardised, its cosine with the difference of means is
# {{ result("truth.cosine_standard", ".2f") }}, on raw activations {{ result("truth.cosine_raw", ".2f") }}. On held-out cities they are right in
# {{ result("truth.probe_standard", ".0%") }} and {{ result("truth.probe_raw", ".0%") }}, on negated ones in
# {{ result("truth.not_standard", ".0%") }} and {{ result("truth.not_raw", ".0%") }}, on the three other topics in
# {{ result("truth.transfer_standard", ".0%") }} and {{ result("truth.transfer_raw", ".0%") }}.
#
# Is there any linear direction that reads both, with and without *not*? Fitted on both together the raw probe is right in
# {{ result("truth.joint", ".0%") }} of held-out statements in this layer, and in {{ result("truth.joint_best", ".0%") }} in the best later one.
# So there is one. But it does not carry over: on the three other topics it is right in {{ result("truth.joint_others", ".0%") }}.
#
# ## The model does not need it, and it cannot say what is true


# %% tags=["idea"]
def margins(topic, change):
    """By how much the true statement of each pair is likelier than the false one, in nats, under a change."""
    with change:
        sums = score(model, TEXTS[topic]).sum
    return sums[:N] - sums[N:]


def erased(vector, start=1):
    """Project a direction out of every token's stream but the first's, after the chosen layer."""
    change = lambda x, at: erase(x, vector)  # noqa: E731
    return edit(model, "resid_post", LAYER, change, positions=slice(start, None))


# %% tags=["setup"]
def random_line():
    return torch.randn(model.d_model, generator=draw)


usual = {topic: likely[topic][:N] - likely[topic][N:] for topic in ("cities", "animals")}
gone = {topic: margins(topic, erased(d)) for topic in usual}
with_first = {
    topic: margins(topic, erased(d, 0)) for topic in usual
}  # the sink's giant vector among them
by_chance = [margins("cities", erased(random_line())) for _ in range(4)]
near(
    erased_share=1 - gone["cities"].mean() / usual["cities"].mean(),
    erased_animals=1 - gone["animals"].mean() / usual["animals"].mean(),
    first_share=1 - with_first["cities"].mean() / usual["cities"].mean(),
    first_animals=1 - with_first["animals"].mean() / usual["animals"].mean(),
    first_right_animals=(with_first["animals"] > 0).float().mean(),
    erased_right=(gone["cities"] > 0).float().mean(),
    erased_right_animals=(gone["animals"] > 0).float().mean(),
    erased_random=max(abs(1 - float(m.mean() / usual["cities"].mean())) for m in by_chance),
)
ASK = " True or false? Answer:"
statements = [*TEXTS["cities"][:16], *TEXTS["cities"][N : N + 16]]
said = statements[0]
SAID = -1 - (model.ids(said + ASK).size(1) - model.ids(said).size(1))  # the full stop
true, false = (token_id(model, word) for word in (" True", " False"))
asks = batch(model, [text + ASK for text in statements], padding="left")


def says(vector):
    """True less False, in logits, with a vector added at the statement's full stop."""
    with add(model, "resid_post", LAYER, vector, positions=[SAID]):
        logits = model.model(asks.tokens, **asks.extra, logits_to_keep=1).logits[:, -1]
    return logits[:, true] - logits[:, false]


plain = says(0 * d)
pushed = float((says(2 * d) - plain).mean())
lines = [random_line() for _ in range(6)]
turned = [float((says(2 * d.norm() * line / line.norm()) - plain).mean()) for line in lines]
note(
    steer_beats=sum(abs(pushed) > abs(one) for one in turned),
    because="close to one of them",
    atol=1,
)
close(steer=pushed, steer_random=max(map(abs, turned)), unit="logits", atol=0.08)
near(auc=(plain[:16, None] > plain[None, 16:]).float().mean())
texts = [
    "Rain fell all night and the river rose above the old stone bridge.",
    "Please close the window before you leave.",
    "Bread is made from flour, water, salt and a little yeast.",
    "She opened the door slowly and looked into the dark room.",
    "After the war many families moved from the country to the city.",
    "Two men stood at the corner and argued loudly.",
]
cost = score(model, texts)


def loss(change):
    with change:
        got = score(model, texts)
    return -(got.sum.sum() - cost.sum.sum()) / cost.tokens.sum()


close(
    cost_erased=loss(erased(d)),
    cost_erased_random=loss(erased(random_line())),
    unit="nats",
    atol=0.03,
)
line = random_line()
close(
    cost_steer=loss(add(model, "resid_post", LAYER, 2 * d, positions=slice(1, None))),
    cost_steer_random=loss(
        add(
            model,
            "resid_post",
            LAYER,
            2 * d.norm() * line / line.norm(),
            positions=slice(1, None),
        )
    ),
    unit="nats",
    atol=0.08,
)

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=2.6)
bars = {
    "cities": gone["cities"].mean() / usual["cities"].mean(),
    "animals": gone["animals"].mean() / usual["animals"].mean(),
    "control: a random direction": by_chance[0].mean() / usual["cities"].mean(),
    "cities, at the first token too": with_first["cities"].mean() / usual["cities"].mean(),
    "animals, at the first token too": with_first["animals"].mean()
    / usual["animals"].mean(),
}
for y, (name, value) in enumerate(reversed(bars.items())):
    ax.barh(
        y,
        100 * float(value),
        height=0.6,
        color=plots.GRID if "control" in name else ORANGE if "first" in name else BLUE,
    )
    ax.text(100 * float(value) + 1, y, f"{100 * float(value):.0f}%", va="center")
ax.set_yticks(range(len(bars)), list(reversed(bars)))
ax.set(xlabel="margin of true over false that is left (%)", xlim=(0, 118))
ax.grid(visible=False)
figure(
    fig,
    name="erased",
    title="Erasing the direction costs true statements nothing, unless the sink is touched",
    alt="Share of the margin between true and false statements that is left when the direction is erased. In SmolLM2, at every token but the first all "
    "of it is left, for cities and animals, as with a random direction. At the first token too a part goes, above all for animals.",
    caption="Means over 32 pairs. Orange: the first token, a sink, included.",
    data={"left": [float(value) for value in bars.values()]},
    rtol=0.08,
    because=DRAW,
)

# %% [markdown]
# We erase the direction at every token but the first and see by how much true statements stay likelier. For cities
# {{ result("truth.erased_share", ".0%") }} of the margin goes, for animals {{ result("truth.erased_animals", ".0%") }}. Of four random directions
# the worst moves it by {{ result("truth.erased_random", ".0%") }}. So the direction reads what the model knows, and the model does not read
# it: the likelihoods of the words were settled before the full stop, by other means.
#
# We nearly reported the opposite. Erased at the first token too, it takes {{ result("truth.first_share", ".0%") }} of the margin for cities and
# {{ result("truth.first_animals", ".0%") }} for animals. All of that is the [sink](41_sinks.md): in this layer a giant is written at the first
# token, where no statement has yet said anything, and the erasure reached it.
#
# Asked outright, *True or false? Answer:*, the model hardly knows: a true statement gets more *True* than a false one in
# {{ result("truth.auc", ".0%") }} of the comparisons of 16 true with 16 false statements, where guessing gives half. Adding
# twice the direction at the full stop moves *True* over *False* by {{ result("truth.steer", "+.2f") }} logits, the strongest
# of six random directions of that length by {{ result("truth.steer_random", ".2f") }}: nothing. On ordinary text it costs
# {{ result("truth.cost_steer", ".2f") }} nats a token, and a random one {{ result("truth.cost_steer_random", ".2f") }}.
#
# ## What surprised us
#
# **Zero is a strong result.** A direction that gets nothing right is as informative as one that gets all right. It told us what the
# direction reads.
#
# **What failed.** We first held out every fourth pair in the order in which we had written them. For animals the accuracy was
# {{ result("truth.early_in_order", ".0%") }} after layer 5, far under guessing. Our list goes fish, bird, insect, reptile, fish …: each fold held out one
# kind, and among the rest *fish* stood in false statements alone. Drawn at random it is {{ result("truth.early_animals", ".0%") }}.
#
# ## Try it
#
# **Make it from the negations** (10 minutes). Make the direction from negated cities, test it on cities, and compare the two directions.
#
# ??? tip "Hint"
#     `direction(chosen["cities, not"], TRUE)`, then `accuracy` and a cosine.

# %% tags=["solution"]
reverse = direction(chosen["cities, not"], TRUE)
cosine = torch.cosine_similarity(reverse, d, dim=0)
assert (cosine < 0) == (on_not < 0.5), f"{cosine:.2f}: did you take the true ones first?"
near(reverse_cosine=cosine)

# %% [markdown]
# It is nearly the same line, the other way round: cosine {{ result("truth.reverse_cosine", ".2f") }}.
#
# ## You can now
#
# - test a “truth direction” on other topics and on negations before you give it that name;
# - give such a test its chance level: directions from shuffled labels, not one half;
# - separate what a direction reads from how likely a text is.
#
# ## What this does not show
#
# - That no model has a truth direction. This one is small and does not answer *true or false?* itself.
# - Statements of one form a topic. Other wordings may separate otherwise.
# - A difference of means after one layer at one token. The model may know more elsewhere.
#
# ## Going deeper
#
# Change `NAME` at the top, and the same code asks another model: it chooses that model's own layer, and stops where no layer reads
# even held-out cities. Our predictions are about SmolLM2.
#
# In models of 7 to 70 billion parameters a direction made from statements *and their negations* carries over to other topics
# ([Marks and Tegmark 2023](https://arxiv.org/abs/2310.06824)); that probes fail on negations is known from
# [Levinstein and Herrmann 2023](https://arxiv.org/abs/2307.00175).
#
# - Finding: [A truth direction reads what belongs together](../findings/truth-belongs-together.md)
# - Dead end: [Held-out pairs in the order in which we wrote them](../dead-ends/truth-folds-in-order.md)
# - Azaria and Mitchell (2023), [The internal state of an LLM knows when it's lying](https://arxiv.org/abs/2304.13734)

# %% tags=["setup"]
in_words(
    n_statements="Statements",
    n_topic="Statements a topic",
    case_margin="By how much Paris in France is likelier than Paris in Japan",
    likelier_cities="True statement likelier, cities",
    likelier_animals="True statement likelier, animals",
    likelier_sizes="True statement likelier, sizes",
    likelier_opposites="True statement likelier, opposites",
    likelier_cities_not="True statement likelier, negated cities",
    layer="Layer chosen on cities",
    within_cities="Cities to held-out cities",
    within_animals="Animals to held-out animals",
    within_sizes="Sizes to held-out sizes",
    within_opposites="Opposites to held-out opposites",
    within_not="Negated cities to held-out negated cities",
    on_animals="Cities to animals",
    on_sizes="Cities to sizes",
    on_opposites="Cities to opposites",
    on_not="Cities to negated cities",
    transfer="Cities to three other topics, mean",
    null_as_good="Directions from shuffled labels that do as well on them",
    null_high="What 95% of those stay under",
    early_animals="Animals after layer 5, pairs held out at random",
    early_in_order="The same, every eighth pair held out",
    cut_cities="Best threshold of likelihood, cities",
    cut_animals="Best threshold of likelihood, animals",
    cut_sizes="Best threshold of likelihood, sizes",
    cut_opposites="Best threshold of likelihood, opposites",
    likelihood_correlation="Correlation of the direction with likelihood, cities",
    second_time="Right at the second full stop",
    second_cut="Best threshold of the second time's likelihood",
    gap_first="True less false cities in likelihood",
    gap_second="The same when said for the second time",
    layer_before="Held-out cities two layers earlier",
    probe_standard="Standardised probe on held-out cities",
    probe_raw="Raw probe on held-out cities",
    probe_shuffled="Raw probe on shuffled labels",
    cosine_standard="Cosine of the standardised probe with the difference of means",
    cosine_raw="Cosine of the raw probe with the difference of means",
    not_standard="Standardised probe on negated cities",
    not_raw="Raw probe on negated cities",
    transfer_standard="Standardised probe on three other topics",
    transfer_raw="Raw probe on three other topics",
    joint="Probe on cities and negated cities together, held out",
    joint_best="The same in the best later layer",
    joint_others="The same probe on three other topics",
    erased_share="Share of the margin that goes with the direction, cities",
    erased_animals="The same for animals",
    first_share="Share that goes with the first token included, cities",
    first_animals="The same for animals",
    first_right_animals="True animal statement likelier then",
    erased_right="True city likelier without the direction",
    erased_right_animals="True animal statement likelier without it",
    erased_random="Share that goes with a random direction, most of four",
    auc="Asked outright: true above false",
    steer="True over False with twice the direction",
    steer_random="The same with random directions, most of six",
    steer_beats="Random directions that it exceeds, of six",
    cost_erased="Rise of the loss on ordinary text when erased",
    cost_erased_random="The same for a random direction",
    cost_steer="Rise of the loss on ordinary text when added",
    cost_steer_random="The same for a random direction",
    reverse_cosine="Cosine of the direction from negated cities",
)
