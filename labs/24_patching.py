# ---
# title: Activation patching
# question: Which activations carry who got what, and does patching tell the truth about it?
# level: intermediate
# minutes: 20
# models: [world, fairytale]
# needs: [11_residual]
# tags: [activation patching, attribution patching, attention heads, circuits]
# chapter: Who does it
# thumbnail: maps
# timeout: 400
# ---

# %% [markdown]
# *When Anna and Karl went to the river, Karl gave the ring to …* A model that says *Anna* has kept two names apart. Where?
# *Activation patching* answers by transplant: put a part of one run into another, and see whether the answer comes with it. Our
# model `world` learned a language whose grammar we wrote, so we know on which words the answer depends, and can mark the method.

# %% tags=["setup"]
import random
from contextlib import ExitStack
from itertools import combinations, product

import torch

import llmnotes
from llmnotes.lab import figure, in_words, plots, predict, within
from llmnotes.model import cut_edges, freeze, replace, trace
from llmnotes.patching import attribution_patching, logit_difference, sweep
from llmnotes.world import END, IDS, word_ids
from llmnotes.world.lexicon import LANDMARKS, MEN, PEOPLE, THINGS, WOMEN, listed

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
DRAW = "near ties may turn, and room for another draw of prompts"
note = within(atol=0.05, because=DRAW)

# %% [markdown]
# ## What you need to know
#
# **A patch.** Take two prompts of the same length, *clean* and *corrupted*, with different answers. *Denoising*: run the corrupted
# prompt with one activation from the clean run. *Noising* is the reverse. We measure the *logit difference*, the logit (score before
# the softmax) of the right name minus that of the wrong one, and give it as *restored*: 0 % if the patch does nothing, 100 % if it
# brings all of the other run's answer ([Heimersheim & Nanda 2024](https://arxiv.org/abs/2404.15255)). We patch the *residual
# stream*, the list of numbers that each word carries through the layers, or what a head or MLP adds to it. L1H2 is head 2 of layer 1.
#
# **The grammar** says: one of two people is the subject of *gave* or *got*, and the last name is the other's. So the answer depends
# on **three words: the two names and the subject**. The order of the names, place, thing and verb are free. The contrasts:
#
# | contrast | prompt | answer |
# | --- | --- | --- |
# | clean | when **Anna** and **Karl** went to the river , **Karl** gave the ring to | Anna |
# | flip | when Anna and Karl went to the river , **Anna** gave the ring to | Karl |
# | new | when **Clara** and Karl went to the river , Karl gave the ring to | Clara |
# | all | when **Clara** and **Hugo** went to the **hill** , **Hugo got** the **cup from** | Clara |


# %%
def pairs(contrast, n=24, names=PEOPLE, seed=0):
    """Clean and corrupted prompt, right and wrong name; every other time the right one stands first."""
    deal = random.Random(seed)
    for i in range(n):
        right, subject, new, fourth = deal.sample(names, 4)
        (place, hill), (ring, cup) = deal.sample(LANDMARKS, 2), deal.sample(THINGS, 2)
        gave, got = deal.sample(["gave the {} to", "got the {} from"], 2)

        def tell(one, two, who, place=place, gave=gave, ring=ring, i=i):
            one, two = (one, two) if i % 2 else (two, one)
            return f"{END} when {one} and {two} went to the {place} , {who} {gave.format(ring)}"

        corrupted, wrong = {
            "flip": (tell(right, subject, right), subject),
            "new": (tell(new, subject, subject), new),
            "all": (tell(new, fourth, fourth, hill, got, cup), new),
        }[contrast]
        yield tell(right, subject, subject), corrupted, right, wrong


# %% [markdown]
# ## Predict first
#
# !!! question "Your turn"
#     The name that is to come stands at the start of the sentence, the subject in its middle. Where is the answer after layer 0,
#     after layer 1, after layer 2? How many of the 16 heads are enough, and would every test agree?
#
# Our own guesses, written before any run, on the contrast *flip* where nothing else is said. (In which contrast and over what
# correlations are taken was settled after a first look. Of four more, on details that this page leaves out, two came true.)

