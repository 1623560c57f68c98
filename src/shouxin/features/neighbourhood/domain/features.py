"""The features of tastes."""

from __future__ import annotations

from shouxin.features.domain.definition import Missing
from shouxin.features.domain.shopwide import ShopwideFeature
from shouxin.features.domain.topics import Topic
from shouxin.kernel import Bilingual

_PURPOSES = frozenset({"credit_assessment"})


def _feature(name: str, zh: str, en: str, unit: str) -> ShopwideFeature:
    # Nothing says beforehand that rare or mixed baskets are riskier, and an event rate of others is no fact
    # about her: no direction is declared.
    return ShopwideFeature(
        name, Topic.PATTERNS, Bilingual(zh, en), unit, Missing.STAYS_NULL, None, "credit_risk", _PURPOSES
    )


FEATURES: tuple[ShopwideFeature, ...] = (
    _feature(
        "similar_taste_event_rate", "购物相似的顾客的违约率（已成熟、不含本人）",
        "default rate of those who buy alike, matured, herself left out", "share",
    ),
    _feature(
        "basket_surprise", "购物篮的罕见程度（比特）", "how rare what she buys is, mean bits a thing", "bits"
    ),
    _feature(
        "basket_coherence", "购物篮内商品的平均相似度", "how alike the things she buys are, mean cosine",
        "cosine",
    ),
)  # fmt: skip
