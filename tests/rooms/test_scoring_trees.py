"""Trees: the same score as the library's own, contributions that are Shapley values, and directions kept."""

from __future__ import annotations

import json
from itertools import chain, combinations
from math import factorial

import msgspec
import numpy as np
import pytest

from shouxin.scoring import (
    Artefact,
    UnableToReadArtefact,
    UnableToTrain,
    score_columns,
    score_one,
    train_columns,
)
from shouxin.scoring.domain.columns import pd_of_columns
from shouxin.scoring.domain.families import Tree, Trees
from shouxin.scoring.domain.families.tree_paths import paths_of
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.training.anomalies import _expected_length
from shouxin.scoring.training.preparation import variables
from shouxin.scoring.training.trees.importing import (
    from_catboost,
    from_lightgbm,
    from_sklearn,
    from_xgboost,
)
from shouxin.scoring.training.trees.matrix import matrix_of
from shouxin.scoring.training.trees.monotone import mended
from shouxin.scoring.training.trees.raw import RawTrees, UnableToImport, last_below, last_rounding_to
from shouxin.scoring.training.trees.writing import written

TREE_MODELS = ("decision_tree", "random_forest", "lightgbm", "robust_lightgbm", "xgboost", "catboost")
# Small enough for a test; what is tested does not depend on it.
BOOSTED = {"bags": 2, "learning_rate": 0.3}
QUICK = {
    "random_forest": {"trees": 15},
    "isolation_forest": {"trees": 15},
    "lightgbm": BOOSTED,
    "robust_lightgbm": {**BOOSTED, "copies": 1, "noise": 0.1},
    "xgboost": BOOSTED,
    "catboost": BOOSTED,
}
NEEDS = {"xgboost": "xgboost", "catboost": "catboost", "blend": "catboost", "stack": "catboost"}


def shop(rows: int = 1200, *, seed: int = 3) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Customers with missing values, a special code and a category; lateness and a pair decide."""
    rng = np.random.default_rng(seed)
    late = rng.poisson(0.8, rows).astype(float)
    late[rng.random(rows) < 0.1] = -9.0
    late[rng.random(rows) < 0.05] = np.nan
    channel = rng.choice(
        np.array(["app", "web", "store", None], dtype=object), rows, p=[0.5, 0.3, 0.15, 0.05]
    )
    left, right = rng.normal(size=(2, rows))
    left[rng.random(rows) < 0.05] = np.nan
    odds = -1.2 + 0.8 * np.where(late == -9, 1.2, np.nan_to_num(late)) + 0.8 * np.nan_to_num(left) * right
    odds += np.where(channel == "web", 0.8, 0.0)
    y = (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    return {"late": late, "channel": channel, "left": left, "right": right}, y


def fitted(model: str, columns, y, **more):
    if model in NEEDS:
        pytest.importorskip(NEEDS[model])
    settings = QUICK.get(model, {}) | more.pop("settings", {})
    return train_columns(columns, y, model=model, special=(-9,), settings=settings, **more).artefact


def prepared_shop():
    columns, y = shop()
    kept, _ = variables(columns, special=(-9.0,))
    return columns, y, matrix_of(kept)


def check_parity(raw: RawTrees, matrix, columns, margin, contributions=None) -> None:
    """Our score is the library's, and our contributions are those that it tells."""
    features, body, intercept = written(raw, matrix)
    assert body.problem(features) is None
    scorer = body.scorer(features)
    ready = scorer.prepared([columns[feature.name] for feature in features])
    sums = scorer.sums_of_rows(ready)
    # Every leaf is rounded to a millionth; XGBoost and CatBoost add up in float32.
    assert np.abs((sums + intercept) / 1e6 - margin).max() < 1e-4
    deltas = scorer.deltas_of_rows(ready)
    assert (deltas.sum(axis=0) + scorer.reference == sums).all()
    if contributions is not None:
        grouped = np.zeros_like(deltas, dtype=float)
        for place, reading in enumerate(matrix.readings):
            grouped[reading.feature] += contributions[:, place]
        # Columns of one feature are one player here, and several to the library.
        alone = [f for f in range(len(features)) if sum(r.feature == f for r in matrix.readings) == 1]
        assert alone
        if len(alone) == len(features):
            assert np.abs(deltas / 1e6 - grouped).max() < 1e-3


def numbers_alone():
    """Every feature one column, so that a library's own contributions can be compared."""
    columns, y = shop()
    columns = {name: values for name, values in columns.items() if name != "channel"}
    kept, _ = variables(columns)
    return columns, y, matrix_of(kept)


