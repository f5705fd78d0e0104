# ---
# title: What one head can do
# question: What can a single attention head compute, where is the limit, and what is the square root in its formula for?
# level: beginner
# minutes: 15
# models: [world]
# needs: []
# tags: [attention, attention heads]
# topic: architecture
# thumbnail: two_at_once
# timeout: 500
# ---

# %% [markdown]
# Attention is the one part of a language model that moves information between words. One *head* of it is a formula of
# one line ([Vaswani et al. 2017](https://arxiv.org/abs/1706.03762)). We write it by hand, set its weights by hand, and
# ask what it cannot do. Then we take the square root out, and look at the heads of a trained model.

# %% tags=["setup"]
import numpy as np
import torch
from torch.nn.functional import cross_entropy, one_hot, scaled_dot_product_attention

import llmnotes
from llmnotes.lab import explore, figure, plots, predict, record
from llmnotes.model import trace, untrained
from llmnotes.world import END, IDS, tell

BLUE, ORANGE, GREEN, *_ = plots.COLOURS
SEEDS = "a few runs; training amplifies rounding"
SMOOTH = "an average of smooth functions of fixed weights"

# %% [markdown]
# ## What you need to know
#
# Each word comes as a list of numbers *x*. A head has four matrices. It makes of each word a *query* (what am I looking
# for?), a *key* (what am I?) and a *value* (what do I bring?):
#
# *q* = *x W*<sub>Q</sub>, *k* = *x W*<sub>K</sub>, *v* = *x W*<sub>V</sub>. The weight of word *j* for word *i* is the softmax, over all *j*, of
# *q*<sub>i</sub> · *k*<sub>j</sub> / √*d*<sub>head</sub>. What word *i* gets is the sum of all *v*<sub>j</sub>, each times its weight, times *W*<sub>O</sub>.
#
# The products *q*<sub>i</sub> · *k*<sub>j</sub> are the *scores*. *Softmax* turns them into weights that are positive and sum to 1: each *e*
# to the power of its score, over the sum. So a head gives every word a **mean of values**, weighted by how well query and
# key fit. In a language model a *causal mask* hides later words. Here is all of it, compared with PyTorch's own.


# %%
def head(q, k, v, scale=None):
    """Attention with a causal mask: q, k, v are (pos, d_head); gives (pos, d_head)."""
    scores = q @ k.T * (scale or q.size(-1) ** -0.5)
    hidden = torch.ones_like(scores).triu(1).bool()
    pattern = scores.masked_fill(hidden, -torch.inf).softmax(-1)
    return pattern @ v


torch.manual_seed(0)
q, k, v = torch.randn(3, 10, 16)
theirs = scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
print("largest difference", (head(q, k, v) - theirs).abs().max().item())
assert torch.allclose(head(q, k, v), theirs, atol=1e-6)

# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     A query asks for two things at once: "what belongs to key 3, and what to key 5?". Two heads can look one up each. Can
#     one head do it? And: what goes wrong if one forgets to divide by the square root?
#
# Our own guesses, written before the runs. A *readout* makes answers of what the head gives: it is linear, or an MLP (a
# hidden layer). *Undivided* is without the square root. The *start* is the size of the first random weights: a *large* one
# keeps the size of what comes in, GPT-2's is small.

# %%
for claim, p, name, if_ in (
    ("One head, linear readout: both answers in < 60 %", 0.9, "one_linear", "< 0.6"),
    ("Two heads, linear readout: both in > 90 %", 0.85, "two_linear", "> 0.9"),
    ("One head with an MLP behind it: both in > 90 %", 0.35, "one_mlp", "> 0.9"),
    ("Undivided, 64 dimensions: one word gets > 90 %", 0.7, "top_undivided", "> 0.9"),
    ("Undivided at GPT-2's start: still nearly even", 0.8, "even_at_start", "> 0.9"),
    ("Undivided, large start: look-up is learned later", 0.7, "later_large", "> 1"),
    ("Undivided, GPT-2's start: it is learned sooner", 0.6, "later_small", "< 1"),
    ("The median head gives the first word > 30 %", 0.4, "first_word", "> 0.3"),
):
    predict(claim, p=p, resolved_by=name, if_=if_)

