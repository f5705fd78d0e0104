# ---
# title: A transformer from scratch
# question: What is in a transformer, piece by piece, and would the loss tell you if one piece were wrong?
# answer: >-
#   Five short functions give every logit of the library. Of ten bugs in them, {{ result("transformer.silent_share", ".0%") }}
#   raise the loss by less than 0.1 nats or lower it, and no error is raised.
# chapter: Start
# level: intermediate
# models: [fairytale]
# needs: [04_order]
# tags: [attention, residual stream]
# thumbnail: mistakes
# timeout: 900
# ---

# %% tags=["setup"]
import math
import time
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.model import trace

torch.set_num_threads(1)
torch.set_grad_enabled(False)
BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
CHECKPOINT = "fixed weights and text: rounding only"
CLOCK = "a clock on a busy machine"
note = within(atol=0.002, because=CHECKPOINT)

fairytale = llmnotes.load("fairytale")
L, H, D = fairytale.n_layers, fairytale.n_heads, fairytale.d_model
opening = fairytale.ids("Once upon a time there lived a")[0]

# %% [markdown]
# ## A case you can hold: “Once upon a time there lived a ▢”
#
# *Fairytale* is a small language model with the design of GPT-2. It comes with this notebook and has read some 700 fairy tales. Give it an
# opening, and it returns one number for each of its 4,096 tokens: the probability that this token comes next.

# %% tags=["drawing"]
chances = fairytale.model(opening[None]).logits[0, -1].softmax(-1)
likeliest = chances.topk(5)
fig, ax = plots.subplots(height=2.3)
for y, chance in enumerate(likeliest.values):
    ax.barh(y, 100 * chance, height=0.6, color=BLUE)
    ax.text(100 * chance + 0.4, y, f"{chance:.0%}", va="center")
ax.set_yticks(range(5), [fairytale.tokenizer.decode(int(i)) for i in likeliest.indices])
ax.invert_yaxis()
ax.set(
    xlabel="probability (%)",
    xlim=(0, 27),
    title="Once upon a time there lived a …",
)
ax.grid(visible=False)
figure(
    fig,
    name="case",
    alt="The five likeliest next tokens after Once upon a time there lived a: man and king lead, poor, King and young follow.",
    caption="The five likeliest of 4,096 tokens.",
    data={"chances": likeliest.values},
    rtol=0.01,
    because=CHECKPOINT,
)

# %% [markdown]
# Now write a tale with it, one token at a click. Each click runs everything on this page once.
#
# <div class="bench" data-bench="write" markdown>
#
# *Fairytale* runs here in your browser if JavaScript is on.
#
# </div>
#
# ## One stream for each token, and parts that only add
#
# {{ drawing("transformer-map", alt="From top to bottom: tokens, embedding plus position, a block of norm, attention, add, norm, MLP, add, repeated; then a final norm and the unembedding.") }}
#
# Each token owns a *residual stream*, here a list of 192 numbers. It starts as the token's *embedding* plus a vector for its
# position. Then five *blocks* follow. In each block attention reads the stream and adds its result to it, then an *MLP* (a
# hidden layer, on each token alone) does the same:
#
# $$
# \begin{aligned}
# x &\leftarrow x + \mathrm{Attn}(\mathrm{LN}\,x) \\
# x &\leftarrow x + \mathrm{MLP}(\mathrm{LN}\,x) \\
# \mathrm{LN}\,x &= \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} \odot g + b
# \end{aligned}
# $$
#
# $x$ is the stream of one token. $\mathrm{LN}$ is the *layer norm*: $\mu$ and $\sigma^2$ are the mean and the variance of the
# 192 numbers, $\varepsilon = 10^{-5}$ keeps the division safe, and $g$ and $b$ are learned. After the last block a final norm
# and the embedding table, used the other way round as *unembedding*, turn the stream into the *logits*, one score a token.
#
# All numbers that were learned sit in a few tables.

# %% tags=["setup"]
state = {name: value.detach() for name, value in fairytale.model.state_dict().items()}


def layer_of(n):
    """The weights of block n by part, such as `w["ln_1"]`: a pair of weight and bias."""
    start = f"transformer.h.{n}."
    names = [key[len(start) : -7] for key in state if key.startswith(start)]
    return {
        name: (state[f"{start}{name}.weight"], state[f"{start}{name}.bias"])
        for name in names
        if f"{start}{name}.weight" in state
    }