@pytest.mark.parametrize("ground", [prepared_shop, numbers_alone])
def test_lightgbm_is_read_exactly(ground):
    lightgbm = pytest.importorskip("lightgbm")
    columns, y, matrix = ground()
    told = {"objective": "binary", "num_leaves": 12, "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(told, lightgbm.Dataset(matrix.values, y), 40)
    check_parity(
        from_lightgbm(booster.dump_model()), matrix, columns, booster.predict(matrix.values, raw_score=True),
        booster.predict(matrix.values, pred_contrib=True)[:, :-1],
    )  # fmt: skip


@pytest.mark.parametrize("ground", [prepared_shop, numbers_alone])
def test_xgboost_is_read_exactly(ground):
    xgboost = pytest.importorskip("xgboost")
    columns, y, matrix = ground()
    data = xgboost.DMatrix(matrix.values, y)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 5, "nthread": 1}, data, 40)
    check_parity(
        from_xgboost(json.loads(bytes(booster.save_raw("json")))), matrix, columns,
        booster.predict(data, output_margin=True), booster.predict(data, pred_contribs=True)[:, :-1],
    )  # fmt: skip


@pytest.mark.parametrize("ground", [prepared_shop, numbers_alone])
def test_catboost_is_read_exactly(ground, tmp_path):
    catboost = pytest.importorskip("catboost")
    columns, y, matrix = ground()
    model = catboost.CatBoostClassifier(
        iterations=40, depth=4, thread_count=1, verbose=False, allow_writing_files=False
    ).fit(matrix.values, y)
    model.save_model(str(tmp_path / "model.json"), format="json")
    check_parity(
        from_catboost(json.loads((tmp_path / "model.json").read_bytes())), matrix, columns,
        model.predict(matrix.values, prediction_type="RawFormulaVal"),
        model.get_feature_importance(catboost.Pool(matrix.values), type="ShapValues")[:, :-1],
    )  # fmt: skip


def test_scikit_learn_is_read_exactly():
    from sklearn.tree import DecisionTreeClassifier

    columns, y, matrix = prepared_shop()
    model = DecisionTreeClassifier(max_depth=6, random_state=1).fit(matrix.values, y)
    rates = model.tree_.value[:, 0, 1]
    raw = RawTrees([from_sklearn(model.tree_, rates)])
    check_parity(raw, matrix, columns, model.predict_proba(matrix.values)[:, 1])


def test_a_value_at_a_float32_threshold_goes_where_the_library_sends_it():
    rng = np.random.default_rng(5)
    thresholds = rng.normal(size=200).astype(np.float32)
    for threshold in thresholds:
        near = float(threshold)
        tries = [near + step * 2.0**-30 * abs(near) for step in range(-40, 41)]
        for value in (*tries, near, np.nextafter(near, -9), np.nextafter(near, 9)):
            assert (np.float32(value) < threshold) == (value <= last_below(threshold))
            assert (np.float32(value) <= threshold) == (value <= last_rounding_to(threshold))


