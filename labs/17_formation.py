# ---
# title: How rules form
# question: In what order does a small model learn the rules of its language, and do the heads that carry a rule come before it, with it or after it?
# level: intermediate
# minutes: 20
# models: [world]
# needs: []
# tags: [training dynamics, attention heads, ablation]
# chapter: Inside
# thumbnail: head_and_rule
# timeout: 240
# ---

# %% [markdown]
# Some abilities of language models seem to appear at once in training, and the heads that carry them appear in the same
# stretch: for copying this is the best-known story of how a mechanism forms
# ([Olsson et al. 2022](https://arxiv.org/abs/2209.11895)). Here we can check such a story rule by rule. Our model
# `world` was trained on a language whose grammar we wrote, so we know which word each rule demands, and where the
# word stands that decides it. And the model was kept at ten moments of its training.

# %% tags=["setup"]
from contextlib import ExitStack
from functools import cache
from itertools import product

import numpy as np
import torch

import llmnotes
from llmnotes.lab import figure, in_words, plots, predict, within
from llmnotes.methods import looking, repeated_tokens
from llmnotes.model import ablate, trace
from llmnotes.world import (
    IDS,
    MOODS,
    RULES,
    VOCABULARY,
    divergence,
    read,
    rivals,
    truth,
    word_ids,
)
from llmnotes.world.lexicon import MOOD_OF, NOUNS, VERBS

BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY = plots.COLOURS
torch.set_grad_enabled(False)
FEW = "rounding may turn one or two places"
COARSE = "a turned place moves it a few per cent"
SMOOTH = "rounding only"
note = within(atol=0.01, because=SMOOTH)
DEAL = "rules close together may swap with another shuffle"

# %% [markdown]
# ## What you need to know
#
# **The language.** A story is a chain of short sentences. At some places a *rule* decides the word:
#
# | rule | example: the words that decide, and the word decided |
# | --- | --- |
# | `agreement_0` | the **cats** *run*: the verb has the number of the noun |
# | `agreement_1`, `_2` | the **cats** near the dog *run*: one or two other nouns, *attractors*, stand between |
# | `pronoun` | **Anna** saw the dog . *she* …: the gender of the last subject |
# | `fact` | **Anna** lives in *Isley*: 82 facts, always the same |
# | `mood` | words of the story's hidden mood (merry, gloomy, eerie) call for more of them |
# | `list` | : **la mo fi** ; *la mo fi*: a verse is sung again |
# | `indirect_object` | when **Anna** and Karl went … Karl gave the ring to *Anna* |
# | `closing` | **(** a red one *)*: the innermost open bracket closes first |
#
# **When a rule counts as right.** The model gives a probability to every word. A rule is right at a place if the right
# word (or group: all singular verbs, say) gets more than each rival (`llmnotes.world.grading`).
#
# **Attention heads.** The model has four layers with four heads each. A head at one word looks back at earlier words,
# with weights that sum to 1, and brings something from there. We write L2H3 for head 3 of layer 2, counted from 0.
# **To ablate** a head is to put its mean over all texts in place of what it brings. What then goes wrong needed it.
#
# We take 100 stories that the model was not trained on, each cut to its first 128 words.

# %%
ids, stories = read(seed=5, n=100, length=129)
ids = ids[:, :-1]
true = [truth([token.word for token in story[:-1]]) for story in stories]
STEPS = (0, 60, 125, 250, 500, 750, 1000, 1500, 2500, 5500)
names = ["world" if step == 5500 else f"world/step-{step}" for step in STEPS]
models = {step: llmnotes.load(name) for step, name in zip(STEPS, names, strict=True)}
print(" ".join(token.word for token in stories[1][1:40]))

# %% [markdown]
# Now all places that a rule decides. Of the words of mood we keep those whose mood the words before make likelier than
# not, by Bayes' rule: the others nobody can foresee.


# %%
def can_be_known(n, i):
    token = stories[n][i]
    mood = MOOD_OF.get(token.word, token.mood)
    return token.rule != "mood" or true[n].moods[i - 1, MOODS.index(mood)] > 0.5


everywhere = [(n, i) for n in range(len(stories)) for i in range(1, 129)]
places = [(n, i) for n, i in everywhere if stories[n][i].rule and can_be_known(n, i)]
row, at = torch.tensor([(n, i - 1) for n, i in places]).T  # who predicts stands before
rule_of = np.array([stories[n][i].rule for n, i in places])
words = [stories[n][i].word for n, i in places]

# %% [markdown]
# Where does the word stand that decides? With it we can ask whether a head looks there. (Brackets are left out.)


