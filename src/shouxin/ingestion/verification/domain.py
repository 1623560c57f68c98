"""Codes and checks as decisions: how long a code lives, how many tries and sendings, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shouxin.kernel import Bilingual

CODE_DIGITS = 6
# Ten minutes and five tries: a guesser meets one code in 200,000 (NIST SP 800-63B, 5.1.3).
CODE_VALID = timedelta(minutes=10)
ATTEMPTS_MAX = 5
SENDING_PAUSE = timedelta(minutes=1)
SENDINGS_AN_HOUR = 5
SENDINGS_A_DAY = 10
REAL_NAME_CHECKS_A_DAY = 3
CODE_FIELDS = ("phone", "email")


class Sender(Protocol):
    """Takes a text to a phone or a mailbox; raises UnableToSend when it can not."""

    def send(self, *, field: str, address: str, text: Bilingual, code: str) -> None:
        """``field`` is phone or email; ``address`` the clear number or mailbox."""


class RealNameAnswer(StrEnum):
    """What a register says about a name and a national id."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


class RealNameCheck(Protocol):
    """Asks a register that somebody else keeps; raises UnableToCheck when it does not answer."""

    @property
    def provider(self) -> str:
        """The register's name, for the books."""

    def check(self, *, name: str, national_id: str) -> RealNameAnswer:
        """Whether this person has this id."""


class CodeRefusalReason(StrEnum):
    """Why no code is sent, or why a code is not taken, by precedence."""

    NOTHING_KNOWN = "nothing_known"
    TOO_SOON = "too_soon"
    TOO_MANY = "too_many"
    UNKNOWN = "unknown"
    CLOSED = "closed"
    EXPIRED = "expired"
    WRONG = "wrong"
    ATTEMPTS_SPENT = "attempts_spent"


_R = CodeRefusalReason
_TEXTS = {
    _R.NOTHING_KNOWN: Bilingual(
        "该客户没有登记此项联系方式，请先登记。",
        "Nothing of the kind is registered for this customer; register it first.",
    ),
    _R.TOO_SOON: Bilingual(
        "验证码刚刚发送，请稍后再试。", "A code was sent a moment ago; wait before asking for another."
    ),
    _R.TOO_MANY: Bilingual("发送次数过多，请稍后再试。", "Too many codes were asked for; try again later."),
    _R.UNKNOWN: Bilingual("没有这次验证。", "There is no such verification."),
    _R.CLOSED: Bilingual(
        "这次验证已经结束，请重新获取验证码。", "This verification is over; ask for a new code."
    ),
    _R.EXPIRED: Bilingual("验证码已过期，请重新获取。", "The code has expired; ask for a new one."),
    _R.WRONG: Bilingual("验证码不正确。", "The code is not right."),
    _R.ATTEMPTS_SPENT: Bilingual(
        "输入错误次数过多，请重新获取验证码。", "Too many wrong tries; ask for a new code."
    ),
}


@dataclass(frozen=True, slots=True)
class CodeRefusal:
    """No code is sent, or the code is not taken; ``retry_after`` where waiting helps."""

    reason: CodeRefusalReason
    retry_after: timedelta | None = None

    @property
    def text(self) -> Bilingual:
        """What to tell the customer."""
        return _TEXTS[self.reason]


@dataclass(frozen=True, slots=True)
class CodeSent:
    """A code is on its way; ``sent_to`` is masked."""

    verification_id: str
    sent_to: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Verified:
    """The customer has shown that the identifier is theirs; the event is in the log."""

    customer_ref: str
    field: str


@dataclass(frozen=True, slots=True)
class RealNameVerdict:
    """What the register said, and from whom."""

    answer: RealNameAnswer
    provider: str


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code that was sent, as it is kept: never the code itself."""

    verification_id: str
    source: str
    customer_ref: str
    field: str
    token: str
    code_hash: str
    expires_at: datetime
    attempts: int
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Challenge:
    """A piece of work for whoever asks: find a number so that the hash begins with ``zero_bits`` zeros."""

    text: str
    zero_bits: int


def sending_refusal(sent: Sequence[datetime], *, now: datetime) -> CodeRefusal | None:
    """Whether an address that got codes at these instants gets another now."""
    pause = max(sent, default=now - SENDING_PAUSE) + SENDING_PAUSE - now
    if pause > timedelta(0):
        return CodeRefusal(CodeRefusalReason.TOO_SOON, pause)
    for window, most in ((timedelta(hours=1), SENDINGS_AN_HOUR), (timedelta(days=1), SENDINGS_A_DAY)):
        inside = sorted(at for at in sent if at > now - window)
        if len(inside) >= most:
            return CodeRefusal(CodeRefusalReason.TOO_MANY, inside[-most] + window - now)
    return None


def checking_refusal(sent: SentCode | None, *, matches: bool, now: datetime) -> CodeRefusalReason | None:
    """Whether a code that ``matches`` what was sent (or does not) is taken now."""
    if sent is None:
        return CodeRefusalReason.UNKNOWN
    if sent.closed_at is not None:
        return CodeRefusalReason.CLOSED
    if now >= sent.expires_at:
        return CodeRefusalReason.EXPIRED
    if matches:
        return None
    last = sent.attempts + 1 >= ATTEMPTS_MAX
    return CodeRefusalReason.ATTEMPTS_SPENT if last else CodeRefusalReason.WRONG


def code_text(code: str) -> Bilingual:
    """What the message says."""
    minutes = int(CODE_VALID.total_seconds() // 60)
    return Bilingual(
        f"您的验证码是 {code}，{minutes} 分钟内有效。请勿告诉任何人。",
        f"Your code is {code}. It is valid for {minutes} minutes. Do not give it to anybody.",
    )
