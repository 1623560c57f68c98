"""What can be wrong with a value, said in words; and the result that every normaliser gives."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shouxin.kernel import Bilingual


class Problem(StrEnum):
    """What is wrong with a value, or doubtful about it."""

    EMPTY = "empty"
    NOT_A_PHONE = "not_a_phone"
    PHONE_NOT_ASSIGNED = "phone_not_assigned"
    NOT_AN_EMAIL = "not_an_email"
    WRONG_LENGTH = "wrong_length"
    WRONG_CHECK_DIGIT = "wrong_check_digit"
    NO_SUCH_DATE = "no_such_date"
    AMBIGUOUS_DATE = "ambiguous_date"
    REGION_UNKNOWN = "region_unknown"
    NOT_A_NAME = "not_a_name"
    NOT_MONEY = "not_money"
    NO_DIVISION = "no_division"
    AMBIGUOUS_DIVISION = "ambiguous_division"
    CONTRADICTING_DIVISIONS = "contradicting_divisions"
    FORMER_DIVISION = "former_division"


_P = Problem
_TEXTS = {
    _P.EMPTY: Bilingual("未填写。", "There is nothing in it."),
    _P.NOT_A_PHONE: Bilingual("不是电话号码。", "It is not a telephone number."),
    _P.PHONE_NOT_ASSIGNED: Bilingual("号段未分配。", "Its number range is assigned to nobody."),
    _P.NOT_AN_EMAIL: Bilingual("不是电子邮箱地址。", "It is not an e-mail address."),
    _P.WRONG_LENGTH: Bilingual("长度或字符不正确。", "Its length or its characters are not right."),
    _P.WRONG_CHECK_DIGIT: Bilingual("校验位不正确。", "Its check character is not right."),
    _P.NO_SUCH_DATE: Bilingual("没有这个日期。", "There is no such date."),
    _P.AMBIGUOUS_DATE: Bilingual("日期的日和月无法区分。", "Its day and month can not be told apart."),
    _P.REGION_UNKNOWN: Bilingual("地区码未知。", "Its region code is unknown."),
    _P.NOT_A_NAME: Bilingual("不是姓名。", "It is not a name."),
    _P.NOT_MONEY: Bilingual("不是金额。", "It is not an amount of money."),
    _P.NO_DIVISION: Bilingual("找不到省、市或区县。", "No province, city or district is found in it."),
    _P.AMBIGUOUS_DIVISION: Bilingual("区县名称有多处同名。", "Several places have this name."),
    _P.CONTRADICTING_DIVISIONS: Bilingual(
        "区县不在所写的城市内。", "The district does not lie in the city that is named."
    ),
    _P.FORMER_DIVISION: Bilingual("行政区划已变更。", "The division has been renamed or dissolved since."),
}
# With these a value can not be used; the others are doubts.
REFUSING = frozenset(
    {
        _P.NOT_A_PHONE,
        _P.NOT_AN_EMAIL,
        _P.WRONG_LENGTH,
        _P.WRONG_CHECK_DIGIT,
        _P.NO_SUCH_DATE,
        _P.NOT_A_NAME,
        _P.NOT_MONEY,
    }
)


def problem_text(problem: Problem) -> Bilingual:
    """What to tell people of a problem."""
    return _TEXTS[problem]


@dataclass(frozen=True, slots=True)
class Normal:
    """A value as it came (``raw``), its one form, its parts, and what is wrong or doubtful about it."""

    raw: str = field(repr=False)
    value: str | None = field(repr=False)
    problems: tuple[Problem, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def refusals(self) -> tuple[Problem, ...]:
        """The problems with which the value can not be used."""
        return tuple(problem for problem in self.problems if problem in REFUSING)


def folded(text: str) -> str:
    """Without differences of width, and with single spaces."""
    for _ in range(2):  # a compatibility form may leave a space that stands beside another
        text = " ".join(unicodedata.normalize("NFKC", text).split())
    return text


def unusable(raw: str, problem: Problem) -> Normal:
    """A value that has no form."""
    return Normal(raw, None, (problem,))
