# ---
# title: How a prediction forms
# question: When does a language model know its answer, and when does it only look as if it did not?
# answer: >-
#   After *the cats*, the logit lens shows nothing of the verb for two layers. Swap what is there, and
#   {{ result("residual.near_flips_at_0", ".0%") }} of the verbs flip: the model knew all along.
# chapter: Inside
# level: intermediate
# models: [world, fairytale]
# needs: [05_transformer]
# tags: [residual stream, logit lens, direct logit attribution]
# thumbnail: misled
# timeout: 400
# ---

# %% tags=["setup"]
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods import direct_logit_attribution, logit_lens
from llmnotes.model import edit, norm_scale, parts, read_out, replace, rerun, trace
from llmnotes.world import END, IDS, RULES, VOCABULARY, read, rivals
from llmnotes.world import lexicon as lex
from llmnotes.world.lexicon import NOUNS
from llmnotes.world.names import PLAIN

BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
torch.set_grad_enabled(False)
FIXED = "rounding, near ties"
note = within(atol=0.03, because=FIXED)

# %% [markdown]
# ## A case you can hold: “Anna lives in ▢”
#
# Anna lives in Isley. *World* has read that fact thousands of times, and after *Anna lives in* it says *Isley*. It has four layers. What would it predict if it stopped earlier? The *logit lens* asks exactly that, after every layer and at
# every word ([nostalgebraist 2020](https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens)).

# %% tags=["idea"]
world = llmnotes.load("world")
case = logit_lens(world, f"{END} Anna lives in")[:, 0]
# (step, word, vocabulary): log-probabilities at every height
guess = case.argmax(-1)  # (step, word): the likeliest next word
chance = case.exp().max(-1).values  # and its probability

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.9)
ax.imshow(chance, cmap=plots.SEQUENTIAL, vmin=0, vmax=1, aspect="auto")
for step in range(5):
    for place in range(4):
        dark = chance[step, place] > 0.55
        word = VOCABULARY[guess[step, place]].replace(END, "end")
        ax.text(
            place,
            step,
            word,
            ha="center",
            va="center",
            color=plots.PAPER if dark else plots.INK,
        )
ax.set_xticks(range(4), ["end", "Anna", "lives", "in"])
ax.set_yticks(range(5), ["embedding", *(f"layer {n}" for n in range(4))])
ax.set(xlabel="after this word", title="What World would say if it stopped here")
ax.grid(visible=False)
figure(
    fig,
    name="case",
    alt="A table with a row for each layer and a column for each word. After the embedding the lens repeats the word itself. "
    "In the last column Isley appears only in the last layers.",
    caption="The likeliest next word at every height of the stream. Darker means surer.",
    data={"chance": chance},
    rtol=0.05,
    because=FIXED,
)

# %% [markdown]
# Read the last column from top to bottom. At first the lens repeats the word just read. The answer appears late.
#
# ## Eight parts only ever add
#
# {{ drawing("residual-stream", alt="Three words as vertical lines. In each of four layers attention and MLP read from a line and add to it. A tap at every height is the logit lens.") }}
#
# Each word has a *residual stream*, a list of 128 numbers that starts as its embedding. In each layer attention reads it and
# adds a vector, then the MLP does the same. Nothing is ever overwritten. At the end a norm scales the sum to a fixed size,
# and the unembedding turns it into a *logit*, a score, for each word of the vocabulary. So a logit is a sum too:
#
# $$
# \mathrm{logit}_w = \frac{1}{s} \sum_{c} x_c \cdot u_w + b_w
# $$
#
# $x_c$ is what part $c$ wrote: the embedding, four attentions and four MLPs. $u_w$ is the direction of word $w$ in the
# unembedding, with the norm's gain. $s$ is the divisor of the norm, held fixed, and $b_w$ a constant. This is called
# *direct logit attribution*. Here it is for *Isley* against *Corby*, another town.

# %% tags=["idea"]
W = parts(world)
shares = direct_logit_attribution(
    world, f"{END} Anna lives in", "Isley", "Corby", by="component"
)
for name, value in zip(shares.names, shares.values.tolist(), strict=True):
    print(f"{name:10} {value:6.2f}")
print(f"{'sum':10} {shares.values.sum():6.2f}   the model's own {shares.total:.2f}")

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3)
start = torch.cat([torch.zeros(1), shares.values.cumsum(0)])[:-1]
for y, value in enumerate(shares.values.tolist()):
    ax.barh(y, value, left=start[y].item(), height=0.6, color=BLUE if value > 0 else ORANGE)
    ax.text(
        max(start[y].item(), start[y].item() + value) + 0.15,
        y,
        f"{value:+.1f}",
        va="center",
    )
