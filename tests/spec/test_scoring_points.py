"""Points, as a table: what a score means in odds, in each of the three scalings."""

from __future__ import annotations

import math

import pytest

from shouxin.scoring import SCALINGS, pd_at

# scaling        | non-events an event | points
POINTS = [
    ("600@50:1/20", 50, 600),
    ("600@50:1/20", 100, 620),
    ("600@50:1/20", 25, 580),
    ("600@50:1/20", 1, 487),
    ("600@1:19/50", 19, 600),
    ("600@1:19/50", 38, 650),
    ("600@1:19/50", 1, 388),
    ("750@35:1/60", 35, 750),
    ("750@35:1/60", 70, 810),
    ("750@35:1/60", 17.5, 690),
]

# log-odds of the event | probability
PROBABILITIES = [
    (0, 0.5),
    (-1_000_000, 0.268941421),
    (-5_298_317, 0.004975126),
    (40_000_000, 1.0),
    (-900_000_000, 0.0),
]


@pytest.mark.parametrize(("scaling", "odds", "points"), POINTS)
def test_points_at_odds(scaling, odds, points):
    assert SCALINGS[scaling].points_at(round(-math.log(odds) * 1_000_000)) == points


@pytest.mark.parametrize(("log_odds", "pd"), PROBABILITIES)
def test_probability_at_log_odds(log_odds, pd):
    assert pd_at(log_odds) == pd
