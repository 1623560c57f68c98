"""Ids: a word that says what it names, then letters that sort by time or follow from content."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import NewType

CustomerId = NewType("CustomerId", str)

# Crockford's base 32: no I, L, O, U, so an id survives a telephone call.
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


def mint(prefix: str, *, now: datetime, entropy: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A new id: ``prefix_`` and 26 letters, 48 bits of milliseconds then 80 random bits (as ULID)."""
    assert now.tzinfo is not None, "an instant has a zone"
    millis = int(now.timestamp() * 1000)
    return f"{prefix}_{_base32(millis, 10)}{_base32(int.from_bytes(entropy(10)), 16)}"


def derived_id(prefix: str, *parts: str) -> str:
    """An id that follows from its parts: the same parts always give the same 26 letters (130 bits)."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return f"{prefix}_{_base32(int.from_bytes(digest) >> (256 - 130), 26)}"


def _base32(value: int, width: int) -> str:
    letters = []
    for _ in range(width):
        letters.append(_LETTERS[value & 31])
        value >>= 5
    return "".join(reversed(letters))
