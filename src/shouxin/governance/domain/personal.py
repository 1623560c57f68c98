"""Personal values: which are sealed, which only get a name, and when two spellings are one value."""

from __future__ import annotations

import re
import unicodedata

# Sealed and tokenised: the house must be able to show them to somebody with a reason.
SEALED_FIELDS = ("name", "phone", "email", "national_id", "birth_date", "address")
# Token only: it is enough to know that two are the same.
TOKEN_FIELDS = ("device", "card", "delivery_address")

_MAINLAND_MOBILE = re.compile(r"(?:\+|00)?86(1\d{10})")
_NOT_DIGIT = re.compile(r"[^\d+]")
_SEPARATOR = re.compile(r"[\s\-]")


def normalised(field: str, value: str) -> str:
    """One spelling for one value, so that equal values get equal tokens.

    Width forms are folded (NFKC). A phone keeps digits and a leading ``+``; the mainland prefix goes
    from a mobile number. E-mails and names lose their case, ids and cards their separators.
    """
    text = (value if value.isascii() else unicodedata.normalize("NFKC", value)).strip()
    if field == "phone":
        return _normalised_phone(text)
    if field in {"national_id", "card"}:
        return _folded(_SEPARATOR.sub("", _folded(text)))
    if field == "device":
        return text
    return " ".join(_folded(text).split())


def _folded(text: str) -> str:
    """Without case. Folding can undo the normal form, so outside ASCII both are done again."""
    if text.isascii():
        return text.lower()
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text.casefold())
    return text


def _normalised_phone(text: str) -> str:
    digits = _NOT_DIGIT.sub("", text)
    mainland = _MAINLAND_MOBILE.fullmatch(digits)
    if mainland:
        return mainland.group(1)
    return f"+{digits[2:]}" if digits.startswith("00") else digits
