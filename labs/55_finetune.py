# ---
# title: Fine-tuning for a task
# question: A model that only continues stories is to answer questions. What does that take, and what does it cost?
# answer: >-
#   Sixty steps teach the form: {{ result("finetune.never_answers", ".0%") }} of the questions about people whom training never asked about are
#   right. But if only the answers count in the loss, the model's own language goes.
# level: intermediate
# minutes: 12
# models: [world]
# needs: [07_training, 08_meet]
# tags: [fine-tuning, world language]
# chapter: Building one
# thumbnail: ways
# timeout: 600
# ---

# %% tags=["setup"]
import random

import numpy as np
import torch
from torch import nn

import llmnotes
from llmnotes.lab import ask, figure, in_words, note, plots, predict, within
from llmnotes.scratch import from_gpt2, loss_of
from llmnotes.world import VOCABULARY, divergence, tell, truth, word_ids
from llmnotes.world.lexicon import FOOD, HOME, JOB, OWNING, PEOPLE, SEEING

torch.set_num_threads(1)
BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
fixed = within(rtol=0.01, because="fixed weights, sums in another order")
tuned_note = within(atol=0.12, because="short trainings: they differ from CPU to CPU")

# %% [markdown]
# ## A case you can hold: a question in brackets
#
# *World* knows where everybody lives. Give it *Anna lives in*, and it names the town. Now we want to *ask* it, in a form that it has never
# seen: behind a tale stands `[ Anna lives ]`, and the answer is to be the one word *Isley*.

# %% tags=["setup"]
KINDS = {"lives": HOME, "is": JOB, "likes": FOOD}
OWN_WORDS = {"lives": "lives in", "is": "is a", "likes": "likes"}


def base():
    return from_gpt2(llmnotes.load("world").model)


def tale(number, row=1, longest=24):
    """The first whole sentences of a story."""
    words = [token.word for token in tell(row, number)][:longest]
    return words[: max((i for i, word in enumerate(words) if word == "."), default=0) + 1]


def question(name, verb, number):
    """A tale, a question about a fact, and the answer."""
    return [*tale(number), "[", name, verb, "]", KINDS[verb][name]]


world = base()
for text in ("Anna lives in", "[ Anna lives ]"):
    with torch.no_grad():
        p = world(word_ids(f"<|endoftext|> {text}")[None])[0, -1].softmax(-1)
    best = [f"{VOCABULARY[int(i)]} {x:.0%}" for x, i in zip(*p.topk(3), strict=True)]
    print(text, *best, sep="  ")

# %% [markdown]
# In its own words *World* has {{ result("finetune.known", ".0%") }} of the 72 facts about its 24 people right. Asked in brackets it has
# {{ result("finetune.asked_base", ".0%") }}. It knows, and does not know that it is being asked.
#
# {{ drawing("answer-loss", alt="A tale, a question in brackets and its answer, word by word. With the loss on every word all of them are scored, with the loss on the answer only the last.") }}
#
# ## The loss can look at every word, or at the answer alone
#
# Fine-tuning is training, with other texts and few steps. One choice is new: which words count.
#
# $$
# L = -\frac{1}{|S|} \sum_{t \in S} \ln p(w_t \mid w_1 \dots w_{t-1})
# $$
#
# $S$ holds the places of all words of tale, question and answer, or only those of the answers, and $p$ is the probability that the model
# gives to word $w_t$. Words outside $S$ are read, but nobody asks whether the model saw them coming.


# %% tags=["idea"]
def batch_of(some, answers_only):
    """What is read and what follows each word, (example, pos); -100 where nothing is scored."""
    rows = torch.full((len(some), max(map(len, some))), -100)
    for row, words in zip(rows, some, strict=True):
        row[: len(words)] = word_ids(words)
    targets = rows[:, 1:].clone()
    if answers_only:
        last = torch.tensor([len(words) - 2 for words in some])
        targets[torch.arange(targets.shape[1]) != last[:, None]] = -100
    return rows[:, :-1].clamp(min=0), targets


# %% [markdown]
# The loop is the one of every training. It draws new examples each step, starts from *World*, and looks at the model now and then.


