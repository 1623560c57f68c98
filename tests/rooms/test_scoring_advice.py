"""Advice: what it says comes true when it is done, it is the least, and nobody is told to give up a right."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from shouxin.features import CATALOGUE, Direction, Topic
from shouxin.grading import Grade, below_for, grade_of
from shouxin.scoring import (
    NOT_ADVISED,
    Advice,
    AdviceRefusal,
    actions_for,
    advise,
    lever,
    score_columns,
    score_one,
    train_columns,
)
from shouxin.scoring.domain.advice.actions import _RULES, Response

NAMES = (
    "late_repayments_180d", "late_repayments_365d", "max_days_past_due_180d", "max_days_past_due_1825d",
    "days_since_last_cancel", "cancelled_orders_365d", "refund_share_180d", "tenure_days",
    "credit_unpaid_share_365d",
)  # fmt: skip
DEFINITIONS = tuple(item for item in CATALOGUE if item.name in NAMES)
_SIGN = {Direction.HIGHER_IS_RISKIER: 1, Direction.HIGHER_IS_SAFER: -1}


def customers(rows: int, *, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    late = rng.poisson(1.0, rows).astype(float)
    return {
        "late_repayments_180d": late,
        "late_repayments_365d": late + rng.poisson(0.6, rows),
        "max_days_past_due_180d": np.where(late > 0, rng.integers(1, 60, rows), 0).astype(float),
        "max_days_past_due_1825d": np.where(late > 0, 60, rng.integers(0, 60, rows)).astype(float),
        "days_since_last_cancel": np.where(rng.random(rows) < 0.3, np.nan, rng.integers(0, 400, rows)),
        "cancelled_orders_365d": rng.poisson(1.5, rows).astype(float),
        "refund_share_180d": np.round(rng.beta(1, 6, rows), 3),
        "tenure_days": rng.integers(30, 900, rows).astype(float),
        "credit_unpaid_share_365d": np.round(rng.random(rows), 2),
    }


@pytest.fixture(scope="module", params=["scorecard", "ebm"])
def model(request):
    columns = customers(9000, seed=1)
    log_odds = (
        -4.5 + 0.5 * columns["late_repayments_180d"] + 0.3 * columns["late_repayments_365d"]
        + 0.02 * columns["max_days_past_due_180d"] + 0.3 * columns["cancelled_orders_365d"]
        + 2 * columns["refund_share_180d"] + 1.5 * columns["credit_unpaid_share_365d"]
        - 0.001 * columns["tenure_days"]
    )  # fmt: skip
    y = (np.random.default_rng(2).random(9000) < 1 / (1 + np.exp(-log_odds))).astype(float)
    directions = {item.name: _SIGN[item.direction] for item in DEFINITIONS if item.direction}
    return train_columns(columns, y, model=request.param, directions=directions).artefact


def _rows(model, count: int):
    columns = {name: values for name, values in customers(count, seed=5).items() if name in model.names}
    return [{name: float(values[row]) for name, values in columns.items()} for row in range(count)]


def test_advice_that_is_followed_gets_there(model):
    actions, target = actions_for(DEFINITIONS), below_for(Grade.B)
    given = 0
    for values in _rows(model, 150):
        found = advise(model, values, actions, pd_below=target)
        if isinstance(found, AdviceRefusal):
            continue
        given += 1
        done = values | {change.feature: change.after for change in found.changes}
        again = score_one(model, done)
        assert (again.pd, again.points) == (found.after.pd, found.after.points)
        assert again.pd < target and grade_of(again.pd) in {Grade.S, Grade.A, Grade.B}
        assert score_one(model, values).pd >= target
        assert all(change.before == values[change.feature] != change.after for change in found.changes)
    assert given > 20


def test_nothing_less_would_have_been_enough(model):
    actions, target = actions_for(DEFINITIONS), below_for(Grade.B)
    for values in _rows(model, 60):
        found = advise(model, values, actions, pd_below=target)
        if not isinstance(found, Advice):
            continue
        assert found.best
        for fewer in itertools.combinations(found.options, len(found.options) - 1):
            done = values | {name: after for option in fewer for name, after in option.after.items()}
            assert score_one(model, done).pd >= target
        # And a shorter time would not do, all else of it done.
        for option in found.options:
            assert option.effort > 0


def test_changes_keep_to_the_direction_and_to_one_another(model):
    direction = {item.name: _SIGN.get(item.direction) for item in DEFINITIONS}
    topic = {item.name: item.topic for item in DEFINITIONS}
    for values in _rows(model, 150):
        found = advise(model, values, actions_for(DEFINITIONS), pd_below=below_for(Grade.A))
        if not isinstance(found, Advice):
            continue
        for change in found.changes:
            assert (change.after - change.before) * direction[change.feature] < 0
            assert change.after >= 0
            assert topic[change.feature] not in NOT_ADVISED
        done = values | {change.feature: change.after for change in found.changes}
        if {"late_repayments_180d", "late_repayments_365d"} <= done.keys():
            assert done["late_repayments_180d"] <= done["late_repayments_365d"]


def test_each_topic_is_an_action_or_says_why_not():
    acted = {rule.topic for rule in _RULES}
    assert acted | set(NOT_ADVISED) == set(Topic)
    assert not acted & set(NOT_ADVISED)
    for rule in _RULES:
        assert sorted(re.findall(r"{\w+}", rule.zh)) == sorted(re.findall(r"{\w+}", rule.en))
    moved = {response.feature for action in actions_for(CATALOGUE) for response in action.responses}
    rights = {
        item.name for item in CATALOGUE if item.topic in {Topic.RETURNS, Topic.COMPLAINTS, Topic.REVIEWS}
    }
    assert not moved & rights
    assert {"late_repayments_180d", "failed_payments_30d", "refused_deliveries_90d"} <= moved


@pytest.mark.parametrize(
    ("response", "value", "share", "days", "after"),
    [
        (Response("n", "scales", 180), 4.0, 0.0, 90, 2.0),
        (Response("n", "scales", 180), 5.0, 0.0, 90, 3.0),  # a count: 2.5 might be 3
        (Response("n", "scales", 180), 4.0, 0.0, 365, 0.0),
        (Response("n", "scales", 180), 0.4, 0.5, 180, 0.2),
        (Response("n", "clears", 180), 45.0, 0.0, 90, 45.0),
        (Response("n", "clears", 180), 45.0, 0.0, 180, 0.0),
        (Response("n", "clears", 180), 45.0, 0.5, 180, 45.0),
        (Response("n", "decays", 90), 0.8, 0.0, 90, 0.4),
        (Response("n", "ages"), 12.0, 0.0, 30, 42.0),
        (Response("n", "at once"), 0.8, 0.25, 0, 0.2),
    ],
)
def test_a_feature_clears_as_its_window_goes_by(response, value, share, days, after):
    assert response.moved(value, share=share, days=days) == pytest.approx(after)


def test_what_can_not_be_reached_is_said(model):
    values = _rows(model, 1)[0]
    below = advise(model, values, actions_for(DEFINITIONS), pd_below=1.0)
    assert isinstance(below, AdviceRefusal) and "already" in below.reason
    none = advise(model, values, (), pd_below=1e-6)
    assert isinstance(none, AdviceRefusal) and "nothing that the customer could change" in none.reason
    worst = values | {name: 9.0 for name in values if name.startswith("late")}
    never = advise(model, worst, actions_for(DEFINITIONS), pd_below=1e-6)
    assert isinstance(never, AdviceRefusal) and "not enough" in never.reason


def test_a_lever_stops_just_inside_the_slot_that_is_enough():
    rng = np.random.default_rng(3)
    use = np.round(rng.random(8000), 3)
    y = (rng.random(8000) < np.where(use > 0.6, 0.3, 0.05)).astype(float)
    artefact = train_columns({"use": use}, y, directions={"use": 1}).artefact
    feature = artefact.features[0]
    found = advise(artefact, {"use": 0.9}, [lever(feature, towards="down")], pd_below=0.1)
    assert isinstance(found, Advice)
    after = found.changes[0].after
    cleared = max(
        edge
        for edge in feature.edges
        if score_columns(artefact, {"use": np.array([edge - 1e-3])}).pd[0] < 0.1
    )
    assert cleared - 0.002 < after < cleared
