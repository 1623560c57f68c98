"""Shapes: how lines, plans, holds and repayments look in JSON. Money is a decimal string and a currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from shouxin import credit
from shouxin.decisions import PersonaTag
from shouxin.entrypoints.api import answers
from shouxin.ingestion.consent import PURPOSES, ConsentStanding
from shouxin.kernel import Bilingual, Money


def money_shape(money: Money) -> answers.Amount:
    """``{"value": "1299.00", "currency": "CNY"}``."""
    return answers.Amount(value=money.text, currency=money.currency)


def line_shape(line: credit.Line) -> answers.Line:
    """A line with its four figures."""
    return answers.Line(
        line_id=line.line_id,
        customer_id=line.customer_id,
        limit=answers.LineFigures(
            total=line.limit.text,
            held=line.held.text,
            outstanding=line.outstanding.text,
            available=line.available.text,
            currency=line.limit.currency,
        ),
        frozen=line.frozen,
        days_past_due=line.days_past_due,
        opened_at=line.opened_at,
    )


def plan_shape(plan: credit.Plan, *, business_date: date) -> answers.Plan:
    """A plan with every instalment as it stands on the business date."""
    instalments = [
        answers.Instalment(
            number=item.number,
            due_on=item.due_on,
            amount=item.amount.text,
            paid=item.paid.text,
            state=item.state(business_date),
            days_past_due=item.days_past_due(business_date),
        )
        for item in plan.instalments
    ]
    return answers.Plan(
        plan_id=plan.plan_id,
        order_id=plan.order_ref,
        plan=plan.terms,
        amount=money_shape(plan.amount),
        outstanding=money_shape(plan.outstanding),
        started_on=plan.started_on,
        instalments=instalments,
    )


def hold_shape(hold: credit.Hold) -> answers.Hold:
    """A hold."""
    return msgspec.convert(
        {
            "id": hold.hold_id,
            "order_id": hold.order_ref,
            "state": hold.state,
            "amount": money_shape(hold.amount),
            "captured": money_shape(hold.captured),
            "expires_at": hold.expires_at,
        },
        answers.Hold,
    )


def repayment_shape(result: credit.RepaymentResult, *, reference: str) -> answers.Repayment:
    """A repayment under the reference that its caller gave it, and how it was spread."""
    shares = [answers.Share(number=share.number, amount=share.amount.text) for share in result.allocation]
    return answers.Repayment(
        repayment_id=result.repayment_id,
        reference=reference,
        plan_id=result.plan_id,
        amount=money_shape(result.amount),
        allocation=shares,
        outstanding=money_shape(result.plan_outstanding),
    )


def reasons_shape(reasons: Iterable[Mapping[str, Any]]) -> list[answers.Reason]:
    """Reasons as they were kept."""
    return msgspec.convert([dict(reason) for reason in reasons], list[answers.Reason])


def text_shape(text: Bilingual) -> answers.Text:
    """A text in both languages."""
    return answers.Text(zh=text.zh, en=text.en)


def consent_shape(standing: ConsentStanding) -> answers.Consent:
    """Where one purpose stands."""
    return answers.Consent(
        purpose=standing.purpose,
        meaning=text_shape(PURPOSES[standing.purpose]),
        state=standing.state.value,
        since=standing.since,
        text_version=standing.text_version,
    )


def tag_shape(tag: PersonaTag) -> answers.Tag:
    """A persona and the comparisons that held."""
    return answers.Tag(
        code=tag.persona.code,
        name=text_shape(tag.persona.name),
        meaning=text_shape(tag.persona.meaning),
        why=[
            answers.Comparison(field=one.field, op=one.op, expected=one.expected, read=one.read)
            for one in tag.why
        ],
    )
