"""decisions, as somebody would try to break it: policy texts that mislead, keys used twice, frozen lines."""

import json
import math

import pytest
import sqlalchemy
from sqlalchemy import text

from shouxin import decisions
from shouxin.decisions import STANDARD_CHECKOUT, Outcome, PolicyRefusal, PolicyVersion, UnableToReadPolicy
from shouxin.decisions.domain import evaluate, parse_policy
from shouxin.kernel import Approval


def policy_data(**changes):
    return json.loads(STANDARD_CHECKOUT.body) | changes


def rule(**changes):
    return {
        "id": "young",
        "meaning": {"zh": "新客户", "en": "A new customer"},
        "when": [{"field": "feature.tenure_days", "op": "<", "value": 30}],
        "outcome": "review",
        "reason": {"code": "NEW_CUSTOMER", "zh": "新客户", "en": "A new customer"},
    } | changes


def nested(levels):
    condition = {"field": "line.days_past_due", "op": ">", "value": 0}
    for _ in range(levels):
        condition = {"any": [condition]}
    return [rule(when=[condition])]


STANDARD_TEXT = STANDARD_CHECKOUT.body.decode()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        # A reader sees the first of two equal names, a program the last.
        (STANDARD_TEXT.replace('"min_amount"', '"min_amount":"5.00","min_amount"', 1), "twice"),
        (policy_data(rules=[rule(when=[{"field": "score.pd", "op": ">", "value": float("nan")}])]), "number"),
        (json.dumps(policy_data(rules=[rule(when=[{"field": "score.pd", "op": "<", "value": -math.inf}])])),
         "not JSON"),
        (policy_data(name="half a pair \ud800"), "text"),
        (policy_data(name="a\u0000b"), "text"),
        (policy_data(rules=nested(40)), "deep"),
        (json.dumps(policy_data(rules=nested(400))), "deep"),
        (policy_data(hold_hours=10**12), "at most"),
        (policy_data(plans={"later": {"meaning": {"zh": "晚", "en": "later"}, "due_days": [10**10],
                                      "grades": ["S"]}}), "at most"),
        # A grade in the wrong case would never match, and the rule would be silent for ever.
        (policy_data(limits={"s": "20000.00"}), "not one of S, A, B, C, D"),
        (policy_data(rules=[rule(when=[{"field": "score.grade", "op": "==", "value": "d"}])]),
         "not one of S, A, B, C, D"),
        (policy_data(plans={"later": {"meaning": {"zh": "晚", "en": "later"}, "due_days": [30],
                                      "grades": ["s"]}}), "not one of S, A, B, C, D"),
    ],
)  # fmt: skip
def test_a_policy_text_that_misleads_or_would_fail_while_deciding_is_refused(source, says):
    with pytest.raises(UnableToReadPolicy, match=says):
        parse_policy(source)


def test_no_policy_can_lend_on_a_frozen_line():
    silent = parse_policy(policy_data(rules=[rule(when=[{"field": "score.points", "op": "<", "value": 1}])]))
    facts = {
        "line.open": True, "line.holder_proven": True, "line.frozen": True,
        "line.currency": "CNY", "line.available": 500_000,
        "request.amount": 10_000, "request.currency": "CNY", "request.plan": "pay_in_3",
        "score.grade": "A", "score.points": 700, "line.days_past_due": 0,
    }  # fmt: skip
    verdict = evaluate(silent, facts)
    assert verdict.outcome is Outcome.DECLINE
    assert [reason.code for reason in verdict.reasons] == ["LINE_FROZEN"]
    # The standard policy says so too; the customer is told once.
    assert [reason.code for reason in evaluate(STANDARD_CHECKOUT, facts).reasons] == ["LINE_FROZEN"]


def key(number, now):
    return Approval(f"apr_{number}", STANDARD_CHECKOUT.subject, "wang.analyst", "li.manager", "tested", now)


def test_an_approval_brings_a_version_to_life_once(db, now):
    assert isinstance(decisions.publish(db, STANDARD_CHECKOUT, approval=key(1, now), now=now), PolicyVersion)
    decisions.retire(db, STANDARD_CHECKOUT.policy_hash, by="li.manager", now=now)
    again = decisions.publish(db, STANDARD_CHECKOUT, approval=key(1, now), now=now)
    assert isinstance(again, PolicyRefusal) and again.code == "APPROVAL_WAS_USED"
    assert decisions.live_policy(db, "checkout") is None
    assert isinstance(decisions.publish(db, STANDARD_CHECKOUT, approval=key(2, now), now=now), PolicyVersion)


def test_the_database_itself_takes_an_approval_once_for_each_stage(db, now):
    decisions.publish(db, STANDARD_CHECKOUT, approval=key(1, now), now=now)
    with pytest.raises(sqlalchemy.exc.IntegrityError, match="approval"):
        db.execute(
            text(
                "INSERT INTO decisions.policy_stage (policy_hash, author, stage, by_operator, approval_id, "
                "maker, checker, at) SELECT policy_hash, author, stage, 'x', approval_id, maker, checker, at "
                "FROM decisions.policy_stage WHERE stage = 'live'"
            )
        )
