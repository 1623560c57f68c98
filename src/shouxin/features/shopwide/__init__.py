"""Shop-wide features: what only the other customers can tell about one.

Links, risk patterns and tastes are looked at once a night and kept, customer by customer; the checkout reads
what was kept, a training set computes the same from the history. Rows are kept only where they changed, and
nothing kept is ever changed. A night that was missed stays missing: its features are null, and the monitor
tells of it.
"""

from shouxin.features.domain.shopwide import ShopwideFeature, last_midnight, night_of
from shouxin.features.shopwide.domain import NAMES, SHOPWIDE, VERSION, KeptNight
from shouxin.features.shopwide.service import (
    UnableToKeepNight,
    append_shopwide,
    keep_night,
    nights_missing,
    patterns_in_force,
    shopwide_at,
    shopwide_night,
    strongest_pattern,
)

__all__ = [
    "NAMES",
    "SHOPWIDE",
    "VERSION",
    "KeptNight",
    "ShopwideFeature",
    "UnableToKeepNight",
    "append_shopwide",
    "keep_night",
    "last_midnight",
    "night_of",
    "nights_missing",
    "patterns_in_force",
    "shopwide_at",
    "shopwide_night",
    "strongest_pattern",
]
