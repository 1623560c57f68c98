"""Laws of deciding: nobody is refused without reasons, nothing unknown approves, replay is exact."""

import json

from hypothesis import given
from hypothesis import strategies as st

from shouxin.decisions import STANDARD_CHECKOUT, Outcome, evaluate, parse_policy
from shouxin.decisions.domain import decide_answer
from shouxin.decisions.domain.conditions import kleene_all, kleene_any
from shouxin.decisions.domain.policy import HARDNESS
from shouxin.kernel import Money, canonical_json

REASONS = [
    {
        "code": f"feature_{n}.high",
        "rank": n,
        "text": {"zh": "偏高", "en": "higher than usual"},
        "points": -n,
        "feature": f"feature_{n}",
        "value": 1.5 * n,
    }
    for n in range(1, 5)
]


@st.composite
def facts(draw):
    limit, held, outstanding = (draw(st.integers(0, 3_000_000)) for _ in range(3))
    return {
        "request.amount": draw(st.integers(1, 3_000_000)),
        "request.currency": draw(st.sampled_from(["CNY", "CNY", "CNY", "USD"])),
        "request.plan": draw(st.sampled_from(["pay_in_3", "pay_later_30", "pay_never"])),
        "request.dry_run": draw(st.booleans()),
        "line.open": draw(st.booleans()),
        "line.frozen": draw(st.booleans()),
        "line.holder_proven": draw(st.booleans()),
        "line.currency": "CNY",
        "line.limit": limit,
        "line.held": held,
        "line.outstanding": outstanding,
        "line.available": max(0, limit - held - outstanding),
        "line.days_past_due": draw(st.integers(0, 100)),
        "score.points": draw(st.integers(300, 900)),
        "score.pd": draw(st.floats(0, 1)),
        "score.grade": draw(st.sampled_from("SABCD")),
        "score.reasons": REASONS[: draw(st.integers(0, 4))],
        "feature.refund_only_count_180d": draw(st.none() | st.floats(0, 9)),
        "version.model": "sha256:m",
        "version.features": "sha256:f",
        "answer.decision_id": "dec_1",
        "answer.hold_id": "hold_1",
        "answer.at": "2026-03-02T09:30:00+00:00",
    }


@given(facts())
def test_nobody_is_refused_without_one_to_four_different_reasons(facts):
    verdict = evaluate(STANDARD_CHECKOUT, facts)
    codes = [reason.code for reason in verdict.reasons]
    assert len(codes) == len(set(codes)) <= 4
    assert verdict.outcome is Outcome.APPROVE or codes
    assert [reason.rank for reason in verdict.reasons] == list(range(1, len(codes) + 1))


@given(facts())
def test_what_is_approved_fits_the_line(facts):
    verdict = evaluate(STANDARD_CHECKOUT, facts)
    if verdict.outcome is Outcome.APPROVE:
        assert facts["line.open"] and facts["request.amount"] <= facts["line.available"]


@given(facts(), st.data())
def test_forgetting_a_fact_that_a_policy_reads_never_approves_what_was_refused(facts, data):
    name = data.draw(st.sampled_from([n for n in facts if n.startswith(("line.", "score.", "request."))]))
    before = evaluate(STANDARD_CHECKOUT, facts).outcome
    after = evaluate(STANDARD_CHECKOUT, {n: v for n, v in facts.items() if n != name}).outcome
    if before is not Outcome.APPROVE:
        assert after is not Outcome.APPROVE


@given(facts(), st.sampled_from(["counter_offer", "review", "decline"]), st.integers(0, 3_000_000))
def test_another_rule_never_makes_a_decision_softer(facts, outcome, threshold):
    rule = {
        "id": "another",
        "meaning": {"zh": "另一条", "en": "Another"},
        "when": [{"field": "request.amount", "op": ">", "value": Money(threshold, "CNY").text}],
        "outcome": outcome,
        "reason": {"code": "ANOTHER", "zh": "另一条", "en": "Another"},
    }
    data = json.loads(STANDARD_CHECKOUT.body)
    stricter = parse_policy(data | {"rules": [*data["rules"], rule]})
    hardness = [HARDNESS[evaluate(policy, facts).outcome] for policy in (STANDARD_CHECKOUT, stricter)]
    assert hardness[0] <= hardness[1]


@given(facts())
def test_the_same_facts_give_the_same_bytes_after_being_stored(facts):
    _, first = decide_answer(STANDARD_CHECKOUT, facts)
    stored_facts = json.loads(canonical_json(facts))
    stored_policy = parse_policy(STANDARD_CHECKOUT.body)
    assert decide_answer(stored_policy, stored_facts)[1] == first


@given(facts())
def test_an_offer_and_its_down_payment_add_up_and_so_do_its_plans(facts):
    answer = json.loads(decide_answer(STANDARD_CHECKOUT, facts)[1])
    offer = answer["offer"]
    if offer is None:
        return
    asked = Money(facts["request.amount"], "CNY")
    granted = asked - Money.parse(offer["down_payment"], "CNY")
    assert granted <= Money.parse(offer["max_amount"], "CNY")
    for plan in offer["plans"]:
        parts = [Money.parse(item["amount"], "CNY") for item in plan["instalments"]]
        assert sum(parts, Money.zero("CNY")) == granted


TRUTHS = st.lists(st.sampled_from([True, False, None]), min_size=1)


@given(TRUTHS)
def test_unknown_follows_kleene(results):
    possible_all = {all(world) for world in worlds(results)}
    possible_any = {any(world) for world in worlds(results)}
    assert kleene_all(results) == (possible_all.pop() if len(possible_all) == 1 else None)
    assert kleene_any(results) == (possible_any.pop() if len(possible_any) == 1 else None)


def worlds(results):
    """The two extreme worlds: every unknown true, every unknown false."""
    return [[truth if r is None else r for r in results] for truth in (True, False)]
