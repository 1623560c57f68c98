"""Aggregates that need a step between the facts and the customer: values of a field, or runs of events.

What is counted by value is grouped once by customer and value for all aggregates of that field: many
windows then cost one filtered count each, where ``count(DISTINCT ..)`` would build a table for each.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from shouxin.features.compiler.dialects import Dialect, log_term
from shouxin.features.compiler.events import (
    FROM_EVENTS,
    aggregate_of_its_kinds_term,
    condition_term,
    counted,
    end_of,
    field_column,
    start_of,
    unscaled,
)
from shouxin.features.compiler.facts import known, of_kinds
from shouxin.features.compiler.terms import (
    Term,
    above,
    at_least,
    at_most,
    both,
    chosen,
    column,
    count_all,
    double,
    minus,
    named,
    over,
    present,
    times,
    where,
    whole,
)
from shouxin.features.domain import Aggregate, Aggregation, kinds_of
from shouxin.features.domain.aggregates import INTERVALS, STREAKS
from shouxin.features.domain.arithmetic import BITS, MICROBITS

_BY_PRESENCE = frozenset({Aggregation.COUNT_DISTINCT, *INTERVALS})
_MIDDLE = frozenset({Aggregation.PERCENTILE, Aggregation.INTERVAL_SPREAD})


@dataclass(frozen=True, slots=True)
class Grain:
    """A query that gives ``customer_id`` and one column for each of some aggregates."""

    name: str
    select: exp.Select
    columns: tuple[tuple[Aggregate, str], ...]


def grain_key(part: Aggregate) -> tuple[str, Hashable]:
    """What the aggregates of one grain have in common: how it is made, and its run, kinds or field."""
    if part.aggregation in STREAKS:
        return "streak", part
    if part.aggregation in FROM_EVENTS:
        # Those of a few kinds never look at the events of the many: a shop sends most of all views.
        return "by_kind", frozenset(part.kinds)
    return "by_value", part.field


def grains_of(dialect: Dialect, names: Mapping[Aggregate, str]) -> list[Grain]:
    """The queries over the table ``fact`` that give all aggregates under their ``names``."""
    together: dict[tuple[str, Hashable], list[Aggregate]] = {}
    for part in names:
        together.setdefault(grain_key(part), []).append(part)
    return [
        _GRAINS[made](dialect, f"{made}_{number}", parts, names)
        for number, ((made, _), parts) in enumerate(together.items())
    ]


def _event_grain(
    dialect: Dialect, name: str, parts: Sequence[Aggregate], names: Mapping[Aggregate, str]
) -> Grain:
    columns = [named(aggregate_of_its_kinds_term(dialect, part), names[part]) for part in parts]
    select = (
        exp.select(column("customer_id"), *columns)
        .from_("fact")
        .where(both(known(dialect), of_kinds(kinds_of(parts))))
        .group_by("customer_id")
    )
    return Grain(name, select, tuple((part, names[part]) for part in parts))


def _value_grain(
    dialect: Dialect, name: str, parts: Sequence[Aggregate], names: Mapping[Aggregate, str]
) -> Grain:
    field = parts[0].field
    assert field is not None, "what is counted by value reads one"
    helpers = _Helpers(dialect, kinds_of(parts))
    outer = [named(_VALUES[part.aggregation](dialect, part, helpers), names[part]) for part in parts]
    by_value = (
        exp.select(column("customer_id"), named(field_column(field), "held"), *helpers.inner())
        .from_("fact")
        .where(both(known(dialect), of_kinds(kinds_of(parts)), present(field_column(field))))
        .group_by("customer_id", field_column(field))
    )
    source = by_value.subquery("by_value")
    if helpers.middle:
        source = exp.select("*", *helpers.windows()).from_(source).subquery("in_order")
    select = exp.select(column("customer_id"), *outer).from_(source).group_by("customer_id")
    return Grain(name, select, tuple((part, names[part]) for part in parts))


class _Helpers:
    """The columns that are kept of each value of a field, each once, and what is made of them in order."""

    def __init__(self, dialect: Dialect, kinds: Sequence[str]) -> None:
        self._dialect = dialect
        self._kinds = set(kinds)
        self._of_values: dict[Term, str] = {}
        self.middle: dict[Term, str] = {}

    def latest(self, part: Aggregate) -> Term:
        """When the value was last there before the window's end; the same for all windows that end there."""
        end = at_most(column("occurred_us"), end_of(self._dialect, part)) if part.ends_days_ago else None
        kept = both(self._of_its_kinds(part), end, *map(condition_term, part.where))
        return self._named(self._of_values, where(exp.Max(this=column("occurred_us")), kept), "last")

    def number(self, part: Aggregate) -> Term:
        """How many events of the window carry the value."""
        return self._named(self._of_values, where(count_all(), self._counted(part)), "n")

    def _counted(self, part: Aggregate) -> Term:
        return both(self._of_its_kinds(part), counted(self._dialect, part))

    def _of_its_kinds(self, part: Aggregate) -> Term | None:
        """Nothing to ask where every fact that is grouped is of the kinds of the aggregate."""
        return None if set(part.kinds) == self._kinds else of_kinds(part.kinds)

    def in_order(self, term: Term) -> Term:
        """A term with a window function, computed over the values of a customer."""
        return self._named(self.middle, term, "w")

    def inner(self) -> Iterator[Term]:
        """The columns of the grouping by value."""
        return (named(term, name) for term, name in self._of_values.items())

    def windows(self) -> Iterator[Term]:
        """The columns of the step in order."""
        return (named(term, name) for term, name in self.middle.items())

    @staticmethod
    def _named(terms: dict[Term, str], term: Term, prefix: str) -> Term:
        return column(terms.setdefault(term, f"{prefix}{len(terms)}"))


