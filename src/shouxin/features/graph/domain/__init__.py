"""Links between customers as whole numbers, and what follows from them. Pure."""

from shouxin.features.graph.domain.components import components, sizes
from shouxin.features.graph.domain.distances import STEPS_MAX, distances
from shouxin.features.graph.domain.features import (
    FEATURES,
    GROWTH_DAYS,
    NAMES,
    alone,
    feature_values,
)
from shouxin.features.graph.domain.links import (
    HUB_CUSTOMERS,
    KINDS,
    Links,
    incidence,
    purposes_of_kind,
    without_hubs,
)
from shouxin.features.graph.domain.neighbours import MILLION, badness, joined_together, neighbours
from shouxin.features.graph.domain.rings import MEMBERS_MIN, SuspectedRing, suspected_rings

__all__ = [
    "FEATURES",
    "GROWTH_DAYS",
    "HUB_CUSTOMERS",
    "KINDS",
    "MEMBERS_MIN",
    "MILLION",
    "NAMES",
    "STEPS_MAX",
    "Links",
    "SuspectedRing",
    "alone",
    "badness",
    "components",
    "distances",
    "feature_values",
    "incidence",
    "joined_together",
    "neighbours",
    "purposes_of_kind",
    "sizes",
    "suspected_rings",
    "without_hubs",
]
