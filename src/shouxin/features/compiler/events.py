"""Aggregates straight from the facts: one filtered aggregate each, all in one GROUP BY."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from shouxin.features.compiler.dialects import Dialect
from shouxin.features.compiler.facts import of_kinds
from shouxin.features.compiler.terms import (
    DAY_MICROS,
    Term,
    above,
    absent,
    at_least,
    at_most,
    both,
    chosen,
    column,
    count_all,
    double,
    equals,
    minus,
    one_of,
    or_else,
    plus,
    present,
    real,
    text,
    times,
    where,
    whole,
)
from shouxin.features.domain import Aggregate, Aggregation, Comparison, Condition, Field, Origin
from shouxin.features.domain.arithmetic import HALVINGS_MAX, WHOLE_WEIGHT
from shouxin.features.domain.fields import THOUSAND, VALID_DAYS


def aggregate_term(dialect: Dialect, part: Aggregate) -> Term:
    """One aggregate over known facts of any kind; a double."""
    return _AGGREGATIONS[part.aggregation](dialect, part, both(of_kinds(part.kinds), counted(dialect, part)))


def aggregate_of_its_kinds_term(dialect: Dialect, part: Aggregate) -> Term:
    """One aggregate over known facts that are all of its kinds; a double."""
    return _AGGREGATIONS[part.aggregation](dialect, part, counted(dialect, part))


def counted(dialect: Dialect, part: Aggregate) -> Term:
    """Whether a known fact of its kinds counts for an aggregate: its window, its conditions, its field."""
    has_value = None if part.field is None or _reads_silence(part) else present(field_column(part.field))
    return both(in_window(dialect, part), *map(condition_term, part.where), has_value)


def in_window(dialect: Dialect, part: Aggregate) -> Term | None:
    """Whether a known fact lies in the window; None where every one does."""
    conditions = []
    if part.window_days is not None:
        conditions.append(above(column("occurred_us"), start_of(dialect, part)))
    if part.ends_days_ago:
        conditions.append(at_most(column("occurred_us"), end_of(dialect, part)))
    return both(*conditions) if conditions else None


def end_of(dialect: Dialect, part: Aggregate) -> Term:
    """The end of the window, in microseconds."""
    return _days_ago(dialect, part.ends_days_ago)


def start_of(dialect: Dialect, part: Aggregate) -> Term:
    """The instant just before the window, in microseconds."""
    assert part.looks_back_days is not None
    return _days_ago(dialect, part.looks_back_days)


def condition_term(condition: Condition) -> Term:
    """A test of one column; null, and so not met, where the field is missing."""
    field = field_column(condition.field)
    bounds = [text(bound) if isinstance(bound, str) else whole(bound) for bound in condition.bounds()]
    match condition.comparison:
        case Comparison.PRESENT:
            return present(field)
        case Comparison.ABSENT:
            return absent(field)
        case Comparison.ONE_OF:
            return one_of(field, bounds)
        case Comparison.NONE_OF:
            return exp.not_(one_of(field, bounds))
        case Comparison.EQUALS:
            return equals(field, bounds[0])
        case Comparison.AT_LEAST:
            return at_least(field, bounds[0])
        case Comparison.AT_MOST:
            return at_most(field, bounds[0])


def field_column(field: Field) -> Term:
    """The column that holds a field among the facts."""
    return column("kind" if field.origin is Origin.KIND else field.column)


def unscaled(dialect: Dialect, term: Term, part: Aggregate) -> Term:
    """A whole number at the scale of the part's field as what is written: a double."""
    scale = 1 if part.field is None else part.field.scale
    return double(term) if scale == 1 else dialect.quotient(double(term), real(scale))


def _reads_silence(part: Aggregate) -> bool:
    return part.aggregation is Aggregation.LATEST_VALID


def _days_ago(dialect: Dialect, days: int) -> Term:
    as_of = dialect.given("as_of")
    return minus(as_of, whole(days * DAY_MICROS)) if days else as_of


def _field(part: Aggregate) -> Term:
    assert part.field is not None
    return field_column(part.field)


def _value(part: Aggregate) -> Term:
    return whole(1) if part.field is None else field_column(part.field)


def _count(_dialect: Dialect, _part: Aggregate, kept: Term) -> Term:
    return double(where(count_all(), kept))


def _sum(dialect: Dialect, part: Aggregate, kept: Term) -> Term:
    return unscaled(dialect, or_else(where(dialect.summed(_field(part)), kept), whole(0)), part)


def _mean(dialect: Dialect, part: Aggregate, kept: Term) -> Term:
    assert part.field is not None
    number = times(where(count_all(), kept.copy()), whole(part.field.scale))
    below = exp.Nullif(this=double(number), expression=real(0))
    return dialect.quotient(double(where(dialect.summed(_field(part)), kept)), below)


