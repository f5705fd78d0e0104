# ---
# title: Training a small language model
# question: What does a language model learn in half a minute, and what does sampling do to its stories?
# answer: >-
#   Always taking the likeliest word makes {{ result("training.after_greedy", ".0%") }} of its sentences grammatical, and the model
#   knows no more than before.
# level: intermediate
# models: []
# needs: [05_transformer]
# tags: [training dynamics, world language, sampling]
# chapter: Start
# thumbnail: losses
# timeout: 900
# ---

# %% tags=["setup"]
import copy
import re
import tempfile
import textwrap
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.scratch import Cache, Config, Plan, Transformer, kneser_ney, train
from llmnotes.world import IDS, VOCABULARY, grade, held_out, story_batches, truth, word_ids
from llmnotes.world.names import PLAIN

torch.set_num_threads(1)
BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
FOLDER = Path(tempfile.mkdtemp())  # for the logs, and for states to resume from
SHORT = "one short training: differs from CPU to CPU, little beside the differences"
note = within(atol=0.03, because=SHORT)

# %% tags=["setup"]
CONTEXT = 64
STORIES = [story[: CONTEXT + 1] for story in held_out(2, 40)]
ids = torch.stack([word_ids(t.word for t in s) for s in STORIES if len(s) > CONTEXT])
TRUE = torch.stack([truth([VOCABULARY[i] for i in row[:-1].tolist()]).probs for row in ids])
came = TRUE.gather(-1, ids[:, 1:, None])  # the true probability of the word that came
floor = -float(came.log().mean())

# %% [markdown]
# ## A case you can hold: the same model at four moments
#
# We train a small transformer that starts with random weights. It has two layers, four heads and 64 numbers for each word. It reads stories in *World*'s language,
# which we wrote: short sentences about people, towns and songs. Each step reads sixteen new ones. Training is no more than
# this: predict each next word, compare with the word that came, move every weight a little.
#
# {{ drawing("transformer-map", light="next-word", alt="The transformer from tokens to the next word; the distribution over next words, which the loss compares with the word that came, is lit up.") }}

# %% tags=["idea"]
STEPS = 400
fresh = cache(story_batches(CONTEXT, 16))


def loss_on_held(model):
    """The held-out loss of the words that came, in nats."""
    logits = model(ids[:, :-1]).flatten(0, 1)
    return {"held": float(F.cross_entropy(logits, ids[:, 1:].flatten()))}


def learn(name, batch=fresh, lr=6e-3, steps=STEPS, after=lambda model, steps: None):
    """A fresh model, trained; and its log."""
    model = Transformer(Config(238, n_ctx=CONTEXT, n_layers=2, d_model=64, d_mlp=64))
    plan = Plan(steps, lr=lr, warmup=20, muon=True, weight_decay=0.01, evaluate_every=20)
    log = train(model, batch, plan, FOLDER / name, loss_on_held, after, progress=False)
    return model.eval(), log


# %% tags=["setup"]
grades, kept = {}, {}


def look(model, steps):
    if steps in (50, 100, 200, 400):
        grades[steps] = grade(model.eval(), STORIES, CONTEXT).accuracy
    if steps in (0, 50, 200, 400):
        kept[steps] = copy.deepcopy(model).eval()


model, log = learn("full", after=look)
steps, held = np.array([(entry["step"], entry["held"]) for entry in log]).T


# %% tags=["setup"]
@torch.no_grad()
def sample(model, words=14):
    """What a model writes from nothing, drawing each word as likely as the model says."""
    row, generator = word_ids(["<|endoftext|>"])[None], torch.Generator().manual_seed(1)
    for _ in range(words):
        drawn = torch.multinomial(model(row)[:, -1].softmax(-1), 1, generator=generator)
        row = torch.cat([row, drawn], dim=1)
    return " ".join(VOCABULARY[i] for i in row[0, 1:].tolist())


samples = {step: sample(then) for step, then in kept.items()}
for step, words in samples.items():
    print(f"step {step:3}   {words}")

