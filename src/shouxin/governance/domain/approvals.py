"""Approvals: what a second person must agree to, and who that person may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shouxin.governance.domain.people import Operator, Permission, Role, may
from shouxin.kernel import Bilingual

# The word before the colon of a subject says who may agree to it; anything else asks for the general one.
_PERMISSION_OF_SUBJECT = {
    "policy": Permission.POLICIES_APPROVE,
    "model": Permission.MODELS_APPROVE,
    "line": Permission.LINES_APPROVE,
    "limit": Permission.LINES_APPROVE,
    "write_off": Permission.WRITE_OFFS_APPROVE,
}


class ApprovalState(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


class ApprovalRefusalReason(StrEnum):
    """Why a checker's word did not count, by precedence."""

    UNKNOWN_REQUEST = "unknown_request"
    UNKNOWN_CHECKER = "unknown_checker"
    ADMIN_IS_NOT_APPROVER = "admin_is_not_approver"
    AUTHOR_IS_NOT_APPROVER = "author_is_not_approver"
    NOT_PERMITTED = "not_permitted"
    ALREADY_DECIDED = "already_decided"
    NO_REASON = "no_reason"


_R = ApprovalRefusalReason
_TEXTS = {
    _R.UNKNOWN_REQUEST: Bilingual("没有这项审批申请。", "There is no such request."),
    _R.UNKNOWN_CHECKER: Bilingual("审批人不存在。", "There is no such operator."),
    _R.ADMIN_IS_NOT_APPROVER: Bilingual(
        "系统管理员不能审批业务事项。", "An administrator approves no business."
    ),
    _R.AUTHOR_IS_NOT_APPROVER: Bilingual("申请人不能审批自己的申请。", "Who asks is not who approves."),
    _R.NOT_PERMITTED: Bilingual("您没有审批此事项的权限。", "You are not permitted to approve this."),
    _R.ALREADY_DECIDED: Bilingual("该申请已有审批结果。", "This request is already decided."),
    _R.NO_REASON: Bilingual("请填写审批理由。", "Say why."),
}


@dataclass(frozen=True, slots=True)
class ApprovalRefusal:
    """The request stays as it was."""

    reason: ApprovalRefusalReason

    @property
    def text(self) -> Bilingual:
        """What to tell the checker."""
        return _TEXTS[self.reason]


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """``maker`` asks for ``subject``; ``checker`` and the rest are None while it waits."""

    request_id: str
    subject: str
    permission: Permission
    maker: str
    reason: str
    detail: Mapping[str, Any]
    requested_at: datetime
    state: ApprovalState = ApprovalState.WAITING
    checker: str | None = None
    decision_reason: str | None = None
    decided_at: datetime | None = None


def required_permission(subject: str) -> Permission:
    """What a checker must be permitted to do to agree to ``subject`` (``kind:name``)."""
    return _PERMISSION_OF_SUBJECT.get(subject.partition(":")[0], Permission.APPROVALS_DECIDE)


def check_refusal(
    request: ApprovalRequest | None, *, checker: Operator | None, reason: str
) -> ApprovalRefusalReason | None:
    """Why this checker can not decide this request, or None."""
    if request is None:
        return ApprovalRefusalReason.UNKNOWN_REQUEST
    if checker is None:
        return ApprovalRefusalReason.UNKNOWN_CHECKER
    if Role.ADMIN in checker.roles:
        return ApprovalRefusalReason.ADMIN_IS_NOT_APPROVER
    # A program may have written the name of who started it where an id belongs.
    if request.maker in {checker.operator_id, checker.name}:
        return ApprovalRefusalReason.AUTHOR_IS_NOT_APPROVER
    if not may(checker, request.permission):
        return ApprovalRefusalReason.NOT_PERMITTED
    if request.state is not ApprovalState.WAITING:
        return ApprovalRefusalReason.ALREADY_DECIDED
    if not reason.strip():
        return ApprovalRefusalReason.NO_REASON
    return None