# %% tags=["idea"]
def tune(example, seed, answers_only, steps=60, rows=8, rate=1e-3, look=lambda model: None):
    model, rng, seen = base(), random.Random(seed), []
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.0, betas=(0.9, 0.98))
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = (
            rate * min(1, (step + 1) / 10) * (1 - step / steps)
        )
        loss_of(
            model.train(), batch_of([example(rng) for _ in range(rows)], answers_only)
        ).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if (step + 1) % 20 == 0:
            seen.append(look(model.eval()))
    return model, seen


# %% [markdown]
# For each of five seeds we draw sixteen people whom training may ask about. About the other eight nobody ever asks. A test on the
# sixteen could be passed by learning 48 answers by heart; a test on the eight could not. And we measure what is kept of the base: the distance from
# the grammar in plain stories, which is {{ result("finetune.apart_base", ".3f") }} nats a word before.
#
# ## Your prediction

# %%
ask(
    "Loss on the answers alone, or on every word of tale, question and answer. Which model answers more questions, and which keeps more of the base?",
    choices={
        "trade": "On answers it answers more, on every word it keeps more: a trade",
        "every": "With the loss on every word it answers more and keeps more",
        "answers": "With the loss on answers it answers more and keeps more: nothing else is disturbed",
    },
    answer="trade",
    because={
        "trade": "All of the gradient goes to the task, so it is learned faster. But nothing holds the rest of the model in place.",
        "every": "The words of tale and question do hold the model where it was. They also share the gradient with the answers.",
        "answers": "What is not scored is not protected. The model may do with it as it likes.",
    },
    figure="ways",
    all_minus_answers="< 0",
    kept_more_all="> 0",
)
predict(
    "The loss on answers answers more of the questions than the loss on every word",
    0.7,
    all_minus_answers="< 0",
)
predict(
    "It moves the model at least three times as far from the grammar",
    0.6,
    forgets_times="> 3",
)
predict(
    "People whom training never asked about are as right as the others, to 5 points",
    0.6,
    gap_all="< 0.05",
)
predict(
    "Questions about what somebody saw in the tale can be taught as well, to more than 90%",
    0.4,
    lookup="> 0.9",
)

# %% [markdown]
# ## What is not scored is not kept

# %% tags=["setup"]
STORIES = [[token.word for token in tell(3, 5000 + i)][:64] for i in range(25)]
TRUE = [(word_ids(words)[None], truth(words)) for words in STORIES]


@torch.no_grad()
def apart(model):
    """The distance from the grammar in plain stories, in nats a word."""
    return torch.cat([divergence(model(ids)[0], true) for ids, true in TRUE]).mean().item()


@torch.no_grad()
def right(model, some):
    """The share of examples whose answer is the likeliest word."""
    ids, targets = batch_of(some, answers_only=True)
    said = model(ids).argmax(-1)
    return np.mean(
        [bool((s == t)[t != -100].all()) for s, t in zip(said, targets, strict=True)]
    )


def asked_of(people):
    return [
        question(name, verb, 100_000 + i) for i, name in enumerate(people) for verb in KINDS
    ]


def run(seed, answers_only):
    people = PEOPLE[:]
    random.Random(seed).shuffle(people)
    asked, never = people[:16], people[16:]

    def example(rng):
        return question(
            rng.choice(asked), rng.choice(list(KINDS)), 50_000 + rng.randrange(40_000)
        )

    def look(model):
        return right(model, asked_of(asked)), right(model, asked_of(never)), apart(model)

    return tune(example, seed, answers_only, look=look)


SEEDS = range(5)
WAYS = {"all": False, "answers": True}
made = {way: [run(seed, only) for seed in SEEDS] for way, only in WAYS.items()}
found = {
    way: np.array([seen for _, seen in runs]) for way, runs in made.items()
}  # (seed, look, what)
own = [
    ["<|endoftext|>", name, *OWN_WORDS[verb].split(), KINDS[verb][name]]
    for name in PEOPLE
    for verb in KINDS
]
fixed(
    known=right(world, own),
    asked_base=right(world, asked_of(PEOPLE)),
    apart_base=apart(world),
)

own_words = {
    way: np.mean([right(model, own) for model, _ in runs]) for way, runs in made.items()
}


