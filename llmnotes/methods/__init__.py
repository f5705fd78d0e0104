"""Ways of asking a model, a file each.

`lens`: what the model would say if it stopped here, and which part pushed which word. `heads`: scores of what a head
looks at, copies and feeds. `probing`: what can be read from activations, and erasing it. `sae`: dictionaries of
features, and what a model loses with one. `steering`: a direction added while the model writes. `lora`: low-rank
changes of weights, and how weights changed; `adapters`: other ways of tuning. The last two are imported by their own
names. A `model` is everywhere what `llmnotes.load` gives, or a transformers model, which takes token ids.
"""

from llmnotes.methods.giants import giants
from llmnotes.methods.heads import Scores, composition, copying, looking, repeated_tokens
from llmnotes.methods.lens import Shares, direct_logit_attribution, lens_guesses, logit_lens
from llmnotes.methods.probing import Probe, activations, erase, probe
from llmnotes.methods.sae import SAE, match, splice, train_sae
from llmnotes.methods.steering import difference_of_means, generate, steer
