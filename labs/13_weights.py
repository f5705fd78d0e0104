# ---
# title: Weights alone
# question: What can be read from a model's weights without running it on any text, and which readings are wrong?
# answer: >-
#   Of the facts of an attention-only model, {{ result("weights.facts_all", ".0%") }} can be read from its heads' tables. The table
#   of the head that they need most holds hardly any.
# chapter: Inside
# level: intermediate
# models: [world, world/attention-only, fairytale]
# needs: [03_attention, 12_mlps]
# tags: [weights, attention heads, copying, facts]
# thumbnail: facts
# timeout: 500
# ---

# %% tags=["setup"]
import numpy as np
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.methods import copying
from llmnotes.model import ablate, norm_scale, parts, read_out, replace, trace, untrained
from llmnotes.scratch import from_gpt2, generate
from llmnotes.world import lexicon as lex
from llmnotes.world import story_ids, word_ids

BLUE, ORANGE, GREEN, *_ = plots.COLOURS
torch.set_grad_enabled(False)
FIXED = "rounding, near ties"
note = within(atol=0.02, because=FIXED)
MODELS = {name: llmnotes.load(name) for name in ("world", "world/attention-only")}
world, small = MODELS.values()
W, S = parts(world), parts(small)
V = len(lex.VOCABULARY)
texts = [torch.tensor(story_ids(9, n, 129)) for n in range(800)]

# %% [markdown]
# ## A case you can hold: reading Anna's home off a matrix
#
# *World/attention-only* is a model without MLPs: between embedding and unembedding it has two layers of four attention
# heads. It knows where Anna lives. We do not ask it. We multiply four of its matrices into a table with a row and a
# column for every word. In the row of *Anna*, which of the ten towns has the largest number?

# %% tags=["idea"]
block = S.blocks[0]
x = block.norm_attn(S.w_e)  # every word's embedding, as the heads of layer 0 read it
x = x - x.mean(0)  # less what all words share
table = x @ block.w_v[2] @ block.w_o[2] @ S.w_u  # head 2: (word looked at, next word)
towns = word_ids(lex.TOWNS)
for who in ("Anna", "Karl"):
    best = towns[table[lex.IDS[who], towns].argmax()]
    print(f"{who}: the matrix says {lex.VOCABULARY[best]}, in truth {lex.HOME[who]}")

# %% tags=["setup"]
assert lex.VOCABULARY[towns[table[lex.IDS["Anna"], towns].argmax()]] == lex.HOME["Anna"]

# %% [markdown]
# No text went through the model, and both answers are right. The language has 82 such facts: homes, jobs and favourite
# foods of 24 people, and the landmarks of ten towns. How many of them can be read like this? And if a head's table
# holds a fact, does the model need that head to say it?
#
# ## What a head brings is one table
#
# {{ drawing("one-head", light=("values", "output"), alt="One attention head: a query compares itself with the keys of earlier words, and their values flow into a sum, which W_O adds to the stream. Values and W_O are lit up.") }}
#
# In the drawing, a head at *in* looks at *Anna*. Where it looks is decided by $W_Q W_K^{\top}$. What it brings from
# there is decided by the part that is lit up, in three steps: the embedding of *Anna* goes in; $\v{W_V W_O}$ turns it
# into the vector that is added at *in*; the unembedding turns that vector into a *logit*, a score, for each possible
# next word. Do this for all words at once, and head $h$ is a table, its *OV table*:
#
# $$
# T_h = E\, \v{W_V W_O}\, U
# $$
#
# $E$ holds the embeddings, one row for each word, and $U$ is the unembedding. The entry in the row of *Anna* and the
# column of *Isley* says how far the head raises the logit of *Isley* when it looks at *Anna*. We write L0H2 for head 2
# of layer 0, the one that we read above.
#
# A head of layer 1 never sees a bare embedding, since layer 0 has already added to it. So we also feed the tables with
# *words as they arrive*: we send each word, alone, through the layers before. That, too, takes no text. The idea of
# reading heads as tables is from [Elhage et al. (2021)](https://transformer-circuits.pub/2021/framework/index.html).


