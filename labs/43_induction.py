# ---
# title: Heads that copy, and heads that back them up
# question: Which heads of a real model repeat what came before, and what happens when they are taken away?
# answer: >-
#   {{ result("induction.n_above", "d") }} of 270 heads look where an induction head looks more than any head does by chance; without
#   the ten strongest the repeated token is found in {{ result("induction.found_10", ".0%") }} of the cases, with all in
#   {{ result("induction.found", ".0%") }}.
# level: intermediate
# models: [smollm2]
# needs: [21_heads, 25_circuit, smollm2]
# tags: [induction, attention heads, ablation, self-repair, copying score]
# chapter: In the wild
# thumbnail: taken
# timeout: 1200
# ---

# %% tags=["setup"]
from contextlib import ExitStack

import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, note, plots, predict, within
from llmnotes.methods import copying, looking, repeated_tokens
from llmnotes.model import add, norm_scale, normalize, parts, replace, rerun, trace

BLUE, ORANGE, *_ = plots.COLOURS
torch.set_grad_enabled(False)  # nothing is trained here
NAME = "smollm2"  # or "gpt2", "EleutherAI/pythia-160m", "Qwen/Qwen2.5-0.5B": nothing below is SmolLM2's own
model = llmnotes.load(NAME)
found = parts(model)
if found.blocks[0].writes != 1 or not isinstance(
    found.blocks[0].post_attn, torch.nn.Identity
):
    raise ValueError(
        f"{NAME} scales what its heads write: one head's share cannot be read off"
    )
DRAW = "sums in another order, near ties, and means over some hundred tokens"
near, close = within(atol=0.04, because=DRAW), within(rtol=0.05, atol=0.02, because=DRAW)

ROWS, HALF = 64, 16
ids = repeated_tokens(model, batch=ROWS, length=HALF, seed=0)
fresh = repeated_tokens(model, batch=ROWS, length=2 * HALF, seed=1)[
    :, : 2 * HALF
]  # nothing comes twice
if float((ids[:, :HALF] == ids[:, :1]).float().sum(1).mean()) > 1.1:
    raise ValueError(
        f"{NAME}: its vocabulary of {model.vocab_size} is so small that random tokens repeat by themselves"
    )