# %% [markdown]
# At step 0 the words are random. After 50 steps the model knows which words are frequent. After 400 it writes sentences.
#
# ## The loss has a floor, and we know it
#
# How good can such a model become? Training lowers its *loss*, the mean surprise at the word that came:
#
# $$
# L = -\frac{1}{N} \sum_{t=1}^{N} \ln p(w_t \mid w_1 \dots w_{t-1})
# $$
#
# $p$ is the probability that the model gave to the word $w_t$ after all words before it, and $N$ counts the words. Nobody knows
# how low it can go for English. Here we do. The grammar draws some words at random, so even a reader who knows it perfectly has to guess these. That *floor* is {{ result("training.floor", ".2f") }} nats.
#
# The controls only count words. A *unigram* model knows how frequent each word is, a *bigram* model what follows each word, and a
# *trigram* model what follows each pair.

# %% tags=["setup"]
read = []
for step in range(STEPS):
    for row, following in zip(*fresh(step), strict=True):
        read += [int(row[0]), *following[following >= 0].tolist()]
text = ids.flatten().tolist()
ngram = {}
for order, name in ((1, "unigram"), (2, "bigram"), (3, "trigram")):
    losses = kneser_ney(read, text, len(VOCABULARY), order)
    same_story = torch.tensor(text[1:]) != IDS["<|endoftext|>"]
    ngram[name] = float(losses[same_story].mean())

# %% [markdown]
# ## Your prediction
#
# To write a text, we draw one word after another from what the model predicts. Usually the distribution is changed first. With *temperature* $T$
# its scores $z$, the *logits*, are divided by $T$ before the softmax:
#
# $$
# p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}
# $$
#
# $p_i$ is the probability of word $i$. Below 1 the likely words become likelier. *Greedy* writing, at temperature 0,
# always takes the likeliest word. Nearly all of its sentences are grammatical, many more than at temperature 1. (In the
# question, *legal* means that the grammar allows the word, and *cold* that the temperature is low.)

# %%
ask(
    "Why are greedy sentences so much better? Is the likeliest word nearly always legal?",
    choices={
        "mends": "Yes: everywhere in a text its likeliest word is right. Cold sampling mends its mistakes",
        "avoids": "No: it is often wrong in real stories. Cold sampling only leads to where the model is sure",
        "short": "Neither: greedy stories stop early, before a mistake can come",
    },
    answer="avoids",
    because={
        "mends": "It looks like that from outside. In real stories the likeliest word is illegal surprisingly often.",
        "avoids": "A model that writes chooses its own places. Cold, it stays with the few words that it can handle.",
        "short": "All stories are equally long here.",
    },
    figure="samplers",
    legal_greedy="< 0.95",
    after_greedy="> 0.9",
)
predict("Four hundred steps beat the trigram model", 0.75, below_trigram="> 0")
predict(
    "The bigram model is passed in the first quarter of them", 0.7, bigram_passed="<= 0.25"
)
predict(
    "On 32 stories only, the held-out loss ends above the unigram model's",
    0.4,
    few_above_unigram="> 0",
)
predict(
    "At ten times the rate it ends above the bigram model", 0.6, fast_above_bigram="> 0"
)
predict(
    "At temperature 1 over half of its sentences are grammatical",
    0.4,
    grammatical_1="> 0.5",
)
predict(
    "At temperature 0.5 half of the distinct words are gone", 0.35, distinct_half="< 0.5"
)
predict(
    "Some temperature below 1 is nearer to the truth than 1",
    0.45,
    best_temperature="< 0.99",
)
predict(
    "At its best, top-p is nearer to the truth than top-k", 0.75, top_p_minus_top_k="> 0"
)

# %% [markdown]
# ## Fresh stories lead towards the floor; 32 stories lead below it
#
# First the training itself. We also try to spoil it in two ways: with the same 32 stories again and again, and with ten times the learning rate.

# %% tags=["setup"]
few = learn("few", batch=lambda step: fresh(step % 2), steps=200)[1]
fast = learn("fast", lr=6e-2, steps=200)[1]
few_held, fast_held = (np.array([entry["held"] for entry in log]) for log in (few, fast))
few_read = np.array([entry["loss"] for entry in few])
lowest = few_held.argmin()

