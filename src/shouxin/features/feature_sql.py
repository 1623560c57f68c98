"""Definitions compiled to DuckDB SQL. Pure: each function returns text and runs nothing.

Instants are whole microseconds since 1970 and money is whole thousandths, so that the SQL and the
evaluation in Python do the same integer arithmetic and agree to the last bit. All definitions are
computed in one pass: each different aggregate once, as a filtered aggregate of one GROUP BY.
Text is built from our own definitions only; what comes from outside is a bound parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from shouxin.features.domain import (
    THOUSANDTHS_DIGITS,
    VALID_DAYS,
    Aggregate,
    Aggregation,
    Condition,
    EventOfDefault,
    FeatureDefinition,
    Form,
    Missing,
    Origin,
    kinds_of,
    parts_of,
)
from shouxin.ingestion.consent.domain import WITHDRAWN, WORD_KINDS
from shouxin.kernel import OWN_SOURCE
from shouxin.kernel.money import exponent

MICROS_PER_DAY = 86_400_000_000
# The currencies of ISO 4217 that shops use and that do not have two decimals.
_NOT_CENTS = ("JPY", "KRW", "VND", "CLP", "KWD", "BHD", "OMR", "TND", "JOD")
_THOUSAND = 10.0**THOUSANDTHS_DIGITS
_KNOWN = "occurred_us <= $as_of AND received_us <= $as_of"


def event_sql() -> str:
    """Every event of the history with its customer; reads the table ``link`` and ``$files``."""
    return (
        "SELECT coalesce(link.customer_id, event.customer_ref) AS customer_id, event.kind, event.source,"
        " event.source_id,"
        " epoch_us(event.occurred_at::TIMESTAMPTZ) AS occurred_us,"
        " epoch_us(event.received_at::TIMESTAMPTZ) AS received_us,"
        " event.order_ref, event.amount_minor, event.currency, event.payload"
        f" FROM {_linked_events_sql()}"
    )


def _linked_events_sql() -> str:
    """The files with the customer of each event, without the events that nobody is behind; ends in WHERE."""
    return (
        "read_parquet($files) event"
        " LEFT JOIN link ON link.source = event.source AND link.customer_ref = event.customer_ref"
        f" WHERE (link.customer_id IS NOT NULL OR event.source = {_text(OWN_SOURCE)})"
    )


def fact_sql(parts: Sequence[Aggregate]) -> str:
    """The facts that some aggregates read, with every field they need as a typed column."""
    columns = ["customer_id", "kind", "occurred_us", "received_us"]
    for field in dict.fromkeys(field for part in parts for field in part.fields()):
        # A field is read from the kinds that need it only: taking JSON apart is the dearest step.
        kinds = kinds_of([part for part in parts if field in part.fields()])
        value = _FIELDS[field.origin](field.name)
        columns.append(f"CASE WHEN {_kinds(kinds)} THEN {value} END AS {field.column}")
    return f"SELECT {', '.join(columns)} FROM ({event_sql()}) WHERE {_kinds(kinds_of(parts))}"


def known_customers_sql() -> str:
    """The customers of whom at least one event was known at ``$as_of``."""
    return f"SELECT DISTINCT customer_id FROM ({event_sql()}) WHERE {_KNOWN}"


def word_sql() -> str:
    """Every word of a customer about a purpose; reads the table ``link`` and ``$files``."""
    return (
        "SELECT coalesce(link.customer_id, event.customer_ref) AS customer_id, event.source,"
        f" event.customer_ref, event.kind, {_payload('purpose')} AS purpose,"
        " epoch_us(event.occurred_at::TIMESTAMPTZ) AS occurred_us,"
        " epoch_us(event.received_at::TIMESTAMPTZ) AS received_us"
        f" FROM {_linked_events_sql()} AND {_kinds(WORD_KINDS)}"
    )


def withdrawn_sql() -> str:
    """``customer_id, purpose`` of what stood withdrawn at ``$as_of``; reads the table ``word``.

    Each reference counts with its last word, at a tie with its "no"; one "no" is the customer's.
    """
    last = "arg_max(kind, struct_pack(a := occurred_us, b := received_us, c := kind))"
    return (
        f"SELECT DISTINCT customer_id, purpose FROM (SELECT customer_id, purpose, {last} AS last FROM word"
        f" WHERE {_KNOWN} GROUP BY customer_id, source, customer_ref, purpose)"
        f" WHERE last = {_text(WITHDRAWN)}"
    )


def features_sql(definitions: Sequence[FeatureDefinition], *, withdrawn: Collection[str] = ()) -> str:
    """One row for each customer of the table ``wanted`` with every feature as known at ``$as_of``.

    Reads the prepared facts of the table ``fact``. A customer without any known fact has a row too.
    ``withdrawn`` are purposes that somebody in the table ``withdrawn`` has taken back: a feature that
    needs one of them is null for whoever did. Without any, no query pays for it.
    """
    parts = parts_of(definitions)
    columns = ", ".join(f"{aggregate_sql(part)} AS a{i}" for i, part in enumerate(parts))
    known = f"SELECT customer_id, {columns} FROM fact WHERE {_KNOWN} GROUP BY customer_id"
    settled = ", ".join(
        f"{_permitted(item, [_or_empty(parts, part) for part in item.parts], withdrawn)} AS {item.name}"
        for item in definitions
    )
    barred, barring = _barred(withdrawn)
    return (
        f"WITH known AS ({known}){barred} SELECT wanted.customer_id, {settled}"
        f" FROM wanted LEFT JOIN known USING (customer_id){barring} ORDER BY wanted.customer_id"
    )


def definition_sql(definition: FeatureDefinition, names: Sequence[str]) -> str:
    """The feature from the columns ``names`` that hold its aggregates."""
    value = _FORMS[definition.form](names)
    return f"coalesce({value}, 0.0)" if definition.missing is Missing.IS_ZERO else value


def aggregate_sql(part: Aggregate) -> str:
    """One aggregate over known facts; a DOUBLE."""
    conditions = [_kinds(part.kinds)]
    if part.window_days is not None:
        conditions.append(f"occurred_us > $as_of - {part.window_days * MICROS_PER_DAY}")
    conditions += [condition_sql(condition) for condition in part.where]
    column = part.field.column if part.field else ""
    if part.aggregation is Aggregation.LATEST_VALID:
        return _latest_valid_sql(column, " AND ".join(conditions), window_days=part.window_days)
    return _AGGREGATIONS[part.aggregation](column, " AND ".join(conditions))


def condition_sql(condition: Condition) -> str:
    """A test of one column; null, and so not met, where the field is missing."""
    value = condition.value
    literal = _text(value) if isinstance(value, str) else repr(value)
    return f"{condition.field.column} {condition.comparison} {literal}"


def labels_sql(outcome: EventOfDefault) -> str:
    """``customer_id, event`` of the population at ``$as_of``, from facts known until ``$known_until``."""
    excluded = f"AND NOT ({aggregate_sql(outcome.excluded)} > 0)" if outcome.excluded else ""
    conditions = [_kinds(outcome.kinds), *(condition_sql(condition) for condition in outcome.where)]
    end = outcome.window_days * MICROS_PER_DAY
    return (
        f"WITH population AS (SELECT customer_id FROM fact WHERE {_KNOWN} GROUP BY customer_id"
        f" HAVING {aggregate_sql(outcome.population)} > 0 {excluded}),"
        f" happened AS (SELECT DISTINCT customer_id FROM fact WHERE {' AND '.join(conditions)}"
        f" AND occurred_us > $as_of AND occurred_us <= $as_of + {end} AND received_us <= $known_until)"
        " SELECT customer_id, (happened.customer_id IS NOT NULL)::TINYINT AS event"
        " FROM population LEFT JOIN happened USING (customer_id) ORDER BY customer_id"
    )


def _barred(withdrawn: Collection[str]) -> tuple[str, str]:
    """The table ``barred``, a flag a purpose for each customer who took one back, and how it is joined."""
    if not withdrawn:
        return "", ""
    flags = ", ".join(f"bool_or(purpose = {_text(purpose)}) AS no_{purpose}" for purpose in sorted(withdrawn))
    table = f", barred AS (SELECT customer_id, {flags} FROM withdrawn GROUP BY customer_id)"
    return table, " LEFT JOIN barred USING (customer_id)"


def _permitted(definition: FeatureDefinition, names: Sequence[str], withdrawn: Collection[str]) -> str:
    """The feature, or null for a customer who took back a purpose that it needs."""
    value = definition_sql(definition, names)
    needed = " OR ".join(f"no_{purpose}" for purpose in sorted(definition.purposes & set(withdrawn)))
    return f"CASE WHEN {needed} THEN NULL ELSE {value} END" if needed else value


def _or_empty(parts: Sequence[Aggregate], part: Aggregate) -> str:
    """The aggregate's column; of a customer without any known fact, what it is of nothing."""
    name = f"a{parts.index(part)}"
    return f"coalesce({name}, 0.0)" if part.aggregation in _ZERO_OF_NOTHING else name


