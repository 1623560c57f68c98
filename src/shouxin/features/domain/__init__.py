"""Definitions of features and of events of default, and their computation over a list of events. Pure."""

from shouxin.features.domain.aggregates import (
    Aggregate,
    Aggregation,
    Difference,
    Formula,
    Ratio,
    aggregates_in,
    kinds_of,
)
from shouxin.features.domain.catalogue import CATALOGUE, catalogue, catalogue_hash, definitions_of
from shouxin.features.domain.definition import (
    Direction,
    Entity,
    FeatureDefinition,
    Missing,
    parts_of,
)
from shouxin.features.domain.evaluation import Row, aggregate, combined, evaluate, number_of, settled
from shouxin.features.domain.fields import (
    AMOUNT,
    KIND,
    ORDER,
    VALID_DAYS,
    Comparison,
    Condition,
    Field,
    Origin,
    UnableToDefine,
)
from shouxin.features.domain.outcomes import (
    CANCELS,
    DEFAULTS,
    EARLY_SIGNS,
    OUTCOMES,
    EventOfDefault,
    UnableToLabel,
    check_mature,
    label,
    training_points,
)
from shouxin.features.domain.page import catalogue_page
from shouxin.features.domain.reading import THOUSANDTHS_DIGITS, Value, read, satisfies, test_of
from shouxin.features.domain.telling import told
from shouxin.features.domain.topics import Topic
from shouxin.features.domain.units import OWNER_WORDS, UNIT_WORDS

__all__ = [
    "AMOUNT",
    "CANCELS",
    "CATALOGUE",
    "DEFAULTS",
    "EARLY_SIGNS",
    "KIND",
    "ORDER",
    "OUTCOMES",
    "OWNER_WORDS",
    "THOUSANDTHS_DIGITS",
    "UNIT_WORDS",
    "VALID_DAYS",
    "Aggregate",
    "Aggregation",
    "Comparison",
    "Condition",
    "Difference",
    "Direction",
    "Entity",
    "EventOfDefault",
    "FeatureDefinition",
    "Field",
    "Formula",
    "Missing",
    "Origin",
    "Ratio",
    "Row",
    "Topic",
    "UnableToDefine",
    "UnableToLabel",
    "Value",
    "aggregate",
    "aggregates_in",
    "catalogue",
    "catalogue_hash",
    "catalogue_page",
    "check_mature",
    "combined",
    "definitions_of",
    "evaluate",
    "kinds_of",
    "label",
    "number_of",
    "parts_of",
    "read",
    "satisfies",
    "settled",
    "test_of",
    "told",
    "training_points",
]
