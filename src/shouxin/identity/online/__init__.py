"""Online: one new record against all that are known, compared by codes under a key, never in clear text."""

from shouxin.identity.online.service import (
    KEY_SHARED_MAX,
    LookAlike,
    default_weights,
    keep_records,
    keep_weights,
    likeness_of,
    look_alikes,
    pairs_of,
    weigh_again,
    weights_in_use,
)
from shouxin.identity.online.store import forget_matching, put_records, some_records

__all__ = [
    "KEY_SHARED_MAX",
    "LookAlike",
    "default_weights",
    "forget_matching",
    "keep_records",
    "keep_weights",
    "likeness_of",
    "look_alikes",
    "pairs_of",
    "put_records",
    "some_records",
    "weigh_again",
    "weights_in_use",
]
