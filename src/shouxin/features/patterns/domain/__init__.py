"""Frequent sets of items, what rules from them are worth, and risk patterns as a document. Pure."""

from shouxin.features.patterns.domain.document import (
    NO_PATTERN,
    PatternDocument,
    RiskPattern,
    lifts,
    matched,
)
from shouxin.features.patterns.domain.features import FEATURES
from shouxin.features.patterns.domain.growth import Basket, frequent_sets
from shouxin.features.patterns.domain.items import (
    BEHAVIOURS,
    CATEGORY_DAYS,
    ITEMS_MAX,
    Item,
    category_item,
    masks_of,
)
from shouxin.features.patterns.domain.measures import (
    Evidence,
    Figure,
    each_certain,
    wilson,
    within_false_discovery,
)
from shouxin.features.patterns.domain.mining import LENGTH_MAX, Dates, Sample, mine

__all__ = [
    "BEHAVIOURS",
    "CATEGORY_DAYS",
    "FEATURES",
    "ITEMS_MAX",
    "LENGTH_MAX",
    "NO_PATTERN",
    "Basket",
    "Dates",
    "Evidence",
    "Figure",
    "Item",
    "PatternDocument",
    "RiskPattern",
    "Sample",
    "category_item",
    "each_certain",
    "frequent_sets",
    "lifts",
    "masks_of",
    "matched",
    "mine",
    "wilson",
    "within_false_discovery",
]