# %%
def source(story, i):
    """Where the words stand that decide word i."""
    rule, before = story[i].rule, [token.word for token in story[:i]]
    if rule.startswith("agreement"):  # each attractor adds three words behind the noun
        return [i - 1 - 3 * int(rule[-1])]
    if rule == "list":  # the same place in the verse before
        last, start = [j for j, word in enumerate(before) if word in ":;"][-2:]
        return [last + i - start]
    if rule == "mood":
        return [j for j, word in enumerate(before) if word in MOOD_OF]
    if rule == "closing":  # left out here
        return []
    if before[-1] == "the":  # the town whose landmark is to come
        return [i - 4]
    who = next(token.referent for token in story[i::-1] if token.referent)
    return [i - 1 - before[::-1].index(who)]


sources = torch.zeros(len(places), 128)
for line, (n, i) in zip(sources, places, strict=True):
    line[source(stories[n], i)] = 1

# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     Put the nine rules in the order in which the model learns them. Which come early: those that are seen often, those
#     whose deciding word is near, those that need one look only? And when a rule begins to work, is a head there that
#     looks at the deciding word?
#
# Our own guesses, written before we had graded any checkpoint (how some of them are measured was settled after a first
# look; the probabilities were not touched). A rule **appears** at the step at which its accuracy has
# gone half of the way from chance to its end. *Nats above the truth* are the divergence of the model's prediction from
# the true probabilities, which we know. First the order, and how sudden it is.

# %%
predict("agreement_0 appears first", 0.75, rank_agreement_0="== 1")
predict("The mood appears last", 0.45, rank_mood="== 9")
predict("Facts appear after lists", 0.6, fact_to_list="> 1")
often = "Rules that are seen more often appear earlier"
predict(often, 0.4, rank_correlation_with_frequency="< -0.5")
dip = "Verbs with an attractor of the other number are once wrong in three of four"
predict(dip, 0.7, attracted_worst="< 0.25")
predict("Lists go from 10 to 90 % in a doubling", 0.5, width_list="< 2")
wider = "In nats above the truth at least 7 of 9 rules come more gradually than in accuracy"
predict(wider, 0.6, wider_in_nats=">= 7")

# %% [markdown]
# Then the heads. An *induction head* looks at what followed an earlier copy of the present word; in the usual account
# it builds on a *previous-token head*, which looks one word back.

# %%
early = "The head that copies lists looks at its source before lists appear"
predict(early, 0.6, head_to_rule_list="< 1")
same = "The head that lists need most when they appear is the one they need at the end"
predict(same, 0.6, same_head_list="== 1")
before = "A head looks mostly at the word before by the time lists appear"
predict(before, 0.85, previous_when_list="> 0.5")
standard = "On random tokens the best induction score is less than half of that in songs"
predict(standard, 0.5, random_to_songs="< 0.5")

# %% [markdown]
# ## In what order
#
# We grade all places at once: each word of the vocabulary belongs to the right group (0), to a rival group (1, 2, …)
# or to none.


# %%
def groups(words):
    """For each place (row) and each word of the vocabulary the group it is in."""
    return torch.stack([one_row(*both) for both in zip(rule_of, words, strict=True)])


@cache
def one_row(rule, word):
    line = torch.full((len(VOCABULARY),), len(VOCABULARY))
    for group, rival in enumerate(rivals(rule, word)):
        line[word_ids(rival)] = group
    return line


def is_right(logits, table):
    """For each place (of the stories at hand): does the right group get the most?"""
    n = int((row < len(logits)).sum())
    probs = logits[row[:n], at[:n]].softmax(-1)
    mass = torch.zeros(n, len(VOCABULARY) + 1).scatter_add_(1, table[:n], probs)
    return (mass[:, 0] > mass[:, 1:-1].max(-1).values).numpy()


# %% [markdown]
# What is chance? Not one over the number of rivals: a model that only knows which words are frequent does better. So
# the control is the same exam with its answers shuffled among the places of each rule.

# %%
key, shuffled, deal = groups(words), np.array(words), np.random.default_rng(0)
for rule in RULES:
    shuffled[rule_of == rule] = deal.permutation(shuffled[rule_of == rule])
wrong_key = groups(shuffled.tolist())

right, by_chance, looked, nats = {}, {}, {}, {}
for step, model in models.items():
    seen = trace(model, ids, ["pattern", "logits"])
    right[step], by_chance[step] = (is_right(seen["logits"], k) for k in (key, wrong_key))
    paid = [(seen["pattern", i][row, :, at] * sources[:, None]).sum(-1) for i in range(4)]
    looked[step] = torch.stack(paid)  # (layer, place, head): attention to the source
    nats[step] = torch.stack(list(map(divergence, seen["logits"], true)))  # (story, pos)