w = {
    "wte": state["transformer.wte.weight"],  # (vocabulary, d_model): token embeddings
    "wpe": state["transformer.wpe.weight"],  # (context, d_model): position embeddings
    "ln_f": (state["transformer.ln_f.weight"], state["transformer.ln_f.bias"]),
    "blocks": [layer_of(n) for n in range(L)],
}
sizes = {"embedding": w["wte"].numel() + w["wpe"].numel(), "attention": 0, "MLP": 0}
for block_ in w["blocks"]:
    sizes["attention"] += sum(
        x.numel() for part in block_ if "attn" in part for x in block_[part]
    )
    sizes["MLP"] += sum(x.numel() for part in block_ if "mlp" in part for x in block_[part])
norms = sum(value.numel() for name, value in state.items() if "ln_" in name)
total = sum(sizes.values()) + norms
assert total == sum(p.numel() for p in fairytale.model.parameters())
note(parameters=total)
note(
    atol=1e-4,
    because="counted",
    embedding_share=sizes["embedding"] / total,
    attention_share=sizes["attention"] / total,
    mlp_share=sizes["MLP"] / total,
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.6)
wide, high = sizes["embedding"] / total, sizes["MLP"] / (sizes["MLP"] + sizes["attention"])
boxes = [("embedding", 0, 0, wide, 1, GREEN)]
for n in range(L):
    x, step = wide + n * (1 - wide) / L, (1 - wide) / L
    boxes += [("", x, high, step, 1 - high, BLUE), ("", x, 0, step, high, ORANGE)]
for _, x, y, across, up, colour in boxes:
    ax.bar(x, up, across, y, align="edge", color=colour, edgecolor=plots.PAPER, lw=2)
for x, y, text in (
    (wide / 2, 0.5, f"embed-\nding\n{wide:.0%}"),
    ((1 + wide) / 2, (1 + high) / 2, f"attention {sizes['attention'] / total:.0%}"),
    ((1 + wide) / 2, high / 2, f"MLPs {sizes['MLP'] / total:.0%}"),
):
    colour = BLUE if "att" in text else ORANGE if "MLP" in text else GREEN
    around = {"facecolor": colour, "edgecolor": "none", "pad": 3}
    ax.text(
        x, y, text, ha="center", va="center", color=plots.PAPER, weight="bold", bbox=around
    )
ax.set(xlim=(0, 1), ylim=(0, 1))
ax.axis("off")
figure(
    fig,
    name="parameters",
    title="Half of the parameters are MLPs",
    alt="A treemap of the parameters. The embedding takes about a quarter, attention a quarter, the MLPs half; attention and "
    "MLPs are cut into five blocks of the same size.",
    caption="Area is the number of parameters; the five columns are the five blocks. The norms are too small to be seen.",
    data={"sizes": np.array(list(sizes.values()))},
)

# %% [markdown]
# Of all {{ result("transformer.parameters", ",") }} parameters {{ result("transformer.mlp_share", ".0%") }} belong to the MLPs.
#
# ## Five short functions are the whole model
#
# <div data-here="norm" title="the norms"></div>
#
# First the layer norm, and the linear map that all parts use. Note that $\varepsilon$ is *under* the root.


# %% tags=["idea"]
def linear(x, weight, bias):
    return x @ weight + bias


def layer_norm(x, gain, bias):
    centred = x - x.mean(-1, keepdim=True)
    variance = (centred**2).mean(-1, keepdim=True)  # not n - 1
    return centred / (variance + 1e-5).sqrt() * gain + bias


# %% [markdown]
# <div data-here="attention" title="attention"></div>
#
# Next comes attention, as in [What one head can do](03_attention.md). Its one trap is the causal mask. Fill it in before you
# read on; the whole function follows.
#
# ```exercise
# title: Hide the future
# minutes: 3
# code: |
#   ones = torch.ones(n, n)  # row looks at column
#   later = ones.▢.bool()
#   scores = scores.masked_fill(later, -torch.inf)
#   assert allclose(gpt2(ids, w)[0], library_logits)
# right: ["triu(1)", "triu(diagonal=1)"]
# praise: Everything above the diagonal is hidden, and the logits are the library's.
# wrong:
#   "triu()": "This hides the diagonal as well: no token sees itself, and the first token sees nothing, so its softmax is nan."
#   "triu(0)": "This hides the diagonal as well: no token sees itself, and the first token sees nothing, so its softmax is nan."
#   "tril()": "This hides the past and the present. Columns that come later lie on the other side of the diagonal."
#   "tril(-1)": "This hides the past. Columns that come later lie on the other side of the diagonal."
# otherwise: "The mask is a triangle. Which one, and with the diagonal or without?"
# solution: "`triu(1)` keeps what lies above the diagonal: the tokens that come later. A token may look at itself."
# ```
#
# Each of the six heads owns a slice of the queries, keys and values. Their results are laid side by side.


