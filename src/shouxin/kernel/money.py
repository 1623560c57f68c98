"""Money: integer minor units and a currency. No float ever touches it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import total_ordering

# ISO 4217 exponents that differ from 2; the rest of the currencies that shops use have cents.
_EXPONENTS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "KWD": 3, "BHD": 3, "OMR": 3, "TND": 3, "JOD": 3}
_CODE_LENGTH = 3
# PostgreSQL's bigint; a larger amount could not be stored.
MINOR_MAX = 2**63 - 1


class UnableToParseMoney(ValueError):
    """The text is not an amount of this currency; the message says what is wrong with it."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency in integer minor units (cents, fen, pence; yen for JPY)."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        assert type(self.minor) is int, f"minor units are an int, not {type(self.minor).__name__}"
        assert len(self.currency) == _CODE_LENGTH and self.currency.isupper(), self.currency

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in this currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read a decimal string such as ``1299.00``; raises UnableToParseMoney, never rounds."""
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise UnableToParseMoney(f"{text!r} is not a decimal number") from None
        if not value.is_finite():
            raise UnableToParseMoney(f"{text!r} is not a finite amount")
        scaled = value.scaleb(exponent(currency))
        if scaled != scaled.to_integral_value():
            raise UnableToParseMoney(f"{text!r} has more than {exponent(currency)} decimals for {currency}")
        if abs(scaled) > MINOR_MAX:
            raise UnableToParseMoney(f"{text!r} is larger than any amount that can be stored")
        return cls(int(scaled), currency)

    @property
    def text(self) -> str:
        """The decimal string, with exactly as many decimals as the currency has: ``1299.00``."""
        digits = exponent(self.currency)
        sign = "-" if self.minor < 0 else ""
        whole, part = divmod(abs(self.minor), 10**digits)
        return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"

    def allocate(self, parts: int) -> tuple[Money, ...]:
        """Split into ``parts`` shares that differ by at most one minor unit and add up exactly.

        The larger shares come first: 100.00 in three is 33.34, 33.33, 33.33.
        """
        assert parts > 0, parts
        share, rest = divmod(self.minor, parts)
        return tuple(Money(share + (1 if i < rest else 0), self.currency) for i in range(parts))

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.currency} {self.text}"

    def _same(self, other: Money) -> int:
        assert self.currency == other.currency, f"{self.currency} and {other.currency} do not mix"
        return other.minor


def exponent(currency: str) -> int:
    """How many decimals the currency has (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)
