"""Words of customers, read from the event log; texts and policies: SQL in, values out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from shouxin.database import copy_rows
from shouxin.ingestion.consent.domain import ConsentState, ConsentText, ConsentWord, LeftOut
from shouxin.kernel import Bilingual

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
    return [
        ConsentWord(row.source, row.customer_ref, row.purpose, ConsentState(row.state), *row[4:])
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy of a source as it is kept; ``body`` is JSON data."""

    policy_no: int
    source: str
    body: Mapping[str, Any]
    set_by: str
    set_at: datetime


def policies(db: Connection, *, sources: Sequence[str] | None) -> list[PolicyRow]:
    """The policy that each source has now, by source; of the given ``sources`` or of all."""
    rows = db.execute(
        text(
            """
            SELECT DISTINCT ON (source) policy_no, source, body, set_by, set_at
            FROM ingestion.consent_policy
            WHERE CAST(:sources AS text[]) IS NULL OR source = ANY (CAST(:sources AS text[]))
            ORDER BY source, policy_no DESC
            """
        ),
        {"sources": None if sources is None else list(sources)},
    )
    return [PolicyRow(*row) for row in rows]


def add_policy(db: Connection, source: str, body: Mapping[str, Any], *, by: str, now: datetime) -> int:
    """Keep a further version of a source's policy; returns its number."""
    return int(
        db.scalar(
            text(
                """
                INSERT INTO ingestion.consent_policy (source, body, set_by, set_at)
                VALUES (:source, CAST(:body AS jsonb), :by, :now) RETURNING policy_no
                """
            ),
            {"source": source, "body": json.dumps(body), "by": by, "now": now},
        )
    )


def texts(db: Connection, *, purpose: str | None) -> list[ConsentText]:
    """The versions of the texts of one purpose or of all, by when they become valid."""
    rows = db.execute(
        text(
            """
            SELECT purpose, text_version, zh, en, valid_from, published_by, published_at
            FROM ingestion.consent_text WHERE CAST(:purpose AS text) IS NULL OR purpose = :purpose
            ORDER BY purpose, valid_from, published_at, text_version
            """
        ),
        {"purpose": purpose},
    )
    return [
        ConsentText(
            row.purpose,
            row.text_version,
            Bilingual(row.zh, row.en),
            row.valid_from,
            row.published_by,
            row.published_at,
        )
        for row in rows
    ]


def add_text(db: Connection, given: ConsentText) -> bool:
    """Keep a version; False when the version is there already."""
    done = db.execute(
        text(
            """
            INSERT INTO ingestion.consent_text
                (purpose, text_version, zh, en, valid_from, published_by, published_at)
            VALUES (:purpose, :text_version, :zh, :en, :valid_from, :published_by, :published_at)
            ON CONFLICT (purpose, text_version) DO NOTHING
            """
        ),
        {
            "purpose": given.purpose,
            "text_version": given.text_version,
            "zh": given.text.zh,
            "en": given.text.en,
            "valid_from": given.valid_from,
            "published_by": given.published_by,
            "published_at": given.published_at,
        },
    )
    return done.rowcount == 1


def add_left_out(db: Connection, times: Mapping[LeftOut, int], *, now: datetime) -> None:
    """Count what was left out of a batch."""
    columns = ("source", "field", "purpose", "times", "left_out_at")
    rows = ((one.source, one.field, one.purpose, count, now) for one, count in times.items())
    copy_rows(db, "ingestion.consent_left_out", columns, rows)


def left_out(db: Connection) -> dict[LeftOut, int]:
    """How often what was left out, by source, field and purpose."""
    rows = db.execute(
        text(
            """
            SELECT source, field, purpose, sum(times) AS times FROM ingestion.consent_left_out
            GROUP BY source, field, purpose ORDER BY source, field, purpose
            """
        )
    )
    return {LeftOut(row.source, row.field, row.purpose): int(row.times) for row in rows}


def references_by_state(db: Connection, *, as_of: datetime) -> list[tuple[str, str, str | None, int]]:
    """``(purpose, state, text_version, references)``: the last word of every reference, counted.

    ``text_version`` is the text of the last consent, also of one that is withdrawn by now.
    """
    rows = db.execute(
        text(
            """
            WITH known AS (
                SELECT * FROM ingestion.consent_word WHERE occurred_at <= :as_of AND received_at <= :as_of
            ), last AS (
                SELECT DISTINCT ON (source, customer_ref, purpose) source, customer_ref, purpose, state
                FROM known
                ORDER BY source, customer_ref, purpose, occurred_at DESC, received_at DESC, state DESC
            ), agreed AS (
                SELECT DISTINCT ON (source, customer_ref, purpose) source, customer_ref, purpose, text_version
                FROM known WHERE state = 'granted'
                ORDER BY source, customer_ref, purpose, occurred_at DESC, received_at DESC, text_version DESC
            )
            SELECT purpose, state, text_version, count(*) AS counted
            FROM last LEFT JOIN agreed USING (source, customer_ref, purpose)
            GROUP BY purpose, state, text_version ORDER BY purpose, state, text_version
            """
        ),
        {"as_of": as_of},
    )
    return [(row.purpose, row.state, row.text_version, int(row.counted)) for row in rows]
