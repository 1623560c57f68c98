"""Numbers that prove themselves by a check character, and amounts of money."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from stdnum import luhn
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from shouxin.ingestion.domain.normalising.divisions import division_of
from shouxin.ingestion.domain.normalising.problems import Normal, Problem, folded, unusable

_SEPARATORS = re.compile(r"[\s\-.]")
_ID_18, _ID_15 = re.compile(r"\d{17}[\dX]"), re.compile(r"\d{15}")
_CARD = re.compile(r"\d{12,19}")  # ISO/IEC 7812-1
_MONEY = re.compile(
    r"(?P<sign>-?)(?P<mark>CNY|RMB|USD|EUR|GBP|HKD|¥|\$|€|£)?(?P<minus>-?)"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<scale>[万亿]?)(?P<unit>元|圆|块|人民币|CNY|RMB)?"
)
_SCALES = {"": 1, "万": 10_000, "亿": 100_000_000}
_CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "USD": "USD", "EUR": "EUR", "GBP": "GBP", "HKD": "HKD"}


def normal_national_id(text: str) -> Normal:
    """A mainland citizen's number as 18 characters (GB 11643-1999); parts region, birth_date, sex.

    One of 15 digits (before 1999) is brought to 18. A region that is in no table is doubtful only.
    """
    given = _SEPARATORS.sub("", folded(text)).upper()
    if not given:
        return unusable(text, Problem.EMPTY)
    if _ID_15.fullmatch(given):
        longer = f"{given[:6]}19{given[6:]}"
        given = longer + ric.calc_check_digit(longer + "0")
    if not _ID_18.fullmatch(given):
        return unusable(text, Problem.WRONG_LENGTH)
    if ric.calc_check_digit(given) != given[-1]:
        return unusable(text, Problem.WRONG_CHECK_DIGIT)
    try:
        born = date(int(given[6:10]), int(given[10:12]), int(given[12:14]))
    except ValueError:
        return unusable(text, Problem.NO_SUCH_DATE)
    sex = "male" if int(given[16]) % 2 else "female"
    doubts = () if division_of(given[:6]) else (Problem.REGION_UNKNOWN,)
    parts = {"region": given[:6], "birth_date": born.isoformat(), "sex": sex}
    return Normal(text, given, doubts, parts)


def normal_business_code(text: str) -> Normal:
    """A unified social credit code of a business (GB 32100-2015), 18 characters."""
    given = _SEPARATORS.sub("", folded(text)).upper()
    if not given:
        return unusable(text, Problem.EMPTY)
    try:
        return Normal(text, uscc.validate(given), (), {"region": given[2:8]})
    except ValidationError as error:
        wrong = type(error).__name__ == "InvalidChecksum"
        return unusable(text, Problem.WRONG_CHECK_DIGIT if wrong else Problem.WRONG_LENGTH)


def normal_bank_card(text: str) -> Normal:
    """A bank card's number, 12 to 19 digits with a Luhn check digit (ISO/IEC 7812-1)."""
    given = _SEPARATORS.sub("", folded(text))
    if not given:
        return unusable(text, Problem.EMPTY)
    if not (given.isascii() and _CARD.fullmatch(given)):
        return unusable(text, Problem.WRONG_LENGTH)
    if not luhn.is_valid(given):
        return unusable(text, Problem.WRONG_CHECK_DIGIT)
    return Normal(text, given, (), {"issuer": given[:6], "last_digits": given[-4:]})


def normal_money(text: str) -> Normal:
    """An amount as a plain decimal: from ￥1,299.00, 1299元, 1.2万; part ``currency``, CNY unless said."""
    given = folded(text).replace(" ", "").upper().replace("，", ",")
    if not given:
        return unusable(text, Problem.EMPTY)
    found = _MONEY.fullmatch(given)
    if not found or (found["sign"] and found["minus"]) or (not given.isascii() and not _only_known(given)):
        return unusable(text, Problem.NOT_MONEY)
    try:
        amount = Decimal(found["digits"].replace(",", "")) * _SCALES[found["scale"]]
    except InvalidOperation:
        return unusable(text, Problem.NOT_MONEY)
    negative = bool(found["sign"] or found["minus"]) and amount != 0
    value = f"{'-' if negative else ''}{_plain(amount)}"
    return Normal(text, value, (), {"currency": _CURRENCIES.get(found["mark"] or "", "CNY")})


def _only_known(given: str) -> bool:
    return all(letter.isascii() or letter in "¥€£万亿元圆块人民币" for letter in given)


def _plain(amount: Decimal) -> str:
    """Without an exponent, and without zeros that say nothing beyond two decimals."""
    text = f"{amount:f}"
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole.lstrip('0') or '0'}.{decimals.ljust(2, '0')}"
