"""Lines and exposures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from shouxin.kernel import Bilingual, CustomerId, Money, derived_id


@dataclass(frozen=True, slots=True)
class Line:
    """A customer's credit line as it stands; ``oldest_due_on``: since when something is not paid."""

    line_id: str
    customer_id: CustomerId
    limit: Money
    held: Money
    outstanding: Money
    frozen: bool
    days_past_due: int
    opened_at: datetime
    oldest_due_on: date | None = None

    @property
    def available(self) -> Money:
        """What can still be authorised: limit less held less outstanding, never below zero."""
        return max(self.limit - self.held - self.outstanding, Money.zero(self.limit.currency))

    @property
    def used(self) -> Money:
        """What counts against the limit (exposure basis *authorised*): held and outstanding."""
        return self.held + self.outstanding

    @property
    def utilisation(self) -> float:
        """Used over limit, 0 to 1; above 1 when the limit was lowered since; 0 without a limit."""
        return self.used.minor / self.limit.minor if self.limit else 0.0

    def late_on(self, business_date: date) -> int:
        """How many days late the line is on a business date; partial payment keeps it late."""
        return days_late(self.oldest_due_on, business_date) if self.oldest_due_on else 0


def days_late(due_on: date, business_date: date) -> int:
    """Days from the due date to the business date, never below 0; the due date itself is not late."""
    return max(0, (business_date - due_on).days)


def as_one(lines: Sequence[Line], customer_id: CustomerId) -> Line | None:
    """What a customer may use, when two who each had a line turned out to be one person.

    Their own line (else the oldest) with everything that any of the lines says against them: what is
    held and owed counts together, a freeze of one freezes all, the latest is how late they are.
    """
    if not lines:
        return None
    own = min(lines, key=lambda line: (line.customer_id != customer_id, line.opened_at, line.line_id))
    alike = [line for line in lines if line.limit.currency == own.limit.currency]
    nothing = Money.zero(own.limit.currency)
    due = [line.oldest_due_on for line in lines if line.oldest_due_on is not None]
    return replace(
        own,
        held=sum((line.held for line in alike), nothing),
        outstanding=sum((line.outstanding for line in alike), nothing),
        frozen=any(line.frozen for line in lines),
        days_past_due=max(line.days_past_due for line in lines),
        oldest_due_on=min(due, default=None),
    )


@dataclass(frozen=True, slots=True)
class LineOpening:
    """A line to open."""

    customer_id: CustomerId
    limit: Money
    reason: str

    @property
    def line_id(self) -> str:
        """One customer, one line: the id follows from the customer."""
        return derived_id("line", self.customer_id)


@dataclass(frozen=True, slots=True)
class LineRefusal:
    """No line, no freeze or no thaw, and why; ``reasons`` are those of the score where it decided."""

    code: str
    text: Bilingual
    reasons: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """What one line means for us today."""

    customer_id: CustomerId
    line_id: str
    limit: Money
    held: Money
    outstanding: Money
    days_past_due: int
