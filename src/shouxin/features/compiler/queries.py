"""Whole queries: features of customers as known at ``as_of``, and labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlglot import exp

from shouxin.features.compiler.dialects import DIALECTS, Dialect
from shouxin.features.compiler.events import aggregate_term, condition_term
from shouxin.features.compiler.facts import (
    fact_select,
    known,
    linked_select,
    of_kinds,
    withdrawn_select,
    word_select,
)
from shouxin.features.compiler.grains import grains_of
from shouxin.features.compiler.terms import (
    DAY_MICROS,
    Term,
    above,
    at_most,
    both,
    chosen,
    column,
    either,
    equals,
    minus,
    named,
    or_else,
    plus,
    present,
    real,
    text,
    whole,
)
from shouxin.features.domain import (
    Aggregate,
    Difference,
    EventOfDefault,
    FeatureDefinition,
    Formula,
    Missing,
    Ratio,
    parts_of,
)
from shouxin.features.domain.aggregates import ZERO_OF_NOTHING

DUCKDB = DIALECTS["duckdb"]


def compile_features(definitions: Sequence[FeatureDefinition], *, dialect: Dialect) -> str:
    """One query over the tables ``history`` and ``link`` alone: a row for everyone known at ``as_of``.

    ``history`` has the columns of the event log, ``link`` source, customer_ref and customer_id; ``as_of``
    is bound as whole microseconds since 1970. For DuckDB and Spark the zone of the session is UTC.
    """
    withdrawn = sorted({purpose for item in definitions for purpose in item.purposes})
    everyone = (
        exp.select(column("customer_id")).distinct().from_(linked_select(dialect, ()).subquery("event"))
    )
    query = features_select(definitions, dialect=dialect, withdrawn=withdrawn)
    tables = {
        "fact": fact_select(dialect, parts_of(definitions)),
        "wanted": everyone.where(known(dialect)),
        "word": word_select(dialect),
        "withdrawn": withdrawn_select(dialect),
    }
    whole_query = exp.select("*").from_(query.subquery("settled"))
    for name, table in tables.items():
        whole_query = whole_query.with_(name, as_=table, copy=False)
    return dialect.readable(whole_query.order_by("customer_id"))


def features_select(
    definitions: Sequence[FeatureDefinition], *, dialect: Dialect, withdrawn: Collection[str] = ()
) -> exp.Select:
    """One row for each customer of the table ``wanted`` with every feature as known at ``as_of``.

    Reads the prepared facts of the table ``fact``. A customer without any known fact has a row too.
    ``withdrawn`` are purposes that somebody in the table ``withdrawn`` has taken back: a feature that
    needs one of them is null for whoever did. Without any, no query pays for it.
    """
    names = {part: f"a{i}" for i, part in enumerate(parts_of(definitions))}
    grains = grains_of(dialect, names)
    terms = {
        part: _or_empty(part, column(name, grain.name)) for grain in grains for part, name in grain.columns
    }
    settled = [named(_permitted(dialect, item, terms, withdrawn), item.name) for item in definitions]
    query = exp.select(column("customer_id", "wanted"), *settled).from_("wanted")
    tables = {grain.name: grain.select for grain in grains}
    if withdrawn:
        tables["barred"] = _barred_select(withdrawn)
    for name, table in tables.items():
        same = equals(column("customer_id", name), column("customer_id", "wanted"))
        query = query.with_(name, as_=table, copy=False).join(name, on=same, join_type="left", copy=False)
    return query


def first_known_select(dialect: Dialect) -> exp.Select:
    """``customer_id, known_us``: since when something is known of each customer."""
    since = exp.Min(this=exp.Greatest(this=column("occurred_us"), expressions=[column("received_us")]))
    events = linked_select(dialect, ()).subquery("event")
    return exp.select(column("customer_id"), named(since, "known_us")).from_(events).group_by("customer_id")


def known_customers_select(dialect: Dialect) -> exp.Select:
    """The customers of whom at least one event was known at ``as_of``; reads the table ``first_known``."""
    since = at_most(column("known_us"), dialect.given("as_of"))
    return exp.select(column("customer_id")).from_("first_known").where(since)


def labels_select(outcome: EventOfDefault, *, dialect: Dialect) -> exp.Select:
    """``customer_id, event`` of the population at ``as_of``, from facts known until ``known_until``."""
    belongs = above(aggregate_term(dialect, outcome.population), real(0))
    if outcome.excluded:
        belongs = both(belongs, exp.not_(above(aggregate_term(dialect, outcome.excluded), real(0))))
    population = (
        exp.select(column("customer_id"))
        .from_("fact")
        .where(known(dialect))
        .group_by("customer_id")
        .having(belongs)
    )
    as_of = dialect.given("as_of")
    happened = (
        exp.select(column("customer_id"))
        .distinct()
        .from_("fact")
        .where(
            of_kinds(outcome.kinds),
            *map(condition_term, outcome.where),
            above(column("occurred_us"), as_of),
            at_most(column("occurred_us"), plus(as_of.copy(), whole(outcome.window_days * DAY_MICROS))),
            at_most(column("received_us"), dialect.given("known_until")),
        )
    )
    event = chosen([(present(column("customer_id", "happened")), whole(1))], whole(0))
    same = equals(column("customer_id", "happened"), column("customer_id", "population"))
    return (
        exp.select(column("customer_id", "population"), named(exp.cast(event, "TINYINT"), "event"))
        .from_("population")
        .join("happened", on=same, join_type="left")
        .with_("population", as_=population)
        .with_("happened", as_=happened)
        .order_by(column("customer_id", "population"))
    )


def _barred_select(withdrawn: Collection[str]) -> exp.Select:
    """A flag a purpose for each customer who took one back."""
    flags = [
        named(
            exp.Max(this=chosen([(equals(column("purpose"), text(item)), whole(1))], whole(0))), f"no_{item}"
        )
        for item in sorted(withdrawn)
    ]
    return exp.select(column("customer_id"), *flags).from_("withdrawn").group_by("customer_id")


def _permitted(
    dialect: Dialect,
    definition: FeatureDefinition,
    terms: Mapping[Aggregate, Term],
    withdrawn: Collection[str],
) -> Term:
    """The feature, or null for a customer who took back a purpose that it needs."""
    value = _formula_term(dialect, definition.formula, terms)
    if definition.missing is Missing.IS_ZERO:
        value = or_else(value, real(0))
    needed = [
        equals(column(f"no_{purpose}", "barred"), whole(1))
        for purpose in sorted(definition.purposes & set(withdrawn))
    ]
    return chosen([(either(*needed), exp.null())], value) if needed else value


def _formula_term(dialect: Dialect, formula: Formula, terms: Mapping[Aggregate, Term]) -> Term:
    match formula:
        case Aggregate():
            return terms[formula].copy()
        case Ratio(upper, lower):
            below = exp.Nullif(this=_formula_term(dialect, lower, terms), expression=real(0))
            return dialect.quotient(_formula_term(dialect, upper, terms), below)
        case Difference(left, right):
            return minus(_formula_term(dialect, left, terms), _formula_term(dialect, right, terms))


def _or_empty(part: Aggregate, term: Term) -> Term:
    """The aggregate's column; of a customer without any known fact, what it is of nothing."""
    return or_else(term, real(0)) if part.aggregation in ZERO_OF_NOTHING else term
