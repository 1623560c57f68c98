"""The features of the links between customers, and their values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shouxin.features.domain.definition import Direction, Missing
from shouxin.features.domain.shopwide import ShopwideFeature
from shouxin.features.domain.topics import Topic
from shouxin.features.graph.domain.components import components, others_marked, sizes
from shouxin.features.graph.domain.distances import NONE, distances
from shouxin.features.graph.domain.links import KINDS, Ints, Links, purposes_of_kind, without_hubs
from shouxin.features.graph.domain.neighbours import MILLION, badness, joined_together, neighbours
from shouxin.kernel import Bilingual

Floats = npt.NDArray[np.float64]
GROWTH_DAYS = 30
_MICROS_PER_DAY = 86_400_000_000
_ALL_PURPOSES = frozenset({"behaviour"}).union(*(purposes_of_kind(kind) for kind in KINDS))
_NULL, _ZERO = Missing.STAYS_NULL, Missing.IS_ZERO
_RISKIER, _SAFER = Direction.HIGHER_IS_RISKIER, Direction.HIGHER_IS_SAFER


def _feature(
    name: str,
    zh: str,
    en: str,
    unit: str,
    *,
    missing: Missing = _ZERO,
    direction: Direction | None = None,
    purposes: frozenset[str] = _ALL_PURPOSES,
) -> ShopwideFeature:
    return ShopwideFeature(
        name, Topic.GRAPH, Bilingual(zh, en), unit, missing, direction, "fraud_risk", purposes
    )


FEATURES: tuple[ShopwideFeature, ...] = (
    _feature(
        "device_sharers", "与其共用设备的其他顾客数", "other customers on the same devices", "customers",
    ),
    _feature(
        "card_sharers", "与其共用银行卡的其他顾客数", "other customers with the same cards", "customers",
        purposes=purposes_of_kind("card"),
    ),
    _feature(
        "address_sharers", "与其共用地址的其他顾客数", "other customers at the same addresses", "customers",
        purposes=purposes_of_kind("address"),
    ),
    _feature(
        "contact_sharers", "与其共用手机号或邮箱的其他顾客数",
        "other customers with the same phones or e-mail addresses", "customers",
        purposes=purposes_of_kind("contact"),
    ),
    _feature(
        "crowd_of_widest_token", "其设备、卡、地址或联系方式中使用人数最多者的人数",
        "customers of the widest of her devices, cards, addresses and contacts, crowds included", "customers",
    ),
    _feature(
        "linked_customers", "与其有任一共用的其他顾客数", "other customers who share anything", "customers"
    ),
    _feature(
        "doubly_linked_customers", "与其共用两类及以上的其他顾客数",
        "other customers who share two kinds of token or more", "customers",
    ),
    _feature(
        "kinds_shared_most", "与同一顾客共用的最多类别数", "most kinds of token shared with one customer",
        "kinds",
    ),
    _feature(
        "linked_joined_together", "与其有共用且前后10天内出现的其他顾客数",
        "other customers who share anything and were first seen within 10 days of her", "customers",
    ),
    _feature(
        "component_customers", "其关联网络的顾客数", "customers of the component she belongs to", "customers"
    ),
    _feature(
        "component_growth_30d", "其关联网络近30天新增顾客数",
        "customers by which her component grew in the last 30 days", "customers",
    ),
    _feature(
        "component_bad_share", "其关联网络中其他顾客的不良占比",
        "share of the others of her component of whom something bad is known", "share",
        missing=_NULL, direction=_RISKIER,
    ),
    _feature(
        "linked_bad_customers", "与其有共用的不良顾客数", "linked customers of whom something bad is known",
        "customers", direction=_RISKIER,
    ),
    _feature(
        "linked_bad_share", "与其有共用的顾客中的不良占比",
        "share of linked customers of whom something bad is known", "share", missing=_NULL,
        direction=_RISKIER,
    ),
    _feature(
        "steps_to_bad", "到最近的不良顾客的步数（至多3步）",
        "steps to the nearest other customer of whom something bad is known, 3 at most", "steps",
        missing=_NULL, direction=_SAFER,
    ),
    _feature(
        "badness_received", "两步之内传来的不良程度", "badness that reaches her over two steps", "units",
        direction=_RISKIER,
    ),
)  # fmt: skip
NAMES = tuple(feature.name for feature in FEATURES)


def feature_values(links: Links, *, at_us: int) -> dict[str, Floats]:
    """The features of every customer of ``links`` at the midnight ``at_us``; NaN where there is none.

    ``links`` holds what was known by then, and nothing else.
    """
    telling = without_hubs(links)
    met = neighbours(telling)
    together = components(telling)
    bad = links.bad.astype(np.int64)
    linked, linked_bad = met.counted(), met.marked(links.bad)
    others = sizes(together) - 1
    values: dict[str, Ints | Floats] = {f"{kind}_sharers": met.of_kind[kind] for kind in KINDS}
    values |= {
        "crowd_of_widest_token": _widest(links),
        "linked_customers": linked,
        "doubly_linked_customers": met.counted(at_least=2),
        "kinds_shared_most": met.most_kinds(),
        "linked_joined_together": joined_together(met, links.first_seen_us),
        "component_customers": others + 1,
        "component_growth_30d": _growth(links, others + 1, at_us=at_us),
        "component_bad_share": _share(others_marked(together, bad), others),
        "linked_bad_customers": linked_bad,
        "linked_bad_share": _share(linked_bad, linked),
        "steps_to_bad": _or_nan(distances(telling)),
        "badness_received": badness(telling) / MILLION,
    }
    return {name: np.asarray(values[name], dtype=np.float64) for name in NAMES}


def alone() -> dict[str, float | None]:
    """The values of a customer who shares nothing with anybody."""
    nothing: dict[str, float | None] = {
        feature.name: None if feature.missing is _NULL else 0.0 for feature in FEATURES
    }
    return nothing | {"component_customers": 1.0, "crowd_of_widest_token": 1.0}


def _widest(links: Links) -> Ints:
    widest = np.ones(links.customers, dtype=np.int64)
    np.maximum.at(widest, links.customer, links.degrees()[links.token])
    return widest


def _growth(links: Links, now: Ints, *, at_us: int) -> Ints:
    """Members now less members thirty days ago, as known then. A hub that formed since parts people."""
    then = sizes(components(without_hubs(links, known_by_us=at_us - GROWTH_DAYS * _MICROS_PER_DAY)))
    return now - then


def _share(above: Ints, below: Ints) -> Floats:
    shares: Floats = np.where(below > 0, above / np.maximum(below, 1), np.nan)
    return shares


def _or_nan(steps: Ints) -> Floats:
    found: Floats = np.where(steps == NONE, np.nan, steps.astype(np.float64))
    return found
