"""Texts: what customers are asked to agree to, in versions, and why a word is not taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shouxin.kernel import Bilingual

VERSION_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One version of the text of a purpose: what is shown from ``valid_from`` on, and who published it."""

    purpose: str
    text_version: str
    text: Bilingual
    valid_from: datetime
    published_by: str
    published_at: datetime


class ConsentRefusalReason(StrEnum):
    """Why a word, or a text, is not taken, by precedence."""

    UNKNOWN_PURPOSE = "unknown_purpose"
    NO_VERSION = "no_version"
    NO_TEXT = "no_text"
    UNKNOWN_TEXT = "unknown_text"
    NOT_YET_VALID = "not_yet_valid"
    TEXT_STANDS = "text_stands"
    NOT_TAKEN = "not_taken"


_R = ConsentRefusalReason
_TEXTS = {
    _R.UNKNOWN_PURPOSE: Bilingual("没有这个用途。", "There is no such purpose."),
    _R.NO_VERSION: Bilingual(
        "请填写文本版本和中英文内容。", "Give the version, and the text in both languages."
    ),
    _R.NO_TEXT: Bilingual(
        "该用途还没有生效的同意文本，请先发布文本。",
        "No text is in force for this purpose; publish one first.",
    ),
    _R.UNKNOWN_TEXT: Bilingual(
        "该用途没有这个版本的同意文本。", "This purpose has no text of this version; publish it first."
    ),
    _R.NOT_YET_VALID: Bilingual("该版本的文本尚未生效。", "The text of this version is not in force yet."),
    _R.TEXT_STANDS: Bilingual(
        "该版本已发布且内容不同；请使用新的版本号。",
        "This version is published with another content; use a new version.",
    ),
    _R.NOT_TAKEN: Bilingual("未通过检查。", "It did not pass the check."),
}


@dataclass(frozen=True, slots=True)
class ConsentRefusal:
    """The word or the text is not taken; ``detail`` names the place where there is one."""

    reason: ConsentRefusalReason
    detail: str = ""

    @property
    def text(self) -> Bilingual:
        """What to tell the person."""
        return _TEXTS[self.reason]


def text_in_force(texts: Iterable[ConsentText], *, as_of: datetime) -> ConsentText | None:
    """Of the texts of one purpose the one that is shown at ``as_of``: the last that became valid."""
    valid = [text for text in texts if text.valid_from <= as_of and text.published_at <= as_of]
    return max(valid, key=lambda text: (text.valid_from, text.published_at, text.text_version), default=None)


def agreed_text(
    texts: Iterable[ConsentText], *, text_version: str | None, as_of: datetime
) -> ConsentText | ConsentRefusal:
    """The text that somebody agrees to at ``as_of``: the version they name, else the one in force."""
    known = list(texts)
    if text_version is None:
        return text_in_force(known, as_of=as_of) or ConsentRefusal(_R.NO_TEXT)
    found = next((text for text in known if text.text_version == text_version), None)
    if found is None:
        return ConsentRefusal(_R.UNKNOWN_TEXT)
    return found if found.valid_from <= as_of else ConsentRefusal(_R.NOT_YET_VALID)
