"""The recipes behind the labs on building a model: what they read, and the histories that ship."""

from __future__ import annotations

import json
import re

import numpy as np
import torch
from conftest import ROOT

from llmnotes.shipped import loops, scaling


def test_the_history_of_sizes_is_whole() -> None:
    runs = json.loads(scaling.HISTORY.read_text())
    wanted = [(width, seed) for width in (*scaling.WIDTHS, scaling.LARGEST) for seed in range(scaling.SEEDS)]
    assert [(run["width"], run["seed"]) for run in runs] == wanted
    assert all(
        run["steps"][-1] == scaling.STEPS and run["parameters"] == scaling.parameters(run["width"]) for run in runs
    )
    assert len({run["floor"] for run in runs}) == 1
    assert all(run["held"][-1] > run["floor"] for run in runs), (
        "a loss against the true distribution is above its entropy"
    )


def test_the_seeds_of_a_size_read_different_stories() -> None:
    first, second = scaling._stories(0)(0)[0], scaling._stories(1)(0)[0]
    assert not torch.equal(first, second)


def test_the_history_of_dials_is_whole_and_the_widget_shows_it() -> None:
    runs = json.loads(loops.HISTORY.read_text())
    settings = list(loops.settings())
    assert len(runs) == len(settings) * loops.SEEDS
    page = (ROOT / "docs" / "assets" / "widgets" / "loop.html").read_text(encoding="utf-8")
    shown = json.loads(re.search(r'data-part="data">(.*?)</script>', page, re.DOTALL)[1])["dials"]
    for dial, values in loops.DIALS.items():
        for value, curve in zip(values, shown[dial]["curves"], strict=True):
            how = loops.BASE | {dial: value}
            held = [run["held"] for run in runs if all(run[key] == how[key] for key in how)]
            assert len(held) == loops.SEEDS
            np.testing.assert_allclose(curve["loss"], np.mean(held, axis=0), atol=6e-4)
