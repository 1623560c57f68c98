"""Whether a text tells who somebody is. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

# These name one person; a name, a birthday or an address is shared by strangers.
IDENTIFYING_FIELDS = ("phone", "email", "national_id")
# A mainland mobile number without its country code; a shorter run of characters is found anywhere.
_SIGNIFICANT = 11
_LENGTH_MIN = 7
_SEPARATORS = re.compile(r"[\s\-()./_]+")


def needles(values: Iterable[tuple[str, str]]) -> frozenset[str]:
    """What to look for, of (field, clear value): each folded, phones without their country code."""
    folded = ((field, folded_text(value)) for field, value in values if field in IDENTIFYING_FIELDS)
    short = (text[-_SIGNIFICANT:] if field == "phone" else text for field, text in folded)
    return frozenset(text for text in short if len(text) >= _LENGTH_MIN)


def tells(text: str, looked_for: Iterable[str]) -> bool:
    """Whether a text, however it is spelled or escaped, holds one of the needles."""
    folded = folded_text(_unescaped(text))
    return any(needle in folded for needle in looked_for)


def folded_text(text: str) -> str:
    """Without width, case and separators."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text).casefold())


def _unescaped(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
