# ---
# title: Weights alone
# question: What can be read from a model's weights without running it on any text, and which readings are wrong?
# level: intermediate
# minutes: 15
# models: [world, world/attention-only, fairytale]
# needs: []
# tags: [weights, attention heads, copying, facts]
# chapter: Inside
# thumbnail: facts
# timeout: 500
# ---

# %% [markdown]
# A trained model is a few tables of numbers. Some of what it will do can be read from them before any text passes
# through ([Elhage et al. 2021](https://transformer-circuits.pub/2021/framework/index.html)). Our models were trained on
# `world`, a language whose grammar we wrote. So each reading can be marked right or wrong.

# %% tags=["setup"]
import numpy as np
import torch

import llmnotes
from llmnotes.lab import figure, in_words, plots, predict, within
from llmnotes.methods import copying
from llmnotes.model import ablate, norm_scale, parts, read_out, replace, trace, untrained
from llmnotes.scratch import from_gpt2, generate
from llmnotes.world import lexicon as lex
from llmnotes.world import story_ids, word_ids

BLUE, ORANGE, GREEN, *_ = plots.COLOURS
torch.set_grad_enabled(False)
FIXED = "rounding, near ties"
note = within(atol=0.02, because=FIXED)

# %% [markdown]
# ## What you need to know
#
# **The residual stream** is the list of numbers (here 128) that each word carries through the model. It starts as the
# word's *embedding*, a row of the matrix *E*, plus one for its place. Every part reads it and adds to it. At the end
# the *unembedding* *U* makes of it one *logit* for each word, from which the probability comes that this word is
# next. GPT-2, and so our models, have **one matrix for both**: *U* = *E*ᵀ (*tied* embeddings).
#
# **An attention head** looks from each word at earlier words. $W_Q W_K^\top$ compares two residual streams and decides where.
# $W_V W_O$ decides what it brings: the stream of the word looked at goes in, and what comes out is added at the word
# that looks. So the table $E\,W_V W_O\,U$, the head's *OV table*, says for each word that it may look at which words
# become likelier next. L0H2 is head 2 of layer 0.
#
# `world` has four layers of four heads and an MLP, `world/attention-only` two layers of four heads and nothing
# else. The language has 82 fixed facts: homes, jobs and favourite foods of 24 people, and landmarks of 10 towns.

# %%
MODELS = {name: llmnotes.load(name) for name in ("world", "world/attention-only")}
world, small = MODELS.values()
W, S = parts(world), parts(small)
print("one matrix for both:", W.w_e.data_ptr() == W.w_u.data_ptr(), tuple(W.w_e.shape))

# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     Take a word and read it straight out, past all layers: *E* times *U*. Which word will come out as the likeliest
#     next one? Can heads that copy be told from their OV tables? And can facts be read from them?
#
# Our own guesses, written before we had looked at any weights. Two of the measures were settled after a first look: what
# counts as a one-way pair, with which table *E* times *U* is compared, and from which the average is taken in the tables of facts. Songs are lists that are sung again; L2H3 is the head that
# `world` needs for them ([lab 17](17_formation.md)). The *copying score* and the pairs are explained below.

# %%
predict("Straight from E to U most words predict themselves", 0.7, same_word="> 0.5")
predict("That table and the true one correlate above 0.3", 0.25, correlation="> 0.3")
predict("With layer 0 alone 4 of 5 one-way pairs are right", 0.6, one_way_layer0="> 0.8")
predict("Some head of world has a copying score above ½", 0.7, copying_most="> 0.5")
predict("L2H3 is among the 3 of 16 that copy most by score", 0.6, songs_rank="<= 3")
predict("One OV table holds more than half of the facts", 0.5, facts_best="> 0.5")
predict("All OV tables, fed with embeddings, hold 4 of 5", 0.6, facts_embedding="> 0.8")
predict("Facts need the head whose table holds most of them", 0.6, best_is_needed="== 1")
predict("3 of 4 matrices use fewer directions than chance", 0.5, fewer_directions="> 0.75")

# %% [markdown]
# Two on `fairytale` came later, before any run of these scores on it:

# %%
right = "Words as they arrive rank the heads of fairytale better than the usual score"
predict(right, 0.7, tale_gain="> 0")
sign = "The head of fairytale that copies most has a negative usual score"
predict(sign, 0.4, tale_usual="< 0")

