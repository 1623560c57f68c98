"""Customers and lines: what a shop may read about a customer it sent us, and the application for a line."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody
from sqlalchemy import Connection

from shouxin import credit, grading, identity
from shouxin.entrypoints.api.keys import caller_with
from shouxin.entrypoints.api.messages import LineMessage
from shouxin.entrypoints.api.problems import Problem
from shouxin.entrypoints.api.shapes import line_shape, plan_shape, reasons_shape
from shouxin.entrypoints.house import House
from shouxin.governance import ApiKey, Scope
from shouxin.kernel import CustomerId

_READER = {"caller": Provide(caller_with(Scope.CUSTOMERS_READ), sync_to_thread=True)}
_WRITER = {"caller": Provide(caller_with(Scope.LINES_WRITE), sync_to_thread=True)}


@get("/customers/{customer_ref:str}", sync_to_thread=True, dependencies=_READER, tags=["customers"])
def read_customer(
    customer_ref: FromPath[str], house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> dict[str, Any]:
    """Grade, score and service of one customer of the calling shop; personal data is masked."""
    with house.database.begin() as db:
        customer_id = _find(db, caller, customer_ref)
        profile = identity.masked_profile(db, house.keyring, customer_id)
        standing = grading.standing(db, customer_id)
    return {
        "customer_ref": customer_ref,
        "customer_id": customer_id,
        "name": profile.name,
        "verified": sorted(profile.verified),
        "registered_at": profile.registered_at,
        "standing": None if standing is None else _standing(standing),
    }


@get("/customers/{customer_ref:str}/line", sync_to_thread=True, dependencies=_READER, tags=["lines"])
def read_line(
    customer_ref: FromPath[str], house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> dict[str, Any]:
    """The credit line: limit, held, outstanding and available, now."""
    with house.database.begin() as db:
        customer_id = _find(db, caller, customer_ref)
        line = credit.line_of(db, customer_id)
    if line is None:
        raise Problem(
            404, "Not found", f"customer {customer_ref} has no credit line; POST /v1/lines applies for one"
        )
    return line_shape(line)


@get("/customers/{customer_ref:str}/plans", sync_to_thread=True, dependencies=_READER, tags=["lines"])
def read_plans(
    customer_ref: FromPath[str], house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> dict[str, Any]:
    """The customer's instalment plans, newest first, with every instalment."""
    with house.database.begin() as db:
        plans = credit.plans_of(db, _find(db, caller, customer_ref))
        day = credit.current_business_date(db)
    return {"plans": [plan_shape(plan, business_date=day) for plan in plans]}


@post("/lines", sync_to_thread=True, dependencies=_WRITER, status_code=200, tags=["lines"])
def apply_for_line(
    data: JSONBody[LineMessage], house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> dict[str, Any]:
    """Apply for a line: the customer is graded afresh and gets the policy's limit, or reasons."""
    now = house.clock()
    with house.database.begin() as db:
        line = credit.apply_for_line(db, _find(db, caller, data.customer_ref), now=now)
    if isinstance(line, credit.LineRefusal):
        more = {"code": line.code, "text": line.text.as_data(), "reasons": reasons_shape(line.reasons)}
        raise Problem(409, "Refused", line.text.en, more=more)
    return line_shape(line)


def _find(db: Connection, caller: ApiKey, customer_ref: str) -> CustomerId:
    customer_id = identity.find_customer(db, source=caller.source, customer_ref=customer_ref)
    if customer_id is None:
        raise Problem(
            404, "Not found", f"{caller.source} has no customer {customer_ref}; send its events first"
        )
    return customer_id


def _standing(standing: Any) -> dict[str, Any]:
    return {
        "grade": standing.grade.value,
        "score": standing.score,
        "pd": standing.pd,
        "as_of": standing.as_of,
        "reasons": standing.reasons,
        "service": grading.SERVICE_POLICY[standing.grade].as_data(),
    }
