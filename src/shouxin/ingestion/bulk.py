"""Bulk: the same rules for a hundred thousand rows at a time.

DuckDB types the columns and marks the rows that are *plain*: every rule outside the payload holds
at first sight. Plain rows need only their payload decoded; all others pass the full check of
``domain``, which alone decides and names the reason. Plain is never more generous than the check
(a property test holds the two against each other).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as pa_csv

from shouxin.governance.domain import SEALED_FIELDS
from shouxin.ingestion.domain import (
    CLOCK_SKEW,
    CURRENCY_PATTERN,
    EARLIEST,
    FREE_TEXT_FIELDS,
    KINDS,
    REFERENCE_LENGTH_MAX,
    SOURCE_PATTERN,
    VERSION,
    Fact,
    Presence,
    check_row,
    payload_with_tokens,
    plain_payload,
    read_personal,
)
from shouxin.ingestion.reading import OPTIONAL_COLUMNS, REQUIRED_COLUMNS, RefusedRow, query_table

EVENT_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("source_id", pa.string()),
        ("kind", pa.string()),
        ("version", pa.int16()),
        ("customer_ref", pa.string()),
        ("occurred_at", pa.timestamp("us", "UTC")),
        ("received_at", pa.timestamp("us", "UTC")),
        ("order_ref", pa.string()),
        ("amount_minor", pa.int64()),
        ("currency", pa.string()),
        ("payload", pa.string()),
    ]
)
_TIMES = ("occurred_at", "received_at")
_POSITIONED_SCHEMA = EVENT_SCHEMA.append(pa.field("position", pa.int32()))
_ISO_INSTANT = r"^\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?$"
Token = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Screened:
    """A chunk after the check: a table of what is taken, facts with clear values, what is refused."""

    table: pa.Table
    personal: tuple[tuple[int, Fact], ...]
    refused: tuple[RefusedRow, ...]


def screened(rows: pa.Table, *, now: datetime, token: Token) -> Screened:
    """Check canonical rows (text or typed columns, with ``place`` and ``position``).

    ``token`` names personal values; the table that comes back holds tokens only, and of rows with
    one identity the first. Clear values stay in ``personal`` (by position), in memory.
    """
    plain, personal, others = _plain_rows(_typed(rows, now=now), token=token)
    facts, refused = _checked_rows(rows, others, now=now)
    table = pa.concat_tables([plain, _facts_table(facts, token)])
    personal += [(position, fact) for position, fact in facts if fact.personal]
    return Screened(_first_of_each(table), tuple(personal), tuple(refused))


def without_known(found: Screened, known: set[tuple[str, str]]) -> tuple[pa.Table, list[Fact]]:
    """The rows (EVENT_SCHEMA) that the log does not hold yet, and their facts with values to seal."""
    table = found.table
    if known:
        rows = [row for row, identity in enumerate(identities(table)) if identity not in known]
        table = table.take(pa.array(rows, pa.int64()))
    kept = set(table.column("position").to_pylist())
    to_seal = [
        fact
        for position, fact in found.personal
        if position in kept and not fact.personal.keys().isdisjoint(SEALED_FIELDS)
    ]
    return table.drop_columns("position"), to_seal


def table_csv(table: pa.Table) -> memoryview:
    """The rows as CSV without a header: nothing for null, ``""`` for an empty text."""
    times = ", ".join(f"CAST(CAST({name} AS TIMESTAMP) AS VARCHAR) || '+00' AS {name}" for name in _TIMES)
    with duckdb.connect(config={"threads": 1}) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.register("given", table)
        # Arrow needs five times as long to spell a time as DuckDB.
        spelled = query_table(engine, f"SELECT * REPLACE ({times}) FROM given")
    buffer = pa.BufferOutputStream()
    pa_csv.write_csv(spelled, buffer, pa_csv.WriteOptions(include_header=False))
    return memoryview(buffer.getvalue())


def _facts_table(facts: Iterable[tuple[int, Fact]], token: Token) -> pa.Table:
    rows = []
    for position, fact in facts:
        tokens = {field: token(field, value) for field, value in fact.personal.items()}
        row = {name: getattr(fact, name, None) for name in EVENT_SCHEMA.names}
        row["payload"] = payload_with_tokens(fact.payload, tokens).decode()
        row["amount_minor"] = fact.amount and fact.amount.minor
        row["currency"] = fact.amount and fact.amount.currency
        rows.append(row | {"position": position})
    return pa.Table.from_pylist(rows, schema=_POSITIONED_SCHEMA)


def _plain_rows(typed: pa.Table, *, token: Token) -> tuple[pa.Table, list[tuple[int, Fact]], list[int]]:
    """Plain rows whose payload decodes; those with personal values, by position; all other positions."""
    taken: list[int] = []
    others: list[int] = []
    payloads: list[str] = []
    personal_rows: list[tuple[int, dict[str, str]]] = []
    columns = (typed.column(name).to_pylist() for name in ("is_plain", "kind", "payload", "personal"))
    for row, (is_plain, kind, payload, personal) in enumerate(zip(*columns, strict=True)):
        spelled = plain_payload(kind, payload) if is_plain else None
        values = read_personal(kind, personal) if personal and spelled else {}
        if spelled is None or values is None:
            others.append(row)
            continue
        if values:
            tokens = {field: token(field, value) for field, value in values.items()}
            spelled = payload_with_tokens(spelled.encode(), tokens).decode()
            personal_rows.append((len(taken), values))
        taken.append(row)
        payloads.append(spelled)
    table = typed.take(pa.array(taken, pa.int64()))
    table = table.set_column(table.column_names.index("payload"), "payload", pa.array(payloads, pa.string()))
    table = table.select(_POSITIONED_SCHEMA.names).cast(_POSITIONED_SCHEMA)
    return table, _facts_with_values(table, personal_rows), others


def _facts_with_values(
    table: pa.Table, personal_rows: Sequence[tuple[int, dict[str, str]]]
) -> list[tuple[int, Fact]]:
    """The rows that hold something to seal, as facts, by position."""
    sealed = [item for item in personal_rows if not item[1].keys().isdisjoint(SEALED_FIELDS)]
    rows = table.take(pa.array([row for row, _ in sealed], pa.int64())).to_pylist()
    facts = []
    for row, (_, values) in zip(rows, sealed, strict=True):
        position = row.pop("position")
        del row["amount_minor"], row["currency"]  # nothing that is sealed hangs on an amount
        row["payload"] = row["payload"].encode()
        facts.append((position, Fact(**row, amount=None, personal=values)))
    return facts


def _checked_rows(
    rows: pa.Table, numbers: Sequence[int], *, now: datetime
) -> tuple[list[tuple[int, Fact]], list[RefusedRow]]:
    """The full check, row by row: facts by position, and refusals."""
    facts, refused = [], []
    for row in rows.take(pa.array(numbers, pa.int64())).to_pylist():
        place, position = row.pop("place"), row.pop("position")
        verdict = check_row(row, now=now)
        if isinstance(verdict, Fact):
            facts.append((position, verdict))
            continue
        source, reference = row.get("source"), row.get("customer_ref")
        refused.append(
            RefusedRow(
                place,
                position,
                verdict.field,
                verdict.reason,
                source if isinstance(source, str) else "",
                json.dumps(row, default=_spelled),
                reference if isinstance(reference, str) else None,
            )
        )
    return facts, refused


def _spelled(value: Any) -> str:
    """A cell of a typed file that JSON has no word for."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _first_of_each(table: pa.Table) -> pa.Table:
    """Of rows with one identity, the one that stood first."""
    if len(set(identities(table))) == table.num_rows:
        return table
    table = table.sort_by("position")
    first: dict[tuple[str, str], int] = {}
    for row, identity in enumerate(identities(table)):
        first.setdefault(identity, row)
    return table.take(pa.array(first.values(), pa.int64()))