# %% tags=["setup"]
def reader(found):
    """U with the final norm's gain, without what is common to all words."""
    u = found.final_norm.weight[:, None] * found.w_u
    return (u - u.mean(0)) - (u - u.mean(0)).mean(1, keepdim=True)


# %% tags=["idea"]
def alone(model):
    """The stream of every word by itself, at its start and after each layer: (vocab, d_model) each."""
    found = parts(model)
    start = found.w_e + found.embeddings[1].weight[1:].mean(0)  # at an average place
    with replace(model, "resid_pre", 0, start[:, None]):
        seen = trace(model, torch.arange(len(start))[:, None], ["resid_post"])
    return [start, *seen.stack("resid_post")[:, :, 0]]


def arriving(model):
    """What the heads of each layer read of a word alone, without what is common to all."""
    read = [b.norm_attn(x) for b, x in zip(parts(model).blocks, alone(model), strict=False)]
    return [x - x.mean(0) for x in read]


# %% [markdown]
# In GPT-2, and so in our models, one matrix serves both ends. Their embeddings are *tied*: $U = E^{\top}$.
#
# ```exercise
# title: The copying table
# minutes: 3
# code: |
#   # a head whose W_V W_O is the identity, in a model with tied, orthonormal embeddings
#   E = torch.linalg.qr(torch.randn(4, 4)).Q
#   T = E @ torch.eye(4) @ ▢
#   # whatever it looks at becomes likelier:
#   assert (T.argmax(1) == torch.arange(4)).all()
# right: ["E.T", "E.mT", "E.t()", "E.transpose(0, 1)", "E.transpose(1, 0)", "E.transpose(-1, -2)", "E.inverse()", "torch.linalg.inv(E)"]
# praise: "With tied embeddings the unembedding is the embedding turned round. This head copies."
# wrong:
#   "-E.T": "Then the word looked at becomes less likely: the head suppresses."
#   "E": "This compares a word's vector with the columns of E. The embeddings are its rows."
#   "torch.eye(4)": "This leaves the stream as it is: four numbers of a vector, not four scores of words."
#   "0": "A number is no matrix. What turns the stream into scores of words?"
# otherwise: "The table ends with the unembedding. In a tied model, which matrix is that?"
# solution: "`E.T`"
# ```
#
# ## Your prediction
#
# A table *holds* Anna's home if, in her row, her town has the largest entry of the ten; and so for jobs, foods and
# landmarks. We count the facts that each head's table holds. Then we run the model without each head in turn (we
# replace its output by its mean over 60 stories) and count the answers that stay right.
#
# Before you choose, think of what a head brings when it looks at *Anna*. It is always the same row, whether her home,
# her job or her food is asked for.

# %% tags=["setup"]
# Our own guesses, written before we had looked at any weights; two measures were settled after a first look.
predict("Straight from E to U most words predict themselves", 0.7, same_word="> 0.5")
predict("That table and the true one correlate above 0.3", 0.25, correlation="> 0.3")
predict("With layer 0 alone 4 of 5 one-way pairs are right", 0.6, one_way_layer0="> 0.8")
predict("Some head of World has a copying score above ½", 0.7, copying_most="> 0.5")
predict("L2H3 is among the 3 of 16 that copy most by score", 0.6, songs_rank="<= 3")
predict("One OV table holds more than half of the facts", 0.5, facts_best="> 0.5")
predict("All OV tables, fed with embeddings, hold 4 of 5", 0.6, facts_embedding="> 0.8")
predict("Facts need the head whose table holds most of them", 0.6, best_is_needed="== 1")
predict("3 of 4 matrices use fewer directions than chance", 0.5, fewer_directions="> 0.75")
# These two came later, before any run of these scores on Fairytale.
right = "Words as they arrive rank the heads of Fairytale better than the usual score"
predict(right, 0.7, tale_gain="> 0")
sign = "The head of Fairytale that copies most has a negative usual score"
predict(sign, 0.4, tale_usual="< 0")

