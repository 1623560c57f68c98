"""Approvals: one asks, another agrees, and only then is there a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from shouxin.governance.domain.approvals import (
    ApprovalRefusal,
    ApprovalRequest,
    ApprovalState,
    check_refusal,
    required_permission,
)
from shouxin.governance.domain.people import storable
from shouxin.governance.service.audit import record_audit
from shouxin.governance.store import approvals, operators
from shouxin.kernel import Approval, mint


class UnableToRequest(ValueError):
    """The request would say nothing: it has no subject, no maker or no reason."""


def request_approval(
    db: Connection,
    *,
    subject: str,
    maker: str,
    reason: str,
    now: datetime,
    detail: Mapping[str, Any] | None = None,
) -> str:
    """Ask for a second person's word on ``subject`` (``kind:name``); returns the request's id.

    ``maker`` is an operator's id, or the name of a program that made what is to be approved. Who
    may agree follows from the kind. Raises UnableToRequest.
    """
    reason = storable(reason).strip()
    if not subject.strip() or not maker.strip() or not reason:
        raise UnableToRequest("a request names its subject and its maker and says why")
    request = ApprovalRequest(
        request_id=mint("apr", now=now),
        subject=subject,
        permission=required_permission(subject),
        maker=maker,
        reason=reason,
        detail=dict(detail or {}),
        requested_at=now,
    )
    approvals.add_request(db, request)
    _announce(db, "approval.requested", request, actor=maker, now=now)
    return request.request_id


def approve(
    db: Connection, request_id: str, *, checker: str, reason: str, now: datetime
) -> Approval | ApprovalRefusal:
    """Agree to a request, as the operator ``checker`` (an id); returns the key that opens its subject."""
    decided = _decided(db, request_id, state=ApprovalState.APPROVED, checker=checker, reason=reason, now=now)
    if isinstance(decided, ApprovalRefusal):
        return decided
    assert decided.decision_reason is not None
    return Approval(request_id, decided.subject, decided.maker, checker, decided.decision_reason, now)


def reject(
    db: Connection, request_id: str, *, checker: str, reason: str, now: datetime
) -> ApprovalRequest | ApprovalRefusal:
    """Turn a request down, by the same rules as agreeing to it."""
    return _decided(db, request_id, state=ApprovalState.REJECTED, checker=checker, reason=reason, now=now)


def find_approval(db: Connection, request_id: str) -> Approval | None:
    """The key of a request that was agreed to, for a room that is opened later; None while there is none."""
    found = approvals.held_request(db, request_id)
    if found is None or found.state is not ApprovalState.APPROVED:
        return None
    assert found.checker and found.decision_reason and found.decided_at, "it was decided"
    return Approval(
        request_id, found.subject, found.maker, found.checker, found.decision_reason, found.decided_at
    )


def list_approvals(
    db: Connection, *, state: ApprovalState | None = None, limit: int = 100
) -> list[ApprovalRequest]:
    """Requests, newest first."""
    return approvals.requests(db, state=state, limit=limit)


def _decided(
    db: Connection, request_id: str, *, state: ApprovalState, checker: str, reason: str, now: datetime
) -> ApprovalRequest | ApprovalRefusal:
    reason = storable(reason).strip()
    request = approvals.held_request(db, request_id)
    operator = operators.operator_by_id(db, checker)
    refusal = check_refusal(request, checker=operator, reason=reason)
    if refusal is not None:
        return ApprovalRefusal(refusal)
    assert request is not None
    decided = replace(request, state=state, checker=checker, decision_reason=reason, decided_at=now)
    approvals.add_decision(db, decided)
    _announce(db, f"approval.{state}", decided, actor=checker, now=now)
    return decided


def _announce(db: Connection, action: str, request: ApprovalRequest, *, actor: str, now: datetime) -> None:
    reason = request.decision_reason or request.reason
    detail = {"request_id": request.request_id, "maker": request.maker, "reason": reason}
    record_audit(db, actor=actor, action=action, subject=request.subject, detail=detail, now=now)
