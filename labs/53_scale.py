# ---
# title: Scale
# question: Can six small trainings predict a seventh that is four times as large, and how do two processes share one training?
# answer: >-
#   A power law through six sizes predicted {{ result("scale.told_all", ".2f") }} nats above the floor. The seventh size reached
#   {{ result("scale.seventh", ".2f") }}: at that size rules arrive that the six barely have.
# level: intermediate
# minutes: 15
# models: []
# needs: [05_transformer, 07_training]
# tags: [training dynamics, world language, scaling]
# chapter: Building one
# thumbnail: law
# timeout: 600
# ---

# %% tags=["setup"]
import json
import multiprocessing
import os
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file
from scipy.optimize import least_squares
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from llmnotes.lab import ask, figure, in_words, note, plots, predict, within
from llmnotes.scratch import Config, Plan, Transformer, loss_of, train
from llmnotes.shipped import scaling
from llmnotes.world import VOCABULARY, story_batches
from llmnotes.world.names import PLAIN

torch.set_num_threads(1)
os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo" if sys.platform == "linux" else "lo0")
BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
WORDS = len(VOCABULARY)
shipped = within(rtol=1e-3, because="computed from the shipped history")
close = within(rtol=0.05, because="sums in another order")

# %% [markdown]
# ## A case you can hold: six models, each twice the last
#
# Nobody can train the largest model twice. So builders train small ones, draw a line through their losses, and read off
# what the large one will reach. We do the same with *World*'s language. Six widths, five seeds each, all with the same number of
# stories in the same order. The [recipe](../recipes/scaling.md) takes about ten minutes; its history ships with the notebook.

# %% tags=["setup"]
RUNS = json.loads(scaling.HISTORY.read_text())
floor = RUNS[0]["floor"]
WIDTHS = [*scaling.WIDTHS, scaling.LARGEST]


def of(width, field="held"):
    return np.array([run[field] for run in RUNS if run["width"] == width])


sizes = np.array([of(width, "parameters")[0] for width in WIDTHS], dtype=float)
ends = np.array(
    [of(width)[:, -1] - floor for width in WIDTHS]
)  # (size, seed), nats above the floor
above = ends.mean(1)
print("width   parameters   nats above the floor")
for width, size, end in zip(WIDTHS[:6], sizes, ends, strict=False):
    print(f"{width:5}   {size:10,.0f}   {end.mean():.3f} ± {end.std():.3f}")
shipped(unit="nats", smallest=above[0], sixth=above[5])
note(
    smallest_size=int(sizes[0]),
    sixth_size=int(sizes[5]),
    seventh_size=int(sizes[6]),
    seeds=ends.shape[1],
)

# %% [markdown]
# The smallest has {{ result("scale.smallest_size", ",") }} parameters beside its embeddings and ends {{ result("scale.smallest", ".2f") }}
# nats above the floor; the sixth has {{ result("scale.sixth_size", ",") }} and ends {{ result("scale.sixth", ".2f") }} above it. For natural
# language nobody knows the floor. Here the grammar gives it.
#
# ## The law, fitted to six and stretched to seven
#
# {{ drawing("scaling", alt="Six dots fall from left to right on logarithmic axes. Three dashed lines go on to a seventh size and part: through all six lowest, through the last three above it, and one that must guess the floor highest. A question mark stands at the seventh size.") }}
#
# The usual form is a power law ([Kaplan and others 2020](https://arxiv.org/abs/2001.08361)), here with a floor as in
# [Hoffmann and others 2022](https://arxiv.org/abs/2203.15556):
#
# $$
# L(N) = E + A\,N^{-\alpha}
# $$
#
# with $L$ the loss, $N$ the number of parameters, $E$ the floor, and $A$ and $\alpha$ fitted. With $E$ known, $\ln(L-E)$ is a straight line
# in $\ln N$.


# %% tags=["idea"]
def law(n, loss_above):
    """Fit ln(loss above the floor) = ln A - alpha ln N; gives the law as a function, and alpha."""
    slope, ln_a = np.polyfit(np.log(n), np.log(loss_above), 1)
    return lambda size: np.exp(ln_a + slope * np.log(size)), -slope


law_all, alpha_all = law(sizes[:6], above[:6])
law_last, alpha_last = law(sizes[3:6], above[3:6])

