# ---
# title: A transformer from scratch
# question: What is in a transformer, piece by piece, and which pieces can one get wrong or leave out?
# level: intermediate
# minutes: 30
# models: [fairytale]
# needs: [04_order]
# tags: [attention, residual stream, training dynamics]
# chapter: Start
# thumbnail: without
# timeout: 900
# ---

# %% [markdown]
# GPT-2 fits on one page of code. We write that page with plain tensors, fill in the weights of a model that tells
# fairy tales, and go on until every number is the same as in the library that everyone uses. Then we break it: first by
# the mistakes that people make, then by taking out what seems to be mere plumbing. At the end it writes, twice: once
# the slow way, and once with a memory.

# %% tags=["setup"]
import math
import re
import time
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

import llmnotes
from llmnotes.lab import figure, in_words, plots, predict, within
from llmnotes.model import trace
from llmnotes.scratch import Attention, Config, Plan, Transformer, loss_of
from llmnotes.world import VOCABULARY, story_batches

torch.set_num_threads(1)
torch.set_grad_enabled(False)
BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
CHECKPOINT = "fixed weights and text: rounding only"

# %% [markdown]
# ## What you need to know
#
# From [Word order without being told](04_order.md): a text is cut into *tokens*; each token has a *residual stream*,
# a list of numbers that starts as its *embedding*; *attention* lets it receive a weighted mean of what earlier tokens
# offer; the *causal mask* hides the later ones.
#
# **A block** is one attention and one *MLP* (a hidden layer, on each token alone). Each reads the stream and *adds* its
# result to it: that addition is the **residual connection**. Before each of the two stands a **layer norm**, which
# scales the list to mean zero and variance one, and then by learned factors.
#
# **Unembedding**: after the last block, the stream of each token is compared with the embedding of every token in the
# vocabulary. The inner products are the *logits*, a score for each possible next token. *Softmax* turns them into
# probabilities, and the *loss* is the mean of −ln *p* of the tokens that came, in nats.
#
# The model is `fairytale`, a GPT-2 that ships with this notebook. All its weights are in one dictionary of tensors.

# %%
fairytale = llmnotes.load("fairytale")
W = {name: w.detach() for name, w in fairytale.model.state_dict().items()}
L, H, D = fairytale.n_layers, fairytale.n_heads, fairytale.d_model
for name, w in W.items():
    if "h.0." in name or "h." not in name:
        print(f"{name:34}{tuple(w.shape)}")

# %% [markdown]
# And a tale that is not in its training text: we wrote it.

# %%
TALE = """Once upon a time there lived a poor miller who had three sons. When he died, the eldest \
got the mill, the second got the donkey, and the youngest got nothing but an old grey cat. "What \
shall I do with a cat?" said the boy, and he sat down by the road and wept. But the cat came to \
him and said, "Do not cry, my dear master. Give me a bag and a pair of boots, and you shall see \
that you are not so badly off as you think." The boy did as he was told. So the cat put on the \
boots, threw the bag over his shoulder, and went into the forest, where the king used to hunt."""
ids = fairytale.ids(TALE)[0]
print(len(ids), "tokens:", [fairytale.tokenizer.decode(i) for i in ids[:12]])

# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     You write attention and forget the causal mask. The model can now look at the very token that it has to guess.
#     Does its loss fall or rise? And which is worse: forgetting to divide by √*d_head*, or swapping two blocks?
#
# Our own guesses, written before the first run. About mistakes:

# %%
predict("Without the causal mask a trained model's loss rises", 0.75, extra_no_mask="> 0")
predict(
    "Without division by √d_head it rises by over 0.1 nats", 0.8, extra_no_scaling="> 0.1"
)
predict(
    "Swapping two middle blocks costs less than 1 nat", 0.6, extra_two_blocks_swapped="< 1"
)

# %% [markdown]
# A matrix that is square can be used the wrong way round without an error:

# %%
predict(
    "Attention's output matrix, transposed, costs over 1 nat",
    0.8,
    extra_matrix_transposed="> 1",
)
predict(
    "The exact GELU in place of GPT-2's costs under 0.01 nats",
    0.9,
    extra_exact_gelu="< 0.01",
)
predict("At least half of the mistakes cost under 0.1 nats", 0.35, silent_share=">= 0.5")

# %% [markdown]
# About 24 layers without residual connections, or without norms:

