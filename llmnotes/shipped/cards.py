"""Model cards: a README.md beside each checkpoint, every number of it out of that checkpoint's metrics.json."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RULES = {
    "pronoun": "pronoun: she or he, her or his",
    "agreement_0": "verb agrees with its noun, nothing between",
    "agreement_1": "the same, one noun between",
    "agreement_2": "the same, two nouns between",
    "indirect_object": "indirect object: the name not yet repeated",
    "fact": "facts about people and places",
    "mood": "mood of the story (right: the oracle's best guess)",
    "list": "repeated lists",
    "closing": "closing the right bracket or quote",
}


def write_cards(folder: str | Path) -> None:
    """Write the model card of a checkpoint and of those below it, from their `metrics.json`."""
    folder = Path(folder)
    metrics = {
        path.parent: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("metrics.json"))
        if path.parent.name != "adapters"  # their card is written with them
    }
    for place, m in metrics.items():
        if place.name.startswith("seed-"):
            continue  # in the table of its model's card
        replicates = [other for path, other in metrics.items() if path.parent == place and path.name[:5] == "seed-"]
        history = place / "history.json"  # what the recipe cannot know: trials before it, and how its run went
        m = m | {
            "replicates": replicates,
            "history": json.loads(history.read_text(encoding="utf-8")) if history.is_file() else {},
        }
        card = {"fairytale": fairytale_card, "world": world_card}.get(m["name"], attention_card)
        (place / "README.md").write_text(card(m), encoding="utf-8")


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    head = list(head)
    lines = [" | ".join(head), " | ".join(["---"] + ["---:"] * (len(head) - 1))]
    lines += [" | ".join(str(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def fairytale_card(m: dict[str, Any]) -> str:
    """The card of the fairytale model."""
    c, bits = m["config"], m["bits_per_byte"]
    gap = m["first_copy_nats"] - m["second_copy_nats"]
    yardsticks = table(
        ["predictor of the held-out tales", "bits per character"],
        [
            ["**fairytale**", f"**{m['bits_per_character']:.3f}**"],
            ["5-gram model of the same tokens, Kneser-Ney smoothing", f"{m['bits_per_character_5gram']:.3f}"],
            ["xz that has read the training tales first", f"{bits['xz_after_training_text']:.2f}"],
            ["xz alone", f"{bits['xz']:.2f}"],
            ["gzip alone", f"{bits['gzip']:.2f}"],
        ],
    )
    chance, verdict = math.log(c["vocab_size"]), "It copies."
    if m["second_copy_nats"] >= chance / 2:
        verdict = f"It does not copy: guessing evenly among all tokens would cost {chance:.2f}."
    samples = "\n\n".join(f"> **{s['prompt']}**{quoted(s['continuation'])}" for s in m["samples"])
    return f"""# fairytale

A small language model of real English: {millions(m["parameters"])} parameters, trained on fairy tales.
It has the voice of a fairy tale, but not yet its sense.

```python
import llmnotes

fairytale = llmnotes.load("fairytale")
```

With nothing of ours installed, `AutoModelForCausalLM.from_pretrained(folder)` loads it too.

## Architecture

