# ---
# title: Where does it keep Paris?
# question: Where in a real language model is the fact that Paris is the capital of France, and what fetches it?
# answer: >-
#   Up to layer 22 the word *France* decides the answer; layer 23 carries it to the last word, where the capital of
#   the other country is then named in {{ result("paris.last_23", ".0%") }} of {{ result("paris.n_facts", "d") }} swaps.
# level: intermediate
# minutes: 15
# models: [smollm2]
# needs: [11_residual, 24_patching, smollm2]
# tags: [facts, activation patching, logit lens, attention heads, MLP]
# chapter: In the wild
# thumbnail: moves
# timeout: 1200
# ---

# %% tags=["setup"]
from collections import Counter
from contextlib import ExitStack
from functools import partial

import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, note, plots, predict, within
from llmnotes.methods import generate
from llmnotes.model import normalize, parts, replace, rerun, trace
from llmnotes.patching import logit_difference, sweep

BLUE, ORANGE, *_ = plots.COLOURS
NAME = "smollm2"  # or "gpt2", "EleutherAI/pythia-160m", "Qwen/Qwen2.5-0.5B": nothing below is SmolLM2's own
model = llmnotes.load(NAME)
NEAR = "near ties between two capitals may turn on another machine"
near, smooth = (
    within(atol=0.04, because=NEAR),
    within(atol=0.03, because="sums in another order, near ties"),
)

CAPITALS = """Afghanistan Kabul, Albania Tirana, Algeria Algiers, Angola Luanda, Argentina Buenos Aires, Armenia Yerevan,
Australia Canberra, Austria Vienna, Azerbaijan Baku, Bahrain Manama, Bangladesh Dhaka, Belarus Minsk, Belgium Brussels,
Bolivia Sucre, Brazil Brasília, Bulgaria Sofia, Cambodia Phnom Penh, Cameroon Yaoundé, Canada Ottawa, Chile Santiago,
China Beijing, Colombia Bogotá, Croatia Zagreb, Cuba Havana, Cyprus Nicosia, Denmark Copenhagen, Ecuador Quito,
Egypt Cairo, Estonia Tallinn, Ethiopia Addis Ababa, Fiji Suva, Finland Helsinki, France Paris, Georgia Tbilisi,
Germany Berlin, Ghana Accra, Greece Athens, Guatemala Guatemala City, Haiti Port-au-Prince, Honduras Tegucigalpa,
Hungary Budapest, Iceland Reykjavik, India New Delhi, Indonesia Jakarta, Iran Tehran, Iraq Baghdad, Ireland Dublin,
Israel Jerusalem, Italy Rome, Jamaica Kingston, Japan Tokyo, Jordan Amman, Kazakhstan Astana, Kenya Nairobi,
Kuwait Kuwait City, Kyrgyzstan Bishkek, Laos Vientiane, Latvia Riga, Lebanon Beirut, Liberia Monrovia, Libya Tripoli,
Lithuania Vilnius, Luxembourg Luxembourg, Madagascar Antananarivo, Malaysia Kuala Lumpur, Mali Bamako, Malta Valletta,
Mexico Mexico City, Moldova Chisinau, Mongolia Ulaanbaatar, Morocco Rabat, Mozambique Maputo, Myanmar Naypyidaw,
Namibia Windhoek, Nepal Kathmandu, Netherlands Amsterdam, Nicaragua Managua, Niger Niamey, Nigeria Abuja, Norway Oslo,
Oman Muscat, Pakistan Islamabad, Panama Panama City, Paraguay Asunción, Peru Lima, Philippines Manila, Poland Warsaw,
Portugal Lisbon, Qatar Doha, Romania Bucharest, Russia Moscow, Rwanda Kigali, Senegal Dakar, Serbia Belgrade,
Slovakia Bratislava, Slovenia Ljubljana, Somalia Mogadishu, Spain Madrid, Sudan Khartoum, Sweden Stockholm,
Switzerland Bern, Syria Damascus, Taiwan Taipei, Tanzania Dodoma, Thailand Bangkok, Tunisia Tunis, Turkey Ankara,
Uganda Kampala, Ukraine Kyiv, Uruguay Montevideo, Uzbekistan Tashkent, Venezuela Caracas, Vietnam Hanoi, Yemen Sanaa,
Zambia Lusaka, Zimbabwe Harare"""
LANGUAGES = """France French, Spain Spanish, Germany German, Italy Italian, Portugal Portuguese, Russia Russian,
China Chinese, Japan Japanese, Poland Polish, Sweden Swedish, Denmark Danish, Norway Norwegian, Finland Finnish,
Hungary Hungarian, Greece Greek, Turkey Turkish, Iran Persian, Israel Hebrew, Netherlands Dutch, Thailand Thai,
Romania Romanian, Bulgaria Bulgarian, Croatia Croatian, Ukraine Ukrainian, Vietnam Vietnamese, Indonesia Indonesian,
Iceland Icelandic, Albania Albanian, Armenia Armenian, Egypt Arabic, Brazil Portuguese, Mexico Spanish,
Argentina Spanish, Austria German, Iraq Arabic, Cuba Spanish, Peru Spanish, Chile Spanish, Australia English,
Jamaica English, Angola Portuguese, Syria Arabic, Morocco Arabic"""


