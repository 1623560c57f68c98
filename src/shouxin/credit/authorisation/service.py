"""The verbs of the checkout: decide, apply for a line, capture, void, expire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from shouxin import decisions, features, identity, scoring
from shouxin.credit.authorisation import store
from shouxin.credit.authorisation.domain import (
    CheckoutRequest,
    DecisionAnswer,
    Hold,
    HoldRefusal,
    line_facts,
    refuse_capture,
    refuse_ending,
    refuse_hold,
    request_facts,
)
from shouxin.credit.instalments import Plan, open_plan
from shouxin.credit.ledger import SHOP_PAYABLE, Entry, Posting, keep_day_open, post, receivable
from shouxin.credit.limits import (
    Line,
    LineOpening,
    LineRefusal,
    line_of,
    lock_line,
    locked_line_of,
    move_figures,
    open_line,
    open_lines,
)
from shouxin.decisions.domain import (
    DecisionRecord,
    Facts,
    PlanTerms,
    Verdict,
    hold_expires_at,
    will_hold,
)
from shouxin.ingestion import consent
from shouxin.ingestion.consent import ConsentState
from shouxin.kernel import Bilingual, CustomerId, Money, mint


class UnableToDecide(RuntimeError):
    """There is no model or no policy to decide with; the message says how to mend it."""


def decide(db: Connection, request: CheckoutRequest, *, now: datetime, business_date: date) -> DecisionAnswer:
    """Decide a checkout, and hold the amount when it is approved; raises UnableToDecide.

    Features are read as of ``now``; the line under its lock, so that what the policy sees is what is held.
    A dry run waits for nobody, and all that it wrote is taken back.
    """
    if not request.dry_run:
        return _decide(db, request, now=now, business_date=business_date)
    with db.begin_nested() as trial:
        answer = _decide(db, request, now=now, business_date=business_date)
        trial.rollback()
    return answer


def _decide(
    db: Connection, request: CheckoutRequest, *, now: datetime, business_date: date
) -> DecisionAnswer:
    policy = _live_policy(db, request.decision_point)
    customer_id = identity.ensure_customer(
        db, source=request.source, customer_ref=request.customer_ref, now=now
    )
    decision_id = mint("dec", now=now)
    scored = _score(db, customer_id, policy=policy, now=now, decision_id=decision_id)
    line = (line_of if request.dry_run else locked_line_of)(db, customer_id)
    facts: Facts = {
        **request_facts(request, decision_id=decision_id, hold_id=mint("hold", now=now), now=now),
        **scored,
        **line_facts(line, holder_proven=_is_holder(db, request, line), business_date=business_date),
    }
    verdict, body = decisions.decide_answer(policy, facts)
    hold = _hold_of(line, policy, request, facts) if line and will_hold(facts, verdict) else None
    if line and hold:
        refusal = _set_aside(db, line, hold)
        assert refusal is None, "what the policy approved under this lock fits"
    if not request.dry_run:
        decisions.save_decision(db, _record(policy, request, facts, verdict, body, now))
    return DecisionAnswer(
        facts["answer.decision_id"], customer_id, verdict.outcome.value, hold.hold_id if hold else None, body
    )


def apply_for_line(
    db: Connection, customer_id: CustomerId, *, now: datetime, decision_point: str = "checkout"
) -> Line | LineRefusal:
    """Grade the customer and open the line that the live policy allows the grade, or say why not.

    Nobody who took the consent to credit assessment back is assessed.
    """
    if line_of(db, customer_id) is not None:
        return LineRefusal(
            "LINE_EXISTS", Bilingual("客户已有信用额度", "The customer has a credit line already")
        )
    references = identity.references_of(db, customer_id)
    agreed = consent.standing(db, references, purpose="credit_assessment", as_of=now)
    if agreed.state is ConsentState.WITHDRAWN:
        return LineRefusal(
            "CONSENT_WITHDRAWN",
            Bilingual(
                "客户已撤回信用评估的同意", "The customer has taken back the consent to credit assessment"
            ),
        )
    policy = _live_policy(db, decision_point)
    scored = _score(db, customer_id, policy=policy, now=now)
    grade = scored["score.grade"]
    limit = policy.limit_for(grade)
    if not limit:
        return LineRefusal(
            "NO_LIMIT_FOR_GRADE",
            Bilingual(f"信用等级 {grade} 暂不开通信用额度", f"Grade {grade} is given no line"),
            tuple(scored["score.reasons"]),
        )
    reason = f"grade {grade} under {policy.subject}"
    return open_line(db, customer_id, limit=limit, reason=reason, now=now)


def open_lines_by_grade(
    db: Connection,
    graded: Sequence[tuple[CustomerId, str]],
    *,
    now: datetime,
    decision_point: str = "checkout",
) -> int:
    """Open the lines of many graded customers by the live policy's limits; returns how many are new."""
    policy = _live_policy(db, decision_point)
    openings = [
        LineOpening(customer_id, limit, f"grade {grade} under {policy.subject}")
        for customer_id, grade in graded
        if (limit := policy.limit_for(grade))
    ]
    return open_lines(db, openings, now=now)


