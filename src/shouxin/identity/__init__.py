"""Identity: which records are one customer, and how much of the person an operator gets to see.

Every reference that a source uses leads to one customer. Two customers become one only when the
same phone, e-mail or national id was *verified* under both, never because names look alike; where
two people with different national ids share a phone, nobody is merged and the conflict is shown.
What is personal stays sealed: pages get masked values, and a clear one needs a permission and a
reason, and leaves a trace in the audit.
"""

from shouxin.identity.disclosing import disclose
from shouxin.identity.domain import (
    Conflict,
    ConflictRow,
    MaskedProfile,
    RevealRefusal,
    RevealRefusalReason,
    UnifyCount,
    masked,
)
from shouxin.identity.domain.disclosure import DisclosureRefusal, PersonalValue
from shouxin.identity.erasure import (
    Erasure,
    ErasureRefusal,
    ErasureRefusalReason,
    Obligations,
    ask_to_erase,
    erase,
)
from shouxin.identity.service import (
    UnableToLink,
    ensure_customer,
    find_customer,
    links,
    list_conflicts,
    masked_names,
    masked_profile,
    references_of,
    reveal,
    unify,
)

__all__ = [
    "Conflict",
    "ConflictRow",
    "DisclosureRefusal",
    "Erasure",
    "ErasureRefusal",
    "ErasureRefusalReason",
    "MaskedProfile",
    "Obligations",
    "PersonalValue",
    "RevealRefusal",
    "RevealRefusalReason",
    "UnableToLink",
    "UnifyCount",
    "ask_to_erase",
    "disclose",
    "ensure_customer",
    "erase",
    "find_customer",
    "links",
    "list_conflicts",
    "masked",
    "masked_names",
    "masked_profile",
    "references_of",
    "reveal",
    "unify",
]