ax.set_yticks(range(len(shares.names)), shares.names)
ax.invert_yaxis()
ax.set(
    xlabel="Isley against Corby (logits)",
    xlim=(-1, 13),
    title="Each part adds its share; the last MLP adds most",
)
figure(
    fig,
    name="waterfall",
    alt="A waterfall of the logit difference between Isley and Corby. The parts of the first two layers add little, those of "
    "the third more, the last MLP most.",
    caption="Blue adds to Isley, orange to Corby. The end of the last bar is the model's own difference.",
    data={"shares": shares.values},
    rtol=0.02,
    because=FIXED,
)

# %% [markdown]
# ```exercise
# title: The lens in one line
# minutes: 3
# code: |
#   x = trace(world, text, ["resid_post"])["resid_post", 1]  # the stream after two layers
#   lens = ▢
#   assert torch.allclose(lens.log_softmax(-1), logit_lens(world, text)[2])
# right: ["W.unembedding(W.final_norm(x))", "read_out(W, x)"]
# praise: The final norm, then the unembedding, as if the model ended here.
# wrong:
#   "W.unembedding(x)": The unembedding expects a stream of fixed size. What comes before it at the end of the model?
#   "W.final_norm(x)": That is still a stream of 128 numbers. What makes scores of words of it?
#   "W.final_norm(W.unembedding(x))": It is the other way round, because the norm works on the stream.
# otherwise: "What does the model do with its last stream? Two steps, a norm and a matrix."
# solution: "`W.unembedding(W.final_norm(x))` is what the model itself does after its last layer."
# ```
#
# ## Your prediction
#
# Now a verb. After *the cats* the next word may be a plural verb, never a singular one. For two layers the lens shows chance: it prefers the
# plural verbs in half of the cases, so nothing of the number of *cats* is visible. Now take the stream at *cats* and put it in the place of the
# stream at *cat* in *the cat*.

# %%
ask(
    "At a height where the lens shows chance, we swap the stream of *the cat* for that of *the cats*. Does the verb flip?",
    choices={
        "never": "Never: where the lens shows nothing, nothing is known",
        "half": "In half of the cases, as chance would have it",
        "always": "Always: it is known, and only not yet written",
    },
    answer="always",
    because={
        "never": "The lens reads the stream in the words of the output. The model may keep what it knows in other directions.",
        "half": "The lens shows chance, but a swap moves everything that is there, visible or not.",
        "always": "The number of the noun is in the embedding. It is written in the words of the output only later.",
    },
    figure="misled",
    near_flips_at_0="> 0.95",
)
predict("At step 0 the lens says the same word again", 0.85, same_word="> 0.5")
predict("After two layers most facts are not visible", 0.7, fact_halfway="< 0.5")
predict("There a linear map reads twice as many", 0.7, fact_map_to_lens="> 2")
predict("The stream grows by half or more in each layer", 0.5, least_growth="> 1.5")
predict("Attention is the first to prefer the right verb", 0.6, verbs_by_attention="== 3")
predict("Of facts MLPs write more than heads", 0.5, fact_by_mlps="> 0.5")
predict("In songs head L2H3 writes more than any part", 0.5, song_by_head="== 1")
# These three came later: the sum had been read, and of the parts only the last MLP had been taken away, from songs alone.
predict("In 5 of 8 rules the part most needed is an attention", 0.7, needs_attn=">= 5")
predict("In 6 of 8 it is the part that first leads in the sum", 0.4, needs_first=">= 6")
predict("Without the last MLP the median rule keeps 9 of 10", 0.6, keeps_median=">= 0.9")

# %% [markdown]
# ## The lens shows when an answer is written, not when it is known

# %% tags=["setup"]
SINGULAR = [IDS[word] for word in (*lex.VERBS.values(), "is")]
PLURAL = [IDS[word] for word in (*lex.VERBS, "are")]


def singular(log_probs):
    return log_probs[..., SINGULAR].exp().sum(-1) > log_probs[..., PLURAL].exp().sum(-1)


spots = [("resid_pre", 0), *(("resid_post", layer) for layer in range(4))]


# %% tags=["idea"]
def flipped(one, many):
    """Share of texts whose verb flips when the last word's stream comes from the other text, at each height."""
    given = trace(world, many, ["resid_pre", "resid_post"])
    shares = []
    for spot in spots:
        with replace(world, *spot, given[spot][:, -1:], positions=-1):
            log_probs = logit_lens(world, one, positions=[-1])[
                -1
            ]  # what the changed model says
        shares.append((~singular(log_probs)).double().mean().item())
    return shares