# %% tags=["setup"]
end = {way: values[:, -1].mean(0) for way, values in found.items()}
note(seeds=len(SEEDS))
tuned_note(
    asked_all=end["all"][0],
    asked_answers=end["answers"][0],
    never_all=end["all"][1],
    never_answers=end["answers"][1],
    gap_all=end["all"][0] - end["all"][1],
    gap_answers=end["answers"][0] - end["answers"][1],
    all_minus_answers=end["all"][1] - end["answers"][1],
    own_all=own_words["all"],
    own_answers=own_words["answers"],
)
never = {way: values[:, -1, 1] for way, values in found.items()}
tuned_note(atol=0.25, worst_all=never["all"].min(), best_all=never["all"].max())
tuned_note(
    atol=0.25, worst_answers=never["answers"].min(), best_answers=never["answers"].max()
)
loose = within(rtol=0.4, because="short trainings: they differ from CPU to CPU")
loose(unit="nats", apart_all=end["all"][2], apart_answers=end["answers"][2])
loose(kept_more_all=(found["answers"][:, -1, 2] - found["all"][:, -1, 2]).min())
loose(forgets_times=(end["answers"][2] - apart(world)) / (end["all"][2] - apart(world)))
fixed(chance=np.mean([1 / len(set(facts.values())) for facts in KINDS.values()]))

# %% tags=["drawing"]
LOOK = {
    "all": ("loss on every word", BLUE, "o-"),
    "answers": ("loss on answers", ORANGE, "D-"),
}
at = [0, 20, 40, 60]
first = [right(world, asked_of(PEOPLE)), right(world, asked_of(PEOPLE)), apart(world)]
fig, (left, right_ax) = plots.subplots(1, 2, height=3.6)
for way, (label, colour, style) in LOOK.items():
    never = np.insert(found[way][:, :, 1], 0, first[1], axis=1)
    asked = np.insert(found[way][:, :, 0], 0, first[0], axis=1)
    left.plot(at, 100 * asked.mean(0), ":", color=colour, lw=1.5)
    left.plot(at, 100 * never.T, color=colour, lw=0.6)
    left.plot(at, 100 * never.mean(0), style, color=colour, ms=5, label=label)
    right_ax.plot(
        at,
        np.insert(found[way][:, :, 2], 0, first[2], axis=1).mean(0),
        style,
        color=colour,
        ms=5,
        label=label,
    )
left.axhline(10, color=GREY, ls="--", lw=1.2)
left.text(60, 11, "control: chance", ha="right", va="bottom", fontsize=9, color=plots.INK)
left.set(xlabel="step", ylabel="questions right (%)", ylim=(-3, 103))
left.set_title("What is learned")
right_ax.axhline(first[2], color=GREY, ls="--", lw=1.2)
right_ax.set(
    xlabel="step", ylabel="from the grammar (nats a word)", yscale="log", ylim=(0.03, 9)
)
right_ax.text(
    60,
    first[2] * 1.08,
    "control: the base",
    ha="right",
    va="bottom",
    fontsize=9,
    color=plots.INK,
)
right_ax.set_title("What is lost")
left.legend(loc="upper left", fontsize=9)
figure(
    fig,
    name="ways",
    title="The loss on answers learns faster, and loses the language",
    alt="Left: questions right by step, for people never asked about, five seeds and their mean, and dotted for those asked about. The "
    "loss on answers ends higher. Right: distance from the grammar by step. The loss on answers goes far away, the loss on every "
    "word stays near.",
    caption="Thick: people never asked about, means of five seeds. Dotted: people asked about in training.",
    rtol=0.2,
    because="short trainings: they differ from CPU to CPU",
)

