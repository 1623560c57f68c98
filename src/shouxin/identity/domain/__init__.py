"""The values and decisions of identity: matching, masking and the profile. Pure."""

from shouxin.governance.domain.masking import masked
from shouxin.identity.domain.matching import (
    MATCHING_FIELDS,
    SHARED_BY_MAX,
    Conflict,
    Identifier,
    Matching,
    Merge,
    ReferenceIdentifier,
    match,
)
from shouxin.identity.domain.person import (
    REASON_LENGTH_MIN,
    ConflictRow,
    MaskedProfile,
    RevealRefusal,
    RevealRefusalReason,
    UnifyCount,
    reveal_refusal,
    verified_fields,
)

__all__ = [
    "MATCHING_FIELDS",
    "REASON_LENGTH_MIN",
    "SHARED_BY_MAX",
    "Conflict",
    "ConflictRow",
    "Identifier",
    "MaskedProfile",
    "Matching",
    "Merge",
    "ReferenceIdentifier",
    "RevealRefusal",
    "RevealRefusalReason",
    "UnifyCount",
    "masked",
    "match",
    "reveal_refusal",
    "verified_fields",
]
