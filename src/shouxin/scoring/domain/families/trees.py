"""Trees: the family of boosted trees and forests. A score is the sum of one leaf a tree."""

from __future__ import annotations

import msgspec

from shouxin.scoring.domain.families.tree import Tree, tree_problem
from shouxin.scoring.domain.families.tree_scoring import TreeScorer
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.scaling import ENTRY_MAX, MILLION


class Trees(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family", tag="trees"):
    """A sum of trees."""

    trees: tuple[Tree, ...]

    def scorer(self, features: tuple[Feature, ...]) -> TreeScorer:
        """The trees made ready."""
        return TreeScorer(self.trees, features)

    def problem(self, features: tuple[Feature, ...]) -> str | None:
        """What keeps the trees from being a model, or None."""
        if not self.trees:
            return "it has no trees - at `$.body.trees`"
        for index, tree in enumerate(self.trees):
            if problem := tree_problem(tree, features):
                return f"{problem} - at `$.body.trees[{index}]`"
        if sum(max(map(abs, tree.leaves)) for tree in self.trees) > ENTRY_MAX:
            return "its leaves add up to more than is possible - at `$.body.trees`"
        return None

    def scaled(self, millionths: int) -> Trees:
        """The same trees with every leaf times ``millionths`` / 1,000,000."""
        return Trees(
            tuple(
                msgspec.structs.replace(
                    tree, leaves=tuple(round(leaf * millionths / MILLION) for leaf in tree.leaves)
                )
                for tree in self.trees
            )
        )
