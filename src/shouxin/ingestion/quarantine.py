"""Quarantine: what was refused is kept, sealed, with its place and reason, and can be tried again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from shouxin.governance import Keyring, sealer
from shouxin.ingestion import clickstream, consent, online_retail, store
from shouxin.ingestion.adapting import Interpreted
from shouxin.ingestion.domain import (
    REFERENCE_LENGTH_MAX,
    Fact,
    Receipt,
    Refusal,
    RefusedItem,
    check_envelope,
    check_row,
    receipt_of,
)
from shouxin.ingestion.domain.registering import ADAPTER as REGISTRATION
from shouxin.ingestion.domain.registering import fact_of
from shouxin.ingestion.domain.surveys import ADAPTER as SURVEY
from shouxin.ingestion.domain.surveys import answer_of
from shouxin.ingestion.reading import RefusedRow

_SEALED_AS = "quarantine"
_REPLAY_ROWS = 5_000
# A row that does not say whose it is, or says it unreadably, is sealed for the quarantine itself.
_NOBODY = "quarantine"
# Adapters whose lines are read together: their columns, and how they are read.
_LINES: dict[str, tuple[tuple[str, ...], Callable[[pa.Table], Interpreted]]] = {
    online_retail.SOURCE: (online_retail.COLUMNS, online_retail.interpret),
    clickstream.SOURCE: (clickstream.COLUMNS, clickstream.interpret),
}
Append = Callable[..., set[tuple[str, str]]]


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
    subjects = [_subject(row) for row in rows]
    safe.prepare(set(subjects))
    kept = [
        {
            "source": _storable(row.source) or "unknown",
            "fingerprint": keyring.token(_SEALED_AS, _digest(adapter, row)),
            "adapter": adapter,
            "field": row.field,
            "reason": row.reason,
            "place": _storable(row.place),
            "subject": subject,
            "sealed": safe.seal(subject, _SEALED_AS, row.raw),
            "received_at": now,
        }
        for row, subject in zip(rows, subjects, strict=True)
    ]
    return store.append_quarantined(db, kept)


def replay(db: Connection, keyring: Keyring, *, now: datetime, append: Append) -> Receipt:
    """Try every open row again; ``append`` stores the facts and says which were new."""
    receipt, after = Receipt(), 0
    store.lock_replay(db)
    while rows := store.open_quarantine(db, after=after, limit=_REPLAY_ROWS):
        after = rows[-1]["quarantine_no"]
        safe = sealer(db, keyring)
        safe.load({row["subject"] for row in rows})
        raws = [safe.open(row["subject"], _SEALED_AS, bytes(row["sealed"])) for row in rows]
        verdicts = [
            # Learnt now, whatever the row says: it was refused, so no decision can have seen it before.
            replace(verdict, received_at=now) if isinstance(verdict, Fact) else verdict
            for verdict in _verdicts(
                [(row["adapter"], row["source"], raw) for row, raw in zip(rows, raws, strict=True)], now
            )
        ]
        verdicts = consent.screen(db, verdicts, now=now)
        fresh = append(db, [verdict for verdict in verdicts if isinstance(verdict, Fact)], keyring=keyring)
        outcomes: dict[int, str] = {}
        for row, verdict in zip(rows, verdicts, strict=True):
            if isinstance(verdict, Fact):
                identity = (verdict.source, verdict.source_id)
                outcomes[row["quarantine_no"]] = "accepted" if identity in fresh else "duplicate"
                fresh.discard(identity)
        store.append_releases(db, outcomes, now=now)
        receipt += _receipt(verdicts, list(outcomes.values()).count("accepted"), position=receipt.read)
    return receipt


def _receipt(verdicts: Sequence[Fact | Refusal], accepted: int, *, position: int) -> Receipt:
    refused = (
        RefusedItem(position + index, verdict.field, verdict.reason)
        for index, verdict in enumerate(verdicts)
        if isinstance(verdict, Refusal)
    )
    return receipt_of(read=len(verdicts), accepted=accepted, refused=refused)


def _verdicts(held: Sequence[tuple[str, str, str]], now: datetime) -> list[Fact | Refusal]:
    """Read each row again the way it came: as an envelope, as a row, or through its adapter."""
    verdicts: list[Fact | Refusal] = []
    lines: dict[str, dict[int, dict[str, Any]]] = {}
    for index, (adapter, source, raw) in enumerate(held):
        if adapter == "envelope":
            verdicts.append(
                check_envelope(raw.encode(), now=now, source=None if source == "unknown" else source)
            )
            continue
        row = json.loads(raw)
        if not isinstance(row, dict):
            verdicts.append(Refusal("row", "does not fit its header"))
        elif adapter == REGISTRATION:
            verdicts.append(fact_of(row, source=source, now=now))
        elif adapter == SURVEY:
            verdicts.append(answer_of(row, source=source, now=now))
        elif adapter in _LINES:
            lines.setdefault(adapter, {})[index] = row
            verdicts.append(Refusal("row", "not read"))
        else:
            verdicts.append(check_row(row, now=now))
    for adapter, rows in lines.items():
        for index, verdict in _line_verdicts(adapter, rows, now).items():
            verdicts[index] = verdict
    return verdicts


def _line_verdicts(
    adapter: str, lines: dict[int, dict[str, Any]], now: datetime
) -> dict[int, Fact | Refusal]:
    names, interpret = _LINES[adapter]
    columns: dict[str, Any] = {
        name: pa.array([row.get(name) for row in lines.values()], pa.string()) for name in names
    }
    columns["place"] = pa.array([""] * len(lines), pa.string())
    columns["position"] = pa.array(list(lines), pa.int32())
    found = interpret(pa.table(columns))
    verdicts: dict[int, Fact | Refusal] = {
        row.position: Refusal(row.field, row.reason) for row in found.refused
    }
    for row in found.rows.to_pylist():
        verdicts[row["position"]] = check_row(row, now=now)
    return verdicts


def _subject(row: RefusedRow) -> str:
    reference = row.customer_ref
    if not row.source or not reference or len(reference) > REFERENCE_LENGTH_MAX:
        return _NOBODY
    subject = f"{row.source}:{reference}"
    return subject if _storable(subject) == subject else _NOBODY


def _storable(text: str) -> str:
    """The text without what PostgreSQL can not hold, and not longer than a name."""
    clean = "".join(letter for letter in text if letter.isprintable())
    return clean.encode("utf-8", "ignore").decode()[:REFERENCE_LENGTH_MAX]


def _digest(adapter: str, row: RefusedRow) -> str:
    content = "\x1f".join((adapter, row.source, row.raw))
    return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()
