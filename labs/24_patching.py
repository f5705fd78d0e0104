# ---
# title: Activation patching
# question: Which of a model's activations hold the answer, and does a patch tell the whole truth about it?
# answer: >-
#   Half-way through the model the vector of one word restores {{ result("patching.new_comma_2", ".0%") }} of the answer. In
#   another training, with that word blind to the names, {{ result("patching.comma_blind_most", ".0%") }} of the answers are
#   still right.
# level: intermediate
# minutes: 14
# models: [world, fairytale]
# needs: [11_residual]
# tags: [activation patching, attribution patching, attention heads, circuits]
# chapter: Who does it
# thumbnail: runs
# timeout: 400
# ---

# %% tags=["setup"]
import random
from contextlib import ExitStack
from itertools import combinations, product

import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.model import cut_edges, freeze, replace, trace, untrained
from llmnotes.patching import (
    attribution_patching,
    interchange,
    learn_subspace,
    logit_difference,
    sweep,
)
from llmnotes.world import END, IDS, word_ids
from llmnotes.world.lexicon import LANDMARKS, MEN, PEOPLE, THINGS, WOMEN, listed

BLUE, ORANGE, GREEN, PURPLE, *_ = plots.COLOURS
DRAW = "near ties may turn, and room for another draw of prompts"
note = within(atol=0.05, because=DRAW)

# %% [markdown]
# ## A case you can hold: who gets the ring?
#
# *When Anna and Karl went to the river, Karl gave the ring to …* *World* answers *Anna*. Replace Anna by *Clara*, and it answers
# *Clara*. Somewhere between the second word and the last one the model carries that name. Where?
#
# Run both sentences. Then run Clara's again and, at one word and before one layer, replace its vector (the *residual stream*) by
# the one from Anna's run. If the answer changes to Anna, the name was in that vector. This transplant is *activation patching*.
#
# {{ drawing("patch", alt="Two runs of one model side by side. One activation of the clean run is carried into the corrupted run, and the answer follows.") }}

# %% tags=["idea"]
world = llmnotes.load("world")
clean = f"{END} when Anna and Karl went to the river , Karl gave the ring to"
corrupted = clean.replace("Anna", "Clara")
anna_or_clara = logit_difference(world, "Anna", "Clara")
given = trace(world, clean, ["resid_pre"])  # (1, word, d_model) for each layer


@torch.no_grad()
def patched(layer, word):
    value = given["resid_pre", layer][:, [word]]
    with replace(world, "resid_pre", layer, value, positions=[word]):
        return anna_or_clara(world.model(word_ids(corrupted)[None]).logits[:, -1]).item()


print(f"Clara's run, Anna's vector at her name: {patched(layer=0, word=2):.1f}")

# %% tags=["setup"]
with torch.no_grad():
    ends = [
        anna_or_clara(world.model(word_ids(text)[None]).logits[:, -1]).item()
        for text in (clean, corrupted)
    ]
print(f"Anna's run: {ends[0]:.1f}, Clara's run: {ends[1]:.1f}")

# %% [markdown]
# ## What a patch restores
#
# Call Anna's run *clean* and Clara's *corrupted*. We measure the *logit difference* $m$: the logit (the score before the softmax)
# of the clean run's name minus that of the corrupted run's name. What a patch *restores* is
#
# $$
# \mathrm{restored} = \frac{m_{\text{patched}} - m_{\text{corrupted}}}{m_{\text{clean}} - m_{\text{corrupted}}}
# $$
#
# $m_{\text{patched}}$ is measured in the corrupted run with one activation taken from the clean run. 0% means that the patch does
# nothing, 100% that it restores the whole answer ([Heimersheim & Nanda 2024](https://arxiv.org/abs/2404.15255)). A patch in this
# direction is called *denoising*. The reverse, a corrupted activation in the clean run, is *noising*.
#
# ```exercise
# title: Restored
# minutes: 2
# code: |
#   m_clean, m_corrupted = ends
#   m_patched = patched(layer=0, word=2)
#   restored = (m_patched - m_corrupted) / ▢
#   assert abs(restored - 1) < 0.01
# right: ["(m_clean - m_corrupted)", "(ends[0] - ends[1])", "(ends[0] - m_corrupted)", "(m_clean - ends[1])"]
# praise: "The patch is measured against the way from one run to the other."
# wrong:
#   "m_clean": "Then a patch that does everything would be over 100%. Where does the way begin?"
#   "(m_patched - m_corrupted)": "That is always 1. What would a patch do that does everything?"
#   "(m_corrupted - m_clean)": "The sign is turned: the way goes from the corrupted run to the clean one."
#   "m_clean - m_corrupted": "Nearly. Division comes before subtraction: brackets."
# otherwise: "0 is the corrupted run and 1 the clean one. How far apart are they?"
# solution: "`(m_clean - m_corrupted)` is the whole way."
# ```
#
# We wrote the grammar of *World*: one of two people is the subject of *gave* or *got*, and the last name is the other person's. So
# the answer depends on three words, the two names and the subject. Three contrasts change some of them:
#
# | contrast | prompt | answer |
# | --- | --- | --- |
# | clean | when **Anna** and **Karl** went to the river , **Karl** gave the ring to | Anna |
# | a new name | when **Clara** and Karl went to the river , Karl gave the ring to | Clara |
# | subject flipped | when Anna and Karl went to the river , **Anna** gave the ring to | Karl |
# | all changed | when **Clara** and **Hugo** went to the **hill** , **Hugo got** the **cup from** | Clara |


