"""Quarantine: what was refused is kept, sealed, with its place and reason, for the desk to deal with."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from shouxin.governance import Keyring, sealer
from shouxin.ingestion import store
from shouxin.ingestion.domain import (
    REFERENCE_LENGTH_MAX,
)
from shouxin.ingestion.reading import RefusedRow

# The field that rows are sealed as.
SEALED_AS = "quarantine"
# A row that does not say whose it is, or says it unreadably, is sealed for the quarantine itself.
NOBODY = "quarantine"


def keep(
    db: Connection, rows: Sequence[RefusedRow], *, adapter: str, keyring: Keyring, now: datetime
) -> Counter[str]:
    """Keep refused rows, sealed; a row that was kept before adds nothing. Returns the new ones by source.

    A row that names its customer is sealed under that customer's key, so that forgetting the
    customer forgets this too. The fingerprint is keyed: nobody can find a value by guessing.
    """
    if not rows:
        return Counter()
    safe = sealer(db, keyring)
    subjects = [subject_of(row.source, row.customer_ref) for row in rows]
    safe.prepare(set(subjects))
    kept = [
        {
            "source": stored_source(row.source),
            "fingerprint": keyring.token(SEALED_AS, _digest(adapter, row)),
            "adapter": adapter,
            "field": row.field,
            "reason": row.reason,
            "place": _storable(row.place),
            "subject": subject,
            "sealed": safe.seal(subject, SEALED_AS, row.raw),
            "received_at": now,
        }
        for row, subject in zip(rows, subjects, strict=True)
    ]
    return store.append_quarantined(db, kept)


def stored_source(source: str) -> str:
    """The name under which a refused row is kept."""
    return _storable(source) or "unknown"


def subject_of(source: str, reference: str | None) -> str:
    """For whom a row is sealed: the customer it names, else the quarantine itself."""
    if not source or not reference or len(reference) > REFERENCE_LENGTH_MAX:
        return NOBODY
    subject = f"{source}:{reference}"
    return subject if _storable(subject) == subject else NOBODY


def _storable(text: str) -> str:
    """The text without what PostgreSQL can not hold, and not longer than a name."""
    clean = "".join(letter for letter in text if letter.isprintable())
    return clean.encode("utf-8", "ignore").decode()[:REFERENCE_LENGTH_MAX]


def _digest(adapter: str, row: RefusedRow) -> str:
    content = "\x1f".join((adapter, row.source, row.raw))
    return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()