# %%
ask(
    "One head's table holds about three quarters of the facts. Which head costs the most facts when it is taken away?",
    choices={
        "same": "That one: without the table the facts are gone",
        "none": "Another one, whose own table holds hardly a fact",
        "all": "None in particular: others hold the same facts and step in",
    },
    answer="none",
    because={
        "same": "It brings all that belongs to the person. But home, job and food come at once, and someone must say what was asked for.",
        "none": "One head tells the kind of answer that is asked for. Without it the right person's wrong kind of fact is said.",
        "all": "One other table does hold as many facts, and steps in for a part of them. The facts still break elsewhere.",
    },
    figure="facts",
    best_is_needed="== 0",
)

# %% [markdown]
# ## Nearly all facts can be read, and the head that they need most holds hardly any
#
# Adding up the tables of several heads gives one table again. So we can also ask what all heads hold together.

# %% tags=["setup"]
KINDS = [(lex.HOME, lex.TOWNS, "lives in"), (lex.JOB, lex.JOBS, "is a")]
KINDS += [(lex.FOOD, lex.FOODS, "likes"), (lex.LANDMARK, lex.LANDMARKS, "lies by the")]
FACTS = [(a, b, kind, how) for truth, kind, how in KINDS for a, b in truth.items()]
WHO, RIGHT = (word_ids(fact[i] for fact in FACTS) for i in (0, 1))
KIND = torch.stack([torch.isin(torch.arange(V), word_ids(fact[2])) for fact in FACTS])


# %% tags=["idea"]
def ov(found, inputs):
    """The OV tables (layer, head, word looked at, word made likelier)."""
    each = zip(inputs, found.blocks, strict=True)
    return torch.stack([x @ b.w_v @ b.w_o @ reader(found) for x, b in each])


def facts_in(tables, right=RIGHT):
    """The share of the facts that each of the tables (..., word, word) holds."""
    rows = tables[..., WHO, :].masked_fill(~KIND, -torch.inf)
    return (rows.argmax(-1) == right).double().mean(-1)


# %% tags=["setup"]
raw = ov(S, [b.norm_attn(S.w_e) - b.norm_attn(S.w_e).mean(0) for b in S.blocks])
tables, big = (ov(parts(model), arriving(model)) for model in (small, world))
another = torch.cat([part.roll(5) for part in RIGHT.split([24, 24, 24, 10])])
dealt = facts_in(tables, another)
seeds = [world, *(llmnotes.load("world", seed=n) for n in range(1, 5))]
of_runs = torch.stack([facts_in(ov(parts(m), arriving(m)).sum((0, 1))) for m in seeds])
note(
    atol=0.015,
    facts_best=facts_in(raw).max(),
    facts_embedding=facts_in(raw.sum((0, 1))),
    facts_all=facts_in(tables.sum((0, 1))),
    facts_world=facts_in(big.sum((0, 1))),
    facts_l1h1=facts_in(tables)[1, 1],
    facts_dealt=dealt.mean(),
    runs_facts_least=of_runs.min(),
    runs_facts_most=of_runs.max(),
)
SAMPLE = torch.stack([text[:128] for text in texts if len(text) >= 128][:60])

# %% tags=["setup"]
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


# %% tags=["setup"]
def other_training(model):
    """Facts in all tables, right without the head that is needed most, and in that head's own table."""
    tables, reference = ov(parts(model), arriving(model)), trace(model, SAMPLE, ["z"])
    right = {}
    for head in without:
        layer, n = head
        with ablate(model, "z", layer, heads=[n], by="mean", reference=reference):
            seen = trace(model, ASKED, ["logits"])
        said = seen["logits"][range(82), seen.mask.sum(1) - 1].argmax(1)
        right[head] = (said == RIGHT).double().mean()
    most = min(right, key=right.get)
    return facts_in(tables.sum((0, 1))), right[most], facts_in(tables)[most]


