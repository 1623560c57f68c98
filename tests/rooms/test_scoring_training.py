"""Training: exact tables, honest hold-outs, and plain words where the data can not give a model."""

from __future__ import annotations

import itertools
from datetime import date

import numpy as np
import pytest

from shouxin.kernel import Bilingual
from shouxin.scoring import (
    Artefact,
    Table,
    UnableToTrain,
    evaluate,
    evaluate_table,
    reasons,
    score_columns,
    score_one,
    train,
    train_columns,
)
from shouxin.scoring.domain.families import Tables, Term
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.metrics import auc, calibration_line
from shouxin.scoring.training import boosting, cross_fitting
from shouxin.scoring.training.boosting import EBM
from shouxin.scoring.training.cross_fitting import cross_fitted, spoken_out
from shouxin.scoring.training.learners import Fitted, Task
from shouxin.scoring.training.preparation import Variable


def shop(rows: int = 1500, *, seed: int = 3) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Customers whose default follows lateness, a special code, a channel and a pair of features."""
    rng = np.random.default_rng(seed)
    late = rng.poisson(0.8, rows).astype(float)
    late[rng.random(rows) < 0.1] = -9.0
    late[rng.random(rows) < 0.05] = np.nan
    channel = rng.choice(
        np.array(["app", "web", "store", None], dtype=object), rows, p=[0.5, 0.3, 0.15, 0.05]
    )
    left, right = rng.normal(size=(2, rows))
    odds = -1.4 + 0.7 * np.where(late == -9, 1.2, np.nan_to_num(late)) + 0.6 * left * right
    odds += np.where(channel == "web", 0.8, 0.0)
    y = (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    return {"late": late, "channel": channel, "left": left, "right": right}, y


def table(**changes) -> Table:
    columns, y = shop()
    return Table({**columns, "bad": y.astype(float), **changes})


def test_the_ebm_tables_say_what_the_trees_say(monkeypatch):
    columns, y = shop()
    columns["odd"] = np.where(np.arange(1500) % 7 == 0, np.nan, columns["left"])
    seen = []
    fit = boosting._Boosting._fit

    def watched(self, learning, groups, **options):
        booster = fit(self, learning, groups, **options)
        seen.append((self.matrix, booster))
        return booster

    monkeypatch.setattr(boosting._Boosting, "_fit", watched)
    monkeypatch.setattr(cross_fitting, "EVENTS_FEW", 0)
    settings = {"bags": 2, "learning_rate": 0.1, "pairs": 3}
    kept = ("special", (-9,)), ("directions", {"late": 1}), ("settings", settings)
    trained = train_columns(columns, y, model="ebm", **dict(kept))
    matrix, margins = seen[-1][0], [booster.predict(seen[-1][0], raw_score=True) for _, booster in seen[-2:]]
    scored = score_columns(trained.artefact, columns)
    rounding = 0.5e-6 * (len(trained.artefact.body.terms) + 1)
    assert len(matrix) == 1500
    assert np.abs(scored.log_odds / 1e6 - np.mean(margins, axis=0)).max() < rounding
    assert any(len(term.features) == 2 for term in trained.artefact.body.terms)
    for row in range(50):
        one = score_one(trained.artefact, {name: values[row] for name, values in columns.items()})
        assert (one.points, one.pd, one.log_odds) == (
            scored.points[row],
            scored.pd[row],
            scored.log_odds[row],
        )


def test_the_ebm_keeps_declared_directions_in_tables_of_one_and_of_two():
    columns, y = shop()
    directions = {"late": 1, "left": -1}
    settings = {"bags": 2, "learning_rate": 0.1}
    trained = train_columns(
        columns, y, model="ebm", special=(-9,), directions=directions, settings=settings
    ).artefact
    paired = {i for term in trained.body.terms if len(term.features) == 2 for i in term.features}
    declared = {trained.names.index(name): sign for name, sign in directions.items()}
    assert paired & set(declared), "a declared direction does not keep a feature out of a table of two"
    for term in trained.body.terms:
        own = [trained.features[i] for i in term.features]
        sizes = [own[0].slots] if len(own) == 1 else [feature.pair_slots for feature in own]
        table = np.array(term.scores).reshape(sizes)
        for axis, place in enumerate(term.features):
            if place in declared:
                edges = own[axis].edges if len(own) == 1 else own[axis].pair_edges
                regular = np.moveaxis(table, axis, 0)[: len(edges) + 1]
                assert (declared[place] * np.diff(regular, axis=0) >= 0).all()


def test_tables_of_two_say_nothing_of_one_alone():
    columns, y = shop()
    trained = train_columns(
        columns, y, model="ebm", special=(-9,), settings={"bags": 1, "learning_rate": 0.1, "pairs": 1}
    ).artefact
    (pair,) = [term for term in trained.body.terms if len(term.features) == 2]
    places = [trained.features[i] for i in pair.features]
    assert {feature.name for feature in places} == {"left", "right"}
    slots = [np.searchsorted(f.pair_edges, columns[f.name], side="right") for f in places]
    told = np.array(pair.scores).reshape([f.pair_slots for f in places])[slots[0], slots[1]]
    for own in slots:
        rows = np.bincount(own)
        means = np.bincount(own, weights=told)[rows > 0] / rows[rows > 0]
        assert np.abs(means).max() < 0.02 * np.abs(told).max()


def test_the_same_seed_gives_the_same_model():
    columns, y = shop()
    first, second = (train_columns(columns, y, special=(-9,)) for _ in range(2))
    assert first.artefact.hash == second.artefact.hash


def test_the_average_customer_is_the_reference():
    columns, y = shop()
    trained = train_columns(columns, y, special=(-9,))
    scored = score_columns(trained.artefact, columns)
    assert abs(scored.log_odds.mean() - scored.reference_log_odds) < len(trained.artefact.body.terms)
    assert abs(scored.pd.mean() - y.mean()) < 1e-3


def test_a_scorecard_has_only_positive_weights_and_keeps_directions():
    columns, y = shop()
    trained = train_columns(columns, y, directions={"late": "higher_is_riskier"}, special=(-9,))
    # A variable that only a cross reads has no weight of its own.
    used = [v for v in trained.report["variables"] if v["weight"] is not None]
    assert used and all(variable["weight"] > 0 for variable in used)
    late = next(v for v in used if v["name"] == "late")
    regular = late["woe"][: len(late["edges"]) + 1]
    assert all(a < b for a, b in itertools.pairwise(regular))


def test_a_scorecard_crosses_what_two_variables_say_only_together():
    columns, y = shop(4_000)
    plain, crossed = (
        train_columns(columns, y, special=(-9,), directions={"late": 1}, settings={"crosses": most})
        for most in (0, 8)
    )
    assert all(len(term.features) == 1 for term in plain.artefact.body.terms)
    names = [
        {crossed.artefact.names[i] for i in term.features}
        for term in crossed.artefact.body.terms
        if len(term.features) == 2
    ]
    assert {"left", "right"} in names and not any("late" in pair for pair in names)
    fresh, happened = shop(8_000, seed=4)
    areas = [auc(happened, score_columns(m.artefact, fresh).log_odds.astype(float)) for m in (plain, crossed)]
    assert areas[1] > areas[0] + 0.02
    assert Artefact.from_json(crossed.artefact.to_json()) == crossed.artefact


def test_a_card_with_crosses_reads_no_more_variables_than_any():
    rng = np.random.default_rng(9)
    columns = {f"x{i}": rng.normal(size=6_000) for i in range(30)}
    odds = sum(columns[f"x{i}"] * columns[f"x{i + 1}"] for i in range(0, 30, 2)) + 2 * columns["x0"] - 1
    y = (rng.random(6_000) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    trained = train_columns(columns, y, settings={"crosses": 15}).artefact
    assert len(trained.names) <= 15 and any(len(term.features) == 2 for term in trained.body.terms)


def test_meanings_are_told_in_the_reasons():
    columns, y = shop()
    meaning = {"late": Bilingual("逾期次数", "late payments")}
    trained = train_columns(columns, y, meanings=meaning, special=(-9,))
    row = {"late": 5.0, "channel": "web", "left": 0.0, "right": 0.0}
    assert (
        reasons(trained.artefact, score_one(trained.artefact, row))[0].text.zh == "逾期次数为 5，高于常见水平"
    )


def test_the_figures_are_about_rows_that_were_held_out():
    trained = train(table(), target="bad", special=(-9,))
    held = trained.holdout
    assert trained.report["split"]["holdout"] == len(held.rows) == trained.report["holdout"]["n"] == 450
    assert trained.artefact.trained.rows == 1050
    rows = table().rows(held.rows)
    assert evaluate_table(trained.artefact, rows, target="bad").as_data() == trained.report["holdout"]
    assert trained.report["holdout"]["auc"]["value"] > 0.65


def test_with_a_time_column_the_latest_rows_are_held_out():
    days = np.array([f"2025-{1 + i % 10:02d}-15" for i in range(1500)], dtype=object)
    trained = train(table(day=days), target="bad", time_column="day")
    assert set(days[trained.holdout.rows]) == {"2025-08-15", "2025-09-15", "2025-10-15"}
    assert trained.artefact.trained.period == ("2025-01-15", "2025-10-15")
    assert "day" not in trained.artefact.names


def test_groups_are_never_on_both_sides():
    people = np.arange(1500) % 300
    times = np.arange(1500.0)
    for options in ({}, {"time_column": "t"}):
        trained = train(table(who=people.astype(float), t=times), target="bad", group_column="who", **options)
        split = trained.report["split"]
        assert split["training"] + split["holdout"] + split["left_out"] == 1500
        assert split["left_out"] == 0 or options
        held = set(people[trained.holdout.rows].tolist())
        assert 0.2 < len(held) / 300 < 0.4


def test_rows_without_a_target_are_left_out_and_counted():
    bad = table().columns["bad"].copy()
    bad[:100] = np.nan
    trained = train(table(bad=bad), target="bad")
    assert trained.report["split"]["without_target"] == 100
    assert trained.holdout.rows.min() >= 100


def words(*choices: str) -> np.ndarray:
    return np.array(choices, dtype=object)[table().columns["bad"].astype(int)]


@pytest.mark.parametrize(
    "pair", [("no", "yes"), ("Good", "Bad"), ("false", "true"), ("FALSE", "TRUE"), ("0", "1")]
)
def test_two_plain_words_are_understood_as_a_target(pair):
    numbers = train(table(), target="bad")
    assert train(table(bad=words(*pair)), target="bad").artefact.hash == numbers.artefact.hash


LEAK = "leak: 'after' .* tells the target all by itself"


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({}, {"target": "bda"}, "there is no column 'bda'; did you mean 'bad'?"),
        ({}, {"id_column": "nr"}, "there is no column 'nr'"),
        ({}, {"target": "channel"}, "'channel' has 3 different values"),
        ({"bad": np.ones(1500)}, {}, "'bad' is 1 in every row"),
        ({"bad": np.full(1500, np.nan)}, {}, "'bad' is empty in every row"),
        (
            {"bad": np.arange(1500) % 2 + 1.0},
            {},
            "'bad' is '1' or '2', which does not say which is the event",
        ),
        ({"bad": words("paid", "unpaid")}, {}, "'paid' or 'unpaid', .* write 1 for the event"),
        ({"bad": (np.arange(1500) < 9) * 1.0}, {}, "at least 20 of each are needed"),
        ({"after": table().columns["bad"] * 3.0}, {}, LEAK),
        ({"after": np.where(table().columns["bad"] == 1, np.nan, 4.0)}, {}, LEAK),
        ({"after": words("x", "y")}, {}, LEAK),
        ({"when": words("soon", "later")}, {"time_column": "when"}, "texts that are no dates"),
        ({}, {"model": "oracle"}, "there is no model 'oracle'"),
    ],
)
def test_what_can_not_be_trained_says_why(columns, options, said):
    with pytest.raises(UnableToTrain, match=said):
        train(table(**columns), **{"target": "bad", **options})


@pytest.mark.parametrize(
    "layout", ["%d/%m/%Y %H:%M", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日", "%d-%b-%Y", "%b-%Y", "%Y%m", "%YQ1"]
)
def test_a_time_may_be_written_as_people_write_it(layout):
    days = [date(2020 + row // 300, 1 + row % 12, 1 + row % 28) for row in range(1500)]
    trained = train(
        table(when=np.array([day.strftime(layout) for day in days], dtype=object)),
        target="bad",
        time_column="when",
    )
    assert trained.report["split"]["kind"].startswith("the latest rows")
    assert trained.holdout.rows.min() >= 900


def test_a_leak_stays_when_someone_says_why():
    leaking = table(after=table().columns["bad"] * 2 + np.arange(1500) % 2)
    trained = train(leaking, target="bad", keep={"after": "asked at the till"})
    assert trained.report["leaks"][0]["kept_because"] == "asked at the till"
    assert "after" in trained.artefact.names


def test_columns_that_say_nothing_are_dropped_with_a_reason():
    more = table(
        empty=np.full(1500, np.nan),
        same=np.full(1500, 5.0),
        running=np.arange(1500.0)[::-1],
        names=np.array([f"n{i}" for i in range(1500)], dtype=object),
        customer_id=np.random.default_rng(2).permutation(99_999)[:1500] * 1.0,
        mixed=np.array([*(str(i) for i in range(1499)), "unknown"], dtype=object),
        noise=np.random.default_rng(1).normal(size=1500),
        late2=table().columns["late"] * 2,
    )
    trained = train(more, target="bad", special=(-9, -18))
    reason = {dropped["name"]: dropped["reason"] for dropped in trained.report["dropped"]}
    assert reason["empty"] == "no value in any row"
    assert reason["same"] == "the same value in every row"
    assert reason["running"].startswith("a running number of the rows")
    assert reason["customer_id"].startswith("a running number")
    assert "numbers, but for 1 different texts" in reason["mixed"]
    assert "names or dates" in reason["names"]
    assert {"late", "late2"} & set(reason)
    assert trained.report["holdout"]["n"] == 450


def test_infinite_values_neither_stop_training_nor_scoring():
    columns, y = shop()
    columns["late"][:3] = np.inf
    trained = train_columns(columns, y, special=(-9,))
    assert np.isfinite(score_columns(trained.artefact, columns).pd).all()


def few_events(random, count):
    columns = {f"x{i}": random.normal(size=count) for i in range(12)}
    log_odds = -2.6 + 0.9 * columns["x0"] + 0.6 * columns["x1"]
    return columns, (random.random(count) < 1 / (1 + np.exp(-log_odds))).astype(int)


def test_a_card_of_few_events_is_not_too_sure_of_itself():
    """Slopes on forty thousand new customers, over four samples of eight hundred and about eighty events."""
    random = np.random.default_rng(8)
    fresh, happened = few_events(random, 40_000)
    slopes = [
        evaluate(
            happened, score_columns(train_columns(*few_events(random, 800)).artefact, fresh).pd
        ).slope.value
        for _ in range(4)
    ]
    assert 0.75 < np.mean(slopes) < 1.35


def naive(task):
    """Every variable by the weights of evidence that its own bins gave it, all of them added up."""
    from shouxin.scoring.training.scorecard import _feature, _term

    binnings = [variable.binned(task.y) for variable in task.kept]
    features = tuple(
        _feature(variable, binning, main=True, paired=False)
        for variable, binning in zip(task.kept, binnings, strict=True)
    )
    terms = tuple(_term(place, binning, 1.0) for place, binning in enumerate(binnings))
    return Fitted(features, Tables(terms), -2_600_000, [], {}, [])


def test_what_was_luck_on_few_events_is_taken_back():
    random = np.random.default_rng(8)
    fresh, happened = few_events(random, 40_000)
    before, after = [], []
    for _ in range(3):
        columns, y = few_events(random, 800)
        task = Task([Variable(name, values, numeric=True) for name, values in columns.items()], y, 7, {})
        fitted = naive(task)
        taken_back = cross_fitted(naive, task, fitted)
        assert any("cross-fitted on" in note for note in taken_back.notes)
        for model, slopes in ((fitted, before), (taken_back, after)):
            slopes.append(slope_of(model, fresh, happened))
    assert np.mean(before) < 0.9 < np.mean(after) < 1.35


@pytest.mark.parametrize(("customers", "low", "high"), [(7_500, 1.2, 1.43), (500, 0.98, 1.08)])
def test_a_timid_model_says_all_that_it_knows_as_far_as_the_events_tell(customers, low, high):
    """It says seven tenths of the truth. Of many events most of it comes back, of few next to nothing."""
    random, after = np.random.default_rng(4), []
    for _ in range(6):
        columns, y = one_truth(random, customers)
        task = Task([Variable("x", np.repeat(columns["x"], 3), numeric=True)], np.repeat(y, 3), 7, {},
                    np.repeat(np.arange(customers), 3))  # fmt: skip
        model = timid(columns["x"])
        spoken = spoken_out(
            lambda task, fitted: log_odds_of(fitted, {"x": task.kept[0].values}) * 1e6, task, model
        )
        assert "scaled by" in spoken.notes[-1]
        assert sigmoid_of(spoken, columns).mean() == pytest.approx(y.mean(), rel=1e-3)
        after.append(slope_of(model, columns, y) / slope_of(spoken, columns, y))
    assert low < np.mean(after) < high


def one_truth(random, rows):
    x = np.round(random.normal(size=rows), 1)
    return {"x": x}, (random.random(rows) < 1 / (1 + np.exp(3.6 - x))).astype(int)


def timid(x):
    """One table that says 0.7 where the truth is 1."""
    edges = tuple(np.arange(-3.95, 4.0, 0.1).round(2).tolist())
    slots = np.searchsorted(edges, x, side="right")
    rows = tuple(np.bincount(slots, minlength=len(edges) + 2).tolist())
    scores = tuple(round(0.7e6 * (-4.0 + 0.1 * slot)) for slot in range(len(edges) + 1))
    feature = Feature(name="x", type="numeric", rows=rows, edges=edges)
    return Fitted((feature,), Tables((Term((0,), (*scores, 0), 0),)), -3_400_000, [], {}, [])


def test_an_ebm_run_again_does_not_know_whom_it_is_asked_about():
    random = np.random.default_rng(6)
    columns = {f"x{number}": np.repeat(random.normal(size=400), 4) for number in range(6)}
    y = np.repeat(random.permutation(np.arange(400) < 60), 4).astype(int)
    whose = np.repeat(np.arange(400), 4)
    task = Task([Variable(name, v, numeric=True) for name, v in columns.items()], y, 7, EBM.defaults, whose)
    fitted = EBM.fit(task)
    assert auc(y, log_odds_of(fitted, columns)) > 0.6
    # There is nothing to know: rows of a customer who was learnt from would give it away.
    assert auc(y, EBM.apart(task, fitted)) < 0.56


def log_odds_of(model, columns):
    scorer = model.body.scorer(model.features)
    ready = scorer.prepared([columns[feature.name] for feature in model.features])
    return (scorer.deltas_of_rows(ready).sum(axis=0) + scorer.reference + model.intercept) / 1e6


def sigmoid_of(model, columns):
    return 1 / (1 + np.exp(-log_odds_of(model, columns)))


def slope_of(model, columns, y):
    return calibration_line(y.astype(float), log_odds_of(model, columns))[1]


def test_with_many_events_nothing_is_run_again():
    columns, y = shop()
    many = {name: np.tile(values, 6) for name, values in columns.items()}
    trained = train_columns(many, np.tile(y, 6), special=(-9,))
    assert not any("cross-fitted" in note for note in trained.report["notes"])