def tokens(text):
    return model.tokenizer(text)["input_ids"]


def word(text):
    """The tokens of a word inside a text, whatever the tokenizer puts before a text."""
    return tokens(f"of {text}")[len(tokens("of")) :]


def listed(text):
    """Pairs of a country of one token and the first token of its answer."""
    pairs = [line.strip().split(" ", 1) for line in text.replace("\n", " ").split(",")]
    return [(who, word(what)[0]) for who, what in pairs if len(word(who)) == 1]


# %% [markdown]
# ## A case you can hold: “the capital of France is the city of ▢”
#
# SmolLM2 is a real language model: 135 million parameters, 30 layers, trained by others on two trillion tokens of text.
# Ask it to continue *The capital of France is the city of* and it says *Paris* with probability
# {{ result("paris.case_p", ".2f") }}.
#
# One fact could be luck. We took a list of 116 countries and kept those whose name is one token and whose capital begins with
# a token that no other capital has and that is not the country's own beginning: {{ result("paris.n_asked", "d") }} are left.
# Among their capitals the model picks the right one for {{ result("paris.n_facts", "d") }}, where guessing would find one.
# Those are our facts. *Right* always means: the right capital has the highest logit of all these capitals.

# %% tags=["setup"]
pairs = listed(CAPITALS)
times = Counter(token for _, token in pairs)
own = [who.startswith(model.tokenizer.decode(token).strip()) for who, token in pairs]
asked = [
    pair for pair, same in zip(pairs, own, strict=True) if not same and times[pair[1]] == 1
]
if len(asked) < 20:
    raise ValueError(
        f"{NAME}: only {len(asked)} countries are one token with a capital of its own first token, and 20 are needed; "
        "take a model with a larger vocabulary, or other words"
    )
texts = [f"The capital of {who} is the city of" for who, _ in asked]
capital = torch.tensor([token for _, token in asked])
logits = trace(model, texts, ["logits"])["logits"][:, -1]
known = logits[:, capital].argmax(-1) == torch.arange(len(asked))
if known.sum() < 10:
    raise ValueError(
        f"{NAME} knows {int(known.sum())} of {len(asked)} capitals: too few to ask where it keeps them"
    )
case = [who for who, _ in asked].index("France")
smooth(case_p=logits[case].softmax(-1)[capital[case]])
note(n_asked=len(asked))
near(n_facts=int(known.sum()), atol=2)

ids = torch.tensor(
    [tokens(text) for text, knows in zip(texts, known, strict=True) if knows]
)
capital, countries = (
    capital[known],
    torch.tensor([word(who)[0] for who, _ in asked])[known],
)
n, last = len(ids), -1
COUNTRY = int(
    (ids != ids[0]).any(0).nonzero()
)  # the one position at which the prompts differ
other = torch.arange(n).roll(1)  # for each fact another one
seen = trace(model, ids, ["resid_post", "mlp_out", "attn_out", "z"])
at_last = rerun(
    model, ids, range(n), [ids.shape[1] - 1] * n
)  # runs the last word alone, all words before it as they were


@torch.no_grad()
def everywhere():
    return model.model(ids, use_cache=False, logits_to_keep=1).logits[:, -1]


def named(logits, whose=None):
    """How often the capital with the highest logit is that of the fact itself, or of `whose`."""
    whose = torch.arange(n) if whose is None else whose
    return (logits[:, capital].argmax(-1) == whose).float().mean()


assert named(at_last()) == named(everywhere()) == 1

# %% [markdown]
# ## A patch asks which word carries the answer
#
# Run *The capital of Spain is …* and put into it, at one word and after one layer, what the run about France had there. If
# the answer turns to *Paris*, the two countries were told apart **there**, and nowhere that the patch did not reach.
#
# {{ drawing("patch", alt="Two runs side by side. One activation of the first run is put into the second at the same layer and word, and the answer of the second turns into that of the first.") }}
#
# $$ \tilde x^{\,\text{Spain}}_{\ell,\,w} \leftarrow x^{\,\text{France}}_{\ell,\,w} $$
#
# $x_{\ell,w}$ is the residual stream, the list of 576 numbers that word $w$ carries after layer $\ell$. Two words matter:
# the country, and the last word, where the answer is read.


# %% tags=["idea"]
def swapped(layer, word):
    """Logits when one word's stream after one layer comes from another fact's run."""
    theirs = seen["resid_post", layer][other][:, [word]]
    with replace(model, "resid_post", layer, theirs, positions=[word]):
        return at_last() if word == last else everywhere()


# %% [markdown]
# ## In one layer the answer moves from the country to the last word
#
# Beside the patches we draw what a lens reads. The plain logit lens shows next to nothing before the last layers: what all facts
# share drowns what tells them apart. Take away the mean over the facts, and what is left can be read.

