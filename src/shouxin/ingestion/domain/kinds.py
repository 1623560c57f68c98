"""The canonical kinds of event, version 1: what each must carry, as data and as JSON Schema."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from shouxin.governance.domain import SEALED_FIELDS, TOKEN_FIELDS
from shouxin.ingestion.domain import schemas

VERSION = 1
REFERENCE_LENGTH_MAX = 200
SOURCE_PATTERN = "^[a-z0-9][a-z0-9_-]{0,63}$"
CURRENCY_PATTERN = "^[A-Z]{3}$"
AMOUNT_PATTERN = r"^[0-9]{1,15}(\.[0-9]{1,3})?$"
PERSONAL_LENGTH_MAX = 500
# A control character: no source and no reference holds one.
IDENTITY_SEPARATOR = "\x1f"


class Presence(StrEnum):
    """Whether an event of a kind carries a field."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class EventKind:
    """One kind of event: its payload, and which fields of the envelope it has."""

    name: str
    payload: type[schemas.Payload]
    amount: Presence = Presence.ABSENT
    order_ref: Presence = Presence.OPTIONAL
    personal: frozenset[str] = frozenset()


_SEALED = frozenset(SEALED_FIELDS)
_VERIFIABLE = frozenset({"phone", "email", "national_id"})
_NEEDED, _MAYBE = Presence.REQUIRED, Presence.OPTIONAL

KINDS: dict[str, EventKind] = {
    kind.name: kind
    for kind in (
        EventKind("customer_registered", schemas.CustomerRegistered, personal=_SEALED | {"card"}),
        EventKind("customer_updated", schemas.CustomerUpdated, personal=_SEALED),
        EventKind("customer_verified", schemas.CustomerVerified, personal=_VERIFIABLE),
        EventKind("login_recorded", schemas.LoginRecorded, personal=frozenset({"device"})),
        EventKind("product_viewed", schemas.ProductViewed),
        EventKind("cart_changed", schemas.CartChanged),
        EventKind("order_placed", schemas.OrderPlaced, _NEEDED, _NEEDED, frozenset(TOKEN_FIELDS)),
        EventKind("order_paid", schemas.OrderPaid, _NEEDED, _NEEDED),
        EventKind("payment_failed", schemas.PaymentFailed, _MAYBE),
        EventKind("chargeback_received", schemas.ChargebackReceived, _NEEDED, _NEEDED),
        EventKind("order_cancelled", schemas.OrderCancelled, _MAYBE, _NEEDED),
        EventKind("order_shipped", schemas.OrderShipped, order_ref=_NEEDED),
        EventKind("order_delivered", schemas.OrderDelivered, order_ref=_NEEDED),
        EventKind("delivery_refused", schemas.DeliveryRefused, order_ref=_NEEDED),
        EventKind("return_requested", schemas.ReturnRequested, _MAYBE, _NEEDED),
        EventKind("refund_issued", schemas.RefundIssued, _NEEDED, _NEEDED),
        EventKind("review_posted", schemas.ReviewPosted),
        EventKind("complaint_filed", schemas.ComplaintFiled),
        EventKind("violation_recorded", schemas.ViolationRecorded),
        EventKind("membership_changed", schemas.MembershipChanged),
        EventKind("order_line_placed", schemas.OrderLinePlaced, _NEEDED, _NEEDED),
        EventKind("order_line_cancelled", schemas.OrderLineCancelled, _NEEDED, _NEEDED),
        EventKind("consent_given", schemas.ConsentGiven),
        EventKind("consent_withdrawn", schemas.ConsentWithdrawn),
        EventKind("external_score_received", schemas.ExternalScoreReceived),
        EventKind("survey_answered", schemas.SurveyAnswered),
        EventKind("line_opened", schemas.LineOpened, _NEEDED),
        EventKind("line_limit_changed", schemas.LineLimitChanged, _NEEDED),
        EventKind("instalment_due", schemas.InstalmentDue, _NEEDED),
        EventKind("instalment_overdue", schemas.InstalmentOverdue, _NEEDED),
        EventKind("repayment_received", schemas.RepaymentReceived, _NEEDED),
    )
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """The published JSON Schema (draft 2020-12) of the envelope of every kind, by kind."""
    return {name: _envelope_schema(kind) for name, kind in KINDS.items()}


def _envelope_schema(kind: EventKind) -> dict[str, Any]:
    (payload,), _ = msgspec.json.schema_components([kind.payload], ref_template="#/$defs/{name}")
    definitions = msgspec.json.schema_components([kind.payload], ref_template="#/$defs/{name}")[1]
    properties = _common_properties(kind) | {"payload": payload}
    required = ["source", "source_id", "kind", "version", "customer_ref", "occurred_at", "payload"]
    for field in ("amount", "order_ref"):
        presence: Presence = getattr(kind, field)
        if presence is Presence.ABSENT:
            del properties[field]
        elif presence is Presence.REQUIRED:
            required.append(field)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:shouxin:event:{kind.name}:{VERSION}",
        "title": kind.name,
        "description": kind.payload.__doc__,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        "$defs": definitions,
    }


def _common_properties(kind: EventKind) -> dict[str, Any]:
    reference = {"type": "string", "minLength": 1, "maxLength": REFERENCE_LENGTH_MAX}
    clear = {"type": "string", "minLength": 1, "maxLength": PERSONAL_LENGTH_MAX}
    amount = {
        "type": "object",
        "properties": {
            "value": {"type": "string", "pattern": AMOUNT_PATTERN},
            "currency": {"type": "string", "pattern": CURRENCY_PATTERN},
        },
        "required": ["value", "currency"],
        "additionalProperties": False,
    }
    personal = {
        "type": "object",
        "description": "Clear values; replaced by tokens before anything is stored.",
        "properties": dict.fromkeys(sorted(kind.personal), clear),
        "additionalProperties": False,
    }
    properties: dict[str, Any] = {
        "source": {"type": "string", "pattern": SOURCE_PATTERN},
        "source_id": reference,
        "kind": {"const": kind.name},
        "version": {"const": VERSION},
        "customer_ref": reference,
        "occurred_at": {"type": "string", "format": "date-time"},
        "order_ref": reference,
        "amount": amount,
    }
    return properties | ({"personal": personal} if kind.personal else {})
