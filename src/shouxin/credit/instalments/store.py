"""SQL of plans and instalments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from shouxin.credit.instalments.domain import Instalment, Plan
from shouxin.kernel import CustomerId, Money

_PLANS = """
    SELECT p.*, i.number, i.due_on, i.amount_minor AS due_minor, i.paid_minor, i.paid_on
      FROM credit.plan p JOIN credit.instalment i USING (plan_id)
"""


def insert_plan(db: Connection, plan: Plan) -> None:
    """Write a plan and its instalments."""
    values = {name: getattr(plan, name) for name in Plan.__slots__ if name not in {"amount", "instalments"}}
    db.execute(
        text(
            "INSERT INTO credit.plan (plan_id, line_id, customer_id, hold_id, order_ref, terms, "
            "amount_minor, currency, started_on, opened_at) "
            "VALUES (:plan_id, :line_id, :customer_id, :hold_id, :order_ref, :terms, "
            ":minor, :currency, :started_on, :opened_at)"
        ),
        values | {"minor": plan.amount.minor, "currency": plan.amount.currency},
    )
    db.execute(
        text(
            "INSERT INTO credit.instalment (plan_id, number, line_id, due_on, amount_minor) "
            "VALUES (:plan_id, :number, :line_id, :due_on, :minor)"
        ),
        [
            {
                "plan_id": plan.plan_id,
                "number": instalment.number,
                "line_id": plan.line_id,
                "due_on": instalment.due_on,
                "minor": instalment.amount.minor,
            }
            for instalment in plan.instalments
        ],
    )


def select_plans(db: Connection, where: str, values: Mapping[str, Any]) -> list[Plan]:
    """Plans with their instalments, newest first; ``where`` is one of our own conditions."""
    query = f"{_PLANS} WHERE {where} ORDER BY p.started_on DESC, p.opened_at DESC, p.plan_id, i.number"
    grouped: dict[str, list[Row[Any]]] = {}
    for row in db.execute(text(query), values):
        grouped.setdefault(row.plan_id, []).append(row)
    return [_plan(rows) for rows in grouped.values()]


def add_paid(db: Connection, plan_id: str, shares: Sequence[tuple[int, int]], *, paid_on: date) -> None:
    """Add payments ``(number, minor)`` to instalments; an instalment paid to the last cent is dated."""
    db.execute(
        text(
            "UPDATE credit.instalment SET paid_minor = paid_minor + :minor, "
            "paid_on = CASE WHEN paid_minor + :minor = amount_minor THEN CAST(:paid_on AS date) END "
            "WHERE plan_id = :plan_id AND number = :number"
        ),
        [
            {"plan_id": plan_id, "number": number, "minor": minor, "paid_on": paid_on}
            for number, minor in shares
        ],
    )


def _plan(rows: Sequence[Row[Any]]) -> Plan:
    head = rows[0]
    currency = head.currency
    instalments = tuple(
        Instalment(
            row.plan_id,
            row.number,
            row.due_on,
            Money(row.due_minor, currency),
            Money(row.paid_minor, currency),
            row.paid_on,
        )
        for row in rows
    )
    return Plan(
        plan_id=head.plan_id,
        line_id=head.line_id,
        customer_id=CustomerId(head.customer_id),
        hold_id=head.hold_id,
        order_ref=head.order_ref,
        terms=head.terms,
        amount=Money(head.amount_minor, currency),
        started_on=head.started_on,
        opened_at=head.opened_at,
        instalments=instalments,
    )
