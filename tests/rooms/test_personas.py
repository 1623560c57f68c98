"""Personas: tags from features and grades, with reasons; nobody gets one from what is not known."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shouxin import decisions, identity, ingestion
from shouxin.decisions import UnableToReadPolicy
from shouxin.decisions.domain import parse_personas, tags_of
from shouxin.features import CATALOGUE
from shouxin.governance import Keyring

KEYS = Keyring.from_master(b"k" * 32)
NAMES = [definition.name for definition in CATALOGUE]
STANDARD = decisions.standard_personas()


def codes(**facts):
    known = {f"feature.{name}": value for name, value in facts.items()}
    return [tag.persona.code for tag in tags_of(STANDARD, known)]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, []),
        ({"tenure_days": 29.0}, ["new_customer"]),
        ({"tenure_days": 30.0}, []),
        ({"tenure_days": 365.0, "active_months_365d": 6.0}, ["loyal"]),
        ({"tenure_days": 365.0, "active_months_365d": None}, []),
        ({"spend_365d": 10_000.0}, ["high_value"]),
        ({"orders_90d": 3.0, "mean_order_value_365d": 80.0}, ["price_sensitive"]),
        ({"orders_90d": 3.0, "refund_share_180d": 0.3}, ["frequent_returner"]),
        ({"orders_90d": 2.0, "refund_share_180d": 0.9}, []),
        ({"refund_only_count_180d": 2.0}, ["refund_only"]),
        ({"orders_90d": 3.0, "night_order_share_180d": 0.5}, ["night_shopper"]),
        ({"credit_order_share_180d": 0.5}, ["credit_user"]),
        ({"late_repayments_180d": None, "max_days_past_due_180d": 7.0}, ["late_payer"]),
        ({"days_since_last_order": 180.0}, ["dormant"]),
    ],
)
def test_a_tag_is_given_from_its_threshold_on(facts, expected):
    assert codes(**facts) == expected


def test_a_tag_says_which_values_gave_it():
    (tag,) = tags_of(STANDARD, {"feature.late_repayments_180d": 2.0, "feature.max_days_past_due_180d": 1.0})
    assert [(one.field, one.read, one.op, one.expected) for one in tag.why] == [
        ("feature.late_repayments_180d", 2.0, ">=", 1)
    ]
    (graded,) = tags_of(STANDARD, {"score.grade": "A"})
    assert graded.persona.code == "trusted" and graded.persona.name.zh == "优质信用"


def persona(**changes):
    one = {
        "code": "x",
        "name": {"zh": "某", "en": "x"},
        "meaning": {"zh": "某", "en": "x"},
        "when": [{"field": "feature.orders_90d", "op": ">=", "value": 1}],
    }
    return one | changes


@pytest.mark.parametrize(
    ("personas", "told"),
    [
        ([], "must be a list that is not empty"),
        ([persona(), persona()], "stands twice"),
        ([persona(when=[{"field": "request.amount", "op": ">", "value": "1.00"}])], "belongs to an order"),
        ([persona(when=[{"field": "feature.orders_91d", "op": ">", "value": 1}])], "did you mean orders_90d"),
        ([persona(name={"zh": "某"})], "/0/name/en: is missing"),
        ([persona(colour="red")], "/0/colour: is not known here"),
    ],
)
def test_personas_that_can_not_be_understood_say_where(personas, told):
    with pytest.raises(UnableToReadPolicy, match=told):
        parse_personas(json.dumps(personas), features=NAMES)


def test_a_version_is_named_by_its_content():
    one, other = (
        parse_personas(json.dumps([persona(code=code)]), features=NAMES).version for code in ("x", "y")
    )
    assert one != other and one.startswith("sha256:")


def test_the_tags_of_a_customer_are_those_of_the_instant_and_go_with_the_consent(db, now):
    def event(kind, days, number, **payload):
        at = now - timedelta(days=days)
        item = {
            "source": "shop",
            "source_id": f"{kind}-{number}",
            "kind": kind,
            "version": 1,
            "customer_ref": "C1",
            "occurred_at": at.isoformat(),
            "payload": payload,
        }
        if kind == "order_placed":
            item |= {"order_ref": f"O{number}", "amount": {"value": "5000.00", "currency": "CNY"}}
        ingestion.accept(db, [item], keyring=KEYS, now=at)

    event("customer_registered", 400, 0, channel="app")
    for number in range(2):
        event("order_placed", 200 + number, number, items=1, payment_method="card")
    event("consent_withdrawn", 1, 9, purpose="credit_assessment")
    customer = identity.ensure_customer(db, source="shop", customer_ref="C1", now=now)

    def tags(days):
        found = decisions.persona_tags(db, customer, as_of=now - timedelta(days=days))
        return [tag.persona.code for tag in found]

    assert tags(390) == ["new_customer"]
    assert tags(190) == ["high_value"]
    assert tags(2) == ["high_value", "dormant"]
    assert tags(0) == [], "who took the consent back is no longer described"
