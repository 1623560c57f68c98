"""Quarantine: what was refused is kept, sealed, with its place and reason, and can be tried again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from shouxin.governance import Keyring, Sealer, erased_subjects, sealer
from shouxin.ingestion import consent, online_retail, store
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
from shouxin.ingestion.reading import RefusedRow

_SEALED_AS = "quarantine"
_REPLAY_ROWS = 5_000
# Each row has a key of its own, named after its fingerprint: one can be forgotten and the rest opens.
_OWN_SUBJECT = "#quarantine:"
Append = Callable[..., set[tuple[str, str]]]
Refuse = Callable[[Connection, list[Fact | Refusal]], list[Fact | Refusal]]


def keep(
    db: Connection, rows: Sequence[RefusedRow], *, adapter: str, keyring: Keyring, now: datetime
) -> None:
    """Keep refused rows, each sealed under a key of its own; a row that was kept before adds nothing.

    Of an erased customer it is kept that a row was refused, and not what it held. The fingerprint is
    keyed: nobody can find a value by guessing.
    """
    if not rows:
        return
    fingerprints = [keyring.token(_SEALED_AS, _digest(adapter, row)) for row in rows]
    owners = [_owner(row) for row in rows]
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
            "source": _storable(row.source) or "unknown",
            "fingerprint": fingerprint,
            "adapter": adapter,
            "field": row.field,
            "reason": row.reason,
            "place": _storable(row.place),
            "subject": subject,
            "customer_ref": owner,
            "sealed": safe.seal(subject, _SEALED_AS, row.raw) if is_open else None,
            "received_at": now,
        }
        for row, fingerprint, owner, subject, is_open in zip(
            rows, fingerprints, owners, own, open_rows, strict=True
        )
    ]
    store.append_quarantined(db, kept)


def is_own_subject(subject: str) -> bool:
    """Whether the key of this sealing subject serves one refused row and nothing else."""
    return subject.startswith(_OWN_SUBJECT)


def opened(safe: Sealer, row: Mapping[Any, Any]) -> str:
    """What a refused row held; raises UnableToOpen."""
    return safe.open(row["subject"], _SEALED_AS, bytes(row["sealed"]))


def replay(db: Connection, keyring: Keyring, *, now: datetime, append: Append, refuse: Refuse) -> Receipt:
    """Try every open row again; ``refuse`` turns facts back that may not be kept, ``append`` stores."""
    receipt, after = Receipt(), 0
    store.lock_replay(db)
    while rows := store.open_quarantine(db, after=after, limit=_REPLAY_ROWS):
        after = rows[-1]["quarantine_no"]
        safe = sealer(db, keyring)
        safe.load({row["subject"] for row in rows})
        raws = [opened(safe, row) for row in rows]
        verdicts = [
            # Learnt now, whatever the row says: it was refused, so no decision can have seen it before.
            replace(verdict, received_at=now) if isinstance(verdict, Fact) else verdict
            for verdict in _verdicts(
                [(row["adapter"], row["source"], raw) for row, raw in zip(rows, raws, strict=True)], now
            )
        ]
        verdicts = refuse(db, consent.screen(db, verdicts, now=now))
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
    lines: dict[int, dict[str, Any]] = {}
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
        elif adapter == online_retail.SOURCE:
            lines[index] = row
            verdicts.append(Refusal("row", "not read"))
        else:
            verdicts.append(check_row(row, now=now))
    for index, verdict in _line_verdicts(lines, now).items():
        verdicts[index] = verdict
    return verdicts


def _line_verdicts(lines: dict[int, dict[str, Any]], now: datetime) -> dict[int, Fact | Refusal]:
    if not lines:
        return {}
    columns: dict[str, Any] = {
        name: pa.array([row[name] for row in lines.values()], pa.string()) for name in online_retail.COLUMNS
    }
    columns["place"] = pa.array([""] * len(lines), pa.string())
    columns["position"] = pa.array(list(lines), pa.int32())
    found = online_retail.interpret(pa.table(columns))
    verdicts: dict[int, Fact | Refusal] = {
        row.position: Refusal(row.field, row.reason) for row in found.refused
    }
    for row in found.rows.to_pylist():
        verdicts[row["position"]] = check_row(row, now=now)
    return verdicts


def _owner(row: RefusedRow) -> str | None:
    """Whose row it is; None when it does not say so, or says it unreadably."""
    reference = row.customer_ref
    if not row.source or not reference or len(reference) > REFERENCE_LENGTH_MAX:
        return None
    return reference if _storable(reference) == reference else None


def _storable(text: str) -> str:
    """The text without what PostgreSQL can not hold, and not longer than a name."""
    clean = "".join(letter for letter in text if letter.isprintable())
    return clean.encode("utf-8", "ignore").decode()[:REFERENCE_LENGTH_MAX]


def _digest(adapter: str, row: RefusedRow) -> str:
    content = "\x1f".join((adapter, row.source, row.raw))
    return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()
