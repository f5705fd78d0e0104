# ---
# title: What one head can do
# question: What can a single attention head compute, and where does it stop?
# answer: >-
#   Ask one head for two things at once, let an MLP read its output, and both answers are right in
#   {{ result("attention.one_mlp", ".0%") }} of the cases.
# level: beginner
# models: [world]
# needs: []
# tags: [attention, attention heads]
# chapter: Start
# thumbnail: two_at_once
# timeout: 500
# ---

# %% tags=["setup"]
import numpy as np
import torch
from torch.nn.functional import cross_entropy, one_hot, scaled_dot_product_attention

import llmnotes
from llmnotes.lab import ask, figure, in_words, note, plots, predict, within
from llmnotes.lab.maps import attention_maps
from llmnotes.model import trace, untrained
from llmnotes.world import END, read

BLUE = plots.COLOURS[0]
SEEDS = "a few runs; training amplifies rounding"
SMOOTH = "an average of smooth functions of fixed weights"

# %% [markdown]
# ## A case you can hold: “Karl likes ▢”
#
# *World* is our small language model: it reads words and predicts the next one. It speaks a language that we wrote, so every
# answer can be marked. Give it *Karl likes*. The right next word is a food, and each person in this language has one favourite.
#
# So at *likes* the model must know who it is talking about. A model holds a vector, a list of numbers, for each word. Only its
# *attention heads* bring anything from the vector of one word to that of another.
#
# *World* has four layers with four heads each. One of these, L2H3 (layer 2, head 3, both counted from 0), does it in
# plain sight. Load *World* below, click *likes*, and Karl lights up.
#
# <div class="bench" data-bench="heads" data-name="one-head" data-only="L2H3" data-text="Karl likes" data-search-exclude markdown>
#
# The head runs in the page, which needs JavaScript. The figure shows where it looks.
#
# </div>
#
# Now switch the head off. *World* still says *cake*: something else brings Karl, too. Where a head looks is not yet what it
# does, and this lab is about the looking.

# %% tags=["setup"]
world = llmnotes.load("world")
rows, stories = read(seed=9, n=40, length=129)
ids = rows[:, :-1]  # the last word is only to be predicted
seen = trace(world, ids, ["pattern"])
patterns = seen.stack("pattern")  # (layer, story, head, who looks, at whom)

foods, songs = [], []  # of each: story, who looks, whom it should look at
for n, story in enumerate(stories):
    words = [token.word for token in story]
    for i, token in enumerate(story[1:128], start=1):
        if words[i - 1] == "likes":
            who = next(said.referent for said in story[i::-1] if said.referent)
            foods.append((n, i - 1, i - 1 - words[i - 1 :: -1].index(who)))
        if token.rule == "list":  # the same place in the verse before
            begin, last = [j for j in range(i) if words[j] in ":;"][-2:]
            songs.append((n, i - 1, begin + i - last))

share = {}
for kind, where in (("food", foods), ("song", songs)):
    n, looks, at = torch.tensor(where).T
    share[kind] = patterns[:, n, :, looks, at].mean(0)  # (layer, head)

smooth = within(atol=0.02, because=SMOOTH)
smooth(food_l2h3=share["food"][2, 3], food_median=share["food"].median())
smooth(song_l2h3=share["song"][2, 3], song_median=share["song"].median())
note(food_rank=int((share["food"] >= share["food"][2, 3]).sum()))
note(song_rank=int((share["song"] >= share["song"][2, 3]).sum()))

# %% tags=["drawing"]
case = trace(world, f"{END} Karl likes", ["pattern"])["pattern", 2][0, 3, 2]
fig, (one, all_) = plots.subplots(1, 2, height=1.9)
x = {"end": 0.0, "Karl": 1.0, "likes": 2.0, "▢": 3.0}
for word, at in x.items():
    one.text(
        at,
        0,
        word,
        ha="center",
        weight="bold" if word == "likes" else None,
        color=plots.INK if word in ("Karl", "likes") else plots.MUTED,
        fontsize=13,
    )
