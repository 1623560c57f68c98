"""When a customer is there and what they look at: nights, visits, views. Named by the clock that it reads."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    FRAUD_TEAM,
    NULL,
    ORDERED,
    at_least,
    at_most,
    count,
    distinct,
    feature,
    of,
    orders,
    since_latest,
    text,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.fields import Field, Origin
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.ACTIVITY)
_LOGIN, _VIEWED = ("login_recorded",), ("product_viewed",)
_NIGHT_LAST_HOUR, _EVENING_FIRST_HOUR = 5, 20


def activity(zone: str) -> tuple[FeatureDefinition, ...]:
    """Nights, visits, views."""
    return (*_nights(zone), *_visits(zone), *_views())


def _nights(zone: str) -> tuple[FeatureDefinition, ...]:
    hour = Field(Origin.HOUR, zone)
    night, evening = at_most(hour, _NIGHT_LAST_HOUR), at_least(hour, _EVENING_FIRST_HOUR)
    shares = {days: Ratio(distinct(ORDERED, days, night), orders(days)) for days in (30, 180)}
    fraud = partial(_about, owner=FRAUD_TEAM)
    return (
        fraud(
            "night_order_share_180d", shares[180], "近180天夜间（0至6点）下单占比",
            "share of orders placed at night (midnight to six) in the last 180 days", "share",
        ),
        fraud(
            "night_order_share_rise_30d", Difference(shares[30], shares[180]),
            "近30天夜间下单占比较近180天的上升",
            "rise of the share of orders placed at night, last 30 days against 180", "share",
        ),
        fraud(
            "night_orders_30d", distinct(ORDERED, 30, night), "近30天夜间（0至6点）订单数",
            "orders placed at night in the last 30 days", "orders",
        ),
        fraud(
            "night_login_share_180d", Ratio(count(_LOGIN, 180, night), count(_LOGIN, 180)),
            "近180天夜间登录占比", "share of logins at night, last 180 days", "share",
        ),
        _about(
            "evening_order_share_180d", Ratio(distinct(ORDERED, 180, evening), orders(180)),
            "近180天晚间（20点后）下单占比",
            "share of orders placed after eight in the evening, last 180 days", "share",
        ),
        _about(
            "order_hour_variety_365d", of(Aggregation.ENTROPY, ORDERED, 365, field=hour),
            "近365天下单时刻的分散程度", "how spread orders are over the hours of the day, last 365 days",
            "bits", missing=NULL,
        ),
        _about(
            "order_weekday_variety_365d",
            of(Aggregation.ENTROPY, ORDERED, 365, field=Field(Origin.WEEKDAY, zone)),
            "近365天下单星期的分散程度", "how spread orders are over the days of the week, last 365 days",
            "bits", missing=NULL,
        ),
    )  # fmt: skip


def _visits(zone: str) -> tuple[FeatureDefinition, ...]:
    day = Field(Origin.DAY, zone)
    interval = of(Aggregation.MEAN_INTERVAL, _LOGIN, 180, field=day)
    return (
        _about("logins_30d", count(_LOGIN, 30), "近30天登录次数", "logins in the last 30 days", "events"),
        _about("logins_180d", count(_LOGIN, 180), "近180天登录次数", "logins in the last 180 days", "events"),
        _about(
            "login_days_90d", distinct(_LOGIN, 90, field=day), "近90天登录天数",
            "days with a login in the last 90 days", "days",
        ),
        _about(
            "days_since_last_login", since_latest(_LOGIN), "距上次登录天数", "days since the last login",
            "days", missing=NULL,
        ),
        _about(
            "login_interval_180d", interval, "近180天平均登录间隔天数",
            "days between logins on average, last 180 days", "days", missing=NULL,
        ),
        _about(
            "login_trend_180d", of(Aggregation.TREND, _LOGIN, 180, field=None, periods=6),
            "近180天每月登录次数的变化趋势", "change of the logins a month over the last 180 days",
            "events a month", missing=NULL,
        ),
    )  # fmt: skip


def _views() -> tuple[FeatureDefinition, ...]:
    category = text("category")
    return (
        _about(
            "views_30d", count(_VIEWED, 30), "近30天浏览商品次数", "products looked at in the last 30 days",
            "events",
        ),
        _about(
            "views_180d", count(_VIEWED, 180), "近180天浏览商品次数",
            "products looked at in the last 180 days", "events",
        ),
        _about(
            "views_per_order_180d", Ratio(count(_VIEWED, 180), orders(180)), "近180天每单浏览商品次数",
            "products looked at for each order, last 180 days", "ratio",
        ),
        _about(
            "viewed_products_90d", distinct(_VIEWED, 90, field=text("sku")), "近90天浏览不同商品数",
            "different products looked at in the last 90 days", "products",
        ),
        _about(
            "viewed_categories_180d", distinct(_VIEWED, 180, field=category), "近180天浏览品类数",
            "categories looked at in the last 180 days", "categories",
        ),
        _about(
            "view_variety_180d", of(Aggregation.ENTROPY, _VIEWED, 180, field=category),
            "近180天浏览品类的分散程度", "how spread looks are over categories, last 180 days", "bits",
            missing=NULL,
        ),
        _about(
            "days_since_last_view", since_latest(_VIEWED), "距上次浏览商品天数",
            "days since a product was last looked at", "days", missing=NULL,
        ),
    )  # fmt: skip
