# ---
# title: A circuit, taken apart and rebuilt
# question: Two heads explain how a small model copies. If we write both by hand and it works, is the explanation true?
# answer: >-
#   Written from the description alone, two heads restore {{ result("circuit.back_weights", ".0%") }} of what the model's heads
#   are worth. Asked something that training never asked, they are right in {{ result("circuit.pair_late_textbook", ".0%") }} and
#   the model in {{ result("circuit.pair_late_trained", ".0%") }}.
# level: advanced
# minutes: 15
# models: []
# needs: [03_attention]
# tags: [induction, circuits, attention, path patching]
# chapter: Who does it
# thumbnail: sentences
# timeout: 240
# ---

# %% tags=["setup"]
import math
import tempfile
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path

import torch
import torch.nn.functional as F

from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.lab.maps import attention_maps
from llmnotes.methods import composition, looking
from llmnotes.model import ablate, replace, trace
from llmnotes.patching import logit_difference, path_patching
from llmnotes.scratch import Config, Plan, Transformer, to_gpt2
from llmnotes.scratch import train as train_model

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
TRAINED = "training amplifies rounding; three runs"
note = within(atol=0.1, because=TRAINED)
fixed = within(atol=1e-4, because="fixed data or matrices: rounding only")

# %% tags=["setup"]
V, N, LONGEST = 32, 40, 12  # tokens, places, the longest list


def repeats(rows, seed, anywhere=0):
    """Inputs, next tokens, and where these can be known; up to `anywhere` random tokens first."""
    g = torch.Generator().manual_seed(seed)
    length = torch.randint(5, LONGEST + 1, (rows, 1), generator=g)
    place = torch.arange(N + 1) - torch.randint(anywhere + 1, (rows, 1), generator=g)
    items = torch.rand(rows, V, generator=g).argsort(-1)  # each row in an order of its own
    ids = items.gather(1, place.clamp(min=0) % length)
    ids = torch.where(place < 0, torch.randint(V, ids.shape, generator=g), ids)
    return ids[:, :-1], ids[:, 1:], place[:, 1:] > length, length


x, y, known, length = repeats(128, seed=10**6)
bag = (length - 1.0).log().expand(-1, N)[known].mean().item()


@torch.no_grad()
def loss_of(model, rows=slice(None)):
    """Mean loss, in nats, where the next token can be known."""
    logits = model(x[rows])
    logits = getattr(logits, "logits", logits)
    return F.cross_entropy(logits[known[rows]], y[rows][known[rows]]).item()


def train(model, steps, seed=0, anywhere=0, measure=lambda model: {}):
    """Train in place."""

    def batch(step):
        return repeats(32, 10_000 * seed + step, anywhere)[:2]

    rest = {"warmup": 30, "final": 1, "weight_decay": 0.01, "evaluate_every": 10}
    plan = Plan(steps, lr=6e-3, muon=True, **rest)
    with tempfile.TemporaryDirectory() as folder:
        return train_model(model, batch, plan, Path(folder), measure, progress=False)


def measure(model):
    return {"nats": loss_of(model, slice(0, 64))}


def measure_heads(model):
    gpt2 = to_gpt2(model)  # the study tools know the names of GPT-2's parts
    previous = looking(gpt2, x[:32, : LONGEST + 1])["previous"].values[0].max().item()
    induction = looking(gpt2, x[:32])["induction"].values[1].max().item()
    return measure(model) | {"previous": previous, "induction": induction}


sizes = {"n_ctx": N, "n_heads": 2, "d_model": 64, "mlp": False, "sinusoidal_start": 0.3}
ours = [Transformer(Config(V, n_layers=2, **sizes), seed) for seed in range(3)]
logs = [
    train(m, 240, i, measure=measure if i else measure_heads) for i, m in enumerate(ours)
]
single = Transformer(Config(V, n_layers=1, **sizes))
log_one = train(single, 240, measure=measure)
models = [to_gpt2(model) for model in ours]

# %% [markdown]
# ## A case you can hold: d f a h k d f ▢
#
# A model that has read "d f a" and meets "d f" again tends to predict "a". This is *induction*, and the part that does it is the
# best known circuit of all: two attention heads, one built upon the other
# ([Elhage et al. 2021](https://transformer-circuits.pub/2021/framework/index.html),
# [Olsson et al. 2022](https://arxiv.org/abs/2209.11895)). We train three models that have room for little else. Each has two layers
# of two heads, no MLPs, and 32 tokens, written here as letters. A text is a list of 5 to 12 different tokens, repeated again and
# again.

# %% tags=["setup"]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEF"

# %%
row = [LETTERS.index(c) for c in "dfahkdfahk"]
with torch.no_grad():
    guesses = models[0](torch.tensor([row])).logits[0].argmax(-1).tolist()
print("reads:", " ".join("dfahkdfahk"))
print("says: ", " ".join(LETTERS[i] for i in guesses))

