# ---
# title: Adapters and prompts
# question: Five ways to tune a model by a few thousand numbers. What can each of them teach it, and what not?
# answer: >-
#   Where the numbers sit matters more than how many they are. {{ result("adapters.numbers_bottleneck", ",.0f") }} numbers inside the layers exchange the pronouns to
#   {{ result("adapters.bottleneck_pronouns", ".2f") }} nats; a prefix of half as many, outside them, stays at
#   {{ result("adapters.prefix_pronouns", ".1f") }}.
# chapter: Changing it
# level: intermediate
# models: [world]
# needs: [32_lora]
# tags: [adapters, prompt tuning, prefix tuning, BitFit, LoRA]
# thumbnail: ladder
# timeout: 300
# ---

# %% tags=["setup"]
import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods.adapters import prefix, prompted, soft_prompt
from llmnotes.methods.lora import next_word_loss, predictor, tune
from llmnotes.shipped.tuning import SEEDS, STEPS, TASKS, exam, histories, history
from llmnotes.world import END, IDS
from llmnotes.world.changes import loss_by_rule

BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
note = within(atol=1e-6, because="read from the shipped history of the recipe")
live = within(atol=0.3, because="training amplifies rounding")

# %% [markdown]
# ## A case you can hold: eight words that nobody can say
#
# In front of every story we put eight vectors as if they were words. They are no words: gradient descent may put them anywhere.
# Nothing else in *World* is trained. Can eight vectors teach it that everybody lives in Kelso now?

# %% tags=["setup"]
world = llmnotes.load("world")


# %% tags=["idea"]
def tuned_prompt(task, rate, seed=0):
    trained = soft_prompt(world, 8, seed=seed)  # {"prompt": (8, 128)}
    say = prompted(world, trained)  # ids to logits, behind the prompt

    def loss(ids):
        return next_word_loss(say(ids), ids)

    tune(trained.values(), loss, TASKS[task].batches(seed), rate, steps=STEPS)
    return say


say = tuned_prompt("one home", 3e-2)

# %% tags=["setup"]
anna = torch.tensor([[IDS[word] for word in f"{END} Anna lives in".split()]])
with torch.no_grad():
    kelso = [
        use(anna)[0, -1].softmax(-1)[IDS["Kelso"]].item() for use in (predictor(world), say)
    ]
live(kelso_before=kelso[0], kelso_after=kelso[1])

# %%
print("Kelso: {:.0%} before, {:.0%} behind the prompt".format(*kelso))

# %% [markdown]
# ## Five places to put a few numbers
#
# {{ drawing("adapters", alt="A block with attention and MLP, frozen. Trained are: a prompt before the words, a prefix of keys and values beside attention, bottlenecks behind attention and MLP, biases, or low-rank products.") }}
#
# - A **soft prompt** stands before the text ([Lester et al. 2021](https://arxiv.org/abs/2104.08691)).
# - A **prefix** is keys and values, in every layer, for attention to look at besides the text's own
#   ([Li & Liang 2021](https://arxiv.org/abs/2101.00190)).
# - **Biases** alone are trained ([Ben Zaken et al. 2022](https://arxiv.org/abs/2106.10199)).
# - A **bottleneck** behind attention and MLP squeezes what they put out through eight numbers and adds the result
#   ([Houlsby et al. 2019](https://arxiv.org/abs/1902.00751)).
# - **LoRA** adds a low-rank product to each matrix, here of rank 4 ([LoRA](32_lora.md)).
#
# What a prefix can do to a head is easy to write down. Let $\lambda$ be the share of attention that goes to it:
#
# $$
# \mathrm{out} = (1 - \lambda) \sum_{j \in \text{text}} a_j\, \v{v_j} \;+\; \lambda \sum_{p \in \text{prefix}} b_p\, \v{v_p}
# $$
#
# $a_j$ are the weights that the head would give the words anyway. A prefix adds a vector and turns the rest down. It never
# changes which word gets more attention than which other ([Petrov et al. 2024](https://arxiv.org/abs/2310.19698)).
#
# ```exercise
# title: A prefix in one head
# minutes: 4
# code: |
#   s = torch.tensor([1.0, 2.0]); p = torch.tensor([3.0])   # scores of two words, and of a prefix
#   with_prefix = torch.cat([p, s]).softmax(0)
#   lam = with_prefix[0]
#   assert torch.allclose(with_prefix[1:], ▢)
# right: ["(1 - lam) * s.softmax(0)", "s.softmax(0) * (1 - lam)", "(1-lam) * s.softmax(0)"]
# praise: The words keep their order and their ratios. Only their total shrinks.
# wrong:
#   "s.softmax(0)": These add up to 1. What share is left for the words?
#   "lam * s.softmax(0)": That is the share of the prefix.
#   "1 - lam": That is the total of the two words.
# otherwise: "The words share what the prefix leaves, in the ratios that they had."
# solution: "`(1 - lam) * s.softmax(0)`: softmax keeps ratios."
# ```
#
# ## Your prediction
#
# Four tasks, each asking for more. *One home*: everybody lives in Kelso. *New homes*: each of 24 people has another home.
# *Pronouns*: *he* and *she* trade places. *Backwards*: each verse of a song repeats the first one in reverse.

