"""The audit chain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, text

from shouxin.governance.domain.audit import AuditEntry
from shouxin.kernel import canonical_json

_CHAIN_LOCK = 727010
_CHUNK = 2_000
_COLUMNS = "entry_no, at, actor, action, subject, detail, previous_hash, hash"


def held_head(db: Connection) -> tuple[int, str] | None:
    """Number and hash of the last entry. Nobody else can add one until this transaction ends."""
    db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _CHAIN_LOCK})
    row = db.execute(
        text("SELECT entry_no, hash FROM governance.audit ORDER BY entry_no DESC LIMIT 1")
    ).one_or_none()
    return (row.entry_no, row.hash) if row else None


def add(db: Connection, entry: AuditEntry) -> None:
    """Keep the next entry."""
    db.execute(
        text(
            f"""
            INSERT INTO governance.audit ({_COLUMNS})
            VALUES (:entry_no, :at, :actor, :action, :subject, CAST(:detail AS json), :previous_hash, :hash)
            """
        ),
        {
            "entry_no": entry.entry_no,
            "at": entry.at,
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "detail": canonical_json(dict(entry.detail)).decode(),
            "previous_hash": entry.previous_hash,
            "hash": entry.hash,
        },
    )


def walk(db: Connection) -> Iterator[AuditEntry]:
    """Every entry from the first, a few thousand in memory at a time."""
    last = None
    query = text(
        f"""
        SELECT {_COLUMNS} FROM governance.audit
        WHERE CAST(:last AS bigint) IS NULL OR entry_no > :last ORDER BY entry_no LIMIT :limit
        """
    )
    while rows := db.execute(query, {"last": last, "limit": _CHUNK}).all():
        yield from map(_entry, rows)
        last = rows[-1].entry_no


def newest(
    db: Connection, *, limit: int, before: int | None, action: str | None, subject: str | None
) -> list[AuditEntry]:
    """Entries, newest first, before an entry number, of one action or subject."""
    rows = db.execute(
        text(
            f"""
            SELECT {_COLUMNS} FROM governance.audit
            WHERE (CAST(:before AS bigint) IS NULL OR entry_no < :before)
              AND (CAST(:action AS text) IS NULL OR action = :action)
              AND (CAST(:subject AS text) IS NULL OR subject = :subject)
            ORDER BY entry_no DESC LIMIT :limit
            """
        ),
        {"before": before, "action": action, "subject": subject, "limit": limit},
    )
    return [_entry(row) for row in rows]


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        row.entry_no,
        row.at,
        row.actor,
        row.action,
        row.subject,
        row.detail,
        row.previous_hash,
        row.hash,
    )