# %% [markdown]
# In the first round the model can only guess. From the second *d* on it should know, and it does.
#
# ## One head writes, the other asks
#
# {{ drawing("one-head", light="keys", alt="One attention head at one word: its query meets the keys of earlier words, the softmax makes weights of the scores, and the weighted values are added to the stream.") }}
#
# Here is the circuit as the textbook tells it. A *previous-token head* in the first layer writes at each position which token came
# before. An *induction head* in the second layer asks: at which position did my own token come before? It looks there, and predicts
# the token that it finds. So the keys of the second head are made from what the first head wrote (*K-composition*):
#
# $$
# \mathrm{score}_{ij} \propto \q{q_i} \cdot \k{k_j}, \qquad \q{q_i} = x_i W_Q
# $$
#
# $$
# \k{k_j} = (x_j + \v{x_{j-1} W_V W_O})\, W_K
# $$
#
# $\q{q_i}$ is the query of the second head at position $i$, which says which token is there. $\v{x_{j-1} W_V W_O}$ is what the
# first head wrote at position $j$: the token before it. $W_K$ makes the key $\k{k_j}$ from the sum. The score is large where the
# token before $j$ equals the token at $i$.
#
# Two losses serve for comparison. Guessing among all 32 tokens costs $\ln 32 \approx 3.47$ nats. Knowing which tokens are in the
# list but not their order (the *bag*) costs {{ result("circuit.bag", ".2f") }} nats, and needs no induction.
#
# ```exercise
# title: The first head's pattern
# minutes: 3
# code: |
#   EACH = torch.arange(6)                   # positions 0 to 5
#   looks_at = ▢                             # where each position looks: one back, position 0 at itself
#   assert looks_at.tolist() == [0, 0, 1, 2, 3, 4]
# right: ["(EACH - 1).clamp(min=0)", "(EACH - 1).clamp(0)", "torch.clamp(EACH - 1, min=0)", "(EACH - 1).relu()", "F.relu(EACH - 1)"]
# praise: "The first position has nothing before it, so it looks at itself."
# wrong:
#   "EACH - 1": "What would position 0 look at? There is no position −1."
#   "EACH": "Then each position looks at itself."
#   "EACH + 1": "That is the next position, which a causal mask hides."
# otherwise: "One less than each position, and never below 0."
# solution: "`(EACH - 1).clamp(min=0)`"
# ```
#
# ## Your prediction
#
# We find the two heads, empty all heads of the model, and write two new ones by hand from the description. Their weights are solved
# from embeddings and norms, and nothing is learned. On texts like those of training the rebuilt circuit is as good as the trained
# model. Now we ask something that training never asked: 30 different tokens, then one of them again, late in the text.

# %%
ask(
    "An isolated pair stands late in a text, where no list of the training began. Who completes it?",
    choices={
        "both": "Both, the trained model and the rebuilt circuit: they do the same",
        "neither": "Neither: such texts were not in the training",
        "trained": "Only the trained model: it knows more than the description",
        "rebuilt": "Only the rebuilt circuit: the model does less than the description says",
    },
    answer="rebuilt",
    because={
        "both": "Equal losses tempt one to say so. They were equal on texts that could not tell the two apart.",
        "neither": "Right about the trained model. The circuit by hand follows its description everywhere.",
        "trained": "One expects a trained model to hold more than a sentence about it. Here it holds less.",
        "rebuilt": "The trained head does its work where the texts needed it, and nowhere else.",
    },
    figure="isolated",
    pair_late_textbook="> 0.9",
    pair_late_trained="< 0.1",
)
predict("Two layers get below 0.3 nats", 0.85, loss_two="< 0.3")
predict("One layer does not get 0.1 nats below the bag", 0.7, one_below_bag="< 0.1")
predict(
    "Before it drops, two layers stay for 50 steps within 0.15 nats of the bag",
    0.5,
    steps_at_bag=">= 50",
)
predict(
    "In every run one head of each layer alone has a score above ½, by the usual scores",
    0.5,
    clear_runs="== 3",
)
predict(
    "In every run the strongest K-composition is from previous-token head to induction head",
    0.6,
    k_strongest_runs="== 3",
)
predict(
    "The path from one to the other's keys carries more than half of the effect",
    0.7,
    path_k="> 0.5",
)
predict("Patterns by hand, no other heads: over 80% returns", 0.6, back_patterns="> 0.8")
predict(
    "All weights of both heads by hand: more than half returns", 0.5, back_weights="> 0.5"
)
predict(
    "With a second head that looks at the copy itself less than 10% returns",
    0.8,
    back_weights_second_wrong="< 0.1",
)

# %% [markdown]
# ## Two layers learn it, one does not

# %% tags=["setup"]
fixed(unit="nats", bag=bag)
curves = torch.tensor([[entry["nats"] for entry in log] for log in logs])  # (run, note)
losses = torch.tensor([loss_of(model) for model in models])
note(atol=0.05, unit="nats", loss_two=losses.median())
note(
    atol=0.06,
    unit="nats",
    loss_one=loss_of(single.eval()),
    one_below_bag=bag - loss_of(single),
)
at_bag = 10 * ((curves - bag).abs() < 0.15).sum(1)
note(atol=20, steps_at_bag=at_bag.median())
dropping = 10 * ((curves < 1.8) & (curves > 0.2)).sum(1)
note(atol=20, steps_of_drop=dropping.median())

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.2)
steps = [entry["step"] for entry in logs[0]]
left.plot(steps, curves.T, color=BLUE)
left.plot(
    steps, [entry["nats"] for entry in log_one], color=ORANGE, label="control: one layer"
)
left.plot([], [], color=BLUE, label="two layers, three runs")
left.axhline(bag, color=plots.MUTED, ls=":", lw=1.5)
left.text(4, bag - 0.22, "bag", color=plots.INK)
left.set(xlabel="step", ylabel="loss (nats)", ylim=(0, 4.6), yticks=(0, 1, 2, 3))
left.legend(loc="upper right")
for key, colour, label in (
    ("previous", GREEN, "one token back"),
    ("induction", PURPLE, "after a copy"),
):
    right.plot(steps, [entry[key] for entry in logs[0]], color=colour, label=label)