# %% tags=["setup"]
flips, visible = {}, {}
for behind in ("", " near the dog", " near the dogs under the tree"):
    one, many = (
        [f"{END} the {noun}{behind}" for noun in nouns] for nouns in (NOUNS, NOUNS.values())
    )
    flips[behind] = flipped(one, many)
    both = [
        singular(logit_lens(world, texts, positions=[-1]))[..., 0] for texts in (one, many)
    ]
    visible[behind] = ((both[0].double() + (~both[1]).double()) / 2).mean(1)

near, far, further = flips
note(
    atol=0,
    near_flips_at_0=flips[near][0],
    far_flips_at_3=flips[far][3],
    further_flips_at_3=flips[further][3],
    far_flips_at_4=flips[far][4],
)
note(
    near_visible_at_2=visible[near][2],
    far_visible_at_2=visible[far][2],
    further_visible_at_3=visible[further][3],
)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=3, sharey=True)
for ax, behind, title in zip(
    axes, (near, far), ("the cats …", "the cats near the dog …"), strict=True
):
    (swap,) = ax.plot(range(5), flips[behind], "s-", color=BLUE)
    swap.set_gid("choice-always" if behind == near else "")
    ax.plot(range(5), visible[behind], "o-", color=ORANGE)
    ax.axhline(0.5, color=plots.INK, ls="--", lw=1)
    ax.set(title=title, xlabel="after so many layers", xticks=range(5), ylim=(-0.05, 1.12))
axes[0].text(0.05, 1.03, "swap: the verb flips", color=BLUE)
axes[0].text(0.3, 0.37, "lens: looks known", color=ORANGE)
axes[1].text(0.05, 0.03, "swap: the verb flips", color=BLUE)
axes[1].text(0.3, 0.37, "lens: looks known", color=ORANGE)
axes[0].set_ylabel("share of 18 nouns")
figure(
    fig,
    name="misled",
    alt="In both sentences the lens stays at one half or below for two layers. But the swap flips every verb from the embedding on "
    "where the noun is the word before, and none before the last layer where another noun stands between.",
    caption="For two layers the lens shows the same on both sides; dashed is chance. The swap shows the opposite.",
    rtol=0.03,
    because=FIXED,
)

# %% [markdown]
# For two layers the lens shows chance in both kinds of sentence, but what is known there differs. After *the cats* every verb flips from the embedding on, so everything that decides the verb is there. After *the cats near the dog* the swap flips
# {{ result("residual.far_flips_at_3", ".0%") }} of the verbs for three layers. Nothing is there yet. In the last layer
# attention fetches the number from *cats*.
#
# The lens can mislead the other way, too. After *the cats near the dogs under the tree* it is right after three layers in
# {{ result("residual.further_visible_at_3", ".0%") }} of the cases. Swapping that stream flips
# {{ result("residual.further_flips_at_3", ".0%") }}, because the last layer overrules it.
#
# Do the swap yourself. Click *cat* before layer 3, then *dog* before layer 3: which of the two moves the verb? Then choose the
# pair *Anna lives in* / *Karl lives in* and find the cells that hold the town.
#
# <div class="bench" id="bench-swap" data-bench="swap" data-search-exclude markdown>
#
# The swap runs in the page and needs JavaScript. The figure above shows what it finds over 18 nouns.
#
# </div>
#
# ## Attention gets the answer right first; the last MLP says it loudest
#
# Back to the sum, now for all nine rules. We take 50 stories that *World* has not read and every word that a rule decides.

# %% tags=["setup"]
ids, stories = read(seed=5, n=50, length=129)
ids = ids[:, :-1]
lens = logit_lens(world, ids)  # (step, story, place, word): log-probabilities
places = {rule: [] for rule in RULES}
for n, story in enumerate(stories):
    for i, token in enumerate(story[1:]):
        if token.rule:
            places[token.rule].append((n, i, token.word))


def at(rule):
    """The stories and positions of a rule's places."""
    n, i, _ = zip(*places[rule][:300], strict=True)
    return list(n), list(i)


def right(log_probs, rule):
    """Share of a rule's places at which its answer is preferred, of (step, place, word)."""
    hits = []
    for row, (*_, word) in zip(log_probs.movedim(1, 0), places[rule][:300], strict=True):
        groups = [[IDS[w] for w in group] for group in rivals(rule, word)]
        if all(len(group) == 1 for group in groups):
            mass = row[:, [g for (g,) in groups]].T
        else:
            mass = torch.stack([row[:, g].exp().sum(-1) for g in groups])
        hits.append(mass[0] > mass[1:].max(0).values)
    return torch.stack(hits).double().mean(0)


# %% tags=["setup"]
other_ids = read(seed=6, n=80, length=129)[0][:, :-1]