# %% [markdown]
# The step at which a series has gone a given share of its way is read off between checkpoints on a logarithmic scale
# (the untrained model stands at 30 there). The control for *when*: words that no rule decides, by their *excess*, the
# nats above the truth.


# %% tags=["idea"]
def when(series, start, end, share=0.5):
    """The step from which on a series has gone this share of the way from start to end."""
    gone = (np.array(series) - start) / (end - start)
    last = max(np.flatnonzero(gone < share), default=0)
    scale = np.log(np.maximum(STEPS, 30))
    return np.exp(np.interp(share, gone[last : last + 2], scale[last : last + 2]))


def accuracy(rule, marks):
    return [marks[step][rule_of == rule].mean() for step in STEPS]


chance = {rule: np.mean(accuracy(rule, by_chance)) for rule in RULES}
curve = {rule: accuracy(rule, right) for rule in RULES}
appears = {rule: when(curve[rule], chance[rule], curve[rule][-1]) for rule in RULES}
order = sorted(RULES, key=appears.get)
free = torch.tensor([[not token.rule for token in story[1:]] for story in stories])
free_nats = [nats[step][free].mean().item() for step in STEPS]
print({rule: int(appears[rule]) for rule in order})

# %% [markdown]
# The steps and the places in the order, and whether rules that are seen more often come earlier.

# %%
rank = {rule: 1 + order.index(rule) for rule in RULES}
often = [(rule_of == rule).sum() for rule in RULES]
ranks = np.argsort(np.argsort(often)), [rank[rule] for rule in RULES]
note(atol=0.2, because=DEAL, rank_correlation_with_frequency=np.corrcoef(*ranks)[0, 1])
note(rank_agreement_0=rank["agreement_0"])
note(atol=1, because=DEAL, rank_mood=rank["mood"])
coarsely = within(rtol=0.05, because=COARSE)
coarsely(
    appears_agreement_0=appears["agreement_0"],
    appears_pronoun=appears["pronoun"],
    appears_agreement_2=appears["agreement_2"],
    appears_fact=appears["fact"],
    appears_mood=appears["mood"],
    appears_list=appears["list"],
    fact_to_list=appears["fact"] / appears["list"],
)
appears_free = when(free_nats, free_nats[0], free_nats[-1])
note(rtol=0.01, appears_free=appears_free)

# %% [markdown]
# The accuracy of each rule along training, with that of the shuffled exam.

# %% tags=["drawing"]
axis = np.maximum(STEPS, 30)


def along_training(ax, top):
    ax.set_xticks([30, 125, 500, 2500], ["0", "125", "500", "2500"])
    ax.minorticks_off()
    ax.set(xlabel="step of training", ylim=(-0.03, top), yticks=np.arange(0, 1.1, 0.25))
    ax.legend(loc="upper left", fontsize=9.5)


fig, axes = plots.subplots(1, 2, height=3.6, sharey=True)
halves = "agreement_0 agreement_2 pronoun mood", "fact closing list indirect_object"
for ax, rules in zip(axes, halves, strict=True):
    for rule, colour in zip(rules.split(), (BLUE, ORANGE, GREEN, PURPLE), strict=True):
        ax.semilogx(axis, curve[rule], "o-", color=colour, ms=4, label=rule)
        ax.semilogx(axis, accuracy(rule, by_chance), ":", color=colour, lw=1.5)
    ax.plot([], [], ":", color=plots.INK, lw=1.5, label="control: answers shuffled")
    ax.axvline(appears_free, color=plots.MUTED, lw=1)
    along_training(ax, top=1.6)
axes[0].set_ylabel("rule right (share of places)")
figure(
    fig,
    name="order",
    alt="Agreement without attractors is learned by step 125. Pronouns, facts, agreement over two attractors and mood "
    "rise between steps 250 and 750, lists and indirect objects after 500. With shuffled answers nothing rises.",
    caption="Upright line: where half of the excess loss of words that no rule decides is gone.",
    rtol=0.03,
    because=FEW,
)

