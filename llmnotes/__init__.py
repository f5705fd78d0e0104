"""Look inside language models: the functions that the notebook's labs call.

Importing this package costs next to nothing: torch and transformers load when a function first needs them. It has eight
rooms; each can be read on its own in half an hour, and arrows run one way.

    lab/       what a lab says and draws: record, predict, figure, plots, maps           (imports nothing else of ours)
    model/     open a model and look or reach into it: load, architectures, trace, interventions, loss
    methods/   one way of asking a model a file: lens, heads, probing, sae, steering
    patching/  sweep, paths, attribution, and propagate, which makes them fast
    scratch/   built from nothing, to be read: nets, tokenizer, transformer, training
    world/     the language whose grammar we wrote: lexicon, grammar, oracle, grading
    shipped/   how our checkpoints are made, measured and described; checkpoints/ beside it
    site/      how labs become pages: run/ (execute, store, compare), notebook/ (quotes, entries), pages/ (MkDocs)

`lab`, `model`, `scratch` and `world` stand on nothing of ours; `methods` and `patching` stand on `model`; `shipped` on
these and `methods`; `site` on all, and nothing outside `site` imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from llmnotes.model.loading import LoadedModel

__version__ = "0.1.0"


def load(name: str | Path, device: str = "cpu", **options: Any) -> LoadedModel:
    """Load a model to look into, by name, Hugging Face id or folder: see `llmnotes.model.loading.load`."""
    from llmnotes.model.loading import load

    return load(name, device, **options)
