# ---
# title: GPT-2
# question: Three questions that we asked SmolLM2, a fact, a receiver, a repetition, asked of GPT-2 by the same code. Are the answers the same?
# level: intermediate
# models: [gpt2]
# needs: [40_paris, 42_ioi, 43_induction, hub]
# tags: [facts, circuits, induction, activation patching]
# chapter: In the wild
# thumbnail: moves
# timeout: 1800
# ---

# %% tags=["setup"]
import random
from collections import Counter

import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, note, plots, predict, within
from llmnotes.methods import looking, repeated_tokens
from llmnotes.model import norm_scale, normalize, parts, replace, rerun, trace

BLUE, ORANGE, GREEN, *_ = plots.COLOURS
torch.set_grad_enabled(False)  # nothing is trained here
NAME = "gpt2"  # or "smollm2", "distilgpt2", "EleutherAI/pythia-160m", "Qwen/Qwen2.5-0.5B"
model = llmnotes.load(NAME)
found = parts(model)
DRAW = "sums in another order, and near ties between words"
near, close = within(atol=0.04, because=DRAW), within(rtol=0.05, atol=0.1, because=DRAW)


def tokens(text):
    return model.tokenizer(text)["input_ids"]


def one_token(word):
    return len(tokens(f" {word}")) == len(tokens("the")) == 1


def enough(kept, least, what):
    """What was kept, or a clear word that this model cannot be asked."""
    if len(kept) < least:
        raise ValueError(
            f"{NAME}: {len(kept)} {what}, and {least} are needed; another model, or other words"
        )
    return kept


@torch.no_grad()
def run(ids):
    return model.model(ids, use_cache=False, logits_to_keep=1).logits[:, -1]


# %% [markdown]
# ## A case you can hold: one sentence, two models
#
# *When Mary and John went to the store, John gave a drink to* … SmolLM2 says *Mary* with probability
# {{ result("ioi.case_p", ".2f") }}, GPT-2 small with probability {{ result("gpt2.case_p", ".2f") }}. GPT-2 (OpenAI, 2019) is
# the model in which many of this field's first findings were made: 12 layers of 12 heads, 124 million parameters.
#
# **What stands here and what does not.** This page's own numbers come from a run that needs the Hugging Face hub. Where the notebook was
# built without it, they read “(not recorded yet)”, and the figures are missing. SmolLM2's numbers are those of
# [lab 40](40_paris.md), [lab 42](42_ioi.md) and [lab 43](43_induction.md), and are recorded. With a connection,
# `llmnotes record --hub 46` makes the run.
#
# {{ drawing("transformer-map", alt="The map of a transformer: embed, then blocks of attention and MLP that add to the residual stream, then unembed.") }}
#
# $$ \text{moved}_\ell = \frac{1}{n} \sum_{i} \left[\, \text{answer}\big(x_\ell \leftarrow x'_\ell\big) \text{ is the other one's} \,\right] $$
#
# $x_\ell$ is the residual stream of one word after layer $\ell$, and $x'_\ell$ that of another sentence of the same form.
#
# ## Your prediction
#
# GPT-2 small has 12 layers, SmolLM2 30. In SmolLM2 the word that is asked about keeps the answer up to layer
# {{ result("ioi.first_step", "d") }} or later, two thirds of the way.

# %% tags=["setup"]
predict(
    "GPT-2 knows fewer of the capitals than SmolLM2 does, as a share",
    0.8,
    facts_share="< 0.8",
)
predict(
    "Its strongest head for the receiver looks at the receiver, as published",
    0.75,
    writer_looks_receiver="> 0.4",
)
predict(
    "At least as many of its 144 heads as a twelfth score above chance for induction",
    0.6,
    n_induction=">= 12",
)
ask(
    "Where does the answer reach the last word in GPT-2, counted in layers?",
    choices={
        "same": "After about 20 layers' worth: too late, so GPT-2 cannot",
        "share": "About two thirds of the way up, as in SmolLM2",
        "early": "In the first third: a small model has no time",
    },
    answer="share",
    because={
        "same": "Layers are not a clock. A model uses those that it has.",
        "share": "The heads that move names in GPT-2 stand in layers 9 to 11 of 12 (Wang et al. 2022).",
        "early": "First the words are read. The heads that look back for the name stand in the upper layers (Wang et al. 2022).",
    },
    figure="moves",
    receiver_moves="between 0.5 and 0.95",
)