# %% tags=["setup"]
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
# ## Your prediction
#
# Take the contrast with a new name. The model has four layers. Half-way, before layer 2, we take the vector of one word from Anna's
# run and put it into Clara's.

# %%
ask(
    "Before layer 2, at which word must we put Anna's run into Clara's so that the model says “Anna”?",
    choices={
        "name": "At the name itself: it is looked up there when it is needed",
        "comma": "At the comma after “river”, which means nothing by itself",
        "subject": "At the subject, “Karl”: there the two names meet",
        "last": "At the last word, “to”, from which the answer is read",
    },
    answer="comma",
    because={
        "name": "The heads known from GPT-2 do look at the name itself. Here the name has moved on before layer 2.",
        "comma": "The comma is the first word that has seen both names and the end of the clause. Both are collected there.",
        "subject": "The subject decides which of the two names is left out. It does not carry the other one.",
        "last": "The last word does get the name, but later: before layer 3 it is there.",
    },
    figure="runs",
    new_comma_2="> 0.5",
)
predict("Before layer 2 the last word alone restores half", 0.6, flip_last_2="> 0.5")
predict("One head restores over half of who got what", 0.35, best_head="> 0.5")
predict(
    "Noising and denoising rank heads alike", 0.5, noising_rank="> 0.7", after_a_look=True
)
predict(
    "Estimates for heads correlate above 0.9 with exact",
    0.6,
    corr_heads="> 0.9",
    after_a_look=True,
)
predict(
    "Estimates for words of the input below 0.8", 0.6, corr_words="< 0.8", after_a_look=True
)
predict("A head of Fairytale restores 30% of a pronoun", 0.4, tale_head="> 0.3")
predict("At most 4 of 16 heads keep 80% of who got what", 0.6, smallest="<= 4")
predict("More than one set of that smallest size does", 0.6, smallest_sets="> 1")
predict("The best smallest set does on other names", 0.85, kept_names=">= 0.8")
predict("Without that set most answers are wrong", 0.65, right_without="< 0.5")
predict("Random sets of its size keep below 20%", 0.8, kept_random="< 0.2")
predict("That set keeps 80% when a name changes, too", 0.35, kept_on_new=">= 0.8")

# %% [markdown]
# ## The name to come waits at the comma

# %% tags=["idea"]
by_name = sweep(world, clean, corrupted, anna_or_clara)  # a run for each layer and word
flipped = clean.replace(", Karl", ", Anna")
by_subject = sweep(world, clean, flipped, logit_difference(world, "Anna", "Karl"))
print(by_name.axes, tuple(by_name.restored.shape))

# %% tags=["drawing"]
fig, axes = plots.subplots(1, 2, height=4.9)
one = clean.replace(END, "(start)").split()
for ax, found, other, title in zip(
    axes,
    (by_name, by_subject),
    (corrupted, flipped),
    ("A new name", "The subject flipped"),
    strict=True,
):
    two = other.replace(END, "(start)").split()
    share = 100 * found.restored.T  # (word, layer)
    ax.imshow(share, vmin=-100, vmax=100, cmap=plots.DIVERGING, aspect="auto")
    for y, (left, right) in enumerate(zip(one, two, strict=True)):
        same, where = left == right, {2: "name", 9: "comma", 10: "subject", 14: "last"}
        ax.text(
            -0.7, y, left, ha="right", va="center", weight=None if same else "bold"
        ).set_gid(f"choice-{where.get(y, 'none')}" if found is by_name else "")
        ink = plots.MUTED if same else ORANGE
        ax.text(3.7, y, right, va="center", color=ink, weight=None if same else "bold")
        for x in range(4):
            if share[y, x] > 15:
                ink = plots.PAPER if share[y, x] > 55 else plots.INK
                ax.text(x, y, f"{share[y, x]:.0f}", ha="center", va="center", color=ink)
    ax.set(xticks=range(4), yticks=[], xlabel="patched before layer", title=title)
    ax.grid(visible=False)
figure(
    fig,
    name="runs",
    title="Before layer 2 the name is at the comma",
    alt="Two grids of words by layers. When a name is new, all of the answer is at the name before layer 0, about half there and half at "
    "the comma before layer 1, at the comma before layer 2, at the last word before layer 3. When the subject is flipped, all is "
    "at the subject before layers 0 and 1 and at the last word before layers 2 and 3.",
    caption="Left of each grid the clean run's words, right of it the corrupted run's. A cell: what of the clean answer that one patch restores (%).",
    data={"new": by_name.restored, "flip": by_subject.restored},
    rtol=0.05,
    because=DRAW,
)

