"""What a customer's orders cost, one by one, and what coupons take off them."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    NULL,
    ORDERED,
    WHOLE_ORDERS,
    at_least,
    at_most,
    count,
    distinct,
    feature,
    of,
    orders,
    spend,
    total,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.fields import AMOUNT, Field, Origin
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.PRICES)
# Edges of the price bands in major units, as shops of China part them.
_BAND = Field(Origin.AMOUNT_BAND, edges=(20, 50, 100, 200, 500, 1000, 2000, 5000))
_SMALL, _LARGE = 50, 1000
_COUPON = Field(Origin.MINOR, "coupon_minor")


def prices() -> tuple[FeatureDefinition, ...]:
    """What an order costs, how that changes, and coupons."""
    return (*_levels(), *_unusual(), *_coupons())


def _levels() -> tuple[FeatureDefinition, ...]:
    year = partial(of, kinds=ORDERED, days=365)
    return (
        _about(
            "mean_order_value_365d", Ratio(spend(365), orders(365)), "近365天平均每单金额",
            "mean value of an order in the last 365 days", "money", missing=NULL,
        ),
        _about(
            "median_order_value_365d", year(Aggregation.PERCENTILE, percent=50), "近365天每单金额的中位数",
            "median value of an order in the last 365 days", "money", missing=NULL,
        ),
        _about(
            "p90_order_value_365d", year(Aggregation.PERCENTILE, percent=90), "近365天每单金额的90%分位数",
            "value that nine in ten orders stay below, last 365 days", "money", missing=NULL,
        ),
        _about(
            "max_order_value_365d", year(Aggregation.MAX), "近365天最大单笔金额",
            "largest order in the last 365 days", "money", missing=NULL,
        ),
        _about(
            "min_order_value_365d", year(Aggregation.MIN), "近365天最小单笔金额",
            "smallest order in the last 365 days", "money", missing=NULL,
        ),
        _about(
            "price_band_variety_365d", year(Aggregation.ENTROPY, field=_BAND), "近365天订单价格带的分散程度",
            "how spread orders are over price bands, last 365 days", "bits", missing=NULL,
        ),
        _about(
            "small_order_share_365d",
            Ratio(count(ORDERED, 365, at_most(AMOUNT, _SMALL)), count(ORDERED, 365)),
            "近365天50元及以下订单占比", "share of orders of 50 or less, last 365 days", "share",
        ),
        _about(
            "large_orders_180d", count(ORDERED, 180, at_least(AMOUNT, _LARGE)), "近180天1000元及以上订单数",
            "orders of 1000 or more in the last 180 days", "orders",
        ),
    )  # fmt: skip


def _unusual() -> tuple[FeatureDefinition, ...]:
    median = of(Aggregation.PERCENTILE, ORDERED, 365, percent=50)
    before = of(Aggregation.MEAN, ORDERED, 275, ends_days_ago=90)
    return (
        _about(
            "last_order_to_median_365d", Ratio(of(Aggregation.LATEST, ORDERED, 365), median),
            "最近一单金额相当于平时的倍数", "last order as a multiple of the median order, last 365 days",
            "ratio", missing=NULL,
        ),
        _about(
            "max_order_30d_to_median_365d", Ratio(of(Aggregation.MAX, ORDERED, 30), median),
            "近30天最大单笔相当于平时的倍数",
            "largest order of the last 30 days as a multiple of the median order", "ratio", missing=NULL,
        ),
        _about(
            "order_value_rise_90d", Ratio(of(Aggregation.MEAN, ORDERED, 90), before),
            "近90天平均每单金额相当于此前的倍数",
            "mean order of the last 90 days as a multiple of the months before", "ratio", missing=NULL,
        ),
        _about(
            "largest_order_share_365d", Ratio(of(Aggregation.MAX, ORDERED, 365), spend(365)),
            "近365天最大单笔占下单总额的比例",
            "largest order as a share of all that was ordered, last 365 days", "share",
        ),
    )  # fmt: skip


def _coupons() -> tuple[FeatureDefinition, ...]:
    with_coupon = at_least(_COUPON, 0.001)
    used = partial(distinct, WHOLE_ORDERS)
    shares = [Ratio(used(days, with_coupon), used(days)) for days in (30, 365)]
    return (
        _about(
            "coupon_order_share_365d", shares[1], "近365天使用优惠券的订单占比",
            "share of orders with a coupon, last 365 days", "share",
        ),
        _about(
            "coupon_share_rise_30d", Difference(*shares), "近30天用券订单占比较近365天的上升",
            "rise of the share of orders with a coupon, last 30 days against 365", "share",
        ),
        _about(
            "coupon_value_365d", total(WHOLE_ORDERS, 365, field=_COUPON), "近365天优惠券抵扣金额",
            "value of coupons used in the last 365 days", "money",
        ),
        _about(
            "coupon_depth_365d", Ratio(total(WHOLE_ORDERS, 365, field=_COUPON), total(WHOLE_ORDERS, 365)),
            "近365天优惠券抵扣占下单金额的比例",
            "value of coupons as a share of the amount ordered, last 365 days", "share",
        ),
    )  # fmt: skip
