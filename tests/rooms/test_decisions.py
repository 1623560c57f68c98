"""decisions: reading a policy, its life, keeping and replaying decisions, keys."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy
from sqlalchemy import text

from shouxin import decisions
from shouxin.decisions import (
    STANDARD_CHECKOUT,
    KeyReused,
    Outcome,
    PolicyRefusal,
    PolicyVersion,
    Stage,
    UnableToReadPolicy,
    evaluate,
    parse_policy,
)
from shouxin.decisions.domain import DecisionRecord, decide_answer
from shouxin.kernel import Approval, Money

FACTS = {
    "request.source": "shop",
    "request.order_id": "O9",
    "request.amount": 129_900,
    "request.currency": "CNY",
    "request.plan": "pay_in_3",
    "request.dry_run": False,
    "line.open": True,
    "line.holder_proven": True,
    "line.frozen": False,
    "line.currency": "CNY",
    "line.limit": 500_000,
    "line.held": 0,
    "line.outstanding": 129_100,
    "line.available": 370_900,
    "line.days_past_due": 0,
    "score.points": 672,
    "score.pd": 0.0213,
    "score.grade": "B",
    "score.reasons": [
        {
            "code": "late_repayments_180d.high",
            "rank": 1,
            "text": {
                "zh": "近 180 天迟还次数偏高",
                "en": "Late repayments in 180 days are higher than usual",
            },
            "points": -38,
            "feature": "late_repayments_180d",
            "value": 2.0,
        }
    ],
    "feature.refund_only_count_180d": 0.0,
    "version.model": "sha256:model",
    "version.features": "sha256:features",
    "answer.decision_id": "dec_1",
    "answer.hold_id": "hold_1",
    "answer.at": "2026-03-02T09:30:00+00:00",
}


def policy_data(**changes):
    return json.loads(STANDARD_CHECKOUT.body) | changes


def approval_of(policy, *, maker="wang.analyst", checker="li.manager", now):
    return Approval("apr_1", policy.subject, maker, checker, "back-tested on last quarter", now)


def rule(**changes):
    return {
        "id": "young",
        "meaning": {"zh": "新客户", "en": "A new customer"},
        "when": [{"field": "feature.tenure_days", "op": "<", "value": 30}],
        "outcome": "review",
        "reason": {"code": "NEW_CUSTOMER", "zh": "新客户", "en": "A new customer"},
    } | changes


# --- reading ---------------------------------------------------------------------------------------


def test_the_name_of_a_version_is_its_content_not_its_spelling():
    spelt_otherwise = json.dumps(policy_data(), indent=7, sort_keys=True)
    assert parse_policy(spelt_otherwise).policy_hash == STANDARD_CHECKOUT.policy_hash
    assert parse_policy(policy_data(hold_hours=24)).policy_hash != STANDARD_CHECKOUT.policy_hash


@pytest.mark.parametrize(
    ("data", "pointer", "says"),
    [
        ("{", "", "not JSON"),
        ("[]", "", "object"),
        (policy_data(currency="yuan"), "/currency", "ISO 4217"),
        (policy_data(surprise=1), "/surprise", "not known here"),
        ({k: v for k, v in policy_data().items() if k != "limits"}, "/limits", "missing"),
        (policy_data(limits={"S": "12.345"}), "/limits/S", "more than 2 decimals"),
        (policy_data(limits={"S": "-1.00"}), "/limits/S", "negative"),
        (policy_data(min_amount="9.00", max_amount="8.00"), "/min_amount", "not above max_amount"),
        (policy_data(exposure_basis="captured"), "/exposure_basis", "not one of authorised"),
        (policy_data(rules=[rule(outcome="approve")]), "/rules/0/outcome", "no rule approves"),
        (policy_data(rules=[rule(), rule()]), "/rules/1/id", "taken"),
        (policy_data(rules=[rule(id="house.no_line")]), "/rules/0/id", "taken"),
        (
            policy_data(rules=[rule(when=[{"field": "line.availble", "op": "<", "value": "1.00"}])]),
            "/rules/0/when/0/field",
            "did you mean line.available",
        ),
        (
            policy_data(rules=[rule(when=[{"field": "line.available", "op": "<", "value": 100}])]),
            "/rules/0/when/0/value",
            "text",
        ),
        (
            policy_data(rules=[rule(when=[{"field": "score.grade", "op": "<", "value": "C"}])]),
            "/rules/0/when/0/op",
            "no order",
        ),
        (
            policy_data(rules=[rule(when=[{"field": "line.frozen", "op": "==", "value": "yes"}])]),
            "/rules/0/when/0/value",
            "true or false",
        ),
        (
            policy_data(rules=[rule(when=[{"any": [{"field": "score.pd", "op": "=>", "value": 1}]}])]),
            "/rules/0/when/0/any/0/op",
            "not one of",
        ),
        (
            policy_data(rules=[rule(when=[{"field": "score.pd", "op": ">", "other": "score.grade"}])]),
            "/rules/0/when/0/other",
            "number too",
        ),
        (policy_data(rules=[rule(reason={"code": "X", "zh": "只有中文"})]), "/rules/0/reason/en", "missing"),
    ],
)
def test_what_is_unclear_is_refused_with_its_place(data, pointer, says):
    with pytest.raises(UnableToReadPolicy, match=says) as refused:
        parse_policy(data)
    assert refused.value.pointer == pointer


def test_a_fact_can_be_held_against_another_fact():
    policy = parse_policy(
        policy_data(rules=[rule(when=[{"field": "line.held", "op": ">", "other": "line.outstanding"}])])
    )
    assert evaluate(policy, FACTS).outcome is Outcome.APPROVE
    assert evaluate(policy, FACTS | {"line.held": 200_000}).outcome is Outcome.REVIEW


# --- deciding --------------------------------------------------------------------------------------


def test_the_trace_tells_every_comparison_and_what_it_read():
    verdict = evaluate(STANDARD_CHECKOUT, FACTS)
    trace = {item.rule_id: item for item in verdict.trace}
    assert set(trace) > {rule.rule_id for rule in STANDARD_CHECKOUT.rules}
    past_due = trace["past_due"].conditions[0]
    assert (past_due.field, past_due.op, past_due.expected, past_due.read, past_due.result) == (
        "line.days_past_due", ">=", 1, 0, False,
    )  # fmt: skip
    json.dumps([item.as_data() for item in verdict.trace])


def test_an_approval_tells_what_pulled_the_score_down():
    (reason,) = evaluate(STANDARD_CHECKOUT, FACTS).reasons
    assert (reason.code, reason.points) == ("late_repayments_180d.high", -38)


def test_an_answer_has_the_shape_of_the_api():
    _, body = decide_answer(STANDARD_CHECKOUT, FACTS)
    answer = json.loads(body)
    assert " ".join(answer) == (
        "case_id created_at decision_id grade hold limit offer outcome pd reasons score versions"
    )
    assert answer["limit"] == {
        "total": "5000.00",
        "held": "1299.00",
        "outstanding": "1291.00",
        "available": "2410.00",
        "currency": "CNY",
    }
    assert answer["hold"] == {"id": "hold_1", "expires_at": "2026-03-09T09:30:00+00:00"}
    assert [plan["plan"] for plan in answer["offer"]["plans"]] == ["pay_in_3", "pay_later_30"]
    amounts = [item["amount"] for item in answer["offer"]["plans"][0]["instalments"]]
    assert amounts == ["433.00", "433.00", "433.00"]
    assert answer["offer"] | {"plans": []} == {"max_amount": "3709.00", "down_payment": "0.00", "plans": []}


def test_a_counter_offer_says_what_can_be_had_and_what_is_left_to_pay():
    _, body = decide_answer(STANDARD_CHECKOUT, FACTS | {"request.amount": 500_000})
    answer = json.loads(body)
    assert answer["outcome"] == "counter_offer"
    assert answer["offer"]["max_amount"] == "3709.00"
    assert answer["offer"]["down_payment"] == "1291.00"
    assert answer["hold"] is None
    assert answer["limit"]["held"] == "0.00"


def test_a_dry_run_decides_and_holds_nothing():
    answer = json.loads(decide_answer(STANDARD_CHECKOUT, FACTS | {"request.dry_run": True})[1])
    assert (answer["outcome"], answer["hold"], answer["limit"]["held"]) == ("approve", None, "0.00")


# --- the life of a policy --------------------------------------------------------------------------


def test_a_policy_goes_draft_in_review_approved_live_retired(db, now):
    assert decisions.live_policy(db, "checkout") is None
    first = STANDARD_CHECKOUT
    assert decisions.draft(db, first, author="wang.analyst", now=now).stage is Stage.DRAFT
    assert decisions.submit(db, first.policy_hash, by="wang.analyst", now=now).stage is Stage.IN_REVIEW
    key = approval_of(first, now=now)
    assert decisions.approve(db, first.policy_hash, approval=key, now=now).stage is Stage.APPROVED
    assert decisions.publish(db, first, approval=key, now=now).stage is Stage.LIVE
    assert decisions.live_policy(db, "checkout") == first

    second = parse_policy(policy_data(hold_hours=24))
    published = decisions.publish(db, second, approval=approval_of(second, now=now), now=now)
    assert isinstance(published, PolicyVersion) and published.stage is Stage.LIVE
    stages = {version.policy_hash: version.stage for version in decisions.list_policies(db, "checkout")}
    assert stages == {first.policy_hash: Stage.RETIRED, second.policy_hash: Stage.LIVE}
    assert decisions.publish(db, second, approval=approval_of(second, now=now), now=now) == published

    decisions.retire(db, second.policy_hash, by="li.manager", now=now)
    assert decisions.live_policy(db, "checkout") is None
    anew = replace(approval_of(first, now=now), approval_id="apr_2")
    again = decisions.publish(db, first, approval=anew, now=now)
    assert again.stage is Stage.LIVE and decisions.live_policy(db, "checkout") == first


def test_a_feature_that_does_not_exist_can_not_be_drafted(db, now):
    misspelt = rule(when=[{"field": "feature.tenur_days", "op": "<", "value": 30}])
    with pytest.raises(UnableToReadPolicy, match=r"/rules/0/when: .* did you mean tenure_days"):
        decisions.draft(db, parse_policy(policy_data(rules=[misspelt])), author="x", now=now)


def test_publication_is_refused_without_the_right_key_and_leaves_nothing(db, now):
    other = parse_policy(policy_data(hold_hours=1))
    wrong = decisions.publish(db, STANDARD_CHECKOUT, approval=approval_of(other, now=now), now=now)
    assert isinstance(wrong, PolicyRefusal) and wrong.code == "APPROVAL_IS_FOR_SOMETHING_ELSE"
    assert decisions.list_policies(db) == []
    decisions.draft(db, STANDARD_CHECKOUT, author="li.manager", now=now)
    own = decisions.publish(db, STANDARD_CHECKOUT, approval=approval_of(STANDARD_CHECKOUT, now=now), now=now)
    assert isinstance(own, PolicyRefusal) and own.code == "AUTHOR_IS_APPROVER"
    skipped = decisions.retire(db, STANDARD_CHECKOUT.policy_hash, by="x", now=now)
    assert isinstance(skipped, PolicyRefusal) and skipped.code == "STAGE_DOES_NOT_FOLLOW"


@pytest.mark.parametrize(("maker", "checker"), [("li", "author"), ("li", "li"), ("li", None)])
def test_the_database_itself_refuses_an_approval_by_the_author(db, now, maker, checker):
    decisions.draft(db, STANDARD_CHECKOUT, author="author", now=now)
    with pytest.raises(sqlalchemy.exc.IntegrityError, match="check constraint"):
        db.execute(
            text(
                "INSERT INTO decisions.policy_stage (policy_hash, author, stage, by_operator, approval_id, "
                "maker, checker, at) VALUES (:hash, 'author', 'live', 'x', 'apr_1', :maker, :checker, :now)"
            ),
            {"hash": STANDARD_CHECKOUT.policy_hash, "maker": maker, "checker": checker, "now": now},
        )


# --- keeping ---------------------------------------------------------------------------------------


def decided(db, now, **changes):
    decisions.draft(db, STANDARD_CHECKOUT, author="wang.analyst", now=now)
    facts = FACTS | changes
    verdict, body = decide_answer(STANDARD_CHECKOUT, facts)
    record = DecisionRecord(
        decision_id="dec_1",
        decision_point="checkout",
        customer_id="cus_1",
        order_ref="O9",
        outcome=verdict.outcome,
        amount=Money(facts["request.amount"], "CNY"),
        score=672,
        pd=0.0213,
        grade="B",
        policy_hash=STANDARD_CHECKOUT.policy_hash,
        model_hash="sha256:model",
        features_hash="sha256:features",
        facts=facts,
        answer=body,
        created_at=now,
    )
    decisions.save_decision(db, record)
    return record


def test_a_decision_is_kept_and_replays_to_the_same_bytes(db, now):
    record = decided(db, now)
    assert decisions.find_decision(db, "dec_1") == record
    assert decisions.list_decisions(db, "cus_1") == [record]
    replay = decisions.replay(db, "dec_1")
    assert replay.identical and replay.replayed == record.answer
    with pytest.raises(decisions.UnableToReplay, match="dec_2"):
        decisions.replay(db, "dec_2")


def test_a_decision_that_was_tampered_with_does_not_replay(database, db, now):
    record = decided(db, now)
    forged = replace(record, decision_id="dec_2", answer=record.answer.replace(b"approve", b"decline"))
    decisions.save_decision(db, forged)
    assert not decisions.replay(db, "dec_2").identical


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions.decision SET outcome = 'approve'",
        "DELETE FROM decisions.decision",
        "UPDATE decisions.policy SET body = '{}'",
        "DELETE FROM decisions.policy_stage",
        "UPDATE decisions.answer SET body = ''",
    ],
)
def test_nothing_of_decisions_can_be_changed(db, statement):
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="permission denied"):
        db.execute(text(statement))


def test_a_key_gives_its_answer_again_and_refuses_another_request(db, now):
    assert decisions.find_answer(db, "shop", "k1", request_hash="a") is None
    decisions.save_answer(db, "shop", "k1", request_hash="a", status=200, body=b"{}", now=now)
    stored = decisions.find_answer(db, "shop", "k1", request_hash="a")
    assert (stored.status, stored.body) == (200, b"{}")
    assert isinstance(decisions.find_answer(db, "shop", "k1", request_hash="b"), KeyReused)
    assert decisions.find_answer(db, "another shop", "k1", request_hash="b") is None


def test_a_key_in_flight_can_not_be_claimed_twice(fresh_database, now):
    with fresh_database.begin() as first:
        assert decisions.try_claim(first, "shop", "k1")
        with fresh_database.begin() as second:
            assert not decisions.try_claim(second, "shop", "k1")
            assert decisions.try_claim(second, "shop", "k2")
    with fresh_database.begin() as later:
        assert decisions.try_claim(later, "shop", "k1")


def test_a_hold_ends_when_the_policy_says(now):
    _, body = decide_answer(parse_policy(policy_data(hold_hours=1)), FACTS)
    assert json.loads(body)["hold"]["expires_at"] == (now + timedelta(hours=1)).isoformat()