def identities(table: pa.Table) -> list[tuple[str, str]]:
    """The (source, source_id) of each row."""
    columns = (table.column(name).to_pylist() for name in ("source", "source_id"))
    return list(zip(*columns, strict=True))


def _typed(rows: pa.Table, *, now: datetime) -> pa.Table:
    """The rows in the types of the event table, and ``is_plain`` for each."""
    with duckdb.connect(config={"threads": 1}) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.register("given", rows)
        return query_table(engine, _typed_sql(rows, now=now))


def _typed_sql(rows: pa.Table, *, now: datetime) -> str:
    columns = ", ".join(
        f"{_cell_sql(name, rows)} AS {name}" for name in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
    )
    received = "received_at" if "received_at" in rows.column_names else "NULL"
    return f"""
        WITH cells AS (
            SELECT {columns}, coalesce(CAST({received} AS VARCHAR), '') <> '' AS says_received, position
            FROM given)
        SELECT source, source_id, kind, CAST({VERSION} AS SMALLINT) AS version, customer_ref, occurred_at,
               coalesce(received_at, TIMESTAMPTZ '{now.isoformat()}') AS received_at, order_ref,
               TRY_CAST(amount_minor AS BIGINT) AS amount_minor,
               CASE WHEN amount_minor IS NOT NULL THEN currency END AS currency,
               coalesce(payload, '{{}}') AS payload, personal, position,
               coalesce({_plain_sql(now=now)}, false) AS is_plain
        FROM cells ORDER BY position
    """


