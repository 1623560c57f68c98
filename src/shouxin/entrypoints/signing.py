"""How requests to providers are signed: an HMAC over what is asked, when, and the exact body."""

from __future__ import annotations

import hashlib
import hmac

KEY_HEADER = "X-Shouxin-Key"
TIME_HEADER = "X-Shouxin-Time"
SIGNATURE_HEADER = "X-Shouxin-Signature"


def signature(secret: str, *, method: str, path: str, time: str, body: bytes) -> str:
    """The HMAC-SHA256 in hexadecimal; ``time`` is whole seconds since 1970 as text."""
    message = "\n".join((method, path, time, hashlib.sha256(body).hexdigest()))
    return hmac.new(secret.encode(), message.encode(), "sha256").hexdigest()
