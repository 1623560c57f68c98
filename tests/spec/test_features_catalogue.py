"""What each of the features says, as drawn tables: a life on the left, the value on the right."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rooms.test_features_history import AS_OF, event, links_of, write_history
from shouxin.features import CATALOGUE, Missing, Topic, catalogue, catalogue_hash, compute, evaluate
from shouxin.features.domain import Aggregation, Field, Origin, catalogue_page, kinds_of, parts_of
from shouxin.ingestion.domain import FREE_TEXT_FIELDS
from shouxin.kernel.money import exponent


def order(days_ago, name, amount="100.00", **more):
    return event("order_placed", days_ago, order=name, amount=amount, items=1, **more)


def line(days_ago, name, amount, **more):
    return event("order_line_placed", days_ago, order=name, amount=amount, currency="GBP", **more)


def paid(days_ago, days_past_due):
    return event("repayment_received", days_ago, amount="9.00", plan_id="P", days_past_due=days_past_due)


# Those two are about what several customers do together.
TOPICS = set(Topic) - {Topic.GRAPH, Topic.PATTERNS}
MORNING = 1 + 22 / 24  # AS_OF is midnight UTC, eight in the morning in Shanghai: there it is ten o'clock
LOGIN = "login_recorded"

# feature, the customer's events, its value
TABLE = [
    ("orders_90d", [order(10, "O1"), order(89, "O2"), order(90, "O3")], 2.0),
    ("orders_90d", [line(10, "536365", "2.50"), line(10, "536365", "7.50", sku="b")], 1.0),
    ("orders_90d", [], 0.0),
    ("spend_365d", [order(10, "O1", "19.90"), order(300, "O2", "0.10"), order(365, "O3")], 20.0),
    (
        "mean_order_value_365d",
        [line(1, "O1", "10.00"), line(1.1, "O1", "20.00"), line(2, "O2", "6.00")],
        18.0,
    ),
    ("mean_order_value_365d", [order(366, "O1")], None),
    ("days_since_last_order", [order(12.9, "O1"), order(30, "O2")], 12.0),
    ("days_since_last_order", [event("customer_registered", 5)], None),
    ("tenure_days", [event("customer_registered", 700.5), order(3, "O1")], 700.0),
    ("active_months_365d", [order(1, "O1"), order(2, "O2"), order(40, "O3")], 2.0),
    ("cancelled_share_180d", [order(9, "O1"), order(8, "O2"), event("order_cancelled", 7, order="O2")], 0.5),
    ("cancelled_share_180d", [event("order_cancelled", 7, order="O2")], 0.0),
    ("cancelled_orders_365d", [event("order_line_cancelled", 364, order="C5", amount="1.00")], 1.0),
    ("days_since_last_cancel", [event("order_cancelled", 33, order="O1")], 33.0),
    ("days_since_last_cancel", [order(9, "O1")], None),
    ("refund_share_180d", [order(9, "O1"), event("refund_issued", 7, order="O1", refund_kind="return")], 1.0),
    ("refund_only_count_180d", [event("refund_issued", 7, order="O1", refund_kind="return")], 0.0),
    ("refund_only_count_180d", [event("refund_issued", 7, order="O1", refund_kind="refund_only")], 1.0),
    (
        "return_rate_jump_30d",
        [
            order(9, "O1"),
            order(99, "O2"),
            order(98, "O3"),
            order(97, "O4"),
            event("return_requested", 7, order="O1"),
        ],
        0.75,
    ),
    ("return_rate_jump_30d", [order(99, "O2"), event("return_requested", 7, order="O2")], 0.0),
    (
        "credit_order_share_180d",
        [order(9, "O1", payment_method="credit"), order(8, "O2", payment_method="card")],
        0.5,
    ),
    (
        "credit_use_90d",
        [
            event("line_opened", 200, amount="1000.00"),
            event("line_limit_changed", 50, amount="400.00"),
            order(9, "O1", payment_method="credit"),
            order(8, "O2", payment_method="card"),
        ],
        0.25,
    ),
    ("credit_use_90d", [order(9, "O1", payment_method="credit")], None),
    ("late_repayments_180d", [paid(9, 0), paid(8, 1), paid(7, 30), paid(181, 5)], 2.0),
    ("max_days_past_due_180d", [paid(9, 3), event("instalment_overdue", 5, days_past_due=30)], 30.0),
    ("max_days_past_due_180d", [], 0.0),
    ("max_days_past_due_180d", [event("instalment_overdue", 181, days_past_due=90)], 0.0),
    ("max_days_past_due_1825d", [event("instalment_overdue", 181, days_past_due=90), paid(9, 3)], 90.0),
    ("max_days_past_due_1825d", [event("instalment_overdue", 1826, days_past_due=90)], 0.0),
    ("night_order_share_180d", [order(MORNING, "O1"), order(1.5, "O2")], 0.0),
    ("night_order_share_180d", [order(1.25, "O1"), order(1.5, "O2")], 0.5),
    (
        "distinct_devices_90d",
        [
            event(LOGIN, 1, device_token="tok_a"),
            event(LOGIN, 2, device_token="tok_a"),
            order(3, "O", device_token="tok_b"),
        ],
        2.0,
    ),
    (
        "complaints_180d",
        [event("complaint_filed", 1), event("violation_recorded", 2, rule="r", severity=2)],
        2.0,
    ),
]


def told(days_ago, product, *, outcome="found", **said):
    return event(
        "external_score_received", days_ago, provider="sim", product=product, outcome=outcome, **said
    )


SESAME = "sesame_score"
TABLE += [
    ("sesame_score", [told(9, SESAME, score=700, valid_days=30)], 700.0),
    ("sesame_score", [], None),
    # valid for thirty days: the instant at which they are over is one too late
    ("sesame_score", [told(29.9999, SESAME, score=700, valid_days=30)], 700.0),
    ("sesame_score", [told(30, SESAME, score=700, valid_days=30)], None),
    # without days of its own for a year, and never for longer
    ("sesame_score", [told(364, SESAME, score=700)], 700.0),
    ("sesame_score", [told(365, SESAME, score=700, valid_days=3650)], None),
    # the newest answer counts, even when it says that the person is unknown or is no longer valid
    ("sesame_score", [told(9, SESAME, score=700), told(3, SESAME, outcome="unknown_person")], None),
    ("sesame_score", [told(9, SESAME, score=700), told(3, SESAME, score=650, valid_days=2)], None),
    ("sesame_score", [told(9, SESAME, score=700), told(3, "wechat_pay_score", score=650)], 700.0),
    ("wechat_pay_score", [told(9, "wechat_pay_score", score=650, valid_days=30)], 650.0),
    ("bureau_open_loans", [told(9, "bureau_report", open_loans=4, overdue_loans=1)], 4.0),
    ("bureau_overdue_loans", [told(9, "bureau_report", open_loans=4, overdue_loans=1)], 1.0),
    ("bureau_overdue_share", [told(9, "bureau_report", open_loans=4, overdue_loans=1)], 0.25),
    ("bureau_overdue_share", [told(9, "bureau_report", open_loans=0, overdue_loans=0)], None),
    ("court_records", [told(9, "public_records", court_records=0, valid_days=90)], 0.0),
    ("court_records", [told(91, "public_records", court_records=2, valid_days=90)], None),
]


@pytest.mark.parametrize(("name", "life", "value"), TABLE)
def test_feature(name, life, value):
    assert evaluate(CATALOGUE, life, as_of=AS_OF)[name] == value


def test_the_catalogue_is_large_and_says_something_of_every_topic():
    assert {name for name, _, _ in TABLE} <= {definition.name for definition in CATALOGUE}
    assert len(CATALOGUE) >= 150
    counted = Counter(definition.topic for definition in CATALOGUE)
    assert {topic: counted[topic] for topic in TOPICS if counted[topic] < 5} == {}


# learnt after as_of | happened after as_of | at the start of the window | just inside it
WINDOW = [
    (order(5, "O", late_days=6), 0.0),
    (order(5, "O", late_days=5), 1.0),
    (order(-0.001, "O"), 0.0),
    (order(0, "O"), 1.0),
    (order(90, "O"), 0.0),
    (order(89.9999, "O"), 1.0),
]


@pytest.mark.parametrize(("only", "value"), WINDOW)
def test_a_fact_counts_once_it_has_happened_and_is_known_within_the_window(only, value):
    assert evaluate(CATALOGUE, [only], as_of=AS_OF)["orders_90d"] == value


@pytest.mark.parametrize(
    "currency", ["CNY", "GBP", "JPY", "KRW", "VND", "CLP", "KWD", "BHD", "OMR", "TND", "JOD"]
)
def test_every_currency_is_told_in_its_major_unit(tmp_path, currency):
    amount = f"7.{'5' * exponent(currency)}" if exponent(currency) else "7"
    life = [event("order_placed", 3, order="O", amount=amount, currency=currency, items=1)]
    (row,) = compute(write_history(tmp_path, life), links_of("C1"), as_of=AS_OF).to_pylist()
    assert row["spend_365d"] == float(amount)


def test_the_zone_of_the_shop_is_part_of_the_definition():
    midnight_in_london = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
    life = [order((AS_OF - midnight_in_london) / timedelta(days=1), "O1")]
    shares = {
        zone: evaluate(catalogue(zone=zone), life, as_of=AS_OF)["night_order_share_180d"]
        for zone in ("Europe/London", "Asia/Shanghai")
    }
    assert shares == {"Europe/London": 1.0, "Asia/Shanghai": 0.0}
    assert catalogue_hash(catalogue(zone="Europe/London")) != catalogue_hash()


def test_the_hash_names_the_definitions_and_their_order():
    assert catalogue_hash() == catalogue_hash(catalogue())
    assert catalogue_hash(CATALOGUE[:-1]) != catalogue_hash()
    assert catalogue_hash().startswith("sha256:")


def test_names_are_unique_and_every_meaning_is_told_in_both_languages():
    assert len({definition.name for definition in CATALOGUE}) == len(CATALOGUE)
    assert len({definition.meaning.zh for definition in CATALOGUE}) == len(CATALOGUE)
    assert len({definition.meaning.en for definition in CATALOGUE}) == len(CATALOGUE)
    for definition in CATALOGUE:
        assert re.search("[\u4e00-\u9fff]", definition.meaning.zh), definition.name
        assert not re.search("[\u4e00-\u9fff]", definition.meaning.en), definition.name


def test_no_two_features_are_computed_alike():
    assert len({definition.formula for definition in CATALOGUE}) == len(CATALOGUE)


def test_a_name_that_tells_days_tells_the_days_of_its_definition():
    for definition in CATALOGUE:
        told = re.search(r"_(\d+)d\b", definition.name)
        windows = {part.window_days for part in definition.parts}
        assert told is None or int(told[1]) in windows, definition.name


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_meaning_that_tells_days_tells_the_days_of_its_definition(language):
    pattern = {"zh": r"近(\d+)天", "en": r"last (\d+) days"}[language]
    for definition in CATALOGUE:
        windows = {part.window_days for part in definition.parts}
        told = {int(days) for days in re.findall(pattern, definition.meaning.in_language(language))}
        assert told <= windows, definition.name


def test_no_feature_reads_what_a_person_could_be_known_by():
    fields = {field for part in parts_of(CATALOGUE) for field in part.fields()}
    texts = {field.name for field in fields if field.origin is Origin.TEXT}
    assert {name for name in texts if name.endswith("_token")} == {
        "device_token", "card_token", "delivery_address_token",
    }  # fmt: skip
    assert not texts & {"text", "region", "business_code", "name", "birth_date", "national_id"}


def test_free_text_is_only_held_against_codes_or_counted():
    """What people write may hold anything: it is held against a code, or its values are counted."""
    free = {Field(Origin.TEXT, name) for name in FREE_TEXT_FIELDS}
    of_text = [part for part in parts_of(CATALOGUE) if part.field in free]
    assert {part.aggregation for part in of_text} <= {Aggregation.COUNT_DISTINCT}


def test_every_kind_of_event_that_is_read_is_a_canonical_one():
    from shouxin.ingestion import json_schemas

    assert set(kinds_of(parts_of(CATALOGUE))) <= set(json_schemas())


def test_nobody_is_worse_off_for_what_they_agreed_to_or_took_back():
    assert not {"consent_given", "consent_withdrawn"} & set(kinds_of(parts_of(CATALOGUE)))


def test_only_facts_of_the_contract_are_read_without_a_purpose():
    without = {definition.topic for definition in CATALOGUE if not definition.purposes}
    assert without <= {Topic.REPAYMENTS, Topic.CREDIT_USE}


def test_a_count_is_never_missing():
    for definition in CATALOGUE:
        if definition.unit in {"orders", "refunds", "repayments", "devices", "events", "months"}:
            assert definition.missing is Missing.IS_ZERO, definition.name


def test_the_manual_lists_the_catalogue_as_it_is():
    page = Path(__file__).resolve().parents[2] / "docs/features-catalogue.md"
    assert page.read_text() == catalogue_page(CATALOGUE), f"run: shouxin features document --out {page}"
