"""How often claims came true that were held for so and so likely, as a drawing."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from llmnotes.site.pages.templates import render

BINS = 5


def calibration_plot(pairs: Iterable[tuple[float, bool]]) -> str:
    """Share that came true against stated probability, in fifths of the scale.

    Args:
        pairs: the probability of each claim, and whether it came true.

    Returns:
        A figure in HTML whose colours come from the site's style sheet. Each bar is the 95% interval of Wilson (1927,
        Journal of the American Statistical Association 22), which holds for small counts.
    """
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for p, outcome in pairs:
        bins[min(BINS - 1, int(BINS * p))].append((p, outcome))
    marks, words = [], []
    for some in filter(None, bins):
        p, share = fmean(p for p, _ in some), fmean(outcome for _, outcome in some)
        marks.append((p, share, *wilson(share, len(some)), 3 + len(some) ** 0.5))
        words.append(f"of {len(some)} held for about {p:.0%} likely, {share:.0%} came true")
    return render("calibration.html.jinja", marks=marks, words=words).replace("\n", "")


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of Wilson for a share that was seen in `n` cases; both ends between 0 and 1."""
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)
