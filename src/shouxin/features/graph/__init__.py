"""Links: who shares a device, a card, an address or a contact with whom, and what that says.

Two customers are linked when both were seen with the same token; nothing clear is read. A token of a crowd
links nobody. From the links follow shop-wide features (how many share with her, how near the next known bad
customer is) and a list of suspected rings for those who look for fraud. A customer who took her agreement
back is in no link: neither hers nor anybody else's.
"""

from shouxin.features.graph.domain import FEATURES, KINDS, SuspectedRing, alone
from shouxin.features.graph.service import find_rings, link_features

__all__ = ["FEATURES", "KINDS", "SuspectedRing", "alone", "find_rings", "link_features"]
