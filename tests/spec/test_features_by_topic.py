"""The features of each topic as drawn tables: a life on the left, the value on the right.

AS_OF is midnight UTC, eight in the morning in Shanghai.
"""

from __future__ import annotations

import pytest

from rooms.test_features_history import AS_OF, event
from shouxin.features import CATALOGUE, Topic, definitions_of, evaluate


def order(days_ago, name="O", amount="100.00", **more):
    return event("order_placed", days_ago, order=name, amount=amount, **{"items": 1} | more)


def ev(kind, days_ago, name=None, **more):
    return event(kind, days_ago, order=name, **more)


def paid_back(days_ago, days_past_due, amount="10.00"):
    return event("repayment_received", days_ago, amount=amount, plan_id="P", days_past_due=days_past_due)


def refund(days_ago, name, amount, kind="return"):
    return event("refund_issued", days_ago, order=name, amount=amount, refund_kind=kind)


def failed(days_ago, reason="declined", amount="50.00"):
    return event("payment_failed", days_ago, amount=amount, reason=reason)


def score(days_ago, points, **more):
    return event(
        "external_score_received", days_ago, provider="p", product="sesame_score",
        **({"outcome": "found", "score": points} if points else {"outcome": "unknown_person"}) | more,
    )  # fmt: skip


FOUR = [order(70, "A", "10.00"), order(50, "B", "20.00"), order(10, "C", "60.00"), order(5, "D", "30.00")]
# Every second one on credit, the limit raised once.
BORROWS = [
    event("line_opened", 200, amount="500.00"),
    event("line_limit_changed", 100, amount="1000.00"),
    order(60, "A", "100.00", payment_method="credit"),
    order(20, "B", "300.00", payment_method="credit"),
    order(15, "C", "200.00", payment_method="card"),
    event("instalment_due", 10, amount="50.00", plan_id="P", number=1),
    paid_back(10, 0, "40.00"),
]
REPAYS = [paid_back(100, 0), paid_back(70, 0), paid_back(40, 12), paid_back(20, 0), paid_back(5, 0)]
REVIEWS = [
    ev("review_posted", 400, rating=5),
    ev("review_posted", 100, rating=4, text="x", sentiment=60),
    ev("review_posted", 50, rating=1, text="x", sentiment=-80),
]

