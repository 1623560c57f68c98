"""Ways in: passwords, codes, lock-out, sessions, invitations and keys for programs, as decisions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shouxin.governance.domain.people import Operator
from shouxin.kernel import Bilingual

PASSWORD_LENGTH_MIN = 12
# Argon2 reads all of it; the ceiling only keeps somebody from sending a book.
PASSWORD_LENGTH_MAX = 256
FAILURES_MAX = 5
LOCK_OUT = timedelta(minutes=15)
SESSION_IDLE = timedelta(minutes=30)
SESSION_ABSOLUTE = timedelta(hours=12)
INVITATION_VALID = timedelta(days=7)
TOTP_STEP_SECONDS = 30
# A clock may be one step fast or slow (RFC 6238, 5.2).
TOTP_STEPS_ASIDE = 1


class SetupRefusalReason(StrEnum):
    """Why an invitation was not completed, by precedence."""

    INVITATION_NOT_VALID = "invitation_not_valid"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    CONTAINS_NAME = "contains_name"
    TOO_SIMPLE = "too_simple"
    WRONG_CODE = "wrong_code"


class SignInRefusalReason(StrEnum):
    """Why nobody was let in. Unknown name, wrong password and wrong code are one answer."""

    LOCKED = "locked"
    WRONG_CREDENTIALS = "wrong_credentials"


_R = SetupRefusalReason
_SETUP_TEXTS = {
    _R.INVITATION_NOT_VALID: Bilingual(
        "邀请链接无效、已使用或已过期，请向管理员索取新的链接。",
        "This invitation is unknown, used or expired; ask an administrator for a new one.",
    ),
    _R.TOO_SHORT: Bilingual(
        f"密码至少需要 {PASSWORD_LENGTH_MIN} 个字符。",
        f"A password has at least {PASSWORD_LENGTH_MIN} characters.",
    ),
    _R.TOO_LONG: Bilingual(
        f"密码最多 {PASSWORD_LENGTH_MAX} 个字符。",
        f"A password has at most {PASSWORD_LENGTH_MAX} characters.",
    ),
    _R.CONTAINS_NAME: Bilingual("密码不能包含用户名。", "A password does not contain your name."),
    _R.TOO_SIMPLE: Bilingual(
        "密码过于简单，请使用更多不同的字符。", "This password is too simple; use more different characters."
    ),
    _R.WRONG_CODE: Bilingual(
        "验证码不正确，请检查手机时间后重试。",
        "The code is not right; check the clock of your phone and try again.",
    ),
}
_SIGN_IN_TEXTS = {
    SignInRefusalReason.LOCKED: Bilingual(
        "失败次数过多，请 15 分钟后再试。", "Too many failures; try again in 15 minutes."
    ),
    SignInRefusalReason.WRONG_CREDENTIALS: Bilingual(
        "用户名、密码或验证码不正确。", "The name, the password or the code is not right."
    ),
}
_DIFFERENT_CHARACTERS_MIN = 5


@dataclass(frozen=True, slots=True)
class SetupRefusal:
    """The invitation was not completed; it can be tried again unless it is not valid."""

    reason: SetupRefusalReason

    @property
    def text(self) -> Bilingual:
        """What to tell the person."""
        return _SETUP_TEXTS[self.reason]


@dataclass(frozen=True, slots=True)
class SignInRefusal:
    """Nobody was let in. Commit the transaction all the same: it counts the failure."""

    reason: SignInRefusalReason

    @property
    def text(self) -> Bilingual:
        """What to tell the person; it never says which of the three was wrong."""
        return _SIGN_IN_TEXTS[self.reason]


@dataclass(frozen=True, slots=True)
class Invitation:
    """A new operator and the one-time token that lets them set their credentials; shown once."""

    operator: Operator
    setup_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation that can still be used."""

    operator: Operator
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SetupSecret:
    """What the code generator of a new operator needs: the secret, and the same as a URI for a QR code."""

    operator: Operator
    totp_secret: str = field(repr=False)
    totp_uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in. The tokens are for the cookie and the forms; neither is ever stored."""

    session_token: str = field(repr=False)
    operator: Operator
    csrf_token: str = field(repr=False)
    signed_in_at: datetime
    expires_at: datetime


class Scope(StrEnum):
    """What a program may do through the API."""

    EVENTS_WRITE = "events.write"
    DECISIONS_WRITE = "decisions.write"
    CUSTOMERS_READ = "customers.read"
    LINES_WRITE = "lines.write"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A program's key: what it may do, and the source that everything it sends is booked under."""

    key_id: str
    name: str
    scopes: frozenset[Scope]
    source: str


@dataclass(frozen=True, slots=True)
class Guard:
    """How often signing in under one name failed of late, and until when it is locked."""

    failures: int = 0
    last_failed_at: datetime | None = None
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        """Whether nobody is let in under this name now, with any password."""
        return self.locked_until is not None and now < self.locked_until

    def after_failure(self, now: datetime) -> Guard:
        """One failure more; the fifth within the lock-out time locks, and old failures are forgotten."""
        recent = self.last_failed_at is not None and now - self.last_failed_at < LOCK_OUT
        served = self.locked_until is not None and now >= self.locked_until
        failures = self.failures + 1 if recent and not served else 1
        locked_until = now + LOCK_OUT if failures >= FAILURES_MAX else None
        return replace(self, failures=failures, last_failed_at=now, locked_until=locked_until)


def password_refusal(password: str, *, name: str) -> SetupRefusalReason | None:
    """Why this password is not good enough for this operator, or None.

    Length counts more than kinds of characters (NIST SP 800-63B, 3.1.1.2).
    """
    if len(password) < PASSWORD_LENGTH_MIN:
        return SetupRefusalReason.TOO_SHORT
    if len(password) > PASSWORD_LENGTH_MAX:
        return SetupRefusalReason.TOO_LONG
    if name.casefold() in password.casefold():
        return SetupRefusalReason.CONTAINS_NAME
    if len(set(password)) < _DIFFERENT_CHARACTERS_MIN:
        return SetupRefusalReason.TOO_SIMPLE
    return None


def candidate_steps(now: datetime, *, step_used: int) -> tuple[int, ...]:
    """The code steps that count now, each later than the last one used: a code is good once."""
    step = int(now.timestamp()) // TOTP_STEP_SECONDS
    return tuple(
        candidate
        for candidate in range(step - TOTP_STEPS_ASIDE, step + TOTP_STEPS_ASIDE + 1)
        if candidate > step_used
    )


def session_end(*, signed_in_at: datetime, last_seen_at: datetime) -> datetime:
    """When a session ends by itself: 30 minutes idle, 12 hours in all."""
    return min(last_seen_at + SESSION_IDLE, signed_in_at + SESSION_ABSOLUTE)