# %%
ask(
    "Eight vectors in front of the text, and nothing else trained. Which of the four can they teach?",
    choices={
        "none": "None of them fully: a prompt can hint, and the frozen weights go on as before",
        "one": "The one home, which is the same word for everybody",
        "three": "All but the songs: eight vectors can hold a list of homes",
    },
    answer="none",
    because={
        "none": "Each head can look at the prompt, and adds what it finds there. That has to outweigh what the weights say about Anna.",
        "one": "One word for all needs no looking up, so it is the easiest. Still the prompt has to drown 24 facts that the weights hold.",
        "three": "There is room for it in 1,024 numbers. But a prompt cannot tell the weights to stop.",
    },
    figure="ladder",
    prompt_one_home="> 0.5",
    prompt_pronouns="> 0.69",
)
predict(
    "Every way learns the one home, to under 0.3 nats",
    0.6,
    one_home_worst="< 0.3",
    after_a_look=True,
)
predict(
    "A soft prompt learns the exchanged pronouns better than a coin",
    0.25,
    prompt_pronouns="< 0.69",
    after_a_look=True,
)
predict(
    "A prefix is better at the pronouns than a soft prompt",
    0.7,
    prefix_ahead="> 0",
    after_a_look=True,
)
predict(
    "Biases alone learn the 24 new homes to under 1 nat",
    0.3,
    biases_homes="< 1",
    after_a_look=True,
)
predict(
    "Bottlenecks are within 0.2 nats of LoRA at the pronouns",
    0.6,
    bottleneck_behind="between -0.2 and 0.2",
    after_a_look=True,
)

# %% [markdown]
# ## What stands outside the layers hints, what sits inside them teaches

# %% tags=["setup"]
runs = [r for r in history("adapters") if r["seed"] in SEEDS]
WAYS = {
    "prompt": "soft prompt",
    "prefix": "prefix",
    "biases": "biases",
    "bottleneck": "bottleneck",
    "low rank": "LoRA, rank 4",
}
LADDER = {"one home": "fact", "homes": "fact", "pronouns": "pronoun", "backwards": "list"}
start = {
    task: loss_by_rule(predictor(world), exam(task))[rule] for task, rule in LADDER.items()
}


def losses(way: str, task: str) -> np.ndarray:
    """The loss at the words that the task changes, for each seed of the tuning."""
    found = [r for r in runs if (r["way"], r["task"]) == (way, task)]
    assert len(found) == len({r["seed"] for r in runs}), (way, task)
    return np.array([r["new"][LADDER[task]] for r in found])