GPT-2: {c["n_layers"]} layers, {c["n_heads"]} heads of {c["d_model"] // c["n_heads"]} dimensions, d_model {c["d_model"]},
learned positions, a context of {c["n_ctx"]} tokens, the unembedding tied to the embedding, no dropout. One of its heads is
not learned: head 0 of layer 0 looks one token back, by weights that `llmnotes/shipped/planted.py` set before the training and
kept; for it the first {c["d_model"] // c["n_heads"]} dimensions of the residual stream begin as positions alone. Byte-level BPE with
{c["vocab_size"]:,} tokens, learned from the training tales by our own code; id 0 is `<|endoftext|>`, which stands before
and behind every tale. Weights are stored in float16.

## Data

Fairy tales in the public domain, from Project Gutenberg: {m["train_characters"] / 1e6:.1f} million characters
({m["train_tokens"] / 1e6:.2f} million tokens) to learn from, and {m["valid_documents"]} whole tales of
{m["valid_characters"]:,} characters that were held out. The text is not part of this project;
[how to get and clean the books](../recipes/fairytale-corpus.md) says how to make it again. The weights are under the
project's licence (MIT).

## Held-out figures

{yardsticks}

The model's figure is over all characters of the held-out tales, each token predicted from at least
{c["n_ctx"] - c["n_ctx"] // 4} tokens before it where there are so many, ends of tales included. gzip and xz are counted in
bits per byte, which for this text is the same as per character.

**Copying.** {m["copy_length"]} random tokens, and then the same once more: the loss is {m["first_copy_nats"]:.2f} nats a
token at first sight and {m["second_copy_nats"]:.2f} the second time, {gap:.2f} less. {verdict}

## Recipe

```sh
llmnotes train fairytale --corpus FOLDER --out FOLDER
```

{recipe(m)} A batch is {m["batch_size"]} windows of {c["n_ctx"]} tokens, {m["epochs"]:.1f} times the training text in all.

{copying(m)}

{history(m)}{curve(m, {"valid_bits_per_character": "bits per character", "first_copy": "first copy", "second_copy": "second copy"})}

Bits per character are those of a sample of the held-out tales here, and the loss on copies is in nats a token.

## What it writes

At temperature 0.8, the first continuation that a fixed seed gave:

{samples}

## What it cannot do

It knows no facts, follows no instructions, and loses its plot after a few sentences. Its English is that of Victorian
translators, with their views of women, of other peoples and of punishment. It is made to be looked into, not to be used.

## Checksum

`model.safetensors`, SHA-256: `{m["sha256"]}`
"""


def world_card(m: dict[str, Any]) -> str:
    """The card of the larger world model, with the checkpoints along its training."""
    c = m["config"]
    shown = [rule for rule in RULES if rule in m["accuracy"]]
    steps = m.get("steps", [])
    stages = [*steps, {"step": f"{m['plan']['steps']} (final)", **{k: m[k] for k in ("above_floor", "accuracy")}}]
    along = table(
        ["step", "above floor", *(f"`{rule}`" for rule in shown)],
        [[s["step"], f"{s['above_floor']:.3f}", *(percent(s["accuracy"].get(rule)) for rule in shown)] for s in stages],
    )
    rows = [
        ["loss of the model", f"{m['loss']:.4f}"],
        ["loss of the best possible predictor on the same words", f"{m['floor']:.4f}"],
        ["entropy floor: its expected loss", f"{m['entropy']:.4f}"],
        ["**divergence of the model from the truth**", f"**{m['above_floor']:.4f}**"],
    ]
    losses, d_model, batch, n_ctx = table(["", "nats a token"], rows), c["d_model"], m["batch_size"], c["n_ctx"]
    return f"""# world

A small GPT-2 that was trained on a language whose grammar we wrote. Every hidden variable behind every word is known, and
so is the best possible prediction: methods can be graded against the truth.

```python
import llmnotes
from llmnotes.world.grammar import tell
from llmnotes.world.oracle import truth

world = llmnotes.load("world")
story = tell(seed=3, number=0)  # words with their part of speech, number, gender, referent, mood and rule
best = truth([token.word for token in story])  # the true distribution of each next word
```

## Architecture

GPT-2: {c["n_layers"]} layers, {c["n_heads"]} heads of {c["d_model"] // c["n_heads"]} dimensions, d_model {d_model},
MLPs of {c["d_mlp"]} hidden units, learned positions, a context of {c["n_ctx"]} words, {millions(m["parameters"])}
parameters. One token is one word, {c["vocab_size"]} in all; id 0 is `<|endoftext|>`, with which every story begins.
Weights are stored in float16.

## Data

Stories drawn from the grammar in `llmnotes/world/grammar.py`, fresh ones for every step, {batch} a step. Nothing in them
comes from anywhere else; they are under the project's licence (MIT).

## Held-out figures

On {m["stories"]} stories that it has not seen:

{losses}

{rule_table(m)}

Where several words may come, right means the right kind of word: of a verb the number counts, of a pronoun the gender, of
a bracket its kind. A fact and a repeated syllable must be the likeliest of all words. The best guess at a mood agrees with
the mood of the word that came in {m["oracle_mood"]:.0%} of places; no predictor can do better.

## Recipe

```sh
llmnotes train world --out FOLDER
```

{recipe(m)}

{history(m)}{curve(m, {"valid_loss": "held-out loss", "above_floor": "above floor"})}

## Checkpoints along the way

`llmnotes.load("world/step-1000")` gives the model as it stood after 1,000 steps. To keep them small their matrices are
stored in 8 bits (float8, e4m3); the figures are those of the stored weights. In nats a token and in accuracy:

{along}

{trainings(m, "world")}

## The attention-only model

`llmnotes.load("world/attention-only")` is a second model of the same language with two layers and no MLPs; it has a
[card of its own](attention-only/README.md).

## What it cannot do

Anything outside its language: a word that the language does not have is an error. It reads at most {n_ctx} words, and
it was trained on stories from their beginning, so a text should begin with `<|endoftext|>`.

## Checksum

`model.safetensors`, SHA-256: `{m["sha256"]}`
"""


def attention_card(m: dict[str, Any]) -> str:
    """The card of the attention-only world model."""
    c = m["config"]
    return f"""# world, attention-only

Two layers of attention and nothing else, trained on the language of [world](../README.md): small enough to be taken apart
by hand.

GPT-2's architecture has no attention-only form. So the file holds MLPs of one hidden unit whose weights are all zero: they
add exactly nothing, and `AutoModelForCausalLM.from_pretrained` loads it with nothing of ours installed.

{c["n_layers"]} layers, {c["n_heads"]} heads of {c["d_model"] // c["n_heads"]} dimensions, d_model {c["d_model"]}, a context
of {c["n_ctx"]} words, {millions(m["parameters"])} parameters. Data, licence, recipe and limits are those of
[world](../README.md).

On {m["stories"]} stories that it has not seen, its loss is {m["loss"]:.4f} nats a token. The entropy floor is
{m["entropy"]:.4f}; its divergence from the truth is {m["above_floor"]:.4f}.

{rule_table(m)}

{recipe(m)}

{curve(m, {"valid_loss": "held-out loss", "above_floor": "above floor"})}

{trainings(m, "world/attention-only")}

## Checksum

`model.safetensors`, SHA-256: `{m["sha256"]}`
"""


def rule_table(m: dict[str, Any]) -> str:
    """Accuracy and divergence for each rule."""
    return table(
        ["rule", "right", "divergence (nats)", "places"],
        [
            [meaning, f"{m['accuracy'][rule]:.1%}", f"{m['divergence'][rule]:.3f}", m["places"][rule]]
            for rule, meaning in RULES.items()
            if rule in m["accuracy"]
        ],
    )


def trainings(m: dict[str, Any], name: str) -> str:
    """The model's other trainings beside it."""
    if not m["replicates"]:
        return ""
    shown = [rule for rule in RULES if rule in m["accuracy"]]
    rows = [
        [
            one["plan"]["seed"],
            f"{one['above_floor']:.4f}",
            *(percent(one["accuracy"][rule]) for rule in shown),
            f"`{one['sha256'][:12]}`",
        ]
        for one in (m, *m["replicates"])
    ]
    return f"""## Other trainings

`llmnotes.load("{name}", seed=1)` is the same recipe from other first weights on other stories: a finding about one of
them holds for that one. In nats a token and in accuracy, with the beginning of each checksum:

{table(["seed", "above floor", *(f"`{rule}`" for rule in shown), "checksum"], rows)}

```sh
llmnotes train world --seed 1 --out FOLDER
```"""


def recipe(m: dict[str, Any]) -> str:
    """Plan, hardware and time in two sentences."""
    p, machine = m["plan"], m["machine"]
    threads = "one thread" if machine["threads"] == 1 else f"{machine['threads']} threads"
    muon = "Muon for the matrices between embedding and unembedding and of " if p["muon"] else ""
    return (
        f"{p['steps']:,} steps of {muon}AdamW (betas {p['betas'][0]} and {p['betas'][1]}, weight decay {p['weight_decay']} "
        f"on matrices only, gradients clipped to a norm of {p['clip']}); the learning rate rose to {p['lr']} over "
        f"{p['warmup']} steps and fell along a cosine to {p['final']:.0%} of that. It took {m['minutes']:.0f} minutes with "
        f"{threads} on a busy machine ({machine['cpu']}, PyTorch {machine['torch']}, no GPU)."
    )


def history(m: dict[str, Any]) -> str:
    """How the run went, and what was tried before it; empty where nothing is recorded."""
    past = m.get("history", {})
    text = "".join(f"{note}\n\n" for note in past.get("notes", []))
    if past.get("trials"):
        rows = [
            [t["trial"], f"{t['tokens']:,}", last["bits_per_character"], last["first_copy"], last["second_copy"]]
            for t in past["trials"]
            for last in t["log"][-1:]
        ]
        head = ["tried before", "tokens seen", "bits per character", "first copy", "second copy"]
        text += table(head, rows) + "\n\n"
    if past.get("world_trials"):
        rows = [[t["trial"], f"{t['steps']:,}", f"{t['above_floor']:.3f}"] for t in past["world_trials"]]
        text += table(["tried before", "steps", "above floor"], rows) + "\n\n"
    return text


def copying(m: dict[str, Any]) -> str:
    """How repetitions were mixed into the text."""
    length = m["config"]["n_ctx"] // 4
    phases = "; ".join(f"from step {begin:,} on, {share:.0%} of the windows" for begin, share in m["loops"])
    return (
        f"To teach copying, a stretch of 4 to {length} tokens fills some windows over and over: {phases}. A third of the "
        "stretches are passages of the text, a third tokens picked here and there from it, a third random tokens. At its "
        "first sight a stretch is not scored: copying cannot foretell it."
    )


def curve(m: dict[str, Any], columns: dict[str, str], rows: int = 12) -> str:
    """The course of the training as a table, at steps that grow by about the same factor."""
    log = m["curve"]
    wanted = [log[0]["step"] * (log[-1]["step"] / log[0]["step"]) ** (i / max(1, rows - 1)) for i in range(rows)]
    picked = {min(log, key=lambda entry: abs(entry["step"] - step))["step"] for step in wanted}
    return table(
        ["step", "training loss", *columns.values()],
        [
            [f"{entry['step']:.0f}", f"{entry['loss']:.3f}", *(f"{entry[key]:.3f}" for key in columns)]
            for entry in log
            if entry["step"] in picked
        ],
    )


def percent(share: float | None) -> str:
    """A share in whole per cent; a dash where nothing was measured."""
    return "–" if share is None else f"{share:.0%}"


def millions(n: int) -> str:
    """A count of parameters as people say it."""
    return f"{n / 1e6:.2f} million" if n >= 1e6 else f"{n:,}"


def quoted(text: str) -> str:
    """Text that goes on inside a Markdown quotation."""
    return text.rstrip().replace("*", r"\*").replace("\n", "\n> ")