# %% [markdown]
# ## The direct path
#
# Without any layer a model could at best know which word follows which, and Elhage et al. find that the direct path, *E*
# times *U*, tends to hold such a table of pairs (*bigrams*). First the truth, counted in stories.

# %% tags=["idea"]
V = len(lex.VOCABULARY)
texts = [torch.tensor(story_ids(9, n, 129)) for n in range(800)]
count = torch.zeros(V, V)
for text in texts:
    count.index_put_((text[:-1], text[1:]), torch.ones(1), accumulate=True)
one_way = (count >= 10) & (count.T == 0)  # a is followed by b, and never b by a


def alone(model):
    """The residual stream of every word by itself, at its start and after each layer: (vocab, d_model) each."""
    found = parts(model)
    start = found.w_e + found.embeddings[1].weight[1:].mean(0)  # at an average place
    with replace(model, "resid_pre", 0, start[:, None]):
        seen = trace(model, torch.arange(len(start))[:, None], ["resid_post"])
    return [start, *seen.stack("resid_post")[:, :, 0]]


# %% [markdown]
# `alone` sends every word through some layers by itself: then each head can only look at the word itself. That takes
# weights and no text. A *one-way pair* was counted in one order at least ten times, and never in the other. For which
# share of them does the table make the order that occurs the likelier one? The control has random weights.

# %%
new = parts(untrained(world))
inputs = {"layer0": (W, alone(world)[1]), "random": (new, new.w_e), "direct": (W, W.w_e)}
one_way_right = {}
for name, both in inputs.items():
    table = read_out(*both).log_softmax(-1)
    one_way_right[name] = (table > table.T)[one_way].double().mean()
note(
    atol=0.005,
    one_way_layer0=one_way_right["layer0"],
    one_way_random=one_way_right["random"],
    one_way_direct=one_way_right["direct"],
)
itself = (table.argmax(1) == torch.arange(V)).double().mean()
note(atol=0.01, same_word=itself)
a, b = (t - t.mean(1, keepdim=True) for t in (table, (count + 0.5).log()))
r = (a * b).sum() / a.norm() / b.norm()
note(atol=0.01, correlation=r)

# %% [markdown]
# The direct path is no table of pairs. In {{ result("weights.same_word", ".0%") }} of its rows the likeliest next word is
# **the same word again**, though few words but syllables ever follow themselves. Its correlation with the truth (of
# logarithms, within rows) is {{ result("weights.correlation", ".2f") }}. Of pairs that occur in one order only it has the
# right order in {{ result("weights.one_way_direct", ".0%") }}, a coin toss (random weights: {{ result("weights.one_way_random", ".0%") }}).
#
# It cannot be otherwise. With tied embeddings the table is *E* *E*ᵀ, but for the final norm, and that is
# **symmetric**: what it says of "Anna sang" it says of "sang Anna". Its largest entries are where a word meets
# itself. The published tables of pairs come from models with two matrices; in tied ones, GPT-2 among them, the layers
# must drown what the direct path says. With layer 0, words still alone,
# {{ result("weights.one_way_layer0", ".0%") }} of the pairs point the right way.
#
# ## Which heads copy
#
# A head copies if its OV table makes the very word likelier that it looks at. The usual score comes from the table's
# eigenvalues: their sum over the sum of their sizes, +1 if everything is copied, −1 if everything is suppressed
# (`llmnotes.methods.heads.copying`). It feeds embeddings into heads of all layers, but a head of layer 2 never sees a
# bare embedding. So we add a second score, which feeds it the words *alone*, as the layers before have made them. The test
# is what heads do on 60 stories: by how many logits they raise the words that they look at, against the mean word.

# %% tags=["idea"]
SAMPLE = torch.stack([text[:128] for text in texts if len(text) >= 128][:60])


def reader(found):
    """U with the final norm's gain, without what is common to all words."""
    u = found.final_norm.weight[:, None] * found.w_u
    return (u - u.mean(0)) - (u - u.mean(0)).mean(1, keepdim=True)


def arriving(model):
    """What the heads of each layer read of a word alone, without what is common to all."""
    read = [b.norm_attn(x) for b, x in zip(parts(model).blocks, alone(model), strict=False)]
    return [x - x.mean(0) for x in read]