# %% tags=["setup"]
ln_n, losses = np.log(sizes[:6]), above[:6] + floor


def misfit(three):
    """How far ln(E + A N^-alpha) is from the losses, for E, ln A and alpha that all have to be guessed."""
    own_floor, ln_a, alpha = three
    return np.log((own_floor + np.exp(ln_a - alpha * ln_n)) / losses)


own_floor, own_a, own_alpha = least_squares(misfit, [1.0, 1.0, 0.3]).x


def law_own(size):
    return own_floor - floor + np.exp(own_a - own_alpha * np.log(size))


told = {"all": law_all(sizes[6]), "last": law_last(sizes[6]), "own": law_own(sizes[6])}
shipped(unit="nats", told_all=told["all"], told_last=told["last"], told_own=told["own"])
shipped(alpha_all=alpha_all, alpha_last=alpha_last)

# %% [markdown]
# ## Your prediction
#
# Three lines, three forecasts for a model with {{ result("scale.seventh_size", ",") }} parameters, four times the sixth: a
# power law through all six says {{ result("scale.told_all", ".2f") }} nats above the floor; one through the last three says
# {{ result("scale.told_last", ".2f") }}; a fit that must guess the floor says {{ result("scale.told_own", ".2f") }}. We wrote
# these down, then trained the seventh.

# %%
ask(
    "Where does the seventh model end?",
    choices={
        "on": "On the line through all six, within a tenth",
        "above": "Above it: the curve flattens",
        "below": "Well below all three lines",
    },
    answer="below",
    because={
        "on": "Six sizes over a factor of thirty make the line look safe.",
        "above": "From the second size on the points do flatten. So we thought, too.",
        "below": "At this size rules arrive together that the six barely have. A line through the six cannot know of them.",
    },
    figure="law",
    seventh_over_all="< 0.9",
    seventh_over_last="< 0.9",
)
predict(
    "The seventh is within a tenth of the law through all six",
    0.45,
    seventh_over_all="between 0.9 and 1.1",
)
predict(
    "The seventh is within a tenth of the law through the last three",
    0.4,
    seventh_over_last="between 0.9 and 1.1",
)
predict(
    "Knowing the floor helps: the law through six comes nearer than the fit that guesses it",
    0.6,
    floor_helps="> 0",
)
predict(
    "Counted operations are within a tenth of 6 for each parameter and token",
    0.6,
    counted_over_6n="between 0.9 and 1.1",
)
predict(
    "A killed training that goes on ends with the same weights, bit for bit",
    0.9,
    resumed_equal="== 1",
)
predict(
    "Without Adam's averages it ends more than 0.01 nats away",
    0.4,
    forgetful_apart="> 0.01",
)

# %% [markdown]
# ## A law holds until rules arrive

# %% tags=["setup"]
seventh = above[6]
shipped(
    unit="nats", seventh=seventh, seventh_worst=ends[6].max(), seventh_best=ends[6].min()
)
shipped(
    seventh_over_all=seventh / told["all"],
    seventh_over_last=seventh / told["last"],
    floor_helps=abs(told["own"] - seventh) - abs(told["all"] - seventh),
)
rules = {  # the sixth and the seventh size: (size, seed)
    rule: np.array(
        [
            [run["rules"][rule] for run in RUNS if run["width"] == width]
            for width in WIDTHS[5:]
        ]
    )
    for rule in of(scaling.LARGEST, "rules")[0]
}
print(f"{'right in size':28} {'sixth':>8} {'seventh':>8}")
for rule, share in rules.items():
    print(f"{PLAIN[rule]:30}", "  ".join(f"{x:6.0%}" for x in share.mean(1)))
gain = {rule: share[1].mean() - share[0].mean() for rule, share in rules.items()}

shipped(
    fact_sixth=rules["fact"][0].mean(),
    fact_seventh=rules["fact"][1].mean(),
    fact_best_sixth=rules["fact"][0].max(),
    fact_worst_seventh=rules["fact"][1].min(),
    list_sixth=rules["list"][0].mean(),
    list_seventh=rules["list"][1].mean(),
    giving_sixth=rules["indirect_object"][0].mean(),
    giving_seventh=rules["indirect_object"][1].mean(),
)
note(facts_gain_most=max(gain, key=gain.get) == "fact")