# %% tags=["setup"]
counted = within(atol=1e-3, because="counted in fixed stories")
counted(
    unit="nats",
    unigram=ngram["unigram"],
    bigram=ngram["bigram"],
    trigram=ngram["trigram"],
)
counted(atol=1e-4, unit="nats", floor=floor)
note(
    atol=0.12,
    unit="nats",
    end=held[-1],
    below_trigram=ngram["trigram"] - held[-1],
)
passed = steps[np.argmax(held < ngram["bigram"])] / STEPS
note(atol=0.04, bigram_passed=passed)
note(atol=0.12, unit="nats", held_200=held[list(steps).index(200)])
note(atol=0.12, far_agreement=grades[400]["agreement_1"])
note(atol=0.25, far_agreement_200=grades[200]["agreement_1"])
note(atol=0.1, list=grades[400]["list"])

# %% tags=["setup"]
note(atol=0.15, unit="nats", few_best=few_held[lowest])
note(atol=60, few_best_step=steps[lowest])
note(rtol=0.15, unit="nats", few_end=few_held[-1])
note(atol=0.8, few_above_unigram=few_held[-1] - ngram["unigram"])
note(atol=0.1, unit="nats", few_read=few_read[-1])
note(few_below_floor=few_read[-1] < floor)
note(atol=0.4, unit="nats", fast_end=fast_held[-1])
note(atol=0.4, fast_above_bigram=fast_held[-1] - ngram["bigram"])

# %% tags=["drawing"]
fig, (ax, said) = plots.subplots(1, 2, height=4.4, width_ratios=(1.5, 1))
for values, colour, style in (
    (held, BLUE, "-"),
    (few_held, ORANGE, "-"),
    (few_read, ORANGE, ":"),
    (fast_held, GREEN, "-"),
):
    ax.plot(steps[: len(values)], values, style, color=colour)
for name, value in (*ngram.items(), ("floor", floor)):
    ax.axhline(value, color=GREY, ls="--", lw=1.2)
    if name != "trigram":
        label = "bigram, and below it trigram" if name == "bigram" else name
        ax.text(STEPS, value + 0.06, label, ha="right", color=plots.INK, fontsize=9)
for step in samples:
    ax.plot(step, np.interp(step, steps, held), "o", color=BLUE, ms=7)
ax.text(250, 1.72, "fresh stories", color=plots.INK, fontsize=9)
ax.text(202, few_held[-1] + 0.1, "32 stories, held out", color=plots.INK, fontsize=9)
ax.text(206, few_read[-1] + 0.25, "32 stories, as read", color=plots.INK, fontsize=9)
ax.text(66, 3.35, "ten times the rate", color=plots.INK, fontsize=9)
ax.set(xlabel="step", ylabel="loss (nats)", ylim=(0, 7), xlim=(-8, STEPS + 8))
ax.set_title("Below the floor means learned by heart")
lines = []
for step, words in samples.items():
    lines += [
        f"● step {step}",
        *textwrap.wrap(" ".join(words.replace("<|endoftext|>", "(end)").split()[:10]), 30),
        "",
    ]
for y, line in enumerate(lines):
    bold = "bold" if line.startswith("●") else None
    said.text(0, 1 - 0.062 * y, line, va="top", weight=bold, fontsize=9.5, color=plots.INK)
said.set(title="What it writes at the marks", ylim=(0, 1.02))
said.axis("off")
figure(
    fig,
    name="losses",
    alt="With fresh stories the held-out loss falls below unigram, bigram and trigram models towards the floor. With 32 "
    "stories it falls, turns and rises, while the loss on those stories themselves falls below the floor. Beside it, what the model "
    "writes at four steps: words at random, frequent words, beginnings of sentences, sentences.",
    caption="Dashed: controls that only count words, and the loss of someone who knows the grammar. One run of each kind.",
    rtol=0.1,
    because=SHORT,
)