arc = np.linspace(0, np.pi, 40)
one.plot(1.5 + np.cos(arc) / 2, 0.28 + np.sin(arc) * 0.5, color=BLUE, lw=2 + 7 * case[1])
one.text(1.5, 0.88, f"{case[1]:.2f}", ha="center", weight="bold")
one.set(xlim=(-0.5, 3.5), ylim=(-0.2, 1.1), title="At likes, L2H3 looks at Karl")
one.axis("off")
bars = (share["food"].median().item(), share["food"][2, 3].item())
all_.barh((0, 1), bars, color=("none", plots.INK), edgecolor=plots.INK, height=0.5)
for y, (value, name) in enumerate(zip(bars, ("median head", "L2H3"), strict=True)):
    all_.text(value + 0.02, y, f"{value:.2f} {name}", va="center")
all_.set(title="On average over 40 stories", xlim=(0, 1.4))
all_.axis("off")
figure(
    fig,
    name="case",
    alt="From likes, head L2H3 gives nearly all of its attention to Karl. Over 40 stories it gives the "
    "person 0.99 of its attention, the median head 0.14.",
    caption="First panel: one sentence. Second: every place in 40 stories where a favourite food is about to be named.",
    data={"case": case, "share": np.array(bars)},
    rtol=0.02,
    because=SMOOTH,
)

# %% [markdown]
# One sentence could be luck. In 40 stories we look at every word after which a favourite food is named. There L2H3 gives the person
# {{ result("attention.food_l2h3", ".2f") }} of its attention. The median head gives {{ result("attention.food_median", ".2f") }}.
# How did this head find Karl?
#
# ## A head scores, weighs and adds
#
# A head makes three short vectors from each word's vector. The **query**{ .q } is what the word is looking for, the
# **key**{ .k } is what it can be found by, and the **value**{ .v } is what it hands over. Here is the whole head for
# *likes*, in two dimensions, with every number shown. Turn the query and see whose value comes out.
#
# {{ widget("one-head") }}
#
# In symbols, for the word $i$ that looks and every word $j$ at or before it:
#
# $$
# \begin{aligned}
# s_{ij} &= \frac{\q{q_i} \cdot \k{k_j}}{\sqrt{d}} \\
# a_{ij} &= \operatorname{softmax}_j\, s_{ij} \\
# \mathrm{out}_i &= \textstyle\sum_j a_{ij}\, \v{v_j}\, W_O
# \end{aligned}
# $$
#
# $\q{q}$, $\k{k}$ and $\v{v}$ are the word's vector times the matrices $W_Q$, $W_K$ and $W_V$. $s$ is the score, $a$ the weight, $d$ how
# many numbers a query has. The weights of a row add up to 1, so the head returns a weighted mean of values. $W_O$ gives it as many numbers
# as the word's vector has, so that it can be added there.
#
# The same in code. The mask hides later words: a language model must not see what it is about to predict.


# %% tags=["idea"]
def attend(q, k, v, scale=None):  # each (words, d_head)
    scores = q @ k.T * (scale or k.size(-1) ** -0.5)  # (words, words)
    later = torch.ones_like(scores).triu(1).bool()
    scores = scores.masked_fill(later, -torch.inf)  # row looks at column
    weights = scores.softmax(-1)  # every row sums to 1
    return weights @ v, weights


def head(x, W_q, W_k, W_v, W_o):  # x: (words, d_model)
    out, _ = attend(x @ W_q, x @ W_k, x @ W_v)  # (words, d_head)
    return out @ W_o  # (words, d_model)


# %% [markdown]
# {{ drawing("one-head", alt="One head: the query of a word meets the keys of the words before it; scores become weights; weighted values are added and written back to the residual stream.") }}

# %% tags=["setup"]
torch.manual_seed(0)
q, k, v = torch.randn(3, 10, 16)
theirs = scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
assert torch.allclose(attend(q, k, v)[0], theirs, atol=1e-6), (
    "ours differs from PyTorch's own attention"
)

# %% [markdown]
# ## Three heads can be set by hand
#
# Instead of training, we set the queries and keys ourselves. Give every word the same score, and the head averages what
# came before. Let each word's query match the key of the place before it, and the head copies the previous word. Let
# the query match one key, and the head looks something up.