def test_what_can_not_be_read_exactly_is_refused():
    lightgbm = pytest.importorskip("lightgbm")
    _columns, y, matrix = numbers_alone()
    told = {"objective": "binary", "zero_as_missing": True, "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(told, lightgbm.Dataset(matrix.values, y), 3)
    with pytest.raises(UnableToImport, match="zero_as_missing"):
        from_lightgbm(booster.dump_model())
    with pytest.raises(UnableToImport, match="regression"):
        from_lightgbm({"objective": "regression", "tree_info": []})


def random_tree(rng, features, *, nodes: int) -> Tree:
    """Any tree: each new node takes the place of a leaf."""
    children = [[None, None]]
    open_places = [(0, 0), (0, 1)]
    for node in range(1, nodes):
        parent, side = open_places.pop(rng.integers(len(open_places)))
        children.append([None, None])
        children[parent][side] = node
        open_places += [(node, 0), (node, 1)]
    leaf = 0
    for pair in children:
        for side in (0, 1):
            if pair[side] is None:
                pair[side] = ~leaf
                leaf += 1
    asked = rng.integers(len(features), size=nodes)
    return Tree(
        features=tuple(asked.tolist()),
        cuts=tuple(int(rng.integers(1, features[f].regular)) for f in asked),
        others=tuple((features[f].regular,) if rng.random() < 0.5 else () for f in asked),
        left=tuple(pair[0] for pair in children),
        right=tuple(pair[1] for pair in children),
        leaves=tuple(rng.integers(-3_000_000, 3_000_000, nodes + 1).tolist()),
        cover=tuple(rng.integers(1, 50, nodes + 1).tolist()),
    )


def numeric(count: int, *, edges: int = 4, direction: int = 0) -> tuple[Feature, ...]:
    return tuple(
        Feature(f"f{i}", "numeric", (1,) * (edges + 2), tuple(map(float, range(edges))), direction=direction)
        for i in range(count)
    )


def by_hand(tree: Tree, features, slots) -> list[float]:
    """Shapley values by their definition: every order of learning what the features are."""
    paths = paths_of(tree, [feature.slots for feature in features])

    def worth(known) -> float:
        total = 0.0
        for path in paths:
            part = float(path.value)
            for feature, mask in path.masks.items():
                part *= (mask >> slots[feature] & 1) if feature in known else path.shares[feature]
            total += part
        return total

    count = len(features)
    found = []
    for feature in range(count):
        rest = [other for other in range(count) if other != feature]
        sets = chain.from_iterable(combinations(rest, size) for size in range(count))
        found.append(
            sum(
                factorial(len(s)) * factorial(count - len(s) - 1) / factorial(count)
                * (worth({*s, feature}) - worth(set(s)))
                for s in sets
            )
        )  # fmt: skip
    return found


@pytest.mark.parametrize("seed", range(6))
def test_contributions_are_shapley_values(seed):
    rng = np.random.default_rng(seed)
    features = numeric(5)
    tree = random_tree(rng, features, nodes=int(rng.integers(1, 14)))
    scorer = Trees((tree,)).scorer(features)
    for _ in range(5):
        slots = rng.integers(0, 6, 5).tolist()
        values = [None if slot == 5 else slot - 0.5 for slot in slots]
        assert scorer.deltas(values) == pytest.approx(by_hand(tree, features, slots), abs=30)


@pytest.mark.parametrize("seed", range(4))
def test_one_row_and_many_agree_to_the_last_digit(seed):
    rng = np.random.default_rng(seed)
    features = numeric(6)
    body = Trees(tuple(random_tree(rng, features, nodes=20) for _ in range(7)))
    assert body.problem(features) is None
    values = rng.normal(1.5, 2, size=(50, 6))
    values[rng.random((50, 6)) < 0.1] = np.nan
    scorer = body.scorer(features)
    ready = scorer.prepared(list(values.T))
    deltas = scorer.deltas_of_rows(ready)
    assert [scorer.deltas(row) for row in values.tolist()] == deltas.T.tolist()
    assert (scorer.sums_of_rows(ready) == scorer.reference + deltas.sum(axis=0)).all()


def test_the_reference_is_the_mean_of_the_training_rows():
    columns, y = shop()
    artefact = fitted("decision_tree", columns, y)
    scored = score_columns(artefact, columns)
    assert artefact.reference == pytest.approx(scored.log_odds.mean(), abs=2)


@pytest.mark.parametrize("model", [*TREE_MODELS, "isolation_forest", "ecod"])
def test_a_model_is_one_document_that_scores_alike_everywhere(model):
    columns, y = shop(600)
    artefact = Artefact.from_json(fitted(model, columns, y).to_json())
    fresh, _ = shop(80, seed=8)
    fresh["channel"][0] = "never met"
    scored = score_columns(artefact, fresh)
    assert (pd_of_columns(artefact, fresh) == scored.pd).all()
    for row in range(80):
        one = score_one(artefact, {name: values[row] for name, values in fresh.items()})
        assert one.log_odds == scored.log_odds[row]
        assert one.log_odds == one.reference_log_odds + sum(c.log_odds for c in one.contributions)


@pytest.mark.parametrize("model", TREE_MODELS)
def test_a_declared_direction_is_kept_for_every_customer(model):
    columns, y = shop(900)
    noise = np.random.default_rng(1).normal(size=900)
    columns["noise"] = noise - 1.5 * y  # the data say the opposite of what is declared
    artefact = fitted(model, columns, y, directions={"late": 1, "noise": 1})
    base, _ = shop(60, seed=4)
    base["noise"] = np.zeros(60)
    for name, sweep in (("late", np.arange(0.0, 7.0)), ("noise", np.linspace(-5, 5, 41))):
        if name not in artefact.names:
            continue
        risk = np.array(
            [score_columns(artefact, base | {name: np.full(60, value)}).log_odds for value in sweep]
        )
        assert (np.diff(risk, axis=0) >= 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_mending_keeps_every_direction_and_touches_nothing_that_keeps_it(seed):
    rng = np.random.default_rng(seed)
    features = (*numeric(2, direction=1), *numeric(3, direction=-1)[2:], *numeric(4)[3:])
    tree, moved = mended(random_tree(rng, features, nodes=12), features)
    assert mended(tree, features) == (tree, 0)
    scorer = Trees((tree,)).scorer(features)
    grid = np.array(np.meshgrid(*[np.arange(-0.5, 4)] * 4)).reshape(4, -1)
    sums = scorer.sums_of_rows(scorer.prepared(list(grid))).reshape(5, 5, 5, 5)  # axes: f1, f0, f2, f3
    assert (np.diff(sums, axis=0) >= 0).all()
    assert (np.diff(sums, axis=1) >= 0).all()
    assert (np.diff(sums, axis=2) <= 0).all()
    assert moved >= 0


def test_trees_with_other_questions_are_refused_with_their_place():
    columns, y = shop(300)
    artefact = fitted("decision_tree", columns, y)
    tree = artefact.body.trees[0]
    broken = {
        "a feature is not there": {"features": (99, *tree.features[1:])},
        "the cut is not between two slots": {"cuts": (10_000, *tree.cuts[1:])},
        "a node or leaf has two parents": {"left": (tree.right[0], *tree.left[1:])},
        "a child does not come after its parent": {"left": (0, *tree.left[1:])},
        "leaves, each with its cover": {"leaves": tree.leaves[1:]},
        "a cover is zero or more": {"cover": (-1.0, *tree.cover[1:])},
    }
    for words, change in broken.items():
        worse = msgspec.structs.replace(artefact, body=Trees((msgspec.structs.replace(tree, **change),)))
        with pytest.raises(UnableToReadArtefact, match=words) as refused:
            Artefact.from_json(worse.to_json())
        assert "$.body.trees[0]" in str(refused.value)


@pytest.mark.parametrize("model", ["blend", "stack"])
def test_a_stack_is_the_weighted_sum_of_its_members(model):
    pytest.importorskip("catboost")
    columns, y = shop(400)
    settings = {"members": "lightgbm+xgboost"}
    artefact = Artefact.from_json(fitted(model, columns, y, settings=settings).to_json())
    members = artefact.body.members
    assert 1 <= len(members) <= 2
    if model == "blend":
        assert len({member.weight for member in members}) == 1
    fresh, _ = shop(50, seed=2)
    scored = score_columns(artefact, fresh)
    assert (pd_of_columns(artefact, fresh) == scored.pd).all()
    total = np.full(50, float(artefact.intercept))
    for member in members:
        scorer = member.body.scorer(member.features)
        ready = scorer.prepared([fresh[feature.name] for feature in member.features])
        total += member.weight / 1e6 * scorer.sums_of_rows(ready)
    assert np.abs(total - scored.log_odds).max() <= 1
    one = score_one(artefact, {name: values[3] for name, values in fresh.items()})
    assert one.log_odds == scored.log_odds[3]
    assert [c.log_odds for c in one.contributions] == scored.contributions[3].tolist()


def test_a_stack_of_learners_that_are_not_there_is_refused():
    columns, y = shop(200)
    with pytest.raises(UnableToTrain, match="nobody"):
        fitted("stack", columns, y, settings={"members": "lightgbm+nobody"})


def test_the_isolation_forest_ranks_as_scikit_learn_does():
    from sklearn.ensemble import IsolationForest

    rng = np.random.default_rng(1)
    values = rng.integers(0, 60, size=(3000, 3)).astype(float)  # codes and values are the same then
    y = (rng.random(3000) < 1 / (1 + np.exp(2 - np.abs(values[:, 0] - 30) / 10))).astype(np.int64)
    columns = {f"f{i}": values[:, i] for i in range(3)}
    artefact = train_columns(columns, y, model="isolation_forest").artefact
    theirs = IsolationForest(n_estimators=100, max_samples=256, random_state=7, n_jobs=1).fit(values)
    depth = -np.log2(-theirs.score_samples(values)) * _expected_length(256)
    ours = score_columns(artefact, columns).log_odds
    assert abs(np.corrcoef(ours, depth)[0, 1]) > 0.999999


def test_ecod_tells_rare_tails_as_anomalies():
    rng = np.random.default_rng(1)
    spent = rng.exponential(size=4000)
    y = (rng.random(4000) < np.clip(spent / 10, 0.02, 0.9)).astype(np.int64)
    artefact = train_columns({"spent": spent, "noise": rng.normal(size=4000)}, y, model="ecod").artefact
    scored = score_columns(artefact, {"spent": np.array([0.5, 2.0, 6.0]), "noise": np.zeros(3)})
    assert (np.diff(scored.log_odds) > 0).all()


def test_a_learner_that_is_not_installed_says_what_brings_it(monkeypatch):
    from shouxin.scoring.training.trees import growing

    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", absent)
    with pytest.raises(UnableToTrain, match=r"pip install 'shouxin\[boost\]'"):
        growing._library("catboost")