# %%
predict(
    "Without residuals but with norms, layer 1 gets at least 1 % of layer 24's gradient",
    0.5,
    first_to_last_no_residual=">= 0.01",
)
predict(
    "Without residuals, 24 layers gain less than half of what the full model gains",
    0.85,
    gain_no_residual_24="< 0.5",
)
predict(
    "Without norms, 24 layers come within 0.1 nats of the full model",
    0.35,
    worse_no_norm_24="< 0.1",
)

# %% [markdown]
# And about two layers, and the memory of earlier keys and values:

# %%
predict(
    "Two layers without residuals come within 0.2 nats of the full model",
    0.4,
    worse_no_residual_2="< 0.2",
)
predict(
    "The cache saves less than a quarter as much time as positions",
    0.75,
    time_to_positions="< 0.25",
)

# %% [markdown]
# ## The pieces
#
# The layer norm. The small number keeps the division safe; it stands *under* the root.


# %% tags=["idea"]
def layer_norm(x, gain, bias, correction=0):
    """Mean 0 and variance 1 along the last axis, then scaled and shifted."""
    centred = x - x.mean(-1, keepdim=True)
    variance = x.var(-1, keepdim=True, correction=correction)  # divided by n, not n - 1
    return centred / (variance + 1e-5).sqrt() * gain + bias


# %% [markdown]
# GPT-2's activation function: an approximation of the GELU, *x* times the probability that a normal number is below *x*.


