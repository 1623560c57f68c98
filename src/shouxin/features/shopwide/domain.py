"""All shop-wide features, and what a kept night is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shouxin.features.domain.shopwide import ShopwideFeature, night_of, shopwide_hash
from shouxin.features.graph.domain import FEATURES as LINKS
from shouxin.features.neighbourhood.domain import FEATURES as TASTES
from shouxin.features.patterns.domain import FEATURES as PATTERNS

SHOPWIDE: tuple[ShopwideFeature, ...] = (*LINKS, *PATTERNS, *TASTES)
NAMES = tuple(feature.name for feature in SHOPWIDE)
VERSION = shopwide_hash(SHOPWIDE)


@dataclass(frozen=True, slots=True)
class KeptNight:
    """What one nightly run left: of how many customers, how many rows changed, and by which patterns."""

    night: date
    version: str
    customers: int
    changed: int
    document_hash: str | None
    kept_at: datetime


def missing_nights(kept: set[date], *, as_of: datetime, nights: int) -> tuple[date, ...]:
    """The nights among the last ``nights`` that were not kept by ``as_of``, oldest first.

    Nights before the first one kept are not missing: the house was not there yet.
    """
    newest = night_of(as_of).date()
    wanted = [newest - timedelta(days=back) for back in reversed(range(nights))]
    return tuple(night for night in wanted if night not in kept and night > min(kept, default=newest))
