"""Calibrating on a later window: folded into the artefact exactly, refused where it makes no sense."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from shouxin.scoring import (
    Artefact,
    CalibrationRefusal,
    Table,
    UnableToTrain,
    at_prior,
    performance,
    reasons,
    score_columns,
    score_one,
    train,
    train_columns,
)
from shouxin.scoring.domain.calibrating import calibrated, is_later, isotonic

PERIOD = ("2026-01-01", "2026-03-31")


def shop(rows: int, *, seed: int, level: float = -2.0, slope: float = 1.0):
    rng = np.random.default_rng(seed)
    late, spent = rng.poisson(1.0, rows).astype(float), rng.exponential(100, rows)
    log_odds = level + slope * (0.9 * late - 0.004 * spent)
    return {"late": late, "spent": spent}, (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(float)


@pytest.fixture(scope="module", params=["scorecard", "ebm"])
def model(request) -> Artefact:
    columns, y = shop(6000, seed=1)
    return train_columns(columns, y, model=request.param).artefact


def test_probabilities_become_true_where_the_world_has_changed(model):
    window, y = shop(20_000, seed=2, level=-1.4, slope=0.7)
    later, truth = shop(20_000, seed=3, level=-1.4, slope=0.7)
    after = calibrated(model, window, y, period=PERIOD)
    assert isinstance(after, Artefact)
    before = performance(truth, score_columns(model, later).pd)
    found = performance(truth, score_columns(after, later).pd)
    assert before.evaluation.slope.high < 0.9
    assert 0.9 < found.evaluation.slope.value < 1.1
    assert abs(found.figures["observed_over_expected"].value - 1) < 0.05
    assert found.evaluation.auc.value == pytest.approx(before.evaluation.auc.value, abs=1e-3)


def test_the_calibrated_document_is_whole_and_says_where_it_was_calibrated(model):
    window, y = shop(8000, seed=4, level=-1.0)
    after = calibrated(model, window, y, period=PERIOD)
    assert isinstance(after, Artefact)
    again = Artefact.from_json(after.to_json())
    assert again.hash == after.hash != model.hash
    assert again.trained.calibrated.period == PERIOD
    assert again.trained.calibrated.events == y.sum()
    assert "calibrated" not in json.loads(model.to_json())["trained"]
    for row in range(30):
        values = {name: float(column[row]) for name, column in window.items()}
        one = score_one(after, values)
        assert one.log_odds == one.reference_log_odds + sum(item.log_odds for item in one.contributions)
        assert one.pd == score_columns(after, {n: c[row : row + 1] for n, c in window.items()}).pd[0]
        # The strongest reason is the same one: the order of customers and of features is kept.
        first = [reasons(one_model, score_one(one_model, values))[:1] for one_model in (model, after)]
        assert [r.code for r in first[0]] == [r.code for r in first[1]]


def test_few_events_move_the_level_only(model):
    window, y = shop(500, seed=5, level=-1.0)
    assert 50 <= y.sum() < 200
    after = calibrated(model, window, y, period=PERIOD)
    assert isinstance(after, Artefact)
    assert after.trained.calibrated.slope == 1.0
    assert score_columns(after, window).pd.mean() == pytest.approx(y.mean(), abs=1e-6)


def test_what_makes_no_sense_is_refused_with_a_reason(model):
    window, y = shop(8000, seed=6)
    few = calibrated(model, {n: c[:100] for n, c in window.items()}, y[:100], period=PERIOD)
    assert isinstance(few, CalibrationRefusal) and "50 are needed" in few.reason
    backwards = calibrated(model, window, 1 - y, period=PERIOD)
    assert isinstance(backwards, CalibrationRefusal) and "the slope on the window" in backwards.reason
    once = calibrated(model, window, y, period=PERIOD)
    twice = calibrated(once, window, y, period=PERIOD)
    assert isinstance(twice, CalibrationRefusal) and "before" in twice.reason
    assert is_later(np.array([5.0, 6.0]), np.array([1.0, 4.0]))
    assert not is_later(np.array([4.0, 6.0]), np.array([1.0, 4.0]))


def test_another_base_rate_moves_the_level_by_the_difference_of_the_priors(model):
    window, _ = shop(4000, seed=7)
    moved = score_columns(at_prior(model, rate=0.02), window)
    learnt = model.trained.events / model.trained.rows
    by = np.log(0.02 / 0.98) - np.log(learnt / (1 - learnt))
    assert np.allclose((moved.log_odds - score_columns(model, window).log_odds) / 1e6, by, atol=1e-6)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12)), min_size=1, max_size=60))
@settings(max_examples=100)
def test_isotonic_steps_are_those_of_scikit_learn(rows):
    y, pd = np.array([row[0] for row in rows], float), np.array([row[1] / 12 for row in rows])
    expected = IsotonicRegression().fit(pd, y).predict(pd)
    assert np.allclose(isotonic(y, pd), expected)


def dated(rows: int = 12_000) -> Table:
    """A year in which defaults become more frequent month by month."""
    rng = np.random.default_rng(9)
    month = np.sort(rng.integers(1, 13, rows))
    columns, _ = shop(rows, seed=10)
    log_odds = -2.4 + 0.12 * month + 0.9 * columns["late"] - 0.004 * columns["spent"]
    y = (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(float)
    times = np.array([f"2025-{m:02d}-15" for m in month], dtype=object)
    customers = np.array([f"c{row}" for row in rng.integers(0, rows // 2, rows)], dtype=object)
    return Table({**columns, "when": times, "who": customers, "bad": y})


def test_training_calibrates_on_later_rows_of_other_customers():
    table = dated()
    plain = train(table, target="bad", time_column="when", group_column="who")
    found = train(table, target="bad", time_column="when", group_column="who", calibrate=0.3)
    told = found.report["calibration"]
    assert found.report["split"]["calibration"] == told["rows"]
    assert tuple(told["period"]) == found.artefact.trained.calibrated.period
    assert found.report["hash"] == found.artefact.hash
    assert told["after"]["brier"]["value"] <= told["before"]["brier"]["value"]
    assert told["isotonic_brier"] <= told["after"]["brier"]["value"]
    # The level of the months held out is nearer to that of the window than to that of the whole year.
    gaps = [abs(one.holdout.pd.mean() - one.holdout.y.mean()) for one in (plain, found)]
    assert gaps[1] < 0.7 * gaps[0]


def test_without_a_time_there_is_no_later_window():
    table = dated(3000)
    with pytest.raises(UnableToTrain, match="--time"):
        train(table, target="bad", calibrate=0.3)
    with pytest.raises(UnableToTrain, match="between 0 and 1"):
        train(table, target="bad", time_column="when", calibrate=30)
