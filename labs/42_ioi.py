# ---
# title: Who gives to whom?
# question: >-
#   "When Mary and John went to the store, John gave a drink to": which heads of a real model say Mary, and are they those of
#   the published circuit?
# answer: >-
#   GPT-2's kinds of heads are here, but the head that does most pushes the giver's name down: {{ result("ioi.pusher_direct", ".1f") }} of
#   {{ result("ioi.difference", ".1f") }} logits, as much as all name movers together.
# level: intermediate
# models: [smollm2]
# needs: [24_patching, 40_paris, smollm2]
# tags: [circuits, activation patching, path patching, attribution patching, attention heads]
# chapter: In the wild
# thumbnail: writers
# timeout: 1200
# ---

# %% tags=["setup"]
import random
from contextlib import ExitStack

import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, note, plots, predict, within
from llmnotes.model import cut_edges, norm_scale, normalize, parts, replace, rerun, trace
from llmnotes.patching import attribution_patching, logit_difference, path_patching, sweep

BLUE, ORANGE, *_ = plots.COLOURS
torch.set_grad_enabled(False)  # nothing is trained here
NAME = "smollm2"  # or "gpt2", "EleutherAI/pythia-160m", "Qwen/Qwen2.5-0.5B": nothing below is SmolLM2's own
model = llmnotes.load(NAME)
DRAW = "sums in another order, and near ties between names"
near, close = within(atol=0.04, because=DRAW), within(rtol=0.05, atol=0.02, because=DRAW)

PEOPLE = [
    "Mary",
    "John",
    "Tom",
    "James",
    "Dan",
    "Sarah",
    "Anna",
    "Paul",
    "Peter",
    "Mark",
    "Alice",
    "David",
    "Emma",
    "Jack",
    "Kate",
    "Lisa",
    "Robert",
    "Susan",
    "Laura",
    "Sam",
    "Adam",
    "Jane",
    "Julia",
    "Martin",
    "Ben",
    "Lucy",
    "Henry",
    "George",
    "Frank",
    "Simon",
    "Rachel",
    "Emily",
]
PLACES = [
    "store",
    "park",
    "school",
    "office",
    "house",
    "station",
    "garden",
    "market",
    "hospital",
    "restaurant",
]
THINGS = [
    "drink",
    "ring",
    "book",
    "letter",
    "key",
    "map",
    "ball",
    "phone",
    "cake",
    "ticket",
]
STORY = "When {a} and {b} went to the {place}, {giver} gave a {thing} to"
OTHER_STORY = (
    "Then {a} and {b} had lunch at the {place}. Afterwards {giver} handed the {thing} to"
)


def tokens(text):
    return model.tokenizer(text)["input_ids"]


def word(text):
    """The tokens of a word inside a text, whatever the tokenizer puts before a text."""
    return tokens(f"of {text}")[len(tokens("of")) :]


def single(words, least):
    """Those words that are one token; a sentence must have its tokens at the same places in all prompts."""
    kept = [one for one in words if len(word(one)) == 1]
    if len(kept) < least:
        raise ValueError(
            f"{NAME}: only {len(kept)} of {len(words)} words such as {words[0]!r} are one token each, and {least} are needed; "
            "take a model with a larger vocabulary, or other words"
        )
    return kept


PEOPLE, PLACES, THINGS = single(PEOPLE, 12), single(PLACES, 3), single(THINGS, 3)
deal, cases = random.Random(0), []
for i in range(64):
    (a, b, third), place, thing = (
        deal.sample(PEOPLE, 3),
        deal.choice(PLACES),
        deal.choice(THINGS),
    )
    giver, receiver = (a, b) if i % 2 else (b, a)
    cases.append(
        {
            "a": a,
            "b": b,
            "place": place,
            "thing": thing,
            "giver": giver,
            "receiver": receiver,
            "third": third,
        }
    )
n, every = len(cases), torch.arange(len(cases))


def prompts(story, who="giver"):
    return torch.tensor(
        [tokens(story.format(**case | {"giver": case[who]})) for case in cases]
    )


def of(who):
    return torch.tensor([word(case[who])[0] for case in cases])


ids, flipped, third = prompts(STORY), prompts(STORY, "receiver"), prompts(STORY, "third")
RECEIVER, GIVER = of("receiver"), of("giver")
names = torch.tensor([word(person)[0] for person in PEOPLE])
LAST = -1
AGAIN = int((ids != flipped).any(0).nonzero())  # where the giver is named again
at_receiver, at_giver = (
    (ids[:, :AGAIN] == who[:, None]).int().argmax(1) for who in (RECEIVER, GIVER)
)


def difference(logits):
    """The receiver's logit less the giver's."""
    return logits[every, RECEIVER] - logits[every, GIVER]


def named(logits):
    """How often the receiver has the highest logit of all names."""
    return (names[logits[:, names].argmax(-1)] == RECEIVER).float().mean()


def run(ids):
    return model.model(ids, use_cache=False, logits_to_keep=1).logits[:, -1]


