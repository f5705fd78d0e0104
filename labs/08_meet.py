# ---
# title: Meet World and Fairytale
# question: Which two models does this notebook look into, and what can be known about them?
# answer: >-
#   World speaks a language that we wrote, so the true probability of every next word is known. Its own guesses are
#   {{ result("meet.above_floor", ".3f") }} nats a word away from that truth.
# chapter: Start
# level: beginner
# models: [world, fairytale]
# needs: [07_training]
# tags: [world, fairytale, oracle]
# thumbnail: beside_truth
# timeout: 300
# ---

# %% tags=["setup"]
import torch

import llmnotes
from llmnotes.lab import ask, figure, in_words, plots, predict, within
from llmnotes.scratch import from_gpt2, generate
from llmnotes.world import END, IDS, VOCABULARY, grade, held_out, tell, truth

world = llmnotes.load("world")
SMOOTH = "a fixed model on fixed stories; rounding, and places near a tie"

# %% [markdown]
# ## A case you can hold: one story
#
# This is a whole story in *World*'s language. The model has never read it.

# %% tags=["idea"]
story = tell(seed=9, number=3)  # every word comes with what is true of it
print(" ".join(token.word for token in story[1:-1]))
for token in story[12:24]:
    print(f"{token.word:8} {token.rule or '(free choice)'}")

# %% [markdown]
# Every word is either a free choice or decided by a rule. We wrote the rules, so for each word we know which rule was at work, whom a
# pronoun means and which mood the story has. No natural text can be known like that. Here is how the grammar makes this story.
#
# {{ drawing("story-tree", alt="A tree. The story has a mood, merry, and two people, Anna and Emil. From it hang four sentences: a fact, a gift, a mood and a song. The words that a rule decides are framed: sailor, Anna, sunny, she, and the repeated list.") }}
#
# It first draws a mood and the people, then sentences, then words. Framed words are decided by a rule. The next drawing shows
# the same for a sad story, and beside it what our model makes of the next word.
#
# {{ drawing("world", alt="What decides a word of a story: the mood and the people of this story, the facts and the agreement of the language. Below, the true distribution of the next word beside the model's.") }}
#
# ## Nine rules, an example each
#
# | rule | an example; the word in brackets is decided |
# | --- | --- |
# | pronoun | Flora lost **[her]** coin. **[She]** laughed. |
# | verb agrees, nothing between | the ducks **[grow]** |
# | verb agrees, one noun between | the boats under the cat **[turn]** |
# | verb agrees, two nouns between | the goats near the crow near the rose **[are]** |
# | indirect object | When Greta and Ivan went to the forest, Greta gave the cup to **[Ivan]** |
# | facts | Hilda is a **[hunter]**. Arden lies by the **[hill]**. Greta likes **[plums]**. |
# | mood | the horse is **[sunny]**, in a merry story |
# | repeated lists | she sang: *wi mo fi*; **[wi mo fi]** |
# | closing brackets and quotes | Adam said “the boats are cheerful **[”]** |
#
# The facts are the same in every story: Hilda is always a hunter. The mood is hidden, since no word names it. But a merry story uses
# merry words eighteen times as often as words of any other mood, so a reader can infer it.
#
# ## The oracle knows the best possible answer
#
# The grammar is one program. It says at every word which words may come and how likely each is. If it draws the words itself, it tells a story. If it is given the words of a story, it computes the true probability of the next
# one. In symbols, with $m$ for the hidden mood and $w_{<t}$ for the words so far:
#
# $$
# p(w_t \mid w_{<t}) = \sum_m p(m \mid w_{<t})\; p(w_t \mid w_{<t}, m)
# $$
#
# The first factor is how likely each mood is after the words so far, by Bayes' rule. The second is what the grammar allows in
# that mood. We call this program the *oracle*. Here are the oracle and the model side by side.

# %% tags=["idea"]
words = f"{END} the cats near the dog".split()
best = truth(words).probs[-1]  # (238,): the true distribution of the next word
ids = torch.tensor([[IDS[word] for word in words]])
with torch.no_grad():
    says = world.model(ids).logits[0, -1].double().softmax(-1)  # (238,): the model's
gap = (
    (best * (best / says).log()).nan_to_num().sum()
)  # Kullback-Leibler divergence, in nats