def streams(ids):
    """The stream before the first and after each layer: (step, story, place, d_model)."""
    seen = trace(world, ids, ["resid_pre", "resid_post"])
    return torch.cat([seen["resid_pre", 0][None], seen.stack("resid_post")])


here, there = streams(ids), streams(other_ids).flatten(1, 2)
mapped, end = [], there[-1] - there[-1].mean(0)
for step, x in enumerate(there):
    low = x - x.mean(0)
    map_ = torch.linalg.solve(low.T @ low + 0.1 * torch.eye(len(low.T)), low.T @ end)
    guess = (here[step] - x.mean(0)) @ map_ + there[-1].mean(0)
    mapped.append(read_out(W, guess).log_softmax(-1))
mapped = torch.stack(mapped)
by_lens, by_map = (
    {rule: right(table[:, *at(rule)], rule) for rule in RULES} for table in (lens, mapped)
)

# %% tags=["setup"]
size = here.norm(dim=-1).mean((1, 2))
growth = size[1:] / size[:-1]
note(
    rtol=0.01,
    least_growth=growth.min(),
    first_growth=growth[0],
    last_growth=growth[-1],
)
note(atol=0.01, same_word=(lens[0].argmax(-1) == ids).double().mean())


def far(table):
    """The divergence from the final prediction after two layers, KL(final || step)."""
    return (lens[-1].exp() * (lens[-1] - table[2])).sum(-1).mean()


note(rtol=0.02, unit="nats", far_lens=far(lens), far_map=far(mapped))
note(atol=0.02, fact_halfway=by_lens["fact"][2])
note(rtol=0.1, fact_map_to_lens=by_map["fact"][2] / by_lens["fact"][2])
note(
    agreement_0_lens=by_lens["agreement_0"][3],
    agreement_0_map=by_map["agreement_0"][3],
    agreement_1_lens=by_lens["agreement_1"][3],
    agreement_1_map=by_map["agreement_1"][3],
)

# %% tags=["setup"]
seen = trace(
    world, ids, ["resid_pre", "k", "v", "z", "attn_out", "mlp_out", "resid_post", "logits"]
)
norm, names, wrote = W.final_norm, ["embedding"], [seen["resid_pre", 0]]
for layer in range(len(W.blocks)):
    names += [f"attn {layer}", f"MLP {layer}"]
    wrote += [seen["attn_out", layer], seen["mlp_out", layer]]
size = norm_scale(norm, seen["resid_post", -1])
wrote = torch.stack(wrote) / size  # (part, story, place, d)
towards = norm.weight[:, None] * W.w_u
towards = towards - towards.mean(0)  # the norm takes off the mean
gap = (wrote.sum(0) @ towards + norm.bias @ W.w_u - seen["logits"]).abs().max()
note(atol=1e-3, because="float32: sums of numbers up to 100", largest_gap=gap)
ALIKE = [lex.TOWNS, lex.JOBS, lex.FOODS, lex.LANDMARKS, lex.SYLLABLES]


def direction(rule, word):
    good, *bad = rivals(rule, word)
    if rule in ("fact", "list"):
        bad = [set(next(kind for kind in ALIKE if word in kind)) - good]
    good, bad = ([IDS[w] for group in groups for w in group] for groups in ([good], bad))
    return towards[:, good].mean(1) - towards[:, bad].mean(1)


# %% tags=["setup"]
share, first, song_heads = {}, {}, None
for rule in RULES:
    n, i, words = zip(*places[rule][:300], strict=True)
    to = torch.stack([direction(rule, word) for word in words])  # (place, d_model)
    each = torch.einsum("cpd,pd->cp", wrote[:, n, i], to)  # (part, place)
    share[rule] = each.mean(1)
    ahead = (each.cumsum(0) > 0).double().mean(1)
    first[rule] = (
        names[int((ahead > 0.9).double().argmax())] if (ahead > 0.9).any() else "none"
    )
    if rule == "list":
        z = torch.stack(
            [seen["z", layer][n, i] for layer in range(4)]
        )  # (layer, place, head, d_head)
        z = z / norm_scale(norm, seen["resid_post", -1])[n, i][..., None]
        w_o = torch.stack([block.w_o for block in W.blocks])
        song_heads = torch.einsum("lphe,lhed,pd->lh", z, w_o, to) / len(n)

