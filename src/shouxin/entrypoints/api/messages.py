"""Messages: what callers send, as typed structs; unknown fields are refused."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shouxin.entrypoints.api.problems import Problem
from shouxin.kernel import Money, UnableToParseMoney

Reference = Annotated[str, Meta(min_length=1, max_length=200, description="The caller's own reference.")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217 code.")]
AmountText = Annotated[
    str, Meta(pattern=r"^\d{1,15}(\.\d{1,3})?$", description="Decimal string, such as 1299.00.")
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
    plan: Annotated[str, Meta(max_length=40)] = "pay_in_3"


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