# %% tags=["drawing"]
fig, ax = plots.subplots(height=4.0)
far = np.geomspace(sizes[0], sizes[6] * 1.15, 60)
ax.plot(far, law_all(far), color=BLUE, lw=1.5, label="law through six")
ax.plot(
    far[far > sizes[3]],
    law_last(far[far > sizes[3]]),
    color=GREEN,
    lw=1.5,
    ls="--",
    label="through the last three",
)
ax.plot(far, law_own(far), color=OCHRE, lw=1.5, ls=":", label="its floor guessed")
ax.plot(np.repeat(sizes[:6], 5), ends[:6].flatten(), "o", color=plots.INK, ms=4)
ax.plot(np.repeat(sizes[6], 5), ends[6], "D", color=ORANGE, ms=6)
ax.text(sizes[6] * 0.9, seventh, "the seventh", color=ORANGE, ha="right", va="center")
ax.set(
    xscale="log",
    yscale="log",
    xlabel="parameters without embeddings",
    ylabel="loss above the floor (nats)",
)
ax.set_yticks([0.3, 0.4, 0.5, 0.6, 0.8, 1.0], ["0.3", "0.4", "0.5", "0.6", "0.8", "1.0"])
ax.set_xlim(1500, 1.3e6)
ax.set_xticks([2e3, 2e4, 2e5], ["2,000", "20,000", "200,000"])
ax.minorticks_off()
plots.label_lines(ax)
figure(
    fig,
    name="law",
    title="The seventh size falls below every line",
    alt="Loss above the floor against size, both on logarithmic axes. Six sizes fall, steeply first, then slowly. Three lines are "
    "stretched to the seventh size. Its five seeds lie well below all of them.",
    caption="Dots: five seeds a size. The lines were fitted, and what they predict was written down, before the seventh was trained.",
)

# %% [markdown]
# The seventh ends at {{ result("scale.seventh", ".2f") }}, and its worst seed at {{ result("scale.seventh_worst", ".2f") }}, below all
# three lines. What happened shows when we grade the rules one by one.

# %% tags=["drawing"]
SHOWN = {
    "mood": "mood",
    "list": "songs repeated",
    "indirect_object": "indirect object",
    "fact": "facts",
    "pronoun": "pronoun",
    "closing": "closing brackets",
    "agreement_1": "verb agrees, one noun between",
}
fig, ax = plots.subplots(height=3.4)
for y, rule in enumerate(SHOWN):
    sixth, last = 100 * rules[rule]
    ax.plot([sixth.mean(), last.mean()], [y, y], color=GREY, lw=1.5)
    ax.plot(sixth, [y] * 5, "o", color=BLUE, ms=5, label="sixth size" if y == 0 else None)
    ax.plot(
        last, [y] * 5, "D", color=ORANGE, ms=5, label="seventh size" if y == 0 else None
    )
ax.set_yticks(range(len(SHOWN)), list(SHOWN.values()))
ax.set(xlabel="places right (%)", xlim=(-3, 103), ylim=(-0.6, 6.6))
ax.legend(loc="upper left", fontsize=9)
figure(
    fig,
    name="rules",
    title="Facts, giving and songs arrive together",
    alt="Places right by rule, sixth and seventh size, five seeds each. Agreement over a noun is right in both. Facts rise from under "
    "half to nearly all; indirect objects and songs begin to rise; mood stays at chance.",
    caption="Dots: five seeds a size, sixty unseen stories. The control is agreement, which both sizes have.",
)

# %% [markdown]
# Facts are right at {{ result("scale.fact_sixth", ".0%") }} of the places in the sixth size and at
# {{ result("scale.fact_seventh", ".0%") }} in the seventh, and the worst seed of the seventh is above the best of the sixth.
# Indirect objects and songs begin to rise too. Whoever fits a line through losses assumes that what is learned next comes
# about as fast as what came last. With many skills of all sizes the steps blur into a line; this is one explanation for the smooth
# laws of large models ([Michaud and others 2023](https://arxiv.org/abs/2303.13506)). Our language has nine rules, and the step shows.
#
# ## A token of training costs six operations a parameter
#
# In the forward pass each weight multiplies one number and the product is added: two operations. The backward pass does it twice, once for
# the gradient of the weights and once for that of the inputs. So a token costs about
#
# $$
# C \approx 6N
# $$
#
# operations, with $N$ the weights that are multiplied. We count what PyTorch does.


