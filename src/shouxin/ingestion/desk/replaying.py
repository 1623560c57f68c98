"""Replaying: rows are read again the way they came, under today's rules; what is taken is released."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, RowMapping

from shouxin.governance import Keyring, Sealer, UnableToOpen, record_audit, sealer
from shouxin.ingestion import clickstream, consent, online_retail
from shouxin.ingestion.adapting import Interpreted
from shouxin.ingestion.desk import store
from shouxin.ingestion.domain import (
    Fact,
    Receipt,
    Refusal,
    RefusedItem,
    check_envelope,
    check_row,
    receipt_of,
)
from shouxin.ingestion.domain.desk import ENVELOPE, QuarantineFilter
from shouxin.ingestion.domain.quality import CAN_NOT_OPEN
from shouxin.ingestion.domain.registering import ADAPTER as REGISTRATION
from shouxin.ingestion.domain.registering import fact_of
from shouxin.ingestion.domain.surveys import ADAPTER as SURVEY
from shouxin.ingestion.domain.surveys import answer_of
from shouxin.ingestion.erasure import refuse_erased
from shouxin.ingestion.quarantine import SEALED_AS
from shouxin.ingestion.registration import judge_again
from shouxin.ingestion.service import append

_REPLAY_ROWS = 5_000
# Adapters whose lines are read together: their columns, and how they are read.
_LINES: dict[str, tuple[tuple[str, ...], Callable[[pa.Table], Interpreted]]] = {
    online_retail.SOURCE: (online_retail.COLUMNS, online_retail.interpret),
    clickstream.SOURCE: (clickstream.COLUMNS, clickstream.interpret),
}


@dataclass(frozen=True, slots=True)
class HeldRow:
    """What a row held: how it came, of which source, and its text."""

    adapter: str
    source: str
    raw: str


def replay_quarantine(
    db: Connection,
    keyring: Keyring,
    now: datetime,
    *,
    chosen: QuarantineFilter | None = None,
    by: str = "system",
) -> Receipt:
    """Try open rows (all, or those chosen) again under today's rules; what is taken is learnt ``now``.

    A row that can not be opened is counted as refused and stays. Positions in the receipt are numbers of
    the quarantine.
    """
    store.lock_replay(db)
    wanted = replace(chosen or QuarantineFilter(), state="open")
    receipt, after = Receipt(), 0
    while rows := store.sealed_rows(db, wanted, after=after, limit=_REPLAY_ROWS):
        after = rows[-1]["quarantine_no"]
        receipt += _replay(db, rows, keyring=keyring, now=now)
    if receipt.read:
        record_audit(
            db,
            actor=by,
            action="quarantine.replayed",
            subject="quarantine:open",
            detail={"chosen": wanted.as_data(), "read": receipt.read, "accepted": receipt.accepted},
            now=now,
        )
    return receipt


def _replay(db: Connection, rows: Sequence[RowMapping], *, keyring: Keyring, now: datetime) -> Receipt:
    opened = opened_rows(db, rows, keyring=keyring)
    numbers = [row["quarantine_no"] for row in rows]
    read = read_again(db, [held for held in opened if held is not None], keyring=keyring, now=now)
    verdicts = [Refusal("row", CAN_NOT_OPEN) if held is None else read.pop(0) for held in opened]
    outcomes = release(db, dict(zip(numbers, verdicts, strict=True)), keyring=keyring, now=now)
    refused = (
        RefusedItem(number, verdict.field, verdict.reason)
        for number, verdict in zip(numbers, verdicts, strict=True)
        if isinstance(verdict, Refusal)
    )
    return receipt_of(read=len(rows), accepted=list(outcomes.values()).count("accepted"), refused=refused)


def release(
    db: Connection,
    verdicts: dict[int, Fact | Refusal],
    *,
    keyring: Keyring,
    now: datetime,
    by: str | None = None,
    why: str | None = None,
) -> dict[int, str]:
    """Store the facts among the verdicts and release their rows: number -> accepted or duplicate."""
    facts = {number: verdict for number, verdict in verdicts.items() if isinstance(verdict, Fact)}
    fresh = append(db, list(facts.values()), keyring=keyring)
    outcomes: dict[int, str] = {}
    for number, fact in facts.items():
        identity = (fact.source, fact.source_id)
        outcomes[number] = "accepted" if identity in fresh else "duplicate"
        fresh.discard(identity)
    store.append_releases(db, outcomes, now=now, by=by, why=why)
    return outcomes


def opened_rows(db: Connection, rows: Sequence[RowMapping], *, keyring: Keyring) -> list[HeldRow | None]:
    """What rows held; None where there is no key any more."""
    safe = sealer(db, keyring)
    safe.load({row["subject"] for row in rows})
    return [_opened(safe, row) for row in rows]


def _opened(safe: Sealer, row: RowMapping) -> HeldRow | None:
    if row["sealed"] is None:  # its customer was erased
        return None
    try:
        raw = safe.open(row["subject"], SEALED_AS, bytes(row["sealed"]))
    except UnableToOpen:
        return None
    return HeldRow(row["adapter"], row["source"], raw)


def read_again(
    db: Connection, held: Sequence[HeldRow], *, keyring: Keyring, now: datetime
) -> list[Fact | Refusal]:
    """Read each row again the way it came: as an envelope, as a row, or through its adapter.

    What is taken is learnt ``now`` and needs the consents that it needs today.
    """
    verdicts: list[Fact | Refusal] = [_verdict(row, now=now) for row in held]
    for adapter in _LINES:
        lines = {
            index: content
            for index, row in enumerate(held)
            if row.adapter == adapter and isinstance(content := _content(row.raw), dict)
        }
        for index, verdict in _line_verdicts(adapter, lines, now).items():
            verdicts[index] = verdict
    # Learnt now, whatever the row says: it was refused, so no decision can have seen it before.
    learnt = [replace(one, received_at=now) if isinstance(one, Fact) else one for one in verdicts]
    agreed = refuse_erased(db, consent.screen(db, learnt, now=now))
    return _judged_people(db, held, agreed, keyring=keyring)


def _verdict(row: HeldRow, *, now: datetime) -> Fact | Refusal:
    if row.adapter == ENVELOPE:
        source = None if row.source == "unknown" else row.source
        return check_envelope(row.raw.encode("utf-8", "surrogatepass"), now=now, source=source)
    content = _content(row.raw)
    if not isinstance(content, dict):
        return Refusal("row", "does not fit its header")
    if row.adapter == REGISTRATION:
        return fact_of(content, source=row.source, now=now)
    if row.adapter == SURVEY:
        return answer_of(content, source=row.source, now=now)
    return check_row(content, now=now)


def _content(raw: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _judged_people(
    db: Connection, held: Sequence[HeldRow], verdicts: Sequence[Fact | Refusal], *, keyring: Keyring
) -> list[Fact | Refusal]:
    """A registration must also agree with what the house knows by now: an id has one account a shop."""
    judged = list(verdicts)
    by_source: dict[str, dict[int, Fact]] = {}
    for index, (row, verdict) in enumerate(zip(held, verdicts, strict=True)):
        if row.adapter == REGISTRATION and isinstance(verdict, Fact):
            by_source.setdefault(row.source, {})[index] = verdict
    for source, facts in by_source.items():
        refusals = judge_again(db, list(facts.values()), source=source, keyring=keyring)
        for index, refusal in zip(facts, refusals, strict=True):
            if refusal is not None:
                judged[index] = refusal
    return judged


def _line_verdicts(
    adapter: str, lines: dict[int, dict[str, Any]], now: datetime
) -> dict[int, Fact | Refusal]:
    """Through the adapter, which takes one of equal lines: the others are read in further rounds."""
    names, interpret = _LINES[adapter]
    verdicts: dict[int, Fact | Refusal] = {}
    while lines:
        found = interpret(_lines_table(lines, names))
        verdicts |= {row.position: Refusal(row.field, row.reason) for row in found.refused}
        verdicts |= {row["position"]: check_row(row, now=now) for row in found.rows.to_pylist()}
        lines = {index: line for index, line in lines.items() if index not in verdicts}
    return verdicts


def _lines_table(lines: dict[int, dict[str, Any]], names: Sequence[str]) -> pa.Table:
    columns: dict[str, Any] = {
        name: pa.array([_cell(row.get(name)) for row in lines.values()], pa.string()) for name in names
    }
    columns["place"] = pa.array([""] * len(lines), pa.string())
    columns["position"] = pa.array(list(lines), pa.int32())
    return pa.table(columns)


def _cell(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