# %% [markdown]
# ## Three things by hand
#
# We give a head ten words with a one-hot place, a one-hot key and a value each, and choose scores by hand. All scores
# equal: it averages. Place compared with place minus one: it copies the word before. Key compared with key: it looks up.
# Scores of 50 make softmax as good as certain. Printed is the largest difference from what it should give.

# %%
keys, places = torch.eye(10)[torch.randperm(10)], torch.eye(10)
before = places.roll(-1, 0)  # row i is place i - 1 where that exists
asked = keys[3].expand(10, -1)  # everyone looks for the key of word 3
average = head(0 * keys, keys, v, scale=50)
copied = head(places.roll(1, 1).T, places, v, scale=50)
looked_up = head(asked, keys, v, scale=50)
means = v.cumsum(0) / torch.arange(1, 11)[:, None]
print("average ", (average - means).abs().max().item())
print("copy    ", (copied[1:] - v[:-1]).abs().max().item())
print("look up ", (looked_up[3:] - v[3]).abs().max().item())

# %% [markdown]
# ## Two look-ups at once
#
# Now a task that should be too much. There are six items, each with a key (of 8) and a value (of 8). The query names two
# of the keys; wanted are the value of the first and the value of the second. The head returns *one* mean of values.
# We train it with a readout (of the head's output and the query) that is linear, or an MLP of 64 ReLU units. The control
# has two heads of half the width.

# %%
KEYS = VALUES = 8


def draw(n, generator):
    """Items (n, 6, key and value), queries (n, two keys), the two answers (n, 2)."""
    keys = torch.rand(n, KEYS, generator=generator).argsort(1)[:, :6]
    values = torch.randint(VALUES, (n, 6), generator=generator)
    two = torch.rand(n, 6, generator=generator).argsort(1)[:, :2]
    items = torch.cat([one_hot(keys, KEYS), one_hot(values, VALUES)], -1).float()
    return (
        items,
        one_hot(keys.gather(1, two), KEYS).float().flatten(1),
        values.gather(1, two),
    )


# %% [markdown]
# Three runs are trained side by side, as one more dimension of every weight.


