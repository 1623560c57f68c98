"""Words of customers, read from the event log: SQL in, values out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from shouxin.ingestion.consent.domain import ConsentState, ConsentWord

Reference = tuple[str, str]


def words(
    db: Connection, refs: Sequence[Reference], *, as_of: datetime, purpose: str | None
) -> list[ConsentWord]:
    """What was said under these references and was known at ``as_of``, in the order in which it came."""
    unique = list(dict.fromkeys(refs))
    rows = db.execute(
        text(
            """
            SELECT w.source, w.customer_ref, w.purpose, w.state, w.text_version, w.channel, w.occurred_at,
                   w.received_at
            FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[])) AS r (source, customer_ref)
            JOIN ingestion.consent_word w ON w.source = r.source AND w.customer_ref = r.customer_ref
            WHERE w.occurred_at <= :as_of AND w.received_at <= :as_of
              AND (CAST(:purpose AS text) IS NULL OR w.purpose = :purpose)
            ORDER BY w.event_no
            """
        ),
        {
            "sources": [source for source, _ in unique],
            "refs": [ref for _, ref in unique],
            "as_of": as_of,
            "purpose": purpose,
        },
    )
    return [_word(*row) for row in rows]


def _word(source: str, customer_ref: str, purpose: str, state: str, *rest: object) -> ConsentWord:
    return ConsentWord(source, customer_ref, purpose, ConsentState(state), *rest)  # type: ignore[arg-type]