# %% tags=["setup"]
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

# %% [markdown]
# The two contrasts tell two stories. *Who the subject is* can be restored at the subject before layers 0 and 1, and at the last
# word before layer 2: layer 1 carries it there. *The name to come* moves to the comma, and layer 2 fetches it from there. Over 12
# pairs the comma restores {{ result("patching.new_comma_2", ".0%") }} before layer 2. As a control, place, verb and thing change
# too in one contrast, and their words restore nothing ([all three maps](#the-maps-over-12-pairs)).
#
# The comma comes before the subject, so it cannot know which name will be asked for. It must hold both. To test that, we replace
# the comma's vector in 100 stories by that of a story with two other names. In {{ result("patching.comma_theirs", ".0%") }} of them
# the answer is one of *that* story's names.
#
# Now make such a map yourself. Guess which cell of the second sentence decides who got the ring, click it, and then show the whole
# map.
#
# <div class="bench" id="bench-swap" data-bench="swap" data-a="when Anna and Karl went to the river , Karl gave the ring to" data-b="when Anna and Karl went to the river , Anna gave the ring to" data-search-exclude markdown>
#
# The swap runs in the page and needs JavaScript. The figure above shows its result for one pair.
#
# </div>
#
# ## The comma is enough in every model, and needed in some
#
# A patch shows that the names are at the comma. Are they *needed* there? We cut words off from each other: `cut_edges` removes
# single edges from attention, in all layers. In the first test only the comma may look at the two names, and no other word after
# them. In the second test all words may, and only the comma may not.

# %% tags=["idea"]
NAMES, COMMA, LAST = (2, 4), 9, 14
later = [word for word in range(5, 15) if word != COMMA]
CUTS = {  # (who looks, at whom): no longer
    "comma_alone": list(product(later, NAMES)),
    "comma_blind": [(COMMA, name) for name in NAMES],
    "last_to_comma": [(LAST, COMMA)],
}


@torch.no_grad()
def share_right(model, cut):
    with cut_edges(model, None, edges=CUTS[cut]):
        return sum(map(str.__eq__, answers(model), RIGHT)) / len(RIGHT)


# %% tags=["setup"]
TEXTS = list(pairs("all", 100, seed=1))
RIGHT = [text[2] for text in TEXTS]


@torch.no_grad()
def answers(model=world):
    """The likeliest name after each of 100 prompts."""
    logits = trace(model, [text[0] for text in TEXTS], ["logits"])["logits"][:, -1]
    return [PEOPLE[i] for i in logits[:, word_ids(PEOPLE)].argmax(1)]


AGAIN = {f"again {n}": llmnotes.load("world", seed=n) for n in (1, 2, 3, 4)}
MODELS = {"World": world, **AGAIN, "no MLPs": llmnotes.load("world/attention-only")}
for n in (1, 2):
    MODELS[f"no MLPs, again {n}"] = llmnotes.load("world/attention-only", seed=n)
cuts = {who: {cut: share_right(m, cut) for cut in CUTS} for who, m in MODELS.items()}
whole = {who: sum(map(str.__eq__, answers(m), RIGHT)) / 100 for who, m in MODELS.items()}
comma = trace(world, [text[1] for text in TEXTS], ["resid_pre"])["resid_pre", 2][:, [9]]
with replace(world, "resid_pre", 2, comma, positions=[9]):
    taken = [a in text[1].split() for a, text in zip(answers(), TEXTS, strict=True)]
ours = cuts["World"]
note(
    comma_alone=ours["comma_alone"],
    last_to_comma=ours["last_to_comma"],
    comma_blind=ours["comma_blind"],
    comma_theirs=sum(taken) / 100,
    comma_alone_least=min(cut["comma_alone"] for cut in cuts.values()),
    comma_blind_most=max(cut["comma_blind"] for cut in cuts.values()),
)
needing = [cut["comma_blind"] < 0.5 for cut in cuts.values()]
note(models_tried=len(needing), models_needing=sum(needing))

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.8)
for y, (who, cut) in enumerate(cuts.items()):
    ax.plot(
        [100 * cut["comma_blind"], 100 * cut["comma_alone"]],
        [y, y],
        color=plots.MUTED,
        lw=1,
    )
    ax.plot(100 * whole[who], y, "|", color=plots.INK, ms=17, mew=2)
    ax.plot(100 * cut["comma_alone"], y, "o", color=BLUE, ms=8)
    ax.plot(100 * cut["comma_blind"], y, "s", color=ORANGE, ms=8)
