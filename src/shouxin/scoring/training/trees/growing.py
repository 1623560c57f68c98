"""Growing: boosted trees by LightGBM, XGBoost and CatBoost, stopped by rows they did not learn from.

Each learns twice: on six rows in seven, to find how many trees help on the seventh; then that many trees on
all rows. Declared directions are asked of the library and checked afterwards (``monotone``).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from shouxin.scoring.domain.split import folds
from shouxin.scoring.domain.training import UnableToTrain
from shouxin.scoring.training.learners import Fitted, Ints, Task
from shouxin.scoring.training.trees.finishing import finished
from shouxin.scoring.training.trees.importing import from_catboost, from_lightgbm, from_xgboost
from shouxin.scoring.training.trees.matrix import Matrix, matrix_of
from shouxin.scoring.training.trees.raw import RawTrees

# One row in seven decides when enough was learnt, as with the other learners.
_STOPPING_FOLDS = 7
_PATIENCE = 60
_ROUNDS_MAX = 3_000
_ROWS_FEW = 5_000

# (matrix, rows to learn from, outcomes, rows to stop by or None, rounds at most) -> trees, rounds that helped
Grow = Callable[[Matrix, Ints, Ints, Ints | None, int], tuple[RawTrees, int]]


def fit_lightgbm(task: Task) -> Fitted:
    """LightGBM (Ke et al. 2017): leaf by leaf. Raises UnableToTrain."""
    lightgbm = _library("lightgbm")
    settings = task.settings

    def grow(matrix: Matrix, rows: Ints, y: Ints, stop: Ints | None, rounds: int) -> tuple[RawTrees, int]:
        asked = {
            "objective": "binary",
            "learning_rate": settings["learning_rate"],
            "num_leaves": settings["leaves"],
            "max_depth": 8,  # a path stays short enough for tables of contributions
            "min_data_in_leaf": _rows_in_leaf(task),
            "feature_fraction": settings["columns_share"],
            "bagging_fraction": settings["rows_share"],
            "bagging_freq": 1,
            "lambda_l2": settings["l2"],
            "monotone_constraints": list(matrix.directions) if any(matrix.directions) else None,
            "monotone_constraints_method": "basic",
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "seed": task.seed,
            "verbose": -1,
        }
        told = {name: value for name, value in asked.items() if value is not None}
        data = lightgbm.Dataset(matrix.values[rows], y[rows])
        if stop is None:
            return from_lightgbm(lightgbm.train(told, data, rounds).dump_model()), rounds
        watched = lightgbm.Dataset(matrix.values[stop], y[stop], reference=data)
        patience = lightgbm.early_stopping(_PATIENCE, verbose=False)
        booster = lightgbm.train(told, data, rounds, valid_sets=[watched], callbacks=[patience])
        return RawTrees([]), int(booster.best_iteration)

    return _grown(task, grow)


def fit_xgboost(task: Task) -> Fitted:
    """XGBoost (Chen and Guestrin 2016): level by level. Raises UnableToTrain."""
    xgboost = _library("xgboost")
    settings = task.settings

    def grow(matrix: Matrix, rows: Ints, y: Ints, stop: Ints | None, rounds: int) -> tuple[RawTrees, int]:
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
            "seed": task.seed,
        }
        data = xgboost.DMatrix(matrix.values[rows], y[rows])
        if stop is None:
            booster = xgboost.train(asked, data, rounds)
            return from_xgboost(json.loads(bytes(booster.save_raw("json")))), rounds
        watched = xgboost.DMatrix(matrix.values[stop], y[stop])
        booster = xgboost.train(
            asked,
            data,
            rounds,
            evals=[(watched, "stop")],
            early_stopping_rounds=_PATIENCE,
            verbose_eval=False,
        )
        return RawTrees([]), int(booster.best_iteration) + 1

    return _grown(task, grow)


def fit_catboost(task: Task) -> Fitted:
    """CatBoost (Prokhorenkova et al. 2018): symmetric trees. Raises UnableToTrain."""
    catboost = _library("catboost")
    settings = task.settings

    def grow(matrix: Matrix, rows: Ints, y: Ints, stop: Ints | None, rounds: int) -> tuple[RawTrees, int]:
        model = catboost.CatBoostClassifier(
            iterations=rounds,
            learning_rate=settings["learning_rate"],
            depth=settings["depth"],
            l2_leaf_reg=settings["l2"],
            rsm=settings["columns_share"],
            monotone_constraints=list(matrix.directions) if any(matrix.directions) else None,
            random_seed=task.seed,
            thread_count=1,
            allow_writing_files=False,
            verbose=False,
        )
        if stop is None:
            model.fit(matrix.values[rows], y[rows])
            return from_catboost(_catboost_json(model)), rounds
        watched = (matrix.values[stop], y[stop])
        model.fit(matrix.values[rows], y[rows], eval_set=watched, early_stopping_rounds=_PATIENCE)
        return RawTrees([]), int(model.get_best_iteration()) + 1

    return _grown(task, grow)


def _grown(task: Task, grow: Grow) -> Fitted:
    matrix = matrix_of(task.kept)
    fold = folds(task.y, count=_STOPPING_FOLDS, seed=task.seed, groups=task.groups)
    # One seventh of few rows says little of when to stop: every seventh is asked then.
    asked = range(_STOPPING_FOLDS if len(task.y) <= _ROWS_FEW else 1)
    helped = [
        grow(matrix, np.flatnonzero(fold != part), task.y, np.flatnonzero(fold == part), _ROUNDS_MAX)[1]
        for part in asked
    ]
    rounds = max(1, round(sum(helped) / len(helped)))
    raw, _ = grow(matrix, np.arange(len(task.y)), task.y, None, rounds)
    return finished(task, matrix, raw, notes=[f"{rounds} trees, as many as helped on rows held out"])


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
