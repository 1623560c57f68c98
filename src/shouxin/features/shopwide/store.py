"""Nights and pattern documents in PostgreSQL, and who was known in the history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, text

from shouxin.database.bulk_copy import copy_rows
from shouxin.features.shopwide.domain import KeptNight
from shouxin.features.store import known_customers, opened_history, withdrawn_at

_NIGHT_COLUMNS = "night, version, customers, changed, document_hash, kept_at"
# What stands of each customer before the night, against what the night says.
_CHANGED = """
INSERT INTO features.shopwide (customer_id, version, night, values, pattern)
SELECT coalesce(made.customer_id, stood.customer_id), :version, :night, made.values, made.pattern
FROM shopwide_made AS made
FULL JOIN (
    SELECT DISTINCT ON (customer_id) customer_id, values, pattern FROM features.shopwide
    WHERE version = :version AND night < :night ORDER BY customer_id, night DESC
) AS stood USING (customer_id)
WHERE made.values IS DISTINCT FROM stood.values OR made.pattern IS DISTINCT FROM stood.pattern
"""


def known_at(history: Path, links: pa.Table, *, as_of: datetime) -> tuple[pa.Table, pa.Table]:
    """(``customer_id`` of everyone known, ``customer_id, purpose`` of what stood withdrawn) at ``as_of``."""
    with opened_history(history, links, ()) as opened:
        known = known_customers(opened, as_of=as_of).sort_by("customer_id")
        return known, withdrawn_at(opened, as_of=as_of)


def newest_night(db: Connection, *, version: str) -> date | None:
    """The last night kept."""
    found: date | None = db.scalar(
        text("SELECT max(night) FROM features.shopwide_night WHERE version = :version"), {"version": version}
    )
    return found


def find_night(db: Connection, night: date, *, version: str) -> KeptNight | None:
    """The night, if it was kept."""
    sql = f"SELECT {_NIGHT_COLUMNS} FROM features.shopwide_night WHERE version = :version AND night = :night"
    row = db.execute(text(sql), {"version": version, "night": night}).one_or_none()
    return None if row is None else KeptNight(*row)


def nights_since(db: Connection, first: date, *, version: str) -> set[date]:
    """The nights kept from ``first`` on, and the last one before it."""
    sql = (
        "SELECT night FROM features.shopwide_night WHERE version = :version AND night >= coalesce((SELECT"
        " max(night) FROM features.shopwide_night WHERE version = :version AND night < :first), :first)"
    )
    return set(db.execute(text(sql), {"version": version, "first": first}).scalars())


def add_night(
    db: Connection,
    night: date,
    rows: Iterable[tuple[str, Sequence[float | None], str | None]],
    *,
    version: str,
    names: Sequence[str],
    document_hash: str | None,
    now: datetime,
) -> KeptNight:
    """Keep a night: only rows that differ from what stands of the customer are written."""
    db.execute(
        text(
            "CREATE TEMP TABLE shopwide_made (customer_id text, values double precision[], pattern text)"
            " ON COMMIT DROP"
        )
    )
    spelt = ((customer, list(values), pattern) for customer, values, pattern in rows)
    customers = copy_rows(db, "shopwide_made", ("customer_id", "values", "pattern"), spelt)
    told = {"night": night, "version": version}
    changed = db.execute(text(_CHANGED), told).rowcount
    db.execute(text("DROP TABLE shopwide_made"))
    db.execute(
        text(
            "INSERT INTO features.shopwide_night (night, version, names, document_hash, customers, changed,"
            " kept_at) VALUES (:night, :version, :names, :document_hash, :customers, :changed, :now)"
        ),
        told
        | {"names": list(names), "document_hash": document_hash, "customers": customers}
        | {"changed": changed, "now": now},
    )
    return KeptNight(night, version, customers, changed, document_hash, now)


def values_of(
    db: Connection, customer_id: str, night: date, *, version: str
) -> tuple[Sequence[float | None], str | None] | None:
    """(values, code of the strongest pattern) that stood of a customer at a night; None without any."""
    sql = (
        "SELECT values, pattern FROM features.shopwide WHERE customer_id = :customer AND version = :version"
        " AND night <= :night ORDER BY night DESC LIMIT 1"
    )
    row = db.execute(text(sql), {"customer": customer_id, "version": version, "night": night}).one_or_none()
    return None if row is None or row.values is None else (row.values, row.pattern)


def add_document(
    db: Connection, document_hash: str, month: date, body: dict[str, Any], *, now: datetime
) -> None:
    """Keep the patterns of a month; the same ones are kept once."""
    sql = (
        "INSERT INTO features.pattern_document (document_hash, month, body, kept_at)"
        " VALUES (:hash, :month, CAST(:body AS jsonb), :now) ON CONFLICT (month, document_hash) DO NOTHING"
    )
    told = json.dumps(body, ensure_ascii=False)
    db.execute(text(sql), {"hash": document_hash, "month": month, "body": told, "now": now})


def document_of(db: Connection, month: date) -> dict[str, Any] | None:
    """The patterns kept last for a month."""
    sql = "SELECT body FROM features.pattern_document WHERE month = :month ORDER BY document_no DESC LIMIT 1"
    found: dict[str, Any] | None = db.scalar(text(sql), {"month": month})
    return found


def find_document(db: Connection, document_hash: str) -> dict[str, Any] | None:
    """The patterns of that name."""
    sql = "SELECT body FROM features.pattern_document WHERE document_hash = :hash LIMIT 1"
    found: dict[str, Any] | None = db.scalar(text(sql), {"hash": document_hash})
    return found
