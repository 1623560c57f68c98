"""SQL of cases: values in, values out. No decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from shouxin.cases.domain import (
    CaseEntry,
    CaseFilter,
    CaseOutcome,
    CasePage,
    CaseRow,
    CaseState,
)
from shouxin.early_warning.domain import Severity
from shouxin.kernel import CustomerId

_BY_WEIGHT = {severity.weight: severity for severity in Severity}
_ORDERS = {
    "due": "due_at, case_no",
    "time": "opened_at DESC, case_no DESC",
    "severity": "severity DESC, due_at",
}
_SELECT = (
    "SELECT case_no, customer_id, origin, title, severity, state, assignee, opened_by, opened_at, due_at,"
    " outcome, closed_at FROM cases.case_file"
)


def add_case(
    db: Connection,
    *,
    customer_id: str,
    origin: str,
    title: str,
    severity: Severity,
    opened_by: str,
    now: datetime,
    due_at: datetime,
) -> int | None:
    """The number of a new case, or None when this origin has an unfinished case already."""
    number: int | None = db.scalar(
        text(
            "INSERT INTO cases.case_file"
            " (customer_id, origin, title, severity, state, opened_by, opened_at, due_at)"
            " VALUES (:customer_id, :origin, :title, :severity, 'open', :opened_by, :now, :due_at)"
            " ON CONFLICT (origin) WHERE state <> 'closed' AND origin <> 'manual' DO NOTHING"
            " RETURNING case_no"
        ),
        {
            "customer_id": customer_id,
            "origin": origin,
            "title": title,
            "severity": severity.weight,
            "opened_by": opened_by,
            "now": now,
            "due_at": due_at,
        },
    )
    return number


def unfinished_of(db: Connection, origin: str) -> int | None:
    """The number of the unfinished case of an alert or a decision."""
    number: int | None = db.scalar(
        text("SELECT case_no FROM cases.case_file WHERE origin = :origin AND state <> 'closed'"),
        {"origin": origin},
    )
    return number


def find_case(db: Connection, case_no: int) -> CaseRow | None:
    """The case, or None."""
    return _one(db, f"{_SELECT} WHERE case_no = :no", case_no)


def locked_case(db: Connection, case_no: int) -> CaseRow | None:
    """The case, held until this transaction ends."""
    return _one(db, f"{_SELECT} WHERE case_no = :no FOR UPDATE", case_no)


def timeline_of(db: Connection, case_no: int) -> tuple[CaseEntry, ...]:
    """Everything that happened to the case, oldest first."""
    rows = db.execute(
        text(
            "SELECT at, who, what, detail, from_state, to_state FROM cases.case_event"
            " WHERE case_no = :no ORDER BY case_event_no"
        ),
        {"no": case_no},
    )
    return tuple(
        CaseEntry(
            r.at,
            r.who,
            r.what,
            r.detail,
            CaseState(r.from_state) if r.from_state else None,
            CaseState(r.to_state),
        )
        for r in rows
    )


def add_entry(db: Connection, case_no: int, entry: CaseEntry) -> None:
    """Add to the timeline."""
    db.execute(
        text(
            "INSERT INTO cases.case_event (case_no, at, who, what, detail, from_state, to_state)"
            " VALUES (:no, :at, :who, :what, :detail, :from_state, :to_state)"
        ),
        {
            "no": case_no,
            "at": entry.at,
            "who": entry.who,
            "what": entry.what,
            "detail": entry.detail,
            "from_state": entry.from_state,
            "to_state": entry.to_state,
        },
    )


def assign(db: Connection, case_no: int, *, assignee: str) -> None:
    """Somebody answers for it."""
    db.execute(
        text("UPDATE cases.case_file SET assignee = :assignee WHERE case_no = :no"),
        {"no": case_no, "assignee": assignee},
    )


def set_state(db: Connection, case_no: int, *, state: CaseState) -> None:
    """It goes on."""
    db.execute(
        text("UPDATE cases.case_file SET state = :state WHERE case_no = :no"), {"no": case_no, "state": state}
    )


def close(db: Connection, case_no: int, *, outcome: CaseOutcome, now: datetime) -> None:
    """It is decided."""
    db.execute(
        text(
            "UPDATE cases.case_file SET state = 'closed', outcome = :outcome, closed_at = :now"
            " WHERE case_no = :no"
        ),
        {"no": case_no, "outcome": outcome, "now": now},
    )


def reopen(db: Connection, case_no: int, *, due_at: datetime) -> None:
    """It is open again."""
    db.execute(
        text(
            "UPDATE cases.case_file SET state = 'open', outcome = NULL, closed_at = NULL, due_at = :due_at"
            " WHERE case_no = :no"
        ),
        {"no": case_no, "due_at": due_at},
    )


def list_cases(db: Connection, chosen: CaseFilter) -> CasePage:
    """One page of the queue."""
    where, bound = _conditions(chosen)
    total = db.scalar(text(f"SELECT count(*) FROM cases.case_file WHERE {where}"), bound)
    rows = db.execute(
        text(f"{_SELECT} WHERE {where} ORDER BY {_ORDERS[chosen.order]} LIMIT :per_page OFFSET :skipped"),
        bound | {"per_page": chosen.per_page, "skipped": (max(chosen.page, 1) - 1) * chosen.per_page},
    ).mappings()
    return CasePage(tuple(map(_row, rows)), int(total or 0), chosen.page, chosen.per_page)


def count_unfinished(db: Connection) -> int:
    """How many cases are not closed."""
    return int(db.scalar(text("SELECT count(*) FROM cases.case_file WHERE state <> 'closed'")) or 0)


def _conditions(chosen: CaseFilter) -> tuple[str, dict[str, Any]]:
    terms, bound = ["true"], dict[str, Any]()
    if chosen.state == "unfinished":
        terms.append("state <> 'closed'")
    elif chosen.state:
        terms.append("state = :state")
        bound["state"] = chosen.state
    if chosen.severity:
        terms.append("severity = :severity")
        bound["severity"] = Severity(chosen.severity).weight
    for name in ("assignee", "customer_id", "origin"):
        if value := getattr(chosen, name):
            terms.append(f"{name} = :{name}")
            bound[name] = value
    if said := chosen.text.strip():
        terms.append("(case_no = :text_no OR customer_id = :text OR strpos(lower(title), lower(:text)) > 0)")
        bound["text"] = said
        bound["text_no"] = int(said) if said.isdecimal() and len(said) < 19 else -1  # bigint has 19 digits
    return " AND ".join(terms), bound


def _one(db: Connection, statement: str, case_no: int) -> CaseRow | None:
    found = db.execute(text(statement), {"no": case_no}).mappings().one_or_none()
    return None if found is None else _row(found)


def _row(found: RowMapping) -> CaseRow:
    return CaseRow(
        case_no=found["case_no"],
        customer_id=CustomerId(found["customer_id"]),
        customer_name="",
        origin=found["origin"],
        title=found["title"],
        severity=_BY_WEIGHT[found["severity"]],
        state=CaseState(found["state"]),
        assignee=found["assignee"],
        opened_by=found["opened_by"],
        opened_at=found["opened_at"],
        due_at=found["due_at"],
        outcome=CaseOutcome(found["outcome"]) if found["outcome"] else None,
        closed_at=found["closed_at"],
    )
