"""What the shop's older credit books write down: lines, instalments due, overdue and repaid."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from shouxin.simulation.borrowing import INSTALMENTS, RAISE_FACTOR, Plans
from shouxin.simulation.domain import Flags, Floats, Ints, Population
from shouxin.simulation.facts import Facts, Field, facts, learnt_late, numbered, numbers, texts
from shouxin.simulation.shop import Orders
from shouxin.simulation.shop_facts import LATE_DAYS_MAX, LATE_SHARE

OVERDUE_AT_DAYS = (1, 30, 60, 90)
# Local hours at which the books run: due in the morning, overdue just after midnight.
_DUE_HOUR = 9 / 24
_OVERDUE_HOUR = 2 / 24


def credit_facts(rng: Generator, population: Population, orders: Orders, plans: Plans) -> tuple[Facts, ...]:
    """All facts of the credit books."""
    overdue = tuple(overdue_instalments(orders, plans, days=days) for days in OVERDUE_AT_DAYS)
    return (
        lines(population),
        raises(population),
        due_instalments(orders, plans),
        *overdue,
        repayments(rng, orders, plans),
    )


def lines(population: Population) -> Facts:
    """line_opened with its limit."""
    who = np.flatnonzero(population.has_line)
    return facts(
        "line_opened",
        who,
        population.line_opened[who],
        amount=population.limit_minor[who],
        payload={"line_id": texts(numbered("LN", population.number[who], digits=6))},
    )


def raises(population: Population) -> Facts:
    """line_limit_changed with the new limit."""
    who = np.flatnonzero(np.isfinite(population.raised))
    raised = np.round(population.limit_minor[who] * RAISE_FACTOR).astype(np.int64)
    return facts("line_limit_changed", who, population.raised[who], amount=raised)


def due_instalments(orders: Orders, plans: Plans) -> Facts:
    """instalment_due on the morning of the day, unless the order was refunded before."""
    plan, number = np.nonzero(~plans.waived)
    return _instalments("instalment_due", orders, plans, plan, number, plans.due[plan, number] + _DUE_HOUR)


def overdue_instalments(orders: Orders, plans: Plans, *, days: int) -> Facts:
    """instalment_overdue after 1, 30, 60 or 90 ``days`` without repayment."""
    plan, number = np.nonzero(~plans.waived & (plans.delay >= days))
    at = plans.due[plan, number] + days + _OVERDUE_HOUR
    extra = {"days_past_due": numbers(np.full(len(plan), days))}
    return _instalments("instalment_overdue", orders, plans, plan, number, at, extra)


def repayments(rng: Generator, orders: Orders, plans: Plans) -> Facts:
    """repayment_received, on time or late; one in twenty reaches the books days later."""
    plan, number = np.nonzero(_repaid(plans))
    delay = plans.delay[plan, number].astype(np.int64)
    extra = {"days_past_due": numbers(delay)}
    at = plans.paid[plan, number]
    batch = _instalments("repayment_received", orders, plans, plan, number, at, extra)
    return learnt_late(rng, batch, share=LATE_SHARE, days_max=LATE_DAYS_MAX)


def _repaid(plans: Plans) -> Flags:
    return ~plans.waived & np.isfinite(plans.delay)


def _instalments(
    kind: str,
    orders: Orders,
    plans: Plans,
    plan: Ints,
    number: Ints,
    at: Floats,
    extra: dict[str, Field] | None = None,
) -> Facts:
    assert plans.due.shape[1] == INSTALMENTS
    order = plans.order[plan]
    payload = {
        "plan_id": texts(numbered("PL", orders.number[order], digits=7)),
        "number": numbers(number + 1),
    }
    return facts(
        kind,
        orders.customer[order],
        at,
        amount=plans.amount[plan, number],
        payload=payload | (extra or {}),
    )
