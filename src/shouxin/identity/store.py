"""Customers, references, verified identifiers and merges: SQL in, values out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from shouxin.identity.domain import Conflict, ConflictRow, Identifier, Merge, ReferenceIdentifier
from shouxin.kernel import CustomerId

Reference = tuple[str, str]


def held_progress(db: Connection) -> int:
    """The last event that was looked at, held so that one batch runs at a time."""
    return int(db.scalar(text("SELECT event_no FROM identity.progress FOR UPDATE")))


def set_progress(db: Connection, event_no: int) -> None:
    """Everything up to this event was looked at."""
    db.execute(text("UPDATE identity.progress SET event_no = :event_no"), {"event_no": event_no})


def unlinked(db: Connection, refs: Sequence[Reference]) -> list[Reference]:
    """Those references that lead to nobody yet, in the given order."""
    rows = db.execute(
        text(
            """
            SELECT r.source, r.customer_ref
            FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[]))
                WITH ORDINALITY AS r (source, customer_ref, place)
            LEFT JOIN identity.link l USING (source, customer_ref)
            WHERE l.customer_id IS NULL ORDER BY r.place
            """
        ),
        _columns(refs),
    )
    return [(row.source, row.customer_ref) for row in rows]


def add_customers(db: Connection, refs: Sequence[Reference], ids: Sequence[str], *, now: datetime) -> int:
    """Make a customer for each reference, in order, and link it; returns how many are new."""
    values = {**_columns(refs), "ids": list(ids), "now": now}
    made = db.execute(
        text(
            """
            INSERT INTO identity.customer (customer_id, known_since)
            SELECT id, :now FROM unnest(CAST(:ids AS text[])) WITH ORDINALITY AS n (id, place)
            ORDER BY place ON CONFLICT (customer_id) DO NOTHING
            """
        ),
        values,
    )
    db.execute(
        text(
            """
            INSERT INTO identity.link (source, customer_ref, customer_id, linked_at)
            SELECT source, customer_ref, id, :now
            FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[]), CAST(:ids AS text[]))
                WITH ORDINALITY AS n (source, customer_ref, id, place)
            ORDER BY place ON CONFLICT (source, customer_ref) DO NOTHING
            """
        ),
        values,
    )
    return made.rowcount


def add_identifiers(db: Connection, identifiers: Sequence[ReferenceIdentifier]) -> list[str]:
    """Keep verified identifiers; returns the tokens of those that are new."""
    rows = db.execute(
        text(
            """
            INSERT INTO identity.identifier (source, customer_ref, field, token, verified_at)
            SELECT * FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[]), CAST(:fields AS text[]),
                                 CAST(:tokens AS text[]), CAST(:times AS timestamptz[]))
            ON CONFLICT DO NOTHING RETURNING token
            """
        ),
        {
            "sources": [item.source for item in identifiers],
            "refs": [item.customer_ref for item in identifiers],
            "fields": [item.field for item in identifiers],
            "tokens": [item.token for item in identifiers],
            "times": [item.verified_at for item in identifiers],
        },
    )
    return sorted({row.token for row in rows})


def holders(db: Connection, tokens: Sequence[str]) -> tuple[list[Identifier], dict[str, int]]:
    """Who holds these tokens, with the national ids of the same customers; and the age of each."""
    rows = db.execute(
        text(
            """
            WITH touched AS MATERIALIZED (
                SELECT DISTINCT coalesce(c.merged_into, c.customer_id) AS customer_id
                FROM identity.identifier i
                JOIN identity.link l USING (source, customer_ref)
                JOIN identity.customer c USING (customer_id)
                WHERE i.token = ANY (:tokens)
            )
            SELECT DISTINCT i.field, i.token, root.customer_id, root.customer_no
            FROM touched
            JOIN identity.customer root ON root.customer_id = touched.customer_id
            JOIN identity.customer c ON coalesce(c.merged_into, c.customer_id) = touched.customer_id
            JOIN identity.link l ON l.customer_id = c.customer_id
            JOIN identity.identifier i ON i.source = l.source AND i.customer_ref = l.customer_ref
            WHERE i.field = 'national_id' OR i.token = ANY (:tokens)
            """
        ),
        {"tokens": list(tokens)},
    ).all()
    found = [Identifier(row.field, row.token, row.customer_id) for row in rows]
    return found, {row.customer_id: row.customer_no for row in rows}


def add_merges(db: Connection, merges: Sequence[Merge], *, now: datetime) -> None:
    """Point absorbed customers, and all that were absorbed by them before, to the one that stays."""
    values = {
        "absorbed": [merge.absorbed_id for merge in merges],
        "kept": [merge.customer_id for merge in merges],
        "fields": [merge.field for merge in merges],
        "tokens": [merge.token for merge in merges],
        "now": now,
    }
    db.execute(
        text(
            """
            INSERT INTO identity.merge (absorbed_id, customer_id, field, token, merged_at)
            SELECT absorbed, kept, field, token, :now
            FROM unnest(CAST(:absorbed AS text[]), CAST(:kept AS text[]), CAST(:fields AS text[]),
                        CAST(:tokens AS text[])) AS m (absorbed, kept, field, token)
            """
        ),
        values,
    )
    db.execute(
        text(
            """
            UPDATE identity.customer c SET merged_into = m.kept
            FROM unnest(CAST(:absorbed AS text[]), CAST(:kept AS text[])) AS m (absorbed, kept)
            WHERE coalesce(c.merged_into, c.customer_id) = m.absorbed
            """
        ),
        values,
    )


def add_conflicts(db: Connection, conflicts: Sequence[Conflict], *, now: datetime) -> None:
    """Keep conflicts that are not known yet."""
    for conflict in conflicts:
        db.execute(
            text(
                """
                INSERT INTO identity.conflict (field, token, customer_ids, found_at)
                VALUES (:field, :token, :customer_ids, :now) ON CONFLICT DO NOTHING
                """
            ),
            {
                "field": conflict.field,
                "token": conflict.token,
                "customer_ids": list(conflict.customer_ids),
                "now": now,
            },
        )


def conflicts(db: Connection, *, limit: int) -> list[ConflictRow]:
    """Conflicts, newest first."""
    rows = db.execute(
        text(
            """
            SELECT field, token, customer_ids, found_at FROM identity.conflict
            ORDER BY found_at DESC, field, token LIMIT :limit
            """
        ),
        {"limit": limit},
    )
    return [
        ConflictRow(row.field, row.token, tuple(CustomerId(i) for i in row.customer_ids), row.found_at)
        for row in rows
    ]


def customer_of(db: Connection, source: str, customer_ref: str) -> CustomerId | None:
    """Whom a reference leads to today."""
    found: str | None = db.scalar(
        text(
            """
            SELECT customer_id FROM identity.member
            WHERE source = :source AND customer_ref = :customer_ref LIMIT 1
            """
        ),
        {"source": source, "customer_ref": customer_ref},
    )
    return CustomerId(found) if found is not None else None


def members(db: Connection, customer_ids: Sequence[str]) -> list[tuple[str, str, str]]:
    """``(customer_id asked for, source, customer_ref)`` of some customers, the oldest reference first."""
    rows = db.execute(
        text(
            """
            SELECT asked.customer_id, m.source, m.customer_ref
            FROM identity.customer asked
            JOIN identity.customer c
              ON coalesce(c.merged_into, c.customer_id) = coalesce(asked.merged_into, asked.customer_id)
            -- Lateral: one step through an index a customer, whatever the planner knows of the tables.
            CROSS JOIN LATERAL (
                SELECT l.source, l.customer_ref, l.link_no FROM identity.link l
                WHERE l.customer_id = c.customer_id
                UNION ALL SELECT 'credit', c.customer_id, NULL
            ) AS m
            WHERE asked.customer_id = ANY (:ids)
            ORDER BY asked.customer_id, m.link_no NULLS LAST, m.customer_ref
            """
        ),
        {"ids": list(customer_ids)},
    )
    return [(row.customer_id, row.source, row.customer_ref) for row in rows]


def all_members(db: Connection) -> list[tuple[str, str, str]]:
    """``(source, customer_ref, customer_id)`` of every reference."""
    rows = db.execute(
        text("SELECT source, customer_ref, customer_id FROM identity.member ORDER BY source, customer_ref")
    )
    return [(row.source, row.customer_ref, row.customer_id) for row in rows]


def _columns(refs: Sequence[Reference]) -> dict[str, list[str]]:
    return {"sources": [source for source, _ in refs], "refs": [ref for _, ref in refs]}