# %% tags=["setup"]
LAYERS = list(range(model.n_layers))
swap_last = torch.stack([named(swapped(layer, last), other) for layer in LAYERS])
# The layer in which the answer reaches the last word: 23 in SmolLM2.
FETCH = int(swap_last.diff(prepend=torch.zeros(1)).argmax())
if FETCH == 0:
    raise ValueError(
        f"{NAME}: the answer reaches the last word in layer 0, so there is no layer in which the country still holds it"
    )
SOME = [
    layer
    for layer in LAYERS
    if layer % 6 == 0 or FETCH - 2 <= layer <= FETCH or layer == LAYERS[-1]
]
swap_country = torch.stack([named(swapped(layer, COUNTRY), other) for layer in SOME])
control = torch.stack([named(swapped(layer, COUNTRY + 1), other) for layer in SOME[::4]])
found = parts(model)


@torch.no_grad()
def lens(stream, centred):
    read = found.final_norm(stream)
    return named((read - read.mean(0) if centred else read) @ found.w_u)


plain, centred = (
    torch.stack([lens(x[:, last], how) for x in seen.stack("resid_post")])
    for how in (False, True)
)
near(
    country_22=swap_country[SOME.index(FETCH - 1)],
    country_23=swap_country[SOME.index(FETCH)],
    country_0=swap_country[0],
)
near(
    last_22=swap_last[FETCH - 1],
    last_23=swap_last[FETCH],
    control=control.max(),
    centred_22=centred[FETCH - 1],
    centred_23=centred[FETCH],
)
near(plain_23=plain[FETCH], plain_27=plain[min(FETCH + 4, LAYERS[-1])])

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=3.4)
ax.plot(
    SOME, 100 * swap_country, color=ORANGE, marker="o", ms=4, label="swap at the country"
)
ax.plot(
    LAYERS, 100 * swap_last, color=BLUE, marker="s", ms=3, label="swap at the last word"
)
ax.plot(
    LAYERS,
    100 * centred,
    color=plots.MUTED,
    ls="--",
    lw=1.4,
    label="centred lens, last word",
)
ax.plot(
    SOME[::4],
    100 * control,
    color=plots.MUTED,
    ls=":",
    marker="x",
    ms=4,
    label="control: swap at “is”",
)
ax.set(xlabel="after layer", ylabel="other capital named (%)", ylim=(-4, 106))
plots.label_lines(ax)
figure(
    fig,
    name="moves",
    title=f"Layer {FETCH} carries the answer from the country to the last word",
    alt="In SmolLM2, swapping the country's stream gives the other capital in nearly all cases up to layer 22 and in none from layer 23 "
    "on. Swapping the last word's stream gives it in none up to layer 22 and in nearly all from layer 23 on. The centred lens "
    "at the last word rises in the same layer. Swapping another word does nothing.",
    caption="Share of swaps after which the other country's capital is named. Dashed: how often a lens names the right one.",
    rtol=0.04,
    because=NEAR,
)

# %% [markdown]
# After layer 22 the word *France* still decides {{ result("paris.country_22", ".0%") }} of the answers, after layer 23
# {{ result("paris.country_23", ".0%") }}. The last word goes the other way: from {{ result("paris.last_22", ".0%") }} to
# {{ result("paris.last_23", ".0%") }}.
#
# The control, a swap at the word *is* behind the country, never names the other capital
# ({{ result("paris.control", ".0%") }}). Whatever passes from the country to the last word does not pass by it.
#
# The lens agrees about the layer, once it is centred: {{ result("paris.centred_22", ".0%") }} before and
# {{ result("paris.centred_23", ".0%") }} after. The plain lens reads {{ result("paris.plain_23", ".0%") }} there.
#
# ```exercise
# title: Take the loud direction away
# minutes: 2
# code: |
#   read = final_norm(stream)  # (facts, 576)
#   centred = read - read.mean(▢)
#   right = (centred @ unembedding).argmax(-1) == fact
# right: ["0", "dim=0", "0, keepdim=True"]
# praise: What all facts share is gone. What is left tells them apart.
# wrong:
#   "-1": This is each fact's own mean over the 576 numbers. What do all facts have in common?
#   "1": This is each fact's own mean over the 576 numbers. What do all facts have in common?
#   "": One number for everything leaves the shared direction where it is.
# otherwise: "The mean must have 576 numbers: one for each dimension, over the facts."
# solution: "`read.mean(0)` is the vector that the facts share."
# ```
#
# ## Your prediction
#
# So 22 layers pass at the word *France* before anything is fetched. In large models the MLPs of the middle layers, at the
# subject, are often named as the place where facts are stored ([Meng et al. 2022](https://arxiv.org/abs/2202.05262)). We replace
# what all 22 MLPs of layers 1 to 22 write at the country by its mean over the facts: they then still say “a country”, and
# no longer which.