# %% tags=["setup"]
def counted(config):
    """Operations a token, forward and backward, and 6 times the weights that are multiplied."""
    model = Transformer(config)
    ids = torch.zeros(2, config.n_ctx, dtype=torch.long)
    # the counter does not know the fused attention of CPUs, so attention is computed step by step
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        loss_of(model, (ids, ids)).backward()
    n = sum(
        p.numel()
        for name, p in model.named_parameters()
        if p.dim() == 2 and "wpe" not in name
    )
    return counter.get_total_flops() / ids.numel(), 6 * n


ours, ours_6n = counted(scaling.sizes(96))
long, long_6n = counted(Config(WORDS, n_ctx=1024, n_layers=2, n_heads=4, d_model=96))
print(f"operations a token at width 96: {ours:11,.0f}")
print(f"six times the weights:          {ours_6n:11,}")
print(f"with a context of 1,024 tokens: {long:11,.0f}")
close(rtol=0.01, counted_over_6n=ours / ours_6n, counted_long=long / long_6n)

# %% [markdown]
# For the seventh model the count is {{ result("scale.counted_over_6n", ".2f") }} times $6N$. What $6N$ leaves out is attention
# itself, whose scores grow with the context: with 1,024 tokens it is {{ result("scale.counted_long", ".2f") }} times.
#
# ```exercise
# title: The bill of a large model
# minutes: 3
# code: |
#   parameters, tokens = 70e9, 2e12         # LLaMA 2
#   operations = ▢
#   assert 8.3e23 < operations < 8.5e23
# right: ["6 * parameters * tokens", "parameters * tokens * 6", "6 * tokens * parameters"]
# praise: 8.4 × 10²³. At 2 × 10¹⁴ useful operations a second, one chip would need about 130 years.
# wrong:
#   "2 * parameters * tokens": That is the forward pass alone.
#   "parameters * tokens": Each weight is used three times for each token, and each use is two operations.
# otherwise: "Six operations for each parameter and each token."
# solution: "`6 * parameters * tokens`"
# ```
#
# ## Three ways to share a training give the same losses
#
# {{ drawing("parallel", alt="Three ways for two processes to share one training: whole models with half of the batch each, half of every layer each, half of the layers each; arrows show what is sent.") }}
#
# We write one small model so that it can be cut, and train it alone and in two processes that talk through `torch.distributed`. First the
# layer. `enter` and `leave` do nothing when the model is whole.


# %% tags=["idea"]
def layer(x, w, i, enter=lambda x: x, leave=lambda x: x):
    """One layer, with those heads and hidden units that its weights have."""
    y = enter(F.layer_norm(x, x.shape[-1:], w[f"{i}.norm1"]))  # (batch, pos, width)
    q, k, v = torch.einsum(
        "btd,dchk->cbhtk", y, w[f"{i}.qkv"]
    )  # (batch, head, pos, d_head)
    z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    x = x + leave(torch.einsum("bhtk,hkd->btd", z, w[f"{i}.out"]))
    y = enter(F.layer_norm(x, x.shape[-1:], w[f"{i}.norm2"]))
    return x + leave(F.gelu(y @ w[f"{i}.up"]) @ w[f"{i}.down"])


# %% tags=["setup"]
LAYERS, HEADS, WIDTH, ROWS, LENGTH, STEPS = 4, 4, 32, 8, 32, 20
batch = story_batches(LENGTH, ROWS)
sent = {}  # bytes that this process has given away, by what they are