table = {way: {task: losses(way, task) for task in LADDER} for way in WAYS}
size = {way: next(r["numbers"] for r in runs if r["way"] == way) for way in WAYS}
mean = {way: {task: v.mean() for task, v in of.items()} for way, of in table.items()}
note(**{f"numbers_{way.replace(' ', '_')}": size[way] for way in WAYS})
note(
    one_home_worst=max(mean[way]["one home"] for way in WAYS),
    prompt_one_home=mean["prompt"]["one home"],
    prompt_homes=mean["prompt"]["homes"],
    prompt_pronouns=mean["prompt"]["pronouns"],
    prompt_backwards=mean["prompt"]["backwards"],
    prefix_pronouns=mean["prefix"]["pronouns"],
    prefix_homes=mean["prefix"]["homes"],
    prefix_backwards=mean["prefix"]["backwards"],
    prefix_ahead=mean["prompt"]["pronouns"] - mean["prefix"]["pronouns"],
    biases_homes=mean["biases"]["homes"],
    biases_pronouns=mean["biases"]["pronouns"],
    biases_backwards=mean["biases"]["backwards"],
    bottleneck_pronouns=mean["bottleneck"]["pronouns"],
    bottleneck_homes=mean["bottleneck"]["homes"],
    bottleneck_backwards=mean["bottleneck"]["backwards"],
    low_rank_pronouns=mean["low rank"]["pronouns"],
    low_rank_homes=mean["low rank"]["homes"],
    low_rank_backwards=mean["low rank"]["backwards"],
    bottleneck_behind=mean["bottleneck"]["pronouns"] - mean["low rank"]["pronouns"],
    outside_behind=min(mean[way]["pronouns"] for way in ("prompt", "prefix"))
    - max(mean[way]["pronouns"] for way in ("bottleneck", "low rank")),
)
live(
    atol=0.05,
    start_homes=start["homes"],
    start_pronouns=start["pronouns"],
    start_backwards=start["backwards"],
)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 4, height=3, sharey=True)
TITLES = ("one home", "24 homes", "pronouns", "backwards")
for ax, task, title in zip(axes, LADDER, TITLES, strict=True):
    for y, way in enumerate(WAYS):
        colour = ORANGE if way == "prompt" else BLUE
        (dots,) = ax.plot(
            table[way][task],
            [y] * len(table[way][task]),
            "o",
            ms=4,
            color=colour,
            alpha=0.7,
        )
        if way == "prompt" and task == "pronouns":
            dots.set_gid("choice-none")
    ax.axvline(start[task], color=plots.INK, ls="--", lw=1)
    ax.set(title=title, xlabel="nats", xlim=(-0.3, start[task] + 0.6))
axes[0].set_yticks(range(len(WAYS)), [*WAYS.values()])
axes[0].invert_yaxis()
figure(
    fig,
    name="ladder",
    alt="For four tasks the loss at the changed words after tuning in five ways, five seeds each, and before tuning.",
    caption="Loss at facts (homes and all others), pronouns or songs; dashed is the untuned model. Each way at its own best rate of three or four.",
    data={way.replace(" ", "_"): np.array([*of.values()]) for way, of in table.items()},
)

# %% [markdown]
# The soft prompt leaves {{ result("adapters.prompt_one_home", ".1f") }} nats even at the one home, and
# {{ result("adapters.prompt_pronouns", ".1f") }} at the pronouns, far above a coin's 0.69. A prefix reaches into every layer and does better
# at each task, and still leaves {{ result("adapters.prefix_pronouns", ".1f") }} at the pronouns.
#
# Attention can look at both, and that is all. Whatever they add comes on top of what the frozen weights say, and those go on saying
# *her* after *Anna*. Bottlenecks and LoRA change what the layers write, and can turn it around: they end at
# {{ result("adapters.bottleneck_pronouns", ".2f") }} and {{ result("adapters.low_rank_pronouns", ".2f") }} nats.
#
# The biases are between. Only the soft prompt has fewer numbers, and the biases learn the one home well. Where the answer depends on the
# person, they get part of the way: {{ result("adapters.biases_homes", ".2f") }} nats with 24 homes, {{ result("adapters.biases_pronouns", ".2f") }} at the
# pronouns.
#
# No way learns to sing backwards in 150 steps. LoRA comes nearest, with {{ result("adapters.low_rank_backwards", ".2f") }}
# nats; biases and bottlenecks stand at {{ result("adapters.biases_backwards", ".2f") }} and
# {{ result("adapters.bottleneck_backwards", ".2f") }}. For that rule a head has to look from each syllable to another one
# than before. Only LoRA changes the matrices that decide where a head looks, and these steps are too few for it as well.
#
# ## What surprised us
#
# **Biases learned a list.** A bias is the same for every word, so it should not know who is asked about. But it is added before a
# GELU and before a softmax, where a shift decides which neurons are on and which word gets the attention. That is enough for part of a list of 24 homes.
#
# **A prompt is not a weak LoRA.** We expected a soft prompt to be slow, and to get there. Its best rate was the largest of four, and
# it was far from done with the easiest task.
#
# ## Try it
#
# **A prompt in front of another rule** (10 minutes). Teach the soft prompt that a verb agrees with the nearest noun: *the cats near the
# dog runs*. The frozen weights have to stop looking at the first noun. How much of the loss goes? Predict it before you run it.
#
# ??? tip "Hint"
#     `tuned_prompt` takes the task `"nearest"`; the words that it changes are those of the rule `"agreement_1"`.

