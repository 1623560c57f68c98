"""The skew monitor: are the values that decided those that the history gives?"""

from shouxin.features.skew.domain import (
    Cause,
    FeatureSkew,
    Known,
    ServedValues,
    SkewReport,
    Witness,
    cause_of,
    differences,
    gathered,
    is_sampled,
)
from shouxin.features.skew.store import insert_run, latest_run

__all__ = [
    "Cause",
    "FeatureSkew",
    "Known",
    "ServedValues",
    "SkewReport",
    "Witness",
    "cause_of",
    "differences",
    "gathered",
    "insert_run",
    "is_sampled",
    "latest_run",
]
