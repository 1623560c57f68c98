"""Stress does what it says, an outage empties one source, and gaming finds the cheap way and pays for it."""

from __future__ import annotations

import numpy as np
import pytest

from shouxin.features import Topic
from shouxin.scoring import Judging, Table, examine_table, score_columns, score_one, train_columns
from shouxin.scoring.domain.noise import spread_of
from shouxin.scoring.robustness import GAMING_COSTS, Lever, UnableToGame, beside, game, levers_for, stresses
from shouxin.scoring.robustness.stress import sources_of, with_gaps, with_noise, without
from shouxin.scoring.training.preparation import variables
from shouxin.scoring.training.trees.matrix import matrix_of
from shouxin.scoring.training.trees.noising import with_copies

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


@pytest.fixture(scope="module")
def wavy():
    """Rows whose risk goes up and down along one number, and a little with three others and a category."""
    rng = np.random.default_rng(6)
    columns = {name: rng.normal(size=4_000) for name in ("wave", "a", "b", "c")}
    columns["town"] = rng.choice(np.array(["n", "s", "e"], dtype=object), 4_000)
    columns["a"][::9] = np.nan
    odds = 1.6 * np.sin(5 * columns["wave"]) + 0.5 * (
        np.nan_to_num(columns["a"]) + columns["b"] + columns["c"]
    )
    y = rng.random(4_000) < 1 / (1 + np.exp(1 - odds - 0.5 * (columns["town"] == "s")))
    return columns, y.astype(float)


def test_boosting_trained_on_noise_loses_less_under_noise(wavy):
    columns, y = wavy
    learnt = np.arange(len(y)) < 2_500
    found = {}
    for name in ("lightgbm", "robust_lightgbm"):
        part = {key: values[learnt] for key, values in columns.items()}
        model = train_columns(part, y[learnt], model=name, settings={"bags": 1}).artefact
        later = {key: values[~learnt] for key, values in columns.items()}
        losses = {
            stress.name: stress
            for stress in stresses(model, later, y[~learnt], cut_off=0.3)
            if stress.kind == "noise"
        }
        found[name] = losses
    for level in ("0.25 spreads", "0.5 spreads"):
        plain, robust = found["lightgbm"][level], found["robust_lightgbm"][level]
        assert robust.loss.value < plain.loss.value, level
    # Not because it knew less to begin with: under noise it is the better one.
    assert found["robust_lightgbm"]["0.5 spreads"].auc.value > found["lightgbm"]["0.5 spreads"].auc.value


def test_copies_are_noisy_in_numbers_and_swapped_in_categories(wavy):
    columns, _ = wavy
    kept, _ = variables(
        {**columns, "wave": np.where(columns["wave"] > 2, -9.0, columns["wave"])}, special=[-9]
    )
    matrix = matrix_of(kept)
    rows = np.arange(0, 4_000, 2)
    values, whose = with_copies(matrix, rows, level=0.3, copies=2, rng=np.random.default_rng(1))
    plain = matrix.values[rows]
    assert (
        len(values) == 6_000
        and (whose == np.tile(rows, 3)).all()
        and np.array_equal(values[:2_000], plain, True)
    )
    for copy in (values[2_000:4_000], values[4_000:]):
        names = [(matrix.features[one.feature].name, one.slot) for one in matrix.readings]
        wave, code, a = (names.index(one) for one in (("wave", None), ("wave", 0), ("a", None)))
        towns = [place for place, (name, _) in enumerate(names) if name == "town"]
        assert (np.isnan(copy) == np.isnan(plain)).all() and (copy[:, code] == plain[:, code]).all()
        moved = (copy - plain)[~np.isnan(plain[:, wave]), wave]
        assert moved.std() == pytest.approx(0.3 * spread_of(plain[:, wave]), rel=0.1)
        assert (copy[~np.isnan(copy[:, a]), a] != plain[~np.isnan(plain[:, a]), a]).mean() > 0.9
        assert (copy[:, towns].sum(axis=1) == 1).all()
        assert 0.1 < (copy[:, towns] != plain[:, towns]).any(axis=1).mean() < 0.3
    assert not np.array_equal(values[2_000:4_000], values[4_000:], equal_nan=True)


def test_two_models_stand_beside_each_other_under_every_stress(shop):
    model, columns, y = shop
    topics = {"late": "repayments", "clicks": "activity", "bureau": "external"}
    other = train_columns(columns, y, special=(-9.0,), topics=topics, model="decision_tree").artefact
    months = np.array([f"2026-0{1 + row % 2}-01" for row in range(ROWS)], dtype=object)
    judging, table = Judging("bad", time="when"), Table({**columns, "bad": y, "when": months})
    one, two = (examine_table(each, table, judging, levers=levers_for(each)) for each in (model, other))
    lines = beside(one, two)
    assert {line.kind for line in lines} == {"noise", "missing", "outage", "month", "gaming"}
    assert [line.name for line in lines if line.kind == "month"] == ["2026-01", "2026-02"]
    for line in lines:
        assert line.aucs[1] + line.losses[1] == pytest.approx(two.auc.value)
        assert line.saved == pytest.approx((one.auc.value - line.aucs[0]) - (two.auc.value - line.aucs[1]))
    assert all(line.saved == 0 for line in beside(one, one))
    bare = examine_table(other, Table({**columns, "bad": y}), Judging("bad"), levers=())
    assert {line.kind for line in beside(one, bare)} == {"noise", "missing", "outage"}


def test_who_waits_is_told_how_far_it_is(shop):
    model, columns, y = shop
    told = []
    examine_table(
        model,
        Table({**columns, "bad": y}),
        Judging("bad"),
        levers=levers_for(model),
        progress=lambda done, total: told.append((done, total)),
    )
    done, totals = zip(*told, strict=True)
    assert len(set(totals)) == 1 and done[-1] == totals[0]
    assert list(done) == sorted(done) and len(set(done)) > 10