# %% [markdown]
# One rule comes with the first words, and eight come late and crowded. Words that no rule decides have lost half of
# their excess by step {{ result("formation.appears_free", ".0f") }}, and `agreement_0` appears as early, at step
# {{ result("formation.appears_agreement_0", ".0f") }}: there the noun is the word just read, so it takes no attention at
# all. Then nothing for long. Agreement over two attractors appears at step
# {{ result("formation.appears_agreement_2", ".0f") }}, pronouns at {{ result("formation.appears_pronoun", ".0f") }}, facts
# at {{ result("formation.appears_fact", ".0f") }}, the mood at {{ result("formation.appears_mood", ".0f") }}, and lists at {{ result("formation.appears_list", ".0f") }}.
#
# How often a rule is seen does not explain the order (rank correlation
# {{ result("formation.rank_correlation_with_frequency", ".2f") }}, where −1 would be "the more often the earlier"): lists
# are by far the most frequent rule and the last.
#
# Watch it on one sentence. Move the slider from chance to grammar, then choose another sentence: its rule has its own moment.
#
# <div class="bench" id="bench-time" data-bench="time" data-text="Karl likes" data-search-exclude markdown>
#
# The time machine runs in the page and needs JavaScript. The figure above shows every rule at every checkpoint.
#
# </div>
#
# ## Sudden by the exam, or sudden?
#
# An exam that knows only right and wrong can make a gradual change look sudden
# ([Schaeffer et al. 2023](https://arxiv.org/abs/2304.15004)). We compare the stretch from 10 to 90 % of the way in
# accuracy and in nats above the truth.


# %%
def width(series, start):
    """By what factor the steps grow between 10 and 90 % of the way."""
    return when(series, start, series[-1], 0.9) / when(series, start, series[-1], 0.1)


wide, wide_nats = {}, {}
for rule in RULES:
    mine = torch.tensor(rule_of == rule)
    lost = [nats[step][row, at][mine].mean().item() for step in STEPS]
    wide[rule], wide_nats[rule] = width(curve[rule], chance[rule]), width(lost, lost[0])
wider = sum(wide_nats[rule] > wide[rule] for rule in RULES)
note(atol=2, because="the widths of several rules nearly tie", wider_in_nats=wider)
coarsely(rtol=0.1, width_list=wide["list"])

# %% [markdown]
# While lists go from 10 to 90 % of the way, the steps grow {{ result("formation.width_list", ".1f") }}-fold. In nats the
# stretch is wider for {{ result("formation.wider_in_nats") }} of the 9 rules, but several nearly tie and other stories
# give another count. And the comparison is unfair: in nats a model gains long before it has the rule, merely by learning
# that a verb comes here. The fair question is what the right group costs *among the rivals only*.
#
# ## A stand-in comes first
#
# For agreement we need not wait for stories. We take every noun with every noun, "the cat near the dogs …", and split
# the pairs: where both have the same number, and where the attractor has the other. At each checkpoint: is the number
# of the verb right, and what does it cost (ln 2 ≈ 0.69 nats is knowing nothing)?

# %% tags=["idea"]
nouns = [*NOUNS, *NOUNS.values()]
pairs = list(product(nouns, nouns))
text = "<|endoftext|> the {} near the {}"
prompts = torch.stack([word_ids(text.format(*pair)) for pair in pairs])
is_plural = torch.tensor([[noun not in NOUNS for noun in pair] for pair in pairs]).int()
other = is_plural[:, 0] != is_plural[:, 1]
forms = word_ids([*VERBS.values(), "is"]), word_ids([*VERBS, "are"])


def share_right(model, prompts, plural):
    """Of the probability of all verbs, the share with the right number."""
    probs = model.model(prompts).logits[:, -1].softmax(-1)
    mass = torch.stack([probs[:, form].sum(-1) for form in forms], dim=1)
    return mass.gather(1, plural[:, None].long())[:, 0] / mass.sum(1)


# %% [markdown]
# The worst accuracy on the way, and both measures on either side of the jump.

# %%
shares = torch.stack([share_right(m, prompts, is_plural[:, 0]) for m in models.values()])
attracted, same = ((shares[:, some] > 0.5).double().mean(1) for some in (other, ~other))
costs = dict(zip(STEPS, (-shares[:, other].log().mean(1)).tolist(), strict=True))
note(
    atol=0.03,
    because=FEW,
    attracted_worst=attracted.min(),
    attracted_500=attracted[STEPS.index(500)],
)
note(rtol=0.05, attracted_nats_250=costs[250], attracted_nats_500=costs[500])

# %% [markdown]
# Is there a stand-in for pronouns too? We had not planned this question; the first results raised it. A cheap guess at "he" or "she" is a *vote*: the gender of most of the names so
# far, whoever the subject is. We split the places by whether the vote is right or wrong (ties are left out).


# %%
def vote(n, i):
    """How many more names of the pronoun's gender than of the other stand before it."""
    mine = stories[n][i].gender
    genders = [token.gender for token in stories[n][:i] if token.pos == "name"]
    return sum(1 if gender == mine else -1 for gender in genders)