def weights():
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape):
        return 0.02 * torch.randn(*shape, generator=generator)

    w = {"wte": drawn(WORDS, WIDTH), "wpe": drawn(LENGTH, WIDTH), "norm": torch.ones(WIDTH)}
    for i in range(LAYERS):
        w |= {f"{i}.norm1": torch.ones(WIDTH), f"{i}.norm2": torch.ones(WIDTH)}
        w |= {
            f"{i}.qkv": drawn(WIDTH, 3, HEADS, WIDTH // HEADS),
            f"{i}.out": drawn(HEADS, WIDTH // HEADS, WIDTH),
        }
        w |= {f"{i}.up": drawn(WIDTH, 4 * WIDTH), f"{i}.down": drawn(4 * WIDTH, WIDTH)}
    return w


def begin(w, ids):
    return w["wte"][ids] + w["wpe"][: ids.shape[1]]


def loss_at_end(w, x, targets, scored):
    logits = F.layer_norm(x, x.shape[-1:], w["norm"]) @ w["wte"].T
    return (
        F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum") / scored
    )


def summed(x, what):
    """The sum over both processes, in both."""
    sent[what] = sent.get(what, 0) + x.numel() * x.element_size()
    dist.all_reduce(x)
    return x


def give(x, to, what):
    sent[what] = sent.get(what, 0) + x.numel() * x.element_size()
    dist.send(x.contiguous(), to)


class Enter(torch.autograd.Function):
    """Nothing forward; backward both halves' gradients are added."""

    @staticmethod
    def forward(_, x):
        return x

    @staticmethod
    def backward(_, grad):
        return summed(grad.contiguous().clone(), "gradients of activations")


class Leave(torch.autograd.Function):
    """Forward both halves' outputs are added; nothing backward."""

    @staticmethod
    def forward(_, x):
        return summed(x.contiguous().clone(), "activations")

    @staticmethod
    def backward(_, grad):
        return grad


# %% [markdown]
# **Data-parallel.** Both have all weights. Each reads half of the stories, and they add up their gradients.
#
# **Tensor-parallel.** Each has half of the heads and hidden units of every layer, and they add up what these write.
#
# **Pipeline-parallel.** One has the first layers, the other the last ones. The batch goes through in four small parts.


# %% tags=["idea"]
def data(w, ids, targets, rank, scored):
    loss = alone(w, ids.chunk(2)[rank], targets.chunk(2)[rank], rank, scored)
    for p in w.values():
        p.grad = summed(p.grad, "gradients")
    return summed(torch.tensor(loss), "loss").item()


def tensor(w, ids, targets, rank, scored):
    x = begin(w, ids)
    for i in range(LAYERS):
        x = layer(x, w, i, Enter.apply, Leave.apply)
    loss = loss_at_end(w, x, targets, scored)
    loss.backward()
    return loss.item()


# %% tags=["setup"]
def alone(w, ids, targets, rank, scored):
    x = begin(w, ids)
    for i in range(LAYERS):
        x = layer(x, w, i)
    loss = loss_at_end(w, x, targets, scored)
    loss.backward()
    return loss.item()


def mean_of_means(w, ids, targets, rank, scored):
    """Data-parallel with a mistake: each process takes the mean over its own words, and the means are averaged."""
    own = targets.chunk(2)[rank]
    return data(w, ids, targets, rank, 2 * (own != -100).sum())


def pipeline(w, ids, targets, rank, scored, parts=4):
    held, total = [], 0.0
    for part, goal in zip(ids.chunk(parts), targets.chunk(parts), strict=True):
        if rank == 0:
            x = layer(layer(begin(w, part), w, 0), w, 1)
            give(x.detach(), 1, "activations")
            held.append((x, None))
        else:
            x = torch.empty(len(part), LENGTH, WIDTH)
            dist.recv(x, 0)
            y = layer(layer(x.requires_grad_(), w, 2), w, 3)
            held.append((x, loss_at_end(w, y, goal, scored)))
    for x, loss in held:
        if rank == 1:
            loss.backward()
            total += loss.item()
            give(x.grad, 0, "gradients of activations")
        else:
            grad = torch.empty_like(x)
            dist.recv(grad, 1)
            x.backward(grad)
    w["wte"].grad = summed(
        w["wte"].grad, "tied embedding"
    )  # it embeds in one process and unembeds in the other
    return summed(torch.tensor(total), "loss").item()


WAYS = {
    "alone": alone,
    "data": data,
    "tensor": tensor,
    "pipeline": pipeline,
    "mean of means": mean_of_means,
}
HALVES = {
    "qkv": 2,
    "out": 0,
    "up": 1,
    "down": 0,
}  # along which dimension tensor-parallel cuts


def share(way, rank):
    """The weights that a process keeps."""
    kept = {}
    for name, p in weights().items():
        if way == "tensor" and name.split(".")[-1] in HALVES:
            p = p.chunk(2, HALVES[name.split(".")[-1]])[rank]
        if (
            way == "pipeline"
            and name != "wte"
            and rank != (name[0] in "23" or name == "norm")
        ):
            continue
        kept[name] = p.clone().requires_grad_()
    return kept


def steps(way, rank=0):
    w, losses = share(way, rank), []
    optimizer = torch.optim.AdamW(w.values(), lr=3e-3, weight_decay=0.0)
    for step in range(STEPS):
        ids, targets = batch(step)
        losses.append(WAYS[way](w, ids, targets, rank, (targets != -100).sum()))
        optimizer.step()
        optimizer.zero_grad()
    return {
        "losses": losses,
        "held": sum(p.numel() for p in w.values()),
        "sent": {k: v / STEPS for k, v in sent.items()},
    }


def process(way, rank, folder):
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2
    )
    Path(folder, f"{rank}.json").write_text(json.dumps(steps(way, rank)))
    dist.barrier()
    dist.destroy_process_group()
    os._exit(0)


def two(way):
    """Run a way in two processes; what each reports."""
    with tempfile.TemporaryDirectory() as folder:
        fork = multiprocessing.get_context("fork")
        processes = [
            fork.Process(target=process, args=(way, rank, folder)) for rank in (0, 1)
        ]
        for one in processes:
            one.start()
        for one in processes:
            one.join(120)
            if one.exitcode != 0:
                raise RuntimeError(f"{way}: a process ended with {one.exitcode}")
        return [json.loads(Path(folder, f"{rank}.json").read_text()) for rank in (0, 1)]


reference = steps("alone")
reports = {way: two(way) for way in ("data", "tensor", "pipeline", "mean of means")}


def apart(way):
    return np.abs(np.array(reports[way][0]["losses"]) - reference["losses"]).max()


TINY = "rounding: sums in another order"
for way in reports:
    print(f"{way:13} losses {apart(way):.0e} nats apart")
note(
    data_equal=bool(apart("data") < 1e-4),
    tensor_equal=bool(apart("tensor") < 1e-4),
    pipeline_equal=bool(apart("pipeline") < 1e-4),
    held_alone=reference["held"],
    held_tensor=reports["tensor"][0]["held"],
    held_pipeline=reports["pipeline"][0]["held"],
)
close(rtol=0.2, because=TINY, unit="nats", means_apart=apart("mean of means"))
given = {
    way: sum(reports[way][0]["sent"].values()) / 1000
    for way in ("data", "tensor", "pipeline")
}
close(
    unit="KB",
    sent_data=given["data"],
    sent_tensor=given["tensor"],
    sent_pipeline=given["pipeline"],
)

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.0)
names = ["alone", "data", "tensor", "pipeline"]
held = [reference["held"], *(reports[way][0]["held"] for way in names[1:])]
bars = left.bar(names, [h / 1000 for h in held], color=[GREY, BLUE, BLUE, BLUE])
left.bar_label(bars, fmt="{:.0f}", color=plots.INK, fontsize=9)
left.set(ylabel="weights in a process (1,000)")
left.set_title("What one process holds")
bars = right.bar(
    names, [0, *(given[way] for way in names[1:])], color=[GREY, ORANGE, ORANGE, ORANGE]
)
right.bar_label(bars, fmt="{:.0f}", color=plots.INK, fontsize=9)
right.set(ylabel="sent a step (KB)")
right.set_title("What it sends")
for ax in (left, right):
    ax.grid(axis="x", visible=False)
