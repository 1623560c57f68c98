"""What happens at the door: parcels taken, late, refused, never come."""

from __future__ import annotations

from functools import partial

from shouxin.features.domain.aggregates import Aggregation, Difference, Ratio
from shouxin.features.domain.catalogue.pieces import (
    DELIVERED,
    NULL,
    RISKIER,
    SAFER,
    at_least,
    distinct,
    feature,
    number,
    of,
    since_latest,
    total,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.fields import KIND, Comparison, Condition
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.DELIVERIES)
_REFUSED, _SHIPPED = ("delivery_refused",), ("order_shipped",)
_DAYS_LATE = number("days_late")
_LATE = at_least(_DAYS_LATE, 1)


def deliveries() -> tuple[FeatureDefinition, ...]:
    """Refusals, waiting, and parcels that come."""
    return (*_refusals(), *_waiting())


def _refusals() -> tuple[FeatureDefinition, ...]:
    takes = Condition(KIND, Comparison.EQUALS, "order_delivered")
    at_door = partial(of, kinds=(*DELIVERED, *_REFUSED), days=365, field=None, holds=(takes,))
    risky = partial(_about, direction=RISKIER)
    return (
        risky(
            "refused_deliveries_90d", distinct(_REFUSED, 90), "近90天拒收订单数",
            "parcels refused at the door, last 90 days", "orders",
        ),
        risky(
            "refused_deliveries_365d", distinct(_REFUSED, 365), "近365天拒收订单数",
            "parcels refused at the door, last 365 days", "orders",
        ),
        risky(
            "refused_share_365d", Ratio(distinct(_REFUSED, 365), distinct(_SHIPPED, 365)),
            "近365天拒收订单占比", "share of parcels refused at the door, last 365 days", "share",
        ),
        _about(
            "days_since_refusal", since_latest(_REFUSED), "距上次拒收天数",
            "days since a parcel was last refused", "days", missing=NULL, direction=SAFER,
        ),
        _about(
            "deliveries_taken_row", at_door(Aggregation.CURRENT_STREAK), "最近连续签收次数",
            "parcels taken in a row up to now, last 365 days", "orders",
        ),
        _about(
            "longest_deliveries_row_365d", at_door(Aggregation.LONGEST_STREAK), "近365天最长连续签收次数",
            "most parcels taken in a row, last 365 days", "orders",
        ),
    )  # fmt: skip


def _waiting() -> tuple[FeatureDefinition, ...]:
    missing = Ratio(Difference(distinct(_SHIPPED, 180), distinct(DELIVERED, 180)), distinct(_SHIPPED, 180))
    return (
        _about(
            "deliveries_180d", distinct(DELIVERED, 180), "近180天签收订单数",
            "parcels delivered in the last 180 days", "orders",
        ),
        _about(
            "late_delivery_share_180d", Ratio(distinct(DELIVERED, 180, _LATE), distinct(DELIVERED, 180)),
            "近180天延迟送达占比", "share of parcels that came late, last 180 days", "share",
        ),
        _about(
            "days_late_per_delivery_180d",
            Ratio(total(DELIVERED, 180, _LATE, field=_DAYS_LATE), distinct(DELIVERED, 180)),
            "近180天平均每单延迟天数", "days late of a parcel on average, last 180 days", "days",
        ),
        _about(
            "max_days_late_180d", of(Aggregation.MAX, DELIVERED, 180, field=_DAYS_LATE),
            "近180天最长延迟送达天数", "most days that a parcel came late, last 180 days", "days",
        ),
        _about(
            "undelivered_share_180d", missing, "近180天已发货未签收占比",
            "share of parcels sent and not delivered, last 180 days", "share",
        ),
        _about(
            "days_since_last_delivery", since_latest(DELIVERED), "距上次签收天数",
            "days since the last parcel came", "days", missing=NULL,
        ),
    )  # fmt: skip