# %%
def judge(model, sample=SAMPLE):
    """Usual score, score with words alone, logits that a place gets: each (layer, head)."""
    found, seen = parts(model), trace(model, sample, ["pattern", "v", "resid_post"])
    size, u = norm_scale(found.final_norm, seen["resid_post", -1])[:, None], reader(found)
    scores, does = [], []
    for layer, (block, words) in enumerate(zip(found.blocks, arriving(model), strict=True)):
        values = torch.linalg.eigvals(block.w_o @ u @ words @ block.w_v)
        scores.append(values.sum(-1).real / values.abs().sum(-1))
        own = (block.w_o @ u).movedim(-1, 0)[sample] * seen["v", layer]
        own = own.sum(-1).transpose(
            1, 2
        )  # (batch, head, pos): logits of each word for itself
        paid = (seen["pattern", layer] / size).tril(-1).sum(2)  # attention from later words
        does.append((paid * own)[..., 1:].sum((0, 2)) / sample.numel())
    return copying(model).values, torch.stack(scores), torch.stack(does)


# %% [markdown]
# The scores of the head that copies most in each model, and the rank correlation of either score with the test.


# %%
def ranked(a, b):
    """The rank correlation of two tables of heads."""
    ranks = [x.flatten().argsort().argsort().double() for x in (a, b)]
    return torch.corrcoef(torch.stack(ranks))[0, 1].item()


usual, better, does = zip(*map(judge, MODELS.values()), strict=True)
TOP = [divmod(d.argmax().item(), 4) for d in does]
note(tops_are_l2h3_l1h3=TOP == [(2, 3), (1, 3)])
all_usual, all_alone, all_do = (
    torch.cat([s.flatten() for s in both]) for both in (usual, better, does)
)
note(
    atol=0.03,
    correlation_usual=ranked(all_usual, all_do),
    correlation_alone=ranked(all_alone, all_do),
)
note(
    songs_usual=usual[0][TOP[0]],
    small_usual=usual[1][TOP[1]],
    songs_alone=better[0][TOP[0]],
    small_alone=better[1][TOP[1]],
    copying_most=usual[0].max(),
    last_layer=usual[0][3].max(),
)
note(atol=1, songs_rank=(usual[0] >= usual[0][2, 3]).sum())
chance = copying(untrained(world)).values.abs().max().item()

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=3.2, sharey=True)
for ax, scores in zip(axes, (usual, better), strict=True):
    for i, (name, colour, mark) in enumerate(
        zip(MODELS, (BLUE, ORANGE), "os", strict=True)
    ):
        ax.plot(
            scores[i].flatten(), does[i].flatten(), mark, ms=6, color=colour, label=name
        )
        at, text = (scores[i][TOP[i]], does[i][TOP[i]]), "L{}H{}".format(*TOP[i])
        ax.annotate(text, at, (7, 4), textcoords="offset points", fontsize=10)
    ax.axvspan(-chance, chance, color=plots.GRID, label="control: random weights")
    ax.set(xlabel="copying score", xlim=(-1.08, 1.3), ylim=(-3.1, 1.7))
axes[0].set(title="The usual score", ylabel="logits added to the\nwords looked at")
axes[1].set_title("With words as they arrive")
axes[0].legend(loc="lower right", fontsize=9.5)
ALT = """Left: by the usual score the heads that copy most, L2H3 and L1H3, stand among those that suppress. Right: with
each word first sent through the earlier layers by itself, both stand on the side of copying."""
CAPTION = "Each point a head. Height: mean direct effect at a place of 60 stories."
figure(fig, name="copying", alt=ALT, caption=CAPTION)

# %% [markdown]
# In both models of `world` the head that copies most has a *negative* score: {{ result("weights.songs_usual", ".2f") }} for L2H3 of
# `world` and {{ result("weights.small_usual", ".2f") }}, nearly "suppresses everything", for L1H3 of the other. With words as
# they arrive it is {{ result("weights.songs_alone", ".2f") }} and {{ result("weights.small_alone", ".2f") }}, and the rank
# correlation with what heads do rises from {{ result("weights.correlation_usual", ".2f") }} to
# {{ result("weights.correlation_alone", ".2f") }}. Some heads with a high score still hardly copy, since no OV
# table knows where a head looks. Nor does a score say how much: the last layer's heads, all below
# {{ result("weights.last_layer", ".2f") }}, do next to nothing of the kind.
#
# And in a model of real text? [`fairytale`](../models/fairytale.md) has {{ result("weights.tale_heads") }} heads, tied embeddings too, and one head, L0H0, that was *planted*: where it looks
# (one token back) was set by hand and kept. The test is on 16 tales of its own. The control deals the heads' effects out at random, 500 times.

