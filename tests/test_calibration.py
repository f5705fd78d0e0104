"""The calibration plot on the predictions page."""

from __future__ import annotations

import re

import pytest

from llmnotes.site.pages.drawings import calibration_plot, wilson


def test_wilson_agrees_with_published_values() -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I: method 3, without continuity correction."""
    for successes, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        assert wilson(successes / n, n) == pytest.approx((low, high), abs=5e-5)


def test_the_plot_says_what_it_shows() -> None:
    plot = calibration_plot([(0.9, True), (0.9, True), (0.8, False), (0.1, False), (1.0, True)])
    label = re.search(r'aria-label="([^"]*)"', plot)[1]
    assert label == ("of 1 held for about 10% likely, 0% came true; of 4 held for about 90% likely, 75% came true.")
    circles = re.findall(r'<circle class="you" cx="([\d.]+)" cy="([\d.]+)"', plot)
    assert [(float(x), float(y)) for x, y in circles] == [(69.0, 230.0), (237.0, 72.5)]
