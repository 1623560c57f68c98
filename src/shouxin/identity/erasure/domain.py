"""Whether a customer may be erased, and why not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shouxin.governance.domain import Operator, Permission, may
from shouxin.identity.domain.person import REASON_LENGTH_MIN, REASON_TELLS
from shouxin.kernel import Approval, Bilingual, CustomerId


@dataclass(frozen=True, slots=True)
class Obligations:
    """What still ties us to a customer: money held or owed (minor units), and cases not closed."""

    held: int = 0
    outstanding: int = 0
    open_cases: int = 0


class ErasureRefusalReason(StrEnum):
    """Why a customer is not erased, by precedence."""

    NOT_PERMITTED = "not_permitted"
    UNKNOWN_CUSTOMER = "unknown_customer"
    ALREADY_ERASED = "already_erased"
    REASON_TOO_SHORT = "reason_too_short"
    REASON_TELLS = "reason_tells"
    OWES = "owes"
    HOLDS = "holds"
    OPEN_CASE = "open_case"
    NOT_APPROVED = "not_approved"


_R = ErasureRefusalReason
_TEXTS = {
    _R.NOT_PERMITTED: Bilingual("您没有删除客户信息的权限。", "You are not permitted to erase a customer."),
    _R.UNKNOWN_CUSTOMER: Bilingual("没有这位客户。", "There is no such customer."),
    _R.ALREADY_ERASED: Bilingual("该客户的个人信息已删除。", "This customer is erased already."),
    _R.REASON_TOO_SHORT: Bilingual(
        f"请填写至少 {REASON_LENGTH_MIN} 个字符的理由。",
        f"Say why, in at least {REASON_LENGTH_MIN} characters.",
    ),
    _R.REASON_TELLS: REASON_TELLS,
    _R.OWES: Bilingual("该客户尚有未还金额。", "The customer still owes money."),
    _R.HOLDS: Bilingual(
        "该客户尚有冻结中的订单金额。", "An amount is still held for an order of this customer."
    ),
    _R.OPEN_CASE: Bilingual("该客户尚有未结案件。", "A case about this customer is not closed."),
    _R.NOT_APPROVED: Bilingual(
        "需要另一位同事批准后才能删除。", "A second person must agree to erase this customer first."
    ),
}


@dataclass(frozen=True, slots=True)
class ErasureRefusal:
    """Nothing was erased."""

    reason: ErasureRefusalReason

    @property
    def text(self) -> Bilingual:
        """What to tell the operator."""
        return _TEXTS[self.reason]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased: references, sealed values, one-time codes, refused rows, verified identifiers.

    ``rows_left`` counts refused rows of other customers that hold an identifier of this one.
    """

    customer_id: CustomerId
    erased_at: datetime
    references: int
    values: int
    codes: int
    rows: int
    rows_left: int
    identifiers: int


def erasure_subject(customer_id: CustomerId) -> str:
    """What an approval of the erasure is for."""
    return f"erasure:{customer_id}"


def asking_refusal(
    *, operator: Operator, is_known: bool, erased_at: datetime | None, obligations: Obligations
) -> ErasureRefusalReason | None:
    """Why nobody may erase this customer now, reasons and approvals aside; or None."""
    if not may(operator, Permission.CUSTOMERS_ERASE):
        return _R.NOT_PERMITTED
    if not is_known:
        return _R.UNKNOWN_CUSTOMER
    if erased_at is not None:
        return _R.ALREADY_ERASED
    if obligations.outstanding:
        return _R.OWES
    if obligations.held:
        return _R.HOLDS
    return _R.OPEN_CASE if obligations.open_cases else None


def reason_refusal(reason: str) -> ErasureRefusalReason | None:
    """Why a reason is none, or None."""
    return _R.REASON_TOO_SHORT if len("".join(reason.split())) < REASON_LENGTH_MIN else None


def approval_refusal(
    approval: Approval | None, *, operator: Operator, customer_id: CustomerId
) -> ErasureRefusalReason | None:
    """Why the key does not open this door: none, another subject's, or cut by the one who turns it."""
    if approval is None or not approval.covers(erasure_subject(customer_id)):
        return _R.NOT_APPROVED
    return _R.NOT_APPROVED if approval.checker in {operator.operator_id, operator.name} else None
