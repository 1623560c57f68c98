"""The verb of repayment."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection

from shouxin import ingestion
from shouxin.credit.instalments import Plan, add_payments, find_plan
from shouxin.credit.ledger import CASH_RECEIVED, Entry, Posting, keep_day_open, post, receivable
from shouxin.credit.limits import Line, lock_line, move_figures, set_days_past_due
from shouxin.credit.repayment import store
from shouxin.credit.repayment.domain import (
    RepaymentRefusal,
    RepaymentResult,
    Share,
    allocate,
    reference_reused,
    refuse,
)
from shouxin.kernel import OWN_SOURCE, Event, Money, derived_id


class UnableToRepay(LookupError):
    """There is no such plan."""


def repay(
    db: Connection, plan_id: str, *, amount: Money, now: datetime, business_date: date, reference: str
) -> RepaymentResult | RepaymentRefusal:
    """Take a repayment on a plan; the same reference again gives the same result.

    Raises UnableToRepay without such a plan, and UnableToBook on a day that is closed.

    Books it, frees the line, and tells the event log (``repayment_received``, one for each instalment
    that it touched, for each may have been late by another number of days).
    """
    assert reference.strip(), "a repayment has a reference"
    store.lock_reference(db, reference)
    keep_day_open(db, business_date)
    plan, line = _locked(db, plan_id)
    known = store.find_repayment(db, reference, plan_outstanding=plan.outstanding)
    if known is not None:
        same = known.plan_id == plan_id and known.amount == amount
        return known if same else reference_reused()
    if refusal := refuse(plan, amount):
        return refusal
    result = RepaymentResult(
        repayment_id=derived_id("rep", reference),
        reference=reference,
        plan_id=plan_id,
        amount=amount,
        allocation=allocate(plan, amount, business_date=business_date),
        plan_outstanding=plan.outstanding - amount,
    )
    _save(db, plan, line, result, now=now, business_date=business_date)
    ingestion.record(db, [_received(plan, result, share, now) for share in result.allocation])
    return result


def _locked(db: Connection, plan_id: str) -> tuple[Plan, Line]:
    """The plan and its line, locked."""
    plan = find_plan(db, plan_id)
    if plan is None:
        raise UnableToRepay(f"there is no plan {plan_id}")
    line = lock_line(db, plan.line_id)
    # Read again: what was owed before the wait for the lock may have been paid meanwhile.
    locked = find_plan(db, plan_id)
    assert locked is not None
    return locked, line


def _save(
    db: Connection, plan: Plan, line: Line, result: RepaymentResult, *, now: datetime, business_date: date
) -> None:
    store.insert_repayment(db, result, paid_on=business_date, now=now)
    add_payments(
        db, plan, [(share.number, share.amount) for share in result.allocation], paid_on=business_date
    )
    move_figures(db, line, outstanding=-result.amount)
    posting = Posting(receivable(line.line_id), CASH_RECEIVED, result.amount)
    post(db, Entry("repayment", f"repayment:{result.reference}", business_date, (posting,)), now=now)
    set_days_past_due(db, line, business_date=business_date)


def _received(plan: Plan, result: RepaymentResult, share: Share, now: datetime) -> Event:
    return Event(
        source=OWN_SOURCE,
        # Not the reference: that is the caller's, who could spell it like the name of another fact.
        source_id=f"{result.repayment_id}/{share.number}",
        kind="repayment_received",
        version=1,
        customer_ref=plan.customer_id,
        occurred_at=now,
        received_at=now,
        amount=share.amount,
        order_ref=plan.order_ref,
        payload={"plan_id": plan.plan_id, "number": share.number, "days_past_due": share.days_past_due},
    )
