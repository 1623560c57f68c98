"""What a customer puts into the cart, puts back, and leaves there."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    NULL,
    at_least,
    at_most,
    count,
    distinct,
    feature,
    number,
    of,
    orders,
    since_latest,
    text,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.fields import Field, Origin
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.CARTS)
_CHANGED = ("cart_changed",)
_QUANTITY = number("quantity")
_PUT_BACK, _PUT_IN = at_most(_QUANTITY, 0), at_least(_QUANTITY, 1)
_NIGHT_LAST_HOUR = 5


def carts(zone: str) -> tuple[FeatureDefinition, ...]:
    """Wishes, and what becomes of them."""
    night = at_most(Field(Origin.HOUR, zone), _NIGHT_LAST_HOUR)
    put_in = count(_CHANGED, 180, _PUT_IN)
    wished = partial(distinct, _CHANGED, field=text("sku"))
    return (
        _about(
            "cart_changes_30d", count(_CHANGED, 30), "近30天购物车变动次数",
            "changes of the cart in the last 30 days", "events",
        ),
        _about(
            "cart_products_90d", wished(90, _PUT_IN), "近90天加购商品数",
            "products put into the cart in the last 90 days", "products",
        ),
        _about(
            "cart_products_rise_30d", Difference(wished(30, _PUT_IN), wished(30, _PUT_IN, ends=30)),
            "近30天加购商品数较此前30天的增加",
            "more products put into the cart in the last 30 days than in the 30 before", "products",
        ),
        _about(
            "cart_put_back_180d", count(_CHANGED, 180, _PUT_BACK), "近180天移出购物车次数",
            "times a product was put back, last 180 days", "events",
        ),
        _about(
            "cart_put_back_share_180d", Ratio(count(_CHANGED, 180, _PUT_BACK), put_in),
            "近180天加购后移出的比例", "products put back for each put into the cart, last 180 days", "share",
        ),
        _about(
            "cart_products_per_order_180d", Ratio(wished(180, _PUT_IN), orders(180)), "近180天每单加购商品数",
            "products put into the cart for each order, last 180 days", "ratio",
        ),
        _about(
            "largest_cart_quantity_180d", of(Aggregation.MAX, _CHANGED, 180, field=_QUANTITY),
            "近180天单品最大加购件数", "most pieces of one product in the cart, last 180 days", "pieces",
        ),
        _about(
            "night_cart_share_180d", Ratio(count(_CHANGED, 180, night), count(_CHANGED, 180)),
            "近180天夜间购物车变动占比", "share of changes of the cart at night, last 180 days", "share",
        ),
        _about(
            "days_since_last_cart", since_latest(_CHANGED), "距上次购物车变动天数",
            "days since the cart last changed", "days", missing=NULL,
        ),
    )  # fmt: skip