right.set(xlabel="step", ylabel="attention paid", ylim=(0, 1.3), yticks=(0, 0.5, 1))
right.legend(loc="upper left")
figure(
    fig,
    name="drop",
    title="Two layers drop, one does not; both heads come with the drop",
    alt="The loss of two layers falls steadily to the level of the bag and straight through it, then to nearly 0 within "
    "some twenty steps. One layer stays at the bag. Both kinds of attention rise together with the drop.",
    caption="Loss where the next token can be known. Attention: the best head of each layer, run 1.",
    data={"last": curves[:, -1]},
    rtol=5,
    because=TRAINED,
)

# %% [markdown]
# Two layers end at {{ result("circuit.loss_two", ".2f") }} nats (median of three runs). One layer, the control, ends at
# {{ result("circuit.loss_one", ".2f") }}, a little below the bag. The loss does not pause at the bag, where we had looked for a
# plateau. And neither head comes first: both form during the drop (seen in one run, measured every ten steps).
#
# ## The two heads, in two sentences

# %% tags=["setup"]
scores = [looking(model, x) for model in models]
previous = torch.stack([s["previous"].values[0] for s in scores])  # (run, head)
induction = torch.stack([s["induction"].values[1] for s in scores])
clear = ((previous > 0.5).sum(1) == 1) & ((induction > 0.5).sum(1) == 1)
note(clear_runs=clear.sum())
note(atol=0.1, induction_score=induction.amax(1).median())
note(atol=0.08, previous_score=previous.amax(1).median())
fixed(previous_chance=scores[0]["previous"].chance)


# %% tags=["idea"]
def one_back(model):
    """How much each head of the first layer looks at the place before: (head, place)."""
    pattern = trace(model, x, ["pattern"], layers=[0])["pattern", 0]
    return pattern.mean(0).diagonal(-1, 1, 2)  # from place 1 on


back = torch.stack([one_back(model) for model in models])  # (run, head, place)
early, late = back[..., :LONGEST].mean(-1), back[..., LONGEST + 1 :].mean(-1)
first, second = early.argmax(1).tolist(), induction.argmax(1).tolist()

# %% tags=["setup"]
note(atol=0.15, previous_early=early.amax(1).median())
note(atol=0.05, previous_late=late.amax(1).median())

# %% tags=["drawing"]
shown = "dfahkdfahk"
seen = trace(models[0], [[LETTERS.index(c) for c in shown]], ["pattern"])
fig, axes = plots.subplots(2, 1, height=3.9)
PARTS = (
    (seen["pattern", 0][0, first[0]], "“The token before me is …”", range(1, 6), BLUE),
    (
        seen["pattern", 1][0, second[0]],
        "“Where did my token occur before? What came next?”",
        range(5, 10),
        ORANGE,
    ),
)
for ax, (pattern, sentence, asks, colour) in zip(axes, PARTS, strict=True):
    for place, letter in enumerate(shown):
        ax.text(place, 0, letter, ha="center", va="center", fontsize=13)
    for place in asks:
        at = pattern[place].argmax().item()
        if at != place:
            ax.annotate(
                "",
                (at, 0.16),
                (place, 0.16),
                arrowprops={
                    "arrowstyle": "->",
                    "color": colour,
                    "lw": 0.6 + 2 * pattern[place, at].item(),
                    "connectionstyle": f"arc3,rad={0.5 if place - at == 1 else 0.35}",
                },
            )
    ax.set(xlim=(-0.6, 9.6), ylim=(-0.35, 1.2), title=sentence)
    ax.axis("off")
figure(
    fig,
    name="sentences",
    title="One head writes the token before; the other looks at what followed the copy",
    alt="The letters d f a h k twice. Above, the first layer's head: each letter has an arrow to the one before it. Below, the second layer's head: "
    "each letter of the second round has an arrow to the letter that followed its copy in the first round.",
    caption="Where the two heads of run 1 look most, and how strongly (the line's width).",
    data={"first": PARTS[0][0], "second": PARTS[1][0]},
    rtol=0.5,
    because=TRAINED,
)

# %% [markdown]
# The induction head has a score of {{ result("circuit.induction_score", ".2f") }}: so much of its attention goes to what followed
# earlier copies. But by the usual score *no head looks at the previous token*. The best has
# {{ result("circuit.previous_score", ".2f") }}, where even attention would have {{ result("circuit.previous_chance", ".2f") }}. So
# we look at each position separately.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
places = torch.arange(1, N)
for run, (head, style) in enumerate(zip(first, ("-", "--", ":"), strict=True)):
    ax.plot(
        places, back[run, head], style, color=BLUE, label=f"run {run + 1}, head 0.{head}"
    )
