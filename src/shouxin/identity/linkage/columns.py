"""Columns of an unknown people file: what each holds, told by its values and its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shouxin.ingestion.domain.normalising import normal_date, normal_name, parse_address

_DATE = re.compile(r"(?:18|19|20)\d{2}([-/.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])")
_DIGITS = re.compile(r"\+?[\d\s().\-]*\d[\d\s().\-]*[xX]?")
_PERSON_NAME = re.compile(r"name|first|last|given|sur|family|forename|姓|名", re.IGNORECASE)
_PLACE_NAME = re.compile(r"city|town|suburb|place|state|country|street|company|user", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s().\-]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_MOST = 0.8
_CLASSES_MAX = 12
_ID_DISTINCT_MIN = 0.3


class ColumnKind(StrEnum):
    """What a column holds; decides how two of its values are compared."""

    PERSON_NAME = "person_name"
    WORD = "word"
    TEXT = "text"
    DATE = "date"
    EMAIL = "email"
    NUMBER = "number"  # nearly everybody's own: a phone, an identity number
    CODE = "code"  # shared by many: a postcode, a house number
    CLASS = "class"  # a few values: a sex, a state


@dataclass(frozen=True, slots=True)
class Column:
    """A column to compare."""

    name: str
    kind: ColumnKind
    distinct: int

    @property
    def identifies(self) -> bool:
        """Whether two records that agree on it alone deserve a look."""
        return self.kind in {ColumnKind.DATE, ColumnKind.EMAIL, ColumnKind.NUMBER}


def recognise(name: str, values: Sequence[str | None]) -> Column | None:
    """What a column holds, or None when it says nothing (empty, or the same for all)."""
    given = [value for value in values if value]
    different = len(set(given))
    if different < 2:
        return None
    return Column(name, _kind(name, given, different), different)


def one_spelling(value: str, kind: ColumnKind) -> str:
    """The value without what only its writing differs in: case, separators, titles, the order of a name."""
    if kind is ColumnKind.PERSON_NAME:
        value = normal_name(value).value or value
    elif kind is ColumnKind.NUMBER:
        value = _SEPARATORS.sub("", value)
    elif kind is ColumnKind.DATE:
        value = normal_date(value).value or value
    elif kind is ColumnKind.TEXT and _HAN.search(value):
        value = parse_address(value).value
    return " ".join(value.casefold().split())


def _kind(name: str, given: Sequence[str], different: int) -> ColumnKind:
    if _most("@" in value for value in given):
        return ColumnKind.EMAIL
    if _most(_DATE.fullmatch(value) for value in given):
        return ColumnKind.DATE
    if _most(_DIGITS.fullmatch(value) for value in given):
        own = different / len(given) >= _ID_DISTINCT_MIN and _typical_length(given) >= 6
        return ColumnKind.NUMBER if own else ColumnKind.CODE
    if different <= _CLASSES_MAX:
        return ColumnKind.CLASS
    if _PERSON_NAME.search(name) and not _PLACE_NAME.search(name):
        return ColumnKind.PERSON_NAME
    words = sum(" " in value or len(value) > (12 if _HAN.search(value) else 24) for value in given) / len(
        given
    )
    return ColumnKind.TEXT if words > 0.5 else ColumnKind.WORD


def _most(holds: Iterable[object]) -> bool:
    answers = [bool(answer) for answer in holds]
    return sum(answers) > _MOST * len(answers)


def _typical_length(given: Sequence[str]) -> int:
    return sorted(map(len, given))[len(given) // 2]