# %% tags=["idea"]
def pattern(q, k):  # (head, pos, d_head) each
    scores = q @ k.transpose(1, 2) * k.size(-1) ** -0.5
    later = torch.ones(scores.shape[1:]).triu(1).bool()
    return scores.masked_fill(later, -torch.inf).softmax(-1)


def split_heads(x):  # (pos, d_model) -> (head, pos, d_head)
    return x.view(len(x), H, D // H).transpose(0, 1)


def attention(x, w):
    qkv = linear(x, *w["attn.c_attn"])  # (pos, 3 * d_model)
    q, k, v = (split_heads(part) for part in qkv.split(D, -1))
    z = (pattern(q, k) @ v).transpose(0, 1)  # (pos, head, d_head)
    return linear(z.flatten(1), *w["attn.c_proj"])


# %% [markdown]
# <div data-here="mlp" title="the MLP"></div>
#
# The MLP's activation function is GPT-2's approximation of the *GELU*, a smooth version of “zero unless positive”.


# %% tags=["idea"]
def gelu(x):
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return 0.5 * x * (1 + torch.tanh(inner))


def mlp(x, w):
    hidden = gelu(linear(x, *w["mlp.c_fc"]))  # (pos, 4 * d_model)
    return linear(hidden, *w["mlp.c_proj"])


# %% [markdown]
# <div data-here="block attention norm mlp resid" title="one block"></div>
#
# A block is the two additions of the equation. What belongs in front of the second?
#
# ```exercise
# title: Add, do not replace
# minutes: 2
# code: |
#   x = x + attention(layer_norm(x, *w["ln_1"]), w)
#   x = ▢ + mlp(layer_norm(x, *w["ln_2"]), w)
# right: ["x"]
# praise: The MLP reads the stream through its norm and adds to the stream itself.
# wrong:
#   "layer_norm(x, *w['ln_2'])": The norm is for what the MLP reads. The stream itself passes by without it.
#   "attention(x, w)": Attention has already been added, one line above.
#   "0": Then the MLP replaces the stream, and what attention and the embedding wrote is lost.
# otherwise: "Look at the drawing. What does the vertical line carry past the MLP?"
# solution: "`x`. The stream is never overwritten. What happens without it is shown in [Taking out the plumbing](06_plumbing.md)."
# ```


# %% tags=["idea"]
def block(x, w):
    x = x + attention(layer_norm(x, *w["ln_1"]), w)
    return x + mlp(layer_norm(x, *w["ln_2"]), w)


# %% [markdown]
# <div data-here="embed block final-norm unembed" title="the whole model"></div>
#
# Last, the model: embeddings, blocks, a norm, the unembedding. We keep the stream after each block to look at it.


# %% tags=["idea"]
def gpt2(ids, w):
    x = w["wte"][ids] + w["wpe"][: len(ids)]  # (pos, d_model)
    streams = [x]
    for weights in w["blocks"]:
        x = block(x, weights)
        streams.append(x)
    x = layer_norm(x, *w["ln_f"])
    return x @ w["wte"].T, streams  # logits: (pos, vocabulary)


# %% [markdown]
# <div data-here=""></div>
#
# Is it right? We take a tale that we wrote ourselves, so that it cannot be in the training text, and compare with the library that everyone
# uses, stream by stream and logit by logit.

# %% tags=["setup"]
TALE = """Once upon a time there lived a poor miller who had three sons. When he died, the eldest \
got the mill, the second got the donkey, and the youngest got nothing but an old grey cat. "What \
shall I do with a cat?" said the boy, and he sat down by the road and wept. But the cat came to \
him and said, "Do not cry, my dear master. Give me a bag and a pair of boots, and you shall see \
that you are not so badly off as you think." The boy did as he was told. So the cat put on the \
boots, threw the bag over his shoulder, and went into the forest, where the king used to hunt."""
ids = fairytale.ids(TALE)[0]


def loss(logits, ids=ids):
    return float(F.cross_entropy(logits[:-1], ids[1:]))


logits, streams = gpt2(ids, w)
seen = trace(fairytale, ids[None], ["resid_post", "logits"])
for layer in range(L):
    off = (streams[layer + 1] - seen["resid_post", layer][0]).abs().max()
    size = streams[layer + 1].abs().max()
    print(f"after block {layer}: at most {off:.0e} apart, of {size:.0f}")
apart = (logits - seen["logits"][0]).abs().max()
assert apart < 1e-3, f"logits differ by {apart}: compare the streams, block by block"
same = logits.argmax(-1) == seen["logits"][0].argmax(-1)
note(logits_agree=apart < 1e-3, same_next_token=same.all())
note(atol=1e-4, unit="nats", loss=loss(logits))

# %% [markdown]
# Every stream and every logit agrees up to rounding. That is all there is in a GPT-2.
#
# ## The vector of one word changes in every block
#
# Back to the opening. We follow the stream of its last token, *a*, from its embedding to the top. At each height we ask
# what the model would say if it stopped there: we apply the final norm and the unembedding directly to it.

# %% tags=["setup"]
strips = torch.stack(gpt2(opening, w)[1])[:, -1]  # (height, d_model)
early = (layer_norm(strips, *w["ln_f"]) @ w["wte"].T).softmax(-1).max(-1)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3)
shown = strips / strips.std(1, keepdim=True)
ax.imshow(
    shown, cmap=plots.DIVERGING, vmin=-3, vmax=3, aspect="auto", extent=(0, 192, 5.5, -0.5)
)
for y, (chance, token) in enumerate(zip(*early, strict=True)):
    ax.text(
        197,
        y,
        f"{fairytale.tokenizer.decode(int(token)).strip()} {chance:.0%}",
        va="center",
    )
