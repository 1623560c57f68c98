"""Tastes: against a slow way, with a customer's own outcome left out and outcomes that had matured only."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rooms.test_features_history import event, links_of, write_history
from shouxin.features.neighbourhood import FEATURES, taste_features
from shouxin.features.neighbourhood.domain import (
    MILLION,
    PRIOR_CUSTOMERS,
    TOGETHER_MIN,
    Known,
    likeness,
    purchases,
    tastes,
)

NIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def matrix(rows, items):
    pairs = [(customer, item) for customer, basket in enumerate(rows) for item in basket]
    return purchases(
        np.array([pair[0] for pair in pairs], dtype=np.int64),
        np.array([pair[1] for pair in pairs], dtype=np.int64),
        customers=len(rows),
        items=items,
    )


def slow_likeness(rows, items):
    holders = [{c for c, basket in enumerate(rows) if item in basket} for item in range(items)]
    found = {}
    for one in range(items):
        for other in range(items):
            both = len(holders[one] & holders[other])
            if one == other and both:
                found[one, other] = MILLION
            elif both >= TOGETHER_MIN:
                found[one, other] = math.floor(
                    MILLION * both / math.sqrt(len(holders[one]) * len(holders[other]))
                )
    return found


def slow_rate(customer, now, learnt, then, seen, event):
    alike = slow_likeness(learnt, 5)
    others = [c for c in range(len(now)) if seen[c] and c != customer]
    if not others or not now[customer]:
        return math.nan
    prior = sum(event[c] for c in others) / len(others)
    above = below = 0.0
    for item in range(5):
        weight = sum(alike.get((bought, item), 0) for bought in now[customer])
        holders = [c for c in others if item in then[c]]
        fell = sum(event[c] for c in holders)
        above += weight * (fell + PRIOR_CUSTOMERS * prior) / (len(holders) + PRIOR_CUSTOMERS)
        below += weight
    return above / below if below else math.nan


baskets = st.lists(st.sets(st.integers(0, 4), max_size=4), min_size=12, max_size=16)


@settings(max_examples=120)
@given(
    baskets, baskets, baskets, st.lists(st.sampled_from([(0, 0), (1, 0), (1, 1)]), min_size=12, max_size=12)
)
def test_rates_are_those_of_counting_one_by_one(now, learnt, then, told):
    now, learnt, then = now[:12], learnt[:12], then[:12]
    seen, event = np.array([t[0] for t in told]), np.array([t[1] for t in told])
    found = tastes(matrix(now, 5), Known(matrix(then, 5), seen, event), learnt_from=matrix(learnt, 5))
    for customer in range(12):
        expected = slow_rate(customer, now, learnt, then, seen, event)
        assert found.event_rate[customer] == pytest.approx(expected, abs=2e-6, nan_ok=True)


@settings(max_examples=80)
@given(baskets)
def test_likeness_is_the_cosine_of_who_bought(rows):
    found = likeness(matrix(rows, 5)).toarray()
    expected = slow_likeness(rows, 5)
    for one in range(5):
        for other in range(5):
            assert found[one, other] == expected.get((one, other), 0)


@settings(max_examples=80)
@given(baskets, st.lists(st.booleans(), min_size=16, max_size=16), st.integers(0, 15))
def test_nobodys_own_outcome_is_in_her_own_number(rows, fell, chosen):
    assume(chosen < len(rows))
    bought = matrix(rows, 5)
    event = np.array(fell[: len(rows)], dtype=np.int64)
    known = Known(bought, np.ones(len(rows), dtype=np.int64), event)
    flipped = event.copy()
    flipped[chosen] = 1 - flipped[chosen]
    one = tastes(bought, known, learnt_from=bought)
    other = tastes(bought, replace(known, event=flipped), learnt_from=bought)
    assert np.array_equal(one.event_rate[chosen], other.event_rate[chosen], equal_nan=True)


def test_a_rare_thing_surprises_and_a_usual_basket_hangs_together():
    """Twenty buy tea and cups, one of them an anvil besides."""
    rows = [{0, 1} for _ in range(19)] + [{0, 1, 2}, set()]
    bought = matrix(rows, 3)
    none = np.zeros(21, dtype=np.int64)
    found = tastes(bought, Known(bought, none, none), learnt_from=bought)
    assert found.surprise[0] == 0 and found.surprise[19] == pytest.approx(math.log2(20) / 3, abs=1e-6)
    assert found.coherence[0] == 1.0 and found.coherence[19] == pytest.approx(1 / 3, abs=1e-6)
    assert np.isnan(found.surprise[20]) and np.isnan(found.coherence[20]) and np.isnan(found.event_rate).all()


def shop(folder, *, more=(), at_end=60):
    """A hundred buy books, a hundred phones; of those with phones half stopped repaying."""
    events, refs = [], [f"C{number:03d}" for number in range(200)]
    for number, ref in enumerate(refs):
        what = "phones" if number % 2 else "books"
        events.append(event("line_opened", 500, ref=ref, amount="1000.00"))
        for days_ago in (300, 100):
            told = {"items": 1, "payment_method": "card", "category": what}
            events.append(
                event("order_placed", days_ago, ref=ref, order=f"{ref}{days_ago}", amount="9.00", **told)
            )
        if number % 4 == 3:
            fallen = {"plan_id": "Q", "number": 1, "days_past_due": 60}
            events.append(event("instalment_overdue", at_end, ref=ref, **fallen))
    return write_history(folder, [*events, *more]), links_of(*refs)


def test_who_buys_like_those_who_fell_is_told_so(tmp_path):
    found = taste_features(*shop(tmp_path), night=NIGHT)
    rate = dict(
        zip(found["customer_id"].to_pylist(), found["similar_taste_event_rate"].to_pylist(), strict=True)
    )
    assert rate["cus_C001"] > 0.4 and rate["cus_C000"] < 0.2
    # She fell herself; without her, those who buy phones fell a little less often.
    assert rate["cus_C003"] < rate["cus_C001"]
    assert found.column_names == ["customer_id", *(feature.name for feature in FEATURES)]


def test_an_outcome_that_was_not_known_when_the_month_began_counts_for_nothing(tmp_path):
    late = taste_features(*shop(tmp_path / "a", at_end=-3), night=NIGHT + timedelta(days=5))
    assert set(late["similar_taste_event_rate"].to_pylist()) == {0.0}
    fallen = {"plan_id": "Q", "number": 1, "days_past_due": 60}
    later = [event("instalment_overdue", 50, ref="C000", late_days=51, **fallen)]
    one = taste_features(*shop(tmp_path / "b"), night=NIGHT + timedelta(days=5))
    assert taste_features(*shop(tmp_path / "c", more=later), night=NIGHT + timedelta(days=5)).equals(one)


def test_who_took_the_agreement_back_is_told_nothing_and_tells_nothing(tmp_path):
    fell = [f"C{number:03d}" for number in range(3, 200, 4)]
    said = [event("consent_withdrawn", 1, ref=ref, purpose="credit_assessment") for ref in fell]
    found = taste_features(*shop(tmp_path, more=said), night=NIGHT)
    assert found.num_rows == 150 and set(found["similar_taste_event_rate"].to_pylist()) == {0.0}
