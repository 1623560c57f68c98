"""Period: a half-open stretch of time, ``start`` inside and ``end`` outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` (included) to ``end`` (excluded); both carry a zone."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        assert self.start.tzinfo is not None and self.end.tzinfo is not None, "an instant has a zone"
        assert self.start <= self.end, f"{self.start} is after {self.end}"

    @classmethod
    def before(cls, instant: datetime, *, days: int) -> Period:
        """The ``days`` that end at ``instant``."""
        return cls(instant - timedelta(days=days), instant)

    @classmethod
    def after(cls, instant: datetime, *, days: int) -> Period:
        """The ``days`` that begin at ``instant``."""
        return cls(instant, instant + timedelta(days=days))

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end
