"""A figure's second layout, for a phone: the same drawing again, with panels under each other and words that fit."""

from __future__ import annotations

import re
import textwrap
from itertools import combinations, pairwise

from matplotlib.axes import Axes
from matplotlib.category import StrCategoryFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter

from llmnotes.lab.plots import NARROW

_NUMBER = re.compile(r"[-+−]?[\d.,]+ ?%?")


def make_narrow(fig: Figure) -> None:
    """Lay a figure out for a phone, in place.

    Panels go under each other, each with the labels that it shared; colour bars go below. Legends that are too wide
    stack, tick labels that touch break or turn, and numbers in cells and on bars are left out where there is no room
    for them: the axes and the figure's data say them too.
    """
    bars = [_take_off(ax) for ax in list(fig.axes) if hasattr(ax, "_colorbar")]
    panels = [ax for ax in fig.axes if ax.get_subplotspec() is not None]
    rows = max((ax.get_subplotspec().get_gridspec().nrows for ax in panels), default=1)
    if len(panels) > rows:
        _stack(fig, panels, fig.get_figheight() / rows)
    fig.set_figwidth(NARROW)
    for mappable, parents, label, extend in bars:
        fig.colorbar(mappable, ax=parents, location="bottom", label=label, extend=extend, aspect=30)
        fig.set_figheight(fig.get_figheight() + 0.5)
    layout = fig.get_layout_engine()
    fig.set_layout_engine("none")  # it gives up where what does not fit yet leaves no room for the axes
    fig.draw_without_rendering()
    _stack_legends(fig)
    _break_names(fig)
    fig.set_layout_engine(layout)
    fig.draw_without_rendering()
    wrap_titles(fig)
    _break_names(fig)
    fig.draw_without_rendering()
    for ax in fig.axes:
        numbers = [text for text in ax.texts if _NUMBER.fullmatch(text.get_text())]
        boxes = [text.get_window_extent() for text in numbers]
        if any(one.overlaps(other) for one, other in combinations(boxes, 2)):
            for text in numbers:
                text.set_visible(False)


def wrap_titles(fig: Figure) -> None:
    """Break titles that are wider than their axes, in a figure that has been drawn."""
    for ax in fig.axes:
        for where in ("left", "center", "right"):
            title, width = ax.get_title(loc=where), ax.get_window_extent().width
            drawn = {"left": ax._left_title, "center": ax.title, "right": ax._right_title}[where].get_window_extent()
            if title and "\n" not in title and drawn.width > width > 0:
                ax.set_title(textwrap.fill(title, max(8, int(len(title) * width / drawn.width))), loc=where)


def _take_off(bar: Axes) -> tuple:
    """Remove a colour bar; return its colours, the axes it belongs to, its label and its pointed ends."""
    colorbar = bar._colorbar
    label, parents = bar.get_ylabel() or bar.get_xlabel(), bar._colorbar_info["parents"]
    colorbar.remove()
    return colorbar.mappable, parents, label, colorbar.extend


def _stack(fig: Figure, panels: list[Axes], height: float) -> None:
    """Put panels under each other, of a height each, and write the labels that they shared at all of them."""
    grid = fig.add_gridspec(len(panels), 1)
    places = [ax.get_subplotspec() for ax in panels]
    beside = {p.rowspan.start: ax.get_ylabel() for ax, p in zip(panels[::-1], places[::-1], strict=True)}
    below = {p.colspan.start: ax.get_xlabel() for ax, p in zip(panels, places, strict=True) if ax.get_xlabel()}
    for i, (ax, place) in enumerate(zip(panels, places, strict=True)):
        ax.set_ylabel(ax.get_ylabel() or beside[place.rowspan.start])
        ax.set_xlabel(ax.get_xlabel() or below.get(place.colspan.start, ""))
        if ax.axison:
            ax.tick_params(labelleft=True, labelbottom=True)
        ax.set_subplotspec(grid[i])
    fig.set_figheight(height * len(panels))


def _stack_legends(fig: Figure) -> None:
    """Let the entries of legends that are too wide stand under each other."""
    legends = [(fig, legend, 1.0, "outside lower center") for legend in fig.legends]
    legends += [(ax, legend, 0.75, "best") for ax in fig.axes if (legend := ax.get_legend())]
    for owner, legend, share, where in legends:
        if legend.get_window_extent().width > share * fig.bbox.width:
            words = [text.get_text() for text in legend.get_texts()]
            legend.remove()
            owner.legend(legend.legend_handles, words, loc=where, fontsize=legend.get_texts()[0].get_fontsize())


def _break_names(fig: Figure) -> None:
    """Break names below axes at their spaces where they touch, and turn them where that is not enough."""
    for ax in fig.axes:
        named = isinstance(ax.xaxis.get_major_formatter(), (FixedFormatter, StrCategoryFormatter))
        if not named or not _touch(ax):  # numbers are spaced by matplotlib itself
            continue
        names = [label.get_text() for label in ax.get_xticklabels()]
        ax.set_xticks(ax.get_xticks(), [name.replace(" ", "\n") for name in names])
        fig.draw_without_rendering()
        if _touch(ax):
            ax.set_xticks(ax.get_xticks(), names, rotation=40, ha="right", rotation_mode="anchor")


def _touch(ax: Axes) -> bool:
    """Whether any two neighbouring tick labels below the axes overlap; turned ones are taken not to."""
    labels = [label for label in ax.get_xticklabels() if label.get_text() and label.get_visible()]
    if any(label.get_rotation() for label in labels):
        return False
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0)
    return any(one.x1 > other.x0 for one, other in pairwise(boxes))