def _amount_sql(_name: str) -> str:
    scales = {currency: 10 ** (THOUSANDTHS_DIGITS - exponent(currency)) for currency in _NOT_CENTS}
    cases = " ".join(f"WHEN {_text(currency)} THEN {scale}" for currency, scale in scales.items())
    return f"amount_minor * CASE currency {cases} ELSE 10 END"


def _local(name: str) -> str:
    return f"(make_timestamptz(occurred_us) AT TIME ZONE {_text(name)})"


def _month_sql(name: str) -> str:
    return f"(date_part('year', {_local(name)}) * 12 + date_part('month', {_local(name)}))"


def _payload(name: str) -> str:
    return f"(payload ->> {_text(f'$.{name}')})"


def _latest_sql(column: str, kept: str) -> str:
    pair = f"struct_pack(at := occurred_us, value := {column})"
    return f"(max({pair}) FILTER (WHERE {kept} AND {column} IS NOT NULL)).value::DOUBLE / {_THOUSAND}"


def _latest_valid_sql(column: str, kept: str, *, window_days: int | None) -> str:
    assert window_days is not None, "a fact that says nothing of itself is valid for the window"
    told = (
        f"struct_pack(at := occurred_us, value := coalesce({column}, -1.0),"
        f" days := coalesce({VALID_DAYS.column}, {window_days}.0))"
    )
    newest = f"(max({told}) FILTER (WHERE {kept}))"
    ends = f"{newest}.at + ({newest}.days * {MICROS_PER_DAY})::BIGINT"
    return f"CASE WHEN {newest}.value >= 0 AND {ends} > $as_of THEN {newest}.value END"


