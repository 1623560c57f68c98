"""Neighbourhood: how those fared who buy alike, and how rare a customer's basket is.

Things are alike when the same customers buy them. The default rate of the things alike, drawn towards that
of everybody while few outcomes are known, is a shop-wide feature; a customer's own outcome is left out of
her own. What is alike and how its holders fared is learnt when a month begins, from outcomes whose time was
over by then; the basket is that of the night.
"""

from shouxin.features.neighbourhood.domain import FEATURES
from shouxin.features.neighbourhood.service import taste_features

__all__ = ["FEATURES", "taste_features"]