def place_hold(
    db: Connection,
    line_id: str,
    *,
    hold_id: str,
    decision_id: str,
    order_ref: str,
    amount: Money,
    terms: PlanTerms,
    now: datetime,
    expires_at: datetime,
) -> Hold | HoldRefusal:
    """Set ``amount`` aside on a line until ``expires_at``; refused beyond what is available."""
    line = lock_line(db, line_id)
    hold = Hold(
        hold_id=hold_id,
        line_id=line_id,
        decision_id=decision_id,
        order_ref=order_ref,
        amount=amount,
        plan=terms.name,
        due_days=terms.due_days,
        state="held",
        captured=Money.zero(amount.currency),
        held_at=now,
        expires_at=expires_at,
        settled_at=None,
    )
    return _set_aside(db, line, hold) or hold


def capture(
    db: Connection, hold_id: str, *, amount: Money | None = None, now: datetime, business_date: date
) -> Plan | HoldRefusal:
    """Turn a hold (or a part of it) into a plan that begins on ``business_date``; the rest is free again.

    Raises UnableToBook on a day that is closed.
    """
    keep_day_open(db, business_date)
    locked = _locked_hold(db, hold_id)
    if isinstance(locked, HoldRefusal):
        return locked
    hold, line = locked
    taken = hold.amount if amount is None else amount
    if refusal := refuse_capture(hold, taken, now=now):
        return refusal
    store.end_hold(db, hold_id, state="captured", captured_minor=taken.minor, now=now)
    move_figures(db, line, held=-hold.amount, outstanding=taken)
    posting = Posting(SHOP_PAYABLE, receivable(line.line_id), taken)
    post(db, Entry("capture", f"capture:{hold_id}", business_date, (posting,)), now=now)
    return open_plan(
        db,
        line,
        hold_id=hold_id,
        order_ref=hold.order_ref,
        terms=hold.plan,
        due_days=hold.due_days,
        amount=taken,
        started_on=business_date,
        now=now,
    )


def void(db: Connection, hold_id: str, *, now: datetime) -> Hold | HoldRefusal:
    """Give a hold up: the amount is free again."""
    locked = _locked_hold(db, hold_id)
    if isinstance(locked, HoldRefusal):
        return locked
    hold, line = locked
    if refusal := refuse_ending(hold, now=now):
        return refusal
    store.end_hold(db, hold_id, state="voided", captured_minor=0, now=now)
    move_figures(db, line, held=-hold.amount)
    ended = store.find_hold(db, hold_id)
    assert ended is not None
    return ended


def expire_holds(db: Connection, *, now: datetime) -> int:
    """End every hold whose time is over; returns how many. Safe to run again and beside checkouts."""
    return store.expire_holds(db, now=now)


def find_hold(db: Connection, hold_id: str) -> Hold | None:
    """One hold."""
    return store.find_hold(db, hold_id)