# %% tags=["idea"]
keys, places = torch.eye(10)[torch.randperm(10)], torch.eye(10)
before = places.roll(1, 1).T  # row i is place i - 1
third = keys[3].expand(10, -1)  # every word looks for key 3
by_hand = {
    "average": attend(0 * keys, keys, v, scale=50),
    "previous word": attend(before, places, v, scale=50),
    "look-up": attend(third, keys, v, scale=50),
}

# %% tags=["setup"]
averages = v.cumsum(0) / torch.arange(1, 11)[:, None]
assert torch.allclose(by_hand["average"][0], averages, atol=1e-5)
assert torch.allclose(by_hand["previous word"][0][1:], v[:-1], atol=1e-5)
assert torch.allclose(by_hand["look-up"][0][3:], v[3].expand(7, -1), atol=1e-5)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 3, height=2.9)
for ax, (name, (_, weights)) in zip(axes, by_hand.items(), strict=True):
    ax.imshow(weights, cmap=plots.SEQUENTIAL, vmin=0, vmax=1)
    ax.set(title=name, xlabel="word looked at", xticks=(0, 9), yticks=(0, 9))
    ax.grid(visible=False)
axes[0].set_ylabel("word that looks")
figure(
    fig,
    name="by_hand",
    alt="Three heat maps of attention weights. The average spreads each row evenly over all words so "
    "far; the previous-word head has a line just below the diagonal; the look-up has one column at word 3.",
    caption="Each row sums to 1. Above the diagonal the mask leaves nothing.",
)

# %% [markdown]
# ```exercise
# title: Look at the first word
# minutes: 2
# code: |
#   scores = torch.zeros(n, n)
#   scores[▢] = 50
#   weights = scores.softmax(-1)
#   assert weights[:, 0].min() > 0.99
# right: [":, 0", "..., 0"]
# praise: Every row now puts its weight on column 0.
# wrong:
#   "0": This sets the first row, so the first word looks everywhere. Which axis is the word that is looked at?
#   "0, :": This sets the first row, so the first word looks everywhere. Which axis is the word that is looked at?
#   "0, 0": This changes the first word alone. What about all the other rows?
#   ":, -1": This is the last word. Python counts from 0.
# otherwise: "`weights[:, 0]` is still small. Rows look, columns are looked at."
# solution: "`scores[:, 0] = 50` raises the first column: the score that every word gives to the first word."
# ```
#
# ## Your prediction
#
# A head returns one weighted mean. Now let a query name *two* keys and ask for both values, in order. There are six items,
# each with a key and a value. An *MLP* reads what the head returns: a hidden layer as in [XOR](01_xor.md), here 64 units that
# are zero unless their sum is positive.

# %%
ask(
    "One head, two keys, an MLP behind it. What comes back?",
    choices={
        "one": "One answer, the other lost",
        "mix": "Both, in the wrong order half of the time",
        "both": "Both, in the right order",
    },
    answer="both",
    because={
        "one": "One mean seems to hold one answer, and with a linear readout it does. An MLP can read more out of it.",
        "mix": "A mean forgets who brought what, unless the two arrive at different strengths. They do.",
        "both": "The two values arrive at different strengths, and the MLP tells them apart by that.",
    },
    figure="two_at_once",
    one_mlp="> 0.9",
)

# %%
predict(
    "One head with a linear readout gets both answers right in less than 60%",
    0.9,
    one_linear="< 0.6",
)
predict(
    "Two heads with a linear readout get both right in more than 90%",
    0.85,
    two_linear="> 0.9",
)
predict(
    "One head with an MLP behind it gets both right in more than 90%", 0.35, one_mlp="> 0.9"
)
predict(
    "Without the square root, in 64 dimensions, one word gets more than 90% of the weight",
    0.7,
    top_undivided="> 0.9",
)
predict(
    "Without it, at GPT-2's start, the weights are still nearly even",
    0.8,
    even_at_start="> 0.9",
)
predict(
    "Without it, from a large start, a look-up is learned later", 0.7, later_large="> 1"
)
predict("Without it, from GPT-2's start, it is learned sooner", 0.6, later_small="< 1")
predict(
    "The median head of World gives the first word more than 30%", 0.4, first_word="> 0.3"
)

