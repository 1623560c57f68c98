"""Answers: what the API tells, as typed structs; the OpenAPI description is made from them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

import msgspec


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """An amount: a decimal string and a currency."""

    value: str
    currency: str


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A text for people, in Chinese and in English."""

    zh: str
    en: str


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """A specific reason that was really used; ``points`` where it came from the score."""

    code: str
    rank: int
    text: Text
    points: int | None
    feature: str
    value: Any


class LineFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The four figures of a line, as decimal strings: available = total - held - outstanding."""

    total: str
    held: str
    outstanding: str
    available: str
    currency: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A credit line, now."""

    line_id: str
    customer_id: str
    limit: LineFigures
    frozen: bool
    days_past_due: int
    opened_at: datetime


class Instalment(msgspec.Struct, frozen=True, kw_only=True):
    """One instalment as it stands on the business date."""

    number: int
    due_on: date
    amount: str
    paid: str
    state: str
    days_past_due: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """An instalment plan: what was captured for one order, and how it is repaid."""

    plan_id: str
    order_id: str
    plan: str
    amount: Amount
    outstanding: Amount
    started_on: date
    instalments: list[Instalment]


class Plans(msgspec.Struct, frozen=True, kw_only=True):
    """The plans of a customer, newest first."""

    plans: list[Plan]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """An amount set aside for one order."""

    id: str
    order_id: str
    state: Literal["held", "captured", "voided", "expired"]
    amount: Amount
    captured: Amount
    expires_at: datetime


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a repayment that went to one instalment."""

    number: int
    amount: str


class Repayment(msgspec.Struct, frozen=True, kw_only=True):
    """A repayment and how it was spread; ``outstanding`` is what the plan still asks for."""

    repayment_id: str
    reference: str
    plan_id: str
    amount: Amount
    allocation: list[Share]
    outstanding: Amount


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The grade that a customer has now, why, and the service that goes with it."""

    grade: Literal["S", "A", "B", "C", "D"]
    score: int
    pd: float
    as_of: datetime
    reasons: list[Reason]
    service: Text


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison that held: the fact, what was read, and what it was held against."""

    field: str
    op: str
    expected: Any
    read: Any


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A persona that the customer has, and why."""

    code: str
    name: Text
    meaning: Text
    why: list[Comparison]


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one purpose; ``text_version`` is the text that was agreed to last."""

    purpose: str
    meaning: Text
    state: Literal["granted", "withdrawn", "never_asked"]
    since: datetime | None
    text_version: str | None


class ConsentWord(msgspec.Struct, frozen=True, kw_only=True):
    """One word of the customer at the calling shop."""

    customer_ref: str
    purpose: str
    state: Literal["granted", "withdrawn"]
    text_version: str | None
    channel: str | None
    occurred_at: datetime
    received_at: datetime


class Consents(msgspec.Struct, frozen=True, kw_only=True):
    """Where each purpose stands at ``as_of``, and every word, the last one first."""

    customer_ref: str
    as_of: datetime
    consents: list[Consent]
    history: list[ConsentWord]


class ConsentTaken(msgspec.Struct, frozen=True, kw_only=True):
    """The word is in the log; ``text_version`` is the text that was agreed to."""

    customer_ref: str
    purpose: str
    state: Literal["granted", "withdrawn"]
    text_version: str | None
    occurred_at: datetime
    outcome: Literal["accepted", "duplicate"]


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer of the calling shop; personal data is masked.

    Profile, standing, tags and consents are as they were known at ``as_of``; line, plans (those that
    began at the calling shop) and open alerts are of now.
    """

    customer_ref: str
    customer_id: str
    as_of: datetime
    name: str | None
    phone: str | None
    email: str | None
    national_id: str | None
    birth_date: str | None
    address: str | None
    region: str | None
    channel: str | None
    verified: list[str]
    registered_at: datetime | None
    standing: Standing | None
    tags: list[Tag]
    consents: list[Consent]
    line: Line | None
    plans: list[Plan]
    open_alerts: int


class QuotedInstalment(msgspec.Struct, frozen=True, kw_only=True):
    """One instalment of a plan on offer."""

    number: int
    due_in_days: int
    amount: str


class QuotedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan on offer."""

    plan: str
    meaning: Text
    instalments: list[QuotedInstalment]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer may have: up to ``max_amount``, the rest of the order paid at once."""

    max_amount: str
    down_payment: str
    plans: list[QuotedPlan]


class PlacedHold(msgspec.Struct, frozen=True, kw_only=True):
    """The hold that an approval made."""

    id: str
    expires_at: datetime


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """What decided, each by the hash of its content."""

    policy: str
    model: str
    features: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a decision, as it was stored; ``limit`` is null without a line."""

    decision_id: str
    outcome: Literal["approve", "review", "counter_offer", "decline"]
    score: int
    pd: float
    grade: Literal["S", "A", "B", "C", "D"]
    limit: LineFigures | None
    offer: Offer | None
    hold: PlacedHold | None
    reasons: list[Reason]
    versions: Versions
    case_id: str | None
    created_at: datetime


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a decision, made again, gives the same bytes."""

    decision_id: str
    identical: bool


class RefusedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was not taken: its place in what was sent, the field and the reason."""

    position: int
    field: str
    reason: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the events sent: read = accepted + duplicates + quarantined."""

    read: int
    accepted: int
    duplicates: int
    quarantined: int
    reasons: dict[str, int]
    refusals: list[RefusedEvent]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The house answers."""

    status: Literal["ok"]
    version: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in what was sent something is wrong: a JSON pointer as a fragment."""

    pointer: str
    detail: str


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A refusal (RFC 9457). ``code`` and ``text`` are there when the business refused, not the form."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Place] | msgspec.UnsetType = msgspec.UNSET
    code: str | msgspec.UnsetType = msgspec.UNSET
    text: Text | msgspec.UnsetType = msgspec.UNSET
    reasons: list[Reason] | msgspec.UnsetType = msgspec.UNSET


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """Work for a browser: SHA-256 of ``<challenge>:<number>`` must begin with ``zero_bits`` zeros."""

    challenge: str
    zero_bits: int


class CodeSent(msgspec.Struct, frozen=True, kw_only=True):
    """A code is on its way; the address is masked."""

    verification_id: str
    sent_to: str
    expires_at: datetime


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """The customer has shown that the phone or e-mail is theirs."""

    customer_ref: str
    field: str


class RealName(msgspec.Struct, frozen=True, kw_only=True):
    """What the register says: agrees, differs or unknown."""

    answer: Literal["agrees", "differs", "unknown"]
    provider: str


class FieldText(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is doubtful about a field; never the value."""

    field: str
    text: Text


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a registration; a duplicate was registered with the same values before."""

    customer_ref: str
    outcome: Literal["accepted", "duplicate"]
    warnings: list[FieldText]