trainings = [llmnotes.load("world/attention-only", seed=n) for n in range(3)]
trainings = torch.stack([torch.stack(other_training(model)) for model in trainings])
note(
    small_runs_facts_least=trainings[:, 0].min(),
    small_runs_right_most=trainings[:, 1].max(),
    small_runs_table_least=trainings[:, 2].min(),
    small_runs_table_most=trainings[:, 2].max(),
)

# %% tags=["setup"]
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
fig, (left, right) = plots.subplots(1, 2, height=3.4, sharey=True)
at, lost = (
    np.arange(8),
    100 * (1 - np.array([rows.mean(1).numpy() for rows in without.values()])),
)
left.barh(at, 100 * facts_in(tables).flatten(), color=BLUE)
left.plot(100 * dealt.flatten(), at, "|", ms=14, mew=2.5, color=plots.INK)
kinds = right.barh(at, lost[:, 1], color=ORANGE)
kinds[3].set_gid("choice-none")
wrong_one = lost[:, 0] - lost[:, 1]
persons = right.barh(at, wrong_one, left=lost[:, 1], color=GREEN)
persons[2].set_gid("choice-same")
left.set_yticks(at, ["L{}H{}".format(*head) for head in without])
left.invert_yaxis()
left.set(title="Facts in a head's table", xlabel="facts held (%)", xlim=(0, 100))
right.set(title="Wrong without the head", xlabel="answers wrong (%)", xlim=(0, 100))
left.text(20, 3.2, "| control: others' facts")
right.text(40, 0.1, "wrong kind", color=ORANGE)
right.text(40, 1.1, "right kind, wrong one", color=GREEN)
figure(
    fig,
    name="facts",
    alt="Left: L0H2 and L1H1 hold nearly nine in ten facts, other heads few. Right: without L0H2 a third of the answers are "
    "wrong, most of them of the right kind; without L0H3, whose table holds hardly a fact, half are wrong, all of "
    "the wrong kind.",
    caption="World/attention-only, 82 facts; tables fed with words as they arrive.",
    rtol=0.03,
    because=FIXED,
)

# %% [markdown]
# What can be read? L0H2's table alone holds {{ result("weights.facts_best", ".0%") }} of the facts, fed with bare
# embeddings. All eight tables together, fed with words as they arrive, hold {{ result("weights.facts_all", ".0%") }}.
# So we can read nearly all facts that this model knows without running it on text.
#
# In the control we look for the facts of another person in the same row, and find
# {{ result("weights.facts_dealt", ".0%") }}. In *World*, where MLPs take part as well, the tables hold fewer facts:
# {{ result("weights.runs_facts_least", ".0%") }} to {{ result("weights.runs_facts_most", ".0%") }}, over five training
# runs.
#
# And which head do the facts need most? Neither L0H2 nor L1H1, the two longest blue bars, but L0H3, whose table holds
# next to none. Without it {{ result("weights.kind_right", ".0%") }} of the answers are right, and every wrong answer is
# of the wrong kind: not the wrong job, but no job at all. Let only words of the right kind compete, and
# {{ result("weights.kind_among", ".0%") }} are right. The model still knows the person and has lost the question.
#
# Without L0H2 the opposite happens: {{ result("weights.person_of_kind", ".0%") }} of the answers are of the right kind,
# but only {{ result("weights.person_right", ".0%") }} are right. So one head brings the person's facts, and another
# says which of them was asked for.
#
# Three trainings of this model agree. All tables together hold at least
# {{ result("weights.small_runs_facts_least", ".0%") }} of the facts, and the table of the most needed head at most
# {{ result("weights.small_runs_table_most", ".0%") }}, about as many as chance. A fourth training, made to test this
# page, is different: there the head that holds most facts is also the one that they need most.
#
# ## The direct path says the same word again
#
# One more table needs no head. Skip all layers, and read the next word straight from the embedding: $E U$. Elhage et
# al. find that this *direct path* tends to hold *bigrams*, the table of which word follows which. Does it here? In our
# stories *lives in* occurs, and *in lives* never does. We take all such *one-way pairs*, which come in one order at
# least ten times and never in the other. Does the direct path give the order that occurs the larger number?

