"""The calibration plot on the predictions page."""

from __future__ import annotations

import re

from llmnotes.site.pages.drawings import calibration_plot


def test_the_plot_says_what_it_shows() -> None:
    plot = calibration_plot([(0.9, True), (0.9, True), (0.8, False), (0.1, False), (1.0, True)])
    label = re.search(r'aria-label="([^"]*)"', plot)[1]
    assert label == ("of 1 held for about 10% likely, 0% came true; of 4 held for about 90% likely, 75% came true.")
    circles = re.findall(r'<circle class="you" cx="([\d.]+)" cy="([\d.]+)"', plot)
    assert [(float(x), float(y)) for x, y in circles] == [(69.0, 230.0), (237.0, 72.5)]
    bars = re.findall(r'<line class="interval" [^>]*y1="([\d.]+)" y2="([\d.]+)"', plot)
    assert [(float(low), float(high)) for low, high in bars] == [
        (230.0, 63.4),
        (166.9, 29.6),
    ]  # Wilson's, of 0/1 and 3/4
