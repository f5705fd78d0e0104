"""What a lab says and draws: numbers, predictions, figures.

`within` gives a function that notes numbers, and `in_words` says what they are in a reader's words; `predict` writes
down what we expect, and `ask` asks the reader; `figure` puts a drawing on the page, `plots` is how it looks, and `maps`
draws the attention of all heads at once. The room imports nothing else of llmnotes, so it can be copied alone.
"""

from llmnotes.lab.figures import figure
from llmnotes.lab.predictions import Prediction, Question, ask, holds, predict
from llmnotes.lab.records import Record, depends_on, in_words, note, within