# %%
predict("Before layer 2 the last word alone restores half", 0.6, flip_last_2="> 0.5")
predict("One head restores over half of who got what", 0.35, best_head="> 0.5")
predict("Noising and denoising rank heads alike", 0.5, noising_rank="> 0.7")
predict("Estimates for heads correlate above 0.9 with exact", 0.6, corr_heads="> 0.9")
predict("Estimates for words of the input below 0.8", 0.6, corr_words="< 0.8")
predict("A head of fairytale restores 30 % of a pronoun", 0.4, tale_head="> 0.3")
predict("At most 4 of 16 heads keep 80 % of who got what", 0.6, smallest="<= 4")
predict("More than one set of that smallest size does", 0.6, smallest_sets="> 1")
predict("The best smallest set does on other names", 0.85, kept_names=">= 0.8")
predict("Without that set most answers are wrong", 0.65, right_without="< 0.5")
predict("Random sets of its size keep below 20 %", 0.8, kept_random="< 0.2")
predict("That set keeps 80 % when a name changes, too", 0.35, kept_on_new=">= 0.8")

# %% [markdown]
# ## Layer by layer, word by word
#
# `sweep` makes a run for each layer and word. We take medians over 12 pairs in which the right name stands first. In *all* place,
# verb and thing change too: they are the control.

# %%
world = llmnotes.load("world")
PROMPTS = {name: list(pairs(name)) for name in ("flip", "new", "all")}


def sweeps(prompts, place="resid_pre", model=world, **how):
    metrics = [logit_difference(model, right, wrong) for *_, right, wrong in prompts]
    both = zip(prompts, metrics, strict=True)
    return [sweep(model, *prompt[:2], metric, place, **how) for prompt, metric in both]


def restored(found):
    return torch.stack([one.restored for one in found])  # (pair, ...)


def middle(values):
    return values.median(0).values


maps = {name: middle(restored(sweeps(some[1::2]))) for name, some in PROMPTS.items()}
note(flip_subject_1=maps["flip"][1, 10], flip_last_2=maps["flip"][2, 14])
note(new_comma_1=maps["new"][1, 9], new_comma_2=maps["new"][2, 9])

# %% tags=["drawing"]
fig, axes = plots.subplots(3, 1, height=4.8, sharex=True)
TITLES = "flip: another subject", "new: another name to come", "all: every word that may"
look = {"vmin": -100, "vmax": 100, "cmap": plots.DIVERGING, "aspect": "auto"}
for ax, values, title in zip(axes, maps.values(), TITLES, strict=True):
    image = ax.imshow(100 * values, **look)
    ax.grid(False)
    ax.set(title=title, yticks=range(4), ylabel="layer")
words = listed("(start) when A and B went to the place , B gave the thing to")
axes[2].set_xticks(range(15), words, rotation=60, ha="right")
fig.colorbar(image, ax=axes, label="restored (%)", shrink=0.7)
ALT = """Flip: all at the subject before layers 0 and 1, all at the last word before layers 2 and 3. New: at the name before
layer 0, half there and half at the comma before layer 1, at the comma before layer 2, at the last word before layer 3. All: much
as new, fainter also at the subject and its first mention; nothing at place, verb and thing."""
CAPTION = "Residual stream before each layer, word by word. Denoising, medians of 12 pairs."
figure(fig, name="maps", alt=ALT, caption=CAPTION, rtol=0.03, because=DRAW)

# %% [markdown]
# The contrasts tell two stories. **Flip**: who the subject is stands at the subject before layer 1
# ({{ result("patching.flip_subject_1", ".0%") }}) and at the last word before layer 2 ({{ result("patching.flip_last_2", ".0%") }}).
# **New**: the name that is to come moves to **the comma**, in part in layer 0 ({{ result("patching.new_comma_1", ".0%") }}), nearly all
# of it by layer 2 ({{ result("patching.new_comma_2", ".0%") }}), which fetches it from there. The comma stands *before* the subject and
# cannot know which name is wanted: it must hold both.
#
# We test this by other means, on 100 prompts, counting right answers among all names. `cut_edges` keeps words from looking at
# others. And we put into the comma, before layer 2, what it holds in a story with two other names.

# %% tags=["idea"]
TEXTS = list(pairs("all", 100, seed=1))


@torch.no_grad()
def answers():
    logits = trace(world, [text[0] for text in TEXTS], ["logits"])["logits"][:, -1]
    return [PEOPLE[i] for i in logits[:, word_ids(PEOPLE)].argmax(1)]


