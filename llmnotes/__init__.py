"""Look inside language models: the functions that the notebook's labs call.

Importing this package costs next to nothing: torch and transformers load when a function first needs them. Each module
is one concern and can be read on its own; see the API pages for a tour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from llmnotes.loading import LoadedModel

__version__ = "0.1.0"


def load(name: str | Path, device: str = "cpu") -> LoadedModel:
    """Load a model to look into, by name, Hugging Face id or folder: see `llmnotes.loading.load`."""
    from llmnotes.loading import load

    return load(name, device)