# %% [markdown]
# With the loss on answers {{ result("finetune.never_answers", ".0%") }} of the questions about people never asked about are right, with the
# loss on every word {{ result("finetune.never_all", ".0%") }}; chance is {{ result("finetune.chance", ".0%") }}. The form was learned
# from others, the facts were there.
#
# The cost is on the right. The loss on answers takes the model {{ result("finetune.apart_answers", ".1f") }} nats a word away from the
# grammar, the loss on every word {{ result("finetune.apart_all", ".2f") }}. Each answer pushes at weights that all other words use too,
# and nothing pushes back. The facts survive that better than the language does: in its own words, *Anna lives in*, the model still has
# {{ result("finetune.own_answers", ".0%") }} of them, and {{ result("finetune.own_all", ".0%") }} with the loss on every word.
#
# ```exercise
# title: Only the answer counts
# minutes: 3
# code: |
#   targets = ids[:, 1:].clone()         # what follows each word
#   last = lengths - 2                   # where the answer follows
#   targets[torch.arange(targets.shape[1]) != ▢] = -100
# right: ["last[:, None]", "last.unsqueeze(1)", "last.unsqueeze(-1)", "last.view(-1, 1)"]
# praise: Each row has its answer at a place of its own, so the places are compared as a column.
# wrong:
#   "last": That compares place by place as if there were as many rows as places.
#   "-1": Then the padding of short rows would count, and their answers would not.
# otherwise: "A column of places, one for each row."
# solution: "`last[:, None]`"
# ```
#
# ## A test on what was trained flatters
#
# The dotted lines are the sixteen people whom training asked about: {{ result("finetune.asked_answers", ".0%") }} with the
# loss on answers, where the eight others have {{ result("finetune.never_answers", ".0%") }}. With the loss on every word the
# two are further apart, {{ result("finetune.asked_all", ".0%") }} and {{ result("finetune.never_all", ".0%") }}: on the
# sixteen both losses look the same in this training of *World*. The tales before the questions are new in both tests. Only
# the people are not, and that is enough. Whoever splits examples at random and not by person measures the dotted line.
#
# ## A form is not an ability
#
# Now another question in the same form. In the tale somebody saw or lost something, once: *David painted the birds*. Behind it stands
# `[ David painted ]`, and the answer is *birds*. The answer stands in the tale; no fact has to be known. But *World* never had to look up who did
# what. The same training, one seed:


# %% tags=["setup"]
def lookup(number, row=1):
    """A tale with a question about what somebody in it saw or owned; None if there is none."""
    words = tale(number, row, longest=40)
    tokens, options = tell(row, number)[: len(words)], []
    for i, token in enumerate(tokens[:-2]):
        if token.word in (*SEEING, *OWNING):
            options.append((tokens[i - 1].referent, token.word, tokens[i + 2].word))
    once = [o for o in options if sum(o[:2] == other[:2] for other in options) == 1]
    return [*words, "[", *once[-1][:2], "]", once[-1][2]] if once else None


def a_lookup(rng):
    while True:
        if made := lookup(50_000 + rng.randrange(40_000)):
            return made


tests = [made for i in range(400) if (made := lookup(i, row=3))][:100]
looker, _ = tune(a_lookup, 0, answers_only=True)
thumb = np.mean(  # the first thing that anybody saw or owned, whatever the question
    [
        words[next(i for i, word in enumerate(words) if word in (*SEEING, *OWNING)) + 2]
        == words[-1]
        for words in tests
    ]
)
tuned_note(lookup=right(looker, tests))
fixed(lookup_base=right(world, tests), thumb=thumb)
note(lookups=len(tests))
print(f"{right(looker, tests):.0%} right; the first thing in the tale: {thumb:.0%}")

# %% [markdown]
# After 60 steps {{ result("finetune.lookup", ".0%") }} of {{ result("finetune.lookups") }} unseen questions are right. A rule of thumb that does
# not read the question, the first thing that anybody saw or owned, gets {{ result("finetune.thumb", ".0%") }}. The words to copy are there, the form is the same, the steps are as many.
# Fine-tuning of this length brings out what a model has. It did not build what the model lacks.
#
# ## What surprised us
#
# **One seed told the opposite.** The first seed that we ran had the loss on every word ahead in both, and we had begun to write that there is no
# trade. Five seeds turned it round ([surprise](../surprises/finetune-one-seed.md)). With eight people times three facts one answer is
# four points, and seeds differ by more than the two losses do.
#
# **The lookups, which we gave up.** A longer training for lookups with the loss on answers did no better, while it destroyed the
# model's own language. We left it at that
# ([dead end](../dead-ends/finetune-looking-up.md)).
#
# ## Try it
#
# **1. A gentler rate** (5 minutes). Tune with the loss on answers at 3e-4 instead of 1e-3. Does it keep more, and what does it learn?
#
# ??? tip "Hint"
#     `tune` takes `rate`; `run` shows how to make `example` and `look`.

