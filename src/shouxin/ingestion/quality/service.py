"""The verbs of data quality: how good each source is, and whether everything is accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from shouxin.ingestion.domain.quality import (
    Freshness,
    QualityDay,
    freshness,
    total_of,
)
from shouxin.ingestion.quality import store

# Enough arrivals to know a habit, few enough that an old one does not hide a new one.
_HABIT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """One source: its days (oldest first), all of them as one, and how fresh it is (None: nothing passed)."""

    source: str
    days: tuple[QualityDay, ...]
    total: QualityDay
    freshness: Freshness | None


@dataclass(frozen=True, slots=True)
class Balance:
    """Whether every row that ever came is accounted for.

    ``loads``: read, accepted, duplicates, quarantined, kept. ``quarantine``: kept, open, accepted,
    duplicate, discarded.
    """

    loads: Mapping[str, int]
    quarantine: Mapping[str, int]

    @property
    def is_whole(self) -> bool:
        """Both accounts add up, and they agree on how many rows the quarantine kept."""
        came, held = self.loads, self.quarantine
        return (
            came["read"] == came["accepted"] + came["duplicates"] + came["quarantined"]
            and held["kept"] == held["open"] + held["accepted"] + held["duplicate"] + held["discarded"]
            and came["kept"] == held["kept"]
        )


def source_quality(
    db: Connection, *, now: datetime, source: str | None = None, since: datetime | None = None
) -> list[SourceQuality]:
    """Every source that sent something since (default: 30 days), or one of them, by name."""
    start = since or (now - timedelta(days=30)).astimezone(UTC).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    days: dict[str, list[QualityDay]] = {}
    for day in store.quality_days(db, source=source, since=start):
        days.setdefault(day.source, []).append(day)
    heard = store.arrivals(db, source=source, since=min(start, now - _HABIT))
    return [
        SourceQuality(name, tuple(found), total_of(found), _freshness(heard.get(name), now=now))
        for name, found in days.items()
    ]


def balance(db: Connection) -> Balance:
    """The account of everything that ever came, from the tables."""
    return Balance(store.load_sums(db), store.quarantine_sums(db))


def _freshness(heard: tuple[list[datetime], datetime | None] | None, *, now: datetime) -> Freshness | None:
    return freshness(heard[0], newest_event=heard[1], now=now) if heard else None