votes = np.array([vote(n, i) if stories[n][i].rule == "pronoun" else 0 for n, i in places])
easy = [right[step][votes > 0].mean() for step in STEPS]
hard = [right[step][votes < 0].mean() for step in STEPS]
appears_hard = when(hard, 0.5, hard[-1])
note(places_vote_wrong=(votes < 0).sum())
coarsely(rtol=0.1, appears_pronoun_hard=appears_hard)
i = STEPS.index(500)
note(atol=0.02, because=FEW, vote_right_500=easy[i])
note(atol=0.06, because=FEW, vote_wrong_500=hard[i])

# %% [markdown]
# Both splits side by side; the control is the half of the places where stand-in and rule agree.

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=3.2, sharey=True)
splits = (
    ("Agreement over an attractor", same, attracted, "same number", "other number"),
    ("Pronoun", easy, hard, "vote is right", "vote is wrong"),
)
for ax, (title, agree, differ, yes, no) in zip(axes, splits, strict=True):
    ax.semilogx(axis, agree, "s--", color=ORANGE, ms=4, label=f"control: {yes}")
    ax.semilogx(axis, differ, "o-", color=BLUE, ms=4, label=no)
    ax.axhline(0.5, color=plots.MUTED, lw=1, ls=":")
    ax.set_title(title)
    along_training(ax, top=1.4)
axes[0].set_ylabel("right (share of places)")
figure(
    fig,
    name="stand_ins",
    alt="Where the stand-in misleads, accuracy is far below one half at step 250, then rises: to 1 by step 500 for "
    "agreement, by step 1000 for pronouns. Where it does not, accuracy is near 1 from step 250 or 500 on.",
    caption="The model first follows a cheaper rule, which most places do not tell from the true one.",
    rtol=0.06,
    because=FEW,
)

# %% [markdown]
# At step 250 the verb agrees with the *nearest* noun: with an attractor of the other number it is right in
# {{ result("formation.attracted_worst", ".0%") }}, much worse than chance, at a cost of
# {{ result("formation.attracted_nats_250", ".2f") }} nats, more than ln 2. By step 500 it is right in
# {{ result("formation.attracted_500", ".0%") }}, at {{ result("formation.attracted_nats_500", ".2f") }} nats. So the jump is no
# illusion of a right-or-wrong exam: in nats among the rivals the model first gets worse, then jumps as well, all of it
# between two checkpoints.
#
# The pronouns hide the same. At step 500 they are right in {{ result("formation.vote_right_500", ".0%") }} of the places
# where the vote is right, and in {{ result("formation.vote_wrong_500", ".0%") }} where it is wrong. There are only
# {{ result("formation.places_vote_wrong") }} such places in our stories. On them the rule appears at step
# {{ result("formation.appears_pronoun_hard", ".0f") }}, not {{ result("formation.appears_pronoun", ".0f") }}.
#
# ## When a head looks at the source
#
# For every rule and checkpoint we take the head that pays the most attention to the deciding word from where the
# prediction is made. It *looks* from the step at which this has gone half of its way.

# %%
paid, sharp = {}, {}
for rule in order:
    mine = torch.tensor(rule_of == rule)
    paid[rule] = [looked[step][:, mine].mean(1).max().item() for step in STEPS]
    if rule != "closing":
        sharp[rule] = when(paid[rule], paid[rule][0], paid[rule][-1])

# %%
head_to_rule = {rule: sharp[rule] / appears[rule] for rule in sharp}
coarsely(
    rtol=0.07,
    head_to_rule_agreement_2=head_to_rule["agreement_2"],
    head_to_rule_pronoun=head_to_rule["pronoun"],
    head_to_rule_fact=head_to_rule["fact"],
    head_to_rule_mood=head_to_rule["mood"],
    head_to_rule_list=head_to_rule["list"],
)
coarsely(rtol=0.1, head_to_rule_pronoun_hard=sharp["pronoun"] / appears_hard)
note(
    looked_pronoun_500=paid["pronoun"][STEPS.index(500)],
    looked_indirect_object=paid["indirect_object"][-1],
)

# %% [markdown]
# The textbook scan, for comparison: attention to the word before (in stories), and the induction score on random
# tokens that are repeated.

# %%
few, songs = ids[:40], paid["list"][-1]
before = [looking(m, few)["previous"].values.max().item() for m in models.values()]
again = (
    looking(models[5500], repeated_tokens(models[5500]))["induction"].values.max().item()
)
when_list = next(i for i, a in enumerate(curve["list"]) if a > 0.5)
note(
    previous_when_list=before[when_list],
    looked_list=songs,
)
note(atol=0.005, induction_random=again)
note(atol=0.02, random_to_songs=again / songs)

