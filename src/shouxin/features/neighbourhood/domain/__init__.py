"""What is bought by the same customers, and how those fared who buy alike. Pure."""

from shouxin.features.neighbourhood.domain.features import FEATURES
from shouxin.features.neighbourhood.domain.tastes import (
    ALIKE_MAX,
    MILLION,
    PRIOR_CUSTOMERS,
    TOGETHER_MIN,
    Known,
    Tastes,
    likeness,
    purchases,
    tastes,
)

__all__ = [
    "ALIKE_MAX",
    "FEATURES",
    "MILLION",
    "PRIOR_CUSTOMERS",
    "TOGETHER_MIN",
    "Known",
    "Tastes",
    "likeness",
    "purchases",
    "tastes",
]