def _there(dialect: Dialect, part: Aggregate, helpers: _Helpers) -> Term:
    last = helpers.latest(part)
    return present(last) if part.window_days is None else above(last, start_of(dialect, part))


def _distinct(dialect: Dialect, part: Aggregate, helpers: _Helpers) -> Term:
    return double(where(count_all(), _there(dialect, part, helpers)))


def _commonest(_dialect: Dialect, part: Aggregate, helpers: _Helpers) -> Term:
    return double(exp.Max(this=helpers.number(part)))


def _entropy(dialect: Dialect, part: Aggregate, helpers: _Helpers) -> Term:
    number = helpers.number(part)
    some = above(number, whole(0))
    total = exp.cast(where(exp.Sum(this=number.copy()), some.copy()), "BIGINT")
    # A logarithm of no events is never asked for: an engine may compute it before it filters.
    logarithm = log_term(exp.Greatest(this=number.copy(), expressions=[whole(1)]), BITS)
    spent = exp.cast(where(exp.Sum(this=times(number.copy(), logarithm)), some), "BIGINT")
    surplus = minus(times(total, log_term(total.copy(), BITS)), spent)
    return dialect.quotient(double(surplus), double(times(total.copy(), whole(MICROBITS))))


def _mean_interval(dialect: Dialect, part: Aggregate, helpers: _Helpers) -> Term:
    there = _there(dialect, part, helpers)
    first, last = (where(which(this=column("held")), there.copy()) for which in (exp.Min, exp.Max))
    gaps = minus(where(count_all(), there.copy()), whole(1))
    return chosen(
        [(at_least(gaps, whole(1)), dialect.quotient(double(minus(last, first)), double(gaps.copy())))]
    )


