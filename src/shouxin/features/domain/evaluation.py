"""A definition computed over a list of events: what answers online, and the oracle of the SQL.

Law: a reader at ``as_of`` sees an event only if it had happened *and* had been learnt by then. A feature
whose purpose the customer has taken back by then is missing, whatever it would have been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from shouxin.features.domain.definition import (
    VALID_DAYS,
    Aggregate,
    Aggregation,
    Comparison,
    Condition,
    FeatureDefinition,
    Field,
    Form,
    Missing,
    Origin,
    parts_of,
)
from shouxin.ingestion.consent.domain import WITHDRAWN, WORD_KINDS, withdrawn_purposes
from shouxin.kernel import Event
from shouxin.kernel.money import exponent

Value = str | float | None
Row = tuple[datetime, Value]

# Amounts are added in thousandths of the major unit: whole numbers for every currency of ISO 4217.
THOUSANDTHS_DIGITS = 3
_THOUSAND = 1000.0
_DAY = timedelta(days=1)


def evaluate(
    definitions: Sequence[FeatureDefinition], events: Iterable[Event], *, as_of: datetime
) -> dict[str, float | None]:
    """The features of the customer whose events these are, as known at ``as_of``.

    Events may come in any order and may include ones not yet known; those are not seen.
    """
    by_kind: dict[str, list[Event]] = {}
    for event in events:
        if event.known_at(as_of):
            by_kind.setdefault(event.kind, []).append(event)
    numbers = {part: aggregate(part, by_kind, as_of=as_of) for part in parts_of(definitions)}
    values = {
        definition.name: _settled(definition, [numbers[part] for part in definition.parts])
        for definition in definitions
    }
    if WITHDRAWN not in by_kind:
        return values
    words = [event for kind in WORD_KINDS for event in by_kind.get(kind, ())]
    withdrawn = withdrawn_purposes(words, as_of=as_of)
    missing = {definition.name for definition in definitions if definition.purposes & withdrawn}
    return {name: None if name in missing else value for name, value in values.items()}


def aggregate(part: Aggregate, by_kind: dict[str, list[Event]], *, as_of: datetime) -> float | None:
    """One aggregate over events that are known at ``as_of``, given by kind."""
    start = None if part.window_days is None else as_of - timedelta(days=part.window_days)
    counted = [
        event
        for kind in part.kinds
        for event in by_kind.get(kind, ())
        if (start is None or event.occurred_at > start) and satisfies(event, part.where)
    ]
    if part.aggregation is Aggregation.LATEST_VALID:
        return _latest_valid(part, counted, as_of)
    rows: list[Row] = [
        (event.occurred_at, read(part.field, event) if part.field else None) for event in counted
    ]
    return _AGGREGATIONS[part.aggregation](rows, as_of)


def satisfies(event: Event, conditions: Sequence[Condition]) -> bool:
    """Whether an event meets every condition; a field that is missing meets none."""
    for condition in conditions:
        value = read(condition.field, event)
        if value is None or not _COMPARISONS[condition.comparison](value, condition.value):
            return False
    return True


def read(field: Field, event: Event) -> Value:
    """The value of a field of an event, or None where the event does not have it."""
    return _READERS[field.origin](event, field.name)


def _order(event: Event, _name: str) -> Value:
    return event.order_ref


def _amount(event: Event, _name: str) -> Value:
    if event.amount is None:
        return None
    scale: int = 10 ** (THOUSANDTHS_DIGITS - exponent(event.amount.currency))
    return event.amount.minor * scale


def _number(event: Event, name: str) -> Value:
    value = event.payload.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(event: Event, name: str) -> Value:
    value = event.payload.get(name)
    return value if isinstance(value, str) else None


def _hour(event: Event, name: str) -> Value:
    return event.occurred_at.astimezone(_zone(name)).hour


def _month(event: Event, name: str) -> Value:
    local = event.occurred_at.astimezone(_zone(name))
    return local.year * 12 + local.month


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


_READERS: dict[Origin, Callable[[Event, str], Value]] = {
    Origin.ORDER: _order,
    Origin.AMOUNT: _amount,
    Origin.NUMBER: _number,
    Origin.TEXT: _text,
    Origin.HOUR: _hour,
    Origin.MONTH: _month,
}

_COMPARISONS: dict[Comparison, Callable[..., bool]] = {
    Comparison.EQUALS: lambda left, right: left == right,
    Comparison.AT_LEAST: lambda left, right: left >= right,
    Comparison.AT_MOST: lambda left, right: left <= right,
}


def _distinct(rows: list[Row], _as_of: datetime) -> float:
    return float(len({value for _, value in rows if value is not None}))


def _sum(rows: list[Row], _as_of: datetime) -> float:
    return sum(int(value) for _, value in rows if value is not None) / _THOUSAND


def _max(rows: list[Row], _as_of: datetime) -> float | None:
    return max((float(value) for _, value in rows if value is not None), default=None)


def _latest(rows: list[Row], _as_of: datetime) -> float | None:
    # Of two at the same instant the larger amount counts, so that the order of reading never matters.
    newest = max(((at, int(value)) for at, value in rows if value is not None), default=None)
    return None if newest is None else newest[1] / _THOUSAND


def _latest_valid(part: Aggregate, events: list[Event], as_of: datetime) -> float | None:
    # Of two at the same instant the larger value counts, as for money. Nothing that is told is below zero.
    assert part.field is not None and part.window_days is not None
    newest = max(
        (
            (
                event.occurred_at,
                float(_or(read(part.field, event), -1.0)),
                float(_or(read(VALID_DAYS, event), part.window_days)),
            )
            for event in events
        ),
        default=None,
    )
    if newest is None or newest[1] < 0 or newest[0] + newest[2] * _DAY <= as_of:
        return None
    return newest[1]


def _or(value: Value, fallback: float) -> Any:
    return fallback if value is None else value


def _days_since_latest(rows: list[Row], as_of: datetime) -> float | None:
    return float((as_of - max(at for at, _ in rows)) // _DAY) if rows else None


def _days_since_earliest(rows: list[Row], as_of: datetime) -> float | None:
    return float((as_of - min(at for at, _ in rows)) // _DAY) if rows else None


_AGGREGATIONS: dict[Aggregation, Callable[[list[Row], datetime], float | None]] = {
    Aggregation.COUNT: lambda rows, _as_of: float(len(rows)),
    Aggregation.COUNT_DISTINCT: _distinct,
    Aggregation.SUM: _sum,
    Aggregation.MAX: _max,
    Aggregation.LATEST: _latest,
    Aggregation.DAYS_SINCE_LATEST: _days_since_latest,
    Aggregation.DAYS_SINCE_EARLIEST: _days_since_earliest,
}


def _share(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def _jump(numbers: Sequence[float | None]) -> float | None:
    recent, usual = _share(numbers[0], numbers[1]), _share(numbers[2], numbers[3])
    return None if recent is None or usual is None else recent - usual


_FORMS: dict[Form, Callable[[Sequence[float | None]], float | None]] = {
    Form.VALUE: lambda numbers: numbers[0],
    Form.SHARE: lambda numbers: _share(numbers[0], numbers[1]),
    Form.JUMP: _jump,
}


def _settled(definition: FeatureDefinition, numbers: Sequence[float | None]) -> float | None:
    value = _FORMS[definition.form](numbers)
    return 0.0 if value is None and definition.missing is Missing.IS_ZERO else value