# %% tags=["setup"]
count = torch.zeros(V, V)
for text in texts:
    count.index_put_((text[:-1], text[1:]), torch.ones(1), accumulate=True)
one_way = (count >= 10) & (count.T == 0)  # a is followed by b, and never b by a

# %% tags=["setup"]
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

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.5)
rows = {
    "direct path": "direct",
    "layer 0, words alone": "layer0",
    "control: random weights": "random",
}
for y, name in enumerate(rows.values()):
    share = 100 * one_way_right[name].item()
    ax.barh(y, share, color=ORANGE if name == "random" else BLUE, height=0.35)
    ax.text(share + 3, y, f"{share:.0f}", va="center")
    ax.text(0, y - 0.24, list(rows)[y], va="bottom")
ax.axvline(50, color=plots.INK, ls="--", lw=1)
ax.set(xlabel="pairs in the right order (%)", xlim=(0, 100), ylim=(2.4, -0.65), yticks=())
ax.set_title("The direct path does not know the order")
ax.grid(axis="y", visible=False)
figure(
    fig,
    name="direct",
    alt="Of pairs of words that occur in one order only, the direct path has 48% in the right order, random weights the same, layer 0 79%.",
    caption="World. Dashed: a coin toss.",
    rtol=0.02,
    because=FIXED,
)

# %% [markdown]
# The direct path has {{ result("weights.one_way_direct", ".0%") }} of them in the right order, no better than a coin
# toss. It could not do better. With tied embeddings the table is $E E^{\top}$, apart from the norm, and that is
# symmetric: what it says of *lives in* it also says of *in lives*.
#
# Its largest entries are where a word meets itself: in {{ result("weights.same_word", ".0%") }} of the rows the
# likeliest next word is the same word again. The published bigram tables come from models in which $E$ and $U$ are
# separate matrices.
#
# ## A copying score says more about the layer than about the head
#
# A head *copies* if its table raises the logit of the very word that it looks at. Can we see this in the table? Feed it
# a mixture of words that comes out as the same mixture, $\lambda$ times as large. If $\lambda$ is positive, the head
# copies this mixture; if it is negative, the head *suppresses* it. These factors are the *eigenvalues* $\lambda_i$ of
# the table. The usual score compares their sum with the sum of their sizes:
#
# $$
# c_h = \frac{\sum_i \lambda_i}{\sum_i |\lambda_i|}
# $$
#
# The score is +1 if everything is copied and −1 if everything is suppressed. For the *null*, the score that chance
# gives, we shuffle the rows of the table, so that a row and its column no longer belong to the same word. (Embeddings
# are centred, and the norms' gains applied.) Then we compare the score with what the head does on 60 stories: by how
# many logits does it raise the words that it looks at?


