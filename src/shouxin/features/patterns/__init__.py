"""Patterns: which things that customers do, taken together, go before a default.

Every month sets of behaviours are counted on customers whose outcome is known; those that go with the event
of default and still do so later, on other customers, are kept as a document with its own name. A customer
then has the lift of the strongest pattern that matches, and the pattern can be told in words.
"""

from shouxin.features.patterns.domain import (
    FEATURES,
    Evidence,
    PatternDocument,
    RiskPattern,
    frequent_sets,
)
from shouxin.features.patterns.service import (
    UnableToMinePatterns,
    mine_patterns,
    pattern_features,
)

__all__ = [
    "FEATURES",
    "Evidence",
    "PatternDocument",
    "RiskPattern",
    "UnableToMinePatterns",
    "frequent_sets",
    "mine_patterns",
    "pattern_features",
]