ax.plot(
    places, 1 / (places + 1), color=ORANGE, lw=1.5, label="control: looks at all evenly"
)
ax.axvline(LONGEST, color=plots.MUTED, lw=1)
ax.text(LONGEST + 0.4, 0.45, "the longest list ends", color=plots.INK)
ax.set(xlabel="place that looks", ylabel="attention to the place before", ylim=(0, 1.02))
ax.legend(loc="upper right")
figure(
    fig,
    name="one_back",
    title="The head looks one back where the texts need it, and not after",
    alt="Up to place 12 the best head pays half to nine tenths of its attention to the place before. At place 13 this "
    "falls to nearly zero, below a head that looks at all evenly.",
    caption="Attention of the first layer to the previous token, by place. A mean over 128 texts.",
    rtol=0.3,
    because=TRAINED,
)

# %% [markdown]
# Up to position 12 the best head gives {{ result("circuit.previous_early", ".0%") }} of its attention to the token before, and
# after position 13 {{ result("circuit.previous_late", ".0%") }}. Why twelve? It is the length of the longest list. After that every
# list has begun again, and the second head finds an earlier copy of each token within the first twelve positions. Only there does
# anything need to know which token came before. The head works where it is needed, and a mean over all positions hides it.
#
# ## Written by hand, everything comes back
#
# Now we empty all heads and write two by hand. We keep only the model's embeddings and norms. A head that must know the token needs
# a linear map from the stream to a code for tokens; we find it by least squares. The first head's query is the code of the position
# before, and its keys are the codes of the positions themselves. The second head's query is the present token, and its keys are
# what the first head wrote.

# %% tags=["setup"]
pairs = list(zip(range(3), first, second, strict=True))
by_k, by_q = ([composition(model, kind) for model in models] for kind in "kq")
k_of_pair = torch.stack([by_k[run].values[0, a, 1, b] for run, a, b in pairs])
q_of_pair = torch.stack([by_q[run].values[0, a, 1, b] for run, a, b in pairs])
strongest = torch.stack([scores.values[0, :, 1].max() for scores in by_k])
note(k_strongest_runs=(k_of_pair > 0.95 * strongest).sum())
note(
    atol=0.03,
    k_of_pair=k_of_pair.median(),
    q_of_pair=q_of_pair.median(),
)
fixed(k_chance=by_k[0].chance)

SENDERS = ["embed", "0.0", "0.1"]
RECEIVERS = [f"1.{head}.{reads}" for head in (0, 1) for reads in "qkv"] + ["logits"]


def paths(model, prompts=20):
    """The share of the effect that each direct path carries: (sender, receiver)."""
    g, moved, whole = torch.Generator().manual_seed(5), 0, 0
    for _ in range(prompts):
        items = torch.rand(V, generator=g).argsort().tolist()
        at = torch.randint(1, 8, (1,), generator=g).item()
        clean = items[:10] + items[: at + 1]
        corrupted = [*items[:at], items[11], *items[at + 1 : 10], *items[: at + 1]]
        answer = logit_difference(model, items[at + 1], items[10])
        found = path_patching(model, clean, corrupted, answer, SENDERS, RECEIVERS)
        moved = moved + found.values - found.unpatched
        whole = whole + found.source - found.unpatched
    return moved / whole


carried = torch.stack([paths(model) for model in models])  # (run, sender, receiver)
to_keys = carried[:, 1:, [1, 4]]  # from the two heads to the keys of the two
path_k = torch.stack([to_keys[run, a, b] for run, a, b in pairs])
note(atol=0.2, path_k=path_k.median())
carried[:, 1:, [1, 4]] = 0
note(atol=0.1, path_other=carried.abs().max())

EACH = torch.arange(N)
BEFORE, TWO_BACK = (EACH - 1).clamp(min=0), (EACH - 2).clamp(min=0)
means = [trace(model, repeats(128, seed=77)[0], ["z"]) for model in models]


def behind_copies(shift):
    """A head that looks at the places behind earlier copies, evenly: (batch, 1, query, key)."""
    copies = (x[:, :, None] == x[:, None]).tril(-1)
    places = F.pad(copies, (shift, 0))[..., :N].float().tril()
    places[..., 0] += places.sum(-1) == 0  # nothing to look at: the first place
    return (places / places.sum(-1, keepdim=True))[:, None]


def with_only(run, a, b, looks_at=None, behind=None):
    """The loss with every head at its mean but these (None: neither), which look as told."""
    model = models[run]
    with ExitStack() as stack:
        for layer, kept in ((0, a), (1, b)):
            off = {"heads": [head for head in (0, 1) if head != kept]}
            stack.enter_context(
                ablate(model, "z", layer, by="mean", reference=means[run], **off)
            )
        if looks_at is not None:
            pattern = F.one_hot(looks_at, N).float().expand(len(x), 1, N, N)
            stack.enter_context(replace(model, "pattern", 0, pattern, heads=[a]))
        if behind is not None:
            stack.enter_context(
                replace(model, "pattern", 1, behind_copies(behind), heads=[b])
            )
        return loss_of(model)