ax.text(101, -1.5, "only the comma may look", color=BLUE, ha="right")
ax.text(0, -0.75, "all but the comma may", color=ORANGE)
ax.set_yticks(range(len(cuts)), cuts)
ax.set(xlim=(-4, 106), ylim=(len(cuts) - 0.4, -2), xlabel="answers right (%)")
ax.set_title("Enough in every model, needed in some")
figure(
    fig,
    name="models",
    alt="For World, four more trainings of it, and three models without MLPs: if only the comma may look at the names, nearly all answers are "
    "right in every model. If the comma alone may not, the share that is right runs from hardly any in World to nearly all in others.",
    caption="Who may look at the names? 100 prompts, 24 possible names. Black ticks, the control: nothing cut. The same recipe from other weights on other stories.",
    data={"cuts": torch.tensor([list(cut.values()) for cut in cuts.values()])},
    rtol=0.05,
    because=DRAW,
)

# %% [markdown]
# In all {{ result("patching.models_tried") }} models the comma is enough: with all other words blind to the names, at least
# {{ result("patching.comma_alone_least", ".0%") }} of the answers are right. But it is needed in only
# {{ result("patching.models_needing") }} of them, if we call it needed when fewer than half of the answers survive a blind comma.
#
# The three models without MLPs need it. Of the five with MLPs only one does, and it is the one that we had published. There
# {{ result("patching.comma_blind", ".0%") }} are right with a blind comma, and we wrote that the name is never copied from its own
# position. That is one training's habit. In the other four the last word can look at the names themselves, or at another word that
# saw them.
#
# ## A circuit that passes every test, and is not the circuit
#
# Which heads are enough for this answer? We let some heads run on the clean prompt and hold all others as they were in the
# corrupted run. A set of heads is *faithful* if it keeps the logit difference, *complete* if nothing is left without it, and
# *minimal* if no smaller set will do (after [Wang et al. 2022](https://arxiv.org/abs/2211.00593), whose tests of the last two
# are stricter). With 16 heads we can try all sets. We search with 12 names and test with 12 others.


# %% tags=["setup"]
# The heads, exactly and by gradients: what the search may choose from.
def both_ways(frame, women, men, she, he):
    words = zip(women, men, strict=True)
    lines = [(frame.format(w), frame.format(m), she, he) for w, m in words]
    return lines + [(b, a, he, she) for a, b, *_ in lines]


def estimate(prompts, found, place, model=world, steps=None):
    rows = []
    for (*two, a, b), one in zip(prompts, found, strict=True):
        got = attribution_patching(
            model, *two, logit_difference(model, a, b), [place], steps=steps
        )
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

# %% tags=["setup"]
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

# %% tags=["setup"]
of_flip, of_new, of_pronoun, of_tale = heads.values()
note(best_head=of_flip.max(), mlp0=mlps[0])
note(l1h1=of_flip[1, 1], l1h3=of_flip[1, 3], layer_0=of_flip[0].abs().max())
note(l1h1_guess=middle(by_head["flip"])[1, 1], tale_guess=middle(by_head["tale"])[4, 4])
note(new_l2h3=of_new[2, 3], pronoun_l2h2=of_pronoun[2, 2], tale_l4h4=of_tale[4, 4])
note(subject_exact=middle(words)[10], subject_guess=middle(guess)[10])
note(tale_head=of_tale.max(), flip_l2h3=of_flip[2, 3])
look = trace(world, [text[0] for text in TEXTS], ["pattern"])["pattern", 2]
note(l2h3_at_comma=look[:, 3, 14, 9].mean())


# %% tags=["setup"]
@torch.no_grad()
def kept(prompts, sets, model=world):
    """For each set: how much of the logit difference is kept, how many answers are right."""
    columns = zip(*prompts, strict=True)
    ids = [torch.stack([word_ids(text) for text in column]) for column in columns]
    clean, corrupted, right, wrong = ids
    held, rows = trace(model, corrupted, ["z", "logits"]), []

    def lead(logits):
        return logits[:, -1].gather(1, right) - logits[:, -1].gather(1, wrong)

    low, high = lead(held["logits"]).mean(), lead(model.model(clean).logits).mean()
    for some in sets:
        with ExitStack() as stack:
            for layer in range(4):
                if out := [head for head in range(4) if (layer, head) not in some]:
                    stack.enter_context(freeze(model, held, "z", layer, heads=out))
            now = lead(model.model(clean).logits)
        rows.append(((now.mean() - low) / (high - low), (now > 0).float().mean()))
    return torch.tensor(rows)


# %% tags=["setup"]
ALL = list(product(range(4), range(4)))
ACTIVE = [at for at in ALL if max(heads["flip"][at], heads["new"][at]) > 0.03]
KNOWN, OTHERS = PEOPLE[:6] + PEOPLE[12:18], PEOPLE[6:12] + PEOPLE[18:]
sets, scores = {}, {}  # by contrast and size
for contrast, some, most, n in (("flip", ALL, 2, 24), ("new", ACTIVE, 6, 12)):
    for size in range(most + 1):
        sets[contrast, size] = list(combinations(some, size))
        prompts = list(pairs(contrast, n, KNOWN))
        scores[contrast, size] = kept(prompts, sets[contrast, size])[:, 0]

