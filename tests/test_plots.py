"""How figures look and what is kept of them."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT

from llmnotes.lab import narrow, plots, svg


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
def test_colours_are_legible_on_paper(colour: str) -> None:
    assert contrast(colour, plots.PAPER) >= 4.3


def test_every_colour_has_a_name_that_the_styles_know() -> None:
    assert {plots.INK, plots.MUTED, plots.GRID, plots.PAPER, *plots.COLOURS} == set(plots.VARIABLES)
    styles = "".join(path.read_text() for path in (ROOT / "docs" / "assets").glob("*.css"))
    for variable in ("--green", "--purple", "--ochre"):
        assert len(re.findall(rf"{variable}: #", styles)) == 2, "for light and for dark"


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
        svg.save(fig, tmp_path / folder / "all", plots.shown_arrays(fig))
        plt.close(fig)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["all.narrow.svg", "all.npz", "all.svg"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_what_is_written_in_a_figure_stays(tmp_path: Path) -> None:
    fig, ax = plots.subplots()
    ax.plot([0.001, 0.002], [1 / 3, 2 / 3])
    ax.set_title("from 0.00125 to 12.3456")
    ax.set_xticks([0.001, 0.0015, 0.002])
    svg.save(fig, tmp_path / "small", plots.shown_arrays(fig))
    plt.close(fig)
    drawn = (tmp_path / "small.svg").read_text()
    for written in ("from 0.00125 to 12.3456", ">0.0010<", ">0.0015<"):
        assert written in drawn
    assert not [tag for tag in re.findall(r"<path[^>]*>", drawn) if re.search(r"\d\.\d{3}", tag)], (
        "drawn to a hundredth"
    )


def sizes(drawn: str) -> list[float]:
    """The sizes of all words, in pixels as shown."""
    return [float(size) * 96 / 72 for size in re.findall(r"<text[^>]*font-size: ([\d.]+)px", drawn)]


@pytest.mark.parametrize(("layout", "width"), [("all", plots.WIDTH), ("all.narrow", plots.NARROW)])
def test_a_drawing_follows_the_page(tmp_path: Path, layout: str, width: float) -> None:
    fig = everything()
    fig.axes[0].text(0, 2, "small", fontsize=5)
    svg.save(fig, tmp_path / "all", plots.shown_arrays(fig))
    drawn = (tmp_path / f"{layout}.svg").read_text()
    assert drawn.startswith(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {72 * width:.5g} ')
    assert f"var(--blue, {plots.COLOURS[0]})" in drawn
    for colour, variable in plots.VARIABLES.items():
        assert not re.search(rf"(?<!{variable}, ){colour}", drawn), "every ink has its name"
    assert not re.search(r"<dc:date>|matplotlib v|<style|<script", drawn)
    assert min(sizes(drawn)) >= 12
    used = set(re.findall(r"(?:url\(|href=\")#([^)\"]+)", drawn))
    assert set(re.findall(r' id="([^"]*)"', drawn)) == used, "no id that another drawing of the page may have"


def test_the_two_layouts_share_no_id(tmp_path: Path) -> None:
    fig = everything()
    svg.save(fig, tmp_path / "all", plots.shown_arrays(fig))
    wide, narrow = (set(re.findall(r' id="([^"]*)"', (tmp_path / f"all{s}.svg").read_text())) for s in ("", ".narrow"))
    assert wide
    assert not wide & narrow


def test_on_a_phone_panels_go_under_each_other(tmp_path: Path) -> None:
    fig, axes = plots.subplots(1, 2, sharey=True)
    for ax in axes:
        ax.plot([1, 10], [2, 3])
    axes[0].set(ylabel="share", xscale="log")
    svg.save(fig, tmp_path / "two", plots.shown_arrays(fig))
    wide, narrow = (
        json.loads(unescape(re.search(r'data-axes="([^"]*)"', (tmp_path / f"two{suffix}.svg").read_text())[1]))
        for suffix in ("", ".narrow")
    )
    assert wide[0]["box"][1] == wide[1]["box"][1], "side by side"
    assert wide[0]["box"][2] < wide[1]["box"][0]
    assert narrow[0]["box"][3] < narrow[1]["box"][1], "under each other"
    assert (wide[0]["log"], wide[1]["log"]) == ("x", "")
    assert wide[0]["y"] == wide[1]["y"] == narrow[0]["y"]
    assert (tmp_path / "two.narrow.svg").read_text().count(">share<") == 2, "each has its label"


def test_on_a_phone_names_are_broken_and_legends_stacked() -> None:
    fig, ax = plots.subplots()
    names = ["no mask at all", "a mask and no start token", "a mask and a start token"]
    ax.bar(names, [1, 2, 3])
    for i in range(4):
        ax.plot([], [], label=f"a long name {i}")
    ax.legend(ncols=4)
    narrow.make_narrow(fig)
    fig.draw_without_rendering()
    assert not narrow._touch(ax)
    assert ax.get_legend().get_window_extent().width < 0.75 * fig.bbox.width
    assert [label.get_text().replace("\n", " ") for label in ax.get_xticklabels()] == names


@pytest.mark.parametrize(("n", "kept"), [(3, True), (12, False)])
def test_numbers_without_room_are_left_out_on_a_phone(n: int, kept: bool) -> None:
    fig, ax = plots.subplots()
    ax.bar_label(ax.bar(range(n), [100] * n), fmt="%d")
    ax.text(0, 50, "a word")
    narrow.make_narrow(fig)
    assert all(text.get_visible() is kept for text in ax.texts if text.get_text() == "100")
    assert ax.texts[-1].get_visible()


def test_a_choice_is_marked(tmp_path: Path) -> None:
    fig, ax = plots.subplots()
    ax.plot([1, 2])
    ax.text(1, 1, "both").set_gid("choice-both")
    svg.save(fig, tmp_path / "one", plots.shown_arrays(fig))
    assert '<g data-choice="both">' in (tmp_path / "one.svg").read_text()


def test_labels_at_lines_keep_apart() -> None:
    fig, ax = plots.subplots()
    for end, name in ((1.0, "a"), (1.01, "b"), (0.0, "c")):
        ax.plot([0, 1], [0, end], label=name)
    ax.plot([0, 1], [0.5, 0.5])
    plots.label_lines(ax)
    fig.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert [text.get_text() for text in ax.texts] == ["a", "b", "c"]
    assert boxes[0].y1 < boxes[1].y0
    assert boxes[2].y1 < boxes[0].y0


def test_long_titles_break_and_colour_bars_go_below() -> None:
    fig, axes = plots.subplots(1, 2)
    for ax in axes:
        image = ax.imshow(np.arange(4.0).reshape(2, 2))
        ax.set_title("what each of the rules loses without each of the heads")
    fig.colorbar(image, ax=axes, label="nats")
    fig.draw_without_rendering()
    narrow.wrap_titles(fig)
    assert all("\n" in ax.get_title(loc="left") for ax in axes)
    narrow.make_narrow(fig)
    fig.draw_without_rendering()
    bar = fig.axes[-1]
    assert bar.get_xlabel() == "nats"
    assert bar.get_position().y1 < min(ax.get_position().y0 for ax in axes)
