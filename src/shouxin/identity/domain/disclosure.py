"""What a customer may have of us, and why an operator does not get it for them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shouxin.governance.domain import Operator, Permission, may
from shouxin.identity.domain.person import REASON_LENGTH_MIN, REASON_TELLS
from shouxin.kernel import Bilingual


@dataclass(frozen=True, slots=True)
class PersonalValue:
    """One value as it was told once: by whom, under which reference, when, and whether it was verified."""

    field: str
    value: str
    source: str
    customer_ref: str
    verified: bool
    occurred_at: datetime
    received_at: datetime


class DisclosureRefusalReason(StrEnum):
    """Why nothing is disclosed, by precedence."""

    NOT_PERMITTED = "not_permitted"
    UNKNOWN_CUSTOMER = "unknown_customer"
    REASON_TOO_SHORT = "reason_too_short"
    REASON_TELLS = "reason_tells"


_R = DisclosureRefusalReason
_TEXTS = {
    _R.NOT_PERMITTED: Bilingual("您没有导出客户信息的权限。", "You are not permitted to export a customer."),
    _R.UNKNOWN_CUSTOMER: Bilingual("没有这位客户。", "There is no such customer."),
    _R.REASON_TOO_SHORT: Bilingual(
        f"请填写至少 {REASON_LENGTH_MIN} 个字符的理由。",
        f"Say why, in at least {REASON_LENGTH_MIN} characters.",
    ),
    _R.REASON_TELLS: REASON_TELLS,
}


@dataclass(frozen=True, slots=True)
class DisclosureRefusal:
    """Nothing is disclosed."""

    reason: DisclosureRefusalReason

    @property
    def text(self) -> Bilingual:
        """What to tell the operator."""
        return _TEXTS[self.reason]


def disclosure_refusal(*, operator: Operator, is_known: bool, reason: str) -> DisclosureRefusalReason | None:
    """Why this operator gets nothing, or None."""
    if not may(operator, Permission.CUSTOMERS_EXPORT):
        return _R.NOT_PERMITTED
    if not is_known:
        return _R.UNKNOWN_CUSTOMER
    return _R.REASON_TOO_SHORT if len("".join(reason.split())) < REASON_LENGTH_MIN else None