none = torch.tensor([with_only(run, None, None) for run in range(3)])
VARIANTS = {
    "two_heads": {},
    "first": {"looks_at": BEFORE},
    "first_wrong": {"looks_at": TWO_BACK},
    "patterns": {"looks_at": BEFORE, "behind": 1},
    "patterns_first_wrong": {"looks_at": TWO_BACK, "behind": 1},
    "patterns_second_wrong": {"looks_at": BEFORE, "behind": 0},
}
returned = {}  # the share of what the heads are worth that comes back, run by run
for name, how in VARIANTS.items():
    found = torch.tensor([with_only(*pair, **how) for pair in pairs])
    returned[name] = (none - found) / (none - losses)
back = {name: values.median() for name, values in returned.items()}
note(
    atol=0.12,
    back_two_heads=back["two_heads"],
    back_first=back["first"],
    back_patterns=back["patterns"],
)
note(
    atol=0.6,
    back_first_wrong=back["first_wrong"],
    back_patterns_first_wrong=back["patterns_first_wrong"],
    back_patterns_second_wrong=back["patterns_second_wrong"],
)


def read(norm, stream, code):
    """By least squares: weight and bias that read a code from the normed stream."""
    seen = F.pad(norm(stream), (0, 1), value=1.0).flatten(0, 1)
    square = seen.T @ seen + 1e-3 * len(seen) * torch.eye(seen.size(1))
    solved = torch.linalg.solve(square, seen.T @ code.flatten(0, 1))
    return solved[:-1], solved[-1]


def write(block, maps, out):
    """Head 0 of a layer from its query, key and value maps; the other head stays empty."""
    read_in, write_out = block.attn.c_attn, block.attn.c_proj
    for i, (weight, bias) in enumerate(maps):
        scale = 170 if i == 0 else 1  # sharp: nearly all attention goes to the best key
        read_in.weight[:, 64 * i : 64 * i + 32] = scale * weight
        read_in.bias[64 * i : 64 * i + 32] = scale * bias
    write_out.weight[:32] = out


IDS = repeats(256, seed=555)[0]
angles = EACH[:, None] * torch.arange(1, 17) * math.pi / 32
PLACES = torch.cat([angles.sin(), angles.cos()], dim=1).expand(len(IDS), -1, -1) / 4
TOKENS = F.one_hot(IDS, V).float()  # (row, place, token)


@torch.no_grad()
def with_first(model, looks_at):
    """A copy with all heads empty but one in the first layer, which looks where it is told."""
    new = deepcopy(model)
    for parameter in (p for block in new.transformer.h for p in block.attn.parameters()):
        parameter.zero_()
    block, stream = new.transformer.h[0], trace(new, IDS, ["resid_pre"])["resid_pre", 0]
    codes = (PLACES[:, looks_at], PLACES, TOKENS)
    centred = (stream - stream.mean((0, 1))).flatten(0, 1)
    least_used = torch.linalg.eigh(centred.T @ centred).eigenvectors[:, :32].T
    write(block, [read(block.ln_1, stream, code) for code in codes], least_used)
    return new


# %% tags=["idea"]
@torch.no_grad()
def by_hand(model, looks_at, match_before=True):
    """Both heads; the second's keys are what the first wrote, or, wrongly, their own token."""
    new = with_first(model, looks_at)
    block, stream = new.transformer.h[1], trace(new, IDS, ["resid_pre"])["resid_pre", 1]
    codes = (TOKENS, TOKENS[:, looks_at] if match_before else TOKENS, TOKENS)
    words = new.transformer.wte.weight
    maps = [read(block.ln_1, stream, code) for code in codes]
    write(block, maps, 8 * (words - words.mean(0)))
    return new


# %% tags=["setup"]
textbook = [by_hand(model, BEFORE) for model in models]
by_weights = {
    "weights": textbook,
    "weights_first_wrong": [by_hand(model, TWO_BACK) for model in models],
    "weights_second_wrong": [by_hand(model, BEFORE, False) for model in models],
}
for name, made in by_weights.items():
    found = torch.tensor([loss_of(model) for model in made])
    returned[name] = (none - found) / (none - losses)
by_hand_loss = torch.tensor([loss_of(model) for model in textbook])
note(atol=0.02, back_weights=returned["weights"].median())
note(
    atol=0.6,
    back_weights_first_wrong=returned["weights_first_wrong"].median(),
    back_weights_second_wrong=returned["weights_second_wrong"].median(),
)
note(atol=0.03, unit="nats", loss_by_hand=by_hand_loss.median())

# %% tags=["drawing"]
NAMES = {
    "two_heads": "two heads alone, as trained",
    "first": "first pattern by hand",
    "first_wrong": "control: it looks two back",
    "patterns": "both patterns by hand",
    "patterns_first_wrong": "control: the first looks two back",
    "patterns_second_wrong": "control: the second looks at the copy",
    "weights": "all weights by hand",
    "weights_first_wrong": "control: the first looks two back",
    "weights_second_wrong": "control: the second looks at the copy",
}
fig, ax = plots.subplots(height=3.6)
for i, name in enumerate(NAMES):
    colour = ORANGE if "wrong" in name else BLUE
    ax.plot(100 * returned[name], [i] * 3, "o", ms=7, color=colour, alpha=0.7)
