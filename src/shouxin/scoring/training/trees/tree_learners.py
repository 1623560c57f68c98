"""The learners that grow trees, and what may be tuned in each (the default first)."""

from __future__ import annotations

from shouxin.kernel import Bilingual
from shouxin.scoring.training.learners import Learner
from shouxin.scoring.training.trees.forest import fit_decision_tree, fit_random_forest
from shouxin.scoring.training.trees.growing import (
    fit_catboost,
    fit_lightgbm,
    fit_robust_lightgbm,
    fit_xgboost,
)

_BASE = ("shouxin", "numpy", "scikit-learn")

_LIGHTGBM = {
    "bags": (4, 1, 2, 8),
    "learning_rate": (0.05, 0.02, 0.03),
    "leaves": (15, 8, 11, 23, 31),
    "rows_in_leaf": (60, 20, 40, 120, 240),
    "columns_share": (0.5, 0.3, 0.7, 1.0),
    "rows_share": (0.7, 0.5, 0.9),
    "l2": (10.0, 1.0, 3.0, 30.0),
}

TREE_LEARNERS = (
    Learner(
        "decision_tree",
        Bilingual("决策树", "Decision tree"),
        fit_decision_tree,
        _BASE,
        {"depth": (5, 4, 6, 7), "leaf_share": (0.01, 0.005, 0.02)},
    ),
    Learner(
        "random_forest",
        Bilingual("随机森林", "Random forest"),
        fit_random_forest,
        _BASE,
        {
            "trees": (200, 300),
            "depth": (8, 6, 7),
            "leaf_share": (0.001, 0.0005, 0.002, 0.005),
            "columns_share": (0.3, 0.2, 0.5),
        },
    ),
    Learner(
        "lightgbm",
        Bilingual("LightGBM 提升树", "LightGBM boosted trees"),
        fit_lightgbm,
        ("shouxin", "numpy", "lightgbm"),
        _LIGHTGBM,
        stops_itself=True,
    ),
    Learner(
        "robust_lightgbm",
        Bilingual("加噪训练的 LightGBM 提升树", "LightGBM trained on noisy copies"),
        fit_robust_lightgbm,
        ("shouxin", "numpy", "lightgbm"),
        # In spreads of each number and as the chance of a swapped category; copies of each row.
        {"noise": (0.5, 0.1, 0.25, 1.0), "copies": (3, 1, 2, 5), **_LIGHTGBM},
        stops_itself=True,
    ),
    Learner(
        "xgboost",
        Bilingual("XGBoost 提升树", "XGBoost boosted trees"),
        fit_xgboost,
        ("shouxin", "numpy", "xgboost-cpu"),
        {
            "bags": (4, 1, 2, 8),
            "learning_rate": (0.05, 0.02, 0.03),
            "depth": (4, 3, 5, 6),
            "weight_in_leaf": (10.0, 1.0, 5.0, 30.0),
            "columns_share": (0.5, 0.3, 0.7, 1.0),
            "rows_share": (0.7, 0.5, 0.9),
            "l2": (10.0, 1.0, 3.0, 30.0),
        },
        extra="boost",
        stops_itself=True,
    ),
    Learner(
        "catboost",
        Bilingual("CatBoost 对称树", "CatBoost symmetric trees"),
        fit_catboost,
        ("shouxin", "numpy", "catboost"),
        {
            "bags": (4, 1, 2, 8),
            "learning_rate": (0.06, 0.04, 0.1),
            "depth": (6, 4, 5, 7),
            "l2": (5.0, 1.0, 3.0, 10.0, 30.0),
            "columns_share": (0.6, 0.4, 0.8, 1.0),
        },
        extra="boost",
        stops_itself=True,
    ),
)
