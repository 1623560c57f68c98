"""What a shop-wide feature is: a number about one customer that only the others make.

Such a number (how many people use her device, how often buyers of the same things defaulted) can not be
had from her own events. It stands for the last midnight (UTC) before ``as_of``: the training set, the
nightly run and the checkout then say the same by definition, and nobody has to look at the whole shop
while a customer waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shouxin.features.domain.definition import Direction, Missing
from shouxin.kernel import Bilingual, content_hash


@dataclass(frozen=True, slots=True)
class ShopwideFeature:
    """One shop-wide feature: what it means and who answers for it; ``topic`` names the part that computes it.

    It is null for whoever took one of ``purposes`` back by ``as_of``. ``version`` changes with the way it is
    computed, so that numbers made differently have different names of their catalogue.
    """

    name: str
    topic: str
    meaning: Bilingual
    unit: str
    missing: Missing
    direction: Direction | None
    owner: str
    purposes: frozenset[str]
    version: int = 1

    def __post_init__(self) -> None:
        assert self.name.isidentifier() and self.name.islower(), self.name

    def as_data(self) -> dict[str, Any]:
        """The definition as JSON data."""
        return {
            "name": self.name,
            "topic": self.topic,
            "meaning": self.meaning.as_data(),
            "unit": self.unit,
            "missing": self.missing.value,
            "direction": self.direction.value if self.direction else None,
            "owner": self.owner,
            "purposes": sorted(self.purposes),
            "version": self.version,
        }


def midnight_before(as_of: datetime) -> datetime:
    """The midnight (UTC) that shop-wide features stand for at ``as_of``; a midnight stands for itself."""
    assert as_of.tzinfo is not None, "an instant has a zone"
    return as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def shopwide_hash(definitions: Sequence[ShopwideFeature]) -> str:
    """The name of these definitions: the same definitions, the same name."""
    return content_hash([definition.as_data() for definition in definitions])