for y in range(L):
    ax.axhline(y + 0.5, color=plots.PAPER, lw=4)
ax.set_yticks(range(L + 1), ["embedding", *(f"block {n}" for n in range(L))])
ax.set(xticks=(), xlabel="the 192 numbers of the stream of a", xlim=(0, 232))
ax.grid(visible=False)
figure(
    fig,
    name="strips",
    title="The last word is decided in the last block",
    alt="Six strips of 192 numbers, one for the embedding of a and one after each block. Beside them the best guess: first the "
    "word a itself, then very, a, great, great, and man only after the last block.",
    caption="Blue is positive, orange negative; each row is scaled to its own size. At the end of each row: the best guess at that height.",
    data={"strips": shown, "chance": early.values},
    rtol=0.01,
    because=CHECKPOINT,
)

# %% [markdown]
# At first the guess only repeats the word itself. In between the model expects an adjective, and *man* leads only after the last block. This
# reading is called the *logit lens*, and [How a prediction forms](11_residual.md) shows what it hides.
#
# ## Your prediction
#
# We had a library to compare with. Usually you have no reference, only a loss that looks plausible. Would it reveal a bug?
#
# In training everyone uses the causal mask, since without it the model could look at the very token that it has to guess.
# Take *Fairytale*, which was trained with the mask, and forget it when you test. No head has ever been trained to look ahead.

# %%
ask(
    "We forget the causal mask when we test. What happens to the loss?",
    choices={
        "rises": "It rises: the heads see tokens that they never learned to use",
        "stays": "It stays: heads that were never trained to look ahead do not",
        "falls": "It falls: some head finds the answer and uses it",
    },
    answer="falls",
    because={
        "rises": "We thought so too. Many heads are disturbed, but one of them gains more than all others lose.",
        "stays": "A head is a rule about keys, not about places. A later token with the right key is found like an earlier one.",
        "falls": "A copying head looks for a token that followed the present word. The next token follows it, and is the answer.",
    },
    figure="mistakes",
    extra_no_mask="< 0",
)
predict("Without the causal mask a trained model's loss rises", 0.75, extra_no_mask="> 0")
predict(
    "Without division by √d_head it rises by over 0.1 nats", 0.8, extra_no_scaling="> 0.1"
)
predict(
    "Swapping two middle blocks costs less than 1 nat", 0.6, extra_two_blocks_swapped="< 1"
)
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
predict(
    "The cache saves less than a quarter as much time as positions",
    0.75,
    time_to_positions="< 0.25",
)