# %%
tale, draw = llmnotes.load("fairytale"), torch.Generator().manual_seed(0)
start = torch.zeros(16, 1, dtype=torch.long)
told = generate(from_gpt2(tale.model), start, 127, temperature=1.0, generator=draw)
by_usual, by_alone, did = judge(tale, told)
order, sure = did.flatten().argsort(descending=True).argsort(), by_alone.flatten() > 0.8
deals = [torch.randperm(did.numel(), generator=draw) for _ in range(500)]
shuffles = [ranked(by_alone, did.flatten()[dealt]) for dealt in deals]
TALES = "the tales are sampled, and rounding may change them from some word on"
top = did.flatten().argmax()
rho_usual, rho_alone = ranked(by_usual, did), ranked(by_alone, did)
of_tales = within(atol=0.06, because=TALES)
of_tales(
    tale_usual=by_usual.flatten()[top],
    tale_alone=by_alone.flatten()[top],
    tale_planted=did[0, 0],
    tale_rho_usual=rho_usual,
    tale_rho_alone=rho_alone,
    tale_rho_chance=np.quantile(shuffles, 0.95),
    tale_gain=rho_alone - rho_usual,
)
of_tales(tale_heads=did.numel(), tale_sure=sure.sum())
of_tales(atol=1, tale_sure_rank=order[sure].max() + 1)

# %% [markdown]
# In part the same picture. The rank correlation with what heads do is {{ result("weights.tale_rho_usual", ".2f") }} for the usual score and
# {{ result("weights.tale_rho_alone", ".2f") }} with words as they arrive; 95 % of the deals stay below {{ result("weights.tale_rho_chance", ".2f") }}.
# The second score puts {{ result("weights.tale_sure") }} heads above 0.8, and all of them are among the
# {{ result("weights.tale_sure_rank") }} that copy most (we chose that threshold after seeing the scores, so this tests nothing). The head that copies most has
# {{ result("weights.tale_alone", ".2f") }}, and by the usual score {{ result("weights.tale_usual", ".2f") }}: small, but not negative. The planted head copies nothing itself ({{ result("weights.tale_planted", "+.3f") }} logits). It was made to bring the previous word for later
# heads to read, and no OV table into the logits shows that.
#
# ## Eighty-two facts, read from a matrix
#
# Now the OV tables as tables. In the row of a person, is the largest of the ten towns the person's home? The same for
# jobs, foods and landmarks. The control gives each person the facts of another.

# %% tags=["idea"]
KINDS = [(lex.HOME, lex.TOWNS, "lives in"), (lex.JOB, lex.JOBS, "is a")]
KINDS += [(lex.FOOD, lex.FOODS, "likes"), (lex.LANDMARK, lex.LANDMARKS, "lies by the")]
FACTS = [(a, b, kind, how) for truth, kind, how in KINDS for a, b in truth.items()]


WHO, RIGHT = (word_ids(fact[i] for fact in FACTS) for i in (0, 1))
KIND = torch.stack([torch.isin(torch.arange(V), word_ids(fact[2])) for fact in FACTS])


def facts_in(tables, right=RIGHT):
    """The share of the facts that each of the tables (..., word, word) holds."""
    rows = tables[..., WHO, :].masked_fill(~KIND, -torch.inf)
    return (rows.argmax(-1) == right).double().mean(-1)


# %% tags=["idea"]
def ov(found, inputs):
    """The OV tables (layer, head, word looked at, word made likelier)."""
    each = zip(inputs, found.blocks, strict=True)
    return torch.stack([x @ b.w_v @ b.w_o @ reader(found) for x, b in each])