# %% [markdown]
# ## A case you can hold: “… John gave a drink to ▢”
#
# *When Mary and John went to the store, John gave a drink to* … SmolLM2 says *Mary* with probability
# {{ result("ioi.case_p", ".2f") }}. It must have noticed that John is the one who gives.
#
# We wrote {{ result("ioi.n_prompts", "d") }} such sentences, with {{ result("ioi.n_names", "d") }} names, the receiver named
# first in half of them. In {{ result("ioi.named_plain", ".0%") }} the receiver has the highest logit of all names. If a third
# person gives (*… Peter gave a drink to*), one of the two others is the top guess in {{ result("ioi.third_either", ".0%") }}, and
# the difference between them is {{ result("ioi.third_difference", ".1f") }}: then nothing tells them apart.
#
# This sentence is where the first circuit of a real language model was published
# ([Wang et al. 2022](https://arxiv.org/abs/2211.00593)). In GPT-2 small *name movers* look at the receiver and copy the name,
# other heads tell them whom not to look at, and *negative* heads write against the answer. We ask its questions here.

# %% tags=["setup"]
case = torch.tensor([tokens("When Mary and John went to the store, John gave a drink to")])
places = ["resid_pre", "resid_post", "z", "pattern", "logits"]
seen, other = (
    trace(model, ids, places),
    trace(model, flipped, ["resid_post", "z", "logits"]),
)
plain, wrong = (difference(run["logits"][:, -1]).mean() for run in (seen, other))
if model.n_layers < 4:
    raise ValueError(f"{NAME} has {model.n_layers} layers: two steps need four at least")
if named(seen["logits"][:, LAST]) < 0.5:
    raise ValueError(
        f"{NAME} names the receiver in {named(seen['logits'][:, LAST]):.0%} of {n} sentences: there is nothing to take apart"
    )
logits = run(third)
note(n_prompts=n, n_names=len(PEOPLE))
near(
    case_p=run(case).softmax(-1)[0, word("Mary")[0]],
    named_plain=named(seen["logits"][:, -1]),
    third_either=((logits.argmax(-1) == RECEIVER) | (logits.argmax(-1) == GIVER))
    .float()
    .mean(),
)
close(
    difference=plain,
    flipped_difference=wrong,
    third_difference=difference(logits).mean(),
    atol=0.1,
    unit="logits",
)

# %% [markdown]
# ## From the second John to the last word, in two steps
#
# {{ drawing("patch", alt="Two runs side by side. One activation of the first run is put into the second at the same layer and word.") }}
#
# The second story names the other one as giver: *… Mary gave a drink to*. We put the residual stream of one word, after one
# layer, from the first story into the second, and measure how much of the logit difference comes back.
#
# $$ \text{restored} = \frac{\Delta(\text{patched}) - \Delta(\text{second})}{\Delta(\text{first}) - \Delta(\text{second})} $$
#
# $$ \Delta = \text{logit}_{\text{Mary}} - \text{logit}_{\text{John}} $$
#
# $\Delta$ is the logit difference: {{ result("ioi.difference", ".1f") }} in the first story and
# {{ result("ioi.flipped_difference", ".1f") }} in the second, means over all sentences.

# %% tags=["setup"]
again_flipped = rerun(
    model, flipped, range(n), [ids.size(1) - 1] * n
)  # runs the last word alone


def restored(logits):
    return (difference(logits).mean() - wrong) / (plain - wrong)


# %% tags=["idea"]
def put(layer, word):
    """Logits of the second story with one word's stream after one layer from the first."""
    with replace(
        model, "resid_post", layer, seen["resid_post", layer][:, [word]], positions=[word]
    ):
        return again_flipped() if word == LAST else run(flipped)


