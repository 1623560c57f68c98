"""What a customer's events say, as numbers: how often, how much, how late, how recently.

Each number is a *feature* with one definition: what it reads, over which days, what a missing value
means and who answers for it. The same definition gives the value for a nightly batch, for a training set
at dates long past, and for the checkout that is waiting; tests prove the three equal. Nobody standing at
a date sees a fact that happened, or was learnt, after it. What is predicted (an *event of default*) is
defined here in the same way, and a label is refused before its time is over.
"""

from shouxin.features.domain import (
    CANCELS,
    CATALOGUE,
    DEFAULTS,
    EARLY_SIGNS,
    OUTCOMES,
    Direction,
    EventOfDefault,
    FeatureDefinition,
    Missing,
    Topic,
    UnableToDefine,
    UnableToLabel,
    catalogue,
    catalogue_hash,
    catalogue_page,
    definitions_of,
    evaluate,
    told,
    training_points,
)
from shouxin.features.joining import STORED_AT, UnableToJoin, join_stored
from shouxin.features.service import (
    absorb_log,
    compiled,
    compute,
    compute_at,
    count_states,
    forget_states,
    history_period,
    labels,
    population,
    training_set,
    values_at,
    witnessed_values_at,
)
from shouxin.features.skew import FeatureSkew, ServedValues, SkewReport, Witness, is_sampled
from shouxin.features.skewing import check_skew, latest_skew
from shouxin.features.state import AbsorbCount
from shouxin.features.store import UnableToReadHistory

__all__ = [
    "CANCELS",
    "CATALOGUE",
    "DEFAULTS",
    "EARLY_SIGNS",
    "OUTCOMES",
    "STORED_AT",
    "AbsorbCount",
    "Direction",
    "EventOfDefault",
    "FeatureDefinition",
    "FeatureSkew",
    "Missing",
    "ServedValues",
    "SkewReport",
    "Topic",
    "UnableToDefine",
    "UnableToJoin",
    "UnableToLabel",
    "UnableToReadHistory",
    "Witness",
    "absorb_log",
    "catalogue",
    "catalogue_hash",
    "catalogue_page",
    "check_skew",
    "compiled",
    "compute",
    "compute_at",
    "count_states",
    "definitions_of",
    "evaluate",
    "forget_states",
    "history_period",
    "is_sampled",
    "join_stored",
    "labels",
    "latest_skew",
    "population",
    "told",
    "training_points",
    "training_set",
    "values_at",
    "witnessed_values_at",
]
