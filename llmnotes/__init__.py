"""Look inside language models: the functions that the notebook's labs call.

Importing this package costs next to nothing: torch and transformers load when a function first needs them. Each module
is one concern and can be read on its own; see the API pages for a tour.
"""

__version__ = "0.1.0"
