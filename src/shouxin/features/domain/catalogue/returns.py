"""What a customer sends back or wants the money for, and on which grounds."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    FRAUD_TEAM,
    NULL,
    REFUNDED,
    RISKIER,
    SAFER,
    SENT_BACK,
    count,
    distinct,
    feature,
    of,
    orders,
    says,
    since_latest,
    spend,
    total,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.RETURNS, direction=RISKIER)
_RETURNED = ("return_requested",)
_REFUND_ONLY = says("refund_kind", "refund_only")


def returns() -> tuple[FeatureDefinition, ...]:
    """Returns, refunds, and refunds without goods."""
    return (*_refunds(), *_without_goods(), *_requests())


def _refunds() -> tuple[FeatureDefinition, ...]:
    def share(days: int) -> Ratio:
        return Ratio(distinct(REFUNDED, days), orders(days))

    jump = Difference(
        Ratio(distinct(SENT_BACK, 30), orders(30)), Ratio(distinct(SENT_BACK, 180), orders(180))
    )
    return (
        _about(
            "refund_share_180d", share(180), "近180天退款订单占比",
            "share of orders refunded in the last 180 days", "share",
        ),
        _about(
            "refund_share_365d", share(365), "近365天退款订单占比",
            "share of orders refunded in the last 365 days", "share",
        ),
        _about(
            "refunds_30d", count(REFUNDED, 30), "近30天退款次数", "refunds in the last 30 days", "refunds",
        ),
        _about(
            "refund_value_180d", total(REFUNDED, 180), "近180天退款金额",
            "amount refunded in the last 180 days", "money",
        ),
        _about(
            "refund_value_share_365d", Ratio(total(REFUNDED, 365), spend(365)),
            "近365天退款金额占下单金额的比例",
            "amount refunded as a share of the amount ordered, last 365 days", "share",
        ),
        _about(
            "max_refund_365d", of(Aggregation.MAX, REFUNDED, 365), "近365天最大单笔退款",
            "largest refund in the last 365 days", "money",
        ),
        _about(
            "days_since_last_refund", since_latest(REFUNDED), "距上次退款天数", "days since the last refund",
            "days", missing=NULL, direction=SAFER,
        ),
        _about(
            "refund_weight", of(Aggregation.DECAYED_SUM, REFUNDED, 365, half_life_days=60),
            "退款热度（60天减半）", "amounts refunded, each worth half after 60 days", "money",
        ),
        _about(
            "return_rate_jump_30d", jump, "近30天退货率较近180天的上升",
            "rise of the return rate, last 30 days against 180", "share", owner=FRAUD_TEAM,
        ),
    )  # fmt: skip


def _without_goods() -> tuple[FeatureDefinition, ...]:
    about = partial(_about, owner=FRAUD_TEAM)
    return (
        about(
            "refund_only_count_180d", count(REFUNDED, 180, _REFUND_ONLY), "近180天仅退款次数",
            "refunds without return in the last 180 days", "refunds",
        ),
        about(
            "refund_only_count_365d", count(REFUNDED, 365, _REFUND_ONLY), "近365天仅退款次数",
            "refunds without return in the last 365 days", "refunds",
        ),
        about(
            "refund_only_share_365d", Ratio(distinct(REFUNDED, 365, _REFUND_ONLY), orders(365)),
            "近365天仅退款订单占比", "share of orders refunded without return, last 365 days", "share",
        ),
        about(
            "refund_only_value_365d", total(REFUNDED, 365, _REFUND_ONLY), "近365天仅退款金额",
            "amount refunded without return, last 365 days", "money",
        ),
        about(
            "days_since_refund_only", since_latest(REFUNDED, _REFUND_ONLY), "距上次仅退款天数",
            "days since the last refund without return", "days", missing=NULL, direction=SAFER,
        ),
    )  # fmt: skip


def _requests() -> tuple[FeatureDefinition, ...]:
    no_fault = says("reason", "changed_mind", "does_not_fit")
    trend = of(Aggregation.TREND, _RETURNED, 180, field=None, periods=6)
    return (
        _about(
            "returns_90d", distinct(_RETURNED, 90), "近90天退货申请订单数",
            "orders to be sent back, last 90 days", "orders",
        ),
        _about(
            "return_share_365d", Ratio(distinct(_RETURNED, 365), orders(365)), "近365天退货申请订单占比",
            "share of orders to be sent back, last 365 days", "share",
        ),
        _about(
            "return_value_365d", total(_RETURNED, 365), "近365天退货申请金额",
            "value to be sent back, last 365 days", "money",
        ),
        _about(
            "return_trend_180d", trend, "近180天每月退货申请数的变化趋势",
            "change of the returns a month over the last 180 days", "returns a month", missing=NULL,
        ),
        _about(
            "no_fault_return_share_365d", Ratio(count(_RETURNED, 365, no_fault), count(_RETURNED, 365)),
            "近365天无瑕疵退货占比", "share of returns of goods without fault, last 365 days", "share",
            direction=None,
        ),
        _about(
            "days_since_last_return", since_latest(_RETURNED), "距上次申请退货天数",
            "days since a return was last asked for", "days", missing=NULL, direction=SAFER,
        ),
    )  # fmt: skip
