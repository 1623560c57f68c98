"""Audit: a chain in which each entry carries the hash of the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shouxin.kernel import canonical_json

FIRST_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, when, and the seal on it."""

    entry_no: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """Whether the chain holds; ``first_broken`` is the number of the first entry that does not.

    ``head`` is the hash of the last entry. Kept elsewhere and asked for later, it also shows entries
    cut off the end: ``head_found`` is False when no entry has it.
    """

    entries: int
    intact: bool
    first_broken: int | None
    head: str
    head_found: bool = True


def entry_hash(
    *,
    entry_no: int,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    previous_hash: str,
) -> str:
    """SHA-256 over the canonical content and the previous hash, in hex."""
    content = {
        "entry_no": entry_no,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": dict(detail),
        "previous_hash": previous_hash,
    }
    return hashlib.sha256(canonical_json(content)).hexdigest()


def chained(
    previous: tuple[int, str] | None,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
) -> AuditEntry:
    """The entry that follows ``previous`` (its number and hash), or the first one."""
    last_no, previous_hash = previous or (0, FIRST_HASH)
    seal = entry_hash(
        entry_no=last_no + 1,
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        detail=detail,
        previous_hash=previous_hash,
    )
    return AuditEntry(last_no + 1, at, actor, action, subject, detail, previous_hash, seal)


def verdict(entries: Iterable[AuditEntry], *, known_head: str | None = None) -> AuditVerdict:
    """Walk the chain from its first entry; reads all of it, holds one entry at a time."""
    number, head, first_broken = 0, FIRST_HASH, None
    found = known_head in {None, FIRST_HASH}
    for count, entry in enumerate(entries, 1):
        number = count
        if first_broken is None and not _holds(entry, entry_no=count, previous_hash=head):
            # After a gap the entry that follows it is the first that can be named.
            first_broken = entry.entry_no
        head = entry.hash
        found = found or head == known_head
    return AuditVerdict(number, found and first_broken is None, first_broken, head, found)


def _holds(entry: AuditEntry, *, entry_no: int, previous_hash: str) -> bool:
    return (
        entry.entry_no == entry_no
        and entry.previous_hash == previous_hash
        and entry.hash
        == entry_hash(
            entry_no=entry.entry_no,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            detail=entry.detail,
            previous_hash=entry.previous_hash,
        )
    )
