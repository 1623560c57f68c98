"""Cases, one function a verb. Each locks the case, asks the domain, writes, and adds to the timeline."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from shouxin import early_warning
from shouxin.cases import store
from shouxin.cases.domain import (
    Case,
    CaseEntry,
    CaseFilter,
    CaseOutcome,
    CasePage,
    CaseRefusal,
    CaseRow,
    CaseState,
    Origin,
    due_at,
    refused_close,
    refused_move,
    refused_note,
    refused_reopen,
    refused_work,
)
from shouxin.early_warning import AlertOutcome, Severity
from shouxin.kernel import CustomerId


def open_case(
    db: Connection,
    *,
    customer_id: CustomerId,
    origin: str,
    title: str,
    opened_by: str,
    now: datetime,
    severity: Severity = Severity.MEDIUM,
    note: str | None = None,
) -> Case:
    """A new case; or, when this alert or decision already has an unfinished one, that case.

    ``origin`` is ``alert:<no>``, ``decision:<id>`` or ``manual``; ValueError for another text.
    """
    origin = Origin.parse(origin).text
    due = due_at(severity, opened_at=now)
    case_no = store.add_case(
        db,
        customer_id=customer_id,
        origin=origin,
        title=title,
        severity=severity,
        opened_by=opened_by,
        now=now,
        due_at=due,
    )
    if case_no is None:
        case_no = store.unfinished_of(db, origin)
        assert case_no is not None, "that is why none was added"
    else:
        store.add_entry(db, case_no, CaseEntry(now, opened_by, "opened", title, None, CaseState.OPEN))
        _take_up_alert(db, origin, case_no=case_no, by=opened_by, now=now)
    if note and note.strip():
        add_note(db, case_no, note=note, by=opened_by, now=now)
    return _case(db, case_no)


def assign(db: Connection, case_no: int, *, assignee: str, by: str, now: datetime) -> Case | CaseRefusal:
    """Somebody answers for the case."""
    row = store.locked_case(db, case_no)
    if refusal := refused_work(row.state if row else None):
        return refusal
    assert row is not None
    store.assign(db, case_no, assignee=assignee)
    return _told(db, case_no, CaseEntry(now, by, "assigned", assignee, row.state, row.state))


def add_note(db: Connection, case_no: int, *, note: str, by: str, now: datetime) -> Case | CaseRefusal:
    """Write something down in the timeline."""
    row = store.locked_case(db, case_no)
    if refusal := refused_note(row.state if row else None, note=note):
        return refusal
    assert row is not None
    return _told(db, case_no, CaseEntry(now, by, "noted", note.strip(), row.state, row.state))


def move(
    db: Connection, case_no: int, *, to: CaseState, by: str, now: datetime, reason: str = ""
) -> Case | CaseRefusal:
    """The case goes on: open, investigating or waiting."""
    row = store.locked_case(db, case_no)
    if refusal := refused_move(row.state if row else None, to):
        return refusal
    assert row is not None
    store.set_state(db, case_no, state=to)
    return _told(db, case_no, CaseEntry(now, by, "moved", reason.strip(), row.state, to))


def close(
    db: Connection, case_no: int, *, outcome: CaseOutcome, reason: str, by: str, now: datetime
) -> Case | CaseRefusal:
    """The case is decided; an alert that it came from learns what it was worth."""
    row = store.locked_case(db, case_no)
    if refusal := refused_close(row.state if row else None, reason=reason):
        return refusal
    assert row is not None
    store.close(db, case_no, outcome=outcome, now=now)
    _tell_alert(db, row, outcome=outcome, reason=reason, by=by, now=now)
    detail = f"{outcome}: {reason.strip()}"
    return _told(db, case_no, CaseEntry(now, by, "closed", detail, row.state, CaseState.CLOSED))


def reopen(db: Connection, case_no: int, *, reason: str, by: str, now: datetime) -> Case | CaseRefusal:
    """There is more to it; the time in which it must be closed starts again."""
    row = store.locked_case(db, case_no)
    # Another unfinished case may have been opened from the same alert or decision meanwhile.
    sibling = store.unfinished_of(db, row.origin) if row and row.origin != "manual" else None
    if refusal := refused_reopen(row.state if row else None, reason=reason, sibling=sibling):
        return refusal
    assert row is not None
    store.reopen(db, case_no, due_at=due_at(row.severity, opened_at=now))
    entry = CaseEntry(now, by, "reopened", reason.strip(), row.state, CaseState.OPEN)
    return _told(db, case_no, entry)


def list_cases(db: Connection, chosen: CaseFilter) -> CasePage:
    """One page of the queue."""
    return store.list_cases(db, chosen)


def get_case(db: Connection, case_no: int) -> Case | None:
    """The case with its timeline, or None."""
    row = store.find_case(db, case_no)
    return None if row is None else Case(row, store.timeline_of(db, case_no))


def count_open_cases(db: Connection) -> int:
    """How many cases are not closed."""
    return store.count_unfinished(db)


def _take_up_alert(db: Connection, origin: str, *, case_no: int, by: str, now: datetime) -> None:
    """The alert that a case came from leaves the queue of alerts; fine if it has left it already."""
    alert = Origin.parse(origin)
    if alert.kind == "alert":
        early_warning.action(
            db, int(alert.subject), action="case_opened", reason=f"case {case_no}", by=by, now=now
        )


def _tell_alert(
    db: Connection, row: CaseRow, *, outcome: CaseOutcome, reason: str, by: str, now: datetime
) -> None:
    origin = Origin.parse(row.origin)
    if origin.kind != "alert":
        return
    # A refusal is fine here: the outcome may be known from an earlier closing.
    early_warning.record_outcome(
        db, int(origin.subject), outcome=AlertOutcome(outcome), reason=reason, by=by, now=now
    )


def _told(db: Connection, case_no: int, entry: CaseEntry) -> Case:
    store.add_entry(db, case_no, entry)
    return _case(db, case_no)


def _case(db: Connection, case_no: int) -> Case:
    case = get_case(db, case_no)
    assert case is not None, "cases are never removed"
    return case
