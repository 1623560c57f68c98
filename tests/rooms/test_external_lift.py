"""Lift per yuan as arithmetic: differences of AUC, loss at a cut-off, and what may be said of them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouxin.features import CATALOGUE
from shouxin.ingestion.external import Charging, Identifier, Product, Spelling
from shouxin.kernel import Money
from shouxin.reporting.domain.lift import (
    Verdict,
    approved_as_many,
    approved_below,
    by_cost,
    cost_of_answers,
    loss_saved,
    per_10k_yuan,
    saved_per_yuan,
    verdict_of,
)
from shouxin.reporting.lift import features_by_product, features_of_the_shop, told_by
from shouxin.scoring.domain.metrics import Interval, auc, auc_difference, delong


def drawn(seed, n=400):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.2).astype(float)
    y[:2] = (0.0, 1.0)
    return rng, y


def placed_by_hand(y, risk):
    """DeLong, Biometrics 44 (1988): every event against every other, one by one."""
    events, others = risk[y == 1], risk[y == 0]
    wins = (events[:, None] > others[None, :]) + 0.5 * (events[:, None] == others[None, :])
    return wins.mean(axis=1), wins.mean(axis=0)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 50))
def test_the_difference_is_that_of_the_definition(seed, values):
    rng, y = drawn(seed, n=120)
    good, poor = np.round(rng.random(120) + 0.3 * y, 1), rng.integers(0, values, 120).astype(float)
    found = auc_difference(y, good, poor)
    (events, others), (events_b, others_b) = placed_by_hand(y, good), placed_by_hand(y, poor)
    variance = np.var(events - events_b, ddof=1) / len(events) + np.var(others - others_b, ddof=1) / len(
        others
    )
    assert found.value == pytest.approx(auc(y, good) - auc(y, poor))
    assert found.high - found.value == pytest.approx(1.959964 * np.sqrt(variance))
    assert auc_difference(y, poor, good).value == pytest.approx(-found.value)


def test_nothing_differs_from_itself_and_pairs_are_told_apart_better_than_strangers():
    rng, y = drawn(7)
    risk = rng.random(400) + 0.5 * y
    same = auc_difference(y, risk, risk)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    near = auc_difference(y, risk + 0.05 * rng.random(400), risk)
    assert near.high - near.low < 0.5 * (delong(y, risk).high - delong(y, risk).low)


# low and high of the difference, what may be said
VERDICTS = [
    (0.001, 0.02, Verdict.BETTER),
    (0.0, 0.02, Verdict.NOT_SHOWN),
    (-0.01, 0.02, Verdict.NOT_SHOWN),
    (-0.02, -0.001, Verdict.WORSE),
]


@pytest.mark.parametrize(("low", "high", "verdict"), VERDICTS)
def test_an_interval_that_holds_zero_shows_nothing(low, high, verdict):
    assert verdict_of(Interval((low + high) / 2, low, high)) is verdict


def test_lift_is_by_ten_thousand_yuan_and_loss_by_yuan():
    cost = Money(250_000, "CNY")
    assert per_10k_yuan(Interval(0.02, -0.01, 0.05), cost) == Interval(0.08, -0.04, 0.2)
    assert saved_per_yuan(Interval(500_000, -250_000, 1_250_000), cost) == Interval(2.0, -1.0, 5.0)
    assert by_cost(Interval(1, 0, 2), Money(0, "CNY")) is None


# charging, how many of 100 have an answer, what one answer about each costs
@pytest.mark.parametrize(("charging", "cost"), [(Charging.FOUND, 4_000), (Charging.ANSWERED, 8_000)])
def test_the_cost_is_that_of_the_same_customers(charging, cost):
    sold = {"a": product_of("a", charging)}
    assert cost_of_answers(sold, {"a": 50}, customers=100) == Money(cost, "CNY")
    both = sold | {"b": product_of("b", Charging.FOUND)}
    assert cost_of_answers(both, {"a": 50, "b": 10}, customers=100) == Money(cost + 800, "CNY")
    assert cost_of_answers(sold, {"a": 50, "b": 10}, customers=100) is None, "the price of b is not known"


def product_of(code, charging):
    return Product(
        "sim", code, Money(80, "CNY"), charging, timedelta(days=30), timedelta(seconds=2), 2,
        Identifier.PHONE, Spelling.SHA256,
    )  # fmt: skip


def test_as_many_are_approved_and_the_loss_is_of_the_bad_ones_let_in():
    y = np.array([1.0, 0.0, 1.0, 0.0])
    exposure = np.array([100.0, 100.0, 50.0, 70.0])
    before = approved_below(np.array([0.01, 0.02, 0.5, 0.6]), 0.1)
    after = approved_as_many(np.array([0.9, 0.02, 0.03, 0.6]), int(before.sum()))
    assert before.tolist() == [True, True, False, False] and after.tolist() == [False, True, True, False]
    saved = loss_saved(y, exposure, before=before, after=after, lgd=0.5, seed=7)
    assert saved.value == 0.5 * 100 - 0.5 * 50
    assert saved.low <= saved.value <= saved.high
    nothing = loss_saved(y, exposure, before=before, after=before, lgd=0.5, seed=7)
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 0.0)


def test_every_feature_of_an_answer_belongs_to_a_product():
    products = features_by_product()
    assert set(products) == {"sesame_score", "wechat_pay_score", "bureau_report", "public_records"}
    own = {item.name for item in features_of_the_shop()}
    sold = {name for names in products.values() for name in names}
    # What is read of all answers alike belongs to no product, and is not the shop's own either.
    of_all = {item.name for item in CATALOGUE if item.name not in own | sold}
    assert of_all == {
        "days_since_external_answer", "external_answers_365d", "unknown_to_providers_365d", "providers_365d",
    }  # fmt: skip
    assert not own & sold and not any(told_by(item) for item in CATALOGUE if item.name in own)