# %%
def start(heads, mlp, std=None, runs=3, d=32):
    """Weights; std=None keeps sizes as they come in, else all have the size given."""
    last, made = (64 if mlp else d + 2 * KEYS), torch.Generator().manual_seed(0)
    shapes = {
        "q": (2, heads, 2 * KEYS, d // heads),
        "k": (2, heads, KEYS + VALUES, d // heads),
    }
    shapes |= {"v": shapes["k"], "o": (d // heads, heads, d // heads, d)}
    shapes |= {"in": (d, d + 2 * KEYS, 64)} if mlp else {}
    shapes |= {
        "out": (last, last, 2 * VALUES)
    }  # the first number: inputs that are not zero
    sized = {name: (shape, std or fan**-0.5) for name, (fan, *shape) in shapes.items()}
    draws = {
        name: size * torch.randn(runs, *shape, generator=made)
        for name, (shape, size) in sized.items()
    }
    return {name: draw.requires_grad_() for name, draw in draws.items()}


# %% [markdown]
# The head, its readout, and training. `change` lets us lay hands on the pattern later.


# %%
def run(w, items, query, *, divide=True, change=lambda pattern: pattern):
    """Logits (run, n, slot, value) and pattern (run, n, head, item)."""
    q = torch.einsum("bi,rhid->rbhd", query, w["q"])
    k, v = (torch.einsum("bni,rhid->rbhnd", items, w[name]) for name in "kv")
    scores = torch.einsum("rbhd,rbhnd->rbhn", q, k)
    pattern = change((scores * q.size(-1) ** -0.5 if divide else scores).softmax(-1))
    brought = torch.einsum("rbhn,rbhnd,rhde->rbe", pattern, v, w["o"])
    x = torch.cat([brought, query.expand(len(brought), -1, -1)], -1)
    x = torch.relu(x @ w["in"]) if "in" in w else x
    return (x @ w["out"]).unflatten(-1, (2, VALUES)), pattern


# %%
def train(w, steps, slots=2, **how):
    """Adam on fresh examples; gives the losses (step, run)."""
    adam = torch.optim.Adam(w.values(), lr=5e-3)
    made, losses = torch.Generator().manual_seed(1), []
    for _ in range(steps):
        items, query, answers = draw(64, made)
        logits = run(w, items, query, **how)[0][:, :, :slots].flatten(1, 2)
        right = answers[:, :slots].flatten().expand(len(logits), -1)
        loss = cross_entropy(logits.movedim(-1, 1), right, reduction="none").mean(1)
        adam.zero_grad()
        loss.sum().backward()
        adam.step()
        losses.append(loss.detach())
    return torch.stack(losses).numpy()


# %% [markdown]
# Three trainings, and a test on 1000 new examples: how often are both answers right? And how often is each, the one that a
# run does worse and the one that it does better?

# %%
SETUPS = {"one_linear": (1, False), "two_linear": (2, False), "one_mlp": (1, True)}
weights = {name: start(*setup) for name, setup in SETUPS.items()}
for w in weights.values():
    train(w, steps=700)
torch.set_grad_enabled(False)
items, query, answers = draw(1000, torch.Generator().manual_seed(2))
first, second = (items[:, :, :KEYS] @ key[:, :, None] for key in query.split(KEYS, 1))
asked = torch.cat([first, second], -1)  # (n, item, slot): which item holds the asked key

# %%
both, on = {}, {}
for name, w in weights.items():
    logits, pattern = run(w, items, query)
    right = logits.argmax(-1) == answers  # (run, n, slot)
    both[name] = right.all(-1).float().mean(1)  # (run,)
    on[name] = (
        torch.einsum("rbhn,bns->rhs", pattern, asked) / 1000
    )  # attention to each slot
    record(name, both[name].median().item(), atol=0.05, because=SEEDS)
    each = right.float().mean(1).sort(-1).values  # (run, worse and better slot)
    for which, share in zip(("worse", "better"), each.T, strict=True):
        record(f"{name}_{which}", share.median().item(), atol=0.05, because=SEEDS)

# %% [markdown]
# One head with an MLP behind it does it. How? We look at its attention to the two asked items, and then lay hands on it:
# the same weight for both; and the two weights swapped.


# %%
def even(pattern):
    return (
        pattern * (1 - asked.sum(-1)[:, None])
        + (pattern @ asked).mean(-1)[..., None] * asked.sum(-1)[:, None]
    )


def swapped(pattern):
    return pattern * (1 - asked.sum(-1)[:, None]) + (pattern @ asked).flip(-1) @ asked.mT


louder = on["one_mlp"][:, 0].sort(-1).values  # (run, quieter and louder)
record("quiet", louder[:, 0].median().item(), atol=0.1, because=SEEDS)
record("loud", louder[:, 1].median().item(), atol=0.1, because=SEEDS)
differ, changed = answers[:, 0] != answers[:, 1], {}
for name, change in (("even", even), ("swapped", swapped)):
    says = run(weights["one_mlp"], items, query, change=change)[0].argmax(-1)
    same, crossed = (
        (says == a)[:, differ].all(-1).float().mean(1) for a in (answers, answers.flip(1))
    )
    record(f"{name}_right", same.median().item(), atol=0.15, because=SEEDS)
    changed[name] = same
    record(f"{name}_crossed", crossed.median().item(), atol=0.15, because=SEEDS)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
names = [
    "one head,\nlinear",
    "two heads,\nlinear",
    "one head,\nMLP",
    "the same,\neven",
    "the same,\nswapped",
]
bars = [100 * share.median() for share in (*both.values(), *changed.values())]
ax.bar(range(5), bars, color=(ORANGE, GREEN, BLUE, BLUE, BLUE), width=0.6)
ax.axhline(100 / VALUES**2, color=plots.INK, ls="--", lw=1.5, label="control: guessing")
ax.set_xticks(range(5), names)
ax.set(ylabel="both answers right (%)", ylim=(0, 125), yticks=(0, 25, 50, 75, 100))
ax.legend(loc="upper right")
figure(
    fig,
    name="two_at_once",
    alt="One head with a linear readout gets both answers right in about a quarter of the cases; two heads, and one "
    "head with an MLP behind it, always. With its two weights made even it is a third, with the two swapped none.",
    caption="Medians of three runs. The last two bars: the trained head with an MLP, its pattern changed by hand.",
    rtol=0.15,
    because=SEEDS,
)

# %% [markdown]
# With a linear readout one head mostly fails ({{ result("attention.one_linear", ".0%") }}, where guessing gets one in 64). It is
# not half right about both: one of the two answers is right in {{ result("attention.one_linear_better", ".0%") }} of the cases, the
# other in {{ result("attention.one_linear_worse", ".0%") }} (medians; guessing: one in 8). So it does one look-up, and little of
# the other. Two heads do both ({{ result("attention.two_linear", ".0%") }}; the worse answer alone
# {{ result("attention.two_linear_worse", ".0%") }}). But **one head with an MLP behind it does it as well**
# ({{ result("attention.one_mlp", ".0%") }}; the worse answer alone {{ result("attention.one_mlp_worse", ".0%") }}). We had given that
# one chance in three.
#
# It writes the two values *at different strengths*. One of the asked items gets {{ result("attention.loud", ".0%") }} of the
# attention, the other {{ result("attention.quiet", ".0%") }}; the MLP reads the loud value as the answer to one question and the quiet
# one as that to the other. This is no correlation. Swap the two weights and the answers change places
# ({{ result("attention.swapped_crossed", ".0%") }} of the cases); make them equal and {{ result("attention.even_right", ".0%") }} are right,
# {{ result("attention.even_crossed", ".0%") }} the wrong way round.
#
# So "one head, one look-up" is a rule about linear readouts. In a model with MLPs a pattern with two bright places need
# not be a head that is undecided: it may carry an order. What no readout brings back is what even weights lose:
# which of the values belongs to which key.
#
# ## What the square root is for
#
# If the entries of *q* and *k* are of size 1, a score is of size √*d*<sub>head</sub>, and softmax of large scores is
# nearly one-hot: it hardly moves when scores do, so gradients would become tiny. Hence the division, says the paper. We
# look at patterns over 32 words, with 64 dimensions; and then at GPT-2's start, where all weights have size 0.02, in
# [`world`](../models/world.md), our small model of GPT-2's kind with a language that we wrote.

# %%
q, k = torch.randn(1000, 1, 64), torch.randn(1000, 32, 64)
for name, scale in (("undivided", 1.0), ("divided", 0.125)):
    scores = (scale * (q * k).sum(-1)).requires_grad_()
    with torch.enable_grad():
        pattern = scores.softmax(-1)
        (pattern * torch.randn(1000, 32)).sum().backward()
    record(
        f"top_{name}",
        pattern.max(-1).values.median().item(),
        atol=0.03,
        because="1000 draws",
    )
    slope = (scale * scores.grad).norm(dim=-1).median()  # a key's gradient is this times q
    record(f"gradient_{name}", slope.item(), rtol=0.15, because="1000 draws")

# %%
stories = [tell(9, n) for n in range(150)]
stories = [story[:129] for story in stories if len(story) > 128][:40]
ids = torch.tensor([[IDS[token.word] for token in story[:-1]] for story in stories])


def spread(model):
    """The size of divided scores in each head, over what the last word can see; the patterns."""
    seen = trace(model, ids, ["q", "k", "pattern"])
    q, k = seen.stack("q")[:, :, -1], seen.stack("k")  # (layer, batch, [pos,] head, d_head)
    scores = torch.einsum("lbhd,lbnhd->lbhn", q, k) * q.size(-1) ** -0.5
    return scores.std(-1).mean(1), seen.stack("pattern")


world = llmnotes.load("world")
(at_start, _), (at_end, patterns) = spread(untrained(world)), spread(world)
last = (at_start[..., None] * 32**0.5 * torch.randn(4, 4, 128)).softmax(
    -1
)  # as if undivided
entropy = torch.special.entr(last).sum(-1) / np.log(128)
record("even_at_start", entropy.mean().item(), atol=0.02, because=SMOOTH)
record("spread_start", at_start.median().item(), rtol=0.1, because=SMOOTH)
record("spread_end", at_end.median().item(), rtol=0.05, because=SMOOTH)
record("spread_end_most", at_end.max().item(), rtol=0.05, because=SMOOTH)

# %%
_ = torch.set_grad_enabled(True)
curves, steps = {}, {}
for size, std in (("large", None), ("small", 0.02)):
    for divide in (True, False):
        losses = train(start(1, False, std), steps=200, slots=1, divide=divide)
        smooth = np.median(
            [np.convolve(run, np.ones(10) / 10, "valid") for run in losses.T], 0
        )
        curves[size, divide], steps[size, divide] = smooth, int((smooth > 0.5).sum())
    record(f"later_{size}", steps[size, False] / steps[size, True], rtol=0.3, because=SEEDS)
_ = torch.set_grad_enabled(False)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
for (size, divide), losses in curves.items():
    colour, style = (BLUE if size == "small" else ORANGE), ("-" if divide else "--")
    label = f"{size} start, {'' if divide else 'un'}divided"
    ax.plot(losses[:150], style, color=colour, label=label)
ax.set(xlabel="step", ylabel="loss (nats)", ylim=(0, 2.3))
ax.legend(loc="upper right")
figure(
    fig,
    name="square_root",
    alt="From large starting weights the undivided head learns later than the divided one, from GPT-2's small ones sooner.",
    caption="One head learns one look-up; medians of three runs. The divided ones are the control.",
    rtol=0.15,
    because=SEEDS,
)

# %% [markdown]
# From entries of size 1 the paper is right about the pattern: undivided, the largest of 32 weights has a median of
# {{ result("attention.top_undivided", ".2f") }}, divided {{ result("attention.top_divided", ".2f") }}. But the gradient that reaches
# the keys is not smaller for it. It is *larger* ({{ result("attention.gradient_undivided", ".3f") }} against
# {{ result("attention.gradient_divided", ".3f") }}, medians), since whatever stands before the scores also stands in their slope.
#
# And this is not where GPT-2 starts. At its start scores have a size of {{ result("attention.spread_start", ".2f") }} in
# `world`, divided. Undivided patterns would still be even (entropy {{ result("attention.even_at_start", ".0%") }} of the
# most possible). From so small a start dividing only slows our toy head down: undivided, one look-up is learned in
# {{ result("attention.later_small", ".0%") }} of the steps, while from the large start it takes {{ result("attention.later_large", ".0%") }}.
# The square root is part of where training *starts*, and a factor that *W*<sub>Q</sub> could hold as well. GPT-Neo, a published
# model of GPT-2's kind, does without it.
#
# Nor does it keep every trained head from large scores. Those of `world` grow to
# {{ result("attention.spread_end", ".1f") }} in the median head and {{ result("attention.spread_end_most", ".1f") }} in the largest;
# undivided, entries of size 1 would have 5.7 (32 dimensions).
#
# ## Heads on real sentences
#
# What do trained heads look at? We ask at two kinds of places in 40 stories of `world` where we know the word that decides: where
# a list of syllables is sung again, and where the favourite food of a person is to be named.

# %%
places = {"song": [], "food": []}  # for each: story, who looks, who decides
for n, story in enumerate(stories):
    words = [token.word for token in story]
    for i, token in enumerate(story[1:128], start=1):
        if token.rule == "list":  # the same place in the verse before
            begin, last = [j for j in range(i) if words[j] in ":;"][-2:]
            places["song"].append((n, i - 1, begin + i - last))
        if words[i - 1] == "likes":
            who = next(said.referent for said in story[i::-1] if said.referent)
            places["food"].append((n, i - 1, i - 1 - words[i - 1 :: -1].index(who)))

# %%
for kind, at in places.items():
    n, who, key = torch.tensor(at).T
    share = patterns[:, n, :, who, key].mean(0)  # (layer, head)
    record(f"{kind}_l2h3", share[2, 3].item(), atol=0.02, because=SMOOTH)
    record(f"{kind}_median", share.median().item(), atol=0.02, because=SMOOTH)
    record(f"{kind}_rank", (share >= share[2, 3]).sum().item())
first = patterns[..., 1:, 0].mean((1, 3)).median()  # attention to the first word
record("first_word", first.item(), atol=0.01, because=SMOOTH)

# %% [markdown]
# One text with both, and all heads to walk through. The first one shown is the one to watch: layer 2, head 3.

# %% tags=["drawing"]
seen = trace(world, f"{END} Karl likes soup . he sang : la mo fi ; la mo fi .", ["pattern"])
explore.attention(
    ["end", *seen.words()[1:]],
    seen.stack("pattern")[:, 0],  # (layer, head, query, key)
    name="patterns",
    alt="At the word likes head 2.3 looks at Karl. In the second verse of the song it looks mostly at the syllable of the "
    "first verse that is to come next.",
    caption="Heads of `world` on one text: a favourite food and a song. 2.3 is L2H3.",
    start=(2, 3, 2),
    rtol=0.02,
    because=SMOOTH,
)

# %% [markdown]
# Where a favourite food is to be named, L2H3 (head 3 of layer 2, counted from 0) gives the person
# {{ result("attention.food_l2h3", ".2f") }} of its attention (the median head: {{ result("attention.food_median", ".2f") }}). One
# would call it a fact head. In songs the same head gives {{ result("attention.song_l2h3", ".2f") }} to the syllable to
# be sung next (median {{ result("attention.song_median", ".2f") }}), more than any other head, and one would call it a copying head. A name
# for a head says where it looks in the sentences that one has tried.
#
# The first word, where heads of large models often look when they have nothing to do
# ([Xiao et al. 2023](https://arxiv.org/abs/2309.17453)), gets {{ result("attention.first_word", ".2f") }} in the median head.
#
# ## What surprised us
#
# - One head does two look-ups, by amplitude, and gradient descent finds that in every one of three runs.
# - Leaving the square root out makes the gradient larger, not smaller, and learning faster at GPT-2's start.
# - The largest scores of trained heads lie where the square root is said to save heads from.
# - Undivided, the largest of 32 weights stayed just below 90 %, and the first word got far less than the 30 % to which we
#   had given two chances in five.
#
# ## Try it yourself
#
# **1. Count** (beginner, 5 minutes). A head gives a mean, so it cannot tell 2 of 4 from 4 of 8. Or can it? Put a start token
# in front, the only word with value 1 (others 0), and let all scores be equal. What does the last word get?
#
# ??? tip "Hint"
#     `head` with zero queries and keys. After *n* words the start token has the weight 1 / (*n* + 1).

# %% tags=["solution"]
value = one_hot(torch.tensor(0), 9).float()[:, None]  # the start token, then 8 words
got = head(torch.zeros(9, 1), torch.zeros(9, 1), value)[:, 0]
counted = 1 / got - 1
assert torch.allclose(counted, torch.arange(9.0), atol=1e-4), (
    f"{counted}: is it 1 / weight - 1?"
)
print("words so far, read from the weight of the start token:", counted.tolist())

# %% [markdown]
# **2. The louder alone** (advanced, 10 minutes). Let the trained head with an MLP look at the louder item only. How often is
# each of the two answers right then? Say it before you run it.
#
# ??? tip "Hint"
#     `change` gets a pattern (run, n, head, item). `one_hot(pattern.argmax(-1), 6).float()` looks at one item alone.


# %% tags=["solution"]
def alone(pattern):
    return one_hot(pattern.argmax(-1), 6).float()


says = run(weights["one_mlp"], items, query, change=alone)[0].argmax(-1)
each = (
    (says == answers)[:, differ].float().mean(1).sort(-1).values
)  # (run, worse and better slot)
assert each[:, 1].median() > 0.8 > 0.5 > each[:, 0].median(), (
    f"{each}: one answer stays, one goes"
)
print("worse and better answer:", each.tolist())
for which, share in zip(("worse", "better"), each.T, strict=True):
    record(f"louder_alone_{which}", share.median().item(), atol=0.15, because=SEEDS)

# %% [markdown]
# ## What this does not show
#
# - Two look-ups in one head were trained in a toy with one-hot keys and values. Whether heads of language models use
#   amplitudes to keep an order, we have not looked.
# - The square root was tested with 32 and 64 dimensions, one task, Adam, and no norm before the head.
# - Where a head looks is not yet what it does: that takes an intervention ([lab 13](13_formation.md) has them for
#   these heads). One training run of one small model.
#
# ## Links
#
# - Finding: [One head can do two look-ups](../findings/attention-two-lookups-one-head.md)
# - Finding: [The square root sets where training starts](../findings/attention-square-root.md)
# - Surprise: [Without the division gradients are larger](../surprises/attention-larger-gradients.md)
# - Question: [Do heads of language models write at two strengths?](../questions/attention-two-strengths.md)
# - Vaswani et al. (2017), [Attention is all you need](https://arxiv.org/abs/1706.03762)
# - Elhage et al. (2021), [A Mathematical Framework for Transformer Circuits](https://transformer-circuits.pub/2021/framework/index.html)
# - Xiao et al. (2023), [Efficient streaming language models with attention sinks](https://arxiv.org/abs/2309.17453)