# %% [markdown]
# ## With an MLP behind it, one head returns both answers
#
# We train three set-ups on this task, three runs each. In the first, one matrix (a *linear readout*) turns what one head returns into
# the two answers. The second is the control: two heads of half the width, with a linear readout. The third is one head with an MLP.

# %% tags=["setup"]
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


def start(heads, mlp, std=None, runs=3, d=32):
    """Weights of three runs side by side; std=None keeps sizes as they come in, else all have the size given."""
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


# %%
def run(w, items, query, *, divide=True, change=lambda weights: weights):
    # query: the two keys asked for -> q: (run, example, head, d_head)
    q = torch.einsum("bi,rhid->rbhd", query, w["q"])
    # six items -> k, v: (run, example, head, item, d_head)
    k, v = (torch.einsum("bni,rhid->rbhnd", items, w[name]) for name in "kv")
    scores = torch.einsum("rbhd,rbhnd->rbhn", q, k)
    scores = scores * q.size(-1) ** -0.5 if divide else scores
    weights = change(scores.softmax(-1))
    out = torch.einsum("rbhn,rbhnd,rhde->rbe", weights, v, w["o"])
    x = torch.cat([out, query.expand(len(out), -1, -1)], -1)
    x = torch.relu(x @ w["in"]) if "in" in w else x  # the MLP, or nothing
    logits = (x @ w["out"]).unflatten(-1, (2, VALUES))
    return logits, weights  # logits: (run, example, slot, value)


# %% tags=["setup"]
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


SETUPS = {"one_linear": (1, False), "two_linear": (2, False), "one_mlp": (1, True)}
weights = {name: start(*setup) for name, setup in SETUPS.items()}
for w in weights.values():
    train(w, steps=700)
torch.set_grad_enabled(False)
items, query, answers = draw(1000, torch.Generator().manual_seed(2))
first, second = (items[:, :, :KEYS] @ key[:, :, None] for key in query.split(KEYS, 1))
asked = torch.cat(
    [first, second], -1
)  # (example, item, slot): which item holds the asked key

trained = within(atol=0.05, because=SEEDS)
both, on = {}, {}
for name, w in weights.items():
    logits, pattern = run(w, items, query)
    right = logits.argmax(-1) == answers  # (run, example, slot)
    both[name] = right.all(-1).float().mean(1)  # (run,)
    on[name] = (
        torch.einsum("rbhn,bns->rhs", pattern, asked) / 1000
    )  # attention to each slot
    worse, better = right.float().mean(1).sort(-1).values.T  # (run,) each
    trained(
        **{
            name: both[name].median(),
            f"{name}_worse": worse.median(),
            f"{name}_better": better.median(),
        }
    )

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.2)
rows = {
    "one head,\nlinear readout": "one_linear",
    "two heads,\nlinear readout": "two_linear",
    "one head,\nMLP readout": "one_mlp",
}
for y, name in enumerate(rows.values()):
    value = both[name].median().item()
    (bar,) = ax.barh(y, value, color=BLUE if name == "one_mlp" else plots.INK, height=0.55)
    bar.set_gid({"one_mlp": "choice-both", "one_linear": "choice-one"}.get(name, ""))
    ax.text(value + 0.015, y, f"{value:.0%}", va="center", weight="bold")
ax.axvline(1 / VALUES**2, color=plots.INK, ls="--", lw=1)
ax.set_yticks(range(3), rows)
ax.set(
    xlim=(0, 1.25),
    xticks=(),
)
ax.invert_yaxis()
ax.grid(visible=False)
figure(
    fig,
    name="two_at_once",
    title="With an MLP behind it, one head is as good as two",
    alt="Both answers are right in 28% of the cases with one head and a linear readout, in 100% "
    "with two heads, and in 100% with one head and an MLP.",
    caption="Both answers right, of 1000 new examples; medians of three runs. Dashed: guessing, one in 64.",
    rtol=0.05,
    because=SEEDS,
)

# %% [markdown]
# With a linear readout one head answers one question in {{ result("attention.one_linear_better", ".0%") }} of the cases and
# mostly loses the other. Two heads of half the width answer both.
#
# Replace the linear readout by an MLP, and one head is enough, in all three runs.
#
# ## Loudness tells the MLP which answer is which
#
# How does one mean carry two answers in order? Look at the weights that the trained head gives to the two items asked
# for, and then change them by hand.