# %% tags=["setup"]
predict(
    "With attention of these layers replaced as well, half of the answers stay right",
    0.65,
    country_both="> 0.5",
)
predict(
    "Mean outputs of three heads drawn at random leave 95% right in all draws",
    0.85,
    random_three="> 0.95",
)
predict(
    "Head L23H4 would write the right capital for a fifth, had it read the country after layer 0",
    0.5,
    early_ov="> 0.2",
)
ask(
    "All 22 MLPs of layers 1 to 22 say the same for every country. How many capitals are still right?",
    choices={
        "none": "Nearly none: that is where facts are stored",
        "half": "About half",
        "most": "Nearly all",
    },
    answer="most",
    because={
        "none": "It tempts because editing such MLPs changes facts in larger models. Here they are not needed.",
        "half": "A fair hedge, if facts were spread over all parts alike. They are not.",
        "most": "The country's vector after layer 0 is enough for what layer 23 and the last MLPs do with it.",
    },
    figure="needed",
    country_mlps="> 0.8",
)


# %% tags=["idea"]
def mean_of(place, layer, word):
    """What a part writes at a word, the same for all facts: its mean over them."""
    return seen[place, layer][:, [word]].mean(0, keepdim=True).expand(n, -1, -1)


def without(parts_of, word):
    with ExitStack() as held:
        for place, layer in parts_of:
            held.enter_context(
                replace(model, place, layer, mean_of(place, layer, word), positions=[word])
            )
        return named(at_last() if word == last else everywhere())


# %% [markdown]
# ## The middle MLPs at the country are not needed; the first and the last are

# %% tags=["setup"]
mlps, attentions = (
    partial(zip, ["mlp_out"] * len(LAYERS)),
    partial(zip, ["attn_out"] * len(LAYERS)),
)
middle, behind = range(1, FETCH), range(FETCH + 1, len(LAYERS))
MIDDLE, BEHIND = f"1–{FETCH - 1}", f"{FETCH + 1}–{LAYERS[-1]}"
needed = {
    "MLP 0, country": without([("mlp_out", 0)], COUNTRY),
    f"MLPs {MIDDLE}, country": without(mlps(middle), COUNTRY),
    f"MLPs and attention {MIDDLE}, country": without(
        [*mlps(middle), *attentions(middle)], COUNTRY
    ),
    f"MLPs 0–{FETCH - 1}, last word": without(mlps(range(FETCH)), last),
    f"attention {FETCH}, last word": without([("attn_out", FETCH)], last),
    f"MLPs {BEHIND}, last word": without(mlps(behind), last),
}
names = [
    "country_mlp_0",
    "country_mlps",
    "country_both",
    "last_mlps_before",
    "last_attention_23",
    "last_mlps_after",
]
near(**dict(zip(names, needed.values(), strict=True)))

# %% tags=["drawing"]
fig, ax = plots.subplots(1, 1, height=3.0)
for y, (label, value) in enumerate(reversed(needed.items())):
    bar = ax.barh(y, 100 * value, color=ORANGE if "country" in label else BLUE, height=0.6)
    ax.text(100 * float(value) + 1.5, y, f"{value:.0%}", va="center")
    if label == f"MLPs {MIDDLE}, country":
        bar[0].set_gid("choice-most")
ax.set_yticks(range(len(needed)), list(reversed(needed)))
ax.set(xlim=(0, 112), xlabel="still right (%)")
ax.grid(visible=False)
figure(
    fig,
    name="needed",
    title=f"Nothing between layers 1 and {FETCH - 1} at the country is needed for most facts",
    alt="Share of facts still right when a part is replaced by its mean over the facts. In SmolLM2, MLP 0 at the country leaves almost "
    "none; MLPs 1 to 22 at the country leave most; attention of layer 23 and MLPs 24 to 29 at the last word leave a third or less.",
    caption="All are right without a change. Chance is one fact. Orange: at the country. Blue: at the last word.",
    data={"right": torch.stack(list(needed.values())).numpy()},
    rtol=0.04,
    because=NEAR,
)

# %% [markdown]
# With the 22 MLPs saying the same for every country, {{ result("paris.country_mlps", ".0%") }} are still right. With the
# attention of those layers replaced too, {{ result("paris.country_both", ".0%") }} are.
#
# MLP 0 is another matter ({{ result("paris.country_mlp_0", ".0%") }} right without it). It stands behind one layer of
# attention only, so it probably works as a second embedding of the word. At the last word the MLPs before layer 23 are not
# needed ({{ result("paris.last_mlps_before", ".0%") }} right without them), and those behind it are:
# {{ result("paris.last_mlps_after", ".0%") }} without them.
#
# ## Three heads of layer 23 fetch the country, and half say the capital already
#
# Which heads? We patch each of the 270 heads at the last word alone, for six facts, and then replace the strongest by their mean.