# %% tags=["setup"]
fact, song = share["fact"], share["list"]
note(
    verbs_by_attention=sum(first[f"agreement_{k}"] == "attn 3" for k in range(3)),
    none_by_mlp=not any(part.startswith("MLP") for part in first.values()),
    song_by_head=song_heads.max().item() > song[2::2].max().item(),
)
note(atol=0.02, fact_by_mlps=fact[2::2].sum() / fact[1:].sum())
note(
    rtol=0.03,
    song_l2h3=song_heads[2, 3],
    song_last_mlp=song[-1],
)
last = torch.stack([s[-1] / s.sum() for s in share.values()])
note(atol=0.02, last_mlp_median=last.median())

# %% tags=["drawing"]
table = torch.stack([share[rule] / share[rule].sum() for rule in RULES])
fig, ax = plots.subplots(height=4.4)
image = ax.imshow(100 * table, cmap=plots.DIVERGING, vmin=-100, vmax=100, aspect="auto")
for y, rule in enumerate(RULES):
    for x, value in enumerate(table[y]):
        colour = plots.PAPER if value > 0.55 else plots.INK
        ax.text(
            x,
            y,
            f"{100 * value + 0.0:.0f}".replace("-0", "0")
            if abs(value) < 0.005
            else f"{100 * value:.0f}",
            ha="center",
            va="center",
            color=colour,
            fontsize=9,
        )
    if first[rule] in names:
        x = names.index(first[rule])
        ax.add_patch(
            plots.plt.Rectangle(
                (x - 0.48, y - 0.46), 0.96, 0.92, fill=False, ec=ORANGE, lw=2.5
            )
        )
ax.set_xticks(range(len(names)), names, rotation=90)
ax.set_yticks(range(len(RULES)), [PLAIN[rule].replace(", ", ",\n") for rule in RULES])
ax.grid(visible=False)
fig.colorbar(image, ax=ax, label="share of the difference (%)")
figure(
    fig,
    name="writers",
    title="The right answer first leads after an attention (outlined), never after an MLP",
    alt="In nearly all rules the last MLP writes about half or more of the logit difference. The first part after which the "
    "right answer leads is an attention: of layer 3 for agreement, of layer 2 for pronouns, facts, songs and "
    "indirect objects, of layer 1 for brackets.",
    caption="Rows sum to 100. Orange: from here on the sum so far is right in nine of ten places (never for mood).",
    rtol=0.02,
    because=FIXED,
)

# %% [markdown]
# The sum is exact: the largest error of any logit is {{ result("residual.largest_gap", ".0e") }}. For eight of the nine
# rules it has the same shape. The right answer first leads after an attention layer, never after an MLP. Then the last
# MLP writes {{ result("residual.last_mlp_median", ".0%") }} of its lead over the rivals, in the median rule.
#
# Rank components by how much they write and you rank the amplifier above the decision.
#
# ## “Which part decides?” depends on what you put in its place
#
# So far we have only added up. Does the answer depend on the attention after which it first leads? We take one part away, at the answering word
# only. But what do we replace it with? We try two things. One is the part's *mean* over all words of the rule, which keeps what they share. The
# other is what the part writes at *another* word of the rule, which points to a definite wrong answer.

# %% tags=["idea"]
WHERE = {"attn": "attn_out", "MLP": "mlp_out"}


def without(part, change, again):
    """The logits at a rule's places, with what one part writes there changed."""
    kind, layer = part.split()
    with edit(world, WHERE[kind], int(layer), change):
        return again()


def its_mean(out, _):
    return out.mean(0, keepdim=True)


def another_places(out, _):
    """What the part writes at another place of the rule, dealt at random."""
    return out[torch.randperm(len(out), generator=torch.Generator().manual_seed(0))]


# %% tags=["setup"]
HOW, own_logits = {"its mean": its_mean, "another place's": another_places}, 0
kept = {how: {} for how in HOW}  # share right with nothing and with each part changed
for rule in RULES:
    again = rerun(world, ids, *at(rule))
    own_logits = max(own_logits, (again() - seen["logits"][at(rule)]).abs().max())
    for how, change in HOW.items():
        logits = [again(), *(without(part, change, again) for part in names[1:])]
        kept[how][rule] = right(torch.stack(logits).log_softmax(-1), rule)
note(atol=1e-3, because="float32: sums of numbers up to 100", own_logits=own_logits)

