"""Identity: which records are one customer, and how much of the person an operator gets to see.

Every reference that a source uses leads to one customer. Two customers become one when the same
phone, e-mail or national id was *verified* under both, when an operator ruled so, or when all that
their records say agrees enough, never because names alone look alike; where two people with different
national ids share a phone, nobody is merged and the conflict is shown. What a machine can not settle
waits for an operator, and whatever was merged can be split again.
What is personal stays sealed: pages get masked values, and a clear one needs a permission and a
reason, and leaves a trace in the audit.
"""

from shouxin.identity.disclosing import disclose
from shouxin.identity.domain import (
    Conflict,
    ConflictRow,
    Evidence,
    LinkageWeights,
    MaskedProfile,
    RevealRefusal,
    RevealRefusalReason,
    Ruling,
    RulingRefusal,
    RulingRefusalReason,
    UnifyCount,
    Verdict,
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
from shouxin.identity.learning import LinkageTraining, train_linkage
from shouxin.identity.online import LookAlike, default_weights, forget_matching, look_alikes, weights_in_use
from shouxin.identity.proving import are_proven_one, is_proven, own_customer
from shouxin.identity.ruling import (
    merge_customers,
    part_customers,
    split_customer,
    undo_ruling,
)
from shouxin.identity.rulings import MatchMerge, PossibleMatch, match_merges, possible_matches
from shouxin.identity.rulings import newest as list_rulings
from shouxin.identity.service import (
    UnableToLink,
    customer_as_of,
    ensure_customer,
    find_customer,
    links,
    list_conflicts,
    masked_names,
    masked_profile,
    memberships,
    names_of,
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
    "Evidence",
    "LinkageTraining",
    "LinkageWeights",
    "LookAlike",
    "MaskedProfile",
    "MatchMerge",
    "Obligations",
    "PersonalValue",
    "PossibleMatch",
    "RevealRefusal",
    "RevealRefusalReason",
    "Ruling",
    "RulingRefusal",
    "RulingRefusalReason",
    "UnableToLink",
    "UnifyCount",
    "Verdict",
    "are_proven_one",
    "ask_to_erase",
    "customer_as_of",
    "default_weights",
    "disclose",
    "ensure_customer",
    "erase",
    "find_customer",
    "forget_matching",
    "is_proven",
    "links",
    "list_conflicts",
    "list_rulings",
    "look_alikes",
    "masked",
    "masked_names",
    "masked_profile",
    "match_merges",
    "memberships",
    "merge_customers",
    "names_of",
    "own_customer",
    "part_customers",
    "possible_matches",
    "references_of",
    "reveal",
    "split_customer",
    "train_linkage",
    "undo_ruling",
    "unify",
    "weights_in_use",
]