# %% [markdown]
# The run on fresh stories ends at {{ result("training.end", ".2f") }} nats, below the trigram model
# ({{ result("training.trigram", ".2f") }}) and well above the floor.
#
# Train on 32 stories alone, and the *held-out* loss (on stories that the run never reads) falls, turns at step
# {{ result("training.few_best_step", ".0f") }} and ends worse than word frequencies. The loss on the 32 stories
# themselves falls to {{ result("training.few_read", ".2f") }}, far below the floor. A model well below the floor has
# learned the random choices by heart. In natural text the floor is unknown, and nothing gives this alarm.
#
# ## Cold sampling avoids what the model does not know
#
# Now the model writes. Because we know the true distribution $q$ of each next word, we can measure a way of sampling without drawing a single word. *Legal*
# is the probability that it gives to words which the grammar allows. *Overlap* with the truth is $\sum_i \min(p_i, q_i)$, which is 1
# if both distributions are the same. *Top-k* keeps only the $k$ likeliest words, *top-p* the likeliest words that together have probability $p$.


# %% tags=["idea"]
def cut(logits, temperature=1.0, top_k=None, top_p=None):
    """The probabilities that are drawn from: (..., vocab)."""
    probs = (logits / temperature).softmax(-1)
    if top_k:
        probs = probs * (probs >= probs.topk(top_k).values[..., -1:])
    if top_p:
        sorted_probs, order = probs.sort(descending=True)
        before = (
            sorted_probs.cumsum(-1) - sorted_probs
        )  # what the likelier words have already
        probs = probs * torch.zeros_like(probs).scatter(-1, order, (before < top_p).float())
    return probs / probs.sum(-1, keepdim=True)


# %% tags=["setup"]
@torch.no_grad()
def quality(**how):
    """How much of it is legal, and how much it overlaps with the truth."""
    q = cut(model(ids[:, :-1]), **how).double()
    return float((q * (TRUE > 0)).sum(-1).mean()), float(
        torch.minimum(q, TRUE).sum(-1).mean()
    )


# %% tags=["setup"]
SWEEPS = {
    "temperature": (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2),
    "top_k": (1, 2, 3, 5, 8, 12, 20, 40, 100),
    "top_p": (0.1, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98),
}
points = {knob: np.array([quality(**{knob: v}) for v in vs]) for knob, vs in SWEEPS.items()}
best = {knob: values[:, 1].argmax() for knob, values in points.items()}
legal_1, overlap_1 = quality()

# %% tags=["setup"]
legal, overlap = ({knob: points[knob][best[knob], i] for knob in SWEEPS} for i in (0, 1))
note(
    legal_1=legal_1,
    overlap_1=overlap_1,
    overlap_temperature=overlap["temperature"],
    legal_temperature=legal["temperature"],
    overlap_top_k=overlap["top_k"],
    legal_top_k=legal["top_k"],
    overlap_top_p=overlap["top_p"],
    legal_top_p=legal["top_p"],
    legal_greedy=points["top_k"][0, 0],
)
note(
    rtol=0.7,
    because="a flat top",
    best_temperature=SWEEPS["temperature"][best["temperature"]],
    best_top_k=SWEEPS["top_k"][best["top_k"]],
    best_top_p=SWEEPS["top_p"][best["top_p"]],
)
gap = points["top_p"][:, 1].max() - points["top_k"][:, 1].max()
note(atol=0.006, top_p_minus_top_k=gap)

# %% tags=["setup"]
told = [[token.word for token in story] for story in held_out(2, 240)]
begun = {tuple(words[: words.index(".") + 1]): words for words in told if "." in words[:20]}
OPENINGS = list(begun)[:128]


