"""What a shop-wide feature is: a number about one customer that only the others make.

Such a number (how many people use her device, how those fared who buy alike) can not be had from her own
events. It stands for the *night* of ``as_of``: the last midnight (UTC) that was two hours ago. The training
set, the nightly run and the checkout then say the same by definition, and nobody has to look at the whole
shop while a customer waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shouxin.features.domain.definition import Direction, Missing
from shouxin.features.domain.topics import Topic
from shouxin.kernel import Bilingual, content_hash


@dataclass(frozen=True, slots=True)
class ShopwideFeature:
    """One shop-wide feature: what it means and who answers for it.

    It is null for whoever took one of ``purposes`` back by ``as_of``. ``version`` changes with the way it is
    computed, so that numbers made differently have different names of their catalogue.
    """

    name: str
    topic: Topic
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
            "topic": self.topic.value,
            "meaning": self.meaning.as_data(),
            "unit": self.unit,
            "missing": self.missing.value,
            "direction": self.direction.value if self.direction else None,
            "owner": self.owner,
            "purposes": sorted(self.purposes),
            "version": self.version,
        }


# The nightly run has until then to be done; whoever asks earlier is told what held the day before.
RUN_TIME = timedelta(hours=2)


def night_of(as_of: datetime) -> datetime:
    """The midnight (UTC) that shop-wide features stand for at ``as_of``."""
    assert as_of.tzinfo is not None, "an instant has a zone"
    return last_midnight(as_of - RUN_TIME)


def last_midnight(instant: datetime) -> datetime:
    """The newest midnight (UTC) that is not after an instant."""
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def is_night(instant: datetime) -> bool:
    """Whether an instant is a midnight (UTC)."""
    return instant == last_midnight(instant)


def learnt_at(night: datetime) -> datetime:
    """When what holds at a midnight was learnt from outcomes: the first midnight of its month.

    What is learnt changes monthly, what it is applied to nightly: a customer's numbers change when she does.
    """
    assert is_night(night), "shop-wide features are looked at by midnight"
    return night.replace(day=1)


def shopwide_hash(definitions: Sequence[ShopwideFeature]) -> str:
    """The name of these definitions: the same definitions, the same name."""
    return content_hash([definition.as_data() for definition in definitions])
