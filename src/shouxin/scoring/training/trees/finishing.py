"""Finishing: raw trees become what a learner hands over, mended and short, with a report of each variable."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from shouxin.scoring.domain.families import Tree, Trees
from shouxin.scoring.domain.families.tree_scoring import TreeScorer
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import Ints
from shouxin.scoring.domain.training import UnableToTrain
from shouxin.scoring.training.learners import Fitted, Task
from shouxin.scoring.training.scorecard import variable_report
from shouxin.scoring.training.trees.matrix import Matrix
from shouxin.scoring.training.trees.monotone import mended
from shouxin.scoring.training.trees.raw import RawTree, RawTrees
from shouxin.scoring.training.trees.writing import slots_of, written

# Rows that are counted to say how many customers each leaf holds.
_COUNTED_MAX = 20_000


def finished(task: Task, matrix: Matrix, raw: RawTrees, *, notes: list[str]) -> Fitted:
    """The learner's answer. Raises UnableToTrain where no tree found a question worth asking."""
    if not any(tree.columns for tree in raw.trees):
        raise UnableToTrain("the trees found nothing that tells the outcomes apart: more rows or columns may")
    features, body, intercept = written(_never_met(raw, matrix), matrix)
    mends = [mended(tree, features) for tree in body.trees]
    if moved := sum(count for _, count in mends):
        notes = [*notes, f"{moved} leaves were moved to keep the declared directions"]
    slots = slots_of(matrix, features)
    trees = counted([tree for tree, _ in mends], features, slots)
    asked = {index for tree in trees for index in tree.features}
    told = [variable_report(v, v.binned(task.y), seed=task.seed) for v in task.kept]
    dropped = {f.name: "no tree asks about it" for index, f in enumerate(features) if index not in asked}
    kept, body = _asked_only(trees, features)
    return Fitted(kept, body, intercept, told, dropped, notes)


def counted(trees: Sequence[Tree], features: tuple[Feature, ...], slots: Sequence[Ints]) -> list[Tree]:
    """The trees with each leaf's cover counted on training rows: libraries count weights, or other rows."""
    step = max(1, len(slots[0]) // _COUNTED_MAX)
    some = [column[::step] for column in slots]
    found = []
    for tree in trees:
        numbered = msgspec.structs.replace(tree, leaves=tuple(range(len(tree.leaves))))
        leaves = TreeScorer((numbered,), features).sums_of_rows(some)
        # Real numbers, as a document that is read again has them: a model has one name.
        rows = np.bincount(leaves, minlength=len(tree.leaves)).astype(np.float64).tolist()
        found.append(msgspec.structs.replace(tree, cover=tuple(rows)))
    return found


def _never_met(raw: RawTrees, matrix: Matrix) -> RawTrees:
    """A column without a missing value says nothing of one: it goes where most rows go."""
    met = [bool(np.isnan(values).any()) for values in matrix.values.T]
    return RawTrees([_with_heavier(tree, met) for tree in raw.trees], raw.intercept)


def _with_heavier(tree: RawTree, met: Sequence[bool]) -> RawTree:
    covers = {~leaf: cover for leaf, cover in enumerate(tree.cover)}
    for node in range(len(tree.columns) - 1, -1, -1):
        left, right = covers[tree.left[node]], covers[tree.right[node]]
        covers[node] = left + right
        if not met[tree.columns[node]]:
            tree.missing_left[node] = left >= right
    return tree


def _asked_only(trees: Sequence[Tree], features: tuple[Feature, ...]) -> tuple[tuple[Feature, ...], Trees]:
    """Only the features that a tree asks about, and the trees with their new places."""
    asked = sorted({index for tree in trees for index in tree.features})
    places = {index: place for place, index in enumerate(asked)}
    moved = tuple(
        msgspec.structs.replace(tree, features=tuple(places[index] for index in tree.features))
        for tree in trees
    )
    return tuple(features[index] for index in asked), Trees(moved)
