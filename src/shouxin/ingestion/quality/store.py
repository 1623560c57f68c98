"""SQL of the counts: append, add up by source and day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from shouxin.ingestion.domain.quality import LoadCount, QualityDay

_COLUMNS = (
    "source",
    "adapter",
    "counted_at",
    "read",
    "accepted",
    "duplicates",
    "quarantined",
    "kept",
    "findings",
    "flawed",
    "newest_at",
)


def append_load_counts(db: Connection, counts: Sequence[LoadCount], *, now: datetime) -> None:
    """Add the counts of one load; a load without rows leaves none."""
    rows = [
        {
            "source": one.source,
            "adapter": one.adapter,
            "counted_at": now,
            "read": one.read,
            "accepted": one.accepted,
            "duplicates": one.duplicates,
            "quarantined": one.quarantined,
            "kept": one.kept,
            "findings": json.dumps(one.findings),
            "flawed": json.dumps(one.flawed),
            "newest_at": one.newest_at,
        }
        for one in counts
    ]
    if rows:  # nearly always one: COPY would need more round trips
        values = ", ".join(f":{name}" for name in _COLUMNS)
        db.execute(text(f"INSERT INTO ingestion.load_count ({', '.join(_COLUMNS)}) VALUES ({values})"), rows)


def quality_days(db: Connection, *, source: str | None, since: datetime) -> list[QualityDay]:
    """What each source sent on each day, by source, oldest first."""
    rows = db.execute(
        text(
            """
            WITH chosen AS (
                SELECT *, CAST(counted_at AT TIME ZONE 'UTC' AS date) AS day FROM ingestion.load_count
                WHERE counted_at >= :since AND (CAST(:source AS text) IS NULL OR source = :source)),
            told AS (
                SELECT source, day, name, what, sum(CAST(rows AS bigint)) AS rows
                FROM (SELECT source, day, 'findings' AS what, f.key AS name, f.value AS rows
                      FROM chosen CROSS JOIN jsonb_each_text(findings) AS f
                      UNION ALL
                      SELECT source, day, 'flawed', f.key, f.value
                      FROM chosen CROSS JOIN jsonb_each_text(flawed) AS f) AS each
                GROUP BY source, day, name, what),
            gathered AS (
                SELECT source, day,
                       jsonb_object_agg(name, rows) FILTER (WHERE what = 'findings') AS findings,
                       jsonb_object_agg(name, rows) FILTER (WHERE what = 'flawed') AS flawed
                FROM told GROUP BY source, day),
            sums AS (
                SELECT source, day, CAST(sum(read) AS bigint) AS read,
                       CAST(sum(accepted) AS bigint) AS accepted,
                       CAST(sum(duplicates) AS bigint) AS duplicates,
                       CAST(sum(quarantined) AS bigint) AS quarantined
                FROM chosen GROUP BY source, day)
            SELECT source, day, read, accepted, duplicates, quarantined,
                   coalesce(findings, '{}') AS findings, coalesce(flawed, '{}') AS flawed
            FROM sums LEFT JOIN gathered USING (source, day) ORDER BY source, day
            """
        ),
        {"source": source, "since": since},
    )
    return [QualityDay(*row) for row in rows]


def arrivals(
    db: Connection, *, source: str | None, since: datetime
) -> dict[str, tuple[list[datetime], datetime | None]]:
    """source -> when it sent something that passed (oldest first), and its newest event."""
    rows = db.execute(
        text(
            """
            SELECT source, array_agg(DISTINCT counted_at ORDER BY counted_at) AS at, max(newest_at) AS newest
            FROM ingestion.load_count
            WHERE accepted > 0 AND counted_at >= :since
              AND (CAST(:source AS text) IS NULL OR source = :source)
            GROUP BY source
            """
        ),
        {"source": source, "since": since},
    )
    return {row.source: (row.at, row.newest) for row in rows}


def load_sums(db: Connection) -> dict[str, int]:
    """All that ever came: read, accepted, duplicates, quarantined, kept."""
    row = db.execute(
        text(
            """
            SELECT CAST(coalesce(sum(read), 0) AS bigint) AS read,
                   CAST(coalesce(sum(accepted), 0) AS bigint) AS accepted,
                   CAST(coalesce(sum(duplicates), 0) AS bigint) AS duplicates,
                   CAST(coalesce(sum(quarantined), 0) AS bigint) AS quarantined,
                   CAST(coalesce(sum(kept), 0) AS bigint) AS kept
            FROM ingestion.load_count
            """
        )
    ).one()
    return dict(row._mapping)


def quarantine_sums(db: Connection) -> dict[str, int]:
    """Rows of the quarantine: kept, and how many of them are open or have each outcome."""
    rows = db.execute(
        text(
            """
            SELECT coalesce(e.outcome, 'open') AS state, count(*) AS rows
            FROM ingestion.quarantine q LEFT JOIN ingestion.quarantine_release e USING (quarantine_no)
            GROUP BY 1
            """
        )
    )
    states = {row.state: int(row.rows) for row in rows}
    kept = int(db.scalar(text("SELECT count(*) FROM ingestion.quarantine")))
    return {"kept": kept} | {
        state: states.get(state, 0) for state in ("open", "accepted", "duplicate", "discarded")
    }