# %% tags=["setup"]
def restored(i):
    """What each head at the last word restores of one fact, in the run of another."""
    j = int(other[i])
    difference = logit_difference(model, int(capital[j]), int(capital[i]))
    each, at = ("layer", "head", "position"), [last]
    return sweep(
        model, ids[[j]], ids[[i]], difference, "z", each=each, positions=at, progress=False
    ).restored[..., 0]


heads = torch.stack([restored(i) for i in range(0, n, 14)]).mean(0)  # (layer, head)
best = [divmod(int(k), model.n_heads) for k in heads.flatten().topk(6).indices]
in_23 = [head for layer, head in best if layer == FETCH][:3] or heads[FETCH].topk(
    3
).indices.tolist()


def without_heads(which):
    with ExitStack() as held:
        for layer, head in which:
            mean = (
                seen["z", layer][:, [last]][:, :, [head]]
                .mean(0, keepdim=True)
                .expand(n, -1, -1, -1)
            )
            held.enter_context(
                replace(model, "z", layer, mean, heads=[head], positions=[last])
            )
        return named(at_last())


draw = torch.Generator().manual_seed(0)
drawn = [
    [
        divmod(int(k), model.n_heads)
        for k in torch.randperm(heads.numel(), generator=draw)[:3]
    ]
    for _ in range(10)
]
smooth(best_head=heads.max(), second_head=heads.flatten().topk(2).values[1])
note(best_layer=best[0][0], best_head_number=best[0][1])
near(
    without_best=without_heads(best[:1]),
    without_three=without_heads([(FETCH, head) for head in in_23]),
)
near(random_three=min(without_heads(three) for three in drawn))
print("strongest:", *(f"L{layer}H{head}" for layer, head in best))