# feature, the customer's events, its value
PURCHASES = [
    ("orders_30d", FOUR, 2.0),
    ("kept_orders_365d", [*FOUR, ev("order_cancelled", 9, "C")], 3.0),
    ("items_per_order_180d", [order(5, "A", items=3), order(4, "B", items=4)], 3.5),
    ("items_per_order_180d", [], None),
    ("days_since_first_order", FOUR, 70.0),
    ("active_days_90d", [order(5.1, "A"), order(5, "B"), order(8, "C")], 2.0),
    ("order_interval_365d", FOUR, 65 / 3),
    ("order_interval_365d", FOUR[:1], None),
    ("order_interval_spread_365d", [order(10, "A"), order(7, "B"), order(2, "C")], 1.0),
    ("order_irregularity_365d", [order(10, "A"), order(7, "B"), order(2, "C")], 0.25),
    ("orders_per_active_month_365d", [order(1, "A"), order(2, "B"), order(40, "C")], 1.5),
    ("order_rise_90d", [order(5, "A"), order(100, "B"), order(101, "C")], -1.0),
    ("order_trend_180d", [], None),
    ("spend_share_30d", [order(5, "A", "30.00"), order(300, "B", "90.00")], 0.25),
    ("order_weight", [order(0, "A"), order(60, "B")], 1.5),
    ("merchants_365d", [order(5, "A", merchant_ref="M1"), order(4, "B", merchant_ref="M1")], 1.0),
    ("main_merchant_share_365d", [order(5, "A", merchant_ref="M1"), order(4, "B", merchant_ref="M2")], 0.5),
    ("weekend_order_share_180d", [order(7, "A"), order(6, "B")], 0.5),  # a Sunday, a Monday
]
PRICES = [
    ("median_order_value_365d", FOUR, 20.0),
    ("p90_order_value_365d", FOUR, 60.0),
    ("min_order_value_365d", [], None),
    ("price_band_variety_365d", [order(5, "A", "10.00"), order(4, "B", "3000.00")], 1.0),
    ("small_order_share_365d", [order(5, "A", "50.00"), order(4, "B", "50.01")], 0.5),
    ("large_orders_180d", [order(5, "A", "1000.00"), order(4, "B", "999.99")], 1.0),
    ("last_order_to_median_365d", FOUR, 1.5),
    ("largest_order_share_365d", FOUR, 0.5),
    ("order_value_rise_90d", [order(5, "A", "30.00"), order(200, "B", "10.00")], 3.0),
    ("coupon_value_365d", [order(5, "A", coupon_minor=250)], 2.5),
    ("coupon_depth_365d", [order(5, "A", "10.00", coupon_minor=250)], 0.25),
    ("coupon_order_share_365d", [order(5, "A", coupon_minor=1), order(4, "B", coupon_minor=0)], 0.5),
]
CATEGORIES = [
    ("categories_365d", [order(5, "A", category="books"), order(4, "B")], 1.0),
    ("category_variety_365d", [order(5, "A", category="books"), order(4, "B", category="home")], 1.0),
    ("main_category_share_365d", [order(5, "A", category="books"), order(4, "B")], 1.0),
    ("resale_goods_orders_90d", [order(5, "A", category="digital"), order(4, "B", category="books")], 1.0),
    ("days_since_resale_goods", [order(5, "A", category="books")], None),
    (
        "resale_goods_share_rise_30d",
        [order(5, "A", category="digital"), order(200, "B", category="books")],
        0.5,
    ),
]
PAYMENTS = [
    ("wallet_order_share_180d", [order(5, "A", payment_method="wallet"), order(4, "B")], 0.5),
    ("payment_methods_365d", [order(5, "A", payment_method="cod"), order(4, "B", payment_method="cod")], 1.0),
    ("failed_payments_30d", [failed(5), failed(31)], 1.0),
    ("failed_payment_share_180d", [failed(5), ev("order_paid", 5, "A", amount="1.00")], 0.5),
    ("empty_account_failures_365d", [failed(5), failed(4, "insufficient_funds")], 1.0),
    ("failed_payment_value_180d", [failed(5, amount="7.50")], 7.5),
    ("failed_payment_weight", [failed(0), failed(45)], 1.5),
    ("chargebacks_365d", [ev("chargeback_received", 5, "A", amount="9.00")], 1.0),
    ("chargeback_value_1825d", [ev("chargeback_received", 1824, "A", amount="9.00")], 9.0),
    ("unpaid_order_share_90d", [order(5, "A"), order(4, "B"), ev("order_paid", 4, "A", amount="1.00")], 0.5),
    ("paid_value_365d", [ev("order_paid", 4, "A", amount="1.50")], 1.5),
]
RETURNS = [
    ("refund_value_share_365d", [order(9, "A", "40.00"), refund(5, "A", "10.00")], 0.25),
    ("max_refund_365d", [refund(9, "A", "40.00"), refund(5, "B", "10.00")], 40.0),
    ("days_since_last_refund", [], None),
    ("refund_weight", [refund(60, "A", "40.00"), refund(0, "B", "10.00")], 30.0),
    ("refund_only_value_365d", [refund(9, "A", "40.00"), refund(5, "B", "10.00", "refund_only")], 10.0),
    ("returns_90d", [ev("return_requested", 9, "A"), ev("return_requested", 8, "A")], 1.0),
    (
        "no_fault_return_share_365d",
        [ev("return_requested", 9, "A", reason="changed_mind"), ev("return_requested", 8, "B")],
        0.5,
    ),
]
CANCELLATIONS = [
    ("cancelled_value_180d", [ev("order_cancelled", 9, "A", amount="5.00")], 5.0),
    (
        "cancelled_by_shop_365d",
        [ev("order_cancelled", 9, "A", by="shop"), ev("order_cancelled", 9, "B")],
        1.0,
    ),
    ("cancelled_by_customer_365d", [ev("order_cancelled", 9, "A", by="shop")], 0.0),
    ("cancel_row", [ev("order_delivered", 9, "A"), ev("order_cancelled", 5, "B")], 1.0),
    ("cancel_weight", [ev("order_cancelled", 45, "A")], 0.5),
    (
        "cancelled_share_rise_30d",
        [order(5, "A"), ev("order_cancelled", 4, "A"), *(order(days, f"X{days}") for days in (90, 91, 92))],
        0.75,
    ),
]
LATE_ONE = [ev("order_delivered", 9, "A", days_late=2), ev("order_delivered", 8, "B")]
MONTH_LATE = [ev("instalment_overdue", 9, plan_id="P", number=1, days_past_due=d) for d in (1, 30)]
DELIVERIES = [
    ("refused_share_365d", [ev("order_shipped", 9, n) for n in "AB"] + [ev("delivery_refused", 5, "A")], 0.5),
    ("deliveries_taken_row", [ev("delivery_refused", 9, "A"), ev("order_delivered", 5, "B")], 1.0),
    ("longest_deliveries_row_365d", [ev("order_delivered", d, f"{d}") for d in (9, 8)], 2.0),
    ("late_delivery_share_180d", LATE_ONE, 0.5),
    ("days_late_per_delivery_180d", LATE_ONE, 1.0),
    ("max_days_late_180d", [ev("order_delivered", 9, "A", days_late=2)], 2.0),
    ("undelivered_share_180d", [ev("order_shipped", 9, "A")], 1.0),
]  # fmt: skip
REVIEWED = [
    ("mean_rating_365d", REVIEWS, 2.5),
    ("lowest_rating_180d", REVIEWS, 1.0),
    ("last_rating_365d", REVIEWS, 1.0),
    ("low_rating_share_365d", REVIEWS, 0.5),
    ("full_rating_share_365d", REVIEWS, 0.0),
    ("rating_fall_180d", REVIEWS, 10 / 3 - 2.5),
    ("mean_sentiment_365d", REVIEWS, -10.0),
    ("worst_sentiment_180d", REVIEWS, -80.0),
    ("bad_words_share_365d", REVIEWS, 0.5),
    ("written_review_share_365d", [*REVIEWS, ev("review_posted", 9, rating=5)], 2 / 3),
    ("review_share_365d", [*REVIEWS, ev("order_delivered", 9, "A")], 2.0),
]
COMPLAINTS = [
    ("not_received_complaints_365d", [ev("complaint_filed", 9, topic="not_received")], 1.0),
    (
        "complaint_topics_365d",
        [ev("complaint_filed", 9, topic="a"), ev("complaint_filed", 8, topic="a")],
        1.0,
    ),
    ("complaint_share_365d", [order(9, "A"), order(8, "B"), ev("complaint_filed", 8)], 0.5),
    ("max_violation_severity_1825d", [ev("violation_recorded", 900, rule="r", severity=3)], 3.0),
    (
        "violation_severity_sum_1825d",
        [ev("violation_recorded", d, rule="r", severity=2) for d in (9, 8)],
        4.0,
    ),
    ("days_since_violation", [ev("violation_recorded", 900, rule="r", severity=3)], 900.0),
]
STABILITY = [
    ("device_rise_30d", [ev("login_recorded", 40, device_token="a"), order(5, device_token="b")], 0.0),
    ("main_device_share_180d", [order(d, f"{d}", device_token=t) for d, t in ((9, "a"), (8, "b"))], 0.5),
    ("device_variety_180d", [order(d, f"{d}", device_token=t) for d, t in ((9, "a"), (8, "b"))], 1.0),
    ("delivery_addresses_365d", [order(9, "A", delivery_address_token="t")], 1.0),
    ("main_address_share_365d", [order(9, "A", delivery_address_token="t"), order(8, "B")], 1.0),
    ("login_cities_90d", [ev("login_recorded", 9, city="x"), ev("login_recorded", 8, city="y")], 2.0),
    ("main_city_share_180d", [ev("login_recorded", 9, city="x"), ev("login_recorded", 8)], 1.0),
    ("card_rise_90d", [order(9, "A", card_token="t")], 1.0),
    ("verified_identifiers", [ev("customer_verified", d, identifier="phone") for d in (900, 9)], 1.0),
    ("days_since_profile_change", [ev("customer_updated", 9)], 9.0),
]
ACTIVITY = [
    # five in the morning and eight in the evening in Shanghai
    ("night_orders_30d", [order(5 + 3 / 24, "A"), order(5 + 12 / 24, "B")], 1.0),
    ("evening_order_share_180d", [order(5 + 3 / 24, "A"), order(5 + 12 / 24, "B")], 0.5),
    ("night_login_share_180d", [ev("login_recorded", 5 + 3 / 24), ev("login_recorded", 5)], 0.5),
    ("order_hour_variety_365d", [order(5, "A"), order(5 + 3 / 24, "B")], 1.0),
    ("login_days_90d", [ev("login_recorded", 9), ev("login_recorded", 9.01)], 2.0 - 1.0),
    ("login_interval_180d", [ev("login_recorded", 9), ev("login_recorded", 2)], 7.0),
    ("views_per_order_180d", [order(5, "A"), *(ev("product_viewed", d, sku="s") for d in (9, 8))], 2.0),
    ("viewed_products_90d", [ev("product_viewed", d, sku="s") for d in (9, 8)], 1.0),
    ("viewed_categories_180d", [ev("product_viewed", 9, sku="s", category="books")], 1.0),
]
CARTS = [
    ("cart_products_90d", [ev("cart_changed", 9, sku=s, quantity=1) for s in "ab"], 2.0),
    ("cart_put_back_180d", [ev("cart_changed", 9, sku="a", quantity=0)], 1.0),
    ("cart_put_back_share_180d", [ev("cart_changed", 9, sku="a", quantity=q) for q in (2, 0)], 1.0),
    ("largest_cart_quantity_180d", [ev("cart_changed", 9, sku="a", quantity=q) for q in (2, 5)], 5.0),
    ("night_cart_share_180d", [ev("cart_changed", 9 + h / 24, sku="a", quantity=1) for h in (0, 3)], 0.5),
    ("cart_products_rise_30d", [ev("cart_changed", 40, sku="a", quantity=1)], -1.0),
]
REPAYMENTS = [
    ("late_repayment_share_180d", REPAYS, 0.2),
    ("late_repayment_weight", [paid_back(90, 3)], 0.5),
    ("month_late_365d", MONTH_LATE, 1.0),
    ("two_months_late_1825d", [ev("instalment_overdue", 900, plan_id="P", number=1, days_past_due=60)], 1.0),
    ("mean_days_past_due_180d", REPAYS, 2.4),
    ("p90_days_past_due_365d", REPAYS, 12.0),
    ("last_days_past_due", REPAYS, 0.0),
    ("on_time_row", REPAYS, 2.0),
    ("on_time_row", [*REPAYS, ev("instalment_overdue", 1, plan_id="P", number=1, days_past_due=1)], 0.0),
    ("longest_on_time_row_365d", REPAYS, 2.0),
    ("days_since_late", REPAYS, 40.0),
    ("repayments_ever", [paid_back(3000, 0)], 1.0),
    ("due_not_repaid_180d", BORROWS, 10.0),
    ("repaid_share_180d", BORROWS, 0.8),
    ("repaid_share_180d", [], None),
]  # fmt: skip
CREDIT_USE = [
    ("credit_use_30d", BORROWS, 0.3),
    ("credit_unpaid_share_365d", BORROWS, 0.36),
    ("max_credit_order_share_180d", BORROWS, 0.3),
    ("due_30d_of_limit", BORROWS, 0.05),
    ("credit_spend_share_180d", BORROWS, 2 / 3),
    ("credit_spend_burst_30d", BORROWS, 0.75),
    ("limit_now", BORROWS, 1000.0),
    ("limit_growth", BORROWS, 2.0),
    ("line_age_days", BORROWS, 200.0),
    ("limit_to_spend_365d", BORROWS, 1000 / 600),
    ("credit_use_30d", [order(5, "A", payment_method="credit")], None),
]
MEMBERSHIP = [
    ("member_level", [ev("membership_changed", d, level=n) for d, n in ((90, 1), (9, 3))], 3.0),
    ("member_level", [], 0.0),
    ("member_points", [ev("membership_changed", 9, level=2, points=750)], 750.0),
    ("days_a_member", [ev("membership_changed", d, level=1) for d in (90, 9)], 90.0),
]
EXTERNAL = [
    ("sesame_score_rise_730d", [score(700, 640), score(9, 620)], -20.0),
    ("lowest_sesame_score_730d", [score(700, 640), score(9, 620)], 620.0),
    ("sesame_score_age_days", [score(90, 640), score(9, None)], 90.0),
    ("unknown_to_providers_365d", [score(90, 640), score(9, None)], 0.5),
    ("external_answers_365d", [score(400, 640), score(9, 620)], 1.0),
]
ANSWERS = [ev("survey_answered", d, survey="s", satisfaction=n) for d, n in ((90, 5), (9, 2))]
SURVEY = [
    ("last_satisfaction", ANSWERS, 2.0),
    ("unhappy_answers_730d", ANSWERS, 1.0),
    ("last_recommendation", [ev("survey_answered", 9, survey="s", likely_to_recommend=8)], 8.0),
]  # fmt: skip
TABLES = [
    PURCHASES, PRICES, CATEGORIES, PAYMENTS, RETURNS, CANCELLATIONS, DELIVERIES, REVIEWED, COMPLAINTS,
    STABILITY, ACTIVITY, CARTS, REPAYMENTS, CREDIT_USE, MEMBERSHIP, EXTERNAL, SURVEY,
]  # fmt: skip
ROWS = [row for table in TABLES for row in table]


@pytest.mark.parametrize(("name", "life", "value"), ROWS)
def test_feature(name, life, value):
    found = evaluate(definitions_of([name]), life, as_of=AS_OF)
    assert found == {name: value if value is None else pytest.approx(value, rel=1e-12)}


def test_every_topic_of_the_catalogue_is_drawn():
    topic_of = {definition.name: definition.topic for definition in CATALOGUE}
    assert {topic_of[name] for name, _, _ in ROWS} >= set(Topic) - {Topic.GRAPH, Topic.PATTERNS}
