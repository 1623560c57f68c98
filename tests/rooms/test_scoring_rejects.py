"""Reject inference: each method does what it says, and is measured where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from shouxin.scoring import RejectInference, Table, UnableToTrain, compare_rejects, score_columns, train
from shouxin.scoring.declined import is_declined
from shouxin.scoring.domain.training import Recipe
from shouxin.scoring.training.rejects import METHODS, Declined, fit_with_declined

ROWS = 9000


def applicants(*, seed: int = 1):
    """Applicants; a policy of yesterday looked at ``late`` alone and declined the worse half of it."""
    rng = np.random.default_rng(seed)
    late, spent, age = (
        rng.poisson(1.2, ROWS).astype(float),
        rng.exponential(100, ROWS),
        rng.normal(400, 120, ROWS),
    )
    log_odds = -2.6 + 0.7 * late - 0.006 * spent - 0.003 * (age - 400)
    y = (rng.random(ROWS) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    return {"late": late, "spent": spent, "age": age}, y, (late + rng.normal(0, 0.5, ROWS)) > 1.6


@pytest.fixture(scope="module")
def parted():
    columns, y, away = applicants()
    approved = {name: values[~away] for name, values in columns.items()}
    return approved, y[~away], Declined({name: values[away] for name, values in columns.items()})


@pytest.mark.parametrize("method", METHODS)
def test_each_method_gives_a_model_and_says_what_it_guessed(parted, method):
    columns, y, declined = parted
    found = fit_with_declined(columns, y, declined, Recipe(), method=method)
    told = found.report["reject_inference"]
    assert (told["method"], told["declined"]) == (method, len(declined))
    if method in {"none", "reweighting"}:
        assert found.artefact.trained.rows == len(y)
        assert told["event_rate_guessed"] is None
    else:
        assert found.artefact.trained.rows == len(y) + len(declined)
        assert told["event_rate_guessed"] > y.mean(), "those who were declined looked worse"
    again = fit_with_declined(columns, y, declined, Recipe(), method=method)
    assert again.artefact == found.artefact


def test_reweighting_makes_the_approved_look_like_everybody(parted):
    columns, y, declined = parted
    plain, found = (
        fit_with_declined(columns, y, declined, Recipe(), method=method) for method in ("none", "reweighting")
    )
    late = [dict(zip(m.artefact.names, m.artefact.features, strict=True))["late"] for m in (plain, found)]
    everybody = np.concatenate([columns["late"], declined.columns["late"]])
    # Rows in the riskiest slots of lateness are drawn more often than they stood among the approved.
    shares = [sum(feature.rows[-3:]) / sum(feature.rows) for feature in late]
    assert everybody.mean() > columns["late"].mean()
    assert shares[1] != shares[0] or late[0].typical != late[1].typical


def test_parcelling_takes_the_declined_to_be_worse_than_fuzzy_does(parted):
    columns, y, declined = parted
    rates = {
        method: fit_with_declined(columns, y, declined, Recipe(), method=method).report["reject_inference"]
        for method in ("parcelling", "fuzzy")
    }
    assert rates["parcelling"]["event_rate_guessed"] > rates["fuzzy"]["event_rate_guessed"]


def everybody() -> Table:
    columns, y, away = applicants()
    decision = np.where(away, "declined", "approved").astype(object)
    return Table({**columns, "bad": y.astype(float), "decision": decision})


def test_the_methods_are_measured_where_the_truth_is_known():
    lines = {line.method: line for line in compare_rejects(everybody(), target="bad", decision="decision")}
    assert list(lines) == [*METHODS, "slice", "the truth"]
    assert lines["none"].gain.value == 0
    for method, line in lines.items():
        # No guess is worth what the truth is worth; nothing here may claim to be far above it.
        assert line.everyone.auc.value <= lines["the truth"].everyone.auc.value + 0.01, method
        assert line.gain.low <= line.gain.value <= line.gain.high
    assert 0.7 < lines["the truth"].foretold < 1.3


def test_a_table_with_declined_rows_trains_with_them_and_measures_without():
    whole = everybody()
    hidden = np.where(whole.columns["decision"] == "declined", np.nan, whole.columns["bad"])
    table = Table({**whole.columns, "bad": hidden})
    plain = train(table, target="bad", rejects=RejectInference("none", "decision"))
    found = train(table, target="bad", rejects=RejectInference("fuzzy", "decision"))
    assert found.report["reject_inference"]["declined"] == int(
        (whole.columns["decision"] == "declined").sum()
    )
    assert (found.holdout.rows == plain.holdout.rows).all()
    assert "decision" not in found.artefact.names
    assert np.isfinite(score_columns(found.artefact, whole.select(found.artefact.names)).pd).all()


def test_what_can_not_be_inferred_is_said(parted):
    columns, y, declined = parted
    with pytest.raises(UnableToTrain, match="no reject inference 'magic'"):
        fit_with_declined(columns, y, declined, Recipe(), method="magic")
    few = Declined({name: values[:10] for name, values in declined.columns.items()})
    with pytest.raises(UnableToTrain, match="10 declined rows; 50"):
        fit_with_declined(columns, y, few, Recipe(), method="fuzzy")
    with pytest.raises(UnableToTrain, match="declined rows have a known outcome"):
        compare_rejects(Table({**everybody().columns, "decision": np.full(ROWS, "x", dtype=object)}),
                        target="bad", decision="decision")  # fmt: skip
    told = np.array(["Declined", " reject ", "拒绝", "approve", None], dtype=object)
    assert is_declined(told).tolist() == [True, True, True, False, False]
    assert not is_declined(np.array([1.0, 0.0])).any()