# %% tags=["setup"]
@torch.no_grad()
def write(openings, **how):
    """Stories of 63 words that begin with the openings; keys and values are kept."""
    generator, cache = torch.Generator().manual_seed(0), Cache()
    given = torch.full((len(openings), CONTEXT), -1)
    for row, words in zip(given, openings, strict=True):
        row[: len(words)] = word_ids(words)
    rows = given[:, :1]
    for next_given in given[:, 1:].split(1, dim=1):
        probs = cut(model(rows[:, -1:], cache)[:, -1], **how)
        drawn = torch.multinomial(probs, 1, generator=generator)
        rows = torch.cat([rows, next_given.where(next_given >= 0, drawn)], dim=1)
    return [[VOCABULARY[i] for i in row] for row in rows.tolist()]


# %% tags=["setup"]
def judge(stories, openings):
    """The share of grammatical sentences, the same of first ones; distinct words in all."""
    good, firsts, wrong, said = 0, 0, 0, set()
    for words, opening in zip(stories, openings, strict=True):
        until = len(words)
        try:
            truth(words)
        except ValueError as error:
            until, wrong = int(re.match(r"word (\d+)", str(error))[1]), wrong + 1
        right = words[len(opening) : until].count(".")
        good, firsts = good + right, firsts + (right > 0)
        said |= set(words[len(opening) :])
    return good / (good + wrong), firsts / len(stories), len(said)


# %% tags=["setup"]
SETTINGS = {"temperature 1": {}, "temperature 0.5": {"temperature": 0.5}}
SETTINGS |= {"top-k 5": {"top_k": 5}, "top-p 0.9": {"top_p": 0.9}, "greedy": {"top_k": 1}}
written = {name: write(OPENINGS, **how) for name, how in SETTINGS.items()}
written["the grammar itself"] = [begun[opening][:CONTEXT] for opening in OPENINGS]
judged = {name: judge(stories, OPENINGS) for name, stories in written.items()}
for name, (share, first, distinct) in judged.items():
    print(f"{name:20}{share:5.0%} grammatical, firsts{first:5.0%}, {distinct:3} words")
    print("   ", " ".join(written[name][3][1:20]))

# %% tags=["setup"]
share, first, distinct = (
    {name: found[i] for name, found in judged.items()} for i in range(3)
)
sampled = within(atol=0.12, because="128 stories of a short training")
sampled(
    after_1=share["temperature 1"],
    after_half=share["temperature 0.5"],
    after_top_k=share["top-k 5"],
    after_top_p=share["top-p 0.9"],
    first_1=first["temperature 1"],
    first_half=first["temperature 0.5"],
    first_top_k=first["top-k 5"],
    first_top_p=first["top-p 0.9"],
)
sampled(atol=0.06, after_greedy=share["greedy"])
sampled(atol=0.1, first_greedy=first["greedy"])
sampled(
    atol=20,
    words_1=distinct["temperature 1"],
    words_half=distinct["temperature 0.5"],
    words_top_k=distinct["top-k 5"],
    words_top_p=distinct["top-p 0.9"],
    words_greedy=distinct["greedy"],
)
own = {tuple(w[len(o) :]) for w, o in zip(written["greedy"], OPENINGS, strict=True)}
sampled(atol=0.2, own_greedy=len(own) / len(OPENINGS))

# %% tags=["setup"]
nothing = [OPENINGS[0][:1]] * 32  # the token that stands before every story
hot, cold, same = (
    judge(write(nothing, **SETTINGS[name]), nothing)
    for name in ("temperature 1", "temperature 0.5", "greedy")
)
FEW = "32 sampled stories of a short training"
note(atol=0.12, because=FEW, grammatical_1=hot[0])
note(atol=0.15, because=FEW, distinct_half=cold[2] / hot[2])
note(atol=12, because="one story of a short training", nothing_greedy_words=same[2])

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.9)
NAMES = {"temperature": "temperature", "top_k": "top-k", "top_p": "top-p"}
MARKS = zip(NAMES.items(), (BLUE, ORANGE, GREEN), "osD", strict=True)
for (knob, label), colour, marker in MARKS:
    kept, legal = 100 * points[knob][:, 1], 100 * points[knob][:, 0]
    left.plot(kept, legal, color=colour, marker=marker, ms=4, label=label)
