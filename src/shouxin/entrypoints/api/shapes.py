"""Shapes: how lines, plans, holds and repayments look in JSON. Money is a decimal string and a currency."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from shouxin import credit
from shouxin.kernel import Money


def money_shape(money: Money) -> dict[str, str]:
    """``{"value": "1299.00", "currency": "CNY"}``."""
    return {"value": money.text, "currency": money.currency}


def line_shape(line: credit.Line) -> dict[str, Any]:
    """A line with its four figures."""
    return {
        "line_id": line.line_id,
        "customer_id": line.customer_id,
        "limit": {
            "total": line.limit.text,
            "held": line.held.text,
            "outstanding": line.outstanding.text,
            "available": line.available.text,
            "currency": line.limit.currency,
        },
        "frozen": line.frozen,
        "days_past_due": line.days_past_due,
        "opened_at": line.opened_at,
    }


def plan_shape(plan: credit.Plan, *, business_date: date) -> dict[str, Any]:
    """A plan with every instalment as it stands on the business date."""
    instalments = [
        {
            "number": item.number,
            "due_on": item.due_on,
            "amount": item.amount.text,
            "paid": item.paid.text,
            "state": item.state(business_date),
            "days_past_due": item.days_past_due(business_date),
        }
        for item in plan.instalments
    ]
    return {
        "plan_id": plan.plan_id,
        "order_id": plan.order_ref,
        "plan": plan.terms,
        "amount": money_shape(plan.amount),
        "outstanding": money_shape(plan.outstanding),
        "started_on": plan.started_on,
        "instalments": instalments,
    }


def hold_shape(hold: credit.Hold) -> dict[str, Any]:
    """A hold."""
    return {
        "id": hold.hold_id,
        "order_id": hold.order_ref,
        "state": hold.state,
        "amount": money_shape(hold.amount),
        "captured": money_shape(hold.captured),
        "expires_at": hold.expires_at,
    }


def repayment_shape(result: credit.RepaymentResult) -> dict[str, Any]:
    """A repayment and how it was spread."""
    return {
        "repayment_id": result.repayment_id,
        "reference": result.reference,
        "plan_id": result.plan_id,
        "amount": money_shape(result.amount),
        "allocation": [{"number": share.number, "amount": share.amount.text} for share in result.allocation],
        "outstanding": money_shape(result.plan_outstanding),
    }


def reasons_shape(reasons: tuple[Mapping[str, Any], ...]) -> list[dict[str, Any]]:
    """Reasons as they were kept."""
    return [dict(reason) for reason in reasons]
