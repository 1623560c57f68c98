"""Dates of people: a birthday, a day on a form."""

from __future__ import annotations

import re
from datetime import date

from shouxin.ingestion.domain.normalising.problems import Normal, Problem, folded, unusable

_YEAR_FIRST = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?(?:[ T]00:00(?::00)?)?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})")
_MONTHS_MAX = 12


def normal_date(text: str) -> Normal:
    """A date as ISO 8601: from 1990-03-05, 19900305, 1990年3月5日, 1990/3/5, 25.3.1990.

    Where the year stands last and both other numbers could be the month, nobody can know: a problem
    and no value, unless they are equal.
    """
    given = folded(text)
    if not given:
        return unusable(text, Problem.EMPTY)
    found = _YEAR_FIRST.fullmatch(given) or _COMPACT.fullmatch(given)
    if found:
        year, month, day = (int(part) for part in found.groups())
        return _dated(text, year, month, day)
    found = _YEAR_LAST.fullmatch(given)
    if not found:
        return unusable(text, Problem.NO_SUCH_DATE)
    first, second, year = (int(part) for part in found.groups())
    if first <= _MONTHS_MAX and second <= _MONTHS_MAX and first != second:
        return unusable(text, Problem.AMBIGUOUS_DATE)
    day, month = (second, first) if second > _MONTHS_MAX else (first, second)
    return _dated(text, year, month, day)


def _dated(raw: str, year: int, month: int, day: int) -> Normal:
    try:
        return Normal(raw, date(year, month, day).isoformat())
    except ValueError:
        return unusable(raw, Problem.NO_SUCH_DATE)