left.plot([100], [100], "*", color=plots.INK, ms=11, label="control: the grammar")
left.set(
    xlabel="overlap with the truth (%)", ylabel="legal (%)", xlim=(35, 105), ylim=(70, 103)
)
left.set_title("In real stories")
left.legend(loc="upper left", fontsize=9)
for (name, (share, _, distinct)), marker in zip(judged.items(), "osDv^*", strict=True):
    colour = plots.INK if name == "the grammar itself" else PURPLE
    right.plot([distinct], [100 * share], marker, color=colour, ms=9, label=name)
right.set(
    xlabel="distinct words",
    ylabel="sentences grammatical (%)",
    ylim=(0, 108),
    xlim=(0, 245),
)
right.set_title("In what it writes")
right.legend(loc="lower left", fontsize=9)
figure(
    fig,
    name="samplers",
    alt="Left: from temperature 1 to the coldest, and from no cut to the sharpest, legal probability rises only a "
    "little while overlap with the truth falls by a quarter to nearly a half. Right: in what the model writes itself, temperature "
    "½ has more grammatical sentences than temperature 1 and fewer distinct words, top-k and top-p lie close to temperature 1 "
    "in grammar, top-k with fewer words; greedy writing has nearly all sentences grammatical, and few words.",
    caption="First panel: one line a setting; its cold or sharp end lies at low overlap. Second: after 128 openings. One model.",
    data={"legal_and_overlap": np.concatenate(list(points.values()))},
    rtol=0.1,
    because=SHORT,
)

# %% [markdown]
# Look at the second panel first. At temperature 1 {{ result("training.after_1", ".0%") }} of the sentences that the
# model writes are grammatical. The grammar marks each story up to its first mistake. Greedy writing reaches
# {{ result("training.after_greedy", ".0%") }}. For a fair comparison all settings continue the same 128 openings, since
# from an empty prompt greedy writing always tells one story.
#
# Now the first panel. In real stories the likeliest word is legal in only {{ result("training.legal_greedy", ".0%") }}
# of the places, and every way of sharpening the distribution takes it *away* from the truth. No temperature, top-k or
# top-p comes noticeably nearer than no change at all.
#
# Both are true because a model that writes chooses where it goes. After 128 different openings the greedy stories use
# {{ result("training.words_greedy") }} different words, where temperature 1 uses {{ result("training.words_1") }}. **Cold sampling does
# not make the model know more. It lets it avoid what it does not know**, and a score on self-written text rewards that.
#
# Try it on *Fairytale*, a larger model of real English: change the temperature and see what else it could have said.
#
# <div class="bench" id="bench-write" data-bench="write" data-search-exclude markdown>
#
# The model needs JavaScript to run in the page. In the figure above the purple marks are what ours wrote.
#
# </div>
#
# ## Near agreement comes first

# %% tags=["drawing"]
fig, ax = plots.subplots(height=4.6)
at_end = grades[400]
order = sorted(at_end, key=at_end.get)
for (when, accuracy), colour, size in zip(
    grades.items(), (GREY, OCHRE, ORANGE, BLUE), (4, 6, 8, 10), strict=True
):
    values = [100 * accuracy[rule] for rule in order]
    ax.plot(values, range(len(order)), "o", color=colour, ms=size, label=f"step {when}")
ax.set_yticks(range(len(order)), [PLAIN[rule].replace(", ", ",\n") for rule in order])
ax.set(xlabel="places right (%)", xlim=(-3, 103))
fig.legend(loc="outside lower center", ncols=4, fontsize=9)
figure(
    fig,
    name="rules",
    alt="Agreement of a verb with the noun before it is nearly always right after a hundred steps; with one or two "
    "nouns between, only at the end. Lists, indirect objects and facts are mostly wrong even then.",
    caption="Nine rules at four moments. Forty held-out stories; the first dots can lie above later ones.",
    rtol=0.25,
    because=SHORT,
)