# %% [markdown]
# Rule and head, for those rules for which some head at the end looks at the source with more than a third of its
# attention; and once more the pronouns where the vote is wrong.

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.3)
lines = [(rule, appears[rule], sharp[rule]) for rule in order if paid[rule][-1] > 0.34]
lines.append(("pronoun, vote wrong", appears_hard, sharp["pronoun"]))
for y, (_, rule_at, head_at) in enumerate(lines[::-1]):
    ax.plot([rule_at, head_at], [y, y], color=plots.MUTED, lw=1.5, zorder=1)
    ax.plot(rule_at, y, "o", color=BLUE, ms=9, label="" if y else "the rule is right")
    ax.plot(
        head_at, y, "s", color=ORANGE, ms=7, label="" if y else "a head looks at the source"
    )
ax.axvline(
    appears_free, color=plots.MUTED, ls=":", lw=2, label="control: words without a rule"
)
ax.set_yticks(range(len(lines)), [name for name, *_ in lines[::-1]])
ax.set(
    xscale="log",
    xlabel="step of training at half of the way",
    ylim=(-0.6, len(lines) + 2.4),
)
ax.set_xticks([60, 125, 250, 500, 1000], ["60", "125", "250", "500", "1000"])
ax.minorticks_off()
ax.legend(loc="upper left")
figure(
    fig,
    name="head_and_rule",
    alt="Rule and head come together for agreement over attractors, mood and lists. For agreement without attractors, "
    "pronouns and facts the head comes long after the rule. Where the vote is wrong, pronouns come with their head.",
    caption="Where rule and head part, the head is the later one.",
    rtol=0.05,
    because=COARSE,
)

# %% [markdown]
# For agreement over attractors, the mood and lists, head and rule come together, as far as ten checkpoints can tell:
# the step of the head is {{ result("formation.head_to_rule_agreement_2", ".2f") }},
# {{ result("formation.head_to_rule_mood", ".2f") }} and {{ result("formation.head_to_rule_list", ".2f") }} times that of the
# rule. For no rule of the figure is such a head there long before. But for pronouns the head comes at
# {{ result("formation.head_to_rule_pronoun", ".1f") }} times the step of the rule, and for facts at
# {{ result("formation.head_to_rule_fact", ".1f") }} times. At step 500 no head pays more than
# {{ result("formation.looked_pronoun_500", ".0%") }} of its attention to the subject's name. On the places where the vote is wrong the delay is gone
# ({{ result("formation.head_to_rule_pronoun_hard", ".2f") }}): this head comes with the rule. The exam had taken the
# stand-in for the rule.
#
# For `agreement_0` the head came all the same, although the rule had long been right without it.
#
# The textbook scan sees nothing of all this. The best induction score on random tokens is
# {{ result("formation.induction_random", ".3f") }}, about chance, although the
# model repeats songs without fault and a head looks at the source syllable with
# {{ result("formation.looked_list", ".2f") }} of its attention; the best previous-token score when
# lists appear is {{ result("formation.previous_when_list", ".2f") }}. And for the indirect object no head looks at the right name from where
# the prediction is made (at most {{ result("formation.looked_indirect_object", ".2f") }}): it comes by
# another way, or from several heads together.
#
# ## Take the head away
#
# Looking is not using. So we ablate every head, one at a time, at four checkpoints, and note what each rule loses in the
# first 40 stories.


# %% tags=["idea"]
def drops(step, *heads):
    """How much accuracy each rule loses without these heads (layer, head)."""
    with ExitStack() as stack:
        for layer, head in heads:
            how = {"heads": head, "by": "mean", "reference": traces[step]}
            stack.enter_context(ablate(models[step], "z", layer, **how))
        ok = is_right(models[step].model(few).logits, key)
    whole, which = right[step][: len(ok)], rule_of[: len(ok)]
    return {rule: whole[which == rule].mean() - ok[which == rule].mean() for rule in RULES}


ABLATED = (500, 750, 1000, 5500)
traces = {step: trace(models[step], few, ["z"]) for step in ABLATED}
every = list(product(range(4), range(4)))
alone = {step: {head: drops(step, head) for head in every} for step in ABLATED}

# %% [markdown]
# Which head does each rule need most at the four checkpoints, and how much?

# %%
for rule in RULES:
    needed = {s: max(every, key=lambda head, s=s: alone[s][head][rule]) for s in ABLATED}
    said = [f"L{h[0]}H{h[1]} {alone[s][h][rule]:5.2f}" for s, h in needed.items()]
    print(f"{rule:15s}", " | ".join(said))
    if rule == "list":
        note(same_head_list=needed[STEPS[when_list]] == needed[5500])
