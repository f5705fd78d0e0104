"""What a lab says and draws: numbers, predictions, figures.

`record`, `predict` and `figure` are what a lab says about itself; `plots` is how its figures look; `explore` is the
attention explorer, a figure that the reader can turn. The room imports nothing else of llmnotes, so it can be copied
alone.
"""

from llmnotes.lab.records import Prediction, Record, depends_on, figure, holds, predict, record

__all__ = ["Prediction", "Record", "depends_on", "figure", "holds", "predict", "record"]