# %%
others = [word for word in range(5, 15) if word != 9]  # 9 is the comma, 2 and 4 the names
CUTS = {"comma_alone": list(product(others, (2, 4))), "last_to_comma": [(14, 9)]}
CUTS["comma_blind"] = [(9, 2), (9, 4)]
right_cut = {}
for name, edges in CUTS.items():
    with cut_edges(world, None, edges=edges):
        right = [a == text[2] for a, text in zip(answers(), TEXTS, strict=True)]
    right_cut[name] = sum(right) / 100
comma = trace(world, [text[1] for text in TEXTS], ["resid_pre"])["resid_pre", 2][:, [9]]
with replace(world, "resid_pre", 2, comma, positions=[9]):
    taken = [a in text[1].split() for a, text in zip(answers(), TEXTS, strict=True)]
note(
    comma_alone=right_cut["comma_alone"],
    last_to_comma=right_cut["last_to_comma"],
    comma_blind=right_cut["comma_blind"],
    comma_theirs=sum(taken) / 100,
)

# %% [markdown]
# If of all later words only the comma may look at the names, {{ result("patching.comma_alone", ".0%") }} are right. If the comma
# may not, {{ result("patching.comma_blind", ".0%") }}; if the last word may not look at the comma, {{ result("patching.last_to_comma", ".0%") }}.
# With another story's comma the answer is one of *that* story's names in {{ result("patching.comma_theirs", ".0%") }}. So the name
# is not copied from where it stands. **The model collects both names at the comma, and then leaves out the subject.**
#
# Make such a map yourself. Guess which cell of *the second sentence* decides who got the ring, click it, and then show the whole map.
#
# <div class="bench" id="bench-swap" data-bench="swap" data-a="when Anna and Karl went to the river , Karl gave the ring to" data-b="when Anna and Karl went to the river , Anna gave the ring to" data-search-exclude markdown>
#
# The swap runs in the page and needs JavaScript. The maps above show its result over 12 pairs.
#
# </div>
#
# ## Heads and MLPs, exactly and cheaply
#
# *Attribution patching* estimates all patches at once: change of the activation times gradient of the metric, from one backward
# pass ([Nanda 2023](https://www.neelnanda.io/mechanistic-interpretability/attribution-patching)). We compare it with exact patches, also on pronouns:
# in `world`, and with pairs of nouns in `fairytale`, which was trained on real tales.


# %%
def both_ways(frame, women, men, she, he):
    words = zip(women, men, strict=True)
    lines = [(frame.format(w), frame.format(m), she, he) for w, m in words]
    return lines + [(b, a, he, she) for a, b, *_ in lines]


def estimate(prompts, found, place, model=world):
    rows = []
    for (*two, a, b), one in zip(prompts, found, strict=True):
        got = attribution_patching(model, *two, logit_difference(model, a, b), [place])
        rows.append(got[place] / (one.source - one.unpatched))
    return torch.stack(rows)  # (pair, layer, word, ...)


def correlation(*both):
    return torch.corrcoef(torch.stack([values.flatten() for values in both]))[0, 1]


def ranks(values):
    return values.flatten().argsort().argsort().double()


FEMALE = listed("queen girl princess mother sister daughter woman")
MALE = listed("king boy prince father brother son man")
once = END + "Once upon a time there was a {}, and"
PROMPTS["pronoun"] = both_ways(END + " {} saw the dog .", WOMEN, MEN, "she", "he")
PROMPTS["tale"] = both_ways(once, FEMALE, MALE, " she", " he")

# %% [markdown]
# Exact effects and estimates of all heads, in four kinds of prompts; in *flip* also noising and MLPs, in *all* the input's words.

# %%
models = {"flip": world, "new": world, "pronoun": world, "tale": llmnotes.load("fairytale")}
heads, by_head, agree = {}, {}, {}
for name, model in models.items():
    found = sweeps(PROMPTS[name], "z", model)
    heads[name] = middle(restored(found))  # (layer, head)
    by_head[name] = estimate(PROMPTS[name], found, "z", model).sum(2)
    agree[name] = correlation(restored(found), by_head[name])
