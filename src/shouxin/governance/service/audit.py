"""The audit chain: add to it, walk it, read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from shouxin.governance.domain.audit import AuditEntry, AuditVerdict, chained, verdict
from shouxin.governance.store import audit


def record_audit(
    db: Connection, *, actor: str, action: str, subject: str, detail: Mapping[str, Any], now: datetime
) -> int:
    """Add an entry to the chain and return its number.

    Entries are added one transaction at a time, so record at the end of the work: what comes after
    keeps everybody else waiting. ``detail`` is JSON without clear personal data.
    """
    entry = chained(audit.held_head(db), at=now, actor=actor, action=action, subject=subject, detail=detail)
    audit.add(db, entry)
    return entry.entry_no


def verify_audit(db: Connection, *, known_head: str | None = None) -> AuditVerdict:
    """Walk the whole chain and find the first entry that was changed, removed or slipped in.

    ``known_head`` is a ``head`` of an earlier verdict that was kept elsewhere; the chain must still
    contain it, or entries were cut off its end.
    """
    return verdict(audit.walk(db), known_head=known_head)


def list_audit(
    db: Connection,
    *,
    limit: int = 100,
    before: int | None = None,
    action: str | None = None,
    subject: str | None = None,
) -> list[AuditEntry]:
    """Entries, newest first; ``before`` an entry number pages on."""
    return audit.newest(db, limit=limit, before=before, action=action, subject=subject)
