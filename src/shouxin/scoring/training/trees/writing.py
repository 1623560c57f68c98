"""Writing: raw trees become the family ``trees``: thresholds become edges, questions become slots."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

import msgspec
import numpy as np

from shouxin.scoring.domain.families import Tree, Trees
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import Ints, numeric_slots
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.training.trees.matrix import Floats, Matrix, Reading
from shouxin.scoring.training.trees.raw import RawTree, RawTrees


def written(raw: RawTrees, matrix: Matrix) -> tuple[tuple[Feature, ...], Trees, int]:
    """The features with their edges, the trees, and the intercept (millionths).

    Trees that ask nothing are part of the intercept; ``Trees`` is empty where all are such.
    """
    features = _with_edges(raw, matrix)
    intercept = raw.intercept + sum(tree.leaves[0] for tree in raw.trees if not tree.columns)
    grown = [tree for tree in raw.trees if tree.columns]
    trees = tuple(_tree(tree, matrix.readings, features) for tree in grown)
    return features, Trees(trees), round(intercept * MILLION)


def slots_of(matrix: Matrix, features: Sequence[Feature]) -> list[Ints]:
    """The slot of every training row in every feature, as the scorer would find it."""
    columns: list[list[Floats]] = [[] for _ in features]
    for reading, values in zip(matrix.readings, matrix.values.T, strict=True):
        columns[reading.feature].append(values)
    return [_slots(feature, own) for feature, own in zip(features, columns, strict=True)]


def _slots(feature: Feature, columns: Sequence[Floats]) -> Ints:
    if feature.type == "numeric":
        slots = numeric_slots(columns[0], feature.edges, {})
        first, indicators = len(feature.edges) + 2, columns[1:]
    else:
        slots = np.full(len(columns[0]), feature.regular, dtype=np.int64)
        first, indicators = 0, columns
    for place, column in enumerate(indicators):
        slots[column == 1.0] = first + place
    return slots


def _with_edges(raw: RawTrees, matrix: Matrix) -> tuple[Feature, ...]:
    edges: list[set[float]] = [set() for _ in matrix.features]
    for tree in raw.trees:
        for column, threshold in zip(tree.columns, tree.thresholds, strict=True):
            if matrix.readings[column].slot is None and _cuts(threshold):
                edges[matrix.readings[column].feature].add(_edge(threshold))
    bare = [
        msgspec.structs.replace(feature, edges=tuple(sorted(own)))
        for feature, own in zip(matrix.features, edges, strict=True)
    ]
    return tuple(
        msgspec.structs.replace(feature, rows=tuple(np.bincount(slots, minlength=feature.slots).tolist()))
        for feature, slots in zip(bare, slots_of(matrix, bare), strict=True)
    )


def _cuts(threshold: float) -> bool:
    """Whether values lie on both sides; else only missing ones are told apart, which needs no edge."""
    return threshold > -math.inf and math.isfinite(_edge(threshold))


def _edge(threshold: float) -> float:
    """``value <= threshold`` is ``value < edge``."""
    return math.nextafter(threshold, math.inf)


def _tree(raw: RawTree, readings: Sequence[Reading], features: Sequence[Feature]) -> Tree:
    questions = [
        _question(raw, node, readings[column], features[readings[column].feature])
        for node, column in enumerate(raw.columns)
    ]
    return Tree(
        features=tuple(readings[column].feature for column in raw.columns),
        cuts=tuple(cut for cut, _ in questions),
        others=tuple(others for _, others in questions),
        left=tuple(raw.left),
        right=tuple(raw.right),
        leaves=tuple(round(leaf * MILLION) for leaf in raw.leaves),
        cover=tuple(raw.cover),
    )


def _question(raw: RawTree, node: int, reading: Reading, feature: Feature) -> tuple[int, tuple[int, ...]]:
    """How many ordinary slots go left, and which others."""
    threshold, missing_left = raw.thresholds[node], raw.missing_left[node]
    apart = range(feature.regular, feature.slots) if feature.type == "numeric" else range(feature.slots)
    if reading.slot is None:
        all_or_none = feature.regular if threshold > 0 else 0
        cut = bisect_left(feature.edges, _edge(threshold)) + 1 if _cuts(threshold) else all_or_none
        return cut, tuple(apart) if missing_left else ()
    named = reading.slot + (feature.regular + 1 if feature.type == "numeric" else 0)
    zero_left, one_left = threshold >= 0.0, threshold >= 1.0
    cut = feature.regular if feature.type == "numeric" and zero_left else 0
    return cut, tuple(slot for slot in apart if (one_left if slot == named else zero_left))
