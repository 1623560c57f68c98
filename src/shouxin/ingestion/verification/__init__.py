"""Verification: the customer shows that a phone, an e-mail or an identity is theirs.

A code goes to the phone or the e-mail that the customer registered, lives ten minutes and bears five
tries; how many codes one address gets is limited, so that nobody is molested at our expense. A real
name is put to a register that somebody else keeps. What was shown becomes an event of the customer.
"""

from shouxin.ingestion.verification.domain import (
    ATTEMPTS_MAX,
    CODE_DIGITS,
    CODE_VALID,
    Challenge,
    CodeRefusal,
    CodeRefusalReason,
    CodeSent,
    RealNameAnswer,
    RealNameCheck,
    RealNameVerdict,
    Sender,
    Verified,
)
from shouxin.ingestion.verification.human import check_human, new_challenge
from shouxin.ingestion.verification.service import (
    UnableToCheck,
    UnableToSend,
    check_code,
    check_real_name,
    send_code,
)

__all__ = [
    "ATTEMPTS_MAX",
    "CODE_DIGITS",
    "CODE_VALID",
    "Challenge",
    "CodeRefusal",
    "CodeRefusalReason",
    "CodeSent",
    "RealNameAnswer",
    "RealNameCheck",
    "RealNameVerdict",
    "Sender",
    "UnableToCheck",
    "UnableToSend",
    "Verified",
    "check_code",
    "check_human",
    "check_real_name",
    "new_challenge",
    "send_code",
]