# %% tags=["idea"]
def moved(ids, layer, position, chosen):
    """How often the answer becomes that of the sentence before, if one word's stream comes from there."""
    theirs = trace(model, ids, ["resid_post"], layers=[layer])["resid_post", layer].roll(
        1, 0
    )[:, [position]]
    with replace(model, "resid_post", layer, theirs, positions=[position]):
        answers = chosen[run(ids)[:, chosen].argmax(-1)]
    return answers


# %% [markdown]
# ## A fact: the answer moves in few layers

# %% tags=["setup"]
COUNTRIES = """France Paris, Spain Madrid, Germany Berlin, Italy Rome, Portugal Lisbon, Russia Moscow, China Beijing, Japan Tokyo,
Poland Warsaw, Sweden Stockholm, Denmark Copenhagen, Norway Oslo, Finland Helsinki, Hungary Budapest, Greece Athens, Turkey Ankara,
Iran Tehran, Netherlands Amsterdam, Thailand Bangkok, Romania Bucharest, Bulgaria Sofia, Croatia Zagreb, Ukraine Kiev, Vietnam Hanoi,
Indonesia Jakarta, Iceland Reykjavik, Albania Tirana, Egypt Cairo, Argentina Buenos, Austria Vienna, Iraq Baghdad, Cuba Havana, Peru Lima,
Chile Santiago, Australia Canberra, Jamaica Kingston, Syria Damascus, Kenya Nairobi, Lebanon Beirut, Libya Tripoli, Afghanistan Kabul,
Canada Ottawa, Belgium Brussels, Ireland Dublin, Ethiopia Addis, Ghana Accra, Nigeria Abuja, Sudan Khartoum, Somalia Mogadishu, Qatar Doha,
Yemen Sana, Serbia Belgrade, Latvia Riga, Lithuania Vilnius, Estonia Tallinn, Slovakia Bratislava, Bolivia Sucre, Ecuador Quito,
Venezuela Caracas, Colombia Bogota, Philippines Manila, Malaysia Kuala, Pakistan Islamabad, Bangladesh Dhaka, Nepal Kathmandu,
Uganda Kampala, Zimbabwe Harare, Zambia Lusaka, Angola Luanda, Morocco Rabat, Armenia Yerevan, Azerbaijan Baku, Israel Jerusalem,
Jordan Amman, Uruguay Montevideo"""
pairs = [pair.split() for pair in COUNTRIES.replace("\n", " ").split(",")]
pairs = enough(
    [pair for pair in pairs if one_token(pair[0])], 10, "countries are one token"
)
first = Counter(tokens(f" {city}")[0] for _, city in pairs)
pairs = [pair for pair in pairs if first[tokens(f" {pair[1]}")[0]] == 1]
ids = torch.tensor(
    [tokens(f"The capital of {country} is the city of") for country, _ in pairs]
)
capital = torch.tensor([tokens(f" {city}")[0] for _, city in pairs])
right = capital[run(ids)[:, capital].argmax(-1)] == capital
note(n_asked=len(pairs))
near(facts_share=right.float().mean())
ids, capital = ids[right], capital[right]
enough(ids, 5, "capitals are known")
note(n_facts=len(ids), because=DRAW, atol=2)
COUNTRY = int((ids != ids[0]).any(0).nonzero())
SOME = sorted({round(step * (model.n_layers - 1) / 11) for step in range(12)})
facts = {
    word: [
        (moved(ids, layer, position, capital) == capital.roll(1)).float().mean()
        for layer in SOME
    ]
    for word, position in (("country", COUNTRY), ("last", -1))
}