figure(
    fig,
    name="shared",
    title="What is held in one place need not be sent, and the other way round",
    alt="Left: weights in one process: alone and data-parallel all, tensor- and pipeline-parallel a little over half. Right: bytes "
    "sent a step: data-parallel as many as there are weights, tensor-parallel most, pipeline-parallel least.",
    caption="Bars: the first of two processes; the control trains alone. 58,080 weights, batches of 8 × 32 words.",
)

# %% [markdown]
# All three give the losses of the training alone, to rounding, over all {{ result("scale.steps") }} steps. Data-parallel sends every
# gradient once a step, {{ result("scale.sent_data", ".0f") }} KB, however large the batch. Tensor-parallel sends activations, four
# times a layer: {{ result("scale.sent_tensor", ".0f") }} KB here, and more with every word of the batch. That is why it is used inside one
# machine, and the others between machines. A pipeline of $p$ processes and $m$ parts idles for $\frac{p-1}{m+p-1}$ of its time.

# %% tags=["setup"]
note(steps=STEPS)

# %% [markdown]
# ## A killed training goes on as if nothing had happened
#
# Large trainings are interrupted often. So weights, the optimizer's averages and the position in the data go to disk. We kill a training with
# SIGKILL in mid-step, start it again, and compare with one that was never killed.


