"""SQL of arrears: set-based, one statement for all lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection, text

from shouxin.credit.arrears.domain import BUCKET_BEYOND, BUCKETS, BucketChange, DayCount, Notice
from shouxin.kernel import CustomerId, Money

# An instalment passes a milestone when it is still unpaid at the end of that day; it falls due unless
# it was paid before its day came.
_NEW_NOTICES = """
    WITH new AS (
        INSERT INTO credit.notice (plan_id, number, milestone, reached_on, noted_at)
        SELECT i.plan_id, i.number, m.days, i.due_on + m.days, :now
          FROM credit.instalment i CROSS JOIN unnest(CAST(:milestones AS integer[])) AS m (days)
         WHERE i.due_on + m.days <= :day
           AND (i.paid_on IS NULL OR i.paid_on > i.due_on + m.days OR (m.days = 0 AND i.paid_on = i.due_on))
           AND (i.paid_on IS NULL OR i.paid_on > CAST(:since AS date) - 1)
        ON CONFLICT (plan_id, number, milestone) DO NOTHING
        RETURNING plan_id, number, milestone, reached_on)
    SELECT new.*, p.customer_id, p.order_ref, p.currency, i.amount_minor,
           i.amount_minor - i.paid_minor AS unpaid_minor
      FROM new JOIN credit.plan p USING (plan_id) JOIN credit.instalment i USING (plan_id, number)
     ORDER BY new.reached_on, new.plan_id, new.number, new.milestone
"""

_REFRESH_DAYS = """
    UPDATE credit.line l SET days_past_due = d.days
      FROM (SELECT l.line_id, greatest(0, coalesce(:day - min(i.due_on), 0)) AS days
              FROM credit.line l LEFT JOIN credit.instalment i
                ON i.line_id = l.line_id AND i.paid_on IS NULL AND i.due_on < :day
             WHERE l.outstanding_minor > 0 OR l.days_past_due > 0 GROUP BY l.line_id) d
     WHERE l.line_id = d.line_id AND l.days_past_due <> d.days
"""


def _bucket_sql(days: str) -> str:
    """SQL that names the bucket of ``days``, from the same table as ``dpd_bucket``."""
    cases = " ".join(f"WHEN {days} <= {highest} THEN '{bucket}'" for highest, bucket in BUCKETS)
    return f"CASE {cases} ELSE '{BUCKET_BEYOND}' END"


def lock_day(db: Connection) -> date:
    """The business date, locked until the transaction ends: one closing at a time."""
    found: date = db.execute(text("SELECT business_date FROM credit.business_date FOR UPDATE")).scalar_one()
    return found


def business_date(db: Connection) -> date:
    """The business date."""
    found: date = db.execute(text("SELECT business_date FROM credit.business_date")).scalar_one()
    return found


def lock_due_lines(db: Connection, day: date) -> None:
    """Lock every line that this closing may write, in the order in which everybody locks lines.

    Without it a repayment in flight would be overwritten by what was true before it.
    """
    db.execute(
        text(
            "SELECT 1 FROM credit.line l WHERE l.days_past_due > 0 OR EXISTS ("
            "SELECT FROM credit.instalment i WHERE i.line_id = l.line_id AND i.paid_on IS NULL "
            "AND i.due_on <= :day) ORDER BY l.line_id FOR UPDATE"
        ),
        {"day": day},
    )


def set_business_date(db: Connection, day: date) -> None:
    """Move the business date."""
    db.execute(text("UPDATE credit.business_date SET business_date = :day"), {"day": day})


def has_money(db: Connection) -> bool:
    """Whether a day was closed or an amount booked."""
    statement = text("SELECT EXISTS (SELECT FROM credit.day_close) OR EXISTS (SELECT FROM credit.entry)")
    return bool(db.scalar(statement))


def find_close(db: Connection, day: date) -> DayCount | None:
    """What closing a day found, if it was closed."""
    row = db.execute(
        text("SELECT * FROM credit.day_close WHERE business_date = :day"), {"day": day}
    ).one_or_none()
    return DayCount(day, row.due, row.overdue, row.lines_past_due, 0, repeated=True) if row else None


def insert_close(db: Connection, count: DayCount, *, now: datetime) -> None:
    """Write that a day was closed."""
    db.execute(
        text(
            "INSERT INTO credit.day_close (business_date, due, overdue, lines_past_due, closed_at) "
            "VALUES (:day, :due, :overdue, :late, :now)"
        ),
        {
            "day": count.business_date,
            "due": count.due,
            "overdue": count.overdue,
            "late": count.lines_past_due,
            "now": now,
        },
    )


def insert_notices(
    db: Connection, day: date, *, since: date, milestones: Sequence[int], now: datetime
) -> list[Notice]:
    """Note every milestone reached by the end of ``day`` and not noted before; returns the new ones."""
    rows = db.execute(
        text(_NEW_NOTICES), {"day": day, "since": since, "milestones": list(milestones), "now": now}
    )
    return [
        Notice(
            row.plan_id,
            row.number,
            row.milestone,
            row.reached_on,
            CustomerId(row.customer_id),
            row.order_ref,
            # Caught up after it was paid: the amount that had fallen due.
            Money(row.unpaid_minor or row.amount_minor, row.currency),
        )
        for row in rows
    ]


def refresh_days_past_due(db: Connection, day: date) -> None:
    """Write how late every line is at the end of ``day``."""
    db.execute(text(_REFRESH_DAYS), {"day": day})


def insert_bucket_changes(db: Connection, day: date) -> int:
    """Write the lines whose bucket is not the one written last; returns how many."""
    bucket = _bucket_sql("l.days_past_due")
    statement = text(f"""
        INSERT INTO credit.bucket (line_id, effective_on, bucket, days_past_due)
        SELECT l.line_id, :day, {bucket}, l.days_past_due FROM credit.line l
          LEFT JOIN LATERAL (SELECT b.bucket FROM credit.bucket b WHERE b.line_id = l.line_id
                              ORDER BY b.effective_on DESC LIMIT 1) last ON true
         WHERE coalesce(last.bucket, 'M0') <> {bucket}
        ON CONFLICT (line_id, effective_on) DO NOTHING""")
    return db.execute(statement, {"day": day}).rowcount


def count_past_due(db: Connection) -> int:
    """How many lines are late."""
    return int(db.scalar(text("SELECT count(*) FROM credit.line WHERE days_past_due > 0")))


def list_buckets(db: Connection, line_id: str) -> list[BucketChange]:
    """The buckets of a line, oldest first."""
    statement = text(
        "SELECT effective_on, bucket, days_past_due FROM credit.bucket "
        "WHERE line_id = :id ORDER BY effective_on"
    )
    return [
        BucketChange(row.effective_on, row.bucket, row.days_past_due)
        for row in db.execute(statement, {"id": line_id})
    ]
