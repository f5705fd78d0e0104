"""Put a dictionary's reconstruction back into its model, and see what the model loses.

A loss "recovered" needs a floor. Zero in place of the activations is usual, their mean is often called fairer. Either
can cost more than guessing evenly, since the norms behind scale any vector up, and against so bad a model nearly
anything recovers nearly all. So give the variance explained beside it, or a loss that means something.

    >>> from transformers import GPT2Config, GPT2LMHeadModel
    >>> from llmnotes.methods.probing import activations
    >>> from llmnotes.methods.reconstruction import recovered
    >>> from llmnotes.methods.sae import train_sae
    >>> model = GPT2LMHeadModel(GPT2Config(n_layer=2, n_head=4, n_embd=32, vocab_size=50, n_positions=16)).eval()
    >>> rows = [[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]]
    >>> sae, _ = train_sae(activations(model, rows)[1], 64, k=4, steps=100)
    >>> found = recovered(model, sae, 1, rows)
    >>> 0 < found.explained < 1
    True
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from llmnotes.methods.sae import SAE
from llmnotes.model.inputs import Inputs
from llmnotes.model.interventions import ablate, edit
from llmnotes.model.loss import nll
from llmnotes.model.tracing import trace


def splice(model: Any, sae: SAE, layer: int, *, place: str = "resid_post") -> AbstractContextManager[None]:
    """Let the model go on with the autoencoder's reconstruction instead of its own activations."""
    return edit(model, place, layer, lambda x, at: sae.decode(sae.encode(x)))


@dataclass(frozen=True)
class Recovered:
    """Losses in nats per token, of the model as it is and with something else in one place."""

    own: float
    spliced: float  # the reconstruction
    mean: float  # the mean activation
    zero: float
    explained: float  # share of the variance of these activations

    @property
    def from_zero(self) -> float:
        """The share of what zero costs that the reconstruction wins back: the number usually given."""
        return (self.zero - self.spliced) / (self.zero - self.own)

    @property
    def from_mean(self) -> float:
        """The share of what the mean activation costs that the reconstruction wins back."""
        return (self.mean - self.spliced) / (self.mean - self.own)


def recovered(model: Any, sae: SAE, layer: int, inputs: Inputs, *, place: str = "resid_post") -> Recovered:
    """Measure what a model loses on texts, best new to the sae, with a reconstruction, with the mean, and with zero."""
    seen = trace(model, inputs, [place])
    changes = {
        "spliced": splice(model, sae, layer, place=place),
        "mean": ablate(model, place, layer, by="mean", reference=seen),
        "zero": ablate(model, place, layer),
    }
    losses = {"own": nll(model, inputs)}
    for name, change in changes.items():
        with change:
            losses[name] = nll(model, inputs)
    return Recovered(**losses, explained=sae.explained(seen[place, layer][seen.mask].float()))
