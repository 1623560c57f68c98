"""Who holds a value already: SQL in, values out."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text


def holders(
    db: Connection, tokens: Sequence[tuple[str, str]], *, source: str
) -> dict[tuple[str, str], set[str]]:
    """(field, token) -> the references of this source that have told it."""
    rows = db.execute(
        text(
            """
            SELECT DISTINCT p.field, p.token, p.customer_ref
            FROM unnest(CAST(:fields AS text[]), CAST(:tokens AS text[])) AS t (field, token)
            CROSS JOIN LATERAL (
                SELECT field, token, customer_ref FROM ingestion.personal
                WHERE field = t.field AND token = t.token AND source = :source LIMIT 50
            ) AS p
            """
        ),
        {"fields": [f for f, _ in tokens], "tokens": [t for _, t in tokens], "source": source},
    )
    found: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        found.setdefault((row.field, row.token), set()).add(row.customer_ref)
    return found


def told_at_registration(
    db: Connection, source_ids: Sequence[str], *, source: str
) -> dict[str, set[tuple[str, str]]]:
    """source_id -> the (field, token) that its event told, for those that are in the log already."""
    rows = db.execute(
        text(
            """
            SELECT e.source_id, p.field, p.token
            FROM ingestion.event e LEFT JOIN ingestion.personal p USING (source, source_id)
            WHERE e.source = :source AND e.source_id = ANY (:source_ids)
            """
        ),
        {"source": source, "source_ids": list(source_ids)},
    )
    found: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        told = found.setdefault(row.source_id, set())
        if row.field is not None:
            told.add((row.field, row.token))
    return found
