"""The language whose grammar we wrote, and which the World models speak.

`tell` and `read` give stories with every hidden variable behind every word; `truth` is the best possible
prediction; `grade` measures a model against it, rule by rule. `lexicon` holds the words, `grammar` the rules: one
generator that the teller and the oracle both drive. `changes`, imported by its own name, tells stories with one rule
changed.
"""

from llmnotes.world.grading import Grades, grade, is_right, rivals
from llmnotes.world.grammar import Token, story, story_ids, tell
from llmnotes.world.lexicon import END, IDS, MOODS, RULES, VOCABULARY
from llmnotes.world.oracle import Truth, divergence, truth
from llmnotes.world.stories import held_out, read, story_batches, word_ids