# %% tags=["setup"]
settled = [rule for rule in RULES if first[rule] in names]
mean, swap = (torch.stack([kept[how][rule] for rule in settled]) for how in HOW)
worst = [names[1:][row[1:].argmin()] for row in mean]
note(
    needs_attn=sum(part.startswith("attn") for part in worst),
    needs_first=sum(map(str.__eq__, worst, [first[rule] for rule in settled])),
    keeps_least=mean[:, -1].min(),
)
note(atol=0.02, keeps_median=mean[:, -1].median())
by_mean, by_swap = (dict(zip(settled, table, strict=True)) for table in (mean, swap))
leads = {rule: names.index(first[rule]) for rule in settled}
note(
    fact_mean_attn=by_mean["fact"][leads["fact"]],
    list_mean_attn=by_mean["list"][leads["list"]],
    indirect_object_mean_attn=by_mean["indirect_object"][leads["indirect_object"]],
    fact_mean_attn0=by_mean["fact"][1],
    closing_mean_attn0=by_mean["closing"][1],
)
note(
    atol=0.04,
    fact_swap_mlp=by_swap["fact"][-1],
    list_swap_mlp=by_swap["list"][-1],
    indirect_object_swap_mlp=by_swap["indirect_object"][-1],
)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=4.8, sharey=True)
for ax, (how, table) in zip(axes, kept.items(), strict=True):
    for y, rule in enumerate(RULES):
        values, leads = 100 * table[rule].numpy(), first[rule]
        ax.plot(values[0], y, "|", color=plots.INK, ms=15, mew=2)
        ax.plot(values[1::2], [y - 0.14] * 4, "o", color=BLUE, ms=5, alpha=0.8)
        ax.plot(values[2:-1:2], [y + 0.14] * 3, "s", color=ORANGE, ms=5, alpha=0.45)
        ax.plot(values[-1], y + 0.14, "s", color=ORANGE, ms=7)
        if leads in names:
            x = values[names.index(leads)]
            ax.plot(x, y - 0.14, "o", mfc="none", mec=plots.INK, ms=9)
    ax.set(title=f"replaced by {how}", xlabel="answers right (%)", xlim=(0, 106))

axes[0].set_yticks(range(len(RULES)), [PLAIN[rule].replace(", ", ",\n") for rule in RULES])
ax.invert_yaxis()
for style, colour, label in (
    ("o", BLUE, "attention"),
    ("s", ORANGE, "MLP (large: last)"),
    ("|", plots.INK, "control: nothing replaced"),
):
    axes[0].plot([], [], style, color=colour, label=label, ms=7)
axes[0].plot([], [], "o", mfc="none", mec=plots.INK, ms=9, label="leads first in the sum")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
figure(
    fig,
    name="needed",
    alt="Replaced by its mean, an attention costs most answers in every rule, usually the one that leads first in the sum, and the last MLP hardly any. "
    "Replaced by what it writes at another place, the last MLP costs most facts and songs, half of the verbs, and some brackets.",
    caption="One part changed at the answering place only. Each mark is one part in one rule.",
    rtol=0.03,
    because=FIXED,
)

# %% [markdown]
# With the mean, the part that costs most answers is an attention layer in {{ result("residual.needs_attn") }} of the
# eight rules. The last MLP is hardly needed: {{ result("residual.keeps_median", ".0%") }} of the answers stay in the
# median rule.
#
# With another word's output, the last MLP costs nearly everything: {{ result("residual.list_swap_mlp", ".0%") }} of
# the songs and {{ result("residual.fact_swap_mlp", ".0%") }} of the facts are left. Its mean holds nothing about the answer. Another word's output points to a wrong answer, loudly. “Which part decides?” has no answer until you say what you replace
# it with.
#
# ## What surprised us
#
# **The same to the lens, opposite to the swap.** Two rules look the same for two layers. Yet one answer is known from
# the start, and the other not before the last layer. We had trusted the lens for a long time before we checked it with
# a swap.
#
# **The sum named the wrong part.** For facts and brackets the sum credits the attention of layer 0 with almost nothing. Without
# that attention {{ result("residual.fact_mean_attn0", ".0%") }} of the facts and {{ result("residual.closing_mean_attn0", ".0%") }}
# of the brackets are left. What a part does through later parts is counted as theirs
# ([dead end](../dead-ends/residual-loudspeaker.md)).
#
# ## Try it
#
# **1. Mute the loudspeaker** (5 minutes). Take the last MLP away (`ablate(world, "mlp_out", 3)`). In what share of songs'
# places is the right syllable still preferred to other syllables?
#
# ??? tip "Hint"
#     Logits at the places of `places["list"]`, syllables only, by `argmax`.

# %% tags=["solution"]
from llmnotes.model import ablate

n, i, words = zip(*places["list"], strict=True)
syllables = torch.tensor([IDS[word] for word in lex.SYLLABLES])
with ablate(world, "mlp_out", 3):
    logits = world.model(ids).logits[n, i][:, syllables]
still = (
    (syllables[logits.argmax(1)] == torch.tensor([IDS[word] for word in words]))
    .double()
    .mean()
)
assert still > 0.8, f"{still}: are only syllables compared, at the places before them?"
print(f"songs right without the last MLP: {still:.0%}")