# %% tags=["solution"]


def of_sixteen(rng):
    return question(
        rng.choice(PEOPLE[:16]), rng.choice(list(KINDS)), 50_000 + rng.randrange(40_000)
    )


gentle, _ = tune(of_sixteen, 0, answers_only=True, rate=3e-4)
here, there = right(gentle, asked_of(PEOPLE[16:])), apart(gentle)
assert there > apart(world), "training moves the model away"
print(f"{here:.0%} right about people never asked about,")
print(f"{there:.1f} nats from the grammar")
tuned_note(atol=0.2, gentle=here)
loose(unit="nats", gentle_apart=there)

# %% [markdown]
# ## You can now
#
# - choose which words count in a loss, and say what that does to the rest of the model;
# - tune a model to a form, and measure what it keeps;
# - test answers so that learning them by heart does not help.
#
# ## What this does not show
#
# - Instruction following. One form of question, one-word answers, a model with 72 facts.
# - How other losses do elsewhere. Here the tales are the base's own language, so the loss on every word is also a rehearsal.
# - How well this *World* does it among its kind. In five other trainings the loss on answers gets at least
#   {{ others("least", "finetune.never_answers", ".0%") }} of these questions right, and stays ahead of the loss on every word.
# - That lookups cannot be taught. One seed, 60 steps; a longer training may build what is missing.
#
# ## Going deeper
#
# **Gentler.** At 3e-4 the loss on answers ends {{ result("finetune.gentle_apart", ".2f") }} nats away and gets
# {{ result("finetune.gentle", ".0%") }} right, for one seed.
#
# **Seeds.** With the loss on answers the seeds have from {{ result("finetune.worst_answers", ".0%") }} to
# {{ result("finetune.best_answers", ".0%") }} right, with the loss on every word from {{ result("finetune.worst_all", ".0%") }} to
# {{ result("finetune.best_all", ".0%") }}.
#
# **Forgetting, and softening it** is the subject of a chapter of its own, *Changing it*.
#
# - Surprise: [One seed told the opposite](../surprises/finetune-one-seed.md)
# - Finding: [Short tuning teaches a form, and not a new ability](../findings/finetune-form-without-ability.md)
# - Dead end: [Teaching a model to look up](../dead-ends/finetune-looking-up.md)
# - Wei and others (2022), [Finetuned language models are zero-shot learners](https://arxiv.org/abs/2109.01652)
# - Zhou and others (2023), [LIMA](https://arxiv.org/abs/2305.11206): that tuning teaches a form above all
# - Shi and others (2024), [Instruction tuning with loss over instructions](https://arxiv.org/abs/2405.14394)

# %% tags=["setup"]
in_words(
    known="Facts that World has right in its own words",
    asked_base="Facts that World has right when asked in brackets, before tuning",
    apart_base="World's distance from the grammar before tuning",
    seeds="Seeds of each way",
    asked_all="Right about people asked about, loss on every word",
    asked_answers="Right about people asked about, loss on answers",
    never_all="Right about people never asked about, loss on every word",
    never_answers="Right about people never asked about, loss on answers",
    gap_all="How much a test on people asked about flatters, loss on every word",
    gap_answers="The same with the loss on answers",
    all_minus_answers="Right about people never asked about, loss on every word minus on answers",
    own_all="Facts right in its own words after tuning, loss on every word",
    own_answers="The same with the loss on answers",
    worst_all="Worst seed, people never asked about, loss on every word",
    best_all="Best seed, people never asked about, loss on every word",
    worst_answers="Worst seed, people never asked about, loss on answers",
    best_answers="Best seed, people never asked about, loss on answers",
    apart_all="Distance from the grammar after tuning, loss on every word",
    apart_answers="The same with the loss on answers",
    kept_more_all="How much nearer to the grammar the loss on every word stays, least of five seeds",
    forgets_times="How many times further the loss on answers moves the model",
    chance="Right by chance",
    lookup="Questions about the tale right after tuning, one seed",
    lookup_base="The same before tuning",
    thumb="Right by a rule of thumb: the first thing that anybody saw or owned",
    lookups="Questions about the tale",
    gentle="Right about people never asked about, loss on answers at 3e-4, one seed",
    gentle_apart="Its distance from the grammar",
)
