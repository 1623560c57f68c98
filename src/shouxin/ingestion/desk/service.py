"""The verbs of the quarantine desk: look, reveal, try a repair, repair, discard."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from shouxin.governance import Keyring, record_audit, sealer
from shouxin.ingestion.desk import store
from shouxin.ingestion.desk.replaying import HeldRow, opened_rows, read_again, release
from shouxin.ingestion.domain import QuarantinedRow, Refusal
from shouxin.ingestion.domain.desk import (
    DeskRefusal,
    DeskRefusalReason,
    QuarantineChoices,
    QuarantineFilter,
    Repair,
    Repaired,
    changed_fields,
    fields_of,
    reason_refusal,
    repaired_raw,
)
from shouxin.ingestion.domain.quality import rule_of
from shouxin.ingestion.quarantine import NOBODY, SEALED_AS, subject_of

_ALL = QuarantineFilter()


def list_quarantine(
    db: Connection, chosen: QuarantineFilter = _ALL, *, limit: int = 100, before: int | None = None
) -> list[QuarantinedRow]:
    """Refused rows, newest first: where each stood, why, and what became of it. What it held stays sealed."""
    return store.list_rows(db, chosen, limit=limit, before=before)


def count_quarantine(db: Connection, chosen: QuarantineFilter = _ALL) -> int:
    """How many rows are meant: what a bulk action would reach."""
    return store.count_rows(db, chosen)


def quarantine_choices(db: Connection) -> QuarantineChoices:
    """The sources, adapters and rules of all rows that were ever kept, by name."""
    rules = {rule_of(reason).code for reason in store.told(db, "reason")}
    return QuarantineChoices(
        tuple(store.told(db, "source")), tuple(store.told(db, "adapter")), tuple(sorted(rules))
    )


def find_quarantined(db: Connection, number: int) -> QuarantinedRow | None:
    """One refused row, without what it held."""
    return store.find_row(db, number)


def list_repairs(db: Connection, number: int) -> list[Repair]:
    """The repairs of a row, the oldest first, without values."""
    return store.repairs_of(db, number)


def reveal_quarantined(
    db: Connection, keyring: Keyring, number: int, *, by: str, why: str, now: datetime
) -> dict[str, str] | DeskRefusal:
    """What an open row holds, field by field, for somebody with a reason. Audited here."""
    held = _open_row(db, number, why, keyring=keyring)
    if isinstance(held, DeskRefusal):
        return held
    _audit(db, "quarantine.revealed", f"quarantine:{number}", by=by, why=why, now=now)
    return fields_of(held.adapter, held.raw)


def check_repair(
    db: Connection, keyring: Keyring, number: int, *, changes: Mapping[str, str], why: str, now: datetime
) -> Refusal | DeskRefusal | None:
    """What would still be wrong with the row after a repair; None when it would be taken. Changes nothing."""
    held = _open_row(db, number, why, keyring=keyring)
    after = held if isinstance(held, DeskRefusal) else _after(held, changes)
    if isinstance(after, DeskRefusal):
        return after
    with db.begin_nested() as savepoint:  # reading counts what lacks a consent; trying counts nothing
        (verdict,) = read_again(db, [after], keyring=keyring, now=now)
        savepoint.rollback()
    return verdict if isinstance(verdict, Refusal) else None


def repair_quarantined(
    db: Connection,
    keyring: Keyring,
    number: int,
    *,
    changes: Mapping[str, str],
    by: str,
    why: str,
    now: datetime,
) -> Repaired | DeskRefusal:
    """Change fields of an open row and try it at once; what is taken is released, learnt ``now``.

    ``changes`` are texts by field as ``fields_of`` names them. The row as it came stays; the repair is
    kept beside it, sealed. Audited here, with the names of the fields and never a value.
    """
    store.lock_replay(db)
    held = _open_row(db, number, why, keyring=keyring)
    if isinstance(held, DeskRefusal):
        return held
    after = _after(held, changes)
    if isinstance(after, DeskRefusal):
        return after
    changed = changed_fields(held.adapter, held.raw, after.raw)
    (verdict,) = read_again(db, [after], keyring=keyring, now=now)
    wrong = verdict if isinstance(verdict, Refusal) else None
    subject = _subject_after(db, number, after)
    store.append_repair(
        db,
        {
            "quarantine_no": number,
            "changed": list(changed),
            "field": wrong.field if wrong else "",
            "reason": wrong.reason if wrong else "",
            "subject": subject,
            "sealed": sealer(db, keyring).seal(subject, SEALED_AS, after.raw),
            "repaired_by": by,
            "why": why.strip(),
            "repaired_at": now,
        },
    )
    outcomes = release(db, {number: verdict}, keyring=keyring, now=now, by=by, why=why.strip())
    outcome = outcomes.get(number)
    detail = {"fields": list(changed), "outcome": outcome or "open"}
    _audit(db, "quarantine.repaired", f"quarantine:{number}", by=by, why=why, now=now, **detail)
    return Repaired(outcome, wrong)


def discard_quarantined(
    db: Connection, numbers: Sequence[int], *, by: str, why: str, now: datetime
) -> int | DeskRefusal:
    """Give open rows up, for a reason; returns how many (others than open ones are passed over)."""
    refusal = reason_refusal(why)
    if refusal is not None:
        return refusal
    store.lock_replay(db)
    still_open = [number for number in numbers if _is_open(db, number)]
    return _discard(db, still_open, chosen={"rows": still_open[:100]}, by=by, why=why, now=now)


def discard_chosen(
    db: Connection, chosen: QuarantineFilter, *, expected: int, by: str, why: str, now: datetime
) -> int | DeskRefusal:
    """Give all chosen open rows up, for a reason, if they are as many as somebody saw: ``expected``."""
    refusal = reason_refusal(why)
    if refusal is not None:
        return refusal
    store.lock_replay(db)
    wanted = replace(chosen, state="open")
    numbers = store.chosen_numbers(db, wanted)
    if len(numbers) != expected:
        return DeskRefusal(DeskRefusalReason.NUMBER_CHANGED)
    return _discard(db, numbers, chosen=wanted.as_data(), by=by, why=why, now=now)


def _discard(
    db: Connection, numbers: Sequence[int], *, chosen: Mapping[str, object], by: str, why: str, now: datetime
) -> int:
    if numbers:
        outcomes = dict.fromkeys(numbers, "discarded")
        store.append_releases(db, outcomes, now=now, by=by, why=why.strip())
        subject = f"quarantine:{numbers[0]}" if len(numbers) == 1 else "quarantine:open"
        detail = {"rows": len(numbers), "chosen": dict(chosen)}
        _audit(db, "quarantine.discarded", subject, by=by, why=why, now=now, **detail)
    return len(numbers)


def _open_row(db: Connection, number: int, why: str, *, keyring: Keyring) -> HeldRow | DeskRefusal:
    """What an open row holds, or why not, by precedence."""
    row = store.sealed_row(db, number)
    if row is None:
        return DeskRefusal(DeskRefusalReason.UNKNOWN_ROW)
    if row["outcome"] is not None:
        return DeskRefusal(DeskRefusalReason.NOT_OPEN)
    refusal = reason_refusal(why)
    if refusal is not None:
        return refusal
    (held,) = opened_rows(db, [row], keyring=keyring)
    return held or DeskRefusal(DeskRefusalReason.CAN_NOT_OPEN)


def _after(held: HeldRow, changes: Mapping[str, str]) -> HeldRow | DeskRefusal:
    raw = repaired_raw(held.adapter, held.raw, changes)
    return raw if isinstance(raw, DeskRefusal) else replace(held, raw=raw)


def _subject_after(db: Connection, number: int, after: HeldRow) -> str:
    """For whom the repaired row is sealed: whom it names now, else as the row was; it goes with them."""
    reference = json.loads(after.raw).get("customer_ref")
    named = subject_of(after.source, reference if isinstance(reference, str) else None)
    if named != NOBODY:
        return named
    row: RowMapping | None = store.sealed_row(db, number)
    assert row is not None, "the row was just opened"
    return str(row["subject"])


def _is_open(db: Connection, number: int) -> bool:
    row = store.find_row(db, number)
    return row is not None and row.outcome is None


def _audit(
    db: Connection, action: str, subject: str, *, by: str, why: str, now: datetime, **detail: object
) -> None:
    record_audit(
        db, actor=by, action=action, subject=subject, detail={"reason": why.strip(), **detail}, now=now
    )
