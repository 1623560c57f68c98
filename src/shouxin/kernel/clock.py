"""Clock: the doors read it once and hand the instant down; nothing below looks at the time itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def frozen_clock(instant: datetime) -> Clock:
    """A clock that always tells ``instant``."""
    assert instant.tzinfo is not None, "an instant has a zone"
    return lambda: instant


def parse_instant(text: str) -> datetime:
    """Read ISO 8601; a date alone is midnight UTC, an instant without a zone is UTC. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
