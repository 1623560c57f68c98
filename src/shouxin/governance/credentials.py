"""Credentials: password hashes (Argon2id), codes (TOTP, RFC 6238) and tokens stored as hashes only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Sequence
from functools import cache

import pyotp
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from shouxin.governance.domain.access import PASSWORD_LENGTH_MAX, TOTP_STEP_SECONDS

_ISSUER = "Shouxin"
# OWASP's second recommendation for Argon2id: 19 MiB, two passes, one lane, so that sixty-four
# people signing in at once do not fill a small machine.
_passwords = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))


def hash_password(password: str) -> str:
    """The Argon2id hash to store."""
    return _passwords.hash(_spelt(password))


def password_matches(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one; takes as long when nothing is stored, or a book is sent."""
    can_be = len(password) <= PASSWORD_LENGTH_MAX
    known = _passwords.verify(_spelt(password if can_be else ""), stored or _nobody())
    return known and can_be and stored is not None


def new_totp_secret() -> str:
    """A new secret for a code generator (base32, 160 bits)."""
    return pyotp.random_base32()


def totp_purpose(operator_id: str) -> str:
    """What the sealed secret of a code generator is bound to: it opens for this operator only."""
    return f"totp {operator_id}"


def totp_uri(secret: str, *, name: str) -> str:
    """The ``otpauth://`` URI that a code generator reads from a QR code."""
    return pyotp.TOTP(secret, interval=TOTP_STEP_SECONDS).provisioning_uri(name=name, issuer_name=_ISSUER)


def matching_step(secret: str, code: str, *, steps: Sequence[int]) -> int | None:
    """The step among ``steps`` whose code this is, or None; looks at all of them in any case."""
    generator = pyotp.TOTP(secret, interval=TOTP_STEP_SECONDS)
    typed = "".join(code.split()).encode(errors="replace")
    found = [s for s in steps if hmac.compare_digest(generator.generate_otp(s).encode(), typed)]
    return found[-1] if found else None


def new_token(prefix: str) -> str:
    """A secret token, ``prefix_`` and 256 random bits."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def token_hash(token: str) -> str:
    """What is stored of a token: a fast hash is enough for 256 random bits."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def csrf_token(session_token: str) -> str:
    """The token that the forms of one session carry; it follows from the session and is not stored."""
    return hmac.new(session_token.encode(errors="replace"), b"csrf", "sha256").hexdigest()


def _spelt(password: str) -> bytes:
    """One spelling whichever keyboard typed it (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")


@cache
def _nobody() -> str:
    """A hash of no password that anybody knows, to verify against for names that are unknown."""
    return _passwords.hash(secrets.token_urlsafe(32))