# %% [markdown]
# ## The loss misses three bugs of ten
#
# Here are ten mistakes that people make. None of them raises an error. We put each wrong piece in the place of the
# right one and measure the loss on our tale, in nats a token. Guessing evenly would cost $\ln 4096 \approx 8.3$. Flip
# the switches, one at a time, and guess before each.
#
# <div class="machine full bugs" markdown>
#
# Change of the loss, from {{ result("transformer.loss", ".2f") }} nats:
#
# - mask forgotten: `scores.softmax(-1)` {{ result("transformer.extra_no_mask", "+.2f") }}
# - exact GELU: `F.gelu(x)` {{ result("transformer.extra_exact_gelu", "+.2f") }}
# - variance over n − 1: `x.var(-1)` {{ result("transformer.extra_sample_variance", "+.2f") }}
# - no division by √d_head: `scores = q @ k.mT` {{ result("transformer.extra_no_scaling", "+.2f") }}
# - no norm at the end: `x @ w["wte"].T` {{ result("transformer.extra_no_final_norm", "+.2f") }}
# - ReLU, not GELU: `torch.relu(x)` {{ result("transformer.extra_relu", "+.2f") }}
# - two blocks swapped: `0, 2, 1, 3, 4` {{ result("transformer.extra_two_blocks_swapped", "+.2f") }}
# - positions forgotten: `x = w["wte"][ids]` {{ result("transformer.extra_positions_forgotten", "+.2f") }}
# - output matrix transposed: `z @ weight.T` {{ result("transformer.extra_matrix_transposed", "+.2f") }}
# - heads mixed up: `x.view(n, D // H, H)` {{ result("transformer.extra_heads_mixed_up", "+.2f") }}
#
# </div>


# %% tags=["setup"]
@contextmanager
def replaced(**wrong):
    """Within the block, these functions of the page stand in the place of its own."""
    right = {name: globals()[name] for name in wrong}
    globals().update(wrong)
    try:
        yield
    finally:
        globals().update(right)


def no_mask(q, k):
    return (q @ k.transpose(1, 2) * k.size(-1) ** -0.5).softmax(-1)


def no_scaling(q, k):
    return pattern_of(q * k.size(-1) ** 0.5, k)


def sample_variance(x, gain, bias):
    return (x - x.mean(-1, keepdim=True)) / (
        x.var(-1, keepdim=True) + 1e-5
    ).sqrt() * gain + bias


def wrong_split(x):  # a reshape that forgets which axis is which
    return x.view(len(x), D // H, H).permute(2, 0, 1)


pattern_of, name = pattern, "attn.c_proj"
transposed = [b | {name: (b[name][0].T, b[name][1])} for b in w["blocks"]]
first, m = w["blocks"], L // 2
swapped = [*first[: m - 1], first[m], first[m - 1], *first[m + 1 :]]
MISTAKES = {
    "exact GELU": {"gelu": F.gelu},
    "ReLU": {"gelu": torch.relu},
    "sample variance": {"layer_norm": sample_variance},
    "no final norm": None,
    "no scaling": {"pattern": no_scaling},
    "no mask": {"pattern": no_mask},
    "heads mixed up": {"split_heads": wrong_split},
    "matrix transposed": {"w": w | {"blocks": transposed}},
    "positions forgotten": {"w": w | {"wpe": 0 * w["wpe"]}},
    "two blocks swapped": {"w": w | {"blocks": swapped}},
}
extra = {}
for mistake, wrong in MISTAKES.items():
    if wrong is None:
        changed = streams[-1] @ w["wte"].T
    else:
        with replaced(**wrong):
            changed = gpt2(ids, w)[0]
    extra[mistake] = loss(changed) - loss(logits)
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

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.5)
PLAIN = {
    "no mask": "mask forgotten",
    "exact GELU": "exact GELU",
    "sample variance": "variance over n − 1",
    "no scaling": "no √d_head",
    "no final norm": "no norm at the end",
    "ReLU": "ReLU",
    "two blocks swapped": "two blocks swapped",
    "positions forgotten": "positions forgotten",
    "matrix transposed": "matrix transposed",
    "heads mixed up": "heads mixed up",
}
names, values = list(extra), np.round(list(extra.values()), 3) + 0.0
bars = ax.barh(range(10), values, color=np.where(values < 0.1, ORANGE, BLUE), height=0.62)
bars[0].set_gid("choice-falls")
for y, value in enumerate(values):
    end = max(value, 0) + 0.06
    text = f"{value:+.2f}" + ("  the loss falls" if value < -0.1 else "")
    ax.text(end, y, text, va="center", weight="bold" if value < 0.1 else None)