# %% tags=["idea"]
def swapped(weights):  # (run, example, head, item)
    rest = weights * (1 - asked.sum(-1)[:, None])
    return (
        rest + (weights @ asked).flip(-1) @ asked.mT
    )  # the two items exchange their weights


def even(weights):
    rest = weights * (1 - asked.sum(-1)[:, None])
    return (
        rest + (weights @ asked).mean(-1)[..., None] * asked.sum(-1)[:, None]
    )  # the same weight for both


# %% tags=["setup"]
by_hand_again = within(atol=0.15, because=SEEDS)
loudness = on["one_mlp"][:, 0].sort(-1).values  # (run, quieter and louder)
within(atol=0.1, because=SEEDS)(quiet=loudness[:, 0].median(), loud=loudness[:, 1].median())
differ, changed = answers[:, 0] != answers[:, 1], {}
for name, change in (("even", even), ("swapped", swapped)):
    says = run(weights["one_mlp"], items, query, change=change)[0].argmax(-1)
    same, crossed = (
        (says == a)[:, differ].all(-1).float().mean(1).median()
        for a in (answers, answers.flip(1))
    )
    changed[name] = same, crossed
by_hand_again(
    even_right=changed["even"][0],
    even_crossed=changed["even"][1],
    swapped_right=changed["swapped"][0],
    swapped_crossed=changed["swapped"][1],
)

# %% tags=["drawing"]
loud, quiet = loudness[:, 1].median().item(), loudness[:, 0].median().item()
mean = (loud + quiet) / 2
columns = (
    ("As trained", loud, quiet, both["one_mlp"].median().item(), "right, in order"),
    (
        "Weights exchanged",
        quiet,
        loud,
        changed["swapped"][1].item(),
        "right, but exchanged",
    ),
    ("Weights made even", mean, mean, changed["even"][0].item(), "right, in order"),
)
fig, axes = plots.subplots(1, 3, height=2.3)
for ax, (title, top, bottom, value, what) in zip(axes, columns, strict=True):
    for y, (weight, key) in enumerate(((top, "first"), (bottom, "second"))):
        ax.plot(
            (0.3, 1), (-y, -y), color=plots.INK, lw=1 + 16 * weight, solid_capstyle="butt"
        )
        ax.text(0.25, -y, f"{key}\n{weight:.0%}", ha="right", va="center")
    ax.text(
        1.08,
        -0.5,
        "MLP",
        va="center",
        weight="bold",
        bbox={"facecolor": plots.PAPER, "edgecolor": plots.INK, "pad": 5},
    )
    ax.text(-0.05, -1.85, f"{value:.0%} {what}", weight="bold")
    ax.set(title=title, xlim=(-0.1, 1.5), ylim=(-2.1, 0.5))
    ax.axis("off")
figure(
    fig,
    name="loudness",
    alt="As trained, one item gets 66% and the other 25% of the attention and both answers are right. "
    "With the weights exchanged the answers are exchanged. With even weights a third is right.",
    caption="The same trained head in all three panels. Medians of three runs; examples whose two answers differ.",
    data={"weights": loudness, "right": np.array([column[3] for column in columns])},
    rtol=0.2,
    because=SEEDS,
)

# %% [markdown]
# One item receives {{ result("attention.loud", ".0%") }} of the attention and the other
# {{ result("attention.quiet", ".0%") }}. The MLP reads the loud value as the answer to one question and the quiet value as
# the answer to the other.
#
# This is a cause, not a correlation. Exchange the two weights by hand, and the answers change places in
# {{ result("attention.swapped_crossed", ".0%") }} of the cases. Make them even and
# {{ result("attention.even_right", ".0%") }} are right. If the two weights are equal, nothing downstream can recover which
# value belonged to which key.
#
# So “one head, one look-up” is a rule about linear readouts. In a model with MLPs, two bright cells in one row may carry an order.
#
# ## The square root matters for where training starts
#
# Why divide by $\sqrt{d}$? If the entries of a query and a key have size 1, a score has size $\sqrt{d}$. Softmax of large
# scores is nearly one-hot: it hardly moves when the scores do. So gradients should vanish, says the textbook
# ([Vaswani et al. 2017](https://arxiv.org/abs/1706.03762), section 3.2.1). Try it above: scale the scores by 4 and turn
# the query. We measure both halves of the claim, the pattern and the gradient.

