"""What is read from one event: fields, and the conditions that they are held to.

Every number is whole inside: thousandths of what is written for amounts and payload numbers, plain whole
numbers for hours, days, months and flags. Whole numbers add up alike in every order and in every engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

THOUSAND = 1000
# The largest payload number that a double holds exactly; a larger one is read as missing.
NUMBER_MAX = 2**53


class UnableToDefine(ValueError):
    """A definition contradicts itself or reads what no event carries; says what, where and how to mend it."""


class Origin(StrEnum):
    """Where the value of a field comes from."""

    ORDER = "order"
    KIND = "kind"
    TEXT = "text"
    AMOUNT = "amount"
    AMOUNT_BAND = "amount_band"
    MINOR = "minor"
    NUMBER = "number"
    FLAG = "flag"
    HOUR = "hour"
    WEEKDAY = "weekday"
    DAY = "day"
    MONTH = "month"


TEXTS = frozenset({Origin.ORDER, Origin.KIND, Origin.TEXT})
# What the payload holds, under the name of the field.
FROM_PAYLOAD = frozenset({Origin.TEXT, Origin.MINOR, Origin.NUMBER, Origin.FLAG})
# What is told by a clock on a wall; the name of the field is the zone.
BY_THE_CLOCK = frozenset({Origin.HOUR, Origin.WEEKDAY, Origin.DAY, Origin.MONTH})
_IN_THOUSANDTHS = frozenset({Origin.AMOUNT, Origin.MINOR, Origin.NUMBER})


@dataclass(frozen=True, slots=True)
class Field:
    """A value read from one event.

    ``name`` is the payload field, or the zone of what a clock tells (HOUR 0 to 23, WEEKDAY 1 Monday to 7
    Sunday, DAY the days since 1970-01-01, MONTH year x 12 + month). MINOR is a payload number in minor units
    of the event's own currency, told in major units as an amount is. ``edges`` are the amounts in major
    units, rising, that cut AMOUNT_BAND: band 0 lies below the first, band n from the n-th on.
    """

    origin: Origin
    name: str = ""
    edges: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Raise UnableToDefine unless it has just what its origin needs."""
        if bool(self.name) != (self.origin in FROM_PAYLOAD | BY_THE_CLOCK):
            word = "needs the name of its payload field or zone" if not self.name else "takes no name"
            raise UnableToDefine(f"field {self.origin}: {word}")
        if bool(self.edges) != (self.origin is Origin.AMOUNT_BAND):
            raise UnableToDefine(f"field {self.origin}: amount_band has edges, and nothing else has")
        if list(self.edges) != sorted({*self.edges}):
            raise UnableToDefine(f"field {self.origin}: its edges {self.edges} must rise")
        if self.origin in BY_THE_CLOCK:
            _check_zone(self)

    @property
    def is_text(self) -> bool:
        """Whether its values are texts; else they are whole numbers."""
        return self.origin in TEXTS

    @property
    def scale(self) -> int:
        """By what its whole numbers are divided to give what is written: 1000 or 1."""
        return THOUSAND if self.origin in _IN_THOUSANDTHS else 1

    @property
    def column(self) -> str:
        """Its column among the prepared facts."""
        told = self.name or "_".join(str(edge) for edge in self.edges)
        name = "".join(letter if letter.isalnum() else "_" for letter in told)
        return f"{self.origin}_of_{name}" if name else f"{self.origin}_value"

    def as_data(self) -> list[Any]:
        """Origin, name and edges as JSON data."""
        return [self.origin.value, self.name, *([list(self.edges)] if self.edges else [])]


ORDER = Field(Origin.ORDER)
AMOUNT = Field(Origin.AMOUNT)
KIND = Field(Origin.KIND)
# For how many days a fact may be used, as whoever told it says.
VALID_DAYS = Field(Origin.NUMBER, "valid_days")


class Comparison(StrEnum):
    """How a field is held against a value. A missing field satisfies ABSENT and nothing else."""

    EQUALS = "="
    ONE_OF = "one_of"
    NONE_OF = "none_of"
    AT_LEAST = ">="
    AT_MOST = "<="
    PRESENT = "present"
    ABSENT = "absent"


_WITHOUT_VALUE = frozenset({Comparison.PRESENT, Comparison.ABSENT})
_WITH_SEVERAL = frozenset({Comparison.ONE_OF, Comparison.NONE_OF})
_ORDERED = frozenset({Comparison.AT_LEAST, Comparison.AT_MOST})

Scalar = str | int | float


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one field of an event. ``value`` is as written in the event: major units, plain numbers."""

    field: Field
    comparison: Comparison
    value: Scalar | tuple[Scalar, ...] | None = None

    def __post_init__(self) -> None:
        """Raise UnableToDefine unless the value suits the field and the comparison."""
        self.bounds()

    def bounds(self) -> tuple[str | int, ...]:
        """The values as they are compared: texts, or whole numbers at the scale of the field."""
        if (self.value is None) != (self.comparison in _WITHOUT_VALUE):
            raise self._unable("takes no value" if self.value is not None else "needs a value")
        if isinstance(self.value, tuple) != (self.comparison in _WITH_SEVERAL):
            raise self._unable("one_of and none_of take a tuple of values, the others one value")
        if self.comparison in _ORDERED and self.field.is_text:
            raise self._unable("texts have no order; use =, one_of or none_of")
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        if not values:
            raise self._unable("names no value")
        return tuple(self._bound(value) for value in values if value is not None)

    def _bound(self, value: Scalar) -> str | int:
        if isinstance(value, str) != self.field.is_text:
            kind = "text" if self.field.is_text else "number"
            raise self._unable(f"{value!r} is not a {kind}, and the field is one")
        if isinstance(value, str):
            return value
        whole = Decimal(str(int(value) if isinstance(value, bool) else value)) * self.field.scale
        if whole != whole.to_integral_value():
            raise self._unable(f"{value!r} has more decimals than the field, which has thousandths at most")
        return int(whole)

    def _unable(self, why: str) -> UnableToDefine:
        return UnableToDefine(
            f"condition {self.field.origin} {self.field.name} {self.comparison} {self.value!r}: {why}"
        )

    def as_data(self) -> list[Any]:
        """Field, comparison and value as JSON data."""
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return [self.field.as_data(), self.comparison.value, value]


def _check_zone(field: Field) -> None:
    try:
        ZoneInfo(field.name)
    except (KeyError, ValueError, OSError) as error:
        raise UnableToDefine(
            f"field {field.origin}: {field.name!r} is no time zone; name one such as Asia/Shanghai"
        ) from error
