"""The verbs of arrears: start the books, close a day, read the date and the buckets."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from shouxin import ingestion
from shouxin.credit.arrears import store
from shouxin.credit.arrears.domain import DUE, MILESTONES, BucketChange, DayCount
from shouxin.kernel import Event


class UnableToStartBooks(RuntimeError):
    """Money moved or a day was closed already; the business date now moves by closing days only."""


class UnableToCloseDay(RuntimeError):
    """The day is before the business date and was never closed: time does not go back."""


def current_business_date(db: Connection) -> date:
    """The day that is open: the day after the one closed last; at first the day of installation."""
    return store.business_date(db)


def start_books(db: Connection, *, business_date: date) -> None:
    """Set the first business date, before any money moves; raises UnableToStartBooks after."""
    store.lock_day(db)
    if store.has_money(db):
        raise UnableToStartBooks("the books are open; close days to move the business date")
    store.set_business_date(db, business_date)


def close_day(db: Connection, *, business_date: date, now: datetime) -> DayCount:
    """Close ``business_date`` and open the next day; skipped days before it are caught up.

    Closing a closed day again changes nothing and says so. Raises UnableToCloseDay for a day that the
    business date has passed without closing it.
    """
    open_day = store.lock_day(db)
    if (known := store.find_close(db, business_date)) is not None:
        return known
    if business_date < open_day:
        raise UnableToCloseDay(f"the business date is {open_day}; {business_date} can not be closed any more")
    store.lock_due_lines(db, business_date)
    notices = store.insert_notices(db, business_date, since=open_day, milestones=(DUE, *MILESTONES), now=now)
    events: list[Event] = [notice.event(now=now) for notice in notices]
    if events:
        ingestion.record(db, events)
    store.refresh_days_past_due(db, business_date)
    due = sum(notice.milestone == DUE for notice in notices)
    count = DayCount(
        business_date=business_date,
        due=due,
        overdue=len(notices) - due,
        lines_past_due=store.count_past_due(db),
        bucket_changes=store.insert_bucket_changes(db, business_date),
    )
    store.insert_close(db, count, now=now)
    store.set_business_date(db, business_date + timedelta(days=1))
    return count


def bucket_history(db: Connection, line_id: str) -> list[BucketChange]:
    """The buckets that a line was in at the end of days, each from the day it took effect."""
    return store.list_buckets(db, line_id)
