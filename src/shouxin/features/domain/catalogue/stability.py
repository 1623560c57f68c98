"""How settled a customer is: devices, cities, addresses, cards, and what of their profile changes."""

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
    since_latest,
    text,
    told,
)
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.features.domain.topics import Topic

_about = partial(feature, topic=Topic.STABILITY, owner=FRAUD_TEAM)
_LOGIN = ("login_recorded",)
_ON_DEVICE = (*_LOGIN, *WHOLE_ORDERS)
_DEVICE, _ADDRESS = text("device_token"), text("delivery_address_token")
_CARD, _CITY = text("card_token"), text("city")


def stability() -> tuple[FeatureDefinition, ...]:
    """Devices, places, cards, profile."""
    return (*_devices(), *_places(), *_cards(), *_profile())


def _devices() -> tuple[FeatureDefinition, ...]:
    used = partial(distinct, _ON_DEVICE, field=_DEVICE)
    main = of(Aggregation.COUNT_COMMONEST, _ON_DEVICE, 180, field=_DEVICE)
    return (
        _about(
            "distinct_devices_90d", used(90), "近90天使用设备数", "devices used in the last 90 days",
            "devices",
        ),
        _about(
            "distinct_devices_365d", used(365), "近365天使用设备数", "devices used in the last 365 days",
            "devices",
        ),
        _about(
            "device_rise_30d", Difference(used(30), used(30, ends=30)), "近30天使用设备数较此前30天的增加",
            "more devices in the last 30 days than in the 30 before", "devices",
        ),
        _about(
            "main_device_share_180d", Ratio(main, count(_ON_DEVICE, 180, told(_DEVICE))),
            "近180天最常用设备的使用占比",
            "share of visits and orders on the device used most, last 180 days", "share",
        ),
        _about(
            "device_variety_180d", of(Aggregation.ENTROPY, _ON_DEVICE, 180, field=_DEVICE),
            "近180天使用设备的分散程度", "how spread visits and orders are over devices, last 180 days",
            "bits", missing=NULL,
        ),
    )  # fmt: skip


def _places() -> tuple[FeatureDefinition, ...]:
    sent_to = partial(distinct, WHOLE_ORDERS, field=_ADDRESS)
    home = of(Aggregation.COUNT_COMMONEST, WHOLE_ORDERS, 365, field=_ADDRESS)
    main_city = of(Aggregation.COUNT_COMMONEST, _LOGIN, 180, field=_CITY)
    return (
        _about(
            "delivery_addresses_90d", sent_to(90), "近90天收货地址数",
            "addresses delivered to in the last 90 days", "addresses",
        ),
        _about(
            "delivery_addresses_365d", sent_to(365), "近365天收货地址数",
            "addresses delivered to in the last 365 days", "addresses",
        ),
        _about(
            "address_rise_90d", Difference(sent_to(90), sent_to(90, ends=90)),
            "近90天收货地址数较此前90天的增加", "more addresses in the last 90 days than in the 90 before",
            "addresses",
        ),
        _about(
            "main_address_share_365d", Ratio(home, count(WHOLE_ORDERS, 365, told(_ADDRESS))),
            "近365天最常用收货地址的订单占比", "share of orders to the address used most, last 365 days",
            "share",
        ),
        _about(
            "address_variety_365d", of(Aggregation.ENTROPY, WHOLE_ORDERS, 365, field=_ADDRESS),
            "近365天收货地址的分散程度", "how spread orders are over addresses, last 365 days", "bits",
            missing=NULL,
        ),
        _about(
            "login_cities_90d", distinct(_LOGIN, 90, field=_CITY), "近90天登录城市数",
            "cities signed in from, last 90 days", "cities",
        ),
        _about(
            "main_city_share_180d", Ratio(main_city, count(_LOGIN, 180, told(_CITY))),
            "近180天最常登录城市的占比", "share of logins from the city signed in from most, last 180 days",
            "share",
        ),
    )  # fmt: skip


def _cards() -> tuple[FeatureDefinition, ...]:
    used = partial(distinct, WHOLE_ORDERS, field=_CARD)
    return (
        _about("cards_90d", used(90), "近90天使用银行卡数", "cards used in the last 90 days", "cards"),
        _about("cards_365d", used(365), "近365天使用银行卡数", "cards used in the last 365 days", "cards"),
        _about(
            "card_rise_90d", Difference(used(90), used(90, ends=90)), "近90天使用银行卡数较此前90天的增加",
            "more cards in the last 90 days than in the 90 before", "cards",
        ),
    )  # fmt: skip


def _profile() -> tuple[FeatureDefinition, ...]:
    changed, verified = ("customer_updated",), ("customer_verified",)
    return (
        _about(
            "profile_changes_365d", count(changed, 365), "近365天资料变更次数",
            "changes of the profile in the last 365 days", "events",
        ),
        _about(
            "days_since_profile_change", since_latest(changed), "距上次资料变更天数",
            "days since the profile last changed", "days", missing=NULL,
        ),
        _about(
            "verified_identifiers", distinct(verified, None, field=text("identifier")), "已验证的身份要素数",
            "identifiers that were verified (phone, e-mail, identity number)", "identifiers",
        ),
        _about(
            "days_since_verification", since_latest(verified), "距上次身份验证天数",
            "days since an identifier was last verified", "days", missing=NULL,
        ),
    )  # fmt: skip
