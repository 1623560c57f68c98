"""Buckets and milestones of lateness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shouxin.kernel import OWN_SOURCE, CustomerId, Event, Money

# Days past due at which the event log is told; 90 is the Basel definition of default, 60 our label's.
MILESTONES = (1, 30, 60, 90)
DUE = 0
# A business day ends at midnight here, wherever the server stands.
BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
# Upper ends, in days past due, of the buckets that Chinese consumer lending calls M0 to M3.
BUCKETS: tuple[tuple[int, str], ...] = ((0, "M0"), (30, "M1"), (60, "M2"), (90, "M3"))
BUCKET_BEYOND = "M3+"


def dpd_bucket(days_past_due: int) -> str:
    """M0 (not late), M1 (1-30), M2 (31-60), M3 (61-90), M3+ (beyond)."""
    assert days_past_due >= 0, days_past_due
    for highest, bucket in BUCKETS:
        if days_past_due <= highest:
            return bucket
    return BUCKET_BEYOND


@dataclass(frozen=True, slots=True)
class DayCount:
    """What closing a day found: instalments that fell due, milestones passed, lines that are late."""

    business_date: date
    due: int
    overdue: int
    lines_past_due: int
    bucket_changes: int
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class BucketChange:
    """From ``effective_on`` a line was in ``bucket``."""

    effective_on: date
    bucket: str
    days_past_due: int


@dataclass(frozen=True, slots=True)
class Notice:
    """An instalment came to a milestone (0: it fell due) on ``reached_on``."""

    plan_id: str
    number: int
    milestone: int
    reached_on: date
    customer_id: CustomerId
    order_ref: str
    unpaid: Money

    def event(self, *, now: datetime) -> Event:
        """The fact for the event log: true from the end of its day, however late that day was closed."""
        name = "due" if self.milestone == DUE else f"overdue/{self.milestone}"
        payload: dict[str, object] = {"plan_id": self.plan_id, "number": self.number}
        if self.milestone != DUE:
            payload["days_past_due"] = self.milestone
        day_over = datetime.combine(self.reached_on, time(), BUSINESS_ZONE) + timedelta(days=1)
        return Event(
            source=OWN_SOURCE,
            source_id=f"{self.plan_id}/{self.number}/{name}",
            kind="instalment_due" if self.milestone == DUE else "instalment_overdue",
            version=1,
            customer_ref=self.customer_id,
            occurred_at=min(now, day_over),
            received_at=now,
            amount=self.unpaid,
            order_ref=self.order_ref,
            payload=payload,
        )
