"""Erasures that were done: SQL in, values out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

Reference = tuple[str, str]


def lock(db: Connection, customer_id: str) -> None:
    """One erasure of a customer at a time."""
    db.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 727021))"), {"id": customer_id})


def remove_identifiers(db: Connection, refs: Sequence[Reference]) -> int:
    """Remove the verified identifiers of these references; returns how many."""
    return db.execute(
        text(
            """
            DELETE FROM identity.identifier i
            USING unnest(CAST(:sources AS text[]), CAST(:refs AS text[])) AS r (source, customer_ref)
            WHERE i.source = r.source AND i.customer_ref = r.customer_ref
            """
        ),
        {"sources": [source for source, _ in refs], "refs": [ref for _, ref in refs]},
    ).rowcount


def add(
    db: Connection, customer_id: str, *, by: str, approved_by: str, approval_id: str, now: datetime
) -> None:
    """Keep that a customer was erased."""
    db.execute(
        text(
            """
            INSERT INTO identity.erasure (customer_id, erased_at, erased_by, approved_by, approval_id)
            VALUES (:customer_id, :now, :by, :approved_by, :approval_id)
            """
        ),
        {
            "customer_id": customer_id,
            "now": now,
            "by": by,
            "approved_by": approved_by,
            "approval_id": approval_id,
        },
    )


def erased_at(db: Connection, customer_id: str) -> datetime | None:
    """When a customer was erased, under this id or one that was merged into it."""
    found: datetime | None = db.scalar(
        text(
            """
            SELECT max(e.erased_at)
            FROM identity.customer asked
            JOIN identity.customer c
              ON coalesce(c.merged_into, c.customer_id) = coalesce(asked.merged_into, asked.customer_id)
            JOIN identity.erasure e ON e.customer_id = c.customer_id
            WHERE asked.customer_id = :customer_id
            """
        ),
        {"customer_id": customer_id},
    )
    return found
