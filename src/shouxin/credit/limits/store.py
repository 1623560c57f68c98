"""SQL of lines and freezes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from shouxin.credit.limits.domain import Exposure, Line, LineOpening
from shouxin.kernel import CustomerId, Money

_FROZEN = """EXISTS (SELECT FROM credit.freeze f WHERE f.line_id = l.line_id
             AND NOT EXISTS (SELECT FROM credit.unfreeze u WHERE u.freeze_no = f.freeze_no))"""
_OLDEST_DUE = """(SELECT min(i.due_on) FROM credit.instalment i
                 WHERE i.line_id = l.line_id AND i.paid_on IS NULL)"""
_LINES = f"SELECT l.*, {_FROZEN} AS frozen, {_OLDEST_DUE} AS oldest_due_on FROM credit.line l"


def insert_lines(db: Connection, openings: Sequence[LineOpening], *, now: datetime) -> set[str]:
    """Open the lines of customers who have none, in one statement; returns the ids that are new."""
    statement = text(
        "INSERT INTO credit.line (line_id, customer_id, currency, limit_minor, reason, opened_at) "
        "SELECT line_id, customer_id, currency, limit_minor, reason, :now FROM unnest("
        "CAST(:lines AS text[]), CAST(:customers AS text[]), CAST(:currencies AS text[]), "
        "CAST(:limits AS bigint[]), CAST(:reasons AS text[])) "
        "AS o (line_id, customer_id, currency, limit_minor, reason) "
        "ON CONFLICT (customer_id) DO NOTHING RETURNING line_id"
    )
    values = {
        "lines": [opening.line_id for opening in openings],
        "customers": [opening.customer_id for opening in openings],
        "currencies": [opening.limit.currency for opening in openings],
        "limits": [opening.limit.minor for opening in openings],
        "reasons": [opening.reason for opening in openings],
        "now": now,
    }
    return set(db.execute(statement, values).scalars())


def line_by_id(db: Connection, line_id: str) -> Line | None:
    """One line."""
    row = db.execute(text(f"{_LINES} WHERE l.line_id = :id"), {"id": line_id}).one_or_none()
    return _line(row) if row else None


def lines_by_customers(db: Connection, customer_ids: Sequence[str]) -> list[Line]:
    """The lines of some customers."""
    statement = text(f"{_LINES} WHERE l.customer_id = ANY (:ids) ORDER BY l.line_id")
    return [_line(row) for row in db.execute(statement, {"ids": list(customer_ids)})]


def lock_customers(db: Connection, customer_ids: Sequence[str]) -> None:
    """Take the row locks of the lines of some customers, in the one order that everybody keeps."""
    statement = text("SELECT 1 FROM credit.line WHERE customer_id = ANY (:ids) ORDER BY line_id FOR UPDATE")
    db.execute(statement, {"ids": list(customer_ids)})


def lock(db: Connection, line_id: str) -> bool:
    """Take the row lock of a line until the transaction ends; False when there is no such line."""
    statement = text("SELECT 1 FROM credit.line WHERE line_id = :id FOR UPDATE")
    return db.scalar(statement, {"id": line_id}) is not None


def add_to_figures(db: Connection, line_id: str, *, held_minor: int, outstanding_minor: int) -> None:
    """Add to what is held and owed."""
    statement = text(
        "UPDATE credit.line SET held_minor = held_minor + :held, "
        "outstanding_minor = outstanding_minor + :outstanding WHERE line_id = :id"
    )
    result = db.execute(statement, {"held": held_minor, "outstanding": outstanding_minor, "id": line_id})
    assert result.rowcount == 1, f"there is no line {line_id}"


def update_days_past_due(db: Connection, line_id: str, days: int) -> None:
    """Write how late the line is."""
    statement = text("UPDATE credit.line SET days_past_due = :days WHERE line_id = :id")
    db.execute(statement, {"days": days, "id": line_id})


def insert_freeze(db: Connection, line_id: str, *, reason: str, by: str, now: datetime) -> None:
    """Freeze a line."""
    statement = text(
        "INSERT INTO credit.freeze (line_id, reason, by_operator, at) VALUES (:id, :reason, :by, :now)"
    )
    db.execute(statement, {"id": line_id, "reason": reason, "by": by, "now": now})


def insert_unfreeze(db: Connection, line_id: str, *, reason: str, by: str, now: datetime) -> int:
    """Lift every freeze of a line; returns how many there were."""
    statement = text(
        "INSERT INTO credit.unfreeze (freeze_no, reason, by_operator, at) "
        "SELECT f.freeze_no, :reason, :by, :now FROM credit.freeze f WHERE f.line_id = :id "
        "AND NOT EXISTS (SELECT FROM credit.unfreeze u WHERE u.freeze_no = f.freeze_no)"
    )
    return db.execute(statement, {"id": line_id, "reason": reason, "by": by, "now": now}).rowcount


def list_exposures(db: Connection) -> list[Exposure]:
    """Every line, by customer."""
    statement = text(
        "SELECT customer_id, line_id, currency, limit_minor, held_minor, outstanding_minor, days_past_due "
        "FROM credit.line ORDER BY customer_id"
    )
    return [
        Exposure(
            CustomerId(row.customer_id),
            row.line_id,
            Money(row.limit_minor, row.currency),
            Money(row.held_minor, row.currency),
            Money(row.outstanding_minor, row.currency),
            row.days_past_due,
        )
        for row in db.execute(statement)
    ]


def _line(row: Row[Any]) -> Line:
    return Line(
        line_id=row.line_id,
        customer_id=CustomerId(row.customer_id),
        limit=Money(row.limit_minor, row.currency),
        held=Money(row.held_minor, row.currency),
        outstanding=Money(row.outstanding_minor, row.currency),
        frozen=row.frozen,
        days_past_due=row.days_past_due,
        opened_at=row.opened_at,
        oldest_due_on=row.oldest_due_on,
    )