# %% tags=["setup"]
PLAN = Plan(40, lr=3e-3, warmup=5, evaluate_every=10)
short = story_batches(32, 8)
FOLDER = Path(tempfile.mkdtemp())


def fresh():
    return Transformer(Config(WORDS, n_ctx=32, n_layers=2, n_heads=4, d_model=32))


def kill_at_25(model, done):
    if done == 25:
        os.kill(os.getpid(), signal.SIGKILL)


def go(folder, after=lambda model, done: None):
    model = fresh()
    return model, train(model, short, PLAN, FOLDER / folder, after=after, progress=False)


whole, whole_log = go("whole")
doomed = multiprocessing.get_context("fork").Process(target=go, args=("killed", kill_at_25))
doomed.start()
doomed.join(120)
saved = FOLDER / "killed" / "state.safetensors"
with safe_open(saved, "pt") as file:
    kept = {
        name: file.get_tensor(name)
        for name in list(file.keys())
        if name.startswith("model.")
    }
    log = file.metadata()["log"]
resumed, resumed_log = go("killed")
(FOLDER / "forgetful").mkdir()
save_file(kept, FOLDER / "forgetful" / "state.safetensors", metadata={"log": log})
forgetful, forgetful_log = go("forgetful")
equal = all(
    torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True)
)
note(
    killed_by=-doomed.exitcode,
    resumed_equal=equal,
    resumed_from=json.loads(log)[-1]["step"],
)
close(
    rtol=0.5,
    because="a short training: differs from CPU to CPU",
    unit="nats",
    forgetful_apart=max(
        abs(a["loss"] - b["loss"]) for a, b in zip(forgetful_log, whole_log, strict=True)
    ),
)

# %% [markdown]
# The process was killed at step 25 and went on from step {{ result("scale.resumed_from") }}, the last one on disk. At step 40 all weights
# are equal, bit for bit. The control forgets Adam's averages and keeps all else: its loss is off by up to
# {{ result("scale.forgetful_apart", ".3f") }} nats.
#
# ## What surprised us
#
# **The law broke where it was to be used.** We gave the line through six sizes nearly even chances, the one through three nearly as much. Both were
# wrong by more than a quarter, in the direction that nobody fears ([dead end](../dead-ends/scale-line-through-six.md)).
#
# **The mean of two means.** Our first data-parallel training did not match, by {{ result("scale.means_apart", ".3f") }} nats. Each process took the mean
# over its own words and the two means were averaged; but short stories leave empty places, so the halves did not hold equally
# many words. Dividing by the words of the whole batch mends it. The same mistake stood in widely used training code for years, as
# ["gradient accumulation"](https://unsloth.ai/blog/gradient).
#
# ## Try it
#
# **1. One size less** (5 minutes). Fit the law to the first five sizes. Does it predict the sixth within a tenth?
#
# ??? tip "Hint"
#     `law(sizes[:5], above[:5])` gives the law as a function, and alpha.

# %% tags=["solution"]
law_five, _ = law(sizes[:5], above[:5])
ratio = above[5] / law_five(sizes[5])
assert ratio > 0, "a ratio of two losses above the floor"
print(f"the sixth is {ratio:.2f} of what five predict")
shipped(sixth_over_five=ratio)