back = middle(restored(sweeps(PROMPTS["flip"], "z", mode="noising")))
mlps = middle(restored(sweeps(PROMPTS["flip"], "mlp_out", each=("layer",))))
found = sweeps(PROMPTS["all"], layers=[0])
words, guess = restored(found)[:, 0], estimate(PROMPTS["all"], found, "resid_pre")[:, 0]
note(noising_rank=correlation(ranks(heads["flip"]), ranks(back)))
note(corr_heads=agree["flip"], corr_tale=agree["tale"])
note(corr_words=correlation(words[words != 0], guess[words != 0]))

# %% [markdown]
# What single heads restore, and where L2H3 looks.

# %%
of_flip, of_new, of_pronoun, of_tale = heads.values()
note(best_head=of_flip.max(), mlp0=mlps[0])
note(l1h1=of_flip[1, 1], l1h3=of_flip[1, 3], layer_0=of_flip[0].abs().max())
note(l1h1_guess=middle(by_head["flip"])[1, 1], tale_guess=middle(by_head["tale"])[4, 4])
note(new_l2h3=of_new[2, 3], pronoun_l2h2=of_pronoun[2, 2], tale_l4h4=of_tale[4, 4])
note(subject_exact=middle(words)[10], subject_guess=middle(guess)[10])
note(tale_head=of_tale.max(), flip_l2h3=of_flip[2, 3])
look = trace(world, [text[0] for text in TEXTS], ["pattern"])["pattern", 2]
note(l2h3_at_comma=look[:, 3, 14, 9].mean())

# %% [markdown]
# In *flip* L1H1 alone restores {{ result("patching.l1h1", ".0%") }} and L1H3 {{ result("patching.l1h3", ".0%") }}; the heads of layer 0
# restore nothing ({{ result("patching.layer_0", ".0%") }}), its MLP {{ result("patching.mlp0", ".0%") }}. In *new* the largest
# is L2H3 ({{ result("patching.new_l2h3", ".0%") }}), which pays the comma {{ result("patching.l2h3_at_comma", ".0%") }} of the last word's attention; in *flip* it restores
# {{ result("patching.flip_l2h3", ".0%") }}. Pronouns of `world` hang on L2H2 ({{ result("patching.pronoun_l2h2", ".0%") }}), those of
# `fairytale` on L4H4, in its last layer ({{ result("patching.tale_l4h4", ".0%") }}). Noising and denoising agree (rank correlation
# {{ result("patching.noising_rank", ".2f") }}, though most heads are near zero).
#
# Estimates go with exact effects (correlation {{ result("patching.corr_heads", ".2f") }} over heads and prompts of *flip*,
# {{ result("patching.corr_tale", ".2f") }} in `fairytale`, {{ result("patching.corr_words", ".2f") }} over words in *all*). But in `world` they
# are half too small: {{ result("patching.l1h1_guess", ".0%") }} for L1H1. (In `fairytale` they are nearly right:
# {{ result("patching.tale_guess", ".0%") }} for L4H4.) Exercise 2 shows why. And in *all* the median estimate has the subject wrong in
# sign: {{ result("patching.subject_guess", ".0%") }}, where an exact patch restores {{ result("patching.subject_exact", ".0%") }}.
#
# ## A circuit that passes every test
#
# Which heads are enough? Some run on the clean prompt; all others are held as they were in the corrupted run. A set is *faithful*
# if it keeps the logit difference, *complete* if without it nothing is left, *minimal* if no smaller set will do
# ([Wang et al. 2022](https://arxiv.org/abs/2211.00593)). With 16 heads we can try all sets: in *flip* all of up to two heads, in
# *new* all of up to six of the eight heads that restore more than 3 % in either. We search with 12 names and test with the other 12.


# %%
@torch.no_grad()
def kept(prompts, sets):
    """For each set: how much of the logit difference is kept, how many answers are right."""
    columns = zip(*prompts, strict=True)
    ids = [torch.stack([word_ids(text) for text in column]) for column in columns]
    clean, corrupted, right, wrong = ids
    held, rows = trace(world, corrupted, ["z", "logits"]), []

    def lead(logits):
        return logits[:, -1].gather(1, right) - logits[:, -1].gather(1, wrong)

    low, high = lead(held["logits"]).mean(), lead(world.model(clean).logits).mean()
    for some in sets:
        with ExitStack() as stack:
            for layer in range(4):
                if out := [head for head in range(4) if (layer, head) not in some]:
                    stack.enter_context(freeze(world, held, "z", layer, heads=out))
            now = lead(world.model(clean).logits)
        rows.append(((now.mean() - low) / (high - low), (now > 0).float().mean()))
    return torch.tensor(rows)