ax.axvline(0, color=plots.MUTED, lw=1)
ax.axvline(100, color=plots.MUTED, lw=1)
ax.set_yticks(range(9), NAMES.values())
ax.invert_yaxis()
ax.set(xlabel="returned (%)", xlim=(-280, 130))
figure(
    fig,
    name="returned",
    title="By hand, everything comes back; a wrong description is worse than nothing",
    alt="All variants by the right description lie near 100 percent. The wrong ones lie far below zero, with one "
    "exception: when both patterns are put in, a first head that looks two back also brings nearly 100 percent.",
    caption="0: all heads at their means. 100: the model as trained. Three runs each.",
    data={"median": [returned[name].median() for name in NAMES if "wrong" not in name]},
    rtol=0.5,
    because=TRAINED,
)

# %% [markdown]
# The circuit by hand restores {{ result("circuit.back_weights", ".1%") }} of what all heads are worth: the difference between the
# trained model and one with all heads at their means. Its loss is {{ result("circuit.loss_by_hand", ".3f") }} nats.
#
# The controls are wrong descriptions. If the first head looks two back, {{ result("circuit.back_weights_first_wrong", ".0%") }}
# comes back: a circuit that is sure and wrong is worse than none. We could stop here, with a perfect score.
#
# ## A description that passes, and is wrong
#
# The trained head does not look one back after position 12. The rebuilt one does so everywhere. On texts like those of training
# this makes no difference, so we ask where it would. We also write a *narrow* circuit by hand, which looks one back up to position
# 12 only.


# %% tags=["idea"]
@torch.no_grad()
def isolated(model):
    """How often an isolated pair is completed, by the place of its second token, 2 to 28."""
    g = torch.Generator().manual_seed(3)
    ids = torch.rand(27, 30, V, generator=g).argsort(-1)[..., :30]  # (place, row, token)
    at = torch.arange(1, 28)[:, None, None].expand(-1, 30, 1)
    asked = torch.cat([ids, ids.gather(2, at)], dim=2).flatten(0, 1)
    said = model(asked).logits[:, -1].argmax(-1).view(27, 30)
    return (said == ids.gather(2, at + 1)[..., 0]).float().mean(1)


# %% tags=["setup"]
more = {anywhere: deepcopy(ours[0]) for anywhere in (20, 0)}
for anywhere, model in more.items():
    train(model, 100, seed=50, anywhere=anywhere)
EARLY = torch.where(EACH <= LONGEST, BEFORE, 0)
narrow = [by_hand(model, EARLY) for model in models]
found = torch.tensor([loss_of(model) for model in narrow])
note(atol=0.05, back_narrow=((none - found) / (none - losses)).median())

known_pairs = {
    "trained": torch.stack([isolated(model) for model in models]).mean(0),
    "textbook": torch.stack([isolated(model) for model in textbook]).mean(0),
    "narrow": torch.stack([isolated(model) for model in narrow]).mean(0),
    "anywhere": isolated(to_gpt2(more[20])),
    "same": isolated(to_gpt2(more[0])),
}
early = {name: share[: LONGEST - 1].mean() for name, share in known_pairs.items()}
late = {name: share[LONGEST + 1 :].mean() for name, share in known_pairs.items()}
note(
    pair_early_trained=early["trained"],
    pair_late_trained=late["trained"],
    pair_early_textbook=early["textbook"],
    pair_late_textbook=late["textbook"],
    pair_early_narrow=early["narrow"],
    pair_late_narrow=late["narrow"],
    pair_early_same=early["same"],
    pair_late_same=late["same"],
)
note(  # one run, not at its end
    atol=0.35, pair_early_anywhere=early["anywhere"], pair_late_anywhere=late["anywhere"]
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.4)
STYLES = {
    "trained": (BLUE, "-", "trained", 20, 7),
    "textbook": (ORANGE, "-", "by hand: one back", 2, 107),
    "narrow": (GREEN, "--", "by hand: up to place 12", 2, 127),
    "anywhere": (PURPLE, "-", "trained on: begins anywhere", 2, 147),
    "same": (plots.MUTED, ":", "control: more of the same", 2, 167),
}
for name, (colour, style, label, at, height) in STYLES.items():
    ax.plot(range(2, 29), 100 * known_pairs[name], style, color=colour)
    ax.lines[-1].set_gid(
        {"textbook": "choice-rebuilt", "trained": "choice-trained"}.get(name, "")
    )
    mark = {"narrow": "– – ", "same": "· · · "}.get(name, "— ")
    ax.text(at, height, ("" if name == "trained" else mark) + label, color=colour)
ax.set(xlabel="place of the pair's second token", ylabel="completed (%)", ylim=(-4, 185))
ax.set_yticks((0, 50, 100))
figure(
    fig,
    name="isolated",
    title="The rebuilt circuit does what the model cannot",
    alt="The trained model completes every pair up to place 12 and none after it. The circuit by hand that looks one "
    "back everywhere completes all. The narrow one by hand falls at the same place as the trained model. Trained on "
    "with lists that begin anywhere, the model completes late pairs too.",
    caption="30 different tokens, then one of the first 28 again. 30 texts for each place.",
    # of a single run the place where it stops is not the same elsewhere: its early and late pairs are recorded
    data={name: known_pairs[name] for name in ("trained", "textbook", "narrow")},
    rtol=0.15,
    because=TRAINED,
)