# %% [markdown]
# GPT-2 picks the right one among all capitals in {{ result("gpt2.facts_share", ".0%") }} of {{ result("gpt2.n_asked", "d") }} cases. SmolLM2
# knows {{ result("paris.n_facts", "d") }} of {{ result("paris.n_asked", "d") }}.
#
# ## A receiver: who is at work?

# %% tags=["setup"]
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
PEOPLE = enough([name for name in PEOPLE if one_token(name)], 12, "names are one token")
PLACES = enough(
    [
        w
        for w in [
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
        if one_token(w)
    ],
    3,
    "places are one token",
)
THINGS = enough(
    [
        w
        for w in [
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
        if one_token(w)
    ],
    3,
    "things are one token",
)
deal, cases = random.Random(0), []
for i in range(64):
    (a, b, _), place, thing = (
        deal.sample(PEOPLE, 3),
        deal.choice(PLACES),
        deal.choice(THINGS),
    )
    giver, receiver = (a, b) if i % 2 else (b, a)
    cases.append(
        (f"When {a} and {b} went to the {place}, {{}} gave a {thing} to", giver, receiver)
    )
story, flipped = (
    torch.tensor([tokens(text.format(who[k])) for text, *who in cases]) for k in (0, 1)
)
GIVER, RECEIVER = (
    torch.tensor([tokens(f" {who[k]}")[0] for _, *who in cases]) for k in (0, 1)
)
names, every = (
    torch.tensor([tokens(f" {name}")[0] for name in PEOPLE]),
    torch.arange(len(cases)),
)
AGAIN = int((story != flipped).any(0).nonzero())


def difference(logits):
    return (logits[every, RECEIVER] - logits[every, GIVER]).mean()


seen = trace(model, story, ["resid_post", "z", "pattern", "logits"])
logits = seen["logits"][:, -1]
plain, wrong = difference(logits), difference(run(flipped))
again = rerun(model, flipped, every, [story.size(1) - 1] * len(every))


def restored(layer, position):
    with replace(
        model,
        "resid_post",
        layer,
        seen["resid_post", layer][:, [position]],
        positions=[position],
    ):
        return (difference(again() if position == -1 else run(flipped)) - wrong) / (
            plain - wrong
        )


receiver_last = [restored(layer, -1) for layer in SOME]
receiver_again = [restored(layer, AGAIN) for layer in SOME]
half = next(layer for layer, value in zip(SOME, receiver_last, strict=True) if value > 0.5)


# %% tags=["idea"]
def direct(layer):
    """What each head writes at the last word towards receiver over giver, in logits: (head)."""
    norm, stream = found.final_norm, seen["resid_post", -1][:, -1]
    wrote = torch.einsum("nhe,hed->nhd", seen["z", layer][:, -1], found.blocks[layer].w_o)
    scale = norm_scale(norm, stream)[:, None]
    wrote = normalize(norm, wrote, scale) - normalize(norm, torch.zeros_like(wrote), scale)
    return (
        (wrote * (found.w_u[:, RECEIVER] - found.w_u[:, GIVER]).T[:, None]).sum(-1).mean(0)
    )


# %% tags=["setup"]
shares = torch.stack([direct(layer) for layer in range(model.n_layers)])
at_receiver, at_giver = (
    (story[:, :AGAIN] == who[:, None]).int().argmax(1) for who in (RECEIVER, GIVER)
)
look = seen.stack("pattern")[:, :, :, -1]
looks_receiver = look[:, every, :, at_receiver].mean(0)
looks_giver = look[..., AGAIN].mean(1) + look[:, every, :, at_giver].mean(0)
writer = divmod(int(shares.flatten().argmax()), model.n_heads)
giver_head = divmod(int((shares * (looks_giver > 0.3)).flatten().argmax()), model.n_heads)
case = torch.tensor([tokens("When Mary and John went to the store, John gave a drink to")])
near(
    case_p=run(case).softmax(-1)[0, tokens(" Mary")[0]],
    named=(names[logits[:, names].argmax(-1)] == RECEIVER).float().mean(),
)
near(
    receiver_moves=half / (model.n_layers - 1),
    writer_looks_receiver=looks_receiver[writer],
    writer_looks_giver=looks_giver[writer],
)
close(
    difference=plain,
    writer_direct=shares[writer],
    pusher_direct=shares[giver_head],
    unit="logits",
)
note(writer_layer=writer[0], writer_head=writer[1])

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=3.4)
depth = [100 * layer / (model.n_layers - 1) for layer in SOME]
for values, colour, ls, label in (
    (facts["last"], BLUE, "-", "capital, last word"),
    (facts["country"], BLUE, ":", "capital, country"),
    (receiver_last, ORANGE, "-", "receiver, last word"),
    (receiver_again, ORANGE, ":", "receiver, second name"),
):
    (line,) = ax.plot(
        depth,
        [100 * float(value) for value in values],
        color=colour,
        ls=ls,
        marker="o",
        ms=3,
        label=label,
    )
    if label == "receiver, last word":
        line.set_gid("choice-share")
ax.set(
    xlabel="swapped after this share of the layers (%)",
    ylabel="answer moved (%)",
    ylim=(-6, 106),
)
plots.label_lines(ax)
figure(
    fig,
    name="moves",
    title="Both answers reach the last word late",
    alt="Share of answers that follow a swap, by depth. At the country and at the second name it is high up to over half of the layers "
    "and then falls; at the last word it rises where the other falls.",
    caption="Capitals: how often the other capital is named. Receiver: restored logit difference.",
    rtol=0.05,
    because=DRAW,
)

# %% [markdown]
# | | GPT-2 | SmolLM2 |
# | --- | --- | --- |
# | receiver named, of 64 | {{ result("gpt2.named", ".0%") }} | {{ result("ioi.named_plain", ".0%") }} |
# | logit difference | {{ result("gpt2.difference", ".1f") }} | {{ result("ioi.difference", ".1f") }} |
# | strongest head, direct | {{ result("gpt2.writer_direct", ".1f") }} | {{ result("ioi.pusher_direct", ".1f") }} |
# | its look at the giver | {{ result("gpt2.writer_looks_giver", ".0%") }} | {{ result("ioi.pusher_looks", ".0%") }} |
# | its look at the receiver | {{ result("gpt2.writer_looks_receiver", ".0%") }} | |
#
# The published name movers of GPT-2 small look at the receiver; SmolLM2's strongest head looks at the giver and writes against that name.
# The strongest head here that looks at the giver contributes {{ result("gpt2.pusher_direct", ".1f") }} logits.
#
# ## A repetition: how many heads find it?

# %% tags=["setup"]
ROWS, HALF = 64, 16
twice = repeated_tokens(model, batch=ROWS, length=HALF, seed=0)
once = repeated_tokens(model, batch=ROWS, length=2 * HALF, seed=1)[:, : 2 * HALF]
score = looking(model, twice)["induction"]
query = torch.arange(HALF, 2 * HALF)
null = (
    trace(model, once, ["pattern"])
    .stack("pattern")[:, :, :, query, query - HALF + 1]
    .mean((1, 3))
    .max()
)
guesses = trace(model, twice, ["logits"])["logits"]
at = slice(HALF, 2 * HALF - 1)
note(
    n_induction=int((score.values > max(float(null), score.chance)).sum()),
    because=DRAW,
    atol=2,
)
near(
    induction_best=score.values.max(),
    induction_null=null,
    found=(guesses[:, at].argmax(-1) == twice[:, HALF + 1 :]).float().mean(),
)

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=2.8)
for layer in range(model.n_layers):
    ax.plot(
        [layer] * model.n_heads,
        100 * score.values[layer],
        "o",
        color=GREEN,
        ms=4,
        alpha=0.7,
    )
