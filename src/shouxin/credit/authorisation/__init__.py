"""The checkout: may this customer have this amount now, and if so, set it aside.

One call reads what is known of the customer, scores and grades it, asks the live policy, and holds the
amount on the line, all or nothing in one transaction under the lock of the line. A hold ends once: it
is captured when the shop ships (all or a part; the rest is free again and a plan begins), voided, or it
expires. The answer says why, and is kept so that it can be made again to the same bytes.
"""

from shouxin.credit.authorisation.domain import CheckoutRequest, DecisionAnswer, Hold, HoldRefusal
from shouxin.credit.authorisation.service import (
    UnableToDecide,
    apply_for_line,
    capture,
    decide,
    expire_holds,
    find_hold,
    holds_of,
    open_lines_by_grade,
    place_hold,
    void,
)

__all__ = [
    "CheckoutRequest",
    "DecisionAnswer",
    "Hold",
    "HoldRefusal",
    "UnableToDecide",
    "apply_for_line",
    "capture",
    "decide",
    "expire_holds",
    "find_hold",
    "holds_of",
    "open_lines_by_grade",
    "place_hold",
    "void",
]
