"""Paths and cells: which slots lead to a leaf, and leaves joined where one small table can tell of them all.

A *cell* is a part of a tree whose leaves are told apart by few enough states of few features: each
feature's slots fall into classes that the cell can not tell apart, and a class for each feature is one entry.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.families.tree import Tree


class Path(NamedTuple):
    """How a leaf is reached: by feature the slots that lead there, a bit each, and the cover kept."""

    leaf: int
    value: int
    masks: dict[int, int]
    shares: dict[int, float]

    @property
    def weight(self) -> float:
        """The share of all cover that this leaf holds."""
        weight = 1.0
        for share in self.shares.values():
            weight *= share
        return weight


@dataclass(frozen=True, slots=True)
class Cell:
    """Some leaves of one tree, and for each feature the classes of slots that tell them apart."""

    paths: Sequence[Path]
    classes: dict[int, list[int]]

    @property
    def size(self) -> int:
        """How many entries its table has."""
        return math.prod(map(len, self.classes.values()))


@dataclass(slots=True)
class _Walk:
    """Every leaf of a tree in the order in which it is met, and which leaves lie below each node."""

    paths: list[Path]
    spans: dict[int, tuple[int, int]]


def paths_of(tree: Tree, slots: Sequence[int]) -> list[Path]:
    """The paths of a tree's leaves, left before right; ``slots`` is how many each feature has."""
    return _walked(tree, slots).paths


def cells_of(tree: Tree, slots: Sequence[int], *, entries_max: int) -> list[Cell]:
    """The tree in as few cells as ``entries_max`` a table allows; a leaf alone is always one."""
    walk = _walked(tree, slots)
    cells: list[Cell] = []
    waiting = [0]
    while waiting:
        node = waiting.pop()
        start, end = walk.spans[node]
        paths = walk.paths[start:end]
        classes = _classes(paths, slots, None if node < 0 else entries_max)
        if classes is None:
            waiting += [tree.right[node], tree.left[node]]
        else:
            cells.append(Cell(paths, classes))
    return cells


def left_mask(tree: Tree, node: int) -> int:
    """The slots that go left at a node, a bit each."""
    mask = (1 << tree.cuts[node]) - 1
    for slot in tree.others[node]:
        mask |= 1 << slot
    return mask


def slots_in(mask: int, count: int) -> npt.NDArray[np.intp]:
    """The slots whose bits are set."""
    octets = np.frombuffer(mask.to_bytes(count // 8 + 1, "little"), dtype=np.uint8)
    return np.flatnonzero(np.unpackbits(octets, bitorder="little"))


def _walked(tree: Tree, slots: Sequence[int]) -> _Walk:
    covers = _node_covers(tree)
    walk = _Walk([], {})

    def visit(node: int, masks: dict[int, int], shares: dict[int, float]) -> None:
        start = len(walk.paths)
        if node < 0:
            walk.paths.append(Path(~node, tree.leaves[~node], masks, shares))
        else:
            feature, whole = tree.features[node], covers[node]
            every = masks.get(feature, (1 << slots[feature]) - 1)
            goes = left_mask(tree, node)
            for child, mask in ((tree.left[node], every & goes), (tree.right[node], every & ~goes)):
                kept = covers[child] / whole if whole > 0 else 0.0
                visit(
                    child,
                    masks | {feature: mask},
                    shares | {feature: shares.get(feature, 1.0) * kept},
                )
        walk.spans[node] = (start, len(walk.paths))

    visit(0, {}, {})
    return walk


def _node_covers(tree: Tree) -> dict[int, float]:
    covers: dict[int, float] = {~leaf: float(cover) for leaf, cover in enumerate(tree.cover)}
    for node in range(len(tree.features) - 1, -1, -1):
        covers[node] = covers[tree.left[node]] + covers[tree.right[node]]
    return covers


def _classes(
    paths: Sequence[Path], slots: Sequence[int], entries_max: int | None
) -> dict[int, list[int]] | None:
    """By feature the classes of slots that these paths can not tell apart; None where they are too many."""
    asked: dict[int, dict[int, Any]] = {}
    for path in paths:
        for feature, mask in path.masks.items():
            asked.setdefault(feature, {})[mask] = None
    size, found = 1, {}
    for feature, masks in asked.items():
        classes = [(1 << slots[feature]) - 1]
        for mask in masks:
            classes = [part for whole in classes for part in (whole & mask, whole & ~mask) if part]
        found[feature] = classes
        size *= len(classes)
        if entries_max is not None and size > entries_max:
            return None
    return found