# %% tags=["setup"]
def judge(model, sample=SAMPLE):
    """Usual score, score with words alone, logits that a place gets: each (layer, head)."""
    found, seen = parts(model), trace(model, sample, ["pattern", "v", "resid_post"])
    size, u = norm_scale(found.final_norm, seen["resid_post", -1])[:, None], reader(found)
    scores, does = [], []
    for layer, (block, words) in enumerate(zip(found.blocks, arriving(model), strict=True)):
        values = torch.linalg.eigvals(block.w_o @ u @ words @ block.w_v)
        scores.append(values.sum(-1).real / values.abs().sum(-1))
        own = (block.w_o @ u).movedim(-1, 0)[sample] * seen["v", layer]
        own = own.sum(-1).transpose(1, 2)  # (batch, head, pos): logits of a word for itself
        paid = (seen["pattern", layer] / size).tril(-1).sum(2)  # attention from later words
        does.append((paid * own)[..., 1:].sum((0, 2)) / sample.numel())
    return copying(model).values, torch.stack(scores), torch.stack(does)


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
runs = [judge(model) for model in seeds]  # of five training runs of World
bounds = [copying(model).bound for model in seeds]
tops = [divmod(did.argmax().item(), 4) for *_, did in runs]
of_top = np.array(
    [[u[top].item(), a[top].item()] for (u, a, _), top in zip(runs, tops, strict=True)]
)
note(runs_top_negative=(of_top[:, 0] < 0).sum())
note(runs_top_alone_positive=(of_top[:, 1] > 0).sum())
note(
    runs_late_negative=sum(
        bool((u[3] < -bound).all()) for (u, *_), bound in zip(runs, bounds, strict=True)
    ),
    runs_alone_better=sum(ranked(a, d) > ranked(u, d) for u, a, d in runs),
)
note(
    null_bound=max(bounds),
    runs_late_most=max(u[3].max().item() for u, *_ in runs),
    runs_top_usual_least=of_top[:, 0].min(),
    runs_top_usual_most=of_top[:, 0].max(),
    runs_top_alone_least=of_top[:, 1].min(),
)

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=3.3, sharey=True)
for ax, which in zip(axes, (0, 1), strict=True):
    for (*scores, did), top in zip(runs, tops, strict=True):
        x = scores[which]
        ax.plot(x[:3].flatten(), did[:3].flatten(), "o", ms=4.5, color=BLUE, mew=0)
        ax.plot(x[3], did[3], "s", ms=4.5, color=ORANGE, mew=0)
        ax.plot(x[top], did[top], "o", ms=11, mfc="none", mec=plots.INK)
    if not which:
        ax.axvspan(-max(bounds), max(bounds), color=plots.GRID, zorder=0)
    ax.set(xlabel="copying score", xlim=(-1.08, 1.08))
axes[0].set(title="With embeddings", ylabel="logits added to the\nwords looked at")
axes[1].set_title("With words as they arrive")
axes[0].text(-1, axes[0].get_ylim()[0] * 0.95, "■ last layer", color=ORANGE, va="bottom")
axes[0].text(0.3, axes[0].get_ylim()[0] * 0.95, "● before", color=BLUE, va="bottom")
figure(
    fig,
    name="copying",
    alt="Left: by the usual score all heads of the last layer stand far on the side of suppressing, though they add and take next to nothing. "
    "The heads that copy most stand on either side. Right: with each word first sent through the earlier layers, the heads that copy most "
    "stand on the side of copying.",
    caption="Heads of five training runs. Ringed: the head of each run that copies most. Grey: the control, where 19 of 20 heads stay "
    "with words permuted.",
    title="The last layer scores as suppressing in every run",
    rtol=0.03,
    because=FIXED,
)

# %% [markdown]
# Each mark is a head. Further right it *scores* as copying; further up it *does* copy. If the score were right, the
# marks would rise from left to right. In the first panel they do not. All heads of the last layer lie on the left, at
# {{ result("weights.runs_late_most", ".2f") }} or below, where chance stays within
# ±{{ result("weights.null_bound", ".2f") }}. Yet on the stories they suppress next to nothing.
#
# Now look at the ringed heads, those that copy most. Their scores go from
# {{ result("weights.runs_top_usual_least", ".2f") }} to {{ result("weights.runs_top_usual_most", ".2f") }} over five
# training runs. So the sign of the score does not say what this head does.
#
# In the second panel, fed with words as they arrive, the marks rise. The ringed head has a positive score in
# {{ result("weights.runs_top_alone_positive") }} of 5 runs, and in {{ result("weights.runs_alone_better") }} of 5 this
# score ranks the heads better by what they do.
#
# Why does the input matter so much? In a tied model the embedding of a word is also the direction that says “this word
# is next”. Most late heads push against it when fed with bare embeddings, whatever they do with words as they arrive.
# Why they do so is open.
#
# ## What surprised us
#
# **In a tied model the direct path *cannot* say which of two words comes first.** The formula shows it, and we had
# overlooked it ([dead end](../dead-ends/weights-tied-bigrams.md)).
#
# **A sign that did not survive.** In our first run the head that repeats songs had a negative score, and we wrote that the score
# has the wrong sign for the head that copies most. In other trainings of the same recipe the sign is positive for that head. What
# holds in every run is the negative sign of the late layers.
#
# ## Try it
#
# **1. The second table** (10 minutes). For words as they arrive L1H1 holds {{ result("weights.facts_l1h1", ".0%") }} of the facts,
# and hardly an answer is wrong without it. So is it useless? Take it away together with L0H2.
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
for other, share in left.items():
    print(f"without L0H2 and L1H{other}: {share:.0%} of facts right")