ax.axvline(0, color=plots.INK, lw=1)
ax.text(0.06, 9.85, "control: no mistake", va="center", color=plots.INK)
ax.set_yticks(range(10), [PLAIN[name] for name in names])
ax.set(
    xlabel="change of the loss (nats)",
    xlim=(-0.75, 4.6),
    ylim=(-0.6, 10.3),
)
ax.grid(visible=False)
figure(
    fig,
    name="mistakes",
    title="Three bugs do not raise the loss, and one of them lowers it",
    alt="Ten mistakes by what they add to the loss. A forgotten mask lowers it, the exact GELU and the sample variance add "
    "next to nothing, mixed up heads and a transposed matrix add most.",
    caption="Orange, bold: below 0.1 nats, which nobody would notice. One model, one text.",
    data={"extra": values},
    rtol=0.01,
    because=CHECKPOINT,
)

# %% [markdown]
# The right loss is {{ result("transformer.loss", ".2f") }} nats. The exact GELU and the variance over $n - 1$ change it
# by less than 0.002. Only a comparison of logits finds these two.
#
# The forgotten mask is the dangerous one. The loss changes by {{ result("transformer.extra_no_mask", "+.2f") }} nats, so the
# bug looks like *progress*.
#
# ## Without the mask, one head reads the answer
#
# Why does it fall? We take the mask away from one head at a time and leave the other 29 as they are.


# %% tags=["setup"]
def one_open(layer, head):
    """The change of the loss when one head of one layer sees everything."""

    def look(q, k):
        seen = pattern_of(q, k)
        seen[head] = no_mask(q, k)[head]
        return seen

    with replaced(pattern=look):
        x = block(streams[layer], w["blocks"][layer])
    for weights in w["blocks"][layer + 1 :]:
        x = block(x, weights)
    return loss(layer_norm(x, *w["ln_f"]) @ w["wte"].T) - loss(logits)


