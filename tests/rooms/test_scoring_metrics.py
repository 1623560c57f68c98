"""The figures, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from shouxin.scoring import UnableToEvaluate, evaluate
from shouxin.scoring.domain.metrics import calibration_line, slope_error


def sample(rows: int = 3000, *, seed: int = 1, decimals: int = 9):
    rng = np.random.default_rng(seed)
    pd = np.round(1 / (1 + np.exp(1.5 - rng.normal(size=rows))), decimals)
    return (rng.random(rows) < pd).astype(int), pd


@pytest.mark.parametrize("decimals", [9, 1])
def test_the_figures_are_those_of_others(decimals):
    y, pd = sample(decimals=decimals)
    found = evaluate(y, pd)
    assert found.auc.value == pytest.approx(roc_auc_score(y, pd), abs=1e-12)
    assert found.gini.value == pytest.approx(2 * roc_auc_score(y, pd) - 1, abs=1e-12)
    assert found.ks.value == pytest.approx(ks_2samp(pd[y == 1], pd[y == 0]).statistic, abs=1e-12)
    assert found.brier.value == pytest.approx(brier_score_loss(y, pd), abs=1e-12)
    if decimals == 9:
        logit = np.log(pd / (1 - pd))[:, None]
        slope = LogisticRegression(C=1e9, tol=1e-10).fit(logit, y).coef_[0, 0]
        assert found.slope.value == pytest.approx(slope, abs=1e-4)
    for interval in (found.auc, found.ks, found.gini, found.brier, found.slope):
        assert interval.low <= interval.value <= interval.high


def test_the_intervals_hold_the_truth_about_as_often_as_they_say():
    """The true AUC of these figures is that of very many rows; 40 intervals at 95 % miss it rarely."""
    truth = roc_auc_score(*sample(400_000, seed=99))
    inside = [(found := evaluate(*sample(600, seed=s))).auc.low <= truth <= found.auc.high for s in range(40)]
    slopes = [(found := evaluate(*sample(600, seed=s))).slope.low <= 1 <= found.slope.high for s in range(40)]
    assert sum(inside) >= 34
    assert sum(slopes) >= 34


def test_the_same_seed_gives_the_same_intervals():
    y, pd = sample()
    assert evaluate(y, pd) == evaluate(y, pd)
    assert evaluate(y, pd).as_data().keys() == {"n", "event_rate", "auc", "ks", "gini", "brier", "slope"}


def test_predictions_that_say_nothing_or_everything():
    y = np.array([0, 1] * 50)
    flat = evaluate(y, np.full(100, 0.5))
    assert flat.auc.value == 0.5
    assert flat.as_data()["slope"] == {"value": None, "low": None, "high": None}
    perfect = evaluate(y, y * 1.0)
    assert (perfect.auc.value, perfect.ks.value, perfect.brier.value) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("y", "pd", "said"),
    [
        ([], [], "0 outcomes"),
        ([1, 1], [0.1, 0.2], "both outcomes"),
        ([0, 2], [0.1, 0.2], "both outcomes"),
        ([0, 1], [0.1, 1.2], "probabilities"),
        ([0, 1], [0.1, float("nan")], "probabilities"),
        ([0, 1], [0.1], "2 outcomes and 1 predictions"),
    ],
)
def test_what_can_not_be_measured_says_why(y, pd, said):
    with pytest.raises(UnableToEvaluate, match=said):
        evaluate(y, pd)


@pytest.mark.parametrize("seed", [129, 372])
def test_rounding_never_hides_a_slope(seed):
    """On these rows the likelihood stops rising in its last digit before the steps are as small as can be."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-3.8, 1.3, 8000)
    y = (rng.random(8000) < 1 / (1 + np.exp(-logit))).astype(float)
    _, slope = calibration_line(y, logit)
    fitted = LogisticRegression(C=1e9, tol=1e-10).fit(logit[:, None], y)
    assert slope == pytest.approx(fitted.coef_[0, 0], abs=1e-5)


def test_the_error_of_a_slope_is_how_far_slopes_lie_apart():
    """Customers of five equal rows: by rows the error would be told 2.2 times too small."""
    slopes, errors, naive = [], [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        logit = rng.normal(-2.0, 1.0, 600)
        y = np.repeat((rng.random(600) < 1 / (1 + np.exp(-logit))).astype(float), 5)
        logit, groups = np.repeat(logit, 5), np.repeat(np.arange(600), 5)
        line = calibration_line(y, logit)
        slopes.append(line[1])
        errors.append(slope_error(y, logit, at=line, groups=groups))
        naive.append(slope_error(y, logit, at=line, groups=None))
    assert np.mean(errors) == pytest.approx(np.std(slopes), rel=0.15)
    assert np.mean(errors) == pytest.approx(np.sqrt(5) * np.mean(naive), rel=0.02)
