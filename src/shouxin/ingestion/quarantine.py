"""Quarantine: what was refused is kept, sealed, with its place and reason, for the desk to deal with."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from shouxin.governance import Keyring, Sealer, erased_subjects, sealer
from shouxin.ingestion import store
from shouxin.ingestion.domain import (
    REFERENCE_LENGTH_MAX,
)
from shouxin.ingestion.reading import RefusedRow

# The field that rows are sealed as.
SEALED_AS = "quarantine"
# Rows of before each had a key of its own, that did not say whose they were.
NOBODY = "quarantine"
# Each row has a key of its own, named after its fingerprint: one can be forgotten and the rest opens.
_OWN_SUBJECT = "#quarantine:"


def keep(
    db: Connection, rows: Sequence[RefusedRow], *, adapter: str, keyring: Keyring, now: datetime
) -> Counter[str]:
    """Keep refused rows, each sealed under a key of its own; a row that was kept before adds nothing.

    Returns the new ones by source.

    Of an erased customer it is kept that a row was refused, and not what it held. The fingerprint is
    keyed: nobody can find a value by guessing.
    """
    if not rows:
        return Counter()
    fingerprints = [keyring.token(SEALED_AS, _digest(adapter, row)) for row in rows]
    owners = [_owner(row.source, row.customer_ref) for row in rows]
    own = [f"{_OWN_SUBJECT}{fingerprint}" for fingerprint in fingerprints]
    told = [f"{row.source}:{owner}" for row, owner in zip(rows, owners, strict=True) if owner]
    gone = erased_subjects(db, {*own, *told})
    safe = sealer(db, keyring)
    open_rows = [
        subject not in gone and f"{row.source}:{owner}" not in gone
        for row, owner, subject in zip(rows, owners, own, strict=True)
    ]
    safe.prepare({subject for subject, is_open in zip(own, open_rows, strict=True) if is_open})
    kept = [
        {
            "source": stored_source(row.source),
            "fingerprint": fingerprint,
            "adapter": adapter,
            "field": row.field,
            "reason": row.reason,
            "place": _storable(row.place),
            "subject": subject,
            "customer_ref": owner,
            "sealed": safe.seal(subject, SEALED_AS, row.raw) if is_open else None,
            "received_at": now,
        }
        for row, fingerprint, owner, subject, is_open in zip(
            rows, fingerprints, owners, own, open_rows, strict=True
        )
    ]
    return store.append_quarantined(db, kept)


def is_own_subject(subject: str) -> bool:
    """Whether the key of this sealing subject serves one refused row and nothing else."""
    return subject.startswith(_OWN_SUBJECT)


def opened(safe: Sealer, row: Mapping[Any, Any]) -> str:
    """What a refused row held; raises UnableToOpen."""
    return safe.open(row["subject"], SEALED_AS, bytes(row["sealed"]))


def stored_source(source: str) -> str:
    """The name under which a refused row is kept."""
    return _storable(source) or "unknown"


def subject_of(source: str, reference: str | None) -> str:
    """For whom a row of before was sealed: the customer it names, else the quarantine itself."""
    owner = _owner(source, reference)
    return f"{source}:{owner}" if owner else NOBODY


def _owner(source: str, reference: str | None) -> str | None:
    """Whose row it is; None when it does not say so, or says it unreadably."""
    if not source or not reference or len(reference) > REFERENCE_LENGTH_MAX:
        return None
    subject = f"{source}:{reference}"
    return reference if _storable(subject) == subject else None


def _storable(text: str) -> str:
    """The text without what PostgreSQL can not hold, and not longer than a name."""
    clean = "".join(letter for letter in text if letter.isprintable())
    return clean.encode("utf-8", "ignore").decode()[:REFERENCE_LENGTH_MAX]


def _digest(adapter: str, row: RefusedRow) -> str:
    content = "\x1f".join((adapter, row.source, row.raw))
    return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()
