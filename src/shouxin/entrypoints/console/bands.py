"""Where grades lie on the score: the bounds of the master scale in points of the champion model."""

from __future__ import annotations

import math
from collections.abc import Callable

from sqlalchemy import Connection

from shouxin import grading, scoring
from shouxin.entrypoints.console.svg import Band
from shouxin.grading import Grade, MasterScale

_MILLION = 1_000_000
# A gauge ends where hardly any customer stands: even odds of a default, and one default in two thousand.
_PD_WORST, _PD_BEST = 0.5, 0.0005


def score_bands(db: Connection) -> tuple[Band, ...]:
    """The grades on the axis of the champion's points, worst first; empty without a champion."""
    champion = scoring.champion(db)
    if champion is None:
        return ()
    scale = grading.scale_for(champion.outcome)
    return bands_of(scale, points_at=champion.scaling.points_at)


def bands_of(scale: MasterScale, *, points_at: Callable[[int], int]) -> tuple[Band, ...]:
    """The bands of ``scale`` where ``points_at`` turns millionths of a log-odd into points."""
    bounds = [_PD_WORST, *(bound for _, bound in reversed(scale.below)), _PD_BEST]
    points = [float(points_at(_log_odds(pd))) for pd in bounds]
    grades = list(reversed(Grade))
    return tuple(Band(grade, points[i], points[i + 1]) for i, grade in enumerate(grades))


def _log_odds(pd: float) -> int:
    return round(math.log(pd / (1 - pd)) * _MILLION)
