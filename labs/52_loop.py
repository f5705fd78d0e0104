# ---
# title: The training loop under a glass
# question: What does each dial of the training loop do to the loss, and which of them depend on each other?
# answer: >-
#   The learning rate matters most, and how high it may be depends on warm-up and batch size. Cutting every gradient to a norm of
#   0.1 moves the loss by {{ result("loop.clip_moves", ".3f") }} nats, because Adam divides by the gradient's own size.
# level: intermediate
# minutes: 15
# models: []
# needs: [05_transformer, 07_training]
# tags: [training dynamics, world language]
# chapter: Building one
# thumbnail: rates
# timeout: 600
# ---

# %% tags=["setup"]
import contextlib
import json
import os
import statistics
import time

import numpy as np
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.checkpoint import checkpoint

from llmnotes.lab import ask, figure, in_words, note, plots, predict, within
from llmnotes.scratch import Config, Transformer, loss_of
from llmnotes.shipped import loops
from llmnotes.world import VOCABULARY, story_batches

torch.set_num_threads(1)
BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
shipped = within(rtol=1e-3, because="computed from the shipped history")
short = within(rtol=0.3, because="short trainings: they differ from CPU to CPU")

# %% [markdown]
# ## A case you can hold: one step
#
# A small transformer of *World*'s language, two layers and 32 numbers for each word. One step of its training is five lines.


