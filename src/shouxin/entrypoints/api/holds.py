"""Holds and plans: the shop takes or frees what was held, and reports what was repaid."""

from __future__ import annotations

from litestar import post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody

from shouxin import credit
from shouxin.entrypoints.api import answers
from shouxin.entrypoints.api.description import KEYED, described
from shouxin.entrypoints.api.keys import caller_with
from shouxin.entrypoints.api.messages import CaptureMessage, PathReference, RepaymentMessage
from shouxin.entrypoints.api.ownership import own_hold, own_plan
from shouxin.entrypoints.api.problems import Problem
from shouxin.entrypoints.api.shapes import hold_shape, plan_shape, repayment_shape
from shouxin.entrypoints.house import House
from shouxin.governance import ApiKey, Scope
from shouxin.kernel import Bilingual

_REFUSALS = (*KEYED, 404, 409, 415)
_WRITER = {"caller": Provide(caller_with(Scope.LINES_WRITE), sync_to_thread=True)}


@post(
    "/holds/{hold_id:str}/capture",
    sync_to_thread=True,
    dependencies=_WRITER,
    summary="Capture a hold",
    **described("captureHold", tag="lines", answer=answers.Plan, refusals=_REFUSALS),
)
def capture_hold(
    hold_id: PathReference,
    house: NamedDependency[House],
    caller: NamedDependency[ApiKey],
    data: JSONBody[CaptureMessage | None] = None,
) -> answers.Plan:
    """Take a hold, whole or in part: an instalment plan begins, the rest is released."""
    asked = data.amount if data else None
    amount = asked.as_money(pointer="#/amount/value") if asked else None
    with house.database.begin() as db:
        own_hold(db, hold_id, caller=caller)
        day = credit.current_business_date(db)
        plan = credit.capture(db, hold_id, amount=amount, now=house.clock(), business_date=day)
    if isinstance(plan, credit.HoldRefusal):
        raise _refused(plan.code, plan.text)
    return plan_shape(plan, business_date=day)


@post(
    "/holds/{hold_id:str}/void",
    sync_to_thread=True,
    dependencies=_WRITER,
    summary="Void a hold",
    **described("voidHold", tag="lines", answer=answers.Hold, refusals=_REFUSALS),
)
def void_hold(
    hold_id: PathReference, house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> answers.Hold:
    """Free a hold: nothing was bought."""
    with house.database.begin() as db:
        own_hold(db, hold_id, caller=caller)
        hold = credit.void(db, hold_id, now=house.clock())
    if isinstance(hold, credit.HoldRefusal):
        raise _refused(hold.code, hold.text)
    return hold_shape(hold)


@post(
    "/plans/{plan_id:str}/repayments",
    sync_to_thread=True,
    dependencies=_WRITER,
    summary="Report a repayment",
    **described("repayPlan", tag="lines", answer=answers.Repayment, refusals=_REFUSALS),
)
def repay_plan(
    plan_id: PathReference,
    data: JSONBody[RepaymentMessage],
    house: NamedDependency[House],
    caller: NamedDependency[ApiKey],
) -> answers.Repayment:
    """Money came in: it is spread over the plan's instalments, the oldest due first."""
    amount = data.amount.as_money(pointer="#/amount/value")
    with house.database.begin() as db:
        own_plan(db, plan_id, caller=caller)
        day = credit.current_business_date(db)
        result = credit.repay(
            db,
            plan_id,
            amount=amount,
            now=house.clock(),
            business_date=day,
            # Two shops may both have a payment 1: a reference is the caller's own.
            reference=f"{caller.source}/{data.reference}",
        )
    if isinstance(result, credit.RepaymentRefusal):
        raise _refused(result.code, result.text)
    return repayment_shape(result, reference=data.reference)


def _refused(code: str, text: Bilingual) -> Problem:
    return Problem(409, "Refused", text.en, more={"code": code, "text": text.as_data()})
