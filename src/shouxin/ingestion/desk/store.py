"""SQL of the quarantine desk: find, count, release, repair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, text

from shouxin.database import copy_rows
from shouxin.ingestion.domain import QuarantinedRow, Refusal
from shouxin.ingestion.domain.desk import QuarantineFilter, Repair
from shouxin.ingestion.domain.quality import rule_of

_REPLAY_LOCK = 727004
_SHOWN_SQL = (
    "quarantine_no, source, adapter, field, reason, place, received_at, released_at, outcome, released_by, "
    "why, repairs"
)
# The columns of what is tried next, and none of what is only told.
_SEALED_SQL = "quarantine_no, source, adapter, field, reason, place, subject, sealed"


def lock_replay(db: Connection) -> None:
    """One replay, repair or discard at a time, until the transaction ends: each row is released once."""
    db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _REPLAY_LOCK})


def list_rows(
    db: Connection, chosen: QuarantineFilter, *, limit: int, before: int | None
) -> list[QuarantinedRow]:
    """Chosen rows, newest first, without what they held."""
    condition, values = _condition(db, chosen)
    rows = db.execute(
        text(
            f"""
            SELECT {_SHOWN_SQL} FROM ingestion.quarantine_today
            WHERE {condition} AND (CAST(:before AS bigint) IS NULL OR quarantine_no < :before)
            ORDER BY quarantine_no DESC LIMIT :limit
            """
        ),
        {**values, "before": before, "limit": limit},
    )
    return [QuarantinedRow(*row) for row in rows]


def find_row(db: Connection, number: int) -> QuarantinedRow | None:
    """One row without what it held."""
    row = db.execute(
        text(f"SELECT {_SHOWN_SQL} FROM ingestion.quarantine_today WHERE quarantine_no = :number"),
        {"number": number},
    ).one_or_none()
    return None if row is None else QuarantinedRow(*row)


def sealed_row(db: Connection, number: int) -> RowMapping | None:
    """One row as it is tried next, sealed, with its outcome."""
    return (
        db.execute(
            text(
                f"SELECT {_SEALED_SQL}, outcome FROM ingestion.quarantine_today WHERE quarantine_no = :number"
            ),
            {"number": number},
        )
        .mappings()
        .one_or_none()
    )


def sealed_rows(db: Connection, chosen: QuarantineFilter, *, after: int, limit: int) -> list[RowMapping]:
    """The next chosen rows in the order of their numbers, as they are tried next, sealed."""
    condition, values = _condition(db, chosen)
    rows = db.execute(
        text(
            f"""
            SELECT {_SEALED_SQL} FROM ingestion.quarantine_today
            WHERE {condition} AND quarantine_no > :after ORDER BY quarantine_no LIMIT :limit
            """
        ),
        {**values, "after": after, "limit": limit},
    )
    return list(rows.mappings())


def count_rows(db: Connection, chosen: QuarantineFilter) -> int:
    """How many rows are chosen."""
    condition, values = _condition(db, chosen)
    found = db.scalar(
        text(f"SELECT count(*) FROM ingestion.quarantine_today WHERE {condition}"),
        values,
    )
    return int(found or 0)


def chosen_numbers(db: Connection, chosen: QuarantineFilter) -> list[int]:
    """The numbers of the chosen rows."""
    condition, values = _condition(db, chosen)
    rows = db.execute(
        text(f"SELECT quarantine_no FROM ingestion.quarantine_today WHERE {condition} ORDER BY 1"), values
    )
    return list(rows.scalars())


def repairs_of(db: Connection, number: int) -> list[Repair]:
    """The repairs of a row, the oldest first."""
    rows = db.execute(
        text(
            """
            SELECT repaired_at, repaired_by, why, changed, field, reason
            FROM ingestion.quarantine_repair WHERE quarantine_no = :number ORDER BY repair_no
            """
        ),
        {"number": number},
    )
    return [
        Repair(
            row.repaired_at,
            row.repaired_by,
            row.why,
            tuple(row.changed),
            Refusal(row.field, row.reason) if row.reason else None,
        )
        for row in rows
    ]


def append_repair(db: Connection, repair: Mapping[str, Any]) -> None:
    """Keep a repair; an empty ``reason`` says that nothing was wrong any more."""
    db.execute(
        text(
            """
            INSERT INTO ingestion.quarantine_repair
                (quarantine_no, changed, field, reason, subject, sealed, repaired_by, why, repaired_at)
            VALUES (:quarantine_no, :changed, :field, :reason, :subject, :sealed, :repaired_by, :why,
                    :repaired_at)
            """
        ),
        dict(repair),
    )


def append_releases(
    db: Connection, outcomes: Mapping[int, str], *, now: datetime, by: str | None, why: str | None
) -> None:
    """Say of refused rows what became of them after all."""
    columns = ("quarantine_no", "outcome", "released_at", "released_by", "why")
    rows: Sequence[tuple[Any, ...]] = [
        (number, outcome, now, by, why) for number, outcome in outcomes.items()
    ]
    copy_rows(db, "ingestion.quarantine_release", columns, rows)


def _condition(db: Connection, chosen: QuarantineFilter) -> tuple[str, dict[str, Any]]:
    """The filter as SQL. A rule is the reasons that it gave, which the domain alone knows."""
    parts, values = ["true"], dict[str, Any]()
    if chosen.source is not None:
        parts.append("source = :source")
        values["source"] = chosen.source
    if chosen.adapter is not None:
        parts.append("adapter = :adapter")
        values["adapter"] = chosen.adapter
    if chosen.rule is not None:
        parts.append("reason = ANY(CAST(:reasons AS text[]))")
        values["reasons"] = [reason for reason in _reasons(db) if rule_of(reason).code == chosen.rule]
    if chosen.state is not None:
        parts.append("coalesce(outcome, 'open') = :state")
        values["state"] = chosen.state
    if chosen.received_before is not None:
        parts.append("received_at < :received_before")
        values["received_before"] = chosen.received_before
    return " AND ".join(parts), values


def told(db: Connection, column: Literal["source", "adapter", "reason"]) -> list[str]:
    """Every value of a column of the quarantine, found by stepping along its index."""
    rows = db.execute(
        text(
            f"""
            WITH RECURSIVE told AS (
                (SELECT {column} AS value FROM ingestion.quarantine ORDER BY {column} LIMIT 1)
                UNION ALL
                SELECT (SELECT q.{column} FROM ingestion.quarantine q WHERE q.{column} > told.value
                        ORDER BY q.{column} LIMIT 1)
                FROM told WHERE told.value IS NOT NULL)
            SELECT value FROM told WHERE value IS NOT NULL LIMIT 10000
            """
        )
    )
    return list(rows.scalars())


def _reasons(db: Connection) -> set[str]:
    """Every reason that stands in the quarantine, as it came or after a repair."""
    repaired = db.execute(text("SELECT DISTINCT reason FROM ingestion.quarantine_repair"))
    return {*told(db, "reason"), *repaired.scalars()}
