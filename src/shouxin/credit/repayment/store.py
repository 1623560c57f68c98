"""SQL of repayments and their allocation."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, text

from shouxin.credit.repayment.domain import RepaymentResult, Share
from shouxin.kernel import Money


def insert_repayment(db: Connection, result: RepaymentResult, *, paid_on: date, now: datetime) -> None:
    """Write a repayment and its allocation."""
    db.execute(
        text(
            "INSERT INTO credit.repayment (repayment_id, reference, plan_id, amount_minor, currency, "
            "paid_on, received_at) "
            "VALUES (:repayment_id, :reference, :plan_id, :minor, :currency, :paid_on, :now)"
        ),
        {
            "repayment_id": result.repayment_id,
            "reference": result.reference,
            "plan_id": result.plan_id,
            "minor": result.amount.minor,
            "currency": result.amount.currency,
            "paid_on": paid_on,
            "now": now,
        },
    )
    db.execute(
        text(
            "INSERT INTO credit.allocation (repayment_id, plan_id, number, amount_minor, days_past_due) "
            "VALUES (:repayment_id, :plan_id, :number, :minor, :days)"
        ),
        [
            {
                "repayment_id": result.repayment_id,
                "plan_id": result.plan_id,
                "number": share.number,
                "minor": share.amount.minor,
                "days": share.days_past_due,
            }
            for share in result.allocation
        ],
    )


def find_repayment(db: Connection, reference: str, *, plan_outstanding: Money) -> RepaymentResult | None:
    """The repayment that a reference names."""
    rows = db.execute(
        text(
            "SELECT r.repayment_id, r.plan_id, r.amount_minor, r.currency, a.number, "
            "a.amount_minor AS share_minor, a.days_past_due FROM credit.repayment r "
            "JOIN credit.allocation a USING (repayment_id) WHERE r.reference = :reference ORDER BY a.number"
        ),
        {"reference": reference},
    ).all()
    if not rows:
        return None
    head = rows[0]
    return RepaymentResult(
        repayment_id=head.repayment_id,
        reference=reference,
        plan_id=head.plan_id,
        amount=Money(head.amount_minor, head.currency),
        allocation=tuple(
            Share(row.number, Money(row.share_minor, head.currency), row.days_past_due) for row in rows
        ),
        plan_outstanding=plan_outstanding,
        repeated=True,
    )


def lock_reference(db: Connection, reference: str) -> None:
    """One repayment at a time under a reference; released with the transaction."""
    db.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 13))"), {"name": f"repayment:{reference}"}
    )
