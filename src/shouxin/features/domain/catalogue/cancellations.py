"""What a customer orders and then calls off."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    CANCELLED,
    NULL,
    RISKIER,
    SAFER,
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
from shouxin.features.domain.fields import KIND, Comparison, Condition
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.CANCELLATIONS, direction=RISKIER)
_BY_CUSTOMER, _BY_SHOP = says("by", "customer"), says("by", "shop")


def cancellations() -> tuple[FeatureDefinition, ...]:
    """Shares, values, who called it off, which way it goes."""
    return (*_shares(), *_course())


def _shares() -> tuple[FeatureDefinition, ...]:
    shares = {days: Ratio(distinct(CANCELLED, days), orders(days)) for days in (30, 180, 365)}
    return (
        _about(
            "cancelled_share_180d", shares[180], "近180天取消订单占比",
            "share of orders cancelled in the last 180 days", "share",
        ),
        _about(
            "cancelled_share_365d", shares[365], "近365天取消订单占比",
            "share of orders cancelled in the last 365 days", "share",
        ),
        _about(
            "cancelled_share_rise_30d", Difference(shares[30], shares[365]),
            "近30天取消订单占比较近365天的上升",
            "rise of the share of orders cancelled, last 30 days against 365", "share",
        ),
        _about(
            "cancelled_orders_90d", distinct(CANCELLED, 90), "近90天取消订单数",
            "orders cancelled in the last 90 days", "orders",
        ),
        _about(
            "cancelled_orders_365d", distinct(CANCELLED, 365), "近365天取消订单数",
            "orders cancelled in the last 365 days", "orders",
        ),
        _about(
            "cancelled_value_180d", total(CANCELLED, 180), "近180天取消金额",
            "amount cancelled in the last 180 days", "money",
        ),
        _about(
            "cancelled_value_share_365d", Ratio(total(CANCELLED, 365), spend(365)),
            "近365天取消金额占下单金额的比例",
            "amount cancelled as a share of the amount ordered, last 365 days", "share",
        ),
    )  # fmt: skip


def _course() -> tuple[FeatureDefinition, ...]:
    whole = ("order_cancelled",)
    calls_off = Condition(KIND, Comparison.ONE_OF, CANCELLED)
    row = of(Aggregation.CURRENT_STREAK, (*CANCELLED, "order_delivered"), 365, field=None, holds=(calls_off,))
    return (
        _about(
            "cancelled_by_customer_365d", distinct(whole, 365, _BY_CUSTOMER), "近365天顾客主动取消订单数",
            "orders that the customer called off, last 365 days", "orders",
        ),
        _about(
            "cancelled_by_shop_365d", distinct(whole, 365, _BY_SHOP), "近365天商家取消订单数",
            "orders that the shop called off, last 365 days", "orders", direction=None,
        ),
        _about(
            "days_since_last_cancel", since_latest(CANCELLED), "距上次取消订单天数",
            "days since the last cancellation", "days", missing=NULL, direction=SAFER,
        ),
        _about(
            "cancel_trend_180d", of(Aggregation.TREND, CANCELLED, 180, field=None, periods=6),
            "近180天每月取消次数的变化趋势", "change of the cancellations a month over the last 180 days",
            "events a month", missing=NULL,
        ),
        _about(
            "cancel_weight", of(Aggregation.DECAYED_COUNT, CANCELLED, 365, field=None, half_life_days=45),
            "取消热度（45天减半）", "cancellations, each worth half after 45 days", "weighted events",
        ),
        _about(
            "cancel_row", row, "最近连续取消次数",
            "cancellations in a row up to now, with nothing delivered between", "events",
        ),
    )  # fmt: skip
