"""The score: how good the rows of a source were, from 0 to 10,000 basis points.

In each dimension the share of rows without a finding that lowers the score, rounded down; then their mean,
weighted. A day without rows has no score: nothing came, which is what ``freshness`` tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from shouxin.ingestion.domain.quality.rules import Dimension

FULL_BP = 10_000
# What keeps an event from being used weighs most; a repeat is caught by its identity and does no harm.
WEIGHTS_BP: Mapping[Dimension, int] = {
    Dimension.COMPLETENESS: 2_500,
    Dimension.VALIDITY: 2_500,
    Dimension.CONSISTENCY: 1_500,
    Dimension.ACCURACY: 1_500,
    Dimension.TIMELINESS: 1_000,
    Dimension.UNIQUENESS: 1_000,
}
# Below the first a source is in order, below the second somebody should ask it (bands of the page).
GOOD_BP, FAIR_BP = 9_800, 9_500
_GAPS_MIN = 4
# A source is late when it was silent for twice as long as nineteen of twenty of its gaps.
_PATIENCE, _USUAL_SHARE = 2, 0.95


@dataclass(frozen=True, slots=True)
class QualityScore:
    """The score and its parts, in basis points."""

    total_bp: int
    parts_bp: Mapping[Dimension, int]


@dataclass(frozen=True, slots=True)
class QualityDay:
    """All that one source sent on one day (UTC, by arrival), added up."""

    source: str
    day: date
    read: int
    accepted: int
    duplicates: int
    quarantined: int
    findings: Mapping[str, int]
    flawed: Mapping[str, int]

    @property
    def score(self) -> QualityScore | None:
        """How good it was; None when nothing came."""
        return quality_score(self.read, self.flawed)


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a source was last heard, and how long it is usually silent (None: too few loads to say)."""

    last_arrival: datetime
    newest_event: datetime | None
    usual_gap: timedelta | None
    is_late: bool


def quality_score(read: int, flawed: Mapping[str, int]) -> QualityScore | None:
    """The score of ``read`` rows of which ``flawed`` have a finding, by dimension; None for no rows."""
    if not read:
        return None
    parts = {dimension: FULL_BP * (read - flawed.get(dimension, 0)) // read for dimension in WEIGHTS_BP}
    return QualityScore(sum(parts[d] * weight for d, weight in WEIGHTS_BP.items()) // FULL_BP, parts)


def total_of(days: Sequence[QualityDay]) -> QualityDay:
    """Several days of one source as one (the last of them); ``days`` is not empty."""
    findings: dict[str, int] = {}
    flawed: dict[str, int] = {}
    for one in days:
        for told, into in ((one.findings, findings), (one.flawed, flawed)):
            for name, rows in told.items():
                into[name] = into.get(name, 0) + rows
    return QualityDay(
        days[-1].source,
        days[-1].day,
        sum(one.read for one in days),
        sum(one.accepted for one in days),
        sum(one.duplicates for one in days),
        sum(one.quarantined for one in days),
        findings,
        flawed,
    )


def most_found(day: QualityDay) -> list[tuple[str, int]]:
    """(code of a rule, rows), the most first."""
    return sorted(day.findings.items(), key=lambda item: (-item[1], item[0]))


def freshness(arrivals: Sequence[datetime], *, newest_event: datetime | None, now: datetime) -> Freshness:
    """How fresh a source is, from when it sent something (oldest first, not empty)."""
    gaps = sorted(later - earlier for earlier, later in pairwise(arrivals))
    usual = gaps[min(int(len(gaps) * _USUAL_SHARE), len(gaps) - 1)] if len(gaps) >= _GAPS_MIN else None
    silent = now - arrivals[-1]
    return Freshness(arrivals[-1], newest_event, usual, usual is not None and silent > _PATIENCE * usual)
