"""Put activations of one run into another, and see what comes back.

`sweep` patches every place in turn, fast by way of `propagate`; `path_patching` patches one part's effect on another
alone; `attribution_patching` estimates all patches from gradients; `interchange` patches some directions and
`learn_subspace` finds them.
"""

from llmnotes.patching.attribution import attribution_patching
from llmnotes.patching.paths import Node, Paths, path_patching
from llmnotes.patching.subspaces import interchange, learn_subspace
from llmnotes.patching.sweeps import Sweep, logit_difference, sweep