# %% [markdown]
# ## You can now
#
# - fit a scaling law, stretch it, and say what it assumes;
# - count the operations of a training from parameters and tokens;
# - say what data-, tensor- and pipeline-parallel training hold, and what they send.
#
# ## What this does not show
#
# - Sizes that matter. The seventh has {{ result("scale.seventh_size", ",") }} parameters, and all had the same learning rate and 600 steps.
# - That large models' laws break. Theirs span many powers of ten; ours spans one and a half.
# - Speed. Two processes on one core are no faster than one.
#
# ## Going deeper
#
# **Does a law through fewer sizes work nearer by?** Five sizes predict the sixth: it comes out at
# {{ result("scale.sixth_over_five", ".2f") }} of what they say.
#
# **Exponents.** $\alpha$ is {{ result("scale.alpha_all", ".2f") }} for all six and {{ result("scale.alpha_last", ".2f") }}
# for the last three. Kaplan and others found 0.076 for English, with no floor taken off.
#
# **Compute-optimal.** With a fixed number of operations $6ND$ one must choose between parameters $N$ and tokens $D$; about twenty tokens a
# parameter was the best in [Hoffmann and others 2022](https://arxiv.org/abs/2203.15556). We varied $N$ alone.
#
# - Dead end: [A line through six sizes](../dead-ends/scale-line-through-six.md)
# - Finding: [Facts arrive between two sizes](../findings/scale-facts-arrive.md)
# - Surprise: [The mean of two means is not the mean](../surprises/scale-mean-of-means.md)
# - Open question: [Is there a law for the step at which a rule arrives?](../questions/scale-when-a-rule-arrives.md)
# - Kaplan and others (2020), [Scaling laws for neural language models](https://arxiv.org/abs/2001.08361)
# - Shoeybi and others (2019), [Megatron-LM](https://arxiv.org/abs/1909.08053): tensor-parallel layers
# - Huang and others (2018), [GPipe](https://arxiv.org/abs/1811.06965): pipeline-parallel training

# %% tags=["setup"]
in_words(
    smallest="Loss above the floor of the smallest size",
    sixth="Loss above the floor of the sixth size",
    smallest_size="Parameters of the smallest size without embeddings",
    sixth_size="Parameters of the sixth size",
    seventh_size="Parameters of the seventh size",
    seeds="Seeds a size",
    told_all="What a law through six sizes predicts for the seventh",
    told_last="What a law through the last three predicts",
    told_own="What a fit that guesses the floor predicts",
    alpha_all="Exponent of the law through six sizes",
    alpha_last="Exponent of the law through the last three",
    seventh="Loss above the floor of the seventh size",
    seventh_worst="The same in its worst seed",
    seventh_best="The same in its best seed",
    seventh_over_all="The seventh's loss over what six sizes predict",
    seventh_over_last="The seventh's loss over what three sizes predict",
    floor_helps="How much nearer the law that knows the floor comes",
    list_sixth="Songs repeated, sixth size",
    list_seventh="Songs repeated, seventh size",
    giving_sixth="Indirect objects right, sixth size",
    giving_seventh="Indirect objects right, seventh size",
    fact_best_sixth="Facts right, best seed of the sixth size",
    fact_worst_seventh="Facts right, worst seed of the seventh size",
    fact_sixth="Facts right, sixth size",
    fact_seventh="Facts right, seventh size",
    facts_gain_most="Facts gain most from the sixth size to the seventh",
    counted_over_6n="Operations a token over six for each weight",
    counted_long="The same with a context of 1,024",
    data_equal="Data-parallel losses equal those alone",
    tensor_equal="Tensor-parallel losses equal those alone",
    pipeline_equal="Pipeline-parallel losses equal those alone",
    held_alone="Weights, training alone",
    held_tensor="Weights in one process, tensor-parallel",
    held_pipeline="Weights in one process, pipeline-parallel",
    means_apart="How far the mean of two means leads the loss away",
    sent_data="Sent a step by one process, data-parallel",
    sent_tensor="Sent a step by one process, tensor-parallel",
    sent_pipeline="Sent a step by one process, pipeline-parallel",
    steps="Steps of the shared trainings",
    killed_by="Signal that ended the killed training",
    resumed_equal="Killed and resumed, the weights are equal bit for bit",
    resumed_from="Step from which the killed training went on",
    forgetful_apart="How far the loss is off without Adam's averages",
    sixth_over_five="The sixth's loss over what five sizes predict",
)
