"""A definition computed over a list of events: what answers online, and the oracle of the SQL.

Law: a reader at ``as_of`` sees an event only if it had happened *and* had been learnt by then. A feature
whose purpose the customer has taken back by then is missing, whatever it would have been.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from shouxin.features.domain.aggregates import (
    STREAKS,
    ZERO_OF_NOTHING,
    Aggregate,
    Aggregation,
    Difference,
    Formula,
    Ratio,
)
from shouxin.features.domain.arithmetic import (
    WHOLE_WEIGHT,
    commonest,
    decayed_weight,
    entropy,
    last_run,
    longest_run,
    nearest_rank,
    quotient,
    slope,
    spread,
    whole_quotient,
)
from shouxin.features.domain.definition import FeatureDefinition, Missing, parts_of
from shouxin.features.domain.fields import THOUSAND, VALID_DAYS
from shouxin.features.domain.reading import read, satisfies
from shouxin.ingestion.consent.domain import WITHDRAWN, WORD_KINDS, withdrawn_purposes
from shouxin.kernel import Event

# An event of the window: when it happened, and what its aggregate reads of it.
Row = tuple[datetime, Any]

_DAY = timedelta(days=1)
_DAY_MICROS = _DAY // timedelta(microseconds=1)
_MICROSECOND = timedelta(microseconds=1)


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
    values = {definition.name: settled(definition, numbers) for definition in definitions}
    if WITHDRAWN not in by_kind:
        return values
    words = [event for kind in WORD_KINDS for event in by_kind.get(kind, ())]
    withdrawn = withdrawn_purposes(words, as_of=as_of)
    missing = {definition.name for definition in definitions if definition.purposes & withdrawn}
    return {name: None if name in missing else value for name, value in values.items()}


def aggregate(part: Aggregate, by_kind: Mapping[str, Sequence[Event]], *, as_of: datetime) -> float | None:
    """One aggregate over events that are known at ``as_of``, given by kind."""
    end = as_of - timedelta(days=part.ends_days_ago)
    start = None if part.window_days is None else end - timedelta(days=part.window_days)
    rows = [
        (event.occurred_at, value)
        for kind in part.kinds
        for event in by_kind.get(kind, ())
        if event.occurred_at <= end and (start is None or event.occurred_at > start)
        if satisfies(event, part.where) and (value := value_of(part, event)) is not None
    ]
    return number_of(part, rows, as_of=as_of)


def number_of(part: Aggregate, rows: Sequence[Row], *, as_of: datetime) -> float | None:
    """One aggregate from the rows of its window, in any order."""
    if not rows:
        return 0.0 if part.aggregation in ZERO_OF_NOTHING else None
    return _AGGREGATIONS[part.aggregation](part, rows, as_of)


def value_of(part: Aggregate, event: Event) -> Any:
    """What an aggregate reads of an event of its window; None where the event does not count for it."""
    if part.aggregation in STREAKS:
        return satisfies(event, part.holds)
    if part.aggregation is Aggregation.LATEST_VALID:
        assert part.field is not None
        return read(part.field, event), read(VALID_DAYS, event)
    # Where only the event itself counts, it counts as one.
    return 1 if part.field is None else read(part.field, event)


def settled(definition: FeatureDefinition, numbers: Mapping[Aggregate, float | None]) -> float | None:
    """The feature from the aggregates that its formula is of."""
    value = combined(definition.formula, numbers)
    return 0.0 if value is None and definition.missing is Missing.IS_ZERO else value


def combined(formula: Formula, numbers: Mapping[Aggregate, float | None]) -> float | None:
    """A formula from its aggregates."""
    match formula:
        case Aggregate():
            return numbers[formula]
        case Ratio(above, below):
            return quotient(combined(above, numbers), combined(below, numbers))
        case Difference(first, second):
            left, right = combined(first, numbers), combined(second, numbers)
            return None if left is None or right is None else left - right


def _scale(part: Aggregate) -> int:
    return 1 if part.field is None else part.field.scale


def _values(rows: Sequence[Row]) -> list[Any]:
    return [value for _, value in rows]


def _count(_part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    return float(len(rows))


def _distinct(_part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    return float(len(set(_values(rows))))


def _commonest(_part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    return float(commonest(_values(rows)))


def _sum(part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    return float(sum(_values(rows))) / _scale(part)


def _mean(part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    return float(sum(_values(rows))) / (len(rows) * _scale(part))


def _min(part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    return float(min(_values(rows))) / _scale(part)


def _max(part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    return float(max(_values(rows))) / _scale(part)


def _percentile(part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    assert part.percent is not None
    return float(nearest_rank(_values(rows), percent=part.percent)) / _scale(part)


def _earliest(part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    first = min(at for at, _ in rows)
    return float(max(value for at, value in rows if at == first)) / _scale(part)


def _latest(part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    return float(max(rows)[1]) / _scale(part)


def _latest_valid(part: Aggregate, rows: Sequence[Row], as_of: datetime) -> float | None:
    # Of two at the same instant the larger value counts, as for money. Nothing that is told is below zero.
    assert part.window_days is not None
    usual = part.window_days * THOUSAND
    told = (
        (at, -1 if value is None else value, usual if days is None else days) for at, (value, days) in rows
    )
    at, value, days = max(told)
    if value < 0 or at + days * (_DAY_MICROS // THOUSAND) * _MICROSECOND <= as_of:
        return None
    return float(value) / _scale(part)


def _days_since_latest(_part: Aggregate, rows: Sequence[Row], as_of: datetime) -> float:
    return float((as_of - max(at for at, _ in rows)) // _DAY)


def _days_since_earliest(_part: Aggregate, rows: Sequence[Row], as_of: datetime) -> float:
    return float((as_of - min(at for at, _ in rows)) // _DAY)


def _mean_interval(_part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float | None:
    days = set(_values(rows))
    return None if len(days) < 2 else float(max(days) - min(days)) / (len(days) - 1)


def _interval_spread(_part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float | None:
    days = sorted(set(_values(rows)))
    return None if len(days) < 3 else spread([later - earlier for earlier, later in pairwise(days)])


def _trend(part: Aggregate, rows: Sequence[Row], as_of: datetime) -> float:
    assert part.window_days is not None and part.periods is not None
    end = as_of - timedelta(days=part.ends_days_ago)
    length, last = timedelta(days=part.window_days // part.periods), part.periods - 1
    moments = sum((last - 2 * ((end - at) // length)) * value for at, value in rows)
    return slope(moments, periods=part.periods, scale=_scale(part))


def _longest_streak(_part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    return float(longest_run(_values(sorted(rows))))


def _current_streak(_part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    return float(last_run(_values(sorted(rows))))


def _entropy(_part: Aggregate, rows: Sequence[Row], _as_of: datetime) -> float:
    return entropy(Counter(_values(rows)).values())


def _decayed(part: Aggregate, rows: Sequence[Row], as_of: datetime) -> int:
    assert part.half_life_days is not None
    end = as_of - timedelta(days=part.ends_days_ago)
    half_life_days = part.half_life_days
    return sum(
        value * decayed_weight((end - at) // _DAY, half_life_days=half_life_days) for at, value in rows
    )


def _decayed_count(part: Aggregate, rows: Sequence[Row], as_of: datetime) -> float:
    return float(_decayed(part, rows, as_of)) / WHOLE_WEIGHT


def _decayed_sum(part: Aggregate, rows: Sequence[Row], as_of: datetime) -> float:
    # Back to thousandths before the one division: so large a sum would not be a whole number in a double.
    return float(whole_quotient(_decayed(part, rows, as_of), WHOLE_WEIGHT)) / _scale(part)


_AGGREGATIONS: dict[Aggregation, Callable[[Aggregate, Sequence[Row], datetime], float | None]] = {
    Aggregation.COUNT: _count,
    Aggregation.COUNT_DISTINCT: _distinct,
    Aggregation.COUNT_COMMONEST: _commonest,
    Aggregation.SUM: _sum,
    Aggregation.MEAN: _mean,
    Aggregation.MIN: _min,
    Aggregation.MAX: _max,
    Aggregation.PERCENTILE: _percentile,
    Aggregation.EARLIEST: _earliest,
    Aggregation.LATEST: _latest,
    Aggregation.LATEST_VALID: _latest_valid,
    Aggregation.DAYS_SINCE_LATEST: _days_since_latest,
    Aggregation.DAYS_SINCE_EARLIEST: _days_since_earliest,
    Aggregation.MEAN_INTERVAL: _mean_interval,
    Aggregation.INTERVAL_SPREAD: _interval_spread,
    Aggregation.TREND: _trend,
    Aggregation.LONGEST_STREAK: _longest_streak,
    Aggregation.CURRENT_STREAK: _current_streak,
    Aggregation.ENTROPY: _entropy,
    Aggregation.DECAYED_COUNT: _decayed_count,
    Aggregation.DECAYED_SUM: _decayed_sum,
}