def _interval_spread(dialect: Dialect, part: Aggregate, helpers: _Helpers) -> Term:
    there = _there(dialect, part, helpers)
    day = chosen([(there, column("held"))])
    before = helpers.in_order(_until_before(exp.Max(this=day), by="customer_id", order="held"))
    step = minus(column("held"), before)
    kept = both(there.copy(), present(before.copy()))
    count = where(count_all(), kept.copy())
    total = where(dialect.summed(step), kept.copy())
    squares = where(dialect.summed(times(step.copy(), step.copy())), kept)
    inside = minus(times(dialect.wide(count), squares), times(total, total.copy()))
    root = exp.Sqrt(this=double(inside))
    return chosen([(at_least(count.copy(), whole(2)), dialect.quotient(root, double(count.copy())))])


def _percentile(dialect: Dialect, part: Aggregate, helpers: _Helpers) -> Term:
    assert part.percent is not None
    number = helpers.number(part)
    upto = helpers.in_order(over(exp.Sum(this=number), by=["customer_id"], order="held"))
    total = helpers.in_order(over(exp.Sum(this=number.copy()), by=["customer_id"]))
    reached = at_least(times(upto, whole(100)), times(total, whole(part.percent)))
    kept = both(above(number.copy(), whole(0)), reached)
    return unscaled(dialect, where(exp.Min(this=column("held")), kept), part)


_VALUES: dict[Aggregation, Callable[[Dialect, Aggregate, _Helpers], Term]] = {
    Aggregation.COUNT_DISTINCT: _distinct,
    Aggregation.COUNT_COMMONEST: _commonest,
    Aggregation.ENTROPY: _entropy,
    Aggregation.MEAN_INTERVAL: _mean_interval,
    Aggregation.INTERVAL_SPREAD: _interval_spread,
    Aggregation.PERCENTILE: _percentile,
}


def _streak_grain(
    dialect: Dialect, name: str, parts: Sequence[Aggregate], names: Mapping[Aggregate, str]
) -> Grain:
    """Runs of events that hold: at one instant those that do not come first, and end the run before."""
    (part,) = parts
    holds = both(*map(condition_term, part.holds))
    held = exp.Sum(this=chosen([(holds, whole(1))], whole(0)))
    broken = exp.Sum(this=chosen([(holds.copy(), whole(0))], whole(1)))
    instants = (
        exp.select(column("customer_id"), column("occurred_us"), named(held, "held"), named(broken, "broken"))
        .from_("fact")
        .where(both(known(dialect), of_kinds(part.kinds), counted(dialect, part)))
        .group_by("customer_id", "occurred_us")
    )
    run = over(exp.Sum(this=column("broken")), by=["customer_id"], order="occurred_us")
    runs = exp.select(column("customer_id"), column("held"), named(run, "run")).from_(
        instants.subquery("instants")
    )
    lengths = (
        exp.select(column("customer_id"), column("run"), named(exp.Sum(this=column("held")), "length"))
        .from_(runs.subquery("runs"))
        .group_by("customer_id", "run")
    )
    length: Term = exp.Max(this=column("length"))
    if part.aggregation is Aggregation.CURRENT_STREAK:
        length = dialect.largest([column("run"), column("length")], exp.true())(1)
    select = (
        exp.select(column("customer_id"), named(double(length), names[part]))
        .from_(lengths.subquery("lengths"))
        .group_by("customer_id")
    )
    return Grain(name, select, ((part, names[part]),))


def _until_before(aggregate: Term, *, by: str, order: str) -> Term:
    """An aggregate over the rows of the same ``by`` that stand before this one."""
    rows = exp.WindowSpec(
        kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end=whole(1), end_side="PRECEDING"
    )
    ordered = exp.Order(expressions=[exp.Ordered(this=column(order))])
    return exp.Window(this=aggregate, partition_by=[column(by)], order=ordered, spec=rows)


_GRAINS: dict[str, Callable[[Dialect, str, Sequence[Aggregate], Mapping[Aggregate, str]], Grain]] = {
    "streak": _streak_grain,
    "by_kind": _event_grain,
    "by_value": _value_grain,
}