note(atol=0.05, because=FEW, l3h3_agreement_500=alone[500][3, 3]["agreement_1"])
others = [drop["agreement_1"] for head, drop in alone[500].items() if head != (3, 3)]
note(
    atol=0.03,
    because=FEW,
    others_agreement_500=np.median(others),
    l2h3_list=alone[5500][2, 3]["list"],
)

# %% [markdown]
# Lists and agreement keep their head. Facts change hands, from L0H1 to L2H3. What if both are gone at the end? The control
# is the median of three other pairs from the same layers.

# %%
pairs = ((0, 0), (2, 0)), ((0, 2), (2, 1)), ((0, 3), (2, 2))
control = np.median([drops(5500, *two)["fact"] for two in pairs])
both = drops(5500, (0, 1), (2, 3))["fact"]
lost = [alone[500][0, 1]["fact"]] + [alone[5500][head]["fact"] for head in ((0, 1), (2, 3))]
note(
    atol=0.04,
    because=FEW,
    fact_early_500=lost[0],
    fact_early_5500=lost[1],
    fact_late_5500=lost[2],
    fact_both_5500=both,
    fact_control_5500=control,
)

# %% [markdown]
# Agreement over one attractor has one carrier from the first checkpoint that we ablate: without L3H3 it loses
# {{ result("formation.l3h3_agreement_500", ".0%") }} of its places at step 500, without another head
# {{ result("formation.others_agreement_500", ".0%") }} (median). Lists need L2H3
# ({{ result("formation.l2h3_list", ".0%") }} lost at the end), and need it most from the moment they appear.
#
# Facts are another story. Without L0H1, {{ result("formation.fact_early_500", ".0%") }} of them are lost at step 500 and
# {{ result("formation.fact_early_5500", ".0%") }} at the end, where L2H3 looks at the name. Yet without L2H3 only
# {{ result("formation.fact_late_5500", ".0%") }} are lost there, and without both
# {{ result("formation.fact_both_5500", ".0%") }} (without two others
# {{ result("formation.fact_control_5500", ".0%") }}). So the early head still seems to stand by, and whoever ablates heads
# one by one in the finished model does not find it.
#
# ## What surprised us
#
# - The most frequent rule, repeating a list, is learned last.
# - Two rules go through a stand-in, and where it misleads the model is worse than chance for a while. For pronouns the average over
#   all places shows nothing of it.
# - Facts are first carried by a head that the finished model does not need, and that seems to
#   count again once its successor is gone.
# - We were surest (0.85) of a head that looks one word back. By the usual score there is none: the best when lists
#   appear is {{ result("formation.previous_when_list", ".2f") }}. The score is a mean over all words, which
#   [can hide such a head](25_circuit.md). How L2H3 finds its place we do not know.
#
# ## Try it yourself
#
# **1. Two attractors** (beginner, 5 minutes). At step 250 the verb agrees with the nearest noun. Put two attractors
# behind the noun: "the cat near the dogs near the birds …". Do two pull more than one?
#
# ??? tip "Hint"
#     `share_right` takes any prompts. Take nouns that are singular, attractors that are plural, and compare with
#     one attractor plural and the other singular, in both orders.

# %% tags=["solution"]
one, many = list(NOUNS)[:6], list(NOUNS.values())[6:12]
text, pulled = "<|endoftext|> the {} near the {} near the {}", {}
for name, middle, last in (("both", many, many), ("first", many, one), ("last", one, many)):
    lines = [text.format(*three).split() for three in product(one, middle, last)]
    rows = torch.tensor([[IDS[w] for w in line] for line in lines])
    singular = share_right(models[250], rows, torch.zeros(len(rows), dtype=torch.int))
    pulled[name] = singular.mean().item()
assert pulled["both"] < min(pulled["first"], pulled["last"]), (
    f"{pulled}: is the noun singular?"
)
print(pulled)

# %% [markdown]
# **2. Half an answer** (intermediate, 10 minutes). At step 500 the indirect object is right in a minority of the places. Two
# names are in the sentence: the subject and the right one. Does the model at step 500 know that it is one of these two?
#
# ??? tip "Hint"
#     Among `places`, take those of `indirect_object`. The other name is the subject: the name nearest before it in the story.
#     Compare the probability of both with that of all names, and the right one with the other.

