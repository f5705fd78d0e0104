"""Figures show the numbers they were given, and coloured tokens can be read without colour."""

import re

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from llmnotes import figures
from llmnotes.heads import copying, looking, repeated_tokens
from llmnotes.lens import direct_logit_attribution, logit_lens
from llmnotes.patching import logit_difference, sweep
from llmnotes.plots import DIVERGING, save, shown_arrays
from llmnotes.trace import trace


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_attention_shows_the_pattern(gpt2, ids):
    pattern = trace(gpt2, ids, ["pattern"])["pattern", 1][0, 2]
    fig = figures.attention(pattern, [str(i) for i in ids[0].tolist()], title="Head 1.2")
    np.testing.assert_allclose(shown_arrays(fig)["axes0_image0"], pattern.numpy(), rtol=1e-6)
    with pytest.raises(ValueError, match=r"shape \(8, 8\) for 2 words"):
        figures.attention(pattern, ["a", "b"])


def test_the_lens_table_names_the_likeliest_token(gpt2, ids):
    lens = logit_lens(gpt2, ids)[:, 0]
    fig = figures.lens_table(lens, [str(i) for i in ids[0].tolist()], str)
    texts = [t.get_text() for t in fig.axes[0].texts]
    assert texts == [str(i) for i in lens.argmax(-1).flatten().tolist()]


def test_the_patching_map_shows_what_is_restored(gpt2, ids, other_ids):
    result = sweep(gpt2, ids, other_ids, logit_difference(gpt2, 4, 9))
    fig = figures.patching_map(result)
    image = fig.axes[0].images[0]
    np.testing.assert_allclose(image.get_array(), result.restored.numpy(), rtol=1e-6)
    assert image.get_cmap().name == DIVERGING.name
    assert image.norm.vmin == -image.norm.vmax
    assert [t.get_text() for t in fig.axes[0].get_xticklabels()] == result.words
    by_layer = sweep(gpt2, ids, other_ids, logit_difference(gpt2, 4, 9), each=("layer",))
    with pytest.raises(ValueError, match="a map needs two"):
        figures.patching_map(by_layer)


def test_head_scores_carry_their_chance_level(gpt2):
    scores = looking(gpt2, repeated_tokens(gpt2, batch=2, length=8))["induction"]
    fig = figures.head_scores(scores)
    assert fig.axes[1].lines[0].get_ydata()[0] == pytest.approx(scores.chance)
    assert figures.head_scores(copying(gpt2)).axes[0].images[0].norm.vmin < 0


def test_shares_keep_their_sum(gpt2, ids):
    found = direct_logit_attribution(gpt2, ids, 4, 9)
    fig = figures.shares(found, n=5)
    widths = [bar.get_width() for bar in fig.axes[0].patches]
    assert len(widths) == 6
    assert sum(widths) == pytest.approx(found.values.sum().item(), abs=1e-4)


def test_losses_and_embeddings(tmp_path):
    fig = figures.losses({"model": [3.0, 2.0, 1.5], "control": [3.0, 2.9, 2.8]}, floor=1.2)
    assert [line.get_label() for line in fig.axes[0].lines] == ["model", "control", "floor 1.20"]
    points = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    fig = figures.embeddings(points, list("abcdef"), groups=["x", "y"] * 3)
    shown = np.concatenate([c.get_offsets() for c in fig.axes[0].collections])
    centered = (points - points.mean(0)).numpy()
    _, size, _ = np.linalg.svd(centered)
    assert (shown**2).sum() == pytest.approx((size[:2] ** 2).sum(), rel=1e-4)
    save(fig, tmp_path / "fig", {})
    assert (tmp_path / "fig.dark.svg").exists()
    with pytest.raises(ValueError, match="for 5 words"):
        figures.embeddings(points, list("abcde"))


def test_coloured_tokens_can_be_read_without_colour():
    html = figures.tokens_html(["<b>", " upon", "\n"], [0.5, -2.0, 0.0], label="effect", unit="nats")
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert re.findall(r'title="effect (-?[\d.]+) nats"', html) == ["0.50", "-2.00", "0.00"]
    assert "(-2.00 nats)" in html  # said to a screen reader
    assert html.count("underline") == 1  # and the strongest is marked by more than colour
    assert "from -2.00 to 0.50" in html
    with pytest.raises(ValueError, match=r"got \(2,\) values for 1 words"):
        figures.tokens_html(["a"], [1, 2], label="x")
