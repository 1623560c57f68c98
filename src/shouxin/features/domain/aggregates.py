"""How the events of a window become one number, and how such numbers combine.

Each aggregation is defined in whole numbers with one division at its end, so that it comes out equal to
the last bit wherever it is computed. What is said here is all that the evaluation and the SQL know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shouxin.features.domain.fields import AMOUNT, VALID_DAYS, Condition, Field, Origin, UnableToDefine
from shouxin.features.domain.payloads import check_field, check_kinds


class Aggregation(StrEnum):
    """How the events of a window become one number; counts and sums of nothing are 0, the others null.

    - COUNT: the events. COUNT_DISTINCT: the different values of the field. COUNT_COMMONEST: the events that
      carry its commonest value.
    - SUM, MEAN, MIN, MAX of a number. PERCENTILE: the ``percent`` x n / 100-th smallest value, rounded up.
    - EARLIEST, LATEST: the number of the first, the last event that carries it; of two at one instant the
      larger. LATEST_VALID: what the newest event says, while the days that it gives itself (VALID_DAYS) are
      not over; where that one is silent, null.
    - DAYS_SINCE_EARLIEST, DAYS_SINCE_LATEST: whole days from that event to as_of.
    - MEAN_INTERVAL, INTERVAL_SPREAD: mean and (population) standard deviation of the days between one
      DAY with such an event and the next; null before the second, the third such day.
    - TREND: least-squares slope, a period, of the sums of the field (without one: of the counts) over
      ``periods`` equal parts of the window.
    - LONGEST_STREAK: the most events in a row that meet ``holds``; CURRENT_STREAK: those after the last one
      that does not. At one instant those that do not come first.
    - ENTROPY: of the values of the field, in bits; 0 when all are one.
    - DECAYED_COUNT, DECAYED_SUM: each event weighs 1 when new, half after ``half_life_days`` whole days, a
      quarter after twice as many, and between these on a straight line.
    """

    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    COUNT_COMMONEST = "count_commonest"
    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    PERCENTILE = "percentile"
    EARLIEST = "earliest"
    LATEST = "latest"
    LATEST_VALID = "latest_valid"
    DAYS_SINCE_LATEST = "days_since_latest"
    DAYS_SINCE_EARLIEST = "days_since_earliest"
    MEAN_INTERVAL = "mean_interval"
    INTERVAL_SPREAD = "interval_spread"
    TREND = "trend"
    LONGEST_STREAK = "longest_streak"
    CURRENT_STREAK = "current_streak"
    ENTROPY = "entropy"
    DECAYED_COUNT = "decayed_count"
    DECAYED_SUM = "decayed_sum"


_A = Aggregation
STREAKS = frozenset({_A.LONGEST_STREAK, _A.CURRENT_STREAK})
INTERVALS = frozenset({_A.MEAN_INTERVAL, _A.INTERVAL_SPREAD})
DECAYED = frozenset({_A.DECAYED_COUNT, _A.DECAYED_SUM})
ZERO_OF_NOTHING = frozenset({_A.COUNT, _A.COUNT_DISTINCT, _A.COUNT_COMMONEST, _A.SUM, *DECAYED})
_WITHOUT_FIELD = frozenset(
    {_A.COUNT, _A.DAYS_SINCE_LATEST, _A.DAYS_SINCE_EARLIEST, _A.DECAYED_COUNT, *STREAKS}
)
_OF_ANY_FIELD = frozenset({_A.COUNT_DISTINCT, _A.COUNT_COMMONEST, _A.ENTROPY})
_PERIODS_MIN = 2
_PERCENT_MAX = 100


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One number over the events of some kinds in ``(end - window_days, end]``; end is as_of.

    ``window_days`` None means the whole history. ``ends_days_ago`` moves the end of the window so many days
    before as_of, to compare with an earlier time. What is read is what is known at as_of. Money is in
    major units. Raises UnableToDefine.
    """

    aggregation: Aggregation
    kinds: tuple[str, ...]
    window_days: int | None = None
    field: Field | None = None
    where: tuple[Condition, ...] = ()
    ends_days_ago: int = 0
    holds: tuple[Condition, ...] = ()
    periods: int | None = None
    percent: int | None = None
    half_life_days: int | None = None

    def __post_init__(self) -> None:
        """Raise UnableToDefine with the aggregate, what is wrong and how to mend it."""
        try:
            check_kinds(self.kinds)
            for check in (_check_window, _check_value, _check_settings):
                check(self)
            for field in self.fields():
                if field != VALID_DAYS:
                    check_field(field, self.kinds)
        except UnableToDefine as error:
            raise UnableToDefine(
                f"{self.aggregation} of {', '.join(self.kinds) or 'nothing'}: {error}"
            ) from error

    @property
    def looks_back_days(self) -> int | None:
        """How many days before as_of its window begins; None is the whole history."""
        return None if self.window_days is None else self.window_days + self.ends_days_ago

    def fields(self) -> tuple[Field, ...]:
        """Every field that it reads."""
        own = () if self.field is None else (self.field,)
        if self.aggregation is Aggregation.LATEST_VALID:
            own = (*own, VALID_DAYS)
        return (*own, *(condition.field for condition in (*self.where, *self.holds)))

    def as_data(self) -> dict[str, Any]:
        """The aggregate as JSON data; what is not set is not told."""
        data: dict[str, Any] = {
            "aggregation": self.aggregation.value,
            "kinds": list(self.kinds),
            "window_days": self.window_days,
            "field": self.field.as_data() if self.field else None,
            "where": [condition.as_data() for condition in self.where],
        }
        more = {
            "ends_days_ago": self.ends_days_ago or None,
            "holds": [condition.as_data() for condition in self.holds] or None,
            "periods": self.periods,
            "percent": self.percent,
            "half_life_days": self.half_life_days,
        }
        return data | {name: value for name, value in more.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Ratio:
    """``above / below``; null where either is null or ``below`` is zero."""

    above: Formula
    below: Formula


@dataclass(frozen=True, slots=True)
class Difference:
    """``left - right``; null where either is null."""

    left: Formula
    right: Formula


# What a feature is computed by: one aggregate, or ratios and differences of them.
Formula = Aggregate | Ratio | Difference


def aggregates_in(formula: Formula) -> Iterator[Aggregate]:
    """The aggregates of a formula, from left to right."""
    match formula:
        case Aggregate():
            yield formula
        case Ratio(first, second) | Difference(first, second):
            yield from aggregates_in(first)
            yield from aggregates_in(second)


def formula_data(formula: Formula) -> dict[str, Any]:
    """A formula as JSON data."""
    match formula:
        case Aggregate():
            return formula.as_data()
        case Ratio(above, below):
            return {"ratio": [formula_data(above), formula_data(below)]}
        case Difference(left, right):
            return {"difference": [formula_data(left), formula_data(right)]}


def kinds_of(parts: Sequence[Aggregate]) -> tuple[str, ...]:
    """The kinds of event that some aggregates read, sorted."""
    return tuple(sorted({kind for part in parts for kind in part.kinds}))


def _check_window(part: Aggregate) -> None:
    if not part.kinds:
        raise UnableToDefine("it reads no kind of event; name one")
    if part.window_days is not None and part.window_days <= 0:
        raise UnableToDefine(f"window_days is {part.window_days}; give days above 0, or None for all history")
    if part.ends_days_ago < 0:
        raise UnableToDefine(
            f"ends_days_ago is {part.ends_days_ago}: that would be the future; give 0 or more"
        )
    # Whatever a fact says of itself, somebody must say how old it may be at most.
    if part.aggregation is Aggregation.LATEST_VALID and (part.window_days is None or part.ends_days_ago):
        raise UnableToDefine("it needs window_days, how old a fact may be at most, and a window up to as_of")


def _check_value(part: Aggregate) -> None:
    field = part.field
    wanted = part.aggregation not in _WITHOUT_FIELD
    if field is None and wanted and part.aggregation is not Aggregation.TREND:
        raise UnableToDefine("it needs a field; give one, such as AMOUNT or ORDER")
    if field is not None and not wanted:
        raise UnableToDefine(
            "it is of events and takes no field; leave it out, or put a condition into where"
        )
    if part.aggregation in INTERVALS and (field is None or field.origin is not Origin.DAY):
        raise UnableToDefine("its field is the DAY of a zone, so that two events of one day have no interval")
    if field is not None and field.is_text and part.aggregation not in _OF_ANY_FIELD:
        raise UnableToDefine(f"{field.origin} {field.name} is a text; give a number, such as {AMOUNT.origin}")


def _check_settings(part: Aggregate) -> None:
    is_trend = part.aggregation is Aggregation.TREND
    for name, is_for in (
        ("periods", is_trend),
        ("percent", part.aggregation is Aggregation.PERCENTILE),
        ("half_life_days", part.aggregation in DECAYED),
        ("holds", part.aggregation in STREAKS),
    ):
        given = getattr(part, name) not in (None, ())
        if given != is_for:
            raise UnableToDefine(f"it {'needs' if is_for else 'takes no'} {name}")
    if part.percent is not None and not 0 < part.percent <= _PERCENT_MAX:
        raise UnableToDefine(f"percent is {part.percent}; give 1 to {_PERCENT_MAX}")
    if part.half_life_days is not None and part.half_life_days <= 0:
        raise UnableToDefine(f"half_life_days is {part.half_life_days}; give days above 0")
    parts = part.window_days is None or part.periods is None or part.window_days % part.periods
    if part.periods is not None and (part.periods < _PERIODS_MIN or parts):
        raise UnableToDefine(
            f"{part.periods} periods do not part a window of {part.window_days} days; "
            f"give {_PERIODS_MIN} or more that divide it"
        )