rises = torch.tensor([[one_open(layer, head) for head in range(H)] for layer in range(L)])
assert rises.abs().max() > 0.01, f"{rises}: does the open head really see later tokens?"
note(unit="nats", leak=rises.min())
note(leaking_layer=rises.argmin() // H, leaking_head=rises.argmin() % H)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.7)
ax.imshow(-rises, cmap=plots.DIVERGING, vmin=-0.5, vmax=0.5, aspect="auto")
for layer in range(L):
    for head in range(H):
        value = rises[layer, head].item()
        ax.text(
            head,
            layer,
            f"{value:+.2f}",
            ha="center",
            va="center",
            weight="bold" if value < -0.1 else None,
        )
ax.set_xticks(range(H), [f"head {n}" for n in range(H)])
ax.set_yticks(range(L), [f"layer {n}" for n in range(L)])
ax.grid(visible=False)
figure(
    fig,
    name="unmasked",
    title="Two heads of 30 profit from seeing ahead",
    alt="A table of five layers and six heads with the change of the loss when that head alone is unmasked. Head 0 and head 3 of "
    "layer 1 lower it clearly, all others hardly change it.",
    caption="Change of the loss in nats when this head alone sees later tokens. Blue: the loss falls.",
    data={"rises": rises},
    rtol=0.01,
    because=CHECKPOINT,
)

# %% [markdown]
# Head {{ result("transformer.leaking_head") }} of layer {{ result("transformer.leaking_layer") }} alone changes the loss by
# {{ result("transformer.leak", "+.2f") }} nats. Our explanation is that it copies: it looks for a token that *followed* the
# present word before. Unmasked, it also finds the one that follows now.
#
# {{ drawing("mask-leak", alt="The words said, the, boy, said, the, cat. At the second the, a copying head looks for words that follow the. With the mask it finds boy; without it, also cat, which is the answer.") }}
#
# So test a model on what it must not see: change the last token of a text, and no earlier logit may move.
#
# ## What surprised us
#
# **The worst bug looks like a better model.** We had expected the loss to rise without the mask. An earlier model of
# ours, which had not learned to copy, did get worse. What a model has learned decides what it can leak.
#
# **Two middle blocks cannot change places.** We had expected less than 1 nat, since each of them only adds. It costs
# {{ result("transformer.extra_two_blocks_swapped", ".1f") }} nats. It seems that the second builds on the first.
#
# ## Try it
#
# **1. Epsilon outside the root** (5 minutes). Write a layer norm that divides by $\sigma + \varepsilon$ instead of
# $\sqrt{\sigma^2 + \varepsilon}$. Predict the loss before you run it. How would you find this bug?
#
# ??? tip "Hint"
#     `with replaced(layer_norm=yours): gpt2(ids, w)`.


# %% tags=["solution"]
def outside(x, gain, bias):
    centred = x - x.mean(-1, keepdim=True)
    deviation = (centred**2).mean(-1, keepdim=True).sqrt()
    return centred / (deviation + 1e-5) * gain + bias


with replaced(layer_norm=outside):
    other = gpt2(ids, w)[0]
assert 0 < (other - logits).abs().max() < 0.5, "is the epsilon outside the root, and small?"
print(f"the loss changes by {loss(other) - loss(logits):+.5f} nats,")
print(f"a logit by {(other - logits).abs().max():.3f} at most")

# %% [markdown]
# **2. A test for leaks** (10 minutes). Change the last token of the tale. With the mask no logit before it moves. Without
# the mask, how many do?
#
# ??? tip "Hint"
#     Compare `gpt2(ids, w)[0][:-1]` for two texts that differ in their last token, once inside `replaced(pattern=no_mask)`.


# %% tags=["solution"]
def moved():
    """Share of positions before the last whose logits move with the last token."""
    other = torch.cat([ids[:-1], ids[:1]])
    change = (gpt2(ids, w)[0] - gpt2(other, w)[0])[:-1].abs().max(-1).values
    return (change > 1e-3).double().mean().item()


with_mask = moved()
with replaced(pattern=no_mask):
    without_mask = moved()
assert with_mask == 0 < without_mask, (
    f"{with_mask}, {without_mask}: is only the last token changed?"
)
print(f"positions that move: {with_mask:.0%} with the mask,")
print(f"{without_mask:.0%} without")

# %% [markdown]
# **3. Where GPT-2's parameters sit** (5 minutes). GPT-2 has 12 layers, 768 numbers in its stream, 50,257 tokens and 1,024
# positions. Which share is embedding, attention, MLPs?
#
# ??? tip "Hint"
#     A block has $4d^2$ weights in attention and $8d^2$ in the MLP, and little else.

# %% tags=["solution"]
gpt2_sizes = (50257 + 1024) * 768, 12 * 4 * 768**2, 12 * 8 * 768**2
for name, size in zip(("embedding", "attention", "MLPs"), gpt2_sizes, strict=True):
    print(f"{name:9} {size / sum(gpt2_sizes):.0%} of the parameters")
assert 123e6 < sum(gpt2_sizes) < 125e6, "GPT-2 has some 124 million parameters"

# %% [markdown]
# ## You can now
#
# - write GPT-2 in five functions, and draw its map from memory;
# - find bugs that the loss hides: compare logits, and test for leaks;
# - follow the vector of one word through the blocks, and read its best guess after each.
#
# ## What this does not show
#
# - Costs of mistakes are for one model and one text. The model was *trained* with the right code; one trained with the
#   mistake may learn around it.
# - That the leaking head copies is our explanation. We unmasked it, but did not test what else it does.
# - Time was measured on one processor core, with a small model.
#
# ## Going deeper
#
# ### A cache reads each token once
#
# To write, the model predicts a token, appends it, and reads everything again. Much of that is repeated work. Because of the mask no token sees a later one, so the keys and values of earlier tokens never change. Keep them, and each step computes one position
# only. This is the *key-value cache*.


# %% tags=["setup"]
def attend_on(x, w, past):
    """What attention adds for new tokens, and the keys and values of all tokens so far."""
    q, k, v = (split_heads(part) for part in linear(x, *w["attn.c_attn"]).split(D, -1))
    if past:
        k, v = torch.cat([past[0], k], 1), torch.cat([past[1], v], 1)
    scores = q @ k.transpose(1, 2) * k.size(-1) ** -0.5  # (head, new, all)
    later = torch.ones(scores.shape[1:]).triu(1 + k.size(1) - q.size(1)).bool()
    z = scores.masked_fill(later, -torch.inf).softmax(-1) @ v
    return linear(z.transpose(0, 1).flatten(1), *w["attn.c_proj"]), (k, v)


def read(new, pasts):
    """The logits after the last of the new tokens; keys and values are kept in `pasts`."""
    begin = pasts[0][0].shape[1] if pasts[0] else 0
    x = w["wte"][new] + w["wpe"][begin : begin + len(new)]
    for n, weights in enumerate(w["blocks"]):
        added, pasts[n] = attend_on(layer_norm(x, *weights["ln_1"]), weights, pasts[n])
        x = x + added
        x = x + mlp(layer_norm(x, *weights["ln_2"]), weights)
    return layer_norm(x[-1], *w["ln_f"]) @ w["wte"].T


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


write(ids[:48], 4, True)  # the first call warms up
slow_text, slow_logits, slow_count, slow_time = write(ids[:48], 64, cached=False)
text, kept_logits, count, seconds = write(ids[:48], 64, cached=True)
print(fairytale.tokenizer.decode(text[30:]))
note(
    same_text=(text == slow_text).all(),
    cache_logits_agree=(kept_logits - slow_logits).abs().max() < 1e-3,
)
note(atol=0, because="counted", positions_saved=slow_count / count)
note(
    rtol=0.7,
    because=CLOCK,
    time_saved=slow_time / seconds,
    time_to_positions=slow_time / seconds / (slow_count / count),
)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=2.9)
start, steps = len(opening), 6
names = [fairytale.tokenizer.decode(int(i)).strip() for i in write(opening, steps, True)[0]]
grids = {}
for ax, cached in zip(axes, (False, True), strict=True):
    grid = np.full((steps, start + steps - 1), np.nan)
    for step in range(steps):
        grid[step, : start + step] = 0.2 if cached and step else 0.85
        grid[step, start + step - 1] = 0.85
    grids["cached" if cached else "plain"] = grid
    ax.imshow(grid, cmap=plots.SEQUENTIAL, vmin=0, vmax=1, aspect="auto")
    for edge in range(1, start + steps - 1):
        ax.axvline(edge - 0.5, color=plots.PAPER, lw=1.5)
    for edge in range(1, steps):
        ax.axhline(edge - 0.5, color=plots.PAPER, lw=1.5)
    ax.set_yticks(range(steps), [f"writes {word}" for word in names[start:]])
    ax.set(xticks=(), xlabel="position")
    computed = int((grid > 0.5).sum())
    ax.set_title(f"{'With' if cached else 'No'} cache: {computed} computed")
    ax.grid(visible=False)
