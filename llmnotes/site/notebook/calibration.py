"""How often claims came true that were held for so and so likely, as a drawing."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

BINS = 5
LEFT, BOTTOM, SIDE = 48, 230, 210  # of the plot, in the units of the drawing


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
        low, high = wilson(share, len(some))
        marks.append(
            f'<line class="interval" x1="{_x(p):.1f}" x2="{_x(p):.1f}" y1="{_y(low):.1f}" y2="{_y(high):.1f}"/>'
            f'<circle class="you" cx="{_x(p):.1f}" cy="{_y(share):.1f}" r="{3 + len(some) ** 0.5:.1f}"/>'
        )
        words.append(f"of {len(some)} held for about {p:.0%} likely, {share:.0%} came true")
    ticks = "".join(
        f'<text x="{_x(t):g}" y="{_y(0) + 16:g}" text-anchor="middle">{t:.0%}</text>'
        f'<text x="{_x(0) - 6:g}" y="{_y(t) + 4:g}" text-anchor="end">{t:.0%}</text>'
        for t in (0, 0.5, 1)
    )
    return (
        f'<figure class="calibration"><svg viewBox="0 0 280 256" role="img" aria-label="{"; ".join(words)}.">'
        f'<rect class="frame" x="{_x(0)}" y="{_y(1)}" width="{SIDE}" height="{SIDE}"/>'
        f'<line class="even" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>{ticks}{"".join(marks)}</svg>'
        "<figcaption>Across: the probability that we stated. Up: the share that came true, with its 95% interval. "
        "Larger circles hold more claims; on the dashed line, saying and happening agree.</figcaption></figure>"
    )


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of Wilson for a share that was seen in `n` cases; both ends between 0 and 1."""
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def _x(p: float) -> float:
    return LEFT + SIDE * p


def _y(share: float) -> float:
    return BOTTOM - SIDE * share