def _cell_sql(name: str, rows: pa.Table) -> str:
    """One cell as text or as an instant; an empty text is nothing; only ISO 8601 is read as a time."""
    if name not in rows.column_names:
        return "NULL::TIMESTAMPTZ" if name.endswith("_at") else "NULL::VARCHAR"
    kind = rows.schema.field(name).type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)
    if name.endswith("_at"):
        text = f"CASE WHEN regexp_matches({name}, '{_ISO_INSTANT}') THEN TRY_CAST({name} AS TIMESTAMPTZ) END"
        return text if is_text else f"TRY_CAST({name} AS TIMESTAMPTZ)"
    return f"nullif(CAST({name} AS VARCHAR), '')"


def _plain_sql(*, now: datetime) -> str:
    """The rules of ``domain`` that a query can see, from the same data. Null means not plain."""
    currency = f"regexp_matches(currency, '{CURRENCY_PATTERN}')"
    free_text = f"regexp_matches(payload, '\"({'|'.join(FREE_TEXT_FIELDS)})\"')"
    latest = f"TIMESTAMPTZ '{(now + CLOCK_SKEW).isoformat()}'"
    earliest = f"TIMESTAMPTZ '{EARLIEST.isoformat()}'"
    rules = [
        f"regexp_matches(source, '{SOURCE_PATTERN}')",
        *(_reference_sql(name) for name in ("source_id", "customer_ref")),
        f"order_ref IS NULL OR {_reference_sql('order_ref')}",
        f"coalesce(version, '{VERSION}') = '{VERSION}'",
        f"occurred_at BETWEEN {earliest} AND {latest}",
        f"NOT says_received OR received_at BETWEEN occurred_at AND {latest}",
        "amount IS NULL",
        rf"amount_minor IS NULL OR regexp_matches(amount_minor, '^\d{{1,18}}$') AND {currency}",
        f"CASE kind {' '.join(_kind_sql(name) for name in KINDS)} ELSE false END",
        # A proof must name its identifier, and free text may need masking: both are looked at closely.
        "kind <> 'customer_verified'",
        r"payload IS NULL OR NOT contains(payload, '\u0000')",
        rf"payload IS NULL OR NOT ({free_text} AND regexp_matches(payload, '@|\\u|\d([ -]?\d){{6}}'))",
    ]
    return " AND ".join(f"({rule})" for rule in rules)


def _reference_sql(name: str) -> str:
    return (
        f"length({name}) BETWEEN 1 AND {REFERENCE_LENGTH_MAX} AND trim({name}) <> ''"
        rf" AND NOT regexp_matches({name}, '[\x00-\x1f\x7f]')"
    )


def _kind_sql(name: str) -> str:
    kind = KINDS[name]
    conditions = ["true"]
    for column, presence in (("amount_minor", kind.amount), ("order_ref", kind.order_ref)):
        if presence is not Presence.OPTIONAL:
            conditions.append(f"{column} IS {'NOT ' if presence is Presence.REQUIRED else ''}NULL")
    return f"WHEN '{name}' THEN {' AND '.join(conditions)}"
