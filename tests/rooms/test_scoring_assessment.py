"""Assessing: the figures against scikit-learn and by hand, segments, mistakes, and what can not be judged."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
)

from shouxin.scoring import (
    Given,
    Judging,
    Table,
    UnableToEvaluate,
    assess_table,
    clustered_rate_interval,
    evaluate,
    performance,
    train_columns,
)
from shouxin.scoring.domain.assessment.lines import calibration_table, curves, gains_table, rate_interval
from shouxin.scoring.domain.assessment.segments import segmentation


def sample(rows: int = 4000, *, seed: int = 1, decimals: int = 9):
    rng = np.random.default_rng(seed)
    pd = np.round(1 / (1 + np.exp(1.5 - rng.normal(size=rows))), decimals)
    return (rng.random(rows) < pd).astype(float), pd


@pytest.mark.parametrize("decimals", [9, 2])
def test_the_figures_are_those_of_others(decimals):
    y, pd = sample(decimals=decimals)
    found = performance(y, pd, given=Given(pd=0.3))
    figures, called = found.figures, pd >= 0.3
    assert figures["accuracy"].value == pytest.approx(accuracy_score(y, called))
    assert figures["precision"].value == pytest.approx(precision_score(y, called))
    assert figures["recall"].value == pytest.approx(recall_score(y, called))
    assert figures["f1"].value == pytest.approx(f1_score(y, called))
    assert figures["log_loss"].value == pytest.approx(log_loss(y, pd), rel=1e-6)
    assert figures["average_precision"].value == pytest.approx(average_precision_score(y, pd))
    assert figures["approved"].value == pytest.approx((~called).mean())
    assert figures["approved_event_rate"].value == pytest.approx(y[~called].mean())
    for name, interval in figures.items():
        assert interval.low <= interval.value <= interval.high, name


def test_the_brier_score_falls_apart_exactly():
    y, pd = sample()
    found = performance(y, pd)
    part = {name: interval.value for name, interval in found.figures.items()}
    whole = part["reliability"] - part["resolution"] + part["uncertainty"] + part["within_bins"]
    assert whole == pytest.approx(found.evaluation.brier.value, abs=1e-12)
    assert part["uncertainty"] == pytest.approx(y.mean() * (1 - y.mean()))


def test_probabilities_that_are_right_are_called_so_and_wrong_ones_not():
    y, pd = sample(40_000)
    right = performance(y, pd).figures
    assert right["calibration_in_the_large"].low < 0 < right["calibration_in_the_large"].high
    assert right["observed_over_expected"].low < 1 < right["observed_over_expected"].high
    log_odds = np.log(pd / (1 - pd)) + 0.5
    wrong = performance(y, 1 / (1 + np.exp(-log_odds))).figures
    assert wrong["calibration_in_the_large"].value == pytest.approx(
        right["calibration_in_the_large"].value - 0.5, abs=1e-6
    )
    assert wrong["ece"].low > right["ece"].high


def test_capture_and_lift_by_hand():
    y, pd = np.zeros(100), np.linspace(0.99, 0.0, 100)
    y[[0, 1, 2, 50]] = 1
    figures = performance(y, pd).figures
    assert figures["capture_5"].value == pytest.approx(0.75)
    assert figures["lift_5"].value == pytest.approx(15.0)
    assert figures["capture_20"].value == pytest.approx(0.75)
    # Where all are alike the riskiest tenth is any tenth.
    flat = performance(y, np.full(100, 0.04)).figures
    assert flat["capture_10"].value == pytest.approx(0.1)


def test_a_cut_off_is_chosen_in_the_way_that_was_asked():
    y, pd = sample()
    assert performance(y, pd, given=Given(approve=0.8)).figures["approved"].value == pytest.approx(0.8)
    assert performance(y, pd, given=Given(cost=4)).cut_off.pd == pytest.approx(0.2)
    as_many = performance(y, pd)
    assert as_many.cut_off.chosen == "as many as there are"
    assert 1 - as_many.figures["approved"].value == pytest.approx(y.mean(), abs=1e-3)
    with pytest.raises(UnableToEvaluate, match="in one way"):
        Given(pd=0.2, cost=3)
    with pytest.raises(UnableToEvaluate, match="between 0 and 1"):
        Given(approve=80)


def test_intervals_are_about_customers_where_rows_repeat():
    y, pd = sample(1500)
    groups = np.arange(1500)
    many = [np.tile(values, 4) for values in (y, pd, groups)]
    once = performance(y, pd)
    naive = performance(many[0], many[1])
    grouped = performance(many[0], many[1], groups=many[2])
    for name in ("auc", "ks", "brier", "slope"):
        wide = [_width(getattr(one.evaluation, name)) for one in (once, naive, grouped)]
        assert wide[1] < 0.7 * wide[0], name
        assert wide[2] == pytest.approx(wide[0], rel=0.25), name
    assert grouped.customers == 1500
    assert _width(grouped.figures["recall"]) == pytest.approx(_width(once.figures["recall"]), rel=0.25)
    # One row a customer is no grouping at all.
    alone = evaluate(y, pd, groups=groups)
    assert alone.auc.high - alone.auc.low == pytest.approx(_width(once.evaluation.auc), rel=0.01)


def _width(interval):
    return interval.high - interval.low


def test_tables_and_curves_add_up():
    y, pd = sample(decimals=2)
    calibrated, gains = calibration_table(y, pd), gains_table(y, pd)
    for lines in (calibrated, gains):
        assert sum(line.rows for line in lines) == len(y)
        assert sum(line.events for line in lines) == y.sum()
    assert [line.foretold for line in calibrated] == sorted(line.foretold for line in calibrated)
    assert gains[-1].captured == pytest.approx(1) and gains[-1].lift == pytest.approx(1)
    # Rows of equal probability are never parted.
    assert all(first.pd_low > second.pd_high for first, second in itertools.pairwise(gains))
    found = curves(y, pd)
    for line in (found.roc, found.gains):
        assert line[0] == (0.0, 0.0) and line[-1] == (1.0, 1.0)
        assert list(line) == sorted(line)


def test_wilson_by_hand():
    found = rate_interval(np.array([1.0] * 2 + [0.0] * 8))
    assert (found.low, found.high) == pytest.approx((0.0567, 0.5098), abs=1e-3)
    assert np.isnan(rate_interval(np.array([])).value)


def test_segments_tell_what_each_can_carry_and_who_is_approved_less():
    rng = np.random.default_rng(4)
    y, pd = sample(6000)
    names = rng.choice(["app", "web"], 6000).astype(object)
    names[:20] = "kiosk"
    harsh = np.where(names == "web", np.minimum(pd * 1.8, 1), pd)
    found = segmentation("channel", names.tolist(), y, harsh, cut_off=0.35)
    lines = {line.name: line for line in found.lines}
    assert found.below_four_fifths == ("web",)
    assert lines["app"].approval_ratio.value == 1
    assert lines["kiosk"].evaluation is None and "20 rows" in lines["kiosk"].why_not
    assert lines["kiosk"].approval_ratio is None
    assert lines["web"].fpr.low > lines["app"].fpr.high
    assert segmentation("channel", names.tolist(), y, pd, cut_off=0.35).below_four_fifths == ()
    with pytest.raises(UnableToEvaluate, match="60 at most"):
        segmentation("row", [str(i) for i in range(6000)], y, pd, cut_off=0.3)


@pytest.fixture(scope="module")
def judged():
    rng = np.random.default_rng(8)
    late, spent = rng.poisson(1.0, 3000).astype(float), rng.exponential(100, 3000)
    late[::9] = np.nan
    y = (rng.random(3000) < 1 / (1 + np.exp(2.5 - np.nan_to_num(late)))).astype(float)
    model = train_columns({"late": late, "spent": spent}, y).artefact
    columns = {
        "late": late, "spent": spent, "bad": y,
        "month": np.array([f"2026-0{1 + row % 3}-15" for row in range(3000)], dtype=object),
        "customer": np.array([f"c{row // 2}" for row in range(3000)], dtype=object),
        "channel": rng.choice(np.array(["app", "web", None], dtype=object), 3000),
    }  # fmt: skip
    judging = Judging("bad", row_id="customer", time="month", group="customer", segments=("channel",))
    return model, Table(columns), judging, assess_table(model, Table(columns), judging)


def test_a_table_is_judged_by_month_segment_and_thickness(judged):
    found = judged[3].as_data()
    parts = {part["column"]: [line["name"] for line in part["groups"]] for part in found["segments"]}
    assert parts["month"] == ["2026-01", "2026-02", "2026-03"]
    assert parts["channel"] == ["(missing)", "app", "web"]
    assert parts.get("file", ["thick", "thin"]) == ["thick", "thin"]
    assert found["performance"]["customers"] == 1500


def test_the_worst_mistakes_say_what_misled(judged):
    found = judged[3]
    worst = found.mistakes
    assert [item.surprise for item in worst] == sorted((item.surprise for item in worst), reverse=True)
    for item in worst:
        sign = 1 if item.event == 0 else -1
        assert all(cause.log_odds * sign > 0 for cause in item.misled_by)
    leading = [item.misled_by[0].feature for item in worst]
    assert leading.count("late") > len(worst) / 2
    for source in found.sources:
        assert sum(item.leads for item in source.features) == source.rows
        assert source.features[0].feature == "late" and source.features[0].pull > 0


def test_a_rate_of_customers_seen_several_times_has_an_interval_that_holds_the_truth():
    """Half of what a customer does is the same at five dates: an interval by rows misses more."""
    truth, by_customer, by_row = 0.03, 0, 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        own = np.repeat(rng.random((400, 1)) < truth, 5, axis=1)
        y = np.where(rng.random((400, 5)) < 0.5, own, rng.random((400, 5)) < truth).astype(float).ravel()
        groups = np.repeat(np.arange(400), 5)
        found, naive = clustered_rate_interval(y, groups), rate_interval(y)
        assert found.low <= found.value <= found.high
        by_customer += found.low <= truth <= found.high
        by_row += naive.low <= truth <= naive.high
    assert by_customer >= 184 > by_row


def test_a_rate_of_nothing_seen_says_how_little_that_is():
    nothing = clustered_rate_interval(np.zeros(500), np.repeat(np.arange(100), 5))
    alone = clustered_rate_interval(np.zeros(100), np.arange(100))
    assert (nothing.value, nothing.low) == (0, 0)
    assert nothing.high == pytest.approx(alone.high)
    assert 0.02 < alone.high < 0.03
    assert np.isnan(clustered_rate_interval(np.zeros(0), np.zeros(0, int)).value)