raw = ov(S, [b.norm_attn(S.w_e) - b.norm_attn(S.w_e).mean(0) for b in S.blocks])
tables, big = (ov(parts(model), arriving(model)) for model in (small, world))
another = torch.cat([part.roll(5) for part in RIGHT.split([24, 24, 24, 10])])
dealt = facts_in(tables, another)

# %%
note(
    atol=0.015,
    facts_best=facts_in(raw).max(),
    facts_embedding=facts_in(raw.sum((0, 1))),
    facts_all=facts_in(tables.sum((0, 1))),
    facts_world=facts_in(big.sum((0, 1))),
    facts_l1h1=facts_in(tables)[1, 1],
    facts_dealt=dealt.mean(),
)

# %% [markdown]
# One matrix of the attention-only model, L0H2's, holds {{ result("weights.facts_best", ".0%") }} of the facts (facts of
# others: {{ result("weights.facts_dealt", ".0%") }}). All eight together, with words as they arrive, hold
# **{{ result("weights.facts_all", ".0%") }}**: we can read what it knows without asking it anything. Fed with
# embeddings they hold {{ result("weights.facts_embedding", ".0%") }}. In `world`, where MLPs take part, it is
# {{ result("weights.facts_world", ".0%") }}.
#
# ## From weights to behaviour
#
# What will L0H2 do, then? Two readings of layer 0: how much names stand out, by $W_Q W_K^\top$, among all words that *in*,
# *a* and *likes* could look at; and what each head says for the *kind* of answer when it looks at the asking word.

# %%
x = S.blocks[0].qkv[0](S.blocks[0].norm_attn(alone(small)[0]))
q, k = (S.blocks[0].heads(which, x).transpose(0, 1) for which in "qk")
fit = (q @ k.transpose(1, 2) * S.blocks[0].scale)[:, word_ids("in a likes")]
pull = fit[..., word_ids(lex.PEOPLE)].mean((1, 2)) - fit.mean((1, 2))
print("how names stand out, heads 0 to 3:", pull.numpy().round(1))
for _, kind, how in KINDS:
    says = tables[0, :, lex.IDS[how.split()[-1]], word_ids(kind)].mean(-1)
    print(how, "... for the kind of", kind[0], says.numpy().round(1))

# %% [markdown]
# The reading: L0H2 looks at the person and brings all that belongs to the person at once. L0H0 tells at *in* that a town
# is asked for, L0H3 at *a* that it is a job. So we predict: without L0H2 answers are of the right kind and the wrong
# person; without L0H3 of the right person and the wrong kind. (Honestly: L0H2 was named before any test; the kinds we
# thought of reading only when L0H3 had turned out to matter.) The test: each head's output replaced by its mean.

# %%
OTHERS = trace(small, SAMPLE, ["z"])
ASKED = [f"{lex.END} the dog runs . {who} {how}" for who, _, _, how in FACTS]


def answers():
    """Of each fact: right? of the right kind? right among its kind? (3, 82)"""
    seen = trace(small, ASKED, ["logits"])
    logits = seen["logits"][range(82), seen.mask.sum(1) - 1]
    best, among = logits.argmax(1), logits.masked_fill(~KIND, -torch.inf).argmax(1)
    return torch.stack([best == RIGHT, KIND[range(82), best], among == RIGHT]).double()


without = {}
for head in [(layer, head) for layer in (0, 1) for head in range(4)]:
    with ablate(small, "z", head[0], heads=[head[1]], by="mean", reference=OTHERS):
        without[head] = answers()

