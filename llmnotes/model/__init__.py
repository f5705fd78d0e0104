"""Open a model, and look or reach into it.

`load` gives a model with its tokenizer, and of ours any of its trainings (`seeds`) and small changes (`adapters`);
`trace` runs it and keeps what passes through its places; `edit`, `replace`, `ablate`, `add` and `cut_edges` change what
passes through them, and `rerun` runs it once more at single places; `nll` is its loss. Where each architecture keeps
its parts is known in `architectures` alone, and what the places are called in `hooks`.

A `model` is everywhere what `load` gives, or a transformers model, which takes token ids instead of text; `inputs` are
a text, several texts, or token ids as lists or a tensor. Heads and layers count from 0, negative ones from the end.
"""

from llmnotes.model.architectures import LAYOUTS, Layout, Sizes, describe, parts
from llmnotes.model.blocks import matrix, norm_scale, normalize, read_out
from llmnotes.model.hooks import PLACES
from llmnotes.model.inputs import Batch, batch, token_id
from llmnotes.model.interventions import ablate, add, cut_edges, edit, freeze, replace
from llmnotes.model.loading import CHECKPOINTS, LoadedModel, adapters, load, seeds, untrained
from llmnotes.model.loss import minimal_pairs, nll, score
from llmnotes.model.rerun import rerun
from llmnotes.model.tracing import Trace, trace
