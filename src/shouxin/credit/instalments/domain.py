"""Plans and instalments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shouxin.credit.limits.domain import days_late
from shouxin.decisions.domain import instalments_of
from shouxin.kernel import CustomerId, Money


@dataclass(frozen=True, slots=True)
class Instalment:
    """One part of a plan; ``paid_on`` is the business date on which the last cent of it was paid."""

    plan_id: str
    number: int
    due_on: date
    amount: Money
    paid: Money
    paid_on: date | None

    @property
    def unpaid(self) -> Money:
        """What is still owed on it."""
        return self.amount - self.paid

    def days_past_due(self, business_date: date) -> int:
        """How late it is: 0 when it is paid or not yet past its due date."""
        return 0 if self.paid_on else days_late(self.due_on, business_date)

    def state(self, business_date: date) -> str:
        """``paid``, ``overdue``, ``due`` (today) or ``scheduled``."""
        if self.paid_on:
            return "paid"
        if business_date > self.due_on:
            return "overdue"
        return "due" if business_date == self.due_on else "scheduled"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a customer repays for one order; ``terms`` is the name of the plan in the policy."""

    plan_id: str
    line_id: str
    customer_id: CustomerId
    hold_id: str
    order_ref: str
    terms: str
    amount: Money
    started_on: date
    opened_at: datetime
    instalments: tuple[Instalment, ...]

    @property
    def outstanding(self) -> Money:
        """What is still owed on it."""
        return sum((i.unpaid for i in self.instalments), Money.zero(self.amount.currency))

    @property
    def paid(self) -> Money:
        """What was repaid so far."""
        return self.amount - self.outstanding

    def days_past_due(self, business_date: date) -> int:
        """How late the plan is: by its oldest unpaid instalment."""
        return max((i.days_past_due(business_date) for i in self.instalments), default=0)


def schedule(amount: Money, *, due_days: Sequence[int], started_on: date) -> tuple[tuple[date, Money], ...]:
    """Due dates and amounts, as the checkout was quoted them; they add up to ``amount`` exactly."""
    assert amount.minor > 0, amount
    return tuple(
        (started_on + timedelta(days=days), share) for days, share in instalments_of(amount, due_days)
    )