# %% tags=["setup"]
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
among = {"World": (on_flip[0, 0].item(), on_new[0, 0].item())}
for who, model in AGAIN.items():
    scored = kept(list(pairs("flip", 24, KNOWN)), sets["flip", 2], model)[:, 0]
    best_two = [sets["flip", 2][scored.argmax()]]
    among[who] = tuple(kept(some, best_two, model)[0, 0].item() for some in (flip, new))
note(
    two_kept_least=min(value for value, _ in among.values()),
    two_kept_on_new_most=max(value for _, value in among.values()),
    models_again=len(among),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.3)
for contrast, colour in (("flip", BLUE), ("new", ORANGE)):
    mine = [share for (c, _), share in scores.items() if c == contrast]
    top, median = [100 * s.max() for s in mine], [100 * s.median() for s in mine]
    ax.plot(top, "o-", color=colour)
    ax.plot(median, ":", color=colour)
ax.plot(2, 100 * on_flip[0, 0], "D", color=GREEN)
ax.plot(2, 100 * on_new[0, 0], "X", ms=9, color=PURPLE)
ax.text(0, 106, "subject flipped: best set", color=BLUE)
ax.text(6.1, 96, "a new name: best set", color=ORANGE, ha="right")
ax.text(6.1, 20, "control:\nmedian set", color=ORANGE, ha="right", va="top")
ax.text(2.15, -14, "the same two heads, a new name", color=PURPLE)
ax.set(xlabel="heads in the set", ylabel="kept (%)", ylim=(-19, 118), xlim=(-0.2, 6.3))
ax.set_xticks(range(7))
ax.set_yticks((0, 50, 100))
ax.set_title("Two heads pass every test, in one contrast")
ALT = """In flip the best two heads keep nearly all, also on other names; in new the same two keep nothing, and the best sets need
five or six heads for four fifths. The median set keeps nothing in flip, and always less than the best in new."""
CAPTION = "All sets of each size, the other heads as in the corrupted run. Green: the best two of the first contrast, on other names."
figure(fig, name="sets", alt=ALT, caption=CAPTION, rtol=0.05, because=DRAW)

# %% [markdown]
# When the subject is flipped, two heads of 16 are enough: L1H1 (head 1 of layer 1) and L1H3. On names that the search had not seen
# they keep {{ result("patching.kept_names", ".0%") }} of the logit difference, and without them
# {{ result("patching.right_without", ".0%") }} of the answers are right. So they are faithful, complete, minimal, and tested on
# other names.
#
# Yet they are not the circuit of who got what. When a name is new, the same two heads keep
# {{ result("patching.kept_on_new", ".1%") }}. Other heads bring the names to the comma and on from there. They do the same in both
# prompts of the first contrast, since both prompts hold the same names, so no test made of that contrast can see them. **A set of
# heads explains a contrast, not a task.**
#
# This holds in all {{ result("patching.models_again") }} trainings of *World*: the best two heads of each keep at most
# {{ result("patching.two_kept_on_new_most", ".1%") }} when a name is new.
#
# ## One gradient finds under half of a patch; ten find nearly all
#
# A map like the ones above takes one run for each patch. *Attribution patching* estimates all patches from one backward pass: the
# change of the activation times the gradient of the metric
# ([Nanda 2023](https://www.neelnanda.io/mechanistic-interpretability/attribution-patching)). In *World* its estimates are less than
# half of the truth. The model is so sure of its answer that the gradient is nearly flat in either run; the steep part lies between
# the two. *Integrated gradients* average the gradient over inputs on the straight line from one prompt to the other
# ([EAP-IG, Hanna et al. 2024](https://arxiv.org/abs/2403.17806)).

# %% tags=["idea"]
SUBJECT = logit_difference(world, "Anna", "Karl")
exact = sweep(world, clean, flipped, SUBJECT, "z")  # 16 runs
way = exact.source - exact.unpatched
for steps in (None, 10):  # one gradient, ten between the two prompts
    found = attribution_patching(world, clean, flipped, SUBJECT, ["z"], steps=steps)
    l1h1 = found["z"].sum(1)[1, 1] / way  # of (layer, word, head)
    print(f"gradients {steps or 1:2}: {l1h1:.0%}, exactly {exact.restored[1, 1]:.0%}")

# %% tags=["setup"]
ratios, agreement, of_world = {}, {}, {}
for who, model in {"World": world, **AGAIN}.items():
    by_sweep = sweeps(PROMPTS["flip"], "z", model)
    truth = restored(by_sweep)
    best = middle(truth).argmax()
    for steps in (None, 10):
        guesses = estimate(PROMPTS["flip"], by_sweep, "z", model, steps).sum(2)
        guessed = middle(guesses).flatten()[best]
        ratios[who, steps] = (guessed / middle(truth).flatten()[best]).item()
        agreement[who, steps] = correlation(truth, guesses).item()
        if who == "World":
            of_world[steps] = middle(guesses)
