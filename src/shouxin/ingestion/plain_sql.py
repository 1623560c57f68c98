"""SQL of the bulk load: rows in the types of the event table, and which of them are *plain*.

The rules are those of ``domain``, written from the same data; a row is plain when every rule that a query
can see holds at first sight. Null means not plain. What is slow to ask is asked in a cheaper, stricter way:
a row that is not plain loses nothing, it only passes the full check.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from shouxin.ingestion.domain import (
    CLOCK_SKEW,
    CURRENCY_PATTERN,
    EARLIEST,
    FREE_TEXT_FIELDS,
    KINDS,
    REFERENCE_LENGTH_MAX,
    SOUNDING_KINDS,
    SOURCE_PATTERN,
    VERSION,
    Presence,
)
from shouxin.ingestion.reading import OPTIONAL_COLUMNS, REQUIRED_COLUMNS

_ISO_INSTANT = r"^\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?$"


def typed_sql(rows: pa.Table, *, now: datetime) -> str:
    """The rows of ``given`` (whose columns are those of ``rows``), typed, in their order.

    ``is_plain`` says whether a row is plain; ``is_escaped`` whether its payload holds a JSON escape of
    a character, which must be spelled out before it is stored.
    """
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
               coalesce({_plain_sql(now=now)}, false) AS is_plain,
               coalesce(contains(payload, '\\u'), false) AS is_escaped
        FROM cells
    """


def joined_payloads_sql() -> str:
    """The payloads of the plain rows of ``typed`` that hold no escape, as one JSON array a kind.

    A payload that DuckDB reads as JSON is whole in itself, so that joined ones can not lean on each other.
    """
    return """
        SELECT kind, '[' || string_agg(payload, ',') || ']' AS payloads, count(*) AS rows
        FROM typed WHERE is_plain AND NOT is_escaped GROUP BY kind
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
    currency = f"regexp_matches(currency, '{CURRENCY_PATTERN}')"
    free_text = " OR ".join(f"contains(payload, '\"{name}\"')" for name in FREE_TEXT_FIELDS)
    sounding = ", ".join(f"'{kind}'" for kind in SOUNDING_KINDS)
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
        f"CASE {' '.join(_presence_sql(*needs) for needs in _kinds_by_needs())} ELSE false END",
        # What was proved must be said; the payload names it.
        "kind <> 'customer_verified' OR personal IS NOT NULL",
        "payload IS NULL OR json_valid(payload)",
        r"payload IS NULL OR NOT contains(payload, '\u0000')",
        # Free text may need masking, and is then looked at closely.
        rf"payload IS NULL OR NOT (({free_text}) AND regexp_matches(payload, '@|\\u|\d([ -]?\d){{6}}'))",
        # How a text sounds is not for a query to say.
        f"payload IS NULL OR NOT (kind IN ({sounding}) AND contains(payload, '\"text\"'))",
    ]
    return " AND ".join(f"({rule})" for rule in rules)


def _reference_sql(name: str) -> str:
    return (
        f"length({name}) BETWEEN 1 AND {REFERENCE_LENGTH_MAX} AND NOT starts_with({name}, ' ')"
        rf" AND NOT regexp_matches({name}, '[\x00-\x1f\x7f]')"
    )


def _kinds_by_needs() -> list[tuple[list[str], Presence, Presence]]:
    """The kinds that agree on amount and order_ref, together: there are few such groups."""
    groups: dict[tuple[Presence, Presence], list[str]] = {}
    for name, kind in KINDS.items():
        groups.setdefault((kind.amount, kind.order_ref), []).append(name)
    return [(names, *needs) for needs, names in groups.items()]


def _presence_sql(names: list[str], amount: Presence, order_ref: Presence) -> str:
    conditions = ["true"]
    for column, presence in (("amount_minor", amount), ("order_ref", order_ref)):
        if presence is not Presence.OPTIONAL:
            conditions.append(f"{column} IS {'NOT ' if presence is Presence.REQUIRED else ''}NULL")
    listed = ", ".join(f"'{name}'" for name in names)
    return f"WHEN kind IN ({listed}) THEN {' AND '.join(conditions)}"
