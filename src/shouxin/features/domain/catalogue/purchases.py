"""How often and how regularly a customer buys, and how much."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    CANCELLED,
    NULL,
    ORDERED,
    WHOLE_ORDERS,
    at_least,
    count,
    distinct,
    feature,
    number,
    of,
    orders,
    says,
    since_earliest,
    since_latest,
    spend,
    text,
    total,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.fields import Field, Origin
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.PURCHASES)
_SATURDAY = 6


def purchases(zone: str) -> tuple[FeatureDefinition, ...]:
    """How much, how regularly, which way it goes, and how long it has been going on."""
    return (*_amounts(), *_rhythm(zone), *_changes(), *_ways(zone))


def _amounts() -> tuple[FeatureDefinition, ...]:
    kept = Difference(orders(365), distinct(CANCELLED, 365))
    return (
        _about("orders_30d", orders(30), "近30天订单数", "orders in the last 30 days", "orders"),
        _about("orders_90d", orders(90), "近90天订单数", "orders in the last 90 days", "orders"),
        _about("orders_365d", orders(365), "近365天订单数", "orders in the last 365 days", "orders"),
        _about("spend_30d", spend(30), "近30天下单金额", "amount ordered in the last 30 days", "money"),
        _about("spend_90d", spend(90), "近90天下单金额", "amount ordered in the last 90 days", "money"),
        _about("spend_365d", spend(365), "近365天下单金额", "amount ordered in the last 365 days", "money"),
        _about(
            "kept_orders_365d", kept, "近365天未取消的订单数",
            "orders of the last 365 days that were not cancelled", "orders",
        ),
        _about(
            "items_per_order_180d",
            Ratio(total(WHOLE_ORDERS, 180, field=number("items")), distinct(WHOLE_ORDERS, 180)),
            "近180天平均每单件数", "items in an order on average, last 180 days", "items", missing=NULL,
        ),
    )  # fmt: skip


def _rhythm(zone: str) -> tuple[FeatureDefinition, ...]:
    day, month = Field(Origin.DAY, zone), Field(Origin.MONTH, zone)
    interval = of(Aggregation.MEAN_INTERVAL, ORDERED, 365, field=day)
    spread = of(Aggregation.INTERVAL_SPREAD, ORDERED, 365, field=day)
    months = distinct(ORDERED, 365, field=month)
    seen = ("customer_registered", *ORDERED)
    return (
        _about(
            "days_since_last_order", since_latest(ORDERED), "距上次下单天数", "days since the last order",
            "days", missing=NULL,
        ),
        _about(
            "days_since_first_order", since_earliest(ORDERED), "距首次下单天数", "days since the first order",
            "days", missing=NULL,
        ),
        _about(
            "tenure_days", since_earliest(seen), "成为顾客的天数", "days since the customer was first seen",
            "days", missing=NULL,
        ),
        _about(
            "active_months_365d", months, "近365天有订单的月份数",
            "months with an order in the last 365 days", "months",
        ),
        _about(
            "active_days_90d", distinct(ORDERED, 90, field=day), "近90天有订单的天数",
            "days with an order in the last 90 days", "days",
        ),
        _about(
            "order_interval_365d", interval, "近365天平均下单间隔天数",
            "days between orders on average, last 365 days", "days", missing=NULL,
        ),
        _about(
            "order_interval_spread_365d", spread, "近365天下单间隔的波动天数",
            "how far the days between orders vary, last 365 days", "days", missing=NULL,
        ),
        _about(
            "order_irregularity_365d", Ratio(spread, interval), "近365天下单不规律程度（间隔波动÷平均间隔）",
            "how irregular orders are, last 365 days (variation of the interval by its mean)", "ratio",
            missing=NULL,
        ),
        _about(
            "orders_per_active_month_365d", Ratio(orders(365), months), "近365天有订单月份的月均订单数",
            "orders in a month that has any, last 365 days", "orders",
        ),
    )  # fmt: skip


def _changes() -> tuple[FeatureDefinition, ...]:
    decayed = partial(of, kinds=ORDERED, days=365, half_life_days=60)
    return (
        _about(
            "order_rise_90d", Difference(orders(90), orders(90, ends=90)), "近90天订单数较此前90天的增加",
            "more orders in the last 90 days than in the 90 before", "orders",
        ),
        _about(
            "order_trend_180d", of(Aggregation.TREND, ORDERED, 180, field=None, periods=6),
            "近180天每月订单数的变化趋势", "change of the orders a month over the last 180 days",
            "orders a month", missing=NULL,
        ),
        _about(
            "spend_trend_180d", of(Aggregation.TREND, ORDERED, 180, periods=6),
            "近180天每月下单金额的变化趋势", "change of the amount ordered a month over the last 180 days",
            "money a month", missing=NULL,
        ),
        _about(
            "spend_share_30d", Ratio(spend(30), spend(365)), "近30天下单金额占近365天的比例",
            "amount of the last 30 days as a share of the last 365", "share",
        ),
        _about(
            "order_weight", decayed(Aggregation.DECAYED_COUNT, field=None), "订单热度（60天减半）",
            "orders, each worth half after 60 days", "weighted orders",
        ),
        _about(
            "spend_weight", decayed(Aggregation.DECAYED_SUM), "消费热度（60天减半）",
            "amounts ordered, each worth half after 60 days", "money",
        ),
    )  # fmt: skip


def _ways(zone: str) -> tuple[FeatureDefinition, ...]:
    merchant, channel = text("merchant_ref"), text("channel")
    weekend = at_least(Field(Origin.WEEKDAY, zone), _SATURDAY)
    main = of(Aggregation.COUNT_COMMONEST, WHOLE_ORDERS, 365, field=merchant)
    return (
        _about(
            "weekend_order_share_180d", Ratio(distinct(ORDERED, 180, weekend), orders(180)),
            "近180天周末下单占比", "share of orders placed at a weekend, last 180 days", "share",
        ),
        _about(
            "merchants_365d", distinct(WHOLE_ORDERS, 365, field=merchant), "近365天购买过的商家数",
            "merchants bought from in the last 365 days", "merchants",
        ),
        _about(
            "main_merchant_share_365d", Ratio(main, count(WHOLE_ORDERS, 365)),
            "近365天最常购买商家的订单占比",
            "share of orders from the merchant bought from most, last 365 days", "share",
        ),
        _about(
            "app_order_share_180d",
            Ratio(distinct(WHOLE_ORDERS, 180, says("channel", "app")), distinct(WHOLE_ORDERS, 180)),
            "近180天App下单占比", "share of orders placed in the app, last 180 days", "share",
        ),
        _about(
            "channel_variety_365d", of(Aggregation.ENTROPY, WHOLE_ORDERS, 365, field=channel),
            "近365天下单渠道的分散程度", "how spread orders are over channels, last 365 days", "bits",
            missing=NULL,
        ),
    )  # fmt: skip