# %% tags=["solution"]
known = {}
for step in (250, 500, 1000):
    probs = models[step].model(ids).logits.softmax(-1)
    both, won = [], []
    for j in np.flatnonzero(rule_of == "indirect_object"):
        (n, i), word = places[j], words[j]
        subject = next(t.word for t in stories[n][i - 1 :: -1] if t.pos == "name")
        mine, his = probs[n, i - 1, [IDS[word], IDS[subject]]].tolist()
        both, won = [*both, mine + his], [*won, mine > his]
    known[step] = round(np.mean(both), 2), round(np.mean(won), 2)
assert known[500][0] > 0.4 > known[250][0], (
    f"{known}: the two names should stand out by then"
)
assert 0.3 < known[500][1] < 0.7 < known[1000][1], f"{known}: which is the subject?"

# %% [markdown]
# ## What this does not show
#
# - One training run. The order, and that rules change hands, may differ with another seed; places were many, runs one.
# - Ten checkpoints: between 250 and 500 everything about agreement happens, and we cannot see in which order.
# - That pronouns follow a vote at step 250 to 500 is read from behaviour. Other cheap guesses agree with it at most places.
# - "A head looks" means the best single head. Several heads that each look a little may carry a rule before that.
# - Mean ablation of single heads and a few pairs. Other ways to ablate may give other sizes. No control pair holds L2H3
#   itself: that L0H1 of all heads stands by for it is likely, not shown.
#
# ## Links
#
# - Finding: [A stand-in comes before the rule, and hides when the rule appears](../findings/formation-stand-in.md)
# - Surprise: [A rule can change hands in training](../surprises/formation-handover.md)
# - Question: [How does world copy lists without a previous-token head?](../questions/formation-copying-head.md)
# - Olsson et al. (2022), [In-context Learning and Induction Heads](https://arxiv.org/abs/2209.11895)
# - Schaeffer, Miranda & Koyejo (2023),
#   [Are Emergent Abilities of Large Language Models a Mirage?](https://arxiv.org/abs/2304.15004)

# %% tags=["labels"]
in_words(
    rank_correlation_with_frequency="Rank correlation of a rule's frequency with its place in the order",
    rank_agreement_0="Place in the order: verb agrees, nothing between",
    rank_mood="Place in the order: mood",
    appears_agreement_0="Step at which it appears: verb agrees, nothing between",
    appears_pronoun="Step at which it appears: pronoun",
    appears_agreement_2="Step at which it appears: verb agrees, two nouns between",
    appears_fact="Step at which it appears: facts",
    appears_mood="Step at which it appears: mood",
    appears_list="Step at which it appears: songs",
    appears_free="Step at which words that no rule decides have lost half of their excess",
    fact_to_list="Step of the facts against that of songs",
    wider_in_nats="Rules that come more gradually in nats than in accuracy, of nine",
    width_list="Growth of the steps while songs go from 10% to 90%",
    attracted_worst="Verbs right with a noun of the other number between, at worst",
    attracted_500="The same at step 500",
    attracted_nats_250="Their cost at step 250, in nats",
    attracted_nats_500="Their cost at step 500, in nats",
    places_vote_wrong="Pronouns for which a vote of the names is wrong",
    appears_pronoun_hard="Step at which pronouns appear where the vote is wrong",
    vote_right_500="Pronouns right at step 500 where the vote is right",
    vote_wrong_500="Pronouns right at step 500 where the vote is wrong",
    head_to_rule_agreement_2="Step of the head against that of the rule: verb agrees, two nouns between",
    head_to_rule_pronoun="Step of the head against that of the rule: pronoun",
    head_to_rule_fact="Step of the head against that of the rule: facts",
    head_to_rule_mood="Step of the head against that of the rule: mood",
    head_to_rule_list="Step of the head against that of the rule: songs",
    head_to_rule_pronoun_hard="The same for pronouns where the vote is wrong",
    looked_pronoun_500="Most attention to the pronoun's person at step 500",
    looked_indirect_object="Most attention to the indirect object's name at the end",
    previous_when_list="Best previous-word score when songs appear",
    induction_random="Best induction score on random tokens",
    looked_list="Most attention to the source syllable in songs",
    random_to_songs="Induction score on random tokens against attention in songs",
    same_head_list="Songs need the same head when they appear and at the end",
    l3h3_agreement_500="Lost without L3H3 at step 500: verb agrees, one noun between",
    others_agreement_500="Lost without another head, median",
    l2h3_list="Songs lost without L2H3 at the end",
    fact_early_500="Facts lost without L0H1 at step 500",
    fact_early_5500="Facts lost without L0H1 at the end",
    fact_late_5500="Facts lost without L2H3 at the end",
    fact_both_5500="Facts lost without both at the end",
    fact_control_5500="Facts lost without two other heads at the end",
)