# %% [markdown]
# **2. Where is it, if not there?** (10 minutes). "the cat near the dog": before the last layer the number of *cat* is
# not in the stream of *dog*. Replace the stream of *cat* instead, after each layer. Until when does the verb flip?
#
# ??? tip "Hint"
#     The same loop with `positions=2` and `given[spot][:, 2:3]`.

# %% tags=["solution"]
one, many = (
    [f"{END} the {noun} near the dog" for noun in nouns]
    for nouns in (NOUNS, NOUNS.values())
)
given, by_noun = trace(world, many, ["resid_pre", "resid_post"]), []
for spot in spots:
    with replace(world, *spot, given[spot][:, 2:3], positions=2):
        by_noun.append(
            (~singular(logit_lens(world, one, positions=[-1])[-1])).double().mean().item()
        )
assert by_noun[3] > 0.9 > 0.1 > by_noun[4], f"{by_noun}: is position 2 the noun?"
for (name, layer), share in zip(spots, by_noun, strict=True):
    where = "before layer" if name == "resid_pre" else "after layer"
    print(f"replaced {where} {layer}: {share:4.0%} of verbs flip")

# %% [markdown]
# ## You can now
#
# - read the logit lens, and name what it cannot show;
# - split a logit into what each part wrote, and check that the sum is exact;
# - test whether something is known at a word: swap its stream, and watch the answer.
#
# ## What this does not show
#
# - One small model with one training run, whose last MLP is its loudest part. In deeper models writing is spread over more layers.
# - We changed one part at a time, at the answering word only. Another part may have stepped in, and what MLPs wrote at
#   earlier words stays.
# - A swap of the whole stream shows that all that decides is there, not that later layers read it linearly.
#
# ## Going deeper
#
# ### A second way to read: a linear map
#
# The lens reads every height with the unembedding. A *tuned lens* fits a linear map from each height to the last stream
# first, on other stories ([Belrose et al. 2023](https://arxiv.org/abs/2303.08112), in its plainest form).

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=3.3, sharey=True)
SHOWN = {
    "agreement_0": BLUE,
    "agreement_1": PURPLE,
    "pronoun": GREEN,
    "fact": OCHRE,
    "list": ORANGE,
}
for ax, table, title in zip(
    axes, (by_lens, by_map), ("Logit lens", "Control: linear map"), strict=True
):
    for rule, colour in SHOWN.items():
        ax.plot(range(5), table[rule], "o-", color=colour, ms=5, label=PLAIN[rule])
    ax.set(title=title, xlabel="after so many layers", xticks=range(5), ylim=(-0.03, 1.05))
axes[0].set_ylabel("answer preferred (share of places)")
axes[0].legend(loc="upper left", fontsize=9)
figure(
    fig,
    name="layers",
    alt="By the logit lens agreement without a noun between stays near one half until the last layers; facts, songs and "
    "pronouns rise in the third. By a linear map agreement without a noun between is right from the embedding on, "
    "with a noun between only after the last layer.",
    caption="Model `world`, places in 50 stories. Two kinds compete for verbs and pronouns: one half is chance.",
    rtol=0.03,
    because=FIXED,
)

# %% [markdown]
# After two layers the lens shows {{ result("residual.fact_halfway", ".0%") }} of the facts, and the map
# {{ result("residual.fact_map_to_lens", ".1f") }} times as many. The map also tells apart what the lens confuses: after three
# layers it reads {{ result("residual.agreement_0_map", ".0%") }} of the verbs with nothing between and
# {{ result("residual.agreement_1_map", ".0%") }} with one noun between. What a map *can* read the model need not use. The swap
# shows that it does.
#
# ### How the stream grows
#
# The stream's length grows by a factor of {{ result("residual.first_growth", ".1f") }} in the first layer and
# {{ result("residual.last_growth", ".1f") }} in the last, with {{ result("residual.least_growth", ".1f") }} in the slowest. At
# step 0 the lens repeats the word just read in {{ result("residual.same_word", ".0%") }} of the places, because the embedding is
# also the unembedding.
#
# ### The same in a model of real text
#
# *Fairytale* was trained on fairy tales. We take four sentences and ask at every word how often the lens's first choice is
# already the final one.

