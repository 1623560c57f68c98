"""What the fields and the conditions of a definition say of one event."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from math import floor
from zoneinfo import ZoneInfo

from shouxin.features.domain.fields import (
    NUMBER_MAX,
    THOUSAND,
    Comparison,
    Condition,
    Field,
    Origin,
)
from shouxin.kernel import Event
from shouxin.kernel.money import exponent

Value = str | int | None

# Amounts are added in thousandths of the major unit: whole numbers for every currency of ISO 4217.
THOUSANDTHS_DIGITS = 3
_FIRST_DAY = date(1970, 1, 1).toordinal()


def satisfies(event: Event, conditions: Sequence[Condition]) -> bool:
    """Whether an event meets every condition; a field that is missing meets ABSENT only."""
    return all(test_of(one)(read(one.field, event)) for one in conditions)


def read(field: Field, event: Event) -> Value:
    """The value of a field of an event, at the scale of the field; None where the event does not have it."""
    return _READERS[field.origin](event, field)


def thousandths(number: float) -> int | None:
    """A payload number in whole thousandths, halves upwards; None where it is too large to be exact."""
    # In doubles step by step, because that is what the SQL does, too.
    return None if abs(number) > NUMBER_MAX else floor(float(number) * THOUSAND + 0.5)


@cache
def test_of(condition: Condition) -> Callable[[Value], bool]:
    """The condition as a test of a value of its field."""
    if condition.comparison is Comparison.ABSENT:
        return lambda value: value is None
    bounds, compare = condition.bounds(), _COMPARISONS[condition.comparison]
    return lambda value: value is not None and compare(value, bounds)


def _order(event: Event, _field: Field) -> Value:
    return event.order_ref


def _kind(event: Event, _field: Field) -> Value:
    return event.kind


def _amount(event: Event, _field: Field) -> Value:
    if event.amount is None:
        return None
    scale: int = 10 ** (THOUSANDTHS_DIGITS - exponent(event.amount.currency))
    return event.amount.minor * scale


def _amount_band(event: Event, field: Field) -> Value:
    amount = _amount(event, field)
    return None if amount is None else bisect_right(field.edges, amount, key=lambda edge: edge * THOUSAND)


def _minor(event: Event, field: Field) -> Value:
    number = _payload_number(event, field)
    if number is None or event.amount is None or abs(number) > NUMBER_MAX:
        return None
    scale: int = 10 ** (THOUSANDTHS_DIGITS - exponent(event.amount.currency))
    return floor(number) * scale


def _number(event: Event, field: Field) -> Value:
    number = _payload_number(event, field)
    return None if number is None else thousandths(number)


def _payload_number(event: Event, field: Field) -> float | None:
    value = event.payload.get(field.name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _flag(event: Event, field: Field) -> Value:
    value = event.payload.get(field.name)
    return int(value) if isinstance(value, bool) else None


def _text(event: Event, field: Field) -> Value:
    value = event.payload.get(field.name)
    return value if isinstance(value, str) else None


def _hour(event: Event, field: Field) -> Value:
    return _local(event, field).hour


def _weekday(event: Event, field: Field) -> Value:
    return _local(event, field).isoweekday()


def _day(event: Event, field: Field) -> Value:
    return _local(event, field).toordinal() - _FIRST_DAY


def _month(event: Event, field: Field) -> Value:
    local = _local(event, field)
    return local.year * 12 + local.month


def _local(event: Event, field: Field) -> datetime:
    return event.occurred_at.astimezone(_zone(field.name))


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


_READERS: dict[Origin, Callable[[Event, Field], Value]] = {
    Origin.ORDER: _order,
    Origin.KIND: _kind,
    Origin.TEXT: _text,
    Origin.AMOUNT: _amount,
    Origin.AMOUNT_BAND: _amount_band,
    Origin.MINOR: _minor,
    Origin.NUMBER: _number,
    Origin.FLAG: _flag,
    Origin.HOUR: _hour,
    Origin.WEEKDAY: _weekday,
    Origin.DAY: _day,
    Origin.MONTH: _month,
}

_COMPARISONS: dict[Comparison, Callable[..., bool]] = {
    Comparison.EQUALS: lambda value, bounds: value == bounds[0],
    Comparison.ONE_OF: lambda value, bounds: value in bounds,
    Comparison.NONE_OF: lambda value, bounds: value not in bounds,
    Comparison.AT_LEAST: lambda value, bounds: value >= bounds[0],
    Comparison.AT_MOST: lambda value, bounds: value <= bounds[0],
    Comparison.PRESENT: lambda _value, _bounds: True,
}
