"""The answer: what a checkout is told, made from the facts, the verdict and the policy and nothing else.

Because nothing else enters, the same facts and the same versions give the same bytes for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shouxin.decisions.domain.conditions import Facts
from shouxin.decisions.domain.evaluation import Verdict, evaluate
from shouxin.decisions.domain.policy import Outcome, PlanTerms, Policy
from shouxin.kernel import Bilingual, Money, canonical_json


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision as it was stored: every fact it read, the versions, and the bytes of its answer."""

    decision_id: str
    decision_point: str
    customer_id: str
    order_ref: str
    outcome: Outcome
    amount: Money
    score: int
    pd: float
    grade: str
    policy_hash: str
    model_hash: str
    features_hash: str
    facts: Mapping[str, Any]
    answer: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Replay:
    """A decision made again from its stored facts and versions, held against what was answered then.

    ``rescored``: the stored model gives the stored features the same score, grade and reasons; None
    where that model is not kept here.
    """

    decision_id: str
    rescored: bool | None
    answered: bytes
    replayed: bytes
    verdict: Verdict

    @property
    def identical(self) -> bool:
        """Whether the bytes are the same, and the score is too as far as it can be told."""
        return self.answered == self.replayed and self.rescored is not False


@dataclass(frozen=True, slots=True)
class PlanQuote:
    """What a plan would ask for: ``(days after the capture, amount)`` for each instalment."""

    plan: str
    meaning: Bilingual
    instalments: tuple[tuple[int, Money], ...]

    def as_data(self) -> dict[str, Any]:
        """The shape that the API answers with."""
        return {
            "plan": self.plan,
            "meaning": self.meaning.as_data(),
            "instalments": [
                {"number": number, "due_in_days": days, "amount": amount.text}
                for number, (days, amount) in enumerate(self.instalments, 1)
            ],
        }


def instalments_of(amount: Money, due_days: Sequence[int]) -> tuple[tuple[int, Money], ...]:
    """``(days after the capture, share)`` that add up to ``amount``; shares of nothing are left out.

    What a checkout is quoted and what a plan becomes are both made here.
    """
    shares = zip(due_days, amount.allocate(len(due_days)), strict=True)
    return tuple((days, share) for days, share in shares if share)


def quote(terms: PlanTerms, amount: Money) -> PlanQuote:
    """The instalments of ``amount`` under these terms."""
    return PlanQuote(terms.name, terms.meaning, instalments_of(amount, terms.due_days))


def decide_answer(policy: Policy, facts: Facts) -> tuple[Verdict, bytes]:
    """The verdict of ``policy`` on ``facts``, and the bytes that the checkout is answered with."""
    verdict = evaluate(policy, facts)
    return verdict, canonical_json(compose_answer(policy, facts, verdict))


def compose_answer(policy: Policy, facts: Facts, verdict: Verdict) -> dict[str, Any]:
    """The decision in the shape of the API, money as decimal texts."""
    holds = will_hold(facts, verdict)
    return {
        "decision_id": facts["answer.decision_id"],
        "outcome": verdict.outcome.value,
        "score": facts["score.points"],
        "pd": facts["score.pd"],
        "grade": facts["score.grade"],
        "limit": _limit(facts, requested=facts["request.amount"] if holds else 0),
        "offer": _offer(policy, facts, verdict),
        "hold": _hold(policy, facts) if holds else None,
        "reasons": [reason.as_data() for reason in verdict.reasons],
        "versions": {
            "policy": policy.policy_hash,
            "model": facts["version.model"],
            "features": facts["version.features"],
        },
        "case_id": None,
        "created_at": facts["answer.at"],
    }


def will_hold(facts: Facts, verdict: Verdict) -> bool:
    """Whether this verdict sets the amount aside: it approves, and it is not only being tried."""
    return verdict.outcome is Outcome.APPROVE and not facts["request.dry_run"]


def hold_expires_at(policy: Policy, facts: Facts) -> datetime:
    """When the hold of this decision ends by itself."""
    return datetime.fromisoformat(facts["answer.at"]) + timedelta(hours=policy.hold_hours)


def _hold(policy: Policy, facts: Facts) -> dict[str, str]:
    return {"id": facts["answer.hold_id"], "expires_at": hold_expires_at(policy, facts).isoformat()}


def _limit(facts: Facts, *, requested: int) -> dict[str, str] | None:
    if not facts["line.open"]:
        return None
    currency = facts["line.currency"]
    amounts = {
        "total": facts["line.limit"],
        "held": facts["line.held"] + requested,
        "outstanding": facts["line.outstanding"],
        "available": max(0, facts["line.available"] - requested),
    }
    return {name: Money(minor, currency).text for name, minor in amounts.items()} | {"currency": currency}


def _offer(policy: Policy, facts: Facts, verdict: Verdict) -> dict[str, Any] | None:
    if verdict.outcome not in {Outcome.APPROVE, Outcome.COUNTER_OFFER}:
        return None
    most = Money(verdict.limits["max_amount"], policy.currency)
    asked = Money(facts["request.amount"], policy.currency)
    granted = min(asked, most)
    plans = [
        quote(policy.plans[name], granted).as_data()
        for name in sorted(policy.plans)
        if facts["score.grade"] in policy.plans[name].grades
    ]
    # The customer may pay the rest at once: what a counter-offer asks for as a down payment.
    return {"max_amount": most.text, "down_payment": (asked - granted).text, "plans": plans}
