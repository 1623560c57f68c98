"""Foretelling a model's performance while nobody knows yet what will happen.

Labels come half a year later. Until then calibrated probabilities themselves say how well they should
separate: a row with probability p is an event p times out of one. What comes out is the performance that the
model claims for today's population; it sees a changed population, and it can not see a changed link between
features and outcome.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.metrics import Interval

Floats = npt.NDArray[np.float64]
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Foretold:
    """The event rate and the AUC that the probabilities promise."""

    rows: int
    event_rate: Interval
    auc: float


def foretold(pd: npt.ArrayLike) -> Foretold:
    """What probabilities of an event promise of their own rows. At least one row.

    The expected AUC is that of independent events: the expected count of (event, non-event) pairs in the
    right order over the expected count of pairs; ties count half.
    """
    risk = np.sort(np.asarray(pd, dtype=np.float64))
    assert len(risk), "a forecast is of one row at least"
    total, rate = float(risk.sum()), float(risk.mean())
    spread = _Z * math.sqrt(float((risk * (1 - risk)).sum())) / len(risk)
    return Foretold(
        len(risk),
        Interval(rate, max(0.0, rate - spread), min(1.0, rate + spread)),
        _expected_auc(risk, total),
    )


def _expected_auc(ordered: Floats, total: float) -> float:
    """A row makes no pair with itself: those terms are left out above and below."""
    others = 1.0 - ordered
    _, starts, counts = np.unique(ordered, return_index=True, return_counts=True)
    before = np.concatenate([[0.0], np.cumsum(others)])
    below = np.repeat(before[starts], counts)
    level = np.repeat(np.add.reduceat(others, starts), counts)
    right = float((ordered * (below + level / 2)).sum()) - float((ordered * others).sum()) / 2
    pairs = total * float(others.sum()) - float((ordered * others).sum())
    return right / pairs if pairs > 0 else math.nan


def early_ratio(events: int, expected: float) -> Interval:
    """Early trouble that happened over what was expected, with an exact Poisson interval.

    ``expected`` is above zero. Ratios above one with an interval that leaves out one say that a vintage is
    worse than those of development were at the same age.
    """
    from scipy.special import chdtri

    assert expected > 0, expected
    low = chdtri(2 * events, 0.975) / 2 if events else 0.0
    high = chdtri(2 * (events + 1), 0.025) / 2
    return Interval(events / expected, float(low) / expected, float(high) / expected)
