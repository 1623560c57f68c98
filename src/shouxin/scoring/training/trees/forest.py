"""Forests: one decision tree, or many whose leaves' log-odds are averaged and then calibrated.

A forest's usual vote is an average of probabilities, which no sum of contributions gives. So each leaf keeps
its smoothed log-odds, and the score is ``a + b * their mean``; a and b come from a logistic regression on
the mean over the trees that did not learn from the row (out of bag; Platt 1999). The order of customers is
nearly that of the vote; what is gained is that the score adds up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.scoring.training.learners import Fitted, Ints, Task
from shouxin.scoring.training.trees.finishing import finished
from shouxin.scoring.training.trees.importing import from_sklearn
from shouxin.scoring.training.trees.matrix import Floats, Matrix, matrix_of
from shouxin.scoring.training.trees.raw import RawTree, RawTrees

# Cuts a column may have: more make the document long and the trees no better.
_CUTS_MAX = 255
# Pseudo-rows at the base rate, so that a pure leaf is not certain.
_SMOOTHING = 2.0


def fit_decision_tree(task: Task) -> Fitted:
    """One tree that fits on a page (CART). Raises UnableToTrain."""
    from sklearn.tree import DecisionTreeClassifier

    matrix = matrix_of(task.kept)
    codes, cuts = coded(matrix)
    model = DecisionTreeClassifier(
        max_depth=task.settings["depth"],
        min_samples_leaf=_rows_in_leaf(task),
        monotonic_cst=_directions(matrix),
        random_state=task.seed,
    ).fit(codes, task.y)
    raw = uncoded(from_sklearn(model.tree_, _log_odds(model.tree_, task.y)), cuts)
    return finished(task, matrix, RawTrees([raw]), notes=[])


def fit_random_forest(task: Task) -> Fitted:
    """Many trees on drawn rows and columns (Breiman 2001). Raises UnableToTrain."""
    from sklearn.ensemble import RandomForestClassifier

    matrix = matrix_of(task.kept)
    codes, cuts = coded(matrix)
    model = RandomForestClassifier(
        n_estimators=task.settings["trees"],
        max_depth=task.settings["depth"],
        min_samples_leaf=_rows_in_leaf(task),
        max_features=task.settings["columns_share"],
        monotonic_cst=_directions(matrix),
        random_state=task.seed,
        n_jobs=1,
    ).fit(codes, task.y)
    values = [_log_odds(tree.tree_, task.y) for tree in model.estimators_]
    intercept, slope = _calibrated(_out_of_bag(model, codes, values), task.y)
    share = slope / len(values)
    trees = [
        uncoded(from_sklearn(tree.tree_, own * share), cuts)
        for tree, own in zip(model.estimators_, values, strict=True)
    ]
    return finished(task, matrix, RawTrees(trees, intercept), notes=[f"the forest's mean times {slope:.3f}"])


def coded(matrix: Matrix) -> tuple[Floats, list[Floats]]:
    """Every column as how many of its cuts a value is above, and the cuts."""
    codes, cuts = np.empty_like(matrix.values), []
    for place, values in enumerate(matrix.values.T):
        known = values[~np.isnan(values)]
        own = np.unique(known)
        own = (
            np.unique(np.quantile(known, np.linspace(0, 1, _CUTS_MAX + 2)[1:-1], method="lower"))
            if len(own) > _CUTS_MAX + 1
            else own[:-1]
        )
        codes[:, place] = np.where(np.isnan(values), np.nan, np.searchsorted(own, values, side="left"))
        cuts.append(own)
    return codes, cuts


def uncoded(tree: RawTree, cuts: Sequence[Floats]) -> RawTree:
    """The same tree asking about values: a code of k or less is a value of at most cut k."""
    tree.thresholds = [
        _cut(cuts[column], threshold) for column, threshold in zip(tree.columns, tree.thresholds, strict=True)
    ]
    return tree


def _cut(cuts: Floats, threshold: float) -> float:
    """The last cut that a code up to ``threshold`` may be above; below the first code nothing is."""
    if not math.isfinite(threshold):
        return threshold
    return float(cuts[math.floor(threshold)]) if threshold >= 0 else -math.inf


def _rows_in_leaf(task: Task) -> int:
    """A share of the rows, at least ten."""
    return max(10, round(float(task.settings["leaf_share"]) * len(task.y)))


def _directions(matrix: Matrix) -> list[int] | None:
    # scikit-learn keeps directions only where nothing is missing; what it can not keep is mended afterwards.
    whole = not np.isnan(matrix.values).any()
    return list(matrix.directions) if whole and any(matrix.directions) else None


def _log_odds(tree: Any, y: Ints) -> Floats:
    """Smoothed log-odds of every node."""
    rate = float(y.mean())
    rows = np.asarray(tree.weighted_n_node_samples, dtype=np.float64)
    events = np.asarray(tree.value[:, 0, 1], dtype=np.float64) * rows
    found: Floats = np.log(events + _SMOOTHING * rate) - np.log(rows - events + _SMOOTHING * (1 - rate))
    return found


def _out_of_bag(model: Any, codes: Floats, values: Sequence[Floats]) -> Floats:
    """The mean of the trees that did not learn from a row; NaN where all did."""
    total, count = np.zeros(len(codes)), np.zeros(len(codes))
    asked = codes.astype(np.float32)
    for tree, drawn, own in zip(model.estimators_, model.estimators_samples_, values, strict=True):
        out: npt.NDArray[np.bool_] = np.bincount(drawn, minlength=len(codes)) == 0
        total[out] += own[tree.tree_.apply(asked[out])]
        count += out
    found: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return found


def _calibrated(margin: Floats, y: Ints) -> tuple[float, float]:
    """Intercept and slope of the outcome on the margin."""
    from sklearn.linear_model import LogisticRegression

    known = ~np.isnan(margin)
    model = LogisticRegression(C=1e6).fit(margin[known, None], y[known])
    return float(model.intercept_[0]), float(model.coef_[0, 0])
