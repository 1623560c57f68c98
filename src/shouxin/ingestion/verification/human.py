"""The human check: a price in work on every code that is asked for, so that nobody asks for a million.

A challenge names its own end and is signed, so nothing is kept of one that is never answered. Each is
taken once. It tells a browser from a flood, not a person from a patient program: a shop that wants
more puts a service of its choice before our door.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from sqlalchemy import Connection

from shouxin.governance import Keyring
from shouxin.ingestion.verification import store
from shouxin.ingestion.verification.domain import Challenge

_VALID = timedelta(minutes=10)
# About 130,000 hashes: a tenth of a second in a browser.
_ZERO_BITS = 17
_PARTS = 3


def new_challenge(keyring: Keyring, *, nonce: str, now: datetime) -> Challenge:
    """A challenge that ends in ten minutes; ``nonce`` is a random word without a dot."""
    assert "." not in nonce, "a nonce has no dot"
    body = f"{int((now + _VALID).timestamp())}.{nonce}"
    return Challenge(f"{body}.{_signed(keyring, body)}", _ZERO_BITS)


def check_human(db: Connection, keyring: Keyring, answer: str, *, now: datetime) -> bool:
    """Whether ``<challenge>:<number>`` answers a challenge of ours that has not ended and was not used."""
    text, _, number = answer.rpartition(":")
    parts = text.split(".")
    if len(parts) != _PARTS or not number.isascii() or not number.isdigit() or len(number) > 20:
        return False
    ends, nonce, signature = parts
    if not hmac.compare_digest(signature.encode(), _signed(keyring, f"{ends}.{nonce}").encode()):
        return False
    digest = hashlib.sha256(answer.encode()).digest()
    if now.timestamp() > int(ends) or int.from_bytes(digest) >> (256 - _ZERO_BITS):
        return False
    return store.spend_challenge(db, hashlib.sha256(text.encode()).hexdigest(), now=now)


def _signed(keyring: Keyring, body: str) -> str:
    return keyring.token("challenge", body)
