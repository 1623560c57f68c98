"""How a repayment is allocated, and why it may be refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shouxin.credit.instalments.domain import Plan
from shouxin.credit.limits.domain import days_late
from shouxin.kernel import Bilingual, Money


@dataclass(frozen=True, slots=True)
class Share:
    """What of a repayment went to one instalment, and how late it came (0: on time or early)."""

    number: int
    amount: Money
    days_past_due: int


@dataclass(frozen=True, slots=True)
class RepaymentResult:
    """A repayment that stands; ``repeated`` when its reference had been received before."""

    repayment_id: str
    reference: str
    plan_id: str
    amount: Money
    allocation: tuple[Share, ...]
    plan_outstanding: Money
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class RepaymentRefusal:
    """A repayment that was not taken, and why."""

    code: str
    text: Bilingual


def refuse(plan: Plan, amount: Money) -> RepaymentRefusal | None:
    """Why ``amount`` can not be repaid on ``plan``, by precedence; None when it can."""
    if amount.currency != plan.amount.currency:
        return RepaymentRefusal(
            "CURRENCY_DIFFERS",
            Bilingual(
                f"该计划以 {plan.amount.currency} 还款", f"The plan is repaid in {plan.amount.currency}"
            ),
        )
    if amount.minor <= 0:
        return RepaymentRefusal(
            "AMOUNT_NOT_POSITIVE", Bilingual("还款金额必须大于零", "A repayment is above zero")
        )
    owed = plan.outstanding
    if amount > owed:
        return RepaymentRefusal(
            "ABOVE_OUTSTANDING",
            Bilingual(f"该计划最多还可还 {owed}", f"At most {owed} can be repaid on this plan"),
        )
    return None


def reference_reused() -> RepaymentRefusal:
    """The reference named another repayment before."""
    return RepaymentRefusal(
        "REFERENCE_REUSED",
        Bilingual("该付款参考号已用于另一笔还款", "The reference was used for another repayment"),
    )


def allocate(plan: Plan, amount: Money, *, business_date: date) -> tuple[Share, ...]:
    """Split ``amount`` over the unpaid instalments, oldest due first; the shares add up to it exactly."""
    assert refuse(plan, amount) is None, "refuse first"
    left = amount
    shares = []
    for instalment in sorted(plan.instalments, key=lambda i: (i.due_on, i.number)):
        part = min(left, instalment.unpaid)
        if part:
            shares.append(Share(instalment.number, part, days_late(instalment.due_on, business_date)))
            left -= part
    assert not left, "all of it is allocated"
    return tuple(shares)
