"""Tree: one decision tree as whole numbers.

A node asks which slots of one feature go left: every ordinary slot below ``cuts`` and the slots named in
``others`` (missing, special values, categories). So a value finds its slot once, whatever library grew the
trees, and from there on everything is whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from shouxin.scoring.domain.feature import Feature

# A table of contributions has 2 ** this many entries at most: paths about more features are refused.
FEATURES_ON_A_PATH_MAX = 12


class Tree(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tree. Node 0 is the root; a child from 0 up is a node, below 0 it is the leaf ``~child``.

    ``leaves`` are millionths of a log-odd; ``cover`` says how many training rows (or how much weight) each
    leaf holds. A tree that asks nothing is part of the intercept instead.
    """

    features: tuple[int, ...]
    cuts: tuple[int, ...]
    others: tuple[tuple[int, ...], ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    leaves: tuple[int, ...]
    cover: tuple[float, ...]


def tree_problem(tree: Tree, features: tuple[Feature, ...]) -> str | None:
    """What keeps one tree from being one, or None."""
    nodes = len(tree.features)
    if not nodes:
        return "it asks nothing"
    if {len(tree.cuts), len(tree.others), len(tree.left), len(tree.right)} != {nodes}:
        return "its lists of nodes differ in length"
    if len(tree.leaves) != nodes + 1 or len(tree.cover) != nodes + 1:
        return f"{nodes} nodes have {nodes + 1} leaves, each with its cover"
    if not all(math.isfinite(cover) and cover >= 0 for cover in tree.cover) or not sum(tree.cover) > 0:
        return "a cover is zero or more, and not all are zero"
    for node in range(nodes):
        if problem := _node_problem(tree, node, features):
            return f"{problem}, in node {node}"
    children = (*tree.left, *tree.right)
    if len(set(children)) < 2 * nodes or min(children) < -nodes - 1:
        return "a node or leaf has two parents, or is not there"
    if any(asked > FEATURES_ON_A_PATH_MAX for asked in _asked(tree)):
        return f"a path asks about more than {FEATURES_ON_A_PATH_MAX} features"
    return None


def _node_problem(tree: Tree, node: int, features: tuple[Feature, ...]) -> str | None:
    if not 0 <= tree.features[node] < len(features):
        return "a feature is not there"
    feature = features[tree.features[node]]
    if not 0 <= tree.cuts[node] <= (feature.regular if feature.type == "numeric" else 0):
        return "the cut is not between two slots"
    others = tree.others[node]
    if len(set(others)) < len(others) or not all(0 <= slot < feature.slots for slot in others):
        return "a slot is not there, or named twice"
    for child in (tree.left[node], tree.right[node]):
        if 0 <= child <= node or child >= len(tree.features):
            return "a child does not come after its parent"
    return None


def _asked(tree: Tree) -> Iterator[int]:
    """How many different features the path to each node asks about, the node's own included."""
    paths: dict[int, frozenset[int]] = {0: frozenset()}
    for node, feature in enumerate(tree.features):
        path = paths[node] | {feature}
        paths[tree.left[node]] = paths[tree.right[node]] = path
        yield len(path)