# %% tags=["setup"]
top, gradient = {}, {}
q, k = torch.randn(1000, 1, 64), torch.randn(1000, 32, 64)
for name, scale in (("undivided", 1.0), ("divided", 0.125)):
    scores = (scale * (q * k).sum(-1)).requires_grad_()
    with torch.enable_grad():
        pattern = scores.softmax(-1)
        (pattern * torch.randn(1000, 32)).sum().backward()
    top[name] = pattern.detach().max(-1).values.median()
    gradient[name] = (scale * scores.grad).norm(dim=-1).median()  # a key's is this times q
by_draws = within(rtol=0.15, because="1000 draws")
by_draws(gradient_undivided=gradient["undivided"], gradient_divided=gradient["divided"])
by_draws(atol=0.03, top_undivided=top["undivided"], top_divided=top["divided"])


def spread(model):
    """The size of divided scores in each head, over what the last word can see."""
    seen = trace(model, ids, ["q", "k"])
    q, k = seen.stack("q")[:, :, -1], seen.stack("k")  # (layer, batch, [pos,] head, d_head)
    scores = torch.einsum("lbhd,lbnhd->lbhn", q, k) * q.size(-1) ** -0.5
    return scores.std(-1).mean(1)


at_start, at_end = spread(untrained(world)), spread(world)
undivided = (at_start[..., None] * 32**0.5 * torch.randn(4, 4, 128)).softmax(-1)
entropy = torch.special.entr(undivided).sum(-1) / np.log(128)
within(atol=0.02, because=SMOOTH)(even_at_start=entropy.mean())
within(rtol=0.1, because=SMOOTH)(spread_start=at_start.median())
within(rtol=0.05, because=SMOOTH)(spread_end=at_end.median(), spread_end_most=at_end.max())

_ = torch.set_grad_enabled(True)
curves, steps = {}, {}
for size, std in (("large", None), ("small", 0.02)):
    for divide in (True, False):
        losses = train(start(1, False, std), steps=200, slots=1, divide=divide)
        smoothed = np.median(
            [np.convolve(run, np.ones(10) / 10, "valid") for run in losses.T], 0
        )
        curves[size, divide], steps[size, divide] = smoothed, int((smoothed > 0.5).sum())
within(rtol=0.3, because=SEEDS)(
    later_large=steps["large", False] / steps["large", True],
    later_small=steps["small", False] / steps["small", True],
)
_ = torch.set_grad_enabled(False)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=2.8, sharey=True)
for ax, size, title in zip(
    axes,
    ("large", "small"),
    ("Large start, entries of size 1", "GPT-2's small start"),
    strict=True,
):
    for divide, style, text in ((True, "--", "with √d"), (False, "-", "without")):
        losses = curves[size, divide][:150]
        ax.plot(losses, style, color=plots.INK if divide else BLUE)
        at = int((losses > 1.2).sum())
        ax.annotate(text, (at, losses[min(at, 149)]), (6, 4), textcoords="offset points")
    ax.set(title=title, xlabel="step", ylim=(0, 2.3))
axes[0].set_ylabel("loss (nats)")
figure(
    fig,
    name="square_root",
    alt="From a large start the head without the square root learns later than the one with it. "
    "From GPT-2's small start it learns sooner.",
    caption="One head learns one look-up; medians of three runs. The dashed lines, with √d, are the control.",
    rtol=0.15,
    because=SEEDS,
)

