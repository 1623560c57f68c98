"""The features of the catalogue: what a shop's events, and others, say about a customer's credit.

They read the shop's whole orders and a shop that sends order lines alike. A direction is declared
only where credit sense gives one for *every* event of default: more refunds are worse news whatever
we predict, more orders are not. A share of no orders is 0: that there were none is told once, by the days
since the last order, and not again by every share. What a provider of credit data said counts while it is
valid and is null afterwards, as it is of whom nobody was asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shouxin.features.domain.aggregates import Aggregate, Aggregation, Difference, Formula, Ratio
from shouxin.features.domain.definition import Direction, FeatureDefinition, Missing
from shouxin.features.domain.fields import AMOUNT, ORDER, Comparison, Condition, Field, Origin
from shouxin.features.domain.topics import Topic
from shouxin.kernel import Bilingual, content_hash

_ORDERED = ("order_placed", "order_line_placed")
_CANCELLED = ("order_cancelled", "order_line_cancelled")
_SENT_BACK = ("refund_issued", "return_requested", "delivery_refused")
_SEEN = ("customer_registered", *_ORDERED)
_DAYS_PAST_DUE = Field(Origin.NUMBER, "days_past_due")
_RISKIER, _SAFER = Direction.HIGHER_IS_RISKIER, Direction.HIGHER_IS_SAFER
_NULL, _ZERO = Missing.STAYS_NULL, Missing.IS_ZERO
_ANSWERED = ("external_score_received",)
_CUSTOMER_TEAM, _CREDIT_TEAM, _FRAUD_TEAM = "customer_insight", "credit_risk", "fraud_risk"
_NIGHT_LAST_HOUR = 5
# Five years is how long a bad record is kept (Regulation on the Credit Reporting Industry, art. 16). With
# half a year only, whoever stopped repaying for good would look like a good customer when it is over.
_RECORD_DAYS = 1825
# An answer of a provider is a year old at most, whatever the provider says of it.
_ANSWER_DAYS = 365


def catalogue(*, zone: str = "Asia/Shanghai") -> tuple[FeatureDefinition, ...]:
    """The definitions for a shop whose customers live by the clock of ``zone``."""
    return (*_buying(zone), *_sending_back(), *_borrowing(), *_behaving(zone), *_told_by_others())


def _buying(zone: str) -> tuple[FeatureDefinition, ...]:
    months = Aggregate(Aggregation.COUNT_DISTINCT, _ORDERED, 365, Field(Origin.MONTH, zone))
    last = Aggregate(Aggregation.DAYS_SINCE_LATEST, _ORDERED)
    first = Aggregate(Aggregation.DAYS_SINCE_EARLIEST, _SEEN)
    return (
        _value("orders_90d", _orders(90), "近90天订单数", "orders in the last 90 days", "orders"),
        _value("spend_365d", _spend(365), "近365天下单金额", "amount ordered in the last 365 days", "money"),
        _share(
            "mean_order_value_365d", _spend(365), _orders(365), "近365天平均每单金额",
            "mean value of an order in the last 365 days", unit="money", missing=_NULL,
        ),
        _value(
            "days_since_last_order", last, "距上次下单天数", "days since the last order", "days",
            missing=_NULL,
        ),
        _value(
            "tenure_days", first, "成为顾客的天数", "days since the customer was first seen", "days",
            missing=_NULL,
        ),
        _value(
            "active_months_365d", months, "近365天有订单的月份数",
            "months with an order in the last 365 days", "months",
        ),
    )  # fmt: skip


def _sending_back() -> tuple[FeatureDefinition, ...]:
    refund_only = Condition(Field(Origin.TEXT, "refund_kind"), Comparison.EQUALS, "refund_only")
    refunds_only = Aggregate(Aggregation.COUNT, ("refund_issued",), 180, where=(refund_only,))
    last = Aggregate(Aggregation.DAYS_SINCE_LATEST, _CANCELLED)
    recent = Ratio(_distinct(_SENT_BACK, 30), _orders(30))
    jump = Difference(recent, Ratio(_distinct(_SENT_BACK, 180), _orders(180)))
    return (
        _share(
            "cancelled_share_180d", _distinct(_CANCELLED, 180), _orders(180), "近180天取消订单占比",
            "share of orders cancelled in the last 180 days", direction=_RISKIER, topic=Topic.CANCELLATIONS,
        ),
        _value(
            "cancelled_orders_365d", _distinct(_CANCELLED, 365), "近365天取消订单数",
            "orders cancelled in the last 365 days", "orders", direction=_RISKIER, topic=Topic.CANCELLATIONS,
        ),
        _value(
            "days_since_last_cancel", last, "距上次取消订单天数", "days since the last cancellation",
            "days", missing=_NULL, direction=_SAFER, topic=Topic.CANCELLATIONS,
        ),
        _share(
            "refund_share_180d", _distinct(("refund_issued",), 180), _orders(180), "近180天退款订单占比",
            "share of orders refunded in the last 180 days", direction=_RISKIER, topic=Topic.RETURNS,
        ),
        _value(
            "refund_only_count_180d", refunds_only, "近180天仅退款次数",
            "refunds without return in the last 180 days", "refunds", direction=_RISKIER, owner=_FRAUD_TEAM,
            topic=Topic.RETURNS,
        ),
        FeatureDefinition(
            "return_rate_jump_30d", jump,
            Bilingual("近30天退货率较近180天的上升", "rise of the return rate, last 30 days against 180"),
            "share", _ZERO, _RISKIER, _FRAUD_TEAM, Topic.RETURNS,
        ),
    )  # fmt: skip


def _borrowing() -> tuple[FeatureDefinition, ...]:
    on_credit = Condition(Field(Origin.TEXT, "payment_method"), Comparison.EQUALS, "credit")
    credit_orders = Aggregate(Aggregation.COUNT_DISTINCT, _ORDERED, 180, ORDER, (on_credit,))
    credit_spend = Aggregate(Aggregation.SUM, _ORDERED, 90, AMOUNT, (on_credit,))
    limit = Aggregate(Aggregation.LATEST, ("line_opened", "line_limit_changed"), None, AMOUNT)
    late = Condition(_DAYS_PAST_DUE, Comparison.AT_LEAST, 1)
    paid = ("repayment_received",)
    worst = Aggregate(Aggregation.MAX, (*paid, "instalment_overdue"), 180, _DAYS_PAST_DUE)
    return (
        _share(
            "credit_order_share_180d", credit_orders, _orders(180), "近180天信用支付订单占比",
            "share of orders bought on credit in the last 180 days", owner=_CREDIT_TEAM,
            topic=Topic.CREDIT_USE,
        ),
        _share(
            "credit_use_90d", credit_spend, limit, "近90天信用消费占额度比例",
            "bought on credit in the last 90 days as a share of the limit", missing=_NULL,
            direction=_RISKIER, owner=_CREDIT_TEAM, topic=Topic.CREDIT_USE,
        ),
        _value(
            "late_repayments_180d", Aggregate(Aggregation.COUNT, paid, 180, where=(late,)),
            "近180天逾期还款次数", "late repayments in the last 180 days", "repayments",
            direction=_RISKIER, owner=_CREDIT_TEAM, topic=Topic.REPAYMENTS,
        ),
        _value(
            "max_days_past_due_180d", worst, "近180天最长逾期天数", "most days past due in the last 180 days",
            "days", direction=_RISKIER, owner=_CREDIT_TEAM, topic=Topic.REPAYMENTS,
        ),
        _value(
            "max_days_past_due_1825d", replace(worst, window_days=_RECORD_DAYS), "近5年最长逾期天数",
            "most days past due in the last five years", "days", direction=_RISKIER, owner=_CREDIT_TEAM,
            topic=Topic.REPAYMENTS,
        ),
    )  # fmt: skip


def _behaving(zone: str) -> tuple[FeatureDefinition, ...]:
    night = Condition(Field(Origin.HOUR, zone), Comparison.AT_MOST, _NIGHT_LAST_HOUR)
    devices = Aggregate(
        Aggregation.COUNT_DISTINCT, ("login_recorded", "order_placed"), 90, Field(Origin.TEXT, "device_token")
    )
    complaints = Aggregate(Aggregation.COUNT, ("complaint_filed", "violation_recorded"), 180)
    return (
        _share(
            "night_order_share_180d", Aggregate(Aggregation.COUNT_DISTINCT, _ORDERED, 180, ORDER, (night,)),
            _orders(180), "近180天夜间（0至6点）下单占比",
            "share of orders placed at night (midnight to six) in the last 180 days", owner=_FRAUD_TEAM,
            topic=Topic.ACTIVITY,
        ),
        _value(
            "distinct_devices_90d", devices, "近90天使用设备数", "devices used in the last 90 days",
            "devices", owner=_FRAUD_TEAM, topic=Topic.STABILITY,
        ),
        _value(
            "complaints_180d", complaints, "近180天投诉及违规次数",
            "complaints and violations in the last 180 days", "events", direction=_RISKIER,
            topic=Topic.COMPLAINTS,
        ),
    )  # fmt: skip


def _told_by_others() -> tuple[FeatureDefinition, ...]:
    overdue = _answer("bureau_report", "overdue_loans")
    return (
        _value(
            "sesame_score", _answer("sesame_score", "score"), "芝麻类信用分（有效期内）",
            "Sesame-like score, while valid", "points", missing=_NULL, direction=_SAFER, owner=_CREDIT_TEAM,
            topic=Topic.EXTERNAL,
        ),
        _value(
            "wechat_pay_score", _answer("wechat_pay_score", "score"), "微信支付类信用分（有效期内）",
            "WeChat-Pay-like score, while valid", "points",
            missing=_NULL, direction=_SAFER, owner=_CREDIT_TEAM, topic=Topic.EXTERNAL,
        ),
        _value(
            "bureau_open_loans", _answer("bureau_report", "open_loans"), "征信报告中未结清贷款数（有效期内）",
            "open loans in the bureau report, while valid", "loans", missing=_NULL, owner=_CREDIT_TEAM,
            topic=Topic.EXTERNAL,
        ),
        _value(
            "bureau_overdue_loans", overdue, "征信报告中逾期贷款数（有效期内）",
            "overdue loans in the bureau report, while valid", "loans",
            missing=_NULL, direction=_RISKIER, owner=_CREDIT_TEAM, topic=Topic.EXTERNAL,
        ),
        _share(
            "bureau_overdue_share", overdue, _answer("bureau_report", "open_loans"),
            "征信报告中逾期贷款占比（有效期内）", "share of open loans that are overdue, while valid",
            missing=_NULL, direction=_RISKIER, owner=_CREDIT_TEAM, topic=Topic.EXTERNAL,
        ),
        _value(
            "court_records", _answer("public_records", "court_records"), "法院公开记录数（有效期内）",
            "court records in public registers, while valid", "records",
            missing=_NULL, direction=_RISKIER, owner=_CREDIT_TEAM, topic=Topic.EXTERNAL,
        ),
    )  # fmt: skip


def _answer(product: str, field: str) -> Aggregate:
    """What the newest answer of a product says, whichever provider sold it."""
    own = Condition(Field(Origin.TEXT, "product"), Comparison.EQUALS, product)
    return Aggregate(Aggregation.LATEST_VALID, _ANSWERED, _ANSWER_DAYS, Field(Origin.NUMBER, field), (own,))


def _orders(days: int) -> Aggregate:
    return _distinct(_ORDERED, days)


def _spend(days: int) -> Aggregate:
    return Aggregate(Aggregation.SUM, _ORDERED, days, AMOUNT)


def _distinct(kinds: tuple[str, ...], days: int) -> Aggregate:
    return Aggregate(Aggregation.COUNT_DISTINCT, kinds, days, ORDER)


def _value(
    name: str,
    formula: Formula,
    zh: str,
    en: str,
    unit: str,
    *,
    topic: Topic = Topic.PURCHASES,
    missing: Missing = _ZERO,
    direction: Direction | None = None,
    owner: str = _CUSTOMER_TEAM,
) -> FeatureDefinition:
    return FeatureDefinition(name, formula, Bilingual(zh, en), unit, missing, direction, owner, topic)


def _share(
    name: str,
    above: Aggregate,
    below: Aggregate,
    zh: str,
    en: str,
    *,
    unit: str = "share",
    topic: Topic = Topic.PURCHASES,
    missing: Missing = _ZERO,
    direction: Direction | None = None,
    owner: str = _CUSTOMER_TEAM,
) -> FeatureDefinition:
    meaning = Bilingual(zh, en)
    return FeatureDefinition(name, Ratio(above, below), meaning, unit, missing, direction, owner, topic)


CATALOGUE = catalogue()


def catalogue_hash(definitions: Sequence[FeatureDefinition] = CATALOGUE) -> str:
    """The name of exactly these definitions; any change of any of them changes it."""
    return content_hash([definition.as_data() for definition in definitions])