def _days_since_sql(which: str, kept: str) -> str:
    return f"(($as_of - {which}(occurred_us) FILTER (WHERE {kept})) // {MICROS_PER_DAY})::DOUBLE"


def _share(above: str, below: str) -> str:
    return f"({above} / nullif({below}, 0.0))"


def _kinds(kinds: Sequence[str]) -> str:
    return f"kind IN ({', '.join(_text(kind) for kind in kinds)})"


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'"


_FIELDS: dict[Origin, Callable[[str], str]] = {
    Origin.ORDER: lambda _name: "order_ref",
    Origin.AMOUNT: _amount_sql,
    Origin.NUMBER: lambda name: f"try_cast({_payload(name)} AS DOUBLE)",
    Origin.TEXT: _payload,
    Origin.HOUR: lambda name: f"date_part('hour', {_local(name)})",
    Origin.MONTH: _month_sql,
}

_ZERO_OF_NOTHING = {Aggregation.COUNT, Aggregation.COUNT_DISTINCT, Aggregation.SUM}

_AGGREGATIONS: dict[Aggregation, Callable[[str, str], str]] = {
    Aggregation.COUNT: lambda _column, kept: f"(count(*) FILTER (WHERE {kept}))::DOUBLE",
    Aggregation.COUNT_DISTINCT: lambda column, kept: (
        f"(count(DISTINCT {column}) FILTER (WHERE {kept}))::DOUBLE"
    ),
    Aggregation.SUM: lambda column, kept: (
        f"coalesce(sum({column}) FILTER (WHERE {kept}), 0)::DOUBLE / {_THOUSAND}"
    ),
    Aggregation.MAX: lambda column, kept: f"(max({column}) FILTER (WHERE {kept}))::DOUBLE",
    Aggregation.LATEST: _latest_sql,
    Aggregation.DAYS_SINCE_LATEST: lambda _column, kept: _days_since_sql("max", kept),
    Aggregation.DAYS_SINCE_EARLIEST: lambda _column, kept: _days_since_sql("min", kept),
}

_FORMS: dict[Form, Callable[[Sequence[str]], str]] = {
    Form.VALUE: lambda names: names[0],
    Form.SHARE: lambda names: _share(names[0], names[1]),
    Form.JUMP: lambda names: f"({_share(names[0], names[1])} - {_share(names[2], names[3])})",
}
