"""The features of risk patterns."""

from __future__ import annotations

from shouxin.features.domain.catalogue import CATALOGUE
from shouxin.features.domain.definition import Direction, Missing
from shouxin.features.domain.shopwide import ShopwideFeature
from shouxin.features.domain.topics import Topic
from shouxin.features.patterns.domain.items import BEHAVIOURS
from shouxin.kernel import Bilingual

_READ = {item.feature for item in BEHAVIOURS}
# Items read features; whoever took back the purpose of one of them has no pattern at all.
_PURPOSES = frozenset({"credit_assessment"}).union(*(f.purposes for f in CATALOGUE if f.name in _READ))


def _feature(name: str, zh: str, en: str, unit: str) -> ShopwideFeature:
    return ShopwideFeature(
        name, Topic.PATTERNS, Bilingual(zh, en), unit, Missing.STAYS_NULL, Direction.HIGHER_IS_RISKIER,
        "credit_risk", _PURPOSES,
    )  # fmt: skip


FEATURES: tuple[ShopwideFeature, ...] = (
    _feature(
        "pattern_lift_strongest", "所符合的最强风险模式的提升度（无则为1）",
        "lift of the strongest risk pattern that matches; 1 where none does", "times",
    ),
    _feature("patterns_matched", "所符合的风险模式数", "risk patterns that match", "patterns"),
)  # fmt: skip