def holds_of(db: Connection, line: Line) -> list[Hold]:
    """The holds of a line, newest first."""
    return store.holds_of_line(db, line.line_id)


def _live_policy(db: Connection, decision_point: str) -> decisions.Policy:
    policy = decisions.live_policy(db, decision_point)
    if policy is None:
        raise UnableToDecide(
            f"no policy is live for {decision_point!r}; draft one, have it approved and publish it"
        )
    return policy


def _score(
    db: Connection,
    customer_id: CustomerId,
    *,
    policy: decisions.Policy,
    now: datetime,
    decision_id: str | None = None,
) -> dict[str, Any]:
    """Score and grade the customer on what is known at ``now``, as facts; raises UnableToDecide.

    Only what the model and the policy read is computed; of some decisions it is written down what was seen.
    """
    model = scoring.champion(db)
    if model is None:
        raise UnableToDecide("no model is champion; train one with `shouxin grade` and have it promoted")
    definitions = decisions.features_needed(db, model, policy)
    seen: dict[str, int] = {}
    if decision_id is not None and features.is_sampled(decision_id):
        values, witness = features.witnessed_values_at(db, customer_id, as_of=now, definitions=definitions)
        seen = witness.as_facts()
    else:
        values = features.values_at(db, customer_id, as_of=now, definitions=definitions)
    return {
        **decisions.score_facts(model, values),
        **seen,
        "version.features": features.catalogue_hash(),
        "customer.id": customer_id,
    }


def _is_holder(db: Connection, request: CheckoutRequest, line: Line | None) -> bool:
    """Whether who asks is proven to be the line's holder; looking alike makes one file, but lends nothing."""
    return line is not None and identity.is_proven(
        db, line.customer_id, source=request.source, customer_ref=request.customer_ref
    )


def _hold_of(line: Line, policy: decisions.Policy, request: CheckoutRequest, facts: Facts) -> Hold:
    return Hold(
        hold_id=facts["answer.hold_id"],
        line_id=line.line_id,
        decision_id=facts["answer.decision_id"],
        order_ref=request.order_id,
        amount=request.amount,
        plan=request.plan,
        due_days=policy.plans[request.plan].due_days,
        state="held",
        captured=Money.zero(request.amount.currency),
        held_at=datetime.fromisoformat(facts["answer.at"]),
        expires_at=hold_expires_at(policy, facts),
        settled_at=None,
    )


def _set_aside(db: Connection, line: Line, hold: Hold) -> HoldRefusal | None:
    """Write a hold on a locked line and take its amount out of what is available, or say why not."""
    if refusal := refuse_hold(line, hold.amount):
        return refusal
    store.insert_hold(db, hold)
    return None


def _record(
    policy: decisions.Policy,
    request: CheckoutRequest,
    facts: Facts,
    verdict: Verdict,
    body: bytes,
    now: datetime,
) -> DecisionRecord:
    return DecisionRecord(
        decision_id=facts["answer.decision_id"],
        decision_point=request.decision_point,
        customer_id=facts["customer.id"],
        order_ref=request.order_id,
        outcome=verdict.outcome,
        amount=request.amount,
        score=facts["score.points"],
        pd=facts["score.pd"],
        grade=facts["score.grade"],
        policy_hash=policy.policy_hash,
        model_hash=facts["version.model"],
        features_hash=facts["version.features"],
        facts=facts,
        answer=body,
        created_at=now,
    )


def _locked_hold(db: Connection, hold_id: str) -> tuple[Hold, Line] | HoldRefusal:
    """The hold and its line, locked; the line first, as every verb does, so that none waits in a ring."""
    found = store.find_hold(db, hold_id)
    if found is None:
        return HoldRefusal("NO_SUCH_HOLD", Bilingual("没有该授权", "There is no such hold"))
    line = lock_line(db, found.line_id)
    locked = store.find_hold(db, hold_id)
    assert locked is not None
    return locked, line