# %% [markdown]
# The search, size by size.

# %%
ALL = list(product(range(4), range(4)))
ACTIVE = [at for at in ALL if max(heads["flip"][at], heads["new"][at]) > 0.03]
KNOWN, OTHERS = PEOPLE[:6] + PEOPLE[12:18], PEOPLE[6:12] + PEOPLE[18:]
sets, scores = {}, {}  # by contrast and size
for contrast, some, most, n in (("flip", ALL, 2, 24), ("new", ACTIVE, 6, 12)):
    for size in range(most + 1):
        sets[contrast, size] = list(combinations(some, size))
        prompts = list(pairs(contrast, n, KNOWN))
        scores[contrast, size] = kept(prompts, sets[contrast, size])[:, 0]

# %% [markdown]
# The best smallest set of *flip*, tested: on other names, by what is left without it, and in *new*.

# %%
smallest = min(n for (c, n), share in scores.items() if c == "flip" and share.max() >= 0.8)
circuit = sets["flip", smallest][scores["flip", smallest].argmax()]
six, rest = sets["new", 6][scores["new", 6].argmax()], set(ALL) - set(circuit)
flip, new = (list(pairs(contrast, 48, OTHERS, seed=5)) for contrast in ("flip", "new"))
note(smallest=smallest)
passing = (scores["flip", smallest] >= 0.8).sum().item()
note(atol=1, smallest_sets=passing)
note(is_l1h1_l1h3=circuit == ((1, 1), (1, 3)))
on_flip, on_new = kept(flip, [circuit, rest, six]), kept(new, [circuit, six])
note(kept_names=on_flip[0, 0], right_with=on_flip[0, 1], right_without=on_flip[1, 1])
note(kept_random=scores["flip", smallest].median(), kept_alone=scores["flip", 1].max())
note(kept_on_new=on_new[0, 0], six=on_new[1, 0], six_on_flip=on_flip[2, 0])
note(four=scores["new", 4].max())

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3)
for contrast, colour in (("flip", BLUE), ("new", ORANGE)):
    mine = [share for (c, _), share in scores.items() if c == contrast]
    top, median = [100 * s.max() for s in mine], [100 * s.median() for s in mine]
    ax.plot(top, "o-", color=colour, label=f"{contrast}: best set")
    ax.plot(median, ":", color=colour, label=f"{contrast}, control: median set")
ax.plot(2, 100 * on_flip[0, 0], "D", color=GREEN, label="best two of flip, other names")
ax.plot(2, 100 * on_new[0, 0], "X", ms=9, color=PURPLE, label="the same two, in new")
ax.set(xlabel="heads in the set", ylabel="kept (%)", ylim=(-5, 112), xlim=(-0.2, 10))
ax.set_xticks(range(7))
ax.legend(loc="center right", fontsize=9.5)
ALT = """In flip the best two heads keep nearly all, also on other names; in new the same two keep nothing, and the best sets need
five or six heads for four fifths. The median set keeps nothing in flip, and always less than the best in new."""
CAPTION = "All sets of each size, the other heads as in the corrupted run."
figure(fig, name="sets", alt=ALT, caption=CAPTION, rtol=0.05, because=DRAW)

# %% [markdown]
# In *flip* two heads of 16 are enough: L1H1 and L1H3. On names that the search had not seen they keep
# {{ result("patching.kept_names", ".0%") }}; {{ result("patching.right_with", ".0%") }} of the answers are right with them,
# {{ result("patching.right_without", ".0%") }} without; the median pair keeps {{ result("patching.kept_random", ".0%") }}. Faithful, complete,
# minimal, tested on other names. (The threshold matters: L1H1 alone keeps {{ result("patching.kept_alone", ".0%") }}, so with some draws of prompts it
# passes alone, and with ours a second pair passes.)
#
# And they are not the circuit of who got what. **In *new* the same two keep {{ result("patching.kept_on_new", ".1%") }}.** The heads
# that bring names to the comma, and on from there, do the same in both prompts of *flip*, where both hold the same names. No test
# made of *flip* can see them, completeness included. In *new* four heads keep at most {{ result("patching.four", ".0%") }}. The best
# six keep {{ result("patching.six", ".0%") }} on other names, and {{ result("patching.six_on_flip", ".0%") }} in *flip* too. **A set of heads
# explains a contrast, not a task.**
#
# ## Marked against the grammar
#
# Does patching find the three words? In *all* every word changes that may. We put single words of the corrupted prompt into the
# clean one (noising, at layer 0's input) and read two metrics, the logit difference and the probability of the right name. Means over 48 pairs.


