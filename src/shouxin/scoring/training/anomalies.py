"""Anomalies: how unlike everybody else is this customer? Learnt without outcomes, then told as a PD.

An anomaly is no reason to decline anybody: these models are indicators, to be looked at beside a model that
knows outcomes. So that they can be compared with one, two numbers are learnt from the outcomes:
``a + b * anomaly``.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.families import Tables, Term
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.training.learners import Fitted, Ints, Learner, Task
from shouxin.scoring.training.scorecard import settled, variable_report
from shouxin.scoring.training.trees.finishing import finished
from shouxin.scoring.training.trees.forest import coded, uncoded
from shouxin.scoring.training.trees.importing import from_sklearn
from shouxin.scoring.training.trees.matrix import Floats, Matrix, matrix_of
from shouxin.scoring.training.trees.raw import RawTrees
from shouxin.scoring.training.trees.writing import slots_of

_CUTS_MAX = 100
_EULER = 0.5772156649015329


def fit_ecod(task: Task) -> Fitted:
    """How far out in the tails, feature by feature (ECOD: Li et al. 2022): tables, so exactly told.

    A feature counts by the tail that it is skewed to: -log of the share of customers at least as far out.
    """
    matrix = matrix_of(task.kept)
    features = _sliced(matrix)
    slots = slots_of(matrix, features)
    tails = [_tail(feature, own) for feature, own in zip(features, slots, strict=True)]
    anomaly = np.sum([tail[own] for tail, own in zip(tails, slots, strict=True)], axis=0)
    intercept, slope = _on_scale(anomaly, task.y)
    counted = [np.bincount(own, minlength=f.slots) for f, own in zip(features, slots, strict=True)]
    terms = [
        Term((index,), *settled(np.rint(slope * tail * MILLION).astype(int).tolist(), rows.tolist()))
        for index, (tail, rows) in enumerate(zip(tails, counted, strict=True))
    ]
    told = [variable_report(v, v.binned(task.y), seed=task.seed) for v in task.kept]
    kept = tuple(
        msgspec.structs.replace(feature, rows=tuple(rows.tolist()), direction=0)
        for feature, rows in zip(features, counted, strict=True)
    )
    return Fitted(kept, Tables(tuple(terms)), round(intercept * MILLION), told, {}, [_note(slope)])


def fit_isolation_forest(task: Task) -> Fitted:
    """How few random questions set a customer apart (Liu et al. 2008). Raises UnableToTrain."""
    from sklearn.ensemble import IsolationForest

    plain = [replace(variable, direction=None) for variable in task.kept]  # it knows no riskier direction
    matrix = matrix_of(plain)
    codes, cuts = coded(matrix)
    # It can not be asked about what is missing: that is a value below all others.
    model = IsolationForest(
        n_estimators=task.settings["trees"],
        max_samples=min(256, len(task.y)),
        random_state=task.seed,
        n_jobs=1,
    ).fit(np.where(np.isnan(codes), -1.0, codes))
    lengths = [_lengths(tree.tree_) for tree in model.estimators_]
    asked = np.where(np.isnan(codes), -1.0, codes).astype(np.float32)
    pairs = zip(model.estimators_, lengths, strict=True)
    anomaly = -np.mean([own[tree.tree_.apply(asked)] for tree, own in pairs], axis=0)
    intercept, slope = _on_scale(anomaly, task.y)
    trees = []
    for tree, own in zip(model.estimators_, lengths, strict=True):
        raw = from_sklearn(tree.tree_, -own * slope / len(lengths))
        raw.missing_left = [True] * len(raw.columns)
        trees.append(uncoded(raw, cuts))
    return finished(task, matrix, RawTrees(trees, intercept), notes=[_note(slope)])


def _note(slope: float) -> str:
    return f"an indicator, never a decline of its own; log-odds rise by {slope:.4f} with the anomaly"


def _sliced(matrix: Matrix) -> tuple[Feature, ...]:
    columns = {r.feature: v for r, v in zip(matrix.readings, matrix.values.T, strict=True) if r.slot is None}
    return tuple(
        msgspec.structs.replace(feature, edges=_edges(columns[index])) if index in columns else feature
        for index, feature in enumerate(matrix.features)
    )


def _edges(values: Floats) -> tuple[float, ...]:
    """Cuts so that each slot holds about the same number of rows; closer in the tails."""
    known = values[~np.isnan(values)]
    if not len(known):
        return ()
    shares = np.concatenate([np.linspace(0, 1, _CUTS_MAX), [0.001, 0.002, 0.005, 0.995, 0.998, 0.999]])
    edges = np.unique(np.quantile(known, np.sort(shares), method="higher"))
    return tuple(edges[edges > known.min()].tolist())


def _tail(feature: Feature, slots: Ints) -> Floats:
    """-log of the share of customers as far out or further, by slot; rare where categories are rare."""
    rows = np.bincount(slots, minlength=feature.slots).astype(np.float64)
    share = np.maximum(rows, 1.0) / len(slots)
    if feature.type == "category":
        return -np.log(share)
    regular = rows[: feature.regular]
    left = np.cumsum(regular) / max(1.0, regular.sum())
    right = np.cumsum(regular[::-1])[::-1] / max(1.0, regular.sum())
    place = np.arange(len(regular)) - (np.arange(len(regular)) * regular).sum() / max(1.0, regular.sum())
    skew = float((regular * place**3).sum())
    tail = -np.log(np.maximum(left if skew < 0 else right, 0.5 / len(slots)))
    return np.concatenate([tail, -np.log(share[feature.regular :])])


def _lengths(tree: Any) -> Floats:
    """Questions to each node, and those that its rows would still need (Liu et al. 2008, eq. 1)."""
    left, right = tree.children_left, tree.children_right
    rows = tree.n_node_samples
    depth = np.zeros(len(left))
    for node in range(len(left)):
        for child in (left[node], right[node]):
            if child >= 0:
                depth[child] = depth[node] + 1
    found: Floats = depth + np.array([_expected_length(int(count)) for count in rows])
    return found


def _expected_length(rows: int) -> float:
    if rows <= 1:
        return 0.0
    if rows == 2:
        return 1.0
    return 2.0 * (math.log(rows - 1) + _EULER) - 2.0 * (rows - 1) / rows


def _on_scale(anomaly: Floats, y: Ints) -> tuple[float, float]:
    """Intercept and slope of the outcome on the anomaly."""
    from sklearn.linear_model import LogisticRegression

    spread = float(anomaly.std()) or 1.0
    model = LogisticRegression(C=1e6).fit(anomaly[:, None] / spread, y)
    return float(model.intercept_[0]), float(model.coef_[0, 0]) / spread


ANOMALY_LEARNERS = (
    Learner(
        "isolation_forest",
        Bilingual("孤立森林（异常指标）", "Isolation forest (indicator)"),
        fit_isolation_forest,
        ("shouxin", "numpy", "scikit-learn"),
        {"trees": (100, 200)},
    ),
    Learner(
        "ecod",
        Bilingual("经验尾部异常（ECOD，指标）", "Empirical tails (ECOD, indicator)"),
        fit_ecod,
        ("shouxin", "numpy", "scikit-learn"),
    ),
)