# %% [markdown]
# A verb beside its noun agrees early. With one noun between, {{ result("training.far_agreement_200", ".0%") }} of the verbs are right
# at step 200 and {{ result("training.far_agreement", ".0%") }} at the end. The model does not learn to repeat a song in this time.
# [How rules form](17_formation.md) follows a larger model further.
#
# ```exercise
# title: Colder
# minutes: 2
# code: |
#   logits = model(ids)[:, -1]
#   probs = (▢).softmax(-1)  # temperature one half
#   assert probs.max() > logits.softmax(-1).max()
# right: ["logits / 0.5", "logits * 2", "2 * logits", "logits/(1/2)"]
# praise: Dividing by one half doubles every difference between scores, so the likely words become likelier.
# wrong:
#   "logits * 0.5": That is temperature 2. The distribution becomes flatter.
#   "logits / 2": That is temperature 2. The distribution becomes flatter.
#   "logits - 0.5": Softmax does not notice when the same number is taken off every score.
# otherwise: "Divide the scores by the temperature before the softmax."
# solution: "`logits / 0.5`, which is `2 * logits`."
# ```
#
# ## What surprised us
#
# **Ten times the rate spoiled nothing.** The run was meant to show a failure. It ended at
# {{ result("training.fast_end", ".2f") }} nats after 200 steps. Our optimizer, *Muon*, gives every step of a matrix the
# same size whatever the gradient, and layer norms undo much of what large weights do. That is our explanation; we
# tested no other optimizer ([dead end](../dead-ends/training-rate-too-large.md)).
#
# **Top-p does not bring the truth nearer.** At its best it is ahead of top-k, but by less than the number may differ between two machines.
#
# ## Try it
#
# **1. Min-p** (10 minutes). Keep only words with at least a twentieth of the likeliest word's probability. Is that
# nearer to the truth than top-p at its best?
#
# ??? tip "Hint"
#     `probs * (probs >= 0.05 * probs.max(-1, keepdim=True).values)`, then make it sum to 1 again.

# %% tags=["solution"]
with torch.no_grad():
    probs = model(ids[:, :-1]).softmax(-1)
kept = probs * (probs >= 0.05 * probs.max(-1, keepdim=True).values)
kept = (kept / kept.sum(-1, keepdim=True)).double()
legal, overlap = (
    (kept * (TRUE > 0)).sum(-1).mean(),
    torch.minimum(kept, TRUE).sum(-1).mean(),
)
assert abs(float(kept.sum(-1).mean()) - 1) < 1e-6, "does it sum to 1 again?"
print(f"legal {legal:.1%}, overlap {overlap:.1%}")

# %% [markdown]
# **2. Cut off anywhere** (10 minutes). Print some greedy stories. Then let greedy writing go on from the first 7 words
# of long stories, wherever that cuts a sentence. How many of the first sentences are right now?
#
# ??? tip "Hint"
#     `write` takes openings of any length, the token before the story included; `judge` takes the same openings.

# %% tags=["solution"]
for story in written["greedy"][:3]:
    print(" ".join(story[1:24]))
halves = [tuple(words[:8]) for words in told if len(words) > CONTEXT][:128]
share, first, distinct = judge(write(halves, top_k=1), halves)
assert first < judged["greedy"][1], "do the openings stop within a sentence?"
print(f"{share:.0%} of sentences grammatical, of first ones {first:.0%}; {distinct} words")
sampled(atol=0.15, first_cut=first)