# %% tags=["setup"]
LAYERS = sorted({0, model.n_layers // 4, *range(model.n_layers // 2, model.n_layers)})
at_last = torch.stack([restored(put(layer, LAST)) for layer in LAYERS])
steps = sorted(at_last[:-1].diff().topk(2).indices.tolist())
FIRST, SECOND = (LAYERS[step + 1] for step in steps)  # the layers in which it arrives
SOME = sorted(
    {0, model.n_layers // 2, FIRST - 1, FIRST, SECOND - 1, SECOND, model.n_layers - 1}
)
at_again = torch.stack([restored(put(layer, AGAIN)) for layer in SOME])
idle = restored(put(FIRST - 1, AGAIN + 1))
note(first_step=FIRST, second_step=SECOND)
near(
    last_before=at_last[LAYERS.index(FIRST) - 1],
    last_first=at_last[LAYERS.index(FIRST)],
    last_second=at_last[LAYERS.index(SECOND)],
    again_before=at_again[SOME.index(FIRST - 1)],
    again_first=at_again[SOME.index(FIRST)],
    again_second=at_again[SOME.index(SECOND)],
    idle=idle,
)

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=3.2)
ax.plot(SOME, 100 * at_again, color=ORANGE, marker="o", ms=4, label="second “John”")
ax.plot(LAYERS, 100 * at_last, color=BLUE, marker="s", ms=3, label="last word")
ax.plot([FIRST - 1], [100 * idle], color=plots.MUTED, marker="x", ms=6, ls="")
ax.text(FIRST - 1.4, 7, "control: “gave”", ha="right", color=plots.MUTED)
ax.set(xlabel="patched after layer", ylabel="restored (%)", ylim=(-6, 106))
plots.label_lines(ax)
figure(
    fig,
    name="moves",
    title="The answer reaches the last word in two steps",
    alt="Restored logit difference by layer. In SmolLM2, at the second John all of it up to layer 18, half after layer 20, nothing after "
    "layer 23. At the last word nothing up to layer 18, half after layer 20, nine tenths after layer 23.",
    caption="64 sentences. The control patches the word behind the second John.",
    rtol=0.05,
    because=DRAW,
)

# %% [markdown]
# Up to layer {{ result("ioi.first_step", "d") }} the second *John* holds all of it
# ({{ result("ioi.again_before", ".0%") }} before that layer). The last word gets {{ result("ioi.last_first", ".0%") }} in layer
# {{ result("ioi.first_step", "d") }} and has {{ result("ioi.last_second", ".0%") }} after layer {{ result("ioi.second_step", "d") }}.
# A patch at the word *gave* restores {{ result("ioi.idle", ".0%") }}.
#
# ## Your prediction
#
# Every head adds something to the last word's stream. Read along the direction from *John* to *Mary* in the unembedding, it is
# that head's direct contribution to the answer, in logits.

# %% tags=["setup"]
predict(
    "The twelve heads keep 80% of the difference in another story, all other heads replaced",
    0.6,
    kept_other="> 0.8",
)
predict(
    "Twelve heads drawn from the same layers keep under 30% of it, in the median of ten draws",
    0.85,
    kept_random="< 0.3",
)
predict(
    "Integrated gradients come within a third of the exact value for the head that attribution misjudges most",
    0.6,
    integrated_ratio="between 0.67 and 1.33",
)
predict(
    "The queries of the second step's layer take over half of what the first step's head does",
    0.5,
    into_queries="> 0.5",
)
ask(
    "One head contributes most to Mary over John. What does it do?",
    choices={
        "copy": "It looks at Mary and writes “Mary”",
        "push": "It looks at John and writes “not John”",
        "self": "It looks at the last word and makes the leading name louder",
    },
    answer="push",
    because={
        "copy": "That is GPT-2's published answer, and such heads exist here as well. They come second.",
        "push": "It looks at whoever gives and writes against that name, whoever it is.",
        "self": "The last layer has such a head. It is the second strongest, and needs a leader to amplify.",
    },
    figure="writers",
    pusher_looks="> 0.5",
    pusher_against="> 0.9",
)


# %% tags=["idea"]
def direct(layer):
    """What each head writes at the last word towards receiver over giver, in logits: (prompt, head)."""
    norm, stream = found.final_norm, seen["resid_post", -1][:, LAST]
    wrote = torch.einsum("nhe,hed->nhd", seen["z", layer][:, LAST], found.blocks[layer].w_o)
    scale = norm_scale(norm, stream)[:, None]  # as it was in this run
    wrote = normalize(norm, wrote, scale) - normalize(norm, torch.zeros_like(wrote), scale)
    towards = (found.w_u[:, RECEIVER] - found.w_u[:, GIVER]).T
    return (wrote * towards[:, None]).sum(-1)


# %% [markdown]
# ## The strongest head pushes the giver down

# %% tags=["setup"]
found = parts(model)
if found.blocks[0].writes != 1 or not isinstance(
    found.blocks[0].post_attn, torch.nn.Identity
):
    raise ValueError(
        f"{NAME} scales what its heads write: one head's share cannot be read off"
    )
shares = torch.stack(
    [direct(layer).mean(0) for layer in range(model.n_layers)]
)  # (layer, head)
look = seen.stack("pattern")[:, :, :, LAST]  # (layer, prompt, head, word)
looks = {
    "receiver": look[:, every, :, at_receiver].mean(0),
    "giver": look[..., AGAIN].mean(1) + look[:, every, :, at_giver].mean(0),
    "last word": look[..., LAST].mean(1),
    "first word": look[..., 0].mean(1),
}


def head_name(head):
    return "L{}H{}".format(*head)


def top_heads(values, count):
    return [divmod(int(k), model.n_heads) for k in values.flatten().topk(count).indices]


def writes(head, word):
    """What a head would write of one word's stream, centred, as logits of the names: (prompt, name)."""
    layer, h = head
    block = found.blocks[layer]
    value = block.norm_attn(seen["resid_pre", layer][every, word])
    out = value @ block.w_v[h * model.n_kv_heads // model.n_heads] @ block.w_o[h]
    read = normalize(found.final_norm, out, torch.tensor(1.0))
    return (read - read.mean(0)) @ found.w_u[:, names]


def first_of(head, word, who, sign=1):
    """How often the name that stands there is the one that the head writes most for (or against, sign -1)."""
    return (names[(sign * writes(head, word)).argmax(-1)] == who).float().mean()


strongest = top_heads(shares.abs(), 10)
pusher = top_heads(shares, 1)[0]
movers = [
    h
    for h in top_heads(shares, 12)
    if looks["receiver"][h] > 0.3 and first_of(h, at_receiver, RECEIVER) > 0.5
]
if not movers:
    raise ValueError(
        f"{NAME}: no head looks at the receiver and copies the name; there are no name movers to take away"
    )
negatives = top_heads(-shares, 2)
looker = max(negatives, key=lambda h: looks["receiver"][h])
again = torch.full((n,), AGAIN)
note(
    pusher_layer=pusher[0],
    pusher_head=pusher[1],
    n_movers=len(movers),
    negative_layer=looker[0],
    negative_head=looker[1],
)
near(
    pusher_direct=shares[pusher],
    movers_direct=sum(shares[h] for h in movers),
    negative_direct=shares[looker],
    atol=0.1,
    unit="logits",
)
near(
    pusher_looks=looks["giver"][pusher],
    pusher_against=first_of(pusher, again, GIVER, -1),
    pusher_against_receiver=first_of(pusher, at_receiver, RECEIVER, -1),
    negative_looks=looks["receiver"][looker],
    negative_against=first_of(looker, at_receiver, RECEIVER, -1),
    movers_copy=min(first_of(h, at_receiver, RECEIVER) for h in movers),
)
third_look = trace(model, third, ["pattern"], layers=[pusher[0]])["pattern", pusher[0]][
    :, pusher[1], LAST, AGAIN
].mean()
near(third_look=third_look)


# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=4.2)
order = sorted(strongest, key=lambda h: float(shares[h]))
for y, h in enumerate(order):
    where = max(looks, key=lambda who: looks[who][h])
    said = (
        f"looks at {where} {looks[where][h]:.0%}"
        if looks[where][h] > 0.3
        else "looks nowhere much"
    )
    bar = ax.barh(
        y,
        float(shares[h]),
        height=0.62,
        color={"receiver": BLUE, "giver": ORANGE}.get(where, plots.MUTED),
    )
    x = max(float(shares[h]), 0) + 0.06
    ax.text(x, y, said, va="center", fontsize=9.5)
    if h == pusher:
        bar[0].set_gid("choice-push")
rest = shares.abs().flatten().sort().values[: -len(strongest)].mean()
ax.axvspan(-float(rest), float(rest), color=plots.GRID, zorder=0)
ax.axvline(0, color=plots.MUTED, lw=0.8)
ax.set_yticks(range(len(order)), [head_name(h) for h in order])
ax.set(
    xlabel="direct contribution to receiver over giver (logits)",
    xlim=(min(-1.3, 1.2 * float(shares.min())), max(4.4, 1.9 * float(shares.max()))),
)
ax.grid(visible=False)
figure(
    fig,
    name="writers",
    title="The strongest head looks at the giver; those that look at the receiver come second",
    alt="Direct contributions of the ten strongest heads in logits. In SmolLM2 one head of layer 23 that looks at the giver adds over two; "
    "a head of the last layer that looks at the last word adds over one; four heads of layer 23 that look at the receiver add a "
    "third to four fifths each. Two heads take about one logit away; one of them looks at the receiver.",
    caption="Means over 64 sentences. The grey band is the mean size of all other heads.",
    rtol=0.06,
    because=DRAW,
)

# %% [markdown]
# Head L{{ result("ioi.pusher_layer", "d") }}H{{ result("ioi.pusher_head", "d") }} contributes
# {{ result("ioi.pusher_direct", ".1f") }} logits. It gives {{ result("ioi.pusher_looks", ".0%") }} of its attention to the giver.
#
# What would it write of the giver's stream? In {{ result("ioi.pusher_against", ".0%") }} of the sentences its output speaks
# against that very name more than against any other of the {{ result("ioi.n_names", "d") }}. Given the receiver's stream, it
# writes against the receiver in the same way. Such a *copy-suppression* head is known from GPT-2, where it looks at the
# receiver and so hurts ([McDougall et al. 2023](https://arxiv.org/abs/2310.04625)). This one looks the other way, and it is
# the circuit's strongest part.
#
# Name movers are here as well, {{ result("ioi.n_movers", "d") }} of them, nearly all in the same layer. Together they contribute
# {{ result("ioi.movers_direct", ".1f") }}, and each would write the receiver's name before all others in
# {{ result("ioi.movers_copy", ".0%") }} of the sentences or more. A negative head, L{{ result("ioi.negative_layer", "d") }}H{{ result("ioi.negative_head", "d") }}, looks at the receiver
# ({{ result("ioi.negative_looks", ".0%") }}) and takes {{ result("ioi.negative_direct", ".1f") }}.
#
# ## What a part is worth depends on what you count
#
# Now take parts away: at the last word, each head's output becomes its mean over the sentences.


# %% tags=["idea"]
def without(heads, again, z):
    """Logits when these heads say the same for all sentences at the last word."""
    with ExitStack() as held:
        for layer, head in heads:
            mean = z[layer][:, -1, head].mean(0)  # over sentences: (d_head)
            held.enter_context(
                replace(model, "z", layer, mean, heads=[head], positions=[-1])
            )
        return again()


# %% tags=["setup"]
z = [seen["z", layer] for layer in range(model.n_layers)]
again_plain = rerun(model, ids, range(n), [ids.size(1) - 1] * n)
draw = torch.Generator().manual_seed(0)
late = [
    (layer, head)
    for layer in range(max(FIRST - 2, 0), model.n_layers)
    for head in range(model.n_heads)
]


def drawn(count):
    return [
        [late[int(k)] for k in torch.randperm(len(late), generator=draw)[:count]]
        for _ in range(10)
    ]


taken = {
    "nothing": [],
    "the pusher": [pusher],
    "the name movers": movers,
    "both": [pusher, *movers],
    "the negative head": [looker],
}
outcome = {name: without(heads, again_plain, z) for name, heads in taken.items()}
by_chance = [without(heads, again_plain, z) for heads in drawn(1 + len(movers))]
outcome["as many at random"] = sorted(
    by_chance, key=lambda logits: float(difference(logits).mean())
)[5]
for key, name in zip(
    ("pusher", "movers", "both", "negative", "random"), list(outcome)[1:], strict=True
):
    near(**{f"without_{key}": difference(outcome[name]).mean()}, atol=0.12, unit="logits")
    near(**{f"named_without_{key}": named(outcome[name])})

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.0, sharey=True)
labels = list(reversed(outcome))
for ax, measure, unit in (
    (left, lambda x: float(difference(x).mean()), "logit difference"),
    (right, lambda x: 100 * float(named(x)), "receiver named (%)"),
):
    values = [measure(outcome[name]) for name in labels]
    ax.barh(
        range(len(labels)),
        values,
        height=0.6,
        color=[
            plots.GRID if name in ("nothing", "as many at random") else BLUE
            for name in labels
        ],
    )
    for y, value in enumerate(values):
        ax.text(value, y, f" {value:.1f}" if ax is left else f" {value:.0f}", va="center")
    ax.set(xlabel=unit, xlim=(0, 1.22 * max(values)))
    ax.grid(visible=False)
left.set_yticks(range(len(labels)), labels)
figure(
    fig,
    name="taken",
    title="Without the name movers the difference stays, and the name goes",
    alt="Left, the logit difference; right, how often the receiver is named, with parts taken away. In SmolLM2, without the pusher the difference "
    "nearly halves and the receiver is named as often as before. Without the name movers the difference hardly moves and the receiver "
    "is named less often. As many random heads change little.",
    caption="Heads replaced by their mean at the last word. Grey: nothing taken, and the median of ten draws of as many late heads.",
    data={
        "difference": [float(difference(x).mean()) for x in outcome.values()],
        "named": [float(named(x)) for x in outcome.values()],
    },
    rtol=0.06,
    because=DRAW,
)

# %% [markdown]
# Without the pusher the difference falls to {{ result("ioi.without_pusher", ".1f") }}, and the receiver is still named in
# {{ result("ioi.named_without_pusher", ".0%") }}: *Mary* was ahead of *John* anyway. Without the name movers it is the other way
# round. The difference hardly moves ({{ result("ioi.without_movers", ".1f") }}), and the receiver is named in only
# {{ result("ioi.named_without_movers", ".0%") }}: both names have lost against the other thirty. The negative head is the reverse of
# the movers: without it, both measures rise.
#
# The logit difference is the field's usual metric for this sentence. It asks *Mary or John?*, never *who?*, so it ranks a head that
# removes John above all heads that bring Mary.
#
# ```exercise
# title: Ask who, not which of two
# minutes: 3
# code: |
#   names = torch.tensor([...])  # the ids of 32 names
#   receiver = ...               # the right id of each prompt
#   best = logits[:, names].▢
#   share = (names[best] == receiver).float().mean()
# right: ["argmax(-1)", "argmax(1)", "argmax(dim=-1)", "argmax(dim=1)"]
# praise: One choice of 32 for each prompt. Chance is 3%.
# wrong:
#   "argmax()": This flattens all prompts into one list. Over which axis are the names?
#   "argmax(0)": This chooses a prompt for each name.
#   "max(-1)": This gives values and indices together. You need the indices.
# otherwise: "For each prompt, the position in `names` with the highest logit."
# solution: "`logits[:, names].argmax(-1)`: the names are the last axis."
# ```
#
# ## Someone has to notice that John came twice
#
# In the published circuit *duplicate token* and *induction* heads notice at the second *John* that there was a first. We cut what
# the second *John* may look at, in all layers: the first *John*, the word behind it, both; as a control, the words *to the*.

# %% tags=["setup"]
order = at_giver.unique().tolist()


def blinded(offsets):
    """Logits when the second mention of the giver may not look at the first (offset 0), or the word behind it (1)."""
    logits = torch.zeros_like(seen["logits"][:, -1])
    for place in order:
        rows = (at_giver == place).nonzero()[:, 0]
        with cut_edges(model, None, edges=[(AGAIN, place + offset) for offset in offsets]):
            logits[rows] = run(ids[rows])
    return logits


with cut_edges(model, None, edges=[(AGAIN, AGAIN - 4), (AGAIN, AGAIN - 3)]):
    control = run(ids)
cuts = {
    "cut_first": blinded([0]),
    "cut_behind": blinded([1]),
    "cut_both": blinded([0, 1]),
    "cut_control": control,
}
close(
    **{name: difference(logits).mean() for name, logits in cuts.items()},
    atol=0.1,
    unit="logits",
)
near(named_cut_both=named(cuts["cut_both"]))


def exact(word, count, layers=None):
    """What each head's output at one word restores in some sentences: (sentence, layer, head)."""
    rows = []
    for i in range(count):
        metric = logit_difference(model, int(RECEIVER[i]), int(GIVER[i]))
        both = ids[[i]], flipped[[i]]
        each = ("layer", "head", "position")
        rows.append(
            sweep(
                model,
                *both,
                metric,
                "z",
                each=each,
                positions=[word],
                layers=layers,
                progress=False,
            ).restored[..., 0]
        )
    return torch.stack(rows)


noticing = exact(AGAIN, 6, range(FIRST)).mean(0)
notices = top_heads(noticing, 2)
behind = seen["pattern", notices[0][0]][every, notices[0][1], AGAIN, at_giver + 1].mean()
note(notices_layer=notices[0][0], notices_head=notices[0][1])
near(notices=noticing[notices[0]], notices_next=noticing[notices[1]], notices_looks=behind)

# %% [markdown]
# Without a look at either, the difference falls from {{ result("ioi.difference", ".1f") }} to
# {{ result("ioi.cut_both", ".1f") }}. Each look alone leaves about half or more ({{ result("ioi.cut_first", ".1f") }} without the first *John*,
# {{ result("ioi.cut_behind", ".1f") }} without the word behind it), and the control leaves all ({{ result("ioi.cut_control", ".1f") }}).
#
# One head stands out in exact patches at the second *John*: L{{ result("ioi.notices_layer", "d") }}H{{ result("ioi.notices_head", "d") }}
# restores {{ result("ioi.notices", ".0%") }}, the next {{ result("ioi.notices_next", ".0%") }}. It looks at the word behind the first
# *John* ({{ result("ioi.notices_looks", ".0%") }}), so it is an induction head; [the next lab](43_induction.md) takes it away.
#
# ## A gradient misses the head that only gives directions
#
# Exact patches cost a run each. *Attribution patching* estimates all of them from one gradient, and *integrated gradients* from a few
# gradients on the way between the two stories. We compare them over all heads at the last word.

# %% tags=["setup"]
PAIRS = 12
by_pair = exact(LAST, PAIRS)
heads = by_pair.mean(0)


def estimated(count, steps=None):
    rows = []
    for i in range(count):
        metric = logit_difference(model, int(RECEIVER[i]), int(GIVER[i]))
        scores = attribution_patching(
            model, ids[[i]], flipped[[i]], metric, ["z"], steps=steps
        )["z"][:, LAST]
        rows.append(
            scores
            / (difference(seen["logits"][:, -1])[i] - difference(other["logits"][:, -1])[i])
        )
    return torch.stack(rows).mean(0).detach()


attribution, integrated = estimated(PAIRS), estimated(PAIRS, 5)
misjudged = top_heads((heads - attribution).abs(), 1)[0]
circuit = top_heads(heads.abs(), 12)
note(misjudged_layer=misjudged[0], misjudged_head=misjudged[1])
near(
    exact_misjudged=heads[misjudged],
    attribution_misjudged=attribution[misjudged],
    integrated_misjudged=integrated[misjudged],
    misjudged_looks=looks["giver"][misjudged],
    correlation=torch.corrcoef(torch.stack([heads.flatten(), attribution.flatten()]))[0, 1],
    correlation_integrated=torch.corrcoef(
        torch.stack([heads.flatten(), integrated.flatten()])
    )[0, 1],
)
near(misjudged_direct=shares[misjudged], atol=0.05, unit="logits")
near(integrated_ratio=integrated[misjudged] / heads[misjudged], atol=0.1)
print("restored by each of the twelve strongest heads")
for three in range(0, 12, 3):
    row = [f"{head_name(h):6} {heads[h]:4.0%}" for h in circuit[three : three + 3]]
    print("   ".join(row))

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=3.6)
ax.axline((0, 0), slope=1, color=plots.MUTED, lw=1, ls="--")
ax.plot(
    100 * heads.flatten(), 100 * attribution.flatten(), "o", color=ORANGE, ms=4, alpha=0.7
)
ax.plot(
    100 * heads.flatten(), 100 * integrated.flatten(), "s", color=BLUE, ms=3.5, alpha=0.7
)
x = 100 * float(heads[misjudged])
ax.text(
    x + 1,
    100 * float(attribution[misjudged]),
    f"{head_name(misjudged)}, attribution",
    va="center",
    color=ORANGE,
)
ax.text(
    x + 1,
    100 * float(integrated[misjudged]) - 1,
    "integrated gradients",
    va="center",
    color=BLUE,
)
ax.set(xlabel="exact patch (% restored)", ylabel="estimate (%)")
reach = 100 * float(heads.abs().max())
ax.set_xlim(min(-38, -1.05 * reach), max(62, 1.6 * reach))
figure(
    fig,
    name="estimates",
    title="The gradient finds all strong heads but one",
    alt="Estimates against exact patches of all heads. In SmolLM2 nearly all lie on the diagonal. One head restores a third exactly and a tenth by "
    "attribution; integrated gradients come closer.",
    caption="Heads at the last word, means over 12 pairs of stories. Dashed: estimate equals exact value.",
    rtol=0.08,
    because=DRAW,
)

# %% [markdown]
# Over the 270 heads attribution correlates with the exact values at {{ result("ioi.correlation", ".2f") }}. It misjudges one: head
# L{{ result("ioi.misjudged_layer", "d") }}H{{ result("ioi.misjudged_head", "d") }} restores
# {{ result("ioi.exact_misjudged", ".0%") }}, and the gradient says {{ result("ioi.attribution_misjudged", ".0%") }}. Integrated
# gradients say {{ result("ioi.integrated_misjudged", ".0%") }}.
#
# That head is the first step. It looks at the giver ({{ result("ioi.misjudged_looks", ".0%") }}) and contributes next to nothing directly
# ({{ result("ioi.misjudged_direct", ".2f") }} logits): it only tells later heads. *Path patching* asks whom: we change what one later part
# reads from this head, and nothing else.


# %% tags=["idea"]
def told(i, sender, receivers):
    """What comes back if single later parts read the sender's output of the first story, in the second."""
    metric = logit_difference(model, int(RECEIVER[i]), int(GIVER[i]))
    return path_patching(
        model, ids[[i]], flipped[[i]], metric, [sender], receivers
    ).restored[0]


# %% tags=["setup"]
sender = f"{misjudged[0]}.{misjudged[1]}"
receivers = [
    f"{layer}.{head}.q"
    for layer in range(misjudged[0] + 1, min(misjudged[0] + 6, model.n_layers))
    for head in range(model.n_heads)
]
side_by_side = found.blocks[0].parallel  # then an MLP does not read its own layer's heads
receivers += [f"mlp{layer}" for layer in range(misjudged[0] + side_by_side, model.n_layers)]
receivers.append("logits")
paths = torch.stack([told(i, sender, receivers) for i in range(6)]).mean(0)
queries = sum(
    float(p) for p, r in zip(paths, receivers, strict=True) if r.startswith(f"{SECOND}.")
)
mlps = sum(float(p) for p, r in zip(paths, receivers, strict=True) if r.startswith("mlp"))
near(
    into_queries=queries / float(by_pair[:6].mean(0)[misjudged]),
    into_mlps=mlps / float(by_pair[:6].mean(0)[misjudged]),
    atol=0.06,
)
print("restored along one path, ten largest")
for k in paths.abs().topk(min(10, len(paths))).indices.tolist():
    layer, _, head = receivers[k].removesuffix(".q").partition(".")
    name = f"queries of L{layer}H{head}" if head else layer.replace("mlp", "MLP ")
    print(f"{name:17} {paths[k]:+6.1%}")

# %% [markdown]
# The queries of layer {{ result("ioi.second_step", "d") }} take {{ result("ioi.into_queries", ".0%") }} of its effect, one path at a
# time; MLPs work against it ({{ result("ioi.into_mlps", ".0%") }}). The layer's name movers learn from it whom not to look at. In the
# published circuit such heads are called *S-inhibition heads*.
#
# ## Twelve heads are nearly enough, in another story too
#
# The published circuit passed a test: take everything else away. We keep the twelve heads that restore most at the last word, and
# replace all others of the late layers by their mean; then we do the same in a story with other words.

# %% tags=["setup"]
ids_other = prompts(OTHER_STORY)
other_z = trace(model, ids_other, ["z", "logits"])
again_other = rerun(model, ids_other, range(n), [ids_other.size(1) - 1] * n)
z_other = [other_z["z", layer] for layer in range(model.n_layers)]


def kept(heads, again=again_plain, z=z):
    return without([head for head in late if head not in heads], again, z)


full = difference(other_z["logits"][:, -1]).mean()
alone, alone_other = kept(circuit), kept(circuit, again_other, z_other)
random_kept = sorted(
    float(difference(kept(heads)).mean() / plain) for heads in drawn(len(circuit))
)
broken = without(circuit, again_plain, z)
near(
    kept=difference(alone).mean() / plain,
    kept_named=named(alone),
    kept_other=difference(alone_other).mean() / full,
    kept_other_named=named(alone_other),
    named_other=named(other_z["logits"][:, -1]),
    kept_random=(random_kept[4] + random_kept[5]) / 2,
    broken=difference(broken).mean() / plain,
    named_broken=named(broken),
    atol=0.06,
)

# %% [markdown]
# The twelve alone keep {{ result("ioi.kept", ".0%") }} of the difference and name the receiver in
# {{ result("ioi.kept_named", ".0%") }}. Twelve drawn from the same layers keep {{ result("ioi.kept_random", ".0%") }} (median of ten
# draws). In the other story, *Then Mary and John had lunch …*, the twelve keep {{ result("ioi.kept_other", ".0%") }} and name
# {{ result("ioi.kept_other_named", ".0%") }}, where the whole model names {{ result("ioi.named_other", ".0%") }}.
#
# Without the twelve {{ result("ioi.broken", ".0%") }} of the difference is left.
#
# ## What surprised us
#
# **A head that should hurt helps.** In GPT-2 copy suppression costs logits on this sentence. Here the same kind of head looks
# at the giver. Taken away, it costs more of the logit difference than all name movers together.
#
# **It does not wait for a repetition.** If a third person gives, the pusher looks at that person all the same
# ({{ result("ioi.third_look", ".0%") }}). It seems to push down whoever just acted.
#
# **What failed.** Our first map of heads restored the answer at *all* words from the second *John* on, not at the last word alone: we
# had named positions and left them out of what gets a run of its own. An induction head that looks at nothing from the last word
# stood third on the list. A sweep now refuses such a call.
#
# ## Try it
#
# **Whom does it push?** (10 minutes). Replace the pusher's attention by a look at the receiver alone. Who is named?
#
# ??? tip "Hint"
#     `replace(model, "pattern", layer, value, heads=[head])` with a pattern whose last row is 1 at the receiver.

# %% tags=["solution"]
pattern = seen["pattern", pusher[0]][:, [pusher[1]]].clone()
pattern[:, :, LAST] = 0
pattern[every, :, LAST, at_receiver] = 1
with replace(model, "pattern", pusher[0], pattern, heads=[pusher[1]]):
    turned = run(ids)
if looks["giver"][pusher] > 0.5:  # the strongest head looks at the giver here, too
    assert difference(turned).mean() < plain - float(shares[pusher]), (
        f"{difference(turned).mean():.1f}: did the last row change?"
    )
close(turned=difference(turned).mean(), atol=0.1, unit="logits")
near(named_turned=named(turned))

# %% [markdown]
# The difference falls to {{ result("ioi.turned", ".1f") }}: the head now writes against the receiver, who is still named in
# {{ result("ioi.named_turned", ".0%") }}.
#
# ## You can now
#
# - follow an answer from word to word with patches, and say in which layer it arrives;
# - tell heads that bring a name from heads that remove its rival, and choose a metric that sees both;
# - say when an estimate from a gradient must be checked by an exact patch.
#
# ## What this does not show
#
# - One model, one kind of sentence, names of one token. The second story has the same order of events.
# - MLPs stay as they are in all our tests of the circuit. They contribute as well.
# - Direct contributions depend on the final norm's scale, which we held fixed.
#
# ## Going deeper
#
# Change `NAME` at the top, and the same code asks another model: it finds that model's own steps and heads, or stops and says what the
# model lacks. Our predictions are about SmolLM2. [GPT-2](46_gpt2.md) has a page of its own.
#
# - Finding: [SmolLM2's strongest head for the receiver pushes the giver down](../findings/ioi-pushes-the-giver.md)
# - Dead end: [Ranking heads by the logit difference](../dead-ends/ioi-logit-difference.md)
# - Question: [Does GPT-2 push the giver down as well?](../questions/ioi-who-brings-both.md)
# - Surprise: [The copying score takes the suppressor for a copier](../surprises/induction-copying-score.md)
# - Wang et al. (2022), [Interpretability in the wild](https://arxiv.org/abs/2211.00593)
# - McDougall et al. (2023), [Copy suppression](https://arxiv.org/abs/2310.04625)
# - Hanna et al. (2024), [Have Faith in Faithfulness](https://arxiv.org/abs/2403.17806): integrated gradients for circuits

# %% tags=["setup"]
in_words(
    n_prompts="Sentences",
    n_names="Names",
    case_p="Probability of Mary",
    named_plain="Receiver named, nothing changed",
    difference="Logit difference, receiver less giver",
    flipped_difference="The same when the receiver gives",
    third_difference="The same when a third person gives",
    third_either="Third person gives: the top guess is one of the two others",
    first_step="Layer of the first step to the last word",
    second_step="Layer of the second step",
    last_before="Restored at the last word before the first step",
    last_first="Restored at the last word after the first step",
    last_second="Restored at the last word after the second step",
    again_before="Restored at the second mention of the giver before the first step",
    again_first="The same after the first step",
    again_second="The same after the second step",
    idle="Control: restored at the word behind it",
    pusher_layer="Layer of the strongest head",
    pusher_head="Its number",
    n_movers="Name movers",
    negative_layer="Layer of the negative head that looks at the receiver",
    negative_head="Its number",
    pusher_direct="Direct contribution of the pusher",
    movers_direct="Direct contribution of the name movers together",
    negative_direct="Direct contribution of the negative head",
    pusher_looks="Pusher's attention to the giver",
    pusher_against="Pusher writes most against the giver, given the giver's stream",
    pusher_against_receiver="Pusher writes most against the receiver, given the receiver's stream",
    negative_looks="Negative head's attention to the receiver",
    negative_against="Negative head writes most against the receiver",
    movers_copy="Name movers write the receiver most, lowest of them",
    third_look="Pusher's attention to a third person who gives",
    without_pusher="Difference without the pusher",
    without_movers="Difference without the name movers",
    without_both="Difference without both",
    without_negative="Difference without the negative head",
    without_random="Difference without as many random late heads, median of ten draws",
    named_without_pusher="Receiver named without the pusher",
    named_without_movers="Receiver named without the name movers",
    named_without_both="Receiver named without both",
    named_without_negative="Receiver named without the negative head",
    named_without_random="Receiver named without as many random late heads",
    cut_first="Difference if the second mention may not look at the first",
    cut_behind="The same for the word behind the first",
    cut_both="The same for both",
    cut_control="Control: the same for two other words",
    named_cut_both="Receiver named if it may look at neither",
    notices_layer="Layer of the head that notices the repetition",
    notices_head="Its number",
    notices="What it restores at the second mention",
    notices_next="What the next head restores there",
    notices_looks="Its attention to the word behind the first mention",
    misjudged_layer="Layer of the head that attribution misjudges most",
    misjudged_head="Its number",
    exact_misjudged="What it restores, exactly",
    attribution_misjudged="The same by attribution",
    integrated_misjudged="The same by integrated gradients",
    integrated_ratio="Integrated gradients over the exact value, for this head",
    misjudged_looks="Its attention to the giver",
    misjudged_direct="Its direct contribution",
    correlation="Correlation of attribution with exact values",
    correlation_integrated="Correlation of integrated gradients with exact values",
    into_queries="Share of its effect that goes into queries of the second step's layer",
    into_mlps="Share that goes into MLPs",
    kept="Share of the difference that twelve heads keep",
    kept_named="Receiver named by the twelve heads",
    kept_other="Share kept in another story",
    kept_other_named="Receiver named by the twelve in another story",
    named_other="Receiver named by the whole model in another story",
    kept_random="Share that twelve random late heads keep, median of ten draws",
    broken="Share left without the twelve",
    named_broken="Receiver named without the twelve",
    turned="Difference when the pusher looks at the receiver",
    named_turned="Receiver named then",
)