# %% [markdown]
# The first half holds: without the square root the largest of 32 weights has a median of
# {{ result("attention.top_undivided", ".2f") }}, with it {{ result("attention.top_divided", ".2f") }}. The second half does
# not. The gradient that reaches the keys is *larger*: the factor that scales the scores also scales their gradient.
#
# And GPT-2, the model whose design *World* copies, does not start there. Its weights start at a size of 0.02, and then *World*'s scores begin at a size of
# {{ result("attention.spread_start", ".2f") }}. From this start the division only slows our head down. Without it, one look-up is learned in {{ result("attention.later_small", ".0%") }} of the steps.
#
# ## A head's name depends on the sentences you tried
#
# Back to the head that found Karl. Here is every head of *World* on one text with a favourite food and a song.
#
# **A game.** One head sings: in the second verse it looks at the syllable that comes next in the first. Find it before
# you read on. Which of the sixteen maps has a stripe in its last rows? Choose that map, then a syllable of the second verse.

# %% tags=["drawing"]
text = trace(world, f"{END} Karl likes cake . he sang : la mo fi ; la mo fi .", ["pattern"])
maps = text.stack("pattern")[:, 0]  # (layer, head, query, key)
figure(
    attention_maps(maps, width=4.2),
    name="patterns",
    alt="At the word likes head L2H3 looks at Karl. In the second verse of the song the same head looks mostly at the "
    "syllable of the first verse that comes next.",
    caption="Attention of all heads of World on *Karl likes cake . he sang : la mo fi ; la mo fi .* A row looks, a column is "
    "looked at.",
    data={"patterns": maps},
    rtol=0.02,
    because=SMOOTH,
)

# %% [markdown]
# <div class="bench" data-bench="heads" data-text="Karl likes cake . he sang : la mo fi ; la mo fi ." data-at="2" data-head="L0H0" data-figure="patterns" data-search-exclude markdown>
#
# With JavaScript you can choose a head and a word here.
#
# </div>
#
# It is L2H3 again. In songs it gives {{ result("attention.song_l2h3", ".2f") }} of its attention to the syllable to be sung
# next, more than any other head, where the median head gives {{ result("attention.song_median", ".2f") }}. On favourite foods alone, you would call it a fact head. On songs alone, you would call it a copying head. Each name is true of
# the sentences tried.
#
# ## What surprised us
#
# **The gradient went the wrong way.** We removed the square root to watch gradients vanish, as the textbook says. The weights did become one-hot. The gradient grew: {{ result("attention.gradient_undivided", ".3f") }} against
# {{ result("attention.gradient_divided", ".3f") }}. We had looked at softmax alone and forgotten the factor in front of it.
#
# **The first word is no default here.** Heads of large models often give most of their attention to the first word when they find nothing to
# bring ([Xiao et al. 2023](https://arxiv.org/abs/2309.17453)). *World*'s median head gives it
# {{ result("attention.first_word", ".2f") }}.

# %% tags=["setup"]
within(atol=0.01, because=SMOOTH)(first_word=patterns[..., 1:, 0].mean((1, 3)).median())

# %% [markdown]
# ## Try it
#
# **1. Count** (5 minutes). A head returns a mean, so it cannot tell 2 of 4 from 4 of 8. Or can it? Put a start token in
# front, the only word with value 1 (all others have 0), and let all scores be equal. What does the last word get?
#
# ??? tip "Hint"
#     `attend` with queries and keys of zero. After *n* words the start token has the weight 1 / (*n* + 1).

# %% tags=["solution"]
value = one_hot(torch.tensor(0), 9).float()[:, None]  # the start token, then 8 words
got = attend(torch.zeros(9, 1), torch.zeros(9, 1), value)[0][:, 0]
counted = 1 / got - 1
assert torch.allclose(counted, torch.arange(9.0), atol=1e-4), (
    f"{counted}: is it 1 / weight - 1?"
)
print("words so far:", *counted.round().int().tolist())

# %% [markdown]
# **2. The louder alone** (10 minutes). Let the trained head with an MLP look at the louder item only. How often is each of the two answers right then? Predict it before you run it.
#
# ??? tip "Hint"
#     `change` gets weights of shape (run, example, head, item). `one_hot(weights.argmax(-1), 6).float()` looks at one item
#     alone.


# %% tags=["solution"]
def alone(weights):
    return one_hot(weights.argmax(-1), 6).float()