# %% [markdown]
# The trained models complete {{ result("circuit.pair_early_trained", ".0%") }} of the pairs up to position 12 and
# {{ result("circuit.pair_late_trained", ".0%") }} of those after 13. The circuit by hand completes
# {{ result("circuit.pair_late_textbook", ".0%") }} of the late ones. **The description restores all of the behaviour on the first
# texts, and it is not what the model does.**
#
# The narrow circuit fits both tests. It restores {{ result("circuit.back_narrow", ".0%") }}, and it fails where the models fail
# ({{ result("circuit.pair_late_narrow", ".0%") }} of late pairs). So two descriptions pass the first test, and only their failures
# tell them apart.
#
# ## What surprised us
#
# **No head scored, and one worked.** In models whose induction is nearly perfect no head has a previous-token score worth the name.
# A score averaged over positions asks for more than the task does.
#
# **It all came back.** We had given the circuit by hand an even chance to bring back half. A rebuilt circuit that works shows that the
# description is *enough* for the behaviour, not that it is what the model has.
#
# **The easy test was blind.** The easiest way to rebuild a circuit is to put in both attention patterns. That test cannot see the
# first head at all ([below](#both-patterns-by-hand)).
#
# ## Try it
#
# **1. Wrong is right about something else** (5 minutes). The circuit whose first head looks two back predicts the next token worse
# than no circuit. What does it predict instead? Guess, then measure.
#
# ??? tip "Hint"
#     A key now says which token came *two* positions before. So where does the second head look, and which token is there? Compare
#     its guesses with `y` moved by one position.

# %% tags=["solution"]
with torch.no_grad():
    said = by_hand(models[0], TWO_BACK)(x).logits.argmax(-1)
right = (said[:, :-1] == y[:, 1:])[known[:, :-1]].float().mean().item()
assert right > 0.9, (
    f"{right:.0%} of the guesses are the token after the next: is TWO_BACK used?"
)
print(f"{right:.0%} of its guesses are the token after next")

# %% [markdown]
# **2. Where the head is needed** (10 minutes). Replace the first layer of a trained model by its mean from position 13 on, then
# only at positions 1 to 12. Which costs more?
#
# ??? tip "Hint"
#     `ablate` takes `positions`: a list. With no `heads` it takes all heads of the layer.

# %% tags=["solution"]
costs = {}
for name, at in (("late", range(13, N)), ("early", range(1, 13))):
    how = {"by": "mean", "reference": means[0], "positions": list(at)}
    with ablate(models[0], "z", 0, **how):
        costs[name] = loss_of(models[0]) - losses[0].item()
assert costs["late"] < 0.3 < 2 < costs["early"], (
    f"{costs}: are the positions the other way round?"
)
for name, cost in costs.items():
    print(f"{name:5} positions: {cost:.2f} nats lost")

# %% [markdown]
# ## You can now
#
# - explain what a previous-token head and an induction head do, and how one feeds the other's keys;
# - rebuild a described circuit from weights, with a wrong variant beside each part;
# - look for inputs on which a description and its rivals differ, and compare failures as well as successes.
#
# ## What this does not show
#
# - Large models. Ours have two layers of two heads and 32 tokens, in three runs. Large models have heads whose previous-token
#   score is high over whole texts, and their texts do not begin with a list.
# - A circuit free of training. “By hand” kept the trained embeddings and norms and fitted maps by least squares. The two factors in
#   it, 170 and 8, are the first that we tried.
# - That the narrow description is right. It fits the loss and isolated pairs; on other inputs it will fail. Heads were switched off
#   at their mean over a batch.
#
# ## Going deeper
#
# ### All heads on one text
#
# The maps show the four heads of the first run on one text, twelve tokens again and again. Each row is a token that looks, each
# column a token that is looked at.

# %% tags=["drawing"]
text = torch.arange(28) % LONGEST
heads = trace(models[0], [text.tolist()], ["pattern"]).stack("pattern")[:, 0]
figure(
    attention_maps(heads),  # (layer, head, query, key)
    name="heads",
    alt="One head of the first layer looks one place back, up to about place 12 and hardly further. The second layer looks, "
    "from place 12 on, at the place after the earlier copy of the present token.",
    caption="All heads of run 1 on one text of 28 tokens: the two of the first layer above, the two of the second below.",
    data={"patterns": heads},
    rtol=0.5,
    because=TRAINED,
)

