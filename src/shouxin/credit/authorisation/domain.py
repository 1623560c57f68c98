"""Requests, holds and the facts that a checkout puts before the policy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from shouxin.credit.limits.domain import Line
from shouxin.kernel import Bilingual, CustomerId, Money


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What a shop asks: may ``customer_ref`` of ``source`` pay ``amount`` of this order on credit?

    ``dry_run`` decides without holding, keeping or telling anybody.
    """

    customer_ref: str
    order_id: str
    amount: Money
    plan: str = "pay_in_3"
    source: str = "shop"
    decision_point: str = "checkout"
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class DecisionAnswer:
    """What the shop is told; ``body`` are the canonical bytes that were kept."""

    decision_id: str
    customer_id: CustomerId
    outcome: str
    hold_id: str | None
    body: bytes

    def as_data(self) -> dict[str, Any]:
        """The answer as JSON values."""
        data: dict[str, Any] = json.loads(self.body)
        return data


@dataclass(frozen=True, slots=True)
class Hold:
    """An amount set aside for one order; ``state`` is held, captured, voided or expired."""

    hold_id: str
    line_id: str
    decision_id: str
    order_ref: str
    amount: Money
    plan: str
    due_days: tuple[int, ...]
    state: str
    captured: Money
    held_at: datetime
    expires_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class HoldRefusal:
    """A hold does not move, and why."""

    code: str
    text: Bilingual


_ENDED = {
    "captured": Bilingual("该授权已入账", "The hold was captured before"),
    "voided": Bilingual("该授权已撤销", "The hold was voided before"),
    "expired": Bilingual("该授权已过期", "The hold has expired"),
}


def refuse_hold(line: Line, amount: Money) -> HoldRefusal | None:
    """Why ``amount`` can not be set aside on a line, by precedence; None when it can."""
    if line.frozen:
        return HoldRefusal("LINE_FROZEN", Bilingual("信用额度已被冻结", "The credit line is frozen"))
    if amount.currency != line.limit.currency:
        return HoldRefusal(
            "CURRENCY_DIFFERS",
            Bilingual(f"额度以 {line.limit.currency} 计", f"The line is in {line.limit.currency}"),
        )
    if amount.minor <= 0:
        return HoldRefusal(
            "AMOUNT_NOT_POSITIVE", Bilingual("授权金额必须大于零", "A held amount is above zero")
        )
    if amount > line.available:
        return HoldRefusal(
            "ABOVE_AVAILABLE", Bilingual(f"可用额度为 {line.available}", f"{line.available} is available")
        )
    return None


def refuse_ending(hold: Hold, *, now: datetime) -> HoldRefusal | None:
    """Why a hold can not be captured or voided; None when it is open."""
    if hold.state != "held":
        return HoldRefusal(f"HOLD_{hold.state.upper()}", _ENDED[hold.state])
    # Its hour has come even when the sweep has not passed yet.
    if now >= hold.expires_at:
        return HoldRefusal("HOLD_EXPIRED", _ENDED["expired"])
    return None


def refuse_capture(hold: Hold, amount: Money, *, now: datetime) -> HoldRefusal | None:
    """Why ``amount`` of a hold can not be captured, by precedence; None when it can."""
    if refusal := refuse_ending(hold, now=now):
        return refusal
    if amount.currency != hold.amount.currency:
        return HoldRefusal(
            "CURRENCY_DIFFERS",
            Bilingual(f"该授权以 {hold.amount.currency} 计", f"The hold is in {hold.amount.currency}"),
        )
    if amount.minor <= 0:
        return HoldRefusal(
            "AMOUNT_NOT_POSITIVE", Bilingual("入账金额必须大于零", "A captured amount is above zero")
        )
    if amount > hold.amount:
        return HoldRefusal(
            "ABOVE_HELD",
            Bilingual(f"入账金额不能超过授权金额 {hold.amount}", f"No more than {hold.amount} is held"),
        )
    return None


def request_facts(
    request: CheckoutRequest, *, decision_id: str, hold_id: str, now: datetime
) -> dict[str, Any]:
    """What was asked, and the names that the answer will carry."""
    return {
        "request.source": request.source,
        "request.customer_ref": request.customer_ref,
        "request.decision_point": request.decision_point,
        "request.order_id": request.order_id,
        "request.amount": request.amount.minor,
        "request.currency": request.amount.currency,
        "request.plan": request.plan,
        "request.dry_run": request.dry_run,
        "answer.decision_id": decision_id,
        "answer.hold_id": hold_id,
        "answer.at": now.isoformat(),
    }


def line_facts(line: Line | None, *, holder_proven: bool, business_date: date) -> dict[str, Any]:
    """The line as it is under its lock; without one, only that there is none.

    ``holder_proven`` says whether who asks was proven to be the customer whom the line was opened for.
    """
    if line is None:
        return {"line.open": False}
    return {
        "line.open": True,
        "line.holder_proven": holder_proven,
        "line.id": line.line_id,
        "line.currency": line.limit.currency,
        "line.limit": line.limit.minor,
        "line.held": line.held.minor,
        "line.outstanding": line.outstanding.minor,
        "line.available": line.available.minor,
        "line.frozen": line.frozen,
        "line.days_past_due": line.late_on(business_date),
    }
