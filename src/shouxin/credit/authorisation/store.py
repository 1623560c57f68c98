"""SQL of holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from shouxin.credit.authorisation.domain import Hold
from shouxin.kernel import Money


def insert_hold(db: Connection, hold: Hold) -> None:
    """Write a hold and take its amount out of what its line, which is locked, has available."""
    db.execute(
        text(
            "WITH moved AS ("
            "UPDATE credit.line SET held_minor = held_minor + :minor WHERE line_id = :line_id) "
            "INSERT INTO credit.hold (hold_id, line_id, decision_id, order_ref, amount_minor, currency, "
            "plan, due_days, held_at, expires_at) "
            "VALUES (:hold_id, :line_id, :decision_id, :order_ref, :minor, "
            ":currency, :plan, :due_days, :held_at, :expires_at)"
        ),
        {
            "hold_id": hold.hold_id,
            "line_id": hold.line_id,
            "decision_id": hold.decision_id,
            "order_ref": hold.order_ref,
            "minor": hold.amount.minor,
            "currency": hold.amount.currency,
            "plan": hold.plan,
            "due_days": list(hold.due_days),
            "held_at": hold.held_at,
            "expires_at": hold.expires_at,
        },
    )


def find_hold(db: Connection, hold_id: str) -> Hold | None:
    """One hold."""
    found = _select(db, "hold_id = :id", {"id": hold_id})
    return found[0] if found else None


def holds_of_line(db: Connection, line_id: str) -> list[Hold]:
    """The holds of a line, newest first."""
    return _select(db, "line_id = :id ORDER BY held_at DESC, hold_id", {"id": line_id})


def end_hold(db: Connection, hold_id: str, *, state: str, captured_minor: int, now: datetime) -> None:
    """End an open hold."""
    result = db.execute(
        text(
            "UPDATE credit.hold SET state = :state, captured_minor = :captured, settled_at = :now "
            "WHERE hold_id = :id AND state = 'held'"
        ),
        {"state": state, "captured": captured_minor, "now": now, "id": hold_id},
    )
    assert result.rowcount == 1, f"{hold_id} is not open"


def expire_holds(db: Connection, *, now: datetime) -> int:
    """End every hold whose time is over and free its amount, line by line in one order."""
    # The lines are locked first and in one order, as a checkout does, so that neither waits for the other.
    db.execute(
        text(
            "SELECT line_id FROM credit.line WHERE line_id IN (SELECT line_id FROM credit.hold "
            "WHERE state = 'held' AND expires_at <= :now) ORDER BY line_id FOR UPDATE"
        ),
        {"now": now},
    )
    statement = text("""
        WITH ended AS (
            UPDATE credit.hold SET state = 'expired', settled_at = :now
             WHERE state = 'held' AND expires_at <= :now
            RETURNING line_id, amount_minor),
        freed AS (SELECT line_id, sum(amount_minor) AS minor, count(*) AS holds FROM ended GROUP BY line_id),
        moved AS (UPDATE credit.line l SET held_minor = l.held_minor - f.minor FROM freed f
                   WHERE l.line_id = f.line_id)
        SELECT coalesce(sum(holds), 0)::bigint FROM freed""")
    return int(db.execute(statement, {"now": now}).scalar_one())


def _select(db: Connection, where: str, values: Mapping[str, Any]) -> list[Hold]:
    return [_hold(row) for row in db.execute(text(f"SELECT * FROM credit.hold WHERE {where}"), values)]


def _hold(row: Row[Any]) -> Hold:
    return Hold(
        hold_id=row.hold_id,
        line_id=row.line_id,
        decision_id=row.decision_id,
        order_ref=row.order_ref,
        amount=Money(row.amount_minor, row.currency),
        plan=row.plan,
        due_days=tuple(row.due_days),
        state=row.state,
        captured=Money(row.captured_minor, row.currency),
        held_at=row.held_at,
        expires_at=row.expires_at,
        settled_at=row.settled_at,
    )