# %% [markdown]
# ## You can now
#
# - read a loss curve against controls that only count, and against a floor;
# - distinguish learning from learning by heart;
# - say what temperature does to a distribution, and what it cannot do.
#
# ## What this does not show
#
# - One small model, one training run, 400 steps, one language of short sentences.
# - Overlap counts all words equally. A reader may care more about mistakes than about missing words: then cutting pays.
# - At temperature ½ the number of words does not show the avoidance: it uses {{ result("training.words_half") }}. What it avoids there
#   we have not looked at.
#
# ## Going deeper
#
# **First sentences alone.** A story that repeats one right sentence to its end collects many. Of the first sentences after the
# opening {{ result("training.first_1", ".0%") }} are right at temperature 1 and {{ result("training.first_greedy", ".0%") }} in greedy
# writing. After openings cut at seven words, wherever that is, greedy writing gets {{ result("training.first_cut", ".0%") }} right: there
# it did not choose the place.
#
# **Are the greedy stories one story?** At most {{ result("training.own_greedy", ".0%") }} of the 128 continuations differ.
#
# **From nothing.** At temperature 1, {{ result("training.grammatical_1", ".0%") }} of the sentences begun from nothing are grammatical.
# Greedy writing has only one story there, of {{ result("training.nothing_greedy_words") }} different words.
#
# **The two runs cannot be compared at step 200.** Our own run had {{ result("training.held_200", ".2f") }} nats at step
# 200, but the fast run's rate had come down by then, and the other's had not.
#
# - Finding: [Cold sampling avoids mistakes, it does not mend them](../findings/training-cold-sampling-avoids.md)
# - Dead end: [A rate that was to be too large](../dead-ends/training-rate-too-large.md)
# - Holtzman et al. (2020), [The curious case of neural text degeneration](https://arxiv.org/abs/1904.09751)
# - Eldan & Li (2023), [TinyStories](https://arxiv.org/abs/2305.07759)

# %% tags=["setup"]
in_words(
    unigram="Loss of word frequencies",
    bigram="Loss of a bigram model",
    trigram="Loss of a trigram model",
    floor="Smallest loss possible, that of the grammar itself",
    end="Loss after 400 steps",
    below_trigram="How far that is below the trigram model",
    bigram_passed="Part of the training after which the bigram model is passed",
    held_200="Loss after 200 steps",
    far_agreement="Verb agrees, one noun between, after 400 steps",
    far_agreement_200="Verb agrees, one noun between, after 200 steps",
    list="Songs repeated, after 400 steps",
    few_best="Best loss when trained on 32 stories",
    few_best_step="Step of that best loss",
    few_end="Last loss when trained on 32 stories",
    few_above_unigram="How far that is above word frequencies",
    few_read="Loss on the 32 stories themselves",
    few_below_floor="That loss is below the floor",
    fast_end="Loss after 200 steps at ten times the rate",
    fast_above_bigram="How far that is above the bigram model",
    legal_1="Probability on legal words, no cut",
    overlap_1="Overlap with the true probabilities, no cut",
    best_temperature="Best temperature of the sweep",
    overlap_temperature="Overlap with the truth at the best temperature",
    legal_temperature="Probability on legal words at the best temperature",
    best_top_k="Best top-k of the sweep",
    overlap_top_k="Overlap with the truth at the best top-k",
    legal_top_k="Probability on legal words at the best top-k",
    best_top_p="Best top-p of the sweep",
    overlap_top_p="Overlap with the truth at the best top-p",
    legal_top_p="Probability on legal words at the best top-p",
    legal_greedy="Places where the likeliest word is legal",
    top_p_minus_top_k="Overlap of the best top-p minus that of the best top-k",
    after_1="Grammatical sentences, temperature 1",
    first_1="Grammatical first sentences, temperature 1",
    words_1="Different words used, temperature 1",
    after_half="Grammatical sentences, temperature 0.5",
    first_half="Grammatical first sentences, temperature 0.5",
    words_half="Different words used, temperature 0.5",
    after_top_k="Grammatical sentences, top-k 5",
    first_top_k="Grammatical first sentences, top-k 5",
    words_top_k="Different words used, top-k 5",
    after_top_p="Grammatical sentences, top-p 0.9",
    first_top_p="Grammatical first sentences, top-p 0.9",
    words_top_p="Different words used, top-p 0.9",
    after_greedy="Grammatical sentences, greedy",
    first_greedy="Grammatical first sentences, greedy",
    words_greedy="Different words used, greedy",
    own_greedy="Different greedy continuations of the 128 openings",
    grammatical_1="Grammatical sentences from nothing, temperature 1",
    distinct_half="Different words from nothing, temperature 0.5 against 1",
    nothing_greedy_words="Different words from nothing, greedy",
    first_cut="Grammatical first sentences after openings of seven words, greedy",
)
