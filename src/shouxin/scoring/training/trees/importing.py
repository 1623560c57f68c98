"""Importing: the models of LightGBM, XGBoost, CatBoost and scikit-learn as raw trees, question by question.

Each takes what the library itself writes down (JSON, or scikit-learn's arrays) and keeps its leaves.
What can not be repeated exactly is refused by name. Checked against the libraries' own margins in the tests.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from shouxin.scoring.training.trees.raw import RawTree, RawTrees, UnableToImport, last_below, last_rounding_to

# Where a library puts its question whether there is a value at all: every number stands on one side, and an
# infinity is a number.
_LIGHTGBM_FURTHEST = 1e300
_CATBOOST_LOWEST = last_rounding_to(-np.finfo(np.float32).max)


def from_lightgbm(dump: Mapping[str, Any]) -> RawTrees:
    """What ``Booster.dump_model()`` tells of a binary model. Raises UnableToImport."""
    if not str(dump.get("objective", "")).startswith("binary"):
        raise UnableToImport(f"a LightGBM model of log-odds is wanted, not of {dump.get('objective')!r}")
    return RawTrees([_lightgbm_tree(info["tree_structure"]) for info in dump["tree_info"]])


def _lightgbm_tree(root: Mapping[str, Any]) -> RawTree:
    tree = RawTree()

    def read(found: Mapping[str, Any]) -> int:
        if "split_feature" not in found:
            return tree.end(float(found["leaf_value"]), float(found.get("leaf_count", 1)))
        node = ask(found)
        tree.left[node] = read(found["left_child"])
        tree.right[node] = read(found["right_child"])
        return node

    def ask(found: Mapping[str, Any]) -> int:
        column = int(found["split_feature"])
        if found["decision_type"] == "==":
            codes = frozenset(int(code) for code in str(found["threshold"]).split("||"))
            return tree.ask(column, math.nan, missing_left=False, codes=codes)
        threshold, missing = float(found["threshold"]), found["missing_type"]
        if missing == "Zero":
            raise UnableToImport("LightGBM was told zero_as_missing; a zero is a number here")
        # Without missing values in training LightGBM takes one for zero.
        left = bool(found["default_left"]) if missing == "NaN" else threshold >= 0.0
        if threshold >= _LIGHTGBM_FURTHEST:
            threshold = math.inf
        return tree.ask(column, threshold, missing_left=left)

    read(root)
    return tree


def from_xgboost(model: Mapping[str, Any]) -> RawTrees:
    """What ``Booster.save_raw("json")`` tells of a binary:logistic model. Raises UnableToImport."""
    learner = model["learner"]
    objective = learner["objective"]["name"]
    if objective != "binary:logistic":
        raise UnableToImport(f"an XGBoost model of log-odds is wanted, not of {objective!r}")
    base = float(str(learner["learner_model_param"]["base_score"]).strip("[]"))
    booster = learner["gradient_booster"]
    if booster["name"] != "gbtree":
        raise UnableToImport(f"XGBoost's trees can be read, its {booster['name']!r} can not")
    trees = [_xgboost_tree(tree) for tree in booster["model"]["trees"]]
    return RawTrees(trees, math.log(base / (1.0 - base)))


def _xgboost_tree(found: Mapping[str, Any]) -> RawTree:
    if any(found.get("split_type", ())):
        raise UnableToImport("XGBoost's own categories are not read; give it a column for each category")
    tree = RawTree()
    conditions = np.asarray(found["split_conditions"], dtype=np.float32)

    def read(place: int) -> int:
        left, right = found["left_children"][place], found["right_children"][place]
        if left < 0:
            return tree.end(float(conditions[place]), float(found["sum_hessian"][place]))
        # XGBoost compares in float32, and a value equal to the threshold goes right.
        node = tree.ask(
            int(found["split_indices"][place]),
            last_below(conditions[place]),
            missing_left=bool(found["default_left"][place]),
        )
        tree.left[node], tree.right[node] = read(left), read(right)
        return node

    read(0)
    return tree


def from_catboost(model: Mapping[str, Any]) -> RawTrees:
    """What ``save_model(format="json")`` tells of symmetric trees on numbers. Raises UnableToImport."""
    if model.get("features_info", {}).get("categorical_features"):
        raise UnableToImport("CatBoost's own categories are not read; give it a column for each category")
    if "oblivious_trees" not in model:
        raise UnableToImport("CatBoost's symmetric trees can be read, other growing policies can not")
    scale, bias = model["scale_and_bias"]
    missing = {
        int(feature["flat_feature_index"]): feature.get("nan_value_treatment", "AsIs") != "AsTrue"
        for feature in model["features_info"]["float_features"]
    }
    flat = {
        int(feature["feature_index"]): int(feature["flat_feature_index"])
        for feature in model["features_info"]["float_features"]
    }
    trees = [_catboost_tree(tree, float(scale), flat, missing) for tree in model["oblivious_trees"]]
    return RawTrees(trees, float(bias[0] if isinstance(bias, list) else bias))


def _catboost_tree(
    found: Mapping[str, Any], scale: float, flat: Mapping[int, int], missing: Mapping[int, bool]
) -> RawTree:
    tree, splits = RawTree(), found["splits"] or ()
    if any(split["split_type"] != "FloatFeature" for split in splits):
        raise UnableToImport("CatBoost's trees ask of more than numbers")

    def read(depth: int, leaf: int) -> int:
        if depth < 0:
            return tree.end(scale * found["leaf_values"][leaf], float(found["leaf_weights"][leaf]))
        column = flat[int(splits[depth]["float_feature_index"])]
        # CatBoost compares in float32, and a value above the border goes right (bit ``depth``).
        border = last_rounding_to(np.float32(splits[depth]["border"]))
        if border <= _CATBOOST_LOWEST:
            border = -math.inf
        node = tree.ask(column, border, missing_left=missing[column])
        tree.left[node] = read(depth - 1, leaf)
        tree.right[node] = read(depth - 1, leaf | 1 << depth)
        return node

    # The last question is the root, as CatBoost has it: the order matters to contributions, not to the sum.
    read(len(splits) - 1, 0)
    return tree


def from_sklearn(found: Any, leaf_values: Any) -> RawTree:
    """What scikit-learn's ``tree_`` tells, with ``leaf_values`` by node (scikit-learn keeps no log-odds)."""
    tree = RawTree()

    def read(place: int) -> int:
        left, right = int(found.children_left[place]), int(found.children_right[place])
        if left < 0:
            return tree.end(float(leaf_values[place]), float(found.weighted_n_node_samples[place]))
        # scikit-learn compares a float32 with a float64.
        threshold = float(found.threshold[place])
        nearest = np.float32(threshold)
        below = nearest if float(nearest) <= threshold else np.nextafter(nearest, np.float32(-np.inf))
        node = tree.ask(
            int(found.feature[place]),
            last_rounding_to(below),
            missing_left=bool(found.missing_go_to_left[place]),
        )
        tree.left[node], tree.right[node] = read(left), read(right)
        return node

    read(0)
    return tree