ax.axhline(100 * float(null), color=plots.MUTED, ls="--", lw=1)
ax.text(0, 100 * float(null) + 2, "highest head where nothing repeats", color=plots.MUTED)
ax.set(xlabel="layer", ylabel="attention one past the last time (%)", ylim=(-3, 104))
figure(
    fig,
    name="induction",
    title="Induction heads, against the highest head where nothing repeats",
    alt="Induction score of each head by layer, with the highest score that any head reaches in texts without repetition as a line.",
    caption="64 texts of 16 random tokens, repeated.",
    rtol=0.05,
    because=DRAW,
)

# %% [markdown]
# | | GPT-2 | SmolLM2 |
# | --- | --- | --- |
# | heads above chance | {{ result("gpt2.n_induction", "d") }} of 144 | {{ result("induction.n_above", "d") }} of 270 |
# | best head's attention | {{ result("gpt2.induction_best", ".0%") }} | {{ result("induction.best", ".0%") }} |
# | token found | {{ result("gpt2.found", ".0%") }} | {{ result("induction.found", ".0%") }} |
#
# ## What surprised us
#
# The code needed no change. Where each architecture keeps its parts is known in one file, so a layer norm with a bias,
# positions that are added, and one matrix for query, key and value ask for nothing here. What GPT-2 answers, this page can
# say only after its run.
#
# ## Try it
#
# ```exercise
# title: Another model
# minutes: 2
# code: |
#   model = llmnotes.load(▢)
# right: ['"gpt2"', '"distilgpt2"', '"EleutherAI/pythia-160m"', '"smollm2"', "'gpt2'", "'smollm2'"]
# praise: That is all. Labs 40 to 43 have the same word at their top.
# wrong:
#   "gpt2": This is a variable that nobody has set. The name is a text.
# otherwise: "A name such as \"gpt2\", or a folder."
# solution: "`llmnotes.load(\"gpt2\")`, or any causal language model of the hub whose architecture is known."
# ```
#
# ## You can now
#
# - ask a model of another architecture the same question with the same code;
# - say of each number on a page whether it was measured here;
# - compare two models by the share of their layers instead of by layer numbers.
#
# ## What this does not show
#
# - Where the hub was out of reach, nothing about GPT-2 at all.
# - The two models differ in data, size, training and tokens. No difference between them has one cause.
# - SmolLM2 was tuned to follow instructions, GPT-2 was not.
#
# ## Going deeper
#
# - Question: [Does GPT-2 push the giver down as well?](../questions/ioi-who-brings-both.md)
# - Radford et al. (2019), [Language models are unsupervised multitask learners](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf)
# - Wang et al. (2022), [Interpretability in the wild](https://arxiv.org/abs/2211.00593)

# %% tags=["setup"]
in_words(
    n_asked="Countries asked about",
    facts_share="Share of capitals known",
    n_facts="Capitals known",
    case_p="Probability of Mary",
    named="Receiver named",
    receiver_moves="Depth at which half of the receiver has reached the last word",
    writer_looks_receiver="Strongest head's attention to the receiver",
    writer_looks_giver="Strongest head's attention to the giver",
    difference="Logit difference, receiver less giver",
    writer_direct="Direct contribution of the strongest head",
    pusher_direct="Direct contribution of the strongest head that looks at the giver",
    writer_layer="Layer of the strongest head",
    writer_head="Its number",
    n_induction="Heads above chance for induction",
    induction_best="Best induction score",
    induction_null="Highest score where nothing repeats",
    found="Repeated token found",
)
