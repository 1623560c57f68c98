"""Customers and lines: what a shop may read about a customer it sent us, and the application for a line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from litestar import get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody
from sqlalchemy import Connection

from shouxin import credit, grading, identity, ingestion, reporting
from shouxin.entrypoints.api import answers
from shouxin.entrypoints.api.description import KEYED, described
from shouxin.entrypoints.api.keys import caller_with
from shouxin.entrypoints.api.messages import AsOf, LineMessage, PathReference
from shouxin.entrypoints.api.ownership import is_own_plan
from shouxin.entrypoints.api.problems import Problem
from shouxin.entrypoints.api.shapes import (
    consent_shape,
    line_shape,
    plan_shape,
    reasons_shape,
    tag_shape,
)
from shouxin.entrypoints.house import House
from shouxin.governance import ApiKey, Scope
from shouxin.ingestion.domain import EARLIEST
from shouxin.kernel import CustomerId

_READER = {"caller": Provide(caller_with(Scope.CUSTOMERS_READ), sync_to_thread=True)}
_PROFILE = ("name", "phone", "email", "national_id", "birth_date", "address", "region", "channel")
_WRITER = {"caller": Provide(caller_with(Scope.LINES_WRITE), sync_to_thread=True)}


@get(
    "/customers/{customer_ref:str}",
    sync_to_thread=True,
    dependencies=_READER,
    summary="Read a customer",
    **described("readCustomer", tag="customers", answer=answers.Customer, refusals=(*KEYED, 404)),
)
def read_customer(
    customer_ref: PathReference,
    house: NamedDependency[House],
    caller: NamedDependency[ApiKey],
    as_of: AsOf = None,
) -> answers.Customer:
    """All that is known of one customer of the calling shop; personal data is masked.

    ``as_of`` (default now) shows profile, standing, tags and consents as they were known then.
    """
    at = house.clock() if as_of is None else as_known(as_of)
    with house.database.begin() as db:
        customer_id = found_customer(db, house, caller, customer_ref)
        view = reporting.customer_360(db, house.keyring, customer_id, as_of=at)
        assert view is not None, "whoever is found has a reference"
        own = [plan for plan in view.plans if is_own_plan(db, plan, caller=caller)]
        day = credit.current_business_date(db)
    profile = {name: getattr(view.profile, name) for name in _PROFILE}
    return answers.Customer(
        customer_ref=customer_ref,
        customer_id=customer_id,
        as_of=at,
        **profile,
        verified=sorted(view.profile.verified),
        registered_at=view.profile.registered_at,
        standing=None if view.standing is None else _standing(view.standing),
        tags=[tag_shape(tag) for tag in view.tags],
        consents=[consent_shape(one) for one in view.consents],
        line=None if view.line is None else line_shape(view.line),
        plans=[plan_shape(plan, business_date=day) for plan in own],
        open_alerts=view.open_alerts,
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
        customer_id = found_customer(db, house, caller, customer_ref)
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
        plans = credit.plans_of(db, found_customer(db, house, caller, customer_ref))
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
        line = credit.apply_for_line(db, found_customer(db, house, caller, data.customer_ref), now=now)
    if isinstance(line, credit.LineRefusal):
        more = {"code": line.code, "text": line.text.as_data(), "reasons": reasons_shape(line.reasons)}
        raise Problem(409, "Refused", line.text.en, more=more)
    return line_shape(line)


def found_customer(db: Connection, house: House, caller: ApiKey, customer_ref: str) -> CustomerId:
    """The customer of a reference, else a 404 problem.

    One whose first events came in today is not linked yet, and is so now.
    """
    found = identity.find_customer(db, source=caller.source, customer_ref=customer_ref)
    if found is not None:
        return found
    now = house.clock()
    if not ingestion.list_events(db, [(caller.source, customer_ref)], as_of=now, limit=1):
        detail = f"{caller.source} has no customer {customer_ref}; send its events first"
        raise Problem(404, "Not found", detail)
    return identity.ensure_customer(db, source=caller.source, customer_ref=customer_ref, now=now)


def as_known(instant: datetime, *, name: str = "as_of") -> datetime:
    """An instant that a caller sent, in UTC, which one without a zone is; else a 422 problem.

    Before 1970 there were no shops; at the calendar's ends a shift to UTC leaves it.
    """
    try:
        moved = (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        moved = EARLIEST - timedelta(days=1)
    if moved < EARLIEST:
        detail = f"{name} is an instant from 1970 on, such as 2026-03-01T10:00:00+08:00"
        raise Problem(422, "Unprocessable content", detail, pointer=f"#/{name}")
    return moved


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
