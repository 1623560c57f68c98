"""Messages: what callers send, as typed structs; unknown fields are refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta

from shouxin.entrypoints.api import forms
from shouxin.entrypoints.api.problems import Problem
from shouxin.ingestion.domain.schemas import Channel, Purpose
from shouxin.kernel import Money, UnableToParseMoney

_REFERENCE_LENGTH_MAX = 200
Reference = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=_REFERENCE_LENGTH_MAX,
        pattern=forms.PRINTABLE,
        description="The caller's own reference; no control characters.",
    ),
]
PathReference = Annotated[
    str, PathParameter(min_length=1, max_length=_REFERENCE_LENGTH_MAX, pattern=forms.PRINTABLE)
]
AsOf = Annotated[
    datetime | None,
    QueryParameter(description="An instant (ISO 8601): the answer as it was known then; default now."),
]
PlanName = Annotated[str, Meta(pattern=forms.PLAN_NAME, description="Name of a plan in the policy.")]
Currency = Annotated[str, Meta(pattern=forms.CURRENCY, description="ISO 4217 code.")]
AmountText = Annotated[
    str,
    Meta(pattern=forms.AMOUNT, description="Decimal string, such as 1299.00."),
]


class MoneyMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount: a decimal string and a currency."""

    value: AmountText
    currency: Currency

    def as_money(self, *, pointer: str) -> Money:
        """The amount as Money; an amount that is not one raises a 422 problem at ``pointer``."""
        try:
            money = Money.parse(self.value, self.currency)
        except UnableToParseMoney as error:
            raise Problem(422, "Unprocessable content", str(error), pointer=pointer) from None
        if money.minor <= 0:
            raise Problem(422, "Unprocessable content", "the amount must be more than zero", pointer=pointer)
        return money


class CheckoutMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the customer wants to buy on credit."""

    order_id: Reference
    amount: MoneyMessage
    plan: PlanName = "pay_in_3"


class DecisionMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question at checkout: may this customer spend this on credit?"""

    customer_ref: Reference
    request: CheckoutMessage
    decision_point: Literal["checkout"] = "checkout"
    dry_run: bool = False


class CaptureMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Take a hold, whole or in part; what is not taken is released."""

    amount: MoneyMessage | None = None


class RepaymentMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money that a customer paid; ``reference`` makes sending it twice harmless."""

    amount: MoneyMessage
    reference: Reference


class LineMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An application for a credit line."""

    customer_ref: Reference


class SendCodeMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wish for a one-time code to the phone or e-mail that the customer registered."""

    customer_ref: Reference
    field: Literal["phone", "email"]
    human_check: Annotated[str, Meta(max_length=300)] | None = None


class CodeMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code as the customer typed it."""

    code: Annotated[str, Meta(pattern=forms.CODE, description="Six digits.")]


class RealNameMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose name and national id are put to the register."""

    customer_ref: Reference


_Personal = Annotated[str, Meta(max_length=500)]


class RegistrationMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who becomes a customer: a name, and a phone, an e-mail or a national id."""

    customer_ref: Reference
    name: _Personal
    channel: Literal["app", "web", "store", "phone"]
    phone: _Personal | None = None
    email: _Personal | None = None
    national_id: _Personal | None = None
    birth_date: _Personal | None = None
    address: _Personal | None = None
    card: _Personal | None = None
    business_code: Annotated[str, Meta(max_length=40)] | None = None
    region: Annotated[str, Meta(max_length=100)] | None = None


class ConsentMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A customer's word about a purpose; without ``text_version`` the text in force, without a time now."""

    customer_ref: Reference
    purpose: Purpose
    state: Literal["granted", "withdrawn"]
    text_version: Reference | None = None
    channel: Channel | None = None
    occurred_at: datetime | None = None