# %%
def probability(right, wrong):
    return lambda logits: logits.softmax(-1)[:, IDS[right]]


def difference(right, wrong):
    return logit_difference(world, right, wrong)


MANY = list(pairs("all", 48, seed=2))


def by_word(metric):
    """The mean effect of each word, with the right name's place as 2 and the other's as 4."""
    how = {"layers": [0], "mode": "noising"}
    found = [sweep(world, *two, metric(a, b), **how) for *two, a, b in MANY]
    effect = restored(found)[:, 0]
    effect[::2, [2, 4]] = effect[::2, [4, 2]]
    return effect.mean(0)


means = {"difference": by_word(difference), "probability": by_word(probability)}
by_difference, by_probability = means["difference"], means["probability"]
free = [8, 11, 13, 14]  # place, verb, thing, last word: they decide nothing
note(
    difference_right=by_difference[2],
    difference_mention=by_difference[4],
    difference_subject=by_difference[10],
    probability_right=by_probability[2],
    probability_mention=by_probability[4],
    probability_subject=by_probability[10],
)
note(
    atol=0.01,
    difference_free=by_difference[free].abs().max(),
    probability_free=by_probability[free].abs().max(),
)

# %% [markdown]
# | lost by changing | logit difference | probability |
# | --- | ---: | ---: |
# | the name to come | {{ result("patching.difference_right", ".0%") }} | {{ result("patching.probability_right", ".0%") }} |
# | the subject where first named | {{ result("patching.difference_mention", ".0%") }} | {{ result("patching.probability_mention", ".0%") }} |
# | the subject | {{ result("patching.difference_subject", ".0%") }} | {{ result("patching.probability_subject", ".0%") }} |
# | control: the most of place, verb, thing, last word | {{ result("patching.difference_free", ".0%") }} | {{ result("patching.probability_free", ".0%") }} |
#
# No word is found that does not matter. But by the logit difference two of the three that do matter nearly vanish. Put another
# person in the subject's place, and the model wavers between Anna and Karl: half of the probability is gone. *Anna minus Clara* does
# not see it, as Clara is not in the running. The probability finds all three, and no other word.
#
# ## What surprised us
#
# - Names are gathered at a comma, which means nothing by itself. [Tigges et al. 2023](https://arxiv.org/abs/2310.15154) saw
#   sentiment gathered at commas and names in larger models.
# - Two heads pass every test in one contrast and keep nothing in another. We had given one chance in three that they would be enough.
# - The estimates are worse in `world`, which is nearly perfect at its task, than in `fairytale`.
#
# ## Try it yourself
#
# **1. Who is left out?** (beginner, 5 minutes). Keep the last word from looking at the subject in layer 1. What share of the answers
# is right? Say it before you run it.
#
# ??? tip "Hint"
#     `cut_edges(world, 1, edges=[(14, 10)])`. What is at the comma?

# %% tags=["solution"]
with cut_edges(world, 1, edges=[(14, 10)]):
    share = sum(a == text[2] for a, text in zip(answers(), TEXTS, strict=True)) / 100
assert 0.3 < share < 0.7, f"{share}: without the subject it should be a coin toss"
print(f"{share:.0%} right: it is left with the two names")

# %% [markdown]
# **2. Why half?** (intermediate, 15 minutes). Move the subject's word in a straight line from the corrupted to the clean
# embedding. Where does the logit difference change fastest: at the ends, where attribution takes its gradient, or between?
#
# ??? tip "Hint"
#     `replace(world, "resid_pre", 0, mixed)`, with a row for each of 21 steps.

