"""RawTree: a tree as a library tells it, in one spelling: ``value <= threshold`` goes left, in float64."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


class UnableToImport(ValueError):
    """The model asks its questions in a way that our trees can not repeat exactly."""


@dataclass(slots=True)
class RawTree:
    """Nodes by place; a child from 0 up is a node, below 0 the leaf ``~child``. No nodes: one leaf.

    ``columns`` are the library's. ``codes`` is None for a number, else the category codes that go left.
    ``missing_left`` says where NaN goes.
    """

    columns: list[int] = field(default_factory=list)
    thresholds: list[float] = field(default_factory=list)
    codes: list[frozenset[int] | None] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    leaves: list[float] = field(default_factory=list)
    cover: list[float] = field(default_factory=list)

    def ask(
        self, column: int, threshold: float, *, missing_left: bool, codes: frozenset[int] | None = None
    ) -> int:
        """Add a node whose children are told later; returns its place."""
        self.columns.append(column)
        self.thresholds.append(threshold)
        self.codes.append(codes)
        self.missing_left.append(missing_left)
        self.left.append(0)
        self.right.append(0)
        return len(self.columns) - 1

    def end(self, value: float, cover: float) -> int:
        """Add a leaf; returns the child that stands for it."""
        self.leaves.append(value)
        self.cover.append(cover)
        return ~(len(self.leaves) - 1)


@dataclass(frozen=True, slots=True)
class RawTrees:
    """Trees whose leaves add up to ``intercept + sum`` log-odds."""

    trees: list[RawTree]
    intercept: float = 0.0

    def weighed(self, weight: float) -> RawTrees:
        """The same trees with every leaf, and the intercept, times ``weight``."""
        for tree in self.trees:
            tree.leaves = [leaf * weight for leaf in tree.leaves]
        return RawTrees(self.trees, self.intercept * weight)


def last_below(threshold: np.float32) -> float:
    """The largest float64 rounding to a float32 below ``threshold``: ``float32(x) < t`` is ``x <= this``."""
    return last_rounding_to(np.nextafter(threshold, np.float32(-np.inf)))


def last_rounding_to(value: np.float32) -> float:
    """The largest float64 whose nearest float32 is ``value``: ``float32(x) <= v`` is ``x <= this``."""
    if np.isinf(value):
        return float(value)
    middle = (float(value) + float(np.nextafter(value, np.float32(np.inf)))) / 2
    return middle if np.float32(middle) <= value else float(np.nextafter(middle, -np.inf))
