"""Erasing a customer: a second person's word, nothing owed, then what is personal is gone.

What stays is what law and books need, under blind tokens and our own ids: events, postings, decisions
and the audit, to which the erasure itself is added. What goes is every value that says who it was, and
the keys of it, here and in every copy of the database that was ever made.
"""

from shouxin.identity.erasure.domain import (
    Erasure,
    ErasureRefusal,
    ErasureRefusalReason,
    Obligations,
    erasure_subject,
)
from shouxin.identity.erasure.service import ask_to_erase, erase, erased_at

__all__ = [
    "Erasure",
    "ErasureRefusal",
    "ErasureRefusalReason",
    "Obligations",
    "ask_to_erase",
    "erase",
    "erased_at",
    "erasure_subject",
]
