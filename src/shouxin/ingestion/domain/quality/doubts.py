"""Doubts: what is taken and yet counted, because somebody should know."""

from __future__ import annotations

from datetime import timedelta

from shouxin.ingestion.domain.quality.rules import Dimension, Owner, Rule, Severity
from shouxin.kernel import Bilingual

# A shop's nightly and weekly exports come within a week; what comes later missed a decision.
LATE_AFTER = timedelta(days=7)
# What ``without_contacts`` leaves behind.
MASKED = "[…]"

REPEATED = Rule(
    "repeated",
    Dimension.UNIQUENESS,
    Severity.WARNS,
    Owner.SOURCE,
    Bilingual("重复发送", "Sent again"),
    Bilingual(
        "同一来源编号已收过，未再计入。",
        "The same source and source_id were known; it was not counted twice.",
    ),
    Bilingual(
        "少量来自重试，属正常；大量时检查导出范围。",
        "A few come from trying again; with many, look at what is exported.",
    ),
)
LATE = Rule(
    "late",
    Dimension.TIMELINESS,
    Severity.WARNS,
    Owner.SOURCE,
    Bilingual("迟到超过 7 天", "More than 7 days late"),
    Bilingual(
        "发生后七天以上才获知，期间的决策没有看到。",
        "It was learnt over seven days after it happened; no decision between saw it.",
    ),
    Bilingual(
        "更勤地发送；补历史数据时填写 received_at。", "Send more often; give received_at with history."
    ),
)
AT_MIDNIGHT = Rule(
    "at_midnight",
    Dimension.ACCURACY,
    Severity.WARNS,
    Owner.SOURCE,
    Bilingual("只有日期", "A day without a time"),
    Bilingual(
        "时间恰为零点（UTC），多半只给了日期。",
        "The time is exactly midnight (UTC): mostly a day alone was given.",
    ),
    Bilingual("发送带时分秒和时区的时间。", "Send the time of day and its zone."),
)
AMOUNT_ZERO = Rule(
    "amount_zero",
    Dimension.ACCURACY,
    Severity.WARNS,
    Owner.SOURCE,
    Bilingual("金额为零", "Amount of zero"),
    Bilingual("应有金额的事件金额为零。", "An event that is about money says zero."),
    Bilingual("核对是否漏填金额。", "See whether the amount was left out."),
)
FULL_WIDTH = Rule(
    "full_width",
    Dimension.CONSISTENCY,
    Severity.NOTES,
    Owner.SOURCE,
    Bilingual("全角字符", "Full-width characters"),
    Bilingual(
        "编号或个人信息用了全角字母数字；比对时已统一。",
        "A reference or personal value has full-width letters or digits; comparing makes them one.",
    ),
    Bilingual("输入法切换到半角。", "Type them half-width."),
)
CONTACT_MASKED = Rule(
    "contact_masked",
    Dimension.VALIDITY,
    Severity.NOTES,
    Owner.SOURCE,
    Bilingual("自由文本含联系方式", "Contact in free text"),
    Bilingual(
        "自由文本里的电话或邮箱已遮盖。", "A telephone number or e-mail address in free text was masked."
    ),
    Bilingual("个人信息放入 personal。", "Put personal values into personal."),
)
DOUBTS = (REPEATED, LATE, AT_MIDNIGHT, AMOUNT_ZERO, FULL_WIDTH, CONTACT_MASKED)
