"""Rules of registrations: what ``registering`` refuses or warns of."""

from __future__ import annotations

from shouxin.ingestion.domain import registering
from shouxin.ingestion.domain.normalising import Problem
from shouxin.ingestion.domain.normalising.problems import problem_text
from shouxin.ingestion.domain.quality.rules import Dimension, Owner, Rule, Severity
from shouxin.kernel import Bilingual

_D, _DESK = Dimension, Owner.DESK
_REFUSES, _WARNS = Severity.REFUSES, Severity.WARNS
_LOOK_AGAIN = Bilingual("请客户核对后重新填写。", "Let the customer look at it and tell it again.")


def _rule(
    code: str, dimension: Dimension, severity: Severity, name: Bilingual, text: Bilingual, mend: Bilingual
) -> Rule:
    """A rule whose meaning is what the person at the door is told."""
    return Rule(code, dimension, severity, _DESK, name, text, mend, (text.en,))


def _of(problem: Problem, dimension: Dimension, severity: Severity, name: Bilingual, mend: Bilingual) -> Rule:
    return _rule(str(problem), dimension, severity, name, problem_text(problem), mend)


PEOPLE_RULES = (
    _rule(
        "no_way_to_know",
        _D.COMPLETENESS,
        _REFUSES,
        Bilingual("没有可识别的信息", "Nothing to know them by"),
        registering.NO_WAY_TO_KNOW,
        Bilingual("至少补上一项。", "Add one of them."),
    ),
    _of(
        Problem.NOT_A_PHONE,
        _D.VALIDITY,
        _REFUSES,
        Bilingual("不是电话号码", "Not a telephone number"),
        _LOOK_AGAIN,
    ),
    _of(
        Problem.NOT_AN_EMAIL,
        _D.VALIDITY,
        _REFUSES,
        Bilingual("不是电子邮箱", "Not an e-mail address"),
        _LOOK_AGAIN,
    ),
    _of(Problem.WRONG_LENGTH, _D.VALIDITY, _REFUSES, Bilingual("号码长度不对", "Wrong length"), _LOOK_AGAIN),
    _of(
        Problem.WRONG_CHECK_DIGIT,
        _D.VALIDITY,
        _REFUSES,
        Bilingual("校验位不对", "Wrong check character"),
        _LOOK_AGAIN,
    ),
    _of(Problem.NO_SUCH_DATE, _D.VALIDITY, _REFUSES, Bilingual("没有这个日期", "No such date"), _LOOK_AGAIN),
    _of(
        Problem.AMBIGUOUS_DATE,
        _D.VALIDITY,
        _REFUSES,
        Bilingual("日月不明", "Day and month unclear"),
        Bilingual("按 年-月-日 填写。", "Write year-month-day."),
    ),
    _of(Problem.NOT_A_NAME, _D.VALIDITY, _REFUSES, Bilingual("不是姓名", "Not a name"), _LOOK_AGAIN),
    _rule(
        "not_born",
        _D.ACCURACY,
        _REFUSES,
        Bilingual("出生日期不可能", "Impossible birthday"),
        registering.NOT_BORN,
        _LOOK_AGAIN,
    ),
    _rule(
        "two_birthdays",
        _D.CONSISTENCY,
        _REFUSES,
        Bilingual("出生日期与证件不符", "Birthday contradicts the id"),
        registering.TWO_BIRTHDAYS,
        Bilingual("以证件为准。", "The document decides."),
    ),
    _rule(
        "id_in_use",
        _D.UNIQUENESS,
        _REFUSES,
        Bilingual("证件已注册", "Id registered already"),
        registering.ID_IN_USE,
        Bilingual(
            "让客户使用原账户；确属他人则更正证件号。",
            "Let the customer use that account, or mend the number.",
        ),
    ),
    _rule(
        "other_values",
        _D.CONSISTENCY,
        _REFUSES,
        Bilingual("编号已注册而资料不同", "Registered with other values"),
        registering.OTHER_VALUES,
        Bilingual(
            "资料变更用 customer_updated 发送，然后作废本行。",
            "Send the change as customer_updated, then discard this row.",
        ),
    ),
    _of(
        Problem.PHONE_NOT_ASSIGNED,
        _D.ACCURACY,
        _WARNS,
        Bilingual("号段未分配", "Number range not assigned"),
        Bilingual("用验证码确认。", "Verify it with a code."),
    ),
    _of(
        Problem.REGION_UNKNOWN,
        _D.ACCURACY,
        _WARNS,
        Bilingual("证件地区码未知", "Region of the id unknown"),
        Bilingual("核对证件原件。", "Look at the document itself."),
    ),
    _of(Problem.EMPTY, _D.COMPLETENESS, _WARNS, Bilingual("只有空白", "Only blanks"), _LOOK_AGAIN),
    _of(
        Problem.NO_DIVISION,
        _D.COMPLETENESS,
        _WARNS,
        Bilingual("地址无省市区", "Address without a division"),
        Bilingual("补上省、市、区。", "Add province, city and district."),
    ),
    _of(
        Problem.AMBIGUOUS_DIVISION,
        _D.ACCURACY,
        _WARNS,
        Bilingual("区县同名", "District of several places"),
        Bilingual("补上城市。", "Add the city."),
    ),
    _of(
        Problem.CONTRADICTING_DIVISIONS,
        _D.CONSISTENCY,
        _WARNS,
        Bilingual("区县不在城市内", "District outside the city"),
        _LOOK_AGAIN,
    ),
    _of(
        Problem.FORMER_DIVISION,
        _D.TIMELINESS,
        _WARNS,
        Bilingual("旧行政区划", "Former division"),
        Bilingual("请客户更新地址。", "Let the customer renew the address."),
    ),
    _rule(
        "shared_identifier",
        _D.UNIQUENESS,
        _WARNS,
        Bilingual("手机或邮箱与他人相同", "Phone or e-mail of another account"),
        registering.SHARED,
        Bilingual("核实是否同一人重复注册。", "See whether one person registered twice."),
    ),
)
