"""Ask for an erasure, and erase."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from shouxin import ingestion
from shouxin.governance import Keyring, Operator, record_audit, request_approval
from shouxin.identity import online
from shouxin.identity.erasure import store
from shouxin.identity.erasure.domain import (
    Erasure,
    ErasureRefusal,
    ErasureRefusalReason,
    Obligations,
    approval_refusal,
    asking_refusal,
    erasure_subject,
    reason_refusal,
)
from shouxin.identity.reasons import reason_tells
from shouxin.identity.store import members
from shouxin.kernel import Approval, CustomerId


def ask_to_erase(
    db: Connection,
    keyring: Keyring,
    customer_id: CustomerId,
    *,
    operator: Operator,
    reason: str,
    obligations: Obligations,
    now: datetime,
) -> str | ErasureRefusal:
    """Ask for a second person's word; returns the id of the request. The reason is kept for ever."""
    refs = _references(db, customer_id)
    refusal = _asking_refusal(db, customer_id, refs, operator=operator, obligations=obligations)
    refusal = refusal or reason_refusal(reason)
    if refusal is None and reason_tells(db, keyring, refs, reason):
        refusal = ErasureRefusalReason.REASON_TELLS
    if refusal is not None:
        return ErasureRefusal(refusal)
    subject = erasure_subject(customer_id)
    return request_approval(db, subject=subject, maker=operator.operator_id, reason=reason, now=now)


def erase(
    db: Connection,
    keyring: Keyring,
    customer_id: CustomerId,
    *,
    operator: Operator,
    approval: Approval | None,
    obligations: Obligations,
    now: datetime,
) -> Erasure | ErasureRefusal:
    """Erase what is personal of a customer under every reference; audited here.

    Call ``governance.destroy_erased_keys`` after the commit: only then do older copies of the database
    open no more. Raises UnableToErase while somebody writes of the customer.
    """
    store.lock(db, customer_id)
    refs = _references(db, customer_id)
    refusal = _asking_refusal(db, customer_id, refs, operator=operator, obligations=obligations)
    refusal = refusal or approval_refusal(approval, operator=operator, customer_id=customer_id)
    if refusal is not None:
        return ErasureRefusal(refusal)
    assert approval is not None
    online.forget_matching(db, refs)
    gone = ingestion.erase_references(db, keyring, refs, now=now)
    erasure = Erasure(
        customer_id=customer_id,
        erased_at=now,
        references=len(refs),
        values=gone.values,
        codes=gone.codes,
        rows=gone.rows,
        rows_left=gone.rows_left,
        identifiers=store.remove_identifiers(db, refs),
    )
    by, second = operator.operator_id, approval.checker
    store.add(db, customer_id, by=by, approved_by=second, approval_id=approval.approval_id, now=now)
    _record(db, erasure, operator=operator, approval=approval, now=now)
    return erasure


def erased_at(db: Connection, customer_id: CustomerId) -> datetime | None:
    """When a customer was erased, under this id or one that was merged into it; None if never."""
    return store.erased_at(db, customer_id)


def _record(
    db: Connection, erasure: Erasure, *, operator: Operator, approval: Approval, now: datetime
) -> None:
    record_audit(
        db,
        actor=operator.operator_id,
        action="customer.erased",
        subject=f"customer:{erasure.customer_id}",
        detail={
            "approval_id": approval.approval_id,
            "checker": approval.checker,
            "references": erasure.references,
            "values": erasure.values,
            "rows": erasure.rows,
        },
        now=now,
    )


def _references(db: Connection, customer_id: CustomerId) -> list[tuple[str, str]]:
    return [(source, ref) for _, source, ref in members(db, [customer_id])]


def _asking_refusal(
    db: Connection,
    customer_id: CustomerId,
    refs: Sequence[tuple[str, str]],
    *,
    operator: Operator,
    obligations: Obligations,
) -> ErasureRefusalReason | None:
    return asking_refusal(
        operator=operator,
        is_known=bool(refs),
        erased_at=store.erased_at(db, customer_id),
        obligations=obligations,
    )
