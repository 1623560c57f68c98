"""What each kind of event says: one closed structure a kind (version 1).

A field that is not listed is refused with its name, so that a slip of the pen or a personal value in
the wrong place is found at the door. Structures never lose a field; a new meaning is a new version.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Word = Annotated[str, Meta(min_length=1, max_length=200)]
FreeText = Annotated[str, Meta(min_length=1, max_length=4000)]
Positive = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Whole = Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]
# Minor units of the event's currency.
Minor = Annotated[int, Meta(ge=0, le=2**53)]
DaysPastDue = Annotated[int, Meta(ge=0, le=36_500)]
Channel = Literal["app", "web", "store", "phone"]
# What data is used for. The service itself needs no consent; each other purpose does, by policy.
Purpose = Literal[
    "credit_assessment",
    "behaviour",
    "payment_and_address",
    "external_data",
    "social",
    "survey",
    "sharing",
    "marketing",
]
# `unknown` is for sources that do not say how an order was to be paid.
PaymentMethod = Literal["card", "wallet", "credit", "cod", "transfer", "unknown"]


class Payload(Struct, forbid_unknown_fields=True, kw_only=True):
    """The part of an event that belongs to its kind."""


class CustomerRegistered(Payload):
    """Somebody became a customer of the shop."""

    channel: Channel
    region: Word | None = None
    business_code: Word | None = None


class CustomerUpdated(Payload):
    """A customer changed what the shop knows of them."""

    channel: Channel | None = None


class CustomerVerified(Payload):
    """An identifier was proved to belong to the customer."""

    identifier: Literal["phone", "email", "national_id"]
    method: Word | None = None


class LoginRecorded(Payload):
    """The customer signed in at the shop; ``city`` is where from, as coarse as that."""

    channel: Channel | None = None
    city: Word | None = None


class ProductViewed(Payload):
    """The customer looked at a product."""

    sku: Word
    category: Word | None = None


class CartChanged(Payload):
    """The quantity of a product in the cart became ``quantity``."""

    sku: Word
    quantity: Whole


class OrderPlaced(Payload):
    """The customer ordered; the amount is what they are to pay."""

    items: Positive
    payment_method: PaymentMethod
    category: Word | None = None
    merchant_ref: Word | None = None
    coupon_minor: Minor | None = None
    channel: Channel | None = None


class OrderPaid(Payload):
    """Money for an order arrived."""

    method: Word | None = None


class PaymentFailed(Payload):
    """An attempt to pay did not succeed; the amount is what was to be paid."""

    method: Word | None = None
    reason: Literal["insufficient_funds", "declined", "expired", "wrong_code", "other"] | None = None


class ChargebackReceived(Payload):
    """The customer's bank took a payment back."""

    reason: Literal["not_received", "not_as_described", "unauthorised", "duplicate", "other"] | None = None


class OrderCancelled(Payload):
    """An order was called off before delivery."""

    reason: FreeText | None = None
    by: Literal["customer", "shop"] | None = None


class OrderShipped(Payload):
    """An order left the warehouse."""


class OrderDelivered(Payload):
    """An order reached the customer; ``days_late`` is 0 or less when it kept the promise."""

    days_late: Whole | None = None


class DeliveryRefused(Payload):
    """The customer did not take the parcel."""


class ReturnRequested(Payload):
    """The customer wants to send something back."""

    reason: FreeText | None = None


class RefundIssued(Payload):
    """Money went back; ``refund_only`` means that the goods did not."""

    refund_kind: Literal["return", "refund_only"]


class ReviewPosted(Payload):
    """The customer gave one to five stars.

    ``sentiment`` is -100 (as bad as words get) to 100; where a source does not say it, it is read from the
    ``text`` once, when the event is taken in.
    """

    rating: Annotated[int, Meta(ge=1, le=5)]
    text: FreeText | None = None
    sentiment: Annotated[int, Meta(ge=-100, le=100)] | None = None


class ComplaintFiled(Payload):
    """The customer complained."""

    topic: FreeText | None = None


class ViolationRecorded(Payload):
    """The customer broke a rule of the shop; severity 3 is the worst."""

    rule: Word
    severity: Annotated[int, Meta(ge=1, le=3)]


class MembershipChanged(Payload):
    """The customer's level of membership became ``level`` (0 is none); ``points`` is what they then have."""

    level: Annotated[int, Meta(ge=0, le=20)]
    points: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None


class OrderLinePlaced(Payload):
    """One line of an invoice; ``product`` is false for postage, fees, discounts and manual lines."""

    sku: Word
    quantity: Positive
    unit_price_minor: Minor
    country: Word | None = None
    product: bool | None = None


class OrderLineCancelled(OrderLinePlaced):
    """One line of a cancellation, quantity and amount positive."""


class ConsentGiven(Payload):
    """The customer agreed to a purpose, on this version of its text."""

    purpose: Purpose
    text_version: Word
    channel: Channel | None = None


class ConsentWithdrawn(Payload):
    """The customer took the agreement to a purpose back."""

    purpose: Purpose
    channel: Channel | None = None


class ExternalScoreReceived(Payload):
    """A provider of credit data answered about the customer; ``outcome`` says whether it knew them."""

    provider: Word
    product: Word
    outcome: Literal["found", "unknown_person"]
    score: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    band: Word | None = None
    open_loans: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    overdue_loans: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    court_records: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    valid_days: Annotated[int, Meta(ge=1, le=3_650)] | None = None


class SurveyAnswered(Payload):
    """What the customer answered customer service: one to five, or ``likely_to_recommend`` 0 to 10."""

    survey: Word
    method: Literal["phone", "web", "app", "store", "interview"] | None = None
    satisfaction: Annotated[int, Meta(ge=1, le=5)] | None = None
    loyalty: Annotated[int, Meta(ge=1, le=5)] | None = None
    likely_to_recommend: Annotated[int, Meta(ge=0, le=10)] | None = None
    text: FreeText | None = None


class LineOpened(Payload):
    """A credit line was opened; the amount is its limit."""

    line_id: Word | None = None


class LineLimitChanged(Payload):
    """The limit of a credit line became the amount."""


class InstalmentDue(Payload):
    """An instalment fell due."""

    plan_id: Word
    number: Positive


class InstalmentOverdue(Payload):
    """An instalment is ``days_past_due`` days late and still unpaid."""

    plan_id: Word
    number: Positive
    days_past_due: DaysPastDue


class RepaymentReceived(Payload):
    """A repayment arrived; ``days_past_due`` is how late it was, 0 when on time."""

    plan_id: Word
    days_past_due: DaysPastDue
    number: Positive | None = None