# %% tags=["idea"]
def step_of(model, optimizer, batch, rate, clip):
    """One step: loss before it, and the norm of the gradient before clipping."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    loss = loss_of(
        model, batch
    )  # forward: how surprised is the model by the words that came?
    loss.backward()  # backward: how does each weight move that loss?
    norm = nn.utils.clip_grad_norm_(
        model.parameters(), clip
    )  # longer gradients are cut to this norm
    optimizer.step()  # every weight moves a little
    optimizer.zero_grad()
    return loss.item(), norm.item()


# %% tags=["setup"]
CONTEXT, ROWS = loops.CONTEXT, 8


def fresh(seed):
    model = Transformer(
        Config(len(VOCABULARY), n_ctx=CONTEXT, n_layers=2, n_heads=4, d_model=32), seed=seed
    )
    return model, torch.optim.AdamW(
        model.parameters(), weight_decay=0.1, betas=(0.9, 0.98), fused=True
    )


stories = story_batches(CONTEXT, ROWS)
model, optimizer = fresh(0)
first = [step_of(model, optimizer, stories(0), 3e-3, 1.0) for _ in range(2)]
print(f"loss {first[0][0]:.2f}, norm of the gradient {first[0][1]:.2f}")
print(f"the same batch again: loss {first[1][0]:.2f}")
within(rtol=0.02, because="one step from noise")(
    loss_before=first[0][0], loss_after=first[1][0], first_norm=first[0][1]
)

# %% [markdown]
# The loss on this batch falls from {{ result("loop.loss_before", ".2f") }} to {{ result("loop.loss_after", ".2f") }} nats in one step.
#
# {{ drawing("training-loop", alt="The loop: a batch of stories goes forward through the network to a loss, backward to gradients, through clipping to the optimizer, which changes the weights; the dials stand at the places where they act.") }}
#
# The optimizer is *AdamW*. For each weight it keeps two running averages, and moves
#
# $$
# \theta \leftarrow \theta - \eta_t \left( \frac{\hat m}{\sqrt{\hat v} + \epsilon} + \lambda \theta \right)
# $$
#
# with $\theta$ the weight, $\eta_t$ the learning rate at step $t$, $\hat m$ the average of its gradient, $\hat v$ that of its square,
# $\lambda$ the weight decay and $\epsilon$ a tiny number. The rate rises during *warm-up* and then falls along a cosine.
#
# We turned six dials, one at a time, for 250 steps with five seeds each. That is {{ result("loop.trainings") }} trainings, in a
# [recipe](../recipes/loops.md) of about ten minutes; the curves ship with the notebook. Turn them yourself:
#
# {{ widget("loop") }}
#
# ## Your prediction
#
# One dial is *clipping*. In the middle setting {{ result("loop.base_clipped", ".0%") }} of all gradients are longer than 1 and are cut to
# it. Now the limit is 0.1, and every gradient of every step is cut to that one length.

# %%
ask(
    "Every gradient is now cut to a norm of 0.1, a tenth of the old limit. What happens to the held-out loss?",
    choices={
        "slow": "It ends much higher: the steps are a tenth as long, and 250 of them are not enough",
        "same": "Hardly anything",
        "better": "It ends lower: smaller steps are safer",
    },
    answer="same",
    because={
        "slow": "With plain gradient descent it would. Adam divides each gradient by the average size of its past ones.",
        "same": "If all gradients get shorter, so does their average size, and the quotient stays.",
        "better": "The steps are not smaller. Adam divides the change away.",
    },
    figure="dials",
    clip_moves="< 0.05",
)
predict(
    "After one batch of noise the loss needs more than 5 steps to come back",
    0.5,
    spike_back="> 5",
)
predict("Without clipping the spike is at least twice as high", 0.5, spike_ratio="> 2")

# %% [markdown]
# ## Clipping hardly matters here, because Adam forgets the scale

# %% tags=["setup"]
RUNS = json.loads(loops.HISTORY.read_text())
FLOOR = 1.41  # the entropy of the language, for orientation only


def ends(**how):
    """The held-out losses at the end, one for each seed, of a setting."""
    wanted = loops.BASE | how
    return np.array(
        [run["held"][-1] for run in RUNS if all(run[k] == v for k, v in wanted.items())]
    )


def field(name, **how):
    wanted = loops.BASE | how
    return np.array(
        [run[name] for run in RUNS if all(run[k] == v for k, v in wanted.items())]
    )


base = ends()
note(trainings=len(RUNS), seeds=len(base))
shipped(unit="nats", base=base.mean(), base_spread=base.std())
shipped(
    base_clipped=field("clipped").mean(), tight_clipped=field("clipped", clip=0.1).mean()
)
shipped(
    clip_moves=abs(ends(clip=0.1).mean() - base.mean()),
    no_clip_moves=abs(ends(clip=1000.0).mean() - base.mean()),
    decay_strong=ends(decay=1.0).mean() - base.mean(),
    dropout_fresh=ends(dropout=0.1).mean() - base.mean(),
    rate_best=ends(rate=1e-2).mean(),
    rate_low=ends(rate=1e-3).mean(),
    rate_high=ends(rate=1e-1).mean(),
    rows_2=ends(rows=2).mean(),
    rows_32=ends(rows=32).mean(),
)


# %% tags=["drawing"]
NAMES = {
    "rate": "learning rate",
    "rows": "batch size",
    "warmup": "warm-up steps",
    "decay": "weight decay",
    "dropout": "dropout",
    "clip": "clipping",
}
fig, ax = plots.subplots(height=4.4)
y, ticks, labels = 0, [], []
for dial in ("clip", "dropout", "decay", "warmup", "rows", "rate"):
    for value in reversed(loops.DIALS[dial]):
        found = ends(**{dial: value})
        standard = value == loops.BASE[dial]
        ax.plot(
            found,
            [y] * len(found),
            "o" if standard else "D",
            color=BLUE if standard else ORANGE,
            ms=4.5,
        )
        ticks.append(y)
        off = dial == "clip" and value == 1000
        labels.append(f"{NAMES[dial]} {'none' if off else format(value, 'g')}")
        y += 1
    y += 0.7
ax.axvline(base.mean(), color=BLUE, lw=1)
ax.set_yticks(ticks, labels)
ax.set(xlabel="held-out loss after 250 steps (nats)")
ax.grid(axis="y", visible=False)
figure(
    fig,
    name="dials",
    title="Rate and batch size matter; clipping does not",
    alt="Held-out loss for each value of six dials, five seeds each. The learning rate and the batch size move it by up to a nat, "
    "strong weight decay and dropout raise it, warm-up and clipping move it hardly.",
    caption="Blue, with the line: the control, all dials in the middle. Each dot is a seed.",
)

# %% [markdown]
# At 0.1 every gradient is cut ({{ result("loop.tight_clipped", ".0%") }}), and the loss moves by
# {{ result("loop.clip_moves", ".3f") }} nats; the seeds spread by {{ result("loop.base_spread", ".3f") }}. Look at the equation: a factor
# before all gradients stands in $\hat m$ and in $\sqrt{\hat v}$, and cancels. Only *changes* of the factor count.
#
# Weight decay and dropout only cost here, {{ result("loop.decay_strong", ".2f") }} nats for a decay of 1 and
# {{ result("loop.dropout_fresh", ".2f") }} for a dropout of 0.1. No story comes twice, so there is nothing to learn by heart.
#
# ## A high rate needs its warm-up

# %% tags=["setup"]
grid = np.array(
    [
        [ends(rate=rate, warmup=warmup).mean() for rate in loops.DIALS["rate"]]
        for warmup in loops.DIALS["warmup"]
    ]
)
batches = np.array(
    [
        [ends(rate=rate, rows=rows).mean() for rate in loops.DIALS["rate"]]
        for rows in loops.DIALS["rows"]
    ]
)

rates = loops.DIALS["rate"]
shipped(
    warmup_at_base=abs(ends(warmup=0).mean() - ends(warmup=100).mean()),
    warmup_at_ten=ends(rate=3e-2, warmup=0).mean() - ends(rate=3e-2, warmup=100).mean(),
    worst_with=ends(rate=3e-2, warmup=100).max(),
    best_without=ends(rate=3e-2, warmup=0).min(),
    best_rate_none=rates[int(grid[0].argmin())],
    best_rate_long=rates[int(grid[2].argmin())],
    best_rate_2=rates[int(batches[0].argmin())],
    best_rate_32=rates[int(batches[2].argmin())],
)

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.5, sharey=True)
for row, steps, colour, marker in zip(
    grid, loops.DIALS["warmup"], (ORANGE, OCHRE, BLUE), "Dos", strict=True
):
    left.plot(rates, row, marker + "-", color=colour, label=f"{steps} steps")
for row, rows, colour, marker in zip(
    batches, loops.DIALS["rows"], (ORANGE, OCHRE, BLUE), "Dos", strict=True
):
    right.plot(rates, row, marker + "-", color=colour, label=f"{rows} stories")
for ax, title in ((left, "Warm-up"), (right, "Batch size")):
    ax.set(xscale="log", xlabel="learning rate")
    ax.set_xticks([1e-3, 1e-2, 1e-1], ["0.001", "0.01", "0.1"])
    ax.minorticks_off()
    ax.set_title(title)
    ax.legend(fontsize=9)
left.set(ylabel="held-out loss (nats)")
figure(
    fig,
    name="rates",
    title="How high the rate may be depends on warm-up and batch size",
    alt="Held-out loss against learning rate. Left, by warm-up: at low rates the three lines lie together, at high rates no warm-up "
    "ends far above a long one. Right, by batch size: larger batches end lower, and bear higher rates.",
    caption="Means of five seeds. The middle line is the same in both panels.",
)

# %% [markdown]
# At the base rate warm-up makes little difference ({{ result("loop.warmup_at_base", ".3f") }} nats). At ten times that rate it makes
# {{ result("loop.warmup_at_ten", ".2f") }}: the best seed without warm-up is worse than the worst with a long one. So a dial that
# "does nothing" may be what allows another to be turned. Adam's averages begin at zero, and the first steps are the least informed.
#
# Batch size works likewise: with two stories a step the best of these rates is {{ result("loop.best_rate_2", "g") }}, with 32 it is
# {{ result("loop.best_rate_32", "g") }}. But 32 stories a step also read sixteen times as much.
#
# ```exercise
# title: A rate that warms up
# minutes: 3
# code: |
#   step, warmup, rate = 4, 10, 0.03
#   now = ▢                      # rises evenly and reaches rate at step 9, the tenth
#   assert abs(now - 0.015) < 1e-9
# right: ["rate * (step + 1) / warmup", "(step + 1) / warmup * rate", "rate*(step+1)/warmup"]
# praise: Steps count from 0, so the first one already moves.
# wrong:
#   "rate * step / warmup": Then the first step does not move at all.
#   "rate / warmup": That is the rate of the first step, and it stays.
# otherwise: "A share of the rate that grows with the step."
# solution: "`rate * (step + 1) / warmup`"
# ```
#
# ## A loss spike outlives its batch, because Adam remembers
#
# We train five seeds live, and at step 60 give one batch of random words. The control gets none.

# %% tags=["setup"]
LENGTH, BAD = 100, 60
noise = torch.randint(
    1, len(VOCABULARY), (ROWS, CONTEXT + 1), generator=torch.Generator().manual_seed(0)
)
batches_read = [stories(step) for step in range(LENGTH)]


def spiked(seed, bad, clip):
    """The loss on a fixed batch of other stories after each step."""
    model, optimizer = fresh(seed)
    told = []
    for step, batch in enumerate(batches_read):
        if bad and step == BAD:
            batch = noise[:, :-1], noise[:, 1:]
        step_of(model, optimizer, batch, 1e-2 * min(1, (step + 1) / 10), clip)
        with torch.no_grad():
            told.append(loss_of(model, PROBE).item())
    return told


PROBE = story_batches(CONTEXT, 16)(4000)
CLIPS = {"clipped at 1": 1.0, "not clipped": 1e9}
spikes = {  # how much higher the loss is than in the same training without the bad batch: (seed, step)
    name: np.array(
        [
            np.subtract(spiked(seed, True, clip), spiked(seed, False, clip))
            for seed in range(5)
        ]
    )
    for name, clip in CLIPS.items()
}
height = {name: found.max(1).mean() for name, found in spikes.items()}


def back(found):
    """Steps after the bad batch until less than a fifth of the spike is left."""
    return np.mean(
        [
            next(
                i
                for i in range(row.argmax(), LENGTH)
                if row[i] < row.max() / 5 or i == LENGTH - 1
            )
            - BAD
            for row in found
        ]
    )


short(unit="nats", spike_clipped=height["clipped at 1"], spike_free=height["not clipped"])
short(spike_ratio=height["not clipped"] / height["clipped at 1"])
short(
    rtol=0.6,
    spike_back=back(spikes["clipped at 1"]),
    spike_back_free=back(spikes["not clipped"]),
)
note(spike_equal_before=bool(all((found[:, :BAD] == 0).all() for found in spikes.values())))

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.3)
ax.axhline(0, color=GREY, ls="--", lw=1.2)
ax.text(BAD - 9, 0.006, "control", color=plots.INK, fontsize=9)
for (name, found), colour in zip(spikes.items(), (BLUE, ORANGE), strict=True):
    ax.plot(range(50, LENGTH), found.T[50:], color=colour, lw=0.6)
    ax.plot(range(50, LENGTH), found.mean(0)[50:], color=colour, label=name)
ax.set(xlabel="step", ylabel="loss above the control (nats)", xlim=(50, 122))
plots.label_lines(ax)
figure(
    fig,
    name="spike",
    title="One bad batch is felt for many steps",
    alt="Loss above that of the same training without the bad batch. At step 60 it jumps, rises for some steps more, and comes back slowly; "
    "higher without clipping than with it.",
    caption="Thick: means of five seeds. The control is the same training, with a good batch at step 60.",
    rtol=0.3,
    because="short trainings: they differ from CPU to CPU",
)

# %% [markdown]
# One batch in a hundred, and the loss on other stories rises by {{ result("loop.spike_clipped", ".2f") }} nats with clipping and by
# {{ result("loop.spike_free", ".2f") }} without. The batch is over at once. Its gradient stays in Adam's averages, $\hat m$ for some ten steps and
# $\hat v$ for some fifty, so the weights go on moving the wrong way and then too little. Here clipping earns its place: it
# cuts one gradient and leaves its neighbours.
#
# ## Compute again, and remember less
#
# The backward pass needs the activations of the forward pass. *Activation checkpointing* keeps only what enters each block and computes the
# rest again on the way back: memory against time ([Chen and others 2016](https://arxiv.org/abs/1604.06174)).


# %% tags=["idea"]
class Forgetful(Transformer):
    """A transformer that keeps what enters every `group` blocks, and computes the rest again. 0: keeps all."""

    group = 0

    def forward(self, ids):
        x, blocks = (
            self.transformer["wte"](ids) + self.transformer["wpe"].weight,
            list(self.transformer["h"]),
        )
        for i in range(0, len(blocks), self.group or 1):
            part = nn.Sequential(*blocks[i : i + (self.group or 1)])
            x = checkpoint(part, x, use_reentrant=False) if self.group else part(x)
        return self.lm_head(self.transformer["ln_f"](x))


# %% tags=["setup"]
deep = Forgetful(Config(len(VOCABULARY), n_ctx=64, n_layers=8, n_heads=4, d_model=64))
some = (noise[:, :1].repeat(1, 64), noise[:, :1].repeat(1, 64))


@contextlib.contextmanager
def quiet():
    """The profiler writes past Python to the terminal when it begins and ends; not while this is open."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def cost(group):
    """Peak memory in MB, seconds of the processor, and the norm of all gradients, of one forward and backward pass."""
    deep.group = group
    deep.zero_grad()
    with quiet(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        loss_of(deep, some).backward()
    events = sorted(
        (e.start_ns(), e.nbytes())
        for e in seen.profiler.kineto_results.events()
        if e.name() == "[memory]"
    )
    peak = np.cumsum([size for _, size in events]).max() / 1e6
    norm = torch.stack([p.grad.norm() for p in deep.parameters()]).norm().item()
    times = []
    for _ in range(9):
        begun = time.process_time()
        loss_of(deep, some).backward()
        times.append(time.process_time() - begun)
    return peak, statistics.median(times), norm


GROUPS = (0, 1, 2, 4, 8)
costs = {group: cost(group) for group in GROUPS}

memory = within(rtol=0.1, because="what PyTorch allocates beside the activations")
memory(unit="MB", memory_all=costs[0][0], memory_one=costs[1][0], memory_eight=costs[8][0])
memory(memory_saved=1 - costs[1][0] / costs[0][0])
within(atol=0.4, because="the processor's time, on processors with other caches")(
    time_more=costs[1][1] / costs[0][1] - 1
)
note(gradients_equal=bool(abs(costs[1][2] - costs[0][2]) < 1e-5 * costs[0][2]))

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.0)
peaks = [costs[group][0] for group in GROUPS]
bars = ax.bar(range(5), peaks, color=[GREY, BLUE, BLUE, BLUE, BLUE])
ax.bar_label(bars, fmt="{:.0f}", color=plots.INK, fontsize=9)
ax.set_xticks(
    range(5),
    ["control:\nkeep all", "every\nblock", "every\n2", "every\n4", "all 8\nat once"],
)
ax.set(ylabel="peak memory (MB)")
ax.grid(axis="x", visible=False)
figure(
    fig,
    name="memory",
    title="Keeping only what enters each block saves most of the memory",
    alt="Peak memory of a forward and backward pass through eight blocks: all kept most, every block least, and the more blocks "
    "are computed again at once the more.",
    caption="Eight blocks, width 64, eight texts of 64 words. The gradients are the same.",
    rtol=0.1,
    because="what PyTorch allocates beside the activations",
)

