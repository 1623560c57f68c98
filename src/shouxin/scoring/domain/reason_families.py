"""Reason families: what a reason is about, in a sentence that could stand in a notice.

A notice of adverse action must be specific: "credit score too low" or "internal policy" is no reason
(Regulation B, 12 CFR 1002.9(b)(2) and its comment 9(b)(2)-4). Several features of one topic say one thing, so
they are told as one reason, led by the strongest; a list of four windows of late repayments would hide the
other reasons. ``check`` says what a person can look at or do when they think that it is wrong (PIPL art. 24
and 44 to 46; AI Act art. 86).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shouxin.features.domain import Topic
from shouxin.kernel import Bilingual


@dataclass(frozen=True, slots=True)
class ReasonFamily:
    """``statement`` is the reason as it may be written to a customer; ``check`` is how it can be disputed."""

    topic: Topic
    statement: Bilingual
    check: Bilingual


def _family(topic: Topic, zh: str, en: str, check_zh: str, check_en: str) -> ReasonFamily:
    return ReasonFamily(topic, Bilingual(zh, en), Bilingual(check_zh, check_en))


_ORDERS = ("可在订单列表中核对", "Can be checked against the list of orders")
REASON_FAMILIES: Mapping[Topic, ReasonFamily] = {
    family.topic: family
    for family in (
        _family(
            Topic.PURCHASES,
            "购买记录较短、较少或变化较大",
            "Short, thin or uneven record of purchases",
            *_ORDERS,
        ),
        _family(
            Topic.PRICES,
            "订单金额与以往购买习惯差异较大",
            "Order values unlike those of earlier purchases",
            *_ORDERS,
        ),
        _family(
            Topic.CATEGORIES,
            "购买的商品类别与较高风险相关",
            "Kinds of goods bought that go with more risk",
            *_ORDERS,
        ),
        _family(
            Topic.PAYMENTS,
            "付款失败、退单或未支付的订单",
            "Payments that failed, were taken back or were not made",
            "可核对支付记录；若因银行故障失败，可提交证明",
            "Can be checked against payments; a bank's fault can be shown",
        ),
        _family(
            Topic.RETURNS,
            "退货或退款占比较高",
            "High share of returns or refunds",
            "可核对退货单；商家原因的退货可申请剔除",
            "Can be checked against returns; those the shop caused can be taken out",
        ),
        _family(
            Topic.CANCELLATIONS,
            "取消订单较多",
            "Many orders cancelled",
            "可核对订单；由商家取消的可申请剔除",
            "Can be checked against orders; those the shop cancelled can be taken out",
        ),
        _family(
            Topic.DELIVERIES,
            "拒收或未能送达的包裹",
            "Parcels refused or not delivered",
            "可核对物流记录；承运方过错可提交证明",
            "Can be checked against deliveries; a carrier's fault can be shown",
        ),
        _family(
            Topic.REVIEWS,
            "评价记录与较高风险相关",
            "Record of reviews that goes with more risk",
            "可核对已发表的评价",
            "Can be checked against the reviews given",
        ),
        _family(
            Topic.COMPLAINTS,
            "违反平台规则的记录或投诉记录",
            "Violations of the shop's rules, or complaints on record",
            "可核对记录；投诉成立的可申请剔除",
            "Can be checked against the record; upheld complaints can be taken out",
        ),
        _family(
            Topic.STABILITY,
            "登录设备、地址、银行卡或身份信息变动较多",
            "Many changes of devices, addresses, cards or identity",
            "可核对账户中的设备与地址；非本人操作请申诉",
            "Can be checked in the account; say so if it was not you",
        ),
        _family(
            Topic.ACTIVITY,
            "浏览和下单的时段或频率与较高风险相关",
            "Hours or pace of activity that go with more risk",
            "可核对登录与订单时间",
            "Can be checked against logins and orders",
        ),
        _family(
            Topic.CARTS,
            "购物车的变化与较高风险相关",
            "Changes of the cart that go with more risk",
            "可核对购物车记录",
            "Can be checked against the cart",
        ),
        _family(
            Topic.REPAYMENTS,
            "还款记录：有逾期，或按时还款的记录太短",
            "Repayments: some were late, or the record of them is short",
            "可核对每期还款日与到账日；系统原因造成的逾期可申请更正",
            "Can be checked against due and paid dates; our own faults are corrected",
        ),
        _family(
            Topic.CREDIT_USE,
            "额度使用较多，或额度使用的时间太短",
            "Much of the credit line in use, or a short record of using it",
            "可核对额度与已用金额",
            "Can be checked against the line and what is used of it",
        ),
        _family(
            Topic.MEMBERSHIP,
            "会员记录较短或变动较多",
            "Short or changing record of membership",
            "可核对会员等级记录",
            "Can be checked against the membership",
        ),
        _family(
            Topic.EXTERNAL,
            "外部信用数据中的记录",
            "What providers of credit data have on record",
            "可向该机构查询并提出异议，我们会告知机构名称",
            "Can be asked for and disputed at the provider, whom we name",
        ),
        _family(
            Topic.SURVEY,
            "问卷回答与较高风险相关",
            "Answers to surveys that go with more risk",
            "可查看或撤回所填问卷",
            "The answers can be seen or taken back",
        ),
        _family(
            Topic.GRAPH,
            "与存在风险的账户共用设备、地址或银行卡",
            "Devices, addresses or cards shared with accounts at risk",
            "可说明共用原因，例如家庭或宿舍",
            "Why they are shared can be told, as of a family or a dormitory",
        ),
        _family(
            Topic.PATTERNS,
            "近期行为与已知风险模式相似",
            "Behaviour that is like known patterns of risk",
            "可要求人工复核",
            "A person can be asked to look at it",
        ),
    )
}


def family_of(topic: str | None) -> ReasonFamily | None:
    """The family of a feature's topic; None for a topic that is not of the catalogue, or none."""
    known = {str(family.topic): family for family in REASON_FAMILIES.values()}
    return known.get(topic) if topic else None
