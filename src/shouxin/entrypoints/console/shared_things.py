"""What a customer shares with others, as the customer's page shows it: counts of the night, and no names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shouxin.entrypoints.console.visit import Visit
from shouxin.features import shopwide
from shouxin.kernel import CustomerId

# What a person can act on; the rest is for models.
_COUNTS = ("device_sharers", "card_sharers", "address_sharers", "contact_sharers", "linked_bad_customers")
_SHOWN = (*_COUNTS, "steps_to_bad")


@dataclass(frozen=True, slots=True)
class SharedThings:
    """What is known of a customer for a night, in the reader's language.

    ``known`` is False where no number of the customer was kept, ``withheld`` True where she took back the
    agreement to some. ``told`` has meaning and count of what is not zero, ``pattern`` the strongest risk
    pattern that matches.
    """

    night: datetime
    known: bool
    withheld: bool
    told: tuple[tuple[str, int], ...]
    pattern: str | None


def shared_things(visit: Visit, customer_id: CustomerId, *, as_of: datetime) -> SharedThings:
    """What was kept of a customer for the night of ``as_of``."""
    values = shopwide.shopwide_at(visit.db, customer_id, as_of=as_of)
    pattern = shopwide.strongest_pattern(visit.db, customer_id, as_of=as_of)
    language = visit.reader.language
    known = any(value is not None for value in values.values())
    meanings = {feature.name: feature.meaning.in_language(language) for feature in shopwide.SHOPWIDE}
    return SharedThings(
        shopwide.night_of(as_of),
        known,
        known and any(values[name] is None for name in _COUNTS),
        tuple((meanings[name], int(values[name] or 0)) for name in _SHOWN if values[name]),
        pattern.in_language(language) if pattern else None,
    )