# %% [markdown]
# Keeping what enters each block needs {{ result("loop.memory_one", ".0f") }} MB instead of
# {{ result("loop.memory_all", ".0f") }}, for {{ result("loop.time_more", ".0%") }} more time of the processor; in theory a third, since one forward pass is added to
# one forward and one backward that costs two. Checkpointing all eight blocks as one saves nothing:
# they are computed again all at once.
#
# ## What surprised us
#
# **We could clip at anything.** We had taken the usual limit of 1 from other people's code and meant to show how it protects. In a
# plain training no limit between a tenth and none makes a difference that seeds do not make too
# ([surprise](../surprises/loop-clipping-changes-nothing.md)).
#
# **Checkpointing everything checkpoints nothing.** With all eight blocks in one group the peak is
# {{ result("loop.memory_eight", ".0f") }} MB again. The memory is not in what is kept between the passes but in what is alive at once.
#
# ## Try it
#
# **1. Few stories** (5 minutes). On 64 stories, read again and again, which dropout is best?
#
# ??? tip "Hint"
#     `ends(stories=loops.FEW, dropout=value)` gives the held-out losses of five seeds.

# %% tags=["solution"]
few = {
    value: ends(stories=loops.FEW, dropout=value).mean() for value in loops.DIALS["dropout"]
}
decays = {
    value: ends(stories=loops.FEW, decay=value).mean() for value in loops.DIALS["decay"]
}
best = min(few, key=few.get)
assert len(few) == 3, "one loss for each dropout"
for dial, ended in (("dropout", few), ("weight decay", decays)):
    for value, loss in ended.items():
        print(f"{dial} {value:g}: loss {loss:.2f} nats")
