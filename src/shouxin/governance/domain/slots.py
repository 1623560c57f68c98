"""Slots: which of the wrapping keys outside the database a subject's data key lies under.

A wrapping key can be destroyed, and with it every copy of what it wrapped, wherever that copy is. One
key a customer would make the key file as large as the customer table; one for all would make forgetting
one customer mean wrapping everybody's key anew. So there are 1,024, and forgetting one customer wraps
anew what shares a slot with them: a thousand keys of a million.
"""

from __future__ import annotations

import hashlib

SLOTS = 1024
# What the master key itself wrapped, before there were slots.
UNDER_MASTER = 0
FIRST_GENERATION = 1


def slot_of(subject: str) -> int:
    """The slot of a subject: the first ten bits of its SHA-256 (the migration computes the same in SQL)."""
    digest = hashlib.sha256(subject.encode()).digest()
    return digest[0] * 4 + digest[1] // 64