# %%
needed = min(without, key=lambda head: without[head][0].sum())
note(best_is_needed=needed == divmod(facts_in(raw).argmax().item(), 4))
at_likes = trace(small, ASKED[48:72], ["pattern"])["pattern", 0][:, 2, -1, -2]
person, kind = without[0, 2].mean(1), without[0, 3].mean(1)  # right, of the kind, among it
note(
    looks_at_person=at_likes.mean(),
    homes=without[0, 0][0, :24].mean(),
    kind_jobs=without[0, 3][0, 24:48].mean(),
    person_right=person[0],
    person_of_kind=person[1],
    person_among=person[2],
    kind_right=kind[0],
    kind_of_kind=kind[1],
    kind_among=kind[2],
)

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.2, sharey=True)
at, lost = (
    np.arange(8),
    100 * (1 - np.array([rows.mean(1).numpy() for rows in without.values()])),
)
left.barh(at, 100 * facts_in(tables).flatten(), color=BLUE, label="in the OV table")
left.plot(
    100 * dealt.flatten(),
    at,
    "|",
    ms=14,
    mew=2.5,
    color=plots.INK,
    label="control: facts of another",
)
right.barh(at, lost[:, 1], color=ORANGE, label="wrong kind")
wrong_one = lost[:, 0] - lost[:, 1]
right.barh(at, wrong_one, left=lost[:, 1], color=GREEN, label="right kind, wrong one")
left.set_yticks(at, ["L{}H{}".format(*head) for head in without])
left.invert_yaxis()
left.set(title="Read from weights", xlabel="facts held (%)", xlim=(0, 100))
right.set(title="Without this head", xlabel="answers wrong (%)", xlim=(0, 100))
left.legend(loc="lower right", fontsize=9.5)
right.legend(loc="lower right", fontsize=9.5)
ALT = """Left: L0H2 and L1H1 hold nearly nine in ten facts, other heads few. Right: without L0H2 a third of the answers are
wrong, most of them of the right kind; without L0H3, whose table holds hardly a fact, half are wrong, all of
the wrong kind."""
CAPTION = "Model `world/attention-only`, 82 facts."
figure(fig, name="facts", alt=ALT, caption=CAPTION, rtol=0.03, because=FIXED)

# %% [markdown]
# It is as read. At *likes* L0H2 pays the person {{ result("weights.looks_at_person", ".0%") }} of its attention. Without it
# {{ result("weights.person_right", ".0%") }} of the answers are right and {{ result("weights.person_of_kind", ".0%") }}
# of the right kind: the question is kept, the person lost. Without L0H3 {{ result("weights.kind_right", ".0%") }} are right,
# but if only words of the right kind compete, {{ result("weights.kind_among", ".0%") }}: the person is kept, the question
# lost. No job is right without L0H3 ({{ result("weights.kind_jobs", ".0%") }}), and {{ result("weights.homes", ".0%") }} of the homes
# without L0H0. Only for *likes* the reading named the wrong head (L0H1, without which nothing is lost).
#
# But our prediction failed: the head that facts need most is not the one that holds most of them. Its own table
# holds next to none. A table is of no use without someone to say which column is asked for.
#
# ## What surprised us
#
# - In a tied model the direct path *cannot* say which of two words comes first. We had not thought of it.
# - The usual copying score has the wrong sign for the head that copies most, in both models of world, and does not tell which heads copy in fairytale.
# - Nearly all facts can be read, but only when each word is first sent through layer 0 by itself.
# - The head that facts need most holds none of them.
#
# ## Try it yourself
#
# **1. The second table** (intermediate, 10 minutes). For words as they arrive L1H1 holds {{ result("weights.facts_l1h1", ".0%") }}
# of the facts, and hardly an answer is wrong without it. Is it of no use? Take it away together with L0H2.
#
# ??? tip "Hint"
#     Two `ablate` in one `with`. Compare with L0H2 and another head of layer 1.

# %% tags=["solution"]
how, left = {"by": "mean", "reference": OTHERS}, {}
for other in (1, 2):
    with (
        ablate(small, "z", 0, heads=[2], **how),
        ablate(small, "z", 1, heads=[other], **how),
    ):
        left[other] = answers()[0].mean().item()
assert left[1] < left[2] - 0.1, f"{left}: L1H1 should matter once L0H2 is gone"
print("right without L0H2 and L1H1, or L1H2:", left)

# %% [markdown]
# **2. How many directions?** (advanced, 15 minutes). The *singular values* of a matrix say how strongly it passes on each
# of its directions. From their squares, as shares of the sum, comes a number of directions in use: e to the power of
# their entropy. Compare each matrix of `world` with a random one of the same shape. Which are
# farthest from chance?
#
# ??? tip "Hint"
#     `torch.linalg.svdvals`, `torch.special.entr`, and the entries of `named_parameters()` with two dimensions.


# %% tags=["solution"]
def directions(matrix):
    square = torch.linalg.svdvals(matrix) ** 2
    return torch.special.entr(square / square.sum()).sum().exp()