# %% tags=["setup"]
shown = [*best.topk(5).indices.tolist(), IDS["is"]]
within(atol=0.005, because=SMOOTH)(
    are_true=best[IDS["are"]], are_model=says[IDS["are"]], one_gap=gap
)
within(atol=1e-3, because=SMOOTH)(is_model=says[IDS["is"]])

# %% tags=["drawing"]
fig, ax = plots.subplots(height=2.8)
for y, i in enumerate(shown):
    ax.barh(y - 0.18, best[i], height=0.34, color="none", edgecolor=plots.INK, lw=1.5)
    ax.barh(y + 0.18, says[i], height=0.34, color=plots.COLOURS[0])
    ax.text(
        max(best[i], says[i]) + 0.006,
        y,
        f"{best[i]:.0%} true, {says[i]:.1%} model",
        va="center",
    )
ax.set_yticks(range(len(shown)), [VOCABULARY[i] for i in shown])
ax.invert_yaxis()
ax.set(
    xlim=(0, 0.42),
    xticks=(),
    title="After “the cats near the dog”: truth (hollow) and model (filled)",
)
ax.grid(visible=False)
figure(
    fig,
    name="beside_truth",
    alt="Truth and model agree on are with 30 per cent, on four prepositions with 7 per cent each, "
    "and on is with 0.",
    caption="The five likeliest words, and *is*, which the grammar forbids here.",
    rtol=0.03,
    because=SMOOTH,
)

# %% [markdown]
# The verb must agree with *cats* and not with *dog*. The model gives *are* {{ result("meet.are_model", ".0%") }}, and
# the truth is {{ result("meet.are_true", ".0%") }}. The model should not be surer than that, because another phrase may
# come before the verb. Without the answer key, 30% would look like doubt.
#
# ## Your prediction

# %%
ask(
    "World has read about 88,000 stories. On new ones, which kind of word does it still get wrong most?",
    choices={
        "agreement": "Verbs with two nouns between them and their subject",
        "facts": "Facts, because it must have memorised each of them",
        "none": "None: every rule is right everywhere, and only the exact probabilities are a little off",
    },
    answer="none",
    because={
        "agreement": "Distance tempts us: two misleading nouns look hard. Attention crosses them in one step.",
        "facts": "There are few facts and many stories. Each has been read thousands of times.",
        "none": "The grammar is small for 445,440 parameters. What remains is fine tuning of probabilities.",
    },
    figure="rules",
    worst_rule="> 0.99",
)
predict(
    "World has every rule right in more than 99% of the places", 0.9, worst_rule="> 0.99"
)

# %% [markdown]
# ## World has learned all nine rules

# %% tags=["idea"]
grades = grade(world.model, held_out(seed=3, n=60), n_ctx=128)

# %% tags=["setup"]
NAMES = {
    "pronoun": "pronoun",
    "agreement_0": "verb agrees,\nnothing between",
    "agreement_1": "verb agrees,\none noun between",
    "agreement_2": "verb agrees,\ntwo nouns between",
    "indirect_object": "indirect object",
    "fact": "facts",
    "mood": "mood",
    "list": "repeated lists",
    "closing": "closing brackets\nand quotes",
}
grading = within(atol=0.01, because=SMOOTH)
grading(worst_rule=min(grades.accuracy.values()))
within(atol=5e-4, because=SMOOTH)(unit="nats", above_floor=grades.above_floor)
within(atol=1e-3, because=SMOOTH)(unit="nats", loss=grades.loss, entropy=grades.entropy)
grading(oracle_mood=grades.oracle_mood)

# %% tags=["drawing"]
fig, ax = plots.subplots(height=4)
for y, (rule, value) in enumerate(grades.accuracy.items()):
    ax.barh(y, value, height=0.55, color=plots.COLOURS[0])
    ax.text(value + 0.01, y, f"{value:.1%} of {grades.places[rule]}", va="center")
ax.set_yticks(range(len(grades.accuracy)), [NAMES[rule] for rule in grades.accuracy])
ax.invert_yaxis()
ax.set(xlim=(0, 1.9), xticks=())
ax.grid(visible=False)
figure(
    fig,
    name="rules",
    title="World has every rule right",
    alt="World is right in nearly 100 per cent of the places of each of the nine rules.",
    caption="60 stories that the model has not read. Right means the right kind of word: of a verb its number counts.",
    rtol=0.02,
    because=SMOOTH,
)

