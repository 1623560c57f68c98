"""What can be bought: providers, their products, what each costs and how it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from shouxin.ingestion.external.domain.breaker import BreakerRules
from shouxin.kernel import Money

# The purpose of the consent ledger that every product needs.
PURPOSE = "external_data"
# The month of a budget is that of the providers' invoices.
INVOICE_ZONE = ZoneInfo("Asia/Shanghai")
RETRIES_MAX = 5


class Identifier(StrEnum):
    """By what a provider knows people."""

    NATIONAL_ID = "national_id"
    PHONE = "phone"


class Spelling(StrEnum):
    """How the identifier is told: as it is, or as the SHA-256 of its normal form in hexadecimal."""

    CLEAR = "clear"
    SHA256 = "sha256"


class Charging(StrEnum):
    """When the price is owed: for every answer, or only for one about a known person."""

    ANSWERED = "answered"
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class Product:
    """One thing that a provider sells. ``scale`` is the lowest and the highest score there is.

    ``freshness`` is how long an answer serves where the provider does not say so itself; ``timeout`` is of
    one attempt; ``nightly`` products are bought again at night when they are no longer fresh.
    """

    provider: str
    code: str
    price: Money
    charging: Charging
    freshness: timedelta
    timeout: timedelta
    retries: int
    identifier: Identifier
    spelling: Spelling
    scale: tuple[int, int] | None = None
    nightly: bool = False

    def __post_init__(self) -> None:
        assert self.price.minor >= 0 and self.freshness > timedelta(0) and self.timeout > timedelta(0)
        assert 0 <= self.retries <= RETRIES_MAX, self.retries

    @property
    def name(self) -> str:
        """``provider/code``, as commands and pages say it."""
        return f"{self.provider}/{self.code}"


@dataclass(frozen=True, slots=True)
class Provider:
    """Who sells, what, and the most that is spent there in a calendar month."""

    name: str
    monthly_budget: Money
    rules: BreakerRules
    products: tuple[Product, ...]

    def __post_init__(self) -> None:
        assert all(product.provider == self.name for product in self.products)
        assert all(product.price.currency == self.monthly_budget.currency for product in self.products)


def month_start(now: datetime) -> datetime:
    """The first instant of the month of an invoice that ``now`` lies in."""
    local = now.astimezone(INVOICE_ZONE)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def budget_allows(product: Product, *, budget: Money, spent: Money) -> bool:
    """Whether one more answer fits what is left of the month's budget."""
    return spent + product.price <= budget