says = run(weights["one_mlp"], items, query, change=alone)[0].argmax(-1)
worse, better = (
    (says == answers)[:, differ].float().mean(1).sort(-1).values.T
)  # (run,) each
assert better.median() > 0.8 > 0.5 > worse.median(), (
    f"{worse}, {better}: one answer stays, one goes"
)
by_hand_again(louder_alone_worse=worse.median(), louder_alone_better=better.median())

# %% [markdown]
# ## You can now
#
# - write an attention head in seven lines and explain what each line does to the shapes;
# - read a map of attention weights and know what it leaves open;
# - explain why two look-ups fit into one head, and what destroys them.
#
# ## What this does not show
#
# - That the place of a head is a law. L2H3 does this in this training of *World*. In four others another head does, and
#   what attends to whom is spread more evenly.
# - The two look-ups are a toy with one-hot keys. We have not looked for them in a language model.
# - The square root was tested on one task, with 32 and 64 dimensions, and no norm before the head.
# - Where a head looks is not yet what it does. That takes an intervention, as in [How rules form](17_formation.md).
#
# ## Going deeper
#
# **The square root saves no trained head from large scores.** Scores of *World*'s heads grow during training to
# {{ result("attention.spread_end", ".1f") }} in the median head and {{ result("attention.spread_end_most", ".1f") }} in the
# largest, although they are divided. Undivided scores of entries of size 1 would start at 5.7. The division is a factor
# that $W_Q$ could hold as well; GPT-Neo, a published model of GPT-2's kind, does without it.
#
# **Even at GPT-2's start nothing would be one-hot.** Undivided, the weights of *World* at its start would still have
# {{ result("attention.even_at_start", ".0%") }} of the largest possible entropy.
#
# - Finding: [One head can do two look-ups](../findings/attention-two-lookups-one-head.md)
# - Finding: [The square root sets where training starts](../findings/attention-square-root.md)
# - Surprise: [Without the division gradients are larger](../surprises/attention-larger-gradients.md)
# - Question: [Do heads of language models write at two strengths?](../questions/attention-two-strengths.md)
# - Vaswani et al. (2017), [Attention is all you need](https://arxiv.org/abs/1706.03762)
# - Elhage et al. (2021), [A Mathematical Framework for Transformer Circuits](https://transformer-circuits.pub/2021/framework/index.html)
# - Xiao et al. (2023), [Efficient streaming language models with attention sinks](https://arxiv.org/abs/2309.17453)

# %% tags=["setup"]
in_words(
    food_l2h3="Attention of L2H3 to the person, where a favourite food is about to be named",
    food_median="The same for the median head",
    food_rank="Rank of L2H3 among the heads, for favourite foods",
    song_l2h3="Attention of L2H3 to the syllable that comes next in a song",
    song_median="The same for the median head",
    song_rank="Rank of L2H3 among the heads, for songs",
    one_linear="One head, linear readout: both right",
    one_linear_worse="The answer it does worse",
    one_linear_better="The answer it does better",
    two_linear="Two heads, linear readout: both right",
    two_linear_worse="The answer they do worse",
    two_linear_better="The answer they do better",
    one_mlp="One head, MLP readout: both right",
    one_mlp_worse="The answer it does worse",
    one_mlp_better="The answer it does better",
    quiet="Attention to the quieter item",
    loud="Attention to the louder item",
    even_right="Weights made even: both right, in order",
    even_crossed="Weights made even: both right, exchanged",
    swapped_right="Weights exchanged: both right, in order",
    swapped_crossed="Weights exchanged: both right, exchanged",
    top_undivided="Largest of 32 weights without the square root",
    top_divided="Largest of 32 weights with it",
    gradient_undivided="Gradient that reaches the keys without the square root",
    gradient_divided="Gradient that reaches the keys with it",
    even_at_start="Evenness of undivided weights at GPT-2's start (1: all equal)",
    spread_start="Size of World's scores at its start, median head",
    spread_end="Size of World's scores after training, median head",
    spread_end_most="Size of World's scores after training, largest head",
    later_large="Steps without the square root over steps with it, large start",
    later_small="Steps without the square root over steps with it, GPT-2's start",
    first_word="Attention of the median head to the first word",
    louder_alone_worse="Looking at the louder item alone: the answer it does worse",
    louder_alone_better="Looking at the louder item alone: the answer it does better",
)
