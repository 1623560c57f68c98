"""Requests for approval, and what was decided."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, text

from shouxin.governance.domain.approvals import ApprovalRequest, ApprovalState
from shouxin.governance.domain.people import Permission
from shouxin.kernel import canonical_json

_SELECT = """
    SELECT r.request_id, r.subject, r.permission, r.maker, r.reason, r.detail, r.requested_at,
           coalesce(d.outcome, 'waiting') AS state, d.checker, d.reason AS decision_reason, d.decided_at
    FROM governance.approval_request r LEFT JOIN governance.approval_decision d USING (request_id)
"""


def add_request(db: Connection, request: ApprovalRequest) -> None:
    """Keep a new request."""
    db.execute(
        text(
            """
            INSERT INTO governance.approval_request (
                request_id, subject, permission, maker, reason, detail, requested_at)
            VALUES (:request_id, :subject, :permission, :maker, :reason, CAST(:detail AS json), :at)
            """
        ),
        {
            "request_id": request.request_id,
            "subject": request.subject,
            "permission": request.permission,
            "maker": request.maker,
            "reason": request.reason,
            "detail": canonical_json(dict(request.detail)).decode(),
            "at": request.requested_at,
        },
    )


def held_request(db: Connection, request_id: str) -> ApprovalRequest | None:
    """The request, read one checker at a time: two who decide at once get one after the other."""
    db.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 727020))"), {"id": request_id})
    query = text(f"{_SELECT} WHERE r.request_id = :request_id")
    row = db.execute(query, {"request_id": request_id}).one_or_none()
    return _request(row) if row else None


def add_decision(db: Connection, decided: ApprovalRequest) -> None:
    """Keep what a checker decided; the database itself refuses the maker and an administrator."""
    db.execute(
        text(
            """
            INSERT INTO governance.approval_decision (
                request_id, maker, checker, outcome, reason, decided_at)
            VALUES (:request_id, :maker, :checker, :outcome, :reason, :at)
            """
        ),
        {
            "request_id": decided.request_id,
            "maker": decided.maker,
            "checker": decided.checker,
            "outcome": decided.state,
            "reason": decided.decision_reason,
            "at": decided.decided_at,
        },
    )


def requests(db: Connection, *, state: ApprovalState | None, limit: int) -> list[ApprovalRequest]:
    """Requests in one state, or all; newest first."""
    query = text(
        f"""
        {_SELECT} WHERE CAST(:state AS text) IS NULL OR coalesce(d.outcome, 'waiting') = :state
        ORDER BY r.requested_at DESC, r.request_id DESC LIMIT :limit
        """
    )
    return [_request(row) for row in db.execute(query, {"state": state, "limit": limit})]


def _request(row: Row[Any]) -> ApprovalRequest:
    return ApprovalRequest(
        request_id=row.request_id,
        subject=row.subject,
        permission=Permission(row.permission),
        maker=row.maker,
        reason=row.reason,
        detail=row.detail,
        requested_at=row.requested_at,
        state=ApprovalState(row.state),
        checker=row.checker,
        decision_reason=row.decision_reason,
        decided_at=row.decided_at,
    )
