"""Everything that the house knows of one customer, handed out: gathered from the rooms that know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from shouxin import cases, credit, early_warning, governance, grading, identity, ingestion
from shouxin.cases import CaseFilter
from shouxin.early_warning import AlertFilter
from shouxin.governance import Keyring, Operator
from shouxin.identity import DisclosureRefusal
from shouxin.ingestion import consent
from shouxin.kernel import Bilingual, CustomerId, Event, Money
from shouxin.reporting import store
from shouxin.reporting.domain.export import CustomerExport, Row

# More than any customer has; a list that is cut would be a lie.
_MOST = 1_000_000
_LOOKED_AT = ("customer.revealed", "customer.exported")


def export_customer(
    db: Connection,
    keyring: Keyring,
    customer_id: CustomerId,
    *,
    operator: Operator,
    reason: str,
    now: datetime,
) -> CustomerExport | DisclosureRefusal:
    """All data of one customer, personal values in clear, for an operator with permission and a reason.

    Audited by ``identity.disclose``. What people wrote to each other about a case stays in the house.
    """
    values = identity.disclose(db, keyring, customer_id, operator=operator, reason=reason, now=now)
    if isinstance(values, DisclosureRefusal):
        return values
    refs = identity.references_of(db, customer_id)
    sections: dict[str, Sequence[Row]] = {
        "references": [{"source": source, "customer_ref": ref} for source, ref in refs],
        "personal": [_row(asdict(value)) for value in values],
        "consents": [
            _row({name: getattr(one, name) for name in ("purpose", "state", "since", "text_version")})
            for one in consent.standings(db, refs, as_of=now)
        ],
        "events": [_event(event) for event in ingestion.list_events(db, refs, as_of=now)],
        "grades": _grades(db, customer_id),
        "decisions": [
            _row({"at": d.at, "outcome": d.outcome, "amount": d.amount, "order_ref": d.order_ref})
            for d in store.decisions_of(db, customer_id, as_of=now, most=_MOST)
        ],
        **_lending(db, customer_id),
        **_watching(db, customer_id),
        "viewings": _viewings(db, customer_id),
    }
    erased_at = identity.masked_profile(db, keyring, customer_id).erased_at
    return CustomerExport(customer_id, now, erased_at, sections)


def _event(event: Event) -> Row:
    names = ("source", "kind", "customer_ref", "occurred_at", "received_at", "order_ref", "amount")
    return _row({name: getattr(event, name) for name in names}) | {"payload": dict(event.payload)}


def _grades(db: Connection, customer_id: CustomerId) -> list[Row]:
    return [
        _row({"as_of": a.as_of, "score": a.score, "pd": a.pd, "grade": str(a.grade)})
        | {"reasons": [reason["text"] for reason in a.reasons]}
        for a in grading.history(db, customer_id, limit=_MOST)
    ]


def _lending(db: Connection, customer_id: CustomerId) -> dict[str, Sequence[Row]]:
    line = credit.line_of(db, customer_id)
    names = ("limit", "held", "outstanding", "available")
    held = ("order_ref", "amount", "captured", "state", "held_at", "settled_at")
    paid = ("plan_id", "number", "due_on", "amount", "paid", "paid_on")
    return {
        "line": [_row({name: getattr(line, name) for name in names})] if line else [],
        "holds": [
            _row({("at" if name == "held_at" else name): getattr(hold, name) for name in held[:-1]})
            for hold in (credit.holds_of(db, line) if line else ())
        ],
        "instalments": [
            _row({name: getattr(item, name) for name in paid} | {"order_ref": plan.order_ref})
            for plan in credit.plans_of(db, customer_id)
            for item in plan.instalments
        ],
    }


def _watching(db: Connection, customer_id: CustomerId) -> dict[str, Sequence[Row]]:
    names = identity.names_of(db, customer_id)
    alerts = [
        alert
        for name in names
        for alert in early_warning.list_alerts(
            db, AlertFilter(customer_id=name, order="time", per_page=_MOST)
        ).rows
    ]
    files = [
        file
        for name in names
        for file in cases.list_cases(db, CaseFilter(customer_id=name, order="time", per_page=_MOST)).rows
    ]
    return {
        "alerts": [_row({n: getattr(a, n) for n in ("raised_at", "title", "why", "state")}) for a in alerts],
        "cases": [
            _row({n: getattr(f, n) for n in ("opened_at", "title", "state", "outcome", "closed_at")})
            for f in files
        ],
    }


def _viewings(db: Connection, customer_id: CustomerId) -> list[Row]:
    """When somebody saw values in clear; who it was stays in the audit."""
    return [
        _row({"at": entry.at, "action": entry.action, "field": str(entry.detail.get("field", "*"))})
        for action in _LOOKED_AT
        for entry in governance.list_audit(db, limit=_MOST, action=action, subject=f"customer:{customer_id}")
    ]


def _row(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Money):
        return {"value": value.text, "currency": value.currency}
    if isinstance(value, Bilingual):
        return value.as_data()
    return value.isoformat() if hasattr(value, "isoformat") else value