# %% [markdown]
# **2. How many directions?** (15 minutes). The *singular values* of a matrix say how strongly it passes on each of its directions.
# Their squares, as shares of the sum, give the number of directions in use: $e$ to the power of the entropy of these shares.
# Compare each matrix of *World* with a random one of the same shape. Which are farthest from chance?
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
print("directions, against a random matrix")
for name in (*order[:3], *order[-3:]):
    print(f"{name.removeprefix('transformer.'):24} {used[name]:4.0%}")

# %% [markdown]
# ## You can now
#
# - read a head's OV table: which words become likelier when it looks at a word;
# - say what a table cannot show: where the head looks, and which other head says what is asked for;
# - give a copying score its null, and distrust its sign in late layers of tied models.
#
# ## What this does not show
#
# - Models whose unembedding is a matrix of its own. There the usual score may do well.
# - What words bring to each other. A word sent “alone” through the layers leaves that out. Better remedies may exist.
# - That a fact in a table is used: see exercise 1. And in this language every name is one word.
#
# ## Going deeper
#
# ### From weights to behaviour
#
# Can the tables predict what a head will do on text? We took two readings of layer 0. First, how much do names stand
# out, by $W_Q W_K^{\top}$, among all words that *in*, *a* and *likes* could look at? Second, how far does each head
# raise the *kind* of answer when it looks at the asking word? Each line has one number for each of the four heads.

# %% tags=["setup"]
x = S.blocks[0].qkv[0](S.blocks[0].norm_attn(alone(small)[0]))
q, k = (S.blocks[0].heads(which, x).transpose(0, 1) for which in "qk")
fit = (q @ k.transpose(1, 2) * S.blocks[0].scale)[:, word_ids("in a likes")]
pull = fit[..., word_ids(lex.PEOPLE)].mean((1, 2)) - fit.mean((1, 2))
WHAT = "towns", "jobs", "foods", "landmarks"
print(f"{'head':22}", *(f"{head:5}" for head in range(4)))
print(f"{'how names stand out':22}", *(f"{score:5.1f}" for score in pull))
for (_, kind, how), named in zip(KINDS, WHAT, strict=True):
    says = tables[0, :, lex.IDS[how.split()[-1]], word_ids(kind)].mean(-1)
    print(f"{how + ': ' + named:22}", *(f"{score:5.1f}" for score in says))

