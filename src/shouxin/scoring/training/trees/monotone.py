"""Monotone: does more never mean less where that was declared? Looked at leaf by leaf, and mended.

Libraries promise to keep a declared direction and do not always (LightGBM's issues 5358 and 6155). Here two
leaves are *in order* when some customer could move from the first to the second by changing declared features
in their riskier direction alone. A tree in which no leaf is above a later one keeps the promise for every
customer, and so does a sum of such trees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.families import Tree
from shouxin.scoring.domain.families.tree_paths import Path, paths_of
from shouxin.scoring.domain.feature import Feature

Order = npt.NDArray[np.bool_]


def mended(tree: Tree, features: Sequence[Feature]) -> tuple[Tree, int]:
    """The tree with every declared direction kept, and how many leaves had to move for it."""
    declared = {index: f.direction for index, f in enumerate(features) if f.direction}
    if not declared.keys() & set(tree.features):
        return tree, 0
    paths = sorted(paths_of(tree, [feature.slots for feature in features]), key=lambda path: path.leaf)
    order = _in_order(paths, declared, features)
    values = np.array(tree.leaves, dtype=np.int64)
    if not (order & (values[:, None] > values[None, :])).any():
        return tree, 0
    up, down = _raised(values, order), -_raised(-values, order.T)
    middle = (up + down) // 2  # both keep the direction, and so does their mean
    moved = int((middle != values).sum())
    return msgspec.structs.replace(tree, leaves=tuple(middle.tolist())), moved


def _raised(values: npt.NDArray[np.int64], order: Order) -> npt.NDArray[np.int64]:
    """Every leaf at least as high as each that comes before it in order."""
    while True:
        before = np.where(order, values[:, None], np.iinfo(np.int64).min).max(axis=0)
        raised = np.maximum(values, before)
        if (raised == values).all():
            return values
        values = raised


def _in_order(paths: Sequence[Path], declared: Mapping[int, int], features: Sequence[Feature]) -> Order:
    """(leaves, leaves): whether a customer may move from the first to the second."""
    order = np.ones((len(paths), len(paths)), dtype=np.bool_)
    for index in {feature for path in paths for feature in path.masks}:
        every = (1 << features[index].slots) - 1
        masks = [path.masks.get(index, every) for path in paths]
        fits = np.array([[bool(first & second) for second in masks] for first in masks])
        if index in declared:
            fits |= _later(masks, features[index].regular, declared[index])
        order &= fits
    return order


def _later(masks: Sequence[int], regular: int, direction: int) -> Order:
    """Whether some ordinary slot of the second lies further in the direction than one of the first."""
    ordinary = [mask & ((1 << regular) - 1) for mask in masks]
    lowest = np.array([(m & -m).bit_length() if m else 0 for m in ordinary])
    highest = np.array([m.bit_length() for m in ordinary])
    known = lowest > 0
    first, second = (lowest, highest) if direction > 0 else (-highest, -lowest)
    found: Order = (first[:, None] <= second[None, :]) & known[:, None] & known[None, :]
    return found