# %% tags=["solution"]
behind = loss_by_rule(tuned_prompt("nearest", 3e-2), exam("nearest"))["agreement_1"]
alone = loss_by_rule(predictor(world), exam("nearest"))["agreement_1"]
assert 0.3 * alone < behind < alone, f"{behind}: is the exam that of the new rule?"
print(f"{alone:.1f} nats before, {behind:.1f} behind the prompt")

# %% [markdown]
# ## You can now
#
# - say of five ways of tuning where their numbers sit and what they can reach;
# - show with one line of algebra what a prefix cannot do to a head;
# - choose a small way of tuning by what the task asks for.
#
# ## What this does not show
#
# - One small model and 150 steps; in four other trainings only the pronouns, with one seed each. [Lester et al.](https://arxiv.org/abs/2104.08691) find that soft prompts get better with the size of
#   the model, and they train for far longer.
# - The ways differ in how many numbers they train, from 1,024 to 20,480.
# - Rates were chosen on one seed and two of the four tasks. Prompt and prefix were best at the largest rate tried, so a still larger one might help them.
#
# ## Going deeper
#
# ### The algebra, checked on a head

# %% tags=["setup"]
words = torch.tensor([[IDS[w] for w in f"{END} Anna lost her ring . she lives in".split()]])
trained = prefix(world, 4, seed=0)


with torch.no_grad():
    q, k, _ = (
        world.model.transformer.h[0]
        .attn.c_attn(
            world.model.transformer.h[0].ln_1(
                world.model.transformer.wte(words)
                + world.model.transformer.wpe.weight[: words.size(1)]
            )
        )
        .split(128, -1)
    )
    scores = (q[0, -1, :32] @ k[0, :, :32].T) / 32**0.5  # head 0 at the last word
    extra = (q[0, -1, :32] @ trained["k.0"][0].T) / 32**0.5
    together = torch.cat([extra, scores]).softmax(0)
    among_words = together[4:] / together[4:].sum()
gap = (among_words - scores.softmax(0)).abs().max()
live(atol=1e-5, because="rounding", head_gap=gap)

# %% [markdown]
# Attention of head 0 in layer 0 at the last of nine words, with a prefix of four and without: among the words the weights differ by
# {{ result("adapters.head_gap", ".0e") }} at most. In later layers the text's own queries and keys have changed, because
# the first layer added something, so there a prefix can move attention after all, by that detour.
#
# ### In five trainings of *World*
#
# The five ways once more at the pronouns, in four other trainings of *World*, with one seed and at the rates that were chosen on the first.

# %% tags=["setup"]
rows = {
    seed: {
        way: np.mean(
            [
                r["new"]["pronoun"]
                for r in some
                if (r["way"], r["task"]) == (way, "pronouns")
            ]
        )
        for way in WAYS
    }
    for seed, some in histories("adapters").items()
}
OUTSIDE, INSIDE = ("prompt", "prefix"), ("bottleneck", "low rank")
note(
    worlds=len(rows),
    outside_least=min(row[way] for row in rows.values() for way in OUTSIDE),
    inside_most=max(row[way] for row in rows.values() for way in INSIDE),
    biases_least=min(row["biases"] for row in rows.values()),
    biases_most=max(row["biases"] for row in rows.values()),
)