# %% [markdown]
# The readings say that L0H2 looks at the person and brings all that belongs to the person at once, that L0H0 tells at *in* that a
# town is asked for, and L0H3 at *a* that a job is. (We named L0H2 before any test. We thought of reading the kinds only when L0H3
# had turned out to matter.)
#
# The runs agree. At *likes* L0H2 pays the person {{ result("weights.looks_at_person", ".0%") }} of its attention.
#
# Without L0H3 {{ result("weights.kind_jobs", ".0%") }} of the jobs are right, and without L0H0
# {{ result("weights.homes", ".0%") }} of the homes. Only for *likes* did the reading name the wrong head: L0H1, without
# which nothing is lost.
#
# Fed with bare embeddings, all eight tables together hold {{ result("weights.facts_embedding", ".0%") }} of the facts. The tables
# of the shipped *World* hold {{ result("weights.facts_world", ".0%") }} with words as they arrive.
#
# ### Both scores in the models that we publish
#
# | in the shipped models | usual score | with words as they arrive |
# | --- | ---: | ---: |
# | *World*: the head that copies most, L2H3 | {{ result("weights.songs_usual", ".2f") }} | {{ result("weights.songs_alone", ".2f") }} |
# | *World/attention-only*: the head that copies most, L1H3 | {{ result("weights.small_usual", ".2f") }} | {{ result("weights.small_alone", ".2f") }} |
# | rank correlation with what heads do, 24 heads of both | {{ result("weights.correlation_usual", ".2f") }} | {{ result("weights.correlation_alone", ".2f") }} |
#
# By the usual score L2H3, which copies most, is only number {{ result("weights.songs_rank") }} of *World*'s 16 heads.
# The last layer's scores are all {{ result("weights.last_layer", ".2f") }} or below.
#
# The direct path's correlation with the true table of pairs (in logarithms, within rows) is
# {{ result("weights.correlation", ".2f") }}. One layer is enough to do better: layer 0, given each word by itself, has
# {{ result("weights.one_way_layer0", ".0%") }} of the pairs in the right order.
#
# ### In a model of real text
#
# *Fairytale* has {{ result("weights.tale_heads") }} heads, and tied embeddings too. One head, L0H0, was *planted*: we set by hand
# that it looks one token back, and kept that fixed in training. We test on 16 tales that *Fairytale* wrote itself. The control
# deals the heads' effects out at random, 500 times.

# %% tags=["setup"]
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
# How well does each score rank the heads by what they do? The rank correlation is
# {{ result("weights.tale_rho_usual", ".2f") }} for the usual score and {{ result("weights.tale_rho_alone", ".2f") }}
# with words as they arrive. Of the 500 deals, 95% stay below {{ result("weights.tale_rho_chance", ".2f") }}. So here,
# too, the second score is the better one, and far from perfect.
#
# The planted head copies nothing itself: it adds {{ result("weights.tale_planted", "+.3f") }} logits. It brings the
# previous word for later heads to read, and no OV table into the logits shows that.
#
# - Finding: [Late heads of tied models score as suppressing](../findings/weights-late-heads-negative.md)
# - Superseded: [The copying score can have the wrong sign](../findings/weights-copying-score.md)
# - Finding: [What an attention-only model knows can be read from its weights](../findings/weights-facts-read.md)
# - Dead end: [Bigrams from tied embeddings](../dead-ends/weights-tied-bigrams.md)
# - Surprise: [The head that facts need most holds none](../surprises/weights-needed-head-holds-none.md)
# - Question: [Why do nearly all late heads score as suppressing?](../questions/weights-late-heads-suppress.md)
# - Elhage et al. (2021), [A Mathematical Framework for Transformer Circuits](https://transformer-circuits.pub/2021/framework/index.html)
# - Press & Wolf (2017), [Using the output embedding to improve language models](https://arxiv.org/abs/1608.05859)

# %% tags=["setup"]
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
    null_bound="World: copying score with words permuted, 19 of 20 stay within, the widest of five runs",
    runs_top_negative="Training runs, of five, in which the head that copies most has a negative usual score",
    runs_top_alone_positive="Training runs, of five, in which it has a positive score on words as they arrive",
    runs_top_usual_least="Usual score of the head that copies most, the lowest of five runs",
    runs_top_usual_most="Usual score of the head that copies most, the highest of five runs",
    runs_top_alone_least="Its score on words as they arrive, the lowest of five runs",
    runs_late_negative="Training runs, of five, in which every head of the last layer scores as suppressing, beyond chance",
    runs_late_most="Largest usual score in the last layer, of five runs",
    runs_alone_better="Training runs, of five, in which words as they arrive rank the heads better",
    runs_facts_least="Facts in all OV tables of World, the fewest of five runs",
    runs_facts_most="Facts in all OV tables of World, the most of five runs",
    small_runs_facts_least="Facts in all OV tables of the model without MLPs, the fewest of three trainings",
    small_runs_right_most="Facts right without the head that is needed most, the most of three trainings",
    small_runs_table_least="Facts in the table of the head that is needed most, the fewest of three trainings",
    small_runs_table_most="Facts in the table of the head that is needed most, the most of three trainings",
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