def _extreme(which: type[exp.Max] | type[exp.Min]) -> Callable[[Dialect, Aggregate, Term], Term]:
    def term(dialect: Dialect, part: Aggregate, kept: Term) -> Term:
        return unscaled(dialect, where(which(this=_field(part)), kept), part)

    return term


def _earliest(dialect: Dialect, part: Aggregate, kept: Term) -> Term:
    backwards = minus(whole(0), column("occurred_us"))
    return unscaled(dialect, dialect.largest([backwards, _field(part)], kept)(1), part)


def _latest(dialect: Dialect, part: Aggregate, kept: Term) -> Term:
    return unscaled(dialect, dialect.largest([column("occurred_us"), _field(part)], kept)(1), part)


def _latest_valid(dialect: Dialect, part: Aggregate, kept: Term) -> Term:
    assert part.window_days is not None, "a fact that says nothing of itself is valid for the window"
    told = or_else(_field(part), whole(-1))
    days = or_else(field_column(VALID_DAYS), whole(part.window_days * THOUSAND))
    newest = dialect.largest([column("occurred_us"), told, days], kept)
    ends = plus(newest(0), times(newest(2), whole(DAY_MICROS // THOUSAND)))
    valid = both(at_least(newest(1), whole(0)), above(ends, dialect.given("as_of")))
    return chosen([(valid, unscaled(dialect, newest(1), part))])


def _days_since(which: type[exp.Max] | type[exp.Min]) -> Callable[[Dialect, Aggregate, Term], Term]:
    def term(dialect: Dialect, _part: Aggregate, kept: Term) -> Term:
        age = minus(dialect.given("as_of"), where(which(this=column("occurred_us")), kept))
        return double(dialect.whole_quotient(age, whole(DAY_MICROS)))

    return term


def _trend(dialect: Dialect, part: Aggregate, kept: Term) -> Term:
    assert part.window_days is not None and part.periods is not None
    last, length = part.periods - 1, part.window_days // part.periods * DAY_MICROS
    age = minus(end_of(dialect, part), column("occurred_us"))
    place = minus(whole(last), times(whole(2), dialect.whole_quotient(age, whole(length))))
    moments = dialect.summed(times(dialect.wide(_value(part)), place))
    scale = 1 if part.field is None else part.field.scale
    below = part.periods * (part.periods * part.periods - 1) * scale
    return dialect.quotient(double(times(where(moments, kept), whole(6))), real(below))


def _decayed(dialect: Dialect, part: Aggregate, kept: Term) -> Term:
    weighted = times(dialect.wide(_value(part)), _weight(dialect, part))
    return or_else(where(dialect.summed(weighted), kept), dialect.wide(whole(0)))


def _weight(dialect: Dialect, part: Aggregate) -> Term:
    assert part.half_life_days is not None
    half_life = part.half_life_days
    days = dialect.whole_quotient(minus(end_of(dialect, part), column("occurred_us")), whole(DAY_MICROS))
    halvings = dialect.whole_quotient(days, whole(half_life))
    rest = minus(days.copy(), times(halvings.copy(), whole(half_life)))
    above_line = times(minus(whole(2 * half_life), rest), whole(WHOLE_WEIGHT))
    straight = dialect.whole_quotient(above_line, whole(2 * half_life))
    return dialect.halved(straight, exp.Least(this=halvings, expressions=[whole(HALVINGS_MAX)]))


def _decayed_count(dialect: Dialect, part: Aggregate, kept: Term) -> Term:
    return dialect.quotient(double(_decayed(dialect, part, kept)), real(WHOLE_WEIGHT))


def _decayed_sum(dialect: Dialect, part: Aggregate, kept: Term) -> Term:
    total = dialect.wide_quotient(_decayed(dialect, part, kept), dialect.wide(whole(WHOLE_WEIGHT)))
    return unscaled(dialect, total, part)


_AGGREGATIONS: dict[Aggregation, Callable[[Dialect, Aggregate, Term], Term]] = {
    Aggregation.COUNT: _count,
    Aggregation.SUM: _sum,
    Aggregation.MEAN: _mean,
    Aggregation.MIN: _extreme(exp.Min),
    Aggregation.MAX: _extreme(exp.Max),
    Aggregation.EARLIEST: _earliest,
    Aggregation.LATEST: _latest,
    Aggregation.LATEST_VALID: _latest_valid,
    Aggregation.DAYS_SINCE_LATEST: _days_since(exp.Max),
    Aggregation.DAYS_SINCE_EARLIEST: _days_since(exp.Min),
    Aggregation.TREND: _trend,
    Aggregation.DECAYED_COUNT: _decayed_count,
    Aggregation.DECAYED_SUM: _decayed_sum,
}
# The others are over the different values of a field, or over events in a row.
FROM_EVENTS = frozenset(_AGGREGATIONS)