# %% [markdown]
# The loss of *World* is {{ result("meet.loss", ".3f") }} nats a word. Most of that no model can avoid: a language with
# free choices has surprises, and even the oracle must expect a loss of {{ result("meet.entropy", ".3f") }}.
#
# On 60 stories the luck of the draw decides which of the two is lower. So we do not subtract them. We compare the two
# distributions at every word, and the model's is {{ result("meet.above_floor", ".3f") }} nats from the truth, the *KL
# divergence*. Only that is the model's fault.
#
# ## Fairytale has the voice of a tale, but not its sense
#
# *Fairytale* is our second model. It has read 739 fairy tales in the public domain: real English, without an answer key. Its tokens are pieces of words. Read what it writes.

# %% tags=["idea"]
fairytale = llmnotes.load("fairytale")
prompt = fairytale.ids("<|endoftext|>Once upon a time there was a")
out = generate(
    from_gpt2(fairytale.model),
    prompt,
    60,
    temperature=0.8,
    generator=torch.Generator().manual_seed(1),
)
print(fairytale.tokenizer.decode(out[0, 1:].tolist()))

# %% [markdown]
# The sentences have the rhythm of a tale, but the model forgets who is in the room. So we use *World* where a claim needs a true
# answer, and *Fairytale* to see whether a result holds in a model of real text.
#
# ## What they cannot do
#
# - *World* knows 238 words and nothing else. A word outside its language is an error. It reads at most 128 words.
# - *Fairytale* answers no questions and knows no facts. It reads at most 256 tokens.
# - Both are thousands of times smaller than the models that people talk to. The chapter *In the wild* looks at a larger one.
#
# ## Try it
#
# ```exercise
# title: Ask the oracle
# minutes: 3
# code: |
#   words = "<|endoftext|> Hilda is a".split()
#   best = truth(words).probs[▢]
#   assert VOCABULARY[best.argmax()] == "hunter"
# right: ["-1", "3", "len(words) - 1"]
# praise: Row i speaks of the word after position i, so the last row speaks of the next word.
# wrong:
#   "0": Row 0 speaks of the word after the start of the story.
#   "4": There are four words, so rows 0 to 3. Row i already speaks of the word after position i.
#   "1": Row 1 speaks of the word after *Hilda*.
# otherwise: "Which row speaks of the word that comes after the last one given?"
# solution: "`probs[-1]`: row *i* is the distribution of the word after position *i*."
# ```
#
# **Change the model.** Take [World to play with](../play/world.md), type *the cats near the dog*, and switch its heads off
# one by one. For which of the sixteen does the verb stop agreeing?
#
# ## You can now
#
# - name the rule that decides a word of a story;
# - tell the gap between a model and the truth from the surprise that no model can avoid;
# - choose between *World* and *Fairytale* for a question of your own.
#
# ## What this does not show
#
# - Right answers do not tell how the model computes them. The next chapters ask that.
# - A grammar of nine rules is not English. What is true of *World* may be false of a model of English.
# - One training run. [How rules form](17_formation.md) follows it from its first step.
#
# ## Going deeper
#
# - [World's card](../models/world.md) and [Fairytale's](../models/fairytale.md): data, recipe, all figures.
# - One of the merry words, *lively*, was another word when *World* was trained, one that stops today's reader. We changed the
#   spelling. The model reads numbers, and the token kept its number and its row in the embedding, so nothing was retrained.
# - [Ten questions](../quiz.md): the first eight can be answered from the labs so far.
# - The grammar is a generator of a few hundred lines: [`llmnotes.world.grammar`](../api/world.md).
# - The oracle's best guess at the mood agrees with the mood of the word that comes in
#   {{ result("meet.oracle_mood", ".0%") }} of the places: even perfect knowledge of the language leaves that uncertain.

# %% tags=["setup"]
in_words(
    are_true="True probability of “are” after “the cats near the dog”",
    are_model="The model's probability of “are”",
    is_model="The model's probability of “is”, which is wrong here",
    one_gap="Gap between model and truth at this word",
    worst_rule="Accuracy of the rule that World does worst",
    above_floor="Mean gap between World and the truth, per word",
    loss="Loss of World on 60 new stories, per word",
    entropy="Loss that the oracle itself expects, per word",
    oracle_mood="The oracle's best guess at the mood agrees with the word that comes",
)