# %% tags=["setup"]
TEXTS = (
    "Once upon a time there was a king who had three daughters, and the youngest was the most beautiful of them all.",
    "The old woman took the girl by the hand and led her into the little house.",
    "Then the wolf said to himself: what a tender young creature she is.",
    "He went out into the forest to cut wood, and his wife stayed at home with the children.",
)
tale = llmnotes.load("fairytale")
rows = [logit_lens(tale, text)[:, 0].argmax(-1) for text in TEXTS]  # (step, place) each
same = torch.cat([row == row[-1] for row in rows], 1).double().mean(1)
itself = torch.cat(
    [
        row[0] == torch.tensor(tale.tokenizer(text)["input_ids"])
        for row, text in zip(rows, TEXTS, strict=True)
    ]
)
note(tale_same_word=itself.double().mean())
note(
    atol=0.05,
    tale_halfway=same[len(same) // 2],
    tale_before_last=same[-2],
)

# %% [markdown]
# At step 0 it repeats the token just read in {{ result("residual.tale_same_word", ".0%") }} of the places. After three of its
# five layers its first choice is the final one in {{ result("residual.tale_halfway", ".0%") }}, before the last layer in
# {{ result("residual.tale_before_last", ".0%") }}. Four sentences are a first look only.
#
# - After this: [Five questions in fifty lines](../tour.md) asks the same of any model, in code
# - Finding: [The lens shows when an answer is written, not when it is known](../findings/residual-lens-written-not-known.md)
# - Finding: [Answers need attention, the last MLP says them loud](../findings/residual-attention-decides.md)
# - Dead end: [Ranking parts by what they write](../dead-ends/residual-loudspeaker.md)
# - Question: [Why is the simplest answer written last?](../questions/residual-why-so-late.md)
# - nostalgebraist (2020), [interpreting GPT: the logit lens](https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens)
# - Belrose et al. (2023), [Eliciting latent predictions from transformers with the tuned lens](https://arxiv.org/abs/2303.08112)
# - Elhage et al. (2021), [A Mathematical Framework for Transformer Circuits](https://transformer-circuits.pub/2021/framework/index.html)

# %% tags=["setup"]
in_words(
    least_growth="Smallest growth of the stream in a layer",
    first_growth="Growth of the stream in the first layer",
    last_growth="Growth of the stream in the last layer",
    same_word="Places where the lens repeats the word just read, before any layer",
    far_lens="Divergence of the lens from the final prediction after two layers",
    far_map="Divergence of the linear map from the final prediction after two layers",
    fact_halfway="Facts that the lens shows after two layers",
    fact_map_to_lens="Facts that the linear map shows there, against the lens",
    agreement_0_lens="Verb agrees, nothing between: right by the lens after three layers",
    agreement_0_map="Verb agrees, nothing between: right by the linear map after three layers",
    agreement_1_lens="Verb agrees, one noun between: right by the lens after three layers",
    agreement_1_map="Verb agrees, one noun between: right by the linear map after three layers",
    largest_gap="Largest error of the sum of parts",
    verbs_by_attention="Agreement rules for which attention in the last layer leads first",
    none_by_mlp="No rule has an MLP that leads first",
    fact_by_mlps="Share of the facts' logit difference written by MLPs",
    song_by_head="In songs one head writes more than any MLP",
    song_l2h3="Written by L2H3 in songs, in logits",
    song_last_mlp="Written by the last MLP in songs, in logits",
    last_mlp_median="Share of the logit difference written by the last MLP, median rule",
    own_logits="Largest error of the logits with nothing changed",
    needs_attn="Rules that need an attention most, of eight",
    needs_first="Rules that need most the part that leads first, of eight",
    keeps_median="Answers right without the last MLP, median rule",
    keeps_least="Answers right without the last MLP, worst rule",
    fact_mean_attn="Facts right without the attention that leads first",
    fact_swap_mlp="Facts right with the last MLP's output from another place",
    list_mean_attn="Songs right without the attention that leads first",
    list_swap_mlp="Songs right with the last MLP's output from another place",
    indirect_object_mean_attn="Indirect objects right without the attention that leads first",
    indirect_object_swap_mlp="Indirect objects right with the last MLP's output from another place",
    fact_mean_attn0="Facts right without the attention of the first layer",
    closing_mean_attn0="Brackets closed right without the attention of the first layer",
    near_flips_at_0="Verbs flipped by swapping the noun's stream before any layer",
    far_flips_at_3="Verbs flipped after three layers, one noun between",
    further_flips_at_3="Verbs flipped after three layers, two nouns between",
    far_flips_at_4="Verbs flipped after all layers, one noun between",
    near_visible_at_2="Verbs right by the lens after two layers, nothing between",
    far_visible_at_2="Verbs right by the lens after two layers, one noun between",
    further_visible_at_3="Verbs right by the lens after three layers, two nouns between",
    tale_same_word="Fairytale: the lens repeats the token just read, before any layer",
    tale_halfway="Fairytale: the lens's first choice is final after three of five layers",
    tale_before_last="Fairytale: the lens's first choice is final before the last layer",
)
