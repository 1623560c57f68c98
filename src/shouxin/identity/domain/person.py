"""Person: what is known of a customer as a person, masked, and who may see more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shouxin.governance.domain import SEALED_FIELDS, Operator, Permission, may
from shouxin.ingestion.domain import PersonalFact
from shouxin.kernel import Bilingual, CustomerId

REASON_LENGTH_MIN = 10
REASON_TELLS = Bilingual(
    "理由中含有该客户的个人信息；理由会永久保存，请勿写入。",
    "The reason holds a personal value of this customer; reasons are kept for ever, so leave it out.",
)


@dataclass(frozen=True, slots=True)
class MaskedProfile:
    """A customer as the console shows them; None is what we were never told.

    ``verified`` names the fields whose present value the customer has shown to be theirs; ``erased_at``
    says that there is nothing to show, and since when.
    """

    name: str | None
    phone: str | None
    email: str | None
    national_id: str | None
    birth_date: str | None
    address: str | None
    region: str | None
    channel: str | None
    registered_at: datetime | None
    verified: frozenset[str]
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UnifyCount:
    """What a batch found: references that were new, customers made for them, customers merged.

    ``conflicts`` counts identifiers that should make customers one and must not (see ``Conflict``).
    """

    references: int
    customers: int
    merged: int
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """A conflict that was found, and when."""

    field: str
    token: str
    customer_ids: tuple[CustomerId, ...]
    found_at: datetime


class RevealRefusalReason(StrEnum):
    """Why a value stays sealed, by precedence."""

    NOT_PERMITTED = "not_permitted"
    UNKNOWN_FIELD = "unknown_field"
    REASON_TOO_SHORT = "reason_too_short"
    REASON_TELLS = "reason_tells"
    NOTHING_KNOWN = "nothing_known"


_R = RevealRefusalReason
_TEXTS = {
    _R.NOT_PERMITTED: Bilingual("您没有查看敏感信息的权限。", "You are not permitted to see this."),
    _R.UNKNOWN_FIELD: Bilingual("没有这个字段。", "There is no such field."),
    _R.REASON_TOO_SHORT: Bilingual(
        f"请填写至少 {REASON_LENGTH_MIN} 个字符的查看理由。",
        f"Say why, in at least {REASON_LENGTH_MIN} characters.",
    ),
    _R.REASON_TELLS: REASON_TELLS,
    _R.NOTHING_KNOWN: Bilingual("该客户没有登记此项信息。", "Nothing of the kind is known of this customer."),
}


@dataclass(frozen=True, slots=True)
class RevealRefusal:
    """The value stays sealed."""

    reason: RevealRefusalReason

    @property
    def text(self) -> Bilingual:
        """What to tell the operator."""
        return _TEXTS[self.reason]


def reveal_refusal(field: str, *, operator: Operator, reason: str) -> RevealRefusalReason | None:
    """Why this operator does not get to see the field, or None."""
    if not may(operator, Permission.CUSTOMERS_REVEAL):
        return RevealRefusalReason.NOT_PERMITTED
    if field not in SEALED_FIELDS:
        return RevealRefusalReason.UNKNOWN_FIELD
    if len("".join(reason.split())) < REASON_LENGTH_MIN:
        return RevealRefusalReason.REASON_TOO_SHORT
    return None


def verified_fields(facts: Iterable[PersonalFact], present: Mapping[str, PersonalFact]) -> frozenset[str]:
    """The fields whose present value was verified, whichever event did it."""
    proven = {(fact.field, fact.token) for fact in facts if fact.verified}
    return frozenset(field for field, fact in present.items() if (field, fact.token) in proven)