shipped(
    dropout_few=few[0.1] - few[0.0],
    decay_few=decays[1.0] - decays[0.1],
    few_read=field("read", stories=loops.FEW)[:, -1].mean(),
    few_held=few[0.0],
)

# %% [markdown]
# ## You can now
#
# - say what each dial of the loop does, and in which of its five lines it acts;
# - tell dials that interact from dials that do not;
# - trade memory for time.
#
# ## What this does not show
#
# - Larger models or longer trainings, in which weight decay and clipping may earn their place.
# - Spikes that come by themselves. Ours was made, to be looked at.
# - Batch size at the same number of words read. All runs have 250 steps.
#
# ## Going deeper
#
# **Few stories.** On 64 stories read again and again the loss on these falls to {{ result("loop.few_read", ".2f") }} and the held-out
# loss ends at {{ result("loop.few_held", ".2f") }}. Dropout of 0.1 changes the latter by {{ result("loop.dropout_few", "+.3f") }}, a weight
# decay of 1 by {{ result("loop.decay_few", "+.3f") }}.
#
# **The rate alone.** {{ result("loop.rate_low", ".2f") }} nats at 0.001, {{ result("loop.base", ".2f") }} at 0.003,
# {{ result("loop.rate_best", ".2f") }} at 0.01, {{ result("loop.rate_high", ".2f") }} at 0.1. Batches of 2: {{ result("loop.rows_2", ".2f") }};
# of 32: {{ result("loop.rows_32", ".2f") }}. Without clipping the base moves by {{ result("loop.no_clip_moves", ".3f") }}.
#
# - Finding: [Warm-up pays only at high rates](../findings/loop-warm-up-pays-at-high-rates.md)
# - Surprise: [Clipping every gradient changes nothing](../surprises/loop-clipping-changes-nothing.md)
# - Loshchilov & Hutter (2019), [Decoupled weight decay regularization](https://arxiv.org/abs/1711.05101): AdamW
# - Kosson and others (2024), [Analyzing and reducing the need for learning rate warmup](https://arxiv.org/abs/2410.23922)
# - Chen and others (2016), [Training deep nets with sublinear memory cost](https://arxiv.org/abs/1604.06174)