# Two words of each row's second half that have to say what came next the first time.
draw = torch.Generator().manual_seed(0)
rows = torch.arange(ROWS).repeat(2)
words = torch.cat(
    [
        torch.randint(HALF, HALF + HALF // 2, (ROWS,), generator=draw),
        torch.randint(HALF + HALF // 2, 2 * HALF - 1, (ROWS,), generator=draw),
    ]
)
TARGET = ids[rows, words + 1]
again = rerun(model, ids, rows, words)


def loss(logits):
    """Nats of the token that came next the first time."""
    return -logits.log_softmax(-1).gather(-1, TARGET[:, None]).mean()


def share(logits):
    """How often that token is the top guess, of all tokens."""
    return (logits.argmax(-1) == TARGET).float().mean()


# %% [markdown]
# ## A case you can hold: sixteen tokens, and the same again
#
# Take sixteen tokens at random, a text without any sense, and write them down a second time. In the first half nobody can know
# what comes: SmolLM2 loses {{ result("induction.loss_first", ".1f") }} nats a token, more than guessing
# ({{ result("induction.loss_guess", ".1f") }}), since it expects language. In the second half the loss is
# {{ result("induction.loss", ".1f") }} nats, and in {{ result("induction.found", ".0%") }} of the cases the right token is its top guess
# among {{ result("induction.vocabulary", ",d") }}.
#
# No one can have learned these texts. The model must look back, find where the present token stood before, and copy what came
# next. An *induction head* does that.

# %% tags=["setup"]
seen = trace(model, ids, ["z", "pattern", "resid_post", "logits"])
first_half = seen["logits"][:, : HALF - 1].log_softmax(-1).gather(-1, ids[:, 1:HALF, None])
logits_plain = seen["logits"][rows, words]
if share(logits_plain) < 0.1:
    raise ValueError(
        f"{NAME} finds {share(logits_plain):.0%} of {len(rows)} repeated tokens: there are no copying heads to take away"
    )
note(vocabulary=model.vocab_size, n_words=len(rows))
close(
    loss_first=-first_half.mean(),
    loss_guess=torch.tensor(float(model.vocab_size)).log(),
    loss=loss(logits_plain),
    unit="nats",
)
near(found=share(logits_plain))

# %% [markdown]
# ## Some heads look one past the last time
#
# {{ drawing("one-head", alt="One attention head: a query is compared with the keys of earlier words, and the value of the best match is passed on.") }}
#
# $$ s_h = \frac{1}{N} \sum_{i} A^h_{i,\; i - 15} $$
#
# $A^h_{i,j}$ is the attention that head $h$ pays at token $i$ to token $j$. With sixteen tokens repeated, token $i-16$ is the earlier copy of
# token $i$, and token $i-15$ is the one that followed it. A head that spreads its attention evenly gets
# {{ result("induction.chance", ".3f") }}. That is no fair chance level: some heads look 15 tokens back whatever stands there. So we also take
# texts in which nothing repeats, and see what the highest of the 270 heads gets there.

# %% tags=["setup"]
score = looking(model, ids)["induction"]
query = torch.arange(HALF, 2 * HALF)
unrepeated = (
    trace(model, fresh, ["pattern"])
    .stack("pattern")[:, :, :, query, query - HALF + 1]
    .mean((1, 3))
)  # (layer, head)
if len(score.values.flatten()) < 20:
    raise ValueError(
        f"{NAME} has {len(score.values.flatten())} heads in all, and 20 are needed to take so many away"
    )
above = score.values > max(float(unrepeated.max()), score.chance)
order = [(layer, head) for layer, head, _ in score.top(len(score.values.flatten()))]
if above.sum() < 6:
    raise ValueError(
        f"{NAME}: {int(above.sum())} of {len(order)} heads look where an induction head looks more than any head does by chance, and six "
        "are needed to take some away and keep others"
    )
note(n_above=int(above.sum()), because="heads near the line", atol=2)
near(
    chance=score.chance,
    null=unrepeated.max(),
    best=score.values.max(),
    fifth=score.values[order[4]],
    tenth=score.values[order[9]],
    atol=0.02,
)
note(best_layer=order[0][0], best_head=order[0][1])


def head_name(head):
    return "L{}H{}".format(*head)


# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=3.2)
for layer in range(model.n_layers):
    ax.plot(
        [layer] * model.n_heads, 100 * score.values[layer], "o", color=BLUE, ms=4, alpha=0.7
    )
    ax.plot(
        [layer] * model.n_heads,
        100 * unrepeated[layer],
        "x",
        color=plots.MUTED,
        ms=3,
        alpha=0.6,
    )
ax.axhline(100 * float(unrepeated.max()), color=plots.MUTED, ls="--", lw=1)
ax.text(
    0,
    100 * float(unrepeated.max()) + 1.5,
    "highest head where nothing repeats",
    color=plots.MUTED,
)
for layer, head in order[:2]:
    ax.text(
        layer + 0.4,
        100 * float(score.values[layer, head]),
        head_name((layer, head)),
        va="center",
        fontsize=9.5,
    )
ax.set(xlabel="layer", ylabel="attention one past the last time (%)", ylim=(-3, 100))
figure(
    fig,
    name="heads",
    title="Induction heads stand in the upper half of the model",
    alt="Induction score of all heads by layer. In SmolLM2 about a dozen dots in layers 17 to 24 stand far above all others, the highest near "
    "90%. Crosses, the same heads where nothing repeats, stay near the bottom.",
    caption="64 texts of 16 random tokens, repeated. Crosses: the same measure in 64 texts without repetition.",
    rtol=0.05,
    because=DRAW,
)

# %% [markdown]
# {{ result("induction.n_above", "d") }} heads look there more than a head that spreads its attention evenly, and more than any head does
# where nothing repeats ({{ result("induction.null", ".3f") }}). The best gives {{ result("induction.best", ".0%") }} of its attention to the right token, the tenth still
# {{ result("induction.tenth", ".0%") }}.
#
# ## Your prediction
#
# Looking is not doing. We take heads away at the word that has to answer, the strongest first: each says what it says on average over
# all texts.

# %% tags=["setup"]
predict(
    "Ten random heads of the same layers leave nine tenths of what was found, in the worst of ten draws",
    0.6,
    random_10="> 0.9",
)
predict(
    "Copying scores of the ten strongest induction heads, centred, are all above every permuted one",
    0.5,
    copy_above="== 10",
)
predict(
    "Later heads and MLPs make up for over a fifth of what the strongest writer's removal takes directly",
    0.55,
    repaired="> 0.2",
)
predict(
    "A random change of the same size is made up for by under 5%",
    0.7,
    repaired_random="< 0.05",
)
ask(
    "One induction head is taken away, then five, then ten of 270. How often is the token still found?",
    choices={
        "first": "It goes with the first: the best head does the work",
        "gradual": "One costs little, five cost most of it, ten all of it",
        "never": "It hardly moves: other heads take over each time",
    },
    answer="gradual",
    because={
        "first": "The best looker gives nearly all of its attention to the right token. Others do the same beside it.",
        "gradual": "Several heads do the same work, so one can go. They are few, so ten cannot.",
        "never": "Backup exists, and it is worth less than what the heads themselves do.",
    },
    figure="taken",
    kept_1="> 0.5",
    kept_10="< 0.2",
)


# %% tags=["idea"]
def usual(layer, head):
    """What a head writes on average over the words that have to answer: (d_head)."""
    return seen["z", layer][rows, words, head].mean(0)


def without(heads, place="logits", layer=None):
    """What passes a place at these words when some heads say the same for all texts there."""
    with ExitStack() as held:
        for at, head in heads:
            held.enter_context(replace(model, "z", at, usual(at, head), heads=[head]))
        return again(place, layer)


# %% [markdown]
# ## One can go, ten cannot

# %% tags=["setup"]
COUNTS = [count for count in (0, 1, 2, 3, 5, 10, 20, 40) if count <= len(order)]
curve = [without(order[:count]) for count in COUNTS]
late = [
    (layer, head)
    for layer in range(max(order[0][0] - 2, 0), min(order[0][0] + 8, model.n_layers))
    for head in range(model.n_heads)
]
if len(late) < 40:  # a small model: of all its heads
    late = order


def drawn(count):
    return [late[int(k)] for k in torch.randperm(len(late), generator=draw)[:count]]


RANDOM = [1, 5, 10, 20]
random_curve = {
    count: [share(without(drawn(count))) for _ in range(10)] for count in RANDOM
}
kept = [float(share(logits) / share(logits_plain)) for logits in curve]
near(**{f"kept_{count}": kept[COUNTS.index(count)] for count in RANDOM})
near(
    found_1=share(curve[1]),
    found_5=share(curve[COUNTS.index(5)]),
    found_10=share(curve[COUNTS.index(10)]),
)
close(
    loss_1=loss(curve[1]),
    loss_5=loss(curve[COUNTS.index(5)]),
    loss_10=loss(curve[COUNTS.index(10)]),
    unit="nats",
)
near(
    random_10=min(random_curve[10]) / share(logits_plain),
    random_10_median=torch.stack(random_curve[10]).median() / share(logits_plain),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=3.2)
(line,) = ax.plot(
    COUNTS,
    [100 * float(share(x)) for x in curve],
    color=BLUE,
    marker="o",
    ms=4,
    label="strongest induction heads",
)
line.set_gid("choice-gradual")
ax.plot(
    RANDOM,
    [100 * float(torch.stack(random_curve[c]).median()) for c in RANDOM],
    color=plots.MUTED,
    marker="x",
    ls="--",
    label="heads at random",
)
for count in RANDOM:
    ax.plot(
        [count] * 10,
        [100 * float(x) for x in random_curve[count]],
        "o",
        color=plots.MUTED,
        ms=2.5,
        alpha=0.6,
    )
ax.set(xlabel="heads taken away", ylabel="token found (%)", ylim=(-3, 80), xlim=(-1, 41))
ax.text(11, 4, "strongest induction heads", color=BLUE)
ax.text(21, 43, "as many at random", color=plots.MUTED)
figure(
    fig,
    name="taken",
    title="One head can go, five take most, ten all of it",
    alt="How often the repeated token is found, by how many heads are taken away. In SmolLM2, with the strongest induction heads it falls from about "
    "six tenths with none to a little less with one, to a small rest with five and to nothing with ten or more. Heads drawn at random "
    "from the same layers hardly lower it.",
    caption="128 words. Heads replaced by their mean at the word that answers. Grey: ten draws each from the same layers, and their median.",
    rtol=0.06,
    because=DRAW,
)

# %% [markdown]
# With all heads {{ result("induction.found", ".0%") }} of the tokens are found. Without the best head it is
# {{ result("induction.found_1", ".0%") }}, without five {{ result("induction.found_5", ".0%") }}, without ten
# {{ result("induction.found_10", ".0%") }}, out of {{ result("induction.n_words", "d") }}.
#
# Ten heads at random from the same layers leave {{ result("induction.random_10_median", ".0%") }} of what was found in the median, and
# {{ result("induction.random_10", ".0%") }} in the worst of ten draws.
#
# ```exercise
# title: A fair place to stand
# minutes: 3
# code: |
#   z = seen["z", layer][rows, words]  # (word, head, d_head)
#   usual = z[:, head].mean(▢)         # what replaces the head at every word
#   assert usual.shape == (d_head,)
# right: ["0", "dim=0", "axis=0"]
# praise: The head still says "somewhere in such a text", and no longer which token.
# wrong:
#   "-1": This is the mean over the head's 64 numbers, one for each word.
#   "1": This is the mean over the head's 64 numbers, one for each word.
#   "": One number for everything is no vector that the head ever wrote.
# otherwise: "The mean must keep the 64 numbers: over the words."
# solution: "`z[:, head].mean(0)`: over the words."
# ```
#
# ## The head that looks best is not the one that writes most
#
# What a head adds to the right token's logit directly, over the mean of all tokens, is its direct effect. We compare it with where heads
# look, and with the *copying score*: from weights alone, whether a head that looks at a token raises the same token.


# %% tags=["idea"]
def direct(layer, z, stream):
    """What each head writes at these words towards the right token, over the mean of all tokens: (word, head)."""
    norm, scale = found.final_norm, norm_scale(found.final_norm, stream)[:, None]
    wrote = torch.einsum("nhe,hed->nhd", z, found.blocks[layer].w_o)
    wrote = normalize(norm, wrote, scale) - normalize(norm, torch.zeros_like(wrote), scale)
    return (wrote * (found.w_u[:, TARGET].T - found.w_u.mean(1))[:, None]).sum(-1)


# %% tags=["setup"]
layers = range(model.n_layers)
end = seen["resid_post", -1][rows, words]
effects = torch.stack(
    [direct(layer, seen["z", layer][rows, words], end).mean(0) for layer in layers]
)
writers = [
    divmod(int(k), model.n_heads) for k in (effects * above).flatten().topk(6).indices
]
loudest = divmod(int(effects.flatten().argmax()), model.n_heads)
against = divmod(int((-effects).flatten().argmax()), model.n_heads)
centred, raw = copying(model, draws=3), copying(model, draws=3, centred=False)
top = torch.tensor(order[:10]).T
near(loudest_looks=score.values[loudest])
close(loudest_direct=effects[loudest], unit="logits", atol=0.1)
note(
    loudest_layer=loudest[0],
    loudest_head=loudest[1],
    writer_layer=writers[0][0],
    writer_head=writers[0][1],
    against_layer=against[0],
    against_head=against[1],
)
close(
    writer_direct=effects[writers[0]],
    best_direct=effects[order[0]],
    against_direct=effects[against],
    unit="logits",
    atol=0.1,
)
near(
    writer_looks=score.values[writers[0]],
    against_looks=score.values[against],
    copy_against=centred.values[against],
)
note(
    copy_above=int((centred.values[top[0], top[1]] > centred.null.max()).sum()),
    because="a head near the line",
    atol=1,
)
note(
    copy_above_raw=int((raw.values[top[0], top[1]] > raw.null.max()).sum()),
    because="a head near the line",
    atol=1,
)
note(
    copy_above_all=int((centred.values > centred.null.max()).sum()),
    because="heads near the line",
    atol=6,
)
note(
    copy_above_all_raw=int((raw.values > raw.null.max()).sum()),
    because="heads near the line",
    atol=6,
)
near(
    copy_null=centred.null.max(),
    copy_null_raw=raw.null.max(),
    copy_writer=centred.values[writers[0]],
    copy_writer_raw=raw.values[writers[0]],
)
print("writer   logits   attention   copying score")
for h in writers:
    wrote, looked, copied = effects[h], score.values[h], centred.values[h]
    print(f"{head_name(h):7} {wrote:+7.2f}   {looked:9.0%}   {copied:+13.2f}")

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=3.6)
copies = centred.values > centred.null.max()
for chosen, colour, marker, ms in ((~copies, plots.MUTED, "x", 4), (copies, BLUE, "o", 5)):
    ax.plot(
        100 * score.values[chosen], effects[chosen], marker, color=colour, ms=ms, alpha=0.7
    )
for h in {*order[:1], *writers[:3], against, loudest}:
    ax.text(
        100 * float(score.values[h]) + 1.5,
        float(effects[h]),
        head_name(h),
        va="center",
        fontsize=9.5,
    )
ax.axhline(0, color=plots.MUTED, lw=0.8)
ax.set(
    xlabel="attention one past the last time (%)",
    ylabel="direct effect on the right token (logits)",
    xlim=(-3, 102),
)
figure(
    fig,
    name="effects",
    title="Those who look best write little to the answer",
    alt="Direct effect of each head against its induction score. In SmolLM2 the heads that look most, in layers 17 and 18, contribute little; heads of "
    "layer 23 that look half as much contribute most; one head of layer 24 that looks there takes some away.",
    caption="A mark a head. Blue dots: copying score above all permuted ones. Crosses: the others.",
    rtol=0.06,
    because=DRAW,
)

# %% [markdown]
# The strongest writer is L{{ result("induction.writer_layer", "d") }}H{{ result("induction.writer_head", "d") }} with
# {{ result("induction.writer_direct", ".1f") }} logits, and it gives the right token {{ result("induction.writer_looks", ".0%") }} of its
# attention. The best looker, L{{ result("induction.best_layer", "d") }}H{{ result("induction.best_head", "d") }}, contributes
# {{ result("induction.best_direct", ".2f") }} directly.
#
# The copying score tells little here. Of all 270 heads {{ result("induction.copy_above_all", "d") }} score above every score under permuted
# tokens (centred; {{ result("induction.copy_above_all_raw", "d") }} raw). Among the ten induction heads that look best,
# {{ result("induction.copy_above", "d") }} do, and {{ result("induction.copy_above_raw", "d") }} by the raw score.
#
# And one head looks where induction heads look and writes against the token: L{{ result("induction.against_layer", "d") }}H{{ result("induction.against_head", "d") }}
# ({{ result("induction.against_direct", ".1f") }} logits), the negative head of [the lab before](42_ioi.md).
#
# ## Taken away, a head is missed less than it gave: the norm turns the rest up
#
# Take one writer away, and its direct effect is gone. But the logit may fall by less, because later parts change what they
# write: *self-repair*, or the Hydra effect ([McGrath et al. 2023](https://arxiv.org/abs/2307.15771)). We split it into three: later
# heads, later MLPs, and the final norm, which divides by less when less is there.


# %% tags=["idea"]
def split(change):
    """Change of the right token's logit under an edit: by each head, by the MLPs, and in all."""
    with change:
        *wrote, logits = again([*PLACES, ("logits", None)])
    z, mlp = wrote[: model.n_layers], wrote[model.n_layers :]
    heads = (
        torch.stack([direct(layer, z[layer], end).mean(0) for layer in layers]) - effects
    )
    return (
        heads,
        to_logit(sum(mlp) - sum(plain_mlp)).mean(),
        logit_of(logits) - logit_of(logits_plain),
    )


# %% tags=["setup"]
PLACES = [("z", layer) for layer in layers] + [("mlp_out", layer) for layer in layers]
plain_mlp = again(PLACES[model.n_layers :])


def to_logit(part):
    """A part of the stream as logits of the right token over the mean, with the final norm's scale as it was."""
    norm, scale = found.final_norm, norm_scale(found.final_norm, end)
    part = normalize(norm, part, scale) - normalize(norm, torch.zeros_like(part), scale)
    return (part * (found.w_u[:, TARGET].T - found.w_u.mean(1))).sum(-1)


def logit_of(logits):
    return (logits.gather(-1, TARGET[:, None])[:, 0] - logits.mean(-1)).mean()


def repair(head, change):
    heads, mlps, total = split(change)
    lost = heads[head].clone()
    heads[head] = 0
    norm = total - lost - heads.sum() - mlps
    return {
        "lost": float(lost),
        "heads": float(heads.sum()),
        "mlps": float(mlps),
        "norm": float(norm),
        "total": float(total),
    }, heads


repairs, helpers = {}, {}
for h in writers[:4]:
    repairs[h], helpers[h] = repair(h, replace(model, "z", h[0], usual(*h), heads=[h[1]]))
strong = repairs[writers[0]]
backup = divmod(int(helpers[writers[0]].flatten().argmax()), model.n_heads)

# The null: the head's change turned into a random direction of the same size.
gone = (
    usual(*writers[0]) - seen["z", writers[0][0]][rows, words, writers[0][1]]
) @ found.blocks[writers[0][0]].w_o[writers[0][1]]
null = []
for _ in range(5):
    turn = torch.randn(gone.shape, generator=draw)
    turn = torch.nn.functional.normalize(turn, dim=-1) * gone.norm(dim=-1, keepdim=True)
    heads, mlps, total = split(add(model, "attn_out", writers[0][0], turn[:, None]))
    direct_change = float(to_logit(turn).mean())
    norm = float(total - heads.sum() - mlps) - direct_change
    null.append((direct_change, float(heads.sum()), float(mlps), norm, float(total)))
null = torch.tensor(null).mean(0)
near(
    lost=strong["lost"],
    by_heads=strong["heads"],
    by_mlps=strong["mlps"],
    by_norm=strong["norm"],
    total=strong["total"],
    atol=0.1,
)
near(
    repaired=-(strong["heads"] + strong["mlps"]) / strong["lost"],
    repaired_all=1 - strong["total"] / strong["lost"],
    atol=0.05,
)
near(
    random_heads=null[1], random_mlps=null[2], random_norm=null[3], atol=0.06, unit="logits"
)
near(repaired_random=-(null[1] + null[2]) / strong["lost"], atol=0.06)
note(backup_layer=backup[0], backup_head=backup[1])
near(backup_gain=helpers[writers[0]][backup], atol=0.05)
near(
    repaired_least=min(-(r["heads"] + r["mlps"]) / r["lost"] for r in repairs.values()),
    repaired_most=max(-(r["heads"] + r["mlps"]) / r["lost"] for r in repairs.values()),
    atol=0.06,
)


# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=3.4)
parts_of = ["lost", "heads", "mlps", "norm", "total"]
said = ["lost directly", "later heads", "MLPs", "final norm", "in all"]
for y, (part, random) in enumerate(zip(parts_of, null.tolist(), strict=True)):
    ax.barh(-y, strong[part], height=0.36, color=BLUE)
    ax.barh(-y - 0.34, random, height=0.2, color=plots.MUTED)
    ax.plot([repairs[h][part] for h in writers[1:4]], [-y] * 3, "o", color=ORANGE, ms=4)
    ax.text(
        max(strong[part], 0) + 0.04,
        -y + 0.02,
        f"{strong[part]:+.2f}",
        va="center",
        color=BLUE,
    )
ax.axvline(0, color=plots.MUTED, lw=0.8)
ax.set_yticks([-y - 0.1 for y in range(5)], said)
ax.set(xlabel="change of the right token's logit", xlim=(-0.75, 0.85))
ax.grid(visible=False)
figure(
    fig,
    name="repair",
    title="What hides the loss is mostly the final norm",
    alt="Changes of the right token's logit without the strongest writer, in SmolLM2: over half a logit lost directly, a quarter given back by later "
    "heads, over a third taken by MLPs, over half given by the final norm, a tenth lost in all. Three other writers scatter around. A "
    "random change of the same size moves little.",
    caption="Blue: without the strongest writer. Orange: without each of the next three. Grey: random changes of the same size, mean of five.",
    data={
        head_name(h).lower(): [repairs[h][part] for part in parts_of] for h in writers[:4]
    }
    | {"random": null},
    rtol=0.08,
    because=DRAW,
)

# %% [markdown]
# Without the strongest writer the right token's logit changes by {{ result("induction.lost", "+.2f") }} directly. Later heads add
# {{ result("induction.by_heads", "+.2f") }}, MLPs {{ result("induction.by_mlps", "+.2f") }}, and the final norm, which now divides by less,
# {{ result("induction.by_norm", "+.2f") }}. In all it changes by {{ result("induction.total", "+.2f") }}.
#
# Later heads and MLPs together make up for {{ result("induction.repaired", ".0%") }} of what is lost directly (below zero:
# they add to the harm), and for {{ result("induction.repaired_least", ".0%") }} to
# {{ result("induction.repaired_most", ".0%") }} over the four strongest writers: there is no backup crew that would step in
# each time. The head that moves most is
# L{{ result("induction.backup_layer", "d") }}H{{ result("induction.backup_head", "d") }}
# ({{ result("induction.backup_gain", "+.2f") }}), and it does not copy more. It is the suppressor, which has less to
# suppress.
#
# A random change of the same size moves heads by {{ result("induction.random_heads", "+.2f") }}, MLPs by
# {{ result("induction.random_mlps", "+.2f") }} and the norm's part by {{ result("induction.random_norm", "+.2f") }}.
#
# ## What surprised us
#
# **The copying score had the signs turned round.** By weights alone the suppressor scores
# {{ result("induction.copy_against", "+.2f") }}, a copier, and the strongest writer {{ result("induction.copy_writer", "+.2f") }}, where
# permuted tokens reach {{ result("induction.copy_null", ".2f") }}. The score lets embeddings into a head of layer 23 that never sees one. On streams as they are,
# the writer copies and the suppressor suppresses.
#
# **Three of our four guesses were wrong.** We had expected copiers that score as copiers, and a crew of later parts that steps in.
#
# **What failed.** We first took the strongest writer of all 270 heads, L{{ result("induction.loudest_layer", "d") }}H{{ result("induction.loudest_head", "d") }}
# ({{ result("induction.loudest_direct", ".1f") }} logits). It pays {{ result("induction.loudest_looks", ".0%") }} of its attention to the right
# token, stands in the last layer, and only makes the leading token louder. Nothing comes after it that could repair anything.
#
# ## Try it
#
# **The lookers, or the writers?** (10 minutes). Take away the five heads that look best, then the five that write most. Which costs more?
#
# ??? tip "Hint"
#     `share(without(order[:5]))` and `share(without(writers[:5]))`.

# %% tags=["solution"]
lookers_gone, writers_gone = share(without(order[:5])), share(without(writers[:5]))
assert max(lookers_gone, writers_gone) < share(logits_plain), (
    "taking five such heads away must cost something"
)
near(lookers_gone=lookers_gone, writers_gone=writers_gone)

# %% [markdown]
# Without the five best lookers {{ result("induction.lookers_gone", ".0%") }} are found, without the five strongest writers
# {{ result("induction.writers_gone", ".0%") }}.
#
# ## You can now
#
# - find induction heads, and give their score a chance level that some head could have reached;
# - tell a head that looks from a head that writes;
# - measure self-repair, and say which part of it is the norm's.
#
# ## What this does not show
#
# - Random tokens are not language. In text the same heads may do more, or less.
# - The heads are taken away at the answering word alone. What they wrote at earlier words stays.
# - One model, one draw of texts, one length.
#
# ## Going deeper
#
# Change `NAME` at the top, and the same code asks another model: it finds that model's own heads, or stops where fewer than six look
# above chance. Our predictions are about SmolLM2.
#
# - Finding: [SmolLM2's repetition fails without ten of 270 heads](../findings/induction-ten-heads.md)
# - Surprise: [The copying score takes the suppressor for a copier](../surprises/induction-copying-score.md)
# - Olsson et al. (2022), [In-context learning and induction heads](https://transformer-circuits.pub/2022/in-context-learning-and-induction-heads/index.html)
# - McGrath et al. (2023), [The Hydra effect](https://arxiv.org/abs/2307.15771)
# - Rushing and Nanda (2024), [Explorations of self-repair in language models](https://arxiv.org/abs/2402.15390)

# %% tags=["setup"]
in_words(
    vocabulary="Tokens in the vocabulary",
    n_words="Words that have to answer",
    loss_first="Loss in the first half",
    loss_guess="Loss of guessing",
    loss="Loss at the words that have to answer",
    found="Repeated token found",
    n_above="Heads above chance",
    chance="Attention of a head that spreads it evenly",
    null="Highest head where nothing repeats",
    best="Best induction score",
    fifth="Fifth best induction score",
    tenth="Tenth best induction score",
    best_layer="Layer of the best looker",
    best_head="Its number",
    kept_1="Share of found tokens kept without the best head",
    kept_5="Share kept without five",
    kept_10="Share kept without ten",
    kept_20="Share kept without twenty",
    found_1="Found without the best head",
    found_5="Found without five",
    found_10="Found without ten",
    loss_1="Loss without the best head",
    loss_5="Loss without five",
    loss_10="Loss without ten",
    random_10="Share kept without ten random late heads, worst of ten draws",
    random_10_median="The same, median",
    loudest_layer="Layer of the head with the largest direct effect",
    loudest_head="Its number",
    loudest_direct="Its direct effect",
    loudest_looks="Its attention to the right token",
    writer_layer="Layer of the strongest writer among the induction heads",
    writer_head="Its number",
    writer_direct="Its direct effect",
    writer_looks="Its attention to the right token",
    against_layer="Layer of the head that writes most against the right token",
    against_head="Its number",
    against_direct="Its direct effect",
    against_looks="Its attention to the right token",
    best_direct="Direct effect of the best looker",
    copy_above="Of the ten best lookers, those with a copying score above all permuted ones",
    copy_above_raw="The same by the raw score",
    copy_above_all="Of all heads, those above all permuted ones",
    copy_above_all_raw="The same by the raw score",
    copy_null="Highest copying score under permuted tokens",
    copy_null_raw="The same by the raw score",
    copy_writer="Copying score of the strongest writer",
    copy_writer_raw="The same, raw",
    copy_against="Copying score of the head that writes against the token",
    lost="Lost directly without the strongest writer",
    by_heads="Change by later heads",
    by_mlps="Change by MLPs",
    by_norm="Change by the final norm",
    total="Change in all",
    repaired="Share of the loss that heads and MLPs make up for",
    repaired_all="Share that is made up for in all",
    repaired_least="Share that heads and MLPs make up for, least of four writers",
    repaired_most="The same, most of four writers",
    repaired_random="What heads and MLPs do after a random change, as a share of that loss",
    random_heads="Change by heads after a random change of the same size",
    random_mlps="Change by MLPs then",
    random_norm="Change by the final norm then",
    backup_layer="Layer of the head that changes most",
    backup_head="Its number",
    backup_gain="Its change",
    lookers_gone="Found without the five best lookers",
    writers_gone="Found without the five strongest writers",
)
