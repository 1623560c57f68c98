"""What the skew monitor holds against each other, and what it says of it. Pure."""

from shouxin.features.skew.domain.report import (
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
    report_from,
)

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
    "is_sampled",
    "report_from",
]