of_one, of_ten = ([ratios[who, steps] for who in ("World", *AGAIN)] for steps in (None, 10))
note(
    l1h1_integrated=of_world[10][1, 1],
    gradient_most=max(of_one),
    integrated_least=min(of_ten),
    integrated_most=max(of_ten),
    corr_integrated=agreement["World", 10],
    corr_gradient_least=min(agreement[who, None] for who in ("World", *AGAIN)),
    corr_integrated_least=min(agreement[who, 10] for who in ("World", *AGAIN)),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3.2)
rows = ["World", *AGAIN]
for y, who in enumerate(rows):
    for steps, style, colour in ((None, "s", ORANGE), (10, "o", BLUE)):
        ax.plot(100 * ratios[who, steps], y, style, color=colour, ms=9)
ax.axvline(100, color=plots.INK, ls="--", lw=1)
ax.text(2, -0.75, "one gradient", color=ORANGE)
ax.text(98, -0.75, "ten on the way", color=BLUE, ha="right")
ax.text(101, len(rows) - 0.45, "exact", va="bottom")
ax.set_yticks(range(len(rows)), rows)
ax.set(xlim=(0, 124), ylim=(len(rows) - 0.4, -1.2))
ax.set(xlabel="estimate (% of the exact effect)")
ax.set_title("One gradient sees under half of a patch")
figure(
    fig,
    name="gradients",
    alt="In all five trainings one gradient estimates about 35 to 45 percent of what the best head restores; ten gradients on the way "
    "between the prompts estimate 90 to 105 percent.",
    caption="The head that restores most when the subject is flipped, in five trainings; medians of 24 pairs. Dashed, the control: an exact patch.",
    data={"one": torch.tensor(of_one), "ten": torch.tensor(of_ten)},
    rtol=0.06,
    because=DRAW,
)

# %% [markdown]
# An exact patch of L1H1 restores {{ result("patching.l1h1", ".0%") }}. One gradient estimates
# {{ result("patching.l1h1_guess", ".0%") }}, ten gradients along the way {{ result("patching.l1h1_integrated", ".0%") }}. In five
# trainings one gradient gives at most {{ result("patching.gradient_most", ".0%") }} of the exact effect of the best head. Ten
# gradients give between {{ result("patching.integrated_least", ".0%") }} and {{ result("patching.integrated_most", ".0%") }}.
#
# The order of the heads suffers less. Over heads and prompts, the estimates of one gradient correlate with exact patches at
# {{ result("patching.corr_heads", ".2f") }}; in the worst of the five trainings at
# {{ result("patching.corr_gradient_least", ".2f") }}. With ten gradients it is at least
# {{ result("patching.corr_integrated_least", ".2f") }}. *Fairytale* is never so sure of an answer, and there one gradient is enough
# ({{ result("patching.corr_tale", ".2f") }}).
#
# ## What surprised us
#
# **A word that means nothing held the answer.** We had expected the last word to look back at the name, as heads of GPT-2 do.
# [Tigges et al. 2023](https://arxiv.org/abs/2310.15154) had seen sentiment gathered at commas and names in larger models.
#
# **Our best finding was one training's habit.** All eight models can answer from the comma, and half of them can do without it. Had
# we trained five models first, we would never have written that the name is not copied from its own position.
#
# **A metric hid two of three words.** Three words decide the answer. The logit difference against the other prompt's name shows one
# of them ([below](#marked-against-the-grammar)).
#
# ## Try it
#
# **1. Who is left out?** (5 minutes). Stop the last word from looking at the subject in layer 1. What share of the answers is
# right? Predict it before you run it.
#
# ??? tip "Hint"
#     `cut_edges(world, 1, edges=[(14, 10)])`. What is at the comma?

# %% tags=["solution"]
with cut_edges(world, 1, edges=[(14, 10)]):
    share = sum(a == text[2] for a, text in zip(answers(), TEXTS, strict=True)) / 100
assert 0.3 < share < 0.7, f"{share}: without the subject it should be a coin toss"
print(f"{share:.0%} right: it is left with the two names")

# %% [markdown]
# **2. Why half?** (15 minutes). Move the subject's word in a straight line from the corrupted to the clean
# embedding. Where does the logit difference change fastest: at the ends, where attribution takes its gradient, or between?
#
# ??? tip "Hint"
#     `replace(world, "resid_pre", 0, mixed)`, with a row for each of 21 steps.

# %% tags=["solution"]
first, second, right, wrong = PROMPTS["flip"][0]
embedded = trace(world, [first, second], ["resid_pre"])["resid_pre", 0]
mixed = embedded[1] + torch.linspace(0, 1, 21)[:, None, None] * (embedded[0] - embedded[1])
with replace(world, "resid_pre", 0, mixed):
    logits = trace(world, [second] * 21, ["logits"])["logits"][:, -1]
