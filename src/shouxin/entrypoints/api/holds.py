"""Holds and plans: the shop takes or frees what was held, and reports what was repaid."""

from __future__ import annotations

from typing import Any

from litestar import post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from shouxin import credit
from shouxin.entrypoints.api.keys import caller_with
from shouxin.entrypoints.api.messages import CaptureMessage, RepaymentMessage
from shouxin.entrypoints.api.problems import Problem
from shouxin.entrypoints.api.shapes import hold_shape, plan_shape, repayment_shape
from shouxin.entrypoints.house import House
from shouxin.governance import ApiKey, Scope
from shouxin.kernel import Bilingual

_WRITER = {"caller": Provide(caller_with(Scope.LINES_WRITE), sync_to_thread=True)}


@post(
    "/holds/{hold_id:str}/capture",
    sync_to_thread=True,
    status_code=200,
    dependencies=_WRITER,
    summary="Capture a hold",
    tags=["lines"],
)
def capture_hold(
    hold_id: FromPath[str],
    house: NamedDependency[House],
    caller: NamedDependency[ApiKey],
    data: JSONBody[CaptureMessage | None] = None,
) -> dict[str, Any]:
    """Take a hold, whole or in part: an instalment plan begins, the rest is released."""
    asked = data.amount if data else None
    amount = asked.as_money(pointer="#/amount/value") if asked else None
    with house.database.begin() as db:
        day = credit.current_business_date(db)
        plan = credit.capture(db, hold_id, amount=amount, now=house.clock(), business_date=day)
    if isinstance(plan, credit.HoldRefusal):
        raise _refused(plan.code, plan.text)
    return plan_shape(plan, business_date=day)


@post(
    "/holds/{hold_id:str}/void",
    sync_to_thread=True,
    status_code=200,
    dependencies=_WRITER,
    summary="Void a hold",
    tags=["lines"],
)
def void_hold(
    hold_id: FromPath[str], house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> dict[str, Any]:
    """Free a hold: nothing was bought."""
    with house.database.begin() as db:
        hold = credit.void(db, hold_id, now=house.clock())
    if isinstance(hold, credit.HoldRefusal):
        raise _refused(hold.code, hold.text)
    return hold_shape(hold)


@post(
    "/plans/{plan_id:str}/repayments",
    sync_to_thread=True,
    status_code=200,
    dependencies=_WRITER,
    summary="Report a repayment",
    tags=["lines"],
)
def repay_plan(
    plan_id: FromPath[str],
    data: JSONBody[RepaymentMessage],
    house: NamedDependency[House],
    caller: NamedDependency[ApiKey],
) -> dict[str, Any]:
    """Money came in: it is spread over the plan's instalments, the oldest due first."""
    amount = data.amount.as_money(pointer="#/amount/value")
    with house.database.begin() as db:
        if credit.find_plan(db, plan_id) is None:
            raise Problem(404, "Not found", f"there is no plan {plan_id}")
        day = credit.current_business_date(db)
        result = credit.repay(
            db, plan_id, amount=amount, now=house.clock(), business_date=day, reference=data.reference
        )
    if isinstance(result, credit.RepaymentRefusal):
        raise _refused(result.code, result.text)
    return repayment_shape(result)


def _refused(code: str, text: Bilingual) -> Problem:
    status = 404 if code.startswith("NO_SUCH") else 409
    return Problem(status, "Refused", text.en, more={"code": code, "text": text.as_data()})
