"""Lines and exposures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shouxin.kernel import Bilingual, CustomerId, Money, derived_id


@dataclass(frozen=True, slots=True)
class Line:
    """A customer's credit line as it stands."""

    line_id: str
    customer_id: CustomerId
    limit: Money
    held: Money
    outstanding: Money
    frozen: bool
    days_past_due: int
    opened_at: datetime

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