# %% [markdown]
# The drop from 1.8 to 0.2 nats takes some {{ result("circuit.steps_of_drop", ".0f") }} steps. One layer ends
# {{ result("circuit.one_below_bag", ".2f") }} below the bag, so some order can be learned without induction.
#
# ### By weights and by paths
#
# Is the second head built on the first? *By weights* we ask how much of what the first head writes lies where the keys of the
# second read, compared with random matrices. Between the pair this K-composition is {{ result("circuit.k_of_pair", ".2f") }}
# (median), and {{ result("circuit.k_chance", ".2f") }} with random matrices. Through queries it is
# {{ result("circuit.q_of_pair", ".2f") }}. The pair's K-composition is the strongest of four, or level with it, in
# {{ result("circuit.k_strongest_runs") }} of 3 runs.
#
# *By paths* we ask what the connection carries ([Wang et al. 2022](https://arxiv.org/abs/2211.00593)). The clean prompt is a list
# of ten and its beginning again. In the corrupted prompt another token comes before the answer in the list. Into one input of a
# head in the corrupted run we put what another head writes in the clean run, and hold all else. Then we see how much of the
# answer's logit, against that of a token outside the list, returns. The path to the keys carries
# {{ result("circuit.path_k", ".0%") }} of the effect (median). Apart from the paths from first-layer heads to keys, no path carries
# more than {{ result("circuit.path_other", ".0%") }} in any run.
#
# ### Both patterns by hand
#
# Before writing weights we tried patterns. We put all other heads at their means and forced one or both of the two heads to look
# exactly where the description says; what they write stays their own. The two heads alone keep
# {{ result("circuit.back_two_heads", ".0%") }} of what all heads are worth. With the first pattern by hand it is
# {{ result("circuit.back_first", ".0%") }}, with both {{ result("circuit.back_patterns", ".0%") }}. A first head that looks two
# back brings {{ result("circuit.back_first_wrong", ".0%") }}.
#
# But give the second head its pattern by hand too, and the same wrong first head brings
# {{ result("circuit.back_patterns_first_wrong", ".0%") }}. The test with both patterns is blind to the first head. This head acts
# only through the second's pattern, and a pattern put in by hand does not depend on it. The test is not blind to the second head:
# looking at the copy itself brings {{ result("circuit.back_patterns_second_wrong", ".0%") }}, and by weights
# {{ result("circuit.back_weights_second_wrong", ".0%") }}.
#
# ### Why the head stops
#
# Perhaps the head stops because lists always began at the first position. Then a little training on lists that begin anywhere, up
# to 20 random tokens in, should carry the head further. After 100 such steps the model of the first run completes
# {{ result("circuit.pair_late_anywhere", ".0%") }} of the late pairs. After 100 steps on the old lists instead, the control, it
# completes {{ result("circuit.pair_late_same", ".0%") }}. We tried this in one run. The new lists ask less often for early pairs,
# and of these the model now completes only {{ result("circuit.pair_early_anywhere", ".0%") }}, which we had not expected.
#
# - Finding: [A rebuilt circuit can be perfect and wrong](../findings/circuit-rebuilt-perfect-and-wrong.md)
# - Finding: [A head works where training needs it](../findings/circuit-head-where-needed.md)
# - Dead end: [Putting in both patterns](../dead-ends/circuit-both-patterns.md)
# - Dead end: [Teaching copying by repetition alone](../dead-ends/fairytale-copying-from-repetition.md)
# - Surprise: [Induction without a previous-token score](../surprises/circuit-no-previous-token-score.md)
# - Question: [Do heads of large models work only where they are needed?](../questions/circuit-where-needed-in-large-models.md)
# - [Elhage et al. (2021)](https://transformer-circuits.pub/2021/framework/index.html), "A Mathematical Framework for
#   Transformer Circuits"; [Olsson et al. (2022)](https://arxiv.org/abs/2209.11895), "In-context Learning and Induction Heads"
# - [Chan et al. (2022)](https://www.alignmentforum.org/posts/JvZhhzycHu2Yd57RN/causal-scrubbing-a-method-for-rigorously-testing):
#   a test of descriptions by what they say does *not* matter

# %% tags=["setup"]
in_words(
    bag="Loss of guessing evenly among all but the present token",
    loss_two="Loss of two layers",
    loss_one="Loss of one layer",
    one_below_bag="How far one layer gets below the even guess",
    steps_at_bag="Steps that two layers stay near the even guess",
    steps_of_drop="Steps of the drop from 1.8 to 0.2 nats",
    clear_runs="Runs in which one head of each layer alone has a score above 1/2",
    induction_score="Best induction score",
    previous_score="Best previous-token score",
    previous_chance="Previous-token score by chance",
    previous_early="Attention of the best head to the token before, up to position 12",
    previous_late="The same after position 13",
    k_strongest_runs="Runs in which K-composition is strongest from previous-token to induction head",
    k_of_pair="K-composition of the pair",
    q_of_pair="Q-composition of the pair",
    k_chance="K-composition of random matrices",
    path_k="Effect carried by the path to the keys",
    path_other="Effect carried by any other path, at most",
    back_two_heads="Returned by the two heads alone",
    back_first="Returned with the first pattern by hand",
    back_first_wrong="Returned with a first head that looks two back",
    back_patterns="Returned with both patterns by hand",
    back_patterns_first_wrong="Returned with both, the first looking two back",
    back_patterns_second_wrong="Returned with both, the second looking at the copy itself",
    back_weights="Returned with all weights by hand",
    back_weights_first_wrong="Returned with all weights by hand, the first looking two back",
    back_weights_second_wrong="Returned with all weights by hand, the second looking at the copy itself",
    loss_by_hand="Loss with all weights by hand",
    back_narrow="Returned by the narrow description",
    pair_early_trained="Pairs completed up to position 12, trained",
    pair_late_trained="Pairs completed after position 13, trained",
    pair_early_textbook="Pairs completed up to position 12, by hand",
    pair_late_textbook="Pairs completed after position 13, by hand",
    pair_early_narrow="Pairs completed up to position 12, narrow description",
    pair_late_narrow="Pairs completed after position 13, narrow description",
    pair_early_anywhere="Pairs completed up to position 12, trained on lists that begin anywhere",
    pair_late_anywhere="Pairs completed after position 13, trained on lists that begin anywhere",
    pair_early_same="Pairs completed up to position 12, trained longer on the same",
    pair_late_same="Pairs completed after position 13, trained longer on the same",
)
