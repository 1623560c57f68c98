"""Points: how log-odds become the whole numbers that people read."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

MILLION = 1_000_000
# Beyond this an entry is broken: e^1000 is no odds that any data could show.
ENTRY_MAX = 1_000 * MILLION


class Scaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points: ``points`` at ``odds`` (non-events an event), and ``pdo`` more double the odds.

    ``offset`` and ``factor`` are the same in millionths (of a point, of a point a log-odd), stored so
    that every reader rounds alike.
    """

    points: int
    odds: int
    pdo: int
    offset: int
    factor: int

    @classmethod
    def of(cls, points: int, odds: int, pdo: int) -> Scaling:
        """The scaling with this anchor (Siddiqi 2006: score = offset - factor * log-odds of the event)."""
        factor = pdo / math.log(2)
        offset = points - factor * math.log(odds)
        return cls(points, odds, pdo, round(offset * MILLION), round(factor * MILLION))

    def points_at(self, log_odds: int) -> int:
        """Whole points at ``log_odds`` (millionths), halves rounded up; integer arithmetic only."""
        return (self.offset * MILLION - self.factor * log_odds + MILLION**2 // 2) // MILLION**2


SCALINGS: Mapping[str, Scaling] = {
    "600@50:1/20": Scaling.of(600, 50, 20),
    "600@1:19/50": Scaling.of(600, 19, 50),  # written as events to non-events, as it is in China
    "750@35:1/60": Scaling.of(750, 35, 60),
}
