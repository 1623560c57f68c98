"""Stress does what it says, an outage empties one source, and gaming finds the cheap way and pays for it."""

from __future__ import annotations

import numpy as np
import pytest

from shouxin.features import Topic
from shouxin.scoring import Judging, Table, examine_table, score_columns, score_one, train_columns
from shouxin.scoring.robustness import GAMING_COSTS, Lever, UnableToGame, game, levers_for
from shouxin.scoring.robustness.stress import sources_of, spread_of, with_gaps, with_noise, without

ROWS = 5000


@pytest.fixture(scope="module")
def shop():
    rng = np.random.default_rng(6)
    columns = {
        "late": rng.poisson(1.0, ROWS).astype(float),
        "clicks": np.round(rng.exponential(30, ROWS)),
        "bureau": rng.normal(600, 60, ROWS),
        "channel": rng.choice(np.array(["app", "web", "shop"], dtype=object), ROWS),
    }
    columns["late"][::11] = -9.0
    columns["bureau"][::7] = np.nan
    late = np.where(columns["late"] == -9, 0, columns["late"])
    log_odds = (
        -3 + 0.8 * late - 0.02 * columns["clicks"] - 0.012 * (np.nan_to_num(columns["bureau"], nan=600) - 600)
    )
    y = (rng.random(ROWS) < 1 / (1 + np.exp(-log_odds - 0.7 * (columns["channel"] == "web")))).astype(float)
    topics = {"late": "repayments", "clicks": "activity", "bureau": "external"}
    model = train_columns(columns, y, special=(-9.0,), topics=topics, model="scorecard").artefact
    return model, columns, y


def test_noise_keeps_kind_range_gaps_and_special_values(shop):
    model, columns, _ = shop
    noisy = with_noise(model, columns, level=0.5, rng=np.random.default_rng(1))
    late = noisy["late"]
    assert ((late == -9) == (columns["late"] == -9)).all()
    assert (late == np.round(late)).all()
    assert (np.isnan(noisy["bureau"]) == np.isnan(columns["bureau"])).all()
    moved = (noisy["bureau"] - columns["bureau"])[~np.isnan(columns["bureau"])]
    assert moved.std() == pytest.approx(0.5 * spread_of(columns["bureau"]), rel=0.1)
    assert noisy["bureau"][~np.isnan(noisy["bureau"])].max() <= np.nanmax(columns["bureau"])
    assert set(noisy["channel"]) == {"app", "web", "shop"}
    assert 0.2 < (noisy["channel"] != columns["channel"]).mean() < 0.45
    same = with_noise(model, columns, level=0.5, rng=np.random.default_rng(1))
    assert (same["late"] == late).all()


def test_gaps_and_outages(shop):
    model, columns, _ = shop
    gaps = with_gaps(model, columns, share=0.2, rng=np.random.default_rng(1))
    assert np.isnan(gaps["clicks"]).mean() == pytest.approx(0.2, abs=0.02)
    assert sum(value is None for value in gaps["channel"]) / ROWS == pytest.approx(0.2, abs=0.02)
    assert sources_of(model)["external"] == ("bureau",) and "channel" in sources_of(model)
    silent = without(model, columns, ("bureau",))
    assert np.isnan(silent["bureau"]).all() and (silent["clicks"] == columns["clicks"]).all()


def test_the_report_tells_what_hurts_most(shop):
    model, columns, y = shop
    months = np.array([f"2026-0{1 + row % 2}-01" for row in range(ROWS)], dtype=object)
    table = Table({**columns, "bad": y, "when": months})
    found = examine_table(model, table, Judging("bad", time="when"), levers=levers_for(model))
    losses = {(stress.kind, stress.name): stress.loss.value for stress in found.stresses}
    assert losses["noise", "0.5 spreads"] > losses["noise", "0.1 spreads"]
    assert losses["missing", "50% of values"] > losses["missing", "5% of values"] > 0
    worst = max((name for kind, name in losses if kind == "outage"), key=lambda name: losses["outage", name])
    assert worst == "repayments"
    for stress in found.stresses:
        assert stress.loss.low <= stress.loss.value <= stress.loss.high
        assert stress.auc.value + stress.loss.value == pytest.approx(found.auc.value)
    assert [line.name for line in found.months.lines] == ["2026-01", "2026-02"]
    again = examine_table(model, table, Judging("bad", time="when"), levers=levers_for(model))
    assert again.as_data() == found.as_data()


def test_gaming_takes_the_cheap_way_and_gets_what_it_pays_for(shop):
    model, columns, y = shop
    levers = levers_for(model)
    assert {lever.feature for lever in levers} == {"late", "clicks"}, "what a bureau says is not for sale"
    pd = score_columns(model, columns).pd
    cut = float(np.quantile(pd, 0.7))
    found = game(model, columns, y, levers, cut_off=cut, rng=np.random.default_rng(2))
    assert next(iter(found.first)) == "clicks"
    let_in = [line.let_in.value for line in found.budgets]
    assert let_in == sorted(let_in) and let_in[0] < let_in[-1]
    aucs = [line.auc for line in found.budgets]
    assert aucs == sorted(aucs, reverse=True)
    assert all(line.points.value >= 0 for line in found.budgets)
    dear = [Lever(lever.feature, lever.cost * 4) for lever in levers]
    costlier = game(model, columns, y, dear, cut_off=cut, rng=np.random.default_rng(2))
    assert costlier.budgets[1].let_in.value <= found.budgets[1].let_in.value
    assert costlier.budgets[-1].auc >= found.budgets[-1].auc


def test_a_way_that_was_found_is_a_way(shop):
    """Whoever is let in at a budget is really below the cut-off with values that others have."""
    model, columns, y = shop
    only = [Lever("late", 1.0)]
    pd = score_columns(model, columns).pd
    cut = float(np.quantile(pd, 0.8))
    found = game(model, columns, y, only, cut_off=cut, rng=np.random.default_rng(2))
    away = np.flatnonzero((y == 1) & (pd >= cut))
    best = [
        min(
            score_one(
                model, {name: _plain(values[row]) for name, values in columns.items()} | {"late": late}
            ).pd
            for late in (*np.unique(columns["late"]), columns["late"][row])
        )
        for row in away
    ]
    could = float((np.array(best) < cut).mean())
    assert found.budgets[-1].let_in.value <= could + 1e-9
    assert found.reached == pytest.approx(could, abs=0.05)


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def test_nobody_games_what_can_not_be_changed(shop):
    model, columns, y = shop
    with pytest.raises(UnableToGame, match="changeable"):
        game(model, columns, y, [], cut_off=0.1, rng=np.random.default_rng(1))
    with pytest.raises(UnableToGame, match="turned away"):
        game(model, columns, y, levers_for(model), cut_off=0.9999, rng=np.random.default_rng(1))
    table = Table({**columns, "bad": y})
    assert "changeable" in examine_table(model, table, Judging("bad"), levers=()).why_not


def test_every_topic_has_a_price_or_none():
    assert set(GAMING_COSTS) == set(Topic)
    assert GAMING_COSTS[Topic.REPAYMENTS] > GAMING_COSTS[Topic.ACTIVITY]
