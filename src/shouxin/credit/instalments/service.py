"""The verbs of plans: open one, find them, add what was paid, say how late a line is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection

from shouxin import identity
from shouxin.credit.instalments import store
from shouxin.credit.instalments.domain import Instalment, Plan, schedule
from shouxin.credit.limits import Line
from shouxin.kernel import CustomerId, Money, derived_id


def open_plan(
    db: Connection,
    line: Line,
    *,
    hold_id: str,
    order_ref: str,
    terms: str,
    due_days: Sequence[int],
    amount: Money,
    started_on: date,
    now: datetime,
) -> Plan:
    """Make the plan of a captured hold; the caller holds the lock of the line."""
    plan_id = derived_id("plan", hold_id)
    nothing = Money.zero(amount.currency)
    instalments = tuple(
        Instalment(plan_id, number, due_on, share, nothing, None)
        for number, (due_on, share) in enumerate(
            schedule(amount, due_days=due_days, started_on=started_on), 1
        )
    )
    plan = Plan(
        plan_id=plan_id,
        line_id=line.line_id,
        customer_id=line.customer_id,
        hold_id=hold_id,
        order_ref=order_ref,
        terms=terms,
        amount=amount,
        started_on=started_on,
        opened_at=now,
        instalments=instalments,
    )
    store.insert_plan(db, plan)
    return plan


def plans_of(db: Connection, customer_id: CustomerId) -> list[Plan]:
    """The plans of a customer, newest first; begun under any name that the customer ever had."""
    return store.select_plans(
        db, "p.customer_id = ANY (:names)", {"names": identity.names_of(db, customer_id)}
    )


def find_plan(db: Connection, plan_id: str) -> Plan | None:
    """One plan."""
    found = store.select_plans(db, "p.plan_id = :id", {"id": plan_id})
    return found[0] if found else None


def list_plans(db: Connection, *, unpaid_due_by: date) -> list[Plan]:
    """Plans with an unpaid instalment due on or before a day: whom to remind, or who may pay today."""
    where = "p.plan_id IN (SELECT plan_id FROM credit.instalment WHERE paid_on IS NULL AND due_on <= :due_by)"
    return store.select_plans(db, where, {"due_by": unpaid_due_by})


def add_payments(db: Connection, plan: Plan, shares: Sequence[tuple[int, Money]], *, paid_on: date) -> None:
    """Add what was paid to the instalments ``(number, amount)`` of a plan whose line is locked."""
    store.add_paid(db, plan.plan_id, [(number, amount.minor) for number, amount in shares], paid_on=paid_on)