values = logit_difference(world, right, wrong)(logits)
slope = 20 * values.diff() / (values[-1] - values[0])  # 1: as on a straight line
assert slope[8:12].mean() > slope[0] + slope[-1], f"{slope}: is the middle not steeper?"
print("slope along the way; a straight line has 1:")
print(*(f"{here:.1f}" for here in slope[::3]))

# %% [markdown]
# ## You can now
#
# - patch one activation from one run into another, and say what share of the answer it restores;
# - distinguish what is enough from what is needed: a patch shows the first, a cut the second;
# - estimate all patches from gradients, and know when one gradient is too few.
#
# ## What this does not show
#
# - Anything beyond one kind of sentence, which always has a comma, in one language. The eight models are all small.
# - What MLPs do: they ran freely, and the sets of heads say nothing about them. Heads were patched at all words at once.
# - How much the comma would cost by another cut. Ours removes edges and lets the softmax share the attention among the rest.
#
# ## Going deeper
#
# ### The maps over 12 pairs

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
# The maps show medians over 12 pairs in which the right name comes first. Who the subject is can still be restored at the subject
# before layer 1 ({{ result("patching.flip_subject_1", ".0%") }}). If the last word may not look at the comma,
# {{ result("patching.last_to_comma", ".0%") }} of *World*'s answers are right.
#
# ### How many directions of the comma?
#
# The comma's vector has 128 dimensions. How many of them hold the names? *Distributed alignment search* learns a subspace:
# directions whose exchange between two runs makes the model say the other run's name
# ([Geiger et al. 2023](https://arxiv.org/abs/2303.02536)). We learn it with 12 names. We test it with new sentences about the same
# names and with the 12 other names. Controls are random directions and an untrained model.

# %% tags=["setup"]


def swap_in(names, n, seed):
    """Prompts, sources and new answers of the contrast with a new name, as ids."""
    rows = [(a, b, new) for a, b, _, new in pairs("new", n, names, seed)]
    one, two, new = (
        torch.stack([word_ids(text) for text in column])
        for column in zip(*rows, strict=True)
    )
    return one, two, new.flatten()


@torch.no_grad()
def said(model, basis, prompts):
    """How often the model says the other run's name with its comma in a subspace."""
    base, source, new = prompts
    other = trace(model, source, ["resid_pre"], layers=[2])["resid_pre", 2][:, [9]]
    with interchange(model, "resid_pre", 2, other, basis, positions=[9]):
        return (model.model(base).logits[:, -1].argmax(-1) == new).float().mean().item()


learn_from = swap_in(KNOWN, 192, 3)
tests = {"same names": swap_in(KNOWN, 60, 4), "other names": swap_in(OTHERS, 60, 4)}
SIZES, spaces = (2, 4, 8, 16, 32), {}
blank, generator = untrained(world), torch.Generator().manual_seed(0)
for n in SIZES:
    basis = learn_subspace(world, *learn_from, n, layer=2, position=9, steps=60)
    spaces[n] = {name: said(world, basis, some) for name, some in tests.items()}
    chance = torch.linalg.qr(torch.randn(128, n, generator=generator)).Q
    spaces[n]["random"] = said(world, chance, tests["same names"])
basis = learn_subspace(blank, *learn_from, 16, layer=2, position=9, steps=60)
note(
    space_same=spaces[16]["same names"],
    space_other=spaces[16]["other names"],
    space_random=spaces[16]["random"],
    space_untrained=said(blank, basis, tests["same names"]),
    space_whole=said(world, torch.eye(128), tests["other names"]),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=3)
for name, colour, height in (
    ("same names", BLUE, 88),
    ("other names", ORANGE, 12),
    ("random", plots.MUTED, -9),
):
    ax.plot(SIZES, [100 * spaces[n][name] for n in SIZES], "o-", color=colour)
    label = {"random": "control: random directions", "other names": "learned, other names"}
    ax.text(33, height, label.get(name, "learned, same names"), color=colour, ha="right")
ax.set(xscale="log", xlabel="directions exchanged at the comma", ylim=(-14, 108))
ax.set(ylabel="other run's name said (%)")
ax.set_xticks(SIZES, SIZES)
ax.minorticks_off()
ax.set_title("The subspace is of names, not of a slot for a name")
figure(
    fig,
    name="subspace",
    alt="With 16 learned directions nearly all swaps bring the other run's name if it is one of the names learned from; with other names "
    "hardly any do, for any number of directions. Random directions bring none.",
    caption="60 new sentences each, comma before layer 2, one training. The whole stream brings nearly all.",
    data={name: torch.tensor([spaces[n][name] for n in SIZES]) for name in spaces[2]},
    rtol=0.15,
    because="a learned subspace, another draw of prompts",
)

