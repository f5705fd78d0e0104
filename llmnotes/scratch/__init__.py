"""Built from nothing, to be read: networks in NumPy, a tokenizer, a transformer, its training.

`nets` is for the labs on XOR; `tokenizer` is byte-level BPE; `transformer` is GPT-2 in one file, and `gpt2` turns it
into the one of transformers and back; `training` is the loop and Muon, `together` the loop for several small models
at once; `ngrams` is what counting alone can do.
"""

from llmnotes.scratch.gpt2 import from_gpt2, to_gpt2
from llmnotes.scratch.ngrams import kneser_ney
from llmnotes.scratch.together import train_together
from llmnotes.scratch.tokenizer import Tokenizer, load_tokenizer, train_bpe
from llmnotes.scratch.training import Muon, Plan, loss_of, train
from llmnotes.scratch.transformer import Attention, Cache, Config, Transformer, generate
