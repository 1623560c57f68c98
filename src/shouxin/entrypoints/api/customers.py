"""Customers and lines: what a shop may read about a customer it sent us, and the application for a line."""

from __future__ import annotations

import msgspec
from litestar import get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody
from sqlalchemy import Connection

from shouxin import credit, grading, identity, ingestion
from shouxin.entrypoints.api import answers
from shouxin.entrypoints.api.description import KEYED, described
from shouxin.entrypoints.api.keys import caller_with
from shouxin.entrypoints.api.messages import LineMessage, PathReference
from shouxin.entrypoints.api.ownership import is_own_plan
from shouxin.entrypoints.api.problems import Problem
from shouxin.entrypoints.api.shapes import line_shape, plan_shape, reasons_shape
from shouxin.entrypoints.house import House
from shouxin.governance import ApiKey, Scope
from shouxin.kernel import CustomerId

_READER = {"caller": Provide(caller_with(Scope.CUSTOMERS_READ), sync_to_thread=True)}
_WRITER = {"caller": Provide(caller_with(Scope.LINES_WRITE), sync_to_thread=True)}


@get(
    "/customers/{customer_ref:str}",
    sync_to_thread=True,
    dependencies=_READER,
    summary="Read a customer",
    **described("readCustomer", tag="customers", answer=answers.Customer, refusals=(*KEYED, 404)),
)
def read_customer(
    customer_ref: PathReference, house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> answers.Customer:
    """Grade, score and service of one customer of the calling shop; personal data is masked."""
    with house.database.begin() as db:
        customer_id = _find(db, house, caller, customer_ref)
        profile = identity.masked_profile(db, house.keyring, customer_id)
        standing = grading.standing(db, customer_id)
    return answers.Customer(
        customer_ref=customer_ref,
        customer_id=customer_id,
        name=profile.name,
        verified=sorted(profile.verified),
        registered_at=profile.registered_at,
        standing=None if standing is None else _standing(standing),
    )


@get(
    "/customers/{customer_ref:str}/line",
    sync_to_thread=True,
    dependencies=_READER,
    summary="Read a credit line",
    **described("readLine", tag="lines", answer=answers.Line, refusals=(*KEYED, 404)),
)
def read_line(
    customer_ref: PathReference, house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> answers.Line:
    """The credit line: limit, held, outstanding and available, now."""
    with house.database.begin() as db:
        customer_id = _find(db, house, caller, customer_ref)
        line = credit.line_of(db, customer_id)
    if line is None:
        raise Problem(
            404, "Not found", f"customer {customer_ref} has no credit line; POST /v1/lines applies for one"
        )
    return line_shape(line)


@get(
    "/customers/{customer_ref:str}/plans",
    sync_to_thread=True,
    dependencies=_READER,
    summary="List instalment plans",
    **described("listPlans", tag="lines", answer=answers.Plans, refusals=(*KEYED, 404)),
)
def read_plans(
    customer_ref: PathReference, house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> answers.Plans:
    """The customer's instalment plans that began at the calling shop, newest first."""
    with house.database.begin() as db:
        plans = credit.plans_of(db, _find(db, house, caller, customer_ref))
        own = [plan for plan in plans if is_own_plan(db, plan, caller=caller)]
        day = credit.current_business_date(db)
    return answers.Plans(plans=[plan_shape(plan, business_date=day) for plan in own])


@post(
    "/lines",
    sync_to_thread=True,
    dependencies=_WRITER,
    summary="Apply for a credit line",
    **described("applyForLine", tag="lines", answer=answers.Line, refusals=(*KEYED, 404, 409, 415)),
)
def apply_for_line(
    data: JSONBody[LineMessage], house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> answers.Line:
    """The customer is graded afresh and gets the limit that the policy gives the grade, or reasons."""
    now = house.clock()
    with house.database.begin() as db:
        line = credit.apply_for_line(db, _find(db, house, caller, data.customer_ref), now=now)
    if isinstance(line, credit.LineRefusal):
        more = {"code": line.code, "text": line.text.as_data(), "reasons": reasons_shape(line.reasons)}
        raise Problem(409, "Refused", line.text.en, more=more)
    return line_shape(line)


def _find(db: Connection, house: House, caller: ApiKey, customer_ref: str) -> CustomerId:
    """The customer; one whose first events came in today is not linked yet, and is so now."""
    found = identity.find_customer(db, source=caller.source, customer_ref=customer_ref)
    if found is not None:
        return found
    now = house.clock()
    if not ingestion.list_events(db, [(caller.source, customer_ref)], as_of=now, limit=1):
        detail = f"{caller.source} has no customer {customer_ref}; send its events first"
        raise Problem(404, "Not found", detail)
    return identity.ensure_customer(db, source=caller.source, customer_ref=customer_ref, now=now)


def _standing(standing: grading.Standing) -> answers.Standing:
    return msgspec.convert(
        {
            "grade": standing.grade.value,
            "score": standing.score,
            "pd": standing.pd,
            "as_of": standing.as_of,
            "reasons": reasons_shape(standing.reasons),
            "service": grading.SERVICE_POLICY[standing.grade].as_data(),
        },
        answers.Standing,
    )
