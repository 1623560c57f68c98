"""Rules of files and adapters: what ``reading``, the adapters and a replay refuse."""

from __future__ import annotations

import re

from shouxin.ingestion.domain.quality.rules import Dimension, Owner, Rule, Severity
from shouxin.kernel import Bilingual

_D, _REFUSES, _SOURCE = Dimension, Severity.REFUSES, Owner.SOURCE
# Why a kept row is not read again: whoever it spoke of was forgotten, or the keys are others.
CAN_NOT_OPEN = "can not be opened: there is no key for it"

FILE_RULES = (
    Rule(
        "row_shape",
        _D.VALIDITY,
        _REFUSES,
        _SOURCE,
        Bilingual("行与表头不符", "Row does not fit its header"),
        Bilingual("列数不对，或引号没有闭合。", "It has another number of fields, or an open quote."),
        Bilingual("按 CSV 规则给含逗号、换行的值加引号。", "Quote values that hold commas or line ends."),
        ("not a readable CSV record", "does not fit its header"),
        re.compile(r"has \d+ fields instead of \d+"),
    ),
    Rule(
        "no_such_order",
        _D.CONSISTENCY,
        _REFUSES,
        _SOURCE,
        Bilingual("订单不在文件夹中", "No such order"),
        Bilingual(
            "明细或支付所指的订单不在文件夹中。", "An item or a payment names an order that the folder lacks."
        ),
        Bilingual("导出同一时段的订单与明细。", "Export orders and items of the same time."),
        ("no such order in this folder",),
    ),
    Rule(
        "answers_nothing",
        _D.COMPLETENESS,
        _REFUSES,
        _SOURCE,
        Bilingual("问卷没有作答", "An answer that answers nothing"),
        Bilingual("没有评分，也没有意见。", "There is neither a score nor a text."),
        Bilingual("不要导出未作答的问卷。", "Do not export surveys that nobody answered."),
        ("answers nothing",),
    ),
    Rule(
        "not_invoice",
        _D.VALIDITY,
        _REFUSES,
        _SOURCE,
        Bilingual("既非发票也非取消", "Neither an invoice nor a cancellation"),
        Bilingual("单号不是数字，也不是 C 加数字。", "The number is neither digits nor C and digits."),
        Bilingual(
            "多为坏账调整行；与客户无关的不必导入。",
            "Mostly a bad debt adjusted; leave out what is about no customer.",
        ),
        ("neither an invoice nor a cancellation",),
    ),
    Rule(
        "quantity_zero",
        _D.ACCURACY,
        _REFUSES,
        _SOURCE,
        Bilingual("数量为零", "Quantity of zero"),
        Bilingual("没有卖出任何东西。", "Nothing was sold."),
        Bilingual("不要导出数量为零的行。", "Do not export lines with a quantity of zero."),
        ("zero",),
    ),
    Rule(
        "quantity_sign",
        _D.CONSISTENCY,
        _REFUSES,
        _SOURCE,
        Bilingual("数量正负与单据不符", "Sign of the quantity does not fit"),
        Bilingual("发票为负数，或取消单为正数。", "An invoice counts below zero, or a cancellation above."),
        Bilingual(
            "库存调整不是销售；取消用 C 开头的单号。",
            "A stock correction is no sale; a cancellation has a number with C.",
        ),
        ("negative, and the invoice is no cancellation", "positive on a cancellation"),
    ),
    Rule(
        "not_number",
        _D.VALIDITY,
        _REFUSES,
        _SOURCE,
        Bilingual("不是数字", "Not a number"),
        Bilingual("单价无法读成数字。", "The price can not be read as a number."),
        Bilingual("小数点用 . ，不带千分号。", "Use a point for decimals and no separators."),
        ("not a number",),
    ),
    Rule(
        "price_not_positive",
        _D.ACCURACY,
        _REFUSES,
        _SOURCE,
        Bilingual("单价不大于零", "Price not above zero"),
        Bilingual(
            "单价为零或负：赠品、更正或坏账。",
            "The price is zero or below: a gift, a correction or a debt written off.",
        ),
        Bilingual("赠品与调整另行处理，不作销售导入。", "Keep gifts and corrections apart from sales."),
        ("not above zero",),
    ),
    Rule(
        "price_fraction",
        _D.VALIDITY,
        _REFUSES,
        _SOURCE,
        Bilingual("单价不足一便士", "Price is no whole number of pence"),
        Bilingual("单价不能换算成整数最小单位。", "The price has no place in minor units."),
        Bilingual("核对小数位。", "Look at its decimals."),
        ("not a whole number of pence",),
    ),
    Rule(
        "can_not_open",
        _D.COMPLETENESS,
        _REFUSES,
        Owner.HOUSE,
        Bilingual("已无法打开", "Can not be opened"),
        Bilingual(
            "客户已被遗忘，或密钥不符；隔离行的内容不可读。",
            "The customer was forgotten, or the keys are others; what the row held can not be read.",
        ),
        Bilingual(
            "作废该行；若为密钥问题，先恢复密钥。",
            "Discard the row; if the keys are wrong, bring them back first.",
        ),
        (CAN_NOT_OPEN,),
    ),
)
