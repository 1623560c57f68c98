"""Forms: the patterns of what callers send, and what to say when something is not of its form."""

from __future__ import annotations

# What follows the dollar keeps Python, for which a dollar also stands before a last line break, to it.
_END = r"$(?!\n)"
# PostgreSQL keeps no NUL, and a line break in a reference is a mistake.
PRINTABLE = r"^[^\x00-\x1f\x7f]+" + _END
PLAN_NAME = r"^[a-z0-9_]{1,40}" + _END
CURRENCY = r"^[A-Z]{3}" + _END
AMOUNT = r"^[0-9]{1,15}(\.[0-9]{1,3})?" + _END
CODE = r"^[0-9]{6}" + _END
IDEMPOTENCY_KEY = r"^[!-~]{1,200}" + _END

_WORDS = {
    PRINTABLE: "a text without control characters",
    PLAN_NAME: "the name of a plan, such as pay_in_3",
    CURRENCY: "an ISO 4217 code, such as CNY",
    AMOUNT: "a decimal string, such as 1299.00",
    CODE: "six digits",
    IDEMPOTENCY_KEY: "1 to 200 printable ASCII characters without a space, such as a UUID",
}


def in_words(message: str) -> str:
    """A message about a pattern, said in words."""
    for pattern, words in _WORDS.items():
        if repr(pattern) in message:
            return f"expected {words}"
    return message
