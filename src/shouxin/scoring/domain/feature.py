"""One input of a model: how its value finds a slot, and what the training rows looked like.

Slots. A numeric feature has ``len(edges) + 1`` slots (slot ``k`` holds ``edges[k-1] <= value < edges[k]``),
then one for missing, then one for each special value. A category feature has one slot a group of
categories, then missing, then unseen. A family of models that does not slice a number has no edges. A
sequence (``features.sequences``) has one slot for what is there and one for missing.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

import msgspec

from shouxin.kernel import Bilingual


class Feature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input: how its value finds a slot, and what the training rows looked like.

    ``direction`` is 1 where more is riskier, -1 where more is safer, 0 where nothing was declared.
    ``unseen`` is the group that a category never met in training falls into; where it is None, such a
    category has the last slot, of its own: neutral in a table, in a tree what the trees say of that slot.
    ``rows`` counts the training rows of each slot; ``typical`` is the median of the known values.
    ``topic`` is what it is about: reasons of one topic are told as one. It is left out where nobody said.
    """

    name: str
    type: Literal["numeric", "category", "sequence"]
    rows: tuple[int, ...]
    edges: tuple[float, ...] = ()
    pair_edges: tuple[float, ...] = ()
    special: tuple[float, ...] = ()
    categories: tuple[tuple[str, ...], ...] = ()
    unseen: int | None = None
    direction: Literal[-1, 0, 1] = 0
    typical: float | None = None
    meaning: dict[str, str] | None = None
    topic: str | msgspec.UnsetType = msgspec.UNSET

    @property
    def regular(self) -> int:
        """How many slots hold ordinary values; the next one holds missing."""
        if self.type == "category":
            return len(self.categories)
        return len(self.edges) + 1

    @property
    def slots(self) -> int:
        """How many slots a table of this feature alone has."""
        return self.regular + 1 + (1 if self.type == "category" else len(self.special))

    @property
    def pair_slots(self) -> int:
        """How many slots this feature has in a table of two."""
        return self.slots if self.type == "category" else len(self.pair_edges) + 2 + len(self.special)

    @property
    def label(self) -> Bilingual:
        """What people call this feature; its name where nothing better is known."""
        return Bilingual(**self.meaning) if self.meaning else Bilingual(self.name, self.name)


def feature_problem(feature: Feature) -> str | None:
    """What keeps a well-typed feature from being one, or None."""
    if problem := _values_problem(feature):
        return problem
    if feature.unseen is not None and not 0 <= feature.unseen < len(feature.categories):
        return "unseen names no group"
    if len(feature.rows) != feature.slots or min(feature.rows) < 0:
        return f"rows has {len(feature.rows)} counts for {feature.slots} slots"
    if feature.meaning is not None and not (
        set(feature.meaning) == {"zh", "en"} and all(feature.meaning.values())
    ):
        return "meaning has a text in zh and in en"
    return None


def _values_problem(feature: Feature) -> str | None:
    """What is wrong with the edges, special values and categories that it names."""
    numbers = (*feature.edges, *feature.pair_edges, *feature.special)
    if not all(map(math.isfinite, numbers)):
        return "edges and special values are finite"
    if any(a >= b for edges in (feature.edges, feature.pair_edges) for a, b in pairwise(edges)):
        return "edges do not rise"
    if len(set(feature.special)) < len(feature.special):
        return "a special value is named twice"
    known = [category for group in feature.categories for category in group]
    if len(set(known)) < len(known):
        return "a category is in two groups"
    if feature.type == "category" and (numbers or not feature.categories):
        return "a category feature has categories, and no edges or special values"
    if feature.type != "category" and (known or feature.unseen is not None):
        return f"a {feature.type} feature has no categories"
    if feature.type == "sequence" and numbers:
        return "a sequence has no edges or special values"
    return None