# %% tags=["solution"]
clean, corrupted, right, wrong = PROMPTS["flip"][0]
ends = trace(world, [clean, corrupted], ["resid_pre"])["resid_pre", 0]
mixed = ends[1] + torch.linspace(0, 1, 21)[:, None, None] * (ends[0] - ends[1])
with replace(world, "resid_pre", 0, mixed):
    logits = trace(world, [corrupted] * 21, ["logits"])["logits"][:, -1]
values = logit_difference(world, right, wrong)(logits)
slope = 20 * values.diff() / (values[-1] - values[0])  # 1: as on a straight line
assert slope[8:12].mean() > slope[0] + slope[-1], f"{slope}: is the middle not steeper?"
print("slope along the way:", slope[::3].numpy().round(1), "(1: a straight line)")

# %% [markdown]
# ## What this does not show
#
# - One model of each language, one training run. The comma may be the way of `world`, where each such sentence has one.
# - Heads were patched at all words at once; MLPs ran freely, and the sets say nothing of them. For *new* eight heads were not tried.
# - Pronouns: one kind of sentence each, 24 and 14 prompts.
#
# ## Links
#
# - Findings: [A set of heads explains a contrast, not a task](../findings/patching-contrast-not-task.md),
#   [Names are collected at the comma](../findings/patching-names-at-the-comma.md)
# - Dead end: [Logit difference against one rival](../dead-ends/patching-one-rival.md)
# - Question: [Where do large models collect names?](../questions/patching-names-in-large-models.md)
# - Related: [A circuit, taken apart and rebuilt](25_circuit.md)

# %% tags=["labels"]
in_words(
    flip_subject_1="Two names flipped: restored by the subject before layer 1",
    flip_last_2="Two names flipped: restored by the last word before layer 2",
    new_comma_1="A new name: restored by the comma before layer 1",
    new_comma_2="A new name: restored by the comma before layer 2",
    comma_alone="Right when only the comma may look at the names",
    last_to_comma="Right when the last word may not look at the comma",
    comma_blind="Right when the comma may not look at the names",
    comma_theirs="Answers from the other story when its comma is put in",
    noising_rank="Rank correlation of noising and denoising over heads",
    corr_heads="Correlation of estimated and exact effects, heads, flipped names",
    corr_tale="Correlation of estimated and exact effects, heads, Fairytale",
    corr_words="Correlation of estimated and exact effects, words, all changed",
    best_head="Restored by the best head, flipped names",
    mlp0="Restored by the first MLP, flipped names",
    l1h1="Restored by L1H1, flipped names",
    l1h3="Restored by L1H3, flipped names",
    layer_0="Restored by any head of the first layer, at most",
    l1h1_guess="Estimate for L1H1",
    tale_guess="Fairytale: estimate for L4H4",
    new_l2h3="Restored by L2H3, a new name",
    pronoun_l2h2="Restored by L2H2, pronouns of World",
    tale_l4h4="Fairytale: restored by L4H4, pronouns",
    subject_exact="Restored by the subject, all changed, exact",
    subject_guess="The same, estimated",
    tale_head="Fairytale: restored by the best head",
    flip_l2h3="Restored by L2H3, flipped names",
    l2h3_at_comma="Attention of L2H3 to the comma",
    smallest="Fewest heads that keep 80% of who got what",
    smallest_sets="Sets of that size that do",
    is_l1h1_l1h3="The best of them is L1H1 and L1H3",
    kept_names="Kept by that set on other names",
    right_with="Answers right with that set",
    right_without="Answers right without it",
    kept_random="Kept by the median set of its size",
    kept_alone="Kept by the best single head",
    kept_on_new="Kept by that set when a name is new",
    six="Kept by the best six heads when a name is new",
    six_on_flip="Kept by these six when names are flipped",
    four="Kept by the best four heads when a name is new",
    difference_right="Effect of the name to come, by the logit difference",
    difference_mention="Effect of the subject where first named, by the logit difference",
    difference_subject="Effect of the subject, by the logit difference",
    difference_free="Effect of words that decide nothing, at most, by the logit difference",
    probability_right="Effect of the name to come, by the probability",
    probability_mention="Effect of the subject where first named, by the probability",
    probability_subject="Effect of the subject, by the probability",
    probability_free="Effect of words that decide nothing, at most, by the probability",
)
