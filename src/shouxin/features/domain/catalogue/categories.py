"""What a customer buys: how many categories, how spread, what is new, what is easily sold on."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    FRAUD_TEAM,
    NULL,
    WHOLE_ORDERS,
    count,
    distinct,
    feature,
    of,
    says,
    since_latest,
    text,
    told,
    total,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.CATEGORIES)
_CATEGORY = text("category")
# Goods that are worth nearly their price to anybody: bought on credit and sold on, they are cash.
_SOLD_ON = says("category", "digital", "phones", "computers", "jewellery", "gift_cards", "appliance")
# What people buy when they live as always.
_DAILY = says("category", "grocery", "food", "home", "baby")


def categories() -> tuple[FeatureDefinition, ...]:
    """Variety, what is new, and goods that are easily sold on."""
    return (*_variety(), *_goods())


def _variety() -> tuple[FeatureDefinition, ...]:
    year = partial(of, kinds=WHOLE_ORDERS, days=365, field=_CATEGORY)
    kinds = partial(distinct, WHOLE_ORDERS, field=_CATEGORY)
    return (
        _about(
            "categories_90d", kinds(90), "近90天购买品类数", "categories bought in the last 90 days",
            "categories",
        ),
        _about(
            "categories_365d", kinds(365), "近365天购买品类数", "categories bought in the last 365 days",
            "categories",
        ),
        _about(
            "category_variety_365d", year(Aggregation.ENTROPY), "近365天购买品类的分散程度",
            "how spread orders are over categories, last 365 days", "bits", missing=NULL,
        ),
        _about(
            "main_category_share_365d",
            Ratio(year(Aggregation.COUNT_COMMONEST), count(WHOLE_ORDERS, 365, told(_CATEGORY))),
            "近365天最常购买品类的订单占比", "share of orders of the category bought most, last 365 days",
            "share",
        ),
        _about(
            "category_breadth_rise_90d", Difference(kinds(90), kinds(90, ends=90)),
            "近90天购买品类数较此前90天的增加", "more categories in the last 90 days than in the 90 before",
            "categories",
        ),
    )  # fmt: skip


def _goods() -> tuple[FeatureDefinition, ...]:
    sold_on = [Ratio(total(WHOLE_ORDERS, days, _SOLD_ON), total(WHOLE_ORDERS, days)) for days in (30, 365)]
    fraud = partial(_about, owner=FRAUD_TEAM)
    return (
        fraud(
            "resale_goods_orders_90d", distinct(WHOLE_ORDERS, 90, _SOLD_ON), "近90天易变现商品订单数",
            "orders of goods that are easily sold on, last 90 days", "orders",
        ),
        fraud(
            "resale_goods_share_365d", sold_on[1], "近365天易变现商品金额占比",
            "share of the amount ordered that is for goods easily sold on, last 365 days", "share",
        ),
        fraud(
            "resale_goods_share_rise_30d", Difference(*sold_on), "近30天易变现商品金额占比较近365天的上升",
            "rise of the share for goods easily sold on, last 30 days against 365", "share",
        ),
        fraud(
            "days_since_resale_goods", since_latest(WHOLE_ORDERS, _SOLD_ON), "距上次购买易变现商品天数",
            "days since goods easily sold on were last ordered", "days", missing=NULL,
        ),
        _about(
            "daily_goods_share_180d", Ratio(distinct(WHOLE_ORDERS, 180, _DAILY), distinct(WHOLE_ORDERS, 180)),
            "近180天日用品订单占比", "share of orders of everyday goods, last 180 days", "share",
        ),
    )  # fmt: skip