# %%
def gelu(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


# %% [markdown]
# Attention. Every head owns a slice of queries, keys and values. `past` are the keys and values of tokens that were
# read before, of which we make use at the end.


# %% tags=["idea"]
def split_heads(x):  # (pos, d_model) -> (head, pos, d_head)
    return x.view(len(x), H, D // H).transpose(0, 1)


def weigh(q, k, scale=(D // H) ** -0.5, masked=True):
    """Who looks at whom: (head, new, all), every row sums to 1."""
    scores = q @ k.transpose(1, 2) * scale
    ahead = torch.ones(scores.shape[1:]).triu(1 + k.shape[1] - q.shape[1]).bool()
    return scores.masked_fill(ahead & masked, -math.inf).softmax(-1)


def attention(x, w, past=None, split=split_heads, weigh=weigh):
    """What attention adds to the stream, and all keys and values so far."""
    qkv = x @ w["c_attn.weight"] + w["c_attn.bias"]  # (pos, 3 * d_model)
    q, k, v = (split(part) for part in qkv.split(D, dim=-1))
    if past:
        k, v = torch.cat([past[0], k], dim=1), torch.cat([past[1], v], dim=1)
    z = (weigh(q, k) @ v).transpose(0, 1).reshape(len(x), D)  # heads side by side
    return z @ w["c_proj.weight"] + w["c_proj.bias"], (k, v)


# %% [markdown]
# A block, and then the whole model. `under` picks the weights of one part.


# %% tags=["idea"]
def under(w, prefix):
    return {
        name[len(prefix) :]: value for name, value in w.items() if name.startswith(prefix)
    }


def block(x, w, past=None, norm=layer_norm, act=gelu, **parts):
    added, past = attention(
        norm(x, w["ln_1.weight"], w["ln_1.bias"]), under(w, "attn."), past, **parts
    )
    x = x + added
    hidden = act(
        norm(x, w["ln_2.weight"], w["ln_2.bias"]) @ w["mlp.c_fc.weight"]
        + w["mlp.c_fc.bias"]
    )
    return x + hidden @ w["mlp.c_proj.weight"] + w["mlp.c_proj.bias"], past


# %% tags=["idea"]
def gpt2(ids, w=W, layers=range(L), final_norm=True, norm=layer_norm, **parts):
    """The logits of the next token at every place, and the stream after each block."""
    w = under(w, "transformer.")
    x = w["wte.weight"][ids] + w["wpe.weight"][: len(ids)]  # (pos, d_model)
    streams = [x]
    for layer in layers:
        x, _ = block(x, under(w, f"h.{layer}."), norm=norm, **parts)
        streams.append(x)
    x = norm(x, w["ln_f.weight"], w["ln_f.bias"]) if final_norm else x
    return x @ w["wte.weight"].T, streams  # the embedding serves as the unembedding


# %% [markdown]
# That is all. The proof: the same numbers as the library's up to rounding, place by place.

# %%
logits, streams = gpt2(ids)
seen = trace(fairytale, ids[None], ["resid_post", "logits"])
for layer in range(L):
    off = (streams[layer + 1] - seen["resid_post", layer][0]).abs().max()
    print(
        f"after block {layer}: at most {off:.0e} apart, of {streams[layer + 1].abs().max():.0f}"
    )
apart = (logits - seen["logits"][0]).abs().max()
same = logits.argmax(-1) == seen["logits"][0].argmax(-1)


def loss(logits, ids=ids):
    return float(F.cross_entropy(logits[:-1], ids[1:]))


note = within(atol=0.002, because=CHECKPOINT)
note(logits_agree=apart < 1e-3, same_next_token=same.all())
note(atol=1e-4, unit="nats", loss=loss(logits))

# %% [markdown]
# Equal logits are a sharp test, but only if one has something to compare with. Without it one has a loss, and looks
# whether it is fine.
#
# ## Mistakes, and what the loss says to them
#
# Ten things that go wrong in practice. None raises an error. (*Sample variance* divides by *n* − 1 in the layer norm, *no
# scaling* leaves out √*d_head*.)


# %%
def with_weights(change, ending):
    return W | {name: change(w) for name, w in W.items() if name.endswith(ending)}


def wrong_split(x):  # a reshape that forgets which axis is which
    return x.view(len(x), D // H, H).permute(2, 0, 1)


# %%
m = L // 2
swapped = [*range(m - 1), m, m - 1, *range(m + 1, L)]
MISTAKES = {
    "exact GELU": {"act": F.gelu},
    "ReLU": {"act": torch.relu},
    "sample variance": {"norm": partial(layer_norm, correction=1)},
    "no final norm": {"final_norm": False},
    "no scaling": {"weigh": partial(weigh, scale=1)},
    "no mask": {"weigh": partial(weigh, masked=False)},
    "heads mixed up": {"split": wrong_split},
    "matrix transposed": {"w": with_weights(torch.t, "attn.c_proj.weight")},
    "positions forgotten": {"w": with_weights(torch.zeros_like, "wpe.weight")},
    "two blocks swapped": {"layers": swapped},
}
# %%
extra = {
    name: loss(gpt2(ids, **wrong)[0]) - loss(logits) for name, wrong in MISTAKES.items()
}
extra = dict(sorted(extra.items(), key=lambda item: item[1]))
note(
    unit="nats",
    extra_no_mask=extra["no mask"],
    extra_exact_gelu=extra["exact GELU"],
    extra_sample_variance=extra["sample variance"],
    extra_no_scaling=extra["no scaling"],
    extra_no_final_norm=extra["no final norm"],
    extra_relu=extra["ReLU"],
    extra_two_blocks_swapped=extra["two blocks swapped"],
    extra_positions_forgotten=extra["positions forgotten"],
    extra_matrix_transposed=extra["matrix transposed"],
    extra_heads_mixed_up=extra["heads mixed up"],
)
note(atol=0, silent_share=np.mean([value < 0.1 for value in extra.values()]))

# %% [markdown]
# What each costs on our tale, where {{ result("transformer.loss", ".2f") }} nats is right.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.4)
names, values = list(extra), np.round(list(extra.values()), 3) + 0.0
bars = ax.barh(names, values, color=np.where(values < 0.1, ORANGE, BLUE))
ax.bar_label(bars, fmt=" {:.2f}", color=plots.INK, fontsize=9)
ax.axvline(0, color=plots.INK, lw=1, label="control: no mistake")
ax.set(
    xlabel="rise of the loss (nats)", xlim=(min(0, values.min() * 1.6), values.max() * 1.2)
)
ax.grid(axis="y", visible=False)
ax.legend(loc="lower right")
figure(
    fig,
    name="mistakes",
    alt="Ten mistakes by what they add to the loss. A missing mask lowers it, the exact GELU and the sample variance add "
    "next to nothing, mixed up heads and a transposed matrix add most.",
    caption="Orange: below 0.1 nats, which nobody would notice. One model, one text.",
    data={"extra": values},
    rtol=0.01,
    because=CHECKPOINT,
)

# %% [markdown]
# {{ result("transformer.silent_share", ".0%") }} of them raise it by less than 0.1 nats, or lower it. The exact GELU
# ({{ result("transformer.extra_exact_gelu", ".5f") }}) and the sample variance
# ({{ result("transformer.extra_sample_variance", ".4f") }}) cannot be found by looking at a loss. Blocks 1 and 2, counted
# from 0, cost {{ result("transformer.extra_two_blocks_swapped", ".1f") }} nats in the wrong order: it seems that the one builds
# on the other.
#
# **The missing mask** is the treacherous one: it changes the loss by
# {{ result("transformer.extra_no_mask", "+.2f") }} nats, so the mistake looks like *progress*. And nobody trained the model
# to look ahead. Our explanation: a head that has learned to copy looks for a token that *followed* the present one
# before, and unmasked it finds the very next token: the answer. When head {{ result("transformer.leaking_head") }} of layer
# {{ result("transformer.leaking_layer") }} alone is unmasked, the loss changes by
# {{ result("transformer.leak", "+.2f") }} nats (exercise 1).
#
# ## Taking out the plumbing
#
# Now two parts that seem to compute nothing. We take out the residual connections (each part *replaces* the stream) or
# the norms, at three depths, and train for 70 steps on the little language that we wrote for our model
# [`world`](../models/world.md), 32 numbers wide. After so few steps the random start still counts. So all models of two
# layers and the full one of 24 get three starts each, and we quote medians. The others get one start.

# %%
STEPS = 70
DATA, HELD = story_batches(32, 12), story_batches(32, 128, seed=2)(0)
BATCHES = [DATA(step) for step in range(STEPS)]


def build(n_layers, residual=True, norm=True, seed=0):
    sizes = {"n_ctx": 32, "n_layers": n_layers, "d_model": 32, "d_mlp": 64}
    config = Config(len(VOCABULARY), **sizes, residual=residual, norm=norm)
    return Transformer(config, seed=seed)


# %%
@torch.enable_grad()
def learn(model):
    """The gradient's norm in each layer at the first step; the held-out loss at the end."""
    plan = Plan(STEPS, lr=5e-3, warmup=STEPS // 10)
    optimizer = torch.optim.AdamW(model.parameters(), betas=plan.betas, fused=True)
    for step, batch in enumerate(BATCHES):
        optimizer.param_groups[0]["lr"] = plan.rate(step)
        loss_of(model, batch).backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
        if step == 0:
            first = [
                norm_of(block) * norm.clamp(min=1).item()
                for block in model.transformer["h"]
            ]
        optimizer.step()
        optimizer.zero_grad()
    return np.array(first), loss_of(model, HELD).item()


# %% [markdown]
# The gradients of one layer, as one number. And the control: a model that knows only how frequent each word is.


# %%
def norm_of(block):
    return math.sqrt(sum(float(p.grad.norm()) ** 2 for p in block.parameters()))


torch.set_flush_denormal(True)  # numbers too small for the processor to be quick with
KINDS = {"full": {}, "no residual": {"residual": False}, "no norm": {"norm": False}}
runs = {
    (kind, n): [
        learn(build(n, **how, seed=seed))
        for seed in range(3 if n == 2 or (n == 24 and not how) else 1)
    ]
    for n in (2, 8, 24)
    for kind, how in KINDS.items()
}
frequent = torch.bincount(
    torch.cat([b[1][b[1] >= 0] for b in BATCHES]), minlength=len(VOCABULARY)
)
scored = HELD[1][HELD[1] >= 0]
words_only = -float(((frequent + 1) / (frequent + 1).sum()).log()[scored].mean())

# %% [markdown]
# The numbers that settle the bets.

# %%
SHORT = "one short training: differs from CPU to CPU, little beside the differences"
note = within(atol=0.15, because=SHORT)
ends = {key: np.array([end for _, end in found]) for key, found in runs.items()}
middle = {key: np.median(found) for key, found in ends.items()}
start = loss_of(build(24), HELD).item()
gains = (start - middle["no residual", 24]) / (start - ends["full", 24])  # one a start
gradients = runs["no residual", 24][0][0]
note(atol=1e-3, because="counted", unit="nats", words_only=words_only)
note(
    unit="nats",
    full_24=middle["full", 24],
    full_24_best=ends["full", 24].min(),
    full_24_worst=ends["full", 24].max(),
)
note(atol=0.03, unit="nats", no_residual_24=middle["no residual", 24])
note(atol=1e-3, first_to_last_no_residual=gradients[0] / gradients[-1])
shallow = np.median([first[0] / first[-1] for first, _ in runs["no residual", 2]])
note(rtol=0.05, first_to_last_no_residual_2=shallow)

# %% [markdown]
# And the losses compared.

# %%
note(atol=0.08, gain_no_residual_24=np.median(gains))
note(atol=0.03, gain_first_start=gains[0])
note(
    atol=0.25,
    unit="nats",
    worse_no_residual_2=middle["no residual", 2] - middle["full", 2],
    worse_no_norm_2=middle["no norm", 2] - middle["full", 2],
    worse_no_norm_24=middle["no norm", 24] - middle["full", 24],
)

# %% [markdown]
# Gradients at the first step, and what the training reaches.

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.4)
for kind, colour, marker in zip(KINDS, (BLUE, ORANGE, GREEN), "osD", strict=True):
    first = np.maximum(runs[kind, 24][0][0], 1e-16)
    left.semilogy(range(1, 25), first, color=colour, marker=marker, ms=4, label=kind)
    for at, n in enumerate((2, 8, 24)):
        place = [at + 0.14 * list(KINDS).index(kind)] * len(ends[kind, n])
        right.plot(place, ends[kind, n], marker, color=colour, label=None if at else kind)
right.axhline(words_only, color=GREY, ls="--", lw=1.5, label="control: word frequencies")
left.set(xlabel="layer (of 24)", ylabel="norm of the gradient", title="First step")
right.set_xticks((0.14, 1.14, 2.14), (2, 8, 24))
right.set(xlabel="layers", ylabel="loss (nats)", title="After 70 steps")
right.set(ylim=(2.2, 5), xlim=(-0.4, 2.7))
right.legend(loc="lower left", fontsize=9)
figure(
    fig,
    name="without",
    alt="Without residual connections the gradient falls by many orders of magnitude from the last layer to the first, "
    "and the loss stays at that of word frequencies at every depth. Without norms gradients are even but small, and the "
    "losses are those of word frequencies or little below. The losses of the full model lie below all others, at 2 and 24 "
    "layers far apart from start to start.",
    caption="Left: the size of the gradient by layer, before training, one start. Right: held-out loss, a mark for each start.",
    data={kind.replace(" ", "_"): [middle[kind, n] for n in (2, 8, 24)] for kind in KINDS},
    rtol=0.3,
    because=SHORT,
)

# %% [markdown]
# **Without residual connections** the first of 24 layers gets
# {{ result("transformer.first_to_last_no_residual", ".0e") }} of the last one's gradient, and the loss ends at
# {{ result("transformer.no_residual_24", ".2f") }} nats, that of a model which knows only word frequencies
# ({{ result("transformer.words_only", ".2f") }}). The full model: {{ result("transformer.full_24", ".2f") }}, from
# {{ result("transformer.full_24_best", ".2f") }} to {{ result("transformer.full_24_worst", ".2f") }} over three starts.
#
# That spread decides a bet. From its untrained loss the model without residual connections gains
# {{ result("transformer.gain_no_residual_24", ".0%") }} of what the full one gains (median of three full ones). We had bet on
# less than half, so we lost. The first version of this page had the first start only, where it is
# {{ result("transformer.gain_first_start", ".0%") }}, and counted the bet as won. The two other bets that compare losses are
# settled by medians now too, and come out as they did.
#
# **Without norms** the gradients are even, but the model ends
# {{ result("transformer.worse_no_norm_24", ".2f") }} nats above the full one with 24 layers (one start,
# against the median of three) and {{ result("transformer.worse_no_norm_2", ".2f") }} with 2. Nothing vanishes or explodes here. We suspect the start:
# GPT-2's embeddings begin at 0.02, fifty times smaller than what a norm makes of them. A test: eight layers without
# norms, and the same with embeddings that start ten times larger.

# %%
louder = build(8, norm=False)
for table in ("wte", "wpe"):
    louder.transformer[table].weight.mul_(10)
note(atol=0.05, unit="nats", no_norm_8=middle["no norm", 8])
note(atol=0.25, unit="nats", no_norm_8_louder=learn(louder)[1])

# %% [markdown]
# From {{ result("transformer.no_norm_8", ".2f") }} to {{ result("transformer.no_norm_8_louder", ".2f") }} nats, in one run
# each: it seems that most of what the norms do in these first steps is to make small numbers large.
#
# ## Is it the gradient?
#
# The textbook says that residual connections are there for the gradient. But two layers have no vanishing gradient
# (the first gets {{ result("transformer.first_to_last_no_residual_2", ".1f") }} times the last one's), and they too end
# {{ result("transformer.worse_no_residual_2", ".2f") }} nats above the full model. What else is lost? Perhaps *which
# token stands where*: an untrained head takes a mean over all tokens so far, and without a residual connection that
# mean is all that is left of them.
#
# So we train four layers without residual connections in four ways. *Quiet* starts as GPT-2 does, *loud* with
# weights so large that each part writes numbers of about size one. *Self* has heads with a fixed bonus for a
# token's own place. Two starts each.


# %%
class SelfFirst(Attention):
    """Attention with a fixed bonus for a token's own place."""

    def forward(self, x, cache=None, start=0):
        parts = self.c_attn(x).chunk(3, dim=-1)
        q, k, v = (p.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for p in parts)
        n = x.shape[1]
        bonus = torch.full((n, n), -math.inf).triu(1) + 8 * torch.eye(n)
        z = F.scaled_dot_product_attention(q, k, v, attn_mask=bonus)
        return self.c_proj(z.transpose(1, 2).flatten(2))


def without(kind, seed):
    """Four layers without residual connections: quiet or loud, with self-first heads or not."""
    model = build(4, residual=False, seed=seed)
    for part in model.transformer["h"]:
        for p in part.parameters():
            if p.dim() == 2 and "loud" in kind:
                p.mul_(len(p) ** -0.5 / p.std())
        part.attn.__class__ = SelfFirst if "self" in kind else Attention
    return model


# %% [markdown]
# Besides gradient and loss we measure how alike the tokens of a text are after the last block: the mean cosine between
# the streams of different places, before training.


# %%
def alikeness(model):
    x = model.transformer["wte"](HELD[0][:16]) + model.transformer["wpe"].weight
    for part in model.transformer["h"]:
        x = part(x)
    x = F.normalize(x, dim=-1)
    cosines = x @ x.transpose(1, 2)  # (16, 32, 32)
    return float((cosines.sum((1, 2)) - 32).mean() / (32 * 31))


ratio, alike, end = {}, {}, {}
for kind in ("quiet", "quiet_self", "loud", "loud_self"):
    models = [without(kind, seed) for seed in range(2)]
    alike[kind] = np.mean([alikeness(model) for model in models])
    found = [learn(model) for model in models]
    ratio[kind] = np.mean([first[0] / first[-1] for first, _ in found])
    end[kind] = np.mean([end for _, end in found])

# %%
untrained = within(rtol=0.05, because="untrained: rounding only")
untrained(
    ratio_quiet=ratio["quiet"],
    ratio_quiet_self=ratio["quiet_self"],
    ratio_loud=ratio["loud"],
    ratio_loud_self=ratio["loud_self"],
)
untrained(
    atol=0.005,
    alike_quiet=alike["quiet"],
    alike_quiet_self=alike["quiet_self"],
    alike_loud=alike["loud"],
    alike_loud_self=alike["loud_self"],
)
two_trainings = within(because="mean of two short trainings")
two_trainings(atol=0.05, unit="nats", end_quiet=end["quiet"], end_loud=end["loud"])
two_trainings(
    atol=0.3, unit="nats", end_quiet_self=end["quiet_self"], end_loud_self=end["loud_self"]
)

# %% [markdown]
# | four layers, no residual connection | first layer's gradient ÷ last | tokens alike (cosine) | loss (nats) |
# | --- | --- | --- | --- |
# | quiet | {{ result("transformer.ratio_quiet", ".2f") }} | {{ result("transformer.alike_quiet", ".2f") }} | {{ result("transformer.end_quiet", ".2f") }} |
# | loud | {{ result("transformer.ratio_loud", ".2f") }} | {{ result("transformer.alike_loud", ".2f") }} | {{ result("transformer.end_loud", ".2f") }} |
# | quiet, self | {{ result("transformer.ratio_quiet_self", ".2f") }} | {{ result("transformer.alike_quiet_self", ".2f") }} | {{ result("transformer.end_quiet_self", ".2f") }} |
# | loud, self | {{ result("transformer.ratio_loud_self", ".2f") }} | {{ result("transformer.alike_loud_self", ".2f") }} | {{ result("transformer.end_loud_self", ".2f") }} |
# | control: word frequencies | | | {{ result("transformer.words_only", ".2f") }} |
#
# In all four the gradient reaches the first layer. Where all tokens of a text have become alike, the loss stays at
# word frequencies, loud or quiet. Give the tokens back to themselves, and the same network begins to learn. Residual
# connections carry the gradient backwards, and they carry **each token's identity forwards**; with four layers it was the
# lack of the second that kept the loss at word frequencies. ([Dong et al. 2021](https://arxiv.org/abs/2103.03404) prove that attention alone makes all tokens
# alike, faster with every layer.)
#
# ## Writing, with a memory
#
# To write, a model predicts a token, appends it, and reads everything again. But the keys and values of earlier tokens
# do not change, since no token sees a later one. So keep them: this is the **cache**, our `past`.


# %%
def read(new, pasts):
    """The logits after the last of the new tokens; keys and values are kept in `pasts`."""
    w = under(W, "transformer.")
    begin = pasts[0][0].shape[1] if pasts[0] else 0
    x = w["wte.weight"][new] + w["wpe.weight"][begin : begin + len(new)]
    for layer in range(L):
        x, pasts[layer] = block(x, under(w, f"h.{layer}."), past=pasts[layer])
    return layer_norm(x[-1], w["ln_f.weight"], w["ln_f.bias"]) @ w["wte.weight"].T


def write(text, n_new, cached):
    """The likeliest token, again and again; also all logits, positions computed, seconds."""
    pasts, seen, said, count, begin = [None] * L, 0, [], 0, time.process_time()
    for _ in range(n_new):
        pasts = pasts if cached else [None] * L
        said.append(read(text[seen:], pasts))
        count += len(text) - seen
        seen = len(text) if cached else 0
        text = torch.cat([text, said[-1].argmax()[None]])
    return text, torch.stack(said), count, time.process_time() - begin


# %% [markdown]
# Sixty-four tokens more, with and without it.

# %%
write(ids[:48], 4, True)  # the first call warms up
slow_text, slow_logits, slow_count, slow_time = write(ids[:48], 64, cached=False)
text, kept_logits, count, seconds = write(ids[:48], 64, cached=True)
print(fairytale.tokenizer.decode(text[30:]))
note(
    same_text=(text == slow_text).all(),
    cache_logits_agree=(kept_logits - slow_logits).abs().max() < 1e-3,
)
note(atol=0, because="counted", positions_saved=slow_count / count)
CLOCK = "a clock on a busy machine"
note(
    rtol=0.7,
    because=CLOCK,
    time_saved=slow_time / seconds,
    time_to_positions=slow_time / seconds / (slow_count / count),
)

# %% [markdown]
# The text is the same, the positions computed are {{ result("transformer.positions_saved", ".0f") }} times fewer, and the
# time is only {{ result("transformer.time_saved", ".1f") }} times shorter. Our explanation, not measured: each new token has
# a fixed price, however few positions it reads. Here it is that of starting some hundred small operations, in large models
# that of fetching all the weights. It would make writing slower, token by token, than reading.
#
# ## What surprised us
#
# - With an even gradient, a shallow network without residual connections learned only word frequencies as long as its
#   tokens were alike. We had given two chances in five to two layers coming close to the full model.
# - Without norms, even gradients did not help either: the start was too quiet.
# - The full model of 24 layers ends far apart from one start to the next, enough to turn a bet from won to lost.
# - Without the mask the loss *falls*, in a model that was never trained to look ahead. We had bet on the contrary.
# - The wrong GELU and the wrong variance do not show in the loss. Only equal logits find them.
#
# ## Try it yourself
#
# **1. Who looks ahead?** (intermediate, 15 minutes). Take the mask away from one head at a time. Does any head lower
# the loss? If one does, what has it learned?
#
# ??? tip "Hint"
#     A copying head (*induction head*) looks for tokens whose *previous* token is like the present one. Which token is that,
#     if it may look ahead?


# %% tags=["solution"]
def one_open(open_layer, open_head):
    """The rise of the loss when one head sees everything."""
    w, x = under(W, "transformer."), streams[open_layer]
    for layer in range(open_layer, L):

        def look(q, k, here=layer == open_layer):
            seen = weigh(q, k)
            if here:
                seen[open_head] = weigh(q, k, masked=False)[open_head]
            return seen

        x, _ = block(x, under(w, f"h.{layer}."), weigh=look)
    x = layer_norm(x, w["ln_f.weight"], w["ln_f.bias"])
    return loss(x @ w["wte.weight"].T) - loss(logits)


rises = torch.tensor([[one_open(layer, head) for head in range(H)] for layer in range(L)])
print(rises.numpy().round(2))
note(atol=0.002, because=CHECKPOINT, unit="nats", leak=rises.min())
note(leaking_layer=rises.argmin() // H, leaking_head=rises.argmin() % H)
assert rises.abs().max() > 0.01, f"{rises}: does the open head really see later tokens?"

# %% [markdown]
# **2. Where the parameters sit** (beginner, 5 minutes). Which share of the model is the embedding, attention, MLPs? And
# in GPT-2 with its 12 layers, 768 numbers and 50257 tokens?
#
# ??? tip "Hint"
#     A block has 4 *d*² weights in attention and 8 *d*² in the MLP, and little else.

# %% tags=["solution"]
groups = {"embedding": "wte|wpe", "attention": "attn", "MLP": "mlp", "norms": "ln_"}
sizes = {
    group: sum(w.numel() for name, w in W.items() if re.search(part, name))
    for group, part in groups.items()
}
total = sum(sizes.values())
print({group: f"{size / total:.1%}" for group, size in sizes.items()})
assert total == sum(w.numel() for w in W.values()) - W["lm_head.weight"].numel()
gpt2_sizes = (50257 + 1024) * 768, 12 * 4 * 768**2, 12 * 8 * 768**2
print([f"{size / sum(gpt2_sizes):.0%}" for size in gpt2_sizes], "in GPT-2")

# %% [markdown]
# ## What this does not show
#
# - Costs of mistakes are for one model and one text, and for a model *trained* with the right code. A model trained with
#   the mistake may learn around it.
# - The depths were trained for 70 steps with one rate; all of 8 layers, and of 24 those without residual connections or norms,
#   from one start. The full ones of 24 show how much a start can matter. Longer training, other rates and careful starts can train
#   deep networks without residual connections ([He et al. 2023](https://arxiv.org/abs/2302.10322)).
# - With 24 layers without residual connections the gradient vanishes, and tokens should grow alike too, which we did not measure
#   there. We mended four layers, with two starts; how fast the self-first models learn differed between them.
#
# ## Links
#
# - Before this: [Word order without being told](04_order.md)
# - Finding: [Residual connections keep the tokens apart](../findings/transformer-residuals-keep-tokens-apart.md)
# - Surprises: [Without residuals an even gradient is not enough](../surprises/transformer-even-gradient.md),
#   [Without its mask a trained model looks better](../surprises/transformer-no-mask-looks-better.md)
# - Radford et al. (2019), [Language models are unsupervised multitask
#   learners](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf)
# - Dong et al. (2021), [Attention is not all you need](https://arxiv.org/abs/2103.03404)
# - He et al. (2023), [Deep transformers without shortcuts](https://arxiv.org/abs/2302.10322)

# %% tags=["labels"]
in_words(
    logits_agree="Our logits are the library's",
    same_next_token="So is the likeliest next token, at every position",
    loss="Loss on the tale, everything right",
    extra_no_mask="Change of the loss without the causal mask",
    extra_exact_gelu="Change of the loss with the exact GELU",
    extra_sample_variance="Change of the loss with the sample variance in the norm",
    extra_no_scaling="Change of the loss without division by the square root",
    extra_no_final_norm="Change of the loss without the final norm",
    extra_relu="Change of the loss with ReLU",
    extra_two_blocks_swapped="Change of the loss with two middle blocks swapped",
    extra_positions_forgotten="Change of the loss without positions",
    extra_matrix_transposed="Change of the loss with the output matrix transposed",
    extra_heads_mixed_up="Change of the loss with the heads mixed up",
    silent_share="Mistakes that raise the loss by less than 0.1 nats",
    words_only="Loss from word frequencies alone",
    full_24="Loss of the full model, 24 layers, median of three starts",
    full_24_best="The same, best start",
    full_24_worst="The same, worst start",
    no_residual_24="Loss without residual connections, 24 layers",
    first_to_last_no_residual="Gradient of layer 1 as a share of layer 24's, without residual connections",
    first_to_last_no_residual_2="Gradient of layer 1 against layer 2's, two layers without residual connections",
    gain_no_residual_24="Gain without residual connections, as a share of the full model's, 24 layers",
    gain_first_start="The same, first start only",
    worse_no_residual_2="Added loss without residual connections, two layers",
    worse_no_norm_2="Added loss without norms, two layers",
    worse_no_norm_24="Added loss without norms, 24 layers",
    no_norm_8="Loss without norms, eight layers",
    no_norm_8_louder="The same with embeddings that start ten times larger",
    ratio_quiet="First layer's gradient against the last's: quiet",
    alike_quiet="Mean cosine between tokens after four layers: quiet",
    end_quiet="Loss after training: quiet",
    ratio_quiet_self="First layer's gradient against the last's: quiet, heads see themselves first",
    alike_quiet_self="Mean cosine between tokens after four layers: quiet, heads see themselves first",
    end_quiet_self="Loss after training: quiet, heads see themselves first",
    ratio_loud="First layer's gradient against the last's: loud",
    alike_loud="Mean cosine between tokens after four layers: loud",
    end_loud="Loss after training: loud",
    ratio_loud_self="First layer's gradient against the last's: loud, heads see themselves first",
    alike_loud_self="Mean cosine between tokens after four layers: loud, heads see themselves first",
    end_loud_self="Loss after training: loud, heads see themselves first",
    same_text="The cache changes no word",
    cache_logits_agree="The cache changes no logit",
    positions_saved="Positions computed without the cache, against with it",
    time_saved="Time without the cache, against with it",
    time_to_positions="Saving in time as a share of the saving in positions",
    leak="Change of the loss when the worst head alone is unmasked",
    leaking_layer="Layer of that head, from 0",
    leaking_head="Number of that head, from 0",
)
