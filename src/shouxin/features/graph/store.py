"""Links out of the history: DuckDB finds the shared tokens, and numbers them and their customers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from shouxin.features.graph.domain import KINDS, Links
from shouxin.features.store import OpenHistory, events_sql, micros, opened_history, withdrawn_at
from shouxin.ingestion.consent.domain import purposes_of_use
from shouxin.ingestion.domain import KINDS as EVENT_KINDS

_KNOWN = "occurred_us <= $as_of AND received_us <= $as_of"
# 60 days past due is what DEFAULTS predicts; a violation is an operator's or a rule's finding.
_BAD_DAYS = 60
_MEMORY = "2GB"
# Every payload field that names something two customers can share, with the kind it belongs to.
_FIELDS = tuple((field, number) for number, fields in enumerate(KINDS.values()) for field in fields)
_BEARING = sorted(
    name for name, kind in EVENT_KINDS.items() if any(field in kind.personal for field, _ in _FIELDS)
)


def read_links(history: Path, links: pa.Table, *, as_of: datetime) -> tuple[pa.Array, Links]:
    """(customer ids in order, their links) as known at ``as_of``, of customers who share a token.

    What a customer took back the agreement to is not read: her tokens say nothing about others either.
    Raises UnableToReadHistory.
    """
    with opened_history(history, links, ()) as opened, TemporaryDirectory() as spill:
        # Ten million links fit; a shop ten times as large is worked on from the disk.
        opened.connection.execute(f"SET memory_limit = '{_MEMORY}'; SET temp_directory = '{spill}'")
        _prepare(opened, as_of=as_of)
        table = opened.connection.sql(_LINK_SQL).to_arrow_table()
        customers = opened.connection.sql(_SHARERS_SQL).to_arrow_table()
        kinds = opened.connection.sql("SELECT kind_no FROM shared ORDER BY token_no").to_arrow_table()
    return customers["customer_id"].combine_chunks(), Links(
        customers.num_rows,
        kinds.num_rows,
        _ints(table, "customer_no"),
        _ints(table, "token_no"),
        _ints(kinds, "kind_no"),
        _ints(table, "known_us"),
        _ints(customers, "first_seen_us"),
        _ints(customers, "bad").astype(np.bool_),
    )


def _prepare(opened: OpenHistory, *, as_of: datetime) -> None:
    run, values = opened.connection.execute, {"as_of": micros(as_of)}
    withdrawn = withdrawn_at(opened, as_of=as_of)
    opened.connection.register("withdrawn", withdrawn)
    run(_need_sql())
    run(f"CREATE TEMP TABLE person AS {_PERSON_SQL}")
    run(f"CREATE TEMP TABLE told AS {_told_sql(agreed=_AGREED if withdrawn.num_rows else '')}", values)
    run(f"CREATE TEMP TABLE bad AS {_bad_sql()}", values)
    run(f"CREATE TEMP TABLE shared AS {_SHARED_SQL}")
    run(f"CREATE TEMP TABLE customer AS {_CUSTOMER_SQL}")


def _need_sql() -> str:
    """The purposes that reading a field of a kind of event needs, as the table ``need``."""
    rows = [
        f"('{kind}', '{field}', '{purpose}')"
        for kind in _BEARING
        for field, _ in _FIELDS
        for purpose in sorted(purposes_of_use((kind,), (field,)))
    ]
    return (
        f"CREATE TEMP TABLE need AS SELECT * FROM (VALUES {', '.join(rows)}) AS need (kind, field, purpose)"
    )


def _told_sql(*, agreed: str) -> str:
    """``person, token, kind_no, known_us, seen_us``: each token a customer was seen with, as a number.

    A token is a keyed hash of field and value: tokens of two fields never meet.
    """
    names = ", ".join(f"'{field}'" for field, _ in _FIELDS)
    numbers = ", ".join(f"{number}::TINYINT" for _, number in _FIELDS)
    paths = ", ".join(f"'$.{field}_token'" for field, _ in _FIELDS)
    read = (
        "SELECT customer_id, kind, occurred_us, greatest(occurred_us, received_us) AS known_us,"
        f" unnest([{names}]) AS field, unnest([{numbers}]) AS kind_no,"
        f" unnest(json_extract_string(payload, [{paths}])) AS token"
        f" FROM ({events_sql(*_BEARING)}) WHERE {_KNOWN} AND contains(payload::VARCHAR, '_token')"
    )
    return (
        "SELECT person, md5_number(token) AS token, min(kind_no) AS kind_no, min(known_us) AS known_us,"
        f" min(occurred_us) AS seen_us FROM ({read}) AS spelt JOIN person USING (customer_id)"
        f" WHERE token IS NOT NULL {agreed} GROUP BY ALL"
    )


def _bad_sql() -> str:
    """The customers of whom something bad was known."""
    days = "TRY_CAST(payload ->> '$.days_past_due' AS INTEGER)"
    return (
        f"SELECT DISTINCT customer_id FROM ({events_sql('violation_recorded', 'instalment_overdue')})"
        f" WHERE {_KNOWN} AND (kind = 'violation_recorded' OR {days} >= {_BAD_DAYS})"
    )


# Numbers take a quarter of the room that ids take, and there are ten links a customer.
_PERSON_SQL = (
    "SELECT customer_id, row_number() OVER (ORDER BY customer_id)::INTEGER AS person"
    " FROM (SELECT DISTINCT customer_id FROM link)"
)
_AGREED = (
    "AND NOT EXISTS (SELECT 1 FROM need JOIN withdrawn USING (purpose) WHERE need.kind = spelt.kind"
    " AND need.field = spelt.field AND withdrawn.customer_id = spelt.customer_id)"
)
_SHARED_SQL = (
    "SELECT token, kind_no, row_number() OVER (ORDER BY token) - 1 AS token_no FROM"
    " (SELECT token, min(kind_no) AS kind_no FROM told GROUP BY token HAVING count(*) > 1)"
)
_CUSTOMER_SQL = (
    "SELECT person, row_number() OVER (ORDER BY person) - 1 AS customer_no, min(seen_us) AS first_seen_us"
    " FROM told GROUP BY person HAVING bool_or(token IN (SELECT token FROM shared))"
)
_LINK_SQL = (
    "SELECT customer_no, token_no, known_us FROM told JOIN shared USING (token) JOIN customer USING (person)"
)
_SHARERS_SQL = (
    "SELECT person.customer_id, first_seen_us, (bad.customer_id IS NOT NULL)::TINYINT AS bad FROM customer"
    " JOIN person USING (person) LEFT JOIN bad USING (customer_id) ORDER BY customer_no"
)


def _ints(table: pa.Table, name: str) -> Any:
    return table[name].combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64)
