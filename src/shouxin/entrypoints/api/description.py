"""Description: what OpenAPI says of each call beyond its types: its name, its refusals, an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    Components,
    Example,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
    SecurityScheme,
)

from shouxin import __version__
from shouxin.entrypoints.api import answers

_PROBLEM = "application/problem+json"
_REFUSALS = {
    400: "The request can not be read: not JSON, a wrong Content-Type, a wrong parameter.",
    401: "No API key, or one that is unknown or revoked.",
    403: "The API key lacks the scope.",
    404: "There is no such thing for this source.",
    408: "The body did not arrive in time.",
    409: "The business refuses, or the same Idempotency-Key is in flight; `code` and `text` say why.",
    413: "Too much at once.",
    415: "A Content-Type or Content-Encoding that this call does not read.",
    422: "Well-formed and wrong: `errors` points at each place.",
    429: "Too many calls, or too much at once; Retry-After says when to come again.",
    500: "A defect of the server.",
    503: "The database does not answer, or nothing is there to decide with; Retry-After says when.",
}
# What every call may meet, and what every call with a key may meet.
OPEN = (429, 500, 503)
KEYED = (400, 401, 403, 422, *OPEN)

_ORDER_PLACED = {
    "source_id": "order-2026-0042/placed",
    "kind": "order_placed",
    "version": 1,
    "customer_ref": "C1024",
    "occurred_at": "2026-03-02T10:00:00+08:00",
    "order_ref": "2026-0042",
    "amount": {"value": "1299.00", "currency": "CNY"},
    "payload": {"items": 1, "payment_method": "credit"},
}
_BODIES: Mapping[str, Any] = {
    "sendEvents": {"events": [_ORDER_PLACED]},
    "makeDecision": {
        "decision_point": "checkout",
        "customer_ref": "C1024",
        "request": {
            "order_id": "2026-0042",
            "amount": {"value": "1299.00", "currency": "CNY"},
            "plan": "pay_in_3",
        },
        "dry_run": False,
    },
    "register": {
        "customer_ref": "C1024",
        "name": "陈文静",
        "channel": "app",
        "phone": "1010 0000 001",
        "email": "chen@mail.example",
    },
    "sendCode": {"customer_ref": "C1024", "field": "phone"},
    "checkCode": {"code": "042042"},
    "checkRealName": {"customer_ref": "C1024"},
    "sayConsent": {
        "customer_ref": "C1024",
        "purpose": "behaviour",
        "state": "withdrawn",
        "channel": "app",
    },
    "applyForLine": {"customer_ref": "C1024"},
    "captureHold": {"amount": {"value": "1199.00", "currency": "CNY"}},
    "repayPlan": {"amount": {"value": "433.00", "currency": "CNY"}, "reference": "bank-7781"},
}


@dataclass
class DescribedOperation(Operation):
    """An operation whose body carries an example; the body of events, read raw, is told here."""

    def __post_init__(self) -> None:
        """Add what the handler's types do not say."""
        body = _BODIES.get(self.operation_id or "")
        if self.operation_id == "sendEvents":
            self.request_body = _events_body()
        if self.operation_id == "captureHold" and isinstance(self.request_body, RequestBody):
            self.request_body.required = False
        if body is not None and isinstance(self.request_body, RequestBody):
            for content in self.request_body.content.values():
                content.examples = content.examples or {"example": Example(value=body)}


def described(
    operation_id: str, *, tag: str, answer: type[Any], refusals: tuple[int, ...] = KEYED
) -> dict[str, Any]:
    """The arguments of a route handler that describe it: its answer and the statuses it may refuse with."""
    told: dict[int, ResponseSpec] = {
        200: ResponseSpec(answer, generate_examples=False, description=(answer.__doc__ or "").strip())
    }
    for status in sorted(refusals):
        told[status] = ResponseSpec(
            answers.ProblemDetails,
            generate_examples=False,
            description=_REFUSALS[status],
            media_type=_PROBLEM,
        )
    return {
        "operation_id": operation_id,
        "operation_class": DescribedOperation,
        "tags": [tag],
        "status_code": 200,
        "responses": told,
    }


def open_api() -> OpenAPIConfig:
    """The OpenAPI description, at /v1/openapi/openapi.json."""
    scheme = SecurityScheme(type="http", scheme="bearer", description="An API key: sx_...")
    return OpenAPIConfig(
        title="Shouxin",
        version=__version__,
        description="Customer credit risk for online shops: events in, decisions out.",
        path="/v1/openapi",
        use_handler_docstrings=True,
        components=Components(security_schemes={"api_key": scheme}),
    )


def _events_body() -> RequestBody:
    event = Schema(
        type=OpenAPIType.OBJECT,
        description="One event; GET /v1/schemas has the JSON Schema of each kind.",
        required=["source_id", "kind", "version", "customer_ref", "occurred_at", "payload"],
    )
    many = Schema(
        type=OpenAPIType.OBJECT,
        required=["events"],
        properties={"events": Schema(type=OpenAPIType.ARRAY, items=event, min_items=1, max_items=10_000)},
    )
    lines = Schema(type=OpenAPIType.STRING, description="One event a line.")
    return RequestBody(
        required=True,
        content={
            "application/json": OpenAPIMediaType(schema=Schema(one_of=[many, event])),
            "application/x-ndjson": OpenAPIMediaType(
                schema=lines, examples={"example": Example(value="{...}\n{...}")}
            ),
        },
    )