torch.manual_seed(0)
matrices = {name: m for name, m in world.model.named_parameters() if m.dim() == 2}
used = {
    name: (directions(m) / directions(torch.randn(m.shape))).item()
    for name, m in matrices.items()
}
note(atol=0, fewer_directions=np.mean([share < 1 for share in used.values()]))
order = sorted(used, key=used.get)
assert "wpe" in order[0], f"{order}: places should be farthest from chance"
print(
    {
        name.removeprefix("transformer."): round(used[name], 2)
        for name in (*order[:3], *order[-3:])
    }
)

# %% [markdown]
# ## What this does not show
#
# - Three small models with tied embeddings, one training run each. In others the usual score may do well. The direct path and the facts we read in models of `world` only.
# - Words "alone" leave out all that other words bring. It is the simplest remedy, not the best.
# - That a table holds a fact does not show that it is used: see exercise 2. Names are one word each here.
#
# ## Links
#
# - Finding: [The copying score can have the wrong sign](../findings/weights-copying-score.md)
# - Finding: [What an attention-only model knows can be read from its weights](../findings/weights-facts-read.md)
# - Dead end: [Bigrams from tied embeddings](../dead-ends/weights-tied-bigrams.md)
# - Surprise: [The head that facts need most holds none](../surprises/weights-needed-head-holds-none.md)
# - Question: [Why do nearly all late heads score as suppressing?](../questions/weights-late-heads-suppress.md)
# - Elhage et al. (2021), [A Mathematical Framework for Transformer Circuits](https://transformer-circuits.pub/2021/framework/index.html)
# - Press & Wolf (2017), [Using the output embedding to improve language models](https://arxiv.org/abs/1608.05859)

# %% tags=["labels"]
in_words(
    one_way_layer0="One-way pairs in the right order, layer 0 alone",
    one_way_random="One-way pairs in the right order, random weights",
    one_way_direct="One-way pairs in the right order, direct path",
    same_word="Words that predict themselves on the direct path",
    correlation="Correlation of the direct path with the true table",
    tops_are_l2h3_l1h3="The heads that copy most are L2H3 and, without MLPs, L1H3",
    correlation_usual="Rank correlation of the usual score with what heads copy",
    songs_usual="Usual copying score of L2H3 in World",
    small_usual="Usual copying score of L1H3 in the model without MLPs",
    correlation_alone="Rank correlation of the score on words as they arrive with what heads copy",
    songs_alone="Score on words as they arrive of L2H3 in World",
    small_alone="Score on words as they arrive of L1H3 in the model without MLPs",
    copying_most="Largest usual copying score in World",
    songs_rank="Rank of L2H3 by the usual score, of 16",
    last_layer="Largest usual score in the last layer",
    tale_usual="Fairytale: usual score of the head that copies most",
    tale_alone="Fairytale: its score on words as they arrive",
    tale_planted="Fairytale: copied by the planted head, in logits",
    tale_rho_usual="Fairytale: rank correlation of the usual score with what heads copy",
    tale_rho_alone="Fairytale: rank correlation of the score on words as they arrive",
    tale_rho_chance="Fairytale: rank correlation that one random order in twenty exceeds",
    tale_gain="Fairytale: gain in rank correlation",
    tale_heads="Fairytale: heads",
    tale_sure="Fairytale: heads with a score above 0.8 on words as they arrive",
    tale_sure_rank="Fairytale: worst rank of these by what they copy",
    facts_best="Facts in the best single OV table",
    facts_embedding="Facts in all OV tables together, fed with embeddings",
    facts_all="Facts in all OV tables together, fed with words as they arrive",
    facts_world="Facts in all OV tables of World",
    facts_l1h1="Facts in L1H1's OV table, words as they arrive",
    facts_dealt="Facts of other people in a table, the control",
    best_is_needed="The head with the best table is the one facts need most",
    looks_at_person="Attention of L0H2 to the person",
    homes="Homes right without L0H0",
    kind_jobs="Jobs right without L0H3",
    person_right="Facts right without L0H2",
    person_of_kind="Answers of the right kind without L0H2",
    person_among="Facts right without L0H2, among words of the kind",
    kind_right="Facts right without L0H3",
    kind_of_kind="Answers of the right kind without L0H3",
    kind_among="Facts right without L0H3, among words of the kind",
    fewer_directions="Matrices that use fewer directions than random ones",
)