# %% [markdown]
# Exchanging sixteen learned directions brings the other run's name in {{ result("patching.space_same", ".0%") }} of new sentences
# about the names that they were learned from. Random directions bring it in {{ result("patching.space_random", ".0%") }}, and in an
# untrained model it is {{ result("patching.space_untrained", ".0%") }}. So the usual controls are passed.
#
# But with the twelve other names the same directions bring {{ result("patching.space_other", ".0%") }}, where the whole vector
# brings {{ result("patching.space_whole", ".0%") }}. The search did not find a slot in which *a* name is kept. It found the
# directions of twelve names.
#
# ### Heads and MLPs, one by one
#
# When the subject is flipped, L1H1 alone restores {{ result("patching.l1h1", ".0%") }} and L1H3
# {{ result("patching.l1h3", ".0%") }}. The heads of layer 0 restore {{ result("patching.layer_0", ".0%") }}, its MLP
# {{ result("patching.mlp0", ".0%") }}.
#
# When a name is new, L2H3 restores most ({{ result("patching.new_l2h3", ".0%") }}). At the last word it pays the comma
# {{ result("patching.l2h3_at_comma", ".0%") }} of its attention. When the subject is flipped it restores
# {{ result("patching.flip_l2h3", ".0%") }}.
#
# Pronouns of *World* depend on L2H2 ({{ result("patching.pronoun_l2h2", ".0%") }}), those of *Fairytale* on L4H4
# ({{ result("patching.tale_l4h4", ".0%") }}; one gradient estimates {{ result("patching.tale_guess", ".0%") }}). Noising and
# denoising rank heads with a correlation of {{ result("patching.noising_rank", ".2f") }}, though most heads are near zero.
#
# For the words of the input, when all of them change, the estimates of one gradient correlate with exact patches at
# {{ result("patching.corr_words", ".2f") }}. The median estimate for the subject even has the wrong sign:
# {{ result("patching.subject_guess", ".0%") }}, where an exact patch restores {{ result("patching.subject_exact", ".0%") }}.
#
# The best single head keeps {{ result("patching.kept_alone", ".0%") }}, so with some draws of prompts it passes the threshold of
# 80% alone; the median pair keeps {{ result("patching.kept_random", ".0%") }}. For a new name the best four heads keep
# {{ result("patching.four", ".0%") }}. The best six keep {{ result("patching.six", ".0%") }} on other names, and
# {{ result("patching.six_on_flip", ".0%") }} when the subject is flipped.
#
# ### Marked against the grammar
#
# Does patching find the three words that decide? All words that may change do change. Then we put single words of the corrupted
# prompt into the clean one (noising, at layer 0's input) and read two metrics. The table shows means over 48 pairs.


# %% tags=["setup"]
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
# person in the subject's place, and the model wavers between Anna and Karl: half of Anna's probability is gone. *Anna minus Clara*
# does not see it, since Clara is not a candidate. The probability finds all three words, and no other.
#
# - Finding: [A set of heads explains a contrast, not a task](../findings/patching-contrast-not-task.md)
# - Finding: [The comma is enough in every model, and needed in some](../findings/patching-comma-enough.md)
# - Finding: [One gradient sees under half of a patch](../findings/patching-one-gradient.md)
# - Superseded: [Names are collected at the comma](../findings/patching-names-at-the-comma.md)
# - Dead end: [Logit difference against one rival](../dead-ends/patching-one-rival.md)
# - Dead end: [A learned subspace for a variable](../dead-ends/patching-subspace-of-names.md)
# - Question: [Where do large models collect names?](../questions/patching-names-in-large-models.md)
# - Hanna, Pezzelle & Belinkov (2024), [Have Faith in Faithfulness](https://arxiv.org/abs/2403.17806)

# %% tags=["setup"]
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
    comma_alone_least="Right when only the comma may look at the names, least of all models",
    comma_blind_most="Right when the comma may not look at the names, most of all models",
    models_tried="Models in which the comma was tried",
    models_needing="Models in which fewer than half are right without the comma",
    two_kept_least="Kept by the best two heads on other names, least of five trainings",
    two_kept_on_new_most="Kept by the best two heads when a name is new, most of five trainings",
    models_again="Trainings of World in which two heads were sought",
    l1h1_integrated="Estimate for L1H1 by ten gradients",
    gradient_most="Estimate for the best head by one gradient against exact, most of five trainings",
    integrated_least="The same by ten gradients, least",
    integrated_most="The same by ten gradients, most",
    corr_integrated="Correlation of estimates by ten gradients with exact effects, heads, flipped names",
    corr_gradient_least="Correlation of estimates by one gradient, least of five trainings",
    corr_integrated_least="Correlation of estimates by ten gradients, least of five trainings",
    space_same="Swaps of 16 learned directions that bring the other run's name, same names",
    space_other="The same with other names",
    space_random="The same with random directions",
    space_untrained="The same in an untrained model",
    space_whole="Swaps of the whole stream that bring the other run's name, other names",
    probability_free="Effect of words that decide nothing, at most, by the probability",
)
