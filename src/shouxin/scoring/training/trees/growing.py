"""Growing: boosted trees by LightGBM, XGBoost and CatBoost, stopped by rows they did not learn from.

Each learns in bags: on six rows in seven, as long as it helps on the seventh, and the score is the mean of
the bags. One bag is the library as it comes; more are steadier, and longer. Declared directions are asked of
the library and checked afterwards (``monotone``).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from shouxin.scoring.domain.split import folds
from shouxin.scoring.domain.training import UnableToTrain
from shouxin.scoring.training.learners import Fitted, Ints, Task
from shouxin.scoring.training.trees.finishing import finished
from shouxin.scoring.training.trees.importing import from_catboost, from_lightgbm, from_xgboost
from shouxin.scoring.training.trees.matrix import Matrix, matrix_of
from shouxin.scoring.training.trees.noising import with_copies
from shouxin.scoring.training.trees.raw import RawTrees

# One row in seven decides when enough was learnt, as with the other learners.
_STOPPING_FOLDS = 7
_PATIENCE = 60
_ROUNDS_MAX = 3_000

# (task, matrix, rows to learn from, rows to stop by) -> the trees that helped, and how many rounds they took
Grow = Callable[[Task, Matrix, Ints, Ints], tuple[RawTrees, int]]


def fit_lightgbm(task: Task) -> Fitted:
    """LightGBM (Ke et al. 2017): leaf by leaf. Raises UnableToTrain."""
    return _grown(task, partial(_lightgbm, copies=0))


def fit_robust_lightgbm(task: Task) -> Fitted:
    """The same from rows and noisy copies of them, stopped by such (``noising``). Raises UnableToTrain."""
    return _grown(task, partial(_lightgbm, copies=task.settings["copies"]))


def _lightgbm(own: Task, matrix: Matrix, rows: Ints, stop: Ints, *, copies: int) -> tuple[RawTrees, int]:
    lightgbm, settings = _library("lightgbm"), own.settings
    asked = {
        "objective": "binary",
        "learning_rate": settings["learning_rate"],
        "num_leaves": settings["leaves"],
        "max_depth": 8,  # a path stays short enough for tables of contributions
        "min_data_in_leaf": _rows_in_leaf(own) * (copies + 1),
        "feature_fraction": settings["columns_share"],
        "bagging_fraction": settings["rows_share"],
        "bagging_freq": 1,
        "lambda_l2": settings["l2"] * (copies + 1),
        "monotone_constraints": list(matrix.directions) if any(matrix.directions) else None,
        "monotone_constraints_method": "basic",
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": own.seed,
        "verbose": -1,
    }
    told = {name: value for name, value in asked.items() if value is not None}
    rng = np.random.default_rng(own.seed)
    level = settings["noise"] if copies else 0.0
    learnt, whose = with_copies(matrix, rows, level=level, copies=copies, rng=rng)
    held, whose_held = with_copies(matrix, stop, level=level, copies=copies, rng=rng)
    data = lightgbm.Dataset(learnt, own.y[whose])
    watched = lightgbm.Dataset(held, own.y[whose_held], reference=data)
    patience = lightgbm.early_stopping(_PATIENCE, verbose=False)
    booster = lightgbm.train(told, data, _ROUNDS_MAX, valid_sets=[watched], callbacks=[patience])
    best = max(1, int(booster.best_iteration))
    return from_lightgbm(booster.dump_model(num_iteration=best)), best


def fit_xgboost(task: Task) -> Fitted:
    """XGBoost (Chen and Guestrin 2016): level by level. Raises UnableToTrain."""
    xgboost = _library("xgboost")
    settings = task.settings

    def grow(own: Task, matrix: Matrix, rows: Ints, stop: Ints) -> tuple[RawTrees, int]:
        y = own.y
        asked = {
            "objective": "binary:logistic",
            "eta": settings["learning_rate"],
            "max_depth": settings["depth"],
            "min_child_weight": settings["weight_in_leaf"],
            "subsample": settings["rows_share"],
            "colsample_bytree": settings["columns_share"],
            "lambda": settings["l2"],
            "monotone_constraints": "(" + ",".join(map(str, matrix.directions)) + ")",
            "tree_method": "hist",
            "nthread": 1,
            "seed": own.seed,
        }
        data = xgboost.DMatrix(matrix.values[rows], y[rows])
        watched = xgboost.DMatrix(matrix.values[stop], y[stop])
        booster = xgboost.train(
            asked,
            data,
            _ROUNDS_MAX,
            evals=[(watched, "stop")],
            early_stopping_rounds=_PATIENCE,
            verbose_eval=False,
        )
        best = int(booster.best_iteration) + 1
        return from_xgboost(json.loads(bytes(booster[:best].save_raw("json")))), best

    return _grown(task, grow)


def fit_catboost(task: Task) -> Fitted:
    """CatBoost (Prokhorenkova et al. 2018): symmetric trees. Raises UnableToTrain."""
    catboost = _library("catboost")
    settings = task.settings

    def grow(own: Task, matrix: Matrix, rows: Ints, stop: Ints) -> tuple[RawTrees, int]:
        y = own.y
        model = catboost.CatBoostClassifier(
            iterations=_ROUNDS_MAX,
            learning_rate=settings["learning_rate"],
            depth=settings["depth"],
            l2_leaf_reg=settings["l2"],
            rsm=settings["columns_share"],
            monotone_constraints=list(matrix.directions) if any(matrix.directions) else None,
            random_seed=own.seed,
            thread_count=1,
            allow_writing_files=False,
            verbose=False,
        )
        watched = (matrix.values[stop], y[stop])
        model.fit(matrix.values[rows], y[rows], eval_set=watched, early_stopping_rounds=_PATIENCE)
        return from_catboost(_catboost_json(model)), int(model.get_best_iteration()) + 1

    return _grown(task, grow)


def _grown(task: Task, grow: Grow) -> Fitted:
    """Bags: each learns from six rows in seven and stops by the others, and the score is their mean."""
    matrix = matrix_of(task.kept)
    count = task.settings["bags"]
    bags, lengths = [], []
    for bag in range(count):
        fold = folds(task.y, count=_STOPPING_FOLDS, seed=task.seed + bag, groups=task.groups)
        own = replace(task, seed=task.seed + bag)
        raw, rounds = grow(own, matrix, np.flatnonzero(fold != 0), np.flatnonzero(fold == 0))
        bags.append(raw.weighed(1 / count))
        lengths.append(rounds)
    joined = RawTrees([tree for raw in bags for tree in raw.trees], sum(raw.intercept for raw in bags))
    told = ", ".join(map(str, lengths))
    return finished(
        task, matrix, joined, notes=[f"trees of each bag, as many as helped on rows held out: {told}"]
    )


def _rows_in_leaf(task: Task) -> int:
    """As set, but never more than a fiftieth of the rows: few rows could not be told apart else."""
    return int(min(task.settings["rows_in_leaf"], max(5, len(task.y) // 50)))


def _catboost_json(model: Any) -> Any:
    with tempfile.TemporaryDirectory(prefix="shouxin-") as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        return json.loads(path.read_bytes())


def _library(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        raise UnableToTrain(f"{name} is not installed; pip install 'shouxin[boost]' brings it") from None