# %% tags=["setup"]
in_words(
    loss_before="Loss on a batch before the first step",
    loss_after="Loss on the same batch after it",
    first_norm="Norm of the first gradient",
    trainings="Trainings in the history",
    seeds="Seeds of each setting",
    base="Held-out loss with all dials in the middle",
    base_spread="Its spread over seeds",
    base_clipped="Steps in which the gradient is cut at 1",
    tight_clipped="Steps in which it is cut at 0.1",
    clip_moves="How far clipping at 0.1 moves the loss",
    no_clip_moves="How far no clipping moves it",
    decay_strong="What a weight decay of 1 costs",
    dropout_fresh="What a dropout of 0.1 costs",
    rate_best="Held-out loss at a rate of 0.01",
    rate_low="Held-out loss at a rate of 0.001",
    rate_high="Held-out loss at a rate of 0.1",
    rows_2="Held-out loss with batches of 2",
    rows_32="Held-out loss with batches of 32",
    warmup_at_base="Difference that warm-up makes at the base rate",
    warmup_at_ten="Difference that warm-up makes at ten times the base rate",
    worst_with="Worst seed at ten times the rate with a long warm-up",
    best_without="Best seed at ten times the rate without warm-up",
    best_rate_none="Best rate without warm-up",
    best_rate_long="Best rate with a long warm-up",
    best_rate_2="Best rate with batches of 2",
    best_rate_32="Best rate with batches of 32",
    spike_clipped="Height of the spike, clipped at 1",
    spike_free="Height of the spike, not clipped",
    spike_ratio="Height without clipping over height with it",
    spike_back="Steps until the loss is back, clipped",
    spike_back_free="Steps until the loss is back, not clipped",
    spike_equal_before="Before the bad batch both trainings are the same",
    memory_all="Peak memory, all activations kept",
    memory_one="Peak memory, what enters each block kept",
    memory_eight="Peak memory, all blocks computed again at once",
    memory_saved="Share of the memory saved",
    time_more="Processor time added, as a share",
    gradients_equal="The gradients are the same",
    dropout_few="Held-out loss on 64 stories, dropout of 0.1 minus none",
    decay_few="Held-out loss on 64 stories, weight decay of 1 minus 0.1",
    few_read="Loss on 64 stories as read",
    few_held="Held-out loss when 64 stories are read",
)