# %% tags=["idea"]
def writes(head, layer_read=FETCH - 1):
    """What a head of the fetching layer writes of the country's stream after some layer, centred, as logits."""
    block = found.blocks[FETCH]
    value = block.norm_attn(seen["resid_post", layer_read][:, COUNTRY])  # (fact, d_model)
    group = model.n_heads // model.n_kv_heads  # heads that share one value
    out = value @ block.w_v[head // group] @ block.w_o[head]
    read = normalize(found.final_norm, out, torch.tensor(1.0))
    return (read - read.mean(0)) @ found.w_u  # (fact, vocab)


# %% tags=["setup"]
with torch.no_grad():
    said = {head: writes(head) for head in range(model.n_heads)}
    early = writes(in_23[0], layer_read=0)
    country = {
        head: (out[:, countries].argmax(-1) == torch.arange(n)).float().mean()
        for head, out in said.items()
    }
    city = {head: named(out) for head, out in said.items()}
top = in_23[0]
rest = [city[head] for head in said if head not in in_23]
near(
    says_country=country[top],
    says_capital=city[top],
    others_say_capital=sum(rest) / len(rest),
    early_ov=named(early),
)

# %% tags=["drawing"]
fig, (left, right) = plots.subplots(1, 2, height=3.2, width_ratios=(1.3, 1))
image = left.imshow(100 * heads, cmap=plots.DIVERGING, vmin=-40, vmax=40, aspect="auto")
left.set(
    xlabel="head",
    ylabel="layer",
    title="restored at the last word (%)",
    xticks=range(model.n_heads),
)
left.grid(visible=False)
fig.colorbar(image, ax=left, shrink=0.8)
order = sorted(said, key=lambda head: -float(city[head]))
right.barh(
    range(len(order)),
    [100 * float(city[h]) for h in order],
    color=[BLUE if h in in_23 else plots.GRID for h in order],
)
right.set_yticks(range(len(order)), [f"L{FETCH}H{h}" for h in order])
right.invert_yaxis()
right.set(xlabel="right capital (%)", title="what each head would write", xlim=(0, 100))
right.grid(visible=False)
figure(
    fig,
    name="heads",
    title=f"A few heads of layer {FETCH} do the fetching",
    alt="Left, a map of layers by heads. In SmolLM2 one head of layer 23 restores most, a few others a little, nearly all nothing. "
    "Right, how often what a head of layer 23 would write of the country names the right capital.",
    caption="First panel: mean over six facts, only that head's output at the last word taken from the other run. "
    "Second: read by the unembedding, centred.",
    rtol=0.05,
    because=NEAR,
)

# %% [markdown]
# Head L{{ result("paris.best_layer", "d") }}H{{ result("paris.best_head_number", "d") }} restores
# {{ result("paris.best_head", ".0%") }} of the difference, the next best {{ result("paris.second_head", ".0%") }}.
#
# With the three strongest heads of layer 23 saying the same for all, {{ result("paris.without_three", ".0%") }} stay right.
# Three heads drawn at random leave at least {{ result("paris.random_three", ".0%") }}, in each of ten draws.
#
# And what does the head hand over: *France*, or *Paris*? Both. Its output names the right country among all countries in
# {{ result("paris.says_country", ".0%") }} of the cases, and the right capital in {{ result("paris.says_capital", ".0%") }}.
# The last MLPs do the rest.
#
# {{ result("paris.says_capital", ".0%") }} is far from chance, which is one fact in {{ result("paris.n_facts", "d") }}, and twice what the
# other heads of the layer would write on average ({{ result("paris.others_say_capital", ".0%") }}).
#
# Let the same head read the country as it stood after layer 0. It would write the right capital in
# {{ result("paris.early_ov", ".0%") }} of the cases: no fewer. For about half of these facts the first layer and this head's
# weights are enough to link capital and country, {{ result("paris.best_layer", "d") }} layers apart.
#
# ## Another question takes the same way
#
# If layer 23 knew only capitals, another relation should move elsewhere. We ask *The language spoken in France is
# called ▢*, for all countries on a second list whose language is one token.

# %% tags=["setup"]
rows = [(who, what) for who, what in listed(LANGUAGES)]
asks = torch.tensor([tokens(f"The language spoken in {who} is called") for who, _ in rows])
speech = torch.tensor([what for _, what in rows])
tongues = speech.unique()


@torch.no_grad()
def tongue(ids):
    logits = model.model(ids, use_cache=False, logits_to_keep=1).logits[:, -1]
    return tongues[logits[:, tongues].argmax(-1)]


right = tongue(asks) == speech
if len(speech[right].unique()) < 5:
    raise ValueError(
        f"{NAME} names {int(right.sum())} of {len(speech)} languages, {len(speech[right].unique())} different ones, and five are needed: "
        "there is no second relation to compare"
    )
asks, speech = asks[right], speech[right]
partner = torch.tensor(
    [
        next(
            j % len(speech)
            for j in range(i, 2 * len(speech))
            if speech[j % len(speech)] != speech[i]
        )
        for i in range(len(speech))
    ]
)
stream = trace(model, asks, ["resid_post"], layers=[FETCH - 1, FETCH])
moved = {}
for word, position in (
    ("country", int((asks != asks[0]).any(0).nonzero())),
    ("last", asks.shape[1] - 1),
):
    for layer, said_layer in ((FETCH - 1, 22), (FETCH, 23)):
        with replace(
            model,
            "resid_post",
            layer,
            stream["resid_post", layer][partner][:, [position]],
            positions=[position],
        ):
            moved[f"language_{word}_{said_layer}"] = (
                (tongue(asks) == speech[partner]).float().mean()
            )
near(n_languages=len(speech), atol=2)
near(**moved)

# %% [markdown]
# It moves in the same layer. Of {{ result("paris.n_languages", "d") }} languages a swap at the country turns
# {{ result("paris.language_country_22", ".0%") }} after layer 22 and {{ result("paris.language_country_23", ".0%") }} after
# layer 23; at the last word it is {{ result("paris.language_last_22", ".0%") }} and
# {{ result("paris.language_last_23", ".0%") }}. Capitals and languages are two relations of many, but both say the same: layer 23 is where
# the last word *looks at the subject*.
#
# ## What surprised us
#
# **The lens was blind, and we nearly believed it.** The plain lens says that little is known even after layer 27
# ({{ result("paris.plain_27", ".0%") }}). The stream had held the answer for four layers, under what all facts have in common.
# Taking away a mean was enough to see it.
#
# **The middle of the model idles.** We had expected the country's word to gather its facts through 20 layers. For this
# question the country as it stands after layer 0 serves almost as well.
#
# ## Try it
#
# **Both at once** (10 minutes). Swap the country after layer 22 *and* give the last word back what it would have had after
# layer 23. Which capital is named? An intervention of two lines.
#
# ??? tip "Hint"
#     Two `replace` in one `with`: `seen["resid_post", 22][other]` at the country, `seen["resid_post", 23]` at the last word.

# %% tags=["solution"]
theirs, ours = (
    seen["resid_post", FETCH - 1][other][:, [COUNTRY]],
    seen["resid_post", FETCH][:, [last]],
)
with (
    replace(model, "resid_post", FETCH - 1, theirs, positions=[COUNTRY]),
    replace(model, "resid_post", FETCH, ours, positions=[last]),
):
    both = everywhere()
assert named(both) >= 1 - swap_country[SOME.index(FETCH - 1)], (
    f"{named(both):.2f}: giving the last word back should bring back the own capital"
)
near(given_back=named(both))

# %% [markdown]
# The own capital, in {{ result("paris.given_back", ".0%") }} of the cases: what layer 23 took has all that is needed.
#
# ## You can now
#
# - find the word and the layer at which an answer changes places, with a patch and its control;
# - tell a part that *could* hold a fact from one that is needed for it;
# - read a stream whose loudest direction says nothing, by taking a mean away.
#
# ## What this does not show
#
# - One model, small and quantised; two relations; subjects of one token. Names of several tokens must first be put together.
# - *Not needed* is said of the mean over these countries. The middle MLPs may serve other questions about France.
# - A fact that the model gets wrong may go another way. We kept only those that it knows.
#
# ## Going deeper
#
# Change one word at the top, `NAME = "gpt2"`, and the same code asks another model. It finds that model's own layer and heads, or
# stops and says what the model lacks; names such as `country_22` and our predictions stay those of SmolLM2. In larger models the
# published answer is otherwise: MLPs of the middle layers at the subject's last token enrich it, and late attention extracts the attribute
# ([Geva et al. 2023](https://arxiv.org/abs/2304.14767)). Extraction by late attention is what we see too. The enrichment here
# is MLP 0's.
#
# ### A lens fitted by least squares reads less than the plain one with the mean taken away
#
# A *tuned lens* ([Belrose et al. 2023](https://arxiv.org/abs/2303.08112)) puts an affine map before the final norm, one a layer. It starts
# as the identity and is trained on much text, so that the predictions read after that layer come near the model's own. The measure is the
# Kullback–Leibler divergence.
#
# We have a minute. So our maps are another thing, a stand-in: ridge regressions from a layer's stream to the last one, on
# {{ result("paris.fitted_tokens", "d") }} tokens that the model wrote itself. A quarter of the texts is held out. Beside the stand-in we train
# a tuned lens as it is defined, on the same tokens, for as long as there is time: {{ result("paris.tuned_steps", "d") }} steps.

# %% tags=["setup"]
wrote = generate(model, "The", tokens=48, temperature=1.0, samples=32)
story = trace(model, wrote, ["resid_post"])
mask = story.mask.clone()
mask[:, 0] = False  # the first token is a sink, and like no other
fitted, held = (
    mask & (torch.arange(len(mask)) % 4 != 0)[:, None],
    mask & (torch.arange(len(mask)) % 4 == 0)[:, None],
)
final, BEFORE, STEPS = story["resid_post", -1], max(FETCH - 3, 0), 40


def log_probs(stream):
    return (found.final_norm(stream) @ found.w_u.detach()).log_softmax(-1)


def least_squares(layer, strength=0.03):
    """A ridge regression from a layer's stream to the last one; the penalty as a share of the mean variance."""
    x, y = story["resid_post", layer][fitted], final[fitted]
    centre, goal = x.mean(0), y.mean(0)
    x = x - centre
    penalty = strength * x.pow(2).sum() / x.size(1) * torch.eye(x.size(1))
    weight = torch.linalg.solve(x.T @ x + penalty, x.T @ (y - goal))
    return lambda stream: (stream - centre) @ weight + goal


def trained(layer, start, rate):
    """A tuned lens: an affine map that is `start` at first, trained on the divergence from the model's own predictions."""
    x, y = story["resid_post", layer][fitted], final[fitted]
    centre, size, reach = x.mean(0), x.std(), start(x).std()
    weight, bias = (
        torch.zeros(s, requires_grad=True) for s in ((x.size(1),) * 2, x.size(1))
    )

    def mapped(stream):
        return start(stream) + ((stream - centre) / size @ weight + bias) * reach

    steps = torch.optim.Adam([weight, bias], lr=rate)
    chosen = torch.Generator().manual_seed(0)
    for step in range(STEPS):
        some = torch.randperm(len(x), generator=chosen)[:128]
        with torch.no_grad():
            own = log_probs(y[some]).exp()
        loss = -(own * log_probs(mapped(x[some]))).sum(-1).mean()
        weight.grad, bias.grad = torch.autograd.grad(loss, (weight, bias))
        steps.param_groups[0]["lr"] = rate * (1 - step / STEPS)
        steps.step()
    return mapped


@torch.no_grad()
def judged(mapped):
    """On held-out text, how often a lens has the model's own top token, and its divergence from the model."""
    own, got = (
        log_probs(x) for x in (final[held], mapped(story["resid_post", BEFORE][held]))
    )
    divergence = (own.exp() * (own - got)).sum(-1).mean()
    return (own.argmax(-1) == got.argmax(-1)).float().mean(), divergence


maps = {
    layer: least_squares(layer)
    for layer in {BEFORE, FETCH - 1, FETCH, min(FETCH + 4, LAYERS[-1])}
}
with torch.no_grad():
    reads, both = (
        {
            layer: lens(mapped(seen["resid_post", layer][:, last]), how)
            for layer, mapped in maps.items()
        }
        for how in (False, True)
    )
agrees, apart = zip(
    *map(
        judged,
        (
            lambda x: x,
            maps[BEFORE],
            trained(BEFORE, lambda x: x, 1e-3),
            trained(BEFORE, maps[BEFORE], 1e-3),
        ),
    ),
    strict=True,
)
OWN_TEXT = "the text that the model draws may differ on another machine"
note(tuned_steps=STEPS)
note(fitted_tokens=int(fitted.sum()), because=OWN_TEXT, atol=300)
within(atol=0.12, because=OWN_TEXT)(
    least_squares_22=reads[FETCH - 1],
    least_squares_23=reads[FETCH],
    least_squares_27=reads[min(FETCH + 4, LAYERS[-1])],
    least_squares_centred_23=both[FETCH],
    agrees_plain=agrees[0],
    agrees_least_squares=agrees[1],
    agrees_tuned=agrees[2],
    agrees_tuned_on=agrees[3],
)
within(rtol=0.25, because=OWN_TEXT)(
    apart_plain=apart[0],
    apart_least_squares=apart[1],
    apart_tuned=apart[2],
    apart_tuned_on=apart[3],
    unit="nats",
)

# %% [markdown]
# Three layers before layer 23 the stand-in has the model's own top token in {{ result("paris.agrees_least_squares", ".0%") }} of the cases, where
# the plain lens has it in {{ result("paris.agrees_plain", ".0%") }}. It is {{ result("paris.apart_least_squares", ".1f") }} nats from the model's
# predictions, the plain lens {{ result("paris.apart_plain", ".1f") }}.
#
# The tuned lens, from the identity, gets to {{ result("paris.agrees_tuned", ".0%") }} and {{ result("paris.apart_tuned", ".1f") }} nats: it is not
# done after so few steps. Trained on from the stand-in by as many, it gets to {{ result("paris.agrees_tuned_on", ".0%") }} and
# {{ result("paris.apart_tuned_on", ".1f") }} nats. So least squares is the better lens that a minute buys, and a tuned lens trained to its end
# would be nearer to the model.
#
# For our facts the stand-in names the right capital in {{ result("paris.least_squares_22", ".0%") }} after layer 22,
# {{ result("paris.least_squares_23", ".0%") }} after layer 23 and {{ result("paris.least_squares_27", ".0%") }} after layer 27. Taking the mean
# over facts away from the plain lens gave {{ result("paris.centred_23", ".0%") }} after layer 23; from the stand-in it gives
# {{ result("paris.least_squares_centred_23", ".0%") }}. A tuned lens trained on much text may read more.
#
# - Finding: [Layer 23 fetches the subject](../findings/paris-one-layer.md)
# - Surprise: [The middle MLPs are not needed for capitals](../surprises/paris-middle-idles.md)
# - Meng et al. (2022), [Locating and Editing Factual Associations in GPT](https://arxiv.org/abs/2202.05262)
# - Geva et al. (2023), [Dissecting Recall of Factual Associations](https://arxiv.org/abs/2304.14767)

# %% tags=["setup"]
in_words(
    n_asked="Countries asked about",
    n_facts="Capitals that the model knows",
    case_p="Probability of Paris",
    country_0="Swap at the country after layer 0: other capital named",
    country_22="Swap at the country after layer 22: other capital named",
    country_23="The same after layer 23",
    last_22="Swap at the last word after layer 22: other capital named",
    last_23="The same after layer 23",
    control="Control: swap at the word behind the country, largest of some layers",
    centred_22="Centred lens at the last word, after layer 22: right",
    centred_23="The same after layer 23",
    plain_23="Plain lens at the last word, after layer 23: right",
    plain_27="The same after layer 27",
    country_mlp_0="Right without MLP 0 at the country",
    country_mlps="Right without MLPs 1 to 22 at the country",
    country_both="Right without MLPs and attention 1 to 22 at the country",
    last_mlps_before="Right without MLPs 0 to 22 at the last word",
    last_attention_23="Right without the attention of layer 23 at the last word",
    last_mlps_after="Right without MLPs 24 to 29 at the last word",
    best_head="What the strongest head restores",
    second_head="What the next head restores",
    best_layer="Layer of the strongest head",
    best_head_number="Its number",
    without_best="Right without the strongest head",
    without_three="Right without the three strongest heads of layer 23",
    random_three="Right without three heads drawn at random, lowest of ten draws",
    says_country="Strongest head writes the right country",
    says_capital="Strongest head writes the right capital",
    others_say_capital="The same for the other heads of layer 23, mean",
    early_ov="Strongest head, reading the country after layer 0, writes the right capital",
    n_languages="Languages that the model knows",
    language_country_22="Swap at the country after layer 22: other language named",
    language_country_23="The same after layer 23",
    language_last_22="Swap at the last word after layer 22: other language named",
    language_last_23="The same after layer 23",
    given_back="Country swapped, last word given back: own capital named",
    fitted_tokens="Tokens that the lenses were fitted on",
    tuned_steps="Training steps of a tuned lens",
    least_squares_22="Least-squares lens after layer 22: right",
    least_squares_23="The same after layer 23",
    least_squares_27="The same after layer 27",
    least_squares_centred_23="Least-squares lens, mean over facts taken away, after layer 23",
    agrees_plain="Plain lens three layers before: the model's own top token",
    agrees_least_squares="Least-squares lens three layers before: the model's own top token",
    agrees_tuned="Tuned lens from the identity: the model's own top token",
    agrees_tuned_on="Tuned lens from the least-squares one: the model's own top token",
    apart_plain="Plain lens: divergence from the model",
    apart_least_squares="Least-squares lens: divergence from the model",
    apart_tuned="Tuned lens from the identity: divergence from the model",
    apart_tuned_on="Tuned lens from the least-squares one: divergence from the model",
)