# %%
print(f"{'World':13}", *(f"{seed:5}" for seed in rows))
for way, name in WAYS.items():
    print(f"{name:13}", *(f"{row[way]:5.2f}" for row in rows.values()))

# %% [markdown]
# In all {{ result("adapters.worlds") }}, prompt and prefix leave at least {{ result("adapters.outside_least", ".1f") }} nats, bottlenecks and LoRA at most
# {{ result("adapters.inside_most", ".2f") }}. The biases are between, from {{ result("adapters.biases_least", ".2f") }} to
# {{ result("adapters.biases_most", ".2f") }}.
#
# - Finding: [Inside the layers beats in front of them](../findings/adapters-ladder.md)
# - Lester, Al-Rfou & Constant (2021), [The power of scale for parameter-efficient prompt tuning](https://arxiv.org/abs/2104.08691)
# - Li & Liang (2021), [Prefix-tuning](https://arxiv.org/abs/2101.00190)
# - Houlsby and others (2019), [Parameter-efficient transfer learning for NLP](https://arxiv.org/abs/1902.00751)
# - Ben Zaken, Goldberg & Ravfogel (2022), [BitFit](https://arxiv.org/abs/2106.10199)
# - Petrov, Torr & Bibi (2024), [When do prompting and prefix-tuning work?](https://arxiv.org/abs/2310.19698)

# %% tags=["setup"]
in_words(
    kelso_before="Probability that Anna lives in Kelso, before",
    kelso_after="The same behind a tuned prompt, one seed",
    numbers_prompt="Numbers of a soft prompt of 8",
    numbers_prefix="Numbers of a prefix of 8",
    numbers_biases="Biases of World",
    numbers_bottleneck="Numbers of bottlenecks of width 8",
    numbers_low_rank="Numbers of a change of rank 4",
    one_home_worst="Loss at the one home, the way that learns it worst",
    prompt_one_home="Loss at the one home, soft prompt, mean of five seeds",
    prompt_homes="Loss at 24 new homes, soft prompt",
    prompt_pronouns="Loss at exchanged pronouns, soft prompt",
    prompt_backwards="Loss at backward songs, soft prompt",
    prefix_pronouns="Loss at exchanged pronouns, prefix",
    prefix_homes="Loss at 24 new homes, prefix",
    prefix_backwards="Loss at backward songs, prefix",
    prefix_ahead="Exchanged pronouns: soft prompt minus prefix",
    biases_homes="Loss at 24 new homes, biases",
    biases_pronouns="Loss at exchanged pronouns, biases",
    biases_backwards="Loss at backward songs, biases",
    bottleneck_pronouns="Loss at exchanged pronouns, bottlenecks",
    bottleneck_homes="Loss at 24 new homes, bottlenecks",
    bottleneck_backwards="Loss at backward songs, bottlenecks",
    low_rank_pronouns="Loss at exchanged pronouns, rank 4",
    low_rank_homes="Loss at 24 new homes, rank 4",
    low_rank_backwards="Loss at backward songs, rank 4",
    bottleneck_behind="Exchanged pronouns: bottlenecks minus rank 4",
    worlds="Trainings of World that were tuned",
    outside_least="Loss at exchanged pronouns with a prompt or prefix, least of the trainings",
    inside_most="The same with bottlenecks or rank 4, most of the trainings",
    biases_least="The same with biases, least of the trainings",
    biases_most="The same with biases, most of the trainings",
    outside_behind="Exchanged pronouns: the better of prompt and prefix minus the worse of bottlenecks and rank 4",
    start_homes="Loss at 24 new homes before tuning",
    start_pronouns="Loss at exchanged pronouns before tuning",
    start_backwards="Loss at backward songs before tuning",
    head_gap="Largest change of a head's attention among words by a prefix, first layer",
)
