"""How figures look and what is kept of them."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from llmnotes.lab import plots


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    a, b = sorted((luminance(one), luminance(other)))
    return (b + 0.05) / (a + 0.05)


@pytest.mark.parametrize("colour", [plots.INK, plots.MUTED, *plots.COLOURS[:5]])
def test_colours_are_legible_on_both_papers(colour: str) -> None:
    assert contrast(colour, plots.PAPER) >= 4.3
    assert contrast(plots.DARK[colour], plots.DARK[plots.PAPER]) >= 4.5


def test_every_colour_has_a_dark_twin() -> None:
    assert {plots.INK, plots.MUTED, plots.GRID, plots.PAPER, *plots.COLOURS} <= set(plots.DARK)


def everything():
    fig, axes = plots.subplots(1, 3)
    axes[0].plot([0, 1], [2, 3], label="line")
    axes[0].scatter([1, 2, 3], [4, 5, 6])
    axes[1].bar(["a", "b"], [1, 2])
    axes[2].imshow(np.arange(6.0).reshape(2, 3))
    return fig


def test_what_a_figure_shows_is_found() -> None:
    arrays = plots.shown_arrays(everything())
    assert set(arrays) == {"axes0_line0", "axes0_points0", "axes1_bars", "axes2_image0"}
    assert arrays["axes0_line0"].tolist() == [[0, 2], [1, 3]]
    assert arrays["axes0_points0"].tolist() == [[1, 4], [2, 5], [3, 6]]
    assert arrays["axes1_bars"][:, 3].tolist() == [1, 2]
    assert arrays["axes2_image0"].shape == (2, 3)


def test_gaps_become_nan_and_words_are_refused() -> None:
    arrays = plots.checked_arrays({"a": np.ma.masked_equal([1, 2], 2), "empty": []})
    assert set(arrays) == {"a"}
    assert np.isnan(arrays["a"][1])
    with pytest.raises(ValueError, match="figure data 'a' cannot be read"):
        plots.checked_arrays({"a": ["x"]})


def test_the_same_figure_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        fig = everything()
        plots.save(fig, tmp_path / folder / "all", plots.shown_arrays(fig))
        plt.close(fig)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["all.dark.svg", "all.npz", "all.svg"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_what_is_written_in_a_figure_stays(tmp_path: Path) -> None:
    fig, ax = plots.subplots()
    ax.plot([0.001, 0.002], [1 / 3, 2 / 3])
    ax.set_title("from 0.00125 to 12.3456")
    ax.set_xticks([0.001, 0.0015, 0.002])
    plots.save(fig, tmp_path / "small", plots.shown_arrays(fig))
    plt.close(fig)
    svg = (tmp_path / "small.svg").read_text()
    for written in ("from 0.00125 to 12.3456", ">0.0010<", ">0.0015<"):
        assert written in svg
    assert not [tag for tag in re.findall(r"<path[^>]*>", svg) if re.search(r"\d\.\d{3}", tag)], "drawn to a hundredth"


def test_the_dark_figure_has_no_light_colour_left(tmp_path: Path) -> None:
    fig = everything()
    plots.save(fig, tmp_path / "all", plots.shown_arrays(fig))
    light, dark = ((tmp_path / f"all{suffix}").read_text() for suffix in (".svg", ".dark.svg"))
    assert light != dark
    for colour in (plots.PAPER, plots.INK, plots.COLOURS[0]):
        assert colour in light
        assert colour not in dark
        assert plots.DARK[colour] in dark
    assert not re.search(r"<dc:date>|matplotlib v", light)