figure(
    fig,
    name="cache",
    title="With a cache, each step computes one position",
    alt="Two grids, a row for each of six written tokens and a column for each position. Without a cache the whole row is computed "
    "anew. With it, after the first row, one cell in each row is computed and all others are reused.",
    caption="Dark: computed in this step. Pale: keys and values reused. The first row reads the opening.",
    data=grids,
)

# %% [markdown]
# The text stays the same, token by token. To write 64 tokens after 48, the cache computes
# {{ result("transformer.positions_saved", ".0f") }} times fewer positions, and yet it takes only
# {{ result("transformer.time_saved", ".1f") }} times less time. Our explanation, which we did not test, is that each
# step has a fixed cost, however few positions it reads. Here that is starting some hundred small operations. In large
# models it is fetching all weights from memory.
#
# - Next: [Taking out the plumbing](06_plumbing.md): the additions and the norms seem to compute nothing. What are they for?
# - Before this: [Word order without being told](04_order.md)
# - Surprise: [Without its mask a trained model looks better](../surprises/transformer-no-mask-looks-better.md)
# - Radford et al. (2019), [Language models are unsupervised multitask
#   learners](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf)
# - Vaswani et al. (2017), [Attention is all you need](https://arxiv.org/abs/1706.03762)

# %% tags=["setup"]
in_words(
    parameters="Parameters of Fairytale",
    embedding_share="Share of the parameters in the embeddings",
    attention_share="Share of the parameters in attention",
    mlp_share="Share of the parameters in MLPs",
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
    silent_share="Mistakes that raise the loss by less than 0.1 nats, or lower it",
    leak="Change of the loss when the worst head alone is unmasked",
    leaking_layer="Layer of that head, from 0",
    leaking_head="Number of that head, from 0",
    same_text="The cache changes no word",
    cache_logits_agree="The cache changes no logit",
    positions_saved="Positions computed without the cache, against with it",
    time_saved="Time without the cache, against with it",
    time_to_positions="Saving in time as a share of the saving in positions",
)
